"""Python's own parser, for one thread at a time.

CPython 3.11 before 3.11.8 keeps one count of nesting for all threads, and raises SystemError where a second thread
parses while the first is collecting garbage.
"""

from __future__ import annotations

import ast
from threading import RLock

PARSING = RLock()  # garbage may have something to parse, too


def expression(text: str) -> ast.expr:
    """Return the syntax tree of an expression.

    >>> ast.dump(expression("x"))
    "Name(id='x', ctx=Load())"
    """
    with PARSING:
        return ast.parse(text, mode="eval").body


def module(text: str) -> ast.Module:
    """Return the syntax tree of a text of statements."""
    with PARSING:
        return ast.parse(text)
