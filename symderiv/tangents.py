"""How definitions move along a direction, each under a name of its own, so that products share what they can.

With `Ṗ[i] = Σ_k ∂P[i]/∂x[k] v[k]` the derivative of a definition P along v,

    Ṗ[i] = Σ_C Σ_k ∂P[i]/∂C[k] Ċ[k]        (C: what the text of P names),

written over the names `C_dot`.  The derivative φ of a number f along v is then a graph as large as that of f, and
one pass down it gives the Hessian times v, `∂φ/∂x`, for a small multiple of the cost of the gradient (the
reverse-over-forward mode of Pearlmutter, "Fast Exact Multiplication by the Hessian", 1994).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from symderiv.adjoints import adjoints, free_name
from symderiv.chain import directional
from symderiv.index import normal
from symderiv.index.folding import folded
from symderiv.index.graph import Defined, Node
from symderiv.lift import lift
from symderiv.stage import Stage
from symderiv.tensor.expr import Expr, defined, definitions

DOT = "_dot"


def along_names(stage: Stage, directions: Mapping[Expr, Expr], taken: Sequence[str]) -> Expr:
    """Return the derivative of a stage's function along directions, over the definitions and their tangents."""
    used = {*taken, *(e.name for e in stage.inner)}
    names = dict(stage.named)
    moving = {stage.lowered(x): stage.lowered(v) for x, v in directions.items()}
    for e in reversed(stage.inner):
        node = stage.lowered(e)
        tangent = directional(node, moving)[node]
        if normal.constant(tangent) == 0:
            continue
        body = lift(folded(stage.dependent(tangent)), e.axes, names)
        name = free_name(e.name + DOT, used)
        moving[node] = normal.defined(name, tangent)
        names[stage.dependent(moving[node])] = defined(name, body)
    whole: Node = stage.node.body if isinstance(stage.node, Defined) else stage.node
    return lift(folded(stage.dependent(directional(whole, moving)[whole])), stage.function.axes, names)


def program(stage: Stage, directions: Mapping[Expr, Expr], taken: Sequence[str]) -> dict[Expr, Expr]:
    """Return the product of the Hessian with directions, in each variable, everything on the way under a name."""
    used = [*taken, *(e.name for e in stage.inner)]
    moved = along_names(stage, directions, used)
    names = [*used, *definitions(moved)]
    second = Stage(moved, stage.variables, "phi", stage.functions)
    return adjoints(second, names, longest=0)


__all__ = ["along_names", "program"]
