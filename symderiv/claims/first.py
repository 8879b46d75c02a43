"""Claims: the nodes of both sides, and the proof that leads from the left side to the right one.

The proof of `diff(f, x) == right` is the replay of the derivative at the indices of the claim, and then
the few steps a reader wants to see on the way to the right side: the transposed entry, the product.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import sympy

from symderiv.claims.higher import Higher
from symderiv.claims.placed import Placed
from symderiv.errors import ProofError, SymderivError
from symderiv.index.expand import same
from symderiv.index.graph import Node
from symderiv.index.nodes import (
    Argument,
    Entry,
    Index,
    Plus,
    Power,
    Sum,
    Tensor,
    Times,
    free_indices,
)
from symderiv.index.rewriter import Rewriter
from symderiv.index.written import times
from symderiv.lower import Array, index_ranges, lower, write
from symderiv.replay import Closing, Known, Replay, Replayed
from symderiv.stage import Stage
from symderiv.statements.meaning import meaning
from symderiv.tensor.expr import Axis, Expr, walk


@dataclass(frozen=True)
class Sides:
    """Both sides of a claim in the normal form, over the same axes and free indices."""

    left: Node
    right: Node
    free: tuple[str, ...]
    ranges: Mapping[str, Axis] = field(default_factory=dict)

    @property
    def equal(self) -> bool:
        """Tell whether the sides were found equal."""
        return same(self.left, self.right)


def sides(left: Expr, right: Expr) -> Sides:
    """Return both sides of a claim, every index free over its whole range, coincidences included."""
    ranges = index_ranges(left, right)
    inner = meaning(ranges)
    a, b = lower(left, inner, ranges), lower(right, inner, ranges)
    free = tuple(dict.fromkeys((*a.free, *b.free)))
    return Sides(over_all(a, free, ranges), over_all(b, free, ranges), free, ranges)


def over_all(array: Array, free: tuple[str, ...], ranges: Mapping[str, Axis]) -> Node:
    """Return the node of an array with an axis for each of its own, then one for each free index."""
    flat = [size for axis in array.axes for size in axis]
    places = iter(range(len(flat)))
    entry = array[[tuple(("axis", next(places)) for _ in axis) for axis in array.axes]]
    sizes: dict[object, Any] = {("axis", k): size for k, size in enumerate(flat)}
    sizes |= {name: axis[0] for name, axis in ranges.items()}
    return entry.over((*(("axis", k) for k in range(len(flat))), *free), sizes)


Way = Callable[[Expr, Expr, Sequence[str], Known], Replayed]


def ways(left: Expr) -> tuple[Way, ...]:
    """Return the ways to prove what a derivative is, best first; none where the left side is no derivative."""
    if left.op != "diff" or left.data != ("total",):
        return ()
    f = left.args[0].args[0] if left.args[0].op == "entry" else left.args[0]
    of_a_derivative = f.op == "diff" or (f.op == "defined" and f.args[0].op == "diff")
    higher = (over_names, without_citing, from_scratch)
    return higher if of_a_derivative or len(left.args) > 2 else (prove, *higher)


def over_names(left: Expr, right: Expr, taken: Sequence[str], known: Known) -> Replayed:
    """Return the chains for a derivative of any order, over the derivatives that the right side names."""
    return Higher(left, right, taken, known).run()


def without_citing(left: Expr, right: Expr, taken: Sequence[str], known: Known) -> Replayed:
    """Return the same without earlier claims, which may use what holds at one point only."""
    return Higher(left, right, taken, Known()).run()


def from_scratch(left: Expr, right: Expr, taken: Sequence[str], known: Known) -> Replayed:
    """Return the chains for a derivative of any order, every definition put in."""
    return Higher(left, right, taken, Known(), through=False).run()


def prove(left: Expr, right: Expr, taken: Sequence[str], known: Known) -> Replayed:
    """Return the chains that lead from `diff(f, x)` to the right side of a claim."""
    return _Proof(left, right, taken, known).run()


class _Proof(Placed):
    def __init__(self, left: Expr, right: Expr, taken: Sequence[str], known: Known) -> None:
        super().__init__(left, right, taken)
        (function, at_f), ((variable, at_x),) = self.function, self.variables
        stage = Stage(function, (variable,), function.name, meaning=meaning(self.ranges))
        self.replay = Replay(stage, [*taken, *self.free], (at_f, at_x), known, Closing(self.traits, {}))

    def run(self) -> Replayed:
        last = self.replay.run()
        self.replay.name_definitions(self.right)
        self.derive_named()
        work = Rewriter(last.right, self.replay.context())
        self.finish(work)
        if work.expr is not self.goal:
            raise ProofError("the proof did not arrive at the right side of the claim")
        steps = (*last.steps, *work.steps)
        self.replay.arguments[-1] = Argument(last.label, last.left, steps, work.expr)
        return self.replay.replayed()

    def derive_named(self) -> None:
        """Derive the derivatives that the right side names, `diff(X, t)`, where X names t itself."""
        (x,) = self.replay.stage.variables
        for e in walk(self.right):
            if e.op != "diff" or e.data != ("total",) or len(e.args) != 2 or e.args[1].name != x.name:
                continue
            inner = e.args[0]
            if inner.op != "defined" or inner.name not in self.replay.cuts or inner.name == self.replay.stage.name:
                continue
            if (inner.name, x.name) in self.replay.known.named:
                continue
            stage = Stage(inner, (x,), inner.name, meaning=meaning(self.ranges))
            other = Replay(stage, [*self.taken, *self.free])
            derived = other.run()
            if len(other.arguments) == 1:
                for name, definition in other.inline.items():
                    self.replay.inline.setdefault(name, definition)
                label = f"{inner.name} in {x.name}"
                self.replay.arguments.insert(-1, Argument(label, derived.left, derived.steps, derived.right))

    # -- the last lines

    def finish(self, work: Rewriter) -> None:
        """Lead the last index expression to the right side as it was claimed."""
        right = self.right
        notation = self.replay.notation(self.all_free(right))
        entries = any(e.op in ("entry", "delta") for e in walk(right))
        if right.rank and right.op not in ("var", "defined") and not entries:
            self.show_transposes(work)
            head = self.replay.matrix(right, self.order)
            self.goal: Any = Entry(head, *self.order)
            work.replace("read off", (), self.goal, {"name": head.name, "operation": right.op})
            return
        self.goal = write(right, self.tokens(right), notation)
        if work.expr is self.goal:
            return
        reason = self.split(work)
        rule = "commute" if _same_factors(work.expr, self.goal) else "rearrange"
        work.replace(rule, (), self.goal, {"because": reason} if reason is not None else {})

    def show_transposes(self, work: Rewriter) -> None:
        """Show `Σ_i D[i,k] B[i,l] = Σ_i (Dᵀ)[k,i] B[i,l]` before a product with a transpose is read off."""
        right = self.right
        if right.op != "matmul" or not any(a.op == "transpose" for a in right.args):
            return
        if not (isinstance(work.expr, Sum) and len(work.expr.bound) == 1 and len(self.order) == 2):
            return
        (q,), (k, m) = work.expr.bound, self.order
        plain, shown = [], []
        for arg, indices in zip(right.args, ((k, q), (q, m)), strict=True):
            array, at = (arg.args[0], tuple(reversed(indices))) if arg.op == "transpose" else (arg, indices)
            if array.op not in ("var", "defined"):
                return
            plain.append(Entry(Tensor(array.name, *(i.size for i in at)), *at))
            shown.append(Entry(self.replay.matrix(arg, indices), *indices) if arg.op == "transpose" else plain[-1])
        if not _same_factors(Times(*plain), work.expr.body):
            return
        work.replace("commute", (0,), Times(*plain))
        for n, (old, new) in enumerate(zip(plain, shown, strict=True)):
            if old is not new:
                work.replace("transpose", (0, n), new)

    def reads_as(self, expr: sympy.Expr) -> Node | None:
        try:
            return self.replay.reader().node(expr, (*self.order, *self.rest(expr)))
        except SymderivError:
            return None

    def rest(self, expr: sympy.Expr) -> list[Index]:
        return sorted(free_indices(expr) - set(self.order), key=lambda i: i.name)

    def agree(self, one: sympy.Expr, other: sympy.Expr) -> bool:
        a, b = self.reads_as(one), self.reads_as(other)
        return a is not None and b is not None and same(a, b)

    def split(self, work: Rewriter) -> tuple[Any, Any] | None:
        """`g / P² = (1/P) (g/P)`, where the right side is a product of two; return what the second is equal to."""
        expr, goal = work.expr, self.goal
        if not (isinstance(expr, Times) and isinstance(goal, Times) and len(goal.args) == 2):
            return None
        squares = [f for f in expr.args if isinstance(f, Power) and f.exponent == -2]
        if len(squares) != 1:
            return None
        one = Power(squares[0].base, sympy.Integer(-1))
        second = Times(times(*(f for f in expr.args if f is not squares[0])), one)
        for first, other in (goal.args, reversed(goal.args)):
            if self.agree(first, one) and self.agree(other, second):
                work.replace("rearrange", (), Times(one, second), {"split": True})
                return other, second
        return None


def _same_factors(left: Any, right: Any) -> bool:
    if isinstance(left, Sum) and isinstance(right, Sum) and left.bound == right.bound:
        return _same_factors(left.body, right.body)
    if type(left) is type(right) and isinstance(left, (Times, Plus)):
        return sorted(map(str, left.args)) == sorted(map(str, right.args))
    return False
