"""What is drawn: an expression with its declarations, and a derivative to be taken of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import sympy

from symderiv.dims import Size
from symderiv.functions import FUNCTIONS
from symderiv.tensor.expr import Axes, Expr, walk
from symderiv.tensor.operations import apply
from symderiv.tensor.parse import variable
from symderiv.tensor.text import to_text
from symderiv.testing.domains import EVERY_PRODUCTION
from symderiv.testing.grammar import SIZES, Choices, Grammar, Kind

MOST_ORDER = 3
ORDERS = (1,) * 8 + (2,) * 7 + (3,)
MOST_AXES = 6


@dataclass(frozen=True)
class Sample:
    """An expression with what has to be declared for it.

    `text` and `declarations` are what :func:`symderiv.derive` and its like take:
    `symderiv.derive(sample.text, "x", **sample.declarations)`.
    """

    expr: Expr

    @cached_property
    def variables(self) -> dict[str, Expr]:
        """The variables by name; last, one for each size that is written and that no array has."""
        found = {e.name: e for e in walk(self.expr) if e.op == "var"}
        carried = {s for v in found.values() for dim in v.shape for s in dim.free_symbols}
        for s in sorted(_sizes_in(self.expr) - carried, key=str):
            name = f"of_{s}"
            found[name] = variable(name, (s,))
        return found

    @cached_property
    def functions(self) -> dict[str, list[str]]:
        """The functions without a formula, with names for their derivatives."""
        names = sorted({e.data[0] for e in walk(self.expr) if e.op == "map" and e.data[0] not in FUNCTIONS})
        return {h: [f"d{k if k > 1 else ''}{h}" for k in range(1, MOST_ORDER + 1)] for h in names}

    @property
    def labels(self) -> dict[tuple[str, int], str]:
        """The names of unknown functions and of their derivatives, by function and order."""
        return {(h, k): name for h, names in self.functions.items() for k, name in enumerate([h, *names])}

    @property
    def shapes(self) -> dict[str, tuple[str | int, ...]]:
        """The shapes as they are declared."""
        return {k: tuple(int(s) if s.is_Integer else str(s) for s in v.shape) for k, v in self.variables.items()}

    @property
    def assume(self) -> dict[str, Any]:
        """The assumptions: a word for each variable, or a list of words."""
        found = {k: sorted(v.data[1]) for k, v in self.variables.items() if v.data[1]}
        return {k: words[0] if len(words) == 1 else words for k, words in found.items()}

    @property
    def declarations(self) -> dict[str, Any]:
        """The keyword arguments that declare everything."""
        given = {"shapes": self.shapes, "assume": self.assume, "functions": self.functions}
        return {key: value for key, value in given.items() if value}

    @cached_property
    def text(self) -> str:
        """The expression as text."""
        return to_text(self.expr, self.labels)

    def __repr__(self) -> str:
        return f"Sample({self.text!r}, {self.declarations})"


@dataclass(frozen=True)
class Problem:
    """A derivative to be taken."""

    sample: Sample
    wrt: tuple[str, ...]
    seed: int = field(default=0, compare=False)

    @property
    def line(self) -> str:
        """The line of Python that takes it."""
        given = "".join(f", {key}={value!r}" for key, value in self.sample.declarations.items())
        return f"symderiv.derive({self.sample.text!r}, {list(self.wrt)!r}{given})"

    def __repr__(self) -> str:
        return self.line


def _sizes_in(expr: Expr) -> set[sympy.Symbol]:
    """Return the sizes that an expression writes."""
    found: set[sympy.Symbol] = set()
    for e in walk(expr):
        if e.op in ("size", "eye", "ones", "zeros", "reshape"):
            (value,) = e.data
            found |= {s for dim in (value if isinstance(value, tuple) else (value,)) for s in dim.free_symbols}
    return found


def draw_sample(
    choices: Choices,
    axes: Axes | None = None,
    *,
    kind: Kind = "any",
    depth: int = 3,
    sizes: Sequence[Size] = SIZES,
    traits: bool = True,
    unknown: bool = True,
    composed: bool = True,
    budget: int = 20,
) -> Sample:
    """Return an expression of the axes, or of any, with one variable at least."""
    function = "h" if unknown else ""
    g = Grammar(choices, EVERY_PRODUCTION, tuple(sizes), traits, function, composed, budget)
    wanted = g.axes(g.pick([0, 0, 0, 0, 1, 1, 2, 3])) if axes is None else axes
    expr = g.expression(wanted, depth, kind)
    if not any(e.op == "var" for e in walk(expr)):
        expr = apply("mul", g.variable((), kind if kind != "regular" else "positive"), expr)
    return Sample(expr)


def draw_problem(
    choices: Choices, sample: Sample, order: int | None = None, most_axes: int = MOST_AXES, seed: int = 0
) -> Problem:
    """Return a derivative of an expression: mostly first ones, then second, some of third order.

    The result has `most_axes` axes at most; variables that do not occur come now and then.
    """
    names = list(sample.variables)
    occurring = [name for name in names if not name.startswith("of_")] or names
    wanted = order or ORDERS[choices.number(len(ORDERS) - 1)]
    rank = sample.expr.rank
    wrt: list[str] = []
    for _ in range(wanted):
        options = names if choices.number(30) == 30 else [*wrt, *occurring]
        name = options[choices.number(len(options) - 1)]
        rank += len(sample.shapes[name])
        if wrt and rank > most_axes:
            break
        wrt.append(name)
    return Problem(sample, tuple(wrt), seed)
