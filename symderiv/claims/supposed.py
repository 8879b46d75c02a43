r"""Hypotheses: `with given(z[o] == 1): assert …`.

In a proof an equation that is given is put in after the last derivative: it holds at one point, and need not hold
beside it.  For a decision at random points it is solved for a variable where that is simple, so that the points
satisfy it:

    A = R                 A for a variable that R does not name            A ↦ R
    A[i,j] = R[i,j]       for all i and j                                  A ↦ R
    A[p,q] = r            at fixed subscripts p and q                      A ↦ A + (r − A[p,q]) e_p e_qᵀ

None of this is done in what a derivative is taken in.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import partial, reduce

from symderiv.claims.conditions import Condition
from symderiv.claims.endings import Continued, Ending, ended
from symderiv.claims.equalities import Equation, prove_equal
from symderiv.claims.first import Sides, over_all, ways
from symderiv.claims.lemmas import below_derivative
from symderiv.claims.neglecting import at_free, derivatives_in
from symderiv.claims.proving import Attempt, equations
from symderiv.index.graph import Node
from symderiv.index.nodes import Argument, Index, free_indices, places, replace_indices
from symderiv.index.rewriter import Rewriter
from symderiv.index.rules import rename_bound
from symderiv.index.written import alike
from symderiv.lift import lift
from symderiv.lower import index_ranges, lower
from symderiv.replay import Known, Replayed
from symderiv.statements.block import Given, Statement
from symderiv.statements.meaning import meaning, simplified
from symderiv.tensor.expr import Expr, replaced, walk
from symderiv.tensor.operations import apply

KINDS = {"!=": "nonzero", ">": "positive", ">=": "nonnegative"}


def given_conditions(given: Sequence[Given]) -> tuple[Condition, ...]:
    """Return hypotheses as conditions of a claim."""
    return tuple(_condition(g) for g in given)


def _condition(given: Given) -> Condition:
    zero = given.right.op == "number" and given.right.data[0] == 0
    if zero and given.relation in KINDS and not given.left.rank:
        return Condition(KINDS[given.relation], given.left)
    return Condition(given.relation, given.left, given.right)


# ---------------------------------------------------------------- proofs


def attempts_by_hypotheses(
    statement: Statement,
    both: Sides,
    fixed: Collection[str],
    taken: Sequence[str],
    known: Known,
    names: Mapping[Node, Expr],
) -> Iterator[Attempt]:
    """Yield what may be tried to prove a claim under equations; `names` are those for nodes."""
    left, right = (simplified(e) for e in statement.exprs)
    supposed = equations(statement.given)
    derivations = ways(left)
    if derivations:
        found = derived(left, right, both, supposed, names)
        ending = putting_in(supposed, right, fixed)
        for way in derivations:
            yield partial(ended, ending, way, left, found, taken, known)
    yield partial(prove_equal, left, right, taken, known, supposed, fixed)


def derived(left: Expr, right: Expr, both: Sides, hypotheses: Sequence[Equation], known: Mapping[Node, Expr]) -> Expr:
    """Return what the left side is without the hypotheses, over the derivatives that the claim names."""
    named = derivatives_in(left, right, *(side for _, *sides in hypotheses for side in sides))
    return at_free(lift(both.left, names={**known, **named}), both.free, left.axes)


def putting_in(hypotheses: Sequence[Equation], right: Expr, fixed: Collection[str]) -> Ending:
    """Return what leads a proof of what the left side is to the right one, by hypotheses."""

    def ending(proof: Replayed, left: Expr, found: Expr) -> Replayed:
        work = Continued(proof, left, found, right, *(side for _, *sides in hypotheses for side in sides))
        assumed = _assumed(hypotheses, work)
        before, expr = work.last.steps, work.last.right
        if before and before[-1].rule == "read off":
            before, expr = before[:-1], before[-1].before
        chain = Rewriter(expr, proof.context)
        for _ in assumed:
            for label, equation in assumed.items():
                _put_in(chain, label, equation, work, fixed)
        at_entries = any(e.op in ("entry", "delta", "sum_over") for e in walk(right))
        whole = bool(right.rank) and right.op not in ("var", "defined") and not at_entries
        goal = work.matrix(right) if whole else work.written(right)
        chain.replace(
            "read off" if whole else "rearrange", (), goal, {"name": "", "operation": right.op} if whole else {}
        )
        return work.replayed((*before, *chain.steps), goal, assumed=assumed, fixed=frozenset(fixed))

    return ending


def _assumed(hypotheses: Sequence[Equation], work: Continued) -> dict[str, Argument]:
    found: dict[str, Argument] = {}
    for label, *sides in hypotheses:
        order = [work.names.fresh(size) for axis in sides[0].axes for size in axis]
        one, other = (work.written(side, order) for side in sides)
        name = label if label not in found else f"{label} ({len(found) + 1})"
        found[name] = Argument(name, one, (), other)
    return found


def _put_in(chain: Rewriter, label: str, equation: Argument, work: Continued, fixed: Collection[str]) -> None:
    """Replace what a hypothesis speaks of, left to right, wherever it stands outside of derivatives."""
    free = free_indices(equation.left) | free_indices(equation.right)
    kept: dict[Index, Index] = {i: i for i in free if i.name in fixed}
    for place, part in reversed(list(places(chain.expr))):
        change = dict(kept)
        if not below_derivative(chain.expr, place) and alike(equation.left, part, change):
            new = rename_bound(equation.right, work.names)
            chain.replace("hypothesis", place, replace_indices(new, change), {"label": label})


# ---------------------------------------------------------------- points that satisfy hypotheses


def solved(
    left: Expr, right: Expr, given: Sequence[Given], fixed: Collection[str]
) -> tuple[Expr, Expr, set[str]] | None:
    """Return both sides where equations hold, and the variables that are solved for; None where none is solved for."""
    moved = {(x.args[0] if x.op == "entry" else x) for x in _differentiated(left, right)}
    names: set[str] = set()
    sides = [left, right]
    waiting = [(a, b) for _, a, b in equations(given)]
    while waiting:
        one, other = waiting.pop(0)
        change = _solution(one, other, fixed, moved) or _solution(other, one, fixed, moved)
        if change is None:
            return None
        names |= {x.name for x in change}
        sides = [replaced(s, change) for s in sides]
        waiting = [(replaced(a, change), replaced(b, change)) for a, b in waiting]
    return sides[0], sides[1], names


def _differentiated(*exprs: Expr) -> list[Expr]:
    """Return what derivatives are taken in."""
    found: list[Expr] = []
    for e in walk(*exprs):
        if e.op == "diff":
            found += e.args[1:]
        elif e.op == "directional":
            found += e.args[1::2]
    return found


def _solution(one: Expr, other: Expr, fixed: Collection[str], moved: Collection[Expr]) -> dict[Expr, Expr] | None:
    """Return what a variable is replaced by so that an equation holds; None where it is not one for a variable."""
    x = one.args[0] if one.op == "entry" else one
    if x.op != "var" or x.data[1] or x in moved or any(e is x or e in moved for e in walk(other)):
        return None
    if one.op != "entry":
        return {x: other} if not any(e.op in ("entry", "delta") for e in walk(other)) else None
    subscripts = one.data
    if None in subscripts or len(set(subscripts)) < len(subscripts):
        return None
    if all(n in fixed for n in subscripts):
        units = [Expr("entry", (apply("eye", data=(axis[0],)),), (n, None), (axis,))
                 for n, axis in zip(subscripts, x.axes, strict=True)]  # fmt: skip
        if len(units) > 2:
            return None
        return {
            x: apply("add", x, apply("mul", apply("sub", other, one), reduce(lambda a, b: apply("outer", a, b), units)))
        }
    if any(n in fixed for n in subscripts):
        return None
    ranges = index_ranges(one, other)
    array = lower(other, meaning(ranges), ranges)
    if not {*array.free} <= {*subscripts}:
        return None
    return {x: lift(over_all(array, tuple(subscripts), ranges))}
