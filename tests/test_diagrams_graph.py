"""What diagrams show: arrows are what texts name, derivatives go where the chain rule goes."""

from __future__ import annotations

import ast
import pickle
from itertools import pairwise

import pytest
from diagram_cases import EXPRESSIONS, LAST, LAYER, NAMES, TANH, diagrams, gradients
from networks import RECURRENT

import symderiv
from symderiv.diagrams.graph import Edge, Graph
from symderiv.diagrams.opened import of_sheet
from symderiv.render.latex import Latex


def arrows(graph: Graph) -> set[tuple[str, str]]:
    return {(e.tail, e.head) for e in graph.edges if e.shape}


def backward(graph: Graph) -> set[tuple[str, str]]:
    return {(e.tail, e.head) for e in graph.edges if e.back}


def edge(graph: Graph, tail: str, head: str) -> Edge:
    (found,) = [e for e in graph.edges if (e.tail, e.head) == (tail, head)]
    return found


def paths(pairs: set[tuple[str, str]], start: str, end: str) -> list[list[str]]:
    """Return all ways from a start to an end, by trying them out."""
    if start == end:
        return [[end]]
    return [[start, *rest] for a, b in sorted(pairs) if a == start for rest in paths(pairs, b, end)]


@pytest.mark.parametrize("name", EXPRESSIONS)
def test_arrows_are_what_the_statements_name(name: str) -> None:
    """An independent source: the statements, read by Python."""
    g, graph = gradients(name), diagrams()[name].graph
    wanted, known = set(), {node.name for node in graph.nodes}
    for line in g.statements().splitlines():
        head, _, text = line.partition(" = ")
        if head in known:
            names = {n.id for n in ast.walk(ast.parse(text)) if isinstance(n, ast.Name)}
            wanted |= {(tail, head) for tail in names & known}
    assert arrows(graph) == wanted
    assert {node.name for node in graph.nodes if node.wanted} == set(EXPRESSIONS[name][1])


@pytest.mark.parametrize("name", [n for n in EXPRESSIONS if n != "the variable"])
def test_derivatives_flow_back_along_every_path_from_a_variable(name: str) -> None:
    graph = diagrams()[name].graph
    ways = [way for x in EXPRESSIONS[name][1] for way in paths(arrows(graph), x, "f")]
    assert backward(graph) == {pair for way in ways for pair in pairwise(way)}


def test_a_condition_has_no_slope() -> None:
    shapes = {"x": ("n",), "y": ("n",)}
    graph = symderiv.gradients("sum(where(x > 0, y**2, y))", ["y"], shapes=shapes).diagram().graph
    assert ("x", "f") in arrows(graph) and ("x", "f") not in backward(graph)


def test_the_only_way_carries_the_derivative_itself() -> None:
    graph = diagrams()["logistic"].graph
    assert edge(graph, "w", "u").back == (r"\partial f/\partial w", r"\mathbb{R}^{p}")
    assert edge(graph, "X", "u").back == () and edge(graph, "X", "u").shape == r"\mathbb{R}^{n\times p}"


def test_one_of_several_ways_carries_its_term() -> None:
    graph = diagrams()["many uses"].graph
    assert edge(graph, "x", "u").back == (
        r"\partial f/\partial u \cdot", r"\partial u/\partial x", r"\mathbb{R}^{n}",
    )  # fmt: skip
    assert edge(graph, "x", "f").back == (r"\partial^{+} f/\partial x", r"\mathbb{R}^{n}")  # not through u and v


@pytest.mark.parametrize("name", EXPRESSIONS)
def test_a_plus_where_the_parent_depends_on_the_child_in_another_way_besides(name: str) -> None:
    graph = diagrams()[name].graph
    for e in graph.edges:
        if e.back and len([h for t, h in backward(graph) if t == e.tail]) > 1:
            others = len(paths(backward(graph), e.tail, e.head)) - 1
            assert (r"\partial^{+}" in "".join(e.back)) == (others > 0), e


def test_a_derivative_of_an_array_has_its_axes_first() -> None:
    back = edge(diagrams()["a vector"].graph, "x", "u").back
    assert back == (r"\partial f/\partial x", r"\mathbb{R}^{n\times n}")


def test_orders() -> None:
    d = symderiv.derive("norm(X @ w - y)**2", ["w", "w"], shapes={"X": ("n", "p"), "w": ("p",), "y": ("n",)})
    assert [n.name for n in d.diagram().graph.nodes][-1] == "f"
    second = d.diagram(order=2).graph
    assert second.function == "f'" and edge(second, "w", "u").back[0] == r"\partial f'/\partial w"
    for order in (0, 3):
        with pytest.raises(symderiv.SymderivError, match="no diagram of order"):
            d.diagram(order=order)


