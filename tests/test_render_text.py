"""Phrases, the reading of LaTeX, and Markdown prose in every format."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

import symderiv
from symderiv.render import inline, mathtext, phrases, tex
from symderiv.render.md import MarkdownWriter
from symderiv.render.model import Line
from symderiv.render.phrases import languages, phrase
from symderiv.render.tex import TexWriter
from symderiv.render.typ import TypstWriter

TABLES = Path(symderiv.__file__).parent / "render" / "phrases"


# --- phrases --------------------------------------------------------------------------------------


def test_a_phrase_takes_its_values() -> None:
    assert phrase("de", "chain_rule_through", node="A") == "Kettenregel über $A$"


def test_an_unknown_phrase_raises() -> None:
    with pytest.raises(KeyError, match="no_such_phrase"):
        phrase("en", "no_such_phrase")


def test_a_missing_value_raises() -> None:
    with pytest.raises(KeyError, match="node"):
        phrase("en", "chain_rule_through")


def test_a_missing_phrase_is_english(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(phrases, "_own", lambda: {"en": _table("en"), "de": {}})
    assert phrase("de", "proof") == "Proof"


def test_there_are_three_languages() -> None:
    assert set(languages()) >= {"de", "en", "ja"}


@pytest.mark.parametrize("language", languages())
def test_every_table_has_the_same_phrases_with_the_same_values(language: str) -> None:
    english, table = _table("en"), _table(language)
    assert set(table) == set(english)
    for key, value in table.items():
        assert set(_values(value)) == set(_values(english[key])), key
        assert value.strip()


def test_every_phrase_that_is_asked_for_by_name_is_there() -> None:
    code = "".join(path.read_text(encoding="utf-8") for path in Path(symderiv.__file__).parent.rglob("*.py"))
    asked = re.findall(r'phrase\((?:self\.\w+, |language, )?"(\w+)"', code)
    templates = Path(symderiv.__file__).parent.parent / "templates"
    texts = [path.read_text("utf-8", "replace") for path in templates.glob("*.*")]
    asked += [key for text in texts for key in re.findall(r'words\("(\w+)"\)', text)]
    assert len(asked) > 30
    assert set(asked) <= set(_table("en"))


def test_japanese_is_printed_with_japanese_signs() -> None:
    """No comma, colon or bracket of European type stands beside a Japanese letter."""
    letter, sign = "[\u3040-\u30ff\u4e00-\u9fff]", "[,.:;()!?]"
    for key, value in _table("ja").items():
        assert not re.search(f"{letter}{sign}|{sign}{letter}", value), key


def _table(language: str) -> dict[str, str]:
    return tomllib.loads((TABLES / f"{language}.toml").read_text(encoding="utf-8"))


def _values(value: str) -> list[str]:
    return re.findall(r"<([a-z_]+)>", value)


# --- reading LaTeX --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "latex",
    [
        r"\sum_{i=1}^{m} \frac{a}{b}",
        r"\bigl(1+e^{-t}\bigr)^{-1}",
        r"\begin{cases} 1 & j = k \\ 0 & \text{else} \end{cases}",
        r"\text{if $x$ is $y$}",
        r"h''(a) \% \# \{x\}",
    ],
)
def test_mathematics_is_admitted(latex: str) -> None:
    assert mathtext.is_harmless(latex)


@pytest.mark.parametrize(
    "latex",
    [
        r"\input{/etc/passwd}",
        r"\csname input\endcsname",
        r"^^5cinput{x}",
        r"x$ \input{x} $",
        r"x}{",
        r"\end{document}",
        r"\begin{filecontents}",
        "a % b",
        "a\n\nb",
        r"\def\x{}",
        "a#1",
        "a\\",
        r"\left( x",
        r"\\% x",
        r"\) x \(",
        "a & b",
    ],
)
def test_anything_else_is_not(latex: str) -> None:
    assert not mathtext.is_harmless(latex)


def test_lines_break_before_signs_outside_of_brackets() -> None:
    assert mathtext.segments(r"a = -b + (c + d) \overset{j=l}{=} \bigl(x - y\bigr) - z^{a+b}") == (
        "a",
        "= -b",
        "+ (c + d)",
        r"\overset{j=l}{=} \bigl(x - y\bigr)",
        "- z^{a+b}",
    )


def test_a_break_keeps_every_token() -> None:
    latex = r"\sum_i a_i + \frac{b}{c} - \left(d + e\right) = f"
    assert "".join("".join(mathtext.segments(latex)).split()) == "".join(latex.split())


def test_japanese_letters_are_as_wide_as_they_are_high() -> None:
    assert mathtext.width(r"\text{連鎖律}") == pytest.approx(3 + 0.52, abs=0.6)
    assert mathtext.width(r"\text{連鎖律}") > 1.5 * mathtext.width(r"\text{abc}")


def test_width_grows_with_what_is_printed() -> None:
    assert mathtext.width(r"\frac{a}{b}") < mathtext.width("a + b") < mathtext.width("a + b + c")
    assert mathtext.width(r"x_{ij}^{(2)}") < mathtext.width("x i j (2)")


def test_dollars_in_text() -> None:
    assert inline.pieces(r"by $x_i$, for \$5") == ((False, "by "), (True, "x_i"), (False, ", for $5"))
    assert inline.pieces("costs $5") == ((False, "costs $5"),)


# --- proofs and prose -----------------------------------------------------------------------------


def test_reasons_go_to_the_margin_where_the_line_is_long() -> None:
    wide = " + ".join([r"\frac{\partial a_i}{\partial b_j}"] * 12)
    narrow = tex.aligned((Line("y", "=", "x", "why"),), checked=True)
    assert r"&& \text{why} \qquad\square" in narrow
    assert r"\tag*{why\quad $\square$}" in tex.aligned((Line("y", "=", wide, "why"),), checked=True)


def test_a_new_left_side_gets_a_little_space() -> None:
    lines = (Line("a", "=", "b"), Line("", "=", "c"), Line("d", "=", "e"))
    assert tex.aligned(lines, checked=False).splitlines()[1:4] == [
        r"  a &= b\\",
        r"  &= c\\[4pt]",
        "  d &= e",
    ]


PROSE = """# Heading

