"""Polynomials in s = σ(u), taken apart so that they keep their relative accuracy on both sides.

`1 − s` is σ(−u), so that a polynomial is `P(s) = s^a (1 − s)^b Q(s)` with powers of σ(u) and of σ(−u) in
front of a Q that is not 0 at either end; `2 s − 1` is `tanh(u / 2)`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import reduce
from itertools import accumulate, zip_longest

from symderiv.code.parts import Parts, scaling
from symderiv.index import normal
from symderiv.index.graph import Add, Contraction, Map, Node, Pow

ONE = Fraction(1)
MOST_POWER = 12


def collected(node: Node, tangents: bool = True) -> Node:
    """Return a sum with its polynomials in a sigmoid taken apart into s, 1 − s and the rest."""
    coef, inner, labels = ONE, node, tuple(range(node.rank))
    if isinstance(node, Contraction) and not node.bound and len(node.factors) == 1:
        coef, (inner, labels) = node.coef, node.factors[0]
    for _ in range(4):
        if not isinstance(inner, Add):
            break
        new = next(
            (n for n in (_in_one(inner, u, tangents) for u in _sigmoid_arguments(inner)) if n is not inner), inner
        )
        if new is inner:
            break
        inner = new
    return normal.contract(coef, [(inner, labels)], range(node.rank), dict(enumerate(node.dims)))


Cofactor = tuple[tuple[Node, Fraction, tuple[int, ...]], ...]


def _sigmoid_arguments(node: Add) -> Iterator[tuple[Node, tuple[int, ...]]]:
    """Yield the argument and the axes of each sigmoid that is a factor of a term."""
    seen = set()
    for _, term in node.terms:
        for part in Parts.of(term).list:
            if isinstance(part.base, Map) and part.base.function == "sigmoid":
                place = (part.base.arg, part.labels)
                if place not in seen:
                    seen.add(place)
                    yield place


def _in_one(node: Add, place: tuple[Node, tuple[int, ...]], tangents: bool) -> Node:
    """Return the sum with its terms collected that are polynomials in one sigmoid, but for a common cofactor."""
    u, labels = place
    groups: dict[Cofactor, list[_Member]] = {}
    for c, term in node.terms:
        member, cofactor = _read_term(c, term, u, labels)
        groups.setdefault(cofactor, []).append(member)
    terms: list[tuple[Fraction, Node]] = []
    changed = False
    for cofactor, members in groups.items():
        new = _taken_apart(node, cofactor, members, u, labels, tangents) if len(members) > 1 else None
        changed = changed or new is not None
        terms += [(ONE, new)] if new is not None else [(m.coef, m.term) for m in members]
    return normal.add(terms, node.dims) if changed else node


@dataclass(frozen=True)
class _Member:
    """One term, `coef · term`, its polynomial with the coefficient, and the powers of s and 1 − s that it shows."""

    coef: Fraction
    term: Node
    polynomial: Polynomial
    shown: tuple[int, int]


def _read_term(coef: Fraction, term: Node, u: Node, labels: tuple[int, ...]) -> tuple[_Member, Cofactor]:
    parts = Parts.of(term)
    total: Polynomial = (coef * parts.coef,)
    shown, rest = [0, 0], []
    for p in parts.list:
        whole = p.labels == labels and p.exponent.denominator == 1 and 0 < p.exponent <= MOST_POWER
        factor = _polynomial(p.base, u) if whole and not parts.bound else None
        if factor is None or len(total) + (len(factor) - 1) * p.exponent > MOST_POWER + 1:
            rest.append(p)
            continue
        total = _times(total, _raised(factor, int(p.exponent)))
        for side, simple in enumerate((S, MIRROR)):
            shown[side] += int(p.exponent) if factor == simple else 0
    if parts.bound:  # a sum inside: nothing to collect
        return _Member(coef, term, (coef,), (0, 0)), ((term, ONE, ()),)
    rest.sort(key=lambda p: (p.base.key, p.labels))
    return _Member(coef, term, total, (shown[0], shown[1])), tuple((p.base, p.exponent, p.labels) for p in rest)


def _taken_apart(
    node: Add, cofactor: Cofactor, members: Sequence[_Member], u: Node, labels: tuple[int, ...], tangents: bool
) -> Node | None:
    """Return the sum of some terms as `cofactor · s^a (1 − s)^b Q(s)`; None where that is what they are."""
    total = reduce(_plus, (m.polynomial for m in members))
    if not any(total):
        return normal.number(0, node.dims)
    a, b, rest = _divided(total)
    tangent = tangents and len(rest) == 2 and rest[1] == -2 * rest[0]
    shown = (min(m.shown[0] for m in members), min(m.shown[1] for m in members))
    if (a, b) == shown and not tangent and len(rest) > 1:
        return None
    s, mirror = _sigmoids(u)
    factors = [(normal.power(base, e), at) for base, e, at in cofactor]
    factors += [(normal.power(s, a), labels), (normal.power(mirror, b), labels)]
    coef = ONE
    if tangent:
        sign = -1 if scaling(u)[0] < 0 else 1
        coef = -sign * rest[0]
        factors.append((normal.entrywise("tanh", normal.scaled(Fraction(sign, 2), u)), labels))
    else:
        factors.append((normal.add([(c, normal.power(s, k)) for k, c in enumerate(rest)], u.dims), labels))
    return normal.contract(coef, factors, range(node.rank), dict(enumerate(node.dims)))


# ---------------------------------------------------------------- polynomials: their coefficients, from the lowest


Polynomial = tuple[Fraction, ...]
S: Polynomial = (Fraction(0), ONE)
MIRROR: Polynomial = (ONE, -ONE)
TANGENT: Polynomial = (-ONE, Fraction(2))  # tanh(u / 2)
MIRRORED: Polynomial = (ONE, Fraction(-2))


def _sigmoids(u: Node) -> tuple[Node, Node]:
    return normal.entrywise("sigmoid", u), normal.entrywise("sigmoid", normal.scaled(-ONE, u))


def _polynomial(node: Node, u: Node) -> Polynomial | None:
    """Read a node as a polynomial in σ(u), all with the same axes."""
    value = normal.constant(node)
    if value is not None:
        return (value,)
    if node in _sigmoids(u):
        return S if node is _sigmoids(u)[0] else MIRROR
    if isinstance(node, Map) and node.function == "tanh":
        half = normal.scaled(Fraction(1, 2), u)
        return TANGENT if node.arg is half else MIRRORED if node.arg is normal.scaled(-ONE, half) else None
    total: Polynomial = ()
    match node:
        case Pow() if node.exponent.denominator == 1 and 0 < node.exponent <= MOST_POWER:
            inner = _polynomial(node.base, u)
            return None if inner is None else _within(_raised(inner, int(node.exponent)))
        case Add():
            for c, term in node.terms:
                part = _polynomial(term, u)
                if part is None:
                    return None
                total = _plus(total, tuple(c * x for x in part))
            return _within(total)
        case Contraction() if not node.bound and node.factors:
            total = (node.coef,)
            for f, at in node.factors:
                part = _polynomial(f, u) if at == tuple(range(node.rank)) else None
                if part is None:
                    return None
                total = _times(total, part)
            return _within(total)
    return None


def _within(polynomial: Polynomial) -> Polynomial | None:
    return polynomial if len(polynomial) <= MOST_POWER + 1 else None


def _plus(p: Polynomial, q: Polynomial) -> Polynomial:
    total = [x + y for x, y in zip_longest(p, q, fillvalue=Fraction(0))]
    while len(total) > 1 and total[-1] == 0:
        total.pop()
    return tuple(total)


def _times(p: Polynomial, q: Polynomial) -> Polynomial:
    total = [Fraction(0)] * (len(p) + len(q) - 1)
    for j, x in enumerate(p):
        for k, y in enumerate(q):
            total[j + k] += x * y
    return tuple(total)


def _raised(p: Polynomial, k: int) -> Polynomial:
    return reduce(_times, [p] * k, (ONE,))


def _divided(p: Polynomial) -> tuple[int, int, Polynomial]:
    """Return (a, b, q) with `p = s^a (1 − s)^b q`, a and b as large as they can be."""
    a = b = 0
    while p[0] == 0:
        p, a = p[1:], a + 1
    while len(p) > 1 and sum(p) == 0:
        p, b = tuple(accumulate(p[:-1])), b + 1
    return a, b, p
