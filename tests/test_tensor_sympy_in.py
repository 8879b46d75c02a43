"""SymPy in: matrix expressions and index expressions mean what they mean in SymPy."""

from __future__ import annotations

import numpy as np
import pytest
import sympy
from sympy import Function, Lambda, Piecewise, Rational, Symbol, Trace
from sympy import KroneckerDelta as Delta
from sympy.codegen.cfunctions import expm1, log1p

from symderiv import from_sympy
from symderiv.errors import ParseError, ShapeError, SymderivError, UnsupportedError
from symderiv.index.expand import same
from symderiv.index.narrow import narrow
from symderiv.lower import lower
from symderiv.tensor.parse import parse, scope_of
from symderiv.tensor.text import to_text

n, m, p = sympy.symbols("n m p")
A, B = sympy.MatrixSymbol("A", n, m), sympy.MatrixSymbol("B", m, n)
S, T = sympy.MatrixSymbol("S", n, n), sympy.MatrixSymbol("T", n, n)
v, w, r = sympy.MatrixSymbol("v", n, 1), sympy.MatrixSymbol("w", n, 1), sympy.MatrixSymbol("r", 1, n)
one = sympy.MatrixSymbol("o", 1, 1)
c, t = sympy.symbols("c t")
i, j, k = sympy.symbols("i j k", integer=True)
X, Y, y, z = (
    sympy.IndexedBase("X", shape=(n, n)), sympy.IndexedBase("Y", shape=(n, m)),
    sympy.IndexedBase("y", shape=(n,)), sympy.IndexedBase("z"),
)  # fmt: skip
h = Function("h")
SHAPES = "A(n,m) B(m,n) S(n,n) T(n,n) v(n,1) w(n,1) r(1,n) o(1,1) c() X(n,n) Y(n,m) y(n) z(n)"
POSITIVE = {"c": "positive", "y": "positive", "S": "invertible", "T": "invertible", "o": "positive"}
SIZES = {"n": 3, "m": 4, "p": 2}

