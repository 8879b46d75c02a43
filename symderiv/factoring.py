"""Common factors of a sum, taken out: `Σ_q B[i,q] x[q] + Σ_q B[q,i] x[q] = Σ_q (B[i,q] + B[q,i]) x[q]`.

The normal form leaves a sum of products as it comes from the product rule.  For a factor f that stands
in several terms in the same way (its indices are the same axes of the result, or bound ones),

    Σ_t coef_t f[F, b] rest_t[R, b] = f[F, b] · (Σ_t coef_t rest_t[R, b]),      summed over the bound b,

where R are the axes that some rest needs.  From a scalar only scalars are taken out: `trace(A) + trace(B)` is
not written as a trace.  What is gained is left to who compares the two forms.
"""

from __future__ import annotations

from collections.abc import Container
from fractions import Fraction

from symderiv.index import normal
from symderiv.index.graph import Add, Contraction, Delta, Factor, Node, Pow, SizeOf

MOST_TERMS = 16
MOST_FORMS = 4
MOST_AXES = 2

Flat = tuple[list[Factor], dict[int, object]]
Place = tuple[Node, tuple[int | None, ...]]


def factored(node: Add, whole: Container[Node] = ()) -> list[tuple[Node, bool]]:
    """Return forms of a sum with one common factor taken out, the most promising first, and whether it is a clear gain:
    all terms share it, or what stands in the brackets is symmetric.

    What is in `whole` has a name and is not looked into.
    """
    if len(node.terms) > MOST_TERMS:
        return []
    flats = [_flat(term, whole) for _, term in node.terms]
    standing: dict[Place, list[int]] = {}
    for t, (factors, _) in enumerate(flats):
        places = dict.fromkeys(_place(f, node.rank) for f in factors if node.rank or not f[0].rank)
        for place in places:
            standing.setdefault(place, []).append(t)
    shared = [
        (place, terms) for place, terms in standing.items() if len(terms) > (len(flats) - 1 if _idle(place[0]) else 1)
    ]
    shared.sort(key=lambda s: (-len(s[1]), -len(s[0][1]), s[0][0].key, str(s[0][1])))
    common = [place for place, terms in shared if len(terms) == len(flats) and None not in place[1]]
    if len(common) > 1:  # one after the other they would be taken out in every order
        together = _all_taken_out(node, flats, common)
        if together is not None and together is not node:
            return [(together, True)]
    forms = [_taken_out(node, flats, place, terms) for place, terms in shared[:MOST_FORMS]]
    return [form for form in forms if form is not None and form[0] is not node]


def _idle(node: Node) -> bool:
    """Tell what is worth taking out only where all terms share it."""
    return isinstance(node, (Delta, SizeOf)) or (isinstance(node, Pow) and isinstance(node.base, SizeOf))


def _flat(term: Node, whole: Container[Node]) -> Flat:
    """Return a term as one product under one sum: nested sums of products opened."""
    sizes: dict[int, object] = dict(enumerate(term.dims))
    factors: list[Factor] = []
    todo: list[Factor] = [(term, tuple(range(term.rank)))]
    while todo:
        node, labels = todo.pop()
        if isinstance(node, Contraction) and node.coef == 1 and node.factors and node not in whole:
            names = dict(enumerate(labels))
            for b in node.bound:
                names[b] = len(sizes)
                sizes[names[b]] = node.sizes[b]
            todo += [(f, tuple(names[s] for s in at)) for f, at in node.factors]
        elif isinstance(node, Pow) and node.exponent.denominator == 1 and 1 < node.exponent <= 4:
            factors += [(node.base, labels)] * int(node.exponent)
        else:
            factors.append((node, labels))
    return factors, sizes


def _place(factor: Factor, rank: int) -> Place:
    """Return where a factor stands: the axis of the result at each of its indices, None for a bound one."""
    node, labels = factor
    ways = (tuple(labels[s] if labels[s] < rank else None for s in perm) for perm in normal.symmetries(node))
    return node, min(ways, key=lambda way: tuple(rank if k is None else k for k in way))


