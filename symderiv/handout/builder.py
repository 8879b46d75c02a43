"""A source to its document: every block read, every claim decided, and printed as its front matter wants it."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from symderiv import trees
from symderiv.diagrams.layout import MissingLayoutError
from symderiv.errors import ParseError, Place, SymderivError
from symderiv.handout.numbering import Numbering, linked, links
from symderiv.handout.options import SOLUTION
from symderiv.handout.pictures import Request, drawn
from symderiv.handout.source import Passage, Source
from symderiv.handout.symbols import SymbolTable
from symderiv.handout.variants import SUBTITLES, as_variant
from symderiv.handout.views import Printer, convention
from symderiv.render.model import Block, CodeView, Document, Problem, Prose
from symderiv.render.phrases import phrase
from symderiv.sheet import Claim, Sheet
from symderiv.tensor.text import to_text

if TYPE_CHECKING:  # it needs NumPy
    from symderiv.handout.checks import NumericCheck

UNCONDITIONAL = ("refuted", "rejected")  # a line that is false has no conditions to hold under
UNREADABLE = "unreadable"
ROWS_OF_A_TABLE = 30  # a table of more rows is parted, so that pages can end


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


class Builder:
    """Builds one document, passage by passage."""

    def __init__(self, source: Source, report: Report) -> None:
        self.source, self.report = source, report
        self.language = source.language
        self.blocks: list[Block] = []
        self.prose: dict[int, Passage] = {}  # where in the document each passage of prose stands
        self.records: list[Record] = []
        self.code: list[str] = []
        self.named: set[str] = set()
        self.numbering = Numbering(source.numbering)
        self.symbols = SymbolTable(source.meanings, source.language)
        self.numbers: list[tuple[str, NumericCheck | None]] = []
        self.sheet = new_sheet(source)
        self.claims: list[Claim] = []
        self.pictures: list[Request] = []  # of the section
        self.drawn = 0

    def run(self) -> Built:
        """Return the document and what became of each claim."""
        for passage in self.source.passages:
            if passage.kind == "prose":
                self.prose[len(self.blocks)] = passage
                self.blocks.append(Prose(passage.text))
                continue
            if passage.fresh:
                self.close_section()
            if passage.kind == "diagram":
                self.pictures.append(Request(passage.line, passage.text, len(self.sheet.statements), len(self.blocks)))
                self.blocks.append(Prose(""))  # in its place: its section may differentiate in more yet
                continue
            self.block(passage.text, passage.line)
        self.close_section()
        self.link()
        self.check_meanings()
        code = module(self.source, self.code)
        if self.source.variant == SOLUTION:
            self.append(code)
        return Built(self.source, self.document(), code, tuple(self.records))

    def document(self) -> Document:
        source = self.source
        return Document(
            source.title,
            source.author,
            source.language,
            tuple(self.blocks),
            convention(source.language, source.convention, self.blocks, source.layout),
            self.symbols.rows() if source.symbols else (),
            SUBTITLES.get(source.variant, ""),
            source.tex,
        )

    def printer(self) -> Printer:
        s = self.source
        return Printer(self.sheet, s.display, s.language, s.detail, s.superscript, s.layout, s.indices)

    # -- blocks

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
        statements = self.sheet.statements[before:]
        self.symbols.add(statements, printer.introduced())
        definitions = printer.definitions(statements)
        if definitions is not None:
            self.blocks.append(definitions)
        for c in claims:
            if c.code is None or not c.as_expected:
                self.show(self.numbering.numbered(printer.claim(c)))
            if c.code is not None:
                self.show(printer.code(c))
            if c.table is not None:
                self.blocks.append(printer.table(c))
            if self.source.checks:
                self.numbers.append((c.label or c.id, self.number(c)))
        self.claims += claims
        if problem is not None:
            self.broken(problem, text, line)

    def number(self, claim: Claim) -> NumericCheck | None:
        """Return the numeric check of a claim."""
        from symderiv.handout.checks import checked

        return checked(claim, self.sheet.names)

    def show(self, block: Block) -> None:
        self.blocks.append(as_variant(block, self.source.variant, self.language))

    def broken(self, err: SymderivError, text: str, line: int) -> None:
        """A block that cannot be read: shown in the document, and a record that fails the build."""
        self.blocks.append(self.problem(err, line))
        self.fault(err, text.strip(), line)

    def problem(self, err: SymderivError, line: int) -> Problem:
        """Return what stands in the document in the place of what cannot be read."""
        at = err.place or Place("", line=line, source=self.source.path)
        lines = at.text.split("\n")
        shapes = [f"{name}: shape {shape}" for name, shape in err.shapes.items()]
        message = "; ".join([err.message, *shapes])
        return Problem(message, at.named(), lines[min(at.line, len(lines)) - 1], err.hint)

    def fault(self, err: SymderivError, text: str, line: int) -> None:
        record = Record(
            self.source.name, f"line {line}", "", UNREADABLE, "proved", "", text, condition=str(err)
        )  # fmt: skip
        self.records.append(record)
        self.report(record)

    def keep(self, claim: Claim) -> None:
        """Record what became of a claim."""
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
        for request in self.pictures:
            self.draw(request)
        self.sheet = new_sheet(self.source)
        self.claims, self.pictures = [], []
        self.numbering.start_afresh()

    def draw(self, request: Request) -> None:
        """Put a diagram into its place."""
        self.drawn += 1
        file = f"{self.source.file_name}-diagram-{self.drawn}.svg"
        block: Block
        try:
            block = drawn(request, self.sheet, self.printer().latex(), self.language, file)
        except MissingLayoutError:
            block = Prose(f"*{self.words('diagram_missing')}*")
        except SymderivError as err:
            block = self.problem(err, request.line)
            self.fault(err, request.text.strip(), request.line)
        self.blocks[request.place] = block

    # -- what can be done only when all claims are known

    def link(self) -> None:
        """Put the numbers of claims into the prose; a link that leads nowhere, or to two claims, is a fault."""
        known = {label: shown[0] for label, shown in self.numbering.shown.items()}
        for place, passage in sorted(self.prose.items(), reverse=True):
            self.blocks[place] = Prose(linked(passage.text, known))
            for line, column, target in reversed(list(links(passage.text))):
                count = len(self.numbering.shown.get(target, ()))
                if count == 1:
                    continue
                said = f"no claim is called {target!r}" if not count else f"{count} claims are called {target!r}"
                at = Place(self.source.text, column, line=passage.line + line, source=self.source.path)
                hint = "a link begins with # and the label of a claim: [](#L2)"
                err = ParseError(said, place=at, hint=hint)
                self.blocks.insert(place + 1, self.problem(err, at.line))
                self.fault(err, passage.text.split("\n")[line], at.line)

    def check_meanings(self) -> None:
        """Refuse a meaning of a symbol that is none."""
        for name in self.source.meanings:
            if name not in self.symbols.known:
                at = self.place_of_meaning(name)
                self.fault(ParseError(f"no symbol is called {name!r}", place=at), name, at.line)

    def place_of_meaning(self, name: str) -> Place:
        """Return where the front matter says what a symbol means."""
        text = self.source.text
        start = text.index("symbols")
        found = re.compile(rf"[\s{{,\"']({re.escape(name)})[\"']?\s*:").search(text, start)
        at = found.start(1) if found else start
        before = text[:at]
        return Place(text, at - before.rfind("\n") - 1, line=before.count("\n") + 1, source=self.source.path)

    def append(self, code: str) -> None:
        """Add the parts that stand at the end: numeric checks, the generated code."""
        if self.numbers:
            head = f"# {self.words('checks')}\n\n{self.words('checks_text')}"
            self.blocks += [Prose(head), *map(Prose, self.tables())]
        if self.source.appendix and self.code:
            self.blocks += [Prose(f"# {self.words('appendix')}"), CodeView(code)]

    def tables(self) -> list[str]:
        """Return the numeric checks as tables in Markdown."""
        keys = ("claim", "sizes", "seed", "largest_difference")
        head = [(word := self.words(key))[:1].upper() + word[1:] for key in keys]
        rows = [[_cell(label), *self.row(found)] for label, found in self.numbers]
        parts = [rows[k : k + ROWS_OF_A_TABLE] for k in range(0, len(rows), ROWS_OF_A_TABLE)]
        return ["\n".join(f"| {' | '.join(row)} |" for row in [head, ["---"] * 4, *part]) for part in parts]

    def row(self, found: NumericCheck | None) -> list[str]:
        if found is None:
            return ["", "", self.words("not_checked")]
        latex = self.printer().latex()
        sizes = ",\\, ".join(f"{latex.name(name)} = {value}" for name, value in found.sizes.items())
        return [f"${sizes}$" if sizes else "", str(found.seed), scientific(found.difference)]

    def words(self, key: str) -> str:
        return phrase(self.language, key)


def new_sheet(source: Source) -> Sheet:
    """Return a sheet that reads names in LaTeX as the source has them printed."""
    sheet = Sheet(source=source.path)
    sheet.names.display.update(source.display)
    return sheet


def scientific(value: float) -> str:
    r"""Return a number as `$2.2\cdot 10^{-16}$`.

    >>> scientific(2.2e-16), scientific(0.0)
    ('$2.2\\cdot 10^{-16}$', '$0$')
    """
    if value == 0:
        return "$0$"
    digits, _, power = f"{value:.1e}".partition("e")
    return rf"${digits}\cdot 10^{{{int(power)}}}$" if power else r"$\infty$"


def _cell(text: str) -> str:
    """Return a label in which nothing is Markdown."""
    return re.sub(r"([\\`*_\[\]<>#|$~&])", r"\\\1", " ".join(text.split()))


def conditions_of(claim: Claim) -> list[str]:
    """Return what a claim neglects, and what it presupposes."""
    neglected = claim.statement.neglected if claim.statement is not None else ()
    return list(map(str, (*neglected, *claim.conditions)))


def module(source: Source, functions: Sequence[str]) -> str:
    """Return the NumPy module of a handout: its functions under one import, what they share once."""
    shown = "".join(c for c in source.title if c.isprintable())
    title = shown.replace("\\", "\\\\").replace('"', '\\"')
    header = f'"""{title}: the derivatives as NumPy functions, generated by symderiv."""\n\nimport numpy as np\n'
    texts = [ast.get_source_segment(text, f) for text in functions for f in trees.module(text).body]
    return "\n\n".join([header, *(f"{text}\n" for text in dict.fromkeys(texts))])
