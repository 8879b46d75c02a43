"""PDF: by the ``typst`` package, or by an installed LaTeX.

Typst brings fonts for European languages. For Japanese it takes a font of the machine, or that of the
Python package ``matplotlib-fontja``, of which nothing but the font is used.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from symderiv.errors import UnsupportedError

if TYPE_CHECKING:
    import typst

_EXTRA = "pip install 'symderiv[handout]'"
_LATIN = ("New Computer Modern",)
# The first of these that is there is used: mincho for text, gothic where European type is bold or slanted.
_MINCHO = (
    "Noto Serif CJK JP",
    "Noto Serif JP",
    "Source Han Serif",
    "Harano Aji Mincho",
    "IPAexMincho",
    "IPAMincho",
    "Hiragino Mincho ProN",
    "BIZ UDMincho",
    "Yu Mincho",
    "MS Mincho",
)
_GOTHIC = (
    "Noto Sans CJK JP",
    "Noto Sans JP",
    "Source Han Sans",
    "Harano Aji Gothic",
    "IPAexGothic",
    "IPAGothic",
    "Hiragino Kaku Gothic ProN",
    "Hiragino Sans",
    "BIZ UDGothic",
    "Yu Gothic",
    "MS Gothic",
)
_CARRIER = "matplotlib_fontja"
_NAMED_FIRST = 3


class MissingFontError(UnsupportedError):
    """No font is installed that has the letters of a document's language."""


def fonts_for(language: str) -> tuple[str, ...]:
    """The fonts of a language's text, first choice first."""
    return _LATIN + _MINCHO + _GOTHIC if language == "ja" else _LATIN


def emphatic_fonts_for(language: str) -> tuple[str, ...]:
    """The fonts for what is stressed, where a language has others for it; none where bold and italic do."""
    return _LATIN + _GOTHIC + _MINCHO if language == "ja" else ()


def font_folders() -> list[Path]:
    """The folders of fonts that come with an installed Python package; the package itself is not imported."""
    spec = find_spec(_CARRIER)
    found = [Path(place) / "fonts" for place in (spec.submodule_search_locations or ())] if spec else []
    return [folder for folder in found if folder.is_dir()]


def by_typst(source: str, language: str) -> bytes:
    """Compile Typst. The program sees an empty folder, and only for Japanese the fonts of the machine.

    Raises :class:`MissingFontError` where Japanese has no font.
    """
    try:
        import typst
    except ImportError as missing:
        raise UnsupportedError("the typst package makes the PDF and is not installed", hint=_EXTRA) from missing
    fonts = _fonts(language)
    if language == "ja" and not {*_MINCHO, *_GOTHIC} & set(fonts.families()):
        raise MissingFontError(
            "no PDF: no Japanese font is installed",
            hint=f"install {', '.join(_MINCHO[:_NAMED_FIRST])} or another, pip install 'symderiv[japanese]', "
            "or take --pdf-engine latex",
        )
    with tempfile.TemporaryDirectory() as folder:
        main = Path(folder) / "main.typ"
        main.write_text(source, encoding="utf-8")
        made = typst.compile(str(main), root=folder, font_paths=fonts, format="pdf")
    return bytes(made)


def families(language: str) -> tuple[str, ...]:
    """Return the fonts that are there for a language, where that is a matter of the machine; none without Typst."""
    if language != "ja" or find_spec("typst") is None:
        return ()
    return tuple(sorted(_fonts(language).families()))


def _fonts(language: str) -> typst.Fonts:
    import typst

    machine = language == "ja"
    return typst.Fonts(include_system_fonts=machine, font_paths=font_folders() if machine else [])


def by_latex(source: str, language: str, own: str = "") -> bytes:
    """Compile LaTeX: no shell, no file outside of the folder it runs in and of the author's own."""
    program = shutil.which(name := "lualatex" if language == "ja" else "pdflatex")
    if program is None:
        raise UnsupportedError(f"{name} is not installed", hint="the format pdf needs no TeX")
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "main.tex").write_text(source, encoding="utf-8")
        command = [program, "-interaction=nonstopmode", "-halt-on-error", "-no-shell-escape", "main.tex"]
        ran = subprocess.run(command, cwd=folder, env=_environment(own), capture_output=True, check=False)
        if ran.returncode:
            raise UnsupportedError(f"{name} refused the document: {_first_error(ran.stdout)}")
        return (Path(folder) / "main.pdf").read_bytes()


def _environment(own: str) -> dict[str, str]:
    """Nothing is read or written elsewhere, and the date in the PDF is always the same."""
    inputs = {"TEXINPUTS": os.pathsep.join([".", str(Path(own).resolve()), ""])} if own else {}
    return (
        os.environ
        | inputs
        | {
            "openin_any": "p",
            "openout_any": "p",
            "SOURCE_DATE_EPOCH": "0",
            "FORCE_SOURCE_DATE": "1",
        }
    )


def _first_error(log: bytes) -> str:
    lines = log.decode("utf-8", "replace").splitlines()
    return next((line for line in lines if line.startswith("!")), "see its log")
