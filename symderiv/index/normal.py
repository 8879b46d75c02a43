"""The normal form: constructors that contract, merge, split and name, so that equal means identical.

What `contract` holds to, for a product of factors under a sum over its bound indices:

* `Σ_j δ[i,j] f[j] = f[i]`; `δ[i,i] = 1`; a bound index that stands nowhere is its size as a factor;
* equal factors are powers, `f[i] f[i]⁻¹ = 1`; `Σ_q A[i,q] A⁻¹[q,j] = δ[i,j]`;
* a bound index in at most two places chains its factors: what is chained together is one node.
  One in three or more places joins them as an entrywise product does: what hangs on it is a node of
  its own (`Σ_i X[i,k] d[i] (Σ_l X[i,l] v[l])`), as are parts that share no bound index;
* what is left outermost is a pure product of nodes, with the coefficient, and is inlined wherever it
  is used;
* bound names and factor order are canonical (:mod:`symderiv.index.labelling`).

So results stay factored (a sum is never multiplied out) and the cost of deep chains grows linearly.

The constructors themselves: :mod:`~symderiv.index.contraction` (products, sums, entrywise functions),
:mod:`~symderiv.index.whole` (functions of whole arrays), :mod:`~symderiv.index.rebuild`.
"""

from __future__ import annotations

from symderiv.index.contraction import (
    add,
    constant,
    contract,
    core,
    defined,
    delta,
    entrywise,
    extremum,
    general_power,
    is_zero,
    leaf,
    number,
    power,
    rewrapped,
    scaled,
    size_of,
    symmetries,
    terms_of,
    transposed,
    used_axes,
    weight,
    where,
)
from symderiv.index.rationals import ONE, ZERO
from symderiv.index.rebuild import dependent, from_below, rebuild, substitute, unfold
from symderiv.index.signs import positive
from symderiv.index.whole import (
    determinant,
    inverse,
    log_determinant,
    log_sum_exp,
    matrix_power,
    product,
    product_except,
    softmax,
    unknown,
)

__all__ = [
    "ONE", "ZERO", "add", "constant", "contract", "core", "defined", "delta", "dependent", "determinant", "entrywise",
    "extremum", "from_below", "general_power", "inverse", "is_zero", "leaf", "log_determinant", "log_sum_exp",
    "matrix_power", "number", "positive", "power", "product", "product_except", "rebuild", "rewrapped", "scaled",
    "size_of", "softmax", "substitute", "symmetries", "terms_of", "transposed", "unfold", "unknown", "used_axes",
    "weight", "where",
]  # fmt: skip
