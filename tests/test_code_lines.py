"""Lines of generated code: short ones, and nothing is written over that is still of use."""

from __future__ import annotations

import re

import numpy as np
import pytest

from symderiv import derive
from symderiv.code.compiled import compiled
from symderiv.code.lines import WIDTH
from symderiv.code.numpy import function_source
from symderiv.code.source import Argument, Source
from symderiv.tensor.parse import parse, scope_of

SHAPES = {"X": ("n", "p"), "Y": ("n", "p"), "G": ("n", "p"), "d": ("n",), "w": ("p",)}
rng = np.random.default_rng(0)


def source(*texts, names=None, keys=()):
    scope = scope_of(SHAPES)
    results = [parse(text, scope) for text in texts]
    arguments = [Argument(k, v.shape) for k, v in scope.names.items()]
    called = {parse(text, scope): name for text, name in (names or {}).items()}
    return function_source(Source("f", arguments, results, "f.", names=called, keys=keys))


def arrays(n=4, p=3):
    sizes = {"n": n, "p": p}
    return {name: rng.normal(size=[sizes[s] for s in shape]) for name, shape in SHAPES.items()}


def statements(text):
    return [line.strip() for line in text.split('"""')[-1].strip().splitlines()]


def softmax(x):
    e = np.exp(x - x.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


CASES = {
    "tanh(X) * Y + tanh(X)": lambda a: np.tanh(a["X"]) * a["Y"] + np.tanh(a["X"]),
    "(Y - tanh(X)) / exp(X)": lambda a: (a["Y"] - np.tanh(a["X"])) / np.exp(a["X"]),
    "tanh(X) * sum(tanh(X) * Y, 1)[:, None]": lambda a: np.tanh(a["X"]) * (np.tanh(a["X"]) * a["Y"]).sum(1)[:, None],
    "softmax(X, 1) * (Y - sum(softmax(X, 1) * Y, 1)[:, None])": lambda a: (
        softmax(a["X"]) * (a["Y"] - (softmax(a["X"]) * a["Y"]).sum(1)[:, None])
    ),
    "1 - exp(tanh(X))": lambda a: 1 - np.exp(np.tanh(a["X"])),
    "Y / (1 + exp(X)) - exp(X)": lambda a: a["Y"] / (1 + np.exp(a["X"])) - np.exp(a["X"]),
}


@pytest.mark.parametrize("text", CASES)
@pytest.mark.parametrize("sizes", [(4, 3), (1, 3), (3, 1), (2, 2)])
def test_values_and_arguments_stay(text, sizes):
    given = arrays(*sizes)
    before = {k: v.copy() for k, v in given.items()}
    found = compiled(source(text), "f")(**given)
    assert np.allclose(found, CASES[text](before), rtol=1e-12)
    assert all(np.array_equal(before[k], given[k]) for k in given)


@pytest.mark.parametrize("text", CASES)
def test_integers_are_taken(text):
    """What is written over holds floats whatever the arguments hold."""
    given = {k: rng.integers(-2, 3, v.shape) for k, v in arrays().items()}
    found = compiled(source(text), "f")(**given)
    assert np.allclose(found, CASES[text]({k: v.astype(float) for k, v in given.items()}))


def test_integers_where_nothing_becomes_a_float():
    given = {k: rng.integers(-2, 3, v.shape) for k, v in arrays().items()}
    found = compiled(source("(X - Y) * G - (X - Y) * 2"), "f")(**given)
    assert np.array_equal(found, (given["X"] - given["Y"]) * (given["G"] - 2))


def test_a_large_array_of_no_other_use_is_written_over():
    text = source("softmax(X, 1) * (Y - sum(softmax(X, 1) * Y, 1)[:, None])")
    assert re.search(r"^    t1 \*= ", text, re.M)
    assert "softmax(X, 1)" in text


def test_what_is_needed_again_is_not_written_over():
    lines = statements(source("tanh(X) * Y", "tanh(X)"))
    assert not any("*=" in line for line in lines)


def test_definitions_keep_their_values():
    lines = statements(source("tanh(X) * Y", names={"tanh(X)": "A"}))
    assert lines == ["A = np.tanh(X)", "return A * Y"]


@pytest.mark.parametrize("view", ["reshape(tanh(X), (n * p,))", "vec(tanh(X))", "tanh(X).T"])
def test_memory_under_two_names_is_not_written_over(view):
    """A definition that is a view of an array keeps its values when that array is of no use otherwise."""
    texts = (f"tanh(X) * exp(sum({view}))", f"exp(sum({view})) * Y", f"sin({view})")
    given = arrays()
    f = compiled(source(*texts, names={view: "V"}), "f")
    t = np.tanh(given["X"])
    wanted = {"r": t.reshape(-1), "v": t.T.reshape(-1), "t": t.T}[view[0]]
    for found, right in zip(
        f(**given), (t * np.exp(t.sum()), np.exp(t.sum()) * given["Y"], np.sin(wanted)), strict=True
    ):
        assert np.allclose(found, right)


@pytest.mark.parametrize("sign", [1, -1])
def test_a_matrix_that_is_factored_is_kept(sign):
    """Where Cholesky's factor is missing the matrix itself is read again."""
    scope = scope_of({"S": ("n", "n"), "b": ("n",)}, {"S": "symmetric"})
    texts = ("inv(tanh(S)) @ b", "tanh(S) * exp(sum(inv(tanh(S)) @ b))", "inv(tanh(S)) @ (b + sum(inv(tanh(S)) @ b))")
    arguments = [Argument(k, v.shape) for k, v in scope.names.items()]
    f = compiled(function_source(Source("f", arguments, [parse(t, scope) for t in texts], "f.")), "f")
    s, b = sign * (np.eye(3) + 0.1), np.array([0.1, 0.2, 0.3])
    k = np.tanh(s)
    x = np.linalg.solve(k, b)
    for found, right in zip(f(s, b), (x, k * np.exp(x.sum()), np.linalg.solve(k, b + x.sum())), strict=True):
        assert np.allclose(found, right)


def test_several_results_are_arrays_of_their_own():
    f = compiled(source("tanh(X) * Y", "tanh(X) * G", "tanh(X)"), "f")
    given = arrays()
    first, second, third = f(**given)
    t = np.tanh(given["X"])
    assert np.allclose(first, t * given["Y"]) and np.allclose(second, t * given["G"]) and np.allclose(third, t)
    assert not np.shares_memory(first, third) and not np.shares_memory(second, third)


def test_lines_are_short():
    text, shapes = "x", {"x": ("n",), "y": ("n",)}
    for k in range(1, 13):
        text, shapes[f"W{k}"] = f"tanh(W{k} @ {text})", ("n", "n")
    code = derive(f"norm({text} - y)**2", "W1", shapes=shapes).to_numpy()
    assert max(map(len, statements(code))) < WIDTH + 30


def test_small_results_stay_in_one_line():
    assert statements(source("X.T @ (X @ w - d)")) == ["return X.T @ (X @ w - d)"]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("S + 0.5 * eye(n)", lambda s: s + 0.5 * np.eye(len(s))),
        ("S @ S - diag(sum(S, 1) / 4)", lambda s: s @ s - np.diag(s.sum(1) / 4)),
        ("einsum('ij,kl->ikjl', 0.25 * S, eye(n))", lambda s: np.einsum("ij,kl->ikjl", 0.25 * s, np.eye(len(s)))),
    ],
)
@pytest.mark.parametrize("dtype", [int, np.float32, np.float64])
def test_what_is_written_to_some_entries_keeps_its_fractions(text, wanted, dtype):
    scope = scope_of({"S": ("n", "n")})
    f = compiled(function_source(Source("f", [Argument("S", scope.names["S"].shape)], [parse(text, scope)], "f.")), "f")
    s = np.array([[1, 2], [3, 5]], dtype=dtype)
    found = f(s)
    assert np.allclose(found, wanted(s.astype(float)))
    assert found.dtype == (np.float32 if dtype == np.float32 else np.float64)
    assert s[0, 0] == 1
