"""Sheets as text and as Markdown: every claim with what became of it."""

from __future__ import annotations

import pytest
from networks import LAYER

import symderiv

CLAIMS = """\
assert diff(E, W) == D.T @ B, "L2"
assert not (diff(E, W) == D @ B), "L3"
assert norm(D)**2 == 2, "L4"
"""


@pytest.fixture(scope="module")
def sheet():
    return symderiv.Sheet(LAYER + CLAIMS)


def test_claims_go_by_their_labels(sheet):
    assert [sheet[name].status for name in ("L2", "L3", "L4")] == ["proved", "rejected", "refuted"]
    with pytest.raises(symderiv.UnknownNameError, match="no claim is called 'L5'"):
        sheet["L5"]


def test_text_has_every_claim_and_the_proof(sheet):
    text = str(sheet)
    assert "✓ L2: proved (every step checked)" in text
    assert "✗ L4: refuted, expected: proved" in text
    assert "∂E/∂Wₖₗ = (Dᵀ B)ₖₗ" in text and "chain rule through A" in text and text.count("□") == 1
    assert "\\" not in text and "$" not in text


def test_markdown_has_definitions_displays_and_no_stray_signs(sheet):
    text = sheet._repr_markdown_()
    assert text.startswith("Let $D \\in \\mathbb{R}^{m\\times n}$")
    assert text.count("$$") % 2 == 0 and "\\tag" not in text
    assert "diff(E, W) == D @ B" in text  # the rejected line, as words
    assert "**✗ L4**" in text


def test_other_languages(sheet):
    assert "✓ L2: bewiesen" in sheet.to_text(language="de")
    assert "*証明.*" in sheet.to_markdown(language="ja")


def test_detail(sheet):
    brief, full = (sheet.to_text(detail=d) for d in ("brief", "full"))
    assert len(brief.splitlines()) < len(full.splitlines())


def test_families_are_shown_with_their_ranges():
    text = str(
        symderiv.Sheet("""
h[0]: (n,)
f: function(n)
for t in range(1, T + 1):
    h[t] = f(h[t-1])
def J(t): return partial(h[t], h[t-1])
for tau in range(0, T + 1):
    for t in range(tau, T + 1):
        assert diff(h[t], h[tau]) == prod(J(s) for s in range(t, tau, -1)), "R1"
""")
    )
    assert "For 0 ≤ τ ≤ t ≤ T:" in text and "Induction on t." in text


def test_a_sheet_is_a_line_to_a_debugger(sheet):
    assert repr(sheet) == "Sheet(9 statements; claims: 1 proved, 1 rejected, 1 refuted)"
    assert str(symderiv.Sheet("x: (n,)")) == "Sheet(1 statements; claims: none)"
