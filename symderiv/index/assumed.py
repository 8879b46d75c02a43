"""What the values of an array obey, by what is assumed of it, or by what it is.

* An entry that is 0 or 1 is its own powers, `y² = y`; of one that is 1 or −1 only odd powers are seen, `y² = 1`.
* A distribution sums to 1: a softmax over its axes, `simplex` as a vector, `simplex_rows` and `one_hot_rows`
  over the last axis.

An array in which a derivative is taken has none of these traits until the last one is: its entries are
independent.
"""

from __future__ import annotations

from fractions import Fraction

from symderiv.index.graph import Add, Contraction, Defined, Independent, Leaf, Node, Softmax

SIGNS = frozenset({"signs"})
BINARY = frozenset({"binary", "one_hot_rows"})
DISTRIBUTIONS = frozenset({"simplex_rows", "one_hot_rows"})


def told_exponent(node: Node, exponent: Fraction) -> Fraction:
    """Return the exponent that tells the power of a node: 1 for a positive power of 0 or 1, that modulo 2 of a sign.

    >>> signs = Leaf((), "y", frozenset({"signs"}), ())
    >>> [int(told_exponent(signs, Fraction(k))) for k in (-1, 2, 3)]
    [1, 0, 1]
    """
    if exponent.denominator != 1:
        return exponent
    if isinstance(node, Leaf) and node.traits & SIGNS:
        return exponent % 2
    return min(exponent, Fraction(1)) if _is_binary(node) else exponent


def _is_binary(node: Node) -> bool:
    """Tell whether each entry is 0 or 1: y, or 1 − y, of such a y."""
    if isinstance(node, Add) and len(node.terms) == 2:
        ones = [n for c, n in node.terms if isinstance(n, Contraction) and not n.factors and c * n.coef == 1]
        others = [n for c, n in node.terms if c == -1]
        return len(ones) == len(others) == 1 and _is_binary(others[0])
    if isinstance(node, Contraction):
        return node.coef == 1 and not node.bound and len(node.factors) == 1 and _is_binary(node.factors[0][0])
    return isinstance(node, Leaf) and bool(node.traits & BINARY)


def unit_axes(node: Node) -> tuple[int, ...]:
    """Return the axes over which the entries sum to 1, none where nothing is known."""
    while isinstance(node, Defined) and not isinstance(node, Independent):
        node = node.body
    if isinstance(node, Softmax):
        return node.axes
    if isinstance(node, Leaf) and node.rank and node.traits & DISTRIBUTIONS:
        return (node.rank - 1,)
    if isinstance(node, Leaf) and node.rank == 1 and "simplex" in node.traits:
        return (0,)
    return ()
