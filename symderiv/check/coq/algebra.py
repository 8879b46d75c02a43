"""The tactics of the laws of sums and products."""

from __future__ import annotations

from typing import Any

from symderiv.check.coq.normal import Expander
from symderiv.check.coq.scripts import SAME, then
from symderiv.check.coq.setting import unsupported
from symderiv.check.coq.tactics import Tactics, rule
from symderiv.check.terms import alike
from symderiv.index.nodes import Delta, Index, Plus, Step, Sum, Times


@rule("associate", "zero", "merge", "split powers", "collect powers", "cancel", "partial fraction")
def by_ring(self: Tactics, before: Any, after: Any, step: Step) -> str:
    """Brackets, numbers, zeros, equal terms, inverses: the laws of a ring, sums being atoms."""
    if isinstance(before, Sum) and before.body == 0:
        return then(*("apply: sum_zero => ?" for _ in before.bound), SAME)
    return self.scripts.leaf(before, after)


@rule("distribute")
def distribute(self: Tactics, before: Any, after: Any, step: Step) -> str:
    """`f (g + h) = f g + f h` by ring, `Σ (g + h) = Σ g + Σ h` once for each index."""
    if isinstance(before, Sum) and isinstance(before.body, Plus):
        return self.scripts.split(before)
    return self.scripts.leaf(before, after)


@rule("factor")
def factor(self: Tactics, before: Any, after: Any, step: Step) -> str:
    """What distributing would undo."""
    return then("apply: esym", distribute(self, after, before, step))


@rule("exchange", on=(Times,))
def exchange(self: Tactics, before: Any, after: Any, step: Step) -> str:
    """`f Σ_q g = Σ_q f g`, the sum that the result tells."""
    for k, f in enumerate(before.args):
        if isinstance(f, Sum):
            inner = Expander(self.scripts).fresh_bound(f)
            new = Sum(Times(*before.args[:k], inner.body, *before.args[k + 1 :]), *inner.bound)
            if alike(new, after):
                return self.scripts.exchange(Times(*before.args[:k], inner, *before.args[k + 1 :]), k, after)
    raise unsupported(step.rule, "no factor is the sum that goes outside")


@rule("contract", on=(Sum,))
def contract(self: Tactics, before: Any, after: Any, step: Step) -> str:
    """`Σ_j f[j] δ[j, l] = f[l]`."""
    gone, kept = step.instance.get("index"), step.instance.get("by")
    if isinstance(gone, Index) and isinstance(kept, Index) and gone in before.bound:
        parts = before.body.args if isinstance(before.body, Times) else (before.body,)
        for k, f in enumerate(parts):
            if isinstance(f, Delta) and set(f.args) == {gone, kept}:
                return Expander(self.scripts).contracted(before, gone, kept, k, after)
    raise unsupported(step.rule, "no δ of the sum allows it")


@rule("delta")
def delta(self: Tactics, before: Any, after: Any, step: Step) -> str:
    """`δ[i, i] = 1`."""
    return "exact: delta_one"


@rule("idle sum", on=(Sum,))
def idle_sum(self: Tactics, before: Any, after: Any, step: Step) -> str:
    """`Σ_q f = n f`."""
    return self.scripts.idle(before)


@rule("commute", "rename")
def commute(self: Tactics, before: Any, after: Any, step: Step) -> str:
    """Another order of factors, terms, sums; other letters."""
    return self.scripts.reorder(before, after)


@rule("rearrange")
def rearrange(self: Tactics, before: Any, after: Any, step: Step) -> str:
    """Both sides multiplied out, the definitions of heads that only one of them has put in."""
    return self.equal(before, after, step)


@rule("transpose", "symmetry", "use delta")
def same_form(self: Tactics, before: Any, after: Any, step: Step) -> str:
    """`(Aᵀ)[j, i] = A[i, j]`, by its definition; `S[i, j] = S[j, i]`, as declared; `δ[i, j] f[j] = δ[i, j] f[i]`."""
    return self.equal(before, after, step)
