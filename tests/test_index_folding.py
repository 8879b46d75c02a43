"""Results folded back into the known functions: textbook forms, their values, proofs and claims."""

from __future__ import annotations

import numpy as np
import pytest

from symderiv import derive, verify
from symderiv.index.folding import folded
from symderiv.index.graph import Defined, walk
from symderiv.lower import lower
from symderiv.tensor.parse import parse, scope_of

SHAPES = "X(m,n) Y(m,n) T(m,n,p) x(n) y(n) w(n) u(n) b() s()"

# function, variable, the textbook's form, assumptions
BOOK = [
    ("u @ log(1 + exp(x))", "x", "u * sigmoid(x)", {}),
    ("u @ (1 / (1 + exp(-x)))", "x", "u * (1 - sigmoid(x)) * sigmoid(x)", {}),
    ("sum(log1p(exp(-y * x)))", "x", "-y * sigmoid(-y * x)", {}),
    ("sum(sigmoid(x) + sigmoid(-x))", "x", "zeros(n)", {}),
    ("sum(y * log1p(exp(-x)) + (1 - y) * log1p(exp(x)))", "x", "sigmoid(x) - y", {"y": "binary"}),
    (
        "-sum(y * log(sigmoid(X.T @ w)) + (1 - y) * log(1 - sigmoid(X.T @ w)))",
        "w",
        "X @ (sigmoid(X.T @ w) - y)",
        {"y": "binary"},
    ),
    ("sum(log(cosh(X @ x)))", "x", "X.T @ tanh(X @ x)", {}),
    ("u @ log(cosh(x))", "x", "u * tanh(x)", {}),
    ("log(sum(exp(X @ x)))", "x", "X.T @ softmax(X @ x, 0)", {}),
    ("b * log(sum(exp(X @ x / b)))", "x", "X.T @ softmax(X @ x / b, 0)", {}),
    ("sum(log(sum(exp(X), 1)))", "X", "softmax(X, 1)", {}),
    ("sum(log(sum(exp(X), 0)))", "X", "softmax(X, 0)", {}),
    ("logsumexp(X)", "X", "exp(X - logsumexp(X))", {}),
    ("logsumexp(T)", "T", "exp(T - logsumexp(T))", {}),
    ("sum(softmax(x, 0))", "x", "zeros(n)", {}),
    ("-sum(Y * log(softmax(X, 1)))", "X", "softmax(X, 1) - Y", {"Y": "one_hot_rows"}),
    ("-sum(Y * log(softmax(X, 1)))", "X", "softmax(X, 1) - Y", {"Y": "simplex_rows"}),
    ("-y @ log(softmax(x, 0))", "x", "softmax(x, 0) - y", {"y": "simplex"}),
    ("sum(y**2 * x**2)", "x", "2 * x", {"y": "signs"}),
    ("sum(x**2 / y)", "x", "2 * y * x", {"y": "signs"}),
    ("sum(y**3 * x)", "x", "y", {"y": "binary"}),
    ("sum((1 - y)**2 * x)", "x", "1 - y", {"y": "binary"}),
]
NAMES = [f"{f} in {x}" for f, x, *_ in BOOK]


def shapes_for(function: str) -> str:
    """The variable of the logistic loss has as many entries as X has rows."""
    return SHAPES.replace("w(n)", "w(m)") if "w" in function else SHAPES


@pytest.mark.parametrize(("function", "x", "book", "assume"), BOOK, ids=NAMES)
def test_the_result_is_the_form_of_the_textbook(function, x, book, assume, shapes_of):
    d = derive(function, x, shapes=shapes_of(shapes_for(function)), assume=assume)
    scope = scope_of(shapes_of(shapes_for(function)), assume)
    assert lower(parse(str(d.result), scope)).node is lower(parse(book, scope)).node
    assert len(str(d.result)) <= len(book)


@pytest.mark.parametrize(("function", "x", "book", "assume"), BOOK, ids=NAMES)
def test_it_has_the_value_of_the_derivative(function, x, book, assume, shapes_of, arrays, evaluate, slope_of):
    shapes = shapes_for(function)
    d = derive(function, x, shapes=shapes_of(shapes), assume=assume)
    given = arrays(shapes, {**assume, "b": "positive"})
    given |= {name: values(assume[name], given[name]) for name in assume}
    want = slope_of(lambda at: evaluate(function, shapes, at), given, x)
    np.testing.assert_allclose(evaluate(str(d.result), shapes, given), want, rtol=1e-7, atol=1e-7)


def values(trait: str, z: np.ndarray) -> np.ndarray:
    """Values that fulfil an assumption, made of any numbers."""
    if trait == "one_hot_rows":
        return np.eye(z.shape[-1])[z.argmax(axis=-1)]
    if trait.startswith("simplex"):
        return np.abs(z) / np.abs(z).sum(axis=-1, keepdims=True)
    return np.where(z > 0, 1.0, -1.0 if trait == "signs" else 0.0)


@pytest.mark.parametrize(("function", "x", "book", "assume"), BOOK, ids=NAMES)
def test_the_kernel_proves_it(function, x, book, assume, shapes_of):
    shapes = shapes_of(shapes_for(function))
    d = derive(function, x, shapes=shapes, assume=assume)
    d.proof.check()
    v = verify(function, x, book, shapes=shapes, assume=assume)
    assert (v.status, v.basis) == ("proved", "kernel")


