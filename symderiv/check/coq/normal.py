"""Sums of products multiplied out, one move at a time: how two sides that have one normal form become equal.

Nothing here has to be right: each move is an equation that Coq is asked to accept.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import sympy

from symderiv.check.coq.combination import RING, lettered
from symderiv.check.coq.scripts import Scripts, Way, by_way, into, then
from symderiv.check.coq.text import HALF, MINUS
from symderiv.check.terms import between, free, is_number, product_of, sum_of, summed, with_indices
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
            case Power():
                yield from self.of_power(part)
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

    def of_power(self, part: Power) -> Iterator[tuple[Any, str]]:
        """Yield what a power may become: factors that are no powers, inverses or roots."""
        base, p = part.base, part.exponent
        if not isinstance(p, sympy.Rational) or p.q > 2 or abs(p) > LARGEST_POWER:
            return
        if p == 0 or (is_number(base) and p.q == 1):
            new = base**p if is_number(base) else sympy.S.One
        elif isinstance(base, Times) and p.q == 1:
            new = Times(*(Power(self.fresh_bound(f), p) for f in base.args))
        elif isinstance(base, Power) and p.q == 1:
            new = Power(base.base, base.exponent * p)
        elif p in (MINUS, HALF, -HALF):
            return
        else:
            new = product_of([f if k == 0 else self.fresh_bound(f) for k, f in enumerate(_split(base, p))])
        yield new, self.scripts.ring(part, new)

    def of_product(self, part: Times) -> Iterator[tuple[Any, str]]:
        """Yield what a product may become."""
        args = part.args
        if any(isinstance(a, Times) for a in args) or len(args) == 1 or _numbers(args):
            yield _flat(part), self.scripts.ring(part, _flat(part))
        fewer = _cancelled(args)
        if fewer is not None:
            yield product_of(fewer), self.scripts.ring(part, product_of(fewer))
        for a in args:
            if isinstance(a, Delta) and a.args[0] != a.args[1]:
                kept, gone = sorted(a.args, key=lambda i: i.name)
                if any(gone in free(f) for f in args if f != a):
                    yield self.scripts.replaced(part, a, gone, kept)
        reduced = _reduced(args)
        if reduced is not None:
            yield reduced, self.scripts.ring(part, reduced)
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

        idle = [b for b in part.bound if b not in free(body)]
        if idle:
            kept = [b for b in part.bound if b not in idle]
            yield summed(Times(*(b.size for b in idle), body), kept), self.scripts.idle(part)
        yield from self.inverted(part, parts)

    def inverted(self, part: Sum, parts: Sequence[Any]) -> Iterator[tuple[Any, str]]:
        """Yield what a sum becomes where it is over what joins a matrix and its inverse."""
        for q in part.bound:
            holding = [f for f in parts if q in free(f)]
            if len(holding) != 2 or not all(isinstance(f, Entry) and f.indices.count(q) == 1 for f in holding):
                continue
            for one, other in (holding, holding[::-1]):
                law = self.scripts.laws.paired(one, other, q)
                if law is not None:
                    rest = [f for f in parts if f not in holding]
                    new = summed(product_of([*rest, law[0]]), [b for b in part.bound if b != q])
                    yield new, self.scripts.joined(part, q, (one, other), rest, law[1])
                    break

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


def _split(base: Any, p: Any) -> list[Any]:
    """Return the factors of a power, each the base, its root, or an inverse of one."""
    sign = 1 if p > 0 else -1
    rest = [Power(base, p - sign * (abs(p) // 1))] if p.q > 1 else []
    return [base if sign > 0 else Power(base, MINUS)] * int(abs(p) // 1) + rest


def _cancelled(args: tuple[Any, ...]) -> list[Any] | None:
    """Return the factors of a product, what is the inverse or the root of another one taken together with it."""
    powers = dict[Any, Any]()
    for a in args:
        base, p = (a.base, a.exponent) if isinstance(a, Power) else (a, sympy.S.One)
        if isinstance(p, sympy.Rational) and p.q <= 2:
            powers.setdefault(lettered(base), []).append((a, p))
    for same in powers.values():
        new = _split(same[0][0].base if isinstance(same[0][0], Power) else same[0][0], sum(p for _, p in same))
        if len(new) < len(same):
            gone = [a for a, _ in same]
            at = args.index(gone[0])
            left = [a for a in args[:at] if a not in gone], [a for a in args[at:] if a not in gone]
            return [*left[0], *new, *left[1]]
    return None


def _reduced(args: tuple[Any, ...]) -> Any:
    """Return `f t u⁻¹` as `f − f r u⁻¹` for u = t + r, t a product that tells sums with one inverse apart."""
    for a in args:
        if not (isinstance(a, Power) and a.exponent == MINUS and isinstance(a.base, Plus)):
            continue
        leading = [t for t in a.base.args if not any(isinstance(f, (Sum, Plus)) for f in _factors(t))]
        leading = [t for t in leading if not is_number(t) and not is_number(_factors(t)[0])]
        if not leading:
            continue
        first = max(leading, key=lambda t: sorted(map(_heads, _factors(t))))
        rest = _without(args, _factors(first))
        if rest is not None:
            others = [t for t in a.base.args if t != first]
            alone = product_of(_without(tuple(rest), (a,)) or [])
            return Plus(alone, *(Times(MINUS, *_factors(t), *rest) for t in others))
    return None


def _without(args: tuple[Any, ...], gone: tuple[Any, ...]) -> list[Any] | None:
    """Return the factors of a product but some, if they all stand there."""
    rest = list(args)
    for f in gone:
        if f not in rest:
            return None
        rest.remove(f)
    return rest


def _factors(term: Any) -> tuple[Any, ...]:
    return tuple(term.args) if isinstance(term, Times) else (term,)


def _heads(expr: Any) -> list[str]:
    """Return the names in an expression, whatever its indices."""
    own = [expr.name] if isinstance(expr, (Apply, Tensor)) else []
    return own + [n for a in getattr(expr, "args", ()) if isinstance(a, IndexExpr) for n in _heads(a)]


def _numbers(args: tuple[Any, ...]) -> bool:
    """Tell whether the numbers of a product are not one number, in front and not 1."""
    at = [k for k, a in enumerate(args) if is_number(a)]
    return bool(at) and (at != [0] or args[0] in (0, 1))


def _flat(part: Times) -> Any:
    flat = [f for a in part.args for f in (a.args if isinstance(a, Times) else (a,))]
    number = sympy.Mul(*filter(is_number, flat))
    rest = [f for f in flat if not is_number(f)]
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
    if isinstance(term, Times) and is_number(term.args[0]):
        return term.args[0], product_of(term.args[1:])
    if is_number(term):
        return term, sympy.S.One
    return sympy.S.One, term
