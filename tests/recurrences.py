"""Blocks with families that several tests read: usual ones, and such as a careless prover gets wrong.

Every claim in them is true for all lengths.
"""

from __future__ import annotations

import networks

GENERAL = f"""{networks.RECURRENT}
def J(t): return partial(h[t], h[t-1])
for tau in range(0, T + 1):
    for t in range(tau, T + 1):
        assert diff(h[t], h[tau]) == prod(J(s) for s in range(t, tau, -1)), "product"
for t in range(1, T):
    assert diff(L, h[t]) == partial(h[t+1], h[t]).T @ diff(L, h[t+1]) + partial(o[t], h[t]).T @ diff(L, o[t]), "back"
assert diff(L, h[T]) == partial(o[T], h[T]).T @ diff(L, o[T]), "last"
"""

TANH = f"""{networks.TANH}
for t in range(1, T + 1):
    assert diff(L, o[t]) == p[t] - eye(m)[y[t], :], "output"
for t in range(1, T):
    assert diff(L, h[t]) == W.T @ diag(1 - h[t+1]**2) @ diff(L, h[t+1]) + V.T @ diff(L, o[t]), "back"
for t in range(T, 0, -1):
    assert diff(L, h[t]) == (
        sum(diff(h[s], h[t]).T @ partial(o[s], h[s]).T @ diff(L, o[s]) for s in range(t, T + 1))
    ), "all"
for t in range(1, T + 1):
    assert diff(h[t], b, holding=h[t-1]) == diag(1 - h[t]**2), "immediate"
    assert diff(h[t], b) == diag(1 - h[t]**2) + diff(h[t], h[t-1]) @ diff(h[t-1], b), "forward"
assert diff(L, c) == sum(diff(L, o[t]) for t in range(1, T + 1)), "c"
assert diff(L, b) == sum(diag(1 - h[t]**2) @ diff(L, h[t]) for t in range(1, T + 1)), "b"
assert diff(L, V) == sum(outer(diff(L, o[t]), h[t]) for t in range(1, T + 1)), "V"
assert diff(L, W) == sum(outer(diag(1 - h[t]**2) @ diff(L, h[t]), h[t-1]) for t in range(1, T + 1)), "W"
assert diff(L, U) == sum(outer(diag(1 - h[t]**2) @ diff(L, h[t]), x[t]) for t in range(1, T + 1)), "U"
"""

DIAGONAL = """
V: orthogonal(n, n)
mu: (n,)
J = V @ diag(mu) @ V.T
for s in range(1, T + 1):
    lam[s]: (n,)
    K[s] = V @ diag(lam[s]) @ V.T
for tau in range(0, T + 1):
    for t in range(tau, T + 1):
        assert prod(K[s] for s in range(t, tau, -1)) == (
            V @ prod(diag(lam[s]) for s in range(t, tau, -1)) @ V.T
        ), "one basis"
        assert prod(K[s] for s in range(t, tau, -1)) @ V[:, i] == (
            prod(lam[s][i] for s in range(t, tau, -1)) * V[:, i]
        ), "own"
        assert prod(J for s in range(t, tau, -1)) == matrix_power(J, t - tau), "power"
        assert matrix_power(J, t - tau) @ V[:, i] == mu[i]**(t - tau) * V[:, i], "own power"
for s in range(1, T + 1):
    assert K[s].T == K[s], "symmetric"
"""

LAYERS = """
assert L >= 1
h: elementwise()
net: function(K)
z[0]: (n[0],)
for l in range(1, L + 1):
    w[l]: (n[l], n[l-1])
    a[l] = w[l] @ z[l-1]
    z[l] = h(a[l])
y = net(a[L])
for l in range(1, L):
    assert diff(y[k], a[l][j]) == diff(h)(a[l][j]) * sum[q](w[l+1][q,j] * diff(y[k], a[l+1][q])), "layers"
"""

PATTERNS = """
w: (P,)
net: function()
for k in range(1, N + 1):
    x[k]: (I,)
    t[k]: ()
    y[k] = net(x[k], w)
    b[k] = diff(y[k], w)
E = sum((y[k] - t[k])**2 for k in range(1, N + 1)) / 2
assert diff(E, w) == sum((y[k] - t[k]) * b[k] for k in range(1, N + 1)), "gradient"
assert diff(E, w, w) == (
    sum(outer(b[k], b[k]) for k in range(1, N + 1))
    + sum((y[k] - t[k]) * diff(y[k], w, w) for k in range(1, N + 1))
), "Hessian"
"""

