"""Branches that are not taken stay inside their domain: `where(x > 0, sqrt(x), 0)`.

NumPy evaluates both branches everywhere.  The value that is not chosen does no harm, but a root, a log or
a quotient outside of its domain warns on the way.  So what such a function is taken of is 1 wherever the
branch is not taken:

    where(c, sqrt(u), v) = where(c, sqrt(where(c, u, 1)), v),

which is the same number, entry by entry.
"""

from __future__ import annotations

from fractions import Fraction

from symderiv.index import normal
from symderiv.index.graph import Add, Contraction, Extremum, Map, Node, Pow, Power, Where

LIMITED = frozenset({"log", "log1p", "arcsin", "arccos", "exp", "expm1", "sinh", "cosh", "tan"})


def guarded(node: Node) -> Node:
    """Return a choice whose branches are safe where they are not taken."""
    if not isinstance(node, Where):
        return node
    yes = _Guard(node, taken=True).branch(node.yes, tuple(range(node.rank)))
    no = _Guard(node, taken=False).branch(node.no, tuple(range(node.rank)))
    if yes is node.yes and no is node.no:
        return node
    return normal.where(node.relation, node.left, node.right, yes, no)


class _Guard:
    """One branch of a choice; axes are those of the choice."""

    def __init__(self, choice: Where, taken: bool) -> None:
        self.choice, self.taken = choice, taken

    def branch(self, node: Node, axes: tuple[int, ...]) -> Node:
        """Return what stands at `axes` in the branch, entrywise parts guarded."""
        match node:
            case Contraction() if not node.bound:
                factors = [(self.branch(f, tuple(axes[k] for k in at)), at) for f, at in node.factors]
                if all(new is old for (new, _), (old, _) in zip(factors, node.factors, strict=True)):
                    return node
                return normal.contract(node.coef, factors, range(node.rank), dict(enumerate(node.dims)))
            case Add():
                terms = [(c, self.branch(n, axes)) for c, n in node.terms]
                same = all(new is old for (_, new), (_, old) in zip(terms, node.terms, strict=True))
                return node if same else normal.add(terms, node.dims)
            case Map():
                inner = self.branch(node.arg, axes)
                if node.function in LIMITED and not node.order:
                    inner = self.safe(inner, axes, domain=node.function == "log")
                return node if inner is node.arg else normal.entrywise(node.function, inner, node.order)
            case Pow():
                inner = self.branch(node.base, axes)
                if node.exponent < 0 or node.exponent.denominator != 1:
                    inner = self.safe(inner, axes, domain=True)
                return node if inner is node.base else normal.power(inner, node.exponent)
            case Power():
                base = self.safe(self.branch(node.base, axes), axes, domain=True)
                return node if base is node.base else normal.general_power(base, node.exponent)
            case Extremum():
                left, right = (self.branch(n, axes) for n in (node.left, node.right))
                same = left is node.left and right is node.right
                return node if same else normal.extremum(node.kind, left, right)
        return node

    def safe(self, node: Node, axes: tuple[int, ...], domain: bool) -> Node:
        """Return `where(taken, node, 1)`, where that can be said at the node's own axes and is of use."""
        if normal.constant(node) is not None or (domain and normal.positive(node)) or _made_safe(node):
            return node
        sides = [self.at(side, axes) for side in (self.choice.left, self.choice.right)]
        if any(side is None for side in sides):
            return node
        left, right = (side for side in sides if side is not None)
        one = normal.number(1, node.dims)
        branches = (node, one) if self.taken else (one, node)
        return normal.where(self.choice.relation, left, right, *branches)

    def at(self, side: Node, axes: tuple[int, ...]) -> Node | None:
        """Return a side of the comparison over the axes `axes` alone, None where it needs more."""
        dims = tuple(self.choice.dims[k] for k in axes)
        value = normal.constant(side)
        if value is not None:
            return normal.number(value, dims)
        inner, own = normal.core(side)
        if not set(own) <= set(axes) or len(set(axes)) < len(axes):
            return None
        return normal.contract(1, [(inner, own)], axes, dict(zip(axes, dims, strict=True)))


def _made_safe(node: Node) -> bool:
    """Tell what a writer has guarded already: a choice between something and a number that is not 0."""
    inner, _ = normal.core(node)
    if not isinstance(inner, Where):
        return False
    return any(normal.constant(part) not in (None, Fraction(0)) for part in (inner.yes, inner.no))
