"""What names what: the graph of members and definitions, with symbolic labels.

A definition `h[t] = f(h[t-1], …)` for t = 1 … T is an arrow from h[t-1] to h[t] for every t.  The *parents*
of h[κ], the members whose own text names it, are found by solving for the loop's variable: the text names
h[r(t)] with r linear, so r(t) = κ gives t, and that member is a parent where it lies in its range.  A
definition outside of loops that names h[s] for all s of a range is a parent where κ lies in that range.  A
plain array that a loop's text names has all members of the loop as parents.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property

import sympy

from symderiv import dims, trees
from symderiv.errors import UnsupportedError
from symderiv.families import Bounds, Label, Range, member_name, shifted, solved
from symderiv.statements.block import Names
from symderiv.statements.members import RANGED, Case, World
from symderiv.statements.worlds import reader_in
from symderiv.tensor.expr import Expr


class UndecidedError(UnsupportedError):
    """Whether one member depends on another cannot be told from the ranges alone."""


@dataclass(frozen=True)
class Key:
    """A member of a family, or (without a label) a plain array or definition."""

    name: str
    label: Label | None = None

    def __str__(self) -> str:
        return self.name if self.label is None else member_name(self.name, self.label)

    def shifted(self, values: dict[Label, Label]) -> Key:
        """Return the key with labels put in for parameters."""
        return self if self.label is None else Key(self.name, shifted(self.label, values))


@dataclass(frozen=True)
class Reference:
    """That a text names a key, inside of sums or products over ranges."""

    key: Key
    ranges: tuple[Range, ...] = ()


@dataclass(frozen=True)
class Parent:
    """A key whose text names another; with a range, all members with a label in it."""

    key: Key
    range: Range | None = None


@dataclass(frozen=True)
class Text:
    """The text of a definition: of a plain name, or of all members of a case."""

    name: str
    case: Case | None
    references: tuple[Reference, ...]

    @property
    def label(self) -> Label | None:
        """Return the label of the member, in the loop's variable."""
        if self.case is None:
            return None
        return dims.symbol(self.case.variable) + self.case.shift if self.case.variable else self.case.low


