"""Windows: what is a definition in them, what a variable, what an unknown function; and what they refuse."""

from __future__ import annotations

import ast

import pytest
import sympy
from recurrences import DIAGONAL, FEEDBACK, GENERAL, INVERSE, SKIP, TANH, TIED, TWO_BACK

from symderiv import dims
from symderiv.families import Bounds, Range
from symderiv.statements.block import Names, Statement, read_block
from symderiv.tensor.expr import Expr, walk
from symderiv.tensor.text import to_text
from symderiv.windows.around import between, sought, windows
from symderiv.windows.dependence import Dependence, Key, UndecidedError
from symderiv.windows.faithful import check_derivatives, check_supposed
from symderiv.windows.opened import Question, question_of
from symderiv.windows.stacked import Stacked
from symderiv.windows.window import Window, cores

T, t, tau = (dims.symbol(name) for name in ("T", "t", "tau"))


def question(text: str) -> tuple[Question, Names]:
    """Return what the last claim of a block asks."""
    names = Names()
    statements: list[Statement] = read_block(text, names)
    return question_of([s for s in statements if s.kind == "claim"][-1], names), names


def first_window(text: str, kind: type[Window] = Window) -> tuple[Window, Question]:
    """Return the best window of a kind for the last claim of a block."""
    asked, names = question(text)
    what = sought(*asked.opened(), names)
    assert what is not None
    return next(w for w in windows(names, asked.bounds, what) if type(w) is kind), asked


def open_window(text: str) -> tuple[Window, Question]:
    """Return a window without a variable for the last claim of a block: it unfolds what the claim names."""
    asked, names = question(text)
    window = Window(names, asked.bounds, Dependence(names), cores(asked.opened(), asked.bounds))
    window.unfolding = True
    return window, asked


def made(window: Window, asked: Question) -> dict[str, Expr]:
    """Return what the members stand for when the claim has been read."""
    asked.sides(window)
    return {str(key): expr for key, expr in window.made.items()}


def is_unknown(expr: Expr, *arguments: str) -> bool:
    """Tell whether an expression is an unknown function of named arrays."""
    body = expr.args[0]
    return body.op == "unknown" and tuple(a.name for a in body.args) == arguments


# --- what members stand for


def test_between_a_variable_and_the_cut_there_are_definitions_and_above_it_a_function() -> None:
    text = (
        TANH + "for t in range(1, T):\n    assert diff(L, h[t]) == diff(o[t], h[t]).T @ diff(L, o[t]) + diff(L, h[t+1])"
    )
    window, asked = first_window(text)
    found = made(window, asked)
    assert is_unknown(found["L"], "h[t + 1]", "o[t]") or is_unknown(found["L"], "o[t]", "h[t + 1]")
    assert (found["h[t]"].op, found["h[t + 1]"].op, found["a[t + 1]"].op, found["o[t]"].op) == (
        "var", "defined", "defined", "defined",
    )  # fmt: skip
    assert window.closed and set(map(str, window.cut)) == {"h[t + 1]", "o[t]"}
    assert set(map(str, window.between)) == {"h[t]", "a[t + 1]", "h[t + 1]", "o[t]", "L"}
    check_derivatives(window, asked.sides(window))


def test_a_window_below_has_functions_of_the_variable() -> None:
    text = TANH + "for t in range(1, T + 1):\n    assert diff(h[t], b) == diff(h[t], h[t-1]) @ diff(h[t-1], b)"
    window, asked = first_window(text)
    found = made(window, asked)
    assert is_unknown(found["h[t - 1]"], "b") and found["h[t]"].op == "defined" and not window.closed
    check_derivatives(window, asked.sides(window))


def test_functions_of_the_variable_are_all_different() -> None:
    text = TWO_BACK + "for t in range(4, T + 1):\n    assert diff(h[t], b) == diff(h[t-1], b) + diff(h[t-2], b)"
    window, asked = first_window(text)
    found = made(window, asked)
    assert found["h[t - 1]"].args[0].name != found["h[t - 2]"].args[0].name


