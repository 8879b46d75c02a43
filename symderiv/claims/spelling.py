"""Sums of words back in matrix notation, in the order in which they stand."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fractions import Fraction
from typing import Any

from symderiv.claims.words import Scalar, Term, Word, as_expr, keys_of
from symderiv.tensor.expr import Expr
from symderiv.tensor.operations import apply


def word_expr(word: Word, shape: Iterable[Any]) -> Expr:
    """Return a word in matrix notation; a column and a row side by side are an outer product."""
    at = next((k + 1 for k, x in enumerate(word[:-1]) if x.column), None)
    if at is not None:
        return apply("outer", _chain(word[:at]), _chain(word[at:]))
    if not word:
        size = next(iter(shape))
        return apply("eye", data=(size,))
    return _chain(word)


def _chain(word: Word) -> Expr:
    result = as_expr(word[0])
    for x in word[1:]:
        result = apply("matmul", result, as_expr(x))
    return result


def number_expr(value: Fraction) -> Expr:
    """Return a number as an expression."""
    return Expr("number", (), (value,), ())


def scalar_expr(scalar: Scalar) -> Expr:
    """Return a number that is not taken apart as an expression."""
    if isinstance(scalar.what, Expr):
        return scalar.what
    if isinstance(scalar.what, frozenset):
        terms = sorted(scalar.what, key=lambda t: (len(t[0][0]), keys_of(t[0][0])))
        return poly_expr(dict(terms), ())
    return _chain(scalar.what)


def term_expr(coef: Fraction, term: Term, shape: tuple[Any, ...], body: Expr | None = None) -> Expr:
    """Return a term in matrix notation, `body` in place of its word where that is given; the sign is left out."""
    scalars, word = term
    parts = [
        scalar_expr(s) if e == 1 else apply("power", scalar_expr(s), data=(Fraction(e),)) for s, e in scalars if e > 0
    ]
    below = [
        scalar_expr(s) if e == -1 else apply("power", scalar_expr(s), data=(Fraction(-e),)) for s, e in scalars if e < 0
    ]
    if abs(coef) != 1 or not (parts or word or shape or body):
        parts.insert(0, number_expr(abs(coef)))
    if body is not None:
        parts.append(body)
    elif word or shape:
        parts.append(word_expr(word, shape))
    return quotient(parts, below)


def quotient(above: list[Expr], below: list[Expr]) -> Expr:
    """Return a product of numbers and at most one array, divided by numbers."""
    result = above[0] if above else number_expr(Fraction(1))
    for part in above[1:]:
        result = apply("mul", result, part)
    if below:
        divisor = below[0]
        for part in below[1:]:
            divisor = apply("mul", divisor, part)
        result = apply("div", result, divisor)
    return result


def poly_expr(poly: Mapping[Term, Fraction], shape: tuple[Any, ...]) -> Expr:
    """Return a sum of words in matrix notation."""
    return total([(c < 0, term_expr(c, t, shape)) for t, c in poly.items()], shape)


def total(parts: list[tuple[bool, Expr]], shape: tuple[Any, ...]) -> Expr:
    """Return a sum of terms, those marked taken off."""
    if not parts:
        return number_expr(Fraction(0)) if not shape else apply("zeros", data=(tuple(shape),))
    parts = sorted(parts, key=lambda p: p[0]) if parts[0][0] else parts
    minus, result = parts[0]
    if minus:
        result = apply("neg", result)
    for minus, part in parts[1:]:
        result = apply("sub" if minus else "add", result, part)
    return result
