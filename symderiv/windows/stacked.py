"""Stacked windows: a claim about a parameter that all members of a range name.

Where a parameter is named by all members of a range, the window is *stacked*: a[1], …, a[N] are the rows of
one array, each member that their texts name, but for those that lie on the way to F, is a variable (it may
itself depend on the parameter: that is the business of its own member of the cut).  This is the chain rule
through the members in which the parameter itself stands; it holds for first derivatives.

The rows differ by the members that they name, and by nothing else: the number of a row in a factor, a size, a
subscript or the end of a sum would be one number for all rows, and in a sum over all rows inside of a row both
would be called by one name.  Such texts are refused.

The label of row p is p plus a constant; it is written `h[_ - 1]`, with `_` for p.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import sympy

from symderiv import dims
from symderiv.families import Bounds, Label, Range, shifted
from symderiv.index.indexed import At
from symderiv.lift import lift
from symderiv.lower import index_ranges, lower
from symderiv.statements.block import BlockReader
from symderiv.statements.meaning import meaning
from symderiv.statements.members import MemberReader
from symderiv.tensor.expr import Expr, defined, replaced, walk
from symderiv.windows.dependence import Key, UndecidedError, references
from symderiv.windows.window import Window

POSITION = dims.symbol("_")


def row_of(range_: Range) -> Label:
    """Return the label of row `_` of a range: that of row 1 is its lower end."""
    return sympy.expand(POSITION + range_.low - 1)


def is_row_key(key: Key) -> bool:
    """Tell whether a key is the row of a stack."""
    return key.label is not None and POSITION in key.label.free_symbols


def rows_are_numbers(window: Window, exprs: Iterable[Expr]) -> bool:
    """Tell whether the number of a row stands in expressions otherwise than as the label of an array.

    In t·x[t], in the width n[t] or the subscript y[t] it is another one in each row; a stack has none such.
    """
    widths = {str(s) for s, (_, label) in window.names.families.sizes.items() if POSITION in label.free_symbols}
    marks = {str(POSITION), *widths}
    for e in walk(*exprs):
        data = e.data[1:] if e.op in ("var", "defined", "called", "unknown") else e.data
        symbols = {str(s) for part in flat((data, e.axes)) if isinstance(part, sympy.Basic) for s in part.free_symbols}
        if symbols & marks or any(isinstance(p, str) and in_brackets(p) for p in flat(data)):
            return True
        if e.op == "var" and e.name in window.opaque and in_brackets(e.name):
            return True
    return False


def flat(data: object) -> Iterator[object]:
    """Yield what stands in nested tuples."""
    if isinstance(data, tuple | list | frozenset):
        for part in data:
            yield from flat(part)
    else:
        yield data


def in_brackets(text: str) -> bool:
    """Tell whether a text names the row."""
    return re.search(r"(?<!\w)_(?!\w)", text) is not None


@dataclass
class Stacked(Window):
    """A window whose families are stacked over one range."""

    length: Label = field(default=sympy.Integer(1))
    index: str = ""  # the name of the row index in what is being read

    @property
    def inner(self) -> Bounds:
        """Return what is known, with the row in its range."""
        return self.bounds.within(Range(str(POSITION), sympy.Integer(1), self.length))

    def label_at(self, label: Label, position: Label | int) -> Label:
        """Return the label of a row of given number."""
        return shifted(label, {POSITION: position + sympy.S.Zero})

    def holds(self, row: Key, label: Label) -> bool:
        """Tell whether a label is certainly that of one of the rows."""
        assert row.label is not None
        low, high = self.label_at(row.label, 1), self.label_at(row.label, self.length)
        return self.bounds.contains(Range("", low, high), label) is True

    def ends(self, family: str, label: Label) -> bool:
        """Tell whether a family has no members past the last row."""
        last = self.label_at(label, self.length)
        whole = self.names.families.table[family].whole(self.bounds)
        return all(self.bounds.certain(last - w.high) is True for w in whole)

    def stands_for(self, reader: MemberReader, key: Key) -> Expr:
        """Return a key; a row of a stacked family is an entry of it."""
        found = super().stands_for(reader, key)
        if key.label is None or POSITION not in key.label.free_symbols:
            return found
        names = (self.index, *([None] * (found.rank - 1)))
        return Expr("entry", (found,), names, found.axes[1:])

    def apart(self, key: Key) -> None:
        """Rows of one family at different labels are held apart: nothing is to be told."""

    def leaf(self, reader: MemberReader, key: Key) -> Expr:
        """Return a variable, with an axis for the rows where it is stacked."""
        if key.label is None or POSITION not in key.label.free_symbols:
            return super().leaf(reader, key)
        family = self.names.families.table[key.name]
        case = family.cases[-1]
        axes = reader.axes_at(case, key.label)
        return Expr("var", (), (str(key), frozenset()), ((self.length,), *axes))

    def define(self, key: Key) -> Expr:
        """Return a definition; one that is stacked is read at a row and then taken for all."""
        if key.label is None or POSITION not in key.label.free_symbols:
            return super().define(key)
        text = self.dependence.text_of(key, self.inner)
        assert text is not None and text.case is not None and text.case.body is not None
        outer, self.index = self.index, text.case.variable
        self.open.append(key)
        try:
            reader = self.reader()
            reader.integers |= {str(k): v for k, v in text.case.binding(key.label).items()}
            body = reader.read(text.case.body)
            return defined(str(key), self.all_rows(body))
        finally:
            self.open.pop()
            self.index = outer

    def all_rows(self, body: Expr) -> Expr:
        """Return the array whose rows are given."""
        body = self.functions_of_rows(body)
        if self.is_row(body):
            return body.args[0]
        ranges = {**index_ranges(body), self.index: (self.length,)}
        array = lower(body, meaning(ranges), ranges)
        tokens: list[tuple[object, ...]] = []
        for k, axis in enumerate(array.axes):
            tokens.append(tuple(("row", k, n) for n in range(len(axis))))
        flat = [atom for token in tokens for atom in token]
        sizes: dict[object, Label] = {self.index: self.length}
        sizes |= {
            atom: size
            for token, axis in zip(tokens, array.axes, strict=True)
            for atom, size in zip(token, axis, strict=True)
        }
        value: At = array[tokens]
        return lift(value.over((self.index, *flat), sizes), ((self.length,), *body.axes))

    def is_row(self, expr: Expr) -> bool:
        """Tell whether an expression is the row of an array."""
        return expr.op == "entry" and expr.data[0] == self.index and not any(expr.data[1:])

    def functions_of_rows(self, body: Expr) -> Expr:
        """Return a text with unknown functions of rows, `f(x[n], w)`, as rows of functions of the whole, `f(x, w)[n]`.

        That such a row depends on its own row of x only is forgotten: what holds for all functions holds for these.
        """
        change: dict[Expr, Expr] = {}
        for e in walk(body):
            if e.op == "unknown" and any(map(self.moves, e.args)):
                args = tuple(self.all_rows(replaced(a, change)) if self.moves(a) else a for a in e.args)
                whole = Expr("unknown", args, e.data, ((self.length,), *e.axes))
                change[e] = Expr("entry", (whole,), (self.index, *([None] * e.rank)), e.axes)
        return replaced(body, change) if change else body

    def moves(self, expr: Expr) -> bool:
        """Tell whether an expression differs from row to row."""
        return any(e.op == "entry" and self.index in e.data for e in walk(expr))

    def moving(self, inner: Expr, range_: Range) -> list[Label]:
        """Return no label: a sum that is not over all rows has none of them as a term."""
        found = super().moving(inner, range_)
        if found or any(
            r.key.name == k.name for r in references(inner, self.names) for k in self.between if is_row_key(k)
        ):
            raise UndecidedError(f"whether terms of a sum depend on {self.variable} cannot be told")
        return found

    def reader(self) -> BlockReader:
        """Return a reader in which the row is an integer."""
        reader = super().reader()
        reader.ranges.append(Range(str(POSITION), sympy.Integer(1), self.length))
        return reader

    def ranged(self, reader: MemberReader, kind: str, range_: Range, backward: bool, body: ast.expr) -> Expr:
        """Return a sum over all rows; any other range is one as in other windows."""
        if kind != "range_sum" or sympy.expand(range_.length - self.length) != 0:
            return super().ranged(reader, kind, range_, backward, body)
        if self.index:
            raise UndecidedError("a sum over all rows stands in a row")
        outer, self.index = self.index, range_.variable
        try:
            inner = self.term(reader, range_.variable, row_of(range_), body)
        finally:
            self.index = outer
        return Expr("sum_over", (inner,), (range_.variable,), inner.axes)
