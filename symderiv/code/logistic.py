"""Sums of two exponentials, as sigmoids and hyperbolic tangents.

With D = exp p + exp q and σ the logistic function,

    exp(α p + β q) / D^(α+β) = σ(p − q)^α σ(q − p)^β,     D σ(p − q) = exp p,     σ(u) / σ(−u) = exp u,
    (exp p − exp q) / D = tanh((p − q) / 2),              sinh u / cosh u = tanh u.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from symderiv.code.logs import ONE, Logs, exponent, hot, zero_like
from symderiv.code.parts import Part, Parts, scaling
from symderiv.index import normal
from symderiv.index.graph import Add, Map, Node

MOST_POWER = 12


def divides(part: Part) -> bool:
    """Tell whether something is divided by exponentials, or by a sum of them."""
    return part.exponent < 0 and not part.is_exp and hot(part.base)


def is_sigmoid(node: Node) -> bool:
    """Tell σ(u)."""
    return isinstance(node, Map) and node.function == "sigmoid"


def released(parts: Parts, logs: Logs) -> bool:
    """`(exp p + exp q) σ(p − q) = exp p`; tell whether there was such a product."""
    found = False
    for total in [p for p in parts.list if p.exponent > 0 and not p.is_exp]:
        terms = logs.terms(total.base)
        for top in [p for p in parts.list if is_sigmoid(p.base) and p.exponent > 0]:
            order = tuple(sorted(set(total.labels)))
            if terms is None or len(terms) != 2 or set(top.labels) != set(order):
                continue
            for (c, p), (d, q) in (terms, terms[::-1]):
                gap = normal.add([(1, logs.plus(p, c)), (-1, logs.plus(q, d))], p.dims)
                u = parts.at(top.base.arg, top.labels, order)
                times = min(total.exponent, top.exponent)
                if times.denominator == 1 and times > 0 and parts.at(gap, total.labels, order) is u:
                    total.exponent -= times
                    top.exponent -= times
                    parts.coef *= c ** int(times)
                    parts.add(normal.entrywise("exp", parts.at(p, total.labels, order)), times, order)
                    found = True
    parts.remove([p for p in parts.list if p.exponent == 0 or normal.constant(p.base) == 1])
    return found


def sigmoids(parts: Parts, logs: Logs) -> None:
    """`exp(α p + β q) / (exp p + exp q)^(α+β)`, for all such sums and sigmoids with the same indices at once."""
    groups: dict[frozenset[int], list[_Two]] = {}
    for part in parts.list:
        two = _two_terms(part, parts, logs)
        if two is not None:
            groups.setdefault(frozenset(part.labels), []).append(two)
    for labels, group in groups.items():
        order = tuple(sorted(labels))
        gaps = _by_gap(group)
        pairs = [pair for pair in gaps if any(two.k > 0 for two in gaps[pair])]
        atoms = {a for pair in pairs for a in _atoms(pair)}
        above = [
            p for p in parts.list
            if p.is_exp and frozenset(p.labels) <= labels and _atoms(parts.at(p.base.arg, p.labels, order)) & atoms
        ]  # fmt: skip
        pairs = [pair for pair in pairs if above or any(not two.sigmoid for two in gaps[pair])]
        if not pairs:
            continue
        dims = tuple(parts.sizes[k] for k in order)
        e = normal.add([(p.exponent, parts.at(p.base.arg, p.labels, order)) for p in above], dims)
        found = _resolved(e, {pair: gaps[pair] for pair in pairs})
        if found is None:
            continue
        parts.remove([*above, *(two.part for pair in pairs for two in gaps[pair])])
        for base, power in found:
            parts.add(base, power, order)
        for two in (two for pair in pairs for two in gaps[pair]):
            parts.coef *= two.coef


def _two_terms(part: Part, parts: Parts, logs: Logs) -> _Two | None:
    """Read a power of a sum of two exponentials, or of a sigmoid, as `coef · exp(−k p) σ(gap)^k`."""
    base, power = part.base, part.exponent
    if abs(power) > MOST_POWER:
        return None
    order = tuple(sorted(set(part.labels)))
    if is_sigmoid(base):
        u = parts.at(base.arg, part.labels, order)
        return _Two(part, u, zero_like(u), power, ONE, sigmoid=True) if power > 0 else None
    terms = logs.terms(base)
    if terms is None or len(terms) != 2:
        return None
    (c, p), (d, q) = terms
    p, q = (parts.at(e, part.labels, order) for e in (p, q))
    gap = normal.add([(1, logs.plus(p, c)), (-1, logs.plus(q, d))], p.dims)
    if c == d:
        gap = normal.add([(1, p), (-1, q)], p.dims)
    coef = ONE
    if power.denominator == 1:
        coef = c ** int(power)
    else:
        p = logs.plus(p, c)
    return _Two(part, gap, normal.scaled(power, p), -power, coef, sigmoid=False)


@dataclass
class _Two:
    """A factor `coef · exp(shift) σ(gap)^k`."""

    part: Part
    gap: Node
    shift: Node
    k: Fraction
    coef: Fraction
    sigmoid: bool


def _by_gap(group: Sequence[_Two]) -> dict[Node, list[_Two]]:
    """Sort factors by their gap g; one of −g is turned round: `σ(−g)^k = exp(−k g) σ(g)^k`."""
    found: dict[Node, list[_Two]] = {}
    for two in group:
        turned = normal.scaled(-ONE, two.gap)
        if turned in found:
            two.shift = normal.add([(1, two.shift), (-two.k, turned)], turned.dims)
            two.gap = turned
        found.setdefault(two.gap, []).append(two)
    return found


def _resolved(e: Node, gaps: dict[Node, list[_Two]]) -> list[tuple[Node, Fraction]] | None:
    """Write `exp(e) Π exp(shift) σ(g)^k` with powers of σ(g) and σ(−g), or as one exponential.

    With K the sum of the powers of one gap, `exp(−β g) σ(g)^K = σ(g)^(K−β) σ(−g)^β`.  A root of a sigmoid
    would be 0 too soon, so it is not taken.
    """
    total = normal.add([(1, e), *((1, two.shift) for twos in gaps.values() for two in twos)], e.dims)
    factors: list[tuple[Node, Fraction]] = []
    rest = total
    for g, twos in gaps.items():
        k = sum((two.k for two in twos), Fraction(0))
        beta = -_share(rest, g)
        rest = normal.add([(1, rest), (beta, g)], e.dims)
        for power, arg in ((k - beta, g), (beta, normal.scaled(-ONE, g))):
            if power < 0 or 0 < power < 1:
                return [(_one_exponential(total, gaps), ONE)]
            factors.append((normal.entrywise("sigmoid", arg), power))
    if not normal.is_zero(rest):
        return [(_one_exponential(total, gaps), ONE)]
    return [(base, power) for base, power in factors if power]


def _one_exponential(total: Node, gaps: dict[Node, list[_Two]]) -> Node:
    terms: list[tuple[Fraction | int, Node]] = [(1, total)]
    for g, twos in gaps.items():
        k = sum((two.k for two in twos), Fraction(0))
        terms.append((-k, normal.entrywise("softplus", normal.scaled(-ONE, g))))
    return normal.entrywise("exp", normal.add(terms, total.dims))


def _share(node: Node, g: Node) -> Fraction:
    """Return how often g is in a linear form, by the first of its atoms."""
    have, own = _linear(node), _linear(g)
    first = min(own, key=lambda n: n.key)
    return have.get(first, Fraction(0)) / own[first]


def _linear(node: Node) -> dict[Node, Fraction]:
    """Return a linear form as its atoms with their coefficients."""
    if normal.is_zero(node):
        return {}
    coef, inner = scaling(node)
    return {n: coef * c for c, n in inner.terms} if isinstance(inner, Add) else {inner: coef}


def _atoms(node: Node) -> set[Node]:
    """Return what a linear form is made of."""
    return set(_linear(node))


def hyperbolic(parts: Parts) -> None:
    """`sinh(u)^a / cosh(u)^b = tanh(u)^c sinh(u)^(a−c) / cosh(u)^(b−c)`."""
    for low in [p for p in parts.list if p.exponent < 0 and isinstance(p.base, Map) and p.base.function == "cosh"]:
        for top in list(parts.list):
            same = isinstance(top.base, Map) and top.base.function == "sinh" and top.base.arg is low.base.arg
            if same and top.labels == low.labels and top.exponent > 0:
                times = Fraction(int(min(top.exponent, -low.exponent)))  # whole: sinh has either sign
                top.exponent -= times
                low.exponent += times
                parts.add(normal.entrywise("tanh", low.base.arg), times, low.labels)
    parts.remove([p for p in parts.list if p.exponent == 0])


def tangents(parts: Parts) -> bool:
    """`(exp p − exp q) / (exp p + exp q) = tanh((p − q) / 2)`; tell whether there was one."""
    found = False
    for low in [p for p in parts.list if divides(p) and isinstance(p.base, Add)]:
        for top in [p for p in parts.list if p.exponent > 0 and p.labels == low.labels and isinstance(p.base, Add)]:
            half = _half_difference(top.base, low.base)
            times = min(top.exponent, -low.exponent)
            if half is not None and times.denominator == 1:
                coef, arg = half
                top.exponent -= times
                low.exponent += times
                parts.coef *= coef ** int(times)
                parts.add(normal.entrywise("tanh", arg), times, low.labels)
                found = True
    parts.remove([p for p in parts.list if p.exponent == 0])
    return found


def _half_difference(top: Add, low: Add) -> tuple[Fraction, Node] | None:
    """Return (c, u) with `top = c tanh(u) low`, for two terms each, of equal size."""
    signs = {n: c for c, n in top.terms}
    (c, first), (d, second) = low.terms if len(low.terms) == 2 else ((ONE, low), (ONE, low))
    if len(top.terms) != 2 or set(signs) != {first, second} or c != d or signs[first] != -signs[second]:
        return None
    p, q = exponent(first), exponent(second)
    if p is None or q is None or p[0] != q[0]:
        return None
    gap = normal.add([(Fraction(1, 2), p[1]), (Fraction(-1, 2), q[1])], low.dims)
    sign = -1 if scaling(gap)[0] < 0 else 1
    return sign * signs[first] / c, normal.scaled(Fraction(sign), gap)


def odds(parts: Parts) -> None:
    """`σ(u) / σ(−u) = exp(u)`."""
    for low in [p for p in parts.list if p.exponent < 0 and isinstance(p.base, Map) and p.base.function == "sigmoid"]:
        mirror = normal.entrywise("sigmoid", normal.scaled(-ONE, low.base.arg))
        for top in list(parts.list):
            turned = parts.at(mirror, low.labels, top.labels) if set(low.labels) == set(top.labels) else None
            if top.exponent > 0 and len(set(top.labels)) == len(top.labels) and turned is top.base:
                times = min(top.exponent, -low.exponent)
                top.exponent -= times
                low.exponent += times
                parts.add(normal.entrywise("exp", normal.scaled(-ONE, low.base.arg)), times, low.labels)
    parts.remove([p for p in parts.list if p.exponent == 0])
