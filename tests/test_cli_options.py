"""Shapes, assumptions and unknown functions as options."""

from __future__ import annotations

import pytest
from command_line import refusal

from symderiv.cli.options import read_assumptions, read_functions, read_shapes
from symderiv.errors import ParseError


def test_shapes() -> None:
    assert read_shapes(["X: (n, 3)", " a:() ", "x:(n,)"]) == {"X": ("n", 3), "a": (), "x": ("n",)}


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("X: n, p", '"X: (n, p)"'),
        ("X: (n, p", '"X: (n, p)"'),
        ("x: (n)", '"x: (n,)"'),
        ("x: n", '"x: (n,)"'),
        ("x: 5", '"x: (5,)"'),
        ("X: [n, p]", '"X: (n, p)"'),
        ("X (n, p)", 'column 2)\n  X (n, p)\n   ^\n  hint: write --shape "X: (n, p)"'),
        ("X = (n, p)", '"X: (n, p)"'),
        ("X(n, p)", '"X: (n, p)"'),
        ("X", "colon"),
        ("", "colon"),
        (": (n,)", "'' is not a name"),
        ("3: (n,)", "'3' is not a name"),
        ("a.b: (n,)", "'a.b' is not a name"),
        ("S: symmetric(n, n)", '--shape "S: (n, n)" --assume "S: symmetric"'),
        ("X: (n, 0)", "positive integer"),
        ("X: (n, -1)", "positive integer"),
        ("X: (n, True)", "positive integer"),
        ("X: (n, 2.5)", "X: (n, 2.5)\n         ^^^"),
        ("X: (2 * n,)", "a name such as n"),
        ("Σθ: (n, 1.5)", "Σθ: (n, 1.5)\n          ^^^\n"),
        ("X: ('n',)", "a name such as n"),
        ("X: (n, p) = 3", "not a shape"),
        ("X: (n,); y: (n,)", 'column 8)\n  X: (n,); y: (n,)\n         ^\n  hint: write --shape "X: (n,)" --shape'),
        ("X: (n, p), w: (p,)", '--shape "X: (n, p)" --shape "w: (p,)"'),
        ("X: (" + "(" * 5000, "not a shape"),
        ("X: (n\0,)", "not a shape"),
    ],
)  # fmt: skip
def test_malformed_shapes_are_explained(text: str, hint: str) -> None:
    with pytest.raises(ParseError) as caught:
        read_shapes([text])
    assert hint in str(caught.value)


def test_a_shape_is_never_evaluated() -> None:
    with pytest.raises(ParseError):
        read_shapes(["X: (print('evaluated'),)"])


def test_a_shape_given_twice_is_refused() -> None:
    with pytest.raises(ParseError, match="given twice"):
        read_shapes(["x: (n,)", "x: (m,)"])


def test_assumptions() -> None:
    found = read_assumptions(["S: symmetric", "S: invertible", "x: positive"])
    assert found == {"S": ["symmetric", "invertible"], "x": ["positive"]}


@pytest.mark.parametrize("text", ["S", "S:", "S: ,", ": symmetric", "S symmetric"])
def test_malformed_assumptions_are_explained(text: str) -> None:
    with pytest.raises(ParseError) as caught:
        read_assumptions([text])
    assert "--assume" in str(caught.value)


def test_functions() -> None:
    assert read_functions(["h"], 2, []) == {"h": ["dh", "d2h"]}
    assert read_functions(["h: a, b, c"], 1, []) == {"h": ["a", "b", "c"]}
    assert read_functions(["h"], 1, ["dh"]) == {"h": ["dh_"]}


@pytest.mark.parametrize("text", ["h:", "3", "h: d h", "h(x)"])
def test_malformed_functions_are_explained(text: str) -> None:
    with pytest.raises(ParseError, match="is not a name"):
        read_functions([text], 1, [])


def test_what_is_not_declared_is_told_how():
    assert "hint: declare it with its shape, as in --shape 'X: (n, p)'" in refusal("derive", "norm(X)", "--wrt", "X")