MATRICES = [
    (A * B, "A @ B"),
    (2 * A.T + B, "2 * A.T + B"),
    (-A + 3 * A * B * A, "3 * A @ B @ A - A"),
    (Trace(A * B) ** 2, "trace(A @ B)**2"),
    (Trace(S) * S / sympy.Determinant(S), "trace(S) / det(S) * S"),
    (S.inverse() * A, "inv(S) @ A"),
    (sympy.Determinant(S) * c, "det(S) * c"),
    (sympy.log(sympy.Determinant(S)), "log(det(S))"),
    (sympy.log(sympy.Abs(sympy.Determinant(S))), "logdet(S)"),
    (sympy.Abs(sympy.Determinant(S)), "abs(det(S))"),
    (S**3, "matrix_power(S, 3)"),
    (S**-2, "matrix_power(S, -2)"),
    (sympy.HadamardProduct(A, B.T, A), "A * B.T * A"),
    (sympy.HadamardPower(A, 2), "A**2"),
    (sympy.HadamardPower(S, -1), "1 / S"),
    (sympy.HadamardPower(sympy.HadamardPower(A, 2), Rational(3, 2)), "(A**2)**1.5"),
    (sympy.HadamardPower(sympy.HadamardPower(A, 2), c), "(A**2)**c"),
    (sympy.HadamardPower(2, A), "2**A"),
    (sympy.KroneckerProduct(A, B, S), "kron(kron(A, B), S)"),
    (sympy.KroneckerProduct(v, A), "kron(v, A)"),
    (S + sympy.Identity(n), "S + eye(n)"),
    (sympy.OneMatrix(n, m) * B + sympy.ZeroMatrix(n, n), "ones(n, m) @ B"),
    (A.applyfunc(sympy.sin), "sin(A)"),
    (A.applyfunc(Lambda(t, c * t**2 + 1)), "c * A**2 + 1"),
    (A.applyfunc(Lambda(t, Piecewise((t, t > 0), (2 * t, True)))), "where(A > 0, A, 2 * A)"),
    (A.applyfunc(Lambda(t, sympy.Max(t, 0))), "maximum(A, 0)"),
    (A.applyfunc(Lambda(t, sympy.Heaviside(t))), "(1 + sign(A)) / 2"),
    (A.applyfunc(Lambda(t, sympy.sec(t) + sympy.coth(t))), "1 / cos(A) + cosh(A) / sinh(A)"),
    (A.applyfunc(Lambda(t, Rational(1, 2))), "ones(n, m) / 2"),
    (A.applyfunc(h), "h(A)"),
    (sympy.DiagMatrix(v), "diag(sum(v, 1))"),
    (sympy.DiagMatrix(r), "diag(sum(r, 0))"),
    (sympy.diagonalize_vector(S * v) * A, "diag(sum(S @ v, 1)) @ A"),
    (sympy.DiagonalOf(S), "diag(S)[:, None]"),
    (sympy.DiagonalMatrix(S), "S * eye(n)"),
    (sympy.DotProduct(v, w) * S, "sum(v * w) * S"),
    (sympy.DotProduct(v.T, w), "sum(v * w)"),
    (v * w.T, "outer(sum(v, 1), sum(w, 1))"),
    (v.T * S * w, "sum(v, 1) @ S @ sum(w, 1)"),  # 1×1: a number
    (sympy.sqrt(v.T * v), "norm(v)"),
    (sympy.exp(v.T * S * w) / (1 + c), "exp(sum(v, 1) @ S @ sum(w, 1)) / (1 + c)"),
    (v * (w.T * w) ** -1 * r, "v @ r / norm(w)**2"),
    (v / sympy.sqrt((v.T * v)[0, 0]), "v / norm(v)"),
    ((v.T * S * w)[0, 0] * A, "sum(v, 1) @ S @ sum(w, 1) * A"),
    (sympy.Max(0, (v.T * w)[0, 0], c), "maximum(maximum(0, c), sum(v * w))"),
    (sympy.exp(c * n) * Trace(S), "exp(c * n) * trace(S)"),
    (one * c, "c * sum(o)"),
    (sympy.pi * S + sympy.E * T, "4 * arctan(1) * S + exp(1) * T"),
    (Rational(1, 3) * S + 0.25 * T, "S / 3 + 0.25 * T"),
    (sympy.Determinant(S + v * w.T), "det(S + v @ w.T)"),
    (sympy.FunctionMatrix(n, m, Lambda((i, j), A[i, j] * B[j, i] + y[i])), "A * B.T + y[:, None]"),
    (sympy.FunctionMatrix(n, n, Lambda((i, j), S[j, i])) * A, "S.T @ A"),
    (sympy.FunctionMatrix(n, n, Lambda((i, j), Delta(i, j) * S[i, i] + c)), "diag(diag(S)) + c"),
    (sympy.FunctionMatrix(n, n, Lambda((i, j), sympy.Sum(A[i, k] * B[k, j], (k, 0, m - 1)))), "A @ B"),
]  # fmt: skip

