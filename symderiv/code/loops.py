"""Code for members of families, sums over ranges and derivatives through them: one loop forward, one backward.

What is asked for is collected as units and put in order (:mod:`~symderiv.code.units`); the way back is found by the
chain rule on the text of each (:mod:`~symderiv.code.backward`); then every value gets its place
(:mod:`~symderiv.code.kept`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import sympy

from symderiv.code.backward import Backward
from symderiv.code.distributed import distributed
from symderiv.code.handed import Handed, callables, function_names, identifiers
from symderiv.code.kept import Storage, flat, reads_of
from symderiv.code.picked import picked
from symderiv.code.program import Assign, Item, Loop, Place, Program
from symderiv.code.schedule import Schedule, Turns
from symderiv.code.stable import stable
from symderiv.code.units import Collector, Unit, labels_in
from symderiv.dims import Size
from symderiv.errors import UnsupportedError
from symderiv.index import normal
from symderiv.lift import lift
from symderiv.lower import index_ranges, lower
from symderiv.statements.block import Names
from symderiv.statements.meaning import meaning
from symderiv.tensor.expr import Axes, Expr, plain_axes, replaced, walk
from symderiv.tensor.operations import apply
from symderiv.tensor.text import to_text
from symderiv.windows.dependence import Key, key_of

RAW = frozenset({"zero", "zeros", "empty", "copy"})  # what only the printer knows


@dataclass(frozen=True)
class Wanted:
    """One result: a value, or the derivative of `function` in a parameter."""

    value: Expr | None = None
    function: Key | None = None
    variable: Key | None = None


def program_of(names: Names, exprs: Sequence[Expr], name: str, summary: str, notes: Sequence[str] = ()) -> Program:
    """Return the program that computes expressions of the open world."""
    return _Generator(names, exprs).program(name, summary, notes)


class _Generator:
    def __init__(self, names: Names, exprs: Sequence[Expr]) -> None:
        self.names, self.exprs = names, exprs
        self.collector = Collector(names)
        self.wanted = [self.want(e) for e in exprs]
        while self.collector.both():
            self.collector = Collector(names, self.collector.looped | self.collector.both())
            self.wanted = [self.want(e) for e in exprs]
        if any("[" in str(s) for e in self.everything() for size in e.shape for s in size.free_symbols):
            raise UnsupportedError(
                "code for layers of different widths is not generated", hint="give all members of a family one shape"
            )
        self.schedule = Schedule(self.collector.units, names)
        self.identifiers = identifiers(names, self.everything())
        self.items: list[Item] = []
        self.loops: list[tuple[Loop, Turns]] = []

    def everything(self) -> list[Expr]:
        """Return all texts."""
        return [*(u.expr for u in self.collector.units), *(w.value for w in self.wanted if w.value is not None)]

    # -- what is asked for

    def want(self, expr: Expr) -> Wanted:
        """Return a result, what it needs collected."""
        while expr.op == "called":
            expr = expr.args[0]
        if expr.op == "diff" and (self.collector.is_open(expr) or self.is_gradient(expr)):
            if not self.is_gradient(expr):
                raise UnsupportedError(
                    "code through families is generated for first total derivatives in whole arrays",
                    hint="write code(diff(L, W))",
                )
            f, x = expr.args
            text = self.collector.text(f)
            if text.op != "var":
                key = Key(f"value {len(self.collector.units)}")
                self.collector.units.append(Unit(key, text))
                text = Expr("var", (), (key.name, frozenset()), text.axes)
            key = key_of(x, self.names)
            self.collector.need(key, x, ())
            return Wanted(function=key_of(text, self.names), variable=key)
        return Wanted(value=self.collector.text(expr))

    @staticmethod
    def is_gradient(expr: Expr) -> bool:
        """Tell a first total derivative in a whole array."""
        return expr.data == ("total",) and len(expr.args) == 2 and all(a.op != "entry" for a in expr.args)

    # -- the program

    def program(self, name: str, summary: str, notes: Sequence[str]) -> Program:
        handed = Handed(self.collector, self.free)
        self.symmetric = self.symmetric_families()
        self.forward()
        results = [self.written(w.value) if w.value is not None else None for w in self.wanted]
        derivatives, bars = self.backward()
        final: list[Expr] = [
            r if r is not None else derivatives[w.function, w.variable]
            for r, w in zip(results, self.wanted, strict=True)
        ]
        self.drop_unread(final)
        storage = Storage(self.schedule, handed, self.items, self.loops, self.alias, self.free, handed.places | bars)
        storage.settle(final)
        values = [*(item.value for item in flat(self.items)), *final]
        arguments = [*handed.arguments, *callables(values)]
        labels, functions = [to_text(e) for e in self.exprs], function_names(values)
        program = Program(
            name, arguments, self.items, final, summary, notes, storage.places, functions, labels, handed.members
        )
        return distributed(program, self.identifiers)

    def free(self, wanted: str) -> str:
        """Return a name for a variable that is not in use."""
        name = wanted
        while name in self.identifiers:
            name += "_"
        self.identifiers.add(name)
        return name

    # -- symmetry

    def symmetric_families(self) -> frozenset[str]:
        """Return the families of symmetric matrices: each text is one if the members that it names are."""
        makers: dict[str, list[Unit]] = {}
        for u in self.schedule.units:
            if u.expr.rank == 2 and u.expr.axes[0] == u.expr.axes[1] and u.key.label is not None:
                makers.setdefault(u.key.name, []).append(u)
        given = {a.family for a in self.collector.declared.values() if "symmetric" not in a.case.traits}
        found = {name for name in makers if name not in given}
        while True:
            wrong = {n for n in found for u in makers[n] if not _is_symmetric(self.with_symmetry(u.expr, found))}
            if not wrong:
                return frozenset(found)
            found -= wrong

    def with_symmetry(self, expr: Expr, families: set[str] | frozenset[str]) -> Expr:
        """Return a text in which members of symmetric families are known to be so, products taken from the left."""
        change = {
            e: Expr("var", (), (e.name, frozenset([*e.data[1], "symmetric"])), e.axes)
            for e in walk(expr)
            if e.op == "var" and e.name.partition("[")[0] in families
        }
        return replaced(expr, change) if change else expr

    # -- forward

    def written(self, expr: Expr) -> Expr:
        """Return a text as code has it: safe far out, labels taken as entries."""
        if expr.op in RAW:
            return expr
        if expr.op == "block":
            return Expr(expr.op, tuple(map(self.written, expr.args)), expr.data, expr.axes)
        expr = self.logs(expr)
        if labels_in(expr):
            ranges = index_ranges(expr)
            array = lower(expr, meaning(ranges), ranges)
            own = array.node.rank - len(array.free)
            order = [*range(own, array.node.rank), *range(own)]
            expr = lift(normal.transposed(array.node, tuple(order)))
            (expr,) = stable([expr])
            for label in array.free:
                expr = picked(expr, 0, str(label))
        else:
            (expr,) = stable([self.with_symmetry(expr, self.symmetric)])
        return _from_the_left(expr)

    def logs(self, expr: Expr) -> Expr:
        """Return a text with the text of a softmax put in where its logarithm is taken: that of exp(−1000) is −1000."""
        made = {u.key: u.expr for u in self.schedule.units if u.expr.op == "softmax"}
        change: dict[Expr, Expr] = {}
        for e in walk(expr):
            if e.op == "map" and e.data[0] == "log":
                for p in walk(e.args[0]):
                    if p.op == "var" and key_of(p, self.names) in made:
                        change[e] = replaced(e, {p: made[key_of(p, self.names)]})
        return replaced(expr, change) if change else expr

    def forward(self) -> None:
        """Emit what computes the values."""
        self.alias = self.signs()
        for turns in self.schedule.turns:
            if turns.loop is None:
                for unit in turns.units:
                    if unit.key.name not in self.alias.values() or unit.key.label is not None:
                        self.items.append(self.assign(unit.key, self.written(unit.expr)))
                continue
            body: list[Item] = []
            for unit in turns.units:
                if unit.kind == "define":
                    body.append(self.assign(unit.key, self.written(unit.expr)))
                elif unit.kind == "sum":
                    self.items.append(self.assign(unit.key, _zeros(unit.expr.axes)))
                    sign = "-" if self.is_minus(unit) else "+"
                    value = self.written(unit.expr)
                    if value.op == "neg":
                        sign, value = "+-"[sign == "+"], value.args[0]
                    body.append(Assign(Place(unit.key.name), value, sign, unit.key))
                else:
                    body.append(self.factor(unit))
            loop = Loop(turns.loop.symbol, sympy.expand(turns.loop.length), turns.step < 0, body)
            self.items.append(loop)
            self.loops.append((loop, turns))

    def factor(self, unit: Unit) -> Assign:
        """Return the step of an ordered product, its start emitted."""
        so_far = Expr("var", (), (unit.key.name, frozenset()), unit.expr.axes)
        start = apply("eye", data=(unit.expr.shape[0],)) if unit.expr.rank else Expr("number", (), (sympy.S.One,), ())
        self.items.append(self.assign(unit.key, start))
        factor = self.written(unit.expr)
        if not unit.expr.rank:
            return self.assign(unit.key, apply("mul", so_far, factor))
        return self.assign(unit.key, apply("matmul", *((factor, so_far) if unit.backward else (so_far, factor))))

    def assign(self, key: Key, value: Expr) -> Assign:
        return Assign(Place(str(key)), value, key=key)

    def signs(self) -> dict[str, str]:
        """Return the sums that a definition is, up to its sign: they are added up under its name."""
        found = {}
        texts = self.everything()
        for unit in self.schedule.units:
            inner = unit.expr.args[0] if unit.expr.op == "neg" else unit.expr
            if unit.loop is None and unit.key.label is None and inner.op == "var" and inner.name.startswith("sum "):
                uses = sum(e is inner for text in texts for e in walk(text))
                if uses == 1:
                    found[inner.name] = unit.key.name
        return found

    def is_minus(self, unit: Unit) -> bool:
        """Tell whether a sum is added up under the name of what is minus it."""
        name = self.alias.get(unit.key.name)
        return any(u.key.name == name and u.expr.op == "neg" for u in self.schedule.units)

    # -- backward

    def drop_unread(self, results: Sequence[Expr]) -> None:
        """Leave out what is computed and not read."""
        made: dict[str, list[Expr]] = {}
        live = {name for e in results for name in self.read_names(e)}
        for item in flat(self.items):
            name = self.name_of(item)
            if name is None:  # an adjoint
                live |= self.read_names(item.value)
            else:
                made.setdefault(name, []).append(item.value)
        stack = list(live)
        while stack:
            new = {n for value in made.get(stack.pop(), []) for n in self.read_names(value)} - live
            live |= new
            stack += new
        for loop, _ in self.loops:
            loop.body = [i for i in loop.body if not isinstance(i, Assign) or self.name_of(i) in (None, *live)]
        self.items = [i for i in self.items if (i.body if isinstance(i, Loop) else self.name_of(i) in (None, *live))]
        self.loops = [(loop, t) for loop, t in self.loops if loop.body]

    def name_of(self, item: Assign) -> str | None:
        """Return the name of what an item computes a part of; none where it is an adjoint."""
        return None if item.key is None else self.alias.get(item.key.name, item.key.name)

    def read_names(self, expr: Expr) -> set[str]:
        """Return the names of what an expression reads; a label is no array."""
        return {self.alias.get(k.name, k.name) for k in reads_of(expr, self.names)}

    def backward(self) -> tuple[dict[tuple[Key | None, Key | None], Expr], dict[str, Place]]:
        """Emit what computes derivatives; return them, and where adjoints are kept."""
        found: dict[tuple[Key | None, Key | None], Expr] = {}
        places: dict[str, Place] = {}
        functions = dict.fromkeys(w.function for w in self.wanted if w.function is not None)
        for function in functions:
            wrt = list(
                dict.fromkeys(w.variable for w in self.wanted if w.function == function and w.variable is not None)
            )
            way = Backward(self.schedule, function, self.axes_of(function), wrt, self.free)
            for key, expr in way.run().items():
                found[function, key] = expr
            self.items += way.items
            self.loops += way.loops
            places |= way.places
        return found, places

    def axes_of(self, key: Key) -> Axes:
        for unit in self.schedule.makers(key):
            return unit.expr.axes
        raise UnsupportedError(
            f"{key} depends on nothing", hint="the derivative of a declared array is known without code"
        )


def _zeros(axes: Axes) -> Expr:
    shape: tuple[Size, ...] = tuple(sympy.prod(axis) for axis in axes)
    return Expr("zeros", (), (shape,), plain_axes(shape)) if shape else Expr("zero", (), (), ())


def _is_symmetric(expr: Expr) -> bool:
    return lower(expr).node is lower(apply("transpose", expr)).node


def _from_the_left(expr: Expr) -> Expr:
    """Return an expression with `S @ v` for `v @ S`, S symmetric: the same product, found once."""
    new: dict[Expr, Expr] = {}
    for node in walk(expr):
        args = tuple(new[a] for a in node.args)
        if node.op == "matmul" and args[0].rank == 1 and args[1].rank == 2 and _known_symmetric(args[1]):
            new[node] = apply("matmul", args[1], args[0])
        elif node.op == "matmul" and args[0].rank == 1 and args[1].op == "matmul" and args[1].rank == 1:
            new[node] = apply("matmul", *args)
        else:
            new[node] = node.with_args(args)
    return new[expr]


def _known_symmetric(expr: Expr) -> bool:
    return expr.op == "var" and "symmetric" in expr.data[1]
