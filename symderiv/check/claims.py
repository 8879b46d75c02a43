"""A claim about families, and what a certificate says of each of its windows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from symderiv.check.labels import Bounds, Label, Range, Values
from symderiv.check.part import Part
from symderiv.check.paths import Closed
from symderiv.index.nodes import Definition, Index


@dataclass(frozen=True)
class Rank:
    """Where a case stands: a stage, whether its stage runs up (1) or down (-1) in the labels, a place at a label."""

    stage: int
    direction: int
    place: int


@dataclass(frozen=True)
class Claim:
    """`left = right` at all `indices`, for all values in the ranges; `least` are those of what no range binds."""

    label: str
    left: Any
    right: Any
    indices: tuple[Index, ...] = ()
    definitions: Mapping[str, Definition] = field(default_factory=dict)
    ranges: tuple[Range, ...] = ()
    least: Mapping[str, int] = field(default_factory=dict)

    @property
    def bounds(self) -> Bounds:
        """Return what is known of its variables."""
        return Bounds(self.ranges, self.least)


@dataclass(frozen=True)
class Supposed:
    """A name in a window for one side of the claim before: `name[indices]` stands for `meaning`.

    `letters` are the indices of the claim, in their order.
    """

    name: str
    indices: tuple[Index, ...]
    meaning: Any
    definitions: Mapping[str, Definition]
    letters: tuple[Index, ...]


@dataclass(frozen=True)
class Window:
    """A proof about finitely many arrays, and what it has to do with the claim.

    `letters` are the indices of the claim in the proof; `supposed` and `assumed` (the letters of each equation that
    the proof assumes) are the claim before; `cores` name the sums, and `powers` tell the exponents, that others are
    opened against; `rows` is the length of a stack, `affine` names functions of which first derivatives are taken
    only; `closed` are the sets that show what does not act on what, by x and member.
    """

    part: Part
    letters: tuple[Index, ...]
    cores: tuple[str, ...] = ()
    powers: tuple[Label, ...] = ()
    rows: Label | None = None
    affine: tuple[str, ...] = ()
    supposed: tuple[Supposed, ...] = ()
    assumed: Mapping[str, tuple[Index, ...]] = field(default_factory=dict)
    closed: Mapping[tuple[str, str], Closed] = field(default_factory=dict)


@dataclass(frozen=True)
class Instance:
    """What a window shows: the claim at `values`, under bounds; with `before` from the claim at those values."""

    bounds: Bounds
    values: Values
    before: Values | None
