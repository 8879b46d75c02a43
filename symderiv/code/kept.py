"""Where a program keeps its values: in a variable of one turn, in one that changes from turn to turn, or in rows.

What is kept of a family depends on who reads it.  A member that only its own turn reads is a plain variable; a
member that the next turn reads, and of which only the last is wanted, is a variable that changes from turn to
turn; what is read elsewhere, on the way back say, is kept in an array, one row for each member.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import sympy

from symderiv.code.carried import rows_of
from symderiv.code.handed import Handed, word
from symderiv.code.program import Assign, Item, Loop, Place
from symderiv.code.schedule import Schedule, Turns, is_last
from symderiv.code.units import Unit, keys_in, offset
from symderiv.errors import UnsupportedError
from symderiv.families import Bounds, Label
from symderiv.statements.block import Names
from symderiv.statements.members import Case
from symderiv.tensor.expr import Expr, plain_axes, walk
from symderiv.windows.dependence import Key, key_named, key_of


@dataclass
class Kept:
    """How a family is kept: `local` in a turn, `rolling` from turn to turn, or in an array of `rows`."""

    kind: str
    low: Label = field(default=sympy.Integer(0))
    length: Label = field(default=sympy.Integer(0))


@dataclass
class Storage:
    """Gives the items of a program their places; `alias` are sums that are added up under another name."""

    schedule: Schedule
    handed: Handed
    items: list[Item]
    loops: Sequence[tuple[Loop, Turns]]
    alias: Mapping[str, str]
    free: Callable[[str], str]
    places: dict[str, Place] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.names = self.schedule.names
        self.kept: dict[str, Kept] = {}
        self.own: dict[Key, str] = {}  # the names of what has none in the sheet

    def settle(self, results: Sequence[Expr]) -> None:
        """Decide where everything is kept."""
        self.store(results)
        self.resolve(self.items, None)
        self.places |= self.texts(None, [*top(self.items), *results])

    def store(self, results: Sequence[Expr]) -> None:
        """Decide how each family is kept, by who reads it; emit the arrays."""
        reads: list[tuple[Turns | None, bool, Key]] = []
        forward = {id(loop) for loop, _ in self.loops if any(i.key is not None for i in flat(loop.body))}
        for loop, turns in self.loops:
            for item in loop.body:
                assert isinstance(item, Assign)
                reads += [(turns, id(loop) in forward, k) for k in reads_of(item.value, self.names)]
        reads += [(None, True, k) for e in [*top(self.items), *results] for k in reads_of(e, self.names)]
        made = {i.key.name for i in flat(self.items) if i.key is not None}
        for family in dict.fromkeys(
            u.key.name for u in self.schedule.units if u.loop and u.key.label is not None and u.key.name in made
        ):
            self.kept[family] = self.keep(family, reads)
            if self.kept[family].kind == "rows":
                self.allocate(family)
            elif self.kept[family].kind == "rolling":
                self.begin(family)

    def keep(self, family: str, reads: Sequence[tuple[Turns | None, bool, Key]]) -> Kept:
        made = [(t, u) for t in self.schedule.turns for u in t.units if u.key.name == family and u.loop is not None]
        if len(made) > 1:
            return self.in_rows(family)
        ((turns, unit),) = made
        rolling = False
        for where, forward, key in reads:
            if key.name != family:
                continue
            steps = offset(key, unit) if where is turns and forward else None
            by_the_next = steps == -(turns.step or 1) and self.read_before(turns, unit, key)
            if by_the_next or (where is None and is_last(key, turns, unit)):
                rolling = True
            elif where is None and any(u.key == key for u in self.schedule.units if u.loop is None):
                pass  # the start, read where it is made
            elif steps != 0:
                return self.in_rows(family)
        return Kept("rolling" if rolling else "local")

    def in_rows(self, family: str) -> Kept:
        rows = rows_of(family, self.schedule)
        return Kept("rows", rows.low, sympy.expand(rows.length))

    def read_before(self, turns: Turns, unit: Unit, key: Key) -> bool:
        """Tell whether a member of the turn before is read no later than the new one is found."""
        readers = [n for n, u in enumerate(turns.units) if key in keys_in(u.expr, self.names)]
        return all(n <= turns.units.index(unit) for n in readers)

    def allocate(self, family: str) -> None:
        """Emit the array of a family, with the members that are handed in."""
        kept = self.kept[family]
        axes = next(u.expr.axes for u in self.schedule.units if u.key.name == family)
        shape = (kept.length, *(size for axis in axes for size in axis))
        new: list[Item] = [Assign(Place(family), Expr("empty", (), (shape,), plain_axes(shape)))]
        for (name, case), place in self.handed.cases.items():
            if name != family:
                continue
            if place.row is not None:
                raise UnsupportedError(f"some members of {family} are handed in and others computed over ranges")
            value = Expr("var", (), (place.name, frozenset()), axes)
            self.places[place.name] = Place(place.name)
            new.append(Assign(Place(family, sympy.expand(case.low - kept.low)), value))
        self.items[self.first(family) : self.first(family)] = new

    def begin(self, family: str) -> None:
        """Emit the start of what changes from turn to turn."""
        axes = next(u.expr.axes for u in self.schedule.units if u.key.name == family)
        for (name, _), place in self.handed.cases.items():
            if name != family:
                continue
            given = Expr("var", (), (place.name, frozenset()), axes)
            self.places[place.name] = Place(place.name)
            value = Expr("copy", (given,), (), axes) if axes else given
            self.items.insert(self.first(family), Assign(Place(family), value))

    def first(self, family: str) -> int:
        """Return the place of the first item that computes a member of a family."""
        for n, item in enumerate(self.items):
            inner = item.body if isinstance(item, Loop) else [item]
            if any(isinstance(i, Assign) and i.key is not None and i.key.name == family for i in inner):
                return n
        raise UnsupportedError(f"{family} is computed nowhere")

    # -- names and rows

    def resolve(self, items: Sequence[Item], turns: Turns | None) -> None:
        """Give every target its place, and every loop the places of what its turns read."""
        for item in items:
            if isinstance(item, Loop):
                own = next(t for loop, t in self.loops if loop is item)
                self.resolve(item.body, own)
                item.places |= self.texts(own, [i.value for i in item.body if isinstance(i, Assign)])
            elif item.key is not None:
                item.target = self.place(item.key, turns)

    def texts(self, turns: Turns | None, exprs: Sequence[Expr]) -> dict[str, Place]:
        """Return the places of what some expressions read."""
        found: dict[str, Place] = {}
        for e in walk(*exprs):
            names = [e.name] if e.op == "var" else [n for n in e.data if n] if e.op in ("entry",) else []
            names += [e.data[0]] if e.op == "one_hot" else []
            for name in names:
                if not name.startswith("bar ") and name not in self.places:
                    found[name] = self.place(key_named(name, self.names), turns)
        return found

    def place(self, key: Key, turns: Turns | None) -> Place:
        """Return where a key is kept, inside of a loop or outside."""
        if key.label is None:
            name = self.alias.get(key.name, key.name)
            return Place(self.name(key) if " " in name else name)
        label = key.label
        if turns is not None and turns.loop is not None:
            label = sympy.expand(label.xreplace({turns.loop.symbol: turns.loop.symbol + turns.loop.low}))
        kept = self.kept.get(key.name)
        if kept is not None:
            return Place(key.name, sympy.expand(label - kept.low)) if kept.kind == "rows" else Place(key.name)
        if any(u.key == key for u in self.schedule.units):
            return Place(self.name(key))
        bounds = self.schedule.bounds.within(*([turns.loop] if turns is not None and turns.loop is not None else []))
        for (name, case), place in self.handed.cases.items():
            if name == key.name and self.in_case(key, case, bounds):
                return place if place.row is None else Place(place.name, sympy.expand(label - place.row))
        raise UnsupportedError(f"{key} is handed in in several pieces", hint="declare its members over one range")

    @staticmethod
    def in_case(key: Key, case: Case, bounds: Bounds) -> bool:
        """Tell whether a member is certainly one of a case."""
        assert key.label is not None
        return bool(bounds.certain(key.label - case.low) and bounds.certain(case.high - key.label))

    def name(self, key: Key) -> str:
        """Return the name of what has none in the sheet: a sum, a single member."""
        if key not in self.own:
            plain = (
                key.name.replace("sum", "total").split()[0]
                if key.label is None
                else f"{key.name}_{word(str(key.label))}"
            )
            self.own[key] = self.free(plain)
        return self.own[key]


def flat(items: Sequence[Item]) -> Iterator[Assign]:
    """Yield all assignments, those in loops too."""
    for item in items:
        if isinstance(item, Loop):
            yield from flat(item.body)
        else:
            yield item


def top(items: Sequence[Item]) -> list[Expr]:
    """Return the values outside of all loops."""
    return [item.value for item in items if isinstance(item, Assign)]


def reads_of(expr: Expr, names: Names) -> list[Key]:
    """Return the members and arrays that an expression reads; adjoints are none."""
    return [key_of(e, names) for e in walk(expr) if e.op == "var" and not e.name.startswith("bar ")]
