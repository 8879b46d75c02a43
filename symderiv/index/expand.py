"""Multiplying out: the ring normal form, for telling equal from unequal.

The engine keeps results factored; two factored forms of one value need not be one node.  Here products
are distributed over sums (and over integer powers of sums), at every depth, and denominators are
cleared, until only products of entries are added: equal polynomials then have one form.
"""

from __future__ import annotations

from collections import Counter
from fractions import Fraction
from itertools import combinations

from symderiv.errors import UnsupportedError
from symderiv.index import normal
from symderiv.index.graph import Add, Contraction, Map, Node, Pow, Where, walk
from symderiv.index.labelling import canonical
from symderiv.index.narrow import narrow
from symderiv.index.normal import ONE, terms_of
from symderiv.index.orientation import opened, oriented

MOST_TERMS = 3000
MOST_POWER = 8
MOST_AXES = 4
ODD = frozenset({"sign", "sin", "tan", "arcsin", "arctan", "sinh", "tanh"})


def same(left: Node, right: Node) -> bool:
    """Tell whether two nodes are equal as sums of products, denominators cleared.

    False means only that they were not found equal.
    """
    if left is right:
        return True
    if left.dims != right.dims:
        return False
    try:
        difference = expand(_without_ones(normal.add([(1, left), (-1, right)], left.dims)))
        if not vanishes(difference):
            difference = expand(normal.unfold(difference))
        return vanishes(difference) or vanishes(cleared(difference))
    except UnsupportedError:
        return False


def _without_ones(node: Node) -> Node:
    """Return the node without its axes of size 1, where they can be left out: two indices over one are equal."""
    if not any(size == 1 for part in walk(node) for size in part.dims):
        return node
    try:
        return narrow(node)
    except UnsupportedError:
        return node


def vanishes(node: Node) -> bool:
    """Tell whether a sum of products is 0 when every product is written as one flat sum over entries."""
    if normal.is_zero(node):
        return True
    total: dict[tuple[object, ...], Fraction] = {}
    for coef, term in terms_of(node):
        sign, key = _flat_key(term)
        total[key] = total.get(key, normal.ZERO) + sign * coef
    return not any(total.values())


def _flat_key(term: Node) -> tuple[int, tuple[object, ...]]:
    """Return a product as one sum over all of its bound indices, with canonical names, and a sign.

    A factor that changes its sign when its indices are exchanged, such as `x[i] - x[j]`, stands one way round.
    """
    sizes = dict(enumerate(term.dims))
    factors: list[tuple[Node, tuple[int, ...]]] = []
    todo: list[tuple[Node, tuple[int, ...]]] = [(term, tuple(range(term.rank)))]
    while todo:
        node, labels = todo.pop()
        if isinstance(node, Pow) and node.exponent.denominator == 1 and 1 < node.exponent <= MOST_POWER:
            todo += [(node.base, labels)] * int(node.exponent)
        elif isinstance(node, Contraction) and node.coef == 1 and node.factors:
            names = dict(enumerate(labels))
            for b in node.bound:
                names[b] = len(sizes)
                sizes[names[b]] = node.sizes[b]
            todo += [(f, tuple(names[s] for s in at)) for f, at in node.factors]
        else:
            factors.append((node, labels))
    colours = {k: f"0{k:03}" if k < term.rank else f"1{size}" for k, size in sizes.items()}
    turning = [_antisymmetric(f) for f, _ in factors]
    items = [
        (f.key, at, (*normal.symmetries(f), exchanged(f.rank, pair)) if pair else normal.symmetries(f))
        for (f, at), pair in zip(factors, turning, strict=True)
    ]
    names, order = canonical(items, colours)
    sign = 1
    for (_, labels), pair in zip(factors, turning, strict=True):
        if pair and names[labels[pair[0]]] > names[labels[pair[1]]]:
            sign = -sign
    key = tuple((items[k][0], min(tuple(names[items[k][1][s]] for s in perm) for perm in items[k][2])) for k in order)
    return sign, key


def exchanged(rank: int, pair: tuple[int, int]) -> tuple[int, ...]:
    """Return the order of axes with two of them exchanged."""
    a, b = pair
    return tuple(b if k == a else a if k == b else k for k in range(rank))


