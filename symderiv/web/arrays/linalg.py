"""Matrices in the last two axes: systems, inverses, determinants."""

from __future__ import annotations

from math import prod
from typing import Any

from symderiv.web.arrays.array import Array, as_array
from symderiv.web.arrays.creating import eye
from symderiv.web.arrays.kinds import cast, joined


class LinAlgError(ValueError):
    """A matrix is singular."""


def _matrices(a: Array) -> list[list[list[Any]]]:
    n, m = a.shape[-2:]
    count = prod(a.shape[:-2])
    kind = joined((a.kind, "f"))
    data = cast(a.data, a.kind, kind)
    return [[data[(c * n + i) * m : (c * n + i + 1) * m] for i in range(n)] for c in range(count)]


def _eliminated(rows: list[list[Any]], n: int) -> Any:
    """Bring the first n columns to the identity, in place; return the determinant they had."""
    det: Any = 1.0
    for k in range(n):
        pivot = max(range(k, n), key=lambda i: abs(rows[i][k]))
        if rows[pivot][k] == 0:
            return 0.0
        if pivot != k:
            rows[k], rows[pivot] = rows[pivot], rows[k]
            det = -det
        top = rows[k][k]
        det = det * top
        rows[k] = [v / top for v in rows[k]]
        for i in range(n):
            factor = rows[i][k]
            if i != k and factor != 0:
                rows[i] = [v - factor * w for v, w in zip(rows[i], rows[k], strict=True)]
    return det


def solve(a: Any, b: Any) -> Array:
    """Return x with a @ x = b, b being matrices."""
    left, right = as_array(a), as_array(b)
    lead = left.shape[:-2] if len(left.shape) >= len(right.shape) else right.shape[:-2]
    left, right = left.broadcast_to((*lead, *left.shape[-2:])), right.broadcast_to((*lead, *right.shape[-2:]))
    n = left.shape[-1]
    found: list[Any] = []
    for one, other in zip(_matrices(left), _matrices(right), strict=True):
        rows = [[*p, *q] for p, q in zip(one, other, strict=True)]
        if _eliminated(rows, n) == 0:
            raise LinAlgError("singular matrix")
        found += [v for row in rows for v in row[n:]]
    return Array(found, right.shape, joined((left.kind, right.kind, "f")))


def inv(a: Any) -> Array:
    """Return inverses."""
    found = as_array(a)
    return solve(found, eye(found.shape[-1]))


def det(a: Any) -> Array:
    """Return determinants."""
    found = as_array(a)
    n, kind = found.shape[-1], joined((found.kind, "f"))
    return Array(cast([_eliminated(m, n) for m in _matrices(found)], "c", kind), found.shape[:-2], kind)


def cond(a: Any) -> Array:
    """Return condition numbers, in the norm of column sums: within a factor n of those in the Euclidean norm."""

    def norm(rows: list[list[Any]]) -> float:
        return max((sum(abs(row[j]) for row in rows) for j in range(len(rows))), default=0.0)

    found = as_array(a)
    n = found.shape[-1]
    values = []
    for matrix in _matrices(found):
        rows = [[*row, *(float(i == j) for j in range(n))] for i, row in enumerate(matrix)]
        before = norm(matrix)
        regular = _eliminated(rows, n) != 0
        values.append(before * norm([row[n:] for row in rows]) if regular else float("inf"))
    return Array(values, found.shape[:-2], "f")
