"""What does more than be read is found, and what is ours is well."""

from __future__ import annotations

import pytest

import symderiv
from symderiv.testing import inert

DOCUMENT = "\\documentclass{article}\n\\begin{document}\n%s\n\\end{document}\n"
SVG = '<svg xmlns="http://www.w3.org/2000/svg">%s</svg>'


@pytest.mark.parametrize(
    ("look", "text"),
    [
        (inert.latex, r"a \input{/etc/passwd}"),
        (inert.latex, r"a \\\input{x}"),
        (lambda text: inert.latex(text, document=True), DOCUMENT % r"\end{document}"),
        (lambda text: inert.latex(text, document=True), DOCUMENT % "" + "more"),
        (inert.html, "<p><script>alert(1)</script>"),
        (inert.html, '<p onclick="x()">'),
        (inert.html, '<a href="JavaScript:x()">'),
        (inert.html, "<img src=x>"),
        (inert.typst, 'a #read("/etc/passwd")'),
        (inert.svg, SVG % "<script>1</script>"),
        (inert.svg, SVG % '<g onload="1"/>'),
        (inert.svg, SVG % '<text href="x">1</text>'),
        (inert.svg, SVG % "<text>1"),
        (inert.python, "import os"),
        (inert.python, "from os import path"),
        (inert.python, "def f(x):\n    return eval(x)"),
        (inert.python, "x.__class__"),
        (inert.python, "x ="),
        (inert.coq, "Axiom bad : False."),
        (inert.coq, "Lemma a : False.\nProof. move. admit. Qed."),
        (inert.coq, "(* a *) b *) Admitted. (*"),
        (inert.coq, "Lemma é : True."),
    ],
)
def test_harm_is_found(look, text):
    assert look(text) != ""


@pytest.mark.parametrize(
    ("look", "text"),
    [
        (inert.latex, r"a \\input and \inputs"),
        (lambda text: inert.latex(text, document=True), DOCUMENT % "\\begin{verbatim}\n\\input{x}\n\\end{verbatim}"),
        (inert.html, "&lt;script> <code>onclick=x</code>"),
        (inert.typst, r'a \#read("x") #text("#read(1)")'),
        (inert.python, "def f(eval, x):\n    return eval(x)"),
        (inert.coq, "(* Axiom *)\nLemma a : True.\nProof. by []. Qed."),
    ],
)
def test_what_only_looks_like_it_is_well(look, text):
    assert look(text) == ""


def test_what_is_ours_is_well():
    d = symderiv.derive("norm(X @ w - y)**2", "w", shapes={"X": ("n", "p"), "w": ("p",), "y": ("n",)})
    assert inert.coq(d.proof.to_coq()) == ""
    assert inert.latex(d.proof.to_latex() + d.to_latex()) == ""
    assert inert.python(d.to_numpy(value=True)) == ""
    pytest.importorskip("pygraphviz", reason="pygraphviz comes with the extra symderiv[diagram]")
    assert inert.svg(d.diagram().svg()) == ""
