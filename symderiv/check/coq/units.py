"""What has an inverse, and what has a root: hypotheses about what is no product, the rest by its factors."""

from __future__ import annotations

from typing import Any

import sympy

from symderiv.check.coq.combination import Laws
from symderiv.check.coq.scripts import into
from symderiv.check.coq.setting import Setting
from symderiv.check.coq.text import HALF, peeled, written
from symderiv.check.terms import free, with_indices
from symderiv.index.nodes import Apply, Entry, Index, IndexExpr, Power, Tensor, Times, all_indices

TWO = sympy.Integer(2)


class Units(Laws):
    """The hypotheses of a proof about inverses and roots."""

    def __init__(self, setting: Setting) -> None:
        self.setting, self.terms = setting, setting.terms

    def unit(self, expr: Any) -> str:
        r"""Return the script of `u \is a GRing.unit`."""
        match expr:
            case sympy.Integer() if expr < 0:
                return into("apply: unit_opposite", self.unit(-expr))
            case sympy.Integer() if expr == 1:
                return "exact: unitr1"
            case sympy.Integer() if expr > 3 and not sympy.isprime(expr):
                one = min(sympy.primefactors(expr))
                lemma = f"apply: (@unit_number F {one} {expr // one})"
                return into(lemma, self.unit(sympy.Integer(one)), self.unit(expr // one))
            case Times():
                whole = self.unit(expr.args[0])
                for part in expr.args[1:]:
                    whole = into("apply: unit_times", whole, self.unit(part))
                return whole
            case Power() if isinstance(expr.exponent, sympy.Rational) and expr.exponent.q <= 2:
                kind, inner, _ = peeled(expr)
                if kind == "root":
                    return into("apply: unit_root", self.root(inner), self.unit(inner))
                return into(f"apply: unit_{kind}", self.unit(inner))
            case Entry() if (text := self.setting.text_at(expr)) is not None:
                return into("apply: unit_same", f"exact: {self.setting.text(expr.tensor)}", self.unit(text))
            case Apply(name="exp", order=0):
                return f"exact: {self.exponential()}"
            case sympy.Integer() | sympy.Symbol() | IndexExpr():
                return f"exact: {self.supposed(expr)}"
        return self.unit(written(expr))

    def root(self, base: Any) -> str:
        """Return the script of `sqrt u ^+ 2 = u`."""
        general, indices = self.general(base)
        square = Power(Power(general, HALF), TWO)
        name = self.setting.hypothesis(
            ("root", general), "sqrt_square", lambda: self.setting.equation(square, general, indices)
        )
        return f"exact: {name}"

    def exponential(self) -> str:
        """Return the hypothesis that every value of exp has an inverse."""
        u = Entry(Tensor("'u"))

        def statement() -> str:
            text = self.terms.term(Apply("exp", 0, u))
            letter = self.terms.heads.pop(u.tensor)
            return f"forall {letter} : F, {text} \\is a GRing.unit"

        return self.setting.hypothesis(("unit", "exp"), "unit_exp", statement)

    def supposed(self, expr: Any) -> str:
        """Return the hypothesis that something has an inverse, at all of its indices."""
        general, indices = self.general(expr)
        wish = f"_{expr.tensor.name}" if isinstance(expr, Entry) else f"_{expr}" if not expr.args else ""

        def statement() -> str:
            text = self.terms.term(general)
            typed = isinstance(general, (Entry, Apply)) or " " in text
            return self.setting.for_all(indices, f"{text if typed else f'({text} : F)'} \\is a GRing.unit")

        return self.setting.hypothesis(("unit", general), f"unit{wish}", statement)

    def general(self, expr: Any) -> tuple[Any, list[Index]]:
        """Return an expression with its free indices under letters of their own, and these."""
        if not isinstance(expr, IndexExpr):
            return expr, []
        found = [i for i in _in_order(expr) if i in free(expr)]
        bound = [i for i in all_indices(expr) if i not in found]
        letters = self.setting.letters(Tensor("'f", *(i.size for i in found)), bound)
        return with_indices(expr, dict(zip(found, letters, strict=True))), letters


def _in_order(expr: Any) -> list[Index]:
    """Return the indices of an expression in the order in which they stand there."""
    if isinstance(expr, Index):
        return [expr]
    found = [i for a in expr.args for i in _in_order(a)] if isinstance(expr, IndexExpr) else []
    return list(dict.fromkeys(found))
