"""Text out: what is printed parses back to the same expression, or to the same value."""

from __future__ import annotations

import ast
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from symderiv.errors import ShapeError, UnsupportedError
from symderiv.tensor.operations import apply
from symderiv.tensor.parse import literal_value, negated, number, parse, scope_of
from symderiv.tensor.text import decimal, to_text

SHAPES = "A(n,n) B(n,n) x(n) y(n) c() d()"
SCOPE = scope_of(
    {"A": ("n", "n"), "B": ("n", "n"), "x": ("n",), "y": ("n",), "c": (), "d": ()}, functions={"h": ["dh"]}
)

SAME = [
    "A @ B @ x",
    "A @ (B @ x)",
    "(A + B) @ x",
    "A @ (x + y)",
    "x - (y - x)",
    "x - y - x",
    "x / y / c",
    "x / (y / c)",
    "x / (y * c)",
    "-x",
    "(-x)**2",
    "-x**2",
    "(x + y)**2",
    "x**-1",
    "2**x",
    "(x**2)**3",
    "x**(y + 1)",
    "A.T @ B.T",
    "(A @ B).T",
    "(A + B).T",
    "x[:, None] * A",
    "(x + y)[:, None]",
    "sum(A, 0)",
    "softmax(A @ x, 0)",
    "where(x > 0, x, -y)",
    "where(x - y <= 1, x, 0)",
    "einsum('ij,j->i', A, x)",
    "transpose(A, (1, 0))",
    "eye(n) * c",
    "ones(n, n) + zeros(n, n)",
    "matrix_power(A, -2)",
    "h(x) + dh(y)",
    "n * x / n",
    "A * (B @ A)",
    "(A * B) @ A",
    "c * (A @ x)",
    "exp(-x)",
    "maximum(x, 0)",
    "kron(A, B)",
    "vec(A)",
    "x @ (c * y)",
    "c**d**2",
    "(c**d)**2",
    "-(x + y)",
    "x * -y",
    "x + -y",
    "x - -y",
    "(-c) * x",
    "norm(x)",
    "(x @ y) * A",
    "x @ y * c",
    "1 / (c * d)",
    "c / d * x",
    "(x * y) @ A",
    "x * (y @ A)",
    "0.1 * x",
    "x / 3",
    "x**0.5",
    "x**(1 / 3)",
    "-1.5 * x",
]


@pytest.mark.parametrize("text", SAME)
def test_printing_and_reading_settle(text, arrays, evaluate):
    """What is printed reads back as an expression that prints the same, with the same value."""
    expr = parse(text, SCOPE)
    printed = to_text(expr, {("h", 0): "h", ("h", 1): "dh"})
    again = parse(printed, SCOPE)
    assert to_text(again, {("h", 0): "h", ("h", 1): "dh"}) == printed
    assert again.shape == expr.shape
    at = arrays(SHAPES, {"x": "positive", "c": "positive", "y": "positive"})
    known = {"h": np.sin, "dh": np.cos}
    np.testing.assert_allclose(evaluate(printed, SHAPES, at, known), evaluate(text, SHAPES, at, known), rtol=1e-12)


@pytest.mark.parametrize(
    "text", [t for t in SAME if t not in ("x - -y", "x + -y", "x * -y", "-(x + y)", "(-c) * x", "x**(1 / 3)")]
)
def test_no_bracket_is_added_and_none_is_lost(text):
    printed = to_text(parse(text, SCOPE), {("h", 0): "h", ("h", 1): "dh"})
    assert printed.count("(") <= text.count("(") + text.count("**-")


@pytest.mark.parametrize(
    "expr",
    [
        parse("x * ((A @ x) * y)", SCOPE),
        parse("x * (c * (A @ x))", SCOPE),
        parse("x * (c * (2 * (A @ x)))", SCOPE),
        parse("A * (c * (B @ A) / 3)", SCOPE),
        parse("A * ((A @ B) * B)", SCOPE),
        parse("A * (A @ B * x)", SCOPE),
        apply("div", SCOPE.names["A"], number(Fraction(-1, 3))),
    ],
    ids=["vectors", "scaled", "twice scaled", "over a number", "matrices", "columns", "a negative third"],
)
def test_brackets_stand_where_the_value_needs_them(expr, arrays, evaluate):
    at = arrays(SHAPES)
    np.testing.assert_allclose(evaluate(to_text(expr), SHAPES, at), plain(expr, at), rtol=1e-12)


def test_a_square_of_a_size_reads_back():
    expr = parse("reshape(A, (n * n,))", SCOPE)
    assert parse(to_text(expr), SCOPE) is expr


def test_a_transposed_number_reads_back():
    assert parse(to_text(parse("(2).T", SCOPE)), SCOPE)


OPS = ("add", "sub", "mul", "div", "matmul", "neg", "power", "transpose", "map", "general_power", "norm")


