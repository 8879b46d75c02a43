"""SymPy at the edge: an expression of SymPy as one of ours, and a result of ours as SymPy's.

Shapes: SymPy's matrices have two axes.  A vector is a column there, and the derivative of a column with
respect to a column, four axes of which two have size 1, is the matrix of the others.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sympy
from sympy.core.function import AppliedUndef
from sympy.core.relational import Relational

from symderiv import dims
from symderiv.dims import Shape
from symderiv.errors import ShapeError, UnsupportedError
from symderiv.index import normal
from symderiv.index.choices import plain_sum
from symderiv.index.narrow import narrow
from symderiv.index.nodes import Definition, Index, IndexExpr, Names, heads
from symderiv.index.plain import formula
from symderiv.index.recognised import recognised
from symderiv.index.written import Written
from symderiv.lift import lift
from symderiv.lower import index_ranges, lower, write
from symderiv.tensor.array import Tensor
from symderiv.tensor.expr import Axes, Expr, plain_axes, walk
from symderiv.tensor.operations import apply
from symderiv.tensor.origin import Origin
from symderiv.tensor.parse import Scope, parse, scope_of
from symderiv.tensor.sympy_in import Found, find
from symderiv.tensor.sympy_matrices import is_matrix
from symderiv.tensor.sympy_names import index_name
from symderiv.tensor.sympy_out import matrix_expression
from symderiv.tensor.text import FunctionName, to_text

ONE = sympy.Integer(1)
Functions = Mapping[str, list[str]]
Definitions = Mapping[str, str]


def from_sympy(
    expr: sympy.Basic,
    *,
    free: Mapping[Any, Any] | Sequence[Any] = (),
    definitions: Definitions | None = None,
    shapes: Mapping[str, Sequence[Any]] | None = None,
    assume: Mapping[str, str] | None = None,
    functions: Functions | None = None,
) -> Tensor:
    """Return a matrix expression or an index expression of SymPy as a tensor of symderiv.

    The axes of an index expression are its free indices by the alphabet, or as `free` orders them: a mapping
    with their ranges where the expression does not tell them; an index that does not stand in it makes an axis along
    which the result is constant.  `definitions` say what an `IndexedBase` stands for that is no variable,
    in the text of the language.  With them the index form of a derivative reads back exactly.

    >>> import symderiv
    >>> d = symderiv.derive("logdet(X)", "X", shapes={"X": ("n", "n")})
    >>> d.index_form, d.index_definitions
    (inv(X)[j, i], {'inv(X)': 'inv(X)'})
    >>> given = {
    ...     "free": d.free_indices,
    ...     "definitions": d.index_definitions,
    ...     "shapes": {"X": ("n", "n")},
    ... }
    >>> print(from_sympy(d.index_form, **given))
    inv(X).T
    """
    return Tensor(read_sympy(expr, shapes or {}, assume, functions, free, definitions)[1])


def to_sympy(expr: Tensor | Expr, symbols: Iterable[Any] = ()) -> Any:
    """Return a tensor as a `MatrixExpr` of SymPy, a vector as a column, or as a number.

    `symbols` are those to use, arrays, scalars and sizes; others are made anew.  Refused where the tensor is
    no matrix, or SymPy has no word for what stands in it.

    >>> import symderiv
    >>> X, w = symderiv.declare("X: (n, p)", "w: (p,)")
    >>> to_sympy(2 * X.T @ (X @ w))
    2*X.T*X*w
    """
    known: dict[str, Any] = {}
    for symbol in symbols:
        sizes = {s for size in getattr(symbol, "shape", None) or () for s in size.free_symbols}
        known.update({str(s): s for s in (*sizes, symbol)})
    return matrix_form(expr.expr if isinstance(expr, Tensor) else expr, Origin(known))


def read_sympy(
    expr: sympy.Basic,
    shapes: Mapping[str, Sequence[Any]],
    assume: Mapping[str, str] | None,
    functions: Functions | None,
    free: Mapping[Any, Any] | Sequence[Any] = (),
    definitions: Definitions | None = None,
) -> tuple[Scope, Expr]:
    """Return the scope and the expression that an expression of SymPy stands for."""
    if not isinstance(expr, sympy.Basic):
        raise UnsupportedError(f"{type(expr).__name__} is no expression of SymPy")
    known = {name: dims.shape(shape) for name, shape in shapes.items()}
    heads = _heads(definitions or {}, known, assume, functions)
    ranges = dict(free) if isinstance(free, Mapping) else dict.fromkeys(free)
    try:
        found = find(expr, known, tuple(ranges), heads)
        for index, size in ranges.items():
            if size is not None:
                found.survey.has_size(("index", found.survey.label(index, {})), dims.size(size))
        found.survey.check_ends()
        scope = scope_of({**found.shapes, **known}, assume, functions)
        scope.origin = found.origin
        for name in found.survey.sizes:  # one that is no array's stands in an exponent
            scope.sizes.setdefault(name, dims.symbol(name))
        return scope, built(found, scope)
    except RecursionError:
        raise UnsupportedError(
            "the expression is nested too deeply", hint="name intermediate results and write them as statements"
        ) from None


def built(found: Found, scope: Scope) -> Expr:
    """Return an expression as found; a function of free indices is an array with these axes."""
    expr = found.build(scope)
    if not found.indexed:
        node = lower(expr).node
        known = recognised(node)
        return expr if known is node else lift(known, expr.axes)
    ranges = {**found.ranges, **index_ranges(expr)}
    array = lower(expr, sizes=ranges)
    sizes: dict[Any, Any] = {name: ranges[name][0] for name in found.free}
    axes = list(range(array.node.rank - len(array.free)))
    out, labels = [*axes, *found.free], [*axes, *array.free]
    sizes.update(zip(axes, array.node.dims, strict=False))
    return lift(recognised(normal.contract(1, [(array.node, labels)], out, sizes)))


def _heads(
    definitions: Definitions,
    shapes: Mapping[str, Shape],
    assume: Mapping[str, str] | None,
    functions: Functions | None,
) -> dict[str, Expr]:
    if not definitions:
        return {}
    scope = scope_of(shapes, {k: v for k, v in (assume or {}).items() if k in shapes}, functions)
    return {name: parse(text, scope) for name, text in definitions.items()}


# ---------------------------------------------------------------- shapes: columns, rows, idle axes


def matrix_shape(shape: Shape) -> Shape | None:
    """Return the shape of an array as a matrix of SymPy, `()` for a number, None where it has none.

    >>> (
    ...     matrix_shape(dims.shape("n")),
    ...     matrix_shape(dims.shape(["m", 1, "n", 1])),
    ...     matrix_shape(dims.shape("nnm")),
    ... )
    ((n, 1), (m, n), None)
    """
    if len(shape) > 2:
        shape = tuple(size for size in shape if size != 1)
    if len(shape) > 2:
        return None
    return (shape[0], ONE) if len(shape) == 1 else shape


def matrix_form(expr: Expr, origin: Origin, functions: Mapping[FunctionName, str] | None = None) -> sympy.Expr:
    """Return an array as a `MatrixExpr` or a number of SymPy, over the user's own symbols.

    Columns and rows are read as vectors first, so that no index over an axis of size 1 is left.
    """
    shape = matrix_shape(expr.shape)
    if shape is None:
        raise UnsupportedError(
            f"an array of shape {dims.written(expr.shape)} is no matrix",
            hint="index_form writes a result of any rank, in Indexed, Sum and KroneckerDelta",
        )
    if not any(ONE in node.shape for node in walk(expr)):
        return matrix_expression(expr, origin, functions)
    flat = {e.name: sympy.MatrixSymbol(e.name, *map(origin.sized, e.shape)) for e in walk(expr) if _is_flat(e)}
    known = Origin({**flat, **origin.symbols}, origin.free, origin.first)
    value = matrix_expression(lift(narrow(lower(expr).node)), known, functions)
    if not shape:
        return value
    if not is_matrix(value):
        return value * sympy.Identity(1)
    return value.T if value.shape != tuple(map(origin.sized, shape)) else value


def _is_flat(x: Expr) -> bool:
    """Tell a column, a row or a 1×1 matrix that was declared."""
    return x.op == "var" and x.rank == 2 and ONE in x.shape


def fitted(expr: Expr, claim: Any, axes: Axes) -> Expr:
    """Return a claim from SymPy, a matrix, as the array with `axes` that it stands for.

    Refused where it has another shape than SymPy's form of such an array: rows and columns count.
    """
    shape = tuple(dims.product(axis) for axis in axes)
    if expr.shape == shape or not is_matrix(claim):
        return expr
    wanted, given = matrix_shape(shape), matrix_shape(tuple(expr.shape)) or ()
    actual = given or (ONE, ONE)
    if wanted is None or (wanted or (ONE, ONE)) != actual:
        turned = wanted is not None and tuple(reversed(wanted)) == actual
        form = "has no form as a matrix" if wanted is None else f"is {dims.written(wanted)} as a matrix"
        raise ShapeError(
            f"the claim has another shape than the derivative, which {form}",
            shapes={"derivative": dims.written(shape), "claim": dims.written(actual)},
            hint="the claim is in the other layout: write its transpose, claim.T" if turned else CONVENTION,
        )
    return apply("reshape", expr, data=(shape,))


CONVENTION = (
    "the derivative of a number has the shape of the variable; that of a column with respect to a column has "
    "a row for each entry of the function"
)


def claimed(
    claim: sympy.Basic,
    axes: Axes,
    free: Sequence[Any],
    definitions: Definitions,
    scope: Scope,
    assume: Mapping[str, str] | None,
    functions: Functions | None,
) -> Expr:
    """Return a claim from SymPy about an array with `axes`, whose index form has the free indices `free`.

    Free indices of the claim that are called like those of the index form mean these; any others stand for
    the axes left over, by the alphabet.
    """
    flat = tuple(size for axis in axes for size in axis)
    shapes, given = {name: e.shape for name, e in scope.names.items()}, (assume, functions)
    if is_matrix(claim):
        return fitted(read_sympy(claim, shapes, *given)[1], claim, axes)
    heads = {name: text for name, text in definitions.items() if name in _heads_in(claim)}
    standing = list(find(claim, shapes, heads=_heads(heads, shapes, *given)).free)
    if not standing and axes and claim.has(sympy.MatrixSymbol):
        return read_sympy(claim, shapes, *given)[1]
    names = [str(i) for i in free]
    others = [name for name in standing if name not in names]
    order = list(names)
    for name in others:
        place = next((k for k, n in enumerate(order) if n not in standing), None)
        if place is None:
            raise ShapeError(
                f"the claim has {len(standing)} free indices, the derivative {len(free)} axes",
                shapes={"derivative": dims.written(tuple(dims.product(axis) for axis in axes))},
                hint=CONVENTION,
            )
        order[place] = name
    objects = {str(getattr(s, "label", s)): s for s in claim.free_symbols}
    ranges = {objects.get(n, sympy.Symbol(n, integer=True)): size for n, size in zip(order, flat, strict=True)}
    expr = read_sympy(claim, shapes, *given, ranges, heads)[1]
    return expr if expr.axes == axes else lift(lower(expr).node, axes)


def _heads_in(expr: sympy.Basic) -> set[str]:
    return {str(e.base.label) for e in expr.atoms(sympy.Indexed)} | {s.name for s in expr.atoms(sympy.Symbol)}


# ---------------------------------------------------------------- the index form


@dataclass(frozen=True)
class IndexForm:
    """An array in index notation: the entry at the free indices, and what its heads stand for."""

    form: sympy.Expr
    free: tuple[sympy.Symbol, ...]
    definitions: dict[str, str]

    @classmethod
    def of(cls, expr: Expr, origin: Origin, taken: Sequence[str], functions: Mapping[FunctionName, str]) -> IndexForm:
        """Return an array in index notation; its first axes keep the names that the user gave them."""
        own = [index_name(i) for i in origin.free]
        names = Names([*taken, *own, *origin.symbols])
        tokens = []
        for axis in expr.axes:
            named = own and len(axis) == 1
            tokens.append((Index(own.pop(0), axis[0]),) if named else tuple(names.fresh(s) for s in axis))
        definitions: dict[str, Definition] = {}
        sources: dict[str, Expr] = {}
        body = write(expr, tokens, Written(names, definitions, None, sources))
        texts = {
            head.name: _text(definitions[head.name], sources, functions)
            for head in sorted(heads(body), key=lambda h: h.name)
            if head.name in definitions
        }
        plain = _Plain(origin, functions)
        free = tuple(plain.write(i.to_sympy()) for token in tokens for i in token)
        return cls(plain.write(body.to_sympy() if isinstance(body, IndexExpr) else body), free, texts)


def _text(definition: Definition, sources: Mapping[str, Expr], functions: Mapping[FunctionName, str]) -> str:
    """Return what a head stands for, as text of the language."""
    kind, sizes = definition.kind, definition.tensor.sizes
    if kind in ("", "unknown"):
        return to_text(sources[definition.tensor.name], functions)
    (argument,) = definition.arguments
    source = sources.get(argument.name)
    text = argument.name if source is None else to_text(source, functions)
    rank = len(argument.sizes)
    if kind == "softmax" and len(definition.axes) == rank > 1:  # over all entries at once
        return f"reshape(softmax(reshape({text}, ({dims.product(sizes)},)), 0), {dims.written(sizes)})"
    if kind == "prodexcept":
        array = source or Expr("var", (), (argument.name, frozenset()), plain_axes(argument.sizes))
        order = 1 + (len(sizes) - rank) // len(definition.axes)
        return to_text(apply("others", array, data=(definition.axes, order)), functions)
    if kind == "matrix_power":
        text = f"matrix_power({text}, {definition.exponent})"
        composed = source is not None and any(len(axis) > 1 for axis in source.axes)
        return f"reshape({text}, {dims.written(sizes)})" if composed else text
    whole = kind != "softmax" and len(definition.axes) == rank
    axes = [] if whole else list(map(str, definition.axes))
    text = f"{kind}({', '.join([text, *axes])})"
    composed = source is not None and any(len(axis) > 1 for axis in source.axes)
    return f"reshape({text}, {dims.written(sizes)})" if sizes and composed else text


class _Plain:
    """Writes plain SymPy over the user's own symbols; sums are counted as the user counts.

    Functions that SymPy does not have are written by their formulas.
    """

    def __init__(self, origin: Origin, functions: Mapping[FunctionName, str]) -> None:
        self.origin = origin
        self.labels = {name + "_prime" * order: label for (name, order), label in functions.items()}

    def write(self, expr: Any) -> Any:
        """Return an expression with the user's symbols put in."""
        match expr:
            case sympy.IndexedBase():
                own = self.origin.symbols.get(str(expr.label))
                if isinstance(own, sympy.IndexedBase):
                    return own
                return sympy.IndexedBase(str(expr.label), shape=tuple(map(self.write, expr.shape)))
            case sympy.Symbol():
                own = self.origin.symbols.get(expr.name)
                return own if isinstance(own, (sympy.Symbol, sympy.Idx)) else expr
            case sympy.Sum():
                first = self.origin.first
                limits = [(i, low + first, self.write(high) + first) for i, low, high in expr.limits]
                return plain_sum(self.write(expr.function), limits)
            case AppliedUndef():
                name = type(expr).__name__
                return formula(self.labels.get(name, name))(*map(self.write, expr.args))
            case sympy.Piecewise() | Relational():
                return expr.func(*map(self.write, expr.args), evaluate=False)
        return expr.func(*map(self.write, expr.args)) if expr.args else expr
