"""Assertions that are proofs: `assert_derivative` and `assert_equivalent`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from symderiv import dims
from symderiv.check.outcome import Counterexample
from symderiv.errors import Place, ShapeError, UnsupportedError
from symderiv.inputs import Shapes, read, read_claim
from symderiv.sheet import Claim, Sheet
from symderiv.statements.block import Statement
from symderiv.statements.calling import called
from symderiv.tensor.expr import Expr
from symderiv.tensor.parse import Scope
from symderiv.testing.defaults import settings
from symderiv.testing.failures import DifferenceError, Failure, UndecidedError
from symderiv.testing.steps import differing_step, scope_in
from symderiv.verdict import Verdict, verify

LONGEST = 80
RTOL, ATOL = 1e-9, 1e-12


def assert_derivative(
    expr: Any,
    wrt: Any,
    expected: Any,
    *,
    shapes: Shapes | None = None,
    assume: Mapping[str, str] | None = None,
    functions: Mapping[str, list[str]] | None = None,
    structured: bool = False,
    seed: int | None = None,
    allow_undecided: bool = False,
) -> Verdict:
    """Prove that `expected` is the derivative of `expr`, as :func:`symderiv.verify` does; return the verdict.

    Raises :class:`DifferenceError`, an `AssertionError`, where it is refuted: with the entry, both values, sizes, seed,
    the right derivative and, where it can be named, the first step of the derivation that differs.  What can be neither
    proved nor refuted raises :class:`UndecidedError`, which is no `AssertionError`, unless that is allowed.

    >>> shapes = {"x": ("n",), "A": ("n", "n")}
    >>> assert_derivative("x @ A @ x", "x", "(A + A.T) @ x", shapes=shapes).basis
    'kernel'
    >>> assert_derivative("x @ A @ x", "x", "2 * A @ x", shapes=shapes)
    Traceback (most recent call last):
        ...
    symderiv.testing.failures.DifferenceError: 2 * A @ x is not the derivative of x @ A @ x with respect to x
      entry (3), counted from 0: the derivative is 1.12811315, expected was 6.4273722
      at n = 4, seed 0
      it should be: (A + A.T) @ x
      first differing step: step 3 of 15, product, leads to 2 terms, of which what is expected has ...
    """
    __tracebackhide__ = True
    given = {"shapes": shapes, "assume": assume, "functions": functions}
    at = settings.seed if seed is None else seed
    verdict = verify(expr, wrt, expected, **given, structured=structured, seed=at)  # type: ignore[arg-type]
    what = f"the derivative of {shown(expr)} with respect to {_variables(wrt)}"
    if verdict.status == "refuted":
        raise DifferenceError(refuted(verdict, f"{shown(expected)} is not {what}", _claimed(verdict, expected)))
    if verdict.status != "proved" and not allow_undecided:
        raise undecided(f"{shown(expected)} may be {what}", verdict.scope)
    return verdict


def refuted(verdict: Verdict, what: str, claim: Expr | None) -> Failure:
    """Return what is to be said of a refuted derivative."""
    found: Counterexample | None = verdict.counterexample
    if found is None:
        return Failure(what, words=("", ""), correct=str(verdict.correct), note=verdict.scope)
    step = differing_step(verdict.derivation, claim, found) if claim is not None else ""
    return Failure(
        what, found.left, found.right, found.entry, found.sizes, found.seed,
        correct=str(verdict.correct), step=step, point=found.point,
    )  # fmt: skip


def undecided(what: str, why: str) -> UndecidedError:
    """Return the error for what is neither proved nor refuted."""
    return UndecidedError(f"undecided: {what}; {why}", hint="allow_undecided=True lets it pass")


def _claimed(verdict: Verdict, expected: Any) -> Expr | None:
    """Return the expected derivative as an expression; None where it is SymPy's, which is read in another way."""
    try:
        return read_claim(expected, scope_in(verdict.derivation))
    except Exception:  # a claim that verify has read in its own way; only the step is left out
        return None


