"""Text in: NumPy's notation, read with `ast` against a whitelist, never evaluated.

Every refusal points at the column.
"""

from __future__ import annotations

import ast
import math
import operator
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from fractions import Fraction
from typing import Any, NoReturn

import sympy

from symderiv import dims
from symderiv.dims import Size
from symderiv.errors import ParseError, Place, ShapeError, SymderivError, UnknownNameError, UnsupportedError
from symderiv.functions import FUNCTIONS
from symderiv.tensor import habits
from symderiv.tensor.expr import Expr, walk
from symderiv.tensor.operations import along_axes, apply, flat, inner, kept, matmul, normalised_axis
from symderiv.tensor.origin import Origin
from symderiv.tensor.syntax import TYPED, expression_tree, instead, named, too_deep

MOST_DIGITS = 400

BINARY = {ast.Add: "add", ast.Sub: "sub", ast.Mult: "mul", ast.Div: "div", ast.MatMult: "matmul"}
RELATIONS = {ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">="}

#  name: (fewest, most) arguments, what the last ones are
PLAIN = {
    "trace": 1, "det": 1, "logdet": 1, "inv": 1, "norm": 1, "diag": 1, "vec": 1, "sqrt": 1,
    "solve": 2, "kron": 2, "maximum": 2, "minimum": 2,
}  # fmt: skip
WITH_AXIS = {"sum": False, "mean": False, "prod": False, "logsumexp": False, "softmax": True}
KEYWORDS = {name: ("axis",) if needed else ("axis", "keepdims") for name, needed in WITH_AXIS.items()}
NEW_AXES = ("np.newaxis", "numpy.newaxis")
OTHERS = ("dot", "inner", "outer", "eye", "ones", "zeros", "matrix_power", "einsum", "where", "transpose", "reshape")
DERIVATIVES = frozenset({"d", "D", "deriv", "derivative", "dif", "grad", "gradient", "jacobian", "hessian", "nabla"})
KNOWN = sorted({*PLAIN, *WITH_AXIS, *OTHERS, *FUNCTIONS})

DOMAIN: dict[str, Callable[[Fraction], bool]] = {
    "log": lambda u: u > 0, "log1p": lambda u: u > -1, "sqrt": lambda u: u >= 0,
    "arcsin": lambda u: abs(u) <= 1, "arccos": lambda u: abs(u) <= 1,
}  # fmt: skip

Handler = Callable[["Parser", ast.Call], Expr]
ADDED: dict[str, Handler] = {}  # operations that others have added, by their index lines

MOST_IN_EXPONENT = 10**6
OF_SIZES: dict[type[ast.operator], Callable[[Size, Size], Size]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul,
}  # fmt: skip


@dataclass
class Scope:
    """What names mean: variables, sizes, unknown entrywise functions (name -> (function, order))."""

    names: dict[str, Expr] = field(default_factory=dict)
    sizes: dict[str, Size] = field(default_factory=dict)
    functions: dict[str, tuple[str, int]] = field(default_factory=dict)
    calls: dict[str, Handler] = field(default_factory=dict)
    indices: bool = False
    origin: Origin = field(default_factory=Origin)  # the SymPy symbols that the names come from


def variable(name: str, shape: tuple[Any, ...], traits: frozenset[str] = frozenset()) -> Expr:
    """Return a variable; the name must be a Python identifier."""
    given: Any = name
    if not dims.is_name(given):
        raise ParseError(f"{name!r} is not a name", hint="letters, digits and underscores, and no word of Python's own")
    if unicodedata.normalize("NFKC", name) != name:
        raise ParseError(f"{name!r} is read as {unicodedata.normalize('NFKC', name)!r}", hint="take that name itself")
    axes = tuple((size,) for size in dims.shape(shape))
    return Expr("var", (), (name, traits), axes)


def with_traits(x: Expr, traits: frozenset[str]) -> Expr:
    """Return a variable of which more is assumed."""
    return variable(x.name, x.shape, x.data[1] | traits)


# What makes terms of independent entries equal: relations between entries, and values that only some numbers have.
MERGING = frozenset({
    "symmetric", "positive_definite", "diagonal", "orthogonal",
    "signs", "binary", "simplex", "simplex_rows", "one_hot_rows",
})  # fmt: skip


