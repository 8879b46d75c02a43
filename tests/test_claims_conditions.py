"""What a claim presupposes."""

from __future__ import annotations

import pytest

from symderiv.claims.conditions import conditions
from symderiv.sheet import Sheet
from symderiv.statements import block

ARRAYS = """
M: (n, n)
K: positive_definite(n, n)
Q: orthogonal(n, n)
x: (n,)
p: positive(n)
s: ()
"""


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("inv(M) @ x", ["M invertible"]),
        ("solve(M + K, x)", ["M + K invertible"]),
        ("logdet(M)", ["M invertible"]),
        ("inv(K) @ inv(Q) @ x", []),
        ("x / s", ["s != 0"]),
        ("1 / x", ["x != 0 entrywise"]),
        ("x / n + x / 2 + x / p", []),
        ("log(x) + log(p)", ["x > 0 entrywise"]),
        ("sqrt(s) + sqrt(x @ x)", ["s >= 0", "x @ x >= 0"]),
        ("s**-2 + s**2", ["s != 0"]),
        ("1 / (1 + exp(s)) + log(1 + s**2)", []),
        ("1 / (1 + s)", ["1 + s != 0"]),
        ("log(sigmoid(x)) + log(1 - sigmoid(x)) + 1 / (2 - tanh(x))", []),
        ("log(1 - x)", ["1 - x > 0 entrywise"]),
        ("inv(inv(M) + eye(n))", ["M invertible", "inv(M) + eye(n) invertible"]),
    ],
)
def test_inverses_quotients_and_logarithms_have_their_conditions(text, wanted):
    *_, shown = block.read_block(ARRAYS + text, block.Names())
    assert [str(c) for c in conditions(*shown.exprs)] == wanted


def test_definitions_bring_theirs():
    (claim,) = Sheet(ARRAYS + "y = x / s\nassert y + y == 2 * y").claims
    assert [str(c) for c in claim.conditions] == ["s != 0"]


def test_each_condition_stands_once():
    *_, shown = block.read_block(ARRAYS + "x / s + inv(M) @ x / s - inv(M) @ x", block.Names())
    assert len(conditions(*shown.exprs)) == 2
