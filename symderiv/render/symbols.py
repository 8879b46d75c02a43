r"""Names, sizes and labels as LaTeX, and the table of precedences that both notations share.

Names print as they are read: `theta` as θ, `w1` as w with a subscript, `k_` as k′; a table may say
otherwise (`w1` as `w^{(1)}`).  The label of a family is a subscript, `h_{t-1}` with the entries `h_{t-1,i}`; of the
families in `superscript` it stands in brackets above, as layers have it: `w^{(l+1)}_{kj}`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from fractions import Fraction
from typing import Any

import sympy

from symderiv import dims
from symderiv.families import Label, shifted
from symderiv.functions import FUNCTIONS
from symderiv.render.labels import POSITION, member
from symderiv.tensor.expr import Expr
from symderiv.tensor.text import FunctionName

GREEK = frozenset({
    "alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "iota", "kappa", "lambda", "mu", "nu",
    "xi", "pi", "rho", "sigma", "tau", "upsilon", "phi", "chi", "psi", "omega", "Gamma", "Delta", "Theta",
    "Lambda", "Xi", "Pi", "Sigma", "Upsilon", "Phi", "Psi", "Omega",
})  # fmt: skip
SHORT = {"lam": "lambda", "Lam": "Lambda", "eps": "varepsilon"}
SUM, SIGN, ENTRYWISE, PRODUCT, POWER, ATOM = range(6)
WORDS = {"trace": r"\operatorname{tr}", "det": r"\det", "logdet": r"\log\det", "vec": r"\operatorname{vec}",
         "diag": r"\operatorname{diag}", "prod": r"\operatorname{prod}", "mean": r"\operatorname{mean}",
         "maximum": r"\max", "minimum": r"\min", "softmax": r"\operatorname{softmax}",
         "logsumexp": r"\operatorname{logsumexp}", "solve": r"\operatorname{solve}"}  # fmt: skip
RELATIONS = {"<": "<", "<=": r"\le", ">": ">", ">=": r"\ge", "==": "=", "!=": r"\ne"}

Written = tuple[str, int]


class Symbols:
    """Prints names; `expressions` tells what the heads of a proof stand for in matrix notation."""

    def __init__(
        self,
        expressions: Mapping[str, Expr] | None = None,
        display: Mapping[str, str] | None = None,
        functions: Mapping[FunctionName, str] | None = None,
        superscript: Sequence[str] = (),
    ) -> None:
        self.expressions = dict(expressions or {})
        self.display = dict(display or {})
        self.functions = dict(functions or {})
        self.superscript = frozenset(superscript)  # families whose label stands above
        self.values: dict[Label, Label] = {}  # of labels, while a factor of a product is written out
        self.running: dict[str, str] = {}  # the letter for the label of a whole stacked family
        self.wholes: dict[str, Written] = {}  # arrays that print as what they stand for
        self.spelt: dict[str, tuple[int, frozenset[str]]] = {}  # the rank of such an array, and the words in its text
        self.shorthand: dict[Expr, str] = {}  # long parts of a proof, by the names that they have in it
        self.aliases: dict[str, str] = {}  # names of a proof's own for named arrays
        self.calls: dict[str, str] = {}  # the head of a call of an unknown function, and the definition that it is
        self.supposed: set[str] = set()  # heads that an induction hypothesis knows
        self.primes: dict[str, str] = {}  # scalar functions of one variable: f -> t, for f'(t)
        self.braced: dict[Any, str] = {}  # what is written under a part of the expression
        self.direct: set[str] = set()  # definitions whose immediate derivative is told from the total one
        self.standing: set[str] = set()  # the names in the index expression that is being written
        self.every_range = False  # write the range of each of several bound indices

    # -- names

    def name(self, name: str) -> str:
        """Return a name as it is read."""
        if name in self.display:
            return self.display[name]
        found = member(name)
        if found is not None:
            return self.member(*found)
        if name.endswith("'"):
            return self.primed(name.rstrip("'"), len(name) - len(name.rstrip("'")))
        stem, primes = name.rstrip("_"), len(name) - len(name.rstrip("_"))
        if not stem:
            return r"\_" * primes
        if primes:
            return self.primed(stem, primes)
        if stem.endswith("_bar") and len(stem) > 4:
            return rf"\bar{{{self.name(stem[:-4])}}}"
        match = re.fullmatch(r"([A-Za-z]+)_?(\d+)", stem)
        if match:
            base, sub = match.groups()
        else:
            base, _, sub = stem.partition("_")
        return self.symbol(base) + (f"_{{{self.symbol(sub)}}}" if sub else "")

    def primed(self, name: str, primes: int) -> str:
        """Return a name with primes; they cannot follow an exponent."""
        text = self.name(name)
        return (brackets(text) if "^" in marks(text) else text) + "'" * primes

    def symbol(self, word: str) -> str:
        """Return one word as a symbol: a letter, a Greek name, else upright."""
        word = SHORT.get(word, word)
        if word in GREEK or word == "varepsilon":
            return "\\" + word
        if len(word) <= 1 or word.isdigit():
            return word
        return r"\mathrm{" + word.replace("_", r"\_") + "}"

    def subscript(self, indices: Sequence[Any]) -> str:
        """Return indices under a symbol, parted by commas where letters would run together."""
        names = [i if i == ":" else self.name(str(i)) for i in indices]
        plain = all(len(n.rstrip("'")) == 1 for n in names)
        return ("" if plain else ",").join(names)

    # -- members of families

    def member(self, family: str, label: Label, indices: Sequence[Any] = ()) -> str:
        """Return a member, or an entry of it.

        Of a stacked family the first index is the label; the whole of one is `(h_{t-1})_{t}`.
        """
        label = shifted(label, self.values)
        if POSITION in label.free_symbols:
            first, rest = (str(indices[0]), indices[1:]) if indices else (":", ())
            letter = self.letter_of(family, label) if first == ":" else first
            row = self.member(family, shifted(label, {POSITION: dims.symbol(letter)}), rest)
            return f"({row})_{{{self.name(letter)}}}" if first == ":" else row
        base, at = self.name(family), self.size(label)
        entry = self.subscript(indices) if any(i != ":" for i in indices) else ""
        if family in self.superscript:
            base = f"{brackets(base) if '^' in marks(base) else base}^{{({at})}}"
            return self.below(base, entry) if entry else base
        return self.below(base, ",".join(filter(None, [at, entry])))

    def letter_of(self, family: str, label: Label) -> str:
        """Return the letter for the label of a whole family: its loop's, unless the label names that already."""
        taken = {str(s) for s in label.free_symbols}
        letters: list[str] = [self.running.get(family, "t"), *"tsruvw"]
        return next(c for c in letters if c not in taken)

    @staticmethod
    def below(text: str, subscript: str) -> str:
        """Return a symbol with a subscript; one that it has already is set apart by brackets."""
        return f"{brackets(text) if '_' in marks(text) else text}_{{{subscript}}}"

    @contextmanager
    def at(self, variable: Label, label: Label | None = None) -> Iterator[None]:
        """Write with a label put in for a variable; with none, the variable is one of its own."""
        outer = self.values
        self.values = {**outer, variable: variable if label is None else shifted(label, outer)}
        try:
            yield
        finally:
            self.values = outer

    # -- numbers

    def size(self, size: Any) -> str:
        """Return a size, a label or a bound of a sum."""
        return self.whole_number(size.xreplace(self.values) if self.values else size)

    def whole_number(self, size: Any) -> str:
        """Return an integer expression; it begins without a minus where it can."""
        if isinstance(size, sympy.Mul) and size.args[0] == -1:
            return "-" + self.whole_number(-size)
        if isinstance(size, sympy.Mul):
            return r"\,".join(self.whole_number(a) for a in size.args)
        if isinstance(size, sympy.Pow):
            return f"{self.whole_number(size.base)}^{{{self.whole_number(size.exp)}}}"
        if isinstance(size, sympy.Add):
            terms = [self.whole_number(a) for a in size.as_ordered_terms()]
            first = next((t for t in terms if not t.startswith("-")), terms[0])
            terms.remove(first)
            return "+".join([first, *terms]).replace("+-", "-")
        return str(size) if getattr(size, "is_Integer", False) else self.name(str(size))

    @staticmethod
    def fraction(value: Fraction) -> str:
        """Return a rational number."""
        sign = "-" if value < 0 else ""
        value = abs(value)
        if value.denominator == 1:
            return f"{sign}{value.numerator}"
        return rf"{sign}\tfrac{{{value.numerator}}}{{{value.denominator}}}"

    def function(self, name: str, order: int) -> str:
        """Return a scalar function or a derivative of an unknown one."""
        word = FUNCTIONS[name].latex if name in FUNCTIONS else self.name(name)
        return word + ("'" * order if order < 4 else f"^{{({order})}}")

    @staticmethod
    def bracketed(written: Written, least: int) -> str:
        """Return the text, in brackets where it binds weaker than `least`."""
        text, precedence = written
        return text if precedence >= least else brackets(text)

    def raisable(self, written: Written) -> str:
        """Return the base of an exponent, in brackets where it is no single symbol or has an exponent itself."""
        text, precedence = written
        return text if precedence == ATOM and not marks(text) & {"^", "'"} else brackets(text)


