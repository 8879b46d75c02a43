"""What has to be computed: definitions, members of families and sums over ranges as units.

A *unit* computes one thing: a definition, all members of a family over a range, or a sum over a range.  Its
text names the others as variables.
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import sympy

from symderiv import dims
from symderiv.errors import UnsupportedError
from symderiv.families import Bounds, Label, Range, shifted
from symderiv.index.graph import Node
from symderiv.lift import lift
from symderiv.lower import Array, lower
from symderiv.statements.block import Names
from symderiv.statements.meaning import meaning
from symderiv.statements.members import RANGED, Case, World
from symderiv.statements.worlds import reader_in
from symderiv.tensor.expr import Expr, walk, walk_own
from symderiv.windows.dependence import Key, key_named, key_of

DERIVATIVES = frozenset({"diff", "directional"})


@dataclass(eq=False)
class Unit:
    """One thing to be computed: `key` is its name, in the loop's variable where it has a loop."""

    key: Key
    expr: Expr
    loop: Range | None = None
    kind: str = "define"  # or sum: the expression is added up over the loop; or product, the factors in order
    backward: bool = False  # a product whose first factor is that of the last turn

    def moved(self, variable: str, names: Names) -> Unit:
        """Return the unit with another name for the loop's variable."""
        if self.loop is None or self.loop.variable == variable:
            return self
        values = {self.loop.symbol: dims.symbol(variable)}
        loop = Range(variable, self.loop.low, self.loop.high)
        return Unit(self.key.shifted(values), relabelled(self.expr, names, values), loop, self.kind, self.backward)


@dataclass
class Declared:
    """Declared members that are handed in: one of a label, or all of a case as rows."""

    family: str
    case: Case

    @property
    def single(self) -> bool:
        """Tell a single member from rows."""
        return not self.case.variable


def relabelled(expr: Expr, names: Names, values: Mapping[Label, Label]) -> Expr:
    """Return a text of the open world with labels put in for the variables of its members."""
    new: dict[Expr, Expr] = {}
    for node in walk(expr):
        args = tuple(new[a] for a in node.args)
        data, axes = node.data, node.axes
        if node.op == "var" and "[" in node.name:
            data = (str(key_of(node, names).shifted(dict(values))), *node.data[1:])
        elif node.op == "entry":
            data = tuple(
                n if n is None or "[" not in n else str(key_named(n, names).shifted(dict(values))) for n in data
            )
        elif node.op == "size":
            data = (shifted(node.data[0], values),)
        elif node.op == "matrix_power" and not isinstance(data[0], int):
            data = (shifted(data[0], values),)
        new[node] = Expr(node.op, args, data, axes)
    return new[expr]


def labels_in(expr: Expr) -> list[str]:
    """Return the labels that subscript arrays in a text: `y[t]` of `p[t][y[t]]`."""
    found = (n for e in walk(expr) if e.op == "entry" for n in e.data if n is not None)
    return list(dict.fromkeys(found))


