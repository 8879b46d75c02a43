"""Each function of NumPy that tensors follow is, traced and compiled, what NumPy computes on arrays."""

import ast
import warnings
from pathlib import Path

import numpy as np
import pytest
import scipy.special
from numpy import linalg

import symderiv
from symderiv import dims
from symderiv import numpy_names as names
from symderiv.lower import lower
from symderiv.tensor import ufuncs
from symderiv.tensor.parse import KNOWN, parse, scope_of
from symderiv.tensor.protocol import NUMPY_FUNCTIONS

SHAPES = {
    "X": ("n", "p"), "Y": ("n", "p"), "W": ("p", "q"), "A": ("n", "n"), "B": ("p", "p"), "w": ("p",), "v": ("p",),
    "y": ("n",), "c": (), "T": ("n", "p", "q"), "R": ("n", 1), "P": ("n", "p"), "r": ("p",), "M": (3, "p"),
}  # fmt: skip
SIZES = {"n": 3, "p": 4, "q": 2}

rng = np.random.default_rng(5)


def sample(name, shape):
    array = rng.standard_normal(tuple(SIZES.get(s, s) for s in shape))
    if name in "Pr":
        return np.abs(array) / 2 + 0.1
    return array + 3 * np.eye(len(array)) if name in "AB" else array


DATA = {name: sample(name, shape) for name, shape in SHAPES.items()}

