"""Every operation: lowered, lifted and generated, against plain NumPy on the text itself."""

from __future__ import annotations

import numpy as np
import pytest

from symderiv.code.compiled import compiled
from symderiv.code.numpy import function_source
from symderiv.code.source import Argument, Source
from symderiv.errors import SymderivError
from symderiv.functions import FUNCTIONS
from symderiv.lift import lift
from symderiv.lower import lower
from symderiv.tensor.expr import walk
from symderiv.tensor.operations import OPERATIONS
from symderiv.tensor.parse import parse, scope_of
from symderiv.tensor.text import to_text
from symderiv.testing.productions import INTERNAL

# text, shapes, assumptions
CASES = [
    ("A + B", "A(n,m) B(n,m)", {}),
    ("A - x", "A(n,m) x(m)", {}),
    ("x[:, None] * A", "A(n,m) x(n)", {}),
    ("A / x", "A(n,m) x(m)", {"x": "positive"}),
    ("c * A - 2", "A(n,m) c()", {}),
    ("A * E", "A(n,m) E(n,1)", {}),
    ("E + F", "E(n,1) F(1,m)", {}),
    ("-T * A", "T(b,n,m) A(n,m)", {}),
    ("A**3 + A**-1", "A(n,m)", {"A": "positive"}),
    ("A**0.5 * sqrt(A)", "A(n,m)", {"A": "positive"}),
    ("x**y", "x(n) y(n)", {"x": "positive"}),
    ("x**c + 2**y", "x(n) y(n) c()", {"x": "positive"}),
    ("maximum(A, x) + minimum(A, 0)", "A(n,m) x(m)", {}),
    ("where(A > x, A, x)", "A(n,m) x(m)", {}),
    ("where(x <= 0, c, x)", "x(n) c()", {}),
    ("where(x >= y, 1, 0) + where(x < y, 2, 0)", "x(n) y(n)", {}),
    ("A @ B", "A(n,m) B(m,p)", {}),
    ("A @ x", "A(n,m) x(m)", {}),
    ("x @ A", "A(n,m) x(n)", {}),
    ("x @ y", "x(n) y(n)", {}),
    ("inner(A, B)", "A(n,m) B(p,m)", {}),
    ("inner(A, x) + inner(x, B)", "A(n,m) x(m) B(n,m)", {}),
    ("inner(c, A)", "A(n,m) c()", {}),
    ("vec(A) + ones(n*m)", "A(n,m)", {}),
    ("where(vec(A) > zeros(n*m), 2 * ones(n*m), vec(A))", "A(n,m)", {}),
    ("ones(n*m) @ vec(A) * vec(A) @ (3 * ones(n*m))", "A(n,m)", {}),
    ("maximum(y, x) - minimum(1, 2) * exp(2 * ones(n))", "x(n) y(n)", {}),
    ("inner(x, y) + dot(x, y)", "x(n) y(n)", {}),
    ("dot(A, B)", "A(n,m) B(m,p)", {}),
    ("outer(x, y)", "x(n) y(m)", {}),
    ("kron(A, B)", "A(n,m) B(p,q)", {}),
    ("kron(x, y)", "x(n) y(m)", {}),
    ("kron(kron(A, B), C)", "A(n,m) B(p,p) C(p,n)", {}),
    ("kron(A, B) @ kron(x, y)", "A(n,m) B(p,q) x(m) y(q)", {}),
    ("trace(kron(A, B))", "A(n,n) B(p,p)", {}),
    ("kron(A, B).T", "A(n,m) B(p,q)", {}),
    ("einsum('ij,jk->ki', A, B)", "A(n,m) B(m,p)", {}),
    ("einsum('ij,ij->i', A, A)", "A(n,m)", {}),
    ("einsum('ii->i', S)", "S(n,n)", {}),
    ("einsum('ijk,k,j->i', T, x, y)", "T(b,n,m) x(m) y(n)", {}),
    ("einsum('i,i,i->', x, x, x)", "x(n)", {}),
    ("einsum('ij->', A)", "A(n,m)", {}),
    ("matrix_power(S, 3)", "S(n,n)", {}),
    ("matrix_power(S, 0) + matrix_power(S, 1)", "S(n,n)", {}),
    ("matrix_power(S, -2)", "S(n,n)", {"S": "invertible"}),
    ("sum(A) + mean(A)", "A(n,m)", {}),
    ("sum(A, 0) * mean(A, 0)", "A(n,m)", {}),
    ("sum(T, 1) - mean(T, -2)", "T(b,n,m)", {}),
    ("prod(x)", "x(n)", {}),
    ("prod(A, 0)", "A(n,m)", {}),
    ("prod(A)", "A(n,m)", {}),
    ("trace(S)", "S(n,n)", {}),
    ("norm(A) + norm(x)", "A(n,m) x(n)", {}),
    ("norm(T)", "T(b,n,m)", {}),
    ("A.T", "A(n,m)", {}),
    ("T.T", "T(b,n,m)", {}),
    ("transpose(T, (1, 0, 2))", "T(b,n,m)", {}),
    ("transpose(T, (1, 2, 0))", "T(b,n,m)", {}),
    ("diag(x)", "x(n)", {}),
    ("diag(S)", "S(n,n)", {}),
    ("vec(A)", "A(n,m)", {}),
    ("vec(A @ B)", "A(n,m) B(m,p)", {}),
    ("vec(A) @ vec(A)", "A(n,m)", {}),
    ("vec(G) + x", "G(n,1) x(n)", {}),
    ("vec(F) * y", "F(1,m) y(m)", {}),
    ("kron(x, s) - y", "x(n) s(1) y(n)", {}),
    ("kron(A, G)", "A(n,m) G(p,1)", {}),
    ("kron(A, F)", "A(n,m) F(1,1)", {}),
    ("outer(x, vec(F)) @ vec(F)", "F(1,m) x(n)", {}),
    ("reshape(A, (n * m,))", "A(n,m)", {}),
    ("reshape(T, (b, n * m))", "T(b,n,m)", {}),
    ("reshape(x, (n, 1))", "x(n)", {}),
    ("reshape(F, (m,))", "F(1,m)", {}),
    ("x[None, :, None] * T", "T(b,n,m) x(n)", {}),
    ("x[:, None] - y", "x(n) y(m)", {}),
    ("eye(n) + S", "S(n,n)", {}),
    ("ones(n, m) - A", "A(n,m)", {}),
    ("zeros(n) + x", "x(n)", {}),
    ("inv(S)", "S(n,n)", {"S": "invertible"}),
    ("inv(S) @ S.T @ inv(S.T)", "S(n,n)", {"S": "invertible"}),
    ("inv(kron(S, P))", "S(n,n) P(p,p)", {"S": "invertible", "P": "invertible"}),
    ("det(S) + logdet(S)", "S(n,n)", {"S": "invertible"}),
    ("logdet(2 * S) - det(-S)", "S(n,n)", {"S": "invertible"}),
    ("det(kron(S, P))", "S(n,n) P(p,p)", {"S": "invertible", "P": "invertible"}),
    ("logdet(kron(S, P))", "S(n,n) P(p,p)", {"S": "invertible", "P": "invertible"}),
    ("solve(S, x)", "S(n,n) x(n)", {"S": "invertible"}),
    ("solve(S, A)", "S(n,n) A(n,m)", {"S": "invertible"}),
    ("softmax(A, 0)", "A(n,m)", {}),
    ("softmax(A, 1)", "A(n,m)", {}),
    ("softmax(T, 1)", "T(b,n,m)", {}),
    ("logsumexp(A)", "A(n,m)", {}),
    ("logsumexp(A, 1)", "A(n,m)", {}),
    ("logsumexp(T, -1)", "T(b,n,m)", {}),
    ("n * x / (n + 1)", "x(n)", {}),
    ("x", "x(n)", {}),
    *(
        (
            f"{f}(A * x)",
            "A(n,m) x(m)",
            {
                "A": "open_unit" if f.startswith("arc") else "positive",
                "x": "open_unit" if f.startswith("arc") else "positive",
            },
        )
        for f in FUNCTIONS
    ),
]

