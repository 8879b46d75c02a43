"""Random values that obey assumptions, in floats and modulo primes.

A float point is a smooth image of unconstrained coordinates z (positive numbers are exp(z), say), so that one
can walk through the points of an assumption along a line.  Modulo p, positive numbers are squares, what lies
between 0 and 1 has x and 1 − x square, and rotations come from Cayley's (1 − S)(1 + S)⁻¹.  Signs, counts,
zeros and ones are the same whole numbers in both.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from zlib import crc32

import numpy as np

from symderiv.check.field import Array, Field, field
from symderiv.tensor.expr import Expr

DISCRETE = frozenset({"signs", "binary", "counts", "one_hot_rows"})
SYMMETRIC = frozenset({"symmetric", "positive_definite"})

# How unconstrained variables are drawn: a scale, and what part of the line they come from.
MOODS: tuple[tuple[float, str], ...] = (
    (1.0, "real"), (0.3, "real"), (1.0, "positive"), (1.0, "real"), (0.1, "real"), (1.0, "unit"),
    (2.0, "real"), (0.4, "positive"), (0.5, "real"), (1.0, "negative"), (1.0, "real"), (0.05, "positive"),
)  # fmt: skip


def traits_of(variable: Expr) -> frozenset[str]:
    """Return the assumptions about a variable."""
    return frozenset(variable.data[1])


def is_discrete(variable: Expr) -> bool:
    """Tell whether a variable has whole values only."""
    return bool(traits_of(variable) & DISCRETE)


def stream(seed: int, *key: str | int) -> np.random.Generator:
    """Return a generator that depends on the seed and the key, in the same way in every process."""
    return np.random.default_rng([seed, *(crc32(k.encode()) if isinstance(k, str) else k for k in key)])


def mirrored(a: Array) -> Array:
    """Return matrices with the upper triangle mirrored into the lower."""
    return np.triu(a) + np.swapaxes(np.triu(a, 1), -1, -2)


def _reflected(rotations: Array) -> Array:
    """Return every second one with its first row negated: of determinant −1."""
    result = rotations.copy()
    result[1::2, 0] *= -1
    return result


# ---------------------------------------------------------------- floats


def coordinates(variable: Expr, shape: tuple[int, ...], count: int, rng: np.random.Generator) -> tuple[Array, Array]:
    """Return what a float point is made of: coordinates z, and uniform numbers for what is discrete."""
    return rng.standard_normal((count, *shape)), rng.random((count, *shape))


def realised(variable: Expr, z: Array, u: Array, moods: Sequence[tuple[float, str]]) -> Array:
    """Return the values at coordinates z, one row for each point."""
    traits, n = traits_of(variable), z.shape[-1] if z.ndim > 1 else 1
    if "orthogonal" in traits:
        skew = (z - np.swapaxes(z, -1, -2)) / 2
        return np.asarray(_reflected(np.linalg.solve(np.eye(n) + skew, np.eye(n) - skew)))
    if "one_hot_rows" in traits:
        return np.asarray(np.eye(n)[u.argmax(axis=-1)])
    if traits & {"simplex", "simplex_rows"}:
        e = np.exp(0.7 * (z - z.max(axis=-1, keepdims=True)))
        return np.asarray(e / e.sum(axis=-1, keepdims=True))
    if "positive_definite" in traits:
        if "diagonal" in traits:
            return np.eye(n) * np.exp(np.clip(0.6 * z, -30, 30))
        square = z @ np.swapaxes(z, -1, -2) / n + 0.7 * np.eye(n)
        return np.asarray((square + np.swapaxes(square, -1, -2)) / 2)
    a = _entries(traits, z, u, moods)
    if "invertible" in traits:
        a = a + 1.2 * np.diag(np.where(np.arange(n) % 2, -1.0, 1.0))
    if "symmetric" in traits:
        a = mirrored(a)
    return np.eye(n) * (a + 0.4 * np.sign(a)) if "diagonal" in traits else a


def _entries(traits: frozenset[str], z: Array, u: Array, moods: Sequence[tuple[float, str]]) -> Array:
    if "signs" in traits:
        return np.where(u < 0.5, -1.0, 1.0)
    if "binary" in traits:
        return np.where(u < 0.5, 0.0, 1.0)
    if "counts" in traits:
        return np.asarray(np.floor(1 + 5 * u))
    if "probability" in traits:
        return np.asarray(0.5 + 0.45 * z / np.sqrt(1 + z * z))
    if "open_unit" in traits:
        return np.asarray(0.9 * z / np.sqrt(1 + z * z))
    if "positive" in traits:
        return np.exp(np.clip(0.6 * z, -30, 30))
    rows = []
    for row, (scale, part) in zip(z, [moods[k % len(moods)] for k in range(len(z))], strict=True):
        value = scale * row
        if part == "positive":
            value = scale * (0.2 + np.abs(row))
        elif part == "negative":
            value = -scale * (0.2 + np.abs(row))
        elif part == "unit":
            value = 0.5 + 0.4 * row / np.sqrt(1 + row * row)
        rows.append(value)
    return np.array(rows).reshape(z.shape)


# ---------------------------------------------------------------- residues


class FieldPoints:
    """Residues of every variable at every prime, drawn when they are asked for."""

    def __init__(
        self,
        variables: Mapping[str, Expr],
        shapes: Mapping[str, tuple[int, ...]],
        count: int,
        seed: int,
        whole: Mapping[str, Array],
    ) -> None:
        self.variables, self.shapes, self.count, self.seed, self.whole = variables, shapes, count, seed, whole
        self.values: dict[tuple[str, int], Array] = {}
        self.raw: dict[tuple[int, int], Array] = {}
        self.turned: dict[tuple[int, int], Array] = {}

    def at(self, name: str, p: int) -> Array:
        """Return the values of a variable modulo p, points first."""
        known = self.values.get((name, p))
        if known is None:
            known = self.values[name, p] = self.drawn(name, p, self.count, 0)
        return known

    def drawn(self, name: str, p: int, count: int, turn: int) -> Array:
        """Return fresh values of a variable."""
        variable = self.variables[name]
        if is_discrete(variable):
            return self.whole[name].astype(np.int64) % p
        rng = stream(self.seed, name, p, turn)
        return residues(traits_of(variable), (count, *self.shapes[name]), field(p), rng)

    def direction(self, index: int, p: int) -> Array:
        """Return the directions in which a variable is moved."""
        return self.turned[index, p]

    def chosen(self, rows: Array) -> FieldPoints:
        """Return some of the points."""
        whole = {name: value[rows] for name, value in self.whole.items()}
        result = FieldPoints(self.variables, self.shapes, len(rows), self.seed, whole)
        result.values = {key: value[rows] for key, value in self.values.items()}
        return result

    def varied(self, parents: Array, turn: int) -> FieldPoints:
        """Return neighbours of some of the points: in each one entry of one variable is drawn anew."""
        result = self.chosen(parents)
        rng = stream(self.seed, "varied", turn)
        free = [name for name, v in self.variables.items() if not is_discrete(v)]
        which = rng.integers(0, max(len(free), 1), result.count)
        for (name, p), value in sorted(result.values.items()):
            if name not in free:
                continue
            fresh = self.drawn(name, p, result.count, turn)
            alone = not traits_of(self.variables[name]) - {"positive", "probability", "open_unit", "real"}
            mask = np.ones(value.shape, dtype=bool)
            if alone:  # entries are independent of one another
                spot = stream(self.seed, name, turn).integers(0, max(value[0].size, 1), result.count)
                mask = (np.arange(value[0].size) == spot[:, None]).reshape(value.shape)
            here = (which == free.index(name)).reshape(-1, *(1,) * (value.ndim - 1))
            result.values[name, p] = np.where(mask & here, fresh, value)
        return result


def residues(traits: frozenset[str], shape: tuple[int, ...], f: Field, rng: np.random.Generator) -> Array:
    """Return random elements of a field that obey the assumptions as far as a field can."""
    n, p = shape[-1], f.p
    if "orthogonal" in traits:
        a = rng.integers(0, p, shape)
        skew = (np.triu(a, 1) - np.swapaxes(np.triu(a, 1), -1, -2)) % p
        eye = np.eye(n, dtype=np.int64)
        inverse = f.eliminate((eye + skew) % p)[0]
        return _reflected(f.contract("...ij,...jk->...ik", (eye - skew) % p, inverse, n)) % p
    if traits & {"simplex", "simplex_rows"}:
        return _simplex(shape, f, rng)
    if "positive_definite" in traits and "diagonal" not in traits:
        a = rng.integers(0, p, shape)
        return f.contract("...ij,...kj->...ik", a, a, n)
    if traits & {"positive", "positive_definite"}:
        a = rng.integers(1, p, shape)
        a = a * a % p
    elif traits & {"probability", "open_unit"}:
        a = _between(shape, f, rng, "probability" in traits)
    else:
        a = rng.integers(1, p, shape)
    if traits & SYMMETRIC:
        a = mirrored(a)
    return np.eye(n, dtype=np.int64) * a if "diagonal" in traits else a


def _between(shape: tuple[int, ...], f: Field, rng: np.random.Generator, from_zero: bool) -> Array:
    """Return x with x and 1 − x squares (0 < x < 1), or 1 + x and 1 − x (−1 < x < 1), by rejection."""
    result = np.zeros(shape, dtype=np.int64)
    missing = np.ones(shape, dtype=bool)
    while missing.any():
        x = rng.integers(2, f.p - 1, shape)
        fine = f.is_square(x if from_zero else (1 + x) % f.p) & f.is_square((1 - x) % f.p)
        result = np.where(missing & fine, x, result)
        missing = missing & ~fine
    return result


def _simplex(shape: tuple[int, ...], f: Field, rng: np.random.Generator) -> Array:
    """Return squares whose sum is 1: squares over their sum, where that is a square."""
    result = np.zeros(shape, dtype=np.int64)
    missing = np.ones(shape[:-1], dtype=bool)
    while missing.any():
        a = rng.integers(1, f.p, shape)
        a = a * a % f.p
        total = a.sum(axis=-1) % f.p
        fine = f.is_square(total)
        scaled = a * f.inverse(total)[0][..., None] % f.p
        result = np.where((missing & fine)[..., None], scaled, result)
        missing = missing & ~fine
    return result
