"""Expressions as plain, readable NumPy: one function, one line for each shared intermediate result.

Nothing of symderiv is needed to run what is generated.  Numerically delicate functions are written in
their stable form (softmax with its maximum taken off, the logistic function by `logaddexp`).
"""

from __future__ import annotations

import ast
import keyword
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any

from symderiv import dims
from symderiv.code.stable import stable
from symderiv.errors import ParseError, UnsupportedError
from symderiv.functions import FUNCTIONS
from symderiv.tensor.expr import Expr, walk
from symderiv.tensor.text import ATOM, POWER, SIGN, SUM, FunctionName, Printer, tuple_text

HELPERS = {
    "sigmoid": "def {name}(x):\n    e = {np}.exp(-{np}.abs(x))\n    return {np}.where(x < 0, e, 1) / (1 + e)\n",
    "softmax": (
        "def {name}(x, axis):\n"
        "    e = {np}.exp(x - {np}.max(x, axis=axis, keepdims=True, initial=-{np}.inf))\n"
        "    return e / {np}.sum(e, axis=axis, keepdims=True)\n"
    ),
    "logsumexp": (
        "def {name}(x, axis=None):\n"
        "    m = {np}.max(x, axis=axis, keepdims=True, initial=-{np}.inf)\n"
        "    return {np}.log({np}.sum({np}.exp(x - m), axis=axis)) + {np}.squeeze(m, axis=axis)\n"
    ),
    "log_det": (
        "def {name}(a):\n    sign, value = {np}.linalg.slogdet(a)\n    return {np}.where(sign < 0, {np}.nan, value)\n"
    ),
}
VIEWS = ("transpose", "newaxis", "reshape", "vec", "diag")  # what NumPy gives without copying
CALLS = {
    "trace": "trace", "outer": "outer", "inner": "inner", "kron": "kron", "diag": "diag", "sqrt": "sqrt",
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
    keys: Sequence[str] = ()  # names of the last results, which are returned as a dictionary


def function_source(source: Source) -> str:
    """Return the text of a self-contained module with one function."""
    return Writer(_stable(source)).module()


def function_text(source: Source) -> str:
    """Return the text of the function alone, for a module that imports `numpy as np` itself."""
    writer = Writer(_stable(source))
    lines = writer.function_lines()
    return "\n\n".join([*writer.helper_texts(), lines])


def checked_name(name: str) -> str:
    """Return a name that a function may have; anything else is refused."""
    given: Any = name
    if not isinstance(given, str) or not given.isidentifier() or keyword.iskeyword(given):
        hint = "letters, digits and underscores, and no word of Python's own"
        raise ParseError(f"{name!r} is not a name for a function", hint=hint)
    return name


def _stable(source: Source) -> Source:
    """Return a source whose expressions are in a form that holds far out; names go along."""
    results = stable(source.results, source.names)
    count = len(source.results)
    names = dict(zip(results[count:], source.names.values(), strict=True))
    return replace(source, results=results[:count], names=names)


def compiled(text: str, name: str) -> Callable[..., Any]:
    """Return the function `name` of a generated module.

    The only place where code is executed: the syntax tree of a text that symderiv generated.
    """
    tree = ast.parse(text)
    space: dict[str, Any] = {}
    exec(compile(tree, f"<symderiv {name}>", "exec"), space)
    function: Callable[..., Any] = space[name]
    return function


class Writer(Printer):
    """Writes a function; what an expression needs more than once gets a name first."""

    def __init__(self, source: Source) -> None:
        super().__init__(source.functions)
        self.source = source
        self.taken = {a.name for a in source.arguments} | {
            str(s) for a in source.arguments for size in a.shape or () for s in size.free_symbols
        }
        self.taken.add(source.name)
        self.np = self.free("np")
        self.helpers: dict[str, str] = {}
        self.assigned: dict[Expr, str] = {}
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
        return [HELPERS[k].format(name=v, np=self.np) for k, v in sorted(self.helpers.items())]

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
        lines += [*self.returns(), *self.source.notes, '"""']
        return lines

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
        uses: Counter[Expr] = Counter()
        nodes = list(walk(*self.source.results))
        uses.update(self.source.results)
        for node in nodes:
            uses.update(node.args)
        lines: list[str] = []
        count = 0
        for node in nodes:
            shared = uses[node] > 1 and not self.trivial(node)
            if not (shared or (node in self.source.names and node not in self.source.results)):
                continue
            if self.trivial(node):
                continue
            if node in self.source.names:
                name = self.free(self.source.names[node])
            else:
                count += 1
                name = self.free(f"t{count}")
            lines.append(f"{name} = {self.text(node)}")
            self.assigned[node] = name
        lines += self.returned([self.result(r) for r in self.source.results])
        return lines

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
        while node.op in ("transpose", "newaxis"):
            node = node.args[0]
        return node.op in ("var", "number", "size", "ones", "zeros") or (
            node.op == "neg" and node.args[0].op in ("var", "number")
        )

    # -- the dialect

    def written(self, expr: Expr) -> tuple[str, int]:
        if expr in self.assigned:
            return self.assigned[expr], ATOM
        return super().written(expr)

    def joins(self, expr: Expr, right: Expr) -> bool:
        """Scale the smaller array: `2 * (A @ x)`."""
        return right.op != "matmul" and super().joins(expr, right)

    def write_neg(self, expr: Expr) -> tuple[str, int]:
        """Negate a product, not its first matrix."""
        (inner,) = expr.args
        if inner.op == "matmul" and inner not in self.assigned:
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
        return FUNCTIONS[name].numpy.replace("np.", f"{self.np}.").format(arg), ATOM

    def write_unknown(self, expr: Expr) -> tuple[str, int]:
        slots = expr.data[1] if len(expr.data) > 1 else ()
        return f"{unknown_name(expr.name, slots, len(expr.args))}({', '.join(map(self.text, expr.args))})", ATOM

    def write_block(self, expr: Expr) -> tuple[str, int]:
        (columns,) = expr.data
        texts = [self.text(a) for a in expr.args]
        rows = [", ".join(texts[k : k + columns]) for k in range(0, len(texts), columns)]
        return self.numpy("block", f"[{', '.join(f'[{row}]' for row in rows)}]"), ATOM

    def write_softmax(self, expr: Expr) -> tuple[str, int]:
        return f"{self.helper('softmax')}({self.text(expr.args[0])}, {expr.data[0]})", ATOM

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
        return self.numpy("where", test, *texts), ATOM

    def write_transpose(self, expr: Expr) -> tuple[str, int]:
        if not expr.data:
            return super().write_transpose(expr)
        return self.numpy("transpose", self.text(expr.args[0]), tuple_text(expr.data[0])), ATOM

    def write_reshape(self, expr: Expr) -> tuple[str, int]:
        shape = tuple(self.size_text(s) for s in expr.data[0])
        return self.numpy("reshape", self.text(expr.args[0]), tuple_text(shape)), ATOM

    def write_eye(self, expr: Expr) -> tuple[str, int]:
        return self.numpy("eye", self.size_text(expr.data[0])), ATOM

    def filled(self, expr: Expr) -> tuple[str, int]:
        shape = tuple(self.size_text(s) for s in expr.data[0])
        return self.numpy(expr.op, shape[0] if len(shape) == 1 else tuple_text(shape)), ATOM

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