def without_symmetry(x: Expr) -> Expr:
    """Return a variable whose entries are independent: as it is until the last derivative is taken."""
    return variable(x.name, x.shape, x.data[1] - MERGING) if x.op == "var" and x.data[1] & MERGING else x


def number(value: Fraction | int) -> Expr:
    """Return a literal number."""
    return Expr("number", (), (Fraction(value),), ())


def size(value: Size) -> Expr:
    """Return a size as a number."""
    if value.is_Integer:
        return number(int(value))
    return Expr("size", (), (value,), ())


def parse(text: str, scope: Scope) -> Expr:
    """Return the expression that a text stands for.

    >>> x = variable("x", ("n",))
    >>> parse("sum(x**2) / n", Scope({"x": x}, {"n": dims.symbol("n")}))
    div(sum(power(2, var(x, frozenset()))), size(n))
    """
    return Parser(text, scope).read(expression_tree(text))


class Parser:
    """Reads one syntax tree; `scope` says what names mean."""

    def __init__(self, text: str, scope: Scope, source: str = "", first_line: int = 1) -> None:
        self.text, self.scope, self.source, self.first_line = text, scope, source, first_line
        self.aliases: dict[str, str] | None = None  # own names of bound indices, inside the body of a function

    # -- places and errors

    def place(self, node: ast.AST) -> Place:
        """Return where a node stands."""
        line = getattr(node, "lineno", 1)
        text = self.text if self.source else self.text.strip()
        lines = text.splitlines() or [""]
        written = lines[min(line, len(lines)) - 1].encode()

        def characters(offset: int) -> int:  # ast counts bytes
            return len(written[:offset].decode(errors="ignore"))

        end = getattr(node, "end_col_offset", None) if getattr(node, "end_lineno", line) == line else None
        column = characters(getattr(node, "col_offset", 0))
        return Place(text, column, None if end is None else characters(end), line, self.source)

    def refuse(self, node: ast.AST, message: str, hint: str = "") -> NoReturn:
        """Raise a parse error at a node."""
        raise ParseError(message, place=self.place(node), hint=hint)

    def read(self, node: ast.expr) -> Expr:
        """Return the expression of a syntax tree; errors get their place here."""
        try:
            self.natural_numbers(node)
            return self._read(node)
        except RecursionError:
            raise too_deep() from None

    def _read(self, node: ast.expr) -> Expr:
        try:
            return self._dispatch(node)
        except SymderivError as err:
            raise err.at(self.place(node)) from None

    def _dispatch(self, node: ast.expr) -> Expr:
        match node:
            case ast.BinOp():
                return self.binary(node)
            case ast.UnaryOp(op=ast.USub()):
                return negated(self._read(node.operand))
            case ast.UnaryOp(op=ast.UAdd()):
                return self._read(node.operand)
            case ast.Constant():
                return self.literal(node)
            case ast.Name():
                return self.name(node)
            case ast.Attribute(attr="T"):
                value = self._read(node.value)
                return apply("transpose", value) if value.rank > 1 else value
            case ast.Subscript():
                return self.subscript(node)
            case ast.Call():
                return self.call(node)
            case ast.Attribute():
                self.attribute(node)
            case ast.Compare():
                is_equation = isinstance(node.ops[0], ast.Eq)
                hint = "an equation is a claim: of verify, or in a Sheet" if is_equation else "write where(x > 0, 1, 0)"
                self.refuse(node, "a comparison stands only as the first argument of where", hint)
            case ast.UnaryOp():
                self.refuse(node, f"{named(node.op)} is not part of the language", instead(node.op))
        self.refuse(node, f"{named(node)} is not part of the language", instead(node))

    def attribute(self, node: ast.Attribute) -> NoReturn:
        """Refuse an attribute, with what to write instead."""
        whose = ast.unparse(node.value)
        constants = {"pi": math.pi, "e": math.e}
        if whose in ("np", "numpy", "math") and whose not in self.scope.names:
            hint = f"write the number {constants[node.attr]!r}" if node.attr in constants else ""
            self.refuse(node, f"{whose}.{node.attr} is not part of the language", hint)
        hints = {"I": f"write inv({whose})", "H": f"write {whose}.T", "shape": "sizes go by their names, such as n"}
        hint = hints.get(node.attr, f"write {node.attr}({whose})" if node.attr in KNOWN else "")
        self.refuse(node, f"the attribute .{node.attr} is not part of the language", hint)

    # -- parts

    def literal(self, node: ast.Constant) -> Expr:
        if type(node.value) not in (int, float):
            self.refuse(node, f"{node.value!r} is not a number")
        if isinstance(node.value, int) and node.value.bit_length() > 4 * MOST_DIGITS:
            self.refuse(node, f"a number of more than {MOST_DIGITS} digits")
        if isinstance(node.value, float) and not -1e300 < node.value < 1e300:
            self.refuse(node, "a number out of range")
        return number(Fraction(repr(node.value)))

    def name(self, node: ast.Name) -> Expr:
        scope = self.scope
        if node.id in scope.names:
            return scope.names[node.id]
        if node.id in scope.sizes:
            return size(scope.sizes[node.id])
        if node.id in scope.functions or node.id in KNOWN:
            self.refuse(node, f"{node.id} is a function and needs arguments", f"write {node.id}(…)")
        raise UnknownNameError(
            f"unknown name {node.id!r}",
            place=self.place(node),
            hint=self.suggestion(node.id, [*scope.names, *scope.sizes]),
        )

    def suggestion(self, name: str, known: list[str]) -> str:
        if name in ("nan", "inf", "NaN", "Inf"):
            return "infinities and nan are no numbers of the language"
        if name in habits.CONSTANTS:
            return habits.CONSTANTS[name]
        near = get_close_matches(name, known, 1)
        if near:
            return f"did you mean {near[0]}?"
        strange = [c for c in name if not c.isascii()]
        if strange and len(name) > 1 and strange[0] in TYPED:
            return f"write {TYPED[strange[0]]}"
        if strange and len(name) == 1:
            return f"this is {unicodedata.name(strange[0], 'no Latin letter')}; declared are {_listed(known)}"
        return f"declare it with its shape; declared are {_listed(known)}" if known else "declare it with its shape"

    def binary(self, node: ast.BinOp) -> Expr:
        if isinstance(node.op, ast.Pow):
            return self.power(node)
        name = BINARY.get(type(node.op))
        if name is None:
            transposed = isinstance(node.op, ast.BitXor) and isinstance(node.right, ast.Name) and node.right.id == "T"
            hint = "write .T for a transpose" if transposed else instead(node.op)
            self.refuse(node, f"the operator {named(node.op)} is not part of the language", hint)
        left, right = self._read(node.left), self._read(node.right)
        if name == "div" and literal_value(right) == 0:
            raise UnsupportedError("division by 0", place=self.place(node.right))
        return matmul(left, right) if name == "matmul" else apply(name, left, right)

    def power(self, node: ast.BinOp) -> Expr:
        base, exponent = self._read(node.left), self._read(node.right)
        try:
            return raised(base, exponent)
        except SymderivError as err:
            raise err.at(self.place(node.right)) from None

    def subscript(self, node: ast.Subscript) -> Expr:
        parts = list(node.slice.elts) if isinstance(node.slice, ast.Tuple) else [node.slice]
        if isinstance(node.value, ast.Name) and node.value.id == "delta" and "delta" not in self.scope.names:
            return self.delta(node, parts)
        array = self._read(node.value)
        new = [self.new_axis(p) for p in parts]
        if all(n is not None for n in new):
            return apply("newaxis", array, data=(tuple(new),))
        if not self.scope.indices:
            self.refuse(node, "entries cannot be taken here", "only x[:, None] and the like, to insert axes")
        return self.entry(node, array, parts)

    def new_axis(self, part: ast.expr) -> bool | None:
        """Tell a `None` (True) from a full slice (False) from anything else (None)."""
        if (isinstance(part, ast.Constant) and part.value is None) or ast.unparse(part) in NEW_AXES:
            return True
        if isinstance(part, ast.Slice) and part.lower is part.upper is part.step is None:
            return False
        return None

    def index_name(self, part: ast.expr) -> str:
        if not isinstance(part, ast.Name):
            self.refuse(part, "an index is a name")
        if part.id in self.scope.sizes:
            self.refuse(part, f"{part.id} is a size and cannot be an index", "take another letter")
        return (self.aliases or {}).get(part.id, part.id)

    def delta(self, node: ast.Subscript, parts: list[ast.expr]) -> Expr:
        if not self.scope.indices:
            self.refuse(node, "delta stands in index notation only", "write eye(n)")
        if len(parts) != 2:
            self.refuse(node, "delta takes two indices")
        return Expr("delta", (), (self.index_name(parts[0]), self.index_name(parts[1])), ())

    def entry(self, node: ast.Subscript, array: Expr, parts: list[ast.expr]) -> Expr:
        if len(parts) != array.rank:
            raise ShapeError(
                f"{array.rank} subscript{'' if array.rank == 1 else 's'} needed, {len(parts)} given",
                place=self.place(node),
                shapes={"array": dims.written(array.shape)},
            )
        names = tuple(None if self.new_axis(p) is False else self.index_name(p) for p in parts)
        axes = tuple(axis for axis, name in zip(array.axes, names, strict=True) if name is None)
        return Expr("entry", (array,), names, axes)

    # -- calls

    def call(self, node: ast.Call) -> Expr:
        if isinstance(node.func, ast.Subscript):
            return self.indexed_sum(node, node.func)
        if isinstance(node.func, ast.Call) and "()" in self.scope.calls:
            return self.scope.calls["()"](self, node)
        name = self.callee(node)
        if name in self.scope.calls:
            return self.scope.calls[name](self, node)
        if name in ADDED and name not in self.scope.functions:
            return ADDED[name](self, node)
        axis, keeps = self.keywords(node, name)
        args = [*node.args, axis] if axis is not None else list(node.args)
        if any(isinstance(a, ast.Starred) for a in args):
            self.refuse(node, "a starred argument is not part of the language")
        if name in self.scope.functions:
            function, order = self.scope.functions[name]
            self.arity(node, name, args, 1, 1)
            return apply("map", self._read(args[0]), data=(function, order))
        if name in WITH_AXIS:
            return self.along(node, name, args, keeps)
        return self.builtin(node, name, args)

    def keywords(self, node: ast.Call, name: str) -> tuple[ast.expr | None, bool]:
        """Return what is given as `axis=`, and whether the axis is kept (`keepdims=True`)."""
        given: dict[str, ast.expr] = {}
        for k in node.keywords:
            if k.arg is None:
                self.refuse(node, "a starred argument is not part of the language")
            if k.arg not in KEYWORDS.get(name, ()):
                hint = habits.KEYWORDS.get(k.arg, "") if name in WITH_AXIS or name == "norm" else ""
                self.refuse(k, f"{name} takes no argument called {k.arg!r}", hint)
            if k.arg in given:
                self.refuse(k, f"{k.arg} is given twice")
            given[k.arg] = k.value
        keeps = given.get("keepdims")
        if keeps is not None and not (isinstance(keeps, ast.Constant) and isinstance(keeps.value, bool)):
            self.refuse(keeps, "keepdims is True or False")
        return given.get("axis"), isinstance(keeps, ast.Constant) and bool(keeps.value)

    def along(self, node: ast.Call, name: str, args: list[ast.expr], keeps: bool) -> Expr:
        """Read a function along axes: one of them, several as a tuple, or all; kept with size 1 where wanted."""
        self.arity(node, name, args, 2 if WITH_AXIS[name] else 1, 2)
        array = self._read(args[0])
        parts = args[1].elts if args[1:] and isinstance(args[1], ast.Tuple) and not WITH_AXIS[name] else args[1:]
        axes = [self.integer(a, "an axis") for a in parts]
        over = [normalised_axis(axis, array.rank, [array]) for axis in axes] if axes else range(array.rank)
        if len(set(over)) < len(over):
            self.refuse(args[1], "an axis is given twice")
        value = apply(name, array, data=tuple(axes)) if len(axes) < 2 else along_axes(name, array, over)
        return kept(value, over, array.rank) if keeps else value

    def callee(self, node: ast.Call) -> str:
        func: ast.expr = node.func
        path: list[str] = []
        while isinstance(func, ast.Attribute):
            path.append(func.attr)
            func = func.value
        if not path:
            if not isinstance(func, ast.Name):
                self.refuse(node, "only functions of the language can be called")
            return func.id
        if not (isinstance(func, ast.Name) and func.id in ("np", "numpy") and path[1:] in ([], ["linalg"])):
            self.method(node, func)
        return path[0]

    def method(self, node: ast.Call, root: ast.expr) -> NoReturn:
        """Refuse a method, or a function of another package, with what to write instead."""
        func = node.func
        assert isinstance(func, ast.Attribute)
        if isinstance(root, ast.Name) and root.id not in self.scope.names and root.id not in self.scope.sizes:
            message, of_it = f"{ast.unparse(func)} is not part of the language", []
        else:
            message, of_it = "methods are not part of the language", [func.value]
        is_transpose = func.attr in ("T", "t") and of_it
        hint = f"write {ast.unparse(func.value)}.T" if is_transpose else ""
        self.refuse(node, message, hint or habits.as_function(node, func.attr, of_it, KNOWN))

    def arity(self, node: ast.Call, name: str, args: list[ast.expr], low: int, high: int) -> None:
        if not low <= len(args) <= high:
            wanted = f"{low}" if low == high else f"{low} to {high}"
            plural = "" if wanted == "1" else "s"
            hint = habits.SIGNATURES.get(name, "")
            self.refuse(node, f"{name} takes {wanted} argument{plural}, {len(args)} given", hint)

    def builtin(self, node: ast.Call, name: str, args: list[ast.expr]) -> Expr:
        if name in FUNCTIONS:
            self.arity(node, name, args, 1, 1)
            return apply("map", self.within_domain(name, args[0]), data=(name, 0))
        if name in PLAIN:
            self.arity(node, name, args, PLAIN[name], PLAIN[name])
            if name == "sqrt":
                return apply(name, self.within_domain(name, args[0]))
            return apply(name, *(self._read(a) for a in args))
        special = getattr(self, f"call_{name}", None) if name in OTHERS else None
        if special is None:
            known = [*KNOWN, *self.scope.functions, *self.scope.calls]
            hint = habits.remedy(name, known) or _known(name)
            raise UnknownNameError(f"unknown function {name!r}", place=self.place(node), hint=hint)
        return special(node, args)  # type: ignore[no-any-return]

    def within_domain(self, name: str, node: ast.expr) -> Expr:
        """Return an argument; a number outside of the function's domain is refused."""
        arg = self._read(node)
        value = literal_value(arg)
        if value is not None and name in DOMAIN and not DOMAIN[name](value):
            self.refuse(node, f"{name} is not defined at {value}")
        return arg

    def integer(self, node: ast.expr, what: str) -> int:
        sign, inner = 1, node
        if isinstance(inner, ast.UnaryOp) and isinstance(inner.op, ast.USub):
            sign, inner = -1, inner.operand
        if not (isinstance(inner, ast.Constant) and type(inner.value) is int):
            self.refuse(node, f"{what} must be a literal integer")
        return sign * int(inner.value)

    def a_size(self, node: ast.expr) -> Size:
        """Return a size: an integer, a size's name, or a product of such."""
        if isinstance(node, ast.Constant) and type(node.value) is int and node.value > 0:
            return sympy.Integer(node.value)
        if isinstance(node, ast.Name) and node.id in self.scope.sizes:
            return self.scope.sizes[node.id]
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult):
            return sympy.Mul(self.a_size(node.left), self.a_size(node.right))
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Pow):
            exponent = self.integer(node.right, "the exponent of a size")
            if 1 <= exponent <= 8:
                return sympy.Pow(self.a_size(node.left), exponent)
        names = ", ".join(self.scope.sizes) or "none"
        self.refuse(node, "a size is needed here: a positive integer or the name of a size", f"sizes are {names}")

    def call_eye(self, node: ast.Call, args: list[ast.expr]) -> Expr:
        self.arity(node, "eye", args, 1, 1)
        return apply("eye", data=(self.a_size(args[0]),))

    def filled(self, node: ast.Call, name: str, args: list[ast.expr]) -> Expr:
        if len(args) == 1 and isinstance(args[0], ast.Tuple):
            args = list(args[0].elts)
        self.arity(node, name, args, 1, 8)
        return apply(name, data=(tuple(self.a_size(a) for a in args),))

    def call_ones(self, node: ast.Call, args: list[ast.expr]) -> Expr:
        return self.filled(node, "ones", args)

    def call_zeros(self, node: ast.Call, args: list[ast.expr]) -> Expr:
        return self.filled(node, "zeros", args)

    def call_dot(self, node: ast.Call, args: list[ast.expr]) -> Expr:
        self.arity(node, "dot", args, 2, 2)
        a, b = (self._read(x) for x in args)
        return apply("matmul" if a.rank and b.rank else "mul", a, b)

    def call_inner(self, node: ast.Call, args: list[ast.expr]) -> Expr:
        self.arity(node, "inner", args, 2, 2)
        return inner(self._read(args[0]), self._read(args[1]))

    def call_outer(self, node: ast.Call, args: list[ast.expr]) -> Expr:
        self.arity(node, "outer", args, 2, 2)
        a, b = (self._read(x) for x in args)
        if a.rank and b.rank:
            a, b = flat(a), flat(b)  # as NumPy does
        return apply("outer", a, b)

    def call_matrix_power(self, node: ast.Call, args: list[ast.expr]) -> Expr:
        self.arity(node, "matrix_power", args, 2, 2)
        return apply("matrix_power", self._read(args[0]), data=(self.exponent(args[1]),))

    def exponent(self, node: ast.expr) -> int | Size:
        """Return the exponent of a matrix: a literal integer, or one made of the names of sizes by `+ - *`."""
        if not any(isinstance(part, ast.Name) for part in ast.walk(node)):
            return self.integer(node, "the exponent")
        value = sympy.expand(self.whole_number(node))
        return int(value) if value.is_Integer else value

    def whole_number(self, node: ast.expr) -> Size:
        """Return an integer made of literals and the names of sizes."""
        match node:
            case ast.Constant() if type(node.value) is int and abs(node.value) <= MOST_IN_EXPONENT:
                return sympy.Integer(node.value)
            case ast.Name() if node.id in self.scope.sizes:
                return self.scope.sizes[node.id]
            case ast.UnaryOp(op=ast.USub()):
                return -self.whole_number(node.operand)
            case ast.BinOp(op=ast.Add() | ast.Sub() | ast.Mult()):
                left, right = self.whole_number(node.left), self.whole_number(node.right)
                return OF_SIZES[type(node.op)](left, right)
            case ast.BinOp(op=ast.Pow()):
                exponent = self.integer(node.right, "the exponent of a size")
                if 1 <= exponent <= 8:
                    return sympy.Pow(self.whole_number(node.left), exponent)
        names = ", ".join(self.scope.sizes) or "none"
        self.refuse(
            node, "the exponent must be a literal integer, or made of the names of sizes by + - *", f"sizes are {names}"
        )

    def natural_numbers(self, tree: ast.expr) -> None:
        """Take the names that stand only in exponents of matrices as new natural numbers: they need no array."""
        scope = self.scope
        known = {*scope.names, *scope.sizes, *scope.functions, *scope.calls, *KNOWN}
        for node in ast.walk(tree):
            name = getattr(node, "func", None)
            name = name.attr if isinstance(name, ast.Attribute) else name.id if isinstance(name, ast.Name) else ""
            if name == "matrix_power" and isinstance(node, ast.Call) and len(node.args) == 2:
                for part in ast.walk(node.args[1]):
                    if isinstance(part, ast.Name) and part.id not in known:
                        scope.sizes[part.id] = dims.size(part.id)

    def call_einsum(self, node: ast.Call, args: list[ast.expr]) -> Expr:
        self.arity(node, "einsum", args, 2, 27)
        first = args[0]
        if not (isinstance(first, ast.Constant) and isinstance(first.value, str)):
            self.refuse(first, "the first argument of einsum is a text such as 'ij,jk->ik'")
        try:
            spec = einsum_spec(first.value)
        except ParseError as err:
            raise err.at(self.place(first)) from None
        return apply("einsum", *(self._read(a) for a in args[1:]), data=(spec,))

    def call_where(self, node: ast.Call, args: list[ast.expr]) -> Expr:
        self.arity(node, "where", args, 3, 3)
        test = args[0]
        if not (isinstance(test, ast.Compare) and len(test.ops) == 1 and type(test.ops[0]) in RELATIONS):
            message = "the first argument of where is one comparison with <, <=, > or >="
            self.refuse(test, message, habits.condition(test))
        parts = [test.left, test.comparators[0], *args[1:]]
        return apply("where", *(self._read(p) for p in parts), data=(RELATIONS[type(test.ops[0])],))

    def call_transpose(self, node: ast.Call, args: list[ast.expr]) -> Expr:
        self.arity(node, "transpose", args, 1, 2)
        if len(args) == 1:
            return apply("transpose", self._read(args[0]))
        if not isinstance(args[1], (ast.Tuple, ast.List)):
            self.refuse(args[1], "the axes of transpose are a tuple of integers")
        array = self._read(args[0])
        axes = tuple(self.integer(a, "an axis") % max(array.rank, 1) for a in args[1].elts)
        return apply("transpose", array, data=(axes,))

    def call_reshape(self, node: ast.Call, args: list[ast.expr]) -> Expr:
        self.arity(node, "reshape", args, 2, 2)
        parts = args[1].elts if isinstance(args[1], (ast.Tuple, ast.List)) else [args[1]]
        return apply("reshape", self._read(args[0]), data=(tuple(self.a_size(p) for p in parts),))

    def indexed_sum(self, node: ast.Call, func: ast.Subscript) -> Expr:
        if not (self.scope.indices and isinstance(func.value, ast.Name) and func.value.id == "sum"):
            self.refuse(node, "only functions of the language can be called")
        parts = list(func.slice.elts) if isinstance(func.slice, ast.Tuple) else [func.slice]
        if len(node.args) != 1 or node.keywords:
            self.refuse(node, "sum[q](…) takes one argument")
        names = tuple(self.index_name(p) for p in parts)
        if len(set(names)) < len(names):
            self.refuse(node, "an index is summed over twice")
        outer = self.aliases
        if outer is not None:
            names = tuple(f"{n}_{len(outer) + k}" for k, n in enumerate(names, 1))
            self.aliases = {**outer, **{p.id: n for p, n in zip(parts, names, strict=True) if isinstance(p, ast.Name)}}
        body = self._read(node.args[0])
        self.aliases = outer
        if body.rank:
            raise ShapeError(
                "sum[q](…) sums numbers", place=self.place(node.args[0]), shapes={"argument": dims.written(body.shape)},
                hint="subscript the array, or write sum(…) for the sum of its entries",
            )  # fmt: skip
        return Expr("sum_over", (body,), names, ())


