r"""LaTeX mathematics as runs of text in a line: for SVG, which has letters and shifts but no mathematics.

Known is what the printer of this package writes: names with scripts and accents, operators, brackets, functions,
fractions (written with a stroke), roots.  Anything else has no line, and :func:`runs` returns None.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from symderiv.render.mathtext import tokens
from symderiv.render.mathtext import width as set_width
from symderiv.render.symbols import GREEK

SCRIPT = 0.72  # the size of a script against its base
RAISED, LOWERED = 0.38, -0.2  # em of the base
THIN, MEDIUM = "\u2009", "\u2005"

SIGNS = {
    r"\partial": "∂", r"\nabla": "∇", r"\sum": "∑", r"\prod": "∏", r"\infty": "∞", r"\top": "⊤", r"\ell": "ℓ",
    r"\lVert": "‖", r"\rVert": "‖", r"\lvert": "|", r"\rvert": "|", r"\|": "‖", r"\langle": "⟨", r"\rangle": "⟩",
    r"\{": "{", r"\}": "}", r"\lbrace": "{", r"\rbrace": "}", r"\dots": "…", r"\ldots": "…", r"\cdots": "⋯",
    r"\varepsilon": "ε", r"\prime": "′", r"\_": "_", "'": "′",
}  # fmt: skip
OPERATORS = {
    "+": "+", "-": "−", r"\odot": "⊙", r"\otimes": "⊗", r"\oplus": "⊕", r"\oslash": "⊘", r"\times": "×",
    r"\cdot": "·", r"\circ": "∘", r"\pm": "±",
}  # fmt: skip
RELATIONS = {
    "=": "=", "<": "<", ">": ">", r"\le": "≤", r"\leq": "≤", r"\ge": "≥", r"\geq": "≥", r"\ne": "≠", r"\neq": "≠",
    r"\in": "∈", r"\approx": "≈", r"\to": "→", r"\sim": "∼", r"\equiv": "≡",
}  # fmt: skip
SPACES = {r"\,": THIN, r"\:": THIN, r"\;": MEDIUM, r"\ ": MEDIUM, r"\!": "", r"\quad": "\u2003"}
WORDS = frozenset("exp log ln sin cos tan sinh cosh tanh arcsin arccos arctan det max min dim ker deg sup inf".split())  # noqa: SIM905
BAR = "\u0304"
ACCENTS = {r"\bar": BAR, r"\overline": BAR, r"\hat": "\u0302", r"\tilde": "\u0303", r"\dot": "\u0307",
           r"\vec": "\u20d7"}  # fmt: skip
UPRIGHT = frozenset([r"\mathrm", r"\operatorname", r"\text", r"\textrm", r"\mathit"])
SIZED = frozenset(rf"\{size}{side}" for size in ("big", "Big", "bigg", "Bigg") for side in ("", "l", "r", "m"))
FRACTIONS = frozenset([r"\frac", r"\tfrac", r"\dfrac"])
DOUBLE = {"R": "ℝ", "N": "ℕ", "Z": "ℤ", "C": "ℂ", "Q": "ℚ", "E": "𝔼", "P": "ℙ"}


@dataclass(frozen=True)
class Run:
    """Characters of one style: `shift` (em, upward) and `size` against the line's, `back` (em) before them."""

    text: str
    style: str = "upright"
    shift: float = 0.0
    size: float = 1.0
    back: float = 0.0
    over: bool = False  # a line above

    @property
    def look(self) -> tuple[str, float, float, bool]:
        """Return what runs that can be put together have in common."""
        return self.style, self.shift, self.size, self.over


class _UnknownError(Exception):
    """Something that is not written in a line."""


@lru_cache(maxsize=4096)
def runs(latex: str) -> tuple[Run, ...] | None:
    r"""Return the runs of a formula; None where it cannot be written in a line.

    >>> [(r.text, r.style, r.shift) for r in runs(r"\bar{u}_{1}X^{\top}")]
    [('ū', 'italic', 0.0), ('1', 'upright', -0.2), ('X', 'italic', 0.0), ('T', 'upright', 0.38)]
    >>> runs(r"\begin{cases} x \end{cases}") is None
    True
    """
    try:
        return tuple(_merged(_Reader([t for t in tokens(latex) if not t.isspace()]).row("")))
    except _UnknownError:
        return None