def test_a_stacked_window_has_an_axis_for_the_rows() -> None:
    text = (
        TIED
        + "assert diff(L, W) == sum(outer(diff(L, h[t]), h[t-1]) + outer(diff(L, o[t]), h[t]) for t in range(1, T + 1))"
    )
    window, asked = first_window(text, Stacked)
    found = made(window, asked)
    assert is_unknown(found["L"], "h[_]", "o[_]") or is_unknown(found["L"], "o[_]", "h[_]")
    assert found["h[_]"].op == "defined" and found["h[_ - 1]"].op == "var"
    assert [str(size) for size in found["h[_]"].shape] == ["T", "n"]
    check_derivatives(window, asked.sides(window))


def test_an_array_that_names_no_members_is_the_same_everywhere() -> None:
    text = "w: (n,)\nf: function(n)\nA = w * w\nh[0]: (n,)\nfor t in range(1, T + 1):\n    h[t] = f(h[t-1], A)\n"
    claim = "for t in range(1, T + 1):\n    assert diff(h[t], A) == diff(h[t], h[t-1]) @ diff(h[t-1], A)"
    window, asked = first_window(text + claim)
    assert made(window, asked)["A"] is window.names.scope.names["A"]


# --- paths


@pytest.mark.parametrize(
    ("text", "variable", "stops", "cut"),
    [
        (TANH, Key("h", t), [Key("h", t + 1), Key("o", t)], {"h[t + 1]", "o[t]"}),
        (TANH, Key("a", t), [Key("h", t)], {"h[t]"}),
        (SKIP, Key("h", t), [Key("a", t + 1), Key("h", t + 1)], {"a[t + 1]", "h[t + 1]"}),
        (TWO_BACK, Key("h", t), [Key("h", t + 1), Key("h", t + 2), Key("e", t)], {"h[t + 1]", "h[t + 2]", "e[t]"}),
    ],
)
def test_every_path_meets_the_cut(text: str, variable: Key, stops: list[Key], cut: set[str]) -> None:
    names = Names()
    read_block(text, names)
    inside = Bounds((Range("t", sympy.Integer(2), T - 2),), names.families.least)
    found, met = between(Dependence(names), variable, Key("L"), stops, inside)
    assert set(map(str, met)) == cut and variable in found


@pytest.mark.parametrize(
    ("text", "stops", "message"),
    [
        (TANH, [Key("o", t)], "cannot be told|too many"),  # through h[t + 1]
        (FEEDBACK, [Key("o", t)], "cannot be told|too many"),
        (SKIP, [Key("a", t + 1)], "cannot be told|too many"),
    ],
)
def test_a_cut_with_a_hole_is_none(text: str, stops: list[Key], message: str) -> None:
    names = Names()
    read_block(text, names)
    inside = Bounds((Range("t", sympy.Integer(1), T - 1),), names.families.least)
    with pytest.raises(UndecidedError, match=message):
        between(Dependence(names), Key("h", t), Key("L"), stops, inside)


# --- derivatives that are others in the family


@pytest.mark.parametrize(
    ("block", "side"),
    [
        (GENERAL, "diff(L, h[t+2])"),
        (GENERAL, "diff(L, h[t-1])"),
        (GENERAL, "diff(L, theta)"),
        (GENERAL, "diff(h[t+2], h[t])[0, :]"),
        (GENERAL, "partial(L, h[t+1])"),
        (GENERAL, "diff(L, h[t], holding=h[t+2])"),
        (GENERAL, "diff(o[t+1], h[t])[0, :]"),
        (SKIP, "diff(h[t+1], h[t])[0, :]"),
        (SKIP, "diff(g[t+1], a[t+1])[0, :]"),
    ],
)
def test_a_derivative_in_what_is_constant_here_and_is_none_is_refused(block: str, side: str) -> None:
    cut = (
        "diff(L, a[t+1]) + diff(L, h[t+1])" if block is SKIP else "diff(L, h[t+1]) + diff(o[t], h[t]).T @ diff(L, o[t])"
    )
    window, _ = first_window(block + f"for t in range(1, T - 1):\n    assert diff(L, h[t]) == {cut}")
    side = side.replace("[0, :]", "")
    expr = window.reader().read(ast.parse(side, mode="eval").body)
    with pytest.raises(UndecidedError):
        check_derivatives(window, [expr])


