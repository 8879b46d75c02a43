"""Imported before NumPy and JAX, which read these once: one thread each, and JAX on the CPU."""

from __future__ import annotations

import os
import sys
from pathlib import Path

for _variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS"):
    os.environ[_variable] = "1"
os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
os.environ["JAX_PLATFORMS"] = "cpu"

# Runs beside the working tree too, where symderiv is not installed; and what tests share stands one folder up.
sys.path += map(str, Path(__file__).resolve().parents[1:3])
