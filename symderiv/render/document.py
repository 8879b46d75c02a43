"""A document in a chosen format: the writers finish every string, the templates put them in their places."""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from functools import cache
from importlib.resources import files
from itertools import groupby
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from symderiv.errors import UnsupportedError
from symderiv.render import pdf, tex
from symderiv.render.convert import Formula, to_mathml, to_typst
from symderiv.render.html import HtmlWriter
from symderiv.render.mathtext import width
from symderiv.render.md import MarkdownWriter
from symderiv.render.model import (
    Block,
    ClaimView,
    CodeView,
    Definitions,
    Document,
    ForEach,
    Problem,
    ProofView,
    Prose,
)
from symderiv.render.phrases import phrase, resolve
from symderiv.render.prose import Writer
from symderiv.render.tex import TexWriter
from symderiv.render.typ import TypstWriter

FORMATS = ("tex", "md", "html", "typ", "pdf")
_SHORT = 16.0  # em: longer definitions stand on lines of their own
_LONG_VALUE = 60  # characters of a value in a table, beyond which it is set in lines
_STATUSES = ("proved", "refuted", "undecided", "approximation", "rejected", "agrees")
_BASES = ("kernel", "exact", "numeric")


def render(document: Document, fmt: str, *, templates: Path | None = None) -> str | bytes:
    """The document in ``tex``, ``md``, ``html``, ``typ`` or, as bytes, ``pdf`` (made by Typst).

    ``templates`` is a folder whose files stand in for the built-in ones of the same name.
    """
    match fmt:
        case "tex":
            return _fill("document.tex", _present(document, TexWriter()), templates)
        case "md":
            return _fill("document.md", _present(document, MarkdownWriter()), templates)
        case "html":
            view = _present_converted(document, HtmlWriter, to_mathml)
            return _fill("document.html", view | {"font": _math_font()}, templates)
        case "typ":
            view = _present_converted(document, TypstWriter, to_typst)
            language = resolve(document.language)
            fonts = {"fonts": pdf.fonts_for(language), "emphatic": pdf.emphatic_fonts_for(language)}
            return _fill("document.typ", view | fonts, templates)
        case "pdf":
            return pdf.by_typst(str(render(document, "typ", templates=templates)), resolve(document.language))
    raise UnsupportedError(f"no format is called {fmt!r}", hint=f"known are {', '.join(FORMATS)}")


def pdf_by_latex(document: Document, *, templates: Path | None = None) -> bytes:
    """The PDF that pdflatex makes of the LaTeX; LuaLaTeX for Japanese."""
    return pdf.by_latex(str(render(document, "tex", templates=templates)), resolve(document.language))


# --- templates ------------------------------------------------------------------------------------


def _fill(name: str, view: dict[str, Any], templates: Path | None) -> str:
    text = _environment(templates).get_template(name).render(view)
    return _without_blank_runs(text)


def _without_blank_runs(text: str) -> str:
    """At most one empty line at a time, and none at the end: what templates leave behind."""
    kept: list[str] = []
    for line in text.split("\n"):
        line = line.rstrip()
        if line or (kept and kept[-1]):
            kept.append(line)
    return "\n".join(kept).rstrip("\n") + "\n"


@cache
def _environment(templates: Path | None) -> Environment:
    folders = [folder for folder in (templates, _own_templates()) if folder is not None]
    return Environment(
        loader=FileSystemLoader(folders),
        block_start_string="<%",
        block_end_string="%>",
        variable_start_string="<<",
        variable_end_string=">>",
        comment_start_string="<#",
        comment_end_string="#>",
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        autoescape=False,  # the writers have escaped everything for their format
    )


def _own_templates() -> Path:
    """The folder in the wheel, or that of the checkout."""
    installed = Path(str(files("symderiv") / "templates"))
    return installed if installed.is_dir() else installed.parent.parent / "templates"


@cache
def _math_font() -> str:
    return base64.b64encode((_own_templates() / "math.woff2").read_bytes()).decode("ascii")


# --- from the model to finished strings -----------------------------------------------------------


def _present_converted(
    document: Document,
    writer: Callable[[Callable[[Formula], str | None]], Writer],
    convert: Callable[[list[Formula]], dict[Formula, str]],
) -> dict[str, Any]:
    """Present twice: first only to learn which formulas there are, so that one run converts them all."""
    wanted: list[Formula] = []

    def note(formula: Formula) -> str:
        wanted.append(formula)
        return ""

    _present(document, writer(note))
    return _present(document, writer(convert(wanted).get))


def _present(document: Document, writer: Writer) -> dict[str, Any]:
    """What the templates see."""
    language = resolve(document.language)
    presenter = _Presenter(writer, language)
    body = {
        "title": writer.words(document.title),
        "author": writer.words(document.author),
        "language": language,
        "convention": writer.text(document.convention),
        "symbols": [
            (writer.mathematics(name), writer.mathematics(shape) if shape else "", writer.text(meaning))
            for name, shape, meaning in document.symbols
        ],
        "blocks": [presenter.block(block) for block in document.blocks],
        "words": presenter.phrase,
        "is_japanese": language == "ja",
    }
    return body | {"declarations": tex.declarations(_all_text(body))}


