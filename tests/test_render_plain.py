"""LaTeX as text with Unicode letters."""

from __future__ import annotations

import pytest

from symderiv.render.plain import Plain


@pytest.mark.parametrize(
    ("latex", "text"),
    [
        (r"2\,X^{\top}\,(X\,w - y)", "2 Xᵀ (X w − y)"),
        (r"\frac{\partial f}{\partial u_{j}}", "∂f/∂uⱼ"),
        (r"\frac{\partial}{\partial w_{k}}\left(\sum_{r=1}^{p} X_{lr}\,w_{r} - y_{l}\right)",
         "∂/∂wₖ (Σᵣ Xₗᵣ wᵣ − yₗ)"),
        (r"\sum_{l,r} 2\,u_{l}\,\delta_{rk}", "Σₗᵣ 2 uₗ δᵣₖ"),
        (r"\frac{1}{2}", "1/2"),
        (r"\frac{a + b}{u}\,v", "((a + b)/u) v"),
        (r"\log\det X", "log det X"),
        (r"\log(u)", "log(u)"),
        (r"(S^{-1})^{\top}", "(S⁻¹)ᵀ"),
        (r"w_{1}^{2}", "w₁²"),
        (r"e^{u_{t}}", "e^uₜ"),
        (r"\sqrt{v}", "√v"),
        (r"\sqrt{a + b}", "√(a + b)"),
        (r"\left\lVert X\right\rVert_F", "‖X‖_F"),
        (r"\theta \odot \mathbf{1}", "θ ⊙ 1"),
        (r"\begin{cases} 1 & \text{if } u > 0 \\ 0 & \text{else} \end{cases}", "{ 1 if u > 0; 0 else }"),
        (r"\operatorname{tr}(A)", "tr(A)"),
        (r"\mathrm{lr}\,g", "lr g"),
        (r"a \overset{t=j}{=} b", "a = b"),
        (r"2 \cdot b + \underbrace{y_{l}}_{=0}", "2 · b + yₗ [=0]"),
    ],
)  # fmt: skip
def test_latex_as_text(latex: str, text: str) -> None:
    assert Plain()(latex) == text


def test_indices_are_written_alike() -> None:
    small, marked = Plain(), Plain(small=False)
    assert (small(r"X_{ij}"), small.missed) == ("Xᵢⱼ", False)
    assert (small(r"X_{qj}"), small.missed) == ("X_{qj}", True)
    assert marked(r"X_{ij}\,w_{1}\,u_{k}") == "X_{ij} w₁ u_k"


def test_reasons_hold_mathematics() -> None:
    assert Plain().text(r"contract $\delta_{tj}$") == "contract δₜⱼ"


def test_broken_latex_ends() -> None:
    for latex in (r"\frac", r"\frac{a", "x_", "x^{", r"\sum_", "}", r"\begin", r"\overset"):
        assert isinstance(Plain()(latex), str)