@pytest.mark.parametrize(
    ("function", "claim"),
    [
        ("u @ log(1 + exp(x))", "u * sigmoid(-x)"),
        ("log(sum(exp(x)))", "exp(x) / (1 + sum(exp(x)))"),
        ("logsumexp(X)", "softmax(X, 1)"),
        ("logsumexp(X)", "exp(X - logsumexp(X, 1)[:, None])"),
        ("sum(log(cosh(x)))", "cosh(x) / sinh(x)"),
        ("-y @ log(softmax(x, 0))", "softmax(x, 0) - y"),  # y does not sum to 1
        ("sum(y**2 * x)", "ones(n)"),  # y is no sign
        ("u @ softplus(x)", "u * exp(x + softplus(x))"),
        ("u @ softplus(x)", "u * exp(x - softplus(-x))"),
    ],
)
def test_what_looks_like_it_is_refuted(function, claim, shapes_of):
    x = "X" if "X" in function else "x"
    assert verify(function, x, claim, shapes=shapes_of(SHAPES)).status == "refuted"


@pytest.mark.parametrize(
    ("function", "claim"),
    [
        ("u @ softplus(x)", "u * exp(x - softplus(x))"),
        ("u @ softplus(x)", "u / exp(softplus(x) - x)"),
        ("u @ log(1 + exp(x))", "u * (1 - 1 / (1 + exp(x)))"),
        ("sum(logsumexp(X, 1))", "exp(X - log(sum(exp(X), 1))[:, None])"),
        ("sum(logsumexp(X, 0))", "exp(X - logsumexp(X, 0))"),
        ("logsumexp(X)", "exp(X) / sum(exp(X))"),
        ("sum(tanh(x))", "1 / cosh(x)**2"),
    ],
)
def test_other_writings_are_proved(function, claim, shapes_of):
    x = "X" if "X" in function else "x"
    assert verify(function, x, claim, shapes=shapes_of(SHAPES)).status == "proved"


def test_second_derivatives_start_from_the_short_form(shapes_of):
    shapes = shapes_of(shapes_for("w"))
    function, _, _, assume = next(c for c in BOOK if "log(sigmoid" in c[0])
    d = derive(function, ["w", "w"], shapes=shapes, assume=assume)
    wanted = parse("(X * (sigmoid(X.T @ w) * (1 - sigmoid(X.T @ w)))) @ X.T", scope_of(shapes, assume))
    assert lower(parse(str(d.result), scope_of(shapes, assume))).node is lower(wanted).node
    d.proof.check()


@pytest.mark.parametrize(
    ("function", "x", "trait", "result"),
    [
        ("sum(y**2 * x)", "y", "signs", "2 * y * x"),
        ("sum(y**2 * x)", "y", "binary", "2 * y * x"),
        ("y @ y * sum(y)", "y", "simplex", "2 * y + y @ y"),
        ("sum(y)**2", "y", "simplex", "2 * ones(n)"),
    ],
)
def test_values_are_used_after_the_last_derivative_only(function, x, trait, result, shapes_of):
    """`y² = 1` holds at the point, and the derivative in y is taken through points where it does not."""
    d = derive(function, x, shapes=shapes_of(SHAPES), assume={"y": trait})
    assert str(d.result) == result
    d.proof.check()
    again = derive(function, [x, x], shapes=shapes_of(SHAPES), assume={"y": trait})
    assert str(again.result) != "zeros(n, n)"
    again.proof.check()


def test_the_assumption_is_named(shapes_of):
    d = derive("sum(y**2 * x**2)", "x", shapes=shapes_of(SHAPES), assume={"y": "signs"})
    assert "Assumed: y signs." in d.notes


FORMULAS = [
    "exp(x) / (1 + exp(x))",
    "exp(-x) / (1 + exp(-x))**2 - sigmoid(x)",
    "X.T @ (exp(X @ x) / sum(exp(X @ x)))",
    "exp(X)**2 / sum(exp(X), 1)[:, None]**2",
    "sigmoid(X) * sigmoid(-X) + log(1 + exp(X))",
    "sinh(x)**2 / cosh(x)**3 * y",
    "cosh(x) / sinh(x)",
    "exp(x) * sum(exp(x))",
    "exp(x) / sum(exp(2 * x))",
    "where(x > 0, x, 0)",
]


@pytest.mark.parametrize("text", FORMULAS)
def test_folding_keeps_the_value_and_is_idempotent(text, shapes_of, arrays, value_of_node):
    node = lower(parse(text, scope_of(shapes_of(SHAPES)))).node
    once = folded(node)
    assert folded(once) is once
    given = arrays(SHAPES)
    sizes = {"m": given["X"].shape[0], "n": given["X"].shape[1]}
    np.testing.assert_allclose(value_of_node(once, given, sizes), value_of_node(node, given, sizes), rtol=1e-12)


def test_definitions_are_seen_through_and_left_alone(shapes_of):
    scope = scope_of(shapes_of(SHAPES))
    x = lower(parse("x", scope)).node
    named = Defined(x.dims, "v", lower(parse("exp(x) / (1 + exp(x))", scope)).node)
    assert folded(named) is named
    d = derive("u @ log(1 + exp(x))", "x", shapes=shapes_of(SHAPES))
    assert not any(isinstance(n, Defined) for n in walk(d.node))
