"""Multiplying out tells equal from unequal where factored forms differ."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest

from symderiv.index.expand import expand, same
from symderiv.lower import lower
from symderiv.tensor.parse import parse, scope_of

SHAPES = "A(n,n) B(n,n) X(n,m) x(n) y(n) c() S(n,n) E(n,1) F(1,m)"

EQUAL = [
    ("(A + B) @ (A - B)", "A @ A - A @ B + B @ A - B @ B"),
    ("norm(x - y)**2", "x @ x - 2 * x @ y + y @ y"),
    ("(x + y)**3", "x**3 + 3 * x**2 * y + 3 * x * y**2 + y**3"),
    ("trace((A + B) @ (A + B).T)", "norm(A)**2 + 2 * trace(A @ B.T) + norm(B)**2"),
    ("1 / (1 + x) + x / (1 + x)", "1 - 0 * x"),
    ("exp(x) * exp(y)", "exp(x + y)"),
    ("exp(x)**3 / exp(2 * x)", "exp(x)"),
    ("c * (A + B) @ x", "c * A @ x + B @ (c * x)"),
    ("(x / c + y) * c", "x + c * y"),
    ("sum(x * (x + y))", "x @ x + x @ y"),
    ("norm(x) * norm(x)", "x @ x"),
    ("outer(x + y, x - y)", "outer(x, x) - outer(x, y) + outer(y, x) - outer(y, y)"),
    ("inv(A) @ (A + B)", "eye(n) + inv(A) @ B"),
    ("sum(X) * sum(x)", "sum(outer(x, vec(X)))"),
    ("sum(A * sign(x - x[:, None]), 0)", "-sum(A * sign(x[:, None] - x), 0)"),
    ("sum(A * tanh(x - x[:, None]), 0)", "-sum(A.T * tanh(x - x[:, None]), 1)"),
    ("sum(E, 1) * x", "sum(E * x[:, None], 1)"),
    ("E @ F", "E * F"),
    ("A @ ((y / x - (1 - y) / (1 - x)) * x * (1 - x))", "A @ (y - x)"),
    ("A @ (x / (1 + x)**2 * (1 + x))", "A @ (x / (1 + x))"),
]
UNEQUAL = [
    ("(A + B) @ (A - B)", "A @ A - B @ B"),
    ("trace(A @ A)", "norm(A)**2"),
    ("exp(x) + exp(y)", "exp(x + y)"),
    ("norm(x)", "sum(x)"),
    ("A", "A.T"),
    ("x / (1 + x)", "1 / (1 + x)"),
    ("A @ (y / (1 - x) * (1 + x))", "A @ y"),
    ("abs(x)", "x"),
    ("A * sign(x - x[:, None])", "A * sign(x[:, None] - x)"),
    ("A * (x - x[:, None])**2", "-A * (x[:, None] - x)**2"),
    ("A * sign(x - y[:, None])", "-A * sign(x[:, None] - y)"),
]


def node(text, shapes_of):
    return lower(parse(text, scope_of(shapes_of(SHAPES)))).node


@pytest.mark.parametrize(("left", "right"), EQUAL)
def test_equal(left, right, shapes_of):
    assert same(node(left, shapes_of), node(right, shapes_of))


@pytest.mark.parametrize(("left", "right"), EQUAL)
def test_equal_the_other_way_round(left, right, shapes_of):
    assert same(node(right, shapes_of), node(left, shapes_of))


@pytest.mark.parametrize(("left", "right"), UNEQUAL)
def test_not_found_equal(left, right, shapes_of):
    assert not same(node(left, shapes_of), node(right, shapes_of))


@pytest.mark.parametrize("text", [text for row in EQUAL for text in row])
def test_the_value_stays_and_expanding_twice_changes_nothing(text, shapes_of, arrays, value_of_node):
    whole = node(text, shapes_of)
    once = expand(whole)
    assert expand(once) is once
    at = arrays(SHAPES, {"c": "positive", "A": "invertible"})
    sizes = {"n": 3, "m": 4}
    np.testing.assert_allclose(value_of_node(once, at, sizes), value_of_node(whole, at, sizes), rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("tanh(X.T)", "tanh(X).T"),
        ("X.T**0.5", "(X**0.5).T"),
        ("softmax(X.T, 0)", "softmax(X, 1).T"),
        ("logsumexp(X.T, 0)", "logsumexp(X, 1)"),
        ("tanh(softmax(X.T, 0) + 1)", "tanh(softmax(X, 1) + 1).T"),
        ("where(X.T > 0, X.T, 1)", "where(X > 0, X, 1).T"),
        ("maximum(X.T, 0)", "maximum(X, 0).T"),
    ],
)
def test_transposing_passes_through(left, right, shapes_of):
    assert same(node(left, shapes_of), node(right, shapes_of))


@pytest.mark.parametrize("relation", ["minimum({}, {})", "where({} < {}, x, T)", "exp({})**{}", "sin({} + {})"])
@pytest.mark.parametrize("order", list(permutations(range(3)))[1:])
def test_functions_of_several_arrays_with_exchanged_axes(relation, order, shapes_of):
    back = tuple(order.index(k) for k in range(3))
    scope = scope_of(shapes_of("T(n,n,n) U(n,n,n) x(n)"))

    turned = relation.format(f"transpose(T, {order})", f"transpose(U, {order})")
    turned = turned.replace(", x, T)", f", transpose(x + 0 * T, {order}), transpose(T, {order}))")
    other = lower(parse(f"transpose({turned}, {back})", scope)).node
    assert same(lower(parse(relation.format("T", "U"), scope)).node, other)
    assert not same(lower(parse(relation.format("T", "transpose(U, (1, 2, 0))"), scope)).node, other)


def test_the_diagonal_of_a_product_is_a_sum(shapes_of):
    assert same(node("tanh(diag(A @ B))", shapes_of), node("tanh(einsum('iq,qi->i', A, B))", shapes_of))
    assert not same(node("tanh(diag(A @ B))", shapes_of), node("tanh(einsum('iq,iq->i', A, B))", shapes_of))
    scope = scope_of(shapes_of("T(m,n,n)"))
    left, right = "exp(diag(sum(T, 0)))", "exp(einsum('kii->i', T))"
    assert same(*(lower(parse(text, scope)).node for text in (left, right)))


def test_a_sum_that_a_product_joins_is_multiplied_out(shapes_of):
    left = "einsum('ab,bc,ab->c', (A + B) * S, A, B + 1)"
    right = "einsum('ab,bc->c', A * S * B + A * S + B * S * B + B * S, A)"
    assert same(node(left, shapes_of), node(right, shapes_of))


def test_shapes_that_differ_are_unequal(shapes_of):
    assert not same(node("x", shapes_of), node("A", shapes_of))


def test_too_large_to_multiply_out_is_not_equal(shapes_of):
    assert not same(node("(A + B + S) @ " * 12 + "x", shapes_of), node("x", shapes_of))
