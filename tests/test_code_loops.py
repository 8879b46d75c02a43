"""Code through families: against loops written by hand, direct inverses and differences."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from typing import Any

import networks
import numpy as np
import pytest

from symderiv.errors import SymderivError, UnsupportedError
from symderiv.sheet import Claim, Sheet

RECURRENT = f"""{networks.TANH}
code(L, diff(L, b), diff(L, c), diff(L, U), diff(L, V), diff(L, W), cost=T * n * (n + d + m), label="R8")
"""

STREAMING = f"""{networks.INVERSE}
code(Q[N], cost=P**2 * N, label="H13 d")
"""


def only_code(text: str) -> Claim:
    (claim,) = (c for c in Sheet(text).claims if c.code is not None)
    return claim


def function_of(text: str) -> Callable[..., Any]:
    claim = only_code(text)
    assert claim.code is not None
    return claim.code.compile()


def differences(f: Callable[[Any], float], x: Any, step: float = 1e-3) -> Any:
    """The gradient by central differences of the sixth order."""
    gradient = np.zeros_like(x)
    for k in np.ndindex(*x.shape):
        for offset, weight in zip((-3, -2, -1, 1, 2, 3), (-1, 9, -45, 45, -9, 1), strict=True):
            moved = x.copy()
            moved[k] += offset * step
            gradient[k] += weight * f(moved) / (60 * step)
    return gradient


# ---------------------------------------------------------------- a recurrent network


def network(T: int, n: int, d: int, m: int) -> dict[str, Any]:
    rng = np.random.default_rng(T)
    shapes = {"b": (n,), "W": (n, n), "U": (n, d), "c": (m,), "V": (m, n), "h0": (n,), "x": (T, d)}
    return {name: rng.standard_normal(shape) for name, shape in shapes.items()} | {"y": rng.integers(m, size=T)}


def loss(b: Any, W: Any, U: Any, c: Any, V: Any, h0: Any, x: Any, y: Any) -> float:
    total, h = 0.0, h0
    for t in range(len(y)):
        h = np.tanh(b + W @ h + U @ x[t])
        o = c + V @ h
        total -= np.log(np.exp(o[y[t]]) / np.exp(o).sum())
    return total


SIZES = [(1, 3, 2, 4), (2, 2, 3, 5), (7, 3, 4, 2), (3, 1, 1, 1), (1, 1, 2, 3)]


@pytest.mark.parametrize(("T", "n", "d", "m"), SIZES)
def test_backpropagation_through_time(T: int, n: int, d: int, m: int) -> None:
    given = network(T, n, d, m)
    value, *gradients = function_of(RECURRENT)(**given)
    assert value == pytest.approx(loss(**given), rel=1e-12)
    for name, found in zip("bcUVW", gradients, strict=True):
        wanted = differences(lambda a, name=name: loss(**{**given, name: a}), given[name])
        assert found.shape == given[name].shape
        assert np.abs(found - wanted).max() <= 1e-8 * max(1, np.abs(wanted).max())


def test_no_steps_leave_nothing() -> None:
    value, *gradients = function_of(RECURRENT)(**network(0, 3, 2, 4))
    assert value == 0
    assert not any(g.any() for g in gradients)


def test_memory_grows_linearly() -> None:
    function = function_of(RECURRENT)
    peaks = [peak(function, network(T, 20, 4, 5)) for T in (200, 400, 800)]
    assert peaks[1] < 2.1 * peaks[0]
    assert peaks[2] < 2.1 * peaks[1]
    assert peaks[2] < 8 * 800 * 20 * 8  # a few vectors a step, and no matrix


def peak(function: Callable[..., Any], given: dict[str, Any]) -> int:
    """The most bytes that a call holds at once beside its arguments."""
    function(**given)
    tracemalloc.start()
    function(**given)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return most


def test_the_softmax_may_be_far_out() -> None:
    given = network(2, 3, 2, 4)
    given["c"] = np.array([0.0, 2000.0, -2000.0, 0.0])
    given["y"] = np.array([2, 2])
    value, *gradients = function_of(RECURRENT)(**given)
    assert value == pytest.approx(8000, abs=20)
    assert all(np.isfinite(g).all() for g in gradients)


def test_arguments_stay_as_they_are() -> None:
    given = network(3, 3, 2, 4)
    before = {k: v.copy() for k, v in given.items()}
    function_of(RECURRENT)(**given)
    assert all((given[k] == before[k]).all() for k in given)


def test_labels_are_integers_in_their_range() -> None:
    given, function = network(2, 3, 2, 4), function_of(RECURRENT)
    with pytest.raises(UnsupportedError, match="no integers"):
        function(**{**given, "y": np.array([0.5, 1.0])})
    with pytest.raises(SymderivError, match="not between 0 and 3"):
        function(**{**given, "y": np.array([0, 4])})


# ---------------------------------------------------------------- a streaming update


@pytest.mark.parametrize(("N", "P"), [(0, 3), (1, 4), (7, 3), (5, 1)])
def test_the_inverse_one_pattern_at_a_time(N: int, P: int) -> None:
    rng = np.random.default_rng(N)
    b, alpha = rng.standard_normal((N, P)), np.array(0.7)
    found = function_of(STREAMING)(b=b, alpha=alpha)
    wanted = np.linalg.inv(alpha * np.eye(P) + b.T @ b)
    assert np.abs(found - wanted).max() <= 1e-8 * np.abs(wanted).max()
    assert (found == found.T).all()


def test_a_step_has_one_product_of_matrix_and_vector() -> None:
    claim = only_code(STREAMING)
    assert claim.code is not None
    (line,) = (x for x in claim.code.text.splitlines() if "Q.dot" in x)
    assert line.strip() == "u = Q.dot(b_n)"
    assert claim.code.text.count("Q.dot") == 1
    assert "Q @" not in claim.code.text


# ---------------------------------------------------------------- other recurrences

# Each of them was wrong, or not generated, at some time.
SHEETS = {
    "unknown functions": f"""{networks.RECURRENT}
