"""Costs rank forms as a machine does, and sizes stand for what is usual."""

from __future__ import annotations

import pytest

from symderiv.code.costs import Costs, operations, representative
from symderiv.errors import ShapeError
from symderiv.tensor.parse import parse, scope_of

SCOPE = scope_of({"X": ("n", "p"), "A": ("n", "n"), "B": ("n", "n"), "w": ("p",), "y": ("n",), "x": ("n",)})


def cost(text, **sizes):
    expr = parse(text, SCOPE)
    return Costs(representative([expr], sizes)).total(expr)


@pytest.mark.parametrize(
    ("less", "more"),
    [
        ("A @ (B @ x)", "A @ B @ x"),
        ("A @ x + B @ x", "(A + B) @ x"),
        ("solve(A, x)", "inv(A) @ x"),
        ("X.T @ X", "X.T @ (2 * X)"),
        ("sum(A * B)", "trace(A.T @ B)"),
        ("X * y[:, None]", "diag(y) @ X"),
        ("A * B", "A * B.T"),
        ("tanh(X)", "where(X > 0, X, 0)"),
    ],
)
def test_what_is_faster_costs_less(less, more):
    assert cost(less, n=800) < cost(more, n=800)


def test_what_is_shared_is_paid_once():
    assert cost("tanh(A @ B) * (1 - tanh(A @ B)**2)") < 1.5 * cost("tanh(A @ B)")


def test_leading_sizes_are_large():
    sizes = {str(k): v for k, v in representative([parse("X @ w", SCOPE)]).items()}
    assert sizes["n"] > sizes["p"]


def test_given_sizes_are_taken():
    sizes = {str(k): v for k, v in representative([parse("X @ w", SCOPE)], {"p": 7}).items()}
    assert sizes["p"] == 7


@pytest.mark.parametrize("given", [{"q": 3}, {"n": 0}, {"n": -2}])
def test_sizes_that_are_none_are_refused(given):
    with pytest.raises(ShapeError):
        representative([parse("X @ w", SCOPE)], given)


@pytest.mark.parametrize(
    ("text", "count"),
    [("X @ w", "2*n*p"), ("X.T @ X", "n*p**2"), ("x @ y", "2*n"), ("inv(A)", "2*n**3"), ("X * y[:, None]", "n*p")],
)
def test_operations_are_counted(text, count):
    assert str(operations([parse(text, SCOPE)])) == count
