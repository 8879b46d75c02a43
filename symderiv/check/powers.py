"""Powers of polynomials, and the laws between the factors of a product.

* `b^(Σ c m) = Π (b^m)ᶜ` for a base where these powers are defined; `(f g)ᵖ = fᵖ gᵖ` and `(f^q)ᵖ = f^(q p)` for f ≥ 0.
* `(c f)ᵖ = cᵖ fᵖ` for c ≥ 0 and any p, and for any c where p is an integer; `(f²ᵏ)ᵖ = |f|^(2kp)`.
* `|f|² = f²`; `sign(f) f = |f|`, `sign(f) |f| = f`: f is the sign times the size, also at 0; `|f| f⁻¹ = sign(f)`.
* What is divided by is not 0: beside f⁻ᵏ `sign(f)² = 1`, and `sign(f) = 1` where f ≥ 0 is known.
* `sin(u)² = 1 − cos(u)²`, where the ring asks for it.
* `y² = y` for an entry that is declared to be 0 or 1, `y² = 1` for one that is 1 or −1, as `(−1)ⁿ` is.
"""

from __future__ import annotations

from fractions import Fraction
from math import floor

from symderiv.check.atoms import (
    apply,
    exponential,
    indicator,
    is_positive,
    is_sign,
    magnitude,
    never_negative,
    one_factor,
    raised,
    sign,
    units,
)
from symderiv.check.canonical import UNIT, Exponent, Factor, Labels, Monomial
from symderiv.check.orientation import content_of, oriented, scaled, size_of
from symderiv.check.products import (
    MOST_POWER,
    ONE,
    Atom,
    Poly,
    Products,
    Work,
    add,
    constant,
    factor,
    number,
    plain,
)
from symderiv.check.terms import require

LARGEST_ROOT = 10**6
BINARY = frozenset({"binary", "one_hot_rows"})


def general_power(ring: Products, base: Poly, exponent: Poly) -> Poly:
    """Return `base^(Σ c m) = Π (base^m)ᶜ`."""
    value = constant(exponent)
    if value is not None:
        return power(ring, base, value)
    if base == ONE:
        return ONE
    require(base, "a power of 0 whose exponent varies")
    parts = []
    for mono, coef in exponent.items():
        if mono == UNIT:
            parts.append(power(ring, base, coef))
        elif _is_whole(ring, mono, coef) and len(base) == 1 and not next(iter(base))[1]:
            ((inner, c),) = base.items()
            parts.append(raised(ring.function("power", "", [number(c), {mono: 1}]), coef) if c != 1 else ONE)
            for _, f in units(inner):
                assert f is not None
                parts.append(raised(ring.function("power", "", [one_factor(f), {mono: 1}]), coef * f[2]))
        elif len(base) == 1:
            parts += _of_product(ring, base, mono, coef)
        else:
            parts.append(raised(ring.function("power", "", [base, {mono: 1}]), coef))
    return ring.product(parts)


def _of_product(ring: Products, base: Poly, mono: Monomial, coef: Exponent) -> list[Poly]:
    """Return the factors of `(c f g)^(coef m)`: what is at least 0 by itself, the rest together."""
    ((inner, c),) = base.items()
    parts: list[Poly] = []
    bases = [number(c)] if c > 0 and c != 1 else []
    rest = [number(c) if c < 0 else ONE]
    for unit, f in units(inner):
        if f is None:
            (bases if never_negative(ring, unit) else rest).append(unit)
        elif is_positive(ring, ring.atoms[f[0]]) or f[2] % 2 == 0:
            parts.append(_never_negative_power(ring, f, {mono: plain(coef * f[2])}))
        else:
            rest.append(unit)
    together = ring.product(rest)
    bases += [together] if together != ONE else []
    return [*parts, *(raised(ring.function("power", "", [b, {mono: 1}]), coef) for b in bases)]


