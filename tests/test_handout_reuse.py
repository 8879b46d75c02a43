"""What is up to date is not made again; what is made of something else is."""

from __future__ import annotations

import json
import os
import signal
import sys
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import pytest
from command_line import output, run

from symderiv.handout import build as building
from symderiv.handout import reuse, surroundings
from symderiv.handout.build import build
from symderiv.handout.reuse import FILE, Kept

TEXT = """---
title: Notes
---
```symderiv
x: (n,)
E = x @ x
assert diff(E, x) == 2 * x, "one"
assert not (diff(E, x) == x), "two"
code(diff(E, x))
```
"""
FORMATS = ["tex", "md", "py"]


class Place:
    """A source, the folder it is built into, and which documents were made."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.source, self.output = folder / "notes.md", folder / "out"
        self.source.write_text(TEXT, encoding="utf-8")
        self.made: list[str] = []
        self.notices: list[str] = []
        decided = building.decided

        def counted(source: Any, *rest: Any) -> Any:
            self.made.append(source.file_name)
            return decided(source, *rest)

        monkeypatch.setattr(building, "decided", counted)

    def build(self, formats: list[str] = FORMATS, force: bool = False, **options: Any) -> bool:
        """Build, and tell whether anything was made."""
        self.made, self.notices = [], []
        kept = Kept(self.output, force)
        build([self.source], self.output, formats, kept=kept, notice=self.notices.append, **options)
        return bool(self.made)


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    return Place(tmp_path, monkeypatch)


@pytest.fixture
def kept(place: Place) -> Place:
    """A place in which everything is up to date."""
    assert place.build() and not place.build()
    return place


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


# --- what makes it again --------------------------------------------------------------------------


def test_what_is_up_to_date_is_left_as_it_is(kept: Place) -> None:
    before = {path: path.stat().st_mtime_ns for path in kept.output.iterdir()}
    os.utime(kept.source, (1, 1))  # times tell nothing
    assert not kept.build()
    assert {path: path.stat().st_mtime_ns for path in kept.output.iterdir()} == before


def test_a_changed_source_is_decided_again(kept: Place) -> None:
    kept.source.write_text(TEXT.replace("== 2 * x", "== 3 * x"), encoding="utf-8")
    (one, two, _) = build([kept.source], kept.output, FORMATS, kept=Kept(kept.output))
    assert (one.status, two.status) == ("refuted", "refuted")


@pytest.mark.parametrize("change", [lambda text: f"{text}\nMore.\n", lambda text: text.replace("Notes", "Other")])
def test_a_change_of_the_text_makes_it_again(kept: Place, change: Any) -> None:
    kept.source.write_text(change(TEXT), encoding="utf-8")
    assert kept.build() and not kept.build()
    kept.source.write_text(TEXT, encoding="utf-8")
    assert kept.build() and not kept.build()


@pytest.mark.parametrize("option", [{"language": "de"}, {"detail": "full"}, {"layout": "numerator"}])
def test_an_option_makes_it_again(kept: Place, option: dict[str, str]) -> None:
    assert kept.build(**option) and not kept.build(**option)
    assert kept.build()


def test_a_variant_stands_beside_the_solution(kept: Place) -> None:
    assert kept.build(variant="hints") and not kept.build(variant="hints")
    assert not kept.build()


def test_another_format_makes_it_again(place: Place) -> None:
    assert place.build(["tex"]) and place.build(["md"])
    assert not place.build(["md", "tex"]) and place.build(["md", "py"])


def test_a_preamble_makes_it_again(place: Place) -> None:
    preamble = place.source.with_name("own.tex")
    preamble.write_text("% one", encoding="utf-8")
    place.source.write_text(TEXT.replace("title", "preamble: own.tex\ntitle", 1), encoding="utf-8")
    assert place.build() and not place.build()
    preamble.write_text("% two", encoding="utf-8")
    assert place.build() and not place.build()
    assert "% two" in (place.output / "notes.tex").read_text(encoding="utf-8")


def test_a_template_makes_it_again(kept: Place, tmp_path: Path) -> None:
    own = tmp_path / "own"
    (own / "phrases").mkdir(parents=True)
    (own / "claim.md").write_text('<% extends "symderiv/claim.md" %>\n', encoding="utf-8")
    assert kept.build(templates=own) and not kept.build(templates=own)
    (own / "phrases" / "en.toml").write_text("claim = 'Assertion'\n", encoding="utf-8")
    assert kept.build(templates=own) and not kept.build(templates=own)
    assert kept.build()


def test_a_file_that_was_changed_or_taken_away_is_made_again(kept: Place) -> None:
    written = contents(kept.output)
    (kept.output / "notes.md").write_bytes(b"by hand")
    assert kept.build()
    (kept.output / "notes.tex").unlink()
    assert kept.build()
    assert contents(kept.output) == written


def test_everything_is_made_again_by_force(kept: Place) -> None:
    written = contents(kept.output)
    assert kept.build(force=True) and not kept.build()
    assert contents(kept.output) == written


def test_without_what_is_kept_everything_is_made(kept: Place) -> None:
    assert len(build([kept.source], kept.output, FORMATS)) == 3 and kept.made == ["notes"]


ODD = '{"version": 1, "documents": {"notes": {"of": "", "records": [], "written": {"md": 1}, "notices": {}}}}'


@pytest.mark.parametrize("said", ["", "{}", "[]", '{"version": 0}', '{"version": 1, "documents": {"notes": 1}}', ODD])
def test_what_cannot_be_read_keeps_nothing(kept: Place, said: str) -> None:
    (kept.output / FILE).write_text(said, encoding="utf-8")
    assert kept.build() and not kept.build()


def test_what_is_not_as_expected_is_made_again(place: Place) -> None:
    place.source.write_text(TEXT.replace("not (", "("), encoding="utf-8")
    assert place.build() and place.build()


# --- what documents are made by -------------------------------------------------------------------


@pytest.fixture
def _anew() -> Any:
    surroundings.surroundings.cache_clear()
    yield
    surroundings.surroundings.cache_clear()


@pytest.mark.usefixtures("_anew")
@pytest.mark.parametrize("change", ["own file", "template", "package", "version"])
def test_a_change_of_what_makes_it(kept: Place, change: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package, templates, installed = (tmp_path / name for name in ("symderiv", "templates", "installed"))
    for folder in (package / "page", package / "__pycache__", templates, installed / "some-1.dist-info"):
        folder.mkdir(parents=True)
    (package / "a.py").write_text("1", encoding="utf-8")
    monkeypatch.setattr(surroundings, "files", lambda _: package)
    monkeypatch.setattr(surroundings, "own_folder", lambda: templates)
    monkeypatch.setattr(sys, "path", [*sys.path, str(installed)])

    def known_anew() -> bool:
        surroundings.surroundings.cache_clear()
        return kept.build()

    assert known_anew() and not known_anew()
    (package / "page" / "b.py").write_text("", encoding="utf-8")
    (package / "__pycache__" / "a.py").write_text("", encoding="utf-8")
    assert not known_anew()
    match change:
        case "own file":
            (package / "a.py").write_text("2", encoding="utf-8")
        case "template":
            (templates / "claim.md").write_text("", encoding="utf-8")
        case "package":
            (installed / "another-1.dist-info").mkdir()
        case "version":
            (installed / "some-1.dist-info").rename(installed / "some-2.dist-info")
    assert known_anew() and not known_anew()


@pytest.mark.usefixtures("_anew")
@pytest.mark.parametrize("file", ["adding.py", "adding/__init__.py"])
def test_a_package_that_teaches_more_is_part_of_it(file: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / file
    path.parent.mkdir(exist_ok=True)
    found = [EntryPoint("more", "adding:add", surroundings.ADDING)]
    monkeypatch.setattr(surroundings, "entry_points", lambda group: found if group == surroundings.ADDING else [])
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    digests = set()
    for text in ("1", "2"):
        path.write_text(text, encoding="utf-8")
        surroundings.surroundings.cache_clear()
        digests.add(surroundings.surroundings())
    assert len(digests) == 2


def test_fonts_are_part_of_what_is_japanese(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    there = {"ja": ("A",), "en": ("A",)}
    monkeypatch.setattr(reuse, "families", lambda language: there[language])
    assert place.build(["md"], language="ja") and not place.build(["md"], language="ja")
    there["ja"] = ("A", "B")
    assert place.build(["md"], language="ja")


def test_what_was_left_out_is_said_again(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(*_: Any) -> bytes:
        raise building.MissingFontError("no PDF", hint="install one")

    monkeypatch.setattr(building, "rendered", missing)
    assert place.build(["pdf"]) and place.notices == ["notes: no PDF; install one"]
    assert not place.build(["pdf"]) and place.notices == ["notes: no PDF; install one"]


def test_a_pdf_by_latex_is_always_made_again(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(building, "rendered", lambda *_: b"%PDF-")
    assert place.build(["tex", "pdf"], engine="latex") and place.build(["tex", "pdf"], engine="latex")
    assert not place.build(["tex"], engine="latex")


# --- runs that do not come to their end -----------------------------------------------------------


def test_what_was_finished_before_an_interruption_is_reused(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    second = place.source.with_name("second.md")
    second.write_text(TEXT, encoding="utf-8")
    sources = [str(place.source), str(second)]
    ends = {"notes.tex": None}
    rendered = building.rendered

    def interrupted(built: Any, name: str, *rest: Any) -> bytes:
        if f"{built.source.name}.{name}" in ends:
            raise KeyboardInterrupt
        return rendered(built, name, *rest)

    monkeypatch.setattr(building, "rendered", interrupted)
    for file, there in {"notes.md": set(), "second.tex": {FILE, "notes.md", "notes.tex"}}.items():
        ends = {file: None}
        result = run("handout", *sources, "-o", str(place.output), "--format", "md,tex")
        assert result.exit_code == 130
        assert (
            result.stderr == f"interrupted: the files in {place.output} are whole, and another run goes on from there\n"
        )
        assert set(contents(place.output)) - {"second.md"} == there
    ends = {}
    place.made = []
    lines = output("handout", *sources, "-o", str(place.output), "--format", "md,tex").splitlines()
    assert place.made == ["second"]
    assert "notes: 3 claims (1 proved, 1 refuted, 1 agrees), all as expected, up to date" in lines


@pytest.mark.skipif(os.name == "nt", reason="signals are those of POSIX")
def test_a_process_that_is_asked_to_end_tidies_up(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    def ended(self: Path, _target: Path) -> None:
        assert self.read_bytes()
        os.kill(os.getpid(), signal.SIGTERM)

    before = signal.getsignal(signal.SIGTERM)
    monkeypatch.setattr(Path, "replace", ended)
    assert run("handout", str(place.source), "-o", str(place.output), "--format", "md").exit_code == 143
    assert contents(place.output) == {}
    assert signal.getsignal(signal.SIGTERM) is before


# --- what the command says ------------------------------------------------------------------------


def test_the_command_says_what_is_up_to_date(kept: Place) -> None:
    args = ["handout", str(kept.source), "-o", str(kept.output), "--format", ",".join(FORMATS)]
    kept.build(force=True)  # as the command names the source
    assert output(*args).splitlines() == [
        "notes: 3 claims (1 proved, 1 refuted, 1 agrees), all as expected, up to date",
        "what is up to date was left as it is; --force makes it again",
    ]
    (summary,) = (line for line in output(*args, "--force").splitlines() if line.startswith("notes: "))
    assert "up to date" not in summary and summary.endswith("notes.tex")


def test_records_are_the_same_from_what_is_kept(kept: Place) -> None:
    args = ["handout", str(kept.source), "-o", str(kept.output), "--format", "md", "--json"]
    made, again = output(*args, "--force"), output(*args)
    assert kept.made == ["notes"]
    assert again == made and [json.loads(line)["id"] for line in made.splitlines()] == ["one", "two", "code 3"]
