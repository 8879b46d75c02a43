"""CPU time of several contenders, interleaved, and the memory that they take."""

from __future__ import annotations

import ctypes
import platform
import time
import tracemalloc
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

Call = Callable[[], Any]
BATCH = 5e-3  # seconds of CPU time that a batch of calls takes at least
SETTLE = 0.03  # seconds


@dataclass(frozen=True)
class Ratio:
    """A median with its quartiles."""

    low: float
    median: float
    high: float

    @classmethod
    def of(cls, above: np.ndarray, below: np.ndarray) -> Ratio:
        """Return the ratio within a round over the rounds: what slows the machine down slows both."""
        return cls(*np.percentile(above / below, [25, 50, 75]))


def interleaved(calls: Mapping[str, Call], rounds: int, threaded: Collection[str] = ()) -> dict[str, np.ndarray]:
    """Return seconds of CPU time a call, in each round, of every contender; the order turns from round to round.

    What is threaded comes last in a round, is charged with all threads, and gets a moment to settle: JAX's threads
    give memory back after a call has returned, and whoever comes next must not pay for it.
    """
    counts = {name: calls_a_batch(call) for name, call in calls.items()}
    names = [name for name in calls if name not in threaded]
    seconds = {name: np.empty(rounds) for name in calls}
    for k in range(rounds):
        turn = k % len(names)
        for name in names[turn:] + names[:turn]:
            calls[name]()  # not counted: it finds caches and heap as another left them
            seconds[name][k] = timed(calls[name], counts[name])
        for name in threaded:
            seconds[name][k] = timed(calls[name], counts[name], time.process_time)
            time.sleep(SETTLE)
    return seconds


def timed(call: Call, count: int = 1, clock: Callable[[], float] = time.thread_time) -> float:
    """Return seconds of CPU time a call."""
    start = clock()
    for _ in range(count):
        call()
    return (clock() - start) / count


def calls_a_batch(call: Call) -> int:
    """Return how many calls a batch needs."""
    call()
    count = 1
    while (spent := timed(call, count, time.process_time) * count) < BATCH:
        count = max(count + 1, min(10 * count, int(1.2 * count * BATCH / max(spent, 1e-9))))
    return count


def peak_of(call: Call) -> int:
    """Return the most bytes that a call holds in NumPy's arrays at once, its result included."""
    call()
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        tracemalloc.reset_peak()
        result = call()
        _, peak = tracemalloc.get_traced_memory()
        del result
    finally:
        tracemalloc.stop()
    return peak - before


def keep_freed_memory() -> None:
    """Let glibc keep what is freed for what is allocated next, as in a program that has worked for a while.

    Otherwise it gives pages back to the system now and then, and fresh ones cost more than the work on them: a
    ratio then tells who came after whom.  Other allocators are left as they are.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None) if platform.system() == "Linux" else None
    if mallopt:
        mallopt(-3, 2**25)  # M_MMAP_THRESHOLD: arrays up to 32 MiB, the most that it takes, from the heap
        mallopt(-1, 2**30)  # M_TRIM_THRESHOLD: and the heap stays
