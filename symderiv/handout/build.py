"""Sources to documents: read, decide every claim, write every format.

A file is written aside and then renamed, so that an interrupted run leaves no half of one behind.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

from symderiv.errors import ParseError, SymderivError, UnsupportedError
from symderiv.handout.source import Source, read_source
from symderiv.handout.views import Printer, convention
from symderiv.render.document import pdf_by_latex, render
from symderiv.render.model import Block, Document, Problem, Prose
from symderiv.render.pdf import MissingFontError
from symderiv.sheet import Claim, Sheet
from symderiv.tensor.text import to_text

FORMATS = ("tex", "md", "html", "pdf", "py")
BUILT_IN = "symderiv.handout"
UNCONDITIONAL = ("refuted", "rejected")  # a line that is false has no conditions to hold under


@dataclass(frozen=True)
class Record:
    """What became of one claim of one handout."""

    handout: str
    id: str
    label: str
    status: str
    expected: str
    basis: str
    claim: str
    condition: str = ""
    counterexample: dict[str, Any] | None = None
    correct: str = ""
    neglected: str = ""
    exact: bool | None = None

    @property
    def as_expected(self) -> bool:
        """Tell whether the status is the expected one."""
        return self.status == self.expected

    def as_json(self) -> dict[str, Any]:
        """Return the record as it is printed, empty fields left out."""
        return {k: v for k, v in asdict(self).items() if v not in ("", None) or k == "basis"}


@dataclass(frozen=True)
class Built:
    """A source with its document, its code and the records of its claims."""

    source: Source
    document: Document
    code: str
    records: tuple[Record, ...]


Report = Callable[[Record], None]
Notice = Callable[[str], None]


def built_in() -> list[Path]:
    """Return the sources of the built-in handouts."""
    folder = Path(str(files(BUILT_IN) / "builtin"))
    return sorted(folder.glob("*.md"))


def build(
    sources: Sequence[Path] | None,
    output: Path,
    formats: Sequence[str] = FORMATS,
    *,
    detail: str | None = None,
    language: str | None = None,
    engine: str = "typst",
    report: Report = lambda _: None,
    notice: Notice = lambda _: None,
) -> list[Record]:
    """Build handouts into a folder; return a record for each claim, in order.

    `engine` makes the PDF: typst, or latex where TeX is installed.

    `report` is called with each record as soon as its claim is decided, `notice` with a line on each PDF that
    is left out because no font has the letters of its language.
    """
    for name in formats:
        if name not in FORMATS:
            raise UnsupportedError(f"no format is called {name!r}", hint="known are " + ", ".join(FORMATS))
    records: list[Record] = []
    for path in built_in() if sources is None else sources:
        built = read_and_decide(path, detail=detail, language=language, report=report)
        records += built.records
        output.mkdir(parents=True, exist_ok=True)
        for name in formats:
            try:
                content = rendered(built, name, engine)
            except MissingFontError as err:
                notice(f"{built.source.name}: {err.message}; {err.hint}")
                continue
            write_aside(output / f"{built.source.name}.{name}", content)
    return records


def read_and_decide(
    path: Path, *, detail: str | None = None, language: str | None = None, report: Report = lambda _: None
) -> Built:
    """Return a source with every claim decided."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as err:
        raise ParseError(f"{path} cannot be read: {err}") from None
    source = read_source(text, path)
    return _Builder(source, language or source.language, detail or source.detail, report).run()


def rendered(built: Built, name: str, engine: str = "typst") -> bytes:
    """Return one format of a built handout."""
    if name == "py":
        return built.code.encode()
    if name == "pdf" and engine == "latex":
        return pdf_by_latex(built.document)
    found = render(built.document, name)
    return found if isinstance(found, bytes) else found.encode()


def write_aside(path: Path, content: bytes) -> None:
    """Write a file in one piece: aside first, then renamed."""
    aside = path.with_name(path.name + ".part")
    aside.write_bytes(content)
    aside.replace(path)


