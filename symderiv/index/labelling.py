"""Canonical names for indices: a product's factors and labels in an order that no input order can change.

Colour refinement as for graphs: a label's colour is refined by the factors (and slots) it stands in
until nothing changes; where labels stay alike, each is tried first in turn and the smallest outcome is
kept.  The number of outcomes tried is bounded: beyond the bound two equal products may be missed as
equal, never the other way round.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

Permutation = tuple[int, ...]
Item = tuple[str, tuple[int, ...], tuple[Permutation, ...]]
MOST_OUTCOMES = 48


def canonical(items: Sequence[Item], colours: Mapping[int, str]) -> tuple[dict[int, int], list[int]]:
    """Return the new number of each label and the new order of the items.

    `items` are (key, labels, symmetries) with the permutations of the slots that leave a factor
    unchanged; `colours` gives each label its first colour: labels of a smaller colour get smaller
    numbers.

    >>> canonical([("B", (7, 5), ((0, 1),)), ("A", (3, 7), ((0, 1),))], {3: "o", 5: "o", 7: "s"})[
    ...     0
    ... ]
    {3: 0, 5: 1, 7: 2}
    """
    search = _Search(items)
    order = sorted(set(colours.values()))
    start = {label: order.index(colour) for label, colour in colours.items()}
    search.descend(start)
    assert search.best is not None
    return search.best[1], search.best[2]


class _Search:
    def __init__(self, items: Sequence[Item]) -> None:
        self.items = items
        self.orbits = [_orbits(len(labels), perms) for _, labels, perms in items]
        self.best: tuple[list[tuple[str, tuple[int, ...]]], dict[int, int], list[int]] | None = None
        self.left = MOST_OUTCOMES

    def descend(self, colours: dict[int, int]) -> None:
        colours = self.refine(colours)
        cells: dict[int, list[int]] = {}
        for label, colour in colours.items():
            cells.setdefault(colour, []).append(label)
        open_cells = [c for c in sorted(cells) if len(cells[c]) > 1]
        if not open_cells:
            self.finish(colours)
            return
        colour = open_cells[0]
        for label in cells[colour]:
            if self.left <= 0:
                return
            split = {k: 2 * v + (1 if v == colour and k != label else 0) for k, v in colours.items()}
            self.descend(split)

    def refine(self, colours: dict[int, int]) -> dict[int, int]:
        count = len(set(colours.values()))
        while count < len(colours):
            seen: dict[int, list[tuple[str, tuple[int, ...], int]]] = {label: [] for label in colours}
            for (key, labels, perms), orbits in zip(self.items, self.orbits, strict=True):
                signature = _first([colours[label] for label in labels], perms)
                for slot, label in enumerate(labels):
                    seen[label].append((key, signature, orbits[slot]))
            marks = {label: (colours[label], tuple(sorted(seen[label]))) for label in colours}
            ranks = {mark: rank for rank, mark in enumerate(sorted(set(marks.values())))}
            if len(ranks) == count:
                break
            count = len(ranks)
            colours = {label: ranks[mark] for label, mark in marks.items()}
        return colours

    def finish(self, colours: dict[int, int]) -> None:
        self.left -= 1
        number = {label: n for n, label in enumerate(sorted(colours, key=colours.__getitem__))}
        written = [(key, _first([number[label] for label in labels], perms)) for key, labels, perms in self.items]
        order = sorted(range(len(written)), key=written.__getitem__)
        text = [written[i] for i in order]
        if self.best is None or text < self.best[0]:
            self.best = (text, number, order)


def standings(items: Sequence[Item], labels: Sequence[int]) -> list[list[tuple[str, int]]]:
    """Return for each label the factors and slots at which it stands: labels that may be exchanged have the same."""
    found: dict[int, list[tuple[str, int]]] = {label: [] for label in labels}
    for key, own, perms in items:
        for label, orbit in zip(own, _orbits(len(own), perms), strict=True):
            if label in found:
                found[label].append((key, orbit))
    return [sorted(found[label]) for label in labels]


def _first(values: Sequence[int], perms: Sequence[Permutation]) -> tuple[int, ...]:
    """Return values at the slots of a factor in the first of the orders that its symmetries allow."""
    return tuple(values) if len(perms) == 1 else min([tuple([values[s] for s in perm]) for perm in perms])


def _orbits(count: int, perms: Sequence[Permutation]) -> Sequence[int]:
    return range(count) if len(perms) == 1 else [min(perm[s] for perm in perms) for s in range(count)]
