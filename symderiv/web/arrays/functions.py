"""Functions of entries, and what is told of all of them."""

from __future__ import annotations

import builtins
import cmath
import math
import operator
from bisect import bisect_left
from contextlib import nullcontext
from typing import Any

from symderiv.web.arrays import array as arrays
from symderiv.web.arrays.array import Array, as_array, combined, complex_function
from symderiv.web.arrays.kinds import cast, joined
from symderiv.web.arrays.shapes import broadcast

__all__ = [
    "abs", "all", "any", "arccos", "arcsin", "arcsinh", "arctan", "argmax", "argsort", "clip", "cos", "cosh", "cumsum",
    "diff", "errstate", "exp", "expm1", "floor", "iscomplexobj", "isfinite", "isinf", "isnan", "log", "log1p",
    "logaddexp", "logical_and", "max", "maximum", "mean", "minimum", "nan_to_num", "nonzero", "prod", "rint", "round",
    "searchsorted", "sign", "sin", "sinh", "sort", "sqrt", "square", "sum", "tan", "tanh", "unique", "where",
]  # fmt: skip

PI = math.pi

exp = complex_function(math.exp, cmath.exp)
sqrt = complex_function(math.sqrt, cmath.sqrt)
sin = complex_function(math.sin, cmath.sin)
cos = complex_function(math.cos, cmath.cos)
tan = complex_function(math.tan, cmath.tan)
sinh = complex_function(math.sinh, cmath.sinh)
cosh = complex_function(math.cosh, cmath.cosh)
tanh = complex_function(math.tanh, cmath.tanh)
arcsin = complex_function(math.asin, cmath.asin)
arccos = complex_function(math.acos, cmath.acos)
arctan = complex_function(math.atan, cmath.atan)
arcsinh = complex_function(math.asinh, cmath.asinh)
expm1 = complex_function(math.expm1, lambda z: cmath.exp(z) - 1 if builtins.abs(z) > 1e-5 else z + z * z / 2 + z**3 / 6)
log = complex_function(lambda v: -math.inf if v == 0 else math.log(v), cmath.log)
log1p = complex_function(lambda v: -math.inf if v == -1 else math.log1p(v), lambda z: cmath.log(1 + z))


def errstate(**_: str) -> Any:
    """Do nothing: there are no warnings."""
    return nullcontext()


def abs(a: Any) -> Array:  # NumPy's own name
    """Return absolute values."""
    found: Array = as_array(a).__abs__()
    return found


def square(a: Any) -> Array:
    """Return squares."""
    return combined(operator.mul, a, a)


def floor(a: Any) -> Array:
    """Return the whole numbers below."""
    return _each(a, lambda v: float(math.floor(v)) if math.isfinite(v) else v)


def rint(a: Any) -> Array:
    """Return the nearest whole numbers."""
    return _each(a, lambda v: float(builtins.round(v)) if math.isfinite(v) else v)


def round(a: Any, digits: int = 0) -> Array:
    """Return numbers with so many decimals."""
    return as_array(a).round(digits)


def _each(a: Any, function: Any) -> Array:
    found = as_array(a)
    return Array([function(float(v)) for v in found.data], found.shape, "f")


def sign(a: Any) -> Array:
    """Return −1, 0 or 1."""
    found = as_array(a)
    one = cast([1], "i", found.kind)[0]
    return Array([v if v != v or v == 0 else one if v > 0 else -one for v in found.data], found.shape, found.kind)


def isnan(a: Any) -> Array:
    """Tell what is no number."""
    found = as_array(a)
    return Array([v != v for v in found.data], found.shape, "b")


def isfinite(a: Any) -> Array:
    """Tell what is finite."""
    found = as_array(a)
    return Array([cmath.isfinite(v) for v in found.data], found.shape, "b")


def isinf(a: Any) -> Array:
    """Tell what is infinite."""
    found = as_array(a)
    return Array([cmath.isinf(v) for v in found.data], found.shape, "b")


def iscomplexobj(a: Any) -> bool:
    """Tell arrays of complex numbers."""
    return as_array(a).kind == "c"


