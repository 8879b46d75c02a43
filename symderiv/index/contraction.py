"""Products under a sum, sums, entrywise functions: the constructors that bring them into the normal form.

The three know one another (a power of a product is a product of powers, a sum under a sum is
distributed), so they stand together; what the normal form is says :mod:`symderiv.index.normal`.
"""

from __future__ import annotations

import weakref
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from fractions import Fraction
from itertools import pairwise, permutations
from typing import Any

from sympy import Integer, expand

from symderiv.dims import Shape, Size, text_of
from symderiv.errors import ShapeError, UnsupportedError
from symderiv.index.assumed import SIGNS, told_exponent, unit_axes
from symderiv.index.graph import (
    Add,
    Contraction,
    Defined,
    Delta,
    Extremum,
    Factor,
    Independent,
    Inverse,
    Leaf,
    LogSumExp,
    Map,
    MatrixPower,
    Node,
    Pow,
    Power,
    ProdExcept,
    SizeOf,
    Softmax,
    Unknown,
    Where,
)
from symderiv.index.labelling import canonical, standings
from symderiv.index.rationals import ONE, ZERO, at_number, common_content, exact_power, integer_power, sign_of
from symderiv.index.signs import has_own_root, positive

LONGEST_FLAT = 24  # factors of one product beyond which sums stay where they were written
Label = Any  # anything hashable
PAIRED = (Power, Where, Add, Map)  # factors that a law may join with another one
ENTRYWISE = (Map, Pow, Power, Where, Extremum)
INTERACTING = (Delta, Power, Where, Extremum)  # factors that a law may join with another one, as a sign is
SYMMETRIC = frozenset({"symmetric", "positive_definite", "diagonal"})


def _rational(value: Fraction | int) -> Fraction:
    """Return a number as a fraction; nearly all of them are 1."""
    return ONE if value == 1 else Fraction(value)


# ---------------------------------------------------------------- leaves and numbers


def leaf(name: str, dims: Shape, traits: Iterable[str] = (), label: tuple[object, ...] = ()) -> Node:
    """Return the array called `name`."""
    return Leaf(tuple(dims), name, frozenset(traits), label)


def defined(name: str, body: Node, independent: bool = False) -> Node:
    """Return `body` under a name, through which nothing is inlined.

    `independent` leaves what relates the entries of the body unused, where something does.
    """
    related = independent and (len(symmetries(body)) > 1 or unit_axes(body))
    return (Independent if related else Defined)(body.dims, name, body)


def delta(size: Size) -> Node:
    """Return the identity, `δ[i, j]`."""
    return Delta((size, size))


def size_of(size: Size) -> Node:
    """Return a size as a number: a sum of products of its symbols, each a factor."""
    size = expand(size)
    if size.is_Add:
        return add([(1, size_of(term)) for term in size.args], ())
    coef, factors = _size_factors(size)
    return contract(coef, [(f, ()) for f in factors], (), {})


def number(value: Fraction | int, dims: Shape = ()) -> Node:
    """Return an array all of whose entries are `value`."""
    return Contraction(tuple(dims), Fraction(value), (), tuple(dims))


def constant(node: Node) -> Fraction | None:
    """Return the value of a node all of whose entries are one rational number, else None."""
    if isinstance(node, Contraction) and not node.factors:
        return node.coef
    return None


def is_zero(node: Node) -> bool:
    """Tell whether the node is 0."""
    return constant(node) == 0


def _size_factors(size: Size) -> tuple[Fraction, list[Node]]:
    coef, factors = ONE, []
    for base, exponent in size.as_powers_dict().items():
        if base.is_Integer:
            coef *= Fraction(int(base)) ** int(exponent)
        else:
            factors.append(power(SizeOf((), base), Fraction(int(exponent))))
    return coef, factors


# ---------------------------------------------------------------- contraction


def contract(
    coef: Fraction | int,
    factors: Sequence[tuple[Node, Sequence[Label]]],
    out: Sequence[Label],
    sizes: Mapping[Label, Size] | None = None,
) -> Node:
    """Return `coef · Σ Π factor[indices]` with axes `out`, summed over every other index.

    `sizes` is needed only for indices that stand in no factor.

    >>> from symderiv.dims import shape
    >>> A, B = leaf("A", shape("nn")), leaf("B", shape("nn"))
    >>> contract(1, [(A, "iq"), (B, "qj")], "ij") is contract(1, [(B, "aj"), (A, "ia")], "ij")
    True
    """
    if len(factors) == 1:
        moved = _moved(coef, *factors[0], out, sizes or {})
        if moved is not None:
            return moved
    work = _Work(_rational(coef), factors, out, sizes or {})
    work.reduce()
    return work.result()


def _moved(
    coef: Fraction | int, node: Node, labels: Sequence[Label], out: Sequence[Label], sizes: Mapping[Label, Size]
) -> Node | None:
    """Return a multiple of one array with its axes in another order, or more of them: nothing there contracts.

    None where an index stands twice or is summed over, and where factors may have something to do with one another.
    """
    place = {label: k for k, label in enumerate(out)}
    at = tuple([place.get(label, -1) for label in labels])
    if len(at) != node.rank or len(place) < len(out) or -1 in at or len(set(at)) < len(at):
        return None
    given = dict(zip(labels, node.dims, strict=True))
    if any(label not in place or given.setdefault(label, size) != size for label, size in sizes.items()):
        return None
    if len(given) < len(out):
        return None
    dims = tuple([given[label] for label in out])
    if coef == 0:
        return number(0, dims)
    if isinstance(node, Contraction) and not node.bound:
        if any(_interacts(f) or f.rank > len(set(own)) for f, own in node.factors):
            return None
        coef, parts = coef * node.coef, [(f, tuple([at[s] for s in own])) for f, own in node.factors]
    elif isinstance(node, SizeOf):
        return None
    else:
        parts = [(node, at)]
    turned = []
    for f, own in parts:
        sign, own = _turned(f, own)
        coef *= sign
        turned.append((f, own))
    return _pure(_rational(coef), turned, dims)


def _interacts(factor: Node) -> bool:
    return isinstance(factor, INTERACTING) or (isinstance(factor, Map) and factor.function == "sign")


