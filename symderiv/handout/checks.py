"""Numeric checks of what a handout claims: both sides in floats, at random arrays.

Derivatives are there complex steps and differences of the definitions (:mod:`symderiv.check.numeric`), so that nothing
of the engine is in them. Of a claim about families every member is written out, at a length.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from symderiv.check.indices import Indices
from symderiv.check.numeric import relative_error
from symderiv.check.reading import Reading
from symderiv.check.sampling import plans
from symderiv.check.trial import Question, Trial
from symderiv.claims.expansions import names_remainder
from symderiv.claims.supposed import solved
from symderiv.errors import SymderivError
from symderiv.running import Trial as CodeTrial
from symderiv.sheet import Claim, plain
from symderiv.statements.block import Names
from symderiv.tensor.expr import Expr
from symderiv.unrolling import given_at, instance, sides_at

SEED = 0


@dataclass(frozen=True)
class NumericCheck:
    """The largest difference of two entries, relative to the largest entry, over all points with these sizes."""

    sizes: Mapping[str, int]
    seed: int
    difference: float


def checked(claim: Claim, names: Names) -> NumericCheck | None:
    """Return the numeric check of a claim; none where its sides are no numbers, or it neglects something."""
    try:
        return _checked(claim, names)
    except SymderivError:
        return None


def _checked(claim: Claim, names: Names) -> NumericCheck | None:
    statement = claim.statement
    if statement is None or claim.status == "rejected":
        return None
    if claim.table is not None:
        return NumericCheck(dict(claim.table.sizes), claim.table.seed, claim.table.error)
    if claim.code is not None:
        trial = CodeTrial(claim.code, statement, names, plain, 0, SEED)
        error = trial.error()
        return None if error is None else NumericCheck(trial.sizes, SEED, error)
    if statement.neglected or names_remainder(*statement.exprs):
        return None
    (left, right), given, lengths = statement.exprs, statement.given, dict[str, int]()
    if statement.open or statement.ranges:
        one = instance(statement, names)
        if one is None:
            return None
        left, right = sides_at(statement, names, one)
        given = tuple(given_at(statement, names, one))
        lengths = {str(s): int(v) for s, v in one.items()}
    if given:
        found = solved(left, right, given, names.families.labels)
        if found is None:
            return None
        left, right, _ = found
    return _compared(plain(left), plain(right), lengths)


def _compared(left: Expr, right: Expr, lengths: Mapping[str, int]) -> NumericCheck | None:
    """Return the difference of two expressions at the first sizes at which both have values."""
    reading = Reading(left, right)
    question = Question(left, right, (), False, reading, Indices(left, right), SEED)
    for sizes in _sizes(reading):
        trial = Trial(question, sizes, 0)
        both = trial.float_sides
        finite = np.isfinite(both[0]).all(axis=1) & np.isfinite(both[1]).all(axis=1)
        if finite.any():
            worst = max(relative_error(b, a) for a, b in zip(*_rows(both, finite), strict=True))
            return NumericCheck({**lengths, **sizes}, SEED, worst)
    return None


def _sizes(reading: Reading) -> Iterator[Mapping[str, int]]:
    for plan in plans(reading):
        yield from plan


def _rows(both: Sequence[Any], finite: Any) -> list[Any]:
    return [side[finite] for side in both]
