"""`symderiv verify`: is a claimed derivative right?"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from symderiv.cli.group import EXIT, Reader
from symderiv.cli.options import DETAILS, Asked, expression_options, gathered
from symderiv.cli.printing import Output, proof_lines, sentences
from symderiv.cli.streams import dim, marked, print_json, styled

if TYPE_CHECKING:
    from symderiv.verdict import Verdict

BASES = {"kernel": "every step checked, for all sizes", "exact": "by exact evaluation"}


@click.command("verify", cls=Reader)
@expression_options
@click.option("--claim", required=True, metavar="TEXT", help="The derivative as claimed.")
@click.option("--latex-claim", is_flag=True, help="The claim is LaTeX, in which vectors stand upright.")
@click.option("--proof", is_flag=True, help="Print the proof of the derivative as it is.")
@click.option("--detail", type=click.Choice(DETAILS), help="How much of the proof (implies --proof).")
@click.option("--explain", is_flag=True, help="Say in words what was decided.")
@click.option("--language", default="en", metavar="CODE", help="The language of words: en, de, ja.")
@gathered(Output, "output")
@click.pass_context
def command(ctx: click.Context, asked: Asked, output: Output, as_json: bool, claim: str, latex_claim: bool) -> None:
    """Decide whether a claimed derivative of an EXPRESSION is right.

    The exit code is 0 if it is proved, 1 if refuted, 3 if undecided, 2 if the input is at fault.
    """
    from symderiv import verdict as verdicts

    given = asked.keywords(len(asked.wrt))
    verdict = verdicts.verify(asked.expression, list(asked.wrt), claim, latex=latex_claim, **given)
    explained = verdict.explain(output.language) if output.explain else ""
    if as_json:
        print_json(_verdict_record(verdict) | ({"explanation": explained} if explained else {}))
    else:
        parts = [sentences(explained) or "\n".join(_verdict_lines(verdict))]
        if output.of_proof:
            verdict.derivation.proof.check()
            parts.append(proof_lines(verdict.derivation.proof, output.of_proof, output.language))
        click.echo("\n\n".join(parts))
    ctx.exit(EXIT[verdict.status])


def _verdict_lines(verdict: Verdict) -> Iterator[str]:
    how = BASES.get(verdict.basis, verdict.basis)
    yield marked(verdict.status, verdict.status) + (f": {how}" if how else "")
    if verdict.counterexample is not None:
        from symderiv.verdict import where_it_fails

        yield from (f"  {line}" for line in where_it_fails(verdict.counterexample))
    if verdict.status != "proved":
        yield f"  the derivative is {styled(str(verdict.correct), bold=True)}"
    if verdict.scope and verdict.basis != "kernel":
        yield dim(f"  {verdict.scope}")


def _verdict_record(verdict: Verdict) -> dict[str, Any]:
    found = verdict.counterexample
    return {
        "status": verdict.status,
        "basis": verdict.basis,
        "scope": verdict.scope,
        "correct": str(verdict.correct),
        "counterexample": None if found is None else dataclasses.asdict(found),
    }
