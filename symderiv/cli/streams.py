"""What goes to a terminal, a file or a pipe: colours, marks, JSON."""

from __future__ import annotations

import json
import math
import os
import shutil
import sys
from collections.abc import Mapping
from typing import Any, TextIO

import click

MARKS = {
    "proved": "✓",
    "agrees": "✓",
    "approximation": "≈",
    "refuted": "✗",
    "rejected": "✗",
    "undecided": "?",
}
PAGE = 88  # columns where there is no terminal
COLOURS = {"✓": "green", "≈": "cyan", "✗": "red", "?": "yellow"}


def survive_narrow_encodings() -> None:
    """Print a question mark for what the terminal's encoding lacks, rather than fail."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="replace")


def colourful(stream: TextIO) -> bool:
    """Tell whether colours go to a stream: to a terminal that wants them."""
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def columns() -> int:
    """Return the width of the terminal; of a file or a pipe, a page's."""
    return shutil.get_terminal_size((PAGE, 24)).columns if sys.stdout.isatty() else PAGE


def styled(text: str, colour: str | None = None, *, stream: TextIO | None = None, **style: bool) -> str:
    """Return a text in a colour or a style where standard output, or the stream named, shows one."""
    return click.style(text, fg=colour, **style) if colourful(stream or sys.stdout) else text


def dim(text: str) -> str:
    """Return what stands in the background."""
    return styled(text, dim=True)


def marked(status: str, text: str) -> str:
    """Return a text after the mark of a status."""
    mark = MARKS.get(status, "?")
    return styled(f"{mark} {text}", COLOURS[mark], bold=True)


def print_json(record: Mapping[str, Any]) -> None:
    """Print one JSON object on a line of its own."""
    click.echo(json.dumps(plain_data(record), default=str))


def plain_data(value: Any) -> Any:
    """Return what JSON can hold: numbers that are no numbers become texts."""
    match value:
        case float() if not math.isfinite(value):
            return str(value)
        case Mapping():
            return {str(key): plain_data(part) for key, part in value.items()}
        case list() | tuple():
            return [plain_data(part) for part in value]
    return value
