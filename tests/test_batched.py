"""A leading batch axis: each sample against differences of its own, and what has no batched form."""

from __future__ import annotations

import pickle
import re

import numpy as np
import pytest

from symderiv import ParseError, ShapeError, UnknownNameError, UnsupportedError, derive, gradients

NET = "W1(m,n) b1(m) W2(p,m) x(n) y(p)"
CASES = [
    ("norm(W2 @ tanh(W1 @ x + b1) - y)**2", ["W1", "b1", "W2", "x"], NET, ["x", "y"], {}),
    ("norm(W2 @ relu(W1 @ x + 9 * b1) - y)**2", ["W1", "y"], NET, ["x"], {}),
    ("log(1 + exp(-y * (x @ w)))", ["w", "x", "y"], "x(n) w(n) y()", ["x", "y"], {}),
    ("logsumexp(W @ x) - y @ (W @ x)", ["W", "x"], "W(m,n) x(n) y(m)", ["x", "y"], {}),
    ("y @ softmax(W @ x, 0)", ["W", "x"], "W(m,n) x(n) y(m)", ["x"], {}),
    ("norm(X @ w - y)**2", ["w", "y"], "X(n,p) w(p) y(n)", ["w"], {}),
    ("norm(X @ w - y)**2", ["w", "X"], "X(n,p) w(p) y(n)", ["X", "y"], {}),
    ("sum(softmax(X @ W, 1)[:, :] * Y)", ["W", "X"], "X(n,p) W(p,m) Y(n,m)", ["X", "Y"], {}),
    ("x @ inv(K) @ x + sum(where(A @ x > 0, A @ x, x @ x))", ["x", "A"], "x(n) K(n,n) A(m,n)", ["x"],
     {"K": "positive_definite"}),
    ("logdet(K) * norm(x)", ["K", "x"], "K(n,n) x(n)", ["x"], {"K": "positive_definite"}),
    ("trace(A @ X @ B)", ["X", "A"], "A(n,m) X(m,p) B(p,n)", ["X"], {}),
    ("prod(x) + sum(maximum(x, c))", ["x", "c"], "x(n) c()", ["x"], {}),
    ("prod(x) + sum(x**c)", ["x"], "x(n) c()", ["c"], {"x": "positive"}),
    ("a**3 + w @ w", ["a", "w"], "a() w(n)", ["a"], {}),
    ("x @ S @ x", ["x", "S"], "x(n) S(n,n)", ["x", "S"], {"S": "symmetric"}),
    ("tanh(A @ x) * y", ["x", "A"], "A(n,m) x(m) y(n)", ["x"], {}),
    ("outer(x, exp(y)) + A", ["x", "y"], "A(n,m) x(n) y(m)", ["x", "A"], {}),
    ("x @ y + 3", ["x"], "x(s) y(s)", ["x"], {}),
]  # fmt: skip


@pytest.fixture
def samples(arrays):
    """Return arrays of `count` samples: those in `batch` differ from sample to sample."""

    def make(shapes, batch, assume, count):
        each = [arrays(shapes, assume, seed=seed) for seed in range(count)]
        return {k: np.stack([g[k] for g in each]) if k in batch else each[0][k] for k in each[0]}

    return make


def sample_of(given, batch, k):
    return {name: a[k] if name in batch else a for name, a in given.items()}


@pytest.mark.parametrize("count", [6, 1, 3])
@pytest.mark.parametrize(("text", "names", "shapes", "batch", "assume"), CASES)
def test_each_sample(text, names, shapes, batch, assume, count, shapes_of, samples, evaluate, slope_of):
    given = samples(shapes, batch, assume, count)
    text = text.replace("[:, :]", "")
    g = gradients(text, names, shapes=shapes_of(shapes), assume=assume)
    value, found = g.compile(batch=batch)(**given)
    assert list(found) == names
    assert {len(a) for a in (value, *found.values())} == {count}
    for k in range(count):
        own = sample_of(given, batch, k)
        np.testing.assert_allclose(value[k], evaluate(text, shapes, own), rtol=1e-12)
        for name in names:
            wanted = slope_of(lambda at: evaluate(text, shapes, at), own, name)
            np.testing.assert_allclose(found[name][k], wanted, rtol=1e-6, atol=1e-7)


