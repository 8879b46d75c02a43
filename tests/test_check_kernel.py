"""The kernel accepts proofs and refuses damaged ones; every proof here is built by hand from the nodes."""

from __future__ import annotations

import ast
import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import sympy

from symderiv.check import kernel
from symderiv.check.calculus import formula
from symderiv.check.facts import Facts
from symderiv.check.ring import Ring
from symderiv.check.terms import RefusedError
from symderiv.errors import ProofError
from symderiv.functions import FUNCTIONS
from symderiv.index.nodes import (
    Apply,
    Argument,
    Choice,
    Context,
    Definition,
    Delta,
    Derivative,
    Entry,
    Extreme,
    Immediate,
    Index,
    Plus,
    Power,
    Step,
    Sum,
    Tensor,
    Times,
    at,
    put,
)

ONE, ZERO, MINUS, TWO = (sympy.Integer(v) for v in (1, 0, -1, 2))
HALF = sympy.Rational(1, 2)
NAMES = "mnpsz"
DIFFERENT = {c: sympy.Symbol(c, integer=True, positive=True) for c in NAMES}
EQUAL = dict.fromkeys(NAMES, DIFFERENT["n"])
Sizes = dict[str, Any]
Proof = tuple[tuple[Argument, ...], Context]


def letters(size: Any, names: str) -> list[Any]:
    return [Index(c, size) for c in names]


def chain(label: str, left: Any, *links: tuple[Any, ...]) -> Argument:
    """Build an argument from links (rule, place, new part[, instance])."""
    now, steps = left, []
    for rule, place, new, *more in links:
        after = put(now, place, new)
        steps.append(Step(rule, place, more[0] if more else {}, now, after))
        now = after
    return Argument(label, left, tuple(steps), now)


def text(tensor: Any, indices: tuple[Any, ...], body: Any) -> Definition:
    return Definition(tensor, indices, body)


def table(*definitions: Definition) -> dict[str, Definition]:
    return {d.tensor.name: d for d in definitions}


# ---------------------------------------------------------------- proofs


def layer(z: Sizes) -> Proof:
    """L1: A = D W gives ∂A[i,j]/∂W[k,l] = D[i,k] δ[j,l]."""
    (i,), (j, l), (t, k) = letters(z["m"], "i"), letters(z["p"], "jl"), letters(z["n"], "tk")
    A, D, W = Tensor("A", z["m"], z["p"]), Tensor("D", z["m"], z["n"]), Tensor("W", z["n"], z["p"])
    body = Sum(Times(Entry(D, i, t), Entry(W, t, j)), t)
    x = Entry(W, k, l)
    argument = chain(
        "W",
        Derivative(Entry(A, i, j), x),
        ("definition of f", (), Immediate(body, x), {"name": "A"}),
        ("sum", (), Sum(Immediate(body.body, x), t)),
        ("product", (0,), Times(Entry(D, i, t), Immediate(Entry(W, t, j), x))),
        ("entry", (0, 1), Times(Delta(t, k), Delta(j, l))),
        ("associate", (0,), Times(Entry(D, i, t), Delta(t, k), Delta(j, l))),
        ("contract", (), Times(Entry(D, i, k), Delta(j, l)), {"index": t, "by": k}),
    )
    return (argument,), Context(chain=table(text(A, (i, j), body)))


def loss(z: Sizes) -> Proof:
    """L2: E = Σ h(A[i,j]) with A = D W gives ∂E/∂W = Dᵀ h′(A), through a lemma."""
    (i, a, r), (j, b, l, d) = letters(z["m"], "iar"), letters(z["p"], "jbld")
    t, k = letters(z["n"], "tk")
    A, D, W, E = Tensor("A", z["m"], z["p"]), Tensor("D", z["m"], z["n"]), Tensor("W", z["n"], z["p"]), Tensor("E")
    value = Sum(Apply("h", 0, Entry(A, i, j)), i, j)
    product = Sum(Times(Entry(D, a, t), Entry(W, t, b)), t)
    p, x = Entry(A, r, d), Entry(W, k, l)
    slope = Apply("h", 1, Entry(A, i, j))
    lemma = chain(
        "A",
        Derivative(Entry(E), p),
        ("definition of f", (), Immediate(value, p), {"name": "E"}),
        ("sum", (), Sum(Immediate(value.body, p), i, j)),
        ("chain", (0,), Times(slope, Immediate(Entry(A, i, j), p))),
        ("entry", (0, 1), Times(Delta(i, r), Delta(j, d))),
        ("associate", (0,), Times(slope, Delta(i, r), Delta(j, d))),
        ("contract", (), Sum(Times(Apply("h", 1, Entry(A, r, j)), Delta(j, d)), j), {"index": i, "by": r}),
        ("contract", (), Apply("h", 1, p), {"index": j, "by": d}),
    )
    q = Entry(A, a, b)
    s, u = Index("s", z["n"]), Apply("h", 1, q)
    inner = Sum(Times(Entry(D, a, s), Entry(W, s, b)), s)
    result = Tensor("D.T @ h'(A)", z["n"], z["p"])
    read = Sum(Times(Entry(D, i, k), Apply("h", 1, Entry(A, i, l))), i)
    main = chain(
        "W",
        Derivative(Entry(E), x),
        ("chain rule", (), Sum(Times(Derivative(Entry(E), q), Immediate(q, x)), a, b), {"through": ("A",)}),
        ("lemma", (0, 0), u, {"label": "A"}),
        ("definition", (0, 1), Immediate(inner, x), {"name": "A"}),
        ("sum", (0, 1), Sum(Immediate(inner.body, x), s)),
        ("product", (0, 1, 0), Times(Entry(D, a, s), Immediate(Entry(W, s, b), x))),
        ("entry", (0, 1, 0, 1), Times(Delta(s, k), Delta(b, l))),
        ("associate", (0, 1, 0), Times(Entry(D, a, s), Delta(s, k), Delta(b, l))),
        ("exchange", (0,), Sum(Times(u, Entry(D, a, s), Delta(s, k), Delta(b, l)), s)),
        ("associate", (), Sum(Times(u, Entry(D, a, s), Delta(s, k), Delta(b, l)), a, b, s)),
        ("contract", (), Sum(Times(u, Entry(D, a, k), Delta(b, l)), a, b), {"index": s, "by": k}),
        ("contract", (), Sum(Times(Apply("h", 1, Entry(A, a, l)), Entry(D, a, k)), a), {"index": b, "by": l}),
        ("read off", (), Entry(result, k, l), {"name": result.name}),
    )
    context = Context(
        definitions=table(text(result, (k, l), read)),
        chain=table(text(E, (), value), text(A, (a, b), product)),
    )
    return (lemma, main), context


def quadratic(z: Sizes, traits: frozenset[str] = frozenset()) -> Proof:
    """∂(xᵀ S x)/∂x = S x + Sᵀ x, and 2 S x where S is symmetric."""
    i, j, k = letters(z["n"], "ijk")
    f, x, S = Tensor("f"), Tensor("x", z["n"]), Tensor("S", z["n"], z["n"])
    xi, xj, xk, s = Entry(x, i), Entry(x, j), Entry(x, k), Entry(S, i, j)
    body = Sum(Times(xi, s, xj), i, j)
    first, second = Times(Delta(i, k), s, xj), Times(xi, s, Delta(j, k))
    left, right = Sum(Times(Entry(S, k, j), xj), j), Sum(Times(xi, Entry(S, i, k)), i)
    result = Tensor("result", z["n"])
    twice = Sum(Times(TWO, Entry(S, k, i), xi), i)
    read = twice if traits else Sum(Times(Plus(Entry(S, k, i), Entry(S, i, k)), xi), i)
    argument = chain(
        "x",
        Derivative(Entry(f), xk),
        ("definition of f", (), Immediate(body, xk), {"name": "f"}),
        ("sum", (), Sum(Immediate(body.body, xk), i, j)),
        ("product", (0,), Plus(Times(Immediate(xi, xk), s, xj), Times(xi, s, Immediate(xj, xk)))),
        ("entry", (0, 0, 0), Delta(i, k)),
        ("entry", (0, 1, 2), Delta(j, k)),
        ("distribute", (), Plus(Sum(first, i, j), Sum(second, i, j))),
        ("contract", (0,), left, {"index": i, "by": k}),
        ("contract", (1,), right, {"index": j, "by": k}),
        ("read off", (), Entry(result, k), {"name": "result"}),
    )
    context = Context(table(text(result, (k,), read)), table(text(f, (), body)), {"S": traits} if traits else {})
    return (argument,), context


