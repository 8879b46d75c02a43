r"""Products with dots: `J_t J_{t-1} \cdots J_{\tau+1}` is the product over the range that its factors show.

Two factors beside each other tell the direction; where only one stands before the dots, the ends of the range do.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import sympy

from symderiv import trees
from symderiv.families import Label, Range
from symderiv.latex.functions import Functions
from symderiv.latex.pieces import Piece, Spot, call

NOTHING = Range("no label", sympy.Integer(1), sympy.Integer(0))  # inside of it only shapes matter
LETTERS = ("s", "r", "q", "u", "v", "l")


@dataclass(frozen=True)
class Change:
    """What changes from one factor to another: the labels of the one, and of the other."""

    one: ast.expr
    other: ast.expr
    labels: tuple[Label, Label]


class Dots(Functions):
    """Reads products with dots."""

    def between(self, before: Piece | None, first: Piece, last: Piece, spot: Spot) -> tuple[Piece, bool]:
        """Return the product from one factor to another, and whether the factor before the first is one of its own."""
        changes = list(self.changes(first.node, last.node) or ())
        if first.axes != last.axes or not (first.rank == 0 or first.is_square) or not changes:
            hint = r"write the product with its range: \prod_{s=1}^{t} J_s"
            raise self.error(spot, "the factors beside these dots differ in more than a label", hint)
        start, end = changes[0].labels
        if any(sympy.expand((c.labels[0] - start) - (c.labels[1] - end)) != 0 for c in changes):
            hint = r"write \prod_{s=1}^{t} J_s"
            raise self.error(spot, "the labels beside these dots change in different ways", hint)
        step = self.step(before, first, changes)
        bounds = self.reader.bounds
        at = start - step
        down, up = bounds.certain(at - end + 1), bounds.certain(end - at + 1)
        if step and not (down if step < 0 else up):
            hint = "declare what is known of its ends: assert T >= 1, ranges of tau and t"
            raise self.ambiguous(spot, f"do these factors end at {end}, counting from {at}?", hint)
        if not step and not (down or up):
            hint = "write two factors before the dots"
            raise self.ambiguous(spot, f"does this product run up or down from {at} to {end}?", hint)
        backward = step < 0 if step else not up
        return self.over(first, changes, at, end, backward, spot), bool(step)

    def step(self, before: Piece | None, first: Piece, changes: list[Change]) -> int:
        """Return by how much labels change from the factor before; 0 where it is none of the product."""
        found = list(self.changes(before.node, first.node) or ()) if before is not None else []
        steps = {sympy.expand(c.labels[1] - c.labels[0]) for c in found}
        if len(steps) != 1 or len(found) != len(changes):
            return 0
        step = steps.pop()
        return int(step) if step in (1, -1) else 0

    def changes(self, one: ast.AST, other: ast.AST) -> Iterator[Change] | None:
        """Return where two factors differ in labels; None where they differ in anything else."""
        found: list[Change] = []
        return iter(found) if self._compare(one, other, found) else None

    def _compare(self, one: object, other: object, found: list[Change]) -> bool:
        if isinstance(one, list) and isinstance(other, list):
            return len(one) == len(other) and all(self._compare(a, b, found) for a, b in zip(one, other, strict=True))
        if not isinstance(one, ast.AST) or not isinstance(other, ast.AST):
            return one == other
        if isinstance(one, ast.expr) and isinstance(other, ast.expr):
            a, b = self.reader.integer_or_none(one), self.reader.integer_or_none(other)
            if a is not None and b is not None:
                if sympy.expand(a - b) != 0:
                    found.append(Change(one, other, (a, b)))
                return True
        return type(one) is type(other) and all(
            self._compare(getattr(one, name, None), getattr(other, name, None), found) for name in one._fields
        )

    def over(self, first: Piece, changes: list[Change], start: Label, end: Label, backward: bool, spot: Spot) -> Piece:
        """Return the product over the labels from one end to the other."""
        taken = {*self.reader.integers, *self.reader.scope.names, *self.reader.scope.sizes, *self.seen}
        letter = next((n for n in LETTERS if n not in taken), None)
        if letter is None:
            raise self.error(spot, "no letter is left for this range", r"write \prod_{s=1}^{t} J_s")
        own = changes[0].labels[0]
        change = {id(c.one): sympy.expand(c.labels[0] - own) for c in changes}
        term: ast.expr = _Shifted(letter, change).visit(_marked(first.node, change))
        stop = end - 1 if backward else end + 1
        step: list[ast.expr] = [ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=1))] if backward else []
        ends = [trees.expression(f"({label})") for label in (start, stop)]
        over = ast.comprehension(
            target=ast.Name(id=letter, ctx=ast.Store()), iter=call("range", *ends, *step), ifs=[], is_async=0
        )
        return self.fresh(call("prod", ast.GeneratorExp(elt=term, generators=[over])), first, spot)

    def fresh(self, node: ast.expr, first: Piece, spot: Spot) -> Piece:
        """Return syntax put together from parts of other places, all of it at one spot."""
        for part in ast.walk(node):
            for name in ("lineno", "col_offset", "end_lineno", "end_col_offset"):
                part.__dict__.pop(name, None)
        return self.piece(node, first.axes, spot)


def _marked(node: ast.expr, change: dict[int, Label]) -> ast.expr:
    """Return a copy in which the labels that change are marked."""
    memo: dict[int, object] = {}
    copied = copy.deepcopy(node, memo)
    for part, label in change.items():
        memo[part].shift = label  # type: ignore[attr-defined]
    return copied


class _Shifted(ast.NodeTransformer):
    """Writes marked labels with a letter: `t - 1` as `s - 1`."""

    def __init__(self, letter: str, change: dict[int, Label]) -> None:
        self.letter, self.change = letter, change

    def visit(self, node: ast.AST) -> Any:
        """Write one label."""
        shift = getattr(node, "shift", None)
        if shift is None:
            return self.generic_visit(node)
        return trees.expression(f"({self.letter} + ({shift}))" if shift != 0 else self.letter)
