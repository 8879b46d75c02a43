"""The examples of the page are the sections of the built-in handouts."""

from __future__ import annotations

import pytest

from symderiv.web.answers import answer
from symderiv.web.examples import examples


@pytest.mark.parametrize("language", ["en", "de", "ja"])
def test_every_handout_is_there_once(language):
    found = answer({"ask": "examples", "language": language})["examples"]
    assert len({e["name"] for e in found}) == len(found) > 50
    assert any("cookbook" in e["handout"] for e in found)
    assert all("text" not in e for e in found)


def test_an_example_is_a_block_that_can_be_read():
    found = answer({"ask": "example", "name": examples("en")[0]["name"]})
    read = answer({"ask": "statements", "text": found["text"]})
    assert read["faults"] == []
    assert {item["status"] for item in read["shown"] if item["kind"] == "claim"} == {"proved"}


def test_a_translation_stands_in_for_what_it_translates():
    titles = {language: {e["handout"] for e in examples(language)} for language in ("en", "de", "ja")}
    assert "Backpropagation durch eine Schicht" in titles["de"]
    assert "Backpropagation through a layer" not in titles["ja"]
