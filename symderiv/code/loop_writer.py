"""Programs with loops as plain, readable NumPy.

A loop is where calls cost more than numbers: products with vectors are written `A.dot(x)`, and what an operation
finds is written where it is kept (`np.tanh(a_t, out=h_t)`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence

import sympy

from symderiv import dims
from symderiv.code.costs import leading, operations
from symderiv.code.helpers import HELPERS
from symderiv.code.lines import holds_floats
from symderiv.code.numpy import Writer
from symderiv.code.program import TEMPORARY, Assign, Item, Loop, Place, Program, Slice
from symderiv.code.source import Source
from symderiv.families import Label
from symderiv.functions import FUNCTIONS
from symderiv.tensor.expr import Axes, Expr, walk
from symderiv.tensor.text import ATOM, SUM

ONE_HOT = "def {name}(k, n, dtype=float):\n    return {np}.equal.outer(k, {np}.arange(n)).astype(dtype)\n"
PAIRS = frozenset({"sigmoids", "softmax_and_logsumexp"})  # two values that are found together
PARTS = ("first", "second")
WRITTEN_INTO = frozenset({"filled", "raised", "raised_at"})  # an array, then what is written to some of its entries
UFUNCS = {"add": "add", "sub": "subtract", "mul": "multiply", "div": "divide"}


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
        self.writes = Counter(_written(program.items))
        self.taken |= set(self.writes)
        self.own: dict[Expr, str] = {}  # what stands under a name of the program in the block that is written
        self.count = 0
        self.depth = 0
        self.kind_of_floats = ""  # the name of the type that arrays are made of, if any are made

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

    def cost(self) -> list[str]:
        """Say what the function costs, loops by their turns, and how much it keeps."""
        count = leading(self.counted(self.program.items, operations) + operations(self.program.results))
        kept = leading(self.counted(self.program.items, _kept, in_turn=0))
        lines = [f"Cost: about {count} floating-point operations."] if count.free_symbols else []
        return [*lines, f"Memory: about {kept} numbers."] if kept.free_symbols else lines

    def counted(self, items: Sequence[Item], of: Callable[[list[Expr]], sympy.Expr], in_turn: int = 1) -> sympy.Expr:
        """Return what the values of some items amount to, those of a loop as often as it turns."""
        total = of([item.value for item in items if isinstance(item, Assign)])
        for item in items:
            if isinstance(item, Loop) and in_turn:
                total += item.count * self.counted(item.body, of)
        return total

    # -- lines

    def body(self) -> list[str]:
        lines = self.block(self.program.items, self.program.results)
        lines += self.returned([self.result(r) for r in self.program.results])
        if self.kind_of_floats:
            lines.insert(0, f"{self.kind_of_floats} = {self.floats().removeprefix('dtype=')}")
        return lines

    def kind(self) -> list[str]:
        """Return the argument that makes an array of floats as precise as the arrays given, which may hold integers."""
        if not super().kind():
            return []
        self.kind_of_floats = self.kind_of_floats or self.free("kind")
        return [f"dtype={self.kind_of_floats}"]

    def block(self, items: Sequence[Item], results: Sequence[Expr] = ()) -> list[str]:
        """Return the lines of a block; the last expressions belong to a return."""
        values = [item.value for item in items if isinstance(item, Assign)]
        uses: Counter[Expr] = Counter([*values, *results])
        for node in walk(*values, *results):
            uses.update(node.args)
        self.own = {i.value: i.target.name for i in items if isinstance(i, Assign) and self.holds(i)}
        lines: list[str] = []
        for item in items:
            if isinstance(item, Loop):
                self.forget(_written([item]))
                lines += self.loop(item)
                continue
            lines += self.shared(item.value, uses, item)
            lines += self.assignment(item)
            self.forget([item.target.name])
            if uses[item.value] > 1 and self.holds(item):
                self.assigned[item.value] = item.target.name
        for result in results:
            lines += self.shared(result, uses)
        return lines

    def forget(self, written: Iterable[str]) -> None:
        """Forget the values that were found from what is written now."""
        names = set(written)
        for node in list(self.assigned):
            if any(e.op == "var" and self.places.get(e.name, Place(e.name)).name in names for e in walk(node)):
                del self.assigned[node]

    def holds(self, item: Assign) -> bool:
        """Tell whether the target of an assignment is a name for the value and nothing else."""
        whole = item.target.row is None and not item.sign and not self.trivial(item.value)
        return whole and self.writes[item.target.name] == 1

    def shared(self, value: Expr, uses: Counter[Expr], item: Assign | None = None) -> list[str]:
        """Return assignments of the parts of a value that are used more than once, or take several lines."""
        lines = []
        for node in walk(value):
            if node in self.assigned or self.trivial(node):
                continue
            if item is not None and node is value and (self.holds(item) or self.takes_lines(item)):
                continue
            if node.op in PAIRS:
                parts = [Expr(k, (node,), (), _axes_of(k, node)) for k in PARTS]
                names = [self.own.get(part) or self.temporary() for part in parts]
                lines.append(f"{', '.join(names)} = {self.text(node)}")
                self.assigned |= {**dict(zip(parts, names, strict=True)), node: ", ".join(names)}
            elif node.op in WRITTEN_INTO or uses[node] > 1:
                name = self.temporary()
                lines += self.written_into(name, node) if node.op in WRITTEN_INTO else [f"{name} = {self.text(node)}"]
                self.assigned[node] = name
        return lines

    def takes_lines(self, item: Assign) -> bool:
        """Tell an assignment of an array to some of whose entries something is written then."""
        return item.value.op in WRITTEN_INTO and item.target.row is None and not item.sign

    def assignment(self, item: Assign) -> list[str]:
        """Return the lines that carry out an assignment."""
        target, value = self.place(item.target), item.value
        if self.assigned.get(value) == target:
            return []
        if value not in self.assigned:
            if self.takes_lines(item):
                return self.written_into(target, value)
            if item.target.row is not None and not item.sign and value.rank:
                text = self.into(target.removesuffix("[:]"), value)
                if text is not None:
                    return [text]
        text = self.text(value)
        if self.is_added_to(item) and self.may_hold_integers(value):
            text = self.in_floats(value)
        inner = value
        while inner.args and inner.op in ("transpose", "newaxis", "reshape"):
            (inner,) = inner.args
        if value.rank and item.target.row is None and not item.sign and (inner in self.assigned or inner.op == "var"):
            array = self.assigned.get(inner) or self.places.get(inner.name, Place(inner.name)).name
            if self.writes[item.target.name] > 1 or self.writes[array] > (self.depth == 0):
                text = self.numpy("array", text)  # one of the two changes later, and the other does not
        return [f"{target.removesuffix('[:]') if item.sign else target} {item.sign}= {text}"]

    def is_added_to(self, item: Assign) -> bool:
        """Tell the first value of an array that loops write to."""
        return item.target.row is None and not item.sign and self.writes[item.target.name] > 1

    def in_floats(self, value: Expr) -> str:
        """Return the text of a new array that is to hold floats."""
        word = "matmul" if value.op == "matmul" else UFUNCS.get(value.op)
        texts = [self.text(a) for a in value.args]
        return self.numpy(word, *texts, *self.kind()) if word and self.kind() else f"{self.bracketed(value, SUM)} + 0.0"

    def may_hold_integers(self, value: Expr) -> bool:
        """Tell whether an array is one of integers where the arguments are; what the program makes holds floats."""
        given = {a.name for a in self.source.arguments}
        leaves = [e for e in walk(value) if not e.args]
        of_arguments = all(e.op != "var" or self.places.get(e.name, Place(e.name)).name in given for e in leaves)
        computed = value.rank > 0 and not self.trivial(value) and value not in self.assigned
        return computed and of_arguments and not holds_floats(value)

    def written_into(self, name: str, node: Expr) -> list[str]:
        """Return the lines that make an array and then write to some of its entries."""
        if node.op != "raised_at":
            return self.in_place(name, node)
        (array,) = node.args
        sign, label, count = node.data
        fresh = array not in self.assigned and not self.trivial(array)
        made = self.text(array) if fresh else self.numpy("array", self.text(array))
        rows = [] if count is None else [self.numpy("arange", self.label(count))]
        entries = ", ".join([*rows, self.place(self.places.get(label, Place(label)))])
        return [f"{name} = {made}", f"{name}[{entries}] {sign}= 1"]

    def into(self, target: str, value: Expr) -> str | None:
        """Return the statement by which NumPy writes a result to where it is kept."""
        out = f"out={target}"
        if value.op in UFUNCS and all(a.rank <= value.rank for a in value.args):
            return self.numpy(UFUNCS[value.op], *(self.text(a) for a in value.args), out)
        if value.op == "map" and value.data[0] in FUNCTIONS and value.data[0] not in HELPERS:
            front, _, rest = FUNCTIONS[value.data[0]].numpy.partition("(")
            if rest == "{0})" and front.startswith("np."):
                return self.numpy(front.removeprefix("np."), self.text(value.args[0]), out)
        return None

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
        outer, assigned, own = dict(self.places), dict(self.assigned), self.own
        head = self.head(loop)
        self.places |= loop.places
        self.depth += 1
        try:
            return [head, *("    " + line for line in self.block(loop.body))]
        finally:
            self.depth -= 1
            self.places, self.assigned, self.own = outer, assigned, own

    def head(self, loop: Loop) -> str:
        """Return the line that a loop begins with."""
        if not loop.over:
            self.loops[loop.variable] = self.loops.get(loop.variable) or self.free(str(loop.variable))
            turns = "range" if "range" not in self.taken else f"{self.np}.arange"
            names, sources = [self.loops[loop.variable]], [f"{turns}({self.label(loop.count)})"]
        else:
            names, sources = [name for name, _ in loop.over], [self.place(place) for _, place in loop.over]
        if loop.backward:
            shown = "{}[::-1]" if "reversed" in self.taken else "reversed({})"
            sources = [shown.format(source) for source in sources]
        turns = sources[0] if len(sources) == 1 else f"zip({', '.join(sources)})"
        return f"for {', '.join(names)} in {turns}:"

    # -- names

    def place(self, place: Place) -> str:
        """Return the text of a place."""
        if isinstance(place.row, Slice):
            ends = ("" if end is None else self.label(end) for end in (place.row.start, place.row.stop))
            return f"{place.name}[{':'.join(ends)}]"
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
        place = self.place(self.places.get(label, Place(label)))
        return self.call(self.helpers["one_hot"], place, self.size_text(size), *self.kind()), ATOM

    def write_softmax_and_logsumexp(self, expr: Expr) -> tuple[str, int]:
        return self.call(self.helper(expr.op), self.text(expr.args[0]), str(expr.data[0])), ATOM

    def write_taken(self, expr: Expr) -> tuple[str, int]:
        count, *labels = expr.data
        rows = self.numpy("arange", self.label(count))
        subscripts = [rows, *(":" if n is None else self.place(self.places.get(n, Place(n))) for n in labels)]
        while subscripts[-1] == ":":
            subscripts.pop()
        return f"{self.bracketed(expr.args[0], ATOM)}[{', '.join(subscripts)}]", ATOM

    def write_map(self, expr: Expr) -> tuple[str, int]:
        """Write a sigmoid inside of a loop as SciPy's, which takes a third of the time where the array is small."""
        if self.depth and expr.data[0] == "sigmoid":
            return self.call(self.helper("expit"), self.text(expr.args[0])), ATOM
        return super().write_map(expr)

    def write_matmul(self, expr: Expr) -> tuple[str, int]:
        """Write a product with a vector inside of a loop as `A.dot(x)`, which takes half the time where A is small."""
        left, right = expr.args
        if self.depth and min(left.rank, right.rank) == 1:
            if left.op == "transpose":
                left, right = right, left.args[0]
            return f"{self.bracketed(left, ATOM)}.dot({self.text(right)})", ATOM
        return self.infix(expr)

    def write_zero(self, expr: Expr) -> tuple[str, int]:
        return "0.0", ATOM

    def write_copy(self, expr: Expr) -> tuple[str, int]:
        return self.numpy("array", self.text(expr.args[0])), ATOM

    def write_empty(self, expr: Expr) -> tuple[str, int]:
        return self.filled(expr)

    def trivial(self, node: Expr) -> bool:
        return super().trivial(node) or node.op in ("zero", "empty", "copy", "entry")


def _axes_of(part: str, pair: Expr) -> Axes:
    """Return the axes of one of two values that are found together."""
    if pair.op == "softmax_and_logsumexp" and part == "second":
        return pair.axes[: pair.data[0]] + pair.axes[pair.data[0] + 1 :]
    return pair.axes


def _kept(values: list[Expr]) -> sympy.Expr:
    """Return the number of entries of arrays."""
    return sympy.Add(*(sympy.Mul(*e.shape) for e in dict.fromkeys(values)))


def _written(items: Sequence[Item]) -> Iterator[str]:
    """Yield the names of what is written; with a row of an array also that of the array."""
    for item in items:
        if isinstance(item, Assign):
            yield item.target.name
        else:
            arrays = {name: place.name for name, place in item.over}
            for name in _written(item.body):
                yield name
                if name in arrays:
                    yield arrays[name]
