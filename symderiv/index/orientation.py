"""Functions of arrays with their axes in one order, for telling equal from unequal.

`f(a[i, j, k], b[i, j, k])` with its axes exchanged is the same function of `a` and `b` exchanged.  The normal form
chooses between the two for a matrix; here one of them is chosen for any number of axes, and for what runs along some.
"""

from __future__ import annotations

from symderiv.dims import text_of
from symderiv.index import normal
from symderiv.index.graph import Add, Contraction, Extremum, LogSumExp, Node, Power, Softmax, Where
from symderiv.index.labelling import canonical

SEVERAL = (Add, Where, Extremum, Power)


def oriented(node: Node) -> Node:
    """Return the node; an entrywise function of several arrays as that with its axes in canonical order, turned back.

    >>> from symderiv.dims import shape
    >>> a, b = (normal.leaf(name, shape(["n", "n", "n"])) for name in "ab")
    >>> left = normal.add([(1, a), (1, normal.transposed(b, (2, 0, 1)))], a.dims)
    >>> right = normal.add([(1, normal.transposed(a, (1, 2, 0))), (1, b)], a.dims)
    >>> (
    ...     left is normal.transposed(right, (2, 0, 1)),
    ...     oriented(left) is normal.transposed(oriented(right), (2, 0, 1)),
    ... )
    (False, True)
    """
    if isinstance(node, (Softmax, LogSumExp)):
        return _along(node)
    if not isinstance(node, SEVERAL) or node.rank < 3:
        return node
    weights = [str(c) for c, _ in node.terms] if isinstance(node, Add) else [str(k) for k in range(4)]
    if isinstance(node, Extremum):
        weights = [""] * 2
    items = []
    for weight, part in zip(weights, node.children(), strict=False):
        inner, axes = normal.core(part)
        items.append((f"{weight} {inner.key}", axes, normal.symmetries(inner)))
    names, _ = canonical(items, {axis: text_of(size) for axis, size in enumerate(node.dims)})
    order = sorted(names, key=names.__getitem__)
    if order == list(range(node.rank)):
        return node
    if isinstance(node, Add):
        dims = tuple(node.dims[k] for k in order)
        turned = normal.add([(c, normal.transposed(n, order)) for c, n in node.terms], dims)
    else:
        turned = normal.rebuild(node, lambda part: normal.transposed(part, order))
    return normal.rewrapped(turned, tuple(order), node.dims)


def _along(node: Softmax | LogSumExp) -> Node:
    """Return a softmax or a log Σ exp with the axes of its argument in the order of its core."""
    inner, at = normal.core(node.arg)
    if at == tuple(range(node.arg.rank)) or sorted(at) != list(range(node.arg.rank)):
        return node
    over = [s for s, axis in enumerate(at) if axis in node.axes]
    if isinstance(node, Softmax):
        return normal.rewrapped(normal.softmax(inner, over), at, node.dims)
    kept = [axis for axis in range(node.arg.rank) if axis not in node.axes]
    places = tuple(kept.index(axis) for axis in at if axis not in node.axes)
    return normal.rewrapped(normal.log_sum_exp(inner, over), places, node.dims)


def opened(node: Node) -> Node:
    """Return the node with every sum of products that stands at twice the same index as part of the whole sum.

    So a diagonal entry of a product is `Σ_q A[i,q] B[q,i]`.
    """
    if not isinstance(node, Contraction):
        return node
    sizes = dict(enumerate(node.sizes))
    factors: list[tuple[Node, tuple[int, ...]]] = []
    for inner, labels in node.factors:
        if not isinstance(inner, Contraction) or len(set(labels)) == len(labels):
            factors.append((inner, labels))
            continue
        at = dict(enumerate(labels))
        for b in inner.bound:
            at[b] = len(sizes)
            sizes[at[b]] = inner.sizes[b]
        factors += [(f, tuple(at[s] for s in slots)) for f, slots in inner.factors]
    if tuple(factors) == node.factors:
        return node
    return normal.contract(node.coef, factors, range(node.rank), sizes)