class Collector:
    """Finds what some expressions of the open world need."""

    def __init__(self, names: Names, looped: Collection[str] = ()) -> None:
        self.names = names
        self.looped = set(looped)  # families of which all members are computed, where one would do
        self.alone: set[str] = set()  # families of which some member is computed by itself
        self.units: list[Unit] = []
        self.declared: dict[tuple[str, Case], Declared] = {}
        self.plain: dict[str, Expr] = {}  # declared arrays
        self.labels: dict[str, dims.Size] = {}  # single labels, `y: index(m)`
        self.lowered: dict[Expr, Array] = {}
        self.done: set[object] = set()
        self.sums: dict[Expr, Expr] = {}

    def text(self, expr: Expr, ranges: tuple[Range, ...] = ()) -> Expr:
        """Return a text with what it names as variables; what that needs is collected first."""
        if expr.op != "block" and any(e.op in DERIVATIVES for e in walk_own(expr)):
            expr = self.carried_out(expr)
        return self.cut(expr, ranges)

    def carried_out(self, expr: Expr) -> Expr:
        """Return a text with the derivatives in it carried out; none goes through members of families."""
        if self.is_open(expr):
            raise UnsupportedError(
                "code for the derivative of members inside of another text is not generated",
                hint="ask for the derivative itself: code(diff(L, W))",
            )
        node = lower(expr, meaning()).node
        named = {n: e for n, e in self.known().items() if e.args[0] is not expr}
        return lift(node, expr.axes, named)

    def known(self) -> dict[Node, Expr]:
        """Return the definitions, also by the derivatives that they name, as nodes."""
        found: dict[Node, Expr] = {}
        for e in self.names.scope.names.values():
            if e.op != "defined" or self.is_open(e) or any(part.op == "block" for part in walk(e)):
                continue
            found[lower(e, meaning(), done=self.lowered).node] = e
            if e.args[0].op == "diff":
                found[lower(e.args[0], meaning(), done=self.lowered).node] = e
        return found

    def is_open(self, expr: Expr) -> bool:
        """Tell whether an expression leads through members of families."""
        table, dependent = self.names.families.table, self.names.families.dependent
        return any(
            e.op in RANGED
            or (e.op in ("var", "defined") and (e.name.partition("[")[0] in table or e.name in dependent))
            for e in walk(expr)
        )

    def cut(self, expr: Expr, ranges: tuple[Range, ...]) -> Expr:
        match expr.op:
            case "var":
                self.need(key_of(expr, self.names), expr, ranges)
                return expr
            case "defined":
                self.need(Key(expr.name), expr, ranges)
                return Expr("var", (), (expr.name, frozenset()), expr.axes)
            case "called":
                return self.cut(expr.args[0], ranges)
            case "range_sum" | "range_prod":
                return self.ranged(expr, ranges)
            case "delta" | "sum_over":
                raise UnsupportedError("sums over free indices are not generated as code", hint="write arrays: A @ b")
            case "entry":
                for name in expr.data:
                    if name is not None:
                        self.label(name, expr, ranges)
        read = self.text if expr.op == "block" else self.cut
        args = tuple(read(a, ranges) for a in expr.args)
        return expr.with_args(args)

    def label(self, name: str, expr: Expr, ranges: tuple[Range, ...]) -> None:
        """Collect a label."""
        families = self.names.families
        key = key_named(name, self.names)
        if key.label is not None:
            self.need(key, None, ranges)
        elif name in families.labels:
            self.labels[name] = families.labels[name]
        else:
            raise UnsupportedError(
                f"the index {name} has no value in code", hint="ask for the whole array, or declare it: i: index(n)"
            )

    def ranged(self, expr: Expr, ranges: tuple[Range, ...]) -> Expr:
        """Return the name of a sum or product over a range, which is a unit."""
        if expr in self.sums:
            return self.sums[expr]
        variable, low, high, backward = expr.data
        own = Range(variable, low, high)
        if ranges and any(r.symbol in _symbols(expr) for r in ranges):
            raise UnsupportedError(
                "a sum inside of a recurrence whose terms or ends depend on it is not generated as code",
                hint="write the sum as a recurrence of its own: S[t] = S[t - 1] + …",
            )
        body = self.text(expr.args[0], (own,))
        kind = "sum" if expr.op == "range_sum" else "product"
        name = f"{kind} {len(self.sums) + 1}"
        self.units.append(Unit(Key(name), body, own, kind, backward))
        self.sums[expr] = Expr("var", (), (name, frozenset()), expr.axes)
        return self.sums[expr]

    def need(self, key: Key, expr: Expr | None, ranges: tuple[Range, ...]) -> None:
        """Collect what computes a key, or the argument that brings it."""
        if key.label is None:
            self.plainly(key, expr)
            return
        family = self.names.families.table[key.name]
        bounds = Bounds((*self.names.families.parameters, *ranges), self.names.families.least)
        for case in family.cases:
            there = bounds.contains(Range("", case.low, case.high), key.label)
            if there is False:
                continue
            if there and not ranges and case.variable and case.body is not None and self.stands_alone(key.name):
                self.one(key, case)
            else:
                self.of_case(key.name, case)

    def plainly(self, key: Key, expr: Expr | None) -> None:
        if key in self.done or key.name.startswith(("sum ", "product ")):
            return
        self.done.add(key)
        scope = self.names.scope.names
        known = scope.get(key.name, expr)
        assert known is not None
        if known.op == "defined":
            body = self.text(known.args[0])
            self.units.append(Unit(key, body))
        else:
            self.plain[key.name] = known

    def one(self, key: Key, case: Case) -> None:
        """Collect one member of a family that is no recurrence: it needs no loop."""
        if key in self.done:
            return
        self.done.add(key)
        self.alone.add(key.name)
        assert key.label is not None
        self.units.append(Unit(key, self.text(self.read(case, case.binding(key.label), ()))))

    def of_case(self, family: str, case: Case) -> None:
        """Collect all members of a case."""
        if (family, case) in self.done:
            return
        self.done.add((family, case))
        if case.body is None:
            self.declared[family, case] = Declared(family, case)
            return
        if not case.variable:
            self.units.append(Unit(Key(family, case.low), self.text(self.read(case, {}, ()))))
            return
        loop = Range(case.variable, sympy.expand(case.low - case.shift), sympy.expand(case.high - case.shift))
        body = self.text(self.read(case, {}, (loop,)), (loop,))
        self.units.append(Unit(Key(family, sympy.expand(loop.symbol + case.shift)), body, loop))

    def read(self, case: Case, values: Mapping[Label, Label], ranges: Sequence[Range]) -> Expr:
        """Return the text of a case in the open world."""
        assert case.body is not None
        integers = {r.variable: r.symbol for r in self.names.families.parameters}
        integers |= {str(k): v for k, v in values.items()}
        reader = reader_in(World(), self.names, integers)
        with reader.inside(*ranges):
            return reader.read(case.body)

    def stands_alone(self, family: str) -> bool:
        """Tell whether a member of a family is computed by itself, without a loop."""
        return family not in self.looped and not self.recurs(family)

    def both(self) -> set[str]:
        """Return the families of which members are computed in a loop, and some once more by themselves."""
        return {u.key.name for u in self.units if u.loop is not None} & self.alone

    def recurs(self, family: str) -> bool:
        """Tell whether members of a family depend on other members of it."""
        seen: set[str] = set()
        stack = [family]
        while stack:
            for word in self.words(stack.pop()):
                if word == family:
                    return True
                if word not in seen:
                    seen.add(word)
                    stack.append(word)
        return False

    def words(self, name: str) -> set[str]:
        """Return the names in the texts of a name."""
        names = self.names
        cases = names.families.table[name].cases if name in names.families.table else []
        bodies = [c.body for c in cases if c.body is not None]
        bodies += [names.families.dependent[name]] if name in names.families.dependent else []
        bodies += [names.functions[name].body] if name in names.functions else []
        return {part.id for body in bodies for part in ast.walk(body) if isinstance(part, ast.Name)}


