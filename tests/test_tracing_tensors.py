"""Tensors of `declare`: operators, sizes, conditions, changes in place, and what they refuse."""

from __future__ import annotations

import copy
import pickle
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import symderiv
from symderiv.errors import SymderivError
from symderiv.tensor.array import Dimension, Tensor
from symderiv.tensor.constants import constant, rational
from symderiv.tensor.parse import number

X, W, w, y, c, S, h = symderiv.declare(
    "X: (n, p)", "W: (p, 1)", "w: (p,)", "y: (n,)", "c: ()", "S: symmetric(n, n)", "h: elementwise()"
)


# ---------------------------------------------------------------- declare


def test_declarations_are_those_of_the_language():
    assert isinstance(symderiv.declare("X: (n, p)"), Tensor)
    a, b = symderiv.declare("a: (n, 3)\nb: positive()")
    assert a.shape[1] == 3 and b.shape == () and b.expr.data[1] == {"positive"}
    assert X.shape[0] == y.shape[0] and X.shape == (y.shape[0], w.shape[0])
    assert S.expr.data[1] == {"symmetric"} and repr(h) == "Entrywise(h)"


@pytest.mark.parametrize(
    "text",
    ["", "X", "X: 3", "X = 3", "n: (n,)", "X: (n, p", "for: (n,)", "sum: (n,)", "x: (n,)\nx: (n,)", 3, "E: function()",
     "S: symmetric(n, p)", "X: (0,)", "assert 1 == 1", "S: nonsense(n)"],
)  # fmt: skip
def test_what_is_no_declaration_is_refused(text):
    with pytest.raises(SymderivError):
        symderiv.declare(text)


def test_tensors_are_differentiated_in_by_themselves():
    f = np.sum((X @ w - y) ** 2)
    assert str(symderiv.derive(f, w).result) == str(symderiv.derive(f, "w").result) == "2 * X.T @ (X @ w - y)"
    assert str(symderiv.derive(f, [w, "w"]).result) == "2 * X.T @ X"
    assert str(symderiv.derive(y @ S @ y, y).result) == "2 * S @ y"
    assert str(symderiv.derive(y @ y, w).result) == "zeros(p)"
    assert str(symderiv.hvp(f, w, "v").result) == "2 * X.T @ (X @ v)"
    assert str(symderiv.gradients(f, [w, y])["y"]) == "2 * (y - X @ w)"
    assert str(symderiv.derive(np.sum(h(X @ w)), w, functions={"h": ["dh"]}).result) == "X.T @ dh(X @ w)"


def test_tensors_take_assumptions_and_further_shapes():
    A, x = symderiv.declare("A: (n, n)", "x: (n,)")
    assert str(symderiv.derive(x @ A @ x, x, assume={"A": "symmetric"}).result) == "2 * A @ x"
    assert symderiv.verify(x @ A @ x, x, "2 * A @ x", assume={"A": "symmetric"}).status == "proved"
    assert symderiv.verify(x @ x, x, "2 * x + 0 * z", shapes={"z": ("n",)}).status == "proved"


def test_shapes_that_contradict_are_refused():
    other = symderiv.declare("w: (q,)")
    with pytest.raises(symderiv.ShapeError, match="two shapes"):
        symderiv.derive(w @ w, other)
    with pytest.raises(symderiv.ShapeError, match="two shapes"):
        symderiv.derive(w @ w, w, shapes={"w": ("q",)})
    with pytest.raises(symderiv.ShapeError, match="two variables are called w"):
        symderiv.derive((w @ w) * (other @ other), "w")
    with pytest.raises(symderiv.ParseError, match="declared arrays"):
        symderiv.derive(w @ w, 2 * w)
    for wrt in (3, None, [w, 3], []):
        with pytest.raises(symderiv.ParseError):
            symderiv.derive(w @ w, wrt)


# ---------------------------------------------------------------- what they are