def inverse(z: Sizes) -> Proof:
    """∂(aᵀ X⁻¹ b)/∂X[k,l] = −(X⁻ᵀ a)[k] (X⁻¹ b)[l], the last by its own argument's normal form."""
    i, j, k, l, r, s, u, v = letters(z["n"], "ijklrsuv")
    X, N = Tensor("X", z["n"], z["n"]), Tensor("N", z["n"], z["n"])
    inv, other = Tensor("inv(X)", z["n"], z["n"]), Tensor("inv(N)", z["n"], z["n"])
    a, b, f, x = Tensor("a", z["n"]), Tensor("b", z["n"]), Tensor("f"), Entry(X, k, l)
    body = Sum(Times(Entry(a, i), Entry(inv, i, j), Entry(b, j)), i, j)
    slope = Sum(Times(MINUS, Entry(inv, i, r), Immediate(Entry(X, r, s), x), Entry(inv, s, j)), r, s)
    done = Times(MINUS, Entry(inv, i, r), Delta(r, k), Delta(s, l), Entry(inv, s, j))
    front, back = Entry(a, i), Entry(b, j)
    whole = Times(front, MINUS, Entry(inv, i, r), Delta(r, k), Delta(s, l), Entry(inv, s, j), back)
    result = Tensor("result", z["n"], z["n"])
    read = Times(
        MINUS,
        Sum(Times(Entry(other, k, u), Entry(a, u)), u),
        Sum(Times(Entry(inv, l, v), Entry(b, v)), v),
    )
    argument = chain(
        "X",
        Derivative(Entry(f), x),
        ("definition of f", (), Immediate(body, x), {"name": "f"}),
        ("sum", (), Sum(Immediate(body.body, x), i, j)),
        ("product", (0,), Times(front, Immediate(Entry(inv, i, j), x), back)),
        ("inverse", (0, 1), slope),
        ("entry", (0, 1, 0, 2), Times(Delta(r, k), Delta(s, l))),
        ("associate", (0, 1, 0), done),
        ("exchange", (0,), Sum(whole, r, s)),
        ("associate", (), Sum(whole, i, j, r, s)),
        ("associate", (0,), Times(MINUS, *(p for p in whole.args if p != MINUS))),
        (
            "contract",
            (),
            Sum(Times(MINUS, front, Entry(inv, i, k), Delta(s, l), Entry(inv, s, j), back), i, j, s),
            {"index": r, "by": k},
        ),
        (
            "contract",
            (),
            Sum(Times(MINUS, front, Entry(inv, i, k), Entry(inv, l, j), back), i, j),
            {"index": s, "by": l},
        ),
        ("read off", (), Entry(result, k, l), {"name": "result"}),
    )
    definitions = table(
        Definition(inv, kind="inv", arguments=(X,)),
        text(N, (u, v), Entry(X, v, u)),
        Definition(other, kind="inv", arguments=(N,)),
        text(result, (k, l), read),
    )
    return (argument,), Context(definitions, table(text(f, (), body)))


def softmax(z: Sizes) -> Proof:
    """∂s[i]/∂x[k] = s[i] (δ[i,k] − s[k]) for s = softmax(x)."""
    i, j, k = letters(z["n"], "ijk")
    f, x, s = Tensor("f", z["n"]), Tensor("x", z["n"]), Tensor("softmax(x, 0)", z["n"])
    si, sj, sk, target = Entry(s, i), Entry(s, j), Entry(s, k), Entry(x, k)
    result = Tensor("diag(s) - outer(s, s)", z["n"], z["n"])
    read = Plus(Times(si, Delta(i, k)), Times(MINUS, sk, si))
    brackets = Plus(Delta(i, j), Times(MINUS, sj))
    argument = chain(
        "x",
        Derivative(Entry(f, i), target),
        ("definition of f", (), Immediate(si, target), {"name": "f"}),
        ("softmax", (), Sum(Times(si, brackets, Immediate(Entry(x, j), target)), j)),
        ("entry", (0, 2), Delta(j, k)),
        ("contract", (), Times(si, Plus(Delta(i, k), Times(MINUS, sk))), {"index": j, "by": k}),
        ("read off", (), Entry(result, i, k), {"name": result.name}),
    )
    definitions = table(Definition(s, kind="softmax", arguments=(x,), axes=(0,)), text(result, (i, k), read))
    return (argument,), Context(definitions, table(text(f, (i,), si)))


def two_ways(z: Sizes) -> Proof:
    """f = Σ u[i] x[i] with u = x²: one way through u, one in f's own text."""
    i, j, k, c = letters(z["n"], "ijkc")
    f, x, u = Tensor("f"), Tensor("x", z["n"]), Tensor("u", z["n"])
    body, square = Sum(Times(Entry(u, i), Entry(x, i)), i), Power(Entry(x, j), TWO)
    target = Entry(x, k)
    lemma = chain(
        "u",
        Derivative(Entry(f), Entry(u, c)),
        ("definition of f", (), Immediate(body, Entry(u, c)), {"name": "f"}),
        ("sum", (), Sum(Immediate(body.body, Entry(u, c)), i)),
        ("product", (0,), Times(Immediate(Entry(u, i), Entry(u, c)), Entry(x, i))),
        ("entry", (0, 0), Delta(i, c)),
        ("contract", (), Entry(x, c), {"index": i, "by": c}),
    )
    uj = Entry(u, j)
    other = Sum(Times(Derivative(Entry(f), uj), Immediate(uj, target)), j)
    both = Plus(Immediate(Entry(f), target), other)
    main = chain(
        "x",
        Derivative(Entry(f), target),
        ("chain rule", (), both, {"through": ("f", "u")}),
        ("lemma", (1, 0, 0), Entry(x, j), {"label": "u"}),
        ("definition", (0,), Immediate(body, target), {"name": "f"}),
        ("definition", (1, 0, 1), Immediate(square, target), {"name": "u"}),
        ("sum", (0,), Sum(Immediate(body.body, target), i)),
        ("product", (0, 0), Times(Entry(u, i), Immediate(Entry(x, i), target))),
        ("entry", (0, 0, 1), Delta(i, k)),
        ("power", (1, 0, 1), Times(TWO, Entry(x, j), Immediate(Entry(x, j), target))),
        ("entry", (1, 0, 1, 2), Delta(j, k)),
        ("contract", (0,), Entry(u, k), {"index": i, "by": k}),
        ("associate", (1, 0), Times(TWO, Entry(x, j), Entry(x, j), Delta(j, k))),
        ("contract", (1,), Times(TWO, target, target), {"index": j, "by": k}),
    )
    return (lemma, main), Context(chain=table(text(f, (), body), text(u, (j,), square)))


PROOFS: dict[str, Callable[[Sizes], Proof]] = {
    "layer": layer,
    "loss": loss,
    "quadratic": quadratic,
    "symmetric": lambda z: quadratic(z, frozenset({"symmetric"})),
    "inverse": inverse,
    "softmax": softmax,
    "two ways": two_ways,
}


@pytest.mark.parametrize("sizes", [DIFFERENT, EQUAL], ids=["different", "equal"])
@pytest.mark.parametrize("name", PROOFS)
def test_a_proof_is_accepted(name: str, sizes: Sizes) -> None:
    kernel.check(*PROOFS[name](sizes))


def refused(proof: Proof, match: str | None = None) -> None:
    with pytest.raises(ProofError, match=match):
        kernel.check(*proof)


# ---------------------------------------------------------------- damage at one step


def damaged(proof: Proof, argument: int, step: int, place: tuple[int, ...], new: Any) -> Proof:
    """Return the proof cut after one step, a part of what that step gives replaced."""
    arguments, context = proof
    old = arguments[argument]
    last = old.steps[step]
    change = replace(last, after=put(last.after, place, new(at(last.after, place)) if callable(new) else new))
    assert change.after != last.after
    cut = Argument(old.label, old.left, (*old.steps[:step], change), change.after)
    return (*arguments[:argument], cut), context


def with_step(proof: Proof, argument: int, step: int, **changes: Any) -> Proof:
    """Return the proof cut after one step, which says something else of itself."""
    arguments, context = proof
    old = arguments[argument]
    change = replace(old.steps[step], **changes)
    cut = Argument(old.label, old.left, (*old.steps[:step], change), change.after)
    return (*arguments[:argument], cut), context


def swapped(entry: Any) -> Any:
    return type(entry)(*entry.args[:-2], entry.args[-1], entry.args[-2])


def without(k: int) -> Callable[[Any], Any]:
    return lambda e: type(e)(*e.args[:k], *e.args[k + 1 :])


def doubled(expr: Any) -> Any:
    return Times(TWO, expr)


