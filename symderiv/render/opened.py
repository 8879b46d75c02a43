r"""Proofs of claims about families as lines: for a member of symbolic label, or by induction.

An induction has two parts, each under its label, `t=\tau:` and `t-1\to t:`.  What a range is split into, and what
it is where it is empty, is shown where a side of the claim runs over one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace

import sympy

from symderiv import dims
from symderiv.families import Label, shifted
from symderiv.index.nodes import Argument, Context, Derivative, Entry, Index, heads
from symderiv.render.labels import RANGED, label_of
from symderiv.render.latex import Latex
from symderiv.render.model import Line, Part, ProofView
from symderiv.render.phrases import phrase
from symderiv.render.proof import view
from symderiv.render.symbols import ENTRYWISE
from symderiv.replay import Replayed
from symderiv.tensor.expr import Expr, walk
from symderiv.windows.induction import Induction

WITHOUT = " without "  # the name of a sum over all members but one: `sum(…) without t`
Sides = Sequence[Expr]
Reason = Callable[[Expr, Label], str]
Reading = Callable[[str], Expr | None]


def direct_view(
    proof: Replayed,
    sides: Sides,
    latex: Latex,
    read: Reading,
    detail: str = "normal",
    language: str = "en",
    checked: bool = False,
) -> ProofView:
    """Return a proof for a member of symbolic label; it ends with the right side as it is claimed.

    `read` returns the expression that a name of the proof is the text of.
    """
    print_ranges(proof, latex, read)
    print_names(proof, latex, read)
    end = proof.arguments[-1].right
    if isinstance(end, Entry) and len(end.indices) == sides[1].rank and end.tensor.name in latex.expressions:
        latex.expressions[end.tensor.name] = sides[1]
    lines, cites = chain(proof, latex, detail, language)
    if ranged(sides[1]) and lines[-1].right == latex.index(end):
        text = latex.subscripted(latex.matrixed(sides[1]), proof.free[: sides[1].rank])
        if text != lines[-1].right:
            lines = (*lines, Line("", "=", text, phrase(language, "read_off")))
    return ProofView(lines, checked, cites=cites)


def induction_view(
    proof: Induction,
    sides: Sides,
    latex: Latex,
    read: Reading,
    detail: str = "normal",
    language: str = "en",
    checked: bool = False,
) -> ProofView:
    """Return a proof in two parts, with a word on the variable that it runs over."""
    for half in (proof.base, proof.step):
        print_ranges(half, latex, read)
    upward = proof.first == proof.range.low
    intro = phrase(language, "induction" if upward else "backward_induction", variable=latex.name(proof.variable))
    writer = _Parts(proof, sides, latex, detail, language)
    parts: list[Part] = []
    cites: list[str] = []
    for half, write in ((proof.base, writer.base), (proof.step, writer.step)):
        latex.expressions |= half.expressions  # each half has names of its own
        print_names(half, latex, read)
        part, cited = write()
        parts.append(part)
        cites += cited
    return ProofView((), checked, intro, tuple(dict.fromkeys(cites)), tuple(parts))


def print_ranges(proof: Replayed, latex: Latex, read: Reading) -> None:
    """Have what a proof calls by the text of a sum or a product over a range printed as such."""
    names = {h.name for a in proof.arguments for s in a.steps for h in heads(s.before) | heads(s.after)}
    names |= {e.name for e in walk(*proof.expressions.values()) if e.op in ("var", "defined")}
    for name in sorted(n for n in names if (" in range(" in n or "@" in n) and n not in proof.expressions):
        text, _, left_out = name.partition(WITHOUT)
        known, labels = read(text), [label_of(label) for label in left_out.split(", ") if label]
        if known is not None:
            latex.short_products = True
            written = latex.all_but(known, [x for x in labels if x is not None]) if labels else latex.matrixed(known)
            latex.wholes[name] = written[0], ENTRYWISE
            latex.spelt[name] = known.rank, frozenset(re.findall(r"[^\W\d]\w*", text))
            latex.short_products = False


def print_names(proof: Replayed, latex: Latex, read: Reading) -> None:
    """Have a proof's own name for an array printed as the array, and its own call as what is defined by it."""
    latex.calls |= calls_of(proof)
    for name, definition in proof.context.chain.items():
        body = definition.body
        if not isinstance(body, Entry) or body.indices != definition.indices:
            continue
        if body.tensor.name in proof.context.definitions:
            if read(body.tensor.name) is None:
                latex.aliases[body.tensor.name] = name
        elif read(name) is None:
            latex.aliases[name] = body.tensor.name


def calls_of(proof: Replayed) -> dict[str, str]:
    """Return the definitions that are calls of unknown functions, by the heads of the calls."""
    return {
        definition.body.tensor.name: name
        for name, definition in proof.context.chain.items()
        if isinstance(definition.body, Entry)
        and definition.body.indices == definition.indices
        and definition.body.tensor.name in proof.context.definitions
    }


def chain(proof: Replayed, latex: Latex, detail: str, language: str) -> tuple[tuple[Line, ...], tuple[str, ...]]:
    """Return the lines that lead to the claim, and the lemmas that they cite."""
    lines: list[Line] = []
    cites: dict[str, None] = {}
    for argument in needed(proof, latex):
        shown = view(argument, latex, detail, language)
        if not shown.lines:  # both sides are the same, which is worth a line only where it is the claim
            if argument is not proof.arguments[-1]:
                continue
            shown = replace(shown, lines=(Line(latex.index(argument.left), "=", latex.index(argument.right)),))
        start = shown.lines[0]
        new = [line for line in shown.lines if line.right != start.left] or [start]
        lines += [replace(new[0], left=start.left), *new[1:]]
        cites |= dict.fromkeys(shown.cites)
    return tuple(lines), tuple(cites)