class Dependence:
    """The arrows between the definitions of a sheet."""

    def __init__(self, names: Names) -> None:
        self.names = names

    @cached_property
    def texts(self) -> list[Text]:
        """Return every definition with what its text names."""
        found = [
            Text(family.name, case, tuple(self.named(case.body, case)))
            for family in self.names.families.table.values()
            for case in family.cases
            if case.body is not None
        ]
        for name, expr in self.names.scope.names.items():
            if expr.op == "defined":
                found.append(Text(name, None, tuple(references(expr.args[0], self.names))))
        return found

    def named(self, body: ast.expr, case: Case) -> Iterator[Reference]:
        """Yield what the text of a case names, in the open world."""
        reader = reader_in(World(), self.names, {r.variable: r.symbol for r in self.names.families.parameters})
        inner = Range(case.variable, case.low - case.shift, case.high - case.shift) if case.variable else None
        with reader.inside(*([inner] if inner else [])):
            yield from references(reader.read(body), self.names)

    def text_of(self, key: Key, bounds: Bounds) -> Text | None:
        """Return the text of a key; None for what is declared."""
        for text in self.texts:
            if text.name != key.name:
                continue
            if text.case is None or key.label is None:
                return text
            if bounds.contains(Range("", text.case.low, text.case.high), key.label):
                return text
        if key.label is not None and any(t.name == key.name for t in self.texts):
            cases = self.names.families.table[key.name].cases
            if not any(bounds.contains(Range("", c.low, c.high), key.label) for c in cases):
                raise UndecidedError(f"whether {key} is the first member cannot be told")
        return None

    def children(self, key: Key, bounds: Bounds) -> list[Reference]:
        """Return what the text of a key names."""
        text = self.text_of(key, bounds)
        if text is None:
            return []
        values = text.case.binding(key.label) if text.case is not None and key.label is not None else {}
        return [Reference(r.key.shifted(values), tuple(x.at(values) for x in r.ranges)) for r in text.references]

    def parents(self, key: Key, bounds: Bounds) -> list[Parent]:
        """Return the keys whose text names a key: all of them, or an error where that cannot be told."""
        found: dict[Parent, None] = {}
        for text in self.texts:
            for reference in text.references:
                if reference.key.name == key.name:
                    parent = self.parent(text, reference, key, bounds)
                    if parent is not None:
                        found[parent] = None
        return list(found)

    def named_by(self, key: Key) -> list[Key]:
        """Return the members that name a row of a family, whether or not they lie in their ranges."""
        found: dict[Key, None] = {}
        for text in self.texts:
            for reference in text.references:
                if reference.key.name != key.name:
                    continue
                if text.case is None or not text.case.variable or reference.key.label is None or key.label is None:
                    found[Key(text.name)] = None
                    continue
                variable = dims.symbol(text.case.variable)
                value = solved(reference.key.label, variable, key.label)
                if value is None or text.label is None:
                    raise UndecidedError(f"which members of {text.name} name {key} cannot be told")
                found[Key(text.name, shifted(text.label, {variable: value}))] = None
        return list(found)

    def parent(self, text: Text, reference: Reference, key: Key, bounds: Bounds) -> Parent | None:
        """Return the member of a text that names a key by this reference."""
        case = text.case
        loop = Range(case.variable, case.low - case.shift, case.high - case.shift) if case and case.variable else None
        if key.label is None or reference.key.label is None:
            return self.all_of(text, loop)
        label, wanted = reference.key.label, key.label
        variables = [r for r in (*([loop] if loop else []), *reference.ranges) if r.symbol in label.free_symbols]
        if not variables:
            equal = agree(label, wanted, bounds)
            if equal is None:
                raise UndecidedError(f"whether {text.name} names {key} cannot be told")
            return self.all_of(text, loop) if equal else None
        if len(variables) > 1:
            raise UndecidedError(f"whether {text.name} names {key} cannot be told")
        (one,) = variables
        fresh = replace(one, variable="")
        value = solved(label, one.symbol, wanted)
        if value is None:
            raise UndecidedError(f"whether {text.name} names {key} cannot be told")
        if one is not loop and loop is not None:
            raise UndecidedError(f"which members of {text.name} name {key} cannot be told")
        there = bounds.contains(fresh, value) if one is loop else self.under(reference, one, value, bounds)
        if there is None:
            raise UndecidedError(f"whether {text.name} names {key} cannot be told at the ends of the range")
        if not there:
            return None
        own = text.label
        return Parent(Key(text.name, None if own is None else shifted(own, {one.symbol: value} if one is loop else {})))

    def under(self, reference: Reference, one: Range, value: Label, bounds: Bounds) -> bool | None:
        """Tell whether a sum inside of others runs over a value: its ends may name the variables of those around it."""
        outer = reference.ranges[: reference.ranges.index(one)]
        own = {r.symbol: dims.symbol(f"{r.variable}_{k}_") for k, r in enumerate(outer)}
        around = [Range(str(own[r.symbol]), *(shifted(end, own) for end in (r.low, r.high))) for r in outer]
        if any(s in own for s in value.free_symbols & {r.symbol for r in reference.ranges}):
            return None
        return bounds.within(*around).contains(replace(one.at(own), variable=""), value)

    def all_of(self, text: Text, loop: Range | None) -> Parent:
        """Return all members of a text as parents, or the plain definition."""
        if loop is None or text.case is None:
            return Parent(Key(text.name, text.label))
        return Parent(Key(text.name, text.label), Range(loop.variable, loop.low, loop.high))


def agree(one: Label, other: Label, bounds: Bounds) -> bool | None:
    """Tell whether two labels are equal: always, never, or it cannot be told."""
    difference = sympy.expand(one - other)
    if difference == 0:
        return True
    if bounds.certain(difference - 1) or bounds.certain(-difference - 1):
        return False
    return None


def references(expr: Expr, names: Names) -> list[Reference]:
    """Return the members, arrays and definitions that an expression names, not looking into definitions."""
    found: dict[Reference, None] = {}
    stack: list[tuple[Expr, tuple[Range, ...]]] = [(expr, ())]
    while stack:
        node, ranges = stack.pop()
        if node.op in RANGED:
            variable, low, high, _ = node.data
            ranges = (*ranges, Range(variable, low, high))
        if node.op in ("var", "defined"):
            found[Reference(key_of(node, names), ranges)] = None
        else:
            stack += [(a, ranges) for a in node.args]
    return list(found)


def key_of(expr: Expr, names: Names) -> Key:
    """Return the key of an array of the open world."""
    return key_named(expr.name, names)


def key_named(name: str, names: Names) -> Key:
    """Return the key of a name of the open world."""
    family, bracket, label = name.partition("[")
    if not bracket or family not in names.families.table:
        return Key(name)
    reader = reader_in(World(), names, {})
    tree = trees.expression(label[:-1])
    for part in ast.walk(tree):
        if isinstance(part, ast.Name):
            reader.integers[part.id] = dims.symbol(part.id)
    return Key(family, reader.label(tree))
