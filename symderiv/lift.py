"""Index notation to matrix notation: a node of the normal form, read as NumPy has words for it.

`lift(lower(e))` has the value of `e`, and `lower(lift(n))` is n again up to the normal form.  A product
is joined in the order of the planner; every intermediate result is an :class:`Operand`, which can be
asked for with its axes in any order, so that transposes are chosen last and are few.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from fractions import Fraction
from typing import TypeGuard

from symderiv import dims
from symderiv.dims import Size
from symderiv.errors import UnsupportedError
from symderiv.index import normal
from symderiv.index.graph import (
    Add,
    Contraction,
    Defined,
    Delta,
    Det,
    Extremum,
    Factor,
    Inverse,
    Leaf,
    LogDet,
    LogSumExp,
    Map,
    Node,
    Pow,
    Power,
    Prod,
    ProdExcept,
    SizeOf,
    Softmax,
    Unknown,
    Where,
)
from symderiv.planner import Action, next_action
from symderiv.tensor.expr import Axes, Expr, plain_axes, weight
from symderiv.tensor.operations import apply

Label = Hashable
Labels = tuple[Label, ...]
ONE = Fraction(1)
LETTERS = "ijklmnpqrstuvwabcdefgh"


class Operand:
    """An intermediate result: `at(order)` is the expression with its axes in that order."""

    __slots__ = ("_forms", "_known", "labels", "pieces")

    def __init__(
        self, labels: Labels, forms: Callable[[Labels], Expr], pieces: tuple[Operand, ...] | None = None
    ) -> None:
        self.labels = labels
        self._forms = forms
        self._known: dict[Labels, Expr] = {}
        self.pieces = pieces or (self,)

    def at(self, order: Labels) -> Expr:
        """Return the expression with axes in the given order."""
        if order not in self._known:
            self._known[order] = self._forms(order)
        return self._known[order]

    @property
    def best(self) -> Expr:
        """Return the shortest form, whatever the order of its axes."""
        if len(self.labels) == 2:
            a, b = self.labels
            return min((self.at((a, b)), self.at((b, a))), key=weight)
        return self.at(self.labels)


def lift(node: Node, axes: Axes | None = None, names: Mapping[Node, Expr] | None = None) -> Expr:
    """Return a node in matrix notation; `axes` groups its axes (of a vec or a kron).

    `names` gives the expression for nodes that have one already (a definition, say).
    """
    lifter = _Lifter(names or {})
    try:
        return lifter.expr(node) if axes is None or axes == plain_axes(node.dims) else lifter.grouped(node, axes)
    except RecursionError:
        raise UnsupportedError("the result is nested too deeply to be written in one expression") from None


def ungrouped(expr: Expr, node: Node) -> Expr:
    """Return an expression whose axes may be grouped over the atomic axes of its node."""
    return expr if expr.axes == plain_axes(node.dims) else apply("reshape", expr, data=(node.dims,))


def regrouped(expr: Expr, axes: Axes) -> Expr:
    """Return an expression over atomic axes with its axes grouped."""
    if axes == expr.axes:
        return expr
    return apply("reshape", expr, data=(tuple(dims.product(axis) for axis in axes),))


class _Lifter:
    def __init__(self, names: Mapping[Node, Expr]) -> None:
        self.names = names
        self.done: dict[Node, Expr] = {}
        self.bases: dict[tuple[Node, int], Operand] = {}

    def expr(self, node: Node) -> Expr:
        """Return the node as an expression with exactly its axes."""
        known = self.done.get(node)
        if known is None:
            order = tuple(range(node.rank))
            known = self.operand(node, order).at(order)
            if known.axes != plain_axes(node.dims):
                known = self.filled(known, node)
            self.done[node] = known
        return known

    def grouped(self, node: Node, axes: Axes) -> Expr:
        """Return a node with its axes grouped in pairs: sums of vec and kron where it is that, else a reshape."""
        if isinstance(node, Add):
            terms = [(c, n, self.grouped(normal.scaled(c, n), axes)) for c, n in node.terms]
            return apply_sum([e for *_, e in sorted_terms(terms)])
        forms = [regrouped(self.expr(node), axes)]
        if len(axes) == 1 and len(axes[0]) == 2:
            forms.append(apply("vec", self.expr(normal.transposed(node, (1, 0)))))
        kron = self.kron(node, axes)
        if kron is not None:
            forms.append(kron)
        return min(forms, key=weight)

    def kron(self, node: Node, axes: Axes) -> Expr | None:
        """Read `A[i, k] B[j, l]` grouped as (i, j), (k, l) as a Kronecker product."""
        if not isinstance(node, Contraction) or node.bound or any(len(axis) != 2 for axis in axes):
            return None
        parts = []
        for side in (0, 1):
            own = list(range(side, node.rank, 2))
            factors = [(f, at) for f, at in node.factors if at and set(at) <= set(own)]
            sizes = {k: node.dims[k] for k in own}
            parts.append((factors, self.expr(normal.contract(1, factors, own, sizes))))
        scalars = [(f, at) for f, at in node.factors if not at]
        if sum(len(f) for f, _ in parts) + len(scalars) < len(node.factors):
            return None
        product = apply("kron", parts[0][1], parts[1][1])
        front = self.expr(normal.contract(node.coef, scalars, ()))
        if is_negative(front):
            return negated_first(times(without_minus(front), product))
        return times(front, product)

    def filled(self, expr: Expr, node: Node) -> Expr:
        return apply("mul", expr, apply("ones", data=(node.dims,)))

    # -- nodes

    def operand(self, node: Node, labels: Labels) -> Operand:
        """Return a node at indices, all different."""
        if node in self.names:
            flat = ungrouped(self.names[node], node)
            return plain(flat, labels, symmetric=node.rank == 2 and len(normal.symmetries(node)) > 1)
        match node:
            case Contraction():
                return self.contraction(node, labels)
            case Add():
                return self.sum(node, labels, 1)
            case Pow() | Map():
                return self.once(node, labels, 1)
        return plain(self.atom(node), labels, symmetric=node.rank == 2 and len(normal.symmetries(node)) > 1)

    def through(self, node: Pow | Map, labels: Labels) -> Operand:
        """An entrywise function commutes with the order of axes."""
        arg = node.base if isinstance(node, Pow) else node.arg
        inner = self.operand(arg, labels)

        def at(order: Labels) -> Expr:
            value = inner.at(order)
            if isinstance(node, Pow):
                return self.power(node, value)
            return mapped(node, value)

        return Operand(labels, at)

    def power(self, node: Pow, value: Expr) -> Expr:
        exponent = node.exponent
        root = squared(node.base)
        if exponent < 0:
            positive = self.expr_of_power(node.base, value, -exponent, root)
            return apply("div", number(1), positive)
        return self.expr_of_power(node.base, value, exponent, root)

    def expr_of_power(self, base: Node, value: Expr, exponent: Fraction, root: Node | None) -> Expr:
        if root is not None and exponent.denominator in (1, 2):
            norm = apply("norm", self.expr(root))
            return raised(norm, exponent * 2)
        return raised(value, exponent)

    def atom(self, node: Node) -> Expr:
        """Return a node that is no product or sum."""
        match node:
            case Leaf():
                return Expr(
                    "var", (), (node.name, node.traits, *([node.label] if node.label else [])), plain_axes(node.dims)
                )
            case Defined():
                return Expr("defined", (self.expr(node.body),), (node.name,), plain_axes(node.dims))
            case Delta():
                return apply("eye", data=(node.size,))
            case SizeOf():
                return Expr("size", (), (node.size,), ())
            case Power():
                return apply("general_power", self.expr(node.base), self.expr(node.exponent))
            case Where():
                return self.where(node)
            case Extremum():
                return (
                    apply(node.kind, self.loose(node.left), self.loose(node.right))
                    if node.rank == 0
                    else self.extremum(node)
                )
            case Inverse() | Det() | LogDet():
                return self.matrix_function(node)
            case Softmax():
                return self.softmax(node)
            case LogSumExp() | Prod():
                return self.along(node)
            case ProdExcept():
                return self.product_except(node)
            case Unknown():
                return Expr(
                    "unknown", tuple(self.expr(a) for a in node.args), (node.name, node.slots), plain_axes(node.dims)
                )
        raise UnsupportedError(f"{type(node).__name__} has no matrix notation")

    def extremum(self, node: Extremum) -> Expr:
        left, right = self.loose(node.left), self.loose(node.right)
        if plain_axes(node.dims) not in (left.axes, right.axes):
            left = self.expr(node.left)
        return apply(node.kind, left, right)

    def where(self, node: Where) -> Expr:
        parts = [self.loose(c) for c in node.children()]
        full = plain_axes(node.dims)
        if all(p.axes != full for p in parts):
            parts[0] = self.expr(node.left)
        return apply("where", *parts, data=(node.relation,))

    def loose(self, node: Node) -> Expr:
        """Return an expression that broadcasts to the node's axes."""
        value = normal.constant(node)
        if value is not None:
            return number(value)
        core, axes = normal.core(node)
        if len(axes) == node.rank:
            return self.expr(node)
        if node.rank == 2 and axes == (0,):
            return apply("newaxis", self.expr(core), data=((False, True),))
        if axes == tuple(range(node.rank - len(axes), node.rank)):
            return self.expr(core)
        return self.expr(node)

    def matrix_function(self, node: Inverse | Det | LogDet) -> Expr:
        name = {Inverse: "inv", Det: "det", LogDet: "logdet"}[type(node)]
        arg = self.expr(node.arg)
        half = node.arg.rank // 2
        if half == 1:
            return apply(name, arg)
        axes = (tuple(node.arg.dims[:half]), tuple(node.arg.dims[half:]))
        whole = apply(name, regrouped(arg, axes))
        return apply("reshape", whole, data=(node.dims,)) if isinstance(node, Inverse) else whole

    def along(self, node: LogSumExp | Prod) -> Expr:
        name = "logsumexp" if isinstance(node, LogSumExp) else "prod"
        arg = self.expr(node.arg)
        if len(node.axes) == node.arg.rank:
            return apply(name, arg)
        if len(node.axes) > 1:
            raise UnsupportedError(f"{name} over several axes but not all")
        return apply(name, arg, data=node.axes)

    def softmax(self, node: Softmax) -> Expr:
        """Return a softmax; one over all axes is that of the flattened array."""
        arg = self.expr(node.arg)
        if len(node.axes) == 1:
            return apply("softmax", arg, data=node.axes)
        if len(node.axes) < node.rank:
            raise UnsupportedError("softmax over several axes but not all")
        flat = apply("reshape", arg, data=((dims.product(node.dims),),))
        return apply("reshape", apply("softmax", flat, data=(0,)), data=(node.dims,))

    def product_except(self, node: ProdExcept) -> Expr:
        """`Π_{k≠j} x[k]`: with w the entries and 1 where one is 0, prod(w)/w, or 0 where another one is 0."""
        if len(node.axes) != node.rank:
            raise UnsupportedError("the derivative of prod along one axis has no short form")
        x = self.expr(node.arg)
        zero, one = number(0), number(1)
        size = apply("map", x, data=("abs", 0))
        safe = apply("where", size, zero, x, one, data=(">",))
        holes = apply("where", size, zero, zero, one, data=(">",))
        others = apply("sub", apply("sum", holes), holes)
        return apply("where", others, zero, zero, apply("div", apply("prod", safe), safe), data=(">",))

    # -- sums

    def once(self, node: Node, labels: Labels, sign: int) -> Operand:
        """Return a node at indices; what is shared is read once, at indices of its own."""
        base = self.bases.get((node, sign))
        if base is None:
            own: Labels = tuple(("axis", k) for k in range(node.rank))
            if isinstance(node, Add):
                base = Operand(own, lambda order: self.sum_at(node, own, order, sign))
            else:
                assert isinstance(node, (Pow, Map))
                base = self.through(node, own)
            self.bases[(node, sign)] = base
        read = base
        return Operand(labels, lambda order: read.at(tuple(("axis", labels.index(x)) for x in order)))

    def sum(self, node: Add, labels: Labels, sign: int) -> Operand:
        return self.once(node, labels, sign)

    def sum_at(self, node: Add, labels: Labels, order: Labels, sign: int) -> Expr:
        """Return `±` a sum with its axes in an order: terms that only broadcast stay small."""
        terms = []
        for coef, term in ((sign * c, n) for c, n in node.terms):
            terms.append((coef, term, self.term(coef, term, labels, order)))
        shape = plain_axes(tuple(node.dims[labels.index(x)] for x in order))
        if not any(e.axes == shape for _, _, e in terms):
            broad = apply_sum([e for *_, e in sorted_terms(terms)])
            if broad.axes != shape:
                coef, term, _ = terms[0]  # one term must carry all the axes
                exact = self.operand(normal.scaled(abs(coef), term), labels).at(order)
                terms[0] = (coef, term, exact if coef > 0 else negated(exact))
                if exact.axes != shape:
                    ones = apply("ones", data=(tuple(dims.product(a) for a in shape),))
                    full = apply("mul", exact, ones)
                    terms[0] = (coef, term, full if coef > 0 else negated(full))
        return apply_sum([e for *_, e in sorted_terms(terms)])

    def term(self, coef: Fraction, term: Node, labels: Labels, order: Labels) -> Expr:
        value = normal.constant(term)
        if value is not None:
            return number(coef * value)
        core, axes = normal.core(term)
        if len(axes) == term.rank:
            return self.scaled_at(coef, term, labels, order)
        kept = tuple(labels[a] for a in axes)
        rest = tuple(x for x in order if x in kept)
        inner = self.scaled_at(coef, core, kept, rest)
        new = tuple(x not in kept for x in order)
        while new and new[0]:
            new = new[1:]
        if any(new):
            inner = apply("newaxis", inner, data=(new,)) if inner.rank else inner
        return inner

    def scaled_at(self, coef: Fraction, node: Node, labels: Labels, order: Labels) -> Expr:
        return self.operand(normal.scaled(coef, node), labels).at(order)

    # -- products

    def contraction(self, node: Contraction, labels: Labels) -> Operand:
        """Read a product under a sum: scalars aside, then join by join, then what is left."""
        root = squared(node)
        if root is not None:
            norm = raised(apply("norm", self.expr(root)), Fraction(2))
            short = self.dotted(root)
            best = min((short, norm), key=weight) if short is not None else norm
            return Operand((), lambda order: best)
        names: dict[int, Label] = dict(enumerate(labels))
        names.update({b: ("bound", object()) for b in node.bound})
        sizes = {names[k]: size for k, size in enumerate(node.sizes)}
        scalars = [f for f in node.factors if not f[1]]
        arrays = [(f, tuple(names[s] for s in at)) for f, at in node.factors if at]
        top = [self.expr(f) for f, _ in sorted_factors(scalars) if not _is_reciprocal(f)]
        low = [self.expr(normal.power(f, -1)) for f, _ in sorted_factors(scalars) if _is_reciprocal(f)]
        out = tuple(labels)
        coef, flipped = node.coef, None
        if coef < 0:
            flipped = next((f for f, at in node.factors if _reads_better_negated(f) and len(set(at)) == len(at)), None)
            coef = -coef if flipped is not None else coef
        if flipped is not None and not flipped.rank:
            place = next(k for k, (f, _) in enumerate(sorted_factors(scalars)) if f is flipped)
            top[place - sum(_is_reciprocal(f) for f, _ in sorted_factors(scalars)[:place])] = self.sum(
                flipped, (), -1
            ).at(())
        if not arrays:
            value = assembled(coef, top, low, [])
            return Operand((), lambda order: value) if not out else self.spread_scalar(value, out, sizes)
        joined = self.joined(arrays, out, flipped)
        return self.finished(coef, top, low, joined, out, sizes)

    def dotted(self, root: Node) -> Expr | None:
        if root.rank != 1:
            return None
        value = self.expr(root)
        return apply("matmul", value, value) if value.op in ("var", "defined") else None

    def spread_scalar(self, value: Expr, out: Labels, sizes: Mapping[Label, Size]) -> Operand:
        def at(order: Labels) -> Expr:
            shape = tuple(sizes[x] for x in order)
            if value.op == "number" and value.data[0] == 0:
                return apply("zeros", data=(shape,))
            ones = apply("ones", data=(shape,))
            return ones if value.op == "number" and value.data[0] == 1 else times(value, ones)

        return Operand(out, at)

    def joined(
        self, arrays: list[tuple[Node, Labels]], out: Labels, flipped: Node | None
    ) -> list[tuple[Operand, bool]]:
        """Join factors until only axes of the result are left; True marks a divisor."""
        work: list[tuple[Operand, bool]] = []
        for node, labels in arrays:
            if node is flipped and len(set(labels)) == len(labels) and isinstance(node, Add):
                work.append((self.sum(node, labels, -1), False))
                flipped = None
            elif _is_reciprocal(node) and len(set(labels)) == len(labels):
                work.append((self.operand(normal.power(node, -1), labels), True))
            else:
                work.append((self.repeated(node, labels), False))
        while True:
            action = next_action([w.labels for w, _ in work], out)
            if action is None:
                return work
            work = self.carried_out(action, work)

    def repeated(self, node: Node, labels: Labels) -> Operand:
        if len(set(labels)) == len(labels):
            return self.operand(node, labels)
        return Operand(labels, lambda order: self.expr(node))

    def carried_out(self, action: Action, work: list[tuple[Operand, bool]]) -> list[tuple[Operand, bool]]:
        chosen = [work[k] for k in action.factors]
        rest = [w for k, w in enumerate(work) if k not in action.factors]
        if action.kind == "entrywise":
            return [*rest, entrywise(chosen)]
        operands = [reciprocal(w) if inverted else w for w, inverted in chosen]
        match action.kind:
            case "diagonal":
                new = diagonal(operands[0])
            case "sum":
                new = summed(operands[0], action.labels)
            case "chain":
                new = chained(operands[0], operands[1], action.labels[0])
            case "trace":
                new = traced(operands[0], operands[1])
            case "rows":
                new = row_sums(operands[0], operands[1], action.labels)
            case "scale":
                vector, inverted = chosen[0]
                new = scaled_rows(operands[1], vector, action.labels[0], inverted)
            case _:
                raise AssertionError(action)
        return [*rest, (new, False)]

    # -- what is left when no bound index is

    def finished(
        self,
        coef: Fraction,
        top: list[Expr],
        low: list[Expr],
        work: list[tuple[Operand, bool]],
        out: Labels,
        sizes: Mapping[Label, Size],
    ) -> Operand:
        present = {x for w, _ in work for x in w.labels}
        missing = tuple(x for x in out if x not in present)
        open_labels = present - set(out)
        scalars = [w.at(()) for w, _ in work if not w.labels]
        work = [w for w in work if w[0].labels]
        if not work and not out:
            value = assembled(coef, [*top, *scalars], low, [])
            return Operand((), lambda order: value)
        top = [*top, *scalars]
        if not work:
            return self.spread_scalar(assembled(coef, top, low, []), out, sizes)
        if open_labels or len(out) > 2:
            return self.by_einsum(coef, top, low, work, out, sizes)
        single = len(work) == 1 and not work[0][1]
        if single and not missing:
            return with_scalars(coef, top, low, work[0][0], out)
        return Operand(out, lambda order: self.entrywise_at(coef, top, low, work, order, sizes))

    def entrywise_at(
        self,
        coef: Fraction,
        top: list[Expr],
        low: list[Expr],
        work: list[tuple[Operand, bool]],
        order: Labels,
        sizes: Mapping[Label, Size],
    ) -> Expr:
        """Entrywise product of operands over one or two axes, each with one or both of them."""
        if len(order) == 1:
            nums = [w.at(order) for w, inverted in work if not inverted]
            dens = [w.at(order) for w, inverted in work if inverted]
            return assembled(coef, top, low + dens, nums)
        full = [(w, inv) for w, inv in work if len(w.labels) == 2]
        rows = [(w, inv) for w, inv in work if w.labels == (order[0],)]
        columns = [(w, inv) for w, inv in work if w.labels == (order[1],)]
        if not full and len(work) == len(rows) + len(columns):
            return self.outer_at(coef, top, low, rows, columns, order, sizes)
        if len(full) == 1 and not full[0][1] and _is_eye(full[0][0].at(order)) and rows + columns != []:
            vector = vector_of([*rows, *columns], (rows or columns)[0][0].labels)
            return assembled(coef, top, low, [apply("diag", vector)])
        nums = [w.at(order) for w, inv in full if not inv]
        dens = [w.at(order) for w, inv in full if inv]
        nums += [w.at(w.labels) for w, inv in columns if not inv]
        dens += [w.at(w.labels) for w, inv in columns if inv]
        nums += [as_column(w) for w, inv in rows if not inv]
        dens += [as_column(w) for w, inv in rows if inv]
        return assembled(coef, top, low + dens, nums)

    def outer_at(
        self,
        coef: Fraction,
        top: list[Expr],
        low: list[Expr],
        rows: list[tuple[Operand, bool]],
        columns: list[tuple[Operand, bool]],
        order: Labels,
        sizes: Mapping[Label, Size],
    ) -> Expr:
        left = vector_of(rows, (order[0],)) if rows else apply("ones", data=((sizes[order[0]],),))
        right = vector_of(columns, (order[1],)) if columns else apply("ones", data=((sizes[order[1]],),))
        return assembled(coef, top, low, [apply("outer", left, right)])

    def by_einsum(
        self,
        coef: Fraction,
        top: list[Expr],
        low: list[Expr],
        work: list[tuple[Operand, bool]],
        out: Labels,
        sizes: Mapping[Label, Size],
    ) -> Operand:
        parts = merged_entrywise([(reciprocal(w) if inv else w) for w, inv in work])
        present = {x for w in parts for x in w.labels}
        for x in out:
            if x not in present:
                parts.append(plain(apply("ones", data=((sizes[x],),)), (x,), symmetric=False))

        def at(order: Labels) -> Expr:
            if len(parts) == 1 and set(parts[0].labels) == set(order):
                return assembled(coef, top, low, [parts[0].at(order)])
            letters = dict(zip(order, LETTERS, strict=False))
            for w in parts:
                for x in w.labels:
                    letters.setdefault(x, LETTERS[len(letters)])
            chosen = [best_order(w) for w in parts]
            spec = ",".join("".join(letters[x] for x in labels) for _, labels in chosen)
            spec += "->" + "".join(letters[x] for x in order)
            return assembled(coef, top, low, [apply("einsum", *(e for e, _ in chosen), data=(spec,))])

        return Operand(out, at)


