"""Sources to documents: read, decide every claim, write every format.

A file is written aside and then renamed, so that an interrupted run leaves no half of one behind.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib.resources import files
from pathlib import Path

from symderiv.errors import ParseError, UnsupportedError
from symderiv.handout.builder import Builder, Built, Record, Report, module
from symderiv.handout.options import SOLUTION
from symderiv.handout.source import Source, read_source
from symderiv.render.document import fragment, pdf_by_latex, render
from symderiv.render.model import ClaimView, DiagramView
from symderiv.render.pdf import MissingFontError
from symderiv.render.phrases import more_phrases
from symderiv.render.templates import checked_folder

FORMATS = ("tex", "md", "html", "pdf", "py")
BUILT_IN = "symderiv.handout"

WITHOUT_LATEX = (
    "the PDF is set by Typst, without your LaTeX class, preamble or templates; --pdf-engine latex takes them"
)

Notice = Callable[[str], None]


def built_in(language: str | None = None) -> list[Path]:
    """Return the sources of the built-in handouts; of a language, with those that it has no translation of."""
    folder = Path(str(files(BUILT_IN) / "builtin"))
    paths = sorted(folder.glob("*.md"))
    if language is None:
        return paths
    sources = [read(path) for path in paths]
    found = []
    for original in (s for s in sources if not s.translates):
        family = [s for s in sources if original.name in (s.name, s.translates)]
        found.append(next((s for s in family if s.language == language), original).name)
    return [path for path in paths if path.stem in found]


def build(
    sources: Sequence[Path] | None,
    output: Path,
    formats: Sequence[str] = FORMATS,
    *,
    engine: str = "typst",
    templates: Path | None = None,
    report: Report = lambda _: None,
    notice: Notice = lambda _: None,
    **chosen: str | None,
) -> list[Record]:
    """Build handouts into a folder; return a record for each claim, in order.

    `engine` makes the PDF: typst, or latex where TeX is installed. `templates` is a folder of one's own templates.
    `chosen` are the options that stand in front matter too (`detail`, `language`, `variant`, `layout`,
    `numbering`), and come before what it says.

    `report` is called with each record as soon as its claim is decided, `notice` with a line on each PDF that
    is left out because no font has the letters of its language. The module of NumPy functions belongs to the
    solution: exercises and hints have none.
    """
    for name in formats:
        if name not in FORMATS:
            raise UnsupportedError(f"no format is called {name!r}", hint="known are " + ", ".join(FORMATS))
    records: list[Record] = []
    for path in built_in(chosen.get("language")) if sources is None else sources:
        built = read_and_decide(path, templates=templates, report=report, **chosen)
        records += built.records
        output.mkdir(parents=True, exist_ok=True)
        if "pdf" in formats and engine == "typst" and _wants_latex(built.source, templates):
            notice(f"{built.source.name}: {WITHOUT_LATEX}")
        for name in formats:
            if name == "py" and built.source.variant != SOLUTION:
                continue
            try:
                content = rendered(built, name, engine, templates)
            except MissingFontError as err:
                notice(f"{built.source.name}: {err.message}; {err.hint}")
                continue
            write_aside(output / f"{built.source.file_name}.{name}", content)
            for file, picture in pictures(built).items() if name == "md" else ():
                write_aside(output / file, picture)
    return records


def _wants_latex(source: Source, templates: Path | None) -> bool:
    """Tell whether somebody has said how LaTeX is to be set, and nothing of Typst."""
    own = {path.suffix for path in templates.glob("*.*")} if templates is not None else set()
    return bool(source.tex.name or source.tex.preamble) or (".tex" in own and ".typ" not in own)


def read(path: Path) -> Source:
    """Return a source as read."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as err:
        raise ParseError(f"{path} cannot be read: {err}") from None
    return read_source(text, path)


def read_and_decide(
    path: Path, *, templates: Path | None = None, report: Report = lambda _: None, **chosen: str | None
) -> Built:
    """Return a source with every claim decided."""
    if templates is not None:
        checked_folder(templates)
    with more_phrases(templates):
        return Builder(read(path).with_options(**chosen), report).run()


def shared_files(sources: Sequence[Path], templates: Path | None = None) -> list[Path]:
    """Return what sources are made of besides themselves: a folder of templates, preambles."""
    found = [] if templates is None else [checked_folder(templates)]
    for path in sources:
        try:
            found += filter(None, [read(path).preamble])
        except ParseError:
            continue  # it is said when it is built
    return found


def rendered(built: Built, name: str, engine: str = "typst", templates: Path | None = None) -> bytes:
    """Return one format of a built handout."""
    if name == "py":
        return built.code.encode()
    if name == "pdf" and engine == "latex":
        return pdf_by_latex(built.document, templates=templates)
    found = render(built.document, name, templates=templates)
    return found if isinstance(found, bytes) else found.encode()


def pictures(built: Built) -> dict[str, bytes]:
    """Return the pictures that a handout in Markdown names, by their files, which stand beside it."""
    return {block.file: block.svg.encode() for block in built.document.blocks if isinstance(block, DiagramView)}


def write_fragment(built: Built, label: str, path: Path, *, templates: Path | None = None) -> None:
    r"""Write one claim with its proof as LaTeX for `\\input`."""
    claims = [block for block in built.document.blocks if isinstance(block, ClaimView)]
    found = [claim for claim in claims if label in (claim.id, claim.label)]
    if len(found) != 1:
        said = f"no claim is called {label!r}" if not found else f"{len(found)} claims are called {label!r}"
        raise UnsupportedError(said, hint=f"there are {', '.join(claim.id for claim in claims) or 'no claims'}")
    path.parent.mkdir(parents=True, exist_ok=True)
    write_aside(path, fragment(built.document, found[0], templates=templates).encode())


def write_aside(path: Path, content: bytes) -> None:
    """Write a file in one piece: aside first, then renamed; what was begun is taken away where that fails."""
    aside = path.with_name(path.name + ".part")
    try:
        aside.write_bytes(content)
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)


__all__ = [
    "BUILT_IN", "FORMATS", "Built", "Record", "build", "built_in", "module", "pictures", "read", "read_and_decide",
    "rendered", "shared_files", "write_aside", "write_fragment",
]  # fmt: skip