def _turned(factor: Node, labels: tuple[int, ...]) -> tuple[int, tuple[int, ...]]:
    """`x[j] - x[i] = -(x[i] - x[j])`: return the sign of a power of a difference, its first axis put first."""
    if len(labels) != 2 or labels[0] < labels[1]:
        return 1, labels
    base, exponent = (factor.base, factor.exponent) if isinstance(factor, Pow) else (factor, ONE)
    if exponent.denominator != 1 or exponent <= 0 or not _is_antisymmetric(base):
        return 1, labels
    return 0 if labels[0] == labels[1] else (-1) ** int(exponent), (labels[1], labels[0])


class _Work:
    """A product on its way to the normal form; labels are integers, `out` the first of them."""

    def __init__(
        self,
        coef: Fraction,
        factors: Sequence[tuple[Node, Sequence[Label]]],
        out: Sequence[Label],
        sizes: Mapping[Label, Size],
    ) -> None:
        self.coef = coef
        self.sizes: dict[int, Size] = {}
        self.powers: dict[Factor, Fraction] = {}
        number_of: dict[Label, int] = {}
        twins: list[tuple[int, Label]] = []
        for position, label in enumerate(out):
            if label in number_of:
                twins.append((position, label))
            else:
                number_of[label] = position
            if label in sizes:
                self.sizes[position] = sizes[label]
        self.rank = len(out)
        self.next = self.rank
        self.todo: list[Factor] = []
        for node, labels in factors:
            if len(labels) != node.rank:
                raise ShapeError(f"{node.rank} indices needed, {len(labels)} given")
            for label, dim in zip(labels, node.dims, strict=True):
                n = number_of.get(label)
                if n is None:
                    n = number_of[label] = self.fresh(dim)
                self.check(n, dim)
            self.todo.append((node, tuple(number_of[label] for label in labels)))
        for label, size in sizes.items():
            if label not in number_of:
                self.fresh(size)
        for position, label in twins:
            size = self.sizes[number_of[label]]
            self.sizes[position] = size
            self.todo.append((delta(size), (number_of[label], position)))
        self.bound = set(self.sizes) - set(range(self.rank))

    def check(self, n: int, dim: Size) -> None:
        known = self.sizes.setdefault(n, dim)
        if known is not dim and known != dim:
            raise ShapeError(f"sizes {self.sizes[n]} and {dim} do not agree")

    def fresh(self, size: Size) -> int:
        n = self.next
        self.next += 1
        self.sizes[n] = size
        return n

    # -- reduction

    def reduce(self) -> None:
        """Bring in the factors, contract deltas, cancel, and flatten until nothing changes."""
        while True:
            while self.todo:
                self.take(*self.todo.pop())
            if self.coef == 0:
                self.powers.clear()
                return
            if not (self.contract_delta() or (self.bound and self.close_sums())):
                break
        self.drop_idle()
        self.pair_up()

    def close_sums(self) -> bool:
        """Carry out one of the laws about indices that are summed over."""
        kinds = {type(node) for node, _ in self.powers}
        return (
            (Inverse in kinds and self.cancel_inverse())
            or (MatrixPower in kinds and self.join_powers())
            or (Leaf in kinds and self.cancel_orthogonal())
            or self.sum_to_one()
            or (Contraction in kinds and self.flatten())
        )

    def take(self, node: Node, labels: tuple[int, ...], exponent: Fraction = ONE) -> None:
        """Multiply by `node[labels] ** exponent`, inlining pure products."""
        if isinstance(node, Pow) and exponent.denominator == 1:
            exponent, node = node.exponent if exponent is ONE else exponent * node.exponent, node.base
        if isinstance(node, Contraction) and not node.bound and exponent.denominator == 1:
            if exponent < 0 and node.coef == 0:
                raise UnsupportedError("division by 0")
            self.multiply(node.coef, exponent)
            for inner, slots in node.factors:
                self.take(inner, tuple([labels[s] for s in slots]), exponent)
            return
        rooted = exponent.denominator != 1 and not has_own_root(node)
        if len(set(labels)) < len(labels) and (isinstance(node, ENTRYWISE) or rooted):
            own = tuple(dict.fromkeys(labels))
            self.take(_diagonal(node, tuple(own.index(x) for x in labels), len(own)), own, exponent)
            return
        if isinstance(node, SizeOf) and node.size.is_Integer:
            self.multiply(Fraction(int(node.size)), exponent)
            return
        if isinstance(node, Delta) and exponent > 0:
            exponent = ONE
        if isinstance(node, ProdExcept) and exponent > 0 and _leaves_out_twice(node, labels):
            self.coef = ZERO
            return
        perms = symmetries(node)
        if len(perms) > 1:
            labels = min([tuple([labels[s] for s in perm]) for perm in perms])
        elif (
            len(labels) == 2
            and labels[1] <= labels[0]
            and labels[1] < self.rank
            and exponent >= 1 == exponent.denominator
        ):
            sign, labels = _turned(node, labels)
            if sign != 1:
                self.multiply(Fraction(sign), exponent)
        entry = (node, labels)
        known = self.powers.get(entry)
        total = exponent if known is None else known + exponent
        if total != 1:
            total = min(total, ONE) if isinstance(node, Delta) else told_exponent(node, total)
        if total == 0:
            self.powers.pop(entry, None)
        else:
            self.powers[entry] = total

    def multiply(self, coef: Fraction, exponent: Fraction) -> None:
        """Multiply by a power of a number."""
        if coef != 1:
            self.coef *= coef if exponent is ONE else coef ** int(exponent)

    def weights(self) -> Counter[int]:
        """Count in how many places each bound index stands."""
        count: Counter[int] = Counter()
        for (_, labels), exponent in self.powers.items():
            times = 1 if exponent is ONE or exponent.denominator != 1 or exponent <= 0 else int(exponent)
            for label in labels:
                if label in self.bound:
                    count[label] += times
        return count

    def contract_delta(self) -> bool:
        for (node, labels), _ in self.powers.items():
            if not isinstance(node, Delta):
                continue
            i, j = sorted(labels)
            if i == j:
                del self.powers[(node, labels)]
                return True
            if j in self.bound:
                del self.powers[(node, labels)]
                self.identify(j, i)
                return True
            if any(j in other[1] for other in self.powers if other != (node, labels)):
                self.rename(j, i, keep=(node, labels))
                return True
        return False

    def identify(self, old: int, new: int) -> None:
        self.rename(old, new)
        self.bound.discard(old)
        self.sizes.pop(old)

    def rename(self, old: int, new: int, keep: Factor | None = None) -> None:
        hit = [e for e in self.powers if old in e[1] and e != keep]
        taken = [(node, labels, self.powers.pop((node, labels))) for node, labels in hit]
        for node, labels, exponent in taken:
            self.take(node, tuple(new if label == old else label for label in labels), exponent)

    def flatten(self) -> bool:
        """Open a sum that is chained to another factor through a bound index.

        One that hangs on an index which joins three or more stays as it is: it would be split off again.
        """
        sums = [(n, at, e) for (n, at), e in self.powers.items() if isinstance(n, Contraction) and n.bound]
        weights = self.weights() if sums else {}
        for node, labels, exponent in sums:
            if exponent not in (1, 2):
                continue
            inside = [label for label in labels if label in self.bound]
            joined = len(labels) > 1 and len(self.powers) + len(node.factors) <= LONGEST_FLAT
            if inside and (joined or any(weights[label] <= 2 for label in inside)):
                del self.powers[(node, labels)]
                for _ in range(int(exponent)):
                    self.open(node, labels)
                return True
        return False

    def open(self, node: Contraction, labels: tuple[int, ...]) -> None:
        names = dict(enumerate(labels))
        for b in node.bound:
            names[b] = self.fresh(node.sizes[b])
            self.bound.add(names[b])
        self.coef *= node.coef
        self.todo += [(inner, tuple(names[s] for s in slots)) for inner, slots in node.factors]

    def cancel_inverse(self) -> bool:
        """`Σ_q N[i,q] N⁻¹[q,j] = δ[i,j]`, where N is one factor or a product of factors."""
        for (node, labels), exponent in self.powers.items():
            if not isinstance(node, Inverse) or exponent != 1:
                continue
            half = node.rank // 2
            for side in (0, 1):
                near = labels[:half] if side == 0 else labels[half:]
                if not all(label in self.bound for label in near):
                    continue
                found = self.find(node.arg, near, 1 - side, (node, labels))
                if found is None:
                    continue
                used, far, inner = found
                del self.powers[(node, labels)]
                for entry in used:
                    del self.powers[entry]
                for label in (*near, *inner):
                    self.bound.discard(label)
                    self.sizes.pop(label)
                other = labels[half:] if side == 0 else labels[:half]
                for a, b in zip(other, far, strict=True):
                    self.todo.append((delta(self.sizes[a]), (a, b)))
                coef = node.arg.coef if isinstance(node.arg, Contraction) else ONE
                self.coef /= coef
                return True
        return False

    def find(
        self, matrix: Node, near: tuple[int, ...], side: int, skip: Factor
    ) -> tuple[list[Factor], tuple[int, ...], list[int]] | None:
        """Find factors that make up `matrix` with its rows (side 0) or columns (side 1) at `near`.

        Return them, the labels of its other side, and those it sums over.
        """
        weights = self.weights()
        if any(weights[label] != 2 for label in near):
            return None
        half = matrix.rank // 2
        pattern: tuple[Factor, ...] = ((matrix, tuple(range(matrix.rank))),)
        inner: list[int] = []
        if isinstance(matrix, Contraction):
            pattern, inner = matrix.factors, list(matrix.bound)
        start = dict(zip(range(half) if side == 0 else range(half, 2 * half), near, strict=True))
        pool = [e for e, x in self.powers.items() if x == 1 and e != skip]
        for names, used in _matches(list(pattern), start, pool):
            if any(weights[names[b]] != 2 for b in inner):
                continue
            ends = range(half, 2 * half) if side == 0 else range(half)
            if any(s not in names for s in ends):
                continue  # no factor has this axis, as in ones(n, n)
            far = tuple(names[s] for s in ends)
            if len(set(far) | set(near)) == 2 * half:
                return used, far, [names[b] for b in inner]
        return None

    def join_powers(self) -> bool:
        """`N^p N^q = N^(p+q)` for a symbolic p, where the other factor is N itself, its inverse, or another power."""
        for (node, labels), exponent in self.powers.items():
            if not isinstance(node, MatrixPower) or exponent != 1:
                continue
            half = node.rank // 2
            for side, near in ((0, labels[:half]), (1, labels[half:])):
                if all(label in self.bound for label in near) and self.join_power((node, labels), near, side):
                    return True
        return False

    def join_power(self, power: Factor, near: tuple[int, ...], side: int) -> bool:
        """Join a power with what stands next to its rows (side 0) or its columns (side 1)."""
        node, labels = power
        assert isinstance(node, MatrixPower)
        half = node.rank // 2
        others: dict[Node, Size] = {node.arg: Integer(1)}
        for other, _ in self.powers:
            if isinstance(other, (Inverse, MatrixPower)) and other.arg is node.arg:
                others[other] = other.exponent if isinstance(other, MatrixPower) else Integer(-1)
        for other, more in others.items():
            found = self.find(other, near, 1 - side, power)
            if found is None:
                continue
            used, far, inner = found
            for entry in (power, *used):
                del self.powers[entry]
            for label in (*near, *inner):
                self.bound.discard(label)
                self.sizes.pop(label)
            if other is node.arg and isinstance(other, Contraction):
                self.coef /= other.coef
            rows, columns = (far, labels[half:]) if side == 0 else (labels[:half], far)
            joined = repeated(node.arg, expand(node.exponent + more))
            self.todo.append((joined, (*rows, *columns)))
            return True
        return False

    def cancel_orthogonal(self) -> bool:
        """`Σ_q Q[q,i] Q[q,j] = δ[i,j]`, and the same for the rows, for an orthogonal Q."""
        turns = [(n, at, e) for (n, at), e in self.powers.items() if isinstance(n, Leaf) and "orthogonal" in n.traits]
        weights = self.weights() if turns else {}
        for node, labels, exponent in turns:
            for slot in (0, 1):
                q = labels[slot]
                if q not in self.bound or weights[q] != 2 or exponent not in (1, 2):
                    continue
                if exponent == 2:
                    del self.powers[(node, labels)]
                    self.bound.discard(q)
                    self.sizes.pop(q)
                    return True
                for other, far in list(self.powers):
                    if other is node and far != labels and far[slot] == q and self.powers[(other, far)] == 1:
                        del self.powers[(node, labels)], self.powers[(other, far)]
                        self.bound.discard(q)
                        size = self.sizes.pop(q)
                        self.todo.append((delta(size), (labels[1 - slot], far[1 - slot])))
                        return True
        return False

    def sum_to_one(self) -> bool:
        """`Σ_j s[i,j] = 1` for a distribution s, such as a softmax over j, where j stands nowhere else."""
        weights: Mapping[int, int] | None = None
        for (node, labels), exponent in self.powers.items():
            along = [labels[axis] for axis in unit_axes(node)]
            if not along or exponent != 1:
                continue
            weights = self.weights() if weights is None else weights
            if all(x in self.bound and weights[x] == 1 for x in along):
                del self.powers[(node, labels)]
                for x in along:
                    self.bound.discard(x)
                    self.sizes.pop(x)
                return True
        return False

    def drop_idle(self) -> None:
        """A sum over an index that stands nowhere is its size."""
        if not self.bound:
            return
        standing = {label for _, labels in self.powers for label in labels}
        for label in sorted(self.bound - standing):
            self.bound.discard(label)
            coef, factors = _size_factors(self.sizes.pop(label))
            self.coef *= coef
            for factor in factors:
                self.take(factor, ())

    def pair_up(self) -> None:
        """Entrywise laws between two factors: `u sign(u) = |u|`, `sign(u) |u| = u`, `|u|² = u²`, powers `bᵉ bᵏ`."""
        changed = True
        while changed:
            changed = False
            for (node, labels), exponent in list(self.powers.items()):
                if isinstance(node, PAIRED) and _pair(self, node, labels, exponent):
                    changed = True
                    break
            while self.todo:
                self.take(*self.todo.pop())

    # -- result

    def result(self) -> Node:
        dims = tuple(self.sizes[k] for k in range(self.rank))
        if self.coef == 0:
            return number(0, dims)
        if not self.powers:
            return number(self.coef, dims)
        parts = [(power(node, e), labels) for (node, labels), e in self.powers.items()]
        if self.bound:
            weights = self.weights()
            parts = self.group(parts, {b for b in self.bound if weights[b] <= 2})
        if self.are_settled(parts):
            return _pure(self.coef, parts, dims)
        merged = _Work(self.coef, parts, tuple(range(self.rank)), {k: self.sizes[k] for k in range(self.rank)})
        while merged.todo:
            merged.take(*merged.todo.pop())
        parts = [(power(node, e), labels) for (node, labels), e in merged.powers.items()]
        if self.rank:
            parts = merged.branches(parts)
        parts = merged.group(parts, set(merged.bound))
        return _pure(merged.coef, _equal_joined(parts), dims)

    def are_settled(self, parts: list[Factor]) -> bool:
        """Tell whether factors are what is left in the end: different ones, with axes of the result only."""
        bases = {_in_place(n.base if isinstance(n, Pow) else n, labels) for n, labels in parts}
        return len(bases) == len(parts) and not any(
            (isinstance(n, Contraction) and not n.bound) or any(label >= self.rank for label in labels)
            for n, labels in parts
        )

    def branches(self, parts: list[Factor]) -> list[Factor]:
        """Make a node of what hangs on one index: of a part that this index alone ties to the rest."""
        for h in sorted(self.bound):
            inner = self.bound - {h}
            kept: list[Factor] = []
            for members in _components(parts, inner):
                labels = {label for _, at in members for label in at}
                if len(members) > 1 and h in labels and labels & inner and labels <= self.bound:
                    self.bound -= labels - {h}
                    kept.append((contract(1, members, (h,)), (h,)))
                else:
                    kept += members
            parts = kept
        return parts

    def group(self, parts: list[Factor], inside: set[int]) -> list[Factor]:
        """Make a node of each set of factors that the indices `inside` connect."""
        done: list[Factor] = []
        for members in _components(parts, inside):
            if any(label in inside for _, labels in members for label in labels):
                done.append(_connected(members, inside, self.sizes))
            else:
                done += members
        return done


