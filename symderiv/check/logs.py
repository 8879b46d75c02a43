"""The logarithm turns products into sums.  Laws, for real numbers where the left side is defined:

* `log(c Π fᵉ) = log c + Σ e log f` for c > 0 and f ≥ 0: no f is 0, as the product is not. One f of which that is not
  known is positive all the same, as the product is and the others are, if e is odd or no integer.
* `log(f²ᵏ g) = 2k log|f| + log g`, and `log(exp(u)) = u`, `log(uᵖ) = p log u` and
  `log(Π_k u[k]) = Σ_k log(u[k])` for u ≥ 0.
"""

from __future__ import annotations

from fractions import Fraction

from symderiv.check.atoms import is_positive, magnitude, never_negative, one_factor, units
from symderiv.check.canonical import Exponent, Factor, Labels
from symderiv.check.orientation import scaled
from symderiv.check.powers import LARGEST_ROOT, primes_of
from symderiv.check.products import Atom, Poly, Products, add, number, slot

LOG = ("log", 0)


def logarithm(ring: Products, arg: Poly) -> Poly:
    """Return the logarithm of a polynomial, that of a product as a sum."""
    if not arg:
        return _opaque(ring, arg)
    ((mono, coef),) = (arg if len(arg) == 1 else ring.as_factor(arg)).items()
    parts: list[tuple[Exponent, Poly]] = []
    rest: list[tuple[Poly, Exponent, Poly]] = []
    for unit, f in units(mono):
        base, exponent = _base(ring, unit, f)
        if is_positive(ring, ring.atoms[f[0]]) if f is not None else never_negative(ring, unit):
            parts.append((exponent, _of_positive(ring, base, f)))
        elif exponent % 2 == 0:
            parts.append((exponent, _opaque(ring, magnitude(ring, base))))
        else:
            rest.append((base, exponent, unit))
    if len(rest) == 1 and (coef > 0 or Fraction(rest[0][1]).denominator == 1):
        base, exponent, _ = rest[0]
        parts.append((exponent, _opaque(ring, base if coef > 0 else scaled(-1, base))))
    elif rest:
        parts.append((1, _opaque(ring, ring.product([number(1 if coef > 0 else -1), *(u for _, _, u in rest)]))))
    elif coef < 0:  # of no real number
        return _opaque(ring, arg)
    return add([*parts, *_of_number(ring, abs(Fraction(coef)))])


def _base(ring: Products, unit: Poly, f: Factor | None) -> tuple[Poly, Exponent]:
    """Return what a factor of a product is a power of, a sum of terms as such."""
    if f is None:
        return unit, 1
    atom = ring.atoms[f[0]]
    return (ring.instance(atom, f[1])[0] if atom.kind == "sum" else one_factor(f)), f[2]


def _of_positive(ring: Products, base: Poly, f: Factor | None) -> Poly:
    atom = ring.atoms[f[0]] if f is not None else None
    if f is not None and atom is not None and atom.kind == "exp":
        return ring.instance(atom, f[1])[0]
    if f is not None and atom is not None and atom.kind == "prod":
        return _along(ring, atom, f[1])
    if f is not None and atom is not None and atom.kind == "power":
        below, exponent = ring.instance(atom, f[1])
        return ring.product([exponent, logarithm(ring, below)])
    return _opaque(ring, base)


def _along(ring: Products, atom: Atom, labels: Labels) -> Poly:
    """Return `log(Π_k u[k]) = Σ_k log(u[k])`."""
    _, over, ranges = atom.data
    bound = {k: ring.fresh(size) for k, size in zip(over, ranges, strict=True)}
    rows = iter(labels)
    at = [bound[k] if k in bound else next(rows) for k in range(len(labels) + len(over))]
    inner = ring.relabelled(atom.inside[0], {slot(k): x for k, x in enumerate(at)})
    return ring.product([logarithm(ring, inner)], list(bound.values()))


def _opaque(ring: Products, arg: Poly) -> Poly:
    return ring.function("apply", LOG, [arg])


def _of_number(ring: Products, value: Fraction) -> list[tuple[Exponent, Poly]]:
    """Return log of a positive number by those of primes."""
    found: list[tuple[Exponent, Poly]] = []
    for whole, side in ((value.numerator, 1), (value.denominator, -1)):
        primes = primes_of(whole) if whole <= LARGEST_ROOT else [whole]
        found += [(side, _opaque(ring, number(p))) for p in primes]
    return found
