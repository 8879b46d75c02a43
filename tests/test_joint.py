"""The Hessian in several variables times directions: against differences, and against the blocks of the Hessian."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

from symderiv import ParseError, ProofError, ShapeError, UnknownNameError, UnsupportedError, derive, gradients, hvp
from symderiv.joint import HessianVectorProducts

CASES = [
    ("norm(X @ w + b - y)**2", ["w", "b"], "X(n,p) w(p) b() y(n)", {}),
    ("norm(W2 @ tanh(W1 @ x + b1) + b2 - y)**2", ["W1", "b1", "W2", "b2"],
     "W1(m,n) b1(m) W2(p,m) b2(p) x(n) y(p)", {}),
    ("norm(T - U @ V.T)**2 + c * (sum(U**2) + sum(V**2))", ["V", "U"], "T(n,m) U(n,p) V(m,p) c()", {}),
    ("sum(exp(-z)) - a * logsumexp(W @ z)", ["a", "z", "W"], "a() z(p) W(q,p)", {}),
    ("logdet(K) + y @ inv(K) @ y", ["K", "y"], "K(n,n) y(n)", {"K": "positive_definite"}),
    ("where(x > 0, A @ x, 0) @ y", ["x", "A"], "x(n) A(n,n) y(n)", {}),
    ("x @ y", ["x", "z"], "x(n) y(n) z(m)", {}),
    ("norm(X @ w - y)**2", ["w"], "X(n,s) w(s) y(n)", {}),
    ("sum(softplus(X @ w)) + a**3 * b", ["w", "a", "b"], "X(n,p) w(p) a() b()", {}),
]  # fmt: skip


def directions(names, given, seed=5):
    rng = np.random.default_rng(seed)
    return {f"V_{name}": rng.standard_normal(np.shape(given[name])) for name in names}


@pytest.mark.parametrize(("text", "names", "shapes", "assume"), CASES)
def test_against_differences(text, names, shapes, assume, shapes_of, arrays, evaluate, slope_of):
    h = hvp(text, names, shapes=shapes_of(shapes), assume=assume)
    given = arrays(shapes, assume)
    along = directions(names, given)
    found = h.compile()(**given, **along)
    assert list(found) == names == list(h)

    def moved(at):
        step = 1e-3
        values = [
            evaluate(text, shapes, {**at, **{n: at[n] + t * step * along[f"V_{n}"] for n in names}})
            for t in (1, -1, 2, -2)
        ]
        return (8 * (values[0] - values[1]) - (values[2] - values[3])) / (12 * step)

    for name in names:
        np.testing.assert_allclose(found[name], slope_of(moved, given, name), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(("text", "names", "shapes", "assume"), CASES)
def test_it_is_the_blocks_with_the_directions(text, names, shapes, assume, shapes_of, arrays, evaluate):
    given = arrays(shapes, assume)
    along = directions(names, given, seed=6)
    h = hvp(text, names, shapes=shapes_of(shapes), assume=assume)
    found = h.compile()(**given, **along)
    for x in names:
        wanted = 0.0
        for y in names:
            block = derive(text, [x, y], shapes=shapes_of(shapes), assume=assume).compile()(**given)
            wanted = wanted + np.tensordot(block, along[f"V_{y}"], axes=along[f"V_{y}"].ndim)
        np.testing.assert_allclose(found[x], wanted, rtol=1e-9, atol=1e-9)
        extended = shapes + " " + " ".join(shapes_with(f"V_{n}", shapes_of(shapes)[n]) for n in names)
        np.testing.assert_allclose(evaluate(str(h[x]), extended, {**given, **along}), found[x], rtol=1e-9, atol=1e-9)


def shapes_with(name, shape):
    return f"{name}({','.join(shape)})"


@pytest.mark.parametrize(("text", "names", "shapes", "assume"), CASES)
def test_the_proof_is_accepted(text, names, shapes, assume, shapes_of):
    h = hvp(text, names, shapes=shapes_of(shapes), assume=assume)
    h.proof.check()
    assert r"\square" in h.proof.to_latex()


def test_a_proof_goes_on_from_the_gradients():
    from dataclasses import replace

    shapes = {"X": ("n", "p"), "w": ("p",), "b": (), "y": ("n",)}
    h = hvp("sum(tanh(X @ w + b))", ["w", "b"], shapes=shapes)
    other = hvp("sum(tanh(X @ w - b))", ["w", "b"], shapes=shapes)
    with pytest.raises(ProofError, match="go on"):
        replace(h, stages=(h.stages[0], other.stages[1])).proof  # noqa: B018


def test_statements_and_code_grow_linearly_with_depth():
    length = []
    for depth in (3, 6, 9):
        weights = [f"W{k}" for k in range(depth)]
        text = "x"
        for w in weights:
            text = f"tanh({w} @ {text})"
        shapes = {"x": ("n",), "y": ("n",), **{w: ("n", "n") for w in weights}}
        h = hvp(f"norm({text} - y)**2", weights, shapes=shapes)
        length.append(len(h.to_numpy().split("Convention")[1]))
    assert length[2] - length[1] <= 1.1 * (length[1] - length[0])


def test_no_array_of_higher_rank_is_met():
    shapes = {"W1": ("h", "d"), "W2": ("k", "h"), "X": ("n", "d"), "T": ("n", "k")}
    source = hvp("norm(tanh(X @ W1.T) @ W2.T - T)**2", ["W1", "W2"], shapes=shapes).to_numpy()
    assert "einsum" not in source
    assert "outer" not in source


def test_names():
    shapes = {"X": ("n", "p"), "w": ("p",), "b": (), "y": ("n",)}
    text = "norm(X @ w + b - y)**2"
    h = hvp(text, ["w", "b"], {"w": "v", "b": "c"}, shapes=shapes)
    assert (str(h["w"]), str(h["b"])) == ("2 * X.T @ (X @ v + c)", "2 * sum(X @ v + c)")
    assert isinstance(h, HessianVectorProducts)
    assert "v: shape (p,)" in h.to_numpy(name="product")
    assert len(h) == 2
    assert h.shapes["w"] == h["w"].expr.shape
    with pytest.raises(UnknownNameError):
        h["X"]
    for wrong in ({"w": "v"}, {"w": "v", "b": "v"}, {"w": "v", "b": "X"}, {"w": "v", "b": "n"}, 3):
        with pytest.raises(ParseError):
            hvp(text, ["w", "b"], wrong, shapes=shapes)
    with pytest.raises(ParseError, match="V_w is in use"):
        hvp(text, ["w", "b"], shapes=shapes | {"V_w": ()})
    with pytest.raises(ParseError, match="twice"):
        hvp(text, ["w", "w"], shapes=shapes)
    with pytest.raises(ParseError, match="one name"):
        hvp(text, "w", {"w": "v"}, shapes=shapes)
    with pytest.raises(ShapeError, match="of a number"):
        hvp("X @ w", ["w"], shapes=shapes)
    with pytest.raises(UnsupportedError, match="accepted meaning"):
        hvp("logdet(S)", ["S"], shapes={"S": ("n", "n")}, assume={"S": "symmetric"}, structured=True)


def test_the_object():
    shapes = {"W": ("m", "n"), "b": ("m",), "x": ("n",)}
    h = hvp("sum(tanh(W @ x + b))", ["W", "b"], shapes=shapes)
    again = pickle.loads(pickle.dumps(h))
    assert again.statements() == h.statements() == str(h)
    again.proof.check()
    assert h.notes[0].startswith("Convention")
    assert h.to_latex().count(r"\frac{\partial \phi}") == 2
    assert str(h.value) == str(gradients("sum(tanh(W @ x + b))", ["W", "b"], shapes=shapes).value)
