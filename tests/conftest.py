"""What several test files use: a plain NumPy reading of the language, random arrays, differences.

Nothing here knows of the engine, so that a value is never held against itself; but for `decided`, which
decides each built-in handout once for all tests that read one.
"""

from __future__ import annotations

import functools
import itertools
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import settings
from plain_numpy import NAMES
from scipy import special
from sympy import Dummy, Integer, Symbol

SIZES = {"n": 3, "m": 4, "p": 2, "q": 5, "i": 3, "j": 4, "k": 2, "s": 1, "z": 1, "b": 2, "c": 3}

# The same examples in every run; `--hypothesis-profile=search` looks for new ones.
settings.register_profile("fixed", derandomize=True, database=None, deadline=None)
settings.register_profile("search", max_examples=2000, deadline=None)
settings.load_profile("fixed")


def read_shapes(text: str) -> dict[str, tuple[Any, ...]]:
    """Return the shapes of `X(n,p) w(p) c()`."""
    found = {}
    for name, inner in re.findall(r"(\w+)\(([^)]*)\)", text):
        parts = [p.strip() for p in inner.split(",") if p.strip()]
        found[name] = tuple(int(p) if p.isdigit() else p for p in parts)
    return found


def sample(shape: tuple[Any, ...], trait: str | None, sizes: dict[str, int], rng: np.random.Generator) -> np.ndarray:
    dims = tuple(s if isinstance(s, int) else sizes[s] for s in shape)
    a = rng.standard_normal(dims)
    match trait:
        case "positive":
            return np.abs(a) + 0.4
        case "open_unit":
            return rng.uniform(-0.8, 0.8, dims)
        case "symmetric":
            return (a + a.T) / 2
        case "diagonal":
            return np.diag(np.diag(a) + 2)
        case "positive_definite":
            return a @ a.T / dims[0] + np.eye(dims[0])
        case "invertible":
            return a / 4 + np.eye(dims[0])
    return np.asarray(a)


@pytest.fixture(scope="session")
def decided() -> Callable[[Path], Any]:
    """Return a handout with every claim decided, each source once in a run."""
    from symderiv.handout.build import read_and_decide

    return functools.cache(read_and_decide)


@pytest.fixture(scope="session")
def shapes_of() -> Callable[[str], dict[str, tuple[Any, ...]]]:
    return read_shapes


@pytest.fixture(scope="session")
def arrays() -> Callable[..., dict[str, np.ndarray]]:
    """`arrays("X(n,p) w(p)", {"S": "symmetric"})`: random arrays, sizes that all differ unless given."""

    def make(
        shapes: str, assume: dict[str, str] | None = None, sizes: dict[str, int] | None = None, seed: int = 0
    ) -> dict[str, np.ndarray]:
        rng = np.random.default_rng(seed)
        known = SIZES | (sizes or {})
        return {k: sample(s, (assume or {}).get(k), known, rng) for k, s in read_shapes(shapes).items()}

    return make


@pytest.fixture(scope="session")
def evaluate() -> Callable[..., np.ndarray]:
    """Return the value of a text in NumPy: sizes are read off the shapes."""

    def value(text: str, shapes: str, given: dict[str, Any], functions: dict[str, Any] | None = None) -> np.ndarray:
        sizes = {s: d for k, dims in read_shapes(shapes).items() for s, d in zip(dims, given[k].shape, strict=True)}
        space = {**NAMES, **sizes, **given, **(functions or {})}
        return np.asarray(eval(text, {"__builtins__": {}}, space), dtype=float)

    return value


@pytest.fixture(scope="session")
def slope_of() -> Callable[..., np.ndarray]:
    """Return ∂f/∂x by fourth-order central differences, shape f.shape + x.shape."""

    def slope(
        f: Callable[[dict[str, Any]], np.ndarray], at: dict[str, np.ndarray], name: str, h: float = 1e-3
    ) -> np.ndarray:
        x = np.asarray(at[name], dtype=float)
        columns = []
        for place in np.ndindex(x.shape):
            step = np.zeros(x.shape)
            step[place] = h
            near = [f({**at, name: x + t * step}) for t in (1, -1, 2, -2)]
            columns.append((8 * (near[0] - near[1]) - (near[2] - near[3])) / (12 * h))
        if not columns:
            return np.zeros((*np.shape(f(at)), *x.shape))
        shape = np.shape(columns[0])
        return np.stack(columns, axis=-1).reshape((*shape, *x.shape))

    return slope


