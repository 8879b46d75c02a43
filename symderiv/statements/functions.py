"""Functions in statements: those that a sheet defines, unknown ones, and the derivatives of both."""

from __future__ import annotations

import ast
from collections.abc import Callable
from functools import partial

from symderiv.chain import differentiate
from symderiv.errors import UnsupportedError
from symderiv.families import Label
from symderiv.functions import FUNCTIONS
from symderiv.index.normal import substitute
from symderiv.lift import lift
from symderiv.lower import lower
from symderiv.statements.blocks import block
from symderiv.statements.derivatives import directional, held, remainder, slope_of
from symderiv.statements.meaning import meaning
from symderiv.statements.members import MemberReader, World
from symderiv.statements.statement import Function, Names
from symderiv.tensor.expr import Expr, plain_axes, walk
from symderiv.tensor.parse import KNOWN, Parser, size, variable

Argument = Expr | Label | str
MOST_CALLS = 10_000


class FunctionReader(MemberReader):
    """Reads expressions in which functions are called."""

    def __init__(self, text: str, names: Names, source: str, world: World | None = None) -> None:
        super().__init__(text, names.scope, source or "block")
        self.names = names
        self.families, self.world = names.families, world or World()
        self.calls = 0  # of functions that the sheet defines
        self.open: list[str] = []  # those whose bodies are being read
        derivatives: dict[str, Callable[[Parser, ast.Call], Expr]] = {
            "diff": partial(_derivative, "total"), "partial": partial(_derivative, "immediate"),
            "directional": directional, "O": remainder, "block": block,
        }  # fmt: skip
        self.scope.calls.update({**derivatives, "()": _function_derivative})

    def name(self, node: ast.Name) -> Expr:
        """Return what a name stands for; functions are none."""
        if node.id in self.names.unknown or node.id in self.names.functions:
            self.refuse(node, f"{node.id} is a function and needs arguments", f"write {node.id}(…)")
        return super().name(node)

    def call(self, node: ast.Call) -> Expr:
        if isinstance(node.func, ast.Name) and node.func.id in self.names.unknown:
            args = tuple(self.read(a) for a in node.args)
            if not args:
                self.refuse(node, f"{node.func.id} needs at least one argument")
            return Expr("unknown", args, (node.func.id,), plain_axes(self.names.unknown[node.func.id]))
        return super().call(node)

    def called(self, node: ast.Call, function: Function) -> Expr:
        """Return the body with the arguments put in; the names of the body are those around it.

        An argument is an array, an integer of a range, or the name of an index.
        """
        self.arity(node, function.name, node.args, len(function.parameters), len(function.parameters))
        if function.name in self.open or self.calls >= MOST_CALLS:
            what = "calls itself" if function.name in self.open else f"is one of more than {MOST_CALLS} calls"
            self.refuse(node, f"{function.name} {what}", "name intermediate results and write them as statements")
        given: dict[str, Argument] = {}
        for name, arg in zip(function.parameters, node.args, strict=True):
            label = self.integer_or_none(arg)
            given[name] = label if label is not None else self.index_name(arg) if self.is_index(arg) else self.read(arg)
        body = self.body(function, given)
        if any(isinstance(g, str) for g in given.values()):
            return body
        shown = tuple(g if isinstance(g, Expr) else size(g) for g in given.values())
        return Expr("called", (body, *shown), (function.name,), body.axes)

    def is_index(self, node: ast.expr) -> bool:
        """Tell a name that means nothing else: it is the name of an index."""
        return isinstance(node, ast.Name) and not (
            self.names.taken(node.id) or node.id in self.scope.sizes or node.id in KNOWN or node.id in self.integers
        )

    def body(self, function: Function, given: dict[str, Argument]) -> Expr:
        """Return the body; the indices that it binds get names of their own, so that none of an argument is caught."""
        outer, aliases, integers = dict(self.scope.names), self.aliases, self.integers
        self.integers = {n: k for n, k in integers.items() if n not in given}
        self.aliases, self.calls = {}, self.calls + 1
        for name, value in given.items():
            self.scope.names.pop(name, None)
            if isinstance(value, Expr):
                self.scope.names[name] = value
            elif isinstance(value, str):
                self.aliases[name] = value
            else:
                self.integers[name] = value
        self.open.append(function.name)
        try:
            return self.read(function.body)
        finally:
            self.open.pop()
            self.aliases, self.integers = aliases, integers
            self.scope.names.clear()
            self.scope.names.update(outer)


def _slope_at(body: Expr, parameter: Expr, arg: Expr, order: int) -> Expr:
    """Return a derivative in the parameter, at an argument that stands in the body itself."""
    node, x = lower(body, meaning()).node, lower(parameter).node
    for _ in range(order):
        node = differentiate(node, x).result
    return lift(substitute(node, {x: lower(arg).node}))


def _derivative(mode: str, parser: Parser, node: ast.Call) -> Expr:
    """`diff(f, x, …)` or `partial(f, x)`."""
    if len(node.args) < 2 or (node.keywords and mode == "immediate"):
        parser.refuse(node, "diff takes a function and at least one variable", "write diff(E, W)")
    constant = held(parser, node)
    f, *variables = (parser.read(a) for a in node.args)
    for expr, tree in zip(variables, node.args[1:], strict=True):
        base = expr.args[0] if expr.op == "entry" else expr
        if base.op not in ("var", "defined"):
            message = "derivatives are taken in declared or defined arrays, or entries of them"
            parser.refuse(tree, message, "give it a name first")
    axes = f.axes
    for v in variables:
        axes += v.axes
    return Expr("diff", (f, *variables), ("holding", *constant) if constant else (mode,), axes)


def called(parser: Parser, node: ast.Call) -> Expr:
    """Return a call of a function that the sheet defines, its body in the place of it."""
    assert isinstance(parser, FunctionReader) and isinstance(node.func, ast.Name)
    return parser.called(node, parser.names.functions[node.func.id])


def _function_derivative(parser: Parser, node: ast.Call) -> Expr:
    """`diff(h)(a)` and `diff(h, 2)(a)`: the derivative of a function, at an argument."""
    inner = node.func
    assert isinstance(inner, ast.Call) and isinstance(parser, FunctionReader)
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
        at_entry = arg.op == "entry" and arg.args[0].op in ("var", "defined")
        if arg.rank or not (at_entry or arg.op in ("var", "defined")):
            message = f"diff({name}) is taken at a scalar: a variable, or an entry of an array"
            raise UnsupportedError(message, place=parser.place(node.args[0]))
        function = parser.names.functions[name]
        parameter = variable("t_0", ())
        general = parser.body(function, {function.parameters[0]: parameter})
        if arg in walk(general):
            return _slope_at(general, parameter, arg, order)
        body = parser.body(function, {function.parameters[0]: arg})
        value = Expr("called", (body, arg), (name,), body.axes)
        return Expr("diff", (value, *([arg] * order)), ("total",), body.axes)
    if name in FUNCTIONS and order == 1:
        return slope_of(name, arg)
    parser.refuse(inner.args[0], f"{name} is no scalar function of the language")