class _Builder:
    def __init__(self, source: Source, language: str, detail: str, report: Report) -> None:
        self.source, self.language, self.detail, self.report = source, language, detail, report
        self.blocks: list[Block] = []
        self.records: list[Record] = []
        self.code: list[str] = []
        self.named: set[str] = set()
        self.sheet = Sheet(source=source.path)
        self.claims: list[Claim] = []

    def run(self) -> Built:
        for passage in self.source.passages:
            if passage.kind == "prose":
                self.blocks.append(Prose(passage.text))
                continue
            if passage.fresh:
                self.close_section()
            self.block(passage.text, passage.line)
        self.close_section()
        document = Document(
            self.source.title,
            self.source.author,
            self.language,
            tuple(self.blocks),
            convention(self.language, self.source.convention, self.blocks),
        )
        return Built(self.source, document, module(self.source, self.code), tuple(self.records))

    def printer(self) -> Printer:
        return Printer(self.sheet, self.source.display, self.language, self.detail, self.source.superscript)

    def block(self, text: str, line: int) -> None:
        """Read one block: definitions first, then each claim with its proof; a broken one is shown as such."""
        before = len(self.sheet.statements)
        claims: list[Claim] = []
        problem = None
        try:
            for claim in self.sheet.reading(text, line):
                claims.append(claim)
                self.keep(claim)
        except SymderivError as err:
            problem = err
        printer = self.printer()
        definitions = printer.definitions(self.sheet.statements[before:])
        if definitions is not None:
            self.blocks.append(definitions)
        for c in claims:
            if c.code is None or not c.as_expected:
                self.blocks.append(printer.claim(c))
            if c.code is not None:
                self.blocks.append(printer.code(c))
            if c.table is not None:
                self.blocks.append(printer.table(c))
        self.claims += claims
        if problem is not None:
            self.broken(problem, text, line)

    def broken(self, err: SymderivError, text: str, line: int) -> None:
        """A block that cannot be read: shown in the document, and a record that fails the build."""
        where = err.place.named() if err.place is not None else f"{self.source.path}, line {line}"
        self.blocks.append(Problem(str(err), where))
        record = Record(
            self.source.name, f"line {line}", "", "unreadable", "proved", "", text.strip(), condition=str(err)
        )
        self.records.append(record)
        self.report(record)

    def keep(self, claim: Claim) -> None:
        c = claim.counterexample
        shown = None
        if c is not None:
            shown = {
                "sizes": c.sizes,
                "seed": c.seed,
                "entry": list(c.entry),
                "left": c.left,
                "right": c.right,
                "point": c.point,
            }
        record = Record(
            self.source.name, claim.id, claim.label, claim.status, claim.expected, claim.basis, claim.text,
            condition="; ".join(conditions_of(claim)) if claim.status not in UNCONDITIONAL else "",
            counterexample=shown, correct=claim.correct,
            neglected=to_text(claim.neglected) if claim.neglected is not None else "",
            exact=claim.exact or None,
        )  # fmt: skip
        self.records.append(record)
        self.report(record)

    def close_section(self) -> None:
        """Generate the code of the claims so far, and start afresh."""
        if self.claims:
            self.code += self.printer().functions(self.claims, self.named)
        self.sheet = Sheet(source=self.source.path)
        self.claims = []


def conditions_of(claim: Claim) -> list[str]:
    """Return what a claim neglects, and what it presupposes."""
    neglected = claim.statement.neglected if claim.statement is not None else ()
    return list(map(str, (*neglected, *claim.conditions)))


def module(source: Source, functions: Sequence[str]) -> str:
    """Return the NumPy module of a handout: its functions under one import, what they share once."""
    header = f'"""{source.title}: the derivatives as NumPy functions, generated by symderiv."""\n\nimport numpy as np\n'
    texts = [ast.get_source_segment(text, f) for text in functions for f in ast.parse(text).body]
    return "\n\n".join([header, *(f"{text}\n" for text in dict.fromkeys(texts))])
