"""Which arrays have no negative entry, whatever the numbers in them, in floating point too."""

from __future__ import annotations

from collections.abc import Callable

from symderiv.tensor.expr import Expr, inductive

POSITIVE_TRAITS = frozenset({
    "positive", "open_unit", "probability", "binary", "counts", "simplex", "simplex_rows", "one_hot_rows",
})  # fmt: skip
POSITIVE_FUNCTIONS = frozenset({"exp", "sigmoid", "abs", "relu", "softplus", "cosh"})
CLOSED = frozenset({
    "mul", "div", "add", "matmul", "inner", "outer", "sum", "mean", "prod", "newaxis", "transpose", "diag", "trace",
    "einsum", "maximum", "minimum", "sqrt", "reshape", "vec", "kron", "vdot",
})  # fmt: skip


def is_nonnegative(expr: Expr) -> bool:
    """Tell whether no entry of an array can be negative.

    >>> from symderiv.tensor.parse import parse, scope_of
    >>> scope = scope_of({"t": ("n",), "y": ("n",)})
    >>> [
    ...     is_nonnegative(parse(text, scope))
    ...     for text in ("y**2 * sigmoid(t) * sigmoid(-t)", "t * y")
    ... ]
    [True, False]
    """
    return _is_nonnegative(expr)


@inductive
def _is_nonnegative(expr: Expr, known: Callable[[Expr], bool]) -> bool:
    match expr.op:
        case "number":
            return bool(expr.data[0] >= 0)
        case "size" | "softmax" | "ones" | "zeros" | "eye" | "norm":
            return True
        case "var":
            return bool(expr.data[1] & POSITIVE_TRAITS)
        case "defined":
            return known(expr.args[0])
        case "map":
            return expr.data[0] in POSITIVE_FUNCTIONS
        case "power":
            (exponent,) = expr.data
            even = exponent.denominator == 1 and exponent.numerator % 2 == 0
            return even or known(expr.args[0])
        case "mul" if expr.args[0] is expr.args[1]:
            return True
        case "sub":
            return _bounded_by_one(expr)
        case "where":
            return all(map(known, expr.args[2:]))
        case "maximum":
            return any(map(known, expr.args))
    return expr.op in CLOSED and all(map(known, expr.args))


def _bounded_by_one(expr: Expr) -> bool:
    """Tell `1 - v` where v is at most 1: tanh squared, a sigmoid, a probability."""
    one, value = expr.args
    if one.op != "number" or one.data[0] < 1:
        return False
    while value.op in ("newaxis", "transpose") or (value.op == "power" and value.data[0] > 0):
        value = value.args[0]
    if value.op == "map":
        return value.data[0] in ("tanh", "sigmoid", "sin", "cos")
    return value.op == "softmax"
