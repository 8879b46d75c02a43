"""Proofs as data: chains of lines, and for each line the rules that were used, where and on what."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from symderiv.errors import UnsupportedError
from symderiv.index.nodes import Argument, Step, at
from symderiv.render.latex import Latex
from symderiv.render.mathtext import breakable
from symderiv.render.model import ProofView
from symderiv.render.proof import view
from symderiv.render.whole import openings
from symderiv.results import Proof
from symderiv.web.names import MarkedLatex, with_data

MOST_STEPS = 60  # that are shown for one line
LONGEST = 26.0  # em of a product that is kept on one line, marks and all


def shown(proof: Proof, numbers: Mapping[str, int], detail: str, language: str) -> list[dict[str, Any]]:
    """Return the chains of a proof, each after the definitions that it runs over; the last one closes with a box."""
    found = [chain(v) for v, _ in _views(proof, numbers, detail, language)]
    if found:
        found[-1]["checked"] = proof.accepted
    return found


def why(proof: Proof, detail: str, language: str, place: str) -> list[dict[str, str]]:
    """Return the steps of one line, named `chain.line`: rule, what it says, the part before and after."""
    try:
        number, row = (range(10**6).index(int(part)) for part in place.split("."))
        chosen, argument = list(_views(proof, {}, detail, language))[number]
        line = chosen.lines[row]
        steps = [argument.steps[k] for k in line.steps] if argument is not None else []
    except (ValueError, IndexError):
        raise UnsupportedError(f"the proof has no line {place!r}") from None
    latex = proof.latex()
    return [_step(step, latex) for step in steps[:MOST_STEPS]]


def chain(found: ProofView) -> dict[str, Any]:
    """Return one chain of lines as data."""
    lines = [
        {
            "left": with_data(line.left),
            "relation": line.relation,
            "right": [with_data(piece) for piece in breakable(line.right, LONGEST) or (line.right,)],
            "reason": with_data(line.reason),
            "rules": list(line.rules),
        }
        for line in found.all_lines
    ]
    return {"lines": lines, "checked": found.checked, "intro": with_data(found.intro), "cites": list(found.cites)}


def _views(
    proof: Proof, numbers: Mapping[str, int], detail: str, language: str
) -> Iterator[tuple[ProofView, Argument | None]]:
    """Yield each chain of a proof with the argument that it writes; definitions are chains without one."""
    latex = MarkedLatex(numbers, proof.expressions, functions=proof.functions)
    for part in proof.parts:
        opening = openings(part, latex)
        if opening:
            yield ProofView(opening, False), None
        for argument in part.arguments:
            found = view(argument, latex, detail, language)
            if found.lines:
                yield replace(found, checked=False), argument


def _step(step: Step, latex: Latex) -> dict[str, str]:
    from symderiv.reference.pages import page  # not before a reason is asked for: it brings much along

    rule = page(step.rule)
    return {
        "rule": step.rule,
        "statement": rule.statement,
        "proof": rule.proof,
        "before": latex.index(at(step.before, step.place)),
        "after": latex.index(at(step.after, step.place)),
    }
