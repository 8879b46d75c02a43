"""Diagrams of all kinds, for the tests of what they show and of how they look."""

from __future__ import annotations

from functools import cache
from typing import Any

import networks

import symderiv
from symderiv.diagrams import Diagram

LAYER = f"""{networks.LAYER}
assert diff(E, W) == D.T @ B
assert diff(E, D) == B @ W.T
"""
PRML = networks.TWO_LAYERS + "M = diff(E, b, b)\n"
LAST = """
theta: (q,)
f: function(n)
loss: function()
h[0]: (n,)
for t in range(1, T + 1):
    x[t]: (d,)
    h[t] = f(h[t-1], x[t], theta)
E = loss(h[T])
"""
TANH = """
b: (n,)
W: (n, n)
U: (n, d)
V: (m, n)
h[0]: (n,)
for t in range(1, T + 1):
    x[t]: (d,)
    y[t]: index(m)
    a[t] = b + W @ h[t-1] + U @ x[t]
    h[t] = tanh(a[t])
    p[t] = softmax(V @ h[t], 0)
L = -sum(log(p[t][y[t]]) for t in range(1, T + 1))
"""
EXPRESSIONS: dict[str, tuple[str, list[str], dict[str, Any]]] = {
    "logistic": ("sum(log(1 + exp(-y * (X @ w))))", ["w"], {"X": ("n", "p"), "w": ("p",), "y": ("n",)}),
    "three layers": (
        "norm(W3 @ tanh(W2 @ tanh(W1 @ x + b1) + b2) - y)**2",
        ["W1", "W2", "W3", "b1", "b2"],
        {"W1": ("h", "d"), "W2": ("k", "h"), "W3": ("m", "k"), "x": ("d",), "b1": ("h",), "b2": ("k",), "y": ("m",)},
    ),
    "gaussian process": (
        "-y @ inv(s**2 * K + t * eye(n)) @ y / 2 - logdet(s**2 * K + t * eye(n)) / 2",
        ["s", "t"],
        {"y": ("n",), "K": ("n", "n"), "s": (), "t": ()},
    ),
    "the variable": ("x", ["x"], {"x": ("n",)}),
    "many uses": (
        "(x @ A @ x) * exp(x @ x) + sum(tanh(A @ x)) + norm(A @ x)",
        ["x"],
        {"x": ("n",), "A": ("n", "n")},
    ),
    "long names": (
        "sum(softplus(theta_long * tanh(weights_of_layer @ input_vector + bias_bar)"
        " - another_offset_vector / alpha_0))",
        ["weights_of_layer", "bias_bar", "alpha_0"],
        {"theta_long": (), "weights_of_layer": ("n_out", "n_in"), "input_vector": ("n_in",), "bias_bar": ("n_out",),
         "another_offset_vector": ("n_out",), "alpha_0": ()},
    ),
    "a vector": ("softmax(A @ x, 0)", ["x"], {"x": ("n",), "A": ("n", "n")}),
}  # fmt: skip


@cache
def gradients(name: str) -> symderiv.Gradients:
    """Return the gradients of one of the expressions."""
    text, wrt, shapes = EXPRESSIONS[name]
    return symderiv.gradients(text, wrt, shapes=shapes)


@cache
def diagrams() -> dict[str, Diagram]:
    """Return diagrams of all kinds by name."""
    found = {name: gradients(name).diagram() for name in EXPRESSIONS}
    found["layer"] = symderiv.Sheet(LAYER).diagram()
    found["prml"] = symderiv.Sheet(PRML).diagram(["w1", "w2"])
    found["recurrent"] = symderiv.Sheet(networks.RECURRENT).diagram("theta")
    found["last state"] = symderiv.Sheet(LAST).diagram(["theta", "h[0]"])
    found["tanh"] = symderiv.Sheet(TANH).diagram(["b", "W", "U", "V"])
    found["one node"] = symderiv.Sheet("x: (n,)").diagram()
    return found


NAMES = [*EXPRESSIONS, "layer", "prml", "recurrent", "last state", "tanh", "one node"]
