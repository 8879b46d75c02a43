"""Claims as numerator or denominator layout shows them: one line under the statement, which itself is the array."""

from __future__ import annotations

from symderiv.conventions import Statement
from symderiv.errors import SymderivError
from symderiv.handout.options import ARRAY
from symderiv.lift import lift
from symderiv.lower import lower
from symderiv.render.latex import Latex
from symderiv.render.phrases import phrase
from symderiv.sheet import Claim, Sheet
from symderiv.statements.meaning import meaning
from symderiv.tensor.expr import Expr
from symderiv.tensor.operations import apply

KNOWN = ("proved", "approximation")


def in_layout(claim: Claim, layout: str, sheet: Sheet, latex: Latex, language: str) -> tuple[tuple[str, str], ...]:
    """Return the row of a claim about a whole derivative; none where the layout has no matrix for it."""
    statement = claim.statement
    if layout == ARRAY or statement is None or statement.open or statement.ranges or claim.status not in KNOWN:
        return ()
    left, right = statement.exprs
    if left.op != "diff" or any(a.op not in ("var", "defined") for a in left.args):
        return ()
    f, *variables = left.args
    turned = Statement(f.name, f.shape, tuple(variables), right, {}).turned(layout)
    if turned is None:
        return ()
    body = _transposed(right, sheet, latex) if turned else latex.matrix(right)
    relation = r"\approx" if statement.neglected else "="
    return ((phrase(language, f"in_{layout}_layout"), f"{latex.matrix(left)} {relation} {body}"),)


def _transposed(expr: Expr, sheet: Sheet, latex: Latex) -> str:
    """Return a transposed matrix in its shortest form, a vector as a row."""
    if expr.rank == 2:
        turned = apply("transpose", expr)
        try:
            return latex.matrix(lift(lower(turned, meaning()).node, turned.axes, names=sheet.matrix_names()))
        except SymderivError:
            pass  # what has no other form is raised to ⊤
    return latex.raisable(latex.matrixed(expr)) + r"^{\top}"
