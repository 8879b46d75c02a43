"""Tables of measurements, for the terminal and for Markdown."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table

Cells = tuple[str, ...]


@dataclass(frozen=True)
class Printed:
    """A table with its notes; the first `left` columns are words, the others numbers."""

    title: str
    columns: Cells
    rows: Sequence[Cells]
    notes: Sequence[str]
    left: int = 1

    @property
    def markdown(self) -> str:
        """Return the table as Markdown."""
        rules = ["---" if k < self.left else "--:" for k in range(len(self.columns))]
        lines = ["| " + " | ".join(line) + " |" for line in (self.columns, rules, *self.rows)]
        return "\n".join([f"## {self.title}", "", *(f"- {note}" for note in self.notes), "", *lines, ""])


def show(printed: Printed) -> None:
    """Print a table to the terminal."""
    table = Table(title=printed.title, caption="\n".join(printed.notes), caption_justify="left")
    for k, column in enumerate(printed.columns):
        table.add_column(column, justify="left" if k < printed.left else "right", no_wrap=k == 0)
    for row in printed.rows:
        table.add_row(*row)
    Console(width=None if sys.stdout.isatty() else 180, highlight=False).print(table)
