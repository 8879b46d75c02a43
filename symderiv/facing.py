"""Differences whose sign does not matter, turned as they stand in what the user wrote.

The normal form knows one of `x - y` and `y - x`; under a norm, an even power or `abs` either may be
shown, as the normal form is the same, and a reader looks for the one that is there in the function.
"""

from __future__ import annotations

from fractions import Fraction

from symderiv.index import normal
from symderiv.index.graph import Node
from symderiv.lower import lower
from symderiv.tensor.expr import Expr, walk, written_out
from symderiv.tensor.operations import apply

SUMS = ("add", "sub")


def facing(expr: Expr, like: Expr) -> Expr:
    """Return an expression of the same value, the differences under even functions as they stand in `like`.

    >>> from symderiv.tensor.parse import parse, scope_of
    >>> from symderiv.tensor.text import to_text
    >>> scope = scope_of({"x": ("n",), "y": ("n",)})
    >>> to_text(facing(parse("(y - x) / norm(y - x)", scope), parse("norm(x - y)", scope)))
    '(y - x) / norm(x - y)'
    """
    given = {lower(e).node for e in walk(written_out(like)) if e.op in SUMS}
    new: dict[Expr, Expr] = {}
    for e in walk(expr):
        own = e.with_args(tuple(new[a] for a in e.args))
        if _is_even(own) and own.args[0].op == "sub" and _stands_turned(own.args[0], given):
            left, right = own.args[0].args
            own = own.with_args((apply("sub", right, left),))
        new[e] = own
    return new[expr]


def _is_even(expr: Expr) -> bool:
    if expr.op == "power":
        return bool(expr.data[0] % 2 == 0)
    return expr.op == "norm" or (expr.op == "map" and expr.data[0] == "abs")


def _stands_turned(difference: Expr, given: set[Node]) -> bool:
    if difference.args[0].op in SUMS:  # r - (p + q) reads worse than p + q - r
        return False
    node = lower(difference).node
    return node not in given and normal.scaled(Fraction(-1), node) in given
