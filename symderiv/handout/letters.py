"""The letters that a proof takes for indices of its own.

An author may name them: `indices: [a, b, c]`. They change places with the letters that the engine chose, in the order
in which these appear in a proof, so that no two indices ever share a letter; what the author's own text names keeps
its name.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

import sympy

from symderiv.index.nodes import Argument, Entry, Index, places


def exchanged(wanted: Sequence[str], parts: Iterable[Sequence[Argument]], spoken: Collection[str]) -> dict[str, str]:
    """Return how letters are printed: a permutation of letters that moves none of those spoken.

    `parts` are the chains of each part of a proof, what it is a proof of last.
    """
    free = [letter for letter in dict.fromkeys(wanted) if letter not in spoken]
    chosen = [letter for letter in _in_order(parts) if letter not in spoken]
    found: dict[str, str] = {}
    for own, new in zip(chosen, free, strict=False):
        now = found.get(own, own)  # where it prints by now
        holder = next((letter for letter, shown in found.items() if shown == new), new)
        found[own], found[holder] = new, now
    return {letter: shown for letter, shown in found.items() if letter != shown}


def _in_order(parts: Iterable[Sequence[Argument]]) -> list[str]:
    """Return the indices of a proof as they appear, in each part those of what is proved first."""
    found: dict[str, None] = {}
    lines = [e for part in parts for e in [part[-1].left, *(e for a in part for e in [a.left, *_after(a)])]]
    for line in lines:
        for _, part in places(line):
            met = part.indices if isinstance(part, Entry) else [part] if isinstance(part, Index) else []
            found |= dict.fromkeys(index.name for index in met)
    return list(found)


def _after(argument: Argument) -> list[sympy.Expr]:
    return [step.after for step in argument.steps]