def _pair(work: _Work, node: Node, labels: tuple[int, ...], exponent: Fraction) -> bool:
    if isinstance(node, Power) and exponent != 0:
        for other, at in work.powers:
            if other is node.base and at == labels:
                extra = work.powers.pop((other, at))
                work.powers.pop((node, labels))
                expo = add([(exponent, node.exponent), (ONE, number(extra, node.dims))], node.dims)
                work.todo.append((general_power(node.base, expo), labels))
                return True
            if isinstance(other, Power) and other is not node and other.base is node.base and at == labels:
                extra = work.powers.pop((other, at))
                work.powers.pop((node, labels))
                expo = add([(exponent, node.exponent), (extra, other.exponent)], node.dims)
                work.todo.append((general_power(node.base, expo), labels))
                return True
        return False
    if isinstance(node, Where) and exponent >= 1 and _keeps(work, node, labels):
        work.powers.pop((node, labels))
        return True
    if isinstance(node, Add) and exponent.denominator == 1 and exponent > 0 and _doubles(work, node, labels):
        work.powers.pop((node, labels))
        work.coef *= 2 ** int(exponent)
        return True
    if not isinstance(node, Map) or exponent.denominator != 1 or exponent <= 0:
        return False
    if node.function == "abs" and exponent >= 2:
        work.powers.pop((node, labels))
        even = exponent - exponent % 2
        work.todo.append((power(node.arg, even), labels))
        if exponent % 2:
            work.todo.append((node, labels))
        return True
    if node.function == "sign":
        size = entrywise("abs", node.arg)
        for other, product in ((node.arg, size), (size, node.arg)):
            if work.powers.get((other, labels), ZERO) >= 1:
                for entry in ((other, labels), (node, labels)):
                    work.powers[entry] -= 1
                    if work.powers[entry] == 0:
                        del work.powers[entry]
                work.todo.append((product, labels))
                return True
    return False


