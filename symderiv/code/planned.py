"""Expressions in the form in which they are computed fastest, by a model of costs at representative sizes.

A pass over the graph, arguments first.  What is used more than once is computed once, the transpose of a product
with the product; each product of arrays is contracted in the best order (:mod:`symderiv.code.contracting`), over
the terms of a sum where that is cheaper (`(U @ V.T - T) @ V` with few columns is `U @ (V.T @ V) - T @ V`), and
by half where it is symmetric; a delta fills entries by index and is no array; a symmetric matrix is factored once
for all systems, the inverse and the determinant.  As written it stays where nothing is cheaper.

The words are those of :mod:`symderiv.code.wording`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace

from symderiv.code.contracting import Setting, contracted
from symderiv.code.costs import PASS, Costs, Sizes
from symderiv.code.oriented import once, oriented, without_cost
from symderiv.code.products import READ, Factor, NotRead, Product, Reader
from symderiv.code.shortcuts import halved, with_made
from symderiv.code.wording import OF_A_MATRIX, is_symmetric, worded
from symderiv.operands import assembled, is_negative, lettered, negated, without_minus
from symderiv.tensor.expr import Expr, replaced, walk
from symderiv.tensor.operations import apply

VIEWS = frozenset({"neg", "transpose", "newaxis"})  # nothing is gained by having them once
WORTHWHILE = 0.95  # as written unless something costs less than this much of it
MUCH = 100_000.0  # nanoseconds that are worth another form, whatever part of the whole they are
DISTRIBUTED = 0.7  # over the terms of a sum, which takes more lines
MOST_FACTORS, FEW_OPERATIONS = 12, 6
MOST_TERMS, MOST_OPENED = 4, 3


def planned(exprs: Sequence[Expr], kept: Collection[Expr], sizes: Sizes) -> list[Expr]:
    """Return expressions of the same values that cost less; `kept` are expressions that have a name.

    The last results are those of `kept`.

    >>> from symderiv.code.costs import representative
    >>> from symderiv.tensor.parse import parse, scope_of
    >>> from symderiv.tensor.text import to_text
    >>> scope = scope_of({"T": ("m", "n"), "U": ("m", "k"), "V": ("n", "k")})
    >>> expr = parse("2 * (U @ V.T - T) @ V", scope)
    >>> to_text(planned([expr], (), representative([expr]))[0])
    '2 * (U @ (V.T @ V) - T @ V)'
    """
    roots, count, costs = once([*exprs, *kept]), len(exprs), Costs(sizes)
    best, opened = _form(roots, count, costs), frozenset[Expr]()
    least = _total(best, count, costs)
    for e in _to_be_opened(roots, count, costs):
        form = _form(roots, count, costs, opened | {e})
        total = _total(form, count, costs)
        if total < least - max(MUCH / 2, (1 - WORTHWHILE) * least):
            best, least, opened = form, total, opened | {e}
    return best


def _form(roots: Sequence[Expr], count: int, costs: Costs, opened: Collection[Expr] = ()) -> list[Expr]:
    """Return expressions in the cheapest form in which shared ones are computed once, but for what is opened."""
    plan = _Plan(roots, count, costs, opened=opened)
    if len(roots) > 1:  # once more, with what the others compute
        products = [e for e in walk(*plan.found) if e.op == "matmul"]
        plan = _Plan(plan.found, count, costs, products, plan.symmetric)
    return worded(oriented(plan.found, costs, count), plan.symmetric, count)


def _total(roots: Sequence[Expr], count: int, costs: Costs) -> float:
    return sum(map(costs.own, walk(*roots[:count])))


def _to_be_opened(roots: Sequence[Expr], count: int, costs: Costs) -> list[Expr]:
    """Return matrices of several uses that may be dearer than what is made of them, the largest first.

    All uses are products.  `c * (outer(x, x) - inv(K))` is one where each use is a sum over all of its entries.
    """
    users: dict[Expr, list[Expr]] = {}
    for e in walk(*roots[:count]):
        for a in e.args:
            users.setdefault(a, []).append(e)
    found = [
        e
        for e, own in users.items()
        if len(own) > 1
        and e.rank == 2
        and e not in roots[:count]
        and costs.entries(e) * PASS > MUCH / 2
        and all(u.op in READ for u in own)
        and _is_scaled_sum(e)
    ]
    return sorted(found, key=costs.entries, reverse=True)[:MOST_OPENED]


def _is_scaled_sum(e: Expr) -> bool:
    while e.op in ("mul", "div", "neg"):
        scale = [a for a in e.args if a.rank == 0] if e.op != "neg" else []
        if e.op != "neg" and len(scale) != 1:
            return False
        e = next(a for a in e.args if a.rank)
    return e.op in ("add", "sub")


class _Plan:
    def __init__(
        self,
        roots: Sequence[Expr],
        count: int,
        costs: Costs,
        made: Collection[Expr] = (),
        symmetric: Collection[Expr] = (),
        opened: Collection[Expr] = (),
    ) -> None:
        self.costs = costs
        self.opened = opened  # of several uses, and computed for each of them apart
        self.nodes = list(walk(*roots))
        self.uses: Counter[Expr] = Counter([*roots, *roots[count:]])
        self.heads = set(roots)
        for e in self.nodes:
            self.uses.update(e.args)
            if e.op not in READ:
                self.heads.update(e.args)
        self.apart: set[Expr] = set()  # new expressions that are computed once for several uses, or have a name
        self.symmetric = set(symmetric)  # matrices, in their new form too, that are
        self.made = set(made)  # matrix products that are computed
        self.setting = Setting(costs, self.is_kept, self.is_symmetric, self.made)
        self.reader = Reader(self.opens)
        self.found = self.planned(roots)

    def is_kept(self, inverse: Expr) -> bool:
        return inverse in self.apart and inverse.args[0] not in self.symmetric

    def is_symmetric(self, matrix: Expr) -> bool:
        return matrix in self.symmetric or is_symmetric(matrix)

    def opens(self, e: Expr) -> bool:
        return e not in self.apart or e.op in VIEWS

    def planned(self, roots: Sequence[Expr]) -> list[Expr]:
        """Return the roots in their new form."""
        new: dict[Expr, Expr] = {}
        for e in self.nodes:
            args = tuple(new[a] for a in e.args)
            built = e.with_args(args)
            if e.op == "transpose" and not e.data and is_symmetric(e.args[0]):
                (built,) = args
            shared = self.uses[e] > 1 and not without_cost(e) and e not in self.opened
            if e.op in OF_A_MATRIX and self.is_symmetric(e.args[0]):
                self.symmetric.add(args[0])
            if e.op in READ and (e in self.heads or shared):
                built = self.product(built)
                self.made.update(self.own(built))
            elif e.op in ("add", "sub"):
                built = _with_deltas_added(built)
            if shared:
                self.apart.add(built)
            new[e] = built
        return [new[r] for r in roots]

    # -- products

    def product(self, e: Expr) -> Expr:
        """Return the cheapest form of a product, as it is where none costs clearly less."""
        try:
            product = self.reader.product(e)
            if not product.coef:
                return e
            if product.deltas:
                return self.filled(product, e)
        except NotRead:
            return e
        if len(product.factors) > MOST_FACTORS:
            return self.in_parts(e)
        return self.cheapest(product, e)

    def in_parts(self, e: Expr) -> Expr:
        """Return a long product planned from the inside, a few operations at a time."""
        try:
            cut = self.reader.product(e, FEW_OPERATIONS)
        except NotRead:
            return e
        parts = {f.expr for f in cut.factors if f.expr.op in READ and self.opens(f.expr)}
        if not parts or e in parts or len(cut.factors) > MOST_FACTORS:
            return e
        done = {part: self.product(part) for part in parts}
        factors = [Factor(done.get(f.expr, f.expr), f.labels, f.inverted) for f in cut.factors]
        return self.cheapest(replace(cut, factors=factors), replaced(e, done))

    def cheapest(self, product: Product, e: Expr) -> Expr:
        best = e
        for limit, form in self.forms(product, e):
            if form is not None and form.axes == e.axes and self.is_cheaper(form, best, limit):
                best = form
        return best

    def own(self, e: Expr) -> set[Expr]:
        """Return the operations that an expression is made of, not looking below what is computed for others too."""
        found: set[Expr] = set()
        stack = [e]
        while stack:
            part = stack.pop()
            if part not in found and (part not in self.apart or part is e):
                found.add(part)
                stack += part.args
        return found

    def is_cheaper(self, new: Expr, old: Expr, limit: float) -> bool:
        """Tell whether what is new costs clearly less than what it replaces."""
        before, after = self.own(old), self.own(new)
        old_cost = sum(map(self.costs.own, before - after))
        saved = old_cost - sum(map(self.costs.own, after - before - self.made))
        return saved > 0 and saved > min((1 - limit) * old_cost, MUCH)

    def forms(self, product: Product, e: Expr) -> Iterator[tuple[float, Expr | None]]:
        """Yield the ways to compute a product, each with the part of the cost before that it may have."""
        yield WORTHWHILE, self.contracted(product)
        joined = with_made(product, self.setting)
        if joined is not None:
            yield WORTHWHILE, self.contracted(joined)
        yield WORTHWHILE, self.halved(product)
        for place, f in enumerate(product.factors):
            if f.expr.op in ("add", "sub") and f.labels and not f.inverted and self.opens(f.expr):
                yield DISTRIBUTED, self.distributed(product, place)

    def contracted(self, product: Product) -> Expr | None:
        try:
            return contracted(product, self.setting)
        except NotRead:
            return None

    def halved(self, product: Product) -> Expr | None:
        try:
            return halved(product, self.setting)
        except NotRead:
            return None

    def distributed(self, product: Product, place: int) -> Expr | None:
        """Return a product as a sum of products, with the terms of one of its factors."""
        terms = self.terms(product.factors[place].expr)
        if len(terms) > MOST_TERMS or any(t.op == "number" for _, t in terms):
            return None
        scalars = [f for f in product.factors if not f.labels]
        sum_of = product.factors[place]
        arrays = [sum_of, *(f for f in product.factors if f.labels and f is not sum_of)]
        alone = Product(product.coef / abs(product.coef), arrays, [], product.out, product.sizes)
        found = []
        for sign, term in terms:
            try:
                part = self.reader.substituted(alone, 0, term)
                if part.deltas:
                    return None
                form = contracted(part, self.setting)
            except NotRead:
                return None
            found.append(negated(form) if sign < 0 else form)
        found.sort(key=is_negative)
        value = found[0]
        for e in found[1:]:
            value = apply("sub", value, without_minus(e)) if is_negative(e) else apply("add", value, e)
        top, low = ([f.expr for f in scalars if f.inverted is inverted] for inverted in (False, True))
        return assembled(abs(product.coef), top, low, [value])

    def terms(self, total: Expr) -> list[tuple[int, Expr]]:
        """Return the terms of a sum with their signs; a sum within it that is of use elsewhere is one term."""
        found: list[tuple[int, Expr]] = []
        stack = [(1, total)]
        while stack and len(found) <= MOST_TERMS:
            sign, e = stack.pop()
            if e.op in ("add", "sub", "neg") and (e is total or self.opens(e)):
                last = sign if e.op == "add" else -sign
                stack += [(last, e.args[-1]), *((sign, a) for a in e.args[:-1])]
            else:
                found.append((sign, e))
        return found

    # -- deltas

    def filled(self, product: Product, e: Expr) -> Expr:
        """Return a product with deltas between axes of the result: zeros but for what it has on them."""
        if len(product.out) == 2:
            return e  # eye or diag of a vector, which NumPy has words for
        same = {q: p for p, q in product.deltas}
        while any(p in same for p in same.values()):
            same = {q: same.get(p, p) for q, p in same.items()}
        own = tuple(dict.fromkeys(same.get(x, x) for x in product.out))
        inner = tuple(x for x in own if x in product.present)
        block = contracted(Product(product.coef, product.factors, [], inner, product.sizes), self.setting)
        missing = tuple(x for x in own if x not in inner)
        letters = lettered([same.get(x, x) for x in product.out])
        spec = "".join(letters[same.get(x, x)] for x in product.out)
        spec += "->" + "".join(letters[x] for x in (*missing, *inner))
        shape = tuple(product.sizes[x] for x in product.out)
        return Expr("filled", (block,), (spec, shape), e.axes)


def _with_deltas_added(e: Expr) -> Expr:
    """Return `M + t * eye(n)` and `M - diag(v)` as M with its diagonal raised."""
    left, right = e.args
    if e.op == "add" and _diagonal(right) is None:
        left, right = right, left
    block = _diagonal(right)
    constant = left.op in ("number", "ones", "zeros") or _diagonal(left) is not None
    if block is None or e.rank != 2 or left.axes != e.axes or constant:
        return e
    return Expr("raised", (left, block), ("ii->i", "-" if e.op == "sub" else "+"), e.axes)


def _diagonal(e: Expr) -> Expr | None:
    """Return what a diagonal matrix has on its diagonal: a number or a vector."""
    if e.op == "eye":
        return Expr("number", (), (1,), ())
    if e.op == "diag" and e.rank == 2:
        return e.args[0]
    if e.op in ("mul", "div") and e.rank == 2:
        left, right = e.args
        if left.rank == 0 and e.op == "mul":
            inner = _diagonal(right)
            return None if inner is None else (left if inner.op == "number" else apply("mul", left, inner))
        if right.rank == 0:
            inner = _diagonal(left)
            return None if inner is None else apply(e.op, inner, right)
    return None


__all__ = ["planned"]
