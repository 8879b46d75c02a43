"""The productions of expressions inside a domain: positive, between −1 and 1, or a regular matrix."""

from __future__ import annotations

from fractions import Fraction

from symderiv.tensor.expr import Axes, Expr
from symderiv.tensor.operations import apply
from symderiv.testing.grammar import Grammar, Production
from symderiv.testing.productions import (
    PRODUCTIONS,
    each,
    everywhere,
    function,
    plus,
    production,
    rank,
    softmax,
    square,
    times,
)

# ---------------------------------------------------------------- regular


@production(square, "regular")
def any_square(g: Grammar, axes: Axes, depth: int) -> Expr:
    """A matrix of which nothing is known: it is regular almost everywhere, unless built to be singular."""
    return g.expression(axes, depth)


@production(lambda axes: square(axes) and len(axes[0]) == 1, "regular", weight=3)
def shifted(g: Grammar, axes: Axes, depth: int) -> Expr:
    """`3 * eye(n) + tanh(A)` and the like."""
    eye = apply("eye", data=(axes[0][0],))
    small = function(g.pick(["tanh", "sin", "sigmoid"]), g.expression(axes, depth))
    return apply("add", times(g.pick([3, 4]), eye), small)


@production(lambda axes: square(axes) and len(axes[0]) == 1, "regular")
def gram(g: Grammar, axes: Axes, depth: int) -> Expr:
    """`A @ A.T + eye(n)`."""
    a = g.expression((axes[0], g.axis(composed=False)), depth)
    return apply("add", apply("matmul", a, apply("transpose", a)), apply("eye", data=(axes[0][0],)))


@production(square, "regular")
def inverse_of_regular(g: Grammar, axes: Axes, depth: int) -> Expr:
    """An inverse, or a transpose."""
    return apply(g.pick(["transpose", "inv"]), g.expression(axes, depth, "regular"))


@production(square, "regular")
def product_of_regular(g: Grammar, axes: Axes, depth: int) -> Expr:
    """A product of two."""
    return apply("matmul", g.expression(axes, depth, "regular"), g.expression(axes, depth, "regular"))


# ---------------------------------------------------------------- positive


@production(everywhere, "positive", weight=3)
def positive_function(g: Grammar, axes: Axes, depth: int) -> Expr:
    """A function with positive values."""
    return function(g.pick(["exp", "sigmoid", "softplus", "cosh"]), g.expression(axes, depth))


@production(everywhere, "positive", weight=3)
def one_and_a_square(g: Grammar, axes: Axes, depth: int) -> Expr:
    """`1 + e**2` or `1 + abs(e)`."""
    e = g.expression(axes, depth)
    return plus(g.pick([1, 2]), function("abs", e) if g.one_in(4) else apply("power", e, data=(Fraction(2),)))


@production(everywhere, "positive")
def above_its_bound(g: Grammar, axes: Axes, depth: int) -> Expr:
    """A bounded function above its bound."""
    return plus(2, function(g.pick(["sin", "tanh", "cos"]), g.expression(axes, depth)))


@production(everywhere, "positive", weight=2)
def positive_pair(g: Grammar, axes: Axes, depth: int) -> Expr:
    """A sum, product, quotient or maximum of two."""
    return apply(g.pick(["add", "mul", "div", "maximum", "minimum"]), *each(g, axes, 2, depth, "positive"))


@production(everywhere, "positive")
def positive_root(g: Grammar, axes: Axes, depth: int) -> Expr:
    """A square root."""
    return apply("sqrt", g.expression(axes, depth, "positive"))


@production(rank(0, 1, 2), "positive")
def positive_sum(g: Grammar, axes: Axes, depth: int) -> Expr:
    """A sum of what is positive."""
    return apply("sum", g.expression((*axes, g.axis()), depth, "positive"), data=(len(axes),))


@production(lambda axes: len(axes) > 0, "positive")
def positive_softmax(g: Grammar, axes: Axes, depth: int) -> Expr:
    """A softmax."""
    return softmax(g, axes, depth)


# ---------------------------------------------------------------- between −1 and 1


@production(everywhere, "unit", weight=3)
def bounded(g: Grammar, axes: Axes, depth: int) -> Expr:
    """A bounded function."""
    factor = Fraction(g.pick(["1/2", "3/4", "-1/2"]))
    return times(factor, function(g.pick(["tanh", "sin", "sigmoid"]), g.expression(axes, depth)))


@production(everywhere, "unit")
def bounded_product(g: Grammar, axes: Axes, depth: int) -> Expr:
    """A product of two."""
    return apply("mul", *each(g, axes, 2, depth, "unit"))


@production(everywhere, "unit")
def bounded_quotient(g: Grammar, axes: Axes, depth: int) -> Expr:
    """`e / sqrt(1 + e**2)`."""
    e = g.expression(axes, depth)
    return apply("div", e, apply("sqrt", plus(1, apply("power", e, data=(Fraction(2),)))))


EVERY_PRODUCTION: tuple[Production, ...] = tuple(PRODUCTIONS)
