"""Tangents under names: the code of a Hessian-vector product costs a small multiple of that of the gradient."""

from __future__ import annotations

import numpy as np
import pytest

from symderiv import derive, hvp
from symderiv.code.costs import Costs, representative
from symderiv.tangents import program
from symderiv.tensor.expr import walk, written_out

rng = np.random.default_rng(0)


def net(depth):
    text = "x"
    for k in range(1, depth + 1):
        text = f"tanh(W{k} @ {text})"
    shapes = {f"W{k}": (f"h{k}", f"h{k - 1}") for k in range(1, depth + 1)}
    return f"norm({text} - y)**2", {"x": ("h0",), "y": (f"h{depth}",), **shapes}


def arrays(shapes, sizes):
    return {name: rng.normal(size=[sizes[s] for s in shape]) / 2 for name, shape in shapes.items()}


def differences(gradient, given, name, along, step=1e-5):
    """Return the derivative of a gradient along a direction, by differences of fourth order."""
    found = 0.0
    for k, weight in ((1, 8), (-1, -8), (2, -1), (-2, 1)):
        found = found + weight * gradient(**{**given, name: given[name] + k * step * along}) / (12 * step)
    return found


@pytest.mark.parametrize("depth", [1, 2, 4])
@pytest.mark.parametrize("where", ["first", "last"])
def test_products_agree_with_differences_of_the_gradient(depth, where):
    text, shapes = net(depth)
    name = "W1" if where == "first" else f"W{depth}"
    given = arrays(shapes, {f"h{k}": 2 + (3 * k) % 5 for k in range(depth + 1)})
    along = rng.normal(size=given[name].shape)
    found = hvp(text, name, "V", shapes=shapes).compile()(**given, V=along)
    wanted = differences(derive(text, name, shapes=shapes).compile(), given, name, along)
    assert np.allclose(found, wanted, rtol=1e-7, atol=1e-9)


def cost(*exprs):
    costs = Costs(representative(exprs))
    return sum(map(costs.own, walk(*exprs)))


@pytest.mark.parametrize("depth", [2, 8, 16])
def test_a_product_costs_a_small_multiple_of_the_gradient(depth):
    text, shapes = net(depth)
    h = hvp(text, "W1", "V", shapes=shapes)
    first = h.stages[0]
    (product,) = program(first, {first.variables[0]: h.direction}, [*h.declared.taken, "V"]).values()
    assert cost(written_out(product)) < 2.5 * cost(written_out(first.result))


def test_the_code_has_the_tangents_by_name():
    text, shapes = net(3)
    source = hvp(text, "W1", "V", shapes=shapes).to_numpy()
    assert "u_dot = V @ x" in source
    short = hvp("norm(X @ w - y)**2", "w", "v", shapes={"X": ("n", "p"), "w": ("p",), "y": ("n",)}).to_numpy()
    assert "_dot" not in short  # nothing to share


def test_what_does_not_move_has_no_tangent():
    text, shapes = net(3)
    source = hvp(text, "W3", "V", shapes=shapes).to_numpy()
    assert "u_dot" not in source
