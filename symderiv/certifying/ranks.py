"""An order in which the members of a sheet can be computed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from symderiv.check.claims import Rank
from symderiv.check.labels import Bounds, Range, difference, put
from symderiv.check.paths import Case, Sheet, unnamed
from symderiv.errors import UnsupportedError


def ranked(cases: Sequence[Case], sheet: Sheet, bounds: Bounds) -> tuple[Rank, ...]:
    """Return an order in which the members can be computed: stages of cases that name each other."""
    named: list[list[tuple[int, Any]]] = []
    for case in cases:
        own = [Range(case.variable, case.low, case.high)] if case.variable else []
        found: list[tuple[int, Any]] = []
        for r in sheet.named[id(case)]:
            ranges, change = unnamed([*own, *r.ranges])
            label = None if r.member.label is None else put(r.member.label, change)
            inside = bounds.within(*ranges)
            for k, other in enumerate(cases):
                if other.name != r.member.name:
                    continue
                if label is not None and inside.outside_of(other.low, other.high, label):
                    continue
                at = None if case.own is None or label is None else difference(put(case.own, change), label)
                found.append((k, at))
        named.append(found)
    reach = [_reached(k, named) for k in range(len(cases))]
    groups = [frozenset(j for j in reach[k] if k in reach[j]) | {k} for k in range(len(cases))]
    stages = _heights({k: {j for i in groups[k] for j, _ in named[i]} - groups[k] for k in range(len(cases))}, groups)
    ranks = []
    for k, group in enumerate(groups):
        steps = [(i, j, at) for i in group for j, at in named[i] if j in group]
        down = any(at is not None and at.is_Integer and at < 0 for _, _, at in steps)
        level = {i: {j for a, j, at in steps if a == i and at == 0} for i in group}
        places = _heights(level, [frozenset([i]) for i in range(len(cases))])
        ranks.append(Rank(stages[k], -1 if down else 1, places[k]))
    return tuple(ranks)


def _reached(start: int, named: Sequence[Sequence[tuple[int, Any]]]) -> set[int]:
    found: set[int] = set()
    stack = [start]
    while stack:
        for j, _ in named[stack.pop()]:
            if j not in found:
                found.add(j)
                stack.append(j)
    return found


def _heights(below: Mapping[int, set[int]], groups: Sequence[frozenset[int]]) -> dict[int, int]:
    """Return the length of the longest way down from each; those of one group are level."""
    found: dict[int, int] = {}

    def height(k: int, depth: int) -> int:
        if k not in found:
            if depth > len(below):
                raise UnsupportedError("the definitions of the sheet run in a circle")
            found[k] = 1 + max((height(j, depth + 1) for i in groups[k] if i in below for j in below[i]), default=-1)
        return found[k]

    for k in below:
        height(k, 0)
    return found
