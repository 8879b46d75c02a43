"""What a derivation costs, and how it grows: deep nets over definitions and as one text, long traces, high orders.

Where a text is derived again and again in one process, its nodes are known from the round before; names that are
new in every round (`fresh`) leave nothing known but the sizes.
"""

from __future__ import annotations

import time
from functools import reduce
from itertools import count

import numpy as np
import pytest
import sympy

from symderiv import declare, derive
from symderiv.index.graph import walk
from symderiv.replay import replay
from symderiv.stage import Stage
from symderiv.tensor.expr import defined
from symderiv.tensor.parse import Scope, parse, scope_of

SHAPES = {"x": ("n",), "y": ("n",)}


def net(depth):
    """Return `norm(z_L - y)**2` with z_k = tanh(W_k z_{k-1}), and the variable W_1."""
    scope = scope_of({**SHAPES, **{f"W{k}": ("n", "n") for k in range(1, depth + 1)}})
    scope = Scope(dict(scope.names), scope.sizes)
    last = "x"
    for k in range(1, depth + 1):
        for name, body in ((f"a{k}", f"W{k} @ {last}"), (f"z{k}", f"tanh(a{k})")):
            scope.names[name] = defined(name, parse(body, scope))
        last = f"z{k}"
    return parse(f"norm({last} - y)**2", scope), (scope.names["W1"],)


@pytest.mark.parametrize("depth", [4, 16, 64])
def test_net(benchmark, depth):
    benchmark.group = "tanh net, derivative in the first weights"
    stage = benchmark(lambda: Stage(*net(depth)))
    benchmark.extra_info["nodes"] = len(walk(stage.chain.result))


@pytest.mark.parametrize("depth", [4, 8, 16, 32])
def test_net_replayed(benchmark, depth):
    benchmark.group = "tanh net, proof"
    stage = Stage(*net(depth))
    benchmark.pedantic(lambda: replay(stage, ["x", "y"]), rounds=3)


def nested(depth, mark):
    """Return the text `norm(tanh(W_L @ … tanh(W_1 @ x)) - y)**2` with weights of new names, and their shapes."""
    weights = [f"W{mark}_{k}" for k in range(1, depth + 1)]
    text = reduce(lambda inner, w: f"tanh({w} @ {inner})", weights, "x")
    return f"norm({text} - y)**2", weights[0], {**SHAPES, **dict.fromkeys(weights, ("n", "n"))}


def fresh(make):
    """Return the set-up of a benchmark: what to derive, under names that are new in every round."""
    marks = count()
    return lambda: (make(f"_{next(marks)}"), {})


DEPTHS = [16, 64]


@pytest.mark.parametrize("depth", [*DEPTHS, 98])
def test_net_as_one_text(benchmark, depth):
    benchmark.group = "tanh net as one text, gradient of the first weight"

    def statements(text, weight, shapes):
        return derive(text, weight, shapes=shapes).statements()

    said = benchmark.pedantic(statements, setup=fresh(lambda mark: nested(depth, mark)), rounds=5)
    benchmark.extra_info["lines"] = len(said.splitlines())


@pytest.mark.parametrize("depth", [16, 64, 256])
@pytest.mark.parametrize("what", ["derive", "statements", "to_numpy"])
def test_net_of_tensors(benchmark, depth, what):
    benchmark.group = f"tanh net of tensors: {what}"

    def tensors(mark):
        weights = [f"W{mark}_{k}" for k in range(1, depth + 1)]
        x, y, *arrays = declare("x: (n,)", "y: (n,)", *(f"{w}: (n, n)" for w in weights))
        loss = np.linalg.norm(reduce(lambda z, w: np.tanh(w @ z), arrays, x) - y) ** 2
        return (loss, weights[0]) if what == "derive" else (derive(loss, weights[0]),)

    run = derive if what == "derive" else lambda derivation: getattr(derivation, what)()
    benchmark.pedantic(run, setup=fresh(tensors), rounds=3)


