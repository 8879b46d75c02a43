"""The table of laws: the name of a rule → what checks one use of it.

A checker takes the part of an expression before and after, and the :class:`Case`; it refuses by raising.
Adding a rule is one function under :func:`law`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import product
from typing import Any

from symderiv.check.facts import Facts
from symderiv.check.ring import Ring
from symderiv.check.terms import RefusedError, alike, require
from symderiv.index.nodes import Argument, Derivative, Immediate, Tensor

Rings = dict[tuple[frozenset[str] | None, bool, bool, bool, bool, bool], Ring]

# How normal forms are compared: by steps or not, inverses turned, by exponentials, sums as factors, texts put in.
WAYS = (
    *product((False,), (False, True), (False, True), (True, False), (False, True)),
    *product((True,), (False,), (False,), (False,), (False, True)),
)


@dataclass
class Case:
    """Where a rule is used: the facts, what was proved before, the instance, and what lies around the place.

    `own_texts` tells what `∂P[i]/∂x` means for a definition P of the chain: right after the chain rule the
    derivative of P's own text; once a rule has entered a text, 0, as P is held constant there.
    """

    facts: Facts
    proved: Mapping[str, Argument] = field(default_factory=dict)
    instance: Mapping[str, Any] = field(default_factory=dict)
    around: tuple[Any, ...] = ()
    own_texts: bool = False
    rings: Rings = field(default_factory=dict)
    lemma: Callable[[Any], Any] = lambda _: None
    cited: Callable[[str], Argument | None] = lambda _: None
    nearby: Callable[[str, Tensor], Argument | None] = lambda *_: None

    def inside_derivative(self) -> bool:
        """Tell whether the place is in what a derivative is taken of."""
        return any(isinstance(e, Derivative) for e in self.around)

    def withheld(self) -> frozenset[str] | None:
        """Return the heads in which x stands, at a place inside `∂…/∂x`; outside of any, nothing."""
        heads = [e.entry.tensor for e in self.around if isinstance(e, Derivative)]
        if not heads:
            return None
        names = {*self.facts.definitions, *self.facts.chain, *(h.name for h in heads)}
        moved = {h.name for h in heads}
        return frozenset(n for n in names if moved & self.facts.reached(n))

    def equal(self, left: Any, right: Any) -> bool:
        """Tell whether two expressions have one ring normal form.

        First sums are left standing as factors where they can be; then all is multiplied out; each with the
        definitions of the chain named, then put in.  Last, functions are written out by exponentials, of an
        inverse the other one of two terms of a sum is led by, and kinks are written by steps.
        """
        withheld = self.withheld()
        named = any(n in self.facts.chain for e in (left, right) for n in self.facts.standing(e))
        refused: RefusedError | None = None
        for stepped, turned, by_exp, factored, unfold in WAYS:
            if unfold and (withheld is not None or not named):
                continue
            if turned and not any(_holds_inverse(ring) for ring in self.rings.values()):
                continue
            if stepped and not any(_holds_kink(ring) for ring in self.rings.values()):
                continue
            try:
                if self._ring(withheld, unfold, factored, by_exp, turned, stepped).equal(left, right):
                    return True
            except RefusedError as reason:
                refused = refused or reason
        if refused is not None:
            raise refused
        return False

    def _ring(
        self, withheld: frozenset[str] | None, unfold: bool, factored: bool, by_exp: bool, turned: bool, stepped: bool
    ) -> Ring:
        key = withheld, unfold, factored, by_exp, turned, stepped
        ring = self.rings.get(key)
        if ring is None:
            ring = self.rings[key] = Ring(self.facts, self.lemma, withheld, unfold, factored, by_exp)
            ring.turned, ring.stepped = turned, stepped
        return ring

    def named(self, key: str) -> Any:
        """Return what the instance names; a step that must name it is refused without."""
        require(key in self.instance, f"the step does not name its {key}")
        return self.instance[key]


def _holds_kink(ring: Ring) -> bool:
    """Tell whether a size, a sign or an indicator stands in what a ring has read."""
    return any(atom.kind in ("abs", "sign", "indicator") for atom in ring.atoms)


def _holds_inverse(ring: Ring) -> bool:
    """Tell whether the inverse of a sum stands in what a ring has read."""
    return any(atom.kind == "inv" and len(atom.inside[0]) > 1 for atom in ring.atoms)


Law = Callable[[Any, Any, Case], None]
LAWS: dict[str, Law] = {}


def law(name: str) -> Callable[[Law], Law]:
    """Register the checker of a rule."""

    def register(checker: Law) -> Law:
        LAWS[name] = checker
        return checker

    return register


def expect(after: Any, expected: Any) -> None:
    """Refuse unless the result is the expected one, up to brackets and names of bound indices."""
    require(alike(after, expected), "the result is not what the rule gives")


def expect_one(after: Any, expected: list[Any]) -> None:
    """Refuse unless the result is one of those that the rule can give."""
    require(expected, "the rule does not apply here")
    require(any(alike(after, e) for e in expected), "the result is not what the rule gives")


def derivative_of(before: Any, kind: type | tuple[type, ...]) -> Derivative:
    """Return the part as `∂of/∂x`, of being of a kind; a total derivative where every text is looked through."""
    require(isinstance(before, Immediate) or type(before) is Derivative, "the rule is about ∂…/∂x")
    part: Derivative = before
    require(isinstance(part.of, kind), "what is differentiated has another form")
    return part


__all__ = ["LAWS", "Case", "Law", "Rings", "derivative_of", "expect", "expect_one", "law"]
