"""Words that only generated code has, in the place of those of the language.

Operations that the NumPy printer knows beside those of the language:

* `vdot(A, B)`: the sum of all entries of `A * B`
* `factored(S)`: a symmetric matrix factored; `solved(F, b)`, `factored_inverse(F)`, `factored_logdet(F)` of it
* `upper_inverse(F)`: one triangle of the inverse, where that is enough, which takes no passes to mirror it; with it
  `symmetric_dot(U, M)`, the sum of all entries of `inv(S) * M` for a symmetric M
* `filled(b)`: zeros but for the entries that an einsum names, which are those of b
* `raised(A, b)`: A with b added to such entries
* `masked(A, l, r)`: A where l is less (or whatever is said) than r, else 0
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from weakref import WeakKeyDictionary

from symderiv.errors import SymderivError
from symderiv.index import normal
from symderiv.lower import lower
from symderiv.operands import is_negative, lettered, without_minus
from symderiv.tensor.expr import Expr, walk
from symderiv.tensor.operations import apply

FACTORED = {"inv": "factored_inverse", "solve": "solved", "logdet": "factored_logdet", "log_det": "factored_logdet"}
OF_A_MATRIX = frozenset(FACTORED)
FEW_SYSTEMS = 4  # solved for less than an inverse takes to be mirrored
LONGEST = 400  # nodes of a matrix that is examined for symmetry


def worded(roots: Sequence[Expr], symmetric: Collection[Expr], count: int | None = None) -> list[Expr]:
    """Return expressions in words of the code; `symmetric` are the matrices to be factored.

    The first `count` are computed, all if it is not given, and of the others what is in these.
    """
    new: dict[Expr, Expr] = {}
    both = _opposite_sigmoids(roots)
    triangles = _triangles(roots[:count], symmetric)
    for e in walk(*roots):
        args = tuple(new[a] for a in e.args)
        if e.op in OF_A_MATRIX and e.args[0] in symmetric:
            factors = Expr("factored", (args[0],), (), args[0].axes)
            word = "upper_inverse" if e in triangles else FACTORED[e.op]
            new[e] = Expr(word, (factors, *args[1:]), ("nan",) if e.op == "log_det" else (), e.axes)
        elif e.op == "map" and e.data[0] == "sigmoid" and (pair := both.get(e)) is not None:
            new[e] = Expr(pair, (Expr("sigmoids", (_positive(args[0]),), (), e.axes),), (), e.axes)
        elif triangles and (form := _of_triangle(e, args, triangles)) is not None:
            new[e] = form
        elif e.op == "power" and e.data[0] > 0 and _is_mask(args[0]):
            (new[e],) = args
        elif e.op == "mul" and (mask := _masked(*args)) is not None:
            new[e] = mask
        elif e.op == "einsum":
            new[e] = _read_straight(Expr(e.op, args, e.data, e.axes))
        else:
            new[e] = e.with_args(args)
    return [new[r] for r in roots]


def _triangles(roots: Sequence[Expr], symmetric: Collection[Expr]) -> set[Expr]:
    """Return the inverses of which one triangle is enough.

    They meet symmetric matrices in a sum over all entries, or only their diagonal is read; a few products with
    vectors beside that are systems of equations solved.
    """
    users: dict[Expr, list[Expr]] = {r: [r] for r in roots if r.op == "inv"}
    for e in walk(*roots):
        for a in e.args:
            if a.op == "inv" and a.args[0] in symmetric:
                users.setdefault(a, []).append(e)
    found = set()
    for inverse, own in users.items():
        solved = sum(_is_solved(e, inverse) for e in own)
        rest = [e for e in own if not _is_solved(e, inverse)]
        if rest and solved <= FEW_SYSTEMS and all(_takes_triangle(e, inverse) for e in rest):
            found.add(inverse)
    return found


def _is_solved(e: Expr, inverse: Expr) -> bool:
    """Tell a product with a vector."""
    return e.op == "matmul" and e.rank == 1 and inverse in e.args


def _takes_triangle(e: Expr, inverse: Expr) -> bool:
    if e is inverse:
        return False
    if e.op == "vdot":
        others = [a for a in e.args if a is not inverse]
        return len(others) == 1 and is_symmetric(others[0])
    return e.op == "trace" or (e.op == "diag" and e.rank == 1)


def _of_triangle(e: Expr, args: tuple[Expr, ...], triangles: Collection[Expr]) -> Expr | None:
    """Return what is read off one triangle of an inverse, or a system solved in its place."""
    place = next((k for k, a in enumerate(e.args) if a in triangles), None)
    if place is None or e.op not in ("vdot", "matmul"):
        return None
    inverse, other = args[place], args[1 - place]
    if e.op == "vdot":
        return Expr("symmetric_dot", (inverse, other), (), ())
    return Expr("solved", (inverse.args[0], other), (), e.axes)


def _read_straight(e: Expr) -> Expr:
    """Return an einsum that reads its matrices as they are: a transpose goes into the letters."""
    inputs, output = e.data[0].split("->")
    letters, args = [], []
    for spec, a in zip(inputs.split(","), e.args, strict=True):
        turned = a.op == "transpose" and not a.data
        letters.append(spec[::-1] if turned else spec)
        args.append(a.args[0] if turned else a)
    names = dict(zip(dict.fromkeys("".join(letters)), lettered("".join([*letters, output])).values(), strict=False))
    spec = ",".join("".join(names[x] for x in word) for word in letters) + "->" + "".join(names[x] for x in output)
    return Expr("einsum", tuple(args), (spec,), e.axes)


def _masked(left: Expr, right: Expr) -> Expr | None:
    """Return a product with a choice between 1 and 0."""
    for choice, array in ((right, left), (left, right)):
        if array.op in ("where", "number", "size") or array.rank < choice.rank:
            continue
        if _is_mask(choice):
            return Expr("masked", (array, *choice.args[:2]), choice.data, apply("mul", array, choice).axes)
    return None


def _is_mask(e: Expr) -> bool:
    """Tell a choice between 1 and 0."""
    return e.op == "where" and [b.data[0] if b.op == "number" else None for b in e.args[2:]] == [1, 0]


def _opposite_sigmoids(roots: Sequence[Expr]) -> dict[Expr, str]:
    """Return the sigmoids of arrays that are there with both signs, and which of a pair each is."""
    found = [e for e in walk(*roots) if e.op == "map" and e.data[0] == "sigmoid" and e.rank]
    signs: dict[Expr, set[bool]] = {}
    for e in found:
        signs.setdefault(_positive(e.args[0]), set()).add(is_negative(e.args[0]))
    both = [e for e in found if len(signs[_positive(e.args[0])]) == 2]
    return {e: "second" if is_negative(e.args[0]) else "first" for e in both}


def _positive(expr: Expr) -> Expr:
    """Return an expression without a leading minus."""
    return without_minus(expr) if is_negative(expr) else expr


_SYMMETRIC: WeakKeyDictionary[Expr, bool] = WeakKeyDictionary()


def is_symmetric(matrix: Expr) -> bool:
    """Tell whether a matrix is symmetric by its definition, whatever the numbers in it."""
    if matrix not in _SYMMETRIC:
        _SYMMETRIC[matrix] = _is_symmetric(matrix)
    return _SYMMETRIC[matrix]


def _is_symmetric(matrix: Expr) -> bool:
    if matrix.rank != 2 or matrix.shape[0] != matrix.shape[1] or matrix.weight > LONGEST:
        return False
    if matrix.op == "inv":
        return is_symmetric(matrix.args[0])
    try:
        node = lower(matrix).node
    except (SymderivError, KeyError):  # an operation of the code
        return False
    return node.rank == 2 and len(normal.symmetries(node)) > 1


__all__ = ["OF_A_MATRIX", "is_symmetric", "worded"]
