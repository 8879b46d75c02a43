"""`symderiv serve`: the page, on this machine."""

from __future__ import annotations

import click


@click.command("serve")
@click.option("--port", default=8000, show_default=True, type=click.IntRange(0, 65535),
              help="Where to listen; 0 takes a port that is free.")  # fmt: skip
@click.option("--host", default="127.0.0.1", show_default=True, metavar="ADDRESS",
              help="Another address than this machine's own makes the page reachable for others.")  # fmt: skip
@click.option("--name", "names", multiple=True, metavar="NAME",
              help="A further name that the server answers to, such as one behind a proxy.")  # fmt: skip
@click.option("--seconds", default=20.0, show_default=True, type=click.FloatRange(1, 3600),
              help="After how long a question is given up.")  # fmt: skip
@click.option("--no-browser", is_flag=True, help="Do not open the page.")
def command(port: int, host: str, names: tuple[str, ...], seconds: float, no_browser: bool) -> None:
    """Open the page: derive, check and copy in a browser.

    The server listens on this machine only, keeps nothing, and ends with Ctrl-C.
    """
    from symderiv.web.server import is_loopback, run
    from symderiv.web.workers import Limits

    if not is_loopback(host):
        click.echo(f"Others can reach this page at {host}: who can, can use this machine's time.", err=True)
    limits = Limits(seconds=seconds)
    run(host, port, names, limits, opening=not no_browser, told=lambda address: click.echo(f"{address}  (Ctrl-C ends)"))
