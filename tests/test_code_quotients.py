"""Quotients of exponentials in generated code keep their numbers."""

from __future__ import annotations

import numpy as np
import pytest

from symderiv import derive


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1 / cosh(x)", lambda x: 1 / np.cosh(x)),
        ("tanh(x) / cosh(x)", lambda x: np.tanh(x) / np.cosh(x)),
        ("1 / cosh(x)**3", lambda x: 1 / np.cosh(x) ** 3),
        ("1 / (3 * exp(x) + 2 * exp(-x))", lambda x: 1 / (3 * np.exp(x) + 2 * np.exp(-x))),
        ("1 / (3 * exp(x) + 3 * exp(-x))**2", lambda x: 1 / (3 * np.exp(x) + 3 * np.exp(-x)) ** 2),
        ("exp(x) / (5 * exp(x) + 5 * exp(-x))", lambda x: np.exp(x) / (5 * np.exp(x) + 5 * np.exp(-x))),
    ],
)
def test_the_numbers_before_the_exponentials_stay(text, value):
    x = np.array([-2.3, -0.4, 0.0, 0.7, 3.1])
    run = derive(f"sum(({text}) * c)", "c", shapes={"x": ("n",), "c": ("n",)}).compile()
    np.testing.assert_allclose(run(x=x, c=np.ones(5)), value(x), rtol=1e-12)
