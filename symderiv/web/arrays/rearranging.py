"""Entries put elsewhere: axes moved, pieces joined, triangles, sums of products."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

from symderiv.web.arrays.array import Array, as_array
from symderiv.web.arrays.creating import arange, zeros
from symderiv.web.arrays.kinds import cast, joined
from symderiv.web.arrays.shapes import axes_of, broadcast, steps
from symderiv.web.arrays.sums import summed

__all__ = [
    "broadcast_arrays", "broadcast_to", "concatenate", "diag", "diagonal", "einsum", "expand_dims", "moveaxis", "pad",
    "ravel", "reshape", "resize", "shape", "squeeze", "swapaxes", "take", "tensordot", "trace", "transpose", "tril",
    "triu", "unravel_index",
]  # fmt: skip


def broadcast_to(a: Any, shape: Any) -> Array:
    """Return an array repeated to a shape."""
    return as_array(a).broadcast_to(tuple(shape))


def broadcast_arrays(*several: Any) -> list[Array]:
    """Return arrays repeated to their common shape."""
    arrays = [as_array(a) for a in several]
    shape = broadcast(*(a.shape for a in arrays))
    return [a.broadcast_to(shape) for a in arrays]


def transpose(a: Any, axes: Any = None) -> Array:
    """Return an array with its axes in another order."""
    return as_array(a).transpose(*([] if axes is None else [tuple(axes)]))


def swapaxes(a: Any, one: int, other: int) -> Array:
    """Return an array with two axes exchanged."""
    return as_array(a).swapaxes(one, other)


def moveaxis(a: Any, source: Any, target: Any) -> Array:
    """Return an array with some axes moved, the others in their order."""
    found = as_array(a)
    start, end = (axes_of(tuple(x) if isinstance(x, (list, range)) else x, found.ndim) for x in (source, target))
    rest = iter([k for k in range(found.ndim) if k not in start])
    places = dict(zip(end, start, strict=True))
    return found.transpose(tuple(places[k] if k in places else next(rest) for k in range(found.ndim)))


def squeeze(a: Any, axis: Any = None) -> Array:
    """Return an array without axes of size 1."""
    return as_array(a).squeeze(axis)


def expand_dims(a: Any, axis: int) -> Array:
    """Return an array with an axis of size 1 put in."""
    found = as_array(a)
    axis = axis % (found.ndim + 1)
    return found.reshape((*found.shape[:axis], 1, *found.shape[axis:]))


def reshape(a: Any, shape: Any) -> Array:
    """Return an array cut anew."""
    return as_array(a).reshape(tuple(shape) if isinstance(shape, (tuple, list)) else shape)


def ravel(a: Any) -> Array:
    """Return the entries in a row."""
    return as_array(a).ravel()


def shape(a: Any) -> tuple[int, ...]:
    """Return the shape of an array."""
    return as_array(a).shape


def take(a: Any, index: int, axis: int) -> Array:
    """Return what stands at one place of an axis."""
    found = as_array(a)
    return found[(*[slice(None)] * (axis % found.ndim), int(index))]


def concatenate(several: Sequence[Any], axis: int = 0) -> Array:
    """Return arrays one behind the other."""
    arrays = [as_array(a) for a in several]
    kind = joined(a.kind for a in arrays)
    axis = axis % arrays[0].ndim
    before, behind = arrays[0].shape[:axis], arrays[0].shape[axis + 1 :]
    rows = []
    for row in range(prod(before)):
        for a in arrays:
            width = prod(a.shape[axis:])
            rows += cast(a.data[row * width : (row + 1) * width], a.kind, kind)
    return Array(rows, (*before, sum(a.shape[axis] for a in arrays), *behind), kind)


def pad(a: Any, widths: Sequence[tuple[int, int]]) -> Array:
    """Return an array with zeros around it."""
    found = as_array(a)
    wide = zeros(tuple(n + before + after for n, (before, after) in zip(found.shape, widths, strict=True)), found.dtype)
    wide[tuple(slice(before, before + n) for n, (before, _) in zip(found.shape, widths, strict=True))] = found
    return wide


def resize(a: Any, size: int) -> Array:
    """Return so many entries, from the beginning again where there are too few."""
    found = as_array(a).ravel()
    return Array([found.data[k % found.size] for k in range(size)], (size,), found.kind)


def diagonal(a: Any, axis1: int = 0, axis2: int = 1) -> Array:
    """Return diagonals, as the last axis."""
    found = as_array(a)
    one, other = axis1 % found.ndim, axis2 % found.ndim
    own = steps(found.shape)
    kept = [k for k in range(found.ndim) if k not in (one, other)]
    size = min(found.shape[one], found.shape[other])
    return found.picked((*(found.shape[k] for k in kept), size), (*(own[k] for k in kept), own[one] + own[other]))


def trace(a: Any, axis1: int = 0, axis2: int = 1) -> Array:
    """Return sums of diagonals."""
    return diagonal(a, axis1, axis2).sum(axis=-1)


def diag(a: Any) -> Array:
    """Return a diagonal matrix, or the diagonal of a matrix."""
    found = as_array(a)
    if found.ndim == 2:
        return diagonal(found)
    n = found.size
    wide = zeros((n, n), found.dtype)
    wide[arange(n), arange(n)] = found
    return wide


def _triangle(a: Any, keeps: Any) -> Array:
    found = as_array(a)
    rows, columns = found.shape[-2:]
    zero = cast([0], "i", found.kind)[0]
    mask = [keeps(j - i) for i in range(rows) for j in range(columns)]
    data = [v if mask[k % len(mask)] else zero for k, v in enumerate(found.data)]
    return Array(data, found.shape, found.kind)


def triu(a: Any, k: int = 0) -> Array:
    """Return what stands on and above a diagonal."""
    return _triangle(a, lambda d: d >= k)


def tril(a: Any, k: int = 0) -> Array:
    """Return what stands on and below a diagonal."""
    return _triangle(a, lambda d: d <= k)


def unravel_index(place: int, shape: tuple[int, ...]) -> tuple[int, ...]:
    """Return the subscripts of an entry."""
    return tuple(int(place) // step % size for size, step in zip(shape, steps(shape), strict=True))


# ---------------------------------------------------------------- sums of products


def einsum(spec: str, *several: Any) -> Array:
    """Return a sum of products; the axes under an ellipsis are broadcast."""
    arrays = [as_array(a) for a in several]
    kind = joined(a.kind for a in arrays)
    kind = "i" if kind == "b" else kind
    return Array(*summed(spec, [(a.data, a.shape) for a in arrays], cast([0], "i", kind)[0]), kind)


def tensordot(a: Any, b: Any, axes: int = 2) -> Array:
    """Return a sum of products over the last axes of one and the first of the other."""
    one, other = as_array(a), as_array(b)
    letters = [chr(97 + k) for k in range(one.ndim + other.ndim)]
    left, right = (
        letters[: one.ndim],
        letters[one.ndim - axes : one.ndim] + letters[one.ndim : one.ndim + other.ndim - axes],
    )
    rest = [c for c in left + right if not (c in left and c in right)]
    return einsum(f"{''.join(left)},{''.join(right)}->{''.join(rest)}", one, other)
