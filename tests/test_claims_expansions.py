"""`O(eps**k)`: Taylor coefficients below k, found by derivatives in eps; wrong orders are refuted."""

from __future__ import annotations

import numpy as np
import pytest
import sympy

from symderiv import ParseError, ProofError, Sheet, UnsupportedError
from symderiv.check.kernel import check
from symderiv.claims.expansions import expansion
from symderiv.claims.taylor import signs_outside
from symderiv.handout.views import Printer
from symderiv.index.nodes import Argument, Context, Definition, Entry, Index, Plus, Step, Sum, Tensor, Times
from symderiv.render.mathtext import is_harmless
from symderiv.tensor.text import to_text

HEAD = "E: function()\nw: (W,)\nv: (W,)\nu: (W,)\ns: ()\nt: ()\neps: ()\n"
FOUR = (
    "(E(s + eps, t + eps) - E(s + eps, t - eps) - E(s - eps, t + eps) + E(s - eps, t - eps)) / (4 * eps**2)"
    " == diff(E(s, t), s, t)"
)
FOUR_ALONG = (
    "(E(w + eps*u + eps*v) - E(w + eps*u - eps*v) - E(w - eps*u + eps*v) + E(w - eps*u - eps*v)) / (4 * eps**2)"
    " == u @ diff(E(w), w, w) @ v"
)
SLOPES = "(diff(E(s, t + eps), s) - diff(E(s, t - eps), s)) / (2 * eps) == diff(E(s, t), s, t)"
GRADIENT = "(diff(E(w + eps*v), w) - diff(E(w - eps*v), w)) / (2 * eps)"
CENTRAL = "(E(w + eps*v) - E(w - eps*v)) / (2 * eps)"
ONE_SIDED = "(E(w + eps*v) - E(w)) / eps"
TRUE = [
    f"{FOUR} + O(eps**2)",
    f"{FOUR_ALONG} + O(eps**2)",
    f"{SLOPES} + O(eps**2)",
    f"{GRADIENT} == diff(E(w), w, w) @ v + O(eps**2)",
    f"{GRADIENT} == directional(diff(E(w), w), {{w: v}}) + O(eps**2)",
    f"{CENTRAL} == diff(E(w), w) @ v + O(eps**2)",
    f"{CENTRAL} == directional(E(w), {{w: v}}) + O(eps**2)",
    f"{ONE_SIDED} == diff(E(w), w) @ v + O(eps)",
    "(diff(E(w + eps*v), w) - diff(E(w), w)) / eps == diff(E(w), w, w) @ v + O(eps)",
    "E(w + eps*v) == E(w) + eps * (diff(E(w), w) @ v) + O(eps**2)",
    "E(w) + O(eps) == E(w + eps*v)",
    "w + eps*v == w + O(eps)",
    "exp(eps) == 1 + eps + eps**2 / 2 + O(eps**3)",
    "sin(eps) / eps == 1 + O(eps**2)",
    "1 / (1 + eps) == 1 - eps + O(eps**2)",
]
FALSE = [
    (f"{FOUR} + O(eps**3)", 2),
    (f"{FOUR.replace('+ E', '- E')} + O(eps**2)", -2),
    (f"{FOUR.replace('4 * eps', '2 * eps')} + O(eps**2)", 0),
    (f"{SLOPES} + O(eps**3)", 2),
    (f"{SLOPES.replace('2 * eps', 'eps')} + O(eps**2)", 0),
    (f"{GRADIENT} == diff(E(w), w, w) @ v + O(eps**3)", 2),
    (f"{GRADIENT} == diff(E(w), w, w) @ u + O(eps**2)", 0),
    (f"{CENTRAL} == diff(E(w), w) @ v + O(eps**3)", 2),
    (f"{ONE_SIDED} == diff(E(w), w) @ v + O(eps**2)", 1),
    ("(diff(E(w + eps*v), w) - diff(E(w), w)) / eps == diff(E(w), w, w) @ v + O(eps**2)", 1),
    ("E(w + eps*v) == O(eps)", 0),
    ("exp(eps) == 1 + eps + eps**2 / 3 + O(eps**3)", 2),
    ("sin(eps) / eps == 1 + O(eps**3)", 2),
]


def decided(claim: str):
    (found,) = Sheet(f"{HEAD}assert {claim}").claims
    return found


@pytest.mark.parametrize("claim", TRUE)
def test_an_expansion_is_proved_step_by_step(claim):
    found = decided(claim)
    assert (found.status, found.basis, found.unproved) == ("proved", "kernel", "")


@pytest.mark.parametrize(("claim", "power"), FALSE)
def test_a_wrong_order_or_coefficient_is_refuted_where_it_first_differs(claim, power):
    found = decided(claim)
    assert found.status == "refuted" and found.counterexample is not None
    assert found.scope.startswith(f"the sides differ in the coefficient of eps**{power}:")


def test_the_numerator_is_smooth_and_says_how_often_it_is_divided():
    (statement,) = Sheet(HEAD + "assert " + TRUE[0]).statements[7:]
    claim = expansion(*statement.exprs)
    assert (claim.order, claim.divided, claim.count) == (2, 2, 4)
    assert not any(part in to_text(claim.numerator) for part in ("/ eps", "O("))


