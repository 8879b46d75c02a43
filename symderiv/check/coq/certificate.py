"""A proof as one text for Coq: what it presupposes, one lemma for each step, the theorem."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import groupby
from typing import Any

from symderiv.check.coq import algebra, calculus
from symderiv.check.coq.core import CORE
from symderiv.check.coq.setting import Setting, unsupported
from symderiv.check.coq.tactics import Tactics
from symderiv.check.part import Part
from symderiv.check.terms import RefusedError, derivatives, free
from symderiv.errors import ProofError, UnsupportedError
from symderiv.index.nodes import Argument, Derivative, Entry, Index, Step, Tensor, at

CITING = ("cite", "lemma", "derivative of lemma")


def to_coq(parts: Sequence[Part], name: str = "claim") -> str:
    """Return proofs as one text for Coq 8.16 with MathComp; `name` is that of the theorem.

    A quantity is an element of a commutative ring F with units; `∂/∂x[k, l]` is a derivation `d_x k l` of F.  The
    theorem is closed and says what it presupposes: the equations of the definitions, what `d_x` does to the entries
    of each variable, the derivatives of functions, what has an inverse or a root, what was declared.

    Raises :class:`symderiv.UnsupportedError` naming the rule that is not covered, and :class:`symderiv.ProofError`
    for a step whose place or form does not allow a statement at all.  It does not look whether the proof is right.
    """
    taken: set[str] = set()
    texts = [CORE]
    for number, part in enumerate(parts, start=1):
        texts += written_out(part, name if len(parts) == 1 else f"{name}_{number}", taken)
    return "\n".join(texts)


def written_out(part: Part, name: str, taken: set[str]) -> list[str]:
    """Return the texts of one proof: two, where steps without a derivative need what its derivatives contradict.

    That is what is declared of a variable, or the text of a definition in which a derivative is taken.  The first
    theorem is about independent entries then, and the second one says what its right side is where they are not.
    """
    refused = None
    for parts in ([part], *apart(part)):
        names = [name] if len(parts) == 1 else [f"{name}_independent", name]
        known, texts = set(taken), []
        try:
            for one, wish in zip(parts, names, strict=True):
                certificate = Certificate(one, wish, known)
                texts.append(certificate.text())
                known |= certificate.outside
        except UnsupportedError as reason:
            refused = refused or reason
            continue
        taken |= known
        return texts
    assert refused is not None
    raise refused


def apart(part: Part) -> Iterator[list[Part]]:
    """Yield a proof in two, where its last steps hold no derivative: the last one alone, all of them."""
    *others, argument = part.arguments
    steps, start = argument.steps, len(argument.steps)
    while start and not derivatives(steps[start - 1].before) and not derivatives(steps[start - 1].after):
        start -= 1
    for k in dict.fromkeys((len(steps) - 1, start)):
        if 0 < k < len(steps) and k >= start:
            first = replace(argument, right=steps[k].before, steps=tuple(steps[:k]))
            last = replace(argument, left=steps[k].before, steps=tuple(steps[k:]))
            yield [Part((*others, first), part.context, part.cited), Part((last,), part.context, part.cited)]


class Certificate:
    """The lemmas of one proof."""

    def __init__(self, part: Part, name: str, taken: Iterable[str] = ()) -> None:
        self.part = part
        self.setting = Setting(part.context, taken)
        self.terms = self.setting.terms
        self.outside: set[str] = set()  # names that are seen outside of the section
        self.theorem = self.outer(name)
        self.tactics = Tactics(self.setting, self.lemma)
        self.lemmas: list[str] = []
        self.done: dict[str, str] = {}
        self.open: set[str] = set()

    def text(self) -> str:
        """Return the section with its lemmas, and the theorem after it."""
        try:
            self.own()
            self.setting.variables = frozenset(d.entry.tensor for d in self.slopes())
            self.setting.opened = self.opened()
            for argument in self.part.arguments:
                self.argument(argument)
        except RefusedError as reason:
            raise ProofError(f"{self.theorem}: {reason}") from None
        last = self.part.arguments[-1]
        statement = self.statement(last.left, last.right, self.indices(last))
        section = self.outer(f"Steps_{self.theorem}")
        head = [f"Section {section}.", 'Set Default Proof Using "All".', *self.presupposed(), ""]
        return "\n".join([*head, *self.lemmas, f"End {section}.", "", *self.closed(statement, last)])

    def outer(self, wish: str) -> str:
        """Return a new name for a lemma, a theorem or a section."""
        found = self.setting.names.new(wish)
        self.outside.add(found)
        return found

    def own(self) -> None:
        """Note the variables for which the chain rule goes through a text that names them besides."""
        chain = self.setting.context.chain
        for argument in self.used():
            for step in argument.steps:
                before = at(step.before, step.place) if step.rule == "chain rule" else None
                if not isinstance(before, Derivative) or not isinstance(before.of, Entry):
                    continue
                f, x, names = before.of.tensor, before.entry.tensor, step.instance.get("through", ())
                inside = {
                    t for n in names if n in chain for t in self.setting.below(chain[n].tensor) if t.name in chain
                }
                if f.name in names or any(t != x and self.setting.depends(t, x) for t in inside):
                    self.setting.own(x)

    def opened(self) -> frozenset[Tensor]:
        """Return the definitions in which a derivative is taken, but for arguments of an unknown function."""
        found = set()
        for d in self.slopes():
            known = self.setting.definition(d.entry.tensor)
            if known is not None and not self.setting.is_slope(d):
                found.add(known.tensor)
        return frozenset(found)

    def slopes(self) -> Iterator[Any]:
        """Yield the derivatives that stand in the proof and in those that it cites."""
        for argument in self.used():
            for expr in (argument.left, *(s.after for s in argument.steps)):
                yield from derivatives(expr)

    def used(self) -> list[Argument]:
        """Return the arguments of the proof and of those that it cites."""
        found, waiting, seen = list[Argument](), list(self.part.arguments), set[str]()
        while waiting:
            argument = waiting.pop()
            found.append(argument)
            labels = {s.instance.get("label", "") for s in argument.steps if s.rule in CITING} - seen
            seen |= labels
            waiting += [a for label in sorted(labels) for a in self.cited(label)]
        return found

    def cited(self, label: str) -> Sequence[Argument]:
        """Return the arguments of a proof that may be cited."""
        lemma = self.part.context.lemmas.get(label)
        return self.part.cited.get(label) or ([lemma] if lemma is not None else [])

    # -- what is presupposed

    def declared(self) -> list[tuple[str, str]]:
        """Return the variables with their types: sizes, arrays, functions, derivations."""
        found = [(s, "nat") for s in self.terms.sizes.values()]
        for tensor, name in self.terms.heads.items():
            found.append((name, " -> ".join([*(f"'I_{self.terms.size(s)}" for s in tensor.sizes), "F"])))
        found += [(name, "F -> F") for name in self.terms.functions.values()]
        for tensor, name in self.terms.along.items():
            found.append((name, " -> ".join([*(f"'I_{self.terms.size(s)}" for s in tensor.sizes), "F -> F"])))
        return found

    def grouped(self) -> list[str]:
        """Return the variables as binders, those of one type that follow each other together."""
        groups = groupby(self.declared(), key=lambda pair: pair[1])
        return [f"({' '.join(name for name, _ in group)} : {kind})" for kind, group in groups]

    def presupposed(self) -> list[str]:
        """Return what stands at the top of the section."""
        lines = ["Variable F : comUnitRingType."]
        lines += [f"Variables {binder}." for binder in self.grouped()]
        return lines + [f"Hypothesis {name} : {text}." for name, text in self.setting.hypotheses.items()]

    def closed(self, statement: str, last: Argument) -> list[str]:
        """Return the theorem, in which everything that it presupposes stands."""
        given = self.setting.hypotheses
        lines = [f"Theorem {self.theorem}", "    (F : comUnitRingType)"]
        lines += [f"    {binder}" for binder in self.grouped()]
        lines += [f"    ({name} : {text})" for name, text in given.items()]
        use = " ".join([f"@{self.done[last.label]} F", *(name for name, _ in self.declared()), *given])
        return [
            *lines,
            f"  : {statement}.",
            f"Proof. exact: ({use}). Qed.",
            "",
            f"Print Assumptions {self.theorem}.",
            "",
        ]

    # -- lemmas

    def lemma(self, label: str) -> str:
        """Return the lemma of an argument, this proof's or one that it cites, which is then proved first."""
        if label not in self.done:
            cited = self.cited(label)
            if not cited or label in self.open:
                raise unsupported("cite", f"there is no proof of {label}")
            self.flush()
            self.open.add(label)
            for argument in cited[:-1]:
                if argument.label not in self.done:
                    self.argument(argument)
            self.argument(cited[-1], label)
        return self.done[label]

    def indices(self, argument: Argument) -> tuple[Index, ...]:
        """Return the free indices of an argument."""
        return tuple(sorted(free(argument.left) | free(argument.right), key=lambda i: i.name))

    def statement(self, left: Any, right: Any, indices: Sequence[Index]) -> str:
        """Return `forall i j, left = right`."""
        return self.setting.equation(left, right, indices)

    def argument(self, argument: Argument, label: str = "") -> None:
        """Write one lemma for each step, and one for the chain."""
        label = label or argument.label
        indices = self.indices(argument)
        name = self.outer(f"lemma_{label}")
        steps = []
        for number, written in enumerate(argument.steps, start=1):
            step = self.of_own_texts(written)
            script = self.tactics.script(step)
            self.flush()
            steps.append(self.outer(f"{name}_step_{number}"))
            self.lemmas += self.step(steps[-1], step, indices, script)
        at = " ".join(["", *(self.terms.index(i) for i in indices)])
        chain = "erefl"
        for one in reversed(steps):
            chain = f"{one}{at}" if chain == "erefl" else f"etrans ({one}{at}) ({chain})"
        self.lemmas += [
            f"Lemma {name}{self.terms.binders(indices)} :",
            f"  {self.terms.equation(argument.left, argument.right)}.",
            f"Proof. exact: ({chain}). Qed.",
            "",
        ]
        self.done[label] = name

    def of_own_texts(self, step: Step) -> Step:
        """Return a step with derivatives of own texts along what stands for it."""
        change = self.setting.of_own_texts
        return replace(step, before=change(step.before), after=change(step.after))

    def flush(self) -> None:
        """Write the lemmas that the scripts so far need."""
        before = self.tactics.before
        self.lemmas += before
        self.outside |= set(re.findall(r"^(?:Lemma|Definition) (\w+)", "\n".join(before), re.M))
        before.clear()

    def step(self, name: str, step: Step, indices: Sequence[Index], script: str) -> list[str]:
        """Return the lemma of one step."""
        return [
            f"(* {step.rule} *)",
            f"Lemma {name}{self.terms.binders(indices)} :",
            f"  {self.terms.equation(step.before, step.after)}.",
            f"Proof. by {script}. Qed.",
            "",
        ]


__all__ = ["Certificate", "algebra", "calculus", "to_coq"]  # these modules fill the table of tactics
