"""The chain rule where a definition names the variable besides: `∂/∂x` of own texts is a derivation of its own.

It is 0 on every definition, and δ on the entries of x.  So `∂/∂x` and `Σ_P Σ_i (∂/∂P[i]) · ∂(text of P[i])/∂x + ∂/∂x`,
the last one of own texts, agree on x, on each P, on every definition above, and on what is constant.
"""

from __future__ import annotations

from typing import Any

import sympy

from symderiv.check.coq.scripts import SAME, by_way, into, then
from symderiv.check.coq.setting import unsupported
from symderiv.check.coq.tactics import Tactics
from symderiv.check.coq.through import RULE, Through
from symderiv.check.terms import product_of, summed
from symderiv.index.nodes import Delta, Derivative, Entry, Plus, Tensor, Times

ZERO = sympy.Integer(0)


class Besides(Through):
    """The two derivations at one use of the chain rule in the variable x, whose own texts are moved by another one."""

    def __init__(self, tactics: Tactics, x: Entry, names: tuple[str, ...], name: str) -> None:
        self.own = tactics.setting.owned[x.tensor]
        super().__init__(tactics, x, names, name)

    def of_text(self, value: Any) -> Any:
        """Return the derivative of what is written, every definition in it held constant."""
        return Derivative(value, Entry(self.own, *self.x.indices))

    def of_own_text(self, entry: Entry) -> Any:
        """Return that of the text of a definition."""
        text = self.tactics.text_of(entry)
        if text is None:
            raise unsupported(RULE, f"{entry.tensor.name} has no text")
        return self.of_text(text)

    def parts(self, value: Any) -> list[Any]:
        """Return the terms of the combination; the last one is that of what is written."""
        through = [
            summed(Times(Derivative(value, Entry(p, *bound)), self.of_own_text(Entry(p, *bound))), bound)
            for p, bound in self.pairs()
        ]
        return [*through, self.of_text(value)]

    def combination(self, value: Any) -> Any:
        """Return the sum of the terms."""
        parts = self.parts(value)
        return parts[0] if len(parts) == 1 else Plus(*parts)

    def of_combination(self) -> list[str]:
        """Return what closes that each term of the combination is a derivation."""
        return [*super().of_combination(), self.tactics.along(self.own)]

    def moved(self, slopes: list[str]) -> list[str]:
        """Return the scripts for terms that move by a factor, the last one being no sum."""
        return [*super().moved(slopes[:-1]), slopes[-1]]

    def directions(self) -> list[Tensor]:
        """Return the variables that the combination moves along."""
        return [*self.through, self.own]

    def head(self, entry: Entry) -> str:
        """Return the script for one head, at indices of its own."""
        head, x, setting = entry.tensor, self.x.tensor, self.setting
        known = setting.definition(head)
        if head == x or (known is None and head not in self.through):
            law = setting.entry if head == x else lambda along: setting.constant(head, along)
            zeros = [self.zero(f"exact: {setting.constant(head, p)}", bound) for p, bound in self.pairs()]
            there = self.added(zeros, f"exact: {law(self.own)}")
            return by_way(f"exact: {law(x)}", then("apply: esym", f"rewrite /{self.name}", there))
        if known is None or (head not in self.through and (known.body is None or head not in setting.opened)):
            return super().head(entry)
        text = self.tactics.text_of(entry)
        if text is None:
            raise unsupported(RULE, f"{head.name} has no text")
        return by_way(f"exact: {setting.moves(head, x)}", by_way(self.agree(text), self.back(entry, text)))

    def added(self, zeros: list[str], last: str) -> str:
        """Return the script of `0 + … + 0 + f = g`."""
        whole = ""
        for script in zeros:
            whole = into("apply: zero_plus", whole, script) if whole else script
        return into("apply: add_zero", whole, last) if whole else last

    def back(self, entry: Entry, text: Any) -> str:
        """Return the script of `combination of the text = that of the head`, where the head moves on its own."""
        ahead, behind, middles = [], [], []
        for p, bound in self.pairs():
            if p == entry.tensor:
                ahead.append(self.zero(self.tactics.still(text, p, RULE), bound))
                deltas = [Delta(a, b) for a, b in zip(entry.indices, bound, strict=True)]
                picked = summed(Times(product_of(deltas), self.of_own_text(Entry(p, *bound))), bound)
                slope = then(*self.under(bound), "apply: in_left", f"exact: {self.setting.entry(p)}")
                same = self.tactics.equal_to(picked, self.of_text(text), RULE)
                behind.append(f"transitivity ({self.terms.term(picked)} : F); [{slope} | {same}]")
                middles.append((ZERO, self.of_text(text)))
            else:
                kept = summed(Times(Derivative(text, Entry(p, *bound)), self.of_own_text(Entry(p, *bound))), bound)
                ahead.append(SAME)
                move = f"apply: in_left; exact: {self.setting.moves(entry.tensor, p)}"
                behind.append(then(*self.under(bound), move))
                middles.append((kept, kept))
        last = self.of_text(text)
        own = f"exact: {self.setting.constant(entry.tensor, self.own)}"
        if entry.tensor in self.through:
            ahead.append(SAME)
            middles.append((last, ZERO))
        else:
            ahead.append(self.tactics.still(text, self.own, RULE))
            middles.append((ZERO, ZERO))
        behind.append(own)
        one, other = (self.terms.term(Plus(*parts)) for parts in zip(*middles, strict=True))
        first, second = self.each(ahead), then("apply: esym", self.each(behind))
        route = f"transitivity ({one} : F); [{first} | transitivity ({other} : F); [ring | {second}]]"
        return then(f"rewrite /{self.name}", route)

    def each(self, scripts: list[str]) -> str:
        """Return the script that turns each term of a sum into another one."""
        whole = scripts[0]
        for script in scripts[1:]:
            whole = into("apply: both_plus", whole, script)
        return whole

    def of_value(self, entry: Entry, after: Any) -> str:
        """Return the script of the chain rule for f itself: its own text moves, or does not name x."""
        text, setting = self.tactics.text_of(entry), self.setting
        if text is None or (entry.tensor in setting.opened and entry.tensor == self.x.tensor):
            raise unsupported(RULE, f"{entry.tensor.name} has no text")
        moves = [f"apply: in_left; apply: esym; {self.tactics.moved(entry.tensor, p)}" for p in self.through]
        scripts = [then(*self.under(b), m) for (_, b), m in zip(self.pairs(), moves, strict=True)]
        through, last = self.parts(entry)[:-1], self.of_text(text)
        if setting.depends(text, self.own):
            scripts.append(SAME)
        else:
            scripts.append(self.tactics.still(text, self.own, RULE))
            last = ZERO
        middle = Plus(*through, last)
        there = then(f"rewrite /{self.name}", self.each(scripts))
        route = f"transitivity ({self.terms.term(middle)} : F); [{there} | {self.tactics.scripts.leaf(middle, after)}]"
        return by_way(self.tactics.moved(entry.tensor, self.x.tensor), by_way(self.agree(text), route))
