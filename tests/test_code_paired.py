"""Products of one matrix with two vectors are one product, and nothing is computed from what is not there yet."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from symderiv import hvp
from symderiv.code.compiled import compiled
from symderiv.code.costs import Costs, representative
from symderiv.code.numpy import Writer, function_source
from symderiv.code.paired import paired
from symderiv.code.source import Argument, Source
from symderiv.tensor.expr import walk
from symderiv.tensor.operations import apply
from symderiv.tensor.parse import parse, scope_of

SHAPES = {"A": ("n", "n"), "B": ("n", "n"), "x": ("n",), "y": ("n",), "z": ("n",)}
SCOPE = scope_of(SHAPES)
SIZES = {"n": 300}
rng = np.random.default_rng(0)


def exprs(*texts):
    return [parse(text, SCOPE) for text in texts]


def value(roots, given):
    arguments = [Argument(k, v.shape) for k, v in SCOPE.names.items()]
    found = compiled(Writer(Source("f", arguments, roots, "f.")).module(), "f")(**given)
    return found if isinstance(found, tuple) else (found,)


@pytest.mark.parametrize(
    ("texts", "pairs"),
    [
        (["A @ x + A @ y"], 1),
        (["A @ x", "A @ tanh(y)"], 1),
        (["x @ A + A.T @ y"], 1),
        (["A @ x + A.T @ y"], 0),  # rows meet the one, columns the other
        (["A @ (A @ x)"], 0),  # one needs the other
        (["A @ x + B @ y"], 0),
        (["A @ x + A @ y + A @ z"], 1),
        (["A @ (B @ x) + B @ (A @ y)"], 1),  # either pair, but not both
        (["A @ (B @ x) + A @ (B @ y)"], 2),
    ],
)
def test_what_is_one_product(texts, pairs):
    roots = exprs(*texts)
    found = paired(roots, Costs(representative(roots, SIZES)))
    assert sum(e.op == "rows" for e in walk(*found)) == pairs
    arrays = {k: rng.normal(size=[4] * len(v)) for k, v in SHAPES.items()}
    for one, other in zip(value(roots, arrays), value(found, arrays), strict=True):
        assert np.allclose(one, other)


@pytest.mark.parametrize("n", [10, 5000])
def test_not_where_it_costs_more(n):
    roots = exprs("A @ x + A @ y")
    assert paired(roots, Costs(representative(roots, {"n": n}))) == roots


def test_they_keep_their_names():
    roots = exprs("tanh(A @ x) * (A @ y)")
    names = dict(zip(exprs("A @ x", "A @ y"), "uv", strict=True))
    arguments = [Argument(k, v.shape) for k, v in SCOPE.names.items()]
    text = function_source(Source("f", arguments, roots, "f.", names=names, sizes=SIZES))
    assert re.search(r"    (u, v = rows\(x, y\)|v, u = rows\(y, x\)) @ A\.T\n    return np\.tanh\(u\) \* v\n", text)


@pytest.mark.parametrize("n", [0, 1, 3])
@pytest.mark.parametrize("kind", [int, np.float32, np.float64])
def test_any_length_and_type(n, kind):
    roots = exprs("A @ x * (A @ y)")
    found = paired(roots, Costs(representative(roots, SIZES)))
    (result,) = value(found, {k: np.ones([n] * len(v), dtype=kind) for k, v in SHAPES.items()})
    assert result.dtype == kind
    assert np.array_equal(result, np.full(n, n * n))


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_values_stay_whatever_is_paired(data):
    """Of random graphs of products and sums."""
    nodes, matrices = exprs("x", "y", "z"), exprs("A", "B", "A.T", "B.T")
    for _ in range(data.draw(st.integers(3, 14))):
        a, b = (data.draw(st.sampled_from(nodes)) for _ in range(2))
        m = data.draw(st.sampled_from(matrices))
        forms = [apply("matmul", m, a), apply("matmul", a, m), apply("add", a, b), apply("mul", a, b)]
        nodes.append(data.draw(st.sampled_from(forms)))
    roots = nodes[-3:]
    found = paired(roots, Costs({s: 300.0 for r in roots for s in r.shape}))
    arrays = {k: np.random.default_rng(1).uniform(-0.5, 0.5, size=[3] * len(v)) for k, v in SHAPES.items()}
    for one, other in zip(value(roots, arrays), value(found, arrays), strict=True):
        assert np.allclose(one, other)


def test_a_net_reads_each_weight_once_on_each_way():
    text = "norm(tanh(W3 @ tanh(W2 @ tanh(W1 @ x))) - y)**2"
    shapes = {"x": ("d",), "y": ("d",), **{f"W{k}": ("d", "d") for k in (1, 2, 3)}}
    body = hvp(text, "W1", direction="V", shapes=shapes).to_numpy(sizes={"d": 256}).split('"""')[-1]
    assert body.count("W2") == body.count("W3") == 2
