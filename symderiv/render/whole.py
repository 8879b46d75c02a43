r"""A whole proof in one piece: what its names stand for, every chain of equalities, what was to be shown.

`openings` are the definitions that a proof runs over, entry by entry; `display` sets chains as one `aligned`
environment between dollar signs, as Jupyter (MathJax) and VS Code (KaTeX) show it: without `\tag`, which KaTeX
does not know there, and with long sides broken.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from symderiv.index.nodes import Entry, Names, all_indices, heads
from symderiv.index.rules import rename_bound
from symderiv.render.latex import Latex
from symderiv.render.mathtext import width
from symderiv.render.model import Line, ProofView
from symderiv.render.plain import SUBSCRIPTS
from symderiv.render.proof import proof_views
from symderiv.render.tex import broken, reason_math, safe

PAGE = 48.0  # em that a cell of a notebook has for an equation
WIDEST_LEFT = 20.0  # em of a left side that stands beside its equation
WITHOUT_SMALL_FORM = frozenset("abcdefghijklmnopqrstuvwxyz") - frozenset(SUBSCRIPTS)


def whole(parts: Iterable[Any], latex: Latex, detail: str, language: str, checked: bool) -> list[ProofView]:
    """Return a replayed derivation, definitions first; the box □ closes the last chain where all is checked."""
    found: list[ProofView] = []
    for part in parts:
        opening = openings(part, latex)
        found += [ProofView(opening, False)] if opening else []
        found += proof_views(part, latex, detail, language)
    found = [view for view in found if view.lines]
    if checked and found:
        found[-1] = replace(found[-1], checked=True)
    return found


def openings(part: Any, latex: Latex) -> tuple[Line, ...]:
    """Return the definitions of a chain, each entry by entry, inner ones first."""
    lines = []
    for d in reversed(part.context.chain.values()):
        if d.body is None:
            continue
        names = {i.name for i in (*all_indices(d.body), *d.indices)} - {b.name for b in _bound(d)}
        letters = Names(WITHOUT_SMALL_FORM | names | {h.name for h in heads(d.body)})
        body = rename_bound(d.body, letters)
        lines.append(Line(latex.index(Entry(d.tensor, *d.indices)), "=", latex.index(body)))
    return tuple(lines)


def _bound(definition: Any) -> set[Any]:
    return set(all_indices(definition.body)) - set(definition.indices)


def display(views: Sequence[ProofView], closing: Sequence[str] = ()) -> str:
    r"""Return chains, and equations after them, as `$$\begin{aligned} … \end{aligned}$$`.

    >>> print(display([ProofView((Line("f", "=", "a", "definition"), Line("", "=", "b")), True)]))
    $$\begin{aligned}
    f &= a && \text{definition} \\
    &= b && \square
    \end{aligned}$$
    """
    chains = [list(_rows(view)) for view in views] + ([list(_equations(closing))] if closing else [])
    body = " \\\\[12pt]\n".join(" \\\\\n".join(rows) for rows in chains if rows)
    return f"$$\\begin{{aligned}}\n{body}\n\\end{{aligned}}$$"


def _rows(view: ProofView) -> Iterable[str]:
    lines = view.all_lines
    for number, line in enumerate(lines, start=1):
        reason = [reason_math(line.reason)] if line.reason else []
        box = [r"\square"] if view.checked and number == len(lines) else []
        *before, last = _pieces(line)
        yield from before
        yield last + (" && " + r" \qquad ".join(reason + box) if reason or box else "")


def _pieces(line: Line) -> list[str]:
    """Return a line in rows: a wide left side on its own, the right side broken where it is too wide."""
    left, relation = safe(line.left), safe(line.relation)
    wide = width(line.left) > WIDEST_LEFT
    first, *more = broken(safe(line.right), PAGE - (0.0 if wide else width(line.left)))
    head = f"&{relation} {first}" if wide else f"{left} &{relation} {first}".lstrip()
    return [*([f"&{left}"] if wide else []), head, *(rf"&\qquad {piece}" for piece in more)]


def _equations(closing: Sequence[str]) -> Iterable[str]:
    """Yield equations aligned at their first relation."""
    for equation in closing:
        left, sign, right = equation.partition(" = ")
        yield from _pieces(Line(left, "=", right)) if sign else [f"&{equation}"]


__all__ = ["display", "openings", "whole"]
