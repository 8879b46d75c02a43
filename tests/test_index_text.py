"""Index expressions as text: brackets where they are needed, and the text is read again."""

from __future__ import annotations

import pytest
import sympy

from symderiv import Sheet
from symderiv.index.nodes import (
    Apply,
    Choice,
    Delta,
    Derivative,
    Entry,
    Extreme,
    Index,
    Plus,
    Power,
    Sum,
    Tensor,
    Times,
)
from symderiv.index.text import index_text

n = sympy.Symbol("n", integer=True, positive=True)
i, j, k_ = Index("i", n), Index("j", n), Index("k_", n)
A, x, E = Tensor("A", n, n), Tensor("x", n), Tensor("E")
AIJ, XI, XJ = Entry(A, i, j), Entry(x, i), Entry(x, j)
ONE, TWO, HALF = sympy.Integer(1), sympy.Integer(2), sympy.Rational(1, 2)
TABLE = [
    (AIJ, "A[i, j]"),
    (Entry(E), "E"),
    (Entry(x, k_), "x[k_]"),
    (Delta(i, j), "delta[i, j]"),
    (Times(XI, XJ), "x[i] * x[j]"),
    (Times(Plus(XI, XJ), AIJ), "(x[i] + x[j]) * A[i, j]"),
    (Times(-ONE, XI), "-x[i]"),
    (Times(HALF, XI), "1/2 * x[i]"),
    (Plus(XI, Times(-ONE, XJ)), "x[i] - x[j]"),
    (Times(XJ, Power(XI, -ONE)), "x[j] / x[i]"),
    (Times(XJ, Power(Plus(ONE, XI), -TWO)), "x[j] / (1 + x[i])**2"),
    (Times(XJ, Power(Times(XI, XJ), -ONE)), "x[j] / (x[i] * x[j])"),
    (Power(XI, TWO), "x[i]**2"),
    (Power(Times(XI, XJ), TWO), "(x[i] * x[j])**2"),
    (Power(Power(XI, TWO), HALF), "(x[i]**2)**(1/2)"),
    (Sum(Times(AIJ, XJ), j), "sum[j](A[i, j] * x[j])"),
    (Sum(AIJ, i, j), "sum[i, j](A[i, j])"),
    (Apply("exp", 0, XI), "exp(x[i])"),
    (Choice(">", XI, XJ, ONE, TWO), "where(x[i] > x[j], 1, 2)"),
    (Extreme("maximum", XI, XJ), "maximum(x[i], x[j])"),
]  # fmt: skip


@pytest.mark.parametrize(("expr", "text"), TABLE, ids=[row[1] for row in TABLE])
def test_text(expr, text):
    assert index_text(expr) == text


@pytest.mark.parametrize("text", [row[1] for row in TABLE])
def test_the_text_is_read_again(text):
    """0 · A[i,j] gives every index a range."""
    block = f"A: (n, n)\nx: (n,)\nE: ()\nassert {text} + 0 * A[i,j] * x[k_] == {text} + 0 * A[i,j] * x[k_]"
    assert Sheet(block).claims[0].status == "proved"


@pytest.mark.parametrize(
    ("expr", "text"),
    [
        (Derivative(Entry(E), AIJ), "diff(E, A[i, j])"),
        (Apply("h", 2, XI), "diff(h, 2)(x[i])"),
        (Entry(Tensor("A.T", n, n), j, i), "(A.T)[j, i]"),
    ],
)
def test_derivatives_and_heads_that_are_no_names(expr, text):
    assert index_text(expr) == text


@pytest.mark.parametrize(
    ("expr", "same"),
    [
        (Times(XI, Times(-ONE, XJ)), "-x[i] * x[j]"),
        (Times(XI, Power(XJ, -ONE), XI), "x[i] * x[i] / x[j]"),
        (Plus(XI, Times(-ONE, Plus(XI, XJ))), "-x[j]"),
        (Plus(XI, Plus(Times(-ONE, XJ), XI)), "2 * x[i] - x[j]"),
        (Times(TWO, Power(XI, TWO)), "2 * x[i]**2"),
        (Power(Times(-ONE, XI), TWO), "x[i]**2"),
        (Times(-ONE, Power(XI, TWO)), "-x[i]**2"),
        (Power(XI, Times(-ONE, TWO)), "1 / x[i]**2"),
        (Times(-ONE, Plus(XI, Times(-ONE, XJ))), "x[j] - x[i]"),
    ],
    ids=lambda v: v if isinstance(v, str) else "",
)
def test_brackets_keep_the_value(expr, same):
    text = index_text(expr)
    block = f"x: (n,)\nassert {text} + 0 * x[i] * x[j] == {same} + 0 * x[i] * x[j]"
    assert Sheet(block).claims[0].status == "proved", text
