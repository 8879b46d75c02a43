"""Programs with loops, as data: assignments and loops over members of families.

The expressions of a program are those of the matrix language.  Members of families stand in them as variables
under their own names (`h[t - 1]`); a :class:`Place` says where each is kept, which may differ from one loop to
the next.  A loop counts from 0.  :mod:`symderiv.code.loop_writer` writes a program as NumPy.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from symderiv.code.source import Argument
from symderiv.families import Label
from symderiv.tensor.expr import Expr
from symderiv.tensor.text import FunctionName
from symderiv.windows.dependence import Key

TEMPORARY = ("u", "v", "r", "s")  # names for intermediate results


@dataclass(frozen=True)
class Slice:
    """Rows of an array: from one on, up to another, which counts from the end where it is negative."""

    start: Label | None
    stop: Label | None


ROW = Slice(None, None)  # all of a row that a loop has at hand


@dataclass(frozen=True)
class Place:
    """Where a value is kept: a name, or a row of an array, counted from 0, or several rows."""

    name: str
    row: Label | Slice | None = None


@dataclass
class Assign:
    """`target = value`, or with a sign `target += value`."""

    target: Place
    value: Expr
    sign: str = ""
    key: Key | None = None  # what is computed; none for an adjoint


@dataclass
class Loop:
    """Turns of a loop, `variable` from 0 up to `count`, or down; or through the rows of arrays, each under a name."""

    variable: Label
    count: Label
    backward: bool = False
    body: list[Item] = field(default_factory=list)
    places: dict[str, Place] = field(default_factory=dict)
    over: Sequence[tuple[str, Place]] = ()


Item: TypeAlias = Assign | Loop


@dataclass(frozen=True)
class Members:
    """The members of a family that an argument brings: one, or those of labels `low` … `high` as rows."""

    family: str
    low: Label
    high: Label | None = None


@dataclass
class Program:
    """A function with loops; `places` are those of names outside of all loops."""

    name: str
    arguments: Sequence[Argument]
    items: list[Item]
    results: Sequence[Expr]
    summary: str
    notes: Sequence[str] = ()
    places: dict[str, Place] = field(default_factory=dict)
    functions: Mapping[FunctionName, str] = field(default_factory=dict)
    labels: Sequence[str] = ()  # what the results are, where there are several
    members: Mapping[str, Members] = field(default_factory=dict)  # by the arguments that bring them

    def values(self) -> Iterator[Expr]:
        """Yield every expression of the program."""
        yield from _values(self.items)
        yield from self.results


def _values(items: Sequence[Item]) -> Iterator[Expr]:
    for item in items:
        if isinstance(item, Assign):
            yield item.value
        else:
            yield from _values(item.body)
