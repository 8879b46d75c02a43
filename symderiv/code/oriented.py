"""One array where another is its transpose or its negative, and matrices the way round in which they are met.

Passes over memory go along both of their arguments where these lie alike.  A matrix product can be had either way
round for nothing, so it is computed the way in which it is read.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from symderiv.code.costs import Costs
from symderiv.tensor.expr import Expr, walk
from symderiv.tensor.operations import apply

ENTRYWISE = frozenset({"neg", "map", "power", "sqrt", "add", "sub", "mul", "div", "masked", "where"})
TURNED_INSIDE = ENTRYWISE | {"matmul", "outer", "softmax"}
MOST_TRIED, CLEARLY = 24, 0.99


def without_cost(e: Expr) -> bool:
    """Tell what costs nothing: a variable, a number, a view of one."""
    while e.op in ("transpose", "newaxis", "neg"):
        e = e.args[0]
    return e.op in ("var", "number", "size", "ones", "zeros", "eye")


def flipped(e: Expr) -> Expr:
    """Return the transpose of a matrix as a view of it, without a double one."""
    return e.args[0] if e.op == "transpose" and not e.data else apply("transpose", e)


class Turner:
    """Transposes with the transposes moved inwards, as far as what is `kept`, which is read through a view."""

    def __init__(self, kept: set[Expr] | None = None) -> None:
        self.kept = kept or set()
        self.known: dict[Expr, Expr] = {}

    def turned(self, e: Expr, first: bool = False) -> Expr:
        """Return the transpose of a matrix; `first` takes even a kept one apart."""
        if e in self.kept and not first:
            return flipped(e)
        if e not in self.known:
            self.known[e] = self.inside(e)
        return self.known[e]

    def from_within(self, e: Expr) -> Expr:
        """Return the transpose of a matrix, what it is made of turned first, so that no depth is too much."""
        for part in walk(e):
            if part.rank == 2 and part is not e:
                self.turned(part)
        return self.turned(e, first=True)

    def inside(self, e: Expr) -> Expr:
        if e.op == "transpose" and not e.data:
            return e.args[0]
        if e.op == "matmul" and all(a.rank == 2 for a in e.args):
            return apply("matmul", self.turned(e.args[1]), self.turned(e.args[0]))
        if e.op == "outer":
            return apply("outer", e.args[1], e.args[0])
        if e.op == "softmax":
            return apply("softmax", self.turned(e.args[0]), data=(1 - e.data[0] % 2,))
        if e.op in ENTRYWISE:
            args = tuple(self.argument(a, e) for a in e.args)
            if all(a is not None for a in args):
                return Expr(e.op, args, e.data, tuple(reversed(e.axes)))  # type: ignore[arg-type]
        return flipped(e)

    def argument(self, a: Expr, whole: Expr) -> Expr | None:
        """Return an argument of an entrywise operation for the transposed result."""
        if a.rank == 0:
            return a
        if a.axes == whole.axes:
            return self.turned(a)
        if a.rank == 1 and a.axes == whole.axes[1:]:
            return apply("newaxis", a, data=((False, True),))
        if a.op == "newaxis" and a.args[0].rank == 1 and a.data[0] == (False, True):
            return a.args[0]
        if a.op == "newaxis" and a.args[0].rank == 1 and a.data[0] == (True, False):
            return apply("newaxis", a.args[0], data=((False, True),))
        return None


def once(roots: Sequence[Expr]) -> list[Expr]:
    """Return expressions in which what is the transpose or the negative of another is computed from it.

    >>> from symderiv.tensor.parse import parse, scope_of
    >>> scope = scope_of({"A": ("m", "k"), "B": ("n", "k"), "x": ("k",)})
    >>> once([parse("A @ B.T", scope), parse("exp(B @ A.T)", scope)])[1].args[0].op
    'transpose'
    """
    turner = Turner()
    mirrored, made = False, set[Expr]()
    new: dict[Expr, Expr] = {}
    seen: dict[Expr, Expr] = {}  # the transpose of an expression: what it is the transpose of
    for e in walk(*roots):
        args = tuple(new[a] for a in e.args)
        built = e.with_args(args)
        if built.op == "sub" and not without_cost(built):
            mirror = Expr("sub", (args[1], args[0]), (), e.axes)
            if mirror in made:
                built, mirrored = apply("neg", mirror), True
        if built.rank == 2 and not without_cost(built):
            known = seen.get(built)
            if known is not None and known is not built:
                new[e] = flipped(known)
                continue
            if built.op != "transpose":
                seen.setdefault(turner.turned(built), built)
        made.add(built)
        new[e] = built
    found = [new[r] for r in roots]
    return signs_out(found) if mirrored else found


LINEAR = frozenset({"mul", "div", "matmul", "inner", "outer", "einsum", "sum", "mean", "trace", "transpose", "newaxis"})


def signs_out(roots: Sequence[Expr]) -> list[Expr]:
    """Return expressions in which a minus within a product, a sum or a square is moved out, or is gone."""
    new: dict[Expr, Expr] = {}
    for e in walk(*roots):
        args = tuple(new[a] for a in e.args)
        bare = tuple(a.args[0] if a.op == "neg" else a for a in args)
        minus = [a.op == "neg" for a in args]
        if e.op in LINEAR and any(minus):
            value = Expr(e.op, bare, e.data, e.axes)
            new[e] = apply("neg", value) if sum(minus) % 2 else value
        elif e.op == "power" and minus[0] and e.data[0] % 2 == 0:
            new[e] = Expr(e.op, bare, e.data, e.axes)
        elif e.op == "neg" and minus[0]:
            new[e] = bare[0]
        elif e.op in ("add", "sub") and any(minus):
            new[e] = _signed_sum(bare, minus[0], minus[1] ^ (e.op == "sub"))
        else:
            new[e] = e.with_args(args)
    return [new[r] for r in roots]


def _signed_sum(args: tuple[Expr, ...], first: bool, second: bool) -> Expr:
    """Return `± a ± b`, True for a minus."""
    a, b = args
    if first and not second:
        return apply("sub", b, a)
    value = apply("sub" if first != second else "add", a, b)
    return apply("neg", value) if first else value


def oriented(roots: Sequence[Expr], costs: Costs, count: int | None = None) -> list[Expr]:
    """Return expressions in which matrices are computed the way round in which they are read.

    The first `count` are results, all if it is not given.

    >>> from symderiv.tensor.parse import parse, scope_of
    >>> from symderiv.tensor.text import to_text
    >>> scope = scope_of({"A": ("m", "k"), "B": ("n", "k"), "x": ("m",)})
    >>> roots = [parse("exp(A @ B.T) * (B @ A.T - x).T", scope)]
    >>> to_text(oriented(roots, Costs({}))[0])
    'exp(A @ B.T) * (A @ B.T - x[:, None])'
    """
    current = list(roots)
    least = _measure(current, costs, count)
    for _ in range(MOST_TRIED):
        for e in _read_turned(current):
            forms = [*(_flipped_at(current, e, deep) for deep in (False, True)), _flipped_together(current, e)]
            measure, candidate = min(((_measure(c, costs, count), c) for c in forms), key=lambda pair: pair[0])
            if _is_less(measure, least):
                current, least = candidate, measure
                break
        else:
            break
    return _views_out(current)


def _views_out(roots: Sequence[Expr]) -> list[Expr]:
    """Return expressions in which the transposes of all that an operation reads are one transpose of its result."""
    new: dict[Expr, Expr] = {}
    for e in walk(*roots):
        args = tuple(new[a] for a in e.args)
        turned = [a for a in args if a.rank == 2]
        views = all(a.op == "transpose" and not a.data and not without_cost(a) for a in turned)
        if e.op in ("add", "sub", "mul", "div", "neg") and turned and views and all(a.rank in (0, 2) for a in args):
            inner = tuple(a.args[0] if a.rank else a for a in args)
            new[e] = apply("transpose", Expr(e.op, inner, e.data, tuple(reversed(e.axes))))
        elif e.op == "transpose" and not e.data and args[0].rank == 2:
            new[e] = flipped(args[0])
        else:
            new[e] = e.with_args(args)
    return [new[r] for r in roots]


def _read_turned(roots: Sequence[Expr]) -> list[Expr]:
    """Return the computed matrices that are read through a transpose, or may be better the other way round."""
    found = [e.args[0] for e in walk(*roots) if e.op == "transpose" and not e.data and e.args[0].rank == 2]
    found += [e for e in walk(*roots) if e.op == "softmax" and e.rank == 2]  # a short axis is better the first
    return [e for e in dict.fromkeys(found) if not without_cost(e)][:MOST_TRIED]


def _flipped_at(roots: Sequence[Expr], e: Expr, deep: bool) -> list[Expr]:
    """Return expressions with one matrix computed the other way round, or (deep) all that it is made of."""
    if deep:
        return once(_replaced(roots, {e: flipped(Turner().from_within(e))}))
    uses: Counter[Expr] = Counter(roots)
    for part in walk(*roots):
        uses.update(part.args)
    shared = {part for part, count in uses.items() if count > 1}
    other = Turner(shared).from_within(e)
    return _replaced(roots, {e: flipped(other)})


def _flipped_together(roots: Sequence[Expr], e: Expr) -> list[Expr]:
    """Return expressions with all computed matrices that have the axes of one the other way round."""
    turner = Turner()
    new: dict[Expr, Expr] = {}
    for part in walk(*roots):
        built = part.with_args(tuple(new[a] for a in part.args))
        if part.axes == e.axes and part.op in TURNED_INSIDE and not without_cost(part):
            new[part] = flipped(turner.turned(built))
        else:
            new[part] = flipped(built.args[0]) if built.op == "transpose" and not built.data else built
            turner.kept.add(new[part])
    return [new[r] for r in roots]


def _replaced(roots: Sequence[Expr], change: Mapping[Expr, Expr]) -> list[Expr]:
    new: dict[Expr, Expr] = {}
    for e in walk(*roots):
        if e in change:
            new[e] = change[e]
            continue
        args = tuple(new[a] for a in e.args)
        if e.op == "transpose" and not e.data and args[0].rank == 2:
            new[e] = flipped(args[0])
        else:
            new[e] = e.with_args(args)
    return [new[r] for r in roots]


def _is_less(new: tuple[float, int], old: tuple[float, int]) -> bool:
    """Tell what costs notably less, or not more with fewer transposes."""
    return new[0] < CLEARLY * old[0] or (new[0] <= old[0] and new[1] < old[1])


def _measure(roots: Sequence[Expr], costs: Costs, count: int | None) -> tuple[float, int]:
    """Return what expressions cost, and how many transposes they show; those of results twice more."""
    nodes = set(walk(*roots))
    turned = sum(e.op == "transpose" and not e.data for e in nodes)
    return round(sum(map(costs.own, nodes))), turned + 2 * sum(r.op == "transpose" for r in roots[:count])


__all__ = ["Turner", "flipped", "once", "oriented", "without_cost"]
