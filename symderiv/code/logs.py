"""Logarithms of sums and products of exponentials, taken without forming them.

`log(1 + exp u) = softplus u`; `log(exp p + exp q) = logaddexp(p, q)`, and so on for more terms;
`log Σ_j exp(u[j]) = logsumexp u`; `log σ(u) = −softplus(−u)`; the log of a softmax is `u − logsumexp u`;
the log of a product or of a power is taken apart.

Where terms r exp(e) have factors r of either sign, `D = exp(m) D′` with m the largest exponent and
`D′ = Σ r exp(e − m)`, so that `log D = m + log D′`.

Every line is an identity wherever its left side is defined (a sum of exponentials is positive); only the
floating-point numbers differ.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from functools import reduce

from symderiv.code.parts import Part, Parts, Stand, at_labels
from symderiv.index import normal
from symderiv.index.graph import Add, Contraction, Det, Map, Node, Pow, Power, Softmax

HOT = frozenset({"exp", "cosh", "sinh", "sigmoid"})
ONE = Fraction(1)


def hot(node: Node) -> bool:
    """Tell whether exponentials stand in a product, a sum or a power."""
    match node:
        case Map():
            return node.function in HOT and not node.order
        case Softmax():
            return True
        case Pow() | Power():
            return hot(node.base)
        case Contraction() | Add():
            return any(hot(c) for c in node.children())
    return False


def zero_like(node: Node) -> Node:
    """Return the array of zeros of the node's axes."""
    return normal.number(0, node.dims)


def exponent(node: Node) -> tuple[Fraction, Node] | None:
    """Return (c, e) with `node = c exp(e)`, c a positive number; None where it is nothing of the kind."""
    value = normal.constant(node)
    if value is not None:
        return (value, zero_like(node)) if value > 0 else None
    match node:
        case Map(function="exp"):
            return ONE, node.arg
        case Pow():
            inner = exponent(node.base)
            if inner is None or (inner[0] != 1 and node.exponent.denominator != 1):
                return None
            return Fraction(inner[0] ** node.exponent), normal.scaled(node.exponent, inner[1])
        case Contraction() if not node.bound and node.coef > 0:
            found = [(exponent(f), labels) for f, labels in node.factors]
            coef, terms = node.coef, []
            for inner, labels in found:
                if inner is None:
                    return None
                coef *= inner[0]
                terms.append((1, normal.rewrapped(inner[1], labels, node.dims)))
            return coef, normal.add(terms, node.dims)
    return None


def summed_exponent(node: Node) -> tuple[Fraction, Node] | None:
    """Return (c, u) with `node[i] = c Σ_j exp(u[i, j])`, the axes of u those of the node, then the bound ones."""
    if not isinstance(node, Contraction) or not node.bound or node.coef <= 0:
        return None
    labels = tuple(range(len(node.sizes)))
    inner = exponent(Contraction(node.sizes, ONE, node.factors, node.sizes))
    if inner is None or not set(labels) <= {k for _, at in node.factors for k in at}:
        return None
    return node.coef * inner[0], inner[1]


