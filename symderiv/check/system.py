r"""A window as a system of equations about members, and whether a derivative in it is that of the family.

A window names finitely many members. Each has its text there, the text of the sheet at its label; or it is an unknown
function of others, `F = Φ(C)`; or it is a variable. The kernel proves what holds for all values of the variables and
all functions Φ. To have it of the family, take for a variable the value that the member has, and for Φ the function
that F is of C. Every equation of the window then holds, so that what is proved of *values* holds.

For derivatives let the family be moved along x: x + s in place of x. The equations have to hold for s ≠ 0 as well:

* a text, for every member but x itself;
* F = Φ(C), where C separates x from F (:mod:`symderiv.check.paths`): what else F is made of does not move;
* v = const for a variable v, where the empty set separates x from it: x does not act on v.

Then `∂f/∂x` in the window is that of the family, to any order, for all f that are made of such members. Two names may
stand for one member at some lengths; no name but its own may be x.

First derivatives of one F = Φ(C) ask for less. Let I be the members from the variables up to the cut, with their texts,
and let every member whose text names one of I ∖ C lie in I. A path from B ∈ I to F runs in I up to a last P ∈ C and
then leaves I for good or for a while; with σ_P the sum over the paths from P whose first step leaves I,

    ∂F/∂B = Σ_P σ_P · (∂P/∂B within I)      for all B ∈ I,

which is the chain rule of the window for the affine Φ with slopes σ_P and the value of F. What else these texts name
is constant in the window, whatever it is in the family. In a window of rows, `h[_]` for h[1] … h[N], each row is an I
of its own, and an array that all rows name belongs to each.

`∂f/∂x` of f's own text is the total derivative, where no other member in this text depends on x within the window.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from symderiv.check.alphabet import Kept, heads_in
from symderiv.check.labels import ROW, Label, Member, Range, difference
from symderiv.check.members import Members
from symderiv.check.part import Part
from symderiv.check.paths import Closed, Reference, Sheet
from symderiv.check.spelled import Speller
from symderiv.check.terms import ONE, derivatives, require
from symderiv.index.nodes import Derivative, Entry, Immediate, IndexExpr, Tensor


class System(Members):
    """The members of a window, and the derivatives that are those of the family."""

    def __init__(
        self,
        sheet: Sheet,
        speller: Speller,
        part: Part,
        supposed: frozenset[str],
        functions: frozenset[str],
        closed: Mapping[tuple[str, str], Closed],
        affine: Sequence[str] = (),
    ) -> None:
        super().__init__(sheet, speller, part, supposed, functions)
        self.closed = closed
        self.affine: dict[str, set[str]] = {name: set() for name in affine}
        for text in self.texts:
            self.check_derivatives(text)

    # -- derivatives

    def check_derivatives(self, expr: Any) -> None:
        """Refuse an expression about the family with a derivative that may be another one in the window."""
        for d in derivatives(expr):
            if type(d) is Derivative:
                self.check_derivative(d.of, d.entry.tensor.name)
            else:
                require(type(d) is Immediate, "a derivative over free entries")

    def check_derivative(self, of: Any, x: str, held: frozenset[str] = frozenset()) -> None:
        """Refuse a derivative that may be another one in the window; `held` are members that stay constant."""
        require(x in self.speller.keys, f"a derivative is taken in {x}, which is no member")
        moved = self.speller.keys[x]
        if isinstance(of, Entry) and of.tensor.name in self.affine and not held:
            self.affine[of.tensor.name].add(x)
            return
        if moved.is_row:
            require(not held, f"what is held may be another row of {moved}")
            self.check_other_rows(moved, x, [x])
        stack, seen = [t.name for t in heads_in(of)], {x}
        while stack:
            name = stack.pop()
            if name in seen:
                continue
            seen.add(name)
            if name in self.speller.parts:
                stack += self.speller.parts[name]
            elif name in self.speller.sums:
                self.check_constant_sum(moved, x, name)
            elif name in held:
                require(name not in self.held, f"{name} is held, and has a text in the window")
            elif held:
                stack += self.check_beside(moved, x, name, held)
            else:
                stack += self.check_member(moved, x, name)

    def check_beside(self, moved: Member, x: str, name: str, held: frozenset[str]) -> frozenset[str]:
        """Refuse a member that may move otherwise than the window has it while others are held, or is one of those."""
        member, own = self.speller.keys[name], self.held.get(name)
        fixed = [self.speller.keys[h] for h in held]
        require(own is None or not own.is_function, f"what is held may act on {member}")
        for other in (moved, *fixed):
            require(self.differ(member, other), f"whether {member} is {other} cannot be told")
        if own is None and not self.sheet.is_declared(member, self.bounds):
            self.separated(moved, x, Reference(member), f"{name} holding {', '.join(sorted(held))}", fixed)
        return own.names if own is not None else frozenset()

    def differ(self, one: Member, other: Member) -> bool:
        """Tell whether two members are certainly different."""
        return one.name != other.name or (one.label is not None and self.bounds.apart(one.label, other.label))

    def check_member(self, moved: Member, x: str, name: str) -> frozenset[str]:
        """Refuse a member that may move otherwise than the window has it; return what it is made of there."""
        member, held = self.speller.keys[name], self.held.get(name)
        require(name not in self.affine, f"{member} has first derivatives only in this window")
        if moved.is_row:
            return self.check_for_a_row(moved, x, name)
        if held is not None and held.is_function:
            if x not in held.names:
                cut = [self.speller.keys[n] for n in held.names]
                self.separated(moved, x, Reference(member), name, cut)
            return held.names
        require(self.differ(member, moved), f"whether {member} is {moved} cannot be told")
        if held is not None:
            return held.names
        if not self.sheet.is_declared(member, self.bounds):
            self.separated(moved, x, Reference(member), name, [])
        return frozenset()

    def check_for_a_row(self, moved: Member, x: str, name: str) -> frozenset[str]:
        """The same where x is one row of a stack: all rows of what is stacked stay as the window has them."""
        member, held = self.speller.keys[name], self.held.get(name)
        if held is not None and held.is_function:
            require(x in held.names, f"whether {moved} acts on {member} besides is not shown")
            self.check_other_rows(moved, x, held.names)
            return held.names
        rows = self.rows_of(member)
        one = member.name == moved.name
        apart = not one or self.bounds.within(*rows.ranges).apart(rows.member.label, moved.label)
        require(apart, f"whether a row of {member} is {moved} cannot be told")
        if held is None and not self.sheet.is_declared(member, self.bounds):
            self.separated(moved, x, rows, f"all {name}", [])
        return held.names if held is not None else frozenset()

    def rows_of(self, member: Member) -> Reference:
        """Return all rows of a stack; a member that is none stands for itself."""
        if not member.is_row:
            return Reference(member)
        row = Range("§", ONE, self.speller.rows)
        return Reference(member.at({ROW: row.symbol}), (row,))

    def separated(
        self, moved: Member, x: str, target: Reference, name: str, cut: Sequence[Member], gone: Sequence[Label] = ()
    ) -> None:
        """Refuse a member that may depend on x past the cut."""
        closed = self.closed.get((x, name))
        through = f" past {', '.join(map(str, cut))}" if cut else ""
        require(closed is not None, f"that {moved} does not act on {target.member}{through} is not shown")
        assert closed is not None
        if gone:
            require(self.sheet.inside(moved, closed, self.bounds), f"{moved} is not in the set that is to hold it")
            self.sheet.closed_under(closed, self.all_rows(cut), self.bounds)
            self.sheet.apart(moved, target, self.without(closed, target, gone), self.bounds)
            return
        self.sheet.separated(moved, target, self.all_rows(cut), closed, self.bounds)

    def check_other_rows(self, moved: Member, x: str, names: Iterable[str]) -> None:
        """Refuse a row that acts on other rows of its stack, or on the rows of other ones."""
        for name in names:
            member = self.speller.keys[name]
            if name == x and self.sheet.is_declared(member, self.bounds):
                continue
            gone = [difference(moved.label, difference(member.label, ROW))] if name == x else []
            self.separated(moved, x, self.rows_of(member), f"all {name}", [], gone)

    def check_constant_sum(self, moved: Member, x: str, name: str) -> None:
        """Refuse a sum whose terms may move."""
        for target, gone in self.targets(name):
            cases = self.sheet.cases.get(target.member.name, [])
            if target.member.name == moved.name or any(c.body is not None for c in cases):
                self.separated(moved, x, target, name, [], gone)

    # -- first derivatives past a cut

    def check_affine(self) -> None:
        """Refuse first derivatives of F = Φ(C) unless the members between are closed (see the module's text)."""
        for name, variables in self.affine.items():
            held = self.held.get(name)
            require(held is not None and held.is_function, f"{name} is no function of a cut")
            assert held is not None
            self.check_closed(name, held.names, self.between(held.names, variables))

    def between(self, cut: frozenset[str], variables: set[str]) -> dict[str, Member]:
        """Return what the cut is made of in the window, as far as it depends on variables; and these."""
        found, stack = set(variables), list(cut)
        seen: set[str] = set()
        while stack:
            name = stack.pop()
            if name in seen:
                continue
            seen.add(name)
            if any(self.depends(name, x) for x in variables):
                found.add(name)
            held = self.held.get(name)
            stack += self.opened(held.names) if held is not None else ()
        require(not found & self.speller.sums.keys(), "a sum between a variable and the cut")
        return {name: self.speller.keys[name] for name in found}

    def check_closed(self, function: str, cut: frozenset[str], inside: Mapping[str, Member]) -> None:
        top = self.speller.keys[function]
        hidden = self.sheet.below([top.name]) & self.sheet.of_derivatives
        require(not hidden, f"{', '.join(sorted(hidden))} is a derivative, and no function of the cut")
        for name, member in inside.items():
            others = [m for n, m in inside.items() if n != name and m.name == member.name]
            require(not (others and any(m.is_row for m in (member, *others))), f"two stacks of {member.name}")
            require(all(self.bounds.apart(m.label, member.label) for m in others), f"{member} stands there twice")
            require(self.differ(top, member), f"{top} itself")
            held = self.held.get(name)
            require(held is None or not held.is_function, f"{member} is a function in this window")
            require(not member.is_row or ROW not in difference(member.label, ROW).free_symbols, "rows out of order")
            for other in self.opened(held.names) if held is not None else ():
                self.check_named(member, other, inside)
        below = {n: m for n, m in inside.items() if n not in cut}
        arrays = [m for m in below.values() if m.label is None]
        members = [m for m in below.values() if m.label is not None]
        everything = list(inside.values())
        self.sheet.closed_under(self.all_rows(members, rows=False), self.all_rows(everything, rows=False), self.bounds)
        self.sheet.closed_under(self.all_rows(arrays), self.all_rows(everything), self.bounds)

    def check_named(self, member: Member, other: str, inside: Mapping[str, Member]) -> None:
        """Refuse a text that may name what lies inside under another name."""
        for name, one in inside.items():
            if other in self.speller.sums:
                require(not self.names_it(other, one), f"a sum in the text of {member} may name {one}")
                continue
            key = self.speller.keys[other]
            require(other == name or self.differ(key, one), f"whether {key} is {one} cannot be told")

    # -- the derivative of a text of its own

    def read(self, expr: Any) -> Any:
        """Return an expression about the family as it stands in the window: total derivatives for those of a text."""
        if isinstance(expr, Entry) and expr.tensor.name in self.speller.kept:
            return self.holding(self.speller.kept[expr.tensor.name], expr.indices)
        if not isinstance(expr, IndexExpr) or isinstance(expr, (Entry, Tensor)):
            return expr
        if isinstance(expr, Immediate):
            return self.immediate(expr)
        return type(expr)(*(self.read(a) for a in expr.args))

    def holding(self, found: Kept, indices: Sequence[Any]) -> Any:
        """Return a derivative that holds members as the window has it, where these are variables."""
        held = frozenset(h.name for h in found.held)
        names = {found.of.name, found.x.name}
        require(not held & names and held <= self.speller.keys.keys(), "what is held is no other member")
        rank = len(found.of.sizes)
        of, x = Entry(found.of, *indices[:rank]), Entry(found.x, *indices[rank:])
        for h in held:
            for other in names & self.speller.keys.keys():
                differ = self.differ(self.speller.keys[h], self.speller.keys[other])
                require(differ, f"whether {h} is {other} cannot be told")
        self.check_derivative(of, found.x.name, held)
        return Derivative(of, x)

    def immediate(self, part: Any) -> Any:
        """Return the derivative of f's own text as the window has it."""
        of, entry = part.of, part.entry
        require(not derivatives(of), "a derivative of a derivative of a text")
        x = entry.tensor.name
        direct: set[str] = set()
        moved = self.speller.keys.get(x)
        require(moved is not None, f"a derivative is taken in {x}, which is no member")
        assert moved is not None
        if moved.is_row:
            same_row = isinstance(of, Entry) and self.is_row(of) and of.indices[0] == entry.indices[0]
            require(same_row, f"the derivative of one row in another one of {moved}")
        for head in heads_in(of):
            held = self.held.get(head.name)
            require(held is not None and not held.is_function, f"the text of {head} does not stand in the window")
            assert held is not None
            direct |= self.opened(held.names)
        for n in direct - {x}:
            key = self.speller.keys.get(n)
            require(key is None or self.differ(key, moved), f"whether {key} is {moved} cannot be told")
            require(n not in self.speller.sums or not self.names_it(n, moved), f"a sum in the text may name {moved}")
        if all(n == x or not self.depends(n, x) for n in direct):
            return Derivative(of, entry)
        own = self.slots.get(of.tensor.name) if isinstance(of, Entry) else None
        require(own is not None, f"{of} names what depends on {entry} besides")
        assert own is not None and isinstance(of, Entry)
        places = [k for k, a in enumerate(own.arguments) if self.speller.head(a, {}).name == x]
        require(len(places) == 1, f"{of} names {entry} in several places")
        head = Tensor("slope", *own.tensor.sizes, *own.arguments[places[0]].sizes)
        speller = self.speller.of({**self.speller.definitions, "slope": replace(own, tensor=head, axes=(places[0],))})
        slope = speller.head(head, {})
        require(slope.name in self.speller.slopes, f"{of} names {entry} in several places")
        return Entry(slope, *of.indices, *entry.indices)
