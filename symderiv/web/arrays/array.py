"""An array: a shape, and its entries row by row in a list."""

from __future__ import annotations

import cmath
import math
import operator
from collections.abc import Callable, Iterator
from itertools import product
from math import prod
from typing import Any

from symderiv.web.arrays.kinds import OF_KINDS, OF_TYPES, WORD, DType, cast, joined, kind_of, kind_of_value
from symderiv.web.arrays.shapes import Shape, axes_of, broadcast, offsets, spread_places, steps, whole_shape
from symderiv.web.arrays.sums import summed

NAN = float("nan")


class Array:
    """Entries of one kind; those of `data` must not be changed but by this array."""

    __slots__ = ("data", "kind", "shape")

    def __init__(self, data: list[Any], shape: Shape, kind: str) -> None:
        self.data, self.shape, self.kind = data, shape, kind

    # -- what it is

    @property
    def ndim(self) -> int:
        return len(self.shape)

    @property
    def size(self) -> int:
        return len(self.data)

    @property
    def dtype(self) -> DType:
        return OF_KINDS[self.kind]

    @property
    def T(self) -> Array:
        return self.transpose()

    @property
    def real(self) -> Array:
        return Array([v.real for v in self.data], self.shape, "f") if self.kind == "c" else self

    @property
    def imag(self) -> Array:
        return Array([v.imag for v in self.data], self.shape, "f") if self.kind == "c" else self * 0

    def __len__(self) -> int:
        return self.shape[0]

    def __iter__(self) -> Iterator[Array]:
        return (self[k] for k in range(len(self)))

    def __repr__(self) -> str:
        return f"array({self.tolist()!r})"

    def __format__(self, spec: str) -> str:
        return format(self.item(), spec)

    def item(self) -> Any:
        """Return the only entry."""
        (value,) = self.data
        return value

    def __bool__(self) -> bool:
        return bool(self.item())

    def __int__(self) -> int:
        return int(self.item())

    def __float__(self) -> float:
        return float(self.item())

    def __complex__(self) -> complex:
        return complex(self.item())

    def __index__(self) -> int:
        return operator.index(self.item())

    def __hash__(self) -> int:
        return hash(self.item())

    def tolist(self) -> Any:
        """Return the entries as lists in lists."""
        if not self.shape:
            return self.data[0]
        if len(self.shape) == 1:
            return list(self.data)
        return [row.tolist() for row in self]

    def copy(self) -> Array:
        return Array(list(self.data), self.shape, self.kind)

    def astype(self, dtype: Any) -> Array:
        kind = kind_of(dtype)
        return Array(list(cast(self.data, self.kind, kind)), self.shape, kind)

    # -- rearranged

    def reshape(self, *shape: Any) -> Array:
        wanted = whole_shape(
            tuple(int(n) for n in (shape[0] if isinstance(shape[0], tuple) else shape)) if shape else (), self.size
        )
        if prod(wanted) != self.size:
            raise ValueError(f"{self.shape} cannot be cut into {wanted}")
        return Array(self.data, wanted, self.kind).copy()

    def ravel(self) -> Array:
        return self.reshape(-1)

    def transpose(self, *axes: Any) -> Array:
        order = axes[0] if len(axes) == 1 and isinstance(axes[0], (tuple, list)) else axes
        order = axes_of(tuple(order), self.ndim) if order else tuple(reversed(range(self.ndim)))
        own = steps(self.shape)
        return self.picked(tuple(self.shape[k] for k in order), tuple(own[k] for k in order))

    def swapaxes(self, one: int, other: int) -> Array:
        order = list(range(self.ndim))
        order[one], order[other] = order[other], order[one]
        return self.transpose(tuple(order))

    def squeeze(self, axis: Any = None) -> Array:
        gone = axes_of(axis, self.ndim) if axis is not None else [k for k, n in enumerate(self.shape) if n == 1]
        return self.reshape(tuple(n for k, n in enumerate(self.shape) if k not in gone))

    def picked(self, shape: Shape, strides: Shape, start: int = 0) -> Array:
        """Return the entries at regular distances."""
        data = self.data
        return Array([data[start + k] for k in offsets(shape, strides)], shape, self.kind)

    def broadcast_to(self, shape: Shape) -> Array:
        if shape == self.shape:
            return self
        data = self.data
        return Array([data[k] for k in spread_places(self.shape, shape)], shape, self.kind)

    # -- entries

    def __getitem__(self, key: Any) -> Array:
        places, shape = self._places(key)
        data = self.data
        return Array([data[k] for k in places], shape, self.kind)

    def __setitem__(self, key: Any, value: Any) -> None:
        places, shape = self._places(key)
        given = as_array(value)
        while given.ndim > len(shape) and given.shape[0] == 1:
            given = given.reshape(given.shape[1:])
        values = cast(given.broadcast_to(shape).data, given.kind, self.kind)
        for place, entry in zip(places, values, strict=True):
            self.data[place] = entry

    def _places(self, key: Any) -> tuple[list[int] | tuple[int, ...], Shape]:
        """Return the places of what a subscript means, and its shape."""
        parts = list(key) if isinstance(key, tuple) else [key]
        parts = [as_array(p) if isinstance(p, (list, Array)) else p for p in parts]
        parts = [p.item() if isinstance(p, Array) and not p.shape and p.kind != "b" else p for p in parts]
        used = sum(
            p.ndim if isinstance(p, Array) and p.kind == "b" else p is not None and p is not Ellipsis for p in parts
        )
        fill = [slice(None)] * (self.ndim - used)
        at = next((k for k, p in enumerate(parts) if p is Ellipsis), None)
        parts = parts[:at] + fill + parts[at + 1 :] if at is not None else parts + fill
        own = steps(self.shape)
        axis, start = 0, 0
        sizes: list[int] = []
        strides: list[int] = []
        advanced: list[tuple[Array, int, int]] = []
        spot: int | None = None
        for part in parts:
            if part is None:
                sizes.append(1)
                strides.append(0)
                continue
            if isinstance(part, Array):
                spot = len(sizes) if spot is None else spot
                indices = nonzero(part) if part.kind == "b" else (part,)
                for index in indices:
                    advanced.append((index, own[axis], self.shape[axis]))
                    axis += 1
                continue
            size, stride = self.shape[axis], own[axis]
            if isinstance(part, slice):
                first, stop, step = part.indices(size)
                sizes.append(len(range(first, stop, step)))
                strides.append(stride * step)
                start += first * stride
            else:
                place = operator.index(part)
                if not -size <= place < size:
                    raise IndexError(f"{place} of {size}")
                start += place % size * stride
            axis += 1
        if not advanced:
            return [start + k for k in offsets(tuple(sizes), tuple(strides))], tuple(sizes)
        return self._advanced(sizes, strides, start, advanced, spot or 0)

    @staticmethod
    def _advanced(
        sizes: list[int], strides: list[int], start: int, advanced: list[tuple[Array, int, int]], spot: int
    ) -> tuple[list[int], Shape]:
        """Return places where arrays are among the subscripts: their axes stand where the first of them does."""
        shape = broadcast(*(index.shape for index, _, _ in advanced))
        rows = [[k % n * stride for k in index.broadcast_to(shape).data] for index, stride, n in advanced]
        inner = [sum(row) for row in zip(*rows, strict=True)]
        before = offsets(tuple(sizes[:spot]), tuple(strides[:spot]))
        behind = offsets(tuple(sizes[spot:]), tuple(strides[spot:]))
        places = [start + a + b + c for a in before for b in inner for c in behind]
        return places, (*sizes[:spot], *shape, *sizes[spot:])

    # -- arithmetic

    def __add__(self, other: Any) -> Array:
        return combined(operator.add, self, other)

    def __radd__(self, other: Any) -> Array:
        return combined(operator.add, other, self)

    def __sub__(self, other: Any) -> Array:
        return combined(operator.sub, self, other)

    def __rsub__(self, other: Any) -> Array:
        return combined(operator.sub, other, self)

    def __mul__(self, other: Any) -> Array:
        return combined(operator.mul, self, other)

    def __rmul__(self, other: Any) -> Array:
        return combined(operator.mul, other, self)

    def __truediv__(self, other: Any) -> Array:
        return combined(divided, self, other, least="f")

    def __rtruediv__(self, other: Any) -> Array:
        return combined(divided, other, self, least="f")

    def __floordiv__(self, other: Any) -> Array:
        return combined(operator.floordiv, self, other)

    def __mod__(self, other: Any) -> Array:
        return combined(remainder, self, other)

    def __pow__(self, other: Any) -> Array:
        return combined(raised, self, other)

    def __rpow__(self, other: Any) -> Array:
        return combined(raised, other, self)

    def __and__(self, other: Any) -> Array:
        return combined(operator.and_, self, other)

    def __or__(self, other: Any) -> Array:
        return combined(operator.or_, self, other)

    def __xor__(self, other: Any) -> Array:
        return combined(operator.xor, self, other)

    __rand__, __ror__, __rxor__ = __and__, __or__, __xor__

    def __lshift__(self, other: Any) -> Array:
        return combined(operator.lshift, self, other)

    def __rshift__(self, other: Any) -> Array:
        return combined(operator.rshift, self, other)

    def __rrshift__(self, other: Any) -> Array:
        return combined(operator.rshift, other, self)

    def __neg__(self) -> Array:
        return Array([-v for v in self.data], self.shape, self.kind)

    def __invert__(self) -> Array:
        return Array([not v if self.kind == "b" else ~v for v in self.data], self.shape, self.kind)

    def __abs__(self) -> Array:
        return Array([abs(v) for v in self.data], self.shape, "f" if self.kind == "c" else self.kind)

    def __matmul__(self, other: Any) -> Array:
        b = as_array(other)
        if self.ndim == 1:
            spec = "q,q->" if b.ndim == 1 else "q,...qj->...j"
        else:
            spec = "...iq,q->...i" if b.ndim == 1 else "...iq,...qj->...ij"
        kind = joined((self.kind, b.kind, "i"))
        return Array(*summed(spec, [(self.data, self.shape), (b.data, b.shape)], cast([0], "i", kind)[0]), kind)

    def __lt__(self, other: Any) -> Array:
        return combined(operator.lt, self, other, result="b")

    def __le__(self, other: Any) -> Array:
        return combined(operator.le, self, other, result="b")

    def __gt__(self, other: Any) -> Array:
        return combined(operator.gt, self, other, result="b")

    def __ge__(self, other: Any) -> Array:
        return combined(operator.ge, self, other, result="b")

    def __eq__(self, other: Any) -> Array:  # type: ignore[override]
        return combined(operator.eq, self, other, result="b")

    def __ne__(self, other: Any) -> Array:  # type: ignore[override]
        return combined(operator.ne, self, other, result="b")

    # -- reductions

    def reduced(self, reduce: Callable[[list[Any]], Any], axis: Any, keepdims: bool, kind: str | None = None) -> Array:
        """Return what a function makes of all entries along some axes."""
        gone = axes_of(axis, self.ndim)
        kept = [k for k in range(self.ndim) if k not in gone]
        own = steps(self.shape)
        outer = offsets(tuple(self.shape[k] for k in kept), tuple(own[k] for k in kept))
        inner = offsets(tuple(self.shape[k] for k in gone), tuple(own[k] for k in gone))
        data = self.data
        values = [reduce([data[a + b] for b in inner]) for a in outer]
        shape = tuple(1 if k in gone else n for k, n in enumerate(self.shape) if keepdims or k not in gone)
        return Array(values, shape, kind or self.kind)

    def sum(self, axis: Any = None, keepdims: bool = False) -> Array:
        kind = "i" if self.kind == "b" else self.kind
        return self.reduced(lambda vs: sum(vs, cast([0], "i", kind)[0]), axis, keepdims, kind)

    def prod(self, axis: Any = None, keepdims: bool = False) -> Array:
        return self.reduced(prod, axis, keepdims)

    def any(self, axis: Any = None, keepdims: bool = False) -> Array:
        return self.reduced(any, axis, keepdims, "b")

    def all(self, axis: Any = None, keepdims: bool = False) -> Array:
        return self.reduced(all, axis, keepdims, "b")

    def max(self, axis: Any = None, keepdims: bool = False, initial: Any = None) -> Array:
        return self.reduced(lambda vs: largest(vs, initial), axis, keepdims)

    def min(self, axis: Any = None, keepdims: bool = False) -> Array:
        return -((-self).max(axis, keepdims))

    def argmax(self, axis: int | None = None) -> Array:
        return self.reduced(place_of_largest, axis, False, "i")

    def nonzero(self) -> tuple[Array, ...]:
        return nonzero(self)

    def argsort(self, kind: str = "") -> Array:
        return Array(sorted(range(self.size), key=self.data.__getitem__), self.shape, "i")

    def round(self, digits: int = 0) -> Array:
        return Array([float(round(v, digits)) for v in self.data], self.shape, self.kind)


