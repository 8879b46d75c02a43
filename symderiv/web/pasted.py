r"""A formula in LaTeX as it is pasted: read over names that nobody has declared, and said in NumPy's notation.

Which letters are names can be seen; how many axes each of them has is tried, the likeliest first, until the formula
can be read and its sizes agree.  What was read is shown, and shapes can be changed like all that are guessed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from heapq import heappop, heappush
from keyword import iskeyword

from lark import Token, Tree

from symderiv.errors import ParseError, SymderivError
from symderiv.latex.atoms import Atom, Node, atom_of, factors, label_word, only_product, plain_word, split, spot_of
from symderiv.latex.chains import read_side
from symderiv.latex.grammar import parsed
from symderiv.latex.layout import laid_out
from symderiv.latex.source import Layout
from symderiv.latex.words import FUNCTIONS
from symderiv.lift import lift
from symderiv.lower import lower
from symderiv.sheet import Sheet
from symderiv.statements.block import BlockReader
from symderiv.statements.meaning import meaning
from symderiv.tensor.expr import Expr, walk
from symderiv.tensor.text import to_text
from symderiv.web.asked import SIZE, Shape
from symderiv.web.guessing import NOT_A_NUMBER, SIZE_NAMES, choices, consistent

MOST_CHARACTERS = 4000
MOST_TRIED = 150  # of a short formula; of long ones fewer
CALLED = frozenset(["f", "g", "h", "phi", "psi", "ell"])  # letters that are functions before a bracket
SHORT = {"lambda": "lam", "Lambda": "Lam"}
# `i = 1` below and `n` above a sum over an axis: its range is found from use
RANGE = re.compile(
    r"(\\(?:sum|prod)(?:\\limits)?\s*)(?:_\{\s*(\w)\s*=\s*1\s*\}\s*\^(\{\s*\w\s*\}|\w)|\^(\{\s*\w\s*\}|\w)\s*_\{\s*(\w)\s*=\s*1\s*\})"
)


@dataclass(frozen=True)
class Pasted:
    """A formula in NumPy's notation, and how many axes each of its names has there."""

    text: str
    ranks: Mapping[str, int]


def pasted(text: str, given: Mapping[str, Shape]) -> Pasted:
    r"""Return what a formula in LaTeX says; `f(w) =` before it is left out.

    >>> pasted(r"f(w) = \frac12 \|X w - y\|^2 + \lambda w^\top w", {}).text
    '1 / 2 * norm(X @ w - y)**2 + lam * w @ w'
    >>> pasted(r"\sum_{i=1}^n e^{x_i}", {}).text
    'sum(exp(x))'
    """
    return _pasted(text, tuple((name, SIZE if shape == SIZE else tuple(shape)) for name, shape in given.items()))


@lru_cache(maxsize=32)
def _pasted(text: str, given: tuple[tuple[str, Shape], ...]) -> Pasted:
    if len(text) > MOST_CHARACTERS:
        raise ParseError(f"the formula has {len(text)} characters, more than {MOST_CHARACTERS}")
    try:
        return _read(_right_side(RANGE.sub(_bare, text)), dict(given))
    except SymderivError as err:  # places count the same characters
        if err.place is not None and len(err.place.text) == len(text):
            err.place = replace(err.place, text=text)
        raise


def _bare(found: re.Match[str]) -> str:
    """Return a sum with nothing but its index, as long as it was."""
    short = f"{found[1]}_{{{found[2] or found[5]}}}"
    return short + " " * (len(found[0]) - len(short))


def _right_side(text: str) -> str:
    """Return a text with `f(w) =` blanked out."""
    tree = parsed(laid_out(text))
    chain = tree.children[0]
    sides = [c for c in chain.children if isinstance(c, Tree)] if isinstance(chain, Tree) else []
    if len(tree.children) != 1 or len(sides) != 2 or not _is_name(sides[0]):
        return text
    start, end = spot_of(sides[0])[0], text.index("=", spot_of(sides[0])[1]) + 1
    return text[:start] + re.sub(r"[^\n]", " ", text[start:end]) + text[end:]


def _is_name(side: Tree[Token]) -> bool:
    """Tell a name, or a function at its arguments."""
    product = only_product(side)
    parts = list(factors(product)) if product is not None else []
    atoms = [atom_of(factor, operator)[0] for factor, operator in parts]
    return bool(atoms) and atoms[0].symbol is not None and [a.kind for a in atoms[1:]] in ([], ["bracketed"])


# ---------------------------------------------------------------- names


