"""Second derivatives in sheets: printed proofs, every step checked; false claims and damaged proofs refused."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import sympy
from networks import NAMED_LAYERS, TWO_LAYERS

from symderiv import ProofError, Sheet
from symderiv.check.decide import decide_equal
from symderiv.check.kernel import check
from symderiv.handout.views import Printer
from symderiv.index.nodes import Argument, Derivative, Times, at, put
from symderiv.sheet import plain

# All layers have one size, so that shapes catch no exchanged index.
SQUARE = NAMED_LAYERS.replace("(I,)", "(n,)").replace("(J, I)", "(n, n)").replace("(K, J)", "(n, n)")
BIAS = NAMED_LAYERS.replace("a = w1 @ x", "b1: (J,)\na = w1 @ x + b1")
RIDGE = TWO_LAYERS.replace("loss(b)", "loss(b) + sum(w1**2) / 2")
SQUARES = TWO_LAYERS.replace("loss: function()", "t: (K,)").replace("loss(b)", "sum((b - t)**2) / 2")
PLAIN = "x: (n,)\nv: (m,)\nA: (n, n)\nS: symmetric(n, n)\nT: (n, n)\ng: function()\nu: function(m)\n"

ROWS = {
    "H5": ("diff(E, w1[j,i], w1[j,i])", "diff(E, a[j], a[j]) * x[i]**2"),
    "H5, second layer": ("diff(E, w2[k,j], w2[k,j])", "diff(E, b[k], b[k]) * z[j]**2"),
    "H6": (
        "diff(E, a[j], a[j])",
        "diff(h)(a[j])**2 * sum[k,k_](w2[k,j] * w2[k_,j] * diff(E, b[k], b[k_]))"
        " + diff(h, 2)(a[j]) * sum[k](w2[k,j] * diff(E, b[k]))",
    ),
    "H15": ("diff(E, w2[k,j], w2[k_,j_])", "z[j] * z[j_] * M[k,k_]"),
    "H16": (
        "diff(E, w1[j,i], w1[j_,i_])",
        "x[i] * x[i_] * diff(h, 2)(a[j_]) * delta[j,j_] * sum[k](w2[k,j_] * d[k])"
        " + x[i] * x[i_] * diff(h)(a[j_]) * diff(h)(a[j]) * sum[k,k_](w2[k_,j_] * w2[k,j] * M[k,k_])",
    ),
    "H17": (
        "diff(E, w1[j,i], w2[k,j_])",
        "x[i] * diff(h)(a[j]) * (d[k] * delta[j,j_] + z[j_] * sum[k_](w2[k_,j] * M[k,k_]))",
    ),
}
VARIANTS = {
    "H16, written out": (
        TWO_LAYERS,
        "diff(E, w1[j,i], w1[j_,i_])",
        "x[i] * x[i_] * diff(h, 2)(a[j_]) * delta[j,j_] * sum[k](w2[k,j_] * diff(E, b[k]))"
        " + x[i] * x[i_] * diff(h)(a[j_]) * diff(h)(a[j]) * sum[k,k_](w2[k_,j_] * w2[k,j] * diff(E, b[k], b[k_]))",
    ),
    "H17, written out, the other order": (
        TWO_LAYERS,
        "diff(E, w2[k,j_], w1[j,i])",
        "x[i] * diff(h)(a[j]) * (diff(E, b[k]) * delta[j,j_] + z[j_] * sum[k_](w2[k_,j] * diff(E, b[k_], b[k])))",
    ),
    "one layer": (TWO_LAYERS, "diff(E, w1[j,i], w1[j_,i_])", "x[i] * x[i_] * diff(E, a[j], a[j_])"),
    "H20, H5": (BIAS, "diff(E, b1[j], b1[j])", "diff(E, a[j], a[j])"),
    "H20, bias and weight": (BIAS, "diff(E, b1[j], w1[j_,i])", "diff(E, a[j], a[j_]) * x[i]"),
    "H20, H16": (
        BIAS,
        "diff(E, b1[j], w1[j_,i])",
        "x[i] * diff(h, 2)(a[j_]) * delta[j,j_] * sum[k](w2[k,j_] * d[k])"
        " + x[i] * diff(h)(a[j_]) * diff(h)(a[j]) * sum[k,k_](w2[k_,j_] * w2[k,j] * M[k,k_])",
    ),
    "H20, H17": (
        BIAS,
        "diff(E, b1[j], w2[k,j_])",
        "diff(h)(a[j]) * (d[k] * delta[j,j_] + z[j_] * sum[k_](w2[k_,j] * M[k,k_]))",
    ),
    "a name": (NAMED_LAYERS, "diff(E, b, b)", "M"),
    "Schwarz": (NAMED_LAYERS, "diff(E, b[k_], b[k])", "M[k,k_]"),
    "a defined and a declared array": (TWO_LAYERS, "diff(E, a[j], w1[j_,i])", "x[i] * diff(E, a[j], a[j_])"),
    "the other order": (TWO_LAYERS, "diff(E, w1[j_,i], a[j])", "x[i] * diff(E, a[j], a[j_])"),
    "of a derivative with a name": (NAMED_LAYERS, "diff(d[k], w2[k_,j])", "M[k,k_] * z[j]"),
    "of it in what it is a derivative in": (NAMED_LAYERS, "diff(d[k], b[k_])", "M[k,k_]"),
    "of a derivative without a name": (NAMED_LAYERS, "diff(diff(E, b)[k], b[k_])", "M[k,k_]"),
    "of the derivative of a name": (NAMED_LAYERS, "diff(d[k], b[k_], w2[k_,j])", "diff(M[k,k_], w2[k_,j])"),
    "another way to the weights": (
        RIDGE, "diff(E, w1[j,i], w1[j_,i_])", "diff(E, a[j], a[j_]) * x[i] * x[i_] + delta[j,j_] * delta[i,i_]",
    ),
    "a sum of squares": (
        SQUARES,
        "diff(E, w1[j,i], w2[k,j_])",
        "x[i] * diff(h)(a[j]) * ((b[k] - t[k]) * delta[j,j_] + z[j_] * w2[k,j])",
    ),
    "a sum of squares, its slope named": (
        SQUARES,
        "diff(E, w1[j,i], w2[k,j_])",
        "x[i] * diff(h)(a[j]) * (diff(E, b[k]) * delta[j,j_] + z[j_] * w2[k,j])",
    ),
    "matrix notation": (PLAIN + "f = x @ A @ x\n", "diff(f, x, x)", "A + A.T"),
    "a gradient": (PLAIN + "f = x @ A @ x\nG = diff(f, x)\n", "diff(G, x)", "A + A.T"),
    "a gradient of what has no name": (PLAIN + "G = diff(x @ A @ x, x)\n", "diff(G[i], x[j])", "A[i,j] + A[j,i]"),
    "a symmetric matrix": (PLAIN, "diff(x @ S @ x, x, x)", "2 * S"),
    "in a symmetric matrix": (
        PLAIN + "f = trace(S @ S)\n", "diff(f, S[i,j], S[k,l])", "2 * delta[i,l] * delta[j,k]",
    ),
    "in what is symmetric by definition": (
        PLAIN + "C = A.T @ A\nf = trace(C @ C)\n", "diff(f, C[i,j], C[k,l])", "2 * delta[i,l] * delta[j,k]",
    ),
    "an array": (PLAIN + "y = A @ x\nf = exp(y)\n", "diff(f[i], x[j], x[k])", "f[i] * A[i,j] * A[i,k]"),
    "an unknown array": (
        PLAIN + "y = A @ x\nf = u(y)\n",
        "diff(f[i], x[j], x[k])",
        "sum[p,q](A[p,j] * A[q,k] * diff(f[i], y[p], y[q]))",
    ),
    "two arguments": (PLAIN + "f = g(x, v)\nG = diff(f, x)\n", "diff(G[i], v[j])", "diff(f, v[j], x[i])"),
    "an inverse": (PLAIN + "f = logdet(T)\n", "diff(f, T[i,j], T[k,l])", "-inv(T)[j,k] * inv(T)[l,i]"),
    "no dependence": (PLAIN + "f = x @ x\n", "diff(f, x, v)", "zeros(n, m)"),
    "no name": (
        PLAIN,
        "diff(x[i]**2 * x[j], x[k], x[l])",
        "2 * delta[i,k] * delta[i,l] * x[j] + 2 * x[i] * (delta[i,k] * delta[j,l] + delta[i,l] * delta[j,k])",
    ),
    "third": (PLAIN + "f = sum(x**3)\n", "diff(f, x[i], x[j], x[k])", "6 * delta[i,j] * delta[i,k]"),
    "third, unknown": (
        PLAIN + "y = A @ x\nf = g(y)\n",
        "diff(f, x[i], x[j], x[k])",
        "sum[p,q,r](A[p,i] * A[q,j] * A[r,k] * diff(f, y[p], y[q], y[r]))",
    ),
}  # fmt: skip
MUTANTS = {
    "H5": [
        "diff(E, a[j], a[j]) * x[i]",
        "diff(E, a[j], a[j]) * x[j]**2",
        "diff(E, a[i], a[i]) * x[i]**2",
        "diff(E, a[j], a[i]) * x[i]**2",
        "diff(E, a[j], a[j]) * z[i]**2",
        "diff(E, a[j])**2 * x[i]**2",
        "-diff(E, a[j], a[j]) * x[i]**2",
        "2 * diff(E, a[j], a[j]) * x[i]**2",
        "diff(E, b[j], b[j]) * x[i]**2",
    ],
    "H6": [
        "diff(h)(a[j])**2 * sum[k,k_](w2[k,j] * w2[k_,j] * diff(E, b[k], b[k_]))",
        "diff(h, 2)(a[j]) * sum[k](w2[k,j] * diff(E, b[k]))",
        "diff(h)(a[j])**2 * sum[k](w2[k,j]**2 * diff(E, b[k], b[k]))"
        " + diff(h, 2)(a[j]) * sum[k](w2[k,j] * diff(E, b[k]))",
        "diff(h)(a[j]) * sum[k,k_](w2[k,j] * w2[k_,j] * diff(E, b[k], b[k_]))"
        " + diff(h, 2)(a[j]) * sum[k](w2[k,j] * diff(E, b[k]))",
        "diff(h)(a[j])**2 * sum[k,k_](w2[j,k] * w2[k_,j] * diff(E, b[k], b[k_]))"
        " + diff(h, 2)(a[j]) * sum[k](w2[k,j] * diff(E, b[k]))",
        "diff(h)(a[j])**2 * sum[k,k_](w2[k,j] * w2[k_,j] * diff(E, b[k], b[k_]))"
        " + diff(h, 2)(a[j]) * sum[k](w2[j,k] * diff(E, b[k]))",
        "diff(h)(a[j])**2 * sum[k,k_](w2[k,j] * w2[k_,j] * diff(E, b[k], b[k_]))"
        " + diff(h)(a[j]) * sum[k](w2[k,j] * diff(E, b[k]))",
        "diff(h)(a[j])**2 * sum[k,k_](w2[k,j] * w2[k_,j] * diff(E, b[k], b[k_]))"
        " - diff(h, 2)(a[j]) * sum[k](w2[k,j] * diff(E, b[k]))",
    ],
    "H15": [
        "z[j] * z[j_] * M[k,j_]",
        "z[j] * z[j] * M[k,k_]",
        "z[k] * z[k_] * M[j,j_]",
        "z[j] * M[k,k_]",
        "z[j] * z[k_] * M[k,j_]",
        "z[j] * z[j_] * M[k,k]",
        "x[j] * x[j_] * M[k,k_]",
        "a[j] * a[j_] * M[k,k_]",
        "z[j] * z[j_] * d[k] * d[k_]",
    ],
    "H16": [
        "x[i] * x[i] * diff(h, 2)(a[j_]) * delta[j,j_] * sum[k](w2[k,j_] * d[k])"
        " + x[i] * x[i_] * diff(h)(a[j_]) * diff(h)(a[j]) * sum[k,k_](w2[k_,j_] * w2[k,j] * M[k,k_])",
        "x[i] * x[i_] * diff(h, 2)(a[j_]) * sum[k](w2[k,j_] * d[k])"
        " + x[i] * x[i_] * diff(h)(a[j_]) * diff(h)(a[j]) * sum[k,k_](w2[k_,j_] * w2[k,j] * M[k,k_])",
        "x[i] * x[i_] * diff(h, 2)(a[j_]) * delta[i,i_] * sum[k](w2[k,j_] * d[k])"
        " + x[i] * x[i_] * diff(h)(a[j_]) * diff(h)(a[j]) * sum[k,k_](w2[k_,j_] * w2[k,j] * M[k,k_])",
        "x[i] * x[i_] * diff(h)(a[j_]) * delta[j,j_] * sum[k](w2[k,j_] * d[k])"
        " + x[i] * x[i_] * diff(h)(a[j_]) * diff(h)(a[j]) * sum[k,k_](w2[k_,j_] * w2[k,j] * M[k,k_])",
        "x[i] * x[i_] * diff(h, 2)(a[j_]) * delta[j,j_] * sum[k](w2[j_,k] * d[k])"
        " + x[i] * x[i_] * diff(h)(a[j_]) * diff(h)(a[j]) * sum[k,k_](w2[k_,j_] * w2[k,j] * M[k,k_])",
        "x[i] * x[i_] * diff(h, 2)(a[j_]) * delta[j,j_] * sum[k](w2[k,j_] * d[k])"
        " + x[i] * x[i_] * diff(h)(a[j])**2 * sum[k,k_](w2[k_,j_] * w2[k,j] * M[k,k_])",
        "x[i] * x[i_] * diff(h, 2)(a[j_]) * delta[j,j_] * sum[k](w2[k,j_] * d[k])"
        " + x[i] * x[i_] * diff(h)(a[j_]) * diff(h)(a[j]) * sum[k,k_](w2[k_,j] * w2[k,j] * M[k,k_])",
        "x[i] * x[i_] * diff(h, 2)(a[j_]) * delta[j,j_] * sum[k](w2[k,j_] * d[k])"
        " + x[i] * x[i_] * diff(h)(a[j_]) * diff(h)(a[j]) * sum[k](w2[k,j_] * w2[k,j] * M[k,k])",
        "x[i] * x[i_] * diff(h, 2)(a[j_]) * delta[j,j_] * sum[k](w2[k,j_] * d[k])"
        " + x[i_] * diff(h)(a[j_]) * diff(h)(a[j]) * sum[k,k_](w2[k_,j_] * w2[k,j] * M[k,k_])",
        "x[i] * x[i_] * diff(h)(a[j_]) * diff(h)(a[j]) * sum[k,k_](w2[k_,j_] * w2[k,j] * M[k,k_])",
        "x[j] * x[j_] * diff(h, 2)(a[i_]) * delta[i,i_] * sum[k](w2[k,i_] * d[k])"
        " + x[j] * x[j_] * diff(h)(a[i_]) * diff(h)(a[i]) * sum[k,k_](w2[k_,i_] * w2[k,i] * M[k,k_])",
    ],
    "H17": [
        "x[i] * diff(h)(a[j_]) * (d[k] * delta[j,j_] + z[j] * sum[k_](w2[k_,j_] * M[k,k_]))",  # as the book has it
        "x[i] * diff(h)(a[j_]) * (d[k] * delta[j,j_] + z[j_] * sum[k_](w2[k_,j] * M[k,k_]))",
        "x[i] * diff(h)(a[j]) * (d[k] * delta[j,j_] + z[j] * sum[k_](w2[k_,j] * M[k,k_]))",
        "x[i] * diff(h)(a[j]) * (d[k] * delta[j,j_] + z[j_] * sum[k_](w2[k_,j_] * M[k,k_]))",
        "x[i] * diff(h)(a[j]) * (d[k] + z[j_] * sum[k_](w2[k_,j] * M[k,k_]))",
        "x[i] * diff(h)(a[j]) * (d[j] * delta[j,j_] + z[j_] * sum[k_](w2[k_,j] * M[k,k_]))",
        "x[i] * diff(h)(a[j]) * (d[k] * delta[k,j_] + z[j_] * sum[k_](w2[k_,j] * M[k,k_]))",
        "x[i] * diff(h)(a[j]) * (d[k] * delta[j,j_] + z[j_] * sum[k_](w2[j,k_] * M[k,k_]))",
        "x[i] * diff(h)(a[j]) * (d[k] * delta[j,j_] + z[j_] * sum[k_](w2[k,j] * M[k,k_]))",
        "x[i] * (d[k] * delta[j,j_] + z[j_] * sum[k_](w2[k_,j] * M[k,k_]))",
        "x[j] * diff(h)(a[j]) * (d[k] * delta[j,j_] + z[j_] * sum[k_](w2[k_,j] * M[k,k_]))",
    ],
}
STILL_TRUE = [
    ("H15", "z[j] * z[j_] * M[k_,k]", "second derivatives commute"),
    (
        "H17",
        "x[i] * diff(h)(a[j_]) * d[k] * delta[j,j_] + x[i] * diff(h)(a[j]) * z[j_] * (M @ w2)[k,j]",
        "j = j' under δ",
    ),
    (
        "H16",
        "x[i_] * x[i] * diff(h, 2)(a[j]) * delta[j_,j] * sum[k](w2[k,j] * d[k])"
        " + x[i_] * x[i] * diff(h)(a[j]) * diff(h)(a[j_]) * sum[k,k_](w2[k_,j] * w2[k,j_] * M[k,k_])",
        "symmetric in both weights",
    ),
]  # fmt: skip


def decide(block, left, right):
    (claim,) = Sheet(f"{block}assert {left} == {right}").claims
    return claim


@pytest.fixture(scope="module")
def rows():
    return {name: decide(NAMED_LAYERS, *sides) for name, sides in ROWS.items()}


# --- what is proved ------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ROWS)
def test_the_rows_on_second_derivatives_are_proved_step_by_step(name, rows):
    claim = rows[name]
    assert (claim.status, claim.basis, claim.unproved) == ("proved", "kernel", "")
    left, right = claim.statement.exprs
    assert decide_equal(plain(left), plain(right)).status == "proved"


@pytest.mark.parametrize("name", VARIANTS)
def test_so_are_their_variants_and_second_derivatives_in_general(name):
    claim = decide(*VARIANTS[name])
    assert (claim.status, claim.basis) == ("proved", "kernel")
    left, right = claim.statement.exprs
    assert decide_equal(plain(left), plain(right)).status == "proved"


@pytest.mark.parametrize(("name", "right", "why"), STILL_TRUE)
def test_the_same_in_other_words_is_proved_too(name, right, why):
    claim = decide(SQUARE, ROWS[name][0], right)
    assert (claim.status, claim.basis) == ("proved", "kernel"), why


@pytest.mark.parametrize(("name", "right"), [(name, right) for name, found in MUTANTS.items() for right in found])
def test_a_damaged_row_is_never_proved(name, right):
    claim = decide(SQUARE, ROWS[name][0], right)
    assert claim.status == "refuted" and claim.counterexample is not None


def test_entries_of_a_symmetric_matrix_are_independent_until_the_last_derivative():
    for block in ("f = trace(S @ S)\n", "C = A.T @ A\nf = trace(C @ C)\n"):
        head = "C" if "C" in block else "S"
        claim = decide(PLAIN + block, f"diff(f, {head}[i,j], {head}[k,l])", "2 * delta[i,k] * delta[j,l]")
        assert claim.status == "refuted"


def test_h16_and_h17_agree_with_differences_of_the_function():
    """tanh units, `loss(b) = Σ exp(b) + b₀ b₁²`: entries of the Hessian by central differences of E itself."""
    rng = np.random.default_rng(3)
    x, w1, w2 = rng.normal(size=4), rng.normal(size=(3, 4)), rng.normal(size=(2, 3))

    def loss(w1, w2):
        b = w2 @ np.tanh(w1 @ x)
        return np.exp(b).sum() + b[0] * b[1] ** 2

    a = w1 @ x
    z, b = np.tanh(a), w2 @ np.tanh(a)
    h1, h2 = 1 - z**2, -2 * z * (1 - z**2)
    d = np.exp(b) + np.array([b[1] ** 2, 2 * b[0] * b[1]])
    m = np.diag(np.exp(b)) + np.array([[0, 2 * b[1]], [2 * b[1], 2 * b[0]]])
    h16 = np.einsum("i,I,J,jJ,J->jiJI", x, x, h2, np.eye(3), w2.T @ d)
    h16 += np.einsum("i,I,J,j,jJ->jiJI", x, x, h1, h1, w2.T @ m @ w2)
    h17 = np.einsum("i,j,k,jJ->jikJ", x, h1, d, np.eye(3)) + np.einsum("i,j,J,kj->jikJ", x, h1, z, m @ w2)
    step = 1e-4

    def second(one, other):
        total = 0.0
        for s in (1, -1):
            for t in (1, -1):
                weights = [w1.copy(), w2.copy()]
                weights[one[0]][one[1:]] += s * step
                weights[other[0]][other[1:]] += t * step
                total += s * t * loss(*weights)
        return total / (4 * step**2)

    for j, i, J, I in [(0, 1, 0, 1), (0, 1, 2, 3), (1, 0, 1, 2), (2, 2, 0, 0)]:
        assert second((0, j, i), (0, J, I)) == pytest.approx(h16[j, i, J, I], rel=1e-5, abs=1e-5)
    for j, i, k, J in [(0, 1, 0, 0), (1, 3, 1, 2), (2, 0, 0, 2)]:
        assert second((0, j, i), (1, k, J)) == pytest.approx(h17[j, i, k, J], rel=1e-5, abs=1e-5)


# --- how it reads --------------------------------------------------------------------------------


def lines_of(claim, block=NAMED_LAYERS):
    sheet = Sheet(block)
    printer = Printer(sheet, {"w1": "w^{(1)}", "w2": "w^{(2)}", "d": r"\delta"})
    return [line for proof in printer.claim(claim).proofs for line in proof.lines]


@pytest.mark.parametrize("name", ["H15", "H16", "H17"])
def test_a_proof_takes_at_most_twelve_lines(name, rows):
    assert len(lines_of(rows[name])) <= 12


def test_h16_reads_as_one_would_write_it(rows):
    lines = lines_of(rows["H16"])
    lemma, gradient, hessian = (k for k, line in enumerate(lines) if line.left)
    assert lines[lemma].left == r"\frac{\partial b_{k}}{\partial w^{(1)}_{ji}}"
    assert lines[gradient].left == r"\frac{\partial E}{\partial w^{(1)}_{ji}}"
    assert lines[hessian].left == r"\frac{\partial^{2} E}{\partial w^{(1)}_{ji}\,\partial w^{(1)}_{j'i'}}"
    reasons = [line.reason for line in lines]
    assert reasons[lemma].startswith("(a) ") and reasons[gradient] == "(b) chain rule through $b$"
    assert reasons[gradient + 1] == "by (a)"
    assert reasons[hessian:-1] == ["product rule on (b)", "chain rule twice", "by (a)"]
    assert r"\frac{\partial h'(a_{j})}{\partial w^{(1)}_{j'i'}}" in lines[hessian].right
    assert r"\underbrace{\frac{\partial E}{\partial b_{k}}}_{=\delta_{k}}" in lines[gradient].right
    assert r"M_{kk'}" in lines[-1].right


def test_an_entry_that_stands_twice_is_raised_to_a_power(rows):
    assert lines_of(rows["H6"])[-1].right.count(r"\partial b_{k}\,\partial b_{k'}") == 1
    assert any(line.left == r"\frac{\partial^{2} E}{\partial a_{j}^{2}}" for line in lines_of(rows["H6"]))


def test_earlier_claims_are_cited():
    sheet = Sheet(
        NAMED_LAYERS
        + 'assert diff(b[k], w1[j,i]) == x[i] * diff(h)(a[j]) * w2[k,j], "layer"\n'
        + 'assert diff(E, w1[j,i]) == x[i] * diff(h)(a[j]) * sum[k](w2[k,j] * d[k]), "gradient"\n'
        + f'assert {" == ".join(ROWS["H16"])}, "H16"\n'
        + 'assert diff(E, w1[j,i], w1[j,i]) == diff(E, w1[j,i], w1[j,i]), "itself"\n'
    )
    assert {c.basis for c in sheet.claims} == {"kernel"}
    (proof,) = Printer(sheet).claim(sheet.claims[2]).proofs
    assert set(proof.cites) == {"layer", "gradient"}
    assert len(sheet.claims[2].proof.arguments) == 1


def test_functions_without_a_name_are_not_taken_for_each_other():
    sheet = Sheet(
        PLAIN
        + "assert diff(A @ x, x) == A\nassert diff(x @ x, x, x) == 2 * eye(n)\nassert diff(x @ A @ x, x, x) == A + A.T"
    )
    assert [c.basis for c in sheet.claims] == ["kernel"] * 3


# --- where the kernel cannot follow ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("block", "left", "right"),
    [
        (PLAIN + "f = x @ A @ x\n", "diff(f, x[i], x[j])", "A[i,j] + A[j,i] + partial(f, x[i]) - partial(f, x[i])"),
        (PLAIN + "f = x @ x\n", "diff(f, x[i], x[j])", "diff(x @ x, x[i], x[j])"),
    ],
)
def test_else_the_exact_decision_holds_and_says_why_there_is_no_proof(block, left, right):
    claim = decide(block, left, right)
    assert claim.status == "proved"
    assert claim.basis == "kernel" or claim.unproved


# --- damaged proofs -------------------------------------------------------------------------------


def refused(claim, arguments):
    with pytest.raises(ProofError):
        check(arguments, claim.proof.context, {})


def with_argument(claim, n, argument):
    return [*claim.proof.arguments[:n], argument, *claim.proof.arguments[n + 1 :]]


@pytest.mark.parametrize("name", ROWS)
def test_a_proof_without_one_of_its_steps_is_refused(name, rows):
    claim = rows[name]
    check(claim.proof.arguments, claim.proof.context, {})
    for n, argument in enumerate(claim.proof.arguments):
        for k in range(len(argument.steps) - 1):
            gone, following = argument.steps[k : k + 2]
            if gone.rule == "associate" or following.rule in ("rearrange", "commute"):
                continue  # brackets say nothing, and these two see through any step of algebra
            joined = replace(following, before=gone.before)
            steps = (*argument.steps[:k], joined, *argument.steps[k + 2 :])
            refused(claim, with_argument(claim, n, Argument(argument.label, argument.left, steps, argument.right)))


@pytest.mark.parametrize("name", ROWS)
def test_a_proof_without_one_of_its_lemmas_is_refused(name, rows):
    claim = rows[name]
    for n in range(len(claim.proof.arguments) - 1):
        refused(claim, [*claim.proof.arguments[:n], *claim.proof.arguments[n + 1 :]])


@pytest.mark.parametrize("name", ROWS)
def test_a_proof_of_another_right_side_is_refused(name, rows):
    claim = rows[name]
    for n, argument in enumerate(claim.proof.arguments):
        last = argument.steps[-1]
        wrong = Times(sympy.Integer(2), last.after)
        steps = (*argument.steps[:-1], replace(last, after=wrong, place=()))
        refused(claim, with_argument(claim, n, Argument(argument.label, argument.left, steps, wrong)))


@pytest.mark.parametrize("name", ["H15", "H16", "H17"])
def test_an_exchanged_index_is_refused_wherever_it_is(name, rows):
    claim = rows[name]
    for n, argument in enumerate(claim.proof.arguments):
        i, j = argument.left.entry.indices
        if i.size == j.size:
            continue
        for k, step in enumerate(argument.steps):
            for place in claim_places(step.after, argument.left.entry):
                part = at(step.after, place)
                damaged = put(step.after, place, Derivative(part.of, type(part.entry)(part.entry.tensor, j, i)))
                steps = (*argument.steps[:k], replace(step, after=damaged), *argument.steps[k + 1 :])
                refused(claim, with_argument(claim, n, Argument(argument.label, argument.left, steps, argument.right)))


def claim_places(expr, entry, place=()):
    if type(expr) is Derivative:
        return [place] if expr.entry == entry else []
    return [p for k, e in enumerate(getattr(expr, "args", ())) for p in claim_places(e, entry, (*place, k))]


@pytest.mark.parametrize("through", [("z",), ("a",), ("b", "z"), ("E",), (), ("x",)])
def test_the_chain_rule_goes_through_what_it_says(through, rows):
    claim = rows["H16"]
    for n, argument in enumerate(claim.proof.arguments):
        for k, step in enumerate(argument.steps):
            if step.rule == "through":
                wrong = replace(step, instance={**step.instance, "through": through})
                steps = (*argument.steps[:k], wrong, *argument.steps[k + 1 :])
                refused(claim, with_argument(claim, n, Argument(argument.label, argument.left, steps, argument.right)))
