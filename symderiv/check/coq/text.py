r"""Expressions as terms of Coq: a product is a product there, a sum is `\sum_(i < n)`, δ is `(i == j)%:R`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import sympy

from symderiv.check.coq.names import Identifiers
from symderiv.check.terms import is_size
from symderiv.errors import UnsupportedError
from symderiv.index.nodes import Apply, Delta, Derivative, Entry, Index, Plus, Power, Sum, Tensor, Times

PLUS, SUM, TIMES, ARGUMENT = range(4)  # how tightly what stands around binds
HALF, MINUS = sympy.Rational(1, 2), sympy.Integer(-1)


def peeled(power: Power) -> tuple[str, Any, int]:
    """Return what a power is outermost, of what, and how often: a "power", an "inverse" or a "root".

    `u**-2` is the square of `u**-1`, `u**(-1/2)` the inverse of the root of u.

    >>> u = Entry(Tensor("u"))
    >>> peeled(Power(u, sympy.Integer(-2))), peeled(Power(u, -HALF))
    (('power', (u)**(-1), 2), ('inverse', (u)**(1/2), 1))
    """
    base, exponent = power.base, power.exponent
    if not (isinstance(exponent, sympy.Rational) and exponent.q <= 2):
        raise UnsupportedError(f"a certificate for Coq cannot hold the exponent {exponent}")
    unit = sympy.Rational(1, exponent.q)
    if exponent.q == 1 and exponent >= 0:
        return "power", base, int(exponent)
    if exponent not in (unit, -unit):
        return "power", Power(base, unit if exponent > 0 else -unit), abs(exponent.p)
    if exponent < 0:
        return "inverse", base if unit == 1 else Power(base, HALF), 1
    return "root", base, 1


def written(number: Any) -> Any:
    """Return a number that is neither whole nor a size as it is written: p/q is p times the inverse of q."""
    match number:
        case sympy.Rational() if number.q > 1:
            inverse = Power(sympy.Integer(number.q), MINUS)
            return inverse if number.p == 1 else Times(sympy.Integer(number.p), inverse)
        case sympy.Add():
            return Plus(*number.args)
        case sympy.Mul():
            return Times(*number.args)
        case sympy.Pow() if isinstance(number.exp, sympy.Integer):
            return Power(*number.args)
    raise UnsupportedError(f"a certificate for Coq cannot hold {type(number).__name__} {number}")


def countable(expr: Any) -> bool:
    """Tell whether an expression is a size made of symbols and numbers that count something: it prints as one."""
    if isinstance(expr, (sympy.Add, sympy.Mul)):
        return all(map(countable, expr.args))
    return (isinstance(expr, sympy.Integer) and expr >= 0) or isinstance(expr, sympy.Symbol)


class Terms:
    """The printer; `heads`, `functions`, `variables` and `sizes` are what it has met, in order."""

    def __init__(self, names: Identifiers, alias: Callable[[Derivative], Any] = lambda _: None) -> None:
        self.names = names
        self.alias = alias  # what stands for a derivative in something that is itself defined
        self.heads: dict[Tensor, str] = {}
        self.functions: dict[tuple[str, int], str] = {}
        self.along: dict[Tensor, str] = {}
        self.sizes: dict[str, str] = {}

    # -- names

    def size(self, size: Any) -> str:
        """Return a size, a natural number."""
        if isinstance(size, sympy.Symbol):
            return self.sizes.setdefault(size.name, self.names.of("size", size.name))
        if isinstance(size, sympy.Integer) and size >= 0:
            return str(size)
        if isinstance(size, (sympy.Add, sympy.Mul)) and is_size(size):
            sign = " + " if isinstance(size, sympy.Add) else " * "
            return f"({sign.join(self.size(a) for a in size.args)})%N"
        raise UnsupportedError(f"a certificate for Coq cannot hold the size {size}")

    def head(self, tensor: Tensor) -> str:
        """Return the name of an array."""
        if tensor not in self.heads:
            for size in tensor.sizes:
                self.size(size)
            self.heads[tensor] = self.names.of("array", str(tensor.args), tensor.name)  # other sizes, another array
        return self.heads[tensor]

    def function(self, name: str, order: int = 0) -> str:
        """Return the name of a scalar function, or of a derivative of an unknown one."""
        return self.functions.setdefault((name, order), self.names.of("function", name + "_prime" * order))

    def derivation(self, variable: Tensor) -> str:
        """Return the name of the family of derivations along the entries of a variable."""
        if variable not in self.along:
            if variable.name.startswith("own "):  # no array of the language is called so
                self.along[variable] = self.names.of("derivation", f"own_{variable.name[4:]}")
            else:
                self.head(variable)
                self.along[variable] = self.names.of("derivation", f"d_{variable.name}")
        return self.along[variable]

    def index(self, index: Index) -> str:
        """Return the name of an index."""
        made_here = index.name.startswith("'")  # such a name counts on from one proof to the next
        return self.names.of("index", index.name, "r" if made_here else "")

    def binders(self, indices: Sequence[Index]) -> str:
        """Return ` (i : 'I_m) (j : 'I_n)`."""
        return "".join(f" ({self.index(i)} : 'I_{self.size(i.size)})" for i in indices)

    def at(self, name: str, indices: Sequence[Index]) -> str:
        """Return `name i j`."""
        return " ".join([name, *map(self.index, indices)])

    def slope(self, entry: Entry) -> str:
        """Return `d_x k l`, the derivation along an entry."""
        return self.at(self.derivation(entry.tensor), entry.indices)

    # -- terms

    def term(self, expr: Any, around: int = PLUS) -> str:
        """Return an expression of value type."""
        text, tight = self._term(expr)
        return text if tight > around or around == PLUS else f"({text})"

    def function_of(self, index: Index, expr: Any) -> str:
        """Return `(fun j : 'I_n => term)`."""
        return f"(fun {self.index(index)} : 'I_{self.size(index.size)} => {self.term(expr)})"

    def equation(self, left: Any, right: Any) -> str:
        """Return `left = right`, with its type where the left side does not begin with a quantity."""
        first = left
        while isinstance(first, (Times, Plus, Sum, Power)):
            first = first.args[0]
        typed = isinstance(first, (Entry, Derivative, Apply))
        return f"{self.term(left)} = {self.term(right)}" + ("" if typed else " :> F")

    def _term(self, expr: Any) -> tuple[str, int]:
        match expr:
            case Entry():
                return self.at(self.head(expr.tensor), expr.indices), TIMES if expr.indices else ARGUMENT + 1
            case Delta():
                return f"({self.index(expr.args[0])} == {self.index(expr.args[1])})%:R", ARGUMENT + 1
            case Times() | Plus() if len(expr.args) == 1:
                return self._term(expr.args[0])
            case Times():
                return " * ".join(self._factor(a, k) for k, a in enumerate(expr.args)), TIMES
            case Plus():
                return " + ".join(self._summand(a, k) for k, a in enumerate(expr.args)), PLUS
            case Sum():
                over = " ".join(rf"\sum_({self.index(i)} < {self.size(i.size)})" for i in expr.bound)
                body, tight = self._term(expr.body)
                return f"{over} {f'({body})' if tight == PLUS else body}", SUM
            case Power():
                return self._power(expr)
            case Apply():
                return f"{self.function(expr.name, expr.order)} {self.term(expr.arg, ARGUMENT)}", TIMES
            case Derivative():
                named = self.alias(expr)
                if named is not None:
                    return self._term(named)
                return f"{self.slope(expr.entry)} {self.term(expr.of, ARGUMENT)}", TIMES
        return self._number(expr)

    def _factor(self, expr: Any, k: int) -> str:
        text, tight = self._term(expr)
        product = isinstance(expr, Times) and len(expr.args) > 1
        return f"({text})" if tight < TIMES or (product and k) else text

    def _summand(self, expr: Any, k: int) -> str:
        text, tight = self._term(expr)
        return f"({text})" if tight == PLUS and k else text

    def _power(self, expr: Power) -> tuple[str, int]:
        kind, inner, times = peeled(expr)
        base = self.term(inner, ARGUMENT)
        if kind == "inverse":
            return f"{base}^-1", ARGUMENT + 1
        return (f"{base} ^+ {times}" if kind == "power" else f"{self.function('sqrt')} {base}"), TIMES

    def _number(self, expr: Any) -> tuple[str, int]:
        if isinstance(expr, sympy.Integer):
            if expr in (0, 1):
                return str(expr), ARGUMENT + 1
            return "(-1)" if expr == -1 else f"(- {-expr}%:R)" if expr < 0 else f"{expr}%:R", ARGUMENT + 1
        if is_size(expr) and countable(expr):
            return f"{self.size(expr)}%:R", ARGUMENT + 1
        return self._term(written(expr))
