"""Sources of handouts: front matter, prose and blocks."""

from __future__ import annotations

from pathlib import Path

import pytest

from symderiv import ParseError, SymderivError
from symderiv.handout.build import built_in
from symderiv.handout.source import read_source

PATH = Path("folder/notes.md")


def read(*lines):
    return read_source("\n".join(lines), PATH)


def passages(*lines):
    return [(p.kind, p.text, p.line, p.fresh) for p in read(*lines).passages]


# --- front matter ---------------------------------------------------------------------------------


def test_front_matter():
    source = read(
        "---", "title: 'A: B'", "author: N. N.", "language: de", "detail: full",
        "convention: c", "display:", "  w1: w^{(1)}", "  d: δ", "---", "text",
    )  # fmt: skip
    assert (source.name, source.title, source.author) == ("notes", "A: B", "N. N.")
    assert (source.language, source.detail, source.convention) == ("de", "full", "c")
    assert source.display == {"w1": "w^{(1)}", "d": "δ"}
    assert source.path == str(PATH)


FENCED = ("```python", "# a remark", "```")


@pytest.mark.parametrize("above", [(), ("",), ("---", "author: N. N.", "---", "")])
def test_the_heading_above_everything_is_the_title(above):
    source = read(*above, "# My notes", "", "text", *FENCED, "## One")
    assert source.title == "My notes"
    (prose,) = source.passages
    assert prose.text.startswith("text") and prose.line == max(1, len(above))


@pytest.mark.parametrize(
    "lines",
    [
        ("---", "title: T", "---", "# One"),
        ("# One", "text", "# Two"),  # sections
        ("text", "# One"),
        ("## One",),
        ("# The norm $|x|$",),
    ],
)
def test_other_headings_are_no_title(lines):
    source = read(*lines)
    assert source.title in ("T", "notes")
    assert "One" in source.passages[0].text or "norm" in source.passages[0].text


@pytest.mark.parametrize("lines", [["text"], ["---", "---", "text"], [], ["---", "# nothing", "---"]])
def test_what_is_not_given_has_a_default(lines):
    source = read(*lines)
    assert (source.title, source.language, source.detail, source.author) == ("notes", "en", "normal", "")
    assert source.display == {}


@pytest.mark.parametrize(
    ("lines", "line", "words"),
    [
        (["titel: A"], 2, "unknown key 'titel'"),
        (["title: A", "x: 1"], 3, "unknown key 'x'"),
        (["title: [1"], 2, "cannot be read"),
        (["title: A", "a: b: c"], 3, "cannot be read"),
        (["- a"], 1, "a table of keys and values"),
    ],
)
def test_bad_front_matter_is_refused_with_its_line(lines, line, words):
    with pytest.raises(ParseError, match=words) as refused:
        read("---", *lines, "---", "text")
    assert f"{PATH}, line {line}, column" in str(refused.value)


def test_an_unknown_key_is_answered_with_the_known_ones():
    with pytest.raises(ParseError, match="appendix, author, checks, classoptions, convention, detail, display"):
        read("---", "colour: red", "---")


def test_front_matter_without_end():
    with pytest.raises(ParseError, match="close it with ---"):
        read("---", "title: A", "text")


@pytest.mark.parametrize(
    "lines",
    [["display: [a]"], ["display: 3"], ["{foo: 1}"], ["detail: foo"], ["? a"], ["language: [en]"]],
    ids=" ".join,
)
def test_other_bad_front_matter(lines):
    with pytest.raises(SymderivError) as refused:
        read("---", *lines, "---", "text")
    assert refused.value.place.line == 2


# --- passages -------------------------------------------------------------------------------------


def test_prose_and_blocks_in_order():
    assert passages("## One", "", "a", "", "```symderiv", "x: (n,)", "", "y = x", "```", "b", "", "c") == [
        ("prose", "## One\n\na", 1, False),
        ("block", "x: (n,)\n\ny = x", 6, True),
        ("prose", "b\n\nc", 10, False),
    ]


def test_lines_count_from_the_top_of_the_file():
    found = passages("---", "title: A", "---", "", "a", "```symderiv", "x: (n,)", "```")
    assert [line for kind, _, line, _ in found if kind == "block"] == [7]


@pytest.mark.parametrize("mark", ["```", "~~~", "````"])
def test_fences(mark):
    assert passages(f"{mark}symderiv", "x: (n,)", mark) == [("block", "x: (n,)", 2, False)]
    assert passages(f"{mark} symderiv ", "x: (n,)", mark) == [("block", "x: (n,)", 2, False)]


@pytest.mark.parametrize("language", ["", "python", "text", "symderiv2", "Symderiv"])
def test_fences_of_other_languages_are_prose(language):
    lines = ["a", "", f"```{language}", "# no heading", "x = 1", "```", "b"]
    assert passages(*lines, "```symderiv", "x: (n,)", "```") == [
        ("prose", "\n".join(lines), 1, False),
        ("block", "x: (n,)", 9, False),
    ]


def test_a_longer_fence_holds_a_shorter_one():
    lines = ["````text", "```symderiv", "x: (n,)", "```", "````"]
    assert passages(*lines) == [("prose", "\n".join(lines), 1, False)]


def test_a_fence_without_end_runs_to_the_end():
    assert passages("```symderiv", "x: (n,)", "y = x") == [("block", "x: (n,)\ny = x", 2, False)]


@pytest.mark.parametrize(("heading", "fresh"), [("# A", True), ("###### A", True), ("#A", False), ("a # b", False)])
def test_a_heading_starts_afresh(heading, fresh):
    found = passages("```symderiv", "x: (n,)", "```", heading, "```symderiv", "y: (n,)", "```")
    assert [p[3] for p in found if p[0] == "block"] == [False, fresh]


def test_only_the_first_block_below_a_heading_is_fresh():
    block = ["```symderiv", "x: (n,)", "```"]
    found = passages("## A", *block, "text", *block, "## B", *block)
    assert [p[3] for p in found if p[0] == "block"] == [True, False, True]


def test_blank_sources():
    assert passages() == passages("", " ", "") == passages("---", "title: A", "---", "") == []


@pytest.mark.parametrize("path", built_in(), ids=lambda p: p.stem)
def test_built_in_sources_are_read(path):
    source = read_source(path.read_text(encoding="utf-8"), path)
    blocks = [p for p in source.passages if p.kind == "block"]
    assert source.title and len(blocks) >= 5 and blocks[0].fresh


def test_families_whose_label_stands_above():
    assert read_source("---\nsuperscript: [w, a, z]\n---\n", PATH).superscript == ("w", "a", "z")
    assert read_source("---\ntitle: T\n---\n", PATH).superscript == ()
    with pytest.raises(ParseError, match="superscript is a list of families"):
        read_source("---\nsuperscript: w\n---\n", PATH)
