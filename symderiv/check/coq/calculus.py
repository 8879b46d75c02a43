"""The tactics of the laws of differentiation and of definitions."""

from __future__ import annotations

from typing import Any

import sympy

from symderiv.check.coq.besides import Besides
from symderiv.check.coq.combination import RING
from symderiv.check.coq.normal import Expander
from symderiv.check.coq.scripts import SAME, by_way, into, then
from symderiv.check.coq.setting import unsupported
from symderiv.check.coq.tactics import Tactics, rule
from symderiv.check.coq.text import HALF, MINUS
from symderiv.check.coq.through import Through
from symderiv.check.terms import fresh, tensors
from symderiv.index.nodes import Apply, Definition, Delta, Derivative, Entry, Index, Plus, Power, Step, Sum, Times

ENTRIES = "move=> ? ?; exact: erefl"

# ---------------------------------------------------------------- definitions


@rule("unfold")
def unfold(self: Tactics, before: Any, after: Any, step: Step) -> str:
    """An entry is what its definition says."""
    if isinstance(before, Entry) and (text := self.text_of(before)) is not None:
        here = f"exact: {self.setting.text(before.tensor)}"
        return self.scripts.route(before, [(text, here), (after, self.equal(text, after, step))])
    raise unsupported(step.rule, "the entry has no text")


@rule("fold", "read off", "assumption")
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
    if before.entry.tensor in self.setting.owned:  # own texts alone are moved afterwards
        besides = Besides(self, before.entry, (), self.setting.names.new("own_text"))
        script = besides.of_value(before.of, after)
        self.before += besides.lemmas
        return script
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
    if known is None or x in setting.owned or f in setting.opened or any(a in setting.opened for a in known.arguments):
        return through_texts(self, before, after, step)
    depend = {a.name for a in known.arguments if setting.depends(a, x)}
    if depend != set(step.instance.get("through", ())):
        return through_texts(self, before, after, step)
    for name in depend:
        if any(
            t != x and t.name in setting.context.chain and setting.depends(t, x)
            for t in setting.below(setting.head(name))
        ):
            raise unsupported(step.rule, f"{name} is made of other definitions in which {x.name} stands")
    text = then(f"apply: (congr1 ({self.terms.slope(before.entry)}))", f"exact: {self.setting.text(f)}")
    return by_way(text, f"exact: {self.setting.unknown(known, x)}")


def through_texts(self: Tactics, before: Any, after: Any, step: Step) -> str:
    """The chain rule where f and what lies between have texts: two derivations agree on f."""
    setting, (f, x) = self.setting, (before.of.tensor, before.entry.tensor)
    names = tuple(step.instance.get("through", ()))
    if x in setting.owned and all(n in setting.context.chain for n in names):
        others = tuple(n for n in names if n != f.name)
        besides = Besides(self, before.entry, others, setting.names.new(f"through_{'_'.join(others)}"))
        script = besides.of_value(before.of, after)
        self.before += besides.lemmas
        return script
    if not names or f.name in names or not all(n in setting.context.chain for n in names):
        raise unsupported(step.rule, f"the text of {f.name} names {x.name} besides")
    for name in names:
        inside = [t for t in setting.below(setting.head(name)) if t.name in setting.context.chain]
        if any(t != x and setting.depends(t, x) for t in inside):
            raise unsupported(step.rule, f"{name} is made of other definitions in which {x.name} stands")
    through = Through(self, before.entry, names, setting.names.new(f"through_{'_'.join(names)}"))
    lemma = through.entry(before.of)
    self.before += through.lemmas
    return f"exact: {lemma}"


