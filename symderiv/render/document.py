"""A document in a chosen format: the writers finish every string, the templates put them in their places."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import groupby
from pathlib import Path
from typing import Any
from urllib.parse import unquote

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
    DiagramView,
    Document,
    ForEach,
    Problem,
    ProofView,
    Prose,
)
from symderiv.render.phrases import more_phrases, phrase, resolve
from symderiv.render.prose import Writer
from symderiv.render.templates import fill, math_font
from symderiv.render.tex import TEXT_WIDTH, TexWriter
from symderiv.render.typ import TypstWriter

FORMATS = ("tex", "md", "html", "typ", "pdf")
_SHORT = 16.0  # em: longer definitions stand on lines of their own
_LONG_VALUE = 60  # characters of a value in a table, beyond which it is set in lines
_STATUSES = ("proved", "refuted", "undecided", "approximation", "rejected", "agrees")
_BASES = ("kernel", "exact", "numeric")
_PACKAGES = {
    "amsmath": ("align*", "aligned", "cases", r"\text", r"\overset", r"\underset", r"\tag", r"\tfrac", r"\dfrac",
                r"\operatorname", r"\boldsymbol", r"\lVert", r"\lvert"),
    "amssymb": (r"\mathbb", r"\square", r"\varnothing", r"\leqslant", r"\geqslant"),
}  # fmt: skip


def render(document: Document, fmt: str, *, templates: Path | None = None) -> str | bytes:
    """The document in ``tex``, ``md``, ``html``, ``typ`` or, as bytes, ``pdf`` (made by Typst).

    ``templates`` is a folder whose files stand in for the built-in ones of the same name, and whose folder
    ``phrases`` may have tables of further languages.
    """
    with more_phrases(templates):
        return _rendered(document, fmt, templates)


def _rendered(document: Document, fmt: str, templates: Path | None) -> str | bytes:
    match fmt:
        case "tex":
            return fill("document.tex", _tex_view(document), templates)
        case "md":
            return fill("document.md", _present(document, MarkdownWriter()), templates)
        case "html":
            view = _present_converted(document, HtmlWriter, to_mathml)
            return fill("document.html", view | {"font": math_font(templates)}, templates)
        case "typ":
            view = _present_converted(document, TypstWriter, to_typst)
            language = resolve(document.language)
            fonts = {"fonts": pdf.fonts_for(language), "emphatic": pdf.emphatic_fonts_for(language)}
            return fill("document.typ", view | fonts, templates)
        case "pdf":
            return pdf.by_typst(str(_rendered(document, "typ", templates)), resolve(document.language))
    raise UnsupportedError(f"no format is called {fmt!r}", hint=f"known are {', '.join(FORMATS)}")


def pdf_by_latex(document: Document, *, templates: Path | None = None) -> bytes:
    """The PDF that pdflatex makes of the LaTeX; LuaLaTeX for Japanese."""
    source = str(render(document, "tex", templates=templates))
    with more_phrases(templates):
        return pdf.by_latex(source, resolve(document.language), document.tex.folder)


def fragment(document: Document, claim: ClaimView, *, templates: Path | None = None) -> str:
    r"""One claim with its proof, as LaTeX for ``\input``."""
    alone = replace(document, blocks=(claim,), symbols=(), convention="", title="", author="", subtitle="")
    with more_phrases(templates):
        view = _tex_view(alone)
        (block,) = view["blocks"]
        return fill("fragment.tex", view | {"block": block, "packages": _packages(_all_text(block))}, templates)


def _packages(latex: str) -> list[tuple[str, str]]:
    """The packages that LaTeX needs, each with what it uses of them."""
    used = {
        package: [word for word in words if re.search(re.escape(word) + "(?![A-Za-z])", latex)]
        for package, words in _PACKAGES.items()
    }
    return [(package, ", ".join(words)) for package, words in used.items() if words]


# --- from the model to finished strings -----------------------------------------------------------


def _tex_view(document: Document) -> dict[str, Any]:
    """What the templates of LaTeX see."""
    own = document.tex
    view = _present(document, TexWriter(own.width or TEXT_WIDTH))
    names = {"documentclass": own.name, "classoptions": ",".join(own.options), "preamble": own.preamble}
    return view | names | {"declarations": tex.declarations(_all_text(view))}


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
    anchors = _anchors(document.blocks)
    if not writer.names_every_claim:
        linked = _linked(document.blocks)
        anchors = {place: name for place, name in anchors.items() if name in linked}
    writer.targets = frozenset(anchors.values())
    presenter = _Presenter(writer, language)
    return {
        "title": writer.words(document.title),
        "subtitle": presenter.phrase(document.subtitle) if document.subtitle else "",
        "author": writer.words(document.author),
        "language": language,
        "convention": writer.text(document.convention),
        "symbols": [
            (writer.mathematics(name), writer.text(shape), writer.text(meaning))
            for name, shape, meaning in document.symbols
        ],
        "symbols_are_wide": any(
            len(meaning) > _LONG_VALUE or len(shape) > _LONG_VALUE for _, shape, meaning in document.symbols
        ),
        "blocks": [presenter.block(block, anchors.get(place, "")) for place, block in enumerate(document.blocks)],
        "words": presenter.phrase,
        "is_japanese": language == "ja",
    }


def _anchors(blocks: Sequence[Block]) -> dict[int, str]:
    """The names by which claims are linked to, by their places; of two claims of one name the first has it."""
    found: dict[int, str] = {}
    for place, block in enumerate(blocks):
        name = block.id.replace(" ", "-") if isinstance(block, ClaimView) else ""
        if name and name not in found.values():
            found[place] = name
    return found


def _linked(blocks: Sequence[Block]) -> set[str]:
    """The names that the prose may link to."""
    prose = "\n".join(block.markdown for block in blocks if isinstance(block, Prose))
    return {unquote(name) for name in re.findall(r"\]\(#([^)\s]+)\)", prose)}


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

    def block(self, block: Block, anchor: str = "") -> dict[str, Any]:
        match block:
            case Prose():
                return {"kind": "prose", "body": self._writer.prose(block.markdown)}
            case Definitions():
                return {"kind": "definitions", "body": self._definitions(block)}
            case ClaimView():
                return {"kind": "claim", "anchor": anchor and self._writer.anchor(anchor)} | self._claim(block)
            case CodeView():
                caption = self._writer.text(block.caption)
                body = self._writer.code(block.source) if block.source else ""
                room = self._writer.room(block.room) if block.room else ""
                task = self._writer.text(block.task)
                return {"kind": "code", "body": body, "caption": caption, "task": task, "room": room}
            case DiagramView():
                size = {"width": f"{block.width:g}", "height": f"{block.height:g}"}
                caption = self._writer.text(block.caption)
                return {"kind": "diagram", "body": self._writer.diagram(block), "caption": caption} | size
            case Problem():
                said = {"message": block.message, "where": block.where, "hint": block.hint}
                line = self._writer.verbatim(block.line.strip()) if block.line.strip() else ""
                return {"kind": "problem", "line": line} | {k: self._writer.words(v) for k, v in said.items()}

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
            "statement": writer.display(claim.statement, claim.tag) if claim.statement else "",
            "layouts": [(writer.text(name), writer.display(latex)) for name, latex in claim.layouts],
            "task": writer.text(claim.task),
            "quoted": writer.verbatim(claim.quoted) if claim.task and claim.quoted else "",
            "room": writer.room(claim.room) if claim.room else "",
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
