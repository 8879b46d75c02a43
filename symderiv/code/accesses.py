"""What the statements of a loop read and write, and which have to come before which.

A statement that reads, in one turn, what another writes in the same turn or in an earlier one comes after it; where
each needs the other they are a recurrence.  What is added up in any order orders nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import sympy

from symderiv.code.program import Assign, Item, Loop, Place, Program, Slice
from symderiv.families import Label
from symderiv.tensor.expr import Expr, walk

READ, WRITTEN, ADDED = "read", "written", "added"


@dataclass(frozen=True)
class Access:
    """One array that a statement reads or writes, as a whole or at one row."""

    name: str
    row: Label | Slice | None
    kind: str


def names_in(expr: Expr) -> Iterator[str]:
    """Yield the names that an expression reads, arrays and labels."""
    for e in walk(expr):
        if e.op == "var":
            yield e.name
        elif e.op in ("entry", "one_hot", "taken", "raised_at"):
            yield from (n for n in e.data if isinstance(n, str))


def accesses(item: Assign, places: Mapping[str, Place]) -> list[Access]:
    """Return what a statement reads and writes."""
    found = []
    for name in dict.fromkeys(names_in(item.value)):
        place = places.get(name, Place(name))
        found.append(Access(place.name, place.row, READ))
    kind = ADDED if item.sign else WRITTEN
    return [*found, Access(item.target.name, item.target.row, kind)]


def touched(items: Sequence[Item], places: Mapping[str, Place]) -> set[str]:
    """Return the names that some items read or write."""
    found: set[str] = set()
    for item in items:
        if isinstance(item, Loop):
            found |= touched(item.body, {**places, **item.places})
        else:
            found |= {a.name for a in accesses(item, places)}
    return found


class Order:
    """Which statements of a loop come before which; `locals` are variables that one turn writes and then reads."""

    def __init__(self, program: Program, loop: Loop) -> None:
        self.loop = loop
        self.places = {**program.places, **loop.places}
        self.body = [item for item in loop.body if isinstance(item, Assign)]
        self.accesses = [accesses(item, self.places) for item in self.body]
        outside = touched([i for i in program.items if i is not loop], program.places)
        outside |= {program.places.get(n, Place(n)).name for r in program.results for n in names_in(r)}
        self.locals = {name for name in self.written() if name not in outside and self.is_local(name)}
        self.before: dict[int, set[int]] = {k: set() for k in range(len(self.body))}
        for j in self.before:
            for i in range(j + 1):
                self.relate(i, j)

    def written(self) -> list[str]:
        return [item.target.name for item in self.body]

    def rank(self, name: str) -> int:
        """Return the rank of a local variable."""
        return next(item.value.rank for item in self.body if item.target.name == name)

    def is_local(self, name: str) -> bool:
        """Tell a variable that is written once, as a whole, and read in the same turn only."""
        found = [(k, a) for k, own in enumerate(self.accesses) for a in own if a.name == name]
        writers = [k for k, a in found if a.kind != READ]
        readers = [k for k, a in found if a.kind == READ]
        return (
            len(writers) == 1
            and all(a.kind != ADDED and a.row is None for _, a in found)
            and all(k > writers[0] for k in readers)
        )

    def relate(self, i: int, j: int) -> None:
        """Note whether one of two statements has to come before the other."""
        for a in self.accesses[i]:
            for b in self.accesses[j]:
                if a.name != b.name or a.kind == b.kind == READ or a.kind == b.kind == ADDED:
                    continue
                for first, second in self.ways(a, b, i, j):
                    self.before[second].add(first)

    def ways(self, a: Access, b: Access, i: int, j: int) -> list[tuple[int, int]]:
        """Return which of two statements, i no later in a turn than j, comes before the other: one, both or none."""
        if a.name in self.locals:
            if i == j:
                return []
            return [(i, j)] if self.rank(a.name) < 2 else [(i, j), (j, i)]
        later = self.turns_later(a, b)
        if later is None:
            return [(i, j), (j, i)]
        if i == j:  # all is read before anything is written: only what an earlier turn wrote keeps the turns apart
            return [(i, j)] if (later < 0 if a.kind == READ else later > 0) else []
        if later == 0:
            return [(i, j)]
        return [(i, j)] if later > 0 else [(j, i)]

    def turns_later(self, a: Access, b: Access) -> int | None:
        """Return how many turns after the first access the second meets the same row; None where it is not known."""
        rows = [self.shift(x.row) for x in (a, b)]
        if rows[0] is None or rows[1] is None:
            return None
        difference = sympy.expand(rows[0] - rows[1])
        if not difference.is_Integer:
            return None
        return -int(difference) if self.loop.backward else int(difference)

    def shift(self, row: Label | Slice | None) -> Label | None:
        """Return how far a row lies beyond the number of the turn."""
        if row is None or isinstance(row, Slice):
            return None
        found = sympy.expand(row - self.loop.variable)
        return None if self.loop.variable in found.free_symbols else found


__all__ = ["Access", "Order", "accesses", "names_in", "touched"]
