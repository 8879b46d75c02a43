"""SymPy in: matrix expressions and index expressions of plain SymPy.

SymPy's matrices have two axes, and so have ours when they come from there: a column `MatrixSymbol("x", n, 1)`
is an array of shape (n, 1).  A 1×1 matrix that stands as a number (`exp(x.T*A*x)`, or the whole expression)
is that number.  A column that was declared as a vector, `shapes={"x": ("n",)}`, stands as `x[:, None]`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import reduce
from typing import Any

import sympy
from sympy.core.function import AppliedUndef
from sympy.matrices.expressions.applyfunc import ElementwiseApplyFunction
from sympy.matrices.expressions.matexpr import MatrixElement

from symderiv import dims
from symderiv.dims import Shape
from symderiv.errors import ShapeError, UnsupportedError
from symderiv.functions import FUNCTIONS
from symderiv.index.plain import NAMES
from symderiv.tensor.entries import array_of, standing
from symderiv.tensor.expr import Axis, Expr
from symderiv.tensor.operations import apply
from symderiv.tensor.origin import Origin
from symderiv.tensor.parse import Scope, literal_value, number, raised, size
from symderiv.tensor.sympy_matrices import is_matrix
from symderiv.tensor.sympy_names import Survey, number_of_index
from symderiv.tensor.sympy_words import QUOTIENTS, RELATIONS, refused

ONE = sympy.Integer(1)


@dataclass
class Found:
    """A SymPy expression as read: its variables, its free indices, and a way to build it with declared ones."""

    expr: sympy.Basic
    survey: Survey
    heads: Mapping[str, Expr] = field(default_factory=dict)

    @property
    def shapes(self) -> dict[str, Shape]:
        """Return the shape of every variable."""
        return {k: v for k, v in self.survey.shapes().items() if k not in self.heads}

    @property
    def free(self) -> tuple[str, ...]:
        """Return the free indices, in the order of the axes."""
        return tuple(self.survey.free)

    @property
    def indexed(self) -> bool:
        """Tell whether indices stand in the expression."""
        return bool(self.survey.labels or self.survey.free or self.expr.has(sympy.Indexed, MatrixElement))

    @property
    def ranges(self) -> dict[str, Axis]:
        """Return the range of each index."""
        labels = [*self.survey.free, *self.survey.labels.values()]
        return {label: (self.survey.range_of(label),) for label in labels}

    @property
    def origin(self) -> Origin:
        """Return the user's own symbols."""
        return self.survey.origin()

    def build(self, scope: Scope) -> Expr:
        """Return the expression over the variables of a scope.

        A 1×1 matrix is a number.  Where columns were declared as vectors, a column is a vector.
        """
        reader = Reader(self.survey, self.ranges, {**scope.names, **self.heads}, scope.functions)
        value = reader.read(self.expr)
        if not is_matrix(self.expr):
            return value
        if self.expr.shape == (1, 1):
            return apply("trace", value)
        if reader.vectors and ONE in self.expr.shape:
            return apply("sum", value, data=(self.expr.shape.index(ONE),))
        return value


def find(
    expr: sympy.Basic,
    shapes: Mapping[str, Shape] | None = None,
    free: Sequence[Any] = (),
    heads: Mapping[str, Expr] | None = None,
) -> Found:
    """Return what a `MatrixExpr`, a scalar of matrices, or an index expression stands for.

    An index expression is a function of its free indices: those of `free`, then the others by the alphabet, as
    for an `einsum` without an arrow (SymPy sorts factors and terms, so they have no order there).  `shapes`
    are known by name; `heads` are arrays that an `IndexedBase` names.
    """
    known = {**(shapes or {}), **{k: v.shape for k, v in (heads or {}).items()}}
    return Found(expr, Survey(expr, known, free), heads or {})


def joined(operation: str, args: list[Expr]) -> Expr:
    """Return `a ∘ b ∘ c`, from the left."""
    return reduce(lambda a, b: apply(operation, a, b), args)


def multiplied(factors: list[Expr]) -> Expr:
    """Return a product; SymPy writes a minus as the factor -1."""
    if len(factors) > 1 and literal_value(factors[0]) == -1:
        return apply("neg", joined("mul", factors[1:]))
    return joined("mul", factors)


