"""float32 in gives float32 out of the generated function itself, close to what float64 gives."""

from __future__ import annotations

import inspect
import warnings

import numpy as np
import pytest

from symderiv import derive, gradients, hvp

NET = "W1(m,n) b1(m) W2(p,m) x(n) y(p)"
PSD = {"K": "positive_definite"}
FIRST = [
    ("norm(X @ w - y)**2", "X(n,p) w(p) y(n)", {}),
    ("norm(X @ w - y)**2 / n + c * w @ w / 3", "X(n,p) w(p) y(n) c()", {}),
    ("sum(log(1 + exp(-y * (X @ w))))", "X(n,p) w(p) y(n)", {}),
    ("sum(softplus(X @ w)) - y @ X @ w", "X(n,p) w(p) y(n)", {}),
    ("norm(W2 @ tanh(W1 @ x + b1) - y)**2", NET, {}),
    ("norm(W2 @ relu(W1 @ x + b1) - y)**2", NET, {}),
    ("norm(W2 @ sigmoid(W1 @ x + b1) - y)", NET, {}),
    ("norm(T - U @ V.T)**2 + 0.1 * (sum(U**2) + sum(V**2))", "T(n,m) U(n,p) V(m,p)", {}),
    ("logdet(K) + y @ inv(K) @ y", "K(n,n) y(n)", PSD),
    ("logdet(A @ A.T + eye(n)) + trace(A)", "A(n,n)", {}),
    ("det(A) + trace(inv(A) @ B)", "A(n,n) B(n,n)", {"A": "invertible"}),
    ("logsumexp(X @ w) + y @ softmax(X @ w, 0)", "X(n,p) w(p) y(n)", {}),
    ("sum(logsumexp(X @ W, 1)) - sum(Y * (X @ W))", "X(n,p) W(p,q) Y(n,q)", {}),
    ("sum(where(x > 0, x**2, 0)) + sum(abs(x)) + mean(x) + sum(maximum(x, 0.5))", "x(n)", {}),
    ("sum(x**c) + sum(sqrt(x)) + sum(x**1.5) + prod(x)", "x(n) c()", {"x": "positive"}),
    ("sum(minimum(x, y)) + sum(sign(x) * y) + sum(log1p(x**2))", "x(n) y(n)", {}),
    ("norm(outer(x, y) + ones(n, m))**2 + sum(kron(x, y))", "x(n) y(m)", {}),
    ("a**3 / 7 + sin(a) * 0.1", "a()", {}),
    ("3 * a + sum(x) + sum(2 * A) + trace(A)", "a() x(n) A(n,n)", {}),
    ("trace(matrix_power(A, 3)) + sum(diag(A))", "A(n,n)", {}),
    ("sum(einsum('ijk,ik->ij', T, X)**2)", "T(n,m,p) X(n,p)", {}),
    ("x @ y", "x(s) y(s)", {}),
    ("sum(vec(A) * vec(B)) + sum(reshape(A, (n * m,))**2)", "A(n,m) B(n,m)", {}),
]  # fmt: skip
SECOND = [
    ("norm(X @ w - y)**2 + 0.1 * w @ w", "w", "X(n,p) w(p) y(n)", {}),
    ("sum(log(1 + exp(-y * (X @ w))))", "w", "X(n,p) w(p) y(n)", {}),
    ("norm(T - U @ V.T)**2", "U", "T(n,m) U(n,p) V(m,p)", {}),
    ("logsumexp(w)", "w", "w(p)", {}),
    ("sum(exp(w)) + norm(w)**2 / 2", "w", "w(p)", {}),
    ("logdet(K)", "K", "K(n,n)", PSD),
    ("x @ A @ x + 2 * x @ x", "x", "x(n) A(n,n)", {}),
    ("sum(T**3)", "T", "T(b,n,m)", {}),
    ("norm(W2 @ tanh(W1 @ x + b1) - y)**2", "W1", NET, {}),
    ("sum(where(x > 0, x**3, x**2))", "x", "x(n)", {}),
]
JACOBIANS = [
    ("tanh(A @ x)", "x", "A(n,m) x(m)", {}),
    ("softmax(x, 0)", "x", "x(n)", {}),
    ("inv(A)", "A", "A(n,n)", {"A": "invertible"}),
    ("A @ B + A", "A", "A(n,n) B(n,n)", {}),
    ("x / norm(x)", "x", "x(n)", {}),
    ("where(x > 0, x, 0)", "x", "x(n)", {}),
    ("2 * x + 1", "x", "x(n)", {}),
    ("kron(A, B)", "A", "A(n,m) B(p,q)", {}),
]


