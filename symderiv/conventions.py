r"""What every result says about itself: the convention of its axes, the layout it is shown in, what was assumed.

A derivative is an array: its axes are those of the function, then those of each variable.  Texts and NumPy
code always mean that array.  A *layout* is a way to show it as a matrix on paper; for ∂f/∂x of order one

    =========  =====================  =====================  =======================
    f \ x      scalar                 vector (n)             matrix (p, q)
    =========  =====================  =====================  =======================
    scalar     the number             N: row, 1 × n          N: q × p, transposed
                                      D: column, n × 1       D: p × q
    vector     N: column, m × 1       N: m × n               none: array (m, p, q)
    (m)        D: row, 1 × m          D: n × m, transposed
    matrix     N: m × n               none: array (m, n, p)  none: array (m, n, p, q)
    (m, n)     D: n × m, transposed
    =========  =====================  =====================  =======================

with N for numerator layout (f's axes come first, a gradient is a row) and D for denominator layout (x's axes
come first, a gradient is a column).  The Hessian of a number in one vector is symmetric, so both layouts show
it as it is.  Everything else has no layout: it stays an array, and the display says so.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from symderiv import dims
from symderiv.errors import SymderivError, UnsupportedError
from symderiv.functions import FUNCTIONS
from symderiv.lift import lift
from symderiv.lower import lower
from symderiv.render.latex import Latex
from symderiv.render.phrases import phrase
from symderiv.structured import DIAGONAL
from symderiv.tensor.expr import Expr, walk
from symderiv.tensor.operations import apply
from symderiv.tensor.parse import MERGING
from symderiv.tensor.text import FunctionName, to_text

CONVENTION = "a derivative has the shape of the function followed by the shape of each variable"
NUMERATOR, DENOMINATOR = LAYOUTS = ("numerator", "denominator")
LAYOUT_NOTES = {
    NUMERATOR: "Layout: numerator (the axes of the function first, a gradient is a row), in LaTeX only.",
    DENOMINATOR: "Layout: denominator (the axes of the variable first, a gradient is a column), in LaTeX only.",
}
# (rank of f, rank of x) -> the layout in which the array is shown transposed, or "" for neither
TRANSPOSED_IN = {
    (0, 0): "", (0, 1): NUMERATOR, (0, 2): NUMERATOR, (1, 0): DENOMINATOR, (1, 1): DENOMINATOR, (2, 0): DENOMINATOR,
}  # fmt: skip

# Assumptions that say where an operation is defined, and the operations that they matter to.
NOT_SINGULAR = frozenset({"inv", "solve", "det", "logdet", "matrix_power"})
ROOTS = frozenset({"sqrt", "power", "general_power", "norm", "div"})
STRUCTURAL = frozenset({"symmetric", "positive_definite", "diagonal", "orthogonal", "invertible"})


def checked_layout(layout: str) -> str:
    """Return the name of a layout; refuse what is none."""
    if layout not in LAYOUTS:
        raise UnsupportedError(f"there is no layout {layout!r}", hint="choose numerator or denominator")
    return layout


@dataclass(frozen=True)
class Statement:
    r"""`∂f/∂x = result`, to be shown in a layout.

    >>> from symderiv.tensor.parse import variable
    >>> w = variable("w", ("n",))
    >>> print(Statement("f", (), (w,), w, {}).latex("numerator"))
    \frac{\partial f}{\partial w} = w^{\top}
    """

    name: str
    shape: dims.Shape
    variables: tuple[Expr, ...]
    result: Expr
    functions: Mapping[FunctionName, str]
    structured: bool = False

    def latex(self, layout: str | None = None, printer: Latex | None = None) -> str:
        """Return the statement; without a layout the right side is the array."""
        try:
            return self._latex(layout, printer or Latex({}, functions=self.functions))
        except RecursionError:
            raise UnsupportedError(
                "the result is nested too deeply to be written in one expression",
                hint="statements() writes it over named definitions",
            ) from None

    def _latex(self, layout: str | None, printer: Latex) -> str:
        d = r"\mathrm{d}" if self.structured else r"\partial"
        below = r"\,".join(
            rf"{d} {printer.name(n)}" + (f"^{{{k}}}" if k > 1 else "")
            for n, k in Counter(w.name for w in self.variables).items()
        )
        order = f"^{{{len(self.variables)}}}" if len(self.variables) > 1 else ""
        left = rf"\frac{{{d}{order} {printer.name(self.name)}}}{{{below}}}"
        if layout is None:
            return f"{left} = {printer.matrix(self.result)}"
        turned = self.turned(checked_layout(layout))
        if turned is None:
            sizes = r" \times ".join(printer.size(s) for s in self.result.shape)
            return rf"{left} = {printer.matrix(self.result)} \qquad (\text{{no layout: an array of shape }} {sizes})"
        if not turned:
            return f"{left} = {printer.matrix(self.result)}"
        if self.result.rank == 2:
            return f"{left} = {printer.matrix(transposed(self.result))}"
        text, _ = printer.matrixed(self.result)
        simple = self.result.op in ("var", "defined")
        return f"{left} = " + (text if simple else rf"\left({text}\right)") + r"^{\top}"

    def turned(self, layout: str) -> bool | None:
        """Tell whether a layout shows the array transposed; None where it has no layout."""
        ranks = [x.rank for x in self.variables]
        if len(self.shape) + sum(ranks) == 0:
            return False
        if len(ranks) > 1:
            hessian = not self.shape and ranks == [1, 1] and self.variables[0] is self.variables[1]
            return False if hessian else None
        found = TRANSPOSED_IN.get((len(self.shape), ranks[0]))
        return None if found is None else found == layout


def transposed(matrix: Expr) -> Expr:
    """Return a transposed matrix in its shortest form."""
    turned = apply("transpose", matrix)
    return lift(lower(turned).node, turned.axes)


# ---------------------------------------------------------------- notes


def notes(
    function: Expr,
    variables: Sequence[Expr],
    assumed: Mapping[str, Sequence[str]],
    structures: Mapping[str, str],
    functions: Mapping[FunctionName, str],
    language: str = "en",
) -> tuple[str, ...]:
    """Return the convention, what was assumed, what that means for the variables, and what holds at kinks."""
    said = [phrase(language, "note_convention")]
    if assumed:
        listed = ", ".join(f"{name} {' '.join(traits)}" for name, traits in assumed.items())
        said.append(phrase(language, "note_assumed", items=listed))
    for x in dict.fromkeys(variables):
        said += _about(x, structures.get(x.name, ""), assumed.get(x.name, ()), language)
    return (*said, *_invertible(function, variables, functions, language), *_kinks(function, language))


def _about(x: Expr, kind: str, assumed: Sequence[str], language: str) -> list[str]:
    """Say how the entries of a variable with a structure were counted."""
    if kind:
        return [phrase(language, "note_diagonal" if kind == DIAGONAL else "note_symmetric", name=x.name)]
    used = [t for t in assumed if t in MERGING]
    return [phrase(language, "note_independent", name=x.name, traits=" ".join(used))] if used else []


def assumptions(
    function: Expr, variables: Sequence[Expr], needed: Callable[[str, str], bool]
) -> dict[str, tuple[str, ...]]:
    """Return the assumptions that were used, or that say where the function is defined, by name.

    `needed` tells whether the result is another one without an assumption.
    """
    ops = {e.op for e in walk(function)}
    domains = bool(ops & ROOTS) or any(
        e.op == "map" and e.data[0] in FUNCTIONS and FUNCTIONS[e.data[0]].domain != "all real u" for e in walk(function)
    )
    found: dict[str, tuple[str, ...]] = {}
    for e in walk(function, *variables):
        if e.op != "var" or not e.data[1]:
            continue
        matters = [t for t in sorted(e.data[1]) if _says_where(t, ops, domains) or needed(e.name, t)]
        if matters:
            found[e.name] = tuple(matters)
    return found


def _says_where(trait: str, ops: Iterable[str], domains: bool) -> bool:
    if trait in ("invertible", "positive_definite"):
        return bool(NOT_SINGULAR & set(ops))
    return trait not in STRUCTURAL and trait != "real" and domains


def without_trait(expr: Expr, name: str, trait: str) -> dict[Expr, Expr]:
    """Return how a variable changes where one assumption about it is dropped."""
    return {
        e: Expr("var", (), (e.name, e.data[1] - {trait}, *e.data[2:]), e.axes)
        for e in walk(expr)
        if e.op == "var" and e.name == name and trait in e.data[1]
    }


def differs(result: Any, again: Callable[[], Any]) -> bool:
    """Tell whether a result comes out as another text; what is refused now is another one too."""
    try:
        return str(again()) != str(result)
    except SymderivError:
        return True


def _invertible(
    function: Expr, variables: Sequence[Expr], functions: Mapping[FunctionName, str], language: str
) -> list[str]:
    """Name the matrices whose determinant is differentiated: the result is written with their inverses.

    A determinant has a derivative at a singular matrix too, its cofactors; there the result is undefined.
    """
    names = {x.name for x in variables}
    found: dict[str, None] = {}
    for e in walk(function):
        below = [v for v in walk(*e.args) if v.op in ("var", "defined")] if e.op == "det" else []
        if any(v.name in names for v in below) and not _is_regular(e.args[0]):
            found[to_text(e.args[0], functions)] = None
    return [phrase(language, "note_invertible", text=text) for text in found]


def _is_regular(matrix: Expr) -> bool:
    return matrix.op == "var" and bool(matrix.data[1] & {"invertible", "positive_definite", "orthogonal"})


def _kinks(function: Expr, language: str) -> list[str]:
    names = {e.data[0] for e in walk(function) if e.op == "map" and e.data[0] in FUNCTIONS}
    said = {_kink(name, language) for name in names if FUNCTIONS[name].kink}
    ops = {e.op for e in walk(function)}
    if ops & {"maximum", "minimum"}:
        said.add(phrase(language, "kink_extreme"))
    if "where" in ops:
        said.add(phrase(language, "kink_where"))
    return [phrase(language, "note_kink", text=text) for text in sorted(said)]


def _kink(name: str, language: str) -> str:
    """Return what holds at the kink of a function; as its row in the table says it where there is no phrase."""
    try:
        return phrase(language, f"kink_{name}")
    except KeyError:
        return FUNCTIONS[name].kink
