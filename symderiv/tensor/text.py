"""Text out: an expression as NumPy-like text that parses back to the same value.

One table of precedences; brackets stand only where the value, or the cost, would change without them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction

from symderiv import dims
from symderiv.errors import UnsupportedError
from symderiv.tensor.expr import Expr
from symderiv.tensor.others import spelled_out

SUM, PRODUCT, SIGN, POWER, ATOM = range(5)
PRECEDENCE = {
    "add": SUM, "sub": SUM, "mul": PRODUCT, "div": PRODUCT, "matmul": PRODUCT, "neg": SIGN, "power": POWER,
    "general_power": POWER,
}  # fmt: skip
SYMBOL = {"add": "+", "sub": "-", "mul": "*", "div": "/", "matmul": "@"}

FunctionName = tuple[str, int]


def to_text(expr: Expr, functions: Mapping[FunctionName, str] | None = None) -> str:
    """Return the text of an expression; `functions` names unknown functions and their derivatives.

    >>> from symderiv.tensor.parse import Scope, parse, variable
    >>> scope = Scope({"X": variable("X", ("n", "p")), "w": variable("w", ("p",))})
    >>> to_text(parse("2*(X.T@(X@w))", scope))
    '2 * X.T @ (X @ w)'
    """
    return Printer(functions or {}).text(expr)


def decimal(value: Fraction) -> str:
    """Return a number as it is typed: 3, 0.5, or a quotient where no short decimal is exact."""
    if value.denominator == 1:
        return str(value.numerator)
    digits = Fraction(10) ** 12
    if (value * digits).denominator == 1:
        text = f"{float(value)!r}"
        if Fraction(text) == value:
            return text
    return f"{value.numerator} / {value.denominator}"


class Printer:
    """Writes one expression; subclasses write other dialects by overriding `call` and its like."""

    def __init__(self, functions: Mapping[FunctionName, str]) -> None:
        self.functions = functions

    def text(self, expr: Expr) -> str:
        """Return the text of an expression."""
        try:
            return self.written(expr)[0]
        except RecursionError:
            raise UnsupportedError(
                "the expression is nested too deeply for one line of text", hint="statements() writes definitions first"
            ) from None

    def written(self, expr: Expr) -> tuple[str, int]:
        """Return the text and its precedence."""
        special = getattr(self, f"write_{expr.op}", None)
        if special is not None:
            result: tuple[str, int] = special(expr)
            return result
        if expr.op in SYMBOL:
            return self.infix(expr)
        return self.call(expr.op, *(self.text(a) for a in expr.args)), ATOM

    def call(self, name: str, *args: str) -> str:
        return f"{name}({', '.join(args)})"

    def bracketed(self, expr: Expr, least: int) -> str:
        """Return the text, in brackets where it binds weaker than `least`."""
        text, precedence = self.written(expr)
        return text if precedence >= least else f"({text})"

    def infix(self, expr: Expr) -> tuple[str, int]:
        own = PRECEDENCE[expr.op]
        a, b = expr.args
        (left, tight), (right, tight_right) = self.written(a), self.written(b)  # each once: texts nest deeply
        shown = expr.op == "matmul" and _is_scaled(a) and tight < ATOM
        if tight < own or shown:
            left = f"({left})"
        if tight_right < own + 1 and not self.joins(expr, b):
            right = f"({right})"
        return f"{left} {SYMBOL[expr.op]} {right}", own

    def joins(self, expr: Expr, right: Expr) -> bool:
        """Tell whether a product on the right needs no brackets: `2 * A @ x`."""
        if expr.op == "add" and right.op in ("add", "sub"):
            return True
        if expr.op == "mul" and expr.args[0].rank and self._shows_matmul(right):
            return False
        if expr.op == "mul" and right.op in ("mul", "div") and not _begins_with_matmul(right):
            return right.op == "mul" or right.args[0].op != "number"
        return expr.op == "mul" and expr.args[0].rank == 0 and self._scalable(right)

    def _shows_matmul(self, expr: Expr) -> bool:
        """Tell whether an `@` stands in the text outside of brackets: an array in front of it would be taken in."""
        if expr.op == "neg":
            return self._shows_matmul(expr.args[0])
        if expr.op not in ("mul", "div"):
            return expr.op == "matmul"
        a, b = expr.args
        return self._shows_matmul(a) or (self.joins(expr, b) and self._shows_matmul(b))

    def _scalable(self, right: Expr) -> bool:
        while right.op in ("mul", "div"):
            right = right.args[0]
        return right.op == "matmul" and right.args[0].rank > 0

    # -- leaves

    def write_var(self, expr: Expr) -> tuple[str, int]:
        return expr.name, ATOM

    write_defined = write_var

    def write_number(self, expr: Expr) -> tuple[str, int]:
        value = expr.data[0]
        text = decimal(value)
        if "/" in text:
            return text, PRODUCT
        return text, SIGN if value < 0 else ATOM

    def write_size(self, expr: Expr) -> tuple[str, int]:
        value = expr.data[0]
        if value.is_Add:
            return str(value), SUM
        if value.is_Mul:
            return str(value), PRODUCT
        return str(value), POWER if value.is_Pow else ATOM

    # -- operators

    def write_neg(self, expr: Expr) -> tuple[str, int]:
        (inner,) = expr.args
        if PRECEDENCE.get(inner.op) == PRODUCT and self._leads_well(inner):
            return "-" + self.text(inner), PRODUCT
        return "-" + self.bracketed(inner, SIGN), SIGN

    def _leads_well(self, expr: Expr) -> bool:
        while expr.op in ("mul", "div", "matmul"):
            expr = expr.args[0]
        return PRECEDENCE.get(expr.op, ATOM) >= POWER and not (expr.op == "number" and expr.data[0] < 0)

    def write_power(self, expr: Expr) -> tuple[str, int]:
        value = expr.data[0]
        text = decimal(value)
        if "/" in text:
            text = f"({text})"
        return f"{self.bracketed(expr.args[0], ATOM)}**{text}", POWER

    def write_general_power(self, expr: Expr) -> tuple[str, int]:
        return f"{self.bracketed(expr.args[0], ATOM)}**{self.bracketed(expr.args[1], POWER)}", POWER

    # -- functions with data

    def write_map(self, expr: Expr) -> tuple[str, int]:
        return self.call(self.function(expr.data), self.text(expr.args[0])), ATOM

    def function(self, data: tuple[str, int]) -> str:
        name, order = data
        if (name, order) in self.functions:
            return self.functions[(name, order)]
        if order == 0:
            return name
        return f"diff({name})" if order == 1 else f"diff({name}, {order})"

    def write_transpose(self, expr: Expr) -> tuple[str, int]:
        if not expr.data:
            return f"{self.bracketed(expr.args[0], ATOM)}.T", ATOM
        return self.call("transpose", self.text(expr.args[0]), tuple_text(expr.data[0])), ATOM

    def write_newaxis(self, expr: Expr) -> tuple[str, int]:
        parts = ", ".join("None" if new else ":" for new in expr.data[0])
        return f"{self.bracketed(expr.args[0], ATOM)}[{parts}]", ATOM

    def with_data(self, expr: Expr) -> tuple[str, int]:
        return self.call(expr.op, self.text(expr.args[0]), *map(str, expr.data)), ATOM

    write_sum = write_mean = write_prod = write_logsumexp = write_softmax = write_matrix_power = with_data

    def write_einsum(self, expr: Expr) -> tuple[str, int]:
        return self.call("einsum", repr(expr.data[0]), *(self.text(a) for a in expr.args)), ATOM

    def write_where(self, expr: Expr) -> tuple[str, int]:
        left, right, yes, no = expr.args
        test = f"{self.bracketed(left, SUM)} {expr.data[0]} {self.bracketed(right, SUM)}"
        return self.call("where", test, self.text(yes), self.text(no)), ATOM

    def write_reshape(self, expr: Expr) -> tuple[str, int]:
        return self.call("reshape", self.text(expr.args[0]), self.shape(expr.data[0])), ATOM

    def shape(self, shape: dims.Shape) -> str:
        return tuple_text(tuple(str(s) for s in shape))

    def write_eye(self, expr: Expr) -> tuple[str, int]:
        return self.call("eye", str(expr.data[0])), ATOM

    def filled(self, expr: Expr) -> tuple[str, int]:
        return self.call(expr.op, *map(str, expr.data[0])), ATOM

    write_ones = write_zeros = filled

    def write_others(self, expr: Expr) -> tuple[str, int]:
        return self.written(spelled_out(expr))

    # -- index notation and statements

    def write_entry(self, expr: Expr) -> tuple[str, int]:
        parts = ", ".join(":" if name is None else name for name in expr.data)
        return f"{self.bracketed(expr.args[0], ATOM)}[{parts}]", ATOM

    def write_delta(self, expr: Expr) -> tuple[str, int]:
        return f"delta[{', '.join(expr.data)}]", ATOM

    def write_sum_over(self, expr: Expr) -> tuple[str, int]:
        return f"sum[{', '.join(expr.data)}]({self.text(expr.args[0])})", ATOM

    def over_range(self, expr: Expr) -> tuple[str, int]:
        """`sum(x[s] for s in range(1, t + 1))`; an ordered product may run backward."""
        variable, low, high, backward = expr.data
        start, stop, step = (high, low - 1, ", -1") if backward else (low, high + 1, "")
        over = f"for {variable} in range({start}, {stop}{step})"
        return self.call(expr.op.removeprefix("range_"), f"{self.text(expr.args[0])} {over}"), ATOM

    write_range_sum = write_range_prod = over_range

    def write_diff(self, expr: Expr) -> tuple[str, int]:
        name = "partial" if expr.data[0] == "immediate" else "diff"
        held = expr.data[1:]
        more = [f"holding={held[0] if len(held) == 1 else tuple_text(held)}"] if held else []
        return self.call(name, *(self.text(a) for a in expr.args), *more), ATOM

    def write_directional(self, expr: Expr) -> tuple[str, int]:
        f, *parts = (self.text(a) for a in expr.args)
        pairs = ", ".join(f"{w}: {v}" for w, v in zip(parts[::2], parts[1::2], strict=True))
        return self.call("directional", f, f"{{{pairs}}}"), ATOM

    def write_block(self, expr: Expr) -> tuple[str, int]:
        (columns,) = expr.data
        texts = [self.text(a) for a in expr.args]
        rows = [f"[{', '.join(texts[k : k + columns])}]" for k in range(0, len(texts), columns)]
        return self.call("block", f"[{', '.join(rows)}]"), ATOM

    def write_remainder(self, expr: Expr) -> tuple[str, int]:
        (order,) = expr.data
        return self.call("O", self.text(expr.args[0]) + (f"**{order}" if order > 1 else "")), ATOM

    def write_called(self, expr: Expr) -> tuple[str, int]:
        return self.call(expr.name, *(self.text(a) for a in expr.args[1:])), ATOM

    def write_unknown(self, expr: Expr) -> tuple[str, int]:
        applied = self.call(expr.name, *(self.text(a) for a in expr.args))
        slots = expr.data[1] if len(expr.data) > 1 else ()
        if slots:
            applied = self.call("diff", applied, *(self.text(expr.args[s]) for s in slots))
        return applied, ATOM


def _is_scaled(expr: Expr) -> bool:
    """Tell an entrywise product of arrays, divided or not: in front of an `@` its brackets help the reader."""
    return _array_factors(expr) > 1


def _array_factors(expr: Expr) -> int:
    """Count the arrays among the factors of a product, however it is bracketed: reading it back may regroup them."""
    if expr.op == "mul":
        return sum(map(_array_factors, expr.args))
    if expr.op in ("neg", "div"):
        return _array_factors(expr.args[0])
    return int(expr.rank > 0)


def _begins_with_matmul(expr: Expr) -> bool:
    """Tell whether the first operation read in a product is `@`: it would take in what stands before it."""
    while expr.op in ("mul", "div", "neg"):
        expr = expr.args[0]
    return expr.op == "matmul"


def tuple_text(parts: tuple[object, ...]) -> str:
    """Return a tuple as it is typed."""
    inner = ", ".join(map(str, parts))
    return f"({inner},)" if len(parts) == 1 else f"({inner})"


Writer = Callable[[Expr], str]
