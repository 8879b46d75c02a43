"""Hessian-vector products: against differences of differences, textbooks, and the Hessian where it is small."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

import symderiv
from symderiv import ParseError, ShapeError, UnsupportedError, derive, hvp, verify
from symderiv.chain import differentiate, directional
from symderiv.index import normal
from symderiv.index.expand import same
from symderiv.index.graph import walk
from symderiv.lower import lower
from symderiv.tensor.expr import defined
from symderiv.tensor.expr import walk as walk_expr
from symderiv.tensor.parse import Scope, parse, scope_of

CASES = [
    ("w @ A @ w", "w", "A(p,p) w(p)", {}),
    ("sum(softplus(-y * (X @ w)))", "w", "X(n,p) w(p) y(n)", {}),
    ("norm(W2 @ tanh(W1 @ x) - t)**2 / 2", "W1", "W1(m,n) W2(p,m) x(n) t(p)", {}),
    ("norm(W2 @ tanh(W1 @ x) - t)**2 / 2", "W2", "W1(m,n) W2(p,m) x(n) t(p)", {}),
    ("logdet(K)", "K", "K(n,n)", {"K": "positive_definite"}),
    ("logsumexp(X @ w)", "w", "X(n,p) w(p)", {}),
    ("norm(T - U @ M.T)**2", "U", "T(n,m) U(n,p) M(m,p)", {}),
    ("c**3 * a", "c", "a() c()", {}),
    ("norm(w)", "w", "w(p)", {}),
    ("sum(where(w > 0, w**3, w**2))", "w", "w(q)", {}),
    ("sum(T**3)", "T", "T(b,n,m)", {}),
    ("norm(X @ w - y)**2", "w", "X(n,s) w(s) y(n)", {}),
    ("sum(A @ w)", "w", "A(n,p) w(p)", {}),
]


@pytest.mark.parametrize(("text", "wrt", "shapes", "assume"), CASES)
def test_against_differences(text, wrt, shapes, assume, shapes_of, arrays, evaluate, slope_of):
    h = hvp(text, wrt, shapes=shapes_of(shapes), assume=assume)
    given = arrays(shapes, assume)
    x, v = given[wrt], np.random.default_rng(5).standard_normal(given[wrt].shape)

    def along(at):
        step = 1e-3
        near = [evaluate(text, shapes, {**at, wrt: at[wrt] + t * step * v}) for t in (1, -1, 2, -2)]
        return (8 * (near[0] - near[1]) - (near[2] - near[3])) / (12 * step)

    wanted = slope_of(along, given, wrt)
    found = h.compile()(**given, V=v)
    assert found.shape == x.shape
    np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-5)
    h.proof.check()
    value, gradient, again = h.compile(value=True, gradient=True)(**given, V=v)
    np.testing.assert_allclose(value, evaluate(text, shapes, given))
    np.testing.assert_allclose(gradient, slope_of(lambda at: evaluate(text, shapes, at), given, wrt), atol=1e-6)
    np.testing.assert_allclose(again, found)


@pytest.mark.parametrize(("text", "wrt", "shapes", "assume"), CASES)
def test_it_is_the_hessian_with_the_direction(text, wrt, shapes, assume, shapes_of, arrays):
    given = arrays(shapes, assume)
    v = np.random.default_rng(6).standard_normal(given[wrt].shape)
    hessian = derive(text, [wrt, wrt], shapes=shapes_of(shapes), assume=assume).compile()(**given)
    found = hvp(text, wrt, shapes=shapes_of(shapes), assume=assume).compile()(**given, V=v)
    np.testing.assert_allclose(found, np.tensordot(hessian, v, axes=v.ndim), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize(
    ("text", "wanted", "assume"),
    [
        ("w @ A @ w / 2", "A @ v", {"A": "symmetric"}),
        ("w @ A @ w", "(A + A.T) @ v", {}),
        ("norm(X @ w - y)**2 / 2", "X.T @ (X @ v)", {}),
        # logistic regression (Bishop 2006, 4.97): H = Xᵀ R X with R = s (1 − s) on the diagonal
        ("sum(softplus(X @ w)) - y @ X @ w", "X.T @ (sigmoid(X @ w) * (1 - sigmoid(X @ w)) * (X @ v))", {}),
        # softmax (Boyd & Vandenberghe 2004, 3.1.5): H = diag(s) − s sᵀ
        ("logsumexp(w)", "softmax(w, 0) * v - softmax(w, 0) * (softmax(w, 0) @ v)", {}),
        ("norm(w)", "v / norm(w) - w * (w @ v) / norm(w)**3", {}),
    ],
)
def test_textbook_forms(text, wanted, assume):
    shapes = {"w": ("p",), "A": ("p", "p"), "X": ("n", "p"), "y": ("n",)}
    h = hvp(text, "w", direction="v", shapes=shapes, assume=assume)
    scope = scope_of({**shapes, "v": ("p",)}, assume)
    assert same(lower(h.result.expr).node, lower(parse(wanted, scope)).node)
    assert len(str(h)) <= len(wanted)
    # the result as a claim about the derivative of ⟨∇f, v⟩, with the gradient found separately
    gradient = derive(text, "w", shapes=shapes, assume=assume).result
    claim = verify(f"({gradient}) @ v", "w", str(h), shapes={**shapes, "v": ("p",)}, assume=assume)
    assert claim.status == "proved"


def test_no_array_of_higher_rank_is_met():
    shapes = {"W1": ("h", "d"), "W2": ("k", "h"), "x": ("d",), "t": ("k",)}
    h = hvp("norm(W2 @ tanh(W1 @ x) - t)**2", "W1", shapes=shapes)
    assert max(e.rank for e in walk_expr(h.result.expr)) == 2
    assert h.to_numpy().count("einsum") == 1  # the outer product at the end
    batch = hvp("sum(logsumexp(tanh(X @ W) @ A, 1))", "W", shapes={"X": ("n", "d"), "W": ("d", "h"), "A": ("h", "k")})
    assert max(e.rank for e in walk_expr(batch.result.expr)) == 2


def test_a_deep_net_over_definitions():
    depth, n = 6, 3
    scope = scope_of({"x": ("n",), "y": ("n",), **{f"W{k}": ("n", "n") for k in range(depth)}})
    scope, last = Scope(dict(scope.names), scope.sizes), "x"
    for k in range(depth):
        for name, body in ((f"a{k}", f"W{k} @ {last}"), (f"z{k}", f"tanh(a{k})")):
            scope.names[name] = defined(name, parse(body, scope))
        last = f"z{k}"
    h = hvp(parse(f"norm({last} - y)**2", scope), "W1")
    rng = np.random.default_rng(2)
    given = {f"W{k}": rng.standard_normal((n, n)) for k in range(depth)}
    given |= {"x": rng.standard_normal(n), "y": rng.standard_normal(n)}
    v, step = rng.standard_normal((n, n)), 1e-5
    gradient = h.compile(gradient=True)
    ahead, behind = (gradient(**{**given, "W1": given["W1"] + t * step * v}, V=v)[0] for t in (1, -1))
    np.testing.assert_allclose(h.compile()(**given, V=v), (ahead - behind) / (2 * step), rtol=1e-5, atol=1e-6)


# --- directions in the chain rule


@pytest.mark.parametrize(
    "text",
    [
        "tanh(A @ x)",
        "softmax(A @ x, 0)",
        "inv(A) @ x",
        "outer(x, exp(x))",
        "x / norm(x)",
        "logsumexp(A @ x) * x",
        "x * y",
        "y",
    ],
)
def test_a_directional_derivative_is_the_derivative_with_the_direction(text):
    scope = scope_of({"x": ("n",), "A": ("n", "n"), "y": ("n",), "v": ("n",)}, {"A": "invertible"})
    f, x, v = (lower(parse(t, scope)).node for t in (text, "x", "v"))
    found = directional(f, {x: v})[f]
    at, k = list(range(f.rank)), f.rank
    wanted = normal.contract(1, [(differentiate(f, x).result, [*at, k]), (v, [k])], at)
    assert found.dims == f.dims
    assert same(found, wanted)


def test_directions_add_up():
    scope = scope_of({"x": ("n",), "A": ("n", "n"), "v": ("n",), "B": ("n", "n")})
    f, x, a, v, b = (lower(parse(t, scope)).node for t in ("tanh(A @ x)", "x", "A", "v", "B"))
    both = directional(f, {x: v, a: b})[f]
    each = [directional(f, d)[f] for d in ({x: v}, {a: b})]
    assert same(both, normal.add([(1, n) for n in each], f.dims))


def test_the_r_operator_of_a_layer():
    """R{a} = V x, R{z} = h'(a) R{a} (Pearlmutter 1994), on definitions; what is held does not move."""
    scope = scope_of({"x": ("n",), "W": ("m", "n"), "V": ("m", "n")})
    scope = Scope(dict(scope.names), scope.sizes)
    for name, body in (("a", "W @ x"), ("z", "tanh(a)"), ("f", "sum(z * z)")):
        scope.names[name] = defined(name, parse(body, scope))
    f, z, a, w, v = (lower(parse(t, scope)).node for t in ("f", "z", "a", "W", "V"))
    found = directional(f, {w: v})
    assert same(found[a], lower(parse("V @ x", scope)).node)
    assert same(found[z], lower(parse("(1 - z**2) * (V @ x)", scope)).node)
    assert same(found[f], lower(parse("2 * z @ ((1 - z**2) * (V @ x))", scope)).node)
    assert normal.is_zero(directional(f, {w: v}, hold=[a])[f])


