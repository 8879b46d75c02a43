"""The way back: derivatives of a number or array in parameters of recurrences, as a program.

The units of a schedule are gone through in the opposite order.  Where the adjoint `P̄ = ∂F/∂P` of what a unit
computes is complete, the chain rule on its text alone says what it contributes to the adjoints of everything
that the text names:

    C̄[F, k] += Σ_i P̄[F, i] ∂P[i]/∂C[k].

What a turn of a loop contributes to a member of an earlier turn is carried to that turn; what it contributes
to a parameter is added up.  So time and memory are those of the way forward, whatever the number of turns.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import sympy

from symderiv.adjoints import LONGEST
from symderiv.chain import pulled
from symderiv.code.carried import moving_units, rows_of, way_of
from symderiv.code.picked import picked
from symderiv.code.program import Assign, Item, Loop, Place
from symderiv.code.schedule import Schedule, Turns
from symderiv.code.stable import stable
from symderiv.code.units import Unit, keys_in, offset
from symderiv.dims import Size
from symderiv.errors import UnsupportedError
from symderiv.index import normal
from symderiv.index.folding import folded
from symderiv.index.graph import Contraction, Leaf, Node
from symderiv.lift import lift
from symderiv.lower import index_ranges, lower
from symderiv.statements.meaning import meaning
from symderiv.tensor.expr import Axes, Expr, plain_axes, walk
from symderiv.tensor.operations import apply
from symderiv.tensor.parse import without_symmetry
from symderiv.windows.dependence import Key

VIEWS = frozenset({"var", "transpose", "newaxis", "reshape", "entry"})  # what may share memory with its argument


@dataclass(frozen=True)
class Bar:
    """An adjoint: axes of the function, then one for each label that it depends on, then its own."""

    node: Node
    labels: tuple[str, ...] = ()


@dataclass
class Backward:
    """The way back for one function; `wrt` are the keys of parameters, `free` makes names."""

    schedule: Schedule
    function: Key
    axes: Axes
    wrt: Sequence[Key]
    free: Callable[[str], str]
    items: list[Item] = field(default_factory=list)
    places: dict[str, Place] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.names = self.schedule.names
        self.tag = f"bar {self.function} of "  # before the names of adjoints: those of another function are others
        self.rank = len(self.axes)
        self.ends = {k.name for k in self.wrt}
        self.moving = moving_units(self.schedule, self.function, self.wrt)
        self.pending: dict[str, list[Bar]] = {}  # contributions that are expressions still, by the name of the key
        self.added: set[str] = set()  # parameters whose adjoint is being added up
        self.bars: dict[str, str] = {}  # the variable in which the adjoint of a name is kept
        self.exprs: dict[str, Expr] = {}
        self.kept: dict[Key, Bar] = {}  # the adjoints of definitions that are asked for
        self.arrays: set[str] = set()  # families whose adjoints stand in an array
        self.loops: list[tuple[Loop, Turns]] = []
        families = dict.fromkeys(u.key.name for u in self.moving if u.loop is not None and u.key.label is not None)
        self.carried = {name: way_of(name, self.schedule, self.moving, self.function, self.wrt) for name in families}

    # -- the pass

    def run(self) -> dict[Key, Expr]:
        """Return the derivative in each parameter; the items that lead there are in `items`."""
        dims = self.flat(self.axes)
        seed = normal.contract(
            1, [(normal.delta(d), (k, len(dims) + k)) for k, d in enumerate(dims)], range(2 * len(dims))
        )
        if self.function.label is not None and self.kind(self.function.name) == "array":
            self.items.append(
                Assign(self.row(self.function, None), self.expr(Bar(seed), self.own_axes(self.function)), "+")
            )
        else:
            self.put(str(self.function), Bar(seed))
        for turns in reversed(self.schedule.turns):
            if turns.loop is None:
                for unit in reversed(turns.units):
                    if unit in self.moving:
                        self.unit(unit, None, self.items)
            elif any(u in self.moving for u in turns.units):
                self.loop(turns)
        return {key: self.final(key) for key in self.wrt}

    def final(self, key: Key) -> Expr:
        """Return the derivative in a parameter."""
        axes = self.own_axes(key)
        bar = self.kept.get(key) or self.total(key)
        return self.zeros(axes) if bar is None else self.expr(bar, axes)

    def loop(self, turns: Turns) -> None:
        """Emit the loop that goes through some turns the other way round."""
        assert turns.loop is not None
        units = [u for u in turns.units if u in self.moving]
        outside = self.start(turns, units)
        body: list[Item] = []
        later: dict[str, list[Bar]] = {}
        for unit in reversed(units):
            self.unit(unit, turns, body, later)
        body += self.carry({family: later.get(family, []) for family in outside})
        loop = Loop(turns.loop.symbol, sympy.expand(turns.loop.length), turns.step >= 0, body)
        self.items.append(loop)
        self.loops.append((loop, turns))

    def carry(self, later: Mapping[str, Sequence[Bar]]) -> list[Item]:
        """Return what hands adjoints on to the turn that follows: none is overwritten that is still to be read."""
        values = {f: self.expr(self.joined(bars), self.exprs[f].axes) if bars else self.zeros(self.exprs[f].axes)
                  for f, bars in later.items()}  # fmt: skip
        reads = {f: {g for g in values if any(e.op == "var" and e.name == self.tag + g for e in walk(v))} - {f}
                 for f, v in values.items()}  # fmt: skip
        items: list[Item] = []
        late: list[Item] = []
        while values:
            free = [f for f in values if not any(f in reads[g] for g in values if g != f)]
            for f in free or list(values)[:1]:
                target = Place(self.bars[f])
                if not free:  # they need each other
                    new = Expr("var", (), (f"{self.tag}{f} next", frozenset()), values[f].axes)
                    self.places[new.name] = Place(self.free(f"{f}_bar_next"))
                    items.append(Assign(self.places[new.name], values[f]))
                    late.append(Assign(target, new))
                else:
                    items.append(Assign(target, values[f]))
                del values[f]
        return items + late

    def start(self, turns: Turns, units: Sequence[Unit]) -> list[str]:
        """Give what the loop adds up or carries its first value; return the families that are carried."""
        families = []
        for unit in units:
            name = unit.key.name
            if unit.kind == "sum" and any(not _is_short(b.node) for b in self.pending.get(name, [])):
                self.first_value(name, self.pending.pop(name), unit.expr.axes)
                self.put(name, self.leaf(name, unit.expr.axes, Place(self.bars[name])))
            if unit.key.label is not None and self.carried[name] == "carried":
                self.exprs[name] = unit.expr
                end = self.last_key(turns, unit)
                self.first_value(name, self.pending.pop(str(end), []), unit.expr.axes)
                families.append(name)
        for name, axes in self.parameters(units).items():
            if name in self.added:
                continue
            self.first_value(name, self.pending.pop(name, []), axes)
            self.added.add(name)
        for unit in units:
            for key in keys_in(unit.expr, self.names):
                if key.label is not None and self.kind(key.name) == "array":
                    self.array(key.name)
        return families

    def parameters(self, units: Sequence[Unit]) -> dict[str, Axes]:
        """Return the arrays outside of the loop that its units contribute to."""
        inside = {u.key.name for u in units}
        found: dict[str, Axes] = {}
        for unit in units:
            for e in walk(unit.expr):
                if e.op == "var" and "[" not in e.name and e.name not in inside and self.moves(Key(e.name)):
                    found[e.name] = e.axes
        return found

    def moves(self, key: Key) -> bool:
        """Tell whether an adjoint of a key is wanted."""
        if key.label is None:
            return key.name in self.ends or any(u.key.name == key.name for u in self.moving)
        return key in self.wrt or any(u.key.name == key.name for u in self.moving)

    def unit(
        self, unit: Unit, turns: Turns | None, body: list[Item], later: dict[str, list[Bar]] | None = None
    ) -> None:
        """Have one unit contribute to what its text names."""
        bar = self.total(unit.key, unit, turns)
        if bar is None:
            return
        if unit.kind == "product":
            raise UnsupportedError("code for the derivative of a product over a range is not generated")
        if unit.key in self.wrt:
            bar = self.kept[unit.key] = self.with_name(unit, bar, body)
        used = [e for e in walk(unit.expr) if e.op == "var" and self.moves(self.key(e))]
        if not used:
            return
        if (len(used) > 1 or self.is_long(bar, unit)) and not _is_short(bar.node):
            bar = self.with_name(unit, bar, body)
        for child, part in self.pull(unit, bar, used).items():
            self.contribute(child, part, unit, turns, body, later)

    def pull(self, unit: Unit, bar: Bar, used: Sequence[Expr]) -> dict[Expr, Bar]:
        """Return what an adjoint contributes to those of the variables of a text."""
        bare = {e: without_symmetry(e) for e in used}
        text = _replaced(unit.expr, bare)
        ranges = index_ranges(text)
        array = lower(text, meaning(ranges), ranges, independent=True)
        own = array.node.rank - len(array.free)
        labels = tuple(dict.fromkeys((*bar.labels, *map(str, array.free))))
        sizes = self.label_sizes(bar, array.node.dims[own:], array.free)
        front: list[object] = [("F", k) for k in range(len(self.flat(self.axes)))]
        at: list[object] = list(range(own))
        factors: list[tuple[Node, list[object]]] = [(bar.node, [*front, *bar.labels, *at])]
        factors += [(normal.delta(sizes[y]), [y, ("own", y)]) for y in map(str, array.free)]
        out = [*front, *labels, *at, *(("own", str(y)) for y in array.free)]
        adjoint = normal.contract(1, factors, out, sizes)
        parent = array.node
        if not array.free and unit.kind == "define":
            parent = normal.defined(str(unit.key), array.node, True)
        leaves = {lower(bare[e], independent=True).node: e for e in used}
        found = pulled(parent, adjoint, len(front) + len(labels), leaves)
        itself = {parent: normal.leaf(str(unit.key), array.node.dims)} if parent is not array.node else {}
        return {leaves[leaf]: Bar(normal.substitute(node, itself), labels) for leaf, node in found.items()}

    def label_sizes(self, bar: Bar, sizes: Sequence[Size], free: Sequence[object]) -> dict[object, Size]:
        """Return the range of each label."""
        start = len(self.flat(self.axes))
        found: dict[object, Size] = dict(zip(bar.labels, bar.node.dims[start:], strict=False))
        found.update(zip(map(str, free), sizes, strict=True))
        return found

    # -- adjoints

    def contribute(
        self,
        child: Expr,
        bar: Bar,
        unit: Unit,
        turns: Turns | None,
        body: list[Item],
        later: dict[str, list[Bar]] | None,
    ) -> None:
        """Bring a contribution to where it is wanted."""
        key = self.key(child)
        if normal.is_zero(bar.node):
            return
        if key.label is None:
            if key.name in self.added:
                self.exprs.setdefault(key.name, child)
                body.append(Assign(Place(self.bars[key.name]), self.expr(bar, child.axes), "+"))
            else:
                self.put(key.name, bar)
            return
        kind = self.kind(key.name)
        if kind == "array":
            body.append(Assign(self.row(key, turns), self.expr(bar, child.axes), "+"))
        elif turns is not None and kind == "carried" and self.offset(key, turns) != 0:
            assert later is not None
            later.setdefault(key.name, []).append(bar)
        else:
            self.put(str(key), bar)

    def offset(self, key: Key, turns: Turns) -> int | None:
        maker = next((u for u in turns.units if u.key.name == key.name), None)
        return offset(key, maker) if maker is not None else None

    def kind(self, family: str) -> str:
        return self.carried.get(family, "single")

    def put(self, name: str, bar: Bar) -> None:
        self.pending.setdefault(name, []).append(bar)

    def total(self, key: Key, unit: Unit | None = None, turns: Turns | None = None) -> Bar | None:
        """Return the adjoint of a key, complete; None where nothing depends on it."""
        bars = self.pending.pop(str(key), [])
        like = unit.expr if unit is not None else None
        if key.label is None and key.name in self.added:
            bars.append(self.leaf(key.name, self.own_axes(key, like), Place(self.bars[key.name])))
        if key.label is not None:
            kind = self.kind(key.name)
            if kind == "carried" and key.name in self.bars:
                bars.append(self.leaf(key.name, self.own_axes(key, like), Place(self.bars[key.name])))
            if kind == "array":
                bars.append(self.leaf(f"{key} of all", self.own_axes(key, like), self.row(key, turns)))
        return self.joined(bars) if bars else None

    def joined(self, bars: Sequence[Bar]) -> Bar:
        """Return the sum of contributions."""
        labels = tuple(dict.fromkeys(y for b in bars for y in b.labels))
        sizes: dict[object, Size] = {}
        front = len(self.flat(self.axes))
        for b in bars:
            sizes.update(zip(b.labels, b.node.dims[front:], strict=False))
        terms = []
        for b in bars:
            own = list(range(b.node.rank - front - len(b.labels)))
            start: list[object] = [("F", k) for k in range(front)]
            sizes |= dict(zip(start, b.node.dims, strict=False))
            sizes |= dict(zip(own, b.node.dims[front + len(b.labels) :], strict=True))
            out = [*start, *labels, *own]
            terms.append(normal.contract(1, [(b.node, [*start, *b.labels, *own])], out, {x: sizes[x] for x in out}))
        return Bar(normal.add([(1, t) for t in terms], terms[0].dims), labels)

    def leaf(self, name: str, axes: Axes, place: Place) -> Bar:
        """Return an adjoint that is kept in a variable."""
        self.places[self.tag + name] = place
        return Bar(normal.leaf(self.tag + name, (*self.flat(self.axes), *self.flat(axes))))

    def with_name(self, unit: Unit, bar: Bar, body: list[Item]) -> Bar:
        """Return an adjoint under a name of its own."""
        own = unit.key.name
        name = (
            self.free(f"{own}_bar_{unit.loop.variable}")
            if own in self.bars and unit.loop is not None
            else self.bar_name(own)
        )
        value = self.expr(bar, unit.expr.axes)
        body.append(Assign(Place(name), value))
        return self.leaf(f"{unit.key} itself", unit.expr.axes, Place(name))

    def is_long(self, bar: Bar, unit: Unit) -> bool:
        return self.expr(bar, unit.expr.axes).weight > LONGEST

    def first_value(self, name: str, bars: Sequence[Bar], axes: Axes) -> None:
        """Emit the value that an adjoint starts with."""
        value = self.expr(self.joined(bars), axes) if bars else self.zeros(axes)
        if value.op in VIEWS:  # what is added to later must not be part of something else
            value = Expr("copy", (value,), (), value.axes)
        self.items.append(Assign(Place(self.bar_name(name)), value))

    def array(self, family: str) -> None:
        """Emit an array of adjoints of a family, zeros at first."""
        if family in self.arrays:
            return
        self.arrays.add(family)
        length = sympy.expand(rows_of(family, self.schedule).length)
        axes = self.names.families.table[family].cases[0].axes
        shape = (length, *self.flat(self.axes), *self.flat(axes))
        self.items.append(Assign(Place(self.bar_name(family)), Expr("zeros", (), (shape,), plain_axes(shape))))

    def row(self, key: Key, turns: Turns | None) -> Place:
        """Return the row of an array of adjoints."""
        assert key.label is not None
        self.array(key.name)
        low = rows_of(key.name, self.schedule).low
        label = key.label
        if turns is not None and turns.loop is not None:
            label = label.xreplace({turns.loop.symbol: turns.loop.symbol + turns.loop.low})
        return Place(self.bar_name(key.name), sympy.expand(label - low))

    def bar_name(self, name: str) -> str:
        if name not in self.bars:
            self.bars[name] = self.free(f"{name.replace(' ', '_')}_bar")
        return self.bars[name]

    def last_key(self, turns: Turns, unit: Unit) -> Key:
        assert turns.loop is not None
        end = turns.loop.low if turns.step < 0 else turns.loop.high
        return unit.key.shifted({turns.loop.symbol: end})

    # -- expressions

    def expr(self, bar: Bar, axes: Axes) -> Expr:
        """Return an adjoint in matrix notation."""
        value = lift(folded(bar.node))
        (value,) = stable([value])
        for label in bar.labels:
            value = picked(value, len(self.flat(self.axes)), label)
        wanted = (*self.axes, *axes)
        if value.axes != wanted and any(len(axis) > 1 for axis in wanted):
            value = apply("reshape", value, data=(tuple(sympy.prod(axis) for axis in wanted),))
        return value

    def zeros(self, axes: Axes) -> Expr:
        shape = tuple(sympy.prod(axis) for axis in (*self.axes, *axes))
        return Expr("zeros", (), (shape,), plain_axes(shape)) if shape else Expr("zero", (), (), ())

    def own_axes(self, key: Key, like: Expr | None = None) -> Axes:
        """Return the axes of what a key names."""
        if like is not None:
            return like.axes
        for unit in self.schedule.units:
            for e in walk(unit.expr):
                if e.op == "var" and self.key(e) == key:
                    return e.axes
        for unit in self.schedule.units:
            if unit.key == key:
                return unit.expr.axes
        return self.declared_axes(key)

    def declared_axes(self, key: Key) -> Axes:
        if key.label is not None:
            return self.names.families.table[key.name].cases[0].axes
        return self.names.scope.names[key.name].axes

    def key(self, expr: Expr) -> Key:
        (key,) = keys_in(expr, self.names)
        return key

    @staticmethod
    def flat(axes: Axes) -> tuple[Size, ...]:
        return tuple(size for axis in axes for size in axis)


def _is_short(node: Node) -> bool:
    """Tell whether an adjoint is a multiple of one array, which costs nothing to write again."""
    if isinstance(node, Contraction) and not node.bound:
        return len(node.factors) == 0 or (len(node.factors) == 1 and isinstance(node.factors[0][0], Leaf))
    return isinstance(node, Leaf)


def _replaced(expr: Expr, change: dict[Expr, Expr]) -> Expr:
    new: dict[Expr, Expr] = {}
    for node in walk(expr):
        args = tuple(new[a] for a in node.args)
        new[node] = change.get(node) or node.with_args(args)
    return new[expr]
