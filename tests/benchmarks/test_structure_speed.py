"""Newton's step through the factors of a Hessian, against the same through all of its entries.

The Hessian of `norm(T - U @ V.T)**2` in U is `δ ⊗ 2 V.T V`: k² numbers instead of (m k)².  Either way the step
starts from the arrays: factors or entries are computed, then the system is solved.
"""

from __future__ import annotations

from statistics import median
from time import process_time

import numpy as np
import pytest

from symderiv import derive

M, K, N = 200, 10, 300
SHAPES = {"T": ("m", "n"), "U": ("m", "k"), "V": ("n", "k")}
HESSIAN = derive("norm(T - U @ V.T)**2", ["U", "U"], shapes=SHAPES)
GRADIENT = derive("norm(T - U @ V.T)**2", "U", shapes=SHAPES).compile()


@pytest.fixture(scope="module")
def arrays():
    rng = np.random.default_rng(0)
    return {k: rng.standard_normal(s) for k, s in {"T": (M, N), "U": (M, K), "V": (N, K)}.items()}


def steps(arrays):
    """Return the two ways to the step, as functions of nothing."""
    structured, entries, slope = HESSIAN.structure.compile(), HESSIAN.compile(), GRADIENT(**arrays)

    def through_factors():
        return structured(**arrays).solve(slope)

    def through_entries():
        flat = entries(**arrays).reshape(M * K, M * K)
        return np.linalg.solve(flat, slope.reshape(-1)).reshape(M, K)

    return through_factors, through_entries


def timed(function):
    start = process_time()
    function()
    return process_time() - start


def test_through_factors(benchmark, arrays):
    benchmark.group = "Newton step of the matrix factorisation"
    benchmark(steps(arrays)[0])


def test_through_entries(benchmark, arrays):
    benchmark.group = "Newton step of the matrix factorisation"
    benchmark.pedantic(steps(arrays)[1], rounds=5)


def test_ratio(benchmark, arrays):
    """At least 100 times faster, with the same result; rounds interleaved."""
    factors, entries = steps(arrays)
    np.testing.assert_allclose(factors(), entries(), rtol=1e-9, atol=1e-12)
    rounds = [(timed(entries), median(timed(factors) for _ in range(25))) for _ in range(5)]
    ratio = median(slow for slow, _ in rounds) / median(fast for _, fast in rounds)
    benchmark.group = "Newton step of the matrix factorisation"
    benchmark.extra_info["entries / factors"] = round(ratio)
    benchmark(factors)
    assert ratio >= 100
