"""The chain rule through definitions with a text of their own, as a lemma: two derivations agree.

`∂/∂x` and `Σ_P Σ_i (∂/∂P[i]) · ∂P[i]/∂x` are derivations.  They agree on each P, on every definition above, and on what
is constant; so they agree on f, whose text is made of these.
"""

from __future__ import annotations

from typing import Any

import sympy

from symderiv.check.coq.scripts import SAME, by_way, into, then
from symderiv.check.coq.setting import unsupported
from symderiv.check.coq.tactics import Tactics
from symderiv.check.coq.text import countable, peeled, written
from symderiv.check.terms import fresh, product_of, sum_of, summed, with_indices
from symderiv.index.nodes import (
    Apply,
    Definition,
    Delta,
    Derivative,
    Entry,
    Index,
    IndexExpr,
    Plus,
    Power,
    Sum,
    Tensor,
    Times,
)

RULE = "chain rule"


class Through:
    """The two derivations at one use of the chain rule, and the lemmas that they agree."""

    def __init__(self, tactics: Tactics, x: Entry, names: tuple[str, ...], name: str) -> None:
        self.tactics = tactics
        self.setting, self.terms = tactics.setting, tactics.terms
        self.x = x
        self.through = [self.setting.head(n) for n in names]
        self.bound = [[fresh(size) for size in p.sizes] for p in self.through]
        self.known: dict[Tensor, str] = {}
        self.lemmas: list[str] = []
        self.name = name
        self.derivation = self.setting.names.new(f"{name}_derivation")
        self.at = self.terms.at(name, x.indices)
        self.first = self.terms.slope(x)
        self.define()

    # -- the combination

    def combination(self, value: Any) -> Any:
        """Return `Σ_P Σ_i ∂value/∂P[i] ∂P[i]/∂x`."""
        parts = []
        for p, bound in zip(self.through, self.bound, strict=True):
            at = Entry(p, *bound)
            parts.append(summed(Times(Derivative(value, at), Derivative(at, self.x)), bound))
        return parts[0] if len(parts) == 1 else Plus(*parts)

    def define(self) -> None:
        """Write down the combination, and that it is a derivation."""
        z = Entry(Tensor("'z"))
        text = self.terms.term(self.combination(z))
        letter = self.terms.heads.pop(z.tensor)
        binders = self.terms.binders(self.x.indices)
        scripts = self.of_combination()
        whole = scripts[0]
        for script in scripts[1:]:
            whole = into("apply: combined_plus", whole, script)
        self.lemmas += [
            f"Definition {self.name}{binders} ({letter} : F) : F := {text}.",
            f"Lemma {self.derivation}{binders} : derivation ({self.at}).",
            f"Proof. by rewrite /{self.name}; {whole}. Qed.",
            "",
        ]

    def of_combination(self) -> list[str]:
        """Return what closes that each term of the combination is a derivation."""
        scripts = []
        for p, bound in self.pairs():
            under = [f"apply: combined_sum => {self.terms.index(i)}" for i in bound]
            scripts.append(then(*under, "apply: combined_times", self.tactics.along(p)))
        return scripts

    def directions(self) -> list[Tensor]:
        """Return the variables that the combination moves along."""
        return self.through

    # -- where they agree

    def both(self) -> list[str]:
        """Return what closes that the one and the other are derivations."""
        return [self.tactics.along(self.x.tensor), f"exact: {self.derivation}"]

    def agree(self, expr: Any) -> str:
        """Return the script of `∂expr/∂x = the combination`, by the structure of an expression."""
        lemma = f"apply: (@agree_{{}} F ({self.first}) ({self.at}))"
        match expr:
            case Entry():
                return f"exact: {self.entry(expr)}"
            case sympy.Integer() if expr in (0, 1):
                return into(lemma.format("one" if expr else "zero"), *self.both())
            case sympy.Integer() if expr < 0:
                return into(lemma.format("opposite"), *self.both(), self.agree(-expr))
            case Sum():
                i, inner = expr.bound[0], summed(expr.body, expr.bound[1:])
                return into(lemma.format("sum"), *self.both(), then(f"move=> {self.terms.index(i)}", self.agree(inner)))
            case Times() | Plus():
                whole = self.agree(expr.args[0])
                for part in expr.args[1:]:
                    kind = "times" if isinstance(expr, Times) else "plus"
                    whole = into(lemma.format(kind), *self.both(), whole, self.agree(part))
                return whole
            case Power():
                kind, inner, _ = peeled(expr)
                return into(lemma.format(kind), *self.both(), *self.tactics.given(kind, inner), self.agree(inner))
            case Apply():
                return self.apply(expr, lemma)
            case Delta():
                return into(lemma.format("number"), *self.both())
        if isinstance(expr, IndexExpr):
            raise unsupported(RULE, f"{type(expr).__name__} stands in a definition on the way")
        if not isinstance(expr, sympy.Integer) and not countable(expr):
            return self.agree(written(expr))
        return into(lemma.format("number"), *self.both())

    def apply(self, expr: Apply, lemma: str) -> str:
        """Return the script for a function: both derivations multiply with its slope."""
        slopes = [f"exact: {self.setting.slope(expr, p)}" for p in (self.x.tensor, *self.directions())]
        factor = self.terms.term(self.setting.slope_of(expr, self.x))
        return self.scaled(lemma, factor, slopes, self.agree(expr.arg))

    def scaled(self, lemma: str, factor: str, slopes: list[str], inner: str) -> str:
        """Return the script for what each derivation makes a factor times that of something inside."""
        scripts = self.moved(slopes[1:])
        whole = scripts[0]
        for script in scripts[1:]:
            whole = into("apply: scaled_plus", whole, script)
        start = lemma.format("slope").removesuffix(")") + f" _ _ ({factor}))"
        return into(start, slopes[0], then(f"rewrite /{self.name}", whole), inner)

    def moved(self, slopes: list[str]) -> list[str]:
        """Return the scripts for the terms of the combination, each of which moves by a factor."""
        scripts = []
        for (_, bound), slope in zip(self.pairs(), slopes, strict=True):
            under = [f"apply: sum_scaled => {self.terms.index(i)}" for i in bound]
            scripts.append(then(*under, "apply: scaled_left", slope))
        return scripts

    def matrix(self, known: Definition) -> str:
        """Return the script for an inverse, a determinant or its logarithm."""
        units, (argument, *_) = self.tactics.units, known.arguments
        if known.kind not in ("inv", "det", "logdet") or len(argument.sizes) != 2:
            raise unsupported(RULE, f"{known.tensor.name} has no text")
        i, j = (fresh(size) for size in argument.sizes)
        entries = self.agree(Entry(argument, i, j))
        entries = then(f"move=> {self.terms.index(i)} {self.terms.index(j)}", entries)
        lemma = f"apply: (@agree_{{}} F ({self.first}) ({self.at}))"
        names = [self.terms.head(argument), self.terms.head(known.tensor)]
        if known.kind == "inv":
            start = lemma.format("matrix_inverse").removesuffix(")") + f" _ {' '.join(names)})"
            return into(start, *self.both(), f"exact: {units.inverses(known)}", entries)
        det = into(lemma.format("determinant").removesuffix(")") + f" _ {names[0]})", *self.both(), entries)
        if known.kind == "det":
            return self.same(f"exact: {units.is_determinant(known)}", det)
        slopes = [f"exact: {units.log_determinant(known, p)}" for p in (self.x.tensor, *self.directions())]
        return self.scaled(lemma, f"({units.determinant(argument)})^-1", slopes, det)

    def unknown(self, known: Definition, entry: Entry) -> str:
        """Return the script for a value of an unknown function: both derivations lead through its arguments."""
        setting, x = self.setting, self.x
        if not setting.depends(entry, x.tensor) or self.directions() != self.through:
            raise unsupported(RULE, f"{known.tensor.name} has no text")
        agree, values = [], []
        for part in setting.total(known, entry.indices, x, [*x.indices, *entry.indices]):
            over: list[Index] = list(part.bound) if isinstance(part, Sum) else []
            slope, inner = (part.body if isinstance(part, Sum) else part).args
            agree.append(then(*self.under(over), "apply: in_right", self.agree(inner.of)))
            values.append(summed(Times(slope, self.combination(inner.of)), over))
        scripts, parts = [], []
        for p, bound in self.pairs():
            slopes = setting.total(known, entry.indices, Entry(p, *bound), [*entry.indices, *bound, *x.indices])
            if not slopes:
                raise unsupported(RULE, f"{known.tensor.name} does not depend on {p.name}")
            law = f"exact: {setting.unknown(known, p)}"
            scripts.append(then(*self.under(bound), "apply: in_left", law))
            parts.append(summed(Times(sum_of(slopes), Derivative(Entry(p, *bound), x)), bound))
        middle, last = sum_of(parts), sum_of(values)
        back = f"transitivity ({self.terms.term(middle)} : F); [{_both(scripts)} | "
        back = then("apply: esym", f"rewrite /{self.name}", f"{back}{self.tactics.equal_to(middle, last, RULE)}]")
        return by_way(f"exact: {setting.unknown(known, x.tensor)}", by_way(_both(agree), back))

    def same(self, text: str, inner: str) -> str:
        """Return the script for a head that is its text."""
        there = then("apply: esym", f"apply: (congr1 ({self.at}))", text)
        return by_way(then(f"apply: (congr1 ({self.first}))", text), by_way(inner, there))

    def entry(self, entry: Entry) -> str:
        """Return the lemma that they agree on the entries of a head."""
        head = entry.tensor
        if head not in self.known:
            at = [fresh(size) for size in head.sizes]
            script = self.head(Entry(head, *at))
            found = self.setting.names.new(f"{self.name}_{self.terms.head(head)}")
            value = self.terms.term(Entry(head, *at))
            value = f"({value})" if at else value
            self.lemmas += [
                f"Lemma {found}{self.terms.binders([*self.x.indices, *at])} :",
                f"  {self.first} {value} = {self.at} {value}.",
                f"Proof. by {script}. Qed.",
                "",
            ]
            self.known[head] = found
        return self.known[head]

    def head(self, entry: Entry) -> str:
        """Return the script for one head, at indices of its own."""
        head, x = entry.tensor, self.x.tensor
        if head == x:
            raise unsupported(RULE, f"{x.name} stands in a definition beside those that the chain rule goes through")
        known = self.setting.definition(head)
        if head in self.through:
            return self.passed(entry)
        if known is None:
            zeros = [self.zero(f"exact: {self.setting.constant(head, p)}", bound) for p, bound in self.pairs()]
            other = by_way(f"rewrite /{self.name}; {self.sum_of_zeros(zeros)}", SAME)
            return by_way(f"exact: {self.setting.constant(head, x)}", then("apply: esym", other))
        if known.body is None:
            return self.unknown(known, entry) if known.kind == "unknown" else self.matrix(known)
        text = with_indices(known.body, dict(zip(known.indices, entry.indices, strict=True)))
        below = self.agree(text)
        if head not in self.setting.opened:
            return self.same(f"exact: {self.setting.text(head)}", below)
        moves = [
            then(*self.under(bound), f"apply: in_left; exact: {self.setting.moves(head, p)}")
            for p, bound in self.pairs()
        ]
        whole = moves[0]
        for script in moves[1:]:
            whole = into("apply: both_plus", whole, script)
        there = then("apply: esym", f"rewrite /{self.name}", whole)
        return by_way(f"exact: {self.setting.moves(head, x)}", by_way(below, there))

    def passed(self, entry: Entry) -> str:
        """Return the script for a P that the chain rule goes through: its own δ picks its own term."""
        parts, scripts = [], []
        for p, bound in self.pairs():
            own = p == entry.tensor
            slope = self.setting.entry(p) if own else None
            if own:
                deltas = [Delta(a, b) for a, b in zip(entry.indices, bound, strict=True)]
                parts.append(summed(Times(product_of(deltas), Derivative(Entry(p, *bound), self.x)), bound))
                scripts.append(then(*self.under(bound), "apply: in_left", f"exact: {slope}"))
            else:
                still = self.tactics.still(entry, p, RULE)
                scripts.append(self.zero(still, bound))
                parts.append(sympy.Integer(0))
        whole = scripts[0]
        for script in scripts[1:]:
            whole = into("apply: both_plus", whole, script)
        total = parts[0] if len(parts) == 1 else Plus(*parts)
        same = self.tactics.equal_to(total, Derivative(entry, self.x), RULE)
        text = self.terms.term(total)
        return then("apply: esym", f"rewrite /{self.name}", f"transitivity ({text} : F); [{whole} | {same}]")

    def pairs(self) -> list[tuple[Tensor, list[Index]]]:
        """Return each P with the indices that the combination binds."""
        return list(zip(self.through, self.bound, strict=True))

    def under(self, bound: list[Index]) -> list[str]:
        """Return what leads under the sums over some indices."""
        return [f"apply: each => {self.terms.index(i)}" for i in bound]

    def zero(self, slope: str, bound: list[Index]) -> str:
        """Return the script of `Σ_i ∂c/∂P[i] ∂P[i]/∂x = 0`, ∂c/∂P being 0."""
        return then(*(f"apply: sum_zero => {self.terms.index(i)}" for i in bound), "apply: zero_left", slope)

    def sum_of_zeros(self, zeros: list[str]) -> str:
        """Return the script of `0 + … + 0 = 0` for terms that are 0."""
        whole = zeros[0]
        for script in zeros[1:]:
            whole = into("apply: zero_plus", whole, script)
        return whole


def _both(scripts: list[str]) -> str:
    """Return the script that turns each term of a sum into another one."""
    whole = scripts[0]
    for script in scripts[1:]:
        whole = into("apply: both_plus", whole, script)
    return whole
