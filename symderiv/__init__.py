"""symderiv: matrix calculus that shows its work.

`derive` differentiates an expression and gives the result, the proof and the code; `gradients` does so in
several variables at once, and `hvp` multiplies the Hessian with a direction; `generate` writes a NumPy module and
its tests; `verify` decides whether a claimed derivative is right, `homework` whether a derivation in LaTeX is,
`check_proof` examines a stored proof; `declare` makes tensors that take Python's operators and NumPy's
functions; `Sheet` reads statements: declarations, definitions, claims; `add_function`, `add_operation` and
`add_rule` teach it more.
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
    from symderiv import numpy_names
    from symderiv.check.stored import check_proof
    from symderiv.curvature import HessianVectorProduct, hvp
    from symderiv.derivation import Derivation, derive
    from symderiv.extending import add_function, add_operation, add_rule
    from symderiv.functions import Function
    from symderiv.generating import Generated, generate
    from symderiv.interop import from_sympy, to_sympy
    from symderiv.joint import HessianVectorProducts
    from symderiv.marking import Homework, homework
    from symderiv.packing import Packed
    from symderiv.results import Proof
    from symderiv.several import Gradients, gradients
    from symderiv.sheets import Sheet
    from symderiv.statements.declaring import declare
    from symderiv.tensor.array import Tensor
    from symderiv.verdict import Verdict, verify

__version__ = "0.1.0"
_LATER = {
    **{name: "symderiv.derivation" for name in ("Derivation", "derive")},
    **{name: "symderiv.several" for name in ("Gradients", "gradients")},
    **{name: "symderiv.curvature" for name in ("HessianVectorProduct", "hvp")},
    "Function": "symderiv.functions",
    **{name: "symderiv.extending" for name in ("add_function", "add_operation", "add_rule")},
    "HessianVectorProducts": "symderiv.joint",
    "Packed": "symderiv.packing",
    **{name: "symderiv.generating" for name in ("Generated", "generate")},
    **{name: "symderiv.marking" for name in ("Homework", "homework")},
    "Proof": "symderiv.results",
    **{name: "symderiv.verdict" for name in ("Verdict", "verify")},
    "Sheet": "symderiv.sheets",
    "Tensor": "symderiv.tensor.array",
    "check_proof": "symderiv.check.stored",
    "declare": "symderiv.statements.declaring",
    "load_ipython_extension": "symderiv.notebook",
    **{name: "symderiv.interop" for name in ("from_sympy", "to_sympy")},
}


_asked_for_extensions = False


def __getattr__(name: str) -> Any:
    """Import the engine, and SymPy with it, when it is first used."""
    if name in _LATER:
        found = getattr(import_module(_LATER[name]), name)
        load_extensions()
        return found
    if name == "numpy_names":
        return import_module("symderiv.numpy_names")
    raise AttributeError(f"module 'symderiv' has no attribute {name!r}")


def load_extensions() -> None:
    """Let installed packages add what they name under `symderiv.extensions` (:mod:`symderiv.extending`), once."""
    global _asked_for_extensions
    if _asked_for_extensions:
        return
    _asked_for_extensions = True  # first of all: they import symderiv
    from importlib.metadata import entry_points

    entries = entry_points(group="symderiv.extensions")
    if entries:
        import_module("symderiv.extending").load(entries)


def __dir__() -> list[str]:
    return sorted(__all__)


__all__ = [
    "Derivation", "Function", "Generated", "Gradients", "HessianVectorProduct", "HessianVectorProducts",
    "Homework", "Packed", "ParseError", "Proof", "ProofError", "ShapeError", "Sheet", "SymderivError", "Tensor",
    "UnknownNameError", "UnsupportedError", "Verdict", "__version__", "add_function", "add_operation",
    "add_rule", "check_proof", "declare", "derive", "from_sympy", "generate", "gradients", "homework", "hvp",
    "numpy_names", "to_sympy", "verify",
]  # fmt: skip
