"""Index expressions to the normal form: two expressions are equal where they give the same node."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from functools import reduce
from operator import mul
from typing import Any

import sympy

from symderiv.errors import UnsupportedError
from symderiv.index import normal
from symderiv.index.graph import Node
from symderiv.index.indexed import At, total
from symderiv.index.nodes import (
    Apply,
    Choice,
    Definition,
    Delta,
    Derivative,
    Entry,
    Extreme,
    Index,
    Plus,
    Power,
    Sum,
    Tensor,
    Times,
)

Given = Callable[[Tensor], "Node | None"]


class Reader:
    """Reads index expressions; `given` tells the node of a head, `definitions` what others stand for."""

    def __init__(
        self,
        given: Given,
        definitions: Mapping[str, Definition],
        derivatives: Callable[[Derivative], At | None] = lambda _: None,
    ) -> None:
        self.given = given
        self.definitions = definitions
        self.derivatives = derivatives

    def node(self, expr: Any, order: Sequence[Index]) -> Node:
        """Return the normal form of an expression as a function of the indices `order`."""
        value = self.at(expr)
        return value.over(tuple(order), {i: i.size for i in order})

    def head(self, tensor: Tensor) -> Node:
        """Return the node of a head."""
        known = self.given(tensor)
        if known is not None:
            return known
        definition = self.definitions.get(tensor.name)
        if definition is None:
            raise UnsupportedError(f"nothing is known of {tensor.name}")
        if definition.kind:
            return self.whole(definition)
        return self.node(definition.body, definition.indices)

    def whole(self, definition: Definition) -> Node:
        """Return the node of a function of a whole array."""
        if definition.kind == "unknown":
            args = [self.head(a) for a in definition.arguments]
            own = len(definition.tensor.sizes) - sum(args[s].rank for s in definition.axes)
            return normal.unknown(definition.function, args, definition.tensor.sizes[:own], definition.axes)
        if definition.kind == "derivative":
            raise UnsupportedError(f"{definition.tensor} is not written out")
        (arg,) = (self.head(a) for a in definition.arguments)
        match definition.kind:
            case "inv":
                return normal.inverse(arg)
            case "matrix_power" if definition.exponent is not None:
                return normal.matrix_power(arg, definition.exponent)
            case "det":
                return normal.determinant(arg)
            case "logdet":
                return normal.log_determinant(arg)
            case "softmax":
                return normal.softmax(arg, definition.axes)
            case "logsumexp":
                return normal.log_sum_exp(arg, definition.axes)
            case "prod":
                return normal.product(arg, definition.axes)
            case "prodexcept":
                copies = len(definition.tensor.sizes) - arg.rank
                return normal.product_except(arg, definition.axes, 1 + copies // len(definition.axes))
        raise UnsupportedError(f"nothing is known of {definition.kind}")

    def at(self, expr: Any) -> At:
        """Return the normal form of an expression at its free indices."""
        match expr:
            case Entry():
                return At(self.head(expr.tensor), expr.indices)
            case Delta():
                i, j = expr.args
                return At(normal.delta(i.size), (i, j))
            case Times():
                return reduce(mul, [self.at(a) for a in expr.args])
            case Plus():
                return total([(1, self.at(a)) for a in expr.args])
            case Sum():
                return self.sum(expr)
            case Power():
                return self.power(expr)
            case Apply():
                inner = self.at(expr.arg)
                return At(normal.entrywise(expr.name, inner.node, expr.order), inner.labels)
            case Choice() | Extreme():
                return self.several(expr)
            case Derivative():
                known = self.derivatives(expr)
                if known is not None:
                    return known
                raise UnsupportedError("a derivative that was not carried out")
            case sympy.Rational():
                return At(normal.number(Fraction(int(expr.p), int(expr.q))), ())
            case sympy.Basic() if expr.free_symbols:
                return At(normal.size_of(expr), ())
        raise UnsupportedError(f"{expr} is not part of the index language")

    def sum(self, expr: Sum) -> At:
        sizes = {b: b.size for b in expr.bound}
        return self.at(expr.body).summed(sizes, sizes)

    def power(self, expr: Power) -> At:
        base = self.at(expr.base)
        if isinstance(expr.exponent, sympy.Rational):
            exponent = Fraction(int(expr.exponent.p), int(expr.exponent.q))
            return At(normal.power(base.node, exponent), base.labels)
        left, right, labels = base.both(self.at(expr.exponent))
        return At(normal.general_power(left, right), labels)

    def several(self, expr: Choice | Extreme) -> At:
        parts = [self.at(p) for p in expr.parts]
        labels = tuple(dict.fromkeys(x for p in parts for x in p.labels))
        sizes = {x: d for p in parts for x, d in zip(p.labels, p.node.dims, strict=True)}
        nodes = [p.over(labels, sizes) for p in parts]
        if isinstance(expr, Extreme):
            return At(normal.extremum(expr.kind, nodes[0], nodes[1]), labels)
        return At(normal.where(expr.relation, *nodes), labels)
