"""The functions of the language as NumPy has them; nothing here knows of the engine."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import special

NAMES: dict[str, Any] = {
    name: getattr(np, name)
    for name in [
        "exp",
        "log",
        "log1p",
        "expm1",
        "sqrt",
        "sin",
        "cos",
        "tan",
        "arcsin",
        "arccos",
        "arctan",
        "sinh",
        "cosh",
        "tanh",
        "abs",
        "sign",
        "sum",
        "mean",
        "prod",
        "trace",
        "outer",
        "inner",
        "dot",
        "kron",
        "diag",
        "eye",
        "einsum",
        "maximum",
        "minimum",
        "where",
        "transpose",
        "reshape",
    ]
} | {
    "np": np,
    "det": np.linalg.det,
    "inv": np.linalg.inv,
    "solve": np.linalg.solve,
    "logdet": lambda a: np.linalg.slogdet(a)[1],
    "matrix_power": np.linalg.matrix_power,
    "norm": lambda x: np.sqrt(np.sum(x * x)),
    "vec": lambda x: x.T.reshape(-1),
    "ones": lambda *n: np.ones(n),
    "zeros": lambda *n: np.zeros(n),
    "sigmoid": special.expit,
    "relu": lambda x: np.maximum(x, 0.0),
    "softplus": lambda x: np.logaddexp(x, 0.0),
    "softmax": lambda x, axis: special.softmax(x, axis=axis),
    "logsumexp": lambda x, axis=None: special.logsumexp(x, axis=axis),
}
