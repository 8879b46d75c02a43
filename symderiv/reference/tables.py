"""The functions and operations of the language: what each is, read off its own row or its own line of indices."""

from __future__ import annotations

import ast
from dataclasses import dataclass

from symderiv import dims
from symderiv.functions import FUNCTIONS, Function
from symderiv.index.nodes import Names
from symderiv.index.written import Written
from symderiv.inputs import Shapes, read
from symderiv.lower import write
from symderiv.render.latex import Latex
from symderiv.render.plain import Plain
from symderiv.render.whole import WITHOUT_SMALL_FORM

# How each operation is written, with arrays of these shapes.
SHAPES: Shapes = {
    "A": ("n", "p"), "B": ("p", "m"), "C": ("n", "p"), "S": ("n", "n"), "T": ("m", "n", "p"),
    "x": ("n",), "y": ("n",), "w": ("p",), "a": (), "k": "size",
}  # fmt: skip
WRITTEN = (
    "A + C", "A - C", "-A", "A * C", "A / C", "A**2", "a**A", "sqrt(A)", "maximum(A, C)", "minimum(A, C)",
    "where(A < C, A, 0)", "A @ B", "A @ w", "x @ A", "x @ y", "inner(x, y)", "outer(x, w)", "kron(A, B)",
    "einsum('ij,jk->ik', A, B)", "matrix_power(S, 2)", "matrix_power(S, k)", "sum(A)", "sum(A, 1)", "mean(A)",
    "trace(S)", "norm(A)", "A.T", "diag(x)", "diag(S)", "vec(A)", "reshape(T, (m, n*p))", "x[:, None]", "eye(n)",
    "ones(n, p)", "zeros(n, p)", "inv(S)", "solve(S, x)", "det(S)", "logdet(S)", "prod(x)", "softmax(A, 1)",
    "logsumexp(A, 1)",
)  # fmt: skip
# What no line of indices says, because the array enters as a whole.
MEANINGS = {
    "matrix_power": " = (S S ⋯ S)ᵢⱼ, k factors",
    "inv": ", where Σₜ Sᵢₜ (S⁻¹)ₜⱼ = δᵢⱼ",
    "solve": ", S⁻¹ as in inv(S)",
    "det": ", the determinant",
    "logdet": ", of its absolute value",
    "prod": " = Πₜ xₜ",
    "softmax": " = exp(Aᵢⱼ) / Σₜ exp(Aᵢₜ)",
    "logsumexp": " = log Σₜ exp(Aᵢₜ)",
}


@dataclass(frozen=True)
class Row:
    """An operation as it is written, the shapes of its arrays and of its result, its line of indices."""

    text: str
    operation: str
    arguments: str
    shape: str
    line: str
    latex: str
    meaning: str


def functions() -> list[Function]:
    """Return the scalar functions, in the order of their table."""
    return list(FUNCTIONS.values())


def operations() -> list[Row]:
    """Return the operations, each with its line of indices.

    >>> row = next(row for row in operations() if row.text == "A @ B")
    >>> row.shape, row.line
    ('(n, m)', 'Σₜ Aᵢₜ Bₜⱼ')
    """
    return [_row(text) for text in WRITTEN]


def _row(text: str) -> Row:
    scope, expr = read(text, SHAPES, None, None)
    letters = Names({*scope.names, *map(str, scope.sizes), *WITHOUT_SMALL_FORM})
    tokens = [tuple(letters.fresh(size) for size in axis) for axis in expr.axes]
    latex = Latex({})
    right = latex.index(write(expr, tokens, Written(letters, {})))
    used = {name: shape for name, shape in SHAPES.items() if name in _names(text)}
    arguments = ", ".join(f"{n}: {shape if isinstance(shape, str) else _written(shape)}" for n, shape in used.items())
    meaning = MEANINGS.get(expr.op, "") if expr.data != (2,) else ""
    return Row(text, expr.op, arguments, dims.written(expr.shape), Plain()(right), right, meaning)


def _names(text: str) -> set[str]:
    return {node.id for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Name)}


def _written(shape: object) -> str:
    sizes = shape if isinstance(shape, tuple) else ()
    return f"({', '.join(map(str, sizes))}{',' if len(sizes) == 1 else ''})"


__all__ = ["Row", "functions", "operations"]
