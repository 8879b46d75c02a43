"""The laws of equations: what is assumed may be used, and an invertible factor may be taken off both sides."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sympy

from symderiv.check.laws import LAWS, Case, law
from symderiv.check.terms import (
    ONE,
    ZERO,
    RefusedError,
    alike,
    factors,
    free,
    fresh,
    immediates,
    joined,
    product_of,
    require,
    terms,
    unbracketed,
    with_indices,
)
from symderiv.index.nodes import Argument, Delta, Derivative, Entry, Index, IndexExpr, Plus, Sum, Tensor, Times


@law("hypothesis")
def hypothesis(before: Any, after: Any, case: Case) -> None:
    """An equation that is assumed says so, at any indices and in either direction.

    Not inside `∂…/∂x`: what holds at one x need not hold beside it.

    Proof: it is assumed.

    Source: the hypotheses of the claim.

    Example:
        A: (n, n); B: (n, n)
        with given(A @ B == eye(n)):
            assert A @ B @ A == A
    """
    label = case.named("label")
    equation = case.facts.assumed.get(label)
    if equation is None:
        raise RefusedError(f"nothing is assumed under the name {label}")
    require(not case.inside_derivative(), "an equation that is assumed says nothing of derivatives")
    fixed = {i: i for i in free(Plus(equation.left, equation.right)) if i.name in case.facts.fixed}
    bound = {i for e in case.around if isinstance(e, Sum) for i in e.bound}
    require(not bound & fixed.keys(), "a fixed index is none of a sum")
    for one, other in ((equation.left, equation.right), (equation.right, equation.left)):
        change: dict[Index, Index] = dict(fixed)
        if _is_instance(one, before, change, {}, {}) and alike(with_indices(one, change), before):
            if alike(with_indices(other, change), after):
                return
    raise RefusedError("the hypothesis says something else")


def _is_instance(
    pattern: Any, part: Any, change: dict[Index, Index], ours: Mapping[Index, Any], theirs: Mapping[Index, Any]
) -> bool:
    """Find the indices at which a pattern is the part, up to brackets and the names of bound indices."""
    pattern, part = unbracketed(pattern), unbracketed(part)
    if type(pattern) is not type(part):
        return False
    if isinstance(pattern, Index):
        if pattern in ours or part in theirs:
            return ours.get(pattern) is theirs.get(part)
        return bool(change.setdefault(pattern, part) == part)
    if isinstance(pattern, Sum):
        (pattern, over), (part, other) = joined(pattern), joined(part)
        if [i.size for i in over] != [i.size for i in other]:
            return False
        tokens = [object() for _ in over]
        ours = {**ours, **dict(zip(over, tokens, strict=True))}
        theirs = {**theirs, **dict(zip(other, tokens, strict=True))}
        return _is_instance(pattern, part, change, ours, theirs)
    if isinstance(pattern, Times):
        pairs = factors(pattern), factors(part)
    elif isinstance(pattern, Plus):
        pairs = terms(pattern), terms(part)
    elif isinstance(pattern, IndexExpr) and not isinstance(pattern, Tensor):
        pairs = pattern.args, part.args
    else:
        return bool(pattern == part)
    same = len(pairs[0]) == len(pairs[1])
    return same and all(_is_instance(a, b, change, ours, theirs) for a, b in zip(*pairs, strict=True))


@law("neglect")
def neglect(before: Any, after: Any, case: Case) -> None:
    """What is neglected is left out: `R + c T` becomes R where T counts as 0, c a number.

    Where T[i,j] counts as δ[i,j] T[i,i], it does wherever it stands.

    Proof: none: it is an approximation, and called one.

    Source: what the claim neglects.

    Example:
        a: (); b: ()
        with neglecting(b):
            assert a + b == a
    """
    equation = case.facts.neglected.get(case.named("label"))
    if equation is None:
        raise RefusedError("nothing is neglected under this name")
    require(not case.around, "only in the whole expression")
    if equation.right == ZERO:
        factor = case.instance.get("factor", ONE)
        require(isinstance(factor, sympy.Rational) and factor != 0, "the factor is no number")
        require(case.equal(before, Plus(after, Times(factor, equation.left))), "something else is left out as well")
        return
    left_out = _throughout(before, equation, case)
    require(left_out != before, "it stands nowhere")
    require(case.equal(left_out, after), "something else is left out as well")


def _throughout(expr: Any, equation: Argument, case: Case) -> Any:
    """Return an expression with the right side of an equation for its left side, at whatever indices it stands."""
    change: dict[Index, Index] = {}
    if _is_instance(equation.left, expr, change, {}, {}) and alike(with_indices(equation.left, change), expr):
        return with_indices(equation.right, change)
    if isinstance(expr, Entry):
        definition = case.facts.is_text(expr.tensor)
        if definition is None:
            return expr
        text = with_indices(definition.body, dict(zip(definition.indices, expr.indices, strict=True)))
        new = _throughout(text, equation, case)
        return expr if new == text else new
    if not isinstance(expr, IndexExpr) or isinstance(expr, (Index, Tensor, Delta)):
        return expr
    new = type(expr)(*(_throughout(a, equation, case) for a in expr.args))
    require(not isinstance(expr, Derivative) or new == expr, "it stands inside of a derivative")
    return new


@law("stands for")
def stands_for(before: Any, after: Any, case: Case) -> None:
    """`B[F, k] = ∂f[F]/∂x[k]` where B is defined as a name for ∂f/∂x: the other way round of "name".

    Proof: B is that derivative, by definition.

    Source: the definition of the name.

    Example:
        t: (n,); y: (n,)
        E = sum((y - t)**2) / 2
        d = diff(E, y)
        assert d == y - t
    """
    require(not case.inside_derivative(), "a name inside a derivative")
    LAWS["name"](after, before, case)


@law("by lemma")
def by_lemma(before: Any, after: Any, case: Case) -> None:
    """What an earlier argument has proved a total derivative to be is that derivative: "lemma" the other way round.

    Proof: the argument that is named.

    Source: an earlier argument of the same proof.

    Example:
        t: (n,); y: (n,)
        E = sum((y - t)**2) / 2
        assert y - t == diff(E, y)
    """
    LAWS["lemma"](after, before, case)


@law("inverse unique")
def inverse_unique(before: Any, after: Any, case: Case) -> None:
    """`N⁻¹[i,j] = R[i,j]`, read in either direction, where `Σ_q N[i,q] R[q,j] = δ[i,j]` was proved before.

    Proof: N is square, so `N R = 1` makes N invertible; multiply by N⁻¹ from the left.

    Source: Horn and Johnson, Matrix Analysis, 0.5.

    Example:
        M: invertible(n, n); v: (n,)
        assert inv(M + outer(v, v)) == inv(M) - outer(inv(M) @ v, v @ inv(M)) / (1 + v @ inv(M) @ v)
    """
    require(not case.inside_derivative(), "an equality of entries that are held independent")
    lemma = _proved(case)
    for entry, other in ((before, after), (after, before)):
        definition = case.facts.named("inv", entry.tensor) if isinstance(entry, Entry) else None
        if definition is None:
            continue
        rows, columns = _halves(entry.indices)
        require(len({*rows, *columns}) == 2 * len(rows), "an index stands twice in the inverse")
        i, j, q = ([fresh(x.size) for x in rows] for _ in range(3))
        product = Sum(Times(Entry(definition.arguments[0], *i, *q), _at(other, (*rows, *columns), (*q, *j))), *q)
        ends = product_of([Delta(a, b) for a, b in zip(i, j, strict=True)])
        change = _ends(lemma.right, len(rows))
        if change is not None:
            here = dict(zip(change, (*i, *j), strict=True))
            left, right = with_indices(lemma.left, here), with_indices(lemma.right, here)
            if case.equal(left, product) and case.equal(right, ends):
                return
    raise RefusedError("what was proved is not that the product is the identity")


@law("invertible")
def invertible(before: Any, after: Any, case: Case) -> None:
    """`X = Y`, entry by entry, where `N X K = N Y K` was proved before; N or K may be missing.

    N and K are matrices whose inverses stand in X or Y.

    Proof: N and K have inverses, which stand in X or Y: multiply by N⁻¹ from the left, by K⁻¹ from the right.

    Source: Horn and Johnson, Matrix Analysis, 0.5.

    Example:
        A: (n, m); B: (m, n)
        assert inv(eye(n) + A @ B) @ A == A @ inv(eye(m) + B @ A)
    """
    require(not case.around, "only whole expressions")
    lemma = _proved(case)
    named = [case.named("left"), case.named("right")]
    require(any(named), "no factor is named")
    standing = case.facts.standing(Plus(before, after))
    one, other = before, after
    for name, indices, near in zip(named, (case.named("rows"), case.named("columns")), (True, False), strict=True):
        if name is None:
            continue
        definition = case.facts.definitions.get(name)
        if definition is None or definition.kind != "inv" or name not in standing:
            raise RefusedError(f"the inverse {name} does not stand in the equality")
        (n,) = definition.arguments
        sizes = n.sizes[: len(n.sizes) // 2]
        require([x.size for x in indices] == list(sizes), "the factor does not fit")
        require(len(set(indices)) == len(indices), "an index is named twice")
        inner, outer = ([fresh(s) for s in sizes] for _ in range(2))
        factor = Entry(n, *outer, *inner) if near else Entry(n, *inner, *outer)
        one, other = (
            with_indices(Sum(Times(factor, _at(e, indices, inner)), *inner), dict(zip(outer, indices, strict=True)))
            for e in (one, other)
        )
    require(case.equal(lemma.left, one) and case.equal(lemma.right, other), "what was proved is another equality")


def _proved(case: Case) -> Argument:
    label = case.named("label")
    require(label in case.proved, f"nothing was proved of {label} before")
    lemma = case.proved[label]
    require(not immediates(lemma.left) and not immediates(lemma.right), "the lemma is not carried out")
    return lemma


def _halves(indices: tuple[Index, ...]) -> tuple[tuple[Index, ...], tuple[Index, ...]]:
    half = len(indices) // 2
    return indices[:half], indices[half:]


def _at(expr: Any, indices: Sequence[Index], new: Sequence[Index]) -> Any:
    """Return an expression at other indices, all at once."""
    return with_indices(expr, dict(zip(indices, new, strict=True)))


def _ends(expr: Any, half: int) -> tuple[Index, ...] | None:
    """Return the rows and columns of an identity matrix, where an expression is one."""
    deltas = [f for f in factors(expr) if isinstance(f, Delta)]
    ends = (*(d.args[0] for d in deltas), *(d.args[1] for d in deltas))
    fits = len(deltas) == len(factors(expr)) == half and len(set(ends)) == 2 * half
    return ends if fits else None


@law("equal arguments")
def equal_arguments(before: Any, after: Any, case: Case) -> None:
    """`E(A)[i] = E(B)[i]` where A = B entry by entry, for an unknown function or a derivative of one.

    Proof: a function has one value at one point.

    Source: what a function is.

    Example:
        w: (n,); v: (n,); eps: (); loss: function()
        E = loss(w)
        def at(s): return loss(w + s * v)
        assert at(eps) == E + eps * v @ diff(E, w) + O(eps**2)  # step by step at eps = 0
    """
    require(isinstance(before, Entry) and isinstance(after, Entry), "the rule is about entries")
    require(not case.inside_derivative(), "what is equal here need not be equal beside")
    require(before.indices == after.indices, "the indices change")
    one, other = (case.facts.named("unknown", e.tensor) for e in (before, after))
    if one is None or other is None or (one.function, one.axes) != (other.function, other.axes):
        raise RefusedError("the entries are of different functions")
    require(len(one.arguments) == len(other.arguments), "the functions have other arguments")
    for a, b in zip(one.arguments, other.arguments, strict=True):
        require(a.sizes == b.sizes, "the arguments have different sizes")
        at = [fresh(size) for size in a.sizes]
        require(case.equal(Entry(a, *at), Entry(b, *at)), f"{a.name} and {b.name} are not equal")