def _doubles(work: _Work, step: Add, labels: tuple[int, ...]) -> bool:
    """`max(u, 0) (1 + sign(u)) = 2 max(u, 0)`, and `min(u, 0) (1 − sign(u)) = 2 min(u, 0)`."""
    if len(step.terms) != 2:
        return False
    values = [(c * value, n) for c, n in step.terms if (value := constant(n)) is not None]
    signs = [(c, n) for c, n in step.terms if isinstance(n, Map) and n.function == "sign"]
    if len(signs) != 1 or [v for v, _ in values] != [1]:
        return False
    written = scaled(*signs[0])
    for (node, at), exponent in work.powers.items():
        if at == labels and exponent >= 1 and isinstance(node, Extremum) and is_zero(node.right):
            side = ONE if node.kind == "maximum" else -ONE
            if scaled(side, entrywise("sign", node.left)) is written:
                return True
    return False


def _keeps(work: _Work, step: Where, labels: tuple[int, ...]) -> bool:
    """`relu(u) [u > 0] = relu(u)`: tell whether a step stands beside what it leaves alone."""
    if step.relation != ">" or not is_zero(step.right) or constant(step.yes) != 1 or not is_zero(step.no):
        return False
    return any(
        at == labels and exponent >= 1 and isinstance(node, Map) and node.function == "relu" and node.arg is step.left
        for (node, at), exponent in work.powers.items()
    )


