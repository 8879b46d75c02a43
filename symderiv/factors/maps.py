"""The pieces of a linear map over NumPy's arrays: what :mod:`symderiv.factors.parts` has in symbols, with numbers.

Each piece takes an array whose axes have labels, works on the axes that are its own, and leaves the others
alone: `apply` turns columns into rows, `solve` rows into columns.  Where a δ ties a row to a column both go
by the label of the row.  All share one table of sizes, label → size.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from math import prod
from typing import Any, TypeAlias

import numpy as np

from symderiv.errors import UnsupportedError
from symderiv.factors.labelled import (
    INNER,
    Array,
    Labelled,
    Labels,
    Sizes,
    as_matrix,
    full,
    spread,
    times,
    union,
    without,
)
from symderiv.factors.solving import KroneckerSum, Solver, singular

Change: TypeAlias = Mapping[int, int]
FEW = 10**7  # entries that are added up where there is no other way


# ---------------------------------------------------------------- the pieces


class Map:
    """A linear map from arrays over its columns to arrays over its rows, for each value of what it is `over`."""

    over: Labels
    rows: Labels
    columns: Labels
    sizes: Sizes

    @property
    def rows_in_order(self) -> Labels:
        """Return the rows as the axes of the function stand."""
        return tuple(sorted(self.rows))

    @property
    def columns_in_order(self) -> Labels:
        """Return the columns as the axes of the variable stand."""
        return tuple(sorted(self.columns))

    def apply(self, x: Array, at: Labels) -> Labelled:
        """Return the map of an array."""
        raise NotImplementedError

    def solve(self, b: Array, at: Labels) -> Labelled:
        """Return the array that is mapped to b."""
        raise NotImplementedError

    def array(self, at: Labels) -> Array:
        """Return all entries, with axes `at`; what does not depend on an axis has size 1 there."""
        raise NotImplementedError

    def transposed(self, change: Change) -> Map:
        """Return the map with rows and columns exchanged, tied axes renamed."""
        raise NotImplementedError

    def low_rank(self) -> tuple[Labelled, Labelled] | None:
        """Return L and R with `D[o, c] = Σ_s L[o, s] R[c, s]`, s labelled INNER, where the map is kept as such."""
        return None

    @cached_property
    def matrix(self) -> Array:
        """The map as a stack of matrices."""
        at = (*self.over, *self.rows, *self.columns)
        return as_matrix(full((self.array(at), at), at, self.sizes)[0], at, self.over, self.rows, self.columns)

    def unfolded(self, matrix: Array, axes: Labels, x: Array, at: Labels) -> Labelled:
        """Return a stack of matrices as an array over `axes` and the axes of x that are none of the map's."""
        rest = without(at, self.over, self.rows, self.columns)
        own = [self.sizes[a] for a in (*self.over, *axes)]
        return matrix.reshape([*own, *(x.shape[at.index(a)] for a in rest)]), (*self.over, *axes, *rest)


