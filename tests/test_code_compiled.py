"""The compiled function: whatever NumPy takes is taken, what would be wrong is refused, and every name works."""

from __future__ import annotations

import pickle
from fractions import Fraction

import numpy as np
import pytest

import symderiv
from symderiv import derive
from symderiv.code.compiled import compiled
from symderiv.errors import ParseError, ShapeError, UnknownNameError, UnsupportedError
from symderiv.inputs import read
from symderiv.lower import lower

SHAPES = {"x": ("n",), "X": ("n", "m"), "y": ("n",), "c": ()}


def function(text, wrt="x", **more):
    return derive(text, wrt, shapes={k: v for k, v in SHAPES.items() if k in text}, **more).compile()


# --- what is taken


@pytest.mark.parametrize(
    "x",
    [[0, 2], (0, 2), [False, 2], np.array([0, 2], dtype="i2"), np.array([0.0, 9, 2, 9])[::2], [Fraction(0), 2]],
    ids=["list", "tuple", "bool", "int16", "strided", "fraction"],
)
def test_whatever_numpy_takes(x):
    got = function("sum(exp(x) + x**2)")(x=x)
    assert got.dtype == float
    np.testing.assert_allclose(got, [1, np.exp(2) + 4])


def test_booleans_and_integers_are_numbers():
    np.testing.assert_array_equal(function("sum(x**3)")(x=[True, False]), [3, 0])
    np.testing.assert_array_equal(function("sum(relu(x))")(x=[-1, 0, 1]), [0, 0, 1])
    assert function("sum(relu(x))")(x=[-1, 0, 1]).dtype == float
    assert function("c**3", "c")(c=2) == 12


@pytest.mark.parametrize("order", ["C", "F"])
def test_memory_order_does_not_matter(order):
    X = np.arange(12.0).reshape(3, 4)
    np.testing.assert_array_equal(
        function("sum(X**2 * X)", "X")(X=np.asarray(X, order=order)[:, ::-1]), 3 * X[:, ::-1] ** 2
    )


@pytest.mark.parametrize("dtype", ["f2", "f4", "f8"])
@pytest.mark.parametrize(
    "text", ["sum(log(1 + exp(x)))", "mean(relu(x)) + norm(x - y)**2", "sum(where(x > 0, 1, y) * x)", "softmax(x, 0)"]
)
def test_the_result_is_as_precise_as_what_is_given(text, dtype):
    given = {"x": np.array([1, -2], dtype), "y": np.array([2, 1], dtype)}
    got = function(text)(**{k: v for k, v in given.items() if k in text})
    assert got.dtype == np.dtype(dtype)
    exact = function(text)(**{k: v.astype(float) for k, v in given.items() if k in text})
    np.testing.assert_allclose(got, exact, rtol=5 * np.finfo(dtype).eps, atol=5 * np.finfo(dtype).eps)


@pytest.mark.parametrize(("text", "wrt"), [("sum((x - y)**2)", "x"), ("sum(softmax(x, 0) * y)", "x"), ("x @ y", "y")])
@pytest.mark.parametrize("size", [0, 1])
def test_sizes_of_nothing_and_one(text, wrt, size):
    got = function(text, wrt)(x=np.ones(size), y=np.zeros(size))
    assert got.shape == (size,)
    assert np.all(np.isfinite(got))


@pytest.mark.parametrize(
    ("text", "wrt", "name"), [("y @ x", "x", "y"), ("sum(X * x[:, None])", "x", "X"), ("trace(X.T @ X) / 2", "X", "X")]
)
def test_a_result_is_no_window_on_an_argument(text, wrt, name):
    given = {"x": np.ones(2), "y": np.ones(2), "X": np.ones((2, 3))}
    got = function(text, wrt)(**given)
    got += 7
    np.testing.assert_array_equal(given[name], np.ones_like(given[name]))


def test_what_is_given_too_much_does_not_matter():
    np.testing.assert_array_equal(function("sum(x**2)")(x=[1.0], z="whatever"), [2])


