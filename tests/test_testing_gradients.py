"""`check_grads`: gradients by hand, right and wrong, that can be traced and that cannot."""

from __future__ import annotations

import numpy as np
import pytest

from symderiv.errors import ParseError, ShapeError, UnsupportedError
from symderiv.testing import DifferenceError, UndecidedError, check_grads
from symderiv.testing.differences import along, complex_step, twice

RNG = np.random.default_rng(3)
X, W, Y = RNG.standard_normal((5, 3)), RNG.standard_normal(3), RNG.standard_normal(5)
SHAPES = {"X": ("n", "p"), "w": ("p",), "y": ("n",)}


def loss(X, w, y):
    return np.sum((X @ w - y) ** 2)


def gradient(X, w, y):
    return 2 * X.T @ (X @ w - y)


def hessian(X, w, y):
    return 2 * X.T @ X


def untraceable(f):
    """A function that does the same and asks for a number on the way."""

    def run(*args):
        float(np.sum(args[0]))
        return f(*args)

    return run


def failed(*args, **given):
    with pytest.raises(DifferenceError) as err:
        check_grads(*args, **given)
    return err.value.failure


# ---------------------------------------------------------------- proved


def test_all_sizes_where_they_have_names():
    found = check_grads(loss, gradient, (X, W, Y), wrt="w", shapes=SHAPES)
    assert (found.status, found.basis, found.method) == ("proved", "kernel", "complex step")
    assert found.scope == "all sizes; every step checked"
    assert found.verdicts["w"].status == "proved"
    assert str(found) == "proved (kernel): all sizes; every step checked"


def test_the_sizes_given_where_they_have_none():
    assert check_grads(loss, gradient, (X, W, Y), wrt=1).scope.startswith("the sizes of the arguments")


def test_several_at_once():
    def both(X, w, y):
        return {"w": gradient(X, w, y), "y": -2 * (X @ w - y)}

    def every(X, w, y):
        return 2 * np.outer(X @ w - y, w), gradient(X, w, y), -2 * (X @ w - y)

    assert list(check_grads(loss, both, {"X": X, "w": W, "y": Y}, shapes=SHAPES).verdicts) == ["w", "y"]
    assert list(check_grads(loss, every, (X, W, Y), shapes=SHAPES).verdicts) == ["X", "w", "y"]
    assert failed(loss, lambda X, w, y: {**both(X, w, y), "y": X @ w - y}, {"X": X, "w": W, "y": Y}).entry


def test_second_order():
    assert check_grads(loss, hessian, (X, W, Y), wrt="w", order=2, shapes=SHAPES).status == "proved"
    assert check_grads(loss, (gradient, hessian), (X, W, Y), wrt="w", order=2, shapes=SHAPES).status == "proved"
    assert len(failed(loss, (gradient, lambda X, w, y: X.T @ X), (X, W, Y), wrt="w", order=2).entry) == 2


def test_other_arguments_stay_what_they_are():
    def cross(x, label, scale=2.0):
        return scale * (np.log(np.sum(np.exp(x))) - x @ np.eye(3)[label])

    def by_hand(x, label, scale=2.0):
        return scale * (np.exp(x) / np.sum(np.exp(x)) - np.eye(3)[label])

    assert check_grads(cross, by_hand, (W, 1)).method == "complex step"


# ---------------------------------------------------------------- numbers alone


@pytest.mark.parametrize("symbolic", [True, False])
def test_what_cannot_be_traced_agrees(symbolic):
    found = check_grads(untraceable(loss), untraceable(gradient), (X, W, Y), wrt=1, symbolic=symbolic)
    assert found.status == "agrees"
    assert found.error < 1e-9
    assert found.untraced
    assert "seed 0" in str(found)


def test_a_kink_away_from_the_point_is_no_hindrance():
    def hinge(w):
        return np.maximum(0, 1 - Y * (X @ w)).mean()

    def by_hand(w):
        return -(X * (Y * (Y * (X @ w) < 1))[:, None]).mean(0)

    assert check_grads(untraceable(hinge), untraceable(by_hand), (W,)).status == "agrees"


def test_an_array_valued_function():
    assert check_grads(untraceable(np.tanh), lambda x: np.diag(1 - np.tanh(x) ** 2), (W,)).status == "agrees"
    assert len(failed(untraceable(np.tanh), lambda x: np.diag(1 - np.tanh(x)), (W,)).entry) == 2


def test_where_the_complex_step_would_lie():
    def f(x):
        return np.sum(np.abs(x) * x)  # the complex step gives x**2/|x| + |x| of abs as if it were smooth, and it is not

    assert check_grads(untraceable(f), lambda x: 2 * np.abs(x), (W,)).method == "central differences"


