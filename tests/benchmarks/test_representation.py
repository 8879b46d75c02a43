"""What a product of eight factors costs: built, hashed, renamed, contracted, in four representations.

`make bench` prints them side by side; docstrings in index/graph.py and index/nodes.py quote the ratios.
"""

from __future__ import annotations

import itertools
from functools import reduce

import pytest
import sympy

from symderiv import dims
from symderiv.index import nodes, normal
from symderiv.index.graph import Contraction

N = dims.symbol("n")
NAMES = [f"A{k}" for k in range(8)]
COUNTER = itertools.count()


def clean():
    """Return names never used before, so that nothing is found in a table of known nodes."""
    tag = next(COUNTER)
    return [f"{name}_{tag}" for name in NAMES]


class Slotted:
    """A plain object with a hash of its own: the least that a node can cost."""

    __slots__ = ("args", "hash", "kind")

    def __init__(self, kind, *args):
        self.kind, self.args = kind, args
        self.hash = hash((kind, args))

    def __hash__(self):
        return self.hash

    def __eq__(self, other):
        return self.kind == other.kind and self.args == other.args


SYMBOLS = sympy.symbols("i0:9", integer=True)
INDICES = [nodes.Index(f"i{k}", N) for k in range(9)]


def plain_object(names):
    factors = [Slotted("entry", name, k, k + 1) for k, name in enumerate(names)]
    return Slotted("sum", Slotted("times", *factors), *range(1, 8))


def own_basic(names):
    factors = [nodes.Entry(nodes.Tensor(name, N, N), INDICES[k], INDICES[k + 1]) for k, name in enumerate(names)]
    return nodes.Sum(nodes.Times(*factors), *INDICES[1:8])


def graph(names):
    factors = [(normal.leaf(name, (N, N)), (k, k + 1)) for k, name in enumerate(names)]
    return normal.contract(1, factors, (0, 8))


def graph_unnormalised(names):
    factors = tuple((normal.leaf(name, (N, N)), (k, k + 1)) for k, name in enumerate(names))
    return Contraction((N, N), normal.ONE, factors, (N,) * 9)


def plain_sympy(names):
    factors = [sympy.IndexedBase(name, shape=(N, N))[SYMBOLS[k], SYMBOLS[k + 1]] for k, name in enumerate(names)]
    return sympy.Sum(sympy.Mul(*factors), *((s, 0, N - 1) for s in SYMBOLS[1:8]))


BUILD = [plain_object, own_basic, graph_unnormalised, graph, plain_sympy]


@pytest.mark.parametrize("build", BUILD, ids=lambda f: f.__name__)
def test_build_and_hash(benchmark, build):
    benchmark.group = "build and hash, new names"
    benchmark.pedantic(lambda names: hash(build(names)), setup=lambda: ((clean(),), {}), rounds=300)


@pytest.mark.parametrize("build", BUILD, ids=lambda f: f.__name__)
def test_build_again(benchmark, build):
    benchmark.group = "build and hash, known before"
    known = build(NAMES)
    assert build(NAMES) == known
    benchmark(lambda: hash(build(NAMES)))


def renamed_basic():
    expr, new = own_basic(NAMES), nodes.Index("z", N)
    return lambda: nodes.replace_indices(expr, {INDICES[0]: new})


def renamed_graph():
    expr = graph(NAMES)
    return lambda: normal.contract(1, [(expr, "zy")], "yz")


def renamed_sympy():
    expr, new = plain_sympy(NAMES), sympy.Symbol("z", integer=True)
    return lambda: expr.subs(SYMBOLS[0], new)


@pytest.mark.parametrize("make", [renamed_basic, renamed_graph, renamed_sympy], ids=lambda f: f.__name__)
def test_rename(benchmark, make):
    benchmark.group = "rename a free index (of the graph: transpose)"
    benchmark(make())


def contracted_basic():
    delta = nodes.Delta(INDICES[8], nodes.Index("z", N))
    body = nodes.Times(*own_basic(NAMES).body.args, delta)
    expr = nodes.Sum(body, *INDICES[1:9])
    from symderiv.index.rules import RULES

    return lambda: RULES["contract"](expr, nodes.Context())


def contracted_graph():
    factors = [(normal.leaf(name, (N, N)), (k, k + 1)) for k, name in enumerate(NAMES)]
    factors.append((normal.delta(N), (8, "z")))
    return lambda: normal.contract(1, factors, (0, "z"))


def contracted_sympy():
    delta = sympy.KroneckerDelta(SYMBOLS[8], sympy.Symbol("z", integer=True))
    body = reduce(sympy.Mul, plain_sympy(NAMES).function.args) * delta
    expr = sympy.Sum(body, (SYMBOLS[8], 0, N - 1))
    return expr.doit  # one sum of the eight: all of them take minutes


@pytest.mark.parametrize("make", [contracted_basic, contracted_graph, contracted_sympy], ids=lambda f: f.__name__)
def test_contract(benchmark, make):
    benchmark.group = "contract one delta"
    benchmark(make())