NUMBERS = [case for case in CASES if case[0][:2] not in ("ta", "ou")]


@pytest.mark.parametrize(("text", "names", "shapes", "batch", "assume"), NUMBERS)
def test_the_sum_over_samples(text, names, shapes, batch, assume, shapes_of, samples, evaluate, slope_of):
    count = 5
    given = samples(shapes, batch, assume, count)
    text = text.replace("[:, :]", "")
    g = gradients(text, names, shapes=shapes_of(shapes), assume=assume)
    value, found = g.compile(batch=batch, summed=True)(**given)
    each = [sample_of(given, batch, k) for k in range(count)]
    np.testing.assert_allclose(value, sum(evaluate(text, shapes, own) for own in each), rtol=1e-12)
    for name in names:
        slopes = [slope_of(lambda at: evaluate(text, shapes, at), own, name) for own in each]
        wanted = np.stack(slopes) if name in batch else sum(slopes)
        np.testing.assert_allclose(found[name], wanted, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize(
    ("text", "wrt", "shapes", "batch", "assume"),
    [
        ("log(1 + exp(-y * (x @ w)))", ["w", "w"], "x(n) w(n) y()", ["x", "y"], {}),
        ("logsumexp(W @ x)", ["x", "x"], "W(m,n) x(n)", ["x"], {}),
        ("norm(tanh(W @ x) - y)**2", ["W", "x"], "W(m,n) x(n) y(m)", ["x", "y"], {}),
        ("tanh(W @ x)", ["x"], "W(m,n) x(n)", ["x"], {}),
    ],
)
def test_derivatives_of_any_order(text, wrt, shapes, batch, assume, shapes_of, samples, evaluate, slope_of):
    count = 6
    given = samples(shapes, batch, assume, count)
    d = derive(text, wrt, shapes=shapes_of(shapes), assume=assume)
    value, found = d.compile(value=True, batch=batch)(**given)

    def slope(at, names):
        if not names:
            return evaluate(text, shapes, at)
        return slope_of(lambda near: slope(near, names[:-1]), at, names[-1], h=1e-2)

    for k in range(count):
        own = sample_of(given, batch, k)
        np.testing.assert_allclose(value[k], evaluate(text, shapes, own), rtol=1e-12)
        np.testing.assert_allclose(found[k], slope(own, wrt), rtol=1e-4, atol=1e-5)
    if "x" not in wrt:
        total = d.compile(batch=batch, summed=True)(**given)
        np.testing.assert_allclose(total, found.sum(0), rtol=1e-10)


# --- the code


def test_a_layer_is_a_matrix_product():
    g = gradients(CASES[0][0], ["W1", "b1", "W2"], shapes={"W1": ("m", "n"), "b1": ("m",), "W2": ("p", "m"),
                                                           "x": ("n",), "y": ("p",)})  # fmt: skip
    code = g.to_numpy(batch=["x", "y"], summed=True)
    assert "u = x @ W1.T + b1" in code
    assert not re.search(r"\bfor .* in |vectorize|einsum", code.split('"""')[2])
    assert "    x: shape (B, n)" in code
    assert "'W1': shape (m, n)" in code
    assert "'W1': shape (B, m, n)" in g.to_numpy(batch=["x", "y"])


def test_what_all_samples_share_is_computed_once():
    g = gradients("x @ inv(K) @ x", ["x"], shapes={"x": ("n",), "K": ("n", "n")}, assume={"K": "positive_definite"})
    rng = np.random.default_rng(0)
    K = rng.standard_normal((3, 3))
    K = K @ K.T + np.eye(3)
    X = rng.standard_normal((1000, 3))
    _, found = g.compile(batch="x")(x=X, K=K)
    np.testing.assert_allclose(found["x"], 2 * np.linalg.solve(K, X.T).T, rtol=1e-9)


def test_the_size_has_a_name_that_is_free():
    g = gradients("norm(B @ x)**2", ["x"], shapes={"B": ("m", "B_"), "x": ("B_",)})
    rng = np.random.default_rng(1)
    B, X = rng.standard_normal((2, 3)), rng.standard_normal((4, 3))
    value, found = g.compile(batch=["x"])(B=B, x=X)
    np.testing.assert_allclose(value, np.sum((X @ B.T) ** 2, axis=1))
    np.testing.assert_allclose(found["x"], 2 * X @ B.T @ B)


def test_far_out_and_in_float32():
    f = derive("log(1 + exp(-y * (x @ w)))", "w", shapes={"x": ("p",), "w": ("p",), "y": ()}).compile(batch=["x", "y"])
    x = np.array([[800, 0], [0, -800], [-800, 0]], "f4")
    found = f(x=x, w=np.ones(2, "f4"), y=np.ones(3, "f4"))
    assert found.dtype == "f4"
    assert found.tolist() == [[0, 0], [0, 800], [800, 0]]


def test_unknown_functions(samples, shapes_of):
    g = gradients("v @ h(W @ x)", ["W"], shapes=shapes_of("v(m) W(m,n) x(n)"), functions={"h": ["dh"]})
    given = samples("v(m) W(m,n) x(n)", ["x"], {}, 5)
    _, found = g.compile(batch=["x"])(**given, h=np.sin, dh=np.cos)
    wanted = [np.outer(given["v"] * np.cos(given["W"] @ x), x) for x in given["x"]]
    np.testing.assert_allclose(found["W"], wanted)


def test_it_pickles(samples):
    shapes = {"x": ("n",), "w": ("n",)}
    f = derive("tanh(x @ w)", "w", shapes=shapes).compile(batch=["x"])
    given = samples("x(n) w(n)", ["x"], {}, 4)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(f))(**given), f(**given))


