"""Generated code far out: held against 900-digit arithmetic, and against the plain formula near by."""

from __future__ import annotations

import math

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from symderiv import derive
from symderiv.code.compiled import compiled
from symderiv.code.numpy import function_source
from symderiv.code.source import Argument, Source
from symderiv.tensor.parse import parse, scope_of

DIGITS = 900  # exp(-800) is seen beside 1, and so are two steps
STEP = mpmath.mpf(10) ** -40


# --- the language over numbers of many digits: a reading that shares nothing with the package


def entrywise(function):
    return np.frompyfunc(function, 1, 1)


def total(x, axis=None):
    return np.sum(x, axis=axis)


MANY = {
    "exp": entrywise(mpmath.exp),
    "log": entrywise(mpmath.log),
    "log1p": entrywise(lambda u: mpmath.log(1 + u)),
    "expm1": entrywise(lambda u: mpmath.exp(u) - 1),
    "sqrt": entrywise(mpmath.sqrt),
    "tanh": entrywise(mpmath.tanh),
    "sinh": entrywise(mpmath.sinh),
    "cosh": entrywise(mpmath.cosh),
    "abs": entrywise(abs),
    "sigmoid": entrywise(lambda u: 1 / (1 + mpmath.exp(-u))),
    "softplus": entrywise(lambda u: mpmath.log(1 + mpmath.exp(u))),
    "sum": total,
    "mean": lambda x, axis=None: total(x, axis) / (x.size if axis is None else x.shape[axis]),
    "softmax": lambda x, axis: MANY["exp"](x) / np.expand_dims(total(MANY["exp"](x), axis), axis),
    "logsumexp": lambda x, axis=None: MANY["log"](total(MANY["exp"](x), axis)),
    "where": lambda test, yes, no: np.where(np.asarray(test, dtype=bool), yes, no),
}


def value(text, at):
    return np.asarray(eval(text, {"__builtins__": {}}, {**MANY, **at}), dtype=object)


def slope(function, at, name):
    """Return ∂f/∂x by central differences with a step far below every number in sight."""
    columns = []
    for place in np.ndindex(at[name].shape):
        near = []
        for side in (1, -1):
            moved = at[name].copy()
            moved[place] = moved[place] + side * STEP
            near.append(function({**at, name: moved}))
        columns.append(np.asarray((near[0] - near[1]) / (2 * STEP), dtype=object))
    return np.stack(columns, axis=-1).reshape((*columns[0].shape, *at[name].shape))


def exact(text, at, wrt):
    """Return the derivative of some order as floats."""
    with mpmath.workdps(DIGITS):
        given = {k: np.vectorize(mpmath.mpf, otypes=[object])(v) for k, v in at.items()}

        def nested(k):
            if k == 0:
                return lambda here: value(text, here)
            return lambda here: slope(nested(k - 1), here, wrt[k - 1])

        return np.vectorize(float, otypes=[float])(nested(len(wrt))(given))


# --- what comes out


def code_of(text, shapes, wrt):
    if wrt:
        return derive(text, list(wrt), shapes=shapes).compile()
    scope = scope_of(shapes)
    arguments = [Argument(k, v.shape) for k, v in scope.names.items()]
    source = function_source(Source("f", arguments, [parse(text, scope)], "Value."))
    f = compiled(source, "f")
    return lambda **given: f(**{k: np.asarray(v, dtype=float) for k, v in given.items()})


def shapes_at(at, names="nmpq"):
    known: dict[int, str] = {}
    return {k: tuple(known.setdefault(s, names[len(known)]) for s in np.shape(v)) for k, v in at.items()}


def agree(got, wanted, relative=1e-9, absolute=1e-300):
    __tracebackhide__ = True
    assert np.all(np.isfinite(got)), got
    np.testing.assert_allclose(got, wanted, rtol=relative, atol=absolute)


FAR = [[800.0, -800.0, 0.5], [-30.0, 30.0, -720.0], [36.5, -36.5, 700.0]]

# Entrywise in x: every order keeps its relative accuracy.
ENTRYWISE = [
    "log(1 + exp(x))",
    "log(exp(-x) + 1)",
    "log1p(exp(x))",
    "softplus(x)",
    "softplus(-2 * x)",
    "sigmoid(x)",
    "1 / (1 + exp(-x))",
    "exp(x) / (1 + exp(x))",
    "1 - 1 / (1 + exp(x))",
    "exp(-x) / (1 + exp(-x))",
    "log(sigmoid(x))",
    "log(1 - sigmoid(x))",
    "-log(1 / (1 + exp(-x)))",
    "log(exp(x) / (1 + exp(x)))",
    "log(2 + 2 * exp(x))",
    "1 / (1 + 2 * exp(x))",
    "log(3 + exp(x))",
]

