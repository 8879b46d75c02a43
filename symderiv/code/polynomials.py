"""Polynomials in s = σ(u), taken apart so that they keep their relative accuracy on both sides.

`1 − s` is σ(−u), so that a polynomial is `P(s) = s^a (1 − s)^b Q(s)` with powers of σ(u) and of σ(−u) in
front of a Q that is not 0 at either end; `2 s − 1` is `tanh(u / 2)`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction

from symderiv.code.parts import Parts, scaling
from symderiv.index import normal
from symderiv.index.graph import Add, Contraction, Map, Node

ONE = Fraction(1)
MOST_POWER = 12


def collected(node: Node) -> Node:
    """Return a sum with its polynomials in a sigmoid taken apart into s, 1 − s and the rest."""
    coef, inner, labels = ONE, node, tuple(range(node.rank))
    if isinstance(node, Contraction) and not node.bound and len(node.factors) == 1:
        coef, (inner, labels) = node.coef, node.factors[0]
    for _ in range(4):
        if not isinstance(inner, Add):
            break
        new = next((n for n in (_in_one(inner, u) for u in _sigmoid_arguments(inner)) if n is not inner), inner)
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


def _in_one(node: Add, place: tuple[Node, tuple[int, ...]]) -> Node:
    u, labels = place
    s, mirror = normal.entrywise("sigmoid", u), normal.entrywise("sigmoid", normal.scaled(-ONE, u))
    groups: dict[Cofactor, list[tuple[Fraction, Node, int, int]]] = {}
    others: list[tuple[Fraction, Node]] = []
    for c, term in node.terms:
        parts = Parts.of(term)
        powers, rest = [0, 0], []
        for p in parts.list:
            side = (p.base is mirror) if p.base in (s, mirror) and p.labels == labels else None
            if side is not None and p.exponent.denominator == 1 and p.exponent > 0:
                powers[side] += int(p.exponent)
            else:
                rest.append(p)
        key: Cofactor = tuple(
            (p.base, p.exponent, p.labels) for p in sorted(rest, key=lambda p: (p.base.key, p.labels))
        )
        if parts.bound or sum(powers) > MOST_POWER:
            others.append((c, term))
        else:
            groups.setdefault(key, []).append((c * parts.coef, term, powers[0], powers[1]))
    terms, changed = list(others), False
    for key, members in groups.items():
        new = _taken_apart(node, key, members, u, labels) if len(members) > 1 else None
        changed = changed or new is not None
        terms += [new] if new is not None else [(c, _bare(t)) for c, t, *_ in members]
    return normal.add(terms, node.dims) if changed else node


def _bare(term: Node) -> Node:
    if isinstance(term, Contraction) and term.coef != 1:
        return normal.scaled(1 / term.coef, term)
    return term


def _taken_apart(
    node: Add,
    cofactor: Cofactor,
    members: Sequence[tuple[Fraction, Node, int, int]],
    u: Node,
    labels: tuple[int, ...],
) -> tuple[Fraction, Node] | None:
    total = [Fraction(0)]
    for c, _, a, b in members:
        term = [Fraction(0)] * a + [ONE]
        for _ in range(b):
            term = [x - y for x, y in zip([*term, Fraction(0)], [Fraction(0), *term], strict=True)]
        size = max(len(total), len(term))
        total = [
            x + c * y
            for x, y in zip(
                total + [Fraction(0)] * (size - len(total)), term + [Fraction(0)] * (size - len(term)), strict=True
            )
        ]
    while len(total) > 1 and total[-1] == 0:
        total.pop()
    a = b = 0
    while total[0] == 0 and len(total) > 1:
        total, a = total[1:], a + 1
    while len(total) > 1 and sum(total) == 0:  # divide by 1 − s
        quotient, carry = [], Fraction(0)
        for c in total[:-1]:
            carry += c
            quotient.append(carry)
        total, b = quotient, b + 1
    if total == [0]:
        return ONE, normal.number(0, node.dims)
    low = (min(m[2] for m in members), min(m[3] for m in members))
    odd = len(total) == 2 and total[1] == -2 * total[0]
    if (a, b) == low and not odd and len(total) > 1:
        return None
    s, mirror = normal.entrywise("sigmoid", u), normal.entrywise("sigmoid", normal.scaled(-ONE, u))
    factors = [(normal.power(base, e), at) for base, e, at in cofactor]
    factors += [(normal.power(s, a), labels), (normal.power(mirror, b), labels)]
    coef = ONE
    if odd:
        coef = -total[0]
        sign = -1 if scaling(u)[0] < 0 else 1
        coef *= sign
        factors.append((normal.entrywise("tanh", normal.scaled(Fraction(sign, 2), u)), labels))
    else:
        rest = normal.add([(c, normal.power(s, k)) for k, c in enumerate(total)], u.dims)
        factors.append((rest, labels))
    return ONE, normal.contract(coef, factors, range(node.rank), dict(enumerate(node.dims)))
