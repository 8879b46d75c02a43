"""Laws about sums over products.

* `N^p N^q = N^(p+q)` for integers p and q made of sizes, q = ±1 among them, and `N⁰ = 1`.
* `N⁻¹ N = 1 = N N⁻¹`, and `QᵀQ = 1 = QQᵀ` for an orthogonal matrix.
* `Σ_j s[i,j] = 1` for a softmax over j, and for what is declared a simplex, or to have such rows.
* `Σ_i f[i,j] (Σ_k f[k,j])⁻¹ = 1`: a sum beside its own reciprocal.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction
from itertools import pairwise, permutations, product
from typing import Any

import sympy

from symderiv.check.canonical import Factor, Labels, Monomial
from symderiv.check.products import MOST_POWER, Atom, Poly, Product, Products, Work, factor, plain, slot
from symderiv.check.terms import require

Names = Mapping[int, int]
ROWS = frozenset({"simplex_rows", "one_hot_rows"})
SIMPLEX = frozenset({"simplex"})


def inverse(ring: Products, work: Work) -> list[Product] | None:
    """Replace `Σ_q N⁻¹[i,q] t[q,j]`, t the largest term of N, by `(δ[i,j] − Σ_q N⁻¹[i,q] (N − t)[q,j])`.

    Proof: `Σ_q N⁻¹[i,q] N[q,j] = δ[i,j]`, and N is t and the other terms.  So for the other side, and for `N^p` with
    `Σ_q (N^p)[i,q] N[q,j] = (N^(p+1))[i,j]`.
    """
    for (n, labels), exponent in work.powers.items():
        atom = ring.atoms[n]
        if atom.kind not in ("inv", "matrix_power") or exponent != 1:
            continue
        half = len(labels) // 2
        left, right = labels[:half], labels[half:]
        for near, far, at_rows in ((right, left, True), (left, right, False)):
            if len(set(near)) == half and all(x in work.bound and labels.count(x) == 1 for x in near):
                found = _replaced(ring, work, (n, labels), near, far, at_rows)
                if found is not None:
                    return found
    return None


def _replaced(
    ring: Products, work: Work, inverse_at: tuple[int, Labels], near: Labels, far: Labels, at_rows: bool
) -> list[Product] | None:
    """Look for the largest term of N beside N⁻¹, its rows (or columns) at `near`."""
    atom = ring.atoms[inverse_at[0]]
    half = len(near)
    matrix = atom.inside[0]
    sizes = {mono: _size(ring, mono) for mono in matrix}
    largest = [mono for mono in matrix if sizes[mono][:2] == max(sizes.values())[:2]]
    lead = (min if ring.turned else max)(largest)
    if not _size(ring, lead)[0]:
        return None
    slots = tuple(slot(k) for k in range(2 * half))
    near_slots, far_slots = (slots[:half], slots[half:]) if at_rows else (slots[half:], slots[:half])
    pattern, inner = ring.opened(lead, {})
    pool = [(n, labels, e) for (n, labels), e in work.powers.items() if (n, labels) != inverse_at]
    for names, used in matches(ring, pattern, dict(zip(near_slots, near, strict=True)), pool):
        if not all(s in names for s in far_slots):
            continue
        gone = {*near, *(names[x] for x in inner)}
        if len(gone) != half + len(inner) or not all(x in work.bound for x in gone):
            continue
        if any(names[s] in gone for s in far_slots):
            continue
        kept = [f for f in pool if not any(f == u for u, _ in used)]
        kept += [(n, labels, plain(e - p)) for (n, labels, e), p in used if e != p]
        if any(x in gone for _, labels, _ in kept for x in labels):
            continue
        rest = kept + [f for f in work.factors() if f[0] == ring.delta.number]
        ends = tuple(names[s] for s in far_slots)
        coef = plain(Fraction(work.coef) / matrix[lead])
        bound = {x: s for x, s in work.bound.items() if x not in gone}
        joined: list[Factor]
        if atom.kind == "inv":
            joined = [(ring.delta.number, pair, 1) for pair in zip(far, ends, strict=True)]
        else:
            rows, columns = (far, ends) if at_rows else (ends, far)
            joined = [(raised(ring, atom, atom.data[1] + 1).number, (*rows, *columns), 1)]
        result: list[Product] = [(coef, rest + joined, bound)]
        change = dict(zip((*near_slots, *far_slots), (*near, *ends), strict=True))
        for mono, c in matrix.items():
            if mono != lead:
                more, own = ring.opened(mono, change)
                again = {**bound, **{x: work.bound[x] for x in near}, **own}
                result.append((plain(-coef * c), [*rest, (*inverse_at, 1), *more], again))
        return result
    return None


def power_of(atom: Atom) -> Any:
    """Return p for an atom that stands for N^p."""
    return atom.data[1] if atom.kind == "matrix_power" else sympy.Integer(-1)


def matrix_of(atom: Atom) -> Any:
    """Return the name of N for an atom that stands for N^p."""
    return atom.data[0] if atom.kind == "matrix_power" else atom.data


def raised(ring: Products, atom: Atom, exponent: Any) -> Atom:
    """Return the atom of another power of the same matrix, one that is not written out."""
    exponent = sympy.expand(exponent)
    if exponent == -1:
        return ring.atom("inv", matrix_of(atom), atom.inside, atom.symmetries)
    return ring.atom("matrix_power", (matrix_of(atom), exponent), atom.inside, atom.symmetries)


def power_at(ring: Products, atom: Atom, exponent: Any, rows: Labels, columns: Labels) -> Poly:
    """Return another power of the same matrix at labels; one with a literal exponent is a product."""
    if not exponent.is_Integer:
        return factor(raised(ring, atom, exponent), (*rows, *columns))
    if exponent == 0:
        return ring.product([factor(ring.delta, pair) for pair in zip(rows, columns, strict=True)])
    require(abs(exponent) <= MOST_POWER, "a high power of a matrix, to be multiplied out")
    inner = [tuple(ring.fresh(ring.size_number(ring.size_of(r))) for r in rows) for _ in range(abs(exponent) - 1)]
    ends = list(pairwise([rows, *inner, columns]))
    if exponent > 0:
        links = [ring.instance(atom, (*a, *b))[0] for a, b in ends]
    else:
        links = [factor(raised(ring, atom, -1), (*a, *b)) for a, b in ends]
    return ring.product(links, [x for labels in inner for x in labels])


def powers(ring: Products, work: Work) -> bool:
    """Replace `Σ_r (N^p)[i,r] (N^q)[r,j]` by `(N^(p+q))[i,j]`; tell whether there was such a sum."""
    held = [(n, at) for (n, at), e in work.powers.items() if e == 1 and ring.atoms[n].kind in ("inv", "matrix_power")]
    for first, second in permutations(held, 2):
        a, b = ring.atoms[first[0]], ring.atoms[second[0]]
        total = sympy.expand(power_of(a) + power_of(b))
        if a.kind == b.kind == "inv" or matrix_of(a) != matrix_of(b):
            continue
        half = len(first[1]) // 2
        for x, y in product(ring.symmetries(a.number), ring.symmetries(b.number)):
            left, right = tuple(first[1][k] for k in x), tuple(second[1][k] for k in y)
            near = left[half:]
            if near != right[:half] or len(set(near)) < half:
                continue
            if set(near) & {*left[:half], *right[half:]} or not all(q in work.bound for q in near):
                continue
            outside = [at for m, at in work.powers if (m, at) not in (first, second)]
            if any(q in at for at in outside for q in near):
                continue
            del work.powers[first], work.powers[second]
            for q in {*left, *right} & set(work.bound):
                ring.register(q, work.bound[q])
            for q in near:
                del work.bound[q]
            work.extra.append(power_at(ring, a, total, left[:half], right[half:]))
            return True
    return False


def _size(ring: Products, mono: Monomial) -> tuple[bool, int, Monomial]:
    """Order the terms of a matrix: those with a δ first, then by their number of factors."""
    fixed, components = mono
    plain_term = all(f[0] != ring.delta.number for f in fixed)
    return plain_term, sum(len(c[1]) for c in components) + len(fixed), mono


def matches(
    ring: Products, pattern: list[Factor], names: dict[int, int], pool: list[Factor]
) -> Iterator[tuple[dict[int, int], list[tuple[Factor, int | Fraction]]]]:
    """Yield the ways to find the factors of a term among those of a product: names of labels, and uses."""
    if not pattern:
        yield names, []
        return
    ready = [p for p in pattern if any(x in names for x in p[1])] or pattern
    n, slots, exponent = ready[0]
    rest = [p for p in pattern if p is not ready[0]]
    for f in pool:
        if f[0] != n or not (f[2] == exponent or 0 < exponent < f[2] or f[2] < exponent < 0):
            continue
        for order in ring.symmetries(n) if slots else ((),):
            at = tuple(f[1][s] for s in order)
            if any(names.get(x, y) != y for x, y in zip(slots, at, strict=True)):
                continue
            more = {**names, **dict(zip(slots, at, strict=True))}
            for found, used in matches(ring, rest, more, [p for p in pool if p is not f]):
                yield found, [(f, exponent), *used]


def orthogonal(ring: Products, work: Work) -> list[Factor] | None:
    """Replace `Σ_q Q[q,i] Q[q,j]` or `Σ_q Q[i,q] Q[j,q]` by `δ[i,j]`; return the δ as factors."""
    for (n, labels), exponent in work.powers.items():
        if not _is_orthogonal(ring, ring.atoms[n]) or len(set(labels)) < 2:
            continue
        for side in (0, 1):
            q = labels[side]
            if q not in work.bound:
                continue
            holders = [(m, at, e) for (m, at), e in work.powers.items() if q in at]
            if len(holders) == 1 and exponent == 2:
                ends = (labels[1 - side], labels[1 - side])
            elif len(holders) == 2 and all(m == n and e == 1 and at[side] == q for m, at, e in holders):
                ends = (holders[0][1][1 - side], holders[1][1][1 - side])
            else:
                continue
            if q in ends:
                continue
            for m, at, _ in holders:
                del work.powers[m, at]
            del work.bound[q]
            return [(ring.delta.number, ends, 1)]
    return None


def _is_orthogonal(ring: Products, atom: Atom) -> bool:
    return ring.declared(atom, frozenset({"orthogonal"}))


def sum_to_one(ring: Products, work: Work) -> bool:
    """Replace `Σ_j s[i,j]` by 1, where j stands nowhere else; tell whether there was such a sum."""
    for (n, labels), exponent in work.powers.items():
        along = [labels[k] for k in _unit_slots(ring, ring.atoms[n])] if exponent == 1 else []
        if not along or not all(x in work.bound and labels.count(x) == 1 for x in along):
            continue
        if any(x in at for (m, at) in work.powers if (m, at) != (n, labels) for x in along):
            continue
        del work.powers[n, labels]
        for x in along:
            del work.bound[x]
        return True
    return False


def reciprocal(ring: Products, work: Work) -> bool:
    """Replace `Σ_i f[i,j] (Σ_k f[k,j])⁻¹` by 1, where i stands nowhere else; tell whether there was such a sum."""
    for (n, labels), exponent in work.powers.items():
        atom = ring.atoms[n]
        pattern = _only_sum(ring, atom) if exponent < 0 and exponent == int(exponent) else None
        if pattern is None:
            continue
        factors, inner = pattern
        pool = [(m, at, e) for (m, at), e in work.powers.items() if m != n]
        for names, used in matches(ring, factors, {slot(k): x for k, x in enumerate(labels)}, pool):
            gone = {names[x] for x in inner}
            summed = len(gone) == len(inner) and all(work.bound.get(names[x]) == size for x, size in inner.items())
            left = {(m, at): plain(e - p) for (m, at, e), p in used}
            kept = {key: left.get(key, e) for key, e in work.powers.items()}
            if summed and not any(e != 0 and gone & {*at} for (_, at), e in kept.items()):
                work.powers = {key: e for key, e in kept.items() if e != 0}
                work.multiply(n, labels, 1)
                for x in gone:
                    del work.bound[x]
                return True
    return False


def _only_sum(ring: Products, atom: Atom) -> tuple[list[Factor], dict[int, int]] | None:
    """Return the factors and the bound labels of an atom that is one sum of a product, nothing beside it."""
    if atom.kind != "sum" or len(atom.inside[0]) != 1:
        return None
    (((fixed, components), coef),) = atom.inside[0].items()
    return ring.opened((fixed, components), {}) if not fixed and len(components) == 1 and coef == 1 else None


def _unit_slots(ring: Products, atom: Atom) -> Labels:
    """Return the slots over which an atom sums to 1."""
    if atom.kind == "softmax":
        over: Labels = atom.data[1]
        return over
    rank = len(atom.symmetries[0])
    if ring.declared(atom, ROWS) or (rank == 1 and ring.declared(atom, SIMPLEX)):
        return (rank - 1,)
    return ()
