"""The rewriter: applies named rules to an expression as written, and keeps every step."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from typing import Any

import sympy

from symderiv.errors import ProofError
from symderiv.index.nodes import Context, Entry, Immediate, Place, Step, Sum, all_indices, at, heads, places, put
from symderiv.index.rules import ADDED, DERIVATIVE_RULES, RULES, TIDYING_RULES, WORD, contraction, moving

MOST_STEPS = 5000


class Rewriter:
    """One chain of equalities, from `start` on."""

    def __init__(self, start: sympy.Expr, context: Context) -> None:
        self.start = start
        self.expr = start
        self.context = context
        self.steps: list[Step] = []
        self._around: tuple[sympy.Expr, Context, Context] | None = None

    def replace(
        self, rule: str, place: Place, new: sympy.Expr, instance: Mapping[str, Any] | None = None, reason: str = ""
    ) -> None:
        """Record a step: the part at `place` becomes `new`."""
        after = put(self.expr, place, new)
        if after is self.expr:
            return
        self.steps.append(Step(rule, place, dict(instance or {}), self.expr, after, reason))
        self.expr = after
        if len(self.steps) > MOST_STEPS:
            raise ProofError(f"more than {MOST_STEPS} steps")

    @property
    def around(self) -> Context:
        """Return the context of the next rule: what it binds must be new in the whole expression."""
        if self._around is None or self._around[0] is not self.expr or self._around[1] is not self.context:
            words = (WORD.findall(h.name) for h in heads(self.expr))  # `h` of h[1], w and u of f(w + u)
            taken = frozenset({i.name for i in all_indices(self.expr)}.union(*words))
            self._around = (self.expr, self.context, dataclasses.replace(self.context, taken=taken))
        return self._around[2]

    def apply_first(self, names: Iterable[str]) -> bool:
        """Apply the first rule that fits anywhere, outermost places first; tell whether one did."""
        rules = [(name, RULES[name]) for name in names]
        around = self.around
        for place, part in places(self.expr):
            for name, rule in rules:
                new = rule(part, around)
                if new is not None and new is not part:
                    self.replace(name, place, new)
                    return True
        return False

    def differentiate(self) -> None:
        """Carry out every `∂ of/∂x`: constants first, then by the form of what is differentiated."""
        while True:
            found = [(p, e) for p, e in places(self.expr) if isinstance(e, Immediate)]
            if not found:
                return
            ready = next(((p, e) for p, e in found if not self.waits(e)), None)
            if ready is None:
                self.close_powers()
                continue
            place, part = ready
            for name in DERIVATIVE_RULES:
                new = RULES[name](part, self.around)
                if new is not None:
                    self.replace(name, place, new)
                    break
            else:
                raise ProofError(f"no rule differentiates {part}")

    def waits(self, part: Immediate) -> bool:
        """Tell the derivative of a power of a matrix, whose rule is about the sum that it stands in."""
        head = part.of.tensor.name if isinstance(part.of, Entry) else ""
        definition = self.context.definitions.get(head)
        return definition is not None and definition.kind == "matrix_power" and moving(part, self.context)

    def close_powers(self) -> None:
        """Differentiate a power of a matrix under its sum, brought into view first."""
        self.tidy()
        while not self.apply_first(("matrix power",)):
            if not self.contract_one():
                raise ProofError("the derivative of a power of a matrix does not close under its sum")
            self.tidy()

    def tidy(self) -> None:
        """Drop zeros, open brackets, bring sums outside and part them where a δ waits."""
        while self.apply_first(("zero",)) or self.apply_first((*TIDYING_RULES, *ADDED)):
            pass

    def contract(self) -> None:
        """Contract every δ with its sum, one at a time, tidying between."""
        while True:
            self.tidy()
            if not self.contract_one() and not self.apply_first(("idle sum",)):
                self.apply_first(("merge",))
                return

    def contract_one(self) -> bool:
        """Contract one δ; the instance names the index that goes and the one it becomes."""
        for place, part in places(self.expr):
            if not isinstance(part, Sum):
                continue
            found = contraction(part)
            if found is not None:
                gone, kept, _ = found
                new = RULES["contract"](part, self.context)
                assert new is not None
                self.replace("contract", place, new, {"index": gone, "by": kept})
                return True
        return False

    def part(self, place: Place) -> Any:
        """Return the part of the current expression at a place."""
        return at(self.expr, place)
