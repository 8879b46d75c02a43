from __future__ import annotations

import json
from pathlib import Path

import pytest
from command_line import output, refusal, run

LAYER = ["--declare", "D: (n, n)", "--declare", "W: (n, n)", "--declare", "loss: function()",
         "--declare", "A = D @ W", "--declare", "E = loss(A)", "--declare", "B = diff(E, A)"]  # fmt: skip
RIGHT = r"\frac{\partial E}{\partial W_{kl}} = \sum_i D_{ik} B_{il} = (D^\top B)_{kl}"


@pytest.fixture
def notes(tmp_path: Path) -> Path:
    return tmp_path / "notes.tex"


def test_a_right_derivation(notes: Path) -> None:
    notes.write_text(RIGHT)
    shown = output("homework", str(notes), *LAYER)
    assert [line[0] for line in shown.splitlines()] == ["✓", "✓"]


def test_the_first_wrong_equality_is_named(notes: Path) -> None:
    notes.write_text(RIGHT.replace(r"D^\top", "D"))
    result = run("homework", str(notes), *LAYER)
    assert result.exit_code == 1
    assert f"equality 2, {notes}, line 1" in result.stdout
    assert "counted from 1" in result.stdout


def test_statements_in_a_file_names_and_ranges(notes: Path, tmp_path: Path) -> None:
    given = tmp_path / "given.txt"
    given.write_text(
        "f: function(n)\nh[0]: (n,)\nfor t in range(1, T + 1):\n    d[t]: (m,)\n    h[t] = f(h[t-1], d[t])\n"
    )
    notes.write_text(r"\frac{\partial h_t}{\partial \delta_t} = \frac{\partial^+ h_t}{\partial \delta_t}")
    more = ["--given", str(given), "--range", "t: 1, T", "--display", r"d=\delta", "--json"]
    record = json.loads(output("homework", str(notes), *more))
    assert (record["status"], record["first_wrong"]) == ("proved", None)
    assert record["equalities"][0]["text"] == "diff(h[t], d[t]) == partial(h[t], d[t])"


def test_what_cannot_be_read_is_a_usage_error(notes: Path) -> None:
    notes.write_text(r"\frob = 1")
    assert f"{notes}, line 1, column 1" in refusal("homework", str(notes))
    notes.write_text("a = a")
    assert "no range" in refusal("homework", str(notes), "--declare", "a: ()", "--range", "t: 1")
    assert "is not read" in refusal("homework", str(notes), "--declare", "a: ()", "--display", "a")


def test_verify_takes_a_claim_in_latex() -> None:
    declared = ["--wrt", "x", "--shape", "x: (n,)", "--shape", "A: (n, n)"]
    assert "proved" in output("verify", "x @ A @ x", *declared, "--claim", r"(A + A^\top) x", "--latex-claim")
    assert "latex=True" in refusal("verify", "x @ A @ x", *declared, "--claim", r"(A + A^\top) x")
