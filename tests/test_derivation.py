"""The public face: derivatives held against central differences of the text in plain NumPy."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
import sympy

import symderiv
from symderiv import derivation, derive, ending
from symderiv import verdict as deciding
from symderiv.check import part
from symderiv.operands import LETTERS, lettered
from symderiv.tensor.operations import apply
from symderiv.tensor.parse import number, parse, scope_of

# text, variable, shapes, assumptions
FIRST = [
    ("x @ A @ x", "x", "x(n) A(n,n)", {}),
    ("norm(X @ w - y)**2", "w", "X(n,p) w(p) y(n)", {}),
    ("norm(x - a)", "x", "x(n) a(n)", {}),
    ("x / norm(x)", "x", "x(n)", {}),
    ("norm(X)", "X", "X(n,m)", {}),
    ("norm(T)", "T", "T(b,n,m)", {}),
    ("trace(A @ X @ B)", "X", "A(n,m) X(m,p) B(p,n)", {}),
    ("trace(X.T @ X)", "X", "X(n,p)", {}),
    ("trace(matrix_power(X, 3))", "X", "X(n,n)", {}),
    ("matrix_power(X, 2)", "X", "X(n,n)", {}),
    ("trace(matrix_power(X, -2))", "X", "X(n,n)", {"X": "invertible"}),
    ("inv(X)", "X", "X(n,n)", {"X": "invertible"}),
    ("a @ inv(X) @ b", "X", "a(n) X(n,n) b(n)", {"X": "invertible"}),
    ("solve(A, b)", "A", "A(n,n) b(n)", {"A": "invertible"}),
    ("solve(A, B)", "B", "A(n,n) B(n,p)", {"A": "invertible"}),
    ("det(X)", "X", "X(n,n)", {"X": "invertible"}),
    ("logdet(X)", "X", "X(n,n)", {"X": "invertible"}),
    ("logdet(X.T @ X)", "X", "X(m,p)", {}),
    ("det(X.T @ X)", "X", "X(m,p)", {}),
    ("exp(x)", "x", "x(n)", {}),
    ("sum(log(x) * log1p(x))", "x", "x(n)", {"x": "positive"}),
    ("expm1(x) / cosh(x)", "x", "x(n)", {}),
    ("sin(x) * cos(x) + tan(x / 4)", "x", "x(n)", {}),
    ("arcsin(x) - arccos(x) * arctan(x)", "x", "x(n)", {"x": "open_unit"}),
    ("sinh(x) + tanh(A @ x)", "x", "x(n) A(n,n)", {}),
    ("sigmoid(X @ w)", "w", "X(n,p) w(p)", {}),
    ("sum(softplus(X @ w))", "w", "X(n,p) w(p)", {}),
    ("sum(abs(x) + sign(x) * x**2)", "x", "x(n)", {}),
    ("relu(W @ x)", "W", "W(m,n) x(n)", {}),
    ("sqrt(x) + x**1.5 + x**-2", "x", "x(n)", {"x": "positive"}),
    ("x**y", "x", "x(n) y(n)", {"x": "positive"}),
    ("x**y", "y", "x(n) y(n)", {"x": "positive"}),
    ("2**x", "x", "x(n)", {}),
    ("x**x", "x", "x(n)", {"x": "positive"}),
    ("softmax(x, 0)", "x", "x(n)", {}),
    ("softmax(X, 1)", "X", "X(n,m)", {}),
    ("softmax(X, 0)", "X", "X(n,m)", {}),
    ("softmax(X, -1) @ v", "X", "X(n,m) v(m)", {}),
    ("logsumexp(X)", "X", "X(n,m)", {}),
    ("logsumexp(X, 1)", "X", "X(n,m)", {}),
    ("sum(X, 0)", "X", "X(n,m)", {}),
    ("mean(X, 1) * mean(X)", "X", "X(n,m)", {}),
    ("prod(x)", "x", "x(m)", {}),
    ("prod(X)", "X", "X(n,p)", {}),
    ("outer(x, x @ A)", "x", "x(n) A(n,m)", {}),
    ("inner(x, x)", "x", "x(n)", {}),
    ("dot(x, y) * dot(A, x)", "x", "x(n) y(n) A(m,n)", {}),
    ("kron(A, X)", "X", "A(n,m) X(p,q)", {}),
    ("kron(X, X)", "X", "X(p,n)", {}),
    ("norm(kron(a, x))**2", "x", "a(n) x(p)", {}),
    ("diag(x) @ A", "x", "x(n) A(n,m)", {}),
    ("diag(A @ X)", "X", "A(n,m) X(m,n)", {}),
    ("trace(diag(x) @ A @ diag(x))", "x", "x(n) A(n,n)", {}),
    ("vec(X) @ vec(A @ X)", "X", "X(n,p) A(n,n)", {}),
    ("vec(A @ X)", "X", "A(n,m) X(m,p)", {}),
    ("kron(A, B) @ vec(X)", "X", "A(n,m) B(p,q) X(q,m)", {}),
    ("reshape(X, (n * p,))", "X", "X(n,p)", {}),
    ("einsum('ij,jk,ik->', X, A, X)", "X", "X(n,m) A(m,m)", {}),
    ("einsum('bij,j->bi', T, x)", "T", "T(b,i,j) x(j)", {}),
    ("einsum('ijk,i,j,k->', T, x, x, x)", "x", "T(n,n,n) x(n)", {}),
    ("transpose(T, (2, 0, 1)) * 2", "T", "T(b,n,m)", {}),
    ("sum(T * T, 1)", "T", "T(b,n,m)", {}),
    ("maximum(x, y) * minimum(x, 0)", "x", "x(n) y(n)", {}),
    ("where(x > 0, exp(x), x * y)", "x", "x(n) y(n)", {}),
    ("where(x > y, x @ y, 0)", "y", "x(n) y(n)", {}),
    ("X * v + u[:, None]", "v", "X(n,m) v(m) u(n)", {}),
    ("norm(x[:, None] - y[None, :])**2", "x", "x(n) y(m)", {}),
    ("x[:, None] * A * y", "A", "x(n) A(n,m) y(m)", {}),
    ("A + eye(n) * c + ones(n, n) * c**2", "c", "c() A(n,n)", {}),
    ("c * x / (1 + c)", "c", "c() x(n)", {"c": "positive"}),
    ("trace(inv(A + c * eye(n)))", "c", "A(n,n) c()", {"A": "positive_definite", "c": "positive"}),
    ("sum(1 / (x * n))", "x", "x(n)", {"x": "positive"}),
    ("exp(-norm(x - y)**2 / (2 * c**2))", "x", "x(n) y(n) c()", {"c": "positive"}),
    ("zeros(n, m) + A", "A", "A(n,m)", {}),
    ("sum(y)", "x", "x(n) y(n)", {}),
]
SECOND = [
    ("x @ A @ x", ("x", "x"), "x(n) A(n,n)", {}),
    ("norm(X @ w - y)**2", ("w", "w"), "X(n,p) w(p) y(n)", {}),
    ("norm(x - a)", ("x", "x"), "x(n) a(n)", {}),
    ("norm(T - U @ V.T)**2", ("U", "V"), "T(n,m) U(n,p) V(m,p)", {}),
    ("norm(T - U @ V.T)**2", ("U", "U"), "T(n,m) U(n,p) V(m,p)", {}),
    ("logsumexp(X @ w)", ("w", "w"), "X(n,p) w(p)", {}),
    ("sum(softmax(x, 0) * y)", ("x", "x"), "x(n) y(n)", {}),
    ("sum(softplus(X @ w))", ("w", "w"), "X(n,p) w(p)", {}),
    ("sum(log(sigmoid(X @ w)))", ("w", "w"), "X(n,p) w(p)", {}),
    ("trace(matrix_power(X, 3))", ("X", "X"), "X(p,p)", {}),
    ("logdet(X)", ("X", "X"), "X(p,p)", {"X": "invertible"}),
    ("det(X)", ("X", "X"), "X(p,p)", {"X": "invertible"}),
    ("x @ inv(P) @ y", ("P", "P"), "P(p,p) x(p) y(p)", {"P": "positive_definite"}),
    ("x @ inv(P) @ y", ("x", "P"), "P(p,p) x(p) y(p)", {"P": "symmetric"}),
    ("sum(tanh(W @ x))", ("W", "x"), "W(m,n) x(n)", {}),
    ("v @ relu(W @ x)", ("W", "x"), "W(m,n) x(n) v(m)", {}),
    ("sum(x**3 * c)", ("x", "c"), "x(n) c()", {}),
    ("sum(x**x)", ("x", "x"), "x(n)", {"x": "positive"}),
    ("exp(-norm(x - y)**2)", ("x", "y"), "x(n) y(n)", {}),
    ("sum(where(x > 0, x**3, x**2))", ("x", "x"), "x(n)", {}),
    ("norm(X.T @ X - A)**2", ("X", "X"), "X(n,p) A(p,p)", {}),
    ("sum(exp(kron(a, x)))", ("x", "x"), "a(n) x(p)", {}),
    ("x / norm(x)", ("x", "x"), "x(n)", {}),
]


def close(got, want, rtol=1e-6):
    assert got.shape == want.shape
    scale = max(1.0, float(np.max(np.abs(want), initial=0.0)))
    np.testing.assert_allclose(got, want, rtol=rtol, atol=rtol * scale)


def ids(rows):
    return [f"{row[0]} d{''.join(row[1])}" for row in rows]


@pytest.mark.parametrize(("text", "x", "shapes", "assume"), FIRST, ids=ids(FIRST))
def test_first_derivative_is_the_central_difference(text, x, shapes, assume, shapes_of, arrays, evaluate, slope_of):
    d = derive(text, x, shapes=shapes_of(shapes), assume=assume)
    at = arrays(shapes, assume)
    want = slope_of(lambda a: evaluate(text, shapes, a), at, x)
    close(np.asarray(d.compile()(**at)), want)
    close(evaluate(str(d.result), shapes, at), want)


@pytest.mark.parametrize(("text", "x", "shapes", "assume"), SECOND, ids=ids(SECOND))
def test_second_derivative_is_the_difference_of_differences(
    text, x, shapes, assume, shapes_of, arrays, evaluate, slope_of
):
    d = derive(text, list(x), shapes=shapes_of(shapes), assume=assume)
    at = arrays(shapes, assume)
    h = 4e-3

    def first(a):
        return slope_of(lambda b: evaluate(text, shapes, b), a, x[0], h)

    close(np.asarray(d.compile()(**at)), slope_of(first, at, x[1], h), 1e-5)


@pytest.mark.parametrize(("text", "x", "shapes", "assume"), FIRST[::3] + SECOND[::3], ids=ids(FIRST[::3] + SECOND[::3]))
def test_sizes_of_one(text, x, shapes, assume, shapes_of, arrays, evaluate, slope_of):
    """A size that is 1 by chance: nothing may be squeezed or broadcast by its symbol."""
    order = [x] if isinstance(x, str) else list(x)
    sizes = dict.fromkeys("nmpqbij", 1)
    d = derive(text, order, shapes=shapes_of(shapes), assume=assume)
    at = arrays(shapes, assume, sizes)

    def f(a):
        return evaluate(text, shapes, a)

    want = (
        slope_of(f, at, order[0])
        if len(order) == 1
        else slope_of(lambda a: slope_of(f, a, order[0], 4e-3), at, order[1], 4e-3)
    )
    close(np.asarray(d.compile()(**at)), want, 1e-5)


@pytest.mark.parametrize(
    ("text", "x", "shapes", "assume"),
    [row for row in SECOND if row[1][0] == row[1][1] and row[0] != "x / norm(x)"],
)
def test_hessians_of_scalars_are_symmetric(text, x, shapes, assume, shapes_of, arrays):
    d = derive(text, list(x), shapes=shapes_of(shapes), assume=assume)
    at = arrays(shapes, assume)
    hessian = np.asarray(d.compile()(**at))
    half = hessian.ndim // 2
    axes = (*range(half, 2 * half), *range(half))
    np.testing.assert_allclose(hessian, np.transpose(hessian, axes), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize(
    ("f", "g", "shapes"),
    [
        ("sum(exp(A @ x))", "norm(x)**2", "x(n) A(m,n)"),
        ("tanh(x)", "A.T @ (A @ x)", "x(n) A(m,n)"),
        ("X @ v", "outer(u, v) @ v", "X(n,m) u(n) v(m)"),
    ],
)
def test_derivatives_are_linear(f, g, shapes, shapes_of, arrays):
    x = "v" if " v(" in shapes else "x"
    declared, at = shapes_of(shapes), arrays(shapes)
    parts = [np.asarray(derive(t, x, shapes=declared).compile()(**at)) for t in (f, g, f"2 * ({f}) - 3 * ({g})")]
    np.testing.assert_allclose(parts[2], 2 * parts[0] - 3 * parts[1], rtol=1e-10, atol=1e-10)


# --- where the usual mistakes are


def test_symmetry_of_the_variable_is_not_used_before_the_last_derivative(shapes_of, arrays, evaluate, slope_of):
    text = "trace(Q + A.T @ P @ A - A.T @ P @ B @ inv(R + B.T @ P @ B) @ B.T @ P @ A)"
    shapes = "Q(n,n) A(n,n) B(n,p) R(p,p) P(n,n)"
    assume = {"P": "positive_definite", "R": "positive_definite", "Q": "symmetric"}
    at = arrays(shapes, assume)
    for order in (["P"], ["P", "P"]):
        d = derive(text, order, shapes=shapes_of(shapes), assume=assume)
        want = slope_of(lambda a: evaluate(text, shapes, a), at, "P")
        if len(order) == 2:
            want = slope_of(lambda a: slope_of(lambda b: evaluate(text, shapes, b), a, "P", 4e-3), at, "P", 4e-3)
        close(np.asarray(d.compile()(**at)), want, 1e-5)
    d = derive("x @ inv(P) @ y", "P", shapes=shapes_of("x(n) P(n,n) y(n)"), assume={"P": "symmetric"})
    at = arrays("x(n) P(n,n) y(n)", {"P": "positive_definite"})
    close(
        np.asarray(d.compile()(**at)),
        slope_of(lambda a: evaluate("x @ inv(P) @ y", "x(n) P(n,n) y(n)", a), at, "P"),
    )


@pytest.mark.parametrize("text", ["where(x > 0, sqrt(x), 0)", "where(x > 0, x * log(x), 0)", "where(x > 0, 1 / x, x)"])
def test_the_other_branch_of_where_is_never_met(text):
    d = derive(text, "x", shapes={"x": ("n",)})
    x = np.array([-2.0, -1e-3, 0.5, 3.0])
    with np.errstate(all="ignore"):
        got = d.compile()(x=x)
    assert np.all(np.isfinite(got))
    h = 1e-6
    pick = {
        "where(x > 0, sqrt(x), 0)": (lambda t: np.sqrt(t), lambda t: 0.0),
        "where(x > 0, x * log(x), 0)": (lambda t: t * np.log(t), lambda t: 0.0),
        "where(x > 0, 1 / x, x)": (lambda t: 1 / t, lambda t: t),
    }[text]
    want = [((yes := pick[0 if t > 0 else 1])(t + h) - yes(t - h)) / (2 * h) for t in x]
    np.testing.assert_allclose(got, np.diag(want), rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("x", [[0.0, 2.0, 3.0], [0.0, 0.0, 3.0], [0.0, 0.0, 0.0], [1.0, 2.0, 3.0]])
def test_prod_with_zeros(x):
    x = np.array(x)
    got = derive("prod(x)", "x", shapes={"x": ("n",)}).compile()(x=x)
    np.testing.assert_allclose(got, [np.prod(np.delete(x, k)) for k in range(3)])


@pytest.mark.parametrize(
    ("text", "x", "want"),
    [
        ("abs(x)", 0.0, 0.0),
        ("relu(x)", 0.0, 0.0),
        ("sign(x)", 0.0, 0.0),
        ("maximum(x, 0)", 0.0, 0.5),
        ("minimum(x, 0)", 0.0, 0.5),
        ("where(x > 0, x, 2 * x)", 0.0, 2.0),
        ("where(x >= 0, x, 2 * x)", 0.0, 1.0),
    ],
)
def test_slopes_at_kinks(text, x, want):
    d = derive(text, "x", shapes={"x": ()})
    assert d.compile()(x=x) == want
    assert any("kink" in note for note in d.notes)


CLASHES = [
    "E",
    "I",
    "S",
    "N",
    "Q",
    "np",
    "numpy",
    "out",
    "lambda_",
    "t1",
    "sigmoid",
    "e",
    "axis",
    "derivative",
    "f",
    "u",
    "gamma",
    "beta",
    "zeta",
    "pi",
]


@pytest.mark.parametrize("name", CLASHES)
def test_names_that_mean_something_elsewhere(name, slope_of):
    text = f"sum(tanh(X @ {name})**2 / (1 + exp(X @ {name}))) * norm({name})"
    d = derive(text, name, shapes={"X": ("n", "p"), name: ("p",)})
    rng = np.random.default_rng(1)
    at = {"X": rng.standard_normal((3, 2)), name: rng.standard_normal(2)}

    def f(a):
        z = a["X"] @ a[name]
        return np.sum(np.tanh(z) ** 2 / (1 + np.exp(z))) * np.linalg.norm(a[name])

    close(d.compile()(**at), slope_of(f, at, name))
    d.proof  # noqa: B018  # replayed, or it raises
    assert d.index_form.free_symbols
    d.to_latex()


@pytest.mark.parametrize(
    ("text", "shapes"),
    [
        ("trace(A @ X @ B)", "A(i,j) X(j,k) B(k,i)"),
        ("norm(A @ X)**2", "A(i,j) X(j,k)"),
        ("softmax(X, 1)", "X(i,j)"),
        ("sum(X, 0) / j + mean(X)", "X(i,j)"),
    ],
)
def test_sizes_called_like_indices(text, shapes, shapes_of, arrays, evaluate, slope_of):
    d = derive(text, "X", shapes=shapes_of(shapes))
    at = arrays(shapes)
    close(np.asarray(d.compile()(**at)), slope_of(lambda a: evaluate(text, shapes, a), at, "X"))
    assert d.proof.steps
    assert not {str(i) for i in d.free_indices} & {str(s) for shape in shapes_of(shapes).values() for s in shape}


def test_a_derivative_that_is_zero_has_its_shape():
    d = derive("sum(y)", "x", shapes={"x": ("n", "m"), "y": ("n",)})
    assert str(d.result) == "zeros(n, m)"
    np.testing.assert_array_equal(d.compile()(x=np.ones((2, 3)), y=np.ones(2)), np.zeros((2, 3)))


def test_scalars():
    d = derive("a * b + a**2", "a", shapes={"a": (), "b": ()})
    assert d.shape == ()
    assert d.compile()(a=3.0, b=5.0) == 11.0
    assert derive("a**2", ["a", "a"], shapes={"a": ()}).compile()(a=7.0) == 2.0


def test_integers_are_taken_as_numbers():
    d = derive("x @ x / 2", "x", shapes={"x": ("n",)})
    got = d.compile()(x=[1, 2, 3])
    np.testing.assert_array_equal(got, [1.0, 2.0, 3.0])


# --- what a derivation offers


@pytest.mark.parametrize("text", ["x * diag(A - 2 * S)", "tanh(diag(A - 2 * S)) * x", "outer(x, diag(A - 2 * S))"])
def test_the_sign_of_a_diagonal_of_a_difference(text, shapes_of, arrays, evaluate, slope_of):
    shapes, assume = "x(n) A(n,n) S(n,n)", {"S": "symmetric"}
    at = arrays(shapes, assume)
    d = derive(text, "x", shapes=shapes_of(shapes), assume=assume)
    close(np.asarray(d.compile()(**at)), slope_of(lambda a: evaluate(text, shapes, a), at, "x"))


def test_a_size_that_stands_in_no_array_of_the_expression():
    d = derive("eye(n) * c", "c", shapes={"c": (), "X": ("n", "p")})
    np.testing.assert_array_equal(d.compile()(c=1.0, X=np.ones((3, 2))), np.eye(3))


@pytest.mark.parametrize("text", ["y", "eye(n)", "n", "matrix_power(S, 0)"])
def test_a_function_that_is_a_bare_leaf(text):
    d = derive(text, "x", shapes={"x": ("n",), "y": ("n",), "S": ("n", "n")})
    assert "zeros" in str(d.result)


@pytest.mark.parametrize(("text", "shape"), [("relu(x**2)", ("n",)), ("prod(x)", ("n",)), ("sum(relu(x))", ("n",))])
def test_second_derivatives_through_a_condition(text, shape):
    d = derive(text, ["x", "x"], shapes={"x": shape})
    assert np.all(np.isfinite(d.compile()(x=np.array([0.5, -1.0, 2.0]))))


@pytest.mark.parametrize(
    "text",
    [
        "sum(relu(x)**3)",
        "sum(relu(A @ x) * y)",
        "norm(relu(A @ x))**2",
        "relu(x @ A @ x - 1)",
        "sum(where(x**2 > y, x**3, exp(x)))",
        "sum(where(A @ x > x, x**3, x * y))",
        "where(x @ x > 1, x @ A @ x, sum(x**3))",
        "sum(where(x > 0, where(x * y > 1, x**4, x**2), x**3))",
        "sum(maximum(x**2, x * y) * x)",
    ],
)
def test_second_derivatives_where_a_condition_depends_on_the_variable(text, shapes_of, arrays, evaluate, slope_of):
    shapes = "x(n) y(n) A(n,n)"
    d = derive(text, ["x", "x"], shapes=shapes_of(shapes))
    for seed in range(3):
        at = arrays(shapes, seed=seed)
        want = slope_of(lambda a: slope_of(lambda b: evaluate(text, shapes, b), a, "x", 1e-3), at, "x", 1e-3)
        close(np.asarray(d.compile()(**at)), want, 1e-5)
    if not text.startswith("where(x @ x"):  # tests/test_replay.py says why
        d.proof.check()


def test_the_text_of_a_result_is_input_again():
    shapes = {"x": ("n",), "y": ("n",)}
    derive(str(derive("kron(x, y)", "x", shapes=shapes).result), "y", shapes=shapes)


def test_logsumexp_of_a_scalar():
    assert derive("logsumexp(x)", "x", shapes={"x": ()}).compile()(x=2.0) == 1.0


def test_the_generated_source_stands_alone():
    source = derive("sum(sigmoid(X @ w)) + logsumexp(w)", "w", shapes={"X": ("n", "p"), "w": ("p",)}).to_numpy(
        name="slope"
    )
    space = {}
    exec(compile(source, "<generated>", "exec"), space)
    X, w = np.arange(6.0).reshape(3, 2) / 6, np.array([0.3, -0.2])
    s = 1 / (1 + np.exp(-X @ w))
    want = X.T @ (s * (1 - s)) + np.exp(w) / np.exp(w).sum()
    np.testing.assert_allclose(space["slope"](X, w), want)
    assert "symderiv" not in source
    assert "shape (n, p)" in space["slope"].__doc__


def test_value_and_derivative_together():
    d = derive("norm(X @ w - y)**2", "w", shapes={"X": ("n", "p"), "w": ("p",), "y": ("n",)})
    rng = np.random.default_rng(0)
    X, w, y = rng.standard_normal((4, 3)), rng.standard_normal(3), rng.standard_normal(4)
    value, slope = d.compile(value=True)(X=X, w=w, y=y)
    np.testing.assert_allclose(value, np.sum((X @ w - y) ** 2))
    np.testing.assert_allclose(slope, 2 * X.T @ (X @ w - y))


def test_value_of_a_function_that_does_not_depend_on_the_variable():
    d = derive("sum(y)", "x", shapes={"x": ("n",), "y": ("m",)})
    value, slope = d.compile(value=True)(x=np.ones(2), y=np.ones(3))
    assert value == 3.0
    np.testing.assert_array_equal(slope, np.zeros(2))


def test_unknown_functions_are_callables():
    functions = {"h": ["dh", "d2h"]}
    shapes = {"W": ("m", "n"), "x": ("n",)}
    W, x = np.arange(6.0).reshape(2, 3) / 5, np.array([0.3, -0.7, 1.1])
    first = derive("sum(h(W @ x))", "x", shapes=shapes, functions=functions)
    got = first.compile()(W=W, x=x, h=np.sin, dh=np.cos, d2h=lambda t: -np.sin(t))
    np.testing.assert_allclose(got, W.T @ np.cos(W @ x))
    assert "dh(" in str(first.result)
    second = derive("sum(h(W @ x))", ["x", "x"], shapes=shapes, functions=functions)
    got = second.compile()(W=W, x=x, dh=np.cos, d2h=lambda t: -np.sin(t))
    np.testing.assert_allclose(got, -(W.T * np.sin(W @ x)) @ W)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"X": np.ones((3, 2)), "w": np.ones(3), "y": np.ones(3)}, ["w", "(p,)", "(3,)", "p = 2"]),
        ({"X": np.ones(3), "w": np.ones(2), "y": np.ones(3)}, ["X", "(n, p)", "(3,)"]),
        ({"X": np.ones((3, 2)), "w": np.ones((2, 1)), "y": np.ones(3)}, ["w", "(2, 1)"]),
    ],
)
def test_wrong_shapes_are_refused_with_their_sizes(given, said):
    d = derive("norm(X @ w - y)**2", "w", shapes={"X": ("n", "p"), "w": ("p",), "y": ("n",)})
    with pytest.raises(symderiv.ShapeError) as err:
        d.compile()(**given)
    assert all(text in str(err.value) for text in said)


def test_a_missing_array_is_named():
    with pytest.raises(symderiv.UnknownNameError, match="w is missing"):
        derive("norm(w)", "w", shapes={"w": ("p",)}).compile()()


@pytest.mark.parametrize(
    ("text", "x", "shapes"),
    [
        ("norm(X @ w - y)**2", "w", "X(n,p) w(p) y(n)"),
        ("sum(tanh(W @ tanh(W @ x)))", "W", "W(n,n) x(n)"),
        ("x / norm(x)", "x", "x(n)"),
    ],
)
def test_statements_put_in_one_after_another_give_the_result(text, x, shapes, shapes_of, arrays, evaluate):
    d = derive(text, x, shapes=shapes_of(shapes))
    at = arrays(shapes)
    *definitions, last = d.statements().splitlines()
    values = dict(at)
    for line in definitions:
        name, body = line.split(" = ", 1)
        values[name] = evaluate(body, shapes, values)
    np.testing.assert_allclose(evaluate(last, shapes, values), d.compile()(**at))


def deep_net(depth):
    """Return `norm(z_L - y)**2` with z_k = tanh(W_k z_{k-1}) as a tensor, and the names of the weights."""
    names = [f"W{k}" for k in range(1, depth + 1)]
    x, y, *weights = symderiv.declare("x: (n,)", "y: (n,)", *(f"{name}: (n, n)" for name in names))
    z = x
    for w in weights:
        z = np.tanh(w @ z)
    return np.linalg.norm(z - y) ** 2, names


@pytest.mark.parametrize("depth", [3, 120, 256])
def test_depth_is_no_limit(depth):
    """The gradient of the first weight against back-propagation by hand; what is one formula may be refused."""
    loss, names = deep_net(depth)
    d = derive(loss, "W1")
    rng = np.random.default_rng(0)
    at = {name: rng.standard_normal((3, 3)) for name in names} | {"x": rng.standard_normal(3), "y": np.ones(3)}
    z = [at["x"]]
    for name in names:
        z.append(np.tanh(at[name] @ z[-1]))
    bar = 2 * (z[-1] - at["y"])
    for k in range(depth, 1, -1):
        bar = at[names[k - 1]].T @ (bar * (1 - z[k] ** 2))
    want = np.outer(bar * (1 - z[1] ** 2), at["x"])
    np.testing.assert_allclose(d.compile()(**at), want, rtol=1e-8, atol=1e-12 * np.abs(want).max())
    assert len(d.statements().splitlines()) <= 4 * depth + 2
    assert depth > 200 or d.proof.steps
    for form in (lambda: str(d.result), d.to_latex, lambda: d.index_form):
        try:
            assert form()
        except symderiv.SymderivError as refused:
            assert "nested too deeply" in str(refused)
            assert depth > 3


def test_statements_and_code_grow_linearly_with_depth():
    lengths = {}
    for depth in (64, 192):
        d = derive(deep_net(depth)[0], "W1")
        lengths[depth] = len(d.statements().splitlines()), len(d.to_numpy().splitlines())
    for short, long in zip(lengths[64], lengths[192], strict=True):
        assert long < 3.2 * short


def test_objects_pickle():
    d = derive(
        "sum(h(X @ w)) + logdet(S)",
        "w",
        shapes={"X": ("n", "p"), "w": ("p",), "S": ("n", "n")},
        functions={"h": ["dh"]},
    )
    again = pickle.loads(pickle.dumps(d))
    assert str(again) == str(d)
    assert again.result.expr is d.result.expr
    assert again.node is d.node
    assert [str(s.after) for s in pickle.loads(pickle.dumps(d.proof)).steps] == [str(s.after) for s in d.proof.steps]
    X, w = np.ones((3, 2)), np.ones(2)
    call = pickle.loads(pickle.dumps(d.compile()))
    np.testing.assert_allclose(call(X=X, w=w, S=np.eye(3), dh=np.cos), X.T @ np.cos(X @ w))


# --- verify: what is proved hangs on the kernel


CLAIMED = {"expr": "norm(X @ w - y)**2", "wrt": "w", "shapes": {"X": ("n", "p"), "w": ("p",), "y": ("n",)}}
RIGHT_CLAIM, WRONG_CLAIM = "2 * (X.T @ X @ w) - 2 * y @ X", "2 * X.T @ (X @ w + y)"


def test_a_claim_is_proved_by_the_kernel():
    verdict = symderiv.verify(claim=RIGHT_CLAIM, **CLAIMED)
    assert (verdict.status, verdict.basis) == ("proved", "kernel")


def test_what_the_kernel_sees_runs_from_the_derivative_to_the_claim(monkeypatch):
    seen = []

    def spy(arguments, context, *more):
        seen.append((arguments, context))
        return check(arguments, context, *more)

    check = part.check
    monkeypatch.setattr(part, "check", spy)
    verdict = symderiv.verify(claim=RIGHT_CLAIM, **CLAIMED)
    proof = verdict.derivation.proof
    assert [arguments for arguments, _ in seen[:-2]] == [part.arguments for part in proof.parts]
    for (last,), _ in seen[-2:]:  # the result standing alone, and the claim
        assert last.left is proof.arguments[-1].right
        assert last.steps[-1].after is last.right


def damaged_start(last, other):
    return replace(last, left=other.right, steps=())


def damaged_end(last, other):
    step = replace(last.steps[-1], after=other.right)
    return replace(last, right=other.right, steps=(*last.steps[:-1], step))


DAMAGES = {
    "no step": lambda last, other: replace(last, steps=()),
    "another end": lambda last, other: replace(last, right=other.right),
    "another start": damaged_start,
    "a step to another claim": damaged_end,
    "an unknown rule": lambda last, other: replace(last, steps=(replace(last.steps[0], rule="surely"),)),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_closing_step_is_refused(damage, monkeypatch):
    line = ending.Ending.line
    wrong = parse(WRONG_CLAIM, scope_of(CLAIMED["shapes"]))

    def broken(self):
        part = line(self)
        other = line(replace(self, wanted=wrong)).claim
        return replace(part, arguments=(DAMAGES[damage](part.claim, other),))

    monkeypatch.setattr(ending.Ending, "line", broken)
    monkeypatch.setattr(ending.Ending, "lines", lambda self: iter([broken(self)]))
    verdict = symderiv.verify(claim=RIGHT_CLAIM, **CLAIMED)
    assert verdict.basis != "kernel"
    assert "the kernel did not accept" in verdict.scope


def test_a_wrong_claim_taken_for_equal_is_refused_by_the_kernel(monkeypatch):
    monkeypatch.setattr(deciding, "_equal", lambda d, wanted: True)
    verdict = symderiv.verify(claim=WRONG_CLAIM, **CLAIMED)
    assert verdict.status == "refuted"
    assert "the kernel did not accept" in verdict.scope


@pytest.mark.parametrize("damage", ["a step left out", "a step to another place", "another result"])
def test_a_damaged_proof_proves_nothing(damage, monkeypatch):
    replaying = derivation.replay

    def broken(stage, *more):
        proof = replaying(stage, *more)
        *before, last = proof.arguments
        steps = list(last.steps)
        if damage == "a step left out":
            del steps[1]
        elif damage == "a step to another place":
            steps[1] = replace(steps[1], after=steps[2].after)
        else:
            steps[-1] = replace(steps[-1], after=steps[0].after)
        last = replace(last, steps=tuple(steps), right=steps[-1].after)
        return replace(proof, arguments=(*before, last))

    monkeypatch.setattr(derivation, "replay", broken)
    verdict = symderiv.verify(claim=RIGHT_CLAIM, **CLAIMED)
    assert verdict.basis != "kernel"
    assert "the kernel did not accept" in verdict.scope


@pytest.mark.parametrize(
    ("wrt", "claim", "call"), [("x", "2 * (A @ x + A.T @ x)", 1), (["x", "x"], "2 * (A + A.T)", 2)]
)
def test_a_proof_about_another_function_proves_nothing(wrt, claim, call, monkeypatch):
    """The stage that differentiates is handed twice the function: the claim is twice too large as well."""
    naming, calls = derivation.named, []

    def doubled(expr, *more):
        calls.append(expr)
        found = naming(expr, *more)
        return apply("mul", number(2), found) if len(calls) == call else found

    monkeypatch.setattr(derivation, "named", doubled)
    verdict = symderiv.verify("x @ A @ x", wrt, claim, shapes={"x": ("n",), "A": ("n", "n")})
    assert verdict.status != "proved"


# --- SymPy in and out

n = sympy.Symbol("n", integer=True, positive=True)
m = sympy.Symbol("m", integer=True, positive=True)
X, A = sympy.MatrixSymbol("X", n, n), sympy.MatrixSymbol("A", n, n)
i, j, k = sympy.symbols("i j k", integer=True)
x, a = sympy.IndexedBase("x", shape=(n,)), sympy.IndexedBase("a", shape=(n,))


def on(values, *names):
    return {name: values[name] for name in names}


RIGHT = {
    "log det": (sympy.log(sympy.Determinant(X)), "X", lambda v: np.linalg.inv(v["X"]).T),
    "function of a trace": (
        sympy.exp(sympy.Trace(A * X)),
        "X",
        lambda v: np.exp(np.trace(v["A"] @ v["X"])) * v["A"].T,
    ),
    "trace of a Hadamard product": (
        sympy.Trace(sympy.HadamardProduct(A, X)),
        "X",
        lambda v: np.diag(np.diag(v["A"])),
    ),
    "x[i] under its own sum": (sympy.Sum(x[i], (i, 0, n - 1)), "x", lambda v: np.ones(3)),
    "squares under a sum": (sympy.Sum(x[i] ** 2, (i, 0, n - 1)), "x", lambda v: 2 * v["x"]),
    "softmax": (
        sympy.exp(x[i]) / sympy.Sum(sympy.exp(x[i]), (i, 0, n - 1)),
        "x",
        lambda v: np.diag(s := np.exp(v["x"]) / np.exp(v["x"]).sum()) - np.outer(s, s),
    ),
    "x over its norm": (
        x[i] / sympy.sqrt(sympy.Sum(x[j] ** 2, (j, 0, n - 1))),
        "x",
        lambda v: np.eye(3) / (r := np.linalg.norm(v["x"])) - np.outer(v["x"], v["x"]) / r**3,
    ),
    "distance": (
        sympy.sqrt(sympy.Sum((x[i] - a[i]) ** 2, (i, 0, n - 1))),
        "x",
        lambda v: (v["x"] - v["a"]) / np.linalg.norm(v["x"] - v["a"]),
    ),
    "an index used outside of a sum over it": (
        x[i] * sympy.Sum(x[i] * a[i], (i, 0, n - 1)),
        "x",
        lambda v: np.eye(3) * (v["x"] @ v["a"]) + np.outer(v["x"], v["a"]),
    ),
    "sums over one letter inside one another": (
        sympy.Sum(x[i] * sympy.Sum(x[i] * a[i], (i, 0, n - 1)), (i, 0, n - 1)),
        "x",
        lambda v: np.ones(3) * (v["x"] @ v["a"]) + np.sum(v["x"]) * v["a"],
    ),
    "a delta": (
        a[i] * sympy.Sum(sympy.KroneckerDelta(i, j) * x[j] ** 2, (j, 0, n - 1)),
        "x",
        lambda v: np.diag(2 * v["a"] * v["x"]),
    ),
}


@pytest.mark.parametrize("case", RIGHT)
def test_what_plain_sympy_gets_wrong_or_refuses(case):
    expr, wrt, want = RIGHT[case]
    rng = np.random.default_rng(0)
    values = {
        "X": rng.standard_normal((3, 3)),
        "A": rng.standard_normal((3, 3)),
        "x": rng.standard_normal(3),
        "a": rng.standard_normal(3),
    }
    d = derive(expr, wrt)
    names = [v for v in values if v in d.taken]
    np.testing.assert_allclose(d.compile()(**on(values, *names)), want(values), rtol=1e-9, atol=1e-9)
    assert d.proof.steps


@pytest.mark.parametrize(
    "expr",
    [x[0] ** 2, sympy.Sum(x[i] * x[0], (i, 0, n - 1)), sympy.Sum(x[i] * x[i + 1], (i, 0, n - 2))],
    ids=str,
)
def test_entries_at_numbers_are_right_or_refused(expr):
    try:
        d = derive(expr, "x")
    except symderiv.SymderivError:
        return
    assert d.shape == (n,)


def test_hessian_of_a_cube():
    d = derive(sympy.Trace(X**3), ["X", "X"])
    value = np.random.default_rng(0).standard_normal((3, 3))
    one = np.eye(3)
    want = 3 * (np.einsum("jk,li->ijkl", one, value) + np.einsum("jk,li->ijkl", value, one))
    np.testing.assert_allclose(d.compile()(X=value), want, atol=1e-12)


def test_sympy_still_fails_where_the_table_says():
    """Two of the reasons for the table above; when SymPy mends them, the table may lose them."""
    assert sympy.Sum(x[i], (i, 0, n - 1)).diff(x[i]).doit() == n
    assert sympy.log(sympy.Determinant(X)).diff(X) == sympy.ZeroMatrix(n, n)


def numeric(form, values, free, at):
    """Return an entry of an index form, its sums written out with ranges that are numbers."""
    form = form.doit()
    form = form.xreplace(dict(zip(free, map(sympy.Integer, at), strict=True)))
    entries = {e: values[str(e.base)][tuple(int(t) for t in e.indices)] for e in form.atoms(sympy.Indexed)}
    return float(sympy.sympify(form.xreplace(entries)))


@pytest.mark.parametrize(
    ("text", "wrt", "shapes"),
    [
        ("norm(X @ w - y)**2", "w", "X(n,p) w(p) y(n)"),
        ("x * sum(x)", "x", "x(n)"),
        ("exp(x) * x", "x", "x(n)"),
        ("outer(x, y)", "x", "x(n) y(p)"),
    ],
)
def test_the_index_form_has_the_value(text, wrt, shapes, shapes_of, arrays):
    d = derive(text, wrt, shapes=shapes_of(shapes))
    at = arrays(shapes)
    want = np.asarray(d.compile()(**at))
    symbols = {s for s in d.index_form.free_symbols if str(s) in ("n", "p")}
    form = d.index_form.xreplace({s: sympy.Integer({"n": 3, "p": 2}[str(s)]) for s in symbols})
    for place in np.ndindex(want.shape):
        assert numeric(form, at, d.free_indices, place) == pytest.approx(want[place])


# --- determinism

PROGRAM = """
import symderiv
cases = [("norm(X @ w - y)**2", ["w"]), ("sum(softmax(X @ w, 0) * y)", ["w", "w"]),
         ("logdet(X.T @ X + outer(w, w))", ["X"]),
         ("einsum('ij,jk,ki->', X, outer(w, w), X.T)", ["w"]), ("sum(tanh(X @ tanh(X.T @ y)))", ["X"])]
