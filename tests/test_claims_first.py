"""Claims about a layer and a network: true ones proved, every damaged one refuted and corrected."""

from __future__ import annotations

import pytest
import sympy
from networks import TWO_LAYERS
from sympy import IndexedBase, MatrixSymbol, Sum, Trace

from symderiv import Sheet, derive, verify
from symderiv.claims.first import prove, sides, ways

# All sizes are equal, so that shapes catch no exchanged index.
LAYER = "D: (n, n)\nW: (n, n)\nloss: function()\nA = D @ W\nE = loss(A)\nB = diff(E, A)\n"
BIAS = "D: (n, n)\nb: (n,)\nloss: function()\nA = D + b\nE = loss(A)\nB = diff(E, A)\n"
LOGISTIC = "t: ()\ndef sigma(t): return 1 / (1 + exp(-t))\n"
ENTRYWISE = "D: (n, n)\nloss: function()\nA = sigmoid(D)\nE = loss(A)\nB = diff(E, A)\n"

TRUE = {
    "L1": (LAYER, "diff(A[i,j], W[k,l])", "D[i,k] * delta[j,l]"),
    "L2": (LAYER, "diff(E, W)", "D.T @ B"),
    "L3": (LAYER, "diff(A[i,j], D[k,l])", "delta[i,k] * W[l,j]"),
    "L4": (LAYER, "diff(E, D)", "B @ W.T"),
    "L5": (BIAS, "diff(A[i,j], D[k,l])", "delta[i,k] * delta[j,l]"),
    "L6": (BIAS, "diff(E, D[k,l])", "B[k,l]"),
    "L7": (BIAS, "diff(A[i,j], b[k])", "delta[k,j]"),
    "L8": (BIAS, "diff(E, b[k])", "sum[i](B[i,k])"),
    "L9": (LOGISTIC, "diff(sigma)(t)", "sigma(t) * (1 - sigma(t))"),
    "L10": (ENTRYWISE, "diff(E, D[k,l])", "B[k,l] * A[k,l] * (1 - A[k,l])"),
}
FALSE = {
    "L1": [
        "-D[i,k] * delta[j,l]",
        "2 * D[i,k] * delta[j,l]",
        "D[k,i] * delta[j,l]",
        "D[i,k] * delta[i,l]",
        "D[i,l] * delta[j,k]",
        "D[i,k]",
        "W[i,k] * delta[j,l]",
    ],
    "L2": [
        "-D.T @ B",
        "D @ B",
        "B @ D.T",
        "B.T @ D",
        "D.T @ B.T",
        "D.T @ B / 2",
        "W.T @ B",
        "D.T @ A",
        "D.T * B",
    ],
    "L3": [
        "-delta[i,k] * W[l,j]",
        "delta[i,k] * W[j,l]",
        "delta[j,k] * W[l,j]",
        "delta[i,l] * W[k,j]",
        "delta[i,k] * W[l,i]",
        "W[l,j]",
    ],
    "L4": ["-B @ W.T", "B @ W", "W.T @ B", "B.T @ W.T", "W @ B.T", "2 * B @ W.T"],
    "L5": [
        "-delta[i,k] * delta[j,l]",
        "delta[i,l] * delta[j,k]",
        "delta[i,k]",
        "delta[i,j] * delta[k,l]",
        "delta[i,k] * delta[i,l]",
        "n * delta[i,k] * delta[j,l]",
    ],
    "L6": ["-B[k,l]", "B[l,k]", "B[k,k]", "2 * B[k,l]", "A[k,l]"],
    "L7": ["-delta[k,j]", "delta[k,i]", "delta[i,j]", "1 - delta[k,j]", "2 * delta[k,j]", "b[k] * delta[k,j]"],
    "L8": [
        "-sum[i](B[i,k])",
        "sum[i](B[k,i])",
        "sum[i](B[i,i])",
        "B[k,k]",
        "sum[i](B[i,k]) / n",
        "sum[i](A[i,k])",
    ],
    "L9": [
        "sigma(t) * (1 + sigma(t))",
        "sigma(t) * (sigma(t) - 1)",
        "sigma(t) * (1 - sigma(-t))",
        "1 - sigma(t)",
        "2 * sigma(t) * (1 - sigma(t))",
        "sigma(t)**2 * (1 - sigma(t))",
        "t * (1 - sigma(t))",
    ],
    "L10": [
        "B[l,k] * A[k,l] * (1 - A[k,l])",
        "B[k,l] * A[l,k] * (1 - A[k,l])",
        "B[k,l] * A[k,l] * (1 - A[l,k])",
        "B[k,l] * A[k,l] * (1 + A[k,l])",
        "-B[k,l] * A[k,l] * (1 - A[k,l])",
        "B[k,l] * (1 - A[k,l])",
        "A[k,l] * (1 - A[k,l])",
        "B[k,l] * D[k,l] * (1 - D[k,l])",
        "B[k,l] * A[k,l]**2 * (1 - A[k,l])",
    ],
}
STILL_TRUE = [
    ("L1", "D[i,k] * delta[l,j]", "δ is symmetric"),
    ("L1", "D.T[k,i] * delta[j,l]", "two exchanges cancel"),
    ("L2", "(B.T @ D).T", "the transpose of a product"),
    ("L2", "-D.T @ -B", "two signs cancel"),
    ("L4", "(W @ B.T).T", "the transpose of a product"),
    ("L5", "delta[k,i] * delta[l,j]", "δ is symmetric"),
    ("L6", "B.T[l,k]", "two exchanges cancel"),
    ("L7", "delta[j,k]", "δ is symmetric"),
    ("L8", "sum[j](B[j,k])", "the name of a bound index"),
    ("L8", "sum(B, 0)[k]", "the same sum in NumPy's words"),
    ("L9", "sigma(t) * sigma(-t)", "1 − σ(t) = σ(−t)"),
    ("L9", "sigma(-t) * (1 - sigma(-t))", "σ' is even"),
    ("L10", "A[k,l] * (1 - A[k,l]) * B[k,l]", "factors commute"),
    ("L10", "B[k,l] * (A[k,l] - A[k,l]**2)", "multiplied out"),
    ("L10", "B[k,l] * A[k,l] * sigmoid(-D[k,l])", "1 − σ(t) = σ(−t)"),
]


