"""Axes of size 1 left out: every value stays, and no index over one value is left."""

from __future__ import annotations

import numpy as np
import pytest

from symderiv.errors import UnsupportedError
from symderiv.index import normal
from symderiv.index.graph import walk
from symderiv.index.narrow import narrow, wide
from symderiv.lower import lower
from symderiv.tensor.parse import parse, scope_of

SHAPES = "v(n,1) w(n,1) r(1,n) o(1,1) X(n,n) Y(n,p) x(n) c()"
TEXTS = [
    "v @ w.T + X",
    "v.T @ X @ w",
    "r * v",
    "X + v + r",
    "v @ o + w",
    "(v - w) / norm(v - w)",
    "tanh(X @ v) + exp(w)**2",
    "inv(eye(n) + v @ w.T)",
    "inv(v.T @ v) * v",
    "det(v.T @ X @ w) + logdet(o)",
    "logdet(eye(n) + v @ v.T)",
    "softmax(v, 0)",
    "softmax(v, 1) + v",
    "logsumexp(v, 1) + logsumexp(v)",
    "prod(v, 1) + prod(v)",
    "prod(r, 1) * prod(o)",
    "maximum(v, 0) + minimum(v, r.T)",
    "where(v > w, v, 2 * w)",
    "abs(v)**c",
    "einsum('ia,jb->ijab', v, w)",
    "kron(v, w) @ r",
    "Y.T @ v",
    "eye(1) + o",
]


@pytest.mark.parametrize("text", TEXTS)
def test_the_value_stays(text, shapes_of, arrays, value_of_node):
    node = lower(parse(text, scope_of(shapes_of(SHAPES)))).node
    given = {name: np.abs(a) + 0.3 for name, a in arrays(SHAPES).items()}
    less = narrow(node)
    squeezed = {name: np.squeeze(a) for name, a in given.items()}
    want = value_of_node(node, given, {"n": 3, "p": 2})
    np.testing.assert_allclose(value_of_node(less, squeezed, {"n": 3, "p": 2}), np.squeeze(want), rtol=1e-12)
    assert less.dims == tuple(node.dims[axis] for axis in wide(node))
    assert all(1 not in part.dims for part in walk(less))
    assert narrow(less) is less


def test_what_has_no_axis_of_size_one_is_left_alone(shapes_of):
    node = lower(parse("softmax(X @ x, 0) @ inv(X) @ tanh(Y)", scope_of(shapes_of(SHAPES)))).node
    assert narrow(node) is node


def test_what_is_assumed_of_square_matrices_goes(shapes_of):
    scope = scope_of({"o": (1, 1), "S": ("n", "n")}, {"o": "symmetric", "S": "symmetric"})
    assert narrow(lower(parse("o", scope)).node).fields[1] == frozenset()
    assert narrow(lower(parse("S", scope)).node) is lower(parse("S", scope)).node


def test_an_orthogonal_number_is_1_or_minus_1():
    node = lower(parse("o * o", scope_of({"o": (1, 1)}, {"o": "orthogonal"}))).node
    assert narrow(node) is normal.number(1)


def test_an_unknown_function_of_a_column_is_refused(shapes_of):
    v = lower(parse("v", scope_of(shapes_of(SHAPES)))).node
    with pytest.raises(UnsupportedError, match="axis of size 1"):
        narrow(normal.unknown("loss", [v], ()))
