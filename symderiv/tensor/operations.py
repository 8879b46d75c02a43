"""The operations of the matrix language: for each its shape rule and its one line of index notation.

A line is written once, against a small algebra of indexed values (`A[i, q] * B[q, j]`, `ix.sum(q, …)`,
`ix.delta(i, j)`, `ix.apply("exp", …)`), and read twice: by the engine, as a node of the normal form,
and by a proof, as an index expression in the order written.  Nothing else has to be said about an
operation to get its derivative, its proof and its code.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import Any, Protocol

import sympy

from symderiv import dims
from symderiv.dims import Size
from symderiv.errors import ShapeError, UnsupportedError
from symderiv.functions import FUNCTIONS
from symderiv.tensor.expr import Axes, Axis, Expr, plain_axes

Token = tuple[Any, ...]


class Value(Protocol):
    """A number that depends on indices."""

    def __add__(self, other: Any) -> Value: ...
    def __sub__(self, other: Any) -> Value: ...
    def __mul__(self, other: Any) -> Value: ...
    def __truediv__(self, other: Any) -> Value: ...
    def __neg__(self) -> Value: ...


class Indexed(Protocol):
    """An array: `A[i, j]` is a value; `axes` as in :class:`Expr`."""

    @property
    def axes(self) -> Axes: ...
    def __getitem__(self, tokens: Any) -> Value: ...


class Notation(Protocol):
    """What a line may use."""

    def index(self, axis: Axis) -> Token: ...
    def sum(self, tokens: Sequence[Token], value: Any) -> Value: ...
    def delta(self, i: Token, j: Token) -> Value: ...
    def number(self, value: Fraction | int) -> Value: ...
    def size(self, size: Size) -> Value: ...
    def apply(self, function: str, value: Any, order: int = 0) -> Value: ...
    def power(self, base: Any, exponent: Fraction) -> Value: ...
    def general_power(self, base: Any, exponent: Any) -> Value: ...
    def where(self, relation: str, left: Any, right: Any, yes: Any, no: Any) -> Value: ...
    def extremum(self, kind: str, left: Any, right: Any) -> Value: ...
    def whole(self, function: str, array: Any, tokens: Sequence[Token]) -> Value: ...
    def matrix_power(self, array: Any, exponent: Size, tokens: Sequence[Token]) -> Value: ...
    def along(self, function: str, array: Any, axes: Sequence[int], tokens: Sequence[Token]) -> Value: ...
    def others(self, array: Any, axes: Sequence[int], order: int, tokens: Sequence[Token]) -> Value: ...


ShapeRule = Callable[[tuple[Expr, ...], tuple[Any, ...]], Axes]
Line = Callable[[Notation, Sequence[Indexed], Sequence[Token], tuple[Any, ...]], Value]


@dataclass(frozen=True)
class Operation:
    """One operation: how many arguments, the axes of the result, the index line."""

    name: str
    axes: ShapeRule
    line: Line
    data: str = ""  # what stands in the text beside the arguments: "axis", "axes", "power", …


OPERATIONS: dict[str, Operation] = {}


def operation(name: str, axes: ShapeRule, data: str = "") -> Callable[[Line], Line]:
    """Register an operation by its index line."""

    def register(line: Line) -> Line:
        OPERATIONS[name] = Operation(name, axes, line, data)
        return line

    return register


def apply(name: str, *args: Expr, data: tuple[Any, ...] = ()) -> Expr:
    """Return the operation applied to arguments, its shape checked.

    >>> A = Expr("var", (), ("A", frozenset()), plain_axes(dims.shape("nm")))
    >>> apply("matmul", A, apply("transpose", A)).shape
    (n, n)
    """
    if name in AXIS_BY_AXIS and len(args) > 1:
        args = _composed_alike(args)
    elif name == "matmul" and args[0].rank and args[1].rank and args[0].axes[-1] != args[1].axes[0]:
        a, b = args
        args = _composed(a, {0: b.axes[0]}), _composed(b, {b.rank - 1: a.axes[-1]})
    return Expr(name, args, data, OPERATIONS[name].axes(args, data))


AXIS_BY_AXIS = frozenset({"add", "sub", "mul", "div", "general_power", "maximum", "minimum", "where"})


def _composed_alike(args: tuple[Expr, ...]) -> tuple[Expr, ...]:
    """Return the arguments, constants on axes composed as those of the others are: `vec(A) + ones(n*m)`."""
    wanted: dict[int, Axis] = {}
    for a in args:
        for k, axis in enumerate(reversed(a.axes)):
            if len(axis) > 1:
                wanted.setdefault(k, axis)
    return tuple(_composed(a, wanted) for a in args) if wanted else args


def _composed(expr: Expr, wanted: dict[int, Axis]) -> Expr:
    """Return a constant with its axes, counted from the last, composed as wanted where their sizes agree."""
    found = [wanted.get(k, axis) for k, axis in enumerate(reversed(expr.axes))]
    axes = tuple(a if dims.product(a) == dims.product(b) else b for a, b in zip(found[::-1], expr.axes, strict=True))
    if axes == expr.axes:
        return expr
    if expr.op in ("ones", "zeros"):
        return Expr(expr.op, (), expr.data, axes)
    if expr.op in AXIS_BY_AXIS or expr.op in ("neg", "power", "map", "sqrt"):
        return apply(expr.op, *(_composed(a, wanted) for a in expr.args), data=expr.data)
    return expr


# ---------------------------------------------------------------- shape rules


def refuse(message: str, args: Sequence[Expr], hint: str = "") -> ShapeError:
    """Return a shape error that shows the shapes of the arguments."""
    names = ["argument"] if len(args) == 1 else ["left", "right"] if len(args) == 2 else None
    shapes = {(names[k] if names else f"argument {k + 1}"): dims.written(a.shape) for k, a in enumerate(args)}
    return ShapeError(message, shapes=shapes, hint=hint)


def same(args: tuple[Expr, ...], _: tuple[Any, ...]) -> Axes:
    """The axes of the one argument."""
    return args[0].axes


def scalar(_args: tuple[Expr, ...], _data: tuple[Any, ...]) -> Axes:
    """No axes."""
    return ()


def broadcast(args: tuple[Expr, ...], _: tuple[Any, ...] = ()) -> Axes:
    """The axes of an entrywise operation, as NumPy broadcasts them."""
    result: Axes = args[0].axes
    for other in args[1:]:
        try:
            result = _broadcast(result, other.axes)
        except ShapeError as err:
            shown = refuse(err.message, args, err.hint)
            raise shown from None
    return result


ONE_AXIS: Axis = (sympy.Integer(1),)


def _broadcast(left: Axes, right: Axes) -> Axes:
    rank = max(len(left), len(right))
    a = (ONE_AXIS,) * (rank - len(left)) + left
    b = (ONE_AXIS,) * (rank - len(right)) + right
    shapes = [tuple(dims.product(axis) for axis in axes) for axes in (left, right)]
    dims.broadcast(shapes[0], shapes[1])
    merged = []
    for x, y in zip(a, b, strict=True):
        merged.append(y if x == ONE_AXIS else x)
    return tuple(merged)


def _matmul(args: tuple[Expr, ...], _: tuple[Any, ...]) -> Axes:
    a, b = args
    if a.rank == 0 or b.rank == 0:
        raise refuse("@ needs arrays, not scalars", args, "write * for a product with a scalar")
    if a.rank > 2 or b.rank > 2:
        raise refuse("a matrix product takes vectors and matrices only", args, "write einsum for arrays with more axes")
    if a.shape[-1] != b.shape[0]:
        hint = ""
        if b.rank == 2 and a.axes[-1] == b.axes[-1]:
            hint = "did you mean the right factor transposed, .T?"
        elif a.rank == 2 and a.axes[0] == b.axes[0]:
            hint = "did you mean the left factor transposed, .T?"
        raise refuse(f"inner sizes {a.shape[-1]} and {b.shape[0]} do not agree", args, hint)
    return a.axes[:-1] + b.axes[1:]


def _matrix(args: tuple[Expr, ...], what: str) -> Expr:
    if args[0].rank != 2:
        raise refuse(f"{what} needs a matrix", args)
    return args[0]


def _square(args: tuple[Expr, ...], what: str) -> Expr:
    a = _matrix(args, what)
    if a.axes[0] != a.axes[1]:
        raise refuse(f"{what} needs a square matrix", args)
    return a


def normalised_axis(axis: int, rank: int, args: Sequence[Expr]) -> int:
    """Return an axis counted from the front."""
    if not -rank <= axis < rank:
        raise refuse(f"axis {axis} is out of range", args, f"the argument has {rank} axes, counted from 0")
    return axis % rank


def _reduced(args: tuple[Expr, ...], data: tuple[Any, ...]) -> Axes:
    if not data:
        return ()
    axis = normalised_axis(data[0], args[0].rank, args)
    return args[0].axes[:axis] + args[0].axes[axis + 1 :]


def _kept(args: tuple[Expr, ...], data: tuple[Any, ...]) -> Axes:
    normalised_axis(data[0], args[0].rank, args)
    return args[0].axes


# ---------------------------------------------------------------- entrywise


def spread(ix: Notation, array: Indexed, out: Sequence[Token], axes: Axes) -> Value:
    """Return `array` at the indices `out` of a result with `axes`, broadcast as NumPy does."""
    shift = len(axes) - len(array.axes)
    tokens, ones = [], []
    for k, axis in enumerate(array.axes):
        if axis == axes[shift + k]:
            tokens.append(out[shift + k])
        elif axis != ONE_AXIS:
            raise UnsupportedError(
                f"an axis of size {dims.product(axis)} is composed in two ways",
                hint="write both sides with vec, or both with kron in the same order",
            )
        else:
            one = ix.index(axis)
            tokens.append(one)
            ones.append(one)
    value = array[tuple(tokens)]
    return ix.sum(ones, value) if ones else value


def _pair(ix: Notation, args: Sequence[Indexed], out: Sequence[Token]) -> tuple[Value, Value]:
    axes = _broadcast(args[0].axes, args[1].axes)
    return spread(ix, args[0], out, axes), spread(ix, args[1], out, axes)


@operation("add", broadcast)
def _line_of_add(ix: Notation, args: Sequence[Indexed], out: Sequence[Token], data: tuple[Any, ...]) -> Value:
    a, b = _pair(ix, args, out)
    return a + b


@operation("sub", broadcast)
def _line_of_sub(ix: Notation, args: Sequence[Indexed], out: Sequence[Token], data: tuple[Any, ...]) -> Value:
    a, b = _pair(ix, args, out)
    return a - b


@operation("mul", broadcast)
def _line_of_mul(ix: Notation, args: Sequence[Indexed], out: Sequence[Token], data: tuple[Any, ...]) -> Value:
    a, b = _pair(ix, args, out)
    return a * b


@operation("div", broadcast)
def _line_of_div(ix: Notation, args: Sequence[Indexed], out: Sequence[Token], data: tuple[Any, ...]) -> Value:
    a, b = _pair(ix, args, out)
    return a / b


@operation("neg", same)
def _line_of_neg(ix: Notation, args: Sequence[Indexed], out: Sequence[Token], data: tuple[Any, ...]) -> Value:
    return -args[0][tuple(out)]


@operation("power", same, data="exponent")
def _line_of_power(ix: Notation, args: Sequence[Indexed], out: Sequence[Token], data: tuple[Any, ...]) -> Value:
    return ix.power(args[0][tuple(out)], data[0])


@operation("general_power", broadcast)
def _line_of_general_power(ix: Notation, args: Sequence[Indexed], out: Sequence[Token], data: tuple[Any, ...]) -> Value:
    return ix.general_power(*_pair(ix, args, out))


@operation("map", same, data="function")
def _line_of_map(ix: Notation, args: Sequence[Indexed], out: Sequence[Token], data: tuple[Any, ...]) -> Value:
    return ix.apply(data[0], args[0][tuple(out)], data[1])


@operation("sqrt", same)
def _line_of_sqrt(ix: Notation, args: Sequence[Indexed], out: Sequence[Token], data: tuple[Any, ...]) -> Value:
    return ix.power(args[0][tuple(out)], Fraction(1, 2))


@operation("maximum", broadcast)
def _line_of_maximum(ix: Notation, args: Sequence[Indexed], out: Sequence[Token], data: tuple[Any, ...]) -> Value:
    return ix.extremum("maximum", *_pair(ix, args, out))


@operation("minimum", broadcast)
def _line_of_minimum(ix: Notation, args: Sequence[Indexed], out: Sequence[Token], data: tuple[Any, ...]) -> Value:
    return ix.extremum("minimum", *_pair(ix, args, out))


@operation("where", broadcast, data="relation")
def _line_of_where(ix: Notation, args: Sequence[Indexed], out: Sequence[Token], data: tuple[Any, ...]) -> Value:
    axes: Axes = ()
    for a in args:
        axes = _broadcast(axes, a.axes)
    left, right, yes, no = (spread(ix, a, out, axes) for a in args)
    return ix.where(data[0], left, right, yes, no)


# ---------------------------------------------------------------- products


@operation("matmul", _matmul)
def _line_of_matmul(ix: Notation, args: Sequence[Indexed], out: Sequence[Token], data: tuple[Any, ...]) -> Value:
    a, b = args
    q = ix.index(a.axes[-1])
    rows = tuple(out[: len(a.axes) - 1])
    columns = tuple(out[len(rows) :])
    return ix.sum([q], a[(*rows, q)] * b[(q, *columns)])


def matmul(a: Expr, b: Expr) -> Expr:
    """Return `a @ b` as NumPy has it: with more than two axes, the products of the last two, for all others.

    >>> T = Expr("var", (), ("T", frozenset()), plain_axes(dims.shape("bnm")))
    >>> matmul(T, apply("transpose", T, data=((0, 2, 1),))).data
    ('abd,adc->abc',)
    """
    most = max(a.rank, b.rank)
    if most <= 2 or not a.rank or not b.rank:
        return apply("matmul", a, b)
    if a.shape[-1] != b.shape[max(b.rank - 2, 0)]:
        raise refuse(f"inner sizes {a.shape[-1]} and {b.shape[max(b.rank - 2, 0)]} do not agree", (a, b))
    if most >= len(LETTERS):
        raise refuse(f"a product of arrays with {most} axes is too much", (a, b), f"{len(LETTERS) - 1} are the most")
    batch = LETTERS[: most - 2]
    row, column, q = (LETTERS[most - 2 + k] for k in range(3))
    left = q if a.rank == 1 else batch[most - a.rank :] + row + q
    right = q if b.rank == 1 else batch[most - b.rank :] + q + column
    out = batch + (row if a.rank > 1 else "") + (column if b.rank > 1 else "")
    return apply("einsum", a, b, data=(f"{left},{right}->{out}",))


LETTERS = "abcdefghijklmnopqrstuvwxyz"


def _inner(args: tuple[Expr, ...], _: tuple[Any, ...]) -> Axes:
    if args[0].rank != 1 or args[1].rank != 1 or args[0].axes != args[1].axes:
        raise refuse("inner needs two vectors of one size", args)
    return ()


@operation("inner", _inner)
def _line_of_inner(ix: Notation, args: Sequence[Indexed], out: Sequence[Token], data: tuple[Any, ...]) -> Value:
    q = ix.index(args[0].axes[0])
    return ix.sum([q], args[0][q,] * args[1][q,])


def inner(a: Expr, b: Expr) -> Expr:
    """Return `np.inner(a, b)`, summed over the last axis of both: of vectors and matrices, `a @ b.T`."""
    if a.rank == b.rank == 1:
        return apply("inner", a, b)
    if not a.rank or not b.rank:
        return apply("mul", a, b)
    if a.shape[-1] != b.shape[-1]:
        raise refuse("inner sums over the last axes, which need one size", (a, b))
    if max(a.rank, b.rank) > 2:
        raise refuse("inner takes vectors and matrices only", (a, b), "write einsum for arrays with more axes")
    return apply("matmul", a, apply("transpose", b) if b.rank == 2 else b)


def along_axes(name: str, x: Expr, over: Collection[int]) -> Expr:
    """Return a sum, mean, product or log-sum-exp over some axes, counted from the front, or over all of them."""
    if len(over) == x.rank:
        return apply(name, x)
    for k in sorted(over, reverse=True):  # the last first: the others stay where they are
        x = apply(name, x, data=(k,))
    return x


def kept(x: Expr, over: Collection[int], rank: int) -> Expr:
    """Return an array with axes of size 1 where it was reduced."""
    return apply("newaxis", x, data=(tuple(k in over for k in range(rank)),)) if rank else x


def flat(x: Expr) -> Expr:
    """Return the entries of an array as one axis, row by row."""
    if x.rank == 0:
        return apply("newaxis", x, data=((True,),))
    return x if x.rank == 1 else apply("reshape", x, data=((dims.product(x.shape),),))


def _outer(args: tuple[Expr, ...], _: tuple[Any, ...]) -> Axes:
    if args[0].rank != 1 or args[1].rank != 1:
        raise refuse("outer needs two vectors", args)
    return args[0].axes + args[1].axes


@operation("outer", _outer)
def _line_of_outer(ix: Notation, args: Sequence[Indexed], out: Sequence[Token], data: tuple[Any, ...]) -> Value:
    return args[0][out[0],] * args[1][out[1],]


def joined(*parts: Sequence[Size]) -> Axis:
    """Return one axis composed of others; sizes of 1 add nothing to it."""
    return tuple(size for part in parts for size in part if size != 1) or ONE_AXIS


def _parted(ix: Notation, token: Token, axes: Sequence[Axis]) -> tuple[list[Token], list[Token]]:
    """Return the tokens of the axes that a composed axis was joined from, and those of their sizes of 1."""
    atoms = iter(token)
    tokens, ones = [], []
    for axis in axes:
        parts: list[Any] = []
        for size in axis:
            if size == 1:
                ones.append(ix.index((size,)))
                parts += ones[-1]
            else:
                parts.append(next(atoms))
        tokens.append(tuple(parts))
    return tokens, ones


def _kron(args: tuple[Expr, ...], _: tuple[Any, ...]) -> Axes:
    if args[0].rank != args[1].rank or args[0].rank not in (1, 2):
        raise refuse("kron needs two matrices or two vectors", args)
    return tuple(joined(x, y) for x, y in zip(args[0].axes, args[1].axes, strict=True))


@operation("kron", _kron)
def _line_of_kron(ix: Notation, args: Sequence[Indexed], out: Sequence[Token], data: tuple[Any, ...]) -> Value:
    first, second, ones = [], [], []
    for token, x, y in zip(out, args[0].axes, args[1].axes, strict=True):
        (i, j), new = _parted(ix, token, (x, y))
        first.append(i)
        second.append(j)
        ones += new
    value = args[0][tuple(first)] * args[1][tuple(second)]
    return ix.sum(ones, value) if ones else value


def _einsum(args: tuple[Expr, ...], data: tuple[Any, ...]) -> Axes:
    sizes = einsum_sizes(args, data[0])
    return tuple(sizes[letter] for letter in data[0].split("->")[1])


def einsum_sizes(args: Sequence[Any], spec: str) -> dict[str, Axis]:
    """Return the axis behind each letter of an einsum."""
    inputs = spec.split("->")[0].split(",")
    if len(inputs) != len(args):
        raise refuse(f"einsum {spec!r} names {len(inputs)} arrays, {len(args)} are given", args)
    sizes: dict[str, Axis] = {}
    for letters, arg in zip(inputs, args, strict=True):
        if len(letters) != len(arg.axes):
            raise refuse(f"einsum {spec!r}: {letters!r} names {len(letters)} axes of an array of {len(arg.axes)}", args)
        for letter, axis in zip(letters, arg.axes, strict=True):
            if sizes.setdefault(letter, axis) != axis:
                raise refuse(f"einsum {spec!r}: index {letter} has two sizes", args)
    return sizes


@operation("einsum", _einsum, data="spec")
def _line_of_einsum(ix: Notation, args: Sequence[Indexed], out: Sequence[Token], data: tuple[Any, ...]) -> Value:
    inputs, output = data[0].split("->")
    sizes = einsum_sizes(args, data[0])
    tokens = dict(zip(output, out, strict=True))
    bound = [letter for letter in sizes if letter not in tokens]
    tokens.update({letter: ix.index(sizes[letter]) for letter in bound})
    value = None
    for letters, arg in zip(inputs.split(","), args, strict=True):
        entry = arg[tuple(tokens[letter] for letter in letters)]
        value = entry if value is None else value * entry
    assert value is not None
    return ix.sum([tokens[letter] for letter in bound], value) if bound else value


def _matrix_power(args: tuple[Expr, ...], data: tuple[Any, ...]) -> Axes:
    if isinstance(data[0], int) and abs(data[0]) > MOST_POWER:
        raise UnsupportedError(
            f"matrix_power with exponent {data[0]}", hint=f"exponents up to {MOST_POWER} are written out"
        )
    return _square(args, "matrix_power").axes


MOST_POWER = 64


@operation("matrix_power", _matrix_power, data="power")
def _line_of_matrix_power(ix: Notation, args: Sequence[Indexed], out: Sequence[Token], data: tuple[Any, ...]) -> Value:
    (a,), times = args, data[0]
    if not isinstance(times, int):  # a size: a power of its own, with one law for its derivative
        return ix.matrix_power(a, times, out)
    if times == 0:
        return ix.delta(out[0], out[1])
    inner = [ix.index(a.axes[0]) for _ in range(abs(times) - 1)]
    path = [out[0], *inner, out[1]]
    value = None
    for i, j in pairwise(path):
        step = a[i, j] if times > 0 else ix.whole("inv", a, (i, j))
        value = step if value is None else value * step
    assert value is not None
    return ix.sum(inner, value) if inner else value


# ---------------------------------------------------------------- sums and rearrangements


@operation("sum", _reduced, data="axis")
def _line_of_sum(ix: Notation, args: Sequence[Indexed], out: Sequence[Token], data: tuple[Any, ...]) -> Value:
    tokens, bound = _with_bound(ix, args[0], out, data)
    return ix.sum(bound, args[0][tokens]) if bound else args[0][tokens]


def _with_bound(
    ix: Notation, array: Indexed, out: Sequence[Token], data: tuple[Any, ...]
) -> tuple[tuple[Token, ...], list[Token]]:
    rank = len(array.axes)
    over = [data[0] % rank] if data else list(range(rank))
    rest = iter(out)
    tokens = tuple(ix.index(array.axes[k]) if k in over else next(rest) for k in range(rank))
    return tokens, [tokens[k] for k in over]


@operation("mean", _reduced, data="axis")
def _line_of_mean(ix: Notation, args: Sequence[Indexed], out: Sequence[Token], data: tuple[Any, ...]) -> Value:
    tokens, bound = _with_bound(ix, args[0], out, data)
    if not bound:
        return args[0][tokens]
    rank = len(args[0].axes)
    over = [data[0] % rank] if data else range(rank)
    count = dims.product(dims.product(args[0].axes[k]) for k in over)
    return ix.sum(bound, args[0][tokens]) / ix.size(count)


def _trace(args: tuple[Expr, ...], _: tuple[Any, ...]) -> Axes:
    _square(args, "trace")
    return ()


@operation("trace", _trace)
def _line_of_trace(ix: Notation, args: Sequence[Indexed], out: Sequence[Token], data: tuple[Any, ...]) -> Value:
    q = ix.index(args[0].axes[0])
    return ix.sum([q], args[0][q, q])


def _norm_axes(args: tuple[Expr, ...], _: tuple[Any, ...]) -> Axes:
    return ()


@operation("norm", _norm_axes)
def _line_of_norm(ix: Notation, args: Sequence[Indexed], out: Sequence[Token], data: tuple[Any, ...]) -> Value:
    tokens = tuple(ix.index(axis) for axis in args[0].axes)
    if not tokens:
        return ix.apply("abs", args[0][()])
    return ix.power(ix.sum(tokens, ix.power(args[0][tokens], Fraction(2))), Fraction(1, 2))


@operation("transpose", lambda args, data: _transpose(args, data), data="axes")
def _line_of_transpose(ix: Notation, args: Sequence[Indexed], out: Sequence[Token], data: tuple[Any, ...]) -> Value:
    order = data[0] if data else tuple(reversed(range(len(args[0].axes))))
    tokens: list[Token] = [()] * len(order)
    for place, axis in enumerate(order):
        tokens[axis] = out[place]
    return args[0][tuple(tokens)]


def _transpose(args: tuple[Expr, ...], data: tuple[Any, ...]) -> Axes:
    a = args[0]
    if not data:
        return tuple(reversed(a.axes))
    if sorted(data[0]) != list(range(a.rank)):
        raise refuse(f"transpose needs each of the axes 0 to {a.rank - 1} once, not {data[0]}", args)
    return tuple(a.axes[k] for k in data[0])


def _diag(args: tuple[Expr, ...], _: tuple[Any, ...]) -> Axes:
    a = args[0]
    if a.rank == 1:
        return a.axes * 2
    if a.rank != 2:
        raise refuse("diag needs a vector or a square matrix", args)
    return _square(args, "diag").axes[:1]


@operation("diag", _diag)
def _line_of_diag(ix: Notation, args: Sequence[Indexed], out: Sequence[Token], data: tuple[Any, ...]) -> Value:
    if len(args[0].axes) == 1:
        return args[0][out[0],] * ix.delta(out[0], out[1])
    return args[0][out[0], out[0]]


def _vec(args: tuple[Expr, ...], _: tuple[Any, ...]) -> Axes:
    return (joined(*reversed(args[0].axes)),)


@operation("vec", _vec)
def _line_of_vec(ix: Notation, args: Sequence[Indexed], out: Sequence[Token], data: tuple[Any, ...]) -> Value:
    tokens, ones = _parted(ix, out[0], args[0].axes[::-1])
    value = args[0][tuple(reversed(tokens))]
    return ix.sum(ones, value) if ones else value


def _reshape(args: tuple[Expr, ...], data: tuple[Any, ...]) -> Axes:
    """Row-major: the atomic sizes stay in order and are cut anew."""
    atoms = [size for axis in args[0].axes for size in axis if size != 1]
    result: list[Axis] = []
    for wanted in data[0]:
        taken: list[Size] = []
        while dims.product(taken) != wanted and atoms:
            taken.append(atoms.pop(0))
        if dims.product(taken) != wanted:
            break
        result.append(tuple(taken) or ONE_AXIS)
    if atoms or len(result) != len(data[0]):
        if dims.product(args[0].shape) != dims.product(data[0]):
            raise refuse(f"reshape to {dims.written(data[0])} changes the number of entries", args)
        raise UnsupportedError(
            f"reshape to {dims.written(data[0])} cuts through an axis",
            shapes={"argument": dims.written(args[0].shape)},
            hint="axes can be merged, and split where they were composed: declare the variable in its finest shape, "
            "x: (2, 3) say, and write reshape(x, (6,)) where it stands as one axis",
        )
    return tuple(result)


@operation("reshape", _reshape, data="shape")
def _line_of_reshape(ix: Notation, args: Sequence[Indexed], out: Sequence[Token], data: tuple[Any, ...]) -> Value:
    out_axes = _reshape(tuple(args), data)  # type: ignore[arg-type]
    atoms = [
        atom
        for token, axis in zip(out, out_axes, strict=True)
        for atom, size in zip(token, axis, strict=True)
        if size != 1
    ]
    tokens, ones = _parted(ix, tuple(atoms), args[0].axes)
    value = args[0][tuple(tokens)]
    return ix.sum(ones, value) if ones else value


def _newaxis(args: tuple[Expr, ...], data: tuple[Any, ...]) -> Axes:
    rest = list(args[0].axes)
    if sum(not new for new in data[0]) > len(rest):
        raise refuse("more subscripts than axes", args)
    axes = [ONE_AXIS if new else rest.pop(0) for new in data[0]]
    return (*axes, *rest)


@operation("newaxis", _newaxis, data="subscripts")
def _line_of_newaxis(ix: Notation, args: Sequence[Indexed], out: Sequence[Token], data: tuple[Any, ...]) -> Value:
    kept = [token for token, new in zip(out, data[0], strict=False) if not new]
    return args[0][(*kept, *out[len(data[0]) :])]


# ---------------------------------------------------------------- constants


def _given(_args: tuple[Expr, ...], data: tuple[Any, ...]) -> Axes:
    return plain_axes(data[0])


@operation("eye", lambda args, data: plain_axes((data[0], data[0])), data="size")
def _line_of_eye(ix: Notation, args: Sequence[Indexed], out: Sequence[Token], data: tuple[Any, ...]) -> Value:
    return ix.delta(out[0], out[1])


@operation("ones", _given, data="shape")
def _line_of_ones(ix: Notation, args: Sequence[Indexed], out: Sequence[Token], data: tuple[Any, ...]) -> Value:
    return ix.number(1)


@operation("zeros", _given, data="shape")
def _line_of_zeros(ix: Notation, args: Sequence[Indexed], out: Sequence[Token], data: tuple[Any, ...]) -> Value:
    return ix.number(0)


# ---------------------------------------------------------------- functions of a matrix, along an axis


@operation("inv", lambda args, data: _square(args, "inv").axes)
def _line_of_inv(ix: Notation, args: Sequence[Indexed], out: Sequence[Token], data: tuple[Any, ...]) -> Value:
    return ix.whole("inv", args[0], out)


def _of_a_square(name: str) -> ShapeRule:
    """The rule of a number that a square matrix has."""

    def axes(args: tuple[Expr, ...], _: tuple[Any, ...]) -> Axes:
        _square(args, name)
        return ()

    return axes


@operation("det", _of_a_square("det"))
def _line_of_det(ix: Notation, args: Sequence[Indexed], out: Sequence[Token], data: tuple[Any, ...]) -> Value:
    return ix.whole("det", args[0], ())


@operation("logdet", _of_a_square("logdet"))
def _line_of_logdet(ix: Notation, args: Sequence[Indexed], out: Sequence[Token], data: tuple[Any, ...]) -> Value:
    return ix.whole("logdet", args[0], ())


def _solve(args: tuple[Expr, ...], _: tuple[Any, ...]) -> Axes:
    a = _square(args[:1], "solve")
    if args[1].rank not in (1, 2) or args[1].axes[0] != a.axes[0]:
        raise refuse("solve(A, b) needs b with as many rows as A", args)
    return args[1].axes


@operation("solve", _solve)
def _line_of_solve(ix: Notation, args: Sequence[Indexed], out: Sequence[Token], data: tuple[Any, ...]) -> Value:
    q = ix.index(args[0].axes[0])
    return ix.sum([q], ix.whole("inv", args[0], (out[0], q)) * args[1][(q, *out[1:])])


@operation("softmax", _kept, data="axis")
def _line_of_softmax(ix: Notation, args: Sequence[Indexed], out: Sequence[Token], data: tuple[Any, ...]) -> Value:
    return ix.along("softmax", args[0], [data[0] % len(args[0].axes)], out)


@operation("logsumexp", _reduced, data="axis")
def _line_of_logsumexp(ix: Notation, args: Sequence[Indexed], out: Sequence[Token], data: tuple[Any, ...]) -> Value:
    rank = len(args[0].axes)
    if not rank:
        return args[0][()]
    return ix.along("logsumexp", args[0], [data[0] % rank] if data else list(range(rank)), out)


@operation("prod", _reduced, data="axis")
def _line_of_prod(ix: Notation, args: Sequence[Indexed], out: Sequence[Token], data: tuple[Any, ...]) -> Value:
    rank = len(args[0].axes)
    if not rank:
        return args[0][()]
    return ix.along("prod", args[0], [data[0] % rank] if data else list(range(rank)), out)


def _others(args: tuple[Expr, ...], data: tuple[Any, ...]) -> Axes:
    over, order = data
    copy: Axes = tuple(args[0].axes[k] for k in over)
    return args[0].axes + copy * int(order - 1)


@operation("others", _others, data="axes, order")
def _line_of_others(ix: Notation, args: Sequence[Indexed], out: Sequence[Token], data: tuple[Any, ...]) -> Value:
    """`Π_{k ∉ {j₁ … jₘ}} A[i, k]` for different j₁ … jₘ, else 0: the m-th derivative of `prod` over some axes.

    Only results hold it, so that a further derivative goes through it; its text is a choice
    (:mod:`symderiv.tensor.others`).
    """
    over, order = data
    return ix.others(args[0], over, order, out)


ENTRYWISE = frozenset(FUNCTIONS)
