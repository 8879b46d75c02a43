"""Questions are read from plain data, field by field."""

from __future__ import annotations

import pytest

from symderiv import inputs
from symderiv.errors import ParseError
from symderiv.web.asked import LONGEST, SIZE, asked, read_shape


@pytest.mark.parametrize(
    ("text", "shape"),
    [
        ("(n, p)", ("n", "p")),
        ("n, p", ("n", "p")),
        ("[n, 3]", ("n", 3)),
        ("(n,)", ("n",)),
        ("(n)", ("n",)),
        ("n", ("n",)),
        ("7", (7,)),
        ("()", ()),
        ("", ()),
        ("  size ", "size"),
    ],
)
def test_shapes_are_read_as_people_type_them(text, shape):
    assert read_shape(text) == shape


@pytest.mark.parametrize(
    "text",
    ["(n", "(0,)", "(-1,)", "(n + 1,)", "(True,)", "f(n)", "1.5", "a b", "(n,)" * 9, "(" * 5000, "import os", "é\x00"],
)
def test_what_is_no_shape_is_refused_with_its_place(text):
    with pytest.raises(ParseError) as caught:
        read_shape(text)
    assert caught.value.message


def test_the_word_for_a_size_is_that_of_the_inputs():
    assert SIZE == inputs.SIZE


@pytest.mark.parametrize(
    "data",
    [
        None,
        [],
        "derive",
        3,
        {},
        {"ask": 3},
        {"ask": "derive", "expr": ["x"]},
        {"ask": "derive", "wrt": "x"},
        {"ask": "derive", "wrt": [1]},
        {"ask": "derive", "wrt": ["x"] * 9},
        {"ask": "derive", "shapes": {"x": 3}},
        {"ask": "derive", "shapes": []},
        {"ask": "derive", "assume": {"x": "symmetric"}},
        {"ask": "derive", "detail": "most"},
        {"ask": "derive", "language": "../../etc/passwd"},
        {"ask": "derive", "structured": 1},
        {"ask": "derive", "__class__": ""},
        {"ask": "derive", "expr": "x" * (LONGEST + 1)},
        {"ask": "derive", "shapes": {f"x{k}": "n" for k in range(201)}},
    ],
)
def test_what_the_page_would_not_ask_is_refused(data):
    with pytest.raises(ParseError):
        asked(data)


def test_questions_about_one_expression_share_their_subject():
    data = {"expr": "x @ A @ x", "wrt": ["x"], "shapes": {"A": "(n, n)"}, "assume": {"A": ["symmetric"]}}
    one, other = asked({"ask": "derive", **data}), asked({"ask": "proof", "detail": "full", **data})
    assert one.subject == other.subject
    assert asked({"ask": "derive", **data, "wrt": ["A"]}).subject != one.subject
