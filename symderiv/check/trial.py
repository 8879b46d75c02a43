"""One claim at one assignment of sizes: both sides at random points, in floats and over prime fields."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from symderiv.check.branches import LINES, Visited, visit
from symderiv.check.exact import Exact
from symderiv.check.field import Array, Tower, tower_for
from symderiv.check.indices import Indices
from symderiv.check.interpret import Interpreter, Ranges, Slot, V
from symderiv.check.numeric import STEP, Numeric, singular
from symderiv.check.points import MOODS, FieldPoints, coordinates, is_discrete, realised, stream, traits_of
from symderiv.check.reading import Reading
from symderiv.tensor.expr import Expr, walk

FIELD_POINTS = 4
ROOT_POINTS = 12  # where roots occur, or no sizes are varied: both signs of each number should be met
ENOUGH = 4
CANDIDATES = 64
ROUNDS = 60
SMALL_PRIMES = (11, 13, 17, 19, 23)


@dataclass(frozen=True)
class Effort:
    """How long to look for points: rounds of search where roots occur, and lines along which branches are sought.

    Without lines the branches are those that a few random points meet.
    """

    rounds: int = ROUNDS
    lines: int = LINES


@dataclass(frozen=True)
class Question:
    """Is the derivative of `left` with respect to the variables `wrt` equal to `right`?"""

    left: Expr
    right: Expr
    wrt: tuple[Expr, ...]
    structured: bool
    reading: Reading
    indices: Indices
    seed: int
    effort: Effort = Effort()

    def slots(self, on: Interpreter[Any], directed: bool) -> tuple[Slot, ...]:
        """Return one slot per derivative."""
        return tuple(Slot(k, ("var", x.name), on.shape(x.axes), directed=directed) for k, x in enumerate(self.wrt))

    def derivative(self, on: Interpreter[V], directed: bool) -> V:
        """Return the derivative of the left side, along directions or entry by entry."""
        slots = self.slots(on, directed)
        value = on.evaluate(self.left, slots)
        for slot in slots:
            value = on.extracted(value, slot)
        return value

    def turned(self, x: Expr, direction: Array) -> Array:
        """Return the direction in which a variable moves when its free entries do.

        A symmetric variable moves along d + dᵀ − d∘I, a diagonal one along d∘I.
        """
        if not self.structured:
            return direction
        if "diagonal" in traits_of(x):
            return np.asarray(direction * np.eye(direction.shape[-1], dtype=direction.dtype))
        if traits_of(x) & {"symmetric", "positive_definite"}:
            eye = np.eye(direction.shape[-1], dtype=direction.dtype)
            return np.asarray(direction + np.swapaxes(direction, -1, -2) - direction * eye)
        return direction


@dataclass(frozen=True)
class Selected:
    """The branches of some float points, in the order of the field points."""

    numeric: Numeric
    rows: Array

    def side(self, left: Expr, right: Expr | None, ranges: Ranges) -> Array:
        """Return the sign of left − right at the chosen points."""
        side = self.numeric.side(left, right, ranges)
        return side if len(side) == 1 else side[self.rows]


class Trial:
    """The two sides at one assignment of sizes."""

    def __init__(self, question: Question, sizes: Mapping[str, int], turn: int) -> None:
        self.question, self.sizes, self.turn = question, sizes, turn
        self.reading, self.indices = question.reading, question.indices
        plain = Numeric(self.reading, self.indices, sizes, {})
        self.shapes = {name: plain.shape(x.axes) for name, x in self.reading.variables.items()}
        self.seed = question.seed * 64 + turn

    # -- floats

    @cached_property
    def branches(self) -> Visited | None:
        """Points on every branch, where there are branches."""
        lines = self.question.effort.lines if self.reading.kinks else 0
        return visit(self.reading, self.indices, self.sizes, self.seed, lines) if lines else None

    @cached_property
    def values(self) -> dict[str, Array]:
        """The float points: several scales, and every branch."""
        count, result = len(MOODS), {}
        for name, x in self.reading.variables.items():
            z, u = coordinates(x, self.shapes[name], count, stream(self.seed, "float", name))
            value = realised(x, z, u, MOODS)
            if not traits_of(x) - {"real"} and not self.reading.kinks:
                value = np.round(value, 4)  # can be read; but near a kink it would make ties
            if self.branches is not None and self.branches.count:
                value = np.concatenate([value, self.branches.points[name]])
            result[name] = value
        return result

    @property
    def count(self) -> int:
        """The number of float points."""
        return len(MOODS) + (self.branches.count if self.branches is not None else 0)

    def evaluation(
        self,
        step: float = STEP,
        values: Mapping[str, Array] | None = None,
        directions: Mapping[int, Array] | None = None,
    ) -> Numeric:
        """Return an evaluation at the float points in their directions, or elsewhere, with a step for differences."""
        return Numeric(
            self.reading, self.indices, self.sizes, values or self.values, directions or self.directions, step
        )

    @cached_property
    def directions(self) -> dict[int, Array]:
        """The directions in which the variables move when their free entries do, by the number of the derivative."""
        return {k: self.question.turned(x, self.direction(k, x)) for k, x in enumerate(self.question.wrt)}

    @cached_property
    def numeric(self) -> Numeric:
        """The evaluation at the float points."""
        return self.evaluation()

    def direction(self, k: int, x: Expr) -> Array:
        """Return the directions, one for each float point, along which the k-th derivative is taken."""
        return stream(self.seed, "direction", k).standard_normal((self.count, *self.shapes[x.name]))

    @cached_property
    def float_sides(self) -> tuple[Array, Array]:
        """Both sides in floats, as (points, entries), along random directions."""
        return self.sides_of(self.numeric)

    @cached_property
    def float_error(self) -> Array:
        """An estimate of the error of differences: how much a fourth of the step changes them."""
        if self.reading.slots < 2:
            return np.zeros(())
        again = self.sides_of(self.evaluation(STEP / 4))
        with np.errstate(all="ignore"):
            changes = [np.abs(a - b) for a, b in zip(self.float_sides, again, strict=True)]
        return np.asarray(np.nan_to_num(changes[0] + changes[1]))

    @cached_property
    def outside(self) -> Array:
        """The float points where the claim is undefined and function and derivative exist.

        Overflow and underflow are left aside, and the points at which a determinant is that of a singular matrix.
        """
        left, right = self.float_sides
        with np.errstate(all="ignore"):
            value = self.numeric.evaluate(self.question.left)
        value = np.broadcast_to(value, (self.count, *value.shape[1:])).reshape(self.count, -1)
        nowhere = (np.isfinite(value) & np.isfinite(left) & np.isnan(right)).any(axis=1)
        beyond = self.numeric.overflowed(self.count) | self.numeric.underflowed(self.count)
        return np.asarray(nowhere & ~beyond & ~self.singular)

    @cached_property
    def singular(self) -> Array:
        """The float points where a matrix of which the function takes the determinant is singular.

        There it has a derivative, but no inverse to write it with: such points are outside of what a result is about.
        """
        result = np.zeros(self.count, dtype=bool)
        if not self.question.wrt:
            return result
        for node in walk(self.question.left):
            if node.op == "det" and ("index", "") not in self.reading.depends(node):
                found = singular(self.numeric.evaluate(node.args[0]))
                result |= found.reshape(len(found), -1).any(axis=1)
        return result

    def sides_of(self, on: Numeric) -> tuple[Array, Array]:
        """Return both sides as an evaluation finds them, as (points, entries), along random directions."""
        question = self.question
        with np.errstate(all="ignore"):
            left = question.derivative(on, directed=True)
            right = on.evaluate(question.right)
            along = [self.direction(k, x) for k, x in enumerate(question.wrt)]
            right = on.along(right, question.right.rank, along)
        left, right = np.broadcast_arrays(left.real, right.real)
        left, right = (np.broadcast_to(x, (self.count, *x.shape[1:])).reshape(self.count, -1) for x in (left, right))
        return left, right

    # -- prime fields

    def _finite(self, root: Expr) -> Array:
        """Return at which float points some entry of a side is defined."""
        with np.errstate(all="ignore"):
            fine = np.isfinite(self.numeric.evaluate(root))
        return np.broadcast_to(fine.reshape(len(fine), -1).any(axis=1), (self.count,))

    @cached_property
    def shadow_rows(self) -> Array:
        """The float points whose branches and whole numbers the field points share."""
        wanted = ROOT_POINTS if self.reading.has_roots or not self.reading.symbols else FIELD_POINTS
        if not self.reading.kinks and not any(map(is_discrete, self.reading.variables.values())):
            return np.zeros(wanted, dtype=np.int64)
        fine = np.nonzero(self._finite(self.question.left))[0]
        if not len(fine):
            fine = np.arange(self.count)
        if self.reading.kinks:
            moods = [k for k in fine if k < len(MOODS)][:wanted]
            return np.array([*moods, *(k for k in fine if k >= len(MOODS))], dtype=np.int64)
        return np.resize(fine, wanted)

    def exact(self) -> ExactResult:
        """Return how the sides compare over a tower of prime fields."""
        reading = self.reading
        numbers: frozenset[int] = frozenset()
        if reading.has_roots:
            numbers = reading.primes | {q for n in self.sizes.values() for q in SMALL_PRIMES if n % q == 0}
        tower = tower_for(numbers, reading.log_height, self.turn + self.question.seed)
        p = tower.primes[min(reading.log_height, len(tower.primes) - 2)]
        rows = self.shadow_rows
        if reading.has_roots and not self._finite(self.question.right).any():
            return ExactResult(p, 0, np.zeros((), dtype=bool), False)
        many = np.resize(rows, max(CANDIDATES, len(rows))) if reading.has_roots else rows
        search = Search(self, tower, p, many)
        chosen, claim_fine = search.run(rows)
        if not len(chosen):
            return ExactResult(p, 0, None, False)
        points = search.points.chosen(chosen)
        on = search.evaluation(points, many[chosen])
        along = []
        for k, x in enumerate(self.question.wrt):
            raw = stream(self.seed, "field direction", k).integers(1, p, (len(chosen), *self.shapes[x.name]))
            points.turned[k, p] = self.question.turned(x, raw) % p
            along.append(raw)
        left = self.question.derivative(on, directed=True)
        right = on.along(on.evaluate(self.question.right), self.question.right.rank, along)
        both = np.broadcast_arrays(left.primal, right.primal)
        differs = both[0] != both[1]
        undefined = np.zeros(differs.shape, dtype=bool)
        if left.bad is not None:
            differs = differs & ~left.bad
            undefined = undefined | left.bad
        if right.bad is not None:
            differs = differs | (right.bad & ~undefined)
        if undefined.all():
            return ExactResult(p, 0, None, False)
        return ExactResult(p, len(chosen), differs, claim_fine)


@dataclass(frozen=True)
class ExactResult:
    """The prime, the number of points (0: no point where the function is defined), where the sides differ."""

    prime: int
    points: int
    differs: Array | None
    claim_defined: bool


class Search:
    """Looks for points modulo primes where every radicand is a square, by changing one entry at a time."""

    def __init__(self, trial: Trial, tower: Tower, p: int, rows: Array) -> None:
        self.trial, self.tower, self.p, self.rows = trial, tower, p, rows
        self.points = self._drawn(rows)

    def _drawn(self, rows: Array) -> FieldPoints:
        trial = self.trial
        whole = {n: trial.values[n][rows] for n, x in trial.reading.variables.items() if is_discrete(x)}
        return FieldPoints(trial.reading.variables, trial.shapes, len(rows), trial.seed, whole)

    def evaluation(self, points: FieldPoints, rows: Array) -> Exact:
        """Return the evaluation at some points."""
        trial = self.trial
        shadow = Selected(trial.numeric, rows)
        return Exact(trial.reading, trial.indices, trial.sizes, self.tower, self.p, points, shadow)

    def _judged(self, points: FieldPoints, rows: Array) -> tuple[Array, Array, Array]:
        """Return for each point whether each side is defined, and how many roots are not."""
        on = self.evaluation(points, rows)
        fine = []
        for root in self.trial.reading.roots:
            bad = on.evaluate(root).bad
            if bad is None:
                fine.append(np.ones(points.count, dtype=bool))
            else:
                fine.append(np.broadcast_to(~bad.reshape(len(bad), -1).any(axis=1), (points.count,)))
        wrong = sum((e.violations for e in on.family.values()), np.zeros(points.count, dtype=np.int64))
        return fine[0], fine[1], wrong

    def run(self, wanted: Array) -> tuple[Array, bool]:
        """Return places of good points, one for each wanted row, and whether the claim is defined there."""
        function, claim, wrong = self._judged(self.points, self.rows)
        if self.trial.reading.has_roots:
            for turn in range(1, self.trial.question.effort.rounds):
                if self._enough(function & claim & (wrong == 0), wanted):
                    break
                order = np.argsort(wrong, kind="stable")
                parents = self._parents(order, wrong)
                points = self.points.varied(parents, turn)
                f, c, w = self._judged(points, self.rows)
                better = w <= wrong[parents]
                keep = np.where(better, np.arange(len(parents)), -1)
                self._merge(points, parents, keep)
                function = np.where(better, f, function[parents])
                claim = np.where(better, c, claim[parents])
                wrong = np.where(better, w, wrong[parents])
        for good in (function & claim & (wrong == 0), function & claim, function):
            chosen = self._picked(good, wanted)
            if len(chosen):
                return chosen, bool(claim[chosen].all())
        return np.zeros(0, dtype=np.int64), False

    def _parents(self, order: Array, wrong: Array) -> Array:
        """Return for each place a place with the same row, the better ones more often."""
        parents = np.arange(len(wrong))
        for row in np.unique(self.rows):
            places = np.nonzero(self.rows == row)[0]
            ranked = [k for k in order if self.rows[k] == row]
            best = ranked[: max(1, len(ranked) // 4)]
            solved = [k for k in ranked if wrong[k] == 0]
            parents[places] = np.resize(best, len(places))
            parents[places[: len(solved)]] = solved[: len(places)]
        return parents

    def _merge(self, fresh: FieldPoints, parents: Array, keep: Array) -> None:
        old = self.points.chosen(parents)
        for key, value in fresh.values.items():
            better = (keep >= 0).reshape(-1, *(1,) * (value.ndim - 1))
            before = old.values.get(key)
            old.values[key] = value if before is None else np.where(better, value, before)
        self.points = old

    def _picked(self, good: Array, wanted: Array) -> Array:
        chosen: list[int] = []
        for row in wanted:
            places = np.nonzero(good & (self.rows == row))[0].tolist()
            chosen += [k for k in places if k not in chosen][:1]
        return np.array(chosen, dtype=np.int64)

    def _enough(self, good: Array, wanted: Array) -> bool:
        """Tell whether every wanted row has a few good points."""
        found = self.rows[self._picked(good, wanted)]
        return all((found == row).sum() >= min((wanted == row).sum(), ENOUGH) for row in np.unique(wanted))