def test_the_gradient_of_a_net_grows_linearly():
    """Four times the depth in at most five times the time, the statements in four times the lines."""
    times, lines = {}, {}
    for depth in DEPTHS:
        taken = []
        for mark in range(5):
            text, weight, shapes = nested(depth, f"_{depth}_{mark}")
            start = time.process_time()
            said = derive(text, weight, shapes=shapes).statements()
            taken.append(time.process_time() - start)
        times[depth], lines[depth] = min(taken), len(said.splitlines())
    assert times[16] < 0.3
    assert times[64] < 5 * times[16]
    assert lines[64] < 4.5 * lines[16]


def slots(pairs, mark):
    """Return `trace(A_0 @ X @ A_1 @ X …)` with arrays of new names, the name of X, and the shapes."""
    names = [f"A{mark}_{k}" for k in range(pairs)]
    variable = f"X{mark}"
    text = "trace(" + " @ ".join(f"{a} @ {variable}" for a in names) + ")"
    return text, variable, dict.fromkeys([*names, variable], ("n", "n"))


@pytest.mark.parametrize("pairs", [4, 8, 16])
def test_a_variable_in_many_slots(benchmark, pairs):
    benchmark.group = "trace(A0 @ X @ A1 @ X …), gradient"

    def result(text, variable, shapes):
        return str(derive(text, variable, shapes=shapes).result)

    benchmark.pedantic(result, setup=fresh(lambda mark: slots(pairs, mark)), rounds=5)


def test_sixteen_slots_take_a_twentieth_of_what_sympy_takes():
    size = sympy.Symbol("n", integer=True, positive=True)
    variable = sympy.MatrixSymbol("X", size, size)
    whole = reduce(lambda left, k: left * sympy.MatrixSymbol(f"A{k}", size, size) * variable, range(16), sympy.S.One)
    start = time.process_time()
    sympy.Trace(whole).diff(variable)
    theirs = time.process_time() - start
    taken = []
    for mark in range(3):
        text, name, shapes = slots(16, f"_{mark}")
        start = time.process_time()
        str(derive(text, name, shapes=shapes).result)
        taken.append(time.process_time() - start)
    assert 20 * min(taken) < theirs


EIGHT = {
    "four slots": lambda mark: slots(4, mark),
    "eight slots": lambda mark: slots(8, mark),
    "one matrix": lambda mark: (f"trace({' @ '.join([f'X{mark}'] * 8)})", f"X{mark}", {f"X{mark}": ("n", "n")}),
    "entrywise": lambda mark: (f"sum({' * '.join([f'x{mark}'] * 8)})", f"x{mark}", {f"x{mark}": ("n",)}),
}


@pytest.mark.parametrize("what", EIGHT)
def test_a_third_derivative(benchmark, what):
    benchmark.group = "third derivative of a product of eight, of eight pairs"

    def result(text, variable, shapes):
        return str(derive(text, [variable] * 3, shapes=shapes).result)

    benchmark.pedantic(result, setup=fresh(EIGHT[what]), rounds=3)


def chain(text):
    return lambda: derive(text, "X", shapes={"X": ("n", "n"), "A": ("n", "n")})


@pytest.mark.parametrize(
    "text",
    [
        "trace(" + " @ ".join(["A"] * 15 + ["X"]) + ")",
        "trace(" + " @ ".join(["A", "X"] * 8) + ")",
        "trace(" + " @ ".join(["X"] * 16) + ")",
    ],
    ids=["once in 16", "8 in 16", "16 in 16"],
)
def test_trace_of_a_long_product(benchmark, text):
    benchmark.group = "trace of 16 factors"
    benchmark(chain(text))


@pytest.mark.parametrize("text", ["norm(X @ A - A)**2", "logdet(X.T @ X + A)", "sum(softmax(X @ A, 1) * A)"])
def test_an_everyday_derivative(benchmark, text):
    benchmark.group = "everyday"
    benchmark(chain(text))
