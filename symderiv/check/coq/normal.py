"""Sums of products multiplied out, one move at a time: how two sides that have one normal form become equal.

Nothing here has to be right: each move is an equation that Coq is asked to accept.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import sympy

from symderiv.check.coq.scripts import RING, Scripts, Way, by_way, into, then
from symderiv.check.terms import between, product_of, sum_of, summed, with_indices
from symderiv.index.nodes import Apply, Delta, Entry, Index, IndexExpr, Place, Plus, Power, Sum, Tensor, Times, put

MOST_MOVES = 200
LARGEST_POWER = 4


class Expander:
    """Multiplies out: sums outermost, no sum of terms inside a product or a sum, every δ contracted that can be."""

    def __init__(self, scripts: Scripts) -> None:
        self.scripts = scripts

    def moves(self, expr: Any) -> list[Way] | None:
        """Return the ways to the multiplied out form, one move each; nothing where there are too many."""
        found: list[Way] = []
        while (move := self.first(expr)) is not None:
            found.append(move)
            expr, _ = move
            if len(found) > MOST_MOVES:
                return None
        return found

    def first(self, expr: Any) -> Way | None:
        """Return the first move that an expression allows, outermost first."""
        for place, part in value_parts(expr):
            for new, script in self.here(part):
                after = put(expr, place, new)
                _, _, around = between(expr, after, place)
                return after, then(self.scripts.congruence(around, place), script)
        return None

    def here(self, part: Any) -> Iterator[tuple[Any, str]]:
        """Yield what a part may become."""
        match part:
            case Power(args=(base, sympy.Integer() as p)) if 1 <= p <= LARGEST_POWER and (
                p == 1 or isinstance(base, (Plus, Sum, Times))
            ):
                parts = [base, *(self.fresh_bound(base) for _ in range(p - 1))]
                yield product_of(parts), RING
            case Delta(args=(i, j)) if i == j:
                yield sympy.Integer(1), "exact: delta_one"
            case Times():
                yield from self.of_product(part)
            case Plus():
                flat = [t for a in part.args for t in (a.args if isinstance(a, Plus) else (a,))]
                if len(flat) != len(part.args) or len(flat) == 1 or sympy.S.Zero in flat:
                    yield sum_of([t for t in flat if t != 0]), RING
            case Sum():
                yield from self.of_sum(part)

    def of_product(self, part: Times) -> Iterator[tuple[Any, str]]:
        """Yield what a product may become."""
        args = part.args
        if any(isinstance(a, Times) for a in args) or len(args) == 1 or _numbers(args):
            yield _flat(part), RING
        for k, a in enumerate(args):
            if isinstance(a, Plus):
                yield Plus(*(Times(*args[:k], t, *(self.fresh_bound(b) for b in args[k + 1 :])) for t in a.args)), RING
            if isinstance(a, Sum):
                inner = self.fresh_bound(a)
                new = Sum(Times(*args[:k], inner.body, *args[k + 1 :]), *inner.bound)
                yield new, self.scripts.exchange(Times(*args[:k], inner, *args[k + 1 :]), k, new)

    def of_sum(self, part: Sum) -> Iterator[tuple[Any, str]]:
        """Yield what a sum may become."""
        body = part.body
        if body == 0:
            yield sympy.S.Zero, then(*("apply: sum_zero => ?" for _ in part.bound), "exact: erefl")
        if isinstance(body, Sum):
            yield Sum(body.body, *part.bound, *body.bound), "exact: erefl"
        if isinstance(body, Plus):
            yield Plus(*(Sum(t, *part.bound) for t in body.args)), self.scripts.split(part)
        parts = body.args if isinstance(body, Times) else (body,)
        for k, f in enumerate(parts):
            if isinstance(f, Delta):
                for gone, kept in (f.args, f.args[::-1]):
                    if gone in part.bound and gone != kept:
                        rest = with_indices(product_of([*parts[:k], *parts[k + 1 :]]), {gone: kept})
                        after = summed(rest, [b for b in part.bound if b != gone])
                        yield after, self.contracted(part, gone, kept, k, after)

    def contracted(self, part: Sum, gone: Index, kept: Index, k: int, after: Any) -> str:
        """Return the script of a contraction; an index that stays and is bound here goes outside first."""
        if kept not in part.bound or part.bound.index(kept) < part.bound.index(gone):
            return self.scripts.contract(part, gone, k, after)
        order = [*(b for b in part.bound if b != gone), gone]
        turned = Sum(part.body, *order)
        first = then(self.scripts.exchanged(list(part.bound), order, "exact: erefl"))
        return by_way(first, self.scripts.contract(turned, gone, k, after))

    def fresh_bound(self, expr: Any) -> Any:
        """Return an expression whose sums bind letters that nothing else has."""
        if isinstance(expr, Sum):
            new = {b: Index(f"s{next(self.scripts.numbers)}'", b.size) for b in expr.bound}
            return Sum(self.fresh_bound(with_indices(expr.body, new)), *new.values())
        if not isinstance(expr, IndexExpr) or isinstance(expr, (Index, Entry, Tensor, Delta)):
            return expr
        return type(expr)(*(self.fresh_bound(a) for a in expr.args))


def value_parts(expr: Any, place: Place = ()) -> Iterator[tuple[Place, Any]]:
    """Yield each part that is no derivative and stands in none, with its place, outermost first."""
    yield place, expr
    if isinstance(expr, (Times, Plus)):
        for k, a in enumerate(expr.args):
            yield from value_parts(a, (*place, k))
    elif isinstance(expr, (Sum, Power)):
        yield from value_parts(expr.args[0], (*place, 0))
    elif isinstance(expr, Apply):
        yield from value_parts(expr.args[2], (*place, 2))


def _numbers(args: tuple[Any, ...]) -> bool:
    """Tell whether the numbers of a product are not one number, in front and not 1."""
    at = [k for k, a in enumerate(args) if isinstance(a, sympy.Integer)]
    return bool(at) and (at != [0] or args[0] in (0, 1))


def _flat(part: Times) -> Any:
    flat = [f for a in part.args for f in (a.args if isinstance(a, Times) else (a,))]
    number = sympy.Mul(*(f for f in flat if isinstance(f, sympy.Integer)))
    rest = [f for f in flat if not isinstance(f, sympy.Integer)]
    if number == 0:
        return sympy.S.Zero
    return product_of(rest if number == 1 else [number, *rest])


def collected(scripts: Scripts, left: Any, right: Any) -> list[Way] | None:
    """Return the ways between two multiplied out sides whose terms are the same ones; nothing where they are not."""
    known: list[Any] = []
    one, other = (_terms(scripts, side, known) for side in (left, right))
    if any(_total(one, k) != _total(other, k) for k in known):
        return None
    first, second = (sum_of([_times(n, fit) for n, _, _, fit in parts]) for parts in (one, other))
    back = then("apply: esym", _each(scripts, other))
    return [(first, _each(scripts, one)), (second, scripts.leaf(first, second)), (right, back)]


Part = tuple[Any, Any, Any, Any]  # number, the term, the term without it, the term that stands for that


def _terms(scripts: Scripts, side: Any, known: list[Any]) -> list[Part]:
    """Return the terms of a side; each is the number times a known term, up to order."""
    parts = []
    for term in side.args if isinstance(side, Plus) else (side,):
        number, rest = _coefficient(term)
        fit = next((k for k in known if scripts.fits(rest, k)), None)
        if fit is None:
            known.append(rest)
            fit = rest
        parts.append((number, term, rest, fit))
    return parts


def _total(parts: list[Part], known: Any) -> Any:
    return sum(n for n, _, _, fit in parts if fit is known)


def _times(number: Any, fit: Any) -> Any:
    return fit if number == 1 else Times(number, fit)


def _each(scripts: Scripts, parts: list[Part]) -> str:
    """Return the script that writes each term as its number times the term that stands for the rest."""
    whole = ""
    for number, term, rest, fit in parts:
        one = scripts.reorder(rest, fit)
        if number != 1:
            under = [f"apply: sum_scaled => {scripts.terms.index(i)}" for i in getattr(term, "bound", ())]
            out, inner = then(*under, RING), then("apply: in_right", one)
            one = f"transitivity ({scripts.terms.term(Times(number, rest))} : F); [{out} | {inner}]"
        whole = into("apply: both_plus", whole, one) if whole else one
    return whole


def _coefficient(term: Any) -> tuple[Any, Any]:
    """Return the number in front of a product, also under a sum, and the rest."""
    if isinstance(term, Sum):
        number, rest = _coefficient(term.body)
        return number, Sum(rest, *term.bound)
    if isinstance(term, Times) and isinstance(term.args[0], sympy.Integer):
        return term.args[0], product_of(term.args[1:])
    if isinstance(term, sympy.Integer):
        return term, sympy.S.One
    return sympy.S.One, term
