from __future__ import annotations

import time

import pytest

from symderiv.errors import ParseError
from symderiv.latex.grammar import parsed
from symderiv.latex.layout import laid_out
from symderiv.latex.source import Within


def kinds(text: str) -> list[str]:
    return [t.type for t in laid_out(text).tokens]


def words(text: str) -> str:
    return " ".join(str(t) or "|" for t in laid_out(text).tokens)


# -- rows, columns, remarks


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (r"a &= b \\ &= c", "a = b = c"),
        (r"a = b \\ c = d", "a = b | c = d"),
        (r"a &= b \\ &\quad + c", "a = b + c"),
        (r"a &= b \\ -c &= d", "a = b | - c = d"),  # a minus before the & begins an equation
        (r"a = b \\ - c", "a = b - c"),
        (r"a = b + \\ c", "a = b + c"),
        (r"a &=& b \\ &=& c", "a = b = c"),
        (r"\[ a = b \] \[ c = d \]", "a = b | c = d"),
        (r"\begin{align*} a &= b \\[4pt] &= c \end{align*}", "a = b = c"),
        (r"\begin{equation}\begin{aligned}[t] a &= b \end{aligned}\end{equation}", "a = b"),
        (r"$a = b$", "a = b"),
        ("a = b % a comment = c\n + d", "a = b + d"),
        (r"a = b, \quad \text{so}", "a = b so"),
        (r"a = b.", "a = b"),
        (r"a \overset{j=l}{=} b \stackrel{\text{def}}{=} c", "a = b = c"),
        (r"\left( a \right) \bigl[ b \bigr]", "( a ) [ b ]"),
        (r"a \tag{1} \label{eq:a} = b", "a = b"),
        (r"x^Ty", "x ^ T y"),
        (r"\frac12 \frac ab", "frac 1 2 frac a b"),
        (r"V_{:i}", "V _ { : , i }"),
        (r"x^{\prime} y^\prime", "x ' y '"),
    ],
)
def test_rows(text: str, expected: str) -> None:
    assert words(text) == expected


def test_remarks_are_kept_where_they_stand() -> None:
    layout = laid_out(r"a &= b && 1-\sigma(t)=\tfrac{1}{2} \qquad\square\\ &\overset{k=l}{=} c & \text{für } $k = l$")
    assert [text for _, text in layout.remarks] == [r"1-\sigma(t)=\tfrac{1}{2}", "k=l", r"\text{für }"]


def test_bars_open_and_close() -> None:
    assert kinds(r"\|x\|\|y\|")[::2] == ["NORML", "NORMR", "WORD"]
    assert kinds(r"|a||b|") == ["ABSL", "WORD", "ABSR", "ABSL", "WORD", "ABSR"]
    assert kinds(r"\left\| a \right\| \lVert b \rVert") == ["NORML", "WORD", "NORMR"] * 2


# -- places


def test_places_in_a_text_around_it() -> None:
    outer = 'x: (n,)\nassert latex(r"""a =\n  \\foo""")'
    with pytest.raises(ParseError) as refused:
        laid_out("a =\n  \\foo", "notes.md", Within(outer, 2, 17))
    assert str(refused.value).splitlines()[:3] == [
        r"the command \foo is not read (notes.md, line 3, column 3)",
        r'    \foo""")',
        "    ^^^^",
    ]


# -- refusals


@pytest.mark.parametrize(
    ("text", "message", "column"),
    [
        (r"\input{/etc/passwd}", "is no mathematics", 1),
        (r"a = b && \input{x}", "is no mathematics", 10),
        (r"\def\x{a}", "is no mathematics", 1),
        (r"\csname a\endcsname", "is no mathematics", 1),
        (r"a \frob b", r"the command \frob is not read", 3),
        (r"\begin{pmatrix} a \end{pmatrix}", "the environment pmatrix is not read", 1),
        (r"a &= b & c &= d", "a second column of equations", 10),
        (r"a &= b && = c", "an equality where a remark is expected", 11),
        (r"x^10", "only the 1 of 10 stands above or below", 3),
        (r"\left. a \right|", "a bracket without its other half", 1),
        (r"{a \\ b}", "the line ends inside of braces", 4),
        (r"a; b", "in the middle of a formula", 2),
        ("x = ∂", "the character '∂' is not read here", 5),
        ("\frac{1}{2}", "a character that does not show", 1),
        ("x = \tanh(y)", "a character that does not show", 5),
        ("x = \\\x06", "a character that does not show, U.0006", 6),
        ("x \x1f= y", "a character that does not show, U.001F", 3),
        (r"\overset{a}{b}", "over an equals sign only", 1),
        (r"\text", "takes a group in braces", 6),
        (r"\mathrm{a", "this brace is never closed", 8),
        ("", "the LaTeX is empty", None),
        ("% only a comment", "the LaTeX is empty", None),
    ],
)
def test_what_is_not_read(text: str, message: str, column: int | None) -> None:
    with pytest.raises(ParseError, match=message.replace("\\", r"\\").replace("(", r"\(")) as refused:
        laid_out(text)
    place = refused.value.place
    assert column is None or (place is not None and place.column + 1 == column)


@pytest.mark.parametrize("space", " \t\n")
def test_a_backslash_before_a_blank_is_a_blank(space: str) -> None:
    assert [t.type for t in laid_out(f"a \\{space}= b").tokens] == ["WORD", "EQUAL", "WORD"]


@pytest.mark.parametrize(
    ("text", "message", "column"),
    [
        ("a = b +", "the formula ends where a factor is expected", 7),
        ("a = (b", "the formula ends where ) is expected", 6),
        ("(a]", "] stands where ) is expected", 3),
        ("a } b", "} stands where an operation or the end is expected", 3),
        ("a^^b", "^ stands where a factor is expected", 3),
        ("a = = b", "= stands where a factor is expected", 5),
        (r"\frac{a}", "the formula ends where a factor is expected", 8),
        (r"a \approx b", r"\approx stands where an operation or the end is expected", 3),
    ],
)
def test_formulas_that_are_none_say_what_was_expected(text: str, message: str, column: int) -> None:
    with pytest.raises(ParseError) as refused:
        parsed(laid_out(text))
    assert refused.value.message == message
    assert refused.value.place is not None and refused.value.place.column + 1 == column


HOSTILE = [
    "{" * 10**5, "{" * 10**5 + "}" * 10**5,
    "(" * 10**5, "a" * 10**5, "\\frac" * 3000, "_" * 10**4,
    "a_" * 5000, "$" * 10**4, "&" * 10**4, r"\\" * 9000, r"\left(" * 3000, "|" * 9000, r"\text{" * 3000, "%" * 10**5,
    r"\begin{align}" * 1000, "'" * 9000 + "a", r"\overset{" * 2000, "\\" * 9999, "a=" * 8000, "\0", "a\u202e=b",
]  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE, ids=lambda t: f"{t[:9]!r} {len(t)}")
def test_hostile_texts_are_refused_in_bounded_time(text: str) -> None:
    start = time.perf_counter()
    with pytest.raises(ParseError):
        parsed(laid_out(text))
    assert time.perf_counter() - start < 3