def shown(latex: str) -> tuple[Run, ...]:
    """Return the runs of a formula; one that cannot be written in a line stands as it was typed."""
    return runs(latex) or (Run(latex),)


def width(found: Sequence[Run]) -> float:
    """Return the width of runs in em, as a face such as Times has it."""
    return sum(r.size * sum(map(_advance, r.text)) - r.back for r in found)


@lru_cache(maxsize=4096)
def room(latex: str) -> float:
    """Return the width of a formula in em, in a line or as TeX sets it: whichever is more."""
    return max(set_width(latex), width(shown(latex)))


def plain(found: Sequence[Run]) -> str:
    """Return the characters of runs."""
    return "".join(r.text for r in found)


class _Reader:
    def __init__(self, row: list[str]) -> None:
        self.tokens, self.at = row, 0

    def row(self, stop: str) -> list[Run]:
        """Return what stands before a closing token, or before the end."""
        found: list[Run] = []
        open_ = True  # a sign here belongs to its term: nothing stands before it
        while self.at < len(self.tokens):
            token = self.take()
            if token == stop:
                return found
            if token in "^_" and token:
                big = bool(found) and found[-1].text[-1:] in ("∑", "∏")
                found += [*self.scripts(token), *([Run(THIN)] if big else [])]
                continue
            item = self.sign(token, open_) if token in OPERATORS else self.item(token)
            is_word = token in UPRIGHT or token[1:] in WORDS
            if is_word and not open_ and found and found[-1].text[-1:] not in (THIN, MEDIUM, "(", "[", "∂"):
                found.append(Run(THIN))
            found += item
            open_ = token in OPERATORS or token in RELATIONS or token in ("(", "[", r"\{", r"\left", ",", "|")
        if stop:
            raise _UnknownError
        return found

    def take(self) -> str:
        """Return the next token."""
        if self.at == len(self.tokens):
            raise _UnknownError
        self.at += 1
        return self.tokens[self.at - 1]

    def peek(self) -> str:
        """Return the next token without taking it."""
        return self.tokens[self.at] if self.at < len(self.tokens) else ""

    def argument(self) -> list[Run]:
        """Return a group in braces, or a single token."""
        token = self.take()
        return self.row("}") if token == "{" else self.item(token)

    @staticmethod
    def sign(token: str, unary: bool) -> list[Run]:
        """Return an operator with the space around it, none where it is a sign."""
        text = OPERATORS[token]
        return [Run(text if unary else f"{MEDIUM}{text}{MEDIUM}")]

    def item(self, token: str) -> list[Run]:
        """Return what one token stands for, with its arguments."""
        special = self.special(token)
        if special is not None:
            return special()
        if token in RELATIONS:
            return [Run(f"{MEDIUM}{RELATIONS[token]}{MEDIUM}")]
        if token in SIGNS:
            return [Run(SIGNS[token])]
        if token in SPACES:
            return [Run(SPACES[token])]
        word = token[1:]
        if token.startswith("\\"):
            if word in GREEK:
                small = word[0].islower()
                name = f"GREEK {'SMALL' if small else 'CAPITAL'} LETTER {_SPELT.get(word.lower(), word).upper()}"
                return [Run(unicodedata.lookup(name), "italic" if small else "upright")]
            if word in WORDS:
                return [Run(word + self.gap())]
            raise _UnknownError
        if token in "}&#$%~":
            raise _UnknownError
        return [Run(token + THIN if token == "," else token, "italic" if token.isalpha() else "upright")]

    def special(self, token: str) -> Callable[[], list[Run]] | None:
        """Return how a token with arguments is written."""
        if token == "{":
            return lambda: self.row("}")
        if token in FRACTIONS:
            return self.fraction
        if token in UPRIGHT:
            return self.upright
        if token in ACCENTS:
            return lambda: self.accented(ACCENTS[token])
        if token == r"\mathbf":
            return lambda: [replace(r, style="bold") for r in self.argument()]
        if token == r"\mathbb":
            return lambda: [Run(self.double(r.text)) for r in self.argument()]
        if token == r"\sqrt":
            return lambda: [Run("√"), *_enclosed(self.argument())]
        if token in (r"\left", r"\right") or token in SIZED:
            return self.delimiter
        return None

    @staticmethod
    def double(text: str) -> str:
        """Return a letter of the blackboard."""
        if text not in DOUBLE:
            raise _UnknownError
        return DOUBLE[text]

    def delimiter(self) -> list[Run]:
        """Return a bracket of whatever height; a full stop is none."""
        token = self.take()
        return [] if token == "." else self.item(token)

    def upright(self) -> list[Run]:
        """Return a word: what is no letter in it stays as it is."""
        name = self.tokens[self.at - 1] == r"\operatorname"
        found = [replace(r, style="upright") for r in self.argument()]
        return [*found, Run(self.gap())] if name else found

    def gap(self) -> str:
        """Return the space between the name of a function and what it is taken of."""
        return "" if self.peek() in ("", "(", "[", "{", "}", "^", "_", r"\left", r"\{", ",", ")", r"\right") else THIN

    def accented(self, mark: str) -> list[Run]:
        """Return an accent on a letter, or a bar on a word; scripts may follow it under the accent."""
        found = _merged(self.argument())
        if not found or (len(found) > 1 and not found[1].shift) or found[0].shift:
            raise _UnknownError
        marked = unicodedata.normalize("NFC", found[0].text + mark)
        if len(marked) == 1:
            return [replace(found[0], text=marked), *found[1:]]
        if mark != BAR:
            raise _UnknownError
        return [replace(found[0], over=True), *found[1:]]

    def fraction(self) -> list[Run]:
        """Return a fraction with a stroke."""
        above, below = self.argument(), self.argument()
        return [*_enclosed(above, "+−"), Run("/"), *_enclosed(below, f"+−{THIN}·/⊙")]

    def scripts(self, token: str) -> list[Run]:
        """Return a script, or two that stand above one another."""
        first = self.script(token)
        other = {"^": "_", "_": "^"}[token]
        if self.peek() == "'":
            self.take()
            return [Run("′"), *first]
        if self.peek() != other:
            return first
        self.take()
        narrow, wide = sorted((first, self.script(other)), key=width)
        return [*narrow, replace(wide[0], back=wide[0].back + width(narrow)), *wide[1:]] if narrow else wide

    def script(self, token: str) -> list[Run]:
        """Return what stands above or below, small."""
        shift = RAISED if token == "^" else LOWERED
        inner = self.argument()
        if not inner:
            raise _UnknownError
        inner = [Run("T") if r.text == "⊤" else r for r in inner]  # few faces have the sign, and none of this width
        small = [replace(r, size=r.size * SCRIPT, shift=shift + r.shift * SCRIPT, back=r.back * SCRIPT) for r in inner]
        return [replace(r, text=r.text.replace(MEDIUM, "")) for r in small]


