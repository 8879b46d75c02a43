"""Reading statements over: at given lengths, where families are ordinary definitions.

A claim about families is read again from its syntax tree, in a world that says what members, sums and
products over ranges stand for.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import replace

import sympy

from symderiv.errors import UnsupportedError
from symderiv.families import Label, Range, member_name, shifted
from symderiv.statements.block import BlockReader, Names
from symderiv.statements.members import Case, Family, MemberReader, World, closed, unrolled
from symderiv.tensor.expr import Expr

LONGEST = 64


def reader_in(world: World, names: Names, integers: Mapping[str, Label]) -> BlockReader:
    """Return a reader of expressions in a world; what it names stays its own."""
    scope = replace(names.scope, names=dict(names.scope.names), sizes=dict(names.scope.sizes))
    reader = BlockReader("", replace(names, scope=scope), "", world)
    reader.integers = dict(integers)
    return reader


class Unrolled(World):
    """Every integer parameter has a value; members are variables and definitions, each made once."""

    def __init__(self, names: Names, values: Mapping[Label, Label]) -> None:
        self.names, self.values = names, dict(values)
        self.made: dict[str, Expr] = {}
        self.open: list[str] = []

    def reader(self, more: Mapping[Label, Label] | None = None) -> BlockReader:
        """Return a reader with the parameters' values, and those of some variables."""
        values = {**self.values, **(more or {})}
        return reader_in(self, self.names, {str(k): v for k, v in values.items()})

    def member(self, reader: MemberReader, family: Family, label: Label) -> Expr:
        """Return a member: a variable, or a definition with its text read at this label."""
        name = member_name(family.name, label)
        if name not in self.made:
            case = self.case(reader, family, label)
            if case.body is None:
                self.made[name] = Expr("var", (), (name, case.traits), reader.axes_at(case, label))
            else:
                self.made[name] = self.define(name, case.body, case.binding(label))
        return self.made[name]

    def case(self, reader: MemberReader, family: Family, label: Label) -> Case:
        """Return the case of a member."""
        for case in family.cases:
            if shifted(case.low, self.values) <= label <= shifted(case.high, self.values):
                return case
        raise UnsupportedError(f"{member_name(family.name, label)} lies outside of the members of {family.name}")

    def define(self, name: str, body: ast.expr, more: Mapping[Label, Label]) -> Expr:
        """Return a definition read in this world."""
        if name in self.open or len(self.open) > LONGEST:
            raise UnsupportedError(f"{name} is defined by itself", hint="a recurrence starts with a member of its own")
        self.open.append(name)
        try:
            return closed(name, self.reader(more).read(body))
        finally:
            self.open.pop()

    def plain(self, reader: MemberReader, name: str) -> Expr:
        """Return a definition whose text names members."""
        if name not in self.made:
            self.made[name] = self.define(name, self.names.families.dependent[name], {})
        return self.made[name]

    def ranged(self, reader: MemberReader, kind: str, range_: Range, backward: bool, body: ast.expr) -> Expr:
        """Return a sum or product written out; an empty one takes its shape from the term before the range."""
        low, high = shifted(range_.low, self.values), shifted(range_.high, self.values)
        if not (low.is_Integer and high.is_Integer):
            raise UnsupportedError(f"the ends of the range of {range_.variable} have no value here")
        labels = list(range(int(low), int(high) + 1))
        if len(labels) > LONGEST:
            raise UnsupportedError(f"a range of more than {LONGEST} members is not written out")
        integers = reader.integers
        terms = []
        try:
            for k in reversed(labels) if backward else labels:
                reader.integers = {**integers, range_.variable: sympy.Integer(k)}
                terms.append(reader.read(body))
        finally:
            reader.integers = integers
        return unrolled(kind, terms, terms[0] if terms else self.like(range_, body))

    def like(self, range_: Range, body: ast.expr) -> Expr:
        """Return a term of an empty range in the open world: only its shape is used."""
        reader = reader_in(_Anywhere(), self.names, {str(k): v for k, v in self.values.items()})
        with reader.inside(Range(range_.variable, sympy.Integer(1), sympy.Integer(1))):
            return reader.read(body)


class _Anywhere(World):
    """Members without a look at their ranges: for shapes only."""

    def member(self, reader: MemberReader, family: Family, label: Label) -> Expr:
        """Return an array of the family's shape."""
        case = family.cases[0]
        return Expr("var", (), (member_name(family.name, label), case.traits), reader.axes_at(case, label))