def _known(name: str) -> str:
    """Return what there is instead of an unknown function."""
    if name in DERIVATIVES:
        return "in statements a derivative is diff(f, x)"
    return "symderiv knows " + ", ".join(KNOWN)


def _listed(names: list[str]) -> str:
    """Return names for a message, cut where there are many."""
    return ", ".join(names[:40]) + (", …" if len(names) > 40 else "")


def negated(value: Expr) -> Expr:
    """Return `-value`; the minus of a literal belongs to the number."""
    if value.op == "number":
        return number(-value.data[0])
    return apply("neg", value)


def raised(base: Expr, exponent: Expr) -> Expr:
    """Return `base**exponent`; a literal exponent belongs to the operation."""
    value = literal_value(exponent)
    if value is None:
        return apply("general_power", base, exponent)
    if abs(value) > 10**6 or value.denominator > 10**6:
        shown = f"the exponent {value}" if len(str(value)) < 40 else "the exponent"
        what = "is too large" if abs(value) > 10**6 else "has too many digits"
        raise ParseError(f"{shown} {what}", hint="a quotient of numbers up to 10**6; or declare a scalar k, x**k")
    number_below = literal_value(base)
    if number_below is not None and (number_below == 0 > value or (number_below < 0 and value.denominator != 1)):
        raise UnsupportedError(f"{number_below} to the power of {value} is no real number")
    return apply("power", base, data=(value,))


