"""What a decision on a claim says: importable without NumPy, which only deciding needs."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Counterexample:
    """Sizes, a point and an entry where the claim fails: `left` is the true value, `right` the claimed one.

    The entry counts the values of the free indices first, in order of appearance, then the axes.
    """

    sizes: dict[str, int]
    seed: int
    entry: tuple[int, ...]
    left: float
    right: float
    point: dict[str, list]  # type: ignore[type-arg]


@dataclass(frozen=True)
class Outcome:
    """The status ("proved", "refuted", "undecided"), what it rests on or why, and a counterexample."""

    status: str
    scope: str
    counterexample: Counterexample | None = None