CASES = {
    # operators
    "add": lambda X, w: X + w,
    "sub": lambda X, w: 1 - (X - w),
    "mul": lambda X, y: y[:, None] * X * 2,
    "div": lambda X, P: X / P + 1 / P,
    "pow": lambda P, X: P**2 + P**-1.5 + 2**X + P**X,
    "matmul": lambda X, w, y: y @ X @ w + X @ w,
    "constants": lambda M: np.eye(3) @ M + np.ones((3, 3)) @ M - np.full((3, 1), 0.5) * M + 2 * np.eye(3) @ M,
    "neg": lambda X: -(+X) + abs(X),
    "scalar": lambda X, c: np.float64(2.5) * X * c + np.int64(3),
    "T": lambda T, X: T.T + (X.T)[None],
    "newaxis": lambda y, w: y[:, None] * w[None, :] + (y[..., None] + w[None]),
    "full slice": lambda X, w: X[:] + X[:, :] + w[None, ..., None].sum(),
    "shape": lambda X, y: X / X.shape[0] + X.size / np.size(X, 1) + len(y) * X.ndim,
    "size as factor": lambda X: (X.shape[0] - 1) * X.mean() + X.shape[0] ** 2 + 2 * X.shape[1] * X.shape[0],
    # methods
    "methods": lambda X: X.sum(axis=0) + X.mean(0) + X.prod(axis=0) + X.sum() + X.var(axis=0) + X.std(0, ddof=1),
    "dot methods": lambda A, X, y: A.dot(X) + A.trace() + A.diagonal()[:, None] + y.dot(y),
    "transposed": lambda T, X: (
        T.transpose(1, 0, 2) + T.transpose((1, 0, 2)) + T.swapaxes(0, 1) + X.transpose()[..., None]
    ),
    "reshaped": lambda X: X.reshape(-1) + X.ravel() + X.flatten() + X.reshape((X.shape[0] * X.shape[1],)),
    "clip": lambda X: X.clip(-0.5, 0.5) + np.clip(X, None, 0.2) + np.clip(X, a_min=-0.1, a_max=None),
    "astype": lambda X: X.astype(float) + X.astype(np.float64) + X.copy(),
    # in place, as NumPy has it
    "in place": lambda X, Y: _in_place(X, Y),
    # reductions
    "sum": lambda X: np.sum(X, axis=1, keepdims=True) + np.sum(X) + np.sum(X, axis=(0, 1), keepdims=True),
    "sum of three": lambda T: np.sum(T, axis=(0, 2)) + np.sum(T, (-1, 0)),
    "mean": lambda T: np.mean(T, axis=(0, 1)) + np.mean(T) + T.mean(axis=(1, 0), keepdims=True) + T.mean(()),
    "prod": lambda X: np.prod(X, axis=-1) + np.prod(X),
    "var": lambda X: np.var(X) + np.var(X, axis=1, keepdims=True) + np.std(X, ddof=1) + np.var(X, 0, ddof=2).sum(),
    "average": lambda X, P: np.average(X) + np.average(X, axis=0, weights=P),
    "reduce": lambda X: np.add.reduce(X) + np.multiply.reduce(X, axis=0) + np.logaddexp.reduce(X, axis=0),
    "ufunc outer": lambda y, w: np.subtract.outer(y, w) * np.multiply.outer(y, w),
    # linear algebra
    "linalg.norm": lambda X, w: linalg.norm(X) + linalg.norm(w) + linalg.norm(w, 2) + linalg.norm(X, "fro"),
    "norm along": lambda X: linalg.norm(X, axis=1) + linalg.norm(X, axis=1, ord=1) + linalg.norm(X, axis=(0, 1)),
    "norm kept": lambda X: X / linalg.norm(X, axis=0, keepdims=True) + linalg.norm(X, keepdims=True),
    "norm of one": lambda w, T: linalg.norm(w, 1) + linalg.norm(T),
    "linalg.inv": lambda A: linalg.inv(A) + linalg.det(A) + linalg.matrix_power(A, 3) + linalg.matrix_power(A, -2),
    "linalg.solve": lambda A, X, y: linalg.solve(A, X) + linalg.solve(A, y)[:, None],
    "linalg.slogdet": lambda A: linalg.slogdet(A)[0] * linalg.slogdet(A)[1] + linalg.slogdet(-A).logabsdet,
    "trace": lambda A: np.trace(A) + linalg.trace(A),
    "diag": lambda A, y: np.diag(y) @ A + np.diag(A) + np.diagonal(A) + linalg.diagonal(A),
    "dot": lambda X, w, c: np.dot(X, w) + np.dot(c, w).sum() + np.dot(w, 3).sum(),
    "inner": lambda X, Y, w, v: np.inner(X, Y) + np.inner(w, v) + np.inner(X, w),
    "outer": lambda y, w, X: np.outer(y, w) + np.outer(X, X[:, None]).sum() + linalg.outer(y, w),
    "vdot": lambda X, Y, w, v: np.vdot(X, Y) + np.vdot(w, v),
    "kron": lambda X, W, w, y: np.kron(X, W).sum(axis=0).sum() + np.kron(w, y).sum(),
    "kron matrix": lambda X, W: np.kron(X, W),
    "multi_dot": lambda A, X, W: linalg.multi_dot([A, X, W]),
    "einsum": lambda X, w, T: np.einsum("ij,j->i", X, w) + np.einsum("ij, j", X, w) + np.einsum("ijk->i", T),
    "tensordot": lambda T, W, X: np.tensordot(T, W, axes=((1, 2), (0, 1))) + np.tensordot(X, X, 2),
    "tensordot matrix": lambda X, W: np.tensordot(X, W, axes=1) + np.tensordot(W, X, axes=(0, 1)).T,
    "tensordot outer": lambda y, w: np.tensordot(y, w, axes=0),
    # rearrangements
    "transpose": lambda T: np.transpose(T) + np.transpose(T, (-1, 1, 0)) + np.matrix_transpose(np.swapaxes(T, 0, 2).mT),
    "moveaxis": lambda T: np.moveaxis(T, 0, -1) + np.moveaxis(T, (0, 1), (2, 0)),
    "expand_dims": lambda X: np.expand_dims(X, 1) + np.expand_dims(X, (0, -1)).sum(-1).transpose(1, 0, 2),
    "squeeze": lambda R, y: np.squeeze(R) + R.squeeze(axis=1) + np.squeeze(y),
    "ravel": lambda X: np.ravel(X) + np.ravel(X.T, order="F") + X.T.flatten("F"),
    "ravel columns": lambda X: X.ravel(order="F") + np.reshape(X, -1, order="F"),
    "reshape": lambda T, X: np.reshape(T, (T.shape[0], -1)) + np.reshape(T, (-1, T.shape[1] * T.shape[2])),
    "broadcast_to": lambda w, X: np.broadcast_to(w, X.shape) * X,
    # constants
    "like": lambda X: np.zeros_like(X) + np.ones_like(X) + np.full_like(X, 0.5) * X,
    "like reshaped": lambda X: np.ones_like(X.reshape(-1)) + X.reshape(-1) + np.zeros_like(X.reshape(-1)),
    "eye": lambda A: A + np.eye(A.shape[0], like=A) + np.identity(A.shape[0], like=A),
    "ones": lambda X: X + np.ones(X.shape, like=X) + np.full(X.shape, 2.0, like=X) + np.full(X.shape[1], 0, like=X),
    # choices
    "where": lambda X, Y: np.where(X > 0, X, 2 * X) + np.where(X <= Y, X, Y) + np.where(Y > X, 1, 0),
    "where both": lambda X, Y: np.where((X > 0) & (Y > 0), X, Y) + np.where((X < 0) | ~(Y < 0), X, Y),
    "where equal": lambda X: np.where(X == X, X, 1) + np.where(X != 0, X, 1) + np.where(X, X, 3),
    "where logical": lambda X, Y: np.where(np.logical_and(X > 0, np.logical_not(Y >= 0)), X, Y),
    "mask": lambda X, Y: (X > 0) * Y + Y * (X < 0) + (X > 0).astype(float) + np.mean(X > 0) + np.sum(X > 0, axis=0),
    "greater": lambda X, Y: np.where(np.greater(X, Y), X, 0) + np.where(np.less_equal(X, 0.1), X, 0),
    "maximum": lambda X, Y: np.maximum(X, Y) + np.minimum(X, 0) + np.fmax(X, Y) + np.fmin(0.5, Y),
    "heaviside": lambda X: np.heaviside(X, 0.5),
    # functions of the language
    "names": lambda X, w: names.softmax(X, 1) + names.logsumexp(X, 0) + names.norm(X) + names.vec(X).sum() + w,
    "names of one": lambda X: names.sigmoid(X) + names.relu(X) + names.softplus(X) + names.logsumexp(X),
    "names of matrices": lambda A, X: names.inv(A) @ X + names.logdet(A) + names.solve(A, X) + names.det(A),
    "names of sizes": lambda A, y: names.eye(A.shape[0]) @ names.ones(A.shape[0]) + names.zeros(*y.shape) + A @ y,
}