INVERSE = """
alpha: positive()
for n in range(1, N + 1):
    b[n]: (P,)
H[0] = alpha * eye(P)
Q[0] = eye(P) / alpha
for n in range(1, N + 1):
    H[n] = H[n-1] + outer(b[n], b[n])
    Q[n] = Q[n-1] - outer(Q[n-1] @ b[n], Q[n-1] @ b[n]) / (1 + b[n] @ Q[n-1] @ b[n])
for k in range(0, N + 1):
    assert H[k] == alpha * eye(P) + sum(outer(b[n], b[n]) for n in range(1, k + 1)), "sum"
for k in range(0, N + 1):
    assert Q[k] == inv(alpha * eye(P) + sum(outer(b[n], b[n]) for n in range(1, k + 1))), "inverse"
"""

TWO_BACK = """
assert T >= 3
f: function(n)
loss: function()
b: (q,)
h[0]: (n,)
h[1]: (n,)
for t in range(2, T + 1):
    h[t] = f(h[t-1], h[t-2], b)
    e[t] = loss(h[t])
L = sum(e[t] for t in range(2, T + 1))
for t in range(3, T + 1):
    assert diff(h[t], b) == (
        partial(h[t], b) + partial(h[t], h[t-1]) @ diff(h[t-1], b)
        + partial(h[t], h[t-2]) @ diff(h[t-2], b)
    ), "forward"
for t in range(2, T - 1):
    assert diff(L, h[t]) == (
        partial(h[t+1], h[t]).T @ diff(L, h[t+1])
        + partial(h[t+2], h[t]).T @ diff(L, h[t+2]) + diff(L, e[t]) * diff(e[t], h[t])
    ), "back"
"""

FEEDBACK = """
assert T >= 2
W: (n, m)
V: (m, n)
loss: function()
h[0]: (n,)
o[0]: (m,)
for t in range(1, T + 1):
    h[t] = tanh(W @ o[t-1] + h[t-1])
    o[t] = tanh(V @ h[t])
    e[t] = loss(o[t])
L = sum(e[t] for t in range(1, T + 1))
for t in range(1, T):
    assert diff(L, h[t]) == diag(1 - h[t+1]**2) @ diff(L, h[t+1]) + V.T @ diag(1 - o[t]**2) @ diff(L, o[t]), "h"
    assert diff(L, o[t]) == W.T @ diag(1 - h[t+1]**2) @ diff(L, h[t+1]) + diff(L, e[t]) * diff(e[t], o[t]), "o"
"""

BACKWARD = """
assert T >= 2
W: (n, n)
g[T]: (n,)
for t in range(0, T):
    g[t] = tanh(W @ g[t+1])
L = sum(g[0])
for t in range(1, T):
    assert diff(L, g[t]) == W.T @ diag(1 - g[t-1]**2) @ diff(L, g[t-1]), "down"
for t in range(T, -1, -1):
    assert diff(g[t], g[T]) == prod(diag(1 - g[s]**2) @ W for s in range(t, T)), "product"
"""

SKIP = """
assert T >= 2
W: (n, n)
loss: function()
h[0]: (n,)
for t in range(1, T + 1):
    a[t] = tanh(h[t-1])
    g[t] = W @ a[t]
    h[t] = g[t] * h[t-1]
L = loss(h[T])
for t in range(1, T):
    assert diff(L, h[t]) == diff(a[t+1], h[t]).T @ diff(L, a[t+1]) + partial(h[t+1], h[t]).T @ diff(L, h[t+1]), "skip"
    assert diff(L, a[t]) == W.T @ diff(L, g[t]), "straight"
"""

TIED = """
assert T >= 2
W: (n, n)
loss: function()
h[0]: (n,)
for t in range(1, T + 1):
    h[t] = tanh(W @ h[t-1])
    o[t] = tanh(W @ h[t])
    e[t] = loss(o[t])
L = sum(e[t] for t in range(1, T + 1))
assert diff(L, W) == (
    sum(outer(diag(1 - h[t]**2) @ diff(L, h[t]), h[t-1]) for t in range(1, T + 1))
    + sum(outer(diag(1 - o[t]**2) @ diff(L, o[t]), h[t]) for t in range(1, T + 1))
), "tied"
"""

USUAL = {
    "general": GENERAL, "tanh": TANH, "diagonal": DIAGONAL, "layers": LAYERS, "patterns": PATTERNS,
    "inverse": INVERSE,
}  # fmt: skip
UNUSUAL = {
    "two back": TWO_BACK, "feedback": FEEDBACK, "backward": BACKWARD, "skip": SKIP, "tied": TIED,
}  # fmt: skip
