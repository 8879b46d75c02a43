r"""Reading LaTeX mathematics as far as printing needs it: is it harmless, how wide is it, where may it break.

Mathematics from a handout's prose reaches TeX, so it is admitted by a list of what is known, never by a
list of what is feared: ``\input`` and its relatives are unknown words and are printed as code instead.
"""

# ruff: noqa: SIM905 - a table of words reads better as words

from __future__ import annotations

import re
import string
from functools import lru_cache

# Control words of amsmath and amssymb that a handout may use. Others are printed as code.
_KNOWN = frozenset(
    """
    alpha beta gamma delta epsilon varepsilon zeta eta theta vartheta iota kappa varkappa lambda mu nu
    xi pi varpi rho varrho sigma varsigma tau upsilon phi varphi chi psi omega Gamma Delta Theta Lambda
    Xi Pi Sigma Upsilon Phi Psi Omega ell hbar imath jmath Re Im wp aleph partial nabla infty emptyset
    varnothing forall exists nexists top bot prime angle square blacksquare Box lozenge star bigstar
    dagger ddagger pm mp times div cdot ast circ bullet oplus ominus otimes odot oslash wedge vee cap
    cup setminus uplus sqcap sqcup diamond triangle triangleleft triangleright land lor lnot neg le leq
    leqslant ge geq geqslant ll gg ne neq equiv sim simeq approx cong propto doteq asymp prec succ
    preceq succeq in ni notin subset subseteq subsetneq supset supseteq mid nmid parallel perp vdash
    models to gets leftarrow rightarrow leftrightarrow Leftarrow Rightarrow Leftrightarrow mapsto
    longmapsto longrightarrow longleftarrow Longrightarrow implies impliedby iff uparrow downarrow
    hookrightarrow xrightarrow xleftarrow sum prod coprod int iint iiint oint bigcup bigcap bigoplus
    bigotimes bigodot bigwedge bigvee limits nolimits sin cos tan cot sec csc arcsin arccos arctan sinh
    cosh tanh coth exp log ln lg det dim ker deg gcd min max inf sup lim limsup liminf arg Pr bmod pmod
    mod operatorname mathop mathrel mathbin mathord mathopen mathclose frac dfrac tfrac cfrac binom
    tbinom dbinom sqrt overline underline hat widehat tilde widetilde bar vec dot ddot acute grave check
    breve overrightarrow overleftarrow overbrace underbrace overset underset stackrel substack phantom
    hphantom vphantom smash boxed mathrm mathbf mathit mathsf mathtt mathcal mathbb mathfrak boldsymbol
    pmb text textrm textbf textit texttt textnormal left right middle big Big bigg Bigg bigl bigr Bigl
    Bigr biggl biggr Biggl Biggr bigm Bigm lvert rvert lVert rVert vert Vert langle rangle lceil rceil
    lfloor rfloor lbrace rbrace lbrack rbrack backslash dots ldots cdots vdots ddots dotsb dotsc dotsm
    dotsi colon quad qquad thinspace enspace displaystyle textstyle scriptstyle begin end hline not
    """.split()
)
_ENVIRONMENTS = frozenset(
    """
    aligned alignedat gathered split cases matrix pmatrix bmatrix Bmatrix vmatrix Vmatrix smallmatrix array
    """.split()
)
_LEAVING = frozenset("%#$\\")  # a comment, a parameter, the end of the mathematics, a lone backslash
_ESCAPABLE = frozenset(r"\ ,;:!>{}|%#&_$" + string.ascii_letters)
_TOKEN = re.compile(r"\\[A-Za-z]+\*?|\\.|[{}^_&]|\s+|.", re.DOTALL)
_TEXT = re.compile(r"\\text\{(?:[^{}]|\{[^{}]*\})*\}")
_ENVIRONMENT = re.compile(r"\\(?:begin|end)\s*\{([^}]*)\}")


@lru_cache(maxsize=4096)
def tokens(latex: str) -> tuple[str, ...]:
    """Control words, escaped characters, runs of blanks and single characters."""
    return tuple(_TOKEN.findall(latex))


def inner(latex: str) -> str:
    """Displays within a display, as notebooks write them, as the parts of a display that they mean."""
    latex = re.sub(r"\\(begin|end)\{(align|gather)\*?\}", r"\\\1{\2ed}", latex)
    return re.sub(r"\\(?:begin|end)\{equation\*?\}|\\(?:notag|nonumber)(?![A-Za-z])", "", latex)


