"""A maximum has a derivative where what it leaves out has none."""

from __future__ import annotations

import numpy as np
import pytest

from symderiv import derive, gradients, hvp

ONE = {"x": ("n",)}
TWO = {"x": ("n",), "y": ("n",)}
ZERO = np.zeros(3)


@pytest.mark.parametrize(
    ("text", "slope"),
    [
        ("maximum(1, norm(x))", 0),
        ("maximum(norm(x), 1)", 0),
        ("minimum(-1, -norm(x))", 0),
        ("sum(maximum(1, sqrt(x)))", 0),
        ("sum(x) / maximum(1, norm(x))", 1),
        ("maximum(1, log(x @ x))", 0),
        ("maximum(1, norm(x))**2 * sum(x)", 1),
    ],
)
def test_where_the_other_is_taken(text, slope):
    with np.errstate(divide="ignore"):  # log 0 is less than 1
        found = derive(text, "x", shapes=ONE).compile()(x=ZERO)
        _, slopes = gradients(text, ["x"], shapes=ONE).compile()(x=ZERO)
    np.testing.assert_array_equal(found, np.full(3, slope))
    np.testing.assert_array_equal(slopes["x"], np.full(3, slope))


@pytest.mark.parametrize("text", ["maximum(1, norm(x))", "maximum(1, norm(x))**2"])
def test_second_derivatives(text):
    derivative = derive(text, ["x", "x"], shapes=ONE).compile()
    np.testing.assert_array_equal(derivative(x=ZERO), np.zeros((3, 3)))
    product = hvp(text, "x", direction="v", shapes=ONE).compile()
    np.testing.assert_array_equal(product(x=ZERO, v=np.ones(3)), ZERO)
    x, step = np.array([3.0, 4, 12]), 1e-5 * np.array([1.0, -2, 1])
    slope = derive(text, "x", shapes=ONE).compile()
    np.testing.assert_allclose(derivative(x=x) @ step, (slope(x=x + step) - slope(x=x - step)) / 2, rtol=1e-6)


@pytest.mark.parametrize("text", ["minimum(1, norm(x))", "norm(x) * maximum(1, norm(x - y))", "maximum(0, norm(x))"])
def test_where_there_is_no_derivative_there_is_no_number(text):
    f = derive(text, "x", shapes=TWO if "y" in text else ONE).compile()
    with np.errstate(invalid="ignore", divide="ignore"):
        assert np.all(np.isnan(f(x=ZERO, y=np.ones(3))))


def test_nothing_changes_elsewhere():
    f = derive("norm(maximum(1, norm(x)) * x - y)**2", "x", shapes=TWO).compile()
    y = np.array([1.0, 2, 3])

    def value(x):
        return np.linalg.norm(max(1, np.linalg.norm(x)) * x - y) ** 2

    for size in (0.1, 1.3, 20):
        x = size * np.array([0.3, -0.5, 0.4])
        wanted = [(value(x + s) - value(x - s)) / 2e-6 for s in 1e-6 * np.eye(3)]
        np.testing.assert_allclose(f(x=x, y=y), wanted, rtol=1e-6)
