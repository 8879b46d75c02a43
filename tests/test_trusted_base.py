"""What has to be believed of the kernel is what the guide says: no module more, and as many lines."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from test_layout import ROOT, Imports, imports_of_package, modules_under

import symderiv

PAGE = (Path(symderiv.__file__).parent / "guide" / "trust.md").read_text(encoding="utf-8")
ENGINE = (
    "tensor",
    "lower",
    "lift",
    "chain",
    "replay",
    "claims",
    "windows",
    "index.normal",
    "index.contraction",
    "index.rules",
)


def used_by(imports: Imports, start: str) -> set[str]:
    """Return a module and all that it imports, directly or not."""
    found, waiting = set[str](), [start]
    while waiting:
        module = waiting.pop()
        if module not in found:
            found.add(module)
            waiting += imports[module]
    return {name.removeprefix("symderiv.") for name in found}


@pytest.fixture(scope="module")
def imports() -> Imports:
    return imports_of_package(ROOT)


def rows(heading: str = "## The trusted base", paragraph: int = 2) -> list[tuple[list[str], int]]:
    """Return the modules and lines of each row of a table."""
    table = PAGE.split(heading)[1].split("\n\n")[paragraph]
    cells = [row.split("|")[1:-1] for row in table.splitlines()[2:]]
    return [(re.findall(r"`([a-z_.]+)`", names), int(lines.replace(",", ""))) for names, _, lines in cells]


def lines_of(modules: list[str]) -> int:
    paths = modules_under(ROOT)
    return sum(len(paths[f"symderiv.{name}"].read_text(encoding="utf-8").splitlines()) for name in modules)


def test_the_table_names_all_that_the_kernel_uses(imports: Imports) -> None:
    assert sorted(name for names, _ in rows() for name in names) == sorted(used_by(imports, "symderiv.check.kernel"))


def test_the_kernel_uses_nothing_of_the_engine(imports: Imports) -> None:
    used = used_by(imports, "symderiv.check.kernel")
    assert not [name for name in used if any(f"{name}.".startswith(f"{part}.") for part in ENGINE)]


def test_a_stored_proof_is_read_by_what_the_page_names(imports: Imports) -> None:
    more = used_by(imports, "symderiv.check.stored") - used_by(imports, "symderiv.check.kernel") - set(of_families())
    sentence = next(line for line in PAGE.splitlines() if line.startswith("A stored proof is read by"))
    assert set(re.findall(r"`(check\.[a-z_]+)`", sentence)) == more
    (lines,) = map(int, re.findall(r"(\d+) lines", sentence))
    assert lines == pytest.approx(lines_of(sorted(more)), rel=0.15)


def of_families() -> list[str]:
    """Return the modules that check claims about families."""
    return [name for names, _ in rows("## Families", 6) for name in names]


def test_claims_about_families_are_checked_by_what_the_page_names(imports: Imports) -> None:
    used = used_by(imports, "symderiv.check.families") - used_by(imports, "symderiv.check.kernel")
    assert used == {*of_families(), "check.part"}
    assert not [name for name in used if any(f"{name}.".startswith(f"{part}.") for part in ENGINE)]
    for names, lines in rows("## Families", 6):
        assert lines == pytest.approx(lines_of(names), rel=0.1), names


def test_the_lines_are_counted() -> None:
    for names, lines in rows():
        assert lines == pytest.approx(lines_of(names), rel=0.1), names
    whole = int(re.search(r"of ([\d,]+) lines", PAGE)[1].replace(",", ""))
    assert whole == pytest.approx(lines_of([name for names, _ in rows() for name in names]), rel=0.05)
