"""Layouts in handouts: what numerator and denominator layout show of a claim."""

from __future__ import annotations

import pytest

from symderiv.handout.build import read_and_decide
from symderiv.render.model import ClaimView


def rows(tmp_path, claim, layout):
    path = tmp_path / "notes.md"
    head = "X: (n, p)\nw: (p,)\ny: (n,)\nu = X @ w\nE = u @ y\nF = E * X\n"
    path.write_text(f"---\nlayout: {layout}\n---\n```symderiv\n{head}assert {claim}\n```\n", encoding="utf-8")
    one = read_and_decide(path)
    (view,) = (b for b in one.document.blocks if isinstance(b, ClaimView))
    return [latex for _, latex in view.layouts], one.document.convention


@pytest.mark.parametrize(
    ("claim", "numerator", "denominator"),
    [
        ("diff(E, w) == X.T @ y", r"(X^{\top}\,y)^{\top}", r"X^{\top}\,y"),  # a row, a column
        ("diff(E, X) == outer(y, w)", r"w\,y^{\top}", r"y\,w^{\top}"),
        ("diff(u, w) == X", "X", r"X^{\top}"),
    ],
)
def test_a_derivative_as_a_matrix(tmp_path, claim, numerator, denominator):
    for layout, wanted in (("numerator", numerator), ("denominator", denominator)):
        (latex,), convention = rows(tmp_path, claim, layout)
        assert latex.partition(" = ")[2] == wanted
        assert f"{layout} layout" in convention


@pytest.mark.parametrize("claim", ["diff(E, w[k]) == (X.T @ y)[k]", "u == X @ w", "not (diff(E, w) == w)"])
def test_what_has_no_layout_is_not_shown_in_one(tmp_path, claim):
    assert rows(tmp_path, claim, "numerator")[0] == []


def test_arrays_are_shown_as_they_are(tmp_path):
    found, convention = rows(tmp_path, "diff(u, w) == X", "array")
    assert found == [] and "layout" not in convention
