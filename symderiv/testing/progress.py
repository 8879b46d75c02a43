"""How far a long run has come, on the error stream: a line that moves in a terminal, a line now and then elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic

import click

EVERY = 50_000  # cases from one line to the next, where there is no terminal
SECONDS = 1.0  # from one look of the line in a terminal to the next

Told = Callable[[int, int], None]


@contextmanager
def progress(cases: int, what: str) -> Iterator[Told]:
    """Give the function that is told after each case how many are done, and how many of them were findings.

    `cases` is how many there will be, 0 where that is not known.
    """
    if sys.stderr.isatty():
        yield from _moving(cases, what)
    else:
        yield _lines(cases, what)


def _lines(cases: int, what: str) -> Told:
    begin = monotonic()

    def told(done: int, findings: int) -> None:
        if done % EVERY == 0:
            whole = f" of {cases}" if cases else ""
            click.echo(f"{done}{whole} {what}, {findings} findings, {monotonic() - begin:.0f} s", err=True)

    return told


def _moving(cases: int, what: str) -> Iterator[Told]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (BarColumn(), MofNCompleteColumn(), TextColumn(what + ", {task.fields[findings]} findings"),
               TimeElapsedColumn())  # fmt: skip
    above = sys.stdout.isatty()  # what is printed meanwhile would stand beside the line
    console = Console(stderr=True)
    with Progress(
        *columns, console=console, transient=True, refresh_per_second=1 / SECONDS, redirect_stdout=above
    ) as shown:
        task = shown.add_task("", total=cases or None, findings=0)
        last = monotonic()

        def told(done: int, findings: int) -> None:
            nonlocal last
            if monotonic() - last > SECONDS:
                shown.update(task, completed=done, findings=findings)
                last = monotonic()

        yield told
