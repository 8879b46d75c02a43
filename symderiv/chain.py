"""The chain rule over definitions.

For `f` a function of definitions `P, C, …` (a directed graph) and a variable `x`, let `F` stand for the
indices of f.  The adjoint of a definition is `P̄[F, i] = ∂f[F]/∂P[i]`.  It starts with `f̄ = δ` and goes
down the graph once, definition by definition:

    C̄[F, k] = Σ_P Σ_i P̄[F, i] ∂P[i]/∂C[k]                 (sum over all paths)

with the local derivative ∂P/∂C found from the index definition of P alone.  What is found for one edge
(P, C) is kept as an :class:`Edge`; a proof replays it.  Nothing is expanded across definitions.  The pass is
the same for one variable and for several: what they share is found once.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import Any

from symderiv.dims import Shape, Size, written
from symderiv.errors import UnsupportedError
from symderiv.functions import FUNCTIONS
from symderiv.index import normal
from symderiv.index.graph import (
    Add,
    Contraction,
    Defined,
    Delta,
    Det,
    Extremum,
    Inverse,
    LogDet,
    LogSumExp,
    Map,
    MatrixPower,
    Node,
    Pow,
    Power,
    Prod,
    ProdExcept,
    Softmax,
    Unknown,
    Where,
    walk,
)
from symderiv.index.normal import ONE, add, contract
from symderiv.lower import Array, lower
from symderiv.tensor.expr import Expr
from symderiv.tensor.parse import Scope, parse, variable


@dataclass(frozen=True)
class Edge:
    """One edge of the chain rule: `parent` depends directly on `child`."""

    parent: Node
    child: Node
    adjoint: Node
    result: Node


@dataclass(frozen=True)
class Chain:
    """The derivatives of a function with the edges they were made of, in order, and the adjoint of each definition."""

    function: Node
    variables: tuple[Node, ...]
    results: tuple[Node, ...]
    edges: tuple[Edge, ...]
    adjoints: dict[Node, Node]
    moving: frozenset[Node]

    @property
    def result(self) -> Node:
        """Return the derivative in the only variable."""
        (result,) = self.results
        return result

    def along(self, parent: Node, adjoint: Node) -> dict[Node, Node]:
        """Return what some adjoint of a definition contributes to each definition that it uses."""
        return pull(parent, adjoint, self.function.rank, set(self.moving), set(self.variables))


def differentiate(function: Node, x: Node, hold: Iterable[Node] = ()) -> Chain:
    """Return ∂function/∂x, with axes `function.dims + x.dims`, through the definitions.

    `x` is a leaf or a definition; the definitions in `hold` are kept constant.
    """
    return differentiate_all(function, (x,), hold)


def differentiate_all(function: Node, variables: Sequence[Node], hold: Iterable[Node] = ()) -> Chain:
    """Return ∂function/∂x for several leaves or definitions x, from one pass down the graph."""
    ends = set(variables)
    held = set(hold) - ends
    moving = _dependents(function, ends, held)
    rank = function.rank
    seed = contract(1, [(normal.delta(d), (k, rank + k)) for k, d in enumerate(function.dims)], range(2 * rank))
    adjoints: dict[Node, Node] = {function: seed}
    edges: list[Edge] = []
    incoming: dict[Node, list[Node]] = {}
    for parent in _definitions(function, ends, moving):
        if parent is not function:
            if parent not in incoming:  # it stands only in a condition, which has no slope
                continue
            adjoints[parent] = add([(1, n) for n in incoming[parent]], (*function.dims, *parent.dims))
        if not _goes_on(parent, ends, moving):
            continue
        for child, result in pull(parent, adjoints[parent], rank, moving, ends).items():
            edges.append(Edge(parent, child, adjoints[parent], result))
            incoming.setdefault(child, []).append(result)
    results = tuple(adjoints.get(x) or normal.number(0, (*function.dims, *x.dims)) for x in variables)
    return Chain(function, tuple(variables), results, tuple(edges), adjoints, frozenset(moving))


def directional(function: Node, directions: Mapping[Node, Node], hold: Iterable[Node] = ()) -> dict[Node, Node]:
    """Return the derivatives of a function, and of each definition below it, as every x moves along `directions[x]`.

    Such a derivative is that in x contracted with the direction.  It goes up the graph, definition by definition,

        Ṗ[i] = Σ_C Σ_k ∂P[i]/∂C[k] Ċ[k]        with ẋ the direction of x,

    and has the shape of the definition: no array of higher rank is met.  The local rules are those of the way
    down, transposed: what an adjoint b of P contributes is linear in b, so
    `Ṗ[i] = ∂/∂b[i] Σ_C Σ_k (Σ_j b[j] ∂P[j]/∂C[k]) Ċ[k]`.
    """
    ends = set(directions)
    moving = _dependents(function, ends, set(hold) - ends)
    found: dict[Node, Node] = {}
    for node in reversed(_definitions(function, ends, moving)):
        if node in ends:
            found[node] = directions[node]
        elif node in moving:
            adjoint = normal.leaf(f"adjoint of {node.key}", node.dims)
            parts = [(part, found[c]) for c, part in pull(node, adjoint, 0, moving, ends).items()]
            terms = [contract(1, [(a, range(a.rank)), (b, range(a.rank))], ()) for a, b in parts]
            found[node] = differentiate(add([(1, t) for t in terms], ()), adjoint).result
    found.setdefault(function, normal.number(0, function.dims))
    return found


def _dependents(function: Node, ends: set[Node], held: set[Node]) -> set[Node]:
    moving: set[Node] = set()
    for node in walk(function):
        if node in ends or (node not in held and any(c in moving for c in node.children())):
            moving.add(node)
    return moving


def _goes_on(parent: Node, ends: set[Node], moving: set[Node]) -> bool:
    """Tell whether a variable lies below a definition: it may be a variable itself."""
    return parent in moving and (parent not in ends or any(c in moving for c in parent.children()))


def _definitions(function: Node, ends: set[Node], moving: set[Node]) -> list[Node]:
    """Return the function, and the moving definitions and variables below it: parents before children."""
    below = [n for n in walk(function) if n in moving and (isinstance(n, Defined) or n in ends)]
    order = list(reversed(below))
    if function not in order:
        order.insert(0, function)
    reached = {function}
    for node in order:
        if node in reached and _goes_on(node, ends, moving):
            reached.update(n for n in _inside(node, moving, ends) if n in ends or isinstance(n, Defined))
    return [n for n in order if n in reached]


def _inside(parent: Node, moving: set[Node], ends: set[Node]) -> list[Node]:
    """Return the moving nodes of one definition, parents first; other definitions are its ends."""
    start = parent.body if isinstance(parent, Defined) else parent
    seen: dict[Node, None] = {}
    stack = [(start, False)]
    while stack:
        node, ready = stack.pop()
        if node in seen:
            continue
        if ready:
            seen[node] = None
            continue
        stack.append((node, True))
        if node not in ends and not isinstance(node, Defined):
            stack.extend((c, False) for c in node.children() if c in moving and c not in seen)
    return list(reversed(seen))


def pull(parent: Node, adjoint: Node, rank: int, moving: set[Node], ends: set[Node]) -> dict[Node, Node]:
    """Return what an adjoint of `parent` contributes to the adjoint of each definition it uses.

    `rank` is the number of axes of the function itself, the first ones of every adjoint.
    """
    start = parent.body if isinstance(parent, Defined) else parent
    gathered: dict[Node, list[Node]] = {start: [adjoint]}
    found: dict[Node, Node] = {}
    for node in _inside(parent, moving, ends):
        if node not in gathered:  # an entrywise expression was passed through as a whole
            continue
        bar = add([(1, n) for n in gathered[node]], (*adjoint.dims[:rank], *node.dims))
        if node in ends or isinstance(node, Defined):
            found[node] = bar
            continue
        itself = parent if node is start else node
        for child, part in local(node, bar, rank, moving, itself):
            gathered.setdefault(child, []).append(part)
    return found


def pulled(parent: Node, adjoint: Node, rank: int, ends: Iterable[Node]) -> dict[Node, Node]:
    """Return what an adjoint of one definition contributes to those of the leaves `ends` that its text names."""
    found = set(ends)
    return pull(parent, adjoint, rank, _dependents(parent, found, set()), found)


def local(node: Node, bar: Node, rank: int, moving: set[Node], itself: Node) -> list[tuple[Node, Node]]:
    """Return (child, contribution) for each way in which a node depends on a moving child.

    `itself` is the name under which the node's own value may stand in its derivative.
    """
    found: dict[Node, list[Node]] = {}
    for piece in pieces(bar):
        for child, part in _local(node, piece, rank, moving, itself):
            found.setdefault(child, []).append(part)
    return [(c, add([(1, p) for p in parts], parts[0].dims)) for c, parts in found.items()]


def pieces(bar: Node) -> list[Node]:
    """Split an adjoint that is a sum with deltas in it: each δ then contracts on its own."""
    if isinstance(bar, Add) and any(_has_delta(n) for _, n in bar.terms):
        return [normal.scaled(c, n) for c, n in bar.terms]
    if isinstance(bar, Contraction) and not bar.bound:
        for k, (inner, labels) in enumerate(bar.factors):
            if isinstance(inner, Add) and any(_has_delta(n) for _, n in inner.terms):
                rest = [f for n, f in enumerate(bar.factors) if n != k]
                sizes = dict(enumerate(bar.sizes))
                return [contract(bar.coef * c, [(n, labels), *rest], range(bar.rank), sizes) for c, n in inner.terms]
    return [bar]


def terms_of(bar: Node) -> list[Node]:
    """Split an adjoint that is a sum, or a product with a sum of arrays in it, into its terms."""
    if isinstance(bar, Add):
        return [normal.scaled(c, n) for c, n in bar.terms]
    if isinstance(bar, Contraction) and not bar.bound:
        for k, (inner, labels) in enumerate(bar.factors):
            if isinstance(inner, Add) and inner.rank:
                rest, sizes = [f for n, f in enumerate(bar.factors) if n != k], dict(enumerate(bar.sizes))
                out = range(bar.rank)
                return [contract(bar.coef * c, [(n, labels), *rest], out, sizes) for c, n in inner.terms]
    return [bar]


def _has_delta(node: Node) -> bool:
    return isinstance(node, Delta) or (
        isinstance(node, Contraction) and any(isinstance(f, Delta) for f in node.children())
    )


def _local(node: Node, bar: Node, rank: int, moving: set[Node], itself: Node) -> list[tuple[Node, Node]]:
    front: Labels = [("F", k) for k in range(rank)]
    at: Labels = list(range(node.rank))
    match node:
        case Contraction():
            return _through_contraction(node, bar, front, moving)
        case Add():
            return [(n, normal.scaled(c, bar)) for c, n in node.terms if n in moving]
        case Map():
            return [(node.arg, contract(1, [(bar, front + at), (slope(node, itself), at)], front + at))]
        case Pow():
            factors = [(bar, front + at), (normal.power(node.base, node.exponent - 1), at)]
            return [(node.base, contract(node.exponent, factors, front + at))]
        case Power() | Where() | Extremum():
            return _through_entries(node, bar, front, moving)
        case Inverse():
            half = node.rank // 2
            i, j = at[:half], at[half:]
            k, m = [("k", s) for s in range(half)], [("m", s) for s in range(half)]
            factors = [(bar, front + i + j), (itself, i + k), (itself, m + j)]
            return [(node.arg, contract(-1, factors, front + k + m))]
        case MatrixPower():
            return [(node.arg, part) for part in _through_matrix_power(node, bar, front)]
        case Det() | LogDet():
            half = node.arg.rank // 2
            k, m = [("k", s) for s in range(half)], [("m", s) for s in range(half)]
            factors = [(bar, front), (normal.inverse(node.arg), m + k)]
            if isinstance(node, Det):
                factors.append((itself, []))
            return [(node.arg, contract(1, factors, front + k + m))]
        case Softmax():
            return [(node.arg, _through_softmax(node, bar, front, itself))]
        case LogSumExp():
            labels = list(range(node.arg.rank))
            rest = [k for k in labels if k not in node.axes]
            soft = normal.softmax(node.arg, node.axes)
            return [(node.arg, contract(1, [(bar, front + rest), (soft, labels)], front + labels))]
        case Prod():
            labels = list(range(node.arg.rank))
            rest = [k for k in labels if k not in node.axes]
            others = normal.product_except(node.arg, node.axes)
            return [(node.arg, contract(1, [(bar, front + rest), (others, labels)], front + labels))]
        case Unknown():
            return _through_unknown(node, bar, front, moving)
        case ProdExcept():
            return [(node.arg, _through_others(node, bar, front))]
    raise UnsupportedError(f"no derivative is known for {type(node).__name__}")


Labels = list[Any]


def _through_contraction(node: Contraction, bar: Node, front: Labels, moving: set[Node]) -> list[tuple[Node, Node]]:
    """Drop a factor, insert δ: `Σ_out bar[F, out] coef Π_others` at the indices of the dropped one."""
    found = []
    sizes: dict[Any, Size] = dict(enumerate(node.sizes))
    out = list(range(node.rank))
    for k, (child, labels) in enumerate(node.factors):
        if child not in moving:
            continue
        others = [f for n, f in enumerate(node.factors) if n != k]
        slots: Labels = []
        deltas: list[tuple[Node, Labels]] = []
        for s, label in enumerate(labels):
            if label in slots:
                deltas.append((normal.delta(child.dims[s]), [label, ("slot", s)]))
                slots.append(("slot", s))
            else:
                slots.append(label)
        factors = [(bar, front + out), *others, *deltas]
        needed = {x: sizes[x] for x in slots if x in sizes}
        found.append((child, contract(node.coef, factors, front + slots, needed)))
    return found


def _through_matrix_power(node: MatrixPower, bar: Node, front: Labels) -> list[Node]:
    """`Σ_ij b[i,j] ∂(N^p)[i,j]/∂N[k,m] = p Σ_q (N^(p−1))[m,q] b[k,q]` where bᵀ commutes with N.

    In general `∂(N^p)[i,j]/∂N[k,m] = Σ_{s=0}^{p−1} (N^s)[i,k] (N^(p−1−s))[m,j]`, a sum of p terms: with C = bᵀ it
    makes `Σ_s N^(p−1−s) C N^s`, and every term is `N^(p−1) C` where `C N = N C`, as under a trace (C = 1) or
    beside another power.  A b that is a sum may do so term by term.  Else there is no closed form: refused.
    """
    half = node.rank // 2
    i, j, k, m, q = ([(letter, s) for s in range(half)] for letter in "ijkmq")
    n, p = node.arg, node.exponent
    left = contract(1, [(bar, [*front, *i, *j]), (n, m + j)], [*front, *m, *i])
    right = contract(1, [(bar, [*front, *q, *m]), (n, q + i)], [*front, *m, *i])
    if left is not right and normal.unfold(left) is not normal.unfold(right):
        terms = terms_of(bar)
        if len(terms) > 1:
            return [part for term in terms for part in _through_matrix_power(node, term, front)]
        raise UnsupportedError(
            f"the derivative of matrix_power with the symbolic exponent {p} is a sum of {p} terms",
            shapes={"matrix": written(node.dims)},
            hint="it closes under a trace, alone or beside what commutes with the matrix; else give the exponent as a "
            "number",
        )
    factors = [(normal.size_of(p), []), (normal.matrix_power(n, p - 1), m + q), (bar, [*front, *k, *q])]
    return [contract(1, factors, [*front, *k, *m])]


def _through_softmax(node: Softmax, bar: Node, front: Labels, itself: Node) -> Node:
    """`∂s[i]/∂u[j] = s[i] (δ[i,j] − s[j])` along the axes, δ on the others."""
    at = list(range(node.rank))
    moved = [("j", k) if k in node.axes else k for k in at]
    here = contract(1, [(bar, front + at), (itself, at)], front + at)
    mean = contract(1, [(bar, front + at), (itself, at), (itself, moved)], front + moved)
    return add([(1, here), (-1, mean)], here.dims)


def _through_others(node: ProdExcept, bar: Node, front: Labels) -> Node:
    """`∂/∂u[j] Π_{k ∉ J} u[k] = Π_{k ∉ J ∪ {j}} u[k]`, 0 for j in J: one more entry is left out."""
    at: Labels = list(range(node.rank))
    new: Labels = [("j", axis) for axis in node.axes]
    more = normal.product_except(node.arg, node.axes, node.order + 1)
    moved: Labels = [("j", k) if k in node.axes else k for k in range(node.arg.rank)]
    return contract(1, [(bar, front + at), (more, at + new)], front + moved)


def _through_unknown(node: Unknown, bar: Node, front: Labels, moving: set[Node]) -> list[tuple[Node, Node]]:
    found = []
    own = node.rank - sum(node.args[s].rank for s in node.slots)
    at = list(range(node.rank))
    for slot, arg in enumerate(node.args):
        if arg not in moving:
            continue
        more = normal.unknown(node.name, node.args, node.dims[:own], (*node.slots, slot))
        here = [("k", n) for n in range(arg.rank)]
        found.append((arg, contract(1, [(bar, front + at), (more, at + here)], front + here)))
    return found


def _through_entries(node: Node, bar: Node, front: Labels, moving: set[Node]) -> list[tuple[Node, Node]]:
    at = list(range(node.rank))
    found = []
    for (base, labels), part in entry_partials(node, moving).items():
        sizes = dict(zip(labels, base.dims, strict=True))
        found.append((base, contract(1, [(bar, front + at), (part, at)], front + list(labels), sizes)))
    return found


Bases = dict[tuple[Node, tuple[int, ...]], Node]


def entry_partials(node: Node, moving: set[Node]) -> Bases:
    """Return ∂node[i]/∂base[i'] for the arrays that an entrywise expression is made of.

    Each base stands at some of the indices of `node`; the branches of `where` stay inside of it, so
    that what is undefined in the other branch is never met.
    """
    same = tuple(range(node.rank))
    match node:
        case Add():
            return _linear([(c, entry_partials(n, moving)) for c, n in node.terms if n in moving], node.dims)
        case Map():
            return _times(slope(node), entry_partials(node.arg, moving))
        case Pow():
            outer = normal.scaled(node.exponent, normal.power(node.base, node.exponent - 1))
            return _times(outer, entry_partials(node.base, moving))
        case Power():
            return _power_partials(node, moving)
        case Where():
            return _where_partials(node, moving)
        case Extremum():
            return _extremum_partials(node, moving)
        case Contraction() if not node.bound and not any(isinstance(f, Delta) for f in node.children()):
            return _product_partials(node, moving)
    return {(node, same): normal.number(1, node.dims)}


def _times(outer: Node, inner: Bases) -> Bases:
    at = range(outer.rank)
    return {key: contract(1, [(outer, at), (part, at)], at) for key, part in inner.items()}


def _linear(parts: list[tuple[Fraction, Bases]], dims: Shape) -> Bases:
    terms: dict[tuple[Node, tuple[int, ...]], list[tuple[Fraction | int, Node]]] = {}
    for coef, bases in parts:
        for key, part in bases.items():
            terms.setdefault(key, []).append((coef, part))
    return {key: add(t, dims) for key, t in terms.items()}


def _power_partials(node: Power, moving: set[Node]) -> Bases:
    at = range(node.rank)
    parts: list[tuple[Fraction, Bases]] = []
    if node.base in moving:
        less = add([(1, node.exponent), (-1, normal.number(1, node.dims))], node.dims)
        outer = contract(1, [(node.exponent, at), (normal.general_power(node.base, less), at)], at)
        parts.append((ONE, _times(outer, entry_partials(node.base, moving))))
    if node.exponent in moving:
        outer = contract(1, [(normal.entrywise("log", node.base), at), (node, at)], at)
        parts.append((ONE, _times(outer, entry_partials(node.exponent, moving))))
    return _linear(parts, node.dims)


def _where_partials(node: Where, moving: set[Node]) -> Bases:
    zero = normal.number(0, node.dims)
    yes = entry_partials(node.yes, moving) if node.yes in moving else {}
    no = entry_partials(node.no, moving) if node.no in moving else {}
    return {
        key: normal.where(node.relation, node.left, node.right, yes.get(key, zero), no.get(key, zero))
        for key in [*yes, *(k for k in no if k not in yes)]
    }


def _extremum_partials(node: Extremum, moving: set[Node]) -> Bases:
    """`∂max(a, b)/∂a = ½ (1 + sign(a − b))`: 1, half at a tie, 0; for the minimum with b − a."""
    parts, half = [], Fraction(1, 2)
    for arg, other in ((node.left, node.right), (node.right, node.left)):
        if arg in moving:
            ahead = 1 if node.kind == "maximum" else -1
            lead = normal.entrywise("sign", add([(ahead, arg), (-ahead, other)], node.dims))
            step = add([(half, normal.number(1, node.dims)), (half, lead)], node.dims)
            parts.append((ONE, _times(step, entry_partials(arg, moving))))
    return _linear(parts, node.dims)


def _product_partials(node: Contraction, moving: set[Node]) -> Bases:
    parts: list[tuple[Fraction, Bases]] = []
    for k, (child, labels) in enumerate(node.factors):
        if child not in moving:
            continue
        others = [f for n, f in enumerate(node.factors) if n != k]
        rest = contract(node.coef, others, range(node.rank), dict(enumerate(node.dims)))
        inner = entry_partials(child, moving)
        lifted = {
            (base, tuple(labels[s] for s in at)): normal.rewrapped(part, labels, node.dims)
            for (base, at), part in inner.items()
        }
        parts.append((ONE, _times(rest, lifted)))
    return _linear(parts, node.dims)


# ---------------------------------------------------------------- scalar functions


@lru_cache(maxsize=256)
def _formula(function: str) -> Expr:
    return parse(FUNCTIONS[function].derivative, Scope({"u": variable("u", ()), "f": variable("f", ())}))


@lru_cache(maxsize=1024)
def slope(node: Map, itself: Node | None = None) -> Node:
    """Return f′(arg[i…]) for `f(arg[i…])`, written with f itself where that is shorter."""
    if node.function not in FUNCTIONS:
        return normal.entrywise(node.function, node.arg, node.order + 1)
    labels = tuple(("at", k) for k in range(node.rank))
    parts = {"u": Array(node.arg, (), labels), "f": Array(itself or node, (), labels)}
    found = lower(_formula(node.function), lambda e: parts[e.name] if e.op == "var" else None)
    sizes = dict(enumerate(node.dims))
    return contract(1, [(found.node, [label[1] for label in found.free])], range(node.rank), sizes)
