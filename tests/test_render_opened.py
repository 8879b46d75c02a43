"""Proofs about families as lines: the marks to reach for R1 and R4, parts, ranges split and empty."""

from __future__ import annotations

import re

import pytest
from networks import JACOBIANS, PRODUCT_OF_JACOBIANS, RECURRENT, STATES

from symderiv import Sheet
from symderiv.handout.views import Printer
from symderiv.render.document import render
from symderiv.render.mathtext import is_harmless
from symderiv.render.model import ClaimView, Definitions, Document, ForEach, Line, Part, ProofView
from symderiv.windows.induction import Induction

R1 = STATES + JACOBIANS + PRODUCT_OF_JACOBIANS
R4 = f"""{RECURRENT}
for t in range(1, T):
    assert diff(L, h[t]) == partial(h[t+1], h[t]).T @ diff(L, h[t+1]) + partial(o[t], h[t]).T @ diff(L, o[t]), "R4"
"""
H13 = """
alpha: positive()
for n in range(1, N + 1):
    b[n]: (P,)
H[0] = alpha * eye(P)
for n in range(1, N + 1):
    H[n] = H[n-1] + outer(b[n], b[n])
for L in range(0, N + 1):
    assert H[L] == alpha * eye(P) + sum(outer(b[n], b[n]) for n in range(1, L + 1)), "H13 b"
"""


def claim(text, language="en", detail="normal"):
    """Return the last claim of a sheet and how it is printed."""
    sheet = Sheet(text)
    found = sheet.claims[-1]
    assert (found.status, found.basis) == ("proved", "kernel")
    return found, Printer(sheet, {"out": "o", "loss": r"\ell", "ell": r"\ell"}, language, detail).claim(found)


def test_the_proof_of_r1():
    found, view = claim(R1)
    assert isinstance(found.proof, Induction)
    (proof,) = view.proofs
    assert (proof.intro, proof.checked, proof.lines) == ("Induction on $t$.", True, ())
    base, step = proof.parts
    assert (base.label, step.label) == (r"t=\tau:", r"t-1 \to t:")
    assert base.lines[0].left == r"\frac{\partial h_{\tau,i}}{\partial h_{\tau,j}}"
    assert base.lines[-1] == Line("", "=", r"\left(\prod_{s=\tau}^{\tau+1} J_{s}\right)_{ij}", "the empty product")
    first, *_, known, product, last = step.lines
    assert first.left == r"\frac{\partial h_{t,i}}{\partial h_{\tau,j}}"
    assert re.search(r"\(J_\{t-1\} \\cdots J_\{\\tau\+1\}\)_\{[a-z]j\}$", known.right)
    assert known.reason == "induction hypothesis"
    assert (product.right, product.reason) == (r"(J_{t}\,(J_{t-1} \cdots J_{\tau+1}))_{ij}", "matrix product")
    assert (last.right, last.reason) == (r"(J_{t}\,J_{t-1} \cdots J_{\tau+1})_{ij}", "split off the factor $J_{t}$")
    assert len(proof.all_lines) <= 8


def test_the_statement_of_r1():
    _, view = claim(R1)
    assert view.setting == r"For $0 \le \tau \le t \le T$:"
    assert view.statement == r"\frac{\partial h_{t}}{\partial h_{\tau}} = J_{t}\,J_{t-1} \cdots J_{\tau+1}"


def test_the_proof_of_r4_is_one_chain_that_ends_as_claimed():
    _, view = claim(R4)
    (proof,) = view.proofs
    first, last = proof.lines
    assert proof.parts == () and first.reason == "chain rule through $h_{t+1}, o_{t}$"
    assert first.right == (
        r"\sum_{i=1}^{n} \frac{\partial L}{\partial h_{t+1,i}}\,\frac{\partial^{+} h_{t+1,i}}{\partial h_{t,k}}"
        r" + \sum_{j=1}^{m} \frac{\partial L}{\partial o_{t,j}}\,\frac{\partial^{+} o_{t,j}}{\partial h_{t,k}}"
    )
    _, right = view.statement.split(" = ")
    assert last.right == rf"\left({right}\right)_{{k}}"


def test_a_sum_is_split_where_it_ends_and_empty_at_the_start():
    _, view = claim(H13)
    base, step = view.proofs[0].parts
    assert base.label == "L=0:" and base.lines[-1].reason == "the empty sum"
    assert r"\sum_{n=1}^{0}" in base.lines[-1].right
    assert step.lines[-1].reason == r"split off the term $b_{L}\,b_{L}^{\top}$"
    assert any("induction hypothesis" in line.reason for line in step.lines)


@pytest.mark.parametrize("text", [R1, R4, H13], ids=["R1", "R4", "H13"])
@pytest.mark.parametrize("detail", ["brief", "normal", "full"])
def test_every_line_is_good_latex(text, detail):
    _, view = claim(text, detail=detail)
    for line in view.proofs[0].all_lines:
        whole = line.left + line.relation + line.right
        assert is_harmless(whole) and " in range(" not in whole and "_of" not in whole
        assert all(map(is_harmless, re.findall(r"\$([^$]*)\$", line.reason)))


@pytest.mark.parametrize("language", ["de", "ja"])
def test_reasons_speak_the_language_and_formulas_do_not(language):
    (english,), (other,) = (claim(R1, x)[1].proofs for x in ("en", language))
    assert [(x.left, x.right) for x in english.all_lines] == [(x.left, x.right) for x in other.all_lines]
    assert english.intro != other.intro
    assert all(a.reason != b.reason for a, b in zip(english.all_lines, other.all_lines, strict=True))


# --- parts in a document --------------------------------------------------------------------------

PARTS = ProofView(
    (Line("A", "=", "B", "first"),),
    checked=True,
    parts=(
        Part("t=0:", (Line("C", "=", "D", "base"),)),
        Part(r"t-1 \to t:", (Line("E", "=", "F", "step"), Line("", "=", "G"))),
    ),
)


def test_each_part_begins_with_its_label():
    lefts = [line.left for line in PARTS.all_lines]
    assert lefts == ["A", r"t=0:\quad C", r"t-1 \to t:\quad E", ""]


@pytest.mark.parametrize("fmt", ["tex", "md", "html", "typ"])
def test_a_document_shows_parts_settings_and_families(fmt):
    view = ClaimView("a", "a", "C = D", "proved", "proved", "kernel", (PARTS,), setting=r"For $0 \le t \le T$:")
    families = Definitions(("A = B", ForEach(r"t = 1, \dots, T", ("C_{t} = D", "E_{t} = F"))))
    text = str(render(Document("T", "", "en", (families, view)), fmt))
    assert text.count("square" if fmt in ("tex", "md") else "true)" if fmt == "typ" else "∎") >= 1
    assert text.index("Let ") < text.index("For ") and text.count("For ") == 2
    if fmt == "tex":
        assert r"For $t = 1, \dots, T$: $C_{t} = D$ and $E_{t} = F$." in text
        assert r"t=0:\quad C &= D" in text and text.count(r"\square") == 1


def test_what_is_too_long_for_a_sentence_stands_below_it():
    long = "A_{t} = " + " + ".join(f"B_{{{k}}}" for k in range(20))
    text = str(render(Document("T", "", "en", (Definitions((ForEach("t = 1", (long,)),)),)), "tex"))
    assert text.index("For $t = 1$:") < text.index(r"A_{t} &= B_{0}")
