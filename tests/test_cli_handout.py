"""The command `handout`: what it reports, what it passes on, what it refuses."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from types import ModuleType

import pytest
from command_line import output, refusal, run

from symderiv.errors import ShapeError


@dataclass(frozen=True)
class Record:
    handout: str
    id: str
    status: str
    expected: str
    basis: str = ""
    label: str = ""
    claim: str = "diff(E, W) == D.T @ B"
    condition: str = ""
    counterexample: object = None
    correct: str = ""

    def as_json(self) -> dict[str, object]:
        return asdict(self)


GOOD = [
    Record("layers", "L1", "proved", "proved", "kernel"),
    Record("layers", "L2", "refuted", "refuted"),
    Record("layers_deep", "H7", "approximation", "approximation", label="H7 (5.81)"),
]
BAD = [*GOOD, Record("layers", "L3", "refuted", "proved", correct="2 * x")]


class Stand:
    """Stands in for `symderiv.handout.build`: reports records, writes files, remembers its arguments."""

    def __init__(self, records: list[Record]) -> None:
        self.records = records
        self.notices: list[str] = []
        self.arguments: tuple[object, ...] = ()
        self.options: dict[str, object] = {}

    def build(self, sources, output, formats, *, report, notice, kept, reused, **options):
        self.arguments = (sources, output, formats)
        self.options = {name: value for name, value in options.items() if value is not None}
        output.mkdir(exist_ok=True)
        for record in self.records:
            report(record)
            for fmt in formats:
                (output / f"{record.handout}.{fmt}").write_text(fmt)
        (output / "index.html").write_text("")
        for line in self.notices:
            notice(line)
        return self.records


@pytest.fixture
def stand(monkeypatch: pytest.MonkeyPatch) -> Stand:
    stand = Stand(GOOD)
    module = ModuleType("symderiv.handout.build")
    module.build = stand.build  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "symderiv.handout.build", module)
    return stand


def test_handout_reports_each_claim_and_each_handout(stand: Stand, tmp_path: Path) -> None:
    out = tmp_path / "out"
    lines = output("handout", "-o", str(out), "--format", "tex,md").splitlines()
    assert lines == [
        "layers  ✓ L1  proved (kernel)",
        "layers  ✗ L2  refuted (expected)",
        "layers_deep  ≈ H7 (5.81)  approximation",
        f"layers: 2 claims (1 proved, 1 refuted), all as expected → {out / 'layers.md'}, {out / 'layers.tex'}",
        "layers_deep: 1 claim (1 approximation), all as expected → "
        f"{out / 'layers_deep.md'}, {out / 'layers_deep.tex'}",
        f"written: {out / 'index.html'}",
    ]


def test_handout_exits_with_1_where_a_claim_surprises(stand: Stand, tmp_path: Path) -> None:
    stand.records = BAD
    result = run("handout", "-o", str(tmp_path))
    assert result.exit_code == 1
    assert "layers  ✗ L3  refuted (expected: proved)\n" in result.stdout
    assert "    claim: diff(E, W) == D.T @ B\n    correct: 2 * x\n" in result.stdout
    assert "not as expected: L3" in result.stdout


def test_a_refuted_claim_says_where(stand: Stand, tmp_path: Path) -> None:
    found = {"sizes": {"n": 3}, "seed": 0, "entry": [2], "left": 1.25, "right": 2.5, "point": {"x": [1.0]}}
    stand.records = [Record("layers", "L3", "refuted", "proved", counterexample=found)]
    lines = run("handout", "-o", str(tmp_path)).stdout.splitlines()
    assert lines[2:4] == [
        "    counterexample at n = 3, seed 0:",
        "      entry [2], counted from 0: the left side is 1.25, the right side 2.5",
    ]


def test_handout_as_json_prints_one_record_a_line(stand: Stand, tmp_path: Path) -> None:
    stand.records = BAD
    result = run("handout", "-o", str(tmp_path), "--json")
    assert result.exit_code == 1
    assert [json.loads(line) for line in result.stdout.splitlines()] == [r.as_json() for r in BAD]


def test_handout_passes_its_options_on(stand: Stand, tmp_path: Path) -> None:
    source = tmp_path / "own.md"
    source.write_text("# Own\n")
    out = tmp_path / "pages"
    chosen = {"detail": "full", "language": "de", "variant": "hints", "layout": "numerator", "numbering": "labels"}
    options = [part for name, value in chosen.items() for part in (f"--{name}", value)]
    args = ["-o", str(out), "--format", "PDF, tex,pdf", "--templates", str(tmp_path), *options]
    output("handout", str(source), *args)
    assert stand.arguments == ([source], out, ["pdf", "tex"])
    assert stand.options == {**chosen, "engine": "typst", "templates": tmp_path}


def test_handout_defaults_to_the_built_in_ones(stand: Stand, tmp_path: Path) -> None:
    output("handout", "-o", str(tmp_path))
    assert stand.arguments == (None, tmp_path, ["tex", "pdf", "html", "md", "py"])
    assert stand.options == {"engine": "typst"}


def test_handout_names_only_the_files_of_this_run(stand: Stand, tmp_path: Path) -> None:
    (tmp_path / "layers.txt").write_text("from before")
    assert "layers.txt" not in output("handout", "-o", str(tmp_path))


@pytest.mark.parametrize("more", [[], ["--json"]])
def test_what_was_left_out_is_said_beside_the_output(stand: Stand, tmp_path: Path, more: list[str]) -> None:
    stand.notices = ["layers: no PDF: no Japanese font is installed"]
    result = run("handout", "-o", str(tmp_path), *more)
    assert result.exit_code == 0
    assert result.stderr == "layers: no PDF: no Japanese font is installed\n"
    assert "no PDF" not in result.stdout


def test_a_handout_without_claims(stand: Stand, tmp_path: Path) -> None:
    stand.records = []
    lines = output("handout", "-o", str(tmp_path)).splitlines()
    assert lines == [
        "no claims: they stand in blocks that begin with ```symderiv",
        f"written: {tmp_path / 'index.html'}",
    ]


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["--format", "tex,pfd"], "did you mean 'pdf'?"),
        (["--format", "docx!"], "choose from tex,pdf,html,md,py"),
        (["--format", ","], "choose from"),
        (["nowhere.md"], "does not exist"),
        (["--detail", "some"], "normal"),
    ],
)
def test_handout_options_are_checked(stand: Stand, tmp_path: Path, args: list[str], said: str) -> None:
    assert said in refusal("handout", "-o", str(tmp_path), *args)
    assert stand.arguments == ()


def test_errors_of_a_handout_are_usage_errors(stand: Stand, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def fail(*args: object, **options: object) -> None:
        raise ShapeError("sizes n and p do not agree", hint="transpose one")

    monkeypatch.setattr(sys.modules["symderiv.handout.build"], "build", fail)
    assert refusal("handout", "-o", str(tmp_path)) == ("error: sizes n and p do not agree\n  hint: transpose one\n")


def test_a_folder_that_cannot_be_written_is_a_usage_error(
    stand: Stand, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def fail(*args: object, **options: object) -> None:
        raise PermissionError(13, "Permission denied", "output")

    monkeypatch.setattr(sys.modules["symderiv.handout.build"], "build", fail)
    assert "Permission denied" in refusal("handout", "-o", str(tmp_path))


# --- with the real builder ------------------------------------------------------------------------

NOTES = """```symderiv
x: (n,)
E = x @ x
assert diff(E, x) == 2 * x, "L1"
```

