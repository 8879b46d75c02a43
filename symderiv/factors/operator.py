"""A structured derivative at given arrays: a linear operator over NumPy's arrays."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from math import prod
from typing import Any

import numpy as np

from symderiv.errors import ShapeError, UnsupportedError
from symderiv.factors import parts
from symderiv.factors.labelled import INNER, Labelled, Sizes, without
from symderiv.factors.maps import Block, Map, Product, Sum


class Operator:
    """A derivative as a linear operator, from arrays of the variable's shape to arrays of the function's.

    `matvec`, `rmatvec` and `solve` take an array of that shape, or the same as one flat vector (its axes in C order),
    and answer in kind.  Factorisations are made when first needed and kept.  `shape` is that of the flat matrix.
    """

    def __init__(
        self, root: Map, rows: Sequence[int], columns: Sequence[int], kind: str, sizes: Sizes, dtype: Any
    ) -> None:
        self.root, self.kind = root, kind
        self.row_shape, self.column_shape = tuple(rows), tuple(columns)
        self.sizes, self.dtype = sizes, dtype

    def __repr__(self) -> str:
        return f"<{self.kind} {self.row_shape} × {self.column_shape}>"

    @property
    def shape(self) -> tuple[int, int]:
        """Return the shape of the flat matrix."""
        return prod(self.row_shape), prod(self.column_shape)

    def matvec(self, x: Any) -> Any:
        """Return `Σ_c D[o, c] x[c]`."""
        return self._mapped(self.root, x, self.column_shape, self.row_shape)

    def rmatvec(self, y: Any) -> Any:
        """Return `Σ_o D[o, c] y[o]`, the product with the transpose."""
        return self._mapped(self._transposed, y, self.row_shape, self.column_shape)

    def __matmul__(self, x: Any) -> Any:
        return self.matvec(x)

    @cached_property
    def _transposed(self) -> Map:
        return self.root.transposed({})

    def _mapped(self, root: Map, x: Any, given: tuple[int, ...], wanted: tuple[int, ...]) -> Any:
        array, flat = self._checked(x, given)
        value, labels = root.apply(array.reshape([self.sizes[a] for a in root.columns_in_order]), root.columns_in_order)
        return self._shaped(value, labels, root.rows_in_order, wanted, flat)

    def solve(self, b: Any) -> Any:
        """Return x with `matvec(x) = b`; a singular matrix is NumPy's `LinAlgError`.

        Refused where no way through the factors is known.
        """
        rows, columns = self.shape
        if rows != columns:
            raise ShapeError(
                f"a system with {rows} equations for {columns} unknowns has no inverse",
                shapes={"function": str(self.row_shape), "variable": str(self.column_shape)},
                hint="np.linalg.lstsq on dense(), its axes flattened to `shape`",
            )
        array, flat = self._checked(b, self.row_shape)
        root = self.root
        labels = root.rows_in_order
        value, at = root.solve(array.reshape([self.sizes[a] for a in labels]), labels)
        return self._shaped(value, at, root.columns_in_order, self.column_shape, flat)

    def dense(self) -> Any:
        """Return all entries, in the shape of the function followed by that of the variable."""
        at = (*self.root.rows_in_order, *self.root.columns_in_order)
        entries = np.broadcast_to(self.root.array(at), [self.sizes[a] for a in at])
        return np.array(entries, self.dtype).reshape(self.row_shape + self.column_shape)

    def linear_operator(self) -> Any:
        """Return it as a `scipy.sparse.linalg.LinearOperator`, for cg, lsmr and their like."""
        try:
            from scipy.sparse.linalg import LinearOperator
        except ImportError:
            raise UnsupportedError("SciPy is not installed", hint="pip install 'symderiv[scipy]'") from None
        return LinearOperator(
            self.shape,
            matvec=lambda x: np.reshape(self.matvec(np.reshape(x, -1)), -1),
            rmatvec=lambda y: np.reshape(self.rmatvec(np.reshape(y, -1)), -1),
            dtype=self.dtype,
        )

    def _checked(self, x: Any, wanted: tuple[int, ...]) -> tuple[Any, bool]:
        """Return an array of the operator's type, and whether it came flat."""
        array = np.asarray(x)
        if array.dtype.kind not in "biuf":
            raise UnsupportedError(f"an array of {array.dtype} holds no real numbers", hint="give an array of floats")
        if array.shape != wanted and array.shape != (prod(wanted),):
            raise ShapeError(
                "the array has the wrong shape", shapes={"wanted": str(wanted), "given": str(array.shape)},
                hint=f"or give it flat: ({prod(wanted)},)",
            )  # fmt: skip
        kind = np.result_type(array.dtype, self.dtype) if array.dtype.kind == "f" else self.dtype
        return array.astype(kind, copy=False), array.shape != wanted

    def _shaped(self, value: Any, at: tuple[int, ...], order: tuple[int, ...], wanted: Any, flat: bool) -> Any:
        assert not without(at, order)
        moved = value.transpose([at.index(a) for a in order])
        return moved.reshape(-1) if flat else moved.reshape(wanted)


def real_type(arrays: Iterable[Any]) -> Any:
    """Return the type that arrays have together; integers count as floats."""
    kinds = [np.asarray(a).dtype for a in arrays]
    return np.result_type(*(k if k.kind == "f" else np.dtype(float) for k in kinds)) if kinds else np.dtype(float)


def built(part: parts.Part, arrays: Iterator[Any], sizes: Sizes, summed: bool = False) -> Map:
    """Return a map with numbers; `arrays` are those of its blocks, in the order of :func:`parts.blocks`."""
    match part:
        case parts.Product():
            inner = [built(p, arrays, sizes, summed and not part.pairs) for p in part.parts]
            return Product(part.pairs, inner, sizes)
        case parts.Sum():
            return Sum(part.rows, part.columns, [built(t, arrays, sizes, True) for t in part.terms], sizes)
    axes = part.over, part.rows, part.columns
    if not summed or part.split is None:
        return Block(axes, sizes, (next(arrays), part.axes), symmetric=part.symmetric)
    count = part.split.count
    left, right = (_one_inner(next(arrays), (*part.over, *own), count) for own in (part.rows, part.columns))
    return Block(axes, sizes, None, (left, right), part.symmetric)


def _one_inner(array: Any, labels: tuple[int, ...], count: int) -> Labelled:
    """Return an array with its last axes, over which a product is summed, as one."""
    shape = array.shape[: array.ndim - count]
    return array.reshape(*shape, prod(array.shape[len(shape) :])), (*labels, INNER)
