r"""What symbols and groups say: entries, members of families, transposes, inverses, powers, δ and I."""

from __future__ import annotations

import ast

from lark import Token, Tree

from symderiv.errors import ShapeError
from symderiv.latex.atoms import Atom, Node, elements, in_brackets, plain_word, spot_of
from symderiv.latex.names import Key
from symderiv.latex.pieces import Piece, Spot, call, entry
from symderiv.latex.symbols import CALLED, Meaning, Symbols


class Values(Symbols):
    """Reads values."""

    def whole(self, m: Meaning) -> Piece:
        """Return what a name with its subscripts says, without what stands above."""
        atom, name = m.atom, m.name
        node: ast.expr = ast.Name(id=name, ctx=ast.Load())
        spot = atom.spot if not atom.above else (atom.spot[0], self.end_below(atom))
        self.located(node, atom.base_spot)
        if m.kind in ("integer", "size"):
            if atom.below is not None or atom.primes:
                raise self.error(atom.spot, f"{name} is an integer and has no entries")
            return self.piece(node, (), spot)
        if m.kind == "label":
            raise self.error(atom.spot, f"{name} is a subscript, not an array", "write it below: p_{t,y_t}")
        if m.kind == "family":
            return self.member(m, node, spot)
        if m.kind == "function" and atom.below is not None:
            labels = [self.label(s) for s in self.subscripts(atom.below)]
            return self.read_shape(call(name, *labels), spot)
        if m.kind in CALLED:
            raise self.error(atom.spot, f"{name} is a function and needs arguments", f"write {name}(…)")
        if atom.below is None:
            return self.read_shape(node, spot)
        return self.entry_of(Piece(node, self.axes_of(node), spot), atom.below, spot)

    def end_below(self, atom: Atom) -> int:
        return max(atom.base_spot[1], spot_of(atom.below)[1] if atom.below is not None else 0)

    def member(self, m: Meaning, node: ast.expr, spot: Spot) -> Piece:
        """Return a member of a family, or an entry of it."""
        atom = m.atom
        labels = [in_brackets(a) for a in atom.above if in_brackets(a) is not None]
        subs = self.subscripts(atom.below) if atom.below is not None else []
        if labels and labels[0] is not None:
            label = self.integer(labels[0])
        elif subs:
            label, subs = self.label(subs[0]), subs[1:]
        else:
            raise self.error(atom.spot, f"{m.name} is a family", f"write {m.name}_t for a member of it")
        whole = self.read_shape(entry(node, [label]), spot)
        if not subs:
            return whole
        self.check_rank(whole, len(subs), spot)
        parts = [label, *(self.index(s) for s in subs)]
        return self.read_shape(entry(ast.Name(id=m.name, ctx=ast.Load()), parts), spot)

    def entry_of(self, piece: Piece, below: Node, spot: Spot) -> Piece:
        """Return an entry of an array, or a row or a column of it."""
        subs = self.subscripts(below)
        self.check_rank(piece, len(subs), spot)
        return self.read_shape(entry(piece.node, [self.index(s) for s in subs]), spot)

    def check_rank(self, piece: Piece, count: int, spot: Spot) -> None:
        if piece.identity is not None or piece.rank != count:
            following = self.layout.text[spot[1] : spot[1] + 1]
            if following.isalnum() and self.layout.text[spot[1] - 2 : spot[1] - 1] == "_":
                before = self.layout.text[spot[1] - 1]
                message = f"only the {before} of {before}{following} stands below"
                raise self.error((spot[1] - 1, spot[1] + 1), message, f"write _{{{before}{following}}}")
            subscripts = "1 subscript" if piece.rank == 1 else f"{piece.rank} subscripts"
            raise ShapeError(
                f"{subscripts} needed, {count} given",
                place=self.layout.place(*spot),
                shapes={self.shown(piece): piece.shape},
            )

    def special(self, atom: Atom) -> Piece | None:
        r"""Return what a symbol means that nothing declares: δ, I, and the base of the exponential."""
        if atom.symbol is None or atom.symbol[1]:
            return None
        base = atom.symbol[0]
        if base == "delta" and atom.below is not None:
            subs = self.subscripts(atom.below)
            if len(subs) != 2:
                raise self.error(atom.spot, "δ takes two indices", r"write \delta_{ij}")
            return self.piece(entry(ast.Name(id="delta", ctx=ast.Load()), [self.index(s) for s in subs]), (), atom.spot)
        if base == "I" and atom.below is not None:
            return self.sized_identity(atom)
        if base == "I":
            return Piece(ast.Constant(value=1), (), atom.spot, identity=lambda n: call("eye", n))
        return None

    def sized_identity(self, atom: Atom) -> Piece:
        """Return `I_n`."""
        word = plain_word(atom.below)
        names = [n for n in self.vocabulary.means(Key(word)) if self.vocabulary.kind(n) == "size"]
        if not names and not word.isdigit():
            raise self.error(atom.spot, "what stands below I is its size", "write I_n, n the name of a size")
        size: ast.expr = ast.Constant(value=int(word)) if word.isdigit() else ast.Name(id=names[0], ctx=ast.Load())
        return self.read_shape(call("eye", size), atom.spot)

    # -- what stands above

    def scripted(self, piece: Piece, atom: Atom) -> Piece:
        """Return a piece with what is left above it: transposes, inverses, powers."""
        for above in atom.above:
            if in_brackets(above) is None or atom.symbol is None:
                piece = self.above(piece, above, atom)
        return piece

    def above(self, piece: Piece, above: Node, atom: Atom) -> Piece:
        """Return a piece with one script above it."""
        spot = (piece.spot[0], max(piece.spot[1], atom.spot[1]))
        inside = elements(above)
        first = inside[0] if len(inside) == 1 else None
        if first is not None and first.data == "operated":
            if str(first.children[0]) != "⊙":
                raise self.error(spot_of(above), "this exponent is not read")
            return self.power_of_entries(piece, self.sum(first.children[1]), spot)  # type: ignore[arg-type]
        sign, word = self.mark(above)
        if word == "T" and not sign and not piece.rank and not self.vocabulary.is_free("T"):
            word = ""
        if word == "T":
            self.one_reading_of_t(piece, above)
            inverse = self.inverted(piece, spot) if sign else piece
            return self.transposed(inverse, spot)
        if sign and word == "1":
            return self.inverted(piece, spot)
        exponent = self.exponent(above)
        return self.raised(piece, exponent, spot)

    def one_reading_of_t(self, piece: Piece, above: Node) -> None:
        """Refuse `A^T` where T is a number and A is square: it may be a power."""
        shown = self.layout.text[slice(*spot_of(above))].strip("{-} ")
        if shown == "T" and not self.vocabulary.is_free("T") and piece.is_square:
            raise self.ambiguous(
                spot_of(above), "a transpose or a power? T is declared", r"write ^\top for a transpose"
            )

    def mark(self, above: Node) -> tuple[str, str]:
        """Return the sign and the word of a short script: `-1`, `T`, `-T`."""
        if isinstance(above, Tree) and above.data in ("word", "fonted"):
            return "", _mark(plain_word(above) or _top(above))
        inside = elements(above)
        tree = inside[0].children[0] if len(inside) == 1 and inside[0].data == "element" else None
        if not isinstance(tree, Tree) or tree.data != "sum":
            return "", ""
        sign = "-" if isinstance(tree.children[0], Token) and tree.children[0] == "-" else ""
        product = tree.children[-1]
        if len(tree.children) != 1 + bool(sign) or not isinstance(product, Tree) or len(product.children) != 1:
            return "", ""
        factor = product.children[0]
        assert isinstance(factor, Tree)
        base = factor.children[0]
        return sign, _mark(plain_word(base) or _top(base)) if len(factor.children) == 1 else ""

    def exponent(self, above: Node) -> Piece:
        """Return an exponent as a piece."""
        inside = elements(above)
        if not inside:
            return self.argument(above)
        if len(inside) != 1 or inside[0].data != "element" or len(inside[0].children) != 1:
            raise self.error(spot_of(above), "this exponent is not read")
        return self.sum(inside[0].children[0])  # type: ignore[arg-type]

    def argument(self, node: Node) -> Piece:
        """Return what a command takes: a group, or a single symbol."""
        raise NotImplementedError


def _mark(word: str) -> str:
    return "T" if word in ("T", "top", r"\top", "intercal", "trans", "transp") else word


def _top(node: Node) -> str:
    if isinstance(node, Tree) and node.data == "word" and node.children[0].type == "TOP":  # type: ignore[union-attr]
        return "T"
    return ""