def _all_text(value: object) -> str:
    """Every string in a view, to see which characters it holds."""
    match value:
        case str():
            return value
        case dict():
            return "".join(map(_all_text, value.values()))
        case list() | tuple():
            return "".join(map(_all_text, value))
    return ""


class _Presenter:
    """Blocks as dictionaries of finished strings."""

    def __init__(self, writer: Writer, language: str) -> None:
        self._writer = writer
        self._language = language

    def phrase(self, key: str, **values: str) -> str:
        """A phrase of the document's language, finished."""
        return self._writer.text(phrase(self._language, key, **values))

    def block(self, block: Block) -> dict[str, Any]:
        match block:
            case Prose():
                return {"kind": "prose", "body": self._writer.prose(block.markdown)}
            case Definitions():
                return {"kind": "definitions", "body": self._definitions(block)}
            case ClaimView():
                return {"kind": "claim"} | self._claim(block)
            case CodeView():
                caption = self._writer.text(block.caption)
                return {"kind": "code", "body": self._writer.code(block.source), "caption": caption}
            case Problem():
                message, where = self._writer.words(block.message), self._writer.words(block.where)
                return {"kind": "problem", "message": message, "where": where}

    def _definitions(self, block: Definitions) -> str:
        """Entries in their order: those of a loop together, and between them all that hold once."""
        parts: list[str] = []
        for single, group in groupby(block.entries, key=lambda entry: isinstance(entry, str)):
            if single:
                parts += self._introduced("let", [entry for entry in group if isinstance(entry, str)])
            else:
                for entry in group:
                    if isinstance(entry, ForEach):
                        parts += self._introduced("for_each", entry.entries, ranges=f"${entry.ranges}$")
        return "\n\n".join(parts)

    def _introduced(self, key: str, entries: Sequence[str], **values: str) -> list[str]:
        """A sentence of the short entries, then the long ones on lines of their own."""
        short = [f"${entry}$" for entry in entries if width(entry) <= _SHORT]
        long = [self._writer.display(entry) for entry in entries if width(entry) > _SHORT]
        sentence = [self.phrase(key, items=self._joined(short), **values)] if short else []
        if long and not short and values:
            sentence = [self.phrase(f"{key}_below", **values)]
        return sentence + long

    def _joined(self, items: list[str]) -> str:
        *most, last = items
        comma, final = phrase(self._language, "list_comma"), phrase(self._language, "list_and")
        return (comma.join(most) + final if most else "") + last

    def _claim(self, claim: ClaimView) -> dict[str, Any]:
        writer = self._writer
        return {
            "id": writer.words(claim.id),
            "name": self.phrase(claim.kind or ("approximate" if claim.status == "approximation" else "claim")),
            "label": writer.text(claim.label),
            "setting": writer.text(claim.setting),
            "statement": writer.display(claim.statement) if claim.statement else "",
            "status": claim.status if claim.status in _STATUSES else "undecided",
            "status_word": self._status(claim.status),
            "expected": self._expected(claim),
            "basis": self._basis(claim.basis),
            "proofs": [self._proof(proof) for proof in claim.proofs],
            "counterexample": [(writer.text(name), writer.text(value)) for name, value in claim.counterexample],
            "counterexample_is_wide": any(len(value) > _LONG_VALUE for _, value in claim.counterexample),
            "correct": writer.display(claim.correct) if claim.correct else "",
            "condition": self._condition(claim.condition),
            "remark": writer.text(claim.remark),
        }

    def _status(self, status: str) -> str:
        return self.phrase(status) if status in _STATUSES else self._writer.words(status)

    def _expected(self, claim: ClaimView) -> str:
        """What the author expected, where it came out otherwise."""
        if claim.expected in {"", claim.status}:
            return ""
        known = claim.expected in _STATUSES
        word = phrase(self._language, claim.expected) if known else claim.expected
        return self.phrase("expected", status=word)

    def _basis(self, basis: str) -> str:
        return self.phrase(f"basis_{basis}") if basis in _BASES else self._writer.text(basis)

    def _condition(self, condition: str) -> str:
        if "\\" in condition and "$" not in condition:
            return self._writer.mathematics(condition)
        return self._writer.text(condition)

    def _proof(self, proof: ProofView) -> dict[str, Any]:
        writer = self._writer
        labels = ", ".join(proof.cites)
        return {
            "intro": writer.text(proof.intro),
            "cites": self.phrase("uses", labels=labels) if labels else "",
            "body": writer.proof(lines, proof.checked) if (lines := proof.all_lines) else "",
            "checked": proof.checked,
        }
