r"""A diagram as a `tikzpicture`; it needs the packages tikz and amssymb, and no library of TikZ."""

from __future__ import annotations

from symderiv.diagrams.layout import LABEL_SIZE, NODE_SIZE, Arrow, Box, Placed, Point, Text
from symderiv.render.tex import safe

COLOURS = {"value": "1F5FA8", "slope": "AD3A22", "goal": "FBF3DC", "line": "8A8E94"}
_STYLES = {"value": "diagram value", "derivative": "diagram slope,dash pattern=on 4pt off 2pt",
           "member": "diagram line,dash pattern=on 1pt off 3pt"}  # fmt: skip
_HEADS = {"value": "diagram value", "derivative": "diagram slope", "member": "diagram line"}


def tikz(placed: Placed) -> str:
    """Return the picture, its unit one point."""
    parts = [
        r"\begin{tikzpicture}[x=1pt,y=-1pt,line width=0.6pt]",
        *(rf"\definecolor{{diagram {name}}}{{HTML}}{{{code}}}" for name, code in COLOURS.items()),
        rf"\path[use as bounding box] (0,0) rectangle {_at((placed.width, placed.height))};",
        *map(_arrow, placed.arrows),
        *map(_box, placed.boxes),
        r"\end{tikzpicture}",
    ]
    return "\n".join(parts) + "\n"


def _at(point: Point) -> str:
    return f"({point[0]:g},{point[1]:g})"


def _box(box: Box) -> str:
    look = "fill=diagram goal" if box.node.kind == "function" else "draw=diagram line"
    if box.node.wanted:
        look = look.replace("draw=diagram line", "") + ",draw=diagram slope,line width=1pt"
    size = f"minimum width={box.width:g}pt,minimum height={box.height:g}pt"
    style = f"draw,rounded corners=3pt,inner sep=0pt,{size},{look.strip(',')}"
    return _text(Text(box.node.label, box.x, box.y, box.width), NODE_SIZE, style)


def _arrow(arrow: Arrow) -> str:
    start, *rest = arrow.curve
    parts = [
        f" .. controls {_at(a)} and {_at(b)} .. {_at(c)}"
        for a, b, c in zip(rest[::3], rest[1::3], rest[2::3], strict=True)
    ]
    lines = [rf"\draw[{_STYLES[arrow.kind]}] {_at(start)}{''.join(parts)};"]
    if arrow.head:
        lines.append(rf"\fill[{_HEADS[arrow.kind]}] {' -- '.join(map(_at, arrow.head))} -- cycle;")
    lines += [_text(part, LABEL_SIZE, f"inner sep=0pt,{_HEADS[arrow.kind]}") for part in arrow.label]
    return "\n".join(lines)


def _text(text: Text, size: float, style: str) -> str:
    font = rf"font=\fontsize{{{size:g}}}{{{1.2 * size:g}}}\selectfont"
    return rf"\node[{style},{font}] at {_at((text.x, text.y))} {{${safe(text.latex)}$}};"


__all__ = ["tikz"]
