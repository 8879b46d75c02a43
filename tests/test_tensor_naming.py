"""Which parts of an expression get a name: values stay, names are new."""

from __future__ import annotations

import pytest

from symderiv.index import normal
from symderiv.lower import lower
from symderiv.tensor.expr import walk
from symderiv.tensor.naming import named
from symderiv.tensor.parse import parse, scope_of

SCOPE = scope_of({"X": ("n", "p"), "w": ("p",), "y": ("n",), "u": (), "S": ("n", "n")})

TEXTS = [
    "norm(X @ w - y)**2",
    "tanh(X @ w) * (1 - tanh(X @ w))",
    "softmax(X @ w, 0)",
    "inv(S + outer(y, y)) @ y",
    "X @ w",
    "where(w > 0, sqrt(w), 0)",
    "(X @ w) / norm(X @ w)",
    "exp(norm(w)**2) * u",
    "logdet(X.T @ X)",
]


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("x", ["w", "X", "y", "u"])
def test_names_change_nothing(text, x):
    expr = parse(text, SCOPE)
    cut = named(expr, [x], list(SCOPE.names))
    assert cut.shape == expr.shape
    assert normal.unfold(lower(cut).node) is lower(expr).node
    names = [e.name for e in walk(cut) if e.op == "defined"]
    assert len(set(names)) == len(names)
    assert not set(names) & set(SCOPE.names)


@pytest.mark.parametrize(
    ("text", "x", "bodies"),
    [
        ("norm(X @ w - y)**2", "w", ["sub"]),
        ("tanh(X @ w)", "w", ["matmul"]),
        ("tanh(X @ w)", "y", []),
        ("X @ w", "w", []),
        ("where(w > 0, sqrt(w), 0)", "w", []),
        ("where(w > 0, tanh(2 * sqrt(w)), 0)", "w", []),
        ("where(w > 0, tanh(2 * w), 0)", "w", ["mul"]),
    ],
)
def test_what_is_named(text, x, bodies):
    cut = named(parse(text, SCOPE), [x], list(SCOPE.names))
    assert [e.args[0].op for e in walk(cut) if e.op == "defined"] == bodies