def is_harmless(latex: str) -> bool:
    """Whether TeX can set this and stay in the mathematics: known words, balanced braces, nothing else."""
    text = _without_text_math(latex)
    if any(token in _LEAVING for token in tokens(text)) or re.search(r"\^\^|\n\s*\n", text):
        return False
    if not text.replace("\n", " ").isprintable():
        return False
    if any(len(token) == 2 and token[0] == "\\" and token[1] not in _ESCAPABLE for token in tokens(text)):
        return False
    words = [token.strip("\\*") for token in tokens(text) if re.fullmatch(r"\\[A-Za-z]+\*?", token)]
    if any(word not in _KNOWN for word in words):
        return False
    if any(name not in _ENVIRONMENTS for name in _ENVIRONMENT.findall(text)):
        return False
    return _is_balanced(text)


def _without_text_math(latex: str) -> str:
    r"""Drop the dollars of ``\text{… $x$ …}``, which are the only ones allowed."""
    return _TEXT.sub(lambda match: re.sub(r"(?<!\\)\$([^$]*)\$", r"{\1}", match.group()), latex)


def _is_balanced(latex: str) -> bool:
    """Braces, fences and environments close as they open, and only within them are there columns and rows."""
    braces = fences = environments = 0
    for token in tokens(latex):
        if token in {"&", r"\\"} and not braces and not environments:
            return False
        braces += (token == "{") - (token == "}")
        fences += (token == r"\left") - (token == r"\right")
        environments += (token == r"\begin") - (token == r"\end")
        if min(braces, fences, environments) < 0:
            return False
    return braces == fences == environments == 0


# --- breaking long lines --------------------------------------------------------------------------

_RELATIONS = frozenset(
    r"= < > \le \leq \ge \geq \ne \neq \approx \equiv \sim \in \notin \to \mapsto \subset \iff".split()
)
_SIGNS = frozenset({"+", "-", r"\pm", r"\mp"})
_OPENERS = frozenset({"{", "(", "[", r"\left", r"\begin", r"\{", r"\langle", r"\lVert", r"\lvert"})
_CLOSERS = frozenset({"}", ")", "]", r"\right", r"\end", r"\}", r"\rangle", r"\rVert", r"\rvert"})
_SIZED = re.compile(r"\\(?:big|Big|bigg|Bigg)[lrm]?")


def segments(latex: str) -> tuple[str, ...]:
    """The pieces between which a line may break: before every relation and sign that no bracket encloses."""
    pieces: list[str] = []
    for token, breaks in _marked(latex):
        if breaks or not pieces:
            pieces.append("")
        pieces[-1] += token
    return tuple(piece.strip() for piece in pieces if piece.strip())


def breakable(latex: str, room: float, most: float = 0.0) -> tuple[str, ...]:
    """The segments, those wider than the room parted between factors as well, and within a factor wider than `most`."""
    return tuple(chunk for segment in segments(latex) for chunk in _chunks(segment, room, most or room))


def _chunks(segment: str, room: float, most: float) -> list[str]:
    """The parts of a product, each as long as the room allows; a factor too wide even alone is opened."""
    if width(segment) <= room:
        return [segment]
    chunks = [""]
    for factor in _factors(segment):
        first, *more = _opened(factor, room) if width(factor) > most else [factor]
        if chunks[-1] and width(chunks[-1] + first) > room:
            chunks.append("")
        chunks[-1] += first
        chunks += more
    return chunks


def _opened(factor: str, room: float) -> list[str]:
    """The pieces of a wide factor: what a bracket holds, part by part; a fraction as a product with its bracket."""
    fraction = _fraction(factor)
    if fraction is not None:
        above, below, rest = fraction
        if len(segments(above)) == 1 and len(_factors(above)) == 1:
            return [factor]
        if len(segments(above)) == 1:
            return _chunks(rf"\frac{{1}}{{{below}}}\,{above}{rest}", room, room)
        factor = rf"\frac{{1}}{{{below}}}\,\left({above}\right){rest}"
    split = _bracket(factor)
    if split is None or len(segments(split[2])) == 1:
        return [factor]
    before, (opening, closing), body, after = split
    pieces = breakable(body, room - width(before))
    return [before + opening + pieces[0], *pieces[1:-1], pieces[-1] + closing + after]


