"""Random numbers: reproducible, but others than NumPy's."""

from __future__ import annotations

from math import prod
from random import Random
from typing import Any

from symderiv.web.arrays.array import Array

Shape = Any


class Generator:
    """A stream of random numbers."""

    def __init__(self, seed: Any) -> None:
        self._random = Random(repr(seed))

    def _filled(self, draw: Any, size: Shape, kind: str) -> Array:
        shape = () if size is None else tuple(map(int, size)) if isinstance(size, (tuple, list)) else (int(size),)
        return Array([draw() for _ in range(prod(shape))], shape, kind)

    def integers(self, low: int, high: int | None = None, size: Shape = None) -> Array:
        """Return whole numbers from `low` to below `high`."""
        low, high = (0, low) if high is None else (low, high)
        return self._filled(lambda: self._random.randrange(int(low), int(high)), size, "i")

    def standard_normal(self, size: Shape = None) -> Array:
        """Return normally distributed numbers."""
        return self._filled(lambda: self._random.gauss(0.0, 1.0), size, "f")

    def random(self, size: Shape = None) -> Array:
        """Return numbers between 0 and 1."""
        return self._filled(self._random.random, size, "f")

    def uniform(self, low: float, high: float, size: Shape = None) -> Array:
        """Return numbers of an interval."""
        return self._filled(lambda: self._random.uniform(low, high), size, "f")


def default_rng(seed: Any = None) -> Generator:
    """Return a stream that depends on the seed."""
    return Generator([int(s) for s in seed] if isinstance(seed, (list, tuple)) else seed)