```symderiv
y = zz
```

```symderiv
assert diff(E, x) == x + x, "L2"
```
"""


@pytest.fixture
def notes(tmp_path: Path) -> Path:
    path = tmp_path / "notes.md"
    path.write_text(NOTES, encoding="utf-8")
    return path


def test_a_broken_block_is_shown_with_its_place_and_the_others_are_built(notes: Path, tmp_path: Path) -> None:
    result = run("handout", str(notes), "-o", str(tmp_path / "out"), "--format", "md")
    assert result.exit_code == 1
    assert f"unknown name 'zz' ({notes}, line 8, column 5)\n      y = zz\n          ^^\n" in result.stdout
    page = (tmp_path / "out" / "notes.md").read_text(encoding="utf-8")
    assert "Claim L1" in page and "Claim L2" in page and "line 8, column 5" in page


def test_a_fragment_is_one_file(notes: Path, tmp_path: Path) -> None:
    path = tmp_path / "parts" / "l2.tex"
    result = run("handout", str(notes), "--fragment", "L2", "-o", str(path), "--numbering", "none")
    assert result.exit_code == 1 and result.stdout.endswith(f"{path}\n")  # a block is broken
    text = path.read_text(encoding="utf-8")
    assert text.startswith("% Claim L2") and r"\begin{align*}" in text
    other = run("handout", str(notes), "--fragment", "L3", "-o", str(path))
    assert other.exit_code == 2 and "there are L1, L2" in other.stderr
    assert "one source" in refusal("handout", "--fragment", "L1", "-o", str(path))
    assert "is a folder" in refusal("handout", str(notes), "--fragment", "L1", "-o", str(tmp_path))
    assert "is a file" in refusal("handout", str(notes), "-o", str(path))


def test_watching_builds_again_and_says_what_is_at_fault(
    notes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from symderiv.handout import watching

    def changes(paths: list[Path]) -> Iterator[list[Path]]:
        assert notes.resolve() in paths
        notes.write_text("---\nnone: 1\n---\n", encoding="utf-8")
        yield [notes]
        notes.write_text(NOTES.replace("zz", "2 * x"), encoding="utf-8")
        yield [notes]
        raise KeyboardInterrupt

    monkeypatch.setattr(watching, "_changes", changes)
    result = run("handout", str(notes), "-o", str(tmp_path / "out"), "--format", "md", "--watch")
    assert result.exit_code == 130
    assert result.stdout.count("notes: ") == 2 and "unknown key 'none'" in result.stderr
    assert "unknown name" not in (tmp_path / "out" / "notes.md").read_text(encoding="utf-8")


def test_watching_without_the_package_is_refused(notes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "watchfiles", None)
    said = run("handout", str(notes), "-o", str(tmp_path / "out"), "--format", "md", "--watch")
    assert said.exit_code == 2 and "pip install 'symderiv[watch]'" in said.stderr
