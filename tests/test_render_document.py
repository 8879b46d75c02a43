"""Each format renders a document typeset by hand; what users write stays inert; the bytes of LaTeX never
change."""

from __future__ import annotations

import dataclasses
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from symderiv.errors import SymderivError, UnsupportedError
from symderiv.render.convert import Formula, to_mathml, to_typst
from symderiv.render.document import pdf_by_latex, render
from symderiv.render.model import (
    Block,
    ClaimView,
    CodeView,
    Definitions,
    Document,
    Line,
    Problem,
    ProofView,
    Prose,
)

# --- four proofs typeset by hand: how a document should look --------------------------------------


def _proof(*lines: tuple[str, str, str, str], intro: str = "", cites: tuple[str, ...] = ()) -> ProofView:
    return ProofView(tuple(Line(*line) for line in lines), checked=True, intro=intro, cites=cites)


L2 = ClaimView(
    id="L2",
    label="L2",
    statement=r"\frac{\partial E}{\partial W_{kl}} = (D^{\top} B)_{kl}",
    status="proved",
    expected="proved",
    basis="kernel",
    proofs=(
        _proof(
            (
                r"\frac{\partial E}{\partial W_{kl}}",
                "=",
                r"\sum_{i=1}^{m}\sum_{j=1}^{p}\,\underbrace{\frac{\partial E}{\partial A_{ij}}}_{=\,B_{ij}}\,"
                r"\frac{\partial A_{ij}}{\partial W_{kl}}",
                "chain rule through $A$",
            ),
            ("", "=", r"\sum_{i,j} B_{ij}\, D_{ik}\,\delta_{jl}", "by (L1)"),
            ("", r"\overset{j=l}{=}", r"\sum_{i} B_{il}\, D_{ik}", r"contract $\delta_{jl}$"),
            ("", "=", r"\sum_{i} (D^{\top})_{ki}\, B_{il}", "transpose"),
            ("", "=", r"(D^{\top} B)_{kl}", "matrix product"),
            cites=("L1",),
        ),
    ),
)

L9 = ClaimView(
    id="L9",
    label="L9",
    statement=r"\sigma'(t) = \sigma(t)\,\bigl(1-\sigma(t)\bigr)",
    status="proved",
    expected="proved",
    basis="kernel",
    proofs=(
        _proof(
            (
                r"\sigma'(t)",
                "=",
                r"\frac{d}{dt}\bigl(1+e^{-t}\bigr)^{-1} = -\bigl(1+e^{-t}\bigr)^{-2}\cdot\bigl(-e^{-t}\bigr)",
                "power and chain rule",
            ),
            ("", "=", r"\frac{1}{1+e^{-t}}\cdot\frac{e^{-t}}{1+e^{-t}}", "split the fraction"),
            ("", "=", r"\sigma(t)\,\bigl(1-\sigma(t)\bigr)", r"$1-\sigma(t)=\tfrac{e^{-t}}{1+e^{-t}}$"),
        ),
    ),
)

