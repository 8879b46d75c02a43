"""The last touch on a result: the same value, at kinks as well."""

from __future__ import annotations

import numpy as np
import pytest

from symderiv import derive
from symderiv.shorten import shortened
from symderiv.tensor.parse import parse, scope_of
from symderiv.tensor.text import to_text

SHAPES = {"x": ("n",), "y": ("n",), "c": ("n",)}


@pytest.mark.parametrize(
    ("text", "shown", "low", "high"),
    [
        ("c @ minimum(maximum(x, -0.5), 0.5)", "0.5 * c * (sign(x + 0.5) + sign(0.5 - x))", -0.5, 0.5),
        ("c @ minimum(maximum(x, 0), 1)", "0.5 * c * (sign(x) + sign(1 - x))", 0, 1),
        ("c @ maximum(minimum(x, 2), -1)", "0.5 * c * (sign(x + 1) + sign(2 - x))", -1, 2),
    ],
)
def test_the_slope_of_a_clip(text, shown, low, high):
    d = derive(text, "x", shapes=SHAPES)
    assert str(d.result) == shown
    d.proof.check()
    x = np.array([-3, -1, -0.5, 0, 0.2, 0.5, 1, 1.5, 2, 3])
    half = 0.5 * ((x > low) & (x <= high)) + 0.5 * ((x >= low) & (x < high))
    np.testing.assert_allclose(d.compile()(x=x, c=np.arange(10.0)), half * np.arange(10))


@pytest.mark.parametrize(
    "text",
    [
        "(1 + sign(x - 1)) * (1 + sign(0 - maximum(x, 1)))",  # 0 < 1: no clip
        "(1 + sign(x - 1)) * (1 + sign(2 - maximum(x, 0)))",  # two different bounds
        "(1 + sign(x)) * (1 + sign(y - maximum(x, 0)))",  # the bound is no number
        "(1 + sign(x)) * (1 + sign(maximum(x, 0) - 2))",  # the other way round
        "(1 + sign(2 - x)) * (1 + sign(1 - minimum(x, 2)))",
        "where(abs(x) < 1, x, 2 * sign(x))",
        "where(abs(x) > 1, x, sign(x))",
    ],
)
def test_what_only_looks_like_it_stays(text):
    expr = parse(text, scope_of(SHAPES))
    assert to_text(shortened(expr)) == to_text(expr)
