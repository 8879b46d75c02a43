"""Exercises and hints: what they show, and above all what they keep to themselves."""

from __future__ import annotations

import re

import pytest

from symderiv.handout.build import build, read_and_decide, rendered
from symderiv.handout.variants import LEAST_ROOM, as_variant
from symderiv.render.model import ClaimView, CodeView

TEXT = """---
title: Notes
appendix: true
checks: true
---
```symderiv
D: (m, n)
W: (n, p)
loss: function()
A = D @ W
E = loss(A)
B = diff(E, A)
assert diff(A[i,j], W[k,l]) == D[i,k] * delta[j,l], "L1"
assert diff(E, W) == D.T @ B, "L2"
assert not (diff(E, W) == 2 * D.T @ B), "L3"
assert not (diff(E, W) == B @ W), "L4"
code(diff(E, W))
```
"""


@pytest.fixture(scope="module")
def notes(tmp_path_factory):
    path = tmp_path_factory.mktemp("source") / "notes.md"
    path.write_text(TEXT, encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def built(notes):
    return {v: read_and_decide(notes, variant=v) for v in ("solution", "exercise", "hints")}


def claims(one):
    return {b.label: b for b in one.document.blocks if isinstance(b, ClaimView)}


def test_every_variant_decides_the_same(built):
    records = [one.records for one in built.values()]
    assert records[0] == records[1] == records[2] and len(records[0]) == 5


def test_an_exercise_states_the_claim_and_leaves_room(built):
    solution, exercise = claims(built["solution"]), claims(built["exercise"])
    for label in ("L1", "L2"):
        one = exercise[label]
        assert one.statement == solution[label].statement and not one.proofs
        assert one.room >= max(LEAST_ROOM, len(solution[label].proofs[0].lines)) and "Prove" in one.task
    assert "false" in exercise["L3"].task and "shapes" in exercise["L4"].task
    assert exercise["L4"].quoted == "diff(E, W) == B @ W"


@pytest.mark.parametrize("variant", ["exercise", "hints"])
@pytest.mark.parametrize("fmt", ["md", "tex"])
def test_no_line_of_a_proof_is_given_away(built, variant, fmt):
    page = rendered(built[variant], fmt).decode()
    statements = "".join(c.statement for c in claims(built["solution"]).values())
    for claim in claims(built["solution"]).values():
        for line in (line for proof in claim.proofs for line in proof.all_lines):
            assert line.right in statements or line.right not in page
    assert "return" not in page.replace("Returns", "").replace("Return ", "")  # no code but heads
    assert "proved" not in page and r"\qquad\square" not in page and "relative difference" not in page
    assert claims(built["solution"])["L3"].correct not in statements
    assert all(not c.correct for c in claims(built[variant]).values())


def test_hints_name_every_step_and_leave_the_expressions_blank(built):
    solution, hints = claims(built["solution"]), claims(built["hints"])
    for label in ("L1", "L2"):
        whole, gaps = solution[label].proofs[0].all_lines, hints[label].proofs[0].all_lines
        assert [g.reason for g in gaps] == [w.reason for w in whole]
        assert [g.left for g in gaps] == [w.left for w in whole]
        assert all(g.blank and not g.right for g in gaps) and not hints[label].proofs[0].checked
    assert rendered(built["hints"], "tex").count(rb"\underline{\hspace") == sum(
        len(solution[label].proofs[0].lines) for label in ("L1", "L2")
    )
    assert [name for name, _ in hints["L3"].counterexample] == ["sizes", "entry"] and hints["L3"].room


def test_code_is_to_be_written(built):
    (exercise,) = (b for b in built["exercise"].document.blocks if isinstance(b, CodeView))
    (hint,) = (b for b in built["hints"].document.blocks if isinstance(b, CodeView))
    assert not exercise.source and exercise.room and "Write" in exercise.task
    assert hint.source.startswith("def dE_dW(D, W, dloss):") and hint.source.endswith('"""') and hint.room


def test_what_came_out_otherwise_is_shown_as_it_is(tmp_path):
    path = tmp_path / "notes.md"
    path.write_text("```symderiv\nx: (n,)\nassert x == 2 * x\n```\n", encoding="utf-8")
    page = rendered(read_and_decide(path, variant="exercise"), "md").decode()
    assert "refuted" in page and "expected" in page


def test_a_solution_is_left_as_it_is(built):
    for block in built["solution"].document.blocks:
        assert as_variant(block, "solution", "en") is block


@pytest.mark.parametrize(("language", "word"), [("en", "Exercises"), ("de", "Aufgaben"), ("ja", "演習問題")])
def test_the_variant_is_said_below_the_title(notes, language, word):
    page = rendered(read_and_decide(notes, variant="exercise", language=language), "md").decode()
    assert f"**{word}**" in page


def test_an_exercise_has_files_of_its_own_and_no_module(notes, tmp_path):
    for variant in ("solution", "exercise"):
        build([notes], tmp_path, ["md", "py"], variant=variant)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["notes-exercise.md", "notes.md", "notes.py"]


def test_there_is_room_in_every_format(built):
    pytest.importorskip("pypandoc", reason="pandoc comes with the extra symderiv[handout]")
    exercise = claims(built["exercise"])
    room = sum(c.room for c in exercise.values()) + next(
        b.room for b in built["exercise"].document.blocks if isinstance(b, CodeView)
    )
    page = rendered(built["exercise"], "html").decode()
    assert sum(map(int, re.findall(r'class="room" style="--lines: (\d+)"', page))) == room
    assert rendered(built["exercise"], "tex").decode().count(r"\dotfill") == room
    assert rendered(built["exercise"], "md").decode().count("&nbsp;") == room


def test_the_pdf_of_an_exercise_has_its_room(built):
    pytest.importorskip("pypandoc", reason="pandoc comes with the extra symderiv[handout]")
    pytest.importorskip("typst", reason="typst comes with the extra symderiv[handout]")
    pymupdf = pytest.importorskip("pymupdf", reason="the PDF is measured with pymupdf")
    document = pymupdf.open(stream=rendered(built["exercise"], "pdf"))
    spots = [spot for page in document for spot in page.search_for("Prove this.")]
    assert len(spots) == 2
    heights = [spot.y0 for spot in document[0].search_for("Claim L")]
    assert heights[1] - spots[0].y1 > LEAST_ROOM * 9 / 25.4 * 72 * 0.9  # 9 mm a line
