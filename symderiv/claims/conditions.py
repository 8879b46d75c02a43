"""What a claim presupposes: every inverse, quotient, root and logarithm in it has to exist.

A condition that holds anyway is left out: a size is not 0, an exponential is positive, a positive definite matrix
has an inverse.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from symderiv.tensor.expr import Expr, walk
from symderiv.tensor.text import to_text

POSITIVE_FUNCTIONS = frozenset({"exp", "cosh", "sigmoid", "softplus"})
POSITIVE_TRAITS = frozenset({"positive", "open_unit"})
REGULAR_TRAITS = frozenset({"positive_definite", "orthogonal"})
RELATIONS = {"nonzero": "!= 0", "positive": "> 0", "nonnegative": ">= 0"}


@dataclass(frozen=True)
class Condition:
    """An array that must be invertible, or whose entries must be nonzero, positive or not negative."""

    kind: str
    expr: Expr
    other: Expr | None = None  # of a hypothesis: `expr == other`, `expr >= other`, its kind being the relation

    def __str__(self) -> str:
        if self.kind == "invertible":
            return f"{to_text(self.expr)} invertible"
        if self.other is not None:
            return f"{to_text(self.expr)} {self.kind} {to_text(self.other)}"
        return f"{to_text(self.expr)} {RELATIONS[self.kind]}" + (" entrywise" if self.expr.rank else "")


def conditions(*sides: Expr) -> tuple[Condition, ...]:
    r"""Return what the sides of a claim presuppose, in the order in which they name it.

    >>> from symderiv.statements.block import Names, read_block
    >>> *_, claim = read_block("M: (n, n)\nv: (n,)\ns: ()\nassert inv(M) @ v / s == v", Names())
    >>> [str(c) for c in conditions(*claim.exprs)]
    ['M invertible', 's != 0']
    """
    return tuple(dict.fromkeys(c for node in walk(*sides) for c in _of(node) if not _holds(c)))


def _of(node: Expr) -> Iterator[Condition]:
    args = node.args
    match node.op:
        case "inv" | "solve" | "logdet":
            yield Condition("invertible", args[0])
        case "matrix_power" if isinstance(node.data[0], int) and node.data[0] < 0:
            yield Condition("invertible", args[0])
        case "div":
            yield Condition("nonzero", args[1])
        case "power":
            exponent = node.data[0]
            if exponent.denominator % 2 == 0:
                yield Condition("positive" if exponent < 0 else "nonnegative", args[0])
            elif exponent < 0:
                yield Condition("nonzero", args[0])
        case "general_power":
            yield Condition("positive", args[0])
        case "sqrt":
            yield Condition("nonnegative", args[0])
        case "map" if node.data[0] == "log":
            yield Condition("positive", args[0])


def _holds(condition: Condition) -> bool:
    expr = condition.expr
    if condition.kind == "invertible":
        return expr.op == "eye" or (expr.op == "var" and bool(REGULAR_TRAITS & expr.data[1]))
    return _positive(expr) or (condition.kind == "nonnegative" and _positive(expr, strictly=False))


def _positive(expr: Expr, strictly: bool = True) -> bool:
    """Tell whether every entry is known to be positive, or at least not negative."""
    args = expr.args
    match expr.op:
        case "number":
            return bool(expr.data[0] > 0)
        case "size" | "ones" | "softmax":
            return True
        case "var":
            return bool(POSITIVE_TRAITS & expr.data[1])
        case "map":
            return expr.data[0] in POSITIVE_FUNCTIONS or (not strictly and expr.data[0] in ("abs", "relu"))
        case "norm":
            return not strictly
        case "add":
            weak = all(_positive(a, strictly=False) for a in args)
            return weak and (not strictly or any(_positive(a) for a in args))
        case "mul" | "div" | "outer" | "matmul" | "inner" | "prod" | "maximum" | "minimum":
            return all(_positive(a, strictly) for a in args)
        case "sum" | "mean" | "sum_over" | "defined" | "called" | "entry" | "transpose" | "sqrt":
            return _positive(args[0], strictly)
        case "sub":
            return args[0].op == "number" and args[0].data[0] >= 1 and _below_one(args[1])
        case "power":
            even = not strictly and expr.data[0].denominator == 1 and expr.data[0] % 2 == 0
            return even or _positive(args[0], strictly)
    return False


def _below_one(expr: Expr) -> bool:
    """Tell whether every entry is known to be less than 1."""
    if expr.op in ("defined", "called", "entry", "transpose"):
        return _below_one(expr.args[0])
    if expr.op == "var":
        return "open_unit" in expr.data[1]
    return expr.op == "map" and expr.data[0] in ("sigmoid", "tanh")
