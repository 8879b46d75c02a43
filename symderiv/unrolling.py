"""Claims about families at given lengths: every member written out, and then decided exactly.

What holds for T = 1, 2, 3 need not hold for all T: this refutes, and confirms proofs; it does not prove.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import islice

import sympy

from symderiv import dims, trees
from symderiv.check.outcome import Outcome
from symderiv.claims.conditions import Condition, conditions
from symderiv.claims.neglecting import coefficient
from symderiv.errors import SymderivError
from symderiv.families import Label, instances
from symderiv.statements.block import Given, Names, Statement
from symderiv.statements.worlds import Unrolled
from symderiv.tensor.expr import Expr
from symderiv.windows.opened import question_of

LENGTHS = (3, 1)
MOST_INSTANCES = 10

Decide = Callable[[Expr, Expr, Sequence[Given]], Outcome]


@dataclass(frozen=True)
class Instances:
    """What was found: `values` are those of the parameters and variables where the claim fails or has no answer."""

    outcome: Outcome
    values: dict[str, int]
    count: int


def parameters(statement: Statement, names: Names) -> list[Label]:
    """Return the integers that no range binds: the lengths of families."""
    ends = [end for r in statement.ranges for end in (r.low, r.high)]
    ends += [end for f in names.families.table.values() for c in f.cases for end in (c.low, c.high)]
    loops = {r.symbol for r in statement.ranges} | {
        dims.symbol(c.variable) for f in names.families.table.values() for c in f.cases if c.variable
    }
    found = {s for end in ends for s in end.free_symbols} - loops
    for expr in statement.exprs:
        stack = [expr]
        while stack:
            node = stack.pop()
            stack += node.args
            if node.op in ("range_sum", "range_prod"):
                variable, low, high, _ = node.data
                found |= (low.free_symbols | high.free_symbols) - loops - {dims.symbol(variable)}
    bound = {r.symbol for r in statement.ranges}
    return sorted((s for s in found if s not in bound and str(s) in names.scope.sizes), key=str)


def decide_instances(statement: Statement, names: Names, decide: Decide) -> Instances:
    """Decide a claim at some lengths, for all values of its variables there or the first and last of many.

    One instance where it fails refutes it; one without an answer leaves it undecided, the others being looked at.
    """
    given = parameters(statement, names)
    count, last = 0, Outcome("undecided", "the claim has no instance")
    unanswered: Instances | None = None
    for length in LENGTHS:
        for one in chosen(instances(statement.ranges, lengths(given, names, length))):
            at = {str(s): int(v) for s, v in one.items()}
            try:
                left, right = sides_at(statement, names, one)
                outcome = decide(left, right, given_at(statement, names, one))
            except SymderivError as err:
                outcome = Outcome("undecided", err.message)
            if outcome.status == "refuted":
                return Instances(outcome, at, count)
            if outcome.status == "proved":
                count, last = count + 1, outcome
            else:
                unanswered = unanswered or Instances(outcome, at, count)
        if not given:
            break
    return replace(unanswered, count=count) if unanswered is not None else Instances(last, {}, count)


def lengths(given: Sequence[Label], names: Names, length: int) -> dict[Label, Label]:
    """Return lengths of families, all different: the first is `length`, or more where an `assert` asks for more."""
    least = names.families.least
    return {s: sympy.Integer(least.get(str(s), 1) - 1 + length + k) for k, s in enumerate(given)}


def coefficient_at_an_instance(statement: Statement, names: Names) -> Fraction:
    """Return how often the term that a claim neglects stands in its left side, the families written out."""
    (neglected,) = statement.neglected
    one = instance(statement, names)
    if one is None:
        return Fraction(1)
    reader = Unrolled(names, one).reader()
    left, right = question_of(statement, names).read(reader)
    term = reader.read(trees.expression(neglected.text))
    return coefficient(term, left, right)


def open_conditions(statement: Statement, names: Names) -> tuple[Condition, ...]:
    """Return what the sides of a claim about families presuppose; nothing where an instance presupposes nothing.

    In an instance the definitions are known: where `y[n] = sigmoid(a[n])`, its logarithm exists.
    """
    found = conditions(*statement.exprs)
    one = instance(statement, names) if found else None
    try:
        return found if one is None or conditions(*sides_at(statement, names, one)) else ()
    except SymderivError:
        return found


def instance(statement: Statement, names: Names) -> dict[Label, Label] | None:
    """Return the last instance of a claim at some length."""
    least = names.families.least
    given = enumerate(parameters(statement, names))
    values = {s: sympy.Integer(max(least.get(str(s), 1), LENGTHS[0] + k)) for k, s in given}
    found = list(instances(statement.ranges, values))
    return found[-1] if found else None


def chosen(found: Sequence[dict[Label, Label]]) -> list[dict[Label, Label]]:
    """Return all instances, or some spread over all where there are many, the last ones among them."""
    if len(found) <= MOST_INSTANCES:
        return list(found)
    step = len(found) / MOST_INSTANCES
    return [found[len(found) - 1 - int(k * step)] for k in islice(range(MOST_INSTANCES), MOST_INSTANCES)]


def sides_at(statement: Statement, names: Names, values: dict[Label, Label]) -> tuple[Expr, Expr]:
    """Return the sides of a claim with all families written out."""
    return Unrolled(names, values).reader().sides(question_of(statement, names).test)


def given_at(statement: Statement, names: Names, values: dict[Label, Label]) -> list[Given]:
    """Return the hypotheses of a claim with all families written out."""
    reader = Unrolled(names, values).reader()
    return [reader.hypothesis(trees.expression(g.text)) for g in statement.given]
