r"""Sums and ordered products over ranges, and the ranges themselves, as LaTeX.

The order of a product of matrices is shown by its factors: `J_{t}\,J_{t-1} \cdots J_{\tau+1}`.  Where it has no
order (numbers, the same factor throughout) or no factor, it is written with ∏; an empty backward one as
`\prod_{s=\tau}^{\tau+1}`, from its first label to its last.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import sympy

from symderiv import dims
from symderiv.families import Label, Range, shifted
from symderiv.render.labels import parameters
from symderiv.render.symbols import POWER, PRODUCT, SIGN, Symbols, Written
from symderiv.tensor.expr import Expr

REACHING = frozenset(["sum_over", "range_sum", "range_prod"])  # they take in the product that follows
FEW = 4  # factors that are all written out


class RangesLatex(Symbols):
    """Prints what runs over a range."""

    def matrixed(self, expr: Expr) -> Written:
        """Return an expression in matrix notation with its precedence."""
        raise NotImplementedError

    def running_body(self, body: Expr) -> str:
        """Return what a Σ or a ∏ runs over: a sum of terms in brackets, another Σ without."""
        text, precedence = self.matrixed(body)
        return text if body.op in REACHING else self.bracketed((text, precedence), PRODUCT)

    short_products = False  # show the first and the last factor only

    def over(
        self, sign: str, variable: str, first: Label, last: Label, body: Expr, left_out: Sequence[Label] = ()
    ) -> Written:
        """Return `Σ` or `∏` with its ends, and the labels that are left out."""
        apart = rf",\,{self.name(variable)} \ne {', '.join(map(self.size, left_out))}" if left_out else ""
        ends = rf"_{{{self.name(variable)}={self.size(first)}{apart}}}^{{{self.size(last)}}}"
        with self.at(dims.symbol(variable)):
            return rf"\{sign}{ends} {self.running_body(body)}", SIGN

    def write_range_sum(self, expr: Expr) -> Written:
        variable, low, high, _ = expr.data
        return self.over("sum", variable, low, high, expr.args[0])

    def all_but(self, expr: Expr, left_out: Sequence[Label]) -> Written:
        """Return a sum over a range without some of its terms."""
        variable, low, high, _ = expr.data
        return self.over("sum", variable, low, high, expr.args[0], left_out)

    def write_range_prod(self, expr: Expr) -> Written:
        (body,), (variable, low, high, backward) = expr.args, expr.data
        if not body.rank or variable not in parameters(body):
            return self.over("prod", variable, low, high, body)
        first, last, step = (high, low, -1) if backward else (low, high, 1)
        length = shifted(high - low + 1, self.values)
        if length.is_Integer and length <= 0:
            return self.over("prod", variable, first, last, body)
        if length.is_Integer and length <= FEW:
            return r"\,".join(self.factor_at(body, variable, first + step * k) for k in range(int(length))), PRODUCT
        shown = 1 if self.short_products else 2
        start = r"\,".join(self.factor_at(body, variable, first + step * k) for k in range(shown))
        return rf"{start} \cdots {self.factor_at(body, variable, last)}", PRODUCT

    def factor_at(self, body: Expr, variable: str, label: Label) -> str:
        """Return a factor of a product at a label."""
        with self.at(dims.symbol(variable), label):
            text, precedence = self.matrixed(body)
            is_fraction = body.op == "diff" and text.endswith("}")
            return text if is_fraction else self.bracketed((text, precedence), POWER)

    # -- ranges

    def runs(self, ranges: Sequence[Range]) -> str:
        r"""Return ranges as they introduce what holds for each member: `t = 1, \dots, T`."""
        return r",\; ".join(f"{self.name(r.variable)} = {self.run(r.low, r.high)}" for r in ranges)

    def run(self, low: Label, high: Label) -> str:
        r"""Return `1, \dots, T`."""
        length = sympy.expand(high - low + 1)
        if length.is_Integer and 1 <= length <= 2:
            return ", ".join(dict.fromkeys([self.size(low), self.size(high)]))
        return rf"{self.size(low)}, \dots, {self.size(high)}"

    def bounds(self, ranges: Sequence[Range]) -> str:
        r"""Return ranges as inequalities, nested ones in one chain: `0 \le \tau \le t \le T`."""
        chains: list[list[Label]] = []
        for r in ranges:
            chain = next((c for c in chains if _inserted(c, r)), None)
            if chain is None:
                chains.append([r.low, r.symbol, r.high])
        return r",\; ".join(r" \le ".join(map(self.size, c)) for c in chains)


def _inserted(chain: list[Label], range_: Range) -> bool:
    """Put a range's variable between the labels of a chain that are its ends; tell whether there are such."""
    for k, (low, high) in enumerate(pairwise(chain)):
        if (low, high) == (range_.low, range_.high):
            chain.insert(k + 1, range_.symbol)
            return True
    return False
