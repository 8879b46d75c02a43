"""Examples of rules, worked by the engine: what a step by the rule makes of which expression.

An example is a text of the statement language.  Its last statement is a claim, `assert diff(f, x) == …`, or a
derivative to take, `derive(x @ S @ x, S, structured=True)`; statements on one line are parted by semicolons.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from symderiv.derivation import derive
from symderiv.errors import ParseError, Place, ProofError
from symderiv.handout.views import Printer, parts_of
from symderiv.index.nodes import Step, at
from symderiv.render.latex import Latex
from symderiv.render.plain import Plain
from symderiv.sheet import Sheet


@dataclass(frozen=True)
class Computed:
    """An example with what became of it: one step by the rule, and the result."""

    statements: tuple[str, ...]
    before: str
    """LaTeX of the part that the step acts on."""
    after: str
    result: str
    """The derivative as text; of a claim, its status."""

    def __str__(self) -> str:
        """Return the step as text."""
        for small in (True, False):
            plain = Plain(small)
            said = f"{plain(self.before)} = {plain(self.after)}"
            if not plain.missed:
                break
        return said


def computed(text: str, rule: str) -> Computed:
    """Return an example worked; raise where no step of its proof is by the rule, or a claim is not proved.

    >>> print(computed("x: (n,); c: (n,); derive(x - c, x)", "linearity"))
    ∂/∂xⱼ (xᵢ − cᵢ) = ∂xᵢ/∂xⱼ + ∂/∂xⱼ (−cᵢ)
    """
    tree = ast.parse(text).body
    lines = text.splitlines() if "\n" in text else [ast.get_source_segment(text, s) or "" for s in tree]
    match tree[-1]:
        case ast.Expr(value=ast.Call(func=ast.Name(id="derive")) as call):
            steps, latex, result = _derived(tree[:-1], call)
        case _:
            steps, latex, result = _claimed(text)
    step = next((s for s in steps if s.rule == rule), None)
    if step is None:
        raise ProofError(f"no step of the example is by the rule {rule}", hint=text)
    before, after = (latex.index(at(e, step.place)) for e in (step.before, step.after))
    return Computed(tuple(lines), before, after, result)


Worked = tuple[Iterable[Step], Latex, str]


def _derived(declared: list[ast.stmt], call: ast.Call) -> Worked:
    shapes: dict[str, Any] = {}
    traits: dict[str, str] = {}
    for statement in declared:
        match statement:
            case ast.AnnAssign(target=ast.Name(id=name), annotation=shape):
                if isinstance(shape, ast.Call) and isinstance(shape.func, ast.Name):
                    traits[name], sizes = shape.func.id, shape.args
                    shapes[name] = tuple(ast.unparse(size) for size in sizes)
                else:
                    shapes[name] = _shape(shape)
            case _:
                text = ast.unparse(statement)
                raise ParseError("only declarations stand before derive(…)", place=Place(text))
    function, *variables = (ast.unparse(a) for a in call.args)
    structured = any(k.arg == "structured" for k in call.keywords)
    d = derive(function, variables, shapes=shapes, assume=traits, structured=structured)
    d.proof.check()
    return d.proof.steps, d.proof.latex(), str(d.result)


def _shape(shape: ast.expr) -> tuple[str, ...] | str:
    return tuple(ast.unparse(size) for size in shape.elts) if isinstance(shape, ast.Tuple) else ast.unparse(shape)


def _claimed(text: str) -> Worked:
    sheet = Sheet(text)
    claim = sheet.claims[-1]
    if claim.proof is None:
        raise ProofError(f"the claim of the example is {claim.status}", hint=text)
    steps = [step for part in parts_of(claim.proof) for a in part.arguments for step in a.steps]
    basis = f" ({claim.basis})" if claim.basis else ""
    return steps, Printer(sheet).latex(claim), f"{claim.status}{basis}"


__all__ = ["Computed", "computed"]
