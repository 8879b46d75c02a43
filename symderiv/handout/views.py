"""A sheet of statements as the parts of a document: definitions, claims with their proofs, code."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from symderiv.claims.conditions import Condition
from symderiv.claims.supposed import given_conditions
from symderiv.code.handed import callables, function_names
from symderiv.code.numpy import function_text
from symderiv.code.source import Argument, Source
from symderiv.errors import SymderivError
from symderiv.handout.introduced import Introduced, told_apart
from symderiv.handout.layouts import in_layout
from symderiv.handout.letters import exchanged
from symderiv.handout.numbers import about, numbers
from symderiv.handout.options import ARRAY
from symderiv.index.graph import Node, Unknown, walk
from symderiv.index.nodes import Derivative, Entry
from symderiv.lift import lift
from symderiv.render.latex import Latex
from symderiv.render.model import Block, ClaimView, CodeView, Definitions, ProofView, Prose
from symderiv.render.opened import calls_of, direct_view, induction_view, print_ranges
from symderiv.render.phrases import phrase
from symderiv.render.proof import view
from symderiv.render.shorthand import name_parts
from symderiv.replay import Replayed
from symderiv.sheet import Claim, Sheet
from symderiv.statements.block import Statement
from symderiv.statements.blocks import Blockwise
from symderiv.statements.meaning import meaning
from symderiv.tensor.expr import Expr
from symderiv.tensor.expr import walk as walk_expr
from symderiv.windows.induction import Induction

if TYPE_CHECKING:
    from symderiv.tables import Table

RELATIONS = {"nonzero": r"\neq", "positive": ">", "nonnegative": r"\geq"}


@dataclass
class Printer:
    """Prints the statements and claims of one sheet."""

    sheet: Sheet
    display: Mapping[str, str] = field(default_factory=dict)
    language: str = "en"
    detail: str = "normal"
    superscript: Sequence[str] = ()
    layout: str = ARRAY
    indices: Sequence[str] = ()  # the letters that proofs take for indices of their own

    def latex(self, claim: Claim | None = None) -> Latex:
        """Return the math printer; claims bring what the heads of their proofs stand for, cited ones included."""
        expressions: dict[str, Expr] = {}
        for c in [*self.sheet.claims, claim]:
            if c is not None and c.proof is not None:
                for part in parts_of(c.proof):
                    expressions |= part.expressions
        spoken = set(re.findall(r"\w+", "\n".join(s.text for s in self.sheet.statements)))
        display = {name: text for name, text in self.display.items() if name in spoken}  # a proof's letters are its own
        if claim is not None and claim.proof is not None and self.indices:
            parts = [part.arguments for part in parts_of(claim.proof) if part.arguments]
            display = {**exchanged(self.indices, parts, self.spoken(claim)), **display}
        latex = Latex(expressions, display, superscript=self.superscript)
        latex.direct = told_apart(self.sheet.statements)
        table = self.sheet.names.families.table
        latex.running = {f.name: c.variable for f in table.values() for c in f.cases if c.variable}
        for function in self.sheet.names.functions.values():
            if len(function.parameters) == 1:
                latex.primes[function.name] = function.parameters[0]
        return latex

    def spoken(self, claim: Claim) -> set[str]:
        """Return the names of the author's own that a proof of a claim may write."""
        running = {r.variable for s in self.sheet.statements for r in s.ranges}
        return {*self.sheet.taken, *running, *re.findall(r"\w+", claim.text)}

    # -- definitions

    def introduced(self) -> Introduced:
        """Return the printer of what statements introduce."""
        return Introduced(self.sheet.names, self.latex(), self.language)

    def definitions(self, statements: list[Statement]) -> Definitions | None:
        """Return declarations and definitions as they are introduced: D ∈ ℝ^{m×n}, A = D W."""
        return self.introduced().definitions(statements)

    def code(self, claim: Claim) -> CodeView:
        """Return the code of a claim, with its cost and what it was compared with."""
        assert claim.code is not None and claim.statement is not None
        said = [phrase(self.language, "code_for", items=claim.label or claim.id)]
        if claim.statement.cost is not None:
            said.append(phrase(self.language, "cost", order=f"${self.latex().matrix(claim.statement.cost)}$"))
        if claim.status == "agrees":
            said.append(phrase(self.language, "agrees_with"))
        return CodeView(claim.code.text, phrase(self.language, "list_comma").join(said), said[0])

    # -- claims

    def taken(self) -> list[str]:
        """Return the names that a proof cannot give to its parts."""
        return [*self.sheet.taken, *self.indices]

    def claim(self, claim: Claim) -> ClaimView:
        """Return a claim with its statement, its status and its proof."""
        latex = self.latex(claim)
        if claim.table is not None:
            return self.heading(claim, claim.table, latex)
        proofs: tuple[ProofView, ...] = ()
        checked = claim.basis == "kernel"
        if isinstance(claim.proof, (Replayed, Induction)) and _is_open(claim.statement):
            assert claim.statement is not None
            proofs = (self.opened(claim.proof, claim.statement, latex, checked),)
        elif isinstance(claim.proof, Blockwise):
            both = zip(claim.proof.pairs, claim.proof.proofs, strict=True)
            proofs = tuple(self.block(pair, proof, latex, checked) for pair, proof in both)
        elif isinstance(claim.proof, Replayed):
            latex.calls |= calls_of(claim.proof)
            parts = name_parts(claim.proof.arguments, latex, self.taken())
            chains = [view(a, latex, self.detail, self.language) for a in claim.proof.arguments]
            lines = tuple(line for chain in chains for line in chain.lines)
            cites = tuple(dict.fromkeys(label for chain in chains for label in chain.cites))
            f = _nameless(claim)
            intro = self.let([*parts, *self.unnamed(claim.proof, latex)])
            if f is not None:
                name = latex.name(_differentiated(claim.proof))
                intro = self.let([f"{name} = {latex.matrix(f)}", *parts])
            proofs = (ProofView(lines, checked=checked, intro=intro, cites=cites),)
        rows: list[tuple[str, str]] = []
        if claim.counterexample is not None:
            c = claim.counterexample
            named = {"sizes": ", ".join(f"{k} = {v}" for k, v in c.sizes.items()), "seed": str(c.seed)}
            named |= {"entry": str(tuple(c.entry)), "left_side": f"{c.left:.6g}", "right_side": f"{c.right:.6g}"}
            rows = [(phrase(self.language, key), value) for key, value in named.items()]
        return ClaimView(
            claim.id,
            claim.label,
            self.statement(claim, latex),
            claim.status,
            claim.expected,
            claim.basis,
            proofs,
            tuple(rows),
            self.correction(claim, latex),
            self.condition(claim, latex),
            remark=self.remark(claim),
            setting=self.setting(claim, latex),
            quoted=claim.text if claim.status == "rejected" else "",
            layouts=in_layout(claim, self.layout, self.sheet, self.latex(), self.language),
        )

    def heading(self, claim: Claim, table: Table, latex: Latex) -> ClaimView:
        """Return what stands above a table of numbers."""
        assert claim.statement is not None
        (expr, *more) = table.exprs
        statement = "" if more else latex.matrix(expr)
        setting = about(claim.statement, table, latex, self.language)
        status = (claim.status, claim.expected, claim.basis)
        remark = "" if claim.as_expected else claim.scope
        return ClaimView(claim.id, claim.label, statement, *status, remark=remark, setting=setting, kind="table")

    def table(self, claim: Claim) -> Prose:
        """Return the numbers of a table."""
        assert claim.table is not None
        return numbers(claim.table, self.latex(claim))

    def block(self, pair: tuple[Expr, Expr], proof: Replayed, latex: Latex, checked: bool) -> ProofView:
        """Return the proof that two blocks are equal."""
        latex.calls |= calls_of(proof)
        chains = [view(a, latex, self.detail, self.language) for a in proof.arguments]
        cites = tuple(dict.fromkeys(label for chain in chains for label in chain.cites))
        intro = f"${latex.matrix(pair[0])} = {latex.matrix(pair[1])}$:"
        lines = tuple(line for chain in chains for line in chain.lines)
        return ProofView(lines, checked=checked, intro=intro, cites=cites)

    def opened(self, proof: Replayed | Induction, statement: Statement, latex: Latex, checked: bool) -> ProofView:
        """Return the proof of a claim about families."""
        introduced = Introduced(self.sheet.names, latex, self.language)

        def read(text: str) -> Expr | None:
            return introduced.read(text, statement.ranges)

        for part in parts_of(proof):  # print_ranges first: a name for a long part spells the sums in it
            print_ranges(part, latex, read)
        arguments = [a for part in parts_of(proof) for a in part.arguments]
        intro = self.let(name_parts(arguments, latex, self.taken()))
        rest = (statement.exprs, latex, read, self.detail, self.language, checked)
        found = induction_view(proof, *rest) if isinstance(proof, Induction) else direct_view(proof, *rest)
        return replace(found, intro=" ".join(filter(None, [found.intro, intro])))

    def setting(self, claim: Claim, latex: Latex) -> str:
        """Return for which members a claim is made, and under which hypotheses."""
        if claim.statement is None or not claim.statement.exprs or claim.statement.kind == "code":
            return ""
        return Introduced(self.sheet.names, latex, self.language).setting(claim.statement)

    def let(self, equations: Sequence[str]) -> str:
        """Return what is named for a proof, in a sentence; nothing where there is none."""
        items = ", ".join(f"${equation}$" for equation in equations)
        return phrase(self.language, "let", items=items) if items else ""

    def unnamed(self, proof: Replayed, latex: Latex) -> list[str]:
        """Say what the proof calls by a name of its own: a function that the claim differentiates without one."""
        known = {*self.sheet.names.scope.names, *self.sheet.names.functions}
        own = [d for name, d in proof.context.chain.items() if name not in known and d.body is not None]
        return [f"{latex.index(Entry(d.tensor, *d.indices))} = {latex.index(d.body)}" for d in own]

    @staticmethod
    def remark(claim: Claim) -> str:
        """Return why a claim is undecided; a rejected one has no statement, so that its line is quoted."""
        if claim.status == "rejected":
            return f"{claim.text}: {claim.scope}."
        return claim.scope if claim.status == "undecided" else ""

    def condition(self, claim: Claim, latex: Latex) -> str:
        """Return what the inverses, quotients, roots and logarithms of a claim presuppose."""
        if claim.status in ("refuted", "rejected"):
            return ""
        left_out = ""
        if claim.statement is not None:
            left_out = Introduced(self.sheet.names, latex, self.language).neglected(claim.statement)
        said = given_conditions(claim.statement.given) if claim.statement is not None else ()
        presupposed = ", ".join(self.presupposed(c, latex) for c in claim.conditions if c not in said)
        exact = phrase(self.language, "exact_here") if claim.exact else ""
        return "; ".join(filter(None, [left_out, exact, presupposed]))

    def presupposed(self, condition: Condition, latex: Latex) -> str:
        written = latex.matrix(condition.expr)
        if condition.kind == "invertible":
            return phrase(self.language, "invertible", name=written)
        entrywise = phrase(self.language, "entrywise") if condition.expr.rank else ""
        return f"${written} {RELATIONS[condition.kind]} 0$ {entrywise}".rstrip()

    def correction(self, claim: Claim, latex: Latex) -> str:
        """Return the left side of a refuted claim with what it is equal to."""
        if claim.correction is None or claim.statement is None:
            return ""
        left = latex.matrix(claim.statement.exprs[0])
        right = latex.matrix(claim.correction) if isinstance(claim.correction, Expr) else latex.index(claim.correction)
        return f"{left} = {right}"

    def statement(self, claim: Claim, latex: Latex) -> str:
        """Return the claimed equation; a gradient of a name is stated for its entries, as the proof is."""
        assert claim.statement is not None
        if not claim.statement.exprs or claim.statement.kind == "code":
            return ""
        left, right = claim.statement.exprs
        relation = r"\approx" if claim.statement.neglected else "="
        replayed = isinstance(claim.proof, Replayed) and not _is_open(claim.statement)
        if replayed and left.op == "diff" and _nameless(claim) is None:
            assert isinstance(claim.proof, Replayed)
            last = claim.proof.arguments[-1]
            return f"{latex.index(last.left)} {relation} {latex.index(last.right)}"
        return f"{latex.matrix(left)} {relation} {latex.matrix(right)}"

    # -- code

    def functions(self, claims: list[Claim], taken: set[str]) -> list[str]:
        """Return the text of a NumPy function for each proved derivative; names in `taken` get the claim's id."""
        found = []
        for claim in claims:
            if claim.code is not None:
                found.append(claim.code.named(claim.id, taken))
                continue
            source = self.source_for(claim)
            if source is None:
                continue
            if source.name in taken:
                source = replace(source, name=f"{source.name}_{claim.id}")
            if source.name.isidentifier() and source.name not in taken:
                taken.add(source.name)
                found.append(function_text(source))
        return found

    def source_for(self, claim: Claim) -> Source | None:
        if not isinstance(claim.proof, Replayed) or claim.status != "proved":
            return None
        if claim.statement is None or _is_open(claim.statement):
            return None
        left = claim.proof.arguments[-1].left
        if claim.statement.exprs[0].op != "diff" or type(left) is not Derivative or not isinstance(left.of, Entry):
            return None
        try:
            result, names = self.result(claim)
        except SymderivError:
            return None
        variables = {e.name: e for e in walk_expr(result) if e.op == "var"}
        order = [n for n in [*self.sheet.names.scope.names, *variables] if n in variables]
        arguments = [Argument(n, variables[n].shape) for n in dict.fromkeys(order)] + callables([result])
        name = f"d{left.of.tensor.name}_d{left.entry.tensor.name}"
        summary = f"{claim.id}: derivative of {left.of.tensor.name} with respect to {left.entry.tensor.name}."
        return Source(name, arguments, [result], summary, (), names, function_names([result]))

    def result(self, claim: Claim) -> tuple[Expr, dict[Expr, str]]:
        """Return the derivative in terms of variables, given derivatives and definitions by name."""
        assert claim.statement is not None
        left = claim.statement.exprs[0]
        f, x = (a.args[0] if a.op == "entry" else a for a in left.args)
        whole = Expr("diff", (f, x), ("total",), f.axes + x.axes)
        node = meaning()(whole)
        assert node is not None
        known: dict[Node, Expr] = {}
        for n, e in self.sheet.matrix_names().items():
            inner = e.args[0]
            known[n] = Expr("var", (), (e.name, frozenset()), e.axes) if inner.op == "diff" else e
        if any(isinstance(n, Unknown) and n not in known for n in walk(node.node)):
            free = [n for n in walk(node.node) if isinstance(n, Unknown) and n not in known]
            if any(n.slots for n in free):
                raise SymderivError("an unknown derivative without a name")
        lifted = lift(node.node, names=known)
        names: dict[Expr, str] = {}
        return _written_out(lifted, names), names


