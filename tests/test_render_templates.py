"""Somebody's own templates: before ours, file by file, in a sandbox, with their faults explained."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from symderiv import ParseError, SymderivError, UnsupportedError
from symderiv.render.document import fragment, pdf_by_latex, render
from symderiv.render.model import ClaimView, Document, Line, ProofView, Prose, TexClass
from symderiv.render.templates import checked_folder, names

CLAIM = ClaimView(
    "L1", "L1", "f = g", "proved", "proved", "kernel", (ProofView((Line("f", "=", "g", "by $h$"),), checked=True),)
)


def document(**more):
    return Document("Title", "N. N.", "en", (Prose("# Head\n\ntext"), CLAIM), "the convention", **more)


@pytest.fixture
def folder(tmp_path):
    def write(**files: str) -> Path:
        for name, text in files.items():
            path = tmp_path / name.replace("__", "/").replace("_", ".")
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8")
        return tmp_path

    return write


# --- one's own before ours ------------------------------------------------------------------------


def test_one_file_stands_in_for_one(folder):
    own = folder(claim_md="My claim << block.label >>.\n")
    page = render(document(), "md", templates=own)
    assert "My claim L1." in page and "# Title" in page and "the convention" in page
    assert render(document(), "tex", templates=own) == render(document(), "tex")


@pytest.mark.parametrize("block", ["class", "packages", "layout", "preamble", "title", "convention", "symbols", "body"])
def test_a_block_of_ours_can_be_replaced(folder, block):
    own = folder(document_tex=f'<% extends "symderiv/document.tex" %>\n<% block {block} %>\n% mine\n<% endblock %>\n')
    page, plain = (render(document(), "tex", templates=t) for t in (own, None))
    assert "% mine" in page and "\\begin{document}" in page
    gone = [line for line in plain.splitlines() if line and line not in page.splitlines()]
    assert gone or block == "preamble" or block == "symbols"


def test_a_template_may_include_its_own_files(folder):
    own = folder(document_md='<% include "head.md" %>', head_md="<< title >> of mine\n")
    assert render(document(), "md", templates=own) == "Title of mine\n"


def test_the_style_of_the_pages_can_be_replaced(folder):
    pytest.importorskip("pypandoc", reason="pandoc comes with the extra symderiv[handout]")
    assert "body { color: teal; }" in render(document(), "html", templates=folder(style_css="body { color: teal; }"))


# --- faults ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("a\n<< titel >>", 2, "'titel' is undefined"),
        ("a\n\n<% if %>", 3, "Expected an expression"),
        ("<% for block in blocks %>\n<< block.label >>\n<% endfor %>", 2, "has no attribute 'label'"),
        ('<% include "none.md" %>', 1, "none.md"),
        ("<< 1 / 0 >>", 1, "division by zero"),
        ("a\n<< title.__class__.__mro__ >>", 2, "unsafe"),
        ("<< words.__globals__ >>", 1, "unsafe"),
        ("<< words('no_such_phrase') >>", 1, "no_such_phrase"),
        ("<< blocks.append(1) >>", 1, "unsafe"),
        ("<< range(10**9) | list >>", 1, "Range too big"),
        ('<% extends "document.md" %>', 1, "recursion"),
    ],
)
def test_a_fault_is_shown_with_its_place(folder, text, line, said):
    own = folder(document_md=text)
    with pytest.raises(ParseError, match=said) as refused:
        render(document(), "md", templates=own)
    place = refused.value.place
    assert place is not None and (place.source, place.line) == (str(own / "document.md"), line)
    assert text.splitlines()[line - 1].strip() in str(refused.value)


def test_a_fault_in_an_included_file_is_shown_there(folder):
    own = folder(claim_md="a\n<< block.labels >>")
    with pytest.raises(ParseError) as refused:
        render(document(), "md", templates=own)
    assert f"{own / 'claim.md'}, line 2" in str(refused.value)


def test_a_folder_must_be_one_of_templates(tmp_path):
    with pytest.raises(UnsupportedError, match="there is no folder"):
        checked_folder(tmp_path / "none")
    (tmp_path / "documnet.tex").write_text("")
    with pytest.raises(UnsupportedError, match="no file in") as refused:
        checked_folder(tmp_path)
    assert "document.tex" in refused.value.hint
    (tmp_path / "phrases").mkdir()
    assert checked_folder(tmp_path) == tmp_path


def test_every_template_can_be_replaced():
    assert {f"{kind}.{fmt}" for kind in ("document", "claim") for fmt in ("tex", "md", "html", "typ")} <= set(names())


# --- a class and a preamble of one's own ----------------------------------------------------------


def test_a_class_keeps_its_own_layout():
    page = render(document(tex=TexClass("scrartcl", ("12pt", "a5paper"), r"\newcommand{\mine}{1}")), "tex")
    assert r"\documentclass[12pt,a5paper]{scrartcl}" in page and r"\newcommand{\mine}{1}" in page
    assert "geometry" not in page and "parindent" not in page and r"\maketitle" in page
    assert page.index(r"\newcommand{\mine}") < page.index(r"\begin{document}")


def test_lines_are_broken_for_the_width_of_the_page():
    wide = Line("f", "=", " + ".join(f"a_{{{k}}}" for k in range(24)))
    long = Document(
        "T", "", "en", (ClaimView("a", "a", "f = g", "proved", "proved", "kernel", (ProofView((wide,), True),)),)
    )
    narrow = Document(long.title, "", "en", long.blocks, tex=TexClass(width=20.0))
    assert render(narrow, "tex").count(r"&\qquad") > render(long, "tex").count(r"&\qquad")


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="pdflatex is not installed")
def test_a_class_and_a_package_beside_the_source_are_found(tmp_path):
    (tmp_path / "lecture.cls").write_text(
        "\\NeedsTeXFormat{LaTeX2e}\\ProvidesClass{lecture}\\LoadClass[11pt]{article}\n"
        "\\RequirePackage[margin=3cm]{geometry}\\newcommand{\\course}{Course}\n"
    )
    (tmp_path / "marks.sty").write_text("\\ProvidesPackage{marks}\\newcommand{\\marked}{*}\n")
    own = TexClass("lecture", (), "\\usepackage{marks}\n\\title{\\course\\marked}", 36.0, str(tmp_path))
    assert pdf_by_latex(document(tex=own)).startswith(b"%PDF-")
    with pytest.raises(SymderivError, match=r"lecture\.cls"):
        pdf_by_latex(document(tex=TexClass("lecture")))


# --- a fragment for a paper -----------------------------------------------------------------------


def test_a_fragment_names_what_it_needs():
    text = fragment(document(), CLAIM)
    assert text.splitlines()[:3] == [
        r"% Claim L1, derived and checked by symderiv; to be \input into a document.",
        r"% Needs \usepackage{amsmath} for align*, \text.",
        r"% Needs \usepackage{amssymb} for \square.",
    ]
    assert r"\documentclass" not in text and "the convention" not in text and "Title" not in text


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="pdflatex is not installed")
def test_a_fragment_goes_into_a_paper_with_what_it_names(tmp_path):
    text = fragment(document(), CLAIM)
    needs = [line[len("% Needs ") :].split(" for ")[0] for line in text.splitlines() if line.startswith("% Needs")]
    (tmp_path / "l1.tex").write_text(text, encoding="utf-8")
    paper = ["\\documentclass{article}", *needs, "\\begin{document}", "\\input{l1}", "\\end{document}"]
    (tmp_path / "main.tex").write_text("\n".join(paper))
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "-no-shell-escape", "main.tex"]
    ran = subprocess.run(command, cwd=tmp_path, capture_output=True, check=False)
    assert ran.returncode == 0, ran.stdout[-1500:]
