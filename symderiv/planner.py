"""Contraction orders: which two factors of a product to join next.

The planner sees only which indices each factor carries, which of them are wanted in the result, and
answers with one action at a time; :mod:`symderiv.lift` carries it out in matrix notation.  The cost
model here is *readable*: small intermediate results, vectors first, and only what NumPy has a word for.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

Labels = tuple[Hashable, ...]


@dataclass(frozen=True)
class Action:
    """What to do next: `kind` with the positions of the factors and the indices concerned.

    * `diagonal` (k): factor k carries an index twice
    * `sum` (k), labels: sum factor k over indices that stand nowhere else
    * `entrywise` (i, j): both carry the same indices
    * `chain` (i, j), (q,): sum over the one index they share
    * `trace` (i, j), (p, q): sum over the two indices they share
    * `scale` (v, m), (q,): a vector scales a matrix along q
    * `rows` (i, j), (q, r): sum over q of an entrywise product, r stays
    """

    kind: str
    factors: tuple[int, ...]
    labels: Labels = ()


def next_action(factors: Sequence[Labels], out: Labels) -> Action | None:
    """Return the next action, or None where no bound index is left that NumPy has a short word for.

    >>> next_action([("i", "q"), ("q", "j")], ("i", "j"))
    Action(kind='chain', factors=(0, 1), labels=('q',))
    """
    for k, labels in enumerate(factors):
        if len(set(labels)) < len(labels):
            return Action("diagonal", (k,))
    places = Counter(label for labels in factors for label in labels)
    bound = [label for label in places if label not in out]
    lone = _lone(factors, places, set(bound))
    if lone is not None:
        return lone
    best: tuple[tuple[int, int, int], Action] | None = None
    for i in range(len(factors)):
        for j in range(i + 1, len(factors)):
            action = _joined(factors, i, j, places, set(bound))
            if action is None:
                continue
            cost = (_result_rank(factors[i], factors[j], action), i, j)
            if best is None or cost < best[0]:
                best = (cost, action)
    return best[1] if best else None


def _lone(factors: Sequence[Labels], places: Counter[Hashable], bound: set[Hashable]) -> Action | None:
    for k, labels in enumerate(factors):
        alone = tuple(label for label in labels if label in bound and places[label] == 1)
        if alone and (len(alone) == len(labels) or len(labels) <= 2):
            return Action("sum", (k,), alone)
    return None


def _result_rank(a: Labels, b: Labels, action: Action) -> int:
    gone = set(action.labels) if action.kind in ("chain", "trace") else set()
    if action.kind == "rows":
        gone = {action.labels[0]}
    return len((set(a) | set(b)) - gone)


def _joined(
    factors: Sequence[Labels], i: int, j: int, places: Counter[Hashable], bound: set[Hashable]
) -> Action | None:
    a, b = set(factors[i]), set(factors[j])
    shared = a & b
    closed = {label for label in shared if label in bound and places[label] == 2}
    if max(len(a), len(b)) > 2 or not (shared & bound):
        return None
    if len(shared) == 1:
        (q,) = shared
        if q in closed:
            return Action("chain", (i, j), (q,))
        if a == b:
            return Action("entrywise", (i, j))
        if len(a) == 1:
            return Action("scale", (i, j), (q,))
        if len(b) == 1:
            return Action("scale", (j, i), (q,))
        return None
    if len(closed) == 2:
        return Action("trace", (i, j), tuple(x for x in factors[i] if x in closed))
    if len(closed) == 1:
        (q,) = closed
        (r,) = shared - closed
        return Action("rows", (i, j), (q, r))
    return Action("entrywise", (i, j))
