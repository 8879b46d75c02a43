"""One entry along an axis, taken where it costs least: `(A @ b)[k]` as `A[k] @ b`, `eye(m)[k]` as a one-hot vector.

A label such as the number of a class is an index that stands for one value in code.  What depends on it is found
for all values, as an array with an axis more; :func:`picked` takes the entry as far down as it goes.
"""

from __future__ import annotations

from symderiv.tensor.entries import ENTRYWISE
from symderiv.tensor.expr import Expr
from symderiv.tensor.operations import OPERATIONS, apply
from symderiv.tensor.parse import number


def picked(expr: Expr, axis: int, label: str) -> Expr:
    """Return `expr[…, label, …]`, the entry along one axis.

    >>> from symderiv.tensor.parse import parse, scope_of
    >>> from symderiv.tensor.text import to_text
    >>> to_text(picked(parse("log(A @ b)", scope_of({"A": ("m", "n"), "b": ("n",)})), 0, "k"))
    'log(A[k, :] @ b)'
    """
    found = _rule(expr, axis, label)
    if found is not None:
        return found
    names = tuple(label if k == axis else None for k in range(expr.rank))
    return Expr("entry", (expr,), names, expr.axes[:axis] + expr.axes[axis + 1 :])


def _rule(expr: Expr, axis: int, label: str) -> Expr | None:
    op, args = expr.op, expr.args
    if op in ENTRYWISE:
        parts = tuple(_aligned(a, axis - (expr.rank - a.rank), label) for a in args)
        return Expr(op, parts, expr.data, OPERATIONS[op].axes(parts, expr.data))
    if op == "newaxis":
        return _of_new_axes(expr, axis, label)
    if op == "transpose":
        order = expr.data[0] if expr.data else tuple(reversed(range(expr.rank)))
        rest = [k for n, k in enumerate(order) if n != axis]
        inner = picked(args[0], order[axis], label)
        places = sorted(rest)
        turned = tuple(places.index(k) for k in rest)
        if turned == tuple(range(len(turned))):
            return inner
        return apply("transpose", inner) if len(turned) == 2 else apply("transpose", inner, data=(turned,))
    if op == "matmul":
        a, b = args
        if axis < a.rank - 1:
            return apply("matmul", picked(a, axis, label), b)
        return apply("matmul", a, picked(b, axis - (a.rank - 1) + (b.rank > 1), label)) if b.rank == 2 else None
    if op == "outer" and all(a.rank == 1 for a in args):
        a, b = args
        return apply("mul", picked(a, 0, label), b) if axis == 0 else apply("mul", a, picked(b, 0, label))
    if op == "einsum":
        return _of_einsum(expr, axis, label)
    if op == "eye":
        return one_hot(label, expr)
    if op == "diag" and args[0].rank == 1:
        return apply("mul", picked(args[0], 0, label), one_hot(label, expr))
    if op in ("ones", "zeros"):
        shape = expr.shape[:axis] + expr.shape[axis + 1 :]
        return apply(op, data=(shape,)) if shape else number(int(op == "ones"))
    return None


def _aligned(arg: Expr, axis: int, label: str) -> Expr:
    """Return an argument of an entrywise operation at a place along an axis, which it may lack or have of size 1."""
    return arg if axis < 0 else picked(arg, axis, label)


def _of_einsum(expr: Expr, axis: int, label: str) -> Expr | None:
    """Return the entry of an einsum: the entries of the arrays that have its letter."""
    inputs, output = expr.data[0].split("->")
    letter = output[axis]
    words, args = [], []
    for word, a in zip(inputs.split(","), expr.args, strict=True):
        if word.count(letter) > 1:
            return None
        args.append(picked(a, word.index(letter), label) if letter in word else a)
        words.append(word.replace(letter, ""))
    return apply("einsum", *args, data=(f"{','.join(words)}->{output.replace(letter, '')}",))


def _of_new_axes(expr: Expr, axis: int, label: str) -> Expr:
    """Return the entry of an array with new axes: a new one has one entry, whatever the label."""
    (new,) = expr.data
    (inner,) = expr.args
    flags = (*new, *([False] * (expr.rank - len(new))))
    rest = flags[:axis] + flags[axis + 1 :]
    if not flags[axis]:
        inner = picked(inner, axis - sum(flags[:axis]), label)
    while rest and not rest[-1]:
        rest = rest[:-1]
    return apply("newaxis", inner, data=(rest,)) if any(rest) else inner


def one_hot(label: str, eye: Expr) -> Expr:
    """Return the vector with 1 at a label and 0 elsewhere, a row of `eye`."""
    return Expr("one_hot", (), (label, eye.shape[0]), eye.axes[:1])
