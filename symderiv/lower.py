"""Matrix notation to index notation: the operations' lines, read by the engine.

`lower` turns an expression into a node of the normal form, operation by operation, each exactly once
for a shared subexpression.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import reduce
from operator import mul
from typing import Any

import sympy

from symderiv.dims import Size
from symderiv.errors import ShapeError, UnsupportedError
from symderiv.index import nodes as index_nodes
from symderiv.index import normal
from symderiv.index.graph import Node
from symderiv.index.indexed import At
from symderiv.index.indexed import total as total_of
from symderiv.index.nodes import Tensor
from symderiv.index.written import Array as WrittenArray
from symderiv.index.written import Value as WrittenValue
from symderiv.index.written import Written, total
from symderiv.tensor.expr import Axes, Axis, Expr, walk_own
from symderiv.tensor.operations import OPERATIONS, Indexed, Token, spread
from symderiv.tensor.text import to_text


@dataclass(frozen=True)
class Array:
    """A lowered expression: a node whose axes are the atomic sizes of `axes`, then the free indices."""

    node: Node
    axes: Axes
    free: tuple[Any, ...] = ()

    def __getitem__(self, tokens: Sequence[Token]) -> At:
        if any(len(token) != len(axis) for token, axis in zip(tokens, self.axes, strict=True)):
            raise UnsupportedError(
                "an axis is composed in two ways", hint="write both sides with vec, or both with kron in the same order"
            )
        flat = [atom for token in tokens for atom in token]
        return At(self.node, (*flat, *self.free))


class Engine:
    """The notation of the operations' lines, on nodes of the normal form."""

    def __init__(self, sizes: Mapping[str, Axis] | None = None, independent: bool = False) -> None:
        self.independent = independent
        self.sizes: dict[Any, Size] = {}
        for name, axis in (sizes or {}).items():
            self.sizes.update(zip(self.free(name, axis), axis, strict=True))
        self.count = 0

    def know(self, sums: Expr) -> None:
        """Learn the ranges of the indices of a sum from where they stand: those of a definition are its own."""
        if any(name not in self.sizes for name in sums.data):
            for name, axis in index_ranges(sums).items():
                self.sizes.update(zip(self.free(name, axis), axis, strict=True))

    @staticmethod
    def free(name: str, axis: Axis) -> Token:
        """Return the indices that a free index stands for: one for each atomic size."""
        return (name,) if len(axis) == 1 else tuple(f"{name}.{k}" for k in range(len(axis)))

    def index(self, axis: Axis) -> Token:
        token = tuple(range(self.count, self.count + len(axis)))
        self.count += len(axis)
        self.sizes.update(zip(token, axis, strict=True))
        return token

    def sum(self, tokens: Sequence[Token], value: At) -> At:
        bound = {atom for token in tokens for atom in token}
        return value.summed(bound, {b: self.sizes[b] for b in bound})

    def delta(self, i: Token, j: Token) -> At:
        factors = [(normal.delta(self.sizes[a]), (a, b)) for a, b in zip(i, j, strict=True)]
        labels = tuple(dict.fromkeys((*i, *j)))
        return At(normal.contract(1, factors, labels), labels)

    def number(self, value: Fraction | int) -> At:
        return At(normal.number(value), ())

    def size(self, size: Size) -> At:
        return At(normal.size_of(size), ())

    def apply(self, function: str, value: At, order: int = 0) -> At:
        return At(normal.entrywise(function, value.node, order), value.labels)

    def power(self, base: At, exponent: Fraction) -> At:
        return At(normal.power(base.node, exponent), base.labels)

    def general_power(self, base: At, exponent: At) -> At:
        a, b, labels = base.both(exponent)
        return At(normal.general_power(a, b), labels)

    def where(self, relation: str, left: At, right: At, yes: At, no: At) -> At:
        parts = (left, right, yes, no)
        labels = tuple(dict.fromkeys(label for p in parts for label in p.labels))
        sizes = {label: dim for p in parts for label, dim in p.sizes().items()}
        nodes = [p.over(labels, sizes) for p in parts]
        return At(normal.where(relation, *nodes), labels)

    def extremum(self, kind: str, left: At, right: At) -> At:
        a, b, labels = left.both(right)
        return At(normal.extremum(kind, a, b), labels)

    def whole(self, function: str, array: Indexed, tokens: Sequence[Token]) -> At:
        assert isinstance(array, Array)
        if array.free:
            raise UnsupportedError(f"{function} of a matrix that depends on a free index")
        flat = [atom for token in tokens for atom in token]
        build = {"inv": normal.inverse, "det": normal.determinant, "logdet": normal.log_determinant}[function]
        return At(build(array.node), flat)

    def matrix_power(self, array: Indexed, exponent: Size, tokens: Sequence[Token]) -> At:
        assert isinstance(array, Array)
        if array.free:
            raise UnsupportedError("matrix_power of a matrix that depends on a free index")
        return At(normal.matrix_power(array.node, exponent), [atom for token in tokens for atom in token])

    def along(self, function: str, array: Indexed, axes: Sequence[int], tokens: Sequence[Token]) -> At:
        assert isinstance(array, Array)
        starts = [sum(len(axis) for axis in array.axes[:k]) for k in range(len(array.axes))]
        over = [starts[k] + n for k in axes for n in range(len(array.axes[k]))]
        build: Callable[..., Node] = {
            "softmax": normal.softmax, "logsumexp": normal.log_sum_exp, "prod": normal.product,
        }[function]  # fmt: skip
        flat = [atom for token in tokens for atom in token]
        return At(build(array.node, over), (*flat, *array.free))

    def others(self, array: Indexed, axes: Sequence[int], order: int, tokens: Sequence[Token]) -> At:
        assert isinstance(array, Array)
        starts = [sum(len(axis) for axis in array.axes[:k]) for k in range(len(array.axes))]
        over = [starts[k] + n for k in axes for n in range(len(array.axes[k]))]
        flat = [atom for token in tokens for atom in token]
        own = array.node.rank - len(array.free)
        return At(normal.product_except(array.node, over, order), (*flat[:own], *array.free, *flat[own:]))


