"""A diagram as SVG: text that can be selected, on paper of its own, light or dark as the reader has it."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from html import escape

from symderiv.diagrams import line
from symderiv.diagrams.layout import LABEL_SIZE, NODE_SIZE, Arrow, Box, Placed, Point, Text
from symderiv.diagrams.line import Run

RADIUS = 4
MIDDLE = 0.31  # em from the middle of a line down to its baseline
_STYLE = """\
.symderiv-diagram {
  --paper: #fdfdfb; --ink: #1c1d1f; --line: #8a8e94; --box: #ffffff; --goal: #fbf3dc;
  --value: #1f5fa8; --slope: #ad3a22;
}
@media (prefers-color-scheme: dark) {
  .symderiv-diagram {
    --paper: #16181b; --ink: #e8e8e2; --line: #7d828a; --box: #1f2328; --goal: #3a3320;
    --value: #82b4ee; --slope: #ff9d80;
  }
}
.symderiv-diagram text {
  font-family: "STIX Two Text", "Times New Roman", "Liberation Serif", "Nimbus Roman", Tinos, serif;
  text-anchor: middle; fill: var(--ink); stroke: none; white-space: pre;
}
.symderiv-diagram .paper { fill: var(--paper); }
.symderiv-diagram .box { fill: var(--box); stroke: var(--line); }
.symderiv-diagram .function .box { fill: var(--goal); stroke: var(--ink); }
.symderiv-diagram .wanted .box { stroke: var(--slope); stroke-width: 1.6; }
.symderiv-diagram path { fill: none; }
.symderiv-diagram .value path { stroke: var(--value); }
.symderiv-diagram .value :is(text, polygon) { fill: var(--value); }
.symderiv-diagram .derivative path { stroke: var(--slope); stroke-dasharray: 4 2; }
.symderiv-diagram .derivative :is(text, polygon) { fill: var(--slope); }
.symderiv-diagram .member path { stroke: var(--line); stroke-dasharray: 1 3; }
.symderiv-diagram .italic { font-style: italic; }
.symderiv-diagram .bold { font-weight: bold; }
.symderiv-diagram .over { text-decoration: overline; }"""


def svg(placed: Placed, title: str, description: str) -> str:
    """Return a whole SVG document; title and description are words for those who do not see it."""
    size = f"{placed.width:g} {placed.height:g}"
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" class="symderiv-diagram" role="img" viewBox="0 0 {size}"'
        f' width="{placed.width:g}pt" height="{placed.height:g}pt">',
        f"<title>{_words(title)}</title>",
        f"<desc>{_words(description)}</desc>",
        f"<style>\n{_STYLE}\n</style>",
        f'<rect class="paper" width="{placed.width:g}" height="{placed.height:g}" rx="{RADIUS}"/>',
        *map(_arrow, placed.arrows),
        *map(_box, placed.boxes),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _words(text: str) -> str:
    return escape("".join(char for char in text if char.isprintable() or unicodedata.category(char) == "Zs"))


def _box(box: Box) -> str:
    left, top = box.x - box.width / 2, box.y - box.height / 2
    classes = box.node.kind + (" wanted" if box.node.wanted else "")
    rect = (
        f'<rect class="box" x="{left:.1f}" y="{top:.1f}" width="{box.width:g}" height="{box.height:g}" rx="{RADIUS}"/>'
    )
    text = _text(Text(box.node.label, box.x, box.y, box.width), NODE_SIZE)
    return f'<g class="{classes}"><title>{_words(box.node.text)}</title>\n{rect}\n{text}</g>'


def _arrow(arrow: Arrow) -> str:
    start, *rest = arrow.curve
    path = f'<path d="M{_at(start)}C{" ".join(map(_at, rest))}"/>'
    head = f'<polygon points="{" ".join(map(_at, arrow.head))}"/>' if arrow.head else ""
    text = "".join(f"\n{_text(part, LABEL_SIZE)}" for part in arrow.label)
    return f'<g class="{arrow.kind}">{path}{head}{text}</g>'


def _at(point: Point) -> str:
    return f"{point[0]:g},{point[1]:g}"


def _text(text: Text, size: float) -> str:
    spans = "".join(_spans(line.shown(text.latex), size))
    return f'<text x="{text.x:g}" y="{text.y + MIDDLE * size:.1f}" font-size="{size:g}">{spans}</text>'


def _spans(found: Sequence[Run], size: float) -> list[str]:
    """Return runs as spans: each moves from the baseline of the one before to its own."""
    written, height = [], 0.0
    for run in found:
        look = [run.style] * (run.style != "upright") + ["over"] * run.over
        marks = f' class="{" ".join(look)}"' if look else ""
        if run.shift != height:
            marks += f' dy="{(height - run.shift) * size:.2f}"'
        if run.back:
            marks += f' dx="{-run.back * size:.2f}"'
        if run.size != 1:
            marks += f' font-size="{run.size * size:.1f}"'
        height = run.shift
        written.append(f"<tspan{marks}>{_words(run.text)}</tspan>" if marks else _words(run.text))
    return written


__all__ = ["svg"]
