"""A Python function written in NumPy, as an expression: run on tensors that are named after its parameters.

Nothing of the source is read: loops run, helper functions are called, closures hold what they hold.
Numbers (defaults, closures, globals) are constants.  Arrays of numbers are refused, since an expression
knows its arrays by name and shape: they become parameters.

*Names.*  Local variables become definitions.  They are read from the function's own frame, each time an
operation is done and once more when the function has returned.  Nothing is installed for that, so debuggers,
profilers and coverage, which own the hooks of `sys`, go on undisturbed, and functions without a source file
(those of an interactive session) have their names too.  A name that is bound to several arrays one after the
other, or has a meaning already, gets numbers: `z`, `z_1`, `z_2`.

*Hidden state.*  The function runs a second time, and is refused where it gives another expression: random
numbers and counters are no part of an expression.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from itertools import count
from types import FrameType, MethodType
from typing import Any

from symderiv.errors import SymderivError, UnsupportedError
from symderiv.statements.calling import arguments, called, code_of, place_of_definition, refusal, with_sizes
from symderiv.tensor.array import Condition, Tensor
from symderiv.tensor.constants import constant
from symderiv.tensor.expr import Expr, defined, walk
from symderiv.tensor.naming import VIEWS, guarded
from symderiv.tensor.parse import KNOWN, Scope

RESERVED = frozenset([*KNOWN, "diff", "partial", "delta"])


def trace(function: Callable[..., Any], scope: Scope) -> Expr:
    """Return what a function computes, its local variables as definitions.

    Parameters are looked up in the scope: arrays, functions without a formula, sizes; others keep their
    defaults.  Raises :class:`symderiv.UnknownNameError` for a parameter that is neither, and an error with
    file and line for what is no expression.

    >>> from symderiv.tensor.parse import scope_of
    >>> from symderiv.tensor.text import to_text
    >>> def loss(X, w, y):
    ...     r = X @ w - y
    ...     return (r**2).sum() / len(y)
    >>> found = trace(loss, scope_of({"X": ("n", "p"), "w": ("p",), "y": ("n",)}))
    >>> to_text(found), [to_text(e.args[0]) for e in walk(found) if e.op == "defined"]
    ('sum(r**2) / n', ['X @ w - y'])
    """
    method = getattr(function, "__call__", None)  # noqa: B004 -- an object that can be called is its method
    if isinstance(method, MethodType):
        function = method
    target = with_sizes(function)
    run, again = Run(function), Run(function)
    result = run.result(target, scope)
    if again.result(target, scope) is not result:
        raise UnsupportedError(
            f"{called(function)} gives another expression each time it is run",
            place=place_of_definition(function),
            hint="random numbers and other state are no part of an expression: pass them as parameters",
        )
    return with_names(result, run.names, scope)


class Run:
    """One run of a function: its expression, and the names that its local variables give to parts of it."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function, self.code = function, code_of(function)
        self.names: dict[Expr, str] = {}
        self.caller: FrameType | None = None
        self.frame: FrameType | None = None

    def result(self, target: Callable[..., Any], scope: Scope) -> Expr:
        """Return the expression that a run of `target` gives."""
        args, keywords = arguments(self.function, scope, self)
        self.caller = inspect.currentframe()
        try:
            found = self.expression(target(*args, **keywords))
            self.read()
            return found
        except SymderivError as err:
            raise refusal(err, self.function) from None
        except Exception as err:
            raise refusal(err, self.function) from err
        finally:
            self.caller = self.frame = None

    def note(self) -> None:
        """Read the local variables as they stand at an operation."""
        frame = inspect.currentframe()
        while frame is not None and frame is not self.caller:
            if frame.f_code is self.code:
                self.frame = frame
            frame = frame.f_back
        self.read()

    def read(self) -> None:
        """Read the local variables: the first name of an expression is its name."""
        for name, value in self.frame.f_locals.items() if self.frame is not None else ():
            if isinstance(value, Tensor):
                self.names.setdefault(value.expr, name)

    def expression(self, value: Any) -> Expr:
        """Return what the function returned as an expression."""
        what = called(self.function)
        place = place_of_definition(self.function)
        if isinstance(value, Tensor):
            return value.expr
        if value is None:
            raise UnsupportedError(f"{what} returns nothing", place=place, hint="end it with return")
        if isinstance(value, Condition):
            hint = "write np.where(condition, a, b)"
            raise UnsupportedError(f"{what} returns a comparison", place=place, hint=hint)
        if isinstance(value, (tuple, list)):
            hint = f"return one array, or trace lambda …: {what}(…)[0]"
            raise UnsupportedError(f"{what} returns {len(value)} values", place=place, hint=hint)
        try:
            return constant(value)
        except SymderivError as err:
            raise err.at(place) if place else err from None


# ---------------------------------------------------------------- names


def with_names(result: Expr, names: Mapping[Expr, str], scope: Scope) -> Expr:
    """Return an expression with the parts that have a name as definitions."""
    varies: dict[Expr, bool] = {}
    for node in walk(result):
        varies[node] = node.op == "var" or any(varies[a] for a in node.args)
    left_out = guarded(result)
    wanted = {
        e: name
        for e, name in names.items()
        if varies.get(e) and e is not result and e not in left_out and _composite(e) and not name.startswith("_")
    }
    taken = {*RESERVED, *scope.names, *scope.sizes, *scope.functions}
    variants = {name: _variants(name) for name in wanted.values()}
    chosen: dict[Expr, str] = {}
    for e, name in wanted.items():
        chosen[e] = next(n for n in variants[name] if n not in taken)
        taken.add(chosen[e])
    new: dict[Expr, Expr] = {}
    for node in walk(result):
        args = tuple(new[a] for a in node.args)
        rebuilt = node.with_args(args)
        new[node] = defined(chosen[node], rebuilt) if node in chosen else rebuilt
    return new[result]


def _variants(name: str) -> Iterator[str]:
    yield name
    yield from (f"{name}_{k}" for k in count(1))


def _composite(expr: Expr) -> bool:
    """Tell whether an expression is worth a name: more than another view of something."""
    while expr.op in VIEWS:
        (expr,) = expr.args
    return bool(expr.args)
