"""Numbers taken out of a polynomial, so that f and its multiples are told by one."""

from __future__ import annotations

from fractions import Fraction
from math import gcd, lcm

from symderiv.check.canonical import Exponent
from symderiv.check.products import Poly, Products, plain


def content_of(poly: Poly) -> Exponent:
    """Return the positive number that leaves integers without a common divisor."""
    values = [Fraction(c) for c in poly.values()]
    return plain(Fraction(gcd(*(abs(v.numerator) for v in values)), lcm(*(v.denominator for v in values))))


def oriented(ring: Products, poly: Poly) -> tuple[Exponent, Poly]:
    """Return a number and the polynomial without it, one and the same for f and −f: more of its terms are positive."""
    content = content_of(poly)
    inner = scaled(1 / Fraction(content), poly)
    opposite = scaled(-1, inner)
    balance = sum(1 if c > 0 else -1 for c in poly.values())
    if balance < 0 or (not balance and ring.template([opposite])[0] < ring.template([inner])[0]):
        return -content, opposite
    return content, inner


def size_of(value: Exponent) -> Exponent:
    """Return a number without its sign."""
    return value if value >= 0 else -value


def scaled(value: Exponent, poly: Poly) -> Poly:
    """Return a multiple of a polynomial."""
    return poly if value == 1 else {m: plain(value * c) for m, c in poly.items()} if value != 0 else {}
