"""Ways to compute a product for less: with what is there already, and by half where it is symmetric."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

from symderiv.code.contracting import Setting, contracted
from symderiv.code.products import Factor, Product
from symderiv.code.signs import is_nonnegative
from symderiv.columns import transposed
from symderiv.operands import Label, Labels, assembled
from symderiv.tensor.expr import Expr
from symderiv.tensor.operations import apply

ONE = Fraction(1)


def with_made(product: Product, setting: Setting) -> Product | None:
    """Return a product with two of its factors joined, where their matrix product is computed elsewhere."""
    arrays = [f for f in product.factors if len(f.labels) == len(set(f.labels)) in (1, 2) and not f.inverted]
    for a in (f for f in arrays if len(f.labels) == 2):
        for b in arrays:
            shared = set(a.labels) & set(b.labels)
            if a is b or len(shared) != 1 or shared & set(product.out):
                continue
            (q,) = shared
            if sum(q in f.labels for f in product.factors) > 2:
                continue
            joined = _made(a, b, q, setting)
            if joined is not None:
                rest = [f for f in product.factors if f is not a and f is not b]
                return replace(product, factors=[*rest, joined])
    return None


def _made(a: Factor, b: Factor, q: Label, setting: Setting) -> Factor | None:
    """Return `Σ_q a[p, q] b[q, …]` as a factor, where that is there."""
    (p,) = (x for x in a.labels if x != q)
    rest = tuple(x for x in b.labels if x != q)

    def ways(f: Factor, wanted: Labels) -> list[Expr]:
        straight = f.expr if f.labels == wanted else transposed(f.expr)
        return [straight, transposed(straight)] if f.expr.rank == 2 and setting.symmetric(f.expr) else [straight]

    for left in ways(a, (p, q)):
        for right in ways(b, (q, *rest)):
            forms = [(apply("matmul", left, right), (p, *rest))]
            turned = transposed(right) if rest else right
            forms.append((apply("matmul", turned, transposed(left)), (*rest, p)))
            for form, labels in forms:
                if form in setting.made:
                    return Factor(form, labels)
    return None


# ---------------------------------------------------------------- A.T @ A


def halved(product: Product, setting: Setting) -> Expr | None:
    """Return a product of the form `Σ_i H[i, q] d[i] H[i, r]` with d ≥ 0 as `B.T @ B` of one array.

    Half of such a product is computed: with `B = sqrt(d)[:, None] * H`.
    """
    if len(product.out) != 2 or product.deltas:
        return None
    halves = _halves(product)
    if halves is None:
        return None
    left, right, middle, i = halves
    exprs = []
    for side, end in zip((left, right), product.out, strict=True):
        half = Product(ONE, list(side), [], (i, end), product.sizes)
        exprs.append(contracted(half, setting))
    if exprs[0] is not exprs[1]:
        return None
    value = exprs[0]
    if middle:
        scale = Product(ONE, [Factor(f.expr, f.labels, f.inverted) for f in middle], [], (i,), product.sizes)
        square = contracted(scale, setting)
        if not is_nonnegative(square):
            return None
        root = apply("sqrt", square)
        value = apply("mul", value, apply("newaxis", root, data=((False, True),)))
    square = apply("matmul", transposed(value), value)
    scalars = [f for f in product.factors if not f.labels]
    top, low = ([f.expr for f in scalars if f.inverted is inverted] for inverted in (False, True))
    return assembled(product.coef, top, low, [square])


Side = list[Factor]


def _halves(product: Product) -> tuple[Side, Side, list[Factor], Label] | None:
    """Return what hangs at either end of a product, what stands between, and the label where they meet."""
    arrays = [f for f in product.factors if f.labels]
    for i in dict.fromkeys(x for f in arrays for x in f.labels if x not in product.out):
        sides = [_reached(arrays, end, i) for end in product.out]
        middle = [f for f in arrays if set(f.labels) == {i} and not f.inverted]
        rest = [f for f in arrays if not any(f is g for g in (*sides[0], *sides[1], *middle))]
        apart = not any(f is g for f in sides[0] for g in sides[1])
        if not rest and apart and sides[0] and sides[1]:
            return sides[0], sides[1], middle, i
    return None


def _reached(arrays: Sequence[Factor], start: Label, wall: Label) -> Side:
    """Return the factors that hang together with a label without passing through another."""
    labels: set[Label] = {start}
    found: Side = []
    while True:
        new = [f for f in arrays if f not in found and set(f.labels) & labels]
        if not new:
            return found
        found += new
        labels |= {x for f in new for x in f.labels} - {wall}


__all__ = ["halved", "with_made"]
