"""Logarithms of products and powers: laws where every factor is known, and near misses."""

from __future__ import annotations

import pytest
import sympy

from symderiv import dims, verify
from symderiv.check.facts import Facts
from symderiv.check.laws import Case
from symderiv.index.nodes import Apply, Context, Entry, Index, Plus, Power, Sum, Tensor, Times

n = dims.symbol("n")
i = Index("i", n)
MINUS, ONE, TWO, SIX = (sympy.Integer(v) for v in (-1, 1, 2, 6))
TRAITS = {name: frozenset({"positive"}) for name in "pq"}
p, q, t, u = (Entry(Tensor(name)) for name in "pqtu")
x = Entry(Tensor("x", n), i)


def equal(left, right):
    return Case(Facts(Context(traits=TRAITS))).equal(left, right)


def log(e):
    return Apply("log", 0, e)


def test_of_a_product():
    assert equal(log(Times(SIX, p, Power(q, -TWO))), Plus(log(TWO), log(SIX / 2), log(p), Times(-TWO, log(q))))
    assert equal(log(Times(p, t)), Plus(log(p), log(t)))
    assert equal(log(Times(p, Plus(p, t))), Plus(log(p), log(Plus(p, t))))
    assert equal(log(Plus(Times(TWO, p), TWO)), Plus(log(TWO), log(Plus(ONE, p))))
    for other in (Plus(log(t), log(u)), log(t), log(u)):  # both may be below 0
        assert not equal(log(Times(t, u)), other)
    assert not equal(log(Plus(p, q)), Plus(log(p), log(q)))


def test_of_a_power():
    assert equal(log(Power(t, MINUS)), Times(MINUS, log(t)))
    assert equal(log(Power(t, TWO)), Times(TWO, log(Apply("abs", 0, t))))
    assert equal(log(Power(p, t)), Times(t, log(p)))
    assert equal(log(Apply("exp", 0, t)), t)
    assert not equal(log(Power(t, TWO)), Times(TWO, log(t)))  # t may be below 0
    assert not equal(log(Power(t, u)), Times(u, log(t)))


def test_of_what_is_never_positive():
    assert not equal(log(Times(MINUS, p)), log(p))
    assert equal(log(Times(MINUS, p, t)), Plus(log(p), log(Times(MINUS, t))))


def test_back_again():
    assert equal(Apply("exp", 0, Times(t, log(p))), Power(p, t))
    assert equal(Apply("exp", 0, Plus(log(p), log(q))), Times(p, q))
    assert equal(
        Apply("exp", 0, Sum(Plus(log(Power(p, MINUS)), x), i)),
        Times(Power(p, Times(MINUS, n)), Apply("exp", 0, Sum(x, i))),
    )


@pytest.mark.parametrize(
    ("expr", "claim", "wrong"),
    [
        ("sum(x * log(x / y))", "log(x) - log(y) + 1", "log(x) - log(y)"),
        ("sum(x * log(x)) - sum(x) * log(sum(x))", "log(x / sum(x))", "log(x) - sum(x)"),
        ("sum(x**c)**(1 / c)", "(x / sum(x**c)**(1 / c))**(c - 1)", "(x / sum(x**c))**(c - 1)"),
        ("sum((x * y)**c)", "c * x**(c - 1) * y**c", "c * (x * y)**(c - 1)"),
        ("exp(mean(log(x)))", "prod(x)**(1 / n) / (n * x)", "prod(x)**(1 / n) / x"),
    ],
)
def test_claims_that_need_them(expr, claim, wrong):
    given = {"shapes": {"x": ("n",), "y": ("n",), "c": ()}, "assume": {"x": "positive", "y": "positive"}}
    found = verify(expr, "x", claim, **given)
    assert (found.status, found.basis) == ("proved", "kernel")
    assert verify(expr, "x", wrong, **given).status == "refuted"
