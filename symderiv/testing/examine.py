"""One derivative, held against everything that does not come from the engine.

- The derivative in the field: jets over a prime field along random directions, at random points, contracted
  with the same directions as the result that was printed and read again.
- Differences of floats beside it, and the generated NumPy code at the same points, where the conditioning
  permits.
- Both texts, of the function and of the result, read again: they must have the normal form of what they say.
- The proof, replayed and checked by the kernel.
"""

from __future__ import annotations

import re
import traceback
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from itertools import permutations
from math import prod
from pathlib import Path
from random import Random
from typing import Any, TypeVar

import numpy as np

from symderiv.check.decide import LARGE, RELATIVE, gap_of
from symderiv.check.indices import Indices
from symderiv.check.numeric import stand_in
from symderiv.check.points import is_discrete
from symderiv.check.reading import Reading, length
from symderiv.check.trial import Effort, Question, Trial
from symderiv.derivation import Derivation, derive
from symderiv.errors import ProofError, SymderivError, UnsupportedError
from symderiv.index import normal
from symderiv.index.expand import same
from symderiv.inputs import read
from symderiv.lower import lower
from symderiv.tensor.expr import Expr, walk
from symderiv.tensor.parse import Scope, parse
from symderiv.testing.samples import Problem

K = TypeVar("K")
QUICK = Effort(rounds=4, lines=0)
ORDERS = 3  # assignments of sizes that are tried where a matrix is singular
CODE_POINTS = 3
NUDGE = 1e-9

DEFECTS = ("crash", "derivative", "undefined", "code", "input text", "result text", "proof")
OTHERS = ("refused", "slow", "normal form", "only floats", "only fields", "unclear")


@dataclass
class Finding:
    """What was found of a problem: defects and remarks, each a kind with a reason, and the result's text."""

    problem: Problem
    result: str = ""
    marks: list[tuple[str, str]] = field(default_factory=list)
    checked: set[str] = field(default_factory=set)

    def note(self, kind: str, reason: str = "") -> None:
        """Enter a defect or a remark."""
        self.marks.append((kind, reason))

    @property
    def defects(self) -> list[tuple[str, str]]:
        """The marks that are defects."""
        return [(kind, reason) for kind, reason in self.marks if kind in DEFECTS]


def examine(problem: Problem, proof: bool = True) -> Finding:
    """Take a derivative and check it; whatever goes wrong is part of the finding.

    >>> from symderiv.testing.samples import Sample
    >>> from symderiv.tensor.parse import scope_of
    >>> square = parse("sum(x**2)", scope_of({"x": ("n",)}))
    >>> found = examine(Problem(Sample(square), ("x",)))
    >>> found.result, found.marks, sorted(found.checked)
    ('2 * x', [], ['code', 'fields', 'floats', 'proof', 'text'])
    """
    found = Finding(problem)
    stage = "derive"
    try:
        sample = problem.sample
        given = {"shapes": None, "assume": None, "functions": None, **sample.declarations}
        try:
            scope, function = read(sample.text, **given)
            _compare_texts(found, "input text", sample.expr, function)
            d = derive(sample.text, problem.wrt, **sample.declarations)
            found.result = str(d.result)
        except UnsupportedError as err:
            found.note("refused", masked(err.message))
            return found
        stage = "check"
        _check_value(found, d, _read_again(found, d, scope))
        stage = "proof"
        if proof:
            _check_proof(found, d)
    except SymderivError as err:
        found.note("crash", f"{stage}: {type(err).__name__}: {masked(err.message)}")
    except Exception as err:
        found.note("crash", f"{stage}: {type(err).__name__} at {_place(err)}: {masked(str(err))}")
    return found


def masked(message: str) -> str:
    """Return the first line of a message without the parts that vary: quotations and numbers.

    >>> masked("axis 3 of 'A' is out of range")
    'axis # of … is out of range'
    """
    line = (message.splitlines() or [""])[0]
    line = re.sub(r"∂\w+'*/∂\w+", "∂f/∂x", re.sub(r"'[^']*'(?!/)|\"[^\"]*\"", "…", line))
    return re.sub(r"\d+", "#", line)[:120]


def _place(err: Exception) -> str:
    """Return the file and the line of our own code where an error came up."""
    frames = [f for f in traceback.extract_tb(err.__traceback__) if "symderiv" in f.filename]
    return f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else "?"


# ---------------------------------------------------------------- texts


def _compare_texts(found: Finding, kind: str, meant: Expr, got: Expr) -> None:
    """Note where a text that was read again has another shape than what was written."""
    if got.shape != meant.shape:
        found.note(kind, f"shape {got.shape} instead of {meant.shape}")
    elif kind == "input text" and got is not meant and not same(lower(got).node, lower(meant).node):
        found.note("normal form", "of the function's text")