def _matches(
    pattern: list[Factor], names: dict[int, int], pool: list[Factor]
) -> Iterable[tuple[dict[int, int], list[Factor]]]:
    """Yield the ways to find the factors of a pattern among those of a product."""
    if not pattern:
        yield names, []
        return
    ready = [p for p in pattern if any(s in names for s in p[1])] or pattern
    node, slots = ready[0]
    rest = [p for p in pattern if p is not ready[0]]
    for entry in pool:
        if entry[0] is not node:
            continue
        for perm in symmetries(node):
            at = tuple(entry[1][s] for s in perm)
            if any(names.get(s, label) != label for s, label in zip(slots, at, strict=True)):
                continue
            more = {**names, **dict(zip(slots, at, strict=True))}
            for found, used in _matches(rest, more, [p for p in pool if p != entry]):
                yield found, [entry, *used]


def _connected(members: list[Factor], inside: set[int], sizes: Mapping[int, Size]) -> Factor:
    """Return the sum over `inside` as a node, its axes in canonical order, and their labels."""
    colours: dict[int, str] = {}
    for label in dict.fromkeys(label for _, labels in members for label in labels):
        colours[label] = ("1" if label in inside else "0") + text_of(sizes[label])
    items = [(node.key, labels, symmetries(node)) for node, labels in members]
    names, order = canonical(items, colours)
    axes = sorted((label for label in colours if label not in inside), key=names.__getitem__)
    factors = tuple(_settled(members[k], names) for k in order)
    by_name = sorted(names, key=names.__getitem__)
    all_sizes = tuple(sizes[label] for label in by_name)
    node = Contraction(all_sizes[: len(axes)], ONE, factors, all_sizes)
    return node, tuple(axes)


def _settled(factor: Factor, names: Mapping[int, int]) -> Factor:
    node, labels = factor
    return _in_place(node, tuple([names[label] for label in labels]))


def _in_place(node: Node, labels: tuple[int, ...]) -> Factor:
    """Return a factor with its indices in the first of the orders that its symmetries allow."""
    perms = symmetries(node)
    return node, labels if len(perms) == 1 else min([tuple([labels[s] for s in perm]) for perm in perms])


def _components(parts: list[Factor], inside: set[int]) -> list[list[Factor]]:
    """Return the factors in groups that the indices `inside` connect, in the order of their first members."""
    home: dict[int, int] = {}
    groups: dict[int, list[Factor]] = {}
    into: dict[int, int] = {}  # the group that another one became part of

    def group_of(label: int) -> int:
        n = home[label]
        while n in into:
            n = into[n]
        return n

    for n, part in enumerate(parts):
        joined = [part]
        own = [label for label in part[1] if label in inside]
        for old in sorted({group_of(label) for label in own if label in home}):
            joined = groups.pop(old) + joined
            into[old] = n
        groups[n] = joined
        home.update(dict.fromkeys(own, n))
    return list(groups.values())


def _equal_joined(parts: list[Factor]) -> list[Factor]:
    """Join equal factors to powers."""
    count = Counter([_in_place(node, labels) for node, labels in parts])
    if len(count) == len(parts):
        return list(count)
    return [(power(node, Fraction(times)), labels) for (node, labels), times in count.items()]


def _pure(coef: Fraction, parts: list[Factor], dims: Shape) -> Node:
    rank = len(dims)
    if coef == 1 and len(parts) == 1 and _in_place(*parts[0])[1] == tuple(range(rank)):
        return parts[0][0]
    settled = sorted([_in_place(node, labels) for node, labels in parts], key=lambda f: (f[0].key, f[1]))
    return Contraction(dims, coef, tuple(settled), dims)


def _diagonal(node: Node, pattern: tuple[int, ...], rank: int) -> Node:
    """Return an array where some of its axes are one; of an entrywise function, the function of its arguments there."""

    dims = tuple(node.dims[pattern.index(k)] for k in range(rank))

    def there(inner: Node) -> Node:
        if isinstance(inner, Add):  # a sum by itself stays one: `trace(A + B)`
            return add([(c, there(n)) for c, n in inner.terms], dims)
        return contract(1, [(inner, pattern)], range(rank))

    return with_arguments(node, there) if isinstance(node, ENTRYWISE) else there(node)  # the other one under a root


def core(node: Node) -> tuple[Node, tuple[int, ...]]:
    """Return (c, axes) with `node[i…] = c[i[axes]…]`: c without axes that are only broadcast.

    Entrywise functions commute with this, so it is pulled out of them.
    """
    if not isinstance(node, Contraction) or node.bound:
        return node, tuple(range(node.rank))
    if not node.factors:
        return number(node.coef), ()
    if any(isinstance(f, Delta) for f, _ in node.factors):
        return node, tuple(range(node.rank))
    if node.coef == 1 and len(node.factors) == 1:
        inner, labels = node.factors[0]
        return (inner, labels) if len(set(labels)) == len(labels) else (node, tuple(range(node.rank)))
    used = {label for _, labels in node.factors for label in labels}
    items = [(f.key, labels, symmetries(f)) for f, labels in node.factors]
    names, _ = canonical(items, {label: text_of(node.sizes[label]) for label in used})
    axes = tuple(sorted(used, key=names.__getitem__))
    if axes == tuple(range(node.rank)):
        return node, axes
    return contract(node.coef, node.factors, axes), axes


def rewrapped(node: Node, axes: tuple[int, ...], dims: Shape) -> Node:
    """Return `node[i[axes]…]` as a function of all axes `dims`."""
    if axes == tuple(range(len(dims))) and node.dims == dims:
        return node
    return contract(1, [(node, axes)], range(len(dims)), dict(enumerate(dims)))


