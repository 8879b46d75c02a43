"""Floats: values against NumPy, derivatives against closed forms."""

from __future__ import annotations

import math

import numpy as np
import pytest

from symderiv.check.indices import Indices
from symderiv.check.numeric import Numeric, singular, stand_in
from symderiv.check.reading import Reading
from symderiv.functions import FUNCTIONS
from symderiv.tensor.expr import Expr
from symderiv.tensor.parse import parse, scope_of

SIZES = {"n": 3, "m": 4}
RNG = np.random.default_rng(3)
DATA = {
    "A": RNG.standard_normal((3, 3)),
    "X": RNG.standard_normal((3, 4)),
    "B": RNG.standard_normal((4, 4)),
    "x": RNG.standard_normal(3),
    "y": RNG.standard_normal(4),
    "p": RNG.uniform(0.5, 2, 3),
    "t": np.array(0.7),
    "T": RNG.standard_normal((3, 4, 3)),
}
SHAPES = {"A": "nn", "X": "nm", "B": "mm", "x": "n", "y": "m", "p": "n", "t": "", "T": "nmn"}
SCOPE = scope_of({name: tuple(shape) for name, shape in SHAPES.items()}, functions={"h": ["dh", "d2h", "d3h"]})


def value(expr, data=None):
    reading, indices = Reading(expr), Indices(expr)
    points = {name: np.asarray(v)[None] for name, v in (data or DATA).items()}
    result = Numeric(reading, indices, SIZES, points).evaluate(expr)
    return result.reshape(result.shape[1 + reading.slots :]).real


def diff(text, *names):
    f = parse(text, SCOPE)
    xs = tuple(SCOPE.names[n] for n in names)
    return value(Expr("diff", (f, *xs), ("total",), f.axes + tuple(a for x in xs for a in x.axes)))


def eye(n):
    return np.eye(n)


VALUES = {
    "A @ X": lambda A, X, **_: A @ X,
    "x @ A @ x + t": lambda A, x, t, **_: x @ A @ x + t,
    "X * y + x[:, None]": lambda X, x, y, **_: X * y + x[:, None],
    "kron(A, B)": lambda A, B, **_: np.kron(A, B),
    "vec(X)": lambda X, **_: X.T.reshape(-1),
    "reshape(X.T, (m*n,))": lambda X, **_: X.T.reshape(-1),
    "transpose(T, (2, 0, 1))": lambda T, **_: T.transpose(2, 0, 1),
    "einsum('iji,j->i', T, y)": lambda T, y, **_: np.einsum("iji,j->i", T, y),
    "einsum('ii->', A)": lambda A, **_: np.trace(A),
    "einsum('ij->j', X)": lambda X, **_: X.sum(0),
    "diag(diag(A)) + eye(n) + ones(n, n)": lambda A, **_: np.diag(np.diag(A)) + np.eye(3) + 1,
    "mean(X, 0) - mean(X)": lambda X, **_: X.mean(0) - X.mean(),
    "mean(T, 1)": lambda T, **_: T.mean(1),
    "prod(X, 1) * prod(x)": lambda X, x, **_: X.prod(1) * x.prod(),
    "softmax(X, 0)": lambda X, **_: np.exp(X) / np.exp(X).sum(0),
    "logsumexp(X, 1)": lambda X, **_: np.log(np.exp(X).sum(1)),
    "norm(T)": lambda T, **_: np.sqrt((T**2).sum()),
    "logdet(A) + det(A)": lambda A, **_: np.linalg.slogdet(A)[1] + np.linalg.det(A),
    "solve(A, X)": lambda A, X, **_: np.linalg.solve(A, X),
    "matrix_power(A, -3)": lambda A, **_: np.linalg.matrix_power(A, -3),
    "matrix_power(A, 0)": lambda A, **_: np.eye(3),
    "outer(x, y) / n": lambda x, y, **_: np.outer(x, y) / 3,
    "where(t < 0.2, X, y)": lambda X, y, t, **_: np.where(t < 0.2, X, y),
    "where(y < 0.2, X, x[:, None])": lambda X, x, y, **_: np.where(y < 0.2, X, x[:, None]),
    "where(x < p, x, p**2)": lambda x, p, **_: np.where(x < p, x, p**2),
    "maximum(x, 0) - minimum(x, p) + abs(x) * sign(x)": lambda x, p, **_: np.maximum(x, 0) - np.minimum(x, p) + x,
    "p**x + p**0.5 + x**3 + p**(-1)": lambda p, x, **_: p**x + p**0.5 + x**3 + 1 / p,
    "x**n": lambda x, **_: x**3,
}


