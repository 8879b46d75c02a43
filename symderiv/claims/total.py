"""Total derivatives in index expressions: what stands in them, and which letters they may use."""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping, Sequence
from typing import Any

import sympy

from symderiv.index.nodes import (
    Delta,
    Derivative,
    Entry,
    Immediate,
    Index,
    IndexExpr,
    Names,
    Place,
    Plus,
    Sum,
    Tensor,
    Times,
    replace_indices,
)
from symderiv.index.written import plus, times


def along(expr: Any) -> list[Any]:
    """Return `[f, x₁, …, x_m]` for `∂ᵐf/∂x₁…∂x_m`."""
    entries: list[Any] = []
    while type(expr) is Derivative:
        entries.insert(0, expr.entry)
        expr = expr.of
    return [expr, *entries]


def nested(f: Any, entries: Sequence[Entry]) -> Any:
    """Return `∂ᵐf/∂x₁…∂x_m`."""
    for x in entries:
        f = Derivative(f, x)
    return f


def totally(expr: Any) -> Any:
    """Return an expression with every `∂of/∂x` as the total derivative."""
    if isinstance(expr, Immediate):
        return Derivative(expr.of, expr.entry)
    if not isinstance(expr, IndexExpr) or isinstance(expr, (Index, Tensor, Entry, Derivative)):
        return expr
    return type(expr)(*(totally(a) for a in expr.args))


def derivatives(expr: Any, place: Place = ()) -> Iterator[tuple[Place, Any]]:
    """Yield each total derivative, outermost ones only."""
    if type(expr) is Derivative:
        yield place, expr
    elif isinstance(expr, IndexExpr) and not isinstance(expr, (Index, Tensor, Entry)):
        for k, a in enumerate(expr.args):
            yield from derivatives(a, (*place, k))


def bound_apart(expr: Any, used: set[str], letters: Names) -> Any:
    """Return an expression with new letters for the bound indices whose letters are in use."""
    if not isinstance(expr, IndexExpr) or isinstance(expr, (Index, Tensor, Entry)):
        return expr
    args = [bound_apart(a, used, letters) for a in expr.args]
    if isinstance(expr, Sum):
        new = {b: letters.fresh(b.size, Names.BOUND) for b in expr.bound if b.name in used}
        return Sum(replace_indices(args[0], new), *(new.get(b, b) for b in expr.bound))
    return type(expr)(*args)


def has_bound_delta(expr: Any, bound: frozenset[Index] = frozenset()) -> bool:
    """Tell whether a δ stands anywhere with an index that a sum around it binds."""
    if isinstance(expr, Delta):
        return bool(bound & set(expr.args))
    if not isinstance(expr, IndexExpr) or isinstance(expr, (Index, Tensor, Entry, Derivative)):
        return False
    inner = bound | set(expr.bound) if isinstance(expr, Sum) else bound
    return any(has_bound_delta(a, inner) for a in expr.args)


def distributed(expr: Any) -> Any | None:
    """Return `f (g + h)` as `f g + f h` and `Σ (g + h)` as `Σ g + Σ h`; nothing where there is no sum of terms."""
    if isinstance(expr, Sum) and isinstance(expr.body, Plus):
        return Plus(*(Sum(t, *expr.bound) for t in expr.body.args))
    if isinstance(expr, Times):
        for k, f in enumerate(expr.args):
            if isinstance(f, Plus):
                return plus(*(times(*expr.args[:k], t, *expr.args[k + 1 :]) for t in f.args))
    return None


class Letters(Names):
    """Index letters beside those that are taken; for a range that a claim has letters for, those come first."""

    def __init__(self, named: Mapping[str, sympy.Expr], taken: set[str]) -> None:
        super().__init__(taken | named.keys())
        self.named = {name: size for name, size in named.items() if name not in taken}

    def fresh(self, size: sympy.Expr, letters: str = Names.FREE, avoid: Container[str] = ()) -> Index:
        """Return a new index."""
        name = next((n for n, own in self.named.items() if own == size and n not in avoid), None)
        if name is None:
            return super().fresh(size, letters, avoid)
        index: Index = Index(name, self.named.pop(name))
        return index
