"""The laws of differentiation, on `∂of/∂x` of one definition's own text; heads without x are constant.

They hold as well of the total derivative of an expression, where every definition down to x is looked through.
x is an entry `X[k, l]`; its indices stand free, so a bound index of `of` never meets them (good form).
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import sympy

from symderiv import trees
from symderiv.check.laws import Case, derivative_of, expect, law
from symderiv.check.terms import (
    ONE,
    ZERO,
    RefusedError,
    alike,
    factors,
    free,
    fresh,
    is_number,
    product_of,
    require,
    sum_of,
    summed,
    terms,
    with_indices,
)
from symderiv.functions import FUNCTIONS
from symderiv.index.nodes import (
    Apply,
    Choice,
    Definition,
    Delta,
    Derivative,
    Entry,
    Extreme,
    Immediate,
    Index,
    Plus,
    Power,
    Sum,
    Tensor,
    Times,
)

MINUS = sympy.Integer(-1)
HALF = sympy.Rational(1, 2)


@law("constant")
def constant(before: Any, after: Any, case: Case) -> None:
    """`∂c/∂x = 0` where x stands neither in c nor in what a head of c stands for.

    An entry of a chain definition is held constant only inside the text of another.

    Proof: the difference quotient is 0.

    Source: Rudin, Principles of Mathematical Analysis, 5.3.

    Example: x: (n,); c: (n,); derive(c @ c + x @ c, x)
    """
    before = derivative_of(before, sympy.Basic)
    head = before.entry.tensor
    require(not case.facts.depends(before.of, head), f"{head.name} stands in what is differentiated")
    if case.own_texts:
        require(not case.facts.is_own_text(before), "the definition's own text names the variable")
    expect(after, ZERO)


@law("entry")
def entry(before: Any, after: Any, case: Case) -> None:
    """`∂x[a, b]/∂x[k, l] = δ[a, k] δ[b, l]`: the entries of an array are independent of each other.

    Proof: the entries of x are variables, and the derivative of a variable in itself is 1, in another one 0.

    Source: Petersen and Pedersen, The Matrix Cookbook, (32).

    Example: x: (n,); derive(x, x)
    """
    before = derivative_of(before, Entry)
    require(before.of.tensor == before.entry.tensor, "the entries are of different arrays")
    pairs = zip(before.of.indices, before.entry.indices, strict=True)
    expect(after, product_of([Delta(a, k) for a, k in pairs]))


@law("sum")
def derivative_of_sum(before: Any, after: Any, case: Case) -> None:
    """`∂(Σ_q f)/∂x = Σ_q ∂f/∂x`: a finite sum is differentiated term by term.

    Proof: linearity, once for each term.

    Source: Rudin, Principles of Mathematical Analysis, 5.3.

    Example: a: (n,); x: (n,); derive(a @ x, x)
    """
    before = derivative_of(before, Sum)
    require(not set(before.of.bound) & free(before.entry), "a bound index would be captured")
    expect(after, Sum(before.func(before.of.body, before.entry), *before.of.bound))


@law("linearity")
def linearity(before: Any, after: Any, case: Case) -> None:
    """`∂(f + g)/∂x = ∂f/∂x + ∂g/∂x`.

    Proof: the limit of a sum is the sum of the limits.

    Source: Rudin, Principles of Mathematical Analysis, 5.3.

    Example: x: (n,); c: (n,); derive(x - c, x)
    """
    before = derivative_of(before, Plus)
    expect(after, Plus(*(before.func(t, before.entry) for t in before.of.args)))


@law("product")
def product(before: Any, after: Any, case: Case) -> None:
    """`∂(f g h)/∂x = (∂f/∂x) g h + f (∂g/∂x) h + f g (∂h/∂x)` (Leibniz), constant factors left alone.

    Proof: `f(x+h) g(x+h) − f(x) g(x) = (f(x+h) − f(x)) g(x+h) + f(x) (g(x+h) − g(x))`, over h, as h goes to 0.

    Source: Rudin, Principles of Mathematical Analysis, 5.3.

    Example: a: (n,); x: (n,); derive(a @ x, x)
    """
    before = derivative_of(before, Times)
    parts, x = before.of.args, before.entry
    moving = [k for k, f in enumerate(parts) if case.facts.depends(f, x.tensor)]
    require(moving, "no factor depends on the variable")
    expect(after, sum_of([product_of([*parts[:k], before.func(parts[k], x), *parts[k + 1 :]]) for k in moving]))


@law("power")
def derivative_of_power(before: Any, after: Any, case: Case) -> None:
    """`∂(fᵖ)/∂x = p fᵖ⁻¹ ∂f/∂x` for p constant in x.

    Proof: the product rule for whole p; for others `fᵖ = exp(p log f)` where f is positive.

    Source: Rudin, Principles of Mathematical Analysis, 5.3 to 5.5.

    Example: x: (n,); derive(norm(x)**2, x)
    """
    before = derivative_of(before, Power)
    base, exponent, x = before.of.base, before.of.exponent, before.entry
    require(not case.facts.depends(exponent, x.tensor), "the exponent depends on the variable")
    _expect_slope(after, Times(exponent, Power(base, _less_one(exponent))), base, before, case)


def _less_one(exponent: Any) -> Any:
    return exponent - 1 if is_number(exponent) else Plus(exponent, MINUS)


@law("general power")
def general_power(before: Any, after: Any, case: Case) -> None:
    """`∂(fᵍ)/∂x = g fᵍ⁻¹ ∂f/∂x + log(f) fᵍ ∂g/∂x`, as `fᵍ = exp(g log f)`; no first term for a constant f.

    Proof: the chain rule for `exp` and the product rule for `g log f`.

    Source: Rudin, Principles of Mathematical Analysis, 5.3 to 5.5.

    Example: k: positive(); x: positive(n); derive(sum(x**k), k)
    """
    before = derivative_of(before, Power)
    base, exponent, x = before.of.base, before.of.exponent, before.entry
    require(case.facts.depends(exponent, x.tensor), "the exponent does not depend on the variable")
    slopes = [(Times(Apply("log", 0, base), before.of), exponent)]
    if case.facts.depends(base, x.tensor):
        slopes.insert(0, (Times(exponent, Power(base, _less_one(exponent))), base))
    parts = terms(after)
    require(len(parts) == len(slopes), "the result has another number of terms")
    for part, (slope, inner) in zip(parts, slopes, strict=True):
        _expect_slope(part, slope, inner, before, case)


@law("chain")
def chain(before: Any, after: Any, case: Case) -> None:
    """`∂f(u)/∂x = f′(u) ∂u/∂x`, f′ from the table of functions; for an unknown f its next derivative.

    Proof: the chain rule for functions of one variable.

    Source: Rudin, Principles of Mathematical Analysis, 5.5.

    Example: x: (n,); derive(sum(tanh(x)), x)
    """
    before = derivative_of(before, Apply)
    value = before.of
    if value.name in FUNCTIONS:
        require(value.order == 0, "a function of the table has no derivatives of its own")
        slope = formula(value.name, value.arg, value)
    else:
        slope = Apply(value.name, value.order + 1, value.arg)
    _expect_slope(after, slope, value.arg, before, case)


def _expect_slope(after: Any, slope: Any, inner: Any, before: Any, case: Case) -> None:
    """Refuse unless the result is `slope · ∂inner/∂x`; the slope may be written in another order or form."""
    parts = list(factors(after))
    wanted = before.func(inner, before.entry)
    at = [k for k, f in enumerate(parts) if alike(f, wanted)]
    require(len(at) == 1, "the result is no multiple of the inner derivative")
    rest = product_of([f for k, f in enumerate(parts) if k != at[0]])
    require(alike(rest, slope) or case.equal(rest, slope), "the slope is another one")


@lru_cache(maxsize=4096)
def formula(name: str, u: Any, f: Any) -> Any:
    """Return the derivative of a function of the table, its formula read and u, f put in."""
    return _read(trees.expression(FUNCTIONS[name].derivative), {"u": u, "f": f})


def _read(tree: ast.expr, values: Mapping[str, Any]) -> Any:
    """Return a formula as an index expression: names, numbers, `+ - * / **`, functions, `where`, `sqrt`."""
    match tree:
        case ast.Name(id=name) if name in values:
            return values[name]
        case ast.Constant(value=int() | float()):
            return sympy.Rational(str(tree.value))
        case ast.UnaryOp(op=ast.USub()):
            return Times(MINUS, _read(tree.operand, values))
        case ast.BinOp():
            left, right = _read(tree.left, values), _read(tree.right, values)
            match tree.op:
                case ast.Add():
                    return Plus(left, right)
                case ast.Sub():
                    return Plus(left, Times(MINUS, right))
                case ast.Mult():
                    return Times(left, right)
                case ast.Div():
                    return Times(left, Power(right, MINUS))
                case ast.Pow():
                    return Power(left, right)
        case ast.Call(func=ast.Name(id="where"), args=[ast.Compare(ops=[relation]) as test, yes, no]):
            relations = {ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">="}
            if type(relation) in relations:
                parts = (_read(part, values) for part in (test.left, test.comparators[0], yes, no))
                return Choice(relations[type(relation)], *parts)
        case ast.Call(func=ast.Name(id="sqrt"), args=[inner]):
            return Power(_read(inner, values), HALF)
        case ast.Call(func=ast.Name(id=name), args=[inner]):
            return Apply(name, 0, _read(inner, values))
    raise RefusedError("the table gives a derivative that cannot be read")


@law("choice")
def choice(before: Any, after: Any, case: Case) -> None:
    """`∂(f where u > v, else g)/∂x = ∂f/∂x where u > v, else ∂g/∂x`: off the boundary one branch holds nearby.

    Proof: what holds in a neighbourhood holds for the derivative; on the boundary it is a convention.

    Source: the definition of the derivative; at the boundary symderiv's own convention.

    Example: m: (n,); derive(sum(where(m < 1, 1 - m, 0)), m)
    """
    before = derivative_of(before, Choice)
    left, right, yes, no = before.of.parts
    x = before.entry
    expect(after, Choice(before.of.relation, left, right, before.func(yes, x), before.func(no, x)))


@law("extreme")
def extreme(before: Any, after: Any, case: Case) -> None:
    """`∂max(f, g)/∂x = ½ (1 + sign(f − g)) ∂f/∂x + ½ (1 + sign(g − f)) ∂g/∂x`: at a tie (by convention) half of each.

    `min` is the same with the signs the other way round.

    Proof: where f > g the maximum is f nearby, where f < g it is g; a tie is a convention.

    Source: the definition of the derivative; at a tie symderiv's own convention.

    Example: x: (n,); y: (n,); derive(sum(maximum(x, y)), x)
    """
    before = derivative_of(before, Extreme)
    f, g = before.of.parts
    larger = before.of.kind == "maximum"
    parts = []
    for a, b in ((f, g), (g, f)):
        if case.facts.depends(a, before.entry.tensor):
            ahead, behind = (a, b) if larger else (b, a)
            lead = Plus(ahead, Times(sympy.Integer(-1), behind))
            parts.append(Times(HALF, Plus(ONE, Apply("sign", 0, lead)), before.func(a, before.entry)))
    require(parts, "neither argument depends on the variable")
    expect(after, sum_of(parts))


# ---------------------------------------------------------------- functions of whole arrays


def _whole(before: Any, case: Case, kind: str) -> tuple[Derivative, Definition, Tensor]:
    before = derivative_of(before, Entry)
    definition = case.facts.named(kind, before.of.tensor)
    if definition is None:
        raise RefusedError(f"what is differentiated is no {kind}")
    return before, definition, definition.arguments[0]


def _fresh_matrix(argument: Tensor) -> tuple[list[Index], list[Index]]:
    half = len(argument.sizes) // 2
    rows = [fresh(s) for s in argument.sizes]
    return rows[:half], rows[half:]


@law("inverse")
def inverse(before: Any, after: Any, case: Case) -> None:
    """`∂N⁻¹[i,j]/∂x = −Σ_kl N⁻¹[i,k] (∂N[k,l]/∂x) N⁻¹[l,j]`.

    Proof: differentiate `Σ_k N[i,k] N⁻¹[k,j] = δ[i,j]` and multiply by N⁻¹ from the left.

    Source: Magnus and Neudecker, Matrix Differential Calculus, 8.4; Petersen and Pedersen, The Matrix Cookbook, (60).

    Example: X: invertible(n, n); derive(trace(inv(X)), X)
    """
    before, definition, n = _whole(before, case, "inv")
    k, m = _fresh_matrix(n)
    i, j = before.of.indices[: len(k)], before.of.indices[len(k) :]
    inv = definition.tensor
    slope = before.func(Entry(n, *k, *m), before.entry)
    expect(after, Sum(Times(MINUS, Entry(inv, *i, *k), slope, Entry(inv, *m, *j)), *k, *m))


def _expect_cofactors(before: Derivative, after: Any, argument: Tensor, case: Case, front: list[Any]) -> None:
    """Refuse unless the result is `front Σ_kl N⁻¹[l,k] ∂N[k,l]/∂x`."""
    k, m = _fresh_matrix(argument)
    slope = before.func(Entry(argument, *k, *m), before.entry)
    heads = [d.tensor for d in case.facts.definitions.values() if d.kind == "inv" and d.arguments == (argument,)]
    found = [Sum(product_of([*front, Entry(inv, *m, *k), slope]), *k, *m) for inv in heads]
    require(found, f"no head stands for the inverse of {argument.name}")
    require(any(alike(after, e) for e in found), "the result is not what the rule gives")


@law("determinant")
def determinant(before: Any, after: Any, case: Case) -> None:
    """`∂det(N)/∂x = det(N) Σ_kl N⁻¹[l,k] ∂N[k,l]/∂x` (Jacobi), for N invertible.

    Proof: by Laplace's expansion `∂det(N)/∂N[k,l]` is the cofactor, and that is `det(N) N⁻¹[l,k]` (Cramer).

    Source: Magnus and Neudecker, Matrix Differential Calculus, 8.3; Petersen and Pedersen, The Matrix Cookbook, (49).

    Example: X: invertible(n, n); derive(det(X), X)
    """
    before, _, n = _whole(before, case, "det")
    _expect_cofactors(before, after, n, case, [before.of])


@law("log determinant")
def log_determinant(before: Any, after: Any, case: Case) -> None:
    """`∂log|det(N)|/∂x = Σ_kl N⁻¹[l,k] ∂N[k,l]/∂x`, for N invertible.

    Proof: Jacobi's formula for det(N), and `(log|d|)′ = 1/d`.

    Source: Magnus and Neudecker, Matrix Differential Calculus, 8.3; Petersen and Pedersen, The Matrix Cookbook, (57).

    Example: X: invertible(n, n); derive(logdet(X), X)
    """
    before, _, n = _whole(before, case, "logdet")
    _expect_cofactors(before, after, n, case, [])


@law("matrix power")
def matrix_power(before: Any, after: Any, case: Case) -> None:
    """`Σ_ij C[j,i] ∂(N^p)[i,j]/∂x = p Σ_ijq C[j,i] ∂N[i,q]/∂x (N^(p−1))[q,j]` where `C N = N C`; C is 1 where i is j.

    Proof: for p ≥ 0 Leibniz gives `∂(N^p) = Σ_{s=0}^{p−1} N^s (∂N) N^(p−1−s)`, and under the sum each term is `tr(C
    N^s (∂N) N^(p−1−s)) = tr(C (∂N) N^(p−1))`, as C commutes with N. For p < 0, `∂N⁻¹ = −N⁻¹ (∂N) N⁻¹` besides.

    Source: Petersen and Pedersen, The Matrix Cookbook, (121), for every size p.

    Example: A: (n, n); k: size; derive(trace(matrix_power(A, k)), A)
    """
    require(isinstance(before, Sum) and isinstance(after, Sum), "the rule is about a sum")
    parts, bound = list(factors(before.body)), before.bound
    for k, part in enumerate(parts):
        if not (isinstance(part, Immediate) and isinstance(part.of, Entry)):
            continue
        definition = case.facts.named("matrix_power", part.of.tensor)
        if definition is None or definition.exponent is None:
            continue
        rest = [*parts[:k], *parts[k + 1 :]]
        (n,), p, half = definition.arguments, definition.exponent, len(part.of.indices) // 2
        rows, columns = part.of.indices[:half], part.of.indices[half:]
        less = [
            d.tensor
            for d in case.facts.definitions.values()
            if d.exponent is not None and d.arguments == (n,) and sympy.expand(d.exponent - p + 1) == 0
        ]
        q, _ = _fresh_matrix(n)
        slope = Immediate(Entry(n, *rows, *q), part.entry)
        times_p = sum_of(p.as_ordered_terms())
        new = ([times_p, *parts[:k], slope, Entry(h, *q, *columns), *parts[k + 1 :]] for h in less)
        found = [Sum(product_of(product), *bound, *q) for product in new]
        if any(alike(after, e) for e in found):
            _expect_commuting(rest, n, rows, columns, bound, case)
            return
    raise RefusedError("the result is not what the rule gives")


def _expect_commuting(
    rest: list[Any], n: Tensor, rows: tuple[Index, ...], columns: tuple[Index, ...], bound: Any, case: Case
) -> None:
    """Refuse unless `C N = N C`, C[columns, rows] the product of other factors, summed over all other bound indices."""
    require({*rows, *columns} <= set(bound), "the ends of the power are not summed over")
    if rows == columns:
        standing = frozenset[Index]().union(*(free(f) for f in rest))
        require(not set(rows) & standing, "something else stands at the diagonal")
        return
    require(len({*rows, *columns}) == 2 * len(rows), "the ends of the power are not apart")
    inside = [b for b in bound if b not in (*rows, *columns)]
    a, b = _fresh_matrix(n)

    def beside(top: Any, low: Any) -> Any:  # C at other indices
        change = dict(zip((*columns, *rows), (*top, *low), strict=True))
        fresh_inside = {i: fresh(i.size) for i in inside}
        moved = with_indices(product_of(rest), {**change, **fresh_inside})
        return summed(moved, list(fresh_inside.values()))

    q, _ = _fresh_matrix(n)
    left = Sum(Times(Entry(n, *a, *q), beside(q, b)), *q)
    right = Sum(Times(beside(a, q), Entry(n, *q, *b)), *q)
    require(case.equal(left, right), f"what stands beside the power does not commute with {n.name}")


@law("softmax")
def softmax(before: Any, after: Any, case: Case) -> None:
    """`∂s[i]/∂x = Σ_j s[i] (δ[i,j] − s[j]) ∂u[j]/∂x` for `s[i] = exp(u[i]) / Σ_j exp(u[j])`.

    Proof: the quotient rule, and `exp(u[j]) / Σ exp = s[j]` put back.

    Source: Bishop, Pattern Recognition and Machine Learning, (4.106).

    Example: a: (n,); t: (n,); derive(t @ softmax(a, 0), a)
    """
    before, definition, u = _whole(before, case, "softmax")
    new = {a: fresh(u.sizes[a]) for a in definition.axes}
    moved = [new.get(a, i) for a, i in enumerate(before.of.indices)]
    deltas = product_of([Delta(before.of.indices[a], b) for a, b in new.items()])
    difference = Plus(deltas, Times(MINUS, Entry(definition.tensor, *moved)))
    expect(after, Sum(Times(before.of, difference, before.func(Entry(u, *moved), before.entry)), *new.values()))


@law("log sum exp")
def log_sum_exp(before: Any, after: Any, case: Case) -> None:
    """`∂log Σ_j exp(u[j])/∂x = Σ_j s[j] ∂u[j]/∂x` with s the softmax of u.

    Proof: the derivative of the logarithm, and `exp(u[j]) / Σ exp = s[j]`.

    Source: Boyd and Vandenberghe, Convex Optimization, 3.1.5.

    Example: x: (n,); derive(logsumexp(x), x)
    """
    before, definition, _ = _whole(before, case, "logsumexp")
    _expect_weighted(before, after, definition, "softmax", case)


@law("product of entries")
def product_of_entries(before: Any, after: Any, case: Case) -> None:
    """`∂Π_j u[j]/∂x = Σ_j (Π_{k≠j} u[k]) ∂u[j]/∂x` (Leibniz).

    Proof: the product rule for as many factors as there are entries.

    Source: Rudin, Principles of Mathematical Analysis, 5.3.

    Example: x: (n,); derive(prod(x), x)
    """
    before, definition, _ = _whole(before, case, "prod")
    _expect_weighted(before, after, definition, "prodexcept", case)


@law("product of other entries")
def product_of_other_entries(before: Any, after: Any, case: Case) -> None:
    """`∂(Π_{k∉J} u[k])/∂x = Σ_j (Π_{k∉J∪{j}} u[k]) ∂u[j]/∂x`; a head that leaves an entry out twice is 0.

    Proof: the entries outside of J are the factors (Leibniz); one at j ∈ J is none, and the head with j twice is 0.
    Where J itself names an entry twice, both heads are 0.

    Source: Rudin, Principles of Mathematical Analysis, 5.3.

    Example: x: (n,); derive(prod(x), x, x)
    """
    before, definition, u = _whole(before, case, "prodexcept")
    indices, rank = before.of.indices, len(u.sizes)
    bound = {a: fresh(u.sizes[a]) for a in definition.axes}
    moved = [bound.get(a, i) for a, i in enumerate(indices[:rank])]
    heads = _heads_along(case, "prodexcept", definition, [*definition.tensor.sizes, *(i.size for i in bound.values())])
    found = [
        Sum(Times(Entry(h, *indices, *bound.values()), before.func(Entry(u, *moved), before.entry)), *bound.values())
        for h in heads
    ]
    require(found, f"no head stands for the product of the entries of {u.name} without one more")
    require(any(alike(after, e) for e in found), "the result is not what the rule gives")


def _expect_weighted(before: Derivative, after: Any, definition: Definition, weight: str, case: Case) -> None:
    """Refuse unless the result is `Σ_j w[j] ∂u[j]/∂x`, w a head of a kind on the same argument and axes."""
    (u,) = definition.arguments
    rest = iter(before.of.indices)
    bound = {a: fresh(u.sizes[a]) for a in definition.axes}
    at = [bound[a] if a in bound else next(rest) for a in range(len(u.sizes))]
    found = [
        Sum(Times(Entry(h, *at), before.func(Entry(u, *at), before.entry)), *bound.values())
        for h in _heads_along(case, weight, definition, list(u.sizes))
    ]
    require(found, f"no head stands for the {weight} of {u.name}")
    require(any(alike(after, e) for e in found), "the result is not what the rule gives")


def _heads_along(case: Case, kind: str, like: Definition, sizes: list[Any]) -> list[Tensor]:
    """Return the heads of a kind and of some sizes, on the argument and along the axes of another."""
    wanted = kind, like.arguments, like.axes, sizes
    return [
        d.tensor
        for d in case.facts.definitions.values()
        if (d.kind, d.arguments, d.axes, list(d.tensor.sizes)) == wanted
    ]


@law("unknown function")
def unknown_function(before: Any, after: Any, case: Case) -> None:
    """`∂E(A, B)/∂x = Σ_a ∂E/∂A[a] ∂A[a]/∂x + Σ_b ∂E/∂B[b] ∂B[b]/∂x` for an unknown smooth E.

    A head of kind "unknown" has the axes of E, then those of each argument it was differentiated in, the arguments in
    order: `∂²E/∂A[a]∂B[b]` is `E_AB[a, b]`, whichever came first (Schwarz).

    Proof: the chain rule for functions of several variables.

    Source: Rudin, Principles of Mathematical Analysis, 9.15, and 9.41 for the order.

    Example:
        x: (n,); g: function(n); loss: function()
        y = g(x)
        J = loss(y)
        assert diff(J, x) == partial(y, x).T @ diff(J, y)
    """
    before, known, _ = _whole(before, case, "unknown")
    parts = []
    for slot, argument in enumerate(known.arguments):
        if case.facts.depends(argument, before.entry.tensor):
            order = tuple(sorted((*known.axes, slot)))
            bound = [fresh(s) for s in argument.sizes]
            later = [known.arguments[k] for k in known.axes if k > slot]
            at = len(before.of.indices) - sum(len(a.sizes) for a in later)
            indices = [*before.of.indices[:at], *bound, *before.of.indices[at:]]
            slope = next((d for d in case.facts.definitions.values() if _is_slope(d, known, order)), None)
            if slope is None or len(slope.tensor.sizes) != len(indices):
                raise RefusedError(f"no head stands for the derivative of {known.function} in {argument.name}")
            inner = before.func(Entry(argument, *bound), before.entry)
            parts.append(summed(Times(Entry(slope.tensor, *indices), inner), bound))
    require(parts, "no argument depends on the variable")
    expect(after, sum_of(parts))


def _is_slope(definition: Definition, of: Definition, order: tuple[int, ...]) -> bool:
    same = (definition.kind, definition.function, definition.arguments) == ("unknown", of.function, of.arguments)
    return same and definition.axes == order