code(L, diff(L, theta), diff(L, h[0]))
""",
    "downward": """
assert T >= 1
W: (n, n)
g[T]: (n,)
for t in range(T - 1, -1, -1):
    x[t]: (n,)
    g[t] = tanh(W @ g[t+1] + x[t])
E = sum(g[0]**2)
code(E, diff(E, W), diff(E, g[T]))
""",
    "two steps back": """
assert T >= 2
a: ()
b: ()
s[0]: ()
s[1]: ()
for t in range(2, T + 1):
    s[t] = sin(a * s[t-1] + b * s[t-2])
code(s[T], diff(s[T], a), diff(s[T], b))
""",
    "layers": """
assert L >= 1
h: elementwise()
net: function(K)
z[0]: (m,)
for l in range(1, L + 1):
    w[l]: (m, m)
    a[l] = w[l] @ z[l-1]
    z[l] = h(a[l])
y = net(a[L])
E = sum(y**2)
code(y, E, diff(E, z[0]))
""",
    "data and a penalty": """
w: (P,)
lam: ()
for n in range(1, N + 1):
    x[n]: (P,)
    t[n]: ()
    y[n] = sigmoid(x[n] @ w)
E = -sum(t[n] * log(y[n]) + (1 - t[n]) * log(1 - y[n]) for n in range(1, N + 1)) + lam * w @ w
code(E, diff(E, w))
""",
    "a parameter beside the sum": """
v: (n,)
w: (n,)
for t in range(1, T + 1):
    x[t]: (n,)
L = v @ w + sum(sin(x[t] @ w) for t in range(1, T + 1))
code(diff(L, w), v)
""",
    "a Jacobian": """
W: (n, n)
h[0]: (n,)
for t in range(1, T + 1):
    h[t] = tanh(W @ h[t-1])
code(diff(h[T], h[0]), diff(h[T], W))
""",
    "members of two steps in a sum": """
