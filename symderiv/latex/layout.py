r"""From LaTeX as typed to tokens: rows, columns and remarks are laid out, what does not show is left out.

A row that goes on with `=` or, behind an `&`, with a sign goes on with the row before; any other begins a chain of its
own.  What stands in a column behind the equation (`&& \text{reason}`) or over an equals sign is a remark.  Bounds on
length and nesting keep hostile texts cheap.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from difflib import get_close_matches
from typing import NoReturn

from lark import Token

from symderiv.errors import ParseError
from symderiv.latex import words
from symderiv.latex.source import Layout, Within
from symderiv.tensor.syntax import check_bounds

MOST_CHARACTERS = 20_000
MOST_TOKENS = 8_000

SCANNER = re.compile(
    r"""(?P<SKIP>\s+|%[^\n]*|~|\\[,;:!>/\s])
    |(?P<ROW>\\\\\*?(\s*\[\s*-?[\d.]+\s*(pt|em|ex|mm|cm|in)\s*\])?)
    |(?P<DISPLAY>\\[\[\]()]|\$\$?)
    |(?P<COMMAND>\\[A-Za-z]+\*?)
    |(?P<ESCAPED>\\.)
    |(?P<NUMBER>\d+(\.\d+)?)
    |(?P<WORD>[A-Za-z]+)
    |(?P<OTHER>.)""",
    re.VERBOSE | re.DOTALL,
)
# what Python makes of \\alpha, \\bar, \\vec, \\frac, \\right, \\tanh in a text that is not raw
EATEN = re.compile("[\a\b\v\f]|\r(?!\n)|\t(?=heta|anh|au|ext|ilde|imes|op|frac|r\\b)")
HIDDEN = re.compile("[\x00-\x1f\x7f](?<![\t\n\r])")
SINGLE = {
    "{": "LBRACE", "}": "RBRACE", "(": "LPAR", ")": "RPAR", "[": "LSQUARE", "]": "RSQUARE", "^": "CARET", "_": "UNDER",
    "'": "PRIME", "’": "PRIME", "+": "PLUS", "-": "MINUS", "−": "MINUS", "=": "EQUAL", "/": "OPERATOR", "*": "OPERATOR",
    ",": "COMMA", ":": "COLON", "<": "RELATION", ">": "RELATION",
}  # fmt: skip
TYPED = {
    "∂": r"\partial", "Σ": r"\sum", "∑": r"\sum", "∏": r"\prod", "·": r"\cdot", "⊙": r"\odot", "ᵀ": r"^\top",
    "∇": r"\nabla", "δ": r"\delta", "≈": r"\approx", "²": "^2", "!": "the factorial as a number",
}  # fmt: skip
OPENS = {"LPAR", "LSQUARE", "LCURLY", "NORML", "ABSL", "LANGLE"}
CLOSES = {"RPAR", "RSQUARE", "RCURLY", "NORMR", "ABSR", "RANGLE"}
JOINING = {"EQUAL", "PLUS", "MINUS", "OPERATOR", "RELATION"}
TAKES = {"FRAC": 2, "SQRT": 1, "ACCENT": 1, "FONT": 1, "UNDERBRACE": 1, "CARET": 1, "UNDER": 1}


def laid_out(text: str, source: str = "", within: Within | None = None) -> Layout:
    r"""Return the tokens of a text.

    >>> [t.type for t in laid_out(r"a &= b && \text{by (1)} \\ &\overset{i=j}{=} c").tokens]
    ['WORD', 'EQUAL', 'WORD', 'EQUAL', 'WORD']
    """
    check_bounds(text, source)
    if len(text) > MOST_CHARACTERS:
        raise ParseError(
            f"the LaTeX has {len(text)} characters, more than {MOST_CHARACTERS}", hint="check one derivation at a time"
        )
    if eaten := EATEN.search(text):
        hint = r"in Python, LaTeX is a raw text: r'\frac{…}{…}'"
        message = "a character that does not show, where a command was meant"
        Layout(text, source, within).refuse(eaten.start(), None, message, hint)
    if hidden := HIDDEN.search(text):
        message = f"the text holds a character that does not show, U+{ord(hidden.group()):04X}"
        Layout(text, source, within).refuse(hidden.start(), None, message, "delete it, or type the text anew")
    found = _Rows(Layout(text, source, within))
    found.run()
    found.layout.tokens = list(_arguments_apart(found.out, found.layout))
    if not found.out:
        raise ParseError("the LaTeX is empty", hint=r"write an equation, such as \frac{\partial E}{\partial b} = c")
    return found.layout


class _Rows:
    """One walk over the raw tokens."""

    def __init__(self, layout: Layout) -> None:
        self.layout, self.text = layout, layout.text
        self.raw = [m for m in SCANNER.finditer(self.text) if m.lastgroup != "SKIP"]
        if len(self.raw) > MOST_TOKENS:
            start = self.raw[MOST_TOKENS].start()
            layout.refuse(start, None, f"more than {MOST_TOKENS} symbols", "check one derivation at a time")
        for m in self.raw:
            if m.lastgroup == "COMMAND" and m.group()[1:].rstrip("*") in words.FORBIDDEN:
                layout.refuse(m.start(), m.end(), f"{m.group()} is no mathematics", "macros and files are not read")
        self.at = 0
        self.out: list[Token] = []
        self.open: list[str] = []  # brackets that are open
        self.braces = 0
        self.columns = 0  # of this row, so far
        self.broken = ""  # "row" or "display" where a new chain may begin
        self.side = ""  # the half of a bracket that \left or \right announced

    # -- raw tokens

    def peek(self, ahead: int = 0) -> str:
        """Return the raw token that comes, an empty text at the end."""
        k = self.at + ahead
        return self.raw[k].group() if k < len(self.raw) else ""

    def group(self, what: str) -> tuple[int, int]:
        """Read a group in braces, raw; return where its inside stands."""
        if self.peek() != "{":
            start = self.raw[self.at].start() if self.at < len(self.raw) else len(self.text)
            self.layout.refuse(start, None, f"{what} takes a group in braces", f"write {what}{{…}}")
        opening = self.raw[self.at].start()
        depth = 0
        while self.at < len(self.raw):
            m = self.raw[self.at]
            self.at += 1
            depth += (m.group() == "{") - (m.group() == "}")
            if not depth:
                return opening + 1, m.start()
        self.layout.refuse(opening, None, "this brace is never closed")

    # -- the walk

    def run(self) -> None:
        """Read all raw tokens."""
        while self.at < len(self.raw):
            m = self.raw[self.at]
            self.at += 1
            kind = m.lastgroup
            if kind == "ROW":
                self.row(m)
            elif kind == "DISPLAY":
                self.display(m)
            elif kind == "COMMAND":
                self.command(m, m.group()[1:])
            elif kind == "ESCAPED":
                self.escaped(m)
            elif m.group() == "&":
                self.column(m)
            elif kind in ("NUMBER", "WORD"):
                self.emit(kind, m)
            else:
                self.other(m)

    def emit(self, kind: str, m: re.Match[str], value: str | None = None, end: int | None = None) -> None:
        """Put a token out; after a break in the text it may begin a chain."""
        start, stop = m.start(), end if end is not None else m.end()
        if self.broken and self.out:
            continues = self.out[-1].type in JOINING or kind in ("EQUAL", "RELATION")
            if self.broken == "row" and kind in JOINING:
                continues = continues or self.columns > 0 or not self.has_columns()
            if not continues:
                self.out.append(Token("NEXT", "", start_pos=start, end_pos=start))
        self.broken = ""
        token = Token(kind, m.group() if value is None else value, start_pos=start, end_pos=stop)
        self.out.append(token)
        if kind in OPENS:
            self.open.append(kind)
        elif kind in CLOSES and self.open:
            self.open.pop()
        self.braces += (kind == "LBRACE") - (kind == "RBRACE")

    def has_columns(self) -> bool:
        """Tell whether an & comes before the end of this row."""
        depth = 0
        for m in self.raw[self.at :]:
            depth += (m.group() == "{") - (m.group() == "}")
            if m.lastgroup == "ROW" or m.group() in (r"\end", r"\begin"):
                return False
            if m.group() == "&" and depth <= 0:
                return True
        return False

    def row(self, m: re.Match[str]) -> None:
        if self.braces > 0:
            self.layout.refuse(m.start(), m.end(), "the line ends inside of braces", "close them before it ends")
        self.columns, self.broken = 0, "row"

    def display(self, m: re.Match[str]) -> None:
        if self.braces > 0:
            self.layout.refuse(m.start(), m.end(), "the formula ends inside of braces", "close them before it ends")
        self.columns, self.broken = 0, "display"

    def column(self, m: re.Match[str]) -> None:
        """Read `&`: a second one ends the equation, and what follows is a remark."""
        if self.braces > 0:
            self.layout.refuse(m.start(), m.end(), "a column inside of braces", "columns stand in rows of equations")
        self.columns += 1
        beside_relation = self.peek() == "=" or (bool(self.out) and not self.broken and self.out[-1].type == "EQUAL")
        if self.columns > 2 or (self.columns == 2 and not beside_relation):
            self.remark(m)

    def remark(self, m: re.Match[str]) -> None:
        """Leave out what stands behind the equation in its row."""
        reason = self.peek() == "&" or self.text[: m.start()].rstrip().endswith("&")
        while self.peek() == "&":
            self.at += 1
        first = self.at
        depth = 0
        while self.at < len(self.raw):
            raw = self.raw[self.at]
            if not depth and (raw.lastgroup in ("ROW", "DISPLAY") or raw.group() in (r"\end", r"\begin")):
                break
            depth += (raw.group() == "{") - (raw.group() == "}")
            self.at += 1
        inside = [r for r in self.raw[first : self.at] if not self.says_nothing(r)]
        if depth:
            self.layout.refuse(self.raw[first].start(), None, "the braces of this remark do not match")
        if not inside:
            return
        start, end = inside[0].start(), inside[-1].end()
        opening = inside[0].group()
        if opening == "=":
            hint = "one equation a line; a reason begins with words"
            self.layout.refuse(start, None, "an equality where a remark is expected", hint)
        if not reason and opening.lstrip("\\") not in {*words.TEXTS, *words.UPRIGHT}:
            hint = r"a second equation stands in a row of its own; a remark is written && \text{…}"
            self.layout.refuse(start, end, "a second column of equations", hint)
        self.layout.remarks.append((start, self.text[start:end]))

    @staticmethod
    def says_nothing(m: re.Match[str]) -> bool:
        return m.lastgroup == "COMMAND" and m.group()[1:] in words.SPACES

    # -- one token

    def other(self, m: re.Match[str]) -> None:
        """Read a single character."""
        char = m.group()
        kind = SINGLE.get(char)
        if char == "|":
            self.bar(m, "ABS", self.taken_side())
        elif char in ".;" or (char == "," and not self.open and not self.braces):
            if not self.ends_here():
                hint = "two formulas stand in rows of their own" if char != "." else "write \\cdot for a product"
                self.layout.refuse(m.start(), m.end(), f"{char!r} in the middle of a formula", hint)
        elif kind is None:
            self.unknown(m, char)
        else:
            self.taken_side()
            self.emit(kind, m)

    def unknown(self, m: re.Match[str], char: str) -> NoReturn:
        hint = f"write {TYPED[char]}" if char in TYPED else r"letters of mathematics are commands, such as \sigma"
        self.layout.refuse(m.start(), m.end(), f"the character {char!r} is not read here", hint)

    def ends_here(self) -> bool:
        """Tell whether a formula ends behind a full stop or a comma."""
        ahead = 0
        while self.at + ahead < len(self.raw) and (
            self.says_nothing(self.raw[self.at + ahead]) or self.peek(ahead) in (".", ",", ";")
        ):
            ahead += 1
        if self.at + ahead >= len(self.raw):
            return True
        m = self.raw[self.at + ahead]
        return m.lastgroup in ("ROW", "DISPLAY") or m.group() in ("&", r"\end", r"\begin", r"\text", r"\tag", r"\label")

    def escaped(self, m: re.Match[str]) -> None:
        """Read a command of one character that is no letter."""
        char = m.group()[1]
        if char == "|":
            self.bar(m, "NORM", self.taken_side())
        elif char in "{}":
            self.taken_side()
            self.emit("LCURLY" if char == "{" else "RCURLY", m)
        else:
            self.layout.refuse(m.start(), m.end(), f"the command {m.group()} is not read")

    def taken_side(self) -> str:
        side, self.side = self.side, ""
        return side

    def bar(self, m: re.Match[str], kind: str, side: str) -> None:
        """Read a bar: it closes where the innermost bracket is one of its kind, unless it says which half it is."""
        closes = side == "right" or (side != "left" and bool(self.open) and self.open[-1] == f"{kind}L")
        self.emit(f"{kind}R" if closes else f"{kind}L", m)

    def command(self, m: re.Match[str], name: str) -> None:
        """Read a command by its name."""
        if name not in words.UPRIGHT and name.endswith("*") and name not in words.SPACES_WITH_ARGUMENT:
            name = name[:-1]  # `\cdot*` is a product and a star
            self.layout.refuse(m.start(), m.end(), f"the command {m.group()} is not read")
        if name in words.SPACES:
            return
        if name in ("left", "right", *words.SIZES):
            self.sized(m, name)
        elif name in words.SPACES_WITH_ARGUMENT:
            self.group(m.group())
        elif name in ("begin", "end"):
            self.environment(m)
        elif name in ("overset", "stackrel", "underset"):
            self.over(m)
        elif name in words.UPRIGHT or name in words.TEXTS:
            self.upright(m, name)
        elif name in words.BARS:
            mark = words.BARS[name]
            side = self.taken_side() or {"(": "left", ")": "right"}.get(mark[1:], "")
            self.bar(m, "NORM" if mark[0] == "‖" else "ABS", side)
        elif name == "prime":
            self.prime(m)
        elif (kind := words.kind_of(name)) is not None:
            self.taken_side()
            self.emit(kind, m, words.value_of(kind, name))
        else:
            near = get_close_matches(name, words.KNOWN, 1)
            hint = words.HINTS.get(name) or (f"did you mean \\{near[0]}?" if near else "")
            self.layout.refuse(m.start(), m.end(), f"the command {m.group()} is not read", hint)

    def prime(self, m: re.Match[str]) -> None:
        r"""Read `x^\prime` and `x^{\prime}` as x'."""
        kinds = [t.type for t in self.out[-2:]]
        if kinds[-1:] == ["CARET"]:
            self.out.pop()
        elif kinds == ["CARET", "LBRACE"] and self.peek() == "}":
            del self.out[-2:]
            self.at, self.braces = self.at + 1, self.braces - 1
        self.emit("PRIME", m, "'")

    def sized(self, m: re.Match[str], name: str) -> None:
        r"""Read `\left` or `\bigl`: the bracket behind it counts, not its size."""
        following = self.peek()
        if following == ".":
            self.layout.refuse(m.start(), m.end() + 1, "a bracket without its other half", "brackets come in pairs")
        known = following in ("(", ")", "[", "]", "|", r"\|", r"\{", r"\}", r"\langle", r"\rangle", "/")
        if not known and following.lstrip("\\") not in words.BARS:
            self.layout.refuse(m.start(), m.end(), f"{m.group()} without a bracket behind it")
        if name in ("left", "right"):
            self.side = name
        elif name[-1] in "lr":
            self.side = "left" if name[-1] == "l" else "right"

    def environment(self, m: re.Match[str]) -> None:
        start, end = self.group(m.group())
        name = self.text[start:end].strip()
        if name not in words.ENVIRONMENTS:
            hint = "matrices are declared by name and shape" if "matrix" in name or name == "array" else ""
            self.layout.refuse(m.start(), end + 1, f"the environment {name} is not read", hint)
        if self.braces > 0:
            self.layout.refuse(m.start(), end + 1, "an environment inside of braces")
        if m.group() == r"\begin" and name == "aligned" and self.peek() == "[":
            self.at += 3  # `[t]`
        if m.group() == r"\begin" and name.rstrip("*") in ("alignat", "alignedat"):
            self.group(m.group())
        self.columns, self.broken = 0, "display"

    def over(self, m: re.Match[str]) -> None:
        r"""Read `\overset{t=k}{=}`: an equals sign with a remark."""
        above = self.group(m.group())
        start, end = self.group(m.group())
        inside = self.text[start:end].strip()
        if inside != "=":
            hint = r"write \overset{j=l}{=}"
            self.layout.refuse(m.start(), end + 1, f"{m.group()} is read over an equals sign only", hint)
        self.layout.remarks.append((m.start(), self.text[slice(*above)]))
        self.emit("EQUAL", m, "=", end + 1)

    def upright(self, m: re.Match[str], name: str) -> None:
        r"""Read `\operatorname{tr}`, `\mathrm{d}` or `\text{…}`: a word, or a remark."""
        if self.peek() != "{" and name not in words.TEXTS:
            self.emit("FONT", m)
            return
        start, end = self.group(m.group())
        inside = self.text[start:end].strip().replace("\\_", "_")
        if name in words.TEXTS:
            self.emit("TEXT", m, inside, end + 1)
        elif inside == "d":
            self.emit("PARTIAL", m, "d", end + 1)
        elif re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*|\d+", inside):
            self.emit("NAME", m, inside, end + 1)
        elif inside == r"\top":
            self.emit("TOP", m, inside, end + 1)
        else:
            self.layout.refuse(start, end, f"a word is expected in {m.group()}{{…}}")