def _fraction(factor: str) -> tuple[str, str, str] | None:
    """Numerator, denominator and what follows, where a factor begins with a fraction that is no derivative."""
    row = tokens(factor)
    if row[:1] != (r"\frac",):
        return None
    parts: list[str] = []
    start, depth = 1, 0
    for k, token in enumerate(row[1:], 1):
        depth += (token == "{") - (token == "}")
        if depth == 0 and len(parts) < 2:
            parts.append("".join(row[start + 1 : k]))
            start = k + 1
    if len(parts) < 2 or parts[1].lstrip().startswith((r"\partial", r"\mathrm{d}")):
        return None
    return parts[0], parts[1], "".join(row[start:])


def _bracket(factor: str) -> tuple[str, tuple[str, str], str, str] | None:
    r"""The widest bracket of a factor: what stands before it, its ends, its inside, what stands after it.

    Its ends stand in different lines, so that ``\left(`` and ``\right)`` become brackets of a fixed size.
    """
    row = tokens(factor)
    found: list[tuple[int, int]] = []
    opened: list[int] = []
    for k, token in enumerate(row):
        if token in {"(", "{"}:
            opened.append(k)
        elif token in {")", "}"} and opened:
            start = opened.pop()
            if token == ")" and not opened:
                found.append((start, k))
    if not found:
        return None
    start, end = max(found, key=lambda ends: ends[1] - ends[0])
    tall = row[start - 1 : start] == (r"\left",)
    before, after = row[: start - tall], row[end + 1 :]
    body = row[start + 1 : end - tall]
    ends = (r"\biggl(", r"\biggr)") if tall else ("(", ")")
    return "".join(before), ends, "".join(body), "".join(after)


def _factors(segment: str) -> list[str]:
    """What thin spaces part outside of all brackets, each with the space after it."""
    factors, depth, before = [""], 0, ""
    for token in tokens(segment):
        if before not in {r"\left", r"\right"}:
            depth += (token in _OPENERS) - (token in _CLOSERS)
        before = token
        factors[-1] += token
        if token == r"\," and not depth:
            factors.append("")
    return [f for f in factors if f]


def _marked(latex: str) -> list[tuple[str, bool]]:
    """Each token with whether a line may break before it."""
    marked: list[tuple[str, bool]] = []
    depth = 0
    before = ""  # the last token that is not blank; a sign after a relation or at the start is part of its term
    for token, argument in _with_stacked(latex):
        operator = token in _RELATIONS or token in _SIGNS or argument
        breaks = depth == 0 and operator and before not in {"", "^", "_", *_RELATIONS, *_SIGNS}
        if token in _OPENERS and before not in {r"\left", r"\right"}:
            depth += 1
        elif token in _CLOSERS and before not in {r"\left", r"\right"}:
            depth = max(0, depth - 1)
        marked.append((token, breaks))
        before = before if token.isspace() or _SIZED.fullmatch(token) else "=" if argument else token
    return marked


def _with_stacked(latex: str) -> list[tuple[str, bool]]:
    r"""Tokens, with ``\overset{…}{=}`` as one of them, marked as a relation."""
    stacked = re.compile(r"\\(?:overset|underset|stackrel)\{(?:[^{}]|\{[^{}]*\})*\}\{(?:=|\\approx|\\le|\\ge)\}")
    parts: list[tuple[str, bool]] = []
    end = 0
    for match in stacked.finditer(latex):
        parts += [(token, False) for token in tokens(latex[end : match.start()])]
        parts.append((match.group(), True))
        end = match.end()
    return parts + [(token, False) for token in tokens(latex[end:])]


def relation_first(latex: str) -> tuple[str, str]:
    """An equation as its left side and the rest, which starts with the relation; the rest may be empty."""
    left, *rest = _relation_segments(latex)
    return left, " ".join(rest)


def _relation_segments(latex: str) -> list[str]:
    pieces: list[str] = []
    for segment in segments(latex):
        if pieces and segment.startswith(("+", "-", r"\pm", r"\mp")):
            pieces[-1] += f" {segment}"
        else:
            pieces.append(segment)
    return pieces or [""]


# --- width ----------------------------------------------------------------------------------------

