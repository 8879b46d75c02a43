"""Families written out at given lengths, against NumPy loops written by hand."""

from __future__ import annotations

import ast
from collections.abc import Mapping

import numpy as np
import pytest
import recurrences
import sympy
from scipy.special import softmax

from symderiv import dims
from symderiv.errors import SymderivError
from symderiv.statements.block import Names, read_block
from symderiv.statements.worlds import LONGEST, Unrolled
from symderiv.tensor.expr import Expr, walk

n, m, d = 3, 4, 2
OPERATIONS = {
    "add": np.add, "sub": np.subtract, "mul": np.multiply, "div": np.divide, "neg": np.negative,
    "matmul": np.matmul, "transpose": np.transpose, "outer": np.outer, "diag": np.diag, "sum": np.sum,
}  # fmt: skip


def value(expr: Expr, given: Mapping[str, np.ndarray], labels: Mapping[str, int] | None = None) -> np.ndarray:
    """Return the value of an expression whose members are written out."""
    found: dict[Expr, np.ndarray] = {}
    for e in walk(expr):
        args = [found[a] for a in e.args]
        match e.op:
            case "var":
                found[e] = given[e.name]
            case "defined" | "called":
                found[e] = args[0]
            case "number":
                found[e] = np.asarray(float(e.data[0]))
            case "map":
                found[e] = {"tanh": np.tanh, "log": np.log}[e.data[0]](*args)
            case "softmax":
                found[e] = softmax(args[0], axis=e.data[0])
            case "entry":
                found[e] = args[0][tuple((labels or {})[name] for name in e.data)]
            case "eye":
                found[e] = np.eye(n)
            case "zeros":
                found[e] = np.zeros([n] * e.rank)
            case "matrix_power":
                found[e] = np.linalg.matrix_power(args[0], e.data[0])
            case _:
                found[e] = OPERATIONS[e.op](*args)
    return found[expr]


def written_out(text: str, expression: str, length: int) -> Expr:
    """Return an expression with all families of a block written out."""
    names = Names()
    read_block(text, names)
    values = {dims.symbol(k): sympy.Integer(length) for k in ("T", "N")}
    return Unrolled(names, values).reader().read(ast.parse(expression, mode="eval").body)


def random(length: int, **shapes: tuple[int, ...]) -> dict[str, np.ndarray]:
    """Return arrays; of a name that ends in `_` one for each label."""
    rng = np.random.default_rng(length)
    found = {}
    for name, shape in shapes.items():
        if name.endswith("_"):
            found |= {f"{name[:-1]}[{k}]": rng.standard_normal(shape) / 2 for k in range(length + 1)}
        else:
            found[name] = rng.standard_normal(shape) / 2
    return found


@pytest.mark.parametrize("length", [1, 2, 5])
def test_a_recurrent_network(length: int) -> None:
    given = random(length, b=(n,), W=(n, n), U=(n, d), c=(m,), V=(m, n), h_=(n,), x_=(d,))
    labels = {f"y[{t}]": t % m for t in range(1, length + 1)}
    h, loss = given["h[0]"], 0.0
    for t in range(1, length + 1):
        h = np.tanh(given["b"] + given["W"] @ h + given["U"] @ given[f"x[{t}]"])
        o = given["c"] + given["V"] @ h
        loss -= np.log(np.exp(o[t % m]) / np.exp(o).sum())
    found = value(written_out(recurrences.TANH, "L", length), given, labels)
    np.testing.assert_allclose(found, loss, rtol=1e-12)


@pytest.mark.parametrize("length", [1, 2, 4])
def test_two_families_that_feed_one_another(length: int) -> None:
    given = random(length, W=(n, m), V=(m, n), h_=(n,), o_=(m,))
    h, o = given["h[0]"], given["o[0]"]
    for _ in range(length):
        h = np.tanh(given["W"] @ o + h)
        o = np.tanh(given["V"] @ h)
    np.testing.assert_allclose(value(written_out(recurrences.FEEDBACK, "o[T]", length), given), o, rtol=1e-12)


