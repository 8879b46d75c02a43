"""`declare`: tensors from declarations, to calculate with in Python."""

from __future__ import annotations

from typing import Any

from symderiv.errors import ParseError, UnsupportedError
from symderiv.statements.block import Names, Statement, read_block
from symderiv.tensor.array import wrap
from symderiv.tensor.elementwise import Entrywise


def declare(*declarations: str) -> Any:
    """Return what is declared, as a tuple; one thing alone where one is declared.

    Declarations are those of the statement language: `X: (n, p)`, `c: ()`, `S: symmetric(n, n)`,
    `h: elementwise()`.  Arrays become tensors, which take Python's operators, with NumPy's broadcasting, and
    NumPy's functions; scalar functions without a formula are called on them.  The name of a size means the
    same in all declarations.  Raises :class:`symderiv.ParseError` for what is no declaration.

    >>> import numpy as np
    >>> X, w, y = declare("X: (n, p)", "w: (p,)", "y: (n,)")
    >>> np.sum((X @ w - y) ** 2) / X.shape[0]
    Tensor(sum((X @ w - y)**2) / n)
    """
    names = Names()
    text = "\n".join(_line(d) for d in declarations)
    found = tuple(_declared(statement, names) for statement in read_block(text, names))
    if not found:
        raise ParseError("nothing is declared", hint='write declare("X: (n, p)", "w: (p,)")')
    return found[0] if len(found) == 1 else found


def _line(declaration: Any) -> str:
    if not isinstance(declaration, str):
        raise ParseError(f"a declaration is a text, not {declaration!r}", hint='write declare("X: (n, p)", "w: (p,)")')
    return declaration


def _declared(statement: Statement, names: Names) -> Any:
    name = statement.name
    if statement.kind != "declare":
        hint = "definitions are plain Python: u = X @ w"
        raise ParseError(f"{statement.text!r} declares nothing", place=statement.place, hint=hint)
    if statement.exprs:
        return wrap(statement.exprs[0])
    if name in names.scope.functions:
        return Entrywise(name)
    raise UnsupportedError(
        f"{statement.text!r} declares nothing to calculate with in Python",
        place=statement.place,
        hint="functions of whole arrays, indices and integers stand in statements: symderiv.Sheet",
    )
