"""Proofs by induction: what a base, a step and a hypothesis prove together.

A claim C(v) for v = low … high holds if C(low) holds, and C(v) follows from C(v − 1) for low < v ≤ high;
downward, if C(high) holds, and C(v) follows from C(v + 1) for low ≤ v < high.  No definition may name v: in C(v − 1)
it would be another one.
"""

from __future__ import annotations

from dataclasses import dataclass

from symderiv.families import Label, Range
from symderiv.replay import Replayed


@dataclass(frozen=True)
class Induction:
    """A proof in two parts; `hypothesis` names the arrays in the step that stand for what is assumed.

    `range` is that of the variable; `first` is where the base stands, `before` the label in the hypothesis.
    """

    variable: str
    base: Replayed
    step: Replayed
    hypothesis: tuple[str, ...]
    range: Range
    first: Label
    before: Label
