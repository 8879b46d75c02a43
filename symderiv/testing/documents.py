"""Claims in the Markdown files of a project, each a test: what pytest collects where the plugin is asked to.

Fenced `symderiv` blocks are read as a handout's are: blocks under one heading share their names, and a heading starts
afresh.  A test is one claim (or one piece of checked code, or table), and passes where its status is the one that its
author expects: `assert not` is refuted.  A block that cannot be read is a test that fails with its place.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from markdown_it import MarkdownIt

from symderiv.errors import ParseError, SymderivError
from symderiv.sheet import Claim, Sheet
from symderiv.statements import block
from symderiv.statements.block import Statement
from symderiv.testing.defaults import MARK
from symderiv.testing.failures import Failure

JUDGED = ("claim", "code", "table")


class ClaimError(AssertionError):
    """A claim whose status is not the expected one."""

    def __init__(self, message: str, failure: Failure | None = None) -> None:
        super().__init__(message)
        if failure is not None:
            self.failure = failure


@dataclass
class Passage:
    """A fenced block: its text, the line that it begins in, and what is judged in it."""

    text: str
    line: int
    statements: list[Statement] = field(default_factory=list)
    error: SymderivError | None = None


@dataclass
class Section:
    """The blocks under one heading; claims are decided in order, each when it is first asked for."""

    source: str
    passages: list[Passage] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.sheet = Sheet(source=self.source)
        self.found: list[Iterator[Claim]] = []
        self.results: list[list[Claim | SymderivError]] = []

    def result(self, number: int, claim: int) -> Claim:
        """Return a claim of a block as decided; blocks before it are decided first."""
        for k, passage in enumerate(self.passages[: number + 1]):
            if k == len(self.found):
                self.found.append(self.sheet.reading(passage.text, passage.line))
                self.results.append([])
            done = self.results[k]
            while len(done) <= claim or k < number:
                if done and isinstance(done[-1], SymderivError):
                    break
                try:
                    done.append(next(self.found[k]))
                except StopIteration:
                    break
                except SymderivError as err:
                    done.append(err)
        done = self.results[number]
        found = done[min(claim, len(done) - 1)]
        if isinstance(found, SymderivError):
            raise found
        return found


def sections(text: str, source: str) -> list[Section]:
    r"""Return the sections of a Markdown text that have a block.

    >>> found = sections("# A\n\n```symderiv\nx: (n,)\nassert x == x\n```\n", "a.md")
    >>> [(p.line, [s.kind for s in p.statements]) for s in found for p in s.passages]
    [(4, ['claim'])]
    """
    found: list[Section] = []
    names, fresh = block.Names(), True
    for token in MarkdownIt("commonmark").parse(text):
        if token.type == "heading_open":
            fresh = True
        if token.type != "fence" or token.info.split()[:1] != [MARK] or token.map is None:
            continue
        if fresh:
            found.append(Section(source))
            names, fresh = block.Names(), False
        passage = Passage(token.content, token.map[0] + 2)
        try:
            read = block.read_block(passage.text, names, source, passage.line)
            passage.statements = [s for s in read if s.kind in JUDGED]
        except SymderivError as err:
            passage.error = err
        found[-1].passages.append(passage)
    return found


# ---------------------------------------------------------------- what pytest sees


class MarkdownFile(pytest.File):
    """A Markdown file with claims in it."""

    def collect(self) -> Iterable[pytest.Item]:
        """Yield a test for each claim, and one for each block that cannot be read."""
        source = _shown(self.path, self.config)
        try:
            text = self.path.read_text(encoding="utf-8")
        except UnicodeDecodeError as err:
            raise ParseError(f"{source} is no UTF-8: {err}") from None
        taken: dict[str, int] = {}
        for section in sections(text, source):
            for number, passage in enumerate(section.passages):
                judged: list[Statement | None] = [None] if passage.error is not None else list(passage.statements)
                for claim, statement in enumerate(judged):
                    line = passage.line if statement is None else statement.place.line
                    name = _name(statement, line)
                    taken[name] = taken.get(name, 0) + 1
                    unique = name if taken[name] == 1 else f"{name} ({taken[name]})"
                    yield ClaimItem.from_parent(self, name=unique, at=(section, number, claim), line=line)


class ClaimItem(pytest.Item):
    """One claim."""

    def __init__(self, *, at: tuple[Section, int, int], line: int, **given: Any) -> None:
        super().__init__(**given)
        self.section, self.number, self.claim = at
        self.line = line

    def runtest(self) -> None:
        """Decide the claim."""
        passage = self.section.passages[self.number]
        if passage.error is not None:
            raise passage.error
        claim = self.section.result(self.number, self.claim)
        if not claim.as_expected:
            raise _error(claim, f"{_shown(self.path, self.config)}:{self.line}")

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """Return what is wrong with the claim, without a traceback: the reader did not write one."""
        err = excinfo.value
        if isinstance(err, ClaimError):
            return str(err)
        if isinstance(err, SymderivError):
            place = err.place
            where = f"{place.source}:{place.line}:{place.column + 1}: " if place is not None and place.source else ""
            return f"{where}{err}"
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int, str]:
        """Return file, line and name."""
        return self.path, self.line - 1, self.name


def _shown(path: Path, config: pytest.Config) -> str:
    return path.relative_to(config.rootpath).as_posix() if path.is_relative_to(config.rootpath) else str(path)


def _name(statement: Statement | None, line: int) -> str:
    label = statement.label.split()[:1] if statement is not None else []
    plain = "".join(c for c in label[0] if c.isprintable() and c not in "[]:/\\") if label else ""
    return plain or f"line {line}"


def _error(claim: Claim, where: str) -> ClaimError:
    """Return why a claim fails: its status, what was expected, the counterexample."""
    name = claim.label or claim.id
    lines = [f"{where}: {name} is {claim.status}, {claim.expected} was expected", f"    assert {claim.text}"]
    if claim.counterexample is None:
        lines += [f"  {text}" for text in (claim.scope, claim.unproved) if text and claim.status != "proved"]
        return ClaimError("\n".join(lines))
    c = claim.counterexample
    words = ("the left side is", "the right side")
    failure = Failure(lines[0], c.left, c.right, c.entry, c.sizes, None, words, claim.correct, point=c.point)
    head, *rest = str(failure).splitlines()
    return ClaimError("\n".join([head, lines[1], *rest]), failure)
