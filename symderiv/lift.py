"""Index notation to matrix notation: a node of the normal form, read as NumPy has words for it.

`lift(lower(e))` has the value of `e`, and `lower(lift(n))` is n again up to the normal form.  A product
is joined in the order of the planner; every intermediate result is an :class:`Operand`, which can be
asked for with its axes in any order, so that transposes are chosen last and are few.
"""

from __future__ import annotations

import weakref
from collections.abc import Mapping, Sequence
from fractions import Fraction

from symderiv import dims
from symderiv.collecting import collected
from symderiv.columns import along_the_last, column, outer, transposed, with_ones
from symderiv.dims import Size
from symderiv.errors import UnsupportedError
from symderiv.factoring import MOST_TERMS, factored
from symderiv.index import normal
from symderiv.index.graph import (
    Add,
    Along,
    Contraction,
    Defined,
    Delta,
    Det,
    Extremum,
    Inverse,
    Leaf,
    LogDet,
    LogSumExp,
    Map,
    MatrixPower,
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
from symderiv.operands import (
    Label,
    Labels,
    Operand,
    apply_sum,
    as_column,
    assembled,
    best_order,
    chained,
    diagonal,
    entrywise,
    is_negative,
    is_short_decimal,
    lettered,
    merged_entrywise,
    negated,
    negated_first,
    number,
    plain,
    raised,
    reciprocal,
    row_sums,
    scaled_rows,
    summed,
    times,
    traced,
    vector_of,
    with_scalars,
    without_minus,
)
from symderiv.planner import Action, Plan
from symderiv.squares import root_of
from symderiv.tensor.expr import Axes, Expr, plain_axes, walk, weight
from symderiv.tensor.operations import apply

# A derivation asks for the same forms again and again: in its result, its proof, its verdict.
_LIFTED: weakref.WeakKeyDictionary[Node, dict[tuple[Axes | None, frozenset[tuple[Node, Expr]]], Expr]]
_LIFTED = weakref.WeakKeyDictionary()


def lift(node: Node, axes: Axes | None = None, names: Mapping[Node, Expr] | None = None) -> Expr:
    """Return a node in matrix notation; `axes` groups its axes (of a vec or a kron).

    `names` gives the expression for nodes that have one already (a definition, say).
    """
    names = standing(node, names or {})
    named = frozenset(names.items())
    known = _LIFTED.setdefault(node, {})
    if (axes, named) in known:
        return known[axes, named]
    lifter = _Lifter(names)
    try:
        best = collected(node, lifter.names, lambda n: weight(lifter.expr(n)))
        plain = axes is None or axes == plain_axes(best.dims)
        known[axes, named] = lifter.expr(best) if axes is None or plain else lifter.grouped(best, axes)
        return known[axes, named]
    except RecursionError:
        raise UnsupportedError(
            "the result is nested too deeply to be written in one expression",
            hint="statements() writes it over named definitions",
        ) from None


def standing(node: Node, names: Mapping[Node, Expr]) -> dict[Node, Expr]:
    """Return the names that can be met in a node: of definitions only those that stand in it."""
    found = {n: e for n, e in names.items() if not isinstance(n, Defined)}
    seen: set[Node] = set()
    stack = [node]
    while stack:
        top = stack.pop()
        if top in seen:
            continue
        seen.add(top)
        if isinstance(top, Defined) and top in names:
            found[top] = names[top]
        else:
            stack.extend(top.children())
    return found


def ungrouped(expr: Expr, node: Node) -> Expr:
    """Return an expression whose axes may be grouped over the atomic axes of its node."""
    return expr if expr.axes == plain_axes(node.dims) else apply("reshape", expr, data=(node.dims,))


def regrouped(expr: Expr, axes: Axes) -> Expr:
    """Return an expression over atomic axes with its axes grouped."""
    if axes == expr.axes:
        return expr
    return apply("reshape", expr, data=(tuple(dims.product(axis) for axis in axes),))


# A factor that only some terms share is taken out where the sum gets shorter by this much.
WORTHWHILE = Fraction(4, 5)
MANY_SUMS = 100


class _Lifter:
    def __init__(self, names: Mapping[Node, Expr]) -> None:
        self.names = names
        self.done: dict[Node, Expr] = {}
        self.terms: dict[tuple[Fraction, Node, Labels], Operand] = {}
        self.bases: dict[tuple[Node, Fraction | int], Operand] = {}
        self.forms: dict[Node, list[tuple[Node, bool]]] = {}

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
        return min(forms, key=lambda e: (any(part.op == "einsum" for part in walk(e)), weight(e)))

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
            case Inverse() | MatrixPower() if node.rank == 2:
                return self.inverted(node, labels)
            case Power() | Where() | Extremum():
                return self.of_several(node, labels)
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
        root = squared(node.base) or root_of(node.base)
        if exponent < 0:
            positive = self.expr_of_power(node.base, value, -exponent, root)
            return apply("div", number(1), positive)
        return self.expr_of_power(node.base, value, exponent, root)

    def expr_of_power(self, base: Node, value: Expr, exponent: Fraction, root: Node | None) -> Expr:
        if root is not None and exponent.denominator in (1, 2):
            return raised(self.norm(root), exponent * 2)
        if value.op == "power" and value.args[0].op == "norm":
            return raised(value.args[0], exponent * value.data[0])
        return raised(value, exponent)

    def norm(self, root: Node) -> Expr:
        """Return the norm of a node, its axes in the order that is shortest."""
        own: Labels = tuple(range(root.rank))
        return apply("norm", self.operand(root, own).best)

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
            case Inverse() | MatrixPower() | Det() | LogDet():
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

    def of_several(self, node: Power | Where | Extremum, labels: Labels) -> Operand:
        """Return an entrywise function of several arrays, these the way round that is shorter."""
        children = tuple(node.children())

        def turned(order: Labels) -> Expr:
            perm = tuple(labels.index(x) for x in order)
            return self.broadcast(node, [normal.transposed(c, perm) for c in children])

        def at(order: Labels) -> Expr:
            if node.rank != 2:
                return plain(self.broadcast(node, children), labels, symmetric=False).at(order)
            return min((turned(order), transposed(turned((order[1], order[0])))), key=weight)

        return Operand(labels, at)

    def broadcast(self, node: Power | Where | Extremum, children: Sequence[Node]) -> Expr:
        """Return an entrywise function of several arrays that only together need all the axes."""
        parts = [self.loose(c) for c in children]
        full = plain_axes(children[0].dims)
        if all(p.axes != full for p in parts):
            k = next((k for k, p in enumerate(parts) if p.op != "number"), 0)
            parts[k] = self.expr(children[k])
        match node:
            case Power():
                return apply("general_power", *parts)
            case Where():
                return apply("where", *parts, data=(node.relation,))
        if parts[1].op != "number":  # their order says nothing: a reader's is that of the names
            parts.sort(key=lambda part: _names(part, 8))
        return apply(node.kind, *parts)

    def loose(self, node: Node) -> Expr:
        """Return an expression that broadcasts to the node's axes."""
        value = normal.constant(node)
        if value is not None:
            return number(value)
        own = list(normal.used_axes(node))
        if len(own) == node.rank:
            return self.expr(node)
        core, axes = normal.core(node)
        narrow = normal.contract(1, [(core, axes)], own)
        if node.rank == 2 and own == [0]:
            return column(self.expr(narrow))
        if own == list(range(node.rank - len(own), node.rank)):
            vector = self.expr(narrow)
            return along_the_last(vector) if node.rank == 2 else vector
        return self.expr(node)

    def inverted(self, node: Inverse | MatrixPower, labels: Labels) -> Operand:
        """The inverse (or a power) of a transpose is the transpose of the inverse: the shorter argument is written."""
        arg, turned = self.shorter_way_round(node.arg)
        own = (labels[1], labels[0]) if turned else labels
        return plain(function_of_matrix(node, arg), own, symmetric=len(normal.symmetries(node)) > 1)

    def shorter_way_round(self, matrix: Node) -> tuple[Expr, bool]:
        """Return a matrix or its transpose, whichever is shorter, and whether it is the transpose."""
        own: Labels = ("row", "column")
        operand = self.operand(matrix, own)
        forms = [(operand.at(own), False), (operand.at((own[1], own[0])), True)]
        return min(forms, key=lambda form: weight(form[0]))

    def matrix_function(self, node: Inverse | MatrixPower | Det | LogDet) -> Expr:
        half = node.arg.rank // 2
        if half == 1:
            return function_of_matrix(node, self.shorter_way_round(node.arg)[0])
        arg = self.expr(node.arg)
        axes = (tuple(node.arg.dims[:half]), tuple(node.arg.dims[half:]))
        whole = function_of_matrix(node, regrouped(arg, axes))
        return apply("reshape", whole, data=(node.dims,)) if node.rank else whole

    def along(self, node: LogSumExp | Prod) -> Expr:
        name = "logsumexp" if isinstance(node, LogSumExp) else "prod"
        if len(node.axes) == node.arg.rank:
            return apply(name, self.expr(node.arg))
        arg, axis, _ = self.along_one(node)
        return apply(name, arg, data=(axis,))

    def softmax(self, node: Softmax) -> Expr:
        """Return a softmax; one over all axes by its logarithm, one over several as over these as one."""
        if 1 < len(node.axes) == node.rank:
            whole = self.expr(node.arg)
            return apply("map", apply("sub", whole, apply("logsumexp", whole)), data=("exp", 0))
        arg, axis, order = self.along_one(node)
        soft = apply("softmax", arg, data=(axis,))
        if len(node.axes) == 1:
            return soft
        apart = apply("reshape", soft, data=(tuple(node.dims[k] for k in order),))
        return plain(apart, order, symmetric=False).at(tuple(range(node.rank)))

    def along_one(self, node: Along) -> tuple[Expr, int, tuple[int, ...]]:
        """Return the argument with the axes that a function runs over as one, that axis, the order of all of them."""
        axes, same = node.axes, tuple(range(node.arg.rank))
        if len(axes) == 1:
            return self.expr(node.arg), axes[0], same
        front = tuple(k for k in same if k < axes[0])
        back = tuple(k for k in same if k > axes[0] and k not in axes)
        order = (*front, *axes, *back)
        arg = self.expr(normal.transposed(node.arg, order))
        groups = [(k,) for k in front] + [axes] + [(k,) for k in back]
        joined = tuple(tuple(node.arg.dims[k] for k in group) for group in groups)
        return regrouped(arg, joined), len(front), order

    def product_except(self, node: ProdExcept) -> Expr:
        """Return the product of the other entries, so that a further derivative goes through it."""
        return apply("others", self.expr(node.arg), data=(node.axes, node.order))

    # -- sums

    def once(self, node: Node, labels: Labels, sign: Fraction | int) -> Operand:
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

    def sum(self, node: Add, labels: Labels, sign: Fraction | int) -> Operand:
        return self.once(node, labels, sign)

    def sum_at(self, node: Add, labels: Labels, order: Labels, sign: Fraction | int) -> Expr:
        """Return `±` a sum with its axes in an order: terms that only broadcast stay small."""
        forms = [self.sum_as_it_stands(node, labels, order, sign)]
        if len(order) == 2:
            forms.append(transposed(self.sum_as_it_stands(node, labels, (order[1], order[0]), sign)))
        plain = min(forms, key=weight)
        for form, complete in self.factored(node):
            short = self.operand(normal.scaled(Fraction(sign), form), labels).at(order)
            gain = Fraction(1) if complete or node.rank > 2 else WORTHWHILE
            wide = 2 if node.rank == 2 else 0  # outer(x, x) - diag(x) is not improved by a column outside of a bracket
            if weight(short) + wide * short.widened < gain * (weight(plain) + wide * plain.widened):
                forms.append(short)
        return min(forms, key=weight)

    def factored(self, node: Add) -> list[tuple[Node, bool]]:
        """Return the forms of a sum with a common factor taken out, found once for all signs and orders.

        Where there are very many sums below one another, only the most promising form of each.
        """
        known = self.forms.get(node)
        if known is None:
            found = factored(node, self.names)
            known = self.forms[node] = found if len(self.forms) < MANY_SUMS else found[:1]
        return known

    def sum_as_it_stands(self, node: Add, labels: Labels, order: Labels, sign: Fraction | int) -> Expr:
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
        own = normal.used_axes(term)
        if len(own) == term.rank:
            return self.scaled_at(coef, term, labels, order)
        core, axes = normal.core(term)
        kept = tuple(labels[a] for a in own)
        rest = tuple(x for x in order if x in kept)
        inner = self.scaled_at(coef, normal.contract(1, [(core, axes)], own), kept, rest)
        new = tuple(x not in kept for x in order)
        while new and new[0]:
            new = new[1:]
        if any(new) and inner.rank:
            return with_ones(inner, new)
        return along_the_last(inner) if len(order) == 2 and inner.rank == 1 else inner

    def scaled_at(self, coef: Fraction, node: Node, labels: Labels, order: Labels) -> Expr:
        """Return a term of a sum; it is read once for all orders."""
        read = self.terms.get((coef, node, labels))
        if read is None:
            read = self.terms[coef, node, labels] = self.operand(normal.scaled(coef, node), labels)
        return read.at(order)

    # -- products

    def contraction(self, node: Contraction, labels: Labels) -> Operand:
        """Read a product under a sum, or what is shorter: a norm, the sum of its terms."""
        root = squared(node)
        if root is not None:
            norm = raised(self.norm(root), Fraction(2))
            short = self.dotted(root)
            best = min((short, norm), key=weight) if short is not None else norm
            return Operand((), lambda order: best)
        half = root_of(node) if node.rank < 2 else None
        if half is not None and half.rank == node.rank + 1 == 2:
            own = (*labels, "square")
            rows = summed(self.operand(normal.power(half, 2), own), own[1:])
            plain_form = self.product(node, labels)
            return min((rows, plain_form), key=lambda form: weight(form.at(labels)))
        if half is not None and not node.rank:
            forms = (raised(self.norm(half), Fraction(2)), self.product(node, labels).at(labels))
            shorter = min(forms, key=weight)
            return Operand((), lambda order: shorter)
        spread = self.distributed(node) if not node.rank else None
        if spread is not None:
            whole = self.product(node, labels).at(labels)
            best = min((whole, spread), key=weight)
            return Operand((), lambda order: best)
        return self.product(node, labels)

    def distributed(self, node: Contraction) -> Expr | None:
        """Return a scalar that is a sum under a sum as the sum of its terms: `trace(A + B) = trace(A) + trace(B)`."""
        found = [(k, f, at) for k, (f, at) in enumerate(node.factors) if isinstance(f, Add) and at]
        if not found or len(found[0][1].terms) > MOST_TERMS:
            return None
        place, inner, at = found[0]
        rest = [g for k, g in enumerate(node.factors) if k != place]
        sizes = dict(enumerate(node.sizes))
        parts = [(c, normal.contract(node.coef, [(n, at), *rest], (), sizes)) for c, n in inner.terms]
        total = normal.add(parts, ())
        return self.sum_as_it_stands(total, (), (), 1) if isinstance(total, Add) else self.expr(total)

    def product(self, node: Contraction, labels: Labels) -> Operand:
        """Read a product: scalars aside, then join by join, then what is left."""
        names: dict[int, Label] = dict(enumerate(labels))
        names.update({b: ("bound", object()) for b in node.bound})
        sizes = {names[k]: size for k, size in enumerate(node.sizes)}
        coef, taken = taken_in(node)
        factors = [(f, at, taken.get(k)) for k, (f, at) in enumerate(node.factors)]
        scalars = sorted((g for g in factors if not g[1]), key=lambda g: reading_order(g[0]))
        arrays = [(f, tuple(names[s] for s in at), number_in) for f, at, number_in in factors if at]
        top = [self.multiple(f, (), number_in).at(()) for f, _, number_in in scalars if not _is_reciprocal(f)]
        low = [self.expr(normal.power(f, -1)) for f, _, _ in scalars if _is_reciprocal(f)]
        out = tuple(labels)
        if not arrays:
            value = assembled(coef, top, low, [])
            return Operand((), lambda order: value) if not out else self.spread_scalar(value, out, sizes)
        joined = self.joined(arrays, out)
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
            if value.op == "div":
                return apply("div", times(value.args[0], ones), value.args[1])
            return times(value, ones)

        return Operand(out, at)

    def multiple(self, node: Node, labels: Labels, number_in: Fraction | None) -> Operand:
        """Return a factor at indices, its sum multiplied by a number (whose power the coefficient gave up)."""
        if number_in is None or len(set(labels)) < len(labels):
            return self.repeated(node, labels)
        inner = node.arg if isinstance(node, Map) else node.base if isinstance(node, Pow) else node
        assert isinstance(inner, Add)
        total = self.sum(inner, labels, number_in)
        if isinstance(node, Map):
            return Operand(labels, lambda order: mapped(node, total.at(order)))
        if isinstance(node, Pow):
            return Operand(labels, lambda order: raised(total.at(order), node.exponent))
        return total

    def joined(self, arrays: list[tuple[Node, Labels, Fraction | None]], out: Labels) -> list[tuple[Operand, bool]]:
        """Join factors until only axes of the result are left; True marks a divisor."""
        work: list[tuple[Operand, bool]] = []
        for node, labels, number_in in arrays:
            if _is_reciprocal(node) and len(set(labels)) == len(labels):
                work.append((self.operand(normal.power(node, -1), labels), True))
            else:
                work.append((self.multiple(node, labels, number_in), False))
        plan = Plan([w.labels for w, _ in work], out)
        left = dict(enumerate(work))
        while (action := plan.next()) is not None:
            new = self.carried_out(action, [left.pop(k) for k in action.factors])
            left[plan.join(action, new[0].labels)] = new
        return list(left.values())

    def repeated(self, node: Node, labels: Labels) -> Operand:
        if len(set(labels)) == len(labels):
            return self.operand(node, labels)
        return Operand(labels, lambda order: self.expr(node))

    def carried_out(self, action: Action, chosen: list[tuple[Operand, bool]]) -> tuple[Operand, bool]:
        """Return what an action makes of its factors."""
        if action.kind == "entrywise":
            return entrywise(chosen)
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
        return new, False

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
        thin = [x for x in missing if sizes[x] == 1]
        if thin and len(out) > 2:
            rest = tuple(x for x in out if x not in thin)
            inner = self.finished(coef, top, low, work, rest, sizes)

            def at(order: Labels) -> Expr:
                return with_ones(inner.at(tuple(x for x in order if x in rest)), [x in thin for x in order])

            return Operand(out, at)
        if len(out) > 2 and not open_labels and any(len(w.labels) == len(out) for w, _ in work):
            return Operand(out, lambda order: self.broadcast_at(coef, top, low, work, order))
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
        if len(full) == 1 and not full[0][1] and full[0][0].at(order).op == "eye" and rows + columns != []:
            vector = vector_of([*rows, *columns], (rows or columns)[0][0].labels)
            return assembled(coef, top, low, [apply("diag", vector)])
        nums = [w.at(order) for w, inv in full if not inv]
        dens = [w.at(order) for w, inv in full if inv]
        nums += [along_the_last(w.at(w.labels)) for w, inv in columns if not inv]
        dens += [along_the_last(w.at(w.labels)) for w, inv in columns if inv]
        nums += [as_column(w) for w, inv in rows if not inv]
        dens += [as_column(w) for w, inv in rows if inv]
        return assembled(coef, top, low + dens, nums)

    def broadcast_at(
        self, coef: Fraction, top: list[Expr], low: list[Expr], work: list[tuple[Operand, bool]], order: Labels
    ) -> Expr:
        """Entrywise product of operands, one of them with all the axes, the others with axes of size 1 put in."""
        nums: list[Expr] = []
        dens = list(low)
        for w, inverted in sorted(work, key=lambda w: len(w[0].labels) < len(order)):
            value = w.at(tuple(x for x in order if x in w.labels))
            new = [x not in w.labels for x in order]
            while new[0]:
                new = new[1:]
            (dens if inverted else nums).append(with_ones(value, new) if any(new) else value)
        return assembled(coef, top, dens, nums)

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
        return assembled(coef, top, low, [outer(left, right)])

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
        over = tuple(present - set(out))
        if len(parts) == len(over) == 1 and len(present) == len(out) + 1:
            return with_scalars(coef, top, low, summed(parts[0], over), out)
        for x in out:
            if x not in present:
                parts.append(plain(apply("ones", data=((sizes[x],),)), (x,), symmetric=False))

        def at(order: Labels) -> Expr:
            if len(parts) == 1 and set(parts[0].labels) == set(order):
                return assembled(coef, top, low, [parts[0].at(order)])
            read = sorted(map(best_order, parts), key=lambda part: places_in(order, part[1]))
            letters = lettered((*order, *(x for _, labels in read for x in labels)))
            spec = ",".join("".join(letters[x] for x in labels) for _, labels in read)
            spec += "->" + "".join(letters[x] for x in order)
            return assembled(coef, top, low, [apply("einsum", *(e for e, _ in read), data=(spec,))])

        return Operand(out, at)


# ---------------------------------------------------------------- how nodes read


def function_of_matrix(node: Inverse | MatrixPower | Det | LogDet, matrix: Expr) -> Expr:
    """Return the function that a node is, of a matrix."""
    if isinstance(node, MatrixPower):
        return apply("matrix_power", matrix, data=(node.exponent,))
    return apply({Inverse: "inv", Det: "det", LogDet: "logdet"}[type(node)], matrix)


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


def places_in(order: Labels, labels: Labels) -> tuple[int, ...]:
    """Return which axes of a result a factor has: factors stand in the order of the axes, sums over others last."""
    return tuple(k for k, x in enumerate(order) if x in labels) or (len(order),)


def taken_in(node: Contraction) -> tuple[Fraction, dict[int, Fraction]]:
    """Return the coefficient of a product, and the numbers that some of its sums take in.

    A minus turns a difference round (`-(a - b)` is `b - a`), and so does the sign of one; a fraction goes
    where the normal form took it out of: `3/4 (2x - 1)²` is `3 (x - 1/2)²`.
    """
    coef, taken = node.coef, {}
    for k, (f, at) in enumerate(node.factors):
        if coef < 0 and len(set(at)) == len(at) and _reads_better_negated(f):
            coef, taken[k] = -coef, Fraction(-1)
    for k, (f, at) in enumerate(node.factors):
        base, exponent = (f.base, f.exponent) if isinstance(f, Pow) else (f, Fraction(1))
        if not isinstance(base, Add) or exponent.denominator != 1 or exponent < 1 or len(set(at)) < len(at):
            continue
        part = _natural(base)
        rest = coef / part ** int(exponent)
        if rest.denominator < coef.denominator:
            coef, taken[k] = rest, part * taken.get(k, 1)
    return coef, taken


def _natural(node: Add) -> Fraction:
    """Return the number that makes a sum `x + 1/2` again, which is kept as 2x + 1."""
    moving = [abs(c) for c, n in node.terms if normal.constant(n) is None]
    part = 1 / max(moving)
    return part if all(is_short_decimal(c * part) for c, _ in node.terms) else Fraction(1)


def _reads_better_negated(node: Node) -> bool:
    """Tell a difference, which can take a minus in, from a sum of positive terms; the sign of one as well."""
    if isinstance(node, Map) and node.function == "sign":
        return _reads_better_negated(node.arg)
    return isinstance(node, Add) and any(c < 0 for c, _ in node.terms)


def _is_reciprocal(node: Node) -> bool:
    return isinstance(node, Pow) and node.exponent < 0


def reading_order(node: Node) -> tuple[int, str, str]:
    """Order scalars for a reader: sizes, unknown functions, names, then the rest."""
    inner = node.base if isinstance(node, Pow) else node
    if isinstance(inner, SizeOf):
        return (0, str(inner.size), node.key)
    if isinstance(inner, Unknown):
        return (1, inner.name, node.key)
    if isinstance(inner, (Leaf, Defined)):
        return (2, inner.name, node.key)
    return (3, "", node.key)


def sorted_terms(terms: Sequence[tuple[Fraction, Node, Expr]]) -> list[tuple[Fraction, Node, Expr]]:
    """Order a sum for a reader: a positive constant, what is added (longest first), what is taken off."""

    def key(item: tuple[Fraction, Node, Expr]) -> tuple[bool, bool, int, int, tuple[str, ...], str]:
        expr = item[2]
        names = tuple(_names(expr, 8))
        return (is_negative(expr), expr.op != "number", expr.turned - expr.weight, expr.turned, names, expr.key)

    return sorted(terms, key=key)


def _names(expr: Expr, most: int) -> list[str]:
    """Return the first names in an expression, from left to right."""
    if expr.op in ("var", "defined"):
        return [expr.name]
    found: list[str] = []
    for a in expr.args:
        if len(found) < most:
            found += _names(a, most - len(found))
    return found
