"""Scalar functions of polynomials, and the laws they obey, each with its reason.

* `exp(Σ c m) = Π exp(m)ᶜ`: exp turns sums into products, and `exp(c m) = exp(m)ᶜ`; `exp(u log p) = pᵘ`.
* `sigmoid(u) = 1/(1 + exp(−u))`, `tanh(u) = 1 − 2/(1 + exp(2u))` and the like are put in where the ring asks for it;
  so are `tan(u) = sin(u)/cos(u)`, `sin(u + v) = sin(u) cos(v) + cos(u) sin(v)`,
  `cos(u + v) = cos(u) cos(v) − sin(u) sin(v)` and, for s = ±1, `exp(s u) = ½ (1 + s) exp(u) + ½ (1 − s) exp(−u)`.
* `|Π f| = Π |f|`, and `sign` likewise; `|−f| = |f|`, `sign(−f) = −sign(f)`.
* `|f| = f` where f ≥ 0 is known, `sign(f) = 1 = [f > 0]` where f > 0 is, and `[−f > 0] = 0` where f ≥ 0 is.
* `yes` where `a ⋈ b`, else `no`, is `no + [a ⋈ b] (yes − no)` with the indicator 0 or 1;
  `[a ≥ b] = 1 − [b > a]`.
* `max(a, b) = (a + b + |a − b|)/2`, `min(a, b) = (a + b − |a − b|)/2`: look at either order of a and b.
* Values at numbers where they are rational: `exp(0) = 1`, `log(1) = 0`, ….
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction

from symderiv.check import steps
from symderiv.check.canonical import Exponent, Factor, Monomial
from symderiv.check.orientation import content_of, oriented, scaled, size_of
from symderiv.check.products import ONE, Atom, Poly, Products, add, constant, number, plain

HALF = Fraction(1, 2)
MOST_TURNS = 8
AT_NUMBERS: dict[tuple[str, Exponent], int] = {
    ("exp", 0): 1, ("log", 1): 0, ("log1p", 0): 0, ("expm1", 0): 0, ("sin", 0): 0, ("cos", 0): 1,
    ("tan", 0): 0, ("arcsin", 0): 0, ("arctan", 0): 0, ("sinh", 0): 0, ("cosh", 0): 1, ("tanh", 0): 0,
}  # fmt: skip
POSITIVE_FUNCTIONS = frozenset({"exp", "cosh", "sigmoid", "softplus"})
POSITIVE = frozenset({"positive"})
NEVER_NEGATIVE = frozenset({"positive", "probability", "simplex", "simplex_rows", "counts", "binary", "one_hot_rows"})
SIGNS = frozenset({"signs"})
ORTHOGONAL = frozenset({"orthogonal"})


# ---------------------------------------------------------------- functions


def apply(ring: Products, name: str, order: int, arg: Poly) -> Poly:
    """Return `f(arg)`, or a derivative of an unknown f at arg."""
    value = constant(arg)
    if order == 0:
        if value is not None and (name, value) in AT_NUMBERS:
            return number(AT_NUMBERS[name, value])
        if name == "exp":
            return exponential(ring, arg)
        if name == "log":
            return ring.logarithm(arg)
        if ring.by_exp and name in BY_EXP:
            return BY_EXP[name](ring, arg)
        if name == "abs":
            return magnitude(ring, arg)
        if name == "sign":
            return sign(ring, arg)
        if name == "relu":  # by its definition, [f > 0] f
            return ring.product([indicator(ring, arg), arg])
    return ring.function("apply", (name, order), [arg])


def exponential(ring: Products, arg: Poly) -> Poly:
    """Return `exp(Σ c m) = Π exp(m)ᶜ`."""
    return ring.product([_exp_of(ring, m, c) for m, c in arg.items()])


def _is_log(atom: Atom) -> bool:
    return atom.kind == "apply" and bool(atom.data[0] == ("log", 0))


def _exp_of(ring: Products, mono: Monomial, coef: Exponent) -> Poly:
    """Return `exp(c m) = exp(m)ᶜ`, which is `p^(c u)` where m is `u log p`."""
    fixed, components = mono
    side = next((f for f in fixed if f[2] == 1 and is_sign(ring, ring.atoms[f[0]])), None) if ring.by_exp else None
    if side is not None:
        rest: Monomial = (tuple(f for f in fixed if f != side), components)
        above, below = (exponential(ring, {rest: c}) for c in (coef, -coef))
        sign = one_factor(side)
        halves = (ring.product([sign, add([(HALF, above), (-HALF, below)])]), add([(HALF, above), (HALF, below)]))
        return add((1, half) for half in halves)
    log = next((f for f in fixed if f[2] == 1 and _is_log(ring.atoms[f[0]])), None)
    if log is not None:
        inner = ring.instance(ring.atoms[log[0]], log[1])[0]
        return ring.general_power(inner, {(tuple(f for f in fixed if f != log), components): coef})
    return raised(ring.function("exp", "", [{mono: 1}]), coef)


# ---------------------------------------------------------------- by exponentials


def _sigmoid(ring: Products, u: Poly) -> Poly:
    return ring.power(add([(1, ONE), (1, exponential(ring, scaled(-1, u)))]), -1)


def _tanh(ring: Products, u: Poly) -> Poly:
    below = ring.power(add([(1, ONE), (1, exponential(ring, scaled(2, u)))]), -1)
    return add([(1, ONE), (-2, below)])


def _hyperbolic(side: int) -> Callable[[Products, Poly], Poly]:
    """`cosh(u)` and `sinh(u)` are half the sum and half the difference of exp(u) and exp(−u)."""
    return lambda ring, u: add([(HALF, exponential(ring, u)), (side * HALF, exponential(ring, scaled(-1, u)))])


def _softplus(ring: Products, u: Poly) -> Poly:
    return apply(ring, "log", 0, add([(1, ONE), (1, exponential(ring, u))]))


def _log1p(ring: Products, u: Poly) -> Poly:
    return apply(ring, "log", 0, add([(1, ONE), (1, u)]))


def _turned(ring: Products, u: Poly) -> tuple[Poly, Poly]:
    """Return cos(u) and sin(u) by those of the terms of u, and of what a term is a whole multiple of."""
    if sum(size_of(c) for c in u.values()) > MOST_TURNS:
        return ring.function("apply", ("cos", 0), [u]), ring.function("apply", ("sin", 0), [u])
    cosine: Poly = ONE
    sine: Poly = {}
    for mono, coef in u.items():
        whole = isinstance(coef, int)
        for _ in range(abs(int(coef)) if whole else 1):
            once: Poly = {mono: 1 if whole else size_of(coef)}
            c, s = (ring.function("apply", (name, 0), [once]) for name in ("cos", "sin"))
            s = s if coef > 0 else scaled(-1, s)
            cosine, sine = (
                add([(1, ring.product([cosine, c])), (-1, ring.product([sine, s]))]),
                add([(1, ring.product([sine, c])), (1, ring.product([cosine, s]))]),
            )
    return cosine, sine


def _tan(ring: Products, u: Poly) -> Poly:
    cosine, sine = _turned(ring, u)
    return ring.product([sine, ring.power(cosine, -1)])


BY_EXP: dict[str, Callable[[Products, Poly], Poly]] = {
    "sigmoid": _sigmoid,
    "tanh": _tanh,
    "cosh": _hyperbolic(1),
    "sinh": _hyperbolic(-1),
    "softplus": _softplus,
    "log1p": _log1p,
    "expm1": lambda ring, u: add([(1, exponential(ring, u)), (-1, ONE)]),
    "sin": lambda ring, u: _turned(ring, u)[1],
    "cos": lambda ring, u: _turned(ring, u)[0],
    "tan": _tan,
}


def raised(poly: Poly, exponent: Exponent) -> Poly:
    """Return a power of a single atom."""
    (((((atom, labels, _),), _), _),) = poly.items()
    return {(((atom, labels, plain(exponent)),), ()): 1}


def magnitude(ring: Products, arg: Poly) -> Poly:
    """Return `|arg|`."""
    value = constant(arg)
    if value is not None:
        return number(size_of(value))
    if never_negative(ring, arg):
        return arg
    by_steps = steps.sign(ring, arg) if ring.stepped else None
    if by_steps is not None:
        return ring.product([arg, by_steps])
    if len(arg) > 1:
        content, inner = oriented(ring, arg)
        whole = inner if never_negative(ring, inner) else ring.function("abs", "", [inner])
        return scaled(size_of(content), whole)
    ((mono, coef),) = arg.items()
    parts = [number(size_of(coef))]
    for unit, f in units(mono):
        if f is None:
            parts.append(unit if never_negative(ring, unit) else ring.function("abs", "", [unit]))
        elif f[2] % 2 == 0 or Fraction(f[2]).denominator != 1 or is_positive(ring, ring.atoms[f[0]]):
            parts.append(unit)
        elif not is_sign(ring, ring.atoms[f[0]]):
            parts.append(raised(ring.function("abs", "", [one_factor(f)]), f[2]))
    return ring.product(parts)


def sign(ring: Products, arg: Poly) -> Poly:
    """Return the sign of arg: 1, 0 or −1."""
    value = constant(arg)
    if value is not None:
        return number((value > 0) - (value < 0))
    if always_positive(ring, arg):
        return ONE
    by_steps = steps.sign(ring, arg) if ring.stepped else None
    if by_steps is not None:
        return by_steps
    if len(arg) > 1:
        content, inner = oriented(ring, arg)
        whole = ONE if always_positive(ring, inner) else ring.function("sign", "", [inner])
        return scaled(1 if content > 0 else -1, whole)
    ((mono, coef),) = arg.items()
    parts = [number(1 if coef > 0 else -1)]
    for unit, f in units(mono):
        if f is None:
            parts.append(ONE if always_positive(ring, unit) else ring.function("sign", "", [unit]))
        elif ring.atoms[f[0]] is ring.delta or is_sign(ring, ring.atoms[f[0]]):
            parts.append(unit)
        elif not is_positive(ring, ring.atoms[f[0]], strictly=True):
            times = 2 if f[2] % 2 == 0 else 1
            parts.append(raised(ring.function("sign", "", [one_factor(f)]), times))
    return ring.product(parts)


def choice(ring: Products, relation: str, parts: Sequence[Poly]) -> Poly:
    """Return `no + [left ⋈ right] (yes − no)`."""
    left, right, yes, no = parts
    if yes == no:
        return yes
    difference = add([(1, left), (-1, right)]) if relation[0] == ">" else add([(1, right), (-1, left)])
    if relation in ("<=", ">="):
        yes, no, difference = no, yes, scaled(-1, difference)
    return add([(1, no), (1, ring.product([indicator(ring, difference), add([(1, yes), (-1, no)])]))])


def indicator(ring: Products, arg: Poly) -> Poly:
    """Return `[arg > 0]`."""
    value = constant(arg)
    if value is not None:
        return number(int(value > 0))
    if always_positive(ring, arg):
        return ONE
    if never_negative(ring, scaled(-1, arg)):
        return {}
    by_steps = steps.sign(ring, arg) if ring.stepped else None
    if by_steps is not None:  # (s + s²)/2 is 1 where s is 1, else 0
        return add([(HALF, by_steps), (HALF, ring.product([by_steps, by_steps]))])
    return ring.function("indicator", "", [scaled(1 / Fraction(content_of(arg)), arg)])


def extreme(ring: Products, kind: str, parts: Sequence[Poly]) -> Poly:
    """Return `(a + b ± |a − b|)/2`."""
    a, b = parts
    side = HALF if kind == "maximum" else -HALF
    return add([(HALF, a), (HALF, b), (side, magnitude(ring, add([(1, a), (-1, b)])))])


# ---------------------------------------------------------------- parts and signs


def units(mono: Monomial) -> list[tuple[Poly, Factor | None]]:
    """Return the factors of a monomial as polynomials: each power of an atom, each connected sum."""
    fixed, components = mono
    result: list[tuple[Poly, Factor | None]] = [({((f,), ()): 1}, f) for f in fixed]
    return result + [({((), (c,)): 1}, None) for c in components]


def one_factor(f: Factor) -> Poly:
    """Return an atom at its labels, without its exponent."""
    return {(((f[0], f[1], 1),), ()): 1}


def is_sign(ring: Products, atom: Atom) -> bool:
    """Tell whether an atom is 1 or −1: declared so, the entry of an orthogonal 1×1 matrix, the determinant of one."""
    if atom.kind == "det":
        (matrix,) = atom.inside
        ((fixed, components), coef) = next(iter(matrix.items()))
        one = len(matrix) == len(fixed) == coef == 1 and not components and fixed[0][2] == 1
        return bool(one and ring.declared(ring.atoms[fixed[0][0]], ORTHOGONAL))
    return ring.declared(atom, SIGNS) or (atom.symmetries == ((),) and ring.declared(atom, ORTHOGONAL))


def is_positive(ring: Products, atom: Atom, strictly: bool = False) -> bool:
    """Tell whether an atom is known to be at least 0, or greater."""
    match atom.kind:
        case "size" | "number" | "exp" | "softmax":
            return True
        case "abs" | "indicator" | "step" | "delta":
            return not strictly
        case "apply":
            name, order = atom.data[0]
            return order == 0 and name in POSITIVE_FUNCTIONS
        case "head":  # inside ∂…/∂x only what holds around x as well
            return ring.facts.has(atom.data, POSITIVE) or (not strictly and ring.declared(atom, NEVER_NEGATIVE))
        case "power" | "prod" | "sum":
            return (always_positive if strictly else never_negative)(ring, atom.inside[0])
    return False


def one_positive(ring: Products, poly: Poly) -> bool:
    """Tell whether a polynomial is one product of what is greater than 0."""
    if len(poly) != 1:
        return False
    (((fixed, components), coef),) = poly.items()
    return coef > 0 and not components and all(is_positive(ring, ring.atoms[n], strictly=True) for n, _, _ in fixed)


def never_negative(ring: Products, poly: Poly) -> bool:
    """Tell whether a sum of terms is known to be at least 0: each term is a product of what is."""
    for (fixed, components), coef in poly.items():
        members = [*fixed, *(f for c in components for f in c[1])]
        if coef < 0 or not all(e % 2 == 0 or is_positive(ring, ring.atoms[n]) for n, _, e in members):
            return False
    return True


def always_positive(ring: Products, poly: Poly) -> bool:
    """Tell whether a sum of terms is known to be greater than 0: no term is less, and one of them is greater."""
    return never_negative(ring, poly) and any(_positive_product(ring, mono) for mono in poly)


def _positive_product(ring: Products, mono: Monomial) -> bool:
    """Tell whether a product of what is greater than 0 it is, and no sum in it is empty."""
    fixed, components = mono
    members = [*fixed, *(f for c in components for f in c[1])]
    ranges = (ring.size_list[number] for c in components for number in c[0])
    return all(is_positive(ring, ring.atoms[n], strictly=True) for n, _, _ in members) and all(
        size.is_positive for size in ranges
    )
