"""The product of all entries but some, as NumPy has words for it: a choice that counts zeros.

`others(x)[j₁, …, jₘ] = Π_{k ∉ {j₁ … jₘ}} x[k]` for different j₁ … jₘ, else 0, is the m-th derivative of
`prod(x)`.  With w the entries and 1 where one is 0, and h = 1 where one is 0 and 0 elsewhere, it is

    Π_k w[k] / (w[j₁] ⋯ w[jₘ])      or 0, where   Σ_k h[k] − h[j₁] − … − h[jₘ] + 2 Σ_{a<b} δ[jₐ, j_b] > 0.

For different j the sum counts the zeros that are not left out.  Where only r < m of them are different, the first
part is at least −(m − r), as each place counts at least once, and the second is at least 2 (m − r): so it is 0 there.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from itertools import combinations

from symderiv.tensor.expr import Expr, replaced, walk
from symderiv.tensor.operations import apply
from symderiv.tensor.parse import number

Places = tuple[int, ...]  # the axes of the result at which the axes of an array stand


def spelled_out(expr: Expr) -> Expr:
    """Return a product of other entries as a choice, in words that every reader of the language has.

    >>> from symderiv.tensor.parse import variable
    >>> from symderiv.tensor.text import to_text
    >>> count, *_, quotient = spelled_out(
    ...     apply("others", variable("x", ("n",)), data=((0,), 1))
    ... ).args
    >>> to_text(count), to_text(quotient.args[1])
    ('sum(where(abs(x) <= 0, 1, 0)) - where(abs(x) <= 0, 1, 0)', 'where(abs(x) <= 0, 1, x)')
    """
    ((x,), (over, order)) = expr.args, expr.data
    kept = tuple(k for k in range(x.rank) if k not in over)
    turned = (*kept, *over)  # the axes of x as they come at a later place
    places = [over, *(tuple(range(x.rank + k * len(over), x.rank + (k + 1) * len(over))) for k in range(order - 1))]

    def at(array: Expr, place: Places) -> Expr:
        if place == over:
            return _placed(array, tuple(range(x.rank)), expr.rank)
        if turned != tuple(range(x.rank)):
            array = apply("transpose", array, data=() if x.rank == 2 else (turned,))
        return _placed(array, (*kept, *place), expr.rank)

    zero, one = number(0), number(1)
    size = apply("map", x, data=("abs", 0))
    filled = apply("where", size, zero, one, x, data=("<=",))
    holes = apply("where", size, zero, one, zero, data=("<=",))
    count = _placed(_reduced("sum", holes, over), kept, expr.rank)
    for place in places:
        count = apply("sub", count, at(holes, place))
    pairs = [_equal(expr, a, b) for a, b in combinations(places, 2)]
    if len(pairs) == 1:
        count = apply("add", count, _joined("mul", [number(2), *pairs[0]]))
    elif pairs:
        count = apply("add", count, apply("mul", number(2), _joined("add", [_joined("mul", p) for p in pairs])))
    whole = _placed(_reduced("prod", filled, over), kept, expr.rank)
    divisor = _joined("mul", [at(filled, place) for place in places])
    return apply("where", count, zero, zero, apply("div", whole, divisor), data=(">",))


def without_others(*exprs: Expr) -> list[Expr]:
    """Return expressions with every product of other entries spelled out."""
    change: dict[Expr, Expr] = {}
    for e in [e for e in walk(*exprs) if e.op == "others"]:  # arguments come first
        change[e] = spelled_out(Expr(e.op, tuple(replaced(a, change) for a in e.args), e.data, e.axes))
    return [replaced(e, change) for e in exprs] if change else list(exprs)


def _reduced(name: str, array: Expr, over: Sequence[int]) -> Expr:
    """Return a sum or a product over some axes, one after the other where they are not all."""
    if len(over) == array.rank:
        return apply(name, array)
    for axis in reversed(over):
        array = apply(name, array, data=(axis,))
    return array


def _placed(array: Expr, places: Places, rank: int) -> Expr:
    """Return an array with its axes at rising places of a result, to be broadcast along the others."""
    if not places:
        return array
    new = tuple(k not in places for k in range(places[0], rank))
    last = max((k for k, axis in enumerate(new) if axis), default=-1)
    return apply("newaxis", array, data=(new[: last + 1],)) if any(new) else array


def _equal(expr: Expr, a: Places, b: Places) -> list[Expr]:
    """Return factors whose product is 1 where the entries at two places are the same one, else 0."""
    return [_placed(apply("eye", data=(expr.shape[i],)), (i, j), expr.rank) for i, j in zip(a, b, strict=True)]


def _joined(name: str, parts: Sequence[Expr]) -> Expr:
    return reduce(lambda left, right: apply(name, left, right), parts)
