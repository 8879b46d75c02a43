"""What the members of a window are: texts of the sheet at their labels, unknown functions of others, or variables."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from symderiv.check.alphabet import Ranged, heads_in, same
from symderiv.check.labels import ROW, Interval, Label, Member, Range, difference, put
from symderiv.check.part import Part
from symderiv.check.paths import Closed, Reference, Sheet, unnamed
from symderiv.check.spelled import Speller
from symderiv.check.terms import ONE, derivatives, fresh, require, with_indices
from symderiv.index.nodes import Context, Definition, Derivative, Entry, IndexExpr, Tensor


@dataclass(frozen=True)
class Held:
    """What a member is in a window: its own text, or an unknown function of other members."""

    names: frozenset[str]
    is_function: bool = False


class Members:
    """The members of a window, under their spelled names, each with its text."""

    def __init__(
        self,
        sheet: Sheet,
        speller: Speller,
        part: Part,
        supposed: frozenset[str],
        functions: frozenset[str],
    ) -> None:
        self.sheet, self.speller, self.bounds = sheet, speller, speller.bounds
        self.context, self.supposed, self.user = part.context, supposed, functions
        self.held: dict[str, Held] = {}
        self.slots: dict[str, Definition] = {}
        self.functions: set[str] = set()
        self.names: dict[str, str] = {}
        self.texts: list[Any] = []
        members = {n: d for n, d in all_definitions(part.context).items() if n not in supposed}
        self.values = dict(filter(None, map(self.value_of, members.values())))
        noted = [self.note(name, definition) for name, definition in members.items()]
        for member, head, indices, text in filter(None, noted):
            self.check_text(member, head, indices, text)
        for name, traits in part.context.traits.items():
            self.check_traits(name, traits)

    # -- what the members are

    def note(self, name: str, definition: Definition) -> tuple[Member, Any, Any, Any] | None:
        """Take a definition of the window for what a member is; return its text. Others abbreviate."""
        alphabet = self.speller.alphabet
        require(not isinstance(alphabet.heads.get(name), Ranged), f"the sum {name} has a text")
        if definition.kind == "derivative":
            letters = tuple(fresh(s) for s in definition.tensor.sizes)
            definition = replace(definition, indices=letters)
        if not alphabet.is_array(name):
            return None
        member = alphabet.member(name)
        require(self.sheet.exists(member, self.bounds), f"there may be no {member}")
        entry = self.speller.array(definition.tensor, definition.indices, {})
        head, indices = entry.tensor, entry.indices
        require(head.name not in self.names, f"{name} and {self.names.get(head.name)} are one member")
        self.names[head.name] = name
        arguments = self.arguments(definition)
        if arguments is not None:
            self.held[head.name] = Held(arguments, is_function=True)
            return None
        text = self.text(definition)
        if definition.kind == "" and isinstance(definition.body, Entry):
            own = self.context.definitions.get(definition.body.tensor.name)
            if own is not None and own.kind == "unknown" and not own.axes:
                self.slots[head.name] = own
        self.held[head.name] = Held(frozenset(t.name for t in heads_in(text)))
        return member, head, indices, text

    def value_of(self, definition: Definition) -> tuple[str, Any] | None:
        """Return the unknown function whose value a member is, and the member."""
        body = definition.body
        is_array = self.speller.alphabet.is_array(definition.tensor.name)
        if definition.kind or not is_array or not isinstance(body, Entry) or body.indices != definition.indices:
            return None
        own = self.context.definitions.get(body.tensor.name)
        if own is None or own.kind != "unknown" or own.axes or own.function not in self.user:
            return None
        return self.speller.head(body.tensor, {}).name, self.speller.array(definition.tensor, body.indices, {}).tensor

    def with_derivatives(self, expr: Any) -> Any:
        """Return a text with ∂y/∂w for the slope of f in w, where y = f(w, …) names nothing else that depends on w."""
        if isinstance(expr, Entry) and expr.tensor.name in self.speller.slopes:
            whole, slot = self.speller.slopes[expr.tensor.name]
            y = self.values.get(whole)
            others = self.opened(self.speller.parts[expr.tensor.name]) - {slot.name}
            if y is None or any(self.depends(n, slot.name) for n in others):
                return expr
            rank = len(y.sizes)
            return Derivative(Entry(y, *expr.indices[:rank]), Entry(slot, *expr.indices[rank:]))
        if not isinstance(expr, IndexExpr) or isinstance(expr, (Entry, Tensor)):
            return expr
        return type(expr)(*(self.with_derivatives(a) for a in expr.args))

    def arguments(self, definition: Definition) -> frozenset[str] | None:
        """Return the members that one is an unknown function of: a function that the window made."""
        body = definition.body
        if definition.kind or not isinstance(body, Entry) or body.indices != definition.indices:
            return None
        own = self.context.definitions.get(body.tensor.name)
        if own is None or own.kind != "unknown" or own.axes or own.function in self.user:
            return None
        require(own.function not in self.functions, f"two members are one function {own.function}")
        self.functions.add(own.function)
        alphabet = self.speller.alphabet
        for a in own.arguments:
            fine = a.name not in self.supposed and not isinstance(alphabet.heads.get(a.name), Ranged)
            stands = alphabet.is_array(a.name) or a.name not in all_definitions(self.context)
            require(fine and stands, f"{definition.tensor} is a function of {a}, which is no member")
        return frozenset(self.speller.head(a, {}).name for a in own.arguments)

    def text(self, definition: Definition) -> Any:
        """Return the text of a definition of the window, spelled."""
        if definition.kind == "derivative":
            return self.speller.derivative(definition, definition.indices, {})
        require(definition.kind == "", f"{definition.tensor} is no text")
        return self.speller.expr(definition.body, {})

    def check_text(self, member: Member, head: Any, indices: Any, text: Any) -> None:
        """Refuse a text that is not the one of the sheet, at the label of the member."""
        case = self.sheet.case(member, self.bounds)
        require(case is not None and case.body is not None, f"{member} has no text in the sheet")
        assert case is not None
        speller, values = self.speller.of(case.definitions), case.values(member.label)
        there_head = speller.head(case.head, values)
        sizes = (self.speller.rows, *there_head.sizes) if member.is_row else there_head.sizes
        require(there_head.name == head.name and sizes == head.sizes, f"{member} has other sizes in the sheet")
        row, indices = (indices[0], indices[1:]) if member.is_row else (None, indices)
        own = [speller.index(i, values) for i in case.indices]
        require(len(own) == len(indices), f"{member} has other indices in the sheet")
        there = with_indices(speller.expr(case.body, values), dict(zip(own, indices, strict=True)))
        there = there if row is None else self.speller.rowed(there, row)
        if derivatives(there):
            text = self.with_derivatives(text)
        self.texts.append(text)
        require(same(there, text), f"the text of {member} is not the one of the sheet")

    def check_traits(self, name: str, traits: frozenset[str]) -> None:
        """Refuse a property that the sheet does not declare; a sum is symmetric where its terms are."""
        if not traits:
            return
        found = self.speller.alphabet.heads.get(name)
        if isinstance(found, Ranged):
            require(traits <= {"symmetric"} and self.is_symmetric(found), f"nothing is known of {name}")
            return
        member = self.speller.alphabet.member(name)
        require(self.sheet.has(member, traits, self.bounds), f"{member} is not declared {', '.join(sorted(traits))}")

    def is_symmetric(self, found: Ranged) -> bool:
        """Tell whether all terms of a sum are symmetric matrices."""
        if found.kind != "sum" or len(found.indices) != 2:
            return False
        i, j = (self.speller.index(k, {}) for k in found.indices)
        text = self.speller.of(found.definitions).expr(found.body, {})
        return i.size == j.size and same(text, with_indices(text, {i: j, j: i}))

    # -- what names what

    def is_row(self, entry: Any) -> bool:
        key = self.speller.keys.get(entry.tensor.name)
        return key is not None and key.is_row

    def targets(self, name: str) -> list[tuple[Reference, tuple[Label, ...]]]:
        """Return what the terms of a sum name, under its range, and the labels that are left out."""
        found, values = self.speller.sums[name]
        targets = []
        for r in self.sheet.references(found.body, found.definitions):
            own = Range("§", found.range.low, found.range.high)
            change = {**values, found.range.symbol: own.symbol}
            ranges = [own]
            for k, s in enumerate(r.ranges):
                ranges.append(Range(f"§§{k}", put(s.low, change), put(s.high, change)))
                change[s.symbol] = ranges[-1].symbol
            targets.append((Reference(r.member.at(change), tuple(ranges)), found.without))
        return targets

    def interval(self, member: Member, rows: bool = True) -> Interval:
        """Return the label of a member; for all rows of a stack those from the first to the last."""
        if not rows or not member.is_row:
            return Interval(member.label, member.label)
        assert self.speller.rows is not None
        return Interval(*(put(member.label, {ROW: k}) for k in (ONE, self.speller.rows)))

    def all_rows(self, members: Iterable[Member], rows: bool = True) -> Closed:
        """Return members as intervals of labels."""
        found: dict[str, tuple[Interval, ...]] = {}
        for m in members:
            found[m.name] = (*found.get(m.name, ()), self.interval(m, rows))
        return found

    def without(self, closed: Closed, target: Reference, gone: Sequence[Label]) -> Closed:
        """Return a closed set less the single members that only the terms left out of a sum name."""
        shift = difference(target.member.label, target.ranges[0].symbol)

        def stays(i: Interval) -> bool:
            single = i.low is not None and i.high is not None and difference(i.low, i.high) == 0
            return not (single and any(difference(i.low, g + shift) == 0 for g in gone))

        kept = tuple(i for i in closed.get(target.member.name, ()) if stays(i))
        return {**closed, target.member.name: kept}

    def names_it(self, name: str, member: Member) -> bool:
        """Tell whether a term of a sum may be a member itself."""
        for target, gone in self.targets(name):
            closed = self.without(self.all_rows([member]), target, gone) if gone else self.all_rows([member])
            ranges, change = unnamed(target.ranges)
            if not self.sheet.is_apart(target.member.at(change), closed, self.bounds.within(*ranges)):
                return True
        return False

    def opened(self, names: frozenset[str]) -> set[str]:
        """Return the members among what a text names, functions of whole arrays looked into."""
        found: set[str] = set()
        stack = list(names)
        while stack:
            name = stack.pop()
            if name in self.speller.parts:
                stack += self.speller.parts[name]
            else:
                found.add(name)
        return found

    def depends(self, name: str, x: str) -> bool:
        """Tell whether a member depends on x in the window, or may be x."""
        stack, seen = [name], set()
        while stack:
            n = stack.pop()
            if n == x:
                return True
            if n in seen:
                continue
            seen.add(n)
            held = self.held.get(n)
            stack += self.opened(held.names) if held is not None else ()
        return False


def all_definitions(context: Context) -> dict[str, Definition]:
    """Return all that a context defines."""
    return {**context.definitions, **context.chain}
