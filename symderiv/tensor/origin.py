"""Where an expression came from: the SymPy symbols that its names stand for, to hand them back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import sympy


@dataclass(frozen=True)
class Origin:
    """The user's own SymPy objects by name, and how indices were counted.

    `symbols` are arrays (`MatrixSymbol`, `IndexedBase`), scalars and sizes; `free` the free indices of an
    index expression, in the order of the axes; `first` is the number that sums start from, 0 or 1.
    """

    symbols: Mapping[str, Any] = field(default_factory=dict)
    free: tuple[Any, ...] = ()
    first: int = 0

    def sized(self, value: sympy.Expr) -> sympy.Expr:
        """Return a size over the user's own symbols."""
        return value.xreplace({s: self.symbols[str(s)] for s in value.free_symbols if str(s) in self.symbols})
