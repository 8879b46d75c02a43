"""Two vectors that meet the same matrix as the rows of one product, so that the matrix is read once.

A product of a matrix and a vector waits for memory and not for arithmetic: `A @ x` and `A @ y`, neither of which
needs the other, are the rows of `rows(x, y) @ A.T`.  Values and their tangents meet the same weights in this way.

Operations for the printer: `rows(x, y)`, a matrix; `first(M)` and `second(M)`, the two rows of one, which come with
their names in one line.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import sympy

from symderiv.code.costs import Costs
from symderiv.columns import transposed
from symderiv.tensor.expr import Expr, walk
from symderiv.tensor.operations import apply

TWO = (sympy.Integer(2),)


def paired(roots: Sequence[Expr], costs: Costs) -> list[Expr]:
    """Return expressions in which products of one matrix with two vectors are one product, where that costs less.

    >>> from symderiv.code.costs import representative
    >>> from symderiv.tensor.parse import parse, scope_of
    >>> scope = scope_of({"A": ("n", "n"), "x": ("n",), "y": ("n",)})
    >>> root = parse("tanh(A @ x) * (A @ y)", scope)
    >>> [e.op for e in paired([root], Costs(representative([root], {"n": 300})))[0].args]
    ['map', 'second']
    >>> paired([root], Costs(representative([root], {"n": 20})))[0] is root
    True
    """
    partners: dict[Expr, Expr] = {}
    waiting: dict[tuple[Expr, bool], list[Expr]] = {}
    for e in walk(*roots):
        if e.op != "matmul" or sorted(a.rank for a in e.args) != [1, 2]:
            continue
        others = waiting.setdefault(_read(e), [])
        for other in others:
            if _is_less(other, e, costs) and not _needs(e, other, partners) and not _needs(other, e, partners):
                partners[e], partners[other] = other, e
                others.remove(other)
                break
        else:
            others.append(e)
    order = {e: k for k, e in enumerate(walk(*roots))}
    return _joined(roots, partners, order) if partners else list(roots)


def _read(product: Expr) -> tuple[Expr, bool]:
    """Return the matrix of a product with a vector, and whether it is its rows that meet the vector."""
    left, right = product.args
    matrix, along = (left, True) if left.rank == 2 else (right, False)
    if matrix.op == "transpose":
        (matrix,), along = matrix.args, not along
    return matrix, along


def _together(product: Expr, vectors: Sequence[Expr]) -> Expr:
    """Return the products of the matrix in one of them with some vectors, as the rows of one."""
    matrix, along = _read(product)
    rows = Expr("rows", tuple(vectors), (), (TWO, *vectors[0].axes))
    return apply("matmul", rows, transposed(matrix) if along else matrix)


def _vector(product: Expr) -> Expr:
    return next(a for a in product.args if a.rank == 1)


def _is_less(one: Expr, other: Expr, costs: Costs) -> bool:
    both = _together(one, (_vector(one), _vector(other)))
    return costs.own(both) + costs.own(both.args[0]) < costs.own(one) + costs.own(other)


def _below(e: Expr, partners: Mapping[Expr, Expr]) -> tuple[Expr, ...]:
    """Return what has to be there before a value; for a product in a pair that of both."""
    return (*e.args, *partners[e].args) if e in partners else e.args


def _needs(e: Expr, wanted: Expr, partners: Mapping[Expr, Expr]) -> bool:
    """Tell whether one value is computed from another."""
    seen: set[Expr] = set()
    stack = [e]
    while stack:
        part = stack.pop()
        if part is wanted:
            return True
        if part not in seen:
            seen.add(part)
            stack += _below(part, partners)
    return False


def _joined(roots: Sequence[Expr], partners: Mapping[Expr, Expr], order: Mapping[Expr, int]) -> list[Expr]:
    new: dict[Expr, Expr] = {}
    stack = list(reversed(roots))
    while stack:
        e = stack[-1]
        missing = [a for a in _below(e, partners) if a not in new]
        if missing:
            stack += missing
            continue
        stack.pop()
        if e in new:
            continue
        if e not in partners:
            new[e] = e.with_args(tuple(new[a] for a in e.args))
            continue
        pair = sorted((e, partners[e]), key=order.__getitem__)
        whole = _together(pair[0], [new[_vector(p)] for p in pair])
        for which, product in zip(("first", "second"), pair, strict=True):
            new[product] = Expr(which, (whole,), (), product.axes)
    return [new[r] for r in roots]


__all__ = ["paired"]
