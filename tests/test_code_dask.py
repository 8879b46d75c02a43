"""Generated code on Dask arrays: nothing is computed on the way, and the result is that of NumPy."""

from __future__ import annotations

import inspect
from types import FunctionType

import numpy as np
import pytest

from symderiv import ShapeError, UnsupportedError, derive, gradients

dask = pytest.importorskip("dask", reason="dask is not installed")
da = pytest.importorskip("dask.array", reason="dask is not installed")

SHAPES = {"X": ("n", "p"), "w": ("p",), "y": ("n",), "W": ("p", "k"), "b": ()}
SIZES = {"n": 60, "p": 4, "k": 3}
LOSSES = [
    ("sum(log(1 + exp(-y * (X @ w))))", ["w", "X"]),
    ("norm(X @ w - y)**2 / n", ["w", "y"]),
    ("norm(X @ w + b - y)**2", ["w", "b"]),
    ("sum(softplus(X @ w + b)) - y @ (X @ w + b)", ["w", "b"]),
    ("sum(relu(X @ w)) + mean(abs(y))", ["w", "y"]),
    ("y @ sigmoid(X @ w) + sum(where(y > 0, y**2, 0))", ["w", "y"]),
    ("sum(logsumexp(X @ W, 1)) - sum(X @ W)", ["W"]),
    ("y @ softmax(X @ w, 0) + logsumexp(X @ w)", ["w"]),
    ("norm(tanh(X @ W))**2", ["W", "X"]),
]


def bare(source: str, name: str) -> FunctionType:
    """Return a generated function as a user has it who pasted its text."""
    space: dict[str, object] = {}
    exec(source, space)
    return space[name]


def arrays(kind: type | str = float) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(1)
    return {
        name: np.asarray(rng.standard_normal([SIZES[s] for s in shape]), dtype=kind) for name, shape in SHAPES.items()
    }


def in_chunks(given: dict[str, np.ndarray]) -> dict[str, object]:
    """Return the arrays with n rows in chunks that do not divide n."""
    return {k: da.from_array(a, chunks=(17, *a.shape[1:])) if k in ("X", "y") else a for k, a in given.items()}


@pytest.fixture
def nothing_computed(monkeypatch):
    """Fail where something is computed before the test asks for it."""

    def refuse(*_args, **_options):
        raise AssertionError("computed too early")

    def allow(value):
        with dask.config.set(scheduler="synchronous"):
            return dask.compute(value)[0]

    with dask.config.set(scheduler=refuse):
        yield allow


@pytest.mark.parametrize(("text", "names"), LOSSES)
def test_the_bare_function(text, names, nothing_computed):
    function = bare(gradients(text, names, shapes=SHAPES).to_numpy(), "gradients")
    given = {k: v for k, v in arrays().items() if k in inspect.signature(function).parameters}
    value, found = function(**in_chunks(given))
    assert all(isinstance(a, da.Array) for a in (value, *found.values()))
    value, found = nothing_computed((value, found))
    wanted_value, wanted = function(**given)
    np.testing.assert_allclose(value, wanted_value, rtol=1e-12)
    for name in names:
        np.testing.assert_allclose(found[name], wanted[name], rtol=1e-10, atol=1e-13)


@pytest.mark.parametrize(("text", "names"), LOSSES)
@pytest.mark.parametrize("kind", ["float64", "float32"])
def test_the_compiled_function(text, names, kind, nothing_computed):
    function = gradients(text, names, shapes=SHAPES).compile()
    given = arrays(kind)
    _, found = function(**in_chunks(given))
    assert all(isinstance(a, da.Array) and a.dtype == kind for a in found.values())
    found, (_, wanted) = nothing_computed(found), function(**given)
    for name in names:
        assert found[name].dtype == kind
        np.testing.assert_allclose(found[name], wanted[name], rtol=1e-4 if kind == "float32" else 1e-10, atol=1e-5)


def test_far_out(nothing_computed):
    f = derive(LOSSES[0][0], "w", shapes=SHAPES).compile(value=True)
    X = da.from_array(np.array([[800.0, 0.0], [0.0, -800.0]]), chunks=1)
    value, slope = nothing_computed(f(X=X, w=np.ones(2), y=da.ones(2, chunks=1)))
    assert (float(value), (slope + 0).tolist()) == (800.0, [0.0, 800.0])


def test_integers_become_floats(nothing_computed):
    f = derive("norm(X @ w - y)**2", "w", shapes=SHAPES).compile()
    X, y = da.ones((6, 2), chunks=(2, 2), dtype=int), da.zeros(6, chunks=2, dtype=bool)
    found = f(X=X, w=[1, 2], y=y)
    assert found.dtype == float
    np.testing.assert_allclose(nothing_computed(found), [36, 36])


def test_refused(nothing_computed):
    f = derive("norm(X @ w - y)**2 + b * w @ w", "w", shapes=SHAPES).compile()
    given = in_chunks(arrays())
    with pytest.raises(ShapeError, match="wrong shape"):
        f(**given | {"X": given["X"].T})
    with pytest.raises(ShapeError, match="not known yet") as caught:
        f(**given | {"X": given["X"][given["y"] > 0]})
    assert "compute_chunk_sizes" in str(caught.value)
    with pytest.raises(UnsupportedError, match="complex"):
        f(**given | {"X": given["X"] * 1j})


def test_nothing_is_written_into_arrays_of_another_kind(nothing_computed):
    """δ on the diagonal of a computed matrix is written in place by NumPy; elsewhere the entries would be lost."""
    d = derive("norm(X @ w - y)**2 + b * w @ w", ["w", "w"], shapes=SHAPES)
    given = arrays()
    wanted = 2 * given["X"].T @ given["X"] + 2 * given["b"] * np.eye(4)
    np.testing.assert_allclose(d.compile()(**given), wanted)
    with pytest.raises(UnsupportedError, match="in place"):
        d.compile()(**in_chunks(given))
    function = bare(d.to_numpy(), "derivative")
    with pytest.raises(AttributeError):
        function(**{k: v for k, v in in_chunks(given).items() if k in inspect.signature(function).parameters})