H16 = ClaimView(
    id="H16",
    label="H16 (5.94)",
    statement=r"\frac{\partial^2 E}{\partial w^{(1)}_{ji}\,\partial w^{(1)}_{j'i'}} = "
    r"x_i\, x_{i'}\, h''(a_{j'})\,\delta_{jj'} \sum_k w^{(2)}_{kj'}\,\delta_k"
    r" + x_i\, x_{i'}\, h'(a_{j'})\,h'(a_j) \sum_{k,k'} w^{(2)}_{k'j'}\,w^{(2)}_{kj}\,M_{kk'}",
    status="proved",
    expected="proved",
    basis="kernel",
    proofs=(
        _proof(
            (
                r"\frac{\partial b_k}{\partial w^{(1)}_{ji}}",
                "=",
                r"\sum_{q} w^{(2)}_{kq}\, h'(a_q)\,\frac{\partial a_q}{\partial w^{(1)}_{ji}}"
                r" = \sum_q w^{(2)}_{kq}\,h'(a_q)\,\delta_{qj}\,x_i"
                r" \overset{q=j}{=} x_i\, h'(a_j)\, w^{(2)}_{kj}",
                "(a)",
            ),
            (
                r"\frac{\partial E}{\partial w^{(1)}_{ji}}",
                "=",
                r"\sum_k \delta_k\,\frac{\partial b_k}{\partial w^{(1)}_{ji}}"
                r" = x_i\, h'(a_j) \sum_k w^{(2)}_{kj}\,\delta_k",
                "(b), chain rule, (a)",
            ),
            (
                r"\frac{\partial^2 E}{\partial w^{(1)}_{ji}\,\partial w^{(1)}_{j'i'}}",
                "=",
                r"x_i\,\frac{\partial h'(a_j)}{\partial w^{(1)}_{j'i'}} \sum_k w^{(2)}_{kj}\,\delta_k"
                r" + x_i\, h'(a_j) \sum_k w^{(2)}_{kj}\,\frac{\partial \delta_k}{\partial w^{(1)}_{j'i'}}",
                "product rule on (b)",
            ),
            (
                "",
                "=",
                r"x_i\, h''(a_j)\,\delta_{jj'}\,x_{i'} \sum_k w^{(2)}_{kj}\,\delta_k"
                r" + x_i\, h'(a_j) \sum_k w^{(2)}_{kj} \sum_{k'} M_{kk'}\,"
                r"\frac{\partial b_{k'}}{\partial w^{(1)}_{j'i'}}",
                "chain rule twice",
            ),
            (
                "",
                "=",
                r"x_i\, x_{i'}\, h''(a_{j'})\,\delta_{jj'} \sum_k w^{(2)}_{kj'}\,\delta_k"
                r" + x_i\, x_{i'}\, h'(a_{j'})\,h'(a_j) \sum_{k,k'} w^{(2)}_{k'j'}\,w^{(2)}_{kj}\,M_{kk'}",
                r"(a); $j=j'$ under $\delta_{jj'}$",
            ),
            intro="Two lemmas, (a) and (b), then the claim.",
        ),
    ),
)

H18 = ClaimView(
    id="H18",
    label="H18 (5.95 as printed)",
    statement=r"\frac{\partial^2 E}{\partial w^{(1)}_{ji}\,\partial w^{(2)}_{kj'}} = "
    r"x_i\, h'(a_{j'}) \Bigl\{ \delta_k\, \delta_{jj'} + z_j \sum_{k'} w^{(2)}_{k'j'} M_{kk'} \Bigr\}",
    status="refuted",
    expected="refuted",
    basis="exact",
    counterexample=(
        ("sizes", "$I = 2$, $J = 3$, $K = 2$"),
        ("seed", "7"),
        ("entry", "$j = 1$, $i = 1$, $k = 2$, $j' = 3$"),
        ("left", "−0.418 302"),
        ("right", "0.077 915"),
    ),
    correct=r"x_i\, h'(a_j) \Bigl\{ \delta_k\, \delta_{jj'} + z_{j'} \sum_{k'} w^{(2)}_{k'j} M_{kk'} \Bigr\}",
    remark="The indices $j$ and $j'$ are exchanged in the book.",
)

R1 = ClaimView(
    id="R1",
    label="R1",
    statement=r"\frac{\partial h_t}{\partial h_\tau} = J_t\, J_{t-1} \cdots J_{\tau+1}",
    status="proved",
    expected="proved",
    basis="kernel",
    condition=r"0 \le \tau \le t \le T",
    proofs=(
        _proof(
            (
                r"t=\tau:",
                "",
                r"\frac{\partial h_\tau}{\partial h_\tau} = I = \prod_{s=\tau}^{\tau+1} J_s",
                "the empty product",
            ),
            (
                r"t-1\to t:\quad \frac{\partial h_t}{\partial h_\tau}",
                "=",
                r"\frac{\partial h_t}{\partial h_{t-1}}\,\frac{\partial h_{t-1}}{\partial h_\tau}",
                r"$h_t$ depends on $h_\tau$ only through $h_{t-1}$ ($\tau<t$)",
            ),
            ("", "=", r"J_t\,\bigl(J_{t-1}\cdots J_{\tau+1}\bigr)", "hypothesis"),
            ("", "=", r"J_t\,J_{t-1}\cdots J_{\tau+1}", ""),
            intro="Induction on $t$.",
        ),
    ),
)

