"""What a member acts on: all members and definitions whose value may change with it, and perhaps some more.

A definition h[t] = f(h[t-1], …) carries every label of an interval of h one further, those of x[t] to the same
label of h.  From a member, or from all members of an interval, the intervals of all families are carried along
the texts until they grow no more; an end that keeps growing is left open.  So a member outside of what was
found does not depend on the first one: it is constant.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import sympy

from symderiv import dims
from symderiv.families import Bounds, Label
from symderiv.windows.dependence import Dependence, Key, Reference, Text

MOST_CHANGES = 3  # of an end of an interval, before it is left open


@dataclass(frozen=True)
class Interval:
    """The labels from `low` to `high`; None where there is no such end."""

    low: Label | None = None
    high: Label | None = None

    def shifted(self, by: Label) -> Interval:
        """Return the interval with all labels raised."""
        return Interval(
            None if self.low is None else sympy.expand(self.low + by),
            None if self.high is None else sympy.expand(self.high + by),
        )

    def excludes(self, label: Label, bounds: Bounds) -> bool:
        """Tell whether a label certainly lies outside."""
        below = self.low is not None and bounds.certain(self.low - label - 1) is True
        return below or (self.high is not None and bounds.certain(label - self.high - 1) is True)

    def joined(self, other: Interval, bounds: Bounds) -> Interval:
        """Return the least interval known to hold both."""
        return Interval(_least(self.low, other.low, bounds, 1), _least(self.high, other.high, bounds, -1))


def _least(one: Label | None, other: Label | None, bounds: Bounds, sign: int) -> Label | None:
    """Return the lesser of two lower ends (of two upper ones the greater, with sign −1); None where it is not known."""
    if one is None or other is None:
        return None
    if bounds.certain(sign * (other - one)):
        return one
    return other if bounds.certain(sign * (one - other)) else None


def single(label: Label | None) -> Interval:
    """Return the interval of one label; that of a plain name is everything."""
    return Interval() if label is None else Interval(label, label)


def acted_on(dependence: Dependence, starts: Iterable[tuple[str, Interval]], bounds: Bounds) -> dict[str, Interval]:
    """Return the labels of each family, and the plain names, that members act on."""
    found: dict[str, Interval] = {}
    changes: dict[str, int] = {}
    stack = list(starts)
    while stack:
        name, interval = stack.pop()
        for text in dependence.texts:
            for reference in text.references:
                if reference.key.name != name:
                    continue
                new = carried(text, reference, interval)
                old = found.get(text.name)
                whole = new if old is None else old.joined(new, bounds)
                if whole == old:
                    continue
                changes[text.name] = changes.get(text.name, 0) + 1
                if old is not None and changes[text.name] > MOST_CHANGES:
                    whole = Interval(
                        whole.low if whole.low == old.low else None, whole.high if whole.high == old.high else None
                    )
                found[text.name] = whole
                stack.append((text.name, whole))
    return found


def carried(text: Text, reference: Reference, interval: Interval) -> Interval:
    """Return the labels of the members of a text that name a label of an interval by a reference."""
    case = text.case
    if case is None:
        return Interval()
    whole = Interval(case.low, case.high)
    if not case.variable or reference.key.label is None:
        return whole
    variable = dims.symbol(case.variable)
    rest = sympy.expand(reference.key.label - variable)
    if variable in rest.free_symbols or any(r.symbol in rest.free_symbols for r in reference.ranges):
        return whole
    moved = interval.shifted(sympy.expand(case.shift - rest))
    return Interval(whole.low if moved.low is None else moved.low, whole.high if moved.high is None else moved.high)


@dataclass(frozen=True)
class Reach:
    """What a key acts on."""

    found: dict[str, Interval]
    bounds: Bounds

    def meets(self, key: Key, bounds: Bounds | None = None) -> bool:
        """Tell whether a key may be among what is acted on; `bounds` know more of its label."""
        interval = self.found.get(key.name)
        return interval is not None and (key.label is None or not interval.excludes(key.label, bounds or self.bounds))


def reach_of(dependence: Dependence, key: Key, bounds: Bounds) -> Reach:
    r"""Return what a key acts on.

    >>> from symderiv.statements.block import Names, read_block
    >>> names = Names()
    >>> text = "h[0]: (n,)\nfor t in range(1, T + 1):\n    h[t] = tanh(h[t-1])"
    >>> _ = read_block(text, names)
    >>> found = reach_of(Dependence(names), Key("h", sympy.Integer(1)), Bounds())
    >>> found.meets(Key("h", sympy.Integer(1))), found.meets(Key("h", sympy.Integer(2)))
    (False, True)
    """
    return Reach(acted_on(dependence, [(key.name, single(key.label))], bounds), bounds)
