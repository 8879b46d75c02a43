"""What the recurrences of the benchmarks compare is the same: by hand, generated, and differences of the value."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("scipy")

from recurrence_speed import RECURRENCES, cells, measured, printed, same

SMALL = {"T": 5, "N": 5, "n": 4, "d": 3, "m": 2, "P": 6}


@pytest.fixture(params=RECURRENCES.values(), ids=RECURRENCES.keys())
def recurrence(request):
    return request.param


def small(recurrence):
    return recurrence.data({name: SMALL[name] for name in recurrence.sizes})


def test_by_hand_is_what_is_generated(recurrence):
    data = small(recurrence)
    before = {name: np.array(value) for name, value in data.items()}
    assert same(recurrence.by_hand(**data), recurrence.generated(**data))
    assert all(np.array_equal(before[name], data[name]) for name in data)


def test_gradients_by_hand_are_differences_of_the_value():
    recurrence = RECURRENCES["gated network"]
    data = small(recurrence)
    _, *gradients = recurrence.by_hand(**data)
    for name, gradient in zip(("W", "F", "U", "h0", "c0"), gradients, strict=True):
        for k in np.ndindex(*gradient.shape):
            ends = []
            for step in (1e-5, -1e-5):
                moved = {n: np.array(v) for n, v in data.items()}
                moved[name][k] += step
                ends.append(recurrence.by_hand(**moved)[0])
            assert abs(gradient[k] - (ends[0] - ends[1]) / 2e-5) < 1e-7


def test_a_recurrence_is_measured():
    from dataclasses import replace

    recurrence = RECURRENCES["classifier"]
    row = measured(replace(recurrence, sizes={name: SMALL[name] for name in recurrence.sizes}), rounds=2)
    assert row.same
    assert all(len(s) == 2 and np.all(s > 0) for s in row.seconds.values())
    assert row.doubled > row.peaks["generated"] / 2
    assert len(cells(row)) == len(printed([row]).columns)


def test_what_differs_is_not_the_same():
    assert same((1.0, np.ones(3)), (1.0, np.ones(3)))
    assert not same((1.0, np.ones(3)), (1.0, np.full(3, 1 + 1e-6)))
    assert not same((np.ones(3),), (np.ones((3, 1)),))
