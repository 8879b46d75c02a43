r"""Claims about families, for all lengths: from proofs about finitely many arrays.

A claim is `left = right` for all values of its variables in nested ranges, for all T and other lengths, where `h[t]`
and the like are members of families that a sheet of cases defines. Nothing of it is found here; a *certificate* says
which window shows it, and each thing that it says is checked.

* **Window.** The kernel accepts a proof of `left' = right'` about the arrays of the window. Each array is a member of
  the sheet, with the text of the sheet at its label, and each derivative is that of the family
  (:mod:`symderiv.check.system`, :mod:`symderiv.check.paths`). `left'` and `right'` are the two sides of the claim, read
  in the window: sums and products over ranges opened against a core (:mod:`symderiv.check.spelled`). Free indices keep
  apart. All members named exist, for all values in range.
* **Induction.** With v the innermost variable, low ≤ v ≤ high: one window shows the claim at v = low, one for
  low < v ≤ high that it follows from the claim at v - 1; downward from high likewise. No text of the sheet names v.
  The claim before may stand in the window as an equation or as a text. It holds at one point and not around it, so
  that nothing made of it may be differentiated.

The claim is about the definitions of the sheet as they are written in the file. That these follow each other without a
circle is checked by ranks: a stage for each case, and within a stage labels that go up, or down.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from symderiv.check.alphabet import Alphabet, written
from symderiv.check.claims import Claim, Instance, Rank, Window
from symderiv.check.forms import check_alphabet, check_case, check_claim
from symderiv.check.labels import Bounds, Range, difference, put, symbol
from symderiv.check.paths import Case, Reference, Sheet, unnamed
from symderiv.check.shown import Shown
from symderiv.check.spelled import Speller
from symderiv.check.terms import RefusedError, require
from symderiv.errors import ProofError
from symderiv.index.nodes import Argument, Derivative, Entry, Immediate, Index, IndexExpr, Tensor


@dataclass(frozen=True)
class FamilyProof:
    """A claim about families, the sheet it is about, and one window; or two, base and step of an induction."""

    claim: Claim
    cases: tuple[Case, ...]
    ranks: tuple[Rank, ...]
    alphabet: Alphabet
    windows: tuple[Window, ...]
    downward: bool = False

    def check(self, steps: bool = True) -> None:
        """Check everything; raise :class:`symderiv.ProofError` naming the first thing that is wrong.

        Where the kernel has examined the `steps` of the windows before, they need not be examined again.
        """
        roles = ("window",) if len(self.windows) == 1 else ("base", "step")
        try:
            require(len(self.windows) in (1, 2), "a claim is shown by one window, or by base and step")
            require(self.alphabet == self.alphabet.of(self.cases), "the alphabet is that of another sheet")
            sheet = Sheet(self.cases, self.alphabet)
            self.check_form(sheet)
        except RefusedError as reason:
            raise ProofError(f"the claim {self.claim.label!r}: {reason}") from None
        for role, window, instance in zip(roles, self.windows, self.instances(), strict=True):
            try:
                if steps:
                    window.part.check()
                shown = Shown(self.claim, sheet, window, instance)
                shown.check()
            except (RefusedError, ProofError) as reason:
                message = reason.message if isinstance(reason, ProofError) else str(reason)
                raise ProofError(f"the {role} of {self.claim.label!r}: {message}") from None
            except RecursionError:
                raise ProofError(f"the {role} of {self.claim.label!r}: an expression too deep") from None

    def instances(self) -> list[Instance]:
        """Return what each window is to show."""
        bounds = self.claim.bounds
        if len(self.windows) == 1:
            return [Instance(bounds, {}, None)]
        try:
            require(self.claim.ranges, "an induction needs a variable")
            *outer, inner = self.claim.ranges
            self.check_unnamed(inner.variable)
        except RefusedError as reason:
            raise ProofError(f"the claim {self.claim.label!r}: {reason}") from None
        first, by = (inner.high, 1) if self.downward else (inner.low, -1)
        low, high = (inner.low, inner.high - 1) if self.downward else (inner.low + 1, inner.high)
        rest = replace(inner, low=put(low, {}), high=put(high, {}))
        base = Instance(Bounds(tuple(outer), bounds.least), {inner.symbol: first}, None)
        return [base, Instance(Bounds((*outer, rest), bounds.least), {}, {inner.symbol: put(inner.symbol + by, {})})]

    # -- the claim and its sheet

    def check_form(self, sheet: Sheet) -> None:
        """Refuse a claim that is not well formed, or whose sheet is not."""
        claim = self.claim
        check_alphabet(self.alphabet, claim.least)
        check_claim(claim, self.alphabet)
        require(len(self.ranks) == len(self.cases), "each case has a rank")
        for case in self.cases:
            check_case(case, self.alphabet)
        for k, case in enumerate(self.cases):
            self.check_single(case, self.cases[:k], claim.bounds)
            for r in sheet.named[id(case)]:
                self.check_rank(case, self.ranks[k], r)
        for side in (claim.left, claim.right):
            for r in sheet.references(side, claim.definitions):
                ranges, change = unnamed(r.ranges)
                require(sheet.exists(r.member.at(change), claim.bounds.within(*ranges)), f"there may be no {r.member}")

    def check_single(self, case: Case, before: Sequence[Case], bounds: Bounds) -> None:
        """Refuse a member that is defined twice."""
        outer = Bounds(tuple(r for r in bounds.ranges if r.variable != case.variable), bounds.least)
        for other in before:
            if other.name == case.name:
                require(case.low is not None and other.low is not None, f"{case.name} is defined twice")
                apart = outer.certain(difference(case.low, other.high) - 1)
                apart = apart or outer.certain(difference(other.low, case.high) - 1)
                require(apart, f"a member of {case.name} may be defined twice")

    def check_rank(self, case: Case, rank: Rank, reference: Reference) -> None:
        """Refuse a text that names a member which does not come before its own."""
        own = [Range(case.variable, case.low, case.high)] if case.variable else []
        ranges, change = unnamed([*own, *reference.ranges])
        bounds = Bounds(tuple(r for r in self.claim.ranges), self.claim.least).within(*ranges)
        named = reference.member.at(change)
        for k, other in enumerate(self.cases):
            if other.name != named.name:
                continue
            if named.label is not None and bounds.outside_of(other.low, other.high, named.label):
                continue
            before = self.ranks[k].stage < rank.stage
            if not before and self.ranks[k].stage == rank.stage and named.label is not None and case.own is not None:
                step = difference(put(case.own, change), named.label) * rank.direction
                earlier = self.ranks[k].place < rank.place
                before = rank.direction in (1, -1) and self.ranks[k].direction == rank.direction
                before = before and bounds.certain(step if earlier else step - 1)
            require(before, f"the text of {case.name} may name {reference.member} in a circle")

    def check_unnamed(self, variable: str) -> None:
        """Refuse an induction over what the texts of the sheet name: they are other ones for the value before."""
        moved = {symbol(variable): symbol(f"§{variable}")}
        for case in self.cases:
            for end in (case.low, case.high):
                require(end is None or put(end, moved) == put(end, {}), f"the range of {case.name} names {variable}")
            if case.variable == variable:
                continue
            speller = Speller(self.alphabet, Bounds(), case.definitions)
            for expr in (Entry(case.head, *case.indices), *([case.body] if case.body is not None else [])):
                texts = [written(speller.expr(expr, values), {}) for values in ({}, moved)]
                require(texts[0] == texts[1], f"the text of {case.name} names {variable}")


@dataclass(frozen=True)
class ForAll(Argument):
    """What was proved of families: both sides, and for which members and lengths."""

    scope: str = ""
    way: str = ""


def as_argument(proof: FamilyProof) -> ForAll:
    """Return a claim about families as what was proved, its heads spelled by what they stand for."""
    claim = proof.claim
    ranges = [f"{r.variable} = {r.low} … {r.high}" for r in claim.ranges]
    lengths = [f"{name} ≥ {low}" for name, low in sorted(claim.least.items())]
    scope = ", ".join([*(f"all {r}" for r in ranges), *(f"all {length}" for length in lengths)])
    way = "in a window" if len(proof.windows) == 1 else "by induction"
    speller = Speller(proof.alphabet, claim.bounds, claim.definitions)
    left, right = (_legible(speller.expr(side, {}), speller) for side in (claim.left, claim.right))
    return ForAll(claim.label, left, (), right, f"for {scope}" if scope else "", way)


def _legible(expr: Any, speller: Speller) -> Any:
    """Return a spelled expression with sums and products over ranges under names that can be read."""
    if isinstance(expr, Entry) and expr.tensor.name in speller.sums:
        found, values = speller.sums[expr.tensor.name]
        inner = speller.of(found.definitions)
        inner.cores = {}
        outer = {k: v for k, v in values.items() if k != found.range.symbol}
        body = _legible(inner.expr(found.body, outer), inner)
        low, high = found.range.low, found.range.high
        ends = f"{high} … {low}" if found.backward else f"{low} … {high}"
        letters = f"{', '.join(i.name for i in found.indices)} ↦ " if found.indices else ""
        sign = "Σ" if found.kind == "sum" else "Π"
        name = f"{sign}_{{{found.range.variable} = {ends}}} ({letters}{body})"
        return Entry(Tensor(name, *expr.tensor.sizes), *expr.indices)
    if not isinstance(expr, IndexExpr) or isinstance(expr, (Entry, Index, Tensor)):
        return expr
    if isinstance(expr, Immediate):  # of f's own text; it is another one than the total derivative
        return Entry(Tensor(f"{Derivative(_legible(expr.of, speller), expr.entry)}|text"))
    return type(expr)(*(_legible(a, speller) for a in expr.args))
