"""The verdict on a claim, from prime fields and floats.

*Proved* means that both sides agree at random points of prime fields, for several sizes and on every branch
met; what that is worth is said in the scope.  *Refuted* needs two witnesses: the fields differ and the floats
differ.  A claim that is undefined where the derivative exists is refuted too.  Floats alone never prove.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod

import numpy as np

from symderiv import dims
from symderiv.check.bounds import degree
from symderiv.check.field import Array
from symderiv.check.indices import Indices
from symderiv.check.numeric import Numeric
from symderiv.check.outcome import Counterexample, Outcome
from symderiv.check.points import MOODS
from symderiv.check.reading import Reading, length
from symderiv.check.sampling import plans
from symderiv.check.trial import ExactResult, Question, Trial
from symderiv.errors import ShapeError, UnknownNameError
from symderiv.tensor.expr import Expr

RELATIVE = 1e-6
LARGE = 1e-3
FLOOR = 1e-9
MORE_TURNS = 4
MOST_ENTRIES = 500_000  # of an array, which is evaluated at two dozen points at once
MOST_LOOKED_AT = 20_000_000


def decide_derivative(
    expr: Expr, wrt: Sequence[str | Expr], claim: Expr, *, seed: int = 0, structured: bool = False
) -> Outcome:
    """Decide whether the derivative of an expression is what is claimed.

    The derivative has the axes of the expression, then those of each variable; `structured` takes it over the
    free entries of symmetric and diagonal variables.  A variable that does not occur is given as an expression,
    for its shape.
    """
    reading = Reading(expr, claim, *(x for x in wrt if isinstance(x, Expr)), slots=len(wrt))
    names = [x.name if isinstance(x, Expr) else x for x in wrt]
    missing = [name for name in names if name not in reading.variables]
    if missing:
        raise UnknownNameError(f"{missing[0]} does not occur in the expression or the claim")
    variables = tuple(reading.variables[name] for name in names)
    wanted = expr.shape + tuple(size for x in variables for size in x.shape)
    if claim.shape != wanted:
        raise ShapeError(
            "the claim has another shape than the derivative",
            shapes={"derivative": dims.written(wanted), "claim": dims.written(claim.shape)},
        )
    question = Question(expr, claim, variables, structured, reading, Indices(expr, claim), seed)
    return _decide(question)


def decide_equal(left: Expr, right: Expr, *, seed: int = 0) -> Outcome:
    """Decide whether two expressions are equal, for all values of free indices, coincidences included."""
    if left.shape != right.shape:
        raise ShapeError(
            "the sides have different shapes",
            shapes={"left": dims.written(left.shape), "right": dims.written(right.shape)},
        )
    return _decide(Question(left, right, (), False, Reading(left, right), Indices(left, right), seed))


def _decide(question: Question) -> Outcome:
    agreed: list[tuple[Trial, ExactResult]] = []
    doubts: list[str] = []
    undefined: list[Trial] = []
    for turn, plan in enumerate(plans(question.reading)):
        for sizes in plan:
            entries = largest(question, sizes)
            if entries > MOST_ENTRIES:
                return Outcome("undecided", f"an array of {entries} entries is too large to be tested: name its sizes")
            trial = Trial(question, sizes, turn)
            result = trial.exact()
            if result.differs is None:
                continue  # a matrix is singular at these sizes: another order
            if not result.claim_defined:
                undefined.append(trial)
                continue
            if result.differs.any():
                refuted = _refutation(question, trial, result)
                if refuted is not None:
                    return refuted
                doubts.append(f"at {_written(sizes)} the sides differ modulo {result.prime}, but not in floats")
            elif not agreed:  # once is enough against what fields cannot see, such as the domain of log
                doubt = _float_doubt(trial)
                if isinstance(doubt, Outcome):
                    return doubt
                if doubt:
                    refuted = _looked_again(question, trial)
                    if refuted is not None:
                        return refuted
                    doubts.append(f"at {_written(sizes)} {doubt}")
            agreed.append((trial, result))
            break
    if doubts:
        return Outcome("undecided", "; ".join(doubts))
    if agreed:
        return Outcome("proved", _scope(question, agreed, undefined))
    for trial in undefined:
        left, right = trial.float_sides
        if trial.outside.any() and not (np.isfinite(left) & np.isfinite(right)).any():
            return _undefined(question, trial)
    return Outcome("undecided", "no point was found where both sides are defined")


def largest(question: Question, sizes: Mapping[str, int]) -> int:
    """Return the number of entries of the largest array that is met, at sizes of which some may be given as numbers."""
    return max(prod(length(axis, sizes) for axis in node.axes) for node in question.reading.nodes)


def _undefined(question: Question, trial: Trial) -> Outcome:
    found = counterexample(question, trial, int(np.argmax(trial.outside)))
    return Outcome("refuted", "the claim is undefined where the derivative exists", found)


def gap_of(trial: Trial) -> tuple[Array, Array]:
    """Return |left − right| relative to the size of both, by points, and where both are finite."""
    left, right = trial.float_sides
    both = np.isfinite(left) & np.isfinite(right)
    with np.errstate(all="ignore"):
        gap = np.where(both, np.abs(left - right), 0.0)
        if (gap > RELATIVE * np.maximum(np.abs(left), np.abs(right)))[both].any():
            gap = np.maximum(gap - 10 * trial.float_error, 0.0)
        size = np.where(both, np.maximum(np.abs(left), np.abs(right)), 0.0)
        scale = size.max(axis=1, initial=0.0)
        worst = np.where(gap.max(axis=1, initial=0.0) <= FLOOR, 0.0, gap.max(axis=1, initial=0.0))
        return worst / np.where(scale > 0, scale, 1.0), np.asarray(both.any(axis=1))


def _refutation(question: Question, trial: Trial, result: ExactResult) -> Outcome | None:
    """Return the refutation, where floats bear witness too."""
    gap, both = gap_of(trial)
    if both.any() and ((gap > LARGE).any() or (gap > RELATIVE).sum() >= 2):
        k = int(np.argmax(np.where(gap > LARGE, 1 + (np.arange(len(gap)) < len(MOODS)), gap)))
        found = counterexample(question, trial, k)
        return Outcome(
            "refuted",
            f"the sides differ modulo {result.prime} and in floats at {_written(trial.sizes)}",
            found,
        )
    return _undefined(question, trial) if trial.outside.any() else None


def _float_doubt(trial: Trial) -> str | Outcome:
    """Return why floats speak against fields that agree, "" where they do not."""
    gap, both = gap_of(trial)
    if trial.outside.any():
        return _undefined(trial.question, trial)
    if not both.any():
        return "no float point was found where both sides are defined"
    if (gap > LARGE).any():
        return "the sides agree modulo primes, but not in floats"
    return ""


def _looked_again(question: Question, trial: Trial) -> Outcome | None:
    """Return a refutation from more points modulo primes, where floats ask for them."""
    for turn in range(1, 1 + MORE_TURNS):
        again = Trial(question, trial.sizes, trial.turn + 16 * turn)
        result = again.exact()
        if result.differs is not None and result.differs.any():
            return _refutation(question, again, result) or _refutation(question, trial, result)
    return None


def counterexample(question: Question, trial: Trial, k: int) -> Counterexample | None:
    """Return the entry where the sides differ most at a float point; None where there are too many to look at."""
    moved = prod(prod(length(axis, trial.sizes) for axis in x.axes) for x in question.wrt)
    if moved * largest(question, trial.sizes) > MOST_LOOKED_AT:
        return None
    point = {name: value[k : k + 1] for name, value in trial.values.items()}
    on = Numeric(question.reading, question.indices, trial.sizes, point)
    with np.errstate(all="ignore"):
        left = question.derivative(on, directed=False).real
        right = on.evaluate(question.right).real
        if question.structured:
            left = _structured(question, left)
    left, right = np.broadcast_arrays(left, right)
    with np.errstate(all="ignore"):
        gap = np.where(np.isfinite(left), np.abs(left - right), -1.0)
        gap = np.where(np.isfinite(left) & ~np.isfinite(right), np.inf, gap)
    place = np.unravel_index(int(np.argmax(gap)), gap.shape)
    free = [int(place[on.place[name]]) for name in question.indices.names if name in question.indices.free]
    entry = (*free, *(int(i) for i in place[on.lead :]))
    values = {name: value[0].tolist() for name, value in point.items()}
    return Counterexample(dict(trial.sizes), question.seed, entry, float(left[place]), float(right[place]), values)


def _structured(question: Question, gradient: Array) -> Array:
    """Return the derivative over free entries: G + Gᵀ − G∘I where symmetric, G∘I where diagonal."""
    end = gradient.ndim
    for x in reversed(question.wrt):
        start = end - x.rank
        if x.rank == 2:
            moved = np.moveaxis(gradient, (start, start + 1), (-2, -1))
            gradient = np.moveaxis(question.turned(x, moved), (-2, -1), (start, start + 1))
        end = start
    return gradient


def _written(sizes: dict[str, int] | object) -> str:
    assert isinstance(sizes, dict)
    return ", ".join(f"{name} = {value}" for name, value in sizes.items()) or "no sizes"


def _scope(question: Question, agreed: list[tuple[Trial, ExactResult]], undefined: list[Trial]) -> str:
    """Say what the proof rests on."""
    reading = question.reading
    sizes = " and ".join(f"({_written(t.sizes)})" for t, _ in agreed)
    parts = [f"sizes {sizes}" if reading.symbols else "no sizes"]
    parts.append(f"{sum(r.points for _, r in agreed)} random points modulo primes of 23 to 28 bits")
    if undefined:
        parts.append("the claim is undefined at " + " and ".join(f"({_written(t.sizes)})" for t in undefined))
    if reading.kinks:
        missing = sorted({m for t, _ in agreed if t.branches is not None for m in t.branches.missing})
        parts.append("away from kinks, " + (f"not met: {', '.join(missing)}" if missing else "every branch met"))
    if reading.opaque:
        parts.append(f"as an identity in {', '.join(reading.opaque)}")
    elif not reading.kinks:
        bound = max((_error(question, trial, result) for trial, result in agreed), default=1.0)
        if bound < 1e-3:
            parts.append(f"a false claim passes with probability below {bound:.0e} at these sizes")
    return "; ".join(parts)


def _error(question: Question, trial: Trial, result: ExactResult) -> float:
    """Return (d/p)^k for k points and a difference of degree d; 1 where there is no such bound."""
    found = degree(question.reading, trial.sizes, (len(question.wrt), 0))
    return 1.0 if found is None else max(min(1.0, found / result.prime) ** result.points, 1e-300)
