"""Writing Typst, from which the PDF is made without TeX."""

from __future__ import annotations

import re
from collections.abc import Callable

from symderiv.render import inline
from symderiv.render.convert import Formula
from symderiv.render.mathtext import breakable
from symderiv.render.model import DiagramView, Line
from symderiv.render.prose import Writer

_SPECIAL = re.compile(r"[\\#$*_`<>@\[\]~=\-+/\"':]")

LONGEST = 24.0  # em of a product that is kept on one line
WIDEST = 36.0  # em of a bracket that is


class TypstWriter(Writer):
    """Typst; ``convert`` gives the inside of ``$…$`` of a formula, or nothing where it has none.

    A piece of code within text ends with ``;``, or the text after it could be read as its argument.
    """

    def __init__(self, convert: Callable[[Formula], str | None]) -> None:
        self._convert = convert

    def words(self, text: str) -> str:
        text = "".join(char for char in text if char.isprintable() or char in "\n\t")
        text = _SPECIAL.sub(r"\\\g<0>", re.sub(r"\s+", " ", text))
        return re.sub(r"(\d)\.", r"\1\\.", text)  # `1.` would start a list

    def mathematics(self, latex: str) -> str:
        return self._formula(Formula(latex))

    def display(self, latex: str, tag: str = "") -> str:
        number = f"(number: [({self.words(tag)})])" if tag else ""
        return f"#display{number}[{self._breakable(latex)}]"

    def diagram(self, picture: DiagramView) -> str:
        return inline.convert(picture.typst, str, self.mathematics).rstrip()

    def room(self, lines: int) -> str:
        return f"#room({lines})"

    def anchor(self, target: str) -> str:
        return f"#metadata(none)#label({_string(target)})"

    def reference(self, target: str, content: str) -> str:
        return f"#link(label({_string(target)}))[{content}];"

    def proof(self, lines: tuple[Line, ...], checked: bool) -> str:
        rows = [self._row(line, checked and line is lines[-1]) for line in lines]
        return "#proof(\n" + "\n".join(rows) + "\n)"

    def _row(self, line: Line, box: bool) -> str:
        left = self._displayed(line.left) if line.left else ""
        relation = self._displayed(line.relation) if line.relation else ""
        right, reason = "#blank" if line.blank else self._breakable(line.right), self.text(line.reason)
        return f"  ([{left}], [{relation}], [{right}], [{reason}], {str(box).lower()}),"

    def _displayed(self, latex: str, before: str = "") -> str:
        return self._formula(Formula(latex, display=True), before)

    def _formula(self, formula: Formula, before: str = "") -> str:
        inside = self._convert(formula)
        if inside is None:
            return self.verbatim(formula.latex)
        return f"#displayed(${before}{inside}$);" if formula.display else f"${inside}$"

    def _breakable(self, latex: str) -> str:
        """Pieces between which a line may break; an empty word before a later one keeps its `+` binary."""
        first, *rest = breakable(latex, LONGEST, WIDEST) or ("",)
        parts = [self._displayed(first), *(self._displayed(segment, '"" ') for segment in rest)]
        return "".join(f"#box[{part}]" for part in parts)

    def code(self, source: str) -> str:
        return f'#raw({_string(source.rstrip())}, block: true, lang: "python")'

    def paragraph(self, content: str) -> str:
        return content

    def heading(self, level: int, content: str) -> str:
        return f"#heading(level: {max(1, level - 1)})[{content}]"

    def items(self, contents: list[str], start: int | None) -> str:
        body = "".join(f"[{content}]" for content in contents)
        return f"#list{body}" if start is None else f"#enum(start: {start}){body}"

    def quote(self, content: str) -> str:
        return f"#quote(block: true)[{content}]"

    def table(self, rows: list[list[str]]) -> str:
        cells = ", ".join(f"[{cell}]" for row in rows for cell in row)
        return f"#rows({max(map(len, rows))}, {cells})"

    def rule(self) -> str:
        return "#line(length: 100%, stroke: 0.4pt)"

    def styled(self, kind: str, content: str) -> str:
        return f"#{'emph' if kind == 'em' else 'strong'}[{content}];"

    def link(self, address: str, content: str) -> str:
        return f"#link({_string(address)})[{content}];"

    def verbatim(self, source: str) -> str:
        return f"#raw({_string(source)});"

    def line_break(self) -> str:
        return "#linebreak();"


def _string(text: str) -> str:
    """A string literal."""
    text = "".join(char for char in text if char.isprintable() or char in "\n\t")
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\t", "\\t")
    return f'"{escaped}"'
