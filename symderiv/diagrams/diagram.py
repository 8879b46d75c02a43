"""A diagram in a hand: its graph, and the picture of it in each format."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from symderiv.diagrams import line
from symderiv.diagrams.graph import Graph
from symderiv.diagrams.layout import Placed, place
from symderiv.diagrams.svg import svg
from symderiv.diagrams.tikz import tikz
from symderiv.diagrams.typst import by_pandoc, typst
from symderiv.render import inline
from symderiv.render.phrases import phrase

PLUS = r"\partial^{+}"


@dataclass(frozen=True)
class Diagram:
    """The graph of definitions of a function, values forward and derivatives back; notebooks show it as SVG.

    The same picture in each format: `svg()`, `tikz()` for LaTeX with the packages tikz and amssymb, `typst()`.
    Equal graphs have equal bytes.
    """

    graph: Graph
    language: str = "en"

    @cached_property
    def placed(self) -> Placed:
        """Return the graph with everything in its place; one that is too large is refused."""
        return place(self.graph)

    @property
    def caption(self) -> str:
        """Return what the arrows are, as text with `$…$` around mathematics."""
        back = any(edge.back for edge in self.graph.edges)
        key = "diagram_caption" if back else "diagram_values"
        words = phrase(self.language, key, function=f"${self.graph.function}$")
        if any(PLUS in line for edge in self.graph.edges for line in edge.back):
            words += phrase(self.language, "diagram_immediate", sign=f"${PLUS}$")
        if self.graph.members:
            words += phrase(self.language, "diagram_members", letters=f"${self.graph.members}$")
        return words

    @property
    def title(self) -> str:
        """Return a name in plain words."""
        return phrase(self.language, "diagram_title", function=_plain(self.graph.function))

    @property
    def description(self) -> str:
        """Return what the picture shows, in plain words: every node, then what the arrows are."""
        texts = "; ".join(node.text for node in self.graph.nodes)
        return f"{texts}. {inline.convert(self.caption, str, _plain)}"

    def svg(self) -> str:
        """Return an SVG document, readable on light and on dark paper."""
        return svg(self.placed, self.title, self.description)

    def tikz(self) -> str:
        """Return a `tikzpicture`."""
        return tikz(self.placed)

    def typst(self) -> str:
        """Return Typst; pandoc, of the extra `handout`, writes its mathematics."""
        return typst(self.placed, by_pandoc(self.placed))

    def typst_with_latex(self) -> str:
        """Return Typst in which the mathematics between dollar signs is LaTeX still, for documents to convert."""
        return typst(self.placed, lambda latex: f"${latex}$")

    def _repr_svg_(self) -> str:
        return self.svg()

    def __str__(self) -> str:
        return f"{self.title}: {'; '.join(node.text for node in self.graph.nodes)}"


def _plain(latex: str) -> str:
    return line.plain(line.shown(latex))


__all__ = ["Diagram"]
