"""Matrix notation to index notation: the normal form, free indices and their ranges."""

from __future__ import annotations

from fractions import Fraction

import pytest

from symderiv import dims
from symderiv.chain import differentiate
from symderiv.errors import ShapeError
from symderiv.index import normal
from symderiv.index.graph import Leaf, walk
from symderiv.lower import index_ranges, lower
from symderiv.tensor.expr import Expr, defined
from symderiv.tensor.operations import apply
from symderiv.tensor.parse import Scope, parse, scope_of

DECLARED = scope_of({"A": ("n", "m"), "B": ("m", "n"), "S": ("n", "n"), "x": ("m",), "y": ("n",), "c": ()})
SCOPE = Scope(DECLARED.names, DECLARED.sizes, indices=True)
n, m = dims.symbol("n"), dims.symbol("m")


def node(text):
    expr = parse(text, SCOPE)
    return lower(expr, sizes=index_ranges(expr)).node


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("A @ x", "einsum('ij,j->i', A, x)"),
        ("trace(A @ B)", "sum(A * B.T)"),
        ("x @ x", "norm(x)**2"),
        ("(A @ B).T", "B.T @ A.T"),
        ("outer(y, x)", "y[:, None] * x"),
        ("diag(y) @ A", "y[:, None] * A"),
        ("trace(eye(n))", "n * 1"),
        ("sum(ones(n, m))", "n * m"),
        ("solve(S, y)", "inv(S) @ y"),
        ("matrix_power(S, 2)", "S @ S"),
        ("mean(x)", "sum(x) / m"),
        ("sum(A, 1)", "A @ ones(m)"),
        ("sqrt(y)", "y**0.5"),
        ("2 * (x + x)", "4 * x"),
        ("A - A", "zeros(n, m)"),
        ("kron(A, B) @ kron(B, A)", "kron(A @ B, B @ A)"),
        ("vec(A @ B)", "kron(B.T, eye(n)) @ vec(A)"),
        ("vec(outer(y, x))", "kron(x, y)"),
        ("inv(S) @ S", "eye(n)"),
        ("exp(y)**2", "exp(y) * exp(y)"),
        ("det(2 * S)", "2**n * det(S)"),
        ("inv(S.T)", "inv(S).T"),
        ("reshape(A.T, (n * m,))", "vec(A)"),
        ("transpose(A, (1, 0))", "A.T"),
        ("sum[j](A[i, j] * x[j])", "sum[k](x[k] * A[i, k])"),
        ("sum[j](delta[i, j] * y[j])", "y[i]"),
        ("sum[i, j](A[i, j])", "sum(A)"),
    ],
)
def test_two_spellings_are_one_node(left, right):
    assert node(left) is node(right)


@pytest.mark.parametrize(
    ("text", "free"),
    [
        ("A[i, j]", ("i", "j")),
        ("sum[j](A[i, j] * x[j])", ("i",)),
        ("y[i] * x[j]", ("i", "j")),
        ("S[i, i]", ("i",)),
        ("delta[i, j] * y[i]", ("i", "j")),
    ],
)
def test_free_indices(text, free):
    expr = parse(text, SCOPE)
    array = lower(expr, sizes=index_ranges(expr))
    assert tuple(sorted(array.free)) == free
    assert array.node.rank == len(free)


def test_ranges_are_found_from_use():
    assert index_ranges(parse("A[i, j] * delta[j, k]", SCOPE)) == {"i": (n,), "j": (m,), "k": (m,)}
    with pytest.raises(ShapeError, match="two ranges"):
        index_ranges(parse("A[i, i]", SCOPE))
    with pytest.raises(ShapeError, match="joins ranges"):
        index_ranges(parse("A[i, j] * delta[i, j]", SCOPE))


def test_composed_axes_are_atomic_axes():
    array = lower(parse("kron(A, B)", SCOPE))
    assert array.axes == ((n, m), (m, n))
    assert array.node.dims == (n, m, m, n)


def test_the_derivative_of_an_unknown_function_stays_one():
    u = SCOPE.names["x"]
    value = Expr("unknown", (u,), ("E",), ())
    slope = Expr("unknown", (u,), ("E", (0,)), u.axes)
    assert lower(slope).node is differentiate(lower(value).node, lower(u).node).result


def test_deep_chains_of_definitions_are_lowered():
    u = DECLARED.names["x"]
    for k in range(1500):
        u = defined(f"u{k}", apply("map", u, data=("tanh", 0)))
    assert lower(apply("sub", u, DECLARED.names["x"])).node.rank == 1


# ---------------------------------------------------------------- sums and products, however bracketed


@pytest.mark.parametrize(
    ("text", "same_as"),
    [
        ("A + (B - (A - -C)) - -(x[:, None] - (y + x))", "B - C + x[:, None] - y - x"),
        ("((A @ B) @ (C @ A)) @ x", "A @ (B @ (C @ (A @ x)))"),
        ("(x @ A) @ (B @ (C @ y))", "((x @ A) @ B) @ C @ y"),
        ("(A + B) @ ((A + B) @ (C + C))", "2 * ((A + B) @ (A + B)) @ C"),
        ("A @ inv(B @ C) @ B @ (C @ A)", "A @ A"),
    ],
)
def test_brackets_do_not_matter(text, same_as):
    scope = scope_of({"A": ("n", "n"), "B": ("n", "n"), "C": ("n", "n"), "x": ("n",), "y": ("n",)})
    assert lower(parse(text, scope)).node is lower(parse(same_as, scope)).node


def test_what_is_shared_is_lowered_once():
    """Written out, these would have 2**60 terms."""
    x = parse("x", scope_of({"x": ("n",)}))
    doubled, alternating = x, x
    for k in range(60):
        doubled = apply("add", doubled, doubled)
        alternating = apply("sub" if k % 2 else "add", alternating, apply("neg", alternating))
    assert lower(doubled).node is normal.scaled(Fraction(2**60), lower(x).node)
    assert normal.is_zero(lower(alternating).node)


def test_long_sums_and_products_are_no_deeper_than_short_ones():
    names = [f"A{k}" for k in range(300)]
    scope = scope_of(dict.fromkeys(names, ("n", "n")))
    total = product = scope.names["A0"]
    for name in names[1:]:
        total, product = apply("add", total, scope.names[name]), apply("matmul", product, scope.names[name])
    for expr in (total, product):
        assert {part.name for part in walk(lower(expr).node) if isinstance(part, Leaf)} == set(names)
