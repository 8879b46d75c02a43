"""Laws for what a claim brings along: names of derivatives, claims proved before, and its right side.

A cited claim is a hypothesis here: whoever calls the kernel must have had it checked (a sheet keeps as
lemmas only claims whose proofs the kernel accepted, under the same definitions).
"""

from __future__ import annotations

from typing import Any

from symderiv.check.laws import Case, derivative_of, expect, law
from symderiv.check.terms import ZERO, factors, fresh, product_of, require, sum_of, summed, with_indices
from symderiv.index.nodes import Choice, Definition, Delta, Derivative, Entry, Immediate, Index


@law("name")
def name(before: Any, after: Any, case: Case) -> None:
    """`∂f[F]/∂x[k]` is `B[F, k]` where B was defined as ∂f/∂x."""
    require(type(before) is Derivative and isinstance(before.of, Entry), "only a total derivative has a name")
    require(isinstance(after, Entry), "the result is no entry")
    definition = case.facts.named("derivative", after.tensor)
    require(definition is not None, f"{after.tensor.name} names no derivative")
    assert definition is not None
    require(definition.arguments == (before.of.tensor, before.entry.tensor), f"{after.tensor.name} names another derivative")
    expect(after, Entry(definition.tensor, *before.of.indices, *before.entry.indices))


@law("cite")
def cite(before: Any, after: Any, case: Case) -> None:
    """What a claim says of `∂P/∂x` holds of P's own text where nothing else in that text depends on x."""
    require(isinstance(before, Immediate) and case.own_texts, "only the derivative of a definition's own text is cited")
    label = case.named("label")
    require(label in case.facts.lemmas, f"no claim {label} is at hand")
    claim = case.facts.lemmas[label]
    left = claim.left
    require(type(left) is Derivative and isinstance(before.of, Entry), "the claim is about no derivative")
    same = left.of.tensor == before.of.tensor and left.entry.tensor == before.entry.tensor
    require(same, "the claim is about another derivative")
    p, x = before.of.tensor.name, before.entry.tensor.name
    require(p in case.facts.chain, f"{p} is no definition")
    others = [q for q in case.facts.mentions(p) if q in case.facts.chain and q != p]
    for q in others:
        require(all(x not in case.facts.mentions(r) for r in case.facts.below(q)), f"{p} depends on {x} through {q} too")
    own = (*left.of.indices, *left.entry.indices)
    require(len(set(own)) == len(own), "the claim holds for coinciding indices only")
    now = (*before.of.indices, *before.entry.indices)
    change: dict[Index, Index] = dict(zip(own, now, strict=True))
    expect(after, with_indices(claim.right, change))


@law("rearrange")
def rearrange(before: Any, after: Any, case: Case) -> None:
    """Two writings of one value: equal in ring normal form, definitions looked through."""
    require(not case.inside_derivative(), "inside a derivative only its own laws are used")
    require(case.equal(before, after), "the two sides are not one value")


@law("common delta")
def common_delta(before: Any, after: Any, case: Case) -> None:
    """A choice between `δ f` and `δ g` is δ times the choice between f and g; `0 = δ · 0`."""
    require(isinstance(before, Choice), "the rule is about a choice")
    parts = list(factors(after))
    deltas = [f for f in parts if isinstance(f, Delta)]
    rest = [f for f in parts if not isinstance(f, Delta)]
    require(deltas and len(rest) == 1 and isinstance(rest[0], Choice), "the result is not δ times a choice")
    new = rest[0]
    require(new.relation == before.relation and new.parts[:2] == before.parts[:2], "the condition is another")
    for old, inner in zip(before.parts[2:], new.parts[2:], strict=True):
        if old == ZERO:
            require(inner == ZERO, "a branch that was 0 is not")
        else:
            require(case.equal(old, product_of([*deltas, inner])), "a branch is another")


@law("unknown function")
def unknown_function(before: Any, after: Any, case: Case) -> None:
    """`∂E(A)/∂x = Σ_A Σ_a (∂E/∂A[a]) ∂A[a]/∂x`: the chain rule for a smooth function of arrays."""
    before = derivative_of(before, Entry)
    definition = case.facts.named("unknown", before.of.tensor)
    require(definition is not None, f"{before.of.tensor.name} is no unknown function")
    assert definition is not None
    parts = []
    for slot, argument in enumerate(definition.arguments):
        if not case.facts.depends(Entry(argument), before.entry.tensor):
            continue
        slope = _slope(definition, slot, case)
        bound = [fresh(size) for size in argument.sizes]
        entry = Entry(slope.tensor, *before.of.indices, *bound)
        parts.append(summed(product_of([entry, Immediate(Entry(argument, *bound), before.entry)]), bound))
    require(parts, "no argument depends on the variable")
    expect(after, sum_of(parts))


def _slope(definition: Definition, slot: int, case: Case) -> Definition:
    order = tuple(sorted((*definition.axes, slot)))
    for other in case.facts.definitions.values():
        if other.kind == "unknown" and (other.function, other.arguments) == (definition.function, definition.arguments):
            own = (*definition.tensor.sizes, *definition.arguments[slot].sizes)
            if other.axes == order and other.tensor.sizes == own:
                return other
    require(False, f"no head stands for the derivative of {definition.tensor.name}")
    raise AssertionError
