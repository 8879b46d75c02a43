"""Products of all entries, and of all but some: the laws that tie them to quotients, and near misses."""

from __future__ import annotations

import pytest
import sympy

from symderiv import dims, verify
from symderiv.check.facts import Facts
from symderiv.check.laws import Case
from symderiv.index.nodes import Apply, Context, Definition, Delta, Entry, Index, Plus, Power, Sum, Tensor, Times

n, m = dims.symbol("n"), dims.symbol("m")
i, j, k, q = (Index(name, n) for name in "ijkq")
MINUS, ONE, TWO = sympy.Integer(-1), sympy.Integer(1), sympy.Integer(2)
x, A, X = Tensor("x", n), Tensor("A", n, n), Tensor("X", m, n)
RESIDUAL = Definition(Tensor("r", n), (i,), Sum(Times(Entry(A, i, q), Entry(x, q)), q))
OF_ROWS = tuple(
    Definition(Tensor(name, *own), kind=kind, arguments=(X,), axes=(1,))
    for name, kind, own in (("rows", "prod", (m,)), ("others", "prodexcept", (m, n)))
)


def products(u, axes=(0,)):
    """Return the heads of Π u, and of the products that leave out one entry and two."""
    own = [Definition(Tensor("all"), kind="prod", arguments=(u,), axes=axes)]
    return (
        *own,
        *(Definition(Tensor(f"but {c}", *([n] * c)), kind="prodexcept", arguments=(u,), axes=axes) for c in (1, 2, 3)),
    )


def equal(left, right, u=x, traits=None):
    heads = (*products(u), RESIDUAL, *OF_ROWS)
    return Case(Facts(Context({d.tensor.name: d for d in heads}, traits=traits or {}))).equal(left, right)


EVERY = Entry(Tensor("all"))


def but(*places):
    return Entry(Tensor(f"but {len(places)}", *([n] * len(places))), *places)


def below(e):
    return Power(e, MINUS)


def other(a, b):
    return Plus(ONE, Times(MINUS, Delta(a, b)))


@pytest.mark.parametrize("u", [x, Tensor("r", n)], ids=["entries", "sums"])
def test_all_over_one_is_all_others(u):
    assert equal(but(i), Times(EVERY, below(Entry(u, i))), u)
    assert equal(but(i, j), Times(EVERY, below(Entry(u, i)), below(Entry(u, j)), other(i, j)), u)
    assert equal(Times(EVERY, but(i)), Times(EVERY, EVERY, below(Entry(u, i))), u)
    twice = Times(Delta(i, j), EVERY, below(Entry(u, i)), below(Entry(u, i)))
    assert equal(Times(EVERY, below(Entry(u, i)), below(Entry(u, j))), Plus(but(i, j), twice), u)
    assert not equal(but(i), Times(EVERY, below(Entry(u, j))), u)
    assert not equal(but(i, j), Times(EVERY, below(Entry(u, i)), below(Entry(u, j))), u)


def test_one_times_all_others_is_all():
    assert equal(Times(but(i), Entry(x, i)), EVERY)
    assert equal(Times(but(i, j), Entry(x, j)), Times(but(i), other(i, j)))
    assert equal(Sum(Times(but(i), Entry(x, i)), i), Times(n, EVERY))
    assert equal(
        Times(but(i, j, k), Entry(x, i)), Times(but(j, k), Plus(ONE, *(Times(MINUS, Delta(i, a)) for a in (j, k))))
    )
    assert not equal(Times(but(i), Entry(x, j)), EVERY)
    assert not equal(Times(but(i, j), Entry(x, j)), but(i))


def test_where_the_product_is_not_0_no_entry_is():
    assert equal(Times(but(i), below(EVERY)), below(Entry(x, i)))
    assert equal(Times(but(i, j), below(EVERY)), Times(below(Entry(x, i)), below(Entry(x, j)), other(i, j)))
    assert not equal(Times(but(i), below(EVERY)), Entry(x, i))
    assert not equal(Times(but(i, j), below(EVERY)), Times(below(Entry(x, i)), below(Entry(x, j))))


