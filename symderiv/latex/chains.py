r"""Chains of equalities, `a = b = c` over any number of lines, one equality after the other.

Each is a claim of its own, for all values of its free indices.  Where both sides name indices that the other does not,
it is no statement about entries and cannot be right.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from lark import Token, Tree

from symderiv import dims
from symderiv.errors import ParseError, Place, ShapeError, SymderivError, UnsupportedError
from symderiv.latex.atoms import Atom, display_key, elements, spot_of
from symderiv.latex.formula import Formula
from symderiv.latex.grammar import parsed
from symderiv.latex.layout import laid_out
from symderiv.latex.names import Key, Reader
from symderiv.latex.pieces import Piece, Spot, call, size_node
from symderiv.latex.source import Layout, Within
from symderiv.lower import index_ranges
from symderiv.tensor.expr import Axes, Axis
from symderiv.tensor.syntax import too_deep

MOST_EQUALITIES = 200


@dataclass(frozen=True)
class Side:
    """One side of an equality: what it says, or why it says nothing; its free indices; where it stands."""

    spot: Spot
    piece: Piece | None = None
    error: SymderivError | None = None
    free: tuple[str, ...] = ()


@dataclass(frozen=True)
class Equality:
    """One equality of a chain as a claim of the statement language; `error` tells why it is none."""

    left: str
    right: str
    place: Place
    chain: int
    test: ast.Compare | None = None
    error: SymderivError | None = None
    only_left: tuple[str, ...] = ()  # indices that are free on one side only
    only_right: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
    under_brace: bool = False

    def __str__(self) -> str:
        return f"{self.left} = {self.right}"

    @property
    def one_sided(self) -> str:
        """Return which indices are free on one side only, in words."""
        found = [(self.only_left, "left"), (self.only_right, "right")]
        return ", ".join(f"{_listed(names)} free on the {side} only" for names, side in found if names)

    @property
    def misfit(self) -> ShapeError | None:
        """Return the error of an equality whose sides are entries of different arrays; none where they may be equal."""
        if not (self.only_left and self.only_right):
            return None
        hint = "both sides of an equality of entries name the same free indices"
        return ShapeError(self.one_sided, place=self.place, hint=hint)


def read_chains(
    text: str,
    reader: Reader,
    display: Mapping[str, str] | None = None,
    source: str = "",
    within: Within | None = None,
) -> list[Equality]:
    r"""Return the equalities of LaTeX, in order; a side that cannot be read is refused with its place.

    `display` tells how names print, as in a handout: `{"d": r"\delta"}`.
    """
    layout = laid_out(text, source, within)
    tree = parsed(layout)
    chains = [c for c in tree.children if isinstance(c, Tree)]
    signs = [t for t in layout.tokens if t.type == "EQUAL"]
    if len(signs) > MOST_EQUALITIES:
        start = signs[MOST_EQUALITIES].start_pos or 0
        layout.refuse(start, None, f"more than {MOST_EQUALITIES} equalities", "check one derivation at a time")
    formula = _Chained(layout, reader, keys_of(display or {}))
    found: list[Equality] = []
    try:
        for number, chain in enumerate(chains):
            found += formula.equalities(number, chain)
    except RecursionError:
        raise too_deep() from None
    return found


def read_side(text: str, reader: Reader, axes: Axes) -> ast.expr:
    """Return one expression in LaTeX as syntax; `I` and 0 have the given axes."""
    layout = laid_out(text)
    tree = parsed(layout)
    sums = [c for chain in tree.children if isinstance(chain, Tree) for c in chain.children if isinstance(c, Tree)]
    if len(sums) != 1:
        hint = "chains of equalities are checked by symderiv.homework"
        raise ParseError("one expression is expected, no equation", place=layout.place(*spot_of(sums[1])), hint=hint)
    formula = _Chained(layout, reader)
    try:
        piece = formula.sum(sums[0])
    except RecursionError:
        raise too_deep() from None
    if formula.seen:
        name, spot = next(iter(formula.seen.items()))
        hint = "write it with matrices, or check the equation with symderiv.homework"
        raise ParseError(f"{name} is free, where an array is expected", place=layout.place(*spot), hint=hint)
    return formula.balanced(Piece(piece.node, axes, piece.spot), piece)[1].node


def keys_of(display: Mapping[str, str]) -> list[tuple[Key, str]]:
    """Return the symbols of a table of names and how they print; what is no single symbol is left out."""
    found: list[tuple[Key, str]] = []
    for name, text in display.items():
        try:
            tree = parsed(laid_out(text))
        except SymderivError:
            continue
        factor: object = tree
        while isinstance(factor, Tree) and factor.data != "factor" and len(factor.children) == 1:
            factor = factor.children[0]
        key = display_key(factor) if isinstance(factor, Tree) and factor.data == "factor" else None
        if key is not None:
            found.append((key, name))
    return found


@dataclass
class _Noted:
    """What stands over a brace and under it."""

    over: Piece
    under: Side
    spot: Spot


class _Chained(Formula):
    """Reads the sides of chains."""

    def __init__(self, layout: Layout, reader: Reader, display: Iterable[tuple[Key, str]] = ()) -> None:
        super().__init__(layout, reader, display)
        self.noted: list[_Noted] = []

    def equalities(self, number: int, chain: Tree[Token]) -> Iterator[Equality]:
        """Yield the equalities of a chain, what stands under braces behind the equality that it stands in."""
        signs = [c.start_pos or 0 for c in chain.children if isinstance(c, Token)]
        if not signs:
            hint = "write both sides, with = between them"
            raise ParseError("a formula without an equals sign", place=self.layout.place(*spot_of(chain)), hint=hint)
        sides: list[Side] = []
        notes: list[list[_Noted]] = []
        for tree in chain.children:
            if isinstance(tree, Tree):
                self.noted = []
                sides.append(self.side(tree))
                notes.append(self.noted)
        ranges = self.ranges_of(sides)
        ends = [*signs[1:], self.next_chain(chain)]
        for k, (sign, end) in enumerate(zip(signs, ends, strict=True)):
            remarks = tuple(text for at, text in self.layout.remarks if sign <= at < end)
            for note in notes[k] if k == 0 else ():
                yield self.under_brace(number, note)
            left, right = self.with_ranges(sides[k], sides[k + 1], ranges)
            yield self.equality(number, left, right, remarks)
            for note in notes[k + 1]:
                yield self.under_brace(number, note)

    def next_chain(self, chain: Tree[Token]) -> int:
        end = spot_of(chain)[1]
        later = [t.start_pos or 0 for t in self.layout.tokens if t.type == "NEXT" and (t.start_pos or 0) >= end]
        return min(later, default=len(self.layout.text) + 1)

    def side(self, tree: Tree[Token]) -> Side:
        """Return a side; one whose shapes do not fit says nothing, and why is kept."""
        self.seen = {}
        spot = spot_of(tree)
        try:
            piece = self.sum(tree)
        except (ShapeError, UnsupportedError) as err:
            return Side(spot, error=err.at(self.layout.place(*spot)))
        return Side(spot, piece, free=tuple(self.seen))

    def ranges_of(self, sides: Sequence[Side]) -> dict[str, Axis]:
        """Return the ranges of the free indices of a chain: an index has one range throughout."""
        found: dict[str, Axis] = {}
        for side in sides:
            known = self.known_ranges(side)
            found |= {n: known[n] for n in side.free if n in known and n not in found}
        return found

    def known_ranges(self, *sides: Side) -> dict[str, Axis]:
        """Return the ranges of indices that some sides tell by themselves."""
        nodes = [s.piece.node for s in sides if s.piece is not None and s.piece.identity is None]
        try:
            return index_ranges(*(self.reader.read(node) for node in nodes))
        except SymderivError:
            return {}

    def with_ranges(self, left: Side, right: Side, ranges: Mapping[str, Axis]) -> tuple[Side, Side]:
        """Return two sides with δ as an entry of I, where they do not tell the range of its indices themselves."""
        known = self.known_ranges(left, right)
        for name in (*left.free, *right.free):
            if name in known and name in ranges and known[name] != ranges[name]:
                shown = (dims.written(axis) for axis in (ranges[name], known[name]))
                message = "{} runs over {} in this chain, and over {} here".format(name.replace("_", "'"), *shown)
                place = self.layout.place(*right.spot)
                return left, replace(right, error=ShapeError(message, place=place))
        missing = {n: ranges[n] for side in (left, right) for n in side.free if n not in known and n in ranges}
        if not missing:
            return left, right
        return self.sized_deltas(left, missing), self.sized_deltas(right, missing)

    def sized_deltas(self, side: Side, ranges: Mapping[str, Axis]) -> Side:
        if side.piece is None or side.piece.identity is not None:
            return side
        node = _Sized(ranges).visit(copy.deepcopy(side.piece.node))
        return replace(side, piece=replace(side.piece, node=self.located(node, side.spot)))

    def equality(self, number: int, left: Side, right: Side, remarks: tuple[str, ...] = ()) -> Equality:
        """Return one equality."""
        texts = [" ".join(self.layout.text[slice(*side.spot)].split()) for side in (left, right)]
        found = Equality(texts[0], texts[1], self.layout.place(*right.spot), number, remarks=remarks)
        error = left.error or right.error
        if error is not None or left.piece is None or right.piece is None:
            return replace(found, error=error)
        only_left = tuple(n for n in left.free if n not in right.free)
        only_right = tuple(n for n in right.free if n not in left.free)
        found = replace(found, only_left=only_left, only_right=only_right)
        try:
            one, other = self.balanced(left.piece, right.piece)
            index_ranges(*(self.reader.read(piece.node) for piece in (one, other)))
        except ShapeError as err:
            return replace(found, error=err.at(found.place))
        test = ast.Compare(left=one.node, ops=[ast.Eq()], comparators=[other.node])
        self.located(test, right.spot)
        return replace(found, test=test)

    # -- under braces

    def underbraced(self, atom: Atom) -> Piece:
        r"""Return what stands over a brace; an equality under it is kept, and words are left out."""
        piece = self.argument(atom.base.children[1])
        if atom.above:
            raise self.error(atom.spot, "a script above an underbrace")
        if atom.below is not None:
            self.note(piece, atom)
        return replace(piece, spot=atom.base_spot)

    def note(self, piece: Piece, atom: Atom) -> None:
        inside = elements(atom.below)
        if len(inside) == 1 and inside[0].data in ("equals", "element"):
            tree = inside[0].children[-1]
            assert isinstance(tree, Tree)
            if self.layout.text[slice(*spot_of(tree))].startswith((r"\text", r"\mbox")):
                return
            outer, self.seen = self.seen, {}
            under = Piece(piece.node, piece.axes, piece.spot, piece.row, piece.identity)
            value = self.sum(tree)
            self.noted.append(_Noted(under, Side(spot_of(tree), value, free=tuple(self.seen)), atom.spot))
            self.seen = {**self.seen, **outer}
            return
        raise self.error(spot_of(atom.below), "what stands under this brace is not read", r"write _{= B_{ij}}")

    def under_brace(self, number: int, note: _Noted) -> Equality:
        """Return the equality of what stands over a brace with what stands under it."""
        over = Side(note.over.spot, note.over, free=note.under.free)
        return replace(self.equality(number, over, note.under), under_brace=True)


def _listed(names: Sequence[str]) -> str:
    shown = [n.rstrip("_") + "'" * (len(n) - len(n.rstrip("_"))) for n in names]
    return f"{' and '.join(shown)} {'is' if len(shown) == 1 else 'are'}"


class _Sized(ast.NodeTransformer):
    """Writes `delta[j, l]` as `eye(p)[j, l]`, where the range of a free index is known."""

    def __init__(self, ranges: Mapping[str, Axis]) -> None:
        self.ranges = ranges

    def visit_Subscript(self, node: ast.Subscript) -> ast.AST:
        """Write one δ."""
        match node:
            case ast.Subscript(value=ast.Name(id="delta"), slice=ast.Tuple(elts=[ast.Name(id=i), ast.Name(id=j)])):
                axis = next((self.ranges[n] for n in (i, j) if n in self.ranges), None)
                if axis is not None:
                    node.value = ast.copy_location(call("eye", size_node(axis)), node.value)
                return node
        return self.generic_visit(node)


__all__ = ["Equality", "keys_of", "read_chains", "read_side"]
