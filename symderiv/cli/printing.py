"""What `derive`, `gradients` and `hvp` have in common: the options of their output, and how results are printed."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import click

from symderiv.cli.options import DETAILS, LAYOUTS, Callback, gathered, with_options
from symderiv.cli.streams import columns, dim, print_json, styled

if TYPE_CHECKING:
    from symderiv import dims
    from symderiv.results import Proof


@dataclass(frozen=True, kw_only=True)
class Output:
    """What is printed of a result."""

    proof: bool
    detail: str | None
    explain: bool
    language: str
    latex: bool = False
    layout: str | None = None
    numpy: bool = False

    @property
    def of_proof(self) -> str | None:
        """Return how much of the proof is wanted, or None."""
        return (self.detail or "normal") if self.proof or self.detail else None

    @property
    def as_latex(self) -> bool:
        """Tell whether LaTeX is wanted: a layout is one of LaTeX."""
        return self.latex or self.layout is not None

    @property
    def for_reading(self) -> bool:
        """Tell whether the result is wanted as lines to read: unless something else was asked for."""
        return not self.as_latex and (self.of_proof is not None or not (self.numpy or self.explain))

    @property
    def laid_out(self) -> dict[str, str]:
        """Return the layout as an argument, which is for results that have one."""
        return {} if self.layout is None else {"layout": self.layout}


class Result(Protocol):
    """What `derive`, `gradients` and `hvp` find."""

    @property
    def proof(self) -> Proof: ...

    @property
    def to_latex(self) -> Callable[..., str]: ...

    @property
    def to_numpy(self) -> Callable[..., str]: ...

    def explain(self, language: str = ...) -> str: ...

    def noted(self, language: str) -> tuple[str, ...]: ...


R = TypeVar("R", bound=Result)


def output_options(layouts: bool) -> Callable[[Callback], Callback]:
    """Add the options that say what is printed of a result, as `output`; `layouts` where it may be a matrix."""
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
    chosen = options if layouts else [o for n, o in enumerate(options) if n != 3]
    return lambda command: with_options(gathered(Output, "output")(command), chosen)


def print_result(found: R, output: Output, readable: Callable[[R], str], code: Callable[[], str] | None = None) -> None:
    """Print what is wanted of a result: as LaTeX or as lines to read, in words, as code."""
    detail, language = output.of_proof, output.language
    parts: list[str] = []
    if output.as_latex:
        parts.append(found.to_latex(**output.laid_out))
        parts += [found.proof.to_latex(detail, language, **output.laid_out)] if detail else []
    elif output.for_reading:
        shown = [proof_lines(found.proof, detail, language)] if detail else []
        parts += [readable(found), *shown, notes(found.noted(language))]
    parts += [sentences(found.explain(language))] if output.explain else []
    parts += [(code or found.to_numpy)().rstrip()] if output.numpy else []
    click.echo("\n\n".join(parts))


def print_record(found: Result, output: Output, record: dict[str, Any]) -> None:
    """Print a result as one JSON object, with its proof and an explanation where they are wanted."""
    detail = output.of_proof
    if detail:
        record["proof"] = found.proof.to_latex(detail, **output.laid_out)
    if output.explain:
        record["explanation"] = found.explain(output.language)
    print_json(record)


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
