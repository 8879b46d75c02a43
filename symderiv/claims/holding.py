"""`diff(f, x, holding=h)` in a claim: the total derivative where h is a variable.

What holds for all values of h holds for the value that its definition gives.  So a claim is proved with h as a
variable throughout, unless it has another derivative that goes through the definition of h.  Where f leads to x
in its own text only, but for what is held, the derivative is the immediate one.
"""

from __future__ import annotations

from symderiv.errors import UnsupportedError
from symderiv.statements.meaning import definitions_in, simplified, stands_in
from symderiv.tensor.expr import Expr, replaced, walk


def names_held(left: Expr, right: Expr) -> bool:
    """Tell whether a claim holds definitions constant."""
    return any(e.op == "diff" and e.data[0] == "holding" for e in walk(left, right))


def with_variables(*exprs: Expr) -> tuple[Expr, ...]:
    """Return expressions with a variable for every definition that is held, and `diff` for `diff(…, holding=h)`.

    Raises UnsupportedError where another derivative goes through one of them.
    """
    exprs = tuple(map(_immediate, exprs))
    names = {name for e in walk(*exprs) if e.op == "diff" and e.data[0] == "holding" for name in e.data[1:]}
    held = [e for e in walk(*exprs) if e.op == "defined" and e.name in names]
    for e in walk(*exprs):
        for h in held:
            if e.op in ("diff", "directional") and h.name not in e.data[1:] and _goes_through(e, h):
                raise UnsupportedError(f"a derivative that goes through {h.name} beside one that holds it")
    new: dict[Expr, Expr] = {}
    for node in walk(*exprs):
        args = tuple(new[a] for a in node.args)
        if node in held:
            new[node] = Expr("var", (), (node.name, frozenset()), node.axes)
        elif node.op == "diff" and node.data[0] == "holding":
            new[node] = Expr("diff", args, ("total",), node.axes)
        else:
            new[node] = node.with_args(args)
    return tuple(new[e] for e in exprs)


def _immediate(expr: Expr) -> Expr:
    """Return an expression without derivatives that hold all through which f leads to x otherwise.

    They are immediate; those that have another form are left.
    """
    change: dict[Expr, Expr] = {}
    for e in walk(expr):
        if e.op != "diff" or e.data[0] != "holding" or len(e.args) != 2:
            continue
        f, x = ((a.args[0] if a.op == "entry" else a) for a in e.args)
        body = f.args[0] if f.op == "defined" else f
        others = [d for d in definitions_in(body) if d is not x and d.name not in e.data[1:]]
        if not any(x in walk(d) for d in others) and stands_in(x, body):
            plain = simplified(Expr("diff", e.args, ("immediate",), e.axes))
            change |= {e: plain} if plain.data != ("immediate",) else {}
    return replaced(expr, change)


def _goes_through(derivative: Expr, h: Expr) -> bool:
    """Tell whether a derivative changes where h is a variable: f depends on h, and h on what moves."""
    if derivative.data == ("immediate",):
        return False
    f, *rest = derivative.args
    moving = rest[::2] if derivative.op == "directional" else rest
    below = set(walk(h)) - {h}
    return h in walk(f) and any((x.args[0] if x.op == "entry" else x) in below for x in moving)
