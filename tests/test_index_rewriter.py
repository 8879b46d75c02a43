"""The rewriter applies rules in place and keeps every step."""

from __future__ import annotations

import pytest
import sympy

from symderiv import dims
from symderiv.errors import ProofError
from symderiv.index.nodes import (
    Apply,
    Context,
    Delta,
    Entry,
    Immediate,
    Index,
    Plus,
    Power,
    Sum,
    Tensor,
    Times,
    at,
    places,
)
from symderiv.index.rewriter import Rewriter
from symderiv.index.rules import RULES

n = dims.symbol("n")
i, j, k, q = (Index(s, n) for s in "ijkq")
A, x = Tensor("A", n, n), Tensor("x", n)

QUADRATIC = Sum(Times(Entry(x, i), Entry(A, i, q), Entry(x, q)), i, q)
EXPRESSIONS = [
    QUADRATIC,
    Power(QUADRATIC, sympy.Integer(3)),
    Apply("tanh", 0, Sum(Times(Entry(A, i, q), Entry(x, q)), q)),
    Times(Entry(x, i), Sum(Power(Entry(x, q), sympy.Integer(2)), q)),
]


def carried_out(expr):
    work = Rewriter(Immediate(expr, Entry(x, k)), Context())
    work.differentiate()
    work.contract()
    return work


@pytest.mark.parametrize("expr", EXPRESSIONS, ids=str)
def test_steps_join_and_each_is_its_rule(expr):
    work = carried_out(expr)
    assert work.steps[0].before is work.start
    assert work.steps[-1].after is work.expr
    for step, following in zip(work.steps, work.steps[1:], strict=False):
        assert step.after is following.before
    for step in work.steps:
        assert RULES[step.rule](at(step.before, step.place), Context()) is at(step.after, step.place)


@pytest.mark.parametrize("expr", EXPRESSIONS, ids=str)
def test_nothing_is_left_to_do(expr):
    parts = [part for _, part in places(carried_out(expr).expr)]
    assert not any(isinstance(p, Immediate) for p in parts)
    assert not any(isinstance(p, Sum) and RULES["contract"](p, Context()) is not None for p in parts)


def test_the_quadratic_form_reads_as_by_hand():
    assert str(carried_out(QUADRATIC).expr) == "Σ_{q} A[k, q] x[q] + Σ_{i} x[i] A[i, k]"


def test_a_step_that_changes_nothing_is_no_step():
    work = Rewriter(Entry(x, i), Context())
    work.replace("nothing", (), Entry(x, i))
    assert work.steps == []


def test_the_instance_of_a_contraction_names_both_indices():
    work = Rewriter(Sum(Times(Entry(x, q), Delta(q, j)), q), Context())
    assert work.contract_one()
    assert work.steps[0].instance == {"index": q, "by": j}
    assert work.expr is Entry(x, j)


def test_what_no_rule_differentiates_is_refused():
    work = Rewriter(Immediate(Immediate(Entry(x, i), Entry(x, j)), Entry(x, k)), Context())
    with pytest.raises(ProofError):
        work.differentiate()


def test_a_sum_of_terms_is_tidied():
    work = Rewriter(Plus(sympy.Integer(0), Times(sympy.Integer(0), Entry(x, i)), Entry(x, i)), Context())
    work.tidy()
    assert work.expr is Entry(x, i)