DAMAGE = [
    ("layer", 0, 0, (0, 0, 1), swapped),  # another text
    ("layer", 0, 1, (0, 1), lambda e: Entry(e.tensor, Index("s", e.indices[0].size), e.indices[1])),
    ("layer", 0, 2, (0,), without(0)),  # a lost factor
    ("layer", 0, 2, (0,), lambda e: Times(e.args[1], e.args[0], e.args[0])),
    ("layer", 0, 3, (0, 1), without(1)),  # a lost δ
    ("layer", 0, 3, (0, 1, 0), lambda d: Delta(d.args[0], Index("c", d.args[0].size))),
    ("layer", 0, 4, (0,), doubled),
    ("layer", 0, 4, (0,), without(2)),
    ("layer", 0, 5, (), without(1)),
    ("layer", 0, 5, (1,), lambda d: Delta(d.args[0], d.args[0])),
    ("loss", 0, 2, (0, 0), lambda f: Apply("h", 0, f.arg)),  # h for h′
    ("loss", 0, 2, (0, 0), lambda f: Apply("g", 1, f.arg)),
    ("loss", 0, 5, (0, 0, 2), lambda e: Entry(e.tensor, Index("i", e.indices[0].size), e.indices[1])),
    ("loss", 0, 6, (2,), lambda e: Entry(Tensor("B", *e.tensor.sizes), *e.indices)),
    ("loss", 1, 0, (), lambda e: Sum(e.body, *e.bound[:1])),  # a lost sum
    ("loss", 1, 0, (0,), without(1)),
    ("loss", 1, 1, (0, 0, 2), lambda e: Entry(e.tensor, Index("i", e.indices[0].size), e.indices[1])),
    ("loss", 1, 1, (0, 0), MINUS),
    ("loss", 1, 7, (0, 0), without(2)),
    ("loss", 1, 8, (), lambda e: Sum(e.body, e.bound[0], e.bound[1])),
    ("loss", 1, 9, (0, 1), lambda e: Entry(e.tensor, e.indices[0], Index("s", e.indices[1].size))),
    ("quadratic", 0, 2, (0,), lambda e: Plus(e.args[0], e.args[0])),
    ("quadratic", 0, 2, (0,), lambda e: e.args[0]),  # a lost term of the product rule
    ("quadratic", 0, 2, (0, 0, 1), swapped),
    ("quadratic", 0, 5, (), lambda e: Plus(e.args[0], e.args[0])),
    ("quadratic", 0, 6, (0, 0, 0), swapped),
    ("quadratic", 0, 7, (1, 0, 1), swapped),
    ("inverse", 0, 3, (0, 1, 0, 0), ONE),  # a lost sign
    ("inverse", 0, 3, (0, 1, 0, 1), swapped),
    ("inverse", 0, 3, (0, 1, 0, 3), swapped),
    ("inverse", 0, 3, (0, 1), lambda e: Sum(e.body, e.bound[1], e.bound[0])),
    ("inverse", 0, 8, (0, 0), ONE),
    ("inverse", 0, 10, (0, 3), swapped),
    ("softmax", 0, 1, (0, 1), lambda e: e.args[0]),
    ("softmax", 0, 1, (0, 1, 0), lambda d: ONE),
    ("softmax", 0, 1, (0, 0), lambda e: Entry(e.tensor, Index("j", e.indices[0].size))),
    ("softmax", 0, 3, (1, 1, 0), ONE),
    ("two ways", 1, 0, (), lambda e: e.args[1]),  # a lost way
    ("two ways", 1, 7, (1, 0, 1, 0), ONE),  # 2 of the power rule
    ("two ways", 1, 7, (1, 0, 1), without(1)),
    ("two ways", 1, 11, (1,), without(1)),
]


@pytest.mark.parametrize("sizes", [DIFFERENT, EQUAL], ids=["different", "equal"])
@pytest.mark.parametrize(("name", "argument", "step", "place", "new"), DAMAGE)
def test_a_damaged_step_is_refused(
    name: str, argument: int, step: int, place: tuple[int, ...], new: Any, sizes: Sizes
) -> None:
    proof = PROOFS[name](sizes)
    label, rule = proof[0][argument].label, proof[0][argument].steps[step].rule
    refused(damaged(proof, argument, step, place, new), rf"argument '{label}', step {step + 1} \({rule}\)")


@pytest.mark.parametrize("name", PROOFS)
def test_a_step_under_another_name_is_refused(name: str) -> None:
    proof = PROOFS[name](EQUAL)
    harmless = {"rearrange"}  # says no more than that both sides have one normal form
    also = {("read off", "fold"), ("associate", "commute")}  # a number that goes to the front has changed places
    accepted = set()
    for n, argument in enumerate(proof[0]):
        for k, step in enumerate(argument.steps):
            for rule in (*kernel.rules(), "nonsense"):
                if rule != step.rule and rule not in harmless:
                    try:
                        kernel.check(*with_step(proof, n, k, rule=rule))
                    except ProofError:
                        continue
                    accepted.add((step.rule, rule))
    assert accepted <= also


@pytest.mark.parametrize("name", PROOFS)
def test_a_removed_step_is_refused(name: str) -> None:
    arguments, context = PROOFS[name](EQUAL)
    for n, argument in enumerate(arguments):
        for k in range(len(argument.steps)):
            rest = argument.steps[:k] + argument.steps[k + 1 :]
            refused(((*arguments[:n], replace(argument, steps=rest)), context), "does not start|does not end")


@pytest.mark.parametrize("name", PROOFS)
def test_a_wrong_place_is_refused(name: str) -> None:
    proof = PROOFS[name](EQUAL)
    for n, argument in enumerate(proof[0]):
        for k, step in enumerate(argument.steps):
            for place in ((*step.place, 0), (*step.place, 9), step.place[:-1], (1, *step.place)):
                if place != step.place:
                    refused(with_step(proof, n, k, place=place))


def test_the_ends_of_an_argument_count() -> None:
    (argument,), context = layer(EQUAL)
    i, j = letters(EQUAL["n"], "ij")
    refused(((replace(argument, right=doubled(argument.right)),), context), "does not end")
    refused(((replace(argument, left=doubled(argument.left)),), context), "does not start")
    entry = Entry(Tensor("A", i.size, j.size), i, j)
    refused(((chain("free", ZERO, ("rearrange", (), Plus(entry, Times(MINUS, entry)))),), context), "stands free")


def test_a_symmetric_head_is_no_other_head() -> None:
    """The result 2 S x is refused without the trait."""
    arguments, context = quadratic(EQUAL, frozenset({"symmetric"}))
    refused((arguments, replace(context, traits={})), "read off.*says something else")


def test_traits_of_a_defined_head_are_no_hypothesis() -> None:
    arguments, context = quadratic(EQUAL, frozenset({"symmetric"}))
    i, j = letters(EQUAL["n"], "uv")
    own = text(Tensor("S", i.size, j.size), (i, j), Entry(Tensor("B", i.size, j.size), i, j))
    refused((arguments, replace(context, definitions={**context.definitions, "S": own})), "says something else")


# ---------------------------------------------------------------- the chain rule, lemmas, coincidences


def test_a_lemma_is_used_after_its_proof_only() -> None:
    (lemma, main), context = loss(EQUAL)
    refused(((main,), context), "nothing was proved")
    refused(((main, lemma), context), "nothing was proved")
    refused(((lemma, lemma), context), "earlier argument of this name")
    untrusted = replace(context, lemmas={"A": lemma})
    refused(((main,), untrusted), "nothing was proved")


def test_a_lemma_cannot_prove_itself() -> None:
    (lemma, _), context = loss(EQUAL)
    circle = chain("A", lemma.left, ("lemma", (), lemma.right, {"label": "A"}))
    refused(((circle,), context), "nothing was proved")


def test_a_lemma_names_its_label() -> None:
    proof = loss(EQUAL)
    refused(with_step(proof, 1, 1, instance={}), "does not name its label")
    refused(with_step(proof, 1, 1, instance={"label": "W"}), "nothing was proved")


def test_a_lemma_holds_at_equal_indices_too() -> None:
    """∂E/∂A[c, c] = h′(A[c, c]): what holds for all indices holds where they coincide."""
    (lemma, _), context = loss(EQUAL)
    c = Index("c", EQUAL["n"])
    E, A = lemma.left.of.tensor, lemma.left.entry.tensor
    twice = chain(
        "diagonal",
        Sum(Derivative(Entry(E), Entry(A, c, c)), c),
        ("lemma", (0,), Apply("h", 1, Entry(A, c, c)), {"label": "A"}),
    )
    kernel.check((lemma, twice), context)
    i = Index("i", EQUAL["n"])
    wrong = damaged(((lemma, twice), context), 1, 0, (0, 2), lambda e: Entry(e.tensor, c, i))
    refused(wrong)


def test_a_special_lemma_does_not_hold_in_general() -> None:
    """What is proved of ∂A[i, j]/∂W[i, j], with equal indices, says nothing of ∂A[i, j]/∂W[k, l]."""
    (proved,), context = layer(EQUAL)
    i, j, k, l = letters(EQUAL["n"], "ijkl")
    change = {k: i, l: j}
    steps = tuple(
        replace(
            s,
            before=s.before.xreplace(change),
            after=s.after.xreplace(change),
            instance={a: change.get(b, b) for a, b in s.instance.items()},
        )
        for s in proved.steps
    )
    special = Argument("special", proved.left.xreplace(change), steps, proved.right.xreplace(change))
    kernel.check((special,), context)
    right = Times(Entry(Tensor("D", i.size, i.size), i, i), ONE)
    use = chain("use", proved.left, ("lemma", (), right, {"label": "special"}))
    refused(((special, use), context), "twice")


def test_a_lemma_that_is_inserted_captures_nothing() -> None:
    """A bound index of the lemma must give way to an index of the place."""
    n = EQUAL["n"]
    i, j, k, q = letters(n, "ijkq")
    f, x, B, u = Tensor("f"), Tensor("x", n), Tensor("B", n, n), Tensor("u", n)
    inner = Sum(Times(Entry(B, i, j), Entry(x, j)), j)
    body = Sum(Entry(u, i), i)
    lemma = chain(
        "u",
        Derivative(Entry(f), Entry(u, k)),
        ("definition of f", (), Immediate(body, Entry(u, k)), {"name": "f"}),
        ("sum", (), Sum(Immediate(Entry(u, i), Entry(u, k)), i)),
        ("entry", (0,), Delta(i, k)),
    )
    context = Context(chain=table(text(f, (), body), text(u, (i,), inner)))
    start = Derivative(Entry(f), Entry(u, i))
    good = chain("use", start, ("lemma", (), Sum(Delta(q, i), q), {"label": "u"}))
    kernel.check((lemma, good), context)
    refused(((lemma, chain("use", start, ("lemma", (), Sum(Delta(i, i), i), {"label": "u"}))), context))


