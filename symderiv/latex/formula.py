r"""Formulas: sums of products of factors, as syntax of the statement language."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import replace

from lark import Token, Tree

from symderiv.latex.atoms import Atom, Node, atom_of, elements, only_factor, only_product, spot_of
from symderiv.latex.dots import NOTHING, Dots
from symderiv.latex.pieces import Piece, Spot, call
from symderiv.latex.symbols import MOST_DEPTH, MOST_PARTS, Meaning


class Formula(Dots):
    """Reads formulas."""

    # -- sums

    def sum(self, tree: Tree[Token]) -> Piece:
        """Return a sum of products."""
        self.depth += 1
        if self.depth > MOST_DEPTH:
            raise self.error(spot_of(tree), "the formula is nested too deeply", "name a part of it in the declarations")
        try:
            return self.summands(tree)
        finally:
            self.depth -= 1

    def summands(self, tree: Tree[Token]) -> Piece:
        if len(tree.children) > 2 * MOST_PARTS:
            hint = "name a part of it in the declarations"
            raise self.error(spot_of(tree), f"a sum of more than {MOST_PARTS} terms", hint)
        result: Piece | None = None
        sign = "+"
        bound: dict[str, Spot] = {}
        for child in tree.children:
            if isinstance(child, Token):
                sign = "-" if child.type == "MINUS" else "+"
                continue
            outer, self.seen = self.seen, {}
            atoms = self.atoms(child)
            piece = self.product_of(atoms)
            self.reach(bound)
            self.seen = {**self.seen, **outer}
            bound |= self.bound_at_end(atoms)
            spot = (spot_of(tree)[0], piece.spot[1])
            if result is None:
                result = self.negated(piece, spot) if sign == "-" else piece
            else:
                result = self.added(result, ast.Sub() if sign == "-" else ast.Add(), piece)
        assert result is not None
        return replace(result, spot=spot_of(tree))

    def reach(self, bound: dict[str, Spot]) -> None:
        r"""Refuse `\sum_i a_i + b_i`: the i of b may be meant to be summed over."""
        for name, spot in self.seen.items():
            if name in bound:
                hint = "put in brackets what is summed over, or take another letter"
                raise self.ambiguous(spot, f"is this {name} the one that is summed over?", hint)

    def bound_at_end(self, atoms: Sequence[Atom]) -> dict[str, Spot]:
        """Return the indices of the sums that a product ends with, outside of brackets."""
        found: dict[str, Spot] = {}
        for atom in atoms:
            if atom.kind == "BIG" and atom.below is not None:
                found |= {self.index_name(v): atom.spot for v in self.bound_below(atom.below)[0]}
        return found

    # -- products

    def product_of(self, atoms: Sequence[Atom]) -> Piece:
        """Return the product of some factors, from left to right."""
        if any(atom.kind == "DOTS" for atom in atoms):  # one of its factors may be none, where it is empty
            with self.reader.inside(NOTHING):
                return self.folded(atoms)
        return self.folded(atoms)

    def folded(self, atoms: Sequence[Atom]) -> Piece:
        parts: list[tuple[str, Piece]] = []
        at = 0
        while at < len(atoms):
            atom = atoms[at]
            if self.is_remark(atoms, at):
                break
            if atom.kind == "DOTS":
                at = self.dotted(atoms, at, parts)
                continue
            piece, following = self.factor(atoms, at)
            self.one_denominator(atoms, at, following)
            parts.append((atom.operator, piece))
            at = following
        if not parts:
            raise self.error(atoms[0].spot, "words where a formula is expected", r"remarks stand behind &&")
        result = parts[0][1]
        for operator, piece in parts[1:]:
            result = self.multiplied(result, operator, piece)
        return result

    def dotted(self, atoms: Sequence[Atom], at: int, parts: list[tuple[str, Piece]]) -> int:
        """Put the product that dots stand for in the place of the factors before them; return what comes next."""
        dots = atoms[at]
        if not parts or at + 1 >= len(atoms) or dots.operator not in ("", "·") or dots.above or dots.below is not None:
            hint = r"write the sum or the product with its range: \prod_{s=1}^{t} J_s"
            raise self.error(dots.spot, "dots stand between the factors of a product", hint)
        operator, first = parts.pop()
        before = parts[-1][1] if parts and operator in ("", "·") else None
        last, following = self.factor(atoms, at + 1)
        spot = (first.spot[0], last.spot[1])
        whole, merged = self.between(before, first, last, spot)
        if merged:
            operator, _ = parts.pop()
        parts.append((operator, whole))
        return following

    def is_remark(self, atoms: Sequence[Atom], at: int) -> bool:
        """Tell whether words end a side; words in its middle are refused."""
        atom = atoms[at]
        if atom.kind != "TEXT" or self.function_of(atom) is not None:
            return False
        if at == 0 or at + 1 < len(atoms):
            raise self.error(atom.spot, "words in the middle of a formula", r"remarks stand behind &&")
        return True

    def one_denominator(self, atoms: Sequence[Atom], at: int, following: int) -> None:
        """Refuse `a/b c`: c may stand above the line or below it."""
        if atoms[at].operator == "/" and following < len(atoms) and not atoms[following].operator:
            if atoms[following].kind != "TEXT":
                hint = r"write \frac{…}{…}, or brackets"
                raise self.ambiguous(atoms[following].spot, "is this factor above or below the line?", hint)

    def factor(self, atoms: Sequence[Atom], at: int) -> tuple[Piece, int]:
        """Return a factor with what it takes of those behind it, and where the next one is."""
        atom = atoms[at]
        if atom.kind == "BIG":
            return self.big(atom, atoms[at + 1 :]), len(atoms)
        if atom.kind == "PARTIAL":
            return self.inline(atoms, at)
        if atom.kind == "NABLA":
            return self.gradient(atoms, at)
        if atom.kind == "fraction":
            slope = self.slope(atom.base)
            if slope is not None:
                if slope.of:
                    found = self.of_function(slope)
                    found = found or self.derivative(slope, replace(self.product_of(slope.of), spot=slope.spot))
                    return self.with_scripts(found, atom), at + 1
                operand, following = self.operand(atoms, at, "the derivative")
                return self.derivative(slope, operand), following
        before_bracket = at + 1 < len(atoms) and atoms[at + 1].kind == "bracketed" and not atoms[at + 1].operator
        function = self.function_of(atom, before_bracket)
        if function is not None:
            return self.applied(*function, atoms, at)
        if at + 1 < len(atoms):
            self.one_reading_of_call(atom, atoms[at + 1])
        return self.value(atom), at + 1

    def operand(self, atoms: Sequence[Atom], at: int, what: str) -> tuple[Piece, int]:
        """Return what an operator without brackets acts on: the next factor, where nothing else can be meant."""
        if at + 1 >= len(atoms) or atoms[at + 1].operator:
            raise self.error(atoms[at].spot, f"{what} of nothing", "put what it acts on in brackets behind it")
        piece, following = self.factor(atoms, at + 1)
        rest = atoms[following] if following < len(atoms) else None
        if rest is not None and not rest.operator and rest.kind != "TEXT":
            shown = self.layout.text[slice(*atoms[at].base_spot)]
            hint = "put what it acts on in brackets"
            raise self.ambiguous(rest.spot, f"does {_short(shown)} reach as far as this factor?", hint)
        return piece, following

    def inline(self, atoms: Sequence[Atom], at: int) -> tuple[Piece, int]:
        r"""Return `\partial E / \partial W_{kl}`."""
        line = next((k for k in range(at + 1, len(atoms)) if atoms[k].operator == "/"), None)
        if line is None or not atoms[line].is_token("PARTIAL") or line == at + 1:
            hint = r"write \frac{\partial f}{\partial x}"
            raise self.error(atoms[at].spot, "a differential by itself", hint)
        end = line
        while end + 1 < len(atoms) and atoms[end].is_token("PARTIAL") and not atoms[end + 1].operator:
            end += 2
        if end >= len(atoms) or not atoms[end].is_token("PARTIAL"):
            end = min(end, len(atoms))
        below = [replace(a, operator="") for a in atoms[line:end]]
        if line > at + 2:
            raise self.ambiguous(atoms[line].spot, "a quotient of a product", r"write \frac{\partial f}{\partial x}")
        slope = self.slope_of(atoms[at:line], below, (atoms[at].spot[0], below[-1].spot[1]))
        found = self.of_function(slope) or self.derivative(slope, self.product_of(slope.of))
        return found, end

    def gradient(self, atoms: Sequence[Atom], at: int) -> tuple[Piece, int]:
        r"""Return `\nabla_w E`."""
        atom = atoms[at]
        if atom.below is None or atom.above:
            hint = r"write \nabla_w E, or \frac{\partial^2 E}{\partial w\,\partial w^\top}"
            raise self.error(atom.spot, "the gradient in what?", hint)
        variables = [s for s in self.subscripts(atom.below) if isinstance(s, Atom)]
        if len(variables) != 1:
            raise self.error(atom.spot, "a gradient is taken in one array", r"write \nabla_w E")
        operand, following = self.operand(atoms, at, "the gradient")
        variable = self.variable(variables[0])
        spot = (atom.spot[0], operand.spot[1])
        if operand.rank:
            raise self.misfit(
                "the gradient of what is no number", spot, r"write \frac{\partial y}{\partial x}", operand
            )
        return self.read_shape(call("diff", operand.node, variable.node), spot), following

    def one_reading_of_call(self, atom: Atom, following: Atom) -> None:
        """Refuse `E(A)` for an array E: the value of a function may be meant."""
        scripts = following.below is not None or following.above
        if atom.symbol is None or following.kind != "bracketed" or following.operator or scripts:
            return
        inside = elements(following.base)
        product = only_product(inside[0]) if len(inside) == 1 else None
        single = product is not None and len(product.children) == 1 and _is_name(product.children[0])
        if (len(inside) > 1 or single) and following.base.children[0] == "(":
            shown = self.layout.text[slice(*atom.base_spot)]
            hint = rf"write {shown} alone for what is declared, or \cdot for a product"
            raise self.ambiguous(following.spot, f"is this the value of a function {shown}, or a product?", hint)

    # -- values

    def value(self, atom: Atom) -> Piece:
        """Return what a single factor says."""
        if atom.kind == "NUMBER":
            text = atom.text
            number = self.piece(ast.Constant(value=int(text) if text.isdigit() else float(text)), (), atom.base_spot)
            if atom.below is not None or atom.primes:
                raise self.error(atom.spot, "a number has no entries")
            return self.with_scripts(number, atom)
        if atom.symbol is not None:
            meaning = self.meaning(atom)
            if meaning is not None:
                return self.named(meaning)
            special = self.special(atom)
            if special is not None:
                return self.with_scripts(special, replace(atom, below=None))
            if atom.symbol == ("e", "") and atom.above and atom.below is None:
                return self.exponential(atom)
            raise self.unknown(atom)
        return self.with_scripts(self.grouped(atom), atom)

    def named(self, meaning: Meaning) -> Piece:
        """Return a name with its scripts; a transpose or an inverse is taken before an entry of it."""
        atom = meaning.atom
        if meaning.kind != "array" or atom.below is None or not atom.above:
            return self.scripted(self.whole(meaning), atom)
        bare = self.whole(replace(meaning, atom=replace(atom, below=None, above=())))
        return self.entry_and_power(bare, atom)

    def entry_and_power(self, piece: Piece, atom: Atom) -> Piece:
        """Return `D^T_{ki}`, an entry of the transpose, or `x_i^2`, the power of an entry."""
        assert atom.below is not None
        spot = (piece.spot[0], atom.spot[1])
        powers: list[Node] = []
        for above in atom.above:
            sign, word = self.mark(above)
            if sign and word in ("1", "T") and piece.rank == 2:
                hint = r"write (A^{-1})_{ij} or (A_{ij})^{-1}"
                raise self.ambiguous(atom.spot, "an entry of the inverse, or one over the entry?", hint)
            if word == "T" and piece.rank == 2:
                self.one_reading_of_t(piece, above)
                piece = self.transposed(piece, spot)
            else:
                powers.append(above)
        found = self.entry_of(piece, atom.below, spot)
        return self.scripted(found, replace(atom, below=None, above=tuple(powers)))

    def with_scripts(self, piece: Piece, atom: Atom) -> Piece:
        """Return a group, a fraction or a value with its scripts."""
        if atom.primes:
            raise self.error(atom.spot, "a prime on what is no function", r"write ^\top for a transpose")
        if atom.below is not None and atom.kind not in ("norm", "underbraced", "NUMBER"):
            return self.entry_and_power(piece, atom)
        return self.scripted(piece, replace(atom, symbol=None))

    def exponential(self, atom: Atom) -> Piece:
        """Return `e^{…}`."""
        exponent = self.exponent(atom.above[0])
        return self.called("exp", "built in", 0, [exponent], atom.spot)

    def grouped(self, atom: Atom) -> Piece:
        """Return what brackets, braces, lines and bars hold."""
        tree = atom.base
        match tree.data:
            case "bracketed":
                inside = elements(tree)
                if len(inside) != 1:
                    raise self.error(atom.spot, "a list where one formula is expected")
                return replace(self.inner(inside[0]), spot=atom.base_spot)
            case "group":
                return self.braced(atom)
            case "fraction":
                above, below = (self.argument(node) for node in tree.children[1:])
                return replace(self.divided(above, below), spot=atom.base_spot)
            case "root":
                return self.root(atom)
            case "norm":
                return self.norm(atom)
            case "bars":
                return self.absolute(atom)
            case "angles":
                return self.inner_product(atom)
            case "underbraced":
                return self.underbraced(atom)
            case "fonted":
                return self.argument(tree.children[1])
            case "accented":
                raise self.error(atom.spot, "an accent on what is no single symbol")
        raise self.error(atom.spot, f"{self.layout.text[slice(*atom.spot)]} is not read here")

    def inner(self, element: Tree[Token]) -> Piece:
        """Return the formula that an element of a list is."""
        if element.data != "element" or len(element.children) != 1:
            raise self.error(spot_of(element), "a formula is expected here")
        child = element.children[0]
        assert isinstance(child, Tree)
        return self.sum(child)

    def argument(self, node: Node) -> Piece:
        """Return what a command takes: a group, or a single symbol."""
        inside = elements(node)
        if inside:
            if len(inside) > 1:
                raise self.error(spot_of(node), "a list where one formula is expected")
            return self.inner(inside[0])
        if isinstance(node, Tree) and node.data in ("word", "fonted", "accented", "group"):
            if node.data == "group":
                raise self.error(spot_of(node), "empty braces")
            atom, _ = atom_of(Tree("factor", [node], node.meta), "")
            return self.value(atom)
        raise self.error(spot_of(node), "a formula is expected here")

    def braced(self, atom: Atom) -> Piece:
        """Return what braces hold; they do not show, so they must not be needed."""
        inside = elements(atom.base)
        if only_factor(atom.base) is None and len(inside) == 1:
            alone = atom.operator == "" and not atom.above and atom.below is None
            if not alone or only_product(inside[0]) is None:
                raise self.ambiguous(atom.spot, "these braces do not show in print", "write ( ) around it")
        if not inside:
            raise self.error(atom.spot, "empty braces")
        return self.argument(atom.base)

    def root(self, atom: Atom) -> Piece:
        """Return a square root, or another one."""
        children = atom.base.children
        radicand = self.argument(children[-1])
        if len(children) == 2:
            return (
                self.called("sqrt", "built in", 0, [radicand], atom.base_spot)
                if not radicand.rank
                else self.no_root(radicand, atom)
            )
        degree = self.sum(children[2])
        if radicand.rank:
            return self.no_root(radicand, atom)
        one = Piece(ast.Constant(value=1), (), degree.spot)
        return self.raised(radicand, self.divided(one, degree), atom.base_spot)

    def no_root(self, piece: Piece, atom: Atom) -> Piece:
        raise self.misfit("the root of an array", atom.base_spot, "name it in the declarations", piece)

    def norm(self, atom: Atom) -> Piece:
        r"""Return `\|x\|`, `\|x\|_1` or `\|A\|_F`."""
        piece = self.sum(atom.base.children[1])
        below = self.layout.text[slice(*spot_of(atom.below))].strip("{ }") if atom.below is not None else ""
        if piece.rank == 1 and below in ("", "2"):
            return self.read_shape(call("norm", piece.node), atom.base_spot)
        if piece.rank == 1 and below == "1":
            return self.read_shape(call("sum", call("abs", piece.node)), atom.base_spot)
        if piece.rank == 2 and below in ("F", r"\mathrm{F}", r"\text{F}"):
            return self.read_shape(call("norm", piece.node), atom.base_spot)
        hint = r"known are \|x\|, \|x\|_1 of vectors and \|A\|_F of matrices"
        raise self.ambiguous(atom.spot, "which norm is meant?", hint)

    def absolute(self, atom: Atom) -> Piece:
        """Return an absolute value, of a number."""
        piece = self.sum(atom.base.children[1])
        if piece.rank:
            hint = r"write \det A, \|x\|, or \operatorname{abs}(x) for entry by entry"
            raise self.ambiguous(atom.spot, "bars around an array", hint)
        return self.read_shape(call("abs", piece.node), atom.base_spot)

    def inner_product(self, atom: Atom) -> Piece:
        r"""Return `\langle x, y \rangle` of two vectors."""
        inside = [self.inner(e) for e in elements(atom.base)]
        if len(inside) != 2 or any(p.rank != 1 for p in inside):
            raise self.error(atom.spot, "an inner product is one of two vectors", r"write \operatorname{tr}(A^\top B)")
        return self.multiplied(replace(inside[0], row=False), "·", replace(inside[1], row=False))

    def underbraced(self, atom: Atom) -> Piece:
        r"""Return what stands over a brace; what stands under it is noted."""
        raise NotImplementedError


def _is_name(factor: object) -> bool:
    if not isinstance(factor, Tree):
        return False
    atom, _ = atom_of(factor, "")
    return atom.symbol is not None and not atom.above


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) < 40 else text[:30] + " …"
