"""Passes over memory in the words in which they are fastest, where that is notable in the whole.

* Sums of short rows by `einsum`, which does not begin anew for each row.  Long rows stay with `np.sum`, which adds in
  pairs and so loses fewer digits.
* Rows or columns are multiplied by reciprocals, as many divisions as there are rows, where these cannot overflow.
* Conditions that several arrays are multiplied with, once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

from symderiv.code.costs import Costs, lies_turned
from symderiv.operands import number
from symderiv.tensor.expr import Expr, inductive, walk
from symderiv.tensor.operations import apply

NOTABLE = 0.01  # of the whole
SMALL = 1e-6
LONG = 2000.0  # entries of a row that is summed in pairs


def in_fast_words(roots: Sequence[Expr], costs: Costs) -> list[Expr]:
    """Return expressions of the same values in which passes over memory are in their fastest words.

    >>> from symderiv.code.costs import representative
    >>> from symderiv.tensor.parse import parse, scope_of
    >>> from symderiv.tensor.text import to_text
    >>> scope = scope_of({"X": ("n", "p"), "y": ("n",)})
    >>> root = parse("(X - sum(X, 1)[:, None]) / sqrt(y)[:, None]", scope)
    >>> to_text(in_fast_words([root], Costs(representative([root])))[0])
    "(X - einsum('ij->i', X)[:, None]) * (1 / sqrt(y))[:, None]"
    """
    least = NOTABLE * sum(map(costs.own, walk(*roots)))
    masks = Counter(_mask(e) for e in set(walk(*roots)) if e.op == "masked")
    new: dict[Expr, Expr] = {}
    for e in walk(*roots):
        new[e] = e.with_args(tuple(new[a] for a in e.args))
        if e.op == "masked" and masks[_mask(e)] > 1:
            new[e] = apply("mul", new[e].args[0], _mask(new[e]))
        for form in (_summed(new[e], costs), _times_reciprocal(new[e])):
            if form is not None and _saved(new[e], form, costs) > least:
                new[e] = form
    return [new[r] for r in roots]


def with_reciprocals(roots: Sequence[Expr], costs: Costs) -> list[Expr]:
    """Return expressions in which matrices are multiplied by reciprocals, where that costs less."""
    new: dict[Expr, Expr] = {}
    for e in walk(*roots):
        new[e] = e.with_args(tuple(new[a] for a in e.args))
        form = _times_reciprocal(new[e])
        if form is not None and _saved(new[e], form, costs) > 0:
            new[e] = form
    return [new[r] for r in roots]


def _saved(e: Expr, form: Expr, costs: Costs) -> float:
    return costs.own(e) - costs.total(form, set(walk(*e.args)))


def _mask(e: Expr) -> Expr:
    """Return the condition that an array is multiplied with."""
    _, left, right = e.args
    return Expr("mask", (left, right), e.data, left.axes if left.rank >= right.rank else right.axes)


def _summed(e: Expr, costs: Costs) -> Expr | None:
    """Return the sum over each row in memory as an einsum."""
    if e.op not in ("sum", "mean") or not e.data or e.args[0].rank != 2:
        return None
    (matrix,), axis = e.args, e.data[0] % 2
    size = matrix.shape[axis]
    if (axis == 1) == lies_turned(matrix) or costs.size(size) > LONG:
        return None
    base, word = (matrix.args[0], "ji") if matrix.op == "transpose" else (matrix, "ij")
    total = Expr("einsum", (base,), (f"{word}->{'ji'[axis]}",), e.axes)
    return total if e.op == "sum" else apply("div", total, Expr("size", (), (size,), ()))


def _times_reciprocal(e: Expr) -> Expr | None:
    """Return a matrix divided by a number, or by a vector row by row or column by column, as a product."""
    if e.op != "div" or e.rank != 2 or e.args[0].axes != e.axes:
        return None
    matrix, low = e.args
    vector = low.args[0] if low.op == "newaxis" else low
    if vector.rank > 1 or vector.op in ("number", "size") or not never_tiny(vector):
        return None
    turned = apply("div", number(1), vector)
    return apply("mul", matrix, apply("newaxis", turned, data=low.data) if low.op == "newaxis" else turned)


def never_tiny(expr: Expr) -> bool:
    """Tell whether no entry is so near to 0, other than 0 itself, that its reciprocal overflows.

    A square root is not: that of the smallest number is 2e-162 (4e-23 in single precision).  Nor is a sum with a
    number: floats near to a number c are apart by ε c, so that what is left of it is that much, or 0.

    >>> from symderiv.tensor.parse import parse, scope_of
    >>> scope = scope_of({"x": ("n",)})
    >>> [never_tiny(parse(text, scope)) for text in ("sqrt(x)", "2 - x**2", "x**2", "x + x**2")]
    [True, True, False, False]
    """
    return _never_tiny(expr)


@inductive
def _never_tiny(e: Expr, known: Callable[[Expr], bool]) -> bool:
    match e.op:
        case "sqrt":
            return True
        case "neg" | "newaxis" | "transpose":
            return known(e.args[0])
        case "map":
            return bool(e.data[0] == "cosh")
        case "add" | "sub":
            return any(a.op == "number" and abs(a.data[0]) > SMALL for a in e.args)
    return False


__all__ = ["in_fast_words", "never_tiny"]