def test_every_way_must_be_listed() -> None:
    proof = two_ways(EQUAL)
    i, k = letters(EQUAL["n"], "ik")
    for through in (("u",), ("f",), ("f", "u", "u"), ()):
        refused(with_step(proof, 1, 0, instance={"through": through}), "chain rule")
    f, x = Tensor("f"), Tensor("x", EQUAL["n"])
    body = Sum(Times(Entry(Tensor("u", EQUAL["n"]), i), Entry(x, i)), i)
    target = Entry(x, k)
    own = ("definition of f", (), Immediate(body, target), {"name": "f"})
    only = chain("x", Derivative(Entry(f), target), own)
    refused(((only,), proof[1]), "another definition names x")


def test_a_definition_is_constant_inside_another_only() -> None:
    """Right after the chain rule ∂u/∂x is that of u's own text; inside f's text u is constant."""
    proof = two_ways(EQUAL)
    arguments, context = proof
    lemma, main = arguments
    k, j, i = letters(EQUAL["n"], "kji")
    x, u = Tensor("x", EQUAL["n"]), Tensor("u", EQUAL["n"])
    zero = chain(
        "x", main.left, ("chain rule", (), main.steps[0].after, main.steps[0].instance), ("constant", (1, 0, 1), ZERO)
    )
    refused(((lemma, zero), context), "own text|not put in")
    early = (
        *main.steps[:3],
        Step("sum", (0,), {}, main.steps[2].after, put(main.steps[2].after, (0,), main.steps[4].after.args[0])),
    )
    refused(((lemma, replace(main, steps=early, right=early[-1].after)), context), "not put in yet")
    inner = Sum(Plus(Entry(u, i), Entry(x, i)), i)
    changed = Context(chain=table(text(Tensor("f"), (), inner), context.chain["u"]))
    other = Sum(Times(Derivative(Entry(Tensor("f")), Entry(u, j)), Immediate(Entry(u, j), Entry(x, k))), j)
    target = Entry(x, k)
    links: list[tuple[Any, ...]] = [
        ("chain rule", (), Plus(Immediate(Entry(Tensor("f")), target), other), {"through": ("f", "u")}),
        ("definition", (0,), Immediate(inner, target), {"name": "f"}),
        ("definition", (1, 0, 1), Immediate(Power(Entry(x, j), TWO), target), {"name": "u"}),
        ("sum", (0,), Sum(Immediate(inner.body, target), i)),
        ("linearity", (0, 0), Plus(Immediate(Entry(u, i), target), Immediate(Entry(x, i), target))),
    ]
    kernel.check((chain("x", main.left, *links, ("constant", (0, 0, 0), ZERO)),), changed)
    counted_twice = ("definition", (0, 0, 0), Immediate(Power(Entry(x, i), TWO), target), {"name": "u"})
    refused(((chain("x", main.left, *links, counted_twice),), changed), "held constant")


def test_symmetry_waits_for_the_derivative() -> None:
    """S[i, j] = S[j, i] holds for a symmetric S, but not inside ∂…/∂S."""
    n = EQUAL["n"]
    i, j, k, l = letters(n, "ijkl")
    f, S, T = Tensor("f", n, n), Tensor("S", n, n), Tensor("T", n, n)
    both = {"S": frozenset({"symmetric"}), "T": frozenset({"symmetric"})}
    for moved, good in ((S, False), (T, True)):
        body = Times(Entry(S, i, j), Entry(T, i, j))
        x = Entry(moved, k, l)
        argument = chain(
            "x",
            Derivative(Entry(f, i, j), x),
            ("definition of f", (), Immediate(body, x), {"name": "f"}),
            ("symmetry", (0, 0), Entry(S, j, i)),
        )
        proof = ((argument,), Context(chain=table(text(f, (i, j), body)), traits=both))
        if good:
            kernel.check(*proof)
        else:
            refused(proof, "symmetry")


def test_what_is_cited_is_checked_here() -> None:
    """∂A/∂W of L1 is cited in L2; a citation that does not hold under these definitions is refused."""
    (lemma, main), context = loss(EQUAL)
    (first,), _ = layer(EQUAL)
    a, b, k = letters(EQUAL["n"], "abk")
    l = Index("l", EQUAL["n"])
    new = Times(Entry(Tensor("D", a.size, b.size), a, k), Delta(b, l))
    start = main.steps[1].after
    cite = Step("cite", (0, 1), {"label": "L1"}, start, put(start, (0, 1), new))
    proof = (lemma, replace(main, steps=(*main.steps[:2], cite), right=cite.after))
    kernel.check(proof, context, {"L1": (first,)})
    kernel.check(proof, replace(context, lemmas={"L1": first}))
    refused((proof, context), "nothing was proved")
    bad = replace(first, right=doubled(first.right))
    refused((proof, replace(context, lemmas={"L1": bad})), "does not hold here")
    circle = chain("L1", first.left, ("lemma", (), first.right, {"label": "L1"}))
    refused((proof, replace(context, lemmas={"L1": circle})), "does not hold here")


def test_a_name_for_a_derivative() -> None:
    n = EQUAL["n"]
    i, j = letters(n, "ij")
    E, A, B = Tensor("E"), Tensor("A", n, n), Tensor("B", n, n)
    context = Context(table(Definition(B, kind="derivative", arguments=(E, A))))
    left = Derivative(Entry(E), Entry(A, i, j))
    kernel.check((chain("E", left, ("name", (), Entry(B, i, j))),), context)
    refused(((chain("E", left, ("name", (), Entry(B, j, i))),), context))
    other = Derivative(Entry(E), Entry(Tensor("C", n, n), i, j))
    refused(((chain("E", other, ("name", (), Entry(B, i, j))),), context), "another derivative")


def test_an_unknown_function() -> None:
    """∂²g/∂A∂B has the axes of A before those of B, whichever was differentiated in first."""
    n = EQUAL["n"]
    j, k, q = letters(n, "jkq")
    A, B = Tensor("A", n), Tensor("B", n)
    heads = [
        Definition(Tensor(f"g{axes}", *(n for _ in axes)), kind="unknown", arguments=(A, B), axes=axes, function="g")
        for axes in ((), (0,), (1,), (0, 1))
    ]
    g, gA, gB, gAB = (d.tensor for d in heads)
    f = Tensor("f", n)

    def proof(inner: Any, x: Any, result: Any) -> Proof:
        target = Entry(x, k)
        argument = chain(
            "x",
            Derivative(Entry(f, j), target),
            ("definition of f", (), Immediate(inner, target), {"name": "f"}),
            ("unknown function", (), Sum(Times(result, Immediate(Entry(x, q), target)), q)),
        )
        return (argument,), Context(table(*heads), table(text(f, (j,), inner)))

    kernel.check(*proof(Entry(gB, j), A, Entry(gAB, q, j)))
    kernel.check(*proof(Entry(gA, j), B, Entry(gAB, j, q)))
    refused(proof(Entry(gB, j), A, Entry(gAB, j, q)))
    refused(proof(Entry(gB, j), A, Entry(gA, q)))
    constant = chain(
        "x",
        Derivative(Entry(f, j), Entry(A, k)),
        ("definition of f", (), Immediate(Times(Entry(g), Entry(B, j)), Entry(A, k)), {"name": "f"}),
        ("constant", (), ZERO),
    )
    body = Times(Entry(g), Entry(B, j))
    refused(((constant,), Context(table(*heads), table(text(f, (j,), body)))), "stands in what")


# ---------------------------------------------------------------- single rules

n, m = DIFFERENT["n"], DIFFERENT["m"]
i, j, k, l, q, r = letters(n, "ijklqr")
A, B, S = (Tensor(c, n, n) for c in "ABS")
u, v, x = (Tensor(c, n) for c in "uvx")
a, b, c = (Entry(Tensor(s)) for s in "abc")
X = Entry(x, k)
VIEW = Tensor("A.T", n, n)
FACTS = Context(table(text(VIEW, (i, j), Entry(A, j, i))), traits={"S": frozenset({"symmetric"})})


def one_step(rule: str, before: Any, after: Any, instance: dict[str, Any] | None = None) -> Proof:
    return (Argument("one", before, (Step(rule, (), instance or {}, before, after),), after),), FACTS


