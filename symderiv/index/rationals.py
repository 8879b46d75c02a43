"""Rational numbers in the normal form: their common content, their powers, and functions at them, all exact."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from functools import reduce
from math import gcd, isqrt, lcm

from symderiv.errors import UnsupportedError

ONE, ZERO = Fraction(1), Fraction(0)


def common_content(coefs: Iterable[Fraction]) -> Fraction:
    """Return the greatest number of which all of these are integer multiples, up to their signs."""
    values = list(coefs)
    top = reduce(gcd, (abs(c.numerator) for c in values))
    low = reduce(lcm, (c.denominator for c in values))
    return Fraction(top, low)


def sign_of(value: Fraction) -> Fraction:
    """Return the sign of a number that is not 0."""
    return ONE if value > 0 else -ONE


def at_number(function: str, value: Fraction) -> Fraction | None:
    """Return the value of a function at a number, where it is a rational number that is known exactly."""
    if function in ("abs", "sign", "relu"):
        return {"abs": abs(value), "sign": Fraction((value > 0) - (value < 0)), "relu": max(value, ZERO)}[function]
    exact: dict[tuple[str, Fraction | int], int] = {
        ("exp", 0): 1, ("log", 1): 0, ("log1p", 0): 0, ("expm1", 0): 0, ("sin", 0): 0, ("cos", 0): 1, ("tan", 0): 0,
        ("arcsin", 0): 0, ("arctan", 0): 0, ("sinh", 0): 0, ("cosh", 0): 1, ("tanh", 0): 0,
    }  # fmt: skip
    known = exact.get((function, value))
    return None if known is None else Fraction(known)


def integer_power(coef: Fraction, exponent: int) -> Fraction:
    """Return an integer power of a number."""
    if coef == 0 and exponent < 0:
        raise UnsupportedError("division by 0")
    return coef**exponent


def exact_power(value: Fraction, exponent: Fraction) -> Fraction | None:
    """Return a rational power of a number; None where it is no rational number, or a very long one."""
    if exponent.denominator == 1:
        if abs(exponent) > 64 and abs(value) != 1 and value != 0:
            return None
        return integer_power(value, int(exponent))
    if exponent.denominator == 2 and value > 0:
        top, low = isqrt(value.numerator), isqrt(value.denominator)
        if top * top == value.numerator and low * low == value.denominator:
            return Fraction(top, low) ** exponent.numerator
    return None
