"""Damaged proofs: the kernel refuses them, or what they say is true all the same, which numbers decide."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator

import pytest
from damages import (
    KINDS,
    NO_EQUALITY,
    ON_CONTEXT,
    Mutant,
    Proof,
    Workshop,
    of_derivatives,
    of_handouts,
    of_hypotheses,
    own_texts,
    with_equal_sizes,
)
from evaluated import holds

from symderiv.dims import symbol
from symderiv.errors import ProofError
from symderiv.handout.build import built_in
from symderiv.index.nodes import Context, Delta, Entry, Index, Plus, Sum, Tensor, Times

SEED, CARRIED = 7, 0.85
HANDOUTS = ("backpropagation-through-a-layer", "backpropagation-through-time",
            "jacobian-and-hessian-of-a-network", "the-derived-cookbook")  # fmt: skip
QUICK, ALL = 3, 56  # mutants of each kind, with different and with equal sizes: 120 and 2,000 in all


def verdict(mutant: Mutant) -> str:
    """Tell what becomes of a mutant: rejected, for a reason at its step; still true; or a survivor."""
    try:
        mutant.part.check()
    except ProofError as err:
        at_its_step = not mutant.carried or mutant.kind in ON_CONTEXT or mutant.where.partition(" (")[0] in err.message
        return "rejected" if at_its_step else f"rejected elsewhere: {err.message}"
    return "still true" if holds(mutant.links, mutant.part.context, SEED) else "survivor"


def examined(workshop: Workshop, count: int) -> Iterator[tuple[Mutant, str]]:
    """Yield mutants of every kind with what becomes of them, until so many were not true any more."""
    rng = random.Random(SEED)
    for kind in workshop.kinds:
        for equal in (False, True):
            false = tries = 0
            while false < count and tries < 2 * count:
                mutant = workshop.mutant(kind, rng.random() < CARRIED, equal, rng)
                found = verdict(mutant)
                tries += 1
                false += found != "still true"
                yield mutant, found


@pytest.fixture(scope="module")
def derivatives() -> list[Proof]:
    return list(of_derivatives())


def test_the_kernel_rejects_damaged_proofs(derivatives: list[Proof]) -> None:
    proofs = [*derivatives, *of_handouts(HANDOUTS[:1]), *of_hypotheses()]
    found = list(examined(Workshop(proofs), QUICK))
    assert [(m.kind, m.source, m.where, v) for m, v in found if v not in ("rejected", "still true")] == []
    assert sum(v == "rejected" for _, v in found) >= 100


def test_a_proof_holds_with_equal_sizes_too(derivatives: list[Proof]) -> None:
    for proof in derivatives:
        with_equal_sizes(proof.part).check()


def test_numbers_find_every_step_true(derivatives: list[Proof]) -> None:
    """What is to tell true from false says of true steps that they are."""
    hold_in_numbers(derivatives, 40)


def hold_in_numbers(proofs: list[Proof], count: int) -> None:
    """Some steps of proofs are equalities between numbers."""
    every = [
        ((step.before, step.after, own), proof.part.context)
        for proof in proofs
        for argument in proof.part.arguments
        for step, own in zip(argument.steps, own_texts(argument), strict=True)
        if step.rule not in NO_EQUALITY
    ]
    for link, context in random.Random(SEED).sample(every, count):
        assert holds([link], context, SEED, points=1), link


def test_numbers_find_what_is_false() -> None:
    i, j, k = (Index(letter, symbol("n")) for letter in "ijk")
    x, y = Tensor("x", symbol("n")), Tensor("y", symbol("n"))
    true = Sum(Times(Delta(i, j), Entry(x, i)), i), Entry(x, j), False
    for one, other in (
        (Entry(x, i), Entry(y, i)),
        (Entry(x, i), Entry(x, j)),
        (Plus(Entry(x, i), Entry(y, i)), true[1]),
    ):
        assert holds([true, (one, other, False)], Context(), SEED) is False
    assert holds([true], Context(), SEED) is True
    assert holds([(Delta(i, k), Delta(k, i), False)], Context(), SEED) is True


# ---------------------------------------------------------------- all of them


@pytest.fixture(scope="module")
def proofs() -> list[Proof]:
    assert {path.stem for path in built_in()} >= set(HANDOUTS)
    return [*of_handouts(HANDOUTS), *of_derivatives(), *of_hypotheses()]


@pytest.mark.mutants
def test_numbers_find_the_steps_of_handouts_true(proofs: list[Proof]) -> None:
    hold_in_numbers(proofs, 600)


@pytest.mark.mutants
def test_the_kernel_rejects_two_thousand_damaged_proofs(
    proofs: list[Proof], capsys: pytest.CaptureFixture[str]
) -> None:
    table: dict[str, Counter[str]] = {kind: Counter() for kind in KINDS}
    wrong = []
    for mutant, found in examined(Workshop(proofs), ALL):
        table[mutant.kind][found if found in ("rejected", "still true") else "survivor"] += 1
        if found not in ("rejected", "still true"):
            wrong.append((mutant.kind, mutant.source, mutant.where, found))
    with capsys.disabled():
        print("\n" + as_text(table, len(proofs)))
    assert wrong == []
    assert sum(row["rejected"] for row in table.values()) >= 2000


def as_text(table: dict[str, Counter[str]], proofs: int) -> str:
    """Return the table of what became of the mutants."""
    columns = ("rejected", "still true", "survivor")
    rows = [("damage", "made", "rejected", "still true", "survivors")]
    rows += [(kind, str(row.total()), *(str(row[c]) for c in columns)) for kind, row in table.items()]
    every = sum(table.values(), Counter())
    rows.append((f"{proofs} proofs", str(every.total()), *(str(every[c]) for c in columns)))
    return "\n".join(f"{name:24}" + "".join(f"{cell:>12}" for cell in cells) for name, *cells in rows)
