"""What the kernel accepts of total derivatives of expressions; each refusal is of a step that would be false."""

from __future__ import annotations

import pytest
import sympy

from symderiv import ProofError
from symderiv.check.kernel import check
from symderiv.index.nodes import (
    Apply,
    Argument,
    Context,
    Definition,
    Delta,
    Derivative,
    Entry,
    Immediate,
    Index,
    Plus,
    Step,
    Sum,
    Tensor,
    Times,
)

n = sympy.Symbol("n", integer=True, positive=True)
i, j, k, l, p, q, r = (Index(letter, n) for letter in "ijklpqr")
E, a, b, x, w, d = Tensor("E"), Tensor("a", n), Tensor("b", n), Tensor("x", n), Tensor("w", n), Tensor("d", n)
S, C, M = Tensor("S", n, n), Tensor("C", n, n), Tensor("M", n, n)
ZERO, TWO = sympy.Integer(0), sympy.Integer(2)

# E = Σ_q exp(b[q]), b[i] = w[i] a[i], a[i] = x[i]³
CHAIN = {
    "E": Definition(E, (), Sum(Apply("exp", 0, Entry(b, q)), q)),
    "b": Definition(b, (i,), Times(Entry(w, i), Entry(a, i))),
    "a": Definition(a, (i,), Times(Entry(x, i), Entry(x, i), Entry(x, i))),
}
NETWORK = Context({"d": Definition(d, kind="derivative", arguments=(E, b))}, CHAIN)


def one(rule, before, after, context=NETWORK, place=(), before_it=(), **instance):
    """Check a proof of one step, after some arguments."""
    step = Step(rule, place, instance, before, after)
    check([*before_it, Argument("here", before, (step,), after)], context)


def refused(*args, **more):
    with pytest.raises(ProofError) as error:
        one(*args, **more)
    return str(error.value)


def proved(label, left, right, *steps):
    """Return a lemma with its steps (rule, place, after, instance)."""
    found, now = [], left
    for rule, place, after, instance in steps:
        found.append(Step(rule, place, instance, now, after))
        now = after
    return Argument(label, left, tuple(found), right)


# --- the laws of differentiation -----------------------------------------------------------------


def test_sums_and_products_are_taken_apart_with_all_definitions_moving():
    before = Derivative(Times(Entry(w, i), Entry(a, j)), Entry(x, k))
    one("product", before, Times(Entry(w, i), Derivative(Entry(a, j), Entry(x, k))))
    total = Derivative(Sum(Entry(b, q), q), Entry(x, k))
    one("sum", total, Sum(Derivative(Entry(b, q), Entry(x, k)), q))
    assert "product" in refused("product", before, Times(Entry(a, j), Derivative(Entry(w, i), Entry(x, k))))


def test_what_depends_on_x_through_a_definition_is_not_constant():
    one("constant", Derivative(Times(Entry(w, i), Entry(w, j)), Entry(x, k)), ZERO)
    for of in (Entry(b, i), Times(Entry(w, i), Entry(b, j)), Derivative(Entry(E), Entry(b, i)), Entry(d, i)):
        assert "stands in" in refused("constant", Derivative(of, Entry(x, k)), ZERO)


def test_a_definition_does_not_vary_with_what_is_above_it():
    one("constant", Derivative(Entry(a, i), Entry(b, k)), ZERO)
    one("entry", Derivative(Entry(b, i), Entry(b, k)), Delta(i, k))
    assert refused("definition", Derivative(Entry(b, i), Entry(b, k)), ZERO, name="b")


def test_a_definition_is_its_text():
    text = Derivative(Times(Entry(w, j), Entry(a, j)), Entry(x, k))
    one("definition", Derivative(Entry(b, j), Entry(x, k)), text, name="b")
    assert refused("definition", Derivative(Entry(b, j), Entry(x, k)), Immediate(text.of, text.entry), name="b")