W: (n, n)
h[0]: (n,)
for t in range(1, T + 1):
    h[t] = tanh(W @ h[t-1])
L = sum(h[t] @ h[t-1] for t in range(1, T + 1)) + sum(h[0])
code(L, diff(L, W), diff(L, h[0]))
""",
    "a sum that begins before": """
W: (n, n)
h[0]: (n,)
for t in range(1, T + 1):
    h[t] = tanh(W @ h[t-1])
L = sum(h[t] @ h[t] for t in range(0, T + 1))
code(L, diff(L, W))
""",
    "two loops": networks.TWO_LOOPS,
    "ordered products": """
for s in range(1, T + 1):
    J[s]: (n, n)
A = prod(J[s] for s in range(T, 0, -1))
B = prod(J[s] for s in range(1, T + 1))
code(A, B)
""",
    "a sum of a family": """
for n in range(1, N + 1):
    b[n]: (P,)
for L in range(0, N + 1):
    H[L] = sum(outer(b[n], b[n]) for n in range(1, L + 1))
code(H[N])
""",
    "a filter": """
A: (n, n)
R: positive_definite(n, n)
S[0]: symmetric(n, n)
for t in range(1, T + 1):
    c[t]: (n,)
    M[t] = A @ S[t-1] @ A.T + R
    k[t] = M[t] @ c[t] / (1 + c[t] @ M[t] @ c[t])
    S[t] = M[t] - outer(k[t], c[t] @ M[t])
code(S[T])
""",
    "a computed start": """
theta: (n,)
W: (n, n)
h[0] = tanh(theta)
for t in range(1, T + 1):
    h[t] = tanh(W @ h[t-1])
L = sum(h[T])
code(L, diff(L, W), diff(L, theta))
""",
    "two states that carry each other": networks.GATED,
    "two states that need each other at once": """
a: ()
p[0]: (n,)
q[0]: (n,)
for t in range(1, T + 1):
    p[t] = p[t-1] + a * sin(q[t-1])
    q[t] = q[t-1] - a * sin(p[t-1])
L = sum(p[T] * q[T])
code(L, diff(L, a), diff(L, p[0]), diff(L, q[0]))
""",
    "a member read by itself and in a loop": """
W: (n, n)
s: ()
q[0]: (n,)
for t in range(1, T + 1):
    x[t]: (n,)
    q[t] = tanh(W @ x[t])
    k[t] = tanh(q[t-1])
L = sum(sum(q[t]) for t in range(1, T)) * (s + k[T] @ q[T])
code(L, diff(L, W), diff(L, q[0]), diff(L, s))
""",
    "a start that moves though later members do not": """
assert T >= 2
s: ()
q[0]: (n,)
h[0] = tanh(s * ones(n))
h[1]: (n,)
for t in range(2, T + 1):
    x[t]: (n,)
    h[t] = tanh(x[t])
for t in range(1, T + 1):
    q[t] = tanh(h[t-1] * q[t-1])
L = sum(h[t] @ q[t] for t in range(0, T + 1))
code(L, diff(L, s), diff(L, q[0]), diff(L, h[1]))
""",
    "two functions": """
W: (n, n)
h[0]: (n,)
for t in range(1, T + 1):
    h[t] = tanh(W @ h[t-1])
K = sum(h[T])
L = sum(h[t] @ h[t] for t in range(1, T + 1))
code(diff(K, W), diff(L, W))
""",
    "labels": """
V: (m, n)
for t in range(1, T + 1):
    x[t]: (n,)
    y[t]: index(m)
    p[t] = softmax(V @ x[t], 0)
    ell[t] = -log(p[t][y[t]])
