"""A thousand different derivatives in one process: `make load` says how memory goes on, and fails where it grows.

Each is derived, proved, checked, printed and generated. What is kept on purpose (memos of bounded length) is full
after the first ones; after that, memory may not grow.
"""

from __future__ import annotations

import gc
import sys
from pathlib import Path
from time import process_time

from symderiv.derivation import derive
from symderiv.errors import SymderivError
from symderiv.testing.fuzz import TimeUpError, at_most, case

CASES, WARM, MOST = 1300, 300, 0.10  # growth after the first ones, relative to what they took
SECONDS = 10


def resident() -> float:
    """Return the resident memory of this process, in MiB."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096 / 2**20


def once(number: int) -> bool:
    """Take one random derivative with all that belongs to it; tell whether it was not refused."""
    problem = case(5, number)
    try:
        with at_most(SECONDS):
            d = derive(problem.sample.text, list(problem.wrt), **problem.sample.declarations)
            d.proof.check()
            for text in (d.to_numpy(value=True), d.to_latex(), d.proof.to_latex(), d.proof.to_json()):
                assert text
    except (SymderivError, TimeUpError):
        return False
    return True


def main() -> int:
    """Print memory as it goes; return the exit code."""
    done = 0
    warm = 0.0
    for number in range(CASES):
        done += once(number)
        if number % 100 == 99:
            gc.collect()
            said = f"{resident():.1f} MiB after {process_time():.0f} s"
            print(f"{number + 1:5} taken, {done} to the end: {said}", flush=True)
        if number == WARM:
            warm = resident()
    growth = resident() / warm - 1
    print(f"grown by {growth:.1%} since the first {WARM}")
    return int(growth > MOST)


if __name__ == "__main__":
    sys.exit(main())
