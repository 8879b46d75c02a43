"""What a user hands in (a text, SymPy, a tensor, a Python function) as one expression with its scope."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Any

import sympy

from symderiv import dims
from symderiv.errors import ParseError, ShapeError, UnknownNameError, UnsupportedError
from symderiv.interop import read_sympy
from symderiv.statements.tracing import trace
from symderiv.tensor.array import Tensor
from symderiv.tensor.expr import Expr, replaced, written_out
from symderiv.tensor.expr import walk as walk_expr
from symderiv.tensor.parse import Scope, checked_traits, parse, scope_of, with_traits

Shapes = Mapping[str, Sequence[Any]]
SIZE = "size"  # instead of a shape: the name of a size
SYMBOLS = (sympy.Symbol, sympy.MatrixSymbol, sympy.IndexedBase)


def read(
    expr: Any, shapes: Shapes | None, assume: Mapping[str, str] | None, functions: Mapping[str, list[str]] | None
) -> tuple[Scope, Expr]:
    """Return the scope and the expression that some input stands for.

    In `shapes` the word `"size"` declares a size that no array needs to have, such as the exponent of a power.
    """
    shapes, sizes = _apart(shapes)
    if isinstance(expr, str):
        scope = _with_sizes(scope_of(_tuples(shapes), assume, functions), sizes)
        return scope, parse(expr, scope)
    scope, found = _read(expr, shapes, assume, functions)
    return _with_sizes(scope, sizes), found


def _read(
    expr: Any, shapes: Shapes | None, assume: Mapping[str, str] | None, functions: Mapping[str, list[str]] | None
) -> tuple[Scope, Expr]:
    """Return the scope and the expression that an input other than a text stands for."""
    if isinstance(expr, sympy.Basic):
        return read_sympy(expr, _tuples(shapes), assume, functions)
    if isinstance(expr, Tensor):
        expr = expr.expr
    if isinstance(expr, Expr):
        return _around(expr, _tuples(shapes), assume, functions)
    if callable(expr) and not isinstance(expr, type):
        scope = scope_of(_tuples(shapes), assume, functions)
        return scope, trace(expr, scope)
    raise UnsupportedError(
        f"{type(expr).__name__} cannot be read",
        hint="give a text, a SymPy expression, a tensor of symderiv.declare, or a Python function written in NumPy",
    )


def _apart(shapes: Any) -> tuple[Any, list[str]]:
    """Return the shapes of arrays, and the names that are declared as sizes."""
    if not isinstance(shapes, Mapping):
        return shapes, []
    sizes = [name for name, shape in shapes.items() if isinstance(shape, str) and shape == SIZE]
    return {name: shape for name, shape in shapes.items() if name not in sizes}, sizes


def _with_sizes(scope: Scope, sizes: Sequence[str]) -> Scope:
    """Return a scope that declares some sizes besides."""
    for name in sizes:
        if name in scope.names or name in scope.functions:
            raise ParseError(f"{name} is both a size and something else", hint="take another name for one of the two")
        scope.sizes[name] = dims.size(name)
    return scope


def read_claim(claim: Any, scope: Scope) -> Expr:
    """Return the expression that a claim stands for, over the variables of a scope.

    A claim is a text, an expression or tensor, or a Python function with parameters that the scope declares.
    """
    if isinstance(claim, str):
        return parse(claim, scope)
    if isinstance(claim, Tensor):
        claim = claim.expr
    if isinstance(claim, Expr):
        return written_out(replaced(claim, {x: _known(x, scope) for x in _variables(claim).values()}))
    if callable(claim) and not isinstance(claim, type):
        return written_out(trace(claim, scope))
    hint = "give a text, a tensor, or a function written in NumPy"
    raise UnsupportedError(f"{type(claim).__name__} cannot be read as a claim", hint=hint)


def _around(
    expr: Expr,
    given: dict[str, tuple[Any, ...]],
    assume: Mapping[str, str] | None,
    functions: Mapping[str, list[str]] | None,
) -> tuple[Scope, Expr]:
    """Return the scope of an expression's own variables and of what is declared besides, and the expression in it."""
    own = _variables(expr)
    scope = scope_of({**{name: x.shape for name, x in own.items()}, **given}, assume, functions)
    for name, x in own.items():
        more = _known(x, scope).data[1]
        scope.names[name] = x if more <= x.data[1] else checked_traits(with_traits(x, more))
    return scope, replaced(expr, {x: scope.names[name] for name, x in own.items()})