U = sympy.Dummy("i", integer=True)  # two indices that print alike
I2 = sympy.Idx("i2", n)
INDEXED = [
    (sympy.Sum(y[i] ** 2, (i, 0, n - 1)), "y @ y"),
    (sympy.Sum(X[i, j] * y[j], (j, 0, n - 1)), "X @ y"),
    (X[j, i] * y[i], "X.T * y[:, None]"),
    (y[j] + X[k, i] * X[j, k], "einsum('ki,jk->ijk', X, X) + y[:, None]"),
    (sympy.Sum(X[i, i], (i, 1, n)), "trace(X)"),
    (sympy.Sum(X[i, j] * X[j, i], (i, 0, n - 1), (j, 0, n - 1)), "trace(X @ X)"),
    (y[i] * sympy.Sum(y[i], (i, 0, n - 1)), "y * sum(y)"),
    (sympy.Sum(y[i] * sympy.Sum(X[i, i], (i, 0, n - 1)), (i, 0, n - 1)), "sum(y) * trace(X)"),
    (sympy.Sum(y[U] * sympy.Sum(X[i, U], (i, 0, n - 1)), (U, 0, n - 1)), "sum(X @ y)"),
    (sympy.Sum(y[i] * sympy.Sum(y[U] * X[i, U], (U, 0, n - 1)), (i, 0, n - 1)), "y @ X @ y"),
    (sympy.exp(y[i]) / 2, "exp(y) / 2"),
    (X[i, i], "diag(X)"),
    (X[i, i] * Y[i, j], "diag(X)[:, None] * Y"),
    (sympy.Sum(Delta(i, j) * X[i, j], (i, 0, n - 1), (j, 0, n - 1)), "trace(X)"),
    (sympy.Sum(Delta(i, j) * y[j], (j, 0, n - 1)), "y"),
    (sympy.Sum(Piecewise((X[i, j], sympy.Eq(i, j)), (0, True)), (j, 0, n - 1)), "diag(X)"),
    (n * y[i] ** c, "n * y**c"),
    (sympy.Sum(y[i], (i, 0, n - 1), (j, 0, m - 1)), "m * sum(y)"),  # an idle index counts its range
    (sympy.Sum(c, (i, 1, n)), "n * c"),
    (sympy.Product(y[i], (i, 0, n - 1)), "prod(y)"),
    (sympy.Product(Y[i, j] + y[i], (j, 0, m - 1)), "prod(Y + y[:, None], 1)"),
    (sympy.Product(sympy.Sum(X[i, j] * y[j], (j, 0, n - 1)), (i, 0, n - 1)), "prod(X @ y)"),
    (Piecewise((y[i], y[i] > c), (-y[i], y[i] <= -1), (0, True)), "where(y > c, y, where(y <= -1, -y, 0))"),
    (sympy.Min(y[i], X[i, i]), "minimum(y, diag(X))"),
    (Piecewise((y[i], (i >= 0) & (i <= n - 1)), (0, True)), "y"),  # as SymPy writes a contracted delta
    (sympy.Sum(y[i] ** 2, (i, 0, n - 1)).diff(y[j]).doit(), "2 * y"),
    (sympy.Sum(y[i] * X[i, j] * y[j], (i, 0, n - 1), (j, 0, n - 1)).diff(y[k]).doit(), "X @ y + X.T @ y"),
    (sympy.Sum(y[i] ** 2, (i, 1, n)).diff(y[j]).doit(), "2 * y"),
    (sympy.Sum(z[i] * z[j], (i, 0, n - 1), (j, 0, n - 1)), "sum(z)**2"),  # the shape of z is found from use
    (y[I2] * z[I2], "y * z"),
    (sympy.Sum(y[I2] * z[I2], I2), "y @ z"),
    (sympy.Sum(S[i, j] * v[j, 0], (j, 0, n - 1)), "sum(S @ v, 1)"),
    ((A * B)[i, j], "A @ B"),
    (S.inverse()[i, j] * y[j], "inv(S) * y"),
    (A.applyfunc(sympy.tanh)[i, j], "tanh(A)"),
    (Trace(S).rewrite(sympy.Sum), "trace(S)"),
    (Trace(S) * y[i], "trace(S) * y"),
    (sympy.Sum(h(y[i]), (i, 0, n - 1)), "sum(h(y))"),
    (Function("sigmoid")(y[i]), "sigmoid(y)"),
    (log1p(y[i]) + expm1(y[i]), "log1p(y) + expm1(y)"),
    (sympy.asin(sympy.cos(y[i])), "arcsin(cos(y))"),
]  # fmt: skip
RECOGNISED = [
    (sympy.exp(y[i]) / sympy.Sum(sympy.exp(y[j]), (j, 0, n - 1)), "softmax(y, 0)"),
    (sympy.exp(X[i, j]) / sympy.Sum(sympy.exp(X[i, k]), (k, 0, n - 1)), "softmax(X, 1)"),
    (sympy.exp(X[i, j]) / sympy.Sum(sympy.exp(X[k, j]), (k, 0, n - 1)), "softmax(X, 0)"),
    (sympy.log(sympy.Sum(sympy.exp(y[j]), (j, 0, n - 1))), "logsumexp(y)"),
    (sympy.log(sympy.Sum(sympy.exp(X[i, j]), (j, 0, n - 1))), "logsumexp(X, 1)"),
    (sympy.exp(2 * y[i]) / sympy.Sum(sympy.exp(y[j]), (j, 0, n - 1)), "exp(2 * y) / sum(exp(y))"),  # no softmax
    (sympy.exp(X[i, j]) / sympy.Sum(sympy.exp(X[j, k]), (k, 0, n - 1)), "exp(X) / sum(exp(X), 1)"),  # no softmax
    (A.applyfunc(Lambda(t, 1 / (1 + sympy.exp(-t)))), "sigmoid(A)"),
    (B * A.applyfunc(Lambda(t, sympy.log(1 + sympy.exp(c * t)))), "B @ softplus(c * A)"),
    (A.applyfunc(Lambda(t, Piecewise((t, t > 0), (0, True)))), "relu(A)"),
    (A.applyfunc(Lambda(t, 1 / (2 + sympy.exp(-t)))), "1 / (2 + exp(-A))"),
]  # fmt: skip


