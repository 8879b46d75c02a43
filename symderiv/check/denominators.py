"""Denominators that are sums of terms, cleared: a sum of fractions is 0 only if what stands above is.

* Outside of sums the whole polynomial is multiplied by its denominators.
* Under a sum the terms are brought to a common denominator, `f = f D / D` with D multiplied out above:
  `Σ_t x[t] a[t]/(a[t] + b[t]) − Σ_t x[t] = −Σ_t x[t] b[t]/(a[t] + b[t])`.  No value of D is 0, as it is divided by.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import permutations

from symderiv.check.canonical import Component, Exponent, Factor, Labels, Monomial, least
from symderiv.check.products import Poly, Powers, Products, plain, pruned

MOST_CLEARED = 6
MOST_BOUND = 4


def cleared(ring: Products, poly: Poly) -> Poly:
    """Multiply by the denominators that are sums of terms: the result is 0 only if the polynomial is."""
    for _ in range(MOST_CLEARED):
        lowest: Powers = {}
        for fixed, _ in poly:
            for n, labels, exponent in fixed:
                if ring.atoms[n].kind == "sum" and exponent < 0:
                    lowest[n, labels] = min(lowest.get((n, labels), 0), exponent)
        if not lowest:
            break
        scale = tuple((n, labels, plain(-e)) for (n, labels), e in lowest.items())
        poly = ring.again(poly, scale)
    return poly


def under_sums(ring: Products, poly: Poly) -> Poly:
    """Bring the terms of sums to common denominators, one denominator after the other."""
    done: set[int] = set()
    for _ in range(MOST_CLEARED):
        found = next((d for d in _denominators(ring, poly) if d[1][0] not in done), None)
        if found is None or not poly:
            break
        done.add(found[1][0])
        poly = _over(ring, poly, *found)
    return poly


def _denominators(ring: Products, poly: Poly) -> Iterator[tuple[Component, Factor]]:
    """Yield the denominators that stand under a sum, each with all that it stands with there."""
    for _, components in poly:
        for component in components:
            for n, labels, exponent in component[1]:
                whole = plain(exponent).denominator == 1
                if ring.atoms[n].kind == "sum" and exponent < 0 and whole and any(x >= 0 for x in labels):
                    yield component, (n, labels, exponent)


def _over(ring: Products, poly: Poly, beside: Component, below: Factor) -> Poly:
    """Return the polynomial with the highest power of a denominator below every term that has a place for it."""
    number = below[0]
    lowest = min(f[2] for _, components in poly for c in components for f in c[1] if f[0] == number)
    result: Poly = {}
    for mono, coef in poly.items():
        spot = _spot(ring, mono, beside, below)
        if spot is None:
            result[mono] = plain(result.get(mono, 0) + coef)
            continue
        which, at, there = spot
        missing = int(there - lowest)
        kept, components = mono
        sizes, members = components[which]
        bound = {x: size for x, size in enumerate(sizes)}
        names = {x: ring.fresh(size) for x, size in bound.items()}
        part = tuple((n, tuple(names.get(x, x) for x in labels), e) for n, labels, e in members)
        labels = tuple(names.get(x, x) for x in at)
        above = ring.product([ring.instance(ring.atoms[number], labels)[0]] * missing)
        rest: Monomial = (kept, (*components[:which], *components[which + 1 :]))
        for more, c in above.items():
            factors, inner = ring.opened(rest, {})
            new, own = ring.opened(more, {})
            every = [*factors, *part, *new, *([(number, labels, -missing)] if missing else [])]
            settled = {**inner, **own, **{names[x]: size for x, size in bound.items()}}
            ring.settle((plain(coef * c), every, settled), result)
    return pruned(result)


def _spot(ring: Products, mono: Monomial, beside: Component, below: Factor) -> tuple[int, Labels, Exponent] | None:
    """Return where a denominator belongs in a term: the number of a sum, its labels there, its exponent so far.

    It belongs where most of what it stands with elsewhere stands too.
    """
    number, at, _ = below
    sizes, members = beside
    own = sorted({x for x in at if x >= 0})
    company = [f for f in members if f[0] != number and {x for x in f[1] if x >= 0} <= set(own)]
    best: tuple[int, int, Labels, Exponent] | None = None
    for which, (theirs, factors) in enumerate(mono[1]):
        standing = {(n, labels): e for n, labels, e in factors}
        for chosen in permutations(range(len(theirs)), len(own)) if len(theirs) <= MOST_BOUND else ():
            if any(theirs[y] != sizes[x] for x, y in zip(own, chosen, strict=True)):
                continue
            names = dict(zip(own, chosen, strict=True))
            labels = _named(ring, number, at, names)
            there = standing.get((number, labels), 0)
            score = sum(_named(ring, n, ls, names) == ls2 for n, ls, _ in company for n2, ls2 in standing if n2 == n)
            score += 10 * (there != 0)
            if score and (best is None or score > best[0]):
                best = (score, which, labels, there)
    return None if best is None else best[1:]


def _named(ring: Products, number: int, labels: Labels, names: dict[int, int]) -> Labels:
    return least(tuple(names.get(x, x) for x in labels), ring.symmetries(number))