def _never_negative_power(ring: Products, f: Factor, exponent: Poly) -> Poly:
    """Return `f^p` for f ≥ 0, or |f|^p."""
    atom = ring.atoms[f[0]]
    inside = ring.instance(atom, f[1])
    if atom.kind == "power" and is_positive(ring, atom):
        return general_power(ring, inside[0], ring.product([inside[1], exponent]))
    if atom.kind == "exp":
        return exponential(ring, ring.product([inside[0], exponent]))
    base = inside[0] if atom.kind == "sum" else one_factor(f)
    ((mono, coef),) = exponent.items()
    return raised(ring.function("power", "", [magnitude(ring, base), {mono: 1}]), coef)


def _is_whole(ring: Products, mono: Monomial, coef: Exponent) -> bool:
    """Tell whether an exponent is a product of sizes, hence an integer."""
    fixed, components = mono
    whole = all(ring.atoms[n].kind == "size" and e > 0 and Fraction(e).denominator == 1 for n, _, e in fixed)
    return whole and not components and Fraction(coef).denominator == 1


def power(ring: Products, base: Poly, exponent: Exponent) -> Poly:
    """Return `base^exponent` for a rational exponent."""
    exponent = plain(exponent)
    if exponent == 0:
        return ONE
    if exponent == 1:
        return base
    if not base:
        require(exponent > 0, "division by 0")
        return {}
    whole = isinstance(exponent, int)
    if whole and 0 < exponent <= MOST_POWER:
        return ring.product([base] * int(exponent))
    if len(base) > 1:
        if whole:
            content, outside, inner = primitive(ring, base)
        else:
            content, outside, inner = primitive(ring, base, positive=True)
        parts = [number_power(ring, content, exponent), _each_raised(ring, outside, exponent)]
        left = raised(ring.function("sum", "", [inner]), exponent) if len(inner) > 1 else power(ring, inner, exponent)
        return ring.product([*parts, left])
    ((mono, coef),) = base.items()
    return _whole_power(ring, mono, coef, exponent) if whole else _root(ring, mono, coef, exponent)


def _whole_power(ring: Products, mono: Monomial, coef: Exponent, exponent: Exponent) -> Poly:
    parts = [number_power(ring, coef, exponent)]
    for unit, f in units(mono):
        if f is not None:
            require(exponent > 0 or ring.atoms[f[0]] is not ring.delta, "division by an identity matrix")
            parts.append({(((f[0], f[1], plain(f[2] * exponent)),), ()): 1})
        else:
            parts.append(raised(ring.function("sum", "", [unit]), exponent))
    return ring.product(parts)


def _root(ring: Products, mono: Monomial, coef: Exponent, exponent: Exponent) -> Poly:
    parts = [number_power(ring, size_of(coef), exponent)]
    inside: list[tuple[Poly, Factor | None]] = []
    for unit, f in units(mono):
        if f is not None and is_positive(ring, ring.atoms[f[0]]):
            parts.append({(((f[0], f[1], plain(f[2] * exponent)),), ()): 1})
        elif f is None and coef > 0 and never_negative(ring, unit):
            parts.append(raised(ring.function("sum", "", [unit]), exponent))
        else:
            inside.append((unit, f))
    require(inside or coef > 0, "a root of a negative number")
    single = inside[0][1] if len(inside) == 1 and coef > 0 else None
    if single is not None and single[2] == 1:
        parts.append(raised(inside[0][0], exponent))
    elif single is not None and single[2] % 2 == 0:
        parts.append(power(ring, magnitude(ring, one_factor(single)), plain(single[2] * exponent)))
    elif inside:
        rest = ring.product([number(1 if coef > 0 else -1), *(u for u, _ in inside)])
        parts.append(raised(ring.function("sum", "", [rest]), exponent))
    return ring.product(parts)


def as_factor(ring: Products, poly: Poly) -> Poly:
    """Return a sum of terms as its content times its common factors times an atom of kind "sum"."""
    content, (outside, _), inner = primitive(ring, poly)
    if len(inner) < 2:
        return ring.product([{(outside, ()): content}, inner])
    (((((atom, labels, _),), _), _),) = ring.function("sum", "", [inner]).items()
    return {(tuple(sorted([*outside, (atom, labels, 1)])), ()): content}


