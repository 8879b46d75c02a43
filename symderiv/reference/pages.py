"""The page of each rule: statement, proof, source, example, from the docstring of what checks it.

The docstring of a law of the kernel has a fixed form: paragraphs that state the rule, then `Proof:`, `Source:` and
`Example:`.  The example is a text that the engine works on (:mod:`symderiv.reference.examples`); the page shows what
it made of it.  A rule that only proofs from elsewhere use has none.
"""

from __future__ import annotations

import inspect
import re
from dataclasses import dataclass
from difflib import get_close_matches

from symderiv.check.kernel import rules
from symderiv.check.laws import LAWS
from symderiv.errors import UnsupportedError
from symderiv.reference.examples import Computed, computed

FIELDS = ("Proof", "Source", "Example")
GROUPS = {
    "calculus": "derivatives",
    "algebra": "algebra",
    "texts": "definitions and proofs",
    "equations": "equations",
}


@dataclass(frozen=True)
class Page:
    """What there is to say about a rule: texts with formulas between backticks, and an example to be computed."""

    name: str
    group: str
    statement: str
    proof: str
    source: str
    example: str = ""

    def computed(self) -> Computed | None:
        """Return what the engine makes of the example; None where there is no example."""
        return computed(self.example, self.name) if self.example else None


def names() -> tuple[str, ...]:
    """Return the names of all rules, by the alphabet."""
    return rules()


def page(name: str) -> Page:
    """Return the page of a rule; refuse a name that is none, with one that resembles it.

    >>> print(page("determinant").statement)
    `∂det(N)/∂x = det(N) Σ_kl N⁻¹[l,k] ∂N[k,l]/∂x` (Jacobi), for N invertible.
    """
    wanted = " ".join(re.split(r"[\s_-]+", name.strip().lower()))
    if wanted not in rules():
        near = get_close_matches(wanted, rules(), 3)
        hint = f"did you mean {' or '.join(near)}?" if near else f"known are {', '.join(rules())}"
        raise UnsupportedError(f"no rule is called {name!r}", hint=hint)
    law = LAWS[wanted]
    said = _fields(inspect.getdoc(law) or "")
    group = GROUPS.get(law.__module__.rpartition(".")[2], law.__module__)
    return Page(wanted, group, said[""], said.get("Proof", ""), said.get("Source", ""), said.get("Example", ""))


def pages() -> list[Page]:
    """Return every page: groups in the order of a textbook, the rules of each by the alphabet."""
    order = list(GROUPS.values())
    found = [page(name) for name in rules()]
    return sorted(found, key=lambda p: (order.index(p.group) if p.group in order else len(order), p.name))


def _fields(docstring: str) -> dict[str, str]:
    r"""Return the parts of a docstring by name; what stands before the first name has none.

    >>> _fields(
    ...     "`f = g`.\n\nMore.\n\nProof: as\nshown.\n\nExample:\n    x: ()\n    assert x == x"
    ... )
    {'': '`f = g`.\n\nMore.', 'Proof': 'as shown.', 'Example': 'x: ()\nassert x == x'}
    """
    parts = re.split(rf"^({'|'.join(FIELDS)}):", docstring, flags=re.MULTILINE)
    found = {"": "\n\n".join(" ".join(p.split()) for p in parts[0].strip().split("\n\n"))}
    for name, text in zip(parts[1::2], parts[2::2], strict=True):
        block = text.startswith("\n")
        found[name] = inspect.cleandoc(text).strip() if block else " ".join(text.split())
    return found


__all__ = ["Page", "names", "page", "pages"]