def test_tensors_show_what_they_are():
    assert repr(2 * X.T @ (X @ w - y)) == "Tensor(2 * X.T @ (X @ w - y))"
    assert str(X.shape) == "(n, p)" and (X.ndim, W.shape[1], str(X.size)) == (2, 1, "n*p")
    assert repr(X > 0) == "Condition(X > 0)" and repr((X > 0) & ~(X < 1)) == "Condition((X > 0) & (~(X < 1)))"
    assert X.dtype == np.dtype(float)


@pytest.mark.parametrize("value", [X @ w, X.shape[0], X > 1], ids=str)
def test_they_pickle_and_copy(value):
    for other in (pickle.loads(pickle.dumps(value)), copy.deepcopy(value), copy.copy(value)):
        assert repr(other) == repr(value) and type(other) is type(value)


def test_sizes_are_equal_where_they_are_the_same():
    n, p = X.shape
    assert n == X.shape[0] and hash(n) == hash(y.shape[0]) and n != p and n != 3 and [n] != [3]
    assert isinstance(n * p, Dimension) and isinstance(2 * n, Dimension) and isinstance(n**2, Dimension)
    assert not isinstance(n + 1, Dimension) and str(1 / n) == "1 / n" and str(n * c) == "n * c"
    assert {n: 1}[y.shape[0]] == 1
    assert str(np.sqrt(n)) == "sqrt(n)"


def test_a_tensor_says_no_where_numbers_are_asked_for():
    for ask in (
        bool, float, int, complex, list, iter, round, hash, np.asarray, np.array, lambda t: t in [1], lambda t: 1 in t,
        lambda t: t[0], lambda t: t[0, 0], lambda t: t[1:], lambda t: t.nothing, lambda t: t.item(), lambda t: range(t),
        lambda t: [1, 2][t], lambda t: t.__setitem__(0, 1), lambda t: t[:, :, :], lambda t: t // 2, lambda t: 2 % t,
        lambda t: t & 1, lambda t: ~t,
    ):  # fmt: skip
        with pytest.raises((SymderivError, TypeError)) as caught:
            ask(X)
        assert isinstance(caught.value, SymderivError) or ask is hash
    assert not hasattr(X, "toarray") and not hasattr(X, "__array_interface__")


def test_conditions_are_no_numbers():
    for ask in (bool, float, lambda t: t + t, lambda t: -t, np.asarray, lambda t: [1][t], lambda t: 1 if t else 0):
        with pytest.raises((SymderivError, TypeError)):
            ask(X > 0)


def test_len_needs_an_integer():
    assert len(symderiv.declare("z: (3, n)")) == 3
    with pytest.raises(symderiv.UnsupportedError, match=r"the size n is a symbol"):
        len(X)
    with pytest.raises(symderiv.ShapeError):
        len(c)


# ---------------------------------------------------------------- in place


def test_a_change_in_place_is_seen_under_every_name():
    g = X @ w
    same, other = g, X @ w
    g += y
    assert g is same and str(same) == "X @ w + y" and str(other) == "X @ w"
    total = c * 1
    before = total
    total += 1
    assert str(total) == "c * 1 + 1" and str(before) == "c * 1"


def test_views_are_not_changed():
    for view in (lambda t: t.T, lambda t: t[:, None], lambda t: t.reshape(-1), np.ravel, np.squeeze, lambda t: t[:]):
        g = X * 1
        v = view(g)
        with pytest.raises(symderiv.UnsupportedError, match="view"):
            g += 1
        with pytest.raises(symderiv.UnsupportedError, match="view"):
            v += 1
    g = X * 1
    kept = g.copy()
    g += 1
    assert str(kept) == "X * 1"


# ---------------------------------------------------------------- constants


def test_floats_stand_for_the_simplest_fraction():
    assert rational(1 / 3) == Fraction(1, 3) and rational(-0.1) == Fraction(-1, 10) and rational(2.0) == 2
    assert rational(1e-12) == Fraction(1, 10**12) and rational(np.pi) == Fraction("3.141592653589793")
    assert str(w * (1 / 3)) == "w * (1 / 3)"


