"""SymPy in: matrix expressions and index expressions of plain SymPy."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import sympy
from sympy.matrices.expressions import hadamard

from symderiv import dims
from symderiv.errors import UnsupportedError
from symderiv.index.nodes import (
    PLAIN_FUNCTIONS,
    Apply,
    Delta,
    Entry,
    Index,
    Plus,
    Power,
    Sum,
    Times,
    all_indices,
    free_indices,
    from_sympy,
    heads,
)
from symderiv.tensor.expr import Expr
from symderiv.tensor.operations import apply
from symderiv.tensor.parse import Scope, literal_value, number, size, variable

FROM_SYMPY: dict[Any, str] = {cls: name for name, cls in PLAIN_FUNCTIONS.items()}


@dataclass
class Found:
    """A SymPy expression as read: the variables it names, and a way to build it with declared ones."""

    names: dict[str, Expr]
    build: Callable[[dict[str, Expr]], Expr]
    free: tuple[str, ...] | None = None  # the free indices of an index expression, in order

    def rebuilt(self, scope: Scope) -> Expr:
        """Return the expression over the variables of a scope."""
        return self.build({**self.names, **{k: v for k, v in scope.names.items()}})


def from_sympy_matrix(expr: sympy.Basic) -> Found:
    """Return what a `MatrixExpr`, a scalar of matrices, or an index expression stands for.

    An index expression is a function of its free indices, in the order in which they first stand.
    """
    if expr.has(sympy.Indexed, sympy.KroneckerDelta) or isinstance(expr, sympy.Sum):
        return _from_index(expr)
    names: dict[str, Expr] = {}
    for symbol in sorted(expr.atoms(sympy.MatrixSymbol), key=str):
        names[symbol.name] = variable(symbol.name, tuple(_sized(s) for s in symbol.shape))
    sizes = {str(s) for v in names.values() for d in v.shape for s in d.free_symbols}
    for symbol in sorted(expr.free_symbols, key=str):
        if isinstance(symbol, sympy.Symbol) and symbol.name not in sizes and symbol.name not in names:
            names[symbol.name] = variable(symbol.name, ())
    return Found(names, lambda known: _Matrices(known).read(expr))


def _sized(value: Any) -> dims.Size:
    """Return a size over symderiv's own size symbols, whatever SymPy's assumptions were."""
    return value.xreplace({s: dims.symbol(str(s)) for s in value.free_symbols}) if value.free_symbols else value


class _Matrices:
    def __init__(self, names: dict[str, Expr]) -> None:
        self.names = names

    def read(self, expr: Any) -> Expr:
        args = expr.args
        match expr:
            case sympy.MatrixSymbol():
                return self.names[expr.name]
            case sympy.MatMul():
                scalars = [self.read(a) for a in args if not a.is_Matrix]
                matrices = [self.read(a) for a in args if a.is_Matrix]
                return product([*scalars, chained(matrices)] if matrices else scalars)
            case sympy.MatAdd() | sympy.Add():
                return added([self.read(a) for a in args])
            case sympy.Transpose():
                return apply("transpose", self.read(args[0]))
            case sympy.Inverse():
                return apply("inv", self.read(args[0]))
            case sympy.MatPow():
                if not args[1].is_Integer:
                    raise UnsupportedError(f"a matrix to the power {args[1]}", hint="the exponent is an integer")
                return apply("matrix_power", self.read(args[0]), data=(int(args[1]),))
            case sympy.Trace():
                return apply("trace", self.read(args[0]))
            case sympy.Determinant():
                return apply("det", self.read(args[0]))
            case hadamard.HadamardProduct():
                return product([self.read(a) for a in args])
            case hadamard.HadamardPower():
                return apply("power", self.read(args[0]), data=(_rational(args[1]),))
            case sympy.KroneckerProduct():
                value = self.read(args[0])
                for a in args[1:]:
                    value = apply("kron", value, self.read(a))
                return value
            case sympy.Identity():
                return apply("eye", data=(_sized(args[0]),))
            case sympy.OneMatrix() | sympy.ZeroMatrix():
                name = "ones" if isinstance(expr, sympy.OneMatrix) else "zeros"
                return apply(name, data=(tuple(_sized(a) for a in args),))
            case sympy.Mul():
                return product([self.read(a) for a in args])
            case sympy.Pow():
                return self.power(expr)
            case sympy.Rational():
                return number(Fraction(int(expr.p), int(expr.q)))
            case sympy.Float():
                return number(Fraction(str(expr)))
            case sympy.Symbol():
                return self.names[expr.name] if expr.name in self.names else size(dims.symbol(expr.name))
        if type(expr).__name__ == "ElementwiseApplyFunction":
            return self.elementwise(expr)
        if type(expr) in FROM_SYMPY:
            return apply("map", self.read(args[0]), data=(FROM_SYMPY[type(expr)], 0))
        raise UnsupportedError(f"{type(expr).__name__} of SymPy is not part of the language")

    def power(self, expr: sympy.Pow) -> Expr:
        exponent = self.read(expr.exp)
        value = literal_value(exponent)
        if value is None:
            return apply("general_power", self.read(expr.base), exponent)
        return apply("power", self.read(expr.base), data=(value,))

    def elementwise(self, expr: Any) -> Expr:
        function = expr.function
        probe = sympy.Dummy("t")
        applied = function(probe)
        for cls, name in FROM_SYMPY.items():
            if applied == cls(probe):
                return apply("map", self.read(expr.expr), data=(name, 0))
        inner = _Scalars(probe, self.read(expr.expr))
        return inner.read(applied)


class _Scalars(_Matrices):
    """Reads `f(t)` with an array in the place of t, entrywise."""

    def __init__(self, symbol: sympy.Symbol, array: Expr) -> None:
        super().__init__({})
        self.symbol, self.array = symbol, array

    def read(self, expr: Any) -> Expr:
        return self.array if expr == self.symbol else super().read(expr)


def _rational(value: Any) -> Fraction:
    if not isinstance(value, sympy.Rational):
        raise UnsupportedError(f"the exponent {value} is not a rational number")
    return Fraction(int(value.p), int(value.q))


def product(factors: list[Expr]) -> Expr:
    """Return an entrywise product."""
    value = factors[0]
    for f in factors[1:]:
        value = apply("mul", value, f)
    return value


def chained(factors: list[Expr]) -> Expr:
    """Return a matrix product."""
    value = factors[0]
    for f in factors[1:]:
        value = apply("matmul", value, f)
    return value


def added(terms: list[Expr]) -> Expr:
    """Return a sum."""
    value = terms[0]
    for t in terms[1:]:
        value = apply("add", value, t)
    return value


# ---------------------------------------------------------------- index expressions


def _from_index(expr: sympy.Basic) -> Found:
    read = from_sympy(expr)
    names = {
        h.name: variable(h.name, tuple(_sized(s) for s in h.sizes)) for h in sorted(heads(read), key=lambda h: h.name)
    }
    taken = {i.name for i in all_indices(read)}
    sizes = {str(s) for i in all_indices(read) for s in i.size.free_symbols}
    for symbol in sorted(expr.free_symbols, key=str):
        name = str(symbol)
        if isinstance(symbol, sympy.Symbol) and name not in names and name not in sizes and name not in taken:
            names[name] = variable(name, ())
    order = _in_order(read, free_indices(read))

    return Found(names, lambda known: _Indices(known).read(read), tuple(i.name for i in order))


def _in_order(expr: Any, free: set[Index]) -> list[Index]:
    found: dict[Index, None] = {}
    stack = [expr]
    while stack:
        part = stack.pop()
        if isinstance(part, Index) and part in free:
            found[part] = None
        stack += reversed(getattr(part, "args", ()))
    return list(found)


class _Indices:
    """Index expressions as expressions of the matrix language: entries, δ, sums over an index."""

    def __init__(self, names: dict[str, Expr]) -> None:
        self.names = names
        self.bound: dict[Index, str] = {}
        self.sums = 0

    def label(self, index: Index) -> str:
        return self.bound.get(index, index.name)

    def read(self, expr: Any) -> Expr:
        match expr:
            case Entry():
                array = self.names[expr.tensor.name]
                return Expr("entry", (array,), tuple(map(self.label, expr.indices)), ()) if expr.indices else array
            case Delta():
                return Expr("delta", (), tuple(map(self.label, expr.args)), ())
            case Sum():
                return self.sum(expr)
            case Times():
                return product([self.read(a) for a in expr.args])
            case Plus():
                return added([self.read(a) for a in expr.args])
            case Power():
                exponent = self.read(expr.exponent)
                value = literal_value(exponent)
                if value is None:
                    return apply("general_power", self.read(expr.base), exponent)
                return apply("power", self.read(expr.base), data=(value,))
            case Apply():
                return apply("map", self.read(expr.arg), data=(expr.name, expr.order))
            case sympy.Rational():
                return number(Fraction(int(expr.p), int(expr.q)))
            case sympy.Symbol():
                return self.names[expr.name] if expr.name in self.names else size(dims.symbol(expr.name))
        raise UnsupportedError(f"{type(expr).__name__} is not part of the index language")

    def sum(self, expr: Sum) -> Expr:
        """Read a sum; its indices get names of their own, as one letter may be bound twice."""
        outer = dict(self.bound)
        self.sums += 1
        self.bound.update({i: f"{i.name}#{self.sums}" for i in expr.bound})
        labels = tuple(self.bound[i] for i in expr.bound)
        body = self.read(expr.body)
        self.bound = outer
        return Expr("sum_over", (body,), labels, ())
