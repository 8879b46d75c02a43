"""The scalar functions of the table in plain SymPy: its own where it has one, else the formula."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sympy
from sympy.codegen.cfunctions import expm1, log1p

from symderiv.index.choices import plain_choice
from symderiv.index.nodes import PLAIN_FUNCTIONS

Plain = Callable[[Any], Any]

#  SymPy's class -> the name in the table
NAMES: dict[Any, str] = {**{cls: name for name, cls in PLAIN_FUNCTIONS.items()}, log1p: "log1p", expm1: "expm1"}

FORMULAS: dict[str, Plain] = {
    **PLAIN_FUNCTIONS,
    "log1p": log1p,
    "expm1": expm1,
    "sigmoid": lambda u: 1 / (1 + sympy.exp(-u)),
    "softplus": lambda u: sympy.log(1 + sympy.exp(u)),
    "relu": lambda u: plain_choice(">", u, sympy.Integer(0), u, sympy.Integer(0)),
}


def formula(name: str) -> Plain:
    """Return a function of the table as SymPy writes it, or an undefined function of that name.

    >>> formula("sigmoid")(sympy.Symbol("u"))
    1/(1 + exp(-u))
    >>> formula("h")(sympy.Symbol("u"))
    h(u)
    """
    found = FORMULAS.get(name)
    return found if found is not None else sympy.Function(name)
