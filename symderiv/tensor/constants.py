"""Python and NumPy numbers as constants of the language.

A float stands for the simplest fraction that rounds to it (`1 / 3` is a third, `0.1` a tenth), and otherwise
for the decimal it is printed as.  An array of numbers has no place in an expression: it becomes a variable,
so that its name and shape are known.  Multiples of `ones` and `eye` are written as such.
"""

from __future__ import annotations

import math
from fractions import Fraction
from numbers import Integral, Real
from typing import Any

from symderiv import dims
from symderiv.errors import ParseError, UnsupportedError
from symderiv.tensor.expr import Expr
from symderiv.tensor.operations import apply
from symderiv.tensor.parse import number

LARGEST = 1023  # bits of an integer that a float can hold
SIMPLE = 10**4  # denominators up to here are read off a float

A_PARAMETER = "make it a variable: a parameter of the function, declared with its shape"


def constant(value: Any) -> Expr:
    """Return an expression, or the constant that a number or an array of numbers stands for.

    >>> constant(0.25), constant(2 / 3)
    (number(1/4), number(2/3))
    """
    if isinstance(value, Expr):
        return value
    if isinstance(value, bool):
        raise UnsupportedError(f"{value} is no number", hint="write 1 or 0")
    if isinstance(value, Fraction):
        return number(value)
    if isinstance(value, Integral):
        return _integer(int(value))
    if isinstance(value, Real):
        return number(rational(float(value)))
    if hasattr(value, "__array_interface__"):
        return _array(value)
    if isinstance(value, (list, tuple)):
        raise UnsupportedError(f"a {type(value).__name__} cannot stand in an expression", hint=A_PARAMETER)
    raise UnsupportedError(f"{type(value).__name__} cannot stand in an expression", hint="numbers and tensors can")


def rational(value: float) -> Fraction:
    """Return the number that a float stands for.

    >>> rational(0.1), rational(1 / 3), rational(0.123456789)
    (Fraction(1, 10), Fraction(1, 3), Fraction(123456789, 1000000000))
    """
    if not math.isfinite(value) or abs(value) >= 1e300:
        raise UnsupportedError(f"{value} is out of range", hint="numbers are finite")
    simple = Fraction(value).limit_denominator(SIMPLE)
    return simple if float(simple) == value else Fraction(repr(value))


def _integer(value: int) -> Expr:
    if value.bit_length() > LARGEST:
        raise ParseError("a number that is too large for floating point")
    return number(value)


def _array(value: Any) -> Expr:
    import numpy as np

    array = np.asarray(value)
    shape = dims.written(array.shape)
    if array.dtype.kind in "iuf" and array.size:
        first = array.flat[0]
        if bool(np.all(array == first)):
            return filled(dims.shape(array.shape), constant(first))
        if array.ndim == 2 and array.shape[0] == array.shape[1] and np.array_equal(array, first * np.eye(len(array))):
            unit = apply("eye", data=(dims.size(len(array)),))
            return unit if first == 1 else apply("mul", constant(first), unit)
    raise UnsupportedError(f"an array of numbers of shape {shape} cannot stand in an expression", hint=A_PARAMETER)


def filled(shape: dims.Shape, value: Expr) -> Expr:
    """Return an array of this shape with one value everywhere."""
    if not shape:
        return value
    if value == number(0):
        return apply("zeros", data=(shape,))
    ones = apply("ones", data=(shape,))
    return ones if value == number(1) else apply("mul", value, ones)
