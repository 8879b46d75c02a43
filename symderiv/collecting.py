"""Sums collected before they are written: common denominators, sums that vanish, branches of one condition.

The normal form leaves a sum of products as it comes from the product rule.  A reader writes

    1/(1 + q) - q/(1 + q)²       =  1/(1 + q)²             over the lowest power of every factor,
    y / ((1 + y²/x²) x²)         =  y / (x² + y²)          a fraction in a fraction cleared,
    (1 - t) (1 + s) + t (s - 1)  =  1 + s - 2 t            multiplied out, where something cancels,
    Σ_i (x[i] - Σ_j x[j] / n)    =  0                      a sum taken term by term,
    [c > 0] (where c > 0: a, else b)  =  where c > 0: a, else 0.

Every alternative has the value of the node; the caller says by `length` which one is kept, and what is
in `whole` has a name and is not looked into.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator, Sequence
from fractions import Fraction

from symderiv.index import normal
from symderiv.index.graph import (
    Add,
    Contraction,
    Defined,
    Delta,
    Factor,
    Inverse,
    Leaf,
    MatrixPower,
    Node,
    Pow,
    SizeOf,
    Where,
)

MOST_TERMS = 8  # of a sum that is looked at
MOST_PRODUCTS = 24  # terms of a sum that is multiplied out
MOST_POWER = 3
MOST_WEIGHT = 250  # of a node whose alternatives are read in matrix notation to be compared
MOST_GROWTH = Fraction(5, 4)  # of the weight, for an alternative that is read at all
MOST_DEPTH = 3  # how far below a product a fraction is cleared

Length = Callable[[Node], int]
Exponents = dict[Factor, Fraction]


def collected(node: Node, whole: Container[Node], length: Length) -> Node:
    """Return a node of the same value, its parts replaced by the shortest of their alternatives."""
    return normal.from_below(
        node,
        end=lambda n: n if n in whole or isinstance(n, Defined) else None,
        after=lambda _, own: own if own in whole else _shortest(own, whole, length),
    )


def _shortest(node: Node, whole: Container[Node], length: Length) -> Node:
    for _ in range(MOST_DEPTH):
        most = normal.weight(node)
        others = [n for n in dict.fromkeys(alternatives(node, whole)) if n is not node]
        if not others:
            break
        if most > MOST_WEIGHT:
            best = min([node, *others], key=normal.weight)
        else:
            best = min([node, *(n for n in others if normal.weight(n) <= MOST_GROWTH * most)], key=length)
        if best is node:
            break
        node = best
    return node


def alternatives(node: Node, whole: Container[Node] = (), depth: int = MOST_DEPTH) -> Iterator[Node]:
    """Yield other forms of a sum, of a power of one, or of a product with one among its factors."""
    if node in whole or depth == 0:
        return
    if isinstance(node, Add) and len(node.terms) <= MOST_TERMS:
        yield from _over_denominators(node)
    elif isinstance(node, Pow) and isinstance(node.base, Add) and node.exponent.denominator == 1:
        for base in alternatives(node.base, whole, depth - 1):
            yield normal.power(base, node.exponent)
    elif isinstance(node, Contraction):
        yield from _branches_joined(node)
        for k, (f, _) in enumerate(node.factors):
            if f not in whole:
                yield from _term_by_term(node, k)
                for other in alternatives(f, whole, depth - 1):
                    yield _with_factor(node, k, other)


def _with_factor(node: Contraction, place: int, other: Node) -> Node:
    factors = [(other if k == place else f, at) for k, (f, at) in enumerate(node.factors)]
    return normal.contract(node.coef, factors, range(node.rank), dict(enumerate(node.sizes)))


# ---------------------------------------------------------------- denominators


def _over_denominators(node: Add) -> Iterator[Node]:
    """Yield a sum over its common denominators, as the products stand and multiplied out."""
    terms = [(c, _exponents(term)) for c, term in node.terms]
    if not any(e < 0 or _is_sum(place, e) for _, powers in terms for place, e in powers.items()):
        return
    places = list(dict.fromkeys(place for _, powers in terms for place in powers))
    lowest = {p: min(powers.get(p, normal.ZERO) for _, powers in terms) for p in places}
    highest = {p: max(powers.get(p, normal.ZERO) for _, powers in terms) for p in places}
    shared = {p: e for p, e in lowest.items() if e > 0}
    below = {p: e for p, e in lowest.items() if e < 0 and (highest[p] < 0 or not isinstance(p[0], SizeOf))}
    choices = [{**shared, **below}, *({**shared, p: e} for p, e in below.items() if len(below) > 1)]
    nearest = {p: highest[p] if highest[p] < 0 else e for p, e in below.items()}
    if nearest != below:
        choices.append({**shared, **nearest})
    for taken in choices if below else [shared]:
        rests = [(c, _quotient(powers, taken)) for c, powers in terms]
        if below:
            yield _product(node, taken, [(c, _written(node, powers)) for c, powers in rests])
        out = _multiplied_out(node, rests)
        if out is not None:
            yield _product(node, taken, out)


def _exponents(term: Node) -> Exponents:
    """Return the factors of a pure product with their exponents."""
    pure = isinstance(term, Contraction) and not term.bound and term.coef == 1 and term.factors
    factors = term.factors if pure and isinstance(term, Contraction) else ((term, tuple(range(term.rank))),)
    powers: Exponents = {}
    for f, at in factors:
        if normal.constant(f) == 1:
            continue
        base, exponent = (f.base, f.exponent) if isinstance(f, Pow) else (f, Fraction(1))
        settled = min(tuple(at[s] for s in perm) for perm in normal.symmetries(base))
        powers[(base, settled)] = powers.get((base, settled), normal.ZERO) + exponent
    return powers


def _quotient(powers: Exponents, taken: Exponents) -> Exponents:
    """Return what is left of a product of powers when another one is taken out."""
    left = {p: powers.get(p, normal.ZERO) - taken.get(p, normal.ZERO) for p in (*powers, *taken)}
    return {p: e for p, e in left.items() if e != 0}


def _written(node: Add, powers: Exponents) -> Node:
    """Return a product of powers over the axes of a sum."""
    factors = [(normal.power(base, e), at) for (base, at), e in powers.items()]
    return normal.contract(1, factors, range(node.rank), dict(enumerate(node.dims)))


def _product(node: Add, taken: Exponents, terms: Sequence[tuple[Fraction, Node]]) -> Node:
    total = normal.add(terms, node.dims)
    axes = range(node.rank)
    factors = [(normal.power(base, e), at) for (base, at), e in taken.items()]
    return normal.contract(1, [*factors, (total, tuple(axes))], axes, dict(enumerate(node.dims)))


def _multiplied_out(node: Add, terms: Sequence[tuple[Fraction, Exponents]]) -> list[tuple[Fraction, Node]] | None:
    """Return the terms with the sums among their factors multiplied out, None where there are none or too many."""
    found: list[tuple[Fraction, Node]] = []
    seen = False
    for coef, powers in terms:
        products = [(coef, _written(node, {p: e for p, e in powers.items() if not _is_sum(p, e)}))]
        for (base, at), e in powers.items():
            if not _is_sum((base, at), e):
                continue
            seen = seen or len(powers) > 1 or e > 1
            assert isinstance(base, Add)
            for _ in range(int(e)):
                products = [(a * c, _times(node, p, (n, at))) for a, p in products for c, n in base.terms]
                if len(products) + len(found) > MOST_PRODUCTS:
                    return None
        found += products
    return found if seen else None


def _is_sum(place: Factor, exponent: Fraction) -> bool:
    return isinstance(place[0], Add) and exponent.denominator == 1 and 0 < exponent <= MOST_POWER


def _times(node: Add, product: Node, factor: Factor) -> Node:
    axes = tuple(range(node.rank))
    return normal.contract(1, [(product, axes), factor], axes, dict(enumerate(node.dims)))


# ---------------------------------------------------------------- products


def _branches_joined(node: Contraction) -> Iterator[Node]:
    """Yield a product in which two branches of one condition, at the same indices, are one."""
    branches = [(k, f, at) for k, (f, at) in enumerate(node.factors) if isinstance(f, Where)]
    for a, first, at in branches:
        for b, second, there in branches:
            if a == b or not set(at) <= set(there) or len(set(there)) < len(there) or (at == there and a > b):
                continue
            axes = tuple(there.index(label) for label in at)
            left, right, yes, no = (normal.rewrapped(c, axes, second.dims) for c in first.children())
            if (first.relation, left, right) != (second.relation, second.left, second.right):
                continue
            same = range(second.rank)
            sides = [normal.contract(1, [(x, same), (y, same)], same) for x, y in ((yes, second.yes), (no, second.no))]
            both = normal.where(second.relation, left, right, *sides)
            rest = [f for k, f in enumerate(node.factors) if k not in (a, b)]
            yield normal.contract(node.coef, [*rest, (both, there)], range(node.rank), dict(enumerate(node.sizes)))


def _term_by_term(node: Contraction, place: int) -> Iterator[Node]:
    """Yield the sum of products that a product with a sum is, where something may cancel or contract."""
    inner, at = node.factors[place]
    if not isinstance(inner, Add) or len(inner.terms) > MOST_TERMS:
        return
    rest = [g for k, g in enumerate(node.factors) if k != place]
    elsewhere = {label for _, labels in rest for label in labels} | set(range(node.rank))
    alone = any(label not in elsewhere for label in at)
    if not (alone or len(set(at)) < len(at) or _may_contract(inner, [f for f, _ in rest])):
        return
    sizes = dict(enumerate(node.sizes))
    out = range(node.rank)
    parts = [(c, _vanished(normal.contract(node.coef, [(n, at), *rest], out, sizes))) for c, n in inner.terms]
    yield normal.add(parts, node.dims)


def _may_contract(inner: Add, rest: Sequence[Node]) -> bool:
    """Tell whether a term holds a δ, or the other factors something that cancels with another."""
    parts = [f for _, n in inner.terms for f in (n.children() if isinstance(n, Contraction) else (n,))]
    if any(isinstance(f, Delta) for f in parts):
        return True
    return any(
        isinstance(f, (Inverse, MatrixPower)) or (isinstance(f, Leaf) and "orthogonal" in f.traits) for f in rest
    )


def _vanished(node: Node) -> Node:
    """Return 0 for a product one of whose factors is a sum that, taken term by term, is 0."""
    if isinstance(node, Contraction) and any(_is_nothing(f) for f in node.children()):
        return normal.number(0, node.dims)
    return normal.number(0, node.dims) if _is_nothing(node) else node


def _is_nothing(node: Node) -> bool:
    if not (isinstance(node, Contraction) and node.bound and len(node.factors) == 1):
        return False
    return any(normal.is_zero(form) for form in _term_by_term(node, 0))
