"""Rebuilding from below: each node once, what ends it is not entered, what comes out is in the normal form."""

from __future__ import annotations

from collections import Counter

import pytest

from symderiv.index.graph import Node, walk
from symderiv.index.rebuild import from_below, substitute
from symderiv.lower import lower
from symderiv.tensor.parse import parse, scope_of

SHAPES = "x(n) y(n) A(n,n) B(n,n)"
TEXTS = [
    ("A @ x + B @ x", "A @ y + B @ y"),
    ("softmax(x, 0) * where(x > 0, x, exp(x))", "softmax(y, 0) * where(y > 0, y, exp(y))"),
    ("maximum(x, 0)**2 / (1 + x @ x)", "maximum(y, 0)**2 / (1 + y @ y)"),
    ("logdet(A) * inv(A) @ x", "logdet(A) * inv(A) @ y"),
    ("prod(x) * logsumexp(x) + abs(x)**y", "prod(y) * logsumexp(y) + abs(y)**y"),
]


@pytest.fixture(scope="module")
def read(shapes_of):
    return lambda text: lower(parse(text, scope_of(shapes_of(SHAPES)))).node


@pytest.mark.parametrize(("text", "_"), TEXTS)
def test_with_nothing_changed_it_is_the_same_node(text, _, read):
    node, seen = read(text), Counter()

    def counted(old: Node, new: Node) -> Node:
        seen[old] += 1
        return new

    assert from_below(node, after=counted) is node
    assert seen == Counter(walk(node))


@pytest.mark.parametrize(("text", "wanted"), TEXTS)
def test_what_is_put_in_is_read_as_if_it_had_been_written(text, wanted, read):
    x, y = read("x"), read("y")
    assert substitute(read(text), {x: y}) is read(wanted)
    assert from_below(read(text), after=lambda _, new: y if new is x else new) is read(wanted)


def test_what_ends_it_is_not_entered(read):
    inner, entered = read("A @ x"), []
    found = from_below(
        read("exp(A @ x) + A @ x"),
        end=lambda node: node if node is inner else None,
        after=lambda old, new: entered.append(old) or new,
    )
    assert found is read("exp(A @ x) + A @ x")
    assert inner not in entered and read("A") not in entered


def test_what_was_found_is_kept(read):
    x, y, done = read("x"), read("y"), {}
    from_below(read("exp(A @ x)"), end={x: y}.get, done=done)
    assert done[read("A @ x")] is read("A @ y")
    assert from_below(read("A @ x"), end=lambda _: pytest.fail("it is known"), done=done) is read("A @ y")