def _in_place(X, Y):
    g = X * 1
    same = g
    g += Y
    g *= 2
    g -= 1
    g /= 3
    g **= 2
    total = 0
    total += np.sum(g)
    return same + total


UNARY = {
    "exp": "X", "log": "P", "log1p": "P", "expm1": "X", "sqrt": "P", "sin": "X", "cos": "X", "tan": "P", "arcsin": "r",
    "arccos": "r", "arctan": "X", "sinh": "X", "cosh": "X", "tanh": "X", "abs": "X", "sign": "X", "square": "X",
    "fabs": "X", "reciprocal": "P", "negative": "X", "positive": "X", "exp2": "X", "log2": "P", "log10": "P",
    "absolute": "X",
}  # fmt: skip
BINARY = ["add", "subtract", "multiply", "divide", "true_divide", "hypot", "logaddexp", "maximum", "minimum"]
SPECIAL = {"expit": "X", "log_expit": "X", "logit": "r", "entr": "P", "log1p": "P", "expm1": "X"}


def evaluated(function):
    wanted = {k: DATA[k] for k in function.__code__.co_varnames[: function.__code__.co_argcount]}
    try:
        expected = function(**wanted)
    except AttributeError as err:
        pytest.skip(f"this NumPy has no such function: {err}")
    d = symderiv.derive(function, "nought", shapes={**{k: SHAPES[k] for k in wanted}, "nought": ()})
    value, _ = d.compile(value=True)(**wanted, nought=0)
    return value, expected


