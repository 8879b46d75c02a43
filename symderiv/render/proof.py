"""Steps to the lines of a proof, as a good lecturer would write them down.

`full` shows every step; `normal` one line for each thought (the chain rule, what is put in, the
differentiation, the δ that are contracted, what is read off); `brief` the first and the last.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import sympy

from symderiv.errors import UnsupportedError
from symderiv.index.nodes import Argument, Delta, Entry, Index, Plus, Step, at, heads, places
from symderiv.index.rules import DERIVATIVE_RULES
from symderiv.render.latex import Latex
from symderiv.render.model import Line, ProofView
from symderiv.render.phrases import phrase
from symderiv.tensor.expr import Expr
from symderiv.tensor.operations import apply

DETAILS = ("brief", "normal", "full")
TIDY = frozenset(["zero", "associate", "cancel", "exchange", "distribute", "delta", "common delta", "idle sum"])
IMMEDIATE = frozenset(["unknown function", "entry"]) | TIDY
INSERTING = frozenset(["lemma", "name", "cite", "definition"])
PLAIN_RULES = frozenset(["constant", "entry", "sum", "linearity", "product", "definition", "fold"]) | TIDY
ASSUMED = {
    "symmetric": "symmetry", "diagonal": "diagonal_of", "orthogonal": "orthogonality",
    "signs": "entries_signs", "binary": "entries_binary", "simplex": "entries_sum", "simplex_rows": "rows_sum",
    "one_hot_rows": "rows_one_hot",
}  # fmt: skip
JOINED = frozenset([
    "insert", "unfold", "hypothesis", "by lemma", "equal arguments", "differentiate", "contract", "transpose",
    "product", "chain",
])  # fmt: skip


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
    writer = _Lines(latex, language, _indices_throughout(argument, latex))
    shown = [g for n, g in enumerate(groups) if detail == "full" or not _leads_on(g, groups[n + 1 :])]
    ends = _ends(groups, shown)
    lines = [
        replace(line, steps=tuple(range(start, end)))
        for n, (g, start, end) in enumerate(zip(shown, [0, *ends], ends, strict=False))
        for line in writer.lines(g, shown[n + 1 :])
    ]
    if detail == "brief":
        lines = [replace(line, steps=tuple(range(len(argument.steps)))) for line in lines[-1:]]
    kept: list[Line] = []
    for line in lines:
        if kept and line.right == kept[-1].right:
            kept[-1] = replace(kept[-1], steps=tuple(dict.fromkeys((*kept[-1].steps, *line.steps))))
            continue
        kept.append(replace(line, left="" if kept else writer.written(argument.left)))
    if not argument.steps:
        same = writer.written(argument.left)
        kept = [Line(same, "=", same, phrase(language, "same_written_out"))]
    kept = [replace(line, rules=_rules(argument, line)) for line in kept]
    if kept and _is_shown(argument.label):
        kept[0] = replace(kept[0], reason=f"{argument.label} {kept[0].reason}")
    cited = [str(s.instance["label"]) for s in argument.steps if s.rule in ("cite", "derivative of lemma")]
    cites = tuple(label for label in cited if not _is_shown(label) and not _is_of_slope(label))
    if detail != "full" and _is_of_slope(argument.label) and kept and kept[-1].right == kept[0].left:
        kept = []  # a reader sees the same on both sides
    return ProofView(tuple(kept), checked, cites=cites)


def _indices_throughout(argument: Argument, latex: Latex) -> tuple[Index, ...]:
    """Return the indices of a chain whose every line is an entry, at these indices, of an array in matrix notation."""
    lines = [argument.left, *(step.after for step in argument.steps)]
    if len(lines) < 2 or not isinstance(argument.left, Entry):
        return ()
    at: tuple[Index, ...] = argument.left.indices

    def fits(line: Any) -> bool:
        if isinstance(line, Delta):
            return bool(line.args == at)
        return isinstance(line, Entry) and bool(line.indices == at)

    named = any(line.tensor.name in latex.expressions for line in lines if isinstance(line, Entry))
    return at if named and len(set(at)) == len(at) > 0 and all(map(fits, lines)) else ()


def _rules(argument: Argument, line: Line) -> tuple[str, ...]:
    return tuple(dict.fromkeys(argument.steps[k].rule for k in line.steps))


def _ends(groups: Sequence[_Group], shown: Sequence[_Group]) -> list[int]:
    """Return for each group that is shown how many steps have been made when it ends."""
    made, found = 0, []
    for group in groups:
        made += len(group.steps)
        if any(group is g for g in shown):
            found.append(made)
    return found


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
    return _with_immediate([_Group(kind, tuple(members)) for kind, members in groups])


def _with_immediate(groups: Sequence[_Group]) -> list[_Group]:
    """Join the steps to the immediate derivative of an unknown function: to its text, through it, and the δ."""
    found: list[_Group] = []
    for group in groups:
        rules = {step.rule for step in group.steps}
        if group.kind == "differentiate" and "unknown function" in rules and rules <= IMMEDIATE:
            opening = found and {step.rule for step in found[-1].steps} <= {"definition", "definition of f"}
            steps = (*found.pop().steps, *group.steps) if opening else group.steps
            found.append(_Group("immediate", steps))
        elif group.kind == "contract" and found and found[-1].kind == "immediate":
            found[-1] = _Group("immediate", (*found[-1].steps, *group.steps))
        else:
            found.append(group)
    return found


def _kind(step: Step) -> str:
    if "thought" in step.instance:  # the proof says itself what belongs together
        return str(step.instance["thought"])
    if step.rule == "definition" and "name" not in step.instance:
        return "differentiate"
    if step.rule in INSERTING:
        return "insert"
    if step.rule in DERIVATIVE_RULES or step.rule == "fold":
        return "differentiate"
    return "tidy" if step.rule in TIDY else step.rule


class _Lines:
    def __init__(self, latex: Latex, language: str, at: tuple[Index, ...] = ()) -> None:
        self.latex = latex
        self.language = language
        self.at = at  # where every line is an entry of a matrix at these indices, they say nothing

    def written(self, expr: Any) -> str:
        """Return an index expression; an entry at the indices that all have is written as the array."""
        if self.at and isinstance(expr, Entry) and expr.indices == self.at:
            return self.latex.head(expr.tensor)[0]
        if self.at and isinstance(expr, Delta):
            return self.latex.matrix(apply("eye", data=(expr.args[0].size,)))
        return self.latex.index(expr)

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
        if last and isinstance(group.after, Delta) and group.kind != "contract" and not self.at:
            i, j = (self.latex.index(a) for a in group.after.args)
            reason = self.phrase("delta_meaning", delta=self.latex.index(group.after), equation=f"{j} = {i}")
        return Line("", relation, self.written(group.after), reason)

    def write_chain_rule(self, group: _Group, later: Sequence[_Group]) -> list[Line]:
        """The chain rule; what has a name is named under its derivative."""
        names = self.named_later(later)
        first = group.steps[0]
        root = first.before.of.tensor.name
        through = ", ".join(self.latex.name(n) for n in first.instance["through"] if n != root)
        directly = root in first.instance["through"]
        key = "chain_rule_directly" if directly else "chain_rule_through"
        told_apart = self.latex.direct
        self.latex.braced, self.latex.every_range, self.latex.direct = names, True, {*told_apart, root}
        line = self.line(group, self.phrase(key, node=through))
        self.latex.braced, self.latex.every_range, self.latex.direct = {}, False, told_apart
        return [line]

    def write_definition_of_f(self, group: _Group, later: Sequence[_Group]) -> list[Line]:
        name = self.latex.name(str(group.steps[0].instance["name"]))
        return [self.line(group, self.phrase("definition_of", name=name))]

    def write_insert(self, group: _Group, later: Sequence[_Group]) -> list[Line]:
        used = [s for s in group.steps if s.rule == "cite" or (s.rule == "lemma" and _is_shown(s.instance["label"]))]
        labels = dict.fromkeys(str(s.instance["label"]) for s in used)
        if labels:
            known = labels.keys() <= self.latex.supposed
            reason = self.phrase("hypothesis" if known else "by_lemma", label=", ".join(map(_reference, labels)))
        elif all(s.rule == "definition" for s in group.steps) or group.first("name"):
            step = group.first("definition") or group.first("name") or group.steps[0]
            name = str(step.instance["name"])
            known = name in self.latex.supposed
            reason = self.phrase("hypothesis" if known else "definition_of", name=self.latex.name(name))
        else:
            reason = self.phrase("insert")
        return [self.line(group, reason)]

    def write_immediate(self, group: _Group, later: Sequence[_Group]) -> list[Line]:
        """What stands in a definition itself; of the member before, the hypothesis tells it."""
        known = any(h.name in self.latex.supposed for h in heads(group.after))
        return [self.line(group, self.phrase("hypothesis" if known else "immediate"))]

    def write_product(self, group: _Group, later: Sequence[_Group]) -> list[Line]:
        """The product rule on what a lemma says."""
        step = group.first("derivative of lemma")
        if step is None:
            return [self.line(group, self.phrase("product_rule"))]
        several = any(isinstance(at(s.after, s.place), Plus) for s in group.steps if s.rule == "product")
        key = "product_rule_on" if several else "by_lemma"
        if _is_of_slope(step.instance["label"]):
            return [self.line(group, self.phrase("product_rule" if several else "chain_rule"))]
        return [self.line(group, self.phrase(key, label=_reference(str(step.instance["label"]))))]

    def write_chain(self, group: _Group, later: Sequence[_Group]) -> list[Line]:
        """The chain rule through definitions, and what is differentiated on the way; names are told as they come."""
        through = group.first("through")
        if through is None:
            laws = _Group(group.kind, tuple(s for s in group.steps if s.rule != "contract"))
            before = group.first("derivative of lemma")
            known = "" if before is None or _is_of_slope(before.instance["label"]) else str(before.instance["label"])
            said = [self.phrase("by_lemma", label=_reference(known))] if known else []
            return [self.line(group, ", ".join([*said, self.differentiation(laws)]))]
        if any(s.rule == "chain" for s in group.steps):
            return [self.line(group, self.phrase("chain_rule_twice"))]
        self.latex.braced = self.named_later(later)
        self.latex.every_range = len(group.steps) == 1
        nodes = ", ".join(self.latex.name(n) for n in through.instance["through"])
        line = self.line(group, self.phrase("chain_rule_through", node=nodes))
        self.latex.braced, self.latex.every_range = {}, False
        return [line]

    def named_later(self, later: Sequence[_Group]) -> dict[Any, str]:
        """Return the derivatives that the next thought calls by a name, with their names."""
        steps = later[0].steps if later and later[0].kind == "insert" else ()
        return {at(s.before, s.place): self.latex.index(at(s.after, s.place)) for s in steps if s.rule == "name"}

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
        if "unknown function" in rules:
            return self.phrase("chain_rule")
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

    def write_equal_arguments(self, group: _Group, later: Sequence[_Group]) -> list[Line]:
        """Functions of equal arguments are equal; what makes them so stands at the right, after what was put in."""
        labels = dict.fromkeys(str(s.instance["label"]) for s in group.steps if _is_shown(s.instance.get("label")))
        said = [self.phrase("by_lemma", label=", ".join(labels))] if labels else []
        unfolded = group.first("unfold")
        if unfolded is not None:
            said.append(self.phrase("definition_of", name=self.latex.name(str(unfolded.instance["name"]))))
        step = group.first("equal arguments")
        if step is not None:
            said.append(f"${self.latex.name(str(step.instance['zero']))} = 0$")
        return [self.line(group, ", ".join(said) or self.phrase("normal_form"))]

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
        if "how" in instance:
            return [self.line(group, self.multiplication(str(instance["how"]), instance.get("by", ())))]
        return [self.line(group, self.phrase("normal_form"), last=not later)]

    def multiplication(self, how: str, equations: Sequence[tuple[Expr, Expr]]) -> str:
        """Say what a line of a product of matrices does, and by which equations between matrices."""
        used = [f"{self.latex.matrix(left)} = {self.latex.matrix(right)}" for left, right in equations]
        if how == "insert_equation":
            return self.phrase(how, equation=",\\; ".join(used))
        return ", ".join([self.phrase(how), *(f"${equation}$" for equation in used)])

    def write_unfold(self, group: _Group, later: Sequence[_Group]) -> list[Line]:
        """What a definition says put in, or its name for it."""
        names = dict.fromkeys(str(s.instance["name"]) for s in group.steps if "name" in s.instance)
        said = [
            self.phrase("hypothesis" if name in self.latex.supposed else "definition_of", name=self.latex.name(name))
            for name in names
        ]
        return [self.line(group, ", ".join(said))]

    def write_by_lemma(self, group: _Group, later: Sequence[_Group]) -> list[Line]:
        labels = dict.fromkeys(_reference(s.instance["label"]) for s in group.steps)
        return [self.line(group, self.phrase("by_lemma", label=", ".join(labels)))]

    def write_hypothesis(self, group: _Group, later: Sequence[_Group]) -> list[Line]:
        """An equation that is assumed: the induction hypothesis, or one of the statement's own, by its label."""
        labels = dict.fromkeys(str(s.instance["label"]) for s in group.steps)
        said = [
            self.phrase(label) if label in ("hypothesis", "given") else self.phrase("by_lemma", label=_reference(label))
            for label in labels
        ]
        return [self.line(group, ", ".join(said))]

    def write_neglect(self, group: _Group, later: Sequence[_Group]) -> list[Line]:
        """What counts as 0 is left out: the only step that is no equality."""
        step = group.steps[0]
        reason = self.phrase("neglect_last")
        if step.instance["apart"] is not None:
            i, j = map(self.latex.name, step.instance["apart"])
            term = f"${self.latex.index(step.instance['term'])}$"
            reason = self.phrase("neglecting_for", term=term, condition=rf"${i} \ne {j}$")
        return [self.line(group, reason, r"\approx")]

    def write_inverse_unique(self, group: _Group, later: Sequence[_Group]) -> list[Line]:
        label = _reference(group.steps[0].instance["label"])
        return [self.line(group, f"{label}, {self.phrase('inverse_unique')}")]

    def write_invertible(self, group: _Group, later: Sequence[_Group]) -> list[Line]:
        instance = group.steps[0].instance
        said = [self.phrase("invertible", name=self.latex.matrix(n)) for n in instance["factors"]]
        return [self.line(group, ", ".join([_reference(instance["label"]), *said]))]


def _is_shown(label: Any) -> bool:
    """Tell whether the chain of this label is shown under it: `(a)`."""
    return re.fullmatch(r"\([a-z]+\)", str(label)) is not None


def _is_of_slope(label: Any) -> bool:
    """Tell whether a chain derives one ∂f/∂x by its name: for an unknown f that says nothing more."""
    return str(label).startswith("∂")


def _reference(label: str) -> str:
    return label if _is_shown(label) else f"({label})"


def _delta(step: Step, gone: Index, kept: Index) -> Delta:
    for _, part in places(at(step.before, step.place)):
        if isinstance(part, Delta) and set(part.args) == {gone, kept}:
            return part
    delta: Delta = Delta(gone, kept)
    return delta
