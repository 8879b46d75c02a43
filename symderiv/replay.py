"""The proof replays: each edge of the chain rule is derived once more, as written, step by step.

For each definition C below f (parents first) there is one chain of equalities, an :class:`Argument`:

    ∂f[F]/∂C[k] = Σ_P Σ_i ∂f[F]/∂P[i] ∂P[i]/∂C[k]      chain rule, over the P that name C
                = … with ∂f/∂P from the chain before, and P's own text put in
                = … differentiated, every δ contracted                             (index rules)
                = M[F, k]                                       read off in matrix notation

The last index expression must have the normal form that the engine found; where it has not, the replay
refuses.  Nothing here decides what the derivative is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import sympy

from symderiv.chain import Chain, differentiate
from symderiv.errors import ProofError
from symderiv.index import normal
from symderiv.index.expand import same
from symderiv.index.graph import Node
from symderiv.index.indexed import At
from symderiv.index.nodes import (
    Argument,
    Context,
    Definition,
    Derivative,
    Entry,
    Immediate,
    Index,
    Names,
    Plus,
    Tensor,
    Times,
    heads,
    places,
    replace_indices,
)
from symderiv.index.reading import Reader
from symderiv.index.rewriter import Rewriter
from symderiv.index.rules import rename_bound, unfolded
from symderiv.index.written import Written, total
from symderiv.lift import lift
from symderiv.lower import lower, write
from symderiv.tensor.expr import Expr, walk
from symderiv.tensor.text import to_text

LONGEST_INSERTED = 60


@dataclass
class Stage:
    """One derivative, ∂f/∂x, of an expression over definitions."""

    function: Expr
    variable: Expr
    name: str = "f"
    functions: Mapping[tuple[str, int], str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.node = lower(self.function).node
        self.leaf = lower(self.variable).node
        self.chain: Chain = differentiate(self.node, self.leaf)
        self.named: dict[Node, Expr] = {
            lower(e).node: e for e in walk(self.function) if e.op == "defined" and lower(e).node is not self.node
        }

    def lifted(self, node: Node) -> Expr:
        """Return a node in matrix notation, in terms of the definitions."""
        return lift(node, names=self.named)

    @property
    def result(self) -> Expr:
        """Return the derivative in terms of the definitions, its axes grouped as the shapes are."""
        return lift(self.chain.result, self.function.axes + self.variable.axes, self.named)


@dataclass(frozen=True)
class Replayed:
    """The proof of one derivative: its chains of equalities and what they use."""

    arguments: tuple[Argument, ...]
    context: Context
    free: tuple[Index, ...]
    expressions: Mapping[str, Expr]


def replay(stage: Stage, taken: Sequence[str]) -> Replayed:
    """Return the proof of a stage; every chain has arrived at the engine's node."""
    return _Replay(stage, taken).run()


