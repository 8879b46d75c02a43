"""Each row of the table of scalar functions: its derivative, its NumPy, its LaTeX, at its sample points."""

from __future__ import annotations

import numpy as np
import pytest

from symderiv import derive
from symderiv.functions import FUNCTIONS

ROWS = pytest.mark.parametrize("row", FUNCTIONS.values(), ids=list(FUNCTIONS))


def difference(f, u, h=1e-3):
    return (8 * (f(u + h) - f(u - h)) - (f(u + 2 * h) - f(u - 2 * h))) / (12 * h)


@ROWS
def test_the_formula_is_the_slope(row, evaluate):
    def f(u):
        return float(evaluate(f"{row.name}(u)", "u()", {"u": np.asarray(u)}))

    for u in row.samples:
        given = {"u": np.asarray(u), "f": np.asarray(f(u))}
        assert float(evaluate(row.derivative, "u() f()", given)) == pytest.approx(difference(f, u), rel=1e-8, abs=1e-9)


@ROWS
def test_the_second_derivative_as_derived_and_generated(row, evaluate):
    d = derive(f"{row.name}(u)", ["u", "u"], shapes={"u": ("n",)})
    u = np.array(row.samples)

    def slope(t):
        given = {"u": t, "f": evaluate(f"{row.name}(u)", "u(n)", {"u": t})}
        return evaluate(row.derivative + " + 0 * u", "u(n) f(n)", given)

    at = np.arange(len(u))
    got = d.compile()(u=u)
    np.testing.assert_allclose(got[at, at, at], difference(slope, u), rtol=1e-7, atol=1e-8)
    got[at, at, at] = 0
    assert not np.any(got)


@ROWS
def test_the_generated_code_has_the_value(row, evaluate):
    u = np.array(row.samples)
    value, _ = derive(f"{row.name}(u)", "u", shapes={"u": ("n",)}).compile(value=True)(u=u)
    np.testing.assert_allclose(value, evaluate(f"{row.name}(u)", "u(n)", {"u": u}))


@ROWS
def test_the_row_is_complete(row):
    assert row.latex.startswith("\\")
    assert "{0}" in row.numpy
    assert len(row.samples) >= 3
    assert FUNCTIONS[row.name] is row


@pytest.mark.parametrize("name", ["sigmoid", "softplus"])
def test_the_generated_code_is_stable_far_out(name):
    u = np.array([-800.0, 800.0])
    with np.errstate(all="raise", under="ignore"):
        value, slope = derive(f"{name}(u)", "u", shapes={"u": ("n",)}).compile(value=True)(u=u)
    assert np.all(np.isfinite(value))
    assert np.all(np.isfinite(slope))


@pytest.mark.parametrize("row", [r for r in FUNCTIONS.values() if r.kink], ids=lambda r: r.name)
def test_a_kink_is_said(row):
    assert any(row.kink in note for note in derive(f"{row.name}(u)", "u", shapes={"u": ()}).notes)
