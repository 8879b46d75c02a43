"""What is said of SymPy's classes: which ones are quotients of others, and what to do about those refused."""

from __future__ import annotations

from typing import Any

import sympy

from symderiv.errors import UnsupportedError

RELATIONS: dict[Any, str] = {sympy.Lt: "<", sympy.Le: "<=", sympy.Gt: ">", sympy.Ge: ">="}
REMEDIES = {
    "Derivative": "give the function itself, and name the variables in wrt",
    "ArrayDerivative": "give the function itself, and name the variables in wrt",
    "Adjoint": "symderiv's arrays are real: write the transpose",
    "conjugate": "symderiv's arrays are real: leave it out",
    "BlockMatrix": "write the sum of its blocks' contributions, or declare the whole matrix",
    "BlockDiagMatrix": "write the sum of its blocks' contributions, or declare the whole matrix",
    "MatrixSlice": "declare the part as a matrix of its own",
    "PermutationMatrix": "declare it as a matrix, with assume={…: 'orthogonal'}",
    "MatrixPermute": "multiply by a permutation matrix that is declared",
    "ImmutableDenseMatrix": "put a MatrixSymbol in its place",
    "ImmutableSparseMatrix": "put a MatrixSymbol in its place",
    "ImaginaryUnit": "symderiv's numbers are real",
    "Integral": "give its closed form",
}
QUOTIENTS: dict[Any, tuple[str, str]] = {
    sympy.sec: ("", "cos"), sympy.csc: ("", "sin"), sympy.cot: ("cos", "sin"),
    sympy.sech: ("", "cosh"), sympy.csch: ("", "sinh"), sympy.coth: ("cosh", "sinh"),
}  # fmt: skip


def refused(expr: Any, why: str = "") -> UnsupportedError:
    """Return the refusal of a SymPy object, with its class and what to do."""
    kind = type(expr).__name__
    hint = REMEDIES.get(kind, "")
    if not hint and kind.startswith(("Array", "PermuteDims", "Reshape")):
        hint = "write it with Indexed and Sum"
    said = why or f"{kind} of SymPy is not part of the language"
    return UnsupportedError(said, hint=hint or "README lists what is read from SymPy; text may say it another way")
