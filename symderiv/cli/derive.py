"""`symderiv derive`: a derivative, its proof, its code."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from symderiv.cli.group import Reader
from symderiv.cli.options import declarations, expression_options
from symderiv.cli.printing import (
    equations,
    notes,
    output_options,
    proof_lines,
    sentences,
    shape_record,
    wanted_detail,
    written_shape,
)
from symderiv.cli.streams import columns, print_json
from symderiv.render.plain import SUPERSCRIPTS, small_form

if TYPE_CHECKING:
    from symderiv.derivation import Derivation

FEW_DEFINITIONS = 3  # as many are put into the result once more


@click.command("derive", cls=Reader)
@click.argument("expression")
@expression_options
@output_options(layouts=True)
@click.option("--proof-json", is_flag=True, help="Print the proof as JSON alone, for `symderiv check`.")
@click.option("--coq", is_flag=True, help="Print the proof alone, as a text for Coq with MathComp.")
def command(
    expression: str,
    wrt: tuple[str, ...],
    shape: tuple[str, ...],
    assume: tuple[str, ...],
    function: tuple[str, ...],
    structured: bool,
    as_json: bool,
    proof: bool,
    detail: str | None,
    latex: bool,
    layout: str | None,
    numpy: bool,
    explain: bool,
    language: str,
    proof_json: bool,
    coq: bool,
) -> None:
    """Differentiate an EXPRESSION, written as in NumPy."""
    from symderiv import derivation

    declared = declarations(wrt, shape, assume, function)
    d = derivation.derive(expression, list(wrt), structured=structured, **declared)
    wanted = wanted_detail(proof, detail)
    if wanted:
        d.proof.check()
    if proof_json:
        click.echo(d.proof.to_json(), nl=False)
    elif coq:
        click.echo(d.proof.to_coq(), nl=False)
    elif as_json:
        print_json(_record(d, wanted, layout) | ({"explanation": d.explain(language)} if explain else {}))
    else:
        only = bool(latex or layout or numpy or explain) and not wanted
        parts = [_latex(d, wanted, layout, language)] if latex or layout else []
        parts += _readable(d, wanted, language) if not (only or parts) else []
        parts += [sentences(d.explain(language))] if explain else []
        parts += [d.to_numpy().rstrip()] if numpy else []
        click.echo("\n\n".join(parts))


def _readable(d: Derivation, detail: str | None, language: str) -> list[str]:
    """Return the definitions and the result, the proof where it is wanted, and the notes."""
    from symderiv.tensor.text import to_text

    rows = [(name, to_text(body, d.functions)) for name, body in d.definitions.items()]
    rows.append((_left_side(d), to_text(d.named_result, d.functions) if rows else str(d.result)))
    if 0 < len(d.definitions) <= FEW_DEFINITIONS:
        closed = str(d.result)
        rows += [("", closed)] if len(closed) + len(_left_side(d)) + 5 <= columns() else []
    proof = [proof_lines(d.proof, detail, language)] if detail else []
    return [equations(rows, f"shape {written_shape(d.shape)}"), *proof, notes(d.noted(language))]


def _left_side(d: Derivation) -> str:
    order = len(d.wrt)
    power = small_form(str(order), SUPERSCRIPTS) if order > 1 else ""
    sign = "d" if d.structures else "∂"
    return f"{sign}{power}{d.stages[0].name}/{' '.join(f'{sign}{w.name}' for w in d.wrt)}"


def _latex(d: Derivation, detail: str | None, layout: str | None, language: str) -> str:
    statement = d.to_latex(layout)
    return f"{statement}\n\n{d.proof.to_latex(detail, language, layout)}" if detail else statement


def _record(d: Derivation, detail: str | None, layout: str | None) -> dict[str, Any]:
    from symderiv.conventions import LAYOUT_NOTES

    record = {
        "result": str(d.result),
        "statements": d.statements(),
        "latex": d.to_latex(layout),
        "numpy": d.to_numpy(),
        "shape": shape_record(d.shape),
        "notes": [*d.notes, *([LAYOUT_NOTES[layout]] if layout else [])],
        "steps": len(d.proof.steps),
    }
    return record | ({"proof": d.proof.to_latex(detail, layout=layout)} if detail else {})
