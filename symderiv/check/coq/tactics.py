"""The tactic of each rule: what closes `before = after` at the place of a step.

A rule that has no function here, or a use of it that its function does not know, is refused by name.  Nothing is
decided here: whether the step is right is decided by Coq.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sympy

from symderiv.check.coq.combination import lettered
from symderiv.check.coq.matrices import Matrices
from symderiv.check.coq.normal import Expander, collected, value_parts
from symderiv.check.coq.scripts import SAME, Way, by_way, into, reversed_ways, then
from symderiv.check.coq.setting import Setting, unsupported
from symderiv.check.coq.text import countable, peeled, written
from symderiv.check.coq.units import TWO
from symderiv.check.terms import between, derivatives, fresh, require, summed, tensors, with_indices
from symderiv.index.nodes import (
    Apply,
    Definition,
    Delta,
    Entry,
    IndexExpr,
    Plus,
    Power,
    Step,
    Structured,
    Sum,
    Tensor,
    Times,
    put,
)

Tactic = Callable[["Tactics", Any, Any, Step], str]
Kinds = tuple[Any, ...]
LONGEST = 30_000  # letters of one script; Coq takes too long for more
TABLE: dict[str, tuple[Tactic, Kinds]] = {}


def rule(*names: str, on: Kinds = ()) -> Callable[[Tactic], Tactic]:
    """Enter a tactic under the names of the rules that it is for; `on` tells what it is about, and of what that is."""

    def enter(function: Tactic) -> Tactic:
        TABLE.update(dict.fromkeys(names, (function, on)))
        return function

    return enter


def is_about(expr: Any, kinds: Kinds) -> bool:
    """Tell whether an expression is of a kind, and what it is a derivative of of the next."""
    return not kinds or (isinstance(expr, kinds[0]) and is_about(expr.args[0], kinds[1:]))


def rules() -> tuple[str, ...]:
    """Return the names of the rules that certificates cover, in full or in part.

    >>> import symderiv.check.coq.certificate  # the rules are in modules of their own
    >>> "contract" in rules(), "choice" in rules()
    (True, False)
    """
    return tuple(sorted(TABLE))


class Tactics:
    """Tactics in one setting; `cited` turns the label of an argument into the name of its lemma."""

    def __init__(self, setting: Setting, cited: Callable[[str], str]) -> None:
        self.setting = setting
        self.terms = setting.terms
        self.units = Matrices(setting)
        self.scripts = self.units.scripts
        self.cited = cited
        self.before = self.units.lemmas

    def script(self, step: Step) -> str:
        """Return the script that closes the lemma of a step."""
        tactic, on = TABLE.get(step.rule, (None, ()))
        if tactic is None:
            raise unsupported(step.rule, "it has no tactic yet")
        for d in derivatives(step.before) | derivatives(step.after):
            if isinstance(d, Structured):
                raise unsupported(step.rule, "derivatives over free entries have no form there yet")
        before, after, around = between(step.before, step.after, step.place)
        if lettered(step.before) == lettered(step.after):
            return SAME
        require(is_about(before, on), f"the rule {step.rule!r} is not about what stands at the place")
        script = then(self.scripts.congruence(around, step.place), tactic(self, before, after, step))
        if len(script) > LONGEST:
            raise unsupported(step.rule, "there is too much to multiply out")
        return script

    # -- derivations

    def along(self, variable: Tensor) -> str:
        """Return what closes `derivation (d_x k l)`."""
        return f"exact: {self.setting.derivation(variable)}"

    def still(self, expr: Any, x: Tensor, name: str) -> str:
        """Return the script of `∂c/∂x = 0`, by the structure of c."""
        along = self.along(x)
        match expr:
            case sympy.Integer() if expr in (0, 1):
                return into("apply: still_zero" if expr == 0 else "apply: still_one", along)
            case sympy.Integer() if expr < 0:
                return into("apply: still_opposite", along, self.still(-expr, x, name))
            case Entry():
                return self.still_entry(expr, x, name)
            case Sum():
                inner = self.still(summed(expr.body, expr.bound[1:]), x, name)
                return into("apply: still_sum", along, then(f"move=> {self.terms.index(expr.bound[0])}", inner))
            case Times() | Plus():
                whole = self.still(expr.args[0], x, name)
                lemma = "still_times" if isinstance(expr, Times) else "still_plus"
                for part in expr.args[1:]:
                    whole = into(f"apply: {lemma}", along, whole, self.still(part, x, name))
                return whole
            case Power():
                kind, inner, _ = peeled(expr)
                return into(f"apply: still_{kind}", along, *self.given(kind, inner), self.still(inner, x, name))
            case Apply():
                slope = f"exact: {self.setting.slope(expr, x)}"
                return by_way(slope, then("apply: zero_right", self.still(expr.arg, x, name)))
            case Delta():
                return into("apply: still_number", along)
        if isinstance(expr, IndexExpr):
            raise unsupported(name, f"{type(expr).__name__} is held constant")
        if isinstance(expr, sympy.Expr) and not isinstance(expr, sympy.Integer) and not countable(expr):
            return self.still(written(expr), x, name)
        return into("apply: still_number", along)

    def given(self, kind: str, inner: Any) -> list[str]:
        """Return the scripts of what the lemma about a power, an inverse or a root needs to know."""
        if kind == "inverse":
            return [self.units.unit(inner)]
        return [self.units.unit(TWO), self.units.root(inner), self.units.unit(inner)] if kind == "root" else []

    def still_entry(self, expr: Entry, x: Tensor, name: str) -> str:
        """Return the script of `∂c[i]/∂x = 0`: c is a variable, or what is defined without x."""
        head = expr.tensor
        if self.setting.depends(expr, x):
            raise unsupported(name, f"{x.name} stands in {head.name}, which is held constant")
        known = self.setting.definition(head)
        held = x in self.setting.owned.values() and head.name in self.setting.context.chain
        if known is None or held:
            return f"exact: {self.setting.constant(head, x)}"
        if known.body is None:
            return self.still_kind(known, x, name)
        text = self.moved(head, x)
        at = dict(zip(known.indices, expr.indices, strict=True))
        return by_way(text, self.still(with_indices(known.body, at), x, name))

    def still_kind(self, known: Definition, x: Tensor, name: str) -> str:
        """Return the script of `∂c[i]/∂x = 0` for a matrix function, or for a value of an unknown one."""
        if known.kind == "unknown":
            return f"exact: {self.setting.constant(known.tensor, x)}"
        if known.kind not in ("inv", "det", "logdet"):
            raise unsupported(name, f"{known.tensor.name} is held constant, which has no text")
        argument, along = known.arguments[0], self.along(x)
        if len(argument.sizes) != 2:
            raise unsupported(name, f"{argument.name} has four axes")
        i, j = (fresh(size) for size in argument.sizes)
        entry = Entry(argument, i, j)
        entries = then(f"move=> {self.terms.index(i)} {self.terms.index(j)}", self.still(entry, x, name))
        if known.kind == "inv":
            lemma = f"apply: (@still_matrix_inverse F _ _ {self.terms.head(argument)} {self.terms.head(known.tensor)})"
            return into(lemma, along, f"exact: {self.units.inverses(known)}", entries)
        still = into(f"apply: (@still_determinant F _ _ {self.terms.head(argument)})", along, entries)
        if known.kind == "det":
            return by_way(then(f"apply: (congr1 {self._any(x)})", f"exact: {self.units.is_determinant(known)}"), still)
        return by_way(f"exact: {self.units.log_determinant(known, x)}", then("apply: zero_right", still))

    def moved(self, head: Tensor, x: Tensor) -> str:
        """Return the script of `∂N/∂x = ∂(text of N)/∂x`."""
        if head in self.setting.opened:
            return f"exact: {self.setting.moves(head, x)}"
        return then(f"apply: (congr1 {self._any(x)})", f"exact: {self.setting.text(head)}")

    def _any(self, x: Tensor) -> str:
        """Return `d_x` at indices that the goal tells."""
        return "(" + " ".join([self.terms.derivation(x), *("_" for _ in x.sizes)]) + ")"

    # -- equations of sums and products

    def text_of(self, entry: Entry) -> Any:
        """Return the text of a definition at the indices of an entry."""
        known = self.setting.definition(entry.tensor)
        if known is None or known.body is None:
            return None
        return with_indices(known.body, dict(zip(known.indices, entry.indices, strict=True)))

    def equal(self, before: Any, after: Any, step: Step) -> str:
        """Return the script for two sides with one normal form; the step says for which rule."""
        return self.equal_to(before, after, step.rule)

    def equal_to(self, before: Any, after: Any, rule: str) -> str:
        """Return the script for two sides with one normal form, the texts of heads put in that only one side has."""
        if self.scripts.fits(before, after):
            return self.scripts.reorder(before, after)
        heads = self.defined(before, after)
        left, there = self.expanded(before, heads, rule)
        right, here = self.expanded(after, heads, rule)
        middle = collected(self.scripts, left, right)
        if middle is None:
            raise unsupported(rule, "the two sides have no common form that is found by multiplying out")
        return self.scripts.route(before, [*there, *middle, *reversed_ways(after, here)])

    def expanded(self, expr: Any, heads: frozenset[Tensor], rule: str) -> tuple[Any, list[Way]]:
        """Return the multiplied out form, and the ways to it: each expression with the script that leads there."""
        ways: list[Way] = []
        expander = Expander(self.scripts)
        while (found := self.unfolded(expr, heads)) is not None:
            ways.append(found)
            expr, _ = found
        moves = expander.moves(expr)
        if moves is None:
            raise unsupported(rule, "there is too much to multiply out")
        ways += moves
        return (ways[-1][0] if ways else expr), ways

    def unfolded(self, expr: Any, heads: frozenset[Tensor]) -> Way | None:
        """Return the expression with one entry of some heads replaced by its text."""
        for place, part in value_parts(expr):
            if isinstance(part, Entry) and part.tensor in heads:
                text = Expander(self.scripts).fresh_bound(self.text_of(part))
                after = put(expr, place, text)
                _, _, around = between(expr, after, place)
                here = f"exact: {self.setting.text(part.tensor)}"
                return after, then(self.scripts.congruence(around, place), here)
        return None

    def defined(self, left: Any, right: Any) -> frozenset[Tensor]:
        """Return the heads to be put in: those that stand on one side only, until both sides have the same ones."""
        sides, found = [set(tensors(left)), set(tensors(right))], set[Tensor]()
        while new := {t for t in sides[0] ^ sides[1] if t not in found and self.text(t) is not None}:
            found |= new
            for side in sides:
                for t in side & found:
                    side.remove(t)
                    side |= tensors(self.text(t))
        return frozenset(found)

    def text(self, tensor: Tensor) -> Any:
        """Return the text of a head, if it has one."""
        known = self.setting.definition(tensor)
        return known.body if known is not None and tensor not in self.setting.opened else None
