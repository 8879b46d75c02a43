"""Products of arrays as one contraction: `coef · Σ_bound Π factor[labels]`, read off matrix notation.

Every operation that multiplies, sums or only moves axes is part of it: `X.T @ (d[:, None] * X)` is
`Σ_q X[q, i] d[q] X[q, j]` whatever way round it was written.  What is none of them is a factor, and so is what has
a use elsewhere, which is computed once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import count

from symderiv.dims import Size
from symderiv.operands import Label, Labels
from symderiv.tensor.expr import Expr

READ = frozenset({
    "number", "neg", "mul", "div", "matmul", "inner", "outer", "transpose", "newaxis", "sum", "mean", "trace", "diag",
    "einsum",
})  # fmt: skip
TWO = Fraction(2)
DEEPEST = 100  # operations within one another that are taken apart


class NotRead(Exception):
    """An operation is no product in the sense of this module."""


@dataclass(frozen=True)
class Factor:
    """An array at labels; an inverted one divides."""

    expr: Expr
    labels: Labels
    inverted: bool = False


@dataclass
class Product:
    """`coef · Σ_bound Π factor[labels]` with `out` the labels of the result in order."""

    coef: Fraction = Fraction(1)
    factors: list[Factor] = field(default_factory=list)
    deltas: list[tuple[Label, Label]] = field(default_factory=list)
    out: Labels = ()
    sizes: dict[Label, Size] = field(default_factory=dict)

    @property
    def present(self) -> set[Label]:
        """Return the labels that a factor carries."""
        return {x for f in self.factors for x in f.labels}


class Reader:
    """Reads expressions as products; `opens` tells which may be taken apart."""

    def __init__(self, opens: Callable[[Expr], bool]) -> None:
        self.opens = opens
        self.numbers = count()
        self.deepest = DEEPEST
        self.depth = 0

    def product(self, expr: Expr, deepest: int = DEEPEST) -> Product:
        """Return an expression as a product, with labels of its own for its axes; not opened below a depth."""
        product = Product()
        self.deepest, self.depth = deepest, 0
        product.out = self.labels(product, expr.shape)
        self.read(product, expr, product.out, first=True)
        return _contracted(product)

    def substituted(self, product: Product, place: int, term: Expr) -> Product:
        """Return a product with one factor replaced by a term of the sum that it is."""
        factor = product.factors[place]
        rest = [f for k, f in enumerate(product.factors) if k != place]
        new = Product(product.coef, rest, list(product.deltas), product.out, dict(product.sizes))
        self.read(new, term, _broadcast(term, factor.expr, factor.labels), first=True)
        new = _contracted(new)
        if not (product.present | set(product.out)) - set(product.out) <= new.present | set(new.out):
            raise NotRead  # what is summed over would be lost
        return new

    def labels(self, product: Product, shape: Sequence[Size]) -> Labels:
        new = tuple(next(self.numbers) for _ in shape)
        product.sizes.update(zip(new, shape, strict=True))
        return new

    def read(self, product: Product, e: Expr, at: tuple[Label | None, ...], first: bool = False) -> None:
        """Multiply a product by an expression at labels; None stands for the one entry of an axis that broadcasts."""
        if e.op == "power" and e.data[0] == TWO and None not in at and self.opens(e):
            product.factors += [Factor(e.args[0], at), Factor(e.args[0], at)]
            return
        if e.op in READ and (first or (self.depth < self.deepest and self.opens(e))):
            before = (product.coef, list(product.factors), list(product.deltas))
            self.depth += 1
            try:
                getattr(self, "read_" + e.op)(product, e, at)
                return
            except NotRead:
                product.coef, product.factors, product.deltas = before
            finally:
                self.depth -= 1
        if None in at:
            raise NotRead
        if e.op == "eye":
            product.deltas.append((at[0], at[1]))
        else:
            product.factors.append(Factor(e, at))

    # -- one operation each

    def read_number(self, product: Product, e: Expr, at: Labels) -> None:
        product.coef *= e.data[0]

    def read_neg(self, product: Product, e: Expr, at: Labels) -> None:
        product.coef = -product.coef
        self.read(product, e.args[0], at)

    def read_mul(self, product: Product, e: Expr, at: Labels) -> None:
        for a in e.args:
            self.read(product, a, _broadcast(a, e, at))

    def read_div(self, product: Product, e: Expr, at: Labels) -> None:
        top, low = e.args
        self.read(product, top, _broadcast(top, e, at))
        self.divide(product, low, _broadcast(low, e, at))

    def divide(self, product: Product, low: Expr, at: tuple[Label | None, ...]) -> None:
        if low.op == "number":
            if not low.data[0]:
                raise NotRead
            product.coef /= low.data[0]
        elif low.op == "mul" and self.opens(low):
            for a in low.args:
                self.divide(product, a, _broadcast(a, low, at))
        elif low.op == "newaxis":
            self.divide(product, low.args[0], _without_new(low, at))
        elif None in at:
            raise NotRead
        else:
            product.factors.append(Factor(low, at, inverted=True))

    def read_matmul(self, product: Product, e: Expr, at: Labels) -> None:
        left, right = e.args
        if max(left.rank, right.rank) > 2:
            raise NotRead
        q = self.labels(product, (right.shape[0],))
        rows = left.rank - 1
        self.read(product, left, (*at[:rows], *q))
        self.read(product, right, (*q, *at[rows:]))

    def read_inner(self, product: Product, e: Expr, at: Labels) -> None:
        q = self.labels(product, e.args[0].shape)
        for a in e.args:
            self.read(product, a, q)

    def read_outer(self, product: Product, e: Expr, at: Labels) -> None:
        for a, label in zip(e.args, at, strict=True):
            self.read(product, a, (label,))

    def read_transpose(self, product: Product, e: Expr, at: Labels) -> None:
        order = e.data[0] if e.data else tuple(reversed(range(e.rank)))
        own: list[Label] = [0] * e.rank
        for place, axis in enumerate(order):
            own[axis] = at[place]
        self.read(product, e.args[0], tuple(own))

    def read_newaxis(self, product: Product, e: Expr, at: Labels) -> None:
        self.read(product, e.args[0], _without_new(e, at))

    def read_sum(self, product: Product, e: Expr, at: Labels) -> None:
        (inner,) = e.args
        if not e.data:
            own = self.labels(product, inner.shape)
        else:
            axis = e.data[0] % inner.rank
            own = (*at[:axis], *self.labels(product, (inner.shape[axis],)), *at[axis:])
        self.read(product, inner, own)
        if not set(own) - set(at) <= product.present:  # a constant summed is a multiple
            raise NotRead

    def read_mean(self, product: Product, e: Expr, at: Labels) -> None:
        self.read_sum(product, e, at)
        over = [e.args[0].shape[e.data[0]]] if e.data else e.args[0].shape
        for size in over:
            if size.is_Integer:
                product.coef /= int(size)
            else:
                product.factors.append(Factor(Expr("size", (), (size,), ()), (), inverted=True))

    def read_trace(self, product: Product, e: Expr, at: Labels) -> None:
        (q,) = self.labels(product, e.args[0].shape[:1])
        self.read(product, e.args[0], (q, q))
        if q not in product.present:
            raise NotRead

    def read_diag(self, product: Product, e: Expr, at: Labels) -> None:
        if e.rank == 1:
            self.read(product, e.args[0], (at[0], at[0]))
        elif None in at:
            raise NotRead
        else:
            self.read(product, e.args[0], (at[0],))
            product.deltas.append((at[0], at[1]))

    def read_einsum(self, product: Product, e: Expr, at: Labels) -> None:
        inputs, output = e.data[0].split("->")
        letters = dict(zip(output, at, strict=True))
        for spec, a in zip(inputs.split(","), e.args, strict=True):
            for letter, size in zip(spec, a.shape, strict=True):
                if letter not in letters:
                    (letters[letter],) = self.labels(product, (size,))
                elif (product.sizes[label] if (label := letters[letter]) is not None else 1) != size:
                    raise NotRead
        for spec, a in zip(inputs.split(","), e.args, strict=True):
            self.read(product, a, tuple(letters[x] for x in spec))


def _broadcast(arg: Expr, whole: Expr, at: tuple[Label | None, ...]) -> tuple[Label | None, ...]:
    """Return the labels of an argument that is broadcast to the shape of the whole."""
    own = at[len(at) - arg.rank :] if arg.rank else ()
    shape = whole.shape[len(at) - arg.rank :] if arg.rank else ()
    return tuple(x if a == s else None for x, a, s in zip(own, arg.shape, shape, strict=True))


def _without_new(e: Expr, at: tuple[Label | None, ...]) -> tuple[Label | None, ...]:
    mask = (*e.data[0], *(False,) * (e.rank - len(e.data[0])))
    return tuple(x for x, new in zip(at, mask, strict=True) if not new)


def _contracted(product: Product) -> Product:
    """Return a product without deltas over a label that is summed; what is left pairs axes of the result."""
    left: list[tuple[Label, Label]] = []
    todo = list(product.deltas)
    factors, out = product.factors, set(product.out)
    while todo:
        p, q = todo.pop()
        if p == q:
            if p not in out and not any(p in f.labels for f in factors):
                raise NotRead
            continue
        if p not in out:
            p, q = q, p
        if q in out and p in out:
            left.append((p, q) if product.out.index(p) < product.out.index(q) else (q, p))
            continue
        factors = [Factor(f.expr, tuple(p if x == q else x for x in f.labels), f.inverted) for f in factors]
        todo = [tuple(p if x == q else x for x in pair) for pair in todo]  # type: ignore[misc]
        left = [tuple(p if x == q else x for x in pair) for pair in left]  # type: ignore[misc]
    for p, q in left:  # the later axis goes by the name of the earlier
        factors = [Factor(f.expr, tuple(p if x == q else x for x in f.labels), f.inverted) for f in factors]
    return Product(product.coef, factors, left, product.out, product.sizes)


def ones_left_out(product: Product) -> None:
    """Leave out factors that are all ones where another has their labels."""
    for f in list(product.factors):
        others = {x for g in product.factors if g is not f for x in g.labels}
        if f.expr.op == "ones" and set(f.labels) <= others:
            product.factors.remove(f)


__all__ = ["Factor", "NotRead", "Product", "Reader", "ones_left_out"]
