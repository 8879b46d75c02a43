"""What a user hands in (a text, a SymPy expression, an expression of ours) as one expression with its scope."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from typing import Any

import sympy

from symderiv.errors import ShapeError, UnknownNameError, UnsupportedError
from symderiv.index import normal
from symderiv.lift import lift
from symderiv.lower import index_ranges, lower
from symderiv.tensor.expr import Expr
from symderiv.tensor.expr import walk as walk_expr
from symderiv.tensor.parse import Scope, parse, scope_of
from symderiv.tensor.sympy_in import from_sympy_matrix

Shapes = Mapping[str, Sequence[Any]]


def read(
    expr: Any, shapes: Shapes | None, assume: Mapping[str, str] | None, functions: Mapping[str, list[str]] | None
) -> tuple[Scope, Expr]:
    """Return the scope and the expression that some input stands for."""
    if isinstance(expr, str):
        scope = scope_of(_tuples(shapes), assume, functions)
        return scope, parse(expr, scope)
    if isinstance(expr, sympy.Basic):
        found = from_sympy_matrix(expr)
        given = {**{k: v.shape for k, v in found.names.items()}, **_tuples(shapes)}
        scope = scope_of(given, assume, functions)
        return scope, _with_axes(found.rebuilt(scope), found.free)
    if isinstance(expr, Expr):
        scope = scope_of(_tuples(shapes), None, functions)
        for e in walk_expr(expr):
            if e.op == "var":
                scope.names[e.name] = e
                scope.sizes.update({str(s): s for size in e.shape for s in size.free_symbols})
        return scope, expr
    kind = "a Python function" if inspect.isroutine(expr) else type(expr).__name__
    raise UnsupportedError(f"{kind} cannot be read", hint="give a text, a SymPy expression, or a symderiv expression")


def _with_axes(expr: Expr, free: tuple[str, ...] | None) -> Expr:
    """Return a function of free indices as an array with these axes."""
    if free is None:
        return expr
    array = lower(expr, sizes=index_ranges(expr))
    order = [array.free.index(name) for name in free]
    return lift(normal.transposed(array.node, order))


def _tuples(shapes: Shapes | None) -> dict[str, tuple[Any, ...]]:
    result = {}
    if not isinstance(shapes, Mapping | None):
        raise ShapeError("shapes is a table of names and shapes", hint='write shapes={"X": ("n", "m")}')
    for name, shape in (shapes or {}).items():
        if isinstance(shape, str) or not isinstance(shape, Sequence):
            raise ShapeError(
                f"the shape of {name} is {shape!r}", hint='write a tuple of sizes, such as ("n", "m") or ()'
            )
        result[name] = tuple(shape)
    return result


def variable(name: str, scope: Scope) -> Expr:
    """Return the declared variable of that name."""
    if name in scope.names:
        return scope.names[name]
    raise UnknownNameError(f"unknown variable {name!r}", hint="declared are " + ", ".join(scope.names))
