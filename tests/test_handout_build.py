"""Handouts from source to files: records, broken blocks, formats."""

from __future__ import annotations

import json
import re
import shutil
import subprocess

import pytest

from symderiv import ParseError, UnsupportedError
from symderiv.handout import build as handout
from symderiv.handout.build import build, built_in, read_and_decide, rendered
from symderiv.handout.source import read_source

GOOD = """---
title: Notes
---
# One

```symderiv
x: (n,)
E = x @ x
assert diff(E, x) == 2 * x, "a (1)"
```

```python
x = this is not read
```

# Two

```symderiv
x: (n, n)
assert not (x == x.T), "b"
```
"""
BROKEN = """text

```symderiv
x: (n,)
assert x == x, "before"
y = z
assert x == x, "after"
```

between

```symderiv
assert x == x, "later"
```
"""


@pytest.fixture
def source(tmp_path):
    def write(text, name="notes.md"):
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return path

    return write


# --- records --------------------------------------------------------------------------------------


def test_records(source):
    first, second = read_and_decide(source(GOOD)).records
    assert first.as_json() == {
        "handout": "notes",
        "id": "a",
        "label": "a (1)",
        "status": "proved",
        "expected": "proved",
        "basis": "kernel",
        "claim": "diff(E, x) == 2 * x",
    }
    record = json.loads(json.dumps(second.as_json()))
    assert (record["status"], record["expected"], record["basis"]) == ("refuted", "refuted", "")
    assert set(record["counterexample"]) >= {"sizes", "seed", "entry", "left", "right"}
    assert record["correct"] == "x"
    assert first.as_expected and second.as_expected


def test_records_are_reported_as_they_come(source, tmp_path):
    seen = []
    records = build([source(GOOD)], tmp_path / "out", ["md"], report=seen.append)
    assert seen == records


@pytest.mark.parametrize(
    ("claim", "status", "expected"),
    [
        ("assert x == 2 * x", "refuted", False),
        ("assert not (x == x)", "proved", False),
        ("assert not (x == X)", "rejected", True),
    ],
)
def test_what_is_not_as_expected(source, claim, status, expected):
    (record,) = read_and_decide(source(f"```symderiv\nx: (n,)\nX: (n, n)\n{claim}\n```")).records
    assert (record.status, record.as_expected) == (status, expected)


def test_a_heading_starts_afresh(source):
    text = "```symderiv\nx: (n,)\n```\n# New\n```symderiv\nassert x == x\n```"
    (record,) = read_and_decide(source(text)).records
    assert record.status == "unreadable" and "unknown name 'x'" in record.condition


# --- broken blocks --------------------------------------------------------------------------------


def test_a_broken_block_is_reported_with_its_place_and_others_are_built(source):
    path = source(BROKEN)
    built = read_and_decide(path)
    by_id = {r.id: r for r in built.records}
    (broken,) = (r for r in built.records if r.status == "unreadable")
    assert f"{path}, line 6, column 5" in broken.condition
    assert not broken.as_expected
    page = rendered(built, "md").decode()
    assert "between" in page and "unknown name" in page and "line 6, column 5" in page
    assert len(by_id) == len(built.records)


def test_a_block_after_a_broken_one_is_still_read(source):
    text = BROKEN.replace("y = z\n", "").replace("between", "```symderiv\ny = = 2\n```")
    records = read_and_decide(source(text)).records
    assert [r.status for r in records] == ["proved", "proved", "unreadable", "proved"]


def test_an_error_of_deciding_stays_inside_its_block(source):
    block = "```symderiv\nx: (n,)\nu = x * x\nv = sum(u)\nassert partial(v, x) == x\n```\n# Two\n"
    records = read_and_decide(source(block + "```symderiv\nx: (n,)\nassert x == x\n```")).records
    assert [r.status for r in records] == ["unreadable", "proved"]


# --- sources --------------------------------------------------------------------------------------


def test_a_missing_source_is_named(tmp_path):
    with pytest.raises(ParseError, match=r"none.md cannot be read"):
        read_and_decide(tmp_path / "none.md")


def test_a_source_that_is_no_text(tmp_path):
    path = tmp_path / "notes.md"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ParseError, match="cannot be read"):
        read_and_decide(path)


def test_an_empty_source(source, tmp_path):
    assert build([source("")], tmp_path / "out", ["md", "tex", "py"]) == []
    assert (tmp_path / "out" / "notes.py").read_text().startswith('"""notes')


def test_built_in_sources():
    assert {p.stem for p in built_in()} >= {
        "backpropagation-through-a-layer",
        "backpropagation-durch-eine-schicht",
        "backpropagation-through-a-layer-ja",
    }


def test_the_layer_handout_makes_the_same_claims_in_every_language():
    def blocks(name):
        (path,) = (p for p in built_in() if p.stem == name)
        return [p.text for p in read_source(path.read_text(encoding="utf-8"), path).passages if p.kind == "block"]

    english = blocks("backpropagation-through-a-layer")
    assert len(english) == 6
    assert blocks("backpropagation-durch-eine-schicht") == english
    assert blocks("backpropagation-through-a-layer-ja") == english


# --- files ----------------------------------------------------------------------------------------


