"""Certificates for claims about families: what :mod:`symderiv.check.families` examines, written down.

The sheet is written in index notation, each case at its own label, with the claim; the windows of the proof are told
by their heads, and what does not act on what by sets of members. Each set is found when the check asks for it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import sympy

from symderiv.certifying.ranks import ranked
from symderiv.certifying.sets import with_sets
from symderiv.certifying.writer import Writer
from symderiv.check.claims import Window
from symderiv.check.families import FamilyProof
from symderiv.check.paths import Sheet
from symderiv.check.terms import RefusedError
from symderiv.errors import ProofError, UnsupportedError
from symderiv.index.nodes import Argument
from symderiv.replay import Replayed
from symderiv.statements.block import Names, Statement
from symderiv.tensor.expr import walk
from symderiv.windows.induction import Induction
from symderiv.windows.window import Window as Read


def certified(
    statement: Statement,
    names: Names,
    proof: Replayed | Induction,
    windows: Sequence[Read],
    cited: Mapping[str, Sequence[Argument]],
) -> FamilyProof:
    """Return the proof of a claim about families with its certificate, checked but for the steps of its windows.

    Raises UnsupportedError where no certificate can be written, ProofError where it is not accepted.
    """
    refuse(statement)
    writer = Writer(statement, names)
    proofs = (proof.base, proof.step) if isinstance(proof, Induction) else (proof,)
    for one, window in zip(proofs, windows, strict=True):
        writer.note_window(one, window)
    claim = writer.claim()
    cases = writer.cases(proofs)
    before = proof.before if isinstance(proof, Induction) else None
    roles: list[Window] = []
    for one, window in zip(proofs, windows, strict=True):
        roles.append(writer.window(one, window, cited, before if roles else None))
    alphabet = writer.alphabet(cases)
    try:
        ranks = ranked(cases, Sheet(cases, alphabet), claim.bounds)
        downward = isinstance(proof, Induction) and sympy.expand(proof.before - proof.range.symbol) == 1
        whole = FamilyProof(claim, cases, ranks, alphabet, tuple(roles), downward)
        return with_sets(whole, names)
    except (RefusedError, ProofError) as err:
        reason = err.message if isinstance(err, ProofError) else str(err)
        if any(e.op == "diff" and e.data[0] == "holding" for e in walk(*statement.exprs)):
            what = (
                "a derivative that holds a member has a certificate only where the window has the text of the function"
            )
            raise UnsupportedError(f"{what}: {reason}") from None
        raise ProofError(f"that the window shows the claim is not certain: {reason}") from None


def refuse(statement: Statement) -> None:
    """Refuse what certificates do not say yet."""
    what = ""
    if statement.given:
        what = "a claim under hypotheses"
    elif statement.neglected:
        what = "an approximation"
    elif any(e.op == "directional" for e in walk(*statement.exprs)):
        what = "a derivative along a direction"
    if what:
        raise UnsupportedError(f"{what} has no certificate yet")
