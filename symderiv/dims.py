"""Symbolic sizes, shapes and broadcasting.

A size is a SymPy integer or a positive integer symbol (or a product of such: the axis of a `vec` or a
`kron`).  A shape is a tuple of sizes.  Two sizes agree where they are the same expression; size 1
broadcasts as in NumPy; a symbol never does.
"""

from __future__ import annotations

import keyword
import unicodedata
from collections.abc import Iterable, Sequence
from functools import lru_cache
from numbers import Integral
from typing import TypeAlias

import sympy

from symderiv.errors import ShapeError

Size: TypeAlias = sympy.Expr
Shape: TypeAlias = tuple[Size, ...]


@lru_cache(maxsize=4096)
def symbol(name: str) -> Size:
    """Return the size called `name`.

    >>> symbol("n") is symbol("n")
    True
    """
    return sympy.Symbol(name, integer=True, positive=True)


@lru_cache(maxsize=4096)
def text_of(size: Size) -> str:
    """Return a size as text, which SymPy takes some time to print.

    >>> text_of(2 * symbol("n"))
    '2*n'
    """
    return str(size)


def size(value: int | str | Size) -> Size:
    """Return a size from an integer or a name.

    >>> size(3), size("n")
    (3, n)
    """
    if isinstance(value, sympy.Expr):
        return value
    if isinstance(value, Integral) and not isinstance(value, bool):
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, (int, str)):
        raise ShapeError(f"a size is a name or a positive integer, not {value!r}")
    if isinstance(value, int):
        if value < 1:
            raise ShapeError(f"a size must be at least 1, not {value}")
        return sympy.Integer(value)
    if value.isdigit():
        return size(int(value))
    if not is_name(value):
        raise ShapeError(f"{value!r} is not a size", hint="write a name such as n, or a positive integer")
    if unicodedata.normalize("NFKC", value) != value:
        raise ShapeError(f"{value!r} is read as {unicodedata.normalize('NFKC', value)!r}", hint="take that name itself")
    return symbol(value)


def is_name(text: object) -> bool:
    """Tell whether something can be a name: an identifier, no keyword, and none of Python's own such as `__debug__`.

    >>> [is_name(text) for text in ("x_1", "θ", "lambda", "__class__", "x y", 1)]
    [True, True, False, False, False, False]
    """
    if not isinstance(text, str) or not text.isidentifier() or keyword.iskeyword(text):
        return False
    return not (text.startswith("__") and text.endswith("__") and len(text) > 4)


def shape(values: Iterable[int | str | Size]) -> Shape:
    """Return a shape.

    >>> shape(["n", 3])
    (n, 3)
    """
    return tuple(size(v) for v in values)


def written(dims: Sequence[Size]) -> str:
    """Return a shape as text: `()`, `(n,)`, `(n, m)`."""
    inner = ", ".join(str(d) for d in dims)
    return f"({inner},)" if len(dims) == 1 else f"({inner})"


def product(dims: Iterable[Size]) -> Size:
    """Return the number of entries of an array of this shape."""
    sizes = tuple(dims)
    return sizes[0] if len(sizes) == 1 else sympy.Mul(*sizes)


def broadcast(left: Shape, right: Shape, names: tuple[str, str] = ("left", "right")) -> Shape:
    """Return the shape of an entrywise operation on two arrays, as NumPy has it.

    >>> broadcast(shape(["n", "m"]), shape(["m"]))
    (n, m)
    """
    rank = max(len(left), len(right))
    padded = [(sympy.Integer(1),) * (rank - len(s)) + tuple(s) for s in (left, right)]
    result: list[Size] = []
    for a, b in zip(*padded, strict=True):
        if a == b or b == 1:
            result.append(a)
        elif a == 1:
            result.append(b)
        else:
            raise ShapeError(
                f"sizes {a} and {b} do not agree",
                shapes={names[0]: written(left), names[1]: written(right)},
                hint=_hint(left, right),
            )
    return tuple(result)


def _hint(left: Shape, right: Shape) -> str:
    if len(left) == 2 and len(right) == 1 and left[0] == right[0]:
        return "a vector acts on the last axis; write v[:, None] to scale or shift the rows"
    if len(right) == 2 and len(left) == 1 and right[0] == left[0]:
        return "a vector acts on the last axis; write v[:, None] to scale or shift the rows"
    if len(left) == len(right) == 2 and left == tuple(reversed(right)):
        return "one of the two may want a transpose, .T"
    return "entrywise operations need equal shapes, or axes of size 1"
