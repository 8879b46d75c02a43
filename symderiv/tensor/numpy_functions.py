"""NumPy's own functions, one by one, as operations of the language: sums, rearrangements, constants, choices.

Each has the name and the parameters of NumPy; :mod:`symderiv.tensor.protocol` says how they are called.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from symderiv import dims
from symderiv.errors import UnsupportedError
from symderiv.tensor.conditions import Both, Not, Relation, Test, equal, where
from symderiv.tensor.constants import constant, filled
from symderiv.tensor.expr import Expr
from symderiv.tensor.operations import apply, flat, kept, refuse
from symderiv.tensor.parse import number, raised, size
from symderiv.tensor.protocol import Axis, a_shape, a_size, axes_of, follows, reduced

# ---------------------------------------------------------------- sums and means


@follows("sum")
def _sum(a: Any, axis: Axis = None, dtype: Any = None, out: Any = None, keepdims: bool = False) -> Expr:
    return reduced("sum", constant(a), axis, keepdims)


@follows("mean")
def _mean(a: Any, axis: Axis = None, dtype: Any = None, out: Any = None, keepdims: bool = False) -> Expr:
    return reduced("mean", constant(a), axis, keepdims)


@follows("prod")
def _prod(a: Any, axis: Axis = None, dtype: Any = None, out: Any = None, keepdims: bool = False) -> Expr:
    return reduced("prod", constant(a), axis, keepdims)


@follows("average")
def _average(a: Any, axis: Axis = None, weights: Any = None, keepdims: bool = False) -> Expr:
    x = constant(a)
    if weights is None:
        return reduced("mean", x, axis, keepdims)
    w = constant(weights)
    if w.axes != x.axes:
        raise refuse("the weights of an average have the shape of the array", [x, w])
    total = reduced("sum", apply("mul", x, w), axis, keepdims)
    return apply("div", total, reduced("sum", w, axis, keepdims))


@follows("var")
def _var(a: Any, axis: Axis = None, dtype: Any = None, out: Any = None, ddof: Any = 0, keepdims: bool = False) -> Expr:
    x = constant(a)
    off = apply("sub", x, reduced("mean", x, axis, keepdims=bool(x.rank)))
    squares = raised(off, number(2))
    freedom = constant(ddof)
    if freedom == number(0):
        return reduced("mean", squares, axis, keepdims)
    count = size(dims.product(x.shape[k] for k in axes_of(axis, x)))
    return apply("div", reduced("sum", squares, axis, keepdims), apply("sub", count, freedom))


@follows("std")
def _std(a: Any, axis: Axis = None, dtype: Any = None, out: Any = None, ddof: Any = 0, keepdims: bool = False) -> Expr:
    return apply("sqrt", _var(a, axis, ddof=ddof, keepdims=keepdims))


# ---------------------------------------------------------------- rearrangements


@follows("transpose", "permute_dims", view=True)
def _transpose(a: Any, axes: Any = None) -> Expr:
    x = constant(a)
    if axes is None:
        return apply("transpose", x) if x.rank > 1 else x
    return permuted(x, axes_of(tuple(axes), x))


@follows("matrix_transpose", "linalg.matrix_transpose", view=True)
def _matrix_transpose(x: Any) -> Expr:
    return _swapaxes(x, -1, -2)


def permuted(x: Expr, order: tuple[int, ...]) -> Expr:
    """Return an array with its axes in another order."""
    if order == tuple(range(x.rank)):
        return x
    return apply("transpose", x) if order == (1, 0) else apply("transpose", x, data=(order,))


@follows("swapaxes", view=True)
def _swapaxes(a: Any, axis1: int, axis2: int) -> Expr:
    x = constant(a)
    order = list(range(x.rank))
    i, j = axes_of(axis1, x)[0], axes_of(axis2, x)[0]
    order[i], order[j] = j, i
    return permuted(x, tuple(order))


@follows("moveaxis", view=True)
def _moveaxis(a: Any, source: Axis, destination: Axis) -> Expr:
    x = constant(a)
    left, right = axes_of(source, x), axes_of(destination, x)
    if source is None or len(left) != len(right):
        raise refuse("moveaxis needs as many new places as axes", [x])
    order = [k for k in range(x.rank) if k not in left]
    for to, k in sorted(zip(right, left, strict=True)):
        order.insert(to, k)
    return permuted(x, tuple(order))


@follows("expand_dims", view=True)
def _expand_dims(a: Any, axis: Any) -> Expr:
    x = constant(a)
    wanted = tuple(axis) if isinstance(axis, (tuple, list)) else (axis,)
    rank = x.rank + len(wanted)
    places = {k % rank for k in wanted if -rank <= k < rank}
    if len(places) < len(wanted):
        raise refuse(f"axis {axis} is out of range", [x], f"the result has {rank} axes")
    return kept(x, sorted(places), rank)


@follows("squeeze", view=True)
def _squeeze(a: Any, axis: Axis = None) -> Expr:
    x = constant(a)
    ones = [k for k in range(x.rank) if x.shape[k] == 1]
    over = ones if axis is None else list(axes_of(axis, x))
    if not set(over) <= set(ones):
        raise refuse("squeeze takes away axes of size 1", [x])
    for k in sorted(over, reverse=True):
        x = apply("sum", x, data=(k,))
    return x


@follows("ravel", view=True)
def _ravel(a: Any, order: str = "C") -> Expr:
    x = constant(a)
    if order == "F":
        return apply("vec", x) if x.rank > 1 else flat(x)
    return flat(x)


@follows("reshape", view=True)
def _reshape(a: Any, shape: Any = None, newshape: Any = None, order: str = "C") -> Expr:
    x = constant(a)
    wanted = shape if newshape is None else newshape
    parts = list(wanted) if isinstance(wanted, (tuple, list)) else [wanted]
    open_places = [k for k, part in enumerate(parts) if isinstance(part, int) and part == -1]
    if len(open_places) > 1:
        raise refuse("only one size of a reshape can be left open", [x])
    sizes = [a_size(p) for k, p in enumerate(parts) if k not in open_places]
    if open_places:
        rest = dims.product(x.shape) / dims.product(sizes)
        if rest.as_numer_denom()[1] != 1:
            raise refuse(f"the open size would be {rest}", [x])
        sizes.insert(open_places[0], rest)
    if order == "F":
        return _column_major(x, sizes)
    return (
        flat(x) if len(sizes) == 1 and sizes[0] == dims.product(x.shape) else apply("reshape", x, data=(tuple(sizes),))
    )


def _column_major(x: Expr, sizes: Sequence[dims.Size]) -> Expr:
    """Return a reshape by columns: that of the transpose by rows, transposed."""
    if sizes == [dims.product(x.shape)] and x.rank > 1:
        return apply("vec", x)
    turned = apply("reshape", _transpose(x), data=(tuple(reversed(sizes)),))
    return _transpose(turned)


@follows("broadcast_to", view=True)
def _broadcast_to(array: Any, shape: Any) -> Expr:
    x, wanted = constant(array), a_shape(shape)
    result = apply("mul", x, apply("ones", data=(wanted,))) if wanted else x
    if result.shape != wanted:
        raise refuse(f"cannot be broadcast to {dims.written(wanted)}", [x])
    return result


@follows("copy")
def _copy(a: Any, order: str = "K") -> Expr:
    return constant(a)


# ---------------------------------------------------------------- sizes and constants


@follows("shape")
def _shape(a: Any) -> tuple[Expr, ...]:
    return tuple(size(s) for s in constant(a).shape)


@follows("ndim")
def _ndim(a: Any) -> int:
    return constant(a).rank


@follows("size")
def _size(a: Any, axis: Axis = None) -> Expr:
    x = constant(a)
    return size(dims.product(x.shape[k] for k in axes_of(axis, x)))


@follows("eye", "identity")
def _eye(N: Any, M: Any = None, k: int = 0, dtype: Any = None, order: str = "C", like: Any = None) -> Expr:
    n = a_size(N)
    if k != 0 or (M is not None and a_size(M) != n):
        raise UnsupportedError("only the square eye(n) is in the language")
    return apply("eye", data=(n,))


@follows("ones")
def _ones(shape: Any, dtype: Any = None, order: str = "C", like: Any = None) -> Expr:
    return filled(a_shape(shape), number(1))


@follows("zeros")
def _zeros(shape: Any, dtype: Any = None, order: str = "C", like: Any = None) -> Expr:
    return filled(a_shape(shape), number(0))


@follows("full")
def _full(shape: Any, fill_value: Any, dtype: Any = None, order: str = "C", like: Any = None) -> Expr:
    return _broadcast_to(constant(fill_value), shape if isinstance(shape, (tuple, list)) else (shape,))


@follows("ones_like")
def _ones_like(a: Any, dtype: Any = None, order: str = "K", subok: bool = True, shape: Any = None) -> Expr:
    return _like(constant(a), number(1), shape)


@follows("zeros_like")
def _zeros_like(a: Any, dtype: Any = None, order: str = "K", subok: bool = True, shape: Any = None) -> Expr:
    return _like(constant(a), number(0), shape)


@follows("full_like")
def _full_like(
    a: Any, fill_value: Any, dtype: Any = None, order: str = "K", subok: bool = True, shape: Any = None
) -> Expr:
    x = constant(a)
    value = constant(fill_value)
    return _like(x, value, shape) if value.op == "number" else apply("mul", value, _like(x, number(1), shape))


def _like(x: Expr, value: Expr, shape: Any) -> Expr:
    if shape is not None:
        return filled(a_shape(shape), value)
    atoms = tuple(atom for axis in x.axes for atom in axis)
    plain = filled(atoms, value)
    return plain if len(atoms) == x.rank else apply("reshape", plain, data=(x.shape,))


# ---------------------------------------------------------------- choices


@follows("where")
def _where(condition: Any, x: Any = None, y: Any = None) -> Expr:
    if x is None or y is None:
        raise UnsupportedError("np.where needs both branches", hint="write np.where(condition, yes, no)")
    return where(a_test(condition), constant(x), constant(y))


def a_test(value: Any) -> Test:
    """Return a test; of an array, that an entry is not 0."""
    if isinstance(value, (Relation, Both, Not)):
        return value
    if isinstance(value, bool):
        raise UnsupportedError(f"the condition of np.where is {value}", hint="choose the branch with if")
    return Not(equal(constant(value), number(0)))


@follows("clip")
def _clip(
    a: Any, a_min: Any = None, a_max: Any = None, out: Any = None, *, min: Any = None, max: Any = None
) -> Expr:  # fmt: skip
    x = constant(a)
    low, high = (a_min if min is None else min), (a_max if max is None else max)
    if low is not None:
        x = apply("maximum", x, constant(low))
    return x if high is None else apply("minimum", x, constant(high))