@pytest.mark.parametrize("length", [1, 3])
def test_a_family_that_runs_backward(length: int) -> None:
    given = random(length, W=(n, n), g_=(n,))
    g = given[f"g[{length}]"]
    for _ in range(length):
        g = np.tanh(given["W"] @ g)
    np.testing.assert_allclose(value(written_out(recurrences.BACKWARD, "g[0]", length), given), g, rtol=1e-12)


@pytest.mark.parametrize("length", [1, 2, 5])
def test_an_inverse_carried_along(length: int) -> None:
    given = {**random(length, b_=(n,)), "alpha": np.asarray(0.7)}
    whole = 0.7 * np.eye(n)
    for k in range(1, length + 1):
        whole = whole + np.outer(given[f"b[{k}]"], given[f"b[{k}]"])
    found = value(written_out(recurrences.INVERSE, "Q[N]", length), given)
    np.testing.assert_allclose(found, np.linalg.inv(whole), rtol=1e-9)
    np.testing.assert_allclose(value(written_out(recurrences.INVERSE, "H[N]", length), given), whole, rtol=1e-12)


@pytest.mark.parametrize("low, high", [(0, 0), (1, 1), (0, 1), (1, 4), (3, 2)])
def test_a_product_has_its_factors_in_the_order_of_its_range(low: int, high: int) -> None:
    length = 4
    given = random(length, V=(n, n), lam_=(n,))
    factors = [given["V"] @ np.diag(given[f"lam[{s}]"]) @ given["V"].T for s in range(1, length + 1)]
    down = up = np.eye(n)
    for s in range(low + 1, high + 1):
        down, up = factors[s - 1] @ down, up @ factors[s - 1]
    for text, wanted in [(f"range({high}, {low}, -1)", down), (f"range({low + 1}, {high + 1})", up)]:
        found = value(written_out(recurrences.DIAGONAL, f"prod(K[s] for s in {text})", length), given)
        np.testing.assert_allclose(found, wanted, rtol=1e-10, atol=1e-12)


def test_empty_sums_and_products() -> None:
    given = random(2, V=(n, n), lam_=(n,))
    assert not value(written_out(recurrences.DIAGONAL, "sum(lam[s] for s in range(2, 1))", 2), given).any()
    assert value(written_out(recurrences.DIAGONAL, "prod(sum(lam[s]) for s in range(2, 2))", 2), given) == 1


def test_sums_over_two_ranges() -> None:
    given = random(4, V=(n, n), lam_=(n,))
    found = value(
        written_out(recurrences.DIAGONAL, "sum(lam[r] * lam[s] for r in range(1, T) for s in range(r, T))", 4), given
    )
    wanted = sum(given[f"lam[{r}]"] * given[f"lam[{s}]"] for r in range(1, 4) for s in range(r, 4))
    np.testing.assert_allclose(found, wanted, rtol=1e-12)


def test_a_member_is_made_once() -> None:
    whole = written_out(recurrences.TANH, "L", 12)
    assert sum(e.op == "defined" and e.name.startswith("h[") for e in walk(whole)) == 12


@pytest.mark.parametrize("expression", ["h[T + 1]", "x[0]", "h[0 - 1]"])
def test_a_member_outside_of_the_ranges_is_refused(expression: str) -> None:
    with pytest.raises(SymderivError, match=r"lies? outside"):
        written_out(recurrences.TANH, expression, 3)


def test_what_is_defined_by_itself_is_refused() -> None:
    text = "g[0]: (n,)\nfor t in range(1, T + 1):\n    g[t] = tanh(g[t-1])\nL = sum(g[T])"
    assert written_out(text, "L", LONGEST - 2).op == "defined"
    with pytest.raises(SymderivError, match="defined by itself"):
        written_out(text, "L", LONGEST + 3)


def test_long_ranges_are_refused() -> None:
    with pytest.raises(SymderivError, match="not written out"):
        written_out(recurrences.DIAGONAL, "sum(lam[s] for s in range(1, T + 1))", LONGEST + 1)
