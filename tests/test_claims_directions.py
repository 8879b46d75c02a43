"""The R-operator: `directional(f, {w: v})` is the derivative along directions, for a network and by its laws."""

from __future__ import annotations

import numpy as np
import pytest

import symderiv
from symderiv import ParseError, ShapeError, Sheet
from symderiv.claims.directions import along_numbers
from symderiv.handout.views import Printer
from symderiv.lower import lower
from symderiv.render.mathtext import is_harmless
from symderiv.statements.derivatives import by_derivatives
from symderiv.statements.meaning import meaning
from symderiv.tensor.text import to_text

LAYERS = """
x: (I,)
t: (K,)
w1: (J, I)
w2: (K, J)
v1: (J, I)
v2: (K, J)
u1: (J, I)
u2: (K, J)
h: elementwise()
loss: function()
a = w1 @ x
z = h(a)
b = w2 @ z
"""
UNKNOWN = LAYERS + "E = loss(b)\nM = diff(E, b, b)\nd = diff(E, b)\n"
SQUARES = LAYERS + "E = sum((b - t)**2) / 2\n"
V = "{w1: v1, w2: v2}"
U = "{w1: u1, w2: u2}"


def R(f: str, along: str = V) -> str:
    return f"directional({f}, {along})"


UP = [
    (R("a[j]"), "sum[i](v1[j,i] * x[i])"),
    (R("a"), "v1 @ x"),
    (R("z[j]"), f"diff(h)(a[j]) * {R('a[j]')}"),
    (R("b[k]"), f"sum[j](w2[k,j] * {R('z[j]')}) + sum[j](v2[k,j] * z[j])"),
]
DOWN = [
    (
        R("diff(E, a[j])"),
        f"diff(h, 2)(a[j]) * {R('a[j]')} * sum[k](w2[k,j] * diff(E, b[k]))"
        " + diff(h)(a[j]) * sum[k](v2[k,j] * diff(E, b[k]))"
        f" + diff(h)(a[j]) * sum[k](w2[k,j] * {R('diff(E, b[k])')})",
    ),
    (R("diff(E, w2[k,j])"), f"{R('diff(E, b[k])')} * z[j] + diff(E, b[k]) * {R('z[j]')}"),
    (R("diff(E, w1[j,i])"), f"x[i] * {R('diff(E, a[j])')}"),
]
HESSIAN = [
    (
        R("diff(E, w1[j,i])"),
        "sum[j_,i_](diff(E, w1[j,i], w1[j_,i_]) * v1[j_,i_]) + sum[k,j_](diff(E, w1[j,i], w2[k,j_]) * v2[k,j_])",
    ),
    (
        R("diff(E, w2[k,j])"),
        "sum[j_,i](diff(E, w2[k,j], w1[j_,i]) * v1[j_,i]) + sum[k_,j_](diff(E, w2[k,j], w2[k_,j_]) * v2[k_,j_])",
    ),
    (
        R("diff(E, w1)"),
        "einsum('abcd,cd->ab', diff(E, w1, w1), v1) + einsum('abcd,cd->ab', diff(E, w1, w2), v2)",
    ),
    (R("E"), "sum(diff(E, w1) * v1) + sum(diff(E, w2) * v2)"),
    (R(R("E", U)), R(R("E"), U)),
    (R(R("E", U)), f"sum(u1 * {R('diff(E, w1)')}) + sum(u2 * {R('diff(E, w2)')})"),
]
ERRORS = [
    (R("d[k]"), f"sum[k_](M[k,k_] * {R('b[k_]')})"),
    (R("diff(E, b[k])"), f"sum[k_](diff(E, b[k], b[k_]) * {R('b[k_]')})"),
]


def decided(head: str, left: str, right: str) -> symderiv.sheet.Claim:
    (claim,) = Sheet(f"{head}assert {left} == {right}").claims
    return claim


@pytest.mark.parametrize(("left", "right"), [*UP, *ERRORS, *DOWN, *HESSIAN])
def test_with_an_unknown_error_every_row_is_proved_step_by_step(left, right):
    claim = decided(UNKNOWN, left, right)
    assert (claim.status, claim.basis, claim.unproved) == ("proved", "kernel", "")


