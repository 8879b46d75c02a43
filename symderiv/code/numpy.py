"""Functions of NumPy, plain and readable: one line for each shared intermediate result.

Nothing of symderiv is needed to run what is generated.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

from symderiv import dims
from symderiv.code.costs import Costs, operations
from symderiv.code.dialect import Dialect
from symderiv.code.helpers import HELPERS, LINALG, NEEDS_LINALG
from symderiv.code.lines import Lines, holds_floats
from symderiv.code.paired import paired
from symderiv.code.passes import in_fast_words
from symderiv.code.planned import planned
from symderiv.code.source import Source, planned_sizes
from symderiv.code.stable import stable
from symderiv.tensor.expr import Expr, walk
from symderiv.tensor.text import SIGN, SUM, tuple_text

WORTH_NAMES = 0.9  # of the cost: what code over many names may have at most, to be taken
VIEWS = ("transpose", "newaxis", "reshape", "vec", "diag")  # what NumPy gives without copying


def function_source(source: Source) -> str:
    """Return the text of a self-contained module with one function."""
    return Writer(_prepared(source)).module()


def function_text(source: Source) -> str:
    """Return the text of the function alone, for a module that imports `numpy as np` itself."""
    writer = Writer(_prepared(source))
    lines = writer.function_lines()
    return "\n\n".join([*writer.helper_texts(), lines])


def functions_source(sources: Sequence[Source], taken: Collection[str] = ()) -> tuple[str, str]:
    """Return the text of a module with several functions, and the name that NumPy has in it.

    No local name is one of the functions, of their arguments, or in `taken`; each helper stands once.
    """
    arguments = [a for source in sources for a in source.arguments]
    names = {a.name for a in arguments} | {source.name for source in sources}
    names |= {str(s) for a in arguments for size in a.shape or () for s in size.free_symbols}
    writers = [Writer(_prepared(source), {*names, *taken}) for source in sources]
    texts = [writer.function_lines() for writer in writers]
    helpers = dict.fromkeys(text for writer in writers for text in writer.helper_texts())
    return "\n\n".join([f"import numpy as {writers[0].np}\n", *helpers, *texts]), writers[0].np


def cheaper(short: Source, long: Source) -> Source:
    """Return the source whose code costs less; the short one where there is little in it."""
    costs = []
    for source in (short, long):
        ready = _prepared(source)
        costs.append(sum(map(Costs(planned_sizes(source)).own, walk(*ready.results))))
    return long if costs[1] < WORTH_NAMES * costs[0] else short


def _prepared(source: Source) -> Source:
    """Return a source whose expressions are in a form that holds far out and is fast; names go along."""
    count = len(source.results)
    results = stable(source.results, source.names)
    sizes = planned_sizes(source)
    costs = Costs(sizes)
    results = in_fast_words(paired(planned(results[:count], results[count:], sizes), costs), costs)
    names = dict(zip(results[count:], source.names.values(), strict=True))
    return replace(source, results=results[:count], names=names)


class Writer(Dialect):
    """Writes a function; what an expression needs more than once gets a name first."""

    def __init__(self, source: Source, taken: Collection[str] = ()) -> None:
        super().__init__(source.arguments, source.functions, {source.name, *taken})
        self.source = source
        self.loose: list[str] = []  # sizes that no argument carries: arguments of their own

    def module(self) -> str:
        text = self.function_lines()
        return "\n\n".join([f"import numpy as {self.np}\n", *self.helper_texts(), text])

    def helper_texts(self) -> list[str]:
        names = {k: v for k, v in self.helpers.items() if k not in NEEDS_LINALG}
        factoring = {k: v for k, v in self.helpers.items() if k in NEEDS_LINALG}
        texts = [LINALG] if factoring else []
        return texts + [HELPERS[k].format(name=v, np=self.np) for k, v in sorted((names | factoring).items())]

    def function_lines(self) -> str:
        lines = self.body()
        given = {str(s) for a in self.source.arguments for s in a.shape or ()}
        self.loose = sorted(self.size_names - given - {a.name for a in self.source.arguments if a.is_size})
        signature = ", ".join([*(a.name for a in self.source.arguments), *self.loose])
        function = [f"def {self.source.name}({signature}):", *self.docstring(), *self.sizes(), *lines]
        indented = [function[0], *("    " + line if line else "" for line in function[1:])]
        return "\n".join(indented) + "\n"

    def docstring(self) -> list[str]:
        lines = [f'"""{self.source.summary}', ""]
        for a in self.source.arguments:
            other = a.note or ("a natural number" if a.is_size else "a function, entrywise")
            shape = "" if a.shape is None else f"shape {dims.written(a.shape)}" + (f", {a.note}" if a.note else "")
            lines.append(f"{a.name}: {shape or other}")
        lines += [f"{name}: a size" for name in self.loose]
        lines += [""] if lines[-1] else []
        lines += [*self.returns(), *self.cost(), *self.source.notes, '"""']
        return lines

    def cost(self) -> list[str]:
        """Say what the function costs, where there are sizes in it."""
        count = operations(self.source.results)
        lines = [f"Cost: about {count} floating-point operations."] if count.free_symbols else []
        planned_for = ", ".join(f"{name} = {value}" for name, value in (self.source.sizes or {}).items())
        return [*lines, *([f"Planned for {planned_for}."] if planned_for else [])]

    def returns(self) -> list[str]:
        """Say what is returned."""
        shapes = ", ".join(dims.written(r.shape) for r in self.source.results)
        if self.source.keys:
            return self.dictionary()
        if len(self.source.results) == 1:
            return [f"Returns an array of shape {shapes}."]
        return [f"Returns arrays of shapes {shapes}."]

    def dictionary(self) -> list[str]:
        """Say what is returned where results have keys."""
        results, keys = self.source.results, self.source.keys
        first = results[: len(results) - len(keys)]
        front = "".join(f"an array of shape {dims.written(r.shape)} and " for r in first)
        shapes = [f"    {k!r}: shape {dims.written(r.shape)}" for k, r in zip(keys, results[len(first) :], strict=True)]
        return [f"Returns {front}a dictionary of arrays:", *shapes]

    def sizes(self) -> list[str]:
        """Read off the sizes that the code needs, each from the first argument that has it."""
        lines = []
        wanted = set(self.size_names)
        for a in self.source.arguments:
            names = [str(s) for s in a.shape or ()]
            new = [n for n in names if n in wanted]
            if not new:
                continue
            wanted -= set(new)
            kept: list[str] = []
            for n in names:
                kept.append(n if n in new and n not in kept else "_")
            if len(names) == 1:
                length = f"{a.name}.shape[0]" if "len" in self.taken else f"len({a.name})"
                lines.append(f"{names[0]} = {length}")
            else:
                lines.append(f"{', '.join(kept)} = {a.name}.shape")
        return lines

    def body(self) -> list[str]:
        """Return the assignments of what is used more than once, and the return."""
        lines = Lines(self, self.source.results, self.source.names, planned_sizes(self.source)).written()
        return lines + self.returned([self.result(r) for r in self.source.results])

    def in_place(self, name: str, node: Expr) -> list[str]:
        """Return the lines that make an array and then write to some of its entries, by a view of them."""
        *before, block = node.args
        spec = node.data[0]
        view = f"{self.numpy('einsum', repr(spec), name)}[...]"
        if before:
            (matrix,) = before
            fresh = matrix not in self.assigned and not self.trivial(matrix)
            if not holds_floats(matrix):  # of integers the fractions would be lost
                made = self.with_a_float(matrix) if fresh else f"{self.text(matrix)} + 0.0"
            else:
                made = self.text(matrix) if fresh else self.numpy("array", self.text(matrix))
            # Arrays of other kinds have no `flat` and say so; of an einsum they give a copy, and what it gets is lost.
            diagonal = f"{name}.flat[:: {name}.shape[0] + 1]"
            return [f"{name} = {made}", f"{diagonal} {node.data[1]}= {self.text(block)}"]
        shape = tuple_text(tuple(self.size_text(s) for s in node.data[1]))
        kind = f"dtype={self.text(block)}.dtype" if block.rank and self.text(block).isidentifier() else self.floats()
        return [f"{name} = {self.numpy('zeros', shape, kind)}", f"{view} = {self.text(block)}"]

    def with_a_float(self, matrix: Expr) -> str:
        """Return a new array with 0.0 added to it, or to the number that it is a multiple of."""
        if matrix.op == "mul" and matrix.args[0].rank == 0:
            scale, rest = matrix.args
            return f"({self.bracketed(scale, SUM)} + 0.0) * {self.bracketed(rest, SIGN)}"
        return f"{self.bracketed(matrix, SUM)} + 0.0"

    def result(self, expr: Expr) -> str:
        """Return the text of a result: a copy where it would be a view of an argument."""
        inner = expr
        while inner.op in VIEWS and not (inner.op == "diag" and inner.rank == 2):
            (inner,) = inner.args
        return self.numpy("array", self.text(expr)) if inner.op == "var" else self.text(expr)

    def returned(self, texts: Sequence[str]) -> list[str]:
        """Return the lines of the return: the results, those that have a key in a dictionary."""
        keys = self.source.keys
        if not keys:
            return ["return " + ", ".join(texts)]
        first = len(texts) - len(keys)
        items = [f"    {key!r}: {text}," for key, text in zip(keys, texts[first:], strict=True)]
        return ["return " + "".join(f"{t}, " for t in texts[:first]) + "{", *items, "}"]