def _each_raised(ring: Products, mono: Monomial, exponent: Exponent) -> Poly:
    return {(tuple((n, labels, plain(e * exponent)) for n, labels, e in mono[0]), ()): 1}


def number_power(ring: Products, value: Exponent, exponent: Exponent) -> Poly:
    """Return a power of a number; roots that are not rational are products of roots of primes."""
    exponent = plain(exponent)
    if value == 1:
        return ONE
    if isinstance(exponent, int):
        return number(Fraction(value) ** exponent)
    require(value > 0, "a root of a negative number")
    value = Fraction(value)
    parts: list[Poly] = []
    for whole, side in ((value.numerator, 1), (value.denominator, -1)):
        require(whole <= LARGEST_ROOT, "a root of a large number")
        for prime in primes_of(whole):
            parts.append(factor(ring.atom("number", prime), (), side * exponent))
    return ring.product(parts)


def primes_of(whole: int) -> list[int]:
    """Return the prime factors of a positive integer."""
    found, p = [], 2
    while whole > 1:
        while whole % p == 0:
            found.append(p)
            whole //= p
        p = p + 1 if p * p <= whole else max(whole, p + 1)
    return found


def primitive(ring: Products, poly: Poly, positive: bool = False) -> tuple[Exponent, Monomial, Poly]:
    """Return content, common factors and rest of a sum of terms.

    With `positive`, only what is positive is taken out, so that a root of the product is that of its parts.
    """
    lowest: dict[tuple[int, Labels], Exponent] = {}
    for k, (fixed, _) in enumerate(poly):
        here = {(n, labels): e for n, labels, e in fixed}
        for key in {*lowest, *here} if k == 0 or lowest else here:
            lowest[key] = min(lowest.get(key, 0 if k else here[key]), here.get(key, 0))
    for n, labels in list(lowest):
        atom = ring.atoms[n]
        if lowest[n, labels] == 0 or atom is ring.delta or (positive and not is_positive(ring, atom)):
            del lowest[n, labels]
    outside = (tuple((n, labels, e) for (n, labels), e in lowest.items()), ())
    if lowest:
        poly = ring.again(poly, [(n, labels, plain(-e)) for n, labels, e in outside[0]])
    if not poly:
        return 1, UNIT, poly
    if positive:
        content = content_of(poly)
        return content, outside, scaled(1 / Fraction(content), poly)
    content, inner = oriented(ring, poly)
    return content, outside, inner


# ---------------------------------------------------------------- laws between factors


def simplified(ring: Products, work: Work) -> bool:
    """Apply one of the laws of numbers, indicators, sizes and signs to the factors of a product."""
    for (n, labels), e in work.powers.items():
        atom = ring.atoms[n]
        match atom.kind:
            case "number" if e >= 1 or e < 0:
                whole = floor(e)
                del work.powers[n, labels]
                work.coef = plain(work.coef * Fraction(atom.data) ** whole)
                work.multiply(n, labels, e - whole)
                return True
            case "indicator" if e not in (1, -1):  # divided by, it is 1: elsewhere nothing is defined
                work.powers[n, labels] = 1 if e > 0 else -1
                return True
            case "abs" if isinstance(e, int) and e != 1:
                del work.powers[n, labels]
                work.extra.append(power(ring, ring.instance(atom, labels)[0], e - e % 2))
                work.multiply(n, labels, e % 2)
                return True
            case "abs" if e == 1 and _over_itself(ring, work, atom, labels):
                return True
            case "head" | "det" if isinstance(e, int) and (told := _told_exponent(ring, atom, e)) != e:
                work.multiply(n, labels, told - e)
                return True
            case "power" if e not in (0, 1) and isinstance(e, int) and _is_parity(ring, atom):
                work.multiply(n, labels, e % 2 - e)
                return True
            case "apply" if e >= 2 and ring.by_exp and atom.data[0] == ("sin", 0) and isinstance(e, int):
                work.multiply(n, labels, -2)
                cosine = ring.function("apply", ("cos", 0), ring.instance(atom, labels))
                work.extra.append(add([(1, ONE), (-1, power(ring, cosine, 2))]))
                return True
            case "sign" if e >= 1 and (_signed(ring, work, atom, labels) or _beside(ring, work, atom, labels)):
                return True
    return False


