"""What the kernel knows about expressions as written: parts, free indices, renaming, likeness, good form.

Two expressions are *alike* where they differ only in the names of bound indices and in brackets
(`f (g h)` and `f g h`, `1 f` and `f`, `Σ_i Σ_j f` and `Σ_ij f`); order is kept.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from itertools import count
from typing import Any

import sympy

from symderiv.index.nodes import (
    Apply,
    Choice,
    Delta,
    Derivative,
    Entry,
    Extreme,
    Immediate,
    Index,
    IndexExpr,
    Plus,
    Power,
    Structured,
    Sum,
    Tensor,
    Times,
)

ZERO, ONE = sympy.Integer(0), sympy.Integer(1)
RELATIONS = ("<", "<=", ">", ">=")
KEPT = 1 << 12  # entries of a memo


class RefusedError(Exception):
    """Why a step is not accepted."""


def require(condition: object, reason: str) -> None:
    """Refuse the step for a reason unless the condition holds."""
    if not condition:
        raise RefusedError(reason)


# ---------------------------------------------------------------- what stands in an expression


@lru_cache(maxsize=KEPT)
def free(expr: Any) -> frozenset[Index]:
    """Return the indices that are not bound."""
    if isinstance(expr, Index):
        return frozenset([expr])
    if isinstance(expr, Sum):
        return free(expr.body) - frozenset(expr.bound)
    if not isinstance(expr, IndexExpr):
        return frozenset()
    return frozenset().union(*(free(a) for a in expr.args))


@lru_cache(maxsize=KEPT)
def tensors(expr: Any) -> frozenset[Tensor]:
    """Return the heads that stand in an expression."""
    if isinstance(expr, Tensor):
        return frozenset([expr])
    if not isinstance(expr, IndexExpr) or isinstance(expr, Index):
        return frozenset()
    return frozenset().union(*(tensors(a) for a in expr.args))


@lru_cache(maxsize=KEPT)
def derivatives(expr: Any) -> frozenset[Any]:
    """Return every derivative that stands in an expression, not carried out."""
    if not isinstance(expr, IndexExpr) or isinstance(expr, (Index, Tensor, Entry)):
        return frozenset()
    own = [expr] if isinstance(expr, Derivative) else []
    return frozenset(own).union(*(derivatives(a) for a in expr.args))


def immediates(expr: Any) -> list[Any]:
    """Return every `∂of/∂x` of one definition's own text that stands in an expression."""
    return [d for d in derivatives(expr) if isinstance(d, Immediate)]


def along(expr: Any) -> list[Any]:
    """Return `[f, x₁, …, x_m]` for the total derivative `∂ᵐf/∂x₁…∂x_m`, the first one taken first."""
    entries: list[Any] = []
    while type(expr) is Derivative:
        entries.insert(0, expr.entry)
        expr = expr.of
    return [expr, *entries]


# ---------------------------------------------------------------- brackets


@lru_cache(maxsize=KEPT)
def factors(expr: Any) -> tuple[Any, ...]:
    """Return the factors of a product, inner products opened, 1 left out."""
    if isinstance(expr, Times):
        return tuple(f for a in expr.args for f in factors(a))
    if isinstance(expr, Plus):
        inner = terms(expr)
        return factors(inner[0]) if len(inner) == 1 else (expr,)
    return () if expr == ONE else (expr,)


@lru_cache(maxsize=KEPT)
def terms(expr: Any) -> tuple[Any, ...]:
    """Return the terms of a sum of terms, inner ones opened, 0 left out."""
    if isinstance(expr, Plus):
        return tuple(t for a in expr.args for t in terms(a))
    if isinstance(expr, Times):
        inner = factors(expr)
        return terms(inner[0]) if len(inner) == 1 else (expr,)
    return () if expr == ZERO else (expr,)


def unbracketed(expr: Any) -> Any:
    """Return a product or sum of one part as that part."""
    if isinstance(expr, (Times, Plus)):
        parts = factors(expr) if isinstance(expr, Times) else terms(expr)
        if not parts:
            return ONE if isinstance(expr, Times) else ZERO
        if len(parts) == 1:
            return unbracketed(parts[0])
    return expr


def product_of(parts: list[Any] | tuple[Any, ...]) -> Any:
    """Return a product as written."""
    return parts[0] if len(parts) == 1 else Times(*parts) if parts else ONE


def sum_of(parts: list[Any] | tuple[Any, ...]) -> Any:
    """Return a sum of terms as written."""
    return parts[0] if len(parts) == 1 else Plus(*parts) if parts else ZERO


def summed(body: Any, bound: list[Index] | tuple[Index, ...]) -> Any:
    """Return `Σ_bound body`."""
    return Sum(body, *bound) if bound else body


def joined(expr: Any) -> tuple[Any, tuple[Index, ...]]:
    """Return body and bound indices of nested sums."""
    bound: tuple[Index, ...] = ()
    while isinstance(expr, Sum):
        bound += expr.bound
        expr = unbracketed(expr.body)
    return expr, bound


