"""LaTeX in a line: the runs of characters that SVG shows."""

from __future__ import annotations

import pytest
from diagram_cases import NAMES, diagrams

from symderiv.diagrams.line import RAISED, SCRIPT, plain, runs, shown, width
from symderiv.functions import FUNCTIONS
from symderiv.render.latex import Latex


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("W_1", "W1"), ("theta", "θ"), ("u_bar", "ū"), ("Lam", "Λ"), ("x'", "x′"), ("k_", "k′"), ("w12", "w12"),
        ("alpha_0", "α0"), ("lam", "λ"), ("eps", "ε"), ("n_out", "nout"), ("weights", "weights"), ("d_x_y", "dx_y"),
    ],
)  # fmt: skip
def test_names(name: str, text: str) -> None:
    assert plain(shown(Latex({}).name(name))) == text


def test_letters_lean_and_digits_and_words_do_not() -> None:
    styles = {r.text: r.style for r in shown(r"W_{1}\,\theta\,\Gamma\,\mathrm{out}\,\mathbf{1}")}
    assert styles == {
        "W": "italic",
        "1": "bold",
        "θ": "italic",
        "\u2009": "upright",
        "\u2009Γ\u2009out\u2009": "upright",
    }


@pytest.mark.parametrize(
    ("latex", "text"),
    [
        (r"\frac{a}{b}", "a/b"),
        (r"\frac{a + 1}{b\,c}", "(a + 1)/(b c)"),
        (r"\frac{(a + 1)}{\lVert u - v \rVert}", "(a + 1)/(‖u − v‖)"),
        (r"-\tfrac{1}{2}\,x^{\top} x", "−1/2 xTx"),
        (r"\sqrt{2}", "√2"),
        (r"\log\det(S)", "log det(S)"),
        (r"\left\lVert r\right\rVert^{2}", "‖r‖2"),
        (r"X \odot (-y)", "X ⊙ (−y)"),
        (r"\{1, \dots, m\}", "{1, …, m}"),
        (r"w^{(1)}_{ij}", "wij(1)"),
    ],
)
def test_formulas(latex: str, text: str) -> None:
    assert " ".join(plain(shown(latex)).replace("\u2009", " ").replace("\u2005", " ").split()) == text


def test_scripts_stand_above_one_another() -> None:
    _, first, second = shown("w^{(1)}_{k}")
    assert {first.text, second.text} == {"k", "(1)"} and second.back == pytest.approx(width([first]))
    assert {first.shift, second.shift} >= {RAISED} and first.size == SCRIPT
    assert width(shown("w^{(1)}_{k}")) == pytest.approx(width(shown("w^{(1)}")))


def test_a_script_of_a_script_is_smaller_and_higher() -> None:
    *_, last = shown("e^{x^{2}}")
    assert last.size == SCRIPT**2 and last.shift == RAISED + RAISED * SCRIPT


@pytest.mark.parametrize("latex", [r"\begin{cases} a & b \end{cases}", r"\overset{a}{=}", "a}", "{a", r"a & b", "x^"])
def test_what_has_no_line_is_told(latex: str) -> None:
    assert runs(latex) is None and plain(shown(latex)) == latex


@pytest.mark.parametrize("function", FUNCTIONS)
def test_every_function_has_a_line(function: str) -> None:
    assert runs(FUNCTIONS[function].latex + "(x)") is not None


@pytest.mark.parametrize("name", NAMES)
def test_every_label_of_a_diagram_has_a_line(name: str) -> None:
    graph = diagrams()[name].graph
    labels = [n.label for n in graph.nodes] + [line for e in graph.edges for line in (e.shape, *e.back)]
    assert [label for label in labels if runs(label) is None] == []