def test_an_expression_is_not_differentiated_immediately_by_these_rules():
    """∂E/∂x of E's own text is 0: the laws for texts stay what they were."""
    assert refused("sum", Derivative(Sum(Entry(b, q), q), Entry(x, k)), Sum(Immediate(Entry(b, q), Entry(x, k)), q))


def test_a_total_derivative_does_not_end_what_the_chain_rule_has_begun():
    """After the chain rule `∂b/∂w` is that of b's own text, however often total derivatives are taken beside it."""
    target = Entry(w, k)
    start = Derivative(Entry(E), target)
    chained = Sum(Times(Derivative(Entry(E), Entry(b, q)), Immediate(Entry(b, q), target)), q)
    text = Derivative(Sum(Apply("exp", 0, Entry(b, r)), r), Entry(b, q))
    beside = Sum(Times(text, chained.body.args[1]), q)
    steps = [
        ("chain rule", (), chained, {"through": ("b",)}),
        ("definition", (0, 0), beside, {"name": "E"}),
    ]
    check([proved("here", start, beside, *steps)], NETWORK)
    false = Sum(Times(text, ZERO), q)
    with pytest.raises(ProofError, match="not put in"):
        check([proved("here", start, false, *steps, ("constant", (0, 1), false, {}))], NETWORK)


# --- through -------------------------------------------------------------------------------------


def through(of, head, entry, letter=q):
    return Sum(Times(Derivative(of, Entry(head, letter)), Derivative(Entry(head, letter), entry)), letter)


def test_the_chain_rule_runs_through_what_all_ways_pass():
    target = Entry(x, k)
    one("through", Derivative(Entry(E), target), through(Entry(E), b, target), through=("b",))
    one("through", Derivative(Entry(E), target), through(Entry(E), a, target), through=("a",))
    slope = Derivative(Entry(E), Entry(b, i))
    one("through", Derivative(slope, target), through(slope, b, target), through=("b",))
    one("through", Derivative(slope, target), through(slope, a, target), through=("a",))  # b above a


@pytest.mark.parametrize(("head", "names"), [(a, ("b",)), (w, ("w",)), (b, ()), (b, ("b", "b")), (b, ("b", "a"))])
def test_it_lists_what_it_goes_through(head, names):
    refused("through", Derivative(Entry(E), Entry(x, k)), through(Entry(E), head, Entry(x, k)), through=names)


def test_another_way_is_not_left_out():
    more = Definition(E, (), Plus(Sum(Apply("exp", 0, Entry(b, q)), q), Sum(Entry(x, q), q)))
    context = Context({}, {**CHAIN, "E": more})
    found = refused(
        "through", Derivative(Entry(E), Entry(x, k)), through(Entry(E), b, Entry(x, k)), context, through=("b",)
    )
    assert "another way" in found


def test_a_derivative_below_varies_by_itself():
    """∂E/∂w[i] = exp(b[i]) a[i] depends on x through a as well, though E does through b only."""
    slope = Derivative(Entry(E), Entry(w, i))
    found = refused("through", Derivative(slope, Entry(x, k)), through(slope, b, Entry(x, k)), through=("b",))
    assert "depends on another" in found


def test_no_more_does_one_that_has_a_name():
    context = Context({"d": Definition(d, kind="derivative", arguments=(E, w))}, CHAIN)
    found = refused(
        "through", Derivative(Entry(d, i), Entry(x, k)), through(Entry(d, i), b, Entry(x, k)), context, through=("b",)
    )
    assert "derivative" in found


def test_nor_one_in_the_text_of_a_definition():
    f = Tensor("f")
    text = Definition(f, (), Sum(Derivative(Entry(E), Entry(w, q)), q))
    context = Context({}, {**CHAIN, "f": text})
    refused("through", Derivative(Entry(f), Entry(x, k)), through(Entry(f), b, Entry(x, k)), context, through=("b",))


