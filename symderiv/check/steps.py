"""Kinks of one number: `|f|`, `sign(f)` and `[f > 0]` where f is linear in one atom t, piece by piece.

Where it is not, t is all of f but a number.  They are written by the steps `[t > c]` and `[t < c]`, c a rational
number.  Laws, for every real t:

* `[t > c] [t > d] = [t > max(c, d)]`, `[t < c] [t < d] = [t < min(c, d)]`;
* `[t > c] [t < d]` is 0 for d ≤ c, and `[t > c] + [t < d] − 1` for c < d, as one of the two holds;
* `t [t < c] = t − t [t > c] − c (1 − [t > c] − [t < c])`: where neither holds, t is c.

Where t is a sum of terms, that law tells what its leading one is beside `[t < c]`.

So what is a polynomial in t on each of finitely many intervals has one form: clipping in two ways is the same.
"""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

from symderiv.check.canonical import UNIT, Exponent, Factor, Labels
from symderiv.check.orientation import oriented, scaled
from symderiv.check.products import ONE, Atom, Poly, Products, Work, add, factor, plain

KIND = "step"
Linear = tuple[Fraction, Fraction]  # a t + b


def sign(ring: Products, arg: Poly) -> Poly | None:
    """Return the sign of what is linear in one atom, piece by piece; nothing where it is not."""
    found = _pieces(ring, arg)
    if found is None:
        arg = _in_one(ring, arg)
        found = _pieces(ring, arg)
    if found is None:
        return None
    (t, labels), ends, pieces = found
    roots = {-b / a for (a, b), low, high in zip(pieces, [None, *ends], [*ends, None], strict=True) if a
             and (low is None or low < -b / a) and (high is None or -b / a < high)}  # fmt: skip
    ends = sorted({*ends, *roots})
    inside = [_sign(_value(ring, arg, x)) for x in _between(ends)]
    at = [_sign(_value(ring, arg, c)) for c in ends]
    parts: list[tuple[Exponent, Poly]] = [(inside[0], ONE)]
    for c, before, here, after in zip(ends, inside[:-1], at, inside[1:], strict=True):
        not_below = add([(1, ONE), (-1, step(ring, t, labels, c, -1))])
        parts += [(here - before, not_below), (after - here, step(ring, t, labels, c, 1))]
    return add(parts)


def step(ring: Products, t: Atom, labels: Labels, c: Fraction, side: int) -> Poly:
    """Return `[t > c]`, or `[t < c]` for the side −1."""
    return factor(ring.atom(KIND, (t.number, plain(c), side), (), t.symmetries), labels)


def _between(ends: list[Fraction]) -> list[Fraction]:
    """Return a number in each of the intervals that some numbers bound."""
    if not ends:
        return [Fraction(0)]
    return [ends[0] - 1, *((a + b) / 2 for a, b in pairwise(ends)), ends[-1] + 1]


def _sign(value: Fraction) -> int:
    return (value > 0) - (value < 0)


def _pieces(ring: Products, arg: Poly) -> tuple[tuple[Atom, Labels], list[Fraction], list[Linear]] | None:
    """Return the one atom that a polynomial is linear in, where its pieces end, and what it is on each."""
    seen: set[tuple[int, Labels]] = set()
    ends: set[Fraction] = set()
    for fixed, components in arg:
        degree = 0
        for n, labels, exponent in fixed:
            atom = ring.atoms[n]
            if atom.kind == KIND:
                seen.add((atom.data[0], labels))
                ends.add(Fraction(atom.data[1]))
            else:
                seen.add((n, labels))
                degree += 1
            if exponent != 1:
                return None
        if components or degree > 1:
            return None
    if len(seen) != 1:
        return None
    ((n, labels),) = seen
    bounds = sorted(ends)
    pieces = [_linear(ring, arg, x) for x in _between(bounds)]
    return (ring.atoms[n], labels), bounds, pieces


