r"""What others may add: a scalar function, an operation, a rule of proofs; from a script or from a package.

A *function* is one row of the table (:class:`symderiv.Function`), an *operation* one index line, a *rule* a Python
function from an expression to what it becomes. Derivatives, proofs, checks and code follow from these.

A package brings its own along by an entry point of the group `symderiv.extensions`: the name of a function that adds
them, called when symderiv is first used. What is added later holds for everything that is read after it.

Nothing added is taken on trust. A function's formula for its derivative is held against differences of its values; an
operation is put in as its index line, so that nothing else needs to know of it; the steps of a rule are examined by
the kernel like all others.
"""

from __future__ import annotations

import ast
import warnings
from bisect import insort
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from importlib.metadata import EntryPoint
from typing import Any

import numpy as np

from symderiv import dims, trees
from symderiv.check.laws import LAWS, Law
from symderiv.code.helpers import HELPERS
from symderiv.errors import ParseError, Place, ShapeError, UnsupportedError
from symderiv.functions import FUNCTIONS, Function
from symderiv.index import rules
from symderiv.index.indexed import At
from symderiv.index.rules import RULES, Rule
from symderiv.lift import lift
from symderiv.lower import Engine, index_ranges, lower
from symderiv.results import Declared, code_source, compiled
from symderiv.statements.block import RESERVED
from symderiv.statements.meaning import meaning
from symderiv.tensor.entries import array_of, filled, standing
from symderiv.tensor.expr import Axis, Expr, walk
from symderiv.tensor.parse import ADDED, KNOWN, Parser, Scope, parse, variable

NEAR = 1e-6  # between a slope and a difference quotient, relative to 1 + |slope|
STEP = 1e-4


# ---------------------------------------------------------------- functions


def add_function(row: Function, helper: str = "") -> None:
    r"""Add a scalar function, applied entrywise: one row of the table.

    Beside its derivative the row gives the function itself, as `formula` (a text of the language in u) or as `call` (a
    Python function of an array). Code is generated from the row's `numpy`, with `{0}` in the place of the argument.
    Where that takes more than an expression of NumPy's, `helper` is the source of a function that generated code
    brings along, with `{name}` and `{np}` for its own name and NumPy's; `numpy` is not read then.

    >>> add_function(
    ...     Function(
    ...         "bump",
    ...         "-2 * u * f",
    ...         r"\operatorname{bump}",
    ...         "np.exp(-({0})**2)",
    ...         formula="exp(-(u**2))",
    ...     )
    ... )
    >>> import symderiv
    >>> print(symderiv.derive("sum(bump(x))", "x", shapes={"x": ("n",)}).result)
    -2 * bump(x) * x
    >>> remove("bump")

    Raises ParseError for a name that is taken or a formula that cannot be read, UnsupportedError where the formula
    for the derivative or the code has other values than the function at the row's samples.
    """
    _new_name(row.name)
    if not (row.formula or row.call):
        hint = f"give formula=, a text in u, or call=, a Python function: {row.name} is checked by its values"
        raise UnsupportedError(f"nothing tells the values of {row.name}", hint=hint)
    FUNCTIONS[row.name] = row if row.call else replace(row, call=_evaluated(row.formula, "formula", row.name))
    insort(KNOWN, row.name)
    if helper:
        HELPERS[row.name] = helper
    try:
        _hold_against_values(FUNCTIONS[row.name])
    except BaseException:
        remove(row.name)
        raise


def _hold_against_values(row: Function) -> None:
    """Refuse a row whose derivative or code has other values than the function."""
    assert row.call is not None
    u = np.array(row.samples, dtype=float)
    value = np.asarray(row.call(u), dtype=float)
    slope = _evaluated(row.derivative, "derivative", row.name)(u, value)
    wanted = (8 * (row.call(u + STEP) - row.call(u - STEP)) - (row.call(u + 2 * STEP) - row.call(u - 2 * STEP))) / (
        12 * STEP
    )
    code = _evaluated(f"{row.name}(u)", "numpy", row.name)(u)
    for what, got, right in (("derivative", slope, wanted), ("numpy", code, value)):
        wrong = np.flatnonzero(~(np.abs(got - right) <= NEAR * (1 + np.abs(right))))
        if wrong.size:
            k = wrong[0]
            raise UnsupportedError(
                f"{row.name} at u = {u[k]:g}: {what} gives {got[k]:.6g}, by the function's values it is {right[k]:.6g}",
                hint="correct the row, or give samples at which the function is smooth",
            )


