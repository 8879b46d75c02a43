"""NumPy's entrywise functions (ufuncs, and those of `scipy.special`) as operations of the language.

Each row gives the function by the operations that the language has; what is missing here is refused.
Arguments are expressions.
"""

from __future__ import annotations

from collections.abc import Callable
from difflib import get_close_matches

from symderiv import dims
from symderiv.errors import UnsupportedError
from symderiv.functions import FUNCTIONS
from symderiv.tensor.conditions import Both, Not, Relation, Test, either, equal, where
from symderiv.tensor.expr import Expr
from symderiv.tensor.operations import apply, matmul
from symderiv.tensor.parse import negated, number, raised, size

Meaning = Callable[..., "Expr | Test"]

ONE, TWO = number(1), number(2)


def mapped(name: str) -> Callable[[Expr], Expr]:
    """Return a function of the table, applied entrywise."""
    return lambda x: apply("map", x, data=(name, 0))


def named(name: str) -> Callable[..., Expr]:
    """Return an operation of the language."""
    return lambda *args: apply(name, *args)


def compared(sign: str) -> Callable[[Expr, Expr], Test]:
    """Return a comparison."""
    return lambda a, b: Relation(sign, a, b)


log, softplus = mapped("log"), mapped("softplus")


def times(a: Expr, b: Expr) -> Expr:
    """Return `a * b`; the product of two sizes is a size."""
    if "size" in (a.op, b.op) and _counts(a) and _counts(b):
        return size(dims.product([_count(a), _count(b)]))
    return apply("mul", a, b)


def power(a: Expr, b: Expr) -> Expr:
    """Return `a**b`; the power of a size is a size."""
    if a.op == "size" and b.op == "number" and b.data[0] in range(1, 9):
        return size(a.data[0] ** int(b.data[0]))
    return raised(a, b)


def _counts(x: Expr) -> bool:
    return x.op == "size" or (x.op == "number" and x.data[0].denominator == 1 and x.data[0] > 0)


def _count(x: Expr) -> dims.Size:
    return x.data[0] if x.op == "size" else dims.size(int(x.data[0]))


def logaddexp(a: Expr, b: Expr) -> Expr:
    """Return `log(exp(a) + exp(b))`, as `b + softplus(a - b)`."""
    if a == number(0):
        return softplus(b)
    if b == number(0):
        return softplus(a)
    return apply("add", b, softplus(apply("sub", a, b)))


def xlogy(a: Expr, b: Expr) -> Expr:
    """Return `a * log(b)`, which is what `xlogy` is wherever b > 0."""
    return apply("mul", a, log(b))


def logit(a: Expr) -> Expr:
    """Return `log(a / (1 - a))`."""
    return log(apply("div", a, apply("sub", ONE, a)))


def heaviside(a: Expr, half: Expr) -> Expr:
    """Return 0 below 0, 1 above, and `half` at 0."""
    zero = number(0)
    return where(Relation("<", a, zero), zero, where(Relation(">", a, zero), ONE, half))


UFUNCS: dict[str, Meaning] = {
    **{name: mapped(name) for name in FUNCTIONS},
    "add": named("add"),
    "subtract": named("sub"),
    "multiply": times,
    "divide": named("div"),
    "true_divide": named("div"),
    "matmul": matmul,
    "power": power,
    "float_power": raised,
    "negative": negated,
    "positive": lambda a: a,
    "absolute": mapped("abs"),
    "fabs": mapped("abs"),
    "square": lambda a: power(a, TWO),
    "sqrt": named("sqrt"),
    "reciprocal": lambda a: apply("div", ONE, a),
    "exp2": lambda a: raised(TWO, a),
    "log2": lambda a: apply("div", log(a), log(TWO)),
    "log10": lambda a: apply("div", log(a), log(number(10))),
    "hypot": lambda a, b: apply("sqrt", apply("add", raised(a, TWO), raised(b, TWO))),
    "maximum": named("maximum"),
    "minimum": named("minimum"),
    "fmax": named("maximum"),
    "fmin": named("minimum"),
    "logaddexp": logaddexp,
    "heaviside": heaviside,
    "less": compared("<"),
    "less_equal": compared("<="),
    "greater": compared(">"),
    "greater_equal": compared(">="),
    "equal": equal,
    "not_equal": lambda a, b: Not(equal(a, b)),
    # scipy.special
    "expit": mapped("sigmoid"),
    "log_expit": lambda a: negated(softplus(negated(a))),
    "logit": logit,
    "xlogy": xlogy,
    "xlog1py": lambda a, b: apply("mul", a, mapped("log1p")(b)),
    "entr": lambda a: negated(xlogy(a, a)),
    "rel_entr": lambda a, b: xlogy(a, apply("div", a, b)),
}

OF_TESTS: dict[str, Callable[..., Test]] = {
    "logical_and": Both,
    "logical_or": either,
    "logical_not": Not,
    "bitwise_and": Both,
    "bitwise_or": either,
    "invert": Not,
}


# What a ufunc's `reduce` is called as a function of the language.
REDUCTIONS = {"add": "sum", "multiply": "prod", "logaddexp": "logsumexp"}


def meaning(name: str) -> Meaning:
    """Return what an entrywise function stands for; refuse one that the language lacks."""
    if name in UFUNCS:
        return UFUNCS[name]
    near = get_close_matches(name, UFUNCS, 1, cutoff=0.8)
    raise UnsupportedError(
        f"the function {name} is not in the language",
        hint=f"did you mean {near[0]}?" if near else "entrywise functions are " + ", ".join(sorted(FUNCTIONS)),
    )


def outer(name: str, a: Expr, b: Expr) -> Expr | Test:
    """Return `ufunc.outer(a, b)`: every entry of a with every entry of b."""
    spread = apply("newaxis", a, data=((False,) * a.rank + (True,) * b.rank,)) if b.rank else a
    return meaning(name)(spread, b)