@pytest.mark.parametrize(("left", "right"), [*UP, (R("diff(E, b[k])"), R("b[k]")), *DOWN, *HESSIAN])
def test_with_squares_as_well(left, right):
    claim = decided(SQUARES, left, right)
    assert (claim.status, claim.basis, claim.unproved) == ("proved", "kernel", "")


@pytest.mark.parametrize("head", [UNKNOWN, SQUARES])
def test_it_is_the_gradient_of_the_derivative_along_the_direction(head):
    """What `symderiv.hvp` takes, ∂φ/∂w with φ = Σ ∂E/∂w v, is R{∂E/∂w}."""
    claim = decided(head, "diff(directional(E, {w1: v1}), w1[j,i])", R("diff(E, w1[j,i])", "{w1: v1}"))
    assert (claim.status, claim.basis) == ("proved", "kernel")


def test_rows_of_one_sheet_may_cite_each_other():
    sheet = Sheet(UNKNOWN)
    for left, right in [*UP, *ERRORS, *DOWN]:
        sheet.read(f"assert {left} == {right}")
    assert {(c.status, c.basis) for c in sheet.claims} == {("proved", "kernel")}


def test_they_stand_beside_claims_about_derivatives():
    sheet = Sheet(UNKNOWN)
    for claim in (
        "directional(b[k], {w2: v2}) == sum[j](v2[k,j] * z[j])",
        f"{DOWN[2][0]} == {DOWN[2][1]}",
        "diff(b[k], w2[k_,j]) == delta[k,k_] * z[j]",
        "diff(E, w2[k,j]) == diff(E, b[k]) * z[j]",
        "diff(E, w2[k,j], w2[k_,j_]) == M[k,k_] * z[j] * z[j_]",
        f"{DOWN[1][0]} == {DOWN[1][1]}",
    ):
        sheet.read(f"assert {claim}")
    assert {(c.status, c.basis) for c in sheet.claims} == {("proved", "kernel")}


MUTANTS = [
    (R("a[j]"), "sum[i](w1[j,i] * x[i])"),
    (R("a[j]"), "sum[i](v1[j,i])"),
    (R("z[j]"), f"diff(h, 2)(a[j]) * {R('a[j]')}"),
    (R("z[j]"), R("a[j]")),
    (R("b[k]"), f"sum[j](w2[k,j] * {R('z[j]')})"),
    (R("b[k]"), f"sum[j](w2[k,j] * {R('a[j]')}) + sum[j](v2[k,j] * z[j])"),
    (R("b[k]"), f"sum[j](w2[k,j] * {R('z[j]')}) - sum[j](v2[k,j] * z[j])"),
    (R("d[k]"), f"sum[k_](M[k,k] * {R('b[k_]')})"),
    (R("diff(E, a[j])"), DOWN[0][1].replace("h, 2", "h")),
    (R("diff(E, a[j])"), DOWN[0][1].replace("v2", "w2")),
    (R("diff(E, w2[k,j])"), f"{R('diff(E, b[k])')} * z[j]"),
    (R("diff(E, w1[j,i])", "{w1: v1}"), f"x[i] * {R('diff(E, a[j])')}"),
    (R("diff(E, w1[j,i])"), "sum[j_,i_](diff(E, w1[j,i], w1[j_,i_]) * v1[j_,i_])"),
    (R(R("E", U)), R(R("E"), V)),
]


@pytest.mark.parametrize(("left", "right"), MUTANTS)
def test_a_wrong_row_is_refuted(left, right):
    assert decided(UNKNOWN, left, right).status == "refuted"


def test_a_symmetric_variable_may_leave_its_kind():
    """`S + s V` need not be symmetric: x V x, and not with Vᵀ where that is another matrix."""
    head = "S: symmetric(n, n)\nV: (n, n)\nx: (n,)\nm = S @ S.T\n"
    good = decided(head, "directional(m, {S: V})", "V @ S.T + S @ V.T")
    assert (good.status, good.basis) == ("proved", "kernel")
    assert decided(head, "directional(x @ S @ x, {S: V})", "x @ V @ x").status == "proved"
    assert decided(head, "directional(m, {S: V})", "V @ S + S @ V").status == "refuted"


