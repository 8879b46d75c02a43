"""From entries to arrays."""

from __future__ import annotations

import numpy as np
import pytest

from symderiv.errors import UnsupportedError
from symderiv.lower import index_ranges
from symderiv.tensor.entries import array_of, standing
from symderiv.tensor.parse import Scope, parse, scope_of
from symderiv.tensor.text import to_text

SHAPES = "X(n,n) Y(n,p) x(n) y(p) Z(n,p,n) c()"


@pytest.fixture(scope="module")
def indices(shapes_of):
    scope: Scope = scope_of(shapes_of(SHAPES))
    scope.indices = True
    return scope


@pytest.mark.parametrize(
    ("body", "labels", "want"),
    [
        ("x[i]", "i", "x"),
        ("X[i, j]", "ij", "X"),
        ("X[i, j]", "ji", "X.T"),
        ("X[i, i]", "i", "diag(X)"),
        ("X[i, i] * Y[i, j]", "ij", "diag(X)[:, None] * Y"),
        ("x[i] + y[j]", "ij", "x[:, None] + y"),
        ("x[i] + y[j]", "ji", "x + y[:, None]"),
        ("delta[i, j] * x[i]", "ij", "diag(x)"),
        ("exp(x[i]) / c", "i", "exp(x) / c"),
        ("x[i]", "ij", "x[:, None] * ones(n, n)"),
        ("y[j]", "ij", "y * ones(n, p)"),
        ("c * n", "i", "c * n * ones(n)"),
        ("sum[k](X[i, k] * X[k, j])", "ij", "X @ X"),
        ("where(x[i] > 0, x[i], X[i, i])", "i", "where(x > 0, x, diag(X))"),
        ("Z[i, j, i]", "ji", "einsum('iji->ji', Z)"),
    ],
)
def test_arrays(body, labels, want, indices, arrays, evaluate):
    expr = parse(body, indices)
    ranges = {"i": "n", "k": "n", "j": "p" if "Y" in body or "y" in body or "Z" in body else "n"}
    axes = {name: (indices.sizes[size],) for name, size in ranges.items()}
    found = array_of(expr, list(labels), {**axes, **index_ranges(expr)})
    assert [str(s) for s in found.shape] == [str(axes[name][0]) for name in labels]
    given = arrays(SHAPES)
    np.testing.assert_allclose(evaluate(to_text(found), SHAPES, given), evaluate(want, SHAPES, given), rtol=1e-12)


def test_what_stands_free(indices):
    assert standing(parse("sum[k](X[i, k] * x[k]) * y[j]", indices)) == {"i", "j"}
    assert standing(parse("delta[i, j] * c", indices)) == {"i", "j"}
    assert standing(parse("trace(X)", indices)) == set()


def test_what_is_no_entrywise_function_is_refused(indices):
    with pytest.raises(UnsupportedError, match="free index"):
        array_of(parse("trace(X * x[i])", indices), ["i"], {"i": (indices.sizes["n"],)})
