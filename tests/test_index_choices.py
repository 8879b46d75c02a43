"""Choices in plain SymPy keep their values, whatever SymPy does to them."""

from __future__ import annotations

import pytest
import sympy

from symderiv.errors import UnsupportedError
from symderiv.index.choices import plain_choice, plain_sum

u, v = sympy.symbols("u v", real=True)
n = sympy.Symbol("n", integer=True, positive=True)
i, j = sympy.symbols("i j", integer=True)
x = sympy.IndexedBase("x", shape=(n,))
ZERO, ONE = sympy.Integer(0), sympy.Integer(1)
RELATIONS = ["<", "<=", ">", ">="]


@pytest.mark.parametrize("relation", RELATIONS)
@pytest.mark.parametrize("at", [-1, 0, 1])
def test_a_choice_inside_a_condition(relation, at):
    inner = plain_choice(relation, u, ZERO, ONE, -ONE)
    outer = plain_choice(">", inner, ZERO, u + 5, v)
    assert not any(test.has(sympy.Piecewise) for _, test in outer.args)
    holds = {"<": at < 0, "<=": at <= 0, ">": at > 0, ">=": at >= 0}[relation]
    assert outer.subs({u: at, v: 7}) == (at + 5 if holds else 7)


def test_an_index_stays_bound_under_two_sums():
    inner = sympy.Sum(plain_choice(">", x[i], ZERO, x[i], 2 * x[i]), (i, 0, n - 1))
    assert sympy.Sum(x[j] * inner, (j, 0, n - 1)).atoms(sympy.Piecewise)  # taken apart, as SymPy does
    found = plain_sum(x[j] * inner, [(j, 0, n - 1)])
    assert not found.has(sympy.Piecewise)
    assert not found.free_symbols & {i, j}
    written = found.subs(n, 2).doit()
    values = {e: sympy.Integer((-3, 4)[int(e.indices[0])]) for e in written.atoms(sympy.Indexed)}
    assert written.xreplace(values) == (-3 + 4) * (2 * -3 + 4)


def test_what_has_no_step_is_refused():
    other = sympy.Piecewise((u, sympy.Eq(u, v)), (v, True), evaluate=False)
    with pytest.raises(UnsupportedError):
        plain_choice(">", other, ZERO, ONE, ZERO)
    with pytest.raises(UnsupportedError, match="step"):
        plain_sum(sympy.Sum(x[i] * other, (i, 0, n - 1)), [(j, 0, n - 1)])
