"""The recurrences of `recurrence_speed.py`, written by hand: NumPy at its best on one CPU thread, float64.

What does not need the turn before is one product for all turns, gradients of weights are one product over stored
rows, and a turn works in place on rows that `zip` hands out: for small arrays the calls cost more than the numbers.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from scipy.special import expit


def recurrent_network(b, W, U, c, V, h0, x, y):
    T, n = len(x), len(b)
    Z = x @ U.T
    Z += b
    H = np.empty((T + 1, n), dtype=b.dtype)
    H[0] = h0
    h = H[0]
    for z, new in zip(Z, H[1:], strict=True):
        z += W.dot(h)  # a method takes half the time that `@` does where n is about 100
        h = np.tanh(z, out=new)
    O = H[1:] @ V.T
    O += c
    O -= np.max(O, axis=1, keepdims=True)
    steps = np.arange(T)
    right = np.sum(O[steps, y])
    np.exp(O, out=O)
    s = np.sum(O, axis=1, keepdims=True)
    L = np.sum(np.log(s)) - right
    O /= s
    O[steps, y] -= 1
    A = O @ V
    D = np.square(H[1:], out=Z)
    np.subtract(1, D, out=D)
    h_bar = np.zeros(n, dtype=b.dtype)
    for a, d in zip(A[::-1], D[::-1], strict=True):
        a += h_bar
        a *= d
        h_bar = a.dot(W)
    return L, A.sum(axis=0), O.sum(axis=0), A.T @ x, O.T @ H[1:], A.T @ H[:-1]


def gated_network(U, W, F, h0, c0, x):
    T, n = len(x), len(h0)
    A = x @ U.T
    f, h, c = np.empty((T, n)), np.empty((T + 1, n)), np.empty((T + 1, n))
    h[0], c[0] = h0, c0
    both = np.concatenate([W, F])  # one product with a matrix for two: a call less
    for t, a in enumerate(A):
        z = both.dot(h[t])
        a += z[:n]
        np.tanh(a, out=a)
        f_t = expit(z[n:], out=f[t])
        new = np.subtract(c[t], a, out=c[t + 1])  # f c + (1 - f) a = a + f (c - a)
        new *= f_t
        new += a
        np.tanh(new, out=h[t + 1])
    L = h[T] @ h[T]
    h_bar, c_bar = 2 * h[T], np.zeros(n)
    D = 1 - h[1:] ** 2
    G = np.empty((T, 2, n))
    np.multiply(1 - A**2, 1 - f, out=G[:, 0])
    np.multiply((c[:-1] - A) * f, 1 - f, out=G[:, 1])
    for d, g, f_t in zip(D[::-1], G[::-1], f[::-1], strict=True):
        d *= h_bar
        d += c_bar
        g *= d
        c_bar = d * f_t
        h_bar = g.reshape(-1).dot(both)
    W_bar, F_bar = G[:, 0].T @ h[:-1], G[:, 1].T @ h[:-1]
    return L, W_bar, F_bar, G[:, 0].T @ x, h_bar, c_bar


def streaming_inverse(alpha, b):
    Q = np.eye(b.shape[1]) / alpha
    for b_n in b:
        u = Q.dot(b_n)
        Q -= np.einsum("i,j->ij", u, u / (1 + u.dot(b_n)))
    return Q


def two_loops(W, v, h0, T):
    n = len(h0)
    h, g = np.empty((T + 1, n)), np.empty((T + 1, n))
    h[0] = h0
    for before, new in pairwise(h):
        np.tanh(W.dot(before), out=new)
    g[0] = v * h[T]
    for h_t, before, new in zip(h[1:], g[:-1], g[1:], strict=True):
        a = before.dot(W)
        a += h_t
        np.tanh(a, out=new)
    A = 1 - g[1:] ** 2
    g_bar = 2 * g[T]
    for a in A[::-1]:
        a *= g_bar
        g_bar = W.dot(a)
    B = A.copy()
    B[-1] += v * g_bar
    D = 1 - h[1:] ** 2
    back = np.zeros(n)
    for q, d in zip(B[::-1], D[::-1], strict=True):
        q += back
        q *= d
        back = q.dot(W)
    return g[T] @ g[T], g[:-1].T @ A + B.T @ h[:-1], g_bar * h[T]


def classifier(V, x, y):
    T = len(x)
    O = x @ V.T
    O -= np.max(O, axis=1, keepdims=True)
    steps = np.arange(T)
    right = np.sum(O[steps, y])
    np.exp(O, out=O)
    s = np.sum(O, axis=1, keepdims=True)
    L = (np.sum(np.log(s)) - right) / T
    O /= s
    O[steps, y] -= 1
    O /= T
    return L, O.T @ x
