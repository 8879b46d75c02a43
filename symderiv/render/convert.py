"""LaTeX mathematics into MathML and Typst, all formulas of a document in one run of pandoc."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from symderiv.errors import UnsupportedError
from symderiv.render.mathtext import inner, is_harmless

REMEDY = "pip install 'symderiv[handout]'; TeX, Markdown and NumPy go without it: --format tex,md,py"
_MARK = "symderiv-next-formula"
_ALONE = r"(?<!\\)(?<!\\left)(?<!\\right)(?<!\\middle)(?<![Bb]ig)(?<!igg)(?<![Bb]ig[lrm])(?<!igg[lrm])"
_BAR = re.compile(_ALONE + r"\|")
_NORM = re.compile(_ALONE + r"\\\|((?:[^{}|]|\{[^{}]*\})*?)\\\|")


@dataclass(frozen=True)
class Formula:
    """A formula and whether it is set in display style."""

    latex: str
    display: bool = False


def to_mathml(formulas: Iterable[Formula]) -> dict[Formula, str]:
    """``<math>`` elements; a formula that pandoc cannot read is missing."""
    found = _run_all(formulas, "html", ["--mathml", "--wrap=none"], f"<!--{_MARK}-->")
    elements = {formula: re.search(r"<math.*</math>", html, re.DOTALL) for formula, html in found.items()}
    return {formula: _tidy_mathml(element.group()) for formula, element in elements.items() if element}


def to_typst(formulas: Iterable[Formula]) -> dict[Formula, str]:
    """The insides of Typst's ``$…$``; a formula that pandoc cannot read is missing."""
    found = _run_all(formulas, "typst", ["--wrap=none"], f"//{_MARK}")
    return {f: _current_symbols(typst.strip("$ \n")) for f, typst in found.items() if typst.startswith("$")}


def _current_symbols(typst: str) -> str:
    """Give symbols the names that Typst knows now: pandoc still writes `dot.circle` for ⊙.

    Typst sets the space that pandoc leaves between a word and its bracket; and a bracket without its partner, one
    half of a pair that a line break parts, is sized, not scaled like a picture.
    """
    typst = re.sub(r"(?<=[^+\-,=] )dots\.h\.c(?= [^+\-,=\\])", "thin dots.h.c thin", typst)
    typst = re.sub(r'("[A-Za-z]+"(?:_\w+)?) (?=\\?\()', r"\1", typst)
    typst = re.sub(r"#scale\(x: (\d+)%, y: \1%\)\[\\?([()[\]])\]", _sized, typst)
    typst = re.sub(r"(?<=\))\\\|_", "lr(size: #2.4em, bar.v)_", typst)  # after a fraction: what is held fixed
    typst = re.sub(r"\b(dot|times|plus|minus|slash)\.circle\b", r"\1.o", typst)
    return typst.replace("square.stroked.tiny", "square.stroked")


def _sized(scaled: re.Match[str]) -> str:
    """A bracket of a height of its own."""
    kind = "paren" if scaled[2] in "()" else "bracket"
    return f"lr(size: #{int(scaled[1]) / 100:g}em, {kind}.{'l' if scaled[2] in '([' else 'r'})"


def _run_all(formulas: Iterable[Formula], target: str, options: list[str], mark: str) -> dict[Formula, str]:
    wanted = [formula for formula in dict.fromkeys(formulas) if is_harmless(inner(formula.latex))]
    if not wanted:
        return {}
    raw = {"t": "RawBlock", "c": [target, mark]}
    blocks = [block for formula in wanted for block in (_paragraph(formula), raw)]
    document = json.dumps({"pandoc-api-version": [1, 23], "meta": {}, "blocks": blocks})
    written = _pandoc(document, target, options).split(mark)[: len(wanted)]
    return {formula: text.strip() for formula, text in zip(wanted, written, strict=True)}


def _paragraph(formula: Formula) -> dict[str, Any]:
    kind = "DisplayMath" if formula.display else "InlineMath"
    return {"t": "Para", "c": [{"t": "Math", "c": [{"t": kind}, _readable(formula.latex)]}]}


def _readable(latex: str) -> str:
    r"""Write out what pandoc reads badly: ``\!`` (as a whole em), ``\mathrm{vec}`` (as single letters).

    ``\left\lVert`` becomes a bare sign that carries no exponent; ``\lVert`` alone is a bracket that stretches.
    """
    latex = _stretching(inner(latex).strip().replace(r"\!", ""))
    latex = latex.replace(r"\left\lVert", r"\lVert").replace(r"\right\rVert", r"\rVert")
    latex = _NORM.sub(r"\\lVert \1\\rVert ", latex)  # a sign on its own, too, and no bracket
    if len(_BAR.findall(latex)) == 2:  # |x|: single bars are set like relations, with space around them
        latex = _BAR.sub(r"\\right|", _BAR.sub(r"\\left|", latex, count=1))
    return re.sub(r"\\mathrm\{([A-Za-z]{2,})\}", r"\\operatorname{\1}", latex)


def _stretching(latex: str) -> str:
    r"""``\bigl( … \bigr)`` as ``\left( … \right)``: a scaled bracket carries no index and no space well."""
    pairs = re.sub(r"\\(?:big|Big|bigg|Bigg)l(?![A-Za-z])", r"\\left", latex)
    pairs = re.sub(r"\\(?:big|Big|bigg|Bigg)r(?![A-Za-z])", r"\\right", pairs)
    return pairs if pairs.count(r"\left") == pairs.count(r"\right") and is_harmless(pairs) else latex


def _pandoc(document: str, target: str, options: list[str]) -> str:
    try:
        import pypandoc
    except ImportError as missing:
        raise UnsupportedError("pandoc is needed to convert the mathematics", hint=REMEDY) from missing
    logging.getLogger("pypandoc").setLevel(logging.ERROR)  # a formula it cannot read is printed as code instead
    try:
        return str(pypandoc.convert_text(document, target, format="json", extra_args=options))
    except OSError as missing:
        raise UnsupportedError("pandoc is not installed", hint=REMEDY) from missing


def _tidy_mathml(element: str) -> str:
    """Without the LaTeX source, and always within a line: the page decides where a formula stands."""
    element = re.sub(r"<annotation.*?</annotation>", "", element, flags=re.DOTALL)
    element = element.replace("<semantics>", "").replace("</semantics>", "")
    element = element.replace(' xmlns="http://www.w3.org/1998/Math/MathML"', "")
    return element.replace('display="block"', 'display="inline" displaystyle="true"')
