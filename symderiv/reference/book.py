"""The guide and the reference as one HTML page: nothing on it comes from the network.

The pages of the guide, then the rules, functions and operations, from the same data as `symderiv explain` and
`symderiv functions`.  Mathematics is MathML, as in handouts.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Any

from symderiv.errors import ParseError, Place
from symderiv.reference.examples import Computed
from symderiv.reference.guide import GuidePage, guide, slug
from symderiv.reference.pages import Page, pages
from symderiv.reference.tables import Row, functions, operations
from symderiv.render.convert import Formula, to_mathml
from symderiv.render.html import HtmlWriter
from symderiv.render.templates import checked_folder, fill, math_font

TEMPLATE = "guide.html"
TITLE = "symderiv: guide and reference"
SHORT = 30  # characters of code that is kept on one line
LONGEST_RESULT = 72  # characters of the derivative of an example; a longer one is left out
RULES, FUNCTIONS, OPERATIONS = "rules", "functions", "operations"
REFERENCE = {RULES: "Rules of proofs", FUNCTIONS: "Functions", OPERATIONS: "Operations"}

_PROMPT = re.compile(r"(>>>|\.\.\.)( |$)(.*)")
_BRACES = r"\{((?:[^{}]|\{[^{}]*\})*)\}"


@dataclass
class Entry:
    """A line of the table of contents."""

    number: str
    title: str
    anchor: str
    below: list[Entry] = field(default_factory=list)


def book(templates: Path | None = None, folder: Path | None = None) -> str:
    """Return the page; ``folder`` holds other pages than ours."""
    if templates is not None:
        checked_folder(templates)
    texts, rules, known = guide(folder), pages(), operations()
    examples = {page.name: page.computed() for page in rules}
    wanted: list[Formula] = []

    def note(formula: Formula) -> str:
        wanted.append(formula)
        return ""

    def view(convert: Callable[[Formula], str | None]) -> dict[str, Any]:
        return _view(convert, texts, rules, examples, known)

    view(note)  # only to learn which formulas there are, so that one run converts them all
    found = view(to_mathml(wanted).get)
    return fill(TEMPLATE, found | {"font": math_font(templates)}, templates)


def _view(
    convert: Callable[[Formula], str | None],
    texts: Sequence[GuidePage],
    rules: Sequence[Page],
    examples: dict[str, Computed | None],
    known: Sequence[Row],
) -> dict[str, Any]:
    """Return what the template sees."""
    plain = HtmlWriter(convert)
    targets = _targets(texts, rules)
    contents: list[Entry] = []
    chapters = []
    for number, page in enumerate(texts, 1):
        writer = PageWriter(convert, page, number, targets)
        body = writer.prose(page.text)
        contents.append(writer.entry)
        chapters.append({"number": number, "anchor": page.name, "title": writer.title(page.title), "body": body})
    numbers = {}
    for number, (anchor, title) in enumerate(REFERENCE.items(), len(texts) + 1):
        contents.append(Entry(str(number), title, anchor))
        numbers[anchor] = number
    grouped = [(name, list(group)) for name, group in groupby(rules, key=lambda page: page.group)]
    contents[len(texts)].below = [
        Entry(f"{numbers[RULES]}.{n}", name.capitalize(), f"{RULES}-{slug(name)}")
        for n, (name, _) in enumerate(grouped, 1)
    ]
    return {
        "title": TITLE,
        "language": "en",
        "contents": contents,
        "chapters": chapters,
        "numbers": numbers,
        "names": REFERENCE,
        "groups": [
            {"heading": entry, "rules": [_rule(plain, page, examples[page.name]) for page in group]}
            for entry, (_, group) in zip(contents[len(texts)].below, grouped, strict=True)
        ],
        "functions": [_function(plain, f) for f in functions()],
        "operations": [_operation(plain, row) for row in known],
    }


def _targets(texts: Sequence[GuidePage], rules: Sequence[Page]) -> frozenset[str]:
    """Return every place that a page may link to."""
    sections = {f"{page.name}-{slug(title)}" for page in texts for title in page.sections}
    return frozenset({*(page.name for page in texts), *sections, *REFERENCE, *(f"rule-{slug(r.name)}" for r in rules)})


class PageWriter(HtmlWriter):
    """Writes one page of the guide: its sections numbered, its examples marked, its links within the whole."""

    def __init__(
        self, convert: Callable[[Formula], str | None], page: GuidePage, number: int, targets: frozenset[str]
    ) -> None:
        super().__init__(convert)
        self._page, self.targets = page, targets
        self.entry = Entry(str(number), self.title(page.title), page.name)
        self._titles = iter(page.sections)

    def title(self, markdown: str) -> str:
        """Return a title, which may hold code."""
        return re.sub(r"`([^`]*)`", r"<code>\1</code>", self.words(markdown))

    def heading(self, level: int, content: str) -> str:
        if level != 2:
            return super().heading(level + 1, content)
        anchor = f"{self._page.name}-{slug(next(self._titles))}"
        entry = Entry(f"{self.entry.number}.{len(self.entry.below) + 1}", content, anchor)
        self.entry.below.append(entry)
        place = self.words(anchor)
        return f'<h3 id="{place}"><a class="place" href="#{place}">{entry.number}</a> {content}</h3>'

    def code(self, source: str) -> str:
        return f"<pre><code>{session(self, source)}</code></pre>"

    def verbatim(self, source: str) -> str:
        kept = ' class="short"' if len(source) <= SHORT else ""
        return f"<code{kept}>{self.words(source)}</code>"

    def _linked(self, address: str, content: str) -> str:
        if re.match(r"https?://", address):
            return self.link(address, content)
        file, _, place = address.partition("#")
        name = file.removesuffix(".md") or self._page.name
        target = f"{name}-{place}" if place else name
        if target not in self.targets:
            at = Place(self._page.text, source=f"{self._page.name}.md")
            raise ParseError(f"the link {address} leads nowhere", place=at)
        return self.reference(target, content)


def session(writer: HtmlWriter, source: str) -> str:
    r"""Return code with what was typed set off from what was answered, where it is a session.

    >>> print(session(HtmlWriter(lambda _: None), ">>> print(1)  # doctest: +SKIP\n1\n"))
    <span class="prompt">&gt;&gt;&gt; </span>print(1)
    <span class="answer">1</span>
    """
    lines = source.rstrip().splitlines()
    if lines and lines[0].startswith("$ "):
        return "\n".join(_shell(writer, lines))
    if not any(line.startswith(">>>") for line in lines):
        return writer.words("\n".join(lines))
    return "\n".join(_line(writer, line) for line in lines)


def _shell(writer: HtmlWriter, lines: Sequence[str]) -> Iterator[str]:
    """Yield the lines of a session in a terminal; a command goes on below a backslash."""
    for before, line in zip(["", *lines], lines, strict=False):
        if line.startswith("$ "):
            yield f'<span class="prompt">$ </span>{writer.words(line[2:])}'
        elif before.endswith("\\") or not line:
            yield writer.words(line)
        else:
            yield f'<span class="answer">{writer.words(line)}</span>'


def _line(writer: HtmlWriter, line: str) -> str:
    prompt = _PROMPT.fullmatch(line)
    if prompt is None:
        return f'<span class="answer">{writer.words(line)}</span>' if line and line != "<BLANKLINE>" else ""
    typed = re.sub(r"\s*# doctest:.*", "", prompt[3])
    return f'<span class="prompt">{writer.words(prompt[1] + prompt[2])}</span>{writer.words(typed)}'


# --- the reference ------------------------------------------------------------------------------------------------


def _rule(writer: HtmlWriter, page: Page, example: Computed | None) -> dict[str, Any]:
    shown: dict[str, Any] | None = None
    if example is not None:
        brief = example.result if len(example.result) <= LONGEST_RESULT else ""
        shown = {
            "statements": writer.code("\n".join(example.statements)),
            "step": writer.display(f"{example.before} = {example.after}"),
            "result": writer.verbatim(brief) if brief else "",
        }
    return {
        "name": writer.words(page.name),
        "anchor": f"rule-{slug(page.name)}",
        "statement": [marked(writer, paragraph) for paragraph in page.statement.split("\n\n")],
        "proof": marked(writer, _sentence(page.proof)),
        "source": marked(writer, _sentence(page.source)),
        "example": shown,
    }


def _sentence(text: str) -> str:
    """Return a text with a capital at its head, unless a formula stands there.

    >>> _sentence("by definition."), _sentence("δ is 0."), _sentence("`f g = g f`.")
    ('By definition.', 'δ is 0.', '`f g = g f`.')
    """
    head = re.match(r"[a-z]{2,}|a\b", text)
    return text[:1].upper() + text[1:] if head else text


def marked(writer: HtmlWriter, text: str) -> str:
    """Return a text with the formulas between its backticks set as such.

    >>> print(marked(HtmlWriter(lambda _: None), "`∂f[i]/∂x` is Σ < 1."))
    <span class="formula">∂<i>f</i><sub><i>i</i></sub>/∂<i>x</i></span> is Σ &lt; 1.
    """
    pieces = text.split("`")
    written = [_formula(writer, piece) if n % 2 else writer.words(piece) for n, piece in enumerate(pieces)]
    return "".join(written)


def _formula(writer: HtmlWriter, text: str) -> str:
    """Return a formula of a rule: letters slanted, indices below."""
    html = re.sub(r"(?<![A-Za-z&])([A-Za-z])(?![A-Za-z;])", r"<i>\1</i>", _spaced(writer.words(text)))
    html = re.sub(r"\[([^\[\]]*)\]", lambda m: f"<sub>{m[1].replace(', ', ',')}</sub>", html)
    for sign, tag in (("_", "sub"), (r"\^", "sup")):
        html = re.sub(rf"{sign}(?:{_BRACES}|((?:<i>\w</i>|\w)+))", lambda m, t=tag: f"<{t}>{m[1] or m[2]}</{t}>", html)  # type: ignore[misc]
    return f'<span class="formula">{html}</span>'


def _spaced(html: str) -> str:
    """Part the letters of indices that stand together, `Σ_kl`, so that each is a letter of its own."""
    return re.sub(r"(?<=[ΣΠ]_)[a-z]+", lambda m: "{" + "\u200b".join(m[0]) + "}", html)


def _function(writer: HtmlWriter, function: Any) -> dict[str, str]:
    return {
        "name": writer.verbatim(function.name),
        "derivative": writer.verbatim(function.derivative),
        "domain": writer.words(function.domain.replace("!=", "≠")),
        "kink": writer.words(function.kink),
    }


def _operation(writer: HtmlWriter, row: Row) -> dict[str, str]:
    return {
        "text": writer.verbatim(row.text),
        "arguments": writer.words(row.arguments),
        "shape": writer.words(row.shape),
        "line": writer.mathematics(row.latex) + writer.words(row.meaning),
    }


__all__ = ["REFERENCE", "TITLE", "Entry", "PageWriter", "book", "marked", "session"]
