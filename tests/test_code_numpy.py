"""Generated code: self-contained, named well, shared parts computed once, stable far out."""

from __future__ import annotations

import ast

import numpy as np
import pytest

from symderiv import derive
from symderiv.code.compiled import compiled
from symderiv.code.numpy import function_source
from symderiv.code.source import Argument, Source
from symderiv.tensor.parse import parse, scope_of

SHAPES = {"X": ("n", "p"), "w": ("p",), "y": ("n",), "S": ("n", "n"), "c": ()}


def written(text, shapes=None, **more):
    scope = scope_of(shapes or SHAPES)
    expr = parse(text, scope)
    return function_source(
        Source("f", [Argument(k, v.shape) for k, v in scope.names.items()], [expr], "Summary.", **more)
    )


@pytest.mark.parametrize(
    "text",
    [
        "X @ w",
        "softmax(X, 1)",
        "sigmoid(X)",
        "logdet(S)",
        "solve(S, y)",
        "eye(n) * n",
        "reshape(X, (n * p,))",
        "where(w > 0, w, 0)",
    ],
)
def test_the_source_is_one_module_with_numpy_alone(text):
    tree = ast.parse(written(text))
    imports = [n for n in ast.walk(tree) if isinstance(n, (ast.Import, ast.ImportFrom))]
    assert [a.name for i in imports for a in i.names] == ["numpy"]
    functions = [n.name for n in tree.body if isinstance(n, ast.FunctionDef)]
    assert functions[-1] == "f"
    assert ast.get_docstring(tree.body[-1]).startswith("Summary.")


def test_the_docstring_gives_every_shape():
    doc = compiled(written("X @ w", notes=["A note."]), "f").__doc__
    assert "X: shape (n, p)" in doc
    assert "c: shape ()" in doc
    assert "Returns an array of shape (n,)." in doc
    assert "A note." in doc


def test_what_stands_twice_is_computed_once():
    source = written("tanh(X @ w) * (1 - tanh(X @ w)**2)")
    assert source.count("tanh(") == 1
    assert source.count("X @ w") == 1


def test_sizes_are_read_off_the_arguments():
    f = compiled(written("n * p * eye(p)"), "f")
    X, w, y = np.ones((3, 2)), np.ones(2), np.ones(3)
    np.testing.assert_array_equal(f(X, w, y, np.eye(3), 1.0), 6 * np.eye(2))


@pytest.mark.parametrize("name", ["np", "softmax", "sigmoid", "t1", "e", "x", "axis"])
def test_arguments_may_be_called_like_what_the_code_needs(name):
    scope_shapes = {name: ("n", "n"), "b": ("n",)}
    f = compiled(written(f"softmax({name} @ b, 0) + sigmoid({name} @ b)", scope_shapes), "f")
    M, b = np.arange(4.0).reshape(2, 2) / 4, np.array([0.2, -0.5])
    z = M @ b
    np.testing.assert_allclose(f(M, b), np.exp(z) / np.exp(z).sum() + 1 / (1 + np.exp(-z)))


def test_an_argument_called_np_is_transposed_like_any_other():
    d = derive("sum(exp(np.T) * A)", "A", shapes={"np": ("n", "m"), "A": ("m", "n")})
    value = np.arange(6.0).reshape(2, 3)
    np.testing.assert_allclose(d.compile()(np=value, A=value.T), np.exp(value).T)


@pytest.mark.parametrize("size", ["np", "t1", "softmax"])
def test_sizes_may_too(size):
    f = compiled(written(f"softmax(b * {size}, 0)", {"b": (size,)}), "f")
    np.testing.assert_allclose(f(np.zeros(4)), np.full(4, 0.25))


@pytest.mark.parametrize("size", ["derivative", "value", "arr", "float"])
def test_sizes_called_like_the_function_or_a_builtin(size):
    f = derive("mean(b) * b", "b", shapes={"b": (size,)}).compile()
    np.testing.assert_allclose(f(b=np.ones(3)), np.eye(3) + 1 / 3)


@pytest.mark.parametrize(
    ("text", "shapes", "wrong"),
    [
        ("X.T @ (X @ w)", None, ["einsum"]),
        ("diag(w) @ X.T", None, []),
        ("c * (X @ w)", None, []),
    ],
)
def test_words_of_numpy(text, shapes, wrong):
    assert not any(word in written(text, shapes) for word in wrong)


def test_a_large_array_is_scaled_last():
    assert "(X @ w)" in written("c * (X @ w)")


def test_float32_stays_and_inputs_are_not_changed():
    f = derive("sum(softmax(X @ w, 0) * y)", "w", shapes=SHAPES).compile()
    rng = np.random.default_rng(0)
    given = {
        "X": rng.standard_normal((3, 2)).astype("f"),
        "w": rng.standard_normal(2).astype("f"),
        "y": rng.standard_normal(3).astype("f"),
    }
    before = {k: v.copy() for k, v in given.items()}
    assert f(**given).dtype == np.float32
    assert all(np.array_equal(before[k], given[k]) for k in given)


def test_what_returns_an_argument_does_not_return_a_view_of_it():
    y = np.ones(3)
    got = derive("y @ x", "x", shapes={"x": ("n",), "y": ("n",)}).compile()(x=np.zeros(3), y=y)
    np.testing.assert_array_equal(got, y)


@pytest.mark.parametrize(
    ("text", "x"),
    [
        ("log(exp(-z) + 1)", 800.0),
        ("log(exp(-z) + 1)", -800.0),
        ("softplus(z)", 800.0),
        ("logsumexp(z)", 800.0),
        ("softmax(z, 0)", 800.0),
    ],
)
def test_stable_far_out(text, x):
    with np.errstate(all="raise", under="ignore"):
        got = derive(text, "z", shapes={"z": ("n",)}).compile()(z=np.array([x, 0.0]))
    assert np.all(np.isfinite(got))
