"""Verdicts on derivatives and identities."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from symderiv.check.decide import decide_derivative, decide_equal
from symderiv.errors import ShapeError, UnknownNameError, UnsupportedError
from symderiv.tensor.expr import Expr
from symderiv.tensor.parse import parse, scope_of

LETTERS = {
    "A": ("n", "n"),
    "B": ("n", "n"),
    "M": ("n", "m"),
    "X": ("n", "m"),
    "C": ("m", "m"),
    "w": ("m",),
    "y": ("n",),
    "x": ("n",),
    "z": ("n",),
    "a": (),
    "b": (),
    "T": ("n", "n", "n"),
    "Y": ("n", "m"),
}


def says(expr, wrt, claim, assume=None, *, seed=0, structured=False, outcome=False):
    scope = scope_of(LETTERS, assume, {"h": ["dh", "d2h"]})
    found = decide_derivative(parse(expr, scope), wrt.split(), parse(claim, scope), seed=seed, structured=structured)
    return found if outcome else found.status


def equal(left, right, assume=None):
    scope = scope_of(LETTERS, assume, {"h": ["dh"]})
    return decide_equal(parse(left, scope), parse(right, scope)).status


PAIRS = [  # expression, variables, assumptions, a true claim, false ones
    ("x @ A @ x", "x", {}, "(A + A.T) @ x", ["2 * A @ x", "(A - A.T) @ x"]),
    ("x @ A @ x", "x", {"A": "symmetric"}, "2 * A @ x", ["A @ x"]),
    ("trace(A @ A)", "A", {}, "2 * A.T", ["2 * A", "A.T"]),
    ("sum(where(a < b, M, w))", "M", {}, "where(a < b, 1, 0) * ones(n, m)", ["where(a > b, 1, 0) * ones(n, m)"]),
    (
        "exp((2 * b)**a)",
        "a",
        {"b": "positive"},
        "exp((2 * b)**a) * (2 * b)**a * (log(2) + log(b))",
        ["exp((2 * b)**a) * (2 * b)**a * (log(2) - log(b))"],
    ),
    ("det(A)", "A", {"A": "invertible"}, "det(A) * inv(A).T", ["det(A) * inv(A)"]),
    ("logdet(X.T @ X)", "X", {}, "2 * X @ inv(X.T @ X)", ["X @ inv(X.T @ X)"]),
    ("y @ inv(A) @ z", "A", {}, "-inv(A).T @ outer(y, z) @ inv(A).T", ["-inv(A) @ outer(y, z) @ inv(A)"]),
    (
        "solve(A, z)",
        "A",
        {},
        "-einsum('ij,k->ijk', inv(A), solve(A, z))",
        ["-einsum('ji,k->ijk', inv(A), solve(A, z))"],
    ),
    ("norm(X @ w - y)**2", "w", {}, "2 * X.T @ (X @ w - y)", ["2 * X.T @ (y - X @ w)", "X.T @ (X @ w - y)"]),
    ("norm(x - y)", "x", {}, "(x - y) / norm(x - y)", ["(x - y) / norm(x - y)**2"]),
    ("norm(kron(A, C))**2", "A", {}, "2 * norm(C)**2 * A", ["2 * norm(A)**2 * A", "norm(C)**2 * A"]),
    ("vec(X) @ kron(C, A) @ vec(X)", "X", {}, "A @ X @ C.T + A.T @ X @ C", ["A @ X @ C + A.T @ X @ C.T"]),
    (
        "sum(log(exp(X) @ w))",
        "w",
        {"w": "positive"},
        "exp(X).T @ (1 / (exp(X) @ w))",
        ["exp(X).T @ (exp(X) @ w)"],
    ),
    ("sum(logsumexp(X, 1))", "X", {}, "softmax(X, 1)", ["softmax(X, 0)"]),
    ("sum(x**y)", "y", {"x": "positive"}, "log(x) * x**y", ["y * x**(y - 1)"]),
    (
        "det(kron(A, C))",
        "A",
        {},
        "m * det(A)**m * det(C)**n * inv(A).T",
        ["n * det(A)**m * det(C)**n * inv(A).T"],
    ),
    ("y @ h(X @ w)", "X", {}, "outer(y * dh(X @ w), w)", ["outer(y * h(X @ w), w)", "outer(y, w)"]),
    ("y @ h(X @ w)", "w w", {}, "X.T @ diag(y * d2h(X @ w)) @ X", ["X.T @ diag(y * dh(X @ w)**2) @ X"]),
    (
        "softmax(x, 0)",
        "x",
        {},
        "diag(softmax(x, 0)) - outer(softmax(x, 0), softmax(x, 0))",
        ["diag(softmax(x, 0))"],
    ),
    ("x - mean(x)", "x", {}, "eye(n) - ones(n, n) / n", ["eye(n) - ones(n, n)", "eye(n)"]),
    (
        "einsum('ijk,i,j,k->', T, x, x, x)",
        "x x x",
        {},
        "einsum('ijk->ijk', T) + einsum('ijk->ikj', T)"
        " + einsum('ijk->jik', T) + einsum('ijk->jki', T) + einsum('ijk->kij', T) + einsum('ijk->kji', T)",
        ["6 * T"],
    ),
    (
        "sum(tanh(x))",
        "x x",
        {},
        "-2 * diag(tanh(x) * (1 - tanh(x)**2))",
        ["-2 * diag(tanh(x) * (1 - tanh(x)))"],
    ),
    (
        "sum(X * Y)",
        "X Y",
        {},
        "einsum('ik,jl->ijkl', eye(n), eye(m))",
        ["einsum('ik,jl->ijkl', ones(n, n), eye(m))"],
    ),
    ("prod(x)", "x", {}, "prod(x) / x", ["prod(x) * x"]),
    ("sum(y**2 * x)", "x", {"y": "signs"}, "ones(n)", ["y"]),
]


@pytest.mark.parametrize("case", PAIRS, ids=lambda c: c[0])
def test_true_claims_are_proved_and_false_ones_refuted(case):
    expr, wrt, assume, true, false = case
    assert says(expr, wrt, true, assume) == "proved"
    for claim in false:
        assert says(expr, wrt, claim, assume) == "refuted"


def without_one_transpose():
    for expr, wrt, assume, true, _ in PAIRS:
        for k in range(true.count(".T")):
            parts = true.split(".T")
            yield expr, wrt, assume, ".T".join(parts[: k + 1]) + ".T".join(parts[k + 1 :])


@pytest.mark.parametrize("case", list(without_one_transpose()), ids=lambda c: c[3])
def test_a_dropped_transpose_is_noticed(case):
    expr, wrt, assume, claim = case
    try:
        status = says(expr, wrt, claim, assume)
    except ShapeError:
        return
    assert status == "refuted"


@pytest.mark.parametrize("case", PAIRS, ids=lambda c: c[0])
def test_signs_and_factors_are_noticed(case):
    expr, wrt, assume, true, _ = case
    for claim in (f"-({true})", f"2 * ({true})", f"({true}) / 3", f"n * ({true})"):
        assert says(expr, wrt, claim, assume) == "refuted"


ELEMENTARY = {
    "sin(x)**2": "sin(2 * x)",
    "cos(x)": "-sin(x)",
    "tan(x)": "2 / (1 + cos(2 * x))",
    "exp(exp(x))": "exp(x + exp(x))",
    "log(cosh(x))": "tanh(x)",
    "log(sigmoid(x))": "sigmoid(-x)",
    "softplus(x)": "1 / (1 + exp(-x))",
    "x * log(x**2) - 2 * x": "2 * log(abs(x))",
    "x**(1 / 3)": "1 / (3 * (x**(1 / 3))**2)",
    "(1 + x**2)**a": "2 * a * x * (1 + x**2)**a / (1 + x**2)",
    "arctan(x)": "1 / (1 + x**2)",
    "arccos(x)": "-1 / sqrt((1 - x) * (1 + x))",
    "log1p(x**2)": "2 * x / (1 + x**2)",
    "sqrt(x**2)": "sign(x)",
    "expm1(x) * sinh(x)": "exp(2 * x) - cosh(x)",
    "sqrt(11) * x**2 / sqrt(13)": "2 * sqrt(11 / 13) * x",
}


@pytest.mark.parametrize("text", ELEMENTARY)
def test_elementary_functions(text):
    assert says(f"sum({text})", "x", ELEMENTARY[text]) == "proved"
    assert says(f"sum({text})", "x", f"1.01 * ({ELEMENTARY[text]})") == "refuted"


@pytest.mark.parametrize(
    ("left", "right", "status"),
    [
        ("exp(x + z)", "exp(x) * exp(z)", "proved"),
        ("exp(x + z)", "exp(x) + exp(z)", "refuted"),
        ("cos(x + z)", "cos(x) * cos(z) - sin(x) * sin(z)", "proved"),
        ("cos(x + z)", "cos(x) * cos(z) + sin(x) * sin(z)", "refuted"),
        ("softmax(x + a, 0)", "softmax(x, 0)", "proved"),
        ("softmax(a * x, 0)", "softmax(x, 0)", "refuted"),
        ("log(softmax(x, 0))", "x - logsumexp(x)", "proved"),
        ("logdet(kron(A, C))", "m * logdet(A) + n * logdet(C)", "proved"),
        ("abs(x)", "maximum(x, -x)", "proved"),
        ("abs(x)", "sqrt(x**2)", "proved"),
        ("abs(x)", "x", "refuted"),
        ("2**a * 3**a", "6**a", "proved"),
        ("trace(A @ inv(A)) * n", "n**2 + 0 * a", "proved"),
        ("trace(A @ inv(A)) * n", "5 * n - 6 + 0 * a", "refuted"),  # right for 2 and 3
        ("(n - 3) * (n - 4) * (n - 5) * x", "0 * x", "refuted"),
        ("h(x) + h(z)", "h(z) + h(x)", "proved"),
        ("h(x + z)", "h(x) + h(z)", "refuted"),
        ("sin(arcsin(x / (1 + x**2)))", "x / (1 + x**2)", "undecided"),
        ("1 / (x - x)", "x", "undecided"),
    ],
)
def test_identities(left, right, status):
    assert equal(left, right) == status


@pytest.mark.parametrize(
    ("left", "right", "trait", "status"),
    [
        ("sqrt(x * z)", "sqrt(x) * sqrt(z)", "positive", "proved"),
        ("log(x**2 + x * z)", "log(x) + log(x + z)", "positive", "proved"),
        ("(x**a)**b", "x**(a * b)", "positive", "proved"),
        ("x**2", "1 + 0 * x", "signs", "proved"),
        ("x**2", "x", "binary", "proved"),
        ("x**2", "x", "counts", "refuted"),
        ("sum(x)", "sum(z)", "simplex", "proved"),
        ("sqrt((1 - x)**2)", "1 - x", "probability", "proved"),
    ],
)
def test_identities_under_assumptions(left, right, trait, status):
    assert equal(left, right, {"x": trait, "z": trait}) == status


def test_rotations_and_reflections():
    assert equal("A.T @ A", "eye(n)", {"A": "orthogonal"}) == "proved"
    assert equal("det(A)**2", "1", {"A": "orthogonal"}) == "proved"
    assert equal("det(A)", "1", {"A": "orthogonal"}) == "refuted"


KINKS = [
    ("abs(x)", "sign(x)", "proved"),
    ("abs(x)", "ones(n)", "refuted"),
    ("relu(x)**2", "2 * relu(x)", "proved"),
    ("maximum(x, y)**2", "where(x > y, 2 * x, 0)", "proved"),
    ("maximum(x, y)**2", "where(x > y, 2 * x, y)", "refuted"),
    ("minimum(maximum(x, -0.5), 0.5)", "where(abs(x) < 0.5, 1, 0)", "proved"),
    ("minimum(maximum(x, -0.5), 0.5)", "where(x < 0.5, 1, 0)", "refuted"),
    ("where(abs(x) < 1.5, x, 2 * x)", "where(abs(x) < 1, 1, 2)", "refuted"),
    ("where(x**2 < 2, x, 2 * x)", "where(abs(x) < 1.41421, 1, 2)", "refuted"),
    ("where(x**2 < 2.25, x, 2 * x)", "where(abs(x) < 1.5, 1, 2)", "proved"),
    ("where(x > 100, x, 2 * x)", "where(x > 101, 1, 2)", "refuted"),
    ("where(x > 0, sqrt(x), 0)", "where(x > 0, 0.5 / sqrt(x), 0)", "proved"),
    ("sign(x) * x**2", "2 * abs(x)", "proved"),
    ("sign(x) * x**2", "2 * x", "refuted"),
    ("maximum(x, x)", "ones(n)", "proved"),
]


@pytest.mark.parametrize(("text", "claim", "status"), KINKS)
def test_kinks(text, claim, status):
    assert says(f"sum({text})", "x", claim) == status


@pytest.mark.parametrize("seed", range(8))
def test_verdicts_do_not_hang_on_the_seed(seed):
    assert says("sqrt(a**2)", "a", "1 + 0 * a", seed=seed) == "refuted"  # both signs have to be met
    assert says("sqrt(a**2)", "a", "sign(a)", seed=seed) == "proved"
    assert says("sum(maximum(x, y)**2)", "x", "where(x > y, 2 * x, 0)", seed=seed) == "proved"
    assert says("sum(abs(X @ w - y))", "w", "X.T @ sign(X @ w - y)", seed=seed) == "proved"
    assert says("sum(tanh(x))", "x", "1 - tanh(x)", seed=seed) == "refuted"


def test_a_branch_that_is_never_met_is_named():
    found = says("sum(relu(1 + x**2))", "x", "2 * x", outcome=True)
    assert found.status == "proved" and "not met: add(…) < 0" in found.scope


def test_where_the_function_has_no_derivative_nothing_is_refuted():
    """Binary entries are all 0 at some points: there neither side is defined."""
    assert says("norm(x)", "x", "x / norm(x)", {"x": "binary"}) != "refuted"
    assert says("y / a", "a", "-y / a**2", {"a": "binary"}) != "refuted"


def test_undefined_claims_are_refuted():
    found = says("sum(x * log(x) - x)", "x", "log(-x)", {"x": "positive"}, outcome=True)
    assert (found.status, found.scope) == ("refuted", "the claim is undefined where the derivative exists")
    assert says("sum(log(x**2))", "x", "2 * exp(-log(x))") == "refuted"
    assert says("sum(x**2)", "x", "2 * x + 0 / (x - x)") == "refuted"
    assert equal("sqrt(x * z)", "sqrt(x) * sqrt(z)") == "refuted"


def test_what_is_defined_nowhere_is_undecided():
    assert says("sum(sqrt(-1 - x**2))", "x", "x") == "undecided"


def test_sizes_where_a_matrix_is_singular_are_avoided():
    found = says("logdet(X @ X.T)", "X", "2 * inv(X @ X.T) @ X", outcome=True)
    assert found.status == "proved" and "(n = 3, m = 4)" in found.scope


def test_tiny_differences_are_undecided():
    assert says("sum(x**2)", "x", "2.000000000000001 * x") == "undecided"
    assert says("sum(x**2)", "x", "2.001 * x") == "refuted"


def test_a_multiple_of_the_prime_does_not_help():
    assert says("sum(x**2)", "x", "122344321 * x") == "refuted"


def test_the_bound_is_stated():
    found = says("x @ A @ x", "x", "(A + A.T) @ x", outcome=True)
    assert "probability below" in found.scope
    assert "identity in exp" in says("sum(exp(x))", "x", "exp(x)", outcome=True).scope


def test_entries_of_a_symmetric_variable():
    s = {"A": "symmetric"}
    assert says("x @ A @ z", "A", "outer(x, z)", s) == "proved"
    assert says("x @ A @ z", "A", "outer(z, x)", s) == "refuted"
    true = "outer(x, z) + outer(z, x) - diag(x * z)"
    assert says("x @ A @ z", "A", true, s, structured=True) == "proved"
    found = says("x @ A @ z", "A", "outer(x, z)", s, structured=True, outcome=True)
    assert found.status == "refuted" and found.counterexample.left != found.counterexample.right
    assert says("logdet(A)", "A", "2 * inv(A) - inv(A) * eye(n)", s, structured=True) == "proved"
    d = {"A": "diagonal"}
    assert says("x @ A @ z", "A", "diag(x * z)", d, structured=True) == "proved"
    assert says("x @ A @ z", "A", "outer(x, z)", d, structured=True) == "refuted"


def test_a_counterexample_can_be_computed_again():
    found = says("x @ A @ x", "x", "2 * A @ x", outcome=True).counterexample
    n = found.sizes["n"]
    a, x = np.array(found.point["A"]), np.array(found.point["x"])
    assert a.shape == (n, n)
    (i,) = found.entry
    assert found.left == pytest.approx(((a + a.T) @ x)[i])
    assert found.right == pytest.approx((2 * a @ x)[i])


def test_shapes_must_be_equal():
    with pytest.raises(ShapeError, match="another shape"):
        says("sum(X)", "X", "1")
    with pytest.raises(ShapeError, match="another shape"):
        says("X @ w", "w", "X.T")
    with pytest.raises(ShapeError):
        equal("x", "w")
    with pytest.raises(UnknownNameError):
        says("sum(x)", "q", "x")


def test_what_is_not_known_is_refused():
    x = parse("x", scope_of(LETTERS))
    with pytest.raises(UnsupportedError):
        decide_equal(Expr("mystery", (x,), (), x.axes), x)


SCRIPT = """
from symderiv.check.decide import decide_derivative
from symderiv.tensor.parse import parse, scope_of
s = scope_of({"x": ("n",), "A": ("n", "n")})
print(decide_derivative(parse("x @ A @ sin(x)", s), ["x"], parse("A @ x", s), seed=3))
"""


def test_answers_are_the_same_in_every_process():
    runs = {
        subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True).stdout
        for _ in range(2)
    }
    assert len(runs) == 1 and "refuted" in runs.pop()


def test_what_is_out_of_range_refutes_nothing():
    scope = scope_of({"x": ("n",), "c": ()})
    function = parse("sum(abs(x)**c)**(1 / c)", scope)
    claim = "x * abs(x)**(c - 2) / (sum(abs(x)**c)**(1 / c))**(c - 1)"
    assert decide_derivative(function, ["x"], parse(claim, scope)).status == "proved"
    assert decide_derivative(function, ["x"], parse(f"2 * {claim}", scope)).status == "refuted"


def test_a_variable_that_does_not_occur_has_derivative_0(shapes_of):
    scope = scope_of(shapes_of("a(n) X(n,m)"))
    X = scope.names["X"]
    assert decide_derivative(parse("a @ a", scope), [X], parse("zeros(n, m)", scope)).status == "proved"
    assert decide_derivative(parse("a @ a", scope), [X], parse("ones(n, m)", scope)).status == "refuted"
    with pytest.raises(UnknownNameError, match="does not occur"):
        decide_derivative(parse("a @ a", scope), ["X"], parse("zeros(n, m)", scope))
