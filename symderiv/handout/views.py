"""A sheet of statements as the parts of a document: definitions, claims with their proofs, code."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from symderiv.code.numpy import Argument, Source, function_text
from symderiv.errors import SymderivError
from symderiv.index.graph import Node, Unknown, walk
from symderiv.index.nodes import Derivative, Entry
from symderiv.lift import lift
from symderiv.render.latex import Latex
from symderiv.render.model import ClaimView, Definitions, ProofView
from symderiv.render.phrases import phrase
from symderiv.render.proof import view
from symderiv.sheet import Claim, Sheet
from symderiv.statements.block import Statement
from symderiv.statements.meaning import meaning
from symderiv.tensor.expr import Expr
from symderiv.tensor.expr import walk as walk_expr


@dataclass
class Printer:
    """Prints the statements and claims of one sheet."""

    sheet: Sheet
    display: Mapping[str, str] = field(default_factory=dict)
    language: str = "en"
    detail: str = "normal"

    def latex(self, claim: Claim | None = None) -> Latex:
        """Return the math printer; claims bring what the heads of their proofs stand for, cited ones included."""
        expressions: dict[str, Expr] = {}
        for c in [*self.sheet.claims, claim]:
            if c is not None and c.proof is not None:
                expressions |= c.proof.expressions
        latex = Latex(expressions, self.display)
        for function in self.sheet.names.functions.values():
            if len(function.parameters) == 1:
                latex.primes[function.name] = function.parameters[0]
        return latex

    # -- definitions

    def definitions(self, statements: list[Statement]) -> Definitions | None:
        """Return declarations and definitions as they are introduced: D ∈ ℝ^{m×n}, A = D W."""
        entries = [text for s in statements for text in self.entry(s)]
        return Definitions(tuple(entries)) if entries else None

    def entry(self, statement: Statement) -> list[str]:
        latex = self.latex()
        match statement.kind:
            case "declare" if statement.exprs:
                (x,) = statement.exprs
                space = r"\mathbb{R}" + (f"^{{{latex.shape(x.shape)}}}" if x.rank else "")
                return [rf"{latex.name(x.name)} \in {space}"]
            case "define":
                (expr,) = statement.exprs
                return [f"{latex.name(expr.name)} = {latex.matrix(expr.args[0])}"]
            case "function":
                function = self.sheet.names.functions[statement.name]
                return [self.function(function.name, function.parameters)]
        return []

    def function(self, name: str, parameters: tuple[str, ...]) -> str:
        latex = self.latex()
        for claim in self.sheet.claims:
            if claim.statement is None:
                continue
            for expr in walk_expr(*claim.statement.exprs):
                if expr.op == "called" and expr.name == name and all(a.op == "var" for a in expr.args[1:]):
                    return f"{latex.matrix(expr)} = {latex.matrix(expr.args[0])}"
        return f"{latex.name(name)}({', '.join(map(latex.name, parameters))})"

    # -- claims

    def claim(self, claim: Claim) -> ClaimView:
        """Return a claim with its statement, its status and its proof."""
        latex = self.latex(claim)
        proofs: tuple[ProofView, ...] = ()
        if claim.proof is not None:
            chains = [view(a, latex, self.detail, self.language) for a in claim.proof.arguments]
            lines = tuple(line for chain in chains for line in chain.lines)
            cites = tuple(dict.fromkeys(label for chain in chains for label in chain.cites))
            f = _nameless(claim)
            name = latex.name(claim.proof.arguments[-1].left.of.tensor.name)
            intro = "" if f is None else phrase(self.language, "let", items=f"${name} = {latex.matrix(f)}$")
            proofs = (ProofView(lines, checked=claim.basis == "kernel", intro=intro, cites=cites),)
        rows: list[tuple[str, str]] = []
        if claim.counterexample is not None:
            c = claim.counterexample
            rows = [("sizes", ", ".join(f"{k} = {v}" for k, v in c.sizes.items())), ("seed", str(c.seed))]
            rows += [("entry", str(tuple(c.entry))), ("left", f"{c.left:.6g}"), ("right", f"{c.right:.6g}")]
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
            remark=self.remark(claim),
        )

    @staticmethod
    def remark(claim: Claim) -> str:
        """Return why a claim is undecided; a rejected one has no statement, so that its line is quoted."""
        if claim.status == "rejected":
            return f"{claim.text}: {claim.scope}."
        return claim.scope if claim.status == "undecided" else ""

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
        if not claim.statement.exprs:
            return ""
        left, right = claim.statement.exprs
        if claim.proof is not None and _nameless(claim) is None:
            last = claim.proof.arguments[-1]
            return f"{latex.index(last.left)} = {latex.index(last.right)}"
        return f"{latex.matrix(left)} = {latex.matrix(right)}"

    # -- code

    def functions(self, claims: list[Claim], taken: set[str]) -> list[str]:
        """Return the text of a NumPy function for each proved derivative; names in `taken` get the claim's id."""
        found = []
        for claim in claims:
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
        if claim.proof is None:
            return None
        left = claim.proof.arguments[-1].left
        assert isinstance(left, Derivative) and isinstance(left.of, Entry)
        try:
            result, names = self.result(claim)
        except SymderivError:
            return None
        variables = {e.name: e for e in walk_expr(result) if e.op == "var"}
        order = [n for n in [*self.sheet.names.scope.names, *variables] if n in variables]
        arguments = [Argument(n, variables[n].shape) for n in dict.fromkeys(order)]
        name = f"d{left.of.tensor.name}_d{left.entry.tensor.name}"
        summary = f"{claim.id}: derivative of {left.of.tensor.name} with respect to {left.entry.tensor.name}."
        return Source(name, arguments, [result], summary, (), names)

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


def _nameless(claim: Claim) -> Expr | None:
    """Return what a claim differentiates where that is no name: the statement has to spell it."""
    assert claim.statement is not None
    left = claim.statement.exprs[0]
    if left.op != "diff":
        return None
    f = left.args[0].args[0] if left.args[0].op == "entry" else left.args[0]
    return None if f.op in ("var", "defined", "called") else f


def _written_out(expr: Expr, names: dict[Expr, str]) -> Expr:
    """Replace definitions by what they stand for; the generated code assigns them under their names."""
    new: dict[Expr, Expr] = {}
    for node in walk_expr(expr):
        args = tuple(new[a] for a in node.args)
        if node.op in ("defined", "called"):
            new[node] = args[0]
            if node.op == "defined":
                names[args[0]] = node.name
        else:
            new[node] = Expr(node.op, args, node.data, node.axes) if args != node.args else node
    return new[expr]


def convention(language: str) -> str:
    """Return the text of the convention box."""
    return phrase(language, "convention_text")
