"""Functions of one flat vector: against differences, with SciPy, and as a module that stands alone."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from scipy.optimize import approx_fprime, minimize

from symderiv import ParseError, ShapeError, UnknownNameError, UnsupportedError, gradients

CASES = [
    ("norm(X @ w + b - y)**2", ["w", "b"], "X(n,p) w(p) b() y(n)", {}),
    ("norm(W2 @ tanh(W1 @ x + b1) + b2 - y)**2", ["W1", "b1", "W2", "b2"],
     "W1(m,n) b1(m) W2(p,m) b2(p) x(n) y(p)", {}),
    ("norm(T - U @ V.T)**2 + c * (sum(U**2) + sum(V**2))", ["V", "U"], "T(n,m) U(n,p) V(m,p) c()", {}),
    ("x @ y + sum(S @ x)", ["x", "z", "S"], "x(n) y(n) z(m) S(s,n)", {}),
    ("sum(T3**3) + a**2", ["T3", "a"], "T3(b,n,m) a()", {}),
    ("norm(X @ w - y)**2", ["w"], "X(n,s) w(s) y(n)", {}),
]  # fmt: skip


def module(source):
    """Return the names of a generated module, as one who pasted its text has them."""
    space = {}
    exec(source, space)
    return space


def flat_of(names, given):
    return np.concatenate([np.ravel(given[n]) for n in names])


def put(flat, names, given):
    """Return the arrays with the entries of a flat vector, apart from the code under test."""
    new, entries = {}, iter(flat)
    for n in names:
        new[n] = np.array([next(entries) for _ in range(np.size(given[n]))]).reshape(np.shape(given[n]))
    return {**given, **new}


@pytest.mark.parametrize(("text", "names", "shapes", "assume"), CASES)
def test_against_differences(text, names, shapes, assume, shapes_of, arrays, evaluate):
    given = arrays(shapes, assume)
    p = gradients(text, names, shapes=shapes_of(shapes), assume=assume).packed(**given)
    flat = flat_of(names, given)
    np.testing.assert_array_equal(p.x0, flat)

    def value(at):
        return float(evaluate(text, shapes, put(at, names, given)))

    def slope(at, h=1e-3):
        steps = np.eye(len(at)) * h
        return np.array(
            [(8 * (value(at + e) - value(at - e)) - (value(at + 2 * e) - value(at - 2 * e))) / (12 * h) for e in steps]
        )

    found, gradient = p.fun(flat)
    assert type(found) is float
    np.testing.assert_allclose(found, value(flat), rtol=1e-12)
    np.testing.assert_allclose(gradient, slope(flat), rtol=1e-6, atol=1e-7)
    hessian = p.hess(flat)
    h = 1e-4
    wanted = np.array([(slope(flat + e, 1e-2) - slope(flat - e, 1e-2)) / (2 * h) for e in np.eye(len(flat)) * h])
    np.testing.assert_allclose(hessian, wanted, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(hessian, hessian.T, rtol=1e-9, atol=1e-12)
    for direction in (np.random.default_rng(2).standard_normal(len(flat)), np.eye(len(flat))[-1]):
        np.testing.assert_allclose(p.hessp(flat, direction), hessian @ direction, rtol=1e-8, atol=1e-9)


@pytest.mark.parametrize(("text", "names", "shapes", "assume"), CASES)
def test_packing_and_unpacking_are_inverse(text, names, shapes, assume, shapes_of, arrays):
    given = arrays(shapes, assume)
    p = gradients(text, names, shapes=shapes_of(shapes), assume=assume).packed(**given)
    flat = np.random.default_rng(4).standard_normal(len(p.x0))
    parts = p.unpack(flat)
    assert list(parts) == names == list(p.names)
    assert {k: a.shape for k, a in parts.items()} == {k: np.shape(given[k]) for k in names} == p.shapes
    np.testing.assert_array_equal(p.pack(**parts), flat)
    wanted = put(flat, names, given)
    assert all(np.array_equal(parts[n], wanted[n]) for n in names)


@pytest.mark.parametrize(("text", "names", "shapes", "assume"), CASES)
def test_the_module_stands_alone(text, names, shapes, assume, shapes_of, arrays):
    given = arrays(shapes, assume)
    g = gradients(text, names, shapes=shapes_of(shapes), assume=assume)
    p = g.packed(**given)
    source = g.to_numpy(flat=True, second=("hessp", "hess"))
    assert "symderiv" not in source
    own = module(source)
    variables = [given[n] for n in names]
    x0, dims = own["pack"](*variables), [np.shape(a) for a in variables]
    code = own["fun"].__code__
    data = [given[n] for n in code.co_varnames[2 : code.co_argcount]]
    value, slope = own["fun"](x0, dims, *data)
    assert value == p.fun(x0)[0]
    np.testing.assert_array_equal(slope, p.fun(x0)[1])
    v = np.random.default_rng(0).standard_normal(len(x0))
    np.testing.assert_allclose(own["hessp"](x0, v, dims, *data), p.hessp(x0, v), rtol=1e-12)
    np.testing.assert_allclose(own["hess"](x0, dims, *data), p.hess(x0), rtol=1e-12)
    assert "hess" not in module(g.to_numpy(flat=True))
    assert "hessp" not in module(g.to_numpy(flat=True, second=()))


# --- SciPy


@pytest.fixture
def network(arrays):
    shapes = "W1(m,n) b1(m) W2(p,m) b2(p) X(q,n) Y(q,p)"
    text = "norm(tanh(X @ W1.T + b1) @ W2.T + b2 - Y)**2 / 2 + 0.05 * (sum(W1**2) + sum(W2**2))"
    declared = {"W1": ("m", "n"), "b1": ("m",), "W2": ("p", "m"), "b2": ("p",), "X": ("q", "n"), "Y": ("q", "p")}
    return gradients(text, ["W1", "b1", "W2", "b2"], shapes=declared), arrays(shapes)


@pytest.mark.parametrize(
    ("method", "second"),
    [
        ("L-BFGS-B", None),
        ("BFGS", None),
        ("Newton-CG", "hessp"),
        ("trust-ncg", "hessp"),
        ("trust-krylov", "hessp"),
        ("trust-constr", "hessp"),
        ("trust-exact", "hess"),
        ("Newton-CG", "hess"),
    ],
)
def test_minimising_several_variables_at_once(network, method, second):
    g, given = network
    p = g.packed(**given)
    more = {second: getattr(p, second)} if second else {}
    found = minimize(p.fun, p.x0, jac=True, method=method, options={"maxiter": 500}, **more)
    assert np.abs(p.fun(found.x)[1]).max() < 1e-2
    assert np.linalg.eigvalsh(p.hess(found.x)).min() > -1e-6
    best = p.unpack(found.x)
    value, slopes = g.compile()(**{**given, **best})
    assert value == pytest.approx(found.fun, rel=1e-6)
    assert max(np.abs(s).max() for s in slopes.values()) < 1e-2


def test_the_pasted_module_in_scipy(network):
    g, given = network
    own = module(g.to_numpy(flat=True))
    start = [given[n] for n in g]
    args = ([a.shape for a in start], given["X"], given["Y"])
    x0 = own["pack"](*start)
    np.testing.assert_allclose(
        own["fun"](x0, *args)[1], approx_fprime(x0, lambda z: own["fun"](z, *args)[0]), rtol=1e-3, atol=1e-4
    )
    found = minimize(own["fun"], x0, args=args, jac=True, hessp=own["hessp"], method="Newton-CG")
    assert found.success
    assert np.abs(found.jac).max() < 1e-3


def test_least_squares_is_one_newton_step(arrays):
    g = gradients("norm(X @ w + b - y)**2", ["w", "b"], shapes={"X": ("n", "p"), "w": ("p",), "b": (), "y": ("n",)})
    given = arrays("X(q,p) w(p) b() y(q)")
    p = g.packed(**given)
    x = p.x0 - np.linalg.solve(p.hess(p.x0), p.fun(p.x0)[1])
    design = np.column_stack([given["X"], np.ones(5)])
    np.testing.assert_allclose(x, np.linalg.lstsq(design, given["y"], rcond=None)[0], rtol=1e-9)


# --- names, kinds, misuse


def test_names_that_generated_code_uses_itself(arrays, shapes_of, evaluate):
    shapes = "pack(n) flat(n,p) shapes(p) np() fun(n) value() direction(m) V_pack()"
    text = "norm(flat @ shapes - pack)**2 + np * pack @ fun + value * sum(direction)**2 * V_pack"
    names = ["pack", "shapes", "np", "direction", "value"]
    g = gradients(text, names, shapes=shapes_of(shapes))
    given = arrays(shapes)
    p = g.packed(**given)
    np.testing.assert_allclose(p.fun(p.x0)[0], evaluate(text, shapes, given))
    numeric = approx_fprime(p.x0, lambda z: p.fun(z)[0])
    np.testing.assert_allclose(p.fun(p.x0)[1], numeric, rtol=1e-4, atol=1e-4)
    v = np.random.default_rng(0).standard_normal(len(p.x0))
    np.testing.assert_allclose(p.hess(p.x0) @ v, p.hessp(p.x0, v), rtol=1e-9)


def test_float32_is_kept():
    g = gradients("norm(X @ w - y)**2", ["w"], shapes={"X": ("n", "p"), "w": ("p",), "y": ("n",)})
    p = g.packed(X=np.ones((3, 2), "f4"), w=np.ones(2, "f4"), y=np.ones(3, "f4"))
    assert p.x0.dtype == p.fun(p.x0)[1].dtype == p.hessp(p.x0, p.x0).dtype == p.hess(p.x0).dtype == "f4"


def test_lists_and_integers_are_taken():
    g = gradients("norm(X @ w - y)**2", ["w"], shapes={"X": ("n", "p"), "w": ("p",), "y": ("n",)})
    p = g.packed(X=[[1, 2], [3, 4]], w=[0, 0], y=[1, 1], unused=3)
    assert p.fun([0, 0])[0] == pytest.approx(2)
    assert p.hess([0, 0]).tolist() == [[20, 28], [28, 40]]


def test_unknown_functions(arrays):
    shapes = {"W": ("m", "n"), "x": ("n",), "v": ("m",)}
    g = gradients("v @ h(W @ x)", ["W", "v"], shapes=shapes, functions={"h": ["dh", "d2h"]})
    given = arrays("W(m,n) x(n) v(m)")
    p = g.packed(**given, h=np.sin, dh=np.cos, d2h=lambda t: -np.sin(t))
    np.testing.assert_allclose(p.fun(p.x0)[1], approx_fprime(p.x0, lambda z: p.fun(z)[0]), rtol=1e-5, atol=1e-6)
    v = np.random.default_rng(0).standard_normal(len(p.x0))
    np.testing.assert_allclose(p.hess(p.x0) @ v, p.hessp(p.x0, v), rtol=1e-9)
    first = gradients("v @ h(W @ x)", ["W"], shapes=shapes, functions={"h": ["dh"]}).packed(
        **given, h=np.sin, dh=np.cos
    )
    first.fun(first.x0)
    with pytest.raises(UnsupportedError, match="has no name"):
        first.hessp(first.x0, first.x0)


def test_misuse_is_refused():
    shapes = {"X": ("n", "p"), "w": ("p",), "y": ("n",), "S": ("p", "p")}
    g = gradients("norm(X @ w - y)**2", ["w"], shapes=shapes)
    given = {"X": np.ones((3, 2)), "w": np.ones(2), "y": np.ones(3)}
    with pytest.raises(UnknownNameError, match="y is missing"):
        g.packed(X=given["X"], w=given["w"])
    with pytest.raises(ShapeError, match="wrong shape"):
        g.packed(**given | {"w": np.ones(3)})
    p = g.packed(**given)
    for call in (p.fun, p.hess, p.unpack, lambda z: p.hessp(p.x0, z), lambda z: p.hessp(z, p.x0)):
        with pytest.raises(ShapeError, match="flat vector"):
            call(np.ones(3))
    with pytest.raises(ParseError, match="packed once"):
        p.pack(v=np.ones(2))
    with pytest.raises(ShapeError, match="wrong shape"):
        p.pack(w=np.ones(3))
    with pytest.raises(ShapeError, match="is a number"):
        gradients("X @ w", ["w"], shapes=shapes).packed(**given)
    with pytest.raises(UnsupportedError, match="free ones"):
        gradients("logdet(S)", ["S"], shapes=shapes, assume={"S": "symmetric"}, structured=True).packed(S=np.eye(2))
    with pytest.raises(ParseError, match="no second derivative"):
        g.to_numpy(flat=True, second=("hessian",))


def test_it_pickles():
    g = gradients("norm(X @ w - y)**2", ["w"], shapes={"X": ("n", "p"), "w": ("p",), "y": ("n",)})
    p = g.packed(X=np.ones((3, 2)), w=np.ones(2), y=np.zeros(3))
    p.fun(p.x0)
    again = pickle.loads(pickle.dumps(p))
    assert again.fun(p.x0)[0] == p.fun(p.x0)[0] == pytest.approx(12)
    assert repr(again) == "<packed w (2,): 2 entries>"
