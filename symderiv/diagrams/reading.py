"""What a sheet says, as its diagram needs it: which names its definitions use, and what it differentiates in what."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from symderiv.families import Label, Range, shifted
from symderiv.render.labels import member
from symderiv.statements.block import Names, Statement
from symderiv.statements.members import RANGED
from symderiv.tensor.expr import Axes, Expr, walk
from symderiv.windows.dependence import Key, key_named

DERIVED = frozenset(["diff", "directional"])


@dataclass(frozen=True)
class Use:
    """That a text names an array; `slopes` tells whether its value counts, not only in a condition."""

    key: Key
    axes: Axes | None
    ranges: tuple[Range, ...]
    slopes: bool


@dataclass(frozen=True)
class Told:
    """A definition with what it names; labels are in the letters of the nodes, `letters` tells those of the text."""

    key: Key
    statement: Statement
    body: Expr
    uses: tuple[Use, ...]
    letters: Mapping[Label, Label]
    loops: bool


class Reading:
    """The statements of a sheet, by the keys of what they declare and define, in the letters of the nodes."""

    def __init__(self, names: Names, statements: Sequence[Statement]) -> None:
        self.names = names
        self.letters: dict[str, Label] = {}  # of each family
        self.axes: dict[Key, Axes | None] = {}
        self.declared: dict[Key, Statement] = {}
        self.told: dict[Key, Told] = {}
        self.derivatives: dict[tuple[str, str], str] = {}  # B = diff(E, A): its name
        self.pairs: list[tuple[str, str]] = []  # what is differentiated in what, by the names of arrays and families
        derived: set[str] = set()
        for s in statements:
            if s.kind == "declare":
                self.declare(s)
            elif s.kind == "define":
                body = s.exprs[0].args[0]
                uses = list(self.uses(body))
                if any(e.op in DERIVED for e in _own(body)) or any(u.key.name in derived for u in uses):
                    derived.add(s.name.partition("[")[0])
                    self.note(s.name, body)
                else:
                    self.define(s, body, uses)
            self.pairs += _pairs(s.exprs)

    def declare(self, s: Statement) -> None:
        """Note a declared array, subscript or integer; of a family the members of its loop."""
        if not s.exprs and member(s.name) is None and s.name not in self.names.families.labels:
            return
        key, _ = self.spelt(self.key(s.name), s.ranges)
        self.declared[key] = s
        self.axes[key] = s.exprs[0].axes if s.exprs else self.axes_of(key)

    def axes_of(self, key: Key) -> Axes | None:
        """Return the axes of members of a declared family; none of subscripts."""
        family = self.names.families.table.get(key.name)
        return family.cases[-1].axes if family and family.cases[-1].label_of is None else None

    def define(self, s: Statement, body: Expr, uses: Sequence[Use]) -> None:
        """Note a definition."""
        key, letters = self.spelt(self.key(s.name), s.ranges, uses)
        spelt = tuple(Use(self.other(u.key, {**letters, **self.bound(u)}), u.axes, u.ranges, u.slopes) for u in uses)
        self.axes[key] = body.axes
        for use in spelt:
            self.axes.setdefault(use.key, use.axes)
        self.told[key] = Told(key, s, body, spelt, letters, bool(self.loop(self.key(s.name), s.ranges)))

    def note(self, name: str, body: Expr) -> None:
        """Note the name of a derivative."""
        if body.op == "diff" and len(body.args) == 2 and all(a.op in ("defined", "var") for a in body.args):
            self.derivatives[body.args[0].name, body.args[1].name] = name

    def key(self, name: str) -> Key:
        found = member(name)
        return Key(name) if found is None else Key(*found)

    @staticmethod
    def loop(key: Key, ranges: Sequence[Range]) -> Range | None:
        """Return the loop that a member's label names."""
        inner = [r for r in ranges if key.label is not None and r.symbol in key.label.free_symbols]
        return inner[-1] if inner else None

    def spelt(self, key: Key, ranges: Sequence[Range], uses: Sequence[Use] = ()) -> tuple[Key, dict[Label, Label]]:
        """Return a key in the letter of its family, and the change of letters."""
        loop = self.loop(key, ranges)
        if loop is None:
            return key, {}
        near = [u.key.name for u in uses if u.key.label is not None and loop.symbol in u.key.label.free_symbols]
        known = [self.letters[name] for name in (key.name, *near) if name in self.letters]
        letter = self.letters.setdefault(key.name, known[0] if known else loop.symbol)
        letters = {} if letter == loop.symbol else {loop.symbol: letter}
        return self.other(key, letters), letters

    def bound(self, use: Use) -> dict[Label, Label]:
        """Return the change of letters of what a sum or a product runs over."""
        letter = self.letters.get(use.key.name)
        return {r.symbol: letter for r in use.ranges if letter is not None}

    @staticmethod
    def other(key: Key, letters: Mapping[Label, Label]) -> Key:
        return key if key.label is None else Key(key.name, shifted(key.label, letters))

    def uses(self, body: Expr) -> Iterator[Use]:
        """Yield the arrays that a text names, each once, in order; subscripts among them."""
        found: dict[tuple[Key, tuple[Range, ...]], Use] = {}
        stack: list[tuple[Expr, tuple[Range, ...], bool]] = [(body, (), True)]
        while stack:
            e, ranges, slopes = stack.pop()
            if e.op in RANGED:
                variable, low, high, _ = e.data
                ranges = (*ranges, Range(variable, low, high))
            used: list[tuple[Key, Axes | None]] = []
            if e.op in ("var", "defined"):
                used = [(key_named(e.name, self.names), e.axes)]
            if e.op == "entry":
                used = [(self.key(n), None) for n in e.data if isinstance(n, str) and self.is_label(n)]
            for key, axes in used:
                before = found.get((key, ranges))
                counts = axes is not None and (slopes or (before is not None and before.slopes))
                found[key, ranges] = Use(key, axes, ranges, counts)
            if e.op not in ("var", "defined"):
                parts = [(a, ranges, slopes and not (e.op == "where" and k < 2)) for k, a in enumerate(e.args)]
                stack += reversed(parts)
        return iter(found.values())

    def is_label(self, name: str) -> bool:
        found = member(name)
        return name in self.names.families.labels or (found is not None and found[0] in self.names.families.table)


def _own(body: Expr) -> Iterator[Expr]:
    """Yield the nodes of a text, those of other definitions left out."""
    stack = [body]
    while stack:
        e = stack.pop()
        yield e
        if e.op != "defined":
            stack += e.args


def _pairs(exprs: Sequence[Expr]) -> list[tuple[str, str]]:
    """Return what is differentiated in what: the name of an array or a family, and that of an array or a member."""
    found: dict[tuple[str, str], None] = {}
    for e in walk(*exprs):
        if e.op == "diff":
            f, *variables = (a.args[0] if a.op == "entry" else a for a in e.args[:2])
            for x in variables:
                if f.op in ("var", "defined") and x.op in ("var", "defined"):
                    found[f.name.partition("[")[0], x.name] = None
    return list(found)


__all__ = ["Reading", "Told", "Use"]