@pytest.mark.parametrize(
    "side", ["diff(L, h[t])", "diff(L, o[t])", "diff(o[t], h[t])", "partial(h[t+1], h[t])", "diff(h[t+1], theta)"]
)
def test_derivatives_that_are_the_same_here_pass(side: str) -> None:
    cut = "diff(L, h[t+1]) + diff(o[t], h[t]).T @ diff(L, o[t])"
    window, _ = first_window(GENERAL + f"for t in range(1, T - 1):\n    assert diff(L, h[t]) == {cut}")
    expr = window.reader().read(ast.parse(side, mode="eval").body)
    if side == "diff(h[t+1], theta)":  # h[t] acts on it, and theta on h[t]
        with pytest.raises(UndecidedError):
            check_derivatives(window, [expr])
    else:
        check_derivatives(window, [expr])


def test_second_derivatives_pass_only_where_nothing_past_the_cut_stands_in_the_window() -> None:
    straight = "h[0]: ()\nloss: function()\nfor t in range(1, T + 1):\n    h[t] = tanh(h[t-1])\nL = loss(h[T])\n"
    claim = "for t in range(1, T):\n    assert diff(L, h[t], h[t]) == diff(L, h[t+1], h[t+1]) + diff(L, h[t+1])"
    window, asked = first_window(straight + claim)
    check_derivatives(window, asked.sides(window))
    beside = straight.replace(
        "h[t] = tanh(h[t-1])", "a[t] = tanh(h[t-1])\n    g[t] = 2 * a[t]\n    h[t] = g[t] * h[t-1]"
    )
    claim = "for t in range(1, T):\n    assert diff(L, h[t], h[t]) == diff(L, h[t+1], a[t+1]) + diff(L, h[t+1])"
    window, asked = first_window(beside + claim)
    with pytest.raises(UndecidedError):
        check_derivatives(window, asked.sides(window))


def test_what_is_known_by_a_hypothesis_is_not_differentiated() -> None:
    w = Expr("var", (), ("w", frozenset()), ())
    known = Expr("defined", (w,), ("q[t - 1]",), ())
    slope = Expr("diff", (Expr("mul", (known, w), (), ()), w), ("total",), ())
    check_supposed([slope, known], ["q[t - 2]"])
    check_supposed([Expr("mul", (known, w), (), ())], ["q[t - 1]"])
    with pytest.raises(UndecidedError, match="hypothesis"):
        check_supposed([slope], ["q[t - 1]"])


# --- sums and products


def test_ranges_are_split_against_their_common_core() -> None:
    text = (
        INVERSE
        + "for L in range(1, N):\n    assert sum(b[n] for n in range(1, L + 2)) == sum(b[n] for n in range(2, L + 1))"
    )
    window, asked = open_window(text)
    left, right = asked.sides(window)
    core = "sum(b[n] for n in range(2, L + 1))"
    assert (right.op, right.name) == ("var", core)
    assert {e.name for e in walk(left) if e.op == "var"} == {core, "b[1]", "b[L + 1]"}


