"""Declarations and definitions: of arrays, of members of families, of functions."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import sympy

from symderiv import dims
from symderiv.errors import ParseError, Place, ShapeError
from symderiv.families import Range, member_name
from symderiv.statements.functions import FunctionReader, called
from symderiv.statements.members import RANGED, Case, Family, World, written_shape
from symderiv.statements.statement import RESERVED, Function, Given, Names, Neglected, Statement
from symderiv.tensor.expr import Expr, defined, plain_axes, walk
from symderiv.tensor.parse import TRAITS, checked_traits, variable


class DeclarationReader(FunctionReader):
    """Reads what names arrays and functions."""

    def __init__(self, text: str, names: Names, source: str, world: World | None = None) -> None:
        super().__init__(text, names, source, world)
        self.given: list[Given] = []
        self.neglected: list[Neglected] = []
        self.file = source

    def place(self, node: ast.AST) -> Place:
        found = super().place(node)
        return Place(self.text, found.column, found.end, found.line, self.file)

    def said(self, kind: str, node: ast.stmt, **more: Any) -> Statement:
        """Return a statement with where it stands: its place, the loops and hypotheses around it."""
        ranges = (*self.families.parameters, *self.ranges)
        given, neglected = tuple(self.given), tuple(self.neglected)
        is_open = any(self.is_open(e) for e in more.get("exprs", ()))
        return Statement(
            kind, self.place(node), node=node, ranges=ranges, given=given, neglected=neglected, open=is_open, **more
        )

    def is_open(self, expr: Expr) -> bool:
        """Tell whether an expression names members of families or runs over ranges."""
        table = self.families.table
        return any(e.op in RANGED or (e.op == "var" and e.name.partition("[")[0] in table) for e in walk(expr))

    # -- declarations

    def declare(self, node: ast.stmt, name: str, annotation: ast.expr) -> Statement:
        self.unused(node, name)
        match annotation:
            case ast.Tuple():
                self.array(name, annotation.elts, frozenset())
            case ast.Call(func=ast.Name(id="elementwise"), args=[]):
                for order in range(4):
                    self.scope.functions[name if order == 0 else f"{name}{chr(39) * order}"] = (name, order)
            case ast.Call(func=ast.Name(id="integer"), args=[low, high], keywords=[]):
                range_ = Range(name, self.bound(low), self.bound(high))
                self.not_empty(annotation, range_)
                self.families.parameters.append(range_)
                self.integers[name] = range_.symbol
            case ast.Call(func=ast.Name(id="index"), args=[one]):
                self.families.labels[name] = self.declared_size(one)
            case ast.Call(func=ast.Name(id="function")):
                self.names.unknown[name] = tuple(self.declared_size(a) for a in annotation.args)
            case ast.Call(func=ast.Name(id=trait)) if trait in TRAITS:
                self.array(name, annotation.args, frozenset([trait]))
            case _:
                self.refuse(annotation, "a declaration gives a shape", _a_shape(name, annotation))
        exprs = (self.scope.names[name],) if name in self.scope.names else ()
        return self.said("declare", node, name=name, exprs=exprs, text=ast.unparse(node))

    def declare_member(self, node: ast.stmt, name: str, at: ast.expr, annotation: ast.expr) -> Statement:
        """Return the declaration of one member, or of all in the loop's range."""
        case = self.case_of(node, name, at)
        match annotation:
            case ast.Tuple():
                sizes, traits = annotation.elts, frozenset[str]()
            case ast.Call(func=ast.Name(id="index"), args=[one]):
                case = replace(case, label_of=self.declared_size(one))
                sizes, traits = [], frozenset()
            case ast.Call(func=ast.Name(id=trait)) if trait in TRAITS:
                sizes, traits = annotation.args, frozenset([trait])
            case _:
                self.refuse(annotation, "a declaration gives a shape", "write h[0]: (n,) or y[t]: index(m)")
        axes = plain_axes(tuple(self.declared_size(s) for s in sizes))
        if case.label_of is None:
            checked_traits(Expr("var", (), (name, traits), axes))
        self.add_case(node, name, replace(case, axes=axes, traits=traits))
        label = ast.unparse(at)
        return self.said("declare", node, name=f"{name}[{label}]", text=ast.unparse(node))

    @contextmanager
    def announced(self, body: list[ast.stmt]) -> Iterator[None]:
        """Read a loop's body knowing which members it names further down: the next turn may use them."""
        count = len(self.defining)
        for node in body:
            match node:
                case ast.Assign(targets=[ast.Subscript(value=ast.Name(id=name)) as target]):
                    self.defining.append((name, self.case_of(node, name, target.slice)))
        try:
            yield
            found = self.defining[count:]
        finally:
            del self.defining[count:]
        self.read_again(found)

    def read_again(self, found: list[tuple[str, Case]]) -> None:
        """Read definitions once more when all members of a loop are known: a later turn may find other shapes."""
        for name, wanted in found:
            for case in self.families.table[name].cases:
                if case.body is not None and (case.low, case.high) == (wanted.low, wanted.high):
                    shapes = {name: written_shape(case.axes)}
                    if (axes := self.read(case.body).axes) != case.axes:
                        shapes["in a later turn"] = written_shape(axes)
                        raise ShapeError(
                            f"members of {name} differ in shape", place=self.place(case.body), shapes=shapes
                        )

    def case_of(self, node: ast.stmt, name: str, at: ast.expr) -> Case:
        """Return the case of a family that a statement is about: one member, or those of the innermost loop."""
        if name not in self.families.table:
            self.unused(node, name)
        label = self.label(at)
        inner = self.ranges[-1] if self.ranges else None
        for outer in self.ranges[:-1]:
            self.refuse(
                at, f"{name}[{label}] is the same in every turn of the loop over {outer.variable}", "put it outside"
            )
        if inner is None or inner.symbol not in label.free_symbols:
            if inner is not None:
                self.refuse(at, f"{name}[{label}] is the same in every turn of the loop", "put it outside")
            return Case(label, label, ())
        shift = sympy.expand(label - inner.symbol)
        if any(r.symbol in shift.free_symbols for r in self.ranges):
            self.refuse(
                at, "a loop defines one member a turn: its variable, plus or minus a number", "write h[t] or h[t + 1]"
            )
        return Case(
            sympy.expand(inner.low + shift), sympy.expand(inner.high + shift), (), frozenset(), inner.variable, shift
        )

    def add_case(self, node: ast.stmt, name: str, case: Case) -> None:
        """Put a case to its family; members that have one already are refused."""
        family = self.families.table.setdefault(name, Family(name))
        for other in family.cases:
            apart = self.bounds.certain(case.low - other.high - 1) or self.bounds.certain(other.low - case.high - 1)
            if not apart:
                self.refuse(node, f"members of {name} may be named twice", f"named before: {other.low} … {other.high}")
            if len(other.axes) != len(case.axes) or (other.label_of is None) != (case.label_of is None):
                self.refuse(
                    node,
                    f"members of {name} differ in kind from those named before",
                    "give them as many axes as those have",
                )
        family.cases.append(case)

    def array(self, name: str, sizes: list[ast.expr], traits: frozenset[str]) -> None:
        shape = tuple(self.declared_size(s) for s in sizes)
        if name in self.scope.sizes:
            raise ParseError(f"{name} is both an array and a size", hint="take another name for one of the two")
        self.scope.names[name] = checked_traits(variable(name, shape, traits))

    def declared_size(self, node: ast.expr) -> dims.Size:
        """Return a size; a name that is new becomes the name of a size."""
        if isinstance(node, ast.Subscript) and isinstance(node.value, ast.Name):
            return self.width(node.value.id, self.label(node.slice))
        if isinstance(node, ast.Name) and node.id not in self.scope.sizes:
            if self.names.taken(node.id):
                self.refuse(node, f"{node.id} is no size", "sizes and arrays need different names")
            self.scope.sizes[node.id] = dims.symbol(node.id)
        return self.a_size(node)

    def unused(self, node: ast.AST, name: str) -> None:
        if name in RESERVED:
            self.refuse(node, f"{name} is a word of the language", "take another name")
        if not dims.is_name(name):
            self.refuse(node, f"{name} is a word of Python's own", "take another name")
        if self.names.taken(name) or name in self.scope.sizes:
            self.refuse(node, f"{name} is named already", "a heading starts afresh; within a block take another name")

    # -- definitions

    def define(self, node: ast.stmt, name: str, value: ast.expr) -> Statement:
        self.unused(node, name)
        if self.ranges:
            self.refuse(
                node, f"{name} is the same in every turn of the loop", f"write {name}[{self.ranges[-1].variable}]"
            )
        body = self.read(value)
        expr = defined(name, body)
        self.scope.names[name] = expr
        if self.is_open(body):
            self.families.dependent[name] = value
        return self.said("define", node, name=name, exprs=(expr,), text=ast.unparse(node))

    def define_member(self, node: ast.stmt, name: str, at: ast.expr, value: ast.expr) -> Statement:
        """Return the definition of one member, or of all in the loop's range."""
        case = replace(self.case_of(node, name, at), body=value)
        self.families.table.setdefault(name, Family(name))
        body = self.read(value)
        self.add_case(node, name, replace(case, axes=body.axes))
        expr = defined(member_name(name, self.label(at)), body)
        return self.said("define", node, name=expr.name, exprs=(expr,), text=ast.unparse(node))

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
        self.scope.calls[node.name] = called
        return self.said("function", node, name=node.name, text=ast.unparse(node))


def _a_shape(name: str, annotation: ast.expr) -> str:
    """Return how a declaration is written that gives no shape."""
    if isinstance(annotation, ast.Name):
        return f"an array with one axis is {name}: ({annotation.id},) and a number is {name}: ()"
    return "write x: (n,), X: (n, m), s: () or S: symmetric(n, n)"
