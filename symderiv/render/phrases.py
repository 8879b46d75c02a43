"""The fixed words of a document: one TOML table per language, in ``phrases/``.

Adding a language is adding a file: here, in the folder ``phrases`` of one's own templates, or anywhere, with
:func:`add_language`. Values stand in angle brackets in a phrase (``chain rule through $<node>$``), so that LaTeX
braces need no escaping. A key that a table lacks is printed in English.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from difflib import get_close_matches
from functools import cache
from importlib.resources import files
from pathlib import Path

from symderiv.errors import ParseError, Place, UnsupportedError

FALLBACK = "en"
FOLDER = "phrases"
_VALUE = re.compile(r"<([a-z_]+)>")
_CODE = re.compile(r"[a-z]{2,3}([-_][A-Za-z0-9]+)*")
_AT = re.compile(r"\(at line (\d+), column (\d+)\)")

Table = Mapping[str, str]
_ADDED: dict[str, Table] = {}
_BORROWED: ContextVar[Mapping[str, Table] | None] = ContextVar("phrases of a template folder", default=None)


def languages() -> tuple[str, ...]:
    """The languages that have a table."""
    return tuple(sorted({*_own(), *_ADDED, *_borrowed()}))


def phrase(language: str, key: str, **values: str) -> str:
    """The phrase called ``key``, as text with ``$…$``; English where the language lacks it.

    An unknown key or a value that the phrase names and the caller did not give raises ``KeyError``.
    """
    name = resolve(language)
    for tables in (_borrowed(), _ADDED, _own()):
        if key in tables.get(name, {}):
            return _filled(tables[name][key], values)
    template = _own()[FALLBACK].get(key)
    if template is None:
        raise KeyError(f"no phrase is called {key!r}")
    return _filled(template, values)


def _filled(template: str, values: Mapping[str, str]) -> str:
    return _VALUE.sub(lambda match: values[match.group(1)], template)


def resolve(language: str) -> str:
    """The table of a language: ``de-AT`` is printed with the words of ``de``."""
    known = languages()
    for name in (language, re.split(r"[-_]", language)[0].lower()):
        if name in known:
            return name
    raise UnsupportedError(
        f"no phrases for the language {language!r}",
        hint=f"known are {', '.join(known)}; a new language is a file such as {language or 'fr'}.toml in the folder "
        f"{FOLDER} of your templates",
    )


def add_language(path: Path) -> str:
    """Make a table known for this run; return its language, which is the name of the file.

    Raises :class:`ParseError` where the table cannot be read, holds a key that no document uses, or a value in angle
    brackets that the English phrase does not have.
    """
    _ADDED[path.stem] = read_table(path)
    return path.stem


@contextmanager
def more_phrases(templates: Path | None) -> Iterator[None]:
    """Let the tables in the folder ``phrases`` of somebody's templates count, before those that are built in."""
    folder = templates / FOLDER if templates is not None else None
    if folder is None or not folder.is_dir():
        yield
        return
    token = _BORROWED.set({path.stem: read_table(path) for path in sorted(folder.glob("*.toml"))})
    try:
        yield
    finally:
        _BORROWED.reset(token)


def read_table(path: Path) -> Table:
    """Read somebody's table, and hold it against the English one."""
    if not _CODE.fullmatch(path.stem):
        raise ParseError(f"{path.name} is not named after a language", hint="write fr.toml for French")
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as err:
        raise ParseError(f"{path} cannot be read: {err}") from None
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as err:
        raise _unreadable(err, text, path) from None
    for key, value in table.items():
        _check(key, value, _place(text, key, path))
    return table


def _unreadable(err: Exception, text: str, path: Path) -> ParseError:
    at = _AT.search(str(err))
    line, column = (int(at[1]), int(at[2]) - 1) if at else (max(1, text.count("\n")), 0)
    return ParseError(f"{_AT.sub('', str(err)).strip()}", place=Place(text, column, line=line, source=str(path)))


def _place(text: str, key: str, path: Path) -> Place:
    lines = text.splitlines()
    line = next((n for n, x in enumerate(lines, 1) if re.match(rf"\s*\"?{re.escape(key)}\"?\s*=", x)), 1)
    return Place(text, line=line, source=str(path))


def _check(key: str, value: object, place: Place) -> None:
    english = _own()[FALLBACK].get(key)
    if english is None:
        near = get_close_matches(key, _own()[FALLBACK], 1)
        hint = f"did you mean {near[0]}?" if near else "en.toml in symderiv/render/phrases has them all"
        raise ParseError(f"no phrase is called {key!r}", place=place, hint=hint)
    if not isinstance(value, str):
        raise ParseError(f"{key} is a text", place=place, hint=f"{key} = '…'")
    unknown = sorted(set(_VALUE.findall(value)) - set(_VALUE.findall(english)))
    if unknown:
        raise ParseError(f"{key} has no value <{unknown[0]}>", place=place, hint=f"in English it is {english!r}")


def _borrowed() -> Mapping[str, Table]:
    return _BORROWED.get() or {}


@cache
def _own() -> Mapping[str, Table]:
    """The tables that are built in."""
    tables = (files("symderiv.render") / FOLDER).iterdir()
    return {
        table.name.removesuffix(".toml"): tomllib.loads(table.read_text(encoding="utf-8"))
        for table in tables
        if table.name.endswith(".toml")
    }