def shown(given: Any) -> str:
    """Return what was given, as a reader calls it."""
    if callable(given) and hasattr(given, "__code__"):
        return called(given)
    text = str(given)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]} …"


def _variables(wrt: Any) -> str:
    names = [wrt] if isinstance(wrt, str) or not isinstance(wrt, Sequence) else wrt
    return ", ".join(map(str, names))


# ---------------------------------------------------------------- two sides


def assert_equivalent(
    a: Any,
    b: Any,
    *,
    shapes: Shapes | None = None,
    assume: Mapping[str, str] | None = None,
    functions: Mapping[str, list[str]] | None = None,
    args: Sequence[Any] | Mapping[str, Any] | None = None,
    rtol: float = RTOL,
    atol: float = ATOL,
    allow_undecided: bool = False,
) -> Claim | None:
    """Prove that two expressions, or two functions written in NumPy, are equal; return the decided claim.

    Raises :class:`DifferenceError` where they differ, :class:`UndecidedError` where that cannot be told.  Functions
    that cannot be traced need `args`, arrays to be called with: then their values are compared there (to `rtol` and
    `atol`), nothing is proved, and the return value is None.

    >>> assert_equivalent(
    ...     "trace(A @ B)", "sum(A * B.T)", shapes={"A": ("n", "m"), "B": ("m", "n")}
    ... ).status
    'proved'
    """
    __tracebackhide__ = True
    try:
        scope, left = read(a, shapes, assume, functions)
        right = read_claim(b, scope)
    except UnsupportedError:
        if args is None or not (callable(a) and callable(b)):
            raise
        _same_values(a, b, args, rtol, atol)
        return None
    if left.shape != right.shape:
        written = {"first": dims.written(left.shape), "second": dims.written(right.shape)}
        raise ShapeError("the two sides have different shapes", shapes=written)
    claim = _decided(scope, left, right)
    what = f"{shown(a)} and {shown(b)}"
    if claim.status == "refuted":
        found: Counterexample | None = claim.counterexample
        words = ("the first is", "the second")
        if found is None:
            raise DifferenceError(Failure(f"{what} are not equal", words=("", ""), note=claim.scope))
        raise DifferenceError(
            Failure(
                f"{what} are not equal", found.left, found.right, found.entry, found.sizes, found.seed, words,
                point=found.point,
            )
        )  # fmt: skip
    if claim.status != "proved" and not allow_undecided:
        raise undecided(f"whether {what} are equal", claim.scope)
    return claim


def _decided(scope: Scope, left: Expr, right: Expr) -> Claim:
    """Return the claim that two expressions are equal, decided as those of a sheet are."""
    sheet = Sheet()
    sheet.names.scope = scope
    statement = Statement("claim", Place(""), exprs=(left, right))
    return sheet.decide(statement)


def _same_values(a: Any, b: Any, args: Any, rtol: float, atol: float) -> None:
    """Compare the values of two functions at given arguments, entry by entry."""
    __tracebackhide__ = True
    keyed = isinstance(args, Mapping)
    one, other = (np.asarray(f(**args) if keyed else f(*args), dtype=float) for f in (a, b))
    if one.shape != other.shape:
        shapes = {shown(a): str(one.shape), shown(b): str(other.shape)}
        raise ShapeError("the two functions return arrays of different shapes", shapes=shapes)
    with np.errstate(invalid="ignore"):
        gap = np.abs(one - other) - (atol + rtol * np.maximum(np.abs(one), np.abs(other)))
    alike = (one == other) | (np.isnan(one) & np.isnan(other))
    gap = np.where(alike, -1.0, np.where(np.isfinite(one) & np.isfinite(other), gap, np.inf))
    if (gap > 0).any():
        entry = tuple(map(int, np.unravel_index(int(np.argmax(gap)), gap.shape)))
        words = ("the first is", "the second")
        point = dict(args) if keyed else {f"argument {k}": x for k, x in enumerate(args)}
        what = f"{shown(a)} and {shown(b)} are not equal"
        raise DifferenceError(Failure(what, float(one[entry]), float(other[entry]), entry, words=words, point=point))