class _Replay:
    def __init__(self, stage: Stage, taken: Sequence[str]) -> None:
        self.stage = stage
        self.names = Names({*taken, stage.name})
        self.inline: dict[str, Definition] = {}
        self.expressions: dict[str, Expr] = {}
        self.cuts: dict[str, Definition] = {}
        self.order: list[Expr] = []
        self.heads: dict[str, Node] = {}
        self.lemmas: dict[str, Argument] = {}
        self.closed: dict[str, tuple[tuple[Index, ...], sympy.Expr]] = {}
        self.left: dict[str, Node] = {}
        self.axes: dict[str, tuple[Index, ...]] = {}

    # -- definitions as written

    def collect(self) -> None:
        stage = self.stage
        for e in walk(stage.function):
            if e.op == "var":
                self.heads[e.name] = lower(e).node
            elif e.op == "defined":
                self.heads[e.name] = lower(e).node
        self.heads[stage.variable.name] = stage.leaf
        self.root = self.define(stage.name, stage.function)
        moving = set(stage.chain.adjoints)
        defs = [e for e in walk(stage.function) if e.op == "defined" and e is not stage.function]
        for e in reversed(defs):
            if lower(e).node in moving or self.mentions_variable(e):
                self.define(e.name, e.args[0])
                self.order.append(e)
                self.left[e.name] = lower(e).node
        self.left[stage.variable.name] = stage.leaf

    def mentions_variable(self, e: Expr) -> bool:
        return any(n is self.stage.variable for n in walk(e))

    def define(self, name: str, body: Expr) -> Definition:
        tokens = [tuple(self.names.fresh(size) for size in axis) for axis in body.axes]
        indices = tuple(i for token in tokens for i in token)
        tensor = Tensor(name, *(i.size for i in indices))
        written = write(body.args[0] if body.op == "defined" and body.name == name else body, tokens, self.notation())
        self.cuts[name] = Definition(tensor, indices, written)
        return self.cuts[name]

    def notation(self) -> Written:
        return Written(self.names, self.inline, sources=self.expressions)

    # -- chains

    def run(self) -> Replayed:
        self.collect()
        variable = self.stage.variable
        arguments = [self.argument(e.name) for e in [*self.order, variable]]
        final = arguments[-1]
        arguments[-1] = self.read_off(final)
        free = self.root.indices + self.closed[variable.name][0]
        return Replayed(tuple(arguments), self.context(), free, self.expressions)

    def context(self) -> Context:
        traits = {
            e.name: e.data[1] for e in walk(self.stage.function, self.stage.variable) if e.op == "var" and e.data[1]
        }
        return Context(dict(self.inline), dict(self.cuts), traits, dict(self.lemmas))

    def parents(self, name: str) -> list[Definition]:
        context = Context(self.inline)
        found = []
        for definition in self.cuts.values():
            tensor = next((h for h in heads_of(definition, context) if h.name == name), None)
            if tensor is not None and definition.tensor.name != name:
                found.append(definition)
        return found

    def argument(self, name: str) -> Argument:
        """Return the chain for ∂f/∂C, C the definition or variable of this name."""
        node = self.left[name]
        c = tuple(self.names.fresh(size) for size in node.dims)
        target = Entry(Tensor(name, *node.dims), *c)
        f = Entry(self.root.tensor, *self.root.indices)
        work = Rewriter(Derivative(f, target), self.context())
        self.start(work, target, f, self.parents(name))
        work.context = self.context()
        work.differentiate()
        work.contract()
        self.arrived(work, name, (*self.root.indices, *c))
        self.closed[name] = (c, work.expr)
        argument = Argument(name, work.start, tuple(work.steps), work.expr)
        self.lemmas[name] = argument
        return argument

    def start(self, work: Rewriter, target: Entry, f: Entry, parents: list[Definition]) -> None:
        """The chain rule, the adjoints of the parents, and the parents' own texts."""
        if [p.tensor.name for p in parents] == [self.root.tensor.name]:
            assert self.root.body is not None
            work.replace("definition of f", (), Immediate(self.root.body, target), {"name": self.root.tensor.name})
            return
        terms = []
        for p in parents:
            if p is self.root:
                terms.append(Immediate(f, target))
                continue
            i = [self.names.fresh(d, Names.FREE) for d in p.tensor.sizes]
            entry = Entry(p.tensor, *i)
            terms.append(total(Times(Derivative(f, entry), Immediate(entry, target)), i))
        new = sympy.Integer(0) if not terms else terms[0] if len(terms) == 1 else Plus(*terms)
        work.replace("chain rule", (), new, {"through": tuple(p.tensor.name for p in parents)})
        self.insert(work)

    def insert(self, work: Rewriter) -> None:
        for place, part in list(places(work.expr)):
            if type(part) is Derivative and place:
                c, closed = self.closed[part.entry.tensor.name]
                if _length(closed) <= LONGEST_INSERTED:
                    new = replace_indices(rename_bound(closed, self.names), dict(zip(c, part.entry.indices, strict=True)))
                    work.replace("lemma", place, new, {"label": part.entry.tensor.name})
        while True:
            found = next(
                (
                    (place, part)
                    for place, part in places(work.expr)
                    if isinstance(part, Immediate) and isinstance(part.of, Entry) and part.of.tensor.name in self.cuts
                    and part.of.tensor is not part.entry.tensor
                ),
                None,
            )  # fmt: skip
            if found is None:
                return
            place, part = found
            body = unfolded(part.of, self.cuts[part.of.tensor.name], self.names)
            work.replace("definition", place, Immediate(body, part.entry), {"name": part.of.tensor.name})

    # -- arriving

    def reader(self) -> Reader:
        return Reader(lambda t: self.heads.get(t.name), self.inline, self.adjoint)

    def adjoint(self, part: Derivative) -> At | None:
        node = self.stage.chain.adjoints.get(self.left[part.entry.tensor.name])
        if node is None:
            return None
        return At(node, (*self.root.indices, *part.entry.indices))

    def arrived(self, work: Rewriter, name: str, order: tuple[Index, ...]) -> None:
        found = self.reader().node(work.expr, order)
        node = self.left[name]
        wanted = self.stage.chain.adjoints.get(node)
        if wanted is None:
            wanted = normal.number(0, (*self.stage.node.dims, *node.dims))
        if not same(found, wanted):
            raise ProofError(f"the replay of ∂{self.stage.name}/∂{name} did not arrive at the engine's result")

    def read_off(self, last: Argument) -> Argument:
        """Close the last chain with the result in matrix notation."""
        c, closed = self.closed[self.stage.variable.name]
        order = (*self.root.indices, *c)
        result = self.stage.lifted(self.stage.chain.result)
        name = to_text(result, self.stage.functions)
        tensor = Tensor(name, *(i.size for i in order))
        body = write(result, [(i,) for i in order], self.notation())
        self.inline[name] = Definition(tensor, order, body)
        self.expressions[name] = result
        work = Rewriter(closed, self.context())
        work.replace("read off", (), Entry(tensor, *order), {"name": name})
        argument = Argument(last.label, last.left, (*last.steps, *work.steps), work.expr)
        self.lemmas[last.label] = argument
        return argument


def heads_of(definition: Definition, context: Context) -> set[Tensor]:
    """Return every head that a definition names, functions of whole arrays looked through."""
    assert definition.body is not None
    found: set[Tensor] = set()
    stack = list(heads(definition.body))
    while stack:
        head = stack.pop()
        if head in found:
            continue
        found.add(head)
        inner = context.definitions.get(head.name)
        if inner is not None:
            stack += inner.arguments
            if inner.body is not None:
                stack += heads(inner.body)
    return found


def _length(expr: sympy.Expr) -> int:
    return sum(1 for _ in places(expr))


