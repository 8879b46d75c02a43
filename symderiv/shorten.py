"""The last touch on a result: what a reader writes shorter, once no derivative of it will be taken.

* `inv(A) @ b` is `solve(A, b)`, where the system has one right side, or where nothing else is inverted;
* `where(abs(u) < c, u, c * sign(u))` is `minimum(maximum(u, -c), c)` for a number c > 0: equal everywhere,
  but with other slopes at ±c, so it must not be read before the last derivative;
* `(1 + sign(u - a)) (1 + sign(b - maximum(u, a)))`, and `(1 + sign(b - u)) (1 + sign(minimum(u, b) - a))`, are
  `2 (sign(u - a) + sign(b - u))` for numbers a < b, the slope of a clip: all are 0 outside, 4 inside, 2 at either end.
"""

from __future__ import annotations

from fractions import Fraction
from functools import reduce

from symderiv.columns import transposed
from symderiv.lower import lower
from symderiv.operands import assembled, number
from symderiv.tensor.expr import Expr, walk
from symderiv.tensor.operations import apply


def shortened(expr: Expr, clipped: bool = True) -> Expr:
    """Return an expression of the same value, the shorter forms put in; a proof ends without the `clipped` ones.

    >>> from symderiv.tensor.parse import parse, scope_of
    >>> from symderiv.tensor.text import to_text
    >>> scope = scope_of({"A": ("n", "n"), "B": ("n", "n"), "b": ("n",)})
    >>> for text in ("b @ inv(A) @ b", "inv(A).T @ B", "inv(A) @ B @ inv(A)"):
    ...     print(to_text(shortened(parse(text, scope))))
    b @ solve(A, b)
    solve(A.T, B)
    inv(A) @ B @ inv(A)
    """
    inner = {a for e in walk(expr) if _is_product(e) for a in e.args if _is_product(a)}
    new: dict[Expr, Expr] = {}
    for e in walk(expr):
        args = tuple(new[a] for a in e.args)
        own = e.with_args(args)
        if own.op == "where" and clipped:
            own = _clipped(own)
        elif own.op == "mul" and clipped:
            own = _slope_of_a_clip(own)
        elif _is_product(own) and (e not in inner or e is expr):
            own = _solved(own)
        new[e] = own
    return new[expr]


def _is_product(expr: Expr) -> bool:
    return expr.op == "matmul" and all(0 < a.rank <= 2 for a in expr.args)


def _factors(expr: Expr) -> list[Expr]:
    """Return the factors of a matrix product from left to right."""
    return [f for a in expr.args for f in _factors(a)] if _is_product(expr) else [expr]


def _solved(expr: Expr) -> Expr:
    *front, last = _factors(expr)
    if any(f.rank == 1 for f in front[1:]):  # a product of numbers, not a chain
        return expr
    systems = [f for f in front if _system(f) is not None]
    if not systems:
        return expr
    if last.rank == 1:
        return reduce(lambda value, f: _applied(f, value), reversed(front), last)
    return _applied(front[0], last) if len(front) == 1 and _system(last) is None else expr


def _applied(matrix: Expr, to: Expr) -> Expr:
    system = _system(matrix)
    return apply("matmul", matrix, to) if system is None else apply("solve", system, to)


def _system(expr: Expr) -> Expr | None:
    """Return A where the expression is A⁻¹."""
    if expr.op == "inv":
        return expr.args[0]
    if expr.op == "transpose" and not expr.data and expr.args[0].op == "inv":
        return transposed(expr.args[0].args[0])
    return None


def _clipped(expr: Expr) -> Expr:
    size, bound, inside, outside = expr.args
    if expr.data[0] not in ("<", "<=") or size.op != "map" or size.data[0] != "abs" or bound.op != "number":
        return expr
    limit: Fraction = bound.data[0]
    if limit <= 0 or inside is not size.args[0] or outside is not _signed(limit, inside):
        return expr
    return apply("minimum", apply("maximum", inside, number(-limit)), number(limit))


def _signed(limit: Fraction, of: Expr) -> Expr:
    sign = apply("map", of, data=("sign", 0))
    return sign if limit == 1 else apply("mul", number(limit), sign)


def _slope_of_a_clip(expr: Expr) -> Expr:
    factors = _entrywise_factors(expr)
    steps = {k: e for k, f in enumerate(factors) if (e := _step(f)) is not None}
    for k, outer in steps.items():
        found = _clip(outer)
        if found is None:
            continue
        above, below, inner = found
        place = next((m for m, e in steps.items() if lower(e).node is lower(inner).node), None)
        if place is None:
            continue
        signs = apply("add", *(apply("map", lead, data=("sign", 0)) for lead in (above, below)))
        rest = [f for m, f in enumerate(factors) if m not in (k, place)]
        coef = Fraction(2)
        while rest and rest[0].op == "number":
            coef *= rest.pop(0).data[0]
        return assembled(coef, [], [], [*rest, signs])
    return expr


def _entrywise_factors(expr: Expr) -> list[Expr]:
    return [f for a in expr.args for f in _entrywise_factors(a)] if expr.op == "mul" else [expr]


def _step(expr: Expr) -> Expr | None:
    """Return e where the expression is `1 + sign(e)`."""
    if expr.op != "add" or expr.args[0].op != "number" or expr.args[0].data[0] != 1:
        return None
    sign = expr.args[1]
    return sign.args[0] if sign.op == "map" and sign.data[0] == "sign" else None


def _clip(expr: Expr) -> tuple[Expr, Expr, Expr] | None:
    """Return (u - a, b - u, the one of them that is to be found) for `b - maximum(u, a)` or `minimum(u, b) - a`."""
    if expr.op not in ("sub", "add") or {a.op for a in expr.args} not in ({"number", "maximum"}, {"number", "minimum"}):
        return None
    bend, outer = sorted(expr.args, key=lambda a: a.op == "number")
    u, near = bend.args
    if near.op != "number":
        return None
    low, high = near, outer
    if bend.op == "minimum":
        low, high = (number(-outer.data[0]) if expr.op == "add" else outer), near
    signs_fit = expr.op == "add" or (expr.args[0] is bend)
    if signs_fit != (bend.op == "minimum") or low.data[0] >= high.data[0]:
        return None
    above, below = _difference(u, low), _difference(high, u)
    return above, below, above if bend.op == "maximum" else below


def _difference(left: Expr, right: Expr) -> Expr:
    if right.op == "number" and right.data[0] == 0:
        return left
    if right.op == "number" and right.data[0] < 0:
        return apply("add", left, number(-right.data[0]))
    return apply("sub", left, right)