def _evaluated(text: str, what: str, name: str) -> Callable[..., Any]:
    """Return a formula in u (and f, the value) as a function of arrays."""
    size = dims.shape(("n",))
    names = {letter: variable(letter, size) for letter in ("u", "f")}
    try:
        result = parse(text, Scope(dict(names)))
    except (ParseError, ShapeError) as err:
        why = f"the {what} of {name} cannot be read: {err.message}"
        raise ParseError(why, place=err.place, hint=err.hint) from None
    result = filled(result, names["u"].axes)
    declared = Declared(tuple(names), tuple(names.values()), {})
    function = compiled(code_source("values", [result], [*names.values()], "Values.", (), declared))

    def call(u: Any, f: Any = None) -> Any:
        flat = np.ravel(u)
        return function(u=flat, f=flat if f is None else np.ravel(f)).reshape(np.shape(u))

    return call


# ---------------------------------------------------------------- operations


@dataclass(frozen=True)
class Line:
    """An operation's index line: `name(A, …)[i, …] = body`."""

    name: str
    parameters: tuple[str, ...]
    labels: tuple[str, ...]
    body: str

    def __call__(self, parser: Parser, node: ast.Call) -> Expr:
        """Return the operation at the arguments of a call, by its index line."""
        if node.keywords or any(isinstance(a, ast.Starred) for a in node.args):
            parser.refuse(node, f"{self.name} takes its arguments by place")
        parser.arity(node, self.name, node.args, len(self.parameters), len(self.parameters))
        args = [parser.read(a) for a in node.args]
        try:
            return self.at(dict(zip(self.parameters, args, strict=True)), parser.scope)
        except (ParseError, ShapeError, UnsupportedError) as err:
            shapes = {p: dims.written(a.shape) for p, a in zip(self.parameters, args, strict=True)}
            raise ShapeError(
                f"{self.name}: {err.message}", place=parser.place(node), shapes=shapes, hint=f"it is {self}"
            ) from None

    def at(self, args: Mapping[str, Expr], scope: Scope) -> Expr:
        """Return the array with these entries, in matrix notation."""
        body = parse(self.body, Scope(dict(args), dict(scope.sizes), indices=True))
        ranges, free = index_ranges(body), standing(body)
        if not free >= set(self.labels):
            raise ParseError(f"the indices that stand in it are {', '.join(sorted(free)) or 'none'}")
        if free - set(self.labels):
            return array_of(body, self.labels, ranges)  # as it is written, inside of a line over entries
        return _in_matrices(body, {k: ranges[k] for k in self.labels})

    def __str__(self) -> str:
        labels = f"[{', '.join(self.labels)}]" if self.labels else ""
        return f"{self.name}({', '.join(self.parameters)}){labels} = {self.body}"


def _in_matrices(body: Expr, ranges: Mapping[str, Axis]) -> Expr:
    """Return the array whose entry at these indices an expression is, in matrix notation."""
    array = lower(body, meaning(ranges), ranges)
    entry = At(array.node, array.free)
    order = [atom for name, axis in ranges.items() for atom in Engine.free(name, axis)]
    names = {lower(e, meaning()).node: e for e in walk(body) if e.op == "defined"}
    return lift(entry.over(order, entry.sizes()), tuple(ranges.values()), names)