def decide(block, left, right):
    (claim,) = Sheet(f"{block}assert {left} == {right}").claims
    return claim


@pytest.mark.parametrize("name", TRUE)
def test_a_true_claim_is_proved_step_by_step(name):
    claim = decide(*TRUE[name])
    assert (claim.status, claim.basis, claim.as_expected) == ("proved", "kernel", True)
    assert claim.sides.equal
    assert ways(claim.statement.exprs[0])[0] is prove
    assert claim.proof.arguments
    assert claim.counterexample is None and claim.correct == ""


def test_there_are_mutants_enough():
    assert sum(map(len, FALSE.values())) >= 40


@pytest.mark.parametrize(
    ("name", "right"), [(name, right) for name, rights in FALSE.items() for right in rights], ids=str
)
def test_a_damaged_claim_is_refuted_and_corrected(name, right):
    block, left, _ = TRUE[name]
    claim = decide(block, left, right)
    assert (claim.status, claim.basis, claim.proof) == ("refuted", "", None)
    assert not claim.as_expected and not claim.sides.equal
    found = claim.counterexample
    assert set(found.sizes) == ({"n"} if name != "L9" else set())
    assert isinstance(found.seed, int)
    assert all(0 <= k < found.sizes["n"] for k in found.entry)
    assert abs(found.left - found.right) > 1e-6 * (abs(found.left) + abs(found.right))
    mended = decide(block, left, claim.correct)
    assert (mended.status, mended.basis) == ("proved", "kernel")


@pytest.mark.parametrize(("name", "right", "reason"), STILL_TRUE, ids=[f"{n} {r}" for n, r, _ in STILL_TRUE])
def test_a_mutant_that_is_still_true_is_proved(name, right, reason):
    block, left, _ = TRUE[name]
    assert decide(block, left, right).status == "proved", reason


# --- the same from SymPy --------------------------------------------------------------------------