# ---------------------------------------------------------------- small pieces


def number(value: Fraction | int) -> Expr:
    """Return a literal number."""
    return Expr("number", (), (Fraction(value),), ())


def raised(value: Expr, exponent: Fraction) -> Expr:
    """Return `value ** exponent`, a square root as sqrt."""
    if exponent == 1:
        return value
    if exponent == Fraction(1, 2):
        return apply("sqrt", value)
    return apply("power", value, data=(exponent,))


def mapped(node: Map, value: Expr) -> Expr:
    """Return an entrywise function of an expression."""
    return apply("map", value, data=(node.function, node.order))


def squared(node: Node) -> Node | None:
    """Return v where the node is the sum of the squares of all entries of v."""
    if not isinstance(node, Contraction) or node.rank or node.coef != 1 or len(node.factors) != 1:
        return None
    inner, labels = node.factors[0]
    if isinstance(inner, Pow) and inner.exponent == 2 and len(set(labels)) == len(labels) > 0:
        return inner.base
    return None


def plain(expr: Expr, labels: Labels, symmetric: bool) -> Operand:
    """Return an expression whose axes carry `labels`, transposed on demand."""

    def at(order: Labels) -> Expr:
        if order == labels or symmetric:
            return expr
        if len(labels) == 2:
            return transposed(expr)
        return apply("transpose", expr, data=(tuple(labels.index(x) for x in order),))

    return Operand(labels, at)


