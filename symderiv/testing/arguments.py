"""The arguments that a function is checked at: by position or by name, some of them variables."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from symderiv.errors import ParseError
from symderiv.testing.differences import Array


class Arguments:
    """The arguments of a call by name; floats are variables."""

    def __init__(self, f: Callable[..., Any], args: Sequence[Any] | Mapping[str, Any]) -> None:
        self.keyed = isinstance(args, Mapping)
        if isinstance(args, Mapping):
            self.values = dict(args)
        elif isinstance(args, (tuple, list)):
            self.values = dict(zip(_names(f, len(args)), args, strict=True))
        else:
            raise ParseError(f"args is a tuple or a table of arguments, not {type(args).__name__}", hint="write (x,)")
        kinds = {name: _kind(value) for name, value in self.values.items()}
        self.floats = [name for name, kind in kinds.items() if kind == "f"]
        self.numbers = [name for name, kind in kinds.items() if kind in "fiu"]

    def array(self, name: str) -> Array:
        """Return a variable as an array of floats."""
        return np.array(self.values[name], dtype=float)

    def call(self, function: Callable[..., Any], changed: Mapping[str, Array] | None = None) -> Any:
        """Return what a function gives, with some arguments in place of their own; it gets copies."""
        values = {n: np.array(v) if isinstance(v, np.ndarray) else v for n, v in self.values.items()}
        values.update({n: np.array(v) if v.ndim else v[()] for n, v in (changed or {}).items()})
        return function(**values) if self.keyed else function(*values.values())

    def chosen(self, wrt: Any, result: Any) -> list[str]:
        """Return the names of the variables that a gradient is the derivative in."""
        if wrt is not None:
            wanted = [wrt] if isinstance(wrt, (str, int)) else list(wrt)
            return [self.named(w) for w in wanted]
        if isinstance(result, Mapping):
            return [self.named(w) for w in result]
        variables = self.floats or self.numbers
        count = len(result) if isinstance(result, (tuple, list)) else 1
        if count == len(variables):
            return variables
        what = f"a gradient of {count} part{'s' * (count > 1)} for {len(variables)} variables"
        raise ParseError(f"{what}: {', '.join(variables)}", hint='say which: wrt="w", or wrt=["W", "b"]')

    def named(self, which: str | int) -> str:
        """Return the name of an argument given by name or position."""
        names = list(self.values)
        if isinstance(which, int) and -len(names) <= which < len(names):
            which = names[which]
        if which not in self.values:
            raise ParseError(f"no argument is called {which!r}", hint=f"there are {', '.join(names)}")
        if which not in self.numbers:
            raise ParseError(f"the argument {which} is no array of real numbers", hint="leave it out of wrt")
        return str(which)


def _names(f: Callable[..., Any], count: int) -> list[str]:
    try:
        several = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
        names = [p.name for p in inspect.signature(f).parameters.values() if p.kind not in several][:count]
    except (TypeError, ValueError):
        names = []
    return names if len(names) == count else [f"argument {k}" for k in range(count)]


def _kind(value: Any) -> str:
    try:
        return np.asarray(value).dtype.kind
    except Exception:  # anything may be an argument
        return "O"
