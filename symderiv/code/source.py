"""What a function of NumPy is generated from: its name, its arguments, the expressions that it returns."""

from __future__ import annotations

import builtins
import unicodedata
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from symderiv import dims
from symderiv.code.costs import Sizes, usual
from symderiv.errors import ParseError
from symderiv.tensor.expr import Expr
from symderiv.tensor.text import FunctionName

MEANT_OTHERWISE = frozenset({*vars(builtins), "linalg"})  # a function of this name would hide what code uses


@dataclass(frozen=True)
class Argument:
    """An argument of the generated function: an array with its shape, a callable, or a size that no array has."""

    name: str
    shape: dims.Shape | None = None
    is_size: bool = False
    below: dims.Size | None = None  # the entries are integers from 0 up to this, such as the numbers of classes
    note: str = ""  # what is said of it beside its shape, or instead


@dataclass
class Source:
    """What a function is generated from."""

    name: str
    arguments: Sequence[Argument]
    results: Sequence[Expr]
    summary: str
    notes: Sequence[str] = ()
    names: Mapping[Expr, str] = field(default_factory=dict)
    functions: Mapping[FunctionName, str] = field(default_factory=dict)
    keys: Sequence[Hashable] = ()  # names of the last results, which are returned as a dictionary
    sizes: Mapping[str, int] | None = None  # what to plan for; sizes that are not there count as is usual


def planned_sizes(source: Source) -> Sizes:
    """Return what the sizes of the arguments count as."""
    return usual([a.shape for a in source.arguments if a.shape], source.sizes)


def checked_name(name: str) -> str:
    """Return a name that a function may have; anything else is refused."""
    given: Any = name
    if not dims.is_name(given) or given in MEANT_OTHERWISE or unicodedata.normalize("NFKC", given) != given:
        hint = "letters, digits and underscores, and no word of Python's own"
        raise ParseError(f"{name!r} is not a name for a function", hint=hint)
    return name
