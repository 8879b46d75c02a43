r"""Parts of a formula as syntax of the statement language, with the axes that tell which product is meant.

A vector stands upright; `^\top` lays it down.  So `x^\top A x` is a number, `x y^\top` a matrix, and `x y` is refused.
`I` has the size of what it stands beside.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import dataclass, replace

from symderiv import dims, trees
from symderiv.errors import ParseError, Place, ShapeError, SymderivError
from symderiv.latex.source import Layout
from symderiv.tensor.expr import Axes, Axis, Expr

Spot = tuple[int, int]  # offsets in the text


@dataclass(frozen=True)
class Piece:
    """A part of a formula: its syntax, its axes, where it stands; `identity` makes the syntax once a size is known."""

    node: ast.expr
    axes: Axes
    spot: Spot
    row: bool = False
    identity: Callable[[ast.expr], ast.expr] | None = None

    @property
    def rank(self) -> int:
        """Return the number of axes."""
        return 2 if self.identity else len(self.axes)

    @property
    def is_square(self) -> bool:
        """Tell a square matrix."""
        return self.identity is not None or (self.rank == 2 and self.axes[0] == self.axes[1])

    @property
    def is_zero(self) -> bool:
        """Tell the number 0."""
        return isinstance(self.node, ast.Constant) and self.node.value == 0

    @property
    def shape(self) -> str:
        """Return the shape, for a message."""
        if self.identity:
            return "that of I"
        return dims.written(Expr("var", (), ("", frozenset()), self.axes).shape) + (" lying down" if self.row else "")


def call(name: str, *args: ast.expr) -> ast.expr:
    """Return `name(…)`."""
    return ast.Call(func=ast.Name(id=name, ctx=ast.Load()), args=list(args), keywords=[])


def entry(value: ast.expr, parts: list[ast.expr]) -> ast.expr:
    """Return `value[…]`."""
    inner = parts[0] if len(parts) == 1 else ast.Tuple(elts=parts, ctx=ast.Load())
    return ast.Subscript(value=value, slice=inner, ctx=ast.Load())


def size_node(axis: Axis) -> ast.expr:
    """Return the size of an axis as syntax."""
    return trees.expression(" * ".join(f"({size})" for size in axis))


def placed(error: SymderivError, place: Place) -> SymderivError:
    """Return an error with a place of this text; one inside of a function that is called belongs to another text."""
    found = error.place
    inside = found is not None and found.line == place.line and place.column <= found.column < (place.end or 0)
    error.place = found if inside else place
    return error


class Pieces:
    """Puts pieces together; every refusal points into the text."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout

    # -- places

    def located(self, node: ast.expr, spot: Spot) -> ast.expr:
        """Return syntax that stands at a spot, with all its parts that stand nowhere yet."""
        line, begin, end = self.layout.syntax_place(*spot)
        waiting: list[ast.AST] = [node]
        while waiting:
            part = waiting.pop()
            if hasattr(part, "lineno"):
                continue
            if isinstance(part, (ast.expr, ast.stmt, ast.keyword)):
                part.lineno = part.end_lineno = line
                part.col_offset, part.end_col_offset = begin, end
            waiting += ast.iter_child_nodes(part)
        return node

    def piece(
        self,
        node: ast.expr,
        axes: Axes,
        spot: Spot,
        row: bool = False,
        identity: Callable[[ast.expr], ast.expr] | None = None,
    ) -> Piece:
        """Return a piece that stands at a spot."""
        return Piece(self.located(node, spot), axes, spot, row, identity)

    def ambiguous(self, spot: Spot, message: str, hint: str) -> ParseError:
        """Return the error for what may be read in two ways."""
        return ParseError(message, place=self.layout.place(*spot), hint=hint)

    def misfit(self, message: str, spot: Spot, hint: str, *pieces: Piece) -> ShapeError:
        """Return the error for shapes that do not fit."""
        shapes = {self.shown(p): p.shape for p in pieces}
        return ShapeError(message, place=self.layout.place(*spot), shapes=shapes, hint=hint)

    def shown(self, piece: Piece) -> str:
        """Return the LaTeX of a piece, cut where it is long."""
        text = " ".join(self.layout.text[slice(*piece.spot)].split())
        return text if len(text) < 60 else text[:50] + " …"

    # -- operations

    def sized(self, piece: Piece, axis: Axis | None) -> Piece:
        """Return a piece with `I` of the size of an axis."""
        if piece.identity is None:
            return piece
        if axis is None:
            hint = "declare it, or name what it is: M + I"
            raise self.ambiguous(piece.spot, "the size of I cannot be told", hint)
        return self.piece(piece.identity(size_node(axis)), (axis, axis), piece.spot)

    def negated(self, piece: Piece, spot: Spot) -> Piece:
        """Return `-piece`."""
        if piece.identity is not None:
            old = piece.identity
            return replace(piece, identity=lambda n: ast.UnaryOp(op=ast.USub(), operand=old(n)), spot=spot)
        node = ast.UnaryOp(op=ast.USub(), operand=piece.node)
        return self.piece(node, piece.axes, spot, piece.row)

    def added(self, left: Piece, op: ast.operator, right: Piece) -> Piece:
        """Return a sum or a difference; a number is added to each entry of a vector, and to no matrix."""
        spot = (left.spot[0], right.spot[1])
        left = self.sized(left, right.axes[0] if right.rank == 2 and right.axes else None)
        right = self.sized(right, left.axes[0] if left.rank == 2 else None)
        if left.rank and right.rank and left.axes != right.axes:
            raise self.misfit("the terms of a sum have different shapes", spot, "", left, right)
        if left.rank == right.rank == 1 and left.row != right.row:
            hint = r"a vector stands upright, and x^\top lies"
            raise self.misfit("a row and a column are added", spot, hint, left, right)
        if max(left.rank, right.rank) > 1 and not ((left.rank and right.rank) or left.is_zero or right.is_zero):
            hint = r"write a multiple of I, or name the sum in the declarations"
            raise self.misfit("a number and a matrix are added", spot, hint, left, right)
        wide = left if left.rank else right
        return self.piece(ast.BinOp(left=left.node, op=op, right=right.node), wide.axes, spot, wide.row)

    def multiplied(self, left: Piece, operator: str, right: Piece) -> Piece:
        r"""Return the product that the shapes allow: of numbers, matrices, rows and columns, or entry by entry."""
        spot = (left.spot[0], right.spot[1])
        if operator == "/":
            return self.divided(left, right)
        if not left.rank or not right.rank:
            if operator in ("⊙", "⊗", "⊘"):
                raise self.misfit(f"{operator} joins two arrays", spot, "", left, right)
            return self.scaled(left, right, spot)
        if operator in ("⊙", "⊘"):
            op = ast.Mult() if operator == "⊙" else ast.Div()
            return self.entrywise(left, op, right, spot)
        if operator == "⊗":
            return self.read_shape(call("kron", left.node, right.node), spot)
        if operator in ("×", "*") and not (left.rank == right.rank == 2 and operator == "×"):
            hint = r"write \odot for entry by entry, and nothing between the factors of a matrix product"
            raise self.ambiguous(spot, f"which product of arrays is {operator}?", hint)
        return self.matrices(left, operator, right, spot)

    def scaled(self, left: Piece, right: Piece, spot: Spot) -> Piece:
        """Return a product with a number."""
        number, wide = (left, right) if not left.rank else (right, left)
        if wide.identity is not None:
            old = wide.identity
            return replace(wide, identity=lambda n: ast.BinOp(left=number.node, op=ast.Mult(), right=old(n)), spot=spot)
        return self.piece(ast.BinOp(left=left.node, op=ast.Mult(), right=right.node), wide.axes, spot, wide.row)

    def entrywise(self, left: Piece, op: ast.operator, right: Piece, spot: Spot) -> Piece:
        left, right = (
            self.sized(left, right.axes[0] if right.axes else None),
            self.sized(right, left.axes[0] if left.axes else None),
        )
        if left.axes != right.axes or left.row != right.row:
            raise self.misfit("arrays of different shapes are multiplied entry by entry", spot, "", left, right)
        return self.piece(ast.BinOp(left=left.node, op=op, right=right.node), left.axes, spot, left.row)

    def matrices(self, left: Piece, operator: str, right: Piece, spot: Spot) -> Piece:
        """Return the product of two arrays side by side."""
        left = self.sized(left, right.axes[0] if right.axes and not right.row else None)
        right = self.sized(right, left.axes[-1] if left.axes else None)
        columns = not left.row and not right.row
        match left.rank, right.rank:
            case 1, 1 if operator == "·" and columns:
                pass
            case 1, 1 if right.row and not left.row:
                return self.piece(call("outer", left.node, right.node), left.axes + right.axes, spot)
            case 1, 1 if not left.row:
                hint = r"write x^\top y, x y^\top or x \odot y"
                raise self.misfit("two columns side by side", spot, hint, left, right)
            case (1, 1) if right.row:
                raise self.misfit("two rows side by side", spot, r"write x^\top y or x y^\top", left, right)
            case (1, 2) if not left.row:
                raise self.misfit("a column before a matrix", spot, r"write x^\top A, or A x", left, right)
            case (2, 1) if right.row:
                raise self.misfit("a matrix before a row", spot, r"write A x, or x^\top A", left, right)
            case ((1 | 2), (1 | 2)):
                pass
            case _:
                hint = "write the product with indices"
                raise self.misfit("a product of arrays with more than two axes", spot, hint, left, right)
        if left.axes[-1] != right.axes[0]:
            raise self.misfit("the shapes of a product do not fit", spot, "", left, right)
        node = ast.BinOp(left=left.node, op=ast.MatMult(), right=right.node)
        return self.piece(node, left.axes[:-1] + right.axes[1:], spot, left.row and right.rank == 2)

    def divided(self, left: Piece, right: Piece) -> Piece:
        """Return a quotient; what is under the line is a number."""
        spot = (left.spot[0], right.spot[1])
        if right.rank == 1 and not left.rank and not right.row:
            return self.piece(ast.BinOp(left=left.node, op=ast.Div(), right=right.node), right.axes, spot)
        if right.rank:
            hint = r"write A^{-1}, or \oslash for entry by entry"
            raise self.misfit("an array is divided by", spot, hint, right)
        if left.identity is not None:
            old = left.identity
            return replace(left, identity=lambda n: ast.BinOp(left=old(n), op=ast.Div(), right=right.node), spot=spot)
        return self.piece(ast.BinOp(left=left.node, op=ast.Div(), right=right.node), left.axes, spot, left.row)

    def transposed(self, piece: Piece, spot: Spot) -> Piece:
        """Return a transpose; a vector lies down, or stands up."""
        if piece.rank == 2 and piece.identity is None:
            return self.piece(
                ast.Attribute(value=piece.node, attr="T", ctx=ast.Load()), piece.axes[::-1], spot, piece.row
            )
        if piece.rank > 2:
            raise self.misfit("the transpose of more than two axes", spot, "write it with indices", piece)
        return replace(piece, row=not piece.row if piece.rank == 1 else False, spot=spot)

    def inverted(self, piece: Piece, spot: Spot) -> Piece:
        """Return an inverse, of a number or of a square matrix."""
        if not piece.rank:
            minus = ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=1))
            return self.piece(ast.BinOp(left=piece.node, op=ast.Pow(), right=minus), (), spot)
        if piece.identity is not None or not piece.is_square:
            raise self.misfit("the inverse of what is no square matrix", spot, "", piece)
        return self.piece(call("inv", piece.node), piece.axes, spot)

    def raised(self, piece: Piece, exponent: Piece, spot: Spot) -> Piece:
        """Return a power: of a number, or the repeated product of a square matrix."""
        if exponent.rank:
            raise self.misfit("an exponent is a number", spot, "", exponent)
        if not piece.rank:
            return self.piece(ast.BinOp(left=piece.node, op=ast.Pow(), right=exponent.node), (), spot)
        if piece.rank == 1:
            hint = r"write x^{\odot 2} for entry by entry, \|x\|^2 for the squared length"
            raise self.ambiguous(spot, "the power of a vector", hint)
        if piece.identity is not None or not piece.is_square:
            raise self.misfit("the power of what is no square matrix", spot, "", piece)
        return self.piece(call("matrix_power", piece.node, exponent.node), piece.axes, spot)

    def power_of_entries(self, piece: Piece, exponent: Piece, spot: Spot) -> Piece:
        """Return a power entry by entry."""
        node = ast.BinOp(left=piece.node, op=ast.Pow(), right=exponent.node)
        return self.piece(node, piece.axes, spot, piece.row)

    def read_shape(self, node: ast.expr, spot: Spot, row: bool = False) -> Piece:
        """Return a piece whose axes are those that its syntax is read with."""
        located = self.located(node, spot)
        try:
            axes = self.axes_of(located)
        except SymderivError as err:
            raise placed(err, self.layout.place(*spot)) from None
        return Piece(located, axes, spot, row and len(axes) == 1)

    def axes_of(self, node: ast.expr) -> Axes:
        """Return the axes of what some syntax says."""
        raise NotImplementedError

    # -- equalities

    def balanced(self, left: Piece, right: Piece) -> tuple[Piece, Piece]:
        """Return two sides of an equality with I and 0 of the other's size; a row is no column."""
        left = self.sized(left, right.axes[0] if right.rank == 2 and right.axes else None)
        right = self.sized(right, left.axes[0] if left.rank == 2 else None)
        if left.is_zero and right.rank:
            left = self.zeros(right.axes, left, right.row)
        if right.is_zero and left.rank:
            right = self.zeros(left.axes, right, left.row)
        if left.axes == right.axes and left.row != right.row:
            spot = right.spot
            hint = "the derivative of a number has the shape of the variable: a column stands for a column"
            raise self.misfit("one side is a row, the other a column", spot, hint, left, right)
        return left, right

    def zeros(self, axes: Axes, like: Piece, row: bool) -> Piece:
        return self.piece(call("zeros", *map(size_node, axes)), axes, like.spot, row)
