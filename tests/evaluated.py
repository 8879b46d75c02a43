"""Values of index expressions at numbers, by their meaning alone: an equality of a proof is true, or it is not.

Nothing is simplified and no law is used: sums are added up, derivatives are central differences in 100 digits, the
total one through all definitions, the immediate one with every other definition held. What the kernel accepts can so
be told true from false without the kernel.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import mpmath
import numpy as np
import sympy

from symderiv.index.nodes import (
    Apply,
    Choice,
    Context,
    Definition,
    Delta,
    Derivative,
    Entry,
    Extreme,
    Immediate,
    Index,
    IndexExpr,
    Plus,
    Power,
    Structured,
    Sum,
    Times,
    free_indices,
)

DIGITS, STEP, CLOSE = 100, mpmath.mpf("1e-16"), mpmath.mpf("1e-22")
MOST_PLACES = 8
FEW = 3  # sizes that can all differ and be small
Shift = tuple[str, tuple[int, ...], Any]

FUNCTIONS: dict[str, Callable[[Any], Any]] = {
    "exp": mpmath.exp, "log": mpmath.log, "log1p": lambda u: mpmath.log(1 + u), "expm1": lambda u: mpmath.exp(u) - 1,
    "sin": mpmath.sin, "cos": mpmath.cos, "tan": mpmath.tan, "arcsin": mpmath.asin, "arccos": mpmath.acos,
    "arctan": mpmath.atan, "sinh": mpmath.sinh, "cosh": mpmath.cosh, "tanh": mpmath.tanh,
    "sigmoid": lambda u: 1 / (1 + mpmath.exp(-u)), "softplus": lambda u: mpmath.log(1 + mpmath.exp(u)),
    "abs": abs, "sign": mpmath.sign, "relu": lambda u: u if u > 0 else mpmath.mpf(0),
}  # fmt: skip
RELATIONS: dict[str, Callable[[Any, Any], bool]] = {
    "<": lambda a, b: a < b, "<=": lambda a, b: a <= b, ">": lambda a, b: a > b, ">=": lambda a, b: a >= b,
}  # fmt: skip


class UndefinedError(Exception):
    """At this point something has no value."""


class Point:
    """Sizes, and a value for every variable that honours what is declared of it."""

    def __init__(self, context: Context, sizes: Mapping[str, int], seed: int, positive: bool) -> None:
        self.context, self.sizes, self.seed, self.positive = context, dict(sizes), seed, positive
        self.variables: dict[str, Any] = {}

    def size(self, size: Any) -> int:
        return int(size.subs({s: self.sizes[s.name] for s in size.free_symbols}) if size.free_symbols else size)

    def shape(self, sizes: Iterable[Any]) -> tuple[int, ...]:
        return tuple(map(self.size, sizes))

    def variable(self, head: Any) -> Any:
        if head.name not in self.variables:
            rng = random.Random(f"{self.seed} {head.name}")
            traits = self.context.traits.get(head.name, frozenset())
            self.variables[head.name] = sample(traits, self.shape(head.sizes), rng, self.positive)
        return self.variables[head.name]


def array(shape: tuple[int, ...], draw: Callable[[], Any]) -> Any:
    values = np.empty(shape, dtype=object)
    for place in np.ndindex(shape):
        values[place] = mpmath.mpf(draw())
    return values


def sample(traits: frozenset[str], shape: tuple[int, ...], rng: random.Random, positive: bool) -> Any:
    """Return random numbers under the traits."""
    low = 0.2 if positive or traits & {"positive", "open_unit", "probability", "simplex", "simplex_rows"} else -1.2
    a = array(shape, lambda: rng.uniform(low, 0.9 if traits & {"open_unit", "probability"} else 1.2))
    last = shape[-1] if shape else 1
    if traits & {"counts", "binary"}:
        a = array(shape, lambda: rng.randrange(2 if "binary" in traits else 4))
    if "signs" in traits:
        a = array(shape, lambda: rng.choice((-1, 1)))
    if traits & {"simplex", "simplex_rows"}:
        a = a / a.sum(axis=-1, keepdims=True)
    if "one_hot_rows" in traits:
        a = a * 0
        for row in np.ndindex(shape[:-1]):
            a[(*row, rng.randrange(last))] = mpmath.mpf(1)
    if "diagonal" in traits:
        a = a * np.eye(last, dtype=int)
    if "positive_definite" in traits:
        a = a @ a.T + np.eye(last, dtype=int)
    if "symmetric" in traits:
        a = a + a.T
    if "orthogonal" in traits and shape:
        skew, one = a - a.T, np.eye(last, dtype=int)
        a = (one - skew) @ inverse(one + skew)
    elif "orthogonal" in traits:
        a = array(shape, lambda: rng.choice((-1, 1)))
    return a


def inverse(a: Any) -> Any:
    rows = mpmath.matrix(a.tolist()) ** -1
    return array_of([[rows[i, j] for j in range(rows.cols)] for i in range(rows.rows)])


def array_of(rows: Any) -> Any:
    values = np.empty((len(rows), len(rows[0])), dtype=object)
    values[:] = rows
    return values


class Values:
    """The value of every head at a point, entries shifted, definitions of the chain held at what they were."""

    def __init__(self, point: Point, shifts: tuple[Shift, ...] = (), held: Values | None = None, but: str = "") -> None:
        self.point, self.shifts, self.held, self.but = point, shifts, held, but
        self.known: dict[str, Any] = {}
        self.moved: dict[Any, Values] = {}

    # -- heads

    def head(self, head: Any) -> Any:
        if head.name not in self.known:
            value = self.own(head)
            for name, at, by in self.shifts:
                if name == head.name:
                    value = value.copy()
                    value[at] = value[at] + by
            self.known[head.name] = value
        return self.known[head.name]

    def own(self, head: Any) -> Any:
        context = self.point.context
        if self.held is not None and head.name in context.chain and head.name != self.but:
            return self.held.head(head)
        definition = context.definitions.get(head.name) or context.chain.get(head.name)
        itself = definition is not None and definition.body == Entry(definition.tensor, *definition.indices)
        if definition is None or (itself and not definition.kind):
            return self.point.variable(head)
        if definition.kind:
            return self.of_kind(definition)
        value = np.empty(self.point.shape(head.sizes), dtype=object)
        for place in np.ndindex(value.shape):
            at = dict(zip((i.name for i in definition.indices), place, strict=True))
            value[place] = self.value(definition.body, at)
        return value

    def of_kind(self, definition: Definition) -> Any:
        if definition.kind == "derivative":
            return self.named_derivative(definition)
        if definition.kind == "unknown":
            return self.unknown(definition)
        u = self.head(definition.arguments[0])
        if definition.kind in ("softmax", "logsumexp", "prod", "prodexcept"):
            return along(definition, u, self.point.shape(definition.tensor.sizes))
        half = u.ndim // 2
        rows = int(np.prod(u.shape[:half], dtype=int))
        square = u.reshape(rows, rows)
        matrix = mpmath.matrix(square.tolist())
        match definition.kind:
            case "inv":
                return inverse(square).reshape(u.shape)
            case "det":
                return whole(mpmath.det(matrix))
            case "logdet":
                return whole(mpmath.log(abs(mpmath.det(matrix))))
        power = self.point.size(definition.exponent)
        result, factor = np.eye(rows, dtype=int) * mpmath.mpf(1), square if power >= 0 else inverse(square)
        for _ in range(abs(power)):
            result = result @ factor
        return result.reshape(u.shape)

    def named_derivative(self, definition: Definition) -> Any:
        free = self.held.with_shifts(self.shifts) if self.held is not None else self
        indices = [[Index(f"·{n}{k}", s) for k, s in enumerate(a.sizes)] for n, a in enumerate(definition.arguments)]
        expr: Any = Entry(definition.arguments[0], *indices[0])
        for a, at in zip(definition.arguments[1:], indices[1:], strict=True):
            expr = Derivative(expr, Entry(a, *at))
        value = np.empty(self.point.shape(definition.tensor.sizes), dtype=object)
        names = [i.name for at in indices for i in at]
        for place in np.ndindex(value.shape):
            value[place] = free.value(expr, dict(zip(names, place, strict=True)))
        return value

    def unknown(self, definition: Definition) -> Any:
        """A sum of sines of the entries of the arguments stands for a function, its derivatives are exact."""
        arrays = [self.head(a) for a in definition.arguments]
        shape = self.point.shape(definition.tensor.sizes)
        slots = [arrays[k].shape for k in definition.axes]
        own = shape[: len(shape) - sum(map(len, slots))]
        value = np.empty(shape, dtype=object)
        for place in np.ndindex(shape):
            total, at = mpmath.mpf(0), place[len(own) :]
            for n in range(3):
                rng = random.Random(f"{definition.function} {place[: len(own)]} {n}")
                scale, angle = rng.uniform(0.5, 1.5), rng.uniform(0, 3)
                weights = [array(a.shape, lambda rng=rng: rng.uniform(-1, 1)) for a in arrays]
                phase = angle + sum((np.sum(w * a) for w, a in zip(weights, arrays, strict=True)), mpmath.mpf(0))
                slope, left = mpmath.mpf(scale), at
                for k, extent in zip(definition.axes, slots, strict=True):
                    slope, left = slope * weights[k][left[: len(extent)]], left[len(extent) :]
                total += slope * mpmath.sin(phase + len(slots) * mpmath.pi / 2)
            value[place] = total
        return value

    # -- expressions

    def value(self, expr: Any, at: Mapping[str, int], own: bool = False) -> Any:
        """Return a number; `own` tells that `∂P[i]/∂x` of a definition P means that of P's own text."""
        match expr:
            case Entry():
                return self.head(expr.tensor)[tuple(at[i.name] for i in expr.indices)]
            case Delta():
                return mpmath.mpf(at[expr.args[0].name] == at[expr.args[1].name])
            case Times():
                result = mpmath.mpf(1)
                for a in expr.args:
                    result *= self.value(a, at, own)
                return result
            case Plus():
                return sum((self.value(a, at, own) for a in expr.args), mpmath.mpf(0))
            case Sum():
                names = [b.name for b in expr.bound]
                spread = (range(self.point.size(b.size)) for b in expr.bound)
                places = itertools.product(*spread)
                return sum(
                    (self.value(expr.body, {**at, **dict(zip(names, p, strict=True))}, own) for p in places),
                    mpmath.mpf(0),
                )
            case Power():
                return power(self.value(expr.base, at, own), self.value(expr.exponent, at, own))
            case Apply():
                return self.function(expr.name, expr.order, self.value(expr.arg, at, own))
            case Choice():
                left, right = (real(self.value(p, at, own)) for p in expr.parts[:2])
                return self.value(expr.parts[2 if RELATIONS[expr.relation](left, right) else 3], at, own)
            case Extreme():
                both = [real(self.value(p, at, own)) for p in expr.parts]
                return max(both) if expr.kind == "maximum" else min(both)
            case Structured():
                return self.over_free_entries(expr, at)
            case Immediate():
                return self.immediate(expr, at, own)
            case Derivative():
                return self.difference(lambda v: v.value(expr.of, at), self, *self.entry(expr, at))
        if isinstance(expr, IndexExpr):
            raise UndefinedError(f"{expr} is no value")
        if isinstance(expr, sympy.Rational):
            return mpmath.mpf(int(expr.p)) / int(expr.q)
        return mpmath.mpf(self.point.size(expr))

    def function(self, name: str, order: int, u: Any) -> Any:
        if name in FUNCTIONS and not order:
            return FUNCTIONS[name](real(u) if name in ("abs", "sign", "relu") else u)
        rng = random.Random(name)
        terms = ((rng.uniform(0.5, 1.5), rng.uniform(0.5, 1.5), rng.uniform(0, 3)) for _ in range(3))
        return sum(
            (a * mpmath.mpf(w) ** order * mpmath.sin(w * u + b + order * mpmath.pi / 2) for a, w, b in terms),
            mpmath.mpf(0),
        )

    # -- derivatives

    def entry(self, expr: Any, at: Mapping[str, int]) -> tuple[str, tuple[int, ...]]:
        return expr.entry.tensor.name, tuple(at[i.name] for i in expr.entry.indices)

    def difference(self, f: Callable[[Values], Any], values: Values, name: str, place: tuple[int, ...]) -> Any:
        above, below = (values.with_shifts(((name, place, by),)) for by in (STEP, -STEP))
        return (f(above) - f(below)) / (2 * STEP)

    def with_shifts(self, shifts: tuple[Shift, ...]) -> Values:
        if shifts not in self.moved:
            self.moved[shifts] = Values(self.point, self.shifts + shifts, self.held, self.but)
        return self.moved[shifts]

    def immediate(self, expr: Any, at: Mapping[str, int], own: bool) -> Any:
        of, (name, place) = expr.of, self.entry(expr, at)
        own_text = own and isinstance(of, Entry) and of.tensor.name in self.point.context.chain
        but = of.tensor.name if own_text and of.tensor.name != name else ""
        key = ("held", but)
        if key not in self.moved:
            self.moved[key] = Values(self.point, (), self, but)
        return self.difference(lambda v: v.value(of, at), self.moved[key], name, place)

    def over_free_entries(self, expr: Any, at: Mapping[str, int]) -> Any:
        name, (i, j) = self.entry(expr, at)
        if i != j and "diagonal" in self.point.context.traits.get(name, ()):
            return mpmath.mpf(0)
        both = {(i, j), (j, i)}
        above, below = (self.with_shifts(tuple((name, p, by) for p in sorted(both))) for by in (STEP, -STEP))
        return (above.value(expr.of, at) - below.value(expr.of, at)) / (2 * STEP)