# --- the derivative of a lemma -------------------------------------------------------------------

# f = Σ_pq S[p,q] S[q,p]: ∂f/∂S[i,j] = 2 S[j,i], and for a symmetric S that is 2 S[i,j].
F = Tensor("f")
TEXT = Sum(Times(Entry(S, p, q), Entry(S, q, p)), p, q)
LEFT = Derivative(Entry(F), Entry(S, i, j))


def gradient(*more):
    """Return the proof of ∂f/∂S[i,j] = 2 S[j,i] by total derivatives, and some more steps."""
    x = Entry(S, i, j)
    body = TEXT.body
    slopes = Derivative(body.args[0], x), Derivative(body.args[1], x)
    product = Plus(Times(slopes[0], body.args[1]), Times(body.args[0], slopes[1]))
    first, second = Times(Delta(p, i), Delta(q, j)), Times(Delta(q, i), Delta(p, j))
    steps = [
        ("definition", (), Derivative(TEXT, x), {"name": "f"}),
        ("sum", (), Sum(Derivative(body, x), p, q), {}),
        ("product", (0,), Sum(product, p, q), {}),
        ("entry", (0, 0, 0), Sum(Plus(Times(first, body.args[1]), product.args[1]), p, q), {}),
        ("entry", (0, 1, 1), Sum(Plus(Times(first, body.args[1]), Times(body.args[0], second)), p, q), {}),
        ("rearrange", (), Times(TWO, Entry(S, j, i)), {}),
        *more,
    ]
    return proved("lemma", LEFT, steps[-1][2], *steps)


def hessian(right):
    before = Derivative(LEFT, Entry(S, k, l))
    return before, Derivative(right, Entry(S, k, l))


@pytest.mark.parametrize("traits", [frozenset(), frozenset({"symmetric"})])
def test_a_lemma_is_differentiated_where_it_holds_for_all_entries(traits):
    context = Context({}, {"f": Definition(F, (), TEXT)}, {"S": traits})
    one("derivative of lemma", *hessian(Times(TWO, Entry(S, j, i))), context, before_it=[gradient()], label="lemma")


def test_a_lemma_that_uses_a_symmetry_of_x_holds_at_the_symmetric_ones_only():
    context = Context({}, {"f": Definition(F, (), TEXT)}, {"S": frozenset({"symmetric"})})
    right = Times(TWO, Entry(S, i, j))
    lemma = gradient(("rearrange", (), right, {}))
    check([lemma], context)
    found = refused("derivative of lemma", *hessian(right), context, before_it=[lemma], label="lemma")
    assert "not shown for all S" in found


def test_nor_does_one_that_uses_the_text_of_a_defined_x():
    """S = c cᵀ is symmetric by its text, and stops being that when an entry of S varies."""
    c = Tensor("c", n)
    chain = {"f": Definition(F, (), TEXT), "S": Definition(S, (p, q), Times(Entry(c, p), Entry(c, q)))}
    context = Context({}, chain)
    one("derivative of lemma", *hessian(Times(TWO, Entry(S, j, i))), context, before_it=[gradient()], label="lemma")
    for right in (Times(TWO, Entry(S, i, j)), Times(TWO, Entry(c, i), Entry(c, j))):
        lemma = gradient(("rearrange", (), right, {}))
        check([lemma], context)
        refused("derivative of lemma", *hessian(right), context, before_it=[lemma], label="lemma")


def test_nor_does_one_that_uses_what_is_assumed():
    at = Entry(S, p, q)
    known = Argument("given", at, (), Delta(p, q))
    context = Context({}, {"f": Definition(F, (), TEXT)}, assumed={"given": known})
    lemma = gradient(("hypothesis", (1,), Times(TWO, Delta(j, i)), {"label": "given"}))
    check([lemma], context)
    refused("derivative of lemma", *hessian(Times(TWO, Delta(j, i))), context, before_it=[lemma], label="lemma")


