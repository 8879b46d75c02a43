"""Comparisons, as the first argument of `where`.

The language has `where` over one of `<`, `<=`, `>`, `>=`; whatever else is asked is put together from these:
`where(a and b, x, y) = where(a, where(b, x, y), y)`.
"""

from __future__ import annotations

from dataclasses import dataclass

from symderiv.tensor.expr import Expr
from symderiv.tensor.operations import apply
from symderiv.tensor.parse import number


@dataclass(frozen=True)
class Relation:
    """One comparison, entrywise."""

    sign: str
    left: Expr
    right: Expr


@dataclass(frozen=True)
class Both:
    """Two tests that must both hold."""

    first: Test
    second: Test


@dataclass(frozen=True)
class Not:
    """A test that must not hold."""

    test: Test


Test = Relation | Both | Not


def either(first: Test, second: Test) -> Test:
    """Return the test that one of two holds."""
    return Not(Both(Not(first), Not(second)))


def equal(left: Expr, right: Expr) -> Test:
    """Return the test that two sides are equal."""
    return Both(Relation("<=", left, right), Relation(">=", left, right))


def where(test: Test, yes: Expr, no: Expr) -> Expr:
    """Return `yes` where the test holds, `no` elsewhere.

    >>> where(Not(Relation("<", number(1), number(2))), number(3), number(4))
    where(<, number(1), number(2), number(4), number(3))
    """
    match test:
        case Relation(sign, left, right):
            return apply("where", left, right, yes, no, data=(sign,))
        case Both(first, second):
            return where(first, where(second, yes, no), no)
        case Not(inner):
            return where(inner, no, yes)


def indicator(test: Test) -> Expr:
    """Return 1 where the test holds, 0 elsewhere."""
    return where(test, number(1), number(0))
