"""One family of exceptions: what was read, where, the shapes involved, and what to do about it.

Everything a user can cause is a :class:`SymderivError`.  Its first line says what is wrong; below it
stand the input with a mark under the place, the shapes, and the remedy.
"""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Place:
    """A stretch of the user's text: columns count from 0, lines from 1.

    >>> print(Place("A @ b", column=2, end=3).shown())
      A @ b
        ^
    """

    text: str
    column: int = 0
    end: int | None = None
    line: int = 1
    source: str = ""

    WIDTH = 88

    def shown(self) -> str:
        """Return the line of the text with a mark under the stretch, long lines cut around it."""
        lines = re.split(r"\r\n|\r|\n", self.text)  # as Python counts them
        line = _printable(lines[min(self.line, len(lines)) - 1])
        end = max(self.column + 1, self.end if self.end is not None else self.column + 1)
        start = max(0, self.column - self.WIDTH // 2)
        cut = line[start : start + self.WIDTH]
        mark = "^" * max(1, min(end, start + self.WIDTH) - self.column)
        return f"  {cut}\n  {' ' * (self.column - start)}{mark}"

    def named(self) -> str:
        """Return `file, line, column` as a reader counts them (from 1)."""
        name = f"{self.source}, " if self.source else ""
        return f"{name}line {self.line}, column {self.column + 1}"


def _printable(text: str) -> str:
    """Return a text of the same length without characters that do not show or that turn the others around."""
    return "".join(c if c.isprintable() else " " if c == "\t" else "\N{REPLACEMENT CHARACTER}" for c in text)


def _cut(text: str, most: int = 600) -> str:
    """Return a text without its middle where it is far too long to be read."""
    return text if len(text) <= most else f"{text[: most // 2]} … {text[-most // 4 :]}"


class SymderivError(Exception):
    """Base of every error that a user's input can cause."""

    def __init__(
        self,
        message: str,
        *,
        place: Place | None = None,
        shapes: dict[str, str] | None = None,
        hint: str = "",
    ) -> None:
        super().__init__(message)
        self.message = message
        self.place = place
        self.shapes = dict(shapes or {})
        self.hint = hint

    def at(self, place: Place) -> SymderivError:
        """Return this error with its place, unless a nearer one is known already."""
        if self.place is None:
            self.place = place
        return self

    def __str__(self) -> str:
        parts = [_cut(self.message)]
        if self.place is not None:
            parts[0] += f" ({self.place.named()})"
            parts.append(self.place.shown())
        parts += [f"  {name}: shape {shape}" for name, shape in self.shapes.items()]
        if self.hint:
            parts.append(f"  hint: {_cut(self.hint)}")
        return "\n".join(parts)

    def __reduce__(self) -> tuple[object, ...]:
        return (_rebuild, (type(self), self.message, self.place, self.shapes, self.hint))


def _rebuild(
    kind: type[SymderivError], message: str, place: Place | None, shapes: dict[str, str], hint: str
) -> SymderivError:
    return kind(message, place=place, shapes=shapes, hint=hint)


class ParseError(SymderivError):
    """The text is not in the language."""


class UnknownNameError(ParseError):
    """A name that was not declared."""


class ShapeError(SymderivError):
    """Shapes that do not fit the operation."""


class UnsupportedError(SymderivError):
    """Understood, but outside of what symderiv can do; never answered with a guess."""


class ProofError(SymderivError):
    """A step of a proof that the kernel does not accept."""