def transposed(expr: Expr) -> Expr:
    """Return the transpose of a matrix, without a double one."""
    if expr.op == "transpose" and not expr.data:
        return expr.args[0]
    if expr.op == "eye" or (expr.op == "diag" and expr.rank == 2):
        return expr
    if expr.op == "outer":
        return apply("outer", expr.args[1], expr.args[0])
    return apply("transpose", expr)


def negated(expr: Expr) -> Expr:
    """Return the negative of an expression."""
    if expr.op == "number":
        return number(-expr.data[0])
    if expr.op == "neg":
        return expr.args[0]
    return apply("neg", expr)


def times(left: Expr, right: Expr) -> Expr:
    """Return a product, 1 left out."""
    if left.op == "number" and left.data[0] == 1:
        return right
    if right.op == "number" and right.data[0] == 1:
        return left
    return apply("mul", left, right)


def _reads_better_negated(node: Node) -> TypeGuard[Add]:
    """Tell a difference, which can take a minus in, from a sum of positive terms."""
    return isinstance(node, Add) and any(c < 0 for c, _ in node.terms)


def _is_reciprocal(node: Node) -> bool:
    return isinstance(node, Pow) and node.exponent < 0


def _is_eye(expr: Expr) -> bool:
    return expr.op == "eye"


