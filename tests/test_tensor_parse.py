"""Text in: what is read, and what it is read as."""

from __future__ import annotations

import pickle
from fractions import Fraction

import pytest

from symderiv import dims
from symderiv.errors import ParseError, ShapeError, UnknownNameError
from symderiv.tensor.operations import apply
from symderiv.tensor.parse import Scope, literal_value, number, parse, raised, scope_of

SCOPE = scope_of(
    {
        "A": ("n", "m"),
        "B": ("m", "p"),
        "S": ("n", "n"),
        "x": ("m",),
        "y": ("n",),
        "c": (),
        "T": ("b", "n", "m"),
    },
    functions={"h": ["dh", "d2h"]},
)


def read(text):
    return parse(text, SCOPE)


@pytest.mark.parametrize(
    ("text", "shape"),
    [
        ("A @ B", ("n", "p")),
        ("A @ x", ("n",)),
        ("y @ A", ("m",)),
        ("x @ x", ()),
        ("A.T", ("m", "n")),
        ("x.T", ("m",)),
        ("A * x", ("n", "m")),
        ("y[:, None] + x", ("n", "m")),
        ("T.T", ("m", "n", "b")),
        ("T * A", ("b", "n", "m")),
        ("sum(T, 1)", ("b", "m")),
        ("sum(T, axis=-1)", ("b", "n")),
        ("mean(A)", ()),
        ("outer(y, x)", ("n", "m")),
        ("kron(S, c * S)", None),
        ("trace(S)", ()),
        ("diag(S)", ("n",)),
        ("diag(x)", ("m", "m")),
        ("inv(S)", ("n", "n")),
        ("solve(S, A)", ("n", "m")),
        ("solve(S, y)", ("n",)),
        ("softmax(T, 2)", ("b", "n", "m")),
        ("logsumexp(T, 0)", ("n", "m")),
        ("einsum('bij,j->ib', T, x)", ("n", "b")),
        ("einsum('ij', A)", ("n", "m")),
        ("einsum('ji', A)", ("m", "n")),
        ("transpose(T, (2, 0, 1))", ("m", "b", "n")),
        ("transpose(T, (-1, 0, 1))", ("m", "b", "n")),
        ("transpose(A)", ("m", "n")),
        ("eye(n)", ("n", "n")),
        ("ones(n, 3)", ("n", 3)),
        ("zeros((n, m))", ("n", "m")),
        ("where(x > 0, x, c)", ("m",)),
        ("maximum(A, x)", ("n", "m")),
        ("h(A)", ("n", "m")),
        ("d2h(x)", ("m",)),
        ("np.tanh(A)", ("n", "m")),
        ("np.linalg.inv(S)", ("n", "n")),
        ("n * x / m", ("m",)),
        ("x[None, :]", (1, "m")),
        ("x[:, None]", ("m", 1)),
        ("c[None]", (1,)),
        ("-2**2 * c", ()),
        ("dot(A, x)", ("n",)),
        ("dot(c, x)", ("m",)),
        ("T @ x", ("b", "n")),
        ("T @ B", ("b", "n", "p")),
        ("y @ T", ("b", "m")),
        ("A.T @ T", ("b", "m", "m")),
        ("T @ transpose(T, (0, 2, 1))", ("b", "n", "n")),
    ],
)
def test_shapes(text, shape):
    assert shape is None or read(text).shape == dims.shape(shape)


@pytest.mark.parametrize(
    ("text", "shape"),
    [
        ("vec(A)", dims.symbol("n") * dims.symbol("m")),
        ("kron(x, y)", dims.symbol("n") * dims.symbol("m")),
        ("reshape(A, (n * m,))", dims.symbol("n") * dims.symbol("m")),
    ],
)
def test_composed_axes(text, shape):
    assert read(text).shape == (shape,)


