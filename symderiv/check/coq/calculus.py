"""The tactics of the laws of differentiation and of definitions."""

from __future__ import annotations

from typing import Any

import sympy

from symderiv.check.coq.normal import Expander
from symderiv.check.coq.scripts import RING, SAME, by_way, into, then
from symderiv.check.coq.setting import unsupported
from symderiv.check.coq.tactics import Tactics, rule
from symderiv.check.coq.through import Through
from symderiv.index.nodes import Apply, Derivative, Entry, Plus, Power, Step, Sum, Times

# ---------------------------------------------------------------- definitions


@rule("unfold")
def unfold(self: Tactics, before: Any, after: Any, step: Step) -> str:
    """An entry is what its definition says."""
    if isinstance(before, Entry) and (text := self.text_of(before)) is not None:
        here = f"exact: {self.setting.text(before.tensor)}"
        return self.scripts.route(before, [(text, here), (after, self.equal(text, after, step))])
    raise unsupported(step.rule, "the entry has no text")


@rule("fold", "read off")
def fold(self: Tactics, before: Any, after: Any, step: Step) -> str:
    """What a definition says is an entry of its head."""
    if isinstance(after, Entry) and (text := self.text_of(after)) is not None:
        here = f"apply: esym; exact: {self.setting.text(after.tensor)}"
        text = Expander(self.scripts).fresh_bound(text)
        return self.scripts.route(before, [(text, self.equal(before, text, step)), (after, here)])
    raise unsupported(step.rule, "the result has no text")


@rule("definition", "definition of f", on=(Derivative, Entry))
def definition(self: Tactics, before: Any, after: Any, step: Step) -> str:
    """`∂N/∂x = ∂(text of N)/∂x`."""
    return self.moved(before.of.tensor, before.entry.tensor)


@rule("cite", "lemma")
def cite(self: Tactics, before: Any, after: Any, step: Step) -> str:
    """What was proved before, at the indices of this place."""
    return f"exact: {self.cited(step.instance.get('label', ''))}"


@rule("chain rule", on=(Derivative, Entry))
def chain_rule(self: Tactics, before: Any, after: Any, step: Step) -> str:
    """`∂f/∂x = Σ_P ∂f/∂P ∂P/∂x` where f is an unknown function of the P: by the hypothesis that says so."""
    f, x = before.of.tensor, before.entry.tensor
    known = self.setting.root(before.of)
    setting = self.setting
    if known is None or setting.opened:
        return through_texts(self, before, step)
    depend = {a.name for a in known.arguments if setting.depends(a, x)}
    if depend != set(step.instance.get("through", ())):
        raise unsupported(step.rule, f"{f.name} depends on {x.name} in another way besides")
    for name in depend:
        if any(
            t != x and t.name in setting.context.chain and setting.depends(t, x)
            for t in setting.below(setting.head(name))
        ):
            raise unsupported(step.rule, f"{name} is made of other definitions in which {x.name} stands")
    text = then(f"apply: (congr1 ({self.terms.slope(before.entry)}))", f"exact: {self.setting.text(f)}")
    return by_way(text, f"exact: {self.setting.unknown(known, x)}")


def through_texts(self: Tactics, before: Any, step: Step) -> str:
    """The chain rule where f and what lies between have texts: two derivations agree on f."""
    setting, (f, x) = self.setting, (before.of.tensor, before.entry.tensor)
    names = tuple(step.instance.get("through", ()))
    if not names or f.name in names or not all(n in setting.context.chain for n in names):
        raise unsupported(step.rule, f"the text of {f.name} names {x.name} besides")
    for name in names:
        inside = [t for t in setting.below(setting.head(name)) if t.name in setting.context.chain]
        if any(t != x and setting.depends(t, x) for t in inside):
            raise unsupported(step.rule, f"{name} is made of other definitions in which {x.name} stands")
    through = Through(self, before.entry, names, setting.names.new(f"through_{'_'.join(names)}"))
    lemma = through.entry(before.of)
    self.before = through.lemmas
    return f"exact: {lemma}"


@rule("name")
def name(self: Tactics, before: Any, after: Any, step: Step) -> str:
    """`∂f/∂P[i] = B[i]`, B being a name for the derivative of an unknown function."""
    if not (isinstance(before, Derivative) and isinstance(before.of, Entry) and isinstance(after, Entry)):
        raise unsupported(step.rule, "it names a derivative of a derivative")
    return f"apply: esym; exact: {self.setting.name(after.tensor, before)}"


@rule("unknown function", on=(Derivative, Entry))
def unknown_function(self: Tactics, before: Any, after: Any, step: Step) -> str:
    """The derivative of an unknown function of arrays."""
    known = self.setting.definition(before.of.tensor)
    if known is None or known.kind != "unknown":
        raise unsupported(step.rule, "what is differentiated is no unknown function")
    return f"exact: {self.setting.unknown(known, before.entry.tensor)}"


# ---------------------------------------------------------------- differentiation


@rule("constant", on=(Derivative,))
def constant(self: Tactics, before: Any, after: Any, step: Step) -> str:
    """`∂c/∂x = 0`."""
    return self.still(before.of, before.entry.tensor, step.rule)


@rule("entry", on=(Derivative, Entry))
def entry(self: Tactics, before: Any, after: Any, step: Step) -> str:
    """`∂x[a, b]/∂x[k, l] = δ[a, k] δ[b, l]`."""
    return f"exact: {self.setting.entry(before.entry.tensor)}"


@rule("sum", on=(Derivative, Sum))
def derivative_of_sum(self: Tactics, before: Any, after: Any, step: Step) -> str:
    """`∂(Σ f)/∂x = Σ ∂f/∂x`, once for each index."""
    whole = SAME
    for i in reversed(before.of.bound):
        whole = into("apply: along_sum", self.along(before.entry.tensor), then(f"move=> {self.terms.index(i)}", whole))
    return whole


@rule("linearity", on=(Derivative, Plus))
def linearity(self: Tactics, before: Any, after: Any, step: Step) -> str:
    """`∂(f + g)/∂x = ∂f/∂x + ∂g/∂x`."""
    whole = SAME
    for _ in before.of.args[1:]:
        whole = into("apply: linear", self.along(before.entry.tensor), whole, SAME)
    return whole


@rule("product", on=(Derivative, Times))
def product(self: Tactics, before: Any, after: Any, step: Step) -> str:
    """Leibniz' rule; the derivative of each constant factor is 0."""
    x = before.entry.tensor
    slopes = [SAME if self.setting.depends(f, x) else self.still(f, x, step.rule) for f in before.of.args]
    whole = slopes[0]
    for slope in slopes[1:]:
        whole = into("apply: leibniz", self.along(x), whole, slope)
    return by_way(whole, RING)


@rule("power", on=(Derivative, Power))
def power(self: Tactics, before: Any, after: Any, step: Step) -> str:
    """`∂(fᵖ)/∂x = p fᵖ⁻¹ ∂f/∂x` for whole p ≥ 1."""
    exponent = before.of.exponent
    if not (isinstance(exponent, sympy.Integer) and exponent >= 1):
        raise unsupported(step.rule, f"the exponent is {exponent}")
    use = into(f"apply: (@along_power _ _ {exponent - 1})", self.along(before.entry.tensor))
    return by_way(use, RING)


@rule("chain", on=(Derivative, Apply))
def chain(self: Tactics, before: Any, after: Any, step: Step) -> str:
    """`∂h(u)/∂x = h′(u) ∂u/∂x`, by the hypothesis about h."""
    return by_way(f"exact: {self.setting.slope(before.of, before.entry.tensor)}", RING)
