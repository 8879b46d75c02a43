"""Functions of a whole array in the normal form: inverse, determinant, softmax, products, unknown functions.

Scalars, products of square matrices, Kronecker products and diagonal matrices are split off, so that
equal arguments meet.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import sympy

from symderiv.dims import Shape, Size
from symderiv.errors import ShapeError
from symderiv.index.contraction import (
    add,
    constant,
    contract,
    core,
    delta,
    entrywise,
    general_power,
    number,
    power,
    repeated,
    rewrapped,
    scaled,
    size_of,
    transposed,
    used_axes,
    without_axes,
)
from symderiv.index.graph import (
    Contraction,
    Delta,
    Det,
    Factor,
    Inverse,
    Leaf,
    LogDet,
    LogSumExp,
    MatrixPower,
    Node,
    Prod,
    ProdExcept,
    Softmax,
    Unknown,
)
from symderiv.index.signs import positive

# ---------------------------------------------------------------- functions of a matrix


def _half(node: Node) -> int:
    half = node.rank // 2
    if node.rank % 2 or node.dims[:half] != node.dims[half:]:
        raise ShapeError("a square matrix is needed")
    return half


def _turned(matrix: Contraction) -> tuple[Node, tuple[int, ...]] | None:
    """Return (m, axes) with `matrix[i…] = m[i[axes]…]` where rows stay together, None where there is no such m.

    It is another way round, as a transpose is: `m` is the same for all of them.
    """
    half = matrix.rank // 2
    inner, axes = core(matrix)
    halves = [list(range(half)), list(range(half, 2 * half))]
    if inner is matrix or sorted([sorted(axes[:half]), sorted(axes[half:])]) != halves:
        return None
    first, second = ([k % half for k in part] for part in (axes[:half], axes[half:]))
    return (inner, axes) if first == second else None


def inverse(matrix: Node) -> Node:
    """Return `matrix⁻¹`; scalars come out, products of square matrices and Kronecker products split."""
    half = _half(matrix)
    if isinstance(matrix, (Delta,)):
        return matrix
    if isinstance(matrix, Inverse):
        return matrix.arg
    if isinstance(matrix, MatrixPower):
        return matrix_power(matrix.arg, -matrix.exponent)
    if isinstance(matrix, Leaf) and "orthogonal" in matrix.traits:
        return transposed(matrix, (1, 0))
    swap = (*range(half, 2 * half), *range(half))
    if isinstance(matrix, Contraction):
        chain = square_chain(matrix)
        if chain is not None:
            return contract(1, [(inverse(m), tuple(reversed(ends))) for m, ends in chain], (1, 0))
        parts = _blocks(matrix)
        if parts is not None:
            scalars, blocks = parts
            flipped = [(inverse(b), (*labels[len(labels) // 2 :], *labels[: len(labels) // 2])) for b, labels in blocks]
            factors = [(power(s, -1), ()) for s in scalars] + flipped
            return contract(1 / matrix.coef, factors, swap)
        diagonal = _diagonal_of(matrix)
        if diagonal is not None:
            return contract(1, [(power(diagonal, -1), "i"), (delta(matrix.dims[0]), "ij")], "ij")
        turned = _turned(matrix)
        if turned is not None:
            inner, axes = turned
            return contract(1, [(Inverse(inner.dims, inner), axes)], range(matrix.rank))
    return Inverse(matrix.dims, matrix)


def matrix_power(matrix: Node, exponent: Size) -> Node:
    """Return `matrix^exponent`, the exponent an integer made of sizes.

    `(N⁻¹)^p = N^(−p)`, `(N^p)^q = N^(pq)`, `(Nᵀ)^p = (N^p)ᵀ`, `(A ⊗ B)^p = A^p ⊗ B^p`.
    """
    _half(matrix)
    exponent = sympy.expand(exponent)
    if isinstance(matrix, Delta):
        return matrix
    if isinstance(matrix, Inverse):
        return matrix_power(matrix.arg, -exponent)
    if isinstance(matrix, MatrixPower):
        return matrix_power(matrix.arg, matrix.exponent * exponent)
    if isinstance(matrix, Contraction):
        scalars, blocks = _blocks(matrix) or ([], [])
        if len(blocks) > 1 and not scalars and matrix.coef == 1:
            parts = [(matrix_power(block, exponent), labels) for block, labels in blocks]
            return contract(1, parts, range(matrix.rank))
        turned = _turned(matrix)
        if turned is not None:
            inner, axes = turned
            return contract(1, [(matrix_power(inner, exponent), axes)], range(matrix.rank))
    if exponent.is_Integer and exponent < 0:
        return repeated(inverse(matrix), -exponent)
    return repeated(matrix, exponent)


def determinant(matrix: Node) -> Node:
    """Return `det(matrix)`."""
    _half(matrix)
    if isinstance(matrix, Delta):
        return number(1)
    if isinstance(matrix, Leaf) and "orthogonal" in matrix.traits:
        return Det((), matrix)
    if isinstance(matrix, Inverse):
        return power(determinant(matrix.arg), -1)
    if isinstance(matrix, MatrixPower):
        return general_power(determinant(matrix.arg), size_of(matrix.exponent))
    if isinstance(matrix, Contraction):
        chain = square_chain(matrix)
        if chain is not None:
            return contract(1, [(determinant(m), ()) for m, _ in chain], ())
        parts = _blocks(matrix)
        if parts is not None:
            return _det_of_blocks(matrix, *parts)
        if _diagonal_of(matrix) is None:
            turned = _turned(matrix)
            if turned is not None:
                return determinant(turned[0])
    return Det((), matrix)


def _det_of_blocks(matrix: Contraction, scalars: list[Node], blocks: list[Factor]) -> Node:
    whole = sympy.Mul(*matrix.dims[: matrix.rank // 2])
    scalar = contract(matrix.coef, [(s, ()) for s in scalars], ())
    factors = [general_power(scalar, size_of(whole))]
    for block, labels in blocks:
        own = sympy.Mul(*(matrix.sizes[k] for k in labels[: len(labels) // 2]))
        factors.append(general_power(determinant(block), size_of(whole / own)))
    return contract(1, [(f, ()) for f in factors], ())


def log_determinant(matrix: Node) -> Node:
    """Return `log |det(matrix)|`."""
    _half(matrix)
    if isinstance(matrix, Delta):
        return number(0)
    if isinstance(matrix, Inverse):
        return scaled(Fraction(-1), log_determinant(matrix.arg))
    if isinstance(matrix, MatrixPower):
        return contract(1, [(size_of(matrix.exponent), ()), (log_determinant(matrix.arg), ())], ())
    if isinstance(matrix, Contraction):
        chain = square_chain(matrix)
        if chain is not None:
            return add([(1, log_determinant(m)) for m, _ in chain], ())
        parts = _blocks(matrix)
        if parts is not None:
            return _logdet_of_blocks(matrix, *parts)
        if _diagonal_of(matrix) is None:
            turned = _turned(matrix)
            if turned is not None:
                return log_determinant(turned[0])
    return LogDet((), matrix)


def _logdet_of_blocks(matrix: Contraction, scalars: list[Node], blocks: list[Factor]) -> Node:
    whole = sympy.Mul(*matrix.dims[: matrix.rank // 2])
    scalar = entrywise("abs", contract(matrix.coef, [(s, ()) for s in scalars], ()))
    terms: list[tuple[Fraction | int, Node]] = []
    if constant(scalar) != 1:
        terms.append((1, contract(1, [(size_of(whole), ()), (entrywise("log", scalar), ())], ())))
    for block, labels in blocks:
        own = sympy.Mul(*(matrix.sizes[k] for k in labels[: len(labels) // 2]))
        terms.append((1, contract(1, [(size_of(whole / own), ()), (log_determinant(block), ())], ())))
    return add(terms, ())


def square_chain(matrix: Contraction) -> list[tuple[Node, tuple[int, int]]] | None:
    """Return the factors of a product of square matrices of one size, in order, each with its ends.

    Such a product is invertible only where every factor is.
    """
    if not matrix.bound or matrix.rank != 2 or len(matrix.factors) != len(matrix.bound) + 1:
        return None
    size = matrix.dims[0]
    if any(f.dims != (size, size) for f in matrix.children()):
        return None
    left = list(matrix.factors)
    at, chain = 0, []
    while left:
        step = next((f for f in left if at in f[1]), None)
        if step is None or step[1][0] == step[1][1]:
            return None
        left.remove(step)
        node, labels = step
        if labels[0] == at:
            chain.append((node, (labels[0], labels[1])))
        else:
            chain.append((transposed(node, (1, 0)), (labels[1], labels[0])))
        at = chain[-1][1][1]
    return chain if at == 1 else None


def _blocks(matrix: Contraction) -> tuple[list[Node], list[Factor]] | None:
    """Split scalars and Kronecker factors off a pure product; None where it is neither."""
    if matrix.bound or not matrix.factors:
        return None
    half = matrix.rank // 2
    scalars = [f for f, labels in matrix.factors if not labels]
    others = [(f, labels) for f, labels in matrix.factors if labels]
    blocks: list[Factor] = []
    seen: set[int] = set()
    for f, labels in others:
        rows = sorted(k for k in labels if k < half)
        wanted = {*rows, *(k + half for k in rows)}
        if set(labels) != wanted or len(labels) != len(wanted) or seen & wanted:
            return None
        seen |= wanted
        ordered = (*rows, *(k + half for k in rows))
        blocks.append((contract(1, [(f, labels)], ordered), ordered))
    if len(seen) != matrix.rank:
        return None
    if len(blocks) == 1 and not scalars and matrix.coef == 1:
        return None
    return scalars, blocks


def _diagonal_of(matrix: Contraction) -> Node | None:
    """Return d where the matrix is `d[i] δ[i, j]`."""
    if matrix.bound or matrix.rank != 2:
        return None
    deltas = [f for f in matrix.factors if isinstance(f[0], Delta)]
    if len(deltas) != 1:
        return None
    rest = [f for f in matrix.factors if f is not deltas[0]]
    if any(1 in labels for _, labels in rest):
        return None
    return contract(matrix.coef, rest, (0,), {0: matrix.dims[0]})


# ---------------------------------------------------------------- functions along axes, unknown functions


def softmax(arg: Node, axes: Sequence[int]) -> Node:
    """Return the softmax over `axes`; over an axis on which the argument does not depend all entries are equal."""
    if not axes:
        return number(1, arg.dims)
    used, narrow = _narrowed(arg)
    if len(used) == arg.rank:
        return Softmax(arg.dims, arg, tuple(sorted(axes)))
    within = softmax(narrow, [s for s, k in enumerate(used) if k in axes])
    idle = [(power(size_of(arg.dims[k]), -1), ()) for k in axes if k not in used]
    return contract(1, [(within, used), *idle], range(arg.rank), dict(enumerate(arg.dims)))


def log_sum_exp(arg: Node, axes: Sequence[int]) -> Node:
    """Return log Σ exp over `axes`; an axis on which the argument does not depend adds the logarithm of its size."""
    rest = [k for k in range(arg.rank) if k not in axes]
    dims = tuple(arg.dims[k] for k in rest)
    used, narrow = _narrowed(arg)
    if len(used) == arg.rank:
        return LogSumExp(dims, arg, tuple(sorted(axes)))
    over = [s for s, k in enumerate(used) if k in axes]
    within = log_sum_exp(narrow, over) if over else narrow
    kept = [rest.index(k) for k in used if k not in axes]
    terms = [rewrapped(within, tuple(kept), dims)]
    for k in axes:
        if k not in used:
            terms.append(rewrapped(entrywise("log", size_of(arg.dims[k])), (), dims))
    return add([(1, term) for term in terms], dims)


def _narrowed(arg: Node) -> tuple[tuple[int, ...], Node]:
    """Return the axes on which an array depends, in order, and the array of these."""
    used = tuple(sorted(used_axes(arg)))
    return used, arg if len(used) == arg.rank else without_axes(arg, used)


def product(arg: Node, axes: Sequence[int]) -> Node:
    """Return the product over `axes`; the order of the axes of its argument is that of its core."""
    inner, at = _straight(arg)
    over = tuple(s for s, k in enumerate(at) if k in axes)
    kept = [s for s in range(inner.rank) if s not in over]
    node = Prod(tuple(inner.dims[s] for s in kept), inner, over)
    return contract(1, [(node, [at[s] for s in kept])], sorted(at[s] for s in kept))


def product_except(arg: Node, axes: Sequence[int], order: int = 1) -> Node:
    """Return the product over `axes` of all entries but `order` different ones: its derivative of that order.

    Of entries greater than 0, all but one are `Π u / u[j]`.
    """
    if order == 1 and positive(arg):
        every = list(range(arg.rank))
        rest = [k for k in every if k not in axes]
        return contract(1, [(product(arg, axes), rest), (power(arg, -1), every)], every)
    inner, at = _straight(arg)
    over = tuple(s for s, k in enumerate(at) if k in axes)
    node = ProdExcept(inner.dims + tuple(inner.dims[s] for s in over) * (order - 1), inner, over, order)
    labels = [*at, *((n, at[s]) for n in range(1, order) for s in over)]
    return contract(1, [(node, labels)], [*range(arg.rank), *((n, k) for n in range(1, order) for k in sorted(axes))])


def _straight(arg: Node) -> tuple[Node, tuple[int, ...]]:
    """Return (c, at) with axis s of c that of number at[s] of an array: c is the same for its transposes."""
    inner, at = core(arg)
    same = tuple(range(arg.rank))
    return (inner, at) if tuple(sorted(at)) == same else (arg, same)


def unknown(name: str, args: Sequence[Node], dims: Shape, slots: Sequence[int] = ()) -> Node:
    """Return an unknown function of shape `dims`, differentiated in the arguments `slots`.

    Mixed derivatives of a smooth function commute: the slots are sorted and the axes follow.
    """
    order = sorted(range(len(slots)), key=lambda k: slots[k])
    axes = list(range(len(dims)))
    blocks: list[list[int]] = []
    at = len(dims)
    for slot in slots:
        blocks.append(list(range(at, at + args[slot].rank)))
        at += args[slot].rank
    full = (*dims, *(d for k in order for d in args[slots[k]].dims))
    node = Unknown(full, name, tuple(args), tuple(slots[k] for k in order))
    wanted = axes + [a for k in order for a in blocks[k]]
    if wanted == list(range(at)):
        return node
    return contract(1, [(node, wanted)], range(at))
