"""The ways in which a claim may be proved, best first."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from functools import partial

from symderiv.claims.directions import along_numbers, names_directions, ways_along
from symderiv.claims.endings import Ending, ended
from symderiv.claims.equalities import Equation, prove_equal
from symderiv.claims.first import ways as ways_to_derive
from symderiv.claims.holding import names_held, with_variables
from symderiv.claims.inverses import with_inverses
from symderiv.replay import Known, Replayed
from symderiv.statements.block import Given
from symderiv.statements.meaning import simplified
from symderiv.tensor.expr import Expr

Attempt = Callable[[], Replayed]
GIVEN = "given"  # the label of hypotheses in proofs


def equations(given: Sequence[Given]) -> list[Equation]:
    """Return the equations among hypotheses, under the label that proofs cite."""
    return [(GIVEN, g.left, g.right) for g in given if g.relation == "=="]


def attempts(
    left: Expr,
    right: Expr,
    equal: bool,
    taken: Sequence[str],
    known: Known,
    hypotheses: Sequence[Equation] = (),
    fixed: Collection[str] = (),
    ending: Ending | None = None,
) -> Iterator[Attempt]:
    """Yield what may be tried to prove a claim; `equal` tells whether the normal forms of its sides agree.

    Hypotheses hold at all of their indices but those called `fixed`; `ending` puts a last step to each proof.

    Raises UnsupportedError where nothing can be.
    """
    if names_held(left, right):
        left, right = with_variables(left, right)
    left, right = simplified(left), simplified(right)
    along = names_directions(left, right)
    if along:
        left, right = along_numbers(left, right)
    if equal:
        for way in ways_along(left) if along else ways_to_derive(left):
            yield partial(ended, ending, way, left, right, taken, known)
    if equal or hypotheses or with_inverses(left, right):
        by_equations = partial(prove_equal, hypotheses=hypotheses, fixed=fixed)
        yield partial(ended, ending, by_equations, left, right, taken, known)