@pytest.mark.parametrize("order", [1, 2])
def test_the_orders_are_those_of_numbers(order):
    """Halving eps divides the error by 2ᵏ: one-sided and central differences of a function with known derivatives."""
    w, v = np.array([0.3, -0.7, 1.1]), np.array([0.5, 0.2, -0.4])

    def f(w):
        return np.exp(w[0]) * np.sin(w[1]) + w[2] ** 3 * w[0]

    g = np.array([np.exp(w[0]) * np.sin(w[1]) + w[2] ** 3, np.exp(w[0]) * np.cos(w[1]), 3 * w[2] ** 2 * w[0]])

    def error(eps):
        if order == 1:
            return abs((f(w + eps * v) - f(w)) / eps - g @ v)
        return abs((f(w + eps * v) - f(w - eps * v)) / (2 * eps) - g @ v)

    assert np.log2(error(1e-2) / error(5e-3)) == pytest.approx(order, abs=0.05)
    claim = f"{ONE_SIDED if order == 1 else CENTRAL} == diff(E(w), w) @ v"
    assert decided(f"{claim} + O(eps**{order})").status == "proved"
    assert decided(f"{claim} + O(eps**{order + 1})").status == "refuted"


@pytest.mark.parametrize(
    ("claim", "kind", "words"),
    [
        ("abs(eps) == O(eps**2)", UnsupportedError, "kink"),
        ("relu(eps) == O(eps)", UnsupportedError, "kink"),
        ("sqrt(eps) == O(eps)", UnsupportedError, "not defined at eps = 0"),
        ("log(eps) == O(eps)", UnsupportedError, "not defined at eps = 0"),
        ("1 / sin(eps) == 1 / eps + O(eps)", UnsupportedError, "not defined at eps = 0"),
        ("E(w + eps*v) == E(w) * O(eps)", UnsupportedError, "inside of an expression"),
        ("s == O(s) + O(eps)", UnsupportedError, "one small number"),
        ("s == O(eps**7)", ParseError, "between 1 and 6"),
        ("s == O(w)", ParseError, "declared scalar"),
        ("s == O(2 * eps)", ParseError, "power of one scalar"),
    ],
)
def test_what_has_no_expansion_is_refused(claim, kind, words):
    with pytest.raises(kind, match=words):
        decided(claim)


def test_outside_of_a_claim_it_is_no_quantity():
    with pytest.raises(UnsupportedError, match="no quantity"):
        Sheet(HEAD + "y = s + O(eps)")


def test_every_coefficient_is_printed():
    sheet = Sheet(HEAD + f"assert {TRUE[2]}, 'H14 (5.91)'")
    view = Printer(sheet, {}).claim(sheet.claims[0])
    assert view.statement.endswith(r"O(\varepsilon^{2})")
    lines = [line for proof in view.proofs for line in proof.lines]
    assert all(is_harmless(line.left + line.right) for line in lines)
    assert [line.right for line in lines].count("0") == 3
    assert sum(line.reason.endswith(r"$\varepsilon = 0$") for line in lines) == 3


def test_a_proof_names_the_points_and_has_one_term_for_each():
    sheet = Sheet(HEAD + f"assert {TRUE[3]}, 'H14 (5.91)'")
    (proof,) = Printer(sheet, {}).claim(sheet.claims[0]).proofs
    assert r"p_{1} = w + \varepsilon\,v" in proof.intro and r"0\," not in proof.intro
    lines = [line.left + line.right for line in proof.lines]
    assert any(r"\partial p_{2,i}" in line for line in lines)
    assert not any(r"1\,\sum" in line or r"\partial (" in line for line in lines)
    assert max(line.count(r"\partial^{3}") for line in lines) == 2


def test_signs_stand_in_front_of_sums():
    inner = Sum(Times(-sympy.Integer(1), Entry(x, i)), i)
    assert signs_outside(Times(sympy.Rational(1, 2), Times(-sympy.Integer(1), inner), Entry(y, i))) == Times(
        sympy.Rational(1, 2), Sum(Entry(x, i), i), Entry(y, i)
    )
    assert signs_outside(Plus(inner, Entry(y, i))) == Plus(Times(-sympy.Integer(1), Sum(Entry(x, i), i)), Entry(y, i))


# --- the law that it needs ------------------------------------------------------------------------

n = sympy.Symbol("n", integer=True, positive=True)
i = Index("i", n)
x, y = Tensor("x", n), Tensor("y", n)


def function(name: str, argument: Tensor) -> Definition:
    return Definition(Tensor(name), kind="unknown", arguments=(argument,), function="E")


def proof(first: Definition, second: Definition, texts: dict[str, Definition]) -> None:
    """Have the kernel check `E(A) = E(B)`."""
    context = Context({first.tensor.name: first, second.tensor.name: second, **texts})
    left, right = Entry(first.tensor), Entry(second.tensor)
    check([Argument("claim", left, (Step("equal arguments", (), {}, left, right),), right)], context)


def test_functions_of_equal_arguments_are_equal():
    twice = Definition(Tensor("A", n), (i,), Plus(Entry(x, i), Entry(x, i)))
    double = Definition(Tensor("B", n), (i,), Times(sympy.Integer(2), Entry(x, i)))
    other = Definition(Tensor("C", n), (i,), Times(sympy.Integer(3), Entry(x, i)))
    texts = {d.tensor.name: d for d in (twice, double, other)}
    proof(function("E(A)", twice.tensor), function("E(B)", double.tensor), texts)
    with pytest.raises(ProofError, match="are not equal"):
        proof(function("E(A)", twice.tensor), function("E(C)", other.tensor), texts)
    with pytest.raises(ProofError, match="different functions"):
        another = Definition(Tensor("F(B)"), kind="unknown", arguments=(double.tensor,), function="F")
        proof(function("E(A)", twice.tensor), another, texts)
