"""Names for what a claim differentiates without one, so that every derivative is that of a name."""

from __future__ import annotations

from collections.abc import Mapping

from symderiv.claims.placed import function_names
from symderiv.errors import UnsupportedError
from symderiv.index.nodes import Names
from symderiv.lift import lift
from symderiv.lower import lower
from symderiv.statements.meaning import meaning
from symderiv.tensor.expr import Axis, Expr, defined, walk
from symderiv.tensor.text import to_text

LEAVES = ("var", "defined")


def array_of(expr: Expr) -> Expr:
    """Return the array that an expression is an entry of, or the expression itself."""
    return expr.args[0] if expr.op == "entry" else expr


class Naming:
    """Gives a name to what is differentiated without one; immediate derivatives become arrays that say nothing."""

    def __init__(self, names: Names, ranges: Mapping[str, Axis]) -> None:
        self.names = names
        self.ranges = ranges
        self.free = (n for n in function_names() if n not in names.taken)
        self.functions: dict[Expr, tuple[Expr, tuple[str, ...]]] = {}
        self.expressions: dict[str, Expr] = {}

    def named(self, expr: Expr) -> Expr:
        """Return an expression whose derivatives are those of names in names."""
        new: dict[Expr, Expr] = {}
        for node in walk(expr):
            args = tuple(new[a] for a in node.args)
            rebuilt = node.with_args(args)
            new[node] = self.derivative(rebuilt) if node.op == "diff" else rebuilt
        return new[expr]

    def derivative(self, expr: Expr) -> Expr:
        f, *variables = expr.args
        if expr.data != ("total",):
            return self.immediate(expr)
        array = array_of(f)
        if array.op == "defined":
            return expr
        if array.op == "called" or f.op == "entry":
            whole, names = self.function(array)
            f = Expr("entry", (whole,), (*f.data, *names), f.axes) if f.op == "entry" else whole
        else:
            whole, names = self.function(f)
            subscripts = (*([None] * f.rank), *names)
            f = Expr("entry", (whole,), subscripts, f.axes) if names else whole
        return Expr("diff", (f, *variables), expr.data, expr.axes)

    def function(self, f: Expr) -> tuple[Expr, tuple[str, ...]]:
        """Return what is differentiated as a definition, and the free indices that are axes of it."""
        if f not in self.functions:
            if f.op == "called":
                name = f.name if f.name not in {w.name for w, _ in self.functions.values()} else next(self.free)
                self.functions[f] = defined(name, f.args[0]), ()
            elif any(e.op in ("entry", "delta", "sum_over") for e in walk(f)):
                array = lower(f, meaning(self.ranges), self.ranges)
                self.functions[f] = defined(next(self.free), lift(array.node)), array.free
            else:
                self.functions[f] = defined(next(self.free), f), ()
        return self.functions[f]

    def immediate(self, expr: Expr) -> Expr:
        """Return an immediate derivative as an entry of an array of its name."""
        arrays = [array_of(a) for a in expr.args]
        if any(a.op not in LEAVES for a in arrays):
            raise UnsupportedError("an immediate derivative of what has no name")
        whole = Expr("diff", tuple(arrays), expr.data, tuple(axis for a in arrays for axis in a.axes))
        name = to_text(whole)
        self.expressions[name] = whole
        array = Expr("var", (), (name, frozenset()), whole.axes)
        subscripts = [n for a in expr.args for n in (a.data if a.op == "entry" else (None,) * a.rank)]
        return array if not any(subscripts) else Expr("entry", (array,), tuple(subscripts), expr.axes)
