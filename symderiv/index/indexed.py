"""A node of the normal form at indices, under Python's operators.

`At(A, "iq") * At(B, "qj")` is a number that depends on i, q and j, and `.summed("q")` is the sum over q.  A product
is brought into the normal form once, with its sum, and not factor by factor.  Both the operations' lines and index
expressions are read by it.
"""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from fractions import Fraction
from typing import Any

from symderiv.dims import Size
from symderiv.index import normal
from symderiv.index.graph import Node


class At:
    """A node at indices: a number that depends on `labels`, one for each axis of the node."""

    __slots__ = ("_node", "factors", "labels")

    def __init__(self, node: Node, labels: Sequence[Any]) -> None:
        labels = tuple(labels)
        distinct = tuple(dict.fromkeys(labels))
        if len(distinct) < len(labels):
            node = normal.contract(1, [(node, labels)], distinct)
        self._node: Node | None = node
        self.labels = distinct
        self.factors: tuple[tuple[Node, tuple[Any, ...]], ...] = ((node, distinct),)

    @property
    def node(self) -> Node:
        """Return the node: that of a product when it is first asked for."""
        if self._node is None:
            self._node = normal.contract(1, self.factors, self.labels)
        return self._node

    def sizes(self) -> dict[Any, Size]:
        """Return the range of each index."""
        return {x: size for node, labels in self.factors for x, size in zip(labels, node.dims, strict=True)}

    def _joined(self, other: At) -> tuple[tuple[Any, ...], dict[Any, Size]]:
        return tuple(dict.fromkeys((*self.labels, *other.labels))), self.sizes() | other.sizes()

    def over(self, labels: Sequence[Any], sizes: Mapping[Any, Size]) -> Node:
        """Return the node with one axis for each of `labels`."""
        if self.labels == tuple(labels):
            return self.node
        return normal.contract(1, self.factors, labels, {x: sizes[x] for x in labels})

    def summed(self, over: Container[Any], sizes: Mapping[Any, Size]) -> At:
        """Return the sum over some indices, of these sizes."""
        rest = tuple(x for x in self.labels if x not in over)
        return At(normal.contract(1, self.factors, rest, sizes), rest)

    def both(self, other: At) -> tuple[Node, Node, tuple[Any, ...]]:
        """Return both nodes with the same axes, and their labels."""
        labels, sizes = self._joined(other)
        return self.over(labels, sizes), other.over(labels, sizes), labels

    def __add__(self, other: At) -> At:
        return total([(1, self), (1, other)])

    def __sub__(self, other: At) -> At:
        return total([(1, self), (-1, other)])

    def __neg__(self) -> At:
        return At(normal.scaled(Fraction(-1), self.node), self.labels)

    def __mul__(self, other: At) -> At:
        product = At.__new__(At)
        product._node = None
        product.labels = tuple(dict.fromkeys((*self.labels, *other.labels)))
        product.factors = (*self.factors, *other.factors)
        return product

    def __truediv__(self, other: At) -> At:
        return self * At(normal.power(other.node, -1), other.labels)


def total(terms: Sequence[tuple[int, At]]) -> At:
    """Return a sum of terms with their signs, each spread over the indices of all."""
    labels = tuple(dict.fromkeys(x for _, term in terms for x in term.labels))
    sizes = {x: size for _, term in terms for x, size in term.sizes().items()}
    dims = tuple(sizes[x] for x in labels)
    return At(normal.add([(sign, term.over(labels, sizes)) for sign, term in terms], dims), labels)