def whole(value: Any) -> Any:
    result = np.empty((), dtype=object)
    result[()] = value
    return result


def real(value: Any) -> Any:
    if isinstance(value, mpmath.mpc):
        raise UndefinedError("a complex number is compared")
    return value


def power(base: Any, exponent: Any) -> Any:
    if base == 0 and exponent <= 0:
        if exponent == 0:
            return mpmath.mpf(1)
        raise UndefinedError("division by 0")
    return base**exponent


def along(definition: Definition, u: Any, shape: tuple[int, ...]) -> Any:
    """Return a function along axes."""
    axes = definition.axes
    moved = np.moveaxis(u, axes, range(-len(axes), 0))
    outer, inner = moved.shape[: u.ndim - len(axes)], moved.shape[u.ndim - len(axes) :]
    value = np.empty(shape, dtype=object)
    for place in np.ndindex(shape):
        kept = tuple(p for k, p in enumerate(place[: u.ndim]) if k not in axes)
        if definition.kind in ("logsumexp", "prod"):
            kept = place
        row = {p: moved[(*kept, *p)] for p in np.ndindex(inner)} if outer or inner else {}
        if definition.kind in ("softmax", "logsumexp"):
            total = sum(map(mpmath.exp, row.values()), mpmath.mpf(0))
            value[place] = mpmath.exp(u[place]) / total if definition.kind == "softmax" else mpmath.log(total)
            continue
        gone: list[tuple[int, ...]] = []
        if definition.kind == "prodexcept":
            later, width = place[u.ndim :], len(axes)
            gone = [tuple(place[a] for a in axes)]
            gone += [tuple(later[k : k + width]) for k in range(0, len(later), width)]
        result = mpmath.mpf(len(set(gone)) == len(gone))
        for p, factor in row.items():
            if p not in gone:
                result *= factor
        value[place] = result
    return value


