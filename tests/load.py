"""A thousand different derivatives in one process, then some of them in threads and processes: `make load`.

Each is derived, proved, checked, printed and generated. What is kept on purpose (memos of bounded length) is full
after the first ones; after that, memory may not grow. Two threads, which share the memos, and two processes, which
hash by seeds of their own, come to the same texts as one alone.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Sequence
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from hashlib import sha256
from multiprocessing import get_context
from pathlib import Path
from time import process_time

from symderiv.derivation import derive
from symderiv.errors import SymderivError
from symderiv.testing.fuzz import TimeUpError, at_most, case

SEED, CASES, WARM, MOST = 5, 1300, 200, 0.10  # growth after the first ones, relative to what they took
SECONDS = 10
TWICE = 150  # so many of them are taken again, by two at a time


def resident() -> float:
    """Return the resident memory of this process, in MiB."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096 / 2**20


def once(number: int) -> str:
    """Take one random derivative with all that belongs to it; return the digest of its texts."""
    problem = case(SEED, number)
    d = derive(problem.sample.text, list(problem.wrt), **problem.sample.declarations)
    d.proof.check()
    texts = (str(d.result), d.to_numpy(value=True), d.to_latex(), d.proof.to_latex(), d.proof.to_json())
    assert all(texts)
    return sha256("\0".join(texts).encode()).hexdigest()


def in_time(number: int) -> str:
    """Take one; return nothing where it is refused or takes too long."""
    try:
        with at_most(SECONDS):
            return once(number)
    except (SymderivError, TimeUpError):
        return ""


def grown() -> tuple[float, dict[int, str]]:
    """Take them all, and print memory as it goes; return by how much it has grown, and the digests."""
    found: dict[int, str] = {}
    warm = 0.0
    for number in range(CASES):
        found[number] = in_time(number)
        if number % 100 == 99:
            gc.collect()
            said = f"{resident():.1f} MiB after {process_time():.0f} s"
            print(f"{number + 1:5} taken, {len(list(filter(None, found.values())))} to the end: {said}", flush=True)
        if number == WARM - 1:
            warm = resident()
    return resident() / warm - 1, {number: digest for number, digest in found.items() if digest}


def differing(pool: Executor, alone: dict[int, str]) -> list[int]:
    """Return the numbers at which two at a time come to something else; every third number is asked for twice."""
    asked: Sequence[int] = [*alone, *reversed(list(alone)[::3])]
    with pool:
        return [number for number, digest in zip(asked, pool.map(once, asked), strict=True) if digest != alone[number]]


def main() -> int:
    """Print what was found; return the exit code."""
    growth, digests = grown()
    print(f"grown by {growth:.1%} since the first {WARM}", flush=True)
    alone = {number: digest for number, digest in digests.items() if number < TWICE}
    sys.setswitchinterval(1e-4)
    threads = differing(ThreadPoolExecutor(2), alone)
    print(f"two threads: {len(alone)} derivatives, other results at {threads or 'none'}", flush=True)
    processes = differing(ProcessPoolExecutor(2, mp_context=get_context("spawn")), alone)
    print(f"two processes: {len(alone)} derivatives, other results at {processes or 'none'}")
    return int(growth > MOST or bool(threads or processes))


if __name__ == "__main__":
    sys.exit(main())