# ---------------------------------------------------------------- one entry


def divided(a: Any, b: Any) -> Any:
    """Return a quotient; infinite or no number where it has to be."""
    try:
        return a / b
    except ZeroDivisionError:
        if isinstance(a, complex) or isinstance(b, complex):
            return complex(NAN, NAN)
        return NAN if a == 0 or a != a else math.copysign(math.inf, a) * math.copysign(1.0, b)


def remainder(a: Any, b: Any) -> Any:
    """Return what is left of a division; no number for one by 0."""
    try:
        return a % b
    except (ZeroDivisionError, ValueError):
        return NAN if isinstance(a, float) else 0


def raised(a: Any, b: Any) -> Any:
    """Return a power; infinite or no number where it has to be."""
    try:
        value = a**b
    except ZeroDivisionError:
        return complex(NAN, NAN) if isinstance(a, complex) else math.inf
    except OverflowError:
        return complex(math.inf, NAN) if isinstance(a, complex) else math.inf
    return NAN if isinstance(value, complex) and not isinstance(a, complex) and not isinstance(b, complex) else value


def largest(values: list[Any], initial: Any = None) -> Any:
    """Return the largest; no number where one is none."""
    if initial is not None:
        values = [*values, initial]
    return next((v for v in values if v != v), None) or max(values)


