"""Float arrays that fulfil an assumption, made from unconstrained numbers.

Every array is a function of coordinates z (any floats) and of uniform numbers u in [0, 1): what is drawn
freely, and shrinks freely, is z and u.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from symderiv.check.field import Array
from symderiv.check.points import realised
from symderiv.errors import ShapeError, UnsupportedError
from symderiv.tensor.parse import SQUARE, TRAITS, variable

LEAST = 0.2  # how far from 0 an entry is that must not be 0


def fulfilling(traits: Iterable[str], z: Array, u: Array) -> Array:
    """Return an array with the assumptions, made from z and u, which have its shape.

    >>> z, u = np.array([[1.0, 2.0], [3.0, 4.0]]), np.zeros((2, 2))
    >>> fulfilling(["symmetric"], z, u).tolist()
    [[1.0, 2.0], [2.0, 4.0]]
    >>> fulfilling(["signs"], z, u).tolist()
    [[-1.0, -1.0], [-1.0, -1.0]]
    """
    wanted = frozenset(traits)
    if wanted - TRAITS:
        raise UnsupportedError(f"unknown assumption {min(wanted - TRAITS)!r}", hint="known are " + ", ".join(TRAITS))
    if wanted & SQUARE and (z.ndim != 2 or z.shape[0] != z.shape[1]):
        raise ShapeError(f"{min(wanted & SQUARE)} is assumed of square matrices", shapes={"array": str(z.shape)})
    if "invertible" in wanted and not wanted & {"orthogonal", "positive_definite"}:
        return _dominant(z, wanted)
    if "diagonal" in wanted and "positive_definite" not in wanted:
        return np.asarray(np.diag(np.diag(z)))
    x = variable("x", z.shape, wanted)
    return np.asarray(realised(x, z[None], u[None], [(1.0, "real")])[0])


def _dominant(z: Array, traits: frozenset[str]) -> Array:
    """Return a matrix whose diagonal outweighs the rest of each row, and which is therefore invertible."""
    n = len(z)
    small = z / (1 + np.abs(z)) / (2 * n)
    if "symmetric" in traits:
        small = (small + small.T) / 2
    if "diagonal" in traits:
        small = np.diag(np.diag(small))
    signs = np.where(np.diag(z) < 0, -1.0, 1.0)
    return np.asarray(small * (1 - np.eye(n)) + np.diag(np.diag(z) + signs * (0.5 + LEAST)))