# Entrywise in x: what is subtracted there is of size 1, and so is the error allowed.
SUBTRACTED = [
    "sigmoid(x) * (1 - sigmoid(x))",
    "tanh(x)",
    "1 - tanh(x)**2",
    "(exp(x) - exp(-x)) / (exp(x) + exp(-x))",
    "sinh(x) / cosh(x)",
    "log(cosh(x))",
    "1 / cosh(x)",
    "x * sigmoid(x)",
    "x * tanh(softplus(x))",
    "exp(2 * x) / (1 + exp(x))**2",
    "1 / (1 + exp(-x))**2",
    "exp(x) / (exp(x) + exp(-x) + 1)",
    "log(1 + exp(x) + exp(2 * x))",
    "1 / sqrt(1 + exp(x))",
    "log(exp(x) + 1) - x",
    "x / (exp(x) - 1)",
    "1 / (exp(x) + 3)",
    "exp(-x) / (2 + exp(-x))**2",
]


@pytest.mark.parametrize("order", [0, 1, 2])
@pytest.mark.parametrize("text", ENTRYWISE + SUBTRACTED)
@pytest.mark.parametrize("x", FAR, ids=str)
def test_entrywise_functions_far_out(text, order, x):
    f = code_of(f"sum({text})" if order else text, {"x": ("n",)}, ["x"] * order)
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        got = f(x=np.array(x))
    columns = [exact(text, {"x": np.array(u)}, ["x"] * order) for u in x]
    wanted = np.array(columns) if order < 2 else np.diag(columns)
    agree(got, wanted, absolute=1e-300 if text in ENTRYWISE else 2e-13)


# text, the arrays, the variable
POINTS = {
    "X": [[800.0, -3.0], [-790.0, 2.0], [0.3, 0.4]],
    "w": [1.0, 0.5],
    "y": [1.0, -1.0, 1.0],
    "x": [800.0, -800.0, 1.5],
    "z": [799.0, 801.5, -4.0],
    "p": [0.2, 0.5, 0.3],
    "a": 800.0,
    "b": -800.0,
    "c": 799.0,
}
JOINED = [
    ("sum(log(1 + exp(-y * (X @ w))))", "w"),
    ("mean(log1p(exp(-y * (X @ w))))", "w"),
    ("sum(softplus(-y * (X @ w)))", "w"),
    ("-sum(log(sigmoid(y * (X @ w))))", "w"),
    ("-sum(p * log(sigmoid(X @ w)) + (1 - p) * log(1 - sigmoid(X @ w)))", "w"),
    ("sum((sigmoid(X @ w) - p)**2)", "w"),
    ("sum(tanh(X @ w)**2)", "w"),
    ("log(exp(a) + exp(b))", "a"),
    ("log(exp(a) + exp(b))", "b"),
    ("log(exp(a) + exp(b) + exp(c))", "a"),
    ("exp(a) / (exp(a) + exp(b))", "a"),
    ("exp(a) / (exp(a) + exp(b) + exp(c))", "c"),
    ("log(sum(exp(x)))", "x"),
    ("log(mean(exp(z)))", "z"),
    ("logsumexp(z)", "z"),
    ("log(sum(exp(X), 1))", "X"),
    ("logsumexp(X, 0)", "X"),
    ("softmax(z, 0)", "z"),
    ("softmax(X, 1)", "X"),
    ("exp(z) / sum(exp(z))", "z"),
    ("exp(X) / sum(exp(X), 1)[:, None]", "X"),
    ("exp(X) / sum(exp(X), 0)", "X"),
    ("log(softmax(z, 0))", "z"),
    ("p @ exp(z) / sum(exp(z))", "z"),
    ("log(p @ exp(z))", "z"),
    ("log(sum(p * exp(z)))", "p"),
    ("sum(log(exp(X) @ w))", "X"),
    ("log(exp(z) + exp(x))", "z"),
    ("exp(z) / (exp(z) + exp(x))", "x"),
    ("logsumexp(x) - p @ x", "x"),
    ("-p @ log(softmax(x, 0))", "x"),
]


@pytest.mark.parametrize("order", [0, 1, 2])
@pytest.mark.parametrize(("text", "name"), JOINED)
def test_functions_of_arrays_far_out(text, name, order):
    used = {k: np.array(v) for k, v in POINTS.items() if k in _names(text)}
    f = code_of(text, shapes_at(used), [name] * order)
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        got = f(**used)
    agree(got, exact(text, used, [name] * order), absolute=1e-12)