ALGEBRA: list[tuple[str, Any, Any, Any, dict[str, Any]]] = [  # rule, before, after, not after
    ("zero", Times(a, ZERO), ZERO, a, {}),
    ("zero", Plus(a, ZERO, b), Plus(a, b), a, {}),
    ("zero", Sum(ZERO, i), ZERO, ONE, {}),
    ("zero", Choice(">", a, b, ZERO, ZERO), ZERO, Choice(">", a, b, ONE, ZERO), {}),
    ("associate", Times(a, Times(b, c)), Times(a, b, c), Times(a, c, b), {}),
    ("associate", Times(a, TWO, MINUS), Times(sympy.Integer(-2), a), Times(TWO, a), {}),
    ("associate", Plus(a, Plus(b, a)), Plus(a, b, a), Plus(a, b), {}),
    ("associate", Sum(Sum(Entry(A, i, j), i), j), Sum(Entry(A, i, j), j, i), Sum(Entry(A, j, i), j, i), {}),
    ("exchange", Times(a, Sum(Entry(u, i), i)), Sum(Times(a, Entry(u, i)), i), Sum(Times(Entry(u, i), a), i), {}),
    ("exchange", Times(Entry(u, k), Sum(Entry(v, i), i)), Sum(Times(Entry(u, k), Entry(v, i)), i),
     Sum(Times(Entry(u, i), Entry(v, i)), i), {}),
    ("exchange", Times(Sum(Entry(u, i), i), Sum(Entry(v, i), i)), Sum(Times(Entry(u, q), Sum(Entry(v, i), i)), q),
     Sum(Times(Entry(u, i), Entry(v, i)), i), {}),
    ("distribute", Times(a, Plus(b, c)), Plus(Times(a, b), Times(a, c)), Plus(Times(a, b), c), {}),
    ("distribute", Sum(Plus(Entry(u, i), Entry(v, i)), i), Plus(Sum(Entry(u, i), i), Sum(Entry(v, q), q)),
     Plus(Sum(Entry(u, i), i), Sum(Entry(u, i), i)), {}),
    ("factor", Plus(Times(a, b), Times(a, c)), Times(a, Plus(b, c)), Times(a, Plus(b, b)), {}),
    ("contract", Sum(Times(Entry(u, i), Delta(i, k)), i), Entry(u, k), Entry(v, k), {"index": i, "by": k}),
    ("contract", Sum(Times(Entry(A, i, j), Delta(i, j)), i, j), Sum(Entry(A, j, j), j), Sum(Entry(A, i, j), j),
     {"index": i, "by": j}),
    ("contract", Sum(Delta(k, i), i), ONE, n, {"index": i, "by": k}),
    ("contract", Sum(Times(Delta(i, k), Sum(Entry(A, i, q), q)), i), Sum(Entry(A, k, q), q), Sum(Entry(A, q, q), q),
     {"index": i, "by": k}),
    ("delta", Delta(k, k), ONE, ZERO, {}),
    ("idle sum", Sum(Entry(u, k), i), Times(n, Entry(u, k)), Times(m, Entry(u, k)), {}),
    ("idle sum", Sum(Entry(u, i), i, j), Sum(Times(n, Entry(u, i)), i), Sum(Entry(u, i), i), {}),
    ("merge", Plus(a, b, a), Plus(Times(TWO, a), b), Plus(a, b), {}),
    ("merge", Plus(Times(HALF, Plus(a, b)), Times(HALF, Plus(a, b))), Plus(a, b), Plus(a, Times(MINUS, b)), {}),
    ("merge", Plus(a, MINUS, MINUS), Plus(a, sympy.Integer(-2)), Plus(a, MINUS), {}),
    ("merge", Plus(Times(TWO, a), b, Times(sympy.Integer(-2), a)), b, Plus(a, b), {}),
    ("commute", Times(a, b), Times(b, a), Times(b, c), {}),
    ("commute", Plus(a, Sum(Times(Entry(u, i), b), i)), Plus(Sum(Times(b, Entry(u, i)), i), a), Plus(a, b), {}),
    ("commute", Delta(k, l), Delta(l, k), Delta(l, l), {}),
    ("rename", Sum(Entry(u, i), i), Sum(Entry(u, q), q), Sum(Entry(v, q), q), {}),
    ("rename", Sum(Entry(A, k, i), i), Sum(Entry(A, k, q), q), Sum(Entry(A, k, k), k), {}),
    ("use delta", Times(Delta(k, l), Entry(u, k)), Times(Delta(k, l), Entry(u, l)),
     Times(Delta(k, l), Entry(v, l)), {}),
    ("use delta", Times(Delta(k, l), Entry(u, k)), Times(Delta(k, l), Entry(u, l)), Entry(u, l), {}),
    ("collect powers", Times(a, Power(a, MINUS), b), b, a, {}),
    ("collect powers", Times(a, Power(a, c)), Power(a, Plus(c, ONE)), Power(a, c), {}),
    ("split powers", Power(a, TWO), Times(a, a), Times(a, a, a), {}),
    ("partial fraction", Times(Power(a, MINUS), Power(Plus(a, ONE), MINUS)),
     Plus(Power(a, MINUS), Times(MINUS, Power(Plus(a, ONE), MINUS))),
     Plus(Power(a, MINUS), Power(Plus(a, ONE), MINUS)), {}),
    ("rearrange", Power(Plus(a, b), TWO), Plus(Power(a, TWO), Times(TWO, a, b), Power(b, TWO)),
     Plus(Power(a, TWO), Power(b, TWO)), {}),
    ("evaluate", Plus(TWO, Times(TWO, Power(TWO, MINUS))), sympy.Integer(3), TWO, {}),
    ("common delta", Choice(">", a, b, Times(Delta(k, l), a), ZERO), Times(Delta(k, l), Choice(">", a, b, a, ZERO)),
     Times(Delta(k, l), Choice(">", a, b, ZERO, a)), {}),
    ("common delta", Choice("<", a, b, Delta(k, l), Times(c, Delta(k, l))),
     Times(Delta(k, l), Choice("<", a, b, ONE, c)), Choice("<", a, b, ONE, c), {}),
    ("symmetry", Times(Entry(S, k, l), Entry(A, k, l)), Times(Entry(S, l, k), Entry(A, k, l)),
     Times(Entry(S, k, l), Entry(A, l, k)), {}),
    ("transpose", Sum(Times(Entry(A, i, k), Entry(u, i)), i), Sum(Times(Entry(VIEW, k, i), Entry(u, i)), i),
     Sum(Times(Entry(VIEW, i, k), Entry(u, i)), i), {}),
    ("unfold", Entry(VIEW, k, l), Entry(A, l, k), Entry(A, k, l), {"name": "A.T"}),
    ("fold", Entry(A, l, k), Entry(VIEW, k, l), Entry(VIEW, l, k), {"name": "A.T"}),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "before", "after", "wrong", "instance"), ALGEBRA)
def test_a_rule_of_algebra(rule: str, before: Any, after: Any, wrong: Any, instance: dict[str, Any]) -> None:
    kernel.check(*one_step(rule, before, after, instance))
    refused(one_step(rule, before, wrong, instance))
    refused(one_step(rule, before, doubled(after), instance))
    refused(one_step(rule, before, before, instance))


CALCULUS: list[tuple[str, Any, Any, Any]] = [  # rule, what is differentiated in x[k], after, not after
    ("constant", Entry(u, k), ZERO, ONE),
    ("entry", Entry(x, l), Delta(l, k), Delta(l, l)),
    ("sum", Sum(Entry(x, i), i), Sum(Immediate(Entry(x, i), X), i), Immediate(Entry(x, l), X)),
    ("linearity", Plus(X, a), Plus(Immediate(X, X), Immediate(a, X)), Immediate(X, X)),
    ("product", Times(a, X, b), Times(a, Immediate(X, X), b), Times(a, Immediate(X, X))),
    ("power", Power(X, sympy.Integer(3)), Times(sympy.Integer(3), Power(X, TWO), Immediate(X, X)),
     Times(sympy.Integer(3), Power(X, sympy.Integer(3)), Immediate(X, X))),
    ("power", Power(X, a), Times(a, Power(X, Plus(a, MINUS)), Immediate(X, X)), Times(a, Power(X, a), Immediate(X, X))),
    ("general power", Power(a, X), Times(Apply("log", 0, a), Power(a, X), Immediate(X, X)),
     Times(Power(a, X), Immediate(X, X))),
    ("general power", Power(X, X),
     Plus(Times(X, Power(X, Plus(X, MINUS)), Immediate(X, X)), Times(Apply("log", 0, X), Power(X, X), Immediate(X, X))),
     Times(Apply("log", 0, X), Power(X, X), Immediate(X, X))),
    ("chain", Apply("tanh", 0, X), Times(Plus(ONE, Times(MINUS, Power(Apply("tanh", 0, X), TWO))), Immediate(X, X)),
     Times(Plus(ONE, Power(Apply("tanh", 0, X), TWO)), Immediate(X, X))),
    ("chain", Apply("g", 1, X), Times(Apply("g", 2, X), Immediate(X, X)), Times(Apply("g", 1, X), Immediate(X, X))),
    ("choice", Choice("<", X, a, X, b), Choice("<", X, a, Immediate(X, X), Immediate(b, X)),
     Choice("<", X, a, Immediate(b, X), Immediate(X, X))),
    ("extreme", Extreme("maximum", X, a),
     Times(HALF, Plus(ONE, Apply("sign", 0, Plus(X, Times(MINUS, a)))), Immediate(X, X)),
     Times(HALF, Plus(ONE, Apply("sign", 0, Plus(a, Times(MINUS, X)))), Immediate(X, X))),
    ("extreme", Extreme("minimum", a, X),
     Times(HALF, Plus(ONE, Apply("sign", 0, Plus(a, Times(MINUS, X)))), Immediate(X, X)), Immediate(X, X)),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "of", "after", "wrong"), CALCULUS)
def test_a_rule_of_calculus(rule: str, of: Any, after: Any, wrong: Any) -> None:
    kernel.check(*one_step(rule, Immediate(of, X), after))
    for other in (wrong, doubled(after), Times(Entry(v, l), after)):
        refused(one_step(rule, Immediate(of, X), other))


