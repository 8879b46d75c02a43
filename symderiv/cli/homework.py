"""`symderiv homework`: is a derivation in LaTeX right?"""

from __future__ import annotations

from typing import IO, TYPE_CHECKING, Any

import click

from symderiv.cli.group import EXIT, REFUTED
from symderiv.cli.streams import dim, marked, print_json

if TYPE_CHECKING:
    from symderiv.marking import Checked, Homework

WRONG = {**EXIT, "rejected": REFUTED}


@click.command("homework")
@click.argument("derivation", type=click.File(encoding="utf-8"))
@click.option(
    "--declare",
    multiple=True,
    metavar="STATEMENT",
    help="What a name is: 'D: (m, n)', 'A = D @ W'; once for each, or in a file with --given.",
)
@click.option("--given", type=click.File(encoding="utf-8"), metavar="FILE", help="A file of such statements.")
@click.option("--display", multiple=True, metavar="'NAME=LATEX'", help=r"How a name is written: 'd=\delta'.")
@click.option(
    "--range",
    "ranges",
    multiple=True,
    metavar="'NAME: LOW, HIGH'",
    help="The range of a label, the outer ones first: 't: 1, T'.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@click.pass_context
def command(
    ctx: click.Context,
    derivation: IO[str],
    declare: tuple[str, ...],
    given: IO[str] | None,
    display: tuple[str, ...],
    ranges: tuple[str, ...],
    as_json: bool,
) -> None:
    """Check a DERIVATION in LaTeX (a file, or - for standard input), equality by equality.

    The exit code is 0 if all are proved, 1 if one is wrong, 3 if one is undecided, 2 if the input is at fault.
    """
    from symderiv.marking import homework

    statements = "\n".join([*([_text(given)] if given is not None else []), *declare])
    found = homework(
        _text(derivation),
        statements,
        display=dict(_pair(d, "=", "--display 'd=\\delta'") for d in display),
        ranges={name: _ends(ends) for name, ends in (_pair(r, ":", "--range 't: 1, T'") for r in ranges)},
        source=derivation.name,
    )
    if as_json:
        print_json(_record(found))
    else:
        click.echo("\n".join(_lines(found)))
    ctx.exit(WRONG[found.status])


def _text(file: IO[str]) -> str:
    try:
        return file.read()
    except UnicodeDecodeError:
        raise click.UsageError(f"{file.name} is no text in UTF-8") from None


def _pair(text: str, between: str, example: str) -> tuple[str, str]:
    name, mark, value = text.partition(between)
    if not mark or not name.strip() or not value.strip():
        raise click.UsageError(f"{text!r} is not read; write {example}")
    return name.strip(), value.strip()


def _ends(text: str) -> tuple[str, str]:
    low, _, high = text.partition(",")
    if not low.strip() or not high.strip() or "," in high:
        raise click.UsageError(f"{text!r} is no range; write --range 't: 1, T'")
    return low.strip(), high.strip()


def _lines(found: Homework) -> list[str]:
    rows = [f"{marked(e.status, f'{e.number:>2}')}  {e.short}{_basis(e)}" for e in found.equalities]
    wrong = found.first_wrong
    if wrong is not None:
        rows += ["", "The first wrong one:", str(wrong)]
    return rows + [f"\n{e}" for e in found.equalities if e.status == "undecided"]


def _basis(e: Checked) -> str:
    return dim("  by exact evaluation") if e.basis == "exact" else ""


def _record(found: Homework) -> dict[str, Any]:
    wrong = found.first_wrong
    keys = ("number", "latex", "text", "status", "basis", "reason", "correct", "remarks")
    places = [{"line": e.place.line, "column": e.place.column + 1} for e in found.equalities]
    rows = [{k: getattr(e, k) for k in keys} | at for e, at in zip(found.equalities, places, strict=True)]
    return {"status": found.status, "first_wrong": None if wrong is None else wrong.number, "equalities": rows}