def _antisymmetric(node: Node) -> tuple[int, int] | None:
    """Return two axes with `node[j, i] = -node[i, j]`: a difference of the same at i and at j, an odd function of one.

    None where there are none, or a choice of them.
    """
    if len(normal.symmetries(node)) > 1:
        return None
    if isinstance(node, Map) and not node.order and node.function in ODD:
        return _antisymmetric(node.arg)
    if isinstance(node, Pow) and node.exponent.denominator == 1 and node.exponent.numerator % 2:
        return _antisymmetric(node.base)
    if isinstance(node, Contraction) and not node.bound and len(node.factors) == 1:
        inner, labels = node.factors[0]
        pair = _antisymmetric(inner) if sorted(labels) == list(range(node.rank)) else None
        return None if pair is None else (labels[pair[0]], labels[pair[1]])
    if not isinstance(node, Add) or node.rank > MOST_AXES:
        return None
    pairs = [p for p in combinations(range(node.rank), 2) if node.dims[p[0]] == node.dims[p[1]]]
    odd = [p for p in pairs if _cancel(node, normal.transposed(node, exchanged(node.rank, p)))]
    return odd[0] if len(odd) == 1 else None


def _cancel(left: Node, right: Node) -> bool:
    return normal.is_zero(normal.add([(1, left), (1, right)], left.dims))


def expand(node: Node) -> Node:
    """Return the node multiplied out."""
    done: dict[Node, Node] = {}
    for part in walk(node):
        children = {c: done[c] for c in part.children()}
        new = part if all(a is b for a, b in children.items()) else normal.rebuild(part, done.__getitem__)
        done[part] = oriented(_settle(opened(new)))
    return done[node]


def _settle(node: Node) -> Node:
    """Distribute until nothing is left to distribute at the top."""
    for _ in range(100):
        new = _exponentials(_distributed(node))
        if new is node:
            return node
        node = new
    return node


def _distributed(node: Node) -> Node:
    if isinstance(node, Add):
        parts = [(c, _settle(n)) for c, n in node.terms]
        if all(a is b for (_, a), (_, b) in zip(parts, node.terms, strict=True)):
            return node
        return normal.add(parts, node.dims)
    if isinstance(node, Where) and not _is_indicator(node):
        return _by_indicator(node)
    if isinstance(node, Pow) and _is_sum_power(node):
        same_axes = list(range(node.rank))
        return _multiplied(ONE, [(node.base, same_axes)] * int(node.exponent), same_axes, dict(enumerate(node.dims)))
    if not isinstance(node, Contraction):
        return node
    inner: dict[Node, Node] = {f: _settle(f) for f in node.children() if isinstance(f, Contraction) and f.bound}
    if any(new is not f for f, new in inner.items()):
        return normal.rebuild(node, lambda f: inner.get(f, f))
    factors: list[tuple[Node, list[int]]] = []
    found = False
    for f, labels in node.factors:
        if isinstance(f, Pow) and _is_sum_power(f):
            factors += [(f.base, list(labels))] * int(f.exponent)
            found = True
        else:
            factors.append((f, list(labels)))
            found = found or isinstance(f, Add)
    if not found:
        return node
    return _multiplied(node.coef, factors, list(range(node.rank)), dict(enumerate(node.sizes)))


def _is_indicator(node: Where) -> bool:
    return normal.constant(node.yes) == 1 and normal.is_zero(node.no)


def _by_indicator(node: Where) -> Node:
    """`a` where c, else `b`, is `b + [c] (a − b)` with [c] 1 where c holds, else 0: equal wherever both are defined."""
    axes = range(node.rank)
    one, zero = normal.number(1, node.dims), normal.number(0, node.dims)
    holds = oriented(normal.where(node.relation, node.left, node.right, one, zero))
    difference = normal.add([(1, node.yes), (-1, node.no)], node.dims)
    return normal.add([(1, node.no), (1, normal.contract(1, [(holds, axes), (difference, axes)], axes))], node.dims)


def _is_sum_power(node: Pow) -> bool:
    return isinstance(node.base, Add) and node.exponent.denominator == 1 and 1 < node.exponent <= MOST_POWER


Factors = list[tuple[Node, list[int]]]


