r"""Writing LaTeX: amsmath and plain LaTeX, the same bytes on every machine.

Lines too long for the page are found by :func:`symderiv.render.mathtext.width` before TeX sees them. A
proof whose reasons fit beside it is an ``align*`` with a column of reasons; where they do not, each
reason becomes a ``\tag*``, which amsmath sets at the margin or, where there is no room, below; and a side
too wide even alone is broken before its relations and signs.
"""

# ruff: noqa: SIM905 - a table of words reads better as words

from __future__ import annotations

import re
import textwrap
import unicodedata
from collections.abc import Iterable

from symderiv.render import inline
from symderiv.render.mathtext import breakable, inner, is_harmless, relation_first, width
from symderiv.render.model import DiagramView, Line
from symderiv.render.prose import Writer

TEXT_WIDTH = 42.0  # em of an 11 pt line on the page of templates/document.tex
_GAP = 3.0  # em that `align*` keeps between the equation and its reason, at least
WIDEST_LEFT = 16.0  # em of a left side that stands beside its equation
_TAG = 5.0  # em that the number of an equation takes, with the space before it
BLANK = 14.0  # em of a blank in a proof
_CODE_COLUMNS = 98

_SPECIAL = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "$": r"\$",
    "&": r"\&",
    "%": r"\%",
    "#": r"\#",
    "_": r"\_",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': r"\textquotedbl{}",
    "`": r"\textasciigrave{}",
}

_GREEK = dict(
    zip(
        "αβγδεζηθικλμνξπρστυφχψωΓΔΘΛΞΠΣΦΨΩ",
        "alpha beta gamma delta varepsilon zeta eta theta iota kappa lambda mu nu xi pi rho sigma tau"
        " upsilon varphi chi psi omega Gamma Delta Theta Lambda Xi Pi Sigma Phi Psi Omega".split(),
        strict=True,
    )
)
_SIGNS = {
    "∂": r"\partial",
    "∇": r"\nabla",
    "∑": r"\sum",
    "∏": r"\prod",
    "√": r"\surd",
    "∞": r"\infty",
    "−": "-",
    "×": r"\times",
    "·": r"\cdot",
    "⋅": r"\cdot",
    "∘": r"\circ",
    "⊙": r"\odot",
    "⊗": r"\otimes",
    "≤": r"\le",
    "≥": r"\ge",
    "≠": r"\ne",
    "≈": r"\approx",
    "≡": r"\equiv",
    "∝": r"\propto",
    "∈": r"\in",
    "∉": r"\notin",
    "→": r"\to",
    "←": r"\leftarrow",
    "⇒": r"\Rightarrow",
    "↦": r"\mapsto",
    "⋯": r"\cdots",
    "∀": r"\forall",
    "∃": r"\exists",
    "ℝ": r"\mathbb{R}",
    "□": r"\square",
    "⊤": r"\top",
    "ᵀ": r"^{\top}",
    "′": r"^{\prime}",
    "″": r"^{\prime\prime}",
    "⁻": "^{-}",
    "½": r"\tfrac12",
    **{digit: f"^{{{value}}}" for value, digit in enumerate("⁰¹²³⁴⁵⁶⁷⁸⁹")},
    **{digit: f"_{{{value}}}" for value, digit in enumerate("₀₁₂₃₄₅₆₇₈₉")},
}
MATHEMATICAL = _SIGNS | {letter: f"\\{name}" for letter, name in _GREEK.items()}
_TYPOGRAPHIC = frozenset("‘’“”„‚«»‹›–—…•†‡€™")  # plain LaTeX knows these in text


def escape(text: str) -> str:
    """Text in which nothing is a command any more."""
    return "".join(_character(char) for char in _clean(text))


def _clean(text: str) -> str:
    """Composed characters, no control characters, one line."""
    text = unicodedata.normalize("NFC", text)
    return "".join(" " if char in "\n\t" else char for char in text if char in "\n\t" or char.isprintable())


def _character(char: str) -> str:
    if char in MATHEMATICAL:
        return rf"\ensuremath{{{MATHEMATICAL[char]}}}"
    return _SPECIAL.get(char, char)


def declarations(document: str) -> str:
    """Preamble lines for characters that pdflatex would refuse: printed as their sign or number."""
    foreign = {char for char in document if ord(char) > 0x17F and char not in _TYPOGRAPHIC}
    foreign |= {char for char in document if char in MATHEMATICAL and ord(char) > 0x7F}
    return "\n".join(_declaration(char) for char in sorted(foreign))


def _declaration(char: str) -> str:
    sign = rf"\ensuremath{{{MATHEMATICAL[char]}}}" if char in MATHEMATICAL else rf"\texttt{{[U+{ord(char):04X}]}}"
    return rf"\DeclareUnicodeCharacter{{{ord(char):04X}}}{{{sign}}}"


