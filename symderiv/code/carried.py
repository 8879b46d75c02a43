"""How adjoints reach the members of families: in the same turn, from the turn before, or by way of an array."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from symderiv.code.schedule import Schedule, is_before, is_last
from symderiv.code.units import Unit, keys_in, offset
from symderiv.errors import UnsupportedError
from symderiv.families import Range
from symderiv.windows.dependence import Key


def moving_units(schedule: Schedule, function: Key, wrt: Sequence[Key]) -> set[Unit]:
    """Return the units that depend on a parameter, and that the function depends on.

    Where one member of a family counts, `h[0]`, all do: the text of a turn may name it as `h[t - 1]`.
    """
    names = {k.name for k in wrt}
    families = {k.name for k in wrt if k.label is not None}
    moving = {u for u in schedule.units if u.key.name in families}
    while True:
        rest = [u for u in schedule.units if u not in moving]
        more = {u for u in rest if any(k.name in names for k in keys_in(u.expr, schedule.names))}
        if not more:
            break
        moving |= more
        names |= {u.key.name for u in more}
    families = {u.key.name for u in moving if u.key.label is not None}
    moving |= {u for u in schedule.units if u.key.label is not None and u.key.name in families}
    below: set[Unit] = set()
    stack = schedule.makers(function)
    while stack:
        unit = stack.pop()
        if unit not in below:
            below.add(unit)
            stack += schedule.needs[unit]
    return moving & below


def way_of(family: str, schedule: Schedule, moving: Collection[Unit], function: Key, wrt: Sequence[Key]) -> str:
    """Return how the adjoints of a family are brought to its members.

    `inline` where only units of the same turn name a member; `carried` where the turn after does, or where it is
    the last and something outside of the loop does; `array` else.
    """
    made = [(t, u) for t in schedule.turns for u in t.units if u.key.name == family and u.loop is not None]
    if len(made) > 1:
        return "array"
    ((turns, unit),) = made
    ways: set[str] = set()
    if function.name == family:
        ways.add("carried" if is_last(function, turns, unit) else "array")
    for reader in moving:
        for key in keys_in(reader.expr, schedule.names):
            if key.name != family:
                continue
            steps = offset(key, unit) if reader in turns.units else None
            if steps == 0:
                ways.add("inline")
            elif steps in (1, -1):
                ways.add("turn before")
            elif reader.loop is None and reader.key.name != family and is_last(key, turns, unit):
                ways.add("carried")
            else:
                ways.add("array")
    singles = [u.key for u in schedule.units if u.key.name == family and u.loop is None]
    singles += [k for k in wrt if k.name == family]
    if "array" in ways or any("turn before" not in ways or not is_before(k, turns, unit) for k in singles):
        return "array"
    return "carried" if ways & {"carried", "turn before"} else "inline"


def rows_of(family: str, schedule: Schedule) -> Range:
    """Return the labels of the rows of an array that holds a family."""
    whole = schedule.names.families.table[family].whole(schedule.bounds)
    if len(whole) != 1:
        raise UnsupportedError(f"the members of {family} do not stand in one row", hint="let their ranges touch")
    return whole[0]
