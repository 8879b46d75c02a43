"""What `derive`, `gradients` and `hvp` have in common: the options of their output, and how results are printed."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import click

from symderiv.cli.options import DETAILS, LAYOUTS
from symderiv.cli.streams import columns, dim, styled

if TYPE_CHECKING:
    from symderiv import dims
    from symderiv.results import Proof


def output_options(layouts: bool) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Add the options that say what is printed of a result; `layouts` where it may be shown as a matrix."""
    options = [
        click.option("--proof", is_flag=True, help="Print the proof, checked step by step."),
        click.option("--detail", type=click.Choice(DETAILS), help="How much of the proof (implies --proof)."),
        click.option("--latex", is_flag=True, help="Print LaTeX."),
        click.option("--layout", type=click.Choice(LAYOUTS),
                     help="The layout of matrices in LaTeX (implies --latex); without it, arrays."),
        click.option("--numpy", is_flag=True, help="Print a NumPy function."),
        click.option("--explain", is_flag=True, help="Say in words what was done."),
        click.option("--language", default="en", metavar="CODE", help="The language of words: en, de, ja."),
    ]  # fmt: skip

    def added(command: Callable[..., Any]) -> Callable[..., Any]:
        for option in reversed(options if layouts else [o for n, o in enumerate(options) if n != 3]):
            command = option(command)
        return command

    return added


def wanted_detail(proof: bool, detail: str | None) -> str | None:
    """Return how much of a proof is wanted, or None."""
    return (detail or "normal") if proof or detail else None


def equations(rows: Sequence[tuple[str, str]], note: str = "") -> str:
    """Return `name = text` in rows, aligned at the equals signs and broken to the width of the terminal."""
    from symderiv.render.terminal import Row, laid_out

    width = max(len(name) for name, _ in rows)
    lines: list[str] = []
    for name, text in rows:
        first, *more = map(str, laid_out([Row(name.rjust(width), "=", text)], columns()))
        lines += [first.replace(name, styled(name, bold=True), 1) if name else first, *more]
    return "\n".join([*lines, *([dim(f"  {' ' * width}   {note}")] if note else [])])


def proof_lines(proof: Proof, detail: str, language: str = "en") -> str:
    """Return a proof as wide as the terminal, one block for each chain of equalities."""
    from symderiv.render.terminal import proof_text

    chains = proof_text(proof.views(detail, language), columns())
    blocks = ["\n".join(f"{line.text}{dim(line.reason)}".rstrip() for line in chain) for chain in chains]
    return "\n\n".join([*blocks, dim(f"  {len(proof.steps)} steps, every one checked")])


def sentences(text: str) -> str:
    """Return sentences broken to the width of the terminal; in a file or a pipe they stay whole."""
    from symderiv.render.terminal import wrapped

    if not sys.stdout.isatty():
        return text
    return "\n".join(piece for line in text.splitlines() for piece in wrapped(line, columns()))


def notes(lines: Sequence[str]) -> str:
    """Return notes in the background, broken to the width of the terminal."""
    return dim(sentences("\n".join(lines)))


def written_shape(shape: dims.Shape) -> str:
    """Return a shape as in NumPy."""
    from symderiv import dims

    return dims.written(shape)


def shape_record(shape: dims.Shape) -> list[int | str]:
    """Return a shape for JSON: integers, and names of sizes."""
    return [int(size) if size.is_Integer else str(size) for size in shape]
