"""Matrix expressions multiplied out: sums of words, products whose order counts.

A *letter* is an array that is not taken apart, or its transpose; a vector is a column, its transpose a row.
The word without letters is the identity.  Numbers stand before a word: `v.T M⁻¹ u` is one, as a row meets a
column there, and so is `1 / (1 + v.T M⁻¹ u)`.  Laws that are used:

* `N N⁻¹ = 1 = N⁻¹ N`, at once for a letter N, and on demand for a sum: with t its longest word, `t N⁻¹` is
  `1 − (N − t) N⁻¹`, and `N⁻¹ t` is `1 − N⁻¹ (N − t)`;
* `(A B)⁻¹ = B⁻¹ A⁻¹`, `(c A)⁻¹ = c⁻¹ A⁻¹`, `(A⁻¹)⁻¹ = A` for square A and B, `(Aᵀ)⁻¹ = (A⁻¹)ᵀ`, `Q⁻¹ = Qᵀ` for an
  orthogonal Q.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from symderiv.tensor.expr import Expr
from symderiv.tensor.operations import apply

SYMMETRIC = frozenset({"symmetric", "positive_definite", "diagonal"})
MOST_TERMS = 400
MOST_PASSES = 60


@dataclass(frozen=True)
class Letter:
    """An array that is not taken apart, or its transpose."""

    expr: Expr
    turned: bool = False

    @property
    def key(self) -> str:
        return self.expr.key + ("'" if self.turned else "")

    @property
    def row(self) -> bool:
        return self.expr.rank == 1 and self.turned

    @property
    def column(self) -> bool:
        return self.expr.rank == 1 and not self.turned


Word = tuple[Letter, ...]


@dataclass(frozen=True)
class Scalar:
    """A number that is not taken apart: a word from a row to a column, a scalar, or a sum of numbers."""

    what: Any  # a Word, an Expr, or the terms of a sum

    @property
    def key(self) -> str:
        if isinstance(self.what, Expr):
            return self.what.key
        if isinstance(self.what, frozenset):
            return "|".join(sorted(f"{keys_of(s)}*{c}" for (s, _), c in self.what))
        return " ".join(x.key for x in self.what)


Scalars = tuple[tuple[Scalar, int], ...]
Term = tuple[Scalars, Word]
Poly = dict[Term, Fraction]
ONE: Poly = {((), ()): Fraction(1)}


def keys_of(scalars: Scalars) -> str:
    """Return a name for a product of numbers, the same in every process."""
    return " ".join(f"{s.key}^{e}" for s, e in scalars)


def added(*parts: tuple[Fraction | int, Poly]) -> Poly:
    """Return a sum of multiples."""
    result: Poly = {}
    for scale, poly in parts:
        for term, c in poly.items():
            result[term] = result.get(term, Fraction(0)) + scale * c
    return {t: c for t, c in result.items() if c}


def is_sum(scalar: Scalar) -> bool:
    """Tell whether a number is a sum."""
    return isinstance(scalar.what, frozenset)


def joined(*parts: Scalars) -> Scalars:
    """Return the product of products of numbers."""
    found: dict[Scalar, int] = {}
    for scalars in parts:
        for s, e in scalars:
            found[s] = found.get(s, 0) + e
    return tuple(sorted(((s, e) for s, e in found.items() if e), key=lambda f: f[0].key))


class Words:
    """Reads expressions as sums of words; knows every inverse that it met."""

    def __init__(self, turned: bool = False) -> None:
        self.turned_lead = turned  # of two words of one length, the other one is led by
        self.inside: dict[Expr, Poly] = {}  # of an inverse that is a letter
        self.known: dict[frozenset[tuple[Term, Fraction]], Letter] = {}
        self.even: set[Expr] = set()  # equal to their transposes
        self.done: dict[Expr, Poly] = {}
        self.cancelled: dict[tuple[Expr, Expr], None] = {}  # a matrix and its inverse that met, in either order

    # -- reading

    def poly(self, expr: Expr) -> Poly:
        """Return an expression multiplied out; a vector is a column."""
        found = self.done.get(expr)
        if found is None:
            found = self.done[expr] = self._poly(expr)
        return found

    def _poly(self, expr: Expr) -> Poly:
        args = expr.args
        match expr.op:
            case "defined" | "called":
                return self.poly(args[0])
            case "number":
                value = Fraction(expr.data[0])
                return {((), ()): value} if value else {}
            case "eye":
                return dict(ONE)
            case "zeros":
                return {}
            case "neg":
                return added((-1, self.poly(args[0])))
            case "add" | "sub" if args[0].shape == args[1].shape:
                return added((1, self.poly(args[0])), (1 if expr.op == "add" else -1, self.poly(args[1])))
            case "mul" if not args[0].rank or not args[1].rank:
                number, array = args if not args[0].rank else reversed(args)
                return self.product(self.poly(number), self.poly(array))
            case "div" if not args[1].rank:
                return self.product(self.power(self.poly(args[1]), -1), self.poly(args[0]))
            case "power" if not expr.rank and expr.data[0].denominator == 1:
                return self.power(self.poly(args[0]), int(expr.data[0]))
            case "transpose" if not expr.data and expr.rank <= 2:
                return self.turned(self.poly(args[0])) if expr.rank == 2 else self.poly(args[0])
            case "matmul" | "inner" if max(args[0].rank, args[1].rank) <= 2:
                return self._matmul(expr)
            case "outer" if args[0].rank == 1 == args[1].rank:
                return self.product(self.poly(args[0]), self.turned(self.poly(args[1])))
            case "inv" if len(expr.axes[0]) == 1:
                return self.inverse(args[0])
            case "solve":
                return self.product(self.inverse(args[0]), self.poly(args[1]))
            case "matrix_power" if isinstance(expr.data[0], int) and 0 <= expr.data[0] <= 4:
                result = dict(ONE)
                for _ in range(expr.data[0]):
                    result = self.product(result, self.poly(args[0]))
                return result
        if not expr.rank:
            return {(((Scalar(expr), 1),), ()): Fraction(1)}
        return {((), (self.letter(expr),)): Fraction(1)}

    def _matmul(self, expr: Expr) -> Poly:
        a, b = expr.args
        left, right = self.poly(a), self.poly(b)
        if expr.op == "inner" and b.rank == 2:
            right = self.turned(right)
        if a.rank == 1:
            left = self.turned(left)
        found = self.product(left, right)
        return self.turned(found) if a.rank == 1 and expr.rank == 1 else found

    def letter(self, expr: Expr, turned: bool = False) -> Letter:
        """Return a letter; the transpose of a symmetric matrix is that matrix."""
        even = expr in self.even or (expr.op == "var" and expr.rank == 2 and bool(SYMMETRIC & expr.data[1]))
        return Letter(expr, turned and not even)

    # -- arithmetic

    def turned(self, poly: Poly) -> Poly:
        """Return the transpose."""
        return added(*((c, {(s, self.reversed(w)): Fraction(1)}) for (s, w), c in poly.items()))

    def reversed(self, word: Word) -> Word:
        return tuple(self.letter(x.expr, not x.turned) for x in reversed(word))

    def product(self, *polys: Poly) -> Poly:
        """Return the product, multiplied out."""
        result = dict(ONE)
        for poly in polys:
            parts = []
            for (s, w), c in result.items():
                for (t, v), d in poly.items():
                    more, word = self.closed((*w, *v))
                    parts.append((c * d, {(joined(s, t, more), word): Fraction(1)}))
            if len(parts) > MOST_TERMS:
                raise OverflowError
            result = added(*parts)
        return result

    def closed(self, word: Word) -> Term:
        """Take out what runs from a row to a column, and what is beside its inverse."""
        found: list[tuple[Scalar, int]] = []
        k = 0
        letters = list(word)
        start: int | None = None
        while k < len(letters):
            x = letters[k]
            if k and self.cancels(letters[k - 1], x):
                self.cancelled[as_expr(letters[k - 1]), as_expr(x)] = None
                del letters[k - 1 : k + 1]
                k = max(k - 2, 0)
                start = next((n for n in reversed(range(k)) if letters[n].row or letters[n].column), None)
                start = start if start is not None and letters[start].row else None
                continue
            if x.row:
                start = k
            elif x.column and start is not None:
                inner = tuple(letters[start : k + 1])
                other = self.reversed(inner)
                found.append((Scalar(min(inner, other, key=_upright)), 1))
                del letters[start : k + 1]
                k, start = 0, None
                continue
            k += 1
        return joined(tuple(found)), tuple(letters)

    def cancels(self, x: Letter, y: Letter) -> bool:
        """Tell whether two letters side by side are a matrix and its inverse."""
        for a, b in ((x, y), (y, x)):
            if self.inside.get(a.expr) == {((), (self.letter(b.expr, a.turned != b.turned),)): Fraction(1)}:
                return True
        orthogonal = x.expr is y.expr and x.expr.op == "var" and "orthogonal" in x.expr.data[1]
        return orthogonal and x.turned != y.turned

    def power(self, poly: Poly, exponent: int) -> Poly:
        """Return a whole power of a number."""
        if exponent == 0:
            return dict(ONE)
        if not poly:
            raise ZeroDivisionError
        if len(poly) == 1:
            (((scalars, word), c),) = poly.items()
            assert not word
            return {(tuple((s, e * exponent) for s, e in scalars), ()): c**exponent}
        if 0 < exponent <= 4:
            return self.product(*([poly] * exponent))
        content, whole = self.factored(poly)
        return {(((whole, exponent),), ()): content**exponent}

    def factored(self, poly: Poly) -> tuple[Fraction, Scalar]:
        """Return a sum of numbers as one number that is not taken apart, and its coefficient."""
        content = poly[min(poly, key=lambda t: (len(t[0]), keys_of(t[0])))]
        return content, Scalar(frozenset((t, c / content) for t, c in poly.items()))

    def inverse(self, matrix: Expr) -> Poly:
        """Return the inverse of a matrix."""
        poly = self.poly(matrix)
        if not poly:
            raise ZeroDivisionError
        if len(poly) == 1:
            (((scalars, word), c),) = poly.items()
            square = all(x.expr.rank == 2 and x.expr.shape[0] == x.expr.shape[1] for x in word)
            if square and (len(word) != 1 or c != 1 or scalars or self.undone(word[0]) is not None):
                links = [self.undone(x) or self.inverse_letter(as_expr(x)) for x in reversed(word)]
                front: Poly = {(tuple((s, -e) for s, e in scalars), ()): 1 / c}
                return self.product(front, *links)
        return self.inverse_letter(matrix)

    def undone(self, x: Letter) -> Poly | None:
        """Return the inverse of a letter where that is no new one."""
        if x.expr in self.inside:
            inner = self.inside[x.expr]
            return self.turned(inner) if x.turned else inner
        if x.expr.op == "var" and "orthogonal" in x.expr.data[1]:
            return {((), (Letter(x.expr, not x.turned),)): Fraction(1)}
        return None

    def inverse_letter(self, matrix: Expr) -> Poly:
        """Return an inverse as a letter: one for all matrices that are equal, or each other's transposes."""
        poly = self.poly(matrix)
        crossed = self.turned(poly)
        name, other = frozenset(poly.items()), frozenset(crossed.items())
        if name not in self.known:
            if other in self.known:
                x = self.known[other]
                return {((), (self.letter(x.expr, not x.turned),)): Fraction(1)}
            expr = apply("inv", matrix)
            if name == other:
                self.even.add(expr)
            self.inside[expr] = poly
            self.known[name] = Letter(expr)
        return {((), (self.known[name],)): Fraction(1)}

    # -- equality

    def vanishes(self, poly: Poly) -> bool:
        """Tell whether a sum of words is 0, denominators cleared."""
        by_word: dict[Word, Poly] = {}
        for (scalars, word), c in poly.items():
            by_word.setdefault(word, {})[scalars, ()] = c
        return all(not self.cleared(p) for p in by_word.values())

    def cleared(self, poly: Poly) -> Poly:
        """Return a number times its denominators, multiplied out."""
        for _ in range(MOST_PASSES):
            lowest: dict[Scalar, int] = {}
            for scalars, _word in poly:
                for s, e in scalars:
                    if is_sum(s):
                        lowest[s] = min(lowest.get(s, 0), e)
            if not lowest:
                break
            scale = tuple((s, -e) for s, e in lowest.items())
            parts = []
            for (scalars, _word), c in poly.items():
                whole = joined(scalars, scale)
                rest = tuple(f for f in whole if not is_sum(f[0]))
                sums = [dict(s.what) for s, e in whole if is_sum(s) for _ in range(e)]
                parts.append((c, self.product({(rest, ()): Fraction(1)}, *sums)))
            poly = added(*parts)
        return poly

    # -- inverses of sums

    def relations(self, letter: Letter) -> Iterator[tuple[Word, Poly, bool]]:
        """Yield (t, r, left): `t N⁻¹ = r` where `left`, else `N⁻¹ t = r`, for N⁻¹ a letter and N a sum."""
        inner = self.inside.get(letter.expr)
        if inner is None or len(inner) < 2:
            return
        matrix = self.turned(inner) if letter.turned else inner
        sizes = {t: (_junctions(t[1]) == 0 and bool(t[1]), len(t[1])) for t in matrix}
        longest = [t for t in matrix if sizes[t] == max(sizes.values())]
        lead = longest[-1 if self.turned_lead else 0]
        scalars, word = lead
        if any(is_sum(s) for s, _ in scalars) or not word:
            return
        rest = {t: c for t, c in matrix.items() if t != lead}
        front: Poly = {(tuple((s, -e) for s, e in scalars), ()): 1 / matrix[lead]}
        own: Poly = {((), (letter,)): Fraction(1)}
        for left in (True, False):
            beside = self.product(rest, own) if left else self.product(own, rest)
            yield word, self.product(front, added((1, ONE), (-1, beside))), left

    def uses(self, word: Word) -> Iterator[tuple[int, int, Word, Letter, Poly, bool]]:
        """Yield where a relation applies to a word: from, to, t, N⁻¹, r, and whether t stands left of N⁻¹."""
        for k, x in enumerate(word):
            for t, r, left in self.relations(x):
                a, b = (k - len(t), k) if left else (k + 1, k + 1 + len(t))
                if a >= 0 and word[a:b] == t:
                    yield min(a, k), max(b, k + 1), t, x, r, left

    def reduced(self, poly: Poly) -> Poly:
        """Return a sum of words with the relations of inverses used wherever they apply."""
        for _ in range(MOST_PASSES):
            found = next(((term, u) for term in poly for u in self.uses(term[1])), None)
            if found is None:
                return poly
            (scalars, word), (a, b, _, _, r, _) = found
            c = poly[scalars, word]
            new = self.product({(scalars, word[:a]): c}, r, {((), word[b:]): Fraction(1)})
            poly = added((1, {t: v for t, v in poly.items() if t != (scalars, word)}), (1, new))
        raise OverflowError

    def equal(self, one: Poly, other: Poly) -> bool:
        """Tell whether two sums of words were found equal."""
        return self.vanishes(self.reduced(added((1, one), (-1, other))))


def _junctions(word: Word) -> int:
    return sum(x.column for x in word[:-1])


def _upright(word: Word) -> tuple[int, list[str]]:
    """Order the two ways to write a number: the one with fewer transposes first."""
    return sum(x.turned and x.expr.rank == 2 for x in word), [x.key for x in word]


def as_expr(x: Letter) -> Expr:
    """Return a letter in matrix notation, a row as the vector it is."""
    return apply("transpose", x.expr) if x.turned and x.expr.rank == 2 else x.expr