# Equal in value, but the order of the arguments of a maximum, and which side a comparison is turned to, is SymPy's.
BY_VALUE = {
    "prod(Y + y[:, None], 1)", "where(y > c, y, where(y <= -1, -y, 0))", "maximum(maximum(0, c), sum(v * w))",
}  # fmt: skip


def read(expr, **more):
    given = {"functions": {"h": ["dh"]}, **more}
    return from_sympy(expr, **given).expr


@pytest.fixture(scope="module")
def scope(shapes_of):
    return scope_of(shapes_of(SHAPES), None, {"h": ["dh"]})


@pytest.mark.parametrize(("expr", "text"), MATRICES + INDEXED + RECOGNISED, ids=str)
def test_it_reads_as_the_text(expr, text, scope):
    got, want = read(expr), parse(text, scope)
    assert got.shape == want.shape
    assert text in BY_VALUE or same(narrow(lower(got).node), narrow(lower(want).node))


@pytest.mark.parametrize(("expr", "text"), RECOGNISED, ids=str)
def test_formulas_are_recognised_for_what_they_are(expr, text, scope):
    assert lower(read(expr)).node is lower(parse(text, scope)).node


@pytest.mark.parametrize(("expr", "text"), MATRICES + INDEXED + RECOGNISED, ids=str)
def test_it_has_the_value_that_it_has_in_sympy(expr, text, plain_value, evaluate, arrays):
    """Once by SymPy's definitions, class by class; once as text, by NumPy; once as it was read."""
    given = {**arrays(SHAPES, POSITIVE), "p": np.asarray(2.0)}
    functions = {"h": np.arctan}
    ours = {k: given[k] for k in SHAPES_ORDER}
    got = evaluate(to_text(read(expr)), SHAPES, ours, functions)
    np.testing.assert_allclose(got, evaluate(text, SHAPES, ours, functions), rtol=1e-12, atol=1e-12)
    letters = [] if expr.is_Matrix else free_letters(expr)
    first = int("1, n)" in str(expr) or "j >= 1" in str(expr))
    free = [(s, got.shape[axis]) for axis, s in enumerate(letters)]
    want = plain_value(expr, given, SIZES, free, functions, first)
    np.testing.assert_allclose(np.squeeze(got), np.squeeze(want), rtol=1e-12, atol=1e-12)


SHAPES_ORDER = [part.split("(")[0] for part in SHAPES.split()]


def free_letters(expr):
    """Return the free indices, by the alphabet."""
    found = {}

    def walk(e, bound):
        if isinstance(e, sympy.Sum | sympy.Product):
            walk(e.function, bound | {limit[0] for limit in e.limits})
        elif isinstance(e, sympy.Indexed | sympy.matrices.expressions.matexpr.MatrixElement | Delta | sympy.Eq):
            found.update({a: None for a in e.args if a in (i, j, k, I2) and a not in bound})
            if isinstance(e.args[0], sympy.MatrixExpr):
                walk(e.args[0], bound)
        else:
            for a in e.args:
                walk(a, bound)

    walk(expr, set())
    return sorted(found, key=str)