MATRIX = Tensor("det(A)"), Tensor("logdet(A)"), Tensor("inv(A)", n, n)
ALONG = Tensor("logsumexp(A, 1)", n), Tensor("softmax(A, 1)", n, n), Tensor("prod(A, 1)", n), Tensor("others", n, n)
BUT_TWO, BUT_THREE = Tensor("all but two", n, n, n), Tensor("all but three", n, n, n, n)
BUT_TWO_OF_ALL = Tensor("all but two of all", n, n, n, n)
WHOLE = Context(
    table(
        *(Definition(t, kind=t.name.partition("(")[0], arguments=(A,)) for t in MATRIX),
        *(Definition(t, kind=t.name.partition("(")[0], arguments=(A,), axes=(1,)) for t in ALONG[:3]),
        *(Definition(t, kind="prodexcept", arguments=(A,), axes=(1,)) for t in (ALONG[3], BUT_TWO, BUT_THREE)),
        Definition(BUT_TWO_OF_ALL, kind="prodexcept", arguments=(A,), axes=(0, 1)),
    )
)
TARGET = Entry(A, k, l)
SLOPE = Immediate(Entry(A, i, j), TARGET)
ROW = Immediate(Entry(A, k, j), TARGET)
ARRAYS: list[tuple[str, Any, Any, Any]] = [
    ("determinant", Entry(MATRIX[0]), Sum(Times(Entry(MATRIX[0]), Entry(MATRIX[2], j, i), SLOPE), i, j),
     Sum(Times(Entry(MATRIX[0]), Entry(MATRIX[2], i, j), SLOPE), i, j)),
    ("log determinant", Entry(MATRIX[1]), Sum(Times(Entry(MATRIX[2], j, i), SLOPE), i, j),
     Sum(Times(Entry(MATRIX[2], i, j), SLOPE), i, j)),
    ("log sum exp", Entry(ALONG[0], k), Sum(Times(Entry(ALONG[1], k, j), ROW), j),
     Sum(Times(Entry(ALONG[1], j, k), ROW), j)),
    ("product of entries", Entry(ALONG[2], k), Sum(Times(Entry(ALONG[3], k, j), ROW), j),
     Sum(Times(Entry(ALONG[1], k, j), ROW), j)),
    ("product of other entries", Entry(ALONG[3], k, q), Sum(Times(Entry(BUT_TWO, k, q, j), ROW), j),
     Sum(Times(Entry(BUT_TWO, k, j, j), ROW), j)),
    ("product of other entries", Entry(BUT_TWO, k, q, i), Sum(Times(Entry(BUT_THREE, k, q, i, j), ROW), j),
     Sum(Times(Entry(BUT_TWO_OF_ALL, k, q, i, j), ROW), j)),
    ("product of other entries", Entry(BUT_TWO, k, q, i), Sum(Times(Entry(BUT_THREE, k, q, i, j), ROW), j),
     Sum(Times(Entry(BUT_TWO, k, q, j), ROW), j)),
    ("softmax", Entry(ALONG[1], k, q),
     Sum(Times(Entry(ALONG[1], k, q), Plus(Delta(q, j), Times(MINUS, Entry(ALONG[1], k, j))), ROW), j),
     Sum(Times(Entry(ALONG[1], k, q), Plus(Delta(k, j), Times(MINUS, Entry(ALONG[1], k, j))), ROW), j)),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "of", "after", "wrong"), ARRAYS)
def test_a_function_of_a_whole_array(rule: str, of: Any, after: Any, wrong: Any) -> None:
    def proof(result: Any) -> Proof:
        before = Immediate(of, TARGET)
        return (Argument("one", before, (Step(rule, (), {}, before, result),), result),), WHOLE

    kernel.check(*proof(after))
    for other in (wrong, doubled(after), ZERO):
        refused(proof(other))
    constant = chain("one", Immediate(of, TARGET), ("constant", (), ZERO))
    refused(((constant,), WHOLE), "stands in what")


NUMERIC: dict[str, Callable[[float], float]] = {
    "exp": math.exp, "log": math.log, "log1p": math.log1p, "expm1": math.expm1, "sin": math.sin, "cos": math.cos,
    "tan": math.tan, "arcsin": math.asin, "arccos": math.acos, "arctan": math.atan, "sinh": math.sinh,
    "cosh": math.cosh, "tanh": math.tanh, "sigmoid": lambda t: 1 / (1 + math.exp(-t)),
    "softplus": lambda t: math.log(1 + math.exp(t)), "abs": abs, "sign": lambda t: (t > 0) - (t < 0),
    "relu": lambda t: max(t, 0.0),
}  # fmt: skip


def value(expr: Any, at_t: float) -> float:
    match expr:
        case Entry():
            return at_t
        case Times():
            return math.prod(value(e, at_t) for e in expr.args)
        case Plus():
            return sum(value(e, at_t) for e in expr.args)
        case Power():
            return float(value(expr.base, at_t) ** value(expr.exponent, at_t))
        case Apply():
            return NUMERIC[expr.name](value(expr.arg, at_t))
        case Choice():
            left, right, yes, no = expr.parts
            return value(yes if value(left, at_t) > value(right, at_t) else no, at_t)
    return float(expr)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_kernel_reads_the_table_rightly(name: str) -> None:
    slope = formula(name, a, Apply(name, 0, a))
    for t in FUNCTIONS[name].samples:
        found = (NUMERIC[name](t + 1e-6) - NUMERIC[name](t - 1e-6)) / 2e-6
        assert value(slope, t) == pytest.approx(found, rel=1e-6, abs=1e-6)


# ---------------------------------------------------------------- good form

ROWS = Tensor("R", n, m)
BAD_FORM = [
    (Entry(ROWS, i, j), "another range"),
    (Entry(u, i, j), "number of indices"),
    (Delta(i, Index("j", m)), "different ranges"),
    (Sum(Entry(u, i), i, i), "binds an index twice"),
    (Sum(Sum(Entry(u, i), i), i), "index of an outer one"),
    (Plus(Entry(u, i), Sum(Entry(v, i), i)), "both free and bound"),
    (Plus(Entry(u, i), Entry(Tensor("w", m), Index("i", m))), "two ranges"),
    (Plus(Entry(u, i), Entry(Tensor("u", m), Index("j", m))), "different sizes"),
    (Sum(Entry(Tensor("w", m), Index("i", m)), i), "two ranges"),
    (Choice("==", a, b, a, b), "without relation"),
    (Extreme("median", a, b), "another kind"),
    (sympy.Symbol("t"), "neither a number nor a size"),
    (sympy.Float(1.5), "neither a number nor a size"),
    (sympy.nan, "neither a number nor a size"),
    (Times(a, i), "where a value is needed"),
    (Immediate(Derivative(a, X), X), "derivative of a derivative"),
]


@pytest.mark.parametrize(("expr", "reason"), BAD_FORM)
def test_bad_form_is_refused(expr: Any, reason: str) -> None:
    refused(((Argument("form", expr, (), expr),), Context()), reason)


BAD_DEFINITIONS = [
    (text(u, (i,), Entry(v, j)), "index that is not its own"),
    (text(u, (i,), Sum(Entry(v, i), i)), "binds one of its indices|both free and bound"),
    (text(A, (i, i), Entry(u, i)), "names an index twice"),
    (text(u, (Index("i", m),), ONE), "other ranges"),
    (text(u, (i,), Immediate(X, X)), "not carried out|not its own"),
    (Definition(A, kind="inv", arguments=(ROWS,)), "not square"),
    (Definition(u, kind="inv", arguments=(A,)), "sizes are not"),
    (Definition(u, kind="det", arguments=(A,)), "is a number"),
    (Definition(u, kind="softmax", arguments=(u,), axes=(1,)), "axes do not fit"),
    (Definition(u, kind="prodexcept", arguments=(A,), axes=(0,)), "of what it leaves out"),
    (Definition(Tensor("r", n, m, n), kind="prodexcept", arguments=(ROWS,), axes=(1,)), "of what it leaves out"),
    (Definition(Tensor("r", n, m, m), kind="prodexcept", arguments=(ROWS,), axes=(0, 1)), "of what it leaves out"),
    (Definition(u, kind="mystery", arguments=(u,)), "no known kind"),
]


@pytest.mark.parametrize(("definition", "reason"), BAD_DEFINITIONS)
def test_a_bad_definition_is_refused(definition: Definition, reason: str) -> None:
    refused(((), Context(definitions={definition.tensor.name: definition})), reason)


def test_definitions_run_in_no_circle() -> None:
    circle = table(text(u, (i,), Entry(v, i)), text(v, (i,), Entry(u, i)))
    refused(((), Context(circle)), "circle")
    refused(((), Context(chain=circle)), "circle")
    refused(((), Context({"u": circle["u"]}, {"u": circle["u"]})), "defined twice")
    refused(((), Context({"v": circle["u"]})), "its head is u")
    kernel.check((), Context({"u": text(u, (i,), Entry(u, i))}))


# ---------------------------------------------------------------- the ring normal form

