"""Systems with a matrix, with a stack of matrices, and with a Kronecker sum; each is factorised once.

With SciPy one matrix is kept in Cholesky's factors (where it is symmetric and they exist) or in those of LU;
without it, and for a stack, the inverse is kept, and each solution corrected once by what it leaves over.  A
matrix that is singular to the last digit has no solution: NumPy's `LinAlgError`.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from functools import reduce
from typing import Any

import numpy as np

from symderiv.errors import UnsupportedError

try:
    from scipy import linalg as scipy_linalg
except ImportError:  # an extra
    scipy_linalg = None

Solve = Callable[[Any], Any]


def singular(why: str = "the matrix is singular to the last digit") -> np.linalg.LinAlgError:
    """Return the error for a system without a solution, or with many."""
    return np.linalg.LinAlgError(f"{why}: no solution, or many; np.linalg.lstsq on dense() gives the shortest")


class Solver:
    """`A⁻¹ b` for a matrix A or a stack of them, b with as many rows.

    `size` is what the entries of A are sums of, where these cancel: rounding is counted by it.

    >>> Solver(np.array([[9.0, 0.0], [0.0, 4.0]])).solve(np.array([[9.0], [2.0]])).tolist()
    [[1.0], [0.5]]
    """

    def __init__(self, matrix: Any, symmetric: bool = False, size: float = 0.0) -> None:
        self.made_of = matrix, symmetric, size
        rows, columns = matrix.shape[-2:]
        if rows != columns:
            raise singular(f"a factor is {rows} × {columns}")
        symmetric = symmetric or (matrix.ndim == 2 and np.array_equal(matrix, matrix.T))
        self.scale = max(float(np.max(np.abs(matrix).sum(axis=-2), initial=0.0)), size)
        self.least = np.finfo(matrix.dtype).eps * (10 + rows**0.5 if size else 1)
        self.solve: Solve = (
            self.by_factors(matrix, symmetric)
            if scipy_linalg is not None and matrix.ndim == 2 and rows
            else self.by_inverse(matrix)
        )

    def __reduce__(self) -> tuple[Any, ...]:
        return (Solver, self.made_of)

    def checked(self, condition: float) -> None:
        """Refuse a matrix of which a reciprocal condition number is 0 to the last digit."""
        if not condition >= self.least:
            raise singular()

    def by_factors(self, matrix: Any, symmetric: bool) -> Solve:
        norm = matrix.dtype.type(self.scale)
        if symmetric:
            try:
                factor = scipy_linalg.cho_factor(matrix, lower=True)
            except np.linalg.LinAlgError:
                pass  # not positive definite
            else:
                (pocon,) = scipy_linalg.get_lapack_funcs(("pocon",), (matrix,))
                self.checked(pocon(factor[0], norm, uplo="L")[0])
                return lambda b: scipy_linalg.cho_solve(factor, b)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of an exact 0 in the factor, which is found below
            lu = scipy_linalg.lu_factor(matrix)
        (gecon,) = scipy_linalg.get_lapack_funcs(("gecon",), (matrix,))
        self.checked(gecon(lu[0], norm)[0])
        return lambda b: scipy_linalg.lu_solve(lu, b)

    def by_inverse(self, matrix: Any) -> Solve:
        try:
            inverse = np.linalg.inv(matrix)
        except np.linalg.LinAlgError:
            raise singular() from None
        norms = [np.abs(m).sum(axis=-2).max(axis=-1, initial=0.0) for m in (matrix, inverse)]
        sizes = np.maximum(norms[0], self.scale) if self.least > np.finfo(matrix.dtype).eps else norms[0]
        with np.errstate(divide="ignore", invalid="ignore"):
            self.checked(float(np.min(1 / (sizes * norms[1]), initial=1.0)) if matrix.size else 1.0)

        def solve(b: Any) -> Any:
            x = inverse @ b
            return x + inverse @ (b - matrix @ x)

        return solve


def is_symmetric(matrix: Any) -> bool:
    """Tell whether a matrix is its transpose, but for rounding."""
    off = np.max(np.abs(matrix - matrix.T), initial=0.0)
    return bool(off <= 8 * np.finfo(matrix.dtype).eps * np.max(np.abs(matrix), initial=0.0))


class KroneckerSum:
    """`Σ_t A_t x = b`, where A_t works on axis t of x, its columns along; shift · x is added."""

    def __init__(self, matrices: Sequence[Any], shift: Any) -> None:
        self.made_of = matrices, shift
        first, *others = matrices
        self.matrices = [first + shift * np.eye(len(first), dtype=first.dtype), *others]
        if all(is_symmetric(a) for a in self.matrices):
            self.solve = self.by_eigenvectors()
        elif len(matrices) == 2 and scipy_linalg is not None:
            self.solve = self.by_schur()
        else:
            raise UnsupportedError(
                f"a Kronecker sum of {len(matrices)} matrices that are not symmetric is not solved here",
                hint="that of two is, where SciPy is installed; or solve with dense()",
            )

    def __reduce__(self) -> tuple[Any, ...]:
        return (KroneckerSum, self.made_of)

    def by_eigenvectors(self) -> Solve:
        """With A_t = P_t α_t P_tᵀ the system is diagonal in the eigenvectors."""
        pairs = [np.linalg.eigh(a) for a in self.matrices]
        total = reduce(np.add.outer, [values for values, _ in pairs])
        sizes = reduce(np.add.outer, [np.abs(values) for values, _ in pairs])
        if np.any(np.abs(total) <= np.finfo(total.dtype).eps * np.max(sizes, initial=0.0)):
            raise singular("two eigenvalues add up to 0")

        def turned(x: Any, back: bool) -> Any:
            for axis, (_, vectors) in enumerate(pairs):
                x = np.moveaxis(np.tensordot(vectors if back else vectors.T, x, (1, axis)), 0, axis)
            return x

        return lambda b: turned(turned(b, False) / total[..., None], True)

    def by_schur(self) -> Solve:
        """With A = P R Pᵀ and B = Q S Qᵀ, triangular R and S: `R w + w Sᵀ = Pᵀ b Q`, `x = P w Qᵀ`."""
        left, right = self.matrices
        r, p = scipy_linalg.schur(left, output="real")
        s, q = scipy_linalg.schur(right, output="real")
        (trsyl,) = scipy_linalg.get_lapack_funcs(("trsyl",), (r, s))

        def one(b: Any) -> Any:
            w, scale, info = trsyl(r, s, p.T @ b @ q, tranb="T")
            if info:
                raise singular("two eigenvalues add up to 0")
            return p @ (w * scale) @ q.T

        return lambda b: np.stack([one(b[..., k]) for k in range(b.shape[-1])], axis=-1)
