"""What `diff` and `partial` stand for inside of an expression: nodes found by the chain rule.

`diff(f, x)` is the total derivative through the definitions, `partial(f, x)` the immediate one, with
every definition that stands in f's own text held constant.  f may carry free indices and x may be an
entry, `diff(A[i,j], W[k,l])`: the derivative in the whole array is taken, then its entry.
"""

from __future__ import annotations

from collections.abc import Mapping

from symderiv.chain import differentiate
from symderiv.errors import UnsupportedError
from symderiv.index.graph import Node
from symderiv.index.indexed import At
from symderiv.index.normal import dependent, substitute
from symderiv.lower import Array, Engine, Meaning, lower
from symderiv.tensor.expr import Axis, Expr, replaced, walk
from symderiv.tensor.parse import without_symmetry


def meaning(sizes: Mapping[str, Axis] | None = None) -> Meaning:
    """Return the meaning of derivatives inside of an expression; `sizes` are those of free indices."""
    ranges = dict(sizes or {})

    def derivative(expr: Expr) -> Array | None:
        return _derivative(expr, ranges, derivative) if expr.op == "diff" else None

    return derivative


def _derivative(expr: Expr, ranges: Mapping[str, Axis], inner: Meaning) -> Array:
    free_entries = _bare(expr)
    f, *variables = (replaced(a, free_entries) for a in expr.args)
    function = lower(f, inner, ranges, independent=True)
    node = function.node
    tokens: list[object] = [("f", k) for k in range(node.rank - len(function.free))]
    labels: list[object] = [*tokens, *function.free]
    for order, x in enumerate(variables):
        array = x.args[0] if x.op == "entry" else x
        leaf = lower(array, inner, ranges, independent=True).node
        held = _held(f, array, inner) if expr.data[0] == "immediate" else []
        node = differentiate(node, leaf, held).result
        subscripts = x.data if x.op == "entry" else (None,) * len(array.axes)
        for place, (name, axis) in enumerate(zip(subscripts, array.axes, strict=True)):
            if name is None:
                new: list[object] = [("x", order, place, n) for n in range(len(axis))]
                tokens += new
                labels += new
            else:
                labels += Engine.free(name, axis)
    node = dependent(node)
    node = substitute(node, {lower(b).node: lower(x).node for x, b in free_entries.items()})
    at = At(node, labels)
    free = tuple(sorted(x for x in at.labels if isinstance(x, str)))
    dims = dict(zip(at.labels, at.node.dims, strict=True))
    return Array(at.over((*tokens, *free), dims), expr.axes, free)


def _bare(expr: Expr) -> dict[Expr, Expr]:
    """Return the variables differentiated in without their symmetries, which hold after the last derivative."""
    arrays = [x.args[0] if x.op == "entry" else x for x in expr.args[1:]]
    found = {x: without_symmetry(x) for x in arrays if x.op == "var"}
    return {x: b for x, b in found.items() if b is not x}


def _held(f: Expr, x: Expr, inner: Meaning) -> list[Node]:
    """The definitions in f's own text other than x; x must stand there itself."""
    base = f.args[0] if f.op == "entry" else f
    text = base.args[0] if base.op == "defined" else base
    direct: dict[Expr, None] = {}
    stack = [text]
    while stack:
        node = stack.pop()
        if node.op == "defined" or node is x:
            direct[node] = None
        else:
            stack += node.args
    if x not in direct:
        via = ", ".join(e.name for e in direct if e.op == "defined" and any(a is x for a in walk(e)))
        raise UnsupportedError(
            f"{x.name} does not stand in the definition itself",
            hint=f"it depends on {x.name} through {via}: write diff" if via else "write diff",
        )
    return [lower(e, inner, independent=True).node for e in direct if e is not x and e.op == "defined"]
