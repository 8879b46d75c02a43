"""`symderiv hvp`: the Hessian times a direction, without the Hessian."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from symderiv.cli.group import Reader
from symderiv.cli.options import Asked, expression_options
from symderiv.cli.printing import Output, equations, output_options, print_record, print_result, shape_record
from symderiv.errors import ParseError

if TYPE_CHECKING:
    from symderiv.curvature import HessianVectorProduct
    from symderiv.joint import HessianVectorProducts


@click.command("hvp", cls=Reader)
@expression_options
@output_options(layouts=False)
@click.option("--direction", multiple=True, metavar="NAME",
              help="The name of the direction: V, and V_x for each x of several variables, unless given.")  # fmt: skip
def command(asked: Asked, output: Output, as_json: bool, direction: tuple[str, ...]) -> None:
    """Multiply the Hessian of an EXPRESSION, a number, with a direction.

    Of several --wrt it is the Hessian in all of them, and there is a direction for each, in the same order.
    """
    from symderiv import curvature

    given = asked.keywords(order=2)
    directions = _directions(asked.wrt, direction)
    if len(asked.wrt) == 1:
        ((x, along),) = directions.items()
        h = curvature.hvp(asked.expression, x, along, **given)
    else:
        h = curvature.hvp(asked.expression, list(asked.wrt), directions, **given)
    if output.of_proof:
        h.proof.check()
    if as_json:
        print_record(h, output, _record(h))
    else:
        print_result(h, output, lambda h: equations(_rows(h)))


def _directions(wrt: Sequence[str], given: Sequence[str]) -> dict[str, str]:
    """Return the name of the direction for each variable.

    >>> _directions(["W", "b"], []), _directions(["w"], ["v"])
    ({'W': 'V_W', 'b': 'V_b'}, {'w': 'v'})
    """
    if not given:
        return {x: f"V_{x}" if len(wrt) > 1 else "V" for x in wrt}
    if len(given) != len(wrt):
        raise ParseError(
            f"{len(given)} directions for {len(wrt)} variables", hint="write one --direction for each --wrt, or none"
        )
    return dict(zip(wrt, given, strict=True))


def _rows(h: HessianVectorProduct | HessianVectorProducts) -> list[tuple[str, str]]:
    """Return definitions and products as `name = text`; the product in one variable is `H v`."""
    from symderiv.curvature import HessianVectorProduct

    *lines, last = h.statements().splitlines()
    last = f"H {h.direction.name} = {last}" if isinstance(h, HessianVectorProduct) else last
    rows = [line.partition(" = ") for line in [*lines, last]]
    return [(name, text) for name, _, text in rows]


def _record(h: HessianVectorProduct | HessianVectorProducts) -> dict[str, Any]:
    from symderiv.curvature import HessianVectorProduct

    if isinstance(h, HessianVectorProduct):
        found: dict[str, Any] = {"result": str(h.result), "shape": shape_record(h.shape)}
    else:
        shapes = {name: shape_record(shape) for name, shape in h.shapes.items()}
        found = {"results": {name: str(h[name]) for name in h}, "shapes": shapes}
    return found | {
        "statements": h.statements(),
        "latex": h.to_latex(),
        "numpy": h.to_numpy(),
        "notes": list(h.notes),
        "steps": len(h.proof.steps),
    }
