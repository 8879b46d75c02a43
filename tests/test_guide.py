"""The guide: every example on its pages is run."""

from __future__ import annotations

import doctest
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import terminal_examples

import symderiv
from symderiv.extending import remove
from symderiv.handout.build import build
from symderiv.index.rules import RULES
from symderiv.tensor.parse import KNOWN

PAGES = sorted((Path(symderiv.__file__).parent / "guide").glob("*.md"))


@pytest.fixture
def _as_before() -> Iterator[None]:
    """Take away what a page adds to the language."""
    before = {*KNOWN, *RULES}
    yield
    for name in {*KNOWN, *RULES} - before:
        remove(name)


@pytest.mark.usefixtures("_as_before")
@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.stem)
def test_the_examples_of_a_page_are_as_they_say(page: Path) -> None:
    flags = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS
    assert doctest.testfile(str(page), module_relative=False, optionflags=flags).failed == 0


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.stem)
def test_the_commands_of_a_page_print_what_it_says(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    number = terminal_examples.check(page)
    assert number == page.read_text(encoding="utf-8").count("\n$ symderiv")


HANDOUTS = [
    (page.stem, text)
    for page in PAGES
    for text in re.findall(
        r"^````markdown\n(---\n.*?)^````$", page.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE
    )
]


def test_the_handouts_on_the_pages_come_out_as_their_claims_say(tmp_path: Path) -> None:
    assert HANDOUTS
    for name, text in HANDOUTS:
        (tmp_path / f"{name}.md").write_text(text, encoding="utf-8")
        records = build([tmp_path / f"{name}.md"], tmp_path / "built", ["md", "tex"])
        assert records and all(r.as_expected for r in records)
        assert {r.basis for r in records if r.status == "proved"} == {"kernel"}
