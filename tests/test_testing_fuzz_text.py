"""Random texts: a short run, and that it sees what it should see."""

from __future__ import annotations

import sys
import warnings
from random import Random

import pytest
from click.testing import CliRunner

from symderiv.errors import ParseError
from symderiv.testing import fuzz_text, progress
from symderiv.testing.fuzz_text import KINDS, Kind, found, shortest
from symderiv.testing.texts import Texts


def kind_that(use):
    return Kind("broken", 1000, lambda texts: texts.one(("abcdefgh",)), use)


def test_a_short_run_finds_nothing():
    tally = fuzz_text.run(seconds=0, cases=1500, seed=5, start=0, limit=20)
    assert sum(tally.cases.values()) == 1500
    assert set(tally.cases) <= {kind.name for kind in KINDS}
    assert not tally.findings, tally.table(0)
    assert tally.read["grammar, expression"] > 100
    assert tally.read["documents"] > 3


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_of_each_kind_some_are_read_and_none_is_found(kind):
    if kind.name == "pages":
        pytest.importorskip("pypandoc", reason="pandoc comes with the extra symderiv[handout]")
    drawn = [kind.draw(Texts(Random(number))) for number in range(3 if kind.name == "pages" else 25)]
    outcomes = [found(kind, text, 20) for text in drawn]
    assert [what for _, what in outcomes if what] == []
    assert any(was_read for was_read, _ in outcomes)


@pytest.mark.parametrize("terminal", [True, False])
def test_how_far_it_has_come_is_said_on_the_error_stream(terminal, monkeypatch, capsys):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: terminal)
    monkeypatch.setattr(progress, "EVERY", 2)
    with progress.progress(4, "texts") as told:
        for done in range(1, 5):
            told(done, 1)
    out, said = capsys.readouterr()
    assert out == ""
    if not terminal:
        assert [line.rpartition(",")[0] for line in said.splitlines()] == [
            "2 of 4 texts, 1 findings",
            "4 of 4 texts, 1 findings",
        ]


def test_a_case_is_the_same_every_time():
    assert [fuzz_text.case(3, k) for k in range(50)] == [fuzz_text.case(3, k) for k in range(50)]
    assert fuzz_text.case(3, 0) != fuzz_text.case(4, 0)


def test_the_command_prints_a_table():
    done = CliRunner().invoke(fuzz_text.main, ["--cases", "20", "--seed", "5"])
    assert done.exit_code == 0, done.output
    assert done.output.startswith("20 texts in")


def crash(text):
    if "e" in text:
        raise KeyError(text)


def warn(text):
    warnings.warn("heard", stacklevel=1)


def unprintable(text):
    raise ParseError("\x1b[31m")


def endless(text):
    while True:
        pass


@pytest.mark.parametrize(
    ("use", "said"),
    [(crash, "KeyError"), (warn, "a warning: UserWarning"), (unprintable, "does not print"), (endless, "more than")],
)
def test_what_must_not_be_is_found(use, said):
    assert said in found(kind_that(use), "abcdefgh", 0.05)[1]


def test_a_finding_is_made_short():
    what = found(kind_that(crash), "abcdefgh", 1)[1]
    assert shortest(kind_that(crash), "abcdefgh", what, 1) == "e"


def test_the_command_fails_where_there_is_a_finding(monkeypatch):
    monkeypatch.setattr(fuzz_text, "KINDS", (kind_that(crash),))
    monkeypatch.setattr(fuzz_text, "SHARES", (1000,))
    done = CliRunner().invoke(fuzz_text.main, ["--cases", "2"])
    assert done.exit_code == 1
    assert "KeyError" in done.output
    assert "  'e'\n" in done.output


def test_what_was_read_before_an_interruption_is_counted(monkeypatch):
    texts = iter("abc")

    def use(_):
        if next(texts, None) is None:
            raise KeyboardInterrupt

    monkeypatch.setattr(fuzz_text, "KINDS", (kind_that(use),))
    monkeypatch.setattr(fuzz_text, "SHARES", (1000,))
    done = CliRunner().invoke(fuzz_text.main, ["--cases", "9"])
    assert done.exit_code == 130
    assert done.output.startswith("3 texts in") and "interrupted" in done.output.split("\n")[0]
