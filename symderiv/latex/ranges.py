r"""Sums and products: `\sum_i`, `\sum_{i,j}`, `\sum_{i=1}^{n}`, and `\prod_{s=t}^{\tau+1}` over members of families.

A sum over an index runs over the axis that the index belongs to; where its range is written, it must be that of the
axis.  A sum or a product over a label runs over what is written.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

import sympy
from lark import Token, Tree

from symderiv.errors import ShapeError, UnsupportedError
from symderiv.families import Range
from symderiv.latex.atoms import Atom, Node, atom_of, elements, in_brackets, spot_of
from symderiv.latex.derivatives import Derivatives
from symderiv.latex.names import Key
from symderiv.latex.pieces import Piece, Spot, call
from symderiv.lower import index_ranges


class Ranges(Derivatives):
    """Reads sums and products."""

    def big(self, atom: Atom, body: Sequence[Atom]) -> Piece:
        """Return a sum or a product; its body is what follows in the product."""
        word = "sum" if atom.text == "sum" else "product"
        if not body:
            raise self.error(atom.spot, f"a {word} of nothing")
        if body[0].operator:
            raise self.error(body[0].spot, f"an operator behind the sign of a {word}")
        if atom.below is None:
            hint = r"write \sum_i, or \sum_{i=1}^{n}"
            raise self.error(atom.spot, f"a {word} over nothing", hint)
        variables, low = self.bound_below(atom.below)
        spot = (atom.spot[0], body[-1].spot[1])
        names = [self.index_name(v) for v in variables]
        if len(set(names)) < len(names):
            raise self.error(atom.spot, "an index is summed over twice")
        if low is None:
            if atom.above:
                raise self.error(
                    atom.spot, f"a {word} with an end and no beginning", rf"write \{atom.text}_{{i=1}}^{{n}}"
                )
            return self.over_axes(atom, names, body, spot)
        if not atom.above:
            raise self.error(atom.spot, f"a {word} with a beginning and no end", rf"write \{atom.text}_{{i=1}}^{{n}}")
        ends = (self.integer(low), self.exponent(atom.above[0]).node)
        return self.over_range(atom, names, ends, body, spot)

    def bound_below(self, below: Node) -> tuple[list[Atom], Tree[Token] | None]:
        """Return the variables that stand below, and the beginning of their range where it is written."""
        inside = elements(below)
        last = inside[-1] if inside else None
        if last is None or last.data != "element" or len(last.children) != 3:
            return [self.variable_of(s) for s in self.subscripts(below)], None
        left, relation, right = last.children
        if str(relation) != "=":
            hint = r"write \sum_{s=1}^{t}"
            raise self.error(spot_of(below), "a sum over a condition is not read", hint)
        assert isinstance(right, Tree)
        return [self.variable_of(v) for v in (*inside[:-1], left)], right

    def variable_of(self, sub: Node) -> Atom:
        """Return the variable of a sum."""
        if isinstance(sub, Tree) and sub.data == "element" and len(sub.children) == 1:
            sub = sub.children[0]
        if isinstance(sub, Tree) and sub.data == "sum" and len(sub.children) == 1:
            product = sub.children[0]
            if isinstance(product, Tree) and len(product.children) == 1:
                sub, _ = atom_of(product.children[0], "")
        if not isinstance(sub, Atom) or sub.symbol is None or sub.below is not None or sub.above:
            spot = sub.spot if isinstance(sub, Atom) else spot_of(sub)
            raise self.error(spot, "a sum runs over a letter", r"write \sum_i, \sum_{i,j} or \sum_{i=1}^{n}")
        if sub.kind == "WORD" and len(sub.text) > 1:
            raise self.error(sub.spot, "a sum runs over a letter")
        return sub

    # -- over axes

    def over_axes(self, atom: Atom, names: list[str], body: Sequence[Atom], spot: Spot) -> Piece:
        """Return `sum[i,j](…)`; each index stands for all of its axis."""
        inner, used = self.inside_of(names, body)
        for name in names:
            if name not in used:
                where = self.roles(name, body)
                hint = rf"write its range: \sum_{{{name}=1}}^{{…}}" if "label" in where else ""
                raise self.error(atom.spot, f"{name} is summed over and stands below no array", hint)
        if atom.text == "prod":
            raise self.product_over_axis(atom)
        return self.summed(names, inner, spot)

    def product_over_axis(self, atom: Atom) -> UnsupportedError:
        hint = r"write \operatorname{prod}(x) for the product of all entries"
        return UnsupportedError("a product over an axis", place=self.layout.place(*atom.spot), hint=hint)

    def inside_of(self, names: Sequence[str], body: Sequence[Atom]) -> tuple[Piece, set[str]]:
        """Return the body, and which indices it names; those that are bound are free no longer."""
        outer, self.seen = self.seen, {}
        inner = self.product_of(body)
        used = set(self.seen)
        self.seen = {**{n: s for n, s in self.seen.items() if n not in names}, **outer}
        return inner, used

    def summed(self, names: Sequence[str], inner: Piece, spot: Spot) -> Piece:
        """Return the sum of numbers over indices."""
        if inner.rank:
            hint = "write the entries of what is summed"
            raise self.misfit("a sum over an index of what is no number", spot, hint, inner)
        function = ast.Name(id="sum", ctx=ast.Load())
        index: list[ast.expr] = [ast.Name(id=n, ctx=ast.Load()) for n in names]
        at = index[0] if len(index) == 1 else ast.Tuple(elts=index, ctx=ast.Load())
        head = ast.Subscript(value=function, slice=at, ctx=ast.Load())
        return self.piece(ast.Call(func=head, args=[inner.node], keywords=[]), (), spot)

    # -- over ranges

    def over_range(
        self, atom: Atom, names: Sequence[str], ends: tuple[ast.expr, ast.expr], body: Sequence[Atom], spot: Spot
    ) -> Piece:
        """Return a sum or a product from one end to another: over axes, or over labels."""
        name = names[0]
        roles = {role for n in names for role in self.roles(n, body)}
        if roles == {"label", "index"}:
            raise self.error(atom.spot, f"{name} is a label and an index at once", "take two letters")
        low, high = (self.reader.integer_or_none(e) for e in ends)
        if low is None or high is None:
            hint = "declare it: T as the end of a range, or t: integer(1, T)"
            raise self.error(atom.spot, "the ends of this range are no integers here", hint)
        if roles == {"index"}:
            if atom.text == "prod":
                raise self.product_over_axis(atom)
            inner, _ = self.inside_of(names, body)
            for n in names:
                self.whole_axis(n, low, high, inner, atom)
            return self.summed(names, inner, spot)
        if len(names) > 1:
            raise self.error(atom.spot, "two labels under one sign", "write one sign for each")
        return self.over_labels(atom, name, ends, (low, high), body, spot)

    def whole_axis(self, name: str, low: sympy.Expr, high: sympy.Expr, inner: Piece, atom: Atom) -> None:
        """Refuse a range that is not that of the axis."""
        axis = index_ranges(self.reader.read(inner.node)).get(name)
        if axis is None:
            raise self.error(atom.spot, f"the range of {name} cannot be told")
        size = sympy.Mul(*axis)
        if low in (0, 1) and sympy.expand(high - low + 1 - size) == 0:
            return
        place = self.layout.place(*atom.spot)
        if sympy.expand(high - low + 1).free_symbols == size.free_symbols and size.free_symbols:
            raise UnsupportedError(
                f"{name} runs from {low} to {high}: a part of its axis, 1 to {size}",
                place=place,
                hint="sums over indices run over whole axes",
            )
        raise ShapeError(
            f"{name} runs from {low} to {high}, but is an index of an axis from 1 to {size}",
            place=place,
            hint="an index runs over the axis that it belongs to",
        )

    def over_labels(
        self,
        atom: Atom,
        name: str,
        ends: tuple[ast.expr, ast.expr],
        labels: tuple[sympy.Expr, sympy.Expr],
        body: Sequence[Atom],
        spot: Spot,
    ) -> Piece:
        """Return `sum(… for s in range(…))`; a product that runs down has its first factor at the upper end."""
        first, last = labels
        bounds = self.reader.bounds
        up, down = bounds.certain(last - first + 1), bounds.certain(first - last + 1)
        if not up and not down:
            hint = "declare what is known of its ends: assert T >= 1, t: integer(tau, T)"
            raise self.ambiguous(atom.spot, f"does {name} run up or down from {first} to {last}?", hint)
        low, high = labels if up else (last, first)
        one = ast.Constant(value=1)
        if up and atom.text == "sum" and not self.roles(name, body):
            inner, _ = self.inside_of([name], body)
            length = ast.BinOp(left=ast.BinOp(left=ends[1], op=ast.Sub(), right=ends[0]), op=ast.Add(), right=one)
            return self.scaled(self.piece(length, (), spot), inner, spot)
        with self.reader.inside(Range(name, low, high)):
            self.vocabulary.add(name)
            inner, _ = self.inside_of([name], body)
        step: list[ast.expr] = [] if up else [ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=1))]
        beyond = ast.BinOp(left=ends[1], op=ast.Add() if up else ast.Sub(), right=one)
        over = ast.comprehension(
            target=ast.Name(id=name, ctx=ast.Store()), iter=call("range", ends[0], beyond, *step), ifs=[], is_async=0
        )
        generator = ast.GeneratorExp(elt=inner.node, generators=[over])
        if inner.row:
            raise self.error(spot, "a sum of rows", r"write its transpose")
        return self.piece(call(atom.text, generator), inner.axes, spot)

    # -- what a variable is

    def roles(self, name: str, body: Sequence[Atom]) -> set[str]:
        """Return what a variable is in some factors: an index, a label, or both."""
        return {role for atom in body for role in self._roles(name, atom)}

    def _roles(self, name: str, atom: Atom) -> Iterator[str]:
        if atom.symbol is not None and atom.below is None and self.index_name(atom) == name:
            yield "label"  # a number, such as the n of n x_n
        yield from self.roles_below(name, atom)
        for above in atom.above:
            if in_brackets(above) is not None and self.names_family(atom):
                yield from self.roles_of_label(name, in_brackets(above))
            elif in_brackets(above) is None:
                yield from self.roles_in(name, above)
        if isinstance(atom.base, Tree) and atom.base.data != "word":
            yield from self.roles_in(name, atom.base)

    def roles_below(self, name: str, atom: Atom) -> Iterator[str]:
        if atom.below is None:
            return
        if atom.is_token("BIG") or atom.kind == "BIG":
            yield from self.roles_of_label(name, atom.below)
            return
        labelled = self.names_family(atom) and not any(in_brackets(a) is not None for a in atom.above)
        for k, sub in enumerate(self.subscripts(atom.below)):
            if labelled and k == 0:
                yield from self.roles_of_label(name, sub)
            elif isinstance(sub, Atom) and sub.symbol is not None:
                if sub.below is not None:
                    yield from (role for s in self.subscripts(sub.below) for role in self.roles_of_label(name, s))
                elif self.index_name(sub) == name:
                    yield "index"

    def names_family(self, atom: Atom) -> bool:
        """Tell whether the first subscript of a symbol is a label."""
        if atom.symbol is None:
            return False
        kinds = {self.vocabulary.kind(n) for n in self.vocabulary.means(Key(*atom.symbol))}
        return bool(kinds & {"family", "function", "label"})

    def roles_of_label(self, name: str, node: Node) -> Iterator[str]:
        """Yield "label" where a label names the variable."""
        waiting: list[Node] = [node]
        while waiting:
            part = waiting.pop()
            if isinstance(part, Atom):
                if part.symbol is not None and self.index_name(part) == name:
                    yield "label"
                continue
            if isinstance(part, Tree) and part.data == "factor":
                atom, _ = atom_of(part, "")
                waiting += self.letters_below(part) if atom.kind == "WORD" else [atom]
            elif isinstance(part, Tree):
                waiting += part.children

    def roles_in(self, name: str, tree: Node) -> Iterator[str]:
        """Yield what a variable is anywhere in a tree."""
        waiting: list[Node] = [tree]
        while waiting:
            part = waiting.pop()
            if isinstance(part, Tree) and part.data == "product":
                for atom in self.atoms(part):
                    yield from self._roles(name, atom)
            elif isinstance(part, Tree):
                waiting += part.children
