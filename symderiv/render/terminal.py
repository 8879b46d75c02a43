"""Proofs as text for a terminal: aligned at the relation signs, and wrapped to a width.

Widths are counted in columns: a letter of Japanese takes two, an accent none.  What stands in a line of its own
where there is room for it (the reason at the right, the left side before the relation) moves to another line where
there is none; a side that is too long even alone is broken before its signs, outside of brackets first.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rich.cells import cell_len

from symderiv.render.model import Line, ProofView
from symderiv.render.plain import Plain

WIDTH = 88  # where nothing is known of a terminal
MARGIN = 2
GAP = 3  # before a reason
HANG = 4  # of the second line of a long side
NARROWEST = 24  # columns of a right side beside its reasons, at least
SHORT_REASON = 20  # columns that a reason has beside its line, at least
SIGNS = ("+", "−", "·", "⊙", "⊗", "=", "≈", "/")
OPENERS = ("Σ", "Π", "∂/", "√")
CHECKED = "□"
EAST_ASIAN = r"\u2e80-\u9fff\uff00-\uffef"
PIECES = re.compile(rf"[{EAST_ASIAN}][、。）」：]?|[^\s{EAST_ASIAN}]+\s*|\s+")  # what no line ends inside of


@dataclass(frozen=True)
class Row:
    """`left relation right`, with its reason: all of it text."""

    left: str
    relation: str
    right: str
    reason: str = ""


@dataclass(frozen=True)
class Printed:
    """One line of the terminal: what it says, filled up to the column of the reasons, and the reason."""

    text: str
    reason: str = ""

    def __str__(self) -> str:
        return f"{self.text}{self.reason}".rstrip()


def proof_text(views: Sequence[ProofView], width: int = WIDTH) -> list[list[Printed]]:
    r"""Return each chain of a proof as lines of text; a box □ closes one whose steps are checked.

    >>> view = ProofView(
    ...     (Line(r"\partial f", "=", "2\\,u_{j}", "power rule"), Line("", "=", "v_{j}")), True
    ... )
    >>> for line in proof_text([view])[0]:
    ...     print(line)
      ∂f = 2 uⱼ   power rule
         = vⱼ     □
    """
    shown = [view for view in views if view.lines or view.parts]
    rows = _rows(shown, small=True) or _rows(shown, small=False) or []
    return [[*_introduced(view, width), *laid_out(chain, width)] for view, chain in zip(shown, rows, strict=True)]


def _introduced(view: ProofView, width: int) -> Iterator[Printed]:
    """Yield what a proof says before its first line."""
    words = Plain(small=False).text(view.intro) if view.intro else ""
    yield from (Printed(" " * MARGIN + piece) for piece in broken(words, width - MARGIN) if piece)


def _rows(views: Sequence[ProofView], small: bool) -> list[list[Row]] | None:
    """Return all lines as text; None where small indices are wanted and a letter has no small form."""
    plain = Plain(small)
    found = [[_row(line, plain) for line in view.all_lines] for view in views]
    for view, rows in zip(views, found, strict=True):
        if view.checked and rows:
            last = rows[-1]
            rows[-1] = Row(last.left, last.relation, last.right, f"{last.reason}   {CHECKED}".strip())
    return None if small and plain.missed else found


def _row(line: Line, plain: Plain) -> Row:
    return Row(plain(line.left), plain(line.relation) or "=", plain(line.right), plain.text(line.reason))


def laid_out(rows: Sequence[Row], width: int = WIDTH) -> list[Printed]:
    """Return a chain of equalities as lines, none wider than `width` where that can be had."""
    left = max(cell_len(row.left) for row in rows)
    if MARGIN + left + NARROWEST > width * 2 // 3:  # the left sides stand above
        left = 0
    start = MARGIN + left + 1 + max(cell_len(row.relation) for row in rows) + 1
    reasons = min(max(cell_len(row.reason) for row in rows), max(width // 3, SHORT_REASON))
    room = max(width - start, NARROWEST)
    beside = room - GAP - reasons if reasons else room
    fitting = [w for row in rows if (w := cell_len(row.right)) <= beside]
    column = start + (max(fitting) if fitting else beside) + GAP if beside >= NARROWEST or fitting else 0
    return [line for row in rows for line in _lines(row, left, start, room, column)]


def _lines(row: Row, left: int, start: int, room: int, column: int) -> Iterator[Printed]:
    """Yield the lines of one row: its left side, its right side in pieces, the reason beside or below."""
    front = ""
    if row.left and cell_len(row.left) > left:
        yield Printed(" " * MARGIN + row.left)
    else:
        front = row.left
    head = " " * (MARGIN + left - cell_len(front)) + f"{front} {row.relation}"
    head += " " * (start - cell_len(head))
    pieces = broken(row.right, room, HANG)
    texts = [head + pieces[0], *(" " * (start + HANG) + piece for piece in pieces[1:])]
    yield from (Printed(text) for text in texts[:-1])
    if not row.reason:
        yield Printed(texts[-1])
    elif column and cell_len(texts[-1]) <= column - GAP and column + cell_len(row.reason) <= start + room:
        yield Printed(_filled(texts[-1], column), row.reason)
    else:
        yield Printed(texts[-1])
        first, *more = broken(row.reason, room - HANG - 2)
        yield Printed(" " * (start + HANG), f"— {first}")
        yield from (Printed(" " * (start + HANG), f"  {piece}") for piece in more)


def _filled(text: str, column: int) -> str:
    return text + " " * (column - cell_len(text))


def broken(text: str, room: int, hang: int = 0) -> list[str]:
    """Return a text in pieces that fit in a room, from the second on less by `hang`; a word is never broken.

    >>> broken("Σₖ (aₖ + bₖ) cₖ + dₖ eₖ", 18)
    ['Σₖ (aₖ + bₖ) cₖ', '+ dₖ eₖ']
    """
    pieces = []
    while cell_len(text) > room:
        cut = _cut(text, room)
        if cut is None:
            break
        pieces.append(text[:cut].rstrip())
        text = text[cut:].lstrip()
        room -= hang if len(pieces) == 1 else 0
    return [*pieces, text]


def wrapped(words: str, room: int) -> list[str]:
    """Return words in lines as long as there is room; between letters of Japanese a line may end anywhere.

    >>> wrapped("one two three", 8)
    ['one two', 'three']
    """
    lines = [""]
    for piece in PIECES.findall(words):
        if lines[-1] and cell_len((lines[-1] + piece).rstrip()) > room:
            lines[-1] = lines[-1].rstrip()
            lines.append("")
        lines[-1] += piece
    return [*lines[:-1], lines[-1].rstrip()]


def _cut(text: str, room: int) -> int | None:
    """Return where a text is broken: at the outermost brackets, before a sign, as far right as there is room."""
    best: tuple[tuple[int, bool, int], int] | None = None
    depth, width, word = 0, 0, 0
    for place, char in enumerate(text):
        depth += (char in "([{") - (char in ")]}")
        if char == " " and width > 0:
            if width > room:
                break
            sign = text[place + 1 : place + 2] in SIGNS
            opens = text.startswith(OPENERS, word) or text[word:place] in SIGNS  # what follows belongs to it
            rank = (2 * (width < room // 4) + depth + 2 * opens, not sign, -place)
            best = min(best or (rank, place), (rank, place))
            word = place + 1
        width += cell_len(char)
    if best is not None:
        return best[1]
    after = text.find(" ", 1)
    return after if after > 0 else None


__all__ = ["CHECKED", "WIDTH", "Printed", "Row", "broken", "laid_out", "proof_text", "wrapped"]
