"""What a document consists of, before any format is chosen.

The engine fills these values; the writers of this package print them. Strings called LaTeX hold
mathematics without dollar signs; strings called text are plain words with ``$…$`` around mathematics,
never LaTeX outside of it.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TypeAlias


@dataclass(frozen=True)
class Line:
    """One line of an aligned proof: ``left relation right``, with its reason at the right."""

    left: str
    """LaTeX of the left side; empty where the chain of equalities goes on."""
    relation: str
    r"""LaTeX of the relation: ``=``, ``\overset{j=l}{=}``, ``\approx``; may be empty."""
    right: str
    """LaTeX of the right side."""
    reason: str = ""
    """Text, with ``$…$`` around mathematics."""
    blank: bool = False
    """Leave the place of the right side empty, to be filled in."""
    steps: tuple[int, ...] = field(default=(), compare=False)
    """Which steps of its chain it writes, counted from 0."""
    rules: tuple[str, ...] = field(default=(), compare=False)
    """The rules of these steps."""


@dataclass(frozen=True)
class Part:
    """A part of a proof: the base of an induction, its step."""

    label: str
    r"""LaTeX: ``t-1\to t:``."""
    lines: tuple[Line, ...]


@dataclass(frozen=True)
class ProofView:
    """One aligned chain of lines. The box □ is printed only where the kernel accepted every step."""

    lines: tuple[Line, ...]
    checked: bool
    intro: str = ""
    """Text before the display."""
    cites: tuple[str, ...] = ()
    """Labels of the lemmas that the lines use."""
    parts: tuple[Part, ...] = ()
    """Parts that follow the lines, in one display; the box closes the last."""

    @property
    def all_lines(self) -> tuple[Line, ...]:
        """The lines as they stand in the display, each part begun by its label."""
        lines = list(self.lines)
        for part in self.parts:
            for place, line in enumerate(part.lines):
                lines.append(line if place else replace(line, left=rf"{part.label}\quad {line.left}"))
        return tuple(lines)


@dataclass(frozen=True)
class Prose:
    """A passage of Markdown, with ``$…$`` and ``$$…$$``."""

    markdown: str


@dataclass(frozen=True)
class ForEach:
    """What is declared and defined for every member of a range."""

    ranges: str
    r"""LaTeX: ``t = 1, \dots, T``."""
    entries: tuple[str, ...]
    """LaTeX each, as in :class:`Definitions`."""


@dataclass(frozen=True)
class Definitions:
    r"""Declarations and definitions, LaTeX each: ``D \in \mathbb{R}^{m\times n}``, ``A = D\,W``."""

    entries: tuple[str | ForEach, ...]


@dataclass(frozen=True)
class ClaimView:
    """A claim with what became of it."""

    id: str
    label: str
    """The label as printed."""
    statement: str
    """LaTeX of the equation; may be empty."""
    status: str
    """``proved``, ``refuted``, ``undecided``, ``approximation``, ``rejected`` or ``agrees``."""
    expected: str
    """The status the author expects; a difference is printed."""
    basis: str
    """What the status rests on: ``kernel``, ``exact``, or text."""
    proofs: tuple[ProofView, ...] = ()
    counterexample: tuple[tuple[str, str], ...] = ()
    """Rows (name, value), both text, of the instance that refutes the claim."""
    correct: str = ""
    """LaTeX of the corrected formula."""
    condition: str = ""
    r"""Text with ``$…$``; or, where it holds a backslash and no dollar sign, LaTeX."""
    remark: str = ""
    """Text."""
    setting: str = ""
    """Text before the statement: for which members it is claimed, under which hypotheses."""
    kind: str = ""
    """The phrase that names it, where it is called neither a claim nor an approximation: ``table``."""
    tag: str = ""
    """The number at the margin of the equation."""
    layouts: tuple[tuple[str, str], ...] = ()
    """Rows (text, LaTeX): the statement as a layout of matrices shows it."""
    quoted: str = ""
    """The line of the source, where it has no equation; shown with a task."""
    task: str = ""
    """Text: what a student is asked to do. What became of the claim is then not told."""
    room: int = 0
    """Lines to write on."""


@dataclass(frozen=True)
class CodeView:
    """Generated Python code."""

    source: str
    caption: str = ""
    """Text."""
    subject: str = ""
    """Text: what the code is for, without what became of it."""
    task: str = ""
    """Text: what a student is asked to do."""
    room: int = 0
    """Lines to write on, after the source."""


@dataclass(frozen=True)
class DiagramView:
    """A picture of a graph, finished in each format."""

    svg: str
    tikz: str
    typst: str
    """Typst in which the mathematics between dollar signs is LaTeX."""
    caption: str
    """Text."""
    title: str
    """Plain words."""
    file: str
    """The name of the SVG that stands beside a document in Markdown."""
    width: float
    height: float
    """In points."""


@dataclass(frozen=True)
class Problem:
    """A block that could not be read: all strings are printed as they are."""

    message: str
    where: str
    line: str = ""
    """The line of the source."""
    hint: str = ""


Block: TypeAlias = Prose | Definitions | ClaimView | CodeView | DiagramView | Problem


@dataclass(frozen=True)
class TexClass:
    """How LaTeX is set, where that is not left to the template."""

    name: str = ""
    """The document class; it keeps its own margins and paragraphs."""
    options: tuple[str, ...] = ()
    preamble: str = ""
    """LaTeX of the author's own, put into the preamble as it is."""
    width: float = 0.0
    """The width of a line in em, by which long lines are broken; 0 for that of the template."""
    folder: str = ""
    """Where LaTeX looks for files of the author's own."""


@dataclass(frozen=True)
class Document:
    """A handout, ready to be printed in any format."""

    title: str
    author: str
    language: str
    """The name of a phrase table: ``en``, ``de``, ``ja``."""
    blocks: tuple[Block, ...]
    convention: str = ""
    """Text of the convention box."""
    symbols: tuple[tuple[str, str, str], ...] = ()
    """Rows: the name as LaTeX, its shape and its meaning as text."""
    subtitle: str = ""
    """The phrase below the title: ``exercises``, ``hints``."""
    tex: TexClass = field(default_factory=TexClass)
