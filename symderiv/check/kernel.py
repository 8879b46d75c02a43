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

from symderiv.check import algebra, calculus, texts
from symderiv.check.facts import Facts
from symderiv.check.laws import LAWS, Case, Rings
from symderiv.check.terms import RefusedError, between, free, immediates, require
from symderiv.errors import ProofError
from symderiv.index.nodes import Argument, Context, Derivative, Immediate, Step

# After these `∂P/∂x` means what it meant before; all other rules on it enter the text of a definition.
OUTSIDE_TEXTS = frozenset({"chain rule", "lemma", "name", "cite", "definition"})
ON_SUMS = frozenset({"matrix power"})  # rules on `∂of/∂x` that need the sum around it
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
    Kernel(facts, Library(facts, {**others, **(cited or {})})).run(arguments)


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

    def run(self, arguments: Sequence[Argument]) -> None:
        """Check the arguments in order; each may use those before it."""
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
                    own_texts = self._step(step, own_texts)
                    new = free(step.after) - free(argument.left)
                    require(not new, "an index stands free that the left side has not")
                except RefusedError as reason:
                    raise ProofError(f"{at}: {reason}") from None
                except RecursionError:
                    raise ProofError(f"{at}: an expression too deep") from None
            self.proved[argument.label] = argument
            self.rings.clear()

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
        use = Case(self.facts, self.proved, step.instance, around, own_texts, self.rings)
        use.lemma, use.cited = self._by_lemma, self.library.cited
        checker(before, after, use)
        return own_texts

    def _by_lemma(self, part: Derivative) -> Any:
        """Return what was proved equal to a total derivative, if anything was."""
        for argument in self.proved.values():
            try:
                return texts.instance_of(argument, part)
            except RefusedError:
                continue
        return None


__all__ = ["algebra", "calculus", "check", "rules"]  # the two modules fill the table of laws
