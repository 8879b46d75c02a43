"""The nodes of the matrix language: an operation, its arguments, and the axes of the result.

An :class:`Expr` keeps what was written; it is what a parser produces and what a result is handed back
as.  Each axis is a tuple of atomic sizes: one for an ordinary axis, more for the axis of a `vec` or a
`kron`, whose size is their product.  Nodes are immutable and interned: equal means identical.
"""

from __future__ import annotations

import hashlib
import weakref
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from typing import Any, TypeVar

from symderiv import dims
from symderiv.dims import Shape, Size
from symderiv.pickled import reduced

T = TypeVar("T")
Axis = tuple[Size, ...]
Axes = tuple[Axis, ...]

# Syntax nodes that an operation brings along when it is written; any other is a call: the call and its name.
# `x[:, None]` has more of them, but it is read at a glance, and better than the two transposes that save it.
_OWN_WEIGHT = {
    "var": 1, "number": 1, "size": 1, "defined": 1,
    "add": 1, "sub": 1, "mul": 1, "div": 1, "matmul": 1, "neg": 1, "general_power": 1, "power": 2,
    "transpose": 1, "newaxis": 2, "where": 4, "eye": 3, "einsum": 3, "matrix_power": 3,
    "others": 60,
}  # fmt: skip
_ALONG_AN_AXIS = frozenset({"sum", "mean", "prod", "softmax", "logsumexp"})

_EXPRS: weakref.WeakValueDictionary[tuple[Any, ...], Expr] = weakref.WeakValueDictionary()


class Expr:
    """One operation of the matrix language applied to arguments.

    `op` names a row of :data:`symderiv.tensor.operations.OPERATIONS`, or one of the leaves `var`
    (data: name, traits), `number` (data: a Fraction), `size` (data: a size).
    """

    __slots__ = ("__weakref__", "_key", "_shape", "args", "axes", "data", "op", "turned", "weight", "widened")
    weight: int  # how long it is when it is written out: the nodes of its syntax tree
    turned: int  # how many of them are transposes
    widened: int  # and how many put axes in
    _key: str
    op: str
    args: tuple[Expr, ...]
    data: tuple[Any, ...]
    axes: Axes
    _shape: Shape

    def __new__(cls, op: str, args: tuple[Expr, ...], data: tuple[Any, ...], axes: Axes) -> Expr:
        identity = (op, args, data, axes)
        known = _EXPRS.get(identity)
        if known is not None:
            return known
        self = object.__new__(cls)
        self.op, self.args, self.data, self.axes = op, args, data, axes
        self._shape, _ = _shape_of(axes)
        self.weight = _own_weight(op, data) + sum([a.weight for a in args])
        self.turned = (op == "transpose") + sum([a.turned for a in args])
        self.widened = (op == "newaxis") + sum([a.widened for a in args])
        self._key = ""
        return _EXPRS.setdefault(identity, self)

    @property
    def key(self) -> str:
        """Return a digest of the structure, the same in every process."""
        stack = [self]
        while not self._key:
            top = stack[-1]
            missing = [a for a in top.args if not a._key]
            if missing:
                stack += missing
                continue
            stack.pop()
            data = [sorted(x) if isinstance(x, frozenset) else x for x in top.data]  # a set prints in any order
            text = f"{top.op}|{data}|{_shape_of(top.axes)[1]}|" + ",".join(a._key for a in top.args)
            top._key = hashlib.blake2b(text.encode(), digest_size=10).hexdigest()
        return self._key

    @property
    def shape(self) -> Shape:
        """Return the size of each axis."""
        return self._shape

    @property
    def rank(self) -> int:
        """Return the number of axes."""
        return len(self.axes)

    @property
    def name(self) -> str:
        """Return the name of a variable or a definition."""
        return str(self.data[0])

    def with_args(self, args: tuple[Expr, ...]) -> Expr:
        """Return the same operation of other arguments, which have the axes of these."""
        return self if args == self.args else Expr(self.op, args, self.data, self.axes)

    def __repr__(self) -> str:
        return self._shown(6)

    def _shown(self, depth: int) -> str:
        """Return the operations to a depth: a graph written out as a tree can be of any length."""
        inner = ", ".join([*map(str, self.data), *(a._shown(depth - 1) if depth else "…" for a in self.args)])
        return f"{self.op}({inner})"

    def made_of(self) -> tuple[type, tuple[Any, ...]]:
        """Return what makes the node again, and of what."""
        return Expr, (self.op, self.args, self.data, self.axes)

    def __reduce__(self) -> tuple[Any, ...]:
        return reduced(self, Expr)

    def __copy__(self) -> Expr:
        return self

    def __deepcopy__(self, memo: Any) -> Expr:
        return self


