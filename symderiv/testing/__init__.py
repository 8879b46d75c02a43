"""Help for tests: assertions that are proofs, gradients held against their functions, random expressions and arrays.

- `assert_derivative`, `assert_equivalent`: a claim is proved, or fails with the entry, both values, sizes, seed, the
  right answer and the step that differs.
- `check_grads`: a gradient written by hand, against its function: numerically at given arrays, and proved where both
  can be traced.
- `symderiv.testing.strategies` (for hypothesis) draws shapes, expressions, derivatives to take, and arrays that fulfil
  an assumption.
- the plugin for pytest, `symderiv.testing.plugin`, loaded by itself: options, reports, claims in Markdown.
- `python -m symderiv.testing.fuzz` examines random derivatives, `python -m symderiv.testing.fuzz_text` random texts.

Importing this imports neither pytest nor hypothesis, and nothing else until a name is used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from symderiv.testing.assertions import assert_derivative, assert_equivalent
    from symderiv.testing.defaults import settings
    from symderiv.testing.failures import DifferenceError, Failure, UndecidedError
    from symderiv.testing.gradients import GradientCheck, check_grads

_LATER = {
    **{name: "symderiv.testing.assertions" for name in ("assert_derivative", "assert_equivalent")},
    **{name: "symderiv.testing.failures" for name in ("DifferenceError", "Failure", "UndecidedError")},
    **{name: "symderiv.testing.gradients" for name in ("GradientCheck", "check_grads")},
    "settings": "symderiv.testing.defaults",
}


def __getattr__(name: str) -> Any:
    if name in _LATER:
        return getattr(import_module(_LATER[name]), name)
    raise AttributeError(f"module 'symderiv.testing' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *_LATER})


__all__ = [
    "DifferenceError", "Failure", "GradientCheck", "UndecidedError", "assert_derivative", "assert_equivalent",
    "check_grads", "settings",
]  # fmt: skip
