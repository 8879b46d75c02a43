"""One name for each monomial: bound indices numbered so that equal products are written equally.

A *label* is an integer: negative for an index that is fixed, else a bound one.  A *factor* is the number
of an atom, its labels and its exponent.  What is connected through bound labels is a component; each is
numbered by refining colours (what stands with what) and, where labels remain alike, by trying each.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction

from symderiv.check.terms import RefusedError

Labels = tuple[int, ...]
Exponent = int | Fraction
Factor = tuple[int, Labels, Exponent]
Component = tuple[Labels, tuple[Factor, ...]]  # the sizes of its bound labels, then its factors
Monomial = tuple[tuple[Factor, ...], tuple[Component, ...]]
Symmetries = Callable[[int], Sequence[Labels]]

UNIT: Monomial = ((), ())
MOST_TRIED = 3000


def least(labels: Labels, permutations: Sequence[Labels]) -> Labels:
    """Return the smallest of the equivalent ways to write the labels of an atom."""
    if len(permutations) == 1:
        return labels
    return min(tuple(labels[s] for s in p) for p in permutations)


def monomial(
    powers: Mapping[tuple[int, Labels], Exponent], bound: Mapping[int, int], symmetries: Symmetries
) -> Monomial:
    """Return the one form of a product of powers, summed over the labels `bound` (label → size)."""
    fixed: list[Factor] = []
    groups: list[tuple[set[int], list[Factor]]] = []
    for (atom, labels), exponent in powers.items():
        mine = {x for x in labels if x in bound}
        if not mine:
            fixed.append((atom, least(labels, symmetries(atom)), exponent))
            continue
        members = [(atom, labels, exponent)]
        apart = []
        for group in groups:
            if group[0] & mine:
                mine |= group[0]
                members += group[1]
            else:
                apart.append(group)
        groups = [*apart, (mine, members)]
    components = sorted(_component(members, bound, symmetries) for _, members in groups)
    return tuple(sorted(fixed)), tuple(components)


def _component(group: list[Factor], bound: Mapping[int, int], symmetries: Symmetries) -> Component:
    inside = {x: bound[x] for _, labels, _ in group for x in labels if x in bound}
    best: list[Component] = []
    tried = [0]

    def search(colours: dict[int, int]) -> None:
        colours = _refined(group, colours, symmetries)
        classes: dict[int, list[int]] = {}
        for x, colour in colours.items():
            classes.setdefault(colour, []).append(x)
        tied = min((c for c, xs in classes.items() if len(xs) > 1), default=None)
        if tied is None:
            tried[0] += 1
            if tried[0] > MOST_TRIED:
                raise RefusedError("a product with too many symmetries")
            found = _written(group, colours, inside, symmetries)
            if not best or found < best[0]:
                best[:] = [found]
            return
        for x in classes[tied]:
            search({y: 2 * c + (y != x) if c == tied else 2 * c for y, c in colours.items()})

    search(inside)
    return best[0]


def _refined(group: list[Factor], colours: dict[int, int], symmetries: Symmetries) -> dict[int, int]:
    """Split classes of bound labels by what stands with them, until nothing splits."""
    count = len(set(colours.values()))
    while True:
        around: dict[int, list[tuple[int, Exponent, int, Labels]]] = {x: [] for x in colours}
        for atom, labels, exponent in group:
            seen = tuple(colours.get(x, x) for x in labels)
            for slot, x in enumerate(labels):
                if x in colours:
                    at, written = min((p.index(slot), tuple(seen[s] for s in p)) for p in symmetries(atom))
                    around[x].append((atom, exponent, at, written))
        signs = {x: (colours[x], sorted(around[x])) for x in colours}
        ranks: dict[int, int] = {}
        rank = -1
        last = None
        for x in sorted(signs, key=lambda x: signs[x]):
            if signs[x] != last:
                rank, last = rank + 1, signs[x]
            ranks[x] = rank
        colours = ranks
        if rank + 1 <= count or rank + 1 == len(colours):
            return colours
        count = rank + 1


def _written(
    group: list[Factor], names: Mapping[int, int], sizes: Mapping[int, int], symmetries: Symmetries
) -> Component:
    factors = sorted(
        (atom, least(tuple(names.get(x, x) for x in labels), symmetries(atom)), exponent)
        for atom, labels, exponent in group
    )
    ordered = sorted(sizes, key=lambda x: names[x])
    return tuple(sizes[x] for x in ordered), tuple(factors)
