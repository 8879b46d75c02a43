"""What an operation costs, in nanoseconds of one core, where the sizes are what they represent.

The code is planned before the arrays are there, so sizes stand for what is usual: a size that comes first in the
shapes of matrices counts samples or rows and is large, one that comes last counts features or factors and is
smaller.  Whoever knows better says so.  The numbers are those of NumPy with OpenBLAS on a server core of 2023
(double precision, matrices of 1000 by 1000); what matters of them are the ratios: a pass over memory costs as much
as some forty multiplications inside of a matrix product.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from math import prod

import sympy

from symderiv.dims import Shape, Size
from symderiv.errors import ShapeError
from symderiv.tensor.expr import Expr, inductive, walk

LARGEST, SMALLEST = 1000.0, 100.0  # of the sizes that are not given

# Nanoseconds: of a product of three sizes (matrix products, factorisations), of an entry read or written.
PRODUCT, SYMMETRIC_PRODUCT, MATRIX_TIMES_VECTOR, DOT = 0.027, 0.015, 0.3, 0.6
INVERSE, FACTORS, SOLVED, MIRRORED = 0.08, 0.019, 0.056, 2.5
DEFINITE_INVERSE, DEFINITE_FACTORS = 0.02, 0.0104
PASS, TURNED_PASS, DIVISION, OUTER, CHOICE = 1.0, 1.8, 0.4, 0.7, 5.0
REDUCTION, REDUCED_ROW, SHORT_REDUCTION, SHORT_ROW = 0.3, 18.0, 0.2, 4.0
FUNCTIONS = {"exp": 0.75, "tanh": 1.5, "sigmoid": 2.5, "abs": 0.6, "relu": 0.6, "sqrt": 1.0}
THIN = 24  # columns
FEW_ROWS, FEW_ROWS_PACKED, MOST_OUTPUTS, MOST_SMALL, ROWS = 0.38, 0.75, 512, 1e6, 3000.0
SOFTMAX, RUN = 2.5, 85.0
A_FUNCTION = 8.0
A_CALL = 1000.0
FREE = frozenset({"var", "number", "size", "transpose", "newaxis", "reshape", "vec", "defined", "first", "second"})
KEEPING = frozenset({
    "neg", "map", "power", "sqrt", "add", "sub", "mul", "div", "masked", "where", "softmax", "defined",
})  # fmt: skip

Sizes = Mapping[sympy.Symbol, float]


def representative(exprs: Iterable[Expr], given: Mapping[str, int] | None = None) -> dict[sympy.Symbol, float]:
    """Return the sizes that the variables of some expressions have, those that are not given as is usual.

    >>> from symderiv.tensor.parse import parse, scope_of
    >>> scope = scope_of({"T": ("m", "n"), "U": ("m", "k"), "V": ("n", "k")})
    >>> [round(v) for v in representative([parse("T - U @ V.T", scope)]).values()]
    [100, 1000, 316]
    """
    return usual([e.shape for e in walk(*exprs) if e.op == "var"], given)


def usual(shapes: Iterable[Shape], given: Mapping[str, int] | None = None) -> dict[sympy.Symbol, float]:
    """Return the sizes in some shapes, those that are not given as is usual."""
    places: dict[sympy.Symbol, list[float]] = {}
    for shape in shapes:
        different = len(set(shape)) > 1
        for k, size in enumerate(shape):
            where = k / (len(shape) - 1) if different else 0.5
            for symbol in size.free_symbols:
                places.setdefault(symbol, []).extend([where] * (1 + 8 * different))
    named = {str(symbol): symbol for symbol in places}
    for name, value in (given or {}).items():
        if value < 1:
            raise ShapeError(f"{name} is a size, and {value!r} is none", hint="sizes are positive integers")
        if name not in named:
            raise ShapeError(f"no array has the size {name}", hint=f"sizes here: {', '.join(sorted(named)) or 'none'}")
    sizes = {}
    for symbol, seen in sorted(places.items(), key=lambda item: str(item[0])):
        late = sum(seen) / len(seen)
        sizes[symbol] = LARGEST * (SMALLEST / LARGEST) ** late
    return sizes | {named[name]: float(value) for name, value in (given or {}).items()}


def _ways(e: Expr, turned: Callable[[Expr], bool]) -> set[bool]:
    """Return the ways in which the matrices that an operation reads lie in memory."""
    return {turned(a) for a in e.args if a.rank == 2 and a.op != "newaxis"}


@inductive
def lies_turned(e: Expr, known: Callable[[Expr], bool]) -> bool:
    """Tell whether the columns of a matrix lie one after the other in memory, not its rows."""
    if e.op == "transpose":
        return not known(e.args[0])
    return e.op in KEEPING and _ways(e, known) == {True}


class Costs:
    """Costs of expressions at given sizes."""

    def __init__(self, sizes: Sizes) -> None:
        self.sizes = sizes
        self.known: dict[Size, float] = {}

    def size(self, size: Size) -> float:
        """Return a size as a number."""
        if size not in self.known:
            value = size.xreplace({s: sympy.Float(self.sizes.get(s, LARGEST)) for s in size.free_symbols})
            self.known[size] = float(value)
        return self.known[size]

    def entries(self, expr: Expr) -> float:
        """Return the number of entries of an array."""
        return prod(self.size(s) for s in expr.shape)

    def total(self, root: Expr, paid: Collection[Expr] = ()) -> float:
        """Return the cost of an expression, what is shared counted once and what is paid for not at all."""
        seen: set[Expr] = set()
        stack, total = [root], 0.0
        while stack:
            e = stack.pop()
            if e in seen or e in paid:
                continue
            seen.add(e)
            total += self.own(e)
            stack += e.args
        return total

    def own(self, e: Expr) -> float:
        """Return the cost of one operation, its arguments being there."""
        if e.op in FREE or (e.op == "diag" and e.rank == 1):
            return 0.0
        return A_CALL * (e.rank > 0 or any(a.rank for a in e.args)) + self.work(e)

    def work(self, e: Expr) -> float:
        match e.op:
            case "matmul":
                return self.product(*e.args)
            case "inner":
                return self.product(e.args[0], e.args[1])
            case "einsum":
                return self.contraction(e)
            case "inv":
                return INVERSE * self.size(e.shape[0]) ** 3
            case "factored_inverse":
                return DEFINITE_INVERSE * self.size(e.shape[0]) ** 3 + MIRRORED * self.entries(e)
            case "upper_inverse":
                return DEFINITE_INVERSE * self.size(e.shape[0]) ** 3
            case "symmetric_dot":
                return DOT * self.entries(e.args[0])
            case "solved" if e.rank == 1:
                return 2 * MATRIX_TIMES_VECTOR * self.size(e.shape[0]) ** 2
            case "solve" | "solved":
                n = self.size(e.args[0].shape[0])
                return (FACTORS * n**3 if e.op == "solve" else 0.0) + SOLVED * n * self.entries(e)
            case "factored":
                return DEFINITE_FACTORS * self.size(e.shape[0]) ** 3
            case "factored_logdet":
                return self.size(e.args[0].shape[0])
            case "logdet" | "det" | "log_det":
                return FACTORS * self.size(e.args[0].shape[0]) ** 3
            case "vdot":
                return self.turned(e, DOT, TURNED_PASS) * self.entries(e.args[0])
            case "outer":
                return OUTER * self.entries(e)
            case "rows":
                return ROWS - A_CALL + PASS * self.entries(e)
            case "trace":
                return self.size(e.args[0].shape[0])
            case "sum" | "mean" | "norm":
                return REDUCTION * self.entries(e.args[0]) + REDUCED_ROW * self.rows(e)
            case "mask":
                return PASS / 2 * self.entries(e)
            case "div" if e.rank > 1 and e.args[1].op not in ("number", "size"):
                return (self.turned(e, PASS, TURNED_PASS) + DIVISION) * self.entries(e)
            case "where":
                return CHOICE * self.entries(e)
            case "map":
                return FUNCTIONS.get(e.data[0], A_FUNCTION) * self.entries(e)
            case "softmax" | "logsumexp":
                return self.along(e)
        return self.turned(e, PASS, TURNED_PASS) * self.entries(e)

    def turned(self, e: Expr, straight: float, mixed: float) -> float:
        """Return one price or another, as the matrices among the arguments lie in memory alike or not."""
        return mixed if len(_ways(e, lies_turned)) > 1 else straight

    def rows(self, e: Expr) -> float:
        """Return how many rows in memory a sum over one axis meets."""
        if not e.data and e.op != "einsum":
            return 0.0
        (inner,) = e.args
        return self.entries(inner) / self.size(inner.shape[0 if lies_turned(inner) else -1])

    def along(self, e: Expr) -> float:
        """Return the cost of a softmax: each short run along memory costs as much as some entries."""
        (inner,) = e.args
        if inner.rank != 2 or not e.data:
            return SOFTMAX * self.entries(inner)
        axis = e.data[0] % 2
        runs = self.size(inner.shape[1 - axis]) if (axis == 1) != lies_turned(inner) else 0.0
        return SOFTMAX * self.entries(inner) + RUN * runs

    def product(self, left: Expr, right: Expr) -> float:
        """Return the cost of a matrix product."""
        if left.rank + right.rank == 2:
            return DOT * self.entries(left)
        if left.rank == 1 or right.rank == 1:
            return MATRIX_TIMES_VECTOR * max(self.entries(left), self.entries(right))
        sizes = [self.size(s) for s in (*left.shape, right.shape[-1])]
        if left.op == "rows":
            return self.few_rows(right) * self.entries(right)
        thin = 1.25 if sizes[2] <= THIN < sizes[0] else 1.0  # BLAS is faster with the thin factor on the left
        return (SYMMETRIC_PRODUCT if of_one(left, right) else thin * PRODUCT) * prod(sizes)

    def few_rows(self, matrix: Expr) -> float:
        """Return what a product of two rows with a matrix costs an entry: OpenBLAS copies a large one first."""
        outputs = self.size(matrix.shape[1])
        packed = 2 * self.entries(matrix) > MOST_SMALL or (lies_turned(matrix) and outputs > MOST_OUTPUTS)
        return FEW_ROWS_PACKED if packed else FEW_ROWS

    def contraction(self, e: Expr) -> float:
        """Return the cost of an einsum as written: a pass over all of its indices, or over the pairs joined."""
        inputs = e.data[0].split("->")[0].split(",")
        pairs = [pair for word, a in zip(inputs, e.args, strict=True) for pair in zip(word, a.shape, strict=True)]
        letters = {x: self.size(s) for x, s in pairs}
        if len(inputs) == 1 and e.args[0].rank == 2 and e.rank == 1 and len(letters) == 2:
            return SHORT_REDUCTION * self.entries(e.args[0]) + SHORT_ROW * self.rows(e)
        if len(inputs) == 2 and len({frozenset(x) for x in inputs}) == 1 and len(inputs[0]) == 2:
            first = inputs[0]
            ways = {lies_turned(a) ^ (x != first) for x, a in zip(inputs, e.args, strict=True)}
            return (DOT if len(ways) == 1 else TURNED_PASS) * prod(letters.values())
        return PASS * prod(letters.values())


def of_one(left: Expr, right: Expr) -> bool:
    """Tell the product of a matrix with its own transpose, of which NumPy computes one half."""
    return any(a.op == "transpose" and not a.data and a.args[0] is b for a, b in ((left, right), (right, left)))


# ---------------------------------------------------------------- symbolically


def operations(exprs: Iterable[Expr]) -> sympy.Expr:
    """Return how many floating-point operations some expressions take, by their sizes; what is dwarfed is left out.

    >>> from symderiv.tensor.parse import parse, scope_of
    >>> scope = scope_of({"X": ("n", "p"), "w": ("p",), "y": ("n",)})
    >>> operations([parse("X.T @ (X @ w - y)", scope)])
    4*n*p
    """
    return leading(sympy.Add(*(_count(e) for e in walk(*exprs))))


def leading(total: sympy.Expr) -> sympy.Expr:
    """Return a sum of products of sizes without the terms that others dwarf."""
    terms = sympy.Add.make_args(sympy.expand(total))
    return sympy.Add(*(t for t in terms if not any(_dwarfs(other, t) for other in terms)))


def _dwarfs(large: sympy.Expr, small: sympy.Expr) -> bool:
    """Tell whether a term has all sizes of another and more."""
    quotient = (large / small).as_coeff_Mul()[1]
    return quotient != 1 and all(power > 0 for power in quotient.as_powers_dict().values())


def _count(e: Expr) -> sympy.Expr:
    """Return the number of operations of one node, its arguments being there."""
    entries = sympy.Mul(*e.shape)
    if e.op in FREE or e.op in ("eye", "ones", "zeros", "first", "second") or (e.op == "diag" and e.rank == 1):
        return sympy.Integer(0)
    n = e.args[0].shape[0] if e.args and e.args[0].rank else sympy.Integer(1)
    match e.op:
        case "matmul" | "inner":
            return (1 if of_one(*e.args) else 2) * entries * e.args[1].shape[0]
        case "vdot" | "symmetric_dot":
            return 2 * sympy.Mul(*e.args[0].shape)
        case "einsum":
            words = e.data[0].split("->")[0].split(",")
            letters = {x: s for word, a in zip(words, e.args, strict=True) for x, s in zip(word, a.shape, strict=True)}
            return len(e.args) * sympy.Mul(*letters.values())
        case "inv":
            return 2 * n**3
        case "factored":
            return n**3 / 3
        case "factored_inverse" | "upper_inverse" | "logdet" | "det" | "log_det":
            return 2 * n**3 / 3
        case "solve":
            return 2 * n**3 / 3 + 2 * n * entries
        case "solved":
            return 2 * n * entries
        case "trace" | "factored_logdet":
            return n
        case "sum" | "mean" | "prod" | "norm" | "largest" | "logsumexp":
            return sympy.Mul(*e.args[0].shape)
        case "raised":
            return sympy.Mul(*e.args[-1].shape)
    return entries


__all__ = ["Costs", "Sizes", "leading", "operations", "representative"]
