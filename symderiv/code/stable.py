"""Expressions in a form that stays right in floating point: far out, and where a branch is not taken.

A pass from expressions to expressions, region by region (:mod:`symderiv.code.regions`), by way of the normal
form: what belongs together is gathered, then sums and quotients of exponentials are rewritten
(:mod:`~symderiv.code.logs`, :mod:`~symderiv.code.quotients`, :mod:`~symderiv.code.polynomials`), then branches
are guarded (:mod:`~symderiv.code.branches`).  Every rewriting is an identity where both sides are defined, so
mathematically nothing changes; what no rewriting touches comes back as it was.

The result may hold operations that only the NumPy printer knows: `logaddexp(p, q)`, `largest(x)` (the
maximum over axes, where an exponent is measured from) and `log_det(A)` (log det A by `slogdet`: nan where
the determinant is negative).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from functools import partial

from symderiv.code.branches import guarded
from symderiv.code.halves import guarded_poles
from symderiv.code.logs import hot, powers_of_sums
from symderiv.code.parts import Stand
from symderiv.code.polynomials import collected
from symderiv.code.quotients import Quotients
from symderiv.code.regions import Regions
from symderiv.errors import UnsupportedError
from symderiv.index import normal
from symderiv.index.graph import Add, Contraction, Map, Node, Pow, Power, walk
from symderiv.lift import lift
from symderiv.lower import lower
from symderiv.tensor.expr import Expr, plain_axes
from symderiv.tensor.operations import apply
from symderiv.tensor.others import without_others


def stable(exprs: Sequence[Expr], kept: Collection[Expr] = ()) -> list[Expr]:
    """Return expressions of the same values that are safe to evaluate in floating point.

    `kept` are expressions that have a name; the last results are theirs.

    >>> from symderiv.tensor.parse import parse, scope_of
    >>> scope = scope_of({"u": ("n",)})
    >>> stable([parse("exp(u) / (1 + exp(u))", scope), parse("log(1 + exp(-u))", scope)])
    [map(sigmoid, 0, var(u, frozenset())), map(softplus, 0, neg(var(u, frozenset())))]
    """
    roots = without_others(*exprs, *kept)
    new = Regions(roots, roots[len(exprs) :]).rewritten(_Pass().expr)
    return guarded_poles([new[e] for e in roots])


class _Pass:
    def __init__(self) -> None:
        self.stand = Stand()
        self.quotients = Quotients(self.stand)
        self.logs = self.quotients.logs
        self.names: dict[Node, Expr] = {}

    def expr(self, expr: Expr) -> Expr:
        try:
            node = lower(expr).node
            new = self.node(node)
            if new is node:
                return expr
            self.lifted()
            return lift(new, expr.axes, self.names)
        except UnsupportedError:  # no matrix notation for the stable form: the expression as it was is right
            return expr

    def node(self, node: Node) -> Node:
        collected_first = _everywhere(node, partial(collected, tangents=False))
        return _everywhere(self.rewrite(_everywhere(collected_first, self.quotients.gathered)), guarded)

    def rewrite(self, node: Node) -> Node:
        """Return the node rewritten part by part; a power is seen with the product that it stands in."""
        new: dict[Node, Node] = {}
        for part in walk(node):
            new[part] = self.rewritten(part, new)
        return self.alone(new[node])

    def alone(self, node: Node) -> Node:
        """Return a power that stands in no product."""
        return self.quotients.product(node) if isinstance(node, Pow) else node

    def rewritten(self, node: Node, new: dict[Node, Node]) -> Node:
        sum_like = isinstance(node, Add)
        in_product = isinstance(node, (Contraction, Pow))
        children = {c: new[c] if in_product else self.alone(new[c]) for c in node.children()}
        if any(children[c] is not c for c in children):
            node = normal.rebuild(node, children.__getitem__)
        if sum_like:
            return collected(node)
        match node:
            case Map(function="log") | Map(function="log1p"):
                arg = node.arg
                if node.function == "log1p":
                    arg = collected(normal.add([(1, normal.number(1, arg.dims)), (1, arg)], arg.dims))
                inner = self.logs.log(arg) if node.function == "log" or hot(arg) else None
                return node if inner is None else inner
            case Contraction():
                return self.quotients.product(node)
            case Power():
                return powers_of_sums(node, self.logs)
        return node

    def lifted(self) -> None:
        """Write what stands for operations of the code as expressions, in the order they came up."""
        for leaf, (op, args, data) in self.stand.meaning.items():
            if leaf not in self.names:
                loose = [self.loose(a) for a in args] if not data else [lift(a, names=self.names) for a in args]
                self.names[leaf] = Expr(op, tuple(loose), data, plain_axes(leaf.dims))

    def loose(self, node: Node) -> Expr:
        """Return an expression that broadcasts to the node's axes."""
        value = normal.constant(node)
        if value is not None:
            return Expr("number", (), (value,), ())
        inner, axes = normal.core(node)
        own = sorted(set(axes))
        narrow = normal.contract(1, [(inner, axes)], own)
        if own == list(range(node.rank - len(own), node.rank)):
            return lift(narrow, names=self.names)
        if own == [0] and node.rank == 2:
            return apply("newaxis", lift(narrow, names=self.names), data=((False, True),))
        return lift(node, names=self.names)


def _everywhere(node: Node, step: Callable[[Node], Node]) -> Node:
    """Return the node with `step` applied to every part, inner ones first."""
    return normal.from_below(node, after=lambda _, new: step(new))
