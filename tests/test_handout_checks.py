"""Numeric checks: the differences are those of the claims, not of what became of them."""

from __future__ import annotations

import pytest

from symderiv.handout.build import read_and_decide, rendered
from symderiv.handout.builder import scientific
from symderiv.handout.checks import checked
from symderiv.sheet import Sheet


def check(text):
    sheet = Sheet(text)
    return checked(sheet.claims[-1], sheet.names)


@pytest.mark.parametrize(
    "claim",
    ["diff(E, x) == S @ x + S.T @ x", "diff(E, x[k]) == sum[i]((S[i,k] + S[k,i]) * x[i])", "diff(E, x, x) == S + S.T"],
)
def test_a_true_claim_differs_by_rounding(claim):
    found = check(f"x: (n,)\nS: (n, n)\nE = x @ S @ x\nassert {claim}")
    assert 0 <= found.difference < 1e-8 and found.sizes["n"] > 1


@pytest.mark.parametrize(("factor", "most"), [("1.001", 2e-3), ("1.000001", 2e-6)])
def test_a_claim_that_is_off_differs_by_as_much(factor, most):
    found = check(f"x: (n,)\nE = x @ x\nassert not (diff(E, x) == 2 * {factor} * x)")
    assert most / 4 < found.difference < most


def test_families_are_written_out_at_a_length():
    text = "w: ()\nh[0]: ()\nfor t in range(1, T + 1):\n    h[t] = w * h[t-1]\n"
    found = check(text + "assert diff(h[T], h[0]) == w**T")
    assert found is not None and found.sizes["T"] == 3 and found.difference < 1e-12


def test_hypotheses_hold_at_the_points():
    text = "A: (n, n)\nB: (n, n)\nwith given(A == 2 * B):\n    assert A @ B == 2 * B @ B\n"
    assert check(text).difference < 1e-12


@pytest.mark.parametrize(
    "claim", ["not (x == S)", "with neglecting(diff(E, x[k], x[j]), k != j):\n    diff(E, x[k], x[k]) == S[k,k]"]
)
def test_what_is_no_equation_of_numbers_is_not_compared(claim):
    head = "x: (n,)\nS: (n, n)\nE = x @ S @ x\n"
    text = claim.replace("\n    diff", "\n    assert diff") if claim.startswith("with") else f"assert {claim}"
    assert check(head + text) is None


def test_the_table_of_a_handout(tmp_path):
    path = tmp_path / "notes.md"
    path.write_text(
        "---\nchecks: true\n---\n```symderiv\nx: (n,)\nE = x @ x\nassert diff(E, x) == 2 * x, 'a|b'\n"
        "table(diff(E, x), sizes={n: 3})\n```\n",
        encoding="utf-8",
    )
    page = rendered(read_and_decide(path), "md").decode()
    assert "| Claim | Sizes | Seed | Largest relative difference |" in page
    rows = [line.split(" | ") for line in page.splitlines() if line.startswith(r"| a\|b") or "table" in line]
    assert len(rows) == 2 and all(len(row) == 4 for row in rows)


@pytest.mark.parametrize(
    ("value", "text"), [(1.5e-16, r"$1.5\cdot 10^{-16}$"), (0.25, r"$2.5\cdot 10^{-1}$"), (float("inf"), r"$\infty$")]
)
def test_numbers_are_written_with_powers_of_ten(value, text):
    assert scientific(value) == text
