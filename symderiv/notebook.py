"""Statements in the cells of a notebook: `%load_ext symderiv`, then cells that begin with `%%symderiv`.

The cells of a notebook share their names, as the blocks of a handout do.  A cell may be run again, changed or not:

- run again as it was, it shows what it showed;
- where it gives a name a new meaning, the cells that gave it the old one are forgotten, and with them those that
  build on them; the output says which names these were.

So what is shown never rests on a meaning that is no longer to be seen.  `%%symderiv --new` forgets everything;
`%%symderiv sheet` also hands the sheet to Python, under that name.
"""

from __future__ import annotations

import argparse
import ast
import shlex
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, NoReturn

from symderiv.errors import ParseError, SymderivError
from symderiv.render.proof import DETAILS
from symderiv.sheets import Passage, Sheet


@dataclass
class Cell:
    """A cell that was read: its text, the names it gives a meaning, the names it uses, and what it shows."""

    text: str
    given: frozenset[str]
    used: frozenset[str]
    passage: Passage


class Session:
    r"""The cells of one notebook.

    >>> session = Session()
    >>> _ = session.run("x: (n,)\nf = x @ x")
    >>> session.run("assert diff(f, x) == 2 * x").claims[0].status
    'proved'
    >>> session.run("x: (n,)\nf = sum(x)").forgotten
    ('f', 'x')
    """

    def __init__(self) -> None:
        self.cells: list[Cell] = []
        self.sheet = Sheet()

    def run(self, text: str, detail: str = "normal", language: str = "en") -> Passage:
        """Read a cell; return what it shows. A cell that cannot be read changes nothing."""
        text = text.strip("\n")
        known = next((cell for cell in self.cells if cell.text == text), None)
        if known is not None:
            return replace(known.passage, detail=detail, language=language, forgotten=())
        given, used = names(text)
        kept = remaining(self.cells, given)
        if kept != self.cells:
            sheet, kept = _read_again(kept)
        else:
            sheet = self.sheet
        statements, claims = len(sheet.statements), len(sheet.claims)
        try:
            sheet.read(text)
        except SymderivError:
            self.sheet, self.cells = _read_again(self.cells)
            raise
        before = {name for cell in self.cells for name in cell.given}
        forgotten = tuple(sorted(before - {name for cell in kept for name in cell.given}))
        passage = replace(sheet.passage(statements, claims, detail, language), forgotten=forgotten)
        self.sheet, self.cells = sheet, [*kept, Cell(text, given, used, passage)]
        return passage


def _read_again(cells: Iterable[Cell]) -> tuple[Sheet, list[Cell]]:
    """Read cells into a sheet of their own."""
    sheet, found = Sheet(), []
    for cell in cells:
        statements, claims = len(sheet.statements), len(sheet.claims)
        sheet.read(cell.text)
        shown = sheet.passage(statements, claims, cell.passage.detail, cell.passage.language)
        found.append(replace(cell, passage=shown))
    return sheet, found


def remaining(cells: list[Cell], given: Iterable[str]) -> list[Cell]:
    """Return the cells that stay where names get a new meaning: none that gave them one, none that builds on such."""
    gone, kept = set(given), []
    for cell in cells:
        if gone & (cell.given | cell.used):
            gone |= cell.given
        else:
            kept.append(cell)
    return kept


def names(text: str) -> tuple[frozenset[str], frozenset[str]]:
    r"""Return the names that a cell gives a meaning, and those that it uses; sizes count as neither.

    >>> given, used = names("h[0]: (n,)\nfor t in range(1, T + 1):\n    h[t] = W @ h[t-1]")
    >>> sorted(given), "W" in used
    (['h'], True)
    """
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError):
        return frozenset(), frozenset()  # the sheet says what is wrong, and where
    given: set[str] = set()
    for node in ast.walk(tree):
        match node:
            case ast.AnnAssign(target=target):
                given |= _named(target)
            case ast.Assign(targets=targets):
                given |= {name for target in targets for name in _named(target)}
            case ast.FunctionDef(name=name):
                given.add(name)
    used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    return frozenset(given), frozenset(used - given)


def _named(target: ast.expr) -> set[str]:
    match target:
        case ast.Name(id=name):
            return {name}
        case ast.Subscript(value=value):
            return _named(value)
        case ast.Tuple(elts=parts) | ast.List(elts=parts):
            return {name for part in parts for name in _named(part)}
    return set()


# ---------------------------------------------------------------- the magic


class _Options(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise ParseError(message, hint=self.format_usage().strip())


def _options() -> _Options:
    parser = _Options(prog="%%symderiv", add_help=False, allow_abbrev=False)
    parser.add_argument("name", nargs="?", help="the Python name that the sheet gets")
    parser.add_argument("--detail", choices=DETAILS, default="normal")
    parser.add_argument("--language", default="en")
    parser.add_argument("--new", action="store_true", help="forget all cells before")
    return parser


class Magic:
    """`%%symderiv` in one shell of IPython."""

    def __init__(self, shell: Any) -> None:
        self.shell = shell
        self.session = Session()

    def __call__(self, line: str, cell: str) -> Passage:
        """Read a cell of statements; see :mod:`symderiv.notebook`."""
        from IPython.core.error import UsageError

        try:
            options = _options().parse_args(shlex.split(line))
            if options.new:
                self.session = Session()
            passage = self.session.run(cell, options.detail, options.language)
            passage.to_markdown()  # what cannot be shown is refused here, in words
        except (SymderivError, ValueError) as error:
            raise UsageError(str(error)) from None
        if options.name is not None:
            if not options.name.isidentifier():
                raise UsageError(f"{options.name!r} is not a name of Python")
            self.shell.user_ns[options.name] = self.session.sheet
        return passage


def load_ipython_extension(shell: Any) -> None:
    """Make `%%symderiv` known to a shell; IPython calls this on `%load_ext symderiv`."""
    shell.register_magic_function(Magic(shell), magic_kind="cell", magic_name="symderiv")


__all__ = ["Cell", "Magic", "Session", "load_ipython_extension", "names", "remaining"]
