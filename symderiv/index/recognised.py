"""Functions of the table where a formula stands for them: SymPy has no softmax, and a derivative writes it out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction

from symderiv.dims import Size
from symderiv.index import normal
from symderiv.index.graph import Add, Contraction, Defined, Factor, Independent, Map, Node, Pow, Where

Key = tuple[Node, tuple[int, ...]]


def recognised(node: Node) -> Node:
    """Return a node with functions of the table put in for their formulas: softmax, sigmoid, and their like.

    `exp(u)/Σ exp(u)` is softmax(u), `log Σ exp(u)` logsumexp(u), `1/(1 + exp(-u))` sigmoid(u),
    `log(1 + exp(u))` softplus(u), `sinh(u)/cosh(u)` tanh(u), and `u` where u > 0, else 0, relu(u), with its slope
    at 0.
    """
    return normal.from_below(node, after=lambda _, new: _with_relu(new))


def _with_relu(node: Node) -> Node:
    match node:
        case Where(relation=">") if normal.is_zero(node.right) and normal.is_zero(node.no) and node.left is node.yes:
            return normal.entrywise("relu", node.yes)
    return smooth(node)


def smooth(node: Node) -> Node:
    """Return a node with a function in the place of its formula, where the whole node is one; its parts stay.

    Definitions are looked through: `e/(1 + e)` is sigmoid(u) where e = exp(u).
    """
    match node:
        case Map(function="log"):
            return _logarithm(node)
        case Pow() if node.exponent.denominator == 1 and node.exponent < 0:
            exponent = _one_plus_exponential(node.base)
            if exponent is not None:
                return normal.power(_sigmoid(normal.scaled(Fraction(-1), exponent)), -node.exponent)
        case Contraction():
            return _quotients(node)
    return node


def seen(node: Node) -> Node:
    """Return what a name stands for; anything else as it is."""
    while isinstance(node, Defined) and not isinstance(node, Independent):
        node = node.body
    return node


def exponent_of(node: Node) -> Node | None:
    """Return u where a node is `exp(u)`."""
    inner = seen(node)
    return inner.arg if isinstance(inner, Map) and inner.function == "exp" else None


def _sigmoid(arg: Node) -> Node:
    return normal.entrywise("sigmoid", arg)


def _one_plus_exponential(node: Node) -> Node | None:
    """Return u where a node is `1 + exp(u)`."""
    inner = seen(node)
    if not (isinstance(inner, Add) and len(inner.terms) == 2):
        return None
    numbers = [c * v for c, term in inner.terms if (v := normal.constant(term)) is not None]
    others = [(c, *normal.core(term)) for c, term in inner.terms if normal.constant(term) is None]
    if numbers != [1] or len(others) != 1:
        return None
    coef, other, axes = others[0]
    arg = exponent_of(other)
    return normal.rewrapped(arg, axes, inner.dims) if coef == 1 and arg is not None else None


def _logarithm(node: Map) -> Node:
    exponent = _one_plus_exponential(node.arg)
    if exponent is not None:
        return normal.entrywise("softplus", exponent)
    found = _sum_of_exponentials(node.arg)
    return normal.log_sum_exp(*found) if found is not None else node


def _sum_of_exponentials(node: Node) -> tuple[Node, tuple[int, ...]] | None:
    """Return (u, axes) where a node is `Σ exp(u)` over some axes of u, the others in order."""
    total = seen(node)
    if not (isinstance(total, Contraction) and total.coef == 1 and len(total.factors) == 1 and total.bound):
        return None
    (inner, labels), *_ = total.factors
    kept = [label for label in labels if label < total.rank]
    if len(set(labels)) < len(labels) or kept != list(range(total.rank)):
        return None
    arg = exponent_of(inner)
    return None if arg is None else (arg, tuple(k for k, label in enumerate(labels) if label >= total.rank))


# ---------------------------------------------------------------- quotients in a product

Found = tuple[Key, Key, Fraction, Key]  # two factors, how many of each become one new one, the new one
Law = Callable[[Sequence[tuple[Key, Fraction]]], "Found | None"]


def _quotients(node: Contraction) -> Node:
    """Put in functions for quotients of two factors, also of factors that stand in sums of their own."""
    found = _joined(node, list(node.factors), dict(enumerate(node.sizes)))
    if found is not None:
        return found
    if any(isinstance(f, Pow) and _sum_of_exponentials(f.base) for f in node.children()):
        found = _joined(node, *opened(node))
    return node if found is None else found


def opened(node: Contraction) -> tuple[list[Factor], dict[int, Size]]:
    """Return the factors of a product under one sum, sums among its factors opened."""
    sizes: dict[int, Size] = dict(enumerate(node.sizes))
    factors: list[Factor] = []
    todo = list(node.factors)
    while todo:
        inner, labels = todo.pop()
        if not (isinstance(inner, Contraction) and inner.coef == 1 and inner.factors):
            factors.append((inner, labels))
            continue
        names = dict(enumerate(labels))
        for b in inner.bound:
            names[b] = len(sizes)
            sizes[names[b]] = inner.sizes[b]
        todo += [(f, tuple(names[s] for s in at)) for f, at in inner.factors]
    return factors, sizes


def _joined(node: Contraction, factors: Sequence[Factor], sizes: dict[int, Size]) -> Node | None:
    """Apply the laws of quotients to the factors of a product until none applies; None where none does."""
    powers: dict[Key, Fraction] = {}
    for f, at in factors:
        base, exponent = (f.base, f.exponent) if isinstance(f, Pow) else (f, Fraction(1))
        if exponent.denominator == 1:
            powers[base, at] = powers.get((base, at), Fraction(0)) + exponent
        else:
            powers[f, at] = powers.get((f, at), Fraction(0)) + 1
    changed = False
    while (
        found := next((new_one for law in LAWS if (new_one := law(list(powers.items()))) is not None), None)
    ) is not None:
        one, other, times, new = found
        for key in (one, other):
            powers[key] -= times if powers[key] > 0 else -times
            if powers[key] == 0:
                del powers[key]
        powers[new] = powers.get(new, Fraction(0)) + times
        changed = True
    if not changed:
        return None
    parts = [(normal.power(base, e), at) for (base, at), e in powers.items() if e]
    return normal.contract(node.coef, parts, range(node.rank), sizes)


def _softmax_law(powers: Sequence[tuple[Key, Fraction]]) -> Found | None:
    """`exp(u[i]) / Σ_j exp(u[j]) = softmax(u)[i]`."""
    for below, low in powers:
        found = _sum_of_exponentials(below[0]) if low < 0 else None
        if found is None:
            continue
        arg, axes = found
        for above, high in powers:
            rest = tuple(label for k, label in enumerate(above[1]) if k not in axes)
            if high > 0 and rest == below[1] and exponent_of(above[0]) is arg:
                return above, below, min(high, -low), (normal.softmax(arg, axes), above[1])
    return None


def _sigmoid_law(powers: Sequence[tuple[Key, Fraction]]) -> Found | None:
    """`exp(u) σ(−u) = σ(u)` and `σ(u) / exp(u) = σ(−u)`."""
    for key, times in powers:
        arg = seen(key[0])
        if not (isinstance(arg, Map) and arg.function == "sigmoid") or times < 0:
            continue
        minus = normal.scaled(Fraction(-1), arg.arg)
        for other, exponent in powers:
            if other[1] == key[1] and exponent_of(other[0]) is (minus if exponent > 0 else arg.arg):
                return other, key, min(times, abs(exponent)), (_sigmoid(minus), key[1])
    return None


def _tanh_law(powers: Sequence[tuple[Key, Fraction]]) -> Found | None:
    """`sinh(u) / cosh(u) = tanh(u)`."""
    for above, high in powers:
        top = seen(above[0])
        if not (isinstance(top, Map) and top.function == "sinh" and high > 0):
            continue
        for below, low in powers:
            other = seen(below[0])
            same = isinstance(other, Map) and other.function == "cosh" and other.arg is top.arg
            if same and low < 0 and above[1] == below[1]:
                return above, below, min(high, -low), (normal.entrywise("tanh", top.arg), above[1])
    return None


LAWS: tuple[Law, ...] = (_softmax_law, _sigmoid_law, _tanh_law)
