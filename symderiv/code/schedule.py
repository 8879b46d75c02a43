"""The order of computation: units one after the other, in as few loops as that allows.

Units that need each other are a recurrence: they share a loop, which runs up where every member names earlier
ones, and down where it names later ones.  Units over the same range share a loop as well where no turn needs
what a later turn finds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import sympy

from symderiv.code.units import Unit, offset, references
from symderiv.errors import UnsupportedError
from symderiv.families import Bounds, Label, Range
from symderiv.statements.block import Names
from symderiv.windows.dependence import Key


@dataclass(eq=False)
class Turns:
    """Units that are computed together, in one loop or outside of all; `step` is 1 up, −1 down, 0 either way."""

    units: list[Unit]
    loop: Range | None = None
    step: int = 0


class Schedule:
    """Units in the order of computation, in as few loops as that allows."""

    def __init__(self, units: Sequence[Unit], names: Names) -> None:
        self.names = names
        self.units = list(units)
        self.bounds = Bounds(tuple(names.families.parameters), names.families.least)
        self.needs = {u: [v for k in references(u, names) for v in self.makers(k, u)] for u in self.units}
        self.turns: list[Turns] = []
        for group in self.groups():
            self.place(group)
        self.turns = [replace(t, units=self.ordered(t)) for t in self.turns]

    def makers(self, key: Key, reader: Unit | None = None) -> list[Unit]:
        """Return the units that compute a key, or may."""
        ranges = (reader.loop,) if reader is not None and reader.loop is not None else ()
        bounds = self.bounds.within(*ranges)
        return [u for u in self.units if u.key.name == key.name and self.may_be(u, key, bounds)]

    def may_be(self, unit: Unit, key: Key, bounds: Bounds) -> bool:
        if key.label is None or unit.key.label is None:
            return key.label is None and unit.key.label is None
        if unit.loop is None:
            return bounds.contains(Range("", unit.key.label, unit.key.label), key.label) is not False
        shift = sympy.expand(unit.key.label - unit.loop.symbol)
        made = Range("", sympy.expand(unit.loop.low + shift), sympy.expand(unit.loop.high + shift))
        return bounds.contains(made, key.label) is not False

    def groups(self) -> list[list[Unit]]:
        """Return units that need each other together, what is needed first."""
        below: dict[Unit, set[Unit]] = {}
        for u in self.units:
            seen: set[Unit] = set()
            stack = list(self.needs[u])
            while stack:
                v = stack.pop()
                if v not in seen:
                    seen.add(v)
                    stack += self.needs[v]
            below[u] = seen
        groups: list[list[Unit]] = []
        placed: set[Unit] = set()
        while len(placed) < len(self.units):
            for u in self.units:
                group = [v for v in self.units if v is u or (v in below[u] and u in below[v])]
                if u not in placed and all(v in placed or v in group for w in group for v in below[w]):
                    groups.append(group)
                    placed |= set(group)
                    break
        return groups

    def place(self, group: list[Unit]) -> None:
        """Put a group into a loop that is there already, or into one of its own."""
        first, *more = group
        if more and not self.is_recurrence(group):
            who = ", ".join(str(u.key) for u in group)
            raise UnsupportedError(f"{who} need each other over ranges that differ", hint="let one loop define them")
        last = max(
            (n for n, t in enumerate(self.turns) for u in group for v in self.needs[u] if v in t.units), default=-1
        )
        if first.loop is None:
            place = last + 1
            while place < len(self.turns) and self.turns[place].loop is None:  # in the order of the sheet
                place += 1
            self.turns.insert(place, Turns([first]))
            return
        for t in self.turns[max(last, 0) :]:
            step = self.joined(t, group)
            if step is not None:
                assert t.loop is not None
                new = [u.moved(t.loop.variable, self.names) for u in group]
                self.renamed(dict(zip(group, new, strict=True)))
                t.units += new
                t.step = step
                return
        step = self.own_step(group)
        new = [u.moved(first.loop.variable, self.names) for u in group]
        self.renamed(dict(zip(group, new, strict=True)))
        self.turns.append(Turns(new, first.loop, step))

    def renamed(self, change: dict[Unit, Unit]) -> None:
        self.units = [change.get(u, u) for u in self.units]
        self.needs = {change.get(u, u): [change.get(v, v) for v in vs] for u, vs in self.needs.items()}

    def is_recurrence(self, group: Sequence[Unit]) -> bool:
        loops = {(u.loop.low, u.loop.high) if u.loop is not None else None for u in group}
        return len(loops) == 1 and None not in loops

    def own_step(self, group: Sequence[Unit]) -> int:
        """Return which way the loop of a group runs."""
        moved = [u.moved(group[0].loop.variable, self.names) for u in group if group[0].loop is not None]
        steps = {_sign(o) for o in self.offsets(moved, moved)}
        if None in steps or {1, -1} <= steps:
            who = ", ".join(str(u.key) for u in group)
            raise UnsupportedError(f"no order of computation is known for {who}")
        return -1 if 1 in steps else 1 if -1 in steps else 0

    def offsets(self, readers: Sequence[Unit], makers: Sequence[Unit]) -> list[int | None]:
        return [
            offset(k, v)
            for u in readers
            for k in references(u, self.names)
            for v in makers
            if v.key.name == k.name and v.key.label is not None
        ]

    def joined(self, turns: Turns, group: Sequence[Unit]) -> int | None:
        """Return the direction of a loop that a group joins; None where it cannot."""
        first = group[0].loop
        if turns.loop is None or first is None:
            return None
        if sympy.expand(turns.loop.low - first.low) != 0 or sympy.expand(turns.loop.high - first.high) != 0:
            return None
        new = [u.moved(turns.loop.variable, self.names) for u in group]
        if any(v.key.label is None and v in turns.units for u in group for v in self.needs[u]):
            return None  # the whole sum is needed
        found = {_sign(o) for o in [*self.offsets(new, turns.units), *self.offsets(new, new)]}
        if None in found or {1, -1} <= found:
            return None
        step = -1 if 1 in found else 1 if -1 in found else 0
        if step and turns.step and step != turns.step:
            return None
        return step or turns.step

    def ordered(self, turns: Turns) -> list[Unit]:
        """Return the units of a turn, each after those of the same turn that it names."""
        done: list[Unit] = []
        rest = list(turns.units)
        while rest:
            for u in rest:
                same = [v for v in rest if v is not u and 0 in self.offsets([u], [v])]
                if not same and 0 not in [o for o in self.offsets([u], [u])]:
                    done.append(u)
                    rest.remove(u)
                    break
            else:
                raise UnsupportedError(f"{rest[0].key} is defined by itself")
        return done


def is_last(key: Key, turns: Turns, unit: Unit) -> bool:
    """Tell whether a member is the one that a unit computes in the last turn."""
    assert turns.loop is not None
    return is_at(key, unit, turns.loop, turns.loop.low if turns.step < 0 else turns.loop.high)


def is_before(key: Key, turns: Turns, unit: Unit) -> bool:
    """Tell whether a member stands right before the one that a unit computes in the first turn."""
    assert turns.loop is not None
    return is_at(key, unit, turns.loop, turns.loop.high + 1 if turns.step < 0 else turns.loop.low - 1)


def is_at(key: Key, unit: Unit, loop: Range, value: Label) -> bool:
    """Tell whether a member is the one that a unit computes where the loop's variable has a value."""
    assert unit.key.label is not None and key.label is not None
    return bool(sympy.expand(unit.key.label.xreplace({loop.symbol: value}) - key.label) == 0)


def _sign(value: int | None) -> int | None:
    return None if value is None else (value > 0) - (value < 0)
