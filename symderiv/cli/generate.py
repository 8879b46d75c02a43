"""`symderiv generate`: a module to take along, and its tests."""

from __future__ import annotations

from pathlib import Path

import click

from symderiv.cli.group import Reader
from symderiv.cli.options import Asked, expression_options
from symderiv.cli.streams import print_json


@click.command("generate", cls=Reader)
@expression_options
@click.option("--name", default="loss", show_default=True, help="What the module and its function are called.")
@click.option("--hvp", is_flag=True, help="The product of the Hessian with a direction too.")
@click.option("--hessian", is_flag=True, help="The Hessian too.")
@click.option("--flat", is_flag=True, help="Functions of one flat vector too, as scipy.optimize takes them.")
@click.option("-o", "--output", default=".", show_default=True, help="The folder to write to.",
              type=click.Path(file_okay=False, path_type=Path))  # fmt: skip
def command(asked: Asked, as_json: bool, name: str, hvp: bool, hessian: bool, flat: bool, output: Path) -> None:
    """Write a NumPy module with an EXPRESSION and its gradients, and a pytest file that checks it.

    Each --wrt is a variable: one gives its gradient, several a dictionary of gradients.  Neither file needs
    symderiv.
    """
    from symderiv import generating

    second = ["hvp"] * hvp + ["hessian"] * hessian
    wrt = asked.wrt[0] if len(asked.wrt) == 1 else list(asked.wrt)
    given = asked.keywords(order=2 if second else 1)
    found = generating.generate(asked.expression, wrt, name=name, second=second, flat=flat, **given)
    paths = [str(path) for path in found.write(output)]
    if as_json:
        print_json({"files": paths})
    else:
        click.echo("\n".join(paths))
