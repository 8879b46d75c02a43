"""Front matter: the table of keys and values at the head of a source, between two lines `---`.

What is no key, or has a value of another kind than its key wants, is refused with its place.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import yaml

from symderiv.errors import ParseError, Place
from symderiv.handout.options import DETAILS, LAYOUTS, NUMBERINGS, VARIANTS

CLASS = r"[A-Za-z0-9._-]+"
CLASS_OPTION = r"[A-Za-z0-9 .=*-]+"
LETTER = r"[A-Za-z]"
SEPARATOR = "---"


@dataclass(frozen=True)
class Key:
    """What a key may have as its value."""

    wanted: str
    kinds: tuple[type, ...] = (str,)
    choices: tuple[str, ...] = ()
    form: str = ""  # of a text, and of every member of a list
    least: float | None = None

    def fault(self, name: str, value: Any) -> tuple[str, str]:
        """Return what is wrong with a value, and the remedy; two empty texts where nothing is."""
        if not isinstance(value, self.kinds) or (isinstance(value, bool) and bool not in self.kinds):
            return f"{name} is {self.wanted}", ""
        if self.choices and value not in self.choices:
            return f"unknown {name} {value!r}", f"choose {', '.join(self.choices[:-1])} or {self.choices[-1]}"
        if self.least is not None and isinstance(value, (int, float)) and not value >= self.least:
            return f"{name} is {self.wanted}, at least {self.least:g}", ""
        parts = value if isinstance(value, list) else [value] if isinstance(value, str) else []
        wrong = next((p for p in parts if self.form and not re.fullmatch(self.form, str(p))), None)
        return ("", "") if wrong is None else (f"{name} is {self.wanted}, and {str(wrong)!r} is none", "")


def _one_of(*choices: str) -> Key:
    return Key(f"one of {', '.join(choices)}", choices=choices)


_YES_OR_NO = Key("true or false", (bool,))
KEYS: Mapping[str, Key] = {
    "title": Key("a text"),
    "author": Key("a name, or a list of names", (str, list)),
    "language": Key("a text"),
    "detail": _one_of(*DETAILS),
    "variant": _one_of(*VARIANTS),
    "layout": _one_of(*LAYOUTS),
    "numbering": _one_of(*NUMBERINGS),
    "display": Key("a table of names and how they print", (dict,)),
    "superscript": Key("a list of families whose label stands above, such as [w, a, z]", (list,)),
    "indices": Key("a list of letters such as [i, j, k]", (list,), form=LETTER),
    "convention": Key("the text of the convention box, or false", (str, bool)),
    "symbols": Key("true, false, or a table of names and what they mean", (bool, dict)),
    "appendix": _YES_OR_NO,
    "checks": _YES_OR_NO,
    "documentclass": Key("the name of a LaTeX class", form=CLASS),
    "classoptions": Key("a list of options of a LaTeX class", (list,), form=CLASS_OPTION),
    "preamble": Key("the name of a file of LaTeX beside the source"),
    "textwidth": Key("the width of a line in em, such as 36", (int, float), least=20),
    "translates": Key("the name of another handout"),
}


def read_front_matter(lines: list[str], path: Path) -> tuple[dict[str, Any], int]:
    """Return the front matter of a source and the line after it, counted from 0."""
    if not lines or lines[0].strip() != SEPARATOR:
        return {}, 0
    end = next((n for n, line in enumerate(lines[1:], 1) if line.strip() == SEPARATOR), None)
    if end is None:
        place = Place(lines[0], source=str(path))
        raise ParseError("the front matter has no end", place=place, hint=f"close it with {SEPARATOR}")
    text = "\n".join(lines)
    try:
        node = yaml.compose("\n".join(lines[1:end]), Loader=yaml.SafeLoader)
        head = yaml.safe_load("\n".join(lines[1:end])) if node is not None else {}
    except (yaml.YAMLError, RecursionError) as err:
        mark = getattr(err, "problem_mark", None)
        place = Place(text, mark.column if mark else 0, line=(mark.line if mark else 0) + 2, source=str(path))
        raise ParseError("the front matter cannot be read", place=place) from None
    if node is None or head is None:
        return {}, end + 1
    if not isinstance(node, yaml.MappingNode):
        raise ParseError(
            "the front matter is a table of keys and values", place=Place(lines[1], line=1, source=str(path))
        )
    _check(node, head, text, path)
    return head, end + 1


def _check(node: yaml.MappingNode, head: Mapping[Any, Any], text: str, path: Path) -> None:
    seen: set[str] = set()
    for key, _ in node.value:
        mark, name = key.start_mark, str(key.value)
        place = Place(text, mark.column, line=mark.line + 2, source=str(path))
        if name not in KEYS or name not in head:
            near = get_close_matches(name, KEYS, 1)
            hint = f"did you mean {near[0]}? " if near else ""
            hint += f"known are {', '.join(sorted(KEYS))}"
            raise ParseError(f"unknown key {name!r} in the front matter", place=place, hint=hint)
        if name in seen:
            raise ParseError(f"{name} stands twice in the front matter", place=place)
        seen.add(name)
        fault, hint = KEYS[name].fault(name, head[name])
        if name == "convention" and head[name] is True:
            fault = f"convention is {KEYS[name].wanted}"
        if fault:
            raise ParseError(fault, place=place, hint=hint)
