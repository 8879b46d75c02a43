"""Proofs of claims about families: in a window around a derivative, or by induction.

The claim is read again (see `windows`): directly, for members of symbolic label; or twice, at the first
member of the innermost range and at any later one, where the claim for the member before is known.
What is known of the member before is read as a definition: its left side `∂h[t-1]/∂h[τ]` under the name of its
right side `∏ J[s]`, or the other way round; so a step by that definition is a step by the hypothesis.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import sympy

from symderiv import trees
from symderiv.claims.endings import Ending
from symderiv.claims.equalities import Equation
from symderiv.claims.first import Sides, sides
from symderiv.claims.proving import attempts, equations
from symderiv.errors import ProofError, SymderivError, UnsupportedError
from symderiv.families import Bounds, Label, Range
from symderiv.index.nodes import Tensor
from symderiv.lift import lift
from symderiv.lower import index_ranges, lower
from symderiv.replay import Known, Replayed
from symderiv.statements.block import BlockReader, Names, Statement
from symderiv.statements.meaning import meaning, simplified
from symderiv.statements.members import RANGED, World
from symderiv.statements.worlds import reader_in
from symderiv.tensor.expr import Expr, defined, replaced, walk
from symderiv.tensor.operations import apply
from symderiv.tensor.text import to_text
from symderiv.windows.around import Sought, sought, windows
from symderiv.windows.dependence import Dependence, key_of
from symderiv.windows.faithful import check_derivatives, check_supposed
from symderiv.windows.induction import Induction
from symderiv.windows.stacked import flat
from symderiv.windows.window import Window, cores, is_long


def running(*exprs: Expr) -> list[str]:
    """Return the variables that sums and products over ranges run through: no index is to look like one."""
    return sorted({e.data[0] for e in walk(*exprs) if e.op in RANGED})


@dataclass(frozen=True)
class Question:
    """A claim at labels: `values` are those of variables that no range binds any more."""

    names: Names
    test: ast.Compare
    bounds: Bounds
    values: Mapping[str, Label]

    def at(self, variable: str, label: Label, bounds: Bounds) -> Question:
        """Return the claim with a value for a variable."""
        return replace(self, bounds=bounds, values={**self.values, variable: label})

    def integers(self) -> dict[str, Label]:
        """Return what the integers of the claim stand for."""
        return {**{r.variable: r.symbol for r in self.bounds.ranges}, **self.values}

    def opened(self) -> tuple[Expr, Expr]:
        """Return both sides in the open world."""
        reader = reader_in(World(), self.names, self.integers())
        reader.ranges = list(self.bounds.ranges)
        return reader.sides(self.test)

    def read(self, reader: BlockReader) -> tuple[Expr, Expr]:
        """Return both sides as a reader has them."""
        left, right = reader.sides(self.test)
        return simplified(left), simplified(right)

    def sides(self, window: Window) -> tuple[Expr, Expr]:
        """Return both sides as they stand in a window."""
        window.values = dict(self.values)
        return window.reader().sides(self.test)

    def within(self, window: Window) -> tuple[Expr, Expr]:
        """Return both sides in a window, ready for a proof; an error where they may mean something else there."""
        left, right = self.sides(window)
        check_derivatives(window, (left, right))
        return simplified(left), simplified(right)


def question_of(statement: Statement, names: Names) -> Question:
    """Return the question that a claim asks."""
    assert isinstance(statement.node, ast.Assert)
    test = statement.node.test
    if isinstance(test, ast.UnaryOp):
        test = test.operand
    assert isinstance(test, ast.Compare)
    return Question(names, test, Bounds(statement.ranges, names.families.least), {})


Check = Callable[[Replayed], None]


@dataclass(frozen=True)
class Facts:
    """How a hypothesis is known in a window: under names that its other side stands for, or as an equation."""

    names: tuple[str, ...] = ()
    equations: tuple[Equation, ...] = ()
    replaced: Mapping[Expr, Expr] = field(default_factory=dict)


def prove_open(
    statement: Statement,
    names: Names,
    taken: Sequence[str],
    check: Check,
    ending: Ending | None = None,
    earlier: Mapping[str, Replayed] | None = None,
    kept: list[Window] | None = None,
) -> Replayed | Induction:
    """Return a proof of a claim about families that a check accepts; an error where none is found.

    `ending` puts the last step of an approximation to a proof for a member of symbolic label; `earlier` are proofs
    that may be cited, by label. `kept` is filled with the windows of the proof: one, or those of base and step.
    """
    question = question_of(statement, names)
    prover = _Prover(names, list(taken), check, ending)
    prover.earlier = dict(earlier or {})
    prover.kept = kept if kept is not None else []
    try:
        return prover.direct(question, given=[trees.expression(g.text) for g in statement.given])
    except SymderivError as err:
        reasons = [err.message]
    for upward in (True, False) if ending is None else ():
        try:
            return prover.induction(question, upward)
        except SymderivError as err:
            reasons.append(f"by induction: {err.message}")
    raise ProofError("; ".join(dict.fromkeys(reasons)))


class _Prover:
    def __init__(self, names: Names, taken: list[str], check: Check, ending: Ending | None = None) -> None:
        self.names, self.taken, self.check, self.ending = names, taken, check, ending
        self.earlier: dict[str, Replayed] = {}
        self.kept: list[Window] = []

    # -- directly

    def direct(
        self, question: Question, hypothesis: Question | None = None, given: Sequence[ast.expr] = ()
    ) -> Replayed:
        """Return the proof of a claim in the first window that carries it; equations among what is given are used."""
        reasons: list[str] = []
        for window, facts in self.windows(question, hypothesis):
            try:
                left, right = question.within(window)
                supposed = [window.reader().hypothesis(g) for g in given]
                check_derivatives(window, [side for g in supposed for side in (g.left, g.right)])
                facts = replace(facts, equations=(*facts.equations, *equations(supposed)))
                found = self.prove(left, right, window, facts)
                self.kept.append(window)
                return found
            except SymderivError as err:
                reasons.append(err.message)
        raise ProofError("; ".join(dict.fromkeys(reasons)) or "there is no window for this claim")

    def windows(self, question: Question, hypothesis: Question | None) -> Iterator[tuple[Window, Facts]]:
        """Yield the windows that a claim may be read in, with the hypothesis put in."""
        opened = question.opened()
        assumed = hypothesis.opened() if hypothesis is not None else None
        everything = (*opened, *(assumed or ()))
        what = sought(*opened, self.names)
        if what is not None:
            what = replace(what, claim=everything)
            if assumed is not None:
                what = with_hypothesis(what, sought(*assumed, self.names))
            for window in windows(self.names, question.bounds, what):
                yield window, self.assume(window, question, hypothesis, assumed)
            return
        met: list[Expr] = list(everything)
        for _ in range(2):  # definitions are unfolded: what they sum over is known when they have been read once
            window = Window(self.names, question.bounds, Dependence(self.names), cores(met, question.bounds))
            window.unfolding = True
            facts = self.assume(window, question, hypothesis, assumed)
            question.sides(window)
            met += window.met
        yield window, facts

    def assume(
        self, window: Window, question: Question, hypothesis: Question | None, assumed: tuple[Expr, Expr] | None
    ) -> Facts:
        """Put a hypothesis into a window; return how it is known there."""
        if hypothesis is None or assumed is None:
            return Facts()
        left, right = assumed
        window.known += assumed
        window.values = dict(hypothesis.values)
        sides_of = (hypothesis.test.left, hypothesis.test.comparators[0])
        for known, other in ((right, sides_of[0]), (left, sides_of[1])):
            if is_long(known):
                window.atoms[to_text(known)] = self.other(other, window)
                window.supposed.add(to_text(known))
                window.sides[to_text(known)] = known
                return Facts((to_text(known),))
            if known.op == "var" and key_of(known, self.names).label is not None:
                key = key_of(known, self.names)
                window.replaced[key] = self.other(other, window)
                window.supposed.add(str(key))
                window.sides[str(key)] = known
                return Facts((str(key),))
        here, there = hypothesis.within(window)
        name = to_text(left)
        window.supposed.add(name)
        window.sides[name] = left
        return Facts((name,), (("hypothesis", here, there),), {from_the_right(here): under_name(name, there)})

    def other(self, side: ast.expr, window: Window) -> Expr:
        """Return the side of a hypothesis that the other one is a name of."""
        expr = window.reader().read(side)
        check_derivatives(window, [expr])
        return simplified(expr)

    def prove(self, left: Expr, right: Expr, window: Window, facts: Facts) -> Replayed:
        """Return the proof of a claim as it stands in a window."""
        if facts.replaced:
            left, right = (replaced(from_the_right(side), facts.replaced) for side in (left, right))
        check_supposed((left, right), facts.names)
        both: Sides = sides(left, right)
        named = [*(str(key) for key in window.made), *window.opaque, *self.variables(window)]
        taken = [*self.taken, *named, *running(*window.opaque.values(), *window.atoms.values(), left, right)]
        reasons: list[str] = []
        earlier, fixed = known(window, self.earlier), {*self.names.families.labels, *hidden(window)}
        for attempt in attempts(left, right, both.equal, taken, earlier, facts.equations, fixed, self.ending):
            try:
                proof = attempt()
                self.check(proof)
                return proof
            except (ProofError, UnsupportedError) as err:
                reasons.append(err.message)
        raise ProofError("; ".join(dict.fromkeys(reasons)) or "the sides differ in what the window shows")

    def variables(self, window: Window) -> list[str]:
        """Return the names of integers: no index is to look like one."""
        loops = {c.variable for f in self.names.families.table.values() for c in f.cases}
        return sorted({*loops, *(r.variable for r in window.bounds.ranges), *window.values} - {""})

    # -- by induction

    def induction(self, question: Question, upward: bool) -> Induction:
        """Return the proof by induction on the innermost variable."""
        if not question.bounds.ranges:
            raise UnsupportedError("the claim is about single members")
        *outer, inner = question.bounds.ranges
        if stands_in_texts(inner.variable, self.names):
            raise UnsupportedError(f"definitions name {inner.variable}: they are other ones for the value before")
        least = question.bounds.least
        start, end = (inner.low, inner.high) if upward else (inner.high, inner.low)
        base = question.at(inner.variable, start, Bounds(tuple(outer), least))
        rest = (
            Range(inner.variable, inner.low + 1, inner.high)
            if upward
            else Range(inner.variable, inner.low, inner.high - 1)
        )
        before = sympy.expand(inner.symbol - 1 if upward else inner.symbol + 1)
        step = replace(question, bounds=Bounds((*outer, rest), least))
        hypothesis = step.at(inner.variable, before, step.bounds)
        self.kept.clear()
        first = self.direct(base)
        reasons: list[str] = []
        for window, facts in self.windows(step, hypothesis):
            try:
                left, right = step.within(window)
                second = self.prove(left, right, window, facts)
                self.kept.append(window)
                return Induction(inner.variable, first, second, facts.names, inner, start, before)
            except SymderivError as err:
                reasons.append(err.message)
        raise ProofError("; ".join(dict.fromkeys(reasons)) + f" (towards {end})")


def stands_in_texts(variable: str, names: Names) -> bool:
    """Tell whether definitions may name an integer parameter of the sheet, `tau: integer(0, T)`."""
    if all(r.variable != variable for r in names.families.parameters):
        return False
    cases = [c for f in names.families.table.values() for c in f.cases]
    texts = [*(c.body for c in cases if c.body is not None), *names.families.dependent.values()]
    texts += [f.body for f in names.functions.values()]
    ends = {str(s) for c in cases for end in (c.low, c.high) for s in end.free_symbols}
    closed = any(e.op == "defined" and not names_none(e, variable) for e in names.scope.names.values())
    return (
        variable in ends
        or closed
        or any(isinstance(n, ast.Name) and n.id == variable for text in texts for n in ast.walk(text))
    )


def names_none(expr: Expr, variable: str) -> bool:
    """Tell whether no number, size or exponent in an expression names an integer."""
    parts = (part for e in walk(expr) for part in flat((e.data, e.axes)))
    return all(variable not in map(str, p.free_symbols) for p in parts if isinstance(p, sympy.Basic))


def hidden(window: Window) -> set[str]:
    """Return the free indices in sums and products that are arrays of their own: what is supposed holds at these."""
    return {name for whole in window.opaque.values() for name in index_ranges(whole)}


def known(window: Window, earlier: Mapping[str, Replayed]) -> Known:
    """Return what a proof in a window may name: derivatives that a hypothesis has a name for, and earlier claims."""
    named: dict[tuple[str, str], Tensor] = {}
    for name, expr in window.atoms.items():
        if expr.op == "diff" and expr.data == ("total",) and all(a.op in ("var", "defined") for a in expr.args):
            f, x = expr.args
            named[(f.name, x.name)] = Tensor(name, *(size for axis in expr.axes for size in axis))
    lemmas = {label: proof.arguments[-1] for label, proof in earlier.items()}
    return Known(lemmas, named, {label: proof.context.definitions for label, proof in earlier.items()})


def from_the_right(expr: Expr) -> Expr:
    """Return an expression with `(A @ B) @ v` as `A @ (B @ v)`, v a vector: how a hypothesis about B @ v finds it."""
    new: dict[Expr, Expr] = {}
    for node in walk(expr):
        args = tuple(new[a] for a in node.args)
        result = node.with_args(args)
        while result.op == "matmul" and result.args[1].rank == 1 and result.args[0].op == "matmul":
            (a, b), v = result.args[0].args, result.args[1]
            if a.rank != 2 or b.rank != 2:
                break
            result = apply("matmul", a, from_the_right(apply("matmul", b, v)))
        new[node] = result
    return new[expr]


def under_name(name: str, expr: Expr) -> Expr:
    """Return an expression as a definition, at its free indices where it has any."""
    ranges = index_ranges(expr)
    array = lower(expr, meaning(ranges), ranges)
    if not array.free:
        return defined(name, expr)
    whole = defined(name, lift(array.node))
    return Expr("entry", (whole,), (*([None] * expr.rank), *array.free), expr.axes)


def with_hypothesis(what: Sought, assumed: Sought | None) -> Sought:
    """Return what a claim is about, with what the hypothesis knows: ∂Q/∂X, or ∂F/∂P."""
    if assumed is None:
        return what
    if assumed.variable == what.variable and assumed.function != what.function:
        return replace(what, below=(*what.below, assumed.function))
    if assumed.function == what.function and assumed.variable != what.variable:
        return replace(what, above=(*what.above, assumed.variable))
    return what
