"""What `diff` and `partial` stand for inside of an expression: nodes found by the chain rule.

`diff(f, x)` is the total derivative through the definitions, `partial(f, x)` the immediate one, with
every definition that stands in f's own text held constant.  f may carry free indices and x may be an
entry, `diff(A[i,j], W[k,l])`: the derivative in the whole array is taken, then its entry.  `diff(f, x, holding=h)`
goes through all definitions but those named, and `directional(f, {w: v})` is `Σ_w Σ_k ∂f/∂w[k] v[k]`.
"""

from __future__ import annotations

from collections.abc import Mapping

from symderiv.chain import differentiate, directional
from symderiv.errors import UnsupportedError
from symderiv.index.graph import Node
from symderiv.index.indexed import At
from symderiv.index.normal import dependent, substitute
from symderiv.lower import Array, Engine, Meaning, lower
from symderiv.tensor.expr import Axis, Expr, replaced, walk
from symderiv.tensor.parse import without_symmetry


def meaning(sizes: Mapping[str, Axis] | None = None) -> Meaning:
    """Return the meaning of derivatives inside of an expression; `sizes` are those of free indices."""
    ranges = dict(sizes or {})

    def inside(expr: Expr) -> Array | None:
        return _meaning(expr, ranges, inside, last=False)

    def outermost(expr: Expr) -> Array | None:
        return _meaning(expr, ranges, inside, last=True)

    return outermost


def _meaning(expr: Expr, ranges: Mapping[str, Axis], inner: Meaning, last: bool) -> Array | None:
    """Return the node of a derivative; before the last one the entries of definitions count as independent."""
    match expr.op:
        case "diff":
            return _derivative(expr, ranges, inner, last)
        case "directional":
            return _along(expr, ranges, inner, last)
        case "block":
            raise UnsupportedError(
                "a matrix of blocks is computed and compared, not calculated with", hint="differentiate its blocks"
            )
        case "remainder":
            what = f"O({expr.args[0].name}**{expr.data[0]})"
            raise UnsupportedError(f"{what} is no quantity", hint=f"a claim has it as a term: left == right + {what}")
    return None


def _derivative(expr: Expr, ranges: Mapping[str, Axis], inner: Meaning, last: bool) -> Array:
    free_entries = _bare(expr)
    f, *variables = (replaced(a, free_entries) for a in expr.args)
    function = lower(f, inner, ranges, independent=True)
    node = function.node
    tokens: list[object] = [("f", k) for k in range(node.rank - len(function.free))]
    labels: list[object] = [*tokens, *function.free]
    for order, x in enumerate(variables):
        array = x.args[0] if x.op == "entry" else x
        leaf = lower(array, inner, ranges, independent=True).node
        held = _constant(expr, f, array, inner)
        node = differentiate(node, leaf, held).result
        subscripts = x.data if x.op == "entry" else (None,) * len(array.axes)
        for place, (name, axis) in enumerate(zip(subscripts, array.axes, strict=True)):
            if name is None:
                new: list[object] = [("x", order, place, n) for n in range(len(axis))]
                tokens += new
                labels += new
            else:
                labels += Engine.free(name, axis)
    node = dependent(node) if last else node
    node = substitute(node, {lower(b).node: lower(x).node for x, b in free_entries.items()})
    at = At(node, labels)
    free = tuple(sorted(x for x in at.labels if isinstance(x, str)))
    dims = dict(zip(at.labels, at.node.dims, strict=True))
    return Array(at.over((*tokens, *free), dims), expr.axes, free)


def _bare(expr: Expr) -> dict[Expr, Expr]:
    """Return the variables differentiated in without their symmetries, which hold after the last derivative."""
    arrays = [x.args[0] if x.op == "entry" else x for x in expr.args[1:]]
    found = {x: without_symmetry(x) for x in arrays if x.op == "var"}
    return {x: b for x, b in found.items() if b is not x}


def _constant(expr: Expr, f: Expr, x: Expr, inner: Meaning) -> list[Node]:
    """The definitions that a derivative of f in x holds constant."""
    if expr.data[0] == "total":
        return []
    if expr.data[0] == "immediate":
        return _held(f, x, inner)
    if x.name in expr.data[1:]:
        raise UnsupportedError(f"{x.name} is held and differentiated in", hint="hold what stands between the two")
    return [lower(e, inner, independent=True).node for e in walk(f) if e.op == "defined" and e.name in expr.data[1:]]


