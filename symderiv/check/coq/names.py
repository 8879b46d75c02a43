"""Names of a proof as identifiers of Coq: ASCII, no word that Coq or the certificate's own lemmas take."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

from symderiv.check.coq.core import CORE

KEYWORDS = frozenset(
    re.findall(
        r"\S+",
        """
        F R as at by coq cofix do else end etrans esym erefl exists exists2 fix for forall fun have if in is let match
        move nat of only ordinal congr1 return ring rewrite apply case exact pose section set suff then transitivity
        using where wlog with without True False Prop SProp Set Type bool true false GRing Ring S O I
        """,
    )
)
LEMMAS = re.findall(r"(?:Lemma|Definition) (\w+)", CORE)


class Identifiers:
    """Gives every name of a proof one identifier, and no two names the same."""

    def __init__(self, taken: Iterable[str] = ()) -> None:
        self.taken = {*KEYWORDS, *LEMMAS, *taken}
        self.given: dict[tuple[str, str], str] = {}

    def of(self, kind: str, name: str, wish: str = "") -> str:
        """Return the identifier of a name, a wish if one is told; `kind` tells apart what is called alike.

        >>> names = Identifiers()
        >>> names.of("array", "D.T @ B"), names.of("array", "in"), names.of("index", "in")
        ('D_T_B', 'in1', 'in2')
        """
        if (kind, name) not in self.given:
            self.given[kind, name] = self.new(wish or name)
        return self.given[kind, name]

    def new(self, wish: str) -> str:
        """Return an identifier that nothing has yet."""
        bare = "_".join(re.findall(r"[A-Za-z0-9]+", "".join(map(_spelled, wish)))) or "x"
        bare = bare if bare[0].isalpha() else f"x{bare}"
        found, count = bare, 0
        while found in self.taken:
            count += 1
            found = f"{bare}{count}"
        self.taken.add(found)
        return found


def _spelled(letter: str) -> str:
    """Return a letter that is not ASCII as a word: the last one of its name in Unicode."""
    if letter.isascii():
        return letter
    *kind, word = unicodedata.name(letter, "x").split()
    return f" {word.capitalize() if 'CAPITAL' in kind else word.lower()} "