def _read_again(found: Finding, d: Derivation, scope: Scope) -> Expr:
    """Return the text of the result as an expression, which must have the engine's normal form."""
    claim = parse(found.result, scope)
    wanted = d.function.shape + tuple(s for x in d.wrt for s in x.shape)
    if claim.shape != wanted:
        found.note("result text", f"shape {claim.shape} instead of {wanted}")
    elif not same(lower(claim).node, d.node):
        found.note("normal form", "of the result's text")
    found.checked.add("text")
    return claim


# ---------------------------------------------------------------- values


def _sizes(names: tuple[str, ...], seed: int) -> Iterator[dict[str, int]]:
    """Yield a few assignments of small sizes that all differ."""
    orders = list(permutations([2, 3, 4, 5, 6, 7][: len(names)]))
    Random(seed).shuffle(orders)
    if len(names) == 1:
        orders = [(3,), (2,)]
    for order in orders[:ORDERS]:
        yield dict(zip(names, order, strict=True))


def _check_value(found: Finding, d: Derivation, claim: Expr) -> None:
    """Hold the result against jets in a field, and against differences of floats."""
    problem = found.problem
    function, variables = problem.sample.expr, tuple(problem.sample.variables[name] for name in problem.wrt)
    reading = Reading(function, claim, slots=len(variables))
    if any(x.name not in reading.variables for x in variables):
        if not normal.is_zero(lower(claim).node):
            found.note("derivative", "not 0 for a variable that does not occur")
        return
    question = Question(function, claim, variables, False, reading, Indices(function, claim), problem.seed, QUICK)
    trial, fields, floats = _tried(question)
    found.checked |= {name for name, word in (("fields", fields), ("floats", floats)) if word == "agree"}
    match fields, floats:
        case ("differ", "differ") | ("", "differ"):
            found.note("derivative", f"another value, {fields or 'unknown'} in fields, floats differ at {trial.sizes}")
        case ("undefined", "undefined" | "differ"):
            found.note("undefined", f"where the derivative exists, at {trial.sizes}")
        case ("differ", "agree" | "") | ("undefined", "agree" | "" | "undefined"):
            found.note("only floats" if floats else "unclear", f"fields: {fields}, floats: {floats or 'nothing'}")
        case ("agree", "differ"):
            found.note("only fields", "floats differ")
        case ("agree", "undefined"):
            found.note("undefined", f"in floats where the derivative exists, at {trial.sizes}")
        case ("", ""):
            found.note("unclear", "no point was found where both sides are defined")
        case ("", "agree"):
            found.note("only floats", "no point of a field was found")
    _check_code(found, d, trial)


def _tried(question: Question) -> tuple[Trial, str, str]:
    """Return the first trial in which anything can be said, and what fields and floats say."""
    for turn, sizes in enumerate(_sizes(question.reading.symbols, question.seed)):
        trial = Trial(question, sizes, turn)
        fields, floats = _compared(trial)
        if floats or fields not in ("", "undefined"):
            break
    return trial, fields, floats


def agree(left: Expr, right: Expr, seed: int = 0) -> bool:
    """Tell whether two expressions have the same values, in fields or, where no field tells, in floats.

    It is meant for tests of what is true by construction: a few points at one assignment of sizes.

    >>> from symderiv.tensor.parse import scope_of
    >>> scope = scope_of({"x": ("n",)})
    >>> (
    ...     agree(parse("cosh(x)**2", scope), parse("1 + sinh(x)**2", scope)),
    ...     agree(scope.names["x"], parse("abs(x)", scope)),
    ... )
    (True, False)
    """
    reading = Reading(left, right)
    question = Question(left, right, (), False, reading, Indices(left, right), seed, QUICK)
    _, fields, floats = _tried(question)
    return fields == "agree" or (fields in ("", "differ") and floats == "agree")


def _compared(trial: Trial) -> tuple[str, str]:
    """Return how the sides compare in fields and in floats: agree, differ, undefined, or nothing found."""
    result = trial.exact()
    gap, both = gap_of(trial)
    floats = ""
    sure = ~trial.numeric.rounded(trial.count)
    if (both & sure & (gap > RELATIVE)).any():
        sure &= ~_shaky(trial)
    gap, both = gap[sure], both[sure]
    if (trial.outside & sure).any():
        floats = "undefined"
    elif both.any():
        floats = "differ" if (gap > LARGE).any() or (gap > RELATIVE).sum() >= 2 else "agree"
    if result.differs is None:
        return "", floats
    if not result.claim_defined:
        return "undefined", floats
    return "differ" if result.differs.any() else "agree", floats


