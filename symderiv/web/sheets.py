"""Blocks of statements, read and decided: what a handout shows of them, as data."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from symderiv.errors import ParseError, SymderivError
from symderiv.handout.views import Printer
from symderiv.render.model import ClaimView, CodeView, Definitions, ForEach, Prose
from symderiv.sheet import Claim, Sheet
from symderiv.tensor.syntax import statement_tree
from symderiv.web.asked import Asked
from symderiv.web.faults import error
from symderiv.web.proofs import chain
from symderiv.web.remembered import Remembering
from symderiv.web.spoken import scope


@dataclass
class Read:
    """What came of a block: its statements, the claims that were decided, and what could not be read."""

    sheet: Sheet = field(default_factory=Remembering)
    claims: list[Claim] = field(default_factory=list)
    faults: list[SymderivError] = field(default_factory=list)


def read(text: str, sheet: Sheet | None = None) -> Read:
    r"""Read a block statement by statement: one that is broken keeps none of the others from being decided.

    >>> found = read("x: (n,)\nassert y == x\nassert x + x == 2 * x")
    >>> [c.status for c in found.claims], [err.place.line for err in found.faults]
    (['proved'], [2])
    """
    found = Read(sheet) if sheet is not None else Read()
    pieces, broken = parted(text)
    found.faults += [broken] if broken is not None else []
    for piece in pieces:
        try:
            found.claims += found.sheet.reading(piece)
        except SymderivError as err:
            found.faults.append(err)
    return found


def parted(text: str) -> tuple[list[str], ParseError | None]:
    """Return the statements of a block, each behind as many empty lines as stand above it.

    Where the text is no Python, the statements above the place of the error are returned with it.
    """
    broken = None
    try:
        tree = statement_tree(text)
    except ParseError as err:
        broken = err
        above = text.splitlines()[: err.place.line - 1] if err.place is not None else []
        try:
            tree = statement_tree("\n".join(above))
        except ParseError:
            return [], broken
    lines = text.splitlines()
    places: list[tuple[int, int]] = []
    for statement in tree.body:
        start, end = statement.lineno - 1, statement.end_lineno or statement.lineno
        if places and start < places[-1][1]:  # two on one line
            start = places.pop()[0]
        places.append((start, end))
    return ["\n" * start + "\n".join(lines[start:end]) for start, end in places], broken


def answered(question: Asked) -> dict[str, Any]:
    """Return definitions and claims of a block, each claim with its verdict and its proof."""
    found = read(question.text)
    printer = Printer(found.sheet, language=question.language, detail=question.detail)
    definitions = printer.definitions(found.sheet.statements)
    shown: list[dict[str, Any]] = [introduced(definitions)] if definitions is not None else []
    for claim in found.claims:
        shown.append(claimed(printer.claim(claim), claim, question.language))
        if claim.code is not None:
            shown.append(coded(printer.code(claim)))
        if claim.table is not None:
            shown.append(tabled(printer.table(claim)))
    functions = printer.functions(found.claims, set())
    return {
        "shown": shown,
        "numpy": "\n\n\n".join(["import numpy as np", *functions]) + "\n" if functions else "",
        "faults": [error(err) for err in found.faults],
    }


def introduced(found: Definitions) -> dict[str, Any]:
    """Return declarations and definitions, LaTeX each; those of a loop together."""
    groups: list[dict[str, Any]] = []
    for entry in found.entries:
        if isinstance(entry, ForEach):
            groups.append({"ranges": entry.ranges, "entries": list(entry.entries)})
        elif groups and not groups[-1]["ranges"]:
            groups[-1]["entries"].append(entry)
        else:
            groups.append({"ranges": "", "entries": [entry]})
    return {"kind": "definitions", "groups": groups}


def claimed(found: ClaimView, claim: Claim, language: str) -> dict[str, Any]:
    """Return a claim with what became of it."""
    place = claim.statement.place if claim.statement is not None else None
    remark, remark_language = scope(found.remark, language)
    said, _ = scope(claim.scope, language)
    example = claim.counterexample
    entry = str(list(example.entry)) if example is not None and example.entry else ""
    rows = [[name, entry if entry and value == str(example.entry) else value] for name, value in found.counterexample]
    return {
        "kind": "claim", "id": found.id, "label": found.label, "statement": found.statement, "setting": found.setting,
        "status": found.status, "expected": found.expected, "basis": found.basis, "condition": found.condition,
        "correct": found.correct, "remark": remark, "remarkLanguage": remark_language, "scope": said,
        "text": claim.text,
        "counterexample": rows, "entry": entry, "entryFrom": 0, "line": place.line if place is not None else 0,
        "proofs": [chain(proof) for proof in found.proofs],
    }  # fmt: skip


def coded(found: CodeView) -> dict[str, Any]:
    """Return code that a block asks for."""
    return {"kind": "code", "caption": found.caption, "source": found.source}


def tabled(found: Prose) -> dict[str, Any]:
    """Return a table of numbers as rows of cells."""
    rows = [[cell.strip() for cell in line.strip("| ").split("|")] for line in found.markdown.splitlines()]
    return {"kind": "table", "rows": [row for k, row in enumerate(rows) if k != 1]}


ANSWERS = {"statements": answered}
