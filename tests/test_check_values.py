"""What has one normal form in the kernel has one value, wherever it has values at all: random expressions, compared.

Values are real numbers, in floats, by the meaning of each node alone.  Every fourth point has zeros in it.
"""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import sympy

from symderiv import dims
from symderiv.check.facts import Facts
from symderiv.check.ring import Ring
from symderiv.check.terms import RefusedError
from symderiv.index.nodes import (
    Apply,
    Choice,
    Context,
    Definition,
    Delta,
    Entry,
    Extreme,
    Index,
    Plus,
    Power,
    Sum,
    Tensor,
    Times,
)

LENGTH, POINTS = 3, 8
n = dims.symbol("n")
i, j, k = (Index(name, n) for name in "ijk")
TRAITS = {"p": "positive", "q": "positive", "b": "binary", "s": "signs", "c": "counts", "y": "positive"}
ONE, TWO = sympy.Integer(1), sympy.Integer(2)
NUMBERS = [ONE, TWO, sympy.Integer(3), -ONE, -TWO, sympy.Rational(1, 2), sympy.Rational(-3, 2)]
EXPONENTS = [-ONE, -ONE, TWO, -TWO, sympy.Integer(3), sympy.Rational(1, 2), sympy.Rational(-1, 2)]
FUNCTIONS: dict[str, Callable[[float], float]] = {
    "abs": abs, "sign": lambda u: float(np.sign(u)), "exp": math.exp, "sin": math.sin, "cos": math.cos, "tan": math.tan,
    "sigmoid": lambda u: 1 / (1 + math.exp(-u)), "tanh": math.tanh, "relu": lambda u: max(u, 0.0), "log": math.log,
}  # fmt: skip


def text(name: str, indices: tuple[Index, ...], body: Any) -> Definition:
    return Definition(Tensor(name, *(x.size for x in indices)), indices, body)


def entry(name: str, *at: Index) -> Any:
    return Entry(Tensor(name, *(x.size for x in at)), *at)


DEFINITIONS = {
    d.tensor.name: d
    for d in (
        text("v", (i,), Times(TWO, entry("x", i), entry("y", i))),
        text("w", (i,), Plus(ONE, entry("x", i))),
        text("X", (i, j), Times(entry("x", i), Delta(i, j))),
        text("R", (i, j), Times(TWO, entry("x", i), entry("D", i, j), entry("y", j))),
        text("C", (i, j), Sum(Times(entry("D", i, k), entry("x", k), entry("D", j, k)), k)),
        *(Definition(Tensor(f"all {u}"), kind="prod", arguments=(Tensor(u, n),), axes=(0,)) for u in "xyvw"),
        *(Definition(Tensor(f"but {u}", n), kind="prodexcept", arguments=(Tensor(u, n),), axes=(0,)) for u in "xyvw"),
        *(
            Definition(Tensor(f"but two {u}", n, n), kind="prodexcept", arguments=(Tensor(u, n),), axes=(0,))
            for u in "xw"
        ),
        *(
            Definition(Tensor(f"{kind} {m}", *own), kind=kind, arguments=(Tensor(m, n, n),))
            for kind, own in (("det", ()), ("logdet", ()), ("inv", (n, n)))
            for m in "XRC"
        ),
    )
}
SCALARS = [d.tensor.name for d in DEFINITIONS.values() if not d.tensor.sizes]
VECTORS = ["x", "x", "y", *(d.tensor.name for d in DEFINITIONS.values() if len(d.tensor.sizes) == 1)]
MATRICES = ["D", *(d.tensor.name for d in DEFINITIONS.values() if len(d.tensor.sizes) == 2)]


class Drawn:
    """Random expressions, of numbers alone or of arrays at indices as well."""

    def __init__(self, seed: int, arrays: bool) -> None:
        self.rng, self.arrays = random.Random(seed), arrays

    def expression(self, depth: int, free: list[Index]) -> Any:
        rng = self.rng
        shapes = ["times", "times", "plus", "power", "power", "apply", "leaf"]
        shapes += ["sum", "sum", "times"] if self.arrays else ["apply", "apply", "general", "choice", "extreme"]
        shape = rng.choice(shapes) if depth else "leaf"
        some = (self.expression(depth - 1, free) for _ in range(4))
        match shape:
            case "times":
                return Times(next(some), next(some))
            case "plus":
                return Plus(next(some), next(some))
            case "power":
                return Power(next(some), rng.choice(EXPONENTS))
            case "general":
                return Power(next(some), next(some))
            case "apply":
                return Apply(rng.choice([*FUNCTIONS, "log", "sign", "abs"]), 0, next(some))
            case "choice":
                return Choice(rng.choice("<>"), *some)
            case "extreme":
                return Extreme(rng.choice(["maximum", "minimum"]), next(some), next(some))
            case "sum" if len(free) < LENGTH:
                bound = next(x for x in (i, j, k) if x not in free)
                return Sum(self.expression(depth - 1, [*free, bound]), bound)
        return self.leaf(free)

    def leaf(self, free: list[Index]) -> Any:
        rng = self.rng
        chance = rng.random()
        if chance < 0.2:
            return rng.choice(NUMBERS)
        if not self.arrays:
            return entry(rng.choice("tupqbsc"))
        if free and chance < 0.65:
            return entry(rng.choice(VECTORS), rng.choice(free))
        if free and chance < 0.75:
            return entry(rng.choice(MATRICES), rng.choice(free), rng.choice(free))
        if free and chance < 0.8:
            return Delta(rng.choice(free), rng.choice(free))
        return entry(rng.choice([*SCALARS, "p", "t", "s"]))


