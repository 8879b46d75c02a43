"""The index language: interning, substitution without capture, plain SymPy there and back."""

from __future__ import annotations

import copy
import pickle

import pytest
import sympy

from symderiv import dims
from symderiv.errors import UnsupportedError
from symderiv.index.nodes import (
    Apply,
    Choice,
    Delta,
    Derivative,
    Entry,
    Extreme,
    Immediate,
    Index,
    IndexExpr,
    Names,
    Plus,
    Power,
    Sum,
    Tensor,
    Times,
    all_indices,
    at,
    free_indices,
    from_sympy,
    heads,
    places,
    put,
    replace_indices,
    to_sympy,
)

n, m = dims.symbol("n"), dims.symbol("m")
i, j, k, q = Index("i", n), Index("j", n), Index("k", m), Index("q", n)
A, B, x, y, c = Tensor("A", n, n), Tensor("B", n, m), Tensor("x", n), Tensor("y", n), Tensor("c")
two = sympy.Integer(2)

EXPRESSIONS = {
    "scalar": Entry(c),
    "entry": Entry(A, i, j),
    "diagonal entry": Entry(A, i, i),
    "delta": Delta(i, j),
    "product": Times(Entry(A, i, q), Entry(x, q)),
    "sum of terms": Plus(Entry(x, i), Entry(y, i)),
    "matrix product": Sum(Times(Entry(A, i, q), Entry(A, q, j)), q),
    "double sum": Sum(Times(Entry(B, q, k), Entry(x, q)), q, k),
    "sums inside one another": Sum(Times(Entry(x, q), Sum(Entry(B, q, k), k)), q),
    "power": Power(Sum(Power(Entry(x, q), two), q), sympy.Rational(1, 2)),
    "reciprocal": Power(Entry(x, i), sympy.Integer(-1)),
    "function": Apply("tanh", 0, Entry(x, i)),
    "unknown function": Apply("h", 0, Entry(x, i)),
    "size": Times(n, Entry(x, i)),
}
EACH = pytest.mark.parametrize("expr", EXPRESSIONS.values(), ids=list(EXPRESSIONS))


@EACH
def test_equal_means_identical(expr):
    assert expr.func(*expr.args) is expr
    assert pickle.loads(pickle.dumps(expr)) is expr
    assert copy.deepcopy(expr) is expr


@EACH
def test_plain_sympy_and_back(expr):
    plain = expr.to_sympy()
    assert not plain.has(IndexExpr)
    again = from_sympy(plain, {"i": n, "j": n, "k": m, "q": n})
    assert to_sympy(again) == plain
    assert free_indices(again) == free_indices(expr)


def test_the_round_trip_is_exact_where_sympy_keeps_the_order():
    for name in ("entry", "matrix product", "function", "power", "size", "reciprocal", "unknown function"):
        assert from_sympy(EXPRESSIONS[name].to_sympy(), {"i": n, "j": n}) is EXPRESSIONS[name], name


def test_order_and_brackets_are_kept():
    a, b = Entry(x, i), Entry(y, i)
    assert Times(b, a) is not Times(a, b)
    assert Times(two, Plus(a, b)).args == (two, Plus(a, b))
    assert str(Times(two, Plus(a, b))) == "2 (x[i] + y[i])"


def test_free_and_bound_indices():
    expr = Times(Entry(x, q), Sum(Times(Entry(A, i, q), Entry(x, q)), q))
    assert free_indices(expr) == {i, q}
    assert all_indices(expr) == {i, q}


def test_a_bound_index_is_never_captured():
    body = Sum(Times(Entry(A, i, q), Entry(x, q)), q)
    assert replace_indices(body, {i: j}) is Sum(Times(Entry(A, j, q), Entry(x, q)), q)
    assert replace_indices(body, {q: j}) is body
    with pytest.raises(UnsupportedError, match="captured"):
        replace_indices(body, {i: q})


@pytest.mark.parametrize("change", [{i: j, j: i}, {i: j, j: q, q: i}])
def test_replacing_is_simultaneous(change):
    expr = Times(Entry(A, i, j), Entry(A, j, q))
    want = Times(*(Entry(A, *(change.get(s, s) for s in e.indices)) for e in expr.args))
    assert replace_indices(expr, change) is want