# --- refused


def test_what_has_no_batched_form():
    shapes = {"x": ("n",), "K": ("n", "n"), "y": ("n",)}
    for text in ("logdet(K + outer(x, x))", "y @ inv(K + outer(x, x)) @ y", "det(K + outer(x, x))"):
        g = gradients(text, ["x"], shapes=shapes)
        with pytest.raises(UnsupportedError, match="from sample to sample"):
            g.to_numpy(batch=["x"])
        g.to_numpy(batch=["y"]) if "y @" in text else None


def test_misuse():
    d = derive("norm(X @ w - y)**2", "w", shapes={"X": ("n", "p"), "w": ("p",), "y": ("n",), "z": ("p",)})
    with pytest.raises(UnknownNameError, match="does not occur"):
        d.to_numpy(batch=["z"])
    with pytest.raises(ParseError, match="each once"):
        d.compile(batch=["y", "y"])
    with pytest.raises(ParseError, match="needs arrays"):
        d.compile(summed=True)
    with pytest.raises(UnsupportedError, match="one axis more"):
        derive("norm(x)", ["x", "x"], shapes={"x": ("n",)}).compile(batch=["x"], summed=True)
    with pytest.raises(ShapeError, match="wrong shape"):
        d.compile(batch=["y"])(X=np.ones((3, 2)), w=np.ones(2), y=np.ones(3))
    with pytest.raises(ShapeError, match="wrong shape"):
        d.compile(batch=["X", "y"])(X=np.ones((4, 3, 2)), w=np.ones(2), y=np.ones((5, 3)))
    g = gradients("norm(X @ w - y)**2", ["w"], shapes={"X": ("n", "p"), "w": ("p",), "y": ("n",)})
    with pytest.raises(UnsupportedError, match="flat vector"):
        g.to_numpy(flat=True, batch=["y"])
