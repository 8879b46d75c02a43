"""One window against the claim: what the kernel has proved there is the claim, read in the window."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from symderiv.check.alphabet import Core, Ranged, heads_in, same
from symderiv.check.claims import Claim, Instance, Window
from symderiv.check.forms import check_letters
from symderiv.check.labels import ROW, Range, Values
from symderiv.check.members import all_definitions
from symderiv.check.paths import Sheet
from symderiv.check.spelled import Speller
from symderiv.check.system import System
from symderiv.check.terms import ONE, derivatives, free, require, with_indices
from symderiv.index.nodes import Definition, Index, IndexExpr, Sum


class Shown:
    """One window against the claim."""

    system_of: Callable[..., System] = System

    def __init__(self, target: Claim, sheet: Sheet, window: Window, instance: Instance) -> None:
        self.target, self.sheet, self.window, self.instance = target, sheet, window, instance
        self.alphabet = sheet.alphabet
        self.context = window.part.context
        self.definitions = all_definitions(self.context)
        bounds = instance.bounds
        if window.rows is not None:
            bounds = bounds.within(Range(str(ROW), ONE, window.rows))
        self.speller = Speller(sheet.alphabet, bounds, self.definitions)
        self.speller.rows = window.rows

    def check(self) -> None:
        """Refuse a window that does not show its instance of the claim."""
        window = self.window
        require(not self.context.neglected, "a proof that neglects something shows no equality")
        self.check_letters()
        for name in window.cores:
            self.take_core(name)
        self.speller.powers += window.powers
        names = self.suppose()
        functions = self.sheet.functions(self.target.definitions)
        told = (self.sheet, self.speller, window.part, names, functions, window.closed, window.affine)
        self.system = self.system_of(*told)
        left, right = self.claim(self.instance.values, window.letters)
        shown = window.part.claim
        for side, here, what in ((left, shown.left, "left"), (right, shown.right, "right")):
            require(self.matches(side, here), f"the {what} side of the claim is not what the window shows")
        self.check_assumed()
        self.check_supposed(names)
        self.system.check_affine()

    def matches(self, side: Any, here: Any) -> bool:
        """Tell whether a side of the claim reads in the window as an expression that stands there."""
        self.system.check_derivatives(side)
        return same(self.system.read(side), self.speller.expr(here, {}))

    def claim(self, values: Values, letters: Sequence[Index]) -> tuple[Any, Any]:
        """Return both sides of the claim at labels, at indices."""
        claim = self.target
        speller = self.speller.of(claim.definitions)
        own = [speller.index(i, values) for i in claim.indices]
        require(len(own) == len(letters), "the claim has another number of indices")
        require(all(a.size == b.size for a, b in zip(own, letters, strict=True)), "an index has another range")
        change = dict(zip(own, letters, strict=True))
        left, right = (with_indices(speller.expr(side, values), change) for side in (claim.left, claim.right))
        return left, right

    # -- names

    def check_letters(self) -> None:
        """Refuse indices that coincide, and letters that a sum over a range hides, where they are bound."""
        letters = [i.name for i in self.window.letters]
        require(len(set(letters)) == len(letters), "two indices of the claim are one in the window")
        hidden: set[str] = set()
        for found in self.alphabet.heads.values():
            if isinstance(found, Ranged):
                hidden |= {i.name for i in free(found.body) - set(found.indices)} - set(self.alphabet.labels)
        bound = {i.name for d in self.definitions.values() for i in d.indices}
        exprs = [d.body for d in self.definitions.values() if d.body is not None]
        exprs += [self.window.part.claim.left, self.window.part.claim.right]
        exprs += [side for a in self.context.assumed.values() for side in (a.left, a.right)]
        for expr in exprs:
            bound |= {i.name for i in bound_in(expr)}
        check_letters({*bound, *letters, *(i.name for e in exprs for i in free(e))})
        require(not bound & hidden, f"{', '.join(sorted(bound & hidden))} is bound, and hidden in the name of a sum")
        for a in self.context.assumed.values():
            loose = {i.name for i in free(a.left) | free(a.right)} & hidden
            require(loose <= self.context.fixed, "what is assumed is assumed at too many indices")

    def take_core(self, name: str) -> None:
        """Take a sum for the one that all of its kind are opened against."""
        found = self.alphabet.heads.get(name)
        require(isinstance(found, Ranged), f"{name} is no sum over a range")
        assert isinstance(found, Ranged)
        signature = self.speller.signature(found, {})
        require(signature not in self.speller.cores, f"{name} is a second core of its kind")
        self.speller.cores[signature] = Core(found.range.low, found.range.high, found.without)

    # -- the claim before

    def suppose(self) -> frozenset[str]:
        """Put in what stands for one side of the claim before."""
        require(len(self.window.supposed) <= 1, "more than one name is supposed")
        for s in self.window.supposed:
            require(self.instance.before is not None, f"{s.name} is supposed, and there is no claim before")
            definition = self.definitions.get(s.name)
            require(definition is not None and definition.kind in ("", "derivative"), f"{s.name} has no text")
            assert definition is not None
            require([i.size for i in s.indices] == list(definition.tensor.sizes), f"{s.name} has other indices")
            require(set(s.letters) <= set(s.indices), f"{s.name} has an index besides its own")
            require(len({i.name for i in s.indices}) == len(s.indices), f"{s.name} names an index twice")
            meaning = self.speller.of(s.definitions).expr(s.meaning, {})
            require(free(meaning) <= set(s.indices), f"{s.name} has a free index")
            self.speller.put_in[s.name] = (s.indices, meaning)
        return frozenset(s.name for s in self.window.supposed)

    def check_supposed(self, names: frozenset[str]) -> None:
        """Refuse a name that stands for something else than the claim before, or is differentiated."""
        if not names:
            return
        by_name = {s.name: s for s in self.window.supposed}
        for name, at in dict.fromkeys(self.speller.used):
            s, definition = by_name[name], self.definitions[name]
            change = dict(zip(s.indices, at, strict=True))
            meaning = with_indices(self.speller.put_in[name][1], change)
            text = self.text_at(definition, at)
            letters = tuple(change[i] for i in s.letters)
            self.is_before(meaning, text, letters, f"{name} stands for something else than the claim before")
        sides = [self.window.part.claim.left, self.window.part.claim.right]
        sides += [d.body for d in self.definitions.values() if d.body is not None]
        for d in {d for side in sides for d in derivatives(side)}:
            self.apart_from(names, [t.name for t in heads_in(d.of)], d.entry.tensor.name)
        for definition in self.definitions.values():
            if definition.kind == "derivative":
                self.apart_from(names, [definition.arguments[0].name], definition.arguments[-1].name)

    def text_at(self, definition: Definition, at: Sequence[Any]) -> Any:
        """Return the text of a name, at indices."""
        if definition.kind == "derivative":
            return self.speller.derivative(definition, tuple(at), {})
        text = self.speller.expr(definition.body, {})
        return with_indices(text, dict(zip(definition.indices, at, strict=True)))

    def apart_from(self, names: frozenset[str], start: Sequence[str], x: str) -> None:
        """Refuse a derivative of what is made of the claim before: it holds at a point and not around it."""
        stack, seen = list(start), {x}
        while stack:
            name = stack.pop()
            if name in seen:
                continue
            seen.add(name)
            require(name not in names, f"{name} is supposed, and differentiated")
            definition = self.definitions.get(name)
            if definition is not None:
                stack += [a.name for a in definition.arguments]
                stack += [t.name for t in heads_in(definition.body)] if definition.body is not None else []

    def check_assumed(self) -> None:
        """Refuse equations that are assumed and are not the claim before."""
        for label, equation in self.context.assumed.items():
            letters = self.window.assumed.get(label)
            require(self.instance.before is not None and letters is not None, f"{label} is assumed")
            assert letters is not None
            data = {i.name for i in free(equation.left) | free(equation.right)} & set(self.alphabet.labels)
            require(data <= self.context.fixed, f"{label} is assumed at too many indices")
            left, right = (self.speller.expr(side, {}) for side in (equation.left, equation.right))
            self.is_before(left, right, letters, f"{label} is not the claim before")

    def is_before(self, one: Any, other: Any, letters: Sequence[Index], message: str) -> None:
        """Refuse what is not the claim before, from left to right or from right to left."""
        assert self.instance.before is not None
        left, right = self.claim(self.instance.before, letters)
        self.system.check_derivatives(left)
        self.system.check_derivatives(right)
        left, right = self.system.read(left), self.system.read(right)
        forth = same(left, one) and same(right, other)
        require(forth or (same(left, other) and same(right, one)), message)


def bound_in(expr: Any) -> set[Any]:
    """Return the indices that sums in an expression bind."""
    if not isinstance(expr, IndexExpr):
        return set()
    own = set(expr.bound) if isinstance(expr, Sum) else set()
    return own.union(*(bound_in(a) for a in expr.args))
