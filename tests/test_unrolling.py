"""Claims about families at given lengths: exact answers for T = 0 … 4, and what refutes a claim."""

from __future__ import annotations

import pytest
import recurrences
import sympy
from mutations import claims

from symderiv import dims
from symderiv.check.decide import Outcome
from symderiv.families import instances
from symderiv.sheet import Sheet
from symderiv.statements.block import Names, Statement, read_block
from symderiv.unrolling import decide_instances, lengths, parameters, sides_at


def last_claim(text: str) -> tuple[Statement, Names]:
    """Return the last claim of a block."""
    names = Names()
    return [s for s in read_block(text, names) if s.kind == "claim"][-1], names


exactly = Sheet().decided

BY_INDUCTION = {"product", "one basis", "own", "power", "own power", "sum", "inverse"}
CLAIMS = [
    text
    for block in (recurrences.GENERAL, recurrences.DIAGONAL, recurrences.INVERSE, recurrences.BACKWARD)
    for text in claims(block)
    if any(f"'{label}'" in text for label in BY_INDUCTION)
]


@pytest.mark.parametrize("text", CLAIMS, ids=lambda text: text.rsplit("'", 2)[1])
def test_the_claims_proved_by_induction_hold_exactly_at_all_small_lengths(text: str) -> None:
    claim, names = last_claim(text)
    (length,) = parameters(claim, names)
    count = 0
    for value in range(names.families.least.get(str(length), 0), 5):
        for one in instances(claim.ranges, {length: sympy.Integer(value)}):
            outcome = exactly(*sides_at(claim, names, one), [])
            assert outcome.status == "proved", (one, outcome.scope)
            count += 1
    assert count >= 10


START = "b: (n,)\nfor t in range(1, T + 1):\n    x[t]: (n,)\n"


@pytest.mark.parametrize(
    ("claim", "where"),
    [
        ("assert sum(x[t] for t in range(1, T + 1)) == x[1]", {"T": 3}),
        ("for t in range(1, T + 1):\n    assert x[t] == x[1]", {"T": 3, "t": 2}),
        ("for t in range(2, T + 1):\n    assert sum(x[s] for s in range(2, t)) == zeros(n)", {"T": 3, "t": 3}),
        (
            "for s in range(1, T + 1):\n    for t in range(s, T + 1):\n        assert x[t] == x[s]",
            {"T": 3, "s": 1, "t": 2},
        ),
    ],
)
def test_a_false_claim_is_refuted_where_it_fails_first(claim: str, where: dict[str, int]) -> None:
    statement, names = last_claim(START + claim)
    found = decide_instances(statement, names, exactly)
    assert found.outcome.status == "refuted" and found.values == where


def test_what_fails_at_one_length_only_is_refuted() -> None:
    claim = "assert x[1] + sum(x[t] for t in range(2, T)) + x[T] == sum(x[t] for t in range(1, T + 1))"
    statement, names = last_claim(START + claim)
    found = decide_instances(statement, names, exactly)
    assert found.outcome.status == "refuted" and found.values == {"T": 1}
    statement, names = last_claim("assert T >= 2\n" + START + claim)
    assert decide_instances(statement, names, exactly).outcome.status == "proved"


@pytest.mark.parametrize("least", [0, 1, 3])
def test_two_lengths_are_looked_at_whatever_the_least_is(least: int) -> None:
    _, names = last_claim(f"assert T >= {least}\nx: (n,)\nassert x == x")
    T, N = dims.symbol("T"), dims.symbol("N")
    assert [lengths([T], names, k)[T] for k in (3, 1)] == [least + 2, least]
    assert lengths([N, T], names, 1) == {N: 1, T: least + 1}


def test_lengths_are_what_no_loop_binds() -> None:
    claim, names = last_claim(START + "for t in range(1, N + 1):\n    assert sum(x[s] for s in range(1, T)) == x[1]")
    assert [str(p) for p in parameters(claim, names)] == ["N", "T"]


def test_a_refutation_is_found_past_an_instance_without_an_answer() -> None:
    statement, names = last_claim(START + "for t in range(1, T + 1):\n    assert x[t] == x[t]")
    asked = []

    def decide(left, right, given):
        asked.append(left.name)
        return Outcome("refuted" if left.name == "x[2]" else "undecided", "")

    found = decide_instances(statement, names, decide)
    assert found.outcome.status == "refuted" and found.values == {"T": 3, "t": 2} and asked == ["x[1]", "x[2]"]


def test_a_claim_without_an_instance_is_not_confirmed() -> None:
    statement, names = last_claim(START + "for t in range(1, T - 8):\n    assert x[t] == 2 * x[t]")
    found = decide_instances(statement, names, exactly)
    assert (found.outcome.status, found.count) == ("undecided", 0)


def test_a_sheet_shows_the_lengths_of_a_counterexample() -> None:
    (claim,) = Sheet(START + "for t in range(1, T + 1):\n    assert x[t] == x[1]").claims
    assert claim.status == "refuted" and claim.counterexample.sizes["T"] == 3 and "t = 2" in claim.scope