def test_products_of_rows():
    a = Index("a", m)
    row, rest = Entry(Tensor("rows", m), a), Entry(Tensor("others", m, n), a, j)
    assert equal(rest, Times(row, below(Entry(X, a, j))))
    assert not equal(rest, Times(row, below(Entry(X, a, k))))


def test_how_many_entries_there_are_is_part_of_a_product():
    """A product of ones and twos does not say itself how far it runs."""
    a, b = Index("a", m), Index("b", m)
    for kind, axes in (("prod", (0, 1)), ("logsumexp", (0, 1)), ("det", ()), ("logdet", ())):
        heads = []
        for name, rows, columns in (("one", i, j), ("other", a, b)):
            matrix = Tensor(f"matrix {name}", rows.size, columns.size)
            heads.append(Definition(matrix, (rows, columns), Plus(ONE, Delta(rows, columns))))
            heads.append(Definition(Tensor(name), kind=kind, arguments=(matrix,), axes=axes))
        case = Case(Facts(Context({d.tensor.name: d for d in heads})))
        assert case.equal(Entry(Tensor("one")), Entry(Tensor("one")))
        assert not case.equal(Entry(Tensor("one")), Entry(Tensor("other")))


def test_products_part_into_those_of_factors():
    y = Tensor("y", n)
    u = Definition(Tensor("u", n), (i,), Times(TWO, Entry(x, i), Entry(y, i)))
    e = Definition(Tensor("e", n), (i,), Apply("exp", 0, Entry(x, i)))
    arrays = {"u": u.tensor, "e": e.tensor, "x": x, "y": y}
    heads = [Definition(Tensor(f"all {a}"), kind="prod", arguments=(t,), axes=(0,)) for a, t in arrays.items()]
    heads += [
        Definition(Tensor(f"but {a}", n), kind="prodexcept", arguments=(t,), axes=(0,)) for a, t in arrays.items()
    ]
    case = Case(Facts(Context({d.tensor.name: d for d in (u, e, *heads)})))
    whole, exps, xs, ys = (Entry(Tensor(f"all {a}")) for a in "uexy")
    assert case.equal(whole, Times(Power(TWO, n), xs, ys))
    assert case.equal(exps, Apply("exp", 0, Sum(Entry(x, i), i)))
    assert not case.equal(whole, Times(TWO, xs, ys))
    others = {a: Entry(Tensor(f"but {a}", n), i) for a in arrays}
    assert case.equal(others["u"], Times(Power(TWO, Plus(n, MINUS)), others["x"], others["y"]))
    assert not case.equal(others["u"], Times(Power(TWO, n), others["x"], others["y"]))
    assert not case.equal(exps, Apply("exp", 0, xs))


@pytest.mark.parametrize(
    ("expr", "wrt", "claim", "wrong"),
    [
        ("prod(x)", ["x"], "prod(x) / x", "prod(x) / (2 * x)"),
        ("prod(x)", ["x", "x"], "prod(x) * (outer(1/x, 1/x) - diag(1/x**2))", "prod(x) * outer(1/x, 1/x)"),
        ("log(prod(x))", ["x"], "1 / x", "1 / x**2"),
        ("prod(A @ x)", ["x"], "prod(A @ x) * A.T @ (1 / (A @ x))", "prod(A @ x) * A @ (1 / (A @ x))"),
        ("prod(A, 1)", ["A"], "einsum('ij,ik->ijk', eye(n), prod(A, 1)[:, None] / A)", "ones(n, n, n)"),
        ("prod(exp(x))", ["x"], "exp(sum(x)) * ones(n)", "exp(x)"),
        ("det(diag(x) @ A)", ["x"], "det(A) * prod(x) / x", "det(A) * x"),
        ("logdet(A @ diag(x) @ A.T)", ["x"], "1 / x", "2 / x"),
    ],
)  # fmt: skip
def test_derivatives_as_textbooks_write_them(expr, wrt, claim, wrong):
    shapes = {"x": ("n",), "A": ("n", "n")}
    found = verify(expr, wrt, claim, shapes=shapes)
    assert (found.status, found.basis) == ("proved", "kernel")
    assert verify(expr, wrt, wrong, shapes=shapes).status == "refuted"
