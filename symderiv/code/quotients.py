"""Quotients of exponentials that neither overflow nor lose their digits.

Let D be a sum of exponentials (with numbers and `cosh` among them) and λ = log D.  With D = exp p + exp q,

    exp(α p + β q) / D^(α+β) = σ(p − q)^α σ(q − p)^β,

for D = Σ_j exp(u[j]) the quotient `exp(u[j]) / D` is softmax(u)[j], and whatever else stands over D is

    exp(e) / D^k = exp(e − k λ),    or exp(e − k m) / D′^k where D = exp(m) D′ has terms of either sign.

Such a scale, λ or m, is taken into an exponential that stands above, a copy for each power, so that what
is left is of moderate size.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import permutations
from math import prod

from symderiv.code.logs import ONE, Logs, exponent, hot, summed_exponent, zero_like
from symderiv.code.parts import Part, Parts, Stand, scaling
from symderiv.index import normal
from symderiv.index.graph import Add, Contraction, Map, Node, Pow, Power

MOST_POWER = 12
MOST_COPIES = (1, 2, 3, 4)
MOST_SPREAD = 64


def _divides(part: Part) -> bool:
    return part.exponent < 0 and not part.is_exp and hot(part.base)


def _has_quotient(node: Node) -> bool:
    """Tell whether something is divided by exponentials in a product or a sum."""
    if isinstance(node, Power):
        return hot(node.base)
    if isinstance(node, Pow):
        return _divides(Part(node.base, node.exponent, ())) or (node.exponent > 0 and _has_quotient(node.base))
    return isinstance(node, (Contraction, Add)) and any(_has_quotient(c) for c in node.children())


class Quotients:
    """The rewriting of products; `logs` are those of the sums that are divided by."""

    def __init__(self, stand: Stand) -> None:
        self.logs = Logs(stand)
        self.scales: dict[Node, tuple[Fraction, Node]] = {}  # exp(−k λ) that found no exponential to be taken into

    # -- before anything else: what belongs together

    def gathered(self, node: Node) -> Node:
        """Return a product with its exponentials multiplied into a sum whose terms divide by exponentials.

        `exp(a) (1/D − exp(a)/D²)` is `exp(a)/D − exp(a)²/D²`, so that each quotient stands in one term.
        """
        if not isinstance(node, Contraction) or not hot(node):
            return node
        parts = Parts.of(node)
        if _tangents(parts):
            return self.gathered(parts.node())
        sums = [p for p in parts.list if isinstance(p.base, Add) and p.exponent in MOST_COPIES]
        if prod(len(p.base.terms) ** int(p.exponent) for p in sums) > MOST_SPREAD:
            return node
        for part in sorted(sums, key=lambda p: -len(p.labels)):
            if len(set(part.labels)) == len(part.labels) and self.concerned(parts, part):
                return self.spread(parts, part)
        return node

    def concerned(self, parts: Parts, part: Part) -> bool:
        """Tell whether a quotient of exponentials is at stake between a sum and what stands around it."""
        around = [p for p in parts.list if p is not part and hot(p.base)]
        towers = any(p.is_exp and hot(p.base.arg) for p in around)
        divides = any(_divides(p) for p in around)
        return bool(around) and (_has_quotient(part.base) or ((divides or towers) and hot(part.base)))

    def spread(self, parts: Parts, part: Part) -> Node:
        """Multiply the exponentials around a sum into its terms; all there is, where they have other indices."""
        inner, labels = part.base, set(part.labels)
        if part.exponent > 1:
            parts.list.append(Part(inner, part.exponent - 1, part.labels))
            part.exponent = ONE
        apart = [p for p in parts.list if p.is_exp and not set(p.labels) <= labels]
        for low in [p for p in parts.list if _divides(p) and set(p.labels) <= labels]:
            self.softmaxes(parts, low, apart)
        around = [p for p in parts.list if p is not part and hot(p.base)]
        whole = _has_quotient(inner) and any(p.is_exp and not set(p.labels) <= labels for p in around)
        taken = [p for p in parts.list if p is not part] if whole else [p for p in around if set(p.labels) <= labels]
        out = tuple(range(parts.rank)) if whole else part.labels
        sizes = parts.sizes if whole else {k: parts.sizes[k] for k in out}
        factors = [(normal.power(p.base, p.exponent), p.labels) for p in taken]
        terms = []
        for c, t in inner.terms:
            product = normal.contract(1, [(t, part.labels), *factors], out, sizes)
            terms.append((c, self.gathered(product) if taken else product))
        if whole:
            total = normal.add(terms, tuple(parts.sizes[k] for k in out))
            return normal.scaled(parts.coef, total)
        parts.remove(taken)
        part.base = normal.add(terms, inner.dims)
        return parts.node()

    # -- what is divided by

    def product(self, node: Node) -> Node:
        """Return a product with its quotients of exponentials in stable form."""
        if not hot(node):
            return node
        parts = Parts.of(node)
        if any(p.exponent < 0 and hot(p.base) for p in parts.list):
            parts.open(hot)
        scales = [(p, *self.scales[p.base]) for p in parts.list if p.base in self.scales and p.exponent > 0]
        parts.remove([p for p, *_ in scales])
        parts.merge()
        _hyperbolic(parts)
        _odds(parts)
        self.sigmoids(parts)
        for part in [p for p in parts.list if _divides(p)]:
            self.softmaxes(parts, part)
        for part in [p for p in parts.list if _divides(p)]:
            self.compensate(parts, part)
        for part, k, scale in scales:
            self.share(parts, k * part.exponent, scale, part.labels)
        return parts.node()

    def sigmoids(self, parts: Parts) -> None:
        """`exp(α p + β q) / (exp p + exp q)^(α+β)`, for all such sums with the same indices at once."""
        groups: dict[frozenset[int], list[tuple[Part, _Two]]] = {}
        for part in parts.list:
            two = self.two_terms(part, parts)
            if two is not None:
                groups.setdefault(frozenset(part.labels), []).append((part, two))
        for labels, group in groups.items():
            order = tuple(sorted(labels))
            atoms = {a for _, two in group for a in (*_atoms(two.p), *_atoms(two.q))}
            above = [
                p for p in parts.list
                if p.is_exp and frozenset(p.labels) <= labels and _atoms(parts.at(p.base.arg, p.labels, order)) & atoms
            ]  # fmt: skip
            plain = all(isinstance(part.base, Map) and part.base.function == "sigmoid" for part, _ in group)
            if plain and not above:
                continue
            dims = tuple(parts.sizes[k] for k in order)
            e = normal.add([(p.exponent, parts.at(p.base.arg, p.labels, order)) for p in above], dims)
            plan = _shared_out(e, [two for _, two in group])
            if plan is None:
                continue
            parts.remove(above)
            for (part, two), (alpha, beta) in zip(group, plan, strict=True):
                parts.remove([part])
                parts.coef *= two.c**-alpha * two.d**-beta
                gap = normal.add([(1, self.logs.plus(two.p, two.c)), (-1, self.logs.plus(two.q, two.d))], dims)
                for power, arg in ((alpha, gap), (beta, normal.scaled(-ONE, gap))):
                    if power:
                        parts.add(normal.entrywise("sigmoid", arg), Fraction(power), order)

    def two_terms(self, part: Part, parts: Parts) -> _Two | None:
        """Read a power of a sum of two exponentials, or of a sigmoid, as (p, q, k)."""
        base, power = part.base, part.exponent
        if power.denominator != 1 or abs(power) > MOST_POWER:
            return None
        order = tuple(sorted(set(part.labels)))
        if isinstance(base, Map) and base.function == "sigmoid" and power > 0:
            u = parts.at(base.arg, part.labels, order)
            return _Two(zero_like(u), normal.scaled(-ONE, u), ONE, ONE, int(power))
        terms = self.logs.terms(base) if power < 0 else None
        if terms is None or len(terms) != 2:
            return None
        (c, p), (d, q) = terms
        return _Two(parts.at(p, part.labels, order), parts.at(q, part.labels, order), c, d, int(-power))

    def softmaxes(self, parts: Parts, part: Part, among: Sequence[Part] | None = None) -> None:
        """`exp(u[i, j]) / Σ_j exp(u[i, j])`, as often as it can be found."""
        total = summed_exponent(part.base)
        if total is None or part.exponent.denominator != 1:
            return
        coef, u = total
        rank = part.base.rank
        axes = tuple(range(rank, u.rank))
        if len(axes) > 1 and rank:
            return
        soft = normal.softmax(u, axes)
        for above in among if among is not None else list(parts.list):
            if not above.is_exp or above.exponent <= 0:
                continue
            labels = _standing(u, part.labels, above, parts)
            if labels is None:
                continue
            times = min(int(above.exponent), -int(part.exponent))
            if times <= 0:
                continue
            above.exponent -= times
            part.exponent += times
            parts.coef /= coef**times
            parts.add(soft, Fraction(times), labels)
        parts.remove([p for p in parts.list if p.exponent == 0])

    def compensate(self, parts: Parts, part: Part) -> None:
        """`1 / D^k = exp(−k λ)`, or `exp(−k m) / D′^k`."""
        if part.base in self.logs.settled or part not in parts.list:
            return
        left, labels = -part.exponent, part.labels
        terms = self.logs.terms(part.base)
        if terms is not None:
            scale = self.logs.log_of_terms(terms)
            parts.remove([part])
        else:
            found = self.logs.shifted(part.base)
            if found is None:
                return
            scale, part.base = found
        self.share(parts, left, scale, labels)

    def share(self, parts: Parts, left: Fraction, scale: Node, labels: tuple[int, ...]) -> None:
        """Multiply by `exp(−left · scale)`, copy by copy, into the exponentials that are there to take it."""
        inner, axes = normal.core(scale)
        labels = tuple(labels[k] for k in axes)
        order = tuple(dict.fromkeys(labels))
        inner = parts.at(inner, labels, order)
        found = [p for p in parts.list if p.is_exp and p.exponent > 0 and set(order) <= set(p.labels)]
        found = sorted((p for p in found if p.base not in self.scales), key=lambda p: len(p.labels))
        for above, copies in _dealt(left, found):
            own = tuple(dict.fromkeys(above.labels))
            e = parts.at(above.base.arg, above.labels, own)
            lower = normal.add([(above.exponent, e), (-copies, parts.at(inner, order, own))], e.dims)
            above.base, above.labels, above.exponent = normal.entrywise("exp", lower), own, ONE
            above.copies -= copies
            left -= copies
        if left > 0:
            alone = normal.entrywise("exp", normal.scaled(-left, inner))
            self.scales[normal.core(alone)[0]] = (left, inner)
            parts.add(alone, ONE, order)


def _dealt(total: Fraction, parts: Sequence[Part]) -> list[tuple[Part, Fraction]]:
    """Deal out copies of a scale in turn, as long as there is something to lower; the rest goes to the first."""
    shares = {id(p): Fraction(0) for p in parts}
    left = total
    while left > 0:
        ready = [p for p in parts if p.copies - shares[id(p)] > 0]
        if not ready or left.denominator != 1:
            break
        for p in ready[: int(left)]:
            shares[id(p)] += 1
            left -= 1
    if parts:
        shares[id(parts[0])] += left
    return [(p, shares[id(p)]) for p in parts if shares[id(p)]]


@dataclass
class _Two:
    """`1 / (c exp p + d exp q)^k`."""

    p: Node
    q: Node
    c: Fraction
    d: Fraction
    k: int


def _shared_out(e: Node, sums: Sequence[_Two]) -> list[tuple[int, int]] | None:
    """Find α, β with α + β = k for each sum so that `e = Σ α p + β q`; None where it does not come out."""
    plan = []
    for two in sums:
        forms = []
        for beta in range(two.k + 1):
            rest = normal.add([(1, e), (beta - two.k, two.p), (-beta, two.q)], e.dims)
            forms.append((_length(rest), beta, rest))
        _, beta, e = min(forms, key=lambda f: f[:2])
        plan.append((two.k - beta, beta))
    return plan if normal.is_zero(e) else None


def _length(node: Node) -> Fraction:
    if normal.is_zero(node):
        return Fraction(0)
    coef, inner = scaling(node)
    if isinstance(inner, Add):
        return sum((abs(coef * c) for c, _ in inner.terms), Fraction(0))
    return abs(coef)


def _atoms(node: Node) -> set[Node]:
    """Return what a linear form is made of."""
    if normal.is_zero(node):
        return set()
    _, inner = scaling(node)
    return {n for _, n in inner.terms} if isinstance(inner, Add) else {inner}


def _standing(u: Node, labels: tuple[int, ...], above: Part, parts: Parts) -> tuple[int, ...] | None:
    """Find the indices at which `exp(u)` is the given factor, its first axes at `labels`."""
    own = tuple(dict.fromkeys(above.labels))
    free = [k for k in own if k not in labels]
    wanted = parts.at(above.base.arg, above.labels, own)
    count = u.rank - len(labels)
    for chosen in permutations(free, count):
        places = (*labels, *chosen)
        fits = all(parts.sizes[k] == d for k, d in zip(places, u.dims, strict=True))
        if fits and set(places) == set(own) and parts.at(u, places, own) is wanted:
            return places
    return None


def _hyperbolic(parts: Parts) -> None:
    """`sinh(u)^a / cosh(u)^b = tanh(u)^c sinh(u)^(a−c) / cosh(u)^(b−c)`."""
    for low in [p for p in parts.list if p.exponent < 0 and isinstance(p.base, Map) and p.base.function == "cosh"]:
        for top in list(parts.list):
            same = isinstance(top.base, Map) and top.base.function == "sinh" and top.base.arg is low.base.arg
            if same and top.labels == low.labels and top.exponent > 0:
                times = Fraction(int(min(top.exponent, -low.exponent)))  # whole: sinh has either sign
                top.exponent -= times
                low.exponent += times
                parts.add(normal.entrywise("tanh", low.base.arg), times, low.labels)
    parts.remove([p for p in parts.list if p.exponent == 0])


def _tangents(parts: Parts) -> bool:
    """`(exp p − exp q) / (exp p + exp q) = tanh((p − q) / 2)`; tell whether there was one."""
    found = False
    for low in [p for p in parts.list if _divides(p) and isinstance(p.base, Add)]:
        for top in [p for p in parts.list if p.exponent > 0 and p.labels == low.labels and isinstance(p.base, Add)]:
            half = _half_difference(top.base, low.base)
            times = min(top.exponent, -low.exponent)
            if half is not None and times.denominator == 1:
                coef, arg = half
                top.exponent -= times
                low.exponent += times
                parts.coef *= coef ** int(times)
                parts.add(normal.entrywise("tanh", arg), times, low.labels)
                found = True
    parts.remove([p for p in parts.list if p.exponent == 0])
    return found


def _half_difference(top: Add, low: Add) -> tuple[Fraction, Node] | None:
    """Return (c, u) with `top = c tanh(u) low`, for two terms each, of equal size."""
    signs = {n: c for c, n in top.terms}
    (c, first), (d, second) = low.terms if len(low.terms) == 2 else ((ONE, low), (ONE, low))
    if len(top.terms) != 2 or set(signs) != {first, second} or c != d or signs[first] != -signs[second]:
        return None
    p, q = exponent(first), exponent(second)
    if p is None or q is None or p[0] != q[0]:
        return None
    gap = normal.add([(Fraction(1, 2), p[1]), (Fraction(-1, 2), q[1])], low.dims)
    sign = -1 if scaling(gap)[0] < 0 else 1
    return sign * signs[first] / c, normal.scaled(Fraction(sign), gap)


def _odds(parts: Parts) -> None:
    """`σ(u) / σ(−u) = exp(u)`."""
    for low in [p for p in parts.list if p.exponent < 0 and isinstance(p.base, Map) and p.base.function == "sigmoid"]:
        mirror = normal.entrywise("sigmoid", normal.scaled(-ONE, low.base.arg))
        for top in list(parts.list):
            turned = parts.at(mirror, low.labels, top.labels) if set(low.labels) == set(top.labels) else None
            if top.exponent > 0 and len(set(top.labels)) == len(top.labels) and turned is top.base:
                times = min(top.exponent, -low.exponent)
                top.exponent -= times
                low.exponent += times
                parts.add(normal.entrywise("exp", normal.scaled(-ONE, low.base.arg)), times, low.labels)
    parts.remove([p for p in parts.list if p.exponent == 0])
