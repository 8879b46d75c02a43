"""Index notation to matrix notation, and back to the identical node."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from symderiv import dims
from symderiv.index import normal
from symderiv.index.expand import same
from symderiv.lift import lift
from symderiv.lower import lower
from symderiv.tensor.parse import parse, scope_of
from symderiv.tensor.text import to_text

n, m = dims.symbol("n"), dims.symbol("m")
SHAPES = "A(n,n) B(n,m) x(n) y(n) v(m) c() S(n,n) T(n,n,m)"
SCOPE = scope_of(
    {
        "A": ("n", "n"),
        "B": ("n", "m"),
        "x": ("n",),
        "y": ("n",),
        "v": ("m",),
        "c": (),
        "S": ("n", "n"),
        "T": ("n", "n", "m"),
    },
    {"S": "symmetric"},
)
A, B, x, y, v, c, S, T = (lower(SCOPE.names[k]).node for k in "ABxyvcST")

SQUARE = {"a": n, "b": n, "d": n, "e": n, "k": m, "l": m}
POOL = [
    (A, "nn"),
    (S, "nn"),
    (B, "nm"),
    (x, "n"),
    (y, "n"),
    (v, "m"),
    (c, ""),
    (normal.delta(n), "nn"),
    (T, "nnm"),
    (normal.power(x, -1), "n"),
    (normal.entrywise("tanh", x), "n"),
    (normal.inverse(A), "nn"),
    (normal.add([(1, A), (2, S)], (n, n)), "nn"),
    (normal.softmax(v, [0]), "m"),
]


PLAIN = list(POOL)
PRODUCT = normal.contract(1, [(A, "ij"), (B, "jk")], "ik")
POOL += [
    (normal.add([(1, A), (-2, S)], (n, n)), "nn"),
    (normal.add([(-1, A), (2, S)], (n, n)), "nn"),
    (normal.add([(1, B), (-3, PRODUCT)], (n, m)), "nm"),
    (normal.add([(1, x), (-1, y)], (n,)), "n"),
    (normal.entrywise("sigmoid", A), "nn"),
    (normal.entrywise("tanh", B), "nm"),
    (normal.entrywise("exp", normal.add([(1, B), (-1, PRODUCT)], (n, m))), "nm"),
    (normal.power(B, 2), "nm"),
    (normal.power(B, -1), "nm"),
    (normal.softmax(B, [0]), "nm"),
    (normal.softmax(B, [1]), "nm"),
    (normal.where(">", B, normal.number(0, (n, m)), B, PRODUCT), "nm"),
    (normal.where(">", x, y, x, normal.number(0, (n,))), "n"),
    (normal.extremum("maximum", B, normal.number(0, (n, m))), "nm"),
]


@st.composite
def nodes(draw, pool=POOL, most=9):
    """Return a random product, possibly one term of a sum, no index in more than `most` places."""
    factors, places = [], Counter()
    for node, sizes in draw(st.lists(st.sampled_from(pool), min_size=1, max_size=5)):
        labels = []
        for s in sizes:
            left = [k for k in ("abde" if s == "n" else "kl") if places[k] < most]
            if not left:
                break
            labels.append(draw(st.sampled_from(left)))
            places[labels[-1]] += 1
        if len(labels) == len(sizes):
            factors.append((node, labels))
    used = sorted({label for _, labels in factors for label in labels})
    out = draw(st.lists(st.sampled_from(used), unique=True, max_size=3)) if used else []
    node = normal.contract(draw(st.sampled_from([1, -2])), factors, out)
    if node.dims == (n, n):
        node = normal.add([(1, node), (draw(st.integers(0, 1)), A)], (n, n))
    return node


def test_a_negated_difference_keeps_its_sign(arrays, evaluate):
    at = arrays(SHAPES, {"S": "symmetric"})
    for text in (
        "diag(A - 2 * S)",
        "diag(A.T - 2 * S) * x",
        "-diag(2 * S - A)",
        "-trace(2 * S - A)",
        "(A - 2 * S) @ x",
    ):
        printed = to_text(lift(lower(parse(text, SCOPE)).node))
        np.testing.assert_allclose(evaluate(printed, SHAPES, at), evaluate(text, SHAPES, at), err_msg=printed)


@settings(max_examples=300, deadline=None)
@given(nodes())
def test_lowering_what_was_lifted_gives_an_equal_node(node):
    assert same(lower(lift(node)).node, node)


@settings(max_examples=300, deadline=None)
@given(nodes(PLAIN, most=2))
def test_it_gives_the_node_itself_where_no_index_stands_in_three_places(node):
    assert lower(lift(node)).node is node


def test_an_index_in_three_places_has_one_form():
    node = normal.contract(1, [(A, "ii"), (A, "ij"), (A, "jj")], "")
    assert lower(parse("diag(A) @ (A @ diag(A))", SCOPE)).node is node


@settings(max_examples=200, deadline=None)
@given(nodes())
def test_a_lifted_node_keeps_its_value_and_its_text_reads_back(arrays, evaluate, value_of_node, node):
    at = arrays(SHAPES, {"A": "invertible", "S": "symmetric"})
    text = to_text(lift(node))
    want = value_of_node(node, at, {"n": 3, "m": 4})
    got = evaluate(text, SHAPES, at)
    assert got.shape == want.shape
    np.testing.assert_allclose(got, want, rtol=1e-8, atol=1e-8)
    assert same(lower(parse(text, SCOPE)).node, node)


@pytest.mark.parametrize(
    ("text", "lifted"),
    [
        ("einsum('ij,jk->ik', A, B)", "A @ B"),
        ("einsum('ji,jk->ik', A, B)", "A.T @ B"),
        ("einsum('ij,i->j', A, x)", "x @ A"),
        ("einsum('ij,ij->', A, S)", "trace(A @ S)"),
        ("einsum('i,j->ij', x, v)", "outer(x, v)"),
        ("einsum('ij,i->ij', B, x)", "x[:, None] * B"),
        ("einsum('ij,j->ij', B, v)", "B * v"),
        ("einsum('ii->', A)", "trace(A)"),
        ("einsum('ii->i', A)", "diag(A)"),
        ("einsum('ij->j', A)", "sum(A, 0)"),
        ("einsum('i,i->', x, y)", "x @ y"),
        ("sqrt(sum(x**2))", "norm(x)"),
        ("x @ x", "x @ x"),
        ("sum(x * y * x)", "x**2 @ y"),
        ("S.T @ x", "S @ x"),
    ],
)
def test_numpys_words(text, lifted):
    found = lift(lower(parse(text, SCOPE)).node)
    assert to_text(found) == lifted or lower(found).node is lower(parse(lifted, SCOPE)).node
    assert "einsum" not in to_text(found)
    assert len(to_text(found)) <= len(lifted) + 4


def test_names_stand_for_their_nodes():
    inner = lower(parse("A @ x", SCOPE)).node
    named = normal.defined("u", inner)
    node = normal.contract(2, [(S, "ij"), (named, "j")], "i")
    assert to_text(lift(node)) == "2 * S @ u"
