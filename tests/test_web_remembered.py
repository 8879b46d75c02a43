"""Sheets that remember: the same verdicts and proofs, decided once."""

from __future__ import annotations

import pytest

from symderiv.sheet import Sheet
from symderiv.web import remembered
from symderiv.web.sheets import read
from symderiv.web.using import BLOCK, FAMILY


@pytest.fixture
def decided(monkeypatch):
    """The texts of claims, as they are decided and not looked up."""
    monkeypatch.setattr(remembered, "_KEPT", type(remembered._KEPT)())
    seen: list[str] = []
    whole = Sheet.decide
    monkeypatch.setattr(Sheet, "decide", lambda self, s: (seen.append(s.label or s.text), whole(self, s))[1])
    return seen


def facts(found):
    return [(c.id, c.status, c.basis, c.scope, c.statement.place.line) for c in found.claims]


@pytest.mark.parametrize("text", [BLOCK, FAMILY])
def test_what_is_looked_up_is_what_was_decided(text, decided):
    once = facts(read(text))
    count = len(decided)
    again = read("\n" + text)
    assert len(decided) == count > 0
    assert [(*f[:-1], f[-1] + 1) for f in once] == facts(again)
    assert all(
        c.proof is None or again.sheet.checked_parts(c.id)
        for c in again.claims
        if c.basis == "kernel" and text is BLOCK
    )


def test_a_changed_claim_is_decided_and_no_other(decided):
    text = 'x: (n,)\ny: (n,)\nassert diff(x @ y, x) == 3 * y, "a"\nassert diff(x @ x, x) == 2 * x, "b"'
    read(text)
    decided.clear()
    changed = read(text.replace("3 * y", "4 * y"))
    assert decided == ["a"]
    assert [c.status for c in changed.claims] == ["refuted", "proved"]


def test_a_changed_definition_has_everything_below_decided_again(decided):
    text = 'x: (n,)\nf = x @ x\nassert diff(f, x) == 2 * x, "a"'
    assert [c.status for c in read(text).claims] == ["proved"]
    assert [c.status for c in read(text.replace("x @ x", "2 * x @ x")).claims] == ["refuted"]
    assert decided == ["a", "a"]


def test_a_proof_does_not_cite_what_is_no_longer_proved(decided):
    """What is proved above may be cited; where that changes, the claims below are decided again."""
    text = 'x: (n,)\ny: (n,)\nassert diff(x @ y, x) == y, "a"\nassert diff(x @ y, x) == y, "b"'
    read(text)
    decided.clear()
    read(text.replace('== y, "a"', '== 2 * y, "a"'))
    assert decided == ["a", "b"]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (
            "x: (n,)\nassert x == x; f = x @ x\nassert diff(f, x) == 2 * x",
            "x: (n,)\nassert x == x; f = 3 * x @ x\nassert diff(f, x) == 2 * x",
        ),
        ("x: (n,)\nassert x == x, 'a'; c = x\nassert c == x", "x: (n,)\nassert x == x, 'a'; c = 2 * x\nassert c == x"),
    ],
)
def test_what_stands_beside_a_claim_counts_too(one, other, decided):
    assert [c.status for c in read(one).claims][-1] == "proved"
    assert [c.status for c in read(other).claims][-1] == "refuted"


def test_a_hypothesis_on_a_length_counts_as_what_stands_above(decided):
    family = "h[0]: (n,)\nf: function(n)\nfor t in range(1, T + 1):\n    h[t] = f(h[t-1])\n"
    text = family + "assert T >= 1\nassert h[T] == f(h[T-1])"
    read(text)
    count = len(decided)
    read(text.replace("T >= 1", "T >= 2"))
    assert len(decided) == 2 * count > 0


def test_a_piece_that_fails_halfway_counts_as_what_stands_above(decided):
    """It may have declared names before it failed."""
    claim = "\nassert x == x, 'a'"
    read("x: (n,)\ny: (n,); z = x @ " + claim)
    first = len(decided)
    read("x: (n,)\ny: (m,); z = q" + claim)
    assert len(decided) == first + 1


def test_it_forgets_the_oldest(monkeypatch, decided):
    monkeypatch.setattr(remembered, "MOST", 2)
    for k in range(4):
        read(f"x: (n,)\nassert diff({k + 2} * x @ x, x) == {2 * (k + 2)} * x")
    assert len(remembered._KEPT) == 2
