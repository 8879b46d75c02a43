"""The proof that Taylor coefficients vanish: N and its derivatives in eps, then eps = 0.

With `left − right = N/epsᵐ`, every `∂ⁿN/∂epsⁿ` is found by the laws of differentiation, each from the one before;
where eps is 0, unknown functions of equal arguments are equal, and what is left cancels.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import sympy

from symderiv.claims.directions import along_numbers
from symderiv.claims.expansions import Expansion, is_zero, zeros
from symderiv.claims.higher import Higher, noted
from symderiv.claims.placed import function_names
from symderiv.claims.total import nested
from symderiv.errors import ProofError, UnsupportedError
from symderiv.index.nodes import Argument, Derivative, Entry, Index, Place, Plus, Sum, Tensor, Times, places
from symderiv.index.rewriter import Rewriter
from symderiv.index.rules import unfolded
from symderiv.index.written import times
from symderiv.lift import lift
from symderiv.lower import lower, write
from symderiv.replay import Known, Replayed
from symderiv.statements.meaning import meaning
from symderiv.tensor.expr import Expr, defined, replaced, walk
from symderiv.tensor.operations import apply
from symderiv.tensor.parse import number

ZERO, ONE = sympy.Integer(0), sympy.Integer(1)


def prove_expansion(claim: Expansion, taken: Sequence[str]) -> Replayed:
    """Return the chains that lead from every Taylor coefficient of N, below the order claimed, to 0."""
    if _at_indices(claim.numerator):
        raise UnsupportedError("no proof step by step for an expansion at indices")
    return _Taylor(claim, taken).run()


class _Taylor(Higher):
    def __init__(self, claim: Expansion, taken: Sequence[str]) -> None:
        self.claim = claim
        names = {*taken, *(str(s) for e in walk(claim.numerator) for size in e.shape for s in size.free_symbols)}
        free = (n for n in function_names() if n not in names)
        (numerator,) = along_numbers(claim.numerator)
        self.zero = defined(claim.eps.name, number(0))
        function = _with_names(replaced(numerator, {claim.eps: self.zero}), free)
        self.remainder = defined("N" if "N" not in names else next(free), function)
        variables = [self.zero] * max(claim.count - 1, 1)
        left = Expr("diff", (self.remainder, *variables), ("total",), function.axes)
        super().__init__(
            left, zeros(function.axes), [*names, *(e.name for e in walk(function) if e.op == "defined")], Known()
        )

    def run(self) -> Replayed:
        """Return the chains, one for each coefficient."""
        coefficients = [self.coefficient(n) for n in range(self.claim.count)]
        for n, work in enumerate(coefficients):
            self.arguments.append(Argument(f"order {n}", work.start, tuple(work.steps), work.expr))
        return Replayed(tuple(self.arguments), self.context(), self.function[1], self.expressions)

    def spread(self, work: Rewriter, x: Entry) -> bool:
        """Leave sums in their brackets: what does not hold eps stays a factor, and every point has one term."""
        return False

    def derived(self, start: Any) -> Rewriter:
        """Return the chain to a derivative, as one thought, signs before the sums."""
        work = super().derived(start)
        work.replace("rearrange", (), signs_outside(work.expr))
        noted(work, 0, "chain")
        return work

    def coefficient(self, n: int) -> Rewriter:
        """Return the chain from `∂ⁿN/∂epsⁿ` to 0."""
        f, eps = Entry(self.cuts[self.remainder.name].tensor, *self.function[1]), Entry(Tensor(self.zero.name))
        work = Rewriter(nested(f, [eps] * n), self.context())
        if n == 0:
            definition = self.cuts[f.tensor.name]
            text = unfolded(f, definition, self.letters_beside({i.name for i in f.indices}))
            work.replace("unfold", (), text, {"name": f.tensor.name})
        while (found := next(_outermost(work.expr), None)) is not None:
            place, part = found
            lemma = self.lemma(self.path(part))
            work.replace("lemma", place, self.instance(work, lemma, part), {"label": lemma.label})
        work.context = self.context()
        self.at_zero(work)
        noted(work, 0, "equal arguments")
        work.replace("rearrange", (), ZERO)
        return work

    def at_zero(self, work: Rewriter) -> None:
        """Write every unknown function with its arguments as they are where eps is 0."""
        for place, part in list(places(work.expr)):
            form = self.expressions.get(part.tensor.name) if isinstance(part, Entry) else None
            if form is None or form.op != "unknown" or self.zero not in walk(form):
                continue
            args = tuple(lift(lower(replaced(a, {self.zero: number(0)}), meaning()).node, a.axes) for a in form.args)
            plain = Expr("unknown", args, form.data, form.axes)
            left = iter(part.indices)
            new = write(plain, [tuple(next(left) for _ in axis) for axis in plain.axes], self.notation)
            work.replace("equal arguments", place, new, {"zero": self.zero.name})


def signs_outside(expr: Any) -> Any:
    """Return an expression with the signs of sums and products in front of them: `−Σ f` for `Σ (−f)`."""
    if isinstance(expr, Plus):
        return Plus(*map(signs_outside, expr.args))
    if isinstance(expr, Sum):
        body = signs_outside(expr.body)
        if isinstance(body, Times) and body.args[0] == -ONE:
            return Times(-ONE, Sum(times(*body.args[1:]), *expr.bound))
        return Sum(body, *expr.bound)
    if isinstance(expr, Times):
        whole = times(*map(signs_outside, expr.args))
        parts = whole.args if isinstance(whole, Times) else (whole,)
        number = sympy.Mul(*(a for a in parts if isinstance(a, sympy.Rational)))
        return times(number, *(a for a in parts if not isinstance(a, sympy.Rational)))
    return expr


def _at_indices(expr: Expr) -> bool:
    """Tell whether indices stand in an expression, not looking into definitions."""
    if expr.op == "defined":
        return False
    return expr.op in ("entry", "delta", "sum_over") or any(map(_at_indices, expr.args))


def _with_names(expr: Expr, free: Iterator[str]) -> Expr:
    """Return an expression in which everything that is differentiated has a name, functions written out."""
    names: dict[Expr, Expr] = {}
    new: dict[Expr, Expr] = {}
    for node in walk(expr):
        args = tuple(new[a] for a in node.args)
        if node.op == "diff" and args[0].op not in ("var", "defined"):
            if args[0].op == "entry":
                raise ProofError("a derivative of an entry in an expansion")
            if args[0] not in names:
                names[args[0]] = defined(next(free), args[0])
            args = (names[args[0]], *args[1:])
        rebuilt = node.with_args(args)
        new[node] = args[0] if node.op == "called" else _without_zeros(rebuilt)
    return new[expr]


def _without_zeros(expr: Expr) -> Expr:
    """Return a product with 0 as 0, and a sum without terms that are 0."""
    if expr.op == "mul" and any(map(is_zero, expr.args)):
        return zeros(expr.axes)
    if expr.op in ("add", "sub"):
        a, b = expr.args
        if is_zero(b) and a.axes == expr.axes:
            return a
        if is_zero(a) and b.axes == expr.axes:
            return b if expr.op == "add" else apply("neg", b)
    return expr


def _outermost(expr: Any, place: Place = ()) -> Iterator[tuple[Place, Any]]:
    """Yield each total derivative, outermost ones only."""
    if type(expr) is Derivative:
        yield place, expr
    elif not isinstance(expr, (Index, Tensor, Entry)):
        for k, a in enumerate(expr.args):
            yield from _outermost(a, (*place, k))
