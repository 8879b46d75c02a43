"""Points on every branch of abs, sign, relu, maximum, minimum and where, of both sides of a claim.

One walks along random lines through the points that the assumptions allow.  Wherever a comparison changes its
sign there is a boundary; between two neighbouring boundaries, however close, lies a combination of branches,
and a point is taken there.  So `abs(x) < 1.5` against `abs(x) < 1` meets a point between 1 and 1.5.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from symderiv.check.field import Array
from symderiv.check.indices import Indices
from symderiv.check.numeric import Numeric
from symderiv.check.points import coordinates, realised, stream
from symderiv.check.reading import Reading
from symderiv.tensor.expr import Expr

LINES = 3
GRID = 81
MOST_BOUNDARIES = 48
MOST_POINTS = 24
REFINEMENTS = 10
THINNEST = 1e-7


@dataclass(frozen=True)
class Visited:
    """The points taken, by variable; and in words the branches that no point met."""

    points: dict[str, Array]
    count: int
    missing: tuple[str, ...]


class Line:
    """The points z₀ + t z₁ of the coordinates."""

    def __init__(self, reading: Reading, indices: Indices, sizes: Mapping[str, int], seed: int, number: int) -> None:
        self.reading, self.indices, self.sizes = reading, indices, sizes
        self.parts: dict[str, tuple[Expr, Array, Array, Array]] = {}
        shape_of = Numeric(reading, indices, sizes, {}).shape
        for name, variable in reading.variables.items():
            rng = stream(seed, "line", number, name)
            z, u = coordinates(variable, shape_of(variable.axes), 2, rng)
            self.parts[name] = variable, z[:1], z[1:], u[:1]

    def at(self, ts: Array) -> dict[str, Array]:
        """Return the values of the variables at parameters t."""
        result = {}
        for name, (variable, start, way, u) in self.parts.items():
            t = ts.reshape(-1, *(1,) * (start.ndim - 1))
            us = np.broadcast_to(u, (len(ts), *u.shape[1:]))
            result[name] = realised(variable, start + t * way, us, [(1.0, "real")])
        return result

    def compared(self, ts: Array) -> dict[tuple[Expr, Expr | None], Array]:
        """Return left − right of every comparison, as (points, entries); nan where a side is undefined."""
        numeric = Numeric(self.reading, self.indices, self.sizes, self.at(ts))
        fine = np.ones(len(ts), dtype=bool)
        for root in self.reading.roots:
            value = np.broadcast_to(numeric.evaluate(root), (len(ts), *numeric.evaluate(root).shape[1:]))
            fine &= np.isfinite(value).reshape(len(ts), -1).any(axis=1)
        found = {}
        for key, value in numeric.differences.items():
            rows = np.broadcast_to(value, (len(ts), *value.shape[1:])).reshape(len(ts), -1)
            found[key] = np.where(fine[:, None], rows, np.nan)
        return found

    def boundaries(self, ts: Array) -> Array:
        """Return the parameters where a comparison changes its sign, refined by the Illinois method."""
        values = self.compared(ts)
        brackets = []
        for key, rows in values.items():
            steps, entries = np.nonzero(np.sign(rows[1:]) * np.sign(rows[:-1]) < 0)
            brackets += [
                (key, e, ts[k], ts[k + 1], rows[k, e], rows[k + 1, e]) for k, e in zip(steps, entries, strict=True)
            ]
        if len(brackets) > MOST_BOUNDARIES:
            pick = np.linspace(0, len(brackets) - 1, MOST_BOUNDARIES).astype(int)
            brackets = [brackets[k] for k in pick]
        if not brackets:
            return np.zeros(0)
        a, b, fa, fb = (np.array([x[k] for x in brackets]) for k in (2, 3, 4, 5))
        spots = [(x[0], int(x[1])) for x in brackets]
        with np.errstate(all="ignore"):
            for _ in range(REFINEMENTS):
                middle = np.where(np.abs(fb - fa) > 0, (a * fb - b * fa) / (fb - fa), (a + b) / 2)
                new = self.compared(middle)
                fm = np.array([new[key][k, e] for k, (key, e) in enumerate(spots)])
                if np.all(np.abs(fm) <= 1e-14 * (1 + np.abs(fa) + np.abs(fb))):
                    return np.sort(middle)
                left = np.sign(fm) == np.sign(fa)  # nan counts as the right end
                fb, fa = np.where(left, fb / 2, fb), np.where(left, fa, fa / 2)
                a, fa = np.where(left, middle, a), np.where(left, fm, fa)
                b, fb = np.where(left, b, middle), np.where(left, fb, fm)
        return np.sort(middle[np.isfinite(middle)])


def visit(reading: Reading, indices: Indices, sizes: Mapping[str, int], seed: int, lines: int = LINES) -> Visited:
    """Return points of every combination of branches found along a few lines."""
    largest = max([1.0, *(abs(float(n.data[0])) for n in reading.nodes if n.op == "number")])
    reach = np.arcsinh(30 * min(largest, 1e6))
    ts = np.sinh(np.linspace(-reach, reach, GRID) + 0.013)
    rows: dict[str, list[Array]] = {name: [] for name in reading.variables}
    outcomes: dict[tuple[Expr, Expr | None], set[int]] = {}
    met: set[tuple[int, int]] = set()
    count = 0
    for number in range(lines):
        line = Line(reading, indices, sizes, seed, number)
        boundaries = line.boundaries(ts)
        ends = np.array([ts[0], *boundaries, ts[-1]])
        gaps = np.diff(ends)
        middles = ((ends[1:] + ends[:-1]) / 2)[gaps > THINNEST * (1 + np.abs(ends[1:]))]
        chosen = _chosen(line.compared(middles), met, outcomes, MOST_POINTS - count)
        if chosen:
            for name, value in line.at(middles[chosen]).items():
                rows[name].append(value)
            count += len(chosen)
    points = {name: np.concatenate(found) for name, found in rows.items() if found}
    return Visited(points, count, tuple(_missing(reading, outcomes)))


def _chosen(
    compared: dict[tuple[Expr, Expr | None], Array],
    met: set[tuple[int, int]],
    outcomes: dict[tuple[Expr, Expr | None], set[int]],
    most: int,
) -> list[int]:
    """Return the points that add a combination of branches not met so far, and enter what they meet."""
    groups: dict[int, Array] = {}
    for key, value in compared.items():
        side = np.where(np.isfinite(value), np.sign(value), 0).astype(np.int64)
        outcomes.setdefault(key, set()).update(np.unique(side).tolist())
        code = groups.get(side.shape[1], np.zeros_like(side))
        groups[side.shape[1]] = (3 * code + side + 1) % (1 << 60)
    patterns = [
        {(width, int(c)) for width, code in groups.items() for c in code[k]}
        for k in range(len(next(iter(groups.values()), [])))
    ]
    chosen: list[int] = []
    while len(chosen) < most and patterns:
        gains = [len(p - met) for p in patterns]
        best = int(np.argmax(gains))
        if not gains[best]:
            break
        chosen.append(best)
        met |= patterns[best]
    return chosen


def _missing(reading: Reading, outcomes: dict[tuple[Expr, Expr | None], set[int]]) -> list[str]:
    found = []
    for (left, right), signs in outcomes.items():
        words = {-1: "<", 1: ">"}
        other = "0" if right is None else _words(right)
        found += [f"{_words(left)} {words[s]} {other}" for s in (-1, 1) if s not in signs]
    return found


def _words(node: Expr) -> str:
    if node.op in ("var", "defined"):
        return node.name
    if node.op == "number":
        return str(node.data[0])
    return f"{node.data[0] if node.op == 'map' else node.op}(…)"