def transposed(node: Node, axes: Sequence[int]) -> Node:
    """Return the array whose axis k is axis `axes[k]` of `node`."""
    return contract(1, [(node, range(node.rank))], axes)


def repeated(matrix: Node, exponent: Size) -> Node:
    """Return a power of a matrix that is no inverse and no power itself; one with a literal exponent is written out."""
    if not exponent.is_Integer:
        return MatrixPower(matrix.dims, matrix, exponent)
    half, count = matrix.rank // 2, int(exponent)
    link = matrix if count > 0 else Inverse(matrix.dims, matrix)
    ends = [[(k, axis) for axis in range(half)] for k in range(abs(count) + 1)]
    out = [*ends[0], *(("end", axis) for axis in range(half))]
    factors = [(link, (*a, *b)) for a, b in pairwise(ends)]
    last = [(delta(matrix.dims[axis]), (ends[-1][axis], ("end", axis))) for axis in range(half)]
    return contract(1, [*factors, *last], out)


# ---------------------------------------------------------------- sums


def add(terms: Iterable[tuple[Fraction | int, Node]], dims: Shape) -> Node:
    """Return `Σ coef · term`; every term has the axes `dims`.

    The content is taken out, so that a sum that stands as a factor is primitive: `2x + 2y` is
    `2 (x + y)`, with a sign that depends on the sum alone.
    """
    total: dict[Node, Fraction] = {}
    dims = tuple(dims)
    stack = [(_rational(c), n) for c, n in terms]
    if len(stack) == 1 and stack[0][0] is ONE and stack[0][1].dims == dims and not _wraps_a_sum(stack[0][1]):
        return stack[0][1]
    while stack:
        coef, node = stack.pop()
        if node.dims != dims:
            raise ShapeError("terms of different shapes")
        if isinstance(node, Add):
            stack += [(coef * c, n) for c, n in node.terms]
            continue
        if isinstance(node, Contraction) and not node.bound:
            if len(node.factors) == 1:
                inner, labels = node.factors[0]
                if isinstance(inner, Add):
                    spread = [(coef * node.coef * c, rewrapped(n, labels, node.dims)) for c, n in inner.terms]
                    stack += spread
                    continue
            coef, node = coef * node.coef, _with_coef(node, ONE)
        total[node] = total.get(node, ZERO) + coef
    kept = {n: c for n, c in total.items() if c != 0}
    if not kept:
        return number(0, dims)
    if len(kept) == 1:
        ((node, coef),) = kept.items()
        return scaled(coef, node)
    used = sorted({axis for n in kept for axis in used_axes(n)})
    if len(used) < len(dims):
        small = tuple(dims[k] for k in used)
        return rewrapped(add([(c, without_axes(n, used)) for n, c in kept.items()], small), tuple(used), dims)
    content = common_content(kept.values())
    content *= _sign(kept)
    items = sorted(((c / content, n) for n, c in kept.items()), key=lambda t: t[1].key)
    result: Node = Add(dims, tuple(items))
    if len(dims) == 2:
        flipped = sorted(((c, transposed(n, (1, 0))) for c, n in items), key=lambda t: t[1].key)
        other = Add((dims[1], dims[0]), tuple(flipped))
        if other.key < result.key:
            return Contraction(dims, content, ((other, (1, 0)),), dims)
    return scaled(content, result)


def _wraps_a_sum(node: Node) -> bool:
    """Tell a multiple of a sum, or a sum with its axes in another order, whose terms stand for it in a sum."""
    wrapper = isinstance(node, Contraction) and not node.bound and len(node.factors) == 1
    return wrapper and isinstance(next(node.children()), Add)


def _with_coef(node: Contraction, coef: Fraction) -> Node:
    if coef == 1 and len(node.factors) == 1:
        return _pure(ONE, list(node.factors), node.dims)
    return Contraction(node.dims, coef, node.factors, node.sizes)


def scaled(coef: Fraction, node: Node) -> Node:
    """Return `coef · node`."""
    if coef == 1:
        return node
    return contract(coef, [(node, range(node.rank))], range(node.rank), dict(enumerate(node.dims)))


def _sign(terms: Mapping[Node, Fraction]) -> int:
    """The sign that makes more terms positive; with a tie, a constant, the longest term, the last name."""
    balance = sum(1 if c > 0 else -1 for c in terms.values())
    if balance:
        return 1 if balance > 0 else -1
    lead = next((n for n in terms if constant(n) is not None), None)
    if lead is None:
        lead = max(terms, key=lambda n: (weight(n), getattr(core(n)[0], "name", ""), n.key))
    return 1 if terms[lead] > 0 else -1


_WEIGHTS: weakref.WeakKeyDictionary[Node, int] = weakref.WeakKeyDictionary()


def weight(node: Node) -> int:
    """Return how long a node is when it is written out; deep chains of definitions included."""
    waiting = [] if node in _WEIGHTS else [node]
    while waiting:
        top = waiting[-1]
        missing = [c for c in top.children() if c not in _WEIGHTS]
        if not missing:
            waiting.pop()
            inner = sum(_WEIGHTS[c] for c in top.children())
            wrapper = isinstance(top, Contraction) and not top.bound and len(top.factors) == 1
            _WEIGHTS[top] = min(10**6, inner if wrapper else 1 + top.rank + inner)
        else:
            waiting += missing
    return _WEIGHTS[node]


# ---------------------------------------------------------------- entrywise functions


def entrywise(function: str, arg: Node, order: int = 0) -> Node:
    """Return `f(arg[i…])`."""
    inner, axes = core(arg)
    value = constant(inner)
    if value is not None:
        known = at_number(function, value)
        if known is not None:
            return number(known, arg.dims)
    if function == "exp":
        soft = _exp_of_log_softmax(arg)
        if soft is not None:
            return soft
    if function == "abs" and positive(inner):
        return arg
    if function == "sign" and positive(inner):
        return number(1, arg.dims)
    if isinstance(inner, Leaf) and inner.traits & SIGNS and function in ("abs", "sign"):
        return arg if function == "sign" else number(1, arg.dims)
    if function in ("abs", "sign") and isinstance(inner, Contraction):
        sums = len(inner.factors) == 1 and isinstance(inner.factors[0][0], Add)
        outside = sign_of(inner.coef) if sums else inner.coef  # |x + 1/2| keeps its content, which is not seen
        if outside != 1:
            size = abs(outside) if function == "abs" else sign_of(outside)
            return scaled(size, entrywise(function, scaled(1 / outside, arg), order))
    return rewrapped(Map(inner.dims, function, order, inner), axes, arg.dims)


