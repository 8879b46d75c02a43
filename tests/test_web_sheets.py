"""Blocks are read statement by statement, so that one that is broken keeps no other from being decided."""

from __future__ import annotations

import pytest

from symderiv.sheet import Sheet
from symderiv.web.answers import answer
from symderiv.web.sheets import parted, read
from symderiv.web.using import BLOCK, FAMILY


@pytest.mark.parametrize("text", [BLOCK, FAMILY])
def test_statement_by_statement_is_decided_as_in_one_piece(text):
    whole, parts = Sheet(text), read(text)
    assert parts.faults == []
    assert [(c.id, c.status, c.basis) for c in parts.claims] == [(c.id, c.status, c.basis) for c in whole.claims]


def test_a_broken_statement_keeps_no_other_from_being_decided():
    text = (
        'x: (n,)\nassert diff(x @ x, y) == x\nassert diff(x @ x, x) == 2 * x, "good"\nassert diff(x @ x, x) == x, "bad"'
    )
    found = answer({"ask": "statements", "text": text})
    assert [(item["label"], item["status"], item["line"]) for item in found["shown"] if item["kind"] == "claim"] == [
        ("good", "proved", 3), ("bad", "refuted", 4),
    ]  # fmt: skip
    assert [fault["place"]["line"] for fault in found["faults"]] == [2]


def test_what_stands_above_a_slip_of_the_pen_is_decided():
    found = answer({"ask": "statements", "text": "x: (n,)\nassert x + x == 2 * x\nassert x ="})
    assert [item["status"] for item in found["shown"] if item["kind"] == "claim"] == ["proved"]
    assert found["faults"][0]["place"]["line"] == 3


def test_statements_on_one_line_stay_together():
    assert parted("a: (); b: ()\nc = a + b; d = c\n\nx: (n,)")[0] == [
        "a: (); b: ()",
        "\nc = a + b; d = c",
        "\n\n\nx: (n,)",
    ]


def test_proofs_of_claims_name_their_rules():
    claims = [item for item in answer({"ask": "statements", "text": BLOCK})["shown"] if item["kind"] == "claim"]
    lines = [line for line in claims[0]["proofs"][0]["lines"]]
    assert [bool(line["rules"]) for line in lines] == [True] * len(lines)
    assert "contract" in lines[-1]["rules"]


def test_the_words_are_those_of_the_language():
    german = answer({"ask": "statements", "text": BLOCK, "language": "de"})
    rows = [row for item in german["shown"] if item["kind"] == "claim" for row in item["counterexample"]]
    assert rows[0][0] == "Größen"
