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
from functools import cached_property

import sympy

from symderiv.chain import differentiate
from symderiv.errors import ProofError, UnsupportedError
from symderiv.index import normal
from symderiv.index.expand import same
from symderiv.index.graph import Node
from symderiv.index.indexed import At
from symderiv.index.nodes import (
    Apply,
    Argument,
    Context,
    Definition,
    Derivative,
    Entry,
    Immediate,
    Index,
    Names,
    Place,
    Plus,
    Structured,
    Sum,
    Tensor,
    Times,
    places,
    replace_indices,
)
from symderiv.index.reading import Reader
from symderiv.index.rewriter import Rewriter
from symderiv.index.rules import depends, heads_below, rename_bound, unfolded
from symderiv.index.written import Written, alike, total
from symderiv.lower import write
from symderiv.stage import Stage
from symderiv.structured import slope
from symderiv.tensor.expr import Expr, walk
from symderiv.tensor.text import to_text

LONGEST_INSERTED = 60


@dataclass(frozen=True)
class Replayed:
    """The proof of one derivative: its chains of equalities and what they use."""

    arguments: tuple[Argument, ...]
    context: Context
    free: tuple[Index, ...]
    expressions: Mapping[str, Expr]


@dataclass(frozen=True)
class Closing:
    """What follows the last derivative: what is assumed of the variables, and the results by name with it in use.

    `assumed` lists what could not be used before: (name, symmetric, diagonal or orthogonal).
    """

    traits: Mapping[str, frozenset[str]]
    results: Mapping[str, Expr]
    assumed: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Known:
    """What a proof may cite: chains proved before, by label, and names given to derivatives of unknown functions."""

    lemmas: Mapping[str, Argument] = field(default_factory=dict)
    named: Mapping[tuple[str, str], Tensor] = field(default_factory=dict)  # (f, x) -> head of ∂f/∂x
    definitions: Mapping[str, Mapping[str, Definition]] = field(default_factory=dict)  # what a label's proof wrote down


def replay(stage: Stage, taken: Sequence[str], closing: Closing | None = None) -> Replayed:
    """Return the proof of a stage; every chain has arrived at the engine's node."""
    work = Replay(stage, taken, closing=closing)
    work.run()
    for x in stage.variables:
        work.read_off(x)
        if x.name in stage.structures:
            work.free_entries(x)
        work.close(x)
    return work.replayed()


