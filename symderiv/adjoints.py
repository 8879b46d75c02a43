"""Names for adjoints, so that what several derivatives share is written once.

The adjoint `P̄ = ∂f/∂P` of a definition P that more than one way leads on from, or that is long, is called
`P_bar`.  Written over these names the derivatives grow linearly with the graph of definitions, however often
its ways part and meet.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from symderiv.index import normal
from symderiv.index.folding import folded
from symderiv.index.graph import Contraction, Defined, Leaf, Node
from symderiv.lift import lift
from symderiv.stage import Stage
from symderiv.structured import over_free_entries
from symderiv.tensor.expr import Expr, defined

BAR = "_bar"
LONGEST = 80  # nodes of an adjoint that gets no name


def adjoints(stage: Stage, taken: Sequence[str], longest: int = LONGEST) -> dict[Expr, Expr]:
    """Return the derivative in each variable over the definitions, shared adjoints named after their definition.

    So are those of more nodes than `longest`.
    """
    chain = stage.chain
    names = dict(stage.named)
    used = {*taken, *(e.name for e in stage.inner)}
    uses = Counter(edge.parent for edge in chain.edges)
    incoming: dict[Node, list[Node]] = {}
    bars: dict[Node, Node] = {}
    for parent in chain.adjoints:
        bar = chain.adjoints[parent]
        if parent in incoming:
            bar = normal.add([(1, part) for part in incoming[parent]], bar.dims)
        bars[parent] = bar
        if not uses[parent]:
            continue
        if isinstance(parent, Defined) and not _is_short(bar):
            body = lift(folded(stage.dependent(bar)), names=names)
            if uses[parent] > 1 or body.weight > longest:
                name = free_name(parent.name + BAR, used)
                bar = normal.defined(name, bar)
                names[stage.dependent(bar)] = defined(name, body)
        for child, part in chain.along(parent, bar).items():
            incoming.setdefault(child, []).append(part)
    found = {}
    for x, leaf in zip(stage.variables, stage.leaves, strict=True):
        node = bars[leaf] if leaf in bars else stage.node_in(x, independent=True)
        kind = stage.structures.get(x.name, "")
        node = over_free_entries(node, kind) if kind else node
        found[x] = lift(folded(stage.dependent(node)), stage.function.axes + x.axes, names)
    return found


def _is_short(bar: Node) -> bool:
    """Tell whether an adjoint is a multiple of one array, which costs nothing to write again."""
    if isinstance(bar, Contraction) and not bar.bound:
        return len(bar.factors) == 0 or (len(bar.factors) == 1 and isinstance(bar.factors[0][0], (Leaf, Defined)))
    return isinstance(bar, (Leaf, Defined))


def free_name(name: str, used: set[str]) -> str:
    """Return a name that is not in use, and count it as used."""
    while name in used:
        name += "_"
    used.add(name)
    return name