def as_column(operand: Operand) -> Expr:
    """Return a vector as a column that scales rows."""
    return apply("newaxis", operand.at(operand.labels), data=((False, True),))


def reciprocal(operand: Operand) -> Operand:
    """Return one over an operand."""
    return Operand(operand.labels, lambda order: apply("div", number(1), operand.at(order)))


def vector_of(parts: Sequence[tuple[Operand, bool]], labels: Labels) -> Expr:
    """Return the entrywise product of vectors along one axis."""
    nums = [w.at(w.labels) for w, inverted in parts if not inverted]
    dens = [w.at(w.labels) for w, inverted in parts if inverted]
    return assembled(ONE, [], dens, nums)


def entrywise(parts: Sequence[tuple[Operand, bool]]) -> tuple[Operand, bool]:
    """Join operands that carry the same indices."""
    labels = parts[0][0].labels
    if all(inverted for _, inverted in parts):
        both = [w for w, _ in parts]
        return Operand(labels, lambda order: apply("mul", both[0].at(order), both[1].at(order))), True

    def at(order: Labels) -> Expr:
        nums = [w.at(order) for w, inverted in parts if not inverted]
        dens = [w.at(order) for w, inverted in parts if inverted]
        return assembled(ONE, [], dens, nums)

    return Operand(labels, at), False


