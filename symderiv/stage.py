"""One derivative of an expression over definitions, as the engine finds it: what a proof replays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from symderiv.chain import Chain, differentiate_all
from symderiv.index import normal
from symderiv.index.folding import folded
from symderiv.index.graph import Node
from symderiv.lift import lift
from symderiv.lower import Array, Meaning, lower, nothing
from symderiv.structured import over_free_entries
from symderiv.tensor.expr import Expr


@dataclass
class Stage:
    """The derivatives ∂f/∂x of an expression over definitions, in one variable or in several.

    `meaning` gives the nodes of what the matrix language does not know itself (a derivative that a
    definition names); x may be a variable or a definition.  `structures` names the variables whose
    derivative is taken over their free entries (:mod:`symderiv.structured`).
    """

    function: Expr
    variables: tuple[Expr, ...]
    name: str = "f"
    functions: Mapping[tuple[str, int], str] = field(default_factory=dict)
    meaning: Meaning = nothing
    structures: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.known: dict[Expr, Array] = {}
        self.node = self.lowered(self.function)
        self.leaves = tuple(self.lowered(x) for x in self.variables)
        self.chain: Chain = differentiate_all(self.node, self.leaves)
        self.inner = definitions_below(self.function, self.variables)
        self.used: dict[Node, Node] = {}
        self.named: dict[Node, Expr] = {self.dependent(self.lowered(e)): e for e in self.inner}

    def dependent(self, node: Node) -> Node:
        """Return a node with the symmetry of its definitions put to use."""
        return normal.dependent(node, self.used)

    def lowered(self, expr: Expr) -> Node:
        """Return the normal form of an expression; the entries of its definitions count as independent."""
        return lower(expr, self.meaning, done=self.known, independent=True).node

    def lifted(self, node: Node) -> Expr:
        """Return a node in matrix notation, in terms of the definitions."""
        return lift(folded(self.dependent(node)), names=self.named)

    def node_in(self, variable: Expr, independent: bool = False) -> Node:
        """Return the derivative in a variable, over its free entries where it has a structure."""
        node = self.dependent(self.chain.results[self.variables.index(variable)])
        kind = "" if independent else self.structures.get(variable.name, "")
        return over_free_entries(node, kind) if kind else node

    def result_in(self, variable: Expr) -> Expr:
        """Return the derivative in a variable in terms of the definitions, its axes grouped as the shapes are."""
        return lift(folded(self.node_in(variable)), self.function.axes + variable.axes, self.named)

    @property
    def result(self) -> Expr:
        """Return the derivative in the only variable."""
        (variable,) = self.variables
        return self.result_in(variable)


def definitions_below(function: Expr, variables: Sequence[Expr]) -> list[Expr]:
    """Return the definitions that a function is made of, parents first, not looking below the variables."""
    ends = set(variables)
    found: dict[Expr, None] = {}
    stack: list[tuple[Expr, bool]] = [(function, False)]
    seen: set[Expr] = set()
    while stack:
        node, ready = stack.pop()
        if ready:
            if node.op == "defined" and node is not function and node not in ends:
                found[node] = None
            continue
        if node in seen or node in ends:
            continue
        seen.add(node)
        stack.append((node, True))
        stack.extend((a, False) for a in node.args)
    return list(reversed(found))
