"""Passes over memory in other words have the same values, far out too."""

from __future__ import annotations

import numpy as np
import pytest

from symderiv import hvp
from symderiv.code.compiled import compiled
from symderiv.code.costs import Costs, representative
from symderiv.code.numpy import Writer
from symderiv.code.passes import in_fast_words, with_reciprocals
from symderiv.code.source import Argument, Source
from symderiv.tensor.expr import walk
from symderiv.tensor.parse import parse, scope_of
from symderiv.tensor.text import to_text

SCOPE = scope_of({"X": ("n", "p"), "S": ("n", "n"), "d": ("n",), "w": ("p",), "s": ()})
NAMES = {k: v.shape for k, v in SCOPE.names.items()}
rng = np.random.default_rng(0)


def plain(text):
    return parse(text, SCOPE)


def fast(text, **sizes):
    root = plain(text)
    return in_fast_words([root], Costs(representative([root], sizes)))[0]


def value(root, **arrays):
    arguments = [Argument(k, v) for k, v in NAMES.items()]
    return compiled(Writer(Source("f", arguments, [root], "f.")).module(), "f")(**arrays)


def arrays(n=4, p=3, kind=float):
    sizes = {"n": n, "p": p}
    return {k: rng.normal(size=[sizes[str(a)] for a in v]).astype(kind) for k, v in NAMES.items()}


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("sum(X, 1)", "einsum('ij->i', X)"),
        ("sum(X, 0)", "sum(X, 0)"),  # rows are added to one another
        ("sum(X.T, 0)", "einsum('ji->j', X)"),
        ("sum(X.T, 1)", "sum(X.T, 1)"),
        ("mean(X, 1)", "einsum('ij->i', X) / p"),
        ("sum(X)", "sum(X)"),
        ("X / sqrt(d)[:, None]", "X * (1 / sqrt(d))[:, None]"),
        ("X / (1 + w)", "X * (1 / (1 + w))"),
        ("X / w", "X / w"),  # an entry of w may be so small that its reciprocal overflows
        ("X / 3", "X / 3"),
        ("X / n", "X / n"),
        ("X / (1 + s)", "X * (1 / (1 + s))"),
        ("X / s", "X / s"),
    ],
)
def test_the_words(text, wanted):
    assert to_text(fast(text)) == wanted
    given = arrays() | {"d": rng.uniform(1, 2, 4)}
    assert np.allclose(value(fast(text), **given), value(plain(text), **given))


def test_long_rows_are_added_in_pairs():
    assert fast("sum(X, 1)", n=100, p=100_000).op == "sum"
    assert fast("sum(X, 1)", n=100_000, p=10).op == "einsum"


def test_what_is_not_notable_stays():
    text = "sum(S @ S @ (S @ S), 0) + sum(X, 1)"
    assert "einsum" not in {e.op for e in walk(fast(text, n=1000, p=10))}


@pytest.mark.parametrize("kind", [np.float32, np.float64])
@pytest.mark.parametrize("text", ["X / sqrt(d)[:, None]", "X / (s - 1)", "X / (1 + w)", "X / sqrt(d * 0)[:, None]"])
def test_far_out(text, kind):
    """Where the smallest numbers are divided by, and 0."""
    info = np.finfo(kind)
    least, most = info.smallest_subnormal, info.max
    (root,) = with_reciprocals([plain(text)], Costs(representative([plain(text)])))
    assert root is not plain(text)
    given = arrays(kind=kind) | {
        "X": np.array([[1, 0, -1], [0.5, 2, 3], [info.tiny, most, -info.tiny], [np.inf, 1, np.nan]], dtype=kind),
        "d": np.array([least, 1, most, 0], dtype=kind),
        "w": np.array([-1, -1 + info.epsneg, 1e30], dtype=kind),
        "s": np.array(1 + info.eps, dtype=kind),
    }
    with np.errstate(all="ignore"):
        found, wanted = value(root, **given), value(plain(text), **given)
    assert found.dtype == wanted.dtype == kind
    assert np.allclose(found, wanted, rtol=8 * float(info.eps), atol=float(info.tiny), equal_nan=True)


def test_a_condition_is_found_once():
    shapes = {"A": ("n", "n"), "B": ("n", "n"), "x": ("n",), "y": ("n",)}
    product = hvp("norm(A @ relu(B @ x) - y)**2", "x", direction="v", shapes=shapes)
    assert product.to_numpy(sizes={"n": 1000}).count("> 0") == 1
    text = "X * where(X > 0, 1, 0) + w * where(X > 0, 1, 0)"
    given = arrays()
    assert np.allclose(value(fast(text), **given), (given["X"] + given["w"]) * (given["X"] > 0))