def test_it_pickles_and_says_what_it_is():
    f = function("sum((x - y)**2)")
    assert repr(f) == "<compiled derivative(x, y)>"
    assert "shape (n,)" in f.__doc__
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(f))(x=[1.0], y=[0.0]), [2])


# --- what is refused


@pytest.mark.parametrize(
    ("given", "kind", "said"),
    [
        ({"x": [1j], "y": [1]}, UnsupportedError, ["x is complex", "x.real"]),
        ({"x": ["a"], "y": [1]}, UnsupportedError, ["x holds", "no real numbers"]),
        ({"x": [None], "y": [1]}, UnsupportedError, ["x holds object"]),
        ({"x": [[1, 2], [3]], "y": [1]}, ShapeError, ["x is no array", "equal length"]),
        ({"x": [1, 2], "y": [1]}, ShapeError, ["y has the wrong shape", "n = 2", "(1,)"]),
        ({"x": 1, "y": [1]}, ShapeError, ["x has the wrong shape", "()"]),
        ({"x": [[1]], "y": [1]}, ShapeError, ["x has the wrong shape", "(1, 1)"]),
        ({"x": [1]}, UnknownNameError, ["y is missing", "shape (n,)"]),
        ({"x": [1], "Y": [1], "yy": [1]}, UnknownNameError, ["y is missing", "is yy meant to be y?"]),
        ({}, UnknownNameError, ["x is missing"]),
    ],
)
def test_what_does_not_fit_is_refused(given, kind, said):
    with pytest.raises(kind) as err:
        function("sum((x - y)**2)")(**given)
    assert all(part in str(err.value) for part in said), str(err.value)


def test_arrays_are_given_by_name():
    with pytest.raises(ParseError, match="given by name") as err:
        function("sum(x**2)")([1.0])
    assert "derivative(x=…)" in str(err.value)


def test_a_quotient_by_a_size_of_nothing_is_refused():
    f = derive("c / n + sum(x)", "c", shapes={"c": (), "x": ("n",)}).compile()
    assert f(c=1.0, x=np.ones(4)) == 0.25
    with pytest.raises(ShapeError, match="no entries"):
        f(c=1.0, x=[])


@pytest.mark.parametrize(("given", "said"), [({}, "dh is missing"), ({"dh": 3}, "cannot be called")])
def test_unknown_functions_are_given_as_functions(given, said):
    f = function("sum(h(x))", functions={"h": ["dh"]})
    with pytest.raises(symderiv.SymderivError, match=said):
        f(x=[1.0], **given)
    np.testing.assert_array_equal(f(x=[2.0], dh=np.square), [4])


# --- points where a derivative is a matter of convention, or is none


def test_zeros_of_a_product():
    f = function("prod(x)")
    np.testing.assert_array_equal(f(x=[0.0, 2, 3]), [6, 0, 0])
    np.testing.assert_array_equal(f(x=[0.0, 0, 3]), [0, 0, 0])
    np.testing.assert_array_equal(f(x=[4.0, 2, 3]), [6, 12, 8])


@pytest.mark.parametrize("x", [[0.0, 2, 3, 5], [0.0, 0, 3, 5], [0.0, 0, 0, 5], [1.0, 2, 3, 5]])
def test_zeros_of_a_product_in_its_second_derivative(x):
    got = function("prod(x)", ["x", "x"])(x=x)
    wanted = [[0 if i == j else np.prod(np.delete(x, [i, j])) for j in range(4)] for i in range(4)]
    np.testing.assert_allclose(got, wanted)


