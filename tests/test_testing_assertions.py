"""Assertions that are proofs: what passes, what fails, and what the failure says."""

from __future__ import annotations

import ast
import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from symderiv import testing
from symderiv.check.outcome import Outcome
from symderiv.errors import ShapeError, UnsupportedError
from symderiv.tensor.parse import parse, scope_of
from symderiv.testing import DifferenceError, UndecidedError, assert_derivative, assert_equivalent

VECTOR = {"x": ("n",), "A": ("n", "n")}
LEAST = {"X": ("n", "p"), "w": ("p",), "y": ("n",), "c": ()}
NETWORK = {"W": ("k", "h"), "V": ("h", "d"), "b": ("h",), "x": ("d",), "y": ("k",)}


def failed(call, *args, **given):
    with pytest.raises(DifferenceError) as err:
        call(*args, **given)
    return err.value.failure


# ---------------------------------------------------------------- derivatives


def test_a_right_one_is_proved():
    assert assert_derivative("x @ A @ x", "x", "A @ x + A.T @ x", shapes=VECTOR).basis == "kernel"


def test_a_wrong_one_fails_with_all_that_is_known():
    failure = failed(assert_derivative, "x @ A @ x", "x", "2 * A @ x", shapes=VECTOR)
    text = str(failure)
    assert text.startswith("2 * A @ x is not the derivative of x @ A @ x with respect to x\n  entry (")
    assert f"the derivative is {failure.left:.10g}, expected was {failure.right:.10g}" in text
    assert "at n = 4, seed 0" in text
    assert "it should be: (A + A.T) @ x" in text
    x, a = (np.array(failure.point[name]) for name in ("x", "A"))
    np.testing.assert_allclose(failure.left, ((a + a.T) @ x)[failure.entry])
    np.testing.assert_allclose(failure.right, (2 * a @ x)[failure.entry])
    assert "A = [[" in failure.details


def test_the_seed_chooses_the_point():
    points = [
        failed(assert_derivative, "x @ A @ x", "x", "2 * A @ x", shapes=VECTOR, seed=s).point["x"] for s in (0, 0, 1)
    ]
    assert points[0] == points[1] != points[2]


def test_what_is_undecided_is_an_error_of_its_own(monkeypatch):
    def undecided(*_args, **_given):
        return Outcome("undecided", "for the sake of the test")

    monkeypatch.setattr("symderiv.check.decide.decide_derivative", undecided)
    monkeypatch.setattr("symderiv.verdict.decide_derivative", undecided, raising=False)
    claim = ("sum(x)", "x", "x")
    with pytest.raises(UndecidedError, match="for the sake of the test") as err:
        assert_derivative(*claim, shapes={"x": ("n",)})
    assert not isinstance(err.value, AssertionError)
    assert assert_derivative(*claim, shapes={"x": ("n",)}, allow_undecided=True).status == "undecided"


def test_another_shape_is_an_error():
    with pytest.raises(ShapeError, match="another shape"):
        assert_derivative("x @ A @ x", "x", "A", shapes=VECTOR)


def test_failures_pickle():
    with pytest.raises(DifferenceError) as err:
        assert_derivative("sum(x**2)", "x", "x", shapes=VECTOR)
    again = pickle.loads(pickle.dumps(err.value))
    assert (str(again), again.failure) == (str(err.value), err.value.failure)


# ---------------------------------------------------------------- the step that differs


@pytest.mark.parametrize(
    ("expr", "wrt", "claim", "shapes", "said"),
    [
        ("x @ A @ x", "x", "A @ x", VECTOR, ["product, leads to 2 terms", "x[q] * A[q, i]", "not at all"]),
        ("x @ A @ x", "x", "2 * A @ x", VECTOR, ["A[i, t] * x[t]) 2 times", "not at all"]),
        ("sum(x**3)", "x", "x**2", VECTOR, ["power", "without the factor 3"]),
        ("norm(X @ w - y)**2", "w", "X.T @ (X @ w - y)", LEAST, ["2 * u[i]", "without the factor 2"]),
        ("norm(X @ w - y)**2 + c * w @ w", "w", "2 * X.T @ (X @ w - y) + c * w", LEAST, ["2 * c * w[k] 0.5 times"]),
        ("softmax(x, 0)", "x", "diag(softmax(x, 0))", VECTOR, ["softmax, leads to 2 terms", "not at all"]),
        ("norm(X @ w - y)**2", "w", "5 * X.T @ (X @ w - y)", LEAST, ["2.5 times"]),
    ],
)
def test_the_step_is_named(expr, wrt, claim, shapes, said):
    step = failed(assert_derivative, expr, wrt, claim, shapes=shapes).step
    assert all(part in step for part in said), step


