"""Differences under even functions stand as the user wrote them; the value and everything odd stay."""

from __future__ import annotations

import pytest

from symderiv import declare, derive
from symderiv.facing import facing
from symderiv.lower import lower
from symderiv.tensor.parse import parse, scope_of
from symderiv.tensor.text import to_text

SCOPE = scope_of({"x": ("n",), "y": ("n",), "X": ("m", "n")})


def read(text):
    return parse(text, SCOPE)


@pytest.mark.parametrize("like", ["norm(x - y)", "sum((x - y)**2)", "exp(x - y)"])
@pytest.mark.parametrize("text", ["norm(y - x)", "sum((y - x)**2)", "abs(y - x)", "X @ abs(y - x)", "norm(x - y)"])
def test_they_are_turned(text, like):
    found = facing(read(text), read(like))
    assert to_text(found) == text.replace("y - x", "x - y")
    assert lower(found).node is lower(read(text)).node


@pytest.mark.parametrize(
    "text", ["y - x", "exp(y - x)", "cosh(y - x)", "(y - x)**3", "norm(y + x)", "norm(y - X.T @ X @ x)"]
)
def test_what_is_odd_or_no_such_difference_stays(text):
    assert facing(read(text), read("norm(x - y)")) is read(text)


def test_a_result_shows_what_was_written():
    for function in ("exp(-norm(x - y))", "exp(-norm(y - x))"):
        d = derive(function, "x", shapes={"x": ("n",), "y": ("n",)})
        assert function in str(d.result)
        d.proof.check()


def test_definitions_are_looked_through():
    x, y = declare("x: (n,)", "y: (n,)")
    u = y - x
    assert "norm(y - x)" in str(derive((u @ u) ** 0.5 * 2, x).result)
