"""The sheet, the claim and the windows of a proof in index notation, each head with what it stands for."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Sequence
from typing import Any

import sympy

from symderiv import dims, trees
from symderiv.check.alphabet import Alphabet, Head, Kept, Ranged, heads_in
from symderiv.check.claims import Claim, Supposed, Window
from symderiv.check.labels import Member, Range
from symderiv.check.part import Part
from symderiv.check.paths import Case
from symderiv.check.terms import free
from symderiv.errors import UnsupportedError
from symderiv.families import Label
from symderiv.families import Range as Stretch
from symderiv.index.nodes import Argument, Definition, Index, Tensor
from symderiv.index.nodes import Names as Letters
from symderiv.index.written import Written
from symderiv.lower import index_ranges, write
from symderiv.replay import Replayed
from symderiv.statements.block import Names, Statement
from symderiv.statements.members import RANGED, World
from symderiv.statements.members import Case as Text
from symderiv.statements.worlds import reader_in
from symderiv.tensor.expr import Expr, walk
from symderiv.tensor.text import to_text
from symderiv.windows.dependence import key_named, key_of
from symderiv.windows.opened import question_of
from symderiv.windows.stacked import Stacked
from symderiv.windows.window import Window as Read


class Writer:
    """Writes expressions of the open world in index notation, and notes what their heads stand for."""

    def __init__(self, statement: Statement, names: Names) -> None:
        self.statement, self.names = statement, names
        self.question = question_of(statement, names)
        self.heads: dict[str, Head] = {}
        self.needed: dict[str, None] = {}
        self.exprs: list[Any] = []
        taken = [*names.scope.names, *names.scope.sizes, *names.families.table, *names.functions]
        taken += [c.variable for f in names.families.table.values() for c in f.cases]
        self.taken = [*taken, *(r.variable for r in self.question.bounds.ranges)]
        self.left, self.right = self.question.opened()
        self.sizes = index_ranges(self.left, self.right)
        self.frees = {n: Index(n, axis[0]) for n, axis in self.sizes.items() if "[" not in n}

    # -- expressions

    def prepared(self, expr: Expr) -> Expr:
        """Return an expression with sums and products over ranges as arrays of their own; note what it names."""
        new: dict[Expr, Expr] = {}
        for node in walk(expr):
            args = tuple(new[a] for a in node.args)
            if node.op in RANGED:
                new[node] = self.ranged(to_text(node), node, args[0])
            elif node.op == "diff" and node.data[0] == "holding":
                new[node] = self.holding(node, args)
            else:
                new[node] = node.with_args(args)
                if node.op in ("var", "defined"):
                    self.note(node)
        return new[expr]

    def holding(self, node: Expr, args: Sequence[Expr]) -> Expr:
        """Note a derivative that holds members; return it as an array."""
        if len(args) != 2 or any(a.op not in ("var", "defined") for a in args):
            raise UnsupportedError("a derivative of entries that holds a member has no certificate yet")
        of, x = (Tensor(a.name, *(size for axis in a.axes for size in axis)) for a in args)
        held = []
        for name in node.data[1:]:
            key = key_named(name, self.names)
            reader = reader_in(World(), self.names, {})
            family = self.names.families.table.get(key.name)
            if family is None or key.label is None:
                raise UnsupportedError("a derivative that holds an array of its own has no certificate yet")
            sizes = [size for axis in reader.axes_at(family.cases[-1], key.label) for size in axis]
            self.heads[name] = Member(key.name, sympy.expand(key.label))
            self.needed[key.name] = None
            held.append(Tensor(name, *sizes))
        name = to_text(node)
        self.heads[name] = Kept(of, x, tuple(held))
        return Expr("var", (), (name, frozenset()), node.axes)

    def note(self, node: Expr) -> None:
        """Note an array: a member, or one of its own."""
        key = key_of(node, self.names)
        if key.label is not None:
            self.heads[node.name] = Member(key.name, sympy.expand(key.label))
        self.needed[key.name] = None

    def ranged(self, name: str, node: Expr, inner: Expr, without: Sequence[Label] = ()) -> Expr:
        """Note a sum or product over a range; return it as an array."""
        if name not in self.heads:
            variable, low, high, backward = node.data
            definitions: dict[str, Definition] = {}
            indices, body = self.written(inner, definitions)
            kind = node.op.removeprefix("range_")
            self.heads[name] = Ranged(
                kind, ours(Stretch(variable, low, high)), backward, indices, body, tuple(without), definitions
            )
        return Expr("var", (), (name, frozenset()), node.axes)

    def written(self, expr: Expr, definitions: dict[str, Definition]) -> tuple[tuple[Index, ...], Any]:
        """Return an expression at indices."""
        ranges = index_ranges(expr)
        frees = {n: Index(n, axis[0]) for n, axis in ranges.items()}
        letters = Letters({*self.taken, *frees, *self.frees})
        tokens = [tuple(letters.fresh(size) for size in axis) for axis in expr.axes]
        body = write(expr, tokens, Written(letters, definitions, frees))
        self.exprs += [body, *(d.body for d in definitions.values() if d.body is not None)]
        return tuple(i for token in tokens for i in token), body

    # -- the claim

    def claim(self) -> Claim:
        """Return the claim in index notation."""
        definitions: dict[str, Definition] = {}
        left, right = self.prepared(self.left), self.prepared(self.right)
        ranges = {n: Index(n, axis[0]) for n, axis in self.sizes.items()}
        letters = Letters({*self.taken, *ranges})
        tokens = [tuple(letters.fresh(size) for size in axis) for axis in left.axes]
        sides = [write(e, tokens, Written(letters, definitions, ranges)) for e in (left, right)]
        self.exprs += [*sides, *(d.body for d in definitions.values() if d.body is not None)]
        self.axes = tuple(i for token in tokens for i in token)
        indices = (*self.axes, *self.frees.values())
        bounds = tuple(ours(r) for r in self.question.bounds.ranges)
        return Claim(self.statement.label, sides[0], sides[1], indices, definitions, bounds, self.least())

    def least(self) -> dict[str, int]:
        """Return the least values of lengths and other integers that no range binds."""
        ends = [end for r in self.question.bounds.ranges for end in (r.low, r.high)]
        ends += [end for f in self.names.families.table.values() for c in f.cases for end in (c.low, c.high)]
        ends += [end for m in self.heads.values() if isinstance(m, Ranged) for end in (m.range.low, m.range.high)]
        loops = {c.variable for f in self.names.families.table.values() for c in f.cases}
        bound = {r.variable for r in self.question.bounds.ranges}
        found = {str(s) for end in ends for s in end.free_symbols} - bound
        declared = self.names.families.least
        return {s: declared.get(s, 1) for s in sorted(found) if s in declared or s not in loops}

    # -- the sheet

    def cases(self, proofs: Sequence[Replayed]) -> tuple[Case, ...]:
        """Return all cases of what the claim is made of."""
        found: list[Case] = []
        done: set[str] = set()
        while waiting := [n for n in self.needed if n not in done]:
            for name in waiting:
                done.add(name)
                found += self.cases_of(name)
        return tuple(found)

    def cases_of(self, name: str) -> list[Case]:
        """Return the cases of one name."""
        family = self.names.families.table.get(name)
        if family is not None:
            return [self.member_case(name, case) for case in family.cases]
        expr = self.names.scope.names.get(name)
        if expr is None:
            return []
        sizes = [size for axis in expr.axes for size in axis]
        if expr.op != "defined":
            traits = expr.data[1] if expr.op == "var" else frozenset()
            return [Case(name, Tensor(name, *sizes), traits=traits)]
        definitions: dict[str, Definition] = {}
        indices, body = self.written(self.prepared(expr.args[0]), definitions)
        return [Case(name, Tensor(name, *sizes), indices, body, definitions)]

    def member_case(self, name: str, case: Text) -> Case:
        """Return one case of a family, its text at the label that its variable tells."""
        variable = case.variable
        label = dims.symbol(variable) if variable else case.low
        reader = reader_in(World(), self.names, {r.variable: r.symbol for r in self.names.families.parameters})
        if variable:
            reader.ranges.append(Stretch(variable, case.low, case.high))
            reader.integers[variable] = sympy.expand(label - case.shift)
        sizes = [size for axis in reader.axes_at(case, label) for size in axis]
        head = Tensor(str(Member(name, label)), *sizes)
        self.heads[head.name] = Member(name, label)
        if case.body is None:
            return Case(name, head, traits=case.traits, variable=variable, low=case.low, high=case.high)
        definitions: dict[str, Definition] = {}
        indices, body = self.written(self.prepared(reader.read(case.body)), definitions)
        return Case(name, head, indices, body, definitions, frozenset(), variable, case.low, case.high)

    def alphabet(self, cases: Sequence[Case]) -> Alphabet:
        """Return what names stand for."""
        widths = {
            str(s): Member(name, label)
            for s, (name, label) in self.names.families.sizes.items()
            if dims.symbol("_") not in label.free_symbols
        }
        data: dict[str, Member] = {}
        for name in {i.name for e in self.exprs for i in free(e) if "[" in i.name}:
            node = trees.expression(name)
            assert isinstance(node, ast.Subscript)
            reader = reader_in(World(), self.names, {})
            for part in ast.walk(node.slice):
                if isinstance(part, ast.Name):
                    reader.integers[part.id] = dims.symbol(part.id)
            data[name] = Member(ast.unparse(node.value), reader.label(node.slice))
        return Alphabet(self.heads, widths, data).of(cases)

    # -- windows

    def note_window(self, proof: Replayed, window: Read) -> None:
        """Note what the heads of a window stand for."""
        for name, whole in window.opaque.items():
            if whole.op in RANGED:
                self.ranged(name, whole, self.prepared(whole.args[0]), window.left_out.get(name, ()))
        for known in window.known:
            self.prepared(known)
        for name in heads_of(proof):
            key = window.keys.get(name)
            if key is not None and key.label is not None:
                self.heads[name] = Member(key.name, sympy.expand(key.label))

    def window(self, proof: Replayed, window: Read, cited: Any, before: Label | None) -> Window:
        """Return one window with what it has to do with the claim."""
        part = Part(proof.arguments, proof.context, cited)
        own = [i for i in proof.free if i.name not in self.frees and "[" not in i.name]
        letters = (*own, *self.frees.values())
        supposed: tuple[Supposed, ...] = ()
        assumed: dict[str, tuple[Index, ...]] = {}
        if before is not None and window.known:
            supposed = self.supposed(proof, window)
            for label, equation in proof.context.assumed.items():
                assumed[label] = self.letters_of(equation, window)
        powers = tuple(core.high for term, core in window.cores.items() if term[0] == "matrix_power")
        rows = sympy.expand(window.length) if isinstance(window, Stacked) else None
        affine = (str(window.function),) if window.function is not None and window.closed else ()
        return Window(part, letters, tuple(self.cores(proof, window)), powers, rows, affine, supposed, assumed, {})

    def cores(self, proof: Replayed, window: Read) -> list[str]:
        """Return the names of the sums that stay one array in a window."""
        here = [n for n in (*window.opaque, *window.supposed) if isinstance(self.heads.get(n), Ranged)]
        return list(dict.fromkeys(here))

    def supposed(self, proof: Replayed, window: Read) -> tuple[Supposed, ...]:
        """Return what stands for one side of the claim before: the side that names it, at indices."""
        defined = {**proof.context.definitions, **proof.context.chain}
        found = []
        for name, side in window.sides.items():
            if name not in defined:
                continue
            definitions: dict[str, Definition] = {}
            expr = self.prepared(side)
            ranges = {n: Index(n, axis[0]) for n, axis in index_ranges(expr).items()}
            letters = Letters({*self.taken, *ranges})
            tokens = [tuple(letters.fresh(size) for size in axis) for axis in expr.axes]
            meaning = write(expr, tokens, Written(letters, definitions, ranges))
            axes = tuple(i for token in tokens for i in token)
            extra = tuple(ranges[n] for n in sorted(ranges) if "[" not in n)
            indices = (*axes, *extra)[: len(defined[name].tensor.sizes)]
            found.append(Supposed(name, indices, meaning, definitions, (*axes, *self.frees.values())))
        return tuple(found)

    def letters_of(self, equation: Argument, window: Read) -> tuple[Index, ...]:
        """Return the indices of the claim in an equation that is assumed: those of its axes, and its own."""
        named = {i.name for i in self.frees.values()}
        own = sorted((i for i in free(equation.left) | free(equation.right) if i.name not in named), key=str)
        return (*own, *self.frees.values())


def ours(range_: Stretch) -> Range:
    """Return a range of the engine as one of the check's."""
    return Range(range_.variable, sympy.expand(range_.low), sympy.expand(range_.high))


def heads_of(proof: Replayed) -> set[str]:
    """Return the names of all heads of a proof."""
    context = proof.context
    found: set[str] = set()
    for d in (*context.definitions.values(), *context.chain.values()):
        found |= {d.tensor.name, *(a.name for a in d.arguments)}
        found |= {t.name for t in heads_in(d.body)} if d.body is not None else set()
    sides: Iterable[Any] = (e for a in proof.arguments for e in (a.left, a.right))
    return found | {t.name for e in sides for t in heads_in(e)}
