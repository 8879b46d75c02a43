"""Tables of numbers as parts of a document: what they are about, and the numbers, rounded."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from math import floor, log10, prod
from typing import TYPE_CHECKING

from symderiv.render.latex import Latex
from symderiv.render.model import Prose
from symderiv.render.phrases import phrase
from symderiv.statements.block import Statement
from symderiv.tensor.expr import Expr

if TYPE_CHECKING:
    from symderiv.tables import Table

DIGITS = 4  # of the largest number
MOST_DECIMALS = 8


def about(statement: Statement, table: Table, latex: Latex, language: str) -> str:
    """Return what the numbers of a table are computed for."""
    sizes = ", ".join(f"${latex.name(name)} = {value}$" for name, value in table.sizes)
    if not statement.minimum:
        return phrase(language, "table_random", sizes=sizes, seed=str(table.seed))
    function, *weights = (f"${latex.matrix(e)}$" for e in statement.minimum)
    comma = phrase(language, "list_comma")
    named = {"function": function, "weights": comma.join(weights), "sizes": sizes, "seed": str(table.seed)}
    return phrase(language, "table_minimum", **named)


def numbers(table: Table, latex: Latex) -> Prose:
    """Return the numbers: a matrix by rows and columns, or one column for each of several expressions."""
    shape = table.arrays[0][0]
    one = len(table.exprs) == 1 and len(shape) > 1
    rows = matrix(table, latex) if one else columns(table, latex)
    head, *body = rows
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *body]
    return Prose("\n".join("| " + " | ".join(line) + " |" for line in lines))


def matrix(table: Table, latex: Latex) -> list[list[str]]:
    """Return the rows of one array; of more axes than two the first half stands at the rows."""
    (expr,), ((shape, values),) = table.exprs, table.arrays
    half = len(shape) // 2
    texts, width = rounded(values), prod(shape[half:])
    at_rows, at_columns = names_of(expr, shape[:half], 0, latex), names_of(expr, shape[half:], half, latex)
    return [["", *at_columns], *([name, *texts[k * width : (k + 1) * width]] for k, name in enumerate(at_rows))]


def names_of(expr: Expr, shape: Sequence[int], start: int, latex: Latex) -> list[str]:
    """Return what stands at the rows or columns: entries of what is differentiated in, or numbers."""
    places = [tuple(str(k + 1) for k in at) for at in product(*map(range, shape))]
    array = variable_at(expr, start, len(shape))
    if array is not None:
        return [f"${latex.entry_at(array, at)}$" for at in places]
    return [f"${', '.join(at)}$" for at in places]


def variable_at(expr: Expr, start: int, count: int) -> Expr | None:
    """Return the array that some axes of a derivative are those of; none where there is no such."""
    if expr.op != "diff":
        return None
    function, *variables = expr.args
    at = function.rank
    for x in variables:
        if (at, x.rank) == (start, count) and x.op in ("var", "defined"):
            return x
        at += x.rank
    return None


def columns(table: Table, latex: Latex) -> list[list[str]]:
    """Return a row for each entry, with a column for each expression."""
    shape = table.arrays[0][0]
    texts = [rounded(values) for _, values in table.arrays]
    heads = [f"${latex.matrix(e)}$" for e in table.exprs]
    names = [f"${latex.name(n)}$" for n in table.free] if len(table.free) == len(shape) else [""]
    own = [", ".join(str(k + 1) for k in at) for at in product(*map(range, shape))]
    body = [[f"${at}$" if at else "", *(column[k] for column in texts)] for k, at in enumerate(own)]
    return [[", ".join(names), *heads], *body]


def rounded(values: Sequence[float]) -> list[str]:
    """Return numbers with as many decimals as leave the largest its digits.

    >>> rounded([12.3456, -0.00001])
    ['$12.35$', '$0.00$']
    """
    largest = max((abs(v) for v in values), default=0.0)
    digits = DIGITS - 1 - floor(log10(largest)) if largest > 0 else 0
    decimals = min(max(digits, 0), MOST_DECIMALS)
    texts = [f"{v:.{decimals}f}" for v in values]
    return [f"${_without_sign(t)}$" for t in texts]


def _without_sign(text: str) -> str:
    """Return a number without the sign of a zero."""
    return text.removeprefix("-") if not text.strip("-0.") else text
