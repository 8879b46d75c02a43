"""Scripts for equations of sums and products: each is one sentence of tactics, generated from the two sides.

Nothing rewrites as long as it can: every tactic is applied where the generator says, once, and `ring` closes the
leaves, where sums, derivatives and functions are atoms.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import count, permutations
from typing import Any

from symderiv.check.coq.combination import RING, Combination, Laws, lettered
from symderiv.check.coq.text import Terms, peeled
from symderiv.check.terms import alike, free, product_of, summed, with_indices
from symderiv.errors import UnsupportedError
from symderiv.index.nodes import Apply, Delta, Derivative, Entry, Index, Plus, Power, Sum, Times

SAME = "exact: erefl"
LARGEST_SUM = 6  # bound indices whose orders are tried


def then(*scripts: str) -> str:
    """Return scripts one after the other."""
    return "; ".join(s for s in scripts if s)


def into(tactic: str, *goals: str) -> str:
    """Return a tactic with a script for each goal that it leaves."""
    return f"{tactic}; [{' | '.join(goals)}]"


def by_way(first: str, second: str) -> str:
    """Return the script of `f = h` from those of `f = g` and `g = h`."""
    return into("apply: etrans", first, second)


Way = tuple[Any, str]  # an expression, and the script that leads to it from the one before


def reversed_ways(start: Any, ways: Sequence[Way]) -> list[Way]:
    """Return the ways back to where some ways started."""
    goals = [start, *(expr for expr, _ in ways)]
    return [(goal, then("apply: esym", script)) for goal, (_, script) in zip(goals, ways, strict=False)][::-1]


class Scripts:
    """Scripts that close `before = after`, both printed by the same `terms`."""

    def __init__(self, terms: Terms, laws: Laws | None = None) -> None:
        self.terms = terms
        self.laws = laws or Laws()
        self.numbers = count()  # of letters that nothing else has

    def route(self, start: Any, ways: Sequence[Way]) -> str:
        """Return the script that goes from one expression to the last one of some ways, through all of them."""
        at, kept = self.terms.term(start), []
        for expr, script in ways:
            text = self.terms.term(expr)
            if text != at:
                kept.append((text, script))
                at = text
        if not kept:
            return SAME
        whole = kept[-1][1]
        for text, script in reversed(kept[:-1]):
            whole = f"transitivity ({text} : F); [{script} | {whole}]"
        return whole

    # -- places

    def congruence(self, around: Sequence[Any], place: Sequence[int]) -> str:
        """Return what leads from the whole expression to the part at a place."""
        return then(*(t for expr, k in zip(around, place, strict=True) for t in self.inside(expr, k)))

    def inside(self, expr: Any, k: int) -> Iterator[str]:
        """Yield what leads from an expression to its part at one position."""
        match expr:
            case Sum():
                yield from self.under(expr.bound)
            case Times() | Plus():
                left, right = ("in_left", "in_right") if isinstance(expr, Times) else ("add_left", "add_right")
                yield from [f"apply: {left}"] * (len(expr.args) - 1 - k)
                if k:
                    yield f"apply: {right}"
            case Power() if k == 0:
                yield from self.inside_power(expr)
            case Apply():
                yield f"apply: (congr1 {self.terms.function(expr.name, expr.order)})"
            case Derivative() if k == 0:
                yield f"apply: (congr1 ({self.terms.slope(expr.entry)}))"
            case _:
                raise UnsupportedError(f"a certificate for Coq has no congruence for {type(expr).__name__}")

    def inside_power(self, expr: Power) -> Iterator[str]:
        """Yield what leads from a power to its base."""
        kind, inner, _ = peeled(expr)
        if kind == "power":
            yield "apply: in_power"
        else:
            yield f"apply: (congr1 {'(@inverse F)' if kind == 'inverse' else self.terms.function('sqrt')})"
        if inner != expr.base:
            yield from self.inside_power(inner)

    def under(self, bound: Sequence[Index]) -> Iterator[str]:
        """Yield what leads under the sum over some indices."""
        for i in bound:
            yield f"apply: each => {self.terms.index(i)}"

    # -- leaves

    def leaf(self, before: Any, after: Any) -> str:
        """Return the script for two sides that differ in brackets, numbers and order of factors only."""
        if lettered(before) == lettered(after):
            return SAME
        if isinstance(before, Sum) and isinstance(after, Sum) and len(before.bound) == len(after.bound):
            renamed = with_indices(after.body, dict(zip(after.bound, before.bound, strict=True)))
            return then(*self.under(before.bound), self.leaf(before.body, renamed))
        return self.ring(before, after)

    def ring(self, before: Any, after: Any) -> str:
        """Return the script for two sides of which the laws of a ring, inverses and roots make one."""
        return Combination(self.terms, self.laws).script(before, after)

    # -- order

    def fits(self, before: Any, after: Any) -> bool:
        """Tell whether two sides are equal up to order, brackets, names of bound indices, and δᵢⱼ = δⱼᵢ."""
        match before, after:
            case Delta(), Delta():
                return set(before.args) == set(after.args)
            case Sum(), Sum():
                return self.renamed(before, after) is not None
            case (Times(), Times()) | (Plus(), Plus()):
                return self.paired(before.args, after.args) is not None
            case Power(), Power():
                return before.exponent == after.exponent and self.fits(before.base, after.base)
            case Apply(), Apply():
                return before.args[:2] == after.args[:2] and self.fits(before.arg, after.arg)
            case Entry(), Entry() if self.turned(before, after) is not None:
                return True
        return bool(before == after) or alike(before, after)

    def turned(self, before: Entry, after: Entry) -> str | None:
        """Return the script of `S[i, j] = S[j, i]` for a symmetric S."""
        same = before.tensor == after.tensor and len(before.indices) == 2
        if not same or before == after or before.indices != after.indices[::-1]:
            return None
        return self.laws.symmetric(before.tensor)

    def renamed(self, before: Sum, after: Sum) -> tuple[tuple[Index, ...], Any] | None:
        """Return the order of before's indices in which they are after's, and after's body with their names."""
        if len(before.bound) != len(after.bound) or len(before.bound) > LARGEST_SUM:
            return None
        for order in permutations(before.bound):
            if [i.size for i in order] == [i.size for i in after.bound]:
                body = with_indices(after.body, dict(zip(after.bound, order, strict=True)))
                if self.fits(before.body, body):
                    return order, body
        return None

    def paired(self, before: Sequence[Any], after: Sequence[Any]) -> list[Any] | None:
        """Return the parts of `after` in the order in which they fit those of `before`."""
        rest, found = list(after), []
        for part in before:
            fit = next((k for k, other in enumerate(rest) if self.fits(part, other)), None)
            if fit is None:
                return None
            found.append(rest.pop(fit))
        return None if rest else found

    def reorder(self, before: Any, after: Any) -> str:
        """Return the script for two sides that fit each other."""
        if lettered(before) == lettered(after):
            return SAME
        match before, after:
            case Delta(), Delta():
                return "exact: delta_swap"
            case Entry(), Entry() if (script := self.turned(before, after)) is not None:
                return script
            case Sum(), Sum() if (found := self.renamed(before, after)) is not None:
                order, body = found
                below = then(*self.under(order), self.reorder(before.body, body))
                return self.exchanged(list(before.bound), list(order), below)
            case (Times(), Times()) | (Plus(), Plus()) if (other := self.paired(before.args, after.args)) is not None:
                turned = type(before)(*other)
                return self.route(before, [(turned, self.each(before, other)), (after, RING)])
            case Power(), Power() if before.exponent == after.exponent:
                return then(*self.inside_power(before), self.reorder(before.base, after.base))
            case Apply(), Apply() if before.args[:2] == after.args[:2]:
                return then(*self.inside(before, 2), self.reorder(before.arg, after.arg))
        return self.leaf(before, after)

    def each(self, before: Any, other: Sequence[Any]) -> str:
        """Return the script that turns each part of a product or sum into another one."""
        name = "both_times" if isinstance(before, Times) else "both_plus"
        scripts = [self.reorder(a, b) for a, b in zip(before.args, other, strict=True)]
        if all(s == SAME for s in scripts):
            return SAME
        whole = scripts[0]
        for script in scripts[1:]:
            whole = into(f"apply: {name}", whole, script)
        return whole

    def exchanged(self, bound: list[Index], order: list[Index], below: str) -> str:
        """Return the script that brings nested sums into another order, then does what is to be done below them."""
        for k, wanted in enumerate(order):
            at = bound.index(wanted)
            if at > k:
                swapped = [*bound[: at - 1], bound[at], bound[at - 1], *bound[at + 1 :]]
                one = then(*self.under(bound[: at - 1]), "exact: sum_swap")
                return by_way(one, self.exchanged(swapped, order, below))
        return below

    # -- sums

    def exchange(self, before: Times, k: int, after: Any) -> str:
        """Return the script of `f (Σ g) h = Σ f g h`, the sum being factor k; `after` has one bracket less or more."""
        inner = before.args[k]
        if not isinstance(inner, Sum):
            return self.leaf(before, after)
        first, rest = inner.bound[0], inner.bound[1:]
        out = ["apply: out_left"] * (len(before.args) - 1 - k) + ["apply: out_right"] * bool(k)
        less = Times(*before.args[:k], summed(inner.body, rest), *before.args[k + 1 :])
        body = after
        if isinstance(after, Sum):
            body = with_indices(summed(after.body, after.bound[1:]), {after.bound[0]: first})
        return by_way(then(*out, SAME), then(*self.under([first]), self.exchange(less, k, body)))

    def split(self, before: Sum) -> str:
        """Return the script of `Σ (g + h) = Σ g + Σ h`."""
        first, rest = before.bound[0], before.bound[1:]
        single = SAME
        for _ in before.body.args[1:]:
            single = into("apply: sum_plus", single, SAME)
        if not rest:
            return single
        return by_way(then(*self.under([first]), self.split(Sum(before.body, *rest))), single)

    def contract(self, before: Sum, gone: Index, k: int, after: Any) -> str:
        """Return the script of `Σ_j f[j] δ[j, l] = f[l]`, δ being factor k."""
        parts = before.body.args if isinstance(before.body, Times) else (before.body,)
        delta, at = parts[k], before.bound.index(gone)
        kept = delta.args[1] if delta.args[0] == gone else delta.args[0]
        front, inner = before.bound[:at], before.bound[at + 1 :]
        rest = summed(product_of([*parts[:k], *parts[k + 1 :]]), inner)
        j = self.terms.index(gone)
        name = "contract" if delta.args[0] == gone else "contract_swapped"
        function = self.terms.function_of(gone, rest)
        scaled = then(*(f"apply: sum_scaled => {self.terms.index(i)}" for i in inner), RING)
        use = f"apply: (@{name} F _ {self.terms.index(kept)} _ {function}) => {j}"
        left = with_indices(rest, {gone: kept})
        kept_after = after
        if front and isinstance(after, Sum):
            kept_after = summed(after.body, after.bound[len(front) :])
            kept_after = with_indices(kept_after, dict(zip(after.bound, front, strict=False)))
        done = by_way(then(use, scaled), then("cbv beta", self.leaf(left, kept_after)))
        return then(*self.under(front), done)

    def joined(self, before: Sum, over: Index, pair: tuple[Entry, Entry], rest: Sequence[Any], law: str) -> str:
        """Return the script of `Σ rest · f[q] g[q] = Σ rest · δ`, the law being that of f and g."""
        others = [b for b in before.bound if b != over]
        q = self.terms.index(over)
        function = self.terms.function_of(over, Times(*pair))
        out = f"apply: (@sum_scaled F _ _ {function} ({self.terms.term(product_of(list(rest)))})) => {q}"
        inner = by_way(then(out, RING), then("apply: in_right", law))
        if not rest:
            whole = self.terms.term(Sum(Times(*pair), over))
            inner = f"transitivity ({whole} : F); [apply: each => {q}; ring | {law}]"
        return self.exchanged(list(before.bound), [*others, over], then(*self.under(others), inner))

    def replaced(self, before: Times, delta: Delta, gone: Index, kept: Index) -> tuple[Any, str]:
        """Return `δ[i, j] f[i]` for `δ[i, j] f[j]`, with its script."""
        rest = product_of([a for a in before.args if a != delta])
        new = Times(delta, with_indices(rest, {gone: kept}))
        turned = delta if delta.args == (kept, gone) else Delta(kept, gone)
        ends = f"{self.terms.index(kept)} {self.terms.index(gone)}"
        use = f"apply: (@delta_moves F _ {ends} {self.terms.function_of(gone, rest)})"
        if turned == delta:
            return new, self.route(before, [(Times(delta, rest), RING), (new, use)])
        first, last = Times(turned, rest), Times(turned, new.args[1])
        swap = into("apply: both_times", "exact: delta_swap", SAME)
        return new, self.route(before, [(Times(delta, rest), RING), (first, swap), (last, use), (new, swap)])

    def idle(self, before: Sum) -> str:
        """Return the script of `Σ_q f = n f` where q does not stand in f."""
        standing = free(before.body)
        kept = [b for b in before.bound if b in standing]
        gone = [b for b in before.bound if b not in standing]
        counted = then(*self.under(kept), by_way(self.counted(gone), RING))
        return self.exchanged(list(before.bound), [*kept, *gone], counted)

    def counted(self, gone: Sequence[Index]) -> str:
        """Return the script of `Σ_q … Σ_r f = n (… (m f))`."""
        if len(gone) == 1:
            return "exact: sum_same"
        return by_way(then(*self.under(gone[:1]), self.counted(gone[1:])), "exact: sum_same")
