"""Claims: the nodes of both sides, and the proof that leads from the left side to the right one.

The proof of `diff(f, x) == right` is the replay of the derivative at the indices of the claim, and then
the few steps a reader wants to see on the way to the right side: the transposed entry, the product.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import sympy

from symderiv.errors import ProofError, SymderivError, UnsupportedError
from symderiv.index.expand import same
from symderiv.index.graph import Node
from symderiv.index.nodes import (
    Argument,
    Entry,
    Index,
    Names,
    Plus,
    Power,
    Sum,
    Tensor,
    Times,
    free_indices,
)
from symderiv.index.rewriter import Rewriter
from symderiv.index.written import times
from symderiv.lift import lift
from symderiv.lower import Array, index_ranges, lower, write
from symderiv.replay import Closing, Known, Replay, Replayed
from symderiv.stage import Stage
from symderiv.statements.meaning import meaning
from symderiv.tensor.expr import Axis, Expr, defined, replaced, walk
from symderiv.tensor.parse import without_symmetry


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
    return Sides(_over(a, free, ranges), _over(b, free, ranges), free, ranges)


def _over(array: Array, free: tuple[str, ...], ranges: Mapping[str, Axis]) -> Node:
    flat = [size for axis in array.axes for size in axis]
    places = iter(range(len(flat)))
    entry = array[[tuple(("axis", next(places)) for _ in axis) for axis in array.axes]]
    sizes: dict[object, Any] = {("axis", k): size for k, size in enumerate(flat)}
    sizes |= {name: axis[0] for name, axis in ranges.items()}
    return entry.over((*(("axis", k) for k in range(len(flat))), *free), sizes)


def provable(left: Expr) -> bool:
    """Tell whether the left side is one first derivative, which a replay can start from."""
    return left.op == "diff" and len(left.args) == 2 and left.data == ("total",)


def prove(left: Expr, right: Expr, taken: Sequence[str], known: Known) -> Replayed:
    """Return the chains that lead from `diff(f, x)` to the right side of a claim."""
    return _Proof(left, right, taken, known).run()


def function_names() -> Iterator[str]:
    """Yield what a function without a name may be called, best first."""
    yield from ("f", "F", "phi")
    yield from (f"f_{k}" for k in count())


class _Proof:
    def __init__(self, left: Expr, right: Expr, taken: Sequence[str], known: Known) -> None:
        self.left, self.right, self.taken = left, right, taken
        array = left.args[1].args[0] if left.args[1].op == "entry" else left.args[1]
        bare = {array: without_symmetry(array)} if array.op == "var" else {}
        f, x = (replaced(a, bare) for a in left.args)
        self.ranges = index_ranges(left, right)
        self.free = {n: Index(n, axis[0]) for n, axis in self.ranges.items() if n not in _bound(left, right)}
        names = Names((*taken, *self.free))
        self.nameless = next(n for n in function_names() if n not in names.taken)
        letters = iter(self.letters(left, names))
        self.left_function = f  # a variable as the function gets a name of its own as well
        function, at_f = self.side(f, letters)
        variable, at_x = self.side(x, letters)
        stage = Stage(function, (variable,), function.name, meaning=meaning(self.ranges))
        self.order = tuple(self.open)
        traits = {array.name: array.data[1]} if bare else {}
        self.replay = Replay(stage, [*taken, *self.free], (at_f, at_x), known, Closing(traits, {}))

    def letters(self, left: Expr, names: Names) -> list[Index]:
        """Return indices for the axes of the claim: k, l for a gradient, as the books have it."""
        sizes = [size for axis in left.axes for size in axis]
        pool = "klijrsuv" if left.args[0].rank == 0 else Names.FREE
        return [names.fresh(size, pool) for size in sizes]

    open: list[Index]

    def side(self, expr: Expr, letters: Any) -> tuple[Expr, tuple[Index, ...]]:
        """Return the array that f or x is (an entry of), and the indices it stands at."""
        if not hasattr(self, "open"):
            self.open = []
        array = expr.args[0] if expr.op == "entry" else expr
        if array.op == "called":
            array = defined(array.name, array.args[0])
        elif array.op not in ("defined", "var") or (array.op == "var" and expr is self.left_function):
            array = defined(self.nameless, array)
        subscripts = expr.data if expr.op == "entry" else (None,) * array.rank
        if array.op == "defined" and array.name == self.nameless and _at_indices(array):
            array, names = self.over_indices(array.args[0])
            subscripts = (*subscripts, *names)
        indices = []
        for name, axis in zip(subscripts, array.axes, strict=True):
            if name is not None:
                if len(axis) != 1:
                    raise UnsupportedError("a claim about entries of a vec or a kron")
                indices.append(self.free[name])
                continue
            for _ in axis:
                new = next(letters)
                self.open.append(new)
                indices.append(new)
        return array, tuple(indices)

    def over_indices(self, expr: Expr) -> tuple[Expr, tuple[str, ...]]:
        """Return a function of free indices as an array with an axis for each: `a[i] - c` is `a - c` at i."""
        array = lower(expr, meaning(self.ranges), self.ranges)
        whole = lift(array.node)
        return defined(self.nameless, whole), array.free

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

    def tokens(self, expr: Expr) -> list[tuple[Index, ...]]:
        """Return the indices of the claim, those of a composed axis together."""
        left = iter(self.order)
        return [tuple(next(left) for _ in axis) for axis in expr.axes]

    def all_free(self, *exprs: Expr) -> dict[str, Index]:
        """Return an index for every index name, bound ones of `sum[q](…)` included."""
        names = {n for e in walk(*exprs) if e.op == "sum_over" for n in e.data}
        return {**self.free, **{n: Index(n, self.ranges[n][0]) for n in names}}

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


def _at_indices(expr: Expr) -> bool:
    return any(e.op in ("entry", "delta", "sum_over") for e in walk(expr))


def _same_factors(left: Any, right: Any) -> bool:
    if isinstance(left, Sum) and isinstance(right, Sum) and left.bound == right.bound:
        return _same_factors(left.body, right.body)
    if type(left) is type(right) and isinstance(left, (Times, Plus)):
        return sorted(map(str, left.args)) == sorted(map(str, right.args))
    return False


def _bound(*exprs: Expr) -> set[str]:
    return {n for e in walk(*exprs) if e.op == "sum_over" for n in e.data}
