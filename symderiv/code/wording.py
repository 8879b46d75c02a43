"""Words that only generated code has, in the place of those of the language.

Operations that the NumPy printer knows beside those of the language:

* `vdot(A, B)`: the sum of all entries of `A * B`
* `factored(S)`: a symmetric matrix factored; `solved(F, b)`, `factored_inverse(F)`, `factored_logdet(F)` of it,
  and `inverse_dot(F, M)`, the sum of all entries of `inv(S) * M` for a symmetric M
* `filled(b)`: zeros but for the entries that an einsum names, which are those of b
* `raised(A, b)`: A with b added to such entries
* `masked(A, l, r)`: A where l is less (or whatever is said) than r, else 0
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence

from symderiv.errors import SymderivError
from symderiv.index import normal
from symderiv.lower import lower
from symderiv.operands import is_negative, lettered, without_minus
from symderiv.tensor.expr import Expr, walk
from symderiv.tensor.operations import apply

FACTORED = {"inv": "factored_inverse", "solve": "solved", "logdet": "factored_logdet", "log_det": "factored_logdet"}
OF_A_MATRIX = frozenset(FACTORED)
LONGEST = 400  # nodes of a matrix that is examined for symmetry


def worded(roots: Sequence[Expr], symmetric: Collection[Expr]) -> list[Expr]:
    """Return expressions in words of the code; `symmetric` are the matrices to be factored."""
    new: dict[Expr, Expr] = {}
    both = _opposite_sigmoids(roots)
    uses = Counter([*roots, *(a for e in walk(*roots) for a in e.args)])
    for e in walk(*roots):
        args = tuple(new[a] for a in e.args)
        if e.op in OF_A_MATRIX and e.args[0] in symmetric:
            factors = Expr("factored", (args[0],), (), args[0].axes)
            new[e] = Expr(FACTORED[e.op], (factors, *args[1:]), ("nan",) if e.op == "log_det" else (), e.axes)
        elif e.op == "map" and e.data[0] == "sigmoid" and (pair := both.get(e)) is not None:
            new[e] = Expr(pair, (Expr("sigmoids", (_positive(args[0]),), (), e.axes),), (), e.axes)
        elif e.op == "vdot" and (dot := _with_inverse(e, args, uses)) is not None:
            new[e] = dot
        elif e.op == "power" and e.data[0] > 0 and _is_mask(args[0]):
            (new[e],) = args
        elif e.op == "mul" and (mask := _masked(*args)) is not None:
            new[e] = mask
        elif e.op == "einsum":
            new[e] = _read_straight(Expr(e.op, args, e.data, e.axes))
        else:
            new[e] = e.with_args(args)
    return [new[r] for r in roots]


def _with_inverse(e: Expr, args: tuple[Expr, ...], uses: Counter[Expr]) -> Expr | None:
    """Return the sum of the entries of `K⁻¹ * M`, both symmetric and the inverse of no other use."""
    for k, inverse in enumerate(args):
        if inverse.op == "factored_inverse" and uses[e.args[k]] == 1 and is_symmetric(e.args[1 - k]):
            return Expr("inverse_dot", (inverse.args[0], args[1 - k]), (), ())
    return None


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


def is_symmetric(matrix: Expr) -> bool:
    """Tell whether a matrix is symmetric by its definition, whatever the numbers in it."""
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
