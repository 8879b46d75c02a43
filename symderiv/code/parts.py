"""A product taken apart, to be changed factor by factor; and arrays that the normal form has no node for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from symderiv.dims import Shape, Size
from symderiv.index import normal
from symderiv.index.graph import Contraction, Map, Node, Pow

ONE = Fraction(1)


@dataclass(eq=False)
class Part:
    """`base[labels] ** exponent`."""

    base: Any
    exponent: Fraction
    labels: tuple[int, ...]
    copies: Fraction = field(default=ONE)  # of an exponential: how often a scale may still be taken into it

    @property
    def is_exp(self) -> bool:
        """Tell whether the base is `exp(…)`."""
        return isinstance(self.base, Map) and self.base.function == "exp"


def at_labels(node: Node, labels: Sequence[int], order: Sequence[int], sizes: dict[int, Size]) -> Node:
    """Return `node[labels]` as a function of the indices `order`, which include the labels."""
    return normal.contract(1, [(node, tuple(labels))], order, {k: sizes[k] for k in order})


def scaling(node: Node) -> tuple[Fraction, Node]:
    """Return (c, n) with `node = c n`, n written with the coefficient 1."""
    if isinstance(node, Contraction) and not node.bound and node.factors:
        inner, labels = node.factors[0]
        if len(node.factors) == 1 and labels == tuple(range(node.rank)):
            return node.coef, inner
        return node.coef, Contraction(node.dims, ONE, node.factors, node.sizes)
    return ONE, node


class Parts:
    """`coef · Σ_bound Π base[labels] ** exponent`, indices 0 … rank-1 the axes."""

    def __init__(self, coef: Fraction, parts: list[Part], rank: int, sizes: dict[int, Size]) -> None:
        self.coef, self.list, self.rank, self.sizes = coef, parts, rank, sizes

    @classmethod
    def of(cls, node: Node) -> Parts:
        """Take a node apart; what is no product is its own only factor."""
        if not isinstance(node, Contraction):
            return cls(ONE, [_part(node, tuple(range(node.rank)))], node.rank, dict(enumerate(node.dims)))
        parts = [_part(f, labels) for f, labels in node.factors]
        return cls(node.coef, parts, node.rank, dict(enumerate(node.sizes)))

    @property
    def bound(self) -> bool:
        """Tell whether something is summed over."""
        return len(self.sizes) > self.rank

    def node(self) -> Node:
        """Return the product in the normal form."""
        factors = [(normal.power(p.base, p.exponent), p.labels) for p in self.list]
        return normal.contract(self.coef, factors, range(self.rank), self.sizes)

    def at(self, node: Node, labels: Sequence[int], order: Sequence[int]) -> Node:
        """Return `node[labels]` as a function of the indices `order`."""
        return at_labels(node, labels, order, self.sizes)

    def add(self, base: Node, exponent: Fraction, labels: tuple[int, ...]) -> None:
        """Multiply by `base[labels] ** exponent`; equal factors join."""
        inner, axes = normal.core(base)
        places = tuple(labels[k] for k in axes)
        for p in self.list:
            if p.base is inner and p.labels == places:
                p.exponent += exponent
                return
        self.list.append(Part(inner, exponent, places))

    def remove(self, parts: Sequence[Part]) -> None:
        """Take factors out."""
        gone = {id(p) for p in parts}
        self.list = [p for p in self.list if id(p) not in gone]

    def open(self, wanted: Callable[[Node], bool]) -> None:
        """Open the sums of products among the factors: `Σ_j` of all is one sum."""
        todo, done = list(self.list), []
        while todo:
            p = todo.pop(0)
            times = int(p.exponent) if p.exponent in (1, 2) else 0
            if not (isinstance(p.base, Contraction) and p.base.bound and times and wanted(p.base)):
                done.append(p)
                continue
            for _ in range(times):
                names = dict(enumerate(p.labels))
                for b in p.base.bound:
                    names[b] = max(self.sizes, default=-1) + 1
                    self.sizes[names[b]] = p.base.sizes[b]
                self.coef *= p.base.coef
                todo += [_part(f, tuple(names[s] for s in slots)) for f, slots in p.base.factors]
        self.list = done

    def merge(self) -> None:
        """`exp(u) exp(v) = exp(u + v)`, for exponentials with the same indices."""
        groups: dict[frozenset[int], list[Part]] = {}
        for p in self.list:
            if p.is_exp:
                groups.setdefault(frozenset(p.labels), []).append(p)
        for labels, group in groups.items():
            copies = sum((p.exponent for p in group if p.exponent > 0), Fraction(0))
            if len(group) > 1 or not copies:
                order = tuple(sorted(labels))
                dims = tuple(self.sizes[k] for k in order)
                total = normal.add([(p.exponent, self.at(p.base.arg, p.labels, order)) for p in group], dims)
                self.remove(group)
                before = len(self.list)
                self.add(normal.entrywise("exp", total), ONE, order)
                group = self.list[before:]
            for p in group:
                p.copies = copies
        self.list = [p for p in self.list if normal.constant(p.base) != 1]

    def exponent(self) -> tuple[Node, tuple[int, ...]] | None:
        """Return the exponent of the product's exponentials and its indices; None where there is none."""
        found = [p for p in self.list if p.is_exp]
        if not found:
            return None
        order = tuple(sorted({k for p in found for k in p.labels}))
        dims = tuple(self.sizes[k] for k in order)
        return normal.add([(p.exponent, self.at(p.base.arg, p.labels, order)) for p in found], dims), order

    def without(self, largest: Node) -> Node:
        """Return the product divided by `exp(largest)`, an array of the product's axes."""
        found = self.exponent()
        own = tuple(range(self.rank))
        inner, axes = normal.core(largest)
        if normal.constant(largest) is not None:
            inner, axes = normal.number(normal.constant(largest) or 0), ()
        e, labels = found if found is not None else (normal.number(0), ())
        order = tuple(sorted({*labels, *axes}))
        dims = tuple(self.sizes[k] for k in order)
        total = normal.add([(1, self.at(e, labels, order)), (-1, self.at(inner, axes, order))], dims)
        rest = [(normal.power(p.base, p.exponent), p.labels) for p in self.list if not p.is_exp]
        return normal.contract(self.coef, [*rest, (normal.entrywise("exp", total), order)], own, self.sizes)


