"""The productions of the grammar: at least one for every operation of the language and every function.

Each is a few lines: which axes it can make, and which arguments it then asks for.  Those of positive,
bounded and regular expressions follow in :mod:`symderiv.testing.domains`.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

from symderiv import dims
from symderiv.functions import FUNCTIONS
from symderiv.tensor.expr import Axes, Axis, Expr
from symderiv.tensor.operations import ONE_AXIS, apply
from symderiv.tensor.parse import number
from symderiv.testing.grammar import Grammar, Kind, Production

PRODUCTIONS: list[Production] = []
MOST_RANK = 4
INTERNAL = frozenset({"map", "others"})  # operations that no text calls by that name
LETTERS = "ijklqrst"

Make = Callable[[Grammar, Axes, int], Expr]


def everywhere(axes: Axes) -> bool:
    """Any axes."""
    return True


def rank(*ranks: int) -> Callable[[Axes], bool]:
    """As many axes as one of the numbers says."""
    return lambda axes: len(axes) in ranks


def square(axes: Axes) -> bool:
    """A square matrix."""
    return len(axes) == 2 and axes[0] == axes[1]


def production(fits: Callable[[Axes], bool], kind: Kind = "any", weight: int = 1) -> Callable[[Make], Make]:
    """Add a production to the table."""

    def register(make: Make) -> Make:
        PRODUCTIONS.append(Production(make.__name__, kind, fits, make, weight))
        return make

    return register


def each(g: Grammar, axes: Axes, count: int, depth: int, kind: Kind = "any") -> list[Expr]:
    """Return operands that are broadcast to the axes."""
    return [g.expression(own, depth, kind) for own in g.operands(axes, count)]


def plus(value: Fraction | int, e: Expr) -> Expr:
    """Return a number plus an expression."""
    return apply("add", number(value), e)


def times(value: Fraction | int, e: Expr) -> Expr:
    """Return a multiple of an expression."""
    return apply("mul", number(value), e)


def function(name: str, e: Expr) -> Expr:
    """Return a scalar function, applied entrywise."""
    return apply("map", e, data=(name, 0))


# ---------------------------------------------------------------- entrywise

DOMAINS: dict[str, Kind] = {"log": "positive", "log1p": "positive", "arcsin": "unit", "arccos": "unit", "tan": "unit"}
SMOOTH = ("tanh", "sin", "exp", "sigmoid", "softplus")


@production(everywhere, weight=3)
def add(g: Grammar, axes: Axes, depth: int) -> Expr:
    """A sum or a difference."""
    return apply(g.pick(["add", "sub"]), *each(g, axes, 2, depth))


@production(everywhere, weight=4)
def mul(g: Grammar, axes: Axes, depth: int) -> Expr:
    """A product of entries."""
    return apply("mul", *each(g, axes, 2, depth))


@production(everywhere, weight=3)
def smooth(g: Grammar, axes: Axes, depth: int) -> Expr:
    """The functions that are met most."""
    return function(g.pick(SMOOTH), g.expression(axes, depth))


@production(everywhere, weight=4)
def function_of_the_table(g: Grammar, axes: Axes, depth: int) -> Expr:
    """Any function, its argument inside the domain."""
    name = g.pick(sorted(FUNCTIONS))
    return function(name, g.expression(axes, depth, DOMAINS.get(name, "any")))


@production(everywhere)
def unknown(g: Grammar, axes: Axes, depth: int) -> Expr:
    """A function without a formula."""
    e = g.expression(axes, depth)
    return function(g.function, e) if g.function else apply("neg", e)


@production(everywhere, weight=2)
def div(g: Grammar, axes: Axes, depth: int) -> Expr:
    """A quotient; the denominator is mostly positive."""
    above, below = g.operands(axes, 2)
    return apply("div", g.expression(above, depth), g.expression(below, depth, "any" if g.one_in(6) else "positive"))


@production(everywhere)
def neg(g: Grammar, axes: Axes, depth: int) -> Expr:
    """The negative."""
    return apply("neg", g.expression(axes, depth))


@production(everywhere, weight=2)
def power(g: Grammar, axes: Axes, depth: int) -> Expr:
    """A power with a whole exponent, or any exponent of what is positive."""
    if g.one_in(2):
        exponent = Fraction(g.pick(["1/2", "-1", "3/2", "-2", "-1/2", "1/3", "1"]))
        return apply("power", g.expression(axes, depth, "positive"), data=(exponent,))
    return apply("power", g.expression(axes, depth), data=(Fraction(g.pick([2, 3, 4])),))


@production(everywhere)
def general_power(g: Grammar, axes: Axes, depth: int) -> Expr:
    """A positive number to the power of an expression."""
    base, exponent = g.operands(axes, 2)
    return apply("general_power", g.expression(base, depth, "positive"), symbolic(g, exponent, depth - 1))


def symbolic(g: Grammar, axes: Axes, depth: int) -> Expr:
    """Return an expression that is not a literal number."""
    e = g.expression(axes, depth)
    return apply("add", g.variable(()), e) if e.op in ("number", "neg") and not axes else e


@production(everywhere)
def sqrt(g: Grammar, axes: Axes, depth: int) -> Expr:
    """A square root of what is positive."""
    return apply("sqrt", g.expression(axes, depth, "positive"))


@production(everywhere)
def extremum(g: Grammar, axes: Axes, depth: int) -> Expr:
    """The larger or the smaller one."""
    return apply(g.pick(["maximum", "minimum"]), *each(g, axes, 2, depth))


@production(everywhere)
def where(g: Grammar, axes: Axes, depth: int) -> Expr:
    """One of two, as a comparison says."""
    return apply("where", *each(g, axes, 4, depth - 1), data=(g.pick(["<", ">", "<=", ">="]),))


@production(lambda axes: len(axes) > 0, weight=2)
def softmax(g: Grammar, axes: Axes, depth: int) -> Expr:
    """A softmax along an axis, counted from the front or from the back."""
    return apply("softmax", g.expression(axes, depth), data=(_axis(g, len(axes)),))


def _axis(g: Grammar, count: int) -> int:
    axis = g.choices.number(count - 1)
    return axis - count if g.one_in(4) else axis


# ---------------------------------------------------------------- rearrangements


@production(lambda axes: len(axes) > 1)
def transpose(g: Grammar, axes: Axes, depth: int) -> Expr:
    """The axes in another order: `.T`, or any."""
    if not g.one_in(3):
        return apply("transpose", g.expression(tuple(reversed(axes)), depth))
    left = list(range(len(axes)))
    order = tuple(left.pop(g.choices.number(len(left) - 1)) for _ in axes)
    inner: list[Axis] = [()] * len(axes)
    for place, axis in enumerate(order):
        inner[axis] = axes[place]
    return apply("transpose", g.expression(tuple(inner), depth), data=(order,))


@production(lambda axes: ONE_AXIS in axes, weight=3)
def newaxis(g: Grammar, axes: Axes, depth: int) -> Expr:
    """`x[:, None]` and the like."""
    places = [k for k, axis in enumerate(axes) if axis == ONE_AXIS]
    new = {k for k in places if not g.one_in(3)} or {places[0]}
    rest = tuple(axis for k, axis in enumerate(axes) if k not in new)
    subscripts = tuple(k in new for k in range(max(new) + 1))
    return apply("newaxis", g.expression(rest, depth), data=(subscripts,))


def _atoms(axes: Axes) -> list[Axis]:
    return [(atom,) for axis in axes for atom in axis]


@production(lambda axes: 0 < len(_atoms(axes)) <= MOST_RANK and all(a != ONE_AXIS for a in _atoms(axes)))
def reshape(g: Grammar, axes: Axes, depth: int) -> Expr:
    """Axes merged or taken apart; one of size 1 put in, too."""
    atoms = _atoms(axes)
    if len(atoms) > 1 and g.composed and g.one_in(2):
        inner: Axes = (tuple(a for (a,) in atoms),)
    else:
        inner = tuple(atoms)
    inner = _with_an_axis(g, inner)
    shape = tuple(dims.product(axis) for axis in axes)
    return apply("reshape", g.expression(inner, depth), data=(shape,))


def _with_an_axis(g: Grammar, axes: Axes) -> Axes:
    """Return the axes, now and then with one of size 1 among them."""
    if len(axes) > 2 or not g.one_in(4):
        return axes
    place = g.choices.number(len(axes))
    return (*axes[:place], ONE_AXIS, *axes[place:])


@production(rank(1), weight=2)
def vec(g: Grammar, axes: Axes, depth: int) -> Expr:
    """The columns one below the other."""
    atoms = () if axes[0] == ONE_AXIS else tuple((atom,) for atom in reversed(axes[0]))
    return apply("vec", g.expression(_with_an_axis(g, atoms), depth))


@production(rank(1, 2))
@production(lambda axes: len(axes) in (1, 2) and all(len(axis) > 1 for axis in axes), weight=3)
def kron(g: Grammar, axes: Axes, depth: int) -> Expr:
    """A Kronecker product of vectors or matrices, some with axes of size 1."""
    first, second = [], []
    for axis in axes:
        cut = 1 if len(axis) > 1 else g.choices.number(1)
        first.append(axis[:cut] or ONE_AXIS)
        second.append(axis[cut:] or ONE_AXIS)
    return apply("kron", g.expression(tuple(first), depth), g.expression(tuple(second), depth))


@production(lambda axes: len(axes) == 1 or square(axes))
def diag(g: Grammar, axes: Axes, depth: int) -> Expr:
    """The diagonal of a matrix, or the matrix of a diagonal."""
    return apply("diag", g.expression(axes * 2 if len(axes) == 1 else axes[:1], depth))


# ---------------------------------------------------------------- products


@production(rank(0, 1, 2), weight=5)
def matmul(g: Grammar, axes: Axes, depth: int) -> Expr:
    """A product of vectors and matrices."""
    left = len(axes) == 2 or (len(axes) == 1 and not g.one_in(2))
    inner = g.axis()
    first, second = (axes[:1], axes[1:]) if left else ((), axes)
    return apply("matmul", g.expression((*first, inner), depth), g.expression((inner, *second), depth))


@production(rank(0))
def inner(g: Grammar, axes: Axes, depth: int) -> Expr:
    """An inner product."""
    along = (g.axis(),)
    return apply("inner", g.expression(along, depth), g.expression(along, depth))


@production(rank(2))
def outer(g: Grammar, axes: Axes, depth: int) -> Expr:
    """An outer product."""
    return apply("outer", *(g.expression((axis,), depth) for axis in axes))


@production(rank(0, 1, 2, 3), weight=2)
def einsum(g: Grammar, axes: Axes, depth: int) -> Expr:
    """A contraction of one to three arrays, letters in any order, some of them repeated."""
    bound = [g.axis(composed=False) for _ in range(g.choices.number(2))]
    letters = dict(zip(LETTERS, [*axes, *bound], strict=False))
    words: list[str] = [""] * (1 + g.choices.number(2))
    for letter in letters:
        owner = g.choices.number(len(words) - 1)
        for k in range(len(words)):
            if (k == owner or g.one_in(3)) and len(words[k]) < MOST_RANK:
                words[k] = _inserted(g, words[k], letter)
        if not any(letter in word for word in words):
            words.append(letter)
    if g.one_in(6) and words[0] and len(words[0]) < 3:
        words[0] += words[0][0]
    args = [g.expression(tuple(letters[c] for c in word), depth) for word in words]
    return apply("einsum", *args, data=(f"{','.join(words)}->{LETTERS[: len(axes)]}",))


def _inserted(g: Grammar, word: str, letter: str) -> str:
    place = len(word) - g.choices.number(len(word))
    return word[:place] + letter + word[place:]


@production(square, weight=2)
def matrix_power(g: Grammar, axes: Axes, depth: int) -> Expr:
    """A power of a matrix."""
    exponent = g.pick([2, 3, 1, 0, -1, -2])
    return apply("matrix_power", g.expression(axes, depth, "any" if exponent >= 0 else "regular"), data=(exponent,))


# ---------------------------------------------------------------- sums


@production(rank(0, 1, 2), weight=4)
def along_an_axis(g: Grammar, axes: Axes, depth: int) -> Expr:
    """A sum, mean, product or log-sum-exp along one axis."""
    name = g.pick(["sum", "sum", "mean", "logsumexp", "prod"])
    axis = _axis(g, len(axes) + 1)
    place = axis % (len(axes) + 1)
    arg = g.expression((*axes[:place], g.axis(composed=len(axes) < 2), *axes[place:]), depth)
    return apply(name, arg, data=(axis,))


@production(rank(0), weight=6)
def of_all_entries(g: Grammar, axes: Axes, depth: int) -> Expr:
    """A sum, norm, mean, product or log-sum-exp of all entries."""
    name = g.pick(["sum", "sum", "norm", "mean", "logsumexp", "prod"])
    return apply(name, g.expression(g.axes(g.pick([1, 2, 2, 1, 3, 0])), depth))


@production(rank(0), weight=2)
def trace(g: Grammar, axes: Axes, depth: int) -> Expr:
    """A trace."""
    return apply("trace", g.expression((g.axis(),) * 2, depth))


# ---------------------------------------------------------------- inverses


@production(rank(0), weight=3)
def det(g: Grammar, axes: Axes, depth: int) -> Expr:
    """A determinant, or the logarithm of one."""
    return apply(g.pick(["det", "logdet"]), g.expression((g.axis(),) * 2, depth, "regular"))


@production(square, weight=2)
def inv(g: Grammar, axes: Axes, depth: int) -> Expr:
    """An inverse."""
    return apply("inv", g.expression(axes, depth, "regular"))


@production(rank(1, 2), weight=2)
def solve(g: Grammar, axes: Axes, depth: int) -> Expr:
    """A⁻¹ b."""
    return apply("solve", g.expression((axes[0],) * 2, depth, "regular"), g.expression(axes, depth))
