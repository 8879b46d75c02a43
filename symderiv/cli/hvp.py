"""`symderiv hvp`: the Hessian times a direction, without the Hessian."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from symderiv.cli.group import Reader
from symderiv.cli.options import declarations, expression_options
from symderiv.cli.printing import equations, notes, output_options, proof_lines, sentences, shape_record, wanted_detail
from symderiv.cli.streams import print_json
from symderiv.errors import ParseError

if TYPE_CHECKING:
    from symderiv.curvature import HessianVectorProduct
    from symderiv.joint import HessianVectorProducts


@click.command("hvp", cls=Reader)
@click.argument("expression")
@expression_options
@output_options(layouts=False)
@click.option("--direction", multiple=True, metavar="NAME",
              help="The name of the direction: V, and V_x for each x of several variables, unless given.")  # fmt: skip
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
    numpy: bool,
    explain: bool,
    language: str,
    direction: tuple[str, ...],
) -> None:
    """Multiply the Hessian of an EXPRESSION, a number, with a direction.

    Of several --wrt it is the Hessian in all of them, and there is a direction for each, in the same order.
    """
    from symderiv import curvature

    declared = declarations(wrt[:1] * 2, shape, assume, function)
    options = {"structured": structured, **declared}
    if len(wrt) == 1:
        h = curvature.hvp(expression, wrt[0], _directions(wrt, direction)[wrt[0]], **options)
    else:
        h = curvature.hvp(expression, list(wrt), _directions(wrt, direction), **options)
    wanted = wanted_detail(proof, detail)
    if wanted:
        h.proof.check()
    if as_json:
        print_json(_record(h, wanted) | ({"explanation": h.explain(language)} if explain else {}))
        return
    only = bool(latex or numpy or explain) and not wanted
    parts = [_latex(h, wanted, language)] if latex else []
    if not (only or parts):
        shown = [proof_lines(h.proof, wanted, language)] if wanted else []
        parts += [equations(_rows(h)), *shown, notes(h.noted(language))]
    parts += [sentences(h.explain(language))] if explain else []
    parts += [h.to_numpy().rstrip()] if numpy else []
    click.echo("\n\n".join(parts))


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


def _latex(h: HessianVectorProduct | HessianVectorProducts, detail: str | None, language: str) -> str:
    return f"{h.to_latex()}\n\n{h.proof.to_latex(detail, language)}" if detail else h.to_latex()


def _record(h: HessianVectorProduct | HessianVectorProducts, detail: str | None) -> dict[str, Any]:
    from symderiv.curvature import HessianVectorProduct

    if isinstance(h, HessianVectorProduct):
        found: dict[str, Any] = {"result": str(h.result), "shape": shape_record(h.shape)}
    else:
        shapes = {name: shape_record(shape) for name, shape in h.shapes.items()}
        found = {"results": {name: str(h[name]) for name in h}, "shapes": shapes}
    record = found | {
        "statements": h.statements(),
        "latex": h.to_latex(),
        "numpy": h.to_numpy(),
        "notes": list(h.notes),
        "steps": len(h.proof.steps),
    }
    return record | ({"proof": h.proof.to_latex(detail)} if detail else {})
