"""SymPy in: matrix expressions and index expressions mean what they mean in SymPy."""

from __future__ import annotations

import pytest
import sympy

from symderiv.errors import SymderivError
from symderiv.index import normal
from symderiv.index.expand import same
from symderiv.lower import index_ranges, lower
from symderiv.tensor.parse import parse, scope_of
from symderiv.tensor.sympy_in import from_sympy_matrix

n, m = sympy.symbols("n m", integer=True, positive=True)
A, B, S = sympy.MatrixSymbol("A", n, m), sympy.MatrixSymbol("B", m, n), sympy.MatrixSymbol("S", n, n)
v = sympy.MatrixSymbol("v", n, 1)
c = sympy.Symbol("c")
i, j, k = sympy.symbols("i j k", integer=True)
X, y = sympy.IndexedBase("X", shape=(n, n)), sympy.IndexedBase("y", shape=(n,))

MATRICES = [
    (A * B, "A @ B"),
    (2 * A.T + B, "2 * A.T + B"),
    (sympy.Trace(A * B) ** 2, "trace(A @ B)**2"),
    (S.inverse() * A, "inv(S) @ A"),
    (sympy.Determinant(S) * c, "det(S) * c"),
    (sympy.log(sympy.Determinant(S)), "log(det(S))"),
    (S**3, "matrix_power(S, 3)"),
    (sympy.HadamardProduct(A, B.T), "A * B.T"),
    (sympy.HadamardPower(A, 2), "A**2"),
    (sympy.KroneckerProduct(A, B), "kron(A, B)"),
    (S + sympy.Identity(n), "S + eye(n)"),
    (A.applyfunc(sympy.sin), "sin(A)"),
    (v.T * S * v, "v.T @ S @ v"),
    (sympy.exp(sympy.Trace(S)) / (1 + c), "exp(trace(S)) / (1 + c)"),
    (sympy.OneMatrix(n, m) * B, "ones(n, m) @ B"),
]
INDEXED = [
    (sympy.Sum(y[i] ** 2, (i, 0, n - 1)), "y @ y"),
    (sympy.Sum(X[i, j] * y[j], (j, 0, n - 1)), "X @ y"),
    (X[j, i] * y[i], "X.T * y[:, None]"),
    (sympy.Sum(X[i, i], (i, 1, n)), "trace(X)"),
    (sympy.Sum(X[i, j] * X[j, i], (i, 0, n - 1), (j, 0, n - 1)), "trace(X @ X)"),
    (y[i] * sympy.Sum(y[i], (i, 0, n - 1)), "y * sum(y)"),
    (sympy.Sum(y[i] * sympy.Sum(X[i, i], (i, 0, n - 1)), (i, 0, n - 1)), "sum(y) * trace(X)"),
    (sympy.exp(y[i]) / 2, "exp(y) / 2"),
    (sympy.Sum(sympy.KroneckerDelta(i, j) * X[i, j], (i, 0, n - 1), (j, 0, n - 1)), "trace(X)"),
    (n * y[i] ** c, "n * y**c"),
]
SCOPE = scope_of(
    {"A": ("n", "m"), "B": ("m", "n"), "S": ("n", "n"), "v": ("n", 1), "c": (), "X": ("n", "n"), "y": ("n",)}
)


@pytest.mark.parametrize(("expr", "text"), MATRICES, ids=str)
def test_matrix_expressions(expr, text):
    found = from_sympy_matrix(expr)
    assert same(lower(found.rebuilt(SCOPE)).node, lower(parse(text, SCOPE)).node)


@pytest.mark.parametrize(("expr", "text"), INDEXED, ids=str)
def test_index_expressions(expr, text):
    found = from_sympy_matrix(expr)
    read = found.rebuilt(SCOPE)
    array = lower(read, sizes=index_ranges(read))
    order = [array.free.index(name) for name in found.free or ()]
    want = lower(parse(text, SCOPE)).node
    got = normal.transposed(array.node, order)
    assert same(got, want) or same(normal.transposed(got, tuple(reversed(range(got.rank)))), want)


@pytest.mark.parametrize(
    "expr",
    [
        sympy.Integral(c, c),
        sympy.BlockMatrix([[S, S], [S, S]]),
        S**c,
        sympy.Sum(y[i], (i, 2, 5)),
        A.applyfunc(sympy.gamma),
        sympy.zoo * c,
    ],
)
def test_what_is_not_understood_is_refused(expr):
    with pytest.raises(SymderivError):
        from_sympy_matrix(expr).rebuilt(SCOPE)