class Block(Map):
    """`y[t, o] = Σ_c B[t, o, c] x[t, c]`, t the axes it is over; `sides` are L and R with `B = L Rᵀ`."""

    def __init__(
        self,
        axes: tuple[Labels, Labels, Labels],
        sizes: Sizes,
        entries: Labelled | None,
        sides: tuple[Labelled, Labelled] | None = None,
        symmetric: bool = False,
    ) -> None:
        self.over, self.rows, self.columns = axes
        self.sizes, self._entries, self.sides, self.symmetric = sizes, entries, sides, symmetric

    @property
    def is_diagonal(self) -> bool:
        """Tell whether it only scales entries."""
        return not self.rows and not self.columns

    @cached_property
    def side_matrices(self) -> tuple[Array, Array] | None:
        """L and R as stacks of matrices, where products with them are cheaper than with B."""
        if self.sides is None:
            return None
        left, right = self.sides
        found = (
            as_matrix(*left, self.over, self.rows, (INNER,)),
            as_matrix(*right, self.over, self.columns, (INNER,)),
        )
        rows, columns, rank = found[0].shape[-2], found[1].shape[-2], found[0].shape[-1]
        return found if rank * (rows + columns) < rows * columns else None

    @cached_property
    def entries(self) -> Labelled:
        """The array with its labels; it is multiplied here where it is kept as a product."""
        if self._entries is not None:
            return self._entries
        assert self.sides is not None
        left, right = self.sides
        product = as_matrix(*left, self.over, self.rows, (INNER,)) @ np.swapaxes(
            as_matrix(*right, self.over, self.columns, (INNER,)), -1, -2
        )
        labels = (*self.over, *self.rows, *self.columns)
        return product.reshape([self.sizes[a] for a in labels]), labels

    def array(self, at: Labels) -> Array:
        return spread(*self.entries, at)

    def apply(self, x: Array, at: Labels) -> Labelled:
        if self.is_diagonal:
            return x * self.array(at), at
        vectors = as_matrix(x, at, self.over, self.columns, without(at, self.over, self.columns))
        if self.side_matrices is not None:
            left, right = self.side_matrices
            return self.unfolded(left @ (np.swapaxes(right, -1, -2) @ vectors), self.rows, x, at)
        return self.unfolded(self.matrix @ vectors, self.rows, x, at)

    def solve(self, b: Array, at: Labels) -> Labelled:
        if self.is_diagonal:
            if not np.all(self.entries[0]):
                raise singular("an entry of the diagonal is 0")
            return b / self.array(at), at
        vectors = as_matrix(b, at, self.over, self.rows, without(at, self.over, self.rows))
        return self.unfolded(self.solver.solve(vectors), self.columns, b, at)

    @cached_property
    def solver(self) -> Solver:
        return Solver(self.matrix, self.symmetric)

    def transposed(self, change: Change) -> Block:
        def turned(array: Labelled) -> Labelled:
            return array[0], tuple(change.get(a, a) for a in array[1])

        over = tuple(change.get(a, a) for a in self.over)
        sides = None if self.sides is None else (turned(self.sides[1]), turned(self.sides[0]))
        entries = None if self._entries is None else turned(self._entries)
        return Block((over, self.columns, self.rows), self.sizes, entries, sides, self.symmetric)

    def low_rank(self) -> tuple[Labelled, Labelled] | None:
        return self.sides


class Product(Map):
    """`Π δ[o, c] · Π parts`, one after the other, those first that leave the least."""

    def __init__(self, pairs: Sequence[tuple[int, int]], parts: Sequence[Map], sizes: Sizes) -> None:
        self.pairs, self.sizes = tuple(pairs), sizes
        self.parts = sorted(parts, key=lambda p: self.count(p.rows) / max(self.count(p.columns), 1))
        self.tied = {c: o for o, c in pairs}
        self.rows = union(tuple(o for o, _ in pairs), *(p.rows for p in parts))
        self.columns = union(tuple(c for _, c in pairs), *(p.columns for p in parts))
        self.over = without(union(*(p.over for p in parts)), self.rows)

    def count(self, labels: Labels) -> int:
        return prod(self.sizes[a] for a in labels)

    def apply(self, x: Array, at: Labels) -> Labelled:
        at = tuple(self.tied.get(a, a) for a in at)
        for part in self.parts:
            x, at = part.apply(x, at)
        return x, at

    def solve(self, b: Array, at: Labels) -> Labelled:
        for part in self.parts:
            b, at = part.solve(b, at)
        back = dict(self.pairs)
        return b, tuple(back.get(a, a) for a in at)

    def array(self, at: Labels) -> Array:
        inside = union(tuple(self.tied.get(a, a) for a in at))
        value: Array = np.ones((1,) * len(inside), np.float32)
        for part in self.parts:
            value = value * part.array(inside)
        if not self.pairs:
            return value
        sizes = dict(zip(inside, value.shape, strict=True)) | {o: self.sizes[o] for o, _ in self.pairs}
        result: Array = np.zeros([sizes[self.tied.get(a, a)] for a in at], value.dtype)
        places = [inside.index(self.tied.get(a, a)) for a in at]
        np.einsum(result, places, [inside.index(a) for a in inside])[...] = value  # a view of the diagonal
        return result

    def transposed(self, change: Change) -> Product:
        inner = {**change, **dict(self.pairs)}
        return Product([(c, o) for o, c in self.pairs], [p.transposed(inner) for p in self.parts], self.sizes)

    def low_rank(self) -> tuple[Labelled, Labelled] | None:
        left: Labelled = (np.ones(1, np.float32), (INNER,))
        right = left
        wide = [p for p in self.parts if p.rows and p.columns]
        if self.pairs or len(wide) > 1:
            return None
        for part in self.parts:
            sides = part.low_rank()
            if not isinstance(part, Block) or (part in wide and sides is None):
                return None
            if part in wide:
                assert sides is not None
                left, right = times(left, sides[0]), times(right, sides[1])
            elif part.columns:
                right = times(right, part.entries)
            else:
                left = times(left, part.entries)
        return left, right


