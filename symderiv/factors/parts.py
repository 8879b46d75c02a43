"""The pieces of a linear map in symbols: blocks, products with tied axes, sums.

Axes are numbers: those of the function first (the rows), then those of the variable (the columns).  A row and
a column that a δ ties go by the number of the row inside of a product.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

from symderiv.index import normal
from symderiv.index.graph import Node

Axes: TypeAlias = tuple[int, ...]
Pair: TypeAlias = tuple[int, int]  # a row and the column that a δ ties to it


@dataclass(frozen=True)
class Split:
    """`block[o, c] = Σ_s left[o, s] right[c, s]`, both with the tied axes of the block in front."""

    left: Node
    right: Node
    count: int  # of the indices s


@dataclass(frozen=True)
class Block:
    """An array over tied axes, rows and columns; without rows and columns a diagonal, or a number."""

    over: Axes
    rows: Axes
    columns: Axes
    node: Node  # its axes: over, rows, columns
    split: Split | None = None

    @property
    def axes(self) -> Axes:
        """Return the axes of the array."""
        return self.over + self.rows + self.columns

    @property
    def symmetric(self) -> bool:
        """Tell whether it is known to stay the same when each row changes places with its column."""
        k, n = len(self.over), len(self.rows)
        if n != len(self.columns) or not n:
            return False
        swapped = (*range(k), *range(k + n, k + 2 * n), *range(k, k + n))
        return swapped in normal.symmetries(self.node)

    @property
    def is_diagonal(self) -> bool:
        """Tell whether it only scales entries."""
        return not self.rows and not self.columns


@dataclass(frozen=True)
class Product:
    """`Π δ[o, c] over pairs · Π parts`: what the parts have in common are at most tied axes."""

    pairs: tuple[Pair, ...]
    parts: tuple[Part, ...]

    @property
    def is_diagonal(self) -> bool:
        """Tell whether nothing but a scaling of entries is left beside the δs."""
        return all(isinstance(p, Block) and p.is_diagonal for p in self.parts)


@dataclass(frozen=True)
class Sum:
    """A sum of maps over the same rows and columns."""

    rows: Axes
    columns: Axes
    terms: tuple[Part, ...]


Part: TypeAlias = Block | Product | Sum


def blocks(part: Part, summed: bool = False) -> Iterator[tuple[Block, bool]]:
    """Yield the blocks of a map in the order in which they stand; True marks one that is best kept split.

    That is a term of a sum, for which a low rank is of use.
    """
    match part:
        case Block():
            yield part, summed and part.split is not None
        case Product():
            for inner in part.parts:
                yield from blocks(inner, summed and not part.pairs)
        case Sum():
            for inner in part.terms:
                yield from blocks(inner, True)


def pairs_of(part: Part) -> tuple[Pair, ...]:
    """Return the axes that the whole of a map ties."""
    return part.pairs if isinstance(part, Product) else ()


def parts_of(part: Part) -> tuple[Part, ...]:
    """Return the factors of a map beside its δs."""
    return part.parts if isinstance(part, Product) else (part,)


def depends(part: Part) -> Axes:
    """Return the axes, tied further outside, on which a map depends."""
    match part:
        case Block():
            return part.over
        case Product():
            own = {o for o, _ in part.pairs}
            return tuple(dict.fromkeys(a for p in part.parts for a in depends(p) if a not in own))
    return tuple(dict.fromkeys(a for t in part.terms for a in depends(t)))


def is_kronecker_sum(total: Sum) -> bool:
    """Tell a sum of maps each of which works on axes of its own, tied alike by the others; multiples of δ aside."""
    partner: dict[int, int] = {}
    own: list[int] = []
    for t in total.terms:
        if not isinstance(t, Product) or not t.pairs or depends(t) or any(depends(p) for p in t.parts):
            return False
        if any(partner.setdefault(o, c) != c for o, c in t.pairs):
            return False
    for t in total.terms:
        rows = {*total.rows} - {o for o, _ in pairs_of(t)}
        columns = {*total.columns} - {c for _, c in pairs_of(t)}
        if {partner.get(o, -1) for o in rows} != columns:
            return False
        own += rows
    return sorted(own) == sorted(total.rows)
