"""Equalities: the proof that leads from one side to the other, where neither need be a derivative.

Both sides are written at the same indices.  What they name is put in only as far as it is needed: a
hypothesis (an equation that is assumed), the text of a definition, a derivative as a lemma of its own.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Any

import sympy

from symderiv.claims.inverses import by_inverses, with_inverses
from symderiv.claims.lemmas import Lemma, below_derivative, path_of, reordered, slope_name
from symderiv.claims.unnamed import LEAVES, Naming, array_of
from symderiv.errors import ProofError, SymderivError
from symderiv.index import normal
from symderiv.index.expand import same
from symderiv.index.graph import Node
from symderiv.index.indexed import At
from symderiv.index.nodes import (
    Argument,
    Context,
    Definition,
    Delta,
    Derivative,
    Entry,
    Index,
    Names,
    Place,
    Step,
    Tensor,
    free_indices,
    places,
    replace_indices,
)
from symderiv.index.reading import Reader
from symderiv.index.rewriter import Rewriter
from symderiv.index.rules import rename_bound, unfolded
from symderiv.index.written import Written, alike
from symderiv.lower import head_name, index_ranges, lower, write
from symderiv.replay import Closing, Known, Replay, Replayed
from symderiv.stage import Stage
from symderiv.statements.meaning import meaning
from symderiv.tensor.expr import Expr, replaced, walk
from symderiv.tensor.parse import without_symmetry
from symderiv.tensor.text import to_text

MOST_ROUNDS = 30
REVERSED = {"unfold": "fold", "stands for": "name", "lemma": "by lemma"}
Equation = tuple[str, Expr, Expr]


def prove_equal(
    left: Expr,
    right: Expr,
    taken: Sequence[str],
    known: Known,
    hypotheses: Sequence[Equation] = (),
    fixed: Collection[str] = (),
) -> Replayed:
    """Return the chains that lead from the left side to the right one, at the same indices.

    `hypotheses` are labelled equations that are assumed: they hold at all of their indices but those called `fixed`,
    and the proof says where it uses them.  Raises ProofError where no proof is found.
    """
    work = _Equality(left, right, taken, known, hypotheses)
    work.fixed = frozenset(fixed)
    return work.run()


class _Equality:
    """One equality: what its sides name, written down once, and the chain between them."""

    def __init__(
        self, left: Expr, right: Expr, taken: Sequence[str], known: Known, hypotheses: Sequence[Equation]
    ) -> None:
        self.known = known
        self.ranges = index_ranges(left, right, *(side for _, *sides in hypotheses for side in sides))
        self.names = Names((*taken, *self.ranges))
        self.naming = Naming(self.names, self.ranges)
        self.left, self.right = self.naming.named(left), self.naming.named(right)
        self.equations = [(label, self.naming.named(a), self.naming.named(b)) for label, a, b in hypotheses]
        sides = [self.left, self.right, *(side for _, *sides in self.equations for side in sides)]
        self.inline: dict[str, Definition] = {}
        self.expressions: dict[str, Expr] = dict(self.naming.expressions)
        self.cuts: dict[str, Definition] = {}
        self.heads: dict[str, Node] = {}
        self.traits: dict[str, frozenset[str]] = {}
        self.derivatives: dict[tuple[str, ...], Expr] = {}
        self.notation = Written(
            self.names, self.inline, {n: Index(n, axis[0]) for n, axis in self.ranges.items()}, self.expressions
        )
        self.lemmas: list[Argument] = []
        self.fixed: frozenset[str] = frozenset()
        self.labels: dict[str, int] = {}
        self.deep = False  # whether derivatives of unknown functions are derived as well, by their slots
        self.implicit = False  # whether the normal form alone has to know the lemmas
        self.starts: list[sympy.Expr] = []
        self.used: set[str] = set()
        self.derived: dict[tuple[str, ...], Argument | None] = {}
        for e in walk(*sides):
            self.note(e)
        self.assumed: dict[str, Argument] = {}
        for label, a, b in self.equations:
            own = label if label not in self.assumed else f"{label} ({len(self.assumed) + 1})"
            self.assumed[own] = self.assumption(own, a, b)
        self.order = self.letters(self.left)
        self.common = {*taken, *self.ranges, *(i.name for i in self.order)}

    # -- what the sides name

    def note(self, e: Expr) -> None:
        """Write down what a part of the sides is: a variable, a definition, a derivative."""
        if e.op == "var" and e.data[1]:
            self.traits[e.name] = e.data[1]
        if e.op in LEAVES:
            self.heads[head_name(e)] = lower(e, meaning()).node
        if e.op == "defined":
            self.define(e)
        if e.op == "diff":
            arrays = [array_of(a) for a in e.args]
            axes = tuple(axis for a in arrays for axis in a.axes)
            whole = Expr("diff", tuple(arrays), e.data, axes)
            self.derivatives[tuple(head_name(a) for a in arrays)] = whole

    def define(self, e: Expr) -> None:
        """Write the text of a definition at indices; a name for a derivative stays one."""
        name, (body,) = head_name(e), e.args
        flat = [size for axis in body.axes for size in axis]
        if body.op == "diff" and len(body.args) == 2 and all(a.op in LEAVES for a in body.args):
            arguments = tuple(Tensor(head_name(a), *(s for axis in a.axes for s in axis)) for a in body.args)
            self.inline[name] = Definition(Tensor(name, *flat), kind="derivative", arguments=arguments)
            return
        indices = [self.names.fresh(size) for size in flat]
        left = iter(indices)
        tokens = [tuple(next(left) for _ in axis) for axis in body.axes]
        self.cuts[name] = Definition(Tensor(name, *flat), tuple(indices), write(body, tokens, self.notation))

    def letters(self, expr: Expr) -> tuple[Index, ...]:
        """Return an index for each axis of the sides."""
        return tuple(self.names.fresh(size) for axis in expr.axes for size in axis)

    def written(self, expr: Expr, order: Sequence[Index]) -> sympy.Expr:
        """Return the entry of an expression at indices."""
        left = iter(order)
        return write(expr, [tuple(next(left) for _ in axis) for axis in expr.axes], self.notation)

    def assumption(self, label: str, left: Expr, right: Expr) -> Argument:
        """Return an equation that is assumed, at indices of its own."""
        order = self.letters(left)
        return Argument(label, self.written(left, order), (), self.written(right, order))

    def context(self) -> Context:
        """Return what the steps may use."""
        lemmas = {**self.known.lemmas, **{a.label: a for a in self.lemmas}}
        return Context(dict(self.inline), dict(self.cuts), self.traits, lemmas, assumed=self.assumed, fixed=self.fixed)

    # -- comparing

    def reader(self, by_name: bool) -> Reader:
        """Return a reader; with `by_name`, definitions and derivatives without a lemma are names that say nothing."""

        def given(tensor: Tensor) -> Node | None:
            definition = self.inline.get(tensor.name)
            if by_name and definition is not None and definition.kind == "derivative":
                return slope_name(tuple(a.name for a in definition.arguments), tensor.sizes)
            if by_name and tensor.name in self.cuts:
                return normal.leaf(tensor.name, tensor.sizes)
            return self.heads.get(tensor.name)

        def derivative(part: Derivative) -> At | None:
            names, indices = path_of(part)
            if by_name:
                return At(slope_name(names, tuple(i.size for i in indices)), indices)
            whole = self.derivatives.get(names)
            return None if whole is None else At(lower(whole, meaning()).node, indices)

        return Reader(given, self.inline, derivative)

    def agree(self, one: sympy.Expr, other: sympy.Expr, by_name: bool = True) -> bool:
        """Tell whether two index expressions have one normal form."""
        reader = self.reader(by_name)
        rest = sorted((free_indices(one) | free_indices(other)) - set(self.order), key=lambda i: i.name)
        try:
            a, b = (reader.node(e, (*self.order, *rest)) for e in (one, other))
        except SymderivError:
            return False
        return same(a, b)

    # -- the chain

    def run(self) -> Replayed:
        """Return the proof."""
        try:
            work, goal = self.approached()
        except ProofError:
            if not with_inverses(self.left, self.right):
                raise
            work, goal = self.by_inverses() if self.left.rank else self.both()
        self.tidy(work)
        self.join(work, goal)
        last = Argument("claim", work.start, tuple(work.steps), goal.start)
        named = sorted(free_indices(last.left) | free_indices(last.right), key=lambda i: i.name)
        free = tuple(dict.fromkeys((*self.order, *named)))
        return Replayed((*self.needed(last), last), self.context(), free, self.expressions)

    def needed(self, last: Argument) -> list[Argument]:
        """Return the lemmas that are cited in the end, and those that they cite."""
        if self.implicit:
            return self.lemmas
        labels = {s.instance["label"] for s in last.steps if "label" in s.instance}
        found: list[Argument] = []
        for lemma in reversed(self.lemmas):
            if lemma.label in labels:
                labels |= {s.instance["label"] for s in lemma.steps if "label" in s.instance}
                found.insert(0, lemma)
        return found

    def join(self, work: Rewriter, goal: Rewriter) -> None:
        """Lead from the end of one chain to that of another, and back along it."""
        work.context = self.context()
        if work.expr is not goal.expr:
            work.replace("commute" if reordered(work.expr, goal.expr) else "rearrange", (), goal.expr)
        for step in reversed(goal.steps):
            rule = REVERSED.get(step.rule, step.rule)
            work.steps.append(Step(rule, step.place, step.instance, step.after, step.before, step.reason))
        work.expr = goal.start

    def by_inverses(self) -> tuple[Rewriter, Rewriter]:
        """Return the chain that laws about inverses lead along, hypotheses put in on both sides."""
        known = {a: b for _, a, b in self.equations if a.op in LEAVES}
        left, right = (_opened(replaced(e, known)) for e in (self.left, self.right))
        chain = by_inverses(self, left, right, self.order)
        if (left, right) == (self.left, self.right):
            return chain, Rewriter(chain.expr, self.context())
        work, goal = self.both()
        for side in (work, goal):
            while self.suppose(side):
                pass
        self.join(work, Rewriter(chain.start, self.context()))
        work.steps += chain.steps
        work.expr = chain.expr
        return work, goal

    def matrix(self, expr: Expr, order: Sequence[Index]) -> Tensor:
        """Return the head of an array in matrix notation, its index definition written down."""
        if expr.op in LEAVES:
            own_head: Tensor = Tensor(head_name(expr), *(i.size for i in order))
            return own_head
        name = to_text(expr)
        if name not in self.inline:
            own = self.letters(expr)
            body: sympy.Expr = self.written(expr, own)
            if isinstance(body, Entry) and body.indices == own:  # an inverse, say: it has a head already
                same_head: Tensor = body.tensor
                return same_head
            self.inline[name] = Definition(Tensor(name, *(i.size for i in own)), own, body)
            self.expressions[name] = expr
        head: Tensor = self.inline[name].tensor
        return head

    def both(self) -> tuple[Rewriter, Rewriter]:
        """Return the chains that start from the two sides."""
        if not self.starts:
            self.starts = [self.written(e, self.order) for e in (self.left, self.right)]
            self.used = set(self.names.taken)
            if free_indices(self.starts[1]) > free_indices(self.starts[0]):  # read from the side that names them all
                self.left, self.right = self.right, self.left
                self.starts.reverse()
        self.names.taken = set(self.used)  # what was tried before took letters that are free again
        left, right = (Rewriter(e, self.context()) for e in self.starts)
        return left, right

    def approached(self) -> tuple[Rewriter, Rewriter]:
        """Return chains from both sides to expressions of one normal form, with as few derivatives as will do."""
        by_name, in_full = (self.suppose, self.unfold), (self.suppose, self.derive, self.unfold)
        for moves, self.deep in ((by_name, False), (in_full, False), (in_full, True)):
            self.derived.clear()
            self.lemmas.clear()
            self.labels.clear()
            work, goal = self.both()
            for _ in range(MOST_ROUNDS):
                if self.agree(work.expr, goal.expr):
                    return work, goal
                if not any(move(chain) for move in moves for chain in (work, goal)):
                    break
        work, goal = self.both()
        self.implicit = True
        if self.agree(work.expr, goal.expr, by_name=False):
            return work, goal
        raise ProofError("the two sides were not found to have one normal form")

    def suppose(self, work: Rewriter) -> bool:
        """Replace what a hypothesis speaks of, left to right, wherever it stands; tell whether it did anywhere."""
        found = False
        for label, equation in self.assumed.items():
            for place, part in list(places(work.expr)):
                if self.part(work, place) is not part or below_derivative(work.expr, place):
                    continue  # what was put in before may have taken the place away
                change = {i: i for i in free_indices(equation.left) if i.name in self.fixed}
                if alike(equation.left, part, change):
                    free = free_indices(equation.left)
                    new = rename_bound(equation.right, self.names)
                    new = replace_indices(new, {a: b for a, b in change.items() if a in free})
                    work.replace("hypothesis", place, new, {"label": label})
                    found = True
        return found

    @staticmethod
    def part(work: Rewriter, place: Place) -> Any:
        """Return the part at a place, None where there is no such place any more."""
        try:
            return work.part(place)
        except (IndexError, AttributeError):
            return None

    def unfold(self, work: Rewriter) -> bool:
        """Put in the texts of the definitions that stand in an expression; tell whether there were any."""
        found = False
        for place, part in list(places(work.expr)):
            if isinstance(part, Entry) and part.tensor.name in self.cuts and not below_derivative(work.expr, place):
                text = unfolded(part, self.cuts[part.tensor.name], self.names)
                work.replace("unfold", place, text, {"name": part.tensor.name, "thought": "unfold"})
                found = True
        return found

    def derive(self, work: Rewriter) -> bool:
        """Put in the derivatives that stand in an expression, each by a lemma of its own; tell whether any was new."""
        found = self.name_no_more(work)
        for place, part in list(places(work.expr)):
            if type(part) is not Derivative or below_derivative(work.expr, place):
                continue
            names, indices = path_of(part)
            lemma = self.lemma(names) if len(names) == 2 else None
            if lemma is None:
                continue
            own = (*lemma.left.of.indices, *lemma.left.entry.indices)
            new = replace_indices(rename_bound(lemma.right, self.names), dict(zip(own, indices, strict=True)))
            work.replace("lemma", place, new, {"label": lemma.label})
            found = True
        return found

    def label(self, about: str) -> str:
        """Return the label of the lemma about something: (a), (b), …, one for each."""
        count = self.labels.setdefault(about, len(self.labels))
        return f"({'abcdefghijklmnopqrstuvwxyz'[count % 26] * (count // 26 + 1)})"

    def name_no_more(self, work: Rewriter) -> bool:
        """Write `∂f/∂x` for a name of it; tell whether there was one."""
        found = False
        for place, part in list(places(work.expr)):
            definition = self.inline.get(part.tensor.name) if isinstance(part, Entry) else None
            if definition is None or definition.kind != "derivative" or below_derivative(work.expr, place):
                continue
            f, x = definition.arguments
            if self.lemma((f.name, x.name)) is not None:
                split = len(f.sizes)
                new = Derivative(Entry(f, *part.indices[:split]), Entry(x, *part.indices[split:]))
                work.replace("stands for", place, new, {"name": part.tensor.name, "thought": "unfold"})
                found = True
        return found

    def lemma(self, names: tuple[str, ...]) -> Argument | None:
        """Return the chain that derives ∂f/∂x; None where f is no more than a name."""
        whole = self.derivatives.get(names)
        if whole is None or whole.args[0].op != "defined":
            return None
        if names not in self.derived:
            f, x = whole.args
            bare = without_symmetry(x) if x.op == "var" else x
            f = replaced(f, {x: bare})
            stage = Stage(f, (bare,), f.name, meaning=meaning(self.ranges))
            letters = Names(self.common)  # each lemma may use the letters of the others
            at = tuple(tuple(letters.fresh(s) for axis in e.axes for s in axis) for e in (f, x))
            closing = Closing({x.name: x.data[1]} if bare is not x else {}, {})
            replay = Lemma(
                stage, tuple(self.common), (at[0], at[1]), self.known, closing, (self.inline, self.expressions)
            )
            self.derived[names] = None if replay.primitive(x.name) and not self.deep else self.derived_by(replay)
        return self.derived[names]

    def derived_by(self, replay: Replay) -> Argument:
        """Take over the chains of a replay, each under a label that says what it derives; return the last."""
        replay.run()
        f = replay.stage.name
        labels = {a.label: self.label(f"∂{f}/∂{a.label}") for a in replay.arguments}
        for name, definition in replay.cuts.items():
            self.cuts.setdefault(name, definition)
        for e in (*replay.order, *replay.stage.variables):
            axes = replay.stage.function.axes + e.axes
            self.derivatives.setdefault((f, e.name), Expr("diff", (replay.stage.function, e), ("total",), axes))
        for a in replay.arguments:
            steps = tuple(
                replace(s, instance={**s.instance, "label": labels[s.instance["label"]]}) if s.rule == "lemma" else s
                for s in a.steps
            )
            if labels[a.label] not in {known.label for known in self.lemmas}:
                self.lemmas.append(Argument(labels[a.label], a.left, steps, a.right))
        wanted = labels[replay.arguments[-1].label]
        return next(a for a in self.lemmas if a.label == wanted)

    def tidy(self, work: Rewriter) -> None:
        """Contract every δ that stands in a sum."""
        if any(isinstance(part, Delta) for _, part in places(work.expr)):
            work.context = self.context()
            work.contract()


def _opened(expr: Expr) -> Expr:
    """Return what a definition says, where it says an inverse."""
    return expr.args[0] if expr.op == "defined" and expr.args[0].op == "inv" else expr
