"""Equalities about inverses: N R = 1 makes R the inverse of N, and an invertible factor may be taken off both sides.

The product is multiplied out in matrix notation, line by line; every line is an entry, at the same indices, of an
expression whose index definition the kernel looks through.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from typing import Any, Protocol

import sympy

from symderiv.claims.spelling import poly_expr, term_expr, total, word_expr
from symderiv.claims.words import (
    ONE,
    Poly,
    Scalar,
    Term,
    Word,
    Words,
    added,
    is_sum,
    joined,
)
from symderiv.errors import ProofError
from symderiv.index.nodes import Argument, Context, Delta, Entry, Index, Tensor
from symderiv.index.rewriter import Rewriter
from symderiv.tensor.expr import Expr, walk
from symderiv.tensor.operations import apply

MOST_LINES = 6
Shape = tuple[Any, ...]
Equations = tuple[tuple[Expr, Expr], ...]


class Around(Protocol):
    """The proof that a lemma is a part of."""

    lemmas: list[Argument]

    def matrix(self, expr: Expr, order: Sequence[Index]) -> Tensor:
        """Return the head of an array in matrix notation, its index definition written down."""

    def label(self, about: str) -> str:
        """Return the label of the lemma about something."""

    def letters(self, expr: Expr) -> tuple[Index, ...]:
        """Return an index for each axis."""

    def context(self) -> Context:
        """Return what the steps may use."""


def with_inverses(*sides: Expr) -> bool:
    """Tell whether an inverse stands in an equality: it may hold although the normal forms differ."""
    return any(e.op in ("inv", "solve") for e in walk(*sides))


def by_inverses(around: Around, left: Expr, right: Expr, order: tuple[Index, ...]) -> Rewriter:
    """Return the chain from the left side to the right one, what it needs proved before as a lemma.

    Both are entries at the indices `order`.  Raises ProofError where none of the laws leads there.
    """
    work = Rewriter(Entry(around.matrix(left, order), *order), around.context())
    found = next(filter(None, (_Search(around, left, right, order, turned).found() for turned in (False, True))), None)
    if found is None:
        raise ProofError("the two sides were not found equal with N N⁻¹ = 1")
    lemma, step, instance = found
    around.lemmas.append(lemma)
    goal = Entry(around.matrix(right, order), *order)
    work.context = around.context()
    work.replace(step, (), goal, {"label": lemma.label, **instance})
    return work


Found = tuple[Argument, str, dict[str, Any]]


class _Search:
    """Looks for the law that an equality follows from."""

    def __init__(self, around: Around, left: Expr, right: Expr, order: tuple[Index, ...], turned: bool) -> None:
        self.around, self.order = around, order
        self.left, self.right = left, right
        self.words = Words(turned)

    def found(self) -> Found | None:
        """Return a lemma, and the law by which the equality follows from it; None where none was found."""
        try:
            return self.search()
        except (OverflowError, ZeroDivisionError):
            return None

    def search(self) -> Found | None:
        for inverse, other in ((self.left, self.right), (self.right, self.left)):
            if inverse.op == "inv" and len(inverse.axes[0]) == 1:
                lemma = self.identity(inverse.args[0], other)
                if lemma is not None:
                    return lemma, "inverse unique", {}
        for near, far in self.factors():
            lemma = self.multiplied(near, far)
            if lemma is not None:
                half = len(self.order) - 1
                instance = {
                    "left": None if near is None else self.head(near),
                    "rows": self.order[:1],
                    "right": None if far is None else self.head(far),
                    "columns": self.order[half:],
                    "factors": tuple(n for n in (near, far) if n is not None),
                }
                return lemma, "invertible", instance
        return None

    def identity(self, matrix: Expr, other: Expr) -> Argument | None:
        """Return the lemma that N R is the identity."""
        product = apply("matmul", matrix, other)
        poly = self.words.product(self.words.poly(matrix), self.words.poly(other))
        if not self.words.equal(poly, ONE):
            return None
        lines = _Lines(self.words, product.shape)
        lines.add(product)
        lines.multiply_out(lambda: self.words.product(self.words.poly(matrix), self.words.poly(other)))
        return self.lemma(self.around.label("N R = 1"), lines, self.order, Delta(*self.order))

    def factors(self) -> Iterator[tuple[Expr | None, Expr | None]]:
        """Yield the factors to multiply by, from the left and from the right: matrices whose inverses stand there."""
        rank = self.left.rank
        inside = [e.args[0] for e in walk(self.left, self.right) if e.op == "inv" and len(e.axes[0]) == 1]
        near = [n for n in dict.fromkeys(inside) if rank and n.axes[0] == self.left.axes[0]]
        far = [n for n in dict.fromkeys(inside) if rank and n.axes[0] == self.left.axes[-1]]
        yield from ((n, None) for n in near)
        yield from ((None, n) for n in far)
        if rank == 2:
            yield from ((n, k) for n in near for k in far)

    def head(self, matrix: Expr) -> str:
        """Return the name under which an inverse stands in the proof."""
        return self.around.matrix(apply("inv", matrix), self.around.letters(matrix)).name

    def multiplied(self, near: Expr | None, far: Expr | None) -> Argument | None:
        """Return the lemma that both sides are equal when they are multiplied by N and K."""
        polys = [self.times(near, self.words.poly(e), far) for e in (self.left, self.right)]
        if not self.words.equal(*polys):
            return None
        shape = self.left.shape
        lines = _Lines(self.words, shape)
        lines.add(_product(near, self.left, far))
        lines.multiply_out(lambda: self.times(near, self.words.poly(self.left), far))
        back = _Lines(self.words, shape)
        back.add(_product(near, self.right, far))
        back.multiply_out(lambda: self.times(near, self.words.poly(self.right), far))
        lines.meet(back)
        return self.lemma(self.around.label("N X K = N Y K"), lines, self.order, None)

    def times(self, near: Expr | None, poly: Poly, far: Expr | None) -> Poly:
        """Return a product in which `N N⁻¹` at its ends is 1 before anything is multiplied out."""
        words = self.words
        if near is not None:
            poly, met = self.beside(near, poly)
            if met:
                words.cancelled[near, apply("inv", near)] = None
        if far is not None:
            matrix = self.left.rank == 2
            poly, met = self.beside(apply("transpose", far), words.turned(poly) if matrix else poly)
            poly = words.turned(poly) if matrix else poly
            if met:
                words.cancelled[apply("inv", far), far] = None
        return poly

    def beside(self, matrix: Expr, poly: Poly) -> tuple[Poly, bool]:
        """Return N times a sum of words, and whether N met its inverse."""
        words = self.words
        (((_, (letter,)), _),) = words.inverse_letter(matrix).items()
        met: Poly = {(s, w[1:]): c for (s, w), c in poly.items() if w[:1] == (letter,)}
        rest: Poly = {(s, w): c for (s, w), c in poly.items() if w[:1] != (letter,)}
        return added((1, met), (1, words.product(words.poly(matrix), rest))), bool(met)

    def lemma(self, label: str, lines: _Lines, indices: tuple[Index, ...], end: sympy.Expr | None) -> Argument:
        """Return the lines as a chain of equalities."""
        (first, _), *rest = lines.lines
        work = Rewriter(Entry(self.around.matrix(first, indices), *indices), self.around.context())
        for expr, instance in rest:
            is_end = end is not None and expr.op == "eye"
            new = end if is_end else Entry(self.around.matrix(expr, indices), *indices)
            work.context = self.around.context()
            work.replace("rearrange", (), new, instance)
        if end is not None and work.expr is not end:
            work.replace("rearrange", (), end, {"how": "normal_form"})
        return Argument(label, work.start, tuple(work.steps), work.expr)


def _product(near: Expr | None, expr: Expr, far: Expr | None) -> Expr:
    if near is not None:
        expr = apply("matmul", near, expr)
    return expr if far is None else apply("matmul", expr, far)


class _Lines:
    """A product on its way to the normal form, as a reader wants to see it."""

    def __init__(self, words: Words, shape: Shape) -> None:
        self.words = words
        self.shape = shape
        self.lines: list[tuple[Expr, dict[str, Any]]] = []
        self.poly: Poly = {}

    def add(self, expr: Expr, how: str = "normal_form", by: Equations = ()) -> None:
        """Add a line, with its reason; one that says the same as the line before is left out."""
        if not self.lines or self.lines[-1][0] is not expr:
            self.lines.append((expr, {"how": how, "by": by}))

    def multiply_out(self, product: Callable[[], Poly]) -> None:
        """Add the lines from a product on: multiplied out, relations of inverses used, fractions added."""
        self.words.cancelled.clear()
        self.poly = product()
        self.add(poly_expr(self.poly, self.shape), "distribute", self.cancelled())
        for _ in range(MOST_LINES):
            if not any(True for term in self.poly for _ in self.words.uses(term[1])):
                break
            self.use_relations()
        self.collect()

    def cancelled(self) -> Equations:
        """Return `M M⁻¹ = I` for every matrix that met its inverse."""
        return tuple((apply("matmul", x, y), apply("eye", data=(x.shape[0],))) for x, y in self.words.cancelled)

    def use_relations(self) -> None:
        """Write `t N⁻¹` as `1 − (N − t) N⁻¹` in every term where it stands, then multiply out."""
        shown: list[tuple[bool, Expr]] = []
        parts: list[tuple[int, Poly]] = []
        by: dict[tuple[Expr, Expr], None] = {}
        words = self.words
        for (scalars, word), c in self.poly.items():
            use = next(words.uses(word), None)
            if use is None:
                shown.append((c < 0, term_expr(c, (scalars, word), self.shape)))
                parts.append((1, {(scalars, word): c}))
                continue
            a, b, t, x, r, left = use
            square = (x.expr.shape[0],) * 2
            by[word_expr((*t, x) if left else (x, *t), ()), poly_expr(r, square)] = None
            body = _between(word[:a], poly_expr(r, square), word[b:])
            shown.append((c < 0, term_expr(c, (scalars, word), self.shape, body)))
            parts.append((1, words.product({(scalars, word[:a]): c}, r, {((), word[b:]): ONE[(), ()]})))
        self.add(total(shown, self.shape), "insert_equation", tuple(by))
        self.poly = added(*parts)
        if not words.vanishes(added((1, self.poly), (-1, ONE))):
            self.add(poly_expr(self.poly, self.shape), "distribute")

    def collect(self) -> None:
        """Add the fractions of one denominator before each word."""
        groups: dict[tuple[tuple[tuple[Scalar, int], ...], Word], Poly] = {}
        for (scalars, word), c in self.poly.items():
            below = tuple((s, e) for s, e in scalars if is_sum(s) and e < 0)
            above = tuple(f for f in scalars if f not in below)
            groups.setdefault((below, word), {})[above, ()] = c
        if all(len(g) == 1 for g in groups.values()):
            return
        parts: list[tuple[bool, Expr]] = []
        new: list[tuple[int, Poly]] = []
        for (below, word), group in groups.items():
            if len(group) == 1 or not below:
                for (above, _), c in group.items():
                    term: Term = (joined(above, below), word)
                    parts.append((c < 0, term_expr(c, term, self.shape)))
                    new.append((1, {term: c}))
                continue
            c, whole = self.words.factored(group)
            sums = ((whole, 1),)
            parts.append((c < 0, _over(c, sums, below, word, self.shape)))
            new.append((1, {(joined(sums, below), word): c}))
        self.add(total(parts, self.shape), "merge")
        self.poly = added(*new)

    def meet(self, back: _Lines) -> None:
        """Add the lines of another product backwards."""
        reasons = [instance for _, instance in back.lines[1:]]
        exprs = [expr for expr, _ in back.lines]
        last = {"how": "normal_form", "by": ()}
        for expr, instance in zip(reversed(exprs), [last, *reversed(reasons)], strict=True):
            self.add(expr, str(instance["how"]), instance["by"])


def _between(before: Word, middle: Expr, after: Word) -> Expr | None:
    """Return a product with an expression in its middle; nothing where it runs over a column and a row."""
    left, right = before, after
    near = next((k + 1 for k, x in enumerate(left) if x.column), None)
    far = next((k + 1 for k, x in enumerate(right[:-1]) if x.column), None)
    if near is not None:
        return apply("outer", word_expr(left[:near], ()), _between(left[near:], middle, right))  # type: ignore[arg-type]
    if far is not None:
        return apply("outer", _between(left, middle, right[:far]), word_expr(right[far:], ()))  # type: ignore[arg-type]
    result = middle if not left else apply("matmul", word_expr(left, ()), middle)
    return result if not right else apply("matmul", result, word_expr(right, ()))


def _over(
    c: Fraction, sums: tuple[tuple[Scalar, int], ...], below: tuple[tuple[Scalar, int], ...], word: Word, shape: Shape
) -> Expr:
    """Return `s w / d`, the number s before the word also where it is d."""
    above = term_expr(c, (sums, word), shape)
    under = term_expr(Fraction(1), (tuple((s, -e) for s, e in below), ()), ())
    return apply("div", above, under)
