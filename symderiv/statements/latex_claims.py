r"""Claims in LaTeX as statements: `assert latex(r"…")`, one claim for each equality."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import Any

import sympy

from symderiv.errors import ParseError, ShapeError, SymderivError, UnsupportedError
from symderiv.families import Range
from symderiv.latex.chains import Equality, read_chains, read_side
from symderiv.latex.pieces import placed
from symderiv.statements.block import BlockReader, Names, Statement
from symderiv.tensor.expr import Axes, Expr, walk
from symderiv.tensor.parse import Scope
from symderiv.tensor.syntax import expression_tree


@dataclass(frozen=True)
class Line:
    """An equality, and the statement that it is; `error` tells why it is none."""

    equality: Equality
    statement: Statement | None = None
    error: SymderivError | None = None


End = int | str


def read_latex(latex: Any, scope: Scope, axes: Axes) -> Expr:
    r"""Return an expression in LaTeX over the names of a scope; `I` and 0 have the given axes.

    >>> from symderiv.tensor.parse import scope_of
    >>> from symderiv.tensor.text import to_text
    >>> scope = scope_of({"A": ("n", "n"), "x": ("n",)})
    >>> to_text(read_latex(r"(A + A^\top) x", scope, scope.names["x"].axes))
    '(A + A.T) @ x'
    """
    if not isinstance(latex, str):
        raise ParseError(f"LaTeX is a text, not {type(latex).__name__}")
    reader = BlockReader(latex, Names(scope=replace(scope, calls={}, indices=False)), "")
    return reader.read(read_side(latex, reader, axes))


def lines_of(
    latex: str,
    names: Names,
    display: Mapping[str, str] | None = None,
    ranges: Mapping[str, tuple[End, End]] | None = None,
    source: str = "",
) -> list[Line]:
    """Return the equalities of LaTeX, each as a statement about all labels in some ranges, the outer ones first."""
    reader = BlockReader(latex, names, source)
    reader.integers = {r.variable: r.symbol for r in names.families.parameters}
    with ExitStack() as stack:
        for name, ends in (ranges or {}).items():
            low, high = (reader.bound(expression_tree(str(end))) for end in ends)
            if not name.isidentifier() or names.taken(name):
                raise ParseError(f"{name!r} cannot be the variable of a range", hint="take another letter")
            stack.enter_context(reader.inside(Range(name, low, high)))
        return [_line(e, reader) for e in read_chains(latex, reader, display, source)]


def _line(e: Equality, reader: BlockReader) -> Line:
    error = e.error or e.misfit
    if e.test is None or error is not None:
        return Line(e, error=error)
    node = ast.copy_location(ast.Assert(test=e.test, msg=None), e.test)
    try:
        statement = reader.claim(node)
        return Line(e, statement if statement.open or _names_labels(statement) else replace(statement, ranges=()))
    except (ShapeError, UnsupportedError) as err:
        return Line(e, error=placed(err, e.place))


def _names_labels(statement: Statement) -> bool:
    """Tell whether a claim names a variable of the ranges around it."""
    variables = {r.symbol for r in statement.ranges}
    data = (part for e in walk(*statement.exprs) for part in e.data)
    return any(isinstance(part, sympy.Basic) and part.free_symbols & variables for part in data)