ALIKE = {"different": {}, "ones": dict.fromkeys("nmpqb", 1), "k = l": dict.fromkeys("nmpqb", 3)}


def generated(expr, at, names):
    arguments = [Argument(e.name, e.shape) for e in names.values()]
    text = function_source(Source("value", arguments, [expr], "The value."))
    return np.asarray(compiled(text, "value")(*(at[a.name] for a in arguments)))


def check(got, want):
    assert np.shape(got) == want.shape
    np.testing.assert_allclose(got, want, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("alike", ALIKE)
@pytest.mark.parametrize(("text", "shapes", "assume"), CASES, ids=[row[0] for row in CASES])
def test_an_operation_keeps_its_value_through_the_house(text, shapes, assume, alike, shapes_of, arrays, evaluate):
    scope = scope_of(shapes_of(shapes), assume)
    expr = parse(text, scope)
    at = arrays(shapes, assume, ALIKE[alike])
    want = evaluate(text, shapes, at)
    check(generated(expr, at, scope.names), want)  # as written
    lifted = lift(lower(expr).node, expr.axes)
    check(generated(lifted, at, scope.names), want)  # read off the normal form
    check(evaluate(to_text(lifted), shapes, at), want)  # as text


@pytest.mark.parametrize(("text", "shapes", "assume"), CASES, ids=[row[0] for row in CASES])
def test_the_index_line_is_the_value(text, shapes, assume, shapes_of, arrays, evaluate, value_of_node):
    """The node that the operation's index definition gives, evaluated entry by entry."""
    expr = parse(text, scope_of(shapes_of(shapes), assume))
    at = arrays(shapes, assume)
    sizes = {
        s: d
        for k, dims in shapes_of(shapes).items()
        for s, d in zip(dims, at[k].shape, strict=True)
        if isinstance(s, str)
    }
    want = evaluate(text, shapes, at)
    check(value_of_node(lower(expr).node, at, sizes).reshape(want.shape), want)


def test_every_operation_stands_in_a_case(shapes_of):
    used = {e.op for text, shapes, assume in CASES for e in walk(parse(text, scope_of(shapes_of(shapes), assume)))}
    assert set(OPERATIONS) - INTERNAL <= used


@pytest.mark.parametrize(
    ("text", "shapes"),
    [
        ("vec(A) + vec(B)", "A(n,m) B(m,n)"),
        ("reshape(x, (2, 3))", "x(6)"),
        ("vec(X) @ A", "X(3,2) A(6,6)"),
        ("vec(A) + reshape(A, (n * m,))", "A(n,m)"),
        ("kron(x, y) + kron(y, x)", "x(n) y(m)"),
    ],
)
def test_axes_composed_in_two_ways_are_refused_or_right(text, shapes, shapes_of, arrays, evaluate):
    scope = scope_of(shapes_of(shapes))
    try:
        expr = parse(text, scope)
        node = lower(expr).node
    except SymderivError:
        return
    at = arrays(shapes)
    check(generated(lift(node, expr.axes), at, scope.names), evaluate(text, shapes, at))


@pytest.mark.parametrize("text", ["T @ A", "A @ T", "T @ x"])
def test_more_axes_than_letters_are_refused(text):
    scope = scope_of({"T": ("n",) * 26, "A": ("n", "n"), "x": ("n",)})
    with pytest.raises(SymderivError, match="26 axes"):
        parse(text, scope)