H7 = ClaimView(
    id="H7",
    label="H7 (5.81)",
    statement=r"\frac{\partial^2 E_n}{\partial a_j^2} \approx h'(a_j)^2 \sum_k w_{kj}^2\,"
    r"\frac{\partial^2 E_n}{\partial a_k^2} + h''(a_j) \sum_k w_{kj}\, \frac{\partial E_n}{\partial a_k}",
    status="approximation",
    expected="approximation",
    basis="",
    condition=r"neglecting $\frac{\partial^2 E_n}{\partial a_k\,\partial a_{k'}}$ for $k \ne k'$",
)

GOLDEN = Document(
    title="Four proofs as they should read",
    author="symderiv",
    language="en",
    convention="A derivative has the shape of the function, then that of the variable; "
    r"the gradient of a scalar has the shape of $X$: "
    r"$\bigl(\tfrac{\partial E}{\partial X}\bigr)_{ij} = \frac{\partial E}{\partial X_{ij}}$.",
    symbols=(
        (r"\delta_{ij}", "", "the Kronecker delta, 1 if $i = j$, else 0"),
        ("D", r"$m \times n$", "the inputs"),
        (r"w^{(1)}", r"$J \times I$", "the weights of the first layer"),
    ),
    blocks=(
        Prose(
            "## A layer\n\nThe layer multiplies its *input* with **weights**, and `E` is any "
            "differentiable function of the product; see <https://example.org/a_b#c>.\n\n"
            "- the chain rule over entries, $\\sum_{ij}$\n"
            "- and then: read off\n\n"
            "$$\nA_{ij} = \\sum_{q=1}^{n} D_{iq}\\,W_{qj}\n$$\n"
        ),
        Definitions((r"D \in \mathbb{R}^{m\times n}", r"W \in \mathbb{R}^{n\times p}", r"A = D\,W", "E = E(A)")),
        Definitions((r"B = \frac{\partial E}{\partial A}",)),
        L2,
        L9,
        Prose("## Two layers\n\nThe indices of the book, equation by equation."),
        Definitions(
            (
                r"a = w^{(1)} x",
                r"z = h(a)",
                r"b = w^{(2)} z",
                r"E = E(b)",
                r"\delta_k = \frac{\partial E}{\partial b_k}",
                r"M_{kk'} = \frac{\partial^2 E}{\partial b_k\,\partial b_{k'}}",
            )
        ),
        H16,
        H18,
        H7,
        Prose("## Through time"),
        Definitions(
            (
                r"h_t = f(h_{t-1}, x_t, \theta) \quad (1 \le t \le T)",
                r"J_t = \frac{\partial h_t}{\partial h_{t-1}}",
            )
        ),
        R1,
        CodeView(
            'def gradient(D, W, B):\n    """∂E/∂W, of shape (n, p)."""\n    return D.T @ B\n',
            caption="The gradient of (L2).",
        ),
        Problem("shapes (m, n) and (p,) do not fit in A @ b", "line 12"),
    ),
)


# --- helpers --------------------------------------------------------------------------------------

HOSTILE = r'\input{/etc/passwd} </script><b> #eval("1") $x$ \end{document} %{}~^_&|"`*[a](b)'


def document(*blocks: Block, language: str = "en", title: str = "Title") -> Document:
    return Document(title=title, author="", language=language, blocks=blocks)


def text(value: Document, fmt: str) -> str:
    rendered = render(value, fmt)
    assert isinstance(rendered, str)
    return rendered


def test_the_square_of_a_norm_keeps_its_brackets_in_a_fraction() -> None:
    needs_pandoc()
    formula = Formula(r"\frac{\left\lVert X\,w\right\rVert^{2}}{n}")
    assert re.search(r"lr\(.*\)\^2 / n", to_typst([formula])[formula])
    assert to_mathml([formula])[formula].count('stretchy="true"') == 2


@pytest.mark.parametrize(
    ("latex", "typst"),
    [
        (r"\operatorname{diag}(\lambda_{t})", r'"diag"\( lambda_t \)'),
        (r"\operatorname{tr}\left(\frac{a}{b}\right)", '"tr"(a / b)'),
        (r"J_{t} \cdots J_{1}", "J_t thin dots.h.c thin J_1"),
        (r"a + \cdots + b", "a + dots.h.c + b"),
        (r"2\,\biggl(a", "2 thin lr(size: #2.4em, paren.l) a"),
        (
            r"\bigl[a\bigr]_{k}\,\bigl(",
            "lr(size: #1.2em, bracket.l) a lr(size: #1.2em, bracket.r)_k thin lr(size: #1.2em, paren.l)",
        ),
        (r"|\lambda_{i}| < 1", "lr(|lambda_i|) < 1"),
        (r"\left|x\right|", "lr(|x|)"),
        (r"\|x_{i}\|_2 + \|w\|^2", "lr(bar.v.double x_i bar.v.double)_2 + lr(bar.v.double w bar.v.double)^2"),
        (r"a \| b", "a parallel b"),
    ],
)
def test_spaces_and_brackets_of_typst(latex: str, typst: str) -> None:
    needs_pandoc()
    assert to_typst([Formula(latex)]) == {Formula(latex): typst}


