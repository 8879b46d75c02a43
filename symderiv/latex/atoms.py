r"""Factors of a formula: a symbol or a group with what stands above and below it, letters side by side told apart."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

from lark import Token, Tree
from lark.tree import Meta

from symderiv.latex.names import Key
from symderiv.latex.pieces import Spot

Node: TypeAlias = Any  # a Tree or a Token of lark


@dataclass(frozen=True)
class Atom:
    """A factor with its scripts; `operator` stands before it, "" where nothing does."""

    base: Node
    spot: Spot
    operator: str = ""
    symbol: tuple[str, str] | None = None  # a letter or a word, and its accent
    below: Node | None = None
    above: tuple[Node, ...] = ()
    primes: int = 0

    def is_token(self, *kinds: str) -> bool:
        """Tell whether the base is a token of one of some kinds."""
        return isinstance(self.base, Token) and self.base.type in kinds

    @property
    def kind(self) -> str:
        """Return what kind of tree or token the base is."""
        if isinstance(self.base, Token):
            return str(self.base.type)
        if self.base.data == "word":
            return str(self.base.children[0].type)
        return str(self.base.data)

    @property
    def text(self) -> str:
        """Return the text of a base that is one token."""
        return str(self.base if isinstance(self.base, Token) else self.base.children[0])

    @property
    def base_spot(self) -> Spot:
        """Return where the base stands, without its scripts."""
        return spot_of(self.base)

    def without_scripts(self) -> Atom:
        """Return the atom with nothing above or below."""
        return replace(self, below=None, above=(), primes=0)


def spot_of(node: Node) -> Spot:
    """Return where a tree or a token stands."""
    if isinstance(node, Token):
        return node.start_pos or 0, node.end_pos or 0
    return node.meta.start_pos, node.meta.end_pos


def parts(tree: Tree[Token], *kinds: str) -> list[Node]:
    """Return the children that are trees, and tokens of some kinds."""
    return [c for c in tree.children if isinstance(c, Tree) or c.type in kinds]


def elements(node: Node) -> list[Tree[Token]]:
    """Return the elements of a group, of brackets, or of a single argument."""
    if isinstance(node, Tree) and node.data in ("group", "bracketed", "angles"):
        return [c for c in node.children if isinstance(c, Tree)]
    return []


def only_product(element: Node) -> Tree[Token] | None:
    """Return the product that an element is, where it is one without a sign."""
    if not isinstance(element, Tree):
        return None
    if element.data == "element":
        return only_product(element.children[0]) if len(element.children) == 1 else None
    if element.data == "sum" and len(element.children) == 1:
        child = element.children[0]
        return child if isinstance(child, Tree) else None
    return None


def only_factor(node: Node) -> Tree[Token] | None:
    """Return the factor that a group in braces is, where it is a single one."""
    inside = elements(node)
    product = only_product(inside[0]) if len(inside) == 1 else None
    if product is not None and len(product.children) == 1:
        child = product.children[0]
        return child if isinstance(child, Tree) else None
    return None


def symbol_of(node: Node) -> tuple[str, str] | None:
    """Return the letter or word that a base is, and its accent; fonts and braces around it say nothing."""
    if not isinstance(node, Tree):
        return None
    match node.data:
        case "word":
            token = node.children[0]
            return (str(token), "") if isinstance(token, Token) and token.type in ("WORD", "SYMBOL", "NAME") else None
        case "fonted" | "accented":
            inner = symbol_of(node.children[1])
            if inner is None or node.data == "fonted":
                return inner
            return (inner[0], str(node.children[0])) if not inner[1] else None
        case "group":
            factor = only_factor(node)
            inner = symbol_of(factor.children[0]) if factor is not None and len(factor.children) == 1 else None
            return None if inner is not None and _is_run(factor) else inner
    return None


def _is_run(factor: Tree[Token] | None) -> bool:
    """Tell several letters side by side, which may be a product."""
    word = factor.children[0] if factor is not None else None
    token = word.children[0] if isinstance(word, Tree) and word.data == "word" else None
    return isinstance(token, Token) and token.type == "WORD" and len(token) > 1


def atom_of(factor: Tree[Token], operator: str) -> tuple[Atom, list[Node]]:
    """Return a factor as an atom, and scripts that stand twice at the same place."""
    base = factor.children[0]
    below: Node | None = None
    above: list[Node] = []
    twice: list[Node] = []
    primes = 0
    for script in factor.children[1:]:
        assert isinstance(script, Tree)
        if script.data == "prime":
            primes += 1
        elif script.data == "below":
            twice += [script] if below is not None else []
            below = script.children[1]
        else:
            twice += [script] if above else []
            above.append(script.children[1])
    return Atom(base, spot_of(factor), operator, symbol_of(base), below, tuple(above), primes), twice


def factors(product: Tree[Token]) -> Iterator[tuple[Tree[Token], str]]:
    """Yield the factors of a product, each with the operator before it."""
    operator = ""
    for child in product.children:
        if isinstance(child, Token):
            operator = "/" if child == "/" else str(child)
        else:
            yield child, operator
            operator = ""


def split(atom: Atom, letters: Sequence[str]) -> list[Atom]:
    """Return letters side by side as atoms of their own; scripts belong to the last."""
    start = atom.base_spot[0]
    found = []
    for k, text in enumerate(letters):
        end = start + len(text)
        token = Token("WORD", text, start_pos=start, end_pos=end)
        base = Tree("word", [token], at(start, end))
        last = k == len(letters) - 1
        one = Atom(base, (start, atom.spot[1] if last else end), atom.operator if k == 0 else "", (text, ""))
        found.append(replace(one, below=atom.below, above=atom.above, primes=atom.primes) if last else one)
        start = end
    return found


def at(start: int, end: int) -> Any:
    """Return the place of a tree that is put together here."""
    meta: Any = object.__new__(Meta)
    meta.start_pos, meta.end_pos, meta.empty = start, end, False
    return meta


def display_key(factor: Tree[Token]) -> Key | None:
    r"""Return the symbol that a text of a table of names is: `w^{(1)}`, `\hat{y}`; None where it is more."""
    atom, twice = atom_of(factor, "")
    if twice or atom.symbol is None:
        return None
    below = plain_word(atom.below)
    above = [label_word(a) for a in atom.above]
    if (atom.below is not None and not below) or not all(above) or len(above) + bool(below) > 1:
        return None
    return Key(*atom.symbol, below or "".join(map(str, above)), atom.primes)


def plain_word(node: Node | None) -> str:
    """Return what stands below where it is one word, number or letter."""
    if node is None:
        return ""
    if isinstance(node, Tree) and node.data == "word":
        token = node.children[0]
        return str(token) if isinstance(token, Token) and token.type != "TOP" else ""
    if isinstance(node, Tree) and node.data == "fonted":
        return plain_word(node.children[1])
    factor = only_factor(node)
    return plain_word(factor.children[0]) if factor is not None and len(factor.children) == 1 else ""


def label_word(node: Node) -> str:
    """Return what stands above in brackets: the 2 of `w^{(2)}`."""
    label = in_brackets(node)
    if label is None:
        return ""
    product = only_product(label)
    if product is None or len(product.children) != 1:
        return ""
    factor = product.children[0]
    assert isinstance(factor, Tree)
    return plain_word(factor.children[0]) if len(factor.children) == 1 else ""


def in_brackets(node: Node) -> Tree[Token] | None:
    """Return the single element that stands above in round brackets."""
    factor = only_factor(node)
    if factor is None or len(factor.children) != 1:
        return None
    inner = factor.children[0]
    if isinstance(inner, Tree) and inner.data == "bracketed" and inner.children[0] == "(":
        inside = elements(inner)
        return inside[0] if len(inside) == 1 else None
    return None
