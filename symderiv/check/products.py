"""Polynomials over atoms, their products under sums, and the bookkeeping of labels and atoms.

A polynomial maps monomials (:mod:`symderiv.check.canonical`) to their coefficients.  Its *atoms* are
entries of heads, sizes, and functions of polynomials; a function is compared by the normal form of its
argument, with the indices of the argument as slots, so `exp(x[i])` and `exp(x[j])` are one atom.  Laws used
here: those of a commutative ring, and

* `Σ_j δ[i,j] f[j] = f[i]`, `δ[i,i] = 1`, `δ[i,j] f[j] = δ[i,j] f[i]`, `δᵏ = δ`, `Σ_{q=1}^{n} 1 = n`;
* `bᵖ b^q = b^(p+q)` and `b⁰ = 1` for any exponents, where b and its powers are defined.

Products of sums are multiplied out.  A *factored* form keeps a sum that stands as a factor as an atom of
kind "sum" instead, except for those in `expanded`: so deep expressions stay short.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import count, permutations, product
from math import ceil
from typing import Any

from symderiv.check.canonical import UNIT, Exponent, Factor, Labels, Monomial, least, monomial
from symderiv.check.facts import Facts
from symderiv.check.terms import require
from symderiv.index.nodes import Index

Poly = dict[Monomial, Exponent]
Powers = dict[tuple[int, Labels], Exponent]
Product = tuple[Exponent, list[Factor], dict[int, int]]  # coefficient, factors, bound labels with sizes

MOST_TERMS = 2000
MOST_PRODUCTS = 6_000
MOST_POWER = 8
MOST_ORDERS = 720
FIRST_LABEL = 100  # smaller ones are the slots of atoms


@dataclass(frozen=True, eq=False)
class Atom:
    """What is not taken apart: its kind, what it holds, the reorderings of its slots that change nothing."""

    number: int
    kind: str
    data: Any
    inside: tuple[Poly, ...]
    symmetries: tuple[Labels, ...]


def slot(k: int) -> int:
    """Return the label that stands for slot k inside an atom."""
    return -1 - k


def plain(value: Exponent) -> Exponent:
    """Return a number, as an integer where it is one."""
    return value.numerator if value.denominator == 1 else value


def factor(atom: Atom, labels: Labels, exponent: Exponent = 1) -> Poly:
    """Return a power of an atom at fixed labels."""
    return {(((atom.number, least(labels, atom.symmetries), plain(exponent)),), ()): 1}


def number(value: Exponent) -> Poly:
    """Return a number."""
    return {UNIT: plain(value)} if value != 0 else {}


def constant(poly: Poly) -> Exponent | None:
    """Return the value of a polynomial that is a number."""
    if not poly:
        return 0
    return poly.get(UNIT) if len(poly) == 1 else None


def terms_of(polys: Sequence[Poly]) -> int:
    """Return how many terms a product has when it is multiplied out."""
    terms = 1
    for p in polys:
        terms *= len(p)
    return terms


ONE: Poly = {UNIT: 1}


def pruned(poly: Poly) -> Poly:
    """Return the polynomial without terms whose coefficient is 0."""
    return {m: c for m, c in poly.items() if c != 0}


def add(parts: Iterable[tuple[Exponent, Poly]]) -> Poly:
    """Return a sum of multiples of polynomials."""
    result: Poly = {}
    for scale, poly in parts:
        for mono, coef in poly.items():
            result[mono] = plain(result.get(mono, 0) + scale * coef)
    return pruned(result)


class Products(ABC):
    """Polynomials, their atoms and labels; what functions of polynomials obey is told by a subclass."""

    def __init__(
        self, facts: Facts, factored: bool = False, withheld: frozenset[str] = frozenset(), by_exp: bool = False
    ) -> None:
        self.facts = facts
        self.factored = factored
        self.withheld = withheld
        self.by_exp = by_exp
        self.stepped = False  # kinks of one number are written by steps
        self.turned = False  # of two terms of a matrix that are equally long, the other one is led by
        self.expanded: set[int] = set()
        self.left = MOST_PRODUCTS
        self.atoms: list[Atom] = []
        self.size_list: list[Any] = []
        self._numbers: dict[tuple[str, Hashable], int] = {}
        self._label_of: dict[Index, int] = {}
        self._size_of_label: dict[int, int] = {}
        self._size_numbers: dict[Any, int] = {}
        self._next = count(FIRST_LABEL)
        self.delta = self.atom("delta", "", symmetries=((0, 1), (1, 0)))

    @abstractmethod
    def rebuilt(self, atom: Atom, labels: Labels, exponent: Exponent) -> Poly | None:
        """Return a power of an atom two of whose labels fell together, where that may simplify it."""

    @abstractmethod
    def simplified(self, work: Work, todo: list[Factor]) -> bool:
        """Apply a law between the factors of a product; tell whether one applied."""

    @abstractmethod
    def replaced(self, work: Work) -> list[Product] | None:
        """Return the products that a product is the sum of by a law about sums."""

    @abstractmethod
    def as_factor(self, poly: Poly) -> Poly:
        """Return a sum of terms as a number times powers of atoms, one of kind "sum"."""

    @abstractmethod
    def power(self, base: Poly, exponent: Exponent) -> Poly:
        """Return a polynomial to a rational power."""

    @abstractmethod
    def general_power(self, base: Poly, exponent: Poly) -> Poly:
        """Return a polynomial to the power of another one."""

    @abstractmethod
    def logarithm(self, arg: Poly) -> Poly:
        """Return the logarithm of a polynomial."""

    @abstractmethod
    def size(self, size: Any) -> Poly:
        """Return a size as a polynomial."""

    def declared(self, atom: Atom, traits: frozenset[str]) -> bool:
        """Tell whether an atom is a head that was declared with one of some traits, which may be used here."""
        usable = atom.kind == "head" and atom.data.name not in self.withheld
        return usable and self.facts.has(atom.data, traits)

    # -- labels and atoms

    def size_number(self, size: Any) -> int:
        number = self._size_numbers.get(size)
        if number is None:
            number = self._size_numbers[size] = len(self.size_list)
            self.size_list.append(size)
        return number

    def label(self, index: Index) -> int:
        """Return the label of an index."""
        label = self._label_of.get(index)
        if label is None:
            label = self._label_of[index] = self.fresh(self.size_number(index.size))
        return label

    def fresh(self, size: int) -> int:
        """Return a new fixed label over a range."""
        label = -next(self._next)
        self._size_of_label[label] = size
        return label

    def register(self, label: int, size: int) -> None:
        """Let a label that was bound be used as a fixed one."""
        self._size_of_label[label] = size

    def range_of(self, label: int) -> int:
        """Return the number of the range of a fixed label."""
        return self._size_of_label[label]

    def size_of(self, label: int) -> Any:
        """Return the range of a fixed label."""
        return self.size_list[self.range_of(label)]

    def atom(
        self,
        kind: str,
        data: Hashable,
        inside: tuple[Poly, ...] = (),
        symmetries: tuple[Labels, ...] = ((),),
    ) -> Atom:
        """Return the atom of a kind that holds some data; equal data give one atom."""
        number = self._numbers.get((kind, data))
        if number is None:
            number = self._numbers[kind, data] = len(self.atoms)
            self.atoms.append(Atom(number, kind, data, inside, symmetries))
        return self.atoms[number]

    def function(self, kind: str, name: Hashable, inside: Sequence[Poly]) -> Poly:
        """Return a function of polynomials, its slots in the one order that makes the arguments smallest."""
        key, labels, inner, symmetries = self.template(inside)
        atom = self.atom(kind, (name, key), inner, symmetries)
        return factor(atom, labels)

    def template(self, inside: Sequence[Poly]) -> tuple[Any, Labels, tuple[Poly, ...], tuple[Labels, ...]]:
        """Return polynomials with slots for their fixed labels: key, labels, polynomials, symmetries."""
        signs: dict[int, list[Any]] = {}
        for n, poly in enumerate(inside):
            for mono, coef in poly.items():
                fixed, components = mono
                for factors in (fixed, *(c[1] for c in components)):
                    for atom, labels, exponent in factors:
                        whole = self.atoms[atom].symmetries
                        for k, x in enumerate(labels):
                            if x < 0:
                                place = min(p.index(k) for p in whole)
                                sign = (n, coef, atom, exponent, place, len(fixed), len(components))
                                signs.setdefault(x, []).append(sign)
        for around in signs.values():
            around.sort()
        classes: dict[Any, list[int]] = {}
        for x in sorted(signs, key=lambda x: signs[x]):
            classes.setdefault(tuple(signs[x]), []).append(x)
        orders = [()] if not classes else product(*(permutations(xs) for xs in classes.values()))
        best: Any = None
        tied: list[Labels] = []
        for tried, order in enumerate(orders):
            require(tried < MOST_ORDERS, "a function whose argument has too many symmetries")
            labels = tuple(x for xs in order for x in xs)
            inner = tuple(self.relabelled(p, {x: slot(k) for k, x in enumerate(labels)}) for p in inside)
            key = tuple(tuple(sorted(p.items())) for p in inner)
            if best is None or key < best[0]:
                best, tied = (key, labels, inner), []
            if key == best[0]:
                tied.append(labels)
        key, labels, inner = best
        symmetries = tuple(tuple(labels.index(x) for x in other) for other in tied)
        return key, labels, inner, symmetries

    def instance(self, atom: Atom, labels: Labels) -> tuple[Poly, ...]:
        """Return what an atom holds, at labels."""
        change = {slot(k): x for k, x in enumerate(labels)}
        return tuple(self.relabelled(p, change) for p in atom.inside)

    def relabelled(self, poly: Poly, change: Mapping[int, int]) -> Poly:
        """Return a polynomial with fixed labels replaced."""
        if all(a == b for a, b in change.items()):
            return poly
        result: Poly = {}
        for mono, coef in poly.items():
            factors, bound = self.opened(mono, change)
            self.settle((coef, factors, bound), result)
        return pruned(result)

    def again(self, poly: Poly, more: Sequence[Factor] = ()) -> Poly:
        """Return a polynomial normalised anew, each term times some factors."""
        result: Poly = {}
        for mono, coef in poly.items():
            factors, bound = self.opened(mono, {})
            self.settle((coef, [*factors, *more], bound), result)
        return pruned(result)

    def opened(self, mono: Monomial, change: Mapping[int, int]) -> tuple[list[Factor], dict[int, int]]:
        """Return the factors of a monomial and its bound labels, fresh."""
        fixed, components = mono
        factors: list[Factor] = [(n, tuple(change.get(x, x) for x in labels), e) for n, labels, e in fixed]
        bound: dict[int, int] = {}
        for sizes, members in components:
            names = [-next(self._next) for _ in sizes]
            bound.update(zip(names, sizes, strict=True))
            for n, labels, e in members:
                factors.append((n, tuple(names[x] if x >= 0 else change.get(x, x) for x in labels), e))
        return factors, bound

    # -- products

    def product(self, polys: Sequence[Poly], over: Sequence[int] = ()) -> Poly:
        """Return the product, multiplied out and summed over the labels `over`."""
        if self.factored and len(polys) > 1:
            polys = [self.as_factor(p) if len(p) > 1 else p for p in polys]
        require(terms_of(polys) <= MOST_TERMS, f"more than {MOST_TERMS} terms when multiplied out")
        result: Poly = {}
        for chosen in product(*(p.items() for p in polys)):
            coef: Exponent = 1
            factors: list[Factor] = []
            bound = {x: self._size_of_label[x] for x in over}
            for mono, c in chosen:
                coef *= c
                more, inner = self.opened(mono, {})
                factors += more
                bound.update(inner)
            self.settle((coef, factors, bound), result)
        return pruned(result)

    def settle(self, given: Product, result: Poly) -> None:
        """Add a product of factors, summed over bound labels, to a polynomial."""
        self.left -= 1
        require(self.left > 0, "too much to multiply out")
        work = Work(self, given[0], dict(given[2]))
        alternatives = work.reduce(list(given[1]))
        if alternatives is not None:
            for alternative in alternatives:
                self.settle(alternative, result)
        elif work.coef != 0:
            mono = monomial(work.powers, work.bound, self.symmetries)
            result[mono] = plain(result.get(mono, 0) + work.coef)
            require(len(result) <= MOST_TERMS, f"more than {MOST_TERMS} terms when multiplied out")

    def symmetries(self, number: int) -> tuple[Labels, ...]:
        """Return the reorderings of the slots of an atom that change nothing."""
        return self.atoms[number].symmetries


class Work:
    """One product on its way to the normal form."""

    def __init__(self, ring: Products, coef: Exponent, bound: dict[int, int]) -> None:
        self.ring = ring
        self.coef = coef
        self.bound = bound
        self.powers: Powers = {}
        self.extra: list[Poly] = []  # factors that are polynomials
        self.sums: list[Poly] = []  # factors that are sums of terms, to be multiplied out
        self.merged: dict[int, int] = {}  # label → the equal one that is kept
        self.tied: list[int] = []  # fixed labels that a δ makes equal to another

    def reduce(self, todo: list[Factor]) -> list[Product] | None:
        """Multiply the factors; where that gives a sum, return its products instead."""
        ring = self.ring
        while True:
            while todo:
                self._take(todo.pop(), todo)
            if self.coef == 0:
                return None
            self._expand_sums()
            if self.extra or self.sums:
                return self._multiplied_out()
            if ring.simplified(self, todo):
                continue
            replaced = ring.replaced(self)
            if replaced is not None:
                return replaced
            if not self._drop_idle() and not self._is_lone_sum():
                for x in self.tied:
                    self.powers[ring.delta.number, least((x, self.at(x)), ring.delta.symmetries)] = 1
                return None

    def factors(self) -> list[Factor]:
        """Return the factors so far."""
        deltas: list[Factor] = [(self.ring.delta.number, (x, self.at(x)), 1) for x in self.tied]
        return [(n, labels, e) for (n, labels), e in self.powers.items()] + deltas

    def at(self, label: int) -> int:
        """Return the label that stands for all those equal to this one."""
        while label in self.merged:
            label = self.merged[label]
        return label

    def multiply(self, atom: int, labels: Labels, exponent: Exponent) -> None:
        """Multiply by a power of an atom that obeys no law of its own: `bᵖ b^q = b^(p+q)`, `b⁰ = 1`."""
        key = (atom, least(labels, self.ring.symmetries(atom)))
        total = plain(self.powers.pop(key, 0) + exponent)
        if total != 0:
            self.powers[key] = total

    def _take(self, factor: Factor, todo: list[Factor]) -> None:
        n, labels, exponent = factor
        labels = tuple(self.at(x) for x in labels)
        atom = self.ring.atoms[n]
        if atom is self.ring.delta:
            self._identify(labels, exponent, todo)
            return
        if atom.inside and len(set(labels)) < len(labels):
            whole = self.ring.rebuilt(atom, labels, exponent)
            if whole is not None:
                self.extra.append(whole)
                return
        self.multiply(n, labels, exponent)

    def _identify(self, labels: Labels, exponent: Exponent, todo: list[Factor]) -> None:
        """`Σ_j δ[i,j] f[j] = f[i]`, `δ[i,i] = 1`, and `δ[i,j] f[j] = δ[i,j] f[i]`."""
        require(exponent > 0, "division by an identity matrix divides by its zeros")
        i, j = sorted(labels)
        if i == j:
            return
        gone, kept = (j, i) if j in self.bound and i not in self.bound else (i, j)
        self.merged[gone] = kept
        todo += [(*key, self.powers.pop(key)) for key in list(self.powers) if gone in key[1]]
        if self.bound.pop(gone, None) is None:
            self.tied.append(gone)

    def _expand_sums(self) -> None:
        """Write `(a + b)ᵖ`, p > 0, as `(a + b)ᵏ (a + b)^(p−k)`, k whole, −1 < p − k ≤ 0, and multiply the first out."""
        for (n, labels), exponent in list(self.powers.items()):
            atom = self.ring.atoms[n]
            wanted = not self.ring.factored or n in self.ring.expanded
            if atom.kind == "sum" and wanted and 0 < exponent <= MOST_POWER:
                whole = ceil(exponent)
                del self.powers[n, labels]
                self.sums += [self.ring.instance(atom, labels)[0]] * whole
                self.multiply(n, labels, exponent - whole)

    def _is_lone_sum(self) -> bool:
        """Take `c (a + b)`, nothing else beside it, for a sum of terms."""
        if len(self.powers) != 1 or self.bound or self.tied:
            return False
        (((n, labels), exponent),) = self.powers.items()
        if self.ring.atoms[n].kind != "sum" or exponent != 1:
            return False
        self.powers.clear()
        self.sums.append(self.ring.instance(self.ring.atoms[n], labels)[0])
        return True

    def _multiplied_out(self) -> list[Product]:
        result = []
        if self.ring.factored:
            self.extra = [self.ring.as_factor(p) if len(p) > 1 else p for p in self.extra]
        polys = [*self.extra, *self.sums]
        require(terms_of(polys) <= MOST_TERMS, f"more than {MOST_TERMS} terms when multiplied out")
        for chosen in product(*(p.items() for p in polys)):
            coef, factors, bound = self.coef, self.factors(), dict(self.bound)
            for mono, c in chosen:
                coef = plain(coef * c)
                more, inner = self.ring.opened(mono, {})
                factors += more
                bound.update(inner)
            result.append((coef, factors, bound))
        return result

    def _drop_idle(self) -> bool:
        """`Σ_{q=1}^{n} f = n f` where q does not stand in f."""
        standing = {x for _, labels in self.powers for x in labels}
        for x in [x for x in self.bound if x not in standing]:
            self.extra.append(self.ring.size(self.ring.size_list[self.bound.pop(x)]))
        return bool(self.extra)