L = sum(ell[t] for t in range(1, T + 1)) / T
code(L, diff(L, V))
""",
}


@pytest.mark.parametrize("name", SHEETS)
def test_code_agrees_with_the_definitions_written_out(name: str) -> None:
    claim = only_code(SHEETS[name])
    assert (claim.status, claim.scope) == ("agrees", claim.scope)
    assert claim.basis == "numeric"


def test_a_recurrent_network_is_two_short_loops_and_products_of_matrices() -> None:
    claim = only_code(RECURRENT)
    assert claim.code is not None
    text = claim.code.text
    assert "a = np.add(b, x @ U.T, dtype=kind)" in text  # the input products of all steps
    assert "h = np.empty((T + 1, n), dtype=" in text
    assert "W_bar = a_bar.T @ h[:-1]" in text  # a sum of T outer products
    assert (text.count(" in zip("), text.count("np.exp("), text.count("np.tanh(")) == (2, 1, 1)
    forward, backward = (part.split("\n    o")[0].split("\n    W")[0] for part in text.split(" in zip(")[1:])
    assert (forward.count(".dot("), backward.count(".dot(")) == (1, 1)  # one product with a matrix in a turn


def test_members_that_only_their_turn_reads_are_not_kept() -> None:
    claim = only_code(SHEETS["unknown functions"])
    assert claim.code is not None
    assert "o_bar = dloss_1(o_t, y_t)" in claim.code.text
    assert "o_bar = np.empty" not in claim.code.text


def test_matrices_are_not_kept_for_all_turns() -> None:
    text = """
W: (n, n)
h[0]: (n,)
for t in range(1, T + 1):
    x[t]: (n,)
    J[t] = diag(x[t]) @ W
    h[t] = tanh(J[t] @ h[t-1])
code(h[T], sum(sum(J[t]) for t in range(1, T + 1)))
"""
    claim = only_code(text)
    assert (claim.status, claim.code is not None) == ("agrees", True)
    given = {"W": np.ones((40, 40)) / 40, "h0": np.ones(40), "x": np.ones((50, 40))}
    assert peak(function_of(text), given) < 8 * 8 * 40 * 40


def test_gradients_of_a_linear_recurrence_are_products_of_matrices() -> None:
    text = """
A: (n, n)
B: (n, d)
s[0]: (n,)
for t in range(1, T + 1):
    x[t]: (d,)
    s[t] = A @ s[t-1] + B @ x[t]
