"""Kinks of one number, by steps: two expressions are found equal just where their values are."""

from __future__ import annotations

import random
from fractions import Fraction
from typing import Any

import pytest
import sympy

from symderiv import Sheet, dims, verify
from symderiv.check.facts import Facts
from symderiv.check.laws import Case
from symderiv.index.nodes import Apply, Choice, Context, Entry, Extreme, Index, Plus, Power, Sum, Tensor, Times

n = dims.symbol("n")
i = Index("i", n)
x = Entry(Tensor("x", n), i)
a = Entry(Tensor("a", n), i)
ONE, MINUS = sympy.Integer(1), sympy.Integer(-1)


def equal(left: Any, right: Any) -> bool:
    return Case(Facts(Context())).equal(left, right)


def number(value: object) -> Any:
    return sympy.Rational(str(value))


def value(expr: Any, at: Fraction) -> Fraction:
    match expr:
        case Entry():
            return at
        case Plus():
            return sum((value(e, at) for e in expr.args), Fraction(0))
        case Times():
            result = Fraction(1)
            for e in expr.args:
                result *= value(e, at)
            return result
        case Power():
            return value(expr.base, at) ** int(expr.exponent)
        case Extreme():
            return (max if expr.kind == "maximum" else min)(value(p, at) for p in expr.parts)
        case Choice():
            left, right, yes, no = expr.parts
            u, v = value(left, at), value(right, at)
            holds = {"<": u < v, "<=": u <= v, ">": u > v, ">=": u >= v}[expr.relation]
            return value(yes if holds else no, at)
        case Apply(name="abs"):
            return abs(value(expr.arg, at))
        case Apply(name="relu"):
            return max(value(expr.arg, at), Fraction(0))
        case Apply(name="sign"):
            u = value(expr.arg, at)
            return Fraction((u > 0) - (u < 0))
    return Fraction(int(expr.p), int(expr.q))


def linear(rng: random.Random, depth: int) -> Any:
    """Return what is linear in x, piece by piece."""
    if depth == 0:
        return rng.choice([x, Plus(x, number(rng.randrange(-2, 3))), Times(number(rng.choice((-2, -1, "1/2"))), x)])
    one, other = linear(rng, depth - 1), linear(rng, depth - 1)
    return rng.choice([
        Apply("abs", 0, one), Apply("relu", 0, one), Extreme("maximum", one, other), Extreme("minimum", one, other),
        Plus(one, Times(MINUS, other)), Choice(rng.choice(("<", "<=", ">", ">=")), one, number(1), other, one),
    ])  # fmt: skip


def polynomial(rng: random.Random) -> Any:
    parts = [linear(rng, rng.randrange(3)), Apply("sign", 0, linear(rng, 1)), number(rng.randrange(-1, 2)), x]
    return Plus(Times(rng.choice(parts), rng.choice(parts)), rng.choice(parts))


POINTS = [Fraction(k, 12) for k in range(-72, 73)]


def test_two_are_equal_just_where_their_values_are() -> None:
    """Pairs of one expression at kinks and between them; most differ, some only at a point or on a short interval."""
    rng = random.Random(3)
    found = {True: 0, False: 0}
    while found[True] < 12 or found[False] < 40:
        left, right = (polynomial(rng) for _ in range(2))
        if rng.random() < 0.5:  # the same, written in another way
            low, high = sorted((number(rng.randrange(-2, 1)), number(rng.randrange(1, 3))))
            clipped = Extreme("minimum", Extreme("maximum", left, low), high)
            above = Choice(">", left, high, high, left)
            right = Choice(rng.choice(("<", "<=")), left, low, rng.choice((low, low, left)), above)
            left = clipped
        same = all(value(left, at) == value(right, at) for at in POINTS)
        told = equal(left, right)
        assert not (told and not same), (left, right)
        found[same] += 1
        if _is_linear(left, right):
            assert told == same, (left, right)