@dataclass
class Symbols:
    """The names of a formula, with how many subscripts they have; functions without a formula."""

    layout: Layout
    arrays: dict[str, int | None] = field(default_factory=dict)
    functions: dict[str, None] = field(default_factory=dict)
    bound: set[str] = field(default_factory=set)

    @staticmethod
    def of(text: str) -> Symbols:
        r"""Return the names of a formula.

        >>> found = Symbols.of(r"h(W_1 x) + \lambda \sum_i y_i")
        >>> found.arrays, list(found.functions)
        ({'W1': None, 'x': None, 'lam': None, 'y': 1}, ['h'])
        """
        found = Symbols(laid_out(text))
        found.tree(parsed(found.layout))
        for name in found.bound:
            found.arrays.pop(name, None)
        return found

    def tree(self, node: Node) -> None:
        """Note the names of a tree."""
        if isinstance(node, Token):
            return
        if node.data == "product":
            self.product(node)
            return
        if node.data == "factor":
            self.factor(node, False)
            return
        for child in node.children:
            self.tree(child)

    def product(self, product: Tree[Token]) -> None:
        parts = list(factors(product))
        for k, (factor, _) in enumerate(parts):
            following = parts[k + 1] if k + 1 < len(parts) else None
            called = following is not None and not following[1] and atom_of(following[0], "")[0].kind == "bracketed"
            self.factor(factor, called)

    def factor(self, factor: Tree[Token], called: bool) -> None:
        """Note the names of a factor; `called` where a bracket follows."""
        atom, _ = atom_of(factor, "")
        if atom.kind == "BIG":
            self.bound |= {_named(word) for word in _words(atom.below)}
            return
        if atom.symbol is None:
            self.tree(atom.base)
        elif atom.kind == "WORD" and len(atom.text) > 1:
            self.letters(atom, called)
        else:
            self.symbol(atom, called)
        for above in atom.above:
            start, end = spot_of(above)
            if not label_word(above) and not (end - start < 12 and _is_mark(above)):
                self.tree(above)

    def letters(self, atom: Atom, called: bool) -> None:
        """Note letters side by side, unless they name a function."""
        if called and atom.text in FUNCTIONS:
            return
        several = split(atom, list(atom.text))
        for k, letter in enumerate(several):
            self.symbol(letter, called and k == len(several) - 1)

    def symbol(self, atom: Atom, called: bool) -> None:
        """Note one symbol with its scripts."""
        assert atom.symbol is not None
        base, accent = atom.symbol
        if base in FUNCTIONS and len(base) > 1:
            return
        subscripts = _words(atom.below)
        constant = (base == "e" and bool(atom.above)) or base == "I" or (base == "delta" and len(subscripts) == 2)
        if (constant or (base == "sigma" and called)) and not accent:
            return
        if subscripts and any(map(_is_mark, atom.above)):
            message = f"is {base} with its subscript a row of a matrix? Rows are not read"
            raise ParseError(message, place=self.layout.place(*atom.spot), hint=r"write (X w)_i for x_i^\top w")
        number = plain_word(atom.below) if plain_word(atom.below).isdigit() else ""
        number = number or next(filter(None, map(label_word, atom.above)), "")
        name = _named(base) + number + (f"_{accent}" if accent else "")
        if called and base in CALLED and atom.below is None and not atom.above:
            self.functions[name] = None
        elif name.isidentifier() and not iskeyword(name):
            self.arrays[name] = self.arrays.get(name) or (len(subscripts) or None if not number else None)


def _named(base: str) -> str:
    return SHORT.get(base, base)


def _words(node: Node | None) -> list[str]:
    """Return the letters and Greek letters of a script, one by one."""
    if node is None:
        return []
    tokens = [node] if isinstance(node, Token) else list(node.scan_values(lambda value: isinstance(value, Token)))
    return [
        part for t in tokens if t.type in ("WORD", "SYMBOL") for part in (list(t) if t.type == "WORD" else [str(t)])
    ]


def _is_mark(above: Node) -> bool:
    """Tell `T`, `-1`, `-T` above a symbol."""
    tokens = [above] if isinstance(above, Token) else list(above.scan_values(lambda value: isinstance(value, Token)))
    return [str(t) for t in tokens if t.type not in ("LBRACE", "RBRACE", "MINUS")] in (["T"], ["1"], ["top"], [r"\top"])


# ---------------------------------------------------------------- reading


def _read(text: str, given: Mapping[str, Shape]) -> Pasted:
    """Return the likeliest reading, that of the whole counted too: functions are mostly numbers."""
    found = Symbols.of(text)
    known = {name: 0 if given[name] == SIZE else len(given[name]) for name in found.arrays if name in given}
    fixed = known | {name: rank for name, rank in found.arrays.items() if rank is not None and name not in known}
    free = [name for name in found.arrays if name not in fixed]
    first: SymderivError | None = None
    best: list[tuple[float, int, Pasted]] = []
    for number, (cost, ranks) in enumerate(choices(free)):
        if number * (len(text) + 100) > MOST_TRIED * 200 or (best and best[0][0] <= cost):
            break
        tried = fixed | dict(zip(free, ranks, strict=True))
        try:
            expr = _expression(text, tried, list(found.functions))
        except SymderivError as err:
            first = first or err
            continue
        said = Pasted(to_text(expr), {name: rank for name, rank in tried.items() if name not in given})
        if consistent(said.text, given, said.ranks):
            heappush(best, (cost + NOT_A_NUMBER * expr.rank, number, said))
    if best and not (_parsed_only(first) and _numbers_for_matrices(best[0][2])):
        return heappop(best)[2]
    raise first or ParseError("the sizes of this formula do not agree", hint="give shapes, or write it as in NumPy")


def _parsed_only(err: SymderivError | None) -> bool:
    """Tell an error that is none of shapes: the likeliest reading is read in two ways, or not at all."""
    return isinstance(err, ParseError)


def _numbers_for_matrices(found: Pasted) -> bool:
    """Tell whether a capital letter came out as a number, such as the K of `|K|`."""
    return any(name[0].isupper() and not rank for name, rank in found.ranks.items())


def _expression(text: str, ranks: Mapping[str, int], functions: list[str]) -> Expr:
    """Return a formula over arrays of which all sizes are one; sums over indices in matrix notation."""
    size = next(_fresh({*ranks, *functions}))
    declared = [f"{name}: ({f'{size}, ' * rank})" for name, rank in ranks.items()]
    names = Sheet("\n".join([*declared, *(f"{name}: elementwise()" for name in functions)])).names
    reader = BlockReader(text, names, "")
    expr = reader.read(read_side(text, reader, ()))
    if any(e.op in ("entry", "sum_over", "delta") for e in walk(expr)):
        return lift(lower(expr, meaning()).node)
    return expr


def _fresh(taken: set[str]) -> Iterator[str]:
    yield from (name for name in [*SIZE_NAMES, *(f"n{k}" for k in range(1, 400))] if name not in taken)
