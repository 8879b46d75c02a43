"""The notation of the operations' lines, on the index language: as written, in the order written.

The same line that gives the engine its node gives a proof its text (:mod:`symderiv.tensor.operations`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from typing import Any

import sympy

from symderiv.index.nodes import (
    Apply,
    Choice,
    Definition,
    Delta,
    Entry,
    Extreme,
    Index,
    IndexExpr,
    Names,
    Plus,
    Power,
    Sum,
    Tensor,
    Times,
)

Token = tuple[Any, ...]
Axis = tuple[sympy.Expr, ...]


class Value:
    """An index expression under Python's operators."""

    __slots__ = ("expr",)

    def __init__(self, expr: sympy.Expr) -> None:
        self.expr = expr

    def __add__(self, other: Value) -> Value:
        return Value(plus(self.expr, other.expr))

    def __sub__(self, other: Value) -> Value:
        return Value(plus(self.expr, negative(other.expr)))

    def __neg__(self) -> Value:
        return Value(negative(self.expr))

    def __mul__(self, other: Value) -> Value:
        return Value(times(self.expr, other.expr))

    def __truediv__(self, other: Value) -> Value:
        return Value(times(self.expr, power(other.expr, sympy.Integer(-1))))


def times(*factors: sympy.Expr) -> sympy.Expr:
    """Return a product, inner products opened, 1 left out."""
    flat: list[sympy.Expr] = []
    for f in factors:
        flat += f.args if isinstance(f, Times) else [f]
    flat = [f for f in flat if f != 1]
    if not flat:
        return sympy.Integer(1)
    return flat[0] if len(flat) == 1 else Times(*flat)


def plus(*terms: sympy.Expr) -> sympy.Expr:
    """Return a sum of terms, inner sums opened, 0 left out."""
    flat: list[sympy.Expr] = []
    for t in terms:
        flat += t.args if isinstance(t, Plus) else [t]
    flat = [t for t in flat if t != 0]
    if not flat:
        return sympy.Integer(0)
    return flat[0] if len(flat) == 1 else Plus(*flat)


def negative(expr: sympy.Expr) -> sympy.Expr:
    """Return `-expr`; the sign goes to a leading number."""
    if isinstance(expr, sympy.Rational):
        return -expr
    if isinstance(expr, Times) and isinstance(expr.args[0], sympy.Rational):
        return times(-expr.args[0], *expr.args[1:])
    if isinstance(expr, Plus):
        return Times(sympy.Integer(-1), expr)
    return times(sympy.Integer(-1), expr)


def power(base: sympy.Expr, exponent: sympy.Expr) -> sympy.Expr:
    """Return `base ** exponent`, exponent 1 left out, powers of powers joined where that is exact."""
    if exponent == 1:
        return base
    if isinstance(base, sympy.Rational) and isinstance(exponent, sympy.Integer) and base != 0:
        return base**exponent
    if isinstance(base, Power) and isinstance(exponent, sympy.Integer):
        return power(base.base, _multiple(exponent, base.exponent))
    return Power(base, exponent)


def _multiple(number: sympy.Integer, exponent: sympy.Expr) -> sympy.Expr:
    """Return a multiple of an exponent, which may be a number or itself an index expression."""
    return number * exponent if isinstance(exponent, sympy.Rational) else times(number, exponent)


def total(body: sympy.Expr, bound: Sequence[Index]) -> sympy.Expr:
    """Return `Σ body`, an inner sum joined with it."""
    if not bound:
        return body
    if isinstance(body, Sum):
        return Sum(body.body, *bound, *body.bound)
    return Sum(body, *bound)


class Array:
    """An array in a proof: `array[tokens]` writes its entry."""

    def __init__(
        self,
        axes: tuple[Axis, ...],
        write: Callable[[Sequence[Token]], sympy.Expr],
        head: Tensor | None,
        source: Any = None,
    ) -> None:
        self.axes = axes
        self.write = write
        self.head = head
        self.source = source

    def __getitem__(self, tokens: Sequence[Token]) -> Value:
        return Value(self.write(tokens))


