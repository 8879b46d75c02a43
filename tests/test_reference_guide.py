"""The pages of the guide: their order, their sections, and the one page they are built into."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from command_line import output, refusal

from symderiv.errors import ParseError
from symderiv.functions import FUNCTIONS
from symderiv.reference.book import PageWriter, book
from symderiv.reference.guide import ORDER, GuidePage, guide, ordered
from symderiv.reference.pages import pages
from symderiv.reference.tables import operations
from symderiv.render.html import HtmlWriter

PAGES = guide()
NO_MATHEMATICS = HtmlWriter(lambda _: None)


class Read(HTMLParser):
    """The places of a page, what it links to, and what it would load."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.links: list[str] = []
        self.loaded: list[str] = []
        self.open: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.ids += [found["id"]] if found.get("id") else []
        self.links += [found["href"]] if tag == "a" and found.get("href") else []
        self.loaded += [tag] if "src" in found or tag in ("script", "link", "iframe", "img", "object") else []
        if tag not in ("meta", "br", "hr", "wbr"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.fixture(scope="module")
def html() -> str:
    pytest.importorskip("pypandoc", reason="mathematics on a page needs pandoc")
    return book()


def test_every_page_has_its_place_in_the_order():
    assert [page.name for page in PAGES] == [name for name in ORDER if name in {p.name for p in PAGES}]
    assert ordered({"zebra", *ORDER}) == [*ORDER, "zebra"]


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_a_page_has_a_title_and_links_that_lead_somewhere(page: GuidePage):
    assert page.title and not page.text.startswith("#!")
    folder = Path(__file__).parents[1] / "symderiv" / "guide"
    named = re.findall(r"\]\(([\w-]+)\.md[#)]", page.text)
    assert all((folder / f"{name}.md").is_file() for name in named)


def test_all_there_is_stands_on_the_page(html: str):
    found = Read(html)
    assert not found.open
    assert {f"rule-{p.name.replace(' ', '-')}" for p in pages()} <= set(found.ids)
    assert all(f"<td><code>{name}</code></td>" in html for name in FUNCTIONS)
    assert html.count("<tr><td><code>") >= len(FUNCTIONS) + len(operations())
    assert all(f'<section id="{page.name}">' in html for page in PAGES)


def test_places_are_named_once_and_links_lead_to_them(html: str):
    found = Read(html)
    assert len(found.ids) == len(set(found.ids))
    assert {link[1:] for link in found.links if link.startswith("#")} <= set(found.ids)
    assert all(link.startswith(("#", "https://")) for link in found.links)


def test_nothing_is_loaded(html: str):
    assert Read(html).loaded == []
    assert "default-src 'none'" in html
    assert all(address.startswith("data:") for address in re.findall(r"url\([\"']?([^\"')]*)", html))
    assert "@import" not in html


def test_every_formula_is_mathematics(html: str):
    reference = html[html.index('<section id="rules">') :]
    assert reference.count("<math") > 2 * len(operations())
    assert "<code>\\" not in reference and "`" not in re.sub(r"<pre>.*?</pre>", "", reference, flags=re.DOTALL)


def test_the_command_writes_the_same_page(html: str, tmp_path: Path):
    said = output("docs", "-o", str(tmp_path / "new"))
    assert Path(said.strip()).read_text(encoding="utf-8") == html
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["guide.html"]


def test_the_command_refuses_in_words(tmp_path: Path):
    (tmp_path / "file").write_text("")
    assert "is a file" in refusal("docs", "-o", str(tmp_path / "file"))
    assert "there is no folder" in refusal("docs", "-o", str(tmp_path), "--templates", str(tmp_path / "none"))


def written(text: str, *targets: str) -> tuple[str, PageWriter]:
    page = GuidePage("mine", "Mine", text)
    writer = PageWriter(lambda _: None, page, 3, frozenset({"mine", "mine-one", "other", "other-a-b", *targets}))
    return writer.prose(page.text), writer


def test_sections_are_numbered_and_named():
    html, writer = written("## One\n\ntext\n\n### Deep\n\n## `two`\n")
    assert '<h3 id="mine-one"><a class="place" href="#mine-one">3.1</a> One</h3>' in html
    assert "<h4>Deep</h4>" in html
    assert [(e.number, e.title) for e in writer.entry.below] == [
        ("3.1", "One"),
        ("3.2", '<code class="short">two</code>'),
    ]


@pytest.mark.parametrize(
    ("address", "place"), [("other.md", "other"), ("other.md#a-b", "other-a-b"), ("#one", "mine-one")]
)
def test_links_between_pages_stay_on_the_page(address: str, place: str):
    assert f'<a href="#{place}">words</a>' in written(f"## One\n\n[words]({address})")[0]


@pytest.mark.parametrize("address", ["none.md", "other.md#none", "#none", "../README.md", "ftp://host/x"])
def test_a_link_that_leads_nowhere_is_refused(address: str):
    with pytest.raises(ParseError, match="leads nowhere"):
        written(f"[words]({address})")


def test_a_session_shows_what_was_typed():
    html, _ = written("```python\n>>> print('<b>')  # doctest: +SKIP\n<b>\n<BLANKLINE>\n```")
    assert html == (
        '<pre><code><span class="prompt">&gt;&gt;&gt; </span>print(&#x27;&lt;b&gt;&#x27;)\n'
        '<span class="answer">&lt;b&gt;</span>\n</code></pre>'
    )
    assert "prompt" not in written("```\npip install .\n```")[0]


def test_a_terminal_shows_what_was_typed():
    html, _ = written("```\n$ symderiv a \\\n  b\nc <\n$ symderiv d\n```")
    assert html == (
        '<pre><code><span class="prompt">$ </span>symderiv a \\\n  b\n<span class="answer">c &lt;</span>\n'
        '<span class="prompt">$ </span>symderiv d</code></pre>'
    )
