"""Sources to documents: read, decide every claim, write every format; what is up to date is left as it is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib.resources import files
from pathlib import Path

from symderiv.aside import write_aside
from symderiv.errors import ParseError, UnsupportedError
from symderiv.handout.builder import Builder, Built, Record, Report, module
from symderiv.handout.options import SOLUTION
from symderiv.handout.reuse import Kept, Made, digest_of, made_of
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
Reused = Callable[[str, Sequence[Record]], None]


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
    kept: Kept | None = None,
    reused: Reused = lambda _name, _records: None,
    **chosen: str | None,
) -> list[Record]:
    """Build handouts into a folder; return a record for each claim, in order.

    `engine` makes the PDF: typst, or latex where TeX is installed. `templates` is a folder of one's own templates.
    `chosen` are the options that stand in front matter too (`detail`, `language`, `variant`, `layout`,
    `numbering`), and come before what it says.

    `report` is called with each record as soon as its claim is decided, `notice` with a line on each PDF that
    is left out because no font has the letters of its language. The module of NumPy functions belongs to the
    solution: exercises and hints have none.

    `kept` knows what the folder has (:mod:`symderiv.handout.reuse`): a document that is up to date is not made again,
    and `reused` is called with its name and its records. Without it every document is made.
    """
    for name in formats:
        if name not in FORMATS:
            raise UnsupportedError(f"no format is called {name!r}", hint="known are " + ", ".join(FORMATS))
    if templates is not None:
        checked_folder(templates)
    records: list[Record] = []
    for path in built_in(chosen.get("language")) if sources is None else sources:
        source = read(path).with_options(**chosen)
        if "pdf" in formats and engine == "typst" and _wants_latex(source, templates):
            notice(f"{source.name}: {WITHOUT_LATEX}")
        of = made_of(source, templates, engine) if kept else ""
        made = kept.current(source.file_name, of, formats) if kept else None
        if made is not None:
            reused(source.name, made.records)
        else:
            made = make(source, of, output, formats, engine, templates, report)
            if kept:
                kept.keep(source.file_name, made, engine)
        for name in (name for name in formats if name in made.notices):
            notice(f"{source.name}: {made.notices[name]}")
        records += made.records
    return records


def make(
    source: Source, of: str, output: Path, formats: Sequence[str], engine: str, templates: Path | None, report: Report
) -> Made:
    """Decide one handout and write it; `of` is the digest of what it is made of."""
    output.mkdir(parents=True, exist_ok=True)
    built = decided(source, templates, report)
    made = Made(of, list(built.records))
    for name in formats:
        write_format(built, output, name, engine, templates, made)
    return made


def write_format(built: Built, output: Path, name: str, engine: str, templates: Path | None, made: Made) -> None:
    """Write one format of a handout into a folder, and note the files, or why there is none."""
    made.written[name] = {}
    if name == "py" and built.source.variant != SOLUTION:
        return
    try:
        content = rendered(built, name, engine, templates)
    except MissingFontError as err:
        made.notices[name] = f"{err.message}; {err.hint}"
        return
    for file, data in {
        f"{built.source.file_name}.{name}": content,
        **(pictures(built) if name == "md" else {}),
    }.items():
        write_aside(output / file, data)
        made.written[name][file] = digest_of(data)


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
    return decided(read(path).with_options(**chosen), templates, report)


def decided(source: Source, templates: Path | None, report: Report) -> Built:
    """Return what was read with every claim decided."""
    with more_phrases(templates):
        return Builder(source, report).run()


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


__all__ = [
    "BUILT_IN", "FORMATS", "Built", "Kept", "Record", "build", "built_in", "module", "pictures", "read",
    "read_and_decide", "rendered", "shared_files", "write_fragment",
]  # fmt: skip
