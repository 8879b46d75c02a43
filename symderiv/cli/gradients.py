"""`symderiv gradients`: the value and all gradients from one backward pass."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import click

from symderiv.cli.group import Reader
from symderiv.cli.options import Asked, expression_options
from symderiv.cli.printing import Output, equations, output_options, print_record, print_result, shape_record

if TYPE_CHECKING:
    from symderiv.several import Gradients


@click.command("gradients", cls=Reader)
@expression_options
@output_options(layouts=True)
@click.option("--flat", is_flag=True, help="With --numpy: functions of one flat vector too.")
def command(asked: Asked, output: Output, as_json: bool, flat: bool) -> None:
    """Differentiate an EXPRESSION in each --wrt, all from one backward pass."""
    from symderiv import several

    g = several.gradients(asked.expression, list(asked.wrt), **asked.keywords(order=1))
    if output.of_proof:
        g.proof.check()
    if as_json:
        print_record(g, output, _record(g, output.layout, flat))
    else:
        print_result(g, output, lambda g: equations(_rows(g)), code=partial(g.to_numpy, flat=flat))


def _rows(g: Gradients) -> list[tuple[str, str]]:
    """Return the statements: definitions, the function, what derivatives share, and the derivatives as `∂f/∂W`."""
    sign = {x: "d" if x in g.structures else "∂" for x in g.names}
    ends = {bar: f"{sign[x]}{g.stage.name}/{sign[x]}{x}" for x, bar in g.bars.items()}
    rows = [line.partition(" = ") for line in g.statements().splitlines()]
    return [(ends.get(name, name), text) for name, _, text in rows]


def _record(g: Gradients, layout: str | None, flat: bool) -> dict[str, Any]:
    return {
        "results": {name: str(result) for name, result in g.results.items()},
        "statements": g.statements(),
        "latex": g.to_latex(layout),
        "numpy": g.to_numpy(flat=flat),
        "shapes": {x.name: shape_record(g.function.shape + x.shape) for x in g.wrt},
        "notes": list(g.notes),
        "steps": len(g.proof.steps),
    }