class Written:
    """Writes index expressions; heads of whole-matrix functions are collected in `definitions`."""

    def __init__(
        self,
        names: Names,
        definitions: dict[str, Definition],
        free: Mapping[str, Index] | None = None,
        sources: dict[str, Any] | None = None,
    ) -> None:
        self.names = names
        self.definitions = definitions
        self.free = dict(free or {})
        self.sources = {} if sources is None else sources

    def knowing(self, bound: Sequence[str], sizes: Callable[[], Mapping[str, sympy.Expr]]) -> Written:
        """Return a notation in which the indices of a sum are known: those of a definition are its own."""
        if all(name in self.free for name in bound):
            return self
        own = {n: self.names.fresh(size, n) for n, size in sizes().items() if n in bound and n not in self.free}
        return Written(self.names, self.definitions, {**self.free, **own}, self.sources)

    def index(self, axis: Axis) -> Token:
        return tuple(self.names.fresh(size, Names.BOUND) for size in axis)

    def sum(self, tokens: Sequence[Token], value: Value) -> Value:
        bound = [i for token in tokens for i in token]
        if any(i.size == 1 for i in bound):  # what is broadcast has axes that say nothing
            named = value.expr.atoms(Index)
            bound = [i for i in bound if i.size != 1 or i in named]
        return Value(total(value.expr, bound))

    def delta(self, i: Token, j: Token) -> Value:
        return Value(times(*(Delta(a, b) for a, b in zip(i, j, strict=True))))

    def number(self, value: Fraction | int) -> Value:
        value = Fraction(value)
        return Value(sympy.Rational(value.numerator, value.denominator))

    def size(self, size: sympy.Expr) -> Value:
        return Value(size)

    def apply(self, function: str, value: Value, order: int = 0) -> Value:
        return Value(Apply(function, order, value.expr))

    def power(self, base: Value, exponent: Fraction) -> Value:
        return Value(power(base.expr, sympy.Rational(exponent.numerator, exponent.denominator)))

    def general_power(self, base: Value, exponent: Value) -> Value:
        return Value(Power(base.expr, exponent.expr))

    def where(self, relation: str, left: Value, right: Value, yes: Value, no: Value) -> Value:
        return Value(Choice(relation, left.expr, right.expr, yes.expr, no.expr))

    def extremum(self, kind: str, left: Value, right: Value) -> Value:
        return Value(Extreme(kind, left.expr, right.expr))

    def head_of(self, array: Array) -> Tensor:
        """Return the head of an array, named for the purpose where it has none."""
        if array.head is not None:
            return array.head
        tokens = [self.index(axis) for axis in array.axes]
        indices = tuple(i for token in tokens for i in token)
        body = array.write(tokens)
        for known in self.definitions.values():
            if known.kind == "" and known.body is not None and known.tensor.name.startswith("N_"):
                same = dict(zip(known.indices, indices, strict=False))
                if len(known.indices) == len(indices) and alike(known.body, body, same):
                    return known.tensor
        tensor: Tensor = Tensor(f"N_{len(self.definitions) + 1}", *(i.size for i in indices))
        self.definitions[tensor.name] = Definition(tensor, indices, body)
        self.sources[tensor.name] = array.source
        return tensor

    def whole(self, function: str, array: Array, tokens: Sequence[Token]) -> Value:
        head = self.head_of(array)
        flat = [i for token in tokens for i in token]
        result = Tensor(f"{function}({head.name})", *(i.size for i in flat))
        self.definitions[result.name] = Definition(result, kind=function, arguments=(head,))
        inverse = Tensor(f"inv({head.name})", *head.sizes)  # the derivative of a determinant names it
        self.definitions[inverse.name] = Definition(inverse, kind="inv", arguments=(head,))
        return Value(Entry(result, *flat))

    def matrix_power(self, array: Array, exponent: sympy.Expr, tokens: Sequence[Token]) -> Value:
        head = self.head_of(array)
        for e in (exponent, exponent - 1):  # the derivative names the second
            power = raised_head(head, e)
            self.definitions[power.name] = Definition(power, kind="matrix_power", arguments=(head,), exponent=e)
        return Value(Entry(raised_head(head, exponent), *(i for token in tokens for i in token)))

    def along(self, function: str, array: Array, axes: Sequence[int], tokens: Sequence[Token]) -> Value:
        head = self.head_of(array)
        starts = [sum(len(axis) for axis in array.axes[:k]) for k in range(len(array.axes))]
        over = tuple(starts[k] + n for k in axes for n in range(len(array.axes[k])))
        flat = [i for token in tokens for i in token]
        result = Tensor(f"{function}({head.name}, {', '.join(map(str, over))})", *(i.size for i in flat))
        self.definitions[result.name] = Definition(result, kind=function, arguments=(head,), axes=over)
        if function == "logsumexp":  # the derivative names it
            slope = Tensor(f"softmax({head.name}, {', '.join(map(str, over))})", *head.sizes)
            self.definitions[slope.name] = Definition(slope, kind="softmax", arguments=(head,), axes=over)
        if function == "prod":
            self.all_but(head, over, 1)
        return Value(Entry(result, *flat))

    def others(self, array: Array, axes: Sequence[int], order: int, tokens: Sequence[Token]) -> Value:
        head = self.head_of(array)
        starts = [sum(len(axis) for axis in array.axes[:k]) for k in range(len(array.axes))]
        over = tuple(starts[k] + n for k in axes for n in range(len(array.axes[k])))
        result = self.all_but(head, over, order)
        self.all_but(head, over, order + 1)  # the derivative names it
        return Value(Entry(result, *(i for token in tokens for i in token)))

    def all_but(self, head: Tensor, over: tuple[int, ...], order: int) -> Tensor:
        """Return the head of the product of all entries but `order` different ones, written down."""
        result = product_except(head, over, order)
        self.definitions[result.name] = Definition(result, kind="prodexcept", arguments=(head,), axes=over)
        return result


def raised_head(head: Tensor, exponent: sympy.Expr) -> Tensor:
    """Return the head of a power of a matrix."""
    power: Tensor = Tensor(f"matrix_power({head.name}, {exponent})", *head.sizes)
    return power


def product_except(head: Tensor, over: tuple[int, ...], order: int) -> Tensor:
    """Return the head of `Π_{k ∉ {j₁ … jₘ}} u[i, k]`, m the order: axes of u, then those of j₂ … jₘ."""
    copies = [head.sizes[a] for a in over] * (order - 1)
    word = ", ".join([head.name, *map(str, over), *([f"order {order}"] if order > 1 else [])])
    result: Tensor = Tensor(f"prodexcept({word})", *head.sizes, *copies)
    return result


def alike(left: Any, right: Any, change: dict[Index, Index]) -> bool:
    """Tell whether two expressions are equal up to the names of indices."""
    if isinstance(left, Index) and isinstance(right, Index):
        return change.setdefault(left, right) is right
    if type(left) is not type(right) or not isinstance(left, IndexExpr):
        return bool(left == right)
    if len(left.args) != len(right.args):
        return False
    return all(alike(a, b, change) for a, b in zip(left.args, right.args, strict=True))
