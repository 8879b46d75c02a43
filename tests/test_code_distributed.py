"""Loops taken apart compute what they computed before, whatever their turns need of each other."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import sympy

from symderiv import dims
from symderiv.code.accesses import Order
from symderiv.code.compiled import compiled
from symderiv.code.distributed import distributed
from symderiv.code.loop_writer import program_source
from symderiv.code.program import Assign, Loop, Place, Program
from symderiv.code.source import Argument
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


# ---------------------------------------------------------------- one after the other


def tanh(e: Expr) -> Expr:
    return Expr("map", (e,), ("tanh", 0), e.axes)


def add(a: Expr, b: Expr) -> Expr:
    return Expr("add", (a, b), (), a.axes)


def at(array: str, offset: int) -> Place:
    return Place(array, sympy.expand(STEP + offset))


def outer(a: Expr, b: Expr) -> Expr:
    return Expr("outer", (a, b), (), plain_axes((N, N)))


def loops_of(program: Program) -> int:
    return sum(isinstance(item, Loop) for item in taken_apart(program).items)


W, P, Q = variable("W", N, N), variable("p", N), variable("q", N)
NO_LOOP = {
    "row by row": [Assign(at("A", 0), tanh(row("X", 1)))],
    "a later row that nothing changes": [Assign(at("A", 0), tanh(row("B", 2)))],
    "what is overwritten later is read before": [Assign(at("A", 0), tanh(row("A", 1)))],
    "sums": [Assign(Place("total"), row("X", 0), "+"), Assign(Place("W_bar"), outer(row("X", 0), row("X", 1)), "-")],
    "added in two rows": [Assign(at("A", 0), row("X", 0), "+"), Assign(at("A", 1), row("X", 1), "+")],
    "a variable of the turn": [Assign(Place("q"), tanh(row("X", 0))), Assign(Place("total"), Q, "+")],
    "a view of what changes": [Assign(Place("q"), row("A", 1)), Assign(at("A", 0), row("X", 0)),
                               Assign(Place("total"), Q, "+")],
}  # fmt: skip
ONE_LOOP = {
    "a recurrence": [Assign(at("A", 1), tanh(add(row("A", 0), row("X", 0))))],
    "two that need each other": [Assign(at("A", 1), tanh(row("B", 0))), Assign(at("B", 1), tanh(row("A", 0)))],
    "a state": [Assign(Place("p"), tanh(add(P, row("X", 0)))), Assign(Place("total"), P, "+")],
    "a sum that is read": [Assign(Place("total"), row("X", 0), "+"), Assign(at("A", 0), variable("total", N))],
    "the last of all": [Assign(Place("p"), tanh(row("X", 0)))],
    "what reads a state before it changes": [Assign(at("B", 0), P), Assign(Place("p"), tanh(add(P, row("X", 0))))],
    "a product of a state": [Assign(Place("W_bar"), outer(P, row("X", 0)), "+"),
                             Assign(Place("p"), tanh(Expr("matmul", (W, P), (), P.axes)))],
}  # fmt: skip


@pytest.mark.parametrize("backward", [False, True])
@pytest.mark.parametrize("name", [*NO_LOOP, *ONE_LOOP])
def test_loops_stay_what_they_are(name: str, backward: bool) -> None:
    examined(program_of((NO_LOOP | ONE_LOOP)[name], backward, RESULTS))


@pytest.mark.parametrize("name", NO_LOOP)
def test_what_needs_no_loop_has_none(name: str) -> None:
    assert loops_of(program_of(NO_LOOP[name], False, RESULTS)) == 0


@pytest.mark.parametrize("name", ONE_LOOP)
def test_recurrences_keep_their_loop(name: str) -> None:
    assert loops_of(program_of(ONE_LOOP[name], False, RESULTS)) == 1


def test_the_direction_of_a_loop_tells_which_rows_are_old() -> None:
    body = [Assign(at("A", 0), tanh(row("A", 1)))]
    assert loops_of(program_of(body, False, RESULTS)) == 0
    assert loops_of(program_of(body, True, RESULTS)) == 1


def test_products_with_a_matrix_are_taken_out_of_a_recurrence() -> None:
    product = Expr("matmul", (W, row("X", 0)), (), plain_axes((N,)))
    source = examined(program_of([Assign(at("A", 1), tanh(add(product, row("A", 0))))], False, RESULTS))
    before, loop = source.split("for ")
    assert "X[:-3] @ W.T" in before
    assert "W" not in loop.split("return")[0]


def test_statements_of_a_loop_know_which_comes_first() -> None:
    body = [Assign(at("A", 1), row("X", 0)), Assign(at("B", 0), row("A", 0)), Assign(at("C", 0), row("B", 0))]
    for backward, wanted in ((False, {0: set(), 1: {0}, 2: {1}}), (True, {0: {1}, 1: set(), 2: {1}})):
        program = program_of(body, backward, RESULTS)
        (loop,) = (item for item in program.items if isinstance(item, Loop))
        assert Order(program, loop).before == wanted


def test_rows_that_are_not_where_the_turn_is_keep_the_loop_and_its_number() -> None:
    last = Expr("var", (), ("last", frozenset()), plain_axes((N,)))
    program = program_of([Assign(at("A", 0), tanh(add(last, row("A", 1))))], False, RESULTS)
    (loop,) = (item for item in program.items if isinstance(item, Loop))
    loop.places["last"] = Place("A", T - STEP)
    assert "in range(T)" in examined(program)


def test_results_of_the_program_before_are_the_same_object() -> None:
    program = program_of(ONE_LOOP["a state"], False, RESULTS)
    before = program_source(replace(program))
    taken_apart(program)
    assert program_source(program) == before
