"""Matrices the way round in which they are read: the same values, fewer transposes, nothing twice."""

from __future__ import annotations

import numpy as np
import pytest

from symderiv.code.compiled import compiled
from symderiv.code.costs import Costs, representative
from symderiv.code.numpy import Writer
from symderiv.code.oriented import once, oriented, signs_out
from symderiv.code.signs import is_nonnegative
from symderiv.code.source import Argument, Source
from symderiv.tensor.expr import walk
from symderiv.tensor.parse import parse, scope_of

SHAPES = {"A": ("m", "k"), "B": ("n", "k"), "C": ("m", "n"), "x": ("m",), "y": ("n",)}
SCOPE = scope_of(SHAPES)
rng = np.random.default_rng(2)
TEXTS = [
    "exp(A @ B.T) * (B @ A.T - x).T",
    "(B @ A.T).T * C + (tanh(B @ A.T) * y[:, None]).T",
    "softmax(A @ B.T, 1) * (B @ A.T / y[:, None]).T",
    "(C - A @ B.T) * (A @ B.T - C) * y",
    "(x[:, None] - C)**2 / exp(C - x[:, None])",
    "sum((B @ A.T - C.T)**2, 0) * sum((C - A @ B.T) * C, 1)",
]


def value(exprs, arrays):
    arguments = [Argument(k, v.shape) for k, v in SCOPE.names.items()]
    return compiled(Writer(Source("f", arguments, exprs, "f.")).module(), "f")(**arrays)


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("sizes", [{"m": 3, "n": 4, "k": 2}, {"m": 1, "n": 3, "k": 2}, {"m": 2, "n": 2, "k": 2}])
def test_values_stay(text, sizes):
    arrays = {k: rng.normal(size=[sizes[s] for s in shape]) for k, shape in SHAPES.items()}
    expr = parse(text, SCOPE)
    costs = Costs(representative([expr]))
    wanted = value([expr], arrays)
    for form in (once([expr]), oriented([expr], costs), signs_out([expr])):
        assert form[0].axes == expr.axes
        assert np.allclose(value(form, arrays), wanted)


@pytest.mark.parametrize("text", TEXTS)
def test_costs_do_not_grow(text):
    expr = parse(text, SCOPE)
    costs = Costs(representative([expr]))
    assert costs.total(oriented([expr], costs)[0]) <= costs.total(expr)


def test_a_product_and_its_transpose_are_one():
    (found,) = once([parse("exp(A @ B.T) * tanh(B @ A.T).T", SCOPE)])
    assert sum(e.op == "matmul" for e in walk(found)) == 1


def test_a_difference_and_its_negative_are_one():
    (found,) = once([parse("(C - x[:, None])**2 * exp(x[:, None] - C)", SCOPE)])
    assert sum(e.op == "sub" for e in walk(found)) == 1


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("C**2", True), ("C**3", False), ("exp(C) + 1", True), ("C", False), ("1 - tanh(C)**2", True),
        ("1 - C**2", False), ("sum(abs(C))", True), ("-exp(C)", False), ("maximum(C, 0)", True),
        ("softmax(C, 1)", True),
        ("1 - tanh(C)**(-2)", False), ("exp(x) - exp(x)", False), ("where(C > 0, C**2, 1)", True), ("C * C", True),
    ],
)  # fmt: skip
def test_what_is_never_negative(text, wanted):
    assert is_nonnegative(parse(text, SCOPE)) is wanted
