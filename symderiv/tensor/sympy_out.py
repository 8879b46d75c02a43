"""SymPy out: an expression of ours as a `MatrixExpr`, or as a number of SymPy.

Every array has two axes there: a vector is a column.  Nothing is evaluated beyond what SymPy's own
constructors do.  What has no matrix expression (three axes, a `vec`, an `einsum`) is refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sympy

from symderiv import dims
from symderiv.errors import UnsupportedError
from symderiv.index.choices import plain_choice
from symderiv.index.plain import formula
from symderiv.tensor.entries import ENTRYWISE
from symderiv.tensor.expr import Expr, written_out
from symderiv.tensor.origin import Origin
from symderiv.tensor.others import spelled_out
from symderiv.tensor.sympy_matrices import applied, hadamard_power, is_matrix, sums, times, total
from symderiv.tensor.text import FunctionName

ONE = sympy.Integer(1)
CONSTANT = ("ones", "zeros")
REASONS = {
    "einsum": "an einsum joins more axes than a matrix has",
    "vec": "SymPy has no vec",
    "reshape": "SymPy has no reshape of matrix expressions",
    "unknown": "an unknown function of arrays is no matrix expression",
}


def matrix_expression(
    expr: Expr, origin: Origin | None = None, functions: Mapping[FunctionName, str] | None = None
) -> Any:
    """Return an expression as a `MatrixExpr` of SymPy, a vector as a column, or as a number.

    `origin` holds the symbols to use; others are made anew.  `functions` names unknown functions and
    their derivatives.

    >>> from symderiv.tensor.parse import Scope, parse, variable
    >>> scope = Scope({"X": variable("X", ("n", "p")), "w": variable("w", ("p",))})
    >>> matrix_expression(parse("2 * X.T @ (X @ w)", scope))
    2*X.T*X*w
    >>> matrix_expression(parse("norm(X @ w)", scope))
    sqrt(Trace(w.T*X.T*X*w))
    """
    try:
        return Writer(origin or Origin(), functions or {}).of(written_out(expr))
    except RecursionError:
        raise no_matrix("the result is nested too deeply to be written in one expression") from None


class Writer:
    """Writes expressions over one set of symbols, each node once."""

    def __init__(self, origin: Origin, functions: Mapping[FunctionName, str]) -> None:
        self.origin, self.functions = origin, functions
        self.done: dict[Expr, Any] = {}

    def of(self, expr: Expr) -> Any:
        """Return what an expression is written as: a number, or a matrix with two axes."""
        if expr not in self.done:
            self.done[expr] = self.one(expr)
        return self.done[expr]

    def one(self, expr: Expr) -> Any:
        """Write one node."""
        if expr.rank > 2:
            raise no_matrix(f"{expr.op} has {expr.rank} axes here, a matrix has two")
        method = getattr(self, f"write_{expr.op}", None)
        if method is None:
            raise no_matrix(REASONS.get(expr.op, f"{expr.op} has no counterpart in SymPy"))
        return method(expr)

    # -- shapes

    def size(self, value: Any) -> Any:
        """Return a size over the user's own symbols."""
        return self.origin.sized(value)

    def shape(self, expr: Expr) -> tuple[Any, Any]:
        """Return rows and columns of an array."""
        sizes = [self.size(s) for s in expr.shape]
        return (sizes[0], sizes[1]) if len(sizes) == 2 else (sizes[0], ONE)

    def two(self, expr: Expr, rank: int) -> Any:
        """Return an operand of an entrywise operation of that rank: a vector beside a matrix is a row."""
        value = self.of(expr)
        return value.T if rank == 2 and expr.rank == 1 else value

    def whole(self, expr: Expr, shape: tuple[Any, Any], rank: int) -> Any:
        """Return an operand broadcast to a shape."""
        value = self.two(expr, rank)
        if not is_matrix(value):
            return value * sympy.OneMatrix(*shape)
        rows, columns = value.shape
        if rows == 1 and shape[0] != 1:
            value = sympy.OneMatrix(shape[0], 1) * value
        if columns == 1 and shape[1] != 1:
            value = value * sympy.OneMatrix(1, shape[1])
        return value

    # -- leaves

    def write_var(self, expr: Expr) -> Any:
        own = self.origin.symbols.get(expr.name)
        if not expr.rank:
            if isinstance(own, sympy.MatrixSymbol):
                return own[0, 0]
            return own if isinstance(own, sympy.Symbol) else sympy.Symbol(expr.name)
        shape = self.shape(expr)
        if isinstance(own, sympy.MatrixSymbol):
            if expr.rank == 1 and own.shape == (ONE, shape[0]):
                return own.T
            if own.shape == shape:
                return own
        return sympy.MatrixSymbol(expr.name, *shape)

    def write_number(self, expr: Expr) -> Any:
        return sympy.Rational(expr.data[0].numerator, expr.data[0].denominator)

    def write_size(self, expr: Expr) -> Any:
        return self.size(expr.data[0])

    def write_eye(self, expr: Expr) -> Any:
        return sympy.Identity(self.size(expr.data[0]))

    def write_ones(self, expr: Expr) -> Any:
        return sympy.OneMatrix(*self.shape(expr))

    def write_zeros(self, expr: Expr) -> Any:
        return sympy.ZeroMatrix(*self.shape(expr))

    # -- entrywise

    def write_add(self, expr: Expr) -> Any:
        return self.plus(expr, 1)

    def write_sub(self, expr: Expr) -> Any:
        return self.plus(expr, -1)

    def plus(self, expr: Expr, sign: int) -> Any:
        if not expr.rank:
            left, right = map(self.of, expr.args)
        else:
            left, right = (self.whole(a, self.shape(expr), expr.rank) for a in expr.args)
        return left + right if sign > 0 else left - right

    def write_neg(self, expr: Expr) -> Any:
        return -self.of(expr.args[0])

    def write_mul(self, expr: Expr) -> Any:
        left, right = (self.two(a, expr.rank) for a in expr.args)
        return times(left, right)

    def write_div(self, expr: Expr) -> Any:
        top, low = (self.two(a, expr.rank) for a in expr.args)
        return times(top, hadamard_power(low, -1))

    def write_power(self, expr: Expr) -> Any:
        exponent = sympy.Rational(expr.data[0].numerator, expr.data[0].denominator)
        return hadamard_power(self.of(expr.args[0]), exponent)

    def write_sqrt(self, expr: Expr) -> Any:
        return hadamard_power(self.of(expr.args[0]), sympy.Rational(1, 2))

    def write_general_power(self, expr: Expr) -> Any:
        base, exponent = expr.args
        if not exponent.rank:
            return hadamard_power(self.of(base), self.of(exponent))
        return self.by_entries(expr)

    def write_map(self, expr: Expr) -> Any:
        value, function = self.of(expr.args[0]), self.function(expr.data)
        return applied(function, value) if is_matrix(value) else function(value)

    def function(self, data: FunctionName) -> Any:
        name, order = data
        return formula(name) if order == 0 else sympy.Function(self.functions.get(data, name + "_prime" * order))

    def write_maximum(self, expr: Expr) -> Any:
        return self.by_entries(expr)

    write_minimum = write_where = write_maximum

    def by_entries(self, expr: Expr) -> Any:
        """Write an entrywise operation as a function of one array's entries."""
        if not expr.rank:
            return self.entry(expr, None, None)
        arrays = _arrays(expr)
        if len(arrays) != 1 or arrays[0].shape != expr.shape:
            raise no_matrix(f"{expr.op} of several arrays has no matrix expression in SymPy")
        return applied(lambda t: self.entry(expr, arrays[0], t), self.of(arrays[0]))

    def entry(self, expr: Expr, array: Expr | None, t: Any) -> Any:
        """Return the entry of an entrywise expression where that of `array` is t."""
        if expr is array:
            return t
        if expr.op in CONSTANT:
            return sympy.Integer(expr.op == "ones")
        if expr.op not in ENTRYWISE or not (expr.rank or expr.op in ("maximum", "minimum", "where")):
            return self.of(expr)
        a = [self.entry(arg, array, t) for arg in expr.args]
        match expr.op:
            case "add":
                return a[0] + a[1]
            case "sub":
                return a[0] - a[1]
            case "mul":
                return a[0] * a[1]
            case "div":
                return a[0] / a[1]
            case "neg":
                return -a[0]
            case "power":
                return a[0] ** sympy.Rational(expr.data[0].numerator, expr.data[0].denominator)
            case "sqrt":
                return sympy.sqrt(a[0])
            case "general_power":
                return a[0] ** a[1]
            case "map":
                return self.function(expr.data)(a[0])
            case "maximum" | "minimum":
                return (sympy.Max if expr.op == "maximum" else sympy.Min)(*a)
        return plain_choice(expr.data[0], *a)

    # -- products

    def write_matmul(self, expr: Expr) -> Any:
        a, b = expr.args
        left, right = self.of(a), self.of(b)
        if a.rank == b.rank == 1:
            return sympy.Trace(left.T * right)
        if a.rank == 1:
            return right.T * left
        return left * right

    def write_inner(self, expr: Expr) -> Any:
        left, right = map(self.of, expr.args)
        return sympy.Trace(left.T * right)

    def write_outer(self, expr: Expr) -> Any:
        left, right = map(self.of, expr.args)
        return left * right.T

    def write_kron(self, expr: Expr) -> Any:
        return sympy.KroneckerProduct(*map(self.of, expr.args))

    def write_matrix_power(self, expr: Expr) -> Any:
        (exponent,) = expr.data
        return self.of(expr.args[0]) ** (exponent if isinstance(exponent, int) else self.size(exponent))

    # -- sums

    def write_sum(self, expr: Expr) -> Any:
        (array,) = expr.args
        value = self.of(array)
        if not expr.data:
            return total(value)
        if array.rank == 1:
            return total(value)
        rows, columns = value.shape
        if expr.data[0] % 2 == 0:
            return value.T * sympy.OneMatrix(rows, 1)
        return value * sympy.OneMatrix(columns, 1)

    def write_mean(self, expr: Expr) -> Any:
        (array,) = expr.args
        over = [array.shape[expr.data[0]]] if expr.data else array.shape
        return self.write_sum(expr) / self.size(dims.product(over))

    def write_trace(self, expr: Expr) -> Any:
        return sympy.Trace(self.of(expr.args[0]))

    def write_norm(self, expr: Expr) -> Any:
        value = self.of(expr.args[0])
        return sympy.sqrt(sympy.Trace(value.T * value) if is_matrix(value) else value**2)

    def write_logsumexp(self, expr: Expr) -> Any:
        (array,) = expr.args
        value = self.of(array)
        if not is_matrix(value):
            return value
        whole = not expr.data or array.rank == 1
        axis = 0 if whole else expr.data[0] % 2
        powers = applied(sympy.exp, value)
        return sympy.log(total(powers)) if whole else applied(sympy.log, sums(powers, axis))

    def write_softmax(self, expr: Expr) -> Any:
        """`exp(u)/Σ exp(u)`: over a column, over each column, over each row."""
        (array,) = expr.args
        powers = applied(sympy.exp, self.of(array))
        if array.rank == 1:
            return powers / total(powers)
        scale = sympy.DiagMatrix(hadamard_power(sums(powers, expr.data[0] % 2), -1))
        return scale * powers if expr.data[0] % 2 else powers * scale

    def write_prod(self, expr: Expr) -> Any:
        (array,) = expr.args
        value = self.of(array)
        if expr.rank:
            raise no_matrix("a product along one axis has no matrix expression in SymPy")
        if not is_matrix(value):
            return value
        rows, columns = value.shape
        i, j = sympy.Dummy("i", integer=True), sympy.Dummy("j", integer=True)
        limits = [(i, 0, rows - 1)] if columns == 1 else [(i, 0, rows - 1), (j, 0, columns - 1)]
        return sympy.Product(value[i, 0 if columns == 1 else j], *limits)

    def write_others(self, expr: Expr) -> Any:
        """The product of the other entries: a choice, written out; that of all but two and more has no form."""
        if expr.rank > expr.args[0].rank:
            raise no_matrix("a product of all entries but two or more has no matrix expression in SymPy")
        return self.of(spelled_out(expr))

    # -- axes

    def write_transpose(self, expr: Expr) -> Any:
        value = self.of(expr.args[0])
        return value.T if expr.rank == 2 and (not expr.data or tuple(expr.data[0]) == (1, 0)) else value

    def write_newaxis(self, expr: Expr) -> Any:
        value, inner = self.of(expr.args[0]), expr.args[0].rank
        if not inner:
            return value * sympy.Identity(1)
        return value.T if inner == 1 and expr.rank == 2 and expr.data[0][0] else value

    def write_reshape(self, expr: Expr) -> Any:
        (array,) = expr.args
        value = self.of(array)
        if array.shape == expr.shape:
            return value
        if [s for s in array.shape if s != 1] != [s for s in expr.shape if s != 1]:
            raise no_matrix(REASONS["reshape"])
        if not expr.rank:
            return sympy.Trace(value)
        if not array.rank:
            return value * sympy.Identity(1)
        return value if value.shape == self.shape(expr) else value.T

    def write_vec(self, expr: Expr) -> Any:
        if expr.args[0].rank != 1:
            raise no_matrix(REASONS["vec"])
        return self.of(expr.args[0])

    def write_diag(self, expr: Expr) -> Any:
        value = self.of(expr.args[0])
        return sympy.DiagMatrix(value) if expr.rank == 2 else sympy.DiagonalOf(value)

    # -- functions of a matrix

    def write_inv(self, expr: Expr) -> Any:
        return self.of(expr.args[0]).inverse()

    def write_solve(self, expr: Expr) -> Any:
        matrix, right = map(self.of, expr.args)
        return matrix.inverse() * right

    def write_det(self, expr: Expr) -> Any:
        return sympy.Determinant(self.of(expr.args[0]))

    def write_logdet(self, expr: Expr) -> Any:
        return sympy.log(sympy.Abs(sympy.Determinant(self.of(expr.args[0]))))


def no_matrix(reason: str) -> UnsupportedError:
    """Return the refusal of a result that is no matrix expression."""
    return UnsupportedError(
        f"no MatrixExpr: {reason}", hint="index_form writes it with Indexed, Sum and KroneckerDelta"
    )


def _arrays(expr: Expr) -> list[Expr]:
    """Return the arrays that an entrywise expression is made of."""
    if not expr.rank or expr.op in CONSTANT:
        return []
    if expr.op not in ENTRYWISE:
        return [expr]
    return list(dict.fromkeys(a for arg in expr.args for a in _arrays(arg)))
