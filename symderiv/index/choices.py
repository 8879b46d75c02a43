"""Choices in plain SymPy, so that its own evaluation leaves their values alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sympy

from symderiv.errors import UnsupportedError


def plain_choice(relation: str, left: Any, right: Any, yes: Any, no: Any) -> sympy.Expr:
    """Return `yes` where `left ⋈ right`, else `no`, in plain SymPy.

    SymPy takes a `Piecewise` inside a condition apart, and frees the bound indices of a sum around it; there a
    choice of two numbers is written as a step.

    >>> u, one, zero = sympy.Symbol("u"), sympy.Integer(1), sympy.Integer(0)
    >>> plain_choice(">", u, zero, one, zero)
    Piecewise((1, u > 0), (0, True))
    >>> plain_choice(">", u + plain_choice(">", u, zero, one, zero), zero, u, zero)
    Piecewise((u, u + Heaviside(u, 0) > 0), (0, True))
    """
    sides = [side.replace(lambda e: isinstance(e, sympy.Piecewise), _step) for side in (left, right)]
    kind = {"<": sympy.Lt, "<=": sympy.Le, ">": sympy.Gt, ">=": sympy.Ge}[relation]
    return sympy.Piecewise((yes, kind(*sides, evaluate=False)), (no, True), evaluate=False)


def plain_sum(body: sympy.Expr, limits: Sequence[tuple[Any, Any, Any]]) -> sympy.Expr:
    """Return a sum in plain SymPy; under it, choices inside another sum are steps.

    SymPy brings a `Piecewise` out of every sum below, and frees the index that the sum binds.
    """
    inner = {s: s.replace(lambda e: isinstance(e, sympy.Piecewise), _stepped) for s in body.atoms(sympy.Sum)}
    return sympy.Sum(body.xreplace(inner), *limits)


STEPS = {
    sympy.StrictGreaterThan: (1, 0), sympy.GreaterThan: (1, 1),
    sympy.StrictLessThan: (-1, 0), sympy.LessThan: (-1, 1),
}  # fmt: skip


def _step(choice: Any) -> sympy.Expr:
    """Return a choice of two numbers as a step."""
    if len(choice.args) == 2 and all(isinstance(value, sympy.Rational) for value, _ in choice.args):
        return _stepped(choice)
    raise UnsupportedError("SymPy has no choice inside the condition of a choice", hint="take the result as text")


def _stepped(choice: Any) -> sympy.Expr:
    """Return `no + (yes - no) [test]`, with the step in the place of the test."""
    *tests, (result, _) = choice.args
    for yes, test in reversed(tests):
        if type(test) not in STEPS:
            raise UnsupportedError(f"the condition {test} has no form as a step", hint="take the result as text")
        sign, at_zero = STEPS[type(test)]
        result += (yes - result) * sympy.Heaviside(sign * (test.lhs - test.rhs), at_zero)
    return result