def _names(text):
    return set("".join(c if c.isalnum() or c == "_" else " " for c in text).split())


# --- branches that are not taken


@pytest.mark.parametrize(
    ("text", "slopes"),
    [
        ("where(x > 0, sqrt(x), 0)", [0, 0, 0.25]),
        ("where(x > 0, x * log(x), 0)", [0, 0, 1 + math.log(4)]),
        ("where(x <= 0, 0, 1 / x)", [0, 0, -1 / 16]),
        ("where(x > 0, x**1.5, -x)", [-1, -1, 3]),
        ("where(x > 0, log1p(x), x)", [1, 1, 0.2]),
        ("where(abs(x) < 1, arcsin(x), x)", [1, 1, 1]),
        ("where(x < 1, 1, exp(-1 / (x - 1)))", [0, 0, math.exp(-1 / 3) / 9]),
    ],
)
def test_a_branch_that_is_not_taken_neither_counts_nor_warns(text, slopes):
    f = derive(f"sum({text})", "x", shapes={"x": ("n",)}).compile()
    with np.errstate(all="raise", under="ignore"):
        np.testing.assert_allclose(f(x=np.array([-4.0, 0.0, 4.0])), slopes, rtol=1e-14)


def test_an_exponential_is_not_taken_where_it_is_too_large():
    f = derive("sum(where(x < 700, exp(x), 0))", "x", shapes={"x": ("n",)}).compile()
    with np.errstate(all="raise", under="ignore"):
        np.testing.assert_allclose(f(x=np.array([1000.0, 2.0])), [0, math.exp(2)])


def test_branches_on_the_rows_of_a_matrix():
    f = derive("sum(where(v[:, None] > 0, log(X), X))", "X", shapes={"X": ("n", "m"), "v": ("n",)}).compile()
    X = np.array([[1.0, 2.0, 4.0], [-1.0, 0.0, 3.0]])
    with np.errstate(all="raise"):
        np.testing.assert_allclose(f(X=X, v=np.array([1.0, -1.0])), [[1, 0.5, 0.25], [1, 1, 1]])


def test_branches_of_what_a_product_gives():
    f = derive("sum(where(X @ w > 0, log(X @ w), 0))", "w", shapes={"X": ("n", "p"), "w": ("p",)}).compile()
    X, w = np.array([[1.0, 2.0], [-1.0, -1.0], [0.0, 0.0]]), np.array([1.0, 0.5])
    with np.errstate(all="raise"):
        np.testing.assert_allclose(f(X=X, w=w), X[0] / 2)


# --- nothing is changed where nothing has to be


LOGISTIC = st.sampled_from(["1 + exp({0})", "exp({0}) + exp({1})", "2 + 3 * exp(-{0})", "cosh({0})", "exp({0} + {1})"])
SUMS = st.one_of(LOGISTIC, st.sampled_from(["exp({0}) - exp({1}) + 20", "1 + sum(exp({0}))", "v * exp({0}) + 5"]))
ATOMS = st.sampled_from(["x", "-y", "x * y", "x / 2", "y - x", "c * x"])
SHAPES = {"x": ("n",), "y": ("n",), "v": ("n",), "c": ()}


@st.composite
def exponential_texts(draw):
    """Products, quotients, logs and sums of exponentials, their sums and sigmoids."""
    part = draw(SUMS).format(draw(ATOMS), draw(ATOMS))
    other = draw(SUMS).format(draw(ATOMS), draw(ATOMS))
    u = draw(ATOMS)
    k = draw(st.sampled_from(["", "**2", "**3", "**0.5"]))
    return draw(
        st.sampled_from(
            [
                f"log({part})",
                f"exp({u}) / ({part}){k}",
                f"v * exp({u}) / ({part})",
                f"exp({u})**2 / (({part}) * ({other}))",
                f"log(({part}) / ({other}))",
                f"sigmoid({u}) * exp(-{u}) + log1p(exp({u}))",
                f"(1 - sigmoid({u})){k} / sigmoid({u})",
                f"sigmoid({u})**3 * exp(-{u}) * sigmoid(-{u})",
                f"(2 * exp(-{u}) - 1) * sigmoid({u})**2 * (1 - sigmoid({u})) * (1 + exp({u}))",
                f"exp({u}) * (1 + (sigmoid({u}) - 2) * sigmoid({u}))",
                f"v * sigmoid({u}) + tanh({u} / 2) * sigmoid(-{u}){k} - 2 * sigmoid({u}) * v",
                f"exp(2 * {u}) * ({part}) * sigmoid(-{u})**4",
                f"exp({u}) * (1 / ({part}) - exp({u}) / ({part})**2)",
                f"sigmoid({u}) - 3 * sigmoid({u})**2 + 2 * sigmoid({u})**3",
                f"exp({u}) / sum(exp({u})) * ({part})",
                f"sinh({u}) / cosh({u}){k}",
                f"where({u} > 0, log({part}), {u} / ({other}))",
                f"({part})**(-{u})",
            ]
        )
    )


