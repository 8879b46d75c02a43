"""Sheets that remember what they decided: at each pause in typing, only what has changed is decided again.

A claim depends on the statements above it that are no claims, and on the claims above it that are proved, as its proof
may cite them.  Where these and its own text are as they were, so is what becomes of it.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from symderiv.sheet import Claim, Sheet
from symderiv.statements.block import Statement

MOST = 300  # claims that are kept
CLAIM = "assert"


@dataclass(frozen=True)
class Decided:
    """A claim, and what a sheet knows since: tables by their names, with the entries that were added."""

    claim: Claim
    added: dict[str, dict[Any, Any]]


_KEPT: OrderedDict[Hashable, Decided] = OrderedDict()
TABLES = ("lemmas", "proofs", "opened", "written")


@dataclass
class Remembering(Sheet):
    """A sheet that looks up what it was asked before.

    >>> first, second = Remembering(), Remembering()
    >>> for sheet in (first, second):
    ...     _ = sheet.read("x: (n,)"), sheet.read("assert diff(x @ x, x) == 2 * x")
    >>> first.claims[0].proof is second.claims[0].proof
    True
    """

    above: list[str] = field(default_factory=list)
    piece: str = ""  # what is being read, and how many statements stand above it
    begun: int = 0

    def reading(self, text: str, first_line: int = 1) -> Iterator[Claim]:
        """Read one more block; yield each claim as it is decided, or as it was."""
        self.piece, self.begun = text.strip(), len(self.statements)
        read = False
        try:
            yield from super().reading(text, first_line)
            read = True
        finally:
            if not (read and self.only_claims):
                self.above.append(self.piece)

    @property
    def only_claims(self) -> bool:
        """Tell whether what is being read says nothing of names: it holds no definition and no `assert T >= 1`."""
        return self.piece.startswith(CLAIM) and all(s.kind == "claim" for s in self.statements[self.begun :])

    def decide(self, statement: Statement) -> Claim:
        """Return a claim with its status."""
        key = self.key(statement)
        found = _KEPT.get(key)
        if found is None:
            before = {name: dict(getattr(self, name)) for name in TABLES}
            claim = super().decide(statement)
            found = Decided(claim, {name: _added(before[name], getattr(self, name)) for name in TABLES})
            _KEPT[key] = found
        _KEPT.move_to_end(key)
        while len(_KEPT) > MOST:
            _KEPT.popitem(last=False)
        for name, entries in found.added.items():
            getattr(self, name).update(entries)
        return replace(found.claim, statement=statement)

    def key(self, statement: Statement) -> Hashable:
        """Return all that a verdict depends on."""
        proved = tuple((c.id, c.text) for c in self.claims if c.status == "proved")
        own = (statement.text, statement.label, statement.negated, "" if statement.label else len(self.claims))
        return (self.source, *self.above, "" if self.only_claims else self.piece), proved, own


def _added(before: dict[Any, Any], after: dict[Any, Any]) -> dict[Any, Any]:
    """Return the entries of a table that are new or others than they were."""
    return {key: value for key, value in after.items() if before.get(key) is not value}