def test_a_vec_keeps_its_atomic_sizes():
    assert read("vec(A)").axes == ((dims.symbol("m"), dims.symbol("n")),)
    assert read("reshape(A, (n * m,))").axes == ((dims.symbol("n"), dims.symbol("m")),)
    assert read("reshape(reshape(A, (n * m,)), (n, m))").axes == read("A").axes


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("A@B", " A  @ B "),
        ("2*(x)", "2 * x"),
        ("sum(A, axis=0)", "sum(A, 0)"),
        ("np.exp(x)", "exp(x)"),
        ("dot(A, B)", "A @ B"),
        ("+x", "x"),
        ("-(-2) * c", "2 * c"),
        ("einsum('ij, jk', A, B)", "einsum('ij,jk->ik', A, B)"),
        ("ones((n, m))", "ones(n, m)"),
        ("x**(1/2)", "x**0.5"),
        ("sum(A, axis=1, keepdims=True)", "sum(A, 1)[:, None]"),
        ("mean(A, 0, keepdims=True)", "mean(A, 0)[None, :]"),
        ("logsumexp(A, keepdims=True)", "logsumexp(A)[None, None]"),
        ("prod(A, 1, keepdims=False)", "prod(A, 1)"),
        ("sum(T, axis=(0, -1))", "sum(sum(T, 2), 0)"),
        ("sum(A, (0, 1))", "sum(A)"),
        ("mean(T, (1, 2), keepdims=True)", "mean(mean(T, 2), 1)[:, None, None]"),
        ("x[:, np.newaxis]", "x[:, None]"),
        ("outer(A, x)", "outer(reshape(A, (n*m,)), x)"),
        ("T @ x", "einsum('abd,d->ab', T, x)"),
    ],
)
def test_two_spellings_are_one_expression(left, right):
    assert read(left) is read(right)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("3", 3),
        ("0.1", Fraction(1, 10)),
        ("1e-3", Fraction(1, 1000)),
        ("-2", -2),
        ("1 / 3", Fraction(1, 3)),
        ("2 - 1 / 4", Fraction(7, 4)),
        ("0.1 + 0.2", Fraction(3, 10)),
    ],
)
def test_numbers_are_exact(text, value):
    assert literal_value(read(text)) == value


def test_a_name_hides_a_size_and_a_function_is_no_variable():
    x = read("x")
    assert parse("n", Scope({"n": x}, {"n": dims.symbol("n")})) is x
    assert read("n").op == "size"


def test_expressions_are_interned_and_pickle():
    expr = read("softmax(A @ x, 0) + h(y)")
    assert read("softmax(A @ x, 0) + h(y)") is expr
    assert pickle.loads(pickle.dumps(expr)) is expr


@pytest.mark.parametrize(
    ("text", "column", "end"),
    [
        ("c + zebra * 2", 4, 9),
        ("  A @ (x @ A)", 5, 10),
        ("exp(A @\n  A)", 4, 5),
        ("sum(A, 7)", 0, 9),
        ("tanh(x) + c.shape", 10, 17),
    ],
)
def test_a_refusal_points_at_the_place(text, column, end):
    with pytest.raises((ParseError, ShapeError)) as err:
        read(text)
    place = err.value.place
    assert place is not None
    assert place.column == column
    assert place.line == 1


def test_scopes():
    scope = scope_of({"X": ("n", 3)}, {"X": "positive"}, {"h": ["dh"]})
    assert sorted(scope.sizes) == ["n"]
    assert scope.names["X"].data[1] == {"positive"}
    assert scope.functions == {"h": ("h", 0), "dh": ("h", 1)}
    with pytest.raises(UnknownNameError):
        scope_of({}, {"X": "positive"})


INDEXED = Scope(SCOPE.names, SCOPE.sizes, indices=True)


@pytest.mark.parametrize(
    ("text", "shape"),
    [
        ("A[i, j]", ()),
        ("A[i, :]", ("m",)),
        ("sum[j](A[i, j] * x[j])", ()),
        ("delta[i, j] * y[i]", ()),
        ("sum[i, j](A[i, j])", ()),
    ],
)
def test_index_notation(text, shape):
    assert parse(text, INDEXED).shape == dims.shape(shape)


@pytest.mark.parametrize("text", ["A[i]", "A[n, m]", "delta[i]", "sum[j](A)", "A[i, 0]", "sum[j]()", "A[i + 1, j]"])
def test_index_notation_refused(text):
    with pytest.raises((ParseError, ShapeError)):
        parse(text, INDEXED)


def test_what_is_shared_is_looked_at_once_and_depth_is_no_limit():
    x, two = SCOPE.names["c"], number(2)
    for _ in range(5000):  # written out these would have 2**5000 leaves
        x, two = apply("mul", x, x), apply("add", apply("div", two, two), number(1))
    assert literal_value(x) is None
    assert literal_value(two) == 2
    assert raised(x, number(2)).op == "power"
