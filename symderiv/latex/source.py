"""The text of a derivation, its tokens, and where in it something stands."""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass, field
from functools import cached_property
from typing import NoReturn

from lark import Token

from symderiv.errors import ParseError, Place


@dataclass(frozen=True)
class Within:
    """The text that LaTeX stands in, and the line and the column where it begins there."""

    text: str
    line: int
    column: int


@dataclass
class Layout:
    """The tokens of a text, and the remarks that were left out, each at the offset where it stood."""

    text: str
    source: str = ""
    within: Within | None = None
    tokens: list[Token] = field(default_factory=list)
    remarks: list[tuple[int, str]] = field(default_factory=list)

    @cached_property
    def starts(self) -> list[int]:
        """Return where each line begins."""
        return [0, *(m.end() for m in re.finditer("\n", self.text))]

    def place(self, start: int, end: int | None = None) -> Place:
        """Return a stretch of the text, as far as it stands on one line."""
        line = bisect_right(self.starts, start)
        first = self.starts[line - 1]
        last = self.starts[line] - 1 if line < len(self.starts) else len(self.text)
        stop = min(end if end is not None else start + 1, last)
        outer = self.within
        if outer is None:
            return Place(self.text, start - first, stop - first, line, self.source)
        shift = outer.column - first if line == 1 else -first
        return Place(outer.text, start + shift, stop + shift, line + outer.line - 1, self.source)

    def syntax_place(self, start: int, end: int) -> tuple[int, int, int]:
        """Return the line and the columns, in bytes, of a stretch, as syntax trees have them."""
        place = self.place(start, end)
        line = self.lines[place.line - 1] if place.line <= len(self.lines) else ""
        return place.line, len(line[: place.column].encode()), len(line[: place.end].encode())

    @cached_property
    def lines(self) -> list[str]:
        """Return the lines of the text that places count in."""
        return (self.within.text if self.within is not None else self.text).split("\n")

    def refuse(self, start: int, end: int | None, message: str, hint: str = "") -> NoReturn:
        """Raise a parse error at a stretch of the text."""
        raise ParseError(message, place=self.place(start, end), hint=hint)