def marks(text: str) -> set[str]:
    """Return which of `^`, `_` and `'` stand on a symbol itself, not inside of its brackets.

    >>> sorted(marks(r"w^{(1)}_{i}")), marks("(a_{i})")
    (['^', '_'], set())
    """
    found, depth = set(), 0
    for char in re.sub(r"\\.", "", text):
        if char in "{([":
            depth += 1
        elif char in "})]":
            depth -= 1
        elif char in "^_'" and not depth:
            found.add(char)
    return found


def joined(parts: Sequence[str]) -> str:
    """Join factors with a thin space; two numerals are kept apart by a dot."""
    text = ""
    for part in parts:
        if text and part:
            text += r" \cdot " if text[-1].isdigit() and part[0].isdigit() else r"\,"
        text += part
    return text


def brackets(text: str) -> str:
    """Return the text in brackets that grow with it."""
    return rf"\left({text}\right)" if _is_tall(text) else f"({text})"


def braces(text: str) -> str:
    """Return the text in braces that grow with it."""
    return rf"\left\{{{text}\right\}}" if _is_tall(text) else rf"\{{{text}\}}"


def _is_tall(text: str) -> bool:
    return any(word in text for word in (r"\frac", r"\sum", r"\prod", r"\cases", r"\left", r"\Bigl"))
