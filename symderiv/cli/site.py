"""`symderiv site`: the page as a static folder."""

from __future__ import annotations

from pathlib import Path

import click


@click.command("site")
@click.option("-o", "--output", required=True, type=click.Path(path_type=Path), help="The folder to write to.")
def command(output: Path) -> None:
    """Write the page as a static folder that any web server can hand out.

    The engine runs in the visitor's browser.  Building needs Node and npm, using needs neither; nothing comes from
    elsewhere when the page is used.
    """
    from symderiv.web.site import build

    sizes = build(output, told=lambda text: click.echo(text, err=True))
    total = sum(sizes.values())
    for name, size in sorted(sizes.items(), key=lambda entry: -entry[1])[:8]:
        click.echo(f"{size / 1e6:8.2f} MB  {name}")
    click.echo(f"{total / 1e6:8.2f} MB  in {len(sizes)} files: {output / 'index.html'}")
    click.echo("browsers run it from a web server only, such as: " + f"python -m http.server -d {output}")
