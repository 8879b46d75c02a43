"""Families over time, layers or data: labels, ranges, and what is certain about them.

A family is an array for every member of a range: `h[t]` for t = 1 … T.  Its members are told apart by a
*label*, an integer expression that is linear in integer parameters: `t - 1`, `T`, `0`.  A range binds one
variable; the ranges around a statement are nested, so that the bounds of an inner one may name the outer
variables, but not the other way round.

Whether `e ≥ 0` holds for all values in range is decided by elimination, innermost variable first: a linear e
takes its least value at an end of each range, at the lower end where the coefficient is positive.  A
parameter that no range binds (T, a size) is an integer of at least its declared bound, 1 by default.  What
cannot be decided so is not decided.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import sympy

from symderiv import dims

Label: TypeAlias = sympy.Expr


def member_name(family: str, label: Label) -> str:
    """Return the name of a member.

    >>> member_name("h", dims.symbol("t") - 1)
    'h[t - 1]'
    """
    return f"{family}[{label}]"


@dataclass(frozen=True)
class Range:
    """`variable` runs from `low` to `high`, both included."""

    variable: str
    low: Label
    high: Label

    @property
    def symbol(self) -> Label:
        """Return the variable as a label."""
        return dims.symbol(self.variable)

    @property
    def length(self) -> Label:
        """Return the number of members."""
        return sympy.expand(self.high - self.low + 1)

    def at(self, values: Mapping[Label, Label]) -> Range:
        """Return the range with values put in for the parameters of its bounds."""
        return Range(self.variable, shifted(self.low, values), shifted(self.high, values))


def shifted(label: Label, values: Mapping[Label, Label]) -> Label:
    """Return a label with labels put in for its parameters, all at once.

    >>> t = dims.symbol("t")
    >>> shifted(t + 1, {t: t - 1})
    t
    """
    return sympy.expand(label.xreplace(dict(values)))


@dataclass(frozen=True)
class Bounds:
    """The nested ranges that a statement stands in, outermost first, and least values of the other parameters.

    >>> t, T = dims.symbol("t"), dims.symbol("T")
    >>> inside = Bounds((Range("t", sympy.Integer(1), T - 1),))
    >>> inside.certain(T - t), inside.certain(T - t - 2), inside.certain(t - 1)
    (True, None, True)
    """

    ranges: tuple[Range, ...] = ()
    least: Mapping[str, int] = field(default_factory=dict)

    def within(self, *more: Range) -> Bounds:
        """Return the bounds inside of further ranges."""
        return Bounds((*self.ranges, *more), self.least)

    def minimum(self, value: Label) -> Label | None:
        """Return a lower bound of a linear value over all that the parameters may be; None where none is known."""
        value = sympy.expand(value)
        for range_ in reversed(self.ranges):
            slope = value.coeff(range_.symbol)
            if not slope.is_Integer:
                return None
            value = sympy.expand(value.xreplace({range_.symbol: range_.low if slope > 0 else range_.high}))
        for parameter in sorted(value.free_symbols, key=str):
            if not value.coeff(parameter).is_positive:
                return None
            value = sympy.expand(value.xreplace({parameter: sympy.Integer(self.least.get(str(parameter), 1))}))
        return value if value.is_Integer else None

    def certain(self, value: Label) -> bool | None:
        """Tell whether `value ≥ 0` always (True), never (False), or cannot be told (None)."""
        low = self.minimum(value)
        if low is not None and low >= 0:
            return True
        low = self.minimum(-value - 1)
        return False if low is not None and low >= 0 else None

    def contains(self, range_: Range, label: Label) -> bool | None:
        """Tell whether a label lies in a range: always, never, or it cannot be told."""
        above, below = self.certain(label - range_.low), self.certain(range_.high - label)
        if above is False or below is False:
            return False
        return True if above and below else None


def solved(label: Label, variable: Label, wanted: Label) -> Label | None:
    """Return the value of a variable at which a linear label is the wanted one; None where no integer is.

    >>> s, t = dims.symbol("s"), dims.symbol("t")
    >>> solved(s - 1, s, t)
    t + 1
    """
    slope = sympy.expand(label).coeff(variable)
    if slope not in (1, -1):
        return None
    return sympy.expand((wanted - (label - slope * variable)) * slope)


def is_linear(label: Label) -> bool:
    """Tell whether a label is linear with integer coefficients."""
    value = sympy.expand(label)
    if not value.is_polynomial(*value.free_symbols):
        return False
    constants: Iterable[sympy.Expr] = sympy.Add.make_args(value)
    return all(
        term.as_coeff_Mul()[0].is_Integer and (term.as_coeff_Mul()[1].is_Symbol or term.as_coeff_Mul()[1] == 1)
        for term in constants
    )


def instances(ranges: Sequence[Range], values: Mapping[Label, Label]) -> list[dict[Label, Label]]:
    """Return all values of the variables of nested ranges, the parameters of their bounds being given.

    >>> T = dims.symbol("T")
    >>> outer, inner = Range("a", sympy.Integer(0), T), Range("b", dims.symbol("a"), T)
    >>> len(instances([outer, inner], {T: sympy.Integer(2)}))
    6
    """
    found = [dict(values)]
    for range_ in ranges:
        found = [
            {**one, range_.symbol: sympy.Integer(k)}
            for one in found
            for k in range(int(shifted(range_.low, one)), int(shifted(range_.high, one)) + 1)
        ]
    return found
