"""Sums collected over common denominators, and products joined: the value stays, the textbook's form comes out."""

from __future__ import annotations

import numpy as np
import pytest

from symderiv import derive
from symderiv.collecting import alternatives, collected
from symderiv.index import normal
from symderiv.index.expand import same
from symderiv.index.graph import walk
from symderiv.lift import lift
from symderiv.lower import lower
from symderiv.tensor.parse import parse, scope_of

SHAPES = {
    "A": ("n", "n"), "B": ("m", "m"), "C": ("n", "m"), "X": ("n", "m"), "Y": ("n", "m"), "W": ("n", "n"),
    "K": ("n", "n"), "x": ("n",), "y": ("n",), "c": ("n",), "t": ("n",), "z": ("m",), "w": ("m",),
    "a": (), "b": (), "p": (), "Q": ("n", "n"),
}  # fmt: skip
SIZES = {"n": 4, "m": 3}


def node_of(text):
    return lower(parse(text, scope_of(SHAPES))).node


FRACTIONS = [
    "c / (1 + abs(x)) - abs(x) * c / (1 + abs(x))**2",
    "1 / (1 + x @ y) - x @ y / (1 + x @ y)**2",
    "y / ((1 + y**2 / x**2) * x**2)",
    "(1 - t) / (1 - y) - t / y",
    "(1 - t) * (1 + y) + t * (y - 1)",
    "a * (a * X + b * Y) + b * (b * X + a * Y)",
    "X / sqrt(x @ x) - outer(x, X.T @ x) / (x @ x)**1.5",
    "outer(x, z) / (1 + a**2) + X / (1 + a**2)**2",
]


@pytest.mark.parametrize("text", FRACTIONS)
def test_every_alternative_has_the_value_of_the_sum(text):
    found = 0
    for part in walk(node_of(text)):
        for other in alternatives(part):
            assert other.dims == part.dims
            assert same(other, part), text
            found += other is not part
    assert found


@pytest.mark.parametrize("text", FRACTIONS)
def test_a_node_that_is_collected_is_not_looked_into_where_it_has_a_name(text):
    node = node_of(text)
    assert collected(node, {node}, normal.weight) is node


@pytest.mark.parametrize("text", FRACTIONS)
def test_collecting_never_makes_a_node_heavier_and_is_done_once(text):
    node = node_of(text)
    short = collected(node, (), normal.weight)
    assert normal.weight(short) <= normal.weight(node)
    assert collected(short, (), normal.weight) is short


TEXTBOOK = [
    ("c @ (x / (1 + abs(x)))", "x", {}, "c / (1 + abs(x))**2"),
    ("x @ inv(A) @ x / (1 + x @ inv(A) @ x)", "x", {"A": "positive_definite"},
     "2 * solve(A, x) / (1 + x @ solve(A, x))**2"),
    ("sum(arctan(y / x))", "x", {}, "-y / (x**2 + y**2)"),
    ("-sum(y * log(sigmoid(X @ w)) + (1 - y) * log(1 - sigmoid(X @ w)))", "w", {"y": "binary"},
     "X.T @ (sigmoid(X @ w) - y)"),
    ("mean((x - mean(x))**2)", "x", {}, "2 * (x - mean(x)) / n"),
    ("norm(X - mean(X, 0))**2", "X", {}, "2 * (X - mean(X, 0))"),
    ("norm(A - diag(diag(A)))**2", "A", {}, "2 * (A - diag(diag(A)))"),
    ("sum(vec(C) * ((kron(eye(m), A) + kron(B.T, eye(n))) @ vec(X)))", "X", {}, "A.T @ C + C @ B.T"),
    ("norm(Q @ x - y)**2", "x", {"Q": "orthogonal"}, "2 * (x - Q.T @ y)"),
    ("sum(where(a > 0, X, Y)**2)", "X", {}, "2 * where(a > 0, X, 0)"),
    ("sum(C * where(X > z, X**2, z))", "z", {}, "sum(where(X > z, 0, 1) * C, 0)"),
    ("c @ 2**x", "x", {}, "log(2) * c * 2**x"),
    ("c @ a**x", "x", {"a": "positive"}, "log(a) * c * a**x"),
    ("mean(x)", "x", {}, "ones(n) / n"),
    ("norm(outer(x, z))", "x", {}, "norm(z) * x / norm(x)"),
    ("sum(maximum(t * (c - x), (t - 1) * (c - x)))", "x", {"t": "probability"}, "0.5 + 0.5 * sign(x - c) - t"),
    ("y @ exp(-(x[:, None] - x[None, :])**2) @ y", "x", {},
     "-4 * sum(exp(-(x[:, None] - x)**2) * (x[:, None] - x) * y, 1) * y"),
    ("c @ log(x + sqrt(1 + x**2))", "x", {}, "c / sqrt(1 + x**2)"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "by", "assume", "result"), TEXTBOOK)
def test_results_as_a_textbook_has_them(text, by, assume, result):
    derivative = derive(text, by, shapes=SHAPES, assume=assume)
    assert str(derivative.result) == result
    derivative.proof.check()


def values(assume, seed=0):
    """Random inputs at some distance from kinks and from 0, sizes that differ."""
    rng = np.random.default_rng(seed)
    found = {k: 0.2 + 0.7 * rng.random(tuple(SIZES[d] for d in shape)) for k, shape in SHAPES.items()}
    found["A"] = found["A"] @ found["A"].T + np.eye(SIZES["n"])
    found["Q"] = np.linalg.qr(found["Q"])[0]
    return {k: np.round(v) if assume.get(k) == "binary" else v for k, v in found.items()}


@pytest.mark.parametrize(("text", "by", "assume", "result"), TEXTBOOK)
def test_the_textbook_form_is_the_slope(text, by, assume, result, evaluate, slope_of):
    at = values(assume)
    shapes = " ".join(f"{k}({','.join(shape)})" for k, shape in SHAPES.items())
    want = slope_of(lambda given: evaluate(text, shapes, given), at, by, h=1e-4)
    np.testing.assert_allclose(evaluate(result, shapes, at), want, rtol=1e-6, atol=1e-7)


def test_fractions_of_different_sums_meet_only_where_that_is_shorter():
    text = "c / (1 + x**2) + t / (1 + y**2)"
    assert collected(node_of(text), (), lambda n: lift(n).weight) is node_of(text)


def test_a_difference_and_its_transpose_are_one_node_up_to_the_sign():
    assert node_of("exp(-(x[:, None] - x[None, :])**2)") is node_of("exp(-(x[None, :] - x[:, None])**2)")
    assert node_of("K * (x[:, None] - x[None, :])") is normal.scaled(-1, node_of("K * (x[None, :] - x[:, None])"))
    assert normal.is_zero(node_of("diag(x[:, None] - x[None, :])"))
    assert node_of("x[:, None] + x[None, :]") is not normal.scaled(-1, node_of("x[:, None] + x[None, :]"))


def test_roots_of_products_split_where_no_factor_is_negative():
    assert node_of("sqrt((x @ x) * (y @ y))") is node_of("norm(x) * norm(y)")
    assert node_of("sqrt((x @ y) * (c @ t))") is not node_of("sqrt(x @ y) * sqrt(c @ t)")  # both may be negative