# --- mathematics ----------------------------------------------------------------------------------


def safe(latex: str) -> str:
    """The mathematics where it is harmless, otherwise the same characters as code."""
    latex = inner(latex).strip()
    return latex if is_harmless(latex) else rf"\text{{\texttt{{{escape(latex)}}}}}"


def reason_math(reason: str) -> str:
    r"""A reason as mathematics: ``\text{chain rule through }A``, which every reader of LaTeX understands."""
    return inline.convert(reason, lambda words: rf"\text{{{escape(words)}}}", safe)


def aligned(lines: tuple[Line, ...], checked: bool, page: float = TEXT_WIDTH) -> str:
    """The lines of a proof as an ``align*``, none of them wider than the page (in em)."""
    reasons = [line.reason for line in lines]
    rows = [_fitted(line, page - _left_width(lines)) for line in lines]
    beside = _left_width(lines) + max(map(_body_width, lines)) + _GAP + max(map(_reason_width, lines)) <= page
    written = []
    for index, (line, row) in enumerate(zip(lines, rows, strict=True)):
        last = index == len(lines) - 1
        reason = (_beside if beside else _tagged)(reasons[index], checked and last)
        relation = f"&{safe(line.relation)} "
        body = f"&{safe(line.left)}\\\\\n  {relation}" if _is_wide(line) else f"{safe(line.left)} {relation}".lstrip()
        written.append((body + row + reason).strip())
    return "\\begin{align*}\n" + _joined(lines, written) + "\n\\end{align*}"


def _joined(lines: tuple[Line, ...], written: list[str]) -> str:
    """Rows with line ends; a new left side starts a new thought, so a little space goes before it."""
    ends = [r"\\[4pt]" if after.left else r"\\" for after in lines[1:]] + [""]
    return "\n".join(f"  {row}{end}" for row, end in zip(written, ends, strict=True))


def _left_width(lines: tuple[Line, ...]) -> float:
    return max(0.0 if _is_wide(line) else width(line.left) for line in lines)


def _is_wide(line: Line) -> bool:
    """Tell a left side that leaves no room for its equation: it stands on a line of its own."""
    return width(line.left) > WIDEST_LEFT


def _body_width(line: Line) -> float:
    return width(line.relation) + 0.6 + (BLANK if line.blank else width(line.right))


def _reason_width(line: Line) -> float:
    return width(reason_math(line.reason)) + 3.0  # the box with its space


def _fitted(line: Line, room: float) -> str:
    """The right side, broken where it is wider than the room."""
    if line.blank:
        return rf"\rule{{0pt}}{{2.4em}}\underline{{\hspace{{{min(BLANK, room):g}em}}}}"  # as high as a hand writes
    if not is_harmless(line.right):
        return safe(line.right)
    rows = broken(line.right, room - width(line.relation) - 1.0)
    return "\\\\\n  &\\qquad ".join(rows)


def broken(latex: str, room: float) -> list[str]:
    """The pieces of a wide formula, each as long as the room allows."""
    if width(latex) <= room:
        return [latex]
    rows: list[str] = []
    for segment in breakable(latex, room - 2.0):
        if rows and width(f"{rows[-1]} {segment}") <= room - (2.0 if len(rows) > 1 else 0.0):
            rows[-1] += f" {segment}"
        else:
            rows.append(f"{{}}{segment}" if rows else segment)
    return rows


def _beside(reason: str, box: bool) -> str:
    parts = [reason_math(reason)] if reason else []
    parts += [r"\square"] if box else []
    return " && " + r" \qquad".join(parts) if parts else ""


def _tagged(reason: str, box: bool) -> str:
    words = inline.convert(reason, escape, lambda latex: f"${safe(latex)}$")
    if width(reason_math(reason)) > TEXT_WIDTH * 0.6:
        words = rf"\parbox[t]{{0.6\textwidth}}{{\raggedleft {words}}}"
    parts = ([words] if words else []) + ([r"$\square$"] if box else [])
    return r" \tag*{" + r"\quad ".join(parts) + "}" if parts else ""


def displayed(latex: str, page: float = TEXT_WIDTH, tag: str = "") -> str:
    """A formula on its own line, or on several where it is too wide; its number stands beside the last."""
    latex, page = safe(latex), page - (_TAG if tag else 0.0)
    number = rf" \tag{{{escape(tag)}}}" if tag else ""
    if width(latex) <= page or r"\\" in latex or not is_harmless(latex):
        return f"\\[\n  {latex}{number}\n\\]"
    left, rest = relation_first(latex)
    if not rest:
        return _aligned_rows((f"&{row}" for row in broken(latex, page - 2.0)), number)
    rows = broken(rest, page - width(left))
    return _aligned_rows([f"{left} &{rows[0]}", *(f"&\\qquad {row}" for row in rows[1:])], number)


