"""The built-in handouts and the cookbook as examples: their blocks under their headings, to be searched."""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from symderiv.errors import UnsupportedError
from symderiv.handout.source import read_source
from symderiv.web.asked import Asked

BUILT_IN = "symderiv.handout"
FOLDER = "builtin"
LABEL = re.compile(r"^\s*assert .*, \"([^\"]*)\"\s*$", re.MULTILINE)
HEADING = re.compile(r"^(#{1,6})\s+(.*?)\s*$", re.MULTILINE)
FOLLOWING = re.compile(r"\s+")
MOST_WORDS = 280  # characters of the prose above a block


def listed(question: Asked) -> dict[str, Any]:
    """Return all examples in a language: English where a handout has no translation."""
    return {"examples": [{k: v for k, v in e.items() if k != "text"} for e in examples(question.language)]}


def one(question: Asked) -> dict[str, Any]:
    """Return one example with its statements."""
    found = next((e for e in examples(question.language) if e["name"] == question.name), None)
    if found is None:
        raise UnsupportedError(f"no example is called {question.name!r}")
    return dict(found)


@cache
def examples(language: str) -> tuple[dict[str, str], ...]:
    """Return every section of the built-in handouts that has blocks."""
    entries = sorted((files(BUILT_IN) / FOLDER).iterdir(), key=lambda e: e.name)  # on disk, or in an archive
    sources = [read_source(e.read_text("utf-8"), Path(e.name)) for e in entries if e.name.endswith(".md")]
    translated = {s.translates or _stem(s.name) for s in sources if s.language == language}
    wanted = [
        s for s in sources
        if s.language == language or (s.language == "en" and s.name not in translated)
    ]  # fmt: skip
    return tuple(example for s in wanted for example in _sections(s))


def _stem(name: str) -> str:
    return re.sub(r"-(en|de|ja)$", "", name)


def _sections(source: Any) -> list[dict[str, str]]:
    """Return the sections of a handout: blocks that share their names make one example."""
    found: list[dict[str, str]] = []
    heading, above = "", ""
    for passage in source.passages:
        if passage.kind == "prose":
            titles = HEADING.findall(passage.text)
            if titles:
                heading = titles[-1][1]
            above = HEADING.split(passage.text)[-1] if titles else passage.text
            continue
        if found and not passage.fresh and found[-1]["heading"] == heading:
            found[-1]["text"] += f"\n{passage.text}"
        else:
            words = FOLLOWING.sub(" ", above).strip()
            found.append({
                "name": f"{source.name}.{len(found)}", "handout": source.title, "heading": heading or source.title,
                "words": words if len(words) <= MOST_WORDS else words[:MOST_WORDS].rsplit(" ", 1)[0] + " …",
                "text": passage.text,
            })  # fmt: skip
        found[-1]["labels"] = " · ".join(LABEL.findall(found[-1]["text"]))
    return found


ANSWERS = {"examples": listed, "example": one}
