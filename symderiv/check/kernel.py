"""The checker of proofs: it trusts the node types, the table of functions and the definitions, nothing else.

A proof is a list of arguments, each a chain `left = … = right`.  Of each step the kernel checks

* that it takes up where the one before ended, and that the expressions differ at its place only;
* that the part at the place becomes what the named rule says, and nothing more
  (:mod:`symderiv.check.calculus`, :mod:`symderiv.check.algebra`, :mod:`symderiv.check.texts`);
* good form: sizes agree, no bound index is captured, no index stands free that the left side has not.

What an argument has proved may be used by later ones ("lemma"); what another proof has proved may be cited,
once its own steps are found to hold under the definitions of this one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from symderiv.check import algebra, calculus, equations, texts
from symderiv.check.facts import Facts
from symderiv.check.laws import LAWS, Case, Rings
from symderiv.check.terms import RefusedError, between, free, immediates, require
from symderiv.errors import ProofError
from symderiv.index.nodes import Argument, Context, Derivative, Immediate, Step, Tensor

# After these `∂P/∂x` means what it meant before; all other rules on it enter the text of a definition.
OUTSIDE_TEXTS = frozenset({"chain rule", "lemma", "name", "cite", "definition"})
ON_SUMS = frozenset({"matrix power"})  # rules on `∂of/∂x` that need the sum around it
OF_EXPRESSIONS = frozenset(n for n, law in LAWS.items() if law.__module__ == calculus.__name__) | {"definition"}
Cited = Mapping[str, Sequence[Argument]]


def check(arguments: Sequence[Argument], context: Context, cited: Cited | None = None) -> None:
    """Check a proof; raise :class:`ProofError` naming the first step that is not justified.

    `cited` gives, by label, the arguments of other proofs whose last one a step cites; without it the lemmas
    of the context are taken.  Neither is trusted: what is cited is checked here as well.

    >>> check([], Context())
    """
    try:
        facts = Facts(context)
    except RefusedError as reason:
        raise ProofError(f"the definitions are not sound: {reason}") from None
    others = {label: (argument,) for label, argument in context.lemmas.items()}
    Kernel(facts, Library(facts, {**others, **(cited or {})})).run(arguments, whole=True)


def rules() -> tuple[str, ...]:
    """Return the names of the rules that the kernel knows."""
    return tuple(sorted(LAWS))


class Library:
    """Proofs that may be cited, each checked when it is cited for the first time."""

    def __init__(self, facts: Facts, proofs: Cited) -> None:
        self.facts = facts
        self.proofs = proofs
        self.open: set[str] = set()
        self.proved: dict[str, Argument] = {}

    def cited(self, label: str) -> Argument | None:
        """Return what a proof has proved, its steps checked; nothing where there is none."""
        if label not in self.proved and self.proofs.get(label):
            require(label not in self.open, f"{label} is cited in its own proof")
            self.open.add(label)
            try:
                Kernel(self.facts, self).run(self.proofs[label])
            except ProofError as reason:
                raise RefusedError(f"{label} does not hold here: {reason.message}") from None
            finally:
                self.open.discard(label)
            self.proved[label] = self.proofs[label][-1]
        return self.proved.get(label)


class Kernel:
    """One proof under check: the facts, and what was proved so far."""

    def __init__(self, facts: Facts, library: Library) -> None:
        self.facts = facts
        self.library = library
        self.proved: dict[str, Argument] = {}
        self.rings: Rings = {}
        self.opened: dict[str, Rings] = {}
        self.again: dict[tuple[str, str], Argument | None] = {}

    def run(self, arguments: Sequence[Argument], whole: bool = False) -> None:
        """Check the arguments in order; each may use those before it.

        Only the last one of the whole proof, which nothing else uses, may leave out what is neglected, in its last
        step, and use what is assumed at fixed indices.
        """
        for argument in arguments:
            at = f"argument {argument.label!r}"
            try:
                self._ends(argument)
            except RefusedError as reason:
                raise ProofError(f"{at}: {reason}") from None
            own_texts = False
            for number, step in enumerate(argument.steps, start=1):
                at = f"argument {argument.label!r}, step {number} ({step.rule})"
                try:
                    self._at_its_place(step, whole and argument is arguments[-1], number == len(argument.steps))
                    own_texts = self._step(step, own_texts)
                    new = free(step.after) - free(argument.left)
                    require(not new, "an index stands free that the left side has not")
                except RefusedError as reason:
                    raise ProofError(f"{at}: {reason}") from None
                except RecursionError:
                    raise ProofError(f"{at}: an expression too deep") from None
            self.proved[argument.label] = argument
            self.rings.clear()
            self.opened.clear()

    def _at_its_place(self, step: Step, last: bool, ends: bool) -> None:
        """Refuse what holds at the end of a proof only, where other arguments may come to use it."""
        if step.rule == "neglect":
            require(last and ends and self.facts.neglected, "only the last step of an approximation neglects anything")
        if step.rule == "hypothesis" and self.facts.fixed:
            equation = self.facts.assumed.get(step.instance.get("label", ""))
            names = {i.name for i in free(equation.left) | free(equation.right)} if equation is not None else set()
            require(last or not names & self.facts.fixed, "what is assumed at fixed indices is no lemma")

    def _ends(self, argument: Argument) -> None:
        """Refuse an argument that is not in good form, or whose links do not meet."""
        require(argument.label not in self.proved, "there is an earlier argument of this name")
        self.facts.form.check(argument.left)
        now = argument.left
        for number, step in enumerate(argument.steps, start=1):
            link = f"step {number} ({step.rule}) does not start where the one before ended"
            require(step.before == now, link)
            now = step.after
        require(now == argument.right, "the last step does not end with the right side")

    def _step(self, step: Step, own_texts: bool) -> bool:
        """Check one step; tell what `∂P/∂x` means after it (:class:`Case`)."""
        self.facts.form.check(step.after)
        require(step.before != step.after, "nothing changes")
        before, after, around = between(step.before, step.after, step.place)
        checker = LAWS.get(step.rule)
        if checker is None:
            raise RefusedError("there is no such rule")
        if step.rule == "chain rule":
            require(not immediates(step.before), "another derivative is not carried out yet")
            own_texts = True
        elif step.rule not in OUTSIDE_TEXTS and own_texts and (isinstance(before, Immediate) or step.rule in ON_SUMS):
            for part in immediates(step.before):
                waits = self.facts.is_own_text(part)
                require(not waits, f"the text of {part.of} is not put in yet")
            own_texts = False
        facts, rings, own = self.facts, self.rings, own_texts
        if type(before) is Derivative and step.rule in OF_EXPRESSIONS:  # all definitions move
            x = before.entry.tensor
            facts, rings, own = facts.opened(x), self.opened.setdefault(x.name, {}), False
        use = Case(facts, self.proved, step.instance, around, own, rings)
        use.lemma, use.cited, use.nearby = self._by_lemma, self.library.cited, self._nearby
        checker(before, after, use)
        return own_texts

    def _nearby(self, label: str, x: Tensor) -> Argument | None:
        """Return what was proved, where its proof holds at all points around x: checked once more without the rest."""
        facts = self.facts.nearby(x)
        if facts is self.facts:
            return self.proved.get(label) or self.library.cited(label)
        if (label, x.name) not in self.again:
            before = list(self.proved.values())
            library = Library(facts, self.library.proofs)
            library.open |= self.library.open
            try:
                if label in self.proved:
                    Kernel(facts, library).run(before[: list(self.proved).index(label) + 1])
                found = self.proved.get(label) or library.cited(label)
            except ProofError as reason:
                raise RefusedError(f"{label} is not shown for all {x.name}: {reason.message}") from None
            self.again[label, x.name] = found
        return self.again[label, x.name]

    def _by_lemma(self, part: Derivative) -> Any:
        """Return what was proved equal to a total derivative, if anything was."""
        for argument in self.proved.values():
            try:
                return texts.instance_of(argument, part)
            except RefusedError:
                continue
        return None


__all__ = ["algebra", "calculus", "check", "equations", "rules"]  # these modules fill the table of laws
