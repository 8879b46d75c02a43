"""Random well-shaped expressions, drawn from the top down: wanted are axes, and every production makes them.

An expression is drawn by asking for its axes and, where a function has a domain, for its kind:

- `any`: nothing is known of the entries;
- `positive`: every entry is greater than 0;
- `unit`: every entry lies between −1 and 1;
- `regular`: a square matrix that is invertible for almost all values of its variables.

A production turns a wish into wishes for its arguments; below a certain depth a leaf answers.  All chance
comes from :class:`Choices`, one whole number after the other, and 0 is the simplest answer everywhere: the
same grammar serves hypothesis, which shrinks towards 0, and a plain generator of random numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from random import Random
from typing import Literal, Protocol, TypeAlias, TypeVar

from symderiv import dims
from symderiv.dims import Size
from symderiv.tensor.expr import Axes, Axis, Expr
from symderiv.tensor.operations import ONE_AXIS, apply, joined
from symderiv.tensor.parse import number, size, variable

T = TypeVar("T")
Kind: TypeAlias = Literal["any", "positive", "unit", "regular"]

SIZES: tuple[Size, ...] = dims.shape(["n", "m", "p", 1, 2])
VECTORS = ("x", "y", "z", "w", "b", "u", "v", "lambda_", "out", "e", "k")
MATRICES = ("A", "B", "X", "W", "S", "E", "I", "N", "np", "P", "Q", "i")
SCALARS = ("c", "t", "alpha", "pi", "beta", "C")
TENSORS = ("T", "U", "V", "G", "H")
MOST_OF_ONE_SHAPE = 3

NUMBERS = tuple(Fraction(q) for q in ("2", "1", "3", "1/2", "-1", "1/3", "1/4", "0"))

TRAITS_OF_ENTRIES = ("positive", "open_unit", "probability", "signs", "binary", "counts", "real")
TRAITS_OF_SQUARES = (
    ("symmetric",), ("positive_definite",), ("diagonal",), ("invertible",), ("orthogonal",),
    ("diagonal", "positive_definite"), ("symmetric", "invertible"),
)  # fmt: skip
REGULAR = (("positive_definite",), ("invertible",), ("orthogonal",), ("symmetric", "invertible"))


class Choices(Protocol):
    """Where chance comes from."""

    def number(self, most: int) -> int:
        """Return a whole number from 0 to `most`; the smaller, the simpler what is drawn."""


@dataclass
class RandomChoices:
    """Choices from a generator of random numbers.

    >>> RandomChoices(Random(1)).number(9)
    2
    """

    random: Random

    def number(self, most: int) -> int:
        return self.random.randrange(most + 1)


@dataclass(frozen=True)
class Production:
    """One way to make an expression of some axes."""

    name: str
    kind: Kind
    fits: Callable[[Axes], bool]
    make: Callable[[Grammar, Axes, int], Expr]
    weight: int = 1


@dataclass
class Grammar:
    """One drawing: where chance comes from, what may be drawn, and what has been drawn so far.

    `budget` is the number of productions left; then only leaves are drawn.
    """

    choices: Choices
    productions: Sequence[Production]
    sizes: tuple[Size, ...] = SIZES
    traits: bool = True
    function: str = "h"
    composed: bool = True
    budget: int = 20
    variables: dict[str, Expr] = field(default_factory=dict)
    made: dict[Axes, list[Expr]] = field(default_factory=dict)

    # -- chance

    def pick(self, options: Sequence[T]) -> T:
        """Return one of the options; the first is the simplest."""
        return options[self.choices.number(len(options) - 1)]

    def one_in(self, times: int) -> bool:
        """Tell True once in so many times."""
        return self.choices.number(times - 1) == times - 1

    # -- axes

    def axis(self, composed: bool = True) -> Axis:
        """Return an axis: mostly one size, sometimes two in one, as in a `vec`; of size 1 less often."""
        if composed and self.composed and self.one_in(12):
            return joined((self._plain(), self._plain()))
        size = self._plain()
        return (self._plain() if size == 1 else size,)

    def _plain(self) -> Size:
        return self.pick(self.sizes)

    def axes(self, rank: int, composed: bool = True) -> Axes:
        """Return so many axes."""
        return tuple(self.axis(composed and rank < 3) for _ in range(rank))

    def operands(self, axes: Axes, count: int) -> list[Axes]:
        """Return axes of so many arrays that together are broadcast to `axes`.

        Each axis is that of one operand at least; others may have size 1 there, or, in front, no axis.
        """
        if not axes or not self.one_in(2):
            return [axes] * count
        kept = [[False] * len(axes) for _ in range(count)]
        for k in range(len(axes)):
            kept[self.choices.number(count - 1)][k] = True
            for row in kept:
                row[k] = row[k] or not self.one_in(2)
        result = []
        for row in kept:
            own = [axis if keep else ONE_AXIS for axis, keep in zip(axes, row, strict=True)]
            while own and not row[len(axes) - len(own)] and not self.one_in(4):
                own = own[1:]
            result.append(tuple(own))
        if all(len(own) < len(axes) for own in result):
            result[0] = axes
        return result

    # -- expressions

    def expression(self, axes: Axes, depth: int, kind: Kind = "any") -> Expr:
        """Return an expression with the axes; `depth` counts the productions above a leaf."""
        self.budget -= 1
        if depth <= 0 or self.budget < 0:
            return self.leaf(axes, kind)
        if kind == "any" and self.made.get(axes) and self.one_in(8):
            return self.pick(self.made[axes])
        fitting = [p for p in self.productions if p.kind == kind and p.fits(axes) for _ in range(p.weight)]
        place = self.choices.number(len(fitting))
        if not place:
            return self.leaf(axes, kind)
        result = fitting[place - 1].make(self, axes, depth - 1)
        assert result.axes == axes, (fitting[place - 1].name, result, axes)
        self.made.setdefault(axes, []).append(result)
        return result

    def leaf(self, axes: Axes, kind: Kind = "any") -> Expr:
        """Return an expression of the axes and the kind without a choice of productions."""
        if any(len(axis) > 1 for axis in axes):
            return self._composed_leaf(axes, kind)
        if kind == "any":
            return self._plain_leaf(axes)
        if kind == "positive" and not axes and self.one_in(2):
            return number(abs(self.pick(NUMBERS[:5])))
        return self.variable(axes, kind)

    def _plain_leaf(self, axes: Axes) -> Expr:
        if not self.one_in(7):
            return self.variable(axes)
        shape = tuple(axis[0] for axis in axes)
        if not shape:
            named = [s for s in self.sizes if s.is_Symbol]
            return size(self.pick(named)) if named and self.one_in(3) else number(self.pick(NUMBERS))
        if len(shape) == 2 and shape[0] == shape[1] and not self.one_in(3):
            return apply("eye", data=(shape[0],))
        return apply("zeros" if self.one_in(8) else "ones", data=(shape,))

    def _composed_leaf(self, axes: Axes, kind: Kind) -> Expr:
        """Return a vec, a kron or an outer product of leaves: composed axes come from nowhere else."""
        if len(axes) == 1:
            return apply("vec", self.leaf(tuple((atom,) for atom in reversed(axes[0])), kind))
        if len(axes) == 2 and all(len(axis) > 1 for axis in axes):
            first, second = tuple(axis[:1] for axis in axes), tuple(axis[1:] for axis in axes)
            return apply("kron", self.leaf(first, kind), self.leaf(second, kind))
        if kind == "regular":
            raise AssertionError("a matrix with axes composed in two ways is not square")
        if len(axes) == 2:
            return apply("outer", *(self.leaf((axis,), kind) for axis in axes))
        letters = "abcdefg"[: len(axes)]
        return apply("einsum", *(self.leaf((axis,), kind) for axis in axes), data=(f"{','.join(letters)}->{letters}",))

    # -- variables

    def variable(self, axes: Axes, kind: Kind = "any") -> Expr:
        """Return a variable of the kind, one that is there or a new one."""
        shape = tuple(axis[0] for axis in axes)
        known = [v for v in self.variables.values() if v.axes == axes and _is(v.data[1], kind)]
        if known and (len(known) >= MOST_OF_ONE_SHAPE or not self.one_in(1 + len(known))):
            return self.pick(known)
        new = variable(self._name(len(axes)), shape, frozenset(self._traits(axes, kind)))
        self.variables[new.name] = new
        return new

    def _name(self, rank: int) -> str:
        names = (SCALARS, VECTORS, MATRICES, TENSORS)[min(rank, 3)]
        free = [name for name in names if name not in self.variables]
        return free[0] if free and not self.one_in(4) else self.pick([*free, self._numbered(names[0])])

    def _numbered(self, name: str) -> str:
        k = 1
        while f"{name}{k}" in self.variables:
            k += 1
        return f"{name}{k}"

    def _traits(self, axes: Axes, kind: Kind) -> tuple[str, ...]:
        if kind == "positive":
            return (self.pick(["positive", "positive", "probability", "counts"]),)
        if kind == "unit":
            return (self.pick(["open_unit", "open_unit", "probability"]),)
        if kind == "regular":
            return self.pick(REGULAR)
        if not self.traits or not self.one_in(4):
            return ()
        options: list[tuple[str, ...]] = []
        if len(axes) == 2 and axes[0] == axes[1]:
            options += TRAITS_OF_SQUARES * 2
        if len(axes) == 1:
            options.append(("simplex",))
        if len(axes) == 2:
            options += [("simplex_rows",), ("one_hot_rows",)]
        return self.pick([*options, *((t,) for t in TRAITS_OF_ENTRIES)])


def _is(traits: frozenset[str], kind: Kind) -> bool:
    """Tell whether a variable with these assumptions has a kind."""
    if kind == "any":
        return True
    if kind == "regular":
        return frozenset(traits) in map(frozenset, REGULAR)
    return bool(
        traits & ({"positive", "probability", "counts"} if kind == "positive" else {"open_unit", "probability"})
    )