class Sum(Map):
    """A sum of maps over the same rows and columns."""

    def __init__(self, rows: Labels, columns: Labels, terms: Sequence[Map], sizes: Sizes) -> None:
        self.rows, self.columns, self.terms, self.sizes = rows, columns, tuple(terms), sizes
        self.over = union(*(t.over for t in terms))

    def apply(self, x: Array, at: Labels) -> Labelled:
        labels = (*self.rows, *without(at, self.columns))
        return sum(spread(*t.apply(x, at), labels) for t in self.terms), labels

    def array(self, at: Labels) -> Array:
        return sum(t.array(at) for t in self.terms)

    def transposed(self, change: Change) -> Sum:
        return Sum(self.columns, self.rows, [t.transposed(change) for t in self.terms], self.sizes)

    # -- systems

    def solve(self, b: Array, at: Labels) -> Labelled:
        return self.way.solve(b, at)

    @cached_property
    def way(self) -> Woodbury | Sylvester | Dense:
        """The way in which systems are solved."""
        if prod(self.sizes[a] for a in self.rows) != prod(self.sizes[a] for a in self.columns):
            raise singular("a factor of it is no square")
        return self.by_rank() or self.by_sylvester() or self.by_all_entries()

    def by_rank(self) -> Woodbury | Dense | None:
        """Return the way by low rank; where the rank reaches the size, all entries are no more than the factors."""
        low = {t: sides for t in self.terms if (sides := t.low_rank()) is not None}
        base = [t for t in self.terms if t not in low]
        rank = sum(left[0].shape[left[1].index(INNER)] for left, _ in low.values())
        size = prod(self.sizes[a] for a in self.rows)
        if not low:
            return None
        if rank >= size:
            return Dense(self)
        if not base:
            raise singular(f"the rank is {rank} at most, the size {size}")
        rest = base[0] if len(base) == 1 else Sum(self.rows, self.columns, base, self.sizes)
        try:
            return Woodbury(self, rest, low)
        except np.linalg.LinAlgError:  # the rest may be singular where the sum is not
            if prod(self.sizes[a] for a in (*self.over, *self.rows, *self.columns)) > FEW:
                raise
            return Dense(self)

    def by_sylvester(self) -> Sylvester | None:
        """Return the way of a Kronecker sum: each term but a multiple of δ works on axes of its own."""
        if self.over or not all(isinstance(t, Product) and t.pairs for t in self.terms):
            return None
        terms = [t for t in self.terms if isinstance(t, Product)]
        partner: dict[int, int] = {}
        for o, c in (pair for t in terms for pair in t.pairs):
            if partner.setdefault(o, c) != c:
                return None
        shift: Any = 0.0
        parts: list[tuple[Labels, Labels, Map]] = []
        for t in terms:
            rows = without(self.rows, tuple(o for o, _ in t.pairs))
            if any(p.over for p in t.parts):
                return None
            if not rows:
                shift = shift + t.array(()) if not t.parts else shift + prod(p.array(()) for p in t.parts)
                continue
            columns = tuple(partner.get(a, INNER) for a in rows)
            if set(columns) != set(without(self.columns, tuple(c for _, c in t.pairs))):
                return None
            parts.append((rows, columns, Product((), t.parts, self.sizes)))
        own = [a for rows, _, _ in parts for a in rows]
        if len(parts) < 2 or sorted(own) != sorted(self.rows):
            return None
        return Sylvester(self, parts, shift)

    def by_all_entries(self) -> Dense:
        """Return the way through all entries, where a term has as many."""
        if not any(isinstance(t, Block) and t.rows == self.rows and t.columns == self.columns for t in self.terms):
            raise UnsupportedError(
                "there is no known way to solve with this sum through its factors",
                hint="np.linalg.solve on dense(), its axes flattened to `shape`; or scipy's cg on linear_operator()",
            )
        return Dense(self)


