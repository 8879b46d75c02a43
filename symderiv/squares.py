"""Sums of squares in disguise: `Σ X[a,b] x[b] X[a,c] x[c]` is `Σ_a (X x)[a]²`, which a reader knows as a norm.

The factors fall into two halves that are alike but for the indices summed over within each; the indices that both
share are the axes of the root.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from symderiv.dims import Size
from symderiv.index import normal
from symderiv.index.graph import Contraction, Factor, Node, Pow

MOST_FACTORS = 12


def root_of(node: Node) -> Node | None:
    """Return v where a product under a sum is the sum of the squares of the entries of v; else None.

    Where the product has axes of its own, they are the first of v, and the sum is over the others.

    >>> from symderiv.lower import lower
    >>> from symderiv.tensor.parse import parse, scope_of
    >>> scope = scope_of({"X": ("n", "p"), "w": ("p",)})
    >>> number, vector = (lower(parse(text, scope)).node for text in ("norm(X @ w)**2", "X @ w"))
    >>> root_of(number) is vector
    True
    """
    if not isinstance(node, Contraction) or node.coef != 1 or any(not at for _, at in node.factors):
        return None
    if len(node.factors) == 1 and isinstance(node.factors[0][0], Pow):  # sum(x**4) reads well as it is
        return None
    sizes = dict(enumerate(node.sizes))
    factors = _doubled(node.factors, sizes)
    if len(factors) > MOST_FACTORS or any(count % 2 for count in Counter(f for f, _ in factors).values()):
        return None
    for images in _pairings(factors, {axis: axis for axis in range(node.rank)}):
        half = _half(factors, images)
        if half is None:
            continue
        shared = [x for x in sizes if images.get(x) == x]
        if len(shared) == node.rank:
            continue
        used = {x: sizes[x] for x in {*shared, *(x for _, labels in half for x in labels)}}
        return normal.contract(1, half, shared, used)
    return None


def _doubled(given: Sequence[Factor], sizes: dict[int, Size]) -> list[Factor]:
    """Return the factors, those of products among them for these, an even power as its root twice."""
    found: list[Factor] = []
    for f, labels in given:
        if isinstance(f, Contraction) and f.coef == 1:
            names = [*labels, *(len(sizes) + k for k in range(len(f.bound)))]
            sizes.update(zip(names, f.sizes, strict=True))
            found += _doubled([(g, tuple(names[x] for x in at)) for g, at in f.factors], sizes)
        elif isinstance(f, Pow) and f.exponent % 2 == 0 and f.exponent > 0:
            found += [(normal.power(f.base, f.exponent / 2), labels)] * 2
        else:
            found.append((f, labels))
    return found


def _pairings(factors: list[Factor], images: Mapping[int, int]) -> Iterator[dict[int, int]]:
    """Yield the exchanges of indices that pair each factor with an equal one."""
    if not factors:
        yield dict(images)
        return
    (first, labels), *rest = factors
    for k, (other, places) in enumerate(rest):
        if other is not first:
            continue
        for turn in normal.symmetries(first):
            extended = _extended(images, labels, tuple(places[t] for t in turn))
            if extended is not None:
                yield from _pairings([*rest[:k], *rest[k + 1 :]], extended)


def _extended(images: Mapping[int, int], one: tuple[int, ...], other: tuple[int, ...]) -> dict[int, int] | None:
    new = dict(images)
    for a, b in zip(one, other, strict=True):
        if new.setdefault(a, b) != b or new.setdefault(b, a) != a:
            return None
    return new


def _half(factors: list[Factor], images: Mapping[int, int]) -> list[Factor] | None:
    """Return the factors of one half, where those that own indices connect fall apart into two; else None."""
    own = [{x for x in labels if images[x] != x} for _, labels in factors]
    sides: list[bool | None] = [None] * len(factors)
    inside: set[int] = set()
    for k, labels in enumerate(own):
        if not labels or sides[k] is not None:
            continue
        reached = _reached(labels, own)
        mirrored = {images[x] for x in reached}
        if reached & mirrored:
            return None
        inside |= reached
        for m, others in enumerate(own):
            if others:
                sides[m] = True if others <= reached else False if others <= mirrored else sides[m]
    half = [factors[k] for k, side in enumerate(sides) if side]
    shared = Counter(factors[k] for k, labels in enumerate(own) if not labels)
    if any(count % 2 for count in shared.values()):
        return None
    half += [f for f, count in shared.items() for _ in range(count // 2)]
    return half if 2 * len(half) == len(factors) else None


def _reached(start: set[int], own: list[set[int]]) -> set[int]:
    """Return the indices that own indices of factors connect with some."""
    reached = set(start)
    while more := {x for labels in own if labels & reached for x in labels} - reached:
        reached |= more
    return reached
