"""The pages of the guide: Markdown with examples, in the order in which they are read."""

from __future__ import annotations

import re
from dataclasses import dataclass
from importlib.resources import files
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from markdown_it import MarkdownIt

if TYPE_CHECKING:
    from collections.abc import Iterable

FOLDER = "guide"
ORDER = (
    "start", "language", "inputs", "results", "checking", "homework", "code", "handouts", "notebooks", "terminal",
    "testing", "extending", "trust", "compare",
)  # fmt: skip


@dataclass(frozen=True)
class GuidePage:
    """A page: the name by which others link to it, its title, its text without the title."""

    name: str
    title: str
    text: str

    @property
    def sections(self) -> tuple[str, ...]:
        r"""Return the titles of its sections.

        >>> GuidePage("p", "P", "## One\n\n```\n## no title\n```\n\n## Two `x`\n").sections
        ('One', 'Two `x`')
        """
        tokens = MarkdownIt("commonmark").parse(self.text)
        return tuple(
            content.content for head, content in pairwise(tokens) if (head.type, head.tag) == ("heading_open", "h2")
        )


def guide(folder: Path | None = None) -> list[GuidePage]:
    """Return the pages, those without a place in the order at the end.

    >>> [page.title for page in guide()][:2]
    ['First steps', 'The language']
    """
    folder = folder or Path(str(files("symderiv") / FOLDER))
    paths = {path.stem: path for path in sorted(folder.glob("*.md"))}
    return [_page(paths[name]) for name in ordered(paths)]


def ordered(names: Iterable[str]) -> list[str]:
    """Return names of pages in their order.

    >>> ordered(["zebra", "code", "start"])
    ['start', 'code', 'zebra']
    """
    place = {name: n for n, name in enumerate(ORDER)}
    return sorted(names, key=lambda name: (place.get(name, len(ORDER)), name))


def slug(title: str) -> str:
    """Return the name of a section in an address, as web pages of Markdown have it.

    >>> slug("The Hessian, and products with it"), slug("A function: one row")
    ('the-hessian-and-products-with-it', 'a-function-one-row')
    """
    return re.sub(r"\s+", "-", re.sub(r"[^\w\s-]", "", title).strip().lower())


def _page(path: Path) -> GuidePage:
    title, _, text = path.read_text(encoding="utf-8").partition("\n")
    return GuidePage(path.stem, title.removeprefix("# ").strip(), text.strip())


__all__ = ["FOLDER", "ORDER", "GuidePage", "guide", "ordered", "slug"]
