"""`symderiv docs`: the guide and the reference as one page."""

from __future__ import annotations

from pathlib import Path

import click

FILE = "guide.html"


@click.command("docs")
@click.option("-o", "--output", default="output", show_default=True, type=click.Path(path_type=Path),
              help="The folder to write to.")  # fmt: skip
@click.option("--templates", metavar="DIR", type=click.Path(path_type=Path),
              help="A folder of templates of your own, which come before ours.")  # fmt: skip
def command(output: Path, templates: Path | None) -> None:
    """Write the guide and the reference of rules, functions and operations as one HTML page, guide.html.

    It needs no network and no server: open it in a browser.
    """
    if output.is_file():
        raise click.BadParameter(f"{output} is a file, and a folder is needed", param_hint="-o")
    from symderiv.aside import write_aside
    from symderiv.reference.book import book

    content = book(templates).encode()
    output.mkdir(parents=True, exist_ok=True)
    write_aside(output / FILE, content)
    click.echo(str(output / FILE))
