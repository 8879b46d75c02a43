"""Sums of words: what is multiplied out has the value it had, and inverses are known where they meet their matrices."""

from __future__ import annotations

import pytest

from symderiv.check.decide import decide_equal
from symderiv.claims.spelling import poly_expr
from symderiv.claims.words import ONE, Words, added
from symderiv.statements import block
from symderiv.tensor.expr import Expr
from symderiv.tensor.text import to_text

ARRAYS = """
M: invertible(n, n)
A: invertible(n, n)
S: symmetric(n, n)
Q: orthogonal(n, n)
B: (n, m)
C: (m, n)
D: invertible(m, m)
u: (n,)
v: (n,)
w: (m,)
s: ()
"""


def read(*texts: str) -> list[Expr]:
    found = block.read_block(ARRAYS + "\n".join(texts), block.Names())
    return [x.exprs[0] for x in found if x.kind == "show"]


@pytest.mark.parametrize(
    "text",
    [
        "(M + outer(u, v)) @ (A - B @ C)",
        "(B @ (w + C @ u) - v) * (2 + s)",
        "u @ M.T @ (v - S @ u) / (1 + s * (v @ u))**2",
        "(M @ A).T - (S + S.T) / 3",
        "inv(M @ A) @ (M @ u)",
        "inv(2 * M.T) @ inv(inv(A))",
        "inv(Q) @ S @ Q.T.T",
        "solve(M + A, u) + inv(A.T + M.T).T @ u",
        "outer(B @ w, w @ C) @ M @ outer(u, v)",
        "v @ inv(M + S) @ B",
        "s * eye(n) - M @ inv(M)",
        "inv(D + C @ inv(M) @ B) @ C @ inv(M) @ B",
        "inner(u, v) * inner(M, A)",
    ],
)
@pytest.mark.parametrize("turned", [False, True])
def test_what_is_multiplied_out_has_the_same_value(text, turned):
    (expr,) = read(text)
    words = Words(turned)
    for poly in (words.poly(expr), words.reduced(words.poly(expr))):
        again = poly_expr(poly, expr.shape)
        assert decide_equal(expr, again).status == "proved", to_text(again)


@pytest.mark.parametrize(
    "text",
    [
        "M @ inv(M)",
        "inv(M).T @ M.T",
        "inv(S) @ S.T",
        "Q @ Q.T",
        "inv(A + M) @ (M + A)",
        "inv(A.T + M.T).T @ (M + A)",
        "inv(M @ A) @ M @ A",
        "(eye(n) + B @ C) @ (eye(n) - B @ inv(eye(m) + C @ B) @ C)",
    ],
)
def test_a_matrix_meets_its_inverse(text):
    words = Words()
    (expr,) = read(text)
    assert words.equal(words.poly(expr), ONE)


@pytest.mark.parametrize("text", ["M @ inv(M).T", "Q @ Q", "inv(A + M) @ (M - A)", "inv(M @ A) @ A @ M", "M @ inv(A)"])
def test_other_products_are_not_the_identity(text):
    words = Words()
    (expr,) = read(text)
    assert not words.equal(words.poly(expr), ONE)


def test_denominators_are_cleared():
    words = Words()
    one, other = read("u / (1 + s) + s * u / (1 + s)", "u")
    assert words.vanishes(added((1, words.poly(one)), (-1, words.poly(other))))
    assert not words.vanishes(added((1, words.poly(one)), (1, words.poly(other))))


def test_one_inverse_has_one_letter():
    words = Words()
    polys = [words.poly(e) for e in read("inv(M + A)", "inv(A + M)", "inv(A.T + M.T).T")]
    assert polys[0] == polys[1] == polys[2]