class Logs:
    """The rewritings; `stand` keeps what the normal form has no node for."""

    def __init__(self, stand: Stand) -> None:
        self.stand = stand
        self.settled: set[Node] = set()  # sums whose largest term is 1 already

    def log(self, node: Node) -> Node | None:
        """Return the log of a product, exponentials and determinants taken out of it; None where there are none."""
        parts = Parts.of(node)
        if parts.bound:
            return self.log_sum(node) if hot(node) else None
        logs: list[tuple[Fraction, Node]] = []
        dets = [p for p in parts.list if isinstance(p.base, Det) and p.exponent.denominator == 1]
        for p in list(parts.list):
            inner = None
            if hot(p.base) and normal.positive(p.base):
                inner = self.log_factor(p.base)
            elif hot(p.base):
                found = self.shifted(p.base)
                if found is not None:
                    logs.append((p.exponent, normal.rewrapped(found[0], p.labels, node.dims)))
                    p.base = found[1]
            elif dets == [p]:
                inner = self.log_det(p, parts)
            if inner is not None:
                parts.remove([p])
                logs.append((p.exponent, normal.rewrapped(inner, p.labels, node.dims)))
        if not logs:
            return self.log_abs_det(node)
        return normal.add([*logs, (1, normal.entrywise("log", parts.node()))], node.dims)

    def log_factor(self, node: Node) -> Node | None:
        """Return the log of what is positive and neither a product nor a power."""
        match node:
            case Map(function="sigmoid"):
                return normal.scaled(-ONE, normal.entrywise("softplus", normal.scaled(-ONE, node.arg)))
            case Map(function="exp"):
                return node.arg
            case Softmax():
                return self.log_softmax(node)
        return self.log_sum(node)

    def log_det(self, part: Part, parts: Parts) -> Node | None:
        """`log (c det(A)^k)` for a positive c; the sign of the determinant counts where k is odd."""
        rest = [p for p in parts.list if p is not part]
        if parts.coef < 0 or not all(normal.positive(normal.power(p.base, p.exponent)) for p in rest):
            return None
        if part.exponent % 2:
            return self.stand.of("log_det", (part.base.arg,), ())
        return normal.log_determinant(part.base.arg)

    def log_abs_det(self, node: Node) -> Node | None:
        """`log |det(A)|`."""
        if isinstance(node, Map) and node.function == "abs" and isinstance(node.arg, Det):
            return normal.log_determinant(node.arg.arg)
        return None

    def plus(self, node: Node, coef: Fraction) -> Node:
        """Return `node + log(coef)`."""
        extra = normal.entrywise("log", normal.number(coef))
        return normal.add([(1, node), (1, normal.rewrapped(extra, (), node.dims))], node.dims)

    def log_softmax(self, node: Softmax) -> Node | None:
        if len(node.axes) not in (1, node.rank):
            return None
        rest = [k for k in range(node.rank) if k not in node.axes]
        total = normal.log_sum_exp(node.arg, node.axes)
        return normal.add([(1, node.arg), (-1, normal.rewrapped(total, tuple(rest), node.dims))], node.dims)

    def log_sum(self, node: Node) -> Node | None:
        """Return the log of a sum."""
        terms = self.terms(node)
        if terms is not None:
            return self.log_of_terms(terms)
        found = self.shifted(node)
        if found is None:
            return None
        largest, rest = found
        return normal.add([(1, largest), (1, normal.entrywise("log", rest))], node.dims)

    def terms(self, node: Node) -> list[tuple[Fraction, Node]] | None:
        """Return (c, e) for each term of a sum Σ c exp(e) with positive c; None where it is no such sum."""
        match node:
            case Map(function="cosh"):
                half = Fraction(1, 2)
                return [(half, node.arg), (half, normal.scaled(-ONE, node.arg))]
            case Add():
                found: list[tuple[Fraction, Node]] = []
                for c, t in node.terms:
                    pure = exponent(t)
                    inner = [pure] if pure is not None else self.terms(t)
                    if inner is None or c < 0:
                        return None
                    found += [(c * k, e) for k, e in inner]
                return found
            case Contraction() if not node.bound and len(node.factors) == 1 and node.coef > 0:
                f, labels = node.factors[0]
                inside = self.terms(f)
                if inside is None:
                    return None
                return [(node.coef * k, normal.rewrapped(e, labels, node.dims)) for k, e in inside]
        total = summed_exponent(node)
        if total is None:
            return None
        return [(total[0], self.log_sum_exp(total[1], node.rank))]

    def log_sum_exp(self, u: Node, kept: int) -> Node:
        """Return the log of the sum of exp(u) over all axes from `kept` on."""
        axes = list(range(kept, u.rank))
        if kept == 0:
            return normal.log_sum_exp(u, axes)
        return reduce(lambda value, axis: normal.log_sum_exp(value, [axis]), reversed(axes), u)

    def log_of_terms(self, terms: Sequence[tuple[Fraction, Node]]) -> Node:
        common = terms[0][0]
        if common != 1 and all(c == common for c, _ in terms):
            return self.plus(self.log_of_terms([(ONE, e) for _, e in terms]), common)
        ones = [(c, e) for c, e in terms if normal.is_zero(e)]
        logs = [self.plus(e, c) for c, e in terms if not normal.is_zero(e)]
        logs.sort(key=lambda n: (getattr(normal.core(n)[0], "name", ""), n.key))
        if not logs:
            return self.plus(terms[0][1], sum((c for c, _ in ones), Fraction(0)))
        total = reduce(lambda a, b: self.stand.of("logaddexp", (a, b), a.dims), logs)
        for c, e in ones:
            if c == 1:
                total = normal.entrywise("softplus", total)
            else:
                total = self.stand.of("logaddexp", (total, self.plus(e, c)), e.dims)
        return total

    def shifted(self, node: Node) -> tuple[Node, Node] | None:
        """Return (m, D′) with `node = exp(m) D′`, m the largest exponent; None where there is none."""
        if node in self.settled:
            return None
        found = self.difference(node)
        if found is None:
            pieces = [(c, *self.split(t)) for c, t in (node.terms if isinstance(node, Add) else ((ONE, node),))]
            if all(parts.exponent() is None for _, parts, _ in pieces):
                return None
            tops = list(dict.fromkeys(top for *_, top in pieces))
            largest = reduce(lambda a, b: normal.extremum("maximum", a, b), tops)
            found = largest, normal.add([(c, parts.without(largest)) for c, parts, _ in pieces], node.dims)
        self.settled.update(found[1:], found[1].children())
        return None if normal.constant(found[1]) is not None else found

    def difference(self, node: Node) -> tuple[Node, Node] | None:
        """`exp p − exp q = −exp(max(p, q)) sign(p − q) expm1(−|p − q|)`: no digits are lost where p is near q."""
        if not isinstance(node, Add) or len(node.terms) != 2:
            return None
        (c, first), (d, second) = node.terms
        p, q = exponent(first), exponent(second)
        if p is None or q is None or c * p[0] + d * q[0] != 0:
            return None
        gap = normal.add([(1, p[1]), (-1, q[1])], node.dims)
        largest = normal.extremum("maximum", p[1], q[1])
        if normal.positive(gap) or normal.positive(normal.scaled(-ONE, gap)):
            largest = p[1] if normal.positive(gap) else q[1]
        small = normal.entrywise("expm1", normal.scaled(-ONE, normal.entrywise("abs", gap)))
        factors = [(normal.entrywise("sign", gap), range(node.rank)), (small, range(node.rank))]
        return largest, normal.contract(-c * p[0], factors, range(node.rank), dict(enumerate(node.dims)))

    def split(self, term: Node) -> tuple[Parts, Node]:
        """Return the factors of a term, and the largest exponent over what it sums over."""
        parts = Parts.of(term)
        parts.merge()
        found = parts.exponent()
        if found is None:
            return parts, normal.number(0, term.dims)
        e, labels = found
        kept = [k for k in dict.fromkeys(labels) if k < term.rank]
        over = [k for k in dict.fromkeys(labels) if k >= term.rank]
        whole = at_labels(e, labels, (*kept, *over), parts.sizes)
        if over:
            axes = tuple(range(len(kept), len(kept) + len(over)))
            whole = self.stand.of("largest", (whole,), tuple(parts.sizes[k] for k in kept), (axes,))
        return parts, normal.rewrapped(whole, tuple(kept), term.dims)


def powers_of_sums(node: Node, logs: Logs) -> Node:
    """`D ** e = exp(e log D)` for an array e."""
    if isinstance(node, Power) and hot(node.base) and normal.positive(node.base):
        inner = logs.log(node.base)
        if inner is not None:
            axes = tuple(range(node.rank))
            sizes = dict(enumerate(node.dims))
            return normal.entrywise("exp", normal.contract(1, [(inner, axes), (node.exponent, axes)], axes, sizes))
    return node
