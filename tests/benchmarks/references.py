"""The derivatives of `problems.py`, written by hand: NumPy and SciPy at their best on one CPU thread, float64.

Each is the fastest of the forms that were measured among those that stay finite and right where an exponential
overflows; a comment says why it is the one.  Arguments are never changed; work arrays are reused.

Two things are left out, since they suit one machine and not the problem: passes over blocks of rows as large as a
cache (they gain a sixth where a matrix is read twice), and own recursions in the place of LAPACK's routines.
"""

from __future__ import annotations

import numpy as np
from scipy.linalg import blas, lapack
from scipy.special import expit

# ---------------------------------------------------------------- linear models


def logistic_gradient(X, y, w):
    r = X @ w
    r *= y
    np.negative(r, out=r)
    expit(r, out=r)  # σ(−m) by itself, not 1 − σ(m): right in the tail too
    r *= y
    np.negative(r, out=r)
    return r @ X  # the signs in vectors, the matrix in the two products alone


def logistic_hessian(X, y, w):
    m = X @ w  # y² = 1, and σ(m)σ(−m) is even: no y in it
    e = np.exp(-np.abs(m))
    root = np.sqrt(e)
    root /= 1 + e  # √(σ(m)σ(−m)) from one exponential
    B = X * root[:, None]
    return B.T @ B  # of one array: NumPy computes one triangle (syrk), half of what (X.T * r) @ X costs


def logistic_hvp(X, y, w, v):
    m = X @ w  # three products; two in one, X @ [w v], are slower
    e = np.exp(-np.abs(m))
    s = X @ v
    s *= e
    e += 1
    e *= e
    s /= e
    return s @ X


def least_squares_gradient(X, y, w):
    r = X @ w
    r -= y
    r *= 2  # on the vector between the products
    return r @ X


# ---------------------------------------------------------------- matrices


def factorisation_gradient(T, U, V):
    W = 2 * V.T  # the number goes into the smallest array
    G = (W @ V) @ U.T  # never U Vᵀ: k is small
    G -= W @ T.T  # the transpose: BLAS is faster with the thin factor on this side, by a quarter
    return G.T


def factorisation_hessian(T, U, V):
    m, k = U.shape
    H = np.zeros((m, k, m, k))
    np.einsum("ikil->ikl", H)[...] = V.T @ (2 * V)  # its blocks on the diagonal, through a view
    return H


def quadratic_gradient(x, A):
    g = A @ x
    g += x @ A  # two passes that read A, none that writes a matrix
    return g


def quadratic_hessian(x, A):
    return A + A.T


def logdet_gradient(P, Q):
    B = P @ Q
    factor, _ = lapack.dpotrf((B @ P.T).T, lower=True, overwrite_a=True)
    B *= 2
    # Gᵀ = Bᵀ L⁻ᵀ L⁻¹ from the right: Bᵀ lies as LAPACK wants it, and trsm is faster on that side.
    half = blas.dtrsm(1, factor, B.T, side=True, lower=True, trans_a=True, overwrite_b=True)
    return blas.dtrsm(1, factor, half, side=True, lower=True, overwrite_b=True).T


# ---------------------------------------------------------------- Gaussian processes


def _plus_identity(K, t):
    """Add t to the diagonal: no eye(n)."""
    K.ravel()[:: len(K) + 1] += t
    return K


def _factor_and_solution(K, y):
    """Return L of K = L Lᵀ (zeros above), in place of K, and K⁻¹ y."""
    factor, _ = lapack.dpotrf(K.T, lower=True, clean=True, overwrite_a=True)
    a, _ = lapack.dpotrs(factor, y, lower=True)
    return factor, a


def _inverse(factor):
    """Return the lower triangle of (L Lᵀ)⁻¹, zeros above, as an upper triangle in C's order, in place of L."""
    inverse, _ = lapack.dpotri(factor, lower=True, overwrite_c=True)  # n³ in all with potrf; inv takes 2 n³
    return inverse.T


def _along(inverse, a, M):
    """Return αᵀ M α − Σ K⁻¹∘M, for a symmetric M: one triangle is enough, and no product of matrices."""
    return a @ (M @ a) - 2 * np.vdot(inverse, M) + inverse.diagonal() @ M.diagonal()


