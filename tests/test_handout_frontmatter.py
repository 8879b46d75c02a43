"""Front matter: which keys there are, and what each of them takes."""

from __future__ import annotations

from pathlib import Path

import pytest

from symderiv import ParseError, UnsupportedError
from symderiv.handout.frontmatter import KEYS
from symderiv.handout.source import read_source

GOOD = {
    "title": "T",
    "author": "[A. B., C. D.]",
    "language": "de",
    "detail": "full",
    "variant": "hints",
    "layout": "numerator",
    "numbering": "labels",
    "display": "{w1: w}",
    "superscript": "[w]",
    "indices": "[a, b]",
    "convention": "false",
    "symbols": "{x: the input}",
    "appendix": "true",
    "checks": "true",
    "documentclass": "scrartcl",
    "classoptions": "[11pt, a4paper, fontsize=12pt]",
    "preamble": "own.tex",
    "textwidth": "36.5",
    "translates": "other",
}


def read(tmp_path: Path, *lines: str):
    return read_source("\n".join(["---", *lines, "---", "text"]), tmp_path / "notes.md")


def test_every_key_is_read(tmp_path):
    (tmp_path / "own.tex").write_text(r"\newcommand{\x}{1}")
    assert set(GOOD) == set(KEYS)
    source = read(tmp_path, *(f"{key}: {value}" for key, value in GOOD.items()))
    assert (source.author, source.language, source.detail) == ("A. B., C. D.", "de", "full")
    assert (source.variant, source.layout, source.numbering) == ("hints", "numerator", "labels")
    assert (source.indices, source.convention, source.symbols) == (("a", "b"), None, True)
    assert source.meanings == {"x": "the input"}
    assert source.appendix and source.checks and source.translates == "other"
    assert (source.tex.name, source.tex.options, source.tex.width) == (
        "scrartcl",
        ("11pt", "a4paper", "fontsize=12pt"),
        36.5,
    )
    assert source.tex.preamble == r"\newcommand{\x}{1}"


@pytest.mark.parametrize(
    "line",
    [
        "variant: exercises", "layout: 3", "numbering: true", "indices: ij", "indices: [ii]", "convention: true",
        "convention: 3", "symbols: [x]", "appendix: 'yes'", "checks: 1", "documentclass: 'a}{b'",
        "classoptions: ['a]']", "classoptions: 11pt", "textwidth: wide", "textwidth: -3", "textwidth: true",
        "author: {a: b}", "preamble: nowhere.tex", "translates: [a]", "title: A", "variant: 'Hints'",
    ],
)  # fmt: skip
def test_a_value_of_another_kind_is_refused_with_its_place(tmp_path, line):
    with pytest.raises(ParseError) as refused:
        read(tmp_path, "title: T", line)
    assert refused.value.place is not None and refused.value.place.line == 3
    assert "notes.md, line 3, column 1" in str(refused.value)


def test_a_misspelt_key_is_answered_with_the_one_meant(tmp_path):
    with pytest.raises(ParseError, match="did you mean variant"):
        read(tmp_path, "varient: hints")


def test_what_is_chosen_comes_before_the_front_matter(tmp_path):
    source = read(tmp_path, "variant: hints", "language: de")
    chosen = source.with_options(variant="exercise", language=None)
    assert (chosen.variant, chosen.language) == ("exercise", "de")
    with pytest.raises(UnsupportedError, match="unknown variant"):
        source.with_options(variant="answers")


def test_an_exercise_leaves_the_files_of_the_solution_alone(tmp_path):
    source = read(tmp_path)
    names = [source.with_options(variant=v).file_name for v in ("solution", "exercise", "hints")]
    assert names == ["notes", "notes-exercise", "notes-hints"]
