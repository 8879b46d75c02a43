"""Functions of the table where a formula stands for them: SymPy has no softmax, and writes it out."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from symderiv.index import normal
from symderiv.index.graph import Add, Contraction, Factor, Map, Node, Pow, Where, walk


def recognised(node: Node) -> Node:
    """Return a node with functions of the table put in for their formulas: softmax, sigmoid, and their like.

    `exp(u)/Σ exp(u)` is softmax(u), `log Σ exp(u)` logsumexp(u), `1/(1 + exp(-u))` sigmoid(u),
    `log(1 + exp(u))` softplus(u), and `u` where u > 0, else 0, relu(u), with its slope at 0.
    """
    memo: dict[Node, Node] = {}
    for part in walk(node):
        same = all(memo[c] is c for c in part.children())
        memo[part] = _recognised(part if same else normal.rebuild(part, memo.__getitem__))
    return memo[node]


def _recognised(node: Node) -> Node:
    match node:
        case Map(function="log"):
            return _logarithm(node)
        case Pow() if node.exponent.denominator == 1 and node.exponent < 0:
            exponent = _one_plus_exponential(node.base)
            if exponent is not None:
                sigmoid = normal.entrywise("sigmoid", normal.scaled(Fraction(-1), exponent))
                return normal.power(sigmoid, -node.exponent)
        case Where(relation=">") if normal.is_zero(node.right) and normal.is_zero(node.no) and node.left is node.yes:
            return normal.entrywise("relu", node.yes)
        case Contraction():
            return _softmaxes(node)
    return node


def _one_plus_exponential(node: Node) -> Node | None:
    """Return u where a node is `1 + exp(u)`."""
    if not (isinstance(node, Add) and len(node.terms) == 2):
        return None
    numbers = [c * v for c, term in node.terms if (v := normal.constant(term)) is not None]
    others = [(c, *normal.core(term)) for c, term in node.terms if normal.constant(term) is None]
    if numbers != [1] or len(others) != 1:
        return None
    coef, inner, axes = others[0]
    if coef != 1 or not (isinstance(inner, Map) and inner.function == "exp"):
        return None
    return normal.rewrapped(inner.arg, axes, node.dims)


def _logarithm(node: Map) -> Node:
    exponent = _one_plus_exponential(node.arg)
    if exponent is not None:
        return normal.entrywise("softplus", exponent)
    found = _sum_of_exponentials(node.arg)
    return normal.log_sum_exp(*found) if found is not None else node


def _sum_of_exponentials(node: Node) -> tuple[Node, tuple[int, ...]] | None:
    """Return (u, axes) where a node is `Σ exp(u)` over some axes of u, the others in order."""
    if not (isinstance(node, Contraction) and node.coef == 1 and len(node.factors) == 1 and node.bound):
        return None
    (inner, labels), *_ = node.factors
    kept = [label for label in labels if label < node.rank]
    if len(set(labels)) < len(labels) or kept != list(range(node.rank)):
        return None
    if not (isinstance(inner, Map) and inner.function == "exp"):
        return None
    return inner.arg, tuple(k for k, label in enumerate(labels) if label >= node.rank)


def _softmaxes(node: Contraction) -> Node:
    """Put in `softmax(u)[i] = exp(u[i]) / Σ_j exp(u[j])` wherever both factors stand in a product."""
    factors = list(node.factors)
    while (pair := _quotient(factors)) is not None:
        above, below, whole = pair
        factors[above] = (whole, factors[above][1])
        base, labels = factors.pop(below)
        assert isinstance(base, Pow)
        if base.exponent != -1:
            factors.append((normal.power(base.base, base.exponent + 1), labels))
    if factors == list(node.factors):
        return node
    return normal.contract(node.coef, factors, range(node.rank), dict(enumerate(node.sizes)))


def _quotient(factors: Sequence[Factor]) -> tuple[int, int, Node] | None:
    """Find `exp(u)` beside a division by `Σ exp(u)`: the places of both, and softmax(u)."""
    for below, (low, labels) in enumerate(factors):
        if not (isinstance(low, Pow) and low.exponent < 0 and low.exponent.denominator == 1):
            continue
        found = _sum_of_exponentials(low.base)
        if found is None:
            continue
        arg, axes = found
        for above, (top, at) in enumerate(factors):
            rest = tuple(label for k, label in enumerate(at) if k not in axes)
            if isinstance(top, Map) and top.function == "exp" and top.arg is arg and rest == labels:
                return above, below, normal.softmax(arg, axes)
    return None