def _along(expr: Expr, ranges: Mapping[str, Axis], inner: Meaning, last: bool) -> Array:
    """`R{f} = Σ_w Σ_k ∂f/∂w[k] v[k]`, up the definitions; the directions themselves stay as they are."""
    arrays, values = expr.args[1::2], expr.args[2::2]
    bare = {w: without_symmetry(w) for w in arrays if w.op == "var"}
    bare = {w: b for w, b in bare.items() if b is not w}
    function = lower(replaced(expr.args[0], bare), inner, ranges, independent=True)
    directions = {}
    for w, v in zip(arrays, values, strict=True):
        direction = lower(v, inner, ranges, independent=not last)
        if direction.free:
            raise UnsupportedError("a direction holds a free index", hint="write the direction as an array")
        directions[lower(bare.get(w, replaced(w, bare)), inner, ranges, independent=True).node] = direction.node
    node = directional(function.node, directions)[function.node]
    node = dependent(node) if last else node
    node = substitute(node, {lower(b).node: lower(w).node for w, b in bare.items()})
    return Array(node, expr.axes, function.free)


def _held(f: Expr, x: Expr, inner: Meaning) -> list[Node]:
    """The definitions in f's own text other than x; x must stand there itself."""
    base = f.args[0] if f.op == "entry" else f
    text = base.args[0] if base.op == "defined" else base
    direct: dict[Expr, None] = {}
    stack = [text]
    while stack:
        node = stack.pop()
        if node.op == "defined" or node is x:
            direct[node] = None
        else:
            stack += node.args
    if x not in direct:
        via = ", ".join(e.name for e in direct if e.op == "defined" and any(a is x for a in walk(e)))
        raise UnsupportedError(
            f"{x.name} does not stand in the definition itself",
            hint=f"it depends on {x.name} through {via}: write diff" if via else "write diff",
        )
    return [lower(e, inner, independent=True).node for e in direct if e is not x and e.op == "defined"]


def simplified(expr: Expr) -> Expr:
    """Return an expression with `diff` for `partial` where they are the same: f depends on x in its own text only.

    Where f is an unknown function of named arrays, x one of them, the immediate derivative is that of the function.
    A function of the sheet that stands for a directional derivative is written as one.
    """
    expr = replaced(expr, {e: e.args[0] for e in walk(expr) if e.op == "called" and e.args[0].op == "directional"})
    change: dict[Expr, Expr] = {}
    for e in walk(expr):
        if e.op != "diff" or e.data != ("immediate",):
            continue
        f, *variables = ((a.args[0] if a.op == "entry" else a) for a in e.args)
        body = f.args[0] if f.op == "defined" else f
        if not any(x in walk(d) for x in variables for d in definitions_in(body) if d is not x):
            change[e] = Expr("diff", e.args, ("total",), e.axes)
            continue
        slot = _slot(body, variables)
        if slot is not None:
            own = Expr("unknown", body.args, (body.name, (slot,)), f.axes + variables[0].axes)
            subscripts = tuple(n for a in e.args for n in (a.data if a.op == "entry" else (None,) * a.rank))
            change[e] = Expr("entry", (own,), subscripts, e.axes) if any(subscripts) else own
    return replaced(expr, change) if change else expr


def _slot(body: Expr, variables: list[Expr]) -> int | None:
    """Return which argument of an unknown function a variable is, where it stands in no other."""
    if body.op != "unknown" or len(body.data) > 1 or len(variables) > 1 or body.args.count(variables[0]) != 1:
        return None
    (x,) = variables
    inside = any(a is not x and a.op not in ("var", "defined") and x in walk(a) for a in body.args)
    return None if inside else body.args.index(x)


def stands_in(x: Expr, text: Expr) -> bool:
    """Tell whether x stands in a text itself, not looking into definitions."""
    return text is x or (text.op != "defined" and any(stands_in(x, a) for a in text.args))


def definitions_in(text: Expr) -> list[Expr]:
    """Return the definitions that a text names itself."""
    found: dict[Expr, None] = {}
    stack = [text]
    while stack:
        node = stack.pop()
        if node.op == "defined":
            found[node] = None
        else:
            stack += node.args
    return list(found)
