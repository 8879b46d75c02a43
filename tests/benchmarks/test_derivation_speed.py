"""What a derivation costs, and how it grows: deep nets over definitions, long traces."""

from __future__ import annotations

import pytest

from symderiv import derive
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
