"""What the heads of a proof about families stand for: members, sums and products over ranges, derivatives that hold."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import sympy

from symderiv.check.kernel import check
from symderiv.check.labels import ROW, Label, Member, Range, Values
from symderiv.check.terms import ONE, RefusedError, alike, fresh, require
from symderiv.errors import ProofError
from symderiv.index.nodes import (
    Argument,
    Context,
    Definition,
    Delta,
    Index,
    IndexExpr,
    Plus,
    Step,
    Sum,
    Tensor,
    Times,
)

MOST_TERMS = 24


@dataclass(frozen=True)
class Ranged:
    """`Σ_{variable=low}^{high} body` or `Π`, an entry for each value of the indices; `without` are terms left out.

    A product that runs backward has its last factor leftmost.
    """

    kind: str
    range: Range
    backward: bool
    indices: tuple[Index, ...]
    body: Any
    without: tuple[Label, ...] = ()
    definitions: Mapping[str, Definition] = field(default_factory=dict)


@dataclass(frozen=True)
class Kept:
    """The derivative `∂of/∂x` through all definitions but those of members that are held constant."""

    of: Tensor
    x: Tensor
    held: tuple[Tensor, ...]


Head = Member | Ranged | Kept


@dataclass(frozen=True)
class Alphabet:
    """What names stand for: heads, widths of layers (`n[l]`), and subscripts that are data (`y[t]`)."""

    heads: Mapping[str, Head] = field(default_factory=dict)
    widths: Mapping[str, Member] = field(default_factory=dict)
    labels: Mapping[str, Member] = field(default_factory=dict)
    arrays: frozenset[str] = frozenset()  # arrays of the sheet that are no members
    ranks: Mapping[str, int] = field(default_factory=dict)  # how many axes the arrays of a name have

    def of(self, cases: Iterable[Any]) -> Alphabet:
        """Return the alphabet for a sheet of cases."""
        found = list(cases)
        arrays = frozenset(c.name for c in found if c.low is None)
        return replace(self, arrays=arrays, ranks={c.name: len(c.head.sizes) for c in found})

    def is_array(self, name: str) -> bool:
        """Tell whether a name is that of a member or a definition of the sheet."""
        return isinstance(self.heads.get(name), Member) or name in self.arrays

    def member(self, name: str) -> Member:
        """Return the member that a name stands for; an array of its own has no label."""
        found = self.heads.get(name)
        return found if isinstance(found, Member) else Member(name)


@dataclass(frozen=True)
class Core:
    """The part of a range that sums or products of one kind have in common."""

    low: Label
    high: Label
    without: tuple[Label, ...]


def composed(found: Ranged, parts: list[Any], indices: tuple[Any, ...], core: Any = None) -> Any:
    """Return the sum or product of terms, lowest label first; None is the core."""
    at = [core if part is None else part for part in parts]
    if found.kind == "sum":
        values = [part(indices) for part in at]
        return Plus(*values) if len(values) > 1 else values[0] if values else sympy.Integer(0)
    require(found.kind == "prod" and len(indices) in (0, 2), "a product is one of matrices or of numbers")
    at = at[::-1] if found.backward else at
    if not indices:
        values = [part(()) for part in at]
        return Times(*values) if len(values) > 1 else values[0] if values else ONE
    return chained(at, indices)


def chained(parts: list[Any], indices: tuple[Any, ...]) -> Any:
    """Return the product of matrices at two indices, the first one leftmost; that of none is 1."""
    if not parts:
        return Delta(*indices)
    between = [fresh(indices[0].size) for _ in parts[1:]]
    ends = [indices[0], *between, indices[1]]
    values = [part((ends[k], ends[k + 1])) for k, part in enumerate(parts)]
    return Sum(Times(*values), *between) if between else values[0]


def in_a_row(values: Values) -> bool:
    """Tell whether labels are those of a row."""
    return any(ROW in label.free_symbols for label in values.values())


def few(count: Any) -> bool:
    """Tell whether a number is that of a few terms."""
    return bool(count.is_Integer and 0 <= count <= MOST_TERMS)


def heads_in(expr: Any) -> Iterator[Any]:
    """Yield the heads that stand in an expression."""
    if isinstance(expr, Tensor):
        yield expr
    elif isinstance(expr, IndexExpr) and not isinstance(expr, Index):
        for a in expr.args:
            yield from heads_in(a)


def written(expr: Any, letters: Mapping[Any, str]) -> str:
    """Return an expression as a text that does not depend on the letters of bound indices."""
    if isinstance(expr, Index):
        return f"{letters.get(expr, expr.name)}:{expr.size}"
    if isinstance(expr, Tensor):
        return f"{expr.name}"
    if isinstance(expr, Sum):
        inner = {**letters, **{i: f"#{len(letters) + k}" for k, i in enumerate(expr.bound)}}
        return f"Sum({', '.join(written(a, inner) for a in expr.args)})"
    if isinstance(expr, IndexExpr):
        return f"{type(expr).__name__}({', '.join(written(a, letters) for a in expr.args)})"
    return str(expr)


def same(one: Any, other: Any) -> bool:
    """Tell whether two spelled expressions are equal: alike, or one the other rearranged, as the kernel finds."""
    if one == other or alike(one, other, ordered=False):
        return True
    argument = Argument("same", one, (Step("rearrange", (), {}, one, other),), other)
    try:
        check([argument], Context())
    except (ProofError, RefusedError):
        return False
    return True
