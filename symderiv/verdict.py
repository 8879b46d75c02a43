"""Is a claimed derivative right? `verify` proves, refutes with a counterexample, or says that it cannot tell."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sympy

from symderiv import dims
from symderiv.conventions import CONVENTION
from symderiv.derivation import Derivation, derive
from symderiv.errors import ProofError, ShapeError, SymderivError, UnsupportedError
from symderiv.index.expand import same
from symderiv.index.folding import folded
from symderiv.inputs import Shapes, read, read_claim, variables
from symderiv.interop import claimed
from symderiv.lower import lower
from symderiv.render.phrases import phrase
from symderiv.render.whole import display
from symderiv.results import Result
from symderiv.shown import clipped, listed
from symderiv.statements.latex_claims import read_latex
from symderiv.tensor.expr import Expr

MARKS = {"proved": "✓", "refuted": "✗", "undecided": "?"}


@dataclass(frozen=True, repr=False)
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

    def explain(self, language: str = "en") -> str:
        """Return what was decided and what it rests on, then the convention and what was assumed.

        >>> v = verify("x @ A @ x", "x", "2 * A @ x", shapes={"x": ("n",), "A": ("n", "n")})
        >>> print(v.explain())
        The claim is wrong: at n = ... the derivative is ... where the claim says .... The derivative is (A + A.T) @ x.
        Convention: a derivative has the shape of the function followed by the shape of each variable.
        """
        said = [self._decided(language)]
        if self.status != "proved":
            correct = clipped(self.correct.expr, self.derivation.functions)
            said.append(phrase(language, "explain_correct", result=correct))
        return "\n".join([" ".join(said), *self.derivation.noted(language)])

    def _decided(self, language: str) -> str:
        found = self.counterexample
        if self.status == "refuted" and found is not None:
            sizes = listed([f"{name} = {value}" for name, value in found.sizes.items()], language)
            left, right = told_apart(found.left, found.right)
            return phrase(language, "explain_refuted", sizes=sizes or "()", left=left, right=right)
        key = {"refuted": "refuted_alone", "proved": f"proved_{self.basis}"}.get(self.status, self.status)
        return phrase(language, f"explain_{key}", scope=self.scope)

    def _repr_markdown_(self) -> str:
        shown = f"**{MARKS[self.status]} {phrase('en', self.status)}**: {self._decided('en')}"
        if self.status == "proved":
            return f"{shown}\n\n{self.derivation._repr_latex_()}"
        return f"{shown}\n\n{display([], self.derivation.equations())}"

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text(str(self))

    def __repr__(self) -> str:
        basis = f", {self.basis}" if self.basis else ""
        return f"Verdict({self.status}{basis}: {self.derivation!r})"

    def __str__(self) -> str:
        lines = [f"{MARKS[self.status]} {self.status}" + (f" ({self.basis})" if self.basis else "")]
        if self.counterexample is not None:
            lines += [f"  {line}" for line in where_it_fails(self.counterexample)]
        if self.status != "proved":
            lines.append(f"  the derivative is {self.correct}")
        return "\n".join([*lines, *([f"  {self.scope}"] if self.scope else [])])


def where_it_fails(found: Any) -> list[str]:
    """Return where a claim fails: sizes, seed, the entry and both values."""
    sizes = [f"{name} = {value}" for name, value in found.sizes.items()]
    entry = f"entry {list(found.entry)}, counted from 0" if found.entry else "the value"
    left, right = told_apart(found.left, found.right)
    return [
        f"counterexample at {', '.join([*sizes, f'seed {found.seed}'])}:",
        f"  {entry}: the derivative is {left}, the claim says {right}",
    ]


def told_apart(left: float, right: float) -> tuple[str, str]:
    """Return two numbers with as few digits as tell them apart.

    >>> told_apart(1.0, 1.00000001)
    ('1', '1.00000001')
    """
    for digits in (6, 10):
        texts = f"{left:.{digits}g}", f"{right:.{digits}g}"
        if texts[0] != texts[1]:
            return texts
    return repr(left), repr(right)


def verify(
    expr: Any,
    wrt: Any,
    claim: Any,
    *,
    shapes: Shapes | None = None,
    assume: Mapping[str, str] | None = None,
    functions: Mapping[str, list[str]] | None = None,
    structured: bool = False,
    seed: int = 0,
    latex: bool = False,
) -> Verdict:
    r"""Decide whether `claim` is the derivative of `expr`: texts, SymPy, tensors, or Python functions written in NumPy.

    `seed` is that of the random points at which it is looked for where it fails.

    >>> v = verify("x @ A @ x", "x", "2 * A @ x", shapes={"x": ("n",), "A": ("n", "n")})
    >>> v.status, str(v.correct)
    ('refuted', '(A + A.T) @ x')

    With `latex=True` the claim is an expression in LaTeX, in which vectors stand upright; see
    :func:`symderiv.homework` for whole derivations.

    >>> shapes = {"X": ("n", "p"), "w": ("p",), "y": ("n",)}
    >>> verify("norm(X @ w - y)**2", "w", r"2 X^\top (X w - y)", shapes=shapes, latex=True).status
    'proved'
    """
    d = derive(expr, wrt, shapes=shapes, assume=assume, functions=functions, structured=structured)
    scope, _ = read(expr, shapes, assume, functions)
    variables(wrt, scope)  # a tensor declares itself
    if isinstance(claim, sympy.Basic):
        axes, indices = d.result.expr.axes, (d.free_indices, d.index_definitions)
        wanted = claimed(claim, axes, *indices, scope, assume, functions)
    else:
        wanted = read_latex(claim, scope, d.result.expr.axes) if latex else read_claim(claim, scope)
    if wanted.shape != d.shape:
        raise ShapeError(
            "the claim has another shape than the derivative",
            shapes={"derivative": dims.written(d.shape), "claim": dims.written(wanted.shape)},
            hint=CONVENTION,
        )
    found_equal = _equal(d, wanted)
    unproved = _unproved(d, wanted) if found_equal else ""
    if found_equal and not unproved:
        return Verdict("proved", "kernel", "all sizes; every step checked", d)
    from symderiv.check.decide import decide_derivative  # the first to need NumPy

    outcome = decide_derivative(d.function, d.wrt, wanted, structured=structured, seed=seed)
    if outcome.status == "proved" and not found_equal and not _unproved(d, wanted):
        # The kernel knows laws that the normal form does not: 1 − σ(u) = σ(−u).
        return Verdict("proved", "kernel", "all sizes; every step checked", d)
    basis = "exact" if outcome.status == "proved" else ""
    return Verdict(outcome.status, basis, outcome.scope + unproved, d, outcome.counterexample)


def _unproved(d: Derivation, wanted: Expr) -> str:
    """Return why the kernel accepts no proof that leads to what is claimed; nothing where it does."""
    try:
        d.proof.check()
        d.ending(wanted).check()
    except (ProofError, UnsupportedError) as err:
        return f"; the kernel did not accept a proof: {err.message}"
    return ""


def _equal(d: Derivation, wanted: Expr) -> bool:
    """Tell whether the engine finds the claim equal, as it stands or with formulas folded into their functions."""
    try:
        claim = lower(wanted).node
        return same(d.node, claim) or same(lower(d.result.expr).node, folded(claim))
    except SymderivError:
        return False
