r"""Short names for long parts of a proof: points at which functions are differentiated, and inverses.

A derivative in entries of `w + eps * u` is one in entries of p, where p stands for that point; an inverse of a sum
that comes again and again has a letter.  What is named is told before the proof: `p = w + \varepsilon\,u`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterable, Iterator
from typing import Any

from symderiv.index.nodes import Argument, Entry, Tensor, all_indices, places
from symderiv.render.latex import Latex
from symderiv.render.mathtext import width
from symderiv.render.proof import grouped
from symderiv.tensor.expr import Expr, walk

POINTS, INVERSES = "pqzyc", "SGKRZ"
LONG = 5.0  # em of an inverse that gets a name
OFTEN = 4
LEAVES = ("var", "defined", "called", "entry", "number", "size")


def name_parts(arguments: Iterable[Argument], latex: Latex, taken: Container[str]) -> list[str]:
    """Give names to the long parts of a proof; return what they stand for, as LaTeX."""
    shown = [a for a in arguments if a.steps]
    lines = [line for a in shown for line in (a.left, *(g.after for g in grouped(a.steps)))]
    letters = {i.name for line in lines for i in all_indices(line)}
    forms = [latex.expressions[h.name] for line in lines for h in _heads(line) if h.name in latex.expressions]
    said = []
    for parts, alphabet in ((list(dict.fromkeys(_points(forms))), POINTS), (_inverses(forms, latex), INVERSES)):
        letter = next((c for c in alphabet if c not in taken and c not in letters), None)
        if letter is None:
            continue
        names = [letter] if len(parts) == 1 else [f"{letter}_{{{k}}}" for k in range(1, len(parts) + 1)]
        said += [f"{name} = {latex.matrix(part)}" for name, part in zip(names, parts, strict=True)]
        latex.shorthand |= dict(zip(parts, names, strict=True))
    return said


def _heads(line: Any) -> list[Tensor]:
    """Return the heads in a line in their order."""
    return list(dict.fromkeys(part.tensor for _, part in places(line) if isinstance(part, Entry)))


def _points(forms: Iterable[Expr]) -> Iterator[Expr]:
    """Yield the arguments, no names themselves, in which unknown functions are differentiated."""
    for form in forms:
        for e in walk(form):
            if e.op == "unknown" and len(e.data) > 1:
                yield from (e.args[s] for s in e.data[1] if e.args[s].op not in LEAVES and e.args[s].rank)


def _inverses(forms: Iterable[Expr], latex: Latex) -> list[Expr]:
    """Return the inverses of sums and products that come often."""
    found = Counter(e for form in forms for e in _all(form) if e.op == "inv" and e.args[0].op not in LEAVES)
    return [e for e, times in found.items() if times >= OFTEN and width(latex.matrix(e)) >= LONG]


def _all(expr: Expr) -> Iterator[Expr]:
    """Yield every part of an expression, as often as it stands there."""
    yield expr
    for a in expr.args:
        yield from _all(a)
