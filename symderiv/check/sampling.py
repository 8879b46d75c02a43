"""Which sizes to test at.

An identity that holds at one size may be false: what is true of square matrices passes every test with equal
sizes, and by Cayley and Hamilton a product of k factors can be written otherwise for matrices up to k × k.
So the sizes are: two assignments with distinct values, in opposite orders, and one with all sizes equal that
is larger than the number of factors.  A size that is used as a number gets three values.  No size is 1.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import permutations

import sympy

from symderiv.check.reading import Reading
from symderiv.tensor.expr import Expr

MOST_ENTRIES = 20_000
MOST_DERIVATIVES = 1_500
MOST_SQUARE = 20
LARGE_SQUARE = 6
MANY_NODES = 80
TRIES = 12
MOST_VALUES = 8

Sizes = dict[str, int]


def factors(root_nodes: list[Expr]) -> int:
    """Return a bound on the factors of a product in an expression, given its nodes, arguments first."""
    count: dict[Expr, int] = {}
    for node in root_nodes:
        inner = [count[a] for a in node.args]
        if node.op in ("mul", "matmul", "inner", "outer", "kron", "einsum", "solve"):
            result = sum(inner)
        elif node.op == "matrix_power":
            literal = isinstance(node.data[0], int)  # one made of sizes is one of several numbers
            result = (abs(node.data[0]) if literal else MOST_VALUES // 2) * inner[0]
        elif node.op == "power" and node.data[0].denominator == 1:
            result = abs(int(node.data[0])) * inner[0]
        elif node.op in ("number", "size", "eye", "ones", "zeros", "delta"):
            result = 0
        elif node.op == "var":
            result = 1
        elif node.op == "map":  # what a function yields is one more independent array
            result = min(inner[0], 1)
        else:
            result = max(inner, default=0)
        count[node] = min(result, MOST_SQUARE)
    return max(count.values(), default=0)


def _square(reading: Reading) -> int:
    derivatives = any(node.op == "diff" for node in reading.nodes)
    large = derivatives or len(reading.nodes) > MANY_NODES
    wanted = max(min(factors(reading.nodes), LARGE_SQUARE if large else MOST_SQUARE) + 1, 4)
    atoms = max(sum(len(axis) for axis in node.axes) for node in reading.nodes)
    most = MOST_DERIVATIVES if derivatives else MOST_ENTRIES
    while wanted > 4 and wanted**atoms > most:
        wanted -= 1
    return wanted


def plans(reading: Reading) -> list[Iterator[Sizes]]:
    """Return the assignments wanted, each with replacements for where a matrix turns out to be singular."""
    names = reading.symbols
    if not names:
        return [iter([{}])]
    count, square = len(names), _square(reading)
    if count == 1:
        first, second = [4], [3]
    else:
        first = [3, 4] if count == 2 else [*range(3, count + 2), 2]
        values = [3, 5] if count == 2 else list(range(3, count + 3))
        ranks = [sorted(first).index(v) for v in first]
        second = [values[count - 1 - r] for r in ranks]
    if count <= 3:  # every size gets a third value
        square = max(square, max(first + second) + 1)
    result = [
        _permuted(names, first),
        _permuted(names, second),
        iter([dict.fromkeys(names, n) for n in (square, square + 1)]),
    ]
    for k, name in enumerate(names):
        used = {first[k], second[k], square}
        wanted = min(size_degree(reading, name) + 1, MOST_VALUES) if name in reading.numeric_sizes else 0
        fresh = [v for v in range(3, 3 + 2 * MOST_VALUES) if v not in used and v not in first]
        for value in fresh[: max(0, wanted - len(used))]:
            result.append(_permuted(names, [value if i == k else v for i, v in enumerate(first)]))
    return result


def _degree_in(size: sympy.Expr, name: str) -> int:
    return max((int(sympy.degree(size, s)) for s in size.free_symbols if str(s) == name), default=0)


def size_degree(reading: Reading, name: str) -> int:
    """Return a bound on the degree of left − right as a polynomial in a size, at least 2."""
    degree: dict[Expr, int] = {}
    for node in reading.nodes:
        inner = [degree[a] for a in node.args]
        if node.op == "size":
            result = _degree_in(node.data[0], name)
        elif node.op == "mean":
            result = inner[0] + 1
        elif node.op == "power":
            result = math.ceil(abs(node.data[0])) * inner[0]
        elif node.op == "matrix_power" and name in map(str, getattr(node.data[0], "free_symbols", ())):
            result = inner[0] + MOST_VALUES  # no polynomial: as many values as there are
        elif node.op in ("mul", "div", "matmul", "inner", "outer", "kron", "einsum", "solve"):
            result = sum(inner)
        else:
            result = max(inner, default=0)
        degree[node] = min(result, MOST_VALUES)
    return max(2, sum(degree[root] for root in reading.roots))


def _permuted(names: tuple[str, ...], values: list[int]) -> Iterator[Sizes]:
    """Yield an assignment, then further orders of its values, the opposite one first."""
    yield dict(zip(names, values, strict=True))
    seen = {tuple(values)}
    for k, order in enumerate([values[::-1], *permutations(sorted(values))]):
        if k > TRIES:
            return
        if tuple(order) not in seen:
            seen.add(tuple(order))
            yield dict(zip(names, order, strict=True))