# ---------------------------------------------------------------- wrong ones


@pytest.mark.parametrize("symbolic", [True, False])
def test_a_wrong_one_fails_with_the_entry(symbolic):
    failure = failed(loss, lambda X, w, y: X.T @ (X @ w - y), (X, W, Y), wrt="w", shapes=SHAPES, symbolic=symbolic)
    np.testing.assert_allclose(failure.left, gradient(X, W, Y)[failure.entry], rtol=1e-6)
    np.testing.assert_allclose(failure.right, failure.left / 2, rtol=1e-6)
    assert failure.seed == 0
    assert "w (3,)" in failure.note
    assert failure.correct == ("2 * X.T @ (X @ w - y)" if symbolic else "")
    assert ("without the factor 2" in failure.step) == symbolic


@pytest.mark.parametrize("entry", [(0, 0), (4, 2)])
def test_one_wrong_entry_is_found(entry):
    def by_hand(x):
        found = np.cos(x)
        found[entry] *= 1 + 1e-4
        return found

    assert failed(untraceable(lambda x: np.sum(np.sin(x))), by_hand, (X,)).entry == entry


def test_one_wrong_entry_of_many():
    x = RNG.standard_normal(3000)

    def by_hand(x):
        found = np.cos(x)
        found[2718] += 1e-3
        return found

    assert failed(untraceable(lambda x: np.sum(np.sin(x))), by_hand, (x,)).entry == (2718,)


def test_what_the_arguments_hide_is_found_by_the_proof():
    ones = np.ones(3)
    failure = failed(lambda a, x: np.sum(a * x), lambda a, x: x * 1.0, (ones, ones), wrt="x")
    assert failure.note == "at the arguments given no difference shows"


def test_nan_is_wrong():
    assert np.isnan(failed(lambda x: np.sum(x**2), lambda x: x * np.nan, (W,), symbolic=False).right)


# ---------------------------------------------------------------- misuse


@pytest.mark.parametrize(
    ("call", "kind", "said"),
    [
        (lambda: check_grads(loss, gradient, (X, W, Y)), ParseError, "3 variables: X, w, y"),
        (lambda: check_grads(loss, gradient, (X, W, Y), wrt="v"), ParseError, "no argument is called 'v'"),
        (lambda: check_grads(loss, gradient, X), ParseError, "args is a tuple"),
        (lambda: check_grads(loss, hessian, (X, W, Y), wrt="w"), ShapeError, "another shape"),
        (lambda: check_grads(loss, gradient, (X, W, Y), order=3), UnsupportedError, "order 3"),
        (lambda: check_grads(loss, (gradient, hessian), (X, W, Y), wrt="w"), ParseError, "2 functions"),
        (lambda: check_grads(loss, gradient, (X * np.nan, W, Y), wrt="w"), UndecidedError, "no slope there"),
        (lambda: check_grads(lambda s: s, lambda s: s, ("a",), wrt="s"), ParseError, "no array of real numbers"),
    ],
)
def test_misuse_is_refused(call, kind, said):
    with pytest.raises(kind, match=said):
        call()


def test_a_slope_that_differences_do_not_show_is_no_success():
    with pytest.raises(UndecidedError, match="cannot be told"):
        check_grads(untraceable(lambda x: np.sum(np.maximum(x, 0))), lambda x: (x > 0) * 1.0, (np.array([1e-9]),))


def test_arguments_are_not_changed():
    x = W.copy()

    def f(x):
        x *= 2
        return np.sum(x)

    check_grads(f, lambda x: np.full(3, 2.0), (x,), symbolic=False)
    np.testing.assert_array_equal(x, W)


# ---------------------------------------------------------------- differences


@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e3])
@pytest.mark.parametrize("f", [np.exp, np.sin, np.arctan, lambda x: x**3, lambda x: 1 / (1 + x * x)])
def test_slopes_are_within_their_error(f, scale):
    x, v = np.array([0.3]) * scale, np.array([1.0])
    if f is np.exp and scale > 1:
        x = x / 100
    exact = complex_step(f, x, v)
    found = along(untraceable_complex(f), x, v)
    assert found.method == "central differences"
    assert (np.abs(found.value - exact) <= 10 * found.error).all()


def untraceable_complex(f):
    return lambda x: f(np.real(x))


def test_second_slopes():
    x, v, w = RNG.standard_normal((3, 4))
    found = twice(lambda x: np.sum(np.exp(x)), x, v, w)
    np.testing.assert_allclose(found.value, np.sum(np.exp(x) * v * w), rtol=1e-8)
    assert abs(found.value - np.sum(np.exp(x) * v * w)) <= 10 * found.error