def gp_in_matrix(y, K):
    factor, a = _factor_and_solution(K.copy(), y)
    upper = _inverse(factor)
    upper *= 0.5
    G = np.einsum("i,j->ij", a, 0.5 * a)  # np.outer takes twice as long
    G -= upper
    np.fill_diagonal(upper, 0)
    G -= upper.T
    return G


def gp_in_scale(y, R, s, t):
    factor, a = _factor_and_solution(_plus_identity(s * R, t), y)
    return 0.5 * _along(_inverse(factor), a, R)


def gp_in_length(y, D, s, t, l):
    E = D * (-1 / l)
    np.exp(E, out=E)
    factor, a = _factor_and_solution(_plus_identity(s * E, t), y)
    E *= D
    return 0.5 * s / l**2 * _along(_inverse(factor), a, E)


def gp_all(y, D, s, t, l):
    E = D * (-1 / l)
    np.exp(E, out=E)
    factor, a = _factor_and_solution(_plus_identity(s * E, t), y)
    value = -0.5 * (y @ a) - np.log(factor.diagonal()).sum()
    inverse = _inverse(factor)
    in_s = 0.5 * _along(inverse, a, E)
    in_t = 0.5 * (a @ a - inverse.trace())
    E *= D
    in_l = 0.5 * s / l**2 * _along(inverse, a, E)
    return value, {"s": in_s, "l": in_l, "t": in_t}


# ---------------------------------------------------------------- networks


def _outer(a, b):
    return np.einsum("i,j->ij", a, b)  # np.outer takes twice as long


def _slopes_of_tanh(z):
    """Return 1 − z² in place of z = tanh(a)."""
    z *= z
    return np.subtract(1, z, out=z)


def tanh_net_gradient(x, y, **weights):
    W = list(weights.values())
    z = [x]
    for Wk in W:
        z.append(np.tanh(Wk @ z[-1]))
    d = z[-1] - y
    d *= 2  # in the shortest array
    d *= _slopes_of_tanh(z[-1])
    for k in range(len(W) - 1, 0, -1):
        d = d @ W[k]
        d *= _slopes_of_tanh(z[k])
    return _outer(d, x)


def relu_net_gradient(x, y, **weights):
    W = list(weights.values())
    z = [x]
    for Wk in W:
        a = Wk @ z[-1]
        z.append(np.maximum(a, 0, out=a))
    d = z[-1] - y
    d *= 2
    d *= z[-1] > 0  # booleans, not np.where: a branch for each entry costs ten times as much
    for k in range(len(W) - 1, 0, -1):
        d = d @ W[k]
        d *= z[k] > 0
    return _outer(d, x)


def tanh_batch_gradient(X, Y, **weights):
    W = list(weights.values())
    Z = [X]
    for Wk in W:
        A = Z[-1] @ Wk
        Z.append(np.tanh(A, out=A))
    D = Z[-1] - Y
    D *= 2
    D *= _slopes_of_tanh(Z[-1])
    for k in range(len(W) - 1, 0, -1):
        D = D @ W[k].T
        D *= _slopes_of_tanh(Z[k])
    return X.T @ D


def relu_batch_gradient(X, Y, **weights):
    W = list(weights.values())
    Z = [X]
    for Wk in W:
        A = Z[-1] @ Wk
        Z.append(np.maximum(A, 0, out=A))
    D = Z[-1] - Y
    D *= 2
    D *= Z[-1] > 0
    for k in range(len(W) - 1, 0, -1):
        D = D @ W[k].T
        D *= Z[k] > 0
    return X.T @ D


def prml_gradient(x, t, W1, W2):
    z = np.tanh(W1 @ x)
    e = W2 @ z
    e -= t
    d = e @ W2
    d *= _slopes_of_tanh(z)
    return _outer(d, x)


# The R-operator: beside each value z its direction r, the two as rows of one array, so that each weight is read
# once for both.


def _rows(z, r):
    both = np.empty((2, len(z)))
    both[0], both[1] = z, r
    return both


def _curvature_of_tanh(z, r, e):
    """Return e times the direction of 1 − z², −2 z r."""
    c = z * r
    c *= e
    c *= -2
    return c


def prml_hvp(x, t, W1, W2, V):
    z = np.tanh(W1 @ x)
    slopes = 1 - z * z
    both = _rows(z, (V @ x) * slopes)
    errors = both @ W2.T
    errors[0] -= t
    e, re = errors @ W2
    re *= slopes
    re += _curvature_of_tanh(*both, e)
    return _outer(re, x)


