"""Fonts of PDFs: Japanese takes one of the machine or of a package, other languages bring their own."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

import pytest

from symderiv.render import pdf
from symderiv.render.document import render
from symderiv.render.model import ClaimView, Document, Line, ProofView, Prose

CLAIM = ClaimView("a", "a", "a = b", "proved", "proved", "kernel", (ProofView((Line("a", "=", "b"),), checked=True),))
ENGLISH = Document("Title", "", "en", (CLAIM,))
JAPANESE = Document("題", "", "ja", (Prose("# 見出し\n\n*文*である。"), CLAIM))


def needs_typst() -> None:
    pytest.importorskip("pypandoc", reason="pandoc comes with the extra symderiv[handout]")
    pytest.importorskip("typst", reason="typst comes with the extra symderiv[handout]")


class FakeFonts:
    """Typst's look at the machine, with families of our choice."""

    seen: ClassVar[list[str]] = []

    def __init__(self, include_system_fonts: bool = True, font_paths: list[Path] | None = None) -> None:
        names = self.seen if include_system_fonts else []
        self.names = [*names, *("IPAexGothic" for folder in font_paths or [])]

    def families(self) -> list[str]:
        return ["New Computer Modern", *self.names]


@pytest.mark.parametrize(
    ("families", "folders", "found"),
    [
        ([], [], False),
        (["Noto Sans Mono", "Droid Sans Fallback"], [], False),
        (["IPAexMincho"], [], True),
        (["Noto Serif CJK JP"], [], True),
        (["Harano Aji Gothic"], [], True),
        ([], ["package"], True),
    ],
)
def test_a_japanese_pdf_is_made_where_a_font_is_found(
    families: list[str], folders: list[str], found: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    needs_typst()
    import typst

    compiled: list[FakeFonts] = []
    monkeypatch.setattr(FakeFonts, "seen", families)
    monkeypatch.setattr(typst, "Fonts", FakeFonts)
    monkeypatch.setattr(typst, "compile", lambda *_, font_paths, **__: compiled.append(font_paths) or b"%PDF-")
    monkeypatch.setattr(pdf, "font_folders", lambda: [tmp_path / name for name in folders])
    if found:
        assert render(JAPANESE, "pdf") == b"%PDF-"
        assert set(families) <= set(compiled[0].families())
    else:
        with pytest.raises(pdf.MissingFontError, match=r"no Japanese font.*\n*.*symderiv\[japanese\]"):
            render(JAPANESE, "pdf")
    assert render(ENGLISH, "pdf") == b"%PDF-"  # English needs no font of the machine
    assert compiled[-1].families() == ["New Computer Modern"]


def test_the_font_of_a_package_is_found_without_importing_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert [folder for folder in pdf.font_folders() if not folder.is_dir()] == []
    package = tmp_path / "matplotlib_fontja"
    (package / "fonts").mkdir(parents=True)
    (package / "__init__.py").write_text("raise ImportError('imported')", encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    assert pdf.font_folders() == [package / "fonts"]


def test_a_japanese_pdf_holds_its_words() -> None:
    needs_typst()
    pymupdf = pytest.importorskip("pymupdf")
    try:
        made = render(JAPANESE, "pdf")
    except pdf.MissingFontError:
        pytest.skip("no Japanese font is installed")
    page = pymupdf.open(stream=made, filetype="pdf")[0]
    assert "見出し" in page.get_text() and "証明済み" in page.get_text()
