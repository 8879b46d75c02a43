"""Sizes, shapes, broadcasting as NumPy has it."""

from __future__ import annotations

import numpy as np
import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st

from symderiv import dims
from symderiv.errors import ShapeError

SHAPE = st.lists(st.integers(1, 3), max_size=4).map(tuple)


@settings(max_examples=150, deadline=None)
@given(SHAPE, SHAPE)
def test_broadcast_is_numpys(left, right):
    try:
        want = np.broadcast_shapes(left, right)
    except ValueError:
        with pytest.raises(ShapeError, match="do not agree"):
            dims.broadcast(dims.shape(left), dims.shape(right))
    else:
        assert dims.broadcast(dims.shape(left), dims.shape(right)) == dims.shape(want)


@pytest.mark.parametrize(("left", "right", "want"), [
    (("n", "m"), ("m",), ("n", "m")),
    (("n", 1), (1, "m"), ("n", "m")),
    ((), ("n",), ("n",)),
    (("n",), ("n",), ("n",)),
    ((1, 1, 1), ("n",), (1, 1, "n")),
])  # fmt: skip
def test_symbols_broadcast_only_against_one(left, right, want):
    assert dims.broadcast(dims.shape(left), dims.shape(right)) == dims.shape(want)
    assert dims.broadcast(dims.shape(right), dims.shape(left)) == dims.shape(want)


@pytest.mark.parametrize(("left", "right", "hint"), [
    (("n", "m"), ("n",), "v[:, None]"),
    (("n",), ("n", "m"), "v[:, None]"),
    (("n", "m"), ("m", "n"), "transpose"),
    (("n",), ("m",), "equal shapes"),
    (("n",), (3,), "equal shapes"),
])  # fmt: skip
def test_a_mismatch_shows_both_shapes_and_a_remedy(left, right, hint):
    with pytest.raises(ShapeError) as err:
        dims.broadcast(dims.shape(left), dims.shape(right), ("a", "b"))
    assert hint in str(err.value)
    assert err.value.shapes == {"a": dims.written(dims.shape(left)), "b": dims.written(dims.shape(right))}


@pytest.mark.parametrize("value", [0, -1, True, 1.5, None, "", "n m", "1n", "n*m", [3]])
def test_what_is_no_size(value):
    with pytest.raises(ShapeError):
        dims.size(value)


def test_sizes_of_one_name_are_one_object():
    assert dims.size("n") is dims.symbol("n")
    assert dims.size("3") == dims.size(3) == sympy.Integer(3)
    assert dims.size("n").is_positive
    assert dims.product(dims.shape(["n", 3, "n"])) == 3 * dims.symbol("n") ** 2
    assert dims.product(()) == 1


@pytest.mark.parametrize(("shape", "text"), [((), "()"), (("n",), "(n,)"), (("n", 3), "(n, 3)")])
def test_shapes_as_text(shape, text):
    assert dims.written(dims.shape(shape)) == text