def _aligned_rows(rows: Iterable[str], number: str) -> str:
    body = "\\\\\n  ".join(rows)
    return f"\\begin{{align*}}\n  {body}{number}\n\\end{{align*}}"


# --- the writer -----------------------------------------------------------------------------------


class TexWriter(Writer):
    """LaTeX."""

    def words(self, text: str) -> str:
        return escape(text)

    def mathematics(self, latex: str) -> str:
        return f"${safe(latex)}$"

    def __init__(self, page: float = TEXT_WIDTH) -> None:
        self.page = page

    def display(self, latex: str, tag: str = "") -> str:
        return displayed(latex, self.page, tag)

    def proof(self, lines: tuple[Line, ...], checked: bool) -> str:
        return aligned(lines, checked, self.page)

    def diagram(self, picture: DiagramView) -> str:
        return picture.tikz.rstrip()

    def room(self, lines: int) -> str:
        r"""Dotted lines, 9 mm apart, between which a page may end."""
        line = r"\par\noindent\rule{0pt}{9mm}\dotfill"
        return "\n".join([line] * lines + [r"\par\medskip"])

    def anchor(self, target: str) -> str:
        return rf"\hypertarget{{{_target(target)}}}{{}}"

    def reference(self, target: str, content: str) -> str:
        return rf"\hyperlink{{{_target(target)}}}{{{content}}}"

    def code(self, source: str) -> str:
        lines = [part for line in source.rstrip("\n").split("\n") for part in _folded(_printable(line))]
        body = "\n".join(lines).replace(r"\end{verbatim}", r"\end {verbatim}")  # or the source could leave the block
        return f"{{\\footnotesize\n\\begin{{verbatim}}\n{body}\n\\end{{verbatim}}\n}}"

    def paragraph(self, content: str) -> str:
        return content

    def heading(self, level: int, content: str) -> str:
        command = "section" if level <= 2 else "subsection" if level == 3 else "subsubsection"
        return rf"\{command}*{{{content}}}"

    def items(self, contents: list[str], start: int | None) -> str:
        kind = "itemize" if start is None else "enumerate"
        counter = "" if start in {None, 1} else f"\n\\setcounter{{enumi}}{{{(start or 1) - 1}}}"
        body = "\n".join(rf"\item {content}" for content in contents)
        return f"\\begin{{{kind}}}{counter}\n{body}\n\\end{{{kind}}}"

    def quote(self, content: str) -> str:
        return f"\\begin{{quote}}\n{content}\n\\end{{quote}}"

    def table(self, rows: list[list[str]]) -> str:
        columns = "l" * max(map(len, rows))
        head, *body = (" & ".join(row) + r" \\" for row in rows)
        inner = "\n".join([head, r"\hline", *body])
        return f"\\begin{{center}}\n\\begin{{tabular}}{{{columns}}}\n{inner}\n\\end{{tabular}}\n\\end{{center}}"

    def rule(self) -> str:
        return r"\par\noindent\hrulefill\par"

    def styled(self, kind: str, content: str) -> str:
        return rf"\{'emph' if kind == 'em' else 'textbf'}{{{content}}}"

    def link(self, address: str, content: str) -> str:
        return rf"\href{{{_address(address)}}}{{{content}}}"

    def verbatim(self, source: str) -> str:
        return rf"\texttt{{{escape(source)}}}"

    def line_break(self) -> str:
        return "\\\\\n"


def _target(name: str) -> str:
    """The name of a place in which no command is left."""
    return "symderiv." + re.sub(r"[^A-Za-z0-9.:-]", lambda match: f".{ord(match[0]):x}.", name)


def _address(address: str) -> str:
    """An address in which no command is left: what TeX minds is percent-encoded or escaped."""
    encoded = re.sub(r"[\\{}^$\"\s]", lambda match: f"%{ord(match.group()):02X}", address)
    return re.sub(r"[%#&_]", r"\\\g<0>", encoded)


def _printable(line: str) -> str:
    return "".join(char for char in line.expandtabs() if char.isprintable())


def _folded(line: str) -> list[str]:
    """A long line of code on several, the later ones indented further."""
    if len(line) <= _CODE_COLUMNS:
        return [line]
    indent = " " * (len(line) - len(line.lstrip()) + 8)
    return textwrap.wrap(line, _CODE_COLUMNS, subsequent_indent=indent, drop_whitespace=True, break_on_hyphens=False)
