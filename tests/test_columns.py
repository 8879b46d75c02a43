"""Vectors as columns and rows: the shape of `v[:, None]`, and shorter words where a matrix has it already."""

from __future__ import annotations

import numpy as np
import pytest

from symderiv import derive, verify
from symderiv.columns import along_the_last, column, outer, row, with_ones
from symderiv.index.expand import same
from symderiv.lower import lower
from symderiv.tensor.operations import apply
from symderiv.tensor.parse import parse, scope_of
from symderiv.tensor.text import to_text

SHAPES = {"X": ("n", 1), "Y": (1, "m"), "M": (1, 1), "C": ("n", "m"), "x": ("n",), "y": ("m",), "a": ()}
SCOPE = scope_of(SHAPES)


def read(text):
    return parse(text, SCOPE)


@pytest.mark.parametrize(
    ("vector", "standing", "lying"),
    [
        ("x", "x[:, None]", "x[None, :]"),
        ("sum(X, 1)", "X", "X.T"),
        ("sum(Y, 0)", "Y.T", "Y"),
        ("C @ sum(Y, 0)", "C @ Y.T", "Y @ C.T"),
        ("sum(X, 1) @ C", "C.T @ X", "X.T @ C"),
        ("exp(sum(X, 1))", "exp(X)", "exp(X.T)"),
        ("a * sum(X, 1)", "a * X", "a * X.T"),
        ("sum(C, 1)", "sum(C, 1)[:, None]", "sum(C, 1)[None, :]"),  # no axis of size 1
    ],
)
def test_a_column_and_a_row(vector, standing, lying):
    v = read(vector)
    for made, text, plain in ((column(v), standing, (False, True)), (row(v), lying, (True, False))):
        assert to_text(made) == text
        written = apply("newaxis", v, data=(plain,))
        assert made.shape == written.shape
        assert same(lower(made).node, lower(written).node)


@pytest.mark.parametrize(
    ("left", "right", "text"),
    [
        ("sum(X, 1)", "sum(Y, 0)", "X @ Y"),
        ("x", "sum(Y, 0)", "outer(x, sum(Y, 0))"),
        ("ones(1)", "y", "y[None, :]"),
        ("sum(X, 1)", "ones(1)", "X"),
    ],
)
def test_an_outer_product(left, right, text):
    made = outer(read(left), read(right))
    assert to_text(made) == text
    assert same(lower(made).node, lower(apply("outer", read(left), read(right))).node)


def test_along_rows_a_vector_stays_one_unless_a_row_is_shorter():
    assert to_text(along_the_last(read("y"))) == "y"
    assert to_text(along_the_last(read("sum(Y, 0)"))) == "Y"


def test_axes_of_size_1_are_put_in():
    assert with_ones(read("C"), (False, True, False)).shape == (*read("C").shape[:1], 1, *read("C").shape[1:])
    assert to_text(with_ones(read("C"), (False, False, True))) == "C[:, :, None]"


RESULTS = [
    ("sum(C * (X * Y))", "X", "C @ Y.T", lambda X, Y, C: C @ Y.T),
    ("sum(C * (X * Y))", "Y", "X.T @ C", lambda X, Y, C: X.T @ C),
    ("sum(C * (X + Y)**2)", "Y", None, lambda X, Y, C: 2 * (C * (X + Y)).sum(0)[None, :]),
    ("sum(C * (X + Y)**2)", "X", None, lambda X, Y, C: 2 * (C * (X + Y)).sum(1)[:, None]),
    ("sum(exp(X @ Y))", "X", None, lambda X, Y, C: np.exp(X @ Y) @ Y.T),
]


@pytest.mark.parametrize(("expr", "by", "text", "truth"), RESULTS)
def test_derivatives_over_axes_of_size_1(expr, by, text, truth):
    shapes = {name: SHAPES[name] for name in "XYC"}
    d = derive(expr, by, shapes=shapes)
    assert text is None or str(d.result) == text
    assert "ones" not in str(d.result)
    rng = np.random.default_rng(3)
    values = {"X": rng.normal(size=(3, 1)), "Y": rng.normal(size=(1, 4)), "C": rng.normal(size=(3, 4))}
    used = {name: values[name] for name in values if name in expr}
    assert d.compile()(**used) == pytest.approx(truth(**values))
    d.proof.check()


@pytest.mark.parametrize(
    ("expr", "by", "claim"),
    [
        ("sum(C * (X * Y))", "X", "C @ sum(Y, 0)[:, None]"),
        ("trace(X.T @ X)", "X", "2 * X"),
        ("logdet(M)", "M", "1 / M"),  # a 1×1 matrix is a number
        ("sum(M) * det(M)", "M", "2 * M"),
    ],
)
def test_an_index_with_one_value_is_any_other(expr, by, claim):
    names = {name: SHAPES[name] for name in SHAPES if name in expr}
    assume = {"M": "invertible"} if "M" in names else None
    verdict = verify(expr, by, claim, shapes=names, assume=assume)
    assert verdict.status == "proved"
    verdict.derivation.proof.check()


def test_a_claim_over_axes_of_size_1_that_is_false_is_refuted():
    verdict = verify("sum(C * (X * Y))", "X", "sum(C * Y, 1)[:, None] * X", shapes={k: SHAPES[k] for k in "XYC"})
    assert verdict.status == "refuted"