@given(st.floats(-1e299, 1e299))
def test_a_float_is_read_as_a_number_that_rounds_to_it(value):
    assert float(rational(value)) == value


@given(st.integers(-9999, 9999), st.integers(1, 9999))
def test_quotients_are_read_back(p, q):
    assert rational(p / q) == Fraction(p, q)


@pytest.mark.parametrize("value", [np.float64(0.5), np.float32(0.5), 0.5, Fraction(1, 2), np.array(0.5)])
def test_numbers_of_every_kind(value):
    assert constant(value) is number(Fraction(1, 2))
    assert str(value * w) in ("0.5 * w", "1 / 2 * w")


@pytest.mark.parametrize(
    "value", [True, np.nan, np.inf, -np.inf, 1j, "1", None, [1], np.arange(3.0), 10**310, np.array([])]
)
def test_what_is_no_constant_is_refused(value):
    with pytest.raises(SymderivError):
        w + value


def test_arrays_with_one_value_and_multiples_of_the_unit_matrix():
    z = symderiv.declare("z: (3,)")
    assert str(z + np.ones(3)) == "z + ones(3)" and str(z @ np.eye(3)) == "z @ eye(3)"
    assert str(z * np.zeros(3)) == "z * zeros(3)" and str(np.full((2, 3), 0.5) @ z) == "0.5 * ones(2, 3) @ z"
    assert str((2 * np.eye(3)) @ z) == "2 * eye(3) @ z"


# ---------------------------------------------------------------- shapes


BAD = [
    lambda: X + y,
    lambda: X @ y,
    lambda: c @ w,
    lambda: np.linalg.inv(X),
    lambda: np.trace(X),
    lambda: np.sum(X, axis=5),
    lambda: np.sum(X, axis=(0, 0)),
    lambda: np.transpose(X, (0, 0)),
    lambda: np.squeeze(X, 0),
    lambda: np.einsum("ij", w),
    lambda: np.dot(X, y),
    lambda: np.moveaxis(X, 0, 3),
    lambda: np.expand_dims(X, 7),
    lambda: np.broadcast_to(X, (3,)),
    lambda: np.tensordot(X, X, 3),
    lambda: np.tensordot(X, w, axes=([0, 1], [0])),
    lambda: np.kron(X, w),
    lambda: np.diag(X),
    lambda: np.linalg.matrix_power(S, 10**6),
    lambda: np.linalg.matrix_power(S, 0.5),
    lambda: np.vdot(X, w),
    lambda: np.trace(S, offset=1),
    lambda: np.diag(w, 1),
    lambda: np.reshape(X, (-1, -1)),
    lambda: X.reshape(w),
    lambda: np.average(X, weights=w),
    lambda: np.where(X > 0, X, y),
    lambda: np.linalg.norm(X, "nuc"),
    lambda: np.eye(3, 4, like=X),
    lambda: np.einsum(X, [0, 1]),
    lambda: np.add.accumulate(X),
    lambda: np.add.reduce(X, out=X),
    lambda: np.sum(X, dtype=int),
    lambda: np.fft.fft(w),
    lambda: np.linalg.eigvals(S),
    lambda: np.random.permutation(X),
    lambda: np.ones(X.shape),
    lambda: np.vectorize(abs)(w),
    lambda: np.frompyfunc(abs, 1, 1)(w),
    lambda: np.median(X),
    lambda: np.interp(w, w, w),
    lambda: np.allclose(w, w),
    lambda: np.gcd(X, X),
    lambda: np.linalg.solve(S, w),
]


@pytest.mark.parametrize("call", BAD)
def test_misuse_is_refused_with_a_word(call):
    with pytest.raises(SymderivError) as caught:
        call()
    assert caught.value.message
