"""The rules of a derivation: each a pure function, expression to expression, or None where it does not apply.

A rule knows nothing of steps or tracing.  Its docstring states its mathematics; :data:`RULES` names it.
A rule that needs to know what heads stand for takes them from the context.  Rules about ∂ act on
`Immediate(of, x)`, the derivative of one definition's own text: every head other than that of x is
constant in it, unless it stands for a function of x (an inverse, say).
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import sympy

from symderiv import trees
from symderiv.errors import SymderivError
from symderiv.functions import FUNCTIONS
from symderiv.index.contraction import leaf
from symderiv.index.expand import same
from symderiv.index.nodes import (
    Apply,
    Choice,
    Context,
    Definition,
    Delta,
    Entry,
    Extreme,
    Immediate,
    Index,
    IndexExpr,
    Names,
    Plus,
    Power,
    Sum,
    Tensor,
    Times,
    all_indices,
    free_indices,
    heads,
    replace_indices,
)
from symderiv.index.reading import Reader
from symderiv.index.written import negative, plus, power, product_except, raised_head, times, total

Rule = Callable[[Any, Context], "sympy.Expr | None"]
RULES: dict[str, Rule] = {}
ONE, ZERO, HALF = sympy.Integer(1), sympy.Integer(0), sympy.Rational(1, 2)


def rule(name: str) -> Callable[[Rule], Rule]:
    """Register a rule under its name."""

    def register(function: Rule) -> Rule:
        RULES[name] = function
        return function

    return register


def depends(expr: Any, x: Tensor, context: Context) -> bool:
    """Tell whether x stands in an expression, or in what a head of it stands for."""
    return any(head is x for head in heads_below(expr, context))


def heads_below(expr: Any, context: Context) -> Iterator[Tensor]:
    """Yield the heads of an expression, and those of what they stand for, each once."""
    stack, seen = list(heads(expr)), set()
    while stack:
        head = stack.pop()
        if head in seen:
            continue
        seen.add(head)
        yield head
        definition = context.definitions.get(head.name)
        if definition is not None:
            stack += definition.arguments
            if definition.body is not None:
                stack += heads(definition.body)


LABEL, WORD = re.compile(r"\[([^\]]*)\]"), re.compile(r"[^\W\d]\w*")  # of members: the t of `h[t - 1]`


def fresh(expr: Any, context: Context) -> Names:
    """Return index names that stand nowhere in an expression, nor as a name in the context."""
    taken = {i.name for i in all_indices(expr)} | {h.name for h in heads(expr)}
    sizes = {str(s) for h in heads(expr) for size in h.sizes for s in size.free_symbols}
    labels = {word for h in heads(expr) for label in LABEL.findall(h.name) for word in WORD.findall(label)}
    return Names(taken | sizes | labels | set(context.definitions) | set(context.traits) | context.taken)


# ---------------------------------------------------------------- derivatives


def moving(expr: Any, context: Context) -> bool:
    """Tell whether `∂of/∂x` is not 0 for the plain reason that x does not stand in it."""
    return depends(expr.of, expr.entry.tensor, context)


@rule("constant")
def constant(expr: Any, context: Context) -> sympy.Expr | None:
    """`∂c/∂x = 0` where x does not stand in c."""
    return ZERO if isinstance(expr, Immediate) and not moving(expr, context) else None


@rule("entry")
def entry(expr: Any, context: Context) -> sympy.Expr | None:
    """`∂x[a, b]/∂x[k, l] = δ[a, k] δ[b, l]`: entries are independent."""
    if not (isinstance(expr, Immediate) and isinstance(expr.of, Entry) and expr.of.tensor is expr.entry.tensor):
        return None
    return times(*(Delta(a, k) for a, k in zip(expr.of.indices, expr.entry.indices, strict=True)))


@rule("sum")
def derivative_of_sum(expr: Any, context: Context) -> sympy.Expr | None:
    """`∂(Σ_q f)/∂x = Σ_q ∂f/∂x`."""
    if not (isinstance(expr, Immediate) and isinstance(expr.of, Sum)):
        return None
    return Sum(Immediate(expr.of.body, expr.entry), *expr.of.bound)


@rule("linearity")
def linearity(expr: Any, context: Context) -> sympy.Expr | None:
    """`∂(f + g)/∂x = ∂f/∂x + ∂g/∂x`."""
    if not (isinstance(expr, Immediate) and isinstance(expr.of, Plus)):
        return None
    return Plus(*(Immediate(t, expr.entry) for t in expr.of.args))


@rule("product")
def product(expr: Any, context: Context) -> sympy.Expr | None:
    """`∂(f g h)/∂x = (∂f/∂x) g h + f (∂g/∂x) h + f g (∂h/∂x)`, constant factors left alone."""
    if not (isinstance(expr, Immediate) and isinstance(expr.of, Times)):
        return None
    factors = expr.of.args
    terms = []
    for k, f in enumerate(factors):
        if depends(f, expr.entry.tensor, context):
            terms.append(Times(*factors[:k], Immediate(f, expr.entry), *factors[k + 1 :]))
    return None if not terms else terms[0] if len(terms) == 1 else Plus(*terms)


@rule("power")
def derivative_of_power(expr: Any, context: Context) -> sympy.Expr | None:
    """`∂(fᵖ)/∂x = p fᵖ⁻¹ ∂f/∂x` for p constant in x."""
    if not (isinstance(expr, Immediate) and isinstance(expr.of, Power)):
        return None
    base, exponent = expr.of.base, expr.of.exponent
    if depends(exponent, expr.entry.tensor, context):
        return None
    less = exponent - 1 if isinstance(exponent, sympy.Rational) else plus(exponent, sympy.Integer(-1))
    return Times(exponent, power(base, less), Immediate(base, expr.entry))


@rule("general power")
def general_power(expr: Any, context: Context) -> sympy.Expr | None:
    """`∂(fᵍ)/∂x = g fᵍ⁻¹ ∂f/∂x + log(f) fᵍ ∂g/∂x`, the first term only where f depends on x."""
    if not (isinstance(expr, Immediate) and isinstance(expr.of, Power)):
        return None
    base, exponent, x = expr.of.base, expr.of.exponent, expr.entry
    if not depends(exponent, x.tensor, context):
        return None
    second = Times(Apply("log", 0, base), expr.of, Immediate(exponent, x))
    if not depends(base, x.tensor, context):
        return second
    first = Times(exponent, Power(base, plus(exponent, sympy.Integer(-1))), Immediate(base, x))
    return Plus(first, second)


@rule("chain")
def chain(expr: Any, context: Context) -> sympy.Expr | None:
    """`∂f(u)/∂x = f′(u) ∂u/∂x` for a scalar function f."""
    if not (isinstance(expr, Immediate) and isinstance(expr.of, Apply)):
        return None
    return times(slope(expr.of), Immediate(expr.of.arg, expr.entry))


def slope(value: Apply) -> sympy.Expr:
    """Return f′(u) for f(u), from the table of functions; `f′` itself for an unknown f."""
    if value.name not in FUNCTIONS:
        return Apply(value.name, value.order + 1, value.arg)
    return formula(value.name, value.arg, value)


def formula(name: str, u: sympy.Expr, f: sympy.Expr) -> sympy.Expr:
    """Return the derivative formula of a function of the table, with u and f put in."""
    return _instantiated(trees.expression(FUNCTIONS[name].derivative), {"u": u, "f": f})


def _instantiated(tree: Any, values: Mapping[str, sympy.Expr]) -> sympy.Expr:
    match tree:
        case ast.Name():
            return values[tree.id]
        case ast.Constant():
            return sympy.Rational(str(tree.value))
        case ast.UnaryOp():
            return negative(_instantiated(tree.operand, values))
        case ast.BinOp(op=ast.Pow()):
            exponent = _instantiated(tree.right, values)
            return power(_instantiated(tree.left, values), exponent)
        case ast.BinOp():
            a, b = _instantiated(tree.left, values), _instantiated(tree.right, values)
            match tree.op:
                case ast.Add():
                    return plus(a, b)
                case ast.Sub():
                    return plus(a, negative(b))
                case ast.Mult():
                    return times(a, b)
                case ast.Div():
                    return times(a, power(b, sympy.Integer(-1)))
        case ast.Call(func=ast.Name(id="where")):
            test: Any = tree.args[0]
            relation = {ast.Lt: "<", ast.Gt: ">"}[type(test.ops[0])]
            parts = [test.left, test.comparators[0], *tree.args[1:]]
            return Choice(relation, *(_instantiated(p, values) for p in parts))
        case ast.Call(func=ast.Name(id="sqrt")):
            return Power(_instantiated(tree.args[0], values), HALF)
        case ast.Call(func=ast.Name(id=name)):
            return Apply(name, 0, _instantiated(tree.args[0], values))
    raise AssertionError(tree)


@rule("choice")
def choice(expr: Any, context: Context) -> sympy.Expr | None:
    """The derivative of a choice is that of the branch its condition takes."""
    if not (isinstance(expr, Immediate) and isinstance(expr.of, Choice)):
        return None
    left, right, yes, no = expr.of.parts
    return Choice(expr.of.relation, left, right, Immediate(yes, expr.entry), Immediate(no, expr.entry))


@rule("extreme")
def extreme(expr: Any, context: Context) -> sympy.Expr | None:
    """`∂max(f, g)/∂x = ½ (1 + sign(f − g)) ∂f/∂x + ½ (1 + sign(g − f)) ∂g/∂x`: at a tie half of each.

    For the minimum the two are exchanged in the signs.
    """
    if not (isinstance(expr, Immediate) and isinstance(expr.of, Extreme)):
        return None
    f, g = expr.of.parts
    terms = []
    for a, b in ((f, g), (g, f)):
        if depends(a, expr.entry.tensor, context):
            ahead, behind = (a, b) if expr.of.kind == "maximum" else (b, a)
            lead = Plus(ahead, Times(sympy.Integer(-1), behind))
            terms.append(Times(HALF, Plus(ONE, Apply("sign", 0, lead)), Immediate(a, expr.entry)))
    return terms[0] if len(terms) == 1 else Plus(*terms) if terms else None


def _head(expr: Any, context: Context, kind: str) -> Definition | None:
    if not (isinstance(expr, Immediate) and isinstance(expr.of, Entry)):
        return None
    definition = context.definitions.get(expr.of.tensor.name)
    return definition if definition is not None and definition.kind == kind else None


@rule("inverse")
def inverse(expr: Any, context: Context) -> sympy.Expr | None:
    """`∂N⁻¹[i,j]/∂x = −Σ_kl N⁻¹[i,k] (∂N[k,l]/∂x) N⁻¹[l,j]`.

    Proof: differentiate `Σ_k N[i,k] N⁻¹[k,j] = δ[i,j]` and multiply by N⁻¹ from the left.
    """
    definition = _head(expr, context, "inv")
    if definition is None:
        return None
    (n,) = definition.arguments
    names, half = fresh(expr, context), len(n.sizes) // 2
    k = [names.fresh(s, Names.BOUND) for s in n.sizes[:half]]
    m = [names.fresh(s, Names.BOUND) for s in n.sizes[half:]]
    i, j = expr.of.indices[:half], expr.of.indices[half:]
    inv = definition.tensor
    body = Times(sympy.Integer(-1), Entry(inv, *i, *k), Immediate(Entry(n, *k, *m), expr.entry), Entry(inv, *m, *j))
    return Sum(body, *k, *m)


def _cofactors(expr: Any, context: Context, definition: Definition) -> tuple[list[Index], sympy.Expr]:
    (n,) = definition.arguments
    names, half = fresh(expr, context), len(n.sizes) // 2
    k = [names.fresh(s, Names.BOUND) for s in n.sizes[:half]]
    m = [names.fresh(s, Names.BOUND) for s in n.sizes[half:]]
    inv = Tensor(f"inv({n.name})", *n.sizes)
    return [*k, *m], Times(Entry(inv, *m, *k), Immediate(Entry(n, *k, *m), expr.entry))


@rule("determinant")
def determinant(expr: Any, context: Context) -> sympy.Expr | None:
    """`∂det(N)/∂x = det(N) Σ_kl N⁻¹[l,k] ∂N[k,l]/∂x` (Jacobi), for N invertible."""
    definition = _head(expr, context, "det")
    if definition is None:
        return None
    bound, body = _cofactors(expr, context, definition)
    return Sum(Times(expr.of, *body.args), *bound)


@rule("log determinant")
def log_determinant(expr: Any, context: Context) -> sympy.Expr | None:
    """`∂log|det(N)|/∂x = Σ_kl N⁻¹[l,k] ∂N[k,l]/∂x`, for N invertible."""
    definition = _head(expr, context, "logdet")
    if definition is None:
        return None
    bound, body = _cofactors(expr, context, definition)
    return Sum(body, *bound)


@rule("matrix power")
def matrix_power(expr: Any, context: Context) -> sympy.Expr | None:
    """`Σ_ij C[j,i] ∂(N^p)[i,j]/∂x = p Σ_ijq C[j,i] ∂N[i,q]/∂x (N^(p−1))[q,j]` where `C N = N C`; C is 1 where i is j.

    Proof: `∂(N^p) = Σ_{s=0}^{p−1} N^s (∂N) N^(p−1−s)`; under the sum each term is `tr(N^(p−1−s) C N^s ∂N)`, and the
    powers meet as C commutes with N.  For p < 0 it is that rule for −p, and `∂N⁻¹ = −N⁻¹ (∂N) N⁻¹`.
    """
    found = _power_under_sum(expr, context)
    if found is None:
        return None
    place, part, definition = found
    (n,), p = definition.arguments, definition.exponent
    assert p is not None
    factors, bound = list(_factors(expr.body)), list(expr.bound)
    half = len(n.sizes) // 2
    rows, columns = part.of.indices[:half], part.of.indices[half:]
    if not _commutes([f for k, f in enumerate(factors) if k != place], n, (rows, columns), bound, context):
        return None
    names = fresh(expr, context)
    q = [names.fresh(s, Names.BOUND) for s in n.sizes[:half]]
    slope, less = Immediate(Entry(n, *rows, *q), part.entry), Entry(raised_head(n, p - 1), *q, *columns)
    factors[place : place + 1] = [slope, less]
    return Sum(times(plus(*p.as_ordered_terms()), *factors), *bound, *q)


def _power_under_sum(expr: Any, context: Context) -> tuple[int, Immediate, Definition] | None:
    """Return place, derivative and definition of a power of a matrix that stands, both ends summed over, in a sum."""
    if not isinstance(expr, Sum):
        return None
    for place, f in enumerate(_factors(expr.body)):
        definition = _head(f, context, "matrix_power")
        if definition is not None and set(f.of.indices) <= set(expr.bound):
            return place, f, definition
    return None


def _commutes(
    rest: list[Any], n: Tensor, ends: tuple[tuple[Index, ...], tuple[Index, ...]], bound: list[Index], context: Context
) -> bool:
    """Tell whether `C N = N C`, C the sum of the other factors over all bound indices but its ends."""
    rows, columns = ends
    if rows == columns:
        return not any(set(rows) & free_indices(f) for f in rest)
    if len({*rows, *columns}) < 2 * len(rows):
        return False
    names = Names({i.name for f in rest for i in all_indices(f)} | {i.name for i in bound})
    a = [names.fresh(i.size) for i in rows]
    c = total(times(*rest), [b for b in bound if b not in {*rows, *columns}])
    moved = replace_indices(c, {**dict(zip(columns, a, strict=True)), **dict(zip(rows, columns, strict=True))})
    known = {**context.chain, **context.definitions}
    reader = Reader(lambda t: None if t.name in known else leaf(t.name, t.sizes, context.traits.get(t.name, ())), known)
    try:
        left = reader.node(Sum(Times(Entry(n, *a, *columns), c), *columns), (*a, *rows))
        right = reader.node(Sum(Times(moved, Entry(n, *columns, *rows)), *columns), (*a, *rows))
    except SymderivError:
        return False
    return same(left, right)


@rule("softmax")
def softmax(expr: Any, context: Context) -> sympy.Expr | None:
    """`∂s[i]/∂x = Σ_j s[i] (δ[i,j] − s[j]) ∂u[j]/∂x` for `s[i] = exp(u[i]) / Σ_j exp(u[j])`.

    Proof: the quotient rule, and `exp(u[j]) / Σ exp = s[j]` put back.
    """
    definition = _head(expr, context, "softmax")
    if definition is None:
        return None
    (u,) = definition.arguments
    names = fresh(expr, context)
    new = {a: names.fresh(u.sizes[a], Names.BOUND) for a in definition.axes}
    moved = [new.get(a, i) for a, i in enumerate(expr.of.indices)]
    deltas = [Delta(expr.of.indices[a], b) for a, b in new.items()]
    s = definition.tensor
    difference = Plus(times(*deltas), Times(sympy.Integer(-1), Entry(s, *moved)))
    return Sum(Times(expr.of, difference, Immediate(Entry(u, *moved), expr.entry)), *new.values())


@rule("log sum exp")
def log_sum_exp(expr: Any, context: Context) -> sympy.Expr | None:
    """`∂log Σ_j exp(u[j])/∂x = Σ_j s[j] ∂u[j]/∂x` with s the softmax of u."""
    definition = _head(expr, context, "logsumexp")
    if definition is None:
        return None
    (u,), axes = definition.arguments, ", ".join(map(str, definition.axes))
    return _along(expr, context, definition, Tensor(f"softmax({u.name}, {axes})", *u.sizes))


@rule("product of entries")
def product_of_entries(expr: Any, context: Context) -> sympy.Expr | None:
    """`∂Π_j u[j]/∂x = Σ_j (Π_{k≠j} u[k]) ∂u[j]/∂x`."""
    definition = _head(expr, context, "prod")
    if definition is None:
        return None
    return _along(expr, context, definition, product_except(definition.arguments[0], definition.axes, 1))


def _along(expr: Any, context: Context, definition: Definition, head: Tensor) -> sympy.Expr:
    (u,) = definition.arguments
    names = fresh(expr, context)
    rest = iter(expr.of.indices)
    bound = {a: names.fresh(u.sizes[a], Names.BOUND) for a in definition.axes}
    at = [bound[a] if a in bound else next(rest) for a in range(len(u.sizes))]
    return Sum(Times(Entry(head, *at), Immediate(Entry(u, *at), expr.entry)), *bound.values())


@rule("product of other entries")
def product_of_other_entries(expr: Any, context: Context) -> sympy.Expr | None:
    """`∂(Π_{k∉J} u[k])/∂x = Σ_j (Π_{k∉J∪{j}} u[k]) ∂u[j]/∂x` for J = {j₁ … jₘ}, all different, the sum over j ∉ J.

    Proof: the product of the entries outside of J is linear in each of them.  Where two of j₁ … jₘ, j are equal,
    the head on the right is 0; where two of j₁ … jₘ are, so is that on the left.
    """
    definition = _head(expr, context, "prodexcept")
    if definition is None:
        return None
    (u,), over = definition.arguments, definition.axes
    names, indices, rank = fresh(expr, context), expr.of.indices, len(u.sizes)
    bound = {a: names.fresh(u.sizes[a], Names.BOUND) for a in over}
    moved = [bound.get(a, i) for a, i in enumerate(indices[:rank])]
    more = product_except(u, over, 2 + (len(indices) - rank) // len(over))
    body = Times(Entry(more, *indices, *bound.values()), Immediate(Entry(u, *moved), expr.entry))
    return Sum(body, *bound.values())


@rule("unknown function")
def unknown_function(expr: Any, context: Context) -> sympy.Expr | None:
    """`∂E(A)/∂x = Σ_a ∂E/∂A[a] ∂A[a]/∂x` for an unknown smooth E, a sum over its arguments."""
    definition = _head(expr, context, "unknown")
    if definition is None:
        return None
    names = fresh(expr, context)
    terms = []
    for slot, a in enumerate(definition.arguments):
        if not depends(Entry(a), expr.entry.tensor, context):
            continue
        order = tuple(sorted((*definition.axes, slot)))
        before = sum(len(definition.arguments[s].sizes) for s in definition.axes if s > slot)
        wanted = ("unknown", definition.function, definition.arguments, order)
        slope = next(
            (d for d in context.definitions.values() if (d.kind, d.function, d.arguments, d.axes) == wanted), None
        )
        if slope is None:  # of a slot that no derivative has a name for, as in f(x, x)
            return None
        bound = [names.fresh(size, Names.BOUND) for size in a.sizes]
        at = len(expr.of.indices) - before  # the axes of the arguments stand in their order
        entry = Entry(slope.tensor, *expr.of.indices[:at], *bound, *expr.of.indices[at:])
        terms.append(total(Times(entry, Immediate(Entry(a, *bound), expr.entry)), bound))
    return terms[0] if len(terms) == 1 else Plus(*terms) if terms else None


@rule("definition")
def unfold_inside(expr: Any, context: Context) -> sympy.Expr | None:
    """Put in what a named argument stands for: `∂N[k,l]/∂x` with the text of N."""
    if not (isinstance(expr, Immediate) and isinstance(expr.of, Entry)) or expr.of.tensor is expr.entry.tensor:
        return None
    definition = context.definitions.get(expr.of.tensor.name)
    if definition is None or definition.body is None:
        return None
    return Immediate(unfolded(expr.of, definition, fresh(expr, context)), expr.entry)


def unfolded(entry: Entry, definition: Definition, names: Names) -> sympy.Expr:
    """Return the body of a definition at the indices of an entry, bound indices renamed."""
    assert definition.body is not None
    body = rename_bound(definition.body, names)
    return replace_indices(body, dict(zip(definition.indices, entry.indices, strict=True)))


def rename_bound(expr: Any, names: Names) -> Any:
    """Return the expression with every bound index fresh."""
    if not isinstance(expr, IndexExpr) or isinstance(expr, (Index, Tensor, Entry)):
        return expr
    args = [rename_bound(a, names) for a in expr.args]
    if isinstance(expr, Sum):
        standing = {i.name for i in free_indices(args[0])}
        new = {b: names.fresh(b.size, Names.BOUND, standing) for b in expr.bound}
        return Sum(replace_indices(args[0], new), *new.values())
    return type(expr)(*args)


# ---------------------------------------------------------------- algebra


@rule("zero")
def zero(expr: Any, context: Context) -> sympy.Expr | None:
    """`f · 0 = 0`, `f + 0 = f`, `Σ 0 = 0`, a choice between 0 and 0 is 0."""
    if isinstance(expr, Times) and ZERO in expr.args:
        return ZERO
    if isinstance(expr, Plus) and ZERO in expr.args:
        kept = [t for t in expr.args if t != 0]
        return ZERO if not kept else kept[0] if len(kept) == 1 else Plus(*kept)
    if isinstance(expr, Sum) and expr.body == 0:
        return ZERO
    if isinstance(expr, Choice) and expr.parts[2] == 0 and expr.parts[3] == 0:
        return ZERO
    return None


@rule("associate")
def associate(expr: Any, context: Context) -> sympy.Expr | None:
    """`f (g h) = f g h`, `f + (g + h) = f + g + h`, `Σ_i Σ_j = Σ_ij`, `1 · f = f`; numbers are multiplied out."""
    if isinstance(expr, Times):
        flat = times(*expr.args)
        if isinstance(flat, Times):
            numbers = [f for f in flat.args if isinstance(f, sympy.Rational)]
            flat = times(sympy.Mul(*numbers), *(f for f in flat.args if not isinstance(f, sympy.Rational)))
        return flat if flat is not expr else None
    if isinstance(expr, Plus):
        flat = plus(*expr.args)
        return flat if flat is not expr else None
    if isinstance(expr, Sum) and isinstance(expr.body, Sum):
        return total(expr.body, expr.bound)
    return None


@rule("exchange")
def exchange(expr: Any, context: Context) -> sympy.Expr | None:
    """`f Σ_q g = Σ_q f g` where q does not stand in f (it is renamed where it does)."""
    if not isinstance(expr, Times):
        return None
    for k, f in enumerate(expr.args):
        if not isinstance(f, Sum):
            continue
        others = [a for n, a in enumerate(expr.args) if n != k]
        taken = {i.name for a in others for i in all_indices(a)}
        names = fresh(expr, context)
        new = {b: names.fresh(b.size, Names.BOUND) for b in f.bound if b.name in taken}
        body = replace_indices(f.body, new)
        bound = [new.get(b, b) for b in f.bound]
        return Sum(times(*expr.args[:k], body, *expr.args[k + 1 :]), *bound)
    return None


@rule("distribute")
def distribute(expr: Any, context: Context) -> sympy.Expr | None:
    """`f (g + h) = f g + f h` and `Σ (g + h) = Σ g + Σ h`, where a δ or several chain-rule paths stand in the sum."""
    if isinstance(expr, Sum) and isinstance(expr.body, Plus):
        terms = []
        for t in expr.body.args:
            terms.append(Sum(t, *expr.bound))
        return Plus(*terms)
    if isinstance(expr, Times):
        for k, f in enumerate(expr.args):
            if isinstance(f, Plus) and any(_has_delta(t) for t in f.args):
                return plus(*(times(*expr.args[:k], t, *expr.args[k + 1 :]) for t in f.args))
    return None


def _has_delta(expr: Any) -> bool:
    if isinstance(expr, (Delta, Immediate)):
        return True
    if isinstance(expr, (Times, Plus)):
        return any(_has_delta(a) for a in expr.args)
    return isinstance(expr, Sum) and _has_delta(expr.body)


@rule("common delta")
def common_delta(expr: Any, context: Context) -> sympy.Expr | None:
    """A choice between `δ f` and `δ g` is δ times the choice between f and g (0 counts as `δ · 0`)."""
    if not isinstance(expr, Choice):
        return None
    left, right, yes, no = expr.parts
    branches = [b for b in (yes, no) if b != 0]
    deltas = [[f for f in _factors(b) if isinstance(f, Delta)] for b in branches]
    if not branches or not deltas[0] or any(set(d) != set(deltas[0]) for d in deltas):
        return None
    bare = [times(*(f for f in _factors(b) if not isinstance(f, Delta))) if b != 0 else ZERO for b in (yes, no)]
    return times(*deltas[0], Choice(expr.relation, left, right, *bare))


def _factors(expr: Any) -> tuple[Any, ...]:
    return expr.args if isinstance(expr, Times) else (expr,)


@rule("contract")
def contract(expr: Any, context: Context) -> sympy.Expr | None:
    """`Σ_j f[j] δ[j, l] = f[l]`; an index that goes with its δ goes with its sum."""
    found = contraction(expr)
    if found is None:
        return None
    gone, kept, k = found
    rest = [f for n, f in enumerate(expr.body.args) if n != k] if isinstance(expr.body, Times) else []
    body = replace_indices(times(*rest), {gone: kept})
    bound = [b for b in expr.bound if b is not gone]
    return total(body, bound)


def contraction(expr: Any) -> tuple[Index, Index, int] | None:
    """Return the index that goes, the one it becomes, and the place of the δ among the factors."""
    if not isinstance(expr, Sum):
        return None
    factors = expr.body.args if isinstance(expr.body, Times) else (expr.body,)
    for k, f in enumerate(factors):
        if isinstance(f, Delta):
            i, j = f.args
            if i is j:
                continue
            if j in expr.bound:
                return (j, i, k)
            if i in expr.bound:
                return (i, j, k)
    return None


@rule("delta")
def delta(expr: Any, context: Context) -> sympy.Expr | None:
    """`δ[i, i] = 1`."""
    return ONE if isinstance(expr, Delta) and expr.args[0] is expr.args[1] else None


@rule("idle sum")
def idle_sum(expr: Any, context: Context) -> sympy.Expr | None:
    """`Σ_{q=1}^{n} f = n f` where q does not stand in f."""
    if not isinstance(expr, Sum):
        return None
    standing = free_indices(expr.body)
    idle = [b for b in expr.bound if b not in standing]
    if not idle:
        return None
    return total(times(*(b.size for b in idle), expr.body), [b for b in expr.bound if b in standing])


@rule("merge")
def merge(expr: Any, context: Context) -> sympy.Expr | None:
    """`f + f = 2 f`: equal terms are collected."""
    if not isinstance(expr, Plus):
        return None
    terms: list[tuple[sympy.Rational, sympy.Expr]] = []
    for t in expr.args:
        parts = t.args if isinstance(t, Times) else (t,)
        coef, rest = (parts[0], times(*parts[1:])) if isinstance(parts[0], sympy.Rational) else (ONE, t)
        for n, (c, known) in enumerate(terms):
            if known is rest:
                terms[n] = (c + coef, known)
                break
        else:
            terms.append((coef, rest))
    if len(terms) == len(expr.args):
        return None
    return plus(*(times(c, t) for c, t in terms if c != 0))


@rule("cancel")
def cancel(expr: Any, context: Context) -> sympy.Expr | None:
    """`f⁻¹ f = 1`, where f is not 0."""
    if not isinstance(expr, Times):
        return None
    args = list(expr.args)
    for k, one in enumerate(args):
        if isinstance(one, Power) and one.exponent == -1 and one.base in args:
            left = [f for n, f in enumerate(args) if n not in (k, args.index(one.base))]
            return times(*left)
    return None


DERIVATIVE_RULES = (
    "constant", "entry", "sum", "linearity", "product", "power", "general power", "chain", "choice", "extreme",
    "inverse", "determinant", "log determinant", "matrix power", "softmax", "log sum exp", "product of entries",
    "product of other entries", "unknown function", "definition",
)  # fmt: skip
ADDED: list[str] = []  # rules that others have added, tried after those of the house
TIDYING_RULES = ("zero", "associate", "cancel", "delta", "common delta", "exchange", "distribute")
