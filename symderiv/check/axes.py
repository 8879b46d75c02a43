"""Functions along axes: softmax, log Σ exp, products, compared by their arguments.  Laws:

* softmax, log Σ exp and products commute with a reordering of axes; along an axis of n on which u does not depend,
  `softmax(u) = 1/n` and `log Σ exp(u) = u + log n`.
* `Π u = exp(Σ log u)` for u > 0; `Π c f g = cⁿ Π f Π g` and `Π fᵉ = (Π f)ᵉ` for integers e; so for products of all
  entries but one.
* `Π_{k ∉ {j₁ … jₘ}} u[k]` is the same for j₁ … jₘ in any order, and by definition 0 where two of them are equal.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations
from typing import Any

from symderiv.check.atoms import apply, exponential, one_factor, one_positive
from symderiv.check.canonical import Labels
from symderiv.check.entries import MOST_AXES, atom_of
from symderiv.check.facts import left_out
from symderiv.check.powers import general_power, power
from symderiv.check.products import ONE, Atom, Poly, Products, add, factor, number, plain, slot
from symderiv.check.terms import fresh
from symderiv.index.nodes import Definition, Tensor

ALONG = frozenset({"softmax", "prodexcept", "logsumexp", "prod"})


def entry(ring: Products, definition: Definition, poly: Poly, labels: Labels) -> tuple[Poly, Labels]:
    """Return what a head of a kind stands for, and the labels of its axes; poly is its argument at labels."""
    narrow = without_single(definition)
    if narrow is None:
        return of_one(definition, poly), labels
    if narrow.kind in ("softmax", "logsumexp"):
        return of_exponentials(ring, narrow, poly, labels)
    if narrow.kind == "prodexcept" and left_out(narrow) == 1 and one_positive(ring, poly):
        every, _ = of_positive(ring, narrow.axes, poly, labels)
        return ring.product([every, power(ring, poly, -1)]), labels  # Π u / u[j], no entry being 0
    if narrow.kind == "prod":
        return product_of(ring, narrow.axes, poly, labels)
    return (by_factors if left_out(narrow) == 1 else along)(ring, narrow, poly, labels)


def labels_of(poly: Poly) -> set[int]:
    """Return the fixed labels that stand in a polynomial."""
    return {
        x
        for fixed, components in poly
        for factors in (fixed, *(c[1] for c in components))
        for _, labels, _ in factors
        for x in labels
        if x < 0
    }


def without_single(definition: Definition) -> Definition | None:
    """Return a function along axes without the axes of size 1; nothing where it runs along no other."""
    (head,), axes = definition.arguments, definition.axes
    wide = [k for k, size in enumerate(head.sizes) if size != 1]
    over = tuple(wide.index(a) for a in axes if a in wide)
    if not over:
        return None
    copies = definition.tensor.sizes[len(head.sizes) :]
    own = [s for s in (definition.tensor.sizes if definition.kind != "prodexcept" else head.sizes) if s != 1]
    if definition.kind == "prodexcept":
        own += [s for s in copies if s != 1]
    arguments = (Tensor(head.name, *(head.sizes[k] for k in wide)),)
    return replace(definition, tensor=Tensor(definition.tensor.name, *own), arguments=arguments, axes=over)


def of_one(definition: Definition, poly: Poly) -> Poly:
    """Return a function along axes of one entry: it is that entry, its softmax is 1, and nothing is left beside it."""
    match definition.kind:
        case "softmax":
            return ONE
        case "prodexcept":
            return ONE if left_out(definition) == 1 else {}
    return poly


def along(ring: Products, definition: Definition, poly: Poly, labels: Labels) -> tuple[Poly, Labels]:
    """Return a function along axes as an atom, its slots in the order that makes it smallest."""
    kind, axes, rank = definition.kind, definition.axes, len(labels)
    orders = list(permutations(range(rank))) if rank <= MOST_AXES else [tuple(range(rank))]
    found = []
    for order in orders:
        inner = ring.relabelled(poly, {labels[a]: slot(k) for k, a in enumerate(order)})
        over = tuple(sorted(order.index(a) for a in axes))
        ranges = tuple(ring.range_of(labels[order[k]]) for k in over)  # the argument need not tell how far they run
        found.append(((tuple(sorted(inner.items())), over, ranges), order, inner))
    name = min(f[0] for f in found)
    best = [f for f in found if f[0] == name]
    inner, over = best[0][2], name[1]
    if kind == "prodexcept":
        return _all_but(ring, definition, (name, inner), best[0][1], labels)
    stays = [k for k in range(rank) if kind == "softmax" or k not in over]
    kept = [[order[k] for k in stays] for _, order, _ in best]
    symmetries = {tuple(kept[0].index(a) for a in order) for order in kept if set(order) == set(kept[0])}
    atom = ring.atom(kind, name, (inner,), tuple(sorted(symmetries)))
    at = tuple(labels[a] for a in kept[0])
    return factor(atom, at), tuple(labels[k] for k in sorted(kept[0]))


def product_of(ring: Products, axes: Labels, poly: Poly, labels: Labels) -> tuple[Poly, Labels]:
    """Return the product of entries along axes, and the labels of the others."""
    if one_positive(ring, poly):
        return of_positive(ring, axes, poly, labels)
    return by_factors(ring, Definition(Tensor("Π"), kind="prod", axes=axes), poly, labels)


def of_positive(ring: Products, axes: Labels, poly: Poly, labels: Labels) -> tuple[Poly, Labels]:
    """Return `Π u = exp(Σ log u)`, u being greater than 0."""
    over = [labels[a] for a in axes]
    total = ring.product([ring.logarithm(poly)], over)
    return exponential(ring, total), tuple(x for x in labels if x not in over)


def by_factors(ring: Products, definition: Definition, poly: Poly, labels: Labels) -> tuple[Poly, Labels]:
    """Return a product of all entries, or of all but one, factor by factor; whole where it is a sum of terms."""
    whole = along(ring, definition, poly, labels) if not _parted(poly) else None
    if whole is not None:
        return whole
    (((fixed, _), coef),) = poly.items()
    over = [labels[a] for a in definition.axes]
    count = ring.product([ring.size(ring.size_of(x)) for x in over])
    if definition.kind == "prodexcept":
        count = add([(1, count), (-1, ONE)])
    parts = [general_power(ring, number(coef), count)]
    for f in fixed:
        parts.append(power(ring, along(ring, definition, one_factor(f), labels)[0], f[2]))
    kept = labels if definition.kind == "prodexcept" else tuple(x for x in labels if x not in over)
    return ring.product(parts), kept


def _parted(poly: Poly) -> bool:
    """Tell whether a polynomial is a product of several factors or numbers, all powers whole."""
    if len(poly) != 1:
        return False
    (((fixed, components), coef),) = poly.items()
    whole = all(plain(e).denominator == 1 for _, _, e in fixed)
    return not components and bool(fixed) and whole and (len(fixed) > 1 or coef != 1 or fixed[0][2] != 1)


def of_exponentials(ring: Products, definition: Definition, poly: Poly, labels: Labels) -> tuple[Poly, Labels]:
    """Return a softmax or a log Σ exp: over an index that does not stand in u the exponentials are all the same."""
    standing = labels_of(poly)
    idle = [k for k, x in enumerate(labels) if x not in standing]
    if ring.by_exp or not idle:
        return (by_exponentials if ring.by_exp else along)(ring, definition, poly, labels)
    kept = [k for k in range(len(labels)) if k not in idle]
    over = tuple(kept.index(a) for a in definition.axes if a in kept)
    sizes = [ring.size(ring.size_of(labels[a])) for a in definition.axes if a in idle]
    inner, softmax = poly if not over else None, definition.kind == "softmax"
    if inner is None:
        inner, _ = along(ring, replace(definition, axes=over), poly, tuple(labels[k] for k in kept))
    if softmax:
        shares = [power(ring, size, -1) for size in sizes]
        return ring.product([inner if over else ONE, *shares]), labels
    outside = tuple(x for a, x in enumerate(labels) if a not in definition.axes)
    return add([(1, inner), *((1, apply(ring, "log", 0, size)) for size in sizes)]), outside


def by_exponentials(ring: Products, definition: Definition, poly: Poly, labels: Labels) -> tuple[Poly, Labels]:
    """Return `softmax(u) = exp(u) / Σ exp(u)` and `logsumexp(u) = log Σ exp(u)` by definition."""
    values = exponential(ring, poly)
    over = [labels[k] for k in definition.axes]
    total = ring.product([values], over)
    if definition.kind == "logsumexp":
        kept = tuple(x for x in labels if x not in over)
        return apply(ring, "log", 0, total), kept
    again = ring.product([exponential(ring, poly), power(ring, total, -1)])
    return again, labels


def _all_but(
    ring: Products, definition: Definition, form: tuple[Any, Poly], order: Labels, labels: Labels
) -> tuple[Poly, Labels]:
    """Return a product of all entries but m: its first slots as those of its argument, then those of j₂ … jₘ."""
    (name, inner), axes, count = form, definition.axes, left_out(definition)
    later = {(n, a): ring.label(fresh(definition.arguments[0].sizes[a])) for n in range(1, count) for a in axes}
    atom = atom_of(ring, name, inner, len(labels), count)
    at = (*(labels[a] for a in order), *(later[n, order[k]] for n in range(1, count) for k in name[1]))
    return factor(atom, at), (*labels, *later.values())


def leaves_out_twice(atom: Atom, labels: Labels) -> bool:
    """Tell whether two of the entries that a product leaves out are one and the same: it is 0 there."""
    form, rank, count = atom.data
    over: Labels = form[1]
    width = len(over)
    places = [tuple(labels[k] for k in over)]
    places += [labels[rank + n * width : rank + (n + 1) * width] for n in range(count - 1)]
    return len(set(places)) < len(places)