m, n, p = sympy.symbols("m n p", integer=True, positive=True)
i, j, q = sympy.symbols("i j q", integer=True)
D, W = IndexedBase("D", shape=(m, n)), IndexedBase("W", shape=(n, p))
b, B, C = IndexedBase("b", shape=(n,)), IndexedBase("B", shape=(m, p)), IndexedBase("C", shape=(m, n))
I, J, Q = sympy.Idx("i", m), sympy.Idx("j", p), sympy.Idx("q", n)
D_, W_, B_ = MatrixSymbol("D", m, n), MatrixSymbol("W", n, p), MatrixSymbol("B", m, p)
PRODUCT = Sum(D[i, q] * W[q, j], (q, 0, n - 1))
PRODUCT_IDX = Sum(IndexedBase("D")[I, Q] * IndexedBase("W")[Q, J], (Q, 0, n - 1))
SHIFTED = D[i, j] + b[j]
RANGES, RANGES_C = ((i, 0, m - 1), (j, 0, p - 1)), ((i, 0, m - 1), (j, 0, n - 1))
SHAPES = {"D": ("m", "n"), "W": ("n", "p"), "b": ("n",), "B": ("m", "p"), "C": ("m", "n")}
SYMPY = [  # row, SymPy, the text, the variable, the derivative
    ("L1", PRODUCT, "D @ W", "W", "einsum('ik,jl->ijkl', D, eye(p))"),
    ("L1", PRODUCT_IDX, "D @ W", "W", "einsum('ik,jl->ijkl', D, eye(p))"),
    ("L1", D_ * W_, "D @ W", "W", "einsum('ik,jl->ijkl', D, eye(p))"),
    ("L2", Sum(B[i, j] * PRODUCT, *RANGES), "sum(B * (D @ W))", "W", "D.T @ B"),
    ("L2", Trace(B_.T * D_ * W_), "trace(B.T @ D @ W)", "W", "D.T @ B"),
    ("L3", PRODUCT, "D @ W", "D", "einsum('ik,lj->ijkl', eye(m), W)"),
    ("L3", PRODUCT_IDX, "D @ W", "D", "einsum('ik,lj->ijkl', eye(m), W)"),
    ("L3", D_ * W_, "D @ W", "D", "einsum('ik,lj->ijkl', eye(m), W)"),
    ("L4", Sum(B[i, j] * PRODUCT, *RANGES), "sum(B * (D @ W))", "D", "B @ W.T"),
    ("L4", Trace(B_.T * D_ * W_), "trace(B.T @ D @ W)", "D", "B @ W.T"),
    ("L6", Sum(C[i, j] * SHIFTED, *RANGES_C), "sum(C * (D + b))", "D", "C"),
    ("L8", Sum(C[i, j] * SHIFTED, *RANGES_C), "sum(C * (D + b))", "b", "sum(C, 0)"),
    (
        "L10",
        Sum(C[i, j] / (1 + sympy.exp(-D[i, j])), *RANGES_C),
        "sum(C * sigmoid(D))",
        "D",
        "C * sigmoid(D) * (1 - sigmoid(D))",
    ),
]


@pytest.mark.parametrize(
    ("row", "expr", "text", "wrt", "right"), SYMPY, ids=[f"{r[0]} {type(r[1]).__name__}" for r in SYMPY]
)
def test_a_layer_from_sympy(row, expr, text, wrt, right):
    given = {k: v for k, v in SHAPES.items() if k in text}
    found, read = derive(expr, wrt), derive(text, wrt, shapes=given)
    found.proof.check()
    assert str(found.result) == str(read.result)
    assert found.shape == read.shape
    assert verify(expr, wrt, right).status == "proved"
    assert verify(expr, wrt, f"2 * {right}").status == "refuted"


@pytest.mark.parametrize(("row", "wrt"), [("L5", "D"), ("L7", "b")])
def test_a_bias_from_sympy_is_a_function_of_its_free_indices(row, wrt):
    """The free indices come by the alphabet, however SymPy sorts the terms."""
    found = derive(SHIFTED, wrt)
    found.proof.check()
    ii, jj, *rest = found.free_indices
    pairs = [(jj, rest[-1])] if wrt == "b" else [(ii, rest[0]), (jj, rest[1])]
    assert found.index_form == sympy.Mul(*(sympy.KroneckerDelta(*pair) for pair in pairs))
    assert [str(s) for s in found.shape] == (["m", "n", "n"] if wrt == "b" else ["m", "n", "m", "n"])


# --- a network through unknown functions ----------------------------------------------------------