def needs_pandoc() -> None:
    pytest.importorskip("pypandoc", reason="pandoc comes with the extra symderiv[handout]")


def needs_typst() -> None:
    needs_pandoc()
    pytest.importorskip("typst", reason="typst comes with the extra symderiv[handout]")


# --- every format ---------------------------------------------------------------------------------


def test_tex_has_an_aligned_proof_with_reasons_and_the_box() -> None:
    source = text(document(L2), "tex")
    assert r"\begin{align*}" in source
    assert r"&\overset{j=l}{=} \sum_{i} B_{il}\, D_{ik} && \text{contract }\delta_{jl}\\" in source
    assert r"&= (D^{\top} B)_{kl} && \text{matrix product} \qquad\square" in source


def test_tex_is_the_same_twice_and_ends_with_one_newline() -> None:
    first, second = text(GOLDEN, "tex"), text(GOLDEN, "tex")
    assert first == second
    assert first.endswith("\\end{document}\n")
    assert not re.search(r"[ \t]$", first, re.MULTILINE)


def test_tex_asks_for_no_exotic_package() -> None:
    packages = set(re.findall(r"\\usepackage(?:\[[^]]*\])?\{([^}]*)\}", text(GOLDEN, "tex")))
    assert packages <= {
        "inputenc",
        "fontenc",
        "lmodern",
        "textcomp",
        "geometry",
        "amsmath,amssymb",
        "hyperref",
    }


def test_markdown_keeps_prose_as_it_is() -> None:
    prose = "A *word*, a [link](https://example.org) and $x_i$.\n\n- one\n- two"
    assert prose in text(document(Prose(prose)), "md")


def test_markdown_shows_proofs_as_display_mathematics() -> None:
    source = text(GOLDEN, "md")
    assert "$$\n\\begin{align*}" in source
    assert "**Claim L2.** *proved*, every step checked" in source


def test_html_is_one_file_without_scripts_or_requests() -> None:
    needs_pandoc()
    source = text(GOLDEN, "html")
    assert "<script" not in source
    assert "default-src 'none'" in source
    loaded = re.findall(r"(?:src|url\()\s*=?\s*[\"']?([a-z]+:)", source.split("</head>")[0])
    assert set(loaded) <= {"data:"}
    assert "<munder>" in source and "⏟" in source
    assert source.count('class="box"') == 4


def test_typst_has_a_row_for_every_line() -> None:
    needs_pandoc()
    source = text(document(H16), "typ")
    assert source.count(", false),") + source.count(", true),") == 5


def test_prose_in_every_format() -> None:
    needs_typst()
    prose = (
        "# One\n\n### Three\n\nA *b*(c) **d**.e `f`.g [h](https://example.org).i\\\nj <https://example.org>\n\n"
        "1. k\n   - l\n2. $m$\n\n> n\n\n| o | p |\n| --- | --- |\n| $q$ | r |\n\n"
        "---\n\n```\ns = 't'\n```\n\n$$u = v$$\n"
    )
    value = document(Prose(prose))
    assert isinstance(render(value, "pdf"), bytes)
    assert "<h2>One</h2>" in text(value, "html")
    if shutil.which("pdflatex"):
        assert pdf_by_latex(value).startswith(b"%PDF-")


