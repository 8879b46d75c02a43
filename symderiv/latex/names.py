r"""Which declared name a symbol of LaTeX stands for.

A symbol is a letter, a Greek letter or a word, with an accent, primes, and a script that belongs to the name:
`\bar u` is `u_bar`, `w^{(2)}` and `w_2` are `w2` or `w_2`, `\lambda` is `lam`.  Letters that stand side by side are a
name or a product, whichever the declared names allow; where they allow both, it is refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Protocol

from symderiv.families import Bounds, Label, Range
from symderiv.latex.words import SYMBOLS
from symderiv.tensor.expr import Expr
from symderiv.tensor.parse import Scope


class Families(Protocol):
    """What is known of families: arrays told apart by a label, and subscripts."""

    table: dict[str, Any]
    labels: dict[str, Any]


class Named(Protocol):
    """What was named besides: functions without and with a text."""

    unknown: dict[str, Any]
    functions: dict[str, Any]


class Reader(Protocol):
    """What reads the statements that LaTeX is translated to, and knows what names mean."""

    scope: Scope
    integers: dict[str, Label]
    names: Any
    families: Any

    @property
    def bounds(self) -> Bounds:
        """Return what is known of integer parameters."""

    def read(self, node: Any) -> Expr:
        """Return the expression of a syntax tree."""

    def integer_or_none(self, node: Any) -> Label | None:
        """Return an integer expression as a label."""

    def inside(self, *ranges: Range) -> Any:
        """Read inside of ranges."""


@dataclass(frozen=True)
class Key:
    """A symbol as it is told from others."""

    base: str
    accent: str = ""
    script: str = ""
    primes: int = 0


SHORT = {"lam": "lambda", "Lam": "Lambda", "eps": "epsilon"}
ACCENTED = re.compile(r"(.+)_(bar|hat|tilde|dot|ddot|check|breve)")
NUMBERED = re.compile(r"([A-Za-z]+)_?(\d+)")


def spellings(name: str) -> list[Key]:
    r"""Return the symbols that stand for a declared name.

    >>> spellings("u_bar")[0], spellings("w2")[0]
    (Key(base='u', accent='bar', script='', primes=0), Key(base='w', accent='', script='2', primes=0))
    """
    stem = name.rstrip("_")
    primes = len(name) - len(stem)
    found = [_plain(stem, primes)]
    if accented := ACCENTED.fullmatch(stem):
        inner = _plain(accented[1], primes)
        found.insert(0, Key(inner.base, accented[2], inner.script, primes))
    if numbered := NUMBERED.fullmatch(stem):
        found.insert(0, Key(_letter(numbered[1]), "", numbered[2], primes))
    return list(dict.fromkeys([*found, Key(stem, "", "", primes)]))


def _plain(stem: str, primes: int) -> Key:
    base, _, script = stem.partition("_")
    return Key(_letter(base), "", _letter(script), primes)


def _letter(word: str) -> str:
    """Return a word as LaTeX has it: the Greek letter where it names one."""
    return SYMBOLS.get(SHORT.get(word, word), SHORT.get(word, word))


class Vocabulary:
    """What symbols mean, by what is declared around them."""

    def __init__(self, reader: Reader, display: Iterable[tuple[Key, str]] = ()) -> None:
        self.reader = reader
        self.keys: dict[Key, list[str]] = {}
        for key, name in display:
            self.keys.setdefault(key, []).append(name)
        for name in self.declared():
            self.add(name)

    def add(self, name: str) -> None:
        """Let a name be known by its spellings."""
        for key in spellings(name):
            known = self.keys.setdefault(key, [])
            if name not in known:
                known.append(name)

    def declared(self) -> Iterable[str]:
        """Return every name that means something."""
        r = self.reader
        functions = [name for name, (_, order) in r.scope.functions.items() if not order]
        tables = (r.scope.names, r.scope.sizes, r.integers, functions, r.names.unknown, r.names.functions)
        return dict.fromkeys(n for t in (*tables, r.families.table, r.families.labels) for n in t)

    def kind(self, name: str) -> str:
        """Return what a name is: integer, array, size, entrywise, unknown, function, label, family or nothing."""
        r = self.reader
        kinds: tuple[tuple[str, Any], ...] = (
            ("integer", r.integers), ("array", r.scope.names), ("size", r.scope.sizes),
            ("entrywise", r.scope.functions), ("unknown", r.names.unknown), ("function", r.names.functions),
            ("label", r.families.labels),
        )  # fmt: skip
        for kind, table in kinds:
            if name in table:
                return kind
        if name in r.families.table:
            cases = r.families.table[name].cases
            return "label" if cases and cases[0].label_of is not None else "family"
        return ""

    def means(self, key: Key) -> list[str]:
        """Return the declared names that a symbol may stand for."""
        return [n for n in self.keys.get(key, ()) if self.kind(n)]

    def begins(self, base: str) -> bool:
        """Tell whether a name is written with this base, alone or with scripts."""
        return any(key.base == base and self.means(key) for key in self.keys)

    def is_free(self, base: str) -> bool:
        """Tell whether nothing is called so."""
        return not self.means(Key(base))

    def ways(self, word: str, last: Iterable[str] = ()) -> list[list[str]]:
        """Return up to two ways to read letters side by side as names; `last` are words that may stand at the end."""
        longest = max((len(k.base) for k in self.keys), default=1)
        longest = max([longest, *map(len, last)])
        found: list[list[list[str]]] = [[list[str]()], *(list[list[str]]() for _ in word)]
        for end in range(1, len(word) + 1):
            for start in range(max(0, end - longest), end):
                part = word[start:end]
                at_end = end == len(word) and (self.begins(part) or part in last)
                if found[start] and (at_end or self.means(Key(part))):
                    found[end] += [[*way, part] for way in found[start]]
            found[end] = found[end][:2]
        return found[len(word)]

    def near(self) -> str:
        """Return the declared names, for a message."""
        known = sorted(n for n in self.declared() if self.kind(n))
        return ", ".join(known[:30]) + (", …" if len(known) > 30 else "")