def _is_linear(*exprs: Any) -> bool:
    """Tell whether every kink is where something linear in x is 0: products do not stand in kinks."""

    def products_inside(expr: Any, inside: bool) -> bool:
        if isinstance(expr, Times) and inside and sum(bool(e.atoms(Tensor)) for e in expr.args) > 1:
            return True
        kink = isinstance(expr, (Extreme, Choice)) or (isinstance(expr, Apply) and expr.name in ("abs", "relu", "sign"))
        return any(products_inside(e, inside or kink) for e in expr.args if isinstance(e, sympy.Expr))

    return not any(products_inside(e, False) for e in exprs)


def test_kinks_under_sums_and_beside_other_factors() -> None:
    clipped = Extreme("minimum", Extreme("maximum", x, MINUS), ONE)
    within = Choice("<", Apply("abs", 0, x), ONE, x, Apply("sign", 0, x))
    for around in (lambda e: Times(a, e), lambda e: Sum(Times(a, e, x), i), lambda e: Plus(e, a)):
        assert equal(around(clipped), around(within))
        assert not equal(around(clipped), around(Choice("<", Apply("abs", 0, x), ONE, x, ONE)))


def test_a_kink_of_two_numbers_stays_what_it_is() -> None:
    both = Plus(x, a)
    assert equal(Apply("abs", 0, both), Apply("abs", 0, Plus(a, x)))
    assert not equal(Apply("abs", 0, both), Plus(Apply("abs", 0, x), Apply("abs", 0, a)))


def test_a_kink_of_two_numbers_by_its_sides() -> None:
    apart = Plus(x, Times(MINUS, a))
    above = Choice(">", x, a, x, a)
    assert equal(above, Extreme("maximum", x, a))
    assert equal(Apply("relu", 0, apart), Extreme("maximum", apart, sympy.Integer(0)))
    assert equal(Plus(Apply("relu", 0, apart), Times(MINUS, Apply("relu", 0, Times(MINUS, apart)))), apart)
    tie = Choice(">", x, a, ONE, Choice("<", x, a, MINUS, sympy.Integer(0)))
    assert equal(Apply("sign", 0, apart), tie)
    assert not equal(Apply("sign", 0, apart), Choice(">", x, a, ONE, MINUS))
    assert not equal(above, Extreme("minimum", x, a))


HUBER = """
X: (n, d)
w: (d,)
y: (n,)
r = X @ w - y
assert diff(sum(where(abs(r) < 1, r**2 / 2, abs(r) - 0.5)), w) == X.T @ {claim}, "Huber"
"""


@pytest.mark.parametrize(
    ("claim", "status"),
    [("minimum(maximum(r, -1), 1)", "proved"), ("minimum(maximum(r, -1), 2)", "refuted"), ("sign(r)", "refuted")],
)
def test_the_slope_of_hubers_loss_is_the_residual_clipped(claim: str, status: str) -> None:
    (found,) = Sheet(HUBER.format(claim=claim)).claims
    assert (found.status, found.basis) == (status, "kernel" if status == "proved" else "")


@pytest.mark.parametrize(
    ("expr", "claim"),
    [
        ("sum(log(cosh(x)))", "tanh(x)"),
        ("-sum(log(sigmoid(-x)))", "sigmoid(x)"),
        ("sum(maximum(1 - x, 0)**2)", "-2 * maximum(1 - x, 0)"),
        ("sum(tan(x))", "1 / cos(x)**2"),
        ("sum(sin(x)**3)", "3 * cos(x) - 3 * cos(x)**3"),
    ],
)
def test_what_the_normal_form_does_not_know_the_kernel_is_asked(expr: str, claim: str) -> None:
    assert verify(expr, "x", claim, shapes={"x": ("n",)}).basis == "kernel"
    assert verify(expr, "x", f"{claim} + 1", shapes={"x": ("n",)}).status == "refuted"
