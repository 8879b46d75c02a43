"""Where everything stands: nothing overlaps, arrows arrive, the same graph has the same places."""

from __future__ import annotations

import subprocess
import sys
import time
from itertools import combinations

import pytest
from diagram_cases import NAMES, diagrams, gradients

import symderiv
from symderiv.diagrams.graph import Edge, Graph, Node
from symderiv.diagrams.layout import LEADING, MOST, Arrow, Box, Placed, extent, place

pytest.importorskip("pygraphviz", reason="pygraphviz comes with the extra symderiv[diagram]")

Rectangle = tuple[float, float, float, float]


def rectangle(box: Box) -> Rectangle:
    return box.x - box.width / 2, box.y - box.height / 2, box.x + box.width / 2, box.y + box.height / 2


def label_of(arrow: Arrow) -> Rectangle:
    xs, ys, span = [t.x for t in arrow.label], [t.y for t in arrow.label], arrow.label[0].span
    return xs[0] - span / 2, min(ys) - LEADING / 2, xs[0] + span / 2, max(ys) + LEADING / 2


def overlap(a: Rectangle, b: Rectangle) -> bool:
    return min(a[2], b[2]) - max(a[0], b[0]) > 0.5 and min(a[3], b[3]) - max(a[1], b[1]) > 0.5


def distance(point: tuple[float, float], r: Rectangle) -> float:
    """Return how far a point is from the edge of a rectangle."""
    outside = max(r[0] - point[0], point[0] - r[2], r[1] - point[1], point[1] - r[3])
    return abs(outside)


@pytest.fixture(params=NAMES)
def placed(request: pytest.FixtureRequest) -> Placed:
    return diagrams()[request.param].placed


def test_nodes_and_labels_do_not_overlap(placed: Placed) -> None:
    rectangles = [rectangle(box) for box in placed.boxes] + [label_of(a) for a in placed.arrows if a.label]
    assert [pair for pair in combinations(rectangles, 2) if overlap(*pair)] == []


def test_nothing_is_cut_off(placed: Placed) -> None:
    corners = [corner for box in placed.boxes for r in [rectangle(box)] for corner in (r[:2], r[2:])]
    corners += [corner for a in placed.arrows if a.label for r in [label_of(a)] for corner in (r[:2], r[2:])]
    corners += [point for a in placed.arrows for point in (*a.head, a.curve[0], a.curve[-1])]
    assert all(0 <= x <= placed.width and 0 <= y <= placed.height for x, y in corners)


def test_arrows_arrive(placed: Placed) -> None:
    boxes = {box.node.name: rectangle(box) for box in placed.boxes}
    for arrow in placed.arrows:
        start, end = arrow.edge.tail, arrow.edge.head
        if arrow.kind == "derivative":
            start, end = end, start
        tip = arrow.head[0] if arrow.head else arrow.curve[-1]
        assert distance(tip, boxes[end]) <= 1.5 and distance(arrow.curve[0], boxes[start]) <= 1.5
        assert bool(arrow.head) == (arrow.kind != "member") and len(arrow.curve) % 3 == 1


def test_values_flow_downward(placed: Placed) -> None:
    y = {box.node.name: box.y for box in placed.boxes}
    assert all(y[a.edge.tail] < y[a.edge.head] for a in placed.arrows)


def test_ends_of_arrows_are_apart(placed: Placed) -> None:
    for box in placed.boxes:
        ends = [p[0] for a in placed.arrows for p in (a.head[:1] + a.curve[:1]) if distance(p, rectangle(box)) <= 1.5]
        above = [x for x in ends]
        assert len(above) <= 1 or max(above) - min(above) > 4


def test_equal_graphs_have_equal_places() -> None:
    graph = diagrams()["many uses"].graph
    assert place(graph) == place(graph)


def test_bytes_are_the_same_in_another_process() -> None:
    """Hash seeds differ there."""
    program = "from diagram_cases import gradients; print(gradients('many uses').diagram().svg(), end='')"
    path = [p for p in sys.path if p]
    run = subprocess.run([sys.executable, "-c", f"import sys; sys.path[:0] = {path!r}; {program}"], capture_output=True)
    assert run.stdout.decode() == gradients("many uses").diagram().svg()


def test_what_would_take_minutes_is_refused_at_once() -> None:
    nodes = tuple(Node(f"v{k}", "definition", f"v_{{{k}}}", "") for k in range(60))
    edges = tuple(Edge(f"v{i}", f"v{j}", "S", ("x",)) for j in range(60) for i in range(j))
    graph = Graph("v", nodes, edges)
    assert extent(graph) > MOST
    start = time.perf_counter()
    with pytest.raises(symderiv.SymderivError, match="more than a diagram can hold"):
        place(graph)
    assert time.perf_counter() - start < 1


def test_the_extent_is_how_many_layers_arrows_cross() -> None:
    nodes = tuple(Node(name, "definition", name, "") for name in "abcd")
    chain = (Edge("a", "b", "S"), Edge("b", "c", "S"), Edge("d", "c", "S"), Edge("a", "c", "S", ("x",)))
    assert extent(Graph("c", nodes, chain)) == 1 + 1 + 1 + 2 * 2  # d stands right above c


def test_without_the_library_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pygraphviz", None)
    with pytest.raises(symderiv.SymderivError, match="laid out by pygraphviz") as caught:
        place(diagrams()["layer"].graph)
    assert "symderiv[diagram]" in str(caught.value)