@st.composite
def expressions(draw, depth=4):
    """Return an expression over the scope, of any operations whose shapes fit."""
    if depth == 0 or draw(st.integers(0, 4)) == 0:
        return draw(st.sampled_from([*SCOPE.names.values(), number(2), number(-3), number(Fraction(1, 3))]))
    op = draw(st.sampled_from(OPS))
    a = draw(expressions(depth=depth - 1))
    try:
        match op:
            case "neg":
                return negated(a)
            case "transpose" | "norm":
                return apply(op, a) if a.rank else a
            case "power":
                return apply(
                    op,
                    a,
                    data=(draw(st.sampled_from([Fraction(2), Fraction(-1), Fraction(1, 2), Fraction(3)])),),
                )
            case "map":
                return apply(op, a, data=("exp", 0))
        b = draw(expressions(depth=depth - 1))
        if op == "general_power" and literal_value(b) is not None:
            return a
        return apply(op, a, b)
    except ShapeError:
        return a


@pytest.mark.parametrize("text", ["A*(-(A@B)*A)", "A*(-(A@B))", "A*(-(A@B)/c)", "c*(-(A@x)*y)", "A*(B*-(A@B))"])
def test_a_minus_does_not_hide_a_product(arrays, evaluate, text):
    at = arrays(SHAPES)
    np.testing.assert_allclose(evaluate(to_text(parse(text, SCOPE)), SHAPES, at), evaluate(text, SHAPES, at))


@pytest.mark.parametrize("text", ["c*((A*A)@A)", "c*(A*A)@A", "(-(c*A)*A)@A", "-(A*(c*A)/c)@A", "(c*(A/A))@A"])
def test_brackets_before_a_product_do_not_depend_on_how_it_is_grouped(text):
    again = parse(to_text(parse(text, SCOPE)), SCOPE)
    assert to_text(parse(to_text(again), SCOPE)) == to_text(again)


@settings(max_examples=300, deadline=None)
@given(expressions())
def test_any_expression_prints_to_its_own_value(arrays, evaluate, expr):
    printed = to_text(expr)
    at = arrays(SHAPES)
    try:
        again = parse(printed, SCOPE)
    except UnsupportedError:  # a root of a negative number, say
        with np.errstate(divide="raise", invalid="raise"), pytest.raises((FloatingPointError, ZeroDivisionError)):
            plain(expr, at)
        return
    assert again.shape == expr.shape
    assert to_text(parse(to_text(again), SCOPE)) == to_text(again)
    with np.errstate(all="ignore"):
        want, got = plain(expr, at), evaluate(in_floats(printed), SHAPES, at)
    if np.all(np.isfinite(want)) and np.max(np.abs(want)) < 1e100:
        np.testing.assert_allclose(got, want, rtol=1e-6, atol=1e-9 * max(1.0, float(np.max(np.abs(want)))))


def in_floats(text):
    """Return a text whose numbers are NumPy's: Python's own raise at 1 / 0, and (-2)**0.5 is complex."""

    class Floats(ast.NodeTransformer):
        def visit_Constant(self, node):
            return ast.parse(f"np.float64({node.value!r})", mode="eval").body

    return ast.unparse(Floats().visit(ast.parse(text, mode="eval")))


def plain(expr, at):
    """Return the value of an expression, operation by operation."""
    args = [plain(a, at) for a in expr.args]
    match expr.op:
        case "var":
            return np.asarray(at[expr.name])
        case "number":
            return np.asarray(float(expr.data[0]))
        case "power":
            return args[0] ** float(expr.data[0])
    two = {
        "add": np.add,
        "sub": np.subtract,
        "mul": np.multiply,
        "div": np.divide,
        "matmul": np.matmul,
        "general_power": np.power,
    }
    one = {
        "neg": np.negative,
        "transpose": np.transpose,
        "map": np.exp,
        "norm": lambda x: np.sqrt(np.sum(x * x)),
    }
    return {**two, **one}[expr.op](*args)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Fraction(3), "3"),
        (Fraction(1, 2), "0.5"),
        (Fraction(1, 3), "1 / 3"),
        (Fraction(-1, 4), "-0.25"),
        (Fraction(1, 10**9), "1e-09"),
        (Fraction(10**30), "1" + "0" * 30),
    ],
)
def test_numbers(value, text):
    assert decimal(value) == text


@pytest.mark.parametrize(
    ("text", "printed"),
    [
        ("2*(X.T@(X@w))", "2 * X.T @ (X @ w)"),
        ("(2*X.T)@(X@w)", "2 * X.T @ (X @ w)"),
        ("-(X.T@y)", "-X.T @ y"),
        ("X@w-y", "X @ w - y"),
        ("(X@w)@(X@w)", "X @ w @ (X @ w)"),
        ("a*(X@w)", "a * X @ w"),
        ("(X@w)/a", "X @ w / a"),
    ],
)
def test_as_a_person_writes(text, printed):
    scope = scope_of({"X": ("n", "p"), "w": ("p",), "y": ("n",), "a": ()})
    assert to_text(parse(text, scope)) == printed


def test_a_minus_before_a_bracket_is_printed_once_and_for_all():
    """`-(A * A) @ A` reads as `(-(A * A)) @ A`, and that is printed with its brackets."""
    printed = to_text(parse("-(A * A) @ A", SCOPE))
    assert printed == "(-A * A) @ A"
    assert to_text(parse(printed, SCOPE)) == printed