def parts_of(proof: Replayed | Induction | Blockwise) -> tuple[Replayed, ...]:
    """Return the derivations that a proof consists of."""
    if isinstance(proof, Blockwise):
        return proof.proofs
    return (proof.base, proof.step) if isinstance(proof, Induction) else (proof,)


def _is_open(statement: Statement | None) -> bool:
    """Tell a claim for every member of a range."""
    return statement is not None and (statement.open or bool(statement.ranges))


def _differentiated(proof: Replayed) -> str:
    """Return the name of what a claim differentiates, once or more often."""
    part = proof.arguments[-1].left
    while isinstance(part, Derivative):
        part = part.of
    return str(part.tensor.name)


def _nameless(claim: Claim) -> Expr | None:
    """Return what a claim differentiates where that is no name: the statement has to spell it."""
    assert claim.statement is not None
    left = claim.statement.exprs[0]
    if left.op != "diff":
        return None
    f = left.args[0].args[0] if left.args[0].op == "entry" else left.args[0]
    return None if f.op in ("var", "defined", "called") else f


def _handed(derivative: Expr) -> Expr:
    """Return the array that stands for a derivative of something unknown: whoever calls the code hands it in."""
    f, x = derivative.args
    if any(a.op not in ("defined", "called", "var", "unknown") for a in (f, x)):
        raise SymderivError("a derivative that code cannot be handed by a name")
    return Expr("var", (), (f"d{f.name}_d{x.name}", frozenset()), derivative.axes)


