"""Pickles of graphs: no depth is too much, and what is shared stays shared."""

from __future__ import annotations

import copy
import gc
import pickle
import subprocess
import sys

import numpy as np
import pytest

from symderiv import derive, pickled
from symderiv.index import normal
from symderiv.index.graph import walk as walk_nodes
from symderiv.lower import lower
from symderiv.tensor.expr import walk
from symderiv.tensor.operations import apply
from symderiv.tensor.parse import parse, scope_of

SCOPE = scope_of({"X": ("n", "n"), "Y": ("n", "n")})
DEPTH = 500


def chain(depth):
    """Return expressions each of which reads the one before twice: as a tree the last has 2^depth leaves."""
    found = [parse("X", SCOPE)]
    for _ in range(depth):
        tanh = apply("map", found[-1], data=("tanh", 0))
        found.append(apply("add", tanh, apply("mul", found[-1], parse("Y", SCOPE))))
    return found


@pytest.mark.parametrize("protocol", [2, pickle.DEFAULT_PROTOCOL, pickle.HIGHEST_PROTOCOL])
def test_a_deep_expression(protocol):
    deep = chain(DEPTH)[-1]
    assert pickle.loads(pickle.dumps(deep, protocol)) is deep


def test_a_deep_node():
    deep = lower(chain(DEPTH)[-1]).node
    assert sum(1 for _ in walk_nodes(deep)) > DEPTH
    assert pickle.loads(pickle.dumps(deep)) is deep


def test_what_is_shared_is_written_once():
    parts = chain(DEPTH)
    alone = len(pickle.dumps(parts[-1]))
    for order in (parts, parts[::-1]):
        text = pickle.dumps(order)
        assert len(text) < 2 * alone
        assert all(a is b for a, b in zip(pickle.loads(text), order, strict=True))


def test_size_grows_with_the_nodes():
    small, large = (len(pickle.dumps(chain(depth)[-1])) for depth in (100, 400))
    assert large < 5 * small


def test_lists_are_forgotten():
    pickle.dumps(chain(10))
    gc.collect()
    assert not len(pickled._LISTS)


def test_copies():
    deep = chain(DEPTH)[-1]
    assert copy.deepcopy({"a": deep})["a"] is deep
    assert copy.copy(deep) is deep


def test_nodes_within_tuples():
    (n, _) = SCOPE.names["X"].shape
    node = normal.contract(2, [(normal.leaf("A", (n, n)), "iq"), (normal.delta(n), "jk")], "ijkq")
    assert pickle.loads(pickle.dumps((node, [node]))) == (node, [node])


def test_in_another_process():
    """Where nothing is interned yet."""
    program = (
        "import pickle, sys; from symderiv.tensor.expr import walk;"
        "print(sum(1 for _ in walk(pickle.loads(sys.stdin.buffer.read()))))"
    )
    text = pickle.dumps(chain(DEPTH)[-1])
    done = subprocess.run([sys.executable, "-c", program], input=text, capture_output=True, check=True)
    assert int(done.stdout) == sum(1 for _ in walk(chain(DEPTH)[-1]))


def layers(x, W):
    for _ in range(120):
        x = np.tanh(W @ x)
    return np.sum(x)


def test_a_derivation_of_many_layers():
    d = derive(layers, "W", shapes={"x": ("n",), "W": ("n", "n")})
    again = pickle.loads(pickle.dumps(d))
    assert again.statements() == d.statements()
