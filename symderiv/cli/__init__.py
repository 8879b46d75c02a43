"""The command line: one module for each command.

The engine is imported inside the commands, so that help and version answer at once.
"""

from __future__ import annotations

import click

from symderiv import __version__, load_extensions
from symderiv.cli import (
    check,
    derive,
    docs,
    explain,
    functions,
    generate,
    gradients,
    handout,
    homework,
    hvp,
    serve,
    site,
    verify,
)
from symderiv.cli.group import Commands

EXAMPLES = """\b
Examples:
  symderiv derive "norm(X @ w - y)**2" --wrt w \\
      --shape "X: (n, p)" --shape "w: (p,)" --shape "y: (n,)"
  symderiv verify "x @ A @ x" --wrt x --claim "2 * A @ x" \\
      --shape "x: (n,)" --shape "A: (n, n)"
"""


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]}, epilog=EXAMPLES)
@click.version_option(__version__, prog_name="symderiv")
@click.option("--debug", is_flag=True, help="Show where an unexpected error happened.")
def main(debug: bool) -> None:
    """Matrix calculus that shows its work: derivatives, proofs and NumPy code."""
    load_extensions()


for _module in (
    derive, gradients, hvp, verify, generate, handout, homework, check, explain, functions, docs, serve, site,
):  # fmt: skip
    main.add_command(_module.command)
