"""Numbers of equations, and what refers to them.

In prose an ordinary link leads to a claim: `[the gradient](#L2)`; without words, `[](#L2)`, it prints the number of
the equation. In proofs "by (L1)" names the same number.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from urllib.parse import unquote

from symderiv.render import inline
from symderiv.render.model import ClaimView, Line, ProofView

# what keeps its characters, then links to a place of the document
_LINK = re.compile(
    r"(?P<kept>\\.|(?P<ticks>`+).*?(?P=ticks)|\$[^$\n]+\$)|\[(?P<words>[^\[\]]*)\]\(#(?P<target>[^)\s]+)\)"
)
_FENCE = re.compile(r"^(`{3,}|~{3,})")


class Numbering:
    """Gives out the numbers of one document, in order."""

    def __init__(self, style: str) -> None:
        self.style = style
        self.count = 0
        self.here: dict[str, str] = {}  # of the claims that a proof may name, by their labels
        self.shown: dict[str, list[str]] = {}  # of all claims, by their labels

    def start_afresh(self) -> None:
        """Begin a section: proofs name claims of their own section only."""
        self.here = {}

    def numbered(self, view: ClaimView) -> ClaimView:
        """Return a claim with its number, and with the numbers of what its proofs name."""
        label = view.label.split()[0] if view.label.split() else ""
        number = self.number(label) if view.statement else ""
        if label:
            self.shown.setdefault(label, []).append(number or label)
        proofs = tuple(self.renamed(p) for p in view.proofs)
        if number:
            self.here[view.id] = number
        return replace(view, tag=number, proofs=proofs)

    def number(self, label: str) -> str:
        """Return the number of an equation: its label where labels are wanted and it has one."""
        if self.style == "none":
            return ""
        if self.style == "labels" and label:
            return label
        self.count += 1
        return str(self.count)

    def renamed(self, proof: ProofView) -> ProofView:
        """Return a proof that names equations by their numbers."""
        parts = tuple(replace(part, lines=self.lines(part.lines)) for part in proof.parts)
        cites = tuple(f"({n})" if (n := self.here.get(c, c)) != c else c for c in proof.cites)
        return replace(proof, lines=self.lines(proof.lines), parts=parts, cites=cites)

    def lines(self, lines: tuple[Line, ...]) -> tuple[Line, ...]:
        return tuple(replace(line, reason=in_words(line.reason, self.here)) for line in lines)


def in_words(text: str, numbers: Mapping[str, str]) -> str:
    """Return a text with `(L1)` replaced by the number of L1, formulas left alone.

    >>> in_words("by (L1), $(L1)$", {"L1": "3"})
    'by (3), $(L1)$'
    """

    def words(piece: str) -> str:
        return re.sub(r"\(([^()]+)\)", lambda m: f"({numbers[m[1]]})" if m[1] in numbers else m[0], piece)

    return inline.convert(text, words, lambda latex: f"${latex}$")


def links(markdown: str) -> Iterator[tuple[int, int, str]]:
    """Yield where the prose links to a place of the document: the line and column, from 0, and its name."""
    for n, line, spoken in _lines(markdown):
        if spoken:
            yield from ((n, m.start(), unquote(m["target"])) for m in _LINK.finditer(line) if m["target"])


def linked(markdown: str, numbers: Mapping[str, str]) -> str:
    """Return prose in which a link without words to a claim has its number as its words.

    >>> linked("by [](#L2), `[](#L2)`", {"L2": "2"})
    'by [(2)](#L2), `[](#L2)`'
    """

    def filled(m: re.Match[str]) -> str:
        target = unquote(m["target"] or "")
        return f"[({numbers[target]})](#{m['target']})" if m["words"] == "" and target in numbers else m[0]

    return "\n".join(_LINK.sub(filled, line) if spoken else line for _, line, spoken in _lines(markdown))


def _lines(markdown: str) -> Iterator[tuple[int, str, bool]]:
    """Yield the lines of prose, and whether a line is text, not code."""
    fence = ""
    for n, line in enumerate(markdown.split("\n")):
        mark = _FENCE.match(line)
        yield n, line, not fence and mark is None
        if mark and not fence:
            fence = mark[1]
        elif fence and line.strip().startswith(fence) and not line.strip().strip(fence[0]):
            fence = ""