# --- columns


def test_columns_stay_columns():
    assert read(S * v).shape == read(v).shape == (sympy.Symbol("n", integer=True, positive=True), 1)
    assert read(v.T * v).shape == ()  # the whole expression is a number


@pytest.mark.parametrize(
    ("expr", "text"),
    [
        (S * v, "S @ v"),
        (v.T * S * v, "v @ S @ v"),
        (v * v.T, "outer(v, v)"),  # read as v.T on a vector, this would be a number
        (v.T, "v"),
        (sympy.HadamardProduct(v, w), "v * w"),
        (v.T * S, "v @ S"),
        (r * S, "r @ S"),
        (sympy.KroneckerProduct(v, w), "kron(v, w)"),
        (S, "S"),
    ],
    ids=str,
)
def test_columns_declared_as_vectors(expr, text):
    shapes = {"v": ("n",), "w": ("n",), "r": ("n",), "S": ("n", "n")}
    got, want = read(expr, shapes=shapes), parse(text, scope_of(shapes))
    assert got.shape == want.shape
    assert same(narrow(lower(got).node), narrow(lower(want).node))


@pytest.mark.parametrize("shapes", [{"S": ("n",)}, {"S": ("m", "n")}, {"v": ("m",)}, {"S": ("n", "n", "n")}])
def test_another_shape_than_sympys_is_refused(shapes):
    with pytest.raises(ShapeError, match="one shape in SymPy and another in shapes"):
        read(S * v, shapes=shapes)


# --- names, sizes, ranges


@pytest.mark.parametrize("name", ["E", "I", "S", "N", "O", "Q", "pi", "lambda_", "np", "out", "zoo", "beta", "é"])
def test_names_that_mean_something_elsewhere(name):
    Z, C = sympy.MatrixSymbol(name, n, n), sympy.MatrixSymbol("C", n, n)
    shapes = {name: ("n", "n"), "C": ("n", "n"), f"{name}_": ()}
    want = parse(f"trace({name} @ C.T) + {name}_", scope_of(shapes))
    assert lower(read(Trace(Z * C.T) + Symbol(f"{name}_"))).node is lower(want).node


FACTS = ({}, {"integer": True}, {"positive": True}, {"real": True})


@pytest.mark.parametrize("size", [*(Symbol("n", **facts) for facts in FACTS), sympy.Integer(3)])
def test_sizes_with_any_assumptions(size):
    Z, q = sympy.MatrixSymbol("Z", size, 2), sympy.IndexedBase("q", shape=(size,))
    assert str(read(Z.T * Z + sympy.Identity(2)).shape) == "(2, 2)"
    assert str(read(sympy.Sum(q[i] ** 2, (i, 0, size - 1)) * q[j]).shape) == f"({size},)"
    assert lower(read(sympy.Sum(1, (i, 1, size)) * Trace(Z.T * Z))).node is lower(read(size * Trace(Z.T * Z))).node


def test_free_indices_can_be_ordered_and_given_ranges():
    assert str(read(Y[i, j], free=[j, i]).shape) == "(m, n)"
    assert str(read(z[i], free={i: n}).shape) == "(n,)"
    assert str(read(Delta(i, j), free={i: n, j: n}).shape) == "(n, n)"
    assert str(read(sympy.Integer(1), free={i: n, j: "m"}).shape) == "(n, m)"
    assert str(read(z[i], shapes={"z": ("p",)}).shape) == "(p,)"