def _exp_of_log_softmax(arg: Node) -> Node | None:
    """`exp(u − log Σ exp(u)) = softmax(u)`, the sum over some axes of u, the others as they are."""
    terms = terms_of(arg)
    for k, (coef, term) in enumerate(terms):
        low, at = core(term)
        if coef != -1 or not isinstance(low, LogSumExp):
            continue
        rest = add([t for n, t in enumerate(terms) if n != k], arg.dims)
        inner, axes = (rest, tuple(range(rest.rank))) if rest is low.arg else core(rest)
        kept = tuple(axis for s, axis in enumerate(axes) if s not in low.axes)
        if inner is low.arg and kept == at and sorted(axes) == list(range(arg.rank)):
            return rewrapped(Softmax(inner.dims, inner, low.axes), axes, arg.dims)
    return None


def terms_of(node: Node) -> list[tuple[Fraction, Node]]:
    """Return the terms of a sum; its content, and the order of its axes, are put into them."""
    if isinstance(node, Add):
        return list(node.terms)
    if isinstance(node, Contraction) and not node.bound and len(node.factors) == 1:
        inner, labels = node.factors[0]
        if isinstance(inner, Add):
            return [(node.coef * c, rewrapped(n, labels, node.dims)) for c, n in inner.terms]
    return [(ONE, node)]


def power(base: Node, exponent: Fraction | int) -> Node:
    """Return `base[i…] ** exponent` for a rational exponent."""
    if exponent is ONE or exponent == 1:
        return base
    exponent = Fraction(exponent)
    if exponent == 0:
        return number(1, base.dims)
    value = constant(base)
    if value is not None:
        known = exact_power(value, exponent)
        if known is not None:
            return number(known, base.dims)
    told = told_exponent(base, exponent)
    if told != exponent:
        return power(base, told)
    whole = exponent.denominator == 1
    if isinstance(base, Delta):
        if exponent < 0:
            raise UnsupportedError("division by an identity matrix divides by its zeros")
        return base
    if isinstance(base, Pow):
        if whole or positive(base.base):
            return power(base.base, base.exponent * exponent)
        if base.exponent * exponent == 1 and base.exponent == 2:
            return entrywise("abs", base.base)
    if isinstance(base, Map) and base.function == "abs" and whole and exponent % 2 == 0:
        return power(base.arg, exponent)
    if isinstance(base, Contraction) and not base.bound and base.factors:
        if whole:
            return contract(
                integer_power(base.coef, int(exponent)),
                [(power(f, exponent), labels) for f, labels in base.factors],
                range(base.rank),
                dict(enumerate(base.dims)),
            )
        outside = [(f, labels) for f, labels in base.factors if has_own_root(f)]
        root = exact_power(base.coef, exponent) if base.coef > 0 else None
        if outside or (root is not None and base.coef != 1):
            inside = [p for p in base.factors if p not in outside]
            left = base.coef if root is None else ONE
            rest = contract(left, inside, range(base.rank), dict(enumerate(base.dims)))
            parts = [(power(f, exponent), labels) for f, labels in outside]
            if constant(rest) != 1:
                parts.append((_root(rest, exponent), tuple(range(base.rank))))
            return contract(root if root is not None else ONE, parts, range(base.rank), dict(enumerate(base.dims)))
    return _root(base, exponent)


def _root(base: Node, exponent: Fraction) -> Node:
    inner, axes = core(base)
    return rewrapped(Pow(inner.dims, inner, exponent), axes, base.dims)


def general_power(base: Node, exponent: Node) -> Node:
    """Return `base[i…] ** exponent[i…]` for two arrays of the same axes."""
    value = constant(exponent)
    if value is not None:
        return power(base, value)
    if constant(base) == 1:
        return base
    return _oriented(base.dims, (base, exponent), lambda dims, parts: Power(dims, *parts))


def where(relation: str, left: Node, right: Node, yes: Node, no: Node) -> Node:
    """Return `yes` where `left ⋈ right`, else `no`, entrywise."""
    if yes is no:
        return yes
    if left is right:
        return yes if relation in ("<=", ">=") else no
    return _oriented(yes.dims, (left, right, yes, no), lambda dims, parts: Where(dims, relation, *parts))


def extremum(kind: str, left: Node, right: Node) -> Node:
    """Return the entrywise maximum or minimum."""
    if left is right:
        return left
    values = [v for v in (constant(left), constant(right)) if v is not None]
    if len(values) == 2:
        return number(max(values) if kind == "maximum" else min(values), left.dims)
    return _oriented(left.dims, (left, right), lambda dims, parts: Extremum(dims, kind, *sorted(parts, key=_in_order)))


def _in_order(node: Node) -> tuple[bool, str]:
    """Order the arguments of a commutative function: numbers stand on the right."""
    return constant(node) is not None, node.key


def _oriented(dims: Shape, parts: tuple[Node, ...], build: Callable[[Shape, tuple[Node, ...]], Node]) -> Node:
    """Return an entrywise function of several arrays: the same node for them all transposed or only broadcast."""
    used = sorted({axis for p in parts for axis in used_axes(p)})
    if len(used) < len(dims):
        small = tuple(dims[k] for k in used)
        narrow = tuple(without_axes(p, used) for p in parts)
        return rewrapped(_oriented(small, narrow, build), tuple(used), dims)
    node = build(dims, parts)
    if len(dims) != 2:
        return node
    flipped = build((dims[1], dims[0]), tuple(transposed(p, (1, 0)) for p in parts))
    if flipped.key >= node.key:
        return node
    return Contraction(dims, ONE, ((flipped, (1, 0)),), dims)


def with_arguments(node: Node, new: Callable[[Node], Node]) -> Node:
    """Return an entrywise function of what `new` makes of its arguments."""
    match node:
        case Map():
            return entrywise(node.function, new(node.arg), node.order)
        case Pow():
            return power(new(node.base), node.exponent)
        case Power():
            return general_power(new(node.base), new(node.exponent))
        case Where():
            return where(node.relation, *map(new, node.children()))
        case Extremum():
            return extremum(node.kind, new(node.left), new(node.right))
    raise AssertionError(node)


