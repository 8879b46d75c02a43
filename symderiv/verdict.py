"""Is a claimed derivative right? `verify` proves, refutes with a counterexample, or says that it cannot tell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from symderiv import dims
from symderiv.check.decide import decide_derivative
from symderiv.check.kernel import check as kernel_check
from symderiv.derivation import CONVENTION, Derivation, Result, derive
from symderiv.errors import ProofError, ShapeError, SymderivError, UnsupportedError
from symderiv.index.expand import same
from symderiv.index.nodes import Argument, Context, Names, Step
from symderiv.index.written import Written
from symderiv.inputs import Shapes, read
from symderiv.lower import lower, write
from symderiv.tensor.expr import Expr
from symderiv.tensor.expr import walk as walk_expr
from symderiv.tensor.parse import parse


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
    wrt: str | Sequence[str],
    claim: Any,
    *,
    shapes: Shapes | None = None,
    assume: Mapping[str, str] | None = None,
    functions: Mapping[str, list[str]] | None = None,
    structured: bool = False,
) -> Verdict:
    """Decide whether `claim` is the derivative of `expr`.

    >>> v = verify("x @ A @ x", "x", "2 * A @ x", shapes={"x": ("n",), "A": ("n", "n")})
    >>> v.status, str(v.correct)
    ('refuted', '(A + A.T) @ x')
    """
    d = derive(expr, wrt, shapes=shapes, assume=assume, functions=functions, structured=structured)
    scope, _ = read(expr, shapes, assume, functions)
    wanted = parse(claim, scope) if isinstance(claim, str) else read(claim, shapes, assume, functions)[1]
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
            kernel_check(*_closing(d, wanted))
            return Verdict("proved", "kernel", "all sizes; every step checked", d)
        except (ProofError, UnsupportedError) as err:
            unproved = f"; the kernel did not accept a proof: {err.message}"
    names = [w.name for w in d.wrt]
    outcome = decide_derivative(d.function, names, wanted, structured=structured)
    basis = "exact" if outcome.status == "proved" else ""
    return Verdict(outcome.status, basis, outcome.scope + unproved, d, outcome.counterexample)


def _closing(d: Derivation, wanted: Expr) -> tuple[list[Argument], Context]:
    """Return the last line of a verification: the derivative, definitions written out, is the claim.

    Here the definitions of the derivation are looked through, and what was assumed of the variables
    themselves may be used: the last derivative has been taken.
    """
    part = d.proof.parts[-1]
    last = part.arguments[-1].right
    names = Names([*d.taken, *(i.name for i in part.free), *part.context.chain, *part.context.definitions])
    chain = {k: v for k, v in part.context.chain.items() if k != d.stages[-1].name}
    definitions = {**part.context.definitions, **chain}
    left = iter(part.free)
    tokens = [tuple(next(left) for _ in axis) for axis in wanted.axes]
    written = write(wanted, tokens, Written(names, definitions))
    variables = walk_expr(d.function, wanted, *d.wrt)
    traits = {e.name: e.data[1] for e in variables if e.op == "var" and e.data[1]}
    steps = () if written == last else (Step("rearrange", (), {}, last, written),)
    return [Argument("claim", last, steps, written)], Context(definitions, {}, traits)


def _equal(d: Derivation, wanted: Expr) -> bool:
    try:
        return same(d.node, lower(wanted).node)
    except SymderivError:
        return False