def bare(source, name):
    """Return a generated function as one has it who pasted its text."""
    space = {}
    exec(source, space)
    return space[name]


def called(function, given, kind):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        return function(**{n: given[n].astype(kind) for n in inspect.signature(function).parameters})


def flattened(result):
    if isinstance(result, dict):
        return [a for part in result.values() for a in flattened(part)]
    return [a for part in result for a in flattened(part)] if isinstance(result, tuple) else [result]


def check(source, name, given):
    function = bare(source, name)
    single, double = (flattened(called(function, given, kind)) for kind in ("f4", "f8"))
    for a, b in zip(single, double, strict=True):
        if isinstance(a, (int, float)):  # a constant takes the precision of what it meets
            assert a == b
            continue
        assert np.asarray(a).dtype == np.float32, source
        assert np.asarray(b).dtype == np.float64, source
        np.testing.assert_allclose(a, b, rtol=2e-3, atol=2e-4 * (1 + np.abs(b).max(initial=0)))


@pytest.mark.parametrize(("text", "shapes", "assume"), FIRST)
def test_value_and_gradients(text, shapes, assume, shapes_of, arrays):
    names = [n for n in shapes_of(shapes) if n in text]
    g = gradients(text, names, shapes=shapes_of(shapes), assume=assume)
    check(g.to_numpy(), "gradients", arrays(shapes, assume))


@pytest.mark.parametrize(("text", "wrt", "shapes", "assume"), SECOND)
def test_second_derivatives(text, wrt, shapes, assume, shapes_of, arrays):
    d = derive(text, [wrt, wrt], shapes=shapes_of(shapes), assume=assume)
    check(d.to_numpy(value=True), "derivative", arrays(shapes, assume))
    h = hvp(text, [wrt], shapes=shapes_of(shapes), assume=assume)
    given = arrays(shapes, assume)
    check(h.to_numpy(), "hvp", given | {f"V_{wrt}": np.random.default_rng(1).standard_normal(given[wrt].shape)})


@pytest.mark.parametrize(("text", "wrt", "shapes", "assume"), JACOBIANS)
def test_jacobians(text, wrt, shapes, assume, shapes_of, arrays):
    d = derive(text, wrt, shapes=shapes_of(shapes), assume=assume)
    check(d.to_numpy(value=True), "derivative", arrays(shapes, assume))


@pytest.mark.parametrize(("text", "wrt", "shapes", "assume"), SECOND)
def test_the_compiled_function(text, wrt, shapes, assume, shapes_of, arrays):
    given = {k: a.astype("f4") for k, a in arrays(shapes, assume).items()}
    g = gradients(text, [wrt], shapes=shapes_of(shapes), assume=assume)
    assert {np.asarray(a).dtype for a in flattened(g.compile()(**given))} == {np.dtype("f4")}
    d = derive(text, [wrt, wrt], shapes=shapes_of(shapes), assume=assume)
    assert d.compile()(**given).dtype == np.float32


@pytest.mark.parametrize("batch", [["x", "y"], ["x"]])
def test_batches(batch, shapes_of, arrays):
    g = gradients(FIRST[4][0], ["W1", "b1", "W2"], shapes=shapes_of(NET))
    given = arrays(NET)
    given |= {n: np.random.default_rng(3).standard_normal((6, *given[n].shape)) for n in batch}
    for summed in (False, True):
        check(g.to_numpy(batch=batch, summed=summed), "gradients", given)
