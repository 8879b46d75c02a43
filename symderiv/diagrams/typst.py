"""A diagram as Typst's own shapes and mathematics."""

from __future__ import annotations

from collections.abc import Callable

from symderiv.diagrams.layout import LABEL_SIZE, NODE_SIZE, Arrow, Box, Placed, Point, Text
from symderiv.diagrams.tikz import COLOURS
from symderiv.render.convert import Formula, to_typst
from symderiv.render.typ import TypstWriter

_COLOUR = {"value": COLOURS["value"], "derivative": COLOURS["slope"], "member": COLOURS["line"]}
_DASH = {"value": "none", "derivative": "(4pt, 2pt)", "member": "(1pt, 3pt)"}

Mathematics = Callable[[str], str]


def typst(placed: Placed, mathematics: Mathematics) -> str:
    """Return one box with the picture; `mathematics` writes a formula as content."""
    parts = [
        f"#box(width: {placed.width:g}pt, height: {placed.height:g}pt, {{",
        *(_arrow(arrow, mathematics) for arrow in placed.arrows),
        *(_box(box, mathematics) for box in placed.boxes),
        "})",
    ]
    return "\n".join(parts) + "\n"


def by_pandoc(placed: Placed) -> Mathematics:
    """Return a writer of the formulas of a picture; pandoc converts them all at once."""
    formulas = [box.node.label for box in placed.boxes]
    formulas += [part.latex for arrow in placed.arrows for part in arrow.label]
    return TypstWriter(to_typst(map(Formula, formulas)).get).mathematics


def _box(box: Box, mathematics: Mathematics) -> str:
    goal = box.node.kind == "function"
    fill = f'rgb("{COLOURS["goal"]}")' if goal else "white"
    edge = COLOURS["slope"] if box.node.wanted else "000000" if goal else COLOURS["line"]
    look = f'fill: {fill}, stroke: {1 if box.node.wanted else 0.5}pt + rgb("{edge}"), radius: 3pt'
    return _text(Text(box.node.label, box.x, box.y, box.width), box.height, NODE_SIZE, look, mathematics)


def _arrow(arrow: Arrow, mathematics: Mathematics) -> str:
    start, *rest = arrow.curve
    colour = f'rgb("{_COLOUR[arrow.kind]}")'
    parts = [f"curve.move({_at(start)})"]
    parts += [
        f"curve.cubic({_at(a)}, {_at(b)}, {_at(c)})" for a, b, c in zip(rest[::3], rest[1::3], rest[2::3], strict=True)
    ]
    dash = f", dash: {_DASH[arrow.kind]}" if _DASH[arrow.kind] != "none" else ""
    lines = [f"place(curve(stroke: (paint: {colour}, thickness: 0.6pt{dash}), {', '.join(parts)}))"]
    if arrow.head:
        lines.append(f"place(polygon(fill: {colour}, {', '.join(map(_at, arrow.head))}))")
    look = f"fill: {colour}"
    lines += [_text(part, LABEL_SIZE, LABEL_SIZE, "", mathematics, look) for part in arrow.label]
    return "\n".join(f"  {part}" for part in lines)


def _at(point: Point) -> str:
    return f"({point[0]:g}pt, {point[1]:g}pt)"


def _text(text: Text, height: float, size: float, look: str, mathematics: Mathematics, type_: str = "") -> str:
    at = f"dx: {text.x - text.span / 2:.1f}pt, dy: {text.y - height / 2:.1f}pt"
    room = f"width: {text.span:g}pt, height: {height:g}pt" + (f", {look}" if look else "")
    inside = f"text(size: {size:g}pt{', ' + type_ if type_ else ''})[{mathematics(text.latex)}]"
    return f"  place({at}, box({room}, align(center + horizon, {inside})))"


__all__ = ["by_pandoc", "typst"]