_SCRIPT = 0.7  # the size of an index against its base
_SPACES = {r"\,": 0.17, r"\:": 0.22, r"\;": 0.28, r"\ ": 0.33, r"\!": -0.17, r"\quad": 1.0, r"\qquad": 2.0}
_WIDE = {r"\sum": 1.44, r"\prod": 1.28, r"\cdots": 1.17, r"\dots": 1.17, r"\ldots": 1.17, r"\int": 1.0}
_SILENT = frozenset(
    r"""
    \left \right \bigl \bigr \Bigl \Bigr \biggl \biggr \big \Big \displaystyle \limits \nolimits \mathrm
    \mathbf \mathbb \mathcal \mathsf \mathit \boldsymbol \operatorname \mathop \mathrel \mathbin \hat
    \tilde \bar \vec \dot \widehat \widetilde \overline \underline \middle \not \notag \nonumber
    """.split()
)
_BINARY = frozenset(r"+ - \pm \mp \times \cdot \odot \circ \otimes \oplus \ast".split())


def width(latex: str) -> float:
    """The width of a line in em, a few per cent too wide rather than too narrow."""
    return _Ruler(tokens(latex)).row()


def is_square(token: str) -> bool:
    """Whether this is a Chinese or Japanese character."""
    return bool(token) and ord(token[0]) > 0x2E7F


class _Ruler:
    """Adds up widths along a row of tokens."""

    def __init__(self, row: tuple[str, ...]) -> None:
        self._row = [token for token in row if not token.isspace()]
        self._at = 0

    def row(self, stop: str = "") -> float:
        """The width up to the closing token, or to the end."""
        total = widest = 0.0
        limits = 0.0  # width of the operator whose limits stand above and below it
        while self._at < len(self._row):
            token = self._next()
            if token == stop:
                break
            if token == r"\\":
                widest, total = max(widest, total), 0.0
            elif token in "^_":
                script = _SCRIPT * self._item()
                total += max(0.0, script - limits) if limits else self._script(script, token)
            else:
                item = self._width(token)
                limits = item if token in {r"\sum", r"\prod", r"\underbrace", r"\overbrace"} else 0.0
                total += item
        return max(widest, total)

    def _next(self) -> str:
        token = self._row[self._at]
        self._at += 1
        return token

    def _script(self, first: float, mark: str) -> float:
        """Indices above and below share their room."""
        if self._at < len(self._row) and self._row[self._at] in {"^", "_"} - {mark}:
            self._at += 1
            return max(first, _SCRIPT * self._item())
        return first

    def _item(self) -> float:
        return self._width(self._next()) if self._at < len(self._row) else 0.0

    def _width(self, token: str) -> float:
        if token == "{":
            return self.row("}")
        if token in _SPACES:
            return _SPACES[token]
        if token in _SILENT:
            return 0.0
        if token in {r"\frac", r"\dfrac", r"\tfrac", r"\binom"}:
            return max(self._item(), self._item()) * (_SCRIPT if token == r"\tfrac" else 1.0) + 0.24
        if token in {r"\overset", r"\underset", r"\stackrel"}:
            return max(_SCRIPT * self._item(), self._item()) + 0.55
        if token in {r"\text", r"\textbf", r"\textit", r"\texttt"}:
            return self._text()
        if token in {r"\begin", r"\end"}:
            self._item()
            return 0.5
        return _atom(token)

    def _text(self) -> float:
        total, depth = 0.0, 0
        while self._at < len(self._row):
            token = self._next()
            depth += (token == "{") - (token == "}")
            total += 1.0 if is_square(token) else 0.52  # blanks are not counted, so letters count for a little more
            if depth == 0:
                break
        return total


def _atom(token: str) -> float:
    if token in _RELATIONS:
        return 1.35
    if token in _BINARY:
        return 1.23
    if token in _WIDE:
        return _WIDE[token] + 0.17
    if token in "()[]|,;:.!'" or token in {r"\{", r"\}"}:
        return 0.42
    if token == "&":
        return 1.0
    if is_square(token):
        return 1.0
    if len(token) > 1 and token[1:] in {"exp", "log", "sin", "cos", "tan", "tanh", "det", "max", "min", "ln"}:
        return 0.52 * (len(token) - 1) + 0.17
    return 0.8 if token.isupper() else 0.58
