"""The problems that generated code is timed on: what is differentiated, the sizes, the data, and who else can do it.

Derivatives come from the text, from `references.py` (by hand) and, with JAX, from `losses.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import losses
import numpy as np
import references

import symderiv

GRADIENT, GRADIENTS, HESSIAN, STRUCTURED, HVP = "gradient", "gradients", "Hessian", "δ-structured Hessian", "hvp"


@dataclass(frozen=True)
class Problem:
    """One derivative: of a text, of a loss by JAX, by hand.

    `wrt` names variables: one for a gradient, the same twice for a Hessian, several for the value with all of
    its gradients; a Hessian-vector product has the name of its direction besides.
    """

    name: str
    text: str
    wrt: tuple[str, ...]
    shapes: Mapping[str, tuple[str, ...]]
    sizes: Mapping[str, int]
    small: Mapping[str, int]
    by_hand: Callable[..., Any]
    loss: Callable[..., Any]
    kind: str = GRADIENT
    assume: Mapping[str, str] = field(default_factory=dict)
    direction: str = ""
    own: Mapping[str, Callable[..., Any]] = field(default_factory=dict)

    @property
    def derivation(self) -> Any:
        """Return what the engine derives from the text."""
        given = {"shapes": dict(self.shapes), "assume": dict(self.assume)}
        if self.kind == GRADIENTS:
            return symderiv.gradients(self.text, list(self.wrt), **given)
        if self.kind == HVP:
            return symderiv.hvp(self.text, *self.wrt, direction=self.direction, **given)
        return symderiv.derive(self.text, list(self.wrt), **given)

    def data(self, sizes: Mapping[str, int], rng: np.random.Generator) -> dict[str, np.ndarray]:
        """Return arrays at sizes that meet what is assumed; a direction is the last of them."""
        shapes = dict(self.shapes) | ({self.direction: self.shapes[self.wrt[0]]} if self.direction else {})

        def drawn(name, axes):
            draw = self.own.get(name, DRAWN[self.assume.get(name, "")])
            return np.asarray(draw(rng, tuple(sizes[a] for a in axes)), dtype=float)

        return {name: drawn(name, axes) for name, axes in shapes.items()}

    @property
    def written_sizes(self) -> str:
        """Return the sizes as they stand in a table."""
        widths = {v for k, v in self.sizes.items() if k.startswith("h")}
        named = [f"{k} {v}" for k, v in self.sizes.items() if not k.startswith("h")]
        return ", ".join([*named, *(f"width {w}" for w in sorted(widths))])


# ---------------------------------------------------------------- data


def positive_definite(rng, shape):
    B = rng.standard_normal(shape)
    return B @ B.T / len(B) + np.eye(len(B))


def one_hot_rows(rng, shape):
    return np.eye(shape[1])[rng.integers(shape[1], size=shape[0])]


def symmetric(rng, shape):
    B = rng.standard_normal(shape)
    return B + B.T


def distances(rng, shape):
    """Return |u_i − u_j| of points in the unit cube."""
    points = rng.random((shape[0], 3))
    return np.sqrt(np.sum((points[:, None] - points) ** 2, axis=2))


def weights(rng, shape):
    return rng.standard_normal(shape) / np.sqrt(shape[-1])


def features(rng, shape):
    """Return entries so small that margins are of order 1."""
    return rng.standard_normal(shape) / np.sqrt(shape[-1])


DRAWN = {
    "": lambda rng, shape: rng.standard_normal(shape),
    "positive": lambda rng, shape: rng.uniform(0.5, 1.5, shape),
    "signs": lambda rng, shape: rng.choice([-1.0, 1.0], shape),
    "symmetric": symmetric,
    "positive_definite": positive_definite,
    "one_hot_rows": one_hot_rows,
}

# ---------------------------------------------------------------- the table

LINEAR = {"X": ("n", "p"), "y": ("n",), "w": ("p",)}
LOGISTIC = "sum(log(1 + exp(-y * (X @ w))))"
OF_LINEAR = {"shapes": LINEAR, "sizes": {"n": 1000, "p": 500}, "small": {"n": 7, "p": 4}, "own": {"X": features}}
OF_LOGISTIC = {"text": LOGISTIC, "loss": losses.logistic, "assume": {"y": "signs"}, **OF_LINEAR}

OF_FACTORISATION = {
    "text": "norm(T - U @ V.T)**2",
    "loss": losses.factorisation,
    "shapes": {"T": ("m", "n"), "U": ("m", "k"), "V": ("n", "k")},
    "small": {"m": 5, "n": 4, "k": 3},
}
OF_QUADRATIC = {
    "text": "x @ A @ x",
    "loss": losses.quadratic,
    "shapes": {"x": ("n",), "A": ("n", "n")},
    "small": {"n": 5},
}


def likelihood(K):
    return f"-y @ inv({K}) @ y / 2 - logdet({K}) / 2"


OF_KERNELS = {
    "text": likelihood("s * exp(-D / l) + t * eye(n)"),
    "loss": losses.likelihood_in_length,
    "shapes": {"y": ("n",), "D": ("n", "n"), "s": (), "t": (), "l": ()},
    "assume": {"D": "symmetric", "s": "positive", "t": "positive", "l": "positive"},
    "sizes": {"n": 1000},
    "small": {"n": 5},
    "own": {"D": distances},
}


def net(depth, activation):
    """Return text and shapes of a net for one vector: `norm(f(W2 @ f(W1 @ x)) - y)**2`, W_k of shape (h_k, h_{k-1})."""
    z, shapes = "x", {"x": ("h0",), "y": (f"h{depth}",)}
    for k in range(1, depth + 1):
        z = f"{activation}(W{k} @ {z})"
        shapes[f"W{k}"] = (f"h{k}", f"h{k - 1}")
    return {"text": f"norm({z} - y)**2", "shapes": shapes}


def batch_net(depth, activation):
    """Return text and shapes of a net for rows: `norm(f(f(X @ W1) @ W2) - Y)**2`, W_k of shape (h_{k-1}, h_k)."""
    z, shapes = "X", {"X": ("b", "h0"), "Y": ("b", f"h{depth}")}
    for k in range(1, depth + 1):
        z = f"{activation}({z} @ W{k})"
        shapes[f"W{k}"] = (f"h{k - 1}", f"h{k}")
    return {"text": f"norm({z} - Y)**2", "shapes": shapes}


def widths(depth, width):
    return {f"h{k}": width for k in range(depth + 1)}


def small_widths(depth):
    return {f"h{k}": 2 + (3 * k) % 5 for k in range(depth + 1)}


def nets():
    by_hand = {"tanh": references.tanh_net_gradient, "relu": references.relu_net_gradient}
    by_hand_batch = {"tanh": references.tanh_batch_gradient, "relu": references.relu_batch_gradient}
    products = {"tanh": references.tanh_net_hvp, "relu": references.relu_net_hvp}
    for f in ("tanh", "relu"):
        activation = getattr(losses, f)
        for depth in (3, 10):
            own = {f"W{k}": weights for k in range(1, depth + 1)}
            one = {"own": own, "sizes": widths(depth, 256), "small": small_widths(depth), **net(depth, f)}
            many = {
                "own": own,
                "sizes": {"b": 128, **widths(depth, 256)},
                "small": {"b": 6, **small_widths(depth)},
                **batch_net(depth, f),
            }
            loss, batch_loss = losses.net(activation), losses.batch_net(activation)
            yield Problem(f"net-{depth}-{f}", wrt=("W1",), by_hand=by_hand[f], loss=loss, **one)
            yield Problem(f"net-{depth}-{f}-batch", wrt=("W1",), by_hand=by_hand_batch[f], loss=batch_loss, **many)
            yield Problem(
                f"net-{depth}-{f}-hvp", wrt=("W1",), by_hand=products[f], loss=loss, kind=HVP, direction="V", **one
            )


OF_PRML = {
    "text": "norm(W2 @ tanh(W1 @ x) - t)**2 / 2",
    "loss": losses.prml,
    "shapes": {"x": ("d",), "t": ("k",), "W1": ("m", "d"), "W2": ("k", "m")},
    "sizes": {"d": 256, "m": 512, "k": 64},
    "small": {"d": 4, "m": 5, "k": 3},
    "own": {"W1": weights, "W2": weights},
}
OF_SOFTMAX = {
    "text": "-sum(Y * log(softmax(X @ W, 1)))",
    "loss": losses.cross_entropy,
    "shapes": {"X": ("n", "p"), "Y": ("n", "c"), "W": ("p", "c")},
    "sizes": {"n": 1000, "p": 200, "c": 20},
    "small": {"n": 6, "p": 4, "c": 3},
    "own": {"W": weights},
}
OF_ATTENTION = {
    "text": "norm(softmax(Q @ K.T, 1) @ V - T)**2",
    "loss": losses.attention,
    "shapes": {"Q": ("n", "d"), "K": ("m", "d"), "V": ("m", "e"), "T": ("n", "e")},
    "sizes": {"n": 256, "m": 320, "d": 64, "e": 48},
    "small": {"n": 5, "m": 4, "d": 3, "e": 2},
    "own": {"K": weights},
}

ALL = [
    Problem("logistic", wrt=("w",), by_hand=references.logistic_gradient, **OF_LOGISTIC),
    Problem("logistic-hessian", wrt=("w", "w"), kind=HESSIAN, by_hand=references.logistic_hessian, **OF_LOGISTIC),
    Problem("logistic-hvp", wrt=("w",), kind=HVP, direction="v", by_hand=references.logistic_hvp, **OF_LOGISTIC),
    Problem(
        "least-squares",
        "norm(X @ w - y)**2",
        wrt=("w",),
        by_hand=references.least_squares_gradient,
        loss=losses.least_squares,
        **OF_LINEAR,
    ),
    Problem(
        "factorisation",
        wrt=("U",),
        sizes={"m": 800, "n": 600, "k": 10},
        by_hand=references.factorisation_gradient,
        **OF_FACTORISATION,
    ),
    Problem(
        "factorisation-hessian",
        wrt=("U", "U"),
        kind=STRUCTURED,
        sizes={"m": 150, "n": 120, "k": 10},
        by_hand=references.factorisation_hessian,
        **OF_FACTORISATION,
    ),
    Problem("quadratic", wrt=("x",), sizes={"n": 1000}, by_hand=references.quadratic_gradient, **OF_QUADRATIC),
    Problem(
        "quadratic-hessian",
        wrt=("x", "x"),
        kind=HESSIAN,
        sizes={"n": 1000},
        by_hand=references.quadratic_hessian,
        **OF_QUADRATIC,
    ),
    Problem(
        "logdet",
        "logdet(P @ Q @ P.T)",
        ("P",),
        {"P": ("m", "n"), "Q": ("n", "n")},
        {"m": 200, "n": 500},
        {"m": 3, "n": 5},
        references.logdet_gradient,
        losses.logdet,
        assume={"Q": "positive_definite"},
    ),
    Problem(
        "gp-in-matrix",
        likelihood("K"),
        ("K",),
        {"y": ("n",), "K": ("n", "n")},
        {"n": 1000},
        {"n": 5},
        references.gp_in_matrix,
        losses.likelihood,
        assume={"K": "positive_definite"},
    ),
    Problem(
        "gp-in-scale",
        likelihood("s * R + t * eye(n)"),
        ("s",),
        {"y": ("n",), "R": ("n", "n"), "s": (), "t": ()},
        {"n": 1000},
        {"n": 5},
        references.gp_in_scale,
        losses.likelihood_in_scale,
        assume={"R": "positive_definite", "s": "positive", "t": "positive"},
    ),
    Problem("gp-in-length", wrt=("l",), by_hand=references.gp_in_length, **OF_KERNELS),
    Problem("gp-all", wrt=("s", "l", "t"), kind=GRADIENTS, by_hand=references.gp_all, **OF_KERNELS),
    *nets(),
    Problem("prml", wrt=("W1",), by_hand=references.prml_gradient, **OF_PRML),
    Problem("prml-hvp", wrt=("W1",), kind=HVP, direction="V", by_hand=references.prml_hvp, **OF_PRML),
    Problem(
        "cross-entropy",
        wrt=("W",),
        assume={"Y": "one_hot_rows"},
        by_hand=references.cross_entropy_one_hot,
        **OF_SOFTMAX,
    ),
    Problem("cross-entropy-any", wrt=("W",), by_hand=references.cross_entropy, **OF_SOFTMAX),
    Problem(
        "sigmoid-layer",
        "norm(sigmoid(X @ W + b) - Y)**2",
        ("W",),
        {"X": ("n", "p"), "W": ("p", "q"), "b": ("q",), "Y": ("n", "q")},
        {"n": 500, "p": 200, "q": 100},
        {"n": 6, "p": 4, "q": 3},
        references.sigmoid_layer,
        losses.sigmoid_layer,
        own={"W": weights},
    ),
    Problem("attention", wrt=("Q",), by_hand=references.attention_in_queries, **OF_ATTENTION),
    Problem("attention-all", wrt=("Q", "K", "V"), kind=GRADIENTS, by_hand=references.attention, **OF_ATTENTION),
    Problem(
        "layer-norm",
        "sum(G * ((X - mean(X, 1)[:, None]) / sqrt(mean((X - mean(X, 1)[:, None])**2, 1) + e)[:, None]))",
        ("X",),
        {"X": ("n", "p"), "G": ("n", "p"), "e": ()},
        {"n": 256, "p": 512},
        {"n": 4, "p": 5},
        references.layer_norm,
        losses.layer_norm,
        assume={"e": "positive"},
    ),
]

PROBLEMS = {p.name: p for p in ALL}
