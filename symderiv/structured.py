"""Derivatives over the free entries of a variable with a declared structure.

Entries of a symmetric S are not independent of each other: free are those on and above the diagonal, and
one off the diagonal stands at two places.  To change `S[k, l]` is to change `S[l, k]` with it, so that

    ∂S[i,j]/∂S[k,l] = δ[i,k] δ[j,l] + δ[i,l] δ[j,k] − δ[i,j] δ[i,k] δ[j,l].

At k = l the first two terms are the same, `δ[i,k] δ[j,k]`, and the third takes one of them off again:
it is `δ[i,j] δ[i,k] δ[j,k] = δ[i,k] δ[j,k]`.  At k ≠ l the third is 0.  With `G[i,j] = ∂f/∂S[i,j]` for
independent entries the chain rule gives

    Σ_ij G[i,j] ∂S[i,j]/∂S[k,l] = G[k,l] + G[l,k] − δ[k,l] G[k,l],    in short  G + Gᵀ − G∘I,

which is `2G − G∘I` where G is symmetric.  Of a diagonal D only the entries on the diagonal are free:

    ∂D[i,j]/∂D[k,l] = δ[i,j] δ[i,k] δ[j,l],    hence  G∘I.

Both are linear with constant coefficients, so that a derivative of order two takes the same step once for
each variable.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sympy

from symderiv.chain import pieces
from symderiv.errors import UnsupportedError
from symderiv.index import normal
from symderiv.index.graph import Node
from symderiv.index.nodes import Delta, Index, Plus, Times
from symderiv.tensor.expr import Expr

SYMMETRIC, DIAGONAL = "symmetric", "diagonal"
# What binds entries to each other in a way for which there is no one accepted derivative.
REFUSED = {
    "orthogonal": "the tangent directions of the orthogonal matrices are Q @ A with A + A.T = 0",
    "simplex": "the entries add up to 1",
    "simplex_rows": "the entries of a row add up to 1",
    "one_hot_rows": "its values are isolated",
    "binary": "its values are isolated",
    "signs": "its values are isolated",
    "counts": "its values are isolated",
}


def structure(x: Expr) -> str:
    """Return `symmetric`, `diagonal`, or nothing where the entries of a variable are free.

    >>> from symderiv.tensor.parse import variable
    >>> structure(variable("K", ("n", "n"), frozenset(["positive_definite"])))
    'symmetric'
    """
    traits = x.data[1] if x.op == "var" else frozenset()
    for trait in sorted(traits & set(REFUSED)):
        raise UnsupportedError(
            f"there is no one derivative over the free entries of {x.name}, which is {trait}: {REFUSED[trait]}",
            hint="leave structured=False: entries count as independent; project the result as your method needs it",
        )
    if DIAGONAL in traits:
        return DIAGONAL
    return SYMMETRIC if traits & {SYMMETRIC, "positive_definite"} else ""


def structures(variables: Sequence[Expr]) -> Mapping[str, str]:
    """Return the structure of each variable that has one, by name."""
    found = {x.name: structure(x) for x in variables}
    return {name: kind for name, kind in found.items() if kind}


def over_free_entries(derivative: Node, kind: str) -> Node:
    """Return the derivative over the free entries; its last two axes are those of the variable."""
    parts = pieces(derivative)
    if len(parts) > 1:
        return normal.add([(1, over_free_entries(part, kind)) for part in parts], derivative.dims)
    at = tuple(range(derivative.rank))
    *front, k, m = at
    eye = normal.delta(derivative.dims[k])
    on_diagonal = normal.contract(1, [(derivative, at), (eye, (k, m))], at)
    if kind == DIAGONAL:
        return on_diagonal
    turned = normal.transposed(derivative, (*front, m, k))
    return normal.add([(1, derivative), (1, turned), (-1, on_diagonal)], derivative.dims)


def slope(kind: str, entry: tuple[Index, Index], free: tuple[Index, Index]) -> Any:
    """Return `∂S[i,j]/∂S[k,l]` in the index language, for `entry` = (i, j) and `free` = (k, l)."""
    (i, j), (k, m) = entry, free
    on_diagonal = (Delta(i, j), Delta(i, k), Delta(j, m))
    if kind == DIAGONAL:
        return Times(*on_diagonal)
    same, other = Times(Delta(i, k), Delta(j, m)), Times(Delta(i, m), Delta(j, k))
    return Plus(same, other, Times(sympy.Integer(-1), *on_diagonal))
