"""What the kernel accepts of names, cited claims and rearrangements, and what it refuses."""

from __future__ import annotations

from dataclasses import replace

import pytest
import sympy
from networks import LAYER, OF_LAYER

from symderiv import ProofError, Sheet
from symderiv.check.kernel import check
from symderiv.index.nodes import (
    Argument,
    Choice,
    Context,
    Definition,
    Delta,
    Derivative,
    Entry,
    Immediate,
    Index,
    Plus,
    Power,
    Step,
    Sum,
    Tensor,
    Times,
)

m, n = sympy.symbols("m n", integer=True, positive=True)
i, j, k, l = Index("i", m), Index("j", n), Index("k", m), Index("l", n)  # fmt: skip
A, B, x, y = Tensor("A", m, n), Tensor("B", m, n), Tensor("x", n), Tensor("y", n)
E, F = Tensor("E"), Tensor("F")
GRADIENT = Context({"B": Definition(B, kind="derivative", arguments=(E, A))})


def one(rule, before, after, context=None, place=(), **instance):
    """Check a proof of one step."""
    step = Step(rule, place, instance, before, after)
    check([Argument("here", before, (step,), after)], context or Context())


def refused(*args, **instance):
    with pytest.raises(ProofError) as error:
        one(*args, **instance)
    return str(error.value)


# --- name -----------------------------------------------------------------------------------------


def test_a_derivative_is_called_by_its_name():
    one("name", Derivative(Entry(E), Entry(A, i, j)), Entry(B, i, j), GRADIENT)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (Derivative(Entry(E), Entry(A, i, j)), Entry(B, k, j)),
        (Derivative(Entry(E), Entry(A, i, j)), Entry(A, i, j)),
        (Derivative(Entry(F), Entry(A, i, j)), Entry(B, i, j)),
        (Derivative(Entry(E), Entry(Tensor("C", m, n), i, j)), Entry(B, i, j)),
        (Derivative(Entry(E), Entry(A, i, j)), Times(sympy.Integer(2), Entry(B, i, j))),
        (Immediate(Entry(E), Entry(A, i, j)), Entry(B, i, j)),
    ],
    ids=["another entry", "no name", "of another function", "in another array", "twice it", "immediate"],
)
def test_another_name_is_refused(before, after):
    refused("name", before, after, GRADIENT)


# --- rearrange ------------------------------------------------------------------------------------

XJ, YJ, XL = Entry(x, j), Entry(y, j), Entry(x, l)
TWO = sympy.Integer(2)


@pytest.mark.parametrize(
    ("before", "after", "equal"),
    [
        (Times(XJ, YJ), Times(YJ, XJ), True),
        (Plus(XJ, XJ), Times(TWO, XJ), True),
        (Times(XJ, Plus(XJ, YJ)), Plus(Power(XJ, TWO), Times(XJ, YJ)), True),
        (Delta(j, l), Delta(l, j), True),
        (Times(Delta(j, l), XJ), Times(Delta(j, l), XL), True),
        (Times(XJ, YJ), Times(XJ, XJ), False),
        (Plus(XJ, XJ), Times(sympy.Integer(3), XJ), False),
        (XJ, Times(sympy.Integer(-1), XJ), False),
        (Times(Delta(j, l), XJ), XL, False),
        (Power(XJ, TWO), XJ, False),
    ],
    ids=str,
)
def test_two_writings_of_one_value(before, after, equal):
    if equal:
        one("rearrange", before, after)
    else:
        refused("rearrange", before, after)


def test_a_rearrangement_looks_through_definitions():
    q = Index("q", n)
    text = Context({"s": Definition(Tensor("s"), (), Sum(Entry(x, q), q))})
    one("rearrange", Times(Entry(Tensor("s")), XJ), Times(XJ, Sum(Entry(x, q), q)), text)
    refused("rearrange", Times(Entry(Tensor("s")), XJ), Times(XJ, Sum(Entry(y, q), q)), text)


# --- common delta ---------------------------------------------------------------------------------


def choice(yes, no, relation=">"):
    return Choice(relation, XJ, YJ, yes, no)


D_JL = Delta(j, l)


@pytest.mark.parametrize(
    ("before", "after", "holds"),
    [
        (choice(Times(D_JL, XJ), Times(D_JL, YJ)), Times(D_JL, choice(XJ, YJ)), True),
        (choice(Times(D_JL, XJ), sympy.Integer(0)), Times(D_JL, choice(XJ, sympy.Integer(0))), True),
        (choice(Times(D_JL, XJ), YJ), Times(D_JL, choice(XJ, YJ)), False),
        (choice(Times(D_JL, XJ), Times(D_JL, YJ)), Times(D_JL, choice(YJ, XJ)), False),
        (choice(Times(D_JL, XJ), Times(D_JL, YJ)), Times(D_JL, choice(XJ, YJ, "<")), False),
        (choice(Times(D_JL, XJ), sympy.Integer(0)), Times(D_JL, choice(XJ, YJ)), False),
        (choice(Times(D_JL, XJ), Times(D_JL, YJ)), choice(XJ, YJ), False),
    ],
)
def test_a_common_delta(before, after, holds):
    if holds:
        one("common delta", before, after)
    else:
        refused("common delta", before, after)