_SPELT = {"lambda": "lamda"}  # as Unicode names it


def _enclosed(found: list[Run], parting: str = f"+−{THIN}·/=") -> list[Run]:
    """Return runs in brackets where something parts them."""
    depth = 0
    for run in found:
        for char in run.text if not run.shift else "":
            depth += (char in "([{⟨") - (char in ")]}⟩")
            if depth == 0 and char in parting:
                return [Run("("), *found, Run(")")]
    return found


def _merged(found: list[Run]) -> list[Run]:
    """Return runs with those of one style put together."""
    merged: list[Run] = []
    for run in found:
        last = merged[-1] if merged else None
        if last is not None and last.look == run.look and not run.back:
            merged[-1] = replace(last, text=last.text + run.text)
        elif run.text:
            merged.append(run)
    return merged


# Advance widths of letters in em, as faces of the kind of Times have them.
_NARROW = {**dict.fromkeys("ijlt'|.,′", 0.28), **dict.fromkeys("frs()[]-/", 0.36), **dict.fromkeys("mwMW", 0.82)}
_NARROW |= {THIN: 0.17, MEDIUM: 0.25, "\u2003": 1.0, "…": 1.0, "⋯": 1.0, "⊤": 0.65, "∑": 0.72, "∏": 0.82, "√": 0.55}


def _advance(char: str) -> float:
    if char in _NARROW:
        return _NARROW[char]
    if unicodedata.combining(char):
        return 0.0
    if ord(char) > 0x2E7F:
        return 1.0
    if ord(char) > 0x2100:
        return 0.7
    return 0.7 if char.isupper() else 0.52


__all__ = ["Run", "plain", "room", "runs", "shown", "width"]