N1, N2, N3 = (Tensor(f"N_{k}", n, n) for k in (1, 2, 3))
INVERSES = {name: Tensor(f"inv({name})", n, n) for name in ("A", "B", "S", "N_1", "N_2", "N_3", "Q")}
Q, P = Tensor("Q", n, n), Tensor("P")
DETS = {name: Tensor(f"det({name})") for name in ("A", "B", "N_1", "N_2")}
LOGS = {name: Tensor(f"logdet({name})") for name in ("A", "B", "N_1", "N_2")}
DEFINED = table(
    text(N1, (i, j), Sum(Times(Entry(A, i, q), Entry(B, q, j)), q)),
    text(N2, (i, j), Times(TWO, Entry(A, j, i))),
    text(N3, (i, j), Plus(Entry(A, i, j), Times(a, Delta(i, j)))),
    *(Definition(t, kind="inv", arguments=(Tensor(name, n, n),)) for name, t in INVERSES.items()),
    *(Definition(t, kind="det", arguments=(Tensor(name, n, n),)) for name, t in DETS.items()),
    *(Definition(t, kind="logdet", arguments=(Tensor(name, n, n),)) for name, t in LOGS.items()),
)
TRAITS = {"S": frozenset({"symmetric"}), "Q": frozenset({"orthogonal"}), "P": frozenset({"positive"})}


def product(*parts: Any) -> Any:
    """Return the matrix product at k, l of heads; a head in a tuple is transposed."""
    bound = [Index(f"b{s}", n) for s in range(len(parts) - 1)]
    ends = [k, *bound, l]
    entries = [
        Entry(p[0], ends[s + 1], ends[s]) if isinstance(p, tuple) else Entry(p, ends[s], ends[s + 1])
        for s, p in enumerate(parts)
    ]
    return Sum(Times(*entries), *bound) if bound else entries[0]


def inv(name: str) -> Any:
    return INVERSES[name]


LAWS_OF_THE_RING = [  # equal, and a third that differs
    (product(A, inv("A")), Delta(k, l), ONE),
    (product(inv("A"), A, B), Entry(B, k, l), Entry(B, l, k)),
    (product(inv("N_1")), product(inv("B"), inv("A")), product(inv("A"), inv("B"))),
    (Entry(inv("N_2"), k, l), Times(HALF, Entry(inv("A"), l, k)), Times(HALF, Entry(inv("A"), k, l))),
    (product(inv("N_3"), A), Plus(Delta(k, l), Times(MINUS, a, Entry(inv("N_3"), k, l))), Delta(k, l)),
    (product(A, inv("N_3")), product(inv("N_3"), A), product(B, inv("N_3"))),
    (Entry(inv("S"), k, l), Entry(inv("S"), l, k), Entry(inv("A"), l, k)),
    (product((Q,), Q), Delta(k, l), product(Q, Q)),
    (product(Q, (Q,)), Delta(k, l), product((A,), A)),
    (Entry(inv("Q"), k, l), Entry(Q, l, k), Entry(Q, k, l)),
    (Entry(DETS["N_1"]), Times(Entry(DETS["B"]), Entry(DETS["A"])), Entry(DETS["A"])),
    (Entry(DETS["N_2"]), Times(Power(TWO, n), Entry(DETS["A"])), Times(TWO, Entry(DETS["A"]))),
    (Entry(LOGS["N_1"]), Plus(Entry(LOGS["A"]), Entry(LOGS["B"])), Times(Entry(LOGS["A"]), Entry(LOGS["B"]))),
    (Entry(LOGS["N_2"]), Plus(Times(n, Apply("log", 0, TWO)), Entry(LOGS["A"])), Entry(LOGS["A"])),
    (Times(Apply("sign", 0, a), a), Apply("abs", 0, a), a),
    (Power(Apply("abs", 0, a), TWO), Power(a, TWO), a),
    (Times(Apply("sign", 0, a), Apply("abs", 0, a)), a, ONE),
    (Power(Power(a, TWO), HALF), Apply("abs", 0, a), a),
    (Power(Power(Entry(P), TWO), HALF), Entry(P), a),
    (Apply("abs", 0, Plus(a, Times(MINUS, b))), Apply("abs", 0, Plus(b, Times(MINUS, a))), Apply("abs", 0, Plus(a, b))),
    (Times(Apply("exp", 0, a), Apply("exp", 0, Times(MINUS, a))), ONE, ZERO),
    (Power(Apply("exp", 0, a), HALF), Apply("exp", 0, Times(HALF, a)), Apply("exp", 0, a)),
    (Times(Power(a, b), Power(a, Times(MINUS, b))), ONE, a),
    (Times(a, Power(a, MINUS)), ONE, a),
    (Plus(Times(a, Power(Plus(a, b), MINUS)), Times(b, Power(Plus(a, b), MINUS))), ONE, TWO),
    (Extreme("maximum", a, b), Extreme("maximum", b, a), Extreme("minimum", a, b)),
    (Choice(">=", a, b, c, ZERO), Choice("<", a, b, ZERO, c), Choice("<=", a, b, ZERO, c)),
    (Choice(">", a, b, Times(c, a), ZERO), Times(a, Choice(">", a, b, c, ZERO)), Choice(">", a, b, a, c)),
    (Power(Sum(Entry(u, i), i), TWO), Sum(Times(Entry(u, i), Entry(u, j)), i, j), Sum(Power(Entry(u, i), TWO), i)),
    (Sum(Delta(i, j), i, j), n, Power(n, TWO)),
    (Times(Delta(k, l), Entry(u, k)), Times(Delta(l, k), Entry(u, l)), Entry(u, k)),
    (Times(Delta(k, l), Delta(l, q)), Times(Delta(q, k), Delta(k, l)), Delta(k, q)),
    (Times(Delta(k, l), Apply("exp", 0, Plus(Entry(u, k), Entry(u, l)))),
     Times(Delta(k, l), Power(Apply("exp", 0, Entry(u, l)), TWO)), Times(Delta(k, l), Apply("exp", 0, Entry(u, k)))),
    (Sum(Apply("sin", 0, Sum(Times(Entry(A, i, j), Entry(u, j)), j)), i),
     Sum(Apply("sin", 0, Sum(Times(Entry(u, q), Entry(A, r, q)), q)), r),
     Sum(Apply("sin", 0, Sum(Times(Entry(A, j, i), Entry(u, j)), j)), i)),
    (Sum(Times(Entry(A, i, j), Entry(A, j, q), Entry(A, q, i)), i, j, q),
     Sum(Times(Entry(A, q, i), Entry(A, i, j), Entry(A, j, q)), i, j, q),
     Sum(Times(Entry(A, i, j), Entry(A, j, q), Entry(A, i, q)), i, j, q)),
]  # fmt: skip


@pytest.mark.parametrize(("left", "right", "other"), LAWS_OF_THE_RING)
def test_a_law_of_the_ring(left: Any, right: Any, other: Any) -> None:
    ring = Ring(Facts(Context(DEFINED, traits=TRAITS)))
    assert ring.equal(left, right)
    assert not ring.equal(left, other)


VALUES = Tensor("y", n), Tensor("Z", n, n)
LAWS_OF_VALUES = [  # traits of y and of Z, equal, and what fails
    ({"y": "signs"}, Power(Entry(VALUES[0], k), TWO), ONE, ZERO),
    ({"y": "signs"}, Power(Entry(VALUES[0], k), MINUS), Entry(VALUES[0], k), ONE),
    ({"y": "binary"}, Power(Entry(VALUES[0], k), sympy.Integer(3)), Entry(VALUES[0], k), ONE),
    ({"y": "simplex"}, Sum(Entry(VALUES[0], i), i), ONE, n),
    ({"Z": "simplex_rows"}, Sum(Entry(VALUES[1], k, j), j), ONE, Sum(Entry(VALUES[1], j, k), j)),
    ({"Z": "one_hot_rows"}, Sum(Entry(VALUES[1], i, j), i, j), n, Sum(Entry(VALUES[1], i, i), i)),
    ({"Z": "one_hot_rows"}, Sum(Power(Entry(VALUES[1], k, j), TWO), j), ONE, Entry(VALUES[1], k, k)),
]


@pytest.mark.parametrize(("given", "left", "right", "other"), LAWS_OF_VALUES, ids=str)
def test_a_law_of_assumed_values(given: dict[str, str], left: Any, right: Any, other: Any) -> None:
    facts = Facts(Context(traits={name: frozenset({trait}) for name, trait in given.items()}))
    assert Ring(facts).equal(left, right)
    assert not Ring(facts).equal(left, other)
    assert not Ring(Facts(Context())).equal(left, right)
    assert not Ring(facts, withheld=frozenset(given)).equal(left, right)  # inside a derivative in it


def test_orthogonality_is_withheld_inside_a_derivative_in_it() -> None:
    facts = Facts(Context(DEFINED, traits=TRAITS))
    assert not Ring(facts, withheld=frozenset({"Q"})).equal(product((Q,), Q), Delta(k, l))
    assert not Ring(facts, withheld=frozenset({"Q"})).equal(Entry(inv("Q"), k, l), Entry(Q, l, k))


def fraction(above: Any, below: Any) -> Any:
    return Times(above, Power(below, MINUS))


