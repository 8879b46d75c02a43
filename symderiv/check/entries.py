"""Laws of products of entries: Π of all, and P_J of all but those at J = {j₁, …, jₘ}, 0 where two of these are equal.

* `P_J u[jₙ] = P_{J∖jₙ} (1 − Σ_{l≠n} δ[jₗ, jₙ])`, and so `P_j u[j] = Π`.
* `Π u[k]⁻¹ = P_k` and `P_J u[k]⁻¹ = P_{J∪k} + Σ_n δ[k, jₙ] P_J u[k]⁻¹`: what is divided by is not 0.
* `P_j Π⁻ᵏ = u[j]⁻¹ Π^(1−k)`, and `P_{j₁ j₂} Π⁻ᵏ = (1 − δ[j₁, j₂]) u[j₁]⁻¹ u[j₂]⁻¹ Π^(1−k)`: where Π is not 0, no
  entry is.

Where u is greater than 0, P_j is written as `Π u[j]⁻¹` from the start.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from itertools import permutations
from typing import Any

from symderiv.check.atoms import one_positive
from symderiv.check.cancel import matches
from symderiv.check.canonical import Exponent, Factor, Labels
from symderiv.check.products import ONE, Atom, Poly, Powers, Product, Products, Work, add, factor, plain, slot
from symderiv.check.terms import RefusedError

MOST_LEFT_OUT = 4
MOST_AXES = 4


@dataclass(frozen=True)
class Held:
    """A power of Π or P_J among the factors of a product."""

    atom: Atom
    labels: Labels
    exponent: Exponent

    @property
    def inner(self) -> Poly:
        """Return u at slots."""
        return self.atom.inside[0]

    @property
    def name(self) -> Any:
        """Return what tells u: its normal form, the slots that the product runs over, their ranges."""
        return self.atom.data if self.atom.kind == "prod" else self.atom.data[0]

    @property
    def over(self) -> Labels:
        """Return the slots of u that the product runs over."""
        slots: Labels = self.name[1]
        return slots

    @property
    def rank(self) -> int:
        """Return the number of slots of u."""
        return len(self.labels) + len(self.over) if self.atom.kind == "prod" else self.atom.data[1]

    @cached_property
    def rows(self) -> dict[int, int]:
        """Return the labels at the other slots."""
        stays = [k for k in range(self.rank) if k not in self.over]
        at = self.labels if self.atom.kind == "prod" else [self.labels[k] for k in stays]
        return {slot(k): x for k, x in zip(stays, at, strict=True)}

    @cached_property
    def places(self) -> list[Labels]:
        """Return j₁ … jₘ."""
        if self.atom.kind == "prod":
            return []
        later, width = self.labels[self.rank :], len(self.over)
        return [tuple(self.labels[k] for k in self.over), *(later[k : k + width] for k in range(0, len(later), width))]

    def names(self, place: Labels) -> dict[int, int]:
        """Return the labels at all slots, those of u at a place."""
        return {**self.rows, **{slot(k): x for k, x in zip(self.over, place, strict=True)}}

    def leaving(self, ring: Products, places: Sequence[Labels]) -> list[Factor]:
        """Return the product of all entries but those at some places."""
        atom = atom_of(ring, self.name, self.inner, self.rank, len(places))
        if not places:
            return _factors(factor(atom, tuple(self.rows.values())))
        first = self.names(places[0])
        labels = (*(first[slot(k)] for k in range(self.rank)), *(x for j in places[1:] for x in j))
        return _factors(factor(atom, labels))


def atom_of(ring: Products, name: Any, inner: Poly, rank: int, count: int) -> Atom:
    """Return the atom of the product that leaves out `count` entries; their places come in no order."""
    over: Labels = name[1]
    same = tuple(range(rank))
    turns = [q for q in permutations(same) if _stays(ring, inner, q, over)] if rank <= MOST_AXES else [same]
    if not count:
        kept = [k for k in same if k not in over]
        return ring.atom("prod", name, (inner,), tuple(sorted({tuple(kept.index(q[k]) for k in kept) for q in turns})))
    slots = [*((0, k) for k in same), *((n, k) for n in range(1, count) for k in over)]
    moved = (
        [(turn[n] if k in over else n, q[k]) for n, k in slots] for q in turns for turn in permutations(range(count))
    )
    symmetries = {tuple(slots.index(key) for key in other) for other in moved}
    return ring.atom("prodexcept", (name, rank, count), (inner,), tuple(sorted(symmetries)))


def _stays(ring: Products, inner: Poly, order: Labels, over: Labels) -> bool:
    """Tell whether u is the same with its slots in another order."""
    along = {order[k] for k in over} == set(over)
    return along and ring.relabelled(inner, {slot(k): slot(x) for k, x in enumerate(order)}) == inner


# ---------------------------------------------------------------- the laws


def simplified(ring: Products, work: Work) -> bool:
    """Replace `P_J Π⁻ᵏ`, for one or two places; tell whether it stood there."""
    found = _held(ring, work)
    for below in found:
        for above in found:
            apart = above.atom.kind != "prodexcept" or len(above.places) > 2 or above.exponent < 0
            if apart or below.atom.kind != "prod" or below.exponent > 0:
                continue
            if above.name != below.name or above.rows != below.rows:
                continue
            work.multiply(above.atom.number, above.labels, -1)
            work.multiply(below.atom.number, below.labels, 1)
            work.extra += [ring.power(ring.relabelled(above.inner, above.names(j)), -1) for j in above.places]
            if len(above.places) == 2:
                equal = ring.product([{(tuple(_equal(ring, *above.places)), ()): 1}])
                work.extra.append(add([(1, ONE), (-1, equal)]))
            return True
    return False


def replaced(ring: Products, work: Work) -> list[Product] | None:
    """Return the products that a product is the sum of where u[j] or u[j]⁻¹ stands beside P_J or Π."""
    for held in _held(ring, work):
        if held.exponent > 0:
            products = _taken_in(ring, work, held) or _divided(ring, work, held)
            if products is not None:
                return products
    return None


def _held(ring: Products, work: Work) -> list[Held]:
    """Return the whole powers of Π and P_J among the factors of a product, u not being known to be positive."""
    return [
        Held(ring.atoms[n], labels, e)
        for (n, labels), e in work.powers.items()
        if ring.atoms[n].kind in ("prod", "prodexcept")
        and Fraction(e).denominator == 1
        and not one_positive(ring, ring.atoms[n].inside[0])
    ]


def _taken_in(ring: Products, work: Work, held: Held) -> list[Product] | None:
    """`P_J u[jₙ] = P_{J∖jₙ} (1 − Σ_{l≠n} δ[jₗ, jₙ])`."""
    for place in held.places:
        for _, coef, used in _standing(ring, work, held, held.names(place), 1):
            others = [j for j in held.places if j is not place]
            rest = [*_without(work, held, used), *held.leaving(ring, others)]
            twice = [_product(ring, work, -coef, [*rest, *_equal(ring, j, place)]) for j in others]
            return [_product(ring, work, coef, rest), *twice]
    return None


def _divided(ring: Products, work: Work, held: Held) -> list[Product] | None:
    """`P_J u[k]⁻¹ = P_{J∪k} + Σ_n δ[k, jₙ] P_J u[k]⁻¹`."""
    if len(held.places) == MOST_LEFT_OUT:
        return None
    for names, coef, used in _standing(ring, work, held, held.rows, -1):
        place = tuple(names[slot(k)] for k in held.over if slot(k) in names)
        if len(place) == len(held.over) and place not in held.places:
            rest = _without(work, held, used)
            here = [*rest, *used, (held.atom.number, held.labels, 1)]
            twice = [_product(ring, work, 1, [*here, *_equal(ring, j, place)]) for j in held.places]
            return [_product(ring, work, coef, [*rest, *held.leaving(ring, [*held.places, place])]), *twice]
    return None


# ---------------------------------------------------------------- factors


def _standing(
    ring: Products, work: Work, held: Held, names: dict[int, int], exponent: int
) -> Iterator[tuple[dict[int, int], Exponent, list[Factor]]]:
    """Yield where u, or u⁻¹, stands among the factors, as `c` times some of them: names of slots, c, those factors."""
    try:
        whole = ring.power(held.inner, exponent)
    except RefusedError:
        return
    if len(whole) == 1:
        (((fixed, components), coef),) = whole.items()
        pool = [(n, at, e) for (n, at), e in work.powers.items()]
        for found, used in matches(ring, list(fixed), names, pool) if fixed and not components else ():
            yield found, plain(1 / Fraction(coef)), [(n, at, e) for (n, at, _), e in used]


def _without(work: Work, held: Held, used: list[Factor]) -> list[Factor]:
    """Return the factors without one Π or P_J and without some others."""
    powers: Powers = dict(work.powers)
    for n, labels, exponent in [(held.atom.number, held.labels, 1), *used]:
        powers[n, labels] = plain(powers[n, labels] - exponent)
    return [(n, labels, e) for (n, labels), e in powers.items() if e != 0]


def _product(ring: Products, work: Work, coef: Exponent, factors: list[Factor]) -> Product:
    tied = [f for f in work.factors() if f[0] == ring.delta.number]
    return plain(work.coef * coef), [*factors, *tied], dict(work.bound)


def _equal(ring: Products, one: Labels, other: Labels) -> list[Factor]:
    return [(ring.delta.number, pair, 1) for pair in zip(one, other, strict=True)]


def _factors(single: Poly) -> list[Factor]:
    (((fixed, _), _),) = single.items()
    return list(fixed)
