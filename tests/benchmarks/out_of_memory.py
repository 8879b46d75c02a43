"""Gradients over an X of 4 GiB in chunks, in less than 1 GiB: a script that prints what it measured as JSON.

`python tests/benchmarks/out_of_memory.py logistic` — the peak is that of the whole process, so each problem has one
of its own (:mod:`test_out_of_memory`).
"""

from __future__ import annotations

import json
import resource
import sys
import time

import dask
import dask.array as da
import numpy as np

import symderiv

ROWS, COLUMNS, CHUNK = 2**22, 128, 2**15  # 4 GiB of float64, in chunks of 32 MiB
SHAPES = {"X": ("n", "p"), "w": ("p",), "y": ("n",)}
LOSSES = {"logistic": "sum(log(1 + exp(-y * (X @ w))))", "least squares": "norm(X @ w - y)**2"}


def run(problem: str, rows: int = ROWS) -> dict[str, object]:
    """Return peak memory, time, and how far the result is from that of NumPy, block by block and on a sample."""
    random = da.random.default_rng(7)
    X = random.standard_normal((rows, COLUMNS), chunks=(CHUNK, COLUMNS))
    w = np.random.default_rng(3).standard_normal(COLUMNS) / 10
    y = da.where(random.random(rows, chunks=CHUNK) < 0.5, -1.0, 1.0)

    gradient = symderiv.derive(LOSSES[problem], "w", shapes=SHAPES).compile(value=True)
    begin = time.perf_counter()
    value, slope = dask.compute(*gradient(X=X, w=w, y=y))
    seconds = time.perf_counter() - begin
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20  # KiB on Linux

    total, totals = 0.0, np.zeros(COLUMNS)
    for k in range(0, rows, 4 * CHUNK):
        block = slice(k, k + 4 * CHUNK)
        part, slopes = gradient(X=X[block].compute(), w=w, y=y[block].compute())
        total, totals = total + part, totals + slopes
    sample = slice(0, 2 * CHUNK)
    lazy = gradient(X=X[sample], w=w, y=y[sample])[1].compute()
    eager = gradient(X=X[sample].compute(), w=w, y=y[sample].compute())[1]
    return {
        "problem": problem,
        "X in GiB": X.nbytes / 2**30,
        "peak in GiB": round(peak, 3),
        "seconds": round(seconds, 1),
        "error of the value": float(abs(value - total) / abs(total)),
        "error of the gradient": float(np.abs(slope - totals).max() / np.abs(totals).max()),
        "error on a sample": float(np.abs(lazy - eager).max() / np.abs(eager).max()),
    }


if __name__ == "__main__":
    print(json.dumps(run(sys.argv[1], *map(int, sys.argv[2:]))))
