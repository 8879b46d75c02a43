"""Exercises and hints: what a claim looks like where its proof is left to the reader.

An *exercise* states the claim and leaves room. *Hints* show the lines of the proof with the name of each step, and a
blank for every expression. Neither tells what became of a claim, but a false claim is said to be false.
"""

from __future__ import annotations

import ast
from dataclasses import replace

from symderiv import trees
from symderiv.handout.options import EXERCISE, HINTS, SOLUTION
from symderiv.render.model import Block, ClaimView, CodeView, Line, ProofView
from symderiv.render.phrases import phrase

LEAST_ROOM, MOST_ROOM = 5, 18  # lines
TASKS = {"proved": "task_prove", "approximation": "task_approximate", "refuted": "task_refute",
         "rejected": "task_rejected"}  # fmt: skip
SUBTITLES = {EXERCISE: "exercises", HINTS: "hints"}


def as_variant(block: Block, variant: str, language: str) -> Block:
    """Return a part of a document as a variant shows it."""
    if variant == SOLUTION:
        return block
    if isinstance(block, ClaimView) and block.status == block.expected and block.kind != "table":
        return _claim(block, variant == HINTS, language)
    return _code(block, variant == HINTS, language) if isinstance(block, CodeView) else block


def _claim(view: ClaimView, hints: bool, language: str) -> ClaimView:
    """Return a claim to be proved; one that came out otherwise than its author expects is shown as it is."""
    key = TASKS.get(view.status)
    if key is None:
        return view
    where = [phrase(language, name) for name in ("sizes", "entry")]  # where it fails, not how
    lines = sum(len(proof.all_lines) for proof in view.proofs)
    proofs = tuple(map(_blanks, view.proofs)) if hints else ()
    filled_in = any(proof.all_lines for proof in proofs)
    return replace(
        view,
        basis="",
        proofs=proofs,
        counterexample=tuple(row for row in view.counterexample if hints and row[0] in where),
        correct="",
        remark="" if view.status == "rejected" else view.remark,
        layouts=(),
        task=phrase(language, "task_fill" if filled_in else key),
        room=0 if filled_in else max(LEAST_ROOM, min(MOST_ROOM, lines + 2)),
    )


def _blanks(proof: ProofView) -> ProofView:
    """Return a proof with a blank in the place of every expression; its steps keep their names."""
    parts = tuple(replace(part, lines=tuple(map(_blank, part.lines))) for part in proof.parts)
    return replace(proof, lines=tuple(map(_blank, proof.lines)), parts=parts, checked=False)


def _blank(line: Line) -> Line:
    return replace(line, right="", blank=True)


def _code(view: CodeView, hints: bool, language: str) -> CodeView:
    """Return a function to be written; as a hint its first line and what it returns."""
    task = phrase(language, "task_code")
    source = _head(view.source) if hints else ""
    lines = view.source.count("\n") + 1 - source.count("\n")
    return CodeView(source, view.subject or view.caption, "", task, max(LEAST_ROOM, min(MOST_ROOM, lines)))


def _head(source: str) -> str:
    """Return the first line and the docstring of every function in a source."""
    lines = source.splitlines()
    found = []
    for node in trees.module(source).body:
        if isinstance(node, ast.FunctionDef):
            first = node.body[0]
            documented = ast.get_docstring(node) is not None and first.end_lineno is not None
            end = first.end_lineno if documented else first.lineno - 1
            found.append("\n".join(lines[node.lineno - 1 : end]))
    return "\n\n\n".join(found)
