"""The meaning of expressions over any number system: exact jets or floats supply the arithmetic.

Layout of every array: one axis of points, then one axis per derivative slot (the directions of that
derivative), one per index name (its values), then the axes of the expression.  An axis a value does not
depend on has length 1, save those of the expression, which are always full.

A derivative is a perturbation: in `diff(f, x)` the value of x is read as x + ε·e with one direction e per
entry of x, f is evaluated, and its ε-part is the derivative.  Where x is a defined tensor, ε is added after
its definition.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from math import prod
from typing import Generic, TypeAlias, TypeVar, cast

import numpy as np

from symderiv.check.field import Array
from symderiv.check.indices import Indices
from symderiv.check.reading import Key, Reading, key_of, length
from symderiv.errors import UnsupportedError
from symderiv.tensor.expr import Axes, Axis, Expr

V = TypeVar("V")


@dataclass(frozen=True)
class Slot:
    """A derivative being taken: its axis, its target, what is held, whether along one direction."""

    index: int
    target: Key
    shape: tuple[int, ...]
    held: frozenset[Key] = frozenset()
    directed: bool = False


Slots: TypeAlias = tuple[Slot, ...]
Ranges: TypeAlias = tuple[tuple[str, int], ...]


class Interpreter(ABC, Generic[V]):
    """Evaluates expressions; a subclass says how numbers are computed with."""

    def __init__(self, reading: Reading, indices: Indices, sizes: Mapping[str, int]) -> None:
        self.reading, self.indices, self.sizes = reading, indices, sizes
        self.lead = 1 + reading.slots + len(indices.names)
        self.place = {name: 1 + reading.slots + k for k, name in enumerate(indices.names)}
        self._lengths: dict[Axis, int] = {}
        self.free: Ranges = tuple(sorted((name, self.length(axis)) for name, axis in indices.free.items()))
        self._known: dict[tuple[Expr, Slots, Ranges | None], V] = {}

    # -- what a number system supplies

    @abstractmethod
    def number(self, value: Fraction) -> V:
        """Return a number, as a scalar."""

    @abstractmethod
    def variable(self, name: str) -> V:
        """Return the value of a variable at the points."""

    @abstractmethod
    def lifted(self, array: Array) -> V:
        """Return an array of constants in the layout, whose entries are numbers of this system."""

    @abstractmethod
    def perturbed(self, value: V, slot: Slot) -> V:
        """Return value + ε·e for the directions e of a slot."""

    @abstractmethod
    def extracted(self, value: V, slot: Slot) -> V:
        """Return the ε-part, its directions moved to the end as axes."""

    @abstractmethod
    def each(self, value: V, change: Callable[[Array], Array]) -> V:
        """Rearrange or sum entries: a linear map with coefficients 0 and 1."""

    @abstractmethod
    def add(self, a: V, b: V) -> V:
        """Return a + b."""

    @abstractmethod
    def negated(self, a: V) -> V:
        """Return −a."""

    @abstractmethod
    def multiplied(self, a: V, b: V) -> V:
        """Return a·b, entry by entry."""

    @abstractmethod
    def contracted(self, spec: str, a: V, b: V, terms: int) -> V:
        """Return the einsum of two arrays; each result sums `terms` products."""

    # -- evaluation

    def evaluate(self, node: Expr, slots: Slots = ()) -> V:
        """Return the value of a statement's side."""
        return self.prepared(node, slots, self.free)

    def prepared(self, node: Expr, slots: Slots, ranges: Ranges) -> V:
        """Return a value; what is below it is evaluated first, so that depth costs no recursion."""
        stack = [(node, False)]
        while stack:
            below, ready = stack.pop()
            if ready or below.op in ("diff", "sum_over"):  # these evaluate what is in them otherwise
                self.value(below, slots, ranges)
            elif self._key(below, slots, ranges) not in self._known:
                stack.append((below, True))
                stack.extend((a, False) for a in reversed(below.args))
        return self.value(node, slots, ranges)

    def _key(self, node: Expr, slots: Slots, ranges: Ranges) -> tuple[Expr, Slots, Ranges | None]:
        """Return what a value depends on: the derivatives that reach it, ranges where it has indices."""
        depends = self.reading.depends(node)
        if slots:
            slots = tuple(s for s in slots if s.target in depends and not (s.held and self._holds(s, node)))
        return node, slots, ranges if ("index", "") in depends else None

    def value(self, node: Expr, slots: Slots, ranges: Ranges) -> V:
        """Return the value of a node under the derivatives being taken."""
        key = self._key(node, slots, ranges)
        known = self._known.get(key)
        if known is None:
            known = self._known[key] = self._value(node, key[1], ranges)
        return known

    def _holds(self, slot: Slot, node: Expr) -> bool:
        return node.op == "defined" and key_of(node) in slot.held

    def _value(self, node: Expr, slots: Slots, ranges: Ranges) -> V:
        if node.op in ("var", "defined"):
            value = self.variable(node.name) if node.op == "var" else self.value(node.args[0], slots, ranges)
            for slot in slots:
                if slot.target == key_of(node):
                    value = self.perturbed(value, slot)
            return value
        meaning = getattr(self, f"op_{node.op}", None)
        if meaning is None:
            raise UnsupportedError(f"{node.op} cannot be checked")
        return cast(V, meaning(node, slots, ranges))

    def arguments(self, node: Expr, slots: Slots, ranges: Ranges) -> list[V]:
        """Return the values of the arguments."""
        return [self.value(a, slots, ranges) for a in node.args]

    # -- shapes

    def length(self, axis: Axis) -> int:
        """Return the number of entries along an axis."""
        known = self._lengths.get(axis)
        if known is None:
            known = self._lengths[axis] = length(axis, self.sizes)
        return known

    def shape(self, axes: Axes) -> tuple[int, ...]:
        """Return axes as numbers of entries."""
        return tuple(self.length(axis) for axis in axes)

    def reshaped(self, value: V, shape: tuple[int, ...]) -> V:
        """Return a value with the axes of the expression cut anew, row by row."""
        return self.each(value, lambda c: c.reshape(c.shape[: self.lead] + shape))

    def spread(self, value: V, node: Expr, axes: Axes) -> V:
        """Return a value broadcast to axes, as NumPy does."""
        old, new = self.shape(node.axes), self.shape(axes)
        if old == new:
            return value
        padded = (1,) * (len(new) - len(old)) + old

        def change(c: Array) -> Array:
            lead = c.shape[: self.lead]
            return np.broadcast_to(c.reshape(lead + padded), lead + new)

        return self.each(value, change)

    def wide(self, array: Array, node: Expr) -> Array:
        """Return an array in the layout with as many axes as a node has; what it lacks in front has length 1."""
        missing = self.lead + node.rank - array.ndim
        return array.reshape(array.shape[: self.lead] + (1,) * missing + array.shape[self.lead :])

    def filled(self, array: Array, value: Fraction = Fraction(1)) -> V:
        """Return a constant array of zeros and ones, times a number."""
        lead = (1,) * self.lead
        return self.each(
            self.number(value),
            lambda c: c.reshape(lead + (1,) * array.ndim) * array.reshape(lead + array.shape),
        )

    def total(self, value: V, axes: tuple[int, ...], keep: bool = False) -> V:
        """Return the sum over axes of the arrays."""
        return self.each(value, lambda c: c.sum(axis=axes, keepdims=keep)) if axes else value

    def along(self, value: V, rank: int, directions: list[Array]) -> V:
        """Return an array whose last axes are those of the directions, contracted with them."""
        for direction in reversed(directions):
            shape, entries = direction.shape[1:], prod(direction.shape[1:])
            rank -= len(shape)
            rows = self.each(value, lambda c, n=entries, r=rank: c.reshape(*c.shape[: self.lead + r], n))  # type: ignore[misc]
            row = self.lifted(direction.reshape(direction.shape[:1] + (1,) * (self.lead + rank - 1) + (entries,)))
            value = self.contracted("...i,...i->...", rows, row, entries)
        return value

    def unknown_entries(self, node: Expr, slots: Slots, ranges: Ranges) -> V:
        """Return the entries of all arguments of an unknown function, in one row."""
        if node.data[1:] and node.data[1]:
            raise UnsupportedError(f"a derivative of the unknown function {node.name} by the place of its argument")
        rows: list[V] = []
        counts: list[int] = []
        for arg in node.args:
            counts.append(prod(self.shape(arg.axes)))
            rows.append(self.reshaped(self.value(arg, slots, ranges), (counts[-1],)))
        total, result, start = sum(counts), None, 0
        for row, count in zip(rows, counts, strict=True):
            before, after = start, total - start - count

            def change(c: Array, before: int = before, after: int = after) -> Array:
                return np.pad(c, [(0, 0)] * self.lead + [(before, after)])

            wide = self.each(row, change)
            result = wide if result is None else self.add(result, wide)
            start += count
        if result is None:
            raise UnsupportedError(f"{node.name} has no arguments")
        return result
