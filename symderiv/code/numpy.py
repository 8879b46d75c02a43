"""Expressions as plain, readable NumPy: one function, one line for each shared intermediate result.

Nothing of symderiv is needed to run what is generated.  Numerically delicate functions are written in
their stable form (softmax with its maximum taken off, the logistic function by `logaddexp`).
"""

from __future__ import annotations

import builtins
import keyword
import unicodedata
from collections.abc import Callable, Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any

from symderiv import dims
from symderiv.code.checked import checked_tree
from symderiv.code.costs import Costs, Sizes, operations, usual
from symderiv.code.helpers import HELPERS, LINALG, NEEDS_LINALG
from symderiv.code.lines import Lines, holds_floats
from symderiv.code.paired import paired
from symderiv.code.passes import in_fast_words
from symderiv.code.planned import planned
from symderiv.code.stable import stable
from symderiv.errors import ParseError, UnsupportedError
from symderiv.functions import FUNCTIONS
from symderiv.tensor.expr import Expr, walk
from symderiv.tensor.text import ATOM, POWER, PRODUCT, SIGN, SUM, FunctionName, Printer, tuple_text

MEANT_OTHERWISE = frozenset({*vars(builtins), "linalg"})  # a function of this name would hide what code uses
COMPARISON = SUM - 1  # binds less than any operator
WORTH_NAMES = 0.9  # of the cost: what code over many names may have at most, to be taken
VIEWS = ("transpose", "newaxis", "reshape", "vec", "diag")  # what NumPy gives without copying
CALLS = {
    "trace": "trace", "inner": "inner", "kron": "kron", "diag": "diag", "sqrt": "sqrt",
    "maximum": "maximum", "minimum": "minimum", "det": "linalg.det", "inv": "linalg.inv", "solve": "linalg.solve",
}  # fmt: skip


@dataclass(frozen=True)
class Argument:
    """An argument of the generated function: an array with its shape, a callable, or a size that no array has."""

    name: str
    shape: dims.Shape | None = None
    is_size: bool = False
    below: dims.Size | None = None  # the entries are integers from 0 up to this, such as the numbers of classes
    note: str = ""  # what is said of it beside its shape, or instead


@dataclass
class Source:
    """What a function is generated from."""

    name: str
    arguments: Sequence[Argument]
    results: Sequence[Expr]
    summary: str
    notes: Sequence[str] = ()
    names: Mapping[Expr, str] = field(default_factory=dict)
    functions: Mapping[FunctionName, str] = field(default_factory=dict)
    keys: Sequence[Hashable] = ()  # names of the last results, which are returned as a dictionary
    sizes: Mapping[str, int] | None = None  # what to plan for; sizes that are not there count as is usual


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


def planned_sizes(source: Source) -> Sizes:
    """Return what the sizes of the arguments count as."""
    return usual([a.shape for a in source.arguments if a.shape], source.sizes)


def cheaper(short: Source, long: Source) -> Source:
    """Return the source whose code costs less; the short one where there is little in it."""
    costs = []
    for source in (short, long):
        ready = _prepared(source)
        costs.append(sum(map(Costs(planned_sizes(source)).own, walk(*ready.results))))
    return long if costs[1] < WORTH_NAMES * costs[0] else short


def checked_name(name: str) -> str:
    """Return a name that a function may have; anything else is refused."""
    given: Any = name
    if not dims.is_name(given) or given in MEANT_OTHERWISE or unicodedata.normalize("NFKC", given) != given:
        hint = "letters, digits and underscores, and no word of Python's own"
        raise ParseError(f"{name!r} is not a name for a function", hint=hint)
    return name


def _prepared(source: Source) -> Source:
    """Return a source whose expressions are in a form that holds far out and is fast; names go along."""
    count = len(source.results)
    results = stable(source.results, source.names)
    sizes = planned_sizes(source)
    costs = Costs(sizes)
    results = in_fast_words(paired(planned(results[:count], results[count:], sizes), costs), costs)
    names = dict(zip(results[count:], source.names.values(), strict=True))
    return replace(source, results=results[:count], names=names)


def compiled(text: str, name: str) -> Callable[..., Any]:
    """Return the function `name` of a generated module.

    The only place where code is executed: the syntax tree of a text that symderiv generated, looked at first.
    """
    tree = checked_tree(text)
    space: dict[str, Any] = {}
    exec(compile(tree, f"<symderiv {name}>", "exec"), space)
    function: Callable[..., Any] = space[name]
    return function