def einsum_spec(text: str) -> str:
    """Return the subscripts of an einsum with its output written out.

    >>> einsum_spec("ij, jk")
    'ij,jk->ik'
    """
    spec = text.replace(" ", "")
    letters = set(spec) - set(",->")
    if not letters <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"):
        raise ParseError(f"{spec!r} is no einsum", hint="letters, commas and one ->")
    inputs, arrow, output = spec.partition("->")
    if not arrow:
        output = "".join(sorted(c for c in set(inputs) - {","} if inputs.count(c) == 1))
    if len(set(output)) < len(output) or not set(output) <= set(inputs) or "-" in inputs + output or "," in output:
        raise ParseError(f"{spec!r} is no einsum", hint="each output letter once, and each among the inputs")
    return f"{inputs}->{output}"


def literal_value(expr: Expr) -> Fraction | None:
    """Return the value of an expression made of literal numbers only."""
    values: dict[Expr, Fraction] = {}
    for node in walk(expr):
        value = _literal(node, [values[a] for a in node.args])
        if value is None:
            return None
        values[node] = value
    return values[expr]


def _literal(node: Expr, values: list[Fraction]) -> Fraction | None:
    """Return the value of an operation on numbers, None for one that is not carried out here."""
    if node.op == "number":
        return node.data[0]  # type: ignore[no-any-return]
    if not values:
        return None
    a, b = values[0], values[-1]
    match node.op:
        case "neg":
            return -a
        case "add":
            return a + b
        case "sub":
            return a - b
        case "mul":
            return a * b
        case "div" if b != 0:
            return a / b
        case "power" if abs(node.data[0]) <= 64 and node.data[0].denominator == 1 and a != 0:
            return a ** int(node.data[0])
    return None


