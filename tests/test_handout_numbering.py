"""Numbers of equations, and links to them."""

from __future__ import annotations

import re

import pytest

from symderiv.handout.build import read_and_decide, rendered
from symderiv.handout.numbering import in_words, linked, links
from symderiv.render.model import ClaimView

TEXT = """---
numbering: {}
---
Before: [](#L2), [the first](#L1), and $a$ [](#L2).

```symderiv
x: (n,)
S: (n, n)
u = S @ x
f = u @ u
assert diff(u[i], x[k]) == S[i,k], "L1"
assert diff(f, x) == 2 * S.T @ u, "L2 (see 5.1)"
assert x == x
```
"""


@pytest.fixture
def built(tmp_path):
    def make(style, text=TEXT, **chosen):
        path = tmp_path / "notes.md"
        path.write_text(text.replace("{}", style), encoding="utf-8")
        return read_and_decide(path, **chosen)

    return make


def claims(one):
    return [b for b in one.document.blocks if isinstance(b, ClaimView)]


@pytest.mark.parametrize(
    ("style", "tags", "cited"),
    [("none", ["", "", ""], "L1"), ("labels", ["L1", "L2", "1"], "L1"), ("numbers", ["1", "2", "3"], "(1)")],
)
def test_the_numbers_of_equations(built, style, tags, cited):
    found = claims(built(style))
    assert [c.tag for c in found] == tags
    (proof,) = found[1].proofs
    reasons = " ".join(line.reason for line in proof.lines)
    assert proof.cites == (cited,) and f"({cited.strip('()')})" in reasons


@pytest.mark.parametrize(("style", "shown"), [("none", "L2"), ("labels", "L2"), ("numbers", "2")])
def test_a_link_without_words_has_the_number(built, style, shown):
    page = rendered(built(style), "md").decode()
    assert f"Before: [({shown})](#L2), [the first](#L1), and $a$ [({shown})](#L2)." in page
    assert '<a id="L2"></a>' in page and page.count("<a id=") == 2


@pytest.mark.parametrize("fmt", ["tex", "html", "typ"])
def test_a_link_leads_to_its_claim(built, fmt):
    if fmt != "tex":
        pytest.importorskip("pypandoc", reason="pandoc comes with the extra symderiv[handout]")
    page = rendered(built("numbers"), fmt).decode()
    place, link = {
        "tex": (r"\hypertarget{symderiv.L2}{}", r"\hyperlink{symderiv.L2}{(2)}"),
        "html": ('id="L2"', '<a href="#L2">(2)</a>'),
        "typ": ('#label("L2")', '#link(label("L2"))[(2)]'),
    }[fmt]
    assert page.count(place) == 1 and page.count(link) == 2


def test_the_pdf_has_links(built):
    pytest.importorskip("pypandoc", reason="pandoc comes with the extra symderiv[handout]")
    pytest.importorskip("typst", reason="typst comes with the extra symderiv[handout]")
    pymupdf = pytest.importorskip("pymupdf", reason="the PDF is read with pymupdf")
    page = pymupdf.open(stream=rendered(built("labels"), "pdf"))[0]
    assert len(page.get_links()) == 3
    assert "(L2)" in page.get_text()


def test_a_link_to_nowhere_is_a_fault_with_its_place(built):
    one = built("none", TEXT.replace("the first](#L1)", "the first](#L7)"))
    (fault,) = (r for r in one.records if r.status == "unreadable")
    assert "no claim is called 'L7'" in fault.condition and "line 4, column 18" in fault.condition
    page = rendered(one, "md").decode()
    assert "line 4, column 18" in page and page.count("**Claim") == 3


def test_a_link_to_two_claims_is_a_fault(built):
    text = TEXT + "\n# More\n\n```symderiv\nx: (n,)\nassert x == x, 'L1'\n```\n"
    (fault,) = (r for r in built("none", text).records if r.status == "unreadable")
    assert "2 claims are called 'L1'" in fault.condition


@pytest.mark.parametrize("kept", ["`[](#L2)`", "``a ` [](#L2)``", r"\[](#L2)", "$[](#L2)$"])
def test_code_and_formulas_are_left_alone(kept):
    assert linked(kept, {"L2": "2"}) == kept and not list(links(kept))


def test_fences_are_left_alone():
    text = "```text\n[](#L2)\n```\n[](#L2)"
    assert linked(text, {"L2": "2"}) == "```text\n[](#L2)\n```\n[(2)](#L2)"
    assert list(links(text)) == [(3, 0, "L2")]


def test_labels_of_any_letters_can_be_linked_to(built):
    text = TEXT.replace("L2 (see 5.1)", "Satz_ä&1").replace("#L2", "#Satz_ä&1")
    one = built("labels", text)
    assert not [r for r in one.records if r.status == "unreadable"]
    tex = rendered(one, "tex").decode()
    name = re.search(r"\\hyperlink\{([^}]*)\}\{\(Satz", tex)[1]
    assert rf"\hypertarget{{{name}}}" in tex and re.fullmatch(r"[A-Za-z0-9.:-]+", name)


def test_numbers_are_put_into_words_only():
    assert in_words("by (L1) and (L10), $(L1)$", {"L1": "7"}) == "by (7) and (L10), $(L1)$"
