"""Expressions in NumPy's words: the text of each operation, in the form that is stable and fast.

Numerically delicate functions are written in their stable form (softmax with its maximum taken off, the logistic
function by `logaddexp`).
"""

from __future__ import annotations

import keyword
from collections.abc import Collection, Mapping, Sequence
from fractions import Fraction

from symderiv import dims
from symderiv.code.helpers import HELPERS
from symderiv.code.source import Argument
from symderiv.errors import UnsupportedError
from symderiv.functions import FUNCTIONS
from symderiv.tensor.expr import Expr, walk
from symderiv.tensor.text import ATOM, POWER, PRODUCT, SIGN, SUM, FunctionName, Printer, tuple_text

COMPARISON = SUM - 1  # binds less than any operator
CALLS = {
    "trace": "trace", "inner": "inner", "kron": "kron", "diag": "diag", "sqrt": "sqrt",
    "maximum": "maximum", "minimum": "minimum", "det": "linalg.det", "inv": "linalg.inv", "solve": "linalg.solve",
}  # fmt: skip


class Dialect(Printer):
    """Writes expressions; knows the names that are in use, and keeps which helpers and sizes were needed."""

    def __init__(
        self,
        arguments: Sequence[Argument],
        functions: Mapping[FunctionName, str],
        taken: Collection[str],
    ) -> None:
        super().__init__(functions)
        self.arguments = arguments
        self.taken = {a.name for a in arguments} | {
            str(s) for a in arguments for size in a.shape or () for s in size.free_symbols
        }
        self.taken |= {*taken}
        self.np = self.free("np")
        self.helpers: dict[str, str] = {}
        self.assigned: dict[Expr, str] = {}
        self.last: set[Expr] = set()  # what may write over the factors that it reads
        self.size_names: set[str] = set()

    def free(self, wanted: str) -> str:
        """Return a name that is not in use and no keyword."""
        name = wanted
        while name in self.taken or keyword.iskeyword(name):
            name += "_"
        self.taken.add(name)
        return name

    def floats(self) -> str:
        """Return the argument that makes an array of floats as precise as the arrays given."""
        first = next((a.name for a in self.arguments if a.shape and a.below is None), None)
        return f"dtype={self.float_type()}" if first is None else f"dtype={self.numpy('result_type', first, '0.5')}"

    def float_type(self) -> str:
        """Return the name of the type of floats: Python's own, unless a user's name is in its way."""
        return "float" if "float" not in self.taken else f"{self.np}.float64"

    def kind(self) -> list[str]:
        """Return the argument that makes an array of constants as precise as the arrays given."""
        first = next((a.name for a in self.arguments if a.shape and a.below is None), None)
        return [] if first is None else [f"dtype={first}.dtype"]

    def trivial(self, node: Expr) -> bool:
        """Tell what costs nothing to write twice."""
        if node in self.assigned:
            return True
        while node.op in ("transpose", "newaxis"):
            node = node.args[0]
            if node in self.assigned:
                return True
        return node.op in ("var", "number", "size", "ones", "zeros") or (
            node.op == "neg" and node.args[0].op in ("var", "number")
        )

    def written(self, expr: Expr) -> tuple[str, int]:
        if expr in self.assigned:
            return self.assigned[expr], ATOM
        return super().written(expr)

    def joins(self, expr: Expr, right: Expr) -> bool:
        """Scale the smaller array: `2 * (A @ x)`, and `2 * (A @ x * y)`."""
        return not self.begins_with_matrix(right) and super().joins(expr, right)

    def begins_with_matrix(self, expr: Expr) -> bool:
        """Tell whether what stands in front of a product is met by a matrix first."""
        while expr.op in ("mul", "div") and expr not in self.assigned:
            expr = expr.args[0]
        return expr.op == "matmul" and expr not in self.assigned

    def write_neg(self, expr: Expr) -> tuple[str, int]:
        """Negate a product, not its first matrix."""
        (inner,) = expr.args
        if self.begins_with_matrix(inner):
            return f"-({self.text(inner)})", SIGN
        return super().write_neg(expr)

    def call(self, name: str, *args: str) -> str:
        if name in CALLS:
            return f"{self.np}.{CALLS[name]}({', '.join(args)})"
        return f"{name}({', '.join(args)})"

    def numpy(self, name: str, *args: str) -> str:
        return f"{self.np}.{name}({', '.join(args)})"

    def helper(self, name: str) -> str:
        if name not in self.helpers:
            self.helpers[name] = self.free(name)
        return self.helpers[name]

    def size_text(self, size: dims.Size) -> str:
        self.size_names |= {str(s) for s in size.free_symbols}
        return str(size)

    def write_size(self, expr: Expr) -> tuple[str, int]:
        self.size_text(expr.data[0])
        return super().write_size(expr)

    def write_map(self, expr: Expr) -> tuple[str, int]:
        name, _ = expr.data
        arg = self.text(expr.args[0])
        if name not in FUNCTIONS:
            return f"{self.function(expr.data)}({arg})", ATOM
        if name in HELPERS:
            return f"{self.helper(name)}({arg})", ATOM
        text = FUNCTIONS[name].numpy.replace("np.", f"{self.np}.").format(arg)
        of_sizes = all(e.op in ("size", "number") for e in walk(expr) if not e.args)
        return (f"{self.float_type()}({text})" if of_sizes else text), ATOM

    def write_sqrt(self, expr: Expr) -> tuple[str, int]:
        """Write a square root; that of a size as a float of Python's, which leaves arrays as precise as they are."""
        (arg,) = expr.args
        if all(e.op in ("size", "number") for e in walk(arg) if not e.args):
            return f"{self.bracketed(arg, ATOM)}**0.5", POWER
        return self.numpy("sqrt", self.text(arg)), ATOM

    def write_unknown(self, expr: Expr) -> tuple[str, int]:
        slots = expr.data[1] if len(expr.data) > 1 else ()
        return f"{unknown_name(expr.name, slots, len(expr.args))}({', '.join(map(self.text, expr.args))})", ATOM

    def write_block(self, expr: Expr) -> tuple[str, int]:
        (columns,) = expr.data
        texts = [self.text(a) for a in expr.args]
        rows = [", ".join(texts[k : k + columns]) for k in range(0, len(texts), columns)]
        return self.numpy("block", f"[{', '.join(f'[{row}]' for row in rows)}]"), ATOM

    def write_softmax(self, expr: Expr) -> tuple[str, int]:
        last = ["last=True"] if expr in self.last else []
        return self.call(self.helper("softmax"), self.text(expr.args[0]), str(expr.data[0]), *last), ATOM

    def write_logsumexp(self, expr: Expr) -> tuple[str, int]:
        axis = [str(expr.data[0])] if expr.data else []
        return self.call(self.helper("logsumexp"), self.text(expr.args[0]), *axis), ATOM

    def write_logaddexp(self, expr: Expr) -> tuple[str, int]:
        return self.numpy("logaddexp", *(self.text(a) for a in expr.args)), ATOM

    def write_largest(self, expr: Expr) -> tuple[str, int]:
        (axes,) = expr.data
        over = [] if len(axes) == expr.args[0].rank else [f"axis={axes[0] if len(axes) == 1 else axes}"]
        return self.numpy("max", self.text(expr.args[0]), *over), ATOM

    def write_log_det(self, expr: Expr) -> tuple[str, int]:
        return f"{self.helper('log_det')}({self.text(expr.args[0])})", ATOM

    def write_outer(self, expr: Expr) -> tuple[str, int]:
        """Write an outer product as the einsum that it is, which takes half the time of `np.outer`."""
        return self.numpy("einsum", repr("i,j->ij"), *(self.text(a) for a in expr.args)), ATOM

    def write_masked(self, expr: Expr) -> tuple[str, int]:
        """Write a choice between an array and 0 as a product with the condition: no branch for each entry."""
        array, left, right = expr.args
        test = f"({self.bracketed(left, SUM)} {expr.data[0]} {self.bracketed(right, SUM)})"
        return f"{self.bracketed(array, PRODUCT)} * {test}", SUM

    def write_mask(self, expr: Expr) -> tuple[str, int]:
        left, right = expr.args
        return f"{self.bracketed(left, SUM)} {expr.data[0]} {self.bracketed(right, SUM)}", COMPARISON

    def write_vdot(self, expr: Expr) -> tuple[str, int]:
        return self.numpy("vdot", *(self.text(a) for a in expr.args)), ATOM

    def with_helper(self, expr: Expr) -> tuple[str, int]:
        last = ["last=True"] if expr in self.last else []
        return self.call(self.helper(expr.op), *(self.text(a) for a in expr.args), *last), ATOM

    write_factored = write_solved = write_factored_inverse = write_upper_inverse = with_helper
    write_symmetric_dot = write_sigmoids = write_rows = with_helper

    def write_factored_logdet(self, expr: Expr) -> tuple[str, int]:
        name = "factored_log_det" if expr.data else "factored_logdet"
        return self.call(self.helper(name), self.text(expr.args[0])), ATOM

    def reduction(self, expr: Expr) -> tuple[str, int]:
        axis = [f"axis={expr.data[0]}"] if expr.data else []
        return self.numpy(expr.op, self.text(expr.args[0]), *axis), ATOM

    write_sum = write_mean = write_prod = reduction

    def write_norm(self, expr: Expr) -> tuple[str, int]:
        (arg,) = expr.args
        if arg.rank in (1, 2):
            return self.numpy("linalg.norm", self.text(arg)), ATOM
        return self.numpy("sqrt", self.numpy("sum", f"{self.bracketed(arg, ATOM)}**2")), ATOM

    def write_logdet(self, expr: Expr) -> tuple[str, int]:
        return self.numpy("linalg.slogdet", self.text(expr.args[0])) + "[1]", ATOM

    def write_matrix_power(self, expr: Expr) -> tuple[str, int]:
        (exponent,) = expr.data
        text = str(exponent) if isinstance(exponent, int) else self.size_text(exponent)
        return self.numpy("linalg.matrix_power", self.text(expr.args[0]), text), ATOM

    def write_vec(self, expr: Expr) -> tuple[str, int]:
        (arg,) = expr.args
        return f"{self.bracketed(arg, ATOM)}.T.reshape(-1)", ATOM

    def write_einsum(self, expr: Expr) -> tuple[str, int]:
        args = [self.text(a) for a in expr.args]
        extra = ["optimize=True"] if len(args) > 2 else []
        return self.numpy("einsum", repr(expr.data[0]), *args, *extra), ATOM

    def write_where(self, expr: Expr) -> tuple[str, int]:
        left, right, *branches = expr.args
        test = f"{self.bracketed(left, SUM)} {expr.data[0]} {self.bracketed(right, SUM)}"
        texts = [self.text(b) for b in branches]
        if all(b.op == "number" for b in branches):  # a choice between integers would be one
            texts = [t if "." in t or "/" in t else f"{t}.0" for t in texts]
            kind = "".join(self.kind()).removeprefix("dtype=")
            if [b.data[0] for b in branches] == [1, 0] and kind:
                return f"({test}).astype({kind})", ATOM
            return self.numpy("where", test, *texts) + (f".astype({kind})" if kind else ""), ATOM
        return self.numpy("where", test, *texts), ATOM

    def write_transpose(self, expr: Expr) -> tuple[str, int]:
        if not expr.data:
            return super().write_transpose(expr)
        return self.numpy("transpose", self.text(expr.args[0]), tuple_text(expr.data[0])), ATOM

    def write_reshape(self, expr: Expr) -> tuple[str, int]:
        shape = tuple(self.size_text(s) for s in expr.data[0])
        return self.numpy("reshape", self.text(expr.args[0]), tuple_text(shape)), ATOM

    def write_eye(self, expr: Expr) -> tuple[str, int]:
        return self.numpy("eye", self.size_text(expr.data[0]), *self.kind()), ATOM

    def filled(self, expr: Expr) -> tuple[str, int]:
        shape = tuple(self.size_text(s) for s in expr.data[0])
        return self.numpy(expr.op, shape[0] if len(shape) == 1 else tuple_text(shape), *self.kind()), ATOM

    write_ones = write_zeros = filled

    def write_power(self, expr: Expr) -> tuple[str, int]:
        (exponent,) = expr.data
        if _beyond_integers(exponent):
            return f"{self.bracketed(expr.args[0], ATOM)}**{_float(exponent)}", POWER
        text, precedence = super().write_power(expr)
        return text, min(precedence, POWER)

    def write_number(self, expr: Expr) -> tuple[str, int]:
        (value,) = expr.data
        if _beyond_integers(value):
            return _float(value), SIGN if value < 0 else ATOM
        return super().write_number(expr)


def unknown_name(name: str, slots: tuple[int, ...], count: int) -> str:
    """Return what an unknown function of arrays is called in code, differentiated in the arguments at `slots`.

    >>> unknown_name("loss", (0, 0), 1), unknown_name("f", (1,), 3)
    ('d2loss', 'df_2')
    """
    order = len(slots)
    front = "" if order == 0 else "d" if order == 1 else f"d{order}"
    return front + name + ("".join(f"_{k + 1}" for k in slots) if count > 1 else "")


def _beyond_integers(value: Fraction) -> bool:
    """Tell a number that is no quotient of integers that arrays hold."""
    return max(abs(value.numerator), value.denominator) >= 2**53


def _float(value: Fraction) -> str:
    try:
        return repr(float(value))
    except OverflowError:
        digits = len(str(abs(round(value))))
        raise UnsupportedError(f"a number of {digits} digits is beyond the range of floats") from None