@pytest.mark.parametrize(
    ("text", "factors"),
    [
        ("range(t, tau, -1)", ["prod(K[s] for s in range(t, tau, -1))"]),
        ("range(t + 1, tau, -1)", ["K[t + 1]", "prod(K[s] for s in range(t, tau, -1))"]),
        ("range(t, tau - 1, -1)", ["prod(K[s] for s in range(t, tau, -1))", "K[tau]"]),
    ],
)
def test_a_product_keeps_the_order_of_its_factors(text: str, factors: list[str]) -> None:
    loops = "for tau in range(1, T):\n    for t in range(tau, T):\n        "
    claim = f"assert prod(K[s] for s in {text}) == prod(K[s] for s in range(t, tau, -1))"
    window, asked = open_window(DIAGONAL + loops + claim)
    window.unfolding = False
    left, _ = asked.sides(window)
    assert [e.name for e in walk(left) if e.op == "var"] == factors


def test_a_range_that_may_be_empty_is_not_split() -> None:
    text = INVERSE + (
        "for L in range(1, N):\n    assert sum(b[n] for n in range(2, L)) == sum(b[n] for n in range(1, L + 1))"
    )
    window, asked = open_window(text)
    with pytest.raises(UndecidedError, match="empty"):
        asked.sides(window)


def test_a_short_range_is_written_out() -> None:
    text = INVERSE + "for L in range(1, N):\n    assert sum(b[n] for n in range(L, L + 2)) == b[L] + b[L+1]"
    window, asked = open_window(text)
    left, right = asked.sides(window)
    assert left is right


def test_the_terms_that_depend_on_the_variable_are_taken_out_of_a_sum() -> None:
    text = "for t in range(1, T + 1):\n    x[t]: (n,)\nL = sum(sum(x[s]) for s in range(1, T + 1))\n"
    window, asked = first_window(text + "for t in range(1, T + 1):\n    assert diff(L, x[t]) == ones(n)")
    left, _ = asked.sides(window)
    names = {e.name for e in walk(left) if e.op == "var"}
    assert names == {"x[t]", "sum(sum(x[s]) for s in range(1, T + 1)) without t"}
    check_derivatives(window, [left])


def test_members_that_may_be_one_are_not_told_apart() -> None:
    text = GENERAL + "for tau in range(1, T + 1):\n    for t in range(tau, T + 1):\n        "
    window, asked = first_window(text + "assert diff(h[t], h[tau]) == diff(h[t], h[t-1]) @ diff(h[t-1], h[tau])")
    with pytest.raises(UndecidedError, match=r"whether h\[t\] is h\[tau\] cannot be told"):
        asked.sides(window)


def test_a_power_is_split_like_a_product() -> None:
    loops = "for tau in range(0, T):\n    for t in range(tau, T):\n        "
    window, asked = open_window(DIAGONAL + loops + "assert matrix_power(J, t - tau + 1) == matrix_power(J, t - tau)")
    left, right = asked.sides(window)
    assert left.op == "matmul" and left.args[1] is right and to_text(right) == "matrix_power(J, t - tau)"
    window, asked = open_window(DIAGONAL + loops + "assert matrix_power(J, t - tau - 1) == matrix_power(J, t - tau)")
    with pytest.raises(UndecidedError, match="exponents"):
        asked.sides(window)


# --- rows


@pytest.mark.parametrize(
    ("definition", "message"),
    [
        ("b * t", "number of a row"),
        ("b * sum(x[s] for s in range(1, t + 1))", "number of a row"),
        ("b * sum(x[t] * x[s] for s in range(1, T + 1))", "stands in a row"),
    ],
)
def test_rows_that_differ_otherwise_than_by_their_members_are_refused(definition: str, message: str) -> None:
    text = f"""
b: ()
loss: function()
for t in range(1, T + 1):
    x[t]: ()
    a[t] = {definition}
    e[t] = loss(a[t])
L = sum(e[t] for t in range(1, T + 1))
assert diff(L, b) == sum(diff(L, a[t]) for t in range(1, T + 1))
"""
    with pytest.raises(UndecidedError, match=message):
        window, asked = first_window(text, Stacked)
        check_derivatives(window, asked.sides(window))
