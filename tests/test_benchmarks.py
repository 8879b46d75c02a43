"""What the benchmarks compare is the same: by hand, generated, and differences of the function itself."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("scipy")

from code_speed import cells, measured, printed, same
from derivation_speed import CASES
from printing import Printed
from problems import GRADIENTS, HESSIAN, HVP, PROBLEMS, STRUCTURED
from references import logistic_gradient, logistic_hessian, logistic_hvp, sigmoid_layer
from timing import Ratio, calls_a_batch, interleaved, peak_of

SECOND = (HESSIAN, STRUCTURED, HVP)
# Ten layers are three as far as this goes; the benchmarks compare all results before they time anything.
QUICK = [p for p in PROBLEMS.values() if not p.name.startswith("net-10")]


@pytest.fixture(params=PROBLEMS.values(), ids=PROBLEMS.keys())
def problem(request):
    return request.param


def small(problem):
    return problem.data(problem.small, np.random.default_rng(1))


def results(found):
    """Return arrays by name, of one or of several results."""
    value, gradients = found if isinstance(found, tuple) else (found, {})
    return {"": np.asarray(value), **gradients}


# ---------------------------------------------------------------- differences of the loss


def moved(data, name, by):
    return {**data, name: data[name] + by}


def quotients(function, data, name, step):
    """Return central differences of a function of the data, the entries of a variable last."""
    shape = data[name].shape
    columns = []
    for unit in np.eye(data[name].size):
        by = step * unit.reshape(shape)
        columns.append((function(moved(data, name, by)) - function(moved(data, name, -by))) / (2 * step))
    return np.stack(columns, axis=-1).reshape(np.shape(columns[0]) + shape)


def expected(problem, data):
    """Return the derivatives by differences of the loss, second ones by differences of those."""

    def value(given):
        return problem.loss(np, **{name: given[name] for name in problem.shapes})

    if problem.kind == GRADIENTS:
        return {"": value(data)} | {name: quotients(value, data, name, 1e-5) for name in problem.wrt}
    name = problem.wrt[0]

    def gradient(given):
        return quotients(value, given, name, 1e-4 if problem.kind in SECOND else 1e-5)

    if problem.kind == HVP:
        by = 1e-3 * data[problem.direction]
        return {"": (gradient(moved(data, name, by)) - gradient(moved(data, name, -by))) / 2e-3}
    return {"": quotients(gradient, data, name, 1e-3) if problem.kind in SECOND else gradient(data)}


def test_by_hand_is_the_derivative(problem):
    data = small(problem)
    found = results(problem.by_hand(**data))
    for name, wanted in expected(problem, data).items():
        assert found[name].shape == np.shape(wanted)
        scale = np.max(np.abs(wanted)) + 1e-3
        assert np.max(np.abs(found[name] - wanted)) < (1e-4 if problem.kind in SECOND else 1e-7) * scale


@pytest.mark.parametrize("problem", QUICK, ids=lambda p: p.name)
def test_by_hand_is_what_is_generated(problem):
    data = small(problem)
    assert same(problem.derivation.compile()(**data), problem.by_hand(**data))


def test_arguments_are_left_alone(problem):
    data = small(problem)
    before = {name: array.copy() for name, array in data.items()}
    problem.by_hand(**data)
    assert all(np.array_equal(before[name], data[name]) for name in data)


def test_what_is_assumed_holds(problem):
    data = small(problem)
    for name, trait in problem.assume.items():
        array = data[name]
        if trait in ("symmetric", "positive_definite"):
            assert np.array_equal(array, array.T)
        if trait == "positive_definite":
            assert np.linalg.eigvalsh(array)[0] > 0
        if trait == "signs":
            assert set(np.abs(array)) == {1.0}
        if trait == "one_hot_rows":
            assert set(array.ravel()) <= {0.0, 1.0} and np.all(array.sum(axis=1) == 1)


# ---------------------------------------------------------------- where exponentials overflow

MARGINS = np.array([-800.0, -700, -40, -1, 0, 1, 40, 700, 800])
TAIL = np.exp(-np.logaddexp(0, MARGINS))  # σ(−m)


@pytest.mark.filterwarnings("error")
def test_margins_of_800():
    y = np.where(np.arange(len(MARGINS)) % 2, 1.0, -1.0)
    X, w = np.eye(len(MARGINS)), y * MARGINS
    curvature = TAIL * TAIL[::-1]
    assert np.allclose(logistic_gradient(X, y, w), -y * TAIL, rtol=1e-12, atol=0)
    assert np.allclose(logistic_hvp(X, y, w, np.ones_like(w)), curvature, rtol=1e-12, atol=1e-320)
    assert np.allclose(logistic_hessian(X, y, w), np.diag(curvature), rtol=1e-12, atol=1e-300)


@pytest.mark.filterwarnings("error")
def test_a_layer_of_sigmoids_at_800():
    n = len(MARGINS)
    X, W, Y = np.eye(n), np.diag(-MARGINS), np.full((n, n), 0.5)
    found = np.diag(sigmoid_layer(X, W, np.zeros(n), Y))
    assert np.allclose(found, 2 * (TAIL - 0.5) * TAIL * TAIL[::-1], rtol=1e-12, atol=1e-300)


# ---------------------------------------------------------------- measuring


def test_a_problem_is_measured():
    problem = PROBLEMS["logistic-hvp"]
    row = measured(replace(problem, sizes=problem.small), rounds=3, with_jax=False)
    assert set(row.seconds) == {"generated", "by hand", "gradient"}
    assert all(len(s) == 3 and np.all(s > 0) for s in row.seconds.values())
    assert row.checking > 0 and not row.differs
    assert len(cells(row)) == len(printed([row]).columns)
    assert "JAX is not installed or was not asked for" in printed([row]).markdown


def test_what_differs_is_said():
    problem = PROBLEMS["quadratic"]
    wrong = replace(problem, sizes=problem.small, by_hand=lambda x, A: A @ x)
    row = measured(wrong, rounds=1, with_jax=False)
    assert row.differs == ["generated"]
    assert "differs: generated" in cells(row)[0]


def test_what_cannot_be_generated_is_said():
    row = measured(replace(PROBLEMS["quadratic"], text="x @ A @ z"), rounds=1, with_jax=False)
    assert "UnknownNameError" in row.fails
    assert len(cells(row)) == len(printed([row]).columns)
    assert row.to_hand == np.inf


def test_ratios_are_those_of_rounds():
    ratio = Ratio.of(np.array([2.0, 6, 40, 16, 10]), np.array([1.0, 2, 10, 2, 1]))
    assert (ratio.low, ratio.median, ratio.high) == (3, 4, 8)


def test_batches_are_long_enough():
    def call():
        sum(range(100))

    assert calls_a_batch(call) * interleaved({"": call}, 5)[""].min() > 1e-3


def test_peaks_count_what_is_held_at_once():
    def one_after_another():
        for _ in range(3):
            np.ones(2**17)

    def together():
        return [np.ones(2**17) for _ in range(3)]

    assert 2**20 <= peak_of(one_after_another) < 2**20 + 2**14
    assert 3 * 2**20 <= peak_of(together) < 3 * 2**20 + 2**14


@pytest.mark.parametrize("key", [k for k in CASES if k.startswith("everyday")])
def test_derivations_have_statements(key):
    assert CASES[key].own()


def test_tables_are_markdown():
    table = Printed("T", ("a", "b"), [("x", "1")], ["a note"])
    assert table.markdown == "## T\n\n- a note\n\n| a | b |\n| --- | --: |\n| x | 1 |\n"
