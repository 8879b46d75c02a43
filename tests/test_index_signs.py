"""What is said of the signs of a node's entries: right at values of both signs, and said of what it can be said of."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from symderiv import dims
from symderiv.index.normal import (
    add,
    contract,
    determinant,
    entrywise,
    general_power,
    inverse,
    leaf,
    number,
    power,
    scaled,
    size_of,
    softmax,
)
from symderiv.index.signs import is_sum_of_squares, never_negative, positive

n = dims.symbol("n")
x, y, d, p = leaf("x", (n,)), leaf("y", (n,)), leaf("d", (n,), ["positive"]), leaf("p", (n,), ["probability"])
A, P = leaf("A", (n, n)), leaf("P", (n, n), ["positive_definite"])
one, half = number(1, (n,)), Fraction(1, 2)
squared, size = power(x, 2), entrywise("abs", y)
SHARE = np.array([0.2, 0.0, 0.8])
GIVEN = {
    "x": np.array([-1.5, 0.4, 0.0]), "y": np.array([0.3, 0.0, -0.7]), "d": np.array([0.1, 1.2, 3.0]), "p": SHARE,
    "A": np.diag([1.0, -2.0, 3.0]), "P": np.diag([0.5, 2.0, 3.0]),
}  # fmt: skip
SUM_OF_SQUARES = contract(1, [(x, "i"), (x, "i"), (d, "i")], "")
ABOVE = [
    d, size_of(n), number(half), softmax(x, (0,)), power(d, Fraction(1, 3)), general_power(d, x), determinant(P),
    *(entrywise(name, x) for name in ("exp", "cosh", "sigmoid", "softplus")), contract(2, [(d, "i"), (d, "j")], "ij"),
    add([(1, one), (2, squared)], (n,)), add([(1, d), (half, p)], (n,)),
    add([(1, d), (1, entrywise("exp", x))], (n,)),
]  # fmt: skip
NOT_BELOW = [
    p, squared, power(x, -4), size, entrywise("relu", x), scaled(Fraction(2), squared),
    number(0, (n,)), SUM_OF_SQUARES, scaled(half, SUM_OF_SQUARES),
    contract(1, [(size, "i"), (d, "i"), (entrywise("exp", x), "i")], "i"),
]  # fmt: skip
UNKNOWN = [
    x, power(x, 3), entrywise("sign", x), entrywise("tanh", x), scaled(Fraction(-1), d), scaled(Fraction(-1), squared),
    contract(1, [(x, "i"), (d, "i")], "i"), add([(1, one), (-1, squared)], (n,)), add([(1, d), (1, x)], (n,)),
    determinant(A), determinant(add([(1, A), (1, P)], (n, n))), inverse(P), add([(1, squared), (1, power(y, 2))], (n,)),
    contract(1, [(squared, "i"), (y, "i")], "i"), general_power(x, y), contract(1, [(x, "i")], ""),
]  # fmt: skip


@pytest.mark.parametrize("node", ABOVE, ids=range(len(ABOVE)))
def test_what_is_positive(node, value_of_node):
    assert positive(node)
    assert np.all(value_of_node(node, GIVEN, {"n": 3}) > 0)


@pytest.mark.parametrize("node", NOT_BELOW, ids=range(len(NOT_BELOW)))
def test_what_is_never_negative(node, value_of_node):
    assert never_negative(node)
    assert not positive(node)
    with np.errstate(divide="ignore"):
        assert np.all(value_of_node(node, GIVEN, {"n": 3}) >= 0)


@pytest.mark.parametrize("node", UNKNOWN, ids=range(len(UNKNOWN)))
def test_what_may_have_any_sign(node):
    assert not positive(node)
    assert not never_negative(node)


def test_what_is_declared_positive_is_never_negative():
    assert never_negative(d)


def test_a_sum_of_squares_is_a_sum():
    assert is_sum_of_squares(SUM_OF_SQUARES)
    assert not any(map(is_sum_of_squares, (x, squared, scaled(Fraction(2), squared), contract(1, [(x, "i")], ""))))
