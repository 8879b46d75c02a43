"""Matrices assembled of blocks: `block([[A, B], [C, D]])`, as NumPy's `block` has them.

Such a matrix is computed and compared, not differentiated: an entry of it has no one line of index notation.  The
transpose of a matrix of blocks is that of the transposed blocks, in transposed order; two of them with the same
cuts are equal where all their blocks are.  So a claim about them is one about each pair of blocks.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass

import sympy

from symderiv import dims
from symderiv.errors import ShapeError, UnsupportedError
from symderiv.replay import Replayed
from symderiv.tensor.expr import Expr, plain_axes, walk
from symderiv.tensor.operations import apply
from symderiv.tensor.parse import Parser

Rows = tuple[tuple[Expr, ...], ...]


def block(parser: Parser, node: ast.Call) -> Expr:
    """Read `block([[A, B], [C, D]])`."""
    match node:
        case ast.Call(args=[ast.List(elts=lists)], keywords=[]) if lists and all(
            isinstance(x, ast.List) for x in lists
        ):
            rows = tuple(tuple(parser.read(e) for e in x.elts) for x in lists if isinstance(x, ast.List))
        case _:
            parser.refuse(node, "block takes a list of rows, each a list of matrices", "write block([[A, B], [C, D]])")
    if not rows[0] or any(len(row) != len(rows[0]) for row in rows):
        parser.refuse(node, "the rows of a matrix of blocks have the same number of blocks")
    return assembled(rows)


def assembled(rows: Rows) -> Expr:
    """Return the matrix that blocks make together.

    >>> from symderiv.tensor.parse import variable
    >>> A, B = variable("A", ("n", "n")), variable("B", ("n", "m"))
    >>> assembled(((A, B),)).shape
    (n, m + n)
    """
    for row in rows:
        for k, e in enumerate(row):
            if e.rank != 2:
                raise ShapeError("blocks are matrices", shapes={f"block {k + 1}": dims.written(e.shape)})
            if e.shape[0] != row[0].shape[0] or e.shape[1] != rows[0][k].shape[1]:
                shapes = {"block": dims.written(e.shape), "left of it": dims.written(row[0].shape)}
                shapes |= {"above it": dims.written(rows[0][k].shape)}
                raise ShapeError("blocks in a row have equal heights, blocks in a column equal widths", shapes=shapes)
    height, width = sympy.Add(*(row[0].shape[0] for row in rows)), sympy.Add(*(e.shape[1] for e in rows[0]))
    return Expr("block", tuple(e for row in rows for e in row), (len(rows[0]),), plain_axes((height, width)))


def names_blocks(*exprs: Expr) -> bool:
    """Tell whether some matrix is assembled of blocks."""
    return any(e.op == "block" for e in walk(*exprs))


def rows_of(expr: Expr) -> Rows | None:
    """Return the blocks of a matrix, row by row; None where it is not assembled of any."""
    match expr.op:
        case "defined" | "called":
            return rows_of(expr.args[0])
        case "block":
            (columns,) = expr.data
            return tuple(expr.args[k : k + columns] for k in range(0, len(expr.args), columns))
        case "transpose" if not expr.data:
            rows = rows_of(expr.args[0])
            return None if rows is None else tuple(tuple(map(transposed, column)) for column in zip(*rows, strict=True))
    return None


def transposed(expr: Expr) -> Expr:
    """Return the transpose of a matrix; that of a transpose is the matrix itself."""
    return expr.args[0] if expr.op == "transpose" and not expr.data else apply("transpose", expr)


def pairs(left: Expr, right: Expr) -> list[tuple[Expr, Expr]]:
    """Return the pairs of blocks that are equal where two matrices are; an error where they are cut differently."""
    a, b = rows_of(left), rows_of(right)
    if a is None or b is None:
        raise UnsupportedError(
            "a matrix of blocks is compared with one that is cut in the same way", hint="write both sides as blocks"
        )
    if [[e.shape for e in row] for row in a] != [[e.shape for e in row] for row in b]:
        raise UnsupportedError("the two sides are cut into blocks in different ways")
    found = [(x, y) for one, other in zip(a, b, strict=True) for x, y in zip(one, other, strict=True)]
    if names_blocks(*(e for pair in found for e in pair)):
        raise UnsupportedError("blocks of blocks are not compared", hint="write one block([[…], …])")
    return [pair for pair in dict.fromkeys(found) if pair[0] is not pair[1]]


def in_entries(left: Expr, right: Expr) -> tuple[Expr, Expr] | None:
    """Return two blocks that are second derivatives in matrices, as entries of them at the same indices.

    Row (j, i) and column (k, l) of `reshape(diff(E, u, v), …)` is `∂²E/∂u[j,i]∂v[k,l]`; in its transpose they are
    exchanged.
    """
    count = max((len(_places(e)) for e in (left, right)), default=0)
    names = tuple(f"{letter}{mark}" for mark in ("", "_") for letter in "ji"[: count // 2])
    half = len(names) // 2
    found = tuple(_entry(e, names[:half], names[half:]) for e in (left, right))
    return None if found[0] is None or found[1] is None else (found[0], found[1])


def _places(expr: Expr) -> tuple[int, ...]:
    """Return the axes of what a block is cut from."""
    while expr.op in ("defined", "called", "transpose", "reshape"):
        expr = expr.args[0]
    return tuple(range(expr.rank))


def _entry(expr: Expr, row: tuple[str, ...], column: tuple[str, ...]) -> Expr | None:
    match expr.op:
        case "defined" | "called":
            return _entry(expr.args[0], row, column)
        case "transpose" if not expr.data:
            return _entry(expr.args[0], column, row)
        case "reshape" if expr.rank == 2:
            (inner,) = expr.args
            half = inner.rank // 2
            cut = sympy.prod(inner.shape[:half]), sympy.prod(inner.shape[half:])
            if inner.rank == 2 * len(row) and all(
                sympy.expand(a - b) == 0 for a, b in zip(cut, expr.shape, strict=True)
            ):
                return _entry(inner, row, column)
        case "diff" if expr.data == ("total",) and not expr.args[0].rank and len(expr.args) == 3:
            f, u, v = expr.args
            if u.rank == len(row) and v.rank == len(column) and u.op != "entry" and v.op != "entry":
                return Expr("diff", (f, Expr("entry", (u,), row, ()), Expr("entry", (v,), column, ())), expr.data, ())
    return None


@dataclass(frozen=True)
class Blockwise:
    """The proofs that the blocks of two matrices are equal, one after the other."""

    pairs: tuple[tuple[Expr, Expr], ...]
    proofs: tuple[Replayed, ...]


__all__: Sequence[str] = [
    "Blockwise",
    "assembled",
    "block",
    "in_entries",
    "names_blocks",
    "pairs",
    "rows_of",
    "transposed",
]
