"""The chain rule over definitions: edges, adjoints, linearity, composition."""

from __future__ import annotations

import numpy as np
import pytest

from symderiv.chain import differentiate, directional, pulled
from symderiv.derivation import derive
from symderiv.index import normal
from symderiv.index.expand import same
from symderiv.index.graph import Defined, Leaf, walk
from symderiv.lower import lower
from symderiv.tensor.expr import defined
from symderiv.tensor.parse import Scope, parse, scope_of

SCOPE = scope_of(
    {"A": ("n", "n"), "W": ("n", "n"), "B": ("n", "m"), "x": ("n",), "y": ("n",), "c": ()},
    functions={"h": ["dh"]},
)


def over(*statements):
    """Return the last expression, the ones before it as definitions."""
    scope = Scope(dict(SCOPE.names), SCOPE.sizes, SCOPE.functions)
    *names, last = statements
    for line in names:
        name, body = line.split(" = ")
        scope.names[name] = defined(name, parse(body, scope))
    return lower(parse(last, scope)).node


x, W = lower(SCOPE.names["x"]).node, lower(SCOPE.names["W"]).node

COMPOSED = [
    ("u = A @ x", "norm(u)**2"),
    ("u = A @ x - y", "z = tanh(u)", "z @ z + sum(u)"),
    ("u = x * x", "z = u @ A", "w = u + z", "u @ w * norm(z)**2"),
    ("u = h(A @ x)", "sum(u**3)"),
    ("u = outer(x, y)", "trace(u @ A @ u.T)"),
    ("s = x @ x", "y * s"),
    ("u = A @ x", "y @ y"),
    ("u = softmax(A @ x, 0)", "u @ y"),
    ("u = where(x > y, x * x, y)", "u @ A @ u"),
    ("u = x @ B", "z = tanh(B - outer(x, u))", "norm(z)**2 - u @ u"),
    ("u = x[:, None] * B", "z = exp(u.T) - 2 * B.T", "trace(u @ z)"),
    ("u = x[:, None] - B", "softmax(u.T, 0) @ (y - x)"),
    ("u = relu(x[:, None] * B)", "v = u - B", "sum(v * u)"),
]


@pytest.mark.parametrize("statements", COMPOSED, ids=" ; ".join)
def test_through_definitions_is_as_with_the_definitions_put_in(statements):
    function = over(*statements)
    chained = normal.unfold(differentiate(function, x).result)
    expanded = differentiate(normal.unfold(function), x).result
    assert same(chained, expanded)


@pytest.mark.parametrize("statements", COMPOSED, ids=" ; ".join)
def test_edges_add_up_to_the_adjoints(statements):
    function = over(*statements)
    chain = differentiate(function, x)
    assert {e.child for e in chain.edges} == set(chain.adjoints) - {function}
    for child in {e.child for e in chain.edges}:
        total = normal.add([(1, e.result) for e in chain.edges if e.child is child], (*function.dims, *child.dims))
        assert same(chain.adjoints[child], total)
    assert all(e.child is x or isinstance(e.child, Defined) for e in chain.edges)
    assert chain.result.dims == (*function.dims, *x.dims)


@pytest.mark.parametrize(
    ("f", "g"),
    [
        ("x @ A @ x", "norm(x)"),
        ("tanh(x)", "A @ x"),
        ("outer(x, y)", "A * x"),
        ("tanh(x[:, None] * B)", "B - x[:, None]"),
        ("tanh(x[:, None] * B).T", "B.T / x"),
    ],
)
def test_linear(f, g):
    df, dg, both = (differentiate(over(t), x).result for t in (f, g, f"3 * ({f}) - 2 * ({g})"))
    assert same(both, normal.add([(3, df), (-2, dg)], df.dims))


@pytest.mark.parametrize("statements", COMPOSED, ids=" ; ".join)
def test_along_a_direction_is_the_derivative_contracted_with_it(statements):
    function, way = over(*statements), lower(SCOPE.names["y"]).node
    found, rank = normal.unfold(directional(function, {x: way})[function]), function.rank
    wanted = normal.unfold(differentiate(function, x).result)
    assert same(found, normal.contract(1, [(wanted, range(rank + 1)), (way, [rank])], range(rank)))


@pytest.mark.parametrize("text", ["norm(x)**2", "x @ A @ x + y @ x", "sum(tanh(A @ x))"])
def test_an_adjoint_of_one_definition_is_pulled_back_to_the_leaves_of_its_text(text):
    function, bar = over(text), Leaf((), "b", frozenset(), ())
    (found,) = pulled(function, bar, 0, [x]).values()
    assert same(found, normal.contract(1, [(bar, ""), (differentiate(function, x).result, "i")], "i"))


def test_held_definitions_are_constant():
    function = over("u = A @ x", "u * x")
    (u,) = (node for node in walk(function) if isinstance(node, Defined))
    immediate = differentiate(function, x, hold=[u]).result
    assert immediate is normal.contract(1, [(u, "i"), (normal.delta(x.dims[0]), "ij")], "ij")
    assert differentiate(function, u).result is normal.contract(1, [(x, "i"), (normal.delta(x.dims[0]), "ij")], "ij")


@pytest.mark.parametrize(
    "text", ["norm(y)**2", "A", "A @ y", "inv(A)", "exp(y)", "softmax(y, 0)", "3 * c", "where(y > 0, y, c)"]
)
def test_what_does_not_depend_is_zero(text):
    function = over(text)
    assert normal.is_zero(differentiate(function, x).result)


@pytest.mark.parametrize("depth", [2, 4, 8, 16])
def test_the_cost_grows_linearly_with_depth(depth):
    statements, last = [], "x"
    for k in range(depth):
        statements += [f"a{k} = W @ {last}", f"z{k} = tanh(a{k})"]
        last = f"z{k}"
    chain = differentiate(over(*statements, f"y @ {last}"), W)
    assert len(walk(chain.result)) <= 25 * depth + 30


def test_leaves_of_one_name_and_other_shape_are_other_variables():
    other = Leaf((x.dims[0], x.dims[0]), "x", frozenset(), ())
    assert normal.is_zero(differentiate(over("x @ y"), other).result)


def test_nan_free_slopes(value_of_node):
    result = differentiate(over("where(x > 0, sqrt(x), 0 * x)"), x).result
    value = value_of_node(result, {"x": np.array([4.0])}, {"n": 1})
    np.testing.assert_allclose(value, [[0.25]])


@pytest.mark.parametrize(
    ("expr", "wrt"),
    [
        ("sum(prod(B, 1) * x)", ["B", "B", "B"]),
        ("sum(prod(B, 0)**2)", ["B", "B"]),
        ("sum(minimum(x, y) * maximum(x, y))", ["x", "x"]),
        ("sum(where(x > y, y, x * x))", ["x"]),
        ("c * trace(matrix_power(N, p) @ (N + inv(N)))", ["N"]),
    ],
)
def test_what_the_engine_finds_is_what_the_proof_arrives_at(expr, wrt):
    shapes = {"B": ("n", "m"), "x": ("n",), "y": ("n",), "N": ("n", "n"), "c": ()}
    derive(expr, wrt, shapes=shapes).proof.check()