def _written_out(expr: Expr, names: dict[Expr, str]) -> Expr:
    """Replace definitions by what they stand for; the generated code assigns them under their names."""
    new: dict[Expr, Expr] = {}
    for node in walk_expr(expr):
        args = tuple(new[a] for a in node.args)
        if node.op == "diff":
            new[node] = _handed(node)
        elif node.op in ("defined", "called"):
            new[node] = args[0]
            if node.op == "defined":
                names[args[0]] = node.name
        else:
            new[node] = node.with_args(args)
    return new[expr]


IMMEDIATE = re.compile(r"\\partial\^\{\d*\+\}")


def convention(language: str, own: str | None = "", blocks: Sequence[Block] = (), layout: str = ARRAY) -> str:
    """Return the text of the convention box: the author's own or the usual one, and what immediate derivatives are.

    It names the layout in which matrices are shown too; where no box is wanted (None) it is empty.
    """
    if own is None:
        return ""
    text = own or phrase(language, "convention_text")
    if layout != ARRAY:
        text = f"{text.rstrip()} {phrase(language, f'layout_{layout}')}"
    stated: list[str] = []
    for block in blocks:
        if isinstance(block, Definitions):
            stated += [e if isinstance(e, str) else "".join(e.entries) for e in block.entries]
        elif isinstance(block, ClaimView):
            stated.append(block.statement)
    if not any(map(IMMEDIATE.search, stated)):
        return text
    return f"{text.rstrip()} {phrase(language, 'convention_immediate')}"
