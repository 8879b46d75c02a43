"""The kinds of expressions that a stored proof is made of, and what their parts may be."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sympy

from symderiv.index.nodes import Entry, Index, IndexExpr, Tensor

PLAIN = {"Add": sympy.Add, "Mul": sympy.Mul, "Pow": sympy.Pow}
ASSUMPTIONS = ("integer", "positive")
LARGEST_EXPONENT = 64  # of a size, in SymPy's own arithmetic, which works it out


def is_name(arg: Any) -> bool:
    """Tell whether this is a name."""
    return isinstance(arg, sympy.Symbol)


def is_size(arg: Any) -> bool:
    """Tell whether this is a number or a size."""
    return isinstance(arg, sympy.Expr) and not isinstance(arg, IndexExpr)


def is_value(arg: Any) -> bool:
    """Tell whether this is a value: no index and no head."""
    return isinstance(arg, sympy.Expr) and not isinstance(arg, (Index, Tensor))


def like(*tests: Callable[[Any], bool], more: Callable[[Any], bool] | None = None) -> Callable[[list[Any]], bool]:
    """Return a test of arguments: the first ones one by one, the others all alike."""

    def fits(args: list[Any]) -> bool:
        first, rest = args[: len(tests)], args[len(tests) :]
        if len(first) < len(tests) or (rest and more is None):
            return False
        return all(t(a) for t, a in zip(tests, first, strict=True)) and (more is None or all(map(more, rest)))

    return fits


def is_index(arg: Any) -> bool:
    """Tell whether this is an index."""
    return isinstance(arg, Index)


def is_count(arg: Any) -> bool:
    """Tell whether this is a small number, 0 or more."""
    return isinstance(arg, sympy.Integer) and 0 <= arg <= LARGEST_EXPONENT


_DERIVATIVE = like(is_value, lambda a: isinstance(a, Entry))
SIGNATURES: dict[str, Callable[[list[Any]], bool]] = {
    "Index": like(is_name, is_size),
    "Tensor": like(is_name, more=is_size),
    "Entry": like(lambda a: isinstance(a, Tensor), more=is_index),
    "Delta": like(is_index, is_index),
    "Times": like(is_value, more=is_value),
    "Plus": like(is_value, more=is_value),
    "Power": like(is_value, is_value),
    "Sum": like(is_value, is_index, more=is_index),
    "Apply": like(is_name, is_count, is_value),
    "Choice": like(is_name, is_value, is_value, is_value, is_value),
    "Extreme": like(is_name, is_value, is_value),
    "Derivative": _DERIVATIVE,
    "Immediate": _DERIVATIVE,
    "Structured": _DERIVATIVE,
}
