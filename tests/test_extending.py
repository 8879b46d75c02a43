"""Functions, operations and rules added from outside: derived, proved, checked, generated; and refused where wrong."""

from __future__ import annotations

import math
import os
import subprocess
import sys
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import sympy

import symderiv
from symderiv import Function, ParseError, ProofError, ShapeError, UnsupportedError, derive, numpy_names, verify
from symderiv.extending import add_function, add_operation, add_rule, remove
from symderiv.index.nodes import Power, Times

BUMP = Function("bump", "-2 * u * f", r"\operatorname{bump}", "np.exp(-({0})**2)", formula="exp(-(u**2))")
ERF = Function(
    "erf", "1.1283791670955126 * exp(-(u**2))", r"\operatorname{erf}", "erf({0})",
    call=np.vectorize(math.erf, otypes=[float]),
)  # fmt: skip
ERF_CODE = "from scipy.special import erf as {name}\n"
SHAPES = {"A": ("m", "n"), "x": ("n",)}
rng = np.random.default_rng(7)


@pytest.fixture
def added():
    """Return a place for the names that a test adds."""
    names: list[str] = []
    yield names
    for name in names:
        remove(name)


def differences(f, x, h=1e-6):
    return np.array([(f(x + h * e) - f(x - h * e)) / (2 * h) for e in np.eye(len(x))])


def test_a_function_is_one_row(added):
    added.append("bump")
    add_function(BUMP)
    d = derive("sum(bump(A @ x))", "x", shapes=SHAPES)
    assert str(d.result) == "-2 * A.T @ (bump(A @ x) * (A @ x))"
    d.proof.check()
    assert r"\operatorname{bump}" in d.proof.to_latex()
    A, x = rng.random((4, 3)), rng.random(3)
    value, slope = d.compile(value=True)(A=A, x=x)
    f = lambda x: np.exp(-((A @ x) ** 2)).sum()  # noqa: E731
    assert np.isclose(value, f(x))
    np.testing.assert_allclose(slope, differences(f, x), rtol=1e-6)
    np.testing.assert_allclose(numpy_names.bump(x), np.exp(-(x**2)))


def test_a_second_derivative_and_a_verdict(added):
    added.append("bump")
    add_function(BUMP)
    x = rng.random(3)
    hessian = derive("sum(bump(x))", ["x", "x"], shapes={"x": ("n",)}).compile()(x=x)
    np.testing.assert_allclose(hessian, np.diag((4 * x**2 - 2) * np.exp(-(x**2))), atol=1e-12)
    claim = {"expr": "sum(bump(x))", "wrt": "x", "shapes": {"x": ("n",)}}
    assert verify(claim="-2 * x * bump(x)", **claim).basis == "kernel"
    assert verify(claim="2 * x * bump(x)", **claim).status == "refuted"
    assert verify(claim="-2 * x * exp(-(x**2))", **claim).status != "refuted"


def test_a_function_whose_code_brings_a_helper_along(added):
    added.append("erf")
    add_function(ERF, ERF_CODE)
    d = derive("sum(erf(A @ x))", "x", shapes=SHAPES)
    assert "from scipy.special import erf" in d.to_numpy(value=True)
    A, x = rng.random((4, 3)), rng.random(3)
    value, slope = d.compile(value=True)(A=A, x=x)
    assert np.isclose(value, ERF.call(A @ x).sum())
    np.testing.assert_allclose(slope, differences(lambda x: ERF.call(A @ x).sum(), x), rtol=1e-6)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"derivative": "2 * u * f"}, "derivative gives"),
        ({"numpy": "np.exp({0})"}, "numpy gives"),
        ({"derivative": "2 * v"}, "unknown name 'v'"),
        ({"derivative": "2 *"}, "derivative of bump cannot be read"),
        ({"formula": ""}, "nothing tells the values"),
        ({"name": "tanh"}, "already"),
        ({"name": "diff"}, "already"),
        ({"name": "lambda"}, "no name"),
        ({"numpy": "__import__('os').getcwd() + {0}"}, "is not run"),
    ],
)
def test_a_wrong_row_is_refused_and_not_kept(change, why):
    with pytest.raises((ParseError, UnsupportedError), match=why):
        add_function(replace(BUMP, **change))
    with pytest.raises(ParseError, match="unknown function"):
        derive("sum(bump(x))", "x", shapes={"x": ("n",)})
    assert derive("sum(tanh(x))", "x", shapes={"x": ("n",)})


def test_an_operation_is_one_index_line(added):
    added.append("gram")
    add_operation("gram(A, B)[i, j] = sum[q](A[q, i] * B[q, j]) + delta[i, j]")
    d = derive("logdet(gram(X, X))", "X", shapes={"X": ("m", "n")})
    d.proof.check()
    X = rng.random((4, 3))
    slope = d.compile()(X=X)
    np.testing.assert_allclose(slope, 2 * X @ np.linalg.inv(X.T @ X + np.eye(3)))
    assert verify("trace(gram(X, Y))", "X", "Y", shapes={"X": ("m", "n"), "Y": ("m", "n")}).status == "proved"