def test_pdf_by_typst() -> None:
    needs_typst()
    made = render(GOLDEN, "pdf")
    assert isinstance(made, bytes)
    assert made.startswith(b"%PDF-")


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="pdflatex is not installed")
def test_pdflatex_sets_the_golden_document_without_a_warning(tmp_path: Path) -> None:
    assert pdf_by_latex(GOLDEN).startswith(b"%PDF-")
    assert _complaints(text(GOLDEN, "tex"), tmp_path) == []


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="pdflatex is not installed")
@pytest.mark.parametrize("terms", [1, 3, 6, 12])
def test_long_lines_stay_on_the_page(terms: int, tmp_path: Path) -> None:
    term = r"x_i\, h''(a_{j'})\,\delta_{jj'} \sum_{k} w^{(2)}_{kj'}\,\frac{\partial E}{\partial b_k}"
    right = " + ".join([term] * terms)
    reason = "a reason of some length, with $x_i$ in it, " * terms
    proof = ProofView(
        (
            Line(r"\frac{\partial E}{\partial w}", "=", right, reason),
            Line("", r"\overset{j=l}{=}", term, "read off"),
        ),
        checked=True,
    )
    claim = ClaimView("a", "a", f"E = {right}", "proved", "proved", "kernel", (proof,), correct=right)
    code = CodeView("result = " + " + ".join(["first_matrix @ second_matrix"] * terms))
    source = text(document(claim, code, Definitions((f"a = {right}",))), "tex")
    assert _complaints(source, tmp_path) == []


def _complaints(source: str, folder: Path) -> list[str]:
    """What the log of a second run says of errors, mathematics and boxes."""
    (folder / "main.tex").write_text(source, encoding="utf-8")
    command = ["pdflatex", "-interaction=nonstopmode", "-no-shell-escape", "main.tex"]
    for _ in range(2):
        subprocess.run(command, cwd=folder, capture_output=True, check=False)
    log = (folder / "main.log").read_text(encoding="utf-8", errors="replace")
    return [line for line in log.splitlines() if line.startswith(("!", "Overfull")) or "Warning" in line]


# --- what users write is inert --------------------------------------------------------------------


def hostile_document() -> Document:
    claim = ClaimView(
        id='x"><b>',
        label=HOSTILE.replace("$", ""),
        statement=r"\input{/etc/passwd}",
        status="proved",
        expected="<b>",
        basis="<b>#eval",
        proofs=(ProofView((Line("", "=", r"\input{/etc/passwd}", HOSTILE),), checked=False),),
        counterexample=((HOSTILE, HOSTILE),),
        remark=HOSTILE,
        condition=r"\input{/etc/passwd}",
    )
    prose = (
        HOSTILE + "\n\n$\\input{/etc/passwd}$\n\n<script>alert(1)</script>\n\n![a picture](https://example.org/x.png)"
    )
    return Document(
        title=HOSTILE,
        author=HOSTILE,
        language="en",
        convention=HOSTILE,
        symbols=((r"\input{x}", HOSTILE, HOSTILE),),
        blocks=(
            Prose(prose),
            claim,
            CodeView(HOSTILE + "\n\\end{verbatim}\\input{/etc/passwd}"),
            Problem(HOSTILE, HOSTILE),
        ),
    )


def test_nothing_hostile_reaches_tex() -> None:
    source = text(hostile_document(), "tex")
    outside = re.sub(r"\\begin\{verbatim\}.*?\\end\{verbatim\}", "", source, flags=re.DOTALL)
    assert r"\input" not in outside
    assert outside.count(r"\end{document}") == 1
    assert source.count(r"\end{verbatim}") == 1


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="pdflatex is not installed")
def test_pdflatex_sets_hostile_text() -> None:
    assert pdf_by_latex(hostile_document()).startswith(b"%PDF-")


def test_nothing_hostile_reaches_html() -> None:
    needs_pandoc()
    source = text(hostile_document(), "html")
    body = source.split("</head>")[1]
    assert "<script" not in body and "</script" not in body
    assert "<b>" not in body
    assert "<img" not in body


def test_nothing_hostile_reaches_typst() -> None:
    needs_typst()
    source = text(hostile_document(), "typ")
    code_removed = re.sub(r'#raw\("(?:[^"\\]|\\.)*"', "#raw(", source)
    assert not re.search(r"(?<!\\)#eval", code_removed)
    made = render(hostile_document(), "pdf")
    assert isinstance(made, bytes)


@pytest.mark.parametrize("char", ["\x00", "\x1b", "‮", "ж", "数", "𝔸", "é", "δ", "½", "–"])
def test_every_character_can_be_set(char: str, tmp_path: Path) -> None:
    value = document(Prose(f"a {char} b `{char}`"), CodeView(f"# {char}"), title=f"a{char}b")
    source = text(value, "tex")
    assert "\x00" not in source and "\x1b" not in source
    if shutil.which("pdflatex"):
        assert pdf_by_latex(value).startswith(b"%PDF-")


