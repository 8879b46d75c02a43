r"""What a diagram shows, before anything has a place: nodes for names, arrows for what is made of what.

Along the arrow C → P flows the value of C, and back along it what P contributes to the derivative in C.  Where P
is the only one, that is `∂f/∂C` itself; else it is one term of `∂f/∂C = Σ_P ∂f/∂P ∂P/∂C`, and says so.
"""

from __future__ import annotations

from dataclasses import dataclass

from symderiv.diagrams.line import room
from symderiv.render.latex import Latex
from symderiv.tensor.expr import Axes

LONGEST = 17.0  # em of a definition that stands in its node; of a longer one only the name does


@dataclass(frozen=True)
class Node:
    """A declared array, a definition, or the function that is differentiated."""

    name: str
    kind: str
    """``variable``, ``definition`` or ``function``."""
    label: str
    """LaTeX."""
    text: str
    """The same in full, as it is typed."""
    wanted: bool = False
    """Whether the derivative in it is asked for."""


@dataclass(frozen=True)
class Edge:
    """An arrow from what is used to what is made of it; without a shape, a line between members of one family."""

    tail: str
    head: str
    shape: str = ""
    """LaTeX of the space that the value lies in."""
    back: tuple[str, ...] = ()
    """LaTeX of the derivative that flows back, in lines; nothing where the chain rule does not go."""


@dataclass(frozen=True)
class Graph:
    """Nodes and arrows, in the order in which they are drawn."""

    function: str
    """LaTeX of the name of the function."""
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    members: str = ""
    """LaTeX of the letters that stand for every member of a family."""


def space(latex: Latex, *axes: Axes) -> str:
    r"""Return the space that an array lies in, `\mathbb{R}^{m\times n}`."""
    sizes = [size for group in axes for axis in group for size in axis]
    return r"\mathbb{R}" + (f"^{{{latex.shape(sizes)}}}" if sizes else "")


def labelled(name: str, body: str) -> str:
    """Return a definition where it is short enough for its node, else its name; both LaTeX."""
    whole = f"{name} = {body}"
    return whole if room(whole) <= LONGEST else name


def derivative(function: str, parent: str, child: str, shape: str, alone: bool, plus: bool = False) -> tuple[str, ...]:
    r"""Return what flows back from a parent to a child, and its shape; names and shape are LaTeX.

    With `plus` the derivative of the parent is the immediate one: it depends on the child in another way besides.

    >>> derivative("f", "u", "x", "S", alone=False, plus=True)
    ('\\partial f/\\partial u \\cdot', '\\partial^{+} u/\\partial x', 'S')
    """
    if alone:
        return (quotient(function, child), shape)
    local = quotient(parent, child, plus)
    return (local, shape) if parent == function else (rf"{quotient(function, parent)} \cdot", local, shape)


def quotient(above: str, below: str, plus: bool = False) -> str:
    """Return a derivative in a line."""
    return rf"\partial{'^{+}' if plus else ''} {above}/\partial {below}"


__all__ = ["Edge", "Graph", "Node", "derivative", "labelled", "quotient", "space"]
