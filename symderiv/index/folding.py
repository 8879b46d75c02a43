"""A result folded back into the known functions: formulas become the functions they stand for.

The functions are those of :mod:`symderiv.index.recognised`, and σ(−u) beside σ(u) is 1 − σ(u).  Each law is
exact wherever both sides are defined.  Names of definitions stay, and what they stand for is not changed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction

from symderiv.index import normal
from symderiv.index.graph import Contraction, Defined, Map, Node
from symderiv.index.recognised import smooth


def folded(node: Node) -> Node:
    """Return a node of the same value, functions of the table put in for their formulas.

    >>> from symderiv.dims import shape
    >>> x = normal.leaf("x", shape("n"))
    >>> e = normal.entrywise("exp", x)
    >>> below = normal.power(normal.add([(1, normal.number(1, x.dims)), (1, e)], x.dims), -1)
    >>> folded(normal.contract(1, [(e, "i"), (below, "i")], "i")) is normal.entrywise(
    ...     "sigmoid", x
    ... )
    True
    """
    return _without_opposites(_changed(node, smooth))


def _changed(node: Node, change: Callable[[Node], Node]) -> Node:
    """Return a node with a change made to each of its parts, children first; definitions are not entered."""
    return normal.from_below(node, lambda n: n if isinstance(n, Defined) else None, lambda _, new: change(new))


def _parts(node: Node) -> Iterator[Node]:
    """Yield the parts of a node, children first, each once; definitions are not entered."""
    done: set[Node] = set()
    stack = [(node, False)]
    while stack:
        top, ready = stack.pop()
        if top in done:
            continue
        if ready or isinstance(top, Defined):
            done.add(top)
            yield top
            continue
        stack.append((top, True))
        stack += [(c, False) for c in top.children() if c not in done]


# ---------------------------------------------------------------- σ(−u) beside σ(u)


def _without_opposites(node: Node) -> Node:
    sigmoids = {p for p in _parts(node) if isinstance(p, Map) and p.function == "sigmoid"}
    change: dict[Node, Node] = {}
    for own in sigmoids:
        other, axes = normal.core(normal.entrywise("sigmoid", normal.scaled(Fraction(-1), own.arg)))
        if other in sigmoids and sorted(axes) == list(range(own.rank)) and not _is_negative(own.arg):
            back = normal.transposed(own, axes) if axes != tuple(range(own.rank)) else own
            if not _is_negative(other.arg) and other.key < own.key:
                continue
            change[other] = normal.add([(1, normal.number(1, other.dims)), (-1, back)], other.dims)
    return _changed(node, lambda part: change.get(part, part)) if change else node


def _is_negative(node: Node) -> bool:
    return isinstance(node, Contraction) and node.coef < 0
