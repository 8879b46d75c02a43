"""Proofs as lines: the four marks to reach, the details, and the reasons."""

from __future__ import annotations

import re

import pytest
from networks import LAYER

from symderiv import Sheet, UnsupportedError, derive
from symderiv.handout.views import Printer
from symderiv.render.mathtext import is_harmless
from symderiv.render.proof import proof_views, view

L1 = "assert diff(A[i,j], W[k,l]) == D[i,k] * delta[j,l], 'L1'\n"
L2 = "assert diff(E, W) == D.T @ B, 'L2'\n"
BIAS = "D: (m, n)\nb: (n,)\nA = D + b\n"
LOGISTIC = "t: ()\ndef sigma(t): return 1 / (1 + exp(-t))\n"


def lines(text, detail="normal", language="en"):
    sheet = Sheet(text)
    printer = Printer(sheet, {"loss": "E"}, language, detail)
    return [(x.left, x.relation, x.right, x.reason) for x in printer.claim(sheet.claims[-1]).proofs[-1].lines]


def test_the_proof_of_l2():
    assert lines(LAYER + L1 + L2) == [
        (
            r"\frac{\partial E}{\partial W_{kl}}",
            "=",
            r"\sum_{i=1}^{m}\sum_{j=1}^{p} \underbrace{\frac{\partial E}{\partial A_{ij}}}_{=B_{ij}}\,"
            r"\frac{\partial A_{ij}}{\partial W_{kl}}",
            "chain rule through $A$",
        ),
        ("", "=", r"\sum_{i,j} B_{ij}\,D_{ik}\,\delta_{jl}", "by (L1)"),
        ("", r"\overset{j=l}{=}", r"\sum_{i=1}^{m} B_{il}\,D_{ik}", r"contract $\delta_{jl}$"),
        ("", "=", r"\sum_{i=1}^{m} (D^{\top})_{ki}\,B_{il}", "transpose"),
        ("", "=", r"(D^{\top}\,B)_{kl}", "matrix product"),
    ]


def test_the_proof_of_l9():
    assert lines(LOGISTIC + "assert diff(sigma)(t) == sigma(t) * (1 - sigma(t))") == [
        (
            r"\sigma'(t)",
            "=",
            r"\frac{\partial}{\partial t}\left(\frac{1}{1 + e^{-t}}\right)",
            r"definition of $\sigma$",
        ),
        ("", "=", r"\frac{e^{-t}}{(1 + e^{-t})^{2}}", "power and chain rule"),
        ("", "=", r"\frac{1}{1 + e^{-t}} \cdot \frac{e^{-t}}{1 + e^{-t}}", "split the fraction"),
        ("", "=", r"\sigma(t)\,(1 - \sigma(t))", r"$1 - \sigma(t) = \frac{e^{-t}}{1 + e^{-t}}$"),
    ]


def test_without_a_lemma_the_definition_is_put_in():
    reasons = [reason for *_, reason in lines(LAYER + L2)]
    assert "by (L1)" not in reasons
    assert reasons[0] == "chain rule through $A$" and reasons[-1] == "matrix product"


def test_what_is_constant_vanishes_before_the_eyes():
    found = lines(BIAS + "assert diff(A[i,j], b[k]) == delta[k,j]")
    assert (
        found[1][2]
        == r"\underbrace{\frac{\partial D_{ij}}{\partial b_{k}}}_{=0} + \frac{\partial b_{j}}{\partial b_{k}}"
    )
    assert found[-1][2:] == (r"\delta_{kj}", r"$\delta_{kj}$ is $1$ if $j = k$, else $0$")


def test_details():
    text = LAYER + L1 + L2
    brief, normal, full = (lines(text, detail) for detail in ("brief", "normal", "full"))
    assert len(brief) == 1 < len(normal) < len(full)
    assert brief[0][0] == normal[0][0] == full[0][0]
    assert brief[-1][2] == normal[-1][2] == full[-1][2]


