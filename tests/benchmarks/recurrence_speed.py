"""Generated recurrences against loops by hand: CPU time on one thread, interleaved, and peak memory.

python tests/benchmarks/recurrence_speed.py [names…] [--rounds 15] [--source]
"""

from __future__ import annotations

if __name__ == "__main__":
    import one_thread  # noqa: F401

import argparse
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import networks
import numpy as np
import recurrence_references
from printing import Cells, Printed, show
from timing import Ratio, interleaved, keep_freed_memory, peak_of

from symderiv.sheet import Sheet

ROUNDS = 15
MOST_BY_HAND = 1.10
COLUMNS = ("recurrence", "sizes", "by hand ms", "generated / hand", "MiB generated", "MiB hand", "MiB, twice the steps")


@dataclass(frozen=True)
class Recurrence:
    """A sheet that asks for code, the shapes of the arguments, and the same by hand.

    Integers are told by the name of the size that they lie below.
    """

    name: str
    text: str
    shapes: Mapping[str, tuple[str, ...] | str]
    sizes: Mapping[str, int]
    by_hand: Callable[..., Any]
    steps: str = "T"

    @property
    def generated(self) -> Any:
        """Return the generated function."""
        (code,) = (claim.code for claim in Sheet(self.text).claims if claim.code is not None)
        return code.compile()

    def data(self, sizes: Mapping[str, int] | None = None) -> dict[str, Any]:
        """Return random arguments; matrices are scaled so that nothing grows."""
        sizes = sizes or self.sizes
        rng = np.random.default_rng(0)

        def drawn(name: str, axes: tuple[str, ...] | str) -> Any:
            if isinstance(axes, str):
                return rng.integers(sizes[axes], size=sizes[self.steps])
            if axes == () and name in sizes:
                return sizes[name]
            shape = tuple(sizes[a] for a in axes)
            scale = 0.5 / np.sqrt(shape[-1]) if len(shape) == 2 and axes[0] != self.steps else 1
            return scale * rng.standard_normal(shape) if shape else np.array(0.7)

        return {name: drawn(name, axes) for name, axes in self.shapes.items()}


NETWORK = f"""{networks.TANH}
code(L, diff(L, b), diff(L, c), diff(L, U), diff(L, V), diff(L, W))
"""
STREAMING = networks.INVERSE + "code(Q[N])\n"
CLASSIFIER = """
V: (m, n)
for t in range(1, T + 1):
    x[t]: (n,)
    y[t]: index(m)
    p[t] = softmax(V @ x[t], 0)
    ell[t] = -log(p[t][y[t]])
L = sum(ell[t] for t in range(1, T + 1)) / T
code(L, diff(L, V))
"""
NETWORK_SHAPES = {
    "b": ("n",), "W": ("n", "n"), "U": ("n", "d"), "c": ("m",), "V": ("m", "n"), "h0": ("n",), "x": ("T", "d"),
    "y": "m",
}  # fmt: skip
GATED_SHAPES = {
    "U": ("n", "d"), "W": ("n", "n"), "F": ("n", "n"), "h0": ("n",), "c0": ("n",), "x": ("T", "d"),
}  # fmt: skip

RECURRENCES = {
    r.name: r
    for r in (
        Recurrence(
            "recurrent network, width 64", NETWORK, NETWORK_SHAPES, {"T": 200, "n": 64, "d": 64, "m": 32},
            recurrence_references.recurrent_network,
        ),
        Recurrence(
            "recurrent network, width 128", NETWORK, NETWORK_SHAPES, {"T": 200, "n": 128, "d": 64, "m": 32},
            recurrence_references.recurrent_network,
        ),
        Recurrence(
            "recurrent network, many steps", NETWORK, NETWORK_SHAPES, {"T": 1000, "n": 64, "d": 32, "m": 16},
            recurrence_references.recurrent_network,
        ),
        Recurrence(
            "gated network", networks.GATED, GATED_SHAPES, {"T": 200, "n": 96, "d": 64},
            recurrence_references.gated_network,
        ),
        Recurrence(
            "two loops", networks.TWO_LOOPS, {"W": ("n", "n"), "v": ("n",), "h0": ("n",), "T": ()}, {"T": 200, "n": 96},
            recurrence_references.two_loops,
        ),
        Recurrence(
            "inverse, pattern by pattern", STREAMING, {"alpha": (), "b": ("N", "P")}, {"N": 200, "P": 100},
            recurrence_references.streaming_inverse, "N",
        ),
        Recurrence(
            "classifier", CLASSIFIER, {"V": ("m", "n"), "x": ("T", "n"), "y": "m"}, {"T": 1000, "n": 100, "m": 32},
            recurrence_references.classifier,
        ),
    )
}  # fmt: skip