Some *emphasis*, **strength**, `code_x`, $x_i$ and a [link](https://example.org/a_b).

1. first
2. second

> quoted

| a | b |
| --- | --- |
| $x$ | 50% |

---

```
x = 1
```
"""


def test_prose_in_tex() -> None:
    written = TexWriter().prose(PROSE)
    for part in (
        r"\section*{Heading}",
        r"\emph{emphasis}, \textbf{strength}, \texttt{code\_x}, $x_i$",
        r"\href{https://example.org/a\_b}{link}",
        "\\begin{enumerate}\n\\item first",
        r"$x$ & 50\% \\",
        "\\begin{verbatim}\nx = 1\n",
    ):
        assert part in written


def test_money_is_no_mathematics() -> None:
    assert TexWriter().prose("from $5 to $6") == r"from \$5 to \$6"


def test_a_script_link_is_text() -> None:
    assert r"\href" not in TexWriter().prose("[a](javascript:alert(1))")


def test_code_within_typst_text_cannot_take_the_text_as_its_argument() -> None:
    assert TypstWriter(lambda formula: None).prose("*a*(b)") == "#emph[a];(b)"


def test_a_fence_is_longer_than_the_ticks_inside() -> None:
    assert MarkdownWriter().code("a = '```'").startswith("````python\n")


def test_a_display_within_a_display_is_a_part_of_it() -> None:
    written = TexWriter().prose("$$\n\\begin{align*} a &= b \\\\ c &= d \\end{align*}\n$$")
    assert written == "\\[\n  \\begin{aligned} a &= b \\\\ c &= d \\end{aligned}\n\\]"


def test_a_long_product_breaks_between_factors_and_nowhere_else() -> None:
    product = r"\sum_{a,\,b} A_{a}\,\left(B\,C\right)\,\left.D\,E\right|_{x}\,\frac{F}{H}\,K"
    assert mathtext.breakable(product, 1000.0) == (product,)
    pieces = mathtext.breakable(product, 1.5)
    assert pieces == (
        r"\sum_{a,\,b} A_{a}\,", r"\left(B\,C\right)\,", r"\left.D\,E\right|_{x}\,", r"\frac{F}{H}\,", "K",
    )  # fmt: skip
    assert all(map(mathtext.is_harmless, pieces)) and "".join(pieces) == product
    assert mathtext.breakable("A + B", 1.0) == ("A", "+ B")


@pytest.mark.parametrize(
    ("latex", "pieces"),
    [
        (r"2\,\left(A - B + D\right)\,E", (r"2\,\biggl(A", "- B", r"+ D\biggr)\,", "E")),
        (r"\sum_{i} (a + b)", (r"\sum_{i} (a", "+ b)")),
        (r"\frac{A\,B}{1 + c}\,D", (r"\frac{1}{1 + c}\,", r"A\,B\,", "D")),
        (r"\frac{A + B}{c}", (r"\frac{1}{c}\,\biggl(A", r"+ B\biggr)")),
        (r"\frac{\partial (A + B)}{\partial x}", (r"\frac{\partial (A + B)}{\partial x}",)),
        (r"f\left(x\right)^{-1}", (r"f\left(x\right)^{-1}",)),
    ],
)
def test_a_wide_factor_is_opened_at_the_signs_in_its_bracket(latex: str, pieces: tuple[str, ...]) -> None:
    assert mathtext.breakable(latex, 2.6) == pieces
    assert all(map(mathtext.is_harmless, pieces))
    assert not any("bigg" in piece for piece in mathtext.breakable(latex, 1.0, 100.0))