def test_an_unknown_detail_is_refused():
    d = derive("x @ x", "x", shapes={"x": ("n",)})
    with pytest.raises(UnsupportedError, match="brief, normal or full"):
        view(d.proof.arguments[0], d.proof.latex(), "long")
    with pytest.raises(UnsupportedError, match="brief, normal or full"):
        d.proof.to_latex(detail="long")


@pytest.mark.parametrize("language", ["en", "de", "ja"])
def test_reasons_speak_the_language_and_formulas_do_not(language):
    found, english = (lines(LAYER + L1 + L2, language=x) for x in (language, "en"))
    assert [x[:3] for x in found] == [x[:3] for x in english]
    assert (found == english) is (language == "en")


DERIVATIONS = [
    ("x @ A @ x", "x", "x(n) A(n,n)"),
    ("norm(X @ w - y)**2", "w", "X(n,p) w(p) y(n)"),
    ("inv(X)", "X", "X(n,n)"),
    ("logdet(X.T @ X)", "X", "X(n,p)"),
    ("softmax(x, 0)", "x", "x(n)"),
    ("sum(log(sigmoid(X @ w)))", "w", "X(n,p) w(p)"),
    ("where(x > 0, exp(x), x * y)", "x", "x(n) y(n)"),
    ("maximum(x, y)", "x", "x(n) y(n)"),
    ("prod(x)", "x", "x(n)"),
    ("kron(A, X)", "X", "A(n,m) X(p,q)"),
    ("x**y", "y", "x(n) y(n)"),
]


@pytest.mark.parametrize("detail", ["brief", "normal", "full"])
@pytest.mark.parametrize(("text", "wrt", "shapes"), DERIVATIONS, ids=[row[0] for row in DERIVATIONS])
def test_every_line_is_good_latex_with_a_reason(text, wrt, shapes, detail, shapes_of):
    proof = derive(text, wrt, shapes=shapes_of(shapes)).proof
    for part in proof.parts:
        for chain in proof_views(part, proof.latex(), detail):
            assert chain.lines[0].left and not any(x.left for x in chain.lines[1:])
            for line in chain.lines:
                whole = line.left + line.relation + line.right
                assert is_harmless(whole) and whole.count("{") == whole.count("}")
                assert line.reason
                assert all(map(is_harmless, re.findall(r"\$([^$]*)\$", line.reason)))


def test_only_the_last_display_closes_with_a_box():
    latex = derive(
        "norm(X @ w - y)**2", ["w", "w"], shapes={"X": ("n", "p"), "w": ("p",), "y": ("n",)}
    ).proof.to_latex()
    assert latex.count(r"\square") == 1
    assert latex.index(r"\square") > latex.rindex(r"\begin{align*}")


ASSUMED = {
    "symmetric": ("x @ S @ x / 2 + trace(S @ S)", {"x": ("n",), "S": ("n", "n")}),
    "diagonal": ("trace(S @ S)", {"S": ("n", "n")}),
    "orthogonal": ("trace(S @ S.T @ S)", {"S": ("n", "n")}),
    "binary": ("sum(S**3)", {"S": ("n",)}),
    "signs": ("sum(S**4)", {"S": ("n",)}),
    "simplex": ("x @ S * sum(S)", {"S": ("n",), "x": ("n",)}),
    "simplex_rows": ("x @ sum(S, 1)**2", {"S": ("m", "n"), "x": ("m",)}),
    "one_hot_rows": ("sum(S**3)", {"S": ("m", "n")}),
}


@pytest.mark.parametrize("language", ["en", "de", "ja"])
@pytest.mark.parametrize("trait", ASSUMED)
def test_every_assumption_of_the_variable_has_its_words(trait, language):
    text, shapes = ASSUMED[trait]
    proof = derive(text, "S", shapes=shapes, assume={"S": trait}).proof
    assert any(s.rule == "assumption" for s in proof.steps), "not in use"
    assert proof.to_latex(language=language)
