"""The words of NumPy that SymPy's matrices lack: entrywise products as they broadcast, sums, entrywise functions."""

from __future__ import annotations

from typing import Any

import sympy


def total(value: Any) -> Any:
    """Return the sum of all entries of a matrix, as a trace."""
    if not is_matrix(value):
        return value
    if isinstance(value, sympy.HadamardProduct) and len(value.args) == 2:
        return sympy.Trace(value.args[0].T * value.args[1])
    if isinstance(value, sympy.HadamardPower) and value.exp == 2:
        return sympy.Trace(value.base.T * value.base)
    rows, columns = value.shape
    if columns == 1:
        return sympy.Trace(sympy.OneMatrix(1, rows) * value)
    return sympy.Trace(sympy.OneMatrix(1, rows) * value * sympy.OneMatrix(columns, 1))


def sums(value: Any, axis: int) -> Any:
    """Return the sums along an axis, as a column."""
    rows, columns = value.shape
    return value * sympy.OneMatrix(columns, 1) if axis else value.T * sympy.OneMatrix(rows, 1)


def hadamard_power(base: Any, exponent: Any) -> Any:
    """Return an entrywise power."""
    return sympy.HadamardPower(base, exponent) if is_matrix(base) else base**exponent


def is_matrix(value: Any) -> bool:
    """Tell a matrix of SymPy from a number."""
    return bool(getattr(value, "is_Matrix", False))


def _factors(value: Any) -> tuple[Any, ...]:
    return value.args if isinstance(value, sympy.HadamardProduct) else (value,)


def applied(function: Any, matrix: Any) -> Any:
    """Return a function applied to every entry; its parameter is called t, unless t stands in it already."""
    taken = {str(s) for s in function(sympy.Dummy()).free_symbols}
    name = "t"
    while name in taken:
        name += "_"
    t = sympy.Symbol(name)
    return matrix.applyfunc(sympy.Lambda(t, function(t)))


def times(left: Any, right: Any) -> Any:
    """Return an entrywise product as NumPy broadcasts it; a row or a column beside a matrix scales it."""
    if not (is_matrix(left) and is_matrix(right)):
        return left * right
    if left.shape == right.shape:
        return sympy.HadamardProduct(*_factors(left), *_factors(right))
    if left.shape == (1, 1):
        return sympy.Trace(left) * right
    if right.shape == (1, 1):
        return left * sympy.Trace(right)
    if left.shape[1] == 1:
        return left * right if right.shape[0] == 1 else sympy.DiagMatrix(left) * right
    if right.shape[1] == 1:
        return right * left if left.shape[0] == 1 else sympy.DiagMatrix(right) * left
    if left.shape[0] == 1:
        return right * sympy.DiagMatrix(left.T)
    return left * sympy.DiagMatrix(right.T)
