"""`symderiv check`: is a stored proof right?"""

from __future__ import annotations

from typing import IO, TYPE_CHECKING

import click

from symderiv.cli.group import PROVED, REFUTED
from symderiv.cli.streams import dim, marked, print_json

if TYPE_CHECKING:
    from symderiv.index.nodes import Argument


@click.command("check")
@click.argument("proof", type=click.File(encoding="utf-8"))
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@click.pass_context
def command(ctx: click.Context, proof: IO[str], as_json: bool) -> None:
    """Check every step of a stored PROOF (a file, or - for standard input).

    `derivation.proof.to_json()` and `symderiv derive … --proof-json` write one. The exit code is 0 if every step is
    justified, 1 if one is not, 2 if the file cannot be read.
    """
    from symderiv.check.families import ForAll
    from symderiv.check.stored import check_proof
    from symderiv.errors import ProofError

    try:
        text = proof.read()
    except UnicodeDecodeError:
        raise click.UsageError(f"{proof.name} is no text in UTF-8") from None
    try:
        found = check_proof(text)
    except ProofError as err:
        if as_json:
            print_json({"status": "rejected", "reason": err.message})
        else:
            click.echo(marked("rejected", "rejected") + f"\n  {err}")
        ctx.exit(REFUTED)
    if as_json:
        print_json({"status": "proved", "proved": [_data(a) for a in found]})
    else:
        steps = sum(len(argument.steps) for argument in found)
        ways = [a.way for a in found if isinstance(a, ForAll)]
        how = ", " + ", ".join(ways) if ways else f" ({steps} in the main chains)"
        click.echo(marked("proved", "proved") + dim(f": every step checked{how}"))
        click.echo("\n".join(map(_line, found)))
    ctx.exit(PROVED)


def _line(argument: Argument) -> str:
    from symderiv.check.families import ForAll

    line = f"  {argument.left} = {argument.right}"
    return f"{line}\n  {argument.scope}" if isinstance(argument, ForAll) and argument.scope else line


def _data(argument: Argument) -> dict[str, str]:
    from symderiv.check.families import ForAll

    found = {"left": str(argument.left), "right": str(argument.right)}
    return {**found, "scope": argument.scope} if isinstance(argument, ForAll) else found
