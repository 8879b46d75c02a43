"""Scalar functions without a formula, to be called on tensors."""

from __future__ import annotations

from typing import Any

from symderiv.tensor.array import over
from symderiv.tensor.constants import constant
from symderiv.tensor.operations import apply


class Entrywise:
    """A scalar function, applied to every entry; `order` counts its derivatives."""

    def __init__(self, name: str, order: int = 0) -> None:
        self.name, self.order = name, order

    def __call__(self, x: Any) -> Any:
        """Return the function at an array."""
        return over(lambda a: apply("map", constant(a), data=(self.name, self.order)), x)

    def __repr__(self) -> str:
        return f"Entrywise({self.name}{chr(39) * self.order})"