class Writer(Printer):
    """Writes a function; what an expression needs more than once gets a name first."""

    def __init__(self, source: Source, taken: Collection[str] = ()) -> None:
        super().__init__(source.functions)
        self.source = source
        self.taken = {a.name for a in source.arguments} | {
            str(s) for a in source.arguments for size in a.shape or () for s in size.free_symbols
        }
        self.taken |= {source.name, *taken}
        self.np = self.free("np")
        self.helpers: dict[str, str] = {}
        self.assigned: dict[Expr, str] = {}
        self.last: set[Expr] = set()  # what may write over the factors that it reads
        self.size_names: set[str] = set()
        self.loose: list[str] = []  # sizes that no argument carries: arguments of their own

    def free(self, wanted: str) -> str:
        """Return a name that is not in use and no keyword."""
        name = wanted
        while name in self.taken or keyword.iskeyword(name):
            name += "_"
        self.taken.add(name)
        return name

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

    def floats(self) -> str:
        """Return the argument that makes an array of floats as precise as the arrays given."""
        first = next((a.name for a in self.source.arguments if a.shape and a.below is None), None)
        return f"dtype={self.float_type()}" if first is None else f"dtype={self.numpy('result_type', first, '0.5')}"

    def float_type(self) -> str:
        """Return the name of the type of floats: Python's own, unless a user's name is in its way."""
        return "float" if "float" not in self.taken else f"{self.np}.float64"

    def kind(self) -> list[str]:
        """Return the argument that makes an array of constants as precise as the arrays given."""
        first = next((a.name for a in self.source.arguments if a.shape and a.below is None), None)
        return [] if first is None else [f"dtype={first}.dtype"]

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

    def trivial(self, node: Expr) -> bool:
        """Tell what costs nothing to write twice."""
        if node in self.assigned:
            return True
        while node.op in ("transpose", "newaxis"):
            node = node.args[0]
            if node in self.assigned:
                return True
        return node.op in ("var", "number", "size", "ones", "zeros") or (
            node.op == "neg" and node.args[0].op in ("var", "number")
        )

    # -- the dialect

    def written(self, expr: Expr) -> tuple[str, int]:
        if expr in self.assigned:
            return self.assigned[expr], ATOM
        return super().written(expr)

    def joins(self, expr: Expr, right: Expr) -> bool:
        """Scale the smaller array: `2 * (A @ x)`, and `2 * (A @ x * y)`."""
        return not self.begins_with_matrix(right) and super().joins(expr, right)

    def begins_with_matrix(self, expr: Expr) -> bool:
        """Tell whether what stands in front of a product is met by a matrix first."""
        while expr.op in ("mul", "div") and expr not in self.assigned:
            expr = expr.args[0]
        return expr.op == "matmul" and expr not in self.assigned

    def write_neg(self, expr: Expr) -> tuple[str, int]:
        """Negate a product, not its first matrix."""
        (inner,) = expr.args
        if self.begins_with_matrix(inner):
            return f"-({self.text(inner)})", SIGN
        return super().write_neg(expr)

    def call(self, name: str, *args: str) -> str:
        if name in CALLS:
            return f"{self.np}.{CALLS[name]}({', '.join(args)})"
        return f"{name}({', '.join(args)})"

    def numpy(self, name: str, *args: str) -> str:
        return f"{self.np}.{name}({', '.join(args)})"

    def helper(self, name: str) -> str:
        if name not in self.helpers:
            self.helpers[name] = self.free(name)
        return self.helpers[name]

    def size_text(self, size: dims.Size) -> str:
        self.size_names |= {str(s) for s in size.free_symbols}
        return str(size)

    def write_size(self, expr: Expr) -> tuple[str, int]:
        self.size_text(expr.data[0])
        return super().write_size(expr)

    def write_map(self, expr: Expr) -> tuple[str, int]:
        name, _ = expr.data
        arg = self.text(expr.args[0])
        if name not in FUNCTIONS:
            return f"{self.function(expr.data)}({arg})", ATOM
        if name in HELPERS:
            return f"{self.helper(name)}({arg})", ATOM
        text = FUNCTIONS[name].numpy.replace("np.", f"{self.np}.").format(arg)
        of_sizes = all(e.op in ("size", "number") for e in walk(expr) if not e.args)
        return (f"{self.float_type()}({text})" if of_sizes else text), ATOM

    def write_sqrt(self, expr: Expr) -> tuple[str, int]:
        """Write a square root; that of a size as a float of Python's, which leaves arrays as precise as they are."""
        (arg,) = expr.args
        if all(e.op in ("size", "number") for e in walk(arg) if not e.args):
            return f"{self.bracketed(arg, ATOM)}**0.5", POWER
        return self.numpy("sqrt", self.text(arg)), ATOM

    def write_unknown(self, expr: Expr) -> tuple[str, int]:
        slots = expr.data[1] if len(expr.data) > 1 else ()
        return f"{unknown_name(expr.name, slots, len(expr.args))}({', '.join(map(self.text, expr.args))})", ATOM

    def write_block(self, expr: Expr) -> tuple[str, int]:
        (columns,) = expr.data
        texts = [self.text(a) for a in expr.args]
        rows = [", ".join(texts[k : k + columns]) for k in range(0, len(texts), columns)]
        return self.numpy("block", f"[{', '.join(f'[{row}]' for row in rows)}]"), ATOM

    def write_softmax(self, expr: Expr) -> tuple[str, int]:
        last = ["last=True"] if expr in self.last else []
        return self.call(self.helper("softmax"), self.text(expr.args[0]), str(expr.data[0]), *last), ATOM

    def write_logsumexp(self, expr: Expr) -> tuple[str, int]:
        axis = [str(expr.data[0])] if expr.data else []
        return self.call(self.helper("logsumexp"), self.text(expr.args[0]), *axis), ATOM

    def write_logaddexp(self, expr: Expr) -> tuple[str, int]:
        return self.numpy("logaddexp", *(self.text(a) for a in expr.args)), ATOM

    def write_largest(self, expr: Expr) -> tuple[str, int]:
        (axes,) = expr.data
        over = [] if len(axes) == expr.args[0].rank else [f"axis={axes[0] if len(axes) == 1 else axes}"]
        return self.numpy("max", self.text(expr.args[0]), *over), ATOM

    def write_log_det(self, expr: Expr) -> tuple[str, int]:
        return f"{self.helper('log_det')}({self.text(expr.args[0])})", ATOM

    def write_outer(self, expr: Expr) -> tuple[str, int]:
        """Write an outer product as the einsum that it is, which takes half the time of `np.outer`."""
        return self.numpy("einsum", repr("i,j->ij"), *(self.text(a) for a in expr.args)), ATOM

    def write_masked(self, expr: Expr) -> tuple[str, int]:
        """Write a choice between an array and 0 as a product with the condition: no branch for each entry."""
        array, left, right = expr.args
        test = f"({self.bracketed(left, SUM)} {expr.data[0]} {self.bracketed(right, SUM)})"
        return f"{self.bracketed(array, PRODUCT)} * {test}", SUM

    def write_mask(self, expr: Expr) -> tuple[str, int]:
        left, right = expr.args
        return f"{self.bracketed(left, SUM)} {expr.data[0]} {self.bracketed(right, SUM)}", COMPARISON

    def write_vdot(self, expr: Expr) -> tuple[str, int]:
        return self.numpy("vdot", *(self.text(a) for a in expr.args)), ATOM

    def with_helper(self, expr: Expr) -> tuple[str, int]:
        last = ["last=True"] if expr in self.last else []
        return self.call(self.helper(expr.op), *(self.text(a) for a in expr.args), *last), ATOM

    write_factored = write_solved = write_factored_inverse = write_upper_inverse = with_helper
    write_symmetric_dot = write_sigmoids = write_rows = with_helper

    def write_factored_logdet(self, expr: Expr) -> tuple[str, int]:
        name = "factored_log_det" if expr.data else "factored_logdet"
        return self.call(self.helper(name), self.text(expr.args[0])), ATOM

    def reduction(self, expr: Expr) -> tuple[str, int]:
        axis = [f"axis={expr.data[0]}"] if expr.data else []
        return self.numpy(expr.op, self.text(expr.args[0]), *axis), ATOM

    write_sum = write_mean = write_prod = reduction

    def write_norm(self, expr: Expr) -> tuple[str, int]:
        (arg,) = expr.args
        if arg.rank in (1, 2):
            return self.numpy("linalg.norm", self.text(arg)), ATOM
        return self.numpy("sqrt", self.numpy("sum", f"{self.bracketed(arg, ATOM)}**2")), ATOM

    def write_logdet(self, expr: Expr) -> tuple[str, int]:
        return self.numpy("linalg.slogdet", self.text(expr.args[0])) + "[1]", ATOM

    def write_matrix_power(self, expr: Expr) -> tuple[str, int]:
        (exponent,) = expr.data
        text = str(exponent) if isinstance(exponent, int) else self.size_text(exponent)
        return self.numpy("linalg.matrix_power", self.text(expr.args[0]), text), ATOM

    def write_vec(self, expr: Expr) -> tuple[str, int]:
        (arg,) = expr.args
        return f"{self.bracketed(arg, ATOM)}.T.reshape(-1)", ATOM

    def write_einsum(self, expr: Expr) -> tuple[str, int]:
        args = [self.text(a) for a in expr.args]
        extra = ["optimize=True"] if len(args) > 2 else []
        return self.numpy("einsum", repr(expr.data[0]), *args, *extra), ATOM

    def write_where(self, expr: Expr) -> tuple[str, int]:
        left, right, *branches = expr.args
        test = f"{self.bracketed(left, SUM)} {expr.data[0]} {self.bracketed(right, SUM)}"
        texts = [self.text(b) for b in branches]
        if all(b.op == "number" for b in branches):  # a choice between integers would be one
            texts = [t if "." in t or "/" in t else f"{t}.0" for t in texts]
            kind = "".join(self.kind()).removeprefix("dtype=")
            if [b.data[0] for b in branches] == [1, 0] and kind:
                return f"({test}).astype({kind})", ATOM
            return self.numpy("where", test, *texts) + (f".astype({kind})" if kind else ""), ATOM
        return self.numpy("where", test, *texts), ATOM

    def write_transpose(self, expr: Expr) -> tuple[str, int]:
        if not expr.data:
            return super().write_transpose(expr)
        return self.numpy("transpose", self.text(expr.args[0]), tuple_text(expr.data[0])), ATOM

    def write_reshape(self, expr: Expr) -> tuple[str, int]:
        shape = tuple(self.size_text(s) for s in expr.data[0])
        return self.numpy("reshape", self.text(expr.args[0]), tuple_text(shape)), ATOM

    def write_eye(self, expr: Expr) -> tuple[str, int]:
        return self.numpy("eye", self.size_text(expr.data[0]), *self.kind()), ATOM

    def filled(self, expr: Expr) -> tuple[str, int]:
        shape = tuple(self.size_text(s) for s in expr.data[0])
        return self.numpy(expr.op, shape[0] if len(shape) == 1 else tuple_text(shape), *self.kind()), ATOM

    write_ones = write_zeros = filled

    def write_power(self, expr: Expr) -> tuple[str, int]:
        (exponent,) = expr.data
        if _beyond_integers(exponent):
            return f"{self.bracketed(expr.args[0], ATOM)}**{_float(exponent)}", POWER
        text, precedence = super().write_power(expr)
        return text, min(precedence, POWER)

    def write_number(self, expr: Expr) -> tuple[str, int]:
        (value,) = expr.data
        if _beyond_integers(value):
            return _float(value), SIGN if value < 0 else ATOM
        return super().write_number(expr)


def unknown_name(name: str, slots: tuple[int, ...], count: int) -> str:
    """Return what an unknown function of arrays is called in code, differentiated in the arguments at `slots`.

    >>> unknown_name("loss", (0, 0), 1), unknown_name("f", (1,), 3)
    ('d2loss', 'df_2')
    """
    order = len(slots)
    front = "" if order == 0 else "d" if order == 1 else f"d{order}"
    return front + name + ("".join(f"_{k + 1}" for k in slots) if count > 1 else "")


def _beyond_integers(value: Fraction) -> bool:
    """Tell a number that is no quotient of integers that arrays hold."""
    return max(abs(value.numerator), value.denominator) >= 2**53


def _float(value: Fraction) -> str:
    try:
        return repr(float(value))
    except OverflowError:
        digits = len(str(abs(round(value))))
        raise UnsupportedError(f"a number of {digits} digits is beyond the range of floats") from None