def drawn_point(rng: Any, zeros: bool) -> dict[str, Any]:
    """Return values of all arrays."""
    at: dict[str, Any] = {name: 1.5 * rng.normal() for name in "tu"} | {name: rng.uniform(0.2, 2.5) for name in "pq"}
    at |= {"b": float(rng.integers(0, 2)), "s": float(rng.choice([-1, 1])), "c": float(rng.integers(0, 3))}
    at |= {"x": 1.3 * rng.normal(size=LENGTH), "y": rng.uniform(0.3, 2, LENGTH), "D": rng.normal(size=(LENGTH, LENGTH))}
    if zeros:
        at["t"] = at["x"][rng.integers(0, LENGTH)] = 0.0
    x, y, d = at["x"], at["y"], at["D"]
    at |= {"v": 2 * x * y, "w": 1 + x, "X": np.diag(x), "R": 2 * x[:, None] * d * y, "C": d @ np.diag(x) @ d.T}
    for u in "xyvw":
        at[f"all {u}"] = at[u].prod()
        at[f"but {u}"] = np.array([np.delete(at[u], a).prod() for a in range(LENGTH)])
        at[f"but two {u}"] = np.array(
            [[(a != b) * np.delete(at[u], [a, b]).prod() for a in range(LENGTH)] for b in range(LENGTH)]
        )
    for m in "XRC":
        at[f"det {m}"] = np.linalg.det(at[m]) if x.all() else 0.0
        at[f"logdet {m}"] = math.log(abs(at[f"det {m}"])) if x.all() else math.nan
        at[f"inv {m}"] = np.linalg.inv(at[m]) if x.all() else np.full((LENGTH, LENGTH), math.nan)
    return at


def value(expr: Any, at: dict[str, Any], indices: dict[Index, int]) -> float:
    """Return the value of an expression; ValueError where it has none."""
    match expr:
        case Entry():
            return float(np.asarray(at[expr.tensor.name])[tuple(indices[x] for x in expr.indices)])
        case Delta():
            return float(indices[expr.args[0]] == indices[expr.args[1]])
        case Sum():
            places = itertools.product(range(LENGTH), repeat=len(expr.bound))
            return sum(value(expr.body, at, {**indices, **dict(zip(expr.bound, p, strict=True))}) for p in places)
    parts = [value(p, at, indices) for p in expr.args if not isinstance(p, sympy.Symbol)]
    match expr:
        case Times():
            return math.prod(parts)
        case Plus():
            return sum(parts)
        case Power():
            base, exponent = parts
            if (base == 0 and exponent <= 0) or (base < 0 and exponent != round(exponent)):
                raise ValueError("no real number")
            return float(base**exponent)
        case Apply():
            return FUNCTIONS[expr.name](parts[-1])
        case Choice():
            left, right, yes, no = parts
            if left != right and abs(left - right) < 1e-9:
                raise ValueError("a tie but for rounding")
            return yes if (left < right if expr.relation == "<" else left > right) else no
        case Extreme():
            return max(parts) if expr.kind == "maximum" else min(parts)
    return float(expr)


def values_of(expr: Any, points: list[dict[str, Any]], arrays: bool) -> list[float | None]:
    found: list[float | None] = []
    for at in points:
        for place in itertools.product(range(LENGTH), repeat=2 if arrays else 0):
            try:
                one = value(expr, at, dict(zip((i, j), place, strict=False)))
            except (ValueError, OverflowError, ZeroDivisionError):
                one = math.nan
            found.append(one if math.isfinite(one) and abs(one) < 1e8 else None)
    return found


@pytest.mark.parametrize(("arrays", "count"), [(False, 900), (True, 240)], ids=["numbers", "arrays"])
def test_one_normal_form_has_one_value(arrays: bool, count: int) -> None:
    facts = Facts(Context(DEFINITIONS, traits={name: frozenset({t}) for name, t in TRAITS.items()}))
    ways = [{}, {"factored": True}, {"by_exp": True}, {"stepped": True}]
    rings = [Ring(facts, **{key: on for key, on in way.items() if key != "stepped"}) for way in ways]
    rings[-1].stepped = True
    drawn, rng = Drawn(3, arrays), np.random.default_rng(3)
    points = [drawn_point(rng, turn % 4 == 3) for turn in range(POINTS)]
    known: dict[Any, tuple[Any, list[float | None]]] = {}
    compared = 0
    for turn in range(count):
        expr = drawn.expression(1 + turn % 3, [[i], [i, j], []][turn % 3] if arrays else [])
        values = values_of(expr, points, arrays)
        for number, ring in enumerate(rings):
            try:
                form = number, frozenset(ring.poly(expr).items())
            except RefusedError:
                continue
            other, wanted = known.setdefault(form, (expr, values))
            for a, b in zip(values, wanted, strict=True):
                if a is not None and b is not None and other is not expr:
                    assert abs(a - b) < 1e-6 * (1 + abs(b)), f"{expr} and {other}"
                    compared += 1
    assert compared > 1000
