"""Layouts of display, and what a result says about itself."""

from __future__ import annotations

import numpy as np
import pytest

from symderiv import UnsupportedError, derive
from symderiv.conventions import CONVENTION, LAYOUTS, TRANSPOSED_IN

SHAPES = {"x": ("n",), "y": ("m",), "a": (), "X": ("n", "p"), "Y": ("m", "p"), "A": ("m", "n"), "B": ("p", "p")}
NONE = r"\text{no layout: an array of shape }"
# f, x: the right side in numerator and in denominator layout; nothing where there is no layout
TABLE = [
    ("a**2", "a", r"2\,a", r"2\,a"),
    ("x @ x", "x", r"\left(2\,x\right)^{\top}", r"2\,x"),
    ("y @ A @ x", "A", r"x\,y^{\top}", r"y\,x^{\top}"),
    ("a * x", "a", "x", r"x^{\top}"),
    ("A @ x", "x", "A", r"A^{\top}"),
    ("a * X", "a", "X", r"X^{\top}"),
    ("X @ B", "B", None, None),
    ("A @ x", "A", None, None),
    ("outer(x, y)", "x", None, None),
]


@pytest.mark.parametrize(("text", "wrt", "numerator", "denominator"), TABLE)
def test_the_table(text, wrt, numerator, denominator):
    d = derive(text, wrt, shapes=SHAPES)
    for layout, wanted in zip(LAYOUTS, (numerator, denominator), strict=True):
        left, _, right = d.to_latex(layout=layout).partition(" = ")
        assert left == rf"\frac{{\partial f}}{{\partial {wrt}}}"
        if wanted is None:
            assert right.startswith(d.to_latex().partition(" = ")[2])
            assert NONE in right
        else:
            assert right == wanted


def test_every_pair_of_ranks_has_its_row():
    given = {"a": 0, "x": 1, "X": 2}
    for f, rank in given.items():
        for x, other in given.items():
            d = derive(f if f != x else f"2 * {f}", x, shapes=SHAPES)
            shown = [NONE not in d.to_latex(layout=layout) for layout in LAYOUTS]
            assert shown == [(rank, other) in TRANSPOSED_IN] * 2


@pytest.mark.parametrize(("wrt", "has_layout"), [(["x", "x"], True), (["x", "y"], False), (["X", "X"], False)])
def test_claims_higher(wrt, has_layout):
    d = derive("x @ A.T @ y + x @ x + trace(X.T @ X)", wrt, shapes=SHAPES)
    for layout in LAYOUTS:
        assert (NONE not in d.to_latex(layout=layout)) == has_layout
        assert d.to_latex(layout=layout).startswith(d.to_latex())


def test_text_and_code_are_always_the_array():
    d = derive("x @ x", "x", shapes=SHAPES)
    before = str(d.result), d.to_numpy(), d.shape
    d.to_latex(layout="numerator")
    assert (str(d.result), d.to_numpy(), d.shape) == before
    assert CONVENTION in d.to_numpy()
    np.testing.assert_array_equal(d.compile()(x=np.arange(3)), 2.0 * np.arange(3))


def test_the_proof_ends_with_the_layout():
    d = derive("norm(A @ x - y)**2", "x", shapes=SHAPES)
    plain, shown = d.proof.to_latex(), d.proof.to_latex(layout="numerator")
    assert shown.startswith(plain)
    assert d.to_latex(layout="numerator") in shown
    assert plain == d.proof.to_latex(layout=None)


@pytest.mark.parametrize(
    ("text", "assume", "said"),
    [
        ("det(X)", {}, "Condition: X is invertible."),
        ("det(eye(n) + X @ A)", {}, "Condition: eye(n) + X @ A is invertible."),
        ("det(X)", {"X": "positive_definite"}, ""),
        ("det(A) * trace(X)", {}, ""),
        ("logdet(X)", {}, ""),
    ],
)
def test_where_the_derivative_of_a_determinant_holds(text, assume, said):
    d = derive(text, "X", shapes={"X": ("n", "n"), "A": ("n", "n")}, assume=assume)
    conditions = [note for note in d.notes if note.startswith("Condition")]
    assert conditions == ([said] if said else [])
    assert said in d.to_numpy()


def test_another_layout_is_refused():
    d = derive("x @ x", "x", shapes=SHAPES)
    for show in (d.to_latex, d.proof.to_latex):
        with pytest.raises(UnsupportedError, match="no layout"):
            show(layout="mixed")


def test_the_function_has_a_name_that_is_free():
    assert derive("f @ f", "f", shapes={"f": ("n",)}).to_latex().startswith(r"\frac{\partial F}{\partial f}")