NETWORK = TWO_LAYERS + "s = diff(E, b)\nM = diff(E, b, b)\n"
BOTH_IN_1 = (
    "x[i] * x[i_] * diff(h, 2)(a[j_]) * delta[j,j_] * sum[k](w2[k,j_] * s[k])"
    " + x[i] * x[i_] * diff(h)(a[j_]) * diff(h)(a[j]) * sum[k,k_](w2[k_,j_] * w2[k,j] * M[k,k_])"
)
ONE_IN_EACH = "x[i] * diff(h)(a[j]) * (s[k] * delta[j,j_] + z[j_] * sum[k_](w2[k_,j] * M[k,k_]))"
PRINTED = "x[i] * diff(h)(a[j_]) * (s[k] * delta[j,j_] + z[j] * sum[k_](w2[k_,j_] * M[k,k_]))"
DIAGONAL = (
    "diff(h)(a[j])**2 * sum[k,k_](w2[k,j] * w2[k_,j] * diff(E, b[k], b[k_]))"
    " + diff(h, 2)(a[j]) * sum[k](w2[k,j] * diff(E, b[k]))"
)
CLAIMS = [
    ("diff(E, w1[j,i])", "x[i] * diff(h)(a[j]) * sum[k](w2[k,j] * s[k])", "proved"),
    ("diff(E, w1)", "outer(diff(h)(a) * (w2.T @ s), x)", "proved"),
    ("diff(E, w1)", "outer(w2.T @ s, x)", "refuted"),
    ("diff(E, w2[k,j], w2[k_,j_])", "z[j] * z[j_] * M[k,k_]", "proved"),
    ("diff(E, w2[k,j], w2[k_,j_])", "z[j] * z[j_] * M[k,k]", "refuted"),
    ("diff(E, w2[k,j], w2[k_,j_])", "z[j] * z[j] * M[k,k_]", "refuted"),
    ("diff(E, w1[j,i], w1[j_,i_])", BOTH_IN_1, "proved"),
    ("diff(E, w1[j,i], w1[j_,i_])", BOTH_IN_1.replace("delta[j,j_] * ", ""), "refuted"),
    ("diff(E, w1[j,i], w2[k,j_])", ONE_IN_EACH, "proved"),
    ("diff(E, w2[k,j_], w1[j,i])", ONE_IN_EACH, "proved"),
    ("diff(E, w1[j,i], w2[k,j_])", PRINTED, "refuted"),
    ("diff(E, w1[j,i], w1[j,i])", "diff(E, a[j], a[j]) * x[i]**2", "proved"),
    ("diff(E, a[j], a[j])", DIAGONAL, "proved"),
    ("diff(E, a[j], a[j])", DIAGONAL.replace("h, 2", "h, 1"), "refuted"),
    ("diff(E, b, b)", "diff(E, b, b).T", "proved"),
    ("diff(b, x)", "w2 @ diag(diff(h)(a)) @ w1", "proved"),
    ("diff(b, x)", "w2 @ diag(h(a)) @ w1", "refuted"),
]


@pytest.mark.parametrize(("left", "right", "status"), CLAIMS)
def test_a_network(left, right, status):
    claim = decide(NETWORK, left, right)
    assert claim.status == status
    if status == "refuted" and left != "diff(E, a[j], a[j])":
        assert decide(NETWORK, left, claim.correct).status == "proved"


def test_the_misprint_fails_only_off_the_diagonal():
    found = decide(NETWORK, "diff(E, w1[j,i], w2[k,j_])", PRINTED).counterexample
    hidden, _, _, other = found.entry
    assert hidden != other


RECURRENCE = (
    "h0: (n,)\nx1: (d,)\nx2: (d,)\nx3: (d,)\ntheta: (p,)\nf: function(n)\n"
    "h1 = f(h0, x1, theta)\nh2 = f(h1, x2, theta)\nh3 = f(h2, x3, theta)\n"
)