def merged_entrywise(parts: list[Operand]) -> list[Operand]:
    """Join operands over the same set of indices; scale along an index where a vector stands beside."""
    groups: dict[frozenset[Label], list[Operand]] = {}
    for part in parts:
        groups.setdefault(frozenset(part.labels), []).append(part)
    done = []
    for members in groups.values():
        first = members[0]
        for other in members[1:]:
            first = entrywise([(first, False), (other, False)])[0]
        done.append(first)
    return done


def best_order(operand: Operand) -> tuple[Expr, Labels]:
    """Return the shortest form and the order of its axes."""
    if len(operand.labels) != 2:
        return operand.at(operand.labels), operand.labels
    a, b = operand.labels
    forms = [(operand.at((a, b)), (a, b)), (operand.at((b, a)), (b, a))]
    return min(forms, key=lambda form: weight(form[0]))


def diagonal(operand: Operand) -> Operand:
    """Read a repeated index."""
    labels = operand.labels
    if len(labels) == 2:
        value = apply("diag", operand.at(labels))
        return Operand(labels[:1], lambda order: value)
    letters = {x: LETTERS[k] for k, x in enumerate(dict.fromkeys(labels))}
    spec = "".join(letters[x] for x in labels) + "->" + "".join(letters.values())
    return plain(apply("einsum", operand.at(labels), data=(spec,)), tuple(letters), symmetric=False)


