"""`symderiv check`: stored proofs examined from the command line."""

from __future__ import annotations

import json
from pathlib import Path

from click.testing import CliRunner
from command_line import QUADRATIC, main, output, refusal, run

import symderiv

PROOF = symderiv.derive("x @ A @ x", "x", shapes={"x": ("n",), "A": ("n", "n")}).proof.to_json()


def test_a_proof_is_accepted(tmp_path: Path) -> None:
    file = tmp_path / "proof.json"
    file.write_text(PROOF, encoding="utf-8")
    assert "proved" in output("check", str(file))
    record = json.loads(output("check", str(file), "--json"))
    assert record["status"] == "proved"
    assert record["proved"][0]["left"] == "∂(f)/∂x[i]"


def test_a_damaged_proof_is_rejected_at_its_step(tmp_path: Path) -> None:
    file = tmp_path / "proof.json"
    file.write_text(PROOF.replace('"entry"', '"zero"'), encoding="utf-8")
    result = run("check", str(file))
    assert result.exit_code == 1
    assert "(zero)" in result.stdout
    assert json.loads(run("check", str(file), "--json").stdout)["status"] == "rejected"


def test_what_is_no_proof(tmp_path: Path) -> None:
    file = tmp_path / "proof.json"
    file.write_bytes(b"\xff\xfe")
    assert "UTF-8" in refusal("check", str(file))
    assert "No such file" in refusal("check", str(tmp_path / "none.json"))
    file.write_text("{}", encoding="utf-8")
    assert run("check", str(file)).exit_code == 1


def test_derive_writes_what_check_reads() -> None:
    written = output("derive", *QUADRATIC, "--proof-json")
    result = CliRunner().invoke(main, ["check", "-"], input=written)
    assert result.exit_code == 0, result.output


RECURRENCE = """
f: function(n)
h[0]: (n,)
for t in range(1, T + 1):
    h[t] = f(h[t-1])
for t in range(1, T + 1):
    assert diff(h[t], h[0]) == prod(diff(h[s], h[s-1]) for s in range(t, 0, -1)), "R1"
"""


def test_a_claim_about_families_says_for_which_members_and_lengths(tmp_path: Path) -> None:
    file = tmp_path / "proof.json"
    file.write_text(symderiv.Sheet(RECURRENCE).to_json("R1"), encoding="utf-8")
    shown = output("check", str(file))
    assert "every step checked, by induction" in shown
    assert "for all t = 1 … T, all T ≥ 1" in shown
    record = json.loads(output("check", str(file), "--json"))
    assert record["proved"][0]["scope"] == "for all t = 1 … T, all T ≥ 1"
