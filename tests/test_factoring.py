"""Common factors taken out of a sum: the same value, in fewer words."""

from __future__ import annotations

import pytest

from symderiv import derive
from symderiv.factoring import factored
from symderiv.index.expand import same
from symderiv.index.graph import Add, Contraction
from symderiv.lower import lower
from symderiv.tensor.parse import parse, scope_of

SHAPES = {
    "A": ("n", "n"), "B": ("n", "n"), "X": ("n", "m"), "x": ("n",), "y": ("n",), "z": ("m",), "c": (), "W": ("m", "n"),
}  # fmt: skip

SUMS = [
    "B @ x + B.T @ x",
    "X @ z + A @ X @ z",
    "outer(X @ z, y) + outer(x, y)",
    "x * y + x * (A @ x)",
    "c * x + c * y",
    "A @ X + A.T @ X + X",
    "diag(x) + diag(y)",
    "x[:, None] * X + y[:, None] * X",
    "A * x + B * x",
]


@pytest.mark.parametrize("text", SUMS)
def test_every_form_has_the_value_of_the_sum(text):
    node = lower(parse(text, scope_of(SHAPES))).node
    inner = node if isinstance(node, Add) else next(iter(node.children()))
    assert isinstance(inner, Add)
    forms = factored(inner)
    assert forms
    for form, _ in forms:
        assert same(form, inner)


@pytest.mark.parametrize(
    ("text", "by", "result"),
    [
        ("x @ A @ x", "x", "(A + A.T) @ x"),
        ("trace(X.T @ A @ X)", "X", "(A + A.T) @ X"),
        ("y @ X @ X.T @ x", "X", "(outer(x, y) + outer(y, x)) @ X"),
        ("y @ A @ A @ x", "A", "outer(y, A @ x) + outer(A.T @ y, x)"),  # nothing is common to both
        ("c * x @ x + c * y @ x", "x", "c * (2 * x + y)"),
        ("sum(x**3 * y)", "x", "3 * y * x**2"),
        ("trace(A @ A @ A)", "A", "3 * (A @ A).T"),
        ("mean(x**2)", "x", "2 * x / n"),
    ],
)
def test_results_as_a_textbook_has_them(text, by, result):
    assert str(derive(text, by, shapes=SHAPES).result) == result


def test_what_all_terms_share_is_taken_out_at_once():
    node = lower(parse("x * y * (A @ x) * (B @ x) + x * y * (A @ x) * (B @ y) * c", scope_of(SHAPES))).node
    ((form, complete),) = factored(node)
    assert complete
    assert same(form, node)
    assert isinstance(form, Contraction)
    assert {"x", "y"} < {getattr(f, "name", "") for f, _ in form.factors}
