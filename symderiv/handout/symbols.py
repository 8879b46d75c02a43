"""The table of symbols: every name of a handout with its shape and what it means.

A name may mean something else under another heading, and have another shape there: its row has them all. An author
may say which symbols are listed, and what they mean: `symbols: {D: the input, "h[t]": the state}`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from symderiv.handout.introduced import NAMED, SETS, Introduced
from symderiv.render.mathtext import width
from symderiv.render.phrases import phrase
from symderiv.statements.block import Statement
from symderiv.tensor.expr import Axes

LONG = 14.0  # em of a formula that is not repeated in the table
Row = tuple[str, str, str]


@dataclass
class _Kept:
    """What a row is about."""

    name: str
    shapes: dict[str, None] = field(default_factory=dict)
    meanings: dict[str, None] = field(default_factory=dict)
    formulas: dict[str, None] = field(default_factory=dict)


class SymbolTable:
    """Gathers the rows of one document; `meanings` are the author's own words, by name."""

    def __init__(self, meanings: Mapping[str, str], language: str) -> None:
        self.meanings, self.language = meanings, language
        self.found: dict[str, _Kept] = {}
        self.sizes: dict[str, None] = {}
        self.known: set[str] = set()  # the names that a meaning may be given for

    def add(self, statements: Iterable[Statement], introduced: Introduced) -> None:
        """Take in what statements declare and define."""
        for statement in statements:
            if statement.kind in ("declare", "define"):
                self.add_one(statement, introduced)

    def add_one(self, statement: Statement, by: Introduced) -> None:
        """Take in one array, function or subscript."""
        name, names = statement.name, by.names
        if statement.kind == "define":
            (expr,) = statement.exprs
            self.array(expr.name, expr.axes, by, formula=by.latex.matrix(expr.args[0]))
        elif statement.exprs:
            (expr,) = statement.exprs
            self.array(name, expr.axes, by, meaning=self.traits(expr.data[1]))
        elif name in names.unknown:
            self.array(name, tuple((size,) for size in names.unknown[name]), by, meaning=self.words("function"))
        elif name in names.scope.functions:
            self.keep(name, "", by, meaning=self.words("function_entrywise"))
        elif (case := by.case(statement)) is not None and case.label_of is None:
            self.array(name, case.axes, by, meaning=self.traits(case.traits))
        elif by.declared(statement):
            self.keep(name, self.words("scalar"), by, meaning=f"${by.declared(statement)}$")

    def array(self, name: str, axes: Axes, by: Introduced, **said: str) -> None:
        """Take in an array with its shape."""
        shape = [size for axis in axes for size in axis]
        self.keep(name, f"${by.latex.shape(shape)}$" if shape else self.words("scalar"), by, **said)
        if self.is_listed(name):
            symbols = (s for size in shape for s in sorted(size.free_symbols, key=str))
            self.sizes |= dict.fromkeys(by.latex.name(str(s)) for s in symbols)

    def keep(self, name: str, shape: str, by: Introduced, meaning: str = "", formula: str = "") -> None:
        """Put what is known of a name into its row."""
        name = name.replace(" ", "")
        self.known.add(name)
        if not self.is_listed(name):
            return
        kept = self.found.setdefault(by.latex.name(name), _Kept(name))
        kept.shapes |= dict.fromkeys(filter(None, [shape]))
        kept.meanings |= dict.fromkeys(filter(None, [self.meanings.get(name) or meaning]))
        kept.formulas |= dict.fromkeys(filter(None, [formula]))

    def is_listed(self, name: str) -> bool:
        """Tell whether a name has a row."""
        return not self.meanings or name.replace(" ", "") in self.meanings

    def words(self, key: str) -> str:
        return phrase(self.language, key)

    def traits(self, traits: Iterable[str]) -> str:
        """Return what is assumed of an array."""
        known = set(traits)
        words = [self.words(f"trait_{t}") for t in NAMED if t in known]
        return ", ".join([*words, *(rf"$\in {SETS[t]}$" for t in SETS if t in known)])

    def rows(self) -> tuple[Row, ...]:
        """Return the rows, in the author's order or in that of the document; the sizes stand last."""
        comma, order = self.words("list_comma"), list(self.meanings)
        rows = sorted(self.found.items(), key=lambda row: order.index(row[1].name) if order else 0)
        found = [(name, comma.join(kept.shapes), self.meaning(kept)) for name, kept in rows]
        if self.sizes:
            found.append((",\\, ".join(self.sizes), self.words("scalar"), self.words("sizes")))
        return tuple(found)

    def meaning(self, kept: _Kept) -> str:
        """Return what stands for a name: words, and its formula where it has one that is short."""
        formulas = [f"${f}$" for f in kept.formulas if width(f) <= LONG]
        if len(kept.formulas) > 1 or len(formulas) < len(kept.formulas):
            formulas = [] if kept.meanings else [self.words("defined_below")]
        return self.words("list_comma").join([*kept.meanings, *formulas])
