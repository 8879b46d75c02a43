"""Programs with loops: assignments and loops over members of families, written as plain NumPy.

The expressions of a program are those of the matrix language.  Members of families stand in them as variables
under their own names (`h[t - 1]`); a :class:`Place` says where each is kept, which may differ from one loop to
the next.  A loop counts from 0.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import sympy

from symderiv import dims
from symderiv.code.numpy import Argument, Source, Writer
from symderiv.families import Label
from symderiv.tensor.expr import Expr, walk
from symderiv.tensor.text import ATOM, FunctionName
from symderiv.windows.dependence import Key

TEMPORARY = ("u", "v", "r", "s")
ONE_HOT = "def {name}(k, n):\n    e = {np}.zeros(n)\n    e[k] = 1.0\n    return e\n"


@dataclass(frozen=True)
class Place:
    """Where a value is kept: a name, or a row of an array, counted from 0."""

    name: str
    row: Label | None = None


@dataclass
class Assign:
    """`target = value`, or with a sign `target += value`."""

    target: Place
    value: Expr
    sign: str = ""
    key: Key | None = None  # what is computed; none for an adjoint


@dataclass
class Loop:
    """Turns of a loop, `variable` from 0 up to `count`, or down."""

    variable: Label
    count: Label
    backward: bool = False
    body: list[Item] = field(default_factory=list)
    places: dict[str, Place] = field(default_factory=dict)


Item: TypeAlias = Assign | Loop


@dataclass(frozen=True)
class Members:
    """The members of a family that an argument brings: one, or those of labels `low` … `high` as rows."""

    family: str
    low: Label
    high: Label | None = None


@dataclass
class Program:
    """A function with loops; `places` are those of names outside of all loops."""

    name: str
    arguments: Sequence[Argument]
    items: list[Item]
    results: Sequence[Expr]
    summary: str
    notes: Sequence[str] = ()
    places: dict[str, Place] = field(default_factory=dict)
    functions: Mapping[FunctionName, str] = field(default_factory=dict)
    labels: Sequence[str] = ()  # what the results are, where there are several
    members: Mapping[str, Members] = field(default_factory=dict)  # by the arguments that bring them

    def values(self) -> Iterator[Expr]:
        """Yield every expression of the program."""
        yield from _values(self.items)
        yield from self.results


def _values(items: Sequence[Item]) -> Iterator[Expr]:
    for item in items:
        if isinstance(item, Assign):
            yield item.value
        else:
            yield from _values(item.body)


def program_source(program: Program) -> str:
    """Return the text of a self-contained module with one function."""
    return ProgramWriter(program).module()


def program_text(program: Program) -> str:
    """Return the text of the function alone, for a module that imports `numpy as np` itself."""
    writer = ProgramWriter(program)
    lines = writer.function_lines()
    return "\n\n".join([*writer.helper_texts(), lines])


class ProgramWriter(Writer):
    """Writes a program; what an expression or a turn of a loop needs twice gets a name first."""

    def __init__(self, program: Program) -> None:
        source = Source(
            program.name, program.arguments, program.results, program.summary, program.notes, {}, program.functions
        )
        super().__init__(source)
        self.program = program
        self.places = dict(program.places)
        self.loops: dict[Label, str] = {}
        self.taken |= {place.name for place in _targets(program.items)}
        self.count = 0

    def helper_texts(self) -> list[str]:
        own = [ONE_HOT.format(name=self.helpers["one_hot"], np=self.np)] if "one_hot" in self.helpers else []
        known = {k: v for k, v in self.helpers.items() if k != "one_hot"}
        self.helpers, kept = known, self.helpers
        try:
            return [*super().helper_texts(), *own]
        finally:
            self.helpers = kept

    def returns(self) -> list[str]:
        if len(self.program.labels) != len(self.program.results) or len(self.program.results) == 1:
            return super().returns()
        shapes = [dims.written(r.shape) for r in self.program.results]
        blank = [""] if self.program.notes else []
        return [
            "Returns a tuple:",
            *(f"    {n}: shape {s}" for n, s in zip(self.program.labels, shapes, strict=True)),
            *blank,
        ]

    def body(self) -> list[str]:
        lines = self.block(self.program.items, self.program.results)
        return [*lines, *self.returned([self.result(r) for r in self.program.results])]

    def block(self, items: Sequence[Item], results: Sequence[Expr] = ()) -> list[str]:
        """Return the lines of a block; the last expressions belong to a return."""
        values = [item.value for item in items if isinstance(item, Assign)]
        uses: Counter[Expr] = Counter([*values, *results])
        for node in walk(*values, *results):
            uses.update(node.args)
        lines: list[str] = []
        for item in items:
            if isinstance(item, Loop):
                lines += self.loop(item)
                continue
            lines += self.shared(item.value, uses)
            lines.append(f"{self.place(item.target)} {item.sign}= {self.text(item.value)}")
        for result in results:
            lines += self.shared(result, uses)
        return lines

    def shared(self, value: Expr, uses: Counter[Expr]) -> list[str]:
        """Return assignments of the parts of a value that are used more than once."""
        lines = []
        for node in walk(value):
            if uses[node] > 1 and node not in self.assigned and not self.trivial(node):
                text = self.text(node)
                name = self.temporary()
                lines.append(f"{name} = {text}")
                self.assigned[node] = name
        return lines

    def temporary(self) -> str:
        """Return a name for what is used more than once."""
        self.count += 1
        left = [name for name in TEMPORARY if name not in self.taken]
        return self.free(left[0] if left else f"t{self.count}")

    def result(self, expr: Expr) -> str:
        """Return the text of a result: a copy where it would be a view of an argument."""
        text = super().result(expr)
        inner = expr
        while inner.args:
            inner = inner.args[0]
        place = self.places.get(inner.name) if inner.op == "var" else None
        return text if place is None or place.name in {a.name for a in self.source.arguments} else self.text(expr)

    def loop(self, loop: Loop) -> list[str]:
        """Return a loop with its body."""
        outer, assigned = dict(self.places), dict(self.assigned)
        self.loops[loop.variable] = self.loops.get(loop.variable) or self.free(str(loop.variable))
        turns = f"range({self.label(loop.count)})"
        head = f"for {self.loops[loop.variable]} in {f'reversed({turns})' if loop.backward else turns}:"
        self.places |= loop.places
        try:
            return [head, *("    " + line for line in self.block(loop.body))]
        finally:
            self.places, self.assigned = outer, assigned

    # -- names

    def place(self, place: Place) -> str:
        """Return the text of a place."""
        return place.name if place.row is None else f"{place.name}[{self.label(place.row)}]"

    def label(self, label: Label) -> str:
        """Return an integer made of sizes and loop variables."""
        names = {s: sympy.Symbol(self.loops[s]) for s in label.free_symbols if s in self.loops}
        for s in label.free_symbols - set(names):
            self.size_text(s)
        return str(label.xreplace(names))

    def write_var(self, expr: Expr) -> tuple[str, int]:
        place = self.places.get(expr.name)
        return (self.place(place), ATOM) if place is not None else super().write_var(expr)

    def write_entry(self, expr: Expr) -> tuple[str, int]:
        text = self.bracketed(expr.args[0], ATOM)
        subscripts = [":" if n is None else self.place(self.places.get(n, Place(n))) for n in expr.data]
        while subscripts[-1] == ":":
            subscripts.pop()
        place = self.places.get(expr.args[0].name) if expr.args[0].op == "var" else None
        if place is not None and place.row is not None:
            return f"{text[:-1]}, {', '.join(subscripts)}]", ATOM
        return f"{text}[{', '.join(subscripts)}]", ATOM

    def write_size(self, expr: Expr) -> tuple[str, int]:
        (size,) = expr.data
        if not size.free_symbols & set(self.loops):
            return super().write_size(expr)
        text = self.label(size)
        return (f"({text})" if size.args else text), ATOM

    def write_one_hot(self, expr: Expr) -> tuple[str, int]:
        label, size = expr.data
        if "one_hot" not in self.helpers:
            self.helpers["one_hot"] = self.free("one_hot")
        return f"{self.helpers['one_hot']}({self.place(self.places[label])}, {self.size_text(size)})", ATOM

    def write_zero(self, expr: Expr) -> tuple[str, int]:
        return "0.0", ATOM

    def write_copy(self, expr: Expr) -> tuple[str, int]:
        return self.numpy("array", self.text(expr.args[0])), ATOM

    def write_empty(self, expr: Expr) -> tuple[str, int]:
        return self.filled(expr)

    def trivial(self, node: Expr) -> bool:
        return super().trivial(node) or node.op in ("zero", "empty", "copy", "entry")


def _targets(items: Sequence[Item]) -> Iterator[Place]:
    for item in items:
        if isinstance(item, Assign):
            yield item.target
        else:
            yield from _targets(item.body)
