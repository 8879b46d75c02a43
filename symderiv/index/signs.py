"""What is known of the signs of the entries of a node, by what is declared and by what it is made of."""

from __future__ import annotations

from symderiv.index.graph import Add, Contraction, Det, Leaf, Map, Node, Pow, Power, SizeOf, Softmax

POSITIVE = frozenset({"positive"})
NOT_NEGATIVE = frozenset({"probability", "simplex", "simplex_rows", "counts", "binary", "one_hot_rows"})


def positive(node: Node) -> bool:
    """Tell whether every entry is known to be greater than 0."""
    if isinstance(node, Leaf):
        return bool(node.traits & POSITIVE)
    if isinstance(node, SizeOf):
        return True
    if isinstance(node, Map):
        return node.function in ("exp", "cosh", "sigmoid", "softplus")
    if isinstance(node, Softmax):
        return True
    if isinstance(node, (Pow, Power)):
        return positive(node.base)
    if isinstance(node, Contraction):
        return node.coef > 0 and all(positive(f) for f in node.children())
    if isinstance(node, Add):
        return all(c > 0 and (positive(n) or never_negative(n)) for c, n in node.terms) and any(
            positive(n) for _, n in node.terms
        )
    return isinstance(node, Det) and definite(node.arg)


def never_negative(node: Node) -> bool:
    """Tell whether every entry is known to be 0 or greater."""
    if isinstance(node, Leaf) and node.traits & NOT_NEGATIVE:
        return True
    if isinstance(node, Pow):
        return node.exponent % 2 == 0
    if isinstance(node, Map):
        return node.function in ("abs", "relu")
    if isinstance(node, Contraction):
        return node.coef >= 0 and all(positive(f) or never_negative(f) for f in node.children())
    return positive(node)


def has_own_root(node: Node) -> bool:
    """Tell whether the root of a product with this factor is the product of its root and the others'."""
    return positive(node) or is_sum_of_squares(node)


def is_sum_of_squares(node: Node) -> bool:
    """Tell a sum over entries none of which is less than 0."""
    return isinstance(node, Contraction) and bool(node.bound) and never_negative(node)


def definite(node: Node) -> bool:
    """Tell a matrix that is declared positive definite."""
    return isinstance(node, Leaf) and "positive_definite" in node.traits