Meaning = Callable[[Expr], Array | None]


def nothing(_: Expr) -> Array | None:
    """The meaning that leaves every operation to its line."""
    return None


def lower(
    expr: Expr,
    meaning: Meaning = nothing,
    sizes: Mapping[str, Axis] | None = None,
    done: dict[Expr, Array] | None = None,
    independent: bool = False,
) -> Array:
    """Return the normal form of an expression; `independent` leaves the symmetry of definitions unused.

    `meaning` may give the node of a subexpression (a definition, a derivative) before its operation is
    looked at; `sizes` are those of the free indices; `done` keeps what was lowered before.

    >>> from symderiv.tensor.operations import apply
    >>> from symderiv.tensor.expr import plain_axes
    >>> from symderiv import dims
    >>> X = Expr("var", (), ("X", frozenset()), plain_axes(dims.shape("nm")))
    >>> lower(apply("transpose", apply("transpose", X))).node is lower(X).node
    True
    """
    done = {} if done is None else done
    notation = Engine(sizes, independent)

    def known(part: Expr) -> bool:
        if part not in done:
            given = meaning(part)
            if given is None:
                return False
            done[part] = given
        return True

    stack = [expr]
    while stack:
        top = stack[-1]
        if known(top):
            stack.pop()
            continue
        parts = _parts(top, known)
        missing = [a for a in parts if a not in done]
        if missing:
            stack += missing
            continue
        done[top] = _one(notation, top, parts, done)
        stack.pop()
    return done[expr]


SUMS = frozenset(["add", "sub", "neg"])