def test_operations_of_other_ranks_and_of_one_another(added):
    added += ["weighted", "total"]
    add_operation("weighted(x, w)[i] = w[i] * x[i] / sum[j](w[j])")
    add_operation("total(x, w) = sum[i](weighted(x, w)[i])")
    d = derive("total(x**2, w)", "x", shapes={"x": ("n",), "w": ("n",)})
    x, w = rng.random(5), rng.random(5)
    np.testing.assert_allclose(d.compile()(x=x, w=w), 2 * w * x / w.sum())


def test_an_operation_of_definitions_in_a_sheet(added):
    added.append("gram")
    add_operation("gram(A)[i, j] = sum[q](A[q, i] * A[q, j])")
    sheet = symderiv.Sheet("X: (m, n)\nW: (n, p)\nY = X @ W\nG = trace(gram(Y))\nassert diff(G, W) == 2 * X.T @ Y")
    assert [c.basis for c in sheet.claims] == ["kernel"]


def test_shapes_that_do_not_fit_an_operation(added):
    added.append("gram")
    add_operation("gram(A, B)[i, j] = sum[q](A[q, i] * B[q, j])")
    with pytest.raises(ShapeError, match="gram") as err:
        derive("trace(gram(X, y))", "X", shapes={"X": ("m", "n"), "y": ("n",)})
    assert "sum[q]" in str(err.value)
    with pytest.raises(ParseError, match="takes 2 arguments"):
        derive("trace(gram(X))", "X", shapes={"X": ("m", "n")})


@pytest.mark.parametrize(
    "line", ["", "gram", "gram(A) = ", "gram(A)[i] == A[i]", "gram()[i] = 1", "gram(A, A)[i] = A[i]", "x = A[i]",
             "tanh(A)[i] = A[i]", "gram(A)[1] = A[1]", "import os"],
)  # fmt: skip
def test_what_is_no_index_line(line):
    with pytest.raises(ParseError):
        add_operation(line)


def squares(expr, context):
    """`f f = f²` for factors side by side."""
    if not isinstance(expr, Times):
        return None
    for k, (one, other) in enumerate(pairwise(expr.args)):
        if one == other:
            rest = [*expr.args[:k], Power(one, sympy.Integer(2)), *expr.args[k + 2 :]]
            return Times(*rest) if len(rest) > 1 else rest[0]
    return None


def test_a_rule_is_a_function(added):
    text, shapes = "sum(x * x * x)", {"x": ("n",)}
    before = derive(text, "x", shapes=shapes).proof
    added.append("squares")
    add_rule("squares", squares)
    proof = derive(text, "x", shapes=shapes).proof
    proof.check()
    assert "squares" in {s.rule for s in proof.steps} - {s.rule for s in before.steps}
    assert str(proof.arguments[-1].right) == str(before.arguments[-1].right)
    assert symderiv.check_proof(proof.to_json())


def test_a_wrong_rule_is_refused_by_the_kernel(added):
    def halving(expr, context):
        """`2 f = f`, which is wrong."""
        return Times(*expr.args[1:]) if isinstance(expr, Times) and len(expr.args) > 2 and expr.args[0] == 2 else None

    added.append("halving")
    add_rule("halving", halving)
    with pytest.raises(ProofError):
        derive("norm(A @ x)**2", "x", shapes=SHAPES).proof.check()


def test_a_rule_says_what_it_is():
    with pytest.raises(UnsupportedError, match="docstring"):
        add_rule("silent", lambda expr, context: None)
    with pytest.raises(ParseError, match="already"):
        add_rule("chain", squares)


PLUGIN = """
from symderiv import Function, add_function, add_operation


def extend():
    latex = "\\\\\\\\operatorname{bump}"
    add_function(Function("bump", "-2 * u * f", latex, "np.exp(-({0})**2)", formula="exp(-(u**2))"))
    add_operation("gram(A)[i, j] = sum[q](A[q, i] * A[q, j])")


def broken():
    raise RuntimeError("no luck")
"""


def test_a_package_brings_its_own_along(tmp_path: Path):
    """As installed: a module, and the entry points of its distribution."""
    (tmp_path / "bumps.py").write_text(PLUGIN.replace("\\\\\\\\", "\\\\"))
    info = tmp_path / "bumps-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: bumps\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[symderiv.extensions]\nbumps = bumps:extend\nworse = bumps:broken\n")
    code = "import symderiv; print(symderiv.derive('trace(gram(bump(X)))', 'X', shapes={'X': ('m', 'n')}).result)"
    path = os.pathsep.join([str(tmp_path), str(Path(symderiv.__file__).parents[1])])
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env={**os.environ, "PYTHONPATH": path}
    )
    assert done.stdout.strip() == "-4 * bump(X)**2 * X", done.stderr
    assert "the extension worse (bumps:broken) was left out: no luck" in done.stderr
