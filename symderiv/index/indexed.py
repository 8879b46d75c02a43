"""A node of the normal form at indices, under Python's operators.

`At(A, "iq") * At(B, "qj")` is a number that depends on i, q and j; summing over q is left to
:func:`symderiv.index.normal.contract`.  Both the operations' lines and index expressions are read by it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

from symderiv.dims import Size
from symderiv.index import normal
from symderiv.index.graph import Node


class At:
    """A node at indices: a number that depends on `labels`, one for each axis of the node."""

    __slots__ = ("labels", "node")

    def __init__(self, node: Node, labels: Sequence[Any]) -> None:
        labels = tuple(labels)
        distinct = tuple(dict.fromkeys(labels))
        if len(distinct) < len(labels):
            node = normal.contract(1, [(node, labels)], distinct)
        self.node, self.labels = node, distinct

    def _joined(self, other: At) -> tuple[tuple[Any, ...], dict[Any, Size]]:
        labels = tuple(dict.fromkeys((*self.labels, *other.labels)))
        sizes = dict(zip(self.labels, self.node.dims, strict=True))
        sizes.update(zip(other.labels, other.node.dims, strict=True))
        return labels, sizes

    def over(self, labels: Sequence[Any], sizes: Mapping[Any, Size]) -> Node:
        """Return the node with one axis for each of `labels`."""
        if self.labels == tuple(labels):
            return self.node
        return normal.contract(1, [(self.node, self.labels)], labels, {x: sizes[x] for x in labels})

    def both(self, other: At) -> tuple[Node, Node, tuple[Any, ...]]:
        """Return both nodes with the same axes, and their labels."""
        labels, sizes = self._joined(other)
        return self.over(labels, sizes), other.over(labels, sizes), labels

    def __add__(self, other: At) -> At:
        a, b, labels = self.both(other)
        return At(normal.add([(1, a), (1, b)], a.dims), labels)

    def __sub__(self, other: At) -> At:
        a, b, labels = self.both(other)
        return At(normal.add([(1, a), (-1, b)], a.dims), labels)

    def __neg__(self) -> At:
        return At(normal.scaled(Fraction(-1), self.node), self.labels)

    def __mul__(self, other: At) -> At:
        labels, _ = self._joined(other)
        return At(normal.contract(1, [(self.node, self.labels), (other.node, other.labels)], labels), labels)

    def __truediv__(self, other: At) -> At:
        return self * At(normal.power(other.node, -1), other.labels)
