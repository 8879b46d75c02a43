"""Truncated Taylor arithmetic over a prime field.

A jet is a₀ + Σ a_S ε_S over sets S of derivative slots, with ε_s² = 0: the coefficient of ε_S is the mixed
derivative in the slots of S.  A set is written as a bit mask, and what is zero is left out.  A jet also knows
where it is undefined (a quotient by 0, the root of a non-square), and undefined entries spread as nan does.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import factorial

import numpy as np

from symderiv.check.field import Array, Field


@dataclass(frozen=True)
class Jet:
    """The coefficients by slot mask (mask 0 is always there), and where the value is undefined."""

    parts: dict[int, Array]
    bad: Array | None = None

    @property
    def primal(self) -> Array:
        """Return the value without derivatives."""
        return self.parts[0]

    @property
    def order(self) -> int:
        """Return how many slots the jet depends on."""
        mask = 0
        for key in self.parts:
            mask |= key
        return mask.bit_count()


def either(a: Array | None, b: Array | None) -> Array | None:
    """Return where one of two values is undefined."""
    if a is None or b is None:
        return b if a is None else a
    return a | b


class Jets:
    """Arithmetic of jets over a field."""

    def __init__(self, field: Field) -> None:
        self.field = field

    def each(self, a: Jet, change: Callable[[Array], Array]) -> Jet:
        """Apply a linear map with coefficients 0 and 1 to every coefficient."""
        parts = {key: change(c) % self.field.p for key, c in a.parts.items()}
        return Jet(parts, None if a.bad is None else change(a.bad.astype(np.int64)) > 0)

    def add(self, a: Jet, b: Jet) -> Jet:
        """Return a + b."""
        parts = dict(a.parts)
        for key, c in b.parts.items():
            parts[key] = (parts[key] + c) % self.field.p if key in parts else c
        return Jet(parts, either(a.bad, b.bad))

    def negated(self, a: Jet) -> Jet:
        """Return −a."""
        return Jet({key: -c % self.field.p for key, c in a.parts.items()}, a.bad)

    def _convolved(self, a: Jet, b: Jet, product: Callable[[Array, Array], Array]) -> dict[int, Array]:
        """Multiply coefficients of disjoint slots: ε_S ε_T = ε_(S ∪ T), and 0 where S and T meet."""
        parts: dict[int, Array] = {}
        for s, x in a.parts.items():
            for t, y in b.parts.items():
                if not s & t:
                    z = product(x, y)
                    parts[s | t] = (parts[s | t] + z) % self.field.p if s | t in parts else z
        return parts

    def multiplied(self, a: Jet, b: Jet) -> Jet:
        """Return a·b, entry by entry."""
        p = self.field.p
        return Jet(self._convolved(a, b, lambda x, y: x * y % p), either(a.bad, b.bad))

    def contracted(self, spec: str, a: Jet, b: Jet, terms: int) -> Jet:
        """Return the einsum of two jets."""
        parts = self._convolved(a, b, lambda x, y: self.field.contract(spec, x, y, terms))
        bad = None
        if a.bad is not None:
            bad = np.einsum(spec, a.bad.astype(np.int64), np.ones_like(b.primal)) > 0
        if b.bad is not None:
            bad = either(bad, np.einsum(spec, np.ones_like(a.primal), b.bad.astype(np.int64)) > 0)
        return Jet(parts, bad)

    def scaled(self, a: Jet, factor: Array | int) -> Jet:
        """Return a times a constant of the field."""
        return Jet({key: c * factor % self.field.p for key, c in a.parts.items()}, a.bad)

    def nilpotent(self, a: Jet) -> Jet:
        """Return a − a₀."""
        return Jet({0: np.zeros_like(a.primal), **{key: c for key, c in a.parts.items() if key}})

    def taylor(self, a: Jet, derivatives: Sequence[Array], bad: Array | None = None) -> Jet:
        """Return f(a) = Σ f⁽ⁱ⁾(a₀) (a − a₀)ⁱ / i!, given as many derivatives at a₀ as the jet needs."""
        result = Jet({0: derivatives[0]}, either(a.bad, bad))
        if not a.order:
            return result
        nil = self.nilpotent(a)
        power = nil
        for i, derivative in enumerate(derivatives[1 : a.order + 1], start=1):
            term = self.scaled(power, derivative * pow(factorial(i), -1, self.field.p) % self.field.p)
            result = self.add(result, term)
            power = self.multiplied(power, nil)
        return result

    def reciprocal(self, a: Jet) -> Jet:
        """Return 1/a; undefined where a₀ = 0."""
        p = self.field.p
        value, zero = self.field.inverse(a.primal)
        derivatives = [value]
        for i in range(1, a.order + 1):  # (1/u)⁽ⁱ⁾ = −i/u · (1/u)⁽ⁱ⁻¹⁾
            derivatives.append(-i * derivatives[-1] % p * value % p)
        return self.taylor(a, derivatives, zero if zero.any() else None)

    def integer_power(self, a: Jet, exponent: int) -> Jet:
        """Return a**exponent by repeated squaring."""
        if exponent < 0:
            return self.reciprocal(self.integer_power(a, -exponent))
        result = Jet({0: np.ones_like(a.primal)}, a.bad)
        base = a
        while exponent:
            if exponent & 1:
                result = self.multiplied(result, base)
            exponent >>= 1
            if exponent:
                base = self.multiplied(base, base)
        return result

    def rational_power(self, a: Jet, numerator: int, denominator: int, tag: str) -> Jet:
        """Return a^(n/d) for a₀ a square; where the field has no such root, an opaque one."""
        p = self.field.p
        found = self.field.rational_power(a.primal, numerator, denominator)
        value, fine = found if found is not None else (self.field.opaque(tag, a.primal), a.primal != 0)
        derivatives = [value]
        if a.order:
            inverse, zero = self.field.inverse(a.primal)
            fine = fine & ~zero
            r = self.field.number(numerator, denominator)
            for i in range(a.order):
                derivatives.append((r - i) * derivatives[-1] % p * inverse % p)
        return self.taylor(a, derivatives, None if fine.all() else ~fine)

    def exponential(self, a: Jet, value: Array) -> Jet:
        """Return exp(a), given exp(a₀)."""
        return self.taylor(a, [value] * (a.order + 1))

    def logarithm(self, a: Jet, value: Array) -> Jet:
        """Return log|a|, given log|a₀|: its slope is 1/a."""
        p = self.field.p
        inverse, zero = self.field.inverse(a.primal)
        derivatives = [value, inverse]
        for i in range(1, a.order):
            derivatives.append(-i * derivatives[-1] % p * inverse % p)
        return self.taylor(a, derivatives, zero if zero.any() else None)

    # -- matrices in the last two axes

    def inverse(self, a: Jet) -> Jet:
        """Return a⁻¹ = Σ (−y n)ⁱ y with y = a₀⁻¹ and n = a − a₀."""
        y, bad, step = self._steps(a)
        result = power = Jet({0: y}, bad)
        for _ in range(a.order):
            power = self.negated(self._matmul(step, power))
            result = self.add(result, power)
        return Jet(result.parts, bad)

    def logdet_nilpotent(self, a: Jet) -> Jet:
        """Return log det(1 + y n) = Σ (−1)ⁱ⁺¹ tr((y n)ⁱ) / i."""
        y, bad, step = self._steps(a)
        trace = None if bad is None else bad[..., 0, 0]
        result, power = Jet({0: np.zeros(y.shape[:-2], dtype=np.int64)}, trace), step
        for i in range(1, a.order + 1):
            term = self.each(power, lambda c: np.trace(c, axis1=-2, axis2=-1))
            result = self.add(result, self.scaled(term, (-1) ** (i + 1) * pow(i, -1, self.field.p)))
            power = self._matmul(power, step)
        return result

    def _steps(self, a: Jet) -> tuple[Array, Array | None, Jet]:
        y, _, singular = self.field.eliminate(a.primal)
        undefined = None
        if singular.any():
            undefined = np.broadcast_to(singular[..., None, None], y.shape)
        bad = either(a.bad, undefined)
        if bad is not None:
            bad = np.broadcast_to(bad.any(axis=(-2, -1), keepdims=True), y.shape)
        return y, bad, self._matmul(Jet({0: y}), self.nilpotent(a)) if a.order else Jet({0: np.zeros_like(y)})

    def _matmul(self, a: Jet, b: Jet) -> Jet:
        return self.contracted("...iq,...qj->...ij", a, b, a.primal.shape[-1])
