"""Proofs in a terminal: they line up, they fit, and nothing is lost where a line is broken."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from symderiv.derivation import derive
from symderiv.render.model import Line, ProofView
from symderiv.render.terminal import Row, broken, laid_out, proof_text, wrapped

SHAPES = {"X": ("n", "p"), "w": ("p",), "y": ("n",), "S": ("n", "n"), "A": ("n", "n")}
PROOFS = [
    derive(text, x, shapes=SHAPES).proof
    for text, x in (("norm(X @ w - y)**2", "w"), ("logdet(S) + trace(inv(S) @ A)", "S"), ("x @ x * y", "x"))
    if x in SHAPES
]
FORMULA = st.lists(
    st.sampled_from(["Σᵢ", "aᵢ", "(b", "c)", "+", "−", "証明", "δᵢⱼ", "f(x)", "·"]), min_size=1, max_size=40
)


@pytest.mark.parametrize("proof", PROOFS)
@pytest.mark.parametrize("language", ["en", "de", "ja"])
@pytest.mark.parametrize("width", [60, 88, 120])
def test_every_line_fits(proof, language, width):
    assert all(cell_len(line) <= width for line in proof.to_text("full", language, width).splitlines())


@pytest.mark.parametrize("proof", PROOFS)
@pytest.mark.parametrize("language", ["en", "ja"])
def test_signs_and_reasons_stand_below_each_other(proof, language):
    for chain in proof_text(proof.views("normal", language), 200):
        assert len({cell_len(str(line).partition(" = ")[0]) for line in chain if " = " in str(line)}) == 1
        assert len({cell_len(line.text) for line in chain if line.reason}) <= 1


def test_a_line_of_wide_letters_takes_two_columns_each():
    rows = [Row("∂f", "=", "証明", "一"), Row("", "=", "abcdef", "二")]
    first, second = laid_out(rows)
    assert cell_len(first.text) == cell_len(second.text)
    assert len(first.text) == len(second.text) - 2


@given(FORMULA, st.integers(8, 60), st.integers(0, 4))
def test_breaking_loses_nothing_and_breaks_no_word(words, room, hang):
    text = " ".join(words)
    pieces = broken(text, room, hang)
    assert " ".join(pieces) == text
    assert all(cell_len(piece) <= room or " " not in piece for piece in pieces)


@given(FORMULA, st.integers(8, 60))
def test_wrapping_loses_nothing(words, room):
    text = " ".join(words)
    lines = wrapped(text, room)
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")
    assert all(cell_len(line) <= room for line in lines)


def test_a_sign_begins_the_next_line():
    assert broken("aaaa bbbb + cccc dddd", 14) == ["aaaa bbbb", "+ cccc dddd"]
    assert broken("Σᵢ (a + b) c + d", 13) == ["Σᵢ (a + b) c", "+ d"]


def test_the_box_closes_what_is_checked_only():
    line = Line("f", "=", "a")
    assert "□" in str(proof_text([ProofView((line,), True)])[0][0])
    assert "□" not in str(proof_text([ProofView((line,), False)])[0][0])


def test_the_relation_is_the_one_of_the_line():
    (line,) = proof_text([ProofView((Line("f", r"\approx", "a"),), False)])[0]
    assert str(line) == "  f ≈ a"


def test_without_room_the_left_side_stands_above():
    lines = [str(line) for line in laid_out([Row("∂f/∂(a long name)", "=", "b", "why")], 36)]
    assert lines[0] == "  ∂f/∂(a long name)"
    assert lines[1].lstrip().startswith("= b")
