"""Tables of numbers: `table(expr, minimum=(E, w), sizes={N: 8})`, computed when a document is made.

The arrays are random, of a fixed seed.  Where a minimum is asked for, the named weights are moved to one by Newton's
method with the gradient and the Hessian that were generated; the steps are damped where the function is not convex.
Every number of a table is compared with the definitions themselves, as :mod:`symderiv.check` evaluates them:
derivatives are there those of floats, by complex steps and differences.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
import sympy

from symderiv.check.indices import Indices
from symderiv.check.numeric import Numeric, relative_error
from symderiv.check.points import MOODS, coordinates, realised, stream
from symderiv.check.reading import Reading, number_of
from symderiv.claims.first import over_all
from symderiv.code.compiled import compiled
from symderiv.code.numpy import function_source
from symderiv.code.source import Argument, Source
from symderiv.dims import Size
from symderiv.errors import UnknownNameError, UnsupportedError
from symderiv.lift import lift
from symderiv.lower import index_ranges, lower
from symderiv.statements.block import Names, Statement
from symderiv.statements.meaning import meaning, simplified
from symderiv.statements.worlds import Unrolled
from symderiv.tensor.expr import Expr, walk

TOLERANCE = 1e-8
SEEDS = 50
STARTS = 6
MOST_STEPS = 80
FAR = 20.0  # weights that have no minimum within this are given up
FLAT = 1e-10  # the gradient at a minimum, relative to the function
LEAST_CURVATURE = 1e-6

Values = dict[str, Any]
Plain = Callable[[Expr], Expr]


@dataclass(frozen=True)
class Table:
    """The numbers: for each expression its array; free indices are axes of it, after its own."""

    exprs: tuple[Expr, ...]
    arrays: tuple[tuple[tuple[int, ...], tuple[float, ...]], ...]  # shape and entries
    free: tuple[str, ...]
    sizes: tuple[tuple[str, int], ...]
    seed: int
    error: float  # of the generated code, relative, against the definitions
    weights: tuple[tuple[str, tuple[int, ...], tuple[float, ...]], ...] = ()  # at the minimum: name, shape, entries

    @property
    def agrees(self) -> bool:
        """Tell whether the generated code does what the definitions say."""
        return self.error <= TOLERANCE

    def array(self, which: int) -> Any:
        """Return one of the arrays."""
        shape, entries = self.arrays[which]
        return np.array(entries).reshape(shape)


def tabulated(statement: Statement, names: Names, plain: Plain) -> Table:
    """Return the numbers that a statement asks for; `plain` writes expressions for the checks.

    The arrays are those of the first seed for which the minimum that is asked for was found.
    """
    sizes = dict(statement.sizes)
    exprs, minimum = _read(statement, names, sizes)
    given = _Given((*exprs, *minimum), names, sizes)
    values = given.values(0)
    seed = 0
    if minimum:
        seed, values = _at_minimum(_Landscape(minimum[0], minimum[1:], given))
    free = tuple(dict.fromkeys(n for e in exprs for n in index_ranges(e) if n in _free(e)))
    ranges = index_ranges(*exprs)
    arrays = [over_all(lower(simplified(e), meaning(ranges), ranges), free, ranges) for e in exprs]
    found = given.function([lift(node) for node in arrays])(values)
    wanted = given.by_definition([plain(e) for e in exprs], free, values)
    error = max(relative_error(f, w) for f, w in zip(found, wanted, strict=True))
    kept = tuple(_kept(f) for f in found)
    weights = tuple((w.name, *_kept(values[w.name])) for w in minimum[1:])
    return Table(exprs, kept, free, tuple(sizes.items()), seed, error, weights)


def _kept(array: Any) -> tuple[tuple[int, ...], tuple[float, ...]]:
    return np.shape(array), tuple(float(x) for x in np.ravel(array))


def _at_minimum(landscape: _Landscape) -> tuple[int, Values]:
    """Return the first seed of random arrays for which a minimum was found, and the arrays with the weights there."""
    for seed in range(SEEDS):
        landscape.values = landscape.given.values(seed)
        found = _minimum(landscape, seed)
        if found is not None:
            return seed, landscape.values | found
    raise UnsupportedError("no strict minimum was found", hint="give more data than there are weights")


def _read(statement: Statement, names: Names, sizes: Mapping[str, int]) -> tuple[tuple[Expr, ...], tuple[Expr, ...]]:
    """Return the expressions, and what is minimised with its weights; families are written out."""
    if not statement.open:
        return statement.exprs, statement.minimum
    values = {names.scope.sizes[n]: sympy.Integer(k) for n, k in sizes.items() if n in names.scope.sizes}
    reader = Unrolled(names, values).reader()
    assert statement.node is not None
    again = reader.tabled(statement.node)
    return again.exprs, again.minimum


def _free(expr: Expr) -> set[str]:
    return set(lower(expr, meaning(index_ranges(expr)), index_ranges(expr)).free)


class _Given:
    """Random arrays for all variables, and functions of them."""

    def __init__(self, exprs: Sequence[Expr], names: Names, sizes: Mapping[str, int]) -> None:
        self.sizes = dict(sizes)
        self.variables: dict[str, Expr] = {}
        for e in walk(*exprs):
            if e.op == "unknown" or (e.op == "map" and (e.data[0], 0) in names.scope.functions.values()):
                raise UnsupportedError(
                    f"{e.name} has no formula, so that nothing can be computed",
                    hint=f"a table needs functions with a formula: write tanh for {e.name}, say",
                )
            if e.op == "var":
                self.variables[e.name] = e
            for size in (*e.shape, *_numbers(e)):
                self.known(size)

    def values(self, seed: int) -> Values:
        """Return random arrays that obey what is declared of them."""
        found = {}
        for name, x in self.variables.items():
            z, u = coordinates(x, self.shape(x), 1, stream(seed, "table", name))
            found[name] = realised(x, z, u, [MOODS[0]])[0]
        return found

    def known(self, size: Size) -> None:
        """Refuse a size without a value."""
        missing = sorted(str(s) for s in size.free_symbols if str(s) not in self.sizes)
        if missing:
            raise UnknownNameError(f"the size {missing[0]} has no value", hint=f"write sizes={{{missing[0]}: 3}}")

    def shape(self, x: Expr) -> tuple[int, ...]:
        """Return the shape of an array."""
        return tuple(int(number_of(s, self.sizes)) for s in x.shape)

    def function(self, results: Sequence[Expr]) -> Callable[[Values], tuple[Any, ...]]:
        """Return the generated function of some expressions, which holds no derivatives any more."""
        texts = [_text(e) for e in results]
        found = {e.name: e.shape for e in walk(*texts) if e.op == "var"}
        arguments = [Argument(n, s) for n, s in found.items()]
        needed = {str(s) for e in walk(*texts) for size in (*e.shape, *_numbers(e)) for s in size.free_symbols}
        held = {str(s) for shape in found.values() for s in shape if getattr(s, "is_Symbol", False)}
        arguments += [Argument(n, is_size=True) for n in sorted(needed - held)]
        if not all(n.isidentifier() for n in found):
            raise UnsupportedError("a table names members of families", hint="write the family as one array")
        source = function_source(Source("values", arguments, texts, "Return the numbers of a table."))
        call = compiled(source, "values")

        def evaluate(values: Values) -> tuple[Any, ...]:
            given = {a.name: self.sizes[a.name] if a.is_size else values[a.name] for a in arguments}
            with np.errstate(all="ignore"):  # what is not defined there stands in the table as nan
                result = call(**given)
            return result if len(texts) > 1 else (result,)

        return evaluate

    def by_definition(self, exprs: Sequence[Expr], free: Sequence[str], values: Values) -> list[Any]:
        """Return the values of the definitions, as the checks compute them; free indices are the last axes."""
        reading, indices = Reading(*exprs), Indices(*exprs)
        on = Numeric(reading, indices, self.sizes, {n: values[n][None] for n in reading.variables})
        lengths = {n: prod(int(number_of(s, self.sizes)) for s in axis) for n, axis in indices.free.items()}
        found = []
        for expr in exprs:
            value = on.evaluate(expr).real[0][(0,) * reading.slots]
            lead = [lengths[n] if n in free else 1 for n in indices.names]
            value = np.broadcast_to(value, (*lead, *value.shape[len(lead) :]))
            order = [indices.names.index(n) for n in free]
            rest = [k for k in range(len(lead)) if k not in order]
            value = value[tuple(0 if k in rest else slice(None) for k in range(len(lead)))]
            kept = [n for n in indices.names if n in free]
            value = np.moveaxis(value, [kept.index(n) for n in free], range(value.ndim - len(free), value.ndim))
            found.append(value)
        return found


def _numbers(expr: Expr) -> tuple[Size, ...]:
    """Return the sizes that an expression names as numbers."""
    return (expr.data[0],) if expr.op == "size" else ()


def _text(expr: Expr) -> Expr:
    """Return an expression with the texts of its definitions put in."""
    new: dict[Expr, Expr] = {}
    for node in walk(expr):
        args = tuple(new[a] for a in node.args)
        if node.op in ("defined", "called"):
            new[node] = args[0]
        else:
            new[node] = node.with_args(args)
    return new[expr]


# ---------------------------------------------------------------- a minimum


def _minimum(landscape: _Landscape, seed: int) -> Values | None:
    """Return values of the weights at a strict minimum, found by damped Newton steps; none where there was none."""
    for start in range(STARTS):
        pieces = [stream(seed, "start", start, w.name).standard_normal(n) for w, n in landscape.parts]
        found = _descended(landscape, np.concatenate(pieces))
        if found is not None:
            return landscape.weights(found)
    return None


class _Landscape:
    """A function of weights in one vector: its value, gradient and Hessian, by generated code."""

    def __init__(self, function: Expr, weights: Sequence[Expr], given: _Given) -> None:
        self.given = given
        self.shapes = [given.shape(w) for w in weights]
        self.parts = [(w, prod(s)) for w, s in zip(weights, self.shapes, strict=True)]
        slopes = [Expr("diff", (function, w), ("total",), w.axes) for w in weights]
        second = [Expr("diff", (function, v, w), ("total",), (*v.axes, *w.axes)) for v in weights for w in weights]
        nodes = [lower(e, meaning()).node for e in (function, *slopes, *second)]
        self.function = given.function([lift(n) for n in nodes])
        self.values: Values = {}

    def weights(self, theta: Any) -> Values:
        """Return the weights apart."""
        ends = np.cumsum([n for _, n in self.parts])[:-1]
        pieces = zip(self.parts, self.shapes, np.split(theta, ends), strict=True)
        return {w.name: piece.reshape(shape) for (w, _), shape, piece in pieces}

    def at(self, theta: Any) -> tuple[float, Any, Any]:
        """Return value, gradient and Hessian."""
        value, *rest = self.function(self.values | self.weights(theta))
        count = len(self.parts)
        gradient = np.concatenate([np.ravel(g) for g in rest[:count]])
        rows = [rest[count * (k + 1) : count * (k + 2)] for k in range(count)]
        blocks = [[np.reshape(h, (m, n)) for h, (_, n) in zip(row, self.parts, strict=True)]
                  for row, (_, m) in zip(rows, self.parts, strict=True)]  # fmt: skip
        return float(value), gradient, np.block(blocks)


def _descended(landscape: _Landscape, theta: Any) -> Any | None:
    """Return the minimum that Newton's steps lead to; none where they lead far out, or to no strict minimum."""
    value, gradient, hessian = landscape.at(theta)
    for _ in range(MOST_STEPS):
        curvature, directions = np.linalg.eigh((hessian + hessian.T) / 2)
        step = -directions @ ((directions.T @ gradient) / np.maximum(np.abs(curvature), 1e-3))
        if np.max(np.abs(gradient)) <= FLAT * (1 + abs(value)):
            strict = curvature[0] > LEAST_CURVATURE * curvature[-1]
            return theta + step if strict else None  # one step more than is needed: all digits that are printed
        length = 1.0
        while True:
            new = landscape.at(theta + length * step)
            if new[0] <= value + 1e-4 * length * (gradient @ step) or length < 1e-9:
                break
            length /= 2
        theta = theta + length * step
        value, gradient, hessian = new
        if not np.isfinite(value) or np.max(np.abs(theta)) > FAR:
            return None
    return None
