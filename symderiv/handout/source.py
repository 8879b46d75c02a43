"""A handout's source: Markdown with front matter and fenced `symderiv` blocks.

Blocks under one heading share their names; a heading starts afresh.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from symderiv.errors import ParseError, Place, UnsupportedError
from symderiv.handout.frontmatter import KEYS, read_front_matter
from symderiv.handout.options import SOLUTION
from symderiv.render.model import TexClass

FENCE = re.compile(r"^(`{3,}|~{3,})\s*(\S*)\s*$")
KINDS = {"symderiv": "block", "symderiv-diagram": "diagram"}
HEADING = re.compile(r"^#{1,6}\s")
TITLE = re.compile(r"^#\s+(.*?)\s*#*$", re.MULTILINE)
FENCED = re.compile(r"^(`{3,}|~{3,}).*?(^\1|\Z)", re.MULTILINE | re.DOTALL)
MARKED = re.compile(r"[$`*_\[\]<>\\]")  # a title is words
PLAIN = (
    "language", "detail", "variant", "layout", "numbering", "appendix", "checks", "translates",
)  # fmt: skip


@dataclass(frozen=True)
class Passage:
    """A stretch of the source: `kind` is prose or block; `fresh` where a heading starts new names."""

    kind: str
    text: str
    line: int
    fresh: bool = False


@dataclass(frozen=True)
class Source:
    """A source as read."""

    name: str
    title: str
    author: str = ""
    language: str = "en"
    detail: str = "normal"
    convention: str | None = ""  # none where no box is wanted
    display: Mapping[str, str] = field(default_factory=dict)
    passages: tuple[Passage, ...] = ()
    path: str = ""
    superscript: tuple[str, ...] = ()  # the families whose label stands above: w^{(l)}
    variant: str = "solution"
    layout: str = "array"
    numbering: str = "none"
    indices: tuple[str, ...] = ()  # the letters that proofs take for indices of their own
    symbols: bool = True  # a table of symbols
    appendix: bool = False  # the generated code at the end
    checks: bool = False  # a table of numeric checks at the end
    tex: TexClass = field(default_factory=TexClass)
    translates: str = ""
    preamble: Path | None = None  # the file of LaTeX that the front matter names
    meanings: Mapping[str, str] = field(default_factory=dict)  # what symbols mean, in the author's words
    text: str = ""

    def with_options(self, **chosen: str | None) -> Source:
        """Return the source with what was chosen in place of what its front matter says; None chooses nothing."""
        found = {name: value for name, value in chosen.items() if value is not None}
        for name, value in found.items():
            fault, hint = KEYS[name].fault(name, value)
            if fault:
                raise UnsupportedError(fault, hint=hint)
        return replace(self, **found)  # type: ignore[arg-type]

    @property
    def file_name(self) -> str:
        """Return the name of what is built, without the format: an exercise leaves the solution where it is."""
        return self.name if self.variant == SOLUTION else f"{self.name}-{self.variant}"


def read_source(text: str, path: Path) -> Source:
    r"""Return a source with its front matter and passages.

    >>> source = read_source(
    ...     "---\ntitle: T\n---\n# One\n\n```symderiv\nx: (n,)\n```\n", Path("t.md")
    ... )
    >>> [p.kind for p in source.passages], source.title
    (['prose', 'block'], 'T')
    """
    lines = text.splitlines()
    head, start = read_front_matter(lines, path)
    if "title" not in head:
        title, lines = _titled(lines, start)
        head = {**head, **title}
    author = head.get("author", "")
    convention = head.get("convention", "")
    symbols = head.get("symbols", True)
    plain = {name: head[name] for name in PLAIN if name in head}
    return Source(
        path.stem,
        str(head.get("title", path.stem)),
        ", ".join(map(str, author)) if isinstance(author, list) else author,
        convention=None if convention is False else convention,
        display={str(k): str(v) for k, v in head.get("display", {}).items()},
        passages=tuple(_passages(lines, start)),
        path=str(path),
        superscript=tuple(map(str, head.get("superscript", ()))),
        indices=tuple(head.get("indices", ())),
        symbols=symbols is not False,
        tex=_tex_class(head, lines, path),
        preamble=path.parent / head["preamble"] if "preamble" in head else None,
        meanings={str(k): str(v) for k, v in symbols.items()} if isinstance(symbols, dict) else {},
        text=text,
        **plain,
    )


def _titled(lines: list[str], start: int) -> tuple[dict[str, str], list[str]]:
    """Return the title that stands above everything else as the only heading of its level, and the lines without it."""
    first = next((n for n in range(start, len(lines)) if lines[n].strip()), None)
    found = TITLE.match(lines[first]) if first is not None else None
    if first is None or found is None or MARKED.search(found[1]):
        return {}, lines
    if len(TITLE.findall(FENCED.sub("", "\n".join(lines[start:])))) > 1:
        return {}, lines
    return {"title": found[1]}, [*lines[:first], "", *lines[first + 1 :]]


def _tex_class(head: Mapping[str, Any], lines: list[str], path: Path) -> TexClass:
    """Return how LaTeX is to be set, with the text of the preamble."""
    preamble = ""
    if "preamble" in head:
        own = path.parent / head["preamble"]
        try:
            preamble = own.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as err:
            line = next(n for n, text in enumerate(lines, 1) if text.lstrip().startswith("preamble"))
            place = Place("\n".join(lines), line=line, source=str(path))
            raise ParseError(f"the preamble cannot be read: {err}", place=place) from None
    options = tuple(map(str, head.get("classoptions", ())))
    width = float(head.get("textwidth", 0))
    return TexClass(head.get("documentclass", ""), options, preamble, width, str(path.parent))


def _passages(lines: list[str], start: int) -> list[Passage]:
    found: list[Passage] = []
    prose: list[str] = []
    first, fresh, n = start, False, start

    def close() -> None:
        text = "\n".join(prose).strip("\n")
        if text.strip():
            found.append(Passage("prose", text, first + 1))
        prose.clear()

    while n < len(lines):
        fence = FENCE.match(lines[n])
        if fence:
            end = _fence_end(lines, n, fence.group(1))
            if fence.group(2) in KINDS:
                close()
                found.append(Passage(KINDS[fence.group(2)], "\n".join(lines[n + 1 : end]), n + 2, fresh))
                fresh = False
                first = end + 1
            else:
                prose += lines[n : end + 1]
            n = end + 1
            continue
        if HEADING.match(lines[n]):
            fresh = True
        if not prose:
            first = n
        prose.append(lines[n])
        n += 1
    close()
    return found


def _fence_end(lines: list[str], start: int, mark: str) -> int:
    for n in range(start + 1, len(lines)):
        if lines[n].strip().startswith(mark) and not lines[n].strip().strip(mark[0]):
            return n
    return len(lines)