# ---------------------------------------------------------------- indices


_FRESH = count()


def fresh(size: Any) -> Index:
    """Return an index that stands nowhere else."""
    index: Index = Index(f"'{next(_FRESH)}", size)
    return index


def with_indices(expr: Any, change: Mapping[Index, Index]) -> Any:
    """Return the expression with free indices replaced, all at once; bound ones give way."""
    here = {a: b for a, b in change.items() if a is not b and a in free(expr)}
    if not here:
        return expr
    if isinstance(expr, Index):
        return here.get(expr, expr)
    if isinstance(expr, Sum):
        coming = {b.name for b in here.values()}
        new = {b: fresh(b.size) for b in expr.bound if b.name in coming}
        return Sum(with_indices(expr.body, {**here, **new}), *(new.get(b, b) for b in expr.bound))
    return type(expr)(*(with_indices(a, here) for a in expr.args))


def alike(left: Any, right: Any, ordered: bool = True) -> bool:
    """Tell whether two expressions are equal up to brackets and the names of bound indices.

    Unless `ordered`, also up to the order of factors, terms and sums.
    """
    return _alike(left, right, {}, {}, ordered)


def _alike(left: Any, right: Any, ours: Mapping[Index, Any], theirs: Mapping[Index, Any], ordered: bool) -> bool:
    left, right = unbracketed(left), unbracketed(right)
    if left is right and all(ours.get(i, i) == theirs.get(i, i) for i in free(left)):
        return True
    if type(left) is not type(right):
        return False
    if isinstance(left, Index):
        return bool(ours.get(left, left) == theirs.get(right, right))
    if isinstance(left, Sum):
        (left, over), (right, other) = joined(left), joined(right)
        if not ordered and set(over) == set(other):
            other = over
        if [i.size for i in over] != [i.size for i in other]:
            return False
        tokens = [object() for _ in over]
        ours = {**ours, **dict(zip(over, tokens, strict=True))}
        theirs = {**theirs, **dict(zip(other, tokens, strict=True))}
        return _alike(left, right, ours, theirs, ordered)
    if isinstance(left, Times):
        pairs = factors(left), factors(right)
    elif isinstance(left, Plus):
        pairs = terms(left), terms(right)
    elif isinstance(left, IndexExpr) and not isinstance(left, Tensor):
        pairs = left.args, right.args
    else:
        return bool(left == right)
    if len(pairs[0]) != len(pairs[1]):
        return False
    if ordered or not isinstance(left, (Times, Plus)):
        return all(_alike(a, b, ours, theirs, ordered) for a, b in zip(*pairs, strict=True))
    rest = list(pairs[1])
    for a in pairs[0]:
        at = next((k for k, b in enumerate(rest) if _alike(a, b, ours, theirs, ordered)), None)
        if at is None:
            return False
        del rest[at]
    return True


# ---------------------------------------------------------------- places


def between(before: Any, after: Any, place: tuple[int, ...]) -> tuple[Any, Any, tuple[Any, ...]]:
    """Return the parts of two expressions at a place, and what lies around it, outermost first.

    Refused where the expressions differ anywhere else.
    """
    around: list[Any] = []
    for k in place:
        require(k >= 0, "the place is no path of argument positions")
        holder = isinstance(before, IndexExpr) and not isinstance(before, (Index, Tensor, Entry, Delta))
        require(holder and k < len(before.args), "there is no such place")
        require(type(before) is type(after), "the expression changes around the place")
        require(len(before.args) == len(after.args), "the expression changes around the place")
        for n, (a, b) in enumerate(zip(before.args, after.args, strict=True)):
            require(n == k or a == b, "the expression changes outside of the place")
        inner = before.args[k]
        require(not isinstance(inner, (Index, Tensor)), "the place is an index or a name")
        inside = isinstance(before, Derivative) and (k == 1 or not isinstance(before, Immediate))
        require(not inside, "the place is inside the name of a derivative")
        around.append(before)
        before, after = inner, after.args[k]
    return before, after, tuple(around)


# ---------------------------------------------------------------- good form