# --- unknown function -----------------------------------------------------------------------------

G, G0, G1 = Tensor("g"), Tensor("g0", n), Tensor("g1", n)
UNKNOWN = {
    "g": Definition(G, kind="unknown", arguments=(x, y), function="g"),
    "g0": Definition(G0, kind="unknown", arguments=(x, y), axes=(0,), function="g"),
    "g1": Definition(G1, kind="unknown", arguments=(x, y), axes=(1,), function="g"),
}
q = Index("q", n)
LEFT = Immediate(Entry(G), XJ)


def slope(head, inner):
    return Sum(Times(Entry(head, q), Immediate(Entry(inner, q), XJ)), q)


def test_the_chain_rule_of_an_unknown_function():
    one("unknown function", LEFT, slope(G0, x), Context(UNKNOWN))


@pytest.mark.parametrize(
    "after",
    [slope(G1, x), slope(G0, y), Plus(slope(G0, x), slope(G1, y)), Times(TWO, slope(G0, x)), Entry(G1, j)],
    ids=["another slope", "another inner", "a term too many", "a factor", "undone"],
)
def test_another_chain_rule_is_refused(after):
    refused("unknown function", LEFT, after, Context(UNKNOWN))


def test_an_unknown_function_needs_heads_for_its_slopes():
    refused("unknown function", LEFT, slope(G0, x), Context({"g": UNKNOWN["g"]}))


# --- cite -----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def layer():
    """The proofs of ∂A/∂W and, citing it, of ∂E/∂W."""
    sheet = Sheet(LAYER + OF_LAYER)
    return [claim.proof for claim in sheet.claims]


def cited(proof):
    (argument,) = (a for a in proof.arguments if any(s.rule == "cite" for s in a.steps))
    return argument, next(number for number, s in enumerate(argument.steps) if s.rule == "cite")


def with_step(proof, change):
    argument, number = cited(proof)
    steps = list(argument.steps)
    steps[number] = change(steps[number])
    new = replace(argument, steps=tuple(steps))
    return [new if a is argument else a for a in proof.arguments]


def test_a_cited_claim_is_accepted(layer):
    lemma, proof = layer
    check(lemma.arguments, lemma.context)
    check(proof.arguments, proof.context)
    argument, number = cited(proof)
    assert argument.steps[number].instance["label"] == "L1"


@pytest.mark.parametrize(
    "change",
    [
        lambda s: replace(s, instance={"label": "L7"}),
        lambda s: replace(s, instance={}),
        lambda s: replace(s, rule="name"),
        lambda s: replace(s, after=s.before),
        lambda s: replace(s, place=()),
    ],
    ids=["another label", "no label", "another rule", "nothing done", "another place"],
)
def test_a_damaged_citation_is_refused(layer, change):
    with pytest.raises(ProofError):
        check(with_step(layer[1], change), layer[1].context)


def test_what_is_not_at_hand_is_not_cited(layer):
    _, proof = layer
    with pytest.raises(ProofError):
        check(proof.arguments, replace(proof.context, lemmas={}))


def test_a_lemma_that_says_something_else_is_refused(layer):
    _, proof = layer
    lemma = proof.context.lemmas["L1"]
    wrong = Times(TWO, lemma.right)
    for damaged in (replace(lemma, right=wrong), replace(lemma, left=lemma.right)):
        with pytest.raises(ProofError):
            check(proof.arguments, replace(proof.context, lemmas={**proof.context.lemmas, "L1": damaged}))


def test_a_lemma_without_its_steps_is_refused(layer):
    _, proof = layer
    lemma = proof.context.lemmas["L1"]
    bare = replace(lemma, steps=lemma.steps[:-1])
    with pytest.raises(ProofError):
        check(proof.arguments, replace(proof.context, lemmas={**proof.context.lemmas, "L1": bare}))


def test_a_lemma_about_another_definition_is_refused(layer):
    """The same claim under A = 2 D W does not hold."""
    _, proof = layer
    old = proof.context.chain["A"]
    new = replace(old, body=Times(TWO, old.body))
    with pytest.raises(ProofError):
        check(proof.arguments, replace(proof.context, chain={**proof.context.chain, "A": new}))
