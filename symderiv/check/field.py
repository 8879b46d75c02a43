"""Arithmetic modulo primes, chosen so that the functions of analysis have exact models.

A tower is a chain of primes p₀ > p₁ > … with pⱼ = 2·pⱼ₊₁ + 1 and pⱼ ≡ −1 modulo 8·3·5·7.

- pⱼ ≡ 3 modulo 4, so of ±a exactly one is a square: *square* plays the part of *positive*.  The numbers
  2, 3, 5 and 7 are squares, and each square has one square root that is itself a square.
- The squares of pⱼ form a cyclic group of the prime order pⱼ₊₁, so exp: a ↦ g^a maps the numbers modulo pⱼ₊₁
  into the squares modulo pⱼ with exp(a + b) = exp(a)·exp(b); the discrete logarithm is its inverse.
- The circle c² + s² = 1 modulo pⱼ is a cyclic group of order pⱼ + 1.  A prime ℓ dividing that number is
  shared by the tower, and the subgroup of order ℓ models (cos, sin) of numbers modulo ℓ.

Everything works on int64 arrays with entries in 0 … p − 1.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache
from math import gcd
from typing import Any, TypeAlias
from zlib import crc32

import numpy as np
import numpy.typing as npt

Array: TypeAlias = npt.NDArray[Any]

SCALAR_LOOP = 48  # below this many entries Python's own pow is faster than an array loop
BABY_STEPS = 1 << 16
FILTER_BITS = 22


@dataclass(frozen=True)
class Tower:
    """A chain of primes, and the prime ℓ of its circles."""

    primes: tuple[int, ...]
    circle: int | None


TOWERS = (
    Tower((122344319, 61172159, 30586079, 15293039, 7646519), 9103),
    Tower((258625919, 129312959, 64656479, 32328239, 16164119), 2749),
    Tower((63826559, 31913279, 15956639, 7978319, 3989159), 1583),
    Tower((130542719, 65271359, 32635679, 16317839, 8158919), 883),  # 11 is a square
    Tower((265534079, 132767039, 66383519, 33191759, 16595879), 859),  # 23
    Tower((121094399, 60547199, 30273599, 15136799, 7568399), None),  # 17
    Tower((156636479, 78318239, 39159119, 19579559), None),  # 11, 13
)
PREFERRED = 3


@lru_cache(maxsize=1024)
def tower_for(numbers: frozenset[int], level: int, turn: int) -> Tower:
    """Return a tower where as many of the given primes as possible are squares; `turn` varies it."""

    def squares(tower: Tower) -> int:
        p = tower.primes[min(level, len(tower.primes) - 1)]
        return sum(pow(n, (p - 1) // 2, p) == 1 for n in numbers)

    best = max(map(squares, TOWERS[:PREFERRED]))
    fitting = [t for t in TOWERS[:PREFERRED] if squares(t) == best]
    if best < len(numbers):
        fitting = [t for t in TOWERS if squares(t) == max(map(squares, TOWERS))]
    return fitting[turn % len(fitting)]


@lru_cache(maxsize=128)
def field(p: int) -> Field:
    """Return the field of p elements; its tables are made once."""
    return Field(p)


class Field:
    """The integers modulo an odd prime p < 2³¹."""

    def __init__(self, p: int) -> None:
        self.p = p
        self.half = (p - 1) // 2

    def number(self, numerator: int, denominator: int = 1) -> int:
        """Return a fraction as an element; ZeroDivisionError where p divides the denominator."""
        if denominator % self.p == 0:
            raise ZeroDivisionError
        return numerator * pow(denominator, -1, self.p) % self.p

    # -- products and sums

    def contract(self, spec: str, a: Array, b: Array, terms: int) -> Array:
        """Return einsum(spec, a, b) mod p, where each result sums at most `terms` products."""
        if terms * self.p * self.p < 1 << 63:
            return np.asarray(np.einsum(spec, a, b) % self.p)
        # halves of 16 bits, so that sums of products stay below 2⁶³
        high = np.einsum(spec, a >> 16, b) % self.p
        low = np.einsum(spec, a & 0xFFFF, b) % self.p
        return np.asarray(((high << 16) + low) % self.p)

    def power(self, a: Array, exponent: int) -> Array:
        """Return a**exponent, exponent ≥ 0, by repeated squaring."""
        if a.size <= SCALAR_LOOP and exponent > 8:
            flat = [pow(x, exponent, self.p) for x in a.ravel().tolist()]
            return np.array(flat, dtype=np.int64).reshape(a.shape)
        result, base = np.ones_like(a), a
        while exponent:
            if exponent & 1:
                result = result * base % self.p
            exponent >>= 1
            if exponent:
                base = base * base % self.p
        return result

    def powers(self, a: Array, exponents: Array) -> Array:
        """Return a**exponents entry by entry, exponents ≥ 0."""
        a, exponents = np.broadcast_arrays(a, exponents)
        result, base, left = np.ones_like(a), a, exponents
        while left.any():
            result = np.where(left & 1, result * base % self.p, result)
            base = base * base % self.p
            left = left >> 1
        return result

    def inverse(self, a: Array) -> tuple[Array, Array]:
        """Return 1/a (0 where a is 0) and where a is 0."""
        return self.power(a, self.p - 2), a == 0

    # -- squares and roots

    def is_square(self, a: Array) -> Array:
        """Tell nonzero squares: Euler's criterion a^((p−1)/2) = 1."""
        return np.asarray(self.power(a, self.half) == 1)

    @property
    def has_order(self) -> bool:
        """Tell whether squares can stand for positive numbers: p ≡ 3 modulo 4."""
        return self.p % 4 == 3

    def root(self, a: Array) -> tuple[Array, Array]:
        """Return the square root that is a square, and where a is one; p ≡ 3 modulo 4."""
        r = self.power(a, (self.p + 1) // 4)
        return r, r * r % self.p == a

    def rational_power(self, a: Array, numerator: int, denominator: int) -> tuple[Array, Array] | None:
        """Return a^(n/d) and where it is defined (a a square); None where the group has no d-th roots."""
        if not self.has_order or gcd(denominator, self.half) != 1:
            return None
        if denominator == 2:
            r, fine = self.root(a)
            value = self.power(r, abs(numerator))
        else:
            fine = self.is_square(a)
            value = self.power(a, abs(numerator) * pow(denominator, -1, self.half) % self.half)
        if numerator < 0:
            value, zero = self.inverse(value)
            fine = fine & ~zero
        return value, fine

    # -- exp and log

    @cached_property
    def _exp_table(self) -> list[Array]:
        """g^(j·256ⁱ) for j < 256 and each byte i of the exponent; g = 4 generates the squares."""
        rows, base = [], 4
        for _ in range(4):
            row = [1]
            for _ in range(255):
                row.append(row[-1] * base % self.p)
            rows.append(np.array(row, dtype=np.int64))
            base = row[-1] * base % self.p
        return rows

    def exp(self, exponents: Array) -> Array:
        """Return g^exponents, exponents given modulo (p − 1)/2."""
        table = self._exp_table
        value = table[0][exponents & 255]
        for k in range(1, 4):
            value = value * table[k][(exponents >> 8 * k) & 255] % self.p
        return np.asarray(value)

    @cached_property
    def _baby(self) -> tuple[Array, Array, Array, Array]:
        powers = np.array([1], dtype=np.int64)
        while len(powers) < BABY_STEPS:
            powers = np.concatenate([powers, powers * pow(4, len(powers), self.p) % self.p])
        order = np.argsort(powers)
        seen = np.zeros(1 << FILTER_BITS, dtype=bool)
        seen[powers & ((1 << FILTER_BITS) - 1)] = True
        step = pow(pow(4, BABY_STEPS, self.p), -1, self.p)
        giant = [1]
        while len(giant) * BABY_STEPS <= self.half:
            giant.append(giant[-1] * step % self.p)
        return powers[order], order, seen, np.array(giant, dtype=np.int64)

    def log(self, a: Array) -> Array:
        """Return the exponent e modulo (p − 1)/2 with g^e = ±a, by baby and giant steps; a ≠ 0.

        The exponent of a² is found and halved, so that log(−a) = log(a) = log|a|.
        """
        powers, order, seen, giant = self._baby
        flat = (a * a % self.p).ravel()
        result = np.zeros(len(flat), dtype=np.int64)
        for start in range(0, len(flat), 256):
            block = flat[start : start + 256, None] * giant % self.p
            rows, steps = np.nonzero(seen[block & ((1 << FILTER_BITS) - 1)])
            found = block[rows, steps]
            place = np.minimum(np.searchsorted(powers, found), len(powers) - 1)
            hit = powers[place] == found
            result[start + rows[hit]] = steps[hit] * BABY_STEPS + order[place[hit]]
        return np.asarray(result * pow(2, -1, self.half) % self.half).reshape(a.shape)

    # -- the circle

    def circle(self, order: int) -> tuple[Array, Array]:
        """Return cos and sin of 0 … ℓ − 1: the powers of a point of order ℓ on c² + s² = 1."""
        return _circle(self.p, order)

    # -- values without a model

    def opaque(self, tag: str, a: Array) -> Array:
        """Return a nonzero value that depends on the tag and on a, and is otherwise arbitrary."""
        key = (crc32(tag.encode()) << 31) ^ self.p
        with np.errstate(over="ignore"):
            x = a.astype(np.uint64) + np.uint64(key * 0x9E3779B97F4A7C15 % (1 << 64))
            for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
                x = (x ^ (x >> np.uint64(shift))) * np.uint64(factor)
        x = x ^ (x >> np.uint64(31))
        return (x % np.uint64(self.p - 1)).astype(np.int64) + 1

    def odd(self, tag: str, a: Array) -> Array:
        """Return an opaque odd function: f(−a) = −f(a)."""
        value = self.opaque(tag, np.minimum(a, self.p - a))
        return np.where(a == 0, 0, np.where(a <= self.half, value, self.p - value))

    def even(self, tag: str, a: Array) -> Array:
        """Return an opaque even function: f(−a) = f(a)."""
        return self.opaque(tag, np.minimum(a, (self.p - a) % self.p))

    # -- matrices, in the last two axes

    def eliminate(self, a: Array) -> tuple[Array, Array, Array]:
        """Return a⁻¹, det a and where a is singular.

        A fixed random matrix r multiplies from the left, so that no pivot has to be looked for.
        """
        n, p = a.shape[-1], self.p
        r, det_r = self._mixer(n)
        work = np.concatenate([self.contract("ij,...jk->...ik", r, a, n), np.broadcast_to(r, a.shape)], axis=-1)
        det = np.full(a.shape[:-2], pow(det_r, -1, p), dtype=np.int64)
        for k in range(n):
            pivot = work[..., k, k].copy()
            det = det * pivot % p
            row = work[..., k, :] * self.inverse(pivot)[0][..., None] % p
            column = work[..., :, k].copy()
            column[..., k] = 0
            work[..., k, :] = row
            work = (work - column[..., :, None] * row[..., None, :]) % p
        return work[..., n:], det, det == 0

    def _mixer(self, n: int) -> tuple[Array, int]:
        return _mixer(self.p, n)


@lru_cache(maxsize=256)
def _mixer(p: int, n: int) -> tuple[Array, int]:
    """Return a random lower times upper triangular matrix and its determinant."""
    rng = np.random.default_rng([n, p])
    lower = np.tril(rng.integers(1, p, (n, n)), -1) + np.eye(n, dtype=np.int64)
    upper = np.triu(rng.integers(1, p, (n, n)))
    det = 1
    for k in range(n):
        det = det * int(upper[k, k]) % p
    return field(p).contract("ij,jk->ik", lower, upper, n), det


@lru_cache(maxsize=64)
def _circle(p: int, order: int) -> tuple[Array, Array]:
    def times(u: tuple[int, int], v: tuple[int, int]) -> tuple[int, int]:
        return (u[0] * v[0] - u[1] * v[1]) % p, (u[0] * v[1] + u[1] * v[0]) % p

    t, point = 2, (1, 0)
    while point == (1, 0):  # a rational point of the circle, to the power (p + 1)/ℓ
        scale = pow(1 + t * t, -1, p)
        base, exponent = ((1 - t * t) * scale % p, 2 * t * scale % p), (p + 1) // order
        while exponent:
            point = times(point, base) if exponent & 1 else point
            base, exponent = times(base, base), exponent >> 1
        t += 1
    points = [(1, 0)]
    while len(points) < order:
        points.append(times(points[-1], point))
    cos, sin = zip(*points, strict=True)
    return np.array(cos, dtype=np.int64), np.array(sin, dtype=np.int64)
