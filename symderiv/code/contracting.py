"""The cheapest way to compute a product of arrays, pair by pair, in NumPy's words.

opt_einsum finds which pairs to join at representative sizes; each join becomes `@`, a scaled row, an entrywise
product, `vdot` or an outer product, whatever the labels of the two allow.  An inverse is never multiplied with
where `solve` serves, and a number is multiplied into the smallest array on the way.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from fractions import Fraction

from opt_einsum.paths import DynamicProgramming

from symderiv.code.costs import Costs
from symderiv.code.products import Factor, NotRead, Product, ones_left_out
from symderiv.columns import along_the_last, transposed
from symderiv.operands import (
    Label,
    Labels,
    Operand,
    as_column,
    assembled,
    best_order,
    diagonal,
    is_negative,
    lettered,
    negated,
    number,
    plain,
    summed,
    without_minus,
)
from symderiv.tensor.expr import Expr, weight
from symderiv.tensor.operations import apply

# opt_einsum counts multiplications; writing an entry costs as much as this many.
PATHS = DynamicProgramming(minimize="combo-40", search_outer=True)
ONE = Fraction(1)


@dataclass(frozen=True)
class Setting:
    """What is known beside a product.

    `keeps` tells the inverses that are computed anyway, `symmetric` the matrices that are; `made` are the matrix
    products that are computed elsewhere.
    """

    costs: Costs
    keeps: Callable[[Expr], bool]
    symmetric: Callable[[Expr], bool]
    made: Collection[Expr]


def contracted(product: Product, setting: Setting) -> Expr:
    """Return a product without deltas as an expression."""
    return _Contraction(product, setting).expr()


class _Contraction:
    def __init__(self, product: Product, setting: Setting) -> None:
        ones_left_out(product)
        self.product, self.costs, self.setting = product, setting.costs, setting
        self.out = product.out
        self.wanted = set(self.out)
        self.scalars = [f for f in product.factors if not f.labels]
        self.arrays = [f for f in product.factors if f.labels]
        self.inverses: dict[int, Expr] = {}

    def expr(self) -> Expr:
        """Return the contraction with its axes in order."""
        top = [f.expr for f in self.scalars if not f.inverted]
        low = [f.expr for f in self.scalars if f.inverted]
        if not self.arrays:
            if self.out:
                raise NotRead
            return assembled(self.product.coef, top, low, [])
        if self.wanted - {x for f in self.arrays for x in f.labels}:
            raise NotRead
        work = [self.operand(f) for f in self.arrays]
        path = self.path()
        place = self.place_of_scalars(path) if (self.product.coef != 1 or top or low) else None

        def multiple(value: Expr) -> Expr:
            if value.rank > 1 and (self.product.coef != 1) + len(top) + len(low) > 1:  # the numbers first
                return apply("mul", assembled(self.product.coef, top, low, []), value)
            return assembled(self.product.coef, top, low, [value])

        def scaled(operand: Operand) -> Operand:
            return Operand(operand.labels, lambda order: multiple(operand.at(order)))

        if place is not None and 0 <= place < len(work):
            work[place] = scaled(work[place])
        made = len(work)
        work = [self.summed_alone(w, [v for v in work if v is not w]) for w in work]
        for pair in path:
            chosen = [work[k] for k in pair]
            work = [w for k, w in enumerate(work) if k not in pair]
            new = self.joined(chosen[0], chosen[1], work) if len(chosen) == 2 else chosen[0]
            if place == made:
                new = scaled(new)
            made += 1
            work.append(new)
        (whole,) = work
        if set(whole.labels) != self.wanted:
            raise NotRead
        value = whole.at(self.out)
        return multiple(value) if place == -1 else value

    # -- the way

    def path(self) -> list[tuple[int, ...]]:
        """Return which factors to join, as positions in a list where each join goes to the end."""
        inputs = [frozenset(f.labels) for f in self.arrays]
        path = _merges(inputs, self.wanted)
        if len(inputs) > 1:
            sizes = {x: max(2, round(self.costs.size(self.product.sizes[x]))) for x in self.product.present}
            path += PATHS(inputs, frozenset(self.wanted), sizes)
        return path

    def place_of_scalars(self, path: Sequence[tuple[int, ...]]) -> int | None:
        """Return where the numbers are multiplied in: at a factor, at a join, or (-1) at the end.

        The smallest array on the way is taken, the result where it is not much larger than that.
        """
        labels = [set(f.labels) for f in self.arrays]
        twice = {f.expr for f in self.arrays if sum(g.expr is f.expr for g in self.arrays) > 1}
        if len(self.out) < 2:
            return -1
        best, place = self.entries(self.wanted) / 4, -1
        for k, f in enumerate(self.arrays):
            as_it_is = f.inverted or f.expr in twice or f.expr.op in ("inv", "where")
            if not as_it_is and self.entries(labels[k]) < best:
                best, place = self.entries(labels[k]), k
        work = list(labels)
        for made, pair in enumerate(path, start=len(labels)):
            joined = set().union(*(work[k] for k in pair))
            work = [w for k, w in enumerate(work) if k not in pair]
            joined &= self.wanted.union(*work)
            work.append(joined)
            if work[1:] and self.entries(joined) < best:
                best, place = self.entries(joined), made
        return place

    def entries(self, labels: set[Label]) -> float:
        """Return the number of entries of an array over some labels."""
        value = 1.0
        for x in labels:
            value *= self.costs.size(self.product.sizes[x])
        return value

    # -- operands

    def operand(self, f: Factor) -> Operand:
        """Return a factor as an operand; an inverse is remembered as one."""
        if len(set(f.labels)) < len(f.labels):
            if f.inverted:
                raise NotRead
            return diagonal(plain(f.expr, f.labels, symmetric=False))
        operand = plain(f.expr, f.labels, symmetric=len(f.labels) == 2 and self.setting.symmetric(f.expr))
        if f.inverted:
            inner = operand
            return Operand(f.labels, lambda order: apply("div", number(1), inner.at(order)))
        if f.expr.op == "inv" and not self.setting.keeps(f.expr):
            self.inverses[id(operand)] = f.expr.args[0]
        return operand

    def summed_alone(self, operand: Operand, others: Sequence[Operand]) -> Operand:
        """Sum an operand over the labels that nothing else carries."""
        used = self.wanted.union(*(set(w.labels) for w in others))
        alone = tuple(x for x in operand.labels if x not in used)
        return summed(operand, alone) if alone else operand

    # -- joins

    def joined(self, a: Operand, b: Operand, rest: Sequence[Operand]) -> Operand:
        """Join two operands; what nothing else needs is summed over."""
        used = self.wanted.union(*(set(w.labels) for w in rest))
        shared = set(a.labels) & set(b.labels)
        closed = shared - used
        if not closed:
            return self.multiplied(a, b)
        if len(closed) == 1 and shared == closed and max(len(a.labels), len(b.labels)) <= 2:
            (q,) = closed
            return self.chained(a, b, q)
        if len(closed) == 2 and set(a.labels) == set(b.labels) == closed:
            return self.dotted(a, b)
        if len(closed) == 1 and min(len(a.labels), len(b.labels)) == 1:
            vector, other = (a, b) if len(a.labels) == 1 else (b, a)
            if len(other.labels) == 2:
                return self.chained(other, vector, next(iter(closed)))
        return _einsum(a, b, used)

    def multiplied(self, a: Operand, b: Operand) -> Operand:
        """Return `a[…] b[…]` without a sum."""
        if set(a.labels) == set(b.labels):
            return Operand(a.labels, lambda order: _product(a.at(order), b.at(order)))
        if not a.labels or not b.labels:
            return Operand((*a.labels, *b.labels), lambda order: _multiple(a, b, order))
        if len(a.labels) == len(b.labels) == 1:
            return Operand((*a.labels, *b.labels), lambda order: _outer(a, b, order))
        small, large = (a, b) if len(a.labels) < len(b.labels) else (b, a)
        if len(small.labels) == 1 and len(large.labels) == 2 and set(small.labels) <= set(large.labels):
            return Operand(large.labels, lambda order: _scaled(small, large, order))
        return _einsum(a, b, set(a.labels) | set(b.labels))

    def chained(self, a: Operand, b: Operand, q: Label) -> Operand:
        """Return `Σ_q a[…, q] b[q, …]`; with an inverse it is a system of equations solved."""
        rest = tuple(x for x in (*a.labels, *b.labels) if x != q)
        for left, right in ((a, b), (b, a)):
            matrix = self.inverses.get(id(left))
            if matrix is not None:
                return self.solved(left, matrix, right, q, rest)

        def at(order: Labels) -> Expr:
            if len(order) == 2:
                left, right = (a, b) if order[0] in a.labels else (b, a)
                p, r = order
                straight = apply("matmul", left.at((p, q)), right.at((q, r)))
                turned = transposed(apply("matmul", right.at((r, q)), left.at((q, p))))
                product = turned.args[0] if turned.op == "transpose" else turned
                costs = {straight: self.costs.own(straight), turned: self.costs.own(product)}
                return min((straight, turned), key=lambda form: (costs[form], weight(form)))
            if len(order) == 1:
                matrix, vector = (a, b) if len(a.labels) == 2 else (b, a)
                (p,) = order
                forms = [
                    apply("matmul", matrix.at((p, q)), vector.at((q,))),
                    apply("matmul", vector.at((q,)), matrix.at((q, p))),
                ]
                return min(forms, key=weight)
            return apply("matmul", a.at((q,)), b.at((q,)))

        return Operand(rest, at)

    def dotted(self, a: Operand, b: Operand) -> Operand:
        """Sum the products of all entries of two matrices."""
        forms = [(a.at(o), b.at(o)) for o in (a.labels, tuple(reversed(a.labels)))]
        left, right = min(forms, key=lambda form: weight(form[0]) + weight(form[1]))
        straight = [e.args[0] if e.op == "transpose" and not e.data else e for e in (left, right)]
        if any(self.setting.symmetric(e) for e in straight):  # read as the other lies in memory
            left, right = straight
        sign = is_negative(left) ^ is_negative(right)
        left, right = (without_minus(e) if is_negative(e) else e for e in (left, right))
        value = Expr("vdot", (left, right), (), ())
        return Operand((), lambda order: negated(value) if sign else value)

    def solved(self, inverse: Operand, matrix: Expr, other: Operand, q: Label, rest: Labels) -> Operand:
        p = next(x for x in inverse.labels if x != q)
        straight = inverse.labels == (p, q) or self.setting.symmetric(matrix)
        system = matrix if straight else transposed(matrix)
        right = other.at((q, *(x for x in other.labels if x != q)))
        value = apply("solve", system, right)
        own = (p, *(x for x in other.labels if x != q))
        if len(own) == 1:
            return Operand(own, lambda order: value)
        return Operand(own, lambda order: value if order == own else transposed(value))


def _merges(inputs: list[frozenset[Label]], wanted: set[Label]) -> list[tuple[int, ...]]:
    """Return the joins of arrays over the same labels, which come first, and leave in `inputs` what they leave.

    Where nothing else carries one of the labels they are left: their product is summed without being written.
    """
    path: list[tuple[int, ...]] = []

    def merges(i: int, j: int) -> bool:
        rest = wanted.union(*(one for k, one in enumerate(inputs) if k not in (i, j)))
        return inputs[i] == inputs[j] and inputs[i] <= rest

    while True:
        pair = next(((i, j) for j in range(len(inputs)) for i in range(j) if merges(i, j)), None)
        if pair is None:
            return path
        path.append(pair)
        merged = inputs[pair[0]]
        inputs[:] = [one for k, one in enumerate(inputs) if k not in pair] + [merged]


def _product(a: Expr, b: Expr) -> Expr:
    """Return an entrywise product; one over an array divides."""
    if b.op == "div" and b.args[0] is number(1):
        return apply("div", a, b.args[1])
    if a.op == "div" and a.args[0] is number(1):
        return apply("div", b, a.args[1])
    if a is b:
        return apply("power", a, data=(Fraction(2),))
    return assembled(ONE, [], [], [a, b])


def _multiple(a: Operand, b: Operand, order: Labels) -> Expr:
    scale, array = (b, a) if a.labels else (a, b)
    return assembled(ONE, [scale.at(())], [], [array.at(order)])


def _outer(a: Operand, b: Operand, order: Labels) -> Expr:
    left, right = (a, b) if order[0] in a.labels else (b, a)
    return apply("outer", left.at(left.labels), right.at(right.labels))


def _scaled(vector: Operand, matrix: Operand, order: Labels) -> Expr:
    """Return a matrix with its rows or columns scaled; its own way round, so that the passes go along memory."""
    value = matrix.at(order)
    scale = along_the_last(vector.at(vector.labels)) if vector.labels[0] == order[1] else as_column(vector)
    if scale.op == "div" and scale.args[0] is number(1):
        return apply("div", value, scale.args[1])
    if scale.op == "newaxis" and scale.args[0].op == "div" and scale.args[0].args[0] is number(1):
        return apply("div", value, apply("newaxis", scale.args[0].args[1], data=scale.data))
    return assembled(ONE, [], [], [value, scale])


def _einsum(a: Operand, b: Operand, used: set[Label]) -> Operand:
    rest = tuple(dict.fromkeys(x for x in (*a.labels, *b.labels) if x in used))
    if len(rest) < len({*a.labels, *b.labels} & used):
        raise NotRead

    def at(order: Labels) -> Expr:
        letters = lettered((*order, *a.labels, *b.labels))
        chosen = [best_order(w) for w in (a, b)]
        spec = ",".join("".join(letters[x] for x in labels) for _, labels in chosen)
        return apply("einsum", *(e for e, _ in chosen), data=(spec + "->" + "".join(letters[x] for x in order),))

    return Operand(rest, at)


__all__ = ["Setting", "contracted"]
