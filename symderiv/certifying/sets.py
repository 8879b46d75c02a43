"""Sets of members that show what does not act on what, found when the check asks for them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any

from symderiv.check.claims import Instance, Window
from symderiv.check.families import FamilyProof
from symderiv.check.labels import Interval, Member
from symderiv.check.paths import Closed, Reference, Sheet
from symderiv.check.shown import Shown
from symderiv.check.system import System
from symderiv.check.terms import RefusedError
from symderiv.families import Bounds as Known
from symderiv.families import Label
from symderiv.families import Range as Stretch
from symderiv.statements.block import Names
from symderiv.windows.dependence import Dependence, Key, UndecidedError
from symderiv.windows.dependence import Text as Named
from symderiv.windows.reach import acted_on, single
from symderiv.windows.window import MOST_MEMBERS


def with_sets(proof: FamilyProof, names: Names) -> FamilyProof:
    """Return a proof with the sets of members that its check asks for."""
    sheet = Sheet(proof.cases, proof.alphabet)
    windows = []
    for window, instance in zip(proof.windows, proof.instances(), strict=True):
        try:
            windows.append(with_set(proof, sheet, replace(window, affine=()), instance, names))
        except RefusedError:
            if not window.affine:
                raise
            windows.append(with_set(proof, sheet, window, instance, names))
    whole = FamilyProof(proof.claim, proof.cases, proof.ranks, proof.alphabet, tuple(windows), proof.downward)
    whole.check(steps=False)
    return whole


def with_set(proof: FamilyProof, sheet: Sheet, window: Window, instance: Instance, names: Names) -> Window:
    """Return a window with the sets of members that its check asks for."""
    found: dict[tuple[str, str], Closed] = {}
    shown = Shown(proof.claim, sheet, window, instance)
    shown.system_of = lambda *args: _Asking(found, names, *args)
    shown.check()
    return replace(window, closed=found)


class _Past(Dependence):
    """The arrows between definitions, but for those that lead to some names."""

    def __init__(self, names: Names, gone: set[str]) -> None:
        super().__init__(names)
        self.gone = gone

    @cached_property
    def texts(self) -> list[Named]:
        """Return every definition that is left."""
        return [t for t in super().texts if t.name not in self.gone]


class _Asking(System):
    """A window under examination that finds the sets it is asked for."""

    def __init__(self, found: dict[tuple[str, str], Closed], names: Names, *args: Any) -> None:
        self.found, self.dependence = found, Dependence(names)
        super().__init__(*args)
        self.closed = found

    def separated(
        self, moved: Member, x: str, target: Reference, name: str, cut: Sequence[Member], gone: Sequence[Label] = ()
    ) -> None:
        """Note a set that shows what is asked, and go on as the check does."""
        if (x, name) not in self.found:
            self.found[(x, name)] = self.set_for(moved, cut)
        self.closed = self.found
        super().separated(moved, x, target, name, cut, gone)

    def set_for(self, moved: Member, cut: Sequence[Member]) -> Closed:
        """Return the members that one acts on past a cut: one by one, or as intervals where there are many."""
        bounds = Known(tuple(Stretch(r.variable, r.low, r.high) for r in self.bounds.ranges), dict(self.bounds.least))
        start = Key(moved.name, moved.label)
        try:
            return self.one_by_one(start, {Key(m.name, m.label) for m in cut}, bounds)
        except UndecidedError:
            closed: dict[str, tuple[Interval, ...]] = {moved.name: (Interval(moved.label, moved.label),)}
            dependence = _Past(self.dependence.names, {m.name for m in cut})
            for name, i in acted_on(dependence, [(moved.name, single(moved.label))], bounds).items():
                closed[name] = (*closed.get(name, ()), Interval(i.low, i.high))
            return {n: i for n, i in closed.items() if n in self.sheet.cases}

    def one_by_one(self, start: Key, cut: set[Key], bounds: Known) -> Closed:
        """Return the members that one acts on, each by itself."""
        found: dict[Key, None] = {start: None}
        stack = [start]
        while stack:
            for parent in self.dependence.parents(stack.pop(), bounds):
                if parent.key.name not in self.sheet.cases or parent.key in cut or parent.key in found:
                    continue
                if parent.range is not None or len(found) > MOST_MEMBERS:
                    raise UndecidedError("too many members")
                found[parent.key] = None
                stack.append(parent.key)
        closed: dict[str, tuple[Interval, ...]] = {}
        for key in found:
            closed[key.name] = (*closed.get(key.name, ()), Interval(key.label, key.label))
        return closed