@rule("name")
def name(self: Tactics, before: Any, after: Any, step: Step) -> str:
    """`∂f/∂P[i] = B[i]`, B being a name for the derivative of an unknown function."""
    if not (isinstance(before, Derivative) and isinstance(before.of, Entry) and isinstance(after, Entry)):
        raise unsupported(step.rule, "it names a derivative of a derivative")
    return f"apply: esym; exact: {self.setting.name(after.tensor)}"


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
    """`∂(fᵖ)/∂x = p fᵖ⁻¹ ∂f/∂x` for p whole, or half of a whole number: of an inverse, a root, or a power of one."""
    f, p, x = before.of.base, before.of.exponent, before.entry
    if not isinstance(p, sympy.Rational) or p.q > 2 or p == 0:
        raise unsupported(step.rule, f"the exponent is {p}")
    along = self.along(x.tensor)
    root = f if p.q == 1 else Power(f, HALF)
    times = abs(p.p)
    if p > 0:
        uses = [into(f"apply: (@along_power _ _ {times - 1})", along)]
        slope = Times(sympy.Integer(times), Power(root, sympy.Integer(times - 1)))
    elif times == 1:
        uses = [into("apply: along_inverse", along, self.units.unit(root))]
        slope = Times(MINUS, Times(Power(root, MINUS), Power(root, MINUS)))
    else:
        uses = [into(f"apply: (@along_inverse_power _ _ {times - 1})", along, self.units.unit(root))]
        slope = Times(MINUS, Times(sympy.Integer(times), Power(root, sympy.Integer(-times - 1))))
    if p == HALF:
        uses, slope = [], sympy.S.One
    if p.q == 2:
        uses.append(into("apply: along_root", along, *self.given("root", f)))
        slope = Times(slope, HALF, Power(root, MINUS))
    whole = uses[-1]
    for use in reversed(uses[:-1]):
        whole = by_way(use, then("apply: in_right", whole))
    return by_way(whole, self.scripts.ring(Times(slope, Derivative(f, x)), after))


@rule("chain", on=(Derivative, Apply))
def chain(self: Tactics, before: Any, after: Any, step: Step) -> str:
    """`∂h(u)/∂x = h′(u) ∂u/∂x`, by the hypothesis about h."""
    slope = Times(self.setting.slope_of(before.of, before.entry), Derivative(before.of.arg, before.entry))
    return by_way(f"exact: {self.setting.slope(before.of, before.entry.tensor)}", self.scripts.ring(slope, after))


@rule("derivative of lemma", on=(Derivative, Derivative))
def derivative_of_lemma(self: Tactics, before: Any, after: Any, step: Step) -> str:
    """`∂(∂f/∂P)/∂x = ∂R/∂x` where `∂f/∂P = R` was proved."""
    lemma = self.cited(step.instance.get("label", ""))
    return then(f"apply: (congr1 ({self.terms.slope(before.entry)}))", f"exact: {lemma}")


# ---------------------------------------------------------------- functions of whole arrays


def whole(self: Tactics, before: Any, kinds: tuple[str, ...], rule: str) -> Definition:
    """Return the definition of the head that is differentiated."""
    known = self.setting.definition(before.of.tensor)
    if known is None or known.kind not in kinds:
        raise unsupported(rule, f"what is differentiated is no {' or '.join(kinds)}")
    return known


@rule("inverse", on=(Derivative, Entry))
def inverse(self: Tactics, before: Any, after: Any, step: Step) -> str:
    """`∂N⁻¹ = −N⁻¹ (∂N) N⁻¹`, from `N N⁻¹ = 1`."""
    known = whole(self, before, ("inv",), step.rule)
    inverses = f"exact: {self.units.inverses(known)}"
    (n,), (i, j) = known.arguments, before.of.indices
    k, m = (fresh(size) for size in n.sizes)
    slope = Derivative(Entry(n, k, m), before.entry)
    middle = Sum(Times(MINUS, Entry(known.tensor, i, k), slope, Entry(known.tensor, m, j)), k, m)
    function = entrywise(self, slope, k, m)
    lemma = f"apply: (@along_matrix_inverse F _ _ {self.terms.head(n)} {self.terms.head(known.tensor)} {function})"
    use = into(lemma, self.along(before.entry.tensor), inverses, ENTRIES)
    return self.scripts.route(before, [(middle, use), (after, self.scripts.leaf(middle, after))])


def entrywise(self: Tactics, value: Any, *indices: Index) -> str:
    """Return a value as a function of its indices."""
    return f"(fun{self.terms.binders(indices)} => {self.terms.term(value)})"


