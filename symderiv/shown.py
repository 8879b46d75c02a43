"""How a result shows itself: as aligned proof in a notebook, as text in a session, as sentences on request."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol

from symderiv.errors import SymderivError
from symderiv.index.nodes import Apply, Step, at
from symderiv.render.phrases import phrase
from symderiv.render.whole import display
from symderiv.results import Proof, shown
from symderiv.tensor.expr import Expr, walk
from symderiv.tensor.text import FunctionName, to_text

LARGEST_DISPLAYED = 2000  # nodes of a function; the proof about a larger one is asked for, not displayed by itself
NODES_NAMED = 4  # definitions that a sentence lists
LONGEST_NAMED = 60  # characters of one that is written out
LONGEST_RESULT = 100
NAMED_RULES = (
    "product", "power", "general power", "choice", "extreme", "inverse", "determinant", "log determinant",
    "matrix power", "softmax", "log sum exp", "product of entries", "unknown function", "free entries", "contract",
)  # fmt: skip


class Explained(Protocol):
    """What a sentence about a result needs."""

    @property
    def proof(self) -> Proof: ...
    @property
    def function(self) -> Expr: ...
    @property
    def functions(self) -> Mapping[FunctionName, str]: ...
    def noted(self, language: str) -> tuple[str, ...]: ...
    def done(self, language: str) -> list[str]: ...
    def equations(self) -> list[str]: ...
    def described(self) -> str: ...


class Shown:
    """A result with a proof: what notebooks and sessions display of it, and what it says in words."""

    def _repr_latex_(self: Explained) -> str:
        """Return the proof, aligned, and the equations it ends with; the equations alone where it is very long."""
        if sum(1 for _ in walk(self.function)) > LARGEST_DISPLAYED:
            return display([], self.equations())
        try:
            return display(self.proof.views(), self.equations())
        except SymderivError:
            return display([], self.equations())

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text(str(self))

    def __repr__(self: Explained) -> str:
        return self.described()

    def explain(self: Explained, language: str = "en") -> str:
        """Return what was done in a sentence or two, then the convention and what was assumed.

        The language is that of a phrase table: en, de, ja.

        >>> from symderiv.derivation import derive
        >>> d = derive("norm(X @ w - y)**2", "w", shapes={"X": ("n", "p"), "w": ("p",), "y": ("n",)})
        >>> print(d.explain())
        norm(X @ w - y)**2 was differentiated with respect to w, entry by entry, by the chain rule
        through u = X @ w - y, and the result read off as 2 * X.T @ u.
        The proof rests on the product rule, the power rule and contracting every δ with its sum.
        Each of its 19 steps was checked.
        Convention: a derivative has the shape of the function followed by the shape of each variable.
        """
        rested = " ".join(_rested(self.proof, language))
        return "\n".join([" ".join(self.done(language)), rested, *self.noted(language)])


def _rested(proof: Proof, language: str) -> Iterator[str]:
    """Yield the rules that a reader may want to look up, and whether every step was checked."""
    rules = list(dict.fromkeys(_rules(proof.steps, language)))
    if rules:
        yield phrase(language, "explain_rules", rules=listed(rules, language))
    key = "explain_checked" if proof.accepted else "explain_unchecked"
    yield phrase(language, key, count=str(len(proof.steps)))


def _rules(steps: Sequence[Step], language: str) -> Iterator[str]:
    names = {step.rule for step in steps}
    for step in steps:
        if step.rule == "chain":  # f(u), of which the slope is in the table
            value = getattr(at(step.before, step.place), "of", None)
            if isinstance(value, Apply):
                yield phrase(language, "rule_function", function=value.name)
    yield from (phrase(language, f"rule_{name.replace(' ', '_')}") for name in NAMED_RULES if name in names)


def listed(items: Sequence[str], language: str) -> str:
    """Return items as a list in words: `a, b and c`."""
    if len(items) < 2:
        return "".join(items)
    return phrase(language, "list_comma").join(items[:-1]) + phrase(language, "list_and") + items[-1]


def nodes_named(definitions: Mapping[str, Expr], functions: Mapping[FunctionName, str], language: str) -> str:
    """Return the definitions that the chain rule goes through: `u = X @ w - y and v = tanh(u)`; long ones by name."""
    said = []
    for name, body in definitions.items():
        text = to_text(body, functions)
        said.append(f"{name} = {text}" if len(text) <= LONGEST_NAMED else name)
    if len(said) > NODES_NAMED:
        said = [*said[: NODES_NAMED - 1], "…"]
    return listed(said, language)


def about(result: Explained, variables: Sequence[str], language: str) -> dict[str, str]:
    """Return the values that phrases about a result take."""
    names = listed(list(dict.fromkeys(variables)), language)
    return {"function": shown(result.function, result.functions), "variables": names}


def clipped(expr: Expr, functions: Mapping[FunctionName, str]) -> str:
    """Return a result as text, or its beginning."""
    text = to_text(expr, functions)
    return text if len(text) <= LONGEST_RESULT else f"{text[:LONGEST_RESULT].rstrip()} …"


__all__ = ["Explained", "Shown", "about", "clipped", "listed", "nodes_named"]
