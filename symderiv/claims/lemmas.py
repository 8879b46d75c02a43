"""Lemmas of a proof: derivatives replayed inside of it, and where they stand in its expressions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sympy

from symderiv.errors import UnsupportedError
from symderiv.index import normal
from symderiv.index.graph import Node
from symderiv.index.nodes import Definition, Derivative, Entry, Index, Place
from symderiv.replay import Closing, Known, Replay
from symderiv.stage import Stage
from symderiv.tensor.expr import Expr


class Lemma(Replay):
    """The replay of a derivative inside of a proof, with whose heads it is written."""

    def __init__(
        self,
        stage: Stage,
        taken: Sequence[str],
        at: tuple[tuple[Index, ...], tuple[Index, ...]],
        known: Known,
        closing: Closing,
        heads: tuple[dict[str, Definition], dict[str, Expr]],
    ) -> None:
        self.shared = heads
        super().__init__(stage, taken, at, known, closing)

    def collect(self) -> None:
        """Write down every definition between f and x."""
        self.inline, self.expressions = self.shared
        super().collect()


def path_of(part: Derivative) -> tuple[tuple[str, ...], tuple[Index, ...]]:
    """Return the names of f and of what it is differentiated in, in order, and all indices."""
    entries = [part.entry]
    while type(part.of) is Derivative:
        part = part.of
        entries.insert(0, part.entry)
    if not isinstance(part.of, Entry):
        raise UnsupportedError("a derivative of what has no name")
    entries.insert(0, part.of)
    return tuple(e.tensor.name for e in entries), tuple(i for e in entries for i in e.indices)


def slope_name(names: tuple[str, ...], sizes: tuple[sympy.Expr, ...]) -> Node:
    """Return a derivative as a name that says nothing."""
    return normal.leaf("∂".join(names), sizes)


def below_derivative(expr: sympy.Expr, place: Place) -> bool:
    """Tell whether a place is inside a derivative."""
    for k in place:
        if isinstance(expr, Derivative):
            return True
        expr = expr.args[k]
    return False


def reordered(one: Any, other: Any) -> bool:
    """Tell whether two expressions differ in the order of their factors or terms."""
    if type(one) is not type(other):
        return False
    if hasattr(one, "bound"):
        return one.bound == other.bound and reordered(one.body, other.body)
    return sorted(map(str, one.args)) == sorted(map(str, other.args)) and bool(one.args)
