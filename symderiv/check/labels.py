"""Labels of members, and what is certain about them for all lengths.

A label is linear in integers: `t - 1`, `T`, `0`.  The variables of a claim lie in nested ranges, whose ends may name
those around them; what no range binds is an integer of at least its declared value.  Whether `e ≥ 0` always holds is
found by putting in, innermost range first, the end at which a linear e is least.  What cannot be told so is not told.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import sympy

from symderiv.check.terms import require

Label: TypeAlias = Any
Values: TypeAlias = Mapping[Any, Any]


def symbol(name: str) -> Label:
    """Return a variable of labels, or a length: the same one that sizes are made of."""
    return sympy.Symbol(name, integer=True, positive=True)


ROW = symbol("_")


@dataclass(frozen=True)
class Member:
    """A member of a family, `h[t - 1]`; an array of its own has no label."""

    name: str
    label: Label | None = None

    def __str__(self) -> str:
        return self.name if self.label is None else f"{self.name}[{self.label}]"

    @property
    def is_row(self) -> bool:
        """Tell whether it stands for all rows of a stack: h[_] for h[1] … h[T]."""
        return self.label is not None and ROW in self.label.free_symbols

    def at(self, values: Values) -> Member:
        """Return the member with labels put in for variables."""
        return self if self.label is None else Member(self.name, put(self.label, values))


@dataclass(frozen=True)
class Interval:
    """The labels from `low` to `high`, both included; None where there is no such end."""

    low: Label | None = None
    high: Label | None = None


@dataclass(frozen=True)
class Range:
    """`variable` runs from `low` to `high`, both included."""

    variable: str
    low: Label
    high: Label

    @property
    def symbol(self) -> Any:
        """Return the variable as a label."""
        return symbol(self.variable)

    def at(self, values: Values) -> Range:
        """Return the range with labels put in for variables."""
        return Range(self.variable, put(self.low, values), put(self.high, values))


def put(label: Label, values: Values) -> Label:
    """Return a label with others put in for its variables, all at once.

    >>> t = symbol("t")
    >>> put(t + 1, {t: t - 1})
    t
    """
    return sympy.expand(label.xreplace(dict(values)))


def difference(one: Label, other: Label) -> Label:
    """Return `one - other`, worked out."""
    return sympy.expand(one - other)


@dataclass(frozen=True)
class Bounds:
    """Nested ranges, outermost first, and the least values of what no range binds.

    >>> t, T = symbol("t"), symbol("T")
    >>> bounds = Bounds((Range("t", sympy.Integer(1), T - 1),), {"T": 1})
    >>> bounds.certain(T - t - 1), bounds.certain(T - t - 2)
    (True, False)
    """

    ranges: tuple[Range, ...] = ()
    least: Mapping[str, int] = field(default_factory=dict)

    def check(self) -> None:
        """Refuse ranges that are not nested: an end names the variables of ranges around it only, each bound once."""
        names = [r.variable for r in self.ranges]
        require(len(set(names)) == len(names), "two ranges bind one variable")
        for k, r in enumerate(self.ranges):
            for end in (r.low, r.high):
                named = {str(s) for s in end.free_symbols}
                require(not named & set(names[k:]), f"the range of {r.variable} is not nested")
                require(is_linear(end), f"the end {end} of a range is not linear")

    def within(self, *more: Range) -> Bounds:
        """Return the bounds inside of further ranges."""
        return Bounds((*self.ranges, *more), self.least)

    def certain(self, value: Label) -> bool:
        """Tell whether `value ≥ 0` for all that its variables may be; False too where that cannot be told."""
        value = sympy.expand(value)
        for r in reversed(self.ranges):
            slope = value.coeff(r.symbol)
            if not slope.is_Integer:
                return False
            value = sympy.expand(value.xreplace({r.symbol: r.low if slope > 0 else r.high}))
        for s in sorted(value.free_symbols, key=str):
            slope = value.coeff(s)
            if not (slope.is_Integer and slope > 0 and str(s) in self.least):
                return False
            value = sympy.expand(value.xreplace({s: sympy.Integer(self.least[str(s)])}))
        return bool(value.is_Integer and value >= 0)

    def apart(self, one: Label, other: Label) -> bool:
        """Tell whether two labels are certainly different."""
        gap = difference(one, other)
        return self.certain(gap - 1) or self.certain(-gap - 1)

    def between(self, low: Label, label: Label, high: Label) -> bool:
        """Tell whether a label certainly lies between two others, both included."""
        return self.certain(label - low) and self.certain(high - label)

    def outside(self, interval: Interval, label: Label) -> bool:
        """Tell whether a label certainly lies outside of an interval."""
        below = interval.low is not None and self.certain(interval.low - label - 1)
        return below or (interval.high is not None and self.certain(label - interval.high - 1))

    def outside_of(self, low: Label | None, high: Label | None, label: Label) -> bool:
        """Tell whether a label certainly lies outside of the labels from one to another."""
        return self.outside(Interval(low, high), label)

    def holds(self, interval: Interval, low: Label, high: Label) -> bool:
        """Tell whether an interval certainly holds the labels from one to another."""
        below = interval.low is None or self.certain(low - interval.low)
        return below and (interval.high is None or self.certain(interval.high - high))


def is_linear(label: Label) -> bool:
    """Tell whether a label is linear in letters, with integers as coefficients.

    >>> t = symbol("t")
    >>> is_linear(2 * t - 1), is_linear(t * t), is_linear(t / 2)
    (True, False, False)
    """
    if not isinstance(label, sympy.Expr) or not all(str(s).isidentifier() for s in label.free_symbols):
        return False
    pairs = [term.as_coeff_Mul() for term in sympy.Add.make_args(sympy.expand(label))]
    return all(c.is_Integer and (rest == 1 or rest.is_Symbol) for c, rest in pairs)


def whole(parts: Iterable[tuple[Label, Label]], bounds: Bounds) -> list[tuple[Label, Label]]:
    """Return ranges with those joined that touch."""
    found: list[tuple[Label, Label]] = []
    for low, high in parts:
        touching = [p for p in found if difference(p[1] + 1, low) == 0 or difference(high + 1, p[0]) == 0]
        for p in touching:
            found.remove(p)
            low, high = (p[0], high) if difference(p[1] + 1, low) == 0 else (low, p[1])
        found.append((low, high))
    return found