def _parts(expr: Expr, known: Callable[[Expr], bool]) -> list[Expr]:
    """Return the arguments of an operation; of a sum or a matrix product its terms or factors, however bracketed.

    What stands in it more than once is one of them, so that it is met once.
    """
    alike = SUMS if expr.op in SUMS else {"matmul"} if expr.op == "matmul" else None
    if alike is None:
        return list(expr.args)
    uses: Counter[Expr] = Counter()
    inner = [expr]
    for top in inner:
        for part in top.args:
            uses[part] += 1
            if uses[part] == 1 and part.op in alike and not known(part):
                inner.append(part)
    once = {part for part in inner if uses[part] <= 1}
    opened, parts = [expr], dict[Expr, None]()
    for top in opened:
        opened += [part for part in top.args if part in once]
        parts |= dict.fromkeys(part for part in top.args if part not in once)
    return list(parts)


def _sum(notation: Engine, expr: Expr, terms: Collection[Expr], done: Mapping[Expr, Array], out: Sequence[Token]) -> At:
    """Return a sum at indices, its terms added at once."""
    signed: list[tuple[int, At]] = []
    stack = [(1, expr)]
    while stack:
        sign, part = stack.pop()
        if part is not expr and part in terms:
            value = spread(notation, done[part], out, expr.axes)
            assert isinstance(value, At)
            signed.append((sign, value))
            continue
        signs = (-sign,) if part.op == "neg" else (sign, -sign if part.op == "sub" else sign)
        stack += reversed(list(zip(signs, part.args, strict=True)))
    return total_of(signed)


def _product(
    notation: Engine, expr: Expr, factors: Collection[Expr], done: Mapping[Expr, Array], out: Sequence[Token]
) -> At:
    """Return a matrix product at indices, contracted at once: `(A B)[i,j] = Σ_q A[i,q] B[q,j]`."""
    found: list[At] = []
    bound: dict[Any, Size] = {}
    stack = [(expr, tuple(out))]
    while stack:
        part, tokens = stack.pop()
        if part is not expr and part in factors:
            found.append(done[part][tokens])
            continue
        left, right = part.args
        q = notation.index(left.axes[-1])
        bound.update(zip(q, left.axes[-1], strict=True))
        rows, columns = tokens[: left.rank - 1], tokens[left.rank - 1 :]
        stack += [(right, (q, *columns)), (left, (*rows, q))]
    return reduce(mul, found).summed(bound, bound)


def _one(notation: Engine, expr: Expr, parts: list[Expr], done: Mapping[Expr, Array]) -> Array:
    args = [done[a] for a in parts]
    flat = tuple(size for axis in expr.axes for size in axis)
    match expr.op:
        case "var":
            return Array(normal.leaf(expr.name, flat, expr.data[1], *expr.data[2:]), expr.axes)
        case "number":
            return Array(normal.number(expr.data[0]), ())
        case "size":
            return Array(normal.size_of(expr.data[0]), ())
        case "node":
            return Array(expr.data[0], expr.axes)
        case "defined":
            if args[0].free:
                raise UnsupportedError(f"the definition of {expr.name} holds a free index")
            return Array(normal.defined(expr.name, args[0].node, notation.independent), expr.axes)
        case "called":
            return args[0]
        case "unknown":
            if any(a.free for a in args):
                raise UnsupportedError(f"{expr.name} of something that depends on a free index")
            slots = expr.data[1] if len(expr.data) > 1 else ()
            own = len(flat) - sum(args[s].node.rank for s in slots)
            return Array(normal.unknown(expr.name, [a.node for a in args], flat[:own], slots), expr.axes)
        case "entry":
            entry, out = _entry(notation, expr, args[0])
            return _array(entry, out, expr.axes)
        case "delta":
            i, j = expr.data
            return _array(notation.delta(_free(notation, i), _free(notation, j)), [], ())
        case "sum_over":
            notation.know(expr)
            tokens = [_free(notation, name) for name in expr.data]
            out = [notation.index(axis) for axis in expr.axes]
            return _array(notation.sum(tokens, args[0][out]), out, expr.axes)
    out_tokens = [notation.index(axis) for axis in expr.axes]
    if expr.op in SUMS or expr.op == "matmul":
        at_once = _sum if expr.op in SUMS else _product
        return _array(at_once(notation, expr, set(parts), done, out_tokens), out_tokens, expr.axes)
    value = OPERATIONS[expr.op].line(notation, args, out_tokens, expr.data)
    assert isinstance(value, At)
    return _array(value, out_tokens, expr.axes)