def needed(proof: Replayed, latex: Latex) -> list[Argument]:
    """Return the last chain and those that it cites, but for what the hypothesis knows."""
    *lemmas, last = proof.arguments
    cited, found = labels_in(last), [last]
    for lemma in reversed(lemmas):
        if isinstance(lemma.right, Entry) and lemma.right.tensor.name in latex.supposed:
            latex.supposed.add(lemma.label)
        elif lemma.label in cited:
            cited |= labels_in(lemma)
            found.insert(0, lemma)
    return found


def labels_in(argument: Argument) -> set[str]:
    """Return the labels of the chains that a chain cites."""
    return {str(step.instance["label"]) for step in argument.steps if "label" in step.instance}


class _Parts:
    def __init__(self, proof: Induction, sides: Sides, latex: Latex, detail: str, language: str) -> None:
        self.proof, self.sides, self.latex, self.detail, self.language = proof, sides, latex, detail, language
        self.variable = dims.symbol(proof.variable)

    def base(self) -> tuple[Part, tuple[str, ...]]:
        """Return the base: what runs over an empty range is written out."""
        first = self.latex.size(self.proof.first)
        label = f"{self.latex.name(self.proof.variable)}={first}:"
        lines, cites = chain(self.proof.base, self.latex, self.detail, self.language)
        return Part(label, self.framed(lines, self.proof.base, self.proof.first, self.emptied)), cites

    def step(self) -> tuple[Part, tuple[str, ...]]:
        """Return the step: the claim for the member before stands in it under what it says."""
        latex, proof = self.latex, self.proof
        before, here = latex.size(proof.before), latex.size(self.variable)
        label = phrase(self.language, "induction_step", before=before, after=here).strip("$") + ":"
        for name in proof.hypothesis:
            self.suppose(name)
        lines, cites = chain(proof.step, latex, self.detail, self.language)
        return Part(label, self.framed(lines, proof.step, self.variable, self.split)), cites

    def suppose(self, name: str) -> None:
        """Have what the hypothesis speaks of printed as the side of the claim that it is."""
        latex, context = self.latex, self.proof.step.context
        latex.supposed.add(name)
        function, variable = slope_named(context, name)
        inner = context.chain.get(function)
        if inner is None or not isinstance(inner.body, Entry):
            return
        derivative = f"diff({inner.body.tensor.name}, {variable})"
        if derivative in self.proof.step.expressions:
            axes = self.proof.step.expressions[derivative].axes
            latex.expressions[derivative] = Expr("var", (), (name, frozenset()), axes)
            latex.supposed.add(derivative)

    # -- sides that run over a range

    def framed(self, lines: Sequence[Line], proof: Replayed, label: Label, reason: Reason) -> tuple[Line, ...]:
        """Return lines that begin and end with the sides as they are claimed, where those run over a range."""
        left, right = self.sides
        found = list(lines)
        end = proof.arguments[-1]
        if ranged(left):
            text = self.side(left, label, end.left, lines[0].left, proof.free)
            if text != lines[0].left:
                opening = Line(text, "=", lines[0].left, reason(left, label))
                found[0] = replace(lines[0], left="")
                found = [opening, *(x for x in found if x.right != lines[0].left)]
        text = self.side(right, label, end.right, lines[-1].right, proof.free)
        if text != lines[-1].right:
            found.append(Line("", "=", text, reason(right, label) or phrase(self.language, "read_off")))
        return tuple(found)

    def side(self, side: Expr, label: Label, end: sympy.Expr, shown: str, free: Sequence[Index]) -> str:
        """Return a side of the claim at a label, at the indices at which the proof has it."""
        with self.latex.at(self.variable, label):
            written = self.latex.matrixed(side)
        return self.latex.subscripted(written, free[: side.rank]) if shown == self.latex.index(end) else written[0]

    def emptied(self, side: Expr, label: Label) -> str:
        """Return the reason for a side whose range is empty."""
        for node in ranged(side):
            _, low, high, _ = node.data
            if shifted(high - low + 1, {self.variable: label}) == 0:
                return phrase(self.language, "empty_product" if node.op == "range_prod" else "empty_sum")
        return ""

    def split(self, side: Expr, label: Label) -> str:
        """Return the reason for a side one term of which is set apart: the one at the end that moves."""
        for node in ranged(side):
            variable, low, high, _ = node.data
            end = next((x for x in (high, low) if self.variable in x.free_symbols), None)
            if end is not None:
                with self.latex.at(self.variable, label), self.latex.at(dims.symbol(variable), end):
                    part = self.latex.matrix(node.args[0])
                if node.op == "range_prod":
                    return phrase(self.language, "split_off_factor", factor=part)
                return phrase(self.language, "split_off_term", term=part)
        return ""


def slope_named(context: Context, name: str) -> tuple[str, str]:
    """Return the function and the variable of the derivative that a name stands for; empty where it is none."""
    definition = context.definitions.get(name) or context.chain.get(name)
    if definition is not None and definition.kind == "derivative":
        function, variable = definition.arguments
        return function.name, variable.name
    body = definition.body if definition is not None else None
    if isinstance(body, Derivative) and isinstance(body.of, Entry):
        return body.of.tensor.name, body.entry.tensor.name
    return "", ""


def ranged(side: Expr) -> list[Expr]:
    """Return the sums and products over ranges in an expression."""
    return [e for e in walk(side) if e.op in RANGED]
