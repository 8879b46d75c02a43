"""Is a claimed derivative right? `verify` proves, refutes with a counterexample, or says that it cannot tell."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sympy

from symderiv import dims
from symderiv.check.decide import decide_derivative
from symderiv.conventions import CONVENTION
from symderiv.derivation import Derivation, derive
from symderiv.errors import ProofError, ShapeError, SymderivError, UnsupportedError
from symderiv.index.expand import same
from symderiv.index.folding import folded
from symderiv.inputs import Shapes, read, read_claim, variables
from symderiv.interop import claimed
from symderiv.lower import lower
from symderiv.results import Result
from symderiv.tensor.expr import Expr


@dataclass(frozen=True)
class Verdict:
    """Whether a claimed derivative is right: `proved`, `refuted` (with a counterexample) or `undecided`."""

    status: str
    basis: str
    scope: str
    derivation: Derivation
    counterexample: Any = None

    @property
    def correct(self) -> Result:
        """Return the derivative as it should be."""
        return self.derivation.result

    def __str__(self) -> str:
        lines = [f"{self.status}" + (f" ({self.basis})" if self.basis else "")]
        if self.counterexample is not None:
            lines.append(str(self.counterexample))
        if self.status != "proved":
            lines.append(f"the derivative is {self.correct}")
        if self.scope:
            lines.append(self.scope)
        return "\n".join(lines)


def verify(
    expr: Any,
    wrt: Any,
    claim: Any,
    *,
    shapes: Shapes | None = None,
    assume: Mapping[str, str] | None = None,
    functions: Mapping[str, list[str]] | None = None,
    structured: bool = False,
) -> Verdict:
    """Decide whether `claim` is the derivative of `expr`: texts, SymPy, tensors, or Python functions written in NumPy.

    >>> v = verify("x @ A @ x", "x", "2 * A @ x", shapes={"x": ("n",), "A": ("n", "n")})
    >>> v.status, str(v.correct)
    ('refuted', '(A + A.T) @ x')
    """
    d = derive(expr, wrt, shapes=shapes, assume=assume, functions=functions, structured=structured)
    scope, _ = read(expr, shapes, assume, functions)
    variables(wrt, scope)  # a tensor declares itself
    if isinstance(claim, sympy.Basic):
        axes, indices = d.result.expr.axes, (d.free_indices, d.index_definitions)
        wanted = claimed(claim, axes, *indices, scope, assume, functions)
    else:
        wanted = read_claim(claim, scope)
    if wanted.shape != d.shape:
        raise ShapeError(
            "the claim has another shape than the derivative",
            shapes={"derivative": dims.written(d.shape), "claim": dims.written(wanted.shape)},
            hint=CONVENTION,
        )
    unproved = ""
    if _equal(d, wanted):
        try:
            d.proof.check()
            d.ending(wanted).check()
            return Verdict("proved", "kernel", "all sizes; every step checked", d)
        except (ProofError, UnsupportedError) as err:
            unproved = f"; the kernel did not accept a proof: {err.message}"
    outcome = decide_derivative(d.function, d.wrt, wanted, structured=structured)
    basis = "exact" if outcome.status == "proved" else ""
    return Verdict(outcome.status, basis, outcome.scope + unproved, d, outcome.counterexample)


def _equal(d: Derivation, wanted: Expr) -> bool:
    """Tell whether the engine finds the claim equal, as it stands or with formulas folded into their functions."""
    try:
        claim = lower(wanted).node
        return same(d.node, claim) or same(lower(d.result.expr).node, folded(claim))
    except SymderivError:
        return False
