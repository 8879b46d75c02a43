"""Diagrams in handouts: a fence ``symderiv-diagram`` draws what its section has defined up to there.

Derivatives flow back to what the section differentiates in, wherever it does; lines in the fence say otherwise::

    ```symderiv-diagram
    of: L
    wrt: theta, h[0]
    ```
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from symderiv.diagrams.diagram import Diagram
from symderiv.diagrams.opened import of_sheet
from symderiv.errors import ParseError, Place
from symderiv.render.latex import Latex
from symderiv.render.model import DiagramView
from symderiv.sheet import Sheet
from symderiv.statements.block import Statement

FENCE = "symderiv-diagram"
KEYS = {"of": "the function", "wrt": "the arrays to differentiate in, parted by commas"}
NAMED = ("declare", "define")


@dataclass(frozen=True)
class Request:
    """A fence as read: what is drawn, how many statements stand before it, and the block of the document it fills."""

    line: int
    text: str
    before: int
    place: int

    def choices(self, source: str) -> dict[str, str]:
        """Return what the lines choose; anything else in them is an error that shows where."""
        found: dict[str, str] = {}
        lines = self.text.split("\n")
        for number, line in enumerate(lines):
            key, colon, value = (part.strip() for part in line.partition(":"))
            if not line.strip():
                continue
            if not colon or key not in KEYS or key in found or not value:
                column = len(line) - len(line.lstrip())
                place = Place("\n" * (self.line - 1) + self.text, column, len(line), self.line + number, source)
                said = f"{key} stands here twice" if key in found else f"{line.strip()!r} says nothing about a diagram"
                hint = "; ".join(f"{k}: {what}" for k, what in KEYS.items())
                raise ParseError(said, place=place, hint=hint)
            found[key] = value
        return found


def drawn(request: Request, sheet: Sheet, latex: Latex, language: str, file: str) -> DiagramView:
    """Return the picture of a fence, finished in each format."""
    choices = request.choices(sheet.source)
    wrt = [name.strip() for name in choices["wrt"].split(",")] if "wrt" in choices else None
    graph = of_sheet(sheet.names, _statements(sheet.statements, request.before), latex, wrt, choices.get("of"))
    if not graph.nodes:
        raise ParseError("there is nothing to draw", hint="a diagram stands after the definitions of its section")
    d = Diagram(graph, language)
    return DiagramView(
        d.svg(), d.tikz(), d.typst_with_latex(), d.caption, d.title, file, d.placed.width, d.placed.height
    )


def _statements(statements: Sequence[Statement], before: int) -> list[Statement]:
    """Return what is named up to a place, and all that is said of it; of what begins with its picture, everything."""
    if not any(s.kind in NAMED for s in statements[:before]):
        return list(statements)
    return [*statements[:before], *(s for s in statements[before:] if s.kind not in NAMED)]


__all__ = ["FENCE", "Request", "drawn"]
