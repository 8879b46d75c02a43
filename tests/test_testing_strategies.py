"""The generator: what it draws has the shape, the kind and the assumptions that were asked for."""

from __future__ import annotations

import subprocess
import sys
from random import Random

import numpy as np
import pytest
from hypothesis import HealthCheck, find, given, settings
from hypothesis import strategies as st

from symderiv import dims
from symderiv.dims import broadcast
from symderiv.errors import ShapeError, UnsupportedError
from symderiv.functions import FUNCTIONS
from symderiv.inputs import read
from symderiv.tensor.expr import plain_axes, walk
from symderiv.tensor.operations import ONE_AXIS, OPERATIONS
from symderiv.tensor.parse import TRAITS
from symderiv.testing.domains import EVERY_PRODUCTION
from symderiv.testing.grammar import Grammar, RandomChoices
from symderiv.testing.productions import INTERNAL
from symderiv.testing.samples import draw_problem, draw_sample
from symderiv.testing.strategies import arrays, derivatives, expressions, points, shapes

quick = settings(max_examples=40, suppress_health_check=list(HealthCheck))


def sampled(seed, **options):
    return draw_sample(RandomChoices(Random(seed)), **options)


# ---------------------------------------------------------------- expressions


def test_every_operation_and_function_is_drawn():
    seen = {e.data[0] if e.op == "map" else e.op for k in range(1200) for e in walk(sampled(k).expr)}
    assert {*OPERATIONS, *FUNCTIONS, "h", "number", "size"} - INTERNAL <= seen


def test_every_way_to_broadcast_is_drawn():
    """Both operands whole; either one without axes, with axes of size 1, or neither whole."""
    found = set()
    for k in range(1500):
        for e in walk(sampled(k).expr):
            if e.op in ("add", "mul") and e.rank == 2:
                found.add(tuple("".join("1" if axis == ONE_AXIS else "n" for axis in a.axes) for a in e.args))
    assert {("nn", "nn"), ("nn", "n"), ("n", "nn"), ("nn", ""), ("", "nn"), ("n1", "nn"), ("nn", "n1")} <= found
    assert {("n1", "n"), ("n", "n1")} & found


def test_the_same_choices_draw_the_same():
    assert [sampled(k).text for k in range(30)] == [sampled(k).text for k in range(30)]


@quick
@given(shapes(), st.integers(0, 1 << 30))
def test_an_expression_has_the_shape_asked_for(shape, seed):
    sample = sampled(seed, axes=plain_axes(dims.shape(shape)))
    assert sample.expr.shape == dims.shape(shape)
    _, back = read(sample.text, sample.shapes, sample.assume, sample.functions)
    assert back.shape == sample.expr.shape


@quick
@given(st.integers(0, 1 << 30), st.integers(2, 4))
def test_operands_are_broadcast_to_the_axes(seed, count):
    g = Grammar(RandomChoices(Random(seed)), EVERY_PRODUCTION)
    axes = g.axes(seed % 4)
    result = ()
    for own in g.operands(axes, count):
        result = broadcast(result, tuple(dims.product(axis) for axis in own))
    assert result == tuple(dims.product(axis) for axis in axes)


@quick
@given(st.data(), st.sampled_from(["positive", "unit"]), st.sampled_from([(), ("n",), ("n", 1), ("n", "m")]))
def test_positive_and_bounded_expressions_are_that(evaluate, data, kind, shape):
    sample = data.draw(expressions(shape, kind=kind, unknown=False, depth=2))
    point = data.draw(points(sample))
    declared = " ".join(f"{k}({','.join(map(str, s))})" for k, s in sample.shapes.items())
    with np.errstate(all="ignore"):
        value = evaluate(sample.text, declared, point)
    value = value[np.isfinite(value)]  # an exponential may overflow
    assert (value >= 0).all() if kind == "positive" else (np.abs(value) <= 1).all()


@quick
@given(derivatives())
def test_a_derivative_is_taken_with_respect_to_declared_variables(problem):
    assert 1 <= len(problem.wrt) <= 3
    assert set(problem.wrt) <= set(problem.sample.variables)
    rank = problem.sample.expr.rank + sum(len(problem.sample.shapes[name]) for name in problem.wrt)
    assert len(problem.wrt) == 1 or rank <= 6


