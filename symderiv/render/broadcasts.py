"""Broadcasting that matrix notation has no words for, told by entries: `[T_ijk s_ij]_ijk` is `T * s[:, :, None]`.

Between two axes a vector along rows or columns is `1 vᵀ`, `v 1ᵀ` or a diagonal matrix; everything else is
written entry by entry, its indices behind the bracket.
"""

from __future__ import annotations

import weakref
from collections.abc import Sequence

from symderiv.tensor.expr import Expr
from symderiv.tensor.parse import number

ENTRYWISE = frozenset({
    "add", "sub", "mul", "div", "neg", "power", "sqrt", "map", "general_power", "maximum", "minimum", "where",
})  # fmt: skip
COLUMN, ROWS = (False, True), ((True, False), (True,))


def is_narrower(part: Expr, whole: Expr) -> bool:
    """Tell an array that is broadcast to the axes of the whole; numbers aside."""
    return part.rank > 0 and part.axes != whole.axes


def is_column(part: Expr) -> bool:
    """Tell a vector that stands as a column: `v[:, None]`."""
    return part.op == "newaxis" and part.data[0] == COLUMN


def as_row(part: Expr) -> Expr | None:
    """Return the vector that is broadcast along rows: `v`, or `v[None, :]`."""
    if part.rank == 1:
        return part
    return part.args[0] if part.op == "newaxis" and part.data[0] in ROWS and part.args[0].rank == 1 else None


def needs_entries(expr: Expr) -> bool:
    """Tell what is broadcast in a way that matrix notation cannot say, or a sum of it over one axis."""
    if expr not in _KNOWN:
        _KNOWN[expr] = _needs_entries(expr)
    return _KNOWN[expr]


_KNOWN: weakref.WeakKeyDictionary[Expr, bool] = weakref.WeakKeyDictionary()


def _needs_entries(expr: Expr) -> bool:
    if expr.op == "sum" and expr.data and expr.args[0].rank > 2:
        return needs_entries(expr.args[0])
    if expr.op not in ENTRYWISE or not expr.rank:
        return False
    narrow = [a for a in expr.args if is_narrower(a, expr)]
    if narrow and (expr.rank > 2 or not _is_said(expr, narrow)):
        return True
    return any(needs_entries(a) for a in expr.args if a.axes == expr.axes)


def _is_said(expr: Expr, narrow: Sequence[Expr]) -> bool:
    vectors = all(is_column(a) or as_row(a) is not None for a in narrow)
    if expr.op == "div":
        return vectors and not is_narrower(expr.args[0], expr)
    return vectors and expr.op in ("add", "sub", "mul")


def entry_of(expr: Expr, labels: Sequence[str], free: Sequence[str] = ()) -> Expr:
    """Return the entry of an array at labels, taken of what it is made of as far as that is entrywise.

    `free` are letters for the indices that are summed over.

    >>> from symderiv.tensor.parse import parse, scope_of
    >>> from symderiv.tensor.text import to_text
    >>> scope = scope_of({"T": ("n", "m", "k"), "s": ("n", "m")})
    >>> to_text(entry_of(parse("exp(2 * T) / s[:, :, None]", scope), "ijk"))
    'exp(2 * T[i, j, k]) / s[i, j]'
    """
    if not expr.rank:
        return expr
    if expr.op == "newaxis":
        return entry_of(expr.args[0], [x for x, new in zip(labels, _all_of(expr), strict=True) if not new], free)
    if expr.op == "sum" and free and needs_entries(expr):
        (array,) = expr.args
        axis = expr.data[0] % array.rank
        inside = [*labels[:axis], free[0], *labels[axis:]]
        return Expr("sum_over", (entry_of(array, inside, free[1:]),), (free[0],), ())
    if expr.op == "ones":
        return number(1)
    if expr.op == "eye":
        return Expr("delta", (), tuple(labels), ())
    if expr.op not in ENTRYWISE:
        at = tuple("1" if size == 1 else x for x, size in zip(labels, expr.shape, strict=True))
        return Expr("entry", (expr,), at, ())
    args = tuple(entry_of(a, list(labels)[len(labels) - a.rank :], free) for a in expr.args)
    return Expr(expr.op, args, expr.data, ())


def _all_of(expr: Expr) -> list[bool]:
    """Return for each axis of `x[:, None]` whether it is a new one."""
    return [*expr.data[0], *[False] * (expr.rank - len(expr.data[0]))]
