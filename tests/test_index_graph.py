"""Nodes are interned: equal means identical, in every process and after pickling."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from fractions import Fraction

import pytest

from symderiv import dims
from symderiv.index import graph, normal

n, m = dims.symbol("n"), dims.symbol("m")
A, v, S = normal.leaf("A", (n, m)), normal.leaf("v", (m,)), normal.leaf("S", (n, n), ["symmetric"])

NODES = {
    "leaf": A,
    "member of a family": normal.leaf("h", (n,), label=("t", -1)),
    "definition": normal.defined("u", A),
    "delta": normal.delta(n),
    "size": normal.size_of(n * m**2),
    "number": normal.number(Fraction(2, 3), (n, m)),
    "contraction": normal.contract(2, [(A, "iq"), (v, "q")], "i"),
    "sum": normal.add([(2, A), (1, normal.entrywise("exp", A))], (n, m)),
    "map": normal.entrywise("tanh", A),
    "unknown map": normal.entrywise("h", A, 2),
    "power": normal.power(A, Fraction(-3, 2)),
    "general power": normal.general_power(A, normal.leaf("B", (n, m))),
    "where": normal.where(">", A, normal.number(0, (n, m)), A, normal.number(1, (n, m))),
    "extremum": normal.extremum("maximum", A, normal.number(0, (n, m))),
    "inverse": normal.inverse(S),
    "power of a matrix": normal.matrix_power(S, n - 1),
    "determinant": normal.determinant(S),
    "log determinant": normal.log_determinant(S),
    "softmax": normal.softmax(A, [1]),
    "log sum exp": normal.log_sum_exp(A, [0]),
    "product": normal.product(A, [0, 1]),
    "product of the others": normal.product_except(v, [0]),
    "product of all but three": normal.product_except(A, [1], 3),
    "unknown": normal.unknown("G", [A, v], (n,), [1, 0]),
}
EACH = pytest.mark.parametrize("node", NODES.values(), ids=list(NODES))


@EACH
def test_pickling_gives_the_identical_object(node):
    assert pickle.loads(pickle.dumps(node)) is node


@EACH
def test_rebuilding_gives_the_identical_object(node):
    assert normal.rebuild(node, lambda child: child) is node
    assert normal.substitute(node, {}) is node


@EACH
def test_children_come_before_parents(node):
    order = graph.walk(node)
    assert order[-1] is node
    assert len(set(order)) == len(order)
    for k, part in enumerate(order):
        assert set(part.children()) <= set(order[:k])


@EACH
def test_equal_means_identical(node):
    again = graph.Node.__new__(type(node), node.dims, *node.fields)
    assert again is node
    assert again == node
    assert hash(again) == hash(node)


def test_keys_tell_nodes_apart():
    assert len({node.key for node in NODES.values()}) == len(NODES)
    assert normal.leaf("A", (n, m)).key != normal.leaf("A", (m, n)).key
    assert normal.leaf("A", (n, n)).key != normal.leaf("A", (n, n), ["symmetric"]).key


def test_keys_are_the_same_in_every_process():
    program = (
        "from symderiv import dims; from symderiv.index import normal\n"
        "n = dims.symbol('n'); S = normal.leaf('S', (n, n), ['symmetric', 'invertible', 'positive'])\n"
        "print(normal.contract(3, [(normal.inverse(S), 'iq'), (S, 'qj'), (S, 'jk')], 'ik').key)"
    )
    keys = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("0", "12345")
    }
    assert len(keys) == 1


def test_a_deep_graph_is_walked_without_recursion():
    node = v
    for _ in range(5000):
        node = normal.entrywise("tanh", node)
    assert len(graph.walk(node)) == 5001