def test_long_definitions_leave_their_name() -> None:
    nodes = {n.name: n for n in diagrams()["long names"].graph.nodes}
    assert nodes["v"].label == "v" and nodes["v"].text.startswith("v = theta_long * tanh(")


# -- sheets


def test_a_sheet_differentiates_what_its_statements_do() -> None:
    graph = diagrams()["layer"].graph
    assert graph.function == "E"
    assert backward(graph) == {("D", "A"), ("W", "A"), ("A", "E")}
    assert edge(graph, "A", "E").back[0] == r"B = \partial E/\partial A"  # the sheet's own name for it
    assert "B" not in {n.name for n in graph.nodes}


def test_of_a_definition_that_is_not_the_last() -> None:
    sheet = symderiv.Sheet(LAYER)
    graph = sheet.diagram("W", of="A").graph
    assert [n.name for n in graph.nodes] == ["D", "W", "A"] and backward(graph) == {("W", "A")}
    assert edge(graph, "W", "A").back[1] == r"\mathbb{R}^{m\times p\times n\times p}"


def test_a_family_has_a_node_for_each_label_that_is_spoken_of() -> None:
    graph = diagrams()["recurrent"].graph
    assert {n.name for n in graph.nodes} == {
        "theta", "h[0]", "h[t - 1]", "x[t]", "y[t]", "h[t]", "o[t]", "ell[t]", "L",
    }  # fmt: skip
    assert ("h[t - 1]", "h[t]") in arrows(graph) and ("ell[t]", "L") in arrows(graph)  # s is another letter for t
    assert {(e.tail, e.head) for e in graph.edges if not e.shape} == {("h[0]", "h[t - 1]")}
    assert graph.members == "t"


def test_derivatives_of_a_family_go_through_the_member_before() -> None:
    graph = diagrams()["recurrent"].graph
    assert backward(graph) == {
        ("theta", "h[t]"), ("theta", "o[t]"), ("h[t - 1]", "h[t]"), ("h[t]", "o[t]"), ("o[t]", "ell[t]"),
        ("ell[t]", "L"),
    }  # fmt: skip
    assert edge(graph, "theta", "h[t]").back[:2] == (
        r"\partial L/\partial h_{t} \cdot", r"\partial^{+} h_{t}/\partial \theta",
    )  # fmt: skip
    assert edge(graph, "h[t - 1]", "h[t]").back[1] == r"\partial h_{t}/\partial h_{t-1}"


def test_a_state_at_the_start_and_one_at_the_end() -> None:
    graph = diagrams()["last state"].graph
    assert {(e.tail, e.head) for e in graph.edges if not e.shape} == {("h[0]", "h[t - 1]"), ("h[t]", "h[T]")}
    assert ("h[t - 1]", "h[t]") in backward(graph) and ("h[T]", "E") in backward(graph)
    only = symderiv.Sheet(LAST).diagram("x").graph
    assert backward(only) == {("x[t]", "h[t]"), ("h[t - 1]", "h[t]"), ("h[T]", "E")}


def test_subscripts_have_nodes_and_no_slope() -> None:
    graph = symderiv.Sheet(TANH).diagram().graph
    assert edge(graph, "y[t]", "L").shape == r"\{1, \dots, m\}" and not backward(graph)


def test_a_sheet_that_tells_immediate_derivatives_apart_does_so_in_its_picture() -> None:
    """As its proofs do, printed with the same printer."""
    latex = Latex({})
    latex.direct = {"h"}
    sheet = symderiv.Sheet(RECURRENT)
    graph = of_sheet(sheet.names, sheet.statements, latex, ["theta"], None)
    assert edge(graph, "h[t - 1]", "h[t]").back[1] == r"\partial^{+} h_{t}/\partial h_{t-1}"


def test_one_node() -> None:
    graph = diagrams()["one node"].graph
    assert [n.name for n in graph.nodes] == ["x"] and graph.edges == ()


@pytest.mark.parametrize(
    ("text", "arguments", "said"),
    [
        (LAYER, {"wrt": "Q"}, "no 'Q' in the diagram"),
        (LAYER, {"of": "Q"}, "no definition 'Q' to draw"),
        (RECURRENT, {"wrt": "h[7]"}, r"no 'h\[7\]' in the diagram"),
    ],
)
def test_what_is_not_there_is_refused(text: str, arguments: dict[str, str], said: str) -> None:
    with pytest.raises(symderiv.SymderivError, match=said):
        symderiv.Sheet(text).diagram(**arguments)


@pytest.mark.parametrize("name", NAMES)
def test_diagrams_pickle(name: str) -> None:
    d = diagrams()[name]
    assert pickle.loads(pickle.dumps(d)).graph == d.graph