def nan_to_num(a: Any) -> Array:
    """Return 0 for what is no number, large numbers for infinite ones."""
    most = 1.7976931348623157e308
    return _each(a, lambda v: 0.0 if v != v else builtins.min(builtins.max(v, -most), most))


def maximum(a: Any, b: Any) -> Array:
    """Return the larger ones."""
    return combined(lambda x, y: x if x != x or x >= y else y, a, b)


def minimum(a: Any, b: Any) -> Array:
    """Return the smaller ones."""
    return combined(lambda x, y: x if x != x or x <= y else y, a, b)


def clip(a: Any, low: Any, high: Any) -> Array:
    """Return numbers moved into an interval."""
    return minimum(maximum(a, low), high)


def logaddexp(a: Any, b: Any) -> Array:
    """Return log(exp(a) + exp(b)), without overflow."""

    def one(x: float, y: float) -> float:
        top = builtins.max(x, y)
        return top if math.isinf(top) else top + math.log1p(math.exp(-builtins.abs(x - y)))

    return combined(one, a, b, least="f")


def where(condition: Any, yes: Any, no: Any) -> Array:
    """Return entries of one array or of another."""
    c, y, n = as_array(condition), as_array(yes), as_array(no)
    kind = joined((y.kind, n.kind))
    shape = broadcast(c.shape, y.shape, n.shape)
    left, right = (cast(x.broadcast_to(shape).data, x.kind, kind) for x in (y, n))
    chosen = zip(c.broadcast_to(shape).data, left, right, strict=True)
    return Array([a if t else b for t, a, b in chosen], shape, kind)


# ---------------------------------------------------------------- all entries


def sum(a: Any, axis: Any = None, keepdims: bool = False) -> Array:
    """Return sums."""
    return as_array(a).sum(axis, keepdims)


def mean(a: Any, axis: Any = None) -> Array:
    """Return means."""
    found = as_array(a)
    total = found.sum(axis)
    return total / (found.size / total.size)


def prod(a: Any, axis: Any = None, dtype: Any = None) -> Array:
    """Return products."""
    found = as_array(a) if as_array(a).size else as_array([1])
    return found.prod(axis)


def max(a: Any, axis: Any = None) -> Array:
    """Return the largest."""
    return as_array(a).max(axis)


def any(a: Any, axis: Any = None) -> Array:
    """Tell whether something is true."""
    return as_array(a).any(axis)


def all(a: Any, axis: Any = None) -> Array:
    """Tell whether everything is true."""
    return as_array(a).all(axis)


def argmax(a: Any, axis: int | None = None) -> Array:
    """Return the place of the largest."""
    return as_array(a).argmax(axis)


def cumsum(a: Any) -> Array:
    """Return the sums so far."""
    found = as_array(a)
    data, total = [], cast([0], "i", found.kind)[0]
    for v in found.data:
        total = total + v
        data.append(total)
    return Array(data, (found.size,), found.kind)


def diff(a: Any) -> Array:
    """Return the differences of neighbours."""
    found = as_array(a)
    return found[1:] - found[:-1]


def sort(a: Any) -> Array:
    """Return numbers in order, what is none at the end."""
    found = as_array(a)
    return Array(sorted(found.data, key=lambda v: (v != v, v)), found.shape, found.kind)


def argsort(a: Any, kind: str = "") -> Array:
    """Return the places of numbers in order."""
    return as_array(a).argsort(kind)


def unique(a: Any) -> Array:
    """Return each number once, in order."""
    found = as_array(a)
    values = sorted(set(found.data))
    return Array(values, (len(values),), found.kind)


def searchsorted(a: Any, values: Any) -> Array:
    """Return where numbers belong in a row that is in order."""
    row, found = as_array(a).data, as_array(values)
    return Array([bisect_left(row, v) for v in found.data], found.shape, "i")


def nonzero(a: Any) -> tuple[Array, ...]:
    """Return the places of what is not 0."""
    return arrays.nonzero(as_array(a))


class logical_and:
    """Both; of several arrays by `reduce`."""

    @staticmethod
    def reduce(several: Any) -> Array:
        """Return where all are true."""
        first, *rest = (as_array(a) for a in several)
        for other in rest:
            first = first & other
        return first