class Reader:
    """Reads a SymPy expression over the arrays of a scope; `vectors` are columns declared with one axis."""

    def __init__(
        self,
        survey: Survey,
        ranges: Mapping[str, Axis],
        names: Mapping[str, Expr],
        functions: Mapping[str, tuple[str, int]],
    ) -> None:
        self.survey, self.ranges, self.names, self.functions = survey, ranges, names, functions
        self.bound: dict[Any, str | None] = {}
        self.entries: dict[Any, Expr] = {}  # the array that the parameter of an entrywise function stands for
        self.vectors: set[str] = set()

    def read(self, expr: Any) -> Expr:
        """Return a matrix with two axes, or a number."""
        return self.matrix(expr) if is_matrix(expr) else self.number(expr)

    def scalar(self, expr: Any, of: Any) -> Expr:
        """Return a number where `of` needs one: a 1×1 matrix is its entry."""
        if not is_matrix(expr):
            return self.number(expr)
        if tuple(expr.shape) != (1, 1):
            kind = type(of).__name__
            raise UnsupportedError(
                f"{kind} of a matrix, {expr}, is not part of the language",
                hint=f"for the entrywise function write ({expr}).applyfunc({kind})",
            )
        return apply("trace", self.matrix(expr))

    # -- matrices

    def matrix(self, expr: Any) -> Expr:
        """Return a matrix."""
        args = expr.args
        match expr:
            case sympy.MatrixSymbol():
                return self.symbol(expr)
            case sympy.MatMul():
                return self.matmul(args)
            case sympy.MatAdd():
                return joined("add", [self.matrix(a) for a in args])
            case sympy.Transpose():
                return apply("transpose", self.matrix(args[0]))
            case sympy.Inverse() | sympy.MatPow():
                return self.matpow(expr.base, expr.exp)
            case sympy.HadamardProduct():
                return joined("mul", [self.matrix(a) for a in args])
            case sympy.HadamardPower():
                return raised(self.read(args[0]), self.read(args[1]))
            case sympy.KroneckerProduct():
                return joined("kron", [self.matrix(a) for a in args])
            case sympy.Identity():
                return apply("eye", data=(_own(args[0]),))
            case sympy.OneMatrix():
                return apply("ones", data=(tuple(map(_own, args)),))
            case sympy.ZeroMatrix():
                return apply("zeros", data=(tuple(map(_own, args)),))
            case sympy.DiagMatrix():
                return apply("diag", self.vector(args[0]))
            case sympy.DiagonalMatrix():
                return apply("diag", apply("diag", self.matrix(args[0])))
            case sympy.DiagonalOf():
                return apply("newaxis", apply("diag", self.matrix(args[0])), data=((False, True),))
            case ElementwiseApplyFunction():
                return self.entrywise(expr)
            case sympy.FunctionMatrix():
                labels = [self.survey.labels[expr, index] for index in args[2].variables]
                body = self.inside(dict(zip(args[2].variables, labels, strict=True)), args[2].expr)
                return array_of(body, labels, self.ranges)
        raise refused(expr)

    def symbol(self, expr: sympy.MatrixSymbol) -> Expr:
        """Return a declared array with the two axes that SymPy gives it."""
        array = self.names[expr.name]
        shape = tuple(map(_own, expr.shape))
        if array.shape == shape:
            return array
        if array.rank == 1 and ONE in shape and array.shape[0] == shape[shape[0] == 1]:
            self.vectors.add(expr.name)
            return apply("newaxis", array, data=((shape[0] == 1, shape[0] != 1),))
        raise ShapeError(
            f"{expr.name} has one shape in SymPy and another in shapes",
            shapes={"SymPy": dims.written(shape), "shapes": dims.written(array.shape)},
            hint="leave it out of shapes; only a column or a row may be declared anew, as a vector",
        )

    def vector(self, expr: Any) -> Expr:
        """Return the entries of a column or a row."""
        if not is_matrix(expr) or ONE not in expr.shape:
            raise refused(expr, f"a column or a row is needed, not {expr}")
        return apply("sum", self.matrix(expr), data=(1 if expr.shape[1] == 1 else 0,))

    def matmul(self, args: Sequence[Any]) -> Expr:
        scalars = [self.number(a) for a in args if not is_matrix(a)]
        matrices = [a for a in args if is_matrix(a)]
        chain = [self.matrix(a) for a in matrices]
        if matrices[-1].shape[1] == 1:  # a column is met first
            product = reduce(lambda b, a: apply("matmul", a, b), reversed(chain))
        else:
            product = joined("matmul", chain)
        return multiplied([*scalars, product])

    def matpow(self, base: Any, exponent: Any) -> Expr:
        if tuple(base.shape) == (1, 1):
            value = raised(apply("trace", self.matrix(base)), self.number(exponent))
            return apply("newaxis", value, data=((True, True),))
        whole = sympy.expand(_own(exponent))
        sizes = {str(s) for s in whole.free_symbols}
        if sizes and sizes <= self.survey.sizes and whole.is_integer and whole.is_polynomial():
            return apply("matrix_power", self.matrix(base), data=(whole,))
        if not exponent.is_Integer:
            raise UnsupportedError(
                f"MatPow of SymPy with the exponent {exponent} is not part of the language",
                hint="an integer, or one made of integer symbols; HadamardPower is the entrywise power",
            )
        if exponent == -1:
            return apply("inv", self.matrix(base))
        return apply("matrix_power", self.matrix(base), data=(int(exponent),))

    def entrywise(self, expr: Any) -> Expr:
        """Read `f` applied to every entry: with the array in the place of the parameter."""
        array = self.matrix(expr.expr)
        function = expr.function
        if not isinstance(function, sympy.Lambda):
            probe = sympy.Dummy("t")
            function = sympy.Lambda(probe, function(probe))
        (parameter,) = function.variables
        outer = dict(self.entries)
        self.entries[parameter] = array
        body = self.number(function.expr)
        self.entries = outer
        return body if body.rank else apply("mul", body, apply("ones", data=(array.shape,)))

    # -- numbers

    def number(self, expr: Any) -> Expr:
        """Return a number; inside an entrywise function, an array of them."""
        args = expr.args
        if expr in self.entries:
            return self.entries[expr]
        match expr:
            case sympy.Rational():
                return number(Fraction(int(expr.p), int(expr.q)))
            case sympy.Float() if expr.is_finite:
                return number(Fraction(str(expr)))
            case sympy.Symbol():
                if self.bound.get(expr) is not None:
                    raise number_of_index(str(expr))
                found = self.names.get(expr.name)
                if found is not None and found.rank:
                    raise ShapeError(
                        f"{expr.name} is a number in SymPy and an array in shapes",
                        shapes={expr.name: dims.written(found.shape)},
                        hint=f'write MatrixSymbol("{expr.name}", …) or IndexedBase("{expr.name}")',
                    )
                return size(dims.symbol(expr.name)) if found is None else found
            case sympy.Add():
                return joined("add", [self.scalar(a, expr) for a in args])
            case sympy.Mul():
                return multiplied([self.scalar(a, expr) for a in args])
            case sympy.Pow():
                return raised(self.scalar(expr.base, expr), self.scalar(expr.exp, expr))
            case sympy.Trace():
                return apply("trace", self.matrix(args[0]))
            case sympy.Determinant():
                return apply("det", self.matrix(args[0]))
            case sympy.DotProduct():
                return apply("inner", self.vector(args[0]), self.vector(args[1]))
            case sympy.log() if isinstance(args[0], sympy.Abs) and isinstance(args[0].args[0], sympy.Determinant):
                return apply("logdet", self.matrix(args[0].args[0].args[0]))
            case sympy.Max() | sympy.Min():
                kind = "maximum" if isinstance(expr, sympy.Max) else "minimum"
                parts = [self.scalar(a, expr) for a in args]
                return joined(kind, sorted(parts, key=lambda e: (not e.rank, e.op == "number")))
            case sympy.Heaviside():
                return self.step(expr)
            case sympy.Piecewise():
                return self.piecewise(args)
            case sympy.Indexed() | MatrixElement() | sympy.KroneckerDelta():
                return self.entry(expr)
            case sympy.Sum() | sympy.Product():
                return self.over(expr)
            case sympy.pi:
                return apply("mul", number(4), apply("map", number(1), data=("arctan", 0)))
            case sympy.E:
                return apply("map", number(1), data=("exp", 0))
        return self.function(expr)

    def function(self, expr: Any) -> Expr:
        """Read a scalar function: one of the table, one without a formula, or a quotient of such."""
        if type(expr) in NAMES and len(expr.args) == 1:
            return self.mapped(NAMES[type(expr)], expr.args[0], expr)
        if type(expr) in QUOTIENTS:
            top, low = QUOTIENTS[type(expr)]
            below = self.mapped(low, expr.args[0], expr)
            return apply("div", self.mapped(top, expr.args[0], expr) if top else number(1), below)
        name = type(expr).__name__
        if isinstance(expr, AppliedUndef) and len(expr.args) == 1:
            if name in FUNCTIONS:
                return self.mapped(name, expr.args[0], expr)
            if name not in self.functions:
                raise UnsupportedError(
                    f"the function {name} is not known",
                    hint=f'write functions={{"{name}": ["d{name}"]}} to name it and its derivatives',
                )
            return apply("map", self.scalar(expr.args[0], expr), data=self.functions[name])
        raise refused(expr)

    def mapped(self, name: str, argument: Any, of: Any) -> Expr:
        return apply("map", self.scalar(argument, of), data=(name, 0))

    def step(self, expr: sympy.Heaviside) -> Expr:
        """Read a step with its value at 0."""
        if expr.args[1] == sympy.Rational(1, 2):
            return apply("div", apply("add", number(1), self.mapped("sign", expr.args[0], expr)), number(2))
        if expr.args[1] not in (0, 1):
            raise refused(expr, f"Heaviside of SymPy with the value {expr.args[1]} at 0 is not part of the language")
        relation = ">=" if expr.args[1] == 1 else ">"
        return apply("where", self.scalar(expr.args[0], expr), number(0), number(1), number(0), data=(relation,))

    def piecewise(self, branches: Sequence[Any]) -> Expr:
        """Read nested choices, the last one without a condition."""
        kept = []
        for value, condition in branches:
            always = condition == sympy.true or all(map(self.survey.inside, sympy.And.make_args(condition)))
            kept.append((value, sympy.true if always else condition))
            if always:
                break
        return self.chosen(kept)

    def chosen(self, branches: Sequence[Any]) -> Expr:
        value, condition = branches[-1]
        if condition != sympy.true:
            raise UnsupportedError("a Piecewise of SymPy without a last branch", hint="end it with (value, True)")
        result = self.number(value)
        for value, condition in reversed(branches[:-1]):
            if isinstance(condition, sympy.Eq) and len(branches) == 2 and literal_value(result) == 0:
                result = apply("mul", self.delta(*condition.args), self.number(value))
                continue
            relation = RELATIONS.get(type(condition))
            if relation is None:
                raise UnsupportedError(
                    f"the condition {condition} in a Piecewise of SymPy is not part of the language",
                    hint="a condition is one comparison with <, <=, > or >=",
                )
            sides = [self.scalar(s, condition) for s in condition.args]
            result = apply("where", *sides, self.number(value), result, data=(relation,))
        return result

    # -- indices

    def label(self, index: Any) -> str:
        return self.survey.label(index, self.bound)

    def delta(self, i: Any, j: Any) -> Expr:
        return Expr("delta", (), (self.label(i), self.label(j)), ())

    def entry(self, expr: Any) -> Expr:
        """Read an entry; 0 stands for the one entry of an axis of size 1."""
        match expr:
            case sympy.KroneckerDelta():
                return self.delta(*expr.args[:2])
            case sympy.Indexed():
                array, indices = self.names[str(expr.base.label)], expr.indices
            case _:
                array, indices = self.matrix(expr.args[0]), expr.args[1:]
        labels: list[str] = []
        for index, extent in zip(indices, array.shape, strict=True):
            if index.is_Integer and not (extent == 1 and index == (0 if is_matrix(expr.args[0]) else self.start)):
                raise UnsupportedError(
                    f"the single entry {expr} is not part of the language",
                    hint="subscripts run over whole axes; declare that entry as a scalar of its own",
                )
            if index.is_Integer:
                array = apply("sum", array, data=(len(labels),))
            else:
                labels.append(self.label(index))
        return Expr("entry", (array,), tuple(labels), ()) if labels else array

    @property
    def start(self) -> int:
        """Return the number that indices start from."""
        return max(self.survey.first, default=0)

    def inside(self, new: Mapping[Any, str], body: Any) -> Expr:
        """Read an expression under more bound indices."""
        outer = self.bound
        self.bound = {**outer, **new}
        value = self.number(body) if not is_matrix(body) else None
        self.bound = outer
        if value is None or value.rank:
            raise UnsupportedError(
                f"a sum or product of matrices, over {body}, is not part of the language",
                hint="subscript what stands under it, so that numbers are added",
            )
        return value

    def over(self, expr: Any) -> Expr:
        """Read a sum or a product over indices; one that is idle counts its range."""
        new = {limit[0]: self.survey.labels[expr, limit[0]] for limit in expr.limits}
        body = self.inside(new, expr.function)
        labels = tuple(new.values())
        if isinstance(expr, sympy.Product):
            return apply("prod", array_of(body, labels, self.ranges))
        there = standing(body)
        value = Expr("sum_over", (body,), tuple(x for x in labels if x in there), ()) if there & set(labels) else body
        return joined("mul", [*(size(self.ranges[x][0]) for x in labels if x not in there), value])


def _own(value: Any) -> Any:
    """Return a size over symderiv's own symbols, whatever SymPy's assumptions were."""
    return value.xreplace({s: dims.symbol(str(s)) for s in value.free_symbols}) if value.free_symbols else value