REFUSED = [
    (sympy.Integral(c, c), "Integral"),
    (sympy.BlockMatrix([[S, S], [S, S]]), "BlockMatrix"),
    (sympy.BlockDiagMatrix(S, T), "BlockDiagMatrix"),
    (A[:2, :2], "MatrixSlice"),
    (sympy.PermutationMatrix(sympy.combinatorics.Permutation([1, 0])), "PermutationMatrix"),
    (sympy.Adjoint(S), "Adjoint"),
    (sympy.conjugate(c) * S, "conjugate"),
    (sympy.Permanent(S), "Permanent"),
    (sympy.I * S, "ImaginaryUnit"),
    (S**c, "MatPow"),
    (S ** Rational(1, 2), "MatPow"),
    (sympy.exp(S), "exp of a matrix"),  # the matrix exponential, not the entrywise one
    (sympy.log(S) * c, "log of a matrix"),
    (A.applyfunc(sympy.gamma), "gamma"),
    (sympy.Matrix([[1, 2], [3, 4]]).as_immutable() * sympy.MatrixSymbol("Z", 2, 2), "ImmutableDenseMatrix"),
    (sympy.Derivative(S * v, v), "Derivative"),
    (S.diff(S), "PermuteDims"),
    (sympy.zoo * c, "ComplexInfinity"),
    (sympy.oo * S, "Infinity"),
    (sympy.nan + c, "NaN"),
    (Function("g")(c), "g is not known"),
    (sympy.Heaviside(c, c), "Heaviside"),
    (sympy.DiagonalMatrix(A), "square"),
    (sympy.Sum(y[i], (i, 2, 5)), "starts at 2"),
    (sympy.Sum(y[i], (i, 0, n - 2)), "is not a size"),
    (sympy.Sum(y[i], (i, 0, 3)), "runs over"),
    (sympy.Sum(X[i, j], (i, 0, j), (j, 0, n - 1)), "size|range"),
    (sympy.Sum(y[i] * sympy.Sum(y[j], (j, 1, n)), (i, 0, n - 1)), "some at 1"),
    (sympy.Sum(Y[i, i], (i, 0, n - 1)), "runs over|sizes"),
    (sympy.Sum(i * y[i], (i, 0, n - 1)), "stands as a number"),
    (i * y[i], "stands as a number"),
    (Piecewise((y[i], i >= 1), (0, True)), "condition on the index i"),
    (Piecewise((y[i], (i >= 0) & (i <= n - 2)), (0, True)), "condition on the index i"),
    (Piecewise((y[i], i > j), (0, True)) * y[j], "condition on the index"),
    (y[i + 1], "not an index"),
    (y[0], "single entry"),
    (A[0, 1], "single entry"),
    (z[i], "shape of z|range of index i"),
    (sympy.Sum(A * y[i], (i, 0, n - 1)), "matrices"),
    (Piecewise((c, c > 0)), "without a last branch"),
    (Piecewise((c, sympy.And(c > 0, c < 1)), (0, True)), "one comparison"),
    (sympy.Sum(y[i], (i, 0, n - 1)) * sympy.IndexedBase("y", shape=(m,))[j], "two different SymPy objects"),
    (S * v + sympy.Symbol("S") * v, "two different SymPy objects"),
    (A * B * Symbol("n", real=True), "two different SymPy objects"),
    (y[i] * X[sympy.Symbol("i"), j], "two different indices"),
    (sympy.MatrixSymbol("Z", n + 1, n), "not a size"),
    (v.T * v * A, "inner sizes"),  # SymPy builds this product of a row, a column and a matrix
]  # fmt: skip


@pytest.mark.parametrize(("expr", "said"), REFUSED, ids=str)
def test_what_is_not_understood_is_refused(expr, said):
    with pytest.raises(SymderivError, match=said) as caught:
        from_sympy(expr)
    assert caught.value.hint or isinstance(caught.value, ShapeError)


@pytest.mark.parametrize("name", ["x_{1}", "\\theta", "lambda", "a b"])
def test_names_that_cannot_be_written_are_refused(name):
    with pytest.raises(ParseError, match="is not a name"):
        from_sympy(Trace(sympy.MatrixSymbol(name, n, n)))


def test_an_expression_nested_too_deeply_is_refused():
    deep = c
    for _ in range(3000):
        deep = sympy.sin(deep, evaluate=False)
    with pytest.raises(UnsupportedError, match="nested too deeply"):
        from_sympy(deep)
