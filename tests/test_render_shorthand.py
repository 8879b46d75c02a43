"""Short names for the long parts of a proof, and where a proof's letters come from."""

from __future__ import annotations

import re

import pytest
from networks import INVERSE

from symderiv import Sheet
from symderiv.handout.views import Printer

RECURSION = f"""{INVERSE}
for L in range(0, N + 1):
    assert Q[L] == inv(alpha * eye(P) + sum(outer(b[n], b[n]) for n in range(1, L + 1))), "H13 c"
"""


def proof_of(text, place=0, display=None):
    sheet = Sheet(text)
    claim = sheet.claims[place]
    assert claim.status == "proved"
    return Printer(sheet, display or {}).claim(claim).proofs[0]


def test_an_inverse_that_comes_often_has_a_name():
    proof = proof_of(RECURSION)
    letter = re.search(r"\$([A-Z]) = \\left\(\\alpha", proof.intro)
    assert letter is not None and letter[1] not in ("N", "P", "L", "Q", "H")
    step = proof.parts[1].lines
    assert any(rf"{letter[1]}\,b_{{L}}\,b_{{L}}^{{\top}}\,{letter[1]}" in line.right for line in step)
    assert sum(line.right.count("^{-1}") for line in step) <= 2


def test_the_base_of_an_induction_does_not_speak_of_the_step():
    base = proof_of(RECURSION).parts[0]
    assert not any("L-1" in line.left + line.right for line in base.lines)


def test_what_comes_once_has_no_name():
    text = "A: invertible(n, n)\nB: (n, n)\nassert inv(A @ B.T + B) @ (A @ B.T + B) == eye(n)"
    sheet = Sheet(text)
    for proof in Printer(sheet, {}).claim(sheet.claims[0]).proofs:
        assert proof.intro == ""


def test_a_power_for_every_member_has_its_proof_printed():
    text = """V: orthogonal(n, n)
lam: (n,)
J = V @ diag(lam) @ V.T
for tau in range(0, T + 1):
    for t in range(tau, T + 1):
        assert matrix_power(J, t - tau) @ V[:, i] == lam[i]**(t - tau) * V[:, i], "R3 c"
"""
    proof = proof_of(text)
    written = " ".join(line.left + line.right for line in proof.all_lines)
    assert len(proof.parts) == 2 and r"\mathrm{matrix" not in written and "@" not in written
    assert re.search(r"V_\{:i\}\)_\{[a-z]\}", written) and not re.search(r"V_\{:i\}\)_\{[a-z]i\}", written)


def test_a_display_is_for_names_that_the_section_speaks_of():
    text = "x: (n,)\nB: (n, n)\nassert diff(x @ B @ x, x) == B @ x + B.T @ x"
    written = [line.left + line.right for line in proof_of(text, display={"q": r"\xi", "x": r"\chi"}).lines]
    assert any(r"\chi" in line for line in written) and not any(r"\xi" in line for line in written)


@pytest.mark.parametrize("name", ["q", "t", "r"])
def test_a_bound_index_is_not_called_like_an_array(name):
    text = f"x: (n,)\n{name}: (n,)\nE: function()\nassert diff(E(x + {name}) + x @ {name}, x) == "
    text += f"diff(E(x + {name}), x) + {name}"
    sheet = Sheet(text)
    for proof in Printer(sheet, {}).claim(sheet.claims[0]).proofs:
        assert not any(rf"\sum_{{{name}=" in line.right for line in proof.lines)
