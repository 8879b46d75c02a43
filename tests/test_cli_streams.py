"""Terminals, pipes and narrow encodings: colours, progress, JSON."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from command_line import QUADRATIC, python

from symderiv.cli.streams import print_json

ON_A_TERMINAL = """
import sys
from types import ModuleType, SimpleNamespace
from symderiv.cli import main
record = SimpleNamespace(handout="layers", id="L1", label="L1", status="proved", expected="proved",
                         basis="kernel", claim="", condition="", counterexample=None, correct="")
module = ModuleType("symderiv.handout.build")
def build(sources, output, formats, *, report, **options):
    report(record)
    return [record]
module.build = build
sys.modules["symderiv.handout.build"] = module
main(sys.argv[1:], prog_name="symderiv")
"""
COLOUR = re.compile(r"\x1b\[[\d;]*3[0-7][\d;]*m")


def on_a_terminal(*args: str, **environment: str) -> tuple[str, int]:
    """Return what a process prints to a pseudo-terminal, and its exit code."""
    pty = pytest.importorskip("pty")
    env = {k: v for k, v in os.environ.items() if k not in ("NO_COLOR", "FORCE_COLOR")}
    leader, follower = pty.openpty()
    env |= {"TERM": "xterm-256color", **environment}
    command = [sys.executable, "-c", ON_A_TERMINAL, *args]
    process = subprocess.Popen(command, stdin=follower, stdout=follower, stderr=follower, env=env)
    os.close(follower)
    said = b""
    while True:
        try:
            part = os.read(leader, 4096)
        except OSError:  # the other end is closed
            break
        if not part:
            break
        said += part
    os.close(leader)
    return said.decode(), process.wait()


def test_a_terminal_gets_colours(tmp_path: Path) -> None:
    said, code = on_a_terminal("handout", "-o", str(tmp_path))
    assert code == 0
    assert COLOUR.search(said)
    assert "L1" in said and "1 claim" in said
    refuted, code = on_a_terminal("verify", *QUADRATIC, "--claim", "x")
    assert code == 1
    assert COLOUR.search(refuted)


@pytest.mark.parametrize("environment", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_colours_can_be_switched_off(tmp_path: Path, environment: dict[str, str]) -> None:
    said, code = on_a_terminal("handout", "-o", str(tmp_path), **environment)
    assert code == 0
    assert "L1" in said
    assert not COLOUR.search(said)
    refuted, _ = on_a_terminal("verify", *QUADRATIC, "--claim", "x", **environment)
    assert "\x1b" not in refuted


def test_json_on_a_terminal_has_no_progress(tmp_path: Path) -> None:
    said, _ = on_a_terminal("verify", *QUADRATIC, "--claim", "x", "--json")
    assert json.loads(said)["status"] == "refuted"


def test_an_encoding_without_the_marks_is_survived() -> None:
    code = f"from symderiv.cli import main; main({['verify', *QUADRATIC, '--claim', '2 * A @ x']!r})"
    done = python(code, PYTHONIOENCODING="latin-1")
    assert done.returncode == 1, done.stderr
    assert "? refuted" in done.stdout


def test_infinite_values_stay_valid_json(capsys: pytest.CaptureFixture[str]) -> None:
    print_json({"left": float("nan"), "point": {"x": [1.0, float("-inf")]}})
    assert json.loads(capsys.readouterr().out) == {"left": "nan", "point": {"x": [1.0, "-inf"]}}
