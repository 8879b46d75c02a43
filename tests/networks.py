"""Layers, networks and recurrences that many tests are about, as statements that claim nothing."""

from __future__ import annotations

# A layer, whose weights and inputs are differentiated in, and what is proved of it first.
LAYER = """\
D: (m, n)
W: (n, p)
loss: function()
A = D @ W
E = loss(A)
B = diff(E, A)
"""
OF_LAYER = """\
assert diff(A[i,j], W[k,l]) == D[i,k] * delta[j,l], "L1"
assert diff(E, W) == D.T @ B, "L2"
"""

# Two layers with any entrywise function between them; derivatives at the output have names in NAMED_LAYERS.
TWO_LAYERS = """\
x: (I,)
w1: (J, I)
w2: (K, J)
h: elementwise()
loss: function()
a = w1 @ x
z = h(a)
b = w2 @ z
E = loss(b)
"""
NAMED_LAYERS = TWO_LAYERS + "d = diff(E, b)\nM = diff(E, b, b)\n"

# States that follow one another by an unknown function.
STATES = """\
theta: (q,)
f: function(n)
h[0]: (n,)
for t in range(1, T + 1):
    x[t]: (d,)
    h[t] = f(h[t-1], x[t], theta)
"""
JACOBIANS = "def J(t): return partial(h[t], h[t-1])\n"
PRODUCT_OF_JACOBIANS = """\
for tau in range(0, T + 1):
    for t in range(tau, T + 1):
        assert diff(h[t], h[tau]) == prod(J(s) for s in range(t, tau, -1)), "R1"
"""

# States with an output and a loss in each step.
RECURRENT = """\
assert T >= 1
theta: (q,)
f: function(n)
out: function(m)
loss: function()
h[0]: (n,)
for t in range(1, T + 1):
    x[t]: (d,)
    y[t]: (m,)
    h[t] = f(h[t-1], x[t], theta)
    o[t] = out(h[t], theta)
    ell[t] = loss(o[t], y[t])
L = sum(ell[t] for t in range(1, T + 1))
"""

# The same with its functions known: tanh, and the cross-entropy of a softmax.
TANH = """\
assert T >= 1
b: (n,)
W: (n, n)
U: (n, d)
c: (m,)
V: (m, n)
h[0]: (n,)
for t in range(1, T + 1):
    x[t]: (d,)
    y[t]: index(m)
    a[t] = b + W @ h[t-1] + U @ x[t]
    h[t] = tanh(a[t])
    o[t] = c + V @ h[t]
    p[t] = softmax(o[t], 0)
L = -sum(log(p[t][y[t]]) for t in range(1, T + 1))
"""

# The inverse of α I + Σ b bᵀ, pattern by pattern.
INVERSE = """\
alpha: positive()
for n in range(1, N + 1):
    b[n]: (P,)
Q[0] = eye(P) / alpha
for n in range(1, N + 1):
    Q[n] = Q[n-1] - outer(Q[n-1] @ b[n], Q[n-1] @ b[n]) / (1 + b[n] @ Q[n-1] @ b[n])
"""

# Two states that carry each other, and all derivatives of a loss as code.
GATED = """\
U: (n, d)
W: (n, n)
F: (n, n)
h[0]: (n,)
c[0]: (n,)
for t in range(1, T + 1):
    x[t]: (d,)
    f[t] = sigmoid(F @ h[t-1])
    c[t] = f[t] * c[t-1] + (1 - f[t]) * tanh(W @ h[t-1] + U @ x[t])
    h[t] = tanh(c[t])
L = sum(h[T]**2)
code(L, diff(L, W), diff(L, F), diff(L, U), diff(L, h[0]), diff(L, c[0]))
"""

# Two families, one after the other.
TWO_LOOPS = """\
W: (n, n)
v: (n,)
h[0]: (n,)
for t in range(1, T + 1):
    h[t] = tanh(W @ h[t-1])
c = v * h[T]
g[0] = c
for t in range(1, T + 1):
    g[t] = tanh(W.T @ g[t-1] + h[t])
L = sum(g[T]**2)
code(L, diff(L, W), diff(L, v))
"""
