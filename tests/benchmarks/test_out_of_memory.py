"""An X of 4 GiB in chunks of Dask: under 1 GiB resident, and the result is that of NumPy."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("dask.array", reason="dask is not installed")
SCRIPT = Path(__file__).with_name("out_of_memory.py")
ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


@pytest.mark.parametrize("problem", ["logistic", "least squares"])
def test_under_one_gibibyte(problem, benchmark):
    def measured():
        done = subprocess.run(
            [sys.executable, str(SCRIPT), problem], capture_output=True, text=True, check=True,
            env={**os.environ, **ONE_THREAD, "PYTHONPATH": str(SCRIPT.parents[2])},
        )  # fmt: skip
        return json.loads(done.stdout)

    found = benchmark.pedantic(measured, rounds=1)
    benchmark.extra_info.update(found)
    assert found["X in GiB"] == 4
    assert found["peak in GiB"] < 1
    assert found["error of the value"] < 1e-12
    assert found["error of the gradient"] < 1e-10
    assert found["error on a sample"] < 1e-12