E_A, E_MINUS = Apply("exp", 0, a), Apply("exp", 0, Times(MINUS, a))
BY_EXPONENTIALS = [  # equal by the definitions of the functions, and what fails
    (Apply("sigmoid", 0, a), fraction(E_A, Plus(ONE, E_A)), fraction(ONE, Plus(ONE, E_A))),
    (Apply("sigmoid", 0, Times(MINUS, a)), Plus(ONE, Times(MINUS, Apply("sigmoid", 0, a))), Apply("sigmoid", 0, a)),
    (Apply("tanh", 0, a), fraction(Apply("sinh", 0, a), Apply("cosh", 0, a)), Apply("tanh", 0, Times(MINUS, a))),
    (Apply("cosh", 0, a), Times(HALF, Plus(E_A, E_MINUS)), Apply("sinh", 0, a)),
    (Apply("exp", 0, Apply("softplus", 0, a)), Plus(ONE, E_A), E_A),
    (Apply("exp", 0, Times(TWO, Apply("log1p", 0, a))), Power(Plus(ONE, a), TWO), Plus(ONE, a)),
    (Apply("expm1", 0, a), Plus(E_A, MINUS), E_A),
    (Apply("exp", 0, Times(MINUS, Apply("log", 0, a))), Power(a, MINUS), a),
]


@pytest.mark.parametrize(("left", "right", "other"), BY_EXPONENTIALS, ids=str)
def test_functions_by_exponentials(left: Any, right: Any, other: Any) -> None:
    ring = Ring(Facts(Context()), by_exp=True)
    assert ring.equal(left, right)
    assert not ring.equal(left, other)


def test_a_softmax_by_exponentials() -> None:
    soft, log = Tensor("softmax(u)", n), Tensor("logsumexp(u)")
    kinds = table(
        Definition(soft, kind="softmax", arguments=(u,), axes=(0,)),
        Definition(log, kind="logsumexp", arguments=(u,), axes=(0,)),
    )
    ring = Ring(Facts(Context(kinds)), by_exp=True)
    value = Apply("exp", 0, Entry(u, k))
    total = Sum(Apply("exp", 0, Entry(u, j)), j)
    assert ring.equal(Entry(soft, k), fraction(value, total))
    assert ring.equal(Entry(soft, k), Apply("exp", 0, Plus(Entry(u, k), Times(MINUS, Entry(log)))))
    assert not ring.equal(Entry(soft, k), fraction(value, Plus(ONE, total)))
    assert Ring(Facts(Context(kinds))).equal(Sum(Entry(soft, j), j), ONE)
    assert not Ring(Facts(Context(kinds))).equal(Sum(Power(Entry(soft, j), TWO), j), ONE)


def test_an_index_with_one_value_is_any_other() -> None:
    one = sympy.Integer(1)
    s, t = Index("s", one), Index("t", one)
    row, point, inverse = Tensor("Y", one, n), Tensor("M", one, one), Tensor("inv(M)", one, one)
    whole = Tensor("det(M)")
    kinds = table(
        Definition(inverse, kind="inv", arguments=(point,)), Definition(whole, kind="det", arguments=(point,))
    )
    ring = Ring(Facts(Context(kinds)))
    assert ring.equal(Sum(Entry(row, s, k), s), Entry(row, t, k))
    assert ring.equal(Delta(s, t), ONE)
    assert ring.equal(Times(Entry(row, s, k), Entry(row, t, l)), Sum(Times(Entry(row, s, k), Entry(row, s, l)), s))
    assert ring.equal(Entry(inverse, s, t), Power(Entry(point, t, s), MINUS))
    assert ring.equal(Entry(whole), Entry(point, s, s))
    assert not ring.equal(Entry(row, s, k), Entry(row, s, l))
    assert not ring.equal(Entry(inverse, s, t), Entry(point, s, t))


def test_kronecker_products() -> None:
    """Over two pairs of axes: (A ⊗ B)⁻¹ = A⁻¹ ⊗ B⁻¹, det(A ⊗ B) = det(A)^m det(B)^n."""
    o, p = Index("o", m), Index("p", m)
    C, K = Tensor("C", m, m), Tensor("K", n, m, n, m)
    inverse_, det = Tensor("inv(K)", n, m, n, m), Tensor("det(K)")
    inv_c, det_c = Tensor("inv(C)", m, m), Tensor("det(C)")
    more = table(
        text(K, (i, o, j, p), Times(Entry(A, i, j), Entry(C, o, p))),
        Definition(inverse_, kind="inv", arguments=(K,)),
        Definition(det, kind="det", arguments=(K,)),
        Definition(inv_c, kind="inv", arguments=(C,)),
        Definition(det_c, kind="det", arguments=(C,)),
    )
    ring = Ring(Facts(Context({**DEFINED, **more})))
    assert ring.equal(Entry(inverse_, k, o, l, p), Times(Entry(inv("A"), k, l), Entry(inv_c, o, p)))
    assert not ring.equal(Entry(inverse_, k, o, l, p), Times(Entry(inv("A"), l, k), Entry(inv_c, o, p)))
    assert ring.equal(Entry(det), Times(Power(Entry(DETS["A"]), m), Power(Entry(det_c), n)))
    assert not ring.equal(Entry(det), Times(Power(Entry(DETS["A"]), n), Power(Entry(det_c), m)))


def test_products_that_leave_entries_out() -> None:
    """Entries are left out in any order, none twice; a transpose has the same products."""
    o, p, s, t = (Index(c, m) for c in "opst")
    R, C = Tensor("R", n, m), Tensor("C", m, n)
    rows, whole = Tensor("rows", n, m, m, m), Tensor("whole", n, m, n, m)
    columns, turned, two = Tensor("columns", m, n, m, m), Tensor("turned", m, n, m, n), Tensor("two", n, m, m)
    ring = Ring(Facts(Context(table(
        text(C, (o, i), Entry(R, i, o)),
        Definition(rows, kind="prodexcept", arguments=(R,), axes=(1,)),
        Definition(two, kind="prodexcept", arguments=(R,), axes=(1,)),
        Definition(columns, kind="prodexcept", arguments=(C,), axes=(0,)),
        Definition(whole, kind="prodexcept", arguments=(R,), axes=(0, 1)),
        Definition(turned, kind="prodexcept", arguments=(C,), axes=(0, 1)),
    ))))  # fmt: skip
    for order in ((o, p, s), (p, o, s), (s, p, o)):
        assert ring.equal(Entry(rows, i, o, p, s), Entry(rows, i, *order))
        assert ring.equal(Entry(rows, i, o, p, s), Entry(columns, order[0], i, *order[1:]))
    assert not ring.equal(Entry(rows, i, o, p, s), Entry(rows, j, o, p, s))
    assert not ring.equal(Entry(rows, i, o, p, s), Entry(rows, i, o, p, t))
    assert not ring.equal(Entry(rows, i, o, p, s), Entry(two, i, o, p))
    assert ring.equal(Entry(whole, i, o, j, p), Entry(whole, j, p, i, o))
    assert not ring.equal(Entry(whole, i, o, j, p), Entry(whole, j, o, i, p))
    assert ring.equal(Entry(whole, i, o, j, p), Entry(turned, p, j, o, i))
    assert not ring.equal(Entry(whole, i, o, j, p), Entry(turned, p, i, o, j))
    assert ring.equal(Entry(rows, i, o, p, o), ZERO)
    assert ring.equal(Times(Entry(two, i, o, p), Delta(o, p)), ZERO)
    assert ring.equal(Sum(Times(Entry(whole, i, o, j, p), Delta(o, p), Delta(i, j)), o), ZERO)
    assert not ring.equal(Sum(Times(Entry(whole, i, o, j, p), Delta(i, j)), o), ZERO)
    assert not ring.equal(Entry(two, i, o, p), ZERO)


def test_division_by_0_is_refused() -> None:
    ring = Ring(Facts(Context()))
    for expr in (Power(ZERO, MINUS), Power(Delta(k, l), MINUS), Power(Plus(a, Times(MINUS, a)), MINUS)):
        with pytest.raises(RefusedError):
            ring.poly(expr)


# ---------------------------------------------------------------- the house


def test_the_kernel_stands_alone() -> None:
    """The kernel and its parts import the nodes, the errors and the table of functions, nothing else of the package."""
    folder = Path(kernel.__file__).parent
    waiting, seen = ["kernel"], set()
    while waiting:
        name = waiting.pop()
        if name in seen:
            continue
        seen.add(name)
        for node in ast.walk(ast.parse((folder / f"{name}.py").read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("symderiv"):
                module = node.module or ""
                if module == "symderiv.check":
                    waiting += [alias.name for alias in node.names]
                elif module.startswith("symderiv.check."):
                    waiting.append(module.rpartition(".")[2])
                elif module == "symderiv":
                    assert [alias.name for alias in node.names] == ["trees"]
                else:
                    assert module in ("symderiv.index.nodes", "symderiv.errors", "symderiv.functions")
    assert "ring" in seen


def test_the_rules_are_named() -> None:
    assert {"chain rule", "contract", "lemma", "read off"} <= set(kernel.rules())


@pytest.mark.parametrize(
    "node",
    [
        lambda e: Choice(Plus(e, ONE), e, e, e, e),
        lambda e: Extreme(TWO, e, e),
        lambda e: Apply(Plus(e, e), 0, e),
        lambda e: Apply("h", -1, e),
    ],
)
def test_a_node_made_of_other_parts_than_it_has_is_refused(node: Callable[[Any], Any]) -> None:
    expr = node(Entry(Tensor("x")))
    refused(((Argument("odd", expr, (), expr),), Context()))