# --- the words ------------------------------------------------------------------------------------


def test_an_unexpected_status_is_said() -> None:
    claim = dataclasses.replace(H7, status="refuted", expected="proved")
    assert "expected: proved" in text(document(claim), "md")


@pytest.mark.parametrize(
    ("language", "word"), [("en", "Claim"), ("de", "Behauptung"), ("ja", "主張"), ("de-AT", "Beweis")]
)
def test_a_document_speaks_its_language(language: str, word: str) -> None:
    assert word in text(document(L2, language=language), "tex")


def test_an_unknown_language_is_refused() -> None:
    with pytest.raises(UnsupportedError, match="no phrases"):
        render(document(L2, language="xx"), "tex")


def test_an_unknown_format_is_refused() -> None:
    with pytest.raises(UnsupportedError, match="docx"):
        render(document(), "docx")


def test_the_box_is_printed_only_for_checked_proofs() -> None:
    proof = dataclasses.replace(L2.proofs[0], checked=False)
    claim = dataclasses.replace(L2, proofs=(proof,))
    assert r"\square" not in text(document(claim), "tex")


# --- what is missing -----------------------------------------------------------------------------


@pytest.mark.parametrize("fmt", ["html", "typ", "pdf"])
def test_a_missing_extra_is_named(fmt: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pypandoc", None)
    with pytest.raises(UnsupportedError, match=r"symderiv\[handout\]"):
        render(document(L2), fmt)


def test_a_missing_typst_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    needs_pandoc()
    monkeypatch.setitem(sys.modules, "typst", None)
    with pytest.raises(UnsupportedError, match=r"symderiv\[handout\]"):
        render(document(L2), "pdf")


def test_a_missing_latex_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(UnsupportedError, match="pdflatex is not installed"):
        pdf_by_latex(document(L2))


# --- Japanese -------------------------------------------------------------------------------------

JAPANESE = Prose("# 見出し\n\n行の終わりは\n空白に*ならない*\nが、English\nwords は別である。")


def test_a_line_end_between_japanese_letters_is_no_blank() -> None:
    for fmt, end in (("tex", "\n"), ("html", "\n")):
        if fmt == "html":
            needs_pandoc()
        source = text(document(JAPANESE, language="ja"), fmt)
        assert "終わりは空白に" in source
        assert re.search(r"ならない(\}|</em>)が、English" + end + "words", source)


def test_japanese_html_says_so_and_names_its_fonts() -> None:
    needs_pandoc()
    source = text(document(JAPANESE, language="ja"), "html")
    assert '<html lang="ja">' in source
    assert ":lang(ja)" in source and '"Noto Serif CJK JP"' in source and '"Hiragino Mincho ProN"' in source


@pytest.mark.parametrize(("before", "after"), [("", "."), ("(", ")"), ("（", "）、"), ("", "、"), ("「", "")])
def test_no_line_starts_with_the_stop_after_a_formula(before: str, after: str) -> None:
    needs_pandoc()
    source = text(document(Prose(f"a {before}$x${after} b *{before}$y${after}* c $z$ d")), "html")
    tied = re.findall(r'<span class="tied">(.*?)</span>', source)
    assert [(t.partition("<math")[0], t.rpartition("</math>")[2]) for t in tied] == [(before, after)] * 2


def test_japanese_tex_names_its_program_and_its_font() -> None:
    source = text(document(JAPANESE, language="ja"), "tex")
    assert source.startswith("% Typeset with LuaLaTeX.")
    assert r"\setmainjfont{HaranoAjiMincho-Regular.otf}" in source and "inputenc" not in source
    assert "jfont" not in text(document(JAPANESE), "tex")


# --- templates ------------------------------------------------------------------------------------


def test_a_folder_of_templates_stands_in_for_the_built_in_ones(tmp_path: Path) -> None:
    (tmp_path / "document.md").write_text("only << title >>", encoding="utf-8")
    assert render(document(), "md", templates=tmp_path) == "only Title\n"


def test_an_undefined_name_in_a_template_raises(tmp_path: Path) -> None:
    (tmp_path / "document.md").write_text("<< titel >>", encoding="utf-8")
    with pytest.raises(SymderivError, match="'titel' is undefined"):
        render(document(), "md", templates=tmp_path)
