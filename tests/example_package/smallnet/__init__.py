"""Losses of a few small models, each with a gradient written by hand."""

import numpy as np


def ridge(X, w, y, lam):
    """Least squares with a penalty."""
    residual = X @ w - y
    return np.sum(residual**2) / len(y) + lam * np.sum(w**2)


def ridge_gradient(X, w, y, lam):
    return 2 * X.T @ (X @ w - y) / len(y) + 2 * lam * w


def logistic(X, w, y):
    """The loss of logistic regression, y of -1 and 1."""
    return np.sum(np.log1p(np.exp(-y * (X @ w))))


def logistic_gradient(X, w, y):
    margins = y * (X @ w)
    return -X.T @ (y / (1 + np.exp(margins)))


def network(W, V, b, x, y):
    """A network with one layer of hidden units."""
    a = V @ x + b
    z = np.tanh(a)
    e = W @ z - y
    return np.sum(e**2)


def network_gradients(W, V, b, x, y):
    """The gradients in W, V and b; that of tanh is wrong here: 1 - z, where it is 1 - z**2."""
    a = V @ x + b
    z = np.tanh(a)
    e = 2 * (W @ z - y)
    dz = W.T @ e
    da = dz * (1 - z)
    return {"W": np.outer(e, z), "V": np.outer(da, x), "b": da}


def pinball(t, y, q):
    """The loss of a quantile: piecewise linear, with branches that cannot be traced."""
    return sum(q * (b - a) if b > a else (1 - q) * (a - b) for a, b in zip(t, y, strict=True))


def pinball_gradient(t, y, q):
    return np.where(y > t, -q, 1 - q)