def _variables(expr: Expr) -> dict[str, Expr]:
    """Return the variables of an expression by name."""
    found: dict[str, Expr] = {}
    for x in walk_expr(expr):
        if x.op == "var" and found.setdefault(x.name, x) is not x:
            shapes = {"one": dims.written(found[x.name].shape), "another": dims.written(x.shape)}
            raise ShapeError(f"two variables are called {x.name}", shapes=shapes, hint="declare them together, once")
    return found


def _tuples(shapes: Shapes | None) -> dict[str, tuple[Any, ...]]:
    result = {}
    if not isinstance(shapes, Mapping | None):
        raise ShapeError("shapes is a table of names and shapes", hint='write shapes={"X": ("n", "m")}')
    for name, shape in (shapes or {}).items():
        if isinstance(shape, (str, bytes)) or not isinstance(shape, Sequence):
            raise ShapeError(
                f"the shape of {name} is {shape!r}", hint='write a tuple of sizes, such as ("n", "m") or ()'
            )
        result[name] = tuple(shape)
    return result


def variables(wrt: Any, scope: Scope) -> list[Expr]:
    """Return what is differentiated in: names, tensors or symbols of SymPy, one or several."""
    wanted = [wrt] if isinstance(wrt, (str, Tensor, *SYMBOLS)) else wrt
    if isinstance(wanted, Sequence) and not isinstance(wanted, str):
        wanted = [str(x) if isinstance(x, SYMBOLS) else x for x in wanted]
    if not isinstance(wanted, Sequence) or not all(isinstance(x, (str, Tensor)) for x in wanted):
        raise ParseError(f"wrt is a name or a list of names, not {wrt!r}", hint='write "x" or ["x", "x"]')
    if not wanted:
        raise ParseError("name at least one variable to differentiate with respect to")
    return [_declared(x.expr, scope) if isinstance(x, Tensor) else variable(x, scope) for x in wanted]


def variable(name: str, scope: Scope) -> Expr:
    """Return the declared variable of that name."""
    if name in scope.names:
        return scope.names[name]
    near = get_close_matches(name, scope.names, 1, 0.7)
    alike = near or [known for known in scope.names if known.lower() == name.lower()]
    hint = f"did you mean {alike[0]}? " if alike else ""
    if name in scope.sizes:
        hint = f"{name} is a size; "
    raise UnknownNameError(f"unknown variable {name!r}", hint=f"{hint}declared are {', '.join(scope.names)}")


def _declared(x: Expr, scope: Scope) -> Expr:
    """Return the variable that a tensor stands for; one that is new is declared by it."""
    if x.op != "var":
        raise ParseError("derivatives are taken in declared arrays", hint="write symderiv.declare(…) for each")
    if x.name not in scope.names:
        scope.names[x.name] = x
        scope.sizes.update({str(s): s for size in x.shape for s in size.free_symbols})
    return _known(x, scope)


def _known(x: Expr, scope: Scope) -> Expr:
    """Return the declared variable with the name and the shape of this one."""
    known = variable(x.name, scope)
    if known.shape != x.shape:
        shapes = {"declared": dims.written(known.shape), "here": dims.written(x.shape)}
        raise ShapeError(f"{x.name} has two shapes", shapes=shapes, hint="declare the arrays together, once")
    return known
