"""Index expressions as text of the language: `D[i, k] * delta[j, l]`, `sum[q](A[i, q] * B[q, j])`."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import sympy

from symderiv.index.nodes import (
    Apply,
    Choice,
    Delta,
    Derivative,
    Entry,
    Extreme,
    Immediate,
    Plus,
    Power,
    Sum,
    Times,
    free_indices,
)

SUM, PRODUCT, POWER, ATOM = range(4)


def index_text(expr: Any) -> str:
    """Return an index expression as text."""
    return _written(expr)[0]


def _bracketed(expr: Any, least: int) -> str:
    text, precedence = _written(expr)
    return text if precedence >= least else f"({text})"


def _written(expr: Any) -> tuple[str, int]:
    match expr:
        case Entry():
            inner = ", ".join(i.name for i in expr.indices)
            name = expr.tensor.name if expr.tensor.name.isidentifier() else f"({expr.tensor.name})"
            return (f"{name}[{inner}]" if inner else name), ATOM
        case Delta():
            return f"delta[{expr.args[0].name}, {expr.args[1].name}]", ATOM
        case Times():
            return _product(list(expr.args))
        case Plus():
            text = index_text(expr.args[0])
            for a in expr.args[1:]:
                part = index_text(a)
                text += f" - {part[1:]}" if part.startswith("-") else f" + {part}"
            return text, SUM
        case Sum():
            return _sum(expr)
        case Power():
            return f"{_bracketed(expr.base, ATOM)}**{_bracketed(expr.exponent, ATOM)}", POWER
        case Apply():
            slope = f"diff({expr.name})" if expr.order == 1 else f"diff({expr.name}, {expr.order})"
            name = slope if expr.order else expr.name
            return f"{name}({index_text(expr.arg)})", ATOM
        case Choice():
            left, right, yes, no = map(index_text, expr.parts)
            return f"where({left} {expr.relation} {right}, {yes}, {no})", ATOM
        case Extreme():
            return f"{expr.kind}({', '.join(map(index_text, expr.parts))})", ATOM
        case Immediate():
            return f"partial({index_text(expr.of)}, {index_text(expr.entry)})", ATOM
        case Derivative():
            return f"diff({index_text(expr.of)}, {index_text(expr.entry)})", ATOM
        case sympy.Rational():
            value = Fraction(int(expr.p), int(expr.q))
            return str(value), ATOM if value.denominator == 1 and value >= 0 else PRODUCT
    return str(expr), ATOM if str(expr).isidentifier() else SUM


def _sum(expr: Sum) -> tuple[str, int]:
    """An index that stands nowhere in the body has no range in a text: its sum is its size."""
    standing = free_indices(expr.body)
    bound = [i for i in expr.bound if i in standing]
    body = (
        f"sum[{', '.join(i.name for i in bound)}]({index_text(expr.body)})" if bound else _bracketed(expr.body, PRODUCT)
    )
    sizes = [str(i.size) for i in expr.bound if i not in standing]
    return " * ".join([*sizes, body]), PRODUCT if sizes or not bound else ATOM


def _product(args: list[Any]) -> tuple[str, int]:
    sign = ""
    if args[0] == -1 and len(args) > 1:
        sign, args = "-", args[1:]
    top = [a for a in args if not _divides(a) and a != 1]
    low = [a for a in args if _divides(a)]
    text = " * ".join(_bracketed(a, PRODUCT) for a in top) or "1"
    for a in low:
        inverse = a.base if a.exponent == -1 else Power(a.base, -a.exponent)
        text += f" / {_bracketed(inverse, POWER)}"
    return sign + text, PRODUCT


def _divides(expr: Any) -> bool:
    return isinstance(expr, Power) and isinstance(expr.exponent, sympy.Rational) and expr.exponent < 0
