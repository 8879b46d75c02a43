"""A claim about a derivative at indices: which array is differentiated in which, and where each stands."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import count

from symderiv.errors import UnsupportedError
from symderiv.index.nodes import Index, Names
from symderiv.lift import lift
from symderiv.lower import index_ranges, lower
from symderiv.statements.meaning import meaning
from symderiv.tensor.expr import Expr, defined, has_labels, replaced, walk, walk_own
from symderiv.tensor.parse import without_symmetry

At = tuple[Expr, tuple[Index, ...]]


def function_names() -> Iterator[str]:
    """Yield what a function without a name may be called, best first."""
    yield from ("f", "F", "phi")
    yield from (f"f_{k}" for k in count())


class Placed:
    """The sides of `diff(f, x, …) == right` at indices: those the claim names, and others for its axes.

    `function` and `variables` are arrays, each with the indices that it stands at, the entries of the variables
    independent; `traits` is what was declared of those.  `order` are the indices of the axes of the claim.
    """

    def __init__(self, left: Expr, right: Expr, taken: Sequence[str]) -> None:
        self.left, self.right, self.taken = left, right, taken
        self.ranges = index_ranges(left, right)
        self.free = {n: Index(n, axis[0]) for n, axis in self.ranges.items() if n not in bound_names(left, right)}
        names = Names((*taken, *self.free))
        self.nameless = next(n for n in function_names() if n not in names.taken)
        self.open: list[Index] = []
        letters = iter(self.letters(left, names))
        arrays = [x.args[0] if x.op == "entry" else x for x in left.args[1:]]
        bare = {x: without_symmetry(x) for x in arrays if x.op == "var"}
        self.traits = {x.name: x.data[1] for x in bare}
        f, *xs = (replaced(a, bare) for a in left.args)
        self.function: At = self.side(f, letters, named=f.op != "var")
        self.variables: list[At] = [self.side(x, letters) for x in xs]
        self.order = tuple(self.open)

    def letters(self, left: Expr, names: Names) -> list[Index]:
        """Return indices for the axes of the claim: k, l for a gradient, as the books have it."""
        sizes = [size for axis in left.axes for size in axis]
        pool = "klijrsuv" if left.args[0].rank == 0 else Names.FREE
        bound = bound_names(self.left, self.right)  # by sums; over another range such a letter is another index
        return [names.fresh(s, pool, {n for n in bound if self.ranges[n][0] != s}) for s in sizes]

    def side(self, expr: Expr, letters: Iterator[Index], named: bool = True) -> At:
        """Return the array that f or x is (an entry of), and the indices it stands at.

        Without a name of its own (a variable as the function has none) it gets one.
        """
        array = expr.args[0] if expr.op == "entry" else expr
        if array.op == "called":
            array = defined(array.name, array.args[0])
        elif array.op not in ("defined", "var") or not named:
            array = defined(self.nameless, array)
        subscripts = expr.data if expr.op == "entry" else (None,) * array.rank
        if array.op == "defined" and (_at_indices(array) if array.name == self.nameless else has_labels(array)):
            array, names = self.over_indices(array)
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
        array = lower(expr.args[0], meaning(self.ranges), self.ranges)
        whole = lift(array.node)
        return defined(expr.name, whole), array.free

    def tokens(self, expr: Expr) -> list[tuple[Index, ...]]:
        """Return the indices of the claim, those of a composed axis together."""
        left = iter(self.order)
        return [tuple(next(left) for _ in axis) for axis in expr.axes]

    def all_free(self, *exprs: Expr) -> dict[str, Index]:
        """Return an index for every index name of the claim, bound ones of `sum[q](…)` included."""
        return {**self.free, **{n: Index(n, self.ranges[n][0]) for n in bound_names(*exprs) if n in self.ranges}}


def bound_names(*exprs: Expr) -> set[str]:
    """Return the indices of sums over names."""
    return {n for e in walk_own(*exprs) if e.op == "sum_over" for n in e.data}


def _at_indices(expr: Expr) -> bool:
    return any(e.op in ("entry", "delta", "sum_over") for e in walk(expr))
