r"""Derivatives in LaTeX: `\frac{\partial E}{\partial W_{kl}}`, of second order, as an operator before what it acts on.

A derivative has the axes of the function followed by those of each variable; `\partial x^\top` lays the vector down.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass, replace

from lark import Token, Tree

from symderiv.latex.atoms import Atom, Node, at, elements, only_product, spot_of
from symderiv.latex.pieces import Piece, Spot, call
from symderiv.latex.values import Values

MOST_ORDER = 4


@dataclass(frozen=True)
class Slope:
    """A derivative as written: what is differentiated (none of an operator), and in which variables."""

    order: int
    immediate: bool
    of: tuple[Atom, ...]
    variables: tuple[Atom, ...]
    spot: Spot


class Derivatives(Values):
    """Reads derivatives."""

    def product_of(self, atoms: Sequence[Atom]) -> Piece:
        """Return the product of some factors."""
        raise NotImplementedError

    def slope(self, fraction: Tree[Token]) -> Slope | None:
        """Return the derivative that a fraction is; None where it is a quotient."""
        above, below = (self.differential(node) for node in fraction.children[1:])
        if not above and not below:
            return None
        spot = spot_of(fraction)
        if not above or not below:
            hint = r"write \frac{\partial f}{\partial x}"
            raise self.error(spot, "a derivative has a differential above and below the line", hint)
        self.one_reading_of_d(above[0], spot)
        return self.slope_of(above, below, spot)

    def differential(self, node: Node) -> list[Atom]:
        r"""Return the factors of `\partial^2 E` or `dE`, the differential first; none where it is something else."""
        inside = elements(node)
        product = only_product(inside[0]) if len(inside) == 1 else None
        if product is None:
            return self.single_differential(node)
        first = product.children[0]
        assert isinstance(first, Tree)
        base = first.children[0]
        if isinstance(base, Token):
            return self.atoms(product) if base.type == "PARTIAL" else []
        if base.data != "word" or base.children[0].type != "WORD" or not str(base.children[0]).startswith("d"):  # type: ignore[union-attr]
            return []
        return self.roman(product)

    def single_differential(self, node: Node) -> list[Atom]:
        """Return nothing: a lone symbol is no differential, but for a `d` alone."""
        if isinstance(node, Tree) and node.data == "word" and node.children[0] == "d":
            return [Atom(node, spot_of(node), symbol=("d", ""))]
        return []

    def roman(self, product: Tree[Token]) -> list[Atom]:
        """Return the factors of `dE` or `d^2 f`, the d apart."""
        found: list[Atom] = []
        children: list[Node] = []
        for factor in product.children:
            base = factor.children[0] if isinstance(factor, Tree) else None
            token = base.children[0] if isinstance(base, Tree) and base.data == "word" else None
            if isinstance(token, Token) and token.type == "WORD" and token.startswith("d") and len(token) > 1:
                start = token.start_pos or 0
                d = Token("PARTIAL", "d", start_pos=start, end_pos=start + 1)
                rest = Token("WORD", str(token)[1:], start_pos=start + 1, end_pos=token.end_pos)
                children.append(_factor(Tree("word", [rest], at(start + 1, rest.end_pos or 0)), factor))
                children.insert(-1, _factor(d, None))
            elif token == "d":
                start = spot_of(token)[0]
                children.append(_factor(Token("PARTIAL", "d", start_pos=start, end_pos=start + 1), factor))
            else:
                children.append(factor)
        found += self.atoms(Tree("product", children, product.meta))
        return found

    def one_reading_of_d(self, first: Atom, spot: Spot) -> None:
        """Refuse `dE/dx` where d is declared: it may be a quotient."""
        typed = self.layout.text[slice(*first.base_spot)]
        if typed == "d" and not self.vocabulary.is_free("d"):
            hint = r"write \partial, or \mathrm{d}"
            raise self.ambiguous(spot, "a derivative or a quotient? d is declared", hint)

    def slope_of(self, above: Sequence[Atom], below: Sequence[Atom], spot: Spot) -> Slope:
        """Return a derivative from its numerator and its denominator."""
        first = above[0]
        order, immediate = 1, False
        for script in first.above:
            shown = self.layout.text[slice(*spot_of(script))].strip("{ }")
            if shown == "+":
                immediate = True
            elif shown.isdigit() and 1 <= int(shown) <= MOST_ORDER:
                order = int(shown)
            else:
                raise self.error(spot_of(script), f"the order of a derivative is between 1 and {MOST_ORDER}")
        variables: list[Atom] = []
        expected = True
        for atom in below:
            is_differential = atom.is_token("PARTIAL")
            if atom.operator or is_differential != expected or (is_differential and atom.above):
                hint = r"write \partial w_{ji}\,\partial w_{lk}"
                raise self.error(atom.spot, "below the line stand differentials of variables", hint)
            if not is_differential:
                variables += self.repeated(atom)
            expected = not expected
        if not expected or len(variables) != order:
            hint = r"\frac{\partial^2 E}{\partial x\,\partial y}, \frac{\partial^2 E}{\partial x^2}"
            message = f"a derivative of order {order} in {len(variables)} variable{'s' * (len(variables) != 1)}"
            raise self.error(spot, message, f"write {hint}")
        return Slope(order, immediate, tuple(above[1:]), tuple(variables), spot)

    def repeated(self, atom: Atom) -> list[Atom]:
        """Return `x^2` below the line as x twice; other scripts stay."""
        count, left = 1, list[Node]()
        for script in atom.above:
            shown = self.layout.text[slice(*spot_of(script))].strip("{ }")
            if shown.isdigit():
                count = int(shown)
            else:
                left.append(script)
        if not 1 <= count <= MOST_ORDER:
            raise self.error(atom.spot, f"the order of a derivative is between 1 and {MOST_ORDER}")
        if atom.kind == "bracketed" and not left and atom.below is None:
            inside = elements(atom.base)
            product = only_product(inside[0]) if len(inside) == 1 else None
            within = self.atoms(product) if product is not None else []
            return within * count if len(within) == 1 else [atom] * count
        return [replace(atom, above=tuple(left))] * count

    # -- as pieces

    def derivative(self, slope: Slope, of: Piece) -> Piece:
        """Return a derivative of a piece."""
        variables = [self.variable(v) for v in slope.variables]
        if of.identity is not None:
            raise self.error(slope.spot, "the derivative of I needs its size")
        nodes = [v.node for v in variables]
        spot = (min(slope.spot[0], of.spot[0]), max(slope.spot[1], of.spot[1]))
        found = self.read_shape(call("partial" if slope.immediate else "diff", of.node, *nodes), spot)
        return self.laid(found, of, variables, spot)

    def variable(self, atom: Atom) -> Piece:
        """Return what is differentiated in; a name, or an entry."""
        meaning = self.meaning(atom)
        if meaning is None:
            raise self.unknown(atom)
        piece = self.scripted(self.whole(meaning), meaning.atom)
        if piece.rank > 1 and isinstance(piece.node, ast.Attribute):
            hint = r"write (\frac{\partial E}{\partial W})^\top"
            raise self.error(atom.spot, "the derivative in a transposed matrix", hint)
        return piece

    def laid(self, found: Piece, of: Piece, variables: Sequence[Piece], spot: Spot) -> Piece:
        r"""Return a derivative upright or lying, as `\partial x^\top` and `\partial y^\top` say."""
        lying = [v.row for v in variables if v.rank == 1]
        if found.rank == 1 and lying and not of.rank:
            return replace(found, row=lying[-1])
        if found.rank == 1 and of.rank == 1:
            return replace(found, row=of.row)
        if of.row and found.rank == 2:
            if any(lying):
                raise self.error(spot, "a row differentiated in a row", r"write \frac{\partial y}{\partial x^\top}")
            return self.transposed(replace(found, row=False), spot)
        return replace(found, row=False)

    def of_function(self, slope: Slope) -> Piece | None:
        r"""Return `\frac{d\sigma}{dt}`: the derivative of a function of one variable, at the variable."""
        function = self.function_of(slope.of[0]) if len(slope.of) == 1 else None
        if function is None or not self.is_scalar_function(*function):
            return None
        variables = [self.variable(v) for v in slope.variables]
        if any(ast.dump(v.node) != ast.dump(variables[0].node) for v in variables):
            raise self.error(slope.spot, "a function of one variable, differentiated in two")
        order = [ast.Constant(value=slope.order)] if slope.order > 1 else []
        name = ast.Name(id=function[0], ctx=ast.Load())
        node = ast.Call(func=call("diff", name, *order), args=[variables[0].node], keywords=[])
        return self.read_shape(node, slope.spot)


def _factor(base: Node, factor: Node | None) -> Tree[Token]:
    """Return a factor with another base and the same scripts."""
    scripts = factor.children[1:] if isinstance(factor, Tree) else []
    start, end = spot_of(base)
    return Tree("factor", [base, *scripts], at(start, max([end, *(spot_of(s)[1] for s in scripts)])))
