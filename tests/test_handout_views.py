"""Sheets as parts of a document: definitions, claims with their proofs, code."""

from __future__ import annotations

import pytest

from symderiv import Sheet
from symderiv.handout.views import Printer, convention
from symderiv.render.mathtext import is_harmless

LAYER = (
    "D: (m, n)\nW: (n, p)\nloss: function()\nh: elementwise()\nA = D @ W\nE = loss(A)\nB = diff(E, A)\n"
    "def sigma(t): return 1 / (1 + exp(-t))\n"
)


def printer(text, **options):
    return Printer(Sheet(text), **options)


def claim(text, **options):
    found = printer(text, **options)
    return found.claim(found.sheet.claims[-1])


def test_definitions_are_introduced():
    found = printer(LAYER, display={"loss": "E"})
    assert found.definitions(found.sheet.statements).entries == (
        r"D \in \mathbb{R}^{m\times n}",
        r"W \in \mathbb{R}^{n\times p}",
        r"A = D\,W",
        "E = E(A)",
        r"B = \frac{\partial E}{\partial A}",
        r"\sigma(t) = \frac{1}{1 + \exp(-t)}",
    )


def test_a_function_that_a_claim_uses_is_written_out():
    found = printer("t: ()\n" + LAYER.splitlines()[-1] + "\nassert diff(sigma)(t) == sigma(t) * (1 - sigma(t))")
    assert r"\sigma(t) = \frac{1}{1 + \exp(-t)}" in found.definitions(found.sheet.statements).entries


@pytest.mark.parametrize("text", ["", "loss: function()", "x: (n,)\nassert x == x"])
def test_nothing_to_introduce(text):
    found = printer(text)
    statements = [s for s in found.sheet.statements if s.kind != "declare" or s.name == "loss"]
    assert found.definitions(statements) is None


def test_a_proved_claim():
    view = claim(LAYER + "assert diff(E, W) == D.T @ B, 'L2 (7)'")
    assert (view.id, view.label, view.status, view.expected, view.basis) == (
        "L2",
        "L2 (7)",
        "proved",
        "proved",
        "kernel",
    )
    assert view.statement == r"\frac{\partial E}{\partial W_{kl}} = (D^{\top}\,B)_{kl}"
    assert view.proofs and all(p.checked for p in view.proofs)
    assert view.counterexample == () and view.correct == "" and view.remark == ""


def test_a_refuted_claim_shows_where():
    view = claim(LAYER + "assert diff(E, W) == 2 * D.T @ B")
    assert (view.status, view.expected, view.proofs) == ("refuted", "proved", ())
    assert [key for key, _ in view.counterexample] == ["sizes", "seed", "entry", "left", "right"]
    assert view.correct
    assert is_harmless(view.statement)


def test_a_correction_is_mathematics():
    view = claim("A: (n, n)\nB: (n, n)\nx: (n,)\nE = x @ A.T @ B @ x\nassert not (diff(E, A) == 2 * outer(x, B @ x))")
    assert "@" not in view.correct and "**" not in view.correct


def test_a_rejected_claim_says_why():
    view = claim("A: (n, m)\nassert not (A @ A == A)")
    assert (view.status, view.statement) == ("rejected", "")
    assert "inner sizes m and n do not agree" in view.remark


def test_a_rejected_claim_is_quoted_and_names_no_file():
    sheet = Sheet("A: (n, m)\nassert not (A == inv(A))", source="/somewhere/notes.md")
    view = Printer(sheet).claim(sheet.claims[-1])
    assert view.remark.startswith("A == inv(A): ") and "argument: shape (n, m)" in view.remark
    assert "notes.md" not in view.remark and "^" not in view.remark


def test_a_function_without_a_name_is_spelled_in_the_statement_and_named_in_the_proof():
    view = claim("a: (n,)\nb: (m,)\nX: (n, m)\nassert diff(a @ X @ b, X) == outer(a, b)")
    assert view.statement == r"\frac{\partial}{\partial X}(a^{\top}\,X\,b) = a\,b^{\top}"
    assert view.proofs[0].intro == r"Let $f = a^{\top}\,X\,b$."
    assert r"\partial f" in view.proofs[0].lines[0].left


@pytest.mark.parametrize(("taken", "name"), [("f: (n,)", "F"), ("f: (n,)\nF: (n,)", r"\phi")])
def test_a_function_without_a_name_gets_one_that_is_free(taken, name):
    view = claim(f"{taken}\nassert diff(f @ f * (f @ f), f[k]) == 4 * (f @ f) * f[k]")
    assert view.basis == "kernel"
    assert view.proofs[0].intro.startswith(f"Let ${name} = ")


def test_a_cited_lemma_is_printed_as_it_was_stated():
    view = claim(
        "g: (n,)\nz: (n,)\nc: (n,)\ny = g * z\nassert diff(y, g) == diag(z), 'one'\nassert diff(c @ y, g) == c * z"
    )
    assert view.proofs[0].cites == ("one",)
    shown = " ".join(line.right for line in view.proofs[0].lines)
    assert r"\operatorname{diag}(z)_{" in shown and "diag(z)_{" not in shown.replace(r"\operatorname{diag}(z)_{", "")


def test_code_is_made_for_proved_derivatives_only():
    found = printer(
        LAYER + "assert diff(E, W) == D.T @ B, 'a'\nassert diff(E, D) == B @ W.T, 'b'\nassert A == D @ W, 'c'"
    )
    texts = found.functions(found.sheet.claims, set())
    assert [t.split("(")[0] for t in texts] == ["def dE_dW", "def dE_dD"]
    assert "return D.T @ B" in texts[0]


def test_a_name_in_use_gets_the_id_of_its_claim():
    found = printer(LAYER + "assert diff(E, W) == D.T @ B, 'a'")
    taken = {"dE_dW"}
    (text,) = found.functions(found.sheet.claims, taken)
    assert text.startswith("def dE_dW_a(") and "dE_dW_a" in taken


@pytest.mark.parametrize("language", ["en", "de", "ja"])
def test_the_convention_is_stated(language):
    assert convention(language)
