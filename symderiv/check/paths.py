r"""What a sheet defines, and which members act on which, for all lengths.

A *sheet* is a list of cases: `h[t]` for t = low … high is declared, or has a text that names other members. Draw an
arrow from each member to those whose text names it. A *path* from x to F is a chain of arrows; x acts on F if there is
one (x acts on itself). A set C *separates* x from F if every path from x to F meets C. Then

    F = Φ(C, R),   where nothing in R changes with x:

put the texts in, from F downward, down to C and to what is declared; x itself is not met on the way. With C = ∅ this
says that F does not change with x.

That C separates x from F is shown by a set M of members, given as intervals of labels: x lies in it, F does not, and
a member whose text names one of M lies in M or in C. No more is checked, and nothing is looked for.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from symderiv.check.alphabet import Alphabet, Kept, Ranged, heads_in
from symderiv.check.labels import Bounds, Interval, Label, Member, Range, difference, put, symbol, whole
from symderiv.check.terms import derivatives, require
from symderiv.index.nodes import Definition, Index, Tensor

Closed = Mapping[str, Sequence[Interval]]


@dataclass(frozen=True)
class Case:
    """The members `name[variable]` for low ≤ variable ≤ high; a single one has no variable, an array no label.

    What has no `body` is declared.
    """

    name: str
    head: Tensor
    indices: tuple[Index, ...] = ()
    body: Any = None
    definitions: Mapping[str, Definition] = field(default_factory=dict)
    traits: frozenset[str] = frozenset()
    variable: str = ""
    low: Label | None = None
    high: Label | None = None

    def values(self, label: Label | None) -> dict[Any, Any]:
        """Return what the variable is for a member."""
        return {symbol(self.variable): label} if self.variable else {}

    @property
    def own(self) -> Label | None:
        """Return the label, in the variable."""
        return symbol(self.variable) if self.variable else self.low


@dataclass(frozen=True)
class Reference:
    """A member that a text names, inside of sums over ranges."""

    member: Member
    ranges: tuple[Range, ...] = ()


class Sheet:
    """The cases of a sheet and what their texts name."""

    def __init__(self, cases: Sequence[Case], alphabet: Alphabet) -> None:
        self.alphabet = alphabet
        self.cases: dict[str, list[Case]] = {}
        for case in cases:
            self.cases.setdefault(case.name, []).append(case)
        self.named = {id(c): self.references(c.body, c.definitions) if c.body is not None else [] for c in cases}
        self.of_derivatives = frozenset(c.name for c in cases if c.body is not None and self.differentiates(c))

    def differentiates(self, case: Case) -> bool:
        """Tell whether a text holds a derivative: it is no function of the values of what it names."""
        seen: set[str] = set()
        stack = [(case.body, case.definitions)]
        while stack:
            text, own = stack.pop()
            if derivatives(text):
                return True
            for name in {t.name for t in heads_in(text)} - seen:
                seen.add(name)
                found, definition = self.alphabet.heads.get(name), own.get(name)
                if isinstance(found, Kept):
                    return True
                if isinstance(found, Ranged):
                    stack.append((found.body, found.definitions))
                elif definition is not None and not self.alphabet.is_array(name):
                    if definition.kind == "derivative":
                        return True
                    parts = [definition.body] if definition.body is not None else definition.arguments
                    stack += [(part, own) for part in parts]
        return False

    def references(self, expr: Any, definitions: Mapping[str, Definition]) -> list[Reference]:
        """Return the members and arrays that an expression names."""
        return list(dict.fromkeys(self._named(expr, definitions, (), 0)))

    def _named(
        self, expr: Any, definitions: Mapping[str, Definition], ranges: tuple[Range, ...], depth: int
    ) -> Iterator[Reference]:
        require(depth < 200, "texts run in a circle")
        for head in dict.fromkeys(heads_in(expr)):
            found = self.alphabet.heads.get(head.name)
            definition = definitions.get(head.name)
            if isinstance(found, Kept):
                for part in (found.of, found.x, *found.held):
                    yield from self._named(part, definitions, ranges, depth + 1)
            elif isinstance(found, Ranged):
                yield from self._named(found.body, found.definitions, (*ranges, found.range), depth + 1)
            elif definition is None or self.alphabet.is_array(head.name):
                yield Reference(self.alphabet.member(head.name), ranges)
            else:
                parts = [definition.body] if definition.body is not None else list(definition.arguments)
                for part in parts:
                    yield from self._named(part, definitions, ranges, depth + 1)

    def below(self, names: Collection[str]) -> set[str]:
        """Return the names of all that something is made of, itself among them."""
        found: set[str] = set()
        stack = list(names)
        while stack:
            name = stack.pop()
            if name not in found:
                found.add(name)
                stack += [r.member.name for c in self.cases.get(name, []) for r in self.named[id(c)]]
        return found

    def functions(self, definitions: Mapping[str, Definition]) -> frozenset[str]:
        """Return the names of the unknown functions of the sheet, and of a claim with these definitions."""
        tables = [c.definitions for cases in self.cases.values() for c in cases]
        tables += [m.definitions for m in self.alphabet.heads.values() if isinstance(m, Ranged)]
        found = [d for table in (definitions, *tables) for d in table.values()]
        return frozenset(d.function for d in found if d.kind == "unknown")

    # -- members

    def case(self, member: Member, bounds: Bounds) -> Case | None:
        """Return the case that a member certainly belongs to; nothing for an array that is declared nowhere."""
        for case in self.cases.get(member.name, []):
            if member.label is None or case.low is None or bounds.between(case.low, member.label, case.high):
                require((member.label is None) == (case.low is None), f"{member.name} is a family in one place only")
                return case
        return None

    def exists(self, member: Member, bounds: Bounds) -> bool:
        """Tell whether a member certainly is one of its family."""
        if member.label is None:
            return True
        cases = [(c.low, c.high) for c in self.cases.get(member.name, [])]
        return any(bounds.between(low, member.label, high) for low, high in whole(cases, bounds))

    def may_be(self, member: Member, bounds: Bounds) -> list[Case]:
        """Return the cases that a member may belong to."""
        cases = self.cases.get(member.name, [])
        if member.label is None:
            return cases
        return [c for c in cases if not bounds.outside(Interval(c.low, c.high), member.label)]

    def is_declared(self, member: Member, bounds: Bounds) -> bool:
        """Tell whether a member certainly has no text: nothing else acts on it."""
        return all(c.body is None for c in self.may_be(member, bounds))

    def has(self, member: Member, traits: frozenset[str], bounds: Bounds) -> bool:
        """Tell whether a member is declared with traits, whatever case it belongs to."""
        cases = self.may_be(member, bounds)
        return bool(cases) and all(c.body is None and traits <= c.traits for c in cases)

    # -- separation

    def separated(self, x: Member, target: Reference, cut: Closed, closed: Closed, bounds: Bounds) -> None:
        """Refuse unless a closed set shows that the cut separates x from the target, or from each under its range."""
        self.apart(x, target, closed, bounds)
        if cut:
            hidden = self.below([target.member.name]) & self.of_derivatives
            require(not hidden, f"{', '.join(sorted(hidden))} is a derivative, and no function of the cut")
        require(self.inside(x, closed, bounds), f"{x} is not in the set that is to hold it")
        self.closed_under(closed, cut, bounds)

    def apart(self, x: Member, target: Reference, closed: Closed, bounds: Bounds) -> None:
        """Refuse a closed set that may hold the target, or one under its ranges."""
        ranges, change = unnamed(target.ranges)
        beyond = bounds.within(*ranges)
        require(self.is_apart(target.member.at(change), closed, beyond), f"{x} may act on {target.member}")

    def closed_under(self, closed: Closed, cut: Closed, bounds: Bounds) -> None:
        """Refuse a set of members that a text leads out of, but for those of the cut."""
        for cases in self.cases.values():
            for case in cases:
                for reference in self.named[id(case)]:
                    self.carried(case, reference, cut, closed, bounds)

    def inside(self, member: Member, closed: Closed, bounds: Bounds) -> bool:
        """Tell whether a member certainly lies in a closed set."""
        found = closed.get(member.name, ())
        return bool(found) if member.label is None else any(bounds.holds(i, member.label, member.label) for i in found)

    def is_apart(self, member: Member, closed: Closed, bounds: Bounds) -> bool:
        """Tell whether a member certainly lies outside of a closed set."""
        found = closed.get(member.name, ())
        return not found if member.label is None else all(bounds.outside(i, member.label) for i in found)

    def carried(self, case: Case, reference: Reference, cut: Closed, closed: Closed, bounds: Bounds) -> None:
        """Refuse a closed set that a text leads out of."""
        name, stays = reference.member.name, cut.get(case.name, ())
        single = [i.low for i in stays if i.low is not None and i.low == i.high]
        for interval in closed.get(name, ()):
            low, high = self.naming(case, reference, interval)
            if case.low is None:
                outside = low is not None and high is not None and bounds.certain(difference(low, high) - 1)
                ends = bool(closed.get(case.name)) or bool(stays) or outside
                require(ends or self.never(case, reference, interval, bounds), f"{name} acts on {case.name} besides")
                continue
            low = case.low if low is None or bounds.certain(difference(case.low, low)) else low
            high = case.high if high is None or bounds.certain(difference(high, case.high)) else high
            while low is not None and low in single and bounds.certain(difference(high, low)):
                low = put(low + 1, {})
            while high is not None and high in single and bounds.certain(difference(high, low)):
                high = put(high - 1, {})
            empty = bounds.certain(difference(low, high) - 1)
            outside = bounds.certain(difference(case.low, high) - 1) or bounds.certain(difference(low, case.high) - 1)
            held = any(bounds.holds(i, low, high) for i in (*closed.get(case.name, ()), *stays))
            message = f"{name} acts on {case.name}[{low} … {high}] besides"
            require(empty or outside or held or self.never(case, reference, interval, bounds), message)

    def naming(self, case: Case, reference: Reference, interval: Interval) -> tuple[Label | None, Label | None]:
        """Return the labels between which all members of a case lie whose text names one of an interval."""
        label = reference.member.label
        if label is None or not case.variable:
            return None, None
        variable = symbol(case.variable)
        shift = difference(label, variable)
        if shift.free_symbols & {variable, *(r.symbol for r in reference.ranges)}:
            return None, None
        low, high = interval.low, interval.high
        return (
            None if low is None else difference(low, shift),
            None if high is None else difference(high, shift),
        )

    def never(self, case: Case, reference: Reference, interval: Interval, bounds: Bounds) -> bool:
        """Tell whether a text certainly names none of an interval, whatever its variables are in their ranges."""
        if reference.member.label is None:
            return False
        own = [Range(case.variable, case.low, case.high)] if case.variable else []
        ranges, change = unnamed([*own, *reference.ranges])
        return bounds.within(*ranges).outside(interval, put(reference.member.label, change))


def unnamed(ranges: Sequence[Range]) -> tuple[list[Range], dict[Any, Any]]:
    """Return nested ranges with variables that stand nowhere else, and what became of the old ones."""
    found: list[Range] = []
    change: dict[Any, Any] = {}
    for k, r in enumerate(ranges):
        new = Range(f"§{k}", put(r.low, change), put(r.high, change))
        change[r.symbol] = new.symbol
        found.append(new)
    return found, change
