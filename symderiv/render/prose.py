"""Markdown prose, read by markdown-it-py and written by the writer of each format.

A pure-Python reader, not pandoc, so that the bytes of a document do not depend on which pandoc is
installed. Raw HTML is text, and pictures are shown by their description: a document asks nothing of the
network or the disk.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from functools import cache
from typing import TYPE_CHECKING
from urllib.parse import unquote

from symderiv.render import inline
from symderiv.render.mathtext import is_square
from symderiv.render.model import DiagramView, Line

if TYPE_CHECKING:  # imported where prose is read: a derivation by itself has none
    from markdown_it import MarkdownIt
    from markdown_it.tree import SyntaxTreeNode


class Writer(ABC):
    """One format: how words, mathematics and the parts of prose are written, all results finished."""

    # --- what documents need ---

    @abstractmethod
    def words(self, text: str) -> str:
        """Plain text, every character of it inert."""

    @abstractmethod
    def mathematics(self, latex: str) -> str:
        """Mathematics within a line."""

    @abstractmethod
    def display(self, latex: str, tag: str = "") -> str:
        """Mathematics on lines of its own, with its number at the margin."""

    @abstractmethod
    def proof(self, lines: tuple[Line, ...], checked: bool) -> str:
        """Aligned lines with their reasons, and the box where they were checked."""

    @abstractmethod
    def code(self, source: str) -> str:
        """A block of code."""

    @abstractmethod
    def diagram(self, picture: DiagramView) -> str:
        """A picture of a graph."""

    @abstractmethod
    def room(self, lines: int) -> str:
        """Lines to write on."""

    @abstractmethod
    def anchor(self, target: str) -> str:
        """The place that links to ``#target`` lead to."""

    @abstractmethod
    def reference(self, target: str, content: str) -> str:
        """A link to a place of the same document."""

    def text(self, text: str) -> str:
        """Text with ``$…$``."""
        return inline.convert(text, self.words, self.mathematics)

    def prose(self, markdown: str) -> str:
        """Markdown."""
        return self._blocks(_tree(markdown))

    # --- what prose needs ---

    @abstractmethod
    def paragraph(self, content: str) -> str: ...

    @abstractmethod
    def heading(self, level: int, content: str) -> str: ...

    @abstractmethod
    def items(self, contents: list[str], start: int | None) -> str:
        """A list; numbered from ``start`` where that is given."""

    @abstractmethod
    def quote(self, content: str) -> str: ...

    @abstractmethod
    def table(self, rows: list[list[str]]) -> str:
        """A table whose first row is the heading."""

    @abstractmethod
    def rule(self) -> str: ...

    @abstractmethod
    def styled(self, kind: str, content: str) -> str:
        """``em``, ``strong`` or ``link``-less spans."""

    @abstractmethod
    def link(self, address: str, content: str) -> str: ...

    @abstractmethod
    def verbatim(self, source: str) -> str:
        """Code within a line."""

    @abstractmethod
    def line_break(self) -> str: ...

    targets: frozenset[str] = frozenset()  # what the document has to link to
    names_every_claim = False  # give a place a name though the document does not link to it

    def _linked(self, address: str, content: str) -> str:
        """A link; to a place of this document only where that is there."""
        if not address.startswith("#"):
            return self.link(address, content)
        target = unquote(address[1:])
        return self.reference(target, content) if target in self.targets else content

    # --- the walk over the tree ---

    def _blocks(self, node: SyntaxTreeNode) -> str:
        return "\n\n".join(filter(None, (self._block(child) for child in node.children)))

    def _block(self, node: SyntaxTreeNode) -> str:
        match node.type:
            case "paragraph" | "inline":
                content = self._inlines(node)
                return content if node.type == "inline" or _in_tight_list(node) else self.paragraph(content)
            case "heading":
                return self.heading(int(node.tag[1]), self._inlines(node))
            case "bullet_list":
                return self.items([self._blocks(item) for item in node.children], None)
            case "ordered_list":
                start = int(node.attrs.get("start", 1))
                return self.items([self._blocks(item) for item in node.children], start)
            case "blockquote":
                return self.quote(self._blocks(node))
            case "fence" | "code_block":
                return self.code(node.content)
            case "math_block" | "math_block_label":
                return self.display(node.content.strip())
            case "table":
                return self.table([[self._inlines(cell) for cell in row.children] for row in _rows(node)])
            case "hr":
                return self.rule()
        return self.words(node.content)

    def _inlines(self, node: SyntaxTreeNode) -> str:
        """The spans of a block, or of a span that holds others."""
        children = node.children[0].children if node.children and node.children[0].type == "inline" else node.children
        around = zip([None, *children], children, [*children[1:], None], strict=False)
        return "".join(self._inline(child) for before, child, after in around if not _joins(before, child, after))

    def _inline(self, node: SyntaxTreeNode) -> str:
        match node.type:
            case "em" | "strong":
                return self.styled(node.type, self._inlines(node))
            case "code_inline":
                return self.verbatim(node.content)
            case "math_inline":
                return self.mathematics(node.content)
            case "math_inline_double":
                return self.display(node.content.strip())
            case "link":
                return self._linked(str(node.attrs["href"]), self._inlines(node))
            case "image":
                return self.words(node.content)
            case "softbreak":
                return "\n"
            case "hardbreak":
                return self.line_break()
        return self.words(node.content)


def _tree(markdown: str) -> SyntaxTreeNode:
    from markdown_it.tree import SyntaxTreeNode

    return SyntaxTreeNode(_reader().parse(markdown))


@cache
def _reader() -> MarkdownIt:
    from markdown_it import MarkdownIt
    from mdit_py_plugins.dollarmath import dollarmath_plugin

    reader = MarkdownIt("commonmark", {"html": False}).enable("table").disable("html_block").disable("html_inline")
    # `$5 and $6` is no mathematics, as in pandoc
    return reader.use(dollarmath_plugin, allow_labels=False, allow_space=False, allow_digits=False, double_inline=True)


def _joins(before: SyntaxTreeNode | None, node: SyntaxTreeNode, after: SyntaxTreeNode | None) -> bool:
    """Tell whether a line end stands between two square characters: Japanese has no blanks between words."""
    if node.type != "softbreak" or before is None or after is None:
        return False
    return is_square(_letters(before)[-1:]) and is_square(_letters(after)[:1])


def _letters(node: SyntaxTreeNode) -> str:
    """The characters of a span and of the spans within."""
    return node.content or "".join(map(_letters, node.children))


def _in_tight_list(node: SyntaxTreeNode) -> bool:
    return bool(node.hidden)


def _rows(table: SyntaxTreeNode) -> list[SyntaxTreeNode]:
    return [row for part in table.children for row in part.children]
