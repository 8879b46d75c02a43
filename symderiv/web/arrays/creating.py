"""New arrays."""

from __future__ import annotations

from math import prod
from typing import Any

from symderiv.web.arrays.array import Array, as_array
from symderiv.web.arrays.kinds import cast, kind_of, kind_of_value

__all__ = [
    "arange", "array", "asarray", "eye", "full", "indices", "linspace", "ones", "ones_like", "zeros", "zeros_like",
]  # fmt: skip


def array(value: Any, dtype: Any = None) -> Array:
    """Return a new array of what is given."""
    found = as_array(value)
    return found.copy() if dtype is None else found.astype(dtype)


def asarray(value: Any, dtype: Any = None) -> Array:
    """Return an array of what is given."""
    found = as_array(value)
    return found if dtype is None or kind_of(dtype) == found.kind else found.astype(dtype)


def full(shape: Any, value: Any, dtype: Any = None) -> Array:
    """Return an array of equal entries."""
    if isinstance(value, Array):
        value = value.item()
    sizes = tuple(int(n) for n in shape) if isinstance(shape, (tuple, list)) else (int(shape),)
    kind = kind_of_value(value) if dtype is None else kind_of(dtype)
    return Array(cast([value], kind_of_value(value), kind) * prod(sizes), sizes, kind)


def zeros(shape: Any, dtype: Any = float) -> Array:
    """Return an array of zeros."""
    return full(shape, 0, dtype)


def ones(shape: Any, dtype: Any = float) -> Array:
    """Return an array of ones."""
    return full(shape, 1, dtype)


def zeros_like(a: Any) -> Array:
    """Return zeros of the shape and kind of an array."""
    return full(as_array(a).shape, 0, as_array(a).dtype)


def ones_like(a: Any) -> Array:
    """Return ones of the shape and kind of an array."""
    return full(as_array(a).shape, 1, as_array(a).dtype)


def eye(n: int, dtype: Any = float) -> Array:
    """Return the identity."""
    n = int(n)
    found = zeros((n, n), dtype)
    one = full((), 1, dtype).data[0]
    for k in range(n):
        found.data[k * (n + 1)] = one
    return found


def arange(*bounds: Any, dtype: Any = None) -> Array:
    """Return whole numbers in a row."""
    values = list(range(*(int(b) for b in bounds)))
    return array(values, dtype) if values else zeros(0, dtype or int)


def linspace(start: Any, stop: Any, count: int) -> Array:
    """Return numbers at equal distances, both ends among them."""
    start, stop = float(start), float(stop)
    step = (stop - start) / (count - 1) if count > 1 else 0.0
    values = [start + k * step for k in range(count)]
    if count > 1:
        values[-1] = stop
    return Array(values, (count,), "f")


def indices(shape: tuple[int, ...]) -> Array:
    """Return the subscripts of every entry, those of each axis in an array."""
    rows = [
        arange(n).reshape((1,) * k + (n,) + (1,) * (len(shape) - k - 1)).broadcast_to(shape)
        for k, n in enumerate(shape)
    ]
    return as_array(rows)