@pytest.mark.parametrize("text", VALUES)
def test_values(text):
    np.testing.assert_allclose(value(parse(text, SCOPE)), VALUES[text](**DATA), rtol=1e-12, atol=1e-12)


DERIVATIVES = {
    ("x @ A @ x", "x"): lambda A, x, **_: (A + A.T) @ x,
    ("x @ A @ x", "x", "x"): lambda A, **_: A + A.T,
    ("x @ A @ x", "A"): lambda x, **_: np.outer(x, x),
    ("x @ A @ x", "x", "A"): lambda x, **_: np.einsum("ij,k->ijk", eye(3), x) + np.einsum("ik,j->ijk", eye(3), x),
    ("sum(x**4)", "x", "x", "x"): lambda x, **_: 24 * np.einsum("i,ij,ik->ijk", x, eye(3), eye(3)),
    ("logdet(A)", "A"): lambda A, **_: np.linalg.inv(A).T,
    ("inv(A)", "A"): lambda A, **_: -np.einsum("ik,lj->ijkl", np.linalg.inv(A), np.linalg.inv(A)),
    ("abs(x)", "x"): lambda x, **_: np.diag(np.sign(x)),
    ("relu(X)", "x"): lambda **_: np.zeros((3, 4, 3)),
    ("sum(maximum(x, p))", "x"): lambda x, p, **_: (x > p) * 1.0,
    ("sum(maximum(x, x))", "x"): lambda x, **_: np.ones(3),
    ("exp(t)", "t", "t", "t"): lambda t, **_: np.exp(t),
    ("p**t", "t"): lambda p, t, **_: np.log(p) * p**t,
    ("sum(h(x))", "x"): lambda x, **_: stand_in("h", 1, x),
    ("sum(dh(x))", "x"): lambda x, **_: stand_in("h", 2, x),
    ("sum(h(x))", "x", "x", "x"): lambda x, **_: np.einsum("i,ij,ik->ijk", stand_in("h", 3, x), eye(3), eye(3)),
}


@pytest.mark.parametrize("what", DERIVATIVES, ids=" ".join)
def test_derivatives(what):
    np.testing.assert_allclose(diff(*what), DERIVATIVES[what](**DATA), rtol=1e-7, atol=1e-8)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_table_of_functions(name):
    """The slope in the table is the slope of the function, at its samples."""
    row = FUNCTIONS[name]
    samples = np.array(row.samples)
    scope = scope_of({"u": ("k",)})
    f = parse(f"{name}(u)", scope)
    scope.names["f"] = f
    u = scope.names["u"]
    slope = Expr("diff", (parse(f"sum({name}(u))", scope), u), ("total",), u.axes)
    formula = parse(f"{row.derivative} + 0 * u", scope)
    reading = Reading(slope, formula)
    on = Numeric(reading, Indices(slope, formula), {"k": len(samples)}, {"u": samples[None]})
    np.testing.assert_allclose(on.evaluate(slope), on.evaluate(formula), rtol=1e-12)