@dataclass(frozen=True)
class Row:
    """What was measured: seconds in each round and peak bytes by contender, and the peak for twice the steps."""

    recurrence: Recurrence
    seconds: Mapping[str, np.ndarray]
    peaks: Mapping[str, int]
    doubled: int
    same: bool

    @property
    def ratio(self) -> Ratio:
        """Return generated code's time over that of code by hand."""
        return Ratio.of(self.seconds["generated"], self.seconds["by hand"])


def measured(recurrence: Recurrence, rounds: int = ROUNDS) -> Row:
    """Return the times of a recurrence, interleaved, and its peaks of memory."""
    keep_freed_memory()
    data, function = recurrence.data(), recurrence.generated
    calls = {"generated": lambda: function.function(**data), "by hand": lambda: recurrence.by_hand(**data)}
    peaks = {name: peak_of(call) for name, call in calls.items()}
    twice = recurrence.data({**recurrence.sizes, recurrence.steps: 2 * recurrence.sizes[recurrence.steps]})
    doubled = peak_of(lambda: function.function(**twice))
    return Row(recurrence, interleaved(calls, rounds), peaks, doubled, same(*(call() for call in calls.values())))


def same(one: Any, other: Any) -> bool:
    """Say whether two results agree to nine digits of their largest entries."""
    pairs = zip(*(r if isinstance(r, tuple) else (r,) for r in (one, other)), strict=True)
    return all(np.shape(a) == np.shape(b) and np.max(np.abs(a - b)) <= 1e-9 * np.max(np.abs(b)) for a, b in pairs)


def cells(row: Row) -> Cells:
    """Return what a table has of a row; `!` marks a ratio above its limit."""
    ratio, recurrence = row.ratio, row.recurrence
    return (
        recurrence.name + ("" if row.same else " (differs)"),
        ", ".join(f"{k} {v}" for k, v in recurrence.sizes.items()),
        f"{1e3 * np.median(row.seconds['by hand']):.3f}",
        f"{ratio.median:.2f} ({ratio.low:.2f}–{ratio.high:.2f})" + ("" if ratio.median <= MOST_BY_HAND else " !"),
        *(f"{size / 2**20:.2f}" for size in (row.peaks["generated"], row.peaks["by hand"], row.doubled)),
    )


def printed(rows: Sequence[Row]) -> Printed:
    """Return the table, worst first."""
    ordered = sorted(rows, key=lambda row: -row.ratio.median)
    notes = [
        "CPU time on one thread, float64; medians over interleaved rounds with quartiles; worst ratio first.",
        f"At most {MOST_BY_HAND:.2f} of a loop by hand; `!` is above.",
        "Memory is the peak of a call, its result included; twice the steps take about twice of it.",
    ]
    return Printed("Recurrences", COLUMNS, [cells(row) for row in ordered], notes, left=2)


def rows(names: Sequence[str] = (), rounds: int = ROUNDS) -> Iterator[Row]:
    """Yield what is measured of the recurrences that have one of the words in their names, of all without a word."""
    for recurrence in RECURRENCES.values():
        if not names or any(n in recurrence.name for n in names):
            yield measured(recurrence, rounds)


def main() -> None:
    parser = argparse.ArgumentParser(description="Time generated recurrences.")
    parser.add_argument("names", nargs="*", help="recurrences; a part of a name chooses all that have it")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--source", action="store_true", help="print the generated functions too")
    options = parser.parse_args()
    if options.source:
        for recurrence in RECURRENCES.values():
            print(recurrence.generated.source)
    found = []
    for row in rows(options.names, options.rounds):
        found.append(row)
        print("  ".join(cells(row)), flush=True)
    show(printed(found))


if __name__ == "__main__":
    main()