L = sum(s[T]**2)
code(L, diff(L, A), diff(L, B))
"""
    claim = only_code(text)
    assert (claim.status, claim.code is not None) == ("agrees", True)
    assert "outer" not in claim.code.text  # type: ignore[union-attr]
    assert "i,j->ij" not in claim.code.text  # type: ignore[union-attr]


def test_what_the_way_forward_has_found_is_found_once() -> None:
    claim = only_code(SHEETS["two states that carry each other"])
    assert claim.code is not None
    assert (claim.code.text.count("np.tanh("), claim.code.text.count("= expit(")) == (2, 1)
    assert claim.code.text.count(".dot(") == 4


@pytest.mark.parametrize("name", ["two functions", "a parameter beside the sum", "ordered products"])
def test_arguments_of_other_sheets_stay_as_they_are(name: str) -> None:
    rng = np.random.default_rng(0)
    function = function_of(SHEETS[name])
    given = {a.name: 4 if a.is_size else rng.standard_normal([4] * len(a.shape or ())) for a in function.arguments}  # type: ignore[attr-defined]
    before = {k: np.array(v) for k, v in given.items()}
    function(**given)
    assert all(np.array_equal(given[k], before[k]) for k in given)


@pytest.mark.parametrize("name", ["recurrent", "downward", "layers", "two states that carry each other", "labels"])
def test_single_precision_stays(name: str) -> None:
    function: Any = function_of(SHEETS.get(name, RECURRENT))
    rng = np.random.default_rng(0)
    given: dict[str, Any] = {"h": np.tanh, "dh": lambda a: 1 - np.tanh(a) ** 2, "net": np.sin}
    given["dnet"] = lambda a: np.diag(np.cos(a))
    for a in function.arguments:
        if a.below is not None:
            given[a.name] = rng.integers(3, size=3)
        elif a.shape is not None:
            given[a.name] = rng.standard_normal([3] * len(a.shape))
    single = {k: v.astype(np.float32) if getattr(v, "dtype", "") == "float64" else v for k, v in given.items()}
    names = [a.name for a in function.arguments]
    results = (function.function(**{n: arrays[n] for n in names}) for arrays in (single, given))
    for found, wanted in zip(*results, strict=True):
        assert found.dtype == np.float32
        assert np.allclose(found, wanted, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("text", [RECURRENT, STREAMING])
def test_integers_are_taken_as_they_are(text: str) -> None:
    """By the function itself, without the checks that make floats of them."""
    claim = only_code(text)
    assert claim.code is not None
    function = claim.code.compile()
    sizes = {"T": 4, "N": 4, "n": 3, "m": 2, "d": 2, "P": 3}
    rng = np.random.default_rng(0)
    given = {
        a.name: rng.integers(0, 2, size=sizes["T"]) if a.below is not None
        else rng.integers(1, 3, size=[sizes[str(s)] for s in a.shape or ()])
        for a in function.arguments
    }  # fmt: skip
    floats = {a.name: given[a.name] if a.below is not None else given[a.name].astype(float) for a in function.arguments}
    found, wanted = (function.function(**at) for at in (given, floats))
    for one, other in zip(*(r if isinstance(r, tuple) else (r,) for r in (found, wanted)), strict=True):
        assert np.asarray(one).dtype == float
        np.testing.assert_array_equal(one, other)


def test_the_cost_is_told() -> None:
    claim = only_code(RECURRENT)
    assert claim.code is not None
    assert "Cost: about 4*T*d*n + 6*T*m*n + 6*T*n**2 floating-point operations." in claim.code.text
    assert "Memory: about 3*T*m + 4*T*n + d*n + m*n + n**2 numbers." in claim.code.text


def test_other_arrays_than_those_of_numpy_are_refused_where_rows_are_written() -> None:
    lazy = pytest.importorskip("dask.array")
    given = network(3, 3, 2, 4)
    with pytest.raises(UnsupportedError, match="in place"):
        function_of(RECURRENT)(**{**given, "x": lazy.from_array(given["x"])})
    x, t = np.arange(6.0).reshape(3, 2), np.array([0.0, 1.0, 1.0])
    function = function_of(SHEETS["data and a penalty"])
    fixed = {"w": np.array([0.3, -0.2]), "lam": np.array(0.1)}
    for found, wanted in zip(function(x=lazy.from_array(x), t=t, **fixed), function(x=x, t=t, **fixed), strict=True):
        assert np.allclose(found.compute(), wanted, rtol=1e-12)


def test_unread_values_are_left_out() -> None:
    claim = only_code(SHEETS["a parameter beside the sum"])
    assert claim.code is not None
    assert "L" not in claim.code.text.split('"""')[2]


# ---------------------------------------------------------------- refusals

REFUSED = {
    "second": ("code(diff(L, W, W))", "first total derivatives"),
    "entries": ("code(diff(L, W[i,j]))", "whole arrays"),
    "inside": ("code(2 * diff(L, W))", "inside of another text"),
    "product": ("A = prod(J[s] for s in range(1, T + 1))\nK = sum(A)\ncode(diff(K, W))", "a product over a range"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_not_generated_says_so(name: str) -> None:
    request, why = REFUSED[name]
    start = (
        "W: (n, n)\nh[0]: (n,)\nfor t in range(1, T + 1):\n    h[t] = tanh(W @ h[t-1])\n    J[t] = diag(h[t]) @ W\n"
        "L = sum(h[T])\n"
    )
    (claim,) = Sheet(start + request).claims
    assert claim.status == "undecided"
    assert why in claim.scope


def test_layers_of_different_widths_are_refused() -> None:
    text = (
        "z[0]: (n[0],)\nfor l in range(1, L + 1):\n    w[l]: (n[l], n[l-1])\n    z[l] = tanh(w[l] @ z[l-1])\ncode(z[L])"
    )
    (claim,) = Sheet(text).claims
    assert claim.status == "undecided"
    assert "different widths" in claim.scope
