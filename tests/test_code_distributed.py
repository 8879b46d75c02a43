"""Loops taken apart compute what they computed before, whatever their turns need of each other."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import sympy

from symderiv import dims
from symderiv.code.accesses import Order
from symderiv.code.distributed import distributed
from symderiv.code.numpy import Argument, compiled
from symderiv.code.program import Assign, Loop, Place, Program, program_source
from symderiv.tensor.expr import Expr, plain_axes
from symderiv.tensor.parse import parse, scope_of

T, N = dims.symbol("T"), dims.symbol("n")
MORE = 3  # rows of the arrays beyond the turns
STEP = dims.symbol("k")
SCOPE = scope_of({"W": ("n", "n"), "v": ("n",), "s": ()})
LENGTHS = (0, 1, 2, 5)


def row(array: str, offset: int) -> Expr:
    """The row `k + offset` of an array."""
    return Expr("var", (), (f"{array}[{offset}]", frozenset()), plain_axes((N,)))


def variable(name: str, *shape: Any) -> Expr:
    return Expr("var", (), (name, frozenset()), plain_axes(shape))


def program_of(body: list[Assign], backward: bool, results: list[Expr], rolling: bool = True) -> Program:
    """A loop over arrays A, B, C of T + 3 rows, copies of what is handed in, with sums `total` and `W_bar`."""
    places = {f"{a}[{k}]": Place(a, sympy.expand(STEP + k)) for a in "ABCX" for k in range(MORE + 1)}
    places |= {name: Place(name) for name in ("A", "B", "C", "X", "p", "q", "r", "total", "number", "W_bar")}
    given = [Assign(Place(a), Expr("copy", (variable(f"{a}_given", T + MORE, N),), (), plain_axes((T + MORE, N))))
             for a in "ABC"]  # fmt: skip
    zeros = {"total": (N,), "W_bar": (N, N), "p": (N,)}
    starts = [Assign(Place(n), Expr("zeros", (), (shape,), plain_axes(shape))) for n, shape in zeros.items()]
    starts.append(Assign(Place("number"), Expr("zero", (), (), ())))
    arguments = [Argument(f"{a}_given", (T + MORE, N)) for a in "ABC"] + [Argument("X", (T + MORE, N))]
    arguments += [Argument("W", (N, N)), Argument("v", (N,)), Argument("s", ()), Argument("T", None, is_size=True)]
    items = [*given, *starts, Loop(STEP, T, backward, list(body), places)]
    return Program("f", arguments, items, results, "f", places=places)


RESULTS = [variable(a, T + MORE, N) for a in "ABC"]
RESULTS += [variable("total", N), variable("number"), variable("W_bar", N, N), variable("p", N)]


def data(length: int) -> dict[str, Any]:
    rng = np.random.default_rng(length)
    given = {f"{a}_given": rng.standard_normal((length + MORE, 4)) for a in "ABC"}
    return given | {
        "X": rng.standard_normal((length + MORE, 4)), "W": rng.standard_normal((4, 4)) / 2, "v": rng.standard_normal(4),
        "s": np.array(0.3), "T": length,
    }  # fmt: skip


def taken_apart(program: Program) -> Program:
    lengths = {"A", "B", "C", "X", "p", "q", "r", "total", "number", "W_bar", "W", "v", "s", "T", "n", "k"}
    return distributed(program, lengths | {f"{a}_given" for a in "ABC"})


def examined(program: Program) -> str:
    """Compare a program with what it becomes, and return the text of that."""
    before = compiled(program_source(program), "f")
    source = program_source(taken_apart(program))
    after = compiled(source, "f")
    for length in LENGTHS:
        given = data(length)
        kept = {k: np.array(v) for k, v in given.items()}
        for wanted, found in zip(before(**given), after(**given), strict=True):
            assert np.shape(wanted) == np.shape(found)
            assert np.allclose(wanted, found, rtol=1e-9, atol=1e-9), source
        assert all(np.array_equal(given[k], kept[k]) for k in given), source
    return source


# ---------------------------------------------------------------- at random


class Drawn:
    """A random body of a loop: rows of arrays at random offsets, variables of a turn, of all turns, sums."""

    def __init__(self, seed: int) -> None:
        self.rng = np.random.default_rng(seed)
        self.known: list[Expr] = []

    def any(self, *choices: Any) -> Any:
        return choices[self.rng.integers(len(choices))]

    def vector(self, depth: int = 2) -> Expr:
        """A vector that stays of moderate size."""
        if depth == 0 or self.rng.random() < 0.2:
            read = row(self.any("A", "B", "C", "X", "X"), int(self.rng.integers(MORE + 1)))
            return self.any(read, read, read, variable("v", N), variable("p", N), *self.known)
        a, b = self.vector(depth - 1), self.vector(depth - 1)
        half = parse("0.5", SCOPE)
        match self.any("tanh", "product", "sum", "difference", "matrix", "scaled"):
            case "tanh":
                return Expr("map", (a,), ("tanh", 0), a.axes)
            case "product":
                return Expr("map", (Expr("mul", (a, b), (), a.axes),), ("sin", 0), a.axes)
            case "sum":
                return Expr("mul", (half, Expr("add", (a, b), (), a.axes)), (), a.axes)
            case "difference":
                return Expr("mul", (half, Expr("sub", (a, b), (), a.axes)), (), a.axes)
            case "matrix":
                return Expr("map", (Expr("matmul", (variable("W", N, N), a), (), a.axes),), ("tanh", 0), a.axes)
        dot = Expr("map", (Expr("matmul", (a, b), (), ()),), ("cos", 0), ())
        return Expr("mul", (dot, a), (), a.axes)

    def statement(self, free: list[str]) -> Assign:
        kind = self.any("row", "row", "add", "add", "local", "rolling", "total", "number", "matrix")
        if kind == "local" and free:
            name = free.pop()
            made = Assign(Place(name), self.vector())
            self.known.append(variable(name, N))
            return made
        if kind == "rolling":
            return Assign(Place("p"), self.vector())
        if kind == "total":
            return Assign(Place("total"), self.vector(), self.any("+", "-"))
        if kind == "number":
            return Assign(Place("number"), Expr("matmul", (self.vector(), self.vector(1)), (), ()), self.any("+", "-"))
        if kind == "matrix":
            outer = Expr("outer", (self.vector(), self.vector(1)), (), plain_axes((N, N)))
            return Assign(Place("W_bar"), outer, self.any("+", "-"))
        offset = int(self.rng.integers(MORE + 1))
        target = Place(self.any("A", "B", "C"), sympy.expand(STEP + offset))
        return Assign(target, self.vector(), "+" if kind == "add" else "")

    def body(self) -> list[Assign]:
        free = ["q", "r"]
        return [self.statement(free) for _ in range(int(self.rng.integers(1, 6)))]


@pytest.mark.parametrize("seed", range(120))
def test_random_loops_stay_what_they_are(seed: int) -> None:
    drawn = Drawn(seed)
    examined(program_of(drawn.body(), bool(seed % 2), RESULTS))
