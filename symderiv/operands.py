"""Matrix notation, piece by piece: intermediate results that can be asked for with their axes in any order.

An :class:`Operand` knows its indices and gives its expression for any order of them, so transposes are
chosen last and are few; a chain of matrix products stays open until its direction is known.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from fractions import Fraction
from functools import reduce
from itertools import combinations, groupby, permutations

from symderiv.columns import along_the_last, column, transposed
from symderiv.errors import UnsupportedError
from symderiv.tensor.expr import Expr, weight
from symderiv.tensor.operations import MOST_POWER, apply

Label = Hashable
Labels = tuple[Label, ...]
ONE = Fraction(1)
MOST_TURNED = 3  # axes of which all orders are tried
MOST_DIGITS = 8  # of a number that was typed as a decimal
LETTERS = "ijklmnpqrstuvwabcdefghxyzABCDEFGHIJKLMNPQRSTUVWXYZ"


class Operand:
    """An intermediate result: `at(order)` is the expression with its axes in that order."""

    __slots__ = ("_forms", "_known", "labels", "pieces")

    def __init__(
        self, labels: Labels, forms: Callable[[Labels], Expr], pieces: tuple[Operand, ...] | None = None
    ) -> None:
        self.labels = labels
        self._forms = forms
        self._known: dict[Labels, Expr] = {}
        self.pieces = pieces or (self,)

    def at(self, order: Labels) -> Expr:
        """Return the expression with axes in the given order."""
        if order not in self._known:
            self._known[order] = self._forms(order)
        return self._known[order]

    @property
    def best(self) -> Expr:
        """Return the shortest form, whatever the order of its axes."""
        return best_order(self)[0]


def lettered(labels: Sequence[Label]) -> dict[Label, str]:
    """Return a letter of einsum for each index."""
    distinct = list(dict.fromkeys(labels))
    if len(distinct) > len(LETTERS):
        raise UnsupportedError(
            f"an einsum over {len(distinct)} indices has more of them than there are letters",
            hint="give parts of the expression names of their own: statements() writes the result over them",
        )
    return dict(zip(distinct, LETTERS, strict=False))


def number(value: Fraction | int) -> Expr:
    """Return a literal number."""
    return Expr("number", (), (Fraction(value),), ())


def raised(value: Expr, exponent: Fraction) -> Expr:
    """Return `value ** exponent`, a square root as sqrt."""
    if exponent == 1:
        return value
    if exponent == Fraction(1, 2):
        return apply("sqrt", value)
    return apply("power", value, data=(exponent,))


def plain(expr: Expr, labels: Labels, symmetric: bool) -> Operand:
    """Return an expression whose axes carry `labels`, transposed on demand."""

    def at(order: Labels) -> Expr:
        if order == labels or symmetric:
            return expr
        if len(labels) == 2:
            return transposed(expr)
        return apply("transpose", expr, data=(tuple(labels.index(x) for x in order),))

    return Operand(labels, at)


def negated(expr: Expr) -> Expr:
    """Return the negative of an expression."""
    if expr.op == "number":
        return number(-expr.data[0])
    if expr.op == "neg":
        return expr.args[0]
    return apply("neg", expr)


def times(left: Expr, right: Expr) -> Expr:
    """Return a product, 1 left out."""
    if left.op == "number" and left.data[0] == 1:
        return right
    if right.op == "number" and right.data[0] == 1:
        return left
    return apply("mul", left, right)


def as_column(operand: Operand) -> Expr:
    """Return a vector as a column that scales rows."""
    return column(operand.at(operand.labels))


def reciprocal(operand: Operand) -> Operand:
    """Return one over an operand."""
    return Operand(operand.labels, lambda order: apply("div", number(1), operand.at(order)))


def vector_of(parts: Sequence[tuple[Operand, bool]], labels: Labels) -> Expr:
    """Return the entrywise product of vectors along one axis."""
    nums = [w.at(w.labels) for w, inverted in parts if not inverted]
    dens = [w.at(w.labels) for w, inverted in parts if inverted]
    return assembled(ONE, [], dens, nums)


def entrywise(parts: Sequence[tuple[Operand, bool]]) -> tuple[Operand, bool]:
    """Join operands that carry the same indices."""
    labels = parts[0][0].labels
    if all(inverted for _, inverted in parts):
        both = [w for w, _ in parts]
        return Operand(labels, lambda order: apply("mul", both[0].at(order), both[1].at(order))), True

    def at(order: Labels) -> Expr:
        nums = [w.at(order) for w, inverted in parts if not inverted]
        dens = [w.at(order) for w, inverted in parts if inverted]
        return assembled(ONE, [], dens, nums)

    return Operand(labels, at), False


def merged_entrywise(parts: list[Operand]) -> list[Operand]:
    """Join operands over the same set of indices; scale along an index where a vector stands beside."""
    groups: dict[frozenset[Label], list[Operand]] = {}
    for part in parts:
        groups.setdefault(frozenset(part.labels), []).append(part)
    done = []
    for members in groups.values():
        first = members[0]
        for other in members[1:]:
            first = entrywise([(first, False), (other, False)])[0]
        done.append(first)
    return done


def best_order(operand: Operand) -> tuple[Expr, Labels]:
    """Return the shortest form and the order of its axes; of two einsums, the one that turns fewer axes."""
    if len(operand.labels) > MOST_TURNED:
        return operand.at(operand.labels), operand.labels
    forms = [(operand.at(order), order) for order in permutations(operand.labels)]
    return min(forms, key=lambda form: (weight(form[0]), turns(form[0])))


def turns(expr: Expr) -> int:
    """Count the pairs of indices that an einsum names the other way round than they come out."""
    if expr.op != "einsum":
        return 0
    inputs, out = expr.data[0].split("->")
    places = {letter: k for k, letter in enumerate(out)}
    found = [[places[x] for x in part if x in places] for part in inputs.split(",")]
    return sum(i > j for part in found for i, j in combinations(part, 2))


def diagonal(operand: Operand) -> Operand:
    """Read a repeated index."""
    labels = operand.labels
    if len(labels) == 2:
        value = apply("diag", operand.at(labels))
        return Operand(labels[:1], lambda order: value)
    letters = lettered(labels)
    spec = "".join(letters[x] for x in labels) + "->" + "".join(letters.values())
    return plain(apply("einsum", operand.at(labels), data=(spec,)), tuple(letters), symmetric=False)


def summed(operand: Operand, over: Labels) -> Operand:
    """Sum over indices that stand nowhere else."""
    rest = tuple(x for x in operand.labels if x not in over)
    best, order = best_order(operand)
    if not rest:
        if best.op == "diag" and best.rank == 1:
            value = apply("trace", best.args[0])
        else:
            value = apply("sum", best)
        return Operand((), lambda _: value)
    if len(over) == 1:
        value = apply("sum", best, data=(order.index(over[0]),))
        return plain(value, tuple(x for x in order if x in rest), symmetric=False)
    letters = lettered(operand.labels)
    spec = "".join(letters.values()) + "->" + "".join(letters[x] for x in rest)
    return plain(apply("einsum", operand.at(operand.labels), data=(spec,)), rest, symmetric=False)


def chained(left: Operand, right: Operand, q: Label) -> Operand:
    """Join two operands by a matrix product over the index they share."""
    a = left.pieces if left.pieces[-1].labels and q in left.pieces[-1].labels else tuple(reversed(left.pieces))
    b = right.pieces if q in right.pieces[0].labels else tuple(reversed(right.pieces))
    pieces = (*a, *b)
    labels = tuple(x for x in (*left.labels, *right.labels) if x != q)
    both_ways: list[Expr] = []

    def at(order: Labels) -> Expr:
        if not both_ways:
            both_ways.extend((multiplied(pieces), multiplied(tuple(reversed(pieces)))))
        return chain_at(pieces, both_ways, order)

    return Operand(labels, at, pieces)


def chain_at(pieces: tuple[Operand, ...], both_ways: Sequence[Expr], order: Labels) -> Expr:
    """Return a chain of matrix products with its ends in the given order."""
    ends = (_open_end(pieces, 0), _open_end(pieces, -1))
    forward, backward = both_ways
    if len(order) == 2:
        direct, turned = (forward, backward) if ends == order else (backward, forward)
        return min((direct, transposed(turned)), key=weight)
    if len(order) == 1:
        matrix_first, other = (forward, backward) if ends[0] == order[0] else (backward, forward)
        return matrix_first if weight(matrix_first) <= weight(other) + 2 else other
    return min((forward, backward), key=weight)


def _open_end(pieces: tuple[Operand, ...], side: int) -> Label | None:
    piece = pieces[side]
    if len(piece.labels) == 1:
        return None
    inner = pieces[1 if side == 0 else -2].labels
    return next(x for x in piece.labels if x not in inner)


def multiplied(pieces: tuple[Operand, ...]) -> Expr:
    """Return the product of pieces, read from left to right; a vector at the right end is met first."""
    exprs = []
    for k, piece in enumerate(pieces):
        if len(piece.labels) == 1:
            exprs.append(piece.at(piece.labels))
            continue
        nearby = pieces[k - 1].labels if k else pieces[1].labels
        shared = next(x for x in piece.labels if x in nearby)
        other = next(x for x in piece.labels if x != shared)
        exprs.append(piece.at((shared, other) if k else (other, shared)))
    exprs = runs_as_powers(exprs)
    if exprs[-1].rank == 1 and exprs[0].rank == 2:
        return reduce(lambda value, e: apply("matmul", e, value), reversed(exprs))
    return reduce(lambda value, e: apply("matmul", value, e), exprs)


def runs_as_powers(exprs: Sequence[Expr]) -> list[Expr]:
    """Return the factors of a product with three or more equal neighbours as a power."""
    runs = [(e, len(list(group))) for e, group in groupby(exprs)]
    found: list[Expr] = []
    for e, count in runs:
        found += [apply("matrix_power", e, data=(count,))] if 2 < count <= MOST_POWER and e.rank == 2 else [e] * count
    return found


def traced(left: Operand, right: Operand) -> Operand:
    """Sum over both indices of two matrices."""
    a, b = left.labels
    entry = [apply("sum", entries_times(left.at(o), right.at(o))) for o in ((a, b), (b, a))]
    product = [apply("trace", apply("matmul", left.at(o), right.at(tuple(reversed(o))))) for o in ((a, b), (b, a))]
    value = min([*product, *entry], key=weight)
    return Operand((), lambda order: value)


def entries_times(left: Expr, right: Expr) -> Expr:
    """Return an entrywise product, that of an array with itself as a square."""
    return raised(left, Fraction(2)) if left is right else assembled(ONE, [], [], [left, right])


def row_sums(left: Operand, right: Operand, labels: Labels) -> Operand:
    """`Σ_q L[q, r] R[q, r]` for every r."""
    q, r = labels
    forms = []
    for order in ((q, r), (r, q)):
        product = entries_times(left.at(order), right.at(order))
        forms.append(apply("sum", product, data=(order.index(q),)))
    value = min(forms, key=weight)
    return Operand((r,), lambda order: value)


def scaled_rows(matrix: Operand, vector: Operand, q: Label, inverted: bool) -> Operand:
    """Scale a matrix by a vector along one of its indices."""
    r = next(x for x in matrix.labels if x != q)

    def at(order: Labels) -> Expr:
        scale = along_the_last(vector.at((q,))) if order == (r, q) else as_column(vector)
        value = matrix.at(order)
        if inverted:
            return apply("div", value, scale)
        return apply("mul", value, scale)

    return Operand((r, q), at)


def with_scalars(coef: Fraction, top: list[Expr], low: list[Expr], operand: Operand, out: Labels) -> Operand:
    """Multiply by scalars, keeping a chain a chain where there are none."""
    if coef == 1 and not top and not low:
        return operand
    return Operand(out, lambda order: assembled(coef, top, low, [operand.at(order)]))


def assembled(coef: Fraction, top: Sequence[Expr], low: Sequence[Expr], arrays: Sequence[Expr]) -> Expr:
    """Return `coef · top · arrays / low` as it is written: number, scalars, arrays, divisor."""
    negative = (coef < 0) ^ (sum(map(is_negative, arrays)) % 2 == 1)
    arrays = [without_minus(e) if is_negative(e) else e for e in arrays]
    coef = abs(coef)
    divisors = list(low)
    if coef.denominator != 1 and not is_short_decimal(coef):
        divisors.insert(0, number(coef.denominator))
        coef = Fraction(coef.numerator)
    nums = [*top, *arrays]
    if coef != 1 or not nums:
        nums.insert(0, number(coef))
    nums, ones = _split_reciprocals(nums)
    nums, divisors = averaged(nums, divisors + ones)
    if not nums:
        nums = [number(1)]
    if len(nums) > 1 and nums[0].op == "number" and nums[0].data[0] == 1:
        nums = nums[1:]
    value = nums[0]
    for e in nums[1:]:
        value = apply("mul", value, e)
    if negative:
        value = negated_first(value)
    if divisors:
        low_value = divisors[0]
        for e in divisors[1:]:
            low_value = apply("mul", low_value, e)
        value = apply("div", value, low_value)
    return value


def averaged(nums: list[Expr], divisors: list[Expr]) -> tuple[list[Expr], list[Expr]]:
    """Read a sum over the number of what is summed as a mean."""
    nums, divisors = list(nums), list(divisors)
    for k, e in enumerate(nums):
        if e.op != "sum":
            continue
        over = [e.args[0].shape[e.data[0]]] if e.data else list(e.args[0].shape)
        counts = [next((d for d in divisors if d.op == "size" and d.data[0] == size), None) for size in over]
        if None in counts or len(set(counts)) < len(counts):
            continue
        nums[k] = apply("mean", *e.args, data=e.data)
        for count in counts:
            divisors.remove(count)  # type: ignore[arg-type]
    return nums, divisors


def _split_reciprocals(nums: list[Expr]) -> tuple[list[Expr], list[Expr]]:
    kept, divisors = [], []
    for e in nums:
        if e.op == "div" and e.args[0].op == "number" and e.args[0].data[0] == 1:
            divisors.append(e.args[1])
        else:
            kept.append(e)
    return kept, divisors


def negated_first(value: Expr) -> Expr:
    """Put a minus in front of a product: at its first factor, where it is read."""
    if value.op == "mul":
        return apply("mul", negated_first(value.args[0]), value.args[1])
    return negated(value)


def is_short_decimal(value: Fraction) -> bool:
    """Tell what reads better as a decimal than as a quotient: 0.25, and 0.79788456 where that is exact."""
    simple = 10000 % value.denominator == 0
    return simple or (value.denominator > 10000 and 10**MOST_DIGITS % value.denominator == 0)


def is_negative(expr: Expr) -> bool:
    """Tell whether an expression is written with a leading minus."""
    if expr.op == "number":
        return bool(expr.data[0] < 0)
    return expr.op == "neg" or (expr.op in ("mul", "div", "newaxis") and is_negative(expr.args[0]))


def without_minus(expr: Expr) -> Expr:
    """Return the expression without its leading minus."""
    if expr.op == "number":
        return number(-expr.data[0])
    if expr.op == "neg":
        return expr.args[0]
    first = without_minus(expr.args[0])
    if expr.op == "mul" and first.op == "number" and first.data[0] == 1:
        return expr.args[1]
    return apply(expr.op, first, *expr.args[1:], data=expr.data)


def apply_sum(terms: Sequence[Expr]) -> Expr:
    """Return a sum as it is written, with - for what is negative."""
    value = terms[0]
    for e in terms[1:]:
        value = apply("sub", value, without_minus(e)) if is_negative(e) else apply("add", value, e)
    return value