def _told_exponent(ring: Products, atom: Atom, exponent: int) -> int:
    """Return the exponent that tells a power of what is 0 or 1, or of what is 1 or −1."""
    if is_sign(ring, atom):
        return exponent % 2
    if ring.declared(atom, BINARY):
        return 1 if exponent > 0 else -1  # divided by, it is 1
    return exponent


def _signed(ring: Products, work: Work, atom: Atom, labels: Labels) -> bool:
    """`sign(f) f = |f|` and `sign(f) |f| = f`."""
    inner = ring.instance(atom, labels)[0]
    size = magnitude(ring, inner)
    for known, new in ((inner, size), (size, inner)):
        single = one_atom(known)
        if single is not None and work.powers.get(single, 0) >= 1:
            work.multiply(*single, -1)
            work.multiply(atom.number, labels, -1)
            work.extra.append(new)
            return True
    return False


def _beside(ring: Products, work: Work, atom: Atom, labels: Labels) -> bool:
    """`sign(f)² f⁻ᵏ = f⁻ᵏ`, and `sign(f) f⁻ᵏ = f⁻ᵏ` for f ≥ 0."""
    inner, exponent = ring.instance(atom, labels)[0], work.powers[atom.number, labels]
    left = 0 if never_negative(ring, inner) else exponent % 2
    below = _as_one(ring, inner) if left != exponent else None
    if below is None or work.powers.get(below, 0) >= 0:
        return False
    work.multiply(atom.number, labels, left - exponent)
    return True


def _as_one(ring: Products, poly: Poly) -> tuple[int, Labels] | None:
    """Return atom and labels of a polynomial where it is one factor of a product, a sum of terms as an atom."""
    return one_atom(poly if len(poly) == 1 else ring.function("sum", "", [poly]))


def _is_parity(ring: Products, atom: Atom) -> bool:
    """Tell whether an atom is `(−1)ⁿ` for an integer n, hence 1 or −1."""
    base, exponent = atom.inside
    return constant(base) == -1 and all(_is_whole(ring, mono, coef) for mono, coef in exponent.items())


def _over_itself(ring: Products, work: Work, atom: Atom, labels: Labels) -> bool:
    """`|f| f⁻¹ = sign(f)`."""
    inner = ring.instance(atom, labels)[0]
    below = _as_one(ring, inner)
    if below is None or work.powers.get(below, 0) > -1:
        return False
    work.multiply(*below, 1)
    work.multiply(atom.number, labels, -1)
    work.extra.append(sign(ring, inner))
    return True


def one_atom(poly: Poly) -> tuple[int, Labels] | None:
    """Return atom and labels where a polynomial is one atom, not summed."""
    if len(poly) != 1:
        return None
    (((fixed, components), coef),) = poly.items()
    return fixed[0][:2] if len(fixed) == 1 and not components and coef == 1 and fixed[0][2] == 1 else None


def rebuilt(ring: Products, atom: Atom, labels: Labels, exponent: Exponent) -> Poly | None:
    """Return a power of a function two of whose labels fell together, built anew."""
    inside = ring.instance(atom, labels)
    match atom.kind:
        case "sum":
            whole = inside[0]
        case "apply":
            name, order = atom.data[0]
            whole = apply(ring, name, order, inside[0])
        case "exp":
            whole = exponential(ring, inside[0])
        case "abs":
            whole = magnitude(ring, inside[0])
        case "sign":
            whole = sign(ring, inside[0])
        case "indicator":
            whole = indicator(ring, inside[0])
        case "power":
            whole = general_power(ring, inside[0], inside[1])
        case _:
            return None
    return power(ring, whole, exponent)