def summed(operand: Operand, over: Labels) -> Operand:
    """Sum over indices that stand nowhere else."""
    rest = tuple(x for x in operand.labels if x not in over)
    best, order = best_order(operand)
    if not rest:
        if best.op == "diag" and best.rank == 1:
            value = apply("trace", best.args[0])
        else:
            value = apply("sum", best)
        return Operand((), lambda _: value)
    if len(operand.labels) == 2:
        value = apply("sum", best, data=(order.index(over[0]),))
        return Operand(rest, lambda _: value)
    letters = {x: LETTERS[k] for k, x in enumerate(operand.labels)}
    spec = "".join(letters.values()) + "->" + "".join(letters[x] for x in rest)
    return plain(apply("einsum", operand.at(operand.labels), data=(spec,)), rest, symmetric=False)


def chained(left: Operand, right: Operand, q: Label) -> Operand:
    """Join two operands by a matrix product over the index they share."""
    a = left.pieces if left.pieces[-1].labels and q in left.pieces[-1].labels else tuple(reversed(left.pieces))
    b = right.pieces if q in right.pieces[0].labels else tuple(reversed(right.pieces))
    pieces = (*a, *b)
    labels = tuple(x for x in (*left.labels, *right.labels) if x != q)
    return Operand(labels, lambda order: chain_at(pieces, order), pieces)


