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
from fractions import Fraction
from itertools import permutations
from math import prod

from symderiv.code.logistic import divides, hyperbolic, is_sigmoid, odds, released, sigmoids, tangents
from symderiv.code.logs import ONE, Logs, hot, summed_exponent
from symderiv.code.parts import Part, Parts, Stand
from symderiv.index import normal
from symderiv.index.graph import Add, Contraction, Map, Node, Pow, Power

EXPONENTIAL = ("exp", "cosh", "sinh")
MOST_COPIES = (1, 2, 3, 4)
MOST_SPREAD = 64


def _at_different(parts: Parts, part: Part) -> bool:
    """Write a sum at each of its indices once, term by term; tell whether it was so, or still is a sum."""
    order = tuple(dict.fromkeys(part.labels))
    if len(order) < len(part.labels):
        terms = [(c, parts.at(t, part.labels, order)) for c, t in part.base.terms]
        part.base, part.labels = normal.add(terms, tuple(parts.sizes[k] for k in order)), order
    return isinstance(part.base, Add)


def _has_exponential(node: Node) -> bool:
    """Tell whether an exponential is a factor of some term."""
    if isinstance(node, Map):
        return node.function in EXPONENTIAL
    return isinstance(node, (Pow, Contraction, Add)) and any(_has_exponential(c) for c in node.children())


def _has_quotient(node: Node) -> bool:
    """Tell whether something is divided by exponentials in a product or a sum."""
    if isinstance(node, Power):
        return hot(node.base)
    if isinstance(node, Pow):
        return divides(Part(node.base, node.exponent, ())) or (node.exponent > 0 and _has_quotient(node.base))
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
        if tangents(parts) or released(parts, self.logs):
            return self.gathered(parts.node())
        sums = [p for p in parts.list if isinstance(p.base, Add) and p.exponent in MOST_COPIES]
        if prod(len(p.base.terms) ** int(p.exponent) for p in sums) > MOST_SPREAD:
            return node
        for part in sorted(sums, key=lambda p: -len(p.labels)):
            if self.concerned(parts, part):
                return self.spread(parts, part) if _at_different(parts, part) else self.gathered(parts.node())
        return node

    def concerned(self, parts: Parts, part: Part) -> bool:
        """Tell whether a quotient of exponentials is at stake between a sum and what stands around it."""
        around = [p for p in parts.list if p is not part and hot(p.base)]
        towers = any(p.is_exp and hot(p.base.arg) for p in around)
        below = any(divides(p) for p in around)
        weighed = any(is_sigmoid(p.base) for p in around) and _has_exponential(part.base)
        return bool(around) and (_has_quotient(part.base) or ((below or towers) and hot(part.base)) or weighed)

    def spread(self, parts: Parts, part: Part) -> Node:
        """Multiply the exponentials around a sum into its terms; all there is, where they have other indices."""
        inner, labels = part.base, set(part.labels)
        if part.exponent > 1:
            parts.list.append(Part(inner, part.exponent - 1, part.labels))
            part.exponent = ONE
        apart = [p for p in parts.list if p.is_exp and not set(p.labels) <= labels]
        for low in [p for p in parts.list if divides(p) and set(p.labels) <= labels]:
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
        released(parts, self.logs)
        scales = [(p, *self.scales[p.base]) for p in parts.list if p.base in self.scales and p.exponent > 0]
        parts.remove([p for p, *_ in scales])
        parts.merge()
        hyperbolic(parts)
        odds(parts)
        sigmoids(parts, self.logs)
        for part in [p for p in parts.list if divides(p)]:
            self.softmaxes(parts, part)
        for part in [p for p in parts.list if divides(p)]:
            self.compensate(parts, part)
        for part, k, scale in scales:
            self.share(parts, k * part.exponent, scale, part.labels)
        return parts.node()

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
