"""The fixed words of a document: one TOML table per language, in ``phrases/``.

Adding a language is adding a file. Values stand in angle brackets in a phrase (``chain rule through
$<node>$``), so that LaTeX braces need no escaping.
"""

from __future__ import annotations

import re
import tomllib
from functools import cache
from importlib.resources import files

from symderiv.errors import UnsupportedError

FALLBACK = "en"
_VALUE = re.compile(r"<([a-z_]+)>")


def languages() -> tuple[str, ...]:
    """The languages that have a table."""
    tables = (files("symderiv.render") / "phrases").iterdir()
    return tuple(sorted(table.name.removesuffix(".toml") for table in tables if table.name.endswith(".toml")))


def phrase(language: str, key: str, **values: str) -> str:
    """The phrase called ``key``, as text with ``$…$``; English where the language lacks it.

    An unknown key or a value that the phrase names and the caller did not give raises ``KeyError``.
    """
    template = _table(resolve(language)).get(key)
    if template is None:
        template = _table(FALLBACK).get(key)
    if template is None:
        raise KeyError(f"no phrase is called {key!r}")
    return _VALUE.sub(lambda match: values[match.group(1)], template)


def resolve(language: str) -> str:
    """The table of a language: ``de-AT`` is printed with the words of ``de``."""
    known = languages()
    for name in (language, re.split(r"[-_]", language)[0].lower()):
        if name in known:
            return name
    raise UnsupportedError(
        f"no phrases for the language {language!r}",
        hint=f"known are {', '.join(known)}; a new language is a new file in symderiv/render/phrases/",
    )


@cache
def _table(language: str) -> dict[str, str]:
    source = files("symderiv.render") / "phrases" / f"{language}.toml"
    return tomllib.loads(source.read_text(encoding="utf-8"))