def test_a_pdf_without_a_font_is_left_out_with_one_line(source, tmp_path, monkeypatch):
    pytest.importorskip("pypandoc", reason="pandoc comes with the extra symderiv[handout]")
    typst = pytest.importorskip("typst", reason="typst comes with the extra symderiv[handout]")
    bare = typst.Fonts(include_system_fonts=False)
    monkeypatch.setattr(typst, "Fonts", lambda **_: bare)
    said: list[str] = []
    path = source(GOOD.replace("title: Notes", "title: 覚え書き\nlanguage: ja"))
    records = build([path], tmp_path / "out", ["tex", "pdf", "html"], notice=said.append)
    assert [record.status for record in records] == ["proved", "refuted"]
    assert {p.suffix for p in (tmp_path / "out").iterdir()} == {".tex", ".html"}
    (line,) = said
    assert (
        line.startswith("notes: no PDF: no Japanese font is installed; install Noto Serif CJK JP") and "\n" not in line
    )
    build([source(GOOD, "english.md")], tmp_path / "out", ["pdf"], notice=said.append)
    assert (tmp_path / "out" / "english.pdf").exists() and len(said) == 1


def has_japanese_tex():
    """Tell whether LuaLaTeX, its Japanese package and the named font are there."""
    if not (shutil.which("lualatex") and shutil.which("kpsewhich")):
        return False
    wanted = ["luatexja-fontspec.sty", "HaranoAjiMincho-Regular.otf"]
    return subprocess.run(["kpsewhich", *wanted], capture_output=True, check=False).returncode == 0


@pytest.mark.parametrize("name", ["tex", "md", "py", "html", "pdf"])
def test_every_format_is_built(name, source, tmp_path):
    if name in ("html", "pdf"):
        pytest.importorskip("pypandoc", reason="pandoc comes with the extra symderiv[handout]")
        pytest.importorskip("typst", reason="typst comes with the extra symderiv[handout]")
    build([source(GOOD)], tmp_path / "out" / "inner", [name])
    (made,) = (tmp_path / "out" / "inner").iterdir()
    assert made.name == f"notes.{name}" and made.stat().st_size > 100
    start = {"tex": b"", "md": b"# Notes", "py": b'"""Notes', "html": b"<!", "pdf": b"%PDF-"}[name]
    assert made.read_bytes().startswith(start)


def test_fences_of_other_languages_are_kept(source, tmp_path):
    build([source(GOOD)], tmp_path, ["md"])
    assert "```python\nx = this is not read\n```" in (tmp_path / "notes.md").read_text(encoding="utf-8")


def test_a_pdf_that_leaves_latex_out_says_so(source, tmp_path):
    pytest.importorskip("typst")
    own = tmp_path / "own"
    own.mkdir()
    (own / "document.tex").write_text('<% extends "symderiv/document.tex" %>')
    path, said = source("x: ()\nassert diff(x, x) == 1"), []
    build([path], tmp_path / "out", ["pdf"], notice=said.append)
    assert said == []
    build([path], tmp_path / "out", ["pdf"], templates=own, notice=said.append)
    build([path], tmp_path / "out", ["tex"], templates=own, notice=said.append)
    assert len(said) == 1 and "--pdf-engine latex" in said[0]


def test_an_unknown_format_is_refused_before_anything_is_read(tmp_path):
    with pytest.raises(UnsupportedError, match="docx"):
        build([tmp_path / "none.md"], tmp_path / "out", ["docx"])


def test_detail_and_language_may_be_chosen(source):
    path = source(GOOD)
    pages = {
        rendered(read_and_decide(path, detail=detail, language=language), "md")
        for detail, language in [("brief", "en"), ("full", "en"), ("normal", "de")]
    }
    assert len(pages) == 3


def test_two_builds_give_the_same(source, tmp_path):
    for folder in ("a", "b"):
        build([source(GOOD)], tmp_path / folder, ["tex", "md", "py"])
    for made in (tmp_path / "a").iterdir():
        assert made.read_bytes() == (tmp_path / "b" / made.name).read_bytes()


def test_a_module_of_nothing(source):
    assert handout.module(read_and_decide(source("")).source, []).count("\n") == 3


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="pdflatex is not installed")
@pytest.mark.parametrize("path", built_in(), ids=lambda p: p.stem)
def test_latex_sets_the_built_in_handouts_without_a_warning(path, tmp_path, decided):
    source = rendered(decided(path), "tex")
    program = "lualatex" if source.startswith(b"% Typeset with LuaLaTeX") else "pdflatex"
    if program == "lualatex" and not has_japanese_tex():
        pytest.skip("lualatex or luatexja is not installed")
    (tmp_path / "main.tex").write_bytes(source)
    command = [program, "-interaction=nonstopmode", "-no-shell-escape", "main.tex"]
    for _ in range(2):
        subprocess.run(command, cwd=tmp_path, capture_output=True, check=False)
    log = (tmp_path / "main.log").read_text(encoding="utf-8", errors="replace")
    assert [x for x in log.splitlines() if re.match(r"!|Overfull|.*Warning|.*undefined", x)] == []
    assert (tmp_path / "main.pdf").read_bytes().startswith(b"%PDF-")
