"""`symderiv functions`: the scalar functions and the operations of the language."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from difflib import get_close_matches
from typing import TYPE_CHECKING

import click
from click.shell_completion import CompletionItem

from symderiv.cli.streams import columns, dim, print_json, styled
from symderiv.errors import UnknownNameError

if TYPE_CHECKING:
    from symderiv.functions import Function
    from symderiv.reference.tables import Row

GAP = 2


def completed(_ctx: click.Context, _option: click.Parameter, typed: str) -> list[CompletionItem]:
    """Return the functions and operations whose names begin as typed."""
    from symderiv.functions import FUNCTIONS
    from symderiv.tensor.operations import OPERATIONS

    return [CompletionItem(name) for name in sorted({*FUNCTIONS, *OPERATIONS}) if name.startswith(typed)]


@click.command("functions")
@click.argument("name", required=False, shell_complete=completed)
@click.option("--latex", is_flag=True, help="Print the lines of indices as LaTeX.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object for each.")
def command(name: str | None, latex: bool, as_json: bool) -> None:
    """List the scalar functions with their derivatives, and the operations with their shapes and lines of indices.

    With a NAME: those of that name.
    """
    from symderiv.reference.tables import functions, operations

    scalar, rows = functions(), operations()
    if name is not None:
        scalar = [f for f in scalar if f.name == name]
        rows = [r for r in rows if name in (r.operation, r.text.partition("(")[0], r.text)]
        if not scalar and not rows:
            raise _unknown(name)
    if as_json:
        for f in scalar:
            print_json({"kind": "function", **asdict(f)})
        for r in rows:
            print_json({"kind": "operation", **asdict(r)})
    else:
        click.echo("\n\n".join("\n".join(part) for part in (_functions(scalar), _operations(rows, latex)) if part))


def _unknown(name: str) -> UnknownNameError:
    from symderiv.reference.tables import functions, operations

    known = sorted({f.name for f in functions()} | {row.operation for row in operations()})
    near = get_close_matches(name, known, 1)
    hint = f"did you mean {near[0]}?" if near else f"known are {', '.join(known)}"
    return UnknownNameError(f"no function or operation is called {name!r}", hint=hint)


def _functions(found: Sequence[Function]) -> list[str]:
    if not found:
        return []
    rows = [(f.name, f.derivative, f.domain, f.kink) for f in found]
    return list(_table(("function f(u)", "derivative", "domain", "at a kink"), rows))


def _operations(found: Sequence[Row], latex: bool) -> list[str]:
    if not found:
        return []
    rows = [(r.text, r.arguments, r.shape, r.latex if latex else _line(r)) for r in found]
    return list(_table(("operation", "of", "shape", "entry by entry"), rows))


def _line(row: Row) -> str:
    return f"{row.line}{row.meaning}"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Yield rows below a heading, in columns; the last one is broken where the terminal ends."""
    from rich.cells import cell_len

    from symderiv.render.terminal import broken

    *widths, _ = (max(map(cell_len, column)) + GAP for column in zip(head, *rows, strict=True))
    start = sum(widths)
    for number, row in enumerate([head, *rows]):
        *cells, last = row
        front = [cell + " " * (width - cell_len(cell)) for cell, width in zip(cells, widths, strict=True)]
        front[0] = front[0] if number == 0 else styled(front[0], bold=True)
        first, *more = broken(last, max(columns() - start, 16))
        line = ("".join(front) + first).rstrip()
        yield dim(line) if number == 0 else line
        yield from (" " * start + piece for piece in more)
