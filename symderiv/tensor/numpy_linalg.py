"""NumPy's linear algebra, function by function, as operations of the language."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from operator import index
from string import ascii_letters
from typing import Any, NamedTuple

from symderiv import dims
from symderiv.errors import UnsupportedError
from symderiv.tensor.constants import constant
from symderiv.tensor.expr import Expr
from symderiv.tensor.operations import apply, flat, inner, kept, refuse
from symderiv.tensor.parse import einsum_spec, number, raised
from symderiv.tensor.protocol import Axis, axes_of, follows, reduced


@follows("linalg.norm")
def _norm(x: Any, ord: Any = None, axis: Axis = None, keepdims: bool = False) -> Expr:
    a = constant(x)
    over = axes_of(axis, a)
    euclidean = ord is None or (ord == 2 and len(over) == 1) or (ord == "fro" and len(over) == 2)
    if ord == 1 and len(over) == 1:
        return reduced("sum", apply("map", a, data=("abs", 0)), over, keepdims)
    if not euclidean:
        raise UnsupportedError(
            f"the norm of order {ord!r} of {len(over)} axes is not in the language",
            shapes={"argument": dims.written(a.shape)},
            hint="the Euclidean (Frobenius) norm, and ord=1 of vectors, are",
        )
    if len(over) == a.rank:
        return kept(apply("norm", a), over, a.rank) if keepdims else apply("norm", a)
    return apply("sqrt", reduced("sum", raised(a, number(2)), over, keepdims))


class Slogdet(NamedTuple):
    """The sign of a determinant and the logarithm of its absolute value."""

    sign: Any
    logabsdet: Any


@follows("linalg.slogdet")
def _slogdet(a: Any) -> Slogdet:
    x = constant(a)
    return Slogdet(apply("map", apply("det", x), data=("sign", 0)), apply("logdet", x))


@follows("linalg.inv")
def _inv(a: Any) -> Expr:
    return apply("inv", constant(a))


@follows("linalg.det")
def _det(a: Any) -> Expr:
    return apply("det", constant(a))


@follows("linalg.solve")
def _solve(a: Any, b: Any) -> Expr:
    return apply("solve", constant(a), constant(b))


@follows("linalg.matrix_power")
def _matrix_power(a: Any, n: Any) -> Expr:
    return apply("matrix_power", constant(a), data=(index(n),))


@follows("trace", "linalg.trace")
def _trace(a: Any, offset: int = 0, axis1: int = 0, axis2: int = 1, dtype: Any = None, out: Any = None) -> Expr:
    return apply("trace", _main(constant(a), offset, (axis1, axis2)))


@follows("diagonal", "linalg.diagonal", view=True)
def _diagonal(a: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Expr:
    x = _main(constant(a), offset, (axis1, axis2))
    if x.rank != 2:
        raise refuse("diagonal needs a matrix", [x])
    return apply("diag", x)


@follows("diag", view=True)
def _diag(v: Any, k: int = 0) -> Expr:
    return apply("diag", _main(constant(v), k, (0, 1)))


def _main(x: Expr, offset: int, axes: tuple[int, int]) -> Expr:
    if offset != 0 or tuple(axes) not in ((0, 1), (1, 0), (-2, -1)):
        raise UnsupportedError("only the main diagonal of a matrix is in the language")
    return x


@follows("dot")
def dot(a: Any, b: Any, out: Any = None) -> Expr:
    """Return `np.dot`: a product with a scalar, or of vectors and matrices."""
    x, y = constant(a), constant(b)
    return apply("matmul" if x.rank and y.rank else "mul", x, y)


@follows("inner")
def _inner(a: Any, b: Any) -> Expr:
    x, y = constant(a), constant(b)
    return inner(x, y)


@follows("outer", "linalg.outer")
def _outer(a: Any, b: Any, out: Any = None) -> Expr:
    return apply("outer", flat(constant(a)), flat(constant(b)))


@follows("vdot")
def _vdot(a: Any, b: Any) -> Expr:
    x, y = constant(a), constant(b)
    if x.rank == y.rank == 1:
        return apply("inner", x, y)
    if x.axes != y.axes:
        x, y = flat(x), flat(y)
        if x.axes != y.axes:
            raise refuse("vdot needs arrays with the same entries", [x, y])
    return apply("sum", apply("mul", x, y))


@follows("kron")
def _kron(a: Any, b: Any) -> Expr:
    return apply("kron", constant(a), constant(b))


@follows("linalg.multi_dot")
def _multi_dot(arrays: Sequence[Any], out: Any = None) -> Expr:
    return reduce(lambda x, y: apply("matmul", x, y), map(constant, arrays))


@follows("einsum")
def _einsum(subscripts: Any, *operands: Any, out: Any = None, dtype: Any = None, optimize: Any = False) -> Expr:
    if not isinstance(subscripts, str):
        raise UnsupportedError("the first argument of einsum is a text such as 'ij,jk->ik'")
    return apply("einsum", *map(constant, operands), data=(einsum_spec(subscripts),))


@follows("tensordot")
def _tensordot(a: Any, b: Any, axes: Any = 2) -> Expr:
    x, y = constant(a), constant(b)
    if isinstance(axes, (tuple, list)):
        left, right = (
            axes_of(tuple(k) if isinstance(k, (tuple, list)) else k, z) for k, z in zip(axes, (x, y), strict=True)
        )
    else:
        count = index(axes)
        if not 0 <= count <= min(x.rank, y.rank):
            raise refuse(f"tensordot cannot sum over {count} axes", [x, y])
        left, right = tuple(range(x.rank - count, x.rank)), tuple(range(count))
    if len(left) != len(right):
        raise refuse("tensordot needs as many axes of the left as of the right array", [x, y])
    if x.rank <= 2 and y.rank <= 2 and left == (x.rank - 1,) and right == (0,):
        return apply("matmul", x, y)
    first, second = ascii_letters[: x.rank], list(ascii_letters[x.rank : x.rank + y.rank])
    for i, j in zip(left, right, strict=True):
        second[j] = first[i]
    output = [c for k, c in enumerate(first) if k not in left] + [c for k, c in enumerate(second) if k not in right]
    return apply("einsum", x, y, data=(f"{first},{''.join(second)}->{''.join(output)}",))