def _free(notation: Engine, name: str) -> Token:
    if name in notation.sizes:
        return (name,)
    token = tuple(label for label in notation.sizes if isinstance(label, str) and label.startswith(f"{name}."))
    if not token:
        raise ShapeError(f"the range of index {name} is not known from its use")
    return token


def _entry(notation: Engine, expr: Expr, array: Array) -> tuple[At, list[Token]]:
    tokens, out = [], []
    for subscript, axis in zip(expr.data, expr.args[0].axes, strict=True):
        if subscript is None:
            token = notation.index(axis)
            out.append(token)
        else:
            token = notation.free(subscript, axis)
        tokens.append(token)
    return array[tuple(tokens)], out


def _array(value: At, out: Sequence[Token], axes: Axes) -> Array:
    flat = [atom for token in out for atom in token]
    free = tuple(sorted(label for label in value.labels if label not in flat))
    sizes = value.sizes()
    sizes.update(zip(flat, (s for axis in axes for s in axis), strict=True))
    return Array(value.over((*flat, *free), sizes), axes, free)


def index_ranges(*exprs: Expr) -> dict[str, Axis]:
    """Return the range of each free index, found from where it stands."""
    ranges: dict[str, Axis] = {}
    equal: list[tuple[str, str]] = []
    for node in walk_own(*exprs):
        if node.op == "entry":
            for name, axis in zip(node.data, node.args[0].axes, strict=True):
                if name is not None and ranges.setdefault(name, axis) != axis:
                    raise ShapeError(
                        f"index {name} runs over two ranges, {_size(ranges[name])} and {_size(axis)}",
                        hint="an index has one range throughout a statement",
                    )
        elif node.op == "delta":
            equal.append(node.data)
    for _ in equal:
        for i, j in equal:
            if i in ranges and j not in ranges:
                ranges[j] = ranges[i]
            elif j in ranges and i not in ranges:
                ranges[i] = ranges[j]
            elif i in ranges and ranges[i] != ranges[j]:
                raise ShapeError(f"delta[{i}, {j}] joins ranges {_size(ranges[i])} and {_size(ranges[j])}")
    return ranges


def _size(axis: Axis) -> str:
    return str(axis[0]) if len(axis) == 1 else str(axis)


# ---------------------------------------------------------------- as a reader sees it


def write(expr: Expr, tokens: Sequence[Token], notation: Written) -> sympy.Expr:
    """Return the entry of an expression at indices, in the index language, as written.

    Definitions and variables are entries of their heads; what has no head is written out.
    """
    try:
        return _written(expr, notation).write(tokens)
    except RecursionError:
        raise UnsupportedError(
            "the result is nested too deeply to be written in indices",
            hint="statements() writes it over named definitions",
        ) from None


def _written(expr: Expr, notation: Written) -> WrittenArray:
    match expr.op:
        case "unknown":
            return _written_unknown(expr, notation)
        case "called":
            return _written_call(expr, notation)
        case "diff":
            return WrittenArray(expr.axes, lambda tokens: _written_derivative(expr, tokens, notation), None)
        case "var" | "defined":
            sizes = tuple(size for axis in expr.axes for size in axis)
            head = Tensor(head_name(expr), *sizes)
            return WrittenArray(expr.axes, lambda tokens: index_nodes.Entry(head, *_flat(tokens)), head)
        case "number":
            return WrittenArray((), lambda _: notation.number(expr.data[0]).expr, None)
        case "size":
            return WrittenArray((), lambda _: expr.data[0], None)
        case "entry":
            return WrittenArray(expr.axes, lambda tokens: _written_entry(expr, tokens, notation), None)
        case "delta":
            i, j = (notation.free[name] for name in expr.data)
            return WrittenArray((), lambda _: index_nodes.Delta(i, j), None)
        case "sum_over":
            inner = notation.knowing(expr.data, lambda: {n: axis[0] for n, axis in index_ranges(expr).items()})
            bound = [inner.free[name] for name in expr.data]
            return WrittenArray(
                expr.axes, lambda tokens: total(_written(expr.args[0], inner).write(tokens), bound), None
            )
    args = [_written(a, notation) for a in expr.args]
    line = OPERATIONS[expr.op].line

    def entry(tokens: Sequence[Token]) -> sympy.Expr:
        value = line(notation, args, tokens, expr.data)
        assert isinstance(value, WrittenValue)
        return value.expr

    return WrittenArray(expr.axes, entry, None, expr)


