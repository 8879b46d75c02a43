"""Where a wrong derivative parts from the derivation: a term lost or counted twice, a factor or an adjoint missing.

A proof is a chain of equalities, so every line of it is the right value, and the wrong one differs from all of them.
What can be told is how: the lines are sums of terms, and often what is expected is the same terms with other
coefficients, the same at all points.  Then the step is named that brought the term in, or the factor.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import reduce
from typing import Any

import numpy as np
import sympy

from symderiv import numpy_names
from symderiv.check.indices import Indices
from symderiv.check.numeric import Numeric
from symderiv.check.outcome import Counterexample
from symderiv.check.reading import Reading
from symderiv.check.trial import Question, Trial
from symderiv.derivation import Derivation
from symderiv.errors import SymderivError
from symderiv.index.nodes import (
    Apply,
    Choice,
    Delta,
    Derivative,
    Entry,
    Extreme,
    Index,
    Plus,
    Power,
    Step,
    Sum,
    Times,
    all_indices,
    heads,
)
from symderiv.index.text import index_text
from symderiv.tensor.expr import Expr, walk
from symderiv.tensor.parse import Scope, parse

MOST_TERMS = 24
MOST_NODES = 400
EXACT = 1e-7  # relative: how well a fit must fit
RELATIONS = {"<": np.less, "<=": np.less_equal, ">": np.greater, ">=": np.greater_equal}

Array = Any


class Unreadable(Exception):
    """A line that has no value of its own, such as one with a derivative not yet carried out."""


def differing_step(d: Derivation, claim: Expr, found: Counterexample) -> str:
    """Return how what is claimed parts from the derivation, "" where that cannot be told."""
    try:
        values = Values(d, claim, found)
        return _other_coefficients(d, values) or _missing_adjoint(d, values)
    except (Unreadable, SymderivError, ArithmeticError, LookupError, ValueError, np.linalg.LinAlgError):
        return ""


# ---------------------------------------------------------------- values


class Values:
    """The values of a derivation's lines and of a claim at some points, of which the first axis tells."""

    def __init__(self, d: Derivation, claim: Expr, found: Counterexample) -> None:
        self.part = d.proof.parts[-1]
        names = {name: e for name, e in _heads(d).items() if e.weight <= MOST_NODES}
        self.sizes = found.sizes
        self.claim = claim
        reading = Reading(d.function, claim, *names.values(), *d.wrt)
        indices = Indices(d.function, claim)
        question = Question(d.function, claim, d.wrt, False, reading, indices, found.seed)
        points = Trial(question, found.sizes, 0).values
        self.numeric = Numeric(reading, indices, found.sizes, points)
        self.heads = {name: self.of(e) for name, e in names.items()}
        self.heads.update({name: np.asarray(value, dtype=float) for name, value in points.items()})
        self.count = len(next(iter(points.values()), np.zeros(1)))

    def of(self, expr: Expr) -> Array:
        """Return the values of an expression, points first."""
        with np.errstate(all="ignore"):
            value = np.asarray(self.numeric.evaluate(expr)).real
        shape = (value.shape[0], *value.shape[self.numeric.lead :])
        return value.reshape(shape)

    def of_line(self, line: Any, free: Sequence[Index]) -> Array:
        """Return the values of a line in index notation, an axis for each free index."""
        order = [*free, *sorted(all_indices(line) - set(free), key=str)]
        place = {index: 1 + k for k, index in enumerate(order)}
        with np.errstate(all="ignore"):
            value = self._value(line, place)
        shape = (self.count, *(self.size(i.size) for i in free))
        return np.broadcast_to(value.reshape(value.shape[: 1 + len(free)]), shape)

    def size(self, size: sympy.Expr) -> int:
        """Return a size as a number."""
        return int(size.xreplace({s: sympy.Integer(self.sizes[str(s)]) for s in size.free_symbols}))

    def _value(self, e: Any, place: Mapping[Index, int]) -> Array:
        match e:
            case Entry():
                return self._placed(self.heads[e.tensor.name], e.indices, place)
            case Delta():
                eye = np.eye(self.size(e.args[0].size))[None]
                return self._placed(eye, e.args, place)
            case Times() | Plus():
                parts = [self._value(a, place) for a in e.args]
                return reduce(np.multiply if isinstance(e, Times) else np.add, parts)
            case Power():
                return self._value(e.base, place) ** self._value(e.exponent, place)
            case Sum():
                value = self._value(e.body, place)
                for index in e.bound:
                    axis, n = place[index], self.size(index.size)
                    value = value.sum(axis=axis, keepdims=True) * (n if value.shape[axis] == 1 else 1)
                return value
            case Apply(order=0):
                return np.asarray(dict(numpy_names.items())[e.name](self._value(e.arg, place)))
            case Choice():
                left, right, yes, no = (self._value(p, place) for p in e.parts)
                return np.where(RELATIONS[e.relation](left, right), yes, no)
            case Extreme():
                left, right = (self._value(p, place) for p in e.parts)
                return np.maximum(left, right) if e.kind == "maximum" else np.minimum(left, right)
        if isinstance(e, sympy.Basic) and not e.has(Derivative) and not all_indices(e):
            value = float(e.xreplace({s: sympy.Integer(self.sizes[str(s)]) for s in e.free_symbols}))
            return np.full((1,) * (1 + len(place)), value)
        raise Unreadable(str(e))

    def _placed(self, value: Array, indices: Sequence[Any], place: Mapping[Index, int]) -> Array:
        """Return an array with its axes where its indices stand; equal indices make it a diagonal."""
        axes = [place[i] for i in indices]
        wanted = sorted(set(axes))
        value = np.einsum(value, [0, *axes], [0, *wanted])
        shape = [value.shape[0], *[1] * len(place)]
        for axis, n in zip(wanted, value.shape[1:], strict=True):
            shape[axis] = n
        return value.reshape(shape)