def test_a_lemma_has_to_be_proved_before():
    context = Context({}, {"f": Definition(F, (), TEXT)})
    refused("derivative of lemma", *hessian(Times(TWO, Entry(S, j, i))), context, label="lemma")
    wrong = Argument("lemma", LEFT, (), LEFT)
    refused("derivative of lemma", *hessian(Times(TWO, Entry(S, j, i))), context, before_it=[wrong], label="lemma")


# --- names and order -----------------------------------------------------------------------------

TWICE = Context(
    {
        "d": Definition(d, kind="derivative", arguments=(E, b)),
        "M": Definition(M, kind="derivative", arguments=(E, b, b)),
    },
    CHAIN,
)


def second(first, other):
    return Derivative(Derivative(Entry(E), Entry(b, first)), Entry(b, other))


def test_a_second_derivative_has_a_name():
    one("name", second(i, j), Entry(M, i, j), TWICE)
    for wrong in (Entry(M, j, i), Entry(M, i, i), Entry(d, i)):
        refused("name", second(i, j), wrong, TWICE)
    refused("name", Derivative(Derivative(Entry(E), Entry(b, i)), Entry(a, j)), Entry(M, i, j), TWICE)


def test_inside_a_derivative_the_inner_one_is_named_or_its_name_put_back():
    named, written = Derivative(Entry(d, i), Entry(x, k)), Derivative(Derivative(Entry(E), Entry(b, i)), Entry(x, k))
    one("name", named, written, TWICE)
    one("name", written, named, TWICE)
    refused("name", named, Derivative(Derivative(Entry(E), Entry(b, j)), Entry(x, k)), TWICE)
    refused("name", named, Derivative(written.of, Entry(x, j)), TWICE)
    refused("name", named, Derivative(Derivative(Entry(E), Entry(a, i)), Entry(x, k)), TWICE)


def test_second_derivatives_commute_and_are_what_their_names_say():
    one("rearrange", second(i, j), second(j, i), TWICE)
    one("rearrange", second(i, j), Entry(M, j, i), TWICE)
    one("rearrange", Derivative(Entry(d, i), Entry(b, j)), Entry(M, i, j), TWICE)
    mixed = Derivative(Derivative(Entry(E), Entry(b, i)), Entry(a, j))
    one("rearrange", mixed, Derivative(Derivative(Entry(E), Entry(a, j)), Entry(b, i)), TWICE)
    refused("rearrange", mixed, Derivative(Derivative(Entry(E), Entry(a, i)), Entry(b, j)), TWICE)
    refused("rearrange", second(i, j), second(i, i), TWICE)
    refused("rearrange", Derivative(Times(Entry(w, i), Entry(a, i)), Entry(x, k)), ZERO, TWICE)


def test_what_a_lemma_says_holds_of_the_name_as_well():
    argument = proved(
        "lemma",
        Derivative(Entry(E), Entry(b, i)),
        Apply("exp", 0, Entry(b, i)),
        ("definition", (), Derivative(CHAIN["E"].body, Entry(b, i)), {"name": "E"}),
        ("sum", (), Sum(Derivative(Apply("exp", 0, Entry(b, q)), Entry(b, i)), q), {}),
        ("chain", (0,), Sum(Times(Apply("exp", 0, Entry(b, q)), Derivative(Entry(b, q), Entry(b, i))), q), {}),
        ("entry", (0, 1), Sum(Times(Apply("exp", 0, Entry(b, q)), Delta(q, i)), q), {}),
        ("contract", (), Apply("exp", 0, Entry(b, i)), {"index": q, "by": i}),
    )
    one("rearrange", Entry(d, j), Apply("exp", 0, Entry(b, j)), before_it=[argument])
    refused("rearrange", Entry(d, j), Apply("exp", 0, Entry(b, i)), before_it=[argument])
    refused("rearrange", Entry(d, j), Apply("exp", 0, Entry(b, j)))