def scope_of(
    shapes: Mapping[str, tuple[Any, ...]],
    assume: Mapping[str, str] | None = None,
    functions: Mapping[str, list[str]] | None = None,
) -> Scope:
    """Return the scope of declared shapes, assumptions and unknown entrywise functions.

    >>> sorted(scope_of({"X": ("n", "p")}).sizes)
    ['n', 'p']
    """
    scope = Scope()
    assume = _table(assume, "assume", '{"S": "symmetric"}')
    functions = _table(functions, "functions", '{"h": ["dh", "d2h"]}')
    for name, shape in shapes.items():
        traits = _traits(name, assume.get(name))
        scope.names[name] = variable(name, tuple(shape), traits)
        checked_traits(scope.names[name])
        for value in scope.names[name].shape:
            for symbol in value.free_symbols:
                scope.sizes[str(symbol)] = symbol
    for name in assume:
        if name not in shapes:
            hint = f"declared are {_listed(list(shapes))}" if shapes else ""
            raise UnknownNameError(f"an assumption about {name!r}, which is not declared", hint=hint)
    for name, derivatives in functions.items():
        if not isinstance(derivatives, (list, tuple)):
            raise ParseError(f"the derivatives of {name} are a list of names, such as ['d{name}', 'd2{name}']")
        for order, label in enumerate([name, *derivatives]):
            if not _is_free(label, scope):
                raise ParseError(f"{label!r} cannot be the name of a function", hint="take a name that is not in use")
            scope.functions[label] = (name, order)
    for name in scope.names:
        if name in scope.sizes:
            raise ParseError(f"{name} is both an array and a size", hint="take another name for one of the two")
    return scope


