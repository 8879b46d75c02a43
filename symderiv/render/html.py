"""Writing HTML with MathML, which browsers set themselves: no script, nothing from the network."""

from __future__ import annotations

import re
from collections.abc import Callable
from html import escape
from textwrap import indent
from urllib.parse import quote

from symderiv.render.convert import Formula
from symderiv.render.mathtext import breakable
from symderiv.render.model import DiagramView, Line
from symderiv.render.prose import Writer

# Browsers break lines on either side of a formula, even before a full stop.
_PUNCTUATED = re.compile(r"([(\[（「『]*)<math\b.*?</math>([)\]）」』,.;:!?、。]*)", re.DOTALL)

LONGEST = 24.0  # em of a product that is kept on one line


def _shown(text: str) -> str:
    """Return a text without the characters that do not show or that turn the others around."""
    return "".join(char for char in text if char.isprintable() or char in "\n\t")


class HtmlWriter(Writer):
    """HTML; ``convert`` gives the MathML of a formula, or nothing where it has none."""

    names_every_claim = True

    def __init__(self, convert: Callable[[Formula], str | None]) -> None:
        self._convert = convert

    def text(self, text: str) -> str:
        return _tied(super().text(text))

    def prose(self, markdown: str) -> str:
        return _tied(super().prose(markdown))

    def words(self, text: str) -> str:
        return escape(_shown(text))

    def mathematics(self, latex: str) -> str:
        return self._convert(Formula(latex)) or self.verbatim(latex)

    def display(self, latex: str, tag: str = "") -> str:
        if not tag:
            return f'<span class="display">{self._breakable(latex)}</span>'
        number = f'<span class="number">({self.words(tag)})</span>'
        return f'<div class="numbered"><span class="display">{self._breakable(latex)}</span>{number}</div>'

    def diagram(self, picture: DiagramView) -> str:
        return picture.svg.rstrip()

    def room(self, lines: int) -> str:
        return f'<div class="room" style="--lines: {lines}"></div>'

    def anchor(self, target: str) -> str:
        return escape(_shown(target))

    def reference(self, target: str, content: str) -> str:
        return f'<a href="#{escape(quote(_shown(target)))}">{content}</a>'

    def proof(self, lines: tuple[Line, ...], checked: bool) -> str:
        rows = [self._row(line, checked and line is lines[-1]) for line in lines]
        return '<div class="proof">\n' + "\n".join(rows) + "\n</div>"

    def _row(self, line: Line, box: bool) -> str:
        first = "row first" if line.left else "row"
        end = '<span class="box" title="∎">□</span>' if box else ""
        cells = [
            ("left", self._displayed(line.left) if line.left else ""),
            ("relation", self._displayed(line.relation) if line.relation else ""),
            ("right", '<span class="blank"></span>' if line.blank else self._breakable(line.right)),
            ("reason", (f"<span>{self.text(line.reason)}</span>" if line.reason else "") + end),
        ]
        inside = "\n".join(f'  <div class="{name}">{content}</div>' for name, content in cells)
        return f'<div class="{first}">\n{inside}\n</div>'

    def _displayed(self, latex: str) -> str:
        return self._convert(Formula(latex, display=True)) or self.verbatim(latex)

    def _breakable(self, latex: str) -> str:
        """Pieces between which a narrow screen may break the line; a piece starts with its sign."""
        first, *rest = breakable(latex, LONGEST) or ("",)
        parts = [self._displayed(first), *(self._displayed(f"{{}}{segment}") for segment in rest)]
        return "<wbr>".join(f'<span class="piece">{part}</span>' for part in parts)

    def code(self, source: str) -> str:
        return f"<pre><code>{self.words(source.rstrip())}</code></pre>"

    def paragraph(self, content: str) -> str:
        return f"<p>{content}</p>"

    def heading(self, level: int, content: str) -> str:
        rank = max(2, level)  # the title is the only first heading
        return f"<h{rank}>{content}</h{rank}>"

    def items(self, contents: list[str], start: int | None) -> str:
        name = "ul" if start is None else "ol"
        number = f' start="{start}"' if start not in {None, 1} else ""
        body = "\n".join(f"<li>{content}</li>" for content in contents)
        return f"<{name}{number}>\n{body}\n</{name}>"

    def quote(self, content: str) -> str:
        return f"<blockquote>\n{content}\n</blockquote>"

    def table(self, rows: list[list[str]]) -> str:
        head, *body = rows
        cells = ["".join(f"<td>{cell}</td>" for cell in row) for row in body]
        written = ["".join(f"<th>{cell}</th>" for cell in head), *cells]
        return (
            '<div class="table"><table>\n'
            + indent("\n".join(f"<tr>{row}</tr>" for row in written), "  ")
            + ("\n</table></div>")
        )

    def rule(self) -> str:
        return "<hr>"

    def styled(self, kind: str, content: str) -> str:
        return f"<{kind}>{content}</{kind}>"

    def link(self, address: str, content: str) -> str:
        return f'<a href="{escape(address)}" rel="noreferrer">{content}</a>'

    def verbatim(self, source: str) -> str:
        return f"<code>{self.words(source)}</code>"

    def line_break(self) -> str:
        return "<br>\n"


def _tied(html: str) -> str:
    """Formulas kept on one line with the brackets and stops beside them."""

    def tie(match: re.Match[str]) -> str:
        return f'<span class="tied">{match[0]}</span>' if match[1] or match[2] else match[0]

    return _PUNCTUATED.sub(tie, html)