def tanh_net_hvp(x, y, V, **weights):
    W = list(weights.values())
    z = np.tanh(W[0] @ x)
    slopes = [1 - z * z]
    both = [_rows(z, (V @ x) * slopes[0])]
    for Wk in W[1:]:
        both.append(both[-1] @ Wk.T)
        z, r = both[-1]
        np.tanh(z, out=z)
        slopes.append(1 - z * z)
        r *= slopes[-1]
    errors = both[-1] * 2
    errors[0] -= 2 * y
    for k in range(len(W) - 1, -1, -1):
        c = _curvature_of_tanh(*both[k], errors[0])
        errors *= slopes[k]
        errors[1] += c
        if k:
            errors = errors @ W[k]
    return _outer(errors[1], x)


def relu_net_hvp(x, y, V, **weights):
    W = list(weights.values())
    both = _rows(W[0] @ x, V @ x)
    masks = [both[0] > 0]
    both *= masks[0]
    for Wk in W[1:]:
        both = both @ Wk.T
        masks.append(both[0] > 0)
        both *= masks[-1]
    d = 2 * both[1]  # relu has no curvature: the way down is that of the gradient, from another end
    for k in range(len(W) - 1, 0, -1):
        d = d @ W[k]
        d *= masks[k - 1]
    return _outer(d, x)


# ---------------------------------------------------------------- layers


def _softmax(Z):
    """Return the softmax of the columns, in place of Z: reductions over the first axis run over whole rows."""
    Z -= Z.max(axis=0)
    np.exp(Z, out=Z)
    Z *= 1 / Z.sum(axis=0)  # divisions for the sums alone
    return Z


def cross_entropy_one_hot(X, Y, W):
    P = _softmax(W.T @ X.T)  # classes first: a reduction over few classes, and thin products, by a third faster
    P -= Y.T
    return (P @ X).T


def cross_entropy(X, Y, W):
    P = W.T @ X.T
    P -= P.max(axis=0)
    np.exp(P, out=P)
    P *= Y.sum(axis=1) / P.sum(axis=0)
    P -= Y.T
    return (P @ X).T


def sigmoid_layer(X, W, b, Y):
    S = X @ W
    S += b
    np.maximum(S, -700, out=S)  # below, exp(−t) overflows and σ(t) is 0 anyhow
    np.negative(S, out=S)
    np.exp(S, out=S)  # NumPy's exp is vectorised: a tenth of expit
    r = 1 + S
    np.divide(1, r, out=r)  # σ
    S *= r  # 1 − σ without a difference
    S *= r
    r -= Y
    S *= r
    G = X.T @ S
    G *= 2
    return G


def _attention(Q, K, V, T):
    """Return the softmax A, transposed, not yet divided by its sums, what these divide, and the residual's slope."""
    A = K @ Q.T  # keys first, as in `_softmax`
    A -= A.max(axis=0)
    np.exp(A, out=A)
    scale = 1 / (np.ones(len(A)) @ A)
    O = V.T @ A
    O *= scale  # the division in the thin arrays: none of A
    return A, scale, O, O - T.T


def _attention_in_scores(A, V, scale, O, R):
    R = R * (2 * scale)
    rows = np.einsum("ei,ei->i", R, O)  # = Σ_j A (V R) of each column, from two thin arrays
    G = V @ R
    G -= rows
    G *= A
    return G


def attention_in_queries(Q, K, V, T):
    A, scale, O, R = _attention(Q, K, V, T)
    return (K.T @ _attention_in_scores(A, V, scale, O, R)).T


def attention(Q, K, V, T):
    A, scale, O, R = _attention(Q, K, V, T)
    value = np.vdot(R, R)
    G = _attention_in_scores(A, V, scale, O, R)
    R *= 2 * scale
    return value, {"Q": (K.T @ G).T, "K": G @ Q, "V": A @ R.T}


def layer_norm(X, G, e):
    p = X.shape[1]
    mean = np.full(p, 1 / p)
    D = X - (X @ mean)[:, None]  # means as products: a third of the time of .mean(axis=1)
    variance = np.einsum("ij,ij->i", D, D)  # no array of squares
    variance /= p
    variance += e
    along = np.einsum("ij,ij->i", G, D)
    along /= variance
    along /= -p
    D *= along[:, None]
    D += G
    D -= (G @ mean)[:, None]
    D *= (1 / np.sqrt(variance))[:, None]
    return D
