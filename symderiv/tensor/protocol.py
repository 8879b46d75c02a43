"""How a call of NumPy's own function becomes an operation of the language: what `__array_function__` looks up.

A function is registered under NumPy's name and has NumPy's parameters, as far as the language can follow
them; a call with others is refused.  Arrays arrive as expressions, sizes as expressions or integers.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from difflib import get_close_matches
from operator import index
from typing import Any, TypeVar

from symderiv import dims
from symderiv.errors import ShapeError, UnsupportedError
from symderiv.tensor.expr import Expr
from symderiv.tensor.operations import along_axes, kept, normalised_axis, refuse

Handler = Callable[..., Any]
H = TypeVar("H", bound=Handler)
Axis = int | tuple[int, ...] | None

NUMPY_FUNCTIONS: dict[str, Handler] = {}
VIEWS: set[str] = set()  # what shares the numbers of its argument, in NumPy


def follows(*names: str, view: bool = False) -> Callable[[H], H]:
    """Register what functions of NumPy stand for."""

    def register(handler: H) -> H:
        for name in names:
            NUMPY_FUNCTIONS[name] = handler
            if view:
                VIEWS.add(name)
        return handler

    return register


def call(name: str, args: Sequence[Any], keywords: dict[str, Any]) -> Any:
    """Return what NumPy's function of that name gives; refuse what the language cannot follow."""
    if name not in NUMPY_FUNCTIONS:
        near = get_close_matches(name, NUMPY_FUNCTIONS, 1, cutoff=0.8)
        hint = INSTEAD.get(name, f"did you mean np.{near[0]}?" if near else "")
        raise UnsupportedError(f"np.{name} is not in the language", hint=hint)
    handler = NUMPY_FUNCTIONS[name]
    signature = inspect.signature(handler)
    keywords = {k: v for k, v in keywords.items() if k in signature.parameters or v is not None}
    try:
        given = signature.bind(*args, **keywords).arguments
    except TypeError as err:
        takes = ", ".join(p for p in signature.parameters if p not in ("dtype", "out"))
        raise UnsupportedError(f"np.{name}: {err}", hint=f"np.{name} is followed with {takes}") from None
    for parameter, fits in {"out": _is_none, "dtype": is_float}.items():
        if not fits(given.get(parameter)):
            raise UnsupportedError(f"np.{name} with {parameter}= is not in the language", hint="leave it out")
    try:
        return handler(*args, **keywords)
    except (TypeError, ValueError) as err:  # an axis that is no integer, say
        raise UnsupportedError(f"np.{name}: {err}") from err


def _is_none(value: Any) -> bool:
    return value is None


def is_float(dtype: Any) -> bool:
    """Tell whether a data type is that of real numbers, which is what tensors hold."""
    return (
        dtype is None
        or dtype == "float"
        or (isinstance(dtype, type) and issubclass(dtype, float))
        or (getattr(dtype, "kind", "") == "f")
    )


INSTEAD = {
    **dict.fromkeys(
        ("max", "min", "amax", "amin", "ptp"),
        "the largest entry is not in the language: softmax and logsumexp of symderiv.numpy_names are stable "
        "without it, and np.maximum(a, b) compares two arrays",
    ),
    **dict.fromkeys(
        ("cumsum", "cumprod", "cumulative_sum", "cumulative_prod", "diff"),
        "multiply with a triangular matrix, declared as a variable",
    ),
    **dict.fromkeys(
        ("concatenate", "stack", "hstack", "vstack", "dstack", "column_stack", "block", "append"),
        "arrays are not put together: treat the parts one by one, np.sum(a**2) + np.sum(b**2)",
    ),
    **dict.fromkeys(
        ("linalg.svd", "linalg.eig", "linalg.eigh", "linalg.eigvalsh", "linalg.qr", "linalg.cholesky"),
        "det, slogdet, inv and solve are in the language",
    ),
    **dict.fromkeys(("linalg.pinv", "linalg.lstsq"), "write np.linalg.solve(A.T @ A, A.T @ b)"),
}


# ---------------------------------------------------------------- axes and sizes


def axes_of(axis: Axis, x: Expr) -> tuple[int, ...]:
    """Return the axes that are meant, counted from the front."""
    if axis is None:
        return tuple(range(x.rank))
    wanted = [index(k) for k in (axis if isinstance(axis, (tuple, list)) else (axis,))]
    found = tuple(normalised_axis(k, x.rank, [x]) for k in wanted)
    if len(set(found)) < len(found):
        raise refuse(f"an axis is named twice in {axis}", [x])
    return found


def a_size(value: Any) -> dims.Size:
    """Return a size: an integer, or the size of an axis."""
    if isinstance(value, Expr) and value.op == "size":
        found: dims.Size = value.data[0]
        return found
    if isinstance(value, Expr) and value.op == "number" and value.data[0].denominator == 1:
        return dims.size(int(value.data[0]))
    if isinstance(value, (Expr, bool, float)) or not hasattr(value, "__index__"):
        raise ShapeError("a size is needed here", hint="write an integer, or the size of an axis, such as X.shape[0]")
    return dims.size(index(value))


def a_shape(value: Any) -> dims.Shape:
    """Return a shape: a size, or a tuple of sizes."""
    return tuple(map(a_size, value)) if isinstance(value, (tuple, list)) else (a_size(value),)


def reduced(name: str, x: Expr, axis: Axis = None, keepdims: bool = False) -> Expr:
    """Return a sum, mean, product or log-sum-exp over some axes, or over all of them."""
    over = axes_of(axis, x)
    result = along_axes(name, x, over)
    return kept(result, over, x.rank) if keepdims else result
