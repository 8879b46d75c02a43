"""What a SymPy expression names: arrays, scalars, sizes, and indices with their ranges.

Names are compared as SymPy compares them: two different objects of one name are refused, and a bound
index is told from every other index by the sum that binds it, so equal letters never capture.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sympy
from sympy.core.relational import Relational
from sympy.matrices.expressions.applyfunc import ElementwiseApplyFunction
from sympy.matrices.expressions.matexpr import MatrixElement

from symderiv import dims
from symderiv.dims import Shape, Size
from symderiv.errors import ShapeError, UnsupportedError
from symderiv.tensor.origin import Origin

Slot = tuple[Any, ...]
ORDER = (sympy.Ge, sympy.Le, sympy.Gt, sympy.Lt)
Bound = Mapping[Any, str | None]  # index -> its label; None: the parameter of an entrywise function


class Survey:
    """Reads off the names of an expression; `given` are shapes that are known by name."""

    def __init__(self, expr: sympy.Basic, given: Mapping[str, Shape], free: Sequence[Any] = ()) -> None:
        self.symbols: dict[str, Any] = {}
        self.arrays: dict[str, int | Shape] = {}  # the shape, or the rank where that is to be found
        self.scalars: dict[str, None] = {}
        self.sizes: set[str] = set()
        self.free: dict[str, Any] = {}
        self.labels: dict[tuple[Any, Any], str] = {}
        self.first: set[int] = set()
        self.given = given
        self.indices = _indices(expr)
        self.ends: dict[str, list[set[Any]]] = {}  # what indices are said to be no less and no more than
        self.parent: dict[Slot, Slot] = {}
        self.known: dict[Slot, Size] = {}
        self.sizes.update(str(s) for shape in given.values() for size in shape for s in size.free_symbols)
        for index in free:
            self.label(index, {})
        self.scan(expr, {})
        own = [index_name(index) for index in free]
        self.free = {n: self.free[n] for n in [*own, *sorted(self.free.keys() - set(own), key=_alphabetical)]}
        for name in [n for n in self.scalars if n in self.sizes]:
            del self.scalars[name]
        for name in self.free:
            if name in self.scalars or name in self.sizes:
                raise number_of_index(name)

    # -- the walk

    def scan(self, expr: Any, bound: Bound) -> None:
        """Note every name below an expression."""
        match expr:
            case sympy.MatrixSymbol():
                self.register(expr.name, expr)
                self.arrays[expr.name] = tuple(self.size(s, bound) for s in expr.shape)
            case sympy.Sum() | sympy.Product():
                self.scan(expr.function, {**bound, **self.limits(expr, bound)})
            case sympy.Indexed():
                self.indexed(expr, bound)
            case MatrixElement():
                parent, *indices = expr.args
                self.scan(parent, bound)
                for index, size in zip(indices, parent.shape, strict=True):
                    if not index.is_Integer:
                        self.has_size(("index", self.label(index, bound)), self.size(size, bound))
            case sympy.KroneckerDelta():
                self.equal(*(("index", self.label(i, bound)) for i in expr.args[:2]))
                if len(expr.args) > 2:
                    low, high = expr.args[2]
                    self.has_size(("index", self.label(expr.args[0], bound)), self.span(low, high, "delta", bound))
            case Relational() if self.inside(expr):
                self.known_to_hold(expr, bound)
            case sympy.Eq() | sympy.Ne():
                self.equal(*(("index", self.label(i, bound)) for i in expr.args))
            case ElementwiseApplyFunction():
                self.scan(expr.expr, bound)
                function = expr.function
                if isinstance(function, sympy.Lambda):
                    self.scan(function.expr, {**bound, **dict.fromkeys(function.variables)})
            case sympy.FunctionMatrix():
                rows, columns, function = expr.args
                inner = dict(bound)
                for index, size in zip(function.variables, (rows, columns), strict=True):
                    inner[index] = self.bind(expr, index)
                    self.has_size(("index", inner[index]), self.size(size, bound))
                self.scan(function.expr, inner)
            case sympy.Identity() | sympy.ZeroMatrix() | sympy.OneMatrix():
                for size in expr.args:
                    self.size(size, bound)
            case sympy.MatPow() if expr.exp.free_symbols and expr.exp.is_integer and expr.shape != (1, 1):
                self.scan(expr.base, bound)
                for symbol in sorted(expr.exp.free_symbols, key=str):  # an exponent is made of sizes
                    self.size(symbol, bound)
            case sympy.Symbol() | sympy.Idx():
                if bound.get(expr, "") is None:
                    return
                if expr in bound or isinstance(expr, sympy.Idx):
                    raise number_of_index(str(expr))
                self.register(expr.name, expr)
                self.scalars[expr.name] = None
            case _:
                for part in expr.args:
                    self.scan(part, bound)

    def inside(self, condition: Any) -> bool:
        """Tell a condition about the value of an index, as SymPy writes them around a contracted δ."""
        return isinstance(condition, ORDER) and bool(set(condition.args) & self.indices)

    def known_to_hold(self, condition: Any, bound: Bound) -> None:
        """Note a condition such as `k <= n - 1`, which holds if k has no larger value."""
        low, high = condition.lts, condition.gts
        index, side = (high, 0) if high in self.indices else (low, 1)
        strict = int(isinstance(condition, (sympy.Gt, sympy.Lt)))
        limit = (low + strict if side == 0 else high - strict).xreplace(dict.fromkeys(self.indices, sympy.nan))
        own = limit.xreplace({s: dims.symbol(str(s)) for s in limit.free_symbols})
        ends = self.ends.setdefault(self.label(index, bound), [set(), set()])
        ends[side].add(own)

    def check_ends(self) -> None:
        """Refuse conditions on an index that do not hold for all of its values."""
        for label, (lows, highs) in self.ends.items():
            extent, first = self.range_of(label), max(self.first, default=0)
            if lows in ({0}, {1}) and highs:
                (first,) = map(int, lows)
                self.first.add(first)
            if lows - {first} or highs - {extent - 1 + first} or len(self.first) > 1:
                raise UnsupportedError(
                    f"a condition on the index {label.split('#')[0]} is not part of the language",
                    hint="an index runs over the whole of an axis; for one entry take a scalar of its own",
                )

    def limits(self, expr: Any, bound: Bound) -> dict[Any, str]:
        """Bind the indices of a sum or a product."""
        new: dict[Any, str] = {}
        kind = type(expr).__name__
        for index, low, high in expr.limits:
            new[index] = self.bind(expr, index)
            self.has_size(("index", new[index]), self.span(low, high, f"{kind} over {index}", bound))
        if len(new) < len(expr.limits):
            raise UnsupportedError(f"a {kind} of SymPy that binds one index twice", hint="give each index its own name")
        return new

    def span(self, low: Any, high: Any, what: str, bound: Bound) -> Size:
        """Return the number of values of an index that runs from `low` to `high`."""
        if low not in (0, 1):
            raise UnsupportedError(
                f"the {what} starts at {low}", hint="let every index run over a whole axis, from 0 or from 1"
            )
        self.first.add(int(low))
        if len(self.first) > 1:
            raise UnsupportedError(
                "some sums start at 0 and some at 1", hint="count the entries of all arrays from the same number"
            )
        return self.size(high + 1 - low, bound)

    def bind(self, expr: Any, index: Any) -> str:
        return self.labels.setdefault((expr, index), f"{index}#{len(self.labels) + 1}")

    def label(self, index: Any, bound: Bound) -> str:
        """Return the label of an index where it stands; one that is not bound here is free."""
        label = bound.get(index)
        if label is None and isinstance(index, sympy.Idx):
            label = bound.get(index.label)
        if label is not None:
            return label
        if index in bound or not isinstance(index, (sympy.Symbol, sympy.Idx)):
            raise UnsupportedError(
                f"the subscript {index} is not an index", hint="subscripts are single indices that run over an axis"
            )
        name = index_name(index)
        if any(index_name(b) == name for b in bound) or self.free.setdefault(name, index) != index:
            raise UnsupportedError(
                f"two different indices are called {name}", hint="use one SymPy object for one index throughout"
            )
        if isinstance(index, sympy.Idx) and index.upper is not None:
            self.has_size(("index", name), self.span(index.lower, index.upper, f"range of index {name}", bound))
        return name

    def indexed(self, expr: sympy.Indexed, bound: Bound) -> None:
        name, indices = str(expr.base.label), expr.indices
        self.register(name, expr.base)
        shape = self.given.get(name)
        if shape is None and expr.base.shape is not None:
            shape = tuple(self.size(s, bound) for s in expr.base.shape)
        if self.arrays.setdefault(name, len(indices) if shape is None else shape) != (
            len(indices) if shape is None else shape
        ) or (shape is not None and len(shape) != len(indices)):
            raise ShapeError(f"{name} has {len(indices)} subscripts in {expr} and another number of axes elsewhere")
        for axis, index in enumerate(indices):
            slot: Slot = ("axis", name, axis)
            if shape is not None:
                self.has_size(slot, shape[axis])
            if index.is_Integer:
                continue  # judged when it is read
            self.equal(slot, ("index", self.label(index, bound)))

    def register(self, name: str, symbol: Any) -> None:
        """Note the user's own object of a name; another one of the same name is refused."""
        if self.symbols.setdefault(name, symbol) != symbol:
            raise UnsupportedError(
                f"two different SymPy objects are called {name}",
                hint="a name means one thing: make the symbol once, with its assumptions and its shape, and reuse it",
            )

    def size(self, value: Any, bound: Bound) -> Size:
        """Return a size over symderiv's own symbols."""
        value = sympy.powsimp(value) if value.is_Mul else value
        parts = [base for base, _ in value.as_powers_dict().items()]
        if not all((p.is_Integer and p > 0) or isinstance(p, sympy.Symbol) for p in parts):
            raise UnsupportedError(
                f"{value} is not a size that symderiv knows", hint="a size is a positive integer or one symbol"
            )
        for s in value.free_symbols:
            if s in bound:
                raise UnsupportedError(f"a range that depends on the index {s}", hint="let every sum run over an axis")
            self.register(str(s), s)
            self.sizes.add(str(s))
        sized: Size = value.xreplace({s: dims.symbol(str(s)) for s in value.free_symbols})
        return sized

    # -- ranges: what must have one size

    def root(self, slot: Slot) -> Slot:
        while slot in self.parent:
            slot = self.parent[slot]
        return slot

    def has_size(self, slot: Slot, size: Size) -> None:
        """Note the size of an axis or the range of an index."""
        slot = self.root(slot)
        if self.known.setdefault(slot, size) != size:
            sizes = f"{self.known[slot]} and {size}"
            raise ShapeError(f"{_said(slot)} has the sizes {sizes}", hint="an index runs over the whole of an axis")

    def equal(self, left: Slot, right: Slot) -> None:
        """Note that two axes or indices run over the same range."""
        a, b = self.root(left), self.root(right)
        if a == b:
            return
        if a in self.known and b in self.known and self.known[a] != self.known[b]:
            raise ShapeError(
                f"{_said(left)} runs over {self.known[a]}, {_said(right)} over {self.known[b]}",
                hint="an index runs over the whole of each axis that it stands at",
            )
        size = self.known.get(a, self.known.get(b))
        self.parent[a] = b
        if size is not None:
            self.known[b] = size

    def range_of(self, label: str) -> Size:
        """Return the range of an index."""
        size = self.known.get(self.root(("index", label)))
        if size is None:
            raise UnsupportedError(
                f"the range of index {label.split('#')[0]} is not known",
                hint='give the IndexedBase a shape, the index a range (Idx("i", n)), or shapes={"x": ("n",)}',
            )
        return size

    def shapes(self) -> dict[str, Shape]:
        """Return the shape of every array and scalar."""
        found: dict[str, Shape] = {}
        for name, shape in self.arrays.items():
            if isinstance(shape, int):
                sizes = [self.known.get(self.root(("axis", name, axis))) for axis in range(shape)]
                if None in sizes:
                    raise UnsupportedError(
                        f"the shape of {name} is not known",
                        hint=f'write IndexedBase("{name}", shape=(…)), or shapes={{"{name}": (…)}}',
                    )
                shape = tuple(s for s in sizes if s is not None)
            found[name] = shape
        return {**found, **{name: () for name in self.scalars}}

    def origin(self) -> Origin:
        """Return the user's own symbols."""
        return Origin({**self.symbols, **self.free}, tuple(self.free.values()), max(self.first, default=0))


