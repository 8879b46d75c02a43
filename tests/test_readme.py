"""What README shows is what symderiv says."""

import doctest
from pathlib import Path

from click.testing import CliRunner

from symderiv.cli import main
from symderiv.sheet import Sheet

README = Path(__file__).parents[1] / "README.md"


def test_the_python_examples():
    assert doctest.testfile(str(README), module_relative=False).failed == 0


def test_the_refuted_claim():
    args = ["verify", "x @ A @ x", "--wrt", "x", "--claim", "2 * A @ x", "--shape", "x: (n,)", "--shape", "A: (n, n)"]
    done = CliRunner().invoke(main, args)
    assert done.exit_code == 1
    shown = README.read_text(encoding="utf-8").split('"A: (n, n)"\n', 1)[1].split("```", 1)[0]
    assert done.output.startswith(shown)


def test_the_handout_block_is_proved():
    text = README.read_text(encoding="utf-8").split("```symderiv\n", 1)[1].split("```", 1)[0]
    assert [(c.id, c.status, c.basis) for c in Sheet(text).claims] == [
        ("L1", "proved", "kernel"),
        ("L2", "proved", "kernel"),
    ]