def test_the_first_wrong_value_on_the_way_back_is_named():
    def loss(W, V, b, x, y):
        a = V @ x + b
        z = np.tanh(a)
        e = W @ z - y
        return e @ e

    def gradient(W, V, b, x, y):
        z = np.tanh(V @ x + b)
        da = W.T @ (2 * (W @ z - y)) * (1 - z)
        return np.outer(da, x)

    step = failed(assert_derivative, loss, "V", gradient, shapes=NETWORK).step
    assert step.startswith("diff(f, a[")
    assert "what is expected has no such value" in step


def test_no_step_is_better_than_a_wrong_one():
    assert failed(assert_derivative, "norm(X @ w - y)**2", "w", "X.T @ exp(y)", shapes=LEAST).step == ""


# ---------------------------------------------------------------- two sides


@pytest.mark.parametrize(
    ("a", "b"),
    [("trace(A @ A)", "sum(A * A.T)"), ("x @ A", "A.T @ x"), ("logdet(A @ A)", "2 * logdet(A)")],
)
def test_equal_expressions(a, b):
    assert assert_equivalent(a, b, shapes=VECTOR, assume={"A": "positive_definite"}).status == "proved"


def test_different_expressions():
    failure = failed(assert_equivalent, "A @ x", "A.T @ x", shapes=VECTOR)
    assert "the first is" in str(failure)
    x, a = (np.array(failure.point[name]) for name in ("x", "A"))
    np.testing.assert_allclose([failure.left, failure.right], [(a @ x)[failure.entry], (a.T @ x)[failure.entry]])


def test_functions_and_texts():
    def lse(x):
        m = np.exp(x)
        return np.log(m.sum())

    assert assert_equivalent(lse, "logsumexp(x)", shapes=VECTOR).status == "proved"
    failed(assert_equivalent, lse, "log(sum(x))", shapes=VECTOR)


def test_functions_that_cannot_be_traced_are_compared_at_arguments():
    def slow(x):
        return sum(float(v) for v in x)

    assert assert_equivalent(slow, lambda x: np.sum(x), shapes=VECTOR, args=(np.arange(3.0),)) is None
    failure = failed(assert_equivalent, slow, lambda x: np.mean(x), shapes=VECTOR, args=(np.arange(3.0),))
    assert (failure.left, failure.right) == (3.0, 1.0)
    with pytest.raises(UnsupportedError):
        assert_equivalent(slow, lambda x: np.sum(x), shapes=VECTOR)


def test_different_shapes_are_an_error():
    with pytest.raises(ShapeError):
        assert_equivalent("A @ x", "A", shapes=VECTOR)


def test_sizes_too_large_to_be_tested_are_undecided_at_once():
    scope = scope_of({"x": (10**18,)})
    assert parse("sum(x)", scope).shape == ()
    with pytest.raises(UndecidedError, match="too large to be tested"):
        assert_derivative("sum(x**2)", "x", "x", shapes={"x": (10**18,)})


# ---------------------------------------------------------------- what is imported


def test_importing_it_imports_nothing_heavy():
    code = (
        "import sys, symderiv.testing; print(*{'numpy', 'sympy', 'pytest', '_pytest', 'hypothesis'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


@pytest.mark.parametrize("module", sorted(Path(testing.__file__).parent.glob("*.py")), ids=lambda path: path.stem)
def test_only_what_is_for_them_imports_pytest_or_hypothesis(module):
    found = {
        name.partition(".")[0]
        for node in ast.walk(ast.parse(module.read_text(encoding="utf-8")))
        if isinstance(node, (ast.Import, ast.ImportFrom))
        for name in ([node.module or ""] if isinstance(node, ast.ImportFrom) else [a.name for a in node.names])
    }
    allowed = {"plugin": {"pytest"}, "documents": {"pytest"}, "strategies": {"hypothesis"}}
    assert found & {"pytest", "_pytest", "hypothesis"} <= allowed.get(module.stem, set())