# --- values of the two index notations, entry by entry


def all_but(a: np.ndarray, over: Sequence[int], order: int) -> np.ndarray:
    """Return the product over some axes of all entries but `order` different ones, 0 where they are not different.

    Axes: those of the array, the first entry that is left out at those it runs over; then those of each further one.
    """
    over, width = tuple(over), len(over)
    found = np.zeros(a.shape + tuple(a.shape[k] for k in over) * (order - 1))
    for place in np.ndindex(found.shape):
        later = [place[k : k + width] for k in range(a.ndim, found.ndim, width)]
        gone = {tuple(place[k] for k in over), *later}
        if len(gone) == order:
            along = [range(a.shape[k]) if k in over else (place[k],) for k in range(a.ndim)]
            kept = (at for at in itertools.product(*along) if tuple(at[k] for k in over) not in gone)
            found[place] = np.prod([a[at] for at in kept])
    return found


@pytest.fixture(scope="session", name="all_but")
def all_but_fixture() -> Callable[..., np.ndarray]:
    return all_but


def node_value(node: Any, given: dict[str, np.ndarray], sizes: dict[str, int]) -> np.ndarray:
    """Return the value of a node of the normal form, by the index definition of its kind."""

    def size(s: Any) -> int:
        return int(s.xreplace({x: Integer(sizes[str(x)]) for x in s.free_symbols}))

    def value(n: Any) -> np.ndarray:
        f = n.fields
        match type(n).__name__:
            case "Leaf":
                return given[n.name]
            case "Defined":
                return value(n.body)
            case "Delta":
                return np.eye(size(n.dims[0]))
            case "SizeOf":
                return np.asarray(float(size(n.size)))
            case "Contraction":
                letters = [chr(97 + k) for k in range(len(n.sizes))]
                parts = [np.ones(()), *(value(c) for c, _ in n.factors), *(np.ones(size(s)) for s in n.sizes)]
                inner = ["", *("".join(letters[s] for s in labels) for _, labels in n.factors), *letters]
                return float(n.coef) * np.einsum(",".join(inner) + "->" + "".join(letters[: n.rank]), *parts)
            case "Add":
                return np.asarray(sum(float(c) * value(t) for c, t in n.terms))
            case "Map":
                return np.asarray(NAMES[n.function](value(n.arg)))
            case "Pow":
                return np.asarray(value(n.base) ** float(n.exponent))
            case "Power":
                return np.asarray(value(n.base) ** value(n.exponent))
            case "Where":
                test = {"<": np.less, "<=": np.less_equal, ">": np.greater, ">=": np.greater_equal}[f[0]]
                return np.where(test(value(n.left), value(n.right)), value(n.yes), value(n.no))
            case "Extremum":
                return NAMES[n.kind](value(n.left), value(n.right))
            case "Inverse" | "Det" | "LogDet":
                a = value(n.arg)
                rows = int(np.prod(a.shape[: a.ndim // 2]))
                name = {"Inverse": "inv", "Det": "det", "LogDet": "logdet"}[type(n).__name__]
                found = NAMES[name](a.reshape(rows, rows))
                return found.reshape(a.shape) if name == "inv" else np.asarray(found)
            case "Softmax":
                return special.softmax(value(n.arg), axis=n.axes)
            case "LogSumExp":
                return np.asarray(special.logsumexp(value(n.arg), axis=n.axes))
            case "Prod":
                return np.asarray(np.prod(value(n.arg), axis=n.axes))
            case "ProdExcept":
                return all_but(value(n.arg), n.axes, n.order)
        raise AssertionError(type(n).__name__)

    return value(node)


@pytest.fixture(scope="session")
def value_of_node() -> Callable[..., np.ndarray]:
    return node_value


def entry_value(
    expr: Any,
    given: dict[str, np.ndarray],
    sizes: dict[str, int],
    at: dict[str, int],
    derivative: Callable[[Any, dict[str, int]], float] | None = None,
) -> float:
    """Return the value of an index expression with its free indices at the numbers `at`."""

    def number(e: Any) -> Any:
        return e.xreplace({s: Integer(sizes[str(s)]) for s in e.free_symbols})

    def value(e: Any, at: dict[str, int]) -> float:
        kind, args = type(e).__name__, e.args
        match kind:
            case "Entry":
                return float(given[e.tensor.name][tuple(at[i.name] for i in e.indices)])
            case "Delta":
                return float(at[args[0].name] == at[args[1].name])
            case "Times":
                return float(np.prod([value(a, at) for a in args]))
            case "Plus":
                return float(sum(value(a, at) for a in args))
            case "Power":
                return float(value(args[0], at) ** value(args[1], at))
            case "Sum":
                ranges = [range(int(number(i.size))) for i in e.bound]
                return float(
                    sum(
                        value(e.body, {**at, **dict(zip([i.name for i in e.bound], place, strict=True))})
                        for place in itertools.product(*ranges)
                    )
                )
            case "Apply":
                return float(NAMES[e.name](value(e.arg, at)))
            case "Choice":
                left, right = (value(p, at) for p in e.parts[:2])
                test = {"<": left < right, "<=": left <= right, ">": left > right, ">=": left >= right}[e.relation]
                return value(e.parts[2] if test else e.parts[3], at)
            case "Extreme":
                return float(NAMES[e.kind](*(value(p, at) for p in e.parts)))
            case "Immediate" | "Derivative":
                assert derivative is not None
                return derivative(e, at)
        return float(number(e))

    return value(expr, at)


@pytest.fixture(scope="session")
def value_of_entry() -> Callable[..., float]:
    return entry_value


# --- values of plain SymPy, class by class, as SymPy's manual defines them


class PlainValue:
    """Evaluates plain SymPy over NumPy arrays; `at` holds the numbers of indices, sizes and parameters."""

    def __init__(self, given: dict[str, Any], functions: dict[str, Any] | None = None) -> None:
        self.given, self.functions = given, functions or {}

    def matrix(self, expr: Any, at: dict[Any, float]) -> np.ndarray:
        args, of = expr.args, lambda e: self.matrix(e, at)
        match type(expr).__name__:
            case "MatrixSymbol":
                array = np.asarray(self.given[expr.name], dtype=float)
                return array.reshape([int(self.number(s, at)) for s in expr.shape])
            case "MatMul":
                scalars = [self.number(a, at) for a in args if not a.is_Matrix]
                return np.prod(scalars) * functools.reduce(np.matmul, [of(a) for a in args if a.is_Matrix])
            case "MatAdd":
                return sum(of(a) for a in args)
            case "Transpose":
                return of(args[0]).T
            case "Inverse":
                return np.linalg.inv(of(args[0]))
            case "MatPow":
                base = of(args[0])
                return base ** float(args[1]) if base.shape == (1, 1) else np.linalg.matrix_power(base, int(args[1]))
            case "HadamardProduct":
                return np.prod([of(a) for a in args], axis=0)
            case "HadamardPower":
                return np.power(*(of(a) if a.is_Matrix else self.number(a, at) for a in args))
            case "KroneckerProduct":
                return functools.reduce(np.kron, map(of, args))
            case "Identity":
                return np.eye(int(self.number(args[0], at)))
            case "OneMatrix" | "ZeroMatrix":
                shape = [int(self.number(a, at)) for a in args]
                return np.ones(shape) if type(expr).__name__ == "OneMatrix" else np.zeros(shape)
            case "DiagMatrix":
                return np.diag(of(args[0]).ravel())
            case "DiagonalMatrix":
                return np.diag(np.diag(of(args[0])))
            case "DiagonalOf":
                return np.diag(of(args[0]))[:, None]
            case "ElementwiseApplyFunction":
                inner, t = of(args[1]), Dummy("t", real=True)
                return np.vectorize(lambda v: self.number(expr.function(t), {**at, t: v}), otypes=[float])(inner)
            case "FunctionMatrix":
                rows, columns = (int(self.number(a, at)) for a in args[:2])
                i, j = args[2].variables
                return np.array(
                    [[self.number(args[2].expr, {**at, i: a, j: b}) for b in range(columns)] for a in range(rows)]
                )
        raise AssertionError(type(expr).__name__)

    def number(self, expr: Any, at: dict[Any, float]) -> float:
        args, of = expr.args, lambda e: self.number(e, at)
        if expr in at:
            return at[expr]
        name = type(expr).__name__
        if expr.is_Matrix:
            return self.matrix(expr, at).item()
        if expr.is_Number or expr.is_NumberSymbol:
            return float(expr)
        match name:
            case "Symbol" | "Dummy":
                return float(self.given[expr.name])
            case "Add":
                return sum(map(of, args))
            case "Mul":
                return float(np.prod([of(a) for a in args]))
            case "Pow":
                return of(args[0]) ** of(args[1])
            case "Trace":
                return float(np.trace(self.matrix(args[0], at)))
            case "Determinant":
                return float(np.linalg.det(self.matrix(args[0], at)))
            case "DotProduct":
                return float(np.vdot(*(self.matrix(a, at) for a in args)))
            case "MatrixElement":
                return float(self.matrix(args[0], at)[tuple(int(of(i)) for i in args[1:])])
            case "Indexed":
                return float(self.given[str(expr.base.label)][tuple(int(of(i)) for i in expr.indices)])
            case "KroneckerDelta":
                return float(of(args[0]) == of(args[1]))
            case "Sum" | "Product":
                ranges = [range(int(of(low)), int(of(high)) + 1) for _, low, high in expr.limits]
                letters = [limit[0] for limit in expr.limits]
                each = [self.number(expr.function, {**at, **dict(zip(letters, p, strict=True))})
                        for p in itertools.product(*ranges)]  # fmt: skip
                return float(np.sum(each) if name == "Sum" else np.prod(each))
            case "Piecewise":
                return next(of(value) for value, test in args if self.holds(test, at))
            case "Max" | "Min":
                return (max if name == "Max" else min)(map(of, args))
            case "Heaviside":
                return float(np.heaviside(of(args[0]), of(args[1])))
        if name in ("sec", "coth"):
            return float(1 / np.cos(of(args[0])) if name == "sec" else 1 / np.tanh(of(args[0])))
        known = {"asin": "arcsin", "acos": "arccos", "atan": "arctan", "Abs": "abs"}
        function = self.functions.get(name) or NAMES[known.get(name, name)]
        return float(function(*map(of, args)))

    def holds(self, test: Any, at: dict[Any, float]) -> bool:
        if test in (True, False):
            return bool(test)
        if type(test).__name__ == "And":
            return all(self.holds(part, at) for part in test.args)
        left, right = (self.number(a, at) for a in test.args)
        kind = type(test).__name__
        return {"StrictGreaterThan": left > right, "GreaterThan": left >= right, "StrictLessThan": left < right,
                "LessThan": left <= right, "Equality": left == right}[kind]  # fmt: skip


@pytest.fixture(scope="session")
def plain_value() -> Callable[..., np.ndarray]:
    """`plain_value(expr, given, sizes, free)`: the array that plain SymPy stands for, one axis for each free index.

    `free` are pairs of an index and its range; indices count from `first`.
    """

    def value(
        expr: Any, given: dict[str, Any], sizes: dict[str, int], free: Any = (), functions: Any = None, first: int = 0
    ) -> np.ndarray:
        at = {s: sizes[str(s)] for s in expr.atoms(Symbol) if str(s) in sizes}
        shifted = {k: np.asarray(v) if not first else Shifted(v, first) for k, v in given.items()}
        reader = PlainValue(shifted, functions)
        if expr.is_Matrix:
            return reader.matrix(expr, at)
        letters, ranges = [i for i, _ in free], [n for _, n in free]
        found = np.zeros(ranges)
        for place in np.ndindex(*ranges):
            found[place] = reader.number(expr, {**at, **{i: p + first for i, p in zip(letters, place, strict=True)}})
        return found

    return value


class Shifted:
    """An array whose entries are counted from 1."""

    def __init__(self, array: Any, first: int) -> None:
        self.array, self.first = np.asarray(array), first

    def __getitem__(self, place: tuple[int, ...]) -> Any:
        return self.array[tuple(p - self.first for p in place)]

    def __float__(self) -> float:
        return float(self.array)