class Replay:
    """The chains of one stage; `free` are the indices of f and of x where a claim names them."""

    def __init__(
        self,
        stage: Stage,
        taken: Sequence[str],
        free: tuple[tuple[Index, ...], tuple[Index, ...]] | None = None,
        known: Known | None = None,
        closing: Closing | None = None,
    ) -> None:
        self.stage = stage
        self.known = known or Known()
        self.closing = closing or Closing({}, {})
        self.ends = {x.name: x for x in stage.variables}
        self.free = free
        chosen = {i.name for part in free or () for i in part}
        self.taken = {*taken, stage.name, *chosen}
        self.names = Names(set(self.taken))
        self.inline: dict[str, Definition] = {}
        self.expressions: dict[str, Expr] = {}
        self.cuts: dict[str, Definition] = {}
        self.order: list[Expr] = []
        self.heads: dict[str, Node] = {}
        self.arguments: list[Argument] = []
        self.closed: dict[str, tuple[tuple[Index, ...], sympy.Expr]] = {}
        self.left: dict[str, Node] = {}
        self.found: dict[str, tuple[Definition, frozenset[str]]] = {}
        self.collect()

    # -- definitions as written

    def collect(self) -> None:
        """Write down every definition between f and x."""
        stage = self.stage
        reaching: set[Expr] = set(stage.variables)
        for e in walk(stage.function, *stage.variables):
            if e.op in ("var", "defined"):
                self.heads[e.name] = stage.lowered(e)
            if any(a in reaching for a in e.args):
                reaching.add(e)
        root = stage.function
        body = root.args[0] if root.op == "defined" and root.name == stage.name else root
        self.root = self.define(stage.name, body, self.free[0] if self.free else None)
        moving = set(stage.chain.adjoints)
        for e in stage.inner:
            if stage.lowered(e) in moving or e in reaching:
                self.define(e.name, e.args[0])
                self.order.append(e)
                self.left[e.name] = stage.lowered(e)
        self.left.update((x.name, leaf) for x, leaf in zip(stage.variables, stage.leaves, strict=True))
        for (f, x), head in self.known.named.items():
            if f == stage.name and x in self.left:
                arguments = (self.root.tensor, Tensor(x, *self.left[x].dims))
                self.inline[head.name] = Definition(head, kind="derivative", arguments=arguments)
            elif f in self.cuts and x in self.ends:
                arguments = (self.cuts[f].tensor, Tensor(x, *self.left[x].dims))
                self.inline[head.name] = Definition(head, kind="derivative", arguments=arguments)
                self.heads[head.name] = differentiate(self.left[f], self.left[x]).result
        self.below = self.names_below()

    def define(self, name: str, body: Expr, indices: tuple[Index, ...] | None = None) -> Definition:
        """Write a definition at indices."""
        self.cuts[name] = self.written(name, body, self.names, indices)
        return self.cuts[name]

    def written(self, name: str, body: Expr, names: Names, indices: tuple[Index, ...] | None = None) -> Definition:
        """Return a definition at indices, fresh ones where none are given."""
        flat = [size for axis in body.axes for size in axis]
        chosen = list(indices) if indices is not None else [names.fresh(size) for size in flat]
        left = iter(chosen)
        tokens = [tuple(next(left) for _ in axis) for axis in body.axes]
        notation = Written(names, self.inline, sources=self.expressions)
        return Definition(Tensor(name, *flat), tuple(chosen), write(body, tokens, notation))

    def notation(self, free: Mapping[str, Index] | None = None) -> Written:
        """Return the notation in which this proof is written."""
        return Written(self.names, self.inline, free, self.expressions)

    # -- chains

    def run(self) -> Argument:
        """Derive every chain; return the last one, ∂f/∂x for the last variable."""
        for e in self.order:
            if self.primitive(e.name):
                self.keep(e.name)
            else:
                self.arguments.append(self.argument(e.name))
        self.arguments += [self.argument(x.name) for x in self.stage.variables]
        return self.arguments[-1]

    def replayed(self) -> Replayed:
        """Return the proof as it stands."""
        free = self.root.indices + self.closed[self.stage.variables[-1].name][0]
        names = Names(self.taken)
        for e in self.stage.inner:  # what the variables do not reach is constant, but perhaps symmetric
            if e.name not in self.cuts:
                self.cuts[e.name] = self.written(e.name, e.args[0], names)
        return Replayed(tuple(self.arguments), self.context(), free, self.expressions)

    def context(self) -> Context:
        """Return what the steps may use."""
        lemmas = {a.label: a for a in self.arguments}
        return Context(dict(self.inline), dict(self.cuts), self.traits, {**self.known.lemmas, **lemmas})

    @cached_property
    def traits(self) -> dict[str, frozenset[str]]:
        """Return what is assumed of the variables, by name."""
        variables = walk(self.stage.function, *self.stage.variables)
        return {e.name: e.data[1] for e in variables if e.op == "var" and e.data[1]} | dict(self.closing.traits)

    def parents(self, name: str) -> list[Definition]:
        """Return the definitions of f, its own and those below it, whose text names C."""
        below = [d for d in self.cuts.values() if d.tensor.name in self.below and d.tensor.name != name]
        return [d for d in below if name in self.named_in(d)]

    def named_in(self, definition: Definition) -> frozenset[str]:
        """Return the heads that a definition names, functions of whole arrays looked through."""
        name = definition.tensor.name
        known = self.found.get(name)
        if known is None or known[0] is not definition:
            heads = frozenset(h.name for h in heads_of(definition, Context(self.inline)))
            known = self.found[name] = definition, heads
        return known[1]

    def names_below(self) -> set[str]:
        """Return the names of f and of all that its text depends on, functions of whole arrays looked through."""
        found: set[str] = set()
        stack = [self.root.tensor.name]
        while stack:
            name = stack.pop()
            if name not in found:
                found.add(name)
                stack += self.named_in(self.cuts[name]) if name in self.cuts else ()
        return found

    def primitive(self, name: str) -> bool:
        """Tell whether f is an unknown function of C and nothing else: ∂f/∂C is then a name of its own."""
        body = self.root.body
        if not isinstance(body, Entry):
            return False
        definition = self.inline.get(body.tensor.name)
        is_unknown = definition is not None and definition.kind == "unknown" and not definition.axes
        return is_unknown and [p.tensor for p in self.parents(name)] == [self.root.tensor]

    def keep(self, name: str) -> None:
        """Leave ∂f/∂C as it is, under its given name where it has one."""
        node = self.left[name]
        c = tuple(self.names.fresh(size) for size in node.dims)
        f = Entry(self.root.tensor, *self.root.indices)
        self.closed[name] = (c, Derivative(f, Entry(Tensor(name, *node.dims), *c)))

    def target(self, name: str) -> tuple[Index, ...]:
        """Return the indices of C: those of the claim for x itself, fresh ones else."""
        if self.free is not None and name in self.ends:
            return self.free[1]
        return tuple(self.names.fresh(size) for size in self.left[name].dims)

    def argument(self, name: str) -> Argument:
        """Return the chain for ∂f/∂C, C the definition or variable of this name."""
        c = self.target(name)
        target = Entry(Tensor(name, *self.left[name].dims), *c)
        f = Entry(self.root.tensor, *self.root.indices)
        work = Rewriter(Derivative(f, target), self.context())
        self.start(work, target, f, self.parents(name))
        work.context = self.context()
        work.differentiate()
        self.fold(work)
        work.contract()
        self.arrived(work.expr, name, (*self.root.indices, *c))
        self.closed[name] = (c, work.expr)
        return Argument(name, work.start, tuple(work.steps), work.expr)

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
            i = self.summed(p, (target, f))
            entry = Entry(p.tensor, *i)
            terms.append(total(Times(Derivative(f, entry), Immediate(entry, target)), i))
        new = sympy.Integer(0) if not terms else terms[0] if len(terms) == 1 else Plus(*terms)
        work.replace("chain rule", (), new, {"through": tuple(p.tensor.name for p in parents)})
        self.insert(work)

    def summed(self, p: Definition, outside: tuple[Entry, ...]) -> tuple[Index, ...]:
        """Return indices to sum over P with: its own letters where they are free to use."""
        used = {i.name for e in outside for i in e.indices}
        if used.isdisjoint(i.name for i in p.indices):
            return p.indices
        return tuple(self.names.fresh(d, Names.FREE) for d in p.tensor.sizes)

    def insert(self, work: Rewriter) -> None:
        """Put in the adjoints (by lemma or by name), what was proved before, and the texts of definitions."""
        for place, part in list(places(work.expr)):
            if type(part) is Derivative and place:
                self.insert_adjoint(work, place, part)
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
            named = self.known.named.get((part.of.tensor.name, part.entry.tensor.name))
            if named is not None and self.only_itself(part):
                entry = Entry(named, *part.of.indices, *part.entry.indices)
                work.replace("name", place, entry, {"name": named.name})
                continue
            cited = self.cited(part)
            if cited is not None:
                label, new = cited
                for name, definition in self.known.definitions.get(label, {}).items():
                    self.inline.setdefault(name, definition)
                work.context = self.context()
                work.replace("cite", place, new, {"label": label})
                continue
            body = unfolded(part.of, self.cuts[part.of.tensor.name], self.names)
            work.replace("definition", place, Immediate(body, part.entry), {"name": part.of.tensor.name})

    def insert_adjoint(self, work: Rewriter, place: Place, part: Derivative) -> None:
        name = part.entry.tensor.name
        head = self.known.named.get((self.root.tensor.name, name))
        if head is not None:
            work.replace("name", place, Entry(head, *part.of.indices, *part.entry.indices), {"name": head.name})
            return
        c, closed = self.closed[name]
        unknown = self.left[name] not in self.stage.chain.adjoints  # cancelled in the normal form: it has no name there
        if (_length(closed) <= LONGEST_INSERTED or unknown) and not isinstance(closed, Derivative):
            new = replace_indices(rename_bound(closed, self.names), dict(zip(c, part.entry.indices, strict=True)))
            work.replace("lemma", place, new, {"label": name})

    def cited(self, part: Immediate) -> tuple[str, sympy.Expr] | None:
        """Return a claim proved before that says what ∂P/∂C is, at these indices."""
        if not self.only_itself(part):
            return None
        p, x = part.of.tensor, part.entry.tensor
        for label, lemma in self.known.lemmas.items():
            left = lemma.left
            first = type(left) is Derivative and isinstance(left.of, Entry)
            if first and left.of.tensor is p and left.entry.tensor is x:
                own = (*left.of.indices, *left.entry.indices)
                now = (*part.of.indices, *part.entry.indices)
                if len(set(own)) == len(own):
                    return label, replace_indices(
                        rename_bound(lemma.right, self.names), dict(zip(own, now, strict=True))
                    )
        return None

    def only_itself(self, part: Immediate) -> bool:
        """Tell whether P depends on x through its own text only: then ∂P/∂x of that text is the total derivative."""
        p, x = part.of.tensor, part.entry.tensor
        return not any(q.tensor is not p and depends(Entry(p), q.tensor, self.whole()) for q in self.parents(x.name))

    def whole(self) -> Context:
        """Return a context that looks through every definition."""
        return Context({**self.inline, **self.cuts})

    def fold(self, work: Rewriter) -> None:
        """Name what has a name: `f(u[i])` is `z[i]` where z is defined so."""
        for definition in self.cuts.values():
            if definition is self.root or not self.is_one_head(definition):
                continue
            for place, part in list(places(work.expr)):
                if isinstance(part, (Apply, Entry)) and part != Entry(definition.tensor, *definition.indices):
                    indices = _matched(definition, part)
                    if indices is not None:
                        work.replace(
                            "fold", place, Entry(definition.tensor, *indices), {"name": definition.tensor.name}
                        )

    def is_one_head(self, definition: Definition) -> bool:
        """Tell whether a definition is a function of one array, entrywise or as a whole: `h(A)`, `softmax(A, 1)`."""
        body = definition.body
        if isinstance(body, Entry):
            known = self.inline.get(body.tensor.name)
            return known is not None and known.kind == "softmax"
        return isinstance(body, Apply)

    def name_definitions(self, expr: Expr) -> None:
        """Write down the definitions that a claim names and the function does not: its last line may read them."""
        for e in walk(expr):
            if e.op == "defined" and e.name not in self.cuts and e.name not in self.inline:
                self.heads[e.name] = self.stage.lowered(e)
                self.define(e.name, e.args[0])

    # -- arriving

    def reader(self) -> Reader:
        """Return the reader that knows the nodes of this stage."""
        return Reader(self.given, self.inline, self.adjoint)

    def given(self, tensor: Tensor) -> Node | None:
        """Return the node of a variable, a definition, or a derivative that has a name."""
        for (f, x), head in self.known.named.items():
            if head is tensor and f == self.stage.name:
                return self.stage.chain.adjoints.get(self.left[x]) if x in self.left else None
        return self.heads.get(tensor.name)

    def adjoint(self, part: Derivative) -> At | None:
        """Return the node of an adjoint that stands in a chain as it is."""
        node = self.opaque(part.entry.tensor.name)
        return None if node is None else At(node, (*self.root.indices, *part.entry.indices))

    def opaque(self, name: str) -> Node | None:
        """Return ∂f/∂P as a name that says nothing: what holds for it holds for the adjoint that it is."""
        node = self.stage.chain.adjoints.get(self.left[name])
        if node is None or self.primitive(name):
            return node
        return normal.leaf(f"∂{self.root.tensor.name}/∂{name}", node.dims)

    def arrived(self, expr: sympy.Expr, name: str, order: tuple[Index, ...]) -> None:
        """Hold an expression against the engine's node for ∂f/∂C."""
        if name not in self.ends and self.left[name] not in self.stage.chain.adjoints:
            return  # cancelled in the normal form: the engine never comes by; the kernel checks the steps all the same
        found = self.reader().node(expr, order)
        if not same(found, self.wanted(expr, name)):
            raise ProofError(f"the replay of ∂{self.stage.name}/∂{name} did not arrive at the engine's result")

    def wanted(self, expr: sympy.Expr, name: str) -> Node:
        """Return what the engine finds for ∂f/∂C, in terms of the adjoints that the expression leaves as they are."""
        chain, node = self.stage.chain, self.left[name]
        kept = {p.entry.tensor.name for _, p in places(expr) if type(p) is Derivative}
        named = {self.left[n]: self.opaque(n) for n in kept if not self.primitive(n)}
        dims = (*self.stage.node.dims, *node.dims)
        if not named or node not in chain.adjoints:
            return chain.adjoints.get(node, normal.number(0, dims))
        done: dict[Node, Node] = {self.stage.node: chain.adjoints[self.stage.node]}
        done.update({n: bar for n, bar in named.items() if bar is not None and n is not node})
        stack = [node]
        while stack:
            top = stack[-1]
            parents = [e.parent for e in chain.edges if e.child is top]
            waiting = [p for p in parents if p not in done]
            stack += waiting
            if not waiting:
                stack.pop()
                parts = [chain.along(p, done[p])[top] for p in parents]
                done[top] = normal.add([(1, part) for part in parts], (*self.stage.node.dims, *top.dims))
        return done[node]

    def read_off(self, x: Expr) -> None:
        """Close the chain of a variable with the result in matrix notation."""
        c, closed = self.closed[x.name]
        order = (*self.root.indices, *c)
        try:
            head = self.matrix(self.stage.lifted(self.stage.node_in(x, independent=True)), order, apart=True)
        except UnsupportedError:  # nested too deeply for one expression: the chain ends over its lemmas
            return
        work = Rewriter(closed, self.context())
        work.replace("read off", (), Entry(head, *order), {"name": head.name})
        self.lengthen(x.name, work)

    def lengthen(self, label: str, work: Rewriter) -> None:
        """Put steps at the end of a chain."""
        place = next(k for k, a in enumerate(self.arguments) if a.label == label)
        old = self.arguments[place]
        self.arguments[place] = Argument(label, old.left, (*old.steps, *work.steps), work.expr)

    def free_entries(self, x: Expr) -> None:
        """`∂f/∂S[k,l] = Σ_ij ∂f/∂S[i,j] ∂S[i,j]/∂S[k,l]` over the free entries of S, ∂f/∂S[i,j] as proved before."""
        kind = self.stage.structures[x.name]
        c, f = self.closed[x.name][0], Entry(self.root.tensor, *self.root.indices)
        tensor = Tensor(x.name, *self.left[x.name].dims)
        i, j = (self.names.fresh(size, Names.BOUND) for size in tensor.sizes)
        part = Derivative(f, Entry(tensor, i, j))
        slopes = slope(kind, (i, j), (c[0], c[1]))
        work = Rewriter(Structured(f, Entry(tensor, *c)), self.context())
        work.replace("free entries", (), Sum(Times(part, slopes), i, j), {"name": x.name, "kind": kind})
        proved = next(a for a in self.arguments if a.label == x.name)
        change = dict(zip(c, (i, j), strict=True))
        work.replace("lemma", (0, 0), replace_indices(proved.right, change), {"label": x.name})
        work.contract()
        order = (*self.root.indices, *c)
        if not same(self.reader().node(work.expr, order), self.stage.node_in(x)):
            raise ProofError(f"the replay of the free entries of {x.name} did not arrive at the engine's result")
        head = self.matrix(self.stage.lifted(self.stage.node_in(x)), order)
        work.replace("read off", (), Entry(head, *order), {"name": head.name})
        self.arguments.append(Argument(self.structured_label(x), work.start, tuple(work.steps), work.expr))

    def structured_label(self, x: Expr) -> str:
        """Return the label of the chain of a variable: its name, or that with its free entries."""
        return f"{x.name}, free entries" if x.name in self.stage.structures else x.name

    def close(self, x: Expr) -> None:
        """Use what is assumed of the variables themselves, now that the last derivative is taken."""
        result = self.closing.results.get(x.name)
        if result is None:
            return
        label = self.structured_label(x)
        closed = next(a for a in self.arguments if a.label == label).right
        if not isinstance(closed, Entry):
            return
        order = closed.indices
        if to_text(result, self.stage.functions) == closed.tensor.name:
            return
        head = self.matrix(result, order, apart=True)
        if head is closed.tensor:
            return
        work = Rewriter(closed, self.context())
        work.replace("assumption", (), Entry(head, *order), {"name": head.name, "of": self.closing.assumed})
        self.lengthen(label, work)

    def matrix(self, expr: Expr, order: tuple[Index, ...], apart: bool = False) -> Tensor:
        """Return the head of an array in matrix notation, its index definition written down.

        `apart` gives a variable or a definition as a result a head of its own.
        """
        left = iter(order)
        tokens = [tuple(next(left) for _ in axis) for axis in expr.axes]
        body = write(expr, tokens, self.notation())
        name = to_text(expr, self.stage.functions)
        if apart and name in self.heads:
            name = f"({name})"
        while name in self.inline and self.inline[name].kind:  # a function of a whole array has that name already
            name = f"({name})"
        tensor: Tensor = Tensor(name, *(i.size for i in order))
        self.inline[name] = Definition(tensor, order, body)
        self.expressions[name] = expr
        return tensor


def _matched(definition: Definition, part: sympy.Expr) -> tuple[Index, ...] | None:
    """Return the indices at which a definition's body is the given expression."""
    change: dict[Index, Index] = {}
    if not alike(definition.body, part, change) or set(change) < set(definition.indices):
        return None
    return tuple(change[i] for i in definition.indices)


def heads_of(definition: Definition, context: Context) -> set[Tensor]:
    """Return every head that a definition names, functions of whole arrays looked through."""
    assert definition.body is not None
    return set(heads_below(definition.body, context))


def _length(expr: sympy.Expr) -> int:
    return sum(1 for _ in places(expr))