@given(exponential_texts(), st.integers(0, 1), st.integers(0, 10**6))
def test_near_by_it_is_the_plain_formula(text, order, seed):
    rng = np.random.default_rng(seed)
    at = {"x": rng.uniform(0.3, 1.5, 3), "y": rng.uniform(0.3, 1.5, 3), "v": rng.uniform(0.5, 1, 3), "c": 0.7}
    f = code_of(text if order == 0 else f"sum({text})", SHAPES, ["x"] * order)
    used = {k: np.asarray(v) for k, v in at.items()}
    wanted = _plain(text if order == 0 else f"sum({text})", used, order)
    got = f(**used)
    np.testing.assert_allclose(got, wanted, rtol=1e-10, atol=1e-12)


def _plain(text, at, order):
    with mpmath.workdps(60):
        given_ = {k: np.vectorize(mpmath.mpf, otypes=[object])(v) for k, v in at.items()}
        if order == 0:
            return np.vectorize(float, otypes=[float])(value(text, given_))
        h = mpmath.mpf(10) ** -20
        out = []
        for k in range(3):
            near = []
            for side in (1, -1):
                moved = given_["x"].copy()
                moved[k] = moved[k] + side * h
                near.append(value(text, {**given_, "x": moved}))
            out.append(float((near[0] - near[1]) / (2 * h)))
        return np.array(out)


@pytest.mark.parametrize("text", ["X @ w", "tanh(X @ w)", "exp(w)", "inv(S) @ w", "sum(abs(X))", "c * exp(-w**2)"])
def test_what_is_stable_comes_back_as_it_was(text):
    from symderiv.code.stable import stable

    scope = scope_of({"X": ("n", "p"), "w": ("p",), "S": ("p", "p"), "c": ()})
    expr = parse(text, scope)
    assert stable([expr]) == [expr]


# --- determinants


@pytest.mark.parametrize(
    ("text", "sign", "wanted"),
    [
        ("log(det(A))", 1, 200 * math.log(1e3)),
        ("log(abs(det(A)))", -1, 200 * math.log(1e3)),
        ("log(det(A)**2)", -1, 400 * math.log(1e3)),
        ("0.5 * log(3 * det(A))", 1, 100 * math.log(1e3) + 0.5 * math.log(3)),
        ("logdet(A)", -1, 200 * math.log(1e3)),
    ],
)
def test_the_log_of_a_determinant_beyond_the_range_of_floats(text, sign, wanted):
    A = 1e3 * np.eye(200)
    A[0] *= sign
    with np.errstate(all="raise"):
        np.testing.assert_allclose(code_of(text, {"A": ("n", "n")}, [])(A=A), wanted, rtol=1e-12)


def test_the_log_of_a_negative_determinant_stays_undefined():
    f = code_of("log(det(A))", {"A": ("n", "n")}, [])
    assert np.isnan(f(A=np.diag([1.0, -2.0])))
    product = code_of("log(det(A @ B))", {"A": ("n", "n"), "B": ("n", "n")}, [])
    np.testing.assert_allclose(product(A=np.diag([1.0, -2.0]), B=np.diag([-3.0, 1.0])), math.log(6))


def test_what_ends_a_region_may_have_a_composed_axis():
    shapes = {"B": ("n", "p"), "y": ("n",), "E": ("m", "n"), "c": (), "z": ("n",)}
    d = derive("kron(logsumexp(outer(vec(B), y), 0), sigmoid(E * c @ z))", "c", shapes=shapes)
    rng = np.random.default_rng(3)
    at = {k: rng.standard_normal(s) for k, s in {"B": (2, 3), "y": 2, "E": (4, 2), "z": 2}.items()}
    u = at["E"] @ at["z"]
    logistic = 1 / (1 + np.exp(-0.7 * u))
    left = np.log(np.exp(np.outer(at["B"].T.ravel(), at["y"])).sum(axis=0))
    np.testing.assert_allclose(d.compile()(c=np.array(0.7), **at), np.kron(left, u * logistic * (1 - logistic)))