@lru_cache(maxsize=4096)
def _shape_of(axes: Axes) -> tuple[Shape, str]:
    """Return the size of each axis, and the axes as text, which SymPy takes some time to print."""
    return tuple(dims.product(axis) for axis in axes), str(axes)


def _own_weight(op: str, data: tuple[Any, ...]) -> int:
    if op in _ALONG_AN_AXIS:
        return 2 + len(data)
    if op in ("ones", "zeros") or (op == "transpose" and data):
        return 2 + len(data[0])
    return _OWN_WEIGHT.get(op, 2)


def defined(name: str, body: Expr) -> Expr:
    """Return `body` under a name: a definition that derivatives go through."""
    return Expr("defined", (body,), (name,), body.axes)


def plain_axes(shape: Shape) -> Axes:
    """Return axes that are not composed: one atomic size each."""
    return tuple((size,) for size in shape)


def walk(*roots: Expr) -> Iterator[Expr]:
    """Yield every node below the roots, arguments first, each once."""
    done: set[Expr] = set()
    stack = [(root, False) for root in reversed(roots)]
    while stack:
        node, ready = stack.pop()
        if node in done:
            continue
        if ready:
            done.add(node)
            yield node
        else:
            stack.append((node, True))
            stack.extend((a, False) for a in reversed(node.args) if a not in done)


def inductive(rule: Callable[[Expr, Callable[[Expr], T]], T]) -> Callable[[Expr], T]:
    """Return a function of expressions from a rule that knows its values at the arguments.

    Each value is found once, however often it is met, and no depth of nesting is too much.

    >>> depth = inductive(lambda e, known: 1 + max(map(known, e.args), default=0))
    >>> x = Expr("var", (), ("x", frozenset()), ())
    >>> depth(Expr("neg", (Expr("neg", (x,), (), ()),), (), ()))
    3
    """
    found: weakref.WeakKeyDictionary[Expr, T] = weakref.WeakKeyDictionary()

    def value(expr: Expr) -> T:
        stack = [expr]
        while expr not in found:
            top = stack[-1]
            missing = [a for a in top.args if a not in found]
            stack += missing
            if not missing:
                stack.pop()
            if not missing and top not in found:
                found[top] = rule(top, found.__getitem__)
        return found[expr]

    return value


def walk_own(*roots: Expr) -> Iterator[Expr]:
    """Yield every node below the roots but those in the texts of definitions: indices there are their own."""
    done: set[Expr] = set()
    stack = list(reversed(roots))
    while stack:
        node = stack.pop()
        if node not in done:
            done.add(node)
            yield node
            if node.op != "defined":
                stack += reversed(node.args)


def has_labels(expr: Expr) -> bool:
    """Tell whether an expression holds a label as a subscript, `p[y[t]]`: an index that is free in it."""
    return any(e.op == "entry" and any(n is not None and "[" in n for n in e.data) for e in walk(expr))


def replaced(expr: Expr, change: Mapping[Expr, Expr]) -> Expr:
    """Return the expression with parts replaced."""
    new: dict[Expr, Expr] = {}
    for node in walk(expr):
        args = tuple(new[a] for a in node.args)
        rebuilt = node.with_args(args)
        new[node] = change.get(node, rebuilt)
    return new[expr]


def definitions(*roots: Expr) -> dict[str, Expr]:
    """Return the definitions below the roots, name → text, those that are used before those that use them."""
    return {e.name: e.args[0] for e in walk(*roots) if e.op == "defined"}


def written_out(expr: Expr) -> Expr:
    """Return an expression with its definitions written out."""
    return _all_written_out(expr)[expr]


def names_written_out(*roots: Expr) -> dict[Expr, str]:
    """Return the definitions below the roots: the name of each by its text, with those in it written out."""
    return {new: e.name for e, new in _all_written_out(*roots).items() if e.op == "defined"}


def _all_written_out(*roots: Expr) -> dict[Expr, Expr]:
    new: dict[Expr, Expr] = {}
    for node in walk(*roots):
        args = tuple(new[a] for a in node.args)
        rebuilt = node.with_args(args)
        new[node] = args[0] if node.op == "defined" else rebuilt
    return new


def weight(root: Expr) -> int:
    """Return how long an expression is when it is written out."""
    return root.weight