def place_of_largest(values: list[Any]) -> int:
    """Return the first place of the largest, or of what is no number."""
    first = next((k for k, v in enumerate(values) if v != v), None)
    return max(range(len(values)), key=values.__getitem__) if first is None else first


# ---------------------------------------------------------------- several arrays


def as_array(value: Any) -> Array:
    """Return an array of numbers, lists of them, or arrays."""
    if isinstance(value, Array):
        return value
    if type(value) in OF_TYPES:
        return Array([value], (), OF_TYPES[type(value)])
    if isinstance(value, (list, tuple, range)):
        rows = [as_array(v) for v in value]
        kind = joined(row.kind for row in rows)
        shapes = {row.shape for row in rows}
        if len(shapes) > 1:
            raise ValueError(f"rows of several shapes: {sorted(shapes)}")
        data = [v for row in rows for v in cast(row.data, row.kind, kind)]
        return Array(data, (len(rows), *next(iter(shapes), ())), kind)
    return Array([value], (), kind_of_value(value))


def combined(
    operation: Callable[[Any, Any], Any], one: Any, other: Any, least: str = "b", result: str | None = None
) -> Array:
    """Return an entrywise operation; a number of Python's own takes the kind of the array where that holds it."""
    a, b = as_array(one), as_array(other)
    kind = joined((a.kind, b.kind, least))
    if "u" in (a.kind, b.kind) and kind == "u":
        a, b = a.astype(OF_KINDS["u"]), b.astype(OF_KINDS["u"])
    if a.shape == b.shape:
        shape, left, right = a.shape, a.data, b.data
    else:
        shape = broadcast(a.shape, b.shape)
        left, right = a.broadcast_to(shape).data, b.broadcast_to(shape).data
    values = [operation(x, y) for x, y in zip(left, right, strict=True)]
    if result is None and kind == "u":
        values = [v & WORD for v in values]
    if result is None and kind == "b":  # as in NumPy, a sum of truth values is one
        values = [bool(v) for v in values]
    if result is None and kind == "f" and any(type(v) is not float for v in values):
        values = [float(v) for v in values]
    return Array(values, shape, result or kind)


def nonzero(a: Array) -> tuple[Array, ...]:
    """Return the places of what is not 0, one array for each axis."""
    places = [at for at, v in zip(product(*map(range, a.shape)), a.data, strict=True) if v]
    return tuple(Array([at[k] for at in places], (len(places),), "i") for k in range(a.ndim))


def complex_function(real: Callable[[float], float], other: Callable[[complex], complex]) -> Callable[[Any], Array]:
    """Return a function on arrays, from one on floats and one on complex numbers."""

    def on_float(v: float) -> float:
        try:
            return real(v)
        except ValueError:
            return NAN
        except OverflowError:
            return math.inf

    def on_complex(v: complex) -> complex:
        try:
            return other(v)
        except (ValueError, OverflowError):
            return complex(NAN, NAN)

    def function(value: Any) -> Array:
        a = as_array(value)
        if a.kind == "c":
            return Array([on_complex(v) for v in a.data], a.shape, "c")
        return Array([on_float(float(v)) for v in a.data], a.shape, "f")

    return function


__all__ = ["Array", "as_array", "cmath", "combined", "complex_function", "nonzero"]