def _part(node: Node, labels: tuple[int, ...]) -> Part:
    return Part(node.base, node.exponent, labels) if isinstance(node, Pow) else Part(node, ONE, labels)


class Stand:
    """Arrays of operations that only the code knows, each under the leaf that stands for it."""

    def __init__(self) -> None:
        self.meaning: dict[Node, tuple[str, tuple[Node, ...], tuple[Any, ...]]] = {}

    def of(self, op: str, args: tuple[Node, ...], dims: Shape, data: tuple[Any, ...] = ()) -> Node:
        """Return the leaf for an operation on arrays; one that is entrywise keeps to the axes it needs."""
        if data == () and dims and all(a.dims == dims for a in args):
            used = sorted({k for a in args if normal.constant(a) is None for k in normal.core(a)[1]})
            if len(used) < len(dims):
                narrow = tuple(_narrowed(a, used) for a in args)
                return normal.rewrapped(self.of(op, narrow, narrow[0].dims), tuple(used), dims)
        digest = Contraction((), ONE, tuple((a, tuple(range(a.rank))) for a in args), ()).key
        leaf = normal.leaf(f"{op} {data} {digest}", dims)
        self.meaning[leaf] = (op, args, data)
        return leaf


def _narrowed(node: Node, used: Sequence[int]) -> Node:
    dims = tuple(node.dims[k] for k in used)
    value = normal.constant(node)
    if value is not None:
        return normal.number(value, dims)
    inner, axes = normal.core(node)
    return normal.contract(1, [(inner, axes)], used, dict(zip(used, dims, strict=True)))
