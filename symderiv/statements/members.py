"""Members of families in expressions: `h[t-1]`, sums and ordered products over explicit ranges.

What a member stands for depends on the *world* that an expression is read in.  In the open world a member
is an array of its own, `h[t - 1]`; that is how claims are read and printed.  Other worlds unroll a family
at given lengths, or open a window around one member (see `worlds` and `windows`).
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from itertools import count

import sympy

from symderiv import dims
from symderiv.dims import Size
from symderiv.errors import ShapeError, UnsupportedError
from symderiv.families import Bounds, Label, Range, is_linear, member_name, shifted
from symderiv.tensor.expr import Axes, Expr, defined, has_labels
from symderiv.tensor.operations import apply
from symderiv.tensor.parse import Parser, Scope, size

RANGED = ("range_sum", "range_prod")


@dataclass(frozen=True)
class Case:
    """The members of a family over one range: declared, or defined by one body for all of them.

    In the body, `variable` (the loop's) is the label less `shift`; a single member has no variable.
    """

    low: Label
    high: Label
    axes: Axes
    traits: frozenset[str] = frozenset()
    variable: str = ""
    shift: Label = sympy.S.Zero
    body: ast.expr | None = None
    label_of: Size | None = None  # the members are subscripts of this range

    def binding(self, label: Label) -> dict[Label, Label]:
        """Return the value of the loop's variable for a member."""
        return {dims.symbol(self.variable): sympy.expand(label - self.shift)} if self.variable else {}


@dataclass
class Family:
    """Arrays of one name, told apart by a label."""

    name: str
    cases: list[Case] = field(default_factory=list)

    def whole(self, bounds: Bounds, *more: Case) -> list[Range]:
        """Return the ranges of all cases, those that touch joined."""
        found: list[Range] = []
        for case in (*self.cases, *more):
            new = Range("", case.low, case.high)
            for old in found:
                if bounds.certain(new.low - old.high - 1) and bounds.certain(old.high + 1 - new.low):
                    new = Range("", old.low, new.high)
                elif bounds.certain(old.low - new.high - 1) and bounds.certain(new.high + 1 - old.low):
                    new = Range("", new.low, old.high)
                else:
                    continue
                found.remove(old)
                break
            found.append(new)
        return found


class World:
    """The open world: each member is an array of its own."""

    def member(self, reader: MemberReader, family: Family, label: Label) -> Expr:
        """Return what a member stands for."""
        return opened(reader, family, label)

    def case(self, reader: MemberReader, family: Family, label: Label) -> Case:
        """Return the case that a member belongs to."""
        return reader.case(family, label)

    def plain(self, reader: MemberReader, name: str) -> Expr | None:
        """Return what a name stands for in this world, None where it is the same in all."""
        return None

    def ranged(self, reader: MemberReader, kind: str, range_: Range, backward: bool, body: ast.expr) -> Expr:
        """Return a sum or an ordered product over a range."""
        with reader.inside(range_):
            inner = reader.read(body)
        check_product(kind, inner)
        return Expr(kind, (inner,), (range_.variable, range_.low, range_.high, backward), inner.axes)

    def power(self, reader: MemberReader, whole: Expr) -> Expr:
        """Return a power of symbolic exponent."""
        return whole


def written_shape(axes: Axes) -> str:
    """Return a shape as errors show it."""
    return dims.written(Expr("var", (), ("", frozenset()), axes).shape)


def check_product(kind: str, inner: Expr) -> None:
    """Refuse an ordered product of what is no square matrix and no number."""
    if kind == "range_prod" and inner.rank and (inner.rank != 2 or inner.axes[0] != inner.axes[1]):
        raise ShapeError(
            "an ordered product is one of square matrices, or of numbers",
            shapes={"factor": dims.written(inner.shape)},
            hint="for rectangles of different shapes write the product out",
        )


def opened(reader: MemberReader, family: Family, label: Label) -> Expr:
    """Return a member as an array of its own."""
    case = reader.case(family, label)
    name = member_name(family.name, label)
    axes = reader.axes_at(case, label)
    return Expr("var", (), (name, case.traits), axes)


@dataclass
class Families:
    """What the statements so far say of families and integer parameters."""

    table: dict[str, Family] = field(default_factory=dict)
    parameters: list[Range] = field(default_factory=list)  # `tau: integer(0, T)`
    least: dict[str, int] = field(default_factory=dict)
    sizes: dict[Size, tuple[str, Label]] = field(default_factory=dict)  # `n[l]`, the widths of layers
    dependent: dict[str, ast.expr] = field(default_factory=dict)  # plain names whose text names members
    labels: dict[str, Size] = field(default_factory=dict)  # `y: index(m)`


class MemberReader(Parser):
    """Reads expressions that name members; `world` says what they stand for."""

    families: Families
    world: World

    def __init__(self, text: str, scope: Scope, source: str = "") -> None:
        super().__init__(text, scope, source)
        self.ranges: list[Range] = []
        self.integers: dict[str, Label] = {}
        self.defining: list[tuple[str, Case]] = []  # whose body is being read: it may name other members

    @property
    def bounds(self) -> Bounds:
        """Return what is known of the parameters here."""
        return Bounds((*self.families.parameters, *self.ranges), self.families.least)

    @contextmanager
    def inside(self, *ranges: Range) -> Iterator[None]:
        """Read inside of ranges: their variables are integers."""
        integers = dict(self.integers)
        self.integers |= {r.variable: r.symbol for r in ranges}
        self.ranges += ranges
        try:
            yield
        finally:
            del self.ranges[len(self.ranges) - len(ranges) :]
            self.integers = integers

    # -- labels

    def label(self, node: ast.expr) -> Label:
        """Return a label: linear in integers, loop variables and parameters."""
        value = self.integer_or_none(node)
        if value is None:
            hint = "write h[t], h[t - 1] or h[T], with t of a for loop or declared as t: integer(1, T)"
            self.refuse(node, "the member of a family is told by an integer", hint)
        if not is_linear(value):
            self.refuse(node, f"{ast.unparse(node)} is not linear in the loop variables", "write t + 1, T - t or 2*t")
        return value

    def integer_or_none(self, node: ast.expr) -> Label | None:
        """Return an integer expression as a label, None where it is no such thing."""
        match node:
            case ast.Constant() if type(node.value) is int and abs(node.value) < 10**6:
                return sympy.Integer(node.value)
            case ast.Name() if node.id in self.integers:
                return self.integers[node.id]
            case ast.Name() if node.id in self.scope.sizes:
                return self.scope.sizes[node.id]
            case ast.UnaryOp(op=ast.USub()):
                inner = self.integer_or_none(node.operand)
                return None if inner is None else sympy.expand(-inner)
            case ast.BinOp(op=ast.Add() | ast.Sub() | ast.Mult()):
                left, right = self.integer_or_none(node.left), self.integer_or_none(node.right)
                if left is None or right is None:
                    return None
                op = node.op
                value = (
                    left + right
                    if isinstance(op, ast.Add)
                    else left - right
                    if isinstance(op, ast.Sub)
                    else left * right
                )
                return sympy.expand(value)
        return None

    def bound(self, node: ast.expr) -> Label:
        """Return an end of a range; a name that is new there becomes an integer parameter."""
        for part in ast.walk(node):
            if isinstance(part, ast.Name) and part.id not in self.integers and part.id not in self.scope.sizes:
                if part.id in self.scope.names or part.id in self.families.table:
                    self.refuse(part, f"{part.id} is no integer", "an end of a range is made of integer parameters")
                self.scope.sizes[part.id] = dims.symbol(part.id)
        return self.label(node)

    def range(self, variable: str, node: ast.expr) -> tuple[Range, bool]:
        """Return `range(low, high + 1)` or `range(high, low - 1, -1)`, and whether it runs backward."""
        match node:
            case ast.Call(func=ast.Name(id="range"), args=[stop], keywords=[]):
                low, high, step = sympy.Integer(0), self.bound(stop) - 1, 1
            case ast.Call(func=ast.Name(id="range"), args=[start, stop], keywords=[]):
                low, high, step = self.bound(start), self.bound(stop) - 1, 1
            case ast.Call(func=ast.Name(id="range"), args=[start, stop, by], keywords=[]):
                step = self.integer(by, "the step of a range")
                if step not in (1, -1):
                    self.refuse(by, "a range goes up or down by 1", "write range(1, T + 1) or range(T, 0, -1)")
                low, high = self.bound(start), self.bound(stop) - step
                low, high = (low, high) if step == 1 else (high, low)
            case _:
                self.refuse(node, "a loop runs over a range", "write range(1, T + 1)")
        if variable in self.integers or variable in self.scope.sizes or variable in self.scope.names:
            self.refuse(node, f"{variable} has a meaning already", "take another letter for the loop")
        return Range(variable, sympy.expand(low), sympy.expand(high)), step == -1

    def not_empty(self, node: ast.expr, range_: Range) -> None:
        """Refuse a range that holds nothing, whatever its parameters are."""
        if self.bounds.certain(range_.low - range_.high - 1):
            message = f"{range_.variable} has no value: from {range_.low} to {range_.high}"
            self.refuse(node, message, "range(1, T + 1) runs from 1 to T, range(T, 0, -1) from T to 1")

    # -- members

    def case(self, family: Family, label: Label) -> Case:
        """Return the case that a member belongs to; an error where it may lie outside of all."""
        bounds = self.bounds
        for case in family.cases:
            if bounds.contains(Range("", case.low, case.high), label):
                return case
        if family.cases and any(bounds.certain(r.low - r.high - 1) for r in self.ranges):
            return family.cases[0]  # a term of an empty sum or product: only its shape matters
        more = [case for name, case in self.defining if name == family.name]
        if not family.cases or not any(bounds.contains(whole, label) for whole in family.whole(bounds, *more)):
            known = ", ".join(f"{c.low} … {c.high}" if c.low != c.high else str(c.low) for c in family.cases)
            raise UnsupportedError(
                f"{member_name(family.name, label)} may lie outside of the members of {family.name}",
                hint=f"declared or defined are {known or 'none'}; narrow the loop's range, or say what the others are",
            )
        return self.common(family, label)

    def common(self, family: Family, label: Label) -> Case:
        """Return what holds for all cases that a member may belong to: one shape, and the properties that all have."""
        bounds = self.bounds
        cases = [c for c in family.cases if bounds.contains(Range("", c.low, c.high), label) is not False]
        if not cases:  # it is being defined, and no other case holds it
            what = f"{member_name(family.name, label)} has no meaning yet where it is defined"
            raise UnsupportedError(what, hint=f"a definition names members before its own, such as {family.name}[t-1]")
        first, *more = cases
        axes = self.axes_at(first, label)
        for other in more:
            if self.axes_at(other, label) != axes:
                shapes = {f"{family.name}[{c.low}]": written_shape(c.axes) for c in (first, other)}
                message = f"members of {family.name} that {member_name(family.name, label)} stands for differ in shape"
                raise ShapeError(message, shapes=shapes, hint="give all members one shape, or widths n[t]")
        return replace(first, traits=first.traits.intersection(*(c.traits for c in more)))

    def axes_at(self, case: Case, label: Label) -> Axes:
        """Return the axes of a member: those of its case, widths of layers taken at its label."""
        values = case.binding(label)
        if not case.variable and label != case.low:  # a single member stands for its neighbours: widths go along
            moved = {s: at for s, (_, at) in self.families.sizes.items()}
            change = {
                s: self.width(self.families.sizes[s][0], sympy.expand(at - case.low + label)) for s, at in moved.items()
            }
            return tuple(tuple(s.xreplace(change) for s in axis) for axis in case.axes)
        return tuple(tuple(self.size_at(s, values) for s in axis) for axis in case.axes)

    def size_at(self, value: Size, values: dict[Label, Label]) -> Size:
        """Return a size with the widths of layers taken at a label."""
        change = {}
        for symbol in value.free_symbols:
            if symbol in self.families.sizes and values:
                name, label = self.families.sizes[symbol]
                change[symbol] = self.width(name, shifted(label, values))
        return value.xreplace(change) if change else value

    def width(self, name: str, label: Label) -> Size:
        """Return the size `n[l]`."""
        symbol = dims.symbol(member_name(name, label))
        self.families.sizes[symbol] = (name, label)
        return symbol

    def name(self, node: ast.Name) -> Expr:
        """Return what a name stands for; an integer is a number."""
        if node.id in self.integers:
            return size(self.integers[node.id])
        if node.id in self.families.table:
            self.refuse(node, f"{node.id} is a family", f"write {node.id}[t] for a member of it")
        found = self.world.plain(self, node.id) if node.id in self.families.dependent else None
        return found if found is not None else super().name(node)

    def subscript(self, node: ast.Subscript) -> Expr:
        """Return a member, or what else a subscript gives."""
        if not isinstance(node.value, ast.Name) or node.value.id not in self.families.table:
            return super().subscript(node)
        family = self.families.table[node.value.id]
        parts = list(node.slice.elts) if isinstance(node.slice, ast.Tuple) else [node.slice]
        if family.cases and family.cases[0].label_of is not None:
            self.refuse(
                node, f"{ast.unparse(node)} is a subscript, not an array", "write A[k, y[t]] or eye(m)[y[t], :]"
            )
        member = self.world.member(self, family, self.label(parts[0]))
        return self.entry(node, member, parts[1:]) if len(parts) > 1 else member

    def index_name(self, part: ast.expr) -> str:
        """Return the name of an index; a label `y[t]` is one."""
        match part:
            case ast.Subscript(value=ast.Name(id=name), slice=inner) if name in self.families.table:
                family = self.families.table[name]
                if family.cases[0].label_of is None:
                    self.refuse(part, f"{name} is a family of arrays, and no subscript", f"declare {name}[t]: index(m)")
                label = self.label(inner)
                self.world.case(self, family, label)
                return member_name(name, label)
        if isinstance(part, ast.Name) and part.id in self.integers:
            self.refuse(part, f"{part.id} is an integer of a range and cannot be an index", "take another letter")
        return super().index_name(part)

    def call_matrix_power(self, node: ast.Call, args: list[ast.expr]) -> Expr:
        """Return a power; one of symbolic exponent is what the world says."""
        found = super().call_matrix_power(node, args)
        exponent = found.data[0]
        if isinstance(exponent, int) or not exponent.free_symbols:
            return found
        return self.world.power(self, found)

    def natural_numbers(self, tree: ast.expr) -> None:
        """Take new names in exponents as natural numbers; the variables of ranges are known."""
        bound = {*self.integers}
        for node in ast.walk(tree):
            if isinstance(node, ast.comprehension) and isinstance(node.target, ast.Name):
                bound.add(node.target.id)
        before = set(self.scope.sizes)
        super().natural_numbers(tree)
        for name in bound - before:
            self.scope.sizes.pop(name, None)

    def whole_number(self, node: ast.expr) -> Size:
        """Return an integer made of literals, sizes and the variables of ranges."""
        value = self.integer_or_none(node)
        return value if value is not None else super().whole_number(node)

    # -- sums and products over ranges

    def call(self, node: ast.Call) -> Expr:
        """Return `sum(… for s in range(…))` and `prod(…)`, or what else a call gives."""
        match node:
            case ast.Call(
                func=ast.Name(id="sum" | "prod" as name), args=[ast.GeneratorExp() as generator], keywords=[]
            ):
                return self.over_range(node, f"range_{name}", generator)
        if any(isinstance(a, ast.GeneratorExp) for a in node.args):
            self.refuse(node, "only sum and prod run over a range", "write sum(b[s] for s in range(1, t + 1))")
        return super().call(node)

    def over_range(self, node: ast.Call, kind: str, generator: ast.GeneratorExp) -> Expr:
        """Return a sum or product over one range, or over several, the first outermost."""
        first, *more = generator.generators
        if not isinstance(first.target, ast.Name) or first.ifs or first.is_async:
            self.refuse(node, "a range binds one variable", "write sum(b[s] for s in range(1, t + 1))")
        variable = first.target.id
        if variable in self.integers and type(self.world) is not World:  # read again inside of a claim's own range
            variable, generator = self.renamed(variable, generator)
            first, *more = generator.generators
        range_, backward = self.range(variable, first.iter)
        body: ast.expr = generator.elt
        if more:
            inner = ast.GeneratorExp(elt=generator.elt, generators=more)
            body = ast.copy_location(ast.Call(func=node.func, args=[inner], keywords=[]), node)
        return self.world.ranged(self, kind, range_, backward, body)

    def renamed(self, variable: str, generator: ast.GeneratorExp) -> tuple[str, ast.GeneratorExp]:
        """Return a generator with its first variable renamed, so that one around it is not caught."""
        new = next(f"{variable}_{k}" for k in count(1) if f"{variable}_{k}" not in self.integers)
        changed = copy.deepcopy(generator)
        inner = [changed.elt, *(part for g in changed.generators[1:] for part in (g.iter, *g.ifs))]
        for node in (n for tree in inner for n in ast.walk(tree)):
            if isinstance(node, ast.Name) and node.id == variable:
                node.id = new
        return new, changed


def closed(name: str, body: Expr) -> Expr:
    """Return a definition; one that holds a label (`p[y[t]]`) stands for its text at once, like a call."""
    return Expr("called", (body,), (name,), body.axes) if has_labels(body) else defined(name, body)


def unrolled(kind: str, terms: list[Expr], like: Expr) -> Expr:
    """Return a sum or an ordered product of finitely many terms; an empty one has the shape of `like`.

    >>> from symderiv.tensor.parse import variable
    >>> A, B = variable("A", ("n", "n")), variable("B", ("n", "n"))
    >>> unrolled("range_prod", [A, B], A).op, unrolled("range_prod", [], A).op
    ('matmul', 'eye')
    """
    if not terms:
        return empty(kind, like)
    result = terms[0]
    for term in terms[1:]:
        op = "add" if kind == "range_sum" else "matmul" if term.rank else "mul"
        result = apply(op, result, term)
    return result


def empty(kind: str, like: Expr) -> Expr:
    """Return the sum or the product of no terms."""
    from_number = sympy.Integer(0 if kind == "range_sum" else 1)
    if not like.rank:
        return size(from_number)
    if kind == "range_prod":
        return apply("eye", data=(like.shape[0],))
    return apply("zeros", data=(like.shape,))
