"""The expressions of the statement language that speak of derivatives, beside `diff` and `partial`.

`directional(f, {w: v})` is `R{f} = Σ_w Σ_k ∂f/∂w[k] v[k]`, one term for each w.  `diff(f, x, holding=h)` keeps
a definition constant.  `O(eps**k)` is a term of a claim: of what is left of it, the Taylor coefficients in eps
below k are 0.
"""

from __future__ import annotations

import ast

from symderiv import dims
from symderiv.errors import ShapeError
from symderiv.functions import FUNCTIONS
from symderiv.tensor.expr import Expr, replaced
from symderiv.tensor.operations import apply
from symderiv.tensor.parse import Parser, Scope, parse, variable

ARRAYS = ("var", "defined")


def directional(parser: Parser, node: ast.Call) -> Expr:
    """Read `directional(f, {w: v, …})`: it has the axes of f."""
    match node:
        case ast.Call(args=[function, ast.Dict(keys=keys, values=values)], keywords=[]) if keys:
            pass
        case _:
            parser.refuse(node, "directional takes a function and its directions", "write directional(E, {w: v})")
    f = parser.read(function)
    parts: list[Expr] = []
    for key, value in zip(keys, values, strict=True):
        if key is None:
            parser.refuse(value, "directions are written one by one", "write directional(E, {w: v})")
        w, v = parser.read(key), parser.read(value)
        if w.op not in ARRAYS:
            parser.refuse(key, "what moves is a declared or defined array", "give it a name first")
        if w in parts[::2]:
            parser.refuse(key, f"{w.name} has two directions", "add them up")
        if w.axes != v.axes:
            shapes = {w.name: dims.written(w.shape), "direction": dims.written(v.shape)}
            raise ShapeError("a direction has the shape of what moves", place=parser.place(value), shapes=shapes)
        parts += [w, v]
    return Expr("directional", (f, *parts), (), f.axes)


def held(parser: Parser, node: ast.Call) -> tuple[str, ...]:
    """Read `holding=h` or `holding=(a, b)`: the names of what is kept constant, in order."""
    names: dict[str, None] = {}
    for keyword in node.keywords:
        if keyword.arg != "holding":
            parser.refuse(node, f"diff takes no {keyword.arg}=", "write diff(f, x, holding=h)")
        parts = keyword.value.elts if isinstance(keyword.value, ast.Tuple) else [keyword.value]
        for part in parts:
            expr = parser.read(part)
            if expr.op not in ARRAYS:
                parser.refuse(part, "what is held is a definition, by its name", "give it a name first")
            names[expr.name] = None
    return tuple(names)


def remainder(parser: Parser, node: ast.Call) -> Expr:
    """Read `O(eps**k)`."""
    match node:
        case ast.Call(args=[ast.BinOp(left=ast.Name(), op=ast.Pow(), right=power) as arg], keywords=[]):
            base, order = parser.read(arg.left), parser.integer(power, "the order of what is left out")
        case ast.Call(args=[ast.Name() as arg], keywords=[]):
            base, order = parser.read(arg), 1
        case _:
            parser.refuse(node, "O takes a power of one scalar", "write O(eps**2)")
    if base.op != "var" or base.rank:
        parser.refuse(node, "O takes a power of a declared scalar", "write eps: () and O(eps**2)")
    if not 1 <= order <= MOST_ORDER:
        parser.refuse(node, f"the order of what is left out is between 1 and {MOST_ORDER}")
    return Expr("remainder", (base,), (order,), ())


MOST_ORDER = 6


def slope_of(function: str, arg: Expr) -> Expr:
    """Return f′ at an argument, entry by entry, for a function of the table.

    >>> from symderiv.tensor.text import to_text
    >>> to_text(slope_of("tanh", variable("x", ("n",))))
    '1 - tanh(x)**2'
    """
    u, f = variable("u", arg.shape), variable("f", arg.shape)
    formula = parse(FUNCTIONS[function].derivative, Scope({"u": u, "f": f}))
    return replaced(formula, {u: arg, f: apply("map", arg, data=(function, 0))})


def by_derivatives(f: Expr, *pairs: Expr) -> Expr:
    """Return `Σ_w Σ_k ∂f/∂w[k] v[k]` for `directional(f, {w: v, …})`, given as f, w, v, ….

    >>> from symderiv.tensor.text import to_text
    >>> x, v = variable("x", ("n",)), variable("v", ("n",))
    >>> to_text(by_derivatives(apply("sum", x), x, v))
    "einsum('a,a->', diff(sum(x), x), v)"
    """
    terms = []
    for w, v in zip(pairs[::2], pairs[1::2], strict=True):
        slope = Expr("diff", (f, w), ("total",), f.axes + w.axes)
        letters = "abcdefghijklmnopqrstuvwxyz"[: slope.rank]
        own, rest = letters[: f.rank], letters[f.rank :]
        terms.append(
            apply("einsum", slope, v, data=(f"{own}{rest},{rest}->{own}",)) if rest else apply("mul", slope, v)
        )
    total = terms[0]
    for term in terms[1:]:
        total = apply("add", total, term)
    return total
