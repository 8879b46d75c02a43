"""What generated code is handed: declared arrays, members of families one by one or as rows, unknown functions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import sympy

from symderiv import dims
from symderiv.code.dialect import unknown_name
from symderiv.code.program import Members, Place
from symderiv.code.source import Argument
from symderiv.code.units import Collector, Declared
from symderiv.functions import FUNCTIONS
from symderiv.statements.block import Names
from symderiv.statements.members import Case
from symderiv.tensor.expr import Expr, walk


@dataclass
class Handed:
    """The arguments of a function, in the order of their declarations, and where each is kept."""

    collector: Collector
    free: Callable[[str], str]
    arguments: list[Argument] = field(default_factory=list)
    places: dict[str, Place] = field(default_factory=dict)
    cases: dict[tuple[str, Case], Place] = field(default_factory=dict)
    members: dict[str, Members] = field(default_factory=dict)

    def __post_init__(self) -> None:
        names, collector = self.collector.names, self.collector
        for plain in names.scope.names:
            if plain in collector.plain:
                self.arguments.append(Argument(plain, collector.plain[plain].shape))
                self.places[plain] = Place(plain)
        for label, size in collector.labels.items():
            self.arguments.append(Argument(label, (), below=size, note=f"an integer below {size}"))
            self.places[label] = Place(label)
        order = list(names.families.table)
        given = collector.declared.values()
        for one in sorted(given, key=lambda d: (not d.single, order.index(d.family), str(d.case.low))):
            self.add(one)

    def add(self, declared: Declared) -> None:
        """Add the argument that brings declared members."""
        case, family = declared.case, declared.family
        shape = tuple(sympy.prod(axis) for axis in case.axes)
        note = f"integers below {case.label_of}" if case.label_of is not None else ""
        if declared.single:
            name = self.free(f"{family}{case.low}" if case.low.is_Integer else f"{family}_{word(str(case.low))}")
            self.members[name] = Members(family, case.low)
            self.cases[family, case] = Place(name)
        else:
            made = any(u.key.name == family for u in self.collector.units)
            several = sum(d.family == family for d in self.collector.declared.values()) > 1
            name = self.free(f"{family}_given") if made or several else family
            note = ", ".join(filter(None, [f"rows {family}[{case.low}] … {family}[{case.high}]", note]))
            shape = (sympy.expand(case.high - case.low + 1), *shape)
            self.members[name] = Members(family, case.low, case.high)
            self.cases[family, case] = Place(name, case.low)
        self.arguments.append(Argument(name, shape, below=case.label_of, note=note))


def word(text: str) -> str:
    """Return a text as part of a name."""
    return "_".join("".join(c if c.isalnum() else " " for c in text).split())


def identifiers(names: Names, exprs: Sequence[Expr]) -> set[str]:
    """Return every name that means something already."""
    sizes = {str(s) for e in exprs for size in e.shape for s in size.free_symbols}
    functions = [f for f in names.scope.functions if f.isidentifier()]
    scope, families = names.scope, names.families
    return {*sizes, *map(str, scope.sizes), *scope.names, *functions, *names.unknown, *families.table}


def function_names(exprs: Sequence[Expr]) -> dict[tuple[str, int], str]:
    """Return the names in code of unknown scalar functions and of their derivatives: h, dh, d2h."""
    found = {e.data for e in walk(*exprs) if e.op == "map" and e.data[0] not in FUNCTIONS}
    return {(f, order): unknown_name(f, (0,) * order, 1) for f, order in sorted(found)}


def nth(order: int) -> str:
    """Return what a derivative of an order is called."""
    return {1: "derivative", 2: "second derivative", 3: "third derivative"}.get(order, f"derivative of order {order}")


def callables(exprs: Sequence[Expr]) -> list[Argument]:
    """Return the unknown functions that expressions call, as arguments: scalar ones, then those of arrays."""
    found = []
    for (f, order), name in function_names(exprs).items():
        what = f"the {nth(order)} of {f}, entrywise" if order else "a function, entrywise"
        found.append(Argument(name, note=what))
    seen: dict[str, Argument] = {}
    for e in walk(*exprs):
        if e.op == "unknown":
            slots = e.data[1] if len(e.data) > 1 else ()
            name = unknown_name(e.name, slots, len(e.args))
            takes = ", ".join(dims.written(a.shape) for a in e.args)
            many = len(e.args) > 1
            what = f"a function of {'arrays of shapes' if many else 'an array of shape'} {takes}"
            if slots:
                where = f" in argument {' and '.join(str(k + 1) for k in slots)}" if many else ""
                what = f"the {nth(len(slots))} of {e.name}{where}, called with the same"
            seen[name] = Argument(name, note=f"{what}; its values have shape {dims.written(e.shape)}")
    return [*found, *(seen[k] for k in sorted(seen, key=lambda n: (len(n), n)))]
