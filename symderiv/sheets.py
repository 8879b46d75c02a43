"""A sheet of statements as a user holds it: its claims are shown with what became of them, and their proofs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from symderiv import sheet
from symderiv.errors import UnknownNameError
from symderiv.handout.views import Printer
from symderiv.render.inline import convert
from symderiv.render.md import MarkdownWriter
from symderiv.render.model import ClaimView, Definitions, ForEach
from symderiv.render.phrases import phrase
from symderiv.render.plain import Plain
from symderiv.render.terminal import WIDTH, broken, proof_text
from symderiv.render.whole import display
from symderiv.sheet import Claim
from symderiv.statements.block import Statement

MARKS = {"proved": "✓", "agrees": "✓", "approximation": "≈", "refuted": "✗", "rejected": "✗", "undecided": "?"}


class Sheet(sheet.Sheet):
    r"""Statements that share their names, read one block after the other; `print` shows claims and proofs.

    >>> s = Sheet("x: (n,)\nassert diff(x @ x, x) == 2 * x, 'Q1'")
    >>> print(s)
    ✓ Q1: proved (every step checked)
      ∂/∂x (xᵀ x) = 2 x
      Let f = xᵀ x.
      ∂f/∂xₖ = ∂/∂xₖ (Σₜ xₜ xₜ)        definition of f
             = Σₜ δₜₖ xₜ + Σₜ xₜ δₜₖ   differentiate the entry
             = xₖ + xₖ                 contract δₜₖ
             = 2 xₖ                    collect equal terms
             = (2 x)ₖ                  read off   □
    >>> s["Q1"].status
    'proved'
    """

    def __getitem__(self, name: str) -> Claim:
        """Return a claim by its label."""
        for claim in self.claims:
            if name in (claim.id, claim.label):
                return claim
        known = ", ".join(claim.id for claim in self.claims) or "none"
        raise UnknownNameError(f"no claim is called {name!r}", hint=f"there are {known}")

    def passage(self, statements: int = 0, claims: int = 0, detail: str = "normal", language: str = "en") -> Passage:
        """Return what was read from a statement and a claim on, ready to be shown."""
        return Passage(self, tuple(self.statements[statements:]), tuple(self.claims[claims:]), detail, language)

    def to_text(self, detail: str = "normal", language: str = "en", width: int = WIDTH) -> str:
        """Return the claims and their proofs as text with Unicode letters, `width` columns wide."""
        return self.passage(detail=detail, language=language).to_text(width)

    def to_markdown(self, detail: str = "normal", language: str = "en") -> str:
        """Return declarations, definitions, claims and proofs as Markdown with LaTeX, as notebooks show it."""
        return self.passage(detail=detail, language=language).to_markdown()

    def _repr_markdown_(self) -> str:
        return self.to_markdown()

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text(str(self))

    def __repr__(self) -> str:
        statuses = [claim.status for claim in self.claims]
        said = ", ".join(f"{statuses.count(s)} {s}" for s in dict.fromkeys(statuses))
        return f"Sheet({len(self.statements)} statements; claims: {said or 'none'})"

    def __str__(self) -> str:
        return self.to_text() or repr(self)


@dataclass(frozen=True, repr=False)
class Passage:
    """Some statements of a sheet and their claims, as one cell of a notebook holds them."""

    sheet: Sheet
    statements: tuple[Statement, ...]
    claims: tuple[Claim, ...]
    detail: str = "normal"
    language: str = "en"
    forgotten: tuple[str, ...] = ()
    """Names that earlier cells had given a meaning that this one replaced."""

    def printer(self) -> Printer:
        """Return what knows the names of the sheet."""
        return Printer(self.sheet, {}, self.language, self.detail)

    def to_text(self, width: int = WIDTH) -> str:
        """Return the claims and their proofs as text with Unicode letters."""
        printer = self.printer()
        shown = ["\n".join(_claim_text(printer.claim(c), self.language, width)) for c in self.claims if c.code is None]
        shown += [c.code.text for c in self.claims if c.code is not None]
        return "\n\n".join([*self._notice(), *shown])

    def to_markdown(self) -> str:
        """Return declarations, definitions, claims and proofs as Markdown with LaTeX."""
        printer = self.printer()
        introduced = printer.definitions(list(self.statements))
        parts = [*self._notice(), *_definitions(introduced, self.language)]
        for claim in self.claims:
            if claim.code is None or not claim.as_expected:
                parts += _claim_markdown(printer.claim(claim), self.language)
            if claim.code is not None:
                parts.append(f"```python\n{claim.code.text.rstrip()}\n```")
            if claim.table is not None:
                parts.append(printer.table(claim).markdown)
        return "\n\n".join(parts)

    def _notice(self) -> list[str]:
        if not self.forgotten:
            return []
        return [f"{', '.join(self.forgotten)}: what was said before is forgotten; run again what builds on it."]

    def _repr_markdown_(self) -> str:
        return self.to_markdown()

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text(str(self))

    def __repr__(self) -> str:
        return str(self)

    def __str__(self) -> str:
        return self.to_text() or f"{len(self.statements)} statements"


def _definitions(found: Definitions | None, language: str) -> Iterator[str]:
    """Yield what is declared and defined, in a sentence."""
    if found is None:
        return
    plain = [entry for entry in found.entries if isinstance(entry, str)]
    if plain:
        yield phrase(language, "let", items=_formulas(plain, language))
    for entry in found.entries:
        if isinstance(entry, ForEach):
            yield phrase(language, "for_each", ranges=f"${entry.ranges}$", items=_formulas(entry.entries, language))


def _words(text: str) -> str:
    """Return words with `$…$` among them as Markdown that says the same."""
    return convert(text, MarkdownWriter().words, lambda latex: f"${latex}$")


def _formulas(latex: Sequence[str], language: str) -> str:
    return phrase(language, "list_comma").join(f"${entry}$" for entry in latex)


def _status(view: ClaimView, language: str) -> str:
    """Return what became of a claim, and on what that rests."""
    basis = f"basis_{view.basis}" if view.basis in ("kernel", "exact", "numeric") else ""
    said = phrase(language, view.status) + (f" ({phrase(language, basis)})" if basis else "")
    if view.status == view.expected:
        return said
    return f"{said}, {phrase(language, 'expected', status=phrase(language, view.expected))}"


def _claim_markdown(view: ClaimView, language: str) -> Iterator[str]:
    name = view.label or view.id
    yield f"**{MARKS[view.status]} {_words(name)}**: {_status(view, language)}. {_words(view.setting)}".rstrip()
    if view.statement:
        yield display([], [view.statement])
    for proof in view.proofs:
        yield f"*{phrase(language, 'proof')}.* {_words(proof.intro)}".rstrip()
        yield display([proof])
    yield from map(_words, _more(view, language))


def _more(view: ClaimView, language: str) -> Iterator[str]:
    """Yield what else there is to say about a claim: where it fails, what is right, what it presupposes."""
    if view.counterexample:
        rows = ", ".join(f"{name} {value}" for name, value in view.counterexample)
        yield f"{phrase(language, 'counterexample')}: {rows}"
    if view.correct:
        yield f"{phrase(language, 'correct_is')} ${view.correct}$."
    if view.condition:
        yield f"{phrase(language, 'condition')}: {view.condition}"
    if view.remark:
        yield view.remark


def _claim_text(view: ClaimView, language: str, width: int) -> Iterator[str]:
    plain = Plain(small=False)
    yield f"{MARKS[view.status]} {view.label or view.id}: {_status(view, language)}"
    if view.setting:
        yield f"  {plain.text(view.setting)}"
    if view.statement:
        small = Plain()
        said = small(view.statement)
        yield from (f"  {piece}" for piece in broken(plain(view.statement) if small.missed else said, width - 2, 4))
    for chain in proof_text(view.proofs, width):
        yield from map(str, chain)
    yield from (f"  {plain.text(text)}" for text in _more(view, language))


__all__ = ["Passage", "Sheet"]
