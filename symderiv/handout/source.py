"""A handout's source: Markdown with front matter and fenced `symderiv` blocks.

Blocks under one heading share their names; a heading starts afresh.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from symderiv.errors import ParseError, Place

DETAILS = ("brief", "normal", "full")
FENCE = re.compile(r"^(`{3,}|~{3,})\s*(\S*)\s*$")
HEADING = re.compile(r"^#{1,6}\s")
KEYS = frozenset(["title", "author", "language", "detail", "display", "superscript", "convention"])

KINDS: dict[str, tuple[type, str]] = {
    "display": (dict, "a table of names and how they print"),
    "superscript": (list, "a list of families whose label stands above, such as [w, a, z]"),
}


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
    convention: str = ""
    display: Mapping[str, str] = field(default_factory=dict)
    passages: tuple[Passage, ...] = ()
    path: str = ""
    superscript: tuple[str, ...] = ()  # the families whose label stands above: w^{(l)}


def read_source(text: str, path: Path) -> Source:
    r"""Return a source with its front matter and passages.

    >>> source = read_source(
    ...     "---\ntitle: T\n---\n# One\n\n```symderiv\nx: (n,)\n```\n", Path("t.md")
    ... )
    >>> [p.kind for p in source.passages], source.title
    (['prose', 'block'], 'T')
    """
    lines = text.splitlines()
    head, start = _front_matter(lines, path)
    passages = tuple(_passages(lines, start))
    title = str(head.get("title", path.stem))
    return Source(
        path.stem,
        title,
        str(head.get("author", "")),
        str(head.get("language", "en")),
        str(head.get("detail", "normal")),
        str(head.get("convention", "")),
        {str(k): str(v) for k, v in (head.get("display") or {}).items()},
        passages,
        str(path),
        tuple(map(str, head.get("superscript") or ())),
    )


def _front_matter(lines: list[str], path: Path) -> tuple[dict[str, Any], int]:
    if not lines or lines[0].strip() != "---":
        return {}, 0
    end = next((n for n, line in enumerate(lines[1:], 1) if line.strip() == "---"), None)
    if end is None:
        raise ParseError(
            "the front matter has no end", place=Place(lines[0], source=str(path)), hint="close it with ---"
        )
    try:
        head = yaml.safe_load("\n".join(lines[1:end])) or {}
    except yaml.YAMLError as err:
        mark = getattr(err, "problem_mark", None)
        line = (mark.line if mark else 0) + 2
        place = Place("\n".join(lines), mark.column if mark else 0, line=line, source=str(path))
        raise ParseError("the front matter cannot be read", place=place) from None
    if not isinstance(head, dict):
        raise ParseError(
            "the front matter is a table of keys and values", place=Place(lines[1], line=1, source=str(path))
        )
    text = "\n".join(lines)
    for key, value in head.items():
        line = next((n for n, x in enumerate(lines[:end], 1) if str(key) in x), 2)
        place = Place(text, line=line, source=str(path))
        if key not in KEYS:
            known = ", ".join(sorted(KEYS))
            raise ParseError(f"unknown key {key!r} in the front matter", place=place, hint=f"known are {known}")
        kind, wanted = KINDS.get(str(key), (str, "a text"))
        if not isinstance(value, kind):
            raise ParseError(f"{key} is {wanted}", place=place)
        if key == "detail" and value not in DETAILS:
            raise ParseError(f"unknown detail {value!r}", place=place, hint="choose brief, normal or full")
    return head, end + 1


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
            if fence.group(2) == "symderiv":
                close()
                found.append(Passage("block", "\n".join(lines[n + 1 : end]), n + 2, fresh))
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