def chain_at(pieces: tuple[Operand, ...], order: Labels) -> Expr:
    """Return a chain of matrix products with its ends in the given order."""
    ends = (_open_end(pieces, 0), _open_end(pieces, -1))
    forward = multiplied(pieces)
    backward = multiplied(tuple(reversed(pieces)))
    if len(order) == 2:
        direct, turned = (forward, backward) if ends == order else (backward, forward)
        return min((direct, transposed(turned)), key=weight)
    if len(order) == 1:
        matrix_first, other = (forward, backward) if ends[0] == order[0] else (backward, forward)
        return matrix_first if weight(matrix_first) <= weight(other) + 2 else other
    return min((forward, backward), key=weight)


def _open_end(pieces: tuple[Operand, ...], side: int) -> Label | None:
    piece = pieces[side]
    if len(piece.labels) == 1:
        return None
    inner = pieces[1 if side == 0 else -2].labels
    return next(x for x in piece.labels if x not in inner)


def multiplied(pieces: tuple[Operand, ...]) -> Expr:
    """Return the product of pieces, read from left to right; a vector at the right end is met first."""
    exprs = []
    for k, piece in enumerate(pieces):
        if len(piece.labels) == 1:
            exprs.append(piece.at(piece.labels))
            continue
        nearby = pieces[k - 1].labels if k else pieces[1].labels
        shared = next(x for x in piece.labels if x in nearby)
        other = next(x for x in piece.labels if x != shared)
        exprs.append(piece.at((shared, other) if k else (other, shared)))
    if exprs[-1].rank == 1 and exprs[0].rank == 2:
        value = exprs[-1]
        for e in reversed(exprs[:-1]):
            value = apply("matmul", e, value)
        return value
    value = exprs[0]
    for e in exprs[1:]:
        value = apply("matmul", value, e)
    return value


def traced(left: Operand, right: Operand) -> Operand:
    """Sum over both indices of two matrices."""
    a, b = left.labels
    entry = [apply("sum", assembled(ONE, [], [], [left.at(o), right.at(o)])) for o in ((a, b), (b, a))]
    pieces = (*left.pieces, *right.pieces)
    product = [apply("trace", apply("matmul", left.at(o), right.at(tuple(reversed(o))))) for o in ((a, b), (b, a))]
    del pieces
    value = min([*entry, *product], key=weight)
    return Operand((), lambda order: value)


def row_sums(left: Operand, right: Operand, labels: Labels) -> Operand:
    """`Σ_q L[q, r] R[q, r]` for every r."""
    q, r = labels
    forms = []
    for order in ((q, r), (r, q)):
        product = assembled(ONE, [], [], [left.at(order), right.at(order)])
        forms.append(apply("sum", product, data=(order.index(q),)))
    value = min(forms, key=weight)
    return Operand((r,), lambda order: value)


