"""Equations of a ring in which some things have inverses and roots: a combination of `u u⁻¹ = 1` and `s² = u`.

What has to be added to one side to get the other is found here, by clearing denominators in polynomials; that it is
so is one equation of polynomials, which `ring` proves.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sympy
from sympy.polys.rings import ring as polynomials

from symderiv.check.coq.text import ARGUMENT, Terms, peeled, written
from symderiv.check.terms import with_indices
from symderiv.errors import UnsupportedError
from symderiv.index.nodes import Delta, Entry, Index, IndexExpr, Plus, Power, Sum, Tensor, Times

RING = "ring"
LARGEST = 400  # terms of a polynomial


class Laws:
    """What is known of the things in an equation, each with a script; here nothing is."""

    def unit(self, expr: Any) -> str:
        r"""Return the script of `u \is a GRing.unit`."""
        raise UnsupportedError(f"a certificate for Coq does not know here that {expr} has an inverse")

    def root(self, base: Any) -> str:
        """Return the script of `sqrt u ^+ 2 = u`."""
        raise UnsupportedError(f"a certificate for Coq does not know here that {base} has a root")

    def symmetric(self, head: Tensor) -> str | None:
        """Return the script of `S i j = S j i`, where it is so."""
        return None

    def paired(self, one: Entry, other: Entry, over: Index) -> tuple[Delta, str] | None:
        r"""Return δ and the script of `\sum_q one * other = δ` for a matrix and its inverse."""
        return None


def lettered(expr: Any, depth: int = 0) -> Any:
    """Return an expression with other letters for bound indices, the same ones for the same expression."""
    if isinstance(expr, Sum):
        new = {b: Index(f"'b{depth + k}", b.size) for k, b in enumerate(expr.bound)}
        return Sum(lettered(with_indices(expr.body, new), depth + len(new)), *new.values())
    if not isinstance(expr, IndexExpr) or isinstance(expr, (Index, Entry, Tensor, Delta)):
        return expr
    return type(expr)(*(lettered(a, depth) for a in expr.args))


@dataclass(frozen=True)
class Atom:
    """What `ring` takes as it is; `inverse` or `root` of something, or of nothing it knows."""

    expr: Any
    kind: str = ""
    of: Any = None


class Combination:
    """The difference of two sides as a combination of what is 0."""

    def __init__(self, terms: Terms, laws: Laws) -> None:
        self.terms, self.laws = terms, laws
        self.atoms: dict[Any, Atom] = {}  # what stands in another one comes before it

    def script(self, before: Any, after: Any) -> str:
        """Return the script of `before = after`; plain `ring` where it does, or where nothing does."""
        for side in (before, after):
            self.gather(side)
        if not any(a.kind for a in self.atoms.values()):
            return RING
        domain, *gens = polynomials([f"x{k}" for k in range(len(self.atoms))], sympy.ZZ)
        values = dict(zip(self.atoms, gens, strict=True))
        found = self.zeros(domain, values, self.value(before, values) - self.value(after, values))
        if not found:
            return RING
        whole, texts = "", []
        for atom, factor in found:
            of = self.terms.term(atom.of, ARGUMENT)
            times = self.printed(factor)
            if atom.kind == "inverse":
                texts.append(f"({of} * {self.terms.term(atom.expr, ARGUMENT)} - 1) * ({times})")
                zero = f"apply: unit_zero; {self.laws.unit(atom.of)}"
            else:
                texts.append(f"(({self.terms.term(atom.expr)}) ^+ 2 - {of}) * ({times})")
                zero = f"apply: root_zero; {self.laws.root(atom.of)}"
            whole = f"apply: zero_plus; [{whole} | {zero}]" if whole else zero
        return f"apply: (@combine F _ _ ({' + '.join(texts)})); [{whole} | ring]"

    # -- polynomials

    def gather(self, expr: Any) -> None:
        """Note the atoms of an expression."""
        match expr:
            case Times() | Plus():
                for part in expr.args:
                    self.gather(part)
            case Power() if isinstance(expr.exponent, sympy.Rational) and expr.exponent.q <= 2:
                kind, inner, _ = peeled(expr)
                self.gather(inner)
                if kind != "power":
                    self.atoms.setdefault(self.key(expr), Atom(expr, kind, inner))
            case sympy.Integer():
                pass
            case IndexExpr() | sympy.Symbol():
                self.atoms.setdefault(self.key(expr), Atom(expr))
            case _:
                self.gather(written(expr))

    def key(self, expr: Any) -> Any:
        """Return what is the same for the same atom."""
        return lettered(expr)

    def value(self, expr: Any, values: dict[Any, Any]) -> Any:
        """Return an expression as a polynomial in its atoms."""
        match expr:
            case Times():
                return sympy.prod([self.value(a, values) for a in expr.args])
            case Plus():
                return sum(self.value(a, values) for a in expr.args)
            case Power() if isinstance(expr.exponent, sympy.Rational) and expr.exponent.q <= 2:
                kind, inner, times = peeled(expr)
                return self.value(inner, values) ** times if kind == "power" else values[self.key(expr)]
            case sympy.Integer():
                return next(iter(values.values())) ** 0 * int(expr)
            case IndexExpr() | sympy.Symbol():
                return values[self.key(expr)]
        return self.value(written(expr), values)

    def zeros(self, domain: Any, values: dict[Any, Any], rest: Any) -> list[tuple[Atom, Any]]:
        """Return the atoms with what `u u⁻¹ − 1` or `s² − u` is multiplied with; none where there is no way.

        With v = u⁻¹ a term c vᵏ is c uᵈ⁻ᵏ vᵈ, d being the highest power of v, and a multiple of `u v − 1`.
        """
        found, times = [], domain.one
        for key, atom in reversed(self.atoms.items()):
            if not atom.kind:
                continue
            gen, of, multiple = values[key], self.value(atom.of, values), domain.zero
            degree = rest.degree(gen)
            if atom.kind == "inverse" and degree > 0:
                cleared = domain.zero
                for k, part in _by_power(rest, gen, domain):
                    cleared += part * of ** (degree - k)
                    for s in range(degree - k):
                        multiple -= part * gen**k * (of * gen) ** s
                rest = cleared
            elif atom.kind == "root" and degree > 1:
                for m in range(degree, 1, -1):
                    part = dict(_by_power(rest, gen, domain)).get(m, domain.zero) * gen ** (m - 2)
                    multiple += part
                    rest -= part * (gen**2 - of)
                degree = 0
            else:
                continue
            if multiple != 0:
                found.append((atom, times * multiple))
            times *= gen**degree
            if max(len(rest), len(multiple)) > LARGEST:
                return []
        return found if rest == 0 else []

    def printed(self, polynomial: Any) -> str:
        """Return a polynomial in the atoms as a text."""
        texts = [self.terms.term(a.expr, ARGUMENT) for a in self.atoms.values()]
        parts = []
        for powers, number in polynomial.terms():
            factors = [t if p == 1 else f"{t} ^+ {p}" for t, p in zip(texts, powers, strict=True) if p]
            if number != 1 or not factors:
                factors.insert(0, self.terms.term(sympy.Integer(int(number))))
            parts.append(" * ".join(factors))
        return " + ".join(parts)


def _by_power(polynomial: Any, gen: Any, domain: Any) -> Sequence[tuple[int, Any]]:
    """Return the coefficients of the powers of one generator."""
    at, found = domain.index(gen), dict[int, Any]()
    for powers, number in polynomial.terms():
        k, rest = powers[at], (*powers[:at], 0, *powers[at + 1 :])
        found[k] = found.get(k, domain.zero) + domain({rest: number})
    return sorted(found.items())
