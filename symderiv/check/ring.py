"""The ring normal form of index expressions: equal sums of products have one form.

Everything is multiplied out (:mod:`symderiv.check.products`), under the laws of functions
(:mod:`symderiv.check.atoms`), of functions of whole arrays (:mod:`symderiv.check.arrays`) and of sums over
products (:mod:`symderiv.check.cancel`).  A head of `definitions` with a text is its text; a head that
is symmetric, by its traits or by its own text, has `S[i,j] = S[j,i]`.  An index with one value only is
left out everywhere: axes of size 1 say nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from fractions import Fraction
from functools import reduce
from itertools import permutations
from typing import Any

import sympy

from symderiv.check import arrays, atoms, axes, cancel, entries, logs, powers, steps
from symderiv.check.canonical import Exponent, Factor, Labels
from symderiv.check.denominators import cleared, under_sums
from symderiv.check.facts import SYMMETRIC, Facts
from symderiv.check.products import (
    MOST_POWER,
    MOST_PRODUCTS,
    ONE,
    Atom,
    Poly,
    Product,
    Products,
    Work,
    add,
    factor,
    number,
    plain,
)
from symderiv.check.terms import RefusedError, along, fresh, is_number, tensors
from symderiv.index.nodes import (
    Apply,
    Choice,
    Definition,
    Delta,
    Derivative,
    Entry,
    Extreme,
    Immediate,
    Index,
    Plus,
    Power,
    Structured,
    Sum,
    Tensor,
    Times,
)

MOST_EXPANDED = 60


class Ring(Products):
    """Normal forms of expressions under the facts of a proof.

    Inside `∂…/∂x` an equality must hold for every x: traits of the heads in which x stands are `withheld`,
    and a chain definition is not its text.  Elsewhere one whose text is an entry (`V = inv(U)`, `R = Vᵀ`) is;
    all of them where `unfold` is set.  With `factored`, sums are multiplied out only where that is needed.
    With `by_exp`, tanh, softmax and their like are what they are by definition: quotients and logarithms of
    sums of exponentials.
    `proved` gives the right side of a lemma for a derivative, where one was proved.
    """

    def __init__(
        self,
        facts: Facts,
        proved: Callable[[Any], Any] = lambda _: None,
        withheld: frozenset[str] | None = None,
        unfold: bool = False,
        factored: bool = False,
        by_exp: bool = False,
    ) -> None:
        super().__init__(facts, factored, withheld or frozenset(), by_exp)
        self.proved = proved
        self.inside = withheld is not None
        self.unfold = unfold
        self._polys: dict[Any, Poly] = {}
        self._arrays: dict[str, tuple[Poly, Labels]] = {}
        self._symmetric: dict[str, bool] = {}

    # -- equality

    def equal(self, left: Any, right: Any) -> bool:
        """Tell whether two expressions have one normal form, denominators cleared."""
        self.left = MOST_PRODUCTS
        difference = add([(1, self.poly(left)), (-1, self.poly(right))])
        for _ in range(MOST_EXPANDED):
            if difference:
                difference = cleared(self, difference)
            found = self._to_expand(difference) if self.factored else None
            if found is None:
                break
            self.expanded.add(found)
            difference = self.again(difference)
        self.expanded.clear()
        if difference and not self.factored:
            difference = under_sums(self, difference)
        return not difference

    def _to_expand(self, poly: Poly) -> int | None:
        """Return the sum that stands as a factor in the fewest terms; one that stands in all would not help."""
        count: Counter[int] = Counter()
        for fixed, components in poly:
            inside = {f[0] for c in components for f in c[1] if _is_sum(self.atoms[f[0]], f[2])}
            count.update({f[0] for f in fixed if _is_sum(self.atoms[f[0]], f[2])} | inside)
        return min(count, key=lambda n: (count[n], n), default=None)

    # -- expressions

    def poly(self, expr: Any) -> Poly:
        """Return the normal form of an expression."""
        known = self._polys.get(expr)
        if known is None:
            known = self._polys[expr] = self._poly(expr)
        return known

    def _poly(self, expr: Any) -> Poly:
        match expr:
            case Entry():
                return self._entry(expr)
            case Delta():
                pair = self._labels(expr.args)
                return self.product([factor(self.delta, pair)]) if pair else ONE
            case Times():
                return self.product([self.poly(a) for a in expr.args])
            case Plus():
                return add([(1, self.poly(a)) for a in expr.args])
            case Sum():
                return self.product([self.poly(expr.body)], self._labels(expr.bound))
            case Power():
                return powers.general_power(self, self.poly(expr.base), self.poly(expr.exponent))
            case Apply():
                return atoms.apply(self, expr.name, expr.order, self.poly(expr.arg))
            case Choice():
                return atoms.choice(self, expr.relation, [self.poly(p) for p in expr.parts])
            case Extreme():
                return atoms.extreme(self, expr.kind, [self.poly(p) for p in expr.parts])
            case Immediate() | Structured():
                raise RefusedError("a derivative that is not carried out")
            case Derivative():
                return self._derivative(expr)
        return self.size(expr)

    def _labels(self, indices: tuple[Index, ...]) -> Labels:
        """Return the labels of indices; one that has one value only says nothing and has none."""
        return tuple(self.label(i) for i in indices if i.size != 1)

    def _derivative(self, expr: Any) -> Poly:
        entries = along(expr)
        if not all(isinstance(e, Entry) for e in entries):
            raise RefusedError("a derivative that is not carried out")
        name = self.facts.named("derivative", entries[0].tensor)
        if name is not None:
            left = iter(entries[0].indices)
            entries[:1] = [Entry(head, *(next(left) for _ in head.sizes)) for head in name.arguments]
        proved = self.proved(reduce(Derivative, entries[1:], entries[0]))
        if proved is not None:
            return self.poly(proved)
        return self._total(tuple(e.tensor for e in entries), self._labels(tuple(i for e in entries for i in e.indices)))

    def _total(self, heads: tuple[Tensor, ...], labels: Labels) -> Poly:
        """Return a total derivative that is not carried out; its variables may take any order (Schwarz)."""
        name = self.facts.named("derivative", heads[0])
        if name is not None:
            return self._total((*name.arguments, *heads[1:]), labels)
        ranks = [sum(size != 1 for size in head.sizes) for head in heads]
        starts = [sum(ranks[:k]) for k in range(len(heads))]
        order = [0, *sorted(range(1, len(heads)), key=lambda k: heads[k].name)]
        places = [[starts[k] + n for n in range(ranks[k])] for k in order]
        held = tuple(heads[k] for k in order)
        orders = (o for o in permutations(range(len(held))) if o[0] == 0 and [held[k] for k in o] == list(held))
        now = [s for group in places for s in group]
        symmetries = tuple(tuple(now.index(s) for k in o for s in places[k]) for o in orders)
        return factor(self.atom("derivative", held, (), symmetries), tuple(labels[s] for s in now))

    def as_factor(self, poly: Poly) -> Poly:
        return powers.as_factor(self, poly)

    def power(self, base: Poly, exponent: Exponent) -> Poly:
        return powers.power(self, base, exponent)

    def general_power(self, base: Poly, exponent: Poly) -> Poly:
        return powers.general_power(self, base, exponent)

    def logarithm(self, arg: Poly) -> Poly:
        return logs.logarithm(self, arg)

    def size(self, size: Any) -> Poly:
        """Return a number or a size: a product of positive atoms."""
        if is_number(size):
            return number(plain(Fraction(int(size.p), int(size.q))))
        if isinstance(size, sympy.Mul):
            return self.product([self.size(a) for a in size.args])
        if isinstance(size, sympy.Add):
            return add([(1, self.size(a)) for a in size.args])
        if isinstance(size, sympy.Pow):
            return powers.power(self, self.size(size.base), int(size.exp))
        return factor(self.atom("size", size), ())

    def _entry(self, entry: Entry) -> Poly:
        return self._entry_at(entry.tensor, self._labels(entry.indices))

    def _entry_at(self, head: Tensor, labels: Labels) -> Poly:
        definition = self.facts.definitions.get(head.name) or self._alias(head)
        if head.name in self.facts.shifted:
            definition = None
        if definition is not None and definition.kind == "":
            own = dict(zip(self._labels(definition.indices), labels, strict=True))
            return self.relabelled(self.poly(definition.body), own)
        if definition is not None and definition.kind in arrays.KINDS:
            whole = self._arrays.get(head.name)
            if whole is None:
                whole = self._arrays[head.name] = arrays.entry(self, self.poly, definition)
            return self.relabelled(whole[0], dict(zip(whole[1], labels, strict=True)))
        if definition is not None and definition.kind == "derivative":
            return self._named_derivative(definition, labels)
        return ONE if self._is_alone(head) else factor(self.head(head), labels)

    def _named_derivative(self, definition: Definition, labels: Labels) -> Poly:
        """Return what was proved of `∂f/∂x`, or its atom, for an entry of a name of it."""
        at = [tuple(fresh(size) for size in head.sizes) for head in definition.arguments]
        f, *entries = (Entry(head, *indices) for head, indices in zip(definition.arguments, at, strict=True))
        proved = None if self.inside else self.proved(reduce(Derivative, entries, f))
        if proved is None or definition.tensor in tensors(proved):
            return self._total(definition.arguments, labels)
        own = self._labels(tuple(i for indices in at for i in indices))
        return self.relabelled(self.poly(proved), dict(zip(own, labels, strict=True)))

    def _is_alone(self, head: Tensor) -> bool:
        """Tell whether an entry is the only one of those that sum to 1."""
        if not head.sizes or head.sizes[-1] != 1 or head.name in self.withheld:
            return False
        return self.facts.has(head, cancel.ROWS) or (len(head.sizes) == 1 and self.facts.has(head, cancel.SIMPLEX))

    def _alias(self, head: Tensor) -> Definition | None:
        definition = self.facts.chain.get(head.name)
        if self.inside or definition is None or definition.body is None:
            return None
        return definition if self.unfold or isinstance(definition.body, Entry) else None

    def head(self, head: Tensor) -> Atom:
        """Return the atom of a head; the derivatives of an unknown function may take any order (Schwarz)."""
        known = self.facts.named("unknown", head)
        if known is not None and len(set(known.axes)) < len(known.axes):
            return self.atom("head", head, (), _orders(known))
        same = tuple(range(sum(size != 1 for size in head.sizes)))
        return self.atom("head", head, (), (same, (1, 0)) if self._is_symmetric(head) else (same,))

    def _is_symmetric(self, head: Tensor) -> bool:
        if len(head.sizes) != 2 or head.sizes[0] != head.sizes[1] or head.sizes[0] == 1 or head.name in self.withheld:
            return False
        if head.name in self.facts.shifted:
            return False
        if self.facts.has(head, SYMMETRIC):
            return True
        known = self._symmetric.get(head.name)
        if known is None:
            known = self._symmetric[head.name] = self._text_is_symmetric(head)
        return known

    def _text_is_symmetric(self, head: Tensor) -> bool:
        """Tell whether a chain definition's own text is a symmetric matrix, as that of `XᵀX` is."""
        definition = self.facts.chain.get(head.name)
        if definition is None or definition.body is None:
            return False
        try:
            i, j = self._labels(definition.indices)
            poly = self.poly(definition.body)
            return self.relabelled(poly, {i: j, j: i}) == poly
        except RefusedError:
            return False

    # -- laws

    def rebuilt(self, atom: Atom, labels: Labels, exponent: Exponent) -> Poly | None:
        if atom.kind == "prodexcept" and exponent > 0 and axes.leaves_out_twice(atom, labels):
            return {}
        return powers.rebuilt(self, atom, labels, exponent)

    def simplified(self, work: Work, todo: list[Factor]) -> bool:
        if cancel.powers(self, work):
            return True
        found = cancel.orthogonal(self, work)
        if found is not None:
            todo += found
            return True
        if cancel.sum_to_one(self, work) or cancel.reciprocal(self, work) or steps.simplified(self, work):
            return True
        return entries.simplified(self, work) or powers.simplified(self, work)

    def replaced(self, work: Work) -> list[Product] | None:
        return cancel.inverse(self, work) or entries.replaced(self, work)


def _orders(unknown: Definition) -> tuple[tuple[int, ...], ...]:
    """Return in which orders the axes of a derivative of an unknown function may stand, those of size 1 left out."""
    after = [size for k in unknown.axes for size in unknown.arguments[k].sizes]
    sizes = iter(unknown.tensor.sizes)
    own = sum(next(sizes) != 1 for _ in range(len(unknown.tensor.sizes) - len(after)))
    ranks = [sum(size != 1 for size in unknown.arguments[k].sizes) for k in unknown.axes]
    starts = [own + sum(ranks[:n]) for n in range(len(ranks))]
    places = [tuple(range(start, start + rank)) for start, rank in zip(starts, ranks, strict=True)]
    orders = (
        o
        for o in permutations(range(len(ranks)))
        if all(unknown.axes[n] == k for n, k in zip(o, unknown.axes, strict=True))
    )
    return tuple((*range(own), *(s for n in o for s in places[n])) for o in orders)


def _is_sum(atom: Atom, exponent: Exponent) -> bool:
    return atom.kind == "sum" and 0 < exponent <= MOST_POWER


__all__ = ["ONE", "Ring"]
