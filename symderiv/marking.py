r"""Is my derivation right? Chains of equalities in LaTeX, decided one after the other; the first wrong one is named.

Only equality is checked: whether the reason beside a line is the right one is for a person to say.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from symderiv.check.indices import Indices
from symderiv.errors import ParseError, Place, ShapeError, SymderivError, UnsupportedError
from symderiv.latex.chains import Equality
from symderiv.render.latex import Latex
from symderiv.sheet import Claim, Sheet
from symderiv.statements.latex_claims import Line, lines_of
from symderiv.tensor.expr import Expr
from symderiv.verdict import told_apart

ORDER = ("refuted", "rejected", "undecided", "proved")


@dataclass(frozen=True)
class Checked:
    """One equality: as typed, where it stands (`place`), and what became of it.

    `status` is proved, refuted (with a `counterexample`), rejected (its shapes or its free indices do not fit) or
    undecided; `reason` says why, and `remarks` holds what stood beside it and was not read.
    """

    number: int
    latex: str
    text: str
    place: Place
    status: str
    basis: str = ""
    reason: str = ""
    counterexample: Any = None
    correct: str = ""
    remarks: tuple[str, ...] = ()
    one_sided: str = ""  # which indices are free on one side only
    claim: Claim | None = None

    def __str__(self) -> str:
        basis = f" ({self.basis})" if self.basis else ""
        lines = [f"equality {self.number}, {self.place.named()}: {self.status}{basis}", self.place.shown()]
        if self.counterexample is not None:
            lines += [*([f"  {self.one_sided}"] if self.one_sided else []), *self.example()]
        else:
            lines += [f"  {line}" for line in self.reason.splitlines()]
        if self.correct:
            lines.append(f"  the left side is {self.correct}")
        return "\n".join(lines)

    @property
    def short(self) -> str:
        """Return the equality as typed, cut where it is long."""
        return self.latex if len(self.latex) <= 90 else f"{self.latex[:88]} …"

    def example(self) -> list[str]:
        """Return where the equality fails, in words; indices count from 1."""
        found = self.counterexample
        sizes = ", ".join(f"{name} = {value}" for name, value in found.sizes.items())
        names = self.indices()
        at = [f"{n} = {k + 1}" for n, k in zip(names, found.entry, strict=False)]
        rest = [k + 1 for k in found.entry[len(names) :]]
        entry = " and ".join(filter(None, [", ".join(at), f"entry {rest}" if rest else ""]))
        left, right = told_apart(found.left, found.right)
        where = f"at {sizes}" + (f", for {entry} (counted from 1)" if entry else "")
        return [f"  {where}:", f"    the left side is {left}, the right side {right}"]

    def indices(self) -> list[str]:
        """Return the free indices, in the order in which a counterexample counts them."""
        statement = self.claim.statement if self.claim is not None else None
        if statement is None or not statement.exprs:
            return []
        known = Indices(*statement.exprs)
        return [n.rstrip("_") + "'" * (len(n) - len(n.rstrip("_"))) for n in known.names if n in known.free]


@dataclass(frozen=True)
class Homework:
    """What became of a derivation; `status` is that of its worst equality."""

    equalities: tuple[Checked, ...]

    @property
    def status(self) -> str:
        """Return refuted, rejected or undecided where one of the equalities is, else proved."""
        found = {e.status for e in self.equalities}
        return next(s for s in ORDER if s in found)

    @property
    def first_wrong(self) -> Checked | None:
        """Return the first equality that is wrong: refuted, or rejected."""
        return next((e for e in self.equalities if e.status in ("refuted", "rejected")), None)

    def __str__(self) -> str:
        marks = {"proved": "✓", "refuted": "✗", "rejected": "✗", "undecided": "?"}
        rows = [f"{marks[e.status]} {e.number:>2}  {e.short}" for e in self.equalities]
        wrong = self.first_wrong
        if wrong is not None:
            rows += ["", "The first wrong one:", str(wrong)]
        rows += [f"\n{e}" for e in self.equalities if e.status == "undecided"]
        return "\n".join(rows)


def homework(
    latex: str,
    declarations: str | Iterable[str] = "",
    *,
    display: Mapping[str, str] | None = None,
    ranges: Mapping[str, tuple[int | str, int | str]] | None = None,
    source: str = "",
) -> Homework:
    r"""Check a derivation in LaTeX, equality by equality.

    `declarations` are statements: what the names are, and what they are defined as.  A symbol is the name that prints
    so (`\bar u` is `u_bar`, `w^{(2)}` is `w2`); `display={"d": r"\delta"}` tells what else prints how.  Vectors stand
    upright, so `x^\top y` is a number.  Remarks (`&& \text{…}`, `\overset{j=l}{=}`) are left out, and what stands under
    a brace is checked as an equality of its own.  Labels of families have ranges, both ends included and the outer ones
    first: `ranges={"tau": (0, "T"), "t": ("tau", "T")}`.

    Raises :class:`symderiv.ParseError` with the place for what cannot be read, or can be read in two ways.

    >>> found = homework(
    ...     r"\frac{\partial E}{\partial W_{kl}} &= \sum_i D_{ik} B_{il} \\ &= (D B)_{kl}",
    ...     "D: (n, n); W: (n, n); loss: function(); A = D @ W; E = loss(A); B = diff(E, A)",
    ... )
    >>> [e.status for e in found.equalities], found.first_wrong.number
    (['proved', 'refuted'], 2)
    """
    if not isinstance(latex, str):
        raise ParseError(f"LaTeX is a text, not {type(latex).__name__}")
    text = declarations if isinstance(declarations, str) else "\n".join(declarations)
    return marked(latex, Sheet(text), display=display, ranges=ranges, source=source)


def marked(
    latex: str,
    sheet: Sheet,
    *,
    display: Mapping[str, str] | None = None,
    ranges: Mapping[str, tuple[int | str, int | str]] | None = None,
    source: str = "",
) -> Homework:
    """Check a derivation over the names of a sheet, which then has its claims; see `homework`."""
    lines = lines_of(latex, sheet.names, display, ranges, source)
    printer = Latex({}, dict(display or {}))
    return Homework(tuple(_checked(n, line, sheet, printer) for n, line in enumerate(lines, 1)))


def _checked(number: int, line: Line, sheet: Sheet, printer: Latex) -> Checked:
    """Return one equality, decided."""
    e, statement = line.equality, line.statement
    if statement is None:
        return _unfit(number, e, line.error)
    try:
        claim = sheet.decide(statement)
    except (ShapeError, UnsupportedError) as err:
        return _unfit(number, e, err)
    sheet.claims.append(claim)
    why = (e.one_sided, claim.scope, claim.unproved) if claim.status != "proved" else (claim.scope,)
    correct = claim.correction
    if correct is not None:
        correct = printer.matrix(correct) if isinstance(correct, Expr) else printer.index(correct)
    return Checked(
        number, str(e), claim.text, e.place, claim.status, claim.basis, "\n".join(filter(None, why)),
        claim.counterexample, correct or "", e.remarks, e.one_sided, claim,
    )  # fmt: skip


def _unfit(number: int, e: Equality, error: SymderivError | None) -> Checked:
    """Return an equality that is no claim: it cannot be right where shapes do not fit; else nothing is known of it."""
    status = "rejected" if isinstance(error, ShapeError) else "undecided"
    if error is None:
        return Checked(number, str(e), "", e.place, status)
    shapes = [f"{name}: shape {shape}" for name, shape in error.shapes.items()]
    reason = "\n".join([error.message, *shapes, *([f"hint: {error.hint}"] if error.hint else [])])
    return Checked(number, str(e), "", error.place or e.place, status, reason=reason, remarks=e.remarks)