def _multiplied(coef: Fraction, factors: Factors, out: list[int], sizes: dict[int, object]) -> Node:
    """Return a product with its sums distributed; a sum that a term has as a denominator is cancelled there."""
    terms: list[tuple[Fraction, Factors]] = [(coef, [])]
    for f, labels in sorted(factors, key=lambda factor: not _has_denominators(factor[0])):
        if isinstance(f, Add):
            terms = [new for c, done in terms for new in _times_sum(c, done, f, labels)]
        else:
            terms = [(c, [*done, (f, labels)]) for c, done in terms]
        if len(terms) > MOST_TERMS:
            raise UnsupportedError(f"more than {MOST_TERMS} terms when multiplied out")
    products = [normal.contract(c, fs, out, sizes) for c, fs in terms]
    return normal.add([(1, p) for p in products], products[0].dims)


def _times_sum(coef: Fraction, done: Factors, f: Add, labels: list[int]) -> list[tuple[Fraction, Factors]]:
    """Return a product times a sum, as terms: `(1 − y) / (1 − y)` is 1 before anything is distributed."""
    for k, (node, at) in enumerate(done):
        if isinstance(node, Pow) and node.base is f and node.exponent < 0 and list(at) == list(labels):
            rest = done[:k] + done[k + 1 :]
            less = node.exponent + 1
            return [(coef, rest if less == 0 else [*rest, (normal.power(f, less), at)])]
    return [(coef * k * c, [*done, *parts]) for k, n in f.terms for c, parts in [_flat(n, labels)]]


def _flat(node: Node, labels: list[int]) -> tuple[Fraction, Factors]:
    """Return a plain product as its coefficient and factors, anything else as it is."""
    if isinstance(node, Contraction) and not node.bound and node.factors:
        return node.coef, [(f, [labels[s] for s in at]) for f, at in node.factors]
    return ONE, [(node, labels)]


def _has_denominators(node: Node) -> bool:
    """Tell whether a factor is a denominator, or a sum whose terms have some: these come first."""
    if not isinstance(node, Add):
        return True
    return any(
        isinstance(f, Pow) and f.exponent < 0
        for _, term in node.terms
        for f in ([g for g, _ in term.factors] if isinstance(term, Contraction) else [term])
    )


def _exponentials(node: Node) -> Node:
    """`exp(a) exp(b) = exp(a + b)`, entrywise, and `exp(a)ᵏ = exp(k a)`."""
    if not isinstance(node, Contraction):
        return node
    groups: dict[tuple[int, ...], list[tuple[Fraction, Map]]] = {}
    rest = []
    for f, labels in node.factors:
        base, exponent = (f.base, f.exponent) if isinstance(f, Pow) else (f, ONE)
        if isinstance(base, Map) and base.function == "exp":
            groups.setdefault(labels, []).append((exponent, base))
        else:
            rest.append((f, labels))
    if all(len(g) == 1 and g[0][0] == 1 for g in groups.values()):
        return node
    for labels, members in groups.items():
        arg = normal.add([(e, m.arg) for e, m in members], members[0][1].dims)
        rest.append((normal.entrywise("exp", expand(arg)), labels))
    return normal.contract(node.coef, rest, range(node.rank), dict(enumerate(node.sizes)))


def cleared(node: Node) -> Node:
    """Return the node times its denominators, multiplied out; entrywise, so 0 where the node is 0."""
    for _ in range(6):
        worst = _denominators(node)
        if not worst:
            return node
        factors = [(normal.power(base, k), labels) for (base, labels), k in worst.items()]
        at = range(node.rank)
        terms = terms_of(node)
        parts = [normal.contract(c, [(n, at), *factors], at, dict(enumerate(node.dims))) for c, n in terms]
        node = expand(normal.add([(1, p) for p in parts], node.dims))
    return node


def _denominators(node: Node) -> Counter[tuple[Node, tuple[int, ...]]]:
    worst: Counter[tuple[Node, tuple[int, ...]]] = Counter()
    for _, term in terms_of(node):
        factors = (
            term.factors if isinstance(term, Contraction) and not term.bound else ((term, tuple(range(term.rank))),)
        )
        for f, labels in factors:
            if isinstance(f, Pow) and f.exponent < 0 and f.exponent.denominator == 1:
                worst[(f.base, labels)] = max(worst[(f.base, labels)], int(-f.exponent))
    return worst
