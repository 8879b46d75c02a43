"""Vectors as columns and rows: `v[:, None]`, or what has that shape already.

An axis of size 1 says nothing, so the sum over one is a change of shape: with X of shape (n, 1) the column
of `sum(X, 1)` is X itself.  Matrix products and entrywise operations keep columns columns: that of `A @ v` is A
times that of v.
"""

from __future__ import annotations

from collections.abc import Sequence

from symderiv.tensor.expr import Expr, weight
from symderiv.tensor.operations import apply

ENTRYWISE = frozenset({"add", "sub", "mul", "div", "neg", "power", "sqrt", "map", "general_power"})
COLUMN, ROW = (False, True), (True, False)
DEEPEST = 12  # how far down a shorter form is looked for


def transposed(expr: Expr) -> Expr:
    """Return the transpose of a matrix, without a double one."""
    if expr.op == "transpose" and not expr.data:
        return expr.args[0]
    if expr.op == "eye" or (expr.op == "diag" and expr.rank == 2):
        return expr
    if expr.op == "outer":
        return apply("outer", expr.args[1], expr.args[0])
    return apply("transpose", expr)


def column(vector: Expr) -> Expr:
    """Return a vector as a column, shape (n, 1)."""
    return _shorter(apply("newaxis", vector, data=(COLUMN,)), _standing(vector, COLUMN, 0))


def row(vector: Expr) -> Expr:
    """Return a vector as a row, shape (1, n)."""
    return _shorter(apply("newaxis", vector, data=(ROW,)), _standing(vector, ROW, 0))


def along_the_last(vector: Expr) -> Expr:
    """Return a vector that broadcasts along rows, or the row that does so in shorter words."""
    return _shorter(vector, _standing(vector, ROW, 0))


def outer(left: Expr, right: Expr) -> Expr:
    """Return the outer product of two vectors; that of a column and a row is their product."""
    if left.op == "ones" and left.shape == (1,):
        return row(right)
    if right.op == "ones" and right.shape == (1,):
        return column(left)
    a, b = _standing(left, COLUMN, 0), _standing(right, ROW, 0)
    product = apply("outer", left, right)
    return product if a is None or b is None else _shorter(product, apply("matmul", a, b))


def with_ones(expr: Expr, new: Sequence[bool]) -> Expr:
    """Return an array with axes of size 1 put in where `new` says so."""
    if expr.rank == 1 and tuple(new) in (COLUMN, ROW):
        return column(expr) if tuple(new) == COLUMN else row(expr)
    subscripts = list(new)
    while not subscripts[-1]:
        subscripts.pop()
    return apply("newaxis", expr, data=(tuple(subscripts),))


def _shorter(plain: Expr, other: Expr | None) -> Expr:
    return plain if other is None or weight(other) > weight(plain) else other


def _standing(vector: Expr, kind: tuple[bool, bool], depth: int) -> Expr | None:
    """Return a vector as a column or a row where a part of it is one already, else None."""
    args = vector.args
    if depth > DEEPEST:
        return None
    if vector.op == "sum" and vector.data and args[0].rank == 2:
        return _read(args[0], vector.data[0] % 2, kind)
    if vector.op == "matmul" and {a.rank for a in args} == {1, 2}:
        matrix, inner = args if args[0].rank == 2 else args[::-1]
        part = _standing(inner, kind, depth + 1)
        if part is None:
            return None
        matrix_first = kind == COLUMN
        turned = matrix if (args[0].rank == 2) == matrix_first else transposed(matrix)
        return apply("matmul", turned, part) if matrix_first else apply("matmul", part, turned)
    if vector.op in ENTRYWISE and any(a.rank for a in args):
        parts = [_standing(a, kind, depth + 1) if a.rank else a for a in args]
        if all(p is None or not p.rank for p in parts):
            return None
        full = [apply("newaxis", a, data=(kind,)) if p is None else p for a, p in zip(args, parts, strict=True)]
        return apply(vector.op, *full, data=vector.data)
    return None


def _read(matrix: Expr, axis: int, kind: tuple[bool, bool]) -> Expr | None:
    """Return a matrix of one row or column, summed over that axis of size 1, standing as a column or a row."""
    if matrix.shape[axis] != 1:
        return None
    return matrix if kind.index(True) == axis else transposed(matrix)