def _symbols(expr: Expr) -> set[Label]:
    """Return the integers that the members, sizes and ranges of a text are told by."""
    found: set[Label] = set()
    for e in walk(expr):
        if e.op in ("range_sum", "range_prod"):
            found |= e.data[1].free_symbols | e.data[2].free_symbols
        texts = [e.name] if e.op == "var" else [n for n in e.data if n] if e.op == "entry" else []
        for text in texts:
            _, bracket, label = str(text).partition("[")
            if bracket:
                found |= {dims.symbol(w) for w in _words(label)}
        if e.op == "size":
            found |= e.data[0].free_symbols
    return found


def _words(text: str) -> list[str]:
    return "".join(c if c.isalnum() or c == "_" else " " for c in text).split()


def references(unit: Unit, names: Names) -> list[Key]:
    """Return what the text of a unit names."""
    return keys_in(unit.expr, names)


def keys_in(expr: Expr, names: Names) -> list[Key]:
    """Return the members and arrays that a text names."""
    found = dict.fromkeys(key_of(e, names) for e in walk(expr) if e.op == "var")
    return list(found)


def offset(reference: Key, unit: Unit) -> int | None:
    """Return how many turns later than the present one a member is computed; None where that is no number."""
    if reference.label is None or unit.key.label is None:
        return None
    value = sympy.expand(reference.label - unit.key.label)
    return int(value) if value.is_Integer else None
