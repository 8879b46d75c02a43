"""Arrays without their axes of size 1: an index with one value says nothing.

`narrow(node)[i, k] = node[i, 0, k, 0]`, all the way down: a column `x[i, 0]` becomes the vector `x[i]`,
and nothing below runs over an axis of size 1 any more.
"""

from __future__ import annotations

from symderiv.errors import UnsupportedError
from symderiv.index import normal
from symderiv.index.graph import (
    Add,
    Along,
    Contraction,
    Delta,
    Inverse,
    Leaf,
    LogDet,
    LogSumExp,
    MatrixFunction,
    MatrixPower,
    Node,
    Prod,
    ProdExcept,
    Softmax,
    walk,
)

SQUARE_ONLY = frozenset({"symmetric", "positive_definite", "diagonal", "invertible", "orthogonal", "simplex_rows"})


def wide(node: Node) -> list[int]:
    """Return the axes that have more than one entry."""
    return [axis for axis, size in enumerate(node.dims) if size != 1]


def narrow(node: Node) -> Node:
    """Return a node without its axes of size 1.

    >>> from symderiv.dims import shape
    >>> narrow(normal.leaf("x", shape(["n", 1]))).dims
    (n,)
    """
    memo: dict[Node, Node] = {}
    for part in walk(node):
        memo[part] = _narrow(part, memo)
    return memo[node]


def _narrow(node: Node, memo: dict[Node, Node]) -> Node:
    kept = wide(node)
    dims = tuple(node.dims[axis] for axis in kept)
    match node:
        case Leaf():
            traits = node.traits if len(kept) == node.rank else node.traits - SQUARE_ONLY
            if "orthogonal" in node.traits and not kept:  # its square is 1
                traits |= {"signs"}
            return Leaf(dims, node.name, traits, node.label)
        case Delta() if not kept:
            return normal.number(1)
        case Contraction():
            factors = [(memo[f], [labels[axis] for axis in wide(f)]) for f, labels in node.factors]
            return normal.contract(node.coef, factors, kept, dict(enumerate(node.sizes)))
        case Add():
            return normal.add([(c, memo[term]) for c, term in node.terms], dims)
        case MatrixFunction() if len(wide(node.arg)) < node.arg.rank:
            return _of_matrix(node, memo[node.arg])
        case Along():
            return _along(node, memo[node.arg])
    if len(kept) == node.rank and all(len(wide(c)) == c.rank for c in node.children()):
        same = all(memo[c] is c for c in node.children())
        return node if same else normal.rebuild(node, memo.__getitem__)
    if all(c.dims == node.dims for c in node.children()):  # entrywise
        return normal.rebuild(node, memo.__getitem__)
    raise UnsupportedError(f"{type(node).__name__} over an axis of size 1")


def _of_matrix(node: MatrixFunction, arg: Node) -> Node:
    """A 1×1 matrix is a number: its inverse is the reciprocal, its determinant itself."""
    if arg.rank:
        raise UnsupportedError(f"{type(node).__name__} of a matrix with a composed axis of size 1")
    if isinstance(node, Inverse):
        return normal.power(arg, -1)
    if isinstance(node, MatrixPower):
        return normal.general_power(arg, normal.size_of(node.exponent))
    return normal.entrywise("log", normal.entrywise("abs", arg)) if isinstance(node, LogDet) else arg


def _along(node: Along, arg: Node) -> Node:
    """Along an axis of size 1 a product and a log-sum-exp are the entry itself, a softmax is 1.

    The product of no entries is 1; two different entries to be left out there are not.
    """
    places = {axis: k for k, axis in enumerate(wide(node.arg))}
    axes = tuple(places[axis] for axis in node.axes if axis in places)
    match node:
        case Softmax():
            return normal.softmax(arg, axes) if axes else normal.number(1, arg.dims)
        case LogSumExp():
            return normal.log_sum_exp(arg, axes) if axes else arg
        case Prod():
            return normal.product(arg, axes) if axes else arg
        case ProdExcept() if axes:
            return normal.product_except(arg, axes, node.order)
        case ProdExcept():
            return normal.number(int(node.order == 1), arg.dims)
    raise UnsupportedError(f"{type(node).__name__} over an axis of size 1")
