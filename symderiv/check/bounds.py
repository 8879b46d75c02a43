"""How likely a false claim passes: degrees of rational functions.

A nonzero polynomial of total degree d vanishes at a random point modulo p with probability at most d/p
(Schwartz and Zippel).  A claim between rational functions is one between polynomials; here is a bound on
their degree, at given sizes.  Where another function occurs there is none.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import prod
from typing import TypeAlias

from symderiv.check.reading import Reading, constant, length, whole_exponent
from symderiv.tensor.expr import Expr

Degree: TypeAlias = tuple[int, int]  # of the numerator, of the denominator

SQUARED = frozenset({"positive", "positive_definite"})
KEEPING = frozenset({"neg", "transpose", "diag", "vec", "reshape", "newaxis", "entry", "defined"})
CONSTANT = frozenset({"number", "size", "eye", "ones", "zeros", "delta"})


def degree(reading: Reading, sizes: Mapping[str, int], orders: tuple[int, int]) -> int | None:
    """Return a bound on the degree of left − right, differentiated so many times; None if not rational."""
    known: dict[Expr, Degree | None] = {}
    for node in reading.nodes:
        inner = [known[a] for a in node.args]
        known[node] = None if None in inner else _degree(node, [d for d in inner if d is not None], sizes)
    sides = [known[root] for root in reading.roots[:2]]  # what follows are variables, for their shapes
    if any(s is None for s in sides):
        return None
    (n, d), (m, e) = (_slope(s, k) for s, k in zip(sides, orders, strict=True) if s is not None)
    return max(n + e, m + d)


def _slope(side: Degree, order: int) -> Degree:
    """(N/D)′ = (N′D − N D′)/D², along a direction."""
    n, d = side
    for _ in range(order):
        n, d = n + d, 2 * d
    return n, d


def _total(side: Degree, terms: int) -> Degree:
    """Return the degree of a sum of so many quotients."""
    n, d = side
    return (n, 0) if d == 0 else (n + d * (terms - 1), d * terms)


def _degree(node: Expr, inner: list[Degree], sizes: Mapping[str, int]) -> Degree | None:
    op = node.op
    if op in CONSTANT:
        return 0, 0
    if op == "var":
        traits = node.data[1]
        if traits & {"orthogonal", "probability", "open_unit", "simplex", "simplex_rows"}:
            return None
        return (2 if traits & SQUARED else 1), 0
    if op in KEEPING:
        return inner[0]
    lengths = [length(axis, sizes) for a in node.args for axis in a.axes]
    if op in ("add", "sub"):
        (a, b), (c, d) = inner
        return max(a + d, c + b), b + d
    if op == "div":
        (a, b), (c, d) = inner
        return a + d, b + c
    if op == "power" and node.data[0].denominator == 1:
        return _power(inner[0], int(node.data[0]))
    if op == "general_power":
        exponent = constant(node.args[1], sizes)
        whole = exponent is not None and exponent.denominator == 1
        return _power(inner[0], int(exponent)) if whole and exponent is not None else None
    if op in ("mul", "outer", "kron", "matmul", "inner", "einsum"):
        product = sum(a for a, _ in inner), sum(b for _, b in inner)
        terms = prod(lengths) if op in ("matmul", "inner", "einsum") else 1
        return _total(product, terms)
    if op in ("sum", "mean", "trace"):
        return _total(inner[0], prod(lengths))
    if op == "matrix_power":
        count = whole_exponent(node, sizes)
        base = inner[0] if count >= 0 else _inverse(inner[0], lengths[0])
        result = (0, 0)
        for _ in range(abs(count)):
            result = _total((result[0] + base[0], result[1] + base[1]), lengths[0])
        return result
    if op == "inv":
        return _inverse(inner[0], lengths[0])
    if op == "solve":
        a, b = _inverse(inner[0], lengths[0])
        return _total((a + inner[1][0], b + inner[1][1]), lengths[0])
    if op == "det":
        a, b = _cleared(inner[0], lengths[0])
        return a * lengths[0], b * lengths[0]
    if op in ("prod", "others"):
        return _power(inner[0], prod(lengths))
    if op == "diff":
        return _slope(inner[0], len(node.args) - 1)
    return None


def _power(side: Degree, exponent: int) -> Degree:
    a, b = side if exponent >= 0 else side[::-1]
    return a * abs(exponent), b * abs(exponent)


def _cleared(side: Degree, n: int) -> Degree:
    """Return the degrees of the entries of a matrix over one common denominator."""
    a, b = side
    return a + b * (n * n - 1), b * n * n


def _inverse(side: Degree, n: int) -> Degree:
    """Cofactors over the determinant."""
    a, b = _cleared(side, n)
    return a * (n - 1) + b, a * n