def _in_one(ring: Products, arg: Poly) -> Poly:
    """Return a polynomial as `a t + b`, its terms that are no number as one atom t; t is the same for f and −f."""
    varying = {mono: c for mono, c in arg.items() if mono != UNIT}
    if not varying or any(ring.atoms[n].kind == KIND for fixed, _ in varying for n, _, _ in fixed):
        return arg
    content, inner = oriented(ring, varying)
    return add([(content, ring.function("sum", "", [inner])), (arg.get(UNIT, 0), ONE)])


def _linear(ring: Products, arg: Poly, x: Fraction) -> Linear:
    """Return a and b of `a t + b`, what a polynomial is on the piece where x lies."""
    slope, start = Fraction(0), Fraction(0)
    for (fixed, _), coef in arg.items():
        steps = [ring.atoms[n] for n, _, _ in fixed if ring.atoms[n].kind == KIND]
        if all(_holds(s, x) for s in steps):
            if len(steps) < len(fixed):
                slope += coef
            else:
                start += coef
    return slope, start


def _value(ring: Products, arg: Poly, x: Fraction) -> Fraction:
    slope, start = _linear(ring, arg, x)
    return slope * x + start


def _holds(atom: Atom, x: Fraction) -> bool:
    _, c, side = atom.data
    return bool(x > c if side > 0 else x < c)


# ---------------------------------------------------------------- products


def simplified(ring: Products, work: Work) -> bool:
    """Apply a law between the steps of a product, and between a step and what it is one of; tell whether one did."""
    steps = [(n, at, e) for (n, at), e in work.powers.items() if ring.atoms[n].kind == KIND and e > 0]
    for k, (n, at, e) in enumerate(steps):
        if e != 1:
            work.powers[n, at] = 1
            return True
        t, _, side = ring.atoms[n].data
        other = next((o for o in steps[k + 1 :] if ring.atoms[o[0]].data[0] == t and o[1] == at), None)
        if other is not None:
            del work.powers[n, at], work.powers[other[0], other[1]]
            work.extra.append(_both(ring, (n, at, 1), other))
            return True
        lead = _leading(ring, t, at) if side < 0 else None
        if lead is not None and all(work.powers.get((m, ls), 0) >= p for m, ls, p in lead[0]):
            del work.powers[n, at]
            for m, ls, p in lead[0]:
                work.multiply(m, ls, -p)
            work.extra.append(_below(ring, (n, at, 1), *lead))
            return True
    return False


def _leading(ring: Products, t: int, labels: Labels) -> tuple[tuple[Factor, ...], Exponent, Poly] | None:
    """Return the factors of the leading term of t, its coefficient, and t; t itself where it is no sum of terms."""
    atom = ring.atoms[t]
    if atom.kind != "sum":
        return ((t, labels, 1),), 1, factor(atom, labels)
    whole = ring.instance(atom, labels)[0]
    terms = [m for m in whole if m[0] and not m[1] and all(e > 0 and int(e) == e for _, _, e in m[0])]
    if not terms:
        return None
    lead = max(terms, key=lambda m: (sum(e for _, _, e in m[0]), m))
    return lead[0], whole[lead], whole


def _both(ring: Products, one: Factor, other: Factor) -> Poly:
    """Return the product of two steps of the same t."""
    (_, c, side), (_, d, far) = (ring.atoms[f[0]].data for f in (one, other))
    if side == far:
        kept = one if (c > d) == (side > 0) else other
        return {((kept,), ()): 1}
    low, high = (c, d) if side > 0 else (d, c)
    return add([(1, {((one,), ()): 1}), (1, {((other,), ()): 1}), (-1, ONE)]) if low < high else {}


def _below(ring: Products, below: Factor, lead: tuple[Factor, ...], coef: Exponent, whole: Poly) -> Poly:
    """Return `m [t < c]`, m the leading term of t, by `[t > c]`, and by `[t < c]` beside other terms alone."""
    n, c, _ = ring.atoms[below[0]].data
    under: Poly = {((below,), ()): 1}
    above = step(ring, ring.atoms[n], below[1], Fraction(c), 1)
    rest = add([(1, whole), (-coef, {(lead, ()): 1})])
    parts = [(1, whole), (-1, ring.product([whole, above])), (-c, ONE), (c, above), (c, under)]
    return scaled(1 / Fraction(coef), add([*parts, (-1, ring.product([rest, under]))]))
