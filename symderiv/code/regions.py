"""The parts of an expression that floating point may spoil, cut out along what is harmless.

A region is a root with what hangs together below it: entrywise operations, and products and sums through
which an exponential reaches.  It ends at atoms (a matrix product of moderate numbers, a variable), which
stand as variables while it is rewritten.  So the cost is linear in an expression, definitions that are
shared stay shared, and what is outside of every region stays exactly as it was.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence

from symderiv.tensor.expr import Axes, Expr, plain_axes, replaced, walk
from symderiv.tensor.operations import apply

ENTRYWISE = frozenset({
    "add", "sub", "mul", "div", "neg", "power", "general_power", "sqrt", "map", "maximum", "minimum", "where",
    "newaxis", "transpose",
})  # fmt: skip
ALONG = frozenset({"softmax", "logsumexp", "det"})  # seen together with what they are in, but no exponentials
ENDS = frozenset({"softmax", "logsumexp", "det", "logdet", "inv", "solve", "norm", "unknown", "defined"})
EXPONENTIAL = frozenset({"exp", "cosh", "sinh"})
CARRIES = ENTRYWISE | {"diag", "einsum"}  # a sigmoid is seen with the deltas beside it

Rewriting = Callable[[Expr], Expr]


class Regions:
    """The regions below some roots; `kept` are expressions that have a name, and end a region where they may."""

    def __init__(self, roots: Sequence[Expr], kept: Collection[Expr] = ()) -> None:
        self.nodes = list(walk(*roots))
        self.position = {e: k for k, e in enumerate(self.nodes)}
        self.scaled: set[Expr] = set()  # what may be as large or small as an exponential
        self.logistic: set[Expr] = set()  # what is made of sigmoids
        for e in self.nodes:
            self.look_at(e)
        self.kept = {e for e in kept if e not in self.scaled}
        self.starts = self.all_starts(roots)

    def look_at(self, e: Expr) -> None:
        function = e.data[0] if e.op == "map" else ""
        if function in EXPONENTIAL:
            self.scaled.add(e)
        elif function == "sigmoid":
            self.logistic.add(e)
        elif not function and e.op not in ENDS:
            if any(a in self.scaled for a in e.args):
                self.scaled.add(e)
            if e.op in CARRIES and any(a in self.logistic for a in e.args):
                self.logistic.add(e)

    def inside(self, e: Expr) -> bool:
        """Tell whether an expression belongs to the region of what it is an argument of."""
        if e in self.kept or not e.args:
            return False
        return e.op in ENTRYWISE or e.op in ALONG or e in self.scaled or e in self.logistic

    def below(self, start: Expr) -> tuple[list[Expr], list[Expr]]:
        """Return what is inside the region that starts at an expression, and its atoms."""
        members: dict[Expr, None] = {start: None}
        atoms: dict[Expr, None] = {}
        stack = [start]
        while stack:
            for a in stack.pop().args:
                if a in members or a in atoms:
                    continue
                if self.inside(a):
                    members[a] = None
                    stack.append(a)
                else:
                    atoms[a] = None
        return list(members), list(atoms)

    def all_starts(self, roots: Sequence[Expr]) -> set[Expr]:
        starts, stack = set(roots), list(roots)
        while stack:
            for atom in self.below(stack.pop())[1]:
                if atom not in starts:
                    starts.add(atom)
                    stack.append(atom)
        return starts

    def concerned(self, members: Sequence[Expr]) -> bool:
        """Tell whether there is anything in a region to be looked at."""
        return any(
            e.op in ("where", "softmax", "det") or e in self.scaled or (e.op == "map" and e.data[0] == "sigmoid")
            for e in members
        )

    def rewritten(self, change: Rewriting) -> dict[Expr, Expr]:
        """Return every start with its region changed, and those of its atoms."""
        new: dict[Expr, Expr] = {}
        for start in self.nodes:
            if start not in self.starts:
                continue
            members, atoms = self.below(start)
            members.sort(key=self.position.__getitem__)
            own = {a: _stand_in(a, k) for k, a in enumerate(atoms)} if self.concerned(members) else {}
            region = _on_atoms(members, own) if own else start
            changed = change(region) if own else region
            if changed is not region:
                back = {own[a]: new[a] for a in atoms}
                back.update((_apart(own[a]), _reshaped(new[a])) for a in atoms if _apart(own[a]) is not own[a])
                new[start] = replaced(changed, back)
            else:
                new[start] = _on_atoms(members, {a: new[a] for a in atoms})
        return new


def _stand_in(atom: Expr, number: int) -> Expr:
    if not atom.args:
        return atom
    return Expr("var", (), (f"atom {number}", frozenset()), atom.axes)


def _apart(stand_in: Expr) -> Expr:
    """Return a stand-in as the normal form has it: with the parts of composed axes as axes of their own."""
    return stand_in if stand_in.args else Expr(stand_in.op, (), stand_in.data, _parted(stand_in))


def _reshaped(atom: Expr) -> Expr:
    """Return an atom with the parts of composed axes as axes of their own; what was composed just before is not."""
    axes = _parted(atom)
    if atom.op == "reshape" and atom.args[0].axes == axes:
        return atom.args[0]
    return apply("reshape", atom, data=(tuple(size for (size,) in axes),))


def _parted(expr: Expr) -> Axes:
    composed = any(len(axis) > 1 for axis in expr.axes)
    return plain_axes(tuple(s for axis in expr.axes for s in axis)) if composed else expr.axes


def _on_atoms(members: Sequence[Expr], atoms: Mapping[Expr, Expr]) -> Expr:
    """Return the last of the members, which come arguments first, with other atoms."""
    new = dict(atoms)
    for e in members:
        args = tuple(new[a] for a in e.args)
        new[e] = e.with_args(args)
    return new[members[-1]]
