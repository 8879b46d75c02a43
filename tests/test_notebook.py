"""Cells of statements: what they share, what is forgotten, what the magic says; the tutorial, run."""

from __future__ import annotations

import pytest

from symderiv.errors import SymderivError
from symderiv.notebook import Session, names, remaining

CELLS = ["x: (n,)\ny: (n,)", "f = x @ x", "g = y @ y", "assert diff(f, x) == 2 * x, 'Q'"]


def session(*cells: str) -> Session:
    found = Session()
    for cell in cells:
        found.run(cell)
    return found


def test_cells_share_their_names():
    last = session(*CELLS).run("assert diff(f + g, x) == 2 * x, 'R'")
    assert [c.status for c in last.claims] == ["proved"]
    assert last.forgotten == ()


def test_a_cell_shows_its_own_claims_only():
    s = session(*CELLS)
    assert [c.id for c in s.run("assert diff(g, y) == 2 * y, 'S'").claims] == ["S"]
    assert [c.id for c in s.sheet.claims] == ["Q", "S"]


def test_a_cell_run_again_unchanged_changes_nothing():
    s = session(*CELLS)
    again = s.run(CELLS[1])
    assert again.forgotten == ()
    assert [cell.text for cell in s.cells] == CELLS


def test_a_new_meaning_forgets_the_old_one_and_what_builds_on_it():
    s = session(*CELLS, "h = 2 * f")
    changed = s.run("f = sum(x)")
    assert changed.forgotten == ("f", "h")
    assert [cell.text for cell in s.cells] == [CELLS[0], CELLS[2], "f = sum(x)"]
    assert s.run("assert diff(f, x) == ones(n)").claims[0].status == "proved"
    with pytest.raises(SymderivError, match="'h'"):
        s.run("assert h == 0")


@pytest.mark.parametrize(
    "wrong", ["f = x @ q", "f = x @", "assert diff(f, x) == 2", "f = x + zeros(m)", "x: (n, n)\nz = x @"]
)
def test_a_cell_that_cannot_be_read_changes_nothing(wrong):
    s = session(*CELLS)
    with pytest.raises(SymderivError):
        s.run(wrong)
    assert [cell.text for cell in s.cells] == CELLS
    assert s.run("assert diff(f, x) == 2 * x, 'T'").claims[0].status == "proved"


def test_what_is_left_never_rests_on_what_is_gone():
    """Whatever cell is run anew, the cells that stay read well without the others."""
    s = session(*CELLS, "h = f + g", "k = h * h")
    for name in "xyfghk":
        kept = remaining(s.cells, {name})
        assert len(session(*(cell.text for cell in kept)).cells) == len(kept) < len(s.cells)
        assert all(name not in cell.given | cell.used for cell in kept)


def test_names_of_families_functions_and_definitions():
    given, used = names(
        "h[0]: (n,)\nfor t in range(1, T):\n    h[t] = W @ h[t-1]\ndef J(t): return h[t]\nE = loss(h[T])"
    )
    assert given == {"h", "J", "E"}
    assert {"W", "loss", "T"} <= used


# --- in IPython -----------------------------------------------------------------------------------


@pytest.fixture
def shell(tmp_path):
    pytest.importorskip("IPython", reason="IPython is not installed: pip install 'symderiv[notebook]'")
    from IPython.core.interactiveshell import InteractiveShell
    from traitlets.config import Config

    shell = InteractiveShell(config=Config({"HistoryManager": {"enabled": False}}), ipython_dir=str(tmp_path))
    shell.run_cell("%load_ext symderiv", silent=True)
    return shell


def run(shell, source):
    return shell.run_cell(source, silent=True)


def test_the_magic_shows_claims_and_hands_out_the_sheet(shell):
    assert run(shell, "%%symderiv sheet\nx: (n,)\nf = x @ x").success
    found = shell.run_cell_magic("symderiv", "--detail brief --language de", "assert diff(f, x) == 2 * x, 'Q'")
    data, _ = shell.display_formatter.format(found, include=["text/plain", "text/markdown"])
    assert "✓ Q: bewiesen" in data["text/plain"]
    assert "$$\\begin{aligned}" in data["text/markdown"]
    assert shell.user_ns["sheet"]["Q"].status == "proved"


@pytest.mark.parametrize(
    ("cell", "said"),
    [
        ("%%symderiv\nx: (n,)\nf = x @ y", "unknown name 'y'"),
        ("%%symderiv --detial full\nx: (n,)", "--detial"),
        ("%%symderiv --detail much\nx: (n,)", "normal"),
        ("%%symderiv --language xx\nx: (n,)", "no phrases for the language"),
        ("%%symderiv 2x\nx: (n,)", "is not a name"),
        ('%%symderiv "\nx: (n,)', "quotation"),
    ],
)
def test_mistakes_are_said_in_words(shell, capsys, cell, said):
    outcome = shell.run_cell(cell)
    assert type(outcome.error_in_exec).__name__ == "UsageError"
    printed = capsys.readouterr()
    assert said in printed.out + printed.err
    assert "Traceback" not in printed.out + printed.err


def test_new_forgets_everything(shell):
    run(shell, "%%symderiv\nx: (n,)")
    assert run(shell, "%%symderiv --new s\ny: (n,)").success
    assert list(shell.user_ns["s"].names.scope.names) == ["y"]


def test_the_tutorial_shows_what_it_says():
    pytest.importorskip("IPython", reason="IPython is not installed: pip install 'symderiv[notebook]'")
    import notebooks

    tutorial = notebooks.read(notebooks.TUTORIAL)
    kept = [cell["outputs"] for cell in notebooks.code_cells(tutorial)]
    found = notebooks.executed(tutorial)
    for cell, was, now in zip(notebooks.code_cells(tutorial), kept, found, strict=True):
        assert was == now, "run `make tutorial`; the cell is\n" + "".join(cell["source"])
    assert sum(bool(outputs) for outputs in found) >= 12
