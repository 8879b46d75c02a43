"""Steps to the lines of a proof, as a good lecturer would write them down.

`full` shows every step; `normal` one line for each thought (the chain rule, what is put in, the
differentiation, the δ that are contracted, what is read off); `brief` the first and the last.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sympy

from symderiv.errors import UnsupportedError
from symderiv.index.nodes import Argument, Delta, Entry, Index, Step, at, places
from symderiv.index.rules import DERIVATIVE_RULES
from symderiv.render.latex import Latex
from symderiv.render.model import Line, ProofView
from symderiv.render.phrases import phrase

DETAILS = ("brief", "normal", "full")
TIDY = frozenset(["zero", "associate", "cancel", "exchange", "distribute", "delta", "common delta", "idle sum"])
INSERTING = frozenset(["lemma", "name", "cite", "definition"])
PLAIN_RULES = frozenset(["constant", "entry", "sum", "linearity", "product", "definition", "fold"]) | TIDY
ASSUMED = {"symmetric": "symmetry", "diagonal": "diagonal_of", "orthogonal": "orthogonality"}
JOINED = frozenset(["insert", "differentiate", "contract", "transpose"])


@dataclass(frozen=True)
class _Group:
    """Steps that make one thought."""

    kind: str
    steps: tuple[Step, ...]

    @property
    def after(self) -> sympy.Expr:
        return self.steps[-1].after

    def first(self, rule: str) -> Step | None:
        return next((s for s in self.steps if s.rule == rule), None)


def proof_views(part: Any, latex: Latex, detail: str = "normal", language: str = "en") -> list[ProofView]:
    """Return each chain of a replayed derivation as the lines of an aligned display."""
    return [view(a, latex, detail, language) for a in part.arguments]


def view(
    argument: Argument, latex: Latex, detail: str = "normal", language: str = "en", checked: bool = False
) -> ProofView:
    """Return one chain of equalities as lines."""
    if detail not in DETAILS:
        raise UnsupportedError(f"unknown detail {detail!r}", hint="choose brief, normal or full")
    if detail == "full":
        groups = [_Group(_kind(s), (s,)) for s in argument.steps]
    else:
        groups = grouped(argument.steps)
    writer = _Lines(latex, language)
    shown = [g for n, g in enumerate(groups) if detail == "full" or not _leads_on(g, groups[n + 1 :])]
    lines = [line for n, g in enumerate(shown) for line in writer.lines(g, shown[n + 1 :])]
    if detail == "brief":
        lines = lines[-1:]
    kept: list[Line] = []
    for line in lines:
        if kept and line.right == kept[-1].right:
            continue
        kept.append(Line("" if kept else latex.index(argument.left), line.relation, line.right, line.reason))
    cites = tuple(str(s.instance["label"]) for s in argument.steps if s.rule == "cite")
    return ProofView(tuple(kept), checked, cites=cites)


def _leads_on(group: _Group, later: Sequence[_Group]) -> bool:
    """Tell whether a reordering only prepares the next thought, which shows its result."""
    return group.kind == "commute" and bool(later) and later[0].kind == "transpose"


def grouped(steps: Sequence[Step]) -> list[_Group]:
    """Gather steps that make one thought; tidying joins the thought before it."""
    groups: list[tuple[str, list[Step]]] = []
    for step in steps:
        kind = _kind(step)
        if groups and (kind == "tidy" or (kind == groups[-1][0] and kind in JOINED)):
            groups[-1][1].append(step)
        else:
            groups.append(("simplify" if kind == "tidy" else kind, [step]))
    return [_Group(kind, tuple(members)) for kind, members in groups]


def _kind(step: Step) -> str:
    if step.rule == "definition" and "name" not in step.instance:
        return "differentiate"
    if step.rule in INSERTING:
        return "insert"
    if step.rule in DERIVATIVE_RULES or step.rule == "fold":
        return "differentiate"
    return "tidy" if step.rule in TIDY else step.rule


class _Lines:
    def __init__(self, latex: Latex, language: str) -> None:
        self.latex = latex
        self.language = language

    def phrase(self, key: str, **values: str) -> str:
        return phrase(self.language, key, **values)

    def lines(self, group: _Group, later: Sequence[_Group]) -> list[Line]:
        """Return the lines that a thought is written in."""
        writer = getattr(self, "write_" + group.kind.replace(" ", "_"), None)
        if writer is not None:
            found: list[Line] = writer(group, later)
            return found
        return [self.line(group, self.phrase("normal_form"))]

    def line(self, group: _Group, reason: str, relation: str = "=", last: bool = False) -> Line:
        if last and isinstance(group.after, Delta) and group.kind != "contract":
            i, j = (self.latex.index(a) for a in group.after.args)
            reason = self.phrase("delta_meaning", delta=self.latex.index(group.after), equation=f"{j} = {i}")
        return Line("", relation, self.latex.index(group.after), reason)

    def write_chain_rule(self, group: _Group, later: Sequence[_Group]) -> list[Line]:
        """The chain rule; what has a name is named under its derivative."""
        names = {}
        for step in later[0].steps if later and later[0].kind == "insert" else ():
            if step.rule == "name":
                names[at(step.before, step.place)] = self.latex.index(at(step.after, step.place))
        first = group.steps[0]
        root = first.before.of.tensor.name
        through = ", ".join(self.latex.name(n) for n in first.instance["through"] if n != root)
        directly = root in first.instance["through"]
        key = "chain_rule_directly" if directly else "chain_rule_through"
        self.latex.braced, self.latex.every_range, self.latex.direct = names, True, {root}
        line = self.line(group, self.phrase(key, node=through))
        self.latex.braced, self.latex.every_range, self.latex.direct = {}, False, set()
        return [line]

    def write_definition_of_f(self, group: _Group, later: Sequence[_Group]) -> list[Line]:
        name = self.latex.name(str(group.steps[0].instance["name"]))
        return [self.line(group, self.phrase("definition_of", name=name))]

    def write_insert(self, group: _Group, later: Sequence[_Group]) -> list[Line]:
        labels = dict.fromkeys(str(s.instance["label"]) for s in group.steps if s.rule == "cite")
        if labels:
            reason = self.phrase("by_lemma", label=", ".join(f"({x})" for x in labels))
        elif all(s.rule == "definition" for s in group.steps) or group.first("name"):
            step = group.first("definition") or group.steps[0]
            reason = self.phrase("definition_of", name=self.latex.name(str(step.instance["name"])))
        else:
            reason = self.phrase("insert")
        return [self.line(group, reason)]

    def write_differentiate(self, group: _Group, later: Sequence[_Group]) -> list[Line]:
        """The differentiation; where terms of a sum are constant, they are shown to vanish first."""
        split = group.first("linearity")
        constants = {at(s.before, s.place): "0" for s in group.steps if s.rule == "constant"}
        lines = []
        if split is not None and split is group.steps[0] and constants:
            self.latex.braced = constants
            lines.append(Line("", "=", self.latex.index(split.after), self.phrase("linearity")))
            self.latex.braced = {}
        return [*lines, self.line(group, self.differentiation(group), last=not later)]

    def differentiation(self, group: _Group) -> str:
        rules = {s.rule for s in group.steps}
        if rules <= PLAIN_RULES:
            return self.phrase("differentiate_entry")
        for rule, key in (
            ("inverse", "inverse_rule"),
            ("determinant", "determinant_rule"),
            ("log determinant", "determinant_rule"),
            ("matrix power", "matrix_power_rule"),
        ):
            step = group.first(rule)
            if step is not None and rule == "inverse":
                name = self.latex.head(at(step.before, step.place).of.tensor)[0].removesuffix("^{-1}")
                return self.phrase(key, name=name)
            if step is not None:
                return self.phrase(key)
        if "chain" in rules and "power" in rules:
            return self.phrase("power_and_chain_rule")
        step = group.first("chain")
        if step is not None:
            value = at(step.before, step.place).of
            return self.phrase("function_rule", function=self.latex.function(value.name, value.order))
        return self.phrase("power_rule" if "power" in rules else "product_rule")

    def write_contract(self, group: _Group, later: Sequence[_Group]) -> list[Line]:
        pairs, deltas = [], []
        for step in group.steps:
            if step.rule == "contract":
                gone, kept = step.instance["index"], step.instance["by"]
                pairs.append(f"{self.latex.index(gone)}={self.latex.index(kept)}")
                deltas.append(self.latex.index(_delta(step, gone, kept)))
        relation = "\\overset{" + ",\\,".join(dict.fromkeys(pairs)) + "}{=}"
        return [self.line(group, self.phrase("contract_delta", delta=",\\,".join(dict.fromkeys(deltas))), relation)]

    def write_transpose(self, group: _Group, later: Sequence[_Group]) -> list[Line]:
        return [self.line(group, self.phrase("transpose"))]

    def write_merge(self, group: _Group, later: Sequence[_Group]) -> list[Line]:
        return [self.line(group, self.phrase("merge"))]

    def write_free_entries(self, group: _Group, later: Sequence[_Group]) -> list[Line]:
        step = group.steps[0]
        entry = at(step.before, step.place).entry
        turned = Entry(entry.tensor, *reversed(entry.indices))
        one, other, name = self.latex.index(entry), self.latex.index(turned), self.latex.name(entry.tensor.name)
        key = f"free_entries_{step.instance['kind']}"
        return [self.line(group, self.phrase(key, name=name, one=one, other=other))]

    def write_assumption(self, group: _Group, later: Sequence[_Group]) -> list[Line]:
        """What was declared of the variables, each with its word."""
        found = [self.phrase(ASSUMED[trait], name=self.latex.name(n)) for n, trait in group.steps[0].instance["of"]]
        return [self.line(group, ", ".join(found))]

    def write_read_off(self, group: _Group, later: Sequence[_Group]) -> list[Line]:
        product = group.steps[0].instance.get("operation") == "matmul"
        return [self.line(group, self.phrase("matrix_product" if product else "read_off"))]

    def write_rearrange(self, group: _Group, later: Sequence[_Group]) -> list[Line]:
        instance = group.steps[0].instance
        if instance.get("split"):
            return [self.line(group, self.phrase("split_fraction"))]
        if "because" in instance:
            left, right = (self.latex.index(e) for e in instance["because"])
            return [self.line(group, f"${left} = {right}$")]
        return [self.line(group, self.phrase("normal_form"), last=not later)]


def _delta(step: Step, gone: Index, kept: Index) -> Delta:
    for _, part in places(at(step.before, step.place)):
        if isinstance(part, Delta) and set(part.args) == {gone, kept}:
            return part
    delta: Delta = Delta(gone, kept)
    return delta
