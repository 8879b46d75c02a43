"""What a statement contains: its variables, sizes, indices, kinks and roots, before any number is chosen."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from functools import cached_property
from typing import TypeAlias

import sympy

from symderiv import dims
from symderiv.dims import Size
from symderiv.errors import ShapeError, UnsupportedError
from symderiv.tensor.expr import Axis, Expr, walk

Key: TypeAlias = tuple[str, str]

KINKED = frozenset({"abs", "sign", "relu"})
AS_NUMBERS = frozenset({"size", "mean", "matrix_power"})  # operations in which sizes may stand as numbers
MOST_SLOTS = 6


def number_of(size: Size, sizes: Mapping[str, int]) -> Fraction:
    """Return the value of a size such as `n`, `n*m` or `n - 1`."""
    if size.is_Rational:
        return Fraction(int(size.p), int(size.q))
    if size.is_Symbol:
        return Fraction(sizes[str(size)])
    values = [number_of(a, sizes) for a in size.args]
    if size.is_Mul or size.is_Add:
        result = values[0]
        for value in values[1:]:
            result = result * value if size.is_Mul else result + value
        return result
    if size.is_Pow and values[1].denominator == 1:
        return values[0] ** int(values[1])
    raise UnsupportedError(f"{size} is not a size")


def length(axis: Axis, sizes: Mapping[str, int]) -> int:
    """Return the number of entries along an axis."""
    result = 1
    for size in axis:
        result *= int(number_of(size, sizes))
    return result


def whole_exponent(node: Expr, sizes: Mapping[str, int]) -> int:
    """Return the exponent of a `matrix_power`: a literal, or one made of sizes."""
    (exponent,) = node.data
    return exponent if isinstance(exponent, int) else int(number_of(exponent, sizes))


def constant(node: Expr, sizes: Mapping[str, int]) -> Fraction | None:
    """Return the value of a scalar made of numbers and sizes only, and None for any other."""
    if node.op == "number":
        return Fraction(node.data[0])
    if node.op == "size":
        return number_of(node.data[0], sizes)
    if node.op not in ("neg", "add", "sub", "mul", "div", "power") or node.rank:
        return None
    values = [constant(a, sizes) for a in node.args]
    a, b = values[0], values[-1]
    if a is None or b is None:
        return None
    match node.op:
        case "neg":
            return -a
        case "add":
            return a + b
        case "sub":
            return a - b
        case "mul":
            return a * b
        case "div":
            return a / b if b else None
    exponent: Fraction = node.data[0]
    return a ** int(exponent) if exponent.denominator == 1 and (a or exponent > 0) else None


def key_of(node: Expr) -> Key:
    """Return what a derivative can be taken with respect to: a variable or a definition, by name."""
    if node.op not in ("var", "defined"):
        raise UnsupportedError("a derivative is taken with respect to a variable or a defined tensor")
    return node.op, node.name


class Reading:
    """The parts of a statement, given its sides; `slots` counts the derivatives the caller takes itself."""

    def __init__(self, *roots: Expr, slots: int = 0) -> None:
        self.roots = roots
        self.nodes = list(walk(*roots))
        self._depends: dict[Expr, frozenset[Key]] = {}
        for node in self.nodes:
            self.depends(node)
        self.variables = self._variables()
        self.slots = slots + max(map(self._depth, roots))
        if self.slots > MOST_SLOTS:
            raise UnsupportedError(f"a derivative of order {self.slots} is beyond what is checked")

    def _variables(self) -> dict[str, Expr]:
        """Return the variables by name, with all the traits that any mention of them has."""
        found: dict[str, Expr] = {}
        for node in self.nodes:
            if node.op == "var":
                old = found.get(node.name)
                if old is not None and old.shape != node.shape:
                    shapes = {"one": dims.written(old.shape), "other": dims.written(node.shape)}
                    raise ShapeError(f"{node.name} has two shapes", shapes=shapes)
                traits = node.data[1] | (old.data[1] if old is not None else frozenset())
                found[node.name] = Expr("var", (), (node.name, traits), node.axes)
        return found

    def depends(self, node: Expr) -> frozenset[Key]:
        """Return the variables and definitions that a node mentions, ("index", "") where it has a delta."""
        known = self._depends.get(node)
        if known is None:
            known = frozenset().union(*(self.depends(a) for a in node.args))
            if node.op in ("var", "defined"):
                known |= {key_of(node)}
            elif node.op in ("delta", "sum_over"):
                known |= {("index", "")}
            self._depends[node] = known
        return known

    def _depth(self, root: Expr) -> int:
        """Return how many derivatives are taken of one another."""
        depth: dict[Expr, int] = {}
        for node in walk(root):
            inner = [depth[a] for a in node.args]
            if node.op == "diff":
                inner[0] += len(node.args) - 1
            depth[node] = max(inner, default=0)
        return depth[root]

    @cached_property
    def symbols(self) -> tuple[str, ...]:
        """The names of the sizes, in order of appearance."""
        found: dict[str, None] = {}
        for node in self.nodes:
            parts = [size for axis in node.axes for size in axis]
            if node.op == "size" or (node.op == "matrix_power" and not isinstance(node.data[0], int)):
                parts.append(node.data[0])
            for part in parts:
                for symbol in sorted(part.free_symbols, key=str):
                    found[str(symbol)] = None
        return tuple(found)

    @cached_property
    def numeric_sizes(self) -> frozenset[str]:
        """The sizes that are used as numbers."""
        return frozenset(str(s) for node in self.nodes if node.op in AS_NUMBERS for s in _size_symbols(node))

    @cached_property
    def primes(self) -> frozenset[int]:
        """The primes in the numbers of the statement."""
        values = [node.data[0] for node in self.nodes if node.op in ("number", "power") and node.data[0]]
        parts = {part for v in values for part in (v.numerator, v.denominator) if abs(part) < 10**9}
        return frozenset(int(q) for part in parts for q in sympy.primefactors(abs(part)))

    @cached_property
    def kinks(self) -> tuple[Expr, ...]:
        """The nodes that choose a branch."""
        return tuple(
            node
            for node in self.nodes
            if node.op in ("where", "maximum", "minimum") or (node.op == "map" and node.data[0] in KINKED)
        )

    @cached_property
    def has_roots(self) -> bool:
        """Tell whether some part is defined for positive arguments only."""
        partly = {"sqrt", "norm", "general_power"}
        return any(
            node.op in partly
            or (node.op == "power" and node.data[0].denominator != 1)
            or (node.op == "map" and node.data[0] in ("arcsin", "arccos"))
            for node in self.nodes
        )

    @cached_property
    def log_height(self) -> int:
        """The most logarithms along a path from a root, each exponential counted against them.

        Where derivatives are taken, exponentials do not count: jets read their arguments at the same prime too.
        """
        down = 0 if self.slots else -1
        up = {"log": 1, "log1p": 1, "softplus": 1, "exp": down, "expm1": down}
        height: dict[Expr, int] = {}
        for node in self.nodes:
            step = (
                up.get(node.data[0], 0)
                if node.op == "map"
                else int(node.op in ("logsumexp", "logdet", "general_power"))
            )
            height[node] = max(0, step + max((height[a] for a in node.args), default=0))
        return max(height[root] for root in self.roots)

    @cached_property
    def opaque(self) -> tuple[str, ...]:
        """The functions without a polynomial meaning, by name, in order of appearance."""
        found: dict[str, None] = {}
        for node in self.nodes:
            if node.op == "map":
                found[node.data[0]] = None
            elif node.op == "unknown":
                found[node.name] = None
            elif node.op in ("softmax", "logsumexp"):
                found["exp"] = None
            elif node.op in ("norm", "sqrt") or (node.op == "power" and node.data[0].denominator != 1):
                found["sqrt" if node.op != "power" or node.data[0].denominator == 2 else "roots"] = None
            if node.op in ("logsumexp", "logdet"):
                found["log"] = None
            if node.op == "general_power":
                found["powers"] = None
        return tuple(name for name in found if name not in KINKED)


def _size_symbols(node: Expr) -> set[sympy.Symbol]:
    if node.op in ("size", "matrix_power"):
        return set() if isinstance(node.data[0], int) else set(node.data[0].free_symbols)
    gone = node.args[0].axes
    return {s for axis in gone for size in axis for s in size.free_symbols}
