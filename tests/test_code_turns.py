"""Expressions of one turn, for all turns: what comes out is one after the other what each turn finds."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from symderiv import dims
from symderiv.code.compiled import compiled
from symderiv.code.loop_writer import program_source
from symderiv.code.picked import picked
from symderiv.code.program import Place, Program
from symderiv.code.source import Argument
from symderiv.code.turns import AllTurns, OneByOne
from symderiv.tensor.expr import Expr
from symderiv.tensor.parse import parse, scope_of

TURNS = dims.symbol("T")
SHAPES = {"A": ("m", "n"), "B": ("n", "n"), "v": ("n",), "c": (), "x": ("n",), "y": ("n",), "z": ("m",), "s": ()}
CHANGING = ("x", "y", "z", "s")
SIZES = {"m": 3, "n": 4}

TEXTS = [
    "x", "tanh(x) * y", "x - v", "v - x", "s * x", "s * v", "c * x", "s + c", "x / (1 + s**2)", "exp(-x**2)",
    "A @ x", "z @ A", "x @ v", "v @ x", "x @ y", "x @ B", "A @ (B @ x)", "x @ B @ y", "inner(x, y)",
    "outer(z, x)", "s * outer(z, v)", "outer(z, x).T", "A * x", "A + z[:, None]", "z[:, None] * A * s",
    "sum(x)", "sum(x * y) * x", "mean(x)", "prod(x)", "norm(x)", "sum(A * x, 0)", "sum(outer(z, x), 1)",
    "sum(outer(z, x), 0)", "softmax(x, 0)", "logsumexp(x)", "softmax(outer(z, x), 1)", "softmax(outer(z, x), -2)",
    "maximum(x, v)", "where(x > 0, s, v)", "where(s > 0, x, 0)", "einsum('ij,j->i', A, x)", "einsum('i,j->ij', z, v)",
    "einsum('i,i->i', x, x)", "sigmoid(B @ x + v)", "abs(s) ** 0.5 * x", "sin(v) + x",
]  # fmt: skip
ONE_BY_ONE = ["inv(outer(x, x))", "det(outer(x, y))", "A @ outer(x, z)", "outer(x, z) @ z", "norm(outer(x, z))",
              "sum(outer(x, z))", "kron(x, z)", "diag(x)"]  # fmt: skip


def all_turns() -> AllTurns:
    return AllTurns(lambda name: f"all {name}" if name in (*CHANGING, "k") else None, TURNS, dims.symbol("t"))


def run(expr: Expr, whole: bool, values: dict[str, Any]) -> Any:
    scope = scope_of(SHAPES)
    shapes = {n: parse(n, scope).shape for n in SHAPES}
    if whole:
        shapes |= {n: (TURNS, *shapes[n]) for n in CHANGING}
    places = {f"all {n}": Place(n) for n in (*CHANGING, "k")}
    arguments = [Argument(n, shape) for n, shape in shapes.items()]
    arguments.append(Argument("k", (TURNS,) if whole else (), below=dims.symbol("m")))
    source = program_source(Program("f", arguments, [], [expr], "f", places=places))
    return compiled(source, "f")(**values)


def values(turns: int) -> dict[str, Any]:
    rng = np.random.default_rng(turns)
    found = {n: rng.standard_normal([SIZES[s] for s in shape]) for n, shape in SHAPES.items() if n not in CHANGING}
    found |= {n: rng.standard_normal((turns, *(SIZES[s] for s in SHAPES[n]))) for n in CHANGING}
    return found | {"k": rng.integers(SIZES["m"], size=turns)}


def each(expr: Expr, given: dict[str, Any], turns: int) -> list[Any]:
    """What each turn finds."""
    return [run(expr, False, {n: v[t] if n in (*CHANGING, "k") else v for n, v in given.items()}) for t in range(turns)]


def compared(expr: Expr, turns: int) -> None:
    given = values(turns)
    new = all_turns().expr(expr)
    assert new is not expr
    assert new.axes == ((TURNS,), *expr.axes)
    found, wanted = run(new, True, given), each(expr, given, turns)
    assert np.shape(found)[0] == turns
    assert np.allclose(found, np.stack(wanted), rtol=1e-12, atol=1e-12)
    total = all_turns().total(expr)
    assert total.axes == expr.axes
    assert np.allclose(run(total, True, given), sum(wanted), rtol=1e-11, atol=1e-11)


@pytest.mark.parametrize("turns", [1, 5])
@pytest.mark.parametrize("text", TEXTS)
def test_all_turns_are_the_turns_one_after_the_other(text: str, turns: int) -> None:
    compared(parse(text, scope_of(SHAPES)), turns)


@pytest.mark.parametrize(("text", "axis"), [("z", 0), ("z - softmax(z, 0)", 0), ("A", 0), ("A.T", 1), ("A @ x", 0),
                                            ("eye(m)", 1), ("z[:, None] * A", 0), ("z + c", 0)])  # fmt: skip
def test_a_label_of_each_turn(text: str, axis: int) -> None:
    compared(picked(parse(text, scope_of(SHAPES)), axis, "k"), 5)


def test_the_second_axis_at_a_label() -> None:
    matrix = parse("A.T", scope_of(SHAPES))
    compared(Expr("entry", (matrix,), (None, "k"), matrix.axes[:1]), 4)


@pytest.mark.parametrize("text", ONE_BY_ONE)
def test_what_has_no_such_form_is_refused(text: str) -> None:
    with pytest.raises(OneByOne):
        all_turns().expr(parse(text, scope_of(SHAPES)))


@pytest.mark.parametrize("text", ["A @ v", "inv(B)", "c", "outer(v, v) @ v", "kron(v, v)"])
def test_what_does_not_change_stays(text: str) -> None:
    expr = parse(text, scope_of(SHAPES))
    assert all_turns().expr(expr) is expr
    given = values(3)
    assert np.allclose(run(all_turns().total(expr), True, given), 3 * run(expr, True, given))


def test_the_number_of_the_turn_is_computed_one_by_one() -> None:
    with pytest.raises(OneByOne):
        all_turns().expr(Expr("size", (), (dims.symbol("t") + 1,), ()))
