"""The names of the language as functions: on NumPy's arrays numerically, on tensors symbolically.

Text of the language runs as Python with them.  What NumPy has under the same name is NumPy's own; what it
lacks (`softmax`, `logsumexp`, `sigmoid`, `relu`, `softplus`, `vec`, `logdet`, `norm` over all entries) stands
here, in forms that hold far out.  The module is a mapping besides: `{**symderiv.numpy_names}`.

>>> import numpy as np
>>> from symderiv.numpy_names import logsumexp, softmax
>>> print(round(logsumexp(np.array([800.0, 800.0])), 6))
800.693147
>>> from symderiv.statements.declaring import declare
>>> softmax(declare("x: (n,)"), 0)
Tensor(softmax(x, 0))
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import numpy as np

from symderiv.functions import FUNCTIONS
from symderiv.tensor.array import Tensor, over
from symderiv.tensor.constants import filled
from symderiv.tensor.operations import apply
from symderiv.tensor.parse import KNOWN, number
from symderiv.tensor.protocol import a_shape, a_size

# ---------------------------------------------------------------- entrywise


def sigmoid(x: Any) -> Any:
    """Return 1 / (1 + exp(-x)), entrywise."""
    if isinstance(x, Tensor):
        return _mapped("sigmoid", x)
    e = np.exp(-np.abs(x))
    return np.where(np.asarray(x) < 0, e, 1) / (1 + e)


def softplus(x: Any) -> Any:
    """Return log(1 + exp(x)), entrywise."""
    return _mapped("softplus", x) if isinstance(x, Tensor) else np.logaddexp(x, 0)


def relu(x: Any) -> Any:
    """Return the larger of x and 0, entrywise."""
    return _mapped("relu", x) if isinstance(x, Tensor) else np.maximum(x, 0)


def _mapped(name: str, x: Tensor) -> Any:
    return over(lambda a: apply("map", a, data=(name, 0)), x)


# ---------------------------------------------------------------- along an axis


def softmax(x: Any, axis: int) -> Any:
    """Return exp(x) over its sum along an axis."""
    if isinstance(x, Tensor):
        return over(lambda a: apply("softmax", a, data=(axis,)), x)
    e = np.exp(x - _level(x, axis))
    return e / np.sum(e, axis=axis, keepdims=True)


def logsumexp(x: Any, axis: int | None = None) -> Any:
    """Return the logarithm of the sum of exp(x), along an axis or over all entries."""
    if isinstance(x, Tensor):
        return over(lambda a: apply("logsumexp", a, data=() if axis is None else (axis,)), x)
    level = _level(x, axis)
    with np.errstate(divide="ignore"):  # the log of an empty sum is -inf
        return np.log(np.sum(np.exp(x - level), axis=axis)) + np.squeeze(level, axis=axis)


def _level(x: Any, axis: int | None) -> Any:
    """Return the largest entry, where it is finite."""
    largest = np.max(x, axis=axis, keepdims=True, initial=-np.inf)
    return np.where(np.isfinite(largest), largest, 0)


# ---------------------------------------------------------------- whole arrays


def norm(x: Any) -> Any:
    """Return the square root of the sum of the squares of all entries."""
    return over(lambda a: apply("norm", a), x) if isinstance(x, Tensor) else np.linalg.norm(np.ravel(x))


def logdet(a: Any) -> Any:
    """Return the logarithm of the absolute value of the determinant."""
    return np.linalg.slogdet(a)[1]


def vec(x: Any) -> Any:
    """Return the columns of a matrix, one below the other."""
    return np.ravel(x, order="F")


def eye(n: Any) -> Any:
    """Return the unit matrix; n may be the symbol of a size."""
    return over(lambda s: apply("eye", data=(a_size(s),)), n) if isinstance(n, Tensor) else np.eye(n)


def ones(*shape: Any) -> Any:
    """Return an array of ones; sizes may be symbols."""
    return _constant(1, shape)


def zeros(*shape: Any) -> Any:
    """Return an array of zeros; sizes may be symbols."""
    return _constant(0, shape)


def _constant(value: int, shape: tuple[Any, ...]) -> Any:
    sizes = tuple(shape[0]) if len(shape) == 1 and isinstance(shape[0], (tuple, list)) else shape
    if any(isinstance(s, Tensor) for s in sizes):
        return over(lambda *s: filled(a_shape(s), number(value)), *sizes)
    return np.full(sizes, float(value))


# ---------------------------------------------------------------- all of them


class _Names(ModuleType):
    """A module that is a mapping of the language's names."""

    def keys(self) -> list[str]:
        return list(KNOWN)

    def __iter__(self) -> Iterator[str]:
        return iter(KNOWN)

    def __len__(self) -> int:
        return len(KNOWN)

    def __getitem__(self, name: str) -> Any:
        if name not in KNOWN:
            raise KeyError(name)
        return getattr(self, name)


def __getattr__(name: str) -> Any:
    """Return NumPy's own function of that name, where the language has the name."""
    added = FUNCTIONS[name].call if name in FUNCTIONS else None
    if added is not None:
        return lambda x: _mapped(name, x) if isinstance(x, Tensor) else added(np.asarray(x, dtype=float))
    if name in KNOWN:
        return getattr(np, name, None) or getattr(np.linalg, name)
    raise AttributeError(f"the language has no name {name!r}")


def __dir__() -> list[str]:
    return list(KNOWN)


sys.modules[__name__].__class__ = _Names