def test_orders_are_drawn_as_wanted():
    choices = RandomChoices(Random(1))
    assert {len(draw_problem(choices, sampled(k), order=1).wrt) for k in range(20)} == {1}
    assert {len(draw_problem(choices, sampled(k)).wrt) for k in range(200)} == {1, 2, 3}


@pytest.mark.parametrize(("part", "most"), [("softmax", 40), ("where", 40), ("einsum", 40), ("kron", 40)])
def test_examples_shrink_to_short_ones(part, most):
    with_part = settings(max_examples=1000, database=None, suppress_health_check=list(HealthCheck))
    found = find(expressions(), lambda s: part in s.text, settings=with_part)
    assert len(found.text) <= most, found.text


@quick
@given(st.data())
def test_a_point_has_all_arrays_at_sizes_that_differ(data):
    sample = data.draw(expressions())
    point = data.draw(points(sample))
    sizes = {}
    for name, shape in sample.shapes.items():
        for size, length in zip(shape, point[name].shape, strict=True):
            assert sizes.setdefault(size, length) == length
    named = [length for size, length in sizes.items() if isinstance(size, str)]
    assert len(set(named)) == len(named)


# ---------------------------------------------------------------- arrays


def is_orthogonal(a):
    return np.allclose(a @ a.T, np.eye(len(a)))


HOLDS = {
    "real": lambda a: np.isfinite(a).all(),
    "positive": lambda a: (a > 0).all(),
    "open_unit": lambda a: (np.abs(a) < 1).all(),
    "probability": lambda a: ((a > 0) & (a < 1)).all(),
    "signs": lambda a: (np.abs(a) == 1).all(),
    "binary": lambda a: np.isin(a, (0, 1)).all(),
    "counts": lambda a: ((a == np.rint(a)) & (a > 0)).all(),
    "simplex": lambda a: (a > 0).all() and np.isclose(a.sum(), 1),
    "simplex_rows": lambda a: (a > 0).all() and np.allclose(a.sum(axis=-1), 1),
    "one_hot_rows": lambda a: np.isin(a, (0, 1)).all() and (a.sum(axis=-1) == 1).all(),
    "symmetric": lambda a: (a == a.T).all(),
    "diagonal": lambda a: (a == np.diag(np.diag(a))).all(),
    "positive_definite": lambda a: (a == a.T).all() and (np.linalg.eigvalsh(a) > 0).all(),
    "invertible": lambda a: np.linalg.cond(a) < 1e6,
    "orthogonal": is_orthogonal,
}


def test_every_assumption_is_known():
    assert set(HOLDS) == TRAITS


@pytest.mark.parametrize("trait", sorted(HOLDS))
def test_arrays_fulfil_an_assumption(trait):
    @settings(quick, max_examples=25)
    @given(st.data())
    def holds(data):
        n = data.draw(st.integers(1, 5))
        assert HOLDS[trait](data.draw(arrays((n,) if trait == "simplex" else (n, n), trait)))

    holds()


@quick
@given(arrays((4, 4), ["symmetric", "invertible"]), arrays((3, 3), ["diagonal", "positive_definite"]))
def test_two_assumptions_at_once(a, b):
    assert HOLDS["symmetric"](a) and HOLDS["invertible"](a)
    assert HOLDS["diagonal"](b) and HOLDS["positive_definite"](b)


def test_what_cannot_be_assumed_is_refused():
    with pytest.raises(ShapeError, match="square"):
        arrays((2, 3), "symmetric").example()
    with pytest.raises(UnsupportedError, match="unknown assumption"):
        arrays((2,), "small").example()


# ---------------------------------------------------------------- hypothesis is an extra

WITHOUT = """
import sys
sys.modules["hypothesis"] = None
import symderiv, symderiv.testing, symderiv.testing.fuzz
try:
    import symderiv.testing.strategies
except ImportError as err:
    print(err)
"""


def test_without_hypothesis_only_the_strategies_are_missing():
    done = subprocess.run([sys.executable, "-c", WITHOUT], capture_output=True, text=True, check=True)
    assert done.stdout == "symderiv.testing.strategies needs hypothesis: pip install 'symderiv[testing]'\n"
