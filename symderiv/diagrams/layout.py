"""Where everything stands: Graphviz's layered layout, by the library pygraphviz.

Its wheels bring Graphviz along and run it within the process, so that no program `dot` has to be there; it keeps room
for labels of given sizes and routes parallel arrows apart.  (grandalf has not been kept up since 2023 and draws
nodes over one another, rustworkx has no layered layout, igraph knows no sizes of nodes.)  A network of 200 layers
takes some three seconds; what would take minutes is refused before.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import ceil, hypot
from threading import Lock
from typing import Any

from symderiv.diagrams import line
from symderiv.diagrams.graph import Edge, Graph, Node
from symderiv.errors import UnsupportedError

MOST = 2500  # arrows, each as often as the layers that it crosses; more take Graphviz minutes, and nobody reads them
LARGE = 800  # of them: above, Graphviz does not look for the best places at any price
NODE_SIZE, LABEL_SIZE = 10.0, 8.0  # points of their type
LEADING = 10.5  # points from one line of a label to the next
MARGIN = 6.0
APART = 11.0  # points from the end of one arrow to that of the next
TALL = (r"\frac", r"\tfrac", r"\sum", r"\prod", r"\sqrt", r"\left")
HEAD, HALF = 6.5, 2.4  # length and half width of an arrow's head

Point = tuple[float, float]
_GRAPHVIZ = Lock()  # it is one for the whole process


class MissingLayoutError(UnsupportedError):
    """The library that lays diagrams out is not installed."""


@dataclass(frozen=True)
class Box:
    """A node with its centre and its size, y downward; all in points."""

    node: Node
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True)
class Text:
    """A line of a label, by its centre; `span` is the room that it has."""

    latex: str
    x: float
    y: float
    span: float


@dataclass(frozen=True)
class Arrow:
    """Bézier curves, end to end, with a head; `kind` is value, derivative or member, the last without a head."""

    kind: str
    curve: tuple[Point, ...]
    head: tuple[Point, ...]
    label: tuple[Text, ...]
    edge: Edge


@dataclass(frozen=True)
class Placed:
    """A graph with everything in its place."""

    width: float
    height: float
    boxes: tuple[Box, ...]
    arrows: tuple[Arrow, ...]


def place(graph: Graph) -> Placed:
    """Return a graph with everything in its place, from above to below; one that is too large is refused.

    It is laid out twice: the second time every arrow has an end of its own on its nodes, in the order of the first.
    """
    if extent(graph) > MOST:
        count = sum(1 + bool(edge.back) for edge in graph.edges)
        raise UnsupportedError(
            f"{len(graph.nodes)} nodes with {count} arrows are more than a diagram can hold",
            hint="draw fewer layers; a family, h[t] in a Sheet, has one node for all of its members",
        )
    with _GRAPHVIZ:
        first = _placed(graph, _drawn(graph, {}, {}))
        return _placed(graph, _drawn(graph, *_ends(graph, first)))


def extent(graph: Graph) -> int:
    """Return how many layers the arrows cross together: what a layout costs grows with that."""
    above: dict[str, list[str]] = {}
    below: dict[str, list[str]] = {}
    for edge in graph.edges:
        above.setdefault(edge.head, []).append(edge.tail)
        below.setdefault(edge.tail, []).append(edge.head)
    layer: dict[str, int] = {}
    waiting = Counter({node.name: len(above.get(node.name, ())) for node in graph.nodes})
    ready = [node.name for node in graph.nodes if not waiting[node.name]]
    for name in ready:
        layer[name] = 1 + max((layer[tail] for tail in above.get(name, ())), default=-1)
        waiting.subtract(heads := below.get(name, []))
        ready += [head for head in dict.fromkeys(heads) if not waiting[head]]
    for name in layer:  # what is made of nothing stands right above its first use
        if name not in above:
            layer[name] = min((layer[head] for head in below.get(name, ())), default=1) - 1
    return sum(
        (1 + bool(edge.back)) * max(1, layer.get(edge.head, 1) - layer.get(edge.tail, 0)) for edge in graph.edges
    )


def _placed(graph: Graph, drawn: Any) -> Placed:
    _, _, right, top = map(float, drawn.graph_attr["bb"].split(","))
    sizes = sizes_of(graph)
    boxes = tuple(
        Box(node, *_point(drawn.get_node(f"n{k}").attr["pos"], top), *sizes[node.name])
        for k, node in enumerate(graph.nodes)
    )
    return Placed(_round(right + 2 * MARGIN), _round(top + 2 * MARGIN), boxes, tuple(_arrows(graph, drawn, top)))


Ends = dict[str, list[str]]  # a node, and the keys of the arrows at its upper or lower edge, from left to right


def _ends(graph: Graph, placed: Placed) -> tuple[Ends, Ends]:
    """Return the arrows above and below each node, in the order in which they come from the other side."""
    above: dict[str, list[tuple[float, str]]] = {}
    below: dict[str, list[tuple[float, str]]] = {}
    for (key, kind, edge, _), arrow in zip(_wanted(graph), placed.arrows, strict=True):
        curve = arrow.curve[::-1] if kind == "derivative" else arrow.curve
        inside = curve[1:-1]
        above.setdefault(edge.head, []).append((inside[len(inside) * 2 // 3][0], key))
        below.setdefault(edge.tail, []).append((inside[(len(inside) - 1) // 3][0], key))
    return _sorted(above), _sorted(below)


def _sorted(ends: dict[str, list[tuple[float, str]]]) -> Ends:
    return {name: [key for _, key in sorted(found)] for name, found in ends.items()}


def sizes_of(graph: Graph) -> dict[str, tuple[float, float]]:
    """Return the width and the height of each node: there is room for its label, and for the ends of its arrows."""
    above, below = Counter[str](), Counter[str]()
    for edge in graph.edges:
        above[edge.head] += 1 + bool(edge.back)
        below[edge.tail] += 1 + bool(edge.back)
    found = {}
    for node in graph.nodes:
        ends = max(above[node.name], below[node.name])
        wide = max(30.0, line.room(node.label) * NODE_SIZE + 14.0, APART * ends)
        found[node.name] = float(ceil(wide)), 30.0 if any(word in node.label for word in TALL) else 22.0
    return found


def _drawn(graph: Graph, above: Ends, below: Ends) -> Any:
    """Return the graph as Graphviz lays it out, with given orders of the ends of arrows."""
    try:
        import pygraphviz
    except ImportError as missing:
        raise MissingLayoutError(
            "diagrams are laid out by pygraphviz, which is not installed", hint="pip install 'symderiv[diagram]'"
        ) from missing
    drawn = pygraphviz.AGraph(directed=True, strict=False, nodesep="0.2", ranksep="0.4")
    if extent(graph) > LARGE:
        drawn.graph_attr.update(nslimit="0.05", mclimit="0.2")
    names = {node.name: f"n{k}" for k, node in enumerate(graph.nodes)}
    sizes = sizes_of(graph)
    for node in graph.nodes:
        wide, high = sizes[node.name]
        look = {"shape": "plain", "label": _sides(wide, high, above.get(node.name, []), below.get(node.name, []))}
        if not above:
            look = {"shape": "box", "fixedsize": "true", "label": ""}
        drawn.add_node(names[node.name], width=f"{wide / 72:.4f}", height=f"{high / 72:.4f}", **look)
    for key, kind, edge, lines in _wanted(graph):
        look = {"dir": {"value": "forward", "derivative": "back", "member": "none"}[kind], "arrowsize": f"{HEAD / 10}"}
        if lines:
            look["label"] = _room(lines)
        if above:
            look |= {"headport": f"a{key}:n", "tailport": f"b{key}:s"}
        drawn.add_edge(names[edge.tail], names[edge.head], key=key, **look)
    drawn.layout(prog="dot")
    return drawn


def _wanted(graph: Graph) -> Iterator[tuple[str, str, Edge, Sequence[str]]]:
    """Yield every arrow with its key, its kind and the lines of its label."""
    for k, edge in enumerate(graph.edges):
        yield f"v{k}", "value" if edge.shape else "member", edge, [edge.shape] if edge.shape else []
        if edge.back:
            yield f"d{k}", "derivative", edge, edge.back


def _room(lines: Sequence[str]) -> str:
    """Return an empty label of the size that some lines need."""
    wide = max(line.room(latex) * LABEL_SIZE for latex in lines) + 8.0
    size = f'width="{wide:.0f}" height="{len(lines) * LEADING + 2:.0f}"'
    return f'<<table fixedsize="true" {size} border="0" cellborder="0" cellpadding="0"><tr><td></td></tr></table>>'


def _sides(wide: float, high: float, above: Sequence[str], below: Sequence[str]) -> str:
    """Return an empty node whose upper and lower edges are parted, evenly, among the arrows that end there."""
    rows = "".join(
        '<tr><td width="0" height="0"><table border="0" cellborder="0" cellspacing="0" cellpadding="0"><tr>'
        + "".join(
            f'<td port="{side}{key}" fixedsize="true" width="{wide / len(keys):.0f}" height="{high / 2:.0f}"></td>'
            for key in keys
        )
        + "</tr></table></td></tr>"
        for side, keys in (("a", above or [""]), ("b", below or [""]))
    )
    return f'<<table border="0" cellborder="0" cellspacing="0" cellpadding="0">{rows}</table>>'


def _arrows(graph: Graph, drawn: Any, top: float) -> Iterator[Arrow]:
    names = {node.name: f"n{k}" for k, node in enumerate(graph.nodes)}
    for key, kind, edge, lines in _wanted(graph):
        found = drawn.get_edge(names[edge.tail], names[edge.head], key=key).attr
        tip: Point | None = None
        points = []
        for part in found["pos"].replace("\\\n", "").split():
            if part.startswith(("e,", "s,")):
                tip = _point(part[2:], top)
            else:
                points.append(_point(part, top))
        curve = tuple(points if kind != "derivative" else reversed(points))
        head = _head(curve[-1], tip) if tip is not None else ()
        yield Arrow(kind, curve, head, tuple(_label(lines, found["lp"], top)) if lines else (), edge)


def _label(lines: Sequence[str], position: str, top: float) -> Iterator[Text]:
    x, y = _point(position, top)
    span = _round(max(line.room(latex) * LABEL_SIZE for latex in lines) + 8.0)
    for k, latex in enumerate(lines):
        yield Text(latex, x, _round(y + (k - (len(lines) - 1) / 2) * LEADING), span)


def _head(end: Point, tip: Point) -> tuple[Point, ...]:
    """Return the triangle from the end of a curve to the tip of its arrow."""
    dx, dy = tip[0] - end[0], tip[1] - end[1]
    length = hypot(dx, dy) or 1.0
    across = (-dy / length * HALF, dx / length * HALF)
    left, right = (tuple(_round(e + s * a) for e, a in zip(end, across, strict=True)) for s in (1, -1))
    return (tip, (left[0], left[1]), (right[0], right[1]))


def _point(text: str, top: float) -> Point:
    x, y = map(float, text.split(","))
    return _round(x + MARGIN), _round(top - y + MARGIN)


def _round(value: float) -> float:
    """Return a length as it is printed: a tenth of a point is not seen."""
    return round(value, 1) + 0.0


__all__ = ["Arrow", "Box", "MissingLayoutError", "Placed", "Text", "place"]
