"""Functions of whole arrays: inverse, determinant, softmax and the like, compared by their arguments.

Two heads `inv(N_1)` and `inv(N_2)` are one atom where the normal forms of N_1 and N_2 are one.  Laws, for
matrices that have an inverse:

* `(Aᵀ)⁻¹ = (A⁻¹)ᵀ`: transpose `A A⁻¹ = 1`.  `det(Aᵀ) = det(A)`.  `(A⁻¹)⁻¹ = A`.  `det(A⁻¹) = det(A)⁻¹`.
* `(c A)⁻¹ = c⁻¹ A⁻¹` and `det(c A) = cⁿ det(A)`: the product is 1; each of n rows gives a c.
* `(A B)⁻¹ = B⁻¹ A⁻¹` and `det(A B) = det(A) det(B)` for square A, B: `A B B⁻¹ A⁻¹ = 1`.
* `(A ⊗ B)⁻¹ = A⁻¹ ⊗ B⁻¹`, `det(A ⊗ B) = det(A)^m det(B)^n` for A of n and B of m rows:
  `(A ⊗ B)(C ⊗ D) = A C ⊗ B D`, and `A ⊗ B = (A ⊗ 1)(1 ⊗ B)`.
* `(d[i] δ[i,j])⁻¹ = δ[i,j] / d[i]`, `det(d[i] δ[i,j]) = Π_i d[i]`; a 1×1 matrix is a number.
* `(r[i] A[i,j] c[j])⁻¹ = A⁻¹[i,j] / (c[i] r[j])` and `det(r[i] A[i,j] c[j]) = det(A) Π r Π c`: it is diag(r) A diag(c).
* `(N⁻¹)^p = (N^p)⁻¹ = N^(−p)`, `(N^p)^q = N^(pq)`, `(Nᵀ)^p = (N^p)ᵀ`, `(A ⊗ B)^p = A^p ⊗ B^p` and `1^p = 1` for
  integers p, q made of sizes; `det(N^p) = det(N)^p`.
* `Q⁻¹ = Qᵀ` and `|det Q| = 1` for an orthogonal Q: `QᵀQ = 1`.
* `log|det|` of each, as the logarithm turns products into sums; `log|det 1| = 0`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sympy

from symderiv.check import axes
from symderiv.check.atoms import apply, magnitude, units
from symderiv.check.axes import ALONG, labels_of
from symderiv.check.canonical import Labels, Monomial
from symderiv.check.powers import general_power, power, primitive
from symderiv.check.products import ONE, Atom, Poly, Products, add, factor, number, slot
from symderiv.check.terms import fresh, is_number, require
from symderiv.index.nodes import Definition, Entry

KINDS = ALONG | {"inv", "det", "logdet", "matrix_power"}
Matrix = tuple[Poly, Labels, Labels]  # a polynomial, the labels of its rows and of its columns


def entry(ring: Products, of: Callable[[Any], Poly], definition: Definition) -> tuple[Poly, Labels]:
    """Return what a head of a kind stands for, and the labels of its axes; `of` reads an expression."""
    (head,) = definition.arguments
    indices = [fresh(size) for size in head.sizes]
    labels = tuple(ring.label(i) for i in indices if i.size != 1)
    poly = of(Entry(head, *indices))
    if definition.kind in ALONG:
        return axes.entry(ring, definition, poly, labels)
    half = len(labels) // 2
    matrix = poly, labels[:half], labels[half:]
    if all(size == 1 for size in head.sizes):
        return of_number(ring, definition.kind, poly), labels if definition.kind == "inv" else ()
    if definition.kind == "inv":
        return inverse(ring, matrix), labels
    if definition.kind == "matrix_power":
        return raised(ring, matrix, definition.exponent), labels
    return (determinant(ring, matrix) if definition.kind == "det" else log_determinant(ring, matrix)), ()


# ---------------------------------------------------------------- matrices


def of_number(ring: Products, kind: str, poly: Poly) -> Poly:
    """Return the function of a 1×1 matrix: its inverse is the reciprocal, its determinant itself."""
    if kind == "inv":
        return power(ring, poly, -1)
    return poly if kind == "det" else apply(ring, "log", 0, magnitude(ring, poly))


def inverse(ring: Products, matrix: Matrix) -> Poly:
    """Return the inverse at the same labels: entry (row, column) of it."""
    require(matrix[0], "the inverse of 0")
    scalar, matrix = without_scalars(ring, matrix)
    _, rows, columns = matrix
    parts = [power(ring, scalar, -1)]
    diagonal = diagonal_of(ring, matrix)
    blocks = blocks_of(ring, matrix)
    links, scales = chain_of(ring, matrix), scales_of(ring, matrix)
    power_of = _raised(ring, matrix)
    if diagonal is not None:
        parts += [factor(ring.delta, (rows[0], columns[0])), power(ring, diagonal, -1)]
    elif blocks is not None:
        parts += [inverse(ring, block) for block in blocks]
    elif scales is not None:
        parts += [power(ring, flipped(ring, scale, matrix), -1) for scale in scales[:2]]
        parts.append(inverse(ring, scales[2]))
    elif links is not None:
        between = [q for _, _, (q,) in links[:-1]]
        crossed = ring.product([flipped(ring, inverse(ring, link), link) for link in links], between)
        parts.append(flipped(ring, crossed, matrix))
    elif power_of is not None:
        parts.append(raised(ring, (power_of[0], rows, columns), -power_of[1]))
    elif is_orthogonal(ring, matrix):
        parts.append(flipped(ring, matrix[0], matrix))
    else:
        parts.append(_undone(ring, matrix) or _opaque(ring, "inv", matrix))
    return ring.product(parts)


def raised(ring: Products, matrix: Matrix, exponent: Any) -> Poly:
    """Return a power of a matrix, the exponent an integer made of sizes, at the same labels."""
    require(matrix[0], "a power of 0")
    _, rows, columns = matrix
    exponent = sympy.expand(exponent)
    require(not is_number(exponent), "a literal power is written out")
    if diagonal_of(ring, matrix) == ONE:
        return matrix[0]
    blocks = blocks_of(ring, matrix)
    if blocks is not None:
        return ring.product([raised(ring, block, exponent) for block in blocks])
    undone, power_of = _undone(ring, matrix), _raised(ring, matrix)
    if undone is not None:
        return raised(ring, (undone, rows, columns), -exponent)
    if power_of is not None:
        return raised(ring, (power_of[0], rows, columns), exponent * power_of[1])
    return _opaque(ring, "matrix_power", matrix, exponent)


def _raised(ring: Products, matrix: Matrix) -> tuple[Poly, Any] | None:
    """Return N (or Nᵀ) at the labels of the matrix, and p, where the matrix is N^p or its transpose."""
    single = _single(ring, matrix)
    if single is None or single[0].kind != "matrix_power":
        return None
    return ring.instance(*single)[0], single[0].data[1]


def determinant(ring: Products, matrix: Matrix) -> Poly:
    """Return the determinant."""
    if not matrix[0]:
        return {}
    scalar, matrix = without_scalars(ring, matrix)
    _, rows, columns = matrix
    whole = number_of_rows(ring, rows)
    parts = [general_power(ring, scalar, whole)]
    blocks, links, scales = blocks_of(ring, matrix), chain_of(ring, matrix), scales_of(ring, matrix)
    undone, power_of = _undone(ring, matrix), _raised(ring, matrix)
    diagonal = _along_rows(ring, matrix)
    if diagonal is not None:
        parts.append(axes.product_of(ring, (0,), diagonal, rows)[0] if diagonal != ONE else ONE)
    elif blocks is not None:
        for block in blocks:
            times = ring.product([whole, power(ring, number_of_rows(ring, block[1]), -1)])
            parts.append(general_power(ring, determinant(ring, block), times))
    elif scales is not None:
        parts += [axes.product_of(ring, (0,), s, at)[0] for s, at in zip(scales[:2], (rows, columns), strict=True)]
        parts.append(determinant(ring, scales[2]))
    elif links is not None:
        parts += [determinant(ring, link) for link in links]
    elif undone is not None:
        parts.append(power(ring, determinant(ring, (undone, rows, columns)), -1))
    elif power_of is not None:
        parts.append(general_power(ring, determinant(ring, (power_of[0], rows, columns)), ring.size(power_of[1])))
    else:
        parts.append(_opaque(ring, "det", matrix))
    return ring.product(parts)


def log_determinant(ring: Products, matrix: Matrix) -> Poly:
    """Return the logarithm of the size of the determinant."""
    require(matrix[0], "the logarithm of 0")
    scalar, matrix = without_scalars(ring, matrix)
    _, rows, columns = matrix
    whole = number_of_rows(ring, rows)
    terms: list[Poly] = [ring.product([whole, apply(ring, "log", 0, magnitude(ring, scalar))])]
    blocks, links, scales = blocks_of(ring, matrix), chain_of(ring, matrix), scales_of(ring, matrix)
    undone, power_of = _undone(ring, matrix), _raised(ring, matrix)
    diagonal = _along_rows(ring, matrix)
    if diagonal is not None:
        terms.append(ring.product([apply(ring, "log", 0, magnitude(ring, diagonal))], rows))
    elif is_orthogonal(ring, matrix):
        pass
    elif blocks is not None:
        for block in blocks:
            times = ring.product([whole, power(ring, number_of_rows(ring, block[1]), -1)])
            terms.append(ring.product([times, log_determinant(ring, block)]))
    elif scales is not None:
        logs = [apply(ring, "log", 0, magnitude(ring, s)) for s in scales[:2]]
        terms += [ring.product([log], at) for log, at in zip(logs, (rows, columns), strict=True)]
        terms.append(log_determinant(ring, scales[2]))
    elif links is not None:
        terms += [log_determinant(ring, link) for link in links]
    elif undone is not None:
        terms.append(ring.product([number(-1), log_determinant(ring, (undone, rows, columns))]))
    elif power_of is not None:
        terms.append(ring.product([ring.size(power_of[1]), log_determinant(ring, (power_of[0], rows, columns))]))
    else:
        terms.append(_opaque(ring, "logdet", matrix))
    return add((1, t) for t in terms)


def number_of_rows(ring: Products, rows: Labels) -> Poly:
    """Return how many rows there are."""
    return ring.product([ring.size(ring.size_of(r)) for r in rows])


def flipped(ring: Products, poly: Poly, matrix: Matrix) -> Poly:
    """Return a polynomial with rows and columns exchanged."""
    _, rows, columns = matrix
    return ring.relabelled(poly, dict(zip((*rows, *columns), (*columns, *rows), strict=True)))


def _opaque(ring: Products, kind: str, matrix: Matrix, exponent: Any = None) -> Poly:
    """Return the function as an atom, with its exponent if it has one; of A and Aᵀ, the one with the smaller name."""
    poly, rows, columns = matrix
    straight, crossed = (
        ring.relabelled(poly, {x: slot(k) for k, x in enumerate(order)})
        for order in ((*rows, *columns), (*columns, *rows))
    )
    names = [tuple(sorted(p.items())) for p in (straight, crossed)]
    half, rank = len(rows), 2 * len(rows)
    inner, labels, name = straight, (*rows, *columns), names[0]
    if names[1] < names[0]:
        inner, labels, name = crossed, (*columns, *rows), names[1]
    if kind not in ("inv", "matrix_power"):
        ranges = tuple(ring.range_of(r) for r in rows)  # a name of entries does not tell how many there are
        return factor(ring.atom(kind, (name, ranges), (inner,), ((),)), ())
    same = tuple(range(rank))
    symmetries = (same, (*same[half:], *same[:half])) if names[0] == names[1] else (same,)
    data = name if exponent is None else (name, exponent)
    return factor(ring.atom(kind, data, (inner,), symmetries), labels)


def _undone(ring: Products, matrix: Matrix) -> Poly | None:
    """Return A where the matrix is A⁻¹ or its transpose (then Aᵀ), at the labels of the matrix."""
    single = _single(ring, matrix)
    return ring.instance(*single)[0] if single is not None and single[0].kind == "inv" else None


def is_orthogonal(ring: Products, matrix: Matrix) -> bool:
    """Tell whether the matrix is a head declared orthogonal, or its transpose."""
    single = _single(ring, matrix)
    return single is not None and ring.declared(single[0], frozenset({"orthogonal"}))


def _single(ring: Products, matrix: Matrix) -> tuple[Atom, Labels] | None:
    """Return atom and labels where the matrix is one atom at its rows and columns, in either order."""
    poly, rows, columns = matrix
    mono = next(iter(poly))
    if len(poly) > 1 or poly[mono] != 1 or len(mono[0]) != 1 or mono[1]:
        return None
    atom, labels, exponent = mono[0][0]
    if exponent != 1 or labels not in ((*rows, *columns), (*columns, *rows)):
        return None
    return ring.atoms[atom], labels


# ---------------------------------------------------------------- the form of a matrix


def without_scalars(ring: Products, matrix: Matrix) -> tuple[Poly, Matrix]:
    """Return the factors without an index, and the matrix without them."""
    poly, rows, columns = matrix
    scalar: list[Poly]
    if len(poly) == 1:
        ((mono, coef),) = poly.items()
        parts = units(mono)
        scalar = [number(coef), *(u for u, _ in parts if not labels_of(u))]
        rest = ring.product([ONE, *(u for u, _ in parts if labels_of(u))])
        return ring.product(scalar), (rest, rows, columns)
    content, (outside, _), inner = primitive(ring, poly)
    common: Monomial = (tuple(f for f in outside if not f[1]), ())
    kept: Monomial = (tuple(f for f in outside if f[1]), ())
    return ring.product([number(content), {common: 1}]), (ring.product([inner, {kept: 1}]), rows, columns)


def diagonal_of(ring: Products, matrix: Matrix) -> Poly | None:
    """Return d where the matrix is `d[i] δ[i, j]`."""
    poly, rows, columns = matrix
    if len(rows) != 1:
        return None
    delta = next(iter(factor(ring.delta, (rows[0], columns[0]))))[0][0]
    if not all(delta in fixed for fixed, _ in poly):
        return None
    return {(tuple(f for f in fixed if f != delta), components): c for (fixed, components), c in poly.items()}


def _along_rows(ring: Products, matrix: Matrix) -> Poly | None:
    """Return d at the label of the rows where the matrix is `d[i] δ[i, j]`."""
    diagonal, (_, rows, columns) = diagonal_of(ring, matrix), matrix
    return None if diagonal is None else ring.relabelled(diagonal, {columns[0]: rows[0]})


def scales_of(ring: Products, matrix: Matrix) -> tuple[Poly, Poly, Matrix] | None:
    """Return r, c and A where the matrix is `r[i] A[i, j] c[j]`; nothing where both r and c would be 1."""
    poly, rows, columns = matrix
    if len(poly) != 1 or len(rows) != 1:
        return None
    ((mono, coef),) = poly.items()
    parts = [(u, labels_of(u)) for u, _ in units(mono)]
    r, c = ([u for u, labels in parts if labels == {*at}] for at in (rows, columns))
    rest = [u for u, labels in parts if labels not in ({*rows}, {*columns})]
    if not r + c or not any(labels >= {*rows, *columns} for _, labels in parts):
        return None
    return ring.product([ONE, *r]), ring.product([ONE, *c]), (ring.product([number(coef), *rest]), rows, columns)


def blocks_of(ring: Products, matrix: Matrix) -> list[Matrix] | None:
    """Return the factors of a Kronecker product, each with the rows and columns that are its own."""
    poly, rows, columns = matrix
    if len(poly) != 1 or len(rows) == 1:
        return None
    partner = {**dict(zip(rows, columns, strict=True)), **dict(zip(columns, rows, strict=True))}
    blocks: list[Matrix] = []
    seen: set[int] = set()
    for unit, _ in units(next(iter(poly))):
        labels = labels_of(unit)
        if {partner[x] for x in labels} != labels or labels & seen:
            return None
        seen |= labels
        own = tuple(r for r in rows if r in labels)
        blocks.append((unit, own, tuple(partner[r] for r in own)))
    return blocks if len(seen) == 2 * len(rows) and len(blocks) > 1 else None


def chain_of(ring: Products, matrix: Matrix) -> list[Matrix] | None:
    """Return the factors of a product of square matrices of one size, in order, each with its ends.

    What stands at one index that is summed over, as d in `A diag(d) B`, belongs to the factor before it.
    """
    poly, rows, columns = matrix
    mono = next(iter(poly))
    if len(poly) != 1 or len(rows) != 1 or mono[0] or len(mono[1]) != 1:
        return None
    size = ring.size_number(ring.size_of(rows[0]))
    opened, bound = ring.opened(mono, {})
    left = [f for f in opened if len(f[1]) != 1]
    between = {x: [f for f in opened if f[1] == (x,)] for x in bound}
    ends_only = all(e == 1 and len(set(labels)) == len(labels) == 2 for _, labels, e in left)
    if not ends_only or len(left) != len(bound) + 1 or any(s != size for s in bound.values()):
        return None
    at = rows[0]
    links: list[Matrix] = []
    while left:
        step = next((f for f in left if at in f[1]), None)
        if step is None:
            return None
        left.remove(step)
        before, at = at, step[1][0] if step[1][1] == at else step[1][1]
        ring.register(at, size)
        links.append((ring.product([{((f,), ()): 1} for f in (step, *between.get(at, []))]), (before,), (at,)))
    return links if at == columns[0] else None
