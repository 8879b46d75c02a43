"""Poles of what a maximum leaves out.

The derivative of `maximum(u, v)` has its choice in a factor, `1 + sign(u - v)`, which is 0 where v is larger.
Beside it stands the derivative of u, and where u is a root or a logarithm that has a pole in the midst of what is
left out.  There 0 times infinity is no number, though the function has a derivative.  So it is 1 that is divided by:

    (1 + sign(norm(x) - 1)) / norm(x) = (1 + sign(norm(x) - 1)) / where(norm(x) - 1 >= 0, norm(x), 1),

which is the same number wherever the left side is one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from symderiv.operands import number
from symderiv.tensor.expr import Expr, replaced, walk
from symderiv.tensor.operations import apply

LINEAR = ("mul", "div", "neg", "add", "sub")


@dataclass(frozen=True)
class Half:
    """What a factor `1 ± sign(gap)` says: it is not 0 only where the gap is `relation` 0."""

    gap: Expr
    relation: str


def guarded_poles(roots: Sequence[Expr]) -> list[Expr]:
    """Return expressions in which nothing is divided by 0 where a factor beside it leaves that out.

    >>> from symderiv.tensor.parse import parse, scope_of
    >>> from symderiv.tensor.text import to_text
    >>> scope = scope_of({"x": ("n",)})
    >>> to_text(guarded_poles([parse("(1 + sign(norm(x) - 1)) * x / norm(x)", scope)])[0])
    '(1 + sign(norm(x) - 1)) * x / where(norm(x) - 1 >= 0, norm(x), 1)'
    """
    if not any(e.op == "map" and e.data[0] == "sign" for e in walk(*roots)):
        return list(roots)
    new: dict[Expr, Expr] = {}
    beside: dict[Expr, frozenset[Half]] = {}  # what the factors of a product leave out
    for e in walk(*roots):
        args = [new[a] for a in e.args]
        if e.op in ("mul", "div"):
            left, right = e.args
            args = [_guarded(args[0], beside[right]) if e.op == "mul" else args[0], args[1]]
            args[1] = _guarded(args[1], beside[left], below=e.op == "div")
            beside[e] = beside[left] | (beside[right] if e.op == "mul" else frozenset())
        elif e.op == "neg":
            beside[e] = beside[e.args[0]]
        else:
            half = _half(e)
            beside[e] = frozenset() if half is None else frozenset({half})
        new[e] = e.with_args(tuple(args))
    return [new[r] for r in roots]


def _half(e: Expr) -> Half | None:
    """Read `1 + sign(u)`, `1 - sign(u)`, `sign(u) + 1` or `sign(u) - 1`."""
    if e.op not in ("add", "sub"):
        return None
    left, right = e.args
    sign, one = (left, right) if right.op == "number" else (right, left)
    if sign.op != "map" or sign.data[0] != "sign" or sign.data[1] or one.op != "number" or abs(one.data[0]) != 1:
        return None
    signs = [1, 1 if e.op == "add" else -1]
    of_sign, of_one = signs if sign is left else signs[::-1]
    return Half(sign.args[0], ">=" if of_sign == of_one * one.data[0] else "<=")


def _guarded(e: Expr, halves: frozenset[Half], below: bool = False) -> Expr:
    """Return a factor in whose divisors poles are guarded; `below` means it is a divisor itself."""
    if not halves:
        return e
    if below:
        for half in halves:
            e = replaced(e, {pole: _kept_away(pole, half) for pole in _poles(half.gap) if pole in set(walk(e))})
        return e
    if e.op not in LINEAR:
        return e
    args = [_guarded(a, halves, below=e.op == "div" and k == 1) for k, a in enumerate(e.args)]
    return e.with_args(tuple(args))


def _poles(gap: Expr) -> list[Expr]:
    """Return what derivatives of roots and logarithms in an array divide by, where it has the axes of the array."""
    found = [e for e in walk(gap) if e.op in ("norm", "sqrt")]
    found += [apply("matmul", e.args[0], e.args[0]) for e in found if e.op == "norm" and e.args[0].rank == 1]
    found += [e.args[0] for e in walk(gap) if e.op == "map" and e.data[0] == "log" and not e.data[1]]
    return [e for e in dict.fromkeys(found) if e.axes == gap.axes]


def _kept_away(pole: Expr, half: Half) -> Expr:
    return apply("where", half.gap, number(0), pole, number(1), data=(half.relation,))


__all__ = ["guarded_poles"]