def test_a_definition_moves_after_its_definition():
    assert decided(LAYERS + "q: (J,)\n", "directional(b, {a: q})", "w2 @ (diff(h)(a) * q)").basis == "kernel"
    assert decided(LAYERS + "q: (J,)\n", "directional(a, {z: q})", "0 * a").status == "proved"


def test_a_direction_that_depends_on_what_moves_is_held():
    """Euler: the derivative of a product of degree 1 along itself is the product."""
    claim = decided(LAYERS, "directional(b, {w2: w2})", "b")
    assert (claim.status, claim.basis) == ("proved", "exact")
    assert "depends on what moves" in claim.unproved
    assert decided(LAYERS, "directional(b, {w2: w2})", "2 * b").status == "refuted"


def test_the_definition_by_derivatives_is_that_of_differences():
    """`(f(w + s v) − f(w − s v)) / 2s` for a small s, with numbers."""
    rng = np.random.default_rng(3)
    value = {"W": rng.standard_normal((3, 2)), "x": rng.standard_normal(2), "v": rng.standard_normal((3, 2))}
    sheet = Sheet("W: (m, n)\nx: (n,)\nv: (m, n)\nf = sum(tanh(W @ x)**3)\nr = directional(f, {W: v})")
    (r,) = (s.exprs[0].args[0] for s in sheet.statements if s.name == "r")
    whole = by_derivatives(*r.args)
    assert to_text(whole) == "einsum('ab,ab->', diff(f, W), v)"
    g = symderiv.derive("sum(tanh(W @ x)**3)", "W", shapes={"W": ("m", "n"), "x": ("n",)})
    exact = (g.compile()(W=value["W"], x=value["x"]) * value["v"]).sum()

    def f(s: float) -> float:
        return float((np.tanh((value["W"] + s * value["v"]) @ value["x"]) ** 3).sum())

    assert exact == pytest.approx((f(1e-5) - f(-1e-5)) / 2e-5, rel=1e-8)
    difference = lower(r, meaning()).node
    assert difference.rank == 0


def test_what_moves_becomes_a_definition_in_one_number():
    (st,) = Sheet("w: (n,)\nv: (n,)\ndirectional(w @ w, {w: v})").statements[2:]
    (found,) = along_numbers(*st.exprs)
    assert (found.op, to_text(found)) == ("diff", "diff(w @ w, R{w: v})")
    assert to_text(found.args[0].args[0].args[0]) == "w at rest + R{w: v} * v"


@pytest.mark.parametrize(
    ("text", "kind", "words"),
    [
        ("directional(a)", ParseError, "directional takes"),
        ("directional(a, {})", ParseError, "directional takes"),
        ("directional(a, v1)", ParseError, "directional takes"),
        ("directional(a, {w1[j,i]: x[i]})", ParseError, "what moves"),
        ("directional(a, {w1: v1, w1: v1})", ParseError, "two directions"),
        ("directional(a, {w1: v2})", ShapeError, "the shape of what moves"),
        ("directional(a, {**w1})", ParseError, "one by one"),
        ("directional(a, {w1: v1}, w1)", ParseError, "directional takes"),
    ],
)
def test_mistakes_are_refused_with_what_is_wrong(text, kind, words):
    with pytest.raises(kind, match=words):
        Sheet(LAYERS + text)


def test_it_prints_as_the_books_do():
    sheet = Sheet(UNKNOWN)
    left, right = DOWN[0]
    (claim,) = sheet.read(f"assert {left} == {right}")
    view = Printer(sheet, {"loss": "E"}).claim(claim)
    assert view.statement.startswith(r"\mathcal{R}") and is_harmless(view.statement)
    lines = [line for proof in view.proofs for line in proof.lines]
    assert all(is_harmless(line.left + line.right) for line in lines)
    assert len(lines) <= 12 and not any("at rest" in line.right or "R{" in line.right for line in lines)
    assert to_text(claim.statement.exprs[0]) == "directional(diff(E, a[j]), {w1: v1, w2: v2})"