def test_ties_take_half_of_each_and_kinks_slope_zero():
    zero = {"x": np.zeros(3), "p": np.zeros(3)}
    scope = scope_of({"x": ("n",), "p": ("n",)})
    x = scope.names["x"]
    for text, want in {
        "maximum(x, p)": 0.5,
        "minimum(x, p)": 0.5,
        "abs(x)": 0,
        "relu(x)": 0,
        "sign(x)": 0,
    }.items():
        f = parse(f"sum({text})", scope)
        np.testing.assert_array_equal(value(Expr("diff", (f, x), ("total",), x.axes), zero), np.full(3, want))


FAR = [(name, at) for name in ("softplus", "sigmoid", "log1p") for at in (-36.0, -500.0, 1e-9, -1e-12)]


@pytest.mark.parametrize(("name", "at"), [(name, at) for name, at in FAR if name != "log1p" or at > -1])
def test_slopes_far_out_keep_their_digits(name, at):
    scope = scope_of({"x": ()})
    x = scope.names["x"]
    found = value(Expr("diff", (parse(f"{name}(x)", scope), x), ("total",), x.axes), {"x": np.array(at)})
    e = math.exp(-abs(at))
    logistic = (e if at < 0 else 1) / (1 + e)
    want = {"softplus": logistic, "sigmoid": logistic * (1 - logistic), "log1p": 1 / (1 + at)}[name]
    np.testing.assert_allclose(found, want, rtol=1e-12)


def test_a_comparison_with_0_is_a_tie_where_it_is_one_but_for_rounding():
    at = {"x": np.full(3, 1e-16), "p": np.ones(3)}
    scope = scope_of({"x": ("n",), "p": ("n",)})
    for text in ("where(x > 0, 1, 2)", "where(p + x > p, 1, 2)"):
        np.testing.assert_array_equal(value(parse(text, scope), at), np.full(3, 2.0))
    expr = parse("relu(x) + relu(p)", scope)
    reading = Reading(expr)
    for x, found in ((1e-16, True), (0.0, False), (1e-3, False)):
        on = Numeric(reading, Indices(expr), {"n": 3}, {"x": np.full((1, 3), x), "p": np.ones((1, 3))})
        on.evaluate(expr)
        assert on.rounded(1).tolist() == [found]


def test_what_is_out_of_range_is_told():
    scope = scope_of({"x": ()})
    expr = parse("exp(x) * x", scope)
    on = Numeric(Reading(expr), Indices(expr), {}, {"x": np.array([1.0, 800.0, -800.0, -400.0, 0.0])})
    on.evaluate(expr)
    assert on.overflowed(5).tolist() == [False, True, False, False, False]
    assert on.underflowed(5).tolist() == [False, False, True, True, False]


def test_a_power_that_comes_out_as_0_has_underflown():
    scope = scope_of({"x": (), "c": ()})
    expr = parse("x**c", scope)
    values = {"x": np.array([0.5, 4.0, 0.0, -2.0]), "c": np.array([3.0, -2000.0, 2.0, -2001.0])}
    on = Numeric(Reading(expr), Indices(expr), {}, values)
    on.evaluate(expr)
    assert on.underflowed(4).tolist() == [False, True, False, True]


def test_singular_matrices():
    matrices = np.array([np.eye(3), np.ones((3, 3)), np.arange(9.0).reshape(3, 3), np.diag([1, 1, np.nan])])
    assert singular(matrices).tolist() == [False, True, True, True]


def test_outside_of_the_domain_is_nan():
    for text in ("log(x)", "sqrt(x)", "x**0.5", "arcsin(2 + 0*x)", "1 / (x - x)", "log1p(x)"):
        assert np.isnan(value(parse(text, scope_of({"x": ("n",)})), {"x": np.full(3, -2.0)})).all()
    singular = {"A": np.ones((3, 3))}
    assert np.isnan(value(parse("inv(A)", SCOPE), singular)).all()
    assert np.isnan(value(parse("logdet(A)", SCOPE), singular)).all()
