"""What follows a proof: more steps at its end, written in its own notation."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import sympy

from symderiv.errors import ProofError
from symderiv.index.nodes import Argument, Definition, Entry, Index, Names, Step, Tensor, all_indices, free_indices
from symderiv.index.written import Written
from symderiv.lower import index_ranges, write
from symderiv.replay import Known, Replayed
from symderiv.tensor.expr import Expr
from symderiv.tensor.text import to_text

Ending = Callable[[Replayed, Expr, Expr], Replayed]
Way = Callable[[Expr, Expr, Sequence[str], Known], Replayed]


def ended(ending: Ending | None, way: Way, left: Expr, right: Expr, taken: Sequence[str], known: Known) -> Replayed:
    """Return the proof that a way finds, with what follows it."""
    proof = way(left, right, taken, known)
    return proof if ending is None else ending(proof, left, right)


class Continued:
    """A proof that goes on: expressions written at its indices, and its last chain with more steps."""

    def __init__(self, proof: Replayed, *exprs: Expr) -> None:
        self.proof = proof
        self.last = proof.arguments[-1]
        self.ranges = index_ranges(*exprs)
        self.order = tuple(i for i in proof.free if i.name not in self.ranges)
        self.definitions: dict[str, Definition] = dict(proof.context.definitions)
        self.expressions: dict[str, Any] = dict(proof.expressions)
        used = {i.name for a in proof.arguments for e in (a.left, a.right) for i in all_indices(e)}
        self.names = Names({*used, *self.ranges, *self.definitions, *proof.context.chain})
        free = {n: Index(n, axis[0]) for n, axis in self.ranges.items()}
        self.notation = Written(self.names, self.definitions, free, self.expressions)

    def written(self, expr: Expr, order: Sequence[Index] | None = None) -> sympy.Expr:
        """Return the entry of an expression at indices, those of the claim if none are given."""
        at = self.order if order is None else order
        if sum(len(axis) for axis in expr.axes) > len(at):
            raise ProofError("the proof stands at fewer indices than the claim")
        here = iter(at)
        return write(expr, [tuple(next(here) for _ in axis) for axis in expr.axes], self.notation)

    def ends_in_a_matrix(self) -> bool:
        """Tell whether the last line is an entry of an array in matrix notation."""
        end = self.last.right
        return isinstance(end, Entry) and end.tensor.name in self.definitions and end.indices == self.order

    def matrix(self, expr: Expr) -> Entry:
        """Return the entry of an array in matrix notation, its index definition written down."""
        head: Tensor = Tensor(to_text(expr), *(i.size for i in self.order))
        if head.name not in self.definitions:
            self.definitions[head.name] = Definition(head, self.order, self.written(expr))
            self.expressions[head.name] = expr
        entry: Entry = Entry(head, *self.order)
        return entry

    def replayed(
        self, steps: tuple[Step, ...], right: sympy.Expr, **context: Mapping[str, Argument] | frozenset[str]
    ) -> Replayed:
        """Return the proof with other steps in its last chain, `context` put to what they may use."""
        if free_indices(right) - free_indices(self.last.left):
            raise ProofError("the right side stands at indices that the left side has not")
        known: Any = {"definitions": self.definitions, **context}
        ended = Argument(self.last.label, self.last.left, steps, right)
        return Replayed(
            (*self.proof.arguments[:-1], ended), replace(self.proof.context, **known), self.proof.free, self.expressions
        )
