"""Sums of squares in disguise: the root that is found squares to the number that was given."""

from __future__ import annotations

import pytest

from symderiv.lift import lift
from symderiv.lower import lower
from symderiv.squares import root_of
from symderiv.tensor.operations import apply
from symderiv.tensor.parse import parse, scope_of
from symderiv.tensor.text import to_text

SCOPE = scope_of(
    {
        "A": ("m", "n"),
        "X": ("n", "p"),
        "Y": ("n", "p"),
        "S": ("n", "n"),
        "x": ("n",),
        "u": ("n",),
        "w": ("p",),
        "t": (),
    },
    {"S": "symmetric"},
)


def node(text):
    return lower(parse(text, SCOPE)).node


@pytest.mark.parametrize(
    "root",
    [
        "X @ w",
        "A @ X",
        "A @ X @ w",
        "X.T @ X",
        "X * Y",
        "S @ x",
        "S @ S @ x",
        "X * x[:, None]",
        "(X @ w) * u",
        "A @ (x * u)",
        "(A @ x) * (A @ u)",
        "einsum('ij,jk,k->ijk', A, X, w)",
    ],
)
def test_a_norm_is_found_again(root):
    squared = node(f"norm({root})**2")
    found = root_of(squared)
    assert found is not None
    again = lower(apply("power", apply("norm", lift(found)), data=(2,))).node
    assert again is squared


@pytest.mark.parametrize(
    "text",
    [
        "x @ S @ x",  # S is no product of two equal halves
        "trace(X @ Y.T)",
        "sum(X @ w)",
        "sum(X**2 @ w)",
        "x @ u",
        "sum(x**4)",  # reads well as it is
        "2 * norm(A @ X)**2",  # the number in front is its own factor
        "t**2",
        "norm(A @ X) * t",
    ],
)
def test_nothing_is_found_where_nothing_is(text):
    assert root_of(node(text)) is None


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("norm(A @ X)", "norm(A @ X)"),
        ("sqrt(x @ A.T @ A @ x)", "norm(A @ x)"),
        ("1 / norm(A @ X)**3", "1 / norm(A @ X)**3"),
        ("x @ A.T @ A @ x", "norm(A @ x)**2"),
        ("trace(X.T @ X @ X.T @ X)**0.75", "norm(X @ X.T)**1.5"),
        ("sum((A @ X)**2, 0)", "sum((A @ X)**2, 0)"),
        ("norm(X @ w) / norm(X)", "norm(X @ w) / norm(X)"),
    ],
)
def test_it_is_written_as_a_norm(text, shown):
    assert to_text(lift(node(text))) == shown
