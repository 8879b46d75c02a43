"""symderiv: matrix calculus that shows its work.

`derive` differentiates an expression and gives the result, the proof and the code; `verify` decides
whether a claimed derivative is right; `Sheet` reads statements: declarations, definitions, claims.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from symderiv.errors import (
    ParseError,
    ProofError,
    ShapeError,
    SymderivError,
    UnknownNameError,
    UnsupportedError,
)

if TYPE_CHECKING:
    from symderiv.derivation import Derivation, Proof, derive
    from symderiv.sheet import Sheet
    from symderiv.verdict import Verdict, verify

__version__ = "0.1.0"
_LATER = {
    **{name: "symderiv.derivation" for name in ("Derivation", "Proof", "derive")},
    **{name: "symderiv.verdict" for name in ("Verdict", "verify")},
    "Sheet": "symderiv.sheet",
}


def __getattr__(name: str) -> Any:
    """Import the engine, and SymPy with it, when it is first used."""
    if name in _LATER:
        return getattr(import_module(_LATER[name]), name)
    raise AttributeError(f"module 'symderiv' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)


__all__ = [
    "Derivation", "ParseError", "Proof", "ProofError", "ShapeError", "Sheet", "SymderivError", "UnknownNameError",
    "UnsupportedError", "Verdict", "__version__", "derive", "verify",
]  # fmt: skip
