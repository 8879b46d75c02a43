"""What README shows is what symderiv says."""

import doctest
import re
from pathlib import Path

import terminal_examples

from symderiv.handout.build import build
from symderiv.sheet import Sheet

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"


def test_the_python_examples():
    assert doctest.testfile(str(README), module_relative=False).failed == 0


def test_the_commands(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert terminal_examples.check(README) == 2


def test_the_handout_block_is_proved():
    text = README.read_text(encoding="utf-8").split("```symderiv\n", 1)[1].split("```", 1)[0]
    assert [(c.id, c.status, c.basis) for c in Sheet(text).claims] == [
        ("L1", "proved", "kernel"),
        ("L2", "proved", "kernel"),
    ]


def test_the_handout_is_built_as_it_stands(tmp_path):
    (handout,) = re.findall(r"^````markdown\n(.*?)^````$", README.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    (tmp_path / "notes.md").write_text(handout, encoding="utf-8")
    assert all(record.as_expected for record in build([tmp_path / "notes.md"], tmp_path, ["tex"]))
    assert r"{\LARGE My notes}" in (tmp_path / "notes.tex").read_text(encoding="utf-8")


def test_links_lead_to_files():
    addresses = re.findall(r"\]\((?!https:)([^)#]+)", README.read_text(encoding="utf-8"))
    assert addresses and all((ROOT / address).is_file() for address in addresses)