def _arguments_apart(tokens: list[Token], layout: Layout) -> Iterator[Token]:
    r"""Yield the tokens with what TeX takes as an argument apart: `x^Ty` is x^T y, and `\frac12` one half."""
    wanted = [0]  # arguments that are still to come, inside of each brace
    before = ""
    for token in tokens:
        count = wanted[-1]
        if token.type == "LBRACE":
            wanted[-1] = max(0, count - 1)
            wanted.append(0)
        elif token.type == "RBRACE":
            if len(wanted) > 1:
                wanted.pop()
        elif token.type in TAKES:
            wanted[-1] = max(0, count - 1) + TAKES[token.type]
            if token.type in ("CARET", "UNDER"):
                wanted[-1] = count + 1
        elif token.type in ("WORD", "NUMBER"):
            text, start = str(token), token.start_pos or 0
            if before in ("CARET", "UNDER") and token.type == "NUMBER" and len(text) > 1:
                hint = f"write {'^' if before == 'CARET' else '_'}{{{text}}}"
                layout.refuse(start, token.end_pos, f"only the {text[0]} of {text} stands above or below", hint)
            while wanted[-1] and len(text) > 1:
                yield Token(token.type, text[0], start_pos=start, end_pos=start + 1)
                wanted[-1], text, start = wanted[-1] - 1, text[1:], start + 1
            wanted[-1] = max(0, wanted[-1] - 1)
            token = Token(token.type, text, start_pos=start, end_pos=token.end_pos)
        else:
            wanted[-1] = max(0, count - 1)
        inside = len(wanted) > 1
        if inside and (
            (token.type == "COLON" and before not in ("LBRACE", "COMMA"))
            or (before == "COLON" and token.type not in ("RBRACE", "COMMA"))
        ):
            yield Token("COMMA", ",", start_pos=token.start_pos, end_pos=token.start_pos)  # `V_{:i}`
        before = token.type
        yield token
