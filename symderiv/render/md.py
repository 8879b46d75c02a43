"""Writing Markdown with LaTeX mathematics, as GitHub, notebooks and pandoc read it."""

from __future__ import annotations

import re
from urllib.parse import quote

from symderiv.render import tex
from symderiv.render.model import DiagramView, Line
from symderiv.render.tex import TexWriter

_SPECIAL = re.compile(r"[\\`*_\[\]<>#|$~&]")
_ENDLESS = 10_000.0  # em: a page that scrolls needs no breaks


class MarkdownWriter(TexWriter):
    """Markdown: prose stays as it was written, mathematics is LaTeX."""

    def words(self, text: str) -> str:
        line = " ".join(text.split()) if "\n" in text else text
        return _SPECIAL.sub(r"\\\g<0>", "".join(char for char in line if char.isprintable()))

    def display(self, latex: str, tag: str = "") -> str:
        number = rf" \tag{{{tex.escape(tag)}}}" if tag else ""
        return f"$$\n{tex.safe(latex)}{number}\n$$"

    def proof(self, lines: tuple[Line, ...], checked: bool) -> str:
        return f"$$\n{tex.aligned(lines, checked, _ENDLESS)}\n$$"

    def code(self, source: str) -> str:
        longest = max((len(run) for run in re.findall("`+", source)), default=0)
        fence = "`" * max(3, longest + 1)
        return f"{fence}python\n{source.rstrip()}\n{fence}"

    def diagram(self, picture: DiagramView) -> str:
        return f"![{self.words(picture.title)}]({quote(picture.file)})"

    def room(self, lines: int) -> str:
        return "\n\n".join(["&nbsp;"] * lines)

    def anchor(self, target: str) -> str:
        return f'<a id="{_target(target)}"></a>'

    def reference(self, target: str, content: str) -> str:
        return f"[{content}](#{_target(target)})"

    def verbatim(self, source: str) -> str:
        longest = max((len(run) for run in re.findall("`+", source)), default=0)
        fence = "`" * (longest + 1)
        pad = " " if source[:1] == "`" or source[-1:] == "`" else ""
        return f"{fence}{pad}{source}{pad}{fence}"

    def prose(self, markdown: str) -> str:
        return markdown.strip("\n")


def _target(name: str) -> str:
    return quote(name, safe="")