@pytest.mark.parametrize("name", CASES)
def test_a_function_is_what_numpy_computes(name):
    found, wanted = evaluated(CASES[name])
    assert np.shape(found) == np.shape(wanted)
    np.testing.assert_allclose(found, wanted, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("name", UNARY)
def test_unary_functions(name):
    function = getattr(np, name)
    x = symderiv.declare(f"{UNARY[name]}: ({', '.join(SHAPES[UNARY[name]])},)")
    run = symderiv.derive(function(x), x).compile(value=True)
    found, slope = run(**{UNARY[name]: DATA[UNARY[name]]})
    np.testing.assert_allclose(found, function(DATA[UNARY[name]]), rtol=1e-12)
    assert slope.shape == DATA[UNARY[name]].shape * 2


@pytest.mark.parametrize("name", BINARY)
def test_binary_functions(name):
    function = getattr(np, name)
    X, w = symderiv.declare("X: (n, p)", "w: (p,)")
    for expr, wanted in [
        (function(X, w), function(DATA["X"], DATA["w"])),
        (function(0, X), function(0, DATA["X"])),
        (function(X, 2), function(DATA["X"], 2)),
    ]:
        found, _ = symderiv.derive(expr, X).compile(value=True)(X=DATA["X"], w=DATA["w"])
        np.testing.assert_allclose(found, wanted, rtol=1e-12)


@pytest.mark.parametrize("name", SPECIAL)
def test_functions_of_scipy(name):
    function = getattr(scipy.special, name)
    x = symderiv.declare(f"{SPECIAL[name]}: ({', '.join(SHAPES[SPECIAL[name]])},)")
    found, _ = symderiv.derive(function(x), x).compile(value=True)(**{SPECIAL[name]: DATA[SPECIAL[name]]})
    np.testing.assert_allclose(found, function(DATA[SPECIAL[name]]), rtol=1e-12)


def test_products_with_logarithms():
    X, P = symderiv.declare("X: (n, p)", "P: (n, p)")
    for name in ("xlogy", "xlog1py", "rel_entr"):
        function = getattr(scipy.special, name)
        left, data = (P, DATA["P"] + 1) if name == "rel_entr" else (X, DATA["X"])
        found, _ = symderiv.derive(function(left, P * 2), "P").compile(value=True)(X=DATA["X"], P=DATA["P"])
        if name == "rel_entr":
            data = DATA["P"]
        np.testing.assert_allclose(found, function(data, DATA["P"] * 2), rtol=1e-12)


def test_logaddexp_holds_far_out():
    x = symderiv.declare("x: (n,)")
    run = symderiv.derive(np.sum(np.logaddexp(x, 1.0)), x).compile(value=True)
    value, slope = run(x=np.array([-800.0, 800.0]))
    np.testing.assert_allclose(value, np.logaddexp(-800.0, 1) + np.logaddexp(800.0, 1))
    np.testing.assert_allclose(slope, [0, 1])


def test_no_function_of_the_table_is_left_out():
    tree = ast.parse(Path(__file__).read_text(encoding="utf-8"))
    called = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    followed = {name.rpartition(".")[2] for name in NUMPY_FUNCTIONS} - {"permute_dims"}  # an alias of transpose
    assert sorted(followed - called) == []
    tested = {*UNARY, *BINARY, *SPECIAL, *called, "xlogy", "xlog1py", "rel_entr"}
    operators = {"power", "matmul", "float_power", "less", "greater_equal", "equal", "not_equal"}
    assert set(ufuncs.UFUNCS) - tested - operators == set()


# ---------------------------------------------------------------- the names of the language


TEXTS = [
    "norm(X @ w - y)**2 / n", "softmax(X, 1) + logsumexp(X, 0)", "trace(A @ A) + logdet(A @ A.T)", "vec(X)",
    "sum(relu(X), 0) + mean(sigmoid(X)) * ones(p)", "where(X > 0, X, exp(X) - 1)", "kron(X, W)", "diag(y) @ X",
    "eye(n) @ X + zeros(n, p)", "einsum('ij,jk->ik', X, W)", "softplus(X) + sqrt(P) + log1p(P) + X[:, None].sum()"[:33],
    "inv(A) + matrix_power(A, 2) + outer(y, y) * inner(w, w) * dot(w, w)", "solve(A, y) + det(A) * prod(w)",
    "reshape(X, (n * p,)) + vec(transpose(X, (1, 0)))", "maximum(X, Y) - minimum(abs(X), Y) * sign(Y)",
]  # fmt: skip


@pytest.mark.parametrize("text", TEXTS)
def test_text_of_the_language_runs_with_the_names(text):
    wanted, _ = symderiv.derive(text, "nought", shapes={**SHAPES, "nought": ()}).compile(value=True)(**DATA, nought=0)
    space = {"__builtins__": {}, **symderiv.numpy_names}
    np.testing.assert_allclose(eval(text, space, {**DATA, **SIZES}), wanted, rtol=1e-12)
    given = dict(zip(SHAPES, symderiv.declare(*(f"{k}: {dims.written(s)}" for k, s in SHAPES.items())), strict=True))
    sizes = dict(zip(SIZES, (*given["X"].shape, given["W"].shape[1]), strict=True))
    found = eval(text, space, {**given, **sizes}).expr
    assert lower(found).node is lower(parse(text, scope_of(SHAPES))).node


def test_every_name_of_the_language_is_there():
    space = {**symderiv.numpy_names}
    assert sorted(space) == sorted(KNOWN)
    assert all(callable(f) for f in space.values())
    assert len(symderiv.numpy_names) == len(KNOWN) and symderiv.numpy_names["exp"] is np.exp
    with pytest.raises(KeyError):
        symderiv.numpy_names["nothing"]
    assert not hasattr(symderiv.numpy_names, "nothing")


@pytest.mark.parametrize("axis", [None, 0, 1])
def test_logsumexp_and_softmax_hold_far_out(axis):
    x = np.array([[800.0, -800.0, 0.0], [799.0, 801.0, -np.inf]])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        np.testing.assert_allclose(names.logsumexp(x, axis), scipy.special.logsumexp(x, axis=axis))
        if axis is not None:
            np.testing.assert_allclose(names.softmax(x, axis), scipy.special.softmax(x, axis=axis))
        np.testing.assert_allclose(names.sigmoid(x), scipy.special.expit(x))
        np.testing.assert_allclose(names.softplus(x), np.logaddexp(x, 0))
        assert names.logsumexp(np.array([-np.inf, -np.inf])) == -np.inf