def _table(given: Any, name: str, example: str) -> dict[str, Any]:
    """Return what is given beside a text, which is a table."""
    if given is not None and not isinstance(given, Mapping):
        raise ParseError(f"{name} is a table, not {given!r}", hint=f"write {name}={example}")
    return dict(given or {})


def _is_free(label: Any, scope: Scope) -> bool:
    """Tell whether a function can be called so."""
    if not dims.is_name(label):
        return False
    taken = label in KNOWN or label in scope.names or label in scope.sizes or label in scope.functions
    return not taken and unicodedata.normalize("NFKC", label) == label


TRAITS = frozenset({
    "symmetric", "positive_definite", "diagonal", "invertible", "orthogonal", "positive", "open_unit",
    "probability", "signs", "binary", "counts", "simplex", "simplex_rows", "one_hot_rows", "real",
})  # fmt: skip


SQUARE = frozenset(["symmetric", "positive_definite", "diagonal", "invertible", "orthogonal"])


def checked_traits(x: Expr) -> Expr:
    """Return a variable; what is assumed of square matrices only must be assumed of one."""
    wanted = x.data[1] & SQUARE
    if wanted and (x.rank != 2 or x.axes[0] != x.axes[1]):
        raise ShapeError(
            f"{x.name} is assumed to be {' '.join(sorted(wanted))} but is no square matrix",
            shapes={x.name: dims.written(x.shape)},
            hint="a square matrix has the same size twice, such as (n, n)",
        )
    return x


def _traits(name: str, given: Any) -> frozenset[str]:
    many = isinstance(given, (list, tuple, set, frozenset))
    values = [given] if isinstance(given, str) else list(given) if many and given else []
    if given is not None and not isinstance(given, str) and not (many and all(isinstance(v, str) for v in values)):
        raise ParseError(f"an assumption about {name} is a word, or several, not {given!r}", hint='write "symmetric"')
    for value in values:
        if value not in TRAITS:
            near = get_close_matches(value.lower(), TRAITS, 1)
            raise UnsupportedError(
                f"unknown assumption {value!r} about {name}",
                hint=f"did you mean {near[0]}?" if near else "known are " + ", ".join(sorted(TRAITS)),
            )
    return frozenset(values)