def _written_unknown(expr: Expr, notation: Written) -> WrittenArray:
    """An unknown function is a head that names the arrays it depends on; so are its derivatives."""
    arguments = tuple(notation.head_of(_written(a, notation)) for a in expr.args)
    slots = expr.data[1] if len(expr.data) > 1 else ()
    own = expr.axes[: len(expr.axes) - sum(expr.args[k].rank for k in slots)]
    for more in ((), *((k,) for k in range(len(arguments)))):
        order = tuple(sorted((*slots, *more)))
        axes = own + tuple(axis for k in order for axis in expr.args[k].axes)
        form = Expr("unknown", expr.args, (expr.name, order), axes)
        head = Tensor(to_text(form), *(size for axis in axes for size in axis))
        notation.definitions[head.name] = index_nodes.Definition(
            head, kind="unknown", arguments=arguments, axes=order, function=expr.name
        )
        notation.sources[head.name] = form
    name = to_text(Expr("unknown", expr.args, (expr.name, slots), expr.axes))
    head = notation.definitions[name].tensor
    return WrittenArray(expr.axes, lambda tokens: index_nodes.Entry(head, *_flat(tokens)), head)


def _written_call(expr: Expr, notation: Written) -> WrittenArray:
    """A function of the user's stands under its own name, its text one step away, at its indices and those in it."""
    body = _written(expr.args[0], notation)
    sizes = tuple(size for axis in expr.axes for size in axis)
    tokens = [notation.index(axis) for axis in expr.axes]
    text = body.write(tokens)
    free = sorted(index_nodes.free_indices(text) - set(_flat(tokens)), key=lambda i: str(i.name))
    head = Tensor(to_text(expr), *sizes, *(i.size for i in free))
    if head.name not in notation.definitions:
        notation.definitions[head.name] = index_nodes.Definition(head, (*_flat(tokens), *free), text)
        notation.sources[head.name] = expr
    return WrittenArray(expr.axes, lambda at: index_nodes.Entry(head, *_flat(at), *free), None if free else head)


def _written_derivative(expr: Expr, tokens: Sequence[Token], notation: Written) -> sympy.Expr:
    """`∂f/∂x/…` as it stands, entries of both; the immediate derivative is another one than the total."""
    if expr.data[0] == "holding":
        raise UnsupportedError("a derivative that holds a definition stands beside others")
    kind = index_nodes.Immediate if expr.data[0] == "immediate" else index_nodes.Derivative
    f, *variables = expr.args
    left = list(tokens)
    value = _written(f, notation).write([left.pop(0) for _ in f.axes])
    for x in variables:
        entry = _written(x, notation).write([left.pop(0) for _ in x.axes])
        value = kind(value, entry)
    return value


def head_name(expr: Expr) -> str:
    """Return the name under which the entries of a leaf stand in a proof."""
    return expr.name + "".join(f"[{label}]" for label in (expr.data[2] if len(expr.data) > 2 else ()))


def _flat(tokens: Sequence[Token]) -> list[index_nodes.Index]:
    return [i for token in tokens for i in token]


def _written_entry(expr: Expr, tokens: Sequence[Token], notation: Written) -> sympy.Expr:
    left = list(tokens)
    chosen = [(notation.free[name],) if name is not None else left.pop(0) for name in expr.data]
    return _written(expr.args[0], notation).write(chosen)
