"""`symderiv derive`: a derivative, its proof, its code."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from symderiv.cli.group import Reader
from symderiv.cli.options import Asked, expression_options
from symderiv.cli.printing import (
    Output,
    equations,
    output_options,
    print_record,
    print_result,
    shape_record,
    written_shape,
)
from symderiv.cli.streams import columns
from symderiv.render.plain import SUPERSCRIPTS, small_form

if TYPE_CHECKING:
    from symderiv.derivation import Derivation

FEW_DEFINITIONS = 3  # as many are put into the result once more


@click.command("derive", cls=Reader)
@expression_options
@output_options(layouts=True)
@click.option("--proof-json", is_flag=True, help="Print the proof as JSON alone, for `symderiv check`.")
@click.option("--coq", is_flag=True, help="Print the proof alone, as a text for Coq with MathComp.")
def command(asked: Asked, output: Output, as_json: bool, proof_json: bool, coq: bool) -> None:
    """Differentiate an EXPRESSION, written as in NumPy."""
    from symderiv import derivation

    d = derivation.derive(asked.expression, list(asked.wrt), **asked.keywords(len(asked.wrt)))
    if output.of_proof:
        d.proof.check()
    if proof_json:
        click.echo(d.proof.to_json(), nl=False)
    elif coq:
        click.echo(d.proof.to_coq(), nl=False)
    elif as_json:
        print_record(d, output, _record(d, output.layout))
    else:
        print_result(d, output, _equations)


def _equations(d: Derivation) -> str:
    """Return the definitions and the result."""
    from symderiv.tensor.text import to_text

    rows = [(name, to_text(body, d.functions)) for name, body in d.definitions.items()]
    rows.append((_left_side(d), to_text(d.named_result, d.functions) if rows else str(d.result)))
    if 0 < len(d.definitions) <= FEW_DEFINITIONS:
        closed = str(d.result)
        rows += [("", closed)] if len(closed) + len(_left_side(d)) + 5 <= columns() else []
    return equations(rows, f"shape {written_shape(d.shape)}")


def _left_side(d: Derivation) -> str:
    order = len(d.wrt)
    power = small_form(str(order), SUPERSCRIPTS) if order > 1 else ""
    sign = "d" if d.structures else "∂"
    return f"{sign}{power}{d.stages[0].name}/{' '.join(f'{sign}{w.name}' for w in d.wrt)}"


def _record(d: Derivation, layout: str | None) -> dict[str, Any]:
    from symderiv.conventions import LAYOUT_NOTES

    return {
        "result": str(d.result),
        "statements": d.statements(),
        "latex": d.to_latex(layout),
        "numpy": d.to_numpy(),
        "shape": shape_record(d.shape),
        "notes": [*d.notes, *([LAYOUT_NOTES[layout]] if layout else [])],
        "steps": len(d.proof.steps),
    }
