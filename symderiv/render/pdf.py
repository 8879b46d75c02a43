"""PDF: by the ``typst`` package, or by an installed LaTeX."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from symderiv.errors import UnsupportedError

_EXTRA = "pip install 'symderiv[handout]'"
_LATIN = ("New Computer Modern",)
# Typst ships no Japanese letters; the first of these that the machine has is used.
_JAPANESE = (
    "Noto Serif CJK JP",
    "Noto Serif JP",
    "Harano Aji Mincho",
    "IPAexMincho",
    "IPAMincho",
    "Hiragino Mincho ProN",
    "Yu Mincho",
    "MS Mincho",
    "Noto Sans CJK JP",
)


def fonts_for(language: str) -> tuple[str, ...]:
    """The fonts of a language, first choice first."""
    return _LATIN + _JAPANESE if language == "ja" else _LATIN


def by_typst(source: str, language: str) -> bytes:
    """Compile Typst. The program sees an empty folder, and only for Japanese the fonts of the machine."""
    try:
        import typst
    except ImportError as missing:
        raise UnsupportedError("the typst package makes the PDF and is not installed", hint=_EXTRA) from missing
    if language == "ja" and not set(_JAPANESE) & set(typst.Fonts().families()):
        raise UnsupportedError("no Japanese font is installed", hint=f"install one of {', '.join(_JAPANESE)}")
    with tempfile.TemporaryDirectory() as folder:
        main = Path(folder) / "main.typ"
        main.write_text(source, encoding="utf-8")
        made = typst.compile(str(main), root=folder, ignore_system_fonts=language != "ja", format="pdf")
    return bytes(made)


def by_latex(source: str, language: str) -> bytes:
    """Compile LaTeX: no shell, no file outside of the folder it runs in."""
    program = shutil.which(name := "lualatex" if language == "ja" else "pdflatex")
    if program is None:
        raise UnsupportedError(f"{name} is not installed", hint="the format pdf needs no TeX")
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "main.tex").write_text(source, encoding="utf-8")
        command = [program, "-interaction=nonstopmode", "-halt-on-error", "-no-shell-escape", "main.tex"]
        ran = subprocess.run(command, cwd=folder, env=_environment(), capture_output=True, check=False)
        if ran.returncode:
            raise UnsupportedError(f"{name} refused the document: {_first_error(ran.stdout)}")
        return (Path(folder) / "main.pdf").read_bytes()


def _environment() -> dict[str, str]:
    """Nothing is read or written elsewhere, and the date in the PDF is always the same."""
    return os.environ | {
        "openin_any": "p",
        "openout_any": "p",
        "SOURCE_DATE_EPOCH": "0",
        "FORCE_SOURCE_DATE": "1",
    }


def _first_error(log: bytes) -> str:
    lines = log.decode("utf-8", "replace").splitlines()
    return next((line for line in lines if line.startswith("!")), "see its log")