# ---------------------------------------------------------------- equalities


def symbols(exprs: Iterable[Any], context: Context) -> list[str]:
    """Return the names of the sizes that stand in expressions and definitions."""
    found: set[str] = set()
    tables = (*context.definitions.values(), *context.chain.values())
    heads = [t for d in tables for t in (d.tensor, *d.arguments)]
    bodies = [p for d in tables for p in (d.body, d.exponent) if p is not None]
    for expr in (*exprs, *heads, *bodies):
        found |= {s.name for s in expr.atoms(sympy.Symbol) if s.is_integer and s.is_positive}
    return sorted(found)


Link = tuple[Any, Any, bool]  # two expressions that a step says are equal; whether ∂P/∂x means that of P's own text


def holds(links: Iterable[Link], context: Context, seed: int, points: int = 2) -> bool | None:
    """Tell whether all pairs are equal at points of unequal sizes; None where no point has values."""
    links = list(links)
    names = symbols((e for one, other, _ in links for e in (one, other)), context)
    tried = 0
    with mpmath.workdps(DIGITS):
        for turn in range(4 * points):
            rng = random.Random(f"{seed} {turn}")
            few = len(names) <= FEW
            drawn = rng.sample(range(2, 2 + FEW), len(names)) if few else rng.choices((2, 3), k=len(names))
            sizes = dict(zip(names, drawn, strict=True))
            try:
                if not all(
                    _equal(link, Values(Point(context, sizes, seed + turn, turn % 2 == 1)), rng) for link in links
                ):
                    return False
            except (UndefinedError, ZeroDivisionError, ValueError):
                continue
            tried += 1
            if tried == points:
                return True
    return None


def _equal(link: Link, values: Values, rng: random.Random) -> bool:
    left, right, own = link
    free = sorted(free_indices(left) | free_indices(right), key=lambda i: i.name)
    places = list(itertools.product(*(range(values.point.size(i.size)) for i in free)))
    for place in rng.sample(places, min(len(places), MOST_PLACES)):
        at = dict(zip((i.name for i in free), place, strict=True))
        a, b = values.value(left, at, own), values.value(right, at, own)
        if abs(a - b) > CLOSE * (1 + abs(a) + abs(b)):
            return False
    return True