def index_name(index: Any) -> str:
    """Return the name of an index."""
    return str(index.label if isinstance(index, sympy.Idx) else index)


def _indices(expr: Any) -> set[Any]:
    """Return every symbol that stands as an index somewhere in an expression."""
    places = [e.indices for e in expr.atoms(sympy.Indexed)] + [e.args[:2] for e in expr.atoms(sympy.KroneckerDelta)]
    places += [e.args[1:] for e in expr.atoms(MatrixElement)]
    places += [[limit[0] for limit in e.limits] for e in expr.atoms(sympy.Sum, sympy.Product)]
    return {s for place in places for s in place if isinstance(s, (sympy.Symbol, sympy.Idx))}


def _alphabetical(name: str) -> tuple[str, int, str]:
    """Order names by the alphabet, `i2` before `i10`."""
    letters = name.rstrip("0123456789")
    return letters, int(name[len(letters) :] or 0), name


def number_of_index(name: str) -> UnsupportedError:
    """Return the refusal of an index that stands as a number."""
    return UnsupportedError(f"the index {name} stands as a number", hint="an index stands only as a subscript")


def _said(slot: Slot) -> str:
    if slot[0] == "index":
        return f"index {slot[1].split('#')[0]}"
    return f"axis {slot[2]} of {slot[1]}"
