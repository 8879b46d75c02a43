"""The rewriter applies rules in place and keeps every step."""

from __future__ import annotations

import pytest
import sympy

from symderiv import dims
from symderiv.errors import ProofError
from symderiv.index.nodes import (
    Apply,
    Context,
    Definition,
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

n, m = dims.symbol("n"), dims.symbol("m")
i, j, k, q = (Index(s, n) for s in "ijkq")
A, x, y = Tensor("A", n, n), Tensor("x", n), Tensor("y", n)
N, raised = Tensor("N", n, n), Tensor("matrix_power(N, m)", n, n)
POWER = Definition(raised, kind="matrix_power", arguments=(N,), exponent=m)

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


def test_zeros_go_before_brackets_are_opened():
    nothing = Times(sympy.Integer(0), Entry(y, i))
    work = Rewriter(Times(Entry(x, i), Plus(Delta(i, j), nothing)), Context())
    work.tidy()
    assert [step.rule for step in work.steps] == ["zero", "zero"]


def test_idle_sums_are_carried_out_and_equal_terms_merged():
    work = Rewriter(Plus(Sum(Entry(x, i), q), Sum(Entry(x, i), q)), Context())
    work.contract()
    assert work.expr is Times(sympy.Integer(2), n, Entry(x, i))


def test_a_rule_that_gives_back_the_part_does_not_fit(monkeypatch):
    monkeypatch.setitem(RULES, "the same", lambda part, context: part)
    assert not Rewriter(Entry(x, i), Context()).apply_first(("the same",))


def test_what_a_rule_binds_is_new_in_all_that_stands_there():
    """The second sum is not over the index names of the first one, though these stand in another term."""
    matrices = [Tensor(name, n, n) for name in "AN"]
    inverses = [Tensor(f"inv({t.name})", n, n) for t in matrices]
    known = {v.name: Definition(v, kind="inv", arguments=(t,)) for t, v in zip(matrices, inverses, strict=True)}
    moving = {t.name: Definition(t, (i, j), Times(Entry(x, i), Entry(x, j))) for t in matrices}
    terms = [Immediate(Entry(v, i, j), Entry(x, k)) for v in inverses]
    work = Rewriter(Plus(*terms), Context({**known, **moving}))
    assert work.apply_first(("inverse",))
    assert work.apply_first(("inverse",))
    assert len({b.name for term in work.expr.args for b in term.bound}) == 4


def test_rules_see_the_context_as_it_is_now():
    part = Immediate(Entry(y, i), Entry(x, k))
    work = Rewriter(part, Context())
    assert not work.apply_first(("definition",))
    work.context = Context({"y": Definition(y, (i,), Entry(x, i))})
    assert work.apply_first(("definition",))
    assert work.expr is Immediate(Entry(x, i), Entry(x, k))


def test_a_power_of_a_constant_matrix_waits_for_nothing():
    work = Rewriter(Immediate(Entry(raised, i, j), Entry(x, k)), Context({raised.name: POWER}))
    work.differentiate()
    assert work.expr == 0


def test_a_power_closes_under_its_sum_when_deltas_are_gone():
    """`Σ_ij δ[i,j]² f ∂(Nᵐ)[i,j]/∂x` with a name f for a derivative, so that what commutes is seen without δ alone."""
    slope = Tensor("∂E/∂c")
    known = {
        raised.name: POWER,
        "N": Definition(N, (i, j), Times(Entry(x, i), Entry(x, j))),
        slope.name: Definition(slope, kind="derivative", arguments=(Tensor("E"), Tensor("c"))),
    }
    moved = Immediate(Entry(raised, i, j), Entry(x, k))
    work = Rewriter(Sum(Times(Delta(i, j), Delta(j, i), Entry(slope), moved), i, j), Context(known))
    work.differentiate()
    names = [step.rule for step in work.steps]
    assert names.index("contract") < names.index("matrix power")
    assert not any(isinstance(part, Immediate) for _, part in places(work.expr))
