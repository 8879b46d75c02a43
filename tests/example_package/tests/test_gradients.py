"""Every gradient of the package, held against its loss; that of the network is wrong, and has to be found."""

import numpy as np
import pytest
import smallnet

from symderiv.testing import assert_derivative, assert_equivalent, check_grads

SHAPES = {"X": ("n", "p"), "w": ("p",), "y": ("n",), "lam": ()}


@pytest.fixture
def data():
    rng = np.random.default_rng(0)
    return rng.standard_normal((6, 3)), rng.standard_normal(3), np.sign(rng.standard_normal(6))


def test_ridge(data):
    found = check_grads(smallnet.ridge, smallnet.ridge_gradient, (*data, 0.1), wrt="w", shapes=SHAPES)
    assert found.status == "proved"


def test_logistic(data):
    found = check_grads(smallnet.logistic, smallnet.logistic_gradient, data, wrt="w", shapes=SHAPES)
    assert found.status == "proved"


def test_ridge_once_more():
    assert_derivative(smallnet.ridge, "w", smallnet.ridge_gradient, shapes=SHAPES)
    assert_equivalent(smallnet.ridge, "norm(X @ w - y)**2 / n + lam * (w @ w)", shapes=SHAPES)


def test_network():
    rng = np.random.default_rng(0)
    W, V, b = rng.standard_normal((2, 4)), rng.standard_normal((4, 3)), rng.standard_normal(4)
    args = (W, V, b, rng.standard_normal(3), rng.standard_normal(2))
    shapes = {"W": ("k", "h"), "V": ("h", "d"), "b": ("h",), "x": ("d",), "y": ("k",)}
    check_grads(smallnet.network, smallnet.network_gradients, args, shapes=shapes)


def test_pinball():
    found = check_grads(smallnet.pinball, smallnet.pinball_gradient, (np.array([0.5, 2.0]), np.ones(2), 0.3), wrt="t")
    assert found.status == "agrees"
