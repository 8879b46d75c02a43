"""Loops that go through the rows of arrays together, `for x_t, h_t in zip(x, h[1:])`, where that is all they do.

NumPy takes less time to hand out rows one after the other than to look each up by its number, and where arrays are
small that is a good part of a turn.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import sympy

from symderiv.code.accesses import names_in
from symderiv.code.program import ROW, Assign, Item, Loop, Place, Slice
from symderiv.families import Label
from symderiv.tensor.expr import walk


def walked(loop: Loop, lengths: Mapping[str, Label], taken: set[str], rows: set[str]) -> Loop:
    """Return a loop over rows, or the loop as it is where the number of the turn counts for something else.

    `lengths` are the numbers of rows of all arrays; new names are put into `taken` and into `rows`, where they may be
    had again by another loop.
    """
    body = [item for item in loop.body if isinstance(item, Assign)]
    read = [loop.places[n] for item in body for n in names_in(item.value) if n in loop.places]
    targets = [item.target for item in body]
    starts = {p: _start(p, loop.variable) for p in dict.fromkeys([*read, *targets]) if _changes(p, loop.variable)}
    names = _names(starts, targets, str(loop.variable))
    if not names or any(_counts(item, loop.variable) for item in body) or any(p.name not in lengths for p in starts):
        return loop
    if any(item.target in starts and not item.value.rank for item in body):  # a number that is handed out is a copy
        return loop
    for place, name in names.items():
        while name in taken - rows or name in (n for p, n in names.items() if p != place):
            name += "_"
        names[place] = name
    taken |= set(names.values())
    rows |= set(names.values())
    arrays = [Place(p.name, sliced(start, loop.count, lengths[p.name])) for p, start in starts.items()]
    if not loop.backward and not all(map(_begins, arrays)):  # zip ends with the shortest
        arrays = [Place(p.name) if _begins(p) else p for p in arrays]
    new: list[Item] = [replace(i, target=Place(names[i.target], ROW)) if i.target in names else i for i in body]
    places = {n: Place(names[p]) if p in names else p for n, p in loop.places.items()}
    return replace(loop, body=new, places=places, over=list(zip(names.values(), arrays, strict=True)))


def sliced(start: Label, count: Label, length: Label) -> Slice | None:
    """Return some rows of an array from one on; None where these are all."""
    stop = sympy.expand(start + count)
    left = sympy.expand(length - stop)
    begin = None if start == 0 else start
    if left == 0:
        return None if begin is None else Slice(begin, None)
    return Slice(begin, -left if left.is_Integer else stop)


def _changes(place: Place, variable: Label) -> bool:
    """Tell a row that differs from turn to turn."""
    return place.row is not None and not isinstance(place.row, Slice) and variable in place.row.free_symbols


def _start(place: Place, variable: Label) -> Label:
    """Return the row of the first turn."""
    assert not isinstance(place.row, Slice) and place.row is not None
    return sympy.expand(place.row - variable)


def _begins(place: Place) -> bool:
    """Tell rows from the first on, of which some are left out at the end."""
    return isinstance(place.row, Slice) and place.row.start is None


def _counts(item: Assign, variable: Label) -> bool:
    """Tell whether the number of the turn stands in an expression."""
    return any(variable in getattr(d, "free_symbols", ()) for e in walk(item.value) if e.op != "var" for d in e.data)


def _names(starts: Mapping[Place, Label], targets: Sequence[Place], variable: str) -> dict[Place, str]:
    """Return names for rows: `h_t` for the one that is written, or else the last, `h_before` for the one before it.

    None where rows lie apart by what is no number, or where they do not move along with the turns.
    """
    found = {}
    for place, start in starts.items():
        apart = {p: sympy.expand(s - start) for p, s in starts.items() if p.name == place.name}
        if variable in map(str, start.free_symbols) or not all(d.is_Integer for d in apart.values()):
            return {}
        own = [d for p, d in apart.items() if p in targets] or list(apart.values())
        distance = -int(max(own))
        word = variable if distance == 0 else "before" if distance < 0 else "after"
        found[place] = f"{place.name}_{word}" + (f"_{abs(distance)}" if abs(distance) > 1 else "")
    return found


__all__ = ["sliced", "walked"]
