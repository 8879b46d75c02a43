"""Diagrams in handouts: what a fence draws, where it stands in each format, and what is wrong with one."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from symderiv.errors import SymderivError
from symderiv.handout.build import build, pictures, read_and_decide, rendered
from symderiv.handout.pictures import Request
from symderiv.render.document import render
from symderiv.render.model import Definitions, DiagramView, Problem, Prose

pytest.importorskip("pygraphviz", reason="pygraphviz comes with the extra symderiv[diagram]")

DEFINED = "```symderiv\nD: (m, n)\nW: (n, p)\nloss: function()\nA = D @ W\nE = loss(A)\n```\n"
LATER = "```symderiv\nF = 2 * E\nassert diff(E, W) == D.T @ diff(E, A)\n```\n"


def written(folder: Path, text: str) -> Path:
    path = folder / "notes.md"
    path.write_text(text, encoding="utf-8")
    return path


def fence(*lines: str) -> str:
    return "\n".join(["```symderiv-diagram", *lines, "```", ""])


def test_a_picture_stands_where_its_fence_does(tmp_path: Path) -> None:
    """It draws what is defined before it, and differentiates in what its section does after it."""
    built = read_and_decide(written(tmp_path, DEFINED + fence() + LATER))
    definitions, picture, *_ = built.document.blocks
    assert isinstance(definitions, Definitions) and isinstance(picture, DiagramView)
    assert r"\partial E/\partial W" in picture.tikz and r"\partial E/\partial D" not in picture.tikz
    assert "F = 2 * E" not in picture.svg and "$E$" in picture.caption


def test_a_picture_before_its_section_shows_all_of_it(tmp_path: Path) -> None:
    built = read_and_decide(written(tmp_path, fence() + DEFINED))
    picture = built.document.blocks[0]
    assert isinstance(picture, DiagramView) and "E = loss(A)" in picture.svg


def test_lines_choose(tmp_path: Path) -> None:
    built = read_and_decide(written(tmp_path, DEFINED + fence("of: A", "wrt: D, W") + LATER))
    picture = built.document.blocks[1]
    assert isinstance(picture, DiagramView)
    assert r"\partial A/\partial D" in picture.tikz and r"\partial E" not in picture.tikz


def test_every_format_has_the_picture(tmp_path: Path) -> None:
    path = written(tmp_path, DEFINED + fence() + LATER + "# Next\n\n" + DEFINED + fence("wrt: W"))
    records = build([path], tmp_path / "out", ["md", "tex"])
    assert all(record.as_expected for record in records)
    names = ["notes-diagram-1.svg", "notes-diagram-2.svg"]
    assert sorted(f.name for f in (tmp_path / "out").iterdir()) == [*names, "notes.md", "notes.tex"]
    markdown = (tmp_path / "out" / "notes.md").read_text(encoding="utf-8")
    assert all(f"![Computational graph of E]({name})" in markdown for name in names)
    latex = (tmp_path / "out" / "notes.tex").read_text(encoding="utf-8")
    assert latex.count(r"\begin{tikzpicture}") == 2 and r"\usepackage{tikz}" in latex


def test_html_holds_the_picture_itself(tmp_path: Path) -> None:
    pytest.importorskip("pypandoc", reason="pandoc comes with the extra symderiv[handout]")
    built = read_and_decide(written(tmp_path, DEFINED + fence()))
    html = rendered(built, "html").decode()
    (picture,) = pictures(built).values()
    assert picture.decode().rstrip() in html


def test_documents_without_one_load_nothing_for_it(tmp_path: Path) -> None:
    latex = rendered(read_and_decide(written(tmp_path, DEFINED)), "tex").decode()
    assert "tikz" not in latex and "fitted" not in latex


@pytest.mark.parametrize("times", [1, 12])
def test_pictures_fit_the_page_of_a_pdf(tmp_path: Path, times: int) -> None:
    """A tall one is made smaller, one that fits is not."""
    typst = pytest.importorskip("typst", reason="typst comes with the extra symderiv[handout]")
    pytest.importorskip("pypandoc", reason="pandoc comes with the extra symderiv[handout]")
    layers = [f"W{k}: (n, n)\nh{k + 1} = tanh(W{k} @ h{k})" for k in range(times)]
    block = "\n".join(["```symderiv", "h0: (n,)", *layers, f"f = norm(h{times})**2", "```", ""])
    built = read_and_decide(written(tmp_path, block + fence("wrt: W0")))
    main = tmp_path / "main.typ"
    main.write_text(str(render(built.document, "typ")), encoding="utf-8")
    *_, last = typst.compile(str(main), format="svg") if times > 1 else [typst.compile(str(main), format="svg")]
    scales = {float(number) for number in re.findall(rb"matrix\(([\d.]+) 0", last)}
    assert (min(scales) < 0.8) == (times > 1)


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (["off: E"], "says nothing about a diagram"),
        (["E"], "says nothing about a diagram"),
        (["of:"], "says nothing about a diagram"),
        (["of: E", "of: E"], "stands here twice"),
        (["of: Q"], "no definition 'Q' to draw"),
        (["wrt: D, Q"], "no 'Q' in the diagram"),
    ],
)
def test_what_is_wrong_with_a_fence_is_told_and_fails_the_build(tmp_path: Path, lines: list[str], said: str) -> None:
    built = read_and_decide(written(tmp_path, DEFINED + fence(*lines) + LATER))
    problem = built.document.blocks[1]
    assert isinstance(problem, Problem) and said in problem.message
    assert [r.status for r in built.records].count("unreadable") == 1 and len(built.records) == 2


def test_the_place_of_a_wrong_line() -> None:
    with pytest.raises(SymderivError) as caught:
        Request(12, "of: E\n  what", 0, 0).choices("notes.md")
    assert caught.value.place is not None
    assert caught.value.place.named() == "notes.md, line 13, column 3" and "  what" in str(caught.value)


def test_nothing_to_draw(tmp_path: Path) -> None:
    problem = read_and_decide(written(tmp_path, fence())).document.blocks[0]
    assert isinstance(problem, Problem) and "nothing to draw" in problem.message


def test_without_the_library_the_place_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pygraphviz", None)
    built = read_and_decide(written(tmp_path, DEFINED + fence() + LATER))
    assert all(record.as_expected for record in built.records)
    note = built.document.blocks[1]
    assert isinstance(note, Prose) and "pygraphviz" in note.markdown


@pytest.mark.parametrize("language", ["en", "de", "ja"])
def test_captions_are_in_the_language(tmp_path: Path, language: str) -> None:
    built = read_and_decide(written(tmp_path, f"---\nlanguage: {language}\n---\n" + DEFINED + fence("wrt: W")))
    picture = built.document.blocks[1]
    assert isinstance(picture, DiagramView)
    assert {"en": "made of", "de": "besteht", "ja": "計算グラフ"}[language] in picture.caption