@rule("determinant", "log determinant", on=(Derivative, Entry))
def determinant(self: Tactics, before: Any, after: Any, step: Step) -> str:
    """`∂det N = det N tr(N⁻¹ ∂N)` by the cofactors of N, and `∂log|det N|` over that."""
    known = whole(self, before, ("det", "logdet"), step.rule)
    (n,), x = known.arguments, before.entry
    if len(n.sizes) != 2:
        raise unsupported(step.rule, f"{n.name} has four axes")
    inverse = self.units.inverse_of(n)
    k, m = (fresh(size) for size in n.sizes)
    factors = [Entry(inverse.tensor, m, k), Derivative(Entry(n, k, m), x)]
    ends = [f"exact: {self.units.inverses(inverse)}", ENTRIES]
    function = entrywise(self, factors[1], k, m)
    lemma = f"(@along_{{}} F _ _ {self.terms.head(n)} {self.terms.head(inverse.tensor)} {function} _)"
    if known.kind == "det":
        factors.insert(0, before.of)
        text = f"exact: {self.units.is_determinant(known)}"
        use = into(f"apply: {lemma.format('determinant')}", self.along(x.tensor), text, *ends)
    else:
        slope = f"exact: {self.units.log_determinant(known, x.tensor)}"
        use = into(f"apply: {lemma.format('log_determinant')}", self.along(x.tensor), slope, *ends)
    middle = Sum(Times(*factors), k, m)
    return self.scripts.route(before, [(middle, use), (after, self.scripts.leaf(middle, after))])


@rule("softmax", "log sum exp", on=(Derivative, Entry))
def softmax(self: Tactics, before: Any, after: Any, step: Step) -> str:
    """`∂s[i] = Σ_j s[i] (δ[i,j] − s[j]) ∂u[j]` and `∂log Σ_j exp u[j] = Σ_j s[j] ∂u[j]`, from the texts of both."""
    known = whole(self, before, ("softmax", "logsumexp"), step.rule)
    if len(known.axes) != 1:
        raise unsupported(step.rule, "it is taken over more than one axis")
    (u,), (axis,), x = known.arguments, known.axes, before.entry
    j = fresh(u.sizes[axis])
    others = iter(i for k, i in enumerate(before.of.indices) if known.kind == "logsumexp" or k != axis)
    at = [j if k == axis else next(others) for k in range(len(u.sizes))]
    value, slope = Apply("exp", 0, Entry(u, *at)), Derivative(Entry(u, *at), x)
    weights = known if known.kind == "softmax" else softmax_of(self, known, after, step.rule)
    weight = Entry(weights.tensor, *at)
    functions = [entrywise(self, e, j) for e in (value, slope, weight)]
    along, texts = self.along(x.tensor), f"move=> ?; exact: {self.setting.text(weights.tensor)}"
    exponential = f"move=> ?; exact: {self.setting.slope(value, x.tensor)}"
    total = Sum(value, j)
    if known.kind == "softmax":
        i = before.of.indices[axis]
        difference = Plus(Delta(i, j), Times(MINUS, weight))
        middle = Sum(Times(before.of, difference, slope), j)
        use = f"apply: (@along_softmax F _ _ {' '.join(functions)})"
        use = into(use, along, texts, self.units.unit(total), exponential)
    else:
        middle = Sum(Times(weight, slope), j)
        log = Apply("log", 0, total)
        first = by_way(self.moved(known.tensor, x.tensor), by_way(f"exact: {self.setting.slope(log, x.tensor)}", RING))
        use = into(f"apply: (@along_log_sum F _ _ {' '.join(functions)})", along, first, texts, exponential)
    return self.scripts.route(before, [(middle, use), (after, self.scripts.leaf(middle, after))])


def softmax_of(self: Tactics, known: Definition, after: Any, rule: str) -> Definition:
    """Return the softmax that stands in a result, of what a sum of exponentials is of."""
    for head in tensors(after):
        found = self.setting.definition(head)
        if found is not None and (found.kind, found.arguments, found.axes) == ("softmax", known.arguments, known.axes):
            return found
    raise unsupported(rule, "no head stands for the softmax")
