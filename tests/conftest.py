"""What several test files use: a plain NumPy reading of the language, random arrays, differences.

Nothing here knows of the engine, so that a value is never held against itself.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import settings
from scipy import special
from sympy import Integer

SIZES = {"n": 3, "m": 4, "p": 2, "q": 5, "i": 3, "j": 4, "k": 2, "s": 1, "z": 1, "b": 2, "c": 3}

# The same examples in every run; `--hypothesis-profile=search` looks for new ones.
settings.register_profile("fixed", derandomize=True, database=None, deadline=None)
settings.register_profile("search", max_examples=2000, deadline=None)
settings.load_profile("fixed")

NAMES: dict[str, Any] = {
    name: getattr(np, name)
    for name in [
        "exp",
        "log",
        "log1p",
        "expm1",
        "sqrt",
        "sin",
        "cos",
        "tan",
        "arcsin",
        "arccos",
        "arctan",
        "sinh",
        "cosh",
        "tanh",
        "abs",
        "sign",
        "sum",
        "mean",
        "prod",
        "trace",
        "outer",
        "inner",
        "dot",
        "kron",
        "diag",
        "eye",
        "einsum",
        "maximum",
        "minimum",
        "where",
        "transpose",
        "reshape",
    ]
} | {
    "np": np,
    "det": np.linalg.det,
    "inv": np.linalg.inv,
    "solve": np.linalg.solve,
    "logdet": lambda a: np.linalg.slogdet(a)[1],
    "matrix_power": np.linalg.matrix_power,
    "norm": lambda x: np.sqrt(np.sum(x * x)),
    "vec": lambda x: x.T.reshape(-1),
    "ones": lambda *n: np.ones(n),
    "zeros": lambda *n: np.zeros(n),
    "sigmoid": special.expit,
    "relu": lambda x: np.maximum(x, 0.0),
    "softplus": lambda x: np.logaddexp(x, 0.0),
    "softmax": lambda x, axis: special.softmax(x, axis=axis),
    "logsumexp": lambda x, axis=None: special.logsumexp(x, axis=axis),
}


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
