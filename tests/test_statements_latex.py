r"""`assert latex(r"…")` in blocks of statements."""

from __future__ import annotations

from pathlib import Path

import pytest
from networks import LAYER

from symderiv import Sheet
from symderiv.errors import ParseError, ShapeError, SymderivError
from symderiv.handout.builder import new_sheet
from symderiv.handout.source import read_source


def test_one_equality_is_one_claim() -> None:
    claim = Sheet(LAYER + r'assert latex(r"\frac{\partial E}{\partial W} = D^\top B"), "L2 (5.1)"').claims[0]
    assert (claim.id, claim.label, claim.status, claim.basis) == ("L2", "L2 (5.1)", "proved", "kernel")
    assert claim.text == "diff(E, W) == D.T @ B"


def test_a_chain_is_a_claim_for_each_equality() -> None:
    text = r'''assert latex(r"""
    \frac{\partial E}{\partial W_{kl}} &= \sum_i D_{ik} B_{il} \\
        &= (D^\top B)_{kl}
"""), "L2 (5.1)"'''
    sheet = Sheet(LAYER + text)
    assert [(c.id, c.label, c.status) for c in sheet.claims] == [
        ("L2.1", "L2.1 (5.1)", "proved"),
        ("L2.2", "L2.2 (5.1)", "proved"),
    ]


def test_a_misprint_is_claimed_to_be_one() -> None:
    sheet = Sheet(LAYER + r'assert not latex(r"\frac{\partial E}{\partial W} = 2 D^\top B"), "bad"')
    assert (sheet.claims[0].status, sheet.claims[0].as_expected) == ("refuted", True)
    sheet = Sheet(LAYER + r'assert not latex(r"\frac{\partial E}{\partial W} = D B"), "bad"')
    assert (sheet.claims[0].status, sheet.claims[0].as_expected) == ("rejected", True)
    with pytest.raises(ParseError, match="which of these equalities is wrong"):
        Sheet(LAYER + r'assert not latex(r"A = D W = D"), "bad"')


def test_loops_give_labels_their_ranges() -> None:
    text = """f: function(n)
h[0]: (n,)
for t in range(1, T + 1):
    x[t]: (d,)
    h[t] = f(h[t-1], x[t])
def J(t): return partial(h[t], h[t-1])
for tau in range(0, T + 1):
    for t in range(tau, T + 1):
        assert latex(r"\\frac{\\partial h_t}{\\partial h_\\tau} = \\prod_{s=t}^{\\tau+1} J_s"), "R1"
"""
    assert [(c.id, c.status, c.basis) for c in Sheet(text).claims] == [("R1", "proved", "kernel")]


@pytest.mark.parametrize(
    ("line", "message", "place"),
    [
        (r'assert latex(r"A = D C")', "C is not declared", (7, 21)),
        ('assert latex(r"""A =\n  D \\frob""")', "is not read", (8, 4)),
        ('assert latex("\\frac{1}{2} = 2")', "raw text", (7, 13)),
        ('assert latex(r"A" r" = D W")', "raw text", (7, 13)),
        ("assert latex(A)", "latex takes one text", (7, 7)),
        (r'assert latex(r"A")', "a formula without an equals sign", (7, 15)),
    ],
)
def test_refusals_point_into_the_block(line: str, message: str, place: tuple[int, int]) -> None:
    with pytest.raises(SymderivError, match=message) as refused:
        Sheet(LAYER + line)
    found = refused.value.place
    assert found is not None and (found.line, found.column) == place


def test_shapes_that_do_not_fit_are_refused_where_they_stand() -> None:
    with pytest.raises(ShapeError, match="the shapes of a product do not fit") as refused:
        Sheet(LAYER + r'assert latex(r"\frac{\partial E}{\partial W} = D B")')
    assert refused.value.place is not None and refused.value.place.line == 7


def test_latex_is_a_word_of_the_language() -> None:
    with pytest.raises(ParseError, match="latex is a word of the language"):
        Sheet("latex: (n,)")


def test_names_are_read_as_a_handout_prints_them() -> None:
    text = "---\ndisplay:\n  d: \\delta\n---\n"
    sheet = new_sheet(read_source(text, Path("notes.md")))
    sheet.read("W: (m, n)\nx: (n,)\nloss: function()\na = W @ x\nE = loss(a)\nd = diff(E, a)")
    line = r"\frac{\partial E}{\partial W_{kl}} = \sum_i \delta_i \delta_{ik} x_l = (\delta x^\top)_{kl}"
    claims = sheet.read(f'assert latex(r"{line}"), "P1"')
    assert [(c.id, c.status) for c in claims] == [("P1.1", "proved"), ("P1.2", "proved")]
    assert claims[0].text.endswith("== sum[i](d[i] * delta[i, k] * x[l])")
