"""Arrays of numbers whose axes have labels: brought into an order, multiplied, seen as stacks of matrices."""

from __future__ import annotations

from collections.abc import Mapping
from math import prod
from typing import Any, TypeAlias

import numpy as np

Array: TypeAlias = Any
Labels: TypeAlias = tuple[int, ...]
Labelled: TypeAlias = tuple[Array, Labels]
Sizes: TypeAlias = Mapping[int, int]
INNER = -1  # the label of the index over which a product of two arrays is summed


def spread(array: Array, labels: Labels, at: Labels) -> Array:
    """Return an array with axes in the order `at`, of size 1 where it has none.

    >>> spread(np.ones((2, 3)), (7, 4), (4, 5, 7)).shape
    (3, 1, 2)
    """
    order = [labels.index(a) for a in at if a in labels]
    return array.transpose(order)[tuple(slice(None) if a in labels else None for a in at)]


def as_matrix(array: Array, labels: Labels, over: Labels, rows: Labels, columns: Labels) -> Array:
    """Return an array as a stack of matrices; it has size 1 along what it does not depend on.

    >>> as_matrix(np.ones((2, 3, 4)), (0, 1, 2), (1,), (2,), (0,)).shape
    (3, 4, 2)
    """
    moved = spread(array, labels, (*over, *rows, *columns))
    k, n = len(over), len(rows)
    shape = moved.shape
    return moved.reshape(*shape[:k], prod(shape[k : k + n]), prod(shape[k + n :]))


def times(left: Labelled, right: Labelled) -> Labelled:
    """Return the entrywise product of two arrays with labels."""
    labels = tuple(dict.fromkeys((*left[1], *right[1])))
    return spread(*left, labels) * spread(*right, labels), labels


def without(labels: Labels, *others: Labels) -> Labels:
    """Return the labels that stand in no other."""
    return tuple(a for a in labels if not any(a in other for other in others))


def union(*labels: Labels) -> Labels:
    """Return all labels, each once."""
    return tuple(dict.fromkeys(a for some in labels for a in some))


def full(array: Labelled, at: Labels, sizes: Sizes) -> Labelled:
    """Return an array with all axes `at` in their sizes, others behind them."""
    labels = union(at, array[1])
    wide = spread(*array, labels)
    return np.broadcast_to(wide, [sizes[a] if a in at else n for a, n in zip(labels, wide.shape, strict=True)]), labels
