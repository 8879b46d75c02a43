"""`O(eps**k)` in a claim: left and right have the same Taylor coefficients in eps, at 0, below order k.

Both sides may be divided by powers of eps: with `left − right = N/epsᵐ` and N smooth, the claim says that
the derivatives `∂ⁿN/∂epsⁿ` are 0 at eps = 0 for n < k + m.  There eps is a definition, eps = 0, and a derivative in
eps is taken after it: each of these is a claim of the language, decided as any other.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from symderiv.errors import UnsupportedError
from symderiv.index.normal import is_zero as vanishes
from symderiv.lower import lower
from symderiv.statements.meaning import meaning
from symderiv.tensor.expr import Axes, Expr, defined, replaced, walk
from symderiv.tensor.operations import apply
from symderiv.tensor.parse import number
from symderiv.tensor.text import to_text

ADDITIVE = ("add", "sub", "neg")
MOST_COEFFICIENTS = 6


@dataclass(frozen=True)
class Expansion:
    """`left == right + O(eps**order)`, and N with `left − right = N/eps**divided`."""

    left: Expr
    right: Expr
    eps: Expr
    order: int
    divided: int
    numerator: Expr

    @property
    def count(self) -> int:
        """Return how many coefficients of N vanish."""
        return self.order + self.divided

    def at_zero(self, n: int) -> Expr:
        """Return the n-th derivative of N in eps, where eps is 0."""
        zero = defined(self.eps.name, number(0))
        function = replaced(self.numerator, {self.eps: zero})
        return Expr("diff", (function, *([zero] * n)), ("total",), function.axes) if n else function


def names_remainder(left: Expr, right: Expr) -> bool:
    """Tell whether a claim is about Taylor coefficients."""
    return any(e.op == "remainder" for e in walk(left, right))


def expansion(left: Expr, right: Expr) -> Expansion:
    """Return what a claim with `O(eps**k)` says."""
    found: list[Expr] = []
    a, b = (_without(side, found) for side in (left, right))
    if any(e.op == "remainder" for e in walk(a, b)):
        raise UnsupportedError("O(…) stands inside of an expression", hint="write it as a term of a side")
    (eps,) = {e.args[0] for e in found} if len({e.args[0] for e in found}) == 1 else (None,)
    if eps is None:
        raise UnsupportedError("one claim is about one small number", hint="write O(…) of one scalar")
    order = min(e.data[0] for e in found)
    numerator, divided = _over(apply("sub", a, b), eps)
    _check_smooth(numerator, eps)
    if order + divided > MOST_COEFFICIENTS:
        raise UnsupportedError(f"more than {MOST_COEFFICIENTS} Taylor coefficients")
    return Expansion(a, b, eps, order, divided, numerator)


def _without(side: Expr, found: list[Expr]) -> Expr:
    """Return a side without its terms O(…), which are put to those found."""
    if side.op == "remainder":
        found.append(side)
        return zeros(side.axes)
    if side.op not in ADDITIVE:
        return side
    before = len(found)
    args = [_without(a, found) for a in side.args]
    if len(found) == before:
        return side
    kept = [k for k, a in enumerate(args) if not is_zero(a)]
    if side.op == "neg" or len(kept) == 2:
        return apply(side.op, *args)
    if not kept:
        return zeros(side.axes)
    one = args[kept[0]]
    if one.axes != side.axes:
        return apply("add", zeros(side.axes), one)
    return apply("neg", one) if side.op == "sub" and kept == [1] else one


def zeros(axes: Axes) -> Expr:
    """Return an array of zeros."""
    return number(0) if not axes else Expr("zeros", (), (tuple(a[0] for a in axes),), axes)


def is_zero(expr: Expr) -> bool:
    """Tell the number 0 and arrays of zeros."""
    return expr.op == "zeros" or (expr.op == "number" and not expr.data[0])


def _over(expr: Expr, eps: Expr) -> tuple[Expr, int]:
    """Return N and m with `expr = N/epsᵐ`, where the denominators that hold eps are products with powers of it."""
    match expr.op:
        case "neg":
            inner, m = _over(expr.args[0], eps)
            return apply("neg", inner), m
        case "add" | "sub":
            (a, p), (b, q) = (_over(x, eps) for x in expr.args)
            m = max(p, q)
            return apply(expr.op, _scaled(a, eps, m - p), _scaled(b, eps, m - q)), m
        case "mul":
            (a, p), (b, q) = (_over(x, eps) for x in expr.args)
            return apply("mul", a, b), p + q
        case "div":
            a, p = _over(expr.args[0], eps)
            rest, q = _divisor(expr.args[1], eps)
            return (a if rest is None else apply("div", a, rest)), p + q
    return expr, 0


def _scaled(expr: Expr, eps: Expr, power: int) -> Expr:
    if not power:
        return expr
    return apply("mul", eps if power == 1 else apply("power", eps, data=(power,)), expr)


def _divisor(expr: Expr, eps: Expr) -> tuple[Expr | None, int]:
    """Return a divisor without its powers of eps, and how many there are."""
    if expr is eps:
        return None, 1
    if expr.op == "power" and expr.args[0] is eps and expr.data[0].denominator == 1:
        return None, int(expr.data[0])
    if expr.op == "mul":
        (a, p), (b, q) = (_divisor(x, eps) for x in expr.args)
        return (a if b is None else b if a is None else apply("mul", a, b)), p + q
    return expr, 0


KINKED = frozenset({"abs", "sign", "relu"})
BROKEN = frozenset({"where", "maximum", "minimum", "norm"})
NOT_AT_ZERO = {"div": 1, "inv": 0, "solve": 0, "logdet": 0, "det": 0, "sqrt": 0, "power": 0, "general_power": 0}


def _check_smooth(expr: Expr, eps: Expr) -> None:
    """Refuse what may have no Taylor coefficients in eps at 0: kinks, and roots and divisors that are 0."""
    moving = {e for e in walk(expr) if e is eps}
    for e in walk(expr):
        if any(a in moving for a in e.args):
            moving.add(e)
    for e in moving:
        kink = e.op in BROKEN or (e.op == "map" and e.data[0] in KINKED)
        if kink and any(a in moving for a in e.args):
            raise UnsupportedError(f"{to_text(e)} may have a kink at {eps.name} = 0", hint="write a smooth function")
        if _singular(e, eps, moving):
            raise UnsupportedError(
                f"{to_text(e)} is not defined at {eps.name} = 0, or has no derivative there",
                hint=f"write divisors as products with powers of {eps.name}",
            )


def _singular(e: Expr, eps: Expr, moving: set[Expr]) -> bool:
    """Tell a root, a logarithm, an inverse or a quotient of what is 0 where eps is 0."""
    place = NOT_AT_ZERO.get(e.op, 0 if e.op == "map" and e.data[0] == "log" else None)
    if place is None or e.args[place] not in moving or (e.op == "power" and _is_whole(e.data[0])):
        return False
    at_zero = lower(replaced(e.args[place], {eps: number(0)}), meaning()).node
    return vanishes(at_zero)


def _is_whole(exponent: Fraction) -> bool:
    return exponent.denominator == 1 and exponent >= 0
