"""Free and summed indices: which range each has, found from where it subscripts.

An index that only stands in a `delta` has the range of its partner.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from symderiv import dims
from symderiv.errors import ShapeError
from symderiv.tensor.expr import Axis, Expr, walk


@dataclass
class Ranges:
    """The axes of index names, and classes of names that share an axis."""

    axes: dict[str, Axis] = field(default_factory=dict)
    classes: list[set[str]] = field(default_factory=list)

    def join(self, names: Iterable[str]) -> None:
        """Let the names share one axis."""
        merged = set(names)
        apart = []
        for known in self.classes:
            if known & merged:
                merged |= known
            else:
                apart.append(known)
        self.classes = [*apart, merged]

    def give(self, name: str, axis: Axis) -> None:
        """Let a name have an axis; an index has one range."""
        old = self.axes.setdefault(name, axis)
        if dims.product(old) != dims.product(axis):
            raise ShapeError(
                f"index {name} has two ranges", shapes={"one": dims.written(old), "other": dims.written(axis)}
            )

    def add(self, other: Ranges, without: frozenset[str] = frozenset()) -> None:
        """Take over what is known of other names."""
        for names in other.classes:
            known = [other.axes[n] for n in sorted(names) if n in other.axes]
            left = names - without
            if left:
                self.join(left)
                for axis in known:
                    self.give(min(left), axis)

    def settled(self) -> dict[str, Axis]:
        """Return the axis of each name, as far as it is known here."""
        result: dict[str, Axis] = {}
        for names in self.classes:
            known = [self.axes[n] for n in sorted(names) if n in self.axes]
            for axis in known[1:]:
                if dims.product(axis) != dims.product(known[0]):
                    shapes = {"one": dims.written(known[0]), "other": dims.written(axis)}
                    raise ShapeError(f"indices {', '.join(sorted(names))} meet in a delta", shapes=shapes)
            if known:
                result.update(dict.fromkeys(names, known[0]))
        return result


class Indices:
    """The indices of a statement: `free` ones with their axes, and `names` of all, in a fixed order."""

    def __init__(self, *roots: Expr) -> None:
        self._known: dict[Expr, Ranges] = {}
        everything = Ranges()
        names: dict[str, None] = {}
        for node in walk(*roots):
            self._known[node] = self._read(node)
            if node.op in ("entry", "delta", "sum_over"):
                names.update(dict.fromkeys(n for n in node.data if n is not None))
        for root in roots:
            everything.add(self._known[root])
        self.names = tuple(names)
        self.free = everything.settled()
        for known in everything.classes:
            for name in sorted(known - set(self.free)):
                raise ShapeError(f"index {name} has no range", hint="let it subscript an array somewhere")

    def _read(self, node: Expr) -> Ranges:
        result = Ranges()
        without = frozenset(node.data) if node.op == "sum_over" else frozenset()
        for arg in node.args:
            result.add(self._known[arg], without)
        if node.op == "entry":
            for name, axis in zip(node.data, node.args[0].axes, strict=True):
                if name is not None:
                    result.join([name])
                    result.give(name, axis)
        elif node.op == "delta":
            result.join(node.data)
        return result

    def bound(self, node: Expr, around: Mapping[str, int], length: Callable[[Axis], int]) -> dict[str, int]:
        """Return the ranges inside a `sum_over`, given those around it."""
        inner = self._known[node.args[0]]
        settled = inner.settled()
        result = dict(around)
        for name in node.data:
            partners = next((c for c in inner.classes if name in c), set())
            outside = [around[n] for n in sorted(partners - set(node.data)) if n in around]
            if name in settled:
                result[name] = length(settled[name])
            elif outside:
                result[name] = outside[0]
            else:
                raise ShapeError(f"index {name} has no range", hint="let it subscript an array in the sum")
        return result