class Form:
    """Good form: sizes agree, a name has one head, a letter is one index, nothing is captured."""

    def __init__(self) -> None:
        self.heads: dict[str, Tensor] = {}
        self.known: dict[Any, frozenset[str]] = {}

    def head(self, tensor: Any) -> None:
        """Take note of a head; one name, one tuple of sizes."""
        require(isinstance(tensor, Tensor), "a head is needed")
        known = self.heads.setdefault(tensor.name, tensor)
        require(known == tensor, f"{tensor.name} stands for arrays of different sizes")

    def check(self, expr: Any) -> None:
        """Refuse an expression that is not in good form."""
        bound = self.bound(expr)
        outside: dict[str, Index] = {}
        for i in free(expr):
            require(i.name not in bound, f"index {i.name} is both free and bound")
            require(outside.setdefault(i.name, i) == i, f"index {i.name} has two ranges")

    def bound(self, expr: Any) -> frozenset[str]:
        """Return the letters bound anywhere inside; refuse what is not in good form."""
        found = self.known.get(expr)
        if found is None:
            found = self.known[expr] = self._bound(expr)
        return found

    def _bound(self, expr: Any) -> frozenset[str]:
        rule = _SHAPES.get(type(expr))
        if rule is None:
            require(not isinstance(expr, IndexExpr), f"{type(expr).__name__} stands where a value is needed")
            if not (is_number(expr) or is_size(expr)):
                raise RefusedError(f"{expr} is neither a number nor a size")
            return frozenset()
        parts = rule(self, expr)
        inside = frozenset().union(*(self.bound(p) for p in parts))
        if isinstance(expr, Sum):
            names = [b.name for b in expr.bound]
            require(len(set(names)) == len(names), "a sum binds an index twice")
            require(not inside & set(names), "an inner sum binds an index of an outer one")
            letters = {b.name: b for b in expr.bound}
            for i in free(expr.body):
                require(letters.get(i.name, i) == i, f"index {i.name} has two ranges")
            inside |= set(names)
        return inside

    def _entry(self, expr: Any) -> tuple[Any, ...]:
        self.head(expr.tensor)
        if len(expr.indices) != len(expr.tensor.sizes):
            raise RefusedError(f"wrong number of indices in {expr}")
        for i, size in zip(expr.indices, expr.tensor.sizes, strict=True):
            if not (isinstance(i, Index) and i.size == size):
                raise RefusedError(f"an index of {expr} has another range")
        return ()

    def _delta(self, expr: Any) -> tuple[Any, ...]:
        require(len(expr.args) == 2 and all(isinstance(i, Index) for i in expr.args), "δ needs two indices")
        if expr.args[0].size != expr.args[1].size:
            raise RefusedError(f"the indices of {expr} have different ranges")
        return ()

    def _parts(self, expr: Any) -> tuple[Any, ...]:
        require(expr.args, "an empty product or sum")
        return tuple(expr.args)

    def _power(self, expr: Any) -> tuple[Any, ...]:
        require(len(expr.args) == 2, "a power needs base and exponent")
        return tuple(expr.args)

    def _sum(self, expr: Any) -> tuple[Any, ...]:
        require(expr.bound and all(isinstance(b, Index) for b in expr.bound), "a sum needs bound indices")
        return (expr.body,)

    def _apply(self, expr: Any) -> tuple[Any, ...]:
        require(isinstance(expr.args[0], sympy.Symbol), "a function without a name")
        require(expr.order >= 0, "a derivative of negative order")
        return (expr.arg,)

    def _choice(self, expr: Any) -> tuple[Any, ...]:
        require(isinstance(expr.args[0], sympy.Symbol), "a choice without a relation")
        require(expr.relation in RELATIONS and len(expr.parts) == 4, "a choice without relation or branches")
        return tuple(expr.parts)

    def _extreme(self, expr: Any) -> tuple[Any, ...]:
        require(isinstance(expr.args[0], sympy.Symbol), "an extreme without a kind")
        require(expr.kind in ("maximum", "minimum") and len(expr.args) == 3, "an extreme of another kind")
        return tuple(expr.parts)

    def _derivative(self, expr: Any) -> tuple[Any, ...]:
        require(len(expr.args) == 2 and isinstance(expr.entry, Entry), "a derivative is taken in an entry")
        if isinstance(expr, Immediate):
            require(not derivatives(expr.of), "a derivative of a derivative that is not carried out")
        elif isinstance(expr, Structured):
            require(isinstance(expr.of, Entry), "a derivative over free entries of what has no name")
        else:
            inner = any(type(d) is not Derivative for d in derivatives(expr.of))
            require(not inner, "a total derivative of another derivative that is not carried out")
        return tuple(expr.args)


_SHAPES: dict[type, Callable[[Form, Any], tuple[Any, ...]]] = {
    Entry: Form._entry,
    Delta: Form._delta,
    Times: Form._parts,
    Plus: Form._parts,
    Power: Form._power,
    Sum: Form._sum,
    Apply: Form._apply,
    Choice: Form._choice,
    Extreme: Form._extreme,
    Derivative: Form._derivative,
    Immediate: Form._derivative,
    Structured: Form._derivative,
}


def is_number(expr: Any) -> bool:
    """Tell whether an expression is an exact rational number."""
    return isinstance(expr, sympy.Rational)


@lru_cache(maxsize=KEPT)
def is_size(expr: Any) -> bool:
    """Tell whether an expression is made of integers and positive integer symbols: a size."""
    if isinstance(expr, sympy.Symbol):
        return bool(expr.is_integer and expr.is_positive)
    if isinstance(expr, (sympy.Add, sympy.Mul)):
        return all(is_size(a) for a in expr.args)
    if isinstance(expr, sympy.Pow):
        return is_size(expr.base) and isinstance(expr.exp, sympy.Integer)
    return isinstance(expr, sympy.Rational)
