"""The table of scalar functions: the one place to add one.

A row gives the function's name, its derivative as a formula in `u` (the argument) and `f` (the value
itself, so that `tanh' = 1 - tanh**2` shares the tanh), how LaTeX and NumPy write it, a domain and points
inside it where tests sample it.  Formulas are texts of the language, parsed like everything else.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Function:
    """One scalar function, applied entrywise.

    `formula` (a text in u) or `call` (a function of an array) give the function itself where NumPy has no such name.
    """

    name: str
    derivative: str
    latex: str
    numpy: str
    domain: str = "all real u"
    samples: tuple[float, ...] = (-1.3, -0.4, 0.7, 1.6)
    kink: str = ""
    reason: str = ""
    formula: str = ""
    call: Callable[[Any], Any] | None = None


def _table(*rows: Function) -> dict[str, Function]:
    return {row.name: row for row in rows}


UNIT = (-0.8, -0.3, 0.2, 0.7)
POSITIVE = (0.3, 0.8, 1.4, 2.6)

FUNCTIONS: dict[str, Function] = _table(
    Function("exp", "f", r"\exp", "np.exp({0})"),
    Function("log", "1 / u", r"\log", "np.log({0})", "u > 0", POSITIVE),
    Function("log1p", "1 / (1 + u)", r"\operatorname{log1p}", "np.log1p({0})", "u > -1", POSITIVE),
    Function("expm1", "exp(u)", r"\operatorname{expm1}", "np.expm1({0})"),
    Function("sin", "cos(u)", r"\sin", "np.sin({0})"),
    Function("cos", "-sin(u)", r"\cos", "np.cos({0})"),
    Function("tan", "1 + f**2", r"\tan", "np.tan({0})", "cos u != 0", UNIT),
    Function("arcsin", "1 / sqrt(1 - u**2)", r"\arcsin", "np.arcsin({0})", "-1 < u < 1", UNIT),
    Function("arccos", "-1 / sqrt(1 - u**2)", r"\arccos", "np.arccos({0})", "-1 < u < 1", UNIT),
    Function("arctan", "1 / (1 + u**2)", r"\arctan", "np.arctan({0})"),
    Function("sinh", "cosh(u)", r"\sinh", "np.sinh({0})"),
    Function("cosh", "sinh(u)", r"\cosh", "np.cosh({0})"),
    Function("tanh", "1 - f**2", r"\tanh", "np.tanh({0})"),
    Function("sigmoid", "f * (1 - f)", r"\sigma", "sigmoid({0})"),
    Function("softplus", "sigmoid(u)", r"\operatorname{softplus}", "np.logaddexp({0}, 0)"),
    Function("abs", "sign(u)", r"\operatorname{abs}", "np.abs({0})", kink="abs has slope 0 at 0"),
    Function("sign", "0", r"\operatorname{sign}", "np.sign({0})", kink="sign has slope 0 at 0"),
    Function("relu", "where(u > 0, 1, 0)", r"\operatorname{relu}", "np.maximum({0}, 0)", kink="relu has slope 0 at 0"),
)
