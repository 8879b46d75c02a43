"""The structure of a derivative, read off its normal form; the laws stand in :mod:`symderiv.factors`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import count

from symderiv.dims import Shape, Size
from symderiv.factors.parts import Axes, Block, Pair, Part, Product, Split, Sum, blocks, pairs_of, parts_of
from symderiv.index import normal
from symderiv.index.graph import Add, Contraction, Delta, Factor, Node
from symderiv.index.recognised import opened
from symderiv.lift import lift


@dataclass(frozen=True)
class Term:
    """`coef · Σ Π factor[indices]`, summed over the indices that are no axes of the derivative."""

    coef: Fraction
    factors: tuple[Factor, ...]


def found(node: Node, row_count: int) -> Part:
    """Return the structure of a derivative whose first axes are rows and whose others are columns.

    >>> from symderiv.lower import lower
    >>> from symderiv.tensor.parse import parse, scope_of
    >>> found(lower(parse("eye(n)", scope_of({"x": ("n",)}))).node, 1)
    Product(pairs=((0, 1),), parts=())
    """
    axes = range(node.rank)
    finder = _Finder(node.dims)
    wide = [a for a in axes if node.dims[a] != 1]  # an axis of size 1 has one index and needs none
    rows, columns = (tuple(a for a in wide if (a < row_count) is side) for side in (True, False))
    return finder.part(finder.terms(node, tuple(axes)), (), rows, columns)


class _Finder:
    """Knows the sizes of the axes and gives new numbers to bound indices."""

    def __init__(self, dims: Shape) -> None:
        self.rank = len(dims)
        self.sizes: dict[int, Size] = dict(enumerate(dims))
        self.fresh = count(len(dims))
        self.single = {a for a, size in self.sizes.items() if size == 1}

    # -- terms

    def terms(self, node: Node, labels: Axes, coef: Fraction = normal.ONE, more: Sequence[Factor] = ()) -> list[Term]:
        """Return a node at indices, times other factors, as a sum of products."""
        if isinstance(node, Add):
            return [t for c, n in node.terms for t in self.terms(n, labels, coef * c, more)]
        if not isinstance(node, Contraction):
            return [Term(coef, self.plain([(node, labels), *more]))]
        factors, sizes = opened(node)
        names = dict(enumerate(labels))
        for bound in range(node.rank, len(sizes)):
            names[bound] = next(self.fresh)
            self.sizes[names[bound]] = sizes[bound]
        own = [(f, tuple(names[s] for s in at)) for f, at in factors]
        return [Term(coef * node.coef, self.plain([*own, *more]))]

    def plain(self, factors: Iterable[Factor]) -> tuple[Factor, ...]:
        """Leave out each δ between two axes of size 1, which is 1."""
        return tuple((f, at) for f, at in factors if not (isinstance(f, Delta) and f.size == 1))

    # -- the laws

    def part(self, terms: Sequence[Term], over: Axes, rows: Axes, columns: Axes) -> Part:
        """Read a sum of products over rows and columns; it may depend on tied axes."""
        if not rows and not columns:
            return self.block(terms, over, rows, columns)
        terms = [t for term in terms for t in self.distributed(term, rows, columns)]
        groups: dict[frozenset[Pair], list[Term]] = {}
        for term in terms:
            groups.setdefault(tied(term, rows, columns), []).append(term)
        common = frozenset.intersection(*groups)
        if common:
            return self.tied(terms, sorted(common), over, rows, columns)
        if len(terms) == 1:
            return self.product(terms[0], over, rows, columns)
        free = groups.pop(frozenset(), [])
        paired = [t for group in groups.values() for t in group]
        together = [paired] if paired and frozenset.intersection(*groups) else list(groups.values())
        parts = [self.part(group, over, rows, columns) for group in together]
        parts += self.without_delta(free, over, rows, columns, alone=not parts)
        parts = sorted([p for p in parts if not is_zero(p)] or parts[:1], key=place)
        return parts[0] if len(parts) == 1 else Sum(rows, columns, tuple(parts))

    def tied(self, terms: Sequence[Term], pairs: list[Pair], over: Axes, rows: Axes, columns: Axes) -> Part:
        """Take out the δs that all terms have."""
        change = {c: o for o, c in pairs}
        rest = [self.without(term, pairs, change) for term in terms]
        rows = tuple(a for a in rows if a not in change.values())
        columns = tuple(a for a in columns if a not in change)
        inner = self.part(rest, (*over, *change.values()), rows, columns)
        parts = tuple(p for p in parts_of(inner) if not is_one(p))
        return Product((*pairs, *pairs_of(inner)), parts)

    def without(self, term: Term, pairs: Iterable[Pair], change: Mapping[int, int]) -> Term:
        gone = {frozenset(pair) for pair in pairs}
        kept = [(f, at) for f, at in term.factors if not (isinstance(f, Delta) and frozenset(at) in gone)]
        return replace(term, factors=tuple((f, tuple(change.get(a, a) for a in at)) for f, at in kept))

    def without_delta(self, terms: Sequence[Term], over: Axes, rows: Axes, columns: Axes, alone: bool) -> list[Part]:
        """Read terms that tie nothing: they join to one block where one of them is that already."""
        parts = [self.product(term, over, rows, columns) for term in terms]
        dense = [p for p in parts if isinstance(p, Block) and p.rows and p.columns]
        if len(parts) < 2 or not dense or not (alone or any(p.split is None for p in dense)):
            return parts
        return [self.block(terms, over, rows, columns)]

    # -- the parts of a product

    def product(self, term: Term, over: Axes, rows: Axes, columns: Axes) -> Part:
        """Read one product that ties nothing: its parts share no index but tied ones."""
        scaling, groups = self.components(term, rows, columns)
        numbers = [(f, at) for f, at in scaling if not set(at) - self.single]
        scaling = [(f, at) for f, at in scaling if set(at) - self.single]
        if scaling or not groups:
            groups.insert(0, _Group((), (), Term(term.coef, (*scaling, *numbers))))
        else:
            place = next((k for k, g in enumerate(groups) if g.rows and g.columns), 0)
            old = groups[place]
            groups[place] = replace(old, term=Term(term.coef, (*old.term.factors, *numbers)))
        parts = [self.component(g, over) for g in groups]
        return parts[0] if len(parts) == 1 else Product((), tuple(p for p in parts if not is_one(p)))

    def components(self, term: Term, rows: Axes, columns: Axes) -> tuple[list[Factor], list[_Group]]:
        """Return what has no row and no column, and the rest in groups that no index joins."""
        tying = {a for _, at in term.factors for a in at if a >= self.rank} | {*rows, *columns}
        tying -= self.single
        groups: list[tuple[set[int], list[Factor]]] = [({a}, []) for a in (*rows, *columns)]
        scaling: list[Factor] = []
        for f, at in term.factors:
            own = tying & set(at)
            if not own:
                scaling.append((f, at))
                continue
            near = [g for g in groups if g[0] & own]
            joined = (own.union(*(g[0] for g in near)), [*(x for g in near for x in g[1]), (f, at)])
            groups = [*(g for g in groups if not g[0] & own), joined]
        result = []
        for labels, factors in sorted(groups, key=lambda g: min(g[0])):
            inner = _Group(_kept(rows, labels), _kept(columns, labels), Term(normal.ONE, tuple(factors)))
            if inner.rows or inner.columns:
                result.append(inner)
            else:
                axes = self.axes_of(factors)
                scaling.append((self.node([inner.term], axes), axes))
        return scaling, result

    def component(self, group: _Group, over: Axes) -> Part:
        """Read one part of a product: a sum again, or a block."""
        terms = self.distributed(group.term, group.rows, group.columns)
        if len(terms) > 1:
            return self.part(terms, over, group.rows, group.columns)
        return self.block([group.term], over, group.rows, group.columns)

    def distributed(self, term: Term, rows: Axes, columns: Axes) -> list[Term]:
        """Multiply out a sum over rows and columns that has all indices of the factors beside it."""
        labels = {a for _, at in term.factors for a in at} - self.single
        for place, (f, at) in enumerate(term.factors):
            if isinstance(f, Add) and labels <= set(at) and {*at} & {*rows} and {*at} & {*columns}:
                others = [g for k, g in enumerate(term.factors) if k != place]
                inner = self.terms(f, at, term.coef, others)
                return [t for one in inner for t in self.distributed(one, rows, columns)]
        return [term]

    # -- blocks

    def block(self, terms: Sequence[Term], over: Axes, rows: Axes, columns: Axes) -> Block:
        """Return terms as one array over the tied axes that they depend on."""
        used = {a for term in terms for _, at in term.factors for a in at}
        over = tuple(a for a in over if a in used and a not in self.single)
        node = self.node(terms, (*over, *rows, *columns))
        split = self.split(terms[0], over, rows, columns) if len(terms) == 1 else None
        return Block(over, rows, columns, node, split)

    def node(self, terms: Sequence[Term], axes: Axes) -> Node:
        sizes = {a: self.sizes[a] for a in axes}
        parts = [(normal.ONE, normal.contract(t.coef, t.factors, axes, sizes)) for t in terms]
        return parts[0][1] if len(parts) == 1 else normal.add(parts, tuple(sizes.values()))

    def axes_of(self, factors: Iterable[Factor]) -> Axes:
        """Return the axes that factors stand over, each once, in order."""
        return tuple(sorted({a for _, at in factors for a in at if a < self.rank}))

    def split(self, term: Term, over: Axes, rows: Axes, columns: Axes) -> Split | None:
        """Return a block as a product of an array over its rows and one over its columns."""
        right = [(f, at) for f, at in term.factors if {*at} & {*columns}]
        left = [g for g in term.factors if g not in right]
        if not rows or not right or any({*at} & {*rows} for _, at in right):
            return None
        shared = {a for _, at in left for a in at} & {a for _, at in right for a in at}
        inner = tuple(sorted(a for a in shared if a >= self.rank))
        first = self.node([Term(term.coef, tuple(left))], (*over, *rows, *inner))
        second = self.node([Term(normal.ONE, tuple(right))], (*over, *columns, *inner))
        return Split(first, second, len(inner))


@dataclass(frozen=True)
class _Group:
    """The factors that indices join, with the rows and columns among these."""

    rows: Axes
    columns: Axes
    term: Term


def tied(term: Term, rows: Axes, columns: Axes) -> frozenset[Pair]:
    """Return the rows and columns that the δs of a product tie, each of them once."""
    pairs: list[Pair] = []
    for o, c in sorted((min(at), max(at)) for f, at in term.factors if isinstance(f, Delta)):
        if o in rows and c in columns and not any(o == a or c == b for a, b in pairs):
            pairs.append((o, c))
    return frozenset(pairs)


def is_one(part: Part) -> bool:
    """Tell the number 1."""
    return isinstance(part, Block) and part.is_diagonal and normal.constant(part.node) == 1


def place(part: Part) -> tuple[int, list[Axes]]:
    """Return where a term stands in a sum: more δs first, then by the axes of its blocks."""
    return -len(pairs_of(part)), [b.rows + b.columns for b, _ in blocks(part)]


def is_zero(part: Part) -> bool:
    """Tell a product with a factor that matrix notation reads as 0."""
    found = [p for p in parts_of(part) if isinstance(p, Block)]
    return any(e.op == "zeros" or (e.op == "number" and not e.data[0]) for e in (lift(b.node) for b in found))


def _kept(axes: Axes, labels: set[int]) -> Axes:
    return tuple(a for a in axes if a in labels)