def test_a_sum_over_an_index_used_outside_keeps_its_own():
    s = sympy.Symbol("i", integer=True)
    X = sympy.IndexedBase("x", shape=(n,))
    read = from_sympy(X[s] * sympy.Sum(X[s], (s, 0, n - 1)), {"i": n})
    assert free_indices(read) == {i}
    (inner,) = [a for a in read.args if isinstance(a, Sum)]
    assert free_indices(inner) == set()


def test_sums_over_one_letter_inside_one_another():
    s = sympy.Symbol("i", integer=True)
    X = sympy.IndexedBase("x", shape=(n,))
    plain = sympy.Sum(X[s] * sympy.Sum(X[s] ** 2, (s, 0, n - 1)), (s, 0, n - 1))
    read = from_sympy(plain)
    assert free_indices(read) == set()
    assert read.to_sympy() == plain


def test_names_are_fresh():
    names = Names({"i", "k"})
    given = [names.fresh(n).name for _ in range(40)]
    assert len(set(given)) == 40
    assert not {"i", "k"} & set(given)


def test_places():
    expr = Sum(Times(Entry(A, i, q), Plus(Entry(x, q), Entry(y, q))), q)
    found = dict(places(expr))
    assert found[()] is expr
    for place, part in found.items():
        assert at(expr, place) is part
        assert put(expr, place, part) is expr
    assert put(expr, (0, 1), Entry(x, q)) is Sum(Times(Entry(A, i, q), Entry(x, q)), q)
    assert Entry(y, q) in found.values()


def test_derivatives_choices_and_extremes_in_plain_sympy():
    d = Derivative(Entry(x, i), Entry(x, j))
    assert isinstance(d.to_sympy(), sympy.Derivative)
    assert isinstance(Immediate(Entry(x, i), Entry(x, j)), Derivative)
    choice = Choice(">", Entry(x, i), sympy.Integer(0), Entry(x, i), sympy.Integer(1))
    assert isinstance(choice.to_sympy(), sympy.Piecewise)
    assert isinstance(Extreme("maximum", Entry(x, i), Entry(y, i)).to_sympy(), sympy.Max)


@pytest.mark.parametrize("expr", [
    sympy.Sum(sympy.IndexedBase("x")[sympy.Symbol("i")], (sympy.Symbol("i"), 3, 7)),
    sympy.IndexedBase("x")[sympy.Symbol("i")],
    sympy.Integral(sympy.Symbol("t"), sympy.Symbol("t")),
])  # fmt: skip
def test_what_is_no_index_expression_is_refused(expr):
    with pytest.raises(UnsupportedError):
        from_sympy(expr)


@pytest.mark.parametrize(
    "subscript", [sympy.Integer(0), sympy.Symbol("i", integer=True) + 1, -sympy.Symbol("i", integer=True)]
)
def test_a_subscript_that_is_no_index_is_refused(subscript):
    with pytest.raises(UnsupportedError):
        from_sympy(sympy.IndexedBase("x", shape=(n,))[subscript])


def test_delta_gives_an_index_its_range():
    s, t = sympy.symbols("i j", integer=True)
    X = sympy.IndexedBase("x", shape=(n,))
    read = from_sympy(sympy.Sum(sympy.KroneckerDelta(s, t) * X[t], (t, 0, n - 1)))
    assert free_indices(read) == {i}


def test_ranges_that_differ_are_refused():
    s = sympy.Symbol("i", integer=True)
    with pytest.raises(UnsupportedError):
        from_sympy(sympy.IndexedBase("x", shape=(n,))[s] * sympy.IndexedBase("z", shape=(m,))[s])


def test_parts_come_outermost_first_from_left_to_right():
    expr = Plus(Times(Entry(Tensor("A", n, n), i, j), sympy.Integer(2)), Delta(i, j))
    assert [place for place, _ in places(expr)] == [(), (0,), (0, 0), (0, 1), (1,), (1, 0), (1, 1)]
    assert all(at(expr, place) is part for place, part in places(expr))


def test_deep_expressions_are_printed_and_looked_through():
    expr = Entry(Tensor("x", n), i)
    for k in range(100):
        expr = Plus(expr, sympy.Integer(k)) if k % 2 else Times(sympy.Integer(2), expr)
    assert str(expr) == repr(expr)
    assert sum(1 for _ in places(expr)) > 200
    for k in range(2000):
        expr = Plus(expr, sympy.Integer(k))
    assert free_indices(expr) == all_indices(expr) == {i}
    assert heads(expr) == {Tensor("x", n)}
    assert sum(1 for _ in places(expr)) > 4000
