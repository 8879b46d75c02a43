"""Shapes: broadcasting, and the places of entries in a flat list."""

from __future__ import annotations

from functools import lru_cache
from math import prod

Shape = tuple[int, ...]


def steps(shape: Shape) -> Shape:
    """Return how far apart neighbours along each axis lie.

    >>> steps((2, 3, 4))
    (12, 4, 1)
    """
    found = []
    step = 1
    for size in reversed(shape):
        found.append(step)
        step *= size
    return tuple(reversed(found))


def broadcast(*shapes: Shape) -> Shape:
    """Return the shape of an entrywise operation.

    >>> broadcast((3, 1), (4,))
    (3, 4)
    """
    rank = max(map(len, shapes), default=0)
    found = [1] * rank
    for shape in shapes:
        for k, size in enumerate(reversed(shape), 1):
            if size != 1 and found[-k] not in (1, size):
                raise ValueError(f"shapes do not fit: {shapes}")
            if size != 1:
                found[-k] = size
    return tuple(found)


@lru_cache(maxsize=4096)
def offsets(sizes: Shape, strides: Shape) -> tuple[int, ...]:
    """Return where entries lie, row by row, for sizes and distances along each axis."""
    found = [0]
    for size, stride in zip(sizes, strides, strict=True):
        moves = range(0, size * stride, stride) if stride else [0] * size
        found = [place + move for place in found for move in moves]
    return tuple(found)


def spread_places(shape: Shape, wanted: Shape) -> tuple[int, ...]:
    """Return for each entry of a broadcast array which one of the smaller it is."""
    lead = len(wanted) - len(shape)
    strides = (0,) * lead + tuple(0 if n == 1 else s for n, s in zip(shape, steps(shape), strict=True))
    return offsets(wanted, strides)


def whole_shape(shape: Shape, size: int) -> Shape:
    """Return a shape with its −1 filled in."""
    if -1 not in shape:
        return shape
    known = prod(n for n in shape if n != -1)
    return tuple(size // known if n == -1 else n for n in shape)


def axes_of(axis: int | tuple[int, ...] | None, rank: int) -> tuple[int, ...]:
    """Return axes counted from the front; all of them for None."""
    if axis is None:
        return tuple(range(rank))
    return tuple(int(k) % rank for k in (axis if isinstance(axis, tuple) else (axis,)))