def scaled_rows(matrix: Operand, vector: Operand, q: Label, inverted: bool) -> Operand:
    """Scale a matrix by a vector along one of its indices."""
    r = next(x for x in matrix.labels if x != q)

    def at(order: Labels) -> Expr:
        scale = vector.at((q,)) if order == (r, q) else as_column(vector)
        value = matrix.at(order)
        if inverted:
            return apply("div", value, scale)
        return apply("mul", value, scale)

    return Operand((r, q), at)


def with_scalars(coef: Fraction, top: list[Expr], low: list[Expr], operand: Operand, out: Labels) -> Operand:
    """Multiply by scalars, keeping a chain a chain where there are none."""
    if coef == 1 and not top and not low:
        return operand
    return Operand(out, lambda order: assembled(coef, top, low, [operand.at(order)]))


def assembled(coef: Fraction, top: Sequence[Expr], low: Sequence[Expr], arrays: Sequence[Expr]) -> Expr:
    """Return `coef · top · arrays / low` as it is written: number, scalars, arrays, divisor."""
    negative = coef < 0
    coef = abs(coef)
    divisors = list(low)
    if coef.denominator != 1 and not _is_short_decimal(coef):
        divisors.insert(0, number(coef.denominator))
        coef = Fraction(coef.numerator)
    nums = [*top, *arrays]
    if coef != 1 or not nums:
        nums.insert(0, number(coef))
    nums, ones = _split_reciprocals(nums)
    divisors += ones
    if not nums:
        nums = [number(1)]
    if len(nums) > 1 and nums[0].op == "number" and nums[0].data[0] == 1:
        nums = nums[1:]
    value = nums[0]
    for e in nums[1:]:
        value = apply("mul", value, e)
    if negative:
        value = negated_first(value)
    if divisors:
        low_value = divisors[0]
        for e in divisors[1:]:
            low_value = apply("mul", low_value, e)
        value = apply("div", value, low_value)
    return value


def _split_reciprocals(nums: list[Expr]) -> tuple[list[Expr], list[Expr]]:
    kept, divisors = [], []
    for e in nums:
        if e.op == "div" and e.args[0].op == "number" and e.args[0].data[0] == 1:
            divisors.append(e.args[1])
        else:
            kept.append(e)
    return kept, divisors


def negated_first(value: Expr) -> Expr:
    """Put a minus in front of a product: at its first factor, where it is read."""
    if value.op == "mul":
        return apply("mul", negated_first(value.args[0]), value.args[1])
    return negated(value)


def _is_short_decimal(value: Fraction) -> bool:
    return 10000 % value.denominator == 0


def sorted_factors(factors: Sequence[Factor]) -> list[Factor]:
    """Order scalars for a reader: sizes, names, then the rest."""
    return sorted(factors, key=lambda f: (_reading_rank(f[0]), f[0].key))


def _reading_rank(node: Node) -> tuple[int, str]:
    inner = node.base if isinstance(node, Pow) else node
    if isinstance(inner, SizeOf):
        return (0, str(inner.size))
    if isinstance(inner, Unknown):
        return (1, inner.name)
    if isinstance(inner, (Leaf, Defined)):
        return (2, inner.name)
    return (3, "")


def sorted_terms(terms: Sequence[tuple[Fraction, Node, Expr]]) -> list[tuple[Fraction, Node, Expr]]:
    """Order a sum for a reader: a positive constant, what is added (longest first), what is taken off."""

    def key(item: tuple[Fraction, Node, Expr]) -> tuple[bool, bool, int, int, str]:
        expr = item[2]
        name = expr.name if expr.op in ("var", "defined") else expr.key
        return (is_negative(expr), expr.op != "number", expr.turned - expr.weight, expr.turned, name)

    return sorted(terms, key=key)


def is_negative(expr: Expr) -> bool:
    """Tell whether an expression is written with a leading minus."""
    if expr.op == "number":
        return bool(expr.data[0] < 0)
    return expr.op == "neg" or (expr.op in ("mul", "div", "newaxis") and is_negative(expr.args[0]))


def without_minus(expr: Expr) -> Expr:
    """Return the expression without its leading minus."""
    if expr.op == "number":
        return number(-expr.data[0])
    if expr.op == "neg":
        return expr.args[0]
    first = without_minus(expr.args[0])
    if expr.op == "mul" and first.op == "number" and first.data[0] == 1:
        return expr.args[1]
    return apply(expr.op, first, *expr.args[1:], data=expr.data)


def apply_sum(terms: Sequence[Expr]) -> Expr:
    """Return a sum as it is written, with - for what is negative."""
    value = terms[0]
    for e in terms[1:]:
        value = apply("sub", value, without_minus(e)) if is_negative(e) else apply("add", value, e)
    return value
