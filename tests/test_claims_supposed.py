"""Hypotheses: equations are used by proofs and hold at the points of exact decisions; the others are printed."""

from __future__ import annotations

import numpy as np
import pytest

from symderiv import Sheet, SymderivError
from symderiv.handout.build import read_and_decide

BIAS = """\
z: (I,)
w: (J, I)
o: index(I)
q: index(I)
loss: function()
a = w @ z
E = loss(a)
"""
MATRICES = "A: (n, n)\nB: (n, n)\nM: invertible(n, n)\nu: (n,)\nv: (n,)\ns: ()\n"


def under(hypothesis, claim, before):
    return Sheet(f"{before}with given({hypothesis}):\n    assert {claim}").claims[-1]


# ---------------------------------------------------------------- a bias is the weight of a unit fixed at 1


@pytest.mark.parametrize(
    "claim",
    [
        "diff(E, w[j,o], w[j,o]) == diff(E, a[j], a[j])",
        "diff(E, w[j,o], w[j_,i]) == z[i] * diff(E, a[j], a[j_])",
        "diff(E, w[j,o]) == diff(E, a[j])",
        "z[o] * a[j] == a[j]",
    ],
)
def test_with_the_unit_at_one(claim):
    found = under("z[o] == 1", claim, BIAS)
    assert (found.status, found.basis) == ("proved", "kernel")
    assert "hypothesis" in {step.rule for a in found.proof.arguments for step in a.steps}
    assert str(found.conditions[0]) == "z[o] == 1"
    assert Sheet(f"{BIAS}assert {claim}").claims[-1].status == "refuted"


def test_what_is_put_in_may_take_places_away():
    found = under("u @ v == 0", "s * (u @ v) + u @ u == u @ u", MATRICES)
    assert (found.status, found.basis) == ("proved", "kernel")
    assert under("u @ v == 0", "s * (u @ v) == 0", MATRICES).status == "proved"


@pytest.mark.parametrize(
    "claim",
    [
        "diff(E, w[j,q], w[j,q]) == diff(E, a[j], a[j])",  # another unit
        "diff(E, w[j,i], w[j,i]) == diff(E, a[j], a[j])",  # any unit
        "diff(E, w[j,o], w[j,o]) == 2 * diff(E, a[j], a[j])",
        "diff(E, w[j,o], w[j,q]) == diff(E, a[j], a[j])",
        "diff(E, z[o]) == diff(E, z[q])",
    ],
)
def test_a_fixed_subscript_says_nothing_of_others(claim):
    assert under("z[o] == 1", claim, BIAS).status in ("refuted", "undecided")


def test_the_counterexample_does_not_show_what_is_solved_for():
    found = under("z[o] == 1", "diff(E, w[j,i], w[j,i]) == diff(E, a[j], a[j])", BIAS)
    assert found.status == "refuted" and "z" not in found.counterexample.point and "w" in found.counterexample.point


def test_all_entries():
    found = under("z[i] == 1", "diff(E, w[j,q], w[j,q]) == diff(E, a[j], a[j])", BIAS)
    assert (found.status, found.basis) == ("proved", "kernel")


# ---------------------------------------------------------------- arrays


@pytest.mark.parametrize(
    ("hypothesis", "claim", "status"),
    [
        ("A == M @ B", "inv(M) @ A == B", "proved"),
        ("A == M @ B", "A @ u == M @ (B @ u)", "proved"),
        ("A == M @ B", "A @ u == B @ u", "refuted"),
        ("u == 2 * v", "diff(u @ A @ u, u) == 2 * (A.T @ v + A @ v)", "proved"),
        ("A[i,j] == B[j,i]", "A @ u == B.T @ u", "proved"),
        ("A[i,j] == B[j,i]", "A @ u == B @ u", "refuted"),
        ("A @ B == B @ A", "A @ B == B @ A", "proved"),
        ("A @ B == B @ A", "A == B", "undecided"),  # solved for nothing: no point is known that satisfies it
        ("s >= 0", "abs(s) == s", "undecided"),
        ("s != 0", "s / s == 1 + 0 * s", "proved"),
        ("1 + v @ inv(M) @ u != 0", "inv(M) @ u == v", "refuted"),
    ],
)
def test_arrays(hypothesis, claim, status):
    assert under(hypothesis, claim, MATRICES).status == status


def test_a_hypothesis_holds_at_one_point():
    """Where x is 1 its square has slope 2, not 0; the hypothesis is not put in before the derivative."""
    assert under("x[i] == 1", "diff(sum(x**2), x) == 2 * ones(n)", "x: (n,)\n").status == "proved"
    assert under("x[i] == 1", "diff(sum(x**2), x) == zeros(n)", "x: (n,)\n").status != "proved"
    assert under("y == x", "diff(y @ x, x) == y", "x: (n,)\ny: (n,)\n").status == "proved"
    assert under("y == x", "diff(y @ x, x) == 2 * x", "x: (n,)\ny: (n,)\n").status != "proved"


def test_what_is_proved_under_a_hypothesis_is_no_lemma():
    sheet = Sheet(f'{BIAS}with given(z[o] == 1):\n    assert diff(E, w[j,o]) == diff(E, a[j]), "b"\n')
    assert sheet.claims[0].status == "proved" and not sheet.lemmas


def test_families():
    before = "for t in range(1, T + 1):\n    c[t]: ()\n    x[t]: (n,)\n"
    body = "for t in range(1, T + 1):\n    with given(c[t] == 1):\n        assert c[t] * x[t] == "
    assert Sheet(f"{before}{body}x[t]").claims[-1].status == "proved"
    assert Sheet(f"{before}{body}2 * x[t]").claims[-1].status == "refuted"


# ---------------------------------------------------------------- conditions


def test_inequalities_are_conditions_of_the_claim(tmp_path):
    text = (
        f"{MATRICES}with given(1 + v @ inv(M) @ u != 0):\n    assert inv(M + outer(u, v)) == "
        'inv(M) - outer(inv(M) @ u, v @ inv(M)) / (1 + v @ inv(M) @ u), "H12"\n'
    )
    (claim,) = Sheet(text).claims
    assert [str(c) for c in claim.conditions].count("1 + v @ inv(M) @ u != 0") == 1
    path = tmp_path / "notes.md"
    path.write_text(f"---\ntitle: T\n---\n\n```symderiv\n{text}```\n", encoding="utf-8")
    built = read_and_decide(path)
    assert "1 + v @ inv(M) @ u != 0" in built.records[0].condition
    (view,) = (b for b in built.document.blocks if hasattr(b, "setting"))
    assert r"\ne" in view.setting and "0" not in view.condition  # said once, before the claim


def test_the_sides_of_a_hypothesis_have_one_shape():
    with pytest.raises(SymderivError, match="equal shapes"):
        under("A == u", "A == A", MATRICES)


def test_points_satisfy_what_is_given_at_a_fixed_subscript():
    """An independent count: with z[o] = 1 the second derivative in w[j,o] is that in a[j], by differences."""
    rng = np.random.default_rng(3)
    w, z, o, j, step = rng.standard_normal((3, 4)), rng.standard_normal(4), 2, 1, 1e-4
    z[o] = 1.0

    def loss(a):
        return np.sin(a[0] * a[1]) + a[1] ** 3 * a[2]

    def second(f):
        return (f(step) - 2 * f(0.0) + f(-step)) / step**2

    unit = np.zeros((3, 4))
    unit[j, o] = 1.0
    assert second(lambda e: loss((w + e * unit) @ z)) == pytest.approx(
        second(lambda e: loss(w @ z + e * np.eye(3)[j])), rel=1e-5
    )
