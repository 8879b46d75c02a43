"""Every kind of question asked once, so that whatever answers them is loaded, and has been used."""

from __future__ import annotations

from typing import Any

from symderiv.web.answers import answer
from symderiv.web.faults import Answer

EXPR = {
    "expr": "sum(log(1 + exp(-y * (X @ w)))) + logdet(S) + norm(softmax(V @ w, 0))**2 + h(w) @ w",
    "wrt": ["w"], "assume": {"S": ["symmetric"]},
}  # fmt: skip
BLOCK = """
D: (m, n)
W: (n, p)
loss: function()
A = D @ W
E = loss(A)
B = diff(E, A)
assert diff(A[i,j], W[k,l]) == D[i,k] * delta[j,l], "L1"
assert diff(E, W) == D.T @ B, "L2"
assert not (diff(E, W) == 2 * D.T @ B), "L3"
"""
FAMILY = """
theta: (p,)
f: function(n)
h[0]: (n,)
for t in range(1, T + 1):
    x[t]: (d,)
    h[t] = f(h[t-1], x[t], theta)
def J(t): return partial(h[t], h[t-1])
for tau in range(0, T + 1):
    for t in range(tau, T + 1):
        assert diff(h[t], h[tau]) == prod(J(s) for s in range(t, tau, -1)), "R1"
"""
DERIVATION = r"""
\frac{\partial E}{\partial W_{kl}} &= \sum_i D_{ik} B_{il} && \text{chain rule} \\
  &= (D B)_{kl}
"""
GIVEN = "D: (m, n); W: (n, p); loss: function(); A = D @ W; E = loss(A); B = diff(E, A)"
IN_LATEX = {"expr": r"f(w) = \sum_{i=1}^n (y_i - (X w)_i)^2 + \lambda \|w\|^2", "wrt": ["w"]}
LEAST_SQUARES = {"expr": "norm(X @ w - y)**2", "wrt": ["w"]}
QUESTIONS: tuple[dict[str, Any], ...] = (
    {"ask": "about"},
    {"ask": "read", **EXPR},
    *({"ask": ask, **EXPR} for ask in ("derive", "proof", "notes", "code", "copies", "graph")),
    {"ask": "derive", **EXPR, "wrt": ["w", "S"], "layout": "numerator"},
    {"ask": "verify", **LEAST_SQUARES, "claim": "2 * X.T @ (X @ w - y)"},
    {"ask": "verify", **LEAST_SQUARES, "claim": r"2 X^\top (X w - y)"},
    {"ask": "verify", **LEAST_SQUARES, "claim": "X.T @ (X @ w - y)"},
    {"ask": "read", **IN_LATEX},
    {"ask": "derive", **IN_LATEX},
    {"ask": "homework", "text": DERIVATION, "given": GIVEN},
    {"ask": "statements", "text": BLOCK},
    {"ask": "statements", "text": FAMILY},
    {"ask": "examples"},
    {"ask": "rule", "name": "contract"},
    {"ask": "derive", "expr": "x @"},
)


def use() -> list[Answer]:
    """Return the answers to all of them."""
    return [answer(question) for question in QUESTIONS]