for text, wrt in cases:
    d = symderiv.derive(text, wrt, shapes={"X": ("n", "p"), "w": ("p",), "y": ("n",)})
    print(d, d.to_latex(), d.to_numpy(), d.statements(), d.index_form, d.proof, d.proof.to_latex(), sep="\\n")
"""


def test_two_processes_give_the_same_bytes():
    said = [
        subprocess.run(
            [sys.executable, "-c", PROGRAM],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("1", "271828")
    ]
    assert said[0] == said[1]
    assert len(said[0]) > 1000


def test_the_box_closes_a_proof_only_where_the_kernel_accepts_it(monkeypatch):
    shapes = {"x": ("n",), "A": ("n", "n")}
    assert r"\square" in derive("x @ A @ x", "x", shapes=shapes).proof.to_latex()

    def refuse(*_):
        raise symderiv.ProofError("a bad step")

    monkeypatch.setattr("symderiv.check.part.check", refuse)
    assert r"\square" not in derive("x @ A @ x", "x", shapes=shapes).proof.to_latex()


def soft(x):
    return np.exp(x) / np.exp(x).sum(1, keepdims=True)


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("inv(tanh(kron(W, A)))", lambda A, W: np.linalg.inv(np.tanh(np.kron(W, A)))),
        ("det(exp(kron(W, A)))", lambda A, W: np.linalg.det(np.exp(np.kron(W, A)))),
        (
            "logdet(tanh(kron(A, W)) + kron(A, W))",
            lambda A, W: np.linalg.slogdet(np.tanh(np.kron(A, W)) + np.kron(A, W))[1],
        ),
        ("softmax(kron(A, W), 1)", lambda A, W: soft(np.kron(A, W))),
        ("logsumexp(outer(diag(A), vec(W)), -1)", lambda A, W: np.log(np.exp(np.outer(np.diag(A), W.T)).sum(1))),
    ],
)
def test_functions_of_matrices_over_composed_axes(text, plain):
    values = {"A": np.random.default_rng(4).normal(size=(3, 3)), "W": np.random.default_rng(5).normal(size=(2, 2))}
    step, columns = 1e-6, []
    for k in np.ndindex(3, 3):
        shift = np.zeros((3, 3))
        shift[k] = step
        above, below = (np.asarray(plain(values["A"] + s, values["W"])) for s in (shift, -shift))
        columns.append((above - below) / (2 * step))
    truth = np.moveaxis(np.array(columns), 0, -1)
    truth = truth.reshape(*truth.shape[:-1], 3, 3)
    d = derive(text, "A", shapes={"A": ("m", "m"), "W": (2, 2)})
    assert d.compile()(**values) == pytest.approx(truth, rel=1e-4, abs=1e-5)


def test_more_indices_than_letters_are_refused():
    assert len(set(lettered(range(len(LETTERS))).values())) == len(LETTERS)
    with pytest.raises(symderiv.UnsupportedError, match="more of them than there are letters"):
        lettered(range(len(LETTERS) + 1))


@pytest.mark.parametrize(
    "text", ["trace(arcsin(A / 9))", "trace(maximum(A, M))", "trace(sqrt(1 + A**2) * A)", "diag(tanh(A) * A)"]
)
def test_a_diagonal_is_taken_before_a_function_is(text):
    given = {
        "A": np.random.default_rng(3).standard_normal((3, 3)),
        "M": np.random.default_rng(4).standard_normal((3, 3)),
    }
    d = derive(text, "A", shapes={"A": ("m", "m"), "M": ("m", "m")})
    d.proof.check()
    f = derive(text, "M", shapes={"A": ("m", "m"), "M": ("m", "m")}).compile(value=True)
    step, slopes = 1e-6, np.empty((*np.shape(f(**given)[0]), 3, 3))
    for at in np.ndindex(3, 3):
        moved = [
            {**given, "A": given["A"] + sign * step * np.eye(9)[3 * at[0] + at[1]].reshape(3, 3)} for sign in (1, -1)
        ]
        slopes[(..., *at)] = (f(**moved[0])[0] - f(**moved[1])[0]) / (2 * step)
    np.testing.assert_allclose(d.compile()(**given), slopes, rtol=1e-6, atol=1e-7)


def test_results_do_not_depend_on_the_seed_of_hashes():
    lines = "import symderiv\n" + "\n".join(
        f"print(symderiv.derive({text!r}, {by!r}, shapes={{'a': ('n',), 'b': ('n',), 'X': ('n', 'n')}}).result)"
        for text, by in [("a @ (X @ X).T @ X @ X @ b", "X"), ("sum(tanh(X @ a) * b) + trace(X @ X @ X)", "X")]
    )
    found = {
        subprocess.run(
            [sys.executable, "-c", lines],
            capture_output=True,
            text=True,
            check=True,
            env={**os.environ, "PYTHONHASHSEED": seed},
        ).stdout
        for seed in ("0", "1", "2")
    }
    assert len(found) == 1
