"""The kernel's laws of equations: what is assumed, the uniqueness of an inverse, invertible factors, names."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest
import sympy

from symderiv import dims
from symderiv.check.kernel import check
from symderiv.errors import ProofError
from symderiv.index.nodes import (
    Argument,
    Context,
    Definition,
    Delta,
    Derivative,
    Entry,
    Index,
    Plus,
    Step,
    Sum,
    Tensor,
    Times,
)

n = dims.symbol("n")
i, j, k, q, r = (Index(name, n) for name in "ijkqr")
A, B, R = (Tensor(name, n, n) for name in "ABR")
x, c = Tensor("x", n), Tensor("c", n)
INV = Tensor("inv(A)", n, n)
DEFINITIONS = {"inv(A)": Definition(INV, kind="inv", arguments=(A,))}


def argument(name: str, /, *lines: object, rule: str, place: tuple[int, ...] = (), **instance: object) -> Argument:
    """Return a chain whose every step has one rule."""
    steps = [Step(rule, place, instance, a, b) for a, b in pairwise(lines)]
    return Argument(name, lines[0], tuple(steps), lines[-1])


def accepted(*arguments: Argument, context: Context) -> bool:
    try:
        check(arguments, context)
    except ProofError:
        return False
    return True


# --- hypotheses -----------------------------------------------------------------------------------

ROWS = Argument("rows", Sum(Entry(B, i, q), q), (), Entry(c, i))  # the sum of each row of B is known
GIVEN = Context(assumed={"rows": ROWS})


@pytest.mark.parametrize(
    ("before", "after", "place", "right"),
    [
        (Sum(Entry(B, k, r), r), Entry(c, k), (), True),
        (Entry(c, k), Sum(Entry(B, k, r), r), (), True),
        (Sum(Times(Entry(x, k), Sum(Entry(B, k, q), q)), k), Sum(Times(Entry(x, k), Entry(c, k)), k), (0, 1), True),
        (Sum(Entry(B, q, q), q), Entry(c, k), (), False),  # the row is bound
        (Sum(Entry(B, r, k), r), Entry(c, k), (), False),  # a column
        (Sum(Entry(A, k, r), r), Entry(c, k), (), False),
        (Sum(Entry(B, k, r), r), Entry(c, i), (), False),
        (Sum(Entry(B, k, r), r), Entry(x, k), (), False),
    ],
)
def test_a_hypothesis_holds_at_its_own_free_indices_only(before, after, place, right):
    step = argument("claim", before, after, rule="hypothesis", place=place, label="rows")
    assert accepted(step, context=GIVEN) is right


def test_a_hypothesis_must_be_assumed_under_its_label():
    step = argument("claim", ROWS.left, ROWS.right, rule="hypothesis", label="rows")
    assert accepted(step, context=GIVEN) and not accepted(step, context=Context())
    unnamed = argument("claim", ROWS.left, ROWS.right, rule="hypothesis")
    assert not accepted(unnamed, context=GIVEN)


def test_what_is_assumed_is_in_good_form():
    wrong = Argument("rows", Entry(B, i, q), (), Entry(Tensor("B", n), i))
    with pytest.raises(ProofError, match="hypothesis rows"):
        check((), Context(assumed={"rows": wrong}))


# --- inverses -------------------------------------------------------------------------------------


def product(left: Tensor, right: Tensor) -> object:
    return Sum(Times(Entry(left, i, q), Entry(right, q, j)), q)


IDENTITY = Argument("A R = 1", product(A, R), (), Delta(i, j))
TEXT_OF_R = Definition(R, (i, j), Entry(INV, i, j))  # R is the inverse, so that the lemma has a proof


def unique(right: object, lemma: Argument, left: object | None = None) -> tuple[Argument, ...]:
    proved = argument(lemma.label, lemma.left, lemma.right, rule="rearrange")
    start = Entry(INV, i, j) if left is None else left
    return proved, argument("claim", start, right, rule="inverse unique", label=lemma.label)


def test_an_inverse_is_what_the_product_shows():
    context = Context({**DEFINITIONS, "R": TEXT_OF_R})
    assert accepted(*unique(Entry(R, i, j), IDENTITY), context=context)
    assert accepted(*unique(Entry(R, k, r), IDENTITY, Entry(INV, k, r)), context=context)
    for right in (Entry(R, j, i), Times(sympy.Integer(2), Entry(R, i, j)), Entry(B, i, j)):
        assert not accepted(*unique(right, IDENTITY), context=context)


def test_the_lemma_must_be_about_the_same_matrix_and_the_identity():
    context = Context({**DEFINITIONS, "R": TEXT_OF_R})
    other = Argument("a", product(B, R), (), product(B, R))
    assert not accepted(other, argument("claim", Entry(INV, i, j), Entry(R, i, j), rule="inverse unique", label="a"),
                        context=context)  # fmt: skip
    missing = argument("claim", Entry(INV, i, j), Entry(R, i, j), rule="inverse unique", label="b")
    assert not accepted(missing, context=context)
    diagonal = Entry(INV, i, i)
    assert not accepted(*unique(Entry(R, i, i), IDENTITY, diagonal), context=context)


def invertible(lemma: Argument, one: object, other: object, /, **changes: object) -> tuple[Argument, ...]:
    instance = {"label": lemma.label, "left": "inv(A)", "rows": (i,), "right": None, "columns": (j,), **changes}
    return lemma, argument("claim", one, other, rule="invertible", **instance)


def test_an_invertible_factor_is_taken_off():
    """`A (A⁻¹ x) = x = A y` gives `A⁻¹ x = y`, here with y a name for the same."""
    y = Tensor("y", n)
    context = Context({**DEFINITIONS, "y": Definition(y, (i,), Sum(Times(Entry(INV, i, q), Entry(x, q)), q))})
    left, right = Sum(Times(Entry(INV, i, q), Entry(x, q)), q), Entry(y, i)
    lines = (Sum(Times(Entry(A, i, r), Sum(Times(Entry(INV, r, q), Entry(x, q)), q)), r), Entry(x, i),
             Sum(Times(Entry(A, i, r), Entry(y, r)), r))  # fmt: skip
    lemma = argument("a", *lines, rule="rearrange")
    assert accepted(*invertible(lemma, left, right), context=context)
    assert not accepted(*invertible(lemma, left, Entry(x, i)), context=context)
    assert not accepted(*invertible(lemma, left, right, left="A"), context=context)
    assert not accepted(*invertible(lemma, left, right, rows=(j,)), context=context)
    assert not accepted(*invertible(lemma, left, right, left=None), context=context)


def test_a_matrix_whose_inverse_does_not_stand_there_need_not_have_one():
    """`A x = A c` says nothing of x and c where A is singular; that an inverse was written down is no reason."""
    same = Argument("same", Entry(x, i), (), Entry(c, i))
    context = Context(DEFINITIONS, assumed={"same": same})
    lines = [Sum(Times(Entry(A, i, q), Entry(t, q)), q) for t in (x, c)]
    lemma = argument("a", *lines, rule="hypothesis", place=(0, 1), label="same")
    assert accepted(lemma, context=context)
    assert not accepted(*invertible(lemma, Entry(x, i), Entry(c, i)), context=context)
    beside = [Plus(Entry(t, i), Entry(INV, i, i)) for t in (x, c)]
    assert not accepted(*invertible(lemma, *beside), context=context)


# --- names and lemmas backwards -------------------------------------------------------------------


def test_a_name_stands_for_its_derivative():
    e, g = Tensor("E"), Tensor("g", n)
    square = Sum(Times(Entry(x, q), Entry(x, q)), q)
    context = Context({"g": Definition(g, kind="derivative", arguments=(e, x))}, {"E": Definition(e, (), square)})
    slope = Derivative(Entry(e), Entry(x, i))
    assert accepted(argument("a", Entry(g, i), slope, rule="stands for"), context=context)
    assert not accepted(argument("a", Entry(g, j), slope, rule="stands for"), context=context)
    assert not accepted(argument("a", Entry(c, i), slope, rule="stands for"), context=context)


def test_a_lemma_is_read_backwards():
    e = Tensor("E")
    slope = Derivative(Entry(e), Entry(x, i))
    known = Argument("a", slope, (), slope)
    back = argument("b", slope, Derivative(Entry(e), Entry(x, j)), rule="by lemma", label="a")
    assert not accepted(known, back, context=Context())
    assert not accepted(known, replace(back, label="a"), context=Context())


# --- fixed subscripts -----------------------------------------------------------------------------

ONE = Argument("given", Entry(x, i), (), sympy.Integer(1))  # x[i] = 1: for all i, or at a fixed one


def test_a_hypothesis_at_a_fixed_subscript_holds_there_only():
    everywhere, here = (Context(assumed={"given": ONE}, fixed=f) for f in (frozenset(), frozenset("i")))
    at_i, at_k = (
        argument("a", Times(Entry(c, p), Entry(x, p)), Times(Entry(c, p), sympy.Integer(1)),
                 rule="hypothesis", place=(1,), label="given")
        for p in (i, k)
    )  # fmt: skip
    assert accepted(at_i, context=everywhere) and accepted(at_k, context=everywhere)
    assert accepted(at_i, context=here) and not accepted(at_k, context=here)
    summed = argument("a", Sum(Entry(x, i), i), Sum(sympy.Integer(1), i), rule="hypothesis", place=(0,), label="given")
    assert accepted(summed, context=everywhere) and not accepted(summed, context=here)


def test_what_is_assumed_at_a_fixed_subscript_is_no_lemma():
    here = Context(assumed={"given": ONE}, fixed=frozenset("i"))
    lemma = argument("a", Entry(x, i), sympy.Integer(1), rule="hypothesis", label="given")
    other = argument("b", Entry(c, k), Times(sympy.Integer(1), Entry(c, k)), rule="rearrange")
    assert accepted(lemma, context=here)
    assert not accepted(lemma, other, context=here)
    assert accepted(lemma, other, context=replace(here, fixed=frozenset()))


# --- what is neglected ----------------------------------------------------------------------------

T = Tensor("T", n, n)
TERM = Argument("neglected", Sum(Times(Entry(A, i, q), Entry(x, q)), q), (), sympy.Integer(0))  # a term of a sum
OFF = Argument("neglected", Entry(T, j, k), (), Times(Delta(j, k), Entry(T, j, j)))  # off the diagonal


def neglecting(before, after, equation, place=()):
    chain = argument("claim", before, after, rule="neglect", place=place, label="neglected")
    return accepted(chain, context=Context(neglected={"neglected": equation}))


def test_a_term_is_left_out_once_and_nothing_else():
    kept = Entry(c, i)
    assert neglecting(Plus(kept, TERM.left), kept, TERM)
    assert neglecting(Plus(TERM.left, kept), kept, TERM)
    assert not neglecting(Plus(kept, Times(sympy.Integer(2), TERM.left)), kept, TERM)
    assert not neglecting(Plus(kept, TERM.left, Entry(x, i)), kept, TERM)
    assert not neglecting(kept, Plus(kept, TERM.left), TERM)
    assert not neglecting(Plus(kept, Sum(Times(Entry(A, q, i), Entry(x, q)), q)), kept, TERM)


def test_off_the_diagonal_the_symbol_is_left_out_wherever_it_stands():
    whole = Sum(Times(Entry(x, q), Entry(x, r), Entry(T, q, r)), q, r)
    diagonal = Sum(Times(Entry(x, q), Entry(x, q), Entry(T, q, q)), q)
    assert neglecting(whole, diagonal, OFF)
    assert neglecting(Plus(whole, Entry(c, i)), Plus(diagonal, Entry(c, i)), OFF)
    assert not neglecting(whole, sympy.Integer(0), OFF)
    assert not neglecting(Plus(whole, Entry(c, i)), diagonal, OFF)
    assert not neglecting(whole, Sum(Times(Entry(x, q), Entry(T, q, q)), q), OFF)
    assert not neglecting(Entry(c, i), Entry(x, i), OFF)


def test_only_the_last_step_neglects_and_only_in_an_approximation():
    kept = Entry(c, i)
    first = argument("claim", Plus(kept, TERM.left), kept, rule="neglect", label="neglected")
    again = argument("again", Entry(x, i), Plus(Entry(x, i), sympy.Integer(0)), rule="rearrange")
    context = Context(neglected={"neglected": TERM})
    assert accepted(first, context=context)
    assert not accepted(first, again, context=context)
    assert not accepted(first, context=Context())
    later = Argument("claim", first.left, (*first.steps, Step("commute", (), {}, kept, kept)), kept)
    assert not accepted(later, context=context)
    cited = argument("cites", Plus(kept, TERM.left), kept, rule="cite", label="claim")
    with pytest.raises(ProofError):
        check((cited,), context, {"claim": (first,)})


def test_nothing_is_neglected_inside_of_a_derivative():
    inside = Derivative(Sum(Times(Entry(x, q), Entry(T, q, r)), q), Entry(x, k))
    assert not neglecting(Sum(inside, r), Sum(Derivative(Times(Entry(x, r), Entry(T, r, r)), Entry(x, k)), r), OFF)
