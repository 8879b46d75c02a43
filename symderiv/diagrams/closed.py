"""The graph of one derivative: the arrays that the function is made of, its definitions, and the function."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import cache

from symderiv import dims
from symderiv.chain import Chain
from symderiv.diagrams.graph import Edge, Graph, Node, derivative, labelled, space
from symderiv.index.graph import Defined, Leaf
from symderiv.index.graph import Node as IndexNode
from symderiv.render.latex import Latex
from symderiv.stage import Stage
from symderiv.tensor.expr import Expr, walk
from symderiv.tensor.text import FunctionName, to_text

LONGEST = 400  # nodes of a definition that is told in full

Walked = Collection[tuple[str, str]]


def of_stage(stage: Stage, functions: Mapping[FunctionName, str], taken: Sequence[str]) -> Graph:
    """Return the graph of a derivative; `taken` gives the order of the variables."""
    latex = Latex({}, functions=functions)
    function, wanted = stage.function, [x.name for x in stage.variables]
    body = function.args[0] if function.op == "defined" else function
    definitions = [e for e in walk(body) if e.op == "defined"]
    found = {e.name: e for e in walk(body) if e.op == "var"} | {x.name: x for x in stage.variables}
    order = {name: k for k, name in enumerate(taken)}
    variables = sorted(found.values(), key=lambda x: order.get(x.name, len(order)))
    walked = walked_by(stage.chain, stage.name)
    bodies = [*((e.name, e.args[0]) for e in definitions), (stage.name, body)]
    nodes = [
        Node(x.name, "variable", latex.name(x.name), f"{x.name}: {dims.written(x.shape)}", x.name in wanted)
        for x in variables
    ]
    for name, text in bodies:
        kind = "function" if name == stage.name else "definition"
        nodes.append(Node(name, kind, labelled(latex.name(name), latex.matrix(text)), told(name, text, functions)))
    return Graph(latex.name(stage.name), tuple(nodes), tuple(edges(latex, stage.name, function, bodies, walked)))


def edges(latex: Latex, function: str, of: Expr, bodies: Iterable[tuple[str, Expr]], walked: Walked) -> Iterator[Edge]:
    """Yield the arrows into every definition, with what flows back where the chain rule goes."""
    ways = Ways(walked)
    for parent, body in bodies:
        for child in references(body):
            back: tuple[str, ...] = ()
            if (parent, child.name) in walked:
                f, p, c = map(latex.name, (function, parent, child.name))
                alone, plus = ways.alone(child.name), ways.again(parent, child.name)
                back = derivative(f, p, c, space(latex, of.axes, child.axes), alone, plus)
            yield Edge(child.name, parent, space(latex, child.axes), back)


class Ways:
    """How derivatives come from parents to children: pairs (parent, child) of any kind of name."""

    def __init__(self, walked: Walked) -> None:
        self.parents: dict[str, list[str]] = {}
        self.children: dict[str, set[str]] = {}
        for parent, child in sorted(walked):
            self.parents.setdefault(child, []).append(parent)
            self.children.setdefault(parent, set()).add(child)

    def alone(self, child: str) -> bool:
        """Tell whether all of the derivative in a child comes from one parent."""
        return len(self.parents[child]) == 1

    def again(self, parent: str, child: str) -> bool:
        """Tell whether a parent depends on a child through other children of its own, too."""
        others = self.children[parent] - {child}
        return bool(others) and not others.isdisjoint(self.above(child))

    @cache  # noqa: B019 - it lives as long as one graph is made
    def above(self, child: str) -> frozenset[str]:
        """Return everything that depends on a child."""
        found, waiting = set[str](), [child]
        while waiting:
            new = set(self.parents.get(waiting.pop(), ())) - found
            found |= new
            waiting += new
        return frozenset(found)


def walked_by(chain: Chain, function: str) -> set[tuple[str, str]]:
    """Return the pairs (parent, child) that the chain rule goes through, by name; the function has one of its own."""
    if chain.function in chain.variables:
        return {(function, _name(chain.function))}

    def name(node: IndexNode) -> str:
        return function if node is chain.function else _name(node)

    return {(name(edge.parent), name(edge.child)) for edge in chain.edges}


def _name(node: IndexNode) -> str:
    assert isinstance(node, (Defined, Leaf))
    return str(node.name)


def references(body: Expr) -> list[Expr]:
    """Return the arrays and definitions that an expression names, in order, not looking into definitions."""
    found: dict[Expr, None] = {}
    stack, seen = [body], set[Expr]()
    while stack:
        node = stack.pop()
        if node in seen:
            continue
        seen.add(node)
        if node.op in ("var", "defined"):
            found[node] = None
        else:
            stack += reversed(node.args)
    return list(found)


def told(name: str, body: Expr, functions: Mapping[FunctionName, str]) -> str:
    """Return a definition as it is typed; of an endless one only the name."""
    return f"{name} = {to_text(body, functions)}" if body.weight <= LONGEST else name


__all__ = ["edges", "of_stage", "references", "told", "walked_by"]
