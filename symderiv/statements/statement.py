"""What statements say, and what they name."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field

from symderiv import dims
from symderiv.errors import Place, SymderivError
from symderiv.families import Range
from symderiv.statements.members import Families
from symderiv.tensor.expr import Expr
from symderiv.tensor.parse import KNOWN, Scope
from symderiv.tensor.text import to_text

RESERVED = frozenset(
    [
        *KNOWN,
        "diff",
        "partial",
        "delta",
        "directional",
        "block",
        "given",
        "neglecting",
        "code",
        "table",
        "range",
        "index",
        "latex",
    ]
)


@dataclass(frozen=True)
class Statement:
    """One statement as read: `kind` is declare, define, function, least, claim, code, table or show."""

    kind: str
    place: Place
    name: str = ""
    exprs: tuple[Expr, ...] = ()
    label: str = ""
    negated: bool = False
    text: str = ""
    error: SymderivError | None = None  # why a line that is claimed to be wrong cannot even be read
    node: ast.stmt | None = None
    ranges: tuple[Range, ...] = ()  # of the loops that it stands in, parameters first
    given: tuple[Given, ...] = ()
    neglected: tuple[Neglected, ...] = ()
    open: bool = False  # names members of families, sums or products over ranges: means nothing by itself
    cost: Expr | None = None  # of code, as its author states it: made of sizes
    minimum: tuple[Expr, ...] = ()  # of a table: what is minimised, and the weights that it is minimised in
    sizes: tuple[tuple[str, int], ...] = ()  # of the arrays of a table


@dataclass(frozen=True)
class Given:
    """A hypothesis, `with given(left == right)` or an inequality."""

    relation: str
    left: Expr
    right: Expr
    text: str


@dataclass(frozen=True)
class Neglected:
    """A term that counts as 0, where two indices differ (`apart`) or always, and why."""

    term: Expr
    apart: tuple[str, str] | None
    because: str
    text: str

    def __str__(self) -> str:
        where = " for {} != {}".format(*self.apart) if self.apart is not None else ""
        because = f", because {self.because}" if self.because else ""
        return f"neglecting {to_text(self.term)}{where}{because}"


@dataclass
class Function:
    """`def name(x): return expr`: substituted where it is called, captured by nothing."""

    name: str
    parameters: tuple[str, ...]
    body: ast.expr


@dataclass
class Names:
    """What the statements so far have named."""

    scope: Scope = field(default_factory=lambda: Scope(indices=True))
    unknown: dict[str, tuple[dims.Size, ...]] = field(default_factory=dict)
    functions: dict[str, Function] = field(default_factory=dict)
    families: Families = field(default_factory=Families)
    display: dict[str, str] = field(default_factory=dict)  # how names print, where that is not as they are written

    def taken(self, name: str) -> bool:
        """Tell whether a name means something already."""
        return (
            name in self.scope.names or name in self.unknown or name in self.functions or name in self.scope.functions
            or name in self.families.table or name in self.families.labels
        )  # fmt: skip
