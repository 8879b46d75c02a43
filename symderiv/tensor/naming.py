"""Which parts of an expression get a name of their own, as a person would give them one.

A derivation runs over definitions.  Where the user gave none, the argument of a nonlinear function and
what is used twice are named, as far as they depend on what is differentiated in.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from symderiv.tensor.expr import Expr, defined, walk

NONLINEAR = frozenset({
    "sqrt", "norm", "inv", "det", "logdet", "softmax", "logsumexp", "maximum", "minimum", "prod", "others",
    "general_power", "matrix_power", "solve",
})  # fmt: skip
VIEWS = frozenset(["transpose", "newaxis", "neg"])
LETTERS = ("u", "v", "r", "s", "a", "b", "c", "z", "g", "q")


def named(expr: Expr, variables: Iterable[str], taken: Iterable[str]) -> Expr:
    """Return the expression with definitions put in; names are letters not in `taken`.

    >>> from symderiv.tensor.parse import Scope, parse, variable
    >>> x = variable("x", ("n",))
    >>> named(parse("norm(2 * x)**2", Scope({"x": x})), ["x"], ["x"]).args[0].args[0].op
    'defined'
    """
    wanted = set(variables)
    depends: dict[Expr, bool] = {}
    for node in walk(expr):
        depends[node] = (node.op == "var" and node.name in wanted) or any(depends[a] for a in node.args)
    cuts = _cuts(expr, depends)
    names = _names(set(taken) | {n.name for n in walk(expr) if n.op in ("var", "defined")})
    new: dict[Expr, Expr] = {}
    for node in walk(expr):
        args = tuple(new[a] for a in node.args)
        rebuilt = node.with_args(args)
        new[node] = defined(next(names), rebuilt) if node in cuts and node is not expr else rebuilt
    return new[expr]


def _cuts(expr: Expr, depends: dict[Expr, bool]) -> set[Expr]:
    uses = Counter(a for node in walk(expr) for a in set(_sloping(node)))
    left_out = guarded(expr)
    cuts: set[Expr] = set()
    for node in walk(expr):
        if not depends[node]:
            continue
        for a in node.args:
            if not depends[a] or not _composite(a) or a in left_out:
                continue
            if _bends(node, a) or uses[a] > 1 or node.args.count(a) > 1:
                cuts.add(a)
    return cuts


def _sloping(node: Expr) -> tuple[Expr, ...]:
    """Return the arguments that an operation has a slope in: a condition has none."""
    return node.args[2:] if node.op == "where" else node.args


def guarded(expr: Expr) -> set[Expr]:
    """Return what gets no name because a branch of `where` may guard it: its slope must not be met outside."""
    singular: dict[Expr, bool] = {}
    for node in walk(expr):
        singular[node] = _singular(node) or any(singular[a] for a in node.args)
    return {n for node in walk(expr) if node.op == "where" for n in walk(*node.args[2:]) if singular[n]}


REGULAR = frozenset(["sin", "cos", "arctan", "tanh", "sigmoid", "softplus"])


def _singular(node: Expr) -> bool:
    """Tell what may have no finite value or slope somewhere."""
    if node.op == "map":
        return node.data[0] not in REGULAR
    if node.op == "power":
        return not (node.data[0] > 0 and node.data[0].denominator == 1)
    return node.op in ("sqrt", "div", "general_power", "norm")


def _composite(node: Expr) -> bool:
    while node.op in VIEWS:
        node = node.args[0]
    return node.op not in ("var", "defined", "number", "size", "entry") and bool(node.args)


def _bends(node: Expr, arg: Expr) -> bool:
    """Tell whether the operation is nonlinear in this argument."""
    if node.op == "power":
        return not (arg.op == "norm" and node.data[0] % 2 == 0)
    if node.op == "map":
        return True
    if node.op == "div":
        return arg is node.args[1]
    return node.op in NONLINEAR


def _names(taken: set[str]) -> Iterator[str]:
    for suffix in ("", *map(str, range(1, 1000))):
        for letter in LETTERS:
            if letter + suffix not in taken:
                taken.add(letter + suffix)
                yield letter + suffix
