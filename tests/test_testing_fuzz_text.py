"""Random texts: a short run, and that it sees what it should see."""

from __future__ import annotations

import warnings

import pytest
from click.testing import CliRunner

from symderiv.errors import ParseError
from symderiv.testing import fuzz_text
from symderiv.testing.fuzz_text import KINDS, Kind, found, shortest


def kind_that(use):
    return Kind("broken", 1000, lambda texts: texts.one(("abcdefgh",)), use)


def test_a_short_run_finds_nothing():
    tally = fuzz_text.run(seconds=0, cases=1500, seed=5, start=0, limit=20)
    assert sum(tally.cases.values()) == 1500
    assert set(tally.cases) == {kind.name for kind in KINDS}
    assert not tally.findings, tally.table(0)
    assert tally.read["grammar, expression"] > 100
    assert tally.read["documents"] > 3


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
