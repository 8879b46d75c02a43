"""LaTeX of the kind symderiv prints as plain text with Unicode letters, for a terminal."""

from __future__ import annotations

import re
from collections.abc import Mapping

SUBSCRIPTS = dict(zip("0123456789aehijklmnoprstuvx", "₀₁₂₃₄₅₆₇₈₉ₐₑₕᵢⱼₖₗₘₙₒₚᵣₛₜᵤᵥₓ", strict=True))
SUPERSCRIPTS = dict(zip("0123456789−+()n⊤", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺⁽⁾ⁿᵀ", strict=True))
_LOWER = "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi pi rho sigma tau upsilon"
_UPPER = "Gamma Delta Theta Lambda Xi Pi Sigma Upsilon Phi Psi Omega"
GREEK_NAMES = f"{_LOWER} phi chi psi omega varepsilon {_UPPER}".split()
GREEK = dict(zip(GREEK_NAMES, "αβγδεζηθικλμνξπρστυφχψωεΓΔΘΛΞΠΣΥΦΨΩ", strict=True))
SYMBOLS = GREEK | {
    "partial": "∂", "top": "⊤", "odot": " ⊙ ", "otimes": " ⊗ ", "times": "×", "cdot": " · ", "le": " ≤ ",
    "ge": " ≥ ", "geq": " ≥ ", "ne": " ≠ ", "neq": " ≠ ", "to": " → ", "lVert": "‖", "rVert": "‖", "ldots": "…",
    "dots": "…", "cdots": " ⋯ ", "prime": "′", "square": "□", "in": " ∈ ", "infty": "∞", "approx": " ≈ ",
    "quad": "  ", "qquad": "  ", ",": " ", ";": " ", ":": " ", " ": " ", "!": "", "\\": "; ",
}  # fmt: skip
SILENT = {"left", "right", "Bigl", "Bigr", "bigl", "bigr", "displaystyle", "limits", "nolimits"}
ACCENTS = {"hat": "\u0302", "widehat": "\u0302", "bar": "\u0304", "tilde": "\u0303", "dot": "\u0307", "ddot": "\u0308"}
WRAPPERS = {"mathrm", "mathbf", "mathbb", "mathcal", "mathit", "operatorname", "text", "boldsymbol"}


class Plain:
    """LaTeX mathematics, as the printers of symderiv write it, as readable text.

    With `small`, indices are small letters; `missed` tells that one had no small form.
    """

    def __init__(self, small: bool = True) -> None:
        self.small = small
        self.missed = False
        self.row: list[str] = []

    def __call__(self, latex: str) -> str:
        """Return a formula as text."""
        from symderiv.render.mathtext import tokens

        self.row = list(reversed(tokens(latex)))
        return " ".join(self.until("").split()).replace("( ", "(").replace(" )", ")").replace(" ;", ";")

    def text(self, text: str) -> str:
        """Return words with `$…$` among them as text."""
        from symderiv.render.inline import convert

        return convert(text, str, self)

    def until(self, stop: str) -> str:
        """Return everything up to a closing token."""
        said = ""
        while self.row and (token := self.row.pop()) != stop:
            part = self.part(token)
            apart = said[-1:].isalnum() and part[:1].isalnum() and token[0] == "\\" and token[1:] not in GREEK
            said += f" {part}" if apart else part
        return said

    def part(self, token: str) -> str:
        """Return one token with what belongs to it."""
        word = token[1:] if token[0] == "\\" else ""
        if token == "{":
            return self.until("}")
        if token in "_^":
            return self.script(token)
        if word in ("sum", "prod"):
            return self.with_limits({"sum": "Σ", "prod": "Π"}[word])
        if word in ("frac", "tfrac", "dfrac"):
            return self.fraction()
        if word == "sqrt":
            return f"√{_enclosed(self.item())}"
        if word in ("overset", "underset", "stackrel"):
            return (self.item(), self.item())[1]
        if word in ("underbrace", "overbrace"):
            return self.braced()
        if word in ("begin", "end"):
            cases = self.item() == "cases"
            return ("{ " if word == "begin" else " }") if cases else ""
        return self.atom(token, word)

    def atom(self, token: str, word: str) -> str:
        if not word:
            return {"-": "−", "&": " "}.get(token, token)
        if word in SILENT:
            self.skip_blanks()
            return ""
        if word in WRAPPERS:
            return self.item()
        if word in ACCENTS:
            inner = self.item()
            return inner + ACCENTS[word] if len(inner) == 1 else f"{word}{_enclosed(inner)}"
        if word in SYMBOLS:
            self.skip_blanks()
            return SYMBOLS[word]
        if not word.isalpha():
            return word
        self.skip_blanks()
        return word + (" " if self.row and self.row[-1][0] not in "(_^" and self.row[-1] != r"\left" else "")

    def item(self) -> str:
        """Return the argument of a command."""
        self.skip_blanks()
        return self.part(self.row.pop()) if self.row else ""

    def skip_blanks(self) -> None:
        while self.row and self.row[-1].isspace():
            self.row.pop()

    def script(self, mark: str) -> str:
        """Return an index or an exponent: in small letters, or after its mark."""
        inner = self.item().replace("⊙ ", "⊙").strip()
        if mark == "^":
            if all(c in SUPERSCRIPTS for c in inner):
                return small_form(inner, SUPERSCRIPTS)
            return f"^{_enclosed(inner)}"
        letters = inner.replace(",", "")
        if letters.isdigit() or (self.small and all(c in SUBSCRIPTS for c in letters)):
            told_apart = inner if "," in inner and not letters.isalpha() else letters  # 4,i is not 4i
            return small_form(told_apart, SUBSCRIPTS | {",": ","})
        self.missed = True
        return f"_{inner}" if len(inner) == 1 else f"_{{{inner}}}"

    def with_limits(self, sign: str) -> str:
        """Return a sum over its indices; ranges that start at 1 are those of the shapes, any other is written."""
        said, high = sign, ""
        self.skip_blanks()
        while self.row and self.row[-1] in ("_", "^"):
            if self.row.pop() == "_":
                low = self.item()
                high = "" if low.endswith("=1") or "=" not in low else "^"
                self.row += ["}", *reversed(low.removesuffix("=1")), "{"]
                said += self.script("_")
            elif high:
                said += f"^{_enclosed(self.item())}"
            else:
                self.item()
            self.skip_blanks()
        return f"{said} "

    def braced(self) -> str:
        """Return what a brace holds, with its note in square brackets."""
        said = self.item()
        self.skip_blanks()
        if not self.row or self.row[-1] not in ("_", "^"):
            return said
        self.row.pop()
        return f"{said} [{self.item()}]"

    def fraction(self) -> str:
        """Return `a/b`; a derivative as `∂f/∂x`."""
        top, low = self.item(), self.item()
        if top.startswith("d "):  # over free entries
            top, low = "d" + top[2:], "d" + low[2:]
            return f"{top}/{low}"
        if top.startswith("∂"):
            return f"{top}/{low if ' ' not in low else f'({low})'}" + (" " if top == "∂" else "")
        text = f"{_enclosed(top)}/{_enclosed(low)}"
        return f"({text})" if self.row and self.row[-1] in (r"\,", r"\left") else text


def small_form(text: str, forms: Mapping[str, str]) -> str:
    """Return a text in raised or lowered letters."""
    return "".join(forms[c] for c in text)


def _enclosed(text: str) -> str:
    """Return the text in brackets unless it is one piece."""
    return text if re.fullmatch(r"[^\s+−/]*", text) else f"({text})"
