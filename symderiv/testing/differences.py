"""Derivatives of functions that are only called: the complex step, and central differences.

The complex step Im f(x + ihv)/h has no cancellation, but is right only where f goes on analytically: `abs` and
comparisons break it without a word.  So it counts where the central differences beside it agree.  Those are taken with
two steps; how far the two lie apart is the error that they are known to.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Function = Callable[[Array], Any]

COMPLEX_STEP = 1e-30
STEP = 2e-3
OFFSETS = (-3, -2, -1, 1, 2, 3)
WEIGHTS = (-1 / 60, 9 / 60, -45 / 60, 45 / 60, -9 / 60, 1 / 60)
CLOSE = 1e-5  # relative: how near the complex step has to be to the differences
COMPLEX_ERROR = 1e-13
ROUNDING = 1e-15


@dataclass(frozen=True)
class Slope:
    """A derivative along a direction, with the error that it is known to, entry by entry."""

    value: Array
    error: Array
    method: str


def along(f: Function, x: Array, v: Array, step: float | None = None) -> Slope:
    """Return the derivative of f at x along v.

    >>> found = along(lambda x: (x**3).sum(), np.array([1.0, 2.0]), np.array([1.0, 0.0]))
    >>> round(float(found.value), 12), found.method
    (3.0, 'complex step')
    """
    h = _step(x, v, STEP if step is None else step, step is None)
    values = {k: np.asarray(f(x + k * h * v), dtype=float) for k in (0, *OFFSETS, -4, 4, -6, 6)}
    fine, coarse = _central(values, 1, h), _central(values, 2, h)
    size = np.maximum(np.abs(fine), np.abs(values[0]).max(initial=0.0))
    error = np.abs(fine - coarse) + _kink(values, h) + ROUNDING * size / h
    exact = complex_step(f, x, v)
    if exact is not None and exact.shape == fine.shape:
        near = np.abs(exact - fine) <= CLOSE * np.maximum(np.abs(fine).max(initial=0.0), 1e-8) + error
        if near.all() and np.isfinite(exact).all():
            return Slope(exact, COMPLEX_ERROR * size, "complex step")
    return Slope(fine, error, "central differences")


def _step(x: Array, v: Array, step: float, scaled: bool) -> float:
    """Return the step along v that moves no entry by more than `step`, or that much of the largest entry."""
    scale = max(1.0, float(np.max(np.abs(x), initial=0.0))) if scaled else 1.0
    return step * scale / max(float(np.max(np.abs(v), initial=0.0)), 1e-300)


def _central(values: Mapping[int, Array], times: int, h: float) -> Array:
    """Return central differences of sixth order with a step of so many h."""
    terms = [w * values[times * k] for k, w in zip(OFFSETS, WEIGHTS, strict=True)]
    return np.asarray(sum(terms) / (times * h))


def _kink(values: Mapping[int, Array], h: float) -> Array:
    """Return by how much the slopes on both sides differ: as good as nothing, but for a kink between them."""
    jumps = [(values[k] - 2 * values[0] + values[-k]) / (k * h) for k in (1, 2)]
    return np.asarray(np.abs(2 * jumps[0] - jumps[1]))


def twice(f: Function, x: Array, v: Array, w: Array, step: float | None = None) -> Slope:
    """Return the second derivative of f at x along v and w: differences along w of derivatives along v."""
    h = _step(x, w, 5 * STEP if step is None else step, step is None)
    inner: list[Slope] = []

    def slope(y: Array) -> Array:
        inner.append(along(f, y, v, step))
        return inner[-1].value

    values = {k: slope(x + k * h * w) for k in (*OFFSETS, -4, 4, -6, 6)}
    fine, coarse = _central(values, 1, h), _central(values, 2, h)
    noise = np.asarray(np.max([s.error for s in inner], axis=0))
    return Slope(fine, np.abs(fine - coarse) + 2 * noise / h, f"differences of {inner[0].method}")


def complex_step(f: Function, x: Array, v: Array) -> Array | None:
    """Return Im f(x + ihv)/h, None where f does not take complex numbers or loses them on its way."""
    try:
        with warnings.catch_warnings(action="error", category=np.exceptions.ComplexWarning), np.errstate(all="ignore"):
            value = np.asarray(f(x + 1j * COMPLEX_STEP * v))
    except Exception:  # whatever a function written for real numbers may raise
        return None
    if value.dtype.kind != "c":
        return None
    return np.asarray(value.imag / COMPLEX_STEP)