def _heads(d: Derivation) -> dict[str, Expr]:
    """Return what the heads of entries in a proof stand for: definitions, and texts such as `inv(S)`."""
    part = d.proof.parts[-1]
    found = {e.name: e for stage in d.stages for e in walk(stage.function) if e.op == "defined"}
    found.update(part.expressions)
    scope = scope_in(d)
    scope.names.update(found)
    texts = {t.name for a in part.arguments for s in a.steps for t in heads(s.after)}
    for name in sorted(texts - set(scope.names)):
        try:
            found[name] = parse(name, scope)
        except SymderivError:
            continue
    return found


def scope_in(d: Derivation) -> Scope:
    """Return a scope of what was declared for a derivation."""
    scope = Scope({x.name: x for x in d.declared.arrays})
    scope.functions.update({label: key for key, label in d.functions.items()})
    scope.sizes.update({str(s): s for x in scope.names.values() for size in x.shape for s in size.free_symbols})
    return scope


# ---------------------------------------------------------------- the terms of a line


def _other_coefficients(d: Derivation, values: Values) -> str:
    """Return how what is claimed is made of the derivation's terms, with other coefficients."""
    argument = values.part.arguments[-1]
    claimed = values.of(values.claim)
    free = values.part.free
    shown: tuple[list[Any], Array] | None = None  # the last line of as many terms is the shortest
    for step in argument.steps:
        terms = terms_of(step.after)
        if len(terms) > MOST_TERMS or any(t.has(Derivative) for t in terms):
            continue
        try:
            columns = [values.of_line(t, free) for t in terms]
        except (Unreadable, LookupError):
            continue
        found = _fitted(columns, claimed)
        if found is not None and (shown is None or len(terms) == len(shown[0])):
            shown = terms, found
    return _worded(argument.steps, *shown) if shown is not None else ""


def _fitted(columns: Sequence[Array], claimed: Array) -> Array | None:
    """Return the coefficients with which some terms make up what is claimed; None where none do, or several."""
    finite = np.isfinite(claimed)
    for c in columns:
        finite = finite & np.isfinite(c)
    matrix = np.stack([c[finite] for c in columns], axis=1)
    right = claimed[finite]
    if len(right) <= len(columns) or not len(right):
        return None
    scale = np.abs(matrix).max(axis=0)
    if not (scale > 0).all():
        return None
    found, _, rank, _ = np.linalg.lstsq(matrix / scale, right, rcond=1e-9)
    if rank < len(columns):
        return None
    rest = np.abs(matrix / scale @ found - right).max()
    if rest > EXACT * max(float(np.abs(right).max()), 1e-300):
        return None
    return np.asarray(found / scale)