def _all_taken_out(node: Add, flats: list[Flat], places: list[Place]) -> Node | None:
    """Return the sum with factors taken out that all terms share, none of them under a sum of its own."""
    rests = []
    for factors, sizes in flats:
        left = list(factors)
        for place in places:
            left.remove(next(g for g in left if _place(g, node.rank) == place))
        rests.append((left, sizes))
    inside = {axis for _, way in places for axis in way}
    standing = {axis for left, _ in rests for _, at in left for axis in at}
    needed = [axis for axis in range(node.rank) if axis not in inside or axis in standing]
    if len(needed) > MOST_AXES:
        return None
    inner = [
        (coef, normal.contract(1, left, needed, {k: sizes[k] for k in _labels(left, needed)}))
        for (coef, _), (left, sizes) in zip(node.terms, rests, strict=True)
    ]
    total = normal.add(inner, tuple(node.dims[axis] for axis in needed))
    fronts = [(f, [axis for axis in way if axis is not None]) for f, way in places]
    return normal.contract(1, [*fronts, (total, needed)], range(node.rank), dict(enumerate(node.dims)))


def _taken_out(node: Add, flats: list[Flat], place: Place, terms: list[int]) -> tuple[Node, bool] | None:
    f, way = place
    if way == (None,) and not any(_reaches(flats[t], place, node.rank) for t in terms):
        return None  # Σ_q x[q] and y[i] Σ_q z[q] x[q] have no matrix that x is multiplied by
    rests: list[tuple[Fraction, list[Factor], list[int], dict[int, object]]] = []
    for t in terms:
        factors, sizes = flats[t]
        found = next(g for g in factors if _place(g, node.rank) == place)
        perm = next(p for p in normal.symmetries(f) if _at(found[1], p, node.rank) == way)
        hanging = [found[1][s] for s, axis in zip(perm, way, strict=True) if axis is None]
        if len(set(hanging)) < len(hanging):
            return None
        left = list(factors)
        left.remove(found)
        rests.append((node.terms[t][0], left, hanging, sizes))
    inside = {axis for axis in way if axis is not None}
    needed = [
        axis
        for axis in range(node.rank)
        if axis not in inside or any(axis in at for _, left, _, _ in rests for _, at in left)
    ]
    bound = [("b", k) for k in range(way.count(None))]
    if len(needed) + len(bound) > MOST_AXES:  # such a sum has no matrix notation, the terms may have
        return None
    inner = []
    for coef, left, hanging, sizes in rests:
        out = [*needed, *hanging]
        inner.append((coef, normal.contract(1, left, out, {k: sizes[k] for k in _labels(left, out)})))
    hung = iter(bound)
    at = [axis if axis is not None else next(hung) for axis in way]
    total = normal.add(inner, inner[0][1].dims)
    front = {k: size for k, size in enumerate(node.dims)}
    product = normal.contract(1, [(f, at), (total, [*needed, *bound])], range(node.rank), front)
    others = [node.terms[t] for t in range(len(node.terms)) if t not in terms]
    if not others:
        return product, True
    return normal.add([*others, (1, product)], node.dims), total.rank == 2 and len(normal.symmetries(total)) > 1


def _reaches(flat: Flat, place: Place, rank: int) -> bool:
    """Tell whether a factor ties the index of a vector under the sum to an axis of the result."""
    factors, _ = flat
    (q,) = next(labels for node, labels in factors if _place((node, labels), rank) == place)
    return any(q in labels and any(label < rank for label in labels) for _, labels in factors)


def _at(labels: tuple[int, ...], perm: tuple[int, ...], rank: int) -> tuple[int | None, ...]:
    return tuple(labels[s] if labels[s] < rank else None for s in perm)


def _labels(factors: list[Factor], out: list[int]) -> set[int]:
    return {*out, *(label for _, at in factors for label in at)}
