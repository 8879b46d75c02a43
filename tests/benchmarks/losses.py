"""The functions that `problems.py` differentiates, for NumPy or JAX's NumPy (`xp`), in forms that do not overflow.

JAX differentiates them; differences of them check the hand-written derivatives.  Each is the form that JAX is
fastest with: `solve` and `slogdet` of a positive definite matrix take half of what its Cholesky factors do there.
"""

from __future__ import annotations


def square(xp, r):
    return xp.sum(r * r)


def logistic(xp, X, y, w):
    return xp.sum(xp.logaddexp(0, -y * (X @ w)))


def least_squares(xp, X, y, w):
    return square(xp, X @ w - y)


def factorisation(xp, T, U, V):
    return square(xp, T - U @ V.T)


def quadratic(xp, x, A):
    return x @ A @ x


def logdet(xp, P, Q):
    return xp.linalg.slogdet(P @ Q @ P.T)[1]


def likelihood(xp, y, K):
    return -y @ xp.linalg.solve(K, y) / 2 - xp.linalg.slogdet(K)[1] / 2


def likelihood_in_scale(xp, y, R, s, t):
    return likelihood(xp, y, s * R + t * xp.eye(len(y)))


def likelihood_in_length(xp, y, D, s, t, l):
    return likelihood(xp, y, s * xp.exp(-D / l) + t * xp.eye(len(y)))


def relu(xp, a):
    return xp.maximum(a, 0)


def tanh(xp, a):
    return xp.tanh(a)


def net(activation):
    def loss(xp, x, y, **weights):
        z = x
        for W in weights.values():
            z = activation(xp, W @ z)
        return square(xp, z - y)

    return loss


def batch_net(activation):
    def loss(xp, X, Y, **weights):
        Z = X
        for W in weights.values():
            Z = activation(xp, Z @ W)
        return square(xp, Z - Y)

    return loss


def prml(xp, x, t, W1, W2):
    return square(xp, W2 @ xp.tanh(W1 @ x) - t) / 2


def log_softmax(xp, Z):
    Z = Z - xp.max(Z, axis=1, keepdims=True)
    return Z - xp.log(xp.sum(xp.exp(Z), axis=1, keepdims=True))


def cross_entropy(xp, X, Y, W):
    return -xp.sum(Y * log_softmax(xp, X @ W))


def sigmoid_layer(xp, X, W, b, Y):
    t = X @ W + b
    return square(xp, 0.5 * (1 + xp.tanh(t / 2)) - Y)  # = σ(t), without an overflow


def attention(xp, Q, K, V, T):
    return square(xp, xp.exp(log_softmax(xp, Q @ K.T)) @ V - T)


def layer_norm(xp, X, G, e):
    centred = X - xp.mean(X, axis=1, keepdims=True)
    return xp.sum(G * (centred / xp.sqrt(xp.mean(centred * centred, axis=1, keepdims=True) + e)))