@pytest.mark.parametrize(
    ("text", "slopes"),
    [
        ("sum(abs(x))", [-1, 0, 1]),
        ("sum(sign(x))", [0, 0, 0]),
        ("sum(relu(x))", [0, 0, 1]),
        ("sum(maximum(x, 0))", [0, 0.5, 1]),
        ("sum(minimum(x, 0))", [1, 0.5, 0]),
        ("sum(x**0)", [0, 0, 0]),
        ("sum(x**1)", [1, 1, 1]),
        ("sum(x**2)", [-4, 0, 4]),
        ("sum(0**0 * x)", [1, 1, 1]),
        ("norm(x)**2", [-4, 0, 4]),
    ],
)
def test_at_zero(text, slopes):
    with np.errstate(all="raise"):
        np.testing.assert_allclose(function(text)(x=[-2.0, 0, 2]), slopes)


@pytest.mark.parametrize("text", ["norm(x)", "x / norm(x)"])
def test_a_norm_has_no_derivative_at_zero(text):
    with np.errstate(all="ignore"):
        assert np.all(np.isnan(function(text)(x=np.zeros(2))))


# --- names

WORDS = """
E I S N O Q pi np out lambda_ derivative shape sum f exp x0 T u u_1 t1 sigmoid softmax logsumexp numpy e axis sign
value len self cls abs array where eye diff delta Sum nan inf beta k i _ __ F P θ x̂ 変量
"""
NAMES = [*WORDS.split(), "x" * 500]


def short(name):
    return name if len(name) < 20 else "a long one"


@pytest.mark.parametrize("name", NAMES, ids=short)
def test_arrays_of_any_name(name):
    text = "sum(log(1 + exp({0} @ b))) + norm({0} @ b)**2 + sum(softmax({0} @ b, 0) * tanh({0} @ b))"
    X, b = np.array([[0.3, -1], [1.5, 0.2], [-0.4, 0.8]]), np.array([0.7, -0.6])
    plain = {"XX": ("rows", "columns"), "b": ("columns",)}
    for wrt in ("{0}", "b"):
        shapes = {name: ("rows", "columns"), "b": ("columns",)}
        d = derive(text.format(name), wrt.format(name), shapes=shapes)
        again = read(str(d.result), shapes, None, None)[1]
        assert lower(again).node is lower(d.result.expr).node
        value, got = d.compile(value=True)(**{name: X, "b": b})
        reference = derive(text.format("XX"), wrt.format("XX"), shapes=plain).compile(value=True)(XX=X, b=b)
        np.testing.assert_allclose(value, reference[0], rtol=1e-12)
        np.testing.assert_allclose(got, reference[1], rtol=1e-12)
        d.proof.check()


@pytest.mark.parametrize("name", [n for n in NAMES if n != "y"], ids=short)
def test_sizes_of_any_name(name):
    text = "mean(y) * sum(log(1 + exp(Z.T @ y))) + y @ eye({0}) @ y"
    y, Z = np.array([0.3, -1, 2]), np.arange(6.0).reshape(3, 2) / 4
    d = derive(text.format(name), "y", shapes={"y": (name,), "Z": (name, "k9")})
    plain = derive(text.format("nn"), "y", shapes={"y": ("nn",), "Z": ("nn", "k9")})
    np.testing.assert_allclose(d.compile()(y=y, Z=Z), plain.compile()(y=y, Z=Z), rtol=1e-12)
    d.proof.check()


@pytest.mark.parametrize("name", ["np", "sigmoid", "softmax", "x", "n", "derivative", "t1", "é"])
def test_functions_of_any_name(name):
    d = derive("sum(softmax(x, 0) * sigmoid(y)) + mean(x)", "x", shapes={"x": ("n",), "y": ("n",)})
    x, y = np.array([1.0, 2]), np.array([0.5, -1])
    got = compiled(d.to_numpy(name=name), name)(**{"x": x, "y": y})
    np.testing.assert_allclose(got, d.compile()(x=x, y=y))


@pytest.mark.parametrize(
    "name", ["lambda", "for", "None", "a b", "x;import os", "__import__('os')", "f(", "", "x\n", 3, None]
)
def test_what_is_no_name_of_a_function_is_refused(name):
    with pytest.raises(ParseError, match="is not a name for a function") as err:
        derive("sum(x**2)", "x", shapes={"x": ("n",)}).to_numpy(name=name)
    assert err.value.hint
