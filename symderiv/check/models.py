"""Functions and operations said by simpler ones, as the exact evaluation reads them."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from functools import lru_cache

from symderiv.tensor.expr import Expr
from symderiv.tensor.operations import apply
from symderiv.tensor.parse import Scope, parse

# Functions by way of exp, log, sin and cos.
MODELS = {
    "log1p": "log(1 + u)",
    "expm1": "exp(u) - 1",
    "tan": "sin(u) / cos(u)",
    "sinh": "(exp(u) - exp(-u)) / 2",
    "cosh": "(exp(u) + exp(-u)) / 2",
    "tanh": "1 - 2 / (exp(2 * u) + 1)",
    "sigmoid": "1 / (1 + exp(-u))",
    "softplus": "log(1 + exp(u))",
}


@lru_cache(maxsize=4096)
def formula(text: str, u: Expr, f: Expr | None = None) -> Expr:
    """Return a formula in u (an argument) and f (a value) with expressions put in their places.

    >>> from symderiv.tensor.parse import variable
    >>> formula("1 / (1 + u)", variable("x", ()))
    div(number(1), add(number(1), var(x, frozenset())))
    """
    return parse(text, Scope({"u": u} if f is None else {"u": u, "f": f}))


def _over(node: Expr, arg: Expr) -> Expr:
    """Return `arg` summed over the axes of `node`, which are kept with length 1."""
    total = apply("sum", arg, data=node.data)
    if not node.data:
        return total
    axis = node.data[0] % arg.rank
    return apply("newaxis", total, data=(tuple(k == axis for k in range(axis + 1)),))


def _softmax(node: Expr) -> Expr:
    exps = apply("map", node.args[0], data=("exp", 0))
    return apply("div", exps, _over(node, exps))


def _logsumexp(node: Expr) -> Expr:
    exps = apply("map", node.args[0], data=("exp", 0))
    return apply("map", apply("sum", exps, data=node.data), data=("log", 0))


def _norm(node: Expr) -> Expr:
    squares = apply("power", node.args[0], data=(Fraction(2),))
    return apply("power", apply("sum", squares), data=(Fraction(1, 2),))


def _sqrt(node: Expr) -> Expr:
    return apply("power", node.args[0], data=(Fraction(1, 2),))


MEANINGS: dict[str, Callable[[Expr], Expr]] = {
    "softmax": _softmax,
    "logsumexp": _logsumexp,
    "norm": _norm,
    "sqrt": _sqrt,
}


@lru_cache(maxsize=4096)
def exponential(u: Expr) -> Expr | None:
    """Return exp(u) with the logarithms among the terms of u undone, `exp(a − log b) = exp(a)/b`; None without any.

    >>> from symderiv.tensor.parse import variable
    >>> x = variable("x", ())
    >>> exponential(parse("x - log(x)", Scope({"x": x}))) is parse("exp(x) / x", Scope({"x": x}))
    True
    """
    if u.op in ("add", "sub") and len(u.args) == 2:
        parts = [exponential(a) for a in u.args]
        if parts == [None, None]:
            return None
        whole = [apply("map", a, data=("exp", 0)) if p is None else p for a, p in zip(u.args, parts, strict=True)]
        return apply("mul" if u.op == "add" else "div", *whole)
    if u.op in ("newaxis", "transpose", "neg", "defined"):
        inner = exponential(u.args[0])
        if inner is None or u.op == "defined":
            return inner
        return formula("1 / u", inner) if u.op == "neg" else apply(u.op, inner, data=u.data)
    if u.op == "logsumexp":
        return meaning(u).args[0]
    if u.op == "map" and u.data[0] in ("log", "log1p", "softplus"):
        return u.args[0] if u.data[0] == "log" else formula(MODELS[u.data[0]], u.args[0]).args[0]
    return None


@lru_cache(maxsize=4096)
def meaning(node: Expr) -> Expr:
    """Return an operation by simpler ones."""
    return MEANINGS[node.op](node)