def _check_code(found: Finding, d: Derivation, trial: Trial) -> None:
    """Hold the generated code against the derivative in floats, at points where it is well-conditioned.

    The first derivative of floats is exact.  Differences for further ones are not, where a singularity is near:
    those are compared with the result, as the check evaluates it, elsewhere, and so is the code here.
    """
    problem, sample = found.problem, found.problem.sample
    code = d.compile()
    calls = {label: partial(stand_in, h, order) for (h, order), label in sample.labels.items()}
    plain = {
        name: np.zeros(tuple(length(axis, trial.sizes) for axis in x.axes)) for name, x in sample.variables.items()
    }
    truth = trial.float_sides[int(len(d.wrt) > 1)]
    on, count = trial.numeric, trial.count
    beyond = on.overflowed(count) | on.underflowed(count) | on.rounded(count)
    fine = [k for k in range(trial.count) if np.isfinite(truth[k]).all() and not beyond[k]][:CODE_POINTS]
    shape = tuple(length(axis, trial.sizes) for axis in (*sample.expr.axes, *(a for x in d.wrt for a in x.axes)))
    for k in fine:
        point = {**plain, **{name: value[k] for name, value in trial.values.items()}}
        near = _nudged(point, problem.seed)
        try:
            with np.errstate(all="ignore"):
                got = np.asarray(code(**point, **calls))
                moved = np.asarray(code(**near, **calls)) - got
        except np.linalg.LinAlgError:  # as NumPy has it
            continue
        if got.shape != shape:
            found.note("code", f"shape {got.shape} instead of {shape}")
            return
        along = [trial.direction(i, x)[k] for i, x in enumerate(d.wrt)]
        with np.errstate(all="ignore"):
            value, spread = _contracted(got, along), _contracted(np.abs(got), [np.abs(v) for v in along])
            change = np.abs(_contracted(moved, along))
            allowed = RELATIVE * spread + 1e4 * change + 1e-8
            wrong = ~(np.abs(value - truth[k]) <= allowed) if np.isfinite(got).all() else np.ones(1, dtype=bool)
        if not np.isfinite(change).all() and np.isfinite(got).all():
            continue
        if (change > 1e-4 * spread + 1e-9).any():
            continue
        if wrong.any():
            if _shaky(trial)[k]:
                continue
            found.note("code", f"another value at {trial.sizes}, point {k}: {value[:4]} instead of {truth[k][:4]}")
            return
        found.checked.add("code")


def _nudged(values: Mapping[K, Any], seed: int, by: float = NUDGE) -> dict[K, Any]:
    """Return arrays moved a little, each by its own size."""
    rng = np.random.default_rng(seed)
    return {name: value * (1 + by * rng.standard_normal(value.shape)) for name, value in values.items()}


def _shaky(trial: Trial) -> Any:
    """Tell at which points rounding decides what floats take for a side: a nudge changes it altogether.

    The point is moved, and the direction; whole numbers stay as they are, as a tie between them is no chance.
    """
    whole = {name: trial.values[name] for name, x in trial.reading.variables.items() if is_discrete(x)}
    result = np.zeros(trial.count, dtype=bool)
    for by in (NUDGE, -NUDGE):
        values = {**_nudged(trial.values, trial.seed, by), **whole}
        again = trial.evaluation(values=values, directions=_nudged(trial.directions, trial.seed, by))
        for side, moved in zip(trial.float_sides, trial.sides_of(again), strict=True):
            with np.errstate(all="ignore"):
                allowed = 1e-4 * np.abs(side).max(axis=1, initial=0.0) + 1e-9
                result |= (np.isfinite(side) & ~(np.abs(moved - side) <= allowed[:, None])).any(axis=1)
    return result


def _contracted(array: Any, along: list[Any]) -> Any:
    """Return an array whose last axes are those of the directions, contracted with them, as one row."""
    for direction in reversed(along):
        entries = prod(direction.shape)
        array = array.reshape(-1, entries) @ direction.reshape(entries)
    return array.reshape(-1)


# ---------------------------------------------------------------- proofs


def _check_proof(found: Finding, d: Derivation) -> None:
    """Replay the proof and have it checked."""
    try:
        d.proof.check()
        found.checked.add("proof")
    except (ProofError, UnsupportedError) as err:
        found.note("proof", masked(re.sub(r": .*", "", err.message) if "read off" in err.message else err.message))


def operations_of(expr: Expr) -> set[str]:
    """Return the names of the operations and functions in an expression."""
    return {e.data[0] if e.op == "map" else e.op for e in walk(expr)}