def used_axes(node: Node) -> tuple[int, ...]:
    """Return the axes on which a node depends."""
    if not isinstance(node, Contraction) or node.bound:
        return tuple(range(node.rank))
    alone = node.coef == 1 and len(node.factors) == 1
    if any(isinstance(f, Delta) or (alone and len(set(own)) < f.rank) for f, own in node.factors):
        return tuple(range(node.rank))
    return tuple(sorted({label for _, own in node.factors for label in own}))


def without_axes(node: Node, used: Sequence[int]) -> Node:
    """Return a node as a function of the axes `used`, on which alone it depends."""
    value = constant(node)
    if value is not None:
        return number(value, tuple(node.dims[k] for k in used))
    inner, axes = core(node)
    return contract(1, [(inner, axes)], used, {k: node.dims[k] for k in used})


# ---------------------------------------------------------------- symmetry

_SYMMETRIES: weakref.WeakKeyDictionary[Node, tuple[tuple[int, ...], ...]] = weakref.WeakKeyDictionary()


def symmetries(node: Node) -> tuple[tuple[int, ...], ...]:
    """Return the permutations of its axes that leave a node unchanged, the identity among them."""
    known = _SYMMETRIES.get(node)
    if known is None:
        known = _SYMMETRIES[node] = _find_symmetries(node)
    return known


def _find_symmetries(node: Node) -> tuple[tuple[int, ...], ...]:
    same = tuple(range(node.rank))
    if isinstance(node, Unknown):
        return _unknown_symmetries(node)
    if isinstance(node, ProdExcept) and node.order > 1:
        return _product_symmetries(node)
    if isinstance(node, Contraction) and 2 <= node.rank <= 4 and len(set(node.dims)) < node.rank:
        return _contraction_symmetries(node)
    if isinstance(node, (*ENTRYWISE, Add)) and 2 < node.rank <= 4 and len(set(node.dims)) < node.rank:
        return tuple(perm for perm in permutations(same) if perm == same or _stays(node, perm))
    if node.rank != 2 or node.dims[0] != node.dims[1]:
        return (same,)
    both = (same, (1, 0))
    return both if _is_symmetric(node) else (same,)


def _is_symmetric(node: Node) -> bool:
    match node:
        case Delta():
            return True
        case Leaf():
            return bool(node.traits & SYMMETRIC)
        case Independent():
            return False
        case Defined():
            return len(symmetries(node.body)) > 1
        case Map() | Inverse() | MatrixPower():
            return len(symmetries(node.arg)) > 1
        case Pow():
            return len(symmetries(node.base)) > 1 or (node.exponent % 2 == 0 and _is_antisymmetric(node.base))
        case Add():
            flipped = {transposed(n, (1, 0)): c for c, n in node.terms}
            return flipped == {n: c for c, n in node.terms}
        case _:
            return False


def _stays(node: Node, perm: Sequence[int]) -> bool:
    """Tell whether an entrywise function of arrays is that of the same arrays with their axes in another order."""
    if any(node.dims[k] != size for k, size in zip(perm, node.dims, strict=True)):
        return False
    if isinstance(node, Add):
        return {transposed(n, perm): c for c, n in node.terms} == {n: c for c, n in node.terms}
    return all(transposed(part, perm) is part for part in node.children())


def _is_antisymmetric(node: Node) -> bool:
    """Tell a difference that is its own transpose with the sign turned round, as `x[i] - x[j]` is."""
    if not isinstance(node, Add) or node.dims[0] != node.dims[-1] or sum(c for c, _ in node.terms):
        return False
    return {transposed(n, (1, 0)): -c for c, n in node.terms} == {n: c for c, n in node.terms}


def _contraction_symmetries(node: Contraction) -> tuple[tuple[int, ...], ...]:
    """Try every order of axes of equal sizes: a symmetry is one that leaves the canonical form alone."""
    axes = range(node.rank)
    written: dict[tuple[int, ...], list[tuple[str, tuple[int, ...]]]] = {}
    items = [(f.key, labels, symmetries(f)) for f, labels in node.factors]
    alike = standings(items, axes)
    orders = [
        p for p in permutations(axes) if all(alike[p[k]] == alike[k] and node.dims[p[k]] == node.dims[k] for k in axes)
    ]
    if len(orders) == 1:
        return (tuple(axes),)
    for perm in orders:
        fixed = {label: f"1{size}" for label, size in enumerate(node.sizes)}
        fixed.update({perm[k]: f"0{k}" for k in axes})
        names, order = canonical(items, fixed)
        written[perm] = [(node.factors[k][0].key, _settled(node.factors[k], names)[1]) for k in order]
    first = written[tuple(axes)]
    return tuple(perm for perm, form in written.items() if form == first)


def _unknown_symmetries(node: Unknown) -> tuple[tuple[int, ...], ...]:
    own = node.rank - sum(node.args[s].rank for s in node.slots)
    perms: list[tuple[int, ...]] = [tuple(range(node.rank))]
    at = own
    starts = []
    for slot in node.slots:
        starts.append(at)
        at += node.args[slot].rank
    for k in range(len(node.slots) - 1):
        if node.slots[k] != node.slots[k + 1]:
            continue
        width = node.args[node.slots[k]].rank
        swapped = list(range(node.rank))
        a, b = starts[k], starts[k + 1]
        swapped[a : a + width], swapped[b : b + width] = swapped[b : b + width], swapped[a : a + width]
        perms += [tuple(p[s] for s in swapped) for p in list(perms)]
    return tuple(dict.fromkeys(perms))


def _leaves_out_twice(node: ProdExcept, labels: Sequence[int]) -> bool:
    """Tell whether two of the entries that a product leaves out are one and the same."""
    left_out = [tuple(labels[axis] for axis in place) for place in node.places]
    return len(set(left_out)) < len(left_out)


def _product_symmetries(node: ProdExcept) -> tuple[tuple[int, ...], ...]:
    """The entries that are left out come in no order."""
    perms = []
    for chosen in permutations(node.places):
        perm = list(range(node.rank))
        for old, new in zip(node.places, chosen, strict=True):
            for a, b in zip(old, new, strict=True):
                perm[a] = b
        perms.append(tuple(perm))
    return tuple(perms)
