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
        self.head(variable)
        return self.along.setdefault(variable, self.names.of("derivation", f"d_{variable.name}"))

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
        return self._number(expr), ARGUMENT + 1

    def _factor(self, expr: Any, k: int) -> str:
        text, tight = self._term(expr)
        product = isinstance(expr, Times) and len(expr.args) > 1
        return f"({text})" if tight < TIMES or (product and k) else text

    def _summand(self, expr: Any, k: int) -> str:
        text, tight = self._term(expr)
        return f"({text})" if tight == PLUS and k else text

    def _power(self, expr: Any) -> tuple[str, int]:
        base, exponent = self.term(expr.base, ARGUMENT), expr.exponent
        if isinstance(exponent, sympy.Integer) and exponent >= 0:
            return f"{base} ^+ {exponent}", TIMES
        if exponent == -1:
            return f"{base}^-1", ARGUMENT + 1
        if isinstance(exponent, sympy.Integer):
            return f"{base} ^- {-exponent}", TIMES
        raise UnsupportedError(f"a certificate for Coq cannot hold the exponent {exponent}")

    def _number(self, expr: Any) -> str:
        if isinstance(expr, sympy.Integer):
            if expr in (0, 1):
                return str(expr)
            return "(-1)" if expr == -1 else f"(- {-expr}%:R)" if expr < 0 else f"{expr}%:R"
        if is_size(expr) and not isinstance(expr, sympy.Rational):
            return f"{self.size(expr)}%:R"
        raise UnsupportedError(f"a certificate for Coq cannot hold {type(expr).__name__} {expr}")