def _worded(steps: Sequence[Step], terms: Sequence[Any], found: Array) -> str:
    wrong = [k for k, c in enumerate(found) if abs(c - 1) > 1e-6]
    if not wrong:
        return ""
    if len(terms) == 1:
        return _of_one_term(steps, float(found[0]))
    step = next(s for s in steps if len(terms_of(s.after)) >= len(terms))
    parts = [f"{index_text(terms[k])} {_times(float(found[k]))}" for k in wrong]
    place = f"step {steps.index(step) + 1} of {len(steps)}, {step.rule}"
    return f"{place}, leads to {len(terms)} terms, of which what is expected has {' and '.join(parts)}"


def _of_one_term(steps: Sequence[Step], factor: float) -> str:
    """Return the step that brought in the factor which what is expected lacks."""
    known = 1.0
    for k, step in enumerate(steps):
        coefficient = _coefficient(step.after)
        if abs(coefficient * factor - known) < 1e-9 * abs(known) and coefficient != known:
            brought = f"{coefficient / known:g}"
            return f"step {k + 1} of {len(steps)}, {step.rule}: {index_text(step.after)}; without the factor {brought}"
        known = coefficient
    return f"what is expected is {factor:.6g} times {index_text(steps[-1].after)}"


def _times(factor: float) -> str:
    if abs(factor) < 1e-9:
        return "not at all"
    return f"{factor:.6g} times"


def terms_of(line: Any) -> list[Any]:
    """Return the terms of a line: sums of sums are taken apart, and products with one sum in them.

    >>> x = Entry(sympy.Symbol("x"))
    >>> len(terms_of(Plus(x, Times(x, Plus(x, x)))))
    3
    """
    match line:
        case Plus():
            return [t for a in line.args for t in terms_of(a)]
        case Sum():
            return [Sum(t, *line.bound) for t in terms_of(line.body)]
        case Times():
            for k, a in enumerate(line.args):
                inner = terms_of(a)
                if len(inner) > 1:
                    return [u for t in inner for u in terms_of(Times(*line.args[:k], t, *line.args[k + 1 :]))]
    return [line]


def _coefficient(line: Any) -> float:
    """Return the number that a term has in front of it, as far as it shows."""
    match line:
        case Sum():
            return _coefficient(line.body)
        case Times():
            return float(np.prod([_coefficient(a) for a in line.args]))
        case sympy.Rational():
            return float(line)
    return 1.0


# ---------------------------------------------------------------- adjoints


def _missing_adjoint(d: Derivation, values: Values) -> str:
    """Return the first derivative on the way that does not occur in what is expected, where an earlier one does."""
    known = list(_parts(values))
    met = False
    for argument in values.part.arguments[:-1]:
        entry = getattr(argument.left, "entry", None)
        if entry is None:
            continue
        try:
            value = values.of_line(argument.right, [*values.part.free[: d.function.rank], *entry.indices])
        except (Unreadable, LookupError):
            continue
        if any(_proportional(value, other) for other in known):
            met = True
        elif met:
            return f"{index_text(argument.left)} = {index_text(argument.right)}; what is expected has no such value"
    return ""


def _parts(values: Values) -> Iterator[Array]:
    for e in walk(values.claim):
        if e.op not in ("number", "size") and e.weight <= MOST_NODES:
            try:
                yield values.of(e)
            except (SymderivError, LookupError, ValueError):
                continue


def _proportional(a: Array, b: Array) -> bool:
    for other in (b, np.swapaxes(b, -1, -2)) if b.ndim > 2 else (b,):
        if a.shape == other.shape and np.isfinite(a).all() and np.isfinite(other).all():
            norm = float((a * a).sum())
            factor = float((a * other).sum()) / norm if norm else 0.0
            if factor and np.abs(other - factor * a).max() <= EXACT * np.abs(other).max():
                return True
    return False