# ---------------------------------------------------------------- ways to solve with a sum


class Dense:
    """All entries, factorised."""

    def __init__(self, total: Sum) -> None:
        self.total, self.solver = total, Solver(total.matrix)

    def solve(self, b: Array, at: Labels) -> Labelled:
        t = self.total
        vectors = as_matrix(b, at, t.over, t.rows, without(at, t.over, t.rows))
        return t.unfolded(self.solver.solve(vectors), t.columns, b, at)


class Woodbury:
    """`(Δ + L Rᵀ)⁻¹ b = y − Z (I + Rᵀ Z)⁻¹ Rᵀ y` with `y = Δ⁻¹ b` and `Z = Δ⁻¹ L`."""

    def __init__(self, total: Sum, base: Map, low: Mapping[Map, tuple[Labelled, Labelled]]) -> None:
        self.total, self.base = total, base
        over = total.over
        lefts = [full(left, (*over, *total.rows), total.sizes)[0] for left, _ in low.values()]
        rights = [full(right, (*over, *total.columns), total.sizes)[0] for _, right in low.values()]
        solved = base.solve(np.concatenate(lefts, axis=-1), (*over, *total.rows, INNER))
        self.z = as_matrix(*solved, over, total.columns, (INNER,))
        right = as_matrix(
            np.concatenate(rights, axis=-1), (*over, *total.columns, INNER), over, total.columns, (INNER,)
        )
        self.right = np.swapaxes(right, -1, -2)
        product = self.right @ self.z
        size = 1.0 + float(np.max(np.abs(self.right) @ np.abs(self.z), initial=0.0))
        self.core = Solver(np.eye(product.shape[-1], dtype=product.dtype) + product, size=size)

    def once(self, b: Array, at: Labels) -> Labelled:
        t = self.total
        y, labels = self.base.solve(b, at)
        vectors = as_matrix(y, labels, t.over, t.columns, without(at, t.over, t.rows))
        return t.unfolded(vectors - self.z @ self.core.solve(self.right @ vectors), t.columns, b, at)

    def solve(self, b: Array, at: Labels) -> Labelled:
        """Return the solution, corrected once by what it leaves over."""
        x, labels = self.once(b, at)
        more, again = self.once(b - spread(*self.total.apply(x, labels), at), at)
        return x + spread(more, again, labels), labels


class Sylvester:
    """`Σ_t A_t x + shift · x = b`, each A_t on axes of its own."""

    def __init__(self, total: Sum, parts: Sequence[tuple[Labels, Labels, Map]], shift: Any) -> None:
        self.total = total
        self.rows = [rows for rows, _, _ in parts]
        self.columns = [columns for _, columns, _ in parts]
        arrays = [as_matrix(p.array((*o, *c)), (*o, *c), (), o, c) for o, c, p in parts]
        self.system = KroneckerSum(arrays, shift)

    def solve(self, b: Array, at: Labels) -> Labelled:
        rest = without(at, self.total.rows)
        moved = spread(b, at, (*union(*self.rows), *rest))
        sizes = [prod(self.total.sizes[a] for a in rows) for rows in self.rows]
        x = self.system.solve(moved.reshape(*sizes, prod(moved.shape[len(self.total.rows) :])))
        columns = union(*self.columns)
        return x.reshape([*(self.total.sizes[a] for a in columns), *moved.shape[len(columns) :]]), (*columns, *rest)
