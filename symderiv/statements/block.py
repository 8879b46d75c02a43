"""The statement language, read with `ast` against a whitelist: a block of text to statements.

Each statement keeps where it stands, so that every error can point there.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import sympy

from symderiv import dims
from symderiv.chain import differentiate
from symderiv.errors import ParseError, Place, ShapeError, SymderivError, UnsupportedError
from symderiv.families import Label, Range, member_name
from symderiv.functions import FUNCTIONS
from symderiv.index.normal import substitute
from symderiv.latex.chains import Equality, read_chains
from symderiv.latex.source import Within
from symderiv.lift import lift
from symderiv.lower import lower
from symderiv.statements.blocks import block
from symderiv.statements.derivatives import directional, held, remainder, slope_of
from symderiv.statements.meaning import meaning
from symderiv.statements.members import RANGED, Case, Families, Family, MemberReader, World, written_shape
from symderiv.tensor.expr import Expr, defined, plain_axes, walk
from symderiv.tensor.parse import KNOWN, TRAITS, Parser, Scope, checked_traits, size, variable
from symderiv.tensor.syntax import LAMBDA, check_bounds, statement_tree
from symderiv.tensor.text import to_text


@dataclass(frozen=True)
class Statement:
    """One statement as read: `kind` is declare, define, function, least, claim, code, table or show."""

    kind: str
    place: Place
    name: str = ""
    exprs: tuple[Expr, ...] = ()
    label: str = ""
    negated: bool = False
    text: str = ""
    error: SymderivError | None = None  # why a line that is claimed to be wrong cannot even be read
    node: ast.stmt | None = None
    ranges: tuple[Range, ...] = ()  # of the loops that it stands in, parameters first
    given: tuple[Given, ...] = ()
    neglected: tuple[Neglected, ...] = ()
    open: bool = False  # names members of families, sums or products over ranges: means nothing by itself
    cost: Expr | None = None  # of code, as its author states it: made of sizes
    minimum: tuple[Expr, ...] = ()  # of a table: what is minimised, and the weights that it is minimised in
    sizes: tuple[tuple[str, int], ...] = ()  # of the arrays of a table


@dataclass(frozen=True)
class Given:
    """A hypothesis, `with given(left == right)` or an inequality."""

    relation: str
    left: Expr
    right: Expr
    text: str


@dataclass(frozen=True)
class Neglected:
    """A term that counts as 0, where two indices differ (`apart`) or always, and why."""

    term: Expr
    apart: tuple[str, str] | None
    because: str
    text: str

    def __str__(self) -> str:
        where = " for {} != {}".format(*self.apart) if self.apart is not None else ""
        because = f", because {self.because}" if self.because else ""
        return f"neglecting {to_text(self.term)}{where}{because}"


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
    families: Families = field(default_factory=Families)
    display: dict[str, str] = field(default_factory=dict)  # how names print, where that is not as they are written

    def taken(self, name: str) -> bool:
        """Tell whether a name means something already."""
        return (
            name in self.scope.names or name in self.unknown or name in self.functions or name in self.scope.functions
            or name in self.families.table or name in self.families.labels
        )  # fmt: skip


def read_block(text: str, names: Names, source: str = "", first_line: int = 1) -> list[Statement]:
    r"""Return the statements of a block; `names` is extended by what they name.

    >>> names = Names()
    >>> [s.kind for s in read_block("D: (m, n)\nW: (n, p)\nA = D @ W", names)]
    ['declare', 'declare', 'define']
    """
    check_bounds(text, source)
    padded = "\n" * (first_line - 1) + text
    tree = statement_tree(padded, source)
    reader = BlockReader(padded, names, source)
    return [s for node in tree.body for s in reader.statement(node)]


class BlockReader(MemberReader):
    """Reads statements; expressions are read by the parser it extends."""

    def __init__(self, text: str, names: Names, source: str, world: World | None = None) -> None:
        super().__init__(text, names.scope, source or "block")
        self.names = names
        self.families, self.world = names.families, world or World()
        self.given: list[Given] = []
        self.neglected: list[Neglected] = []
        self.file = source
        self.calls = 0  # of functions that the sheet defines
        self.open: list[str] = []  # those whose bodies are being read
        self.claimed = False  # whether a claim was read in this block
        derivatives: dict[str, Callable[[Parser, ast.Call], Expr]] = {
            "diff": partial(_derivative, "total"), "partial": partial(_derivative, "immediate"),
            "directional": directional, "O": remainder, "block": block,
        }  # fmt: skip
        self.scope.calls.update({**derivatives, "()": _function_derivative})

    def place(self, node: ast.AST) -> Place:
        found = super().place(node)
        return Place(self.text, found.column, found.end, found.line, self.file)

    def statement(self, node: ast.stmt) -> list[Statement]:
        """Return what one statement says; a loop or a `with` says what stands in it."""
        try:
            match node:
                case ast.AnnAssign(target=ast.Name(id=name), value=None, simple=1):
                    return [self.declare(node, name, node.annotation)]
                case ast.AnnAssign(target=ast.Subscript(value=ast.Name(id=name)) as target, value=None):
                    return [self.declare_member(node, name, target.slice, node.annotation)]
                case ast.Assign(targets=[ast.Name(id=name)]):
                    return [self.define(node, name, node.value)]
                case ast.Assign(targets=[ast.Subscript(value=ast.Name(id=name)) as target]):
                    return [self.define_member(node, name, target.slice, node.value)]
                case ast.FunctionDef():
                    return [self.function(node)]
                case ast.Assert(test=ast.Compare(ops=[ast.GtE() | ast.Gt()])):
                    return [self.least(node)]
                case ast.Assert(test=ast.Call(func=ast.Name(id="latex")) as call):
                    return self.in_latex(node, call, negated=False)
                case ast.Assert(test=ast.UnaryOp(op=ast.Not(), operand=ast.Call(func=ast.Name(id="latex")) as call)):
                    return self.in_latex(node, call, negated=True)
                case ast.Assert():
                    return [self.claim(node)]
                case ast.For(target=ast.Name(id=name), orelse=[]):
                    range_, _ = self.range(name, node.iter)
                    self.not_empty(node.iter, range_)
                    with self.inside(range_), self.announced(node.body):
                        return [s for inner in node.body for s in self.statement(inner)]
                case ast.With(items=[ast.withitem(context_expr=ast.Call() as call, optional_vars=None)]):
                    return self.under(call, node.body)
                case ast.Expr(value=ast.Call(func=ast.Name(id="code")) as call):
                    return [self.code(node, call)]
                case ast.Expr(value=ast.Call(func=ast.Name(id="table"))):
                    return [self.tabled(node)]
                case ast.Expr(value=ast.Compare(ops=[ast.Eq()])):
                    self.refuse(
                        node, "an equation alone says nothing", "a claim begins with assert; a definition has one ="
                    )
                case ast.Expr(value=ast.Lambda()):
                    self.refuse(node, "lambda cannot be a name", LAMBDA)
                case ast.Expr():
                    expr = self.read(node.value)
                    return [self.said("show", node, exprs=(expr,), text=ast.unparse(node.value))]
        except SymderivError as err:
            raise err.at(self.place(node)) from None
        said = _SAID.get(type(node), f"this use of {type(node).__name__}")
        self.refuse(node, f"{said} is not part of the statement language")

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

    def under(self, call: ast.Call, body: list[ast.stmt]) -> list[Statement]:
        """Return what is said under a hypothesis or an approximation."""
        match call:
            case ast.Call(func=ast.Name(id="given"), args=conditions, keywords=[]) if conditions:
                new = [self.hypothesis(c) for c in conditions]
                self.given += new
                try:
                    return [s for inner in body for s in self.statement(inner)]
                finally:
                    del self.given[len(self.given) - len(new) :]
            case ast.Call(func=ast.Name(id="neglecting"), args=[_] | [_, _]):
                self.neglected.append(self.neglect(call))
                try:
                    return [s for inner in body for s in self.statement(inner)]
                finally:
                    self.neglected.pop()
        self.refuse(call, "a with block is one of given(…) or neglecting(…)")

    def hypothesis(self, node: ast.expr) -> Given:
        """Return `left == right` or an inequality as a hypothesis."""
        if not (isinstance(node, ast.Compare) and len(node.ops) == 1 and type(node.ops[0]) in HYPOTHESES):
            self.refuse(node, "a hypothesis is an equation or an inequality", "write given(A @ B == B @ A)")
        left, right = self.read(node.left), self.read(node.comparators[0])
        if left.shape != right.shape and right.rank:
            shapes = {"left": dims.written(left.shape), "right": dims.written(right.shape)}
            raise ShapeError("the two sides of a hypothesis need equal shapes", place=self.place(node), shapes=shapes)
        return Given(HYPOTHESES[type(node.ops[0])], left, right, ast.unparse(node))

    def neglect(self, call: ast.Call) -> Neglected:
        """Return the term that counts as 0, with its condition and its reason."""
        because = ""
        for k in call.keywords:
            if k.arg != "because" or not (isinstance(k.value, ast.Constant) and isinstance(k.value.value, str)):
                self.refuse(call, "neglecting takes a term, a condition and because=", 'because="residuals are small"')
            because = k.value.value
        apart: tuple[str, str] | None = None
        if len(call.args) == 2:
            match call.args[1]:
                case ast.Compare(left=ast.Name() as i, ops=[ast.NotEq()], comparators=[ast.Name() as j]):
                    apart = (self.index_name(i), self.index_name(j))
                case _:
                    self.refuse(call.args[1], "the condition is that two indices differ", "write k != k_")
        return Neglected(self.read(call.args[0]), apart, because, ast.unparse(call.args[0]))

    def least(self, node: ast.Assert) -> Statement:
        """Return a hypothesis about an integer parameter: `assert T >= 2`."""
        match node.test:
            case ast.Compare(left=ast.Name(id=name), ops=[ast.GtE() | ast.Gt() as op], comparators=[bound]):
                low = self.integer(bound, "the least value of a parameter") + isinstance(op, ast.Gt)
                if self.claimed:
                    self.refuse(node, "a hypothesis stands before the claims that it is one of", "put it first")
                if name not in self.scope.sizes:
                    if self.names.taken(name):
                        self.refuse(
                            node.test, f"{name} is no integer parameter", "write assert T >= 2, T the end of a range"
                        )
                    self.scope.sizes[name] = dims.symbol(name)
                self.families.least[name] = max(low, self.families.least.get(name, low))
                return self.said("least", node, name=name, text=ast.unparse(node.test))
        self.refuse(node.test, "a claim is one equation, left == right")

    def code(self, node: ast.stmt, call: ast.Call) -> Statement:
        """Return a request for checked code: `code(expr, …, cost=…)`."""
        label, cost = "", None
        for k in call.keywords:
            if k.arg == "label" and isinstance(k.value, ast.Constant) and isinstance(k.value.value, str):
                label = k.value.value
            elif k.arg == "cost":
                self.whole_number(k.value)  # made of sizes
                cost = self.read(k.value)
            else:
                self.refuse(call, "code takes expressions, and cost= and label=", 'write code(diff(E, W), label="L2")')
        if not call.args:
            self.refuse(call, "code takes the expressions to be computed", "write code(diff(E, W))")
        exprs = tuple(self.read(a) for a in call.args)
        return self.said("code", node, exprs=exprs, label=label, cost=cost, text=ast.unparse(call))

    def tabled(self, node: ast.stmt) -> Statement:
        """Return a request for a table of numbers: `table(expr, …, minimum=(E, w), sizes={N: 8}, label="…")`."""
        assert isinstance(node, ast.Expr) and isinstance(node.value, ast.Call)
        call, label = node.value, ""
        minimum: tuple[Expr, ...] = ()
        sizes: list[tuple[str, int]] = []
        for k in call.keywords:
            match k:
                case ast.keyword(arg="label", value=ast.Constant(value=str(text))):
                    label = text
                case ast.keyword(arg="minimum", value=ast.Tuple(elts=[_, _, *_] as parts)):
                    minimum = tuple(self.read(part) for part in parts)
                case ast.keyword(arg="sizes", value=ast.Dict(keys=keys, values=values)):
                    sizes += [(self.size_name(n), self.integer(v, "a size")) for n, v in zip(keys, values, strict=True)]
                case _:
                    hint = 'write table(diff(E, w, w), minimum=(E, w), sizes={N: 8}, label="H25")'
                    self.refuse(call, "table takes expressions, and minimum=, sizes= and label=", hint)
        if not call.args:
            self.refuse(call, "table takes the expressions to be computed", "write table(diff(E, W), sizes={n: 3})")
        if minimum and (minimum[0].rank or any(w.op != "var" for w in minimum[1:])):
            self.refuse(call, "a number is minimised, in declared arrays", "write minimum=(E, w1, w2)")
        exprs = tuple(self.read(a) for a in call.args)
        if len({e.shape for e in exprs}) > 1:
            shapes = {f"column {n}": dims.written(e.shape) for n, e in enumerate(exprs, start=1)}
            raise ShapeError("the columns of a table need equal shapes", place=self.place(call), shapes=shapes)
        text = ast.unparse(call)
        return self.said("table", node, exprs=exprs, label=label, minimum=minimum, sizes=tuple(sizes), text=text)

    def size_name(self, node: ast.expr | None) -> str:
        """Return the name of a size that gets a value."""
        if isinstance(node, ast.Name) and node.id in self.scope.sizes:
            return node.id
        self.refuse(node or ast.Constant(None), "sizes= gives values to sizes by name", "write sizes={N: 8}")

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
        self.scope.calls[node.name] = _called
        return self.said("function", node, name=node.name, text=ast.unparse(node))

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
        error, self.claimed = None, True
        sides: tuple[Expr, ...] = ()
        try:
            sides = self.sides(test)
        except ShapeError as err:
            if not negative:
                raise
            error = err
        text = ast.unparse(test)
        return self.said("claim", node, exprs=sides, label=label, negated=negative, text=text, error=error)

    def in_latex(self, node: ast.Assert, call: ast.Call, negated: bool) -> list[Statement]:
        r"""Return the claims of `assert latex(r"a = b = c"), "L2"`: L2.1 and L2.2, one for each equality."""
        match call:
            case ast.Call(args=[ast.Constant(value=str(text)) as constant], keywords=[]):
                within = self.raw_text(constant, text)
            case _:
                self.refuse(call, "latex takes one text", 'write assert latex(r"\\frac{\\partial E}{\\partial b} = c")')
        found = read_chains(text, self, self.names.display, self.file, within)
        if negated and len(found) > 1:
            self.refuse(call, "which of these equalities is wrong?", "one equality stands under not")
        return [self.equality(node, e, k if len(found) > 1 else 0, negated) for k, e in enumerate(found, 1)]

    def equality(self, node: ast.Assert, e: Equality, number: int, negated: bool) -> Statement:
        """Return one equality of a chain as a claim."""
        msg = node.msg
        if number and isinstance(msg, ast.Constant) and isinstance(msg.value, str) and msg.value.strip():
            first, *rest = msg.value.split(" ", 1)
            msg = ast.copy_location(ast.Constant(value=" ".join([f"{first}.{number}", *rest])), msg)
        error = e.error or e.misfit
        if e.test is None or error is not None:
            if not negated or not isinstance(error, ShapeError):
                raise error or UnsupportedError("this equality is not read", place=e.place)
            label = msg.value if isinstance(msg, ast.Constant) and isinstance(msg.value, str) else ""
            self.claimed = True
            return self.said("claim", node, label=label, negated=True, text=str(e), error=error)
        test: ast.expr = ast.UnaryOp(op=ast.Not(), operand=e.test) if negated else e.test
        return self.claim(ast.copy_location(ast.Assert(test=ast.copy_location(test, e.test), msg=msg), e.test))

    def raw_text(self, constant: ast.Constant, text: str) -> Within:
        r"""Return where the inside of a text stands; it is a raw one, or `\f` would have another meaning."""
        place = self.place(constant)
        lines = self.text.split("\n")
        last = constant.end_lineno or place.line
        typed = "\n".join(lines[place.line - 1 : last])[place.column :]
        opening = re.match("[rR](\"{3}|'{3}|\"|')", typed)
        if opening is None or typed[opening.end() : opening.end() + len(text)] != text:
            self.refuse(constant, "LaTeX stands in one raw text", 'write r"…", or r""" before lines of their own """')
        return Within(self.text, place.line, place.column + opening.end())

    def sides(self, test: ast.Compare) -> tuple[Expr, Expr]:
        left, right = self.read(test.left), self.read(test.comparators[0])
        if left.shape != right.shape:
            raise ShapeError(
                "the two sides of a claim need equal shapes",
                place=self.place(test),
                shapes={"left": dims.written(left.shape), "right": dims.written(right.shape)},
                hint=OF_DERIVATIVES if _differentiates(test) else "",
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


Argument = Expr | Label | str
MOST_CALLS = 10_000
HYPOTHESES: dict[type[ast.cmpop], str] = {
    ast.Eq: "==", ast.NotEq: "!=", ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=",
}  # fmt: skip
RESERVED = frozenset(
    [
        *KNOWN,
        "diff",
        "partial",
        "delta",
        "directional",
        "block",
        "given",
        "neglecting",
        "code",
        "table",
        "range",
        "index",
        "latex",
    ]
)
OF_DERIVATIVES = "a derivative has the shape of the function followed by the shape of each variable"
_SAID: dict[type[ast.stmt], str] = {
    ast.For: "a loop over anything but one name", ast.With: "this with block", ast.If: "a branch", ast.While: "a loop",
    ast.Import: "an import", ast.ImportFrom: "an import", ast.Delete: "del", ast.ClassDef: "a class",
    ast.AugAssign: "an augmented assignment", ast.AnnAssign: "a declaration with a value",
    ast.Assign: "an assignment to several names, or to a part of one", ast.Pass: "pass", ast.Return: "return",
    ast.Raise: "raise", ast.Try: "try", ast.Global: "global", ast.AsyncFunctionDef: "an asynchronous function",
}  # fmt: skip


def _a_shape(name: str, annotation: ast.expr) -> str:
    """Return how a declaration is written that gives no shape."""
    if isinstance(annotation, ast.Name):
        return f"an array with one axis is {name}: ({annotation.id},) and a number is {name}: ()"
    return "write x: (n,), X: (n, m), s: () or S: symmetric(n, n)"


def _differentiates(node: ast.expr) -> bool:
    return any(isinstance(part, ast.Name) and part.id in ("diff", "partial") for part in ast.walk(node))


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


def _called(parser: Parser, node: ast.Call) -> Expr:
    assert isinstance(parser, BlockReader) and isinstance(node.func, ast.Name)
    return parser.called(node, parser.names.functions[node.func.id])


def _function_derivative(parser: Parser, node: ast.Call) -> Expr:
    """`diff(h)(a)` and `diff(h, 2)(a)`: the derivative of a function, at an argument."""
    inner = node.func
    assert isinstance(inner, ast.Call) and isinstance(parser, BlockReader)
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
