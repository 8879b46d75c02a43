"""Index expressions read into the normal form: equal values give one node."""

from __future__ import annotations

import pytest
import sympy

from symderiv import dims
from symderiv.errors import UnsupportedError
from symderiv.index.nodes import (
    Apply,
    Choice,
    Definition,
    Delta,
    Derivative,
    Entry,
    Extreme,
    Index,
    Names,
    Plus,
    Power,
    Sum,
    Tensor,
    Times,
)
from symderiv.index.reading import Reader
from symderiv.index.written import Written
from symderiv.lower import lower, write
from symderiv.tensor.parse import parse, scope_of

n = dims.symbol("n")
i, j, q, t = (Index(s, n) for s in "ijqt")
A, x = Tensor("A", n, n), Tensor("x", n)
SHAPES = {
    "A": ("n", "n"),
    "B": ("n", "n"),
    "x": ("n",),
    "y": ("n",),
    "X": ("n", "m"),
    "c": (),
    "T": ("m", "n", "n"),
}
SCOPE = scope_of(SHAPES)


def reader(definitions=None):
    known = {name: lower(e).node for name, e in SCOPE.names.items()}
    return Reader(lambda tensor: known.get(tensor.name), definitions or {})


TEXTS = [
    "A @ x",
    "x @ A @ x",
    "trace(A @ B)",
    "A * B + A.T",
    "outer(x, y) / c",
    "norm(x - y)",
    "exp(-x) * tanh(A @ x)",
    "x**c",
    "x**-2",
    "sqrt(x)",
    "diag(x) @ A",
    "diag(A)",
    "kron(A, B)",
    "vec(X)",
    "X.T @ X",
    "sum(X, 0)",
    "mean(X, 1)",
    "mean(X)",
    "inv(A)",
    "inv(A @ B + eye(n))",
    "det(A)",
    "logdet(A + B)",
    "softmax(A @ x, 0)",
    "softmax(X, 1)",
    "logsumexp(X)",
    "logsumexp(X, 1)",
    "prod(x)",
    "maximum(x, y)",
    "minimum(x, 0)",
    "where(x > y, x, c)",
    "einsum('ijk,k->ij', T, x)",
    "matrix_power(A, 3)",
    "matrix_power(A, 0)",
    "matrix_power(A, -2)",
    "solve(A, x)",
    "x[:, None] * A",
    "reshape(X, (n * m,))",
    "transpose(T, (1, 0, 2))",
    "ones(n) * c",
    "zeros(n, n)",
    "n * x",
    "inv(kron(A, B))",
    "det(kron(A, B))",
    "sign(x) * abs(x)",
]


@pytest.mark.parametrize("text", TEXTS)
def test_what_is_written_reads_as_what_is_lowered(text):
    """One line of index notation is read twice: by the engine, and as it is written in a proof."""
    expr = parse(text, SCOPE)
    names, definitions = Names({*SHAPES, "n", "m"}), {}
    tokens = [tuple(names.fresh(size) for size in axis) for axis in expr.axes]
    written = write(expr, tokens, Written(names, definitions))
    order = [index for token in tokens for index in token]
    assert reader(definitions).node(written, order) is lower(expr).node


def test_order_names_and_the_place_of_a_sum_do_not_matter():
    one = Times(Entry(x, i), Sum(Times(Entry(A, i, q), Entry(x, q)), q))
    other = Sum(Times(Entry(x, t), Entry(A, i, t), Entry(x, i)), t)
    assert reader().node(one, [i]) is reader().node(other, [i])


def test_axes_follow_the_order_asked_for():
    assert reader().node(Entry(A, i, j), [j, i]) is lower(parse("A.T", SCOPE)).node


def test_deltas_contract_and_idle_sums_are_sizes():
    assert reader().node(Sum(Times(Delta(i, q), Entry(x, q)), q), [i]) is lower(SCOPE.names["x"]).node
    assert reader().node(Sum(Entry(x, i), q), [i]) is lower(parse("n * x", SCOPE)).node


def test_heads_are_looked_up_in_the_definitions():
    y = Tensor("z", n)
    body = Sum(Times(Entry(A, i, q), Entry(x, q)), q)
    found = reader({"z": Definition(y, (i,), body)}).node(Entry(y, j), [j])
    assert found is lower(parse("A @ x", SCOPE)).node


def test_choices_and_extremes():
    zero = sympy.Integer(0)
    found = reader().node(Choice(">", Entry(x, i), zero, Entry(x, i), zero), [i])
    assert found is lower(parse("where(x > 0, x, 0)", SCOPE)).node
    assert reader().node(Extreme("minimum", Entry(x, i), zero), [i]) is lower(parse("minimum(x, 0)", SCOPE)).node
    assert (
        reader().node(Power(Plus(Entry(x, i), sympy.Integer(1)), sympy.Rational(1, 2)), [i])
        is lower(parse("sqrt(x + 1)", SCOPE)).node
    )
    assert reader().node(Apply("tanh", 0, Entry(x, i)), [i]) is lower(parse("tanh(x)", SCOPE)).node


@pytest.mark.parametrize(
    "expr", [Entry(Tensor("Z", n), i), Derivative(Entry(x, i), Entry(x, j)), sympy.Float(0.5)], ids=str
)
def test_what_is_not_known_is_refused(expr):
    with pytest.raises(UnsupportedError):
        reader().node(expr, [i, j])
