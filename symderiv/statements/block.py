"""The statement language, read with `ast` against a whitelist: a block of text to statements.

Each statement keeps where it stands, so that every error can point there.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from functools import partial

from symderiv import dims
from symderiv.chain import differentiate
from symderiv.errors import ParseError, Place, ShapeError, SymderivError, UnsupportedError
from symderiv.index.normal import substitute
from symderiv.lift import lift
from symderiv.lower import lower
from symderiv.statements.meaning import meaning
from symderiv.tensor.expr import Expr, defined, plain_axes, walk
from symderiv.tensor.parse import KNOWN, TRAITS, Parser, Scope, checked_traits, variable
from symderiv.tensor.syntax import check_bounds, statement_tree


@dataclass(frozen=True)
class Statement:
    """One statement as read: `kind` is declare, define, function, claim or show."""

    kind: str
    place: Place
    name: str = ""
    exprs: tuple[Expr, ...] = ()
    label: str = ""
    negated: bool = False
    text: str = ""
    error: SymderivError | None = None  # why a line that is claimed to be wrong cannot even be read


@dataclass
class Function:
    """`def name(x): return expr`: substituted where it is called, captured by nothing."""

    name: str
    parameters: tuple[str, ...]
    body: ast.expr


@dataclass
class Names:
    """What the statements so far have named."""

    scope: Scope = field(default_factory=lambda: Scope(indices=True))
    unknown: dict[str, tuple[dims.Size, ...]] = field(default_factory=dict)
    functions: dict[str, Function] = field(default_factory=dict)

    def taken(self, name: str) -> bool:
        """Tell whether a name means something already."""
        return (
            name in self.scope.names or name in self.unknown or name in self.functions or name in self.scope.functions
        )


def read_block(text: str, names: Names, source: str = "", first_line: int = 1) -> list[Statement]:
    r"""Return the statements of a block; `names` is extended by what they name.

    >>> names = Names()
    >>> [s.kind for s in read_block("D: (m, n)\nW: (n, p)\nA = D @ W", names)]
    ['declare', 'declare', 'define']
    """
    check_bounds(text, source)
    padded = "\n" * (first_line - 1) + text
    tree = statement_tree(padded, source)
    reader = _Reader(padded, names, source)
    return [s for node in tree.body for s in reader.statement(node)]


class _Reader(Parser):
    """Reads statements; expressions are read by the parser it extends."""

    def __init__(self, text: str, names: Names, source: str) -> None:
        super().__init__(text, names.scope, source or "block")
        self.names = names
        self.file = source
        self.calls = 0  # of functions that the sheet defines
        self.open: list[str] = []  # those whose bodies are being read
        derivatives = {"diff": partial(_derivative, "total"), "partial": partial(_derivative, "immediate")}
        self.scope.calls.update({**derivatives, "()": _function_derivative})

    def place(self, node: ast.AST) -> Place:
        found = super().place(node)
        return Place(self.text, found.column, found.end, found.line, self.file)

    def statement(self, node: ast.stmt) -> list[Statement]:
        """Return what one statement says."""
        try:
            match node:
                case ast.AnnAssign(target=ast.Name(id=name), value=None, simple=1):
                    return [self.declare(node, name, node.annotation)]
                case ast.Assign(targets=[ast.Name(id=name)]):
                    return [self.define(node, name, node.value)]
                case ast.FunctionDef():
                    return [self.function(node)]
                case ast.Assert():
                    return [self.claim(node)]
                case ast.Expr():
                    expr = self.read(node.value)
                    return [Statement("show", self.place(node), exprs=(expr,), text=ast.unparse(node.value))]
        except SymderivError as err:
            raise err.at(self.place(node)) from None
        said = _SAID.get(type(node), f"this use of {type(node).__name__}")
        self.refuse(node, f"{said} is not part of the statement language" + (" yet" if type(node) in COMING else ""))

    def name(self, node: ast.Name) -> Expr:
        """Return what a name stands for; functions are none."""
        if node.id in self.names.unknown or node.id in self.names.functions:
            self.refuse(node, f"{node.id} is a function and needs arguments", f"write {node.id}(…)")
        return super().name(node)

    # -- declarations

    def declare(self, node: ast.stmt, name: str, annotation: ast.expr) -> Statement:
        self.unused(node, name)
        match annotation:
            case ast.Tuple():
                self.array(name, annotation.elts, frozenset())
            case ast.Call(func=ast.Name(id="elementwise"), args=[]):
                for order in range(4):
                    self.scope.functions[name if order == 0 else f"{name}{chr(39) * order}"] = (name, order)
            case ast.Call(func=ast.Name(id="function")):
                self.names.unknown[name] = tuple(self.declared_size(a) for a in annotation.args)
            case ast.Call(func=ast.Name(id=trait)) if trait in TRAITS:
                self.array(name, annotation.args, frozenset([trait]))
            case _:
                self.refuse(annotation, "a declaration gives a shape", "write X: (n, m), s: () or S: symmetric(n, n)")
        exprs = (self.scope.names[name],) if name in self.scope.names else ()
        return Statement("declare", self.place(node), name, exprs, text=ast.unparse(node))

    def array(self, name: str, sizes: list[ast.expr], traits: frozenset[str]) -> None:
        shape = tuple(self.declared_size(s) for s in sizes)
        if name in self.scope.sizes:
            raise ParseError(f"{name} is both an array and a size", hint="take another name for one of the two")
        self.scope.names[name] = checked_traits(variable(name, shape, traits))

    def declared_size(self, node: ast.expr) -> dims.Size:
        """Return a size; a name that is new becomes the name of a size."""
        if isinstance(node, ast.Name) and node.id not in self.scope.sizes:
            if self.names.taken(node.id):
                self.refuse(node, f"{node.id} is no size", "sizes and arrays need different names")
            self.scope.sizes[node.id] = dims.symbol(node.id)
        return self.a_size(node)

    def unused(self, node: ast.AST, name: str) -> None:
        if name in RESERVED:
            self.refuse(node, f"{name} is a word of the language", "take another name")
        if self.names.taken(name) or name in self.scope.sizes:
            self.refuse(node, f"{name} is named already", "a heading starts afresh; within a block take another name")

    # -- definitions

    def define(self, node: ast.stmt, name: str, value: ast.expr) -> Statement:
        self.unused(node, name)
        body = self.read(value)
        expr = defined(name, body)
        self.scope.names[name] = expr
        return Statement("define", self.place(node), name, (expr,), text=ast.unparse(node))

    def function(self, node: ast.FunctionDef) -> Statement:
        self.unused(node, node.name)
        match node.body:
            case [ast.Return(value=ast.expr() as body)]:
                pass
            case _:
                self.refuse(node, "a function of the language is one return statement")
        args = node.args
        if node.decorator_list or args.vararg or args.kwarg or args.kwonlyargs or args.defaults or args.posonlyargs:
            self.refuse(node, "a function of the language has plain parameters")
        if len({a.arg for a in args.args}) < len(args.args):
            self.refuse(node, "two parameters have one name")
        self.names.functions[node.name] = Function(node.name, tuple(a.arg for a in args.args), body)
        self.scope.calls[node.name] = _called
        return Statement("function", self.place(node), node.name, text=ast.unparse(node))

    # -- claims

    def claim(self, node: ast.Assert) -> Statement:
        test, negative = node.test, False
        if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
            test, negative = test.operand, True
        if not (isinstance(test, ast.Compare) and len(test.ops) == 1 and isinstance(test.ops[0], ast.Eq)):
            self.refuse(node.test, "a claim is one equation, left == right")
        label = ""
        if node.msg is not None:
            if not (isinstance(node.msg, ast.Constant) and isinstance(node.msg.value, str)):
                self.refuse(node.msg, "the label of a claim is a text")
            label = node.msg.value
        error = None
        sides: tuple[Expr, ...] = ()
        try:
            sides = self.sides(test)
        except ShapeError as err:
            if not negative:
                raise
            error = err
        return Statement("claim", self.place(node), "", sides, label, negative, ast.unparse(test), error)

    def sides(self, test: ast.Compare) -> tuple[Expr, Expr]:
        left, right = self.read(test.left), self.read(test.comparators[0])
        if left.shape != right.shape:
            raise ShapeError(
                "the two sides of a claim need equal shapes",
                place=self.place(test),
                shapes={"left": dims.written(left.shape), "right": dims.written(right.shape)},
            )
        return left, right

    # -- calls of unknown functions

    def call(self, node: ast.Call) -> Expr:
        if isinstance(node.func, ast.Name) and node.func.id in self.names.unknown:
            args = tuple(self.read(a) for a in node.args)
            if not args:
                self.refuse(node, f"{node.func.id} needs at least one argument")
            return Expr("unknown", args, (node.func.id,), plain_axes(self.names.unknown[node.func.id]))
        return super().call(node)

    def called(self, node: ast.Call, function: Function) -> Expr:
        """Return the body with the arguments put in; the names of the body are those around it."""
        self.arity(node, function.name, node.args, len(function.parameters), len(function.parameters))
        args = tuple(self.read(a) for a in node.args)
        if function.name in self.open or self.calls >= MOST_CALLS:
            what = "calls itself" if function.name in self.open else f"is one of more than {MOST_CALLS} calls"
            self.refuse(node, f"{function.name} {what}", "name intermediate results and write them as statements")
        body = self.body(function, args)
        return Expr("called", (body, *args), (function.name,), body.axes)

    def body(self, function: Function, args: tuple[Expr, ...]) -> Expr:
        """Return the body; the indices that it binds get names of their own, so that none of an argument is caught."""
        outer, aliases = dict(self.scope.names), self.aliases
        self.scope.names.update(dict(zip(function.parameters, args, strict=True)))
        self.aliases, self.calls = {}, self.calls + 1
        self.open.append(function.name)
        try:
            return self.read(function.body)
        finally:
            self.open.pop()
            self.aliases = aliases
            self.scope.names.clear()
            self.scope.names.update(outer)


MOST_CALLS = 10_000
COMING = (ast.For, ast.With)
RESERVED = frozenset([*KNOWN, "diff", "partial", "delta"])
_SAID: dict[type[ast.stmt], str] = {
    ast.For: "a family over a for loop", ast.With: "a with block", ast.If: "a branch", ast.While: "a loop",
    ast.Import: "an import", ast.ImportFrom: "an import", ast.Delete: "del", ast.ClassDef: "a class",
    ast.AugAssign: "an augmented assignment", ast.AnnAssign: "a declaration with a value",
    ast.Assign: "an assignment to several names, or to a part of one", ast.Pass: "pass", ast.Return: "return",
    ast.Raise: "raise", ast.Try: "try", ast.Global: "global", ast.AsyncFunctionDef: "an asynchronous function",
}  # fmt: skip


def _slope_at(body: Expr, parameter: Expr, arg: Expr, order: int) -> Expr:
    """Return a derivative in the parameter, at an argument that stands in the body itself."""
    node, x = lower(body, meaning()).node, lower(parameter).node
    for _ in range(order):
        node = differentiate(node, x).result
    return lift(substitute(node, {x: lower(arg).node}))


def _derivative(mode: str, parser: Parser, node: ast.Call) -> Expr:
    """`diff(f, x, …)` or `partial(f, x)`."""
    if len(node.args) < 2 or node.keywords:
        parser.refuse(node, "diff takes a function and at least one variable", "write diff(E, W)")
    f, *variables = (parser.read(a) for a in node.args)
    for expr, tree in zip(variables, node.args[1:], strict=True):
        base = expr.args[0] if expr.op == "entry" else expr
        if base.op not in ("var", "defined"):
            message = "derivatives are taken in declared or defined arrays, or entries of them"
            parser.refuse(tree, message, "give it a name first")
    axes = f.axes
    for v in variables:
        axes += v.axes
    return Expr("diff", (f, *variables), (mode,), axes)


def _called(parser: Parser, node: ast.Call) -> Expr:
    assert isinstance(parser, _Reader) and isinstance(node.func, ast.Name)
    return parser.called(node, parser.names.functions[node.func.id])


def _function_derivative(parser: Parser, node: ast.Call) -> Expr:
    """`diff(h)(a)` and `diff(h, 2)(a)`: the derivative of a function, at an argument."""
    inner = node.func
    assert isinstance(inner, ast.Call) and isinstance(parser, _Reader)
    match inner:
        case ast.Call(func=ast.Name(id="diff"), args=[ast.Name(id=name), *_]):
            pass
        case _:
            parser.refuse(node, "only functions of the language can be called")
    order = parser.integer(inner.args[1], "the order of a derivative") if len(inner.args) > 1 else 1
    if order < 1 or order > 8:
        parser.refuse(inner.args[1], "the order of a derivative is between 1 and 8")
    parser.arity(node, f"diff({name})", node.args, 1, 1)
    arg = parser.read(node.args[0])
    if (name, 0) in parser.scope.functions.values():
        return Expr("map", (arg,), (name, order), arg.axes)
    if name in parser.names.functions:
        if arg.op != "var" or arg.rank:
            raise UnsupportedError(f"diff({name}) is taken at a scalar variable", place=parser.place(node.args[0]))
        function = parser.names.functions[name]
        parameter = variable("t_0", ())
        general = parser.body(function, (parameter,))
        if arg in walk(general):
            return _slope_at(general, parameter, arg, order)
        body = parser.body(function, (arg,))
        value = Expr("called", (body, arg), (name,), body.axes)
        return Expr("diff", (value, *([arg] * order)), ("total",), body.axes)
    parser.refuse(inner.args[0], f"{name} is no scalar function of the language")
