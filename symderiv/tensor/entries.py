"""From entries to arrays: the array whose entry at given indices an expression is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from symderiv.errors import UnsupportedError
from symderiv.tensor.expr import Axes, Axis, Expr, walk
from symderiv.tensor.operations import OPERATIONS, apply

ENTRYWISE = frozenset({
    "add", "sub", "mul", "div", "neg", "power", "general_power", "map", "sqrt", "maximum", "minimum", "where",
})  # fmt: skip
LETTERS = "abcdefghijklmnopqrstuvwxyz"


def standing(expr: Expr) -> set[str]:
    """Return the labels of the indices that stand in an expression and are not summed over."""
    found: dict[Expr, set[str]] = {}
    for node in walk(expr):
        labels = set().union(*(found[a] for a in node.args))
        if node.op in ("entry", "delta"):
            labels |= {name for name in node.data if name is not None}
        if node.op == "sum_over":
            labels -= set(node.data)
        found[node] = labels
    return found[expr]


def array_of(body: Expr, labels: Sequence[str], ranges: Mapping[str, Axis]) -> Expr:
    """Return the array with `array[labels] = body`; other indices of `body` stay as they are."""
    return filled(_spread(body, tuple(labels), ranges), tuple(ranges[name] for name in labels))


def filled(expr: Expr, axes: Axes) -> Expr:
    """Return an expression that broadcasts to `axes` with exactly these axes."""
    if expr.axes == axes:
        return expr
    ones = apply("ones", data=(tuple(size for axis in axes for size in axis),))
    return apply("mul", expr, ones)


def _spread(body: Expr, labels: tuple[str, ...], ranges: Mapping[str, Axis]) -> Expr:
    """Return an expression that broadcasts to the array of `body` over `labels`."""
    if not standing(body) & set(labels):
        return body
    if body.op == "entry":
        return _axes_of_entry(body.args[0], body.data, labels)
    if body.op == "delta":
        (size,) = ranges[body.data[0]]
        return _axes_of_entry(apply("eye", data=(size,)), body.data, labels)
    if body.op == "sum_over":
        inner = (*labels, *body.data)
        value = array_of(body.args[0], inner, ranges)
        for _ in body.data:
            value = apply("sum", value, data=(len(value.axes) - 1,))
        return value
    if body.op in ENTRYWISE:
        args = tuple(_spread(a, labels, ranges) for a in body.args)
        return Expr(body.op, args, body.data, OPERATIONS[body.op].axes(args, body.data))
    raise UnsupportedError(
        f"{body.op} of something that depends on a free index",
        hint="write the product over plain entries, or differentiate it as text",
    )


def _axes_of_entry(array: Expr, subscripts: tuple[str | None, ...], labels: tuple[str, ...]) -> Expr:
    """Return `array[subscripts]` with an axis for each of `labels`, in their order, of size 1 where it is idle."""
    kept = tuple(None if name in labels else name for name in subscripts)
    axes = tuple(axis for axis, name in zip(array.axes, kept, strict=True) if name is None)
    if any(name is not None for name in kept):
        array = Expr("entry", (array,), kept, axes)
    own = [name for name in subscripts if name in labels]
    wanted = [name for name in labels if name in own]
    if own != wanted:
        if len(wanted) > len(LETTERS):
            raise UnsupportedError(f"{len(wanted)} indices in another order than the axes are too many")
        letters = dict(zip(wanted, LETTERS, strict=False))
        spec = "".join(letters[n] for n in own if n) + "->" + "".join(letters.values())
        array = apply("einsum", array, data=(spec,))
    new = tuple(name not in own for name in labels)
    while new and new[0]:
        new = new[1:]
    return apply("newaxis", array, data=(new,)) if any(new) else array
