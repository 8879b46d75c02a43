"""What a failed assertion says: the entry, both values, sizes, seed, what would be right, and where it went wrong."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from symderiv.errors import SymderivError

LONGEST = 300  # characters of an expression
MOST_NUMBERS = 60  # of an array, in the report of a test run


@dataclass(frozen=True)
class Failure:
    """Two sides that differ: `left` is the true value, `right` the one that was expected or computed by the user.

    `words` say what the two are; they are empty where no entry was looked at.
    """

    what: str
    left: float = 0.0
    right: float = 0.0
    entry: tuple[int, ...] = ()
    sizes: Mapping[str, int] = field(default_factory=dict)
    seed: int | None = None
    words: tuple[str, str] = ("the derivative is", "expected was")
    correct: str = ""
    step: str = ""
    note: str = ""
    point: Mapping[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        entry = f"entry ({', '.join(map(str, self.entry))}), counted from 0: " if self.entry else ""
        lines = [self.what]
        if any(self.words):
            lines.append(f"  {entry}{self.words[0]} {self.left:.10g}, {self.words[1]} {self.right:.10g}")
        where = [f"{name} = {size}" for name, size in self.sizes.items()]
        where += [] if self.seed is None else [f"seed {self.seed}"]
        if where:
            lines.append(f"  at {', '.join(where)}")
        for title, text in (("it should be", self.correct), ("first differing step", self.step), ("", self.note)):
            if text:
                lines.append(f"  {title}: {_cut(text)}" if title else f"  {_cut(text)}")
        return "\n".join(lines)

    @property
    def details(self) -> str:
        """The point at which the sides differ, array by array; for the report of a test run."""
        return "\n".join(f"{name} = {_array(value)}" for name, value in self.point.items())


class DifferenceError(AssertionError):
    """Two sides that should be equal differ; :attr:`failure` has the parts of the message."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(str(failure))
        self.failure = failure

    def __reduce__(self) -> tuple[Any, ...]:
        return (DifferenceError, (self.failure,))


class UndecidedError(SymderivError):
    """Neither proved nor refuted: no failure, and no success."""


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[:LONGEST]} …"


def _array(value: Any) -> str:
    import numpy as np

    array = np.asarray(value)
    if array.size > MOST_NUMBERS:
        return f"array of shape {array.shape}"
    return np.array2string(array, separator=", ", prefix="    ")