def test_a_product_is_the_gradient_in_the_direction():
    scope = scope_of({"X": ("n", "p"), "w": ("p",), "V": ("p",)})
    f, w, v = (lower(parse(t, scope)).node for t in ("logsumexp(X @ w)", "w", "V"))
    gradient = differentiate(f, w).result
    h = hvp("logsumexp(X @ w)", "w", shapes={"X": ("n", "p"), "w": ("p",)})
    assert same(directional(gradient, {w: v})[gradient], lower(h.result.expr).node)
    assert max(n.rank for n in walk(directional(gradient, {w: v})[gradient])) <= 2


# --- misuse, the object


@pytest.mark.parametrize("name", ["w", "X", "n", "exp", "diag", "2v", "lambda", "h"])
def test_a_direction_needs_a_new_name(name):
    with pytest.raises(ParseError):
        hvp(
            "norm(X @ h(w))**2",
            "w",
            direction=name,
            shapes={"X": ("n", "p"), "w": ("p",)},
            functions={"h": ["dh", "d2h"]},
        )


def test_misuse_is_refused():
    with pytest.raises(ShapeError, match="of a number"):
        hvp("tanh(w)", "w", shapes={"w": ("n",)})
    with pytest.raises(ParseError, match="a name or a list"):
        hvp("w @ w", 3, shapes={"w": ("n",)})
    with pytest.raises(symderiv.UnknownNameError):
        hvp("w @ w", "v", shapes={"w": ("n",)})
    with pytest.raises(UnsupportedError, match="accepted meaning"):
        hvp("logdet(S)", "S", shapes={"S": ("n", "n")}, assume={"S": "symmetric"}, structured=True)
    with pytest.raises(UnsupportedError, match="has no name"):
        hvp("sum(h(w))", "w", shapes={"w": ("n",)}, functions={"h": ["dh"]})


def test_the_object():
    h = hvp("norm(X @ w - y)**2", "w", direction="v", shapes={"X": ("n", "p"), "w": ("p",), "y": ("n",)})
    assert str(h) == "2 * X.T @ (X @ v)"
    assert h.to_latex() == r"\frac{\partial^{2} f}{\partial w^{2}}[v] = 2\,X^{\top}\,X\,v"
    again = pickle.loads(pickle.dumps(h))
    assert again.statements() == h.statements()
    again.proof.check()
    assert h.notes[0].startswith("Convention")
    assert "v: shape (p,)" in h.to_numpy(name="product")
    assert (str(h.gradient), str(h.value)) == ("2 * X.T @ (X @ w - y)", "norm(X @ w - y)**2")
