"""The laws of sums and products: what may be done with an expression that is differentiated already."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import sympy

from symderiv.check.laws import Case, expect, expect_one, law
from symderiv.check.terms import (
    ONE,
    ZERO,
    RefusedError,
    alike,
    factors,
    free,
    fresh,
    is_number,
    joined,
    product_of,
    require,
    sum_of,
    summed,
    terms,
    unbracketed,
    with_indices,
)
from symderiv.index.nodes import (
    Choice,
    Delta,
    Index,
    IndexExpr,
    Plus,
    Power,
    Sum,
    Times,
)


@law("zero")
def zero(before: Any, after: Any, case: Case) -> None:
    """`f · 0 = 0`, `f + 0 = f`, `Σ 0 = 0`, and a choice between 0 and 0 is 0.

    Proof: the laws of 0 in a ring.

    Source: the axioms of a ring.

    Example: x: (n,); c: (n,); derive(x - c, x)
    """
    if isinstance(before, Times):
        require(ZERO in factors(before), "no factor is 0")
        expect(after, ZERO)
    elif isinstance(before, Plus):
        require(ZERO in before.args, "no term is 0")
        expect(after, sum_of(terms(before)))
    elif isinstance(before, Sum):
        require(before.body == ZERO, "the terms are not 0")
        expect(after, ZERO)
    else:
        require(isinstance(before, Choice) and set(before.parts[2:]) == {ZERO}, "no part is 0")
        expect(after, ZERO)


@law("associate")
def associate(before: Any, after: Any, case: Case) -> None:
    """`f (g h) = f g h`, `f + (g + h) = f + g + h`, `Σ_i Σ_j = Σ_ij`, `1 f = f`; numbers are multiplied out.

    Proof: the associative laws of a ring.

    Source: the axioms of a ring.

    Example: t: (); derive(tanh(t) * t, t)
    """
    if isinstance(before, Times):
        require(_gathered(before) == _gathered(after), "the factors change")
    elif isinstance(before, Plus):
        require(terms(before) == terms(after), "the terms change")
    else:
        require(isinstance(before, Sum) and joined(before) == joined(after), "the sums change")


def _gathered(expr: Any) -> tuple[Any, tuple[Any, ...]]:
    """Return the product of the numbers in a product, and its other factors in order."""
    parts = factors(expr)
    coefficient = sympy.Mul(*(f for f in parts if is_number(f)))
    return coefficient, tuple(f for f in parts if not is_number(f))


@law("exchange")
def exchange(before: Any, after: Any, case: Case) -> None:
    """`f Σ_q g = Σ_q f g` where q does not stand in f; where it does, the bound one is renamed.

    Proof: the distributive law for a sum over a range.

    Source: Graham, Knuth and Patashnik, Concrete Mathematics, 2.3.

    Example: S: (n, n); x: (n,); derive(x @ S @ x, x)
    """
    require(isinstance(before, Times), "the rule is about a product")
    expected = []
    for k, f in enumerate(before.args):
        if isinstance(f, Sum):
            new = {b: fresh(b.size) for b in f.bound}
            body = with_indices(f.body, new)
            expected.append(Sum(Times(*before.args[:k], body, *before.args[k + 1 :]), *new.values()))
    expect_one(after, expected)


@law("distribute")
def distribute(before: Any, after: Any, case: Case) -> None:
    """`f (g + h) = f g + f h` and `Σ (g + h) = Σ g + Σ h`.

    Proof: the distributive law of a ring.

    Source: Graham, Knuth and Patashnik, Concrete Mathematics, 2.3.

    Example: a: (n,); x: (n,); derive(sum(x * x * a), x)
    """
    expect_one(after, _distributed(before))


def _distributed(expr: Any) -> list[Any]:
    if isinstance(expr, Sum) and isinstance(expr.body, Plus):
        return [Plus(*(Sum(t, *expr.bound) for t in expr.body.args))]
    if not isinstance(expr, Times):
        return []
    return [
        Plus(*(Times(*expr.args[:k], t, *expr.args[k + 1 :]) for t in f.args))
        for k, f in enumerate(expr.args)
        if isinstance(f, Plus)
    ]


@law("contract")
def contract(before: Any, after: Any, case: Case) -> None:
    """`Σ_j f[j] δ[j, l] = f[l]`: of the terms of the sum over j, one is left, that with j = l.

    Proof: δ is 0 in all other terms, and 1 in this one.

    Source: Graham, Knuth and Patashnik, Concrete Mathematics, 2.1 (there with brackets for δ).

    Example: a: (n,); x: (n,); derive(a @ x, x)
    """
    require(isinstance(before, Sum), "the rule is about a sum")
    gone, kept = case.named("index"), case.named("by")
    require(gone in before.bound, "the index that goes is not bound here")
    require(isinstance(kept, Index) and gone != kept, "the index becomes itself")
    parts = before.body.args if isinstance(before.body, Times) else (before.body,)
    expected = []
    for k, f in enumerate(parts):
        if isinstance(f, Delta) and set(f.args) == {gone, kept}:
            rest = with_indices(product_of([*parts[:k], *parts[k + 1 :]]), {gone: kept})
            expected.append(summed(rest, [b for b in before.bound if b != gone]))
    expect_one(after, expected)


@law("delta")
def delta(before: Any, after: Any, case: Case) -> None:
    """`δ[i, i] = 1`.

    Proof: by the definition of δ.

    Source: the definition of δ.

    Example:
        x: (n,)
        f = sum(x**3)
        assert diff(f, x[i], x[i]) == 6 * x[i]
    """
    require(isinstance(before, Delta) and before.args[0] == before.args[1], "no δ with twice the same index")
    expect(after, ONE)


@law("idle sum")
def idle_sum(before: Any, after: Any, case: Case) -> None:
    """`Σ_{q=1}^{n} f = n f` where q does not stand in f.

    Proof: the sum has n equal terms.

    Source: Graham, Knuth and Patashnik, Concrete Mathematics, 2.3.

    Example: M: (m, n); a: (m,); derive(sum(outer(a, ones(n))), a)
    """
    require(isinstance(before, Sum), "the rule is about a sum")
    standing = free(before.body)
    idle = [b for b in before.bound if b not in standing]
    require(idle, "every bound index stands in the sum")
    kept = [b for b in before.bound if b in standing]
    expect(after, summed(Times(*(b.size for b in idle), before.body), kept))


@law("merge")
def merge(before: Any, after: Any, case: Case) -> None:
    """`a f + b f = (a + b) f` for numbers a, b: equal terms are collected.

    Proof: the distributive law of a ring.

    Source: the axioms of a ring.

    Example: x: (n,); derive(sum(x * x), x)
    """
    require(isinstance(before, Plus), "the rule is about a sum of terms")
    collected: list[tuple[Any, Any]] = []
    for term in terms(before):
        coefficient, rest = _leading_number(term)
        for n, (c, known) in enumerate(collected):
            if alike(known, rest):
                collected[n] = (c + coefficient, known)
                break
        else:
            collected.append((coefficient, rest))
    require(len(collected) < len(terms(before)), "no terms are equal")
    kept = [(c, rest) for c, rest in collected if c != 0]
    left = [pair for c, rest in kept for pair in (map(_leading_number, terms(rest)) if c == 1 else [(c, rest)])]
    found = [_leading_number(t) for t in terms(after)]
    same = len(found) == len(left) and all(a == b and alike(f, g) for (a, f), (b, g) in zip(left, found, strict=True))
    require(same, "the result is not what the rule gives")


def _leading_number(term: Any) -> tuple[Any, Any]:
    parts = factors(term)
    if parts and is_number(parts[0]):
        return parts[0], product_of(parts[1:])
    return ONE, product_of(parts)


# ---------------------------------------------------------------- order, names, powers


@law("cancel")
def cancel(before: Any, after: Any, case: Case) -> None:
    """`f⁻¹ f = 1` for two factors of a product, f not being 0.

    Proof: by the definition of the inverse of a number.

    Source: the axioms of a field.

    Example: t: (); derive(log(sigmoid(t)), t)
    """
    require(isinstance(before, Times), "the rule is about a product")
    parts = factors(before)
    pairs = [
        [f for n, f in enumerate(parts) if n not in (k, m)]
        for k, one in enumerate(parts)
        for m, other in enumerate(parts)
        if isinstance(one, Power) and one.exponent == -1 and one.base == other
    ]
    expect_one(after, [product_of(left) for left in pairs])


@law("commute")
def commute(before: Any, after: Any, case: Case) -> None:
    """`f g = g f`, `f + g = g + f`, `Σ_i Σ_j = Σ_j Σ_i`, at any depth; `δ[i, j] = δ[j, i]`.

    Proof: the commutative laws of a ring, and of finite sums; δ is symmetric in its indices.

    Source: Graham, Knuth and Patashnik, Concrete Mathematics, 2.3 and 2.4.

    Example:
        D: (m, n); W: (n, p); loss: function()
        A = D @ W
        E = loss(A)
        B = diff(E, A)
        assert diff(E, W) == D.T @ B
    """
    require(not alike(before, after), "nothing changes")
    if isinstance(before, Delta) and isinstance(after, Delta):
        require(before.args == tuple(reversed(after.args)), "the indices change")
    else:
        require(alike(before, after, ordered=False), "more changes than an order")


@law("rearrange")
def rearrange(before: Any, after: Any, case: Case) -> None:
    """Both sides have one ring normal form: multiply out, collect, look through definitions.

    Proof: a ring normal form is unique, and both sides have the same one.

    Source: the axioms of a ring.

    Example: x: (n,); y: (n,); assert (x + y) @ (x + y) == x @ x + 2 * x @ y + y @ y
    """
    require(case.equal(before, after), "the two sides differ")


@law("common delta")
def common_delta(before: Any, after: Any, case: Case) -> None:
    """A choice between `δ f` and `δ g` is δ times the choice between f and g (0 counts as `δ · 0`).

    Proof: each branch has the factor δ.

    Source: the definition of a choice.

    Example: m: (n,); derive(sum(where(m < 1, 1 - m, 0)), m)
    """
    require(isinstance(before, Choice), "the rule is about a choice")
    parts = factors(after)
    deltas = [f for f in parts if isinstance(f, Delta)]
    rest = [f for f in parts if not isinstance(f, Delta)]
    require(deltas and len(rest) == 1 and isinstance(rest[0], Choice), "the result is not δ times a choice")
    bare = rest[0]
    same = before.relation == bare.relation and all(
        alike(a, b) for a, b in zip(before.parts[:2], bare.parts[:2], strict=True)
    )
    require(same, "the condition changes")
    for branch, left in zip(before.parts[2:], bare.parts[2:], strict=True):
        whole = ZERO if left == ZERO else product_of([*deltas, *factors(left)])
        require(alike(branch, whole, ordered=False), "a branch changes")


@law("rename")
def rename(before: Any, after: Any, case: Case) -> None:
    """`Σ_q f[q] = Σ_r f[r]`: the letter of a bound index says nothing.

    Proof: both sums have the same terms.

    Source: Graham, Knuth and Patashnik, Concrete Mathematics, 2.1.
    """
    require(_skeleton(before) == _skeleton(after), "more changes than the names of bound indices")
    expect(after, before)


def _skeleton(expr: Any) -> tuple[Any, ...]:
    """Return the form of an expression without its indices."""
    inner = isinstance(expr, IndexExpr) and not isinstance(expr, Index)
    return (type(expr), *(_skeleton(a) for a in expr.args)) if inner else (type(expr),)


@law("factor")
def factor(before: Any, after: Any, case: Case) -> None:
    """`f g + f h = f (g + h)` and `Σ g + Σ h = Σ (g + h)`: what distributing would undo.

    Proof: the distributive law, read from the right.

    Source: Graham, Knuth and Patashnik, Concrete Mathematics, 2.3.
    """
    expect_one(before, _distributed(unbracketed(after)))


@law("use delta")
def use_delta(before: Any, after: Any, case: Case) -> None:
    """`δ[j, l] f[j] = δ[j, l] f[l]`: both are 0 unless j = l.

    Proof: for j = l both sides are the same, otherwise both are 0.

    Source: the definition of δ.
    """
    require(isinstance(before, Times) and isinstance(after, Times), "the rule is about a product")
    require(not alike(before, after), "nothing changes")
    for d in (f for f in factors(before) if isinstance(f, Delta)):
        i, j = d.args
        rest, other = ([f for f in factors(e) if f != d] for e in (before, after))
        if d in factors(after) and len(rest) == len(other) and i != j:
            pairs = zip(rest, other, strict=True)
            if all(alike(with_indices(a, {i: j}), with_indices(b, {i: j})) for a, b in pairs):
                return
    raise RefusedError("no δ of the product allows this")


def _exponents(expr: Any) -> list[tuple[Any, Any]]:
    """Return the bases of a product of powers with their exponents, equal bases collected."""
    found: list[tuple[Any, Any]] = []
    for f in factors(expr):
        base, exponent = (f.base, f.exponent) if isinstance(f, Power) else (f, ONE)
        if is_number(base) and is_number(exponent) and exponent.is_Integer and base != 0:
            base, exponent = base**exponent, ONE
        at = next((k for k, (b, _) in enumerate(found) if alike(b, base)), None)
        if at is None:
            found.append((base, exponent))
        elif is_number(exponent) and is_number(found[at][1]):
            found[at] = (found[at][0], found[at][1] + exponent)
        else:
            found[at] = (found[at][0], Plus(found[at][1], exponent))
    return found


def _same_powers(before: Any, after: Any, case: Case) -> None:
    left, right = _exponents(before), _exponents(after)
    for base, exponent in left:
        at = next((k for k, (b, _) in enumerate(right) if alike(b, base)), None)
        other = right.pop(at)[1] if at is not None else ZERO
        require(case.equal(exponent, other), "the exponent of a factor changes")
    require(all(case.equal(e, ZERO) for _, e in right), "a factor is new")


@law("collect powers")
def collect_powers(before: Any, after: Any, case: Case) -> None:
    """`bᵖ b^q = b^(p+q)`, `b⁰ = 1`.

    Proof: the laws of powers, for a base that is not 0 or exponents that are not negative.

    Source: the laws of powers.
    """
    _same_powers(before, after, case)
    require(len(factors(after)) < len(factors(before)), "no powers are collected")


@law("split powers")
def split_powers(before: Any, after: Any, case: Case) -> None:
    """`b^(p+q) = bᵖ b^q`.

    Proof: the laws of powers, read from the right.

    Source: the laws of powers.
    """
    _same_powers(before, after, case)
    require(len(factors(after)) > len(factors(before)), "no power is split")


@law("partial fraction")
def partial_fraction(before: Any, after: Any, case: Case) -> None:
    """`f / ((f + g) g) = 1/g − 1/(f + g)` and the like: equal once the denominators are multiplied out.

    Proof: multiply by the denominators, which are not 0.

    Source: the axioms of a field.
    """
    product, fractions = (after, before) if isinstance(before, Plus) else (before, after)
    forms = isinstance(fractions, Plus) and isinstance(product, (Times, Power))
    require(forms, "the rule is about a product and a sum of fractions")
    below = [f for f in factors(product) if isinstance(f, Power) and is_number(f.exponent) and f.exponent < 0]
    require(below, "nothing is divided by")
    require(case.equal(before, after), "the two sides differ")


@law("evaluate")
def evaluate(before: Any, after: Any, case: Case) -> None:
    """Numbers are added, multiplied and raised to whole powers.

    Proof: arithmetic with fractions.

    Source: the rational numbers.
    """
    require(_value(before) == _value(after), "the values differ")


def _value(expr: Any) -> Fraction:
    if is_number(expr):
        return Fraction(int(expr.p), int(expr.q))
    if isinstance(expr, (Times, Plus)):
        parts = [_value(a) for a in expr.args]
        result = Fraction(1 if isinstance(expr, Times) else 0)
        for p in parts:
            result = result * p if isinstance(expr, Times) else result + p
        return result
    if isinstance(expr, Power):
        base, exponent = _value(expr.base), _value(expr.exponent)
        require(exponent.denominator == 1 and abs(exponent) <= 64, "a power that is not evaluated")
        require(base != 0 or exponent > 0, "division by 0")
        return base ** int(exponent)
    raise RefusedError("not a number")