@pytest.mark.parametrize(
    ("left", "right", "status"),
    [
        ("diff(h3, h0)", "partial(h3, h2) @ partial(h2, h1) @ partial(h1, h0)", "proved"),
        ("diff(h3, h0)", "partial(h1, h0) @ partial(h2, h1) @ partial(h3, h2)", "refuted"),
        ("diff(h3, h1)", "partial(h3, h2) @ partial(h2, h1)", "proved"),
        ("diff(h1, h1)", "eye(n)", "proved"),
        ("diff(h2, theta)", "partial(h2, theta) + partial(h2, h1) @ partial(h1, theta)", "proved"),
        ("diff(h2, theta)", "partial(h2, theta)", "refuted"),
        ("diff(h2, x1)", "partial(h2, h1) @ partial(h1, x1)", "proved"),
    ],
)
def test_a_recurrence(left, right, status):
    assert decide(RECURRENCE, left, right).status == status


@pytest.mark.parametrize(
    ("block", "left", "right"),
    [
        pytest.param(
            RECURRENCE,
            "diff(h2, theta)",
            "partial(h2, theta)",
            id="immediate",
        ),
        pytest.param(
            NETWORK,
            "diff(E, a[j], a[j])",
            "0 * a[j]",
            id="a second derivative",
        ),
        pytest.param(
            "S: symmetric(n, n)\n",
            "diff(S.T[i,j], S[k,l])",
            "delta[i,k] * delta[j,l]",
            id="symmetric",
        ),
        pytest.param(
            "V: orthogonal(n, n)\n",
            "diff(trace(V @ V.T), V)",
            "0 * V",
            id="orthogonal",
        ),
    ],
)
def test_a_correction_is_true(block, left, right):
    claim = decide(block, left, right)
    assert claim.status == "refuted"
    assert decide(block, left, claim.correct).status == "proved"


@pytest.mark.parametrize("left", ["diff(g(x, x), x)", "diff(g(2 * x), x)"])
def test_what_has_no_name_in_the_language_is_not_offered_as_a_correction(left):
    claim = decide("x: (n,)\ng: function()\n", left, "0 * x")
    assert (claim.status, claim.correct) == ("refuted", "")


# --- both sides -----------------------------------------------------------------------------------


def test_sides_range_over_the_same_free_indices():
    claim = decide("A: (n, m)\nu: (m,)\n", "A[i,j] + 0 * u[j]", "A[i,j]")
    assert claim.sides.free == ("i", "j")
    assert claim.sides.left.dims == claim.sides.right.dims
    again = sides(*claim.statement.exprs)
    assert again.equal and again.free == ("i", "j")


@pytest.mark.parametrize(
    ("left", "status"),
    [
        ("x[i] * delta[i,j]", "proved"),
        ("x[i]", "refuted"),
        ("x[j] * delta[i,j] + 0 * x[i]", "proved"),
    ],
)
def test_coincidences_of_free_indices_count(left, status):
    assert decide("x: (n,)\n", left, "x[j] * delta[j,i]").status == status


@pytest.mark.parametrize(
    ("left", "replayed", "derived"),
    [
        ("diff(E, x)", True, True),
        ("diff(E, x[i])", True, True),
        ("diff(E, x, x)", False, True),
        ("diff(g[i], x[j])", False, True),
        ("partial(E, x)", False, False),
        ("2 * diff(E, x)", False, False),
    ],
)
def test_a_replay_starts_from_one_first_derivative(left, replayed, derived):
    sheet = Sheet(f"x: (n,)\nE = sum(x * x)\ng = diff(E, x)\n{left}")
    found = ways(sheet.statements[-1].exprs[0])
    assert (prove in found, bool(found)) == (replayed, derived)


def test_a_claim_about_rows():
    claim = decide("x: (n,)\nA: (m, n)\nu = A @ x\n", "diff(u[i], x)", "A[i,:]")
    assert claim.status == "proved"


@pytest.mark.parametrize("text", ["A = f(x, x)", "A = f(x, x, y)", "A = f(x, 2 * x)"])
def test_an_unknown_function_may_be_given_an_array_twice(text):
    start = f"x: (n,)\ny: (n,)\nf: function(n)\n{text}\n"
    first, second = Sheet(start + "assert diff(A, x) == diff(A, x) @ eye(n)\nassert diff(A, x) == eye(n)").claims
    assert (first.status, second.status) == ("proved", "refuted")
    (claim,) = Sheet(start + "g: function()\nE = g(A)\nassert diff(E, x) == diff(A, x).T @ diff(E, A)").claims
    assert claim.status == "proved"
