"""Members of families as their names tell them: `h[t - 1]` is the family h at the label t − 1.

The name of a stacked family has the placeholder `_` in its label, which the first index of an entry fills:
entry (t, i) of `h[_ - 1]` is the entry i of h at t − 1.
"""

from __future__ import annotations

import ast
from functools import lru_cache
from typing import Any

import sympy

from symderiv import dims, trees
from symderiv.families import Label
from symderiv.tensor.expr import Expr, walk

POSITION = dims.symbol("_")
RANGED = frozenset(["range_sum", "range_prod"])


@lru_cache(maxsize=4096)
def member(name: str) -> tuple[str, Label] | None:
    """Return the family and the label that the name of a member tells; None for any other name.

    >>> member("h[t - 1]"), member("h")
    (('h', t - 1), None)
    """
    family, bracket, text = name.removesuffix("]").partition("[")
    if not (bracket and name.endswith("]") and family.isidentifier()):
        return None
    label = label_of(text)
    return None if label is None else (family, label)


def label_of(text: str) -> Label | None:
    """Return the label that a text is; None where it is none."""
    try:
        return _integer(trees.expression(text))
    except SyntaxError:
        return None


def _integer(node: ast.expr) -> Label | None:
    """Return an integer expression as a label; None where it is no such thing."""
    match node:
        case ast.Constant() if type(node.value) is int:
            return sympy.Integer(node.value)
        case ast.Name():
            return dims.symbol(node.id)
        case ast.UnaryOp(op=ast.USub()):
            inner = _integer(node.operand)
            return None if inner is None else -inner
        case ast.BinOp(op=ast.Add() | ast.Sub() | ast.Mult()):
            left, right = _integer(node.left), _integer(node.right)
            if left is None or right is None:
                return None
            op = node.op
            value = (
                left + right if isinstance(op, ast.Add) else left - right if isinstance(op, ast.Sub) else left * right
            )
            return sympy.expand(value)
    return None


def is_stacked(name: str) -> bool:
    """Tell whether the first axis of an array is the label of a family."""
    found = member(name)
    return found is not None and POSITION in found[1].free_symbols


def parameters(*exprs: Expr) -> frozenset[str]:
    """Return the integer parameters that expressions name: in labels, in ends of ranges, in widths, as numbers.

    >>> from symderiv.tensor.parse import size
    >>> t = dims.symbol("t")
    >>> sorted(
    ...     parameters(Expr("range_sum", (size(dims.symbol("s")),), ("s", t, t + 1, False), ()))
    ... )
    ['t']
    """
    found: dict[Expr, frozenset[str]] = {}
    for node in walk(*exprs):
        inner = frozenset().union(*(found[a] for a in node.args))
        if node.op in RANGED:
            variable, low, high, _ = node.data
            found[node] = (inner - {variable}) | _named(low) | _named(high)
        else:
            found[node] = inner.union(*map(_named, node.data), *(_named(s) for axis in node.axes for s in axis))
    return frozenset().union(*(found[e] for e in exprs))


def _named(value: Any) -> frozenset[str]:
    """Return the parameters in a part of a node's data."""
    if isinstance(value, str):
        known = member(value)
        return frozenset() if known is None else _named(known[1])
    if isinstance(value, sympy.Basic):
        return frozenset().union(*(_named(str(s)) or {str(s)} for s in value.free_symbols))
    return frozenset()
