"""`symderiv gradients`: the value and all gradients from one backward pass."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from symderiv.cli.group import Reader
from symderiv.cli.options import declarations, expression_options
from symderiv.cli.printing import equations, notes, output_options, proof_lines, sentences, wanted_detail
from symderiv.cli.printing import shape_record as shaped
from symderiv.cli.streams import print_json

if TYPE_CHECKING:
    from symderiv.several import Gradients


@click.command("gradients", cls=Reader)
@click.argument("expression")
@expression_options
@output_options(layouts=True)
@click.option("--flat", is_flag=True, help="With --numpy: functions of one flat vector too.")
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
    flat: bool,
) -> None:
    """Differentiate an EXPRESSION in each --wrt, all from one backward pass."""
    from symderiv import several

    declared = declarations(wrt[:1], shape, assume, function)
    g = several.gradients(expression, list(wrt), structured=structured, **declared)
    wanted = wanted_detail(proof, detail)
    if wanted:
        g.proof.check()
    if as_json:
        print_json(_record(g, wanted, layout, flat) | ({"explanation": g.explain(language)} if explain else {}))
        return
    only = bool(latex or layout or numpy or explain) and not wanted
    parts = [_latex(g, wanted, layout, language)] if latex or layout else []
    if not (only or parts):
        shown = [proof_lines(g.proof, wanted, language)] if wanted else []
        parts += [equations(_rows(g)), *shown, notes(g.noted(language))]
    parts += [sentences(g.explain(language))] if explain else []
    parts += [g.to_numpy(flat=flat).rstrip()] if numpy else []
    click.echo("\n\n".join(parts))


def _rows(g: Gradients) -> list[tuple[str, str]]:
    """Return the statements: definitions, the function, what derivatives share, and the derivatives as `∂f/∂W`."""
    sign = {x: "d" if x in g.structures else "∂" for x in g.names}
    ends = {bar: f"{sign[x]}{g.stage.name}/{sign[x]}{x}" for x, bar in g.bars.items()}
    rows = [line.partition(" = ") for line in g.statements().splitlines()]
    return [(ends.get(name, name), text) for name, _, text in rows]


def _latex(g: Gradients, detail: str | None, layout: str | None, language: str) -> str:
    statement = g.to_latex(layout)
    return f"{statement}\n\n{g.proof.to_latex(detail, language, layout)}" if detail else statement


def _record(g: Gradients, detail: str | None, layout: str | None, flat: bool) -> dict[str, Any]:
    record = {
        "results": {name: str(result) for name, result in g.results.items()},
        "statements": g.statements(),
        "latex": g.to_latex(layout),
        "numpy": g.to_numpy(flat=flat),
        "shapes": {x.name: shaped(g.function.shape + x.shape) for x in g.wrt},
        "notes": list(g.notes),
        "steps": len(g.proof.steps),
    }
    return record | ({"proof": g.proof.to_latex(detail, layout=layout)} if detail else {})
