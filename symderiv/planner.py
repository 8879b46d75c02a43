"""Contraction orders: which two factors of a product to join next.

The planner sees only which indices each factor carries, which of them are wanted in the result, and
answers with one action at a time; :mod:`symderiv.lift` carries it out in matrix notation.  The cost
model here is *readable*: small intermediate results, vectors first, and only what NumPy has a word for.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from itertools import combinations, product
from typing import NamedTuple

Labels = tuple[Hashable, ...]


class Action(NamedTuple):
    """What to do next: `kind` with the numbers of the factors and the indices concerned.

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


class Plan:
    """The joins of one product, found one at a time.

    Factors are numbered as they come; what a join makes gets the next number.  Only what shares an index with it
    is looked at again, so that a chain of n factors takes n looks and not n³.

    >>> plan = Plan([("i", "q"), ("q", "j")], ("i", "j"))
    >>> plan.next()
    Action(kind='chain', factors=(0, 1), labels=('q',))
    """

    def __init__(self, factors: Sequence[Labels], out: Labels) -> None:
        self.out = frozenset(out)
        self.factors: dict[int, Labels] = {}
        self.homes: dict[Hashable, list[int]] = {}
        self.diagonal: set[int] = set()
        self.lone: dict[int, Action] = {}
        # rank of the result, whether it is turned, both factors, what to do with them
        self.pairs: dict[tuple[int, int], tuple[int, bool, int, int, Action]] = {}
        for n, labels in enumerate(factors):
            self._put(n, labels)
        self._look_at(self.homes)

    def next(self) -> Action | None:
        """Return the next action, or None where no bound index is left that NumPy has a short word for."""
        if self.diagonal:
            return Action("diagonal", (min(self.diagonal),))
        if self.lone:
            return self.lone[min(self.lone)]
        return min(self.pairs.values())[-1] if self.pairs else None

    def join(self, action: Action, labels: Labels) -> int:
        """Put what an action makes in the place of its factors; return its number."""
        new = next(reversed(self.factors)) + 1
        gone = set(action.factors)
        changed = {label: None for n in action.factors for label in self.factors.pop(n)}
        for label in changed:
            near = self.homes[label]
            for n, other in product(gone, near):
                self.pairs.pop((min(n, other), max(n, other)), None)
            self.homes[label] = [n for n in near if n not in gone]
        self.diagonal -= gone
        for n in gone:
            self.lone.pop(n, None)
        self._put(new, labels)
        self._look_at(changed)
        return new

    def _put(self, n: int, labels: Labels) -> None:
        self.factors[n] = labels
        for label in labels:
            self.homes.setdefault(label, []).append(n)
        if len(set(labels)) < len(labels):
            self.diagonal.add(n)

    def _look_at(self, labels: Iterable[Hashable]) -> None:
        """Find what can be done with the factors that carry some of the indices."""
        for label in labels:
            if label in self.out:
                continue
            near = sorted(set(self.homes[label]))
            if len(near) == 1:
                self._alone(near[0])
            for pair in combinations(near, 2):
                action = self._joined(*pair)
                if action is None:
                    self.pairs.pop(pair, None)
                else:
                    self.pairs[pair] = (self._result_rank(action), self._is_turned(action), *pair, action)

    def _alone(self, n: int) -> None:
        """Note the indices that stand in one factor only, where they can be summed over."""
        labels = self.factors[n]
        alone = tuple(label for label in labels if label not in self.out and len(self.homes[label]) == 1)
        if alone and (len(alone) in (1, len(labels)) or len(labels) <= 2):
            self.lone[n] = Action("sum", (n,), alone)

    def _joined(self, i: int, j: int) -> Action | None:
        first, second = self.factors[i], self.factors[j]
        if len(first) > 2 or len(second) > 2:
            return None
        shared = [x for x in first if x in second]
        closed = [x for x in shared if x not in self.out and len(self.homes[x]) == 2]
        if len(shared) == 1:
            (q,) = shared
            if closed:
                return Action("chain", (i, j), (q,))
            if len(first) == len(second) == 1:
                return Action("entrywise", (i, j))
            if len(first) == 1:
                return Action("scale", (i, j), (q,))
            if len(second) == 1:
                return Action("scale", (j, i), (q,))
            return None
        if len(closed) == 2:
            return Action("trace", (i, j), tuple(closed))
        if len(closed) == 1:
            return Action("rows", (i, j), (closed[0], next(x for x in shared if x not in closed)))
        return Action("entrywise", (i, j))

    def _is_turned(self, action: Action) -> bool:
        """Tell a vector that scales the rows of a matrix, where it might scale the columns of another: `A * v`."""
        return action.kind == "scale" and self.factors[action.factors[1]][-1] != action.labels[0]

    def _result_rank(self, action: Action) -> int:
        i, j = action.factors
        together = len({*self.factors[i], *self.factors[j]})
        return together - (len(action.labels) if action.kind in ("chain", "trace") else action.kind == "rows")
