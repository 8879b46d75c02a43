"""Proofs as data: every step is written by a line, and told with what it did."""

from __future__ import annotations

import re

import pytest

from symderiv import derive
from symderiv.index.nodes import at
from symderiv.render.proof import view
from symderiv.web.answers import answer
from symderiv.web.names import with_data

QUESTION = {"expr": "norm(W @ tanh(V @ x) - y)**2 + logdet(S)", "wrt": ["V"]}
SHAPES = {"W": ("k", "h"), "V": ("h", "d"), "x": ("d",), "y": ("k",), "S": ("n", "n")}


@pytest.mark.parametrize("detail", ["normal", "full"])
def test_the_lines_of_a_chain_write_all_its_steps_in_order(detail):
    proof = derive(QUESTION["expr"], ["V"], shapes=SHAPES).proof
    for argument in proof.arguments:
        lines = view(argument, proof.latex(), detail).lines
        written = [k for line in lines for k in line.steps]
        assert list(dict.fromkeys(written)) == list(range(len(argument.steps)))
        for line in lines:
            assert set(line.rules) == {argument.steps[k].rule for k in line.steps}


def test_the_one_line_of_a_short_proof_has_all_steps():
    proof = derive("x @ A @ x", "x", shapes={"x": ("n",), "A": ("n", "n")}).proof
    (argument,) = proof.arguments
    (line,) = view(argument, proof.latex(), "brief").lines
    assert line.steps == tuple(range(len(argument.steps)))


@pytest.mark.parametrize("detail", ["brief", "normal", "full"])
def test_every_line_that_has_rules_says_why(detail):
    found = answer({"ask": "proof", "detail": detail, **QUESTION})
    assert found["checked"] and found["chains"][-1]["checked"]
    asked = 0
    for number, chain in enumerate(found["chains"]):
        for place, line in enumerate(chain["lines"]):
            steps = answer({"ask": "why", "detail": detail, **QUESTION, "name": f"{number}.{place}"})["steps"]
            assert list(dict.fromkeys(s["rule"] for s in steps)) == line["rules"]
            assert all(s["statement"] and s["before"] != s["after"] for s in steps)
            asked += bool(steps)
    assert asked >= len(found["chains"]) / 2


def test_a_step_shows_the_part_that_it_changed():
    proof = derive("x @ x", "x", shapes={"x": ("n",)}).proof
    latex = proof.latex()
    steps = [step for argument in proof.arguments for step in argument.steps]
    told = [
        s
        for k in range(len(answer({"ask": "proof", "detail": "full", "expr": "x @ x", "wrt": ["x"]})["chains"]))
        for place in range(20)
        for s in answer({"ask": "why", "detail": "full", "expr": "x @ x", "wrt": ["x"], "name": f"{k}.{place}"}).get(
            "steps", []
        )
    ]
    assert [(s["before"], s["after"]) for s in told] == [
        (latex.index(at(s.before, s.place)), latex.index(at(s.after, s.place))) for s in steps
    ]


@pytest.mark.parametrize("place", ["", "0", "0.99", "99.0", "a.b", "-1.0", "1.-1", "1.0.0", "1e9.0"])
def test_a_line_that_is_none_is_refused(place):
    assert not answer({"ask": "why", **QUESTION, "name": place})["ok"]


def test_marks_change_nothing_but_what_names_say():
    r"""Without `\htmlData` the lines are those that anybody gets."""
    proof = derive(QUESTION["expr"], ["V"], shapes=SHAPES).proof
    plain = [line.right for v in proof.views() for line in v.lines]
    found = answer({"ask": "proof", **QUESTION, "shapes": {n: ", ".join(s) for n, s in SHAPES.items()}})
    marked = ["".join(line["right"]) for chain in found["chains"] for line in chain["lines"]]
    bare = [re.sub(r"\\htmlData\{name=\d+\}\{((?:[^{}]|\{[^{}]*\})*)\}", r"\1", text) for text in marked]
    bare = [
        re.sub(r"\\[bB]igg?l", r"\\left", re.sub(r"\\[bB]igg?r", r"\\right", text)) for text in bare
    ]  # parted brackets
    assert [re.sub(r"\s+", "", text) for text in bare] == [re.sub(r"\s+", "", text) for text in plain]
    assert any("htmlData" in text for text in marked)
    reasons = [line["reason"] for chain in found["chains"] for line in chain["lines"]]
    assert any("htmlData" in text for text in reasons)
    assert not any(0xE000 <= ord(c) < 0xF900 for text in [*marked, *reasons] for c in text)


def test_marks_are_read_back():
    assert with_data("{\ue000X}_{ij} + {i}") == r"\htmlData{name=0}{X}_{ij} + {i}"
