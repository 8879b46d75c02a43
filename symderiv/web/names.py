r"""Mathematics in which the page can tell the names: each is marked, so that it can say what a name stands for.

The marks are KaTeX's `\htmlData`; what is copied is printed without them.  While lines are broken a mark is one
character of those that no text has, as its width counts then.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from symderiv import dims
from symderiv.render.latex import Latex
from symderiv.tensor.expr import Expr, walk
from symderiv.tensor.text import FunctionName, to_text

LONGEST = 400  # characters of a definition that is shown in full


FIRST, MOST = 0xE000, 6000  # characters for private use
MARK = re.compile("\\{([\ue000-\uf7ff])")


class MarkedLatex(Latex):
    """Prints a name that stands for something with a mark, by its number in a list."""

    def __init__(self, numbers: Mapping[str, int], *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.numbers = numbers

    def name(self, name: str) -> str:
        text = super().name(name)
        number = self.numbers.get(name)
        return text if number is None or number >= MOST else f"{{{chr(FIRST + number)}{text}}}"


def with_data(latex: str) -> str:
    r"""Return mathematics with its marks as KaTeX reads them.

    >>> print(with_data("{\ue003u}_{i}"))
    \htmlData{name=3}{u}_{i}
    """
    return MARK.sub(lambda found: rf"\htmlData{{name={ord(found[1]) - FIRST}}}{{", latex)


def told(
    roots: Iterable[Expr], functions: Mapping[FunctionName, str], expressions: Mapping[str, Expr] | None = None
) -> list[dict[str, str]]:
    """Return what each name of some expressions stands for: declared arrays first, then definitions."""
    latex = Latex(dict(expressions or {}), functions=functions)
    arrays: dict[str, Expr] = {}
    definitions: dict[str, Expr] = {}
    for e in walk(*roots):
        if e.op == "var":
            arrays.setdefault(e.name, e)
        elif e.op == "defined":
            definitions.setdefault(e.name, e)
    rows = [_row(latex, e, "", "") for e in arrays.values()]
    for name, e in definitions.items():
        body = e.args[0]
        text = to_text(body, functions) if body.weight <= LONGEST else ""
        rows.append(_row(latex, e, text, f"{latex.name(name)} = {latex.matrix(body)}" if text else ""))
    return rows


def _row(latex: Latex, e: Expr, text: str, whole: str) -> dict[str, str]:
    traits = ", ".join(sorted(e.data[1])).replace("_", " ") if e.op == "var" else ""
    return {
        "name": e.name, "kind": e.op, "shape": dims.written(e.shape), "text": text, "traits": traits,
        "latex": whole or latex.name(e.name) + _space(latex, e.shape),
    }  # fmt: skip


def _space(latex: Latex, shape: Sequence[dims.Size]) -> str:
    sizes = r" \times ".join(latex.size(s) for s in shape)
    return r" \in \mathbb{R}" + (f"^{{{sizes}}}" if sizes else "")


def numbered(rows: Sequence[Mapping[str, str]]) -> dict[str, int]:
    """Return the place of each name in a list of what names stand for."""
    return {row["name"]: place for place, row in enumerate(rows)}
