r"""Which name a symbol with scripts stands for, and what stands below it: indices, labels, a part of the name.

A script is read as far as the declared names allow one reading; two possible readings are refused.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable
from dataclasses import dataclass, replace

from lark import Token, Tree

from symderiv.errors import ParseError, UnknownNameError
from symderiv.functions import FUNCTIONS as TABLE
from symderiv.latex.atoms import (
    Atom,
    Node,
    atom_of,
    elements,
    factors,
    in_brackets,
    label_word,
    only_product,
    plain_word,
    split,
    spot_of,
    symbol_of,
)
from symderiv.latex.names import Key, Reader, Vocabulary
from symderiv.latex.pieces import Piece, Pieces, Spot, entry
from symderiv.latex.source import Layout
from symderiv.latex.words import FUNCTIONS
from symderiv.tensor.expr import Axes
from symderiv.tensor.parse import KNOWN

CALLED = ("entrywise", "unknown", "function")
MOST_DEPTH = 40
MOST_PARTS = 200  # of a sum or of a product


@dataclass(frozen=True)
class Meaning:
    """A declared name that a symbol stands for, and which of its scripts are left to be read."""

    name: str
    kind: str
    atom: Atom


class Symbols(Pieces):
    """Reads symbols; `vocabulary` tells what they may stand for."""

    def __init__(self, layout: Layout, reader: Reader, display: Iterable[tuple[Key, str]] = ()) -> None:
        super().__init__(layout)
        self.reader = reader
        self.vocabulary = Vocabulary(reader, display)
        self.seen: dict[str, Spot] = {}  # free indices, and where they stand first
        self.depth = 0

    def axes_of(self, node: ast.expr) -> Axes:
        """Return the axes of what some syntax says."""
        return self.reader.read(node).axes

    def sum(self, tree: Tree[Token]) -> Piece:
        """Return a sum of products."""
        raise NotImplementedError

    def error(self, spot: Spot, message: str, hint: str = "") -> ParseError:
        """Return a parse error at a spot."""
        return ParseError(message, place=self.layout.place(*spot), hint=hint)

    # -- names

    def atoms(self, product: Tree[Token]) -> list[Atom]:
        """Return the factors of a product, letters side by side told apart."""
        pairs = list(factors(product))
        found: list[Atom] = []
        for k, (factor, operator) in enumerate(pairs):
            atom, twice = atom_of(factor, operator)
            if twice:
                raise self.error(spot_of(twice[0]), "two scripts at one place", "write x_{i,j}, or brackets")
            if atom.kind == "WORD" and len(atom.text) > 1:
                bracket = k + 1 < len(pairs) and not pairs[k + 1][1] and _is_bracket(pairs[k + 1][0])
                found += self.letters(atom, bracket)
            else:
                found.append(atom)
            if len(found) > MOST_PARTS:
                hint = "name a part of it in the declarations"
                raise self.error(atom.spot, f"a product of more than {MOST_PARTS} factors", hint)
        return found

    def letters(self, atom: Atom, before_bracket: bool) -> list[Atom]:
        """Return letters side by side as the names that they may be."""
        last = {w for w in FUNCTIONS if before_bracket} | (
            {"e"} if atom.above and self.vocabulary.is_free("e") else set()
        )
        if len(atom.text) > MOST_PARTS:
            raise self.error(atom.base_spot, f"more than {MOST_PARTS} letters side by side")
        ways = self.vocabulary.ways(atom.text, last)
        if len(ways) > 1:
            one, other = (" ".join(way) for way in ways)
            hint = rf"write \mathrm{{{atom.text}}} for the name, and spaces \, between factors"
            raise self.ambiguous(atom.base_spot, f"{atom.text} may be read as {one} or as {other}", hint)
        return split(atom, ways[0] if ways else list(atom.text))

    def meaning(self, atom: Atom, called: bool = False) -> Meaning | None:
        """Return what a symbol stands for, as the name of a function or as a value; two readings are refused."""
        if atom.symbol is None:
            return None
        base, accent = atom.symbol
        options: dict[str, Meaning] = {}
        scripts = [("", atom)]
        if word := plain_word(atom.below):
            scripts.append((word, replace(atom, below=None)))
        for above in atom.above:
            if word := label_word(above):
                scripts.append((word, replace(atom, above=tuple(a for a in atom.above if a is not above))))
        for script, rest in scripts:
            for primes in dict.fromkeys((atom.primes, 0)):
                for name in self.vocabulary.means(Key(base, accent, script, primes)):
                    left = replace(rest, primes=rest.primes - primes)
                    options.setdefault(name, Meaning(name, self.vocabulary.kind(name), left))
        if called:
            options = {n: m for n, m in options.items() if m.kind in CALLED}
        fitting = [m for m in options.values() if (called or self.fits(m))]
        if len(fitting) > 1:
            names = " or ".join(m.name for m in fitting)
            hint = "call one of them by another name, or give its symbol in display"
            raise self.ambiguous(atom.spot, f"this may stand for {names}", hint)
        if fitting or not options or self.is_kronecker(atom):
            return fitting[0] if fitting else None
        return next(iter(options.values()))

    def is_kronecker(self, atom: Atom) -> bool:
        """Tell δ with two indices."""
        return atom.symbol == ("delta", "") and atom.below is not None and len(self.subscripts(atom.below)) == 2

    def fits(self, m: Meaning) -> bool:
        """Tell whether the scripts that a name leaves are such as it can have."""
        atom = m.atom
        labelled = any(in_brackets(a) is not None for a in atom.above)
        if atom.primes:
            return False
        if atom.below is None:
            return m.kind in ("array", "size", "integer", "label") if not labelled else m.kind in ("family", "label")
        count = len(self.subscripts(atom.below))
        match m.kind:
            case "array":
                rank = self.reader.scope.names[m.name].rank
                return not labelled and count == rank and not plain_word(atom.below).isdigit()
            case "family" | "label":
                return True
            case "function":
                return count == len(self.reader.names.functions[m.name].parameters)
        return False

    def unknown(self, atom: Atom) -> ParseError:
        """Return the error for a symbol that nothing declares."""
        text = self.layout.text[slice(*atom.base_spot)]
        hint = f"declared are {self.vocabulary.near()}" if self.vocabulary.near() else "declare it with its shape"
        start = atom.base_spot[0]
        if self.layout.text[max(start - 2, 0) : max(start - 1, 0)] == "_" and text.isalpha():
            before = self.layout.text[start - 1]
            hint = f"only the {before} stands below: write _{{{before}{text}}}"
        return UnknownNameError(f"{text} is not declared", place=self.layout.place(*atom.base_spot), hint=hint)

    # -- subscripts

    def subscripts(self, below: Node) -> list[Node]:
        """Return what stands below, one by one: `kl` and `k,l` are two subscripts, `t-1` is one."""
        if not elements(below):
            return self.letters_below(below)
        found: list[Node] = []
        for element in elements(below):
            product = only_product(element)
            plain = product is not None and all(
                not operator and _is_plain(factor) for factor, operator in factors(product)
            )
            if plain and product is not None:
                for factor, _ in factors(product):
                    found += self.letters_below(factor)
            else:
                found.append(element)
        return found

    def letters_below(self, node: Node) -> list[Node]:
        """Return the letters of a word as subscripts of their own, the last with its scripts."""
        if isinstance(node, Tree) and node.data == "factor":
            atom, _ = atom_of(node, "")
            if atom.kind == "WORD" and len(atom.text) > 1:
                return list(split(atom, list(atom.text)))
            return [atom]
        if isinstance(node, Tree):
            return [Atom(node, spot_of(node), symbol=symbol_of(node))]
        return [node]

    def index(self, sub: Node) -> ast.expr:
        """Return a subscript of an array as syntax: the name of an index, all of an axis, or a label."""
        if isinstance(sub, Tree) and sub.data == "all":
            return ast.Slice(lower=None, upper=None, step=None)
        atom = sub if isinstance(sub, Atom) else None
        if atom is None or atom.symbol is None or atom.above:
            spot = atom.spot if atom else spot_of(sub)
            raise self.error(spot, "a subscript of an array is the name of an index", "write W_{ij}")
        names = self.vocabulary.means(Key(*atom.symbol, primes=0))
        for name in names:
            if self.vocabulary.kind(name) == "label":
                node: ast.expr = ast.Name(id=name, ctx=ast.Load())
                return entry(node, [self.label(s) for s in self.subscripts(atom.below)]) if atom.below else node
        if atom.below is not None:
            raise self.error(atom.spot, "a subscript of a subscript", "declare it with y[t]: index(m)")
        name = self.index_name(atom)
        self.seen.setdefault(name, atom.spot)
        return self.located(ast.Name(id=name, ctx=ast.Load()), atom.spot)

    @staticmethod
    def index_name(atom: Atom) -> str:
        """Return the name of an index; a prime is an underscore."""
        assert atom.symbol is not None
        base, accent = atom.symbol
        return (base if base != "lambda" else "lam") + (f"_{accent}" if accent else "") + "_" * atom.primes

    def label(self, sub: Node) -> ast.expr:
        """Return the label of a member as syntax."""
        if isinstance(sub, Atom):
            if sub.kind == "NUMBER":
                return self.located(ast.Constant(value=_number(sub.text)), sub.spot)
            meaning = self.meaning(sub)
            if meaning is None:
                hint = "declare its range: t: integer(1, T)"
                raise UnknownNameError(
                    f"{self.layout.text[slice(*sub.spot)]} is no integer here",
                    place=self.layout.place(*sub.spot),
                    hint=hint,
                )
            return self.located(ast.Name(id=meaning.name, ctx=ast.Load()), sub.spot)
        return self.integer(sub)

    def integer(self, tree: Tree[Token]) -> ast.expr:
        """Return an integer expression as syntax."""
        inner = tree.children[0] if tree.data == "element" and len(tree.children) == 1 else tree
        if not isinstance(inner, Tree) or inner.data != "sum":
            raise self.error(spot_of(tree), "an integer is expected here")
        return self.sum(inner).node

    # -- functions

    def function_of(self, atom: Atom, before_bracket: bool = False) -> tuple[str, str] | None:
        """Return the name and the kind of a function that a symbol is: declared, or one of the language."""
        if atom.symbol is None:
            return (atom.text, "text") if atom.kind == "TEXT" and atom.text in FUNCTIONS else None
        meaning = self.meaning(replace(atom.without_scripts(), primes=atom.primes), called=True)
        value = self.meaning(atom)
        stands = value is not None and self.fits(value)
        if meaning is not None and stands and before_bracket and atom.below is None:
            hint = "call one of them by another name"
            raise self.ambiguous(atom.spot, f"the function {meaning.name}, or {value.name}?", hint)  # type: ignore[union-attr]
        if stands:
            return None
        if meaning is not None:
            return meaning.name, meaning.kind
        if value is not None and value.kind not in CALLED:
            return None
        word = atom.symbol[0]
        if word == "sigma" and not atom.symbol[1]:
            return "sigmoid", "built in"
        if word == "O" and before_bracket and self.vocabulary.is_free("O"):
            return "O", "built in"
        if atom.kind in ("NAME", "WORD") and word in FUNCTIONS and len(word) > 1:
            return FUNCTIONS[word], "built in"
        return (word, "built in") if atom.kind == "NAME" and word in KNOWN else None

    def is_scalar_function(self, name: str, kind: str) -> bool:
        """Tell whether a function has a derivative that is written with a prime."""
        if kind == "built in":
            return name in TABLE
        if kind == "function":
            return len(self.reader.names.functions[name].parameters) == 1
        return kind == "entrywise"


def _is_bracket(factor: Tree[Token]) -> bool:
    base = factor.children[0]
    return isinstance(base, Tree) and base.data == "bracketed"


def _is_plain(factor: Tree[Token]) -> bool:
    """Tell whether a factor below is a single symbol or number."""
    base = factor.children[0]
    return isinstance(base, Tree) and base.data in ("word", "fonted", "accented")


def _number(text: str) -> int | float:
    return int(text) if text.isdigit() else float(text)