def add_operation(line: str) -> None:
    """Add an operation by its index line: `name(A, B)[i, j] = …`, entries on the right, in the language.

    Shapes follow from the subscripts. Whoever uses the operation gets what the line says, in matrix notation.

    >>> add_operation("gram(A, B)[i, j] = sum[q](A[q, i] * B[q, j]) + delta[i, j]")
    >>> import symderiv
    >>> d = symderiv.derive(
    ...     "trace(gram(X @ W, X))", "W", shapes={"X": ("m", "n"), "W": ("n", "n")}
    ... )
    >>> print(d.result)
    X.T @ X
    >>> remove("gram")

    Raises ParseError where the line cannot be read, with its place.
    """
    left, right = (_tree(side, line) for side in (line.partition("=")[0], line.partition("=")[2]))
    match left:
        case ast.Subscript(value=ast.Call() as call, slice=subscripts):
            labels = subscripts.elts if isinstance(subscripts, ast.Tuple) else [subscripts]
        case ast.Call() as call:
            labels = []
        case _:
            raise _unreadable(line)
    names = [call.func, *call.args, *labels]
    if call.keywords or not call.args or not all(isinstance(n, ast.Name) for n in names):
        raise _unreadable(line)
    name, *rest = (n.id for n in names if isinstance(n, ast.Name))
    _new_name(name)
    if len({*rest}) < len(rest):
        raise ParseError(f"the line of {name} names one thing twice", place=Place(line))
    count = len(call.args)
    ADDED[name] = Line(name, tuple(rest[:count]), tuple(rest[count:]), ast.unparse(right))
    insort(KNOWN, name)


def _tree(side: str, line: str) -> ast.expr:
    try:
        return trees.expression(side.strip())
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise _unreadable(line) from None


def _unreadable(line: str) -> ParseError:
    return ParseError(
        "this is no index line", place=Place(line), hint="write name(A, B)[i, j] = sum[q](A[i, q] * B[q, j])"
    )


# ---------------------------------------------------------------- rules


def add_rule(name: str, rule: Rule, law: Law | None = None) -> None:
    """Add a rule for the terms of a proof as written, tried wherever a proof is tidied.

    `rule(expr, context)` returns what an expression becomes, or None where it does not fit; its docstring states the
    rule. It must come to an end: what it returns, it may not take up again for ever.

    The kernel accepts a step where both sides have one ring normal form. A rule that is about more than that needs a
    `law(before, after, case)` of its own, which raises where a step is not justified; then that law is believed.

    Raises ParseError for a name that is taken, UnsupportedError where nothing says what the rule is.
    """
    if name in RULES or name in LAWS:
        raise ParseError(f"there is a rule called {name!r} already", hint="take another name")
    if not (rule.__doc__ or "").strip():
        raise UnsupportedError(f"nothing says what the rule {name!r} is", hint="state it in the function's docstring")
    RULES[name] = rule
    LAWS[name] = law or LAWS["rearrange"]
    rules.ADDED.append(name)


# ---------------------------------------------------------------- names, packages


def remove(name: str) -> None:
    """Take away a function, an operation or a rule that was added; what was derived with it stays as it is."""
    ADDED.pop(name, None)
    FUNCTIONS.pop(name, None)
    HELPERS.pop(name, None)
    if name in KNOWN:
        KNOWN.remove(name)
    if name in rules.ADDED:
        rules.ADDED.remove(name)
        del RULES[name], LAWS[name]


def _new_name(name: str) -> None:
    if not dims.is_name(name):
        raise ParseError(f"{name!r} is no name", hint="letters, digits and underscores, and no word of Python's own")
    if name in KNOWN or name in RESERVED:
        raise ParseError(f"{name} is a word of the language already", hint="take another name")


def load(entries: Iterable[EntryPoint]) -> None:
    """Call what installed packages name under `symderiv.extensions`.

    One that fails is left out with a warning that names it: what it would have added is not known then.
    """
    for entry in entries:
        try:
            entry.load()()
        except Exception as err:
            warnings.warn(f"the extension {entry.name} ({entry.value}) was left out: {err}", stacklevel=2)


__all__ = ["add_function", "add_operation", "add_rule", "load", "remove"]
