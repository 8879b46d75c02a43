"""A leading batch axis: an expression of one sample as one of all samples.

Some arrays get a leading axis, whose index b stands for the sample.  Index notation needs no more than that:

    (Σ_q A[i,q] x[q])  becomes  (Σ_q A[i,q] x[b,q])     with axes b, i,

and so every node that depends on such an array gets b as its first index; what does not is computed once for all
samples.  Read back as matrix notation this is a matrix product, `x @ A.T`, and no loop.  An operation on a whole
matrix (inverse, determinant) that differs from sample to sample has no batched form here and is refused.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from symderiv import dims
from symderiv.adjoints import free_name
from symderiv.code.source import Source
from symderiv.dims import Size
from symderiv.errors import ParseError, UnknownNameError, UnsupportedError
from symderiv.index import normal
from symderiv.index.graph import (
    Add,
    Along,
    Contraction,
    Defined,
    Extremum,
    LogSumExp,
    Map,
    Node,
    Pow,
    Power,
    Prod,
    ProdExcept,
    Softmax,
    Where,
)
from symderiv.index.graph import walk as walk_nodes
from symderiv.lift import lift
from symderiv.lower import lower
from symderiv.results import Declared, code_source
from symderiv.tensor.expr import Expr, defined, walk, written_out
from symderiv.tensor.parse import MERGING, SQUARE, variable, without_symmetry

B = "b"  # the index of the sample
WORDS = {"Inverse": "the inverse", "MatrixPower": "the power", "Det": "the determinant", "LogDet": "log det",
         "Unknown": "an unknown function"}  # fmt: skip


@dataclass
class Batch:
    """The arrays that have a leading axis, and its size; what was batched is kept."""

    variables: Mapping[Expr, Expr]  # each with its form that has the axis
    size: Size
    nodes: dict[Node, Node] = field(default_factory=dict)
    names: dict[Node, Expr] = field(default_factory=dict)  # the batched definitions

    def __post_init__(self) -> None:
        self.leaves = {lower(x).node: lower(new).node for x, new in self.variables.items()}

    def expr(self, expr: Expr, summed: bool = False) -> Expr:
        """Return an expression of all samples, with the leading axis, or summed over them.

        >>> x, A = variable("x", ("n",)), variable("A", ("m", "n"))
        >>> batch = batch_of([x], dims.symbol("k"))
        >>> from symderiv.tensor.operations import apply
        >>> from symderiv.tensor.text import to_text
        >>> to_text(batch.expr(apply("matmul", A, x)))
        'x @ A.T'
        >>> to_text(batch.expr(apply("matmul", A, x), summed=True))
        'A @ sum(x, 0)'
        """
        for e in walk(expr):
            if e.op == "defined" and any(part in self.variables for part in walk(e)):
                self.definition(e)
        node = lower(expr).node
        self.node(node)
        whole = self.spread(node)
        at = list(range(node.rank))
        if summed:
            return lift(normal.contract(1, [(whole, [B, *at])], at), expr.axes, self.names)
        return lift(whole, ((self.size,), *expr.axes), self.names)

    def definition(self, e: Expr) -> None:
        """Give the batched form of a definition its name."""
        node = self.node(lower(e).node)
        if node not in self.names:
            assert isinstance(node, Defined)
            self.names[node] = defined(e.name, lift(node.body, ((self.size,), *e.axes), self.names))

    def node(self, root: Node) -> Node:
        """Return a node with b as its first index where it depends on a sample, else the node itself."""
        for node in walk_nodes(root):
            if node not in self.nodes:
                self.nodes[node] = self.leaves.get(node) or self.batched(node)
        return self.nodes[root]

    def batched(self, node: Node) -> Node:
        children = list(node.children())
        if all(self.nodes[c] is c for c in children):
            return node
        at = list(range(node.rank))
        match node:
            case Contraction():
                factors = [(self.nodes[f], self.labels(f, labels)) for f, labels in node.factors]
                return normal.contract(node.coef, factors, [B, *at], dict(enumerate(node.sizes)))
            case Add():
                return normal.add([(c, self.spread(n)) for c, n in node.terms], (self.size, *node.dims))
            case Defined():
                return normal.defined(node.name, self.nodes[node.body])
            case Map():
                return normal.entrywise(node.function, self.nodes[node.arg], node.order)
            case Pow():
                return normal.power(self.nodes[node.base], node.exponent)
            case Power():
                return normal.general_power(self.spread(node.base), self.spread(node.exponent))
            case Where():
                return normal.where(node.relation, *(self.spread(c) for c in node.fields[1:]))
            case Extremum():
                return normal.extremum(node.kind, self.spread(node.left), self.spread(node.right))
            case Along():
                return self.along(node)
        raise UnsupportedError(
            f"{WORDS.get(type(node).__name__, type(node).__name__)} of what differs from sample to sample has no "
            "batched form",
            hint="leave those arrays out of batch, and call the function once for each sample",
        )

    def along(self, node: Along) -> Node:
        """Return a function along axes, which stand one further on."""
        arg, axes = self.nodes[node.arg], tuple(axis + 1 for axis in node.axes)
        match node:
            case Softmax():
                return normal.softmax(arg, axes)
            case LogSumExp():
                return normal.log_sum_exp(arg, axes)
            case Prod():
                return normal.product(arg, axes)
            case ProdExcept():
                return normal.product_except(arg, axes, node.order)
        raise UnsupportedError(f"{type(node).__name__} has no batched form")

    def labels(self, node: Node, labels: Sequence[object]) -> list[object]:
        return [*([] if self.nodes[node] is node else [B]), *labels]

    def spread(self, node: Node) -> Node:
        """Return a node with b as its first index, whether it depends on the sample or not."""
        if self.nodes[node] is not node:
            return self.nodes[node]
        at = list(range(node.rank))
        return normal.contract(1, [(node, at)], [B, *at], {B: self.size})


def batch_of(variables: Sequence[Expr], size: Size) -> Batch:
    """Return the batch in which some variables have a leading axis of a size.

    What is assumed of them as matrices has been used by now, and is not said of the arrays with one axis more.
    """
    lost = MERGING | SQUARE
    new = {x: variable(x.name, (size, *x.shape), x.data[1] - lost) for x in variables}
    return Batch(new | {without_symmetry(x): y for x, y in new.items()}, size)


@dataclass(frozen=True)
class Wanted:
    """A function to be generated, of one sample: results over definitions, each with what it is a derivative in."""

    name: str
    results: Sequence[tuple[Expr, tuple[Expr, ...]]]
    function: Expr
    wrt: Sequence[Expr]
    summary: str
    notes: Sequence[str]
    declared: Declared
    keys: Sequence[Hashable] = ()


def batched_source(wanted: Wanted, names: Any, summed: bool) -> Source:
    """Return what a function is generated from whose arrays `names` have a leading axis, as have its results.

    With `summed` the results are those of the sum over all samples: a gradient in an array that has the axis itself
    is not summed, since each sample stands in one term only.
    """
    arrays = {x.name: x for x in walk(wanted.function, *wanted.wrt) if x.op == "var"}
    moving = [_array(name, arrays) for name in _names(names)]
    batch = batch_of(moving, _size(wanted.declared))
    results = [batch.expr(e, summed and _is_summed(wanted.function, wrt, moving)) for e, wrt in wanted.results]
    change = dict(batch.variables)
    said = f"{', '.join(x.name for x in moving)} {'has' if len(moving) == 1 else 'have'} a leading axis for the samples"
    rest = "what is returned is of their sum" if summed else "what is returned has it too"
    declared = replace(wanted.declared, arrays=tuple(change.get(x, x) for x in wanted.declared.arrays))
    called = {written_out(e.args[0]): e.name for e in walk(*results) if e.op == "defined"}
    return code_source(
        wanted.name,
        [written_out(e) for e in results],
        [change.get(x, x) for x in arrays.values()],
        wanted.summary,
        (*wanted.notes, f"Batch: {said}; {rest}."),
        declared,
        called,
        wanted.keys,
    )


def wants_batch(names: Any, summed: bool) -> bool:
    """Tell whether some arrays are to have a leading axis."""
    if summed and not names:
        raise ParseError("a sum over samples needs arrays that differ between them", hint='write batch=["x", "y"]')
    return bool(names)


def _names(names: Any) -> list[str]:
    found = [names] if isinstance(names, str) else list(names)
    if not found or len(set(found)) < len(found):
        raise ParseError("batch names arrays, each once", hint='write batch=["x", "y"]')
    return found


def _array(name: str, arrays: Mapping[str, Expr]) -> Expr:
    if name not in arrays:
        known = ", ".join(arrays)
        raise UnknownNameError(f"{name!r} cannot have a batch axis: it does not occur", hint=f"there are {known}")
    return arrays[name]


def _size(declared: Declared) -> Size:
    return dims.symbol(free_name("B", set(declared.taken)))


def _is_summed(function: Expr, wrt: Sequence[Expr], moving: Sequence[Expr]) -> bool:
    """Tell whether a derivative of a sum over samples is a sum; where it is none, it is that of each sample."""
    if not any(x in moving for x in wrt):
        return True
    if len(wrt) == 1 and not function.rank:
        return False
    raise UnsupportedError(
        "the derivative of a sum over samples in an array that differs between them has one axis more than is written",
        hint="leave summed=False: derivatives of each sample by itself",
    )


__all__ = ["Batch", "Wanted", "batch_of", "batched_source", "wants_batch"]
