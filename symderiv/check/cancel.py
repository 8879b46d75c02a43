"""Laws about sums over products: `N⁻¹ N = 1 = N N⁻¹`, and `QᵀQ = 1 = QQᵀ` for an orthogonal matrix."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction

from symderiv.check.canonical import Factor, Labels, Monomial
from symderiv.check.products import Atom, Product, Products, Work, plain, slot

Names = Mapping[int, int]
MOST_REPLACED = 500


def inverse(ring: Products, work: Work) -> list[Product] | None:
    """Replace `Σ_q N⁻¹[i,q] t[q,j]`, t the largest term of N, by `(δ[i,j] − Σ_q N⁻¹[i,q] (N − t)[q,j])`.

    Proof: `Σ_q N⁻¹[i,q] N[q,j] = δ[i,j]`, and N is t and the other terms.  So for the other side.
    """
    for (n, labels), exponent in work.powers.items():
        atom = ring.atoms[n]
        if atom.kind != "inv" or exponent != 1:
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
    lead = max(matrix, key=lambda mono: _size(ring, mono))
    if not _size(ring, lead)[0]:
        return None
    slots = tuple(slot(k) for k in range(2 * half))
    near_slots, far_slots = (slots[:half], slots[half:]) if at_rows else (slots[half:], slots[:half])
    pattern, inner = ring.opened(lead, {})
    pool = [(n, labels, e) for (n, labels), e in work.powers.items() if (n, labels) != inverse_at]
    for names, used in _matches(ring, pattern, dict(zip(near_slots, near, strict=True)), pool):
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
        deltas: list[Factor] = [(ring.delta.number, pair, 1) for pair in zip(far, ends, strict=True)]
        result: list[Product] = [(coef, rest + deltas, bound)]
        change = dict(zip((*near_slots, *far_slots), (*near, *ends), strict=True))
        for mono, c in matrix.items():
            if mono != lead:
                more, own = ring.opened(mono, change)
                again = {**bound, **{x: work.bound[x] for x in near}, **own}
                result.append((plain(-coef * c), [*rest, (*inverse_at, 1), *more], again))
        return result
    return None


def _size(ring: Products, mono: Monomial) -> tuple[bool, int, Monomial]:
    """Order the terms of a matrix: those with a δ first, then by their number of factors."""
    fixed, components = mono
    plain_term = all(f[0] != ring.delta.number for f in fixed)
    return plain_term, sum(len(c[1]) for c in components) + len(fixed), mono


def _matches(
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
        if f[0] != n or not (f[2] == exponent or 0 < exponent < f[2]):
            continue
        for order in ring.symmetries(n) if slots else ((),):
            at = tuple(f[1][s] for s in order)
            if any(names.get(x, y) != y for x, y in zip(slots, at, strict=True)):
                continue
            more = {**names, **dict(zip(slots, at, strict=True))}
            for found, used in _matches(ring, rest, more, [p for p in pool if p is not f]):
                yield found, [(f, exponent), *used]


def orthogonal(ring: Products, work: Work) -> list[Factor] | None:
    """Replace `Σ_q Q[q,i] Q[q,j]` or `Σ_q Q[i,q] Q[j,q]` by `δ[i,j]`; return the δ as factors."""
    for (n, labels), exponent in work.powers.items():
        if not _is_orthogonal(ring, ring.atoms[n]) or labels[0] == labels[1]:
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
    return atom.kind == "head" and ring.facts.has(atom.data, frozenset({"orthogonal"}))
