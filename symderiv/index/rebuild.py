"""Changing a node: its children replaced, everything above them brought into the normal form again."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from symderiv.errors import UnsupportedError
from symderiv.index.contraction import add, contract, with_arguments
from symderiv.index.graph import (
    Add,
    Contraction,
    Defined,
    Delta,
    Det,
    Extremum,
    Independent,
    Inverse,
    Leaf,
    LogDet,
    LogSumExp,
    Map,
    MatrixPower,
    Node,
    Pow,
    Power,
    Prod,
    ProdExcept,
    SizeOf,
    Softmax,
    Unknown,
    Where,
)
from symderiv.index.whole import (
    determinant,
    inverse,
    log_determinant,
    log_sum_exp,
    matrix_power,
    product,
    product_except,
    softmax,
    unknown,
)


def rebuild(node: Node, new: Callable[[Node], Node]) -> Node:
    """Return the node with `new` applied to its children, normalised again."""
    match node:
        case Contraction():
            factors = [(new(f), labels) for f, labels in node.factors]
            return contract(node.coef, factors, range(node.rank), dict(enumerate(node.sizes)))
        case Add():
            return add([(c, new(n)) for c, n in node.terms], node.dims)
        case Defined():
            body = new(node.body)
            return type(node)(body.dims, node.name, body)
        case Map() | Pow() | Power() | Where() | Extremum():
            return with_arguments(node, new)
        case Inverse():
            return inverse(new(node.arg))
        case MatrixPower():
            return matrix_power(new(node.arg), node.exponent)
        case Det():
            return determinant(new(node.arg))
        case LogDet():
            return log_determinant(new(node.arg))
        case Softmax():
            return softmax(new(node.arg), node.axes)
        case LogSumExp():
            return log_sum_exp(new(node.arg), node.axes)
        case Prod():
            return product(new(node.arg), node.axes)
        case ProdExcept():
            return product_except(new(node.arg), node.axes, node.order)
        case Unknown():
            args = [new(a) for a in node.args]
            own = node.rank - sum(node.args[s].rank for s in node.slots)
            return unknown(node.name, args, node.dims[:own], node.slots)
        case Leaf() | Delta() | SizeOf():
            return node
    raise UnsupportedError(f"cannot rebuild {type(node).__name__}")


def from_below(
    node: Node,
    end: Callable[[Node], Node | None] = lambda _: None,
    after: Callable[[Node, Node], Node] = lambda _, new: new,
    done: dict[Node, Node] | None = None,
) -> Node:
    """Return the node rebuilt from its leaves upwards.

    Where `end(n)` is a node, it stands for n, whose inside is not looked at; for every other node n stands
    `after(n, m)`, m being n over what stands for its children. `done` keeps what was found.
    """
    memo = {} if done is None else done
    stack = [node]
    while stack:
        top = stack[-1]
        if top in memo:
            stack.pop()
            continue
        new = end(top)
        if new is not None:
            memo[top] = new
            stack.pop()
            continue
        missing = [c for c in top.children() if c not in memo]
        if missing:
            stack += missing
            continue
        same = all(memo[c] is c for c in top.children())
        memo[top] = after(top, top if same else rebuild(top, memo.__getitem__))
        stack.pop()
    return memo[node]


def substitute(node: Node, change: Mapping[Node, Node] | Callable[[Node], Node | None]) -> Node:
    """Return the node with parts replaced (before their insides are looked at), normalised again."""
    return from_below(node, change.get if isinstance(change, Mapping) else change)


def dependent(node: Node, done: dict[Node, Node] | None = None) -> Node:
    """Return the node with the symmetry of its definitions put to use: the last derivative is taken.

    `done` keeps what was found, for nodes that share their definitions.
    """

    def related(_: Node, new: Node) -> Node:
        return Defined(new.dims, new.name, new.body) if isinstance(new, Independent) else new

    return from_below(node, after=related, done=done)


def unfold(node: Node, names: Callable[[Defined], bool] = lambda _: True) -> Node:
    """Return the node with definitions replaced by what they stand for."""

    def put_in(old: Node, new: Node) -> Node:
        return new.body if isinstance(old, Defined) and isinstance(new, Defined) and names(old) else new

    return from_below(node, after=put_in)
