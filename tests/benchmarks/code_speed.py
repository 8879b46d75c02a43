"""Generated code against code by hand and against JAX: CPU time on one thread, interleaved, and peak memory.

    python tests/benchmarks/code_speed.py [names…] [--rounds 15] [--no-jax] [--source]

A round times every contender once, each in a batch of calls long enough for the clock.  A ratio is the median
over the rounds of the ratio within a round; with it come the quartiles.  Results are compared before they are timed.
"""

from __future__ import annotations

if __name__ == "__main__":
    import one_thread  # noqa: F401

import argparse
import copy
import inspect
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

import numpy as np
from printing import Cells, Printed, show
from problems import GRADIENT, GRADIENTS, HESSIAN, HVP, PROBLEMS, STRUCTURED, Problem
from timing import Call, Ratio, interleaved, keep_freed_memory, peak_of, timed

from symderiv import SymderivError

ROUNDS = 15
GENERATED, BY_HAND, JAX, ITS_GRADIENT = "generated", "by hand", "JAX", "gradient"

# What the ratios may be at most: to code by hand, to JAX by the kind of problem, of a product to its gradient.
MOST_BY_HAND, MOST_TO_GRADIENT = 1.10, 2.5
MOST_JAX = {GRADIENT: 1.0, GRADIENTS: 1.0, HVP: 1.0, HESSIAN: 0.3, STRUCTURED: 0.01}


@dataclass(frozen=True)
class Row:
    """What was measured of a problem: seconds in each round, peak bytes, what does not agree, by contender."""

    problem: Problem
    seconds: Mapping[str, np.ndarray]
    peaks: Mapping[str, int]
    checking: float  # seconds a call that the checks of the arguments take
    differs: Sequence[str] = ()
    fails: str = ""  # why there is no generated function

    def ratio(self, other: str) -> Ratio | None:
        """Return generated code's time over that of another, or None where the other is not there."""
        return Ratio.of(self.seconds[GENERATED], self.seconds[other]) if other in self.seconds else None

    @property
    def to_hand(self) -> float:
        ratio = self.ratio(BY_HAND)
        return ratio.median if ratio else float("inf")


# ---------------------------------------------------------------- contenders


def compiled(problem: Problem) -> Any:
    """Return the generated function of a problem, planned for its sizes."""
    compile_it = problem.derivation.compile
    planned = "sizes" in inspect.signature(compile_it).parameters
    return compile_it(sizes=dict(problem.sizes)) if planned else compile_it()


def bare(function: Any, data: Mapping[str, Any]) -> Call:
    """Return a call of the generated function itself, on the arguments that it has."""
    given = {a.name: data[a.name] for a in function.arguments}
    return lambda: function.function(**given)


def checks_of(function: Any, data: Mapping[str, Any]) -> float:
    """Return what the checks take: a call of the same function with nothing in it."""
    result = bare(function, data)()
    hollow = copy.copy(function)
    hollow.function = lambda **_: result
    return float(np.median([timed(lambda: hollow(**data), 100) for _ in range(9)]))


def by_jax(problem: Problem, data: Mapping[str, np.ndarray]) -> tuple[Call, int]:
    """Return a call of what JAX compiles, and the bytes of its result and its work arrays."""
    import jax

    jax.config.update("jax_enable_x64", True)
    import jax.numpy as jnp

    arrays = {name: jnp.asarray(value) for name, value in data.items()}
    varying = {name: arrays[name] for name in problem.wrt}
    fixed = {name: arrays[name] for name in problem.shapes if name not in varying}
    direction = {problem.wrt[0]: arrays[problem.direction]} if problem.direction else None

    def loss(varying: Mapping[str, Any], fixed: Mapping[str, Any]) -> Any:
        given = {**fixed, **varying}
        return problem.loss(jnp, **{name: given[name] for name in problem.shapes})

    def derivative(varying: Mapping[str, Any], fixed: Mapping[str, Any], direction: Any) -> Any:
        if problem.kind == GRADIENTS:
            return jax.value_and_grad(loss)(varying, fixed)
        if problem.kind == GRADIENT:
            return jax.grad(loss)(varying, fixed)
        if problem.kind == HVP:
            return jax.jvp(lambda v: jax.grad(loss)(v, fixed), (varying,), (direction,))[1]
        return jax.hessian(loss)(varying, fixed)

    jitted = jax.jit(derivative)
    memory = jitted.lower(varying, fixed, direction).compile().memory_analysis()
    peak = memory.temp_size_in_bytes + memory.output_size_in_bytes
    return lambda: jax.block_until_ready(jitted(varying, fixed, direction)), peak


# ---------------------------------------------------------------- results, compared


def arrays_of(result: Any) -> Iterator[np.ndarray]:
    """Yield the arrays of a result, dictionaries by their names."""
    if isinstance(result, Mapping):
        for name in sorted(result):
            yield from arrays_of(result[name])
    elif isinstance(result, tuple):
        for part in result:
            yield from arrays_of(part)
    else:
        yield np.asarray(result)


def same(one: Any, other: Any) -> bool:
    """Say whether two results agree to nine digits of their largest entries."""
    pairs = zip(arrays_of(one), arrays_of(other), strict=True)
    return all(a.shape == b.shape and np.max(np.abs(a - b)) <= 1e-9 * np.max(np.abs(b)) for a, b in pairs)


# ---------------------------------------------------------------- measuring


def measured(problem: Problem, rounds: int = ROUNDS, with_jax: bool = True) -> Row:
    """Return the times of a problem, interleaved, and its peaks of memory."""
    keep_freed_memory()
    data = problem.data(problem.sizes, np.random.default_rng(0))
    try:
        function = compiled(problem)
    except SymderivError as err:
        return Row(problem, {}, {}, 0, fails=f"{type(err).__name__}: {err}".splitlines()[0])
    calls: dict[str, Call] = {GENERATED: bare(function, data), BY_HAND: lambda: problem.by_hand(**data)}
    peaks = {name: peak_of(call) for name, call in calls.items()}
    if with_jax:
        calls[JAX], peaks[JAX] = by_jax(problem, data)
    wanted = calls[BY_HAND]()
    differs = [name for name, call in calls.items() if not same(call(), wanted)]
    del wanted
    if problem.kind == HVP:
        calls[ITS_GRADIENT] = bare(compiled(PROBLEMS[problem.name.removesuffix("-hvp")]), data)
    seconds = interleaved(calls, rounds, threaded=[JAX] if with_jax else [])
    return Row(problem, seconds, peaks, checks_of(function, data), differs)


def has_jax() -> bool:
    """Say whether JAX is installed."""
    return find_spec("jax") is not None


# ---------------------------------------------------------------- the table

COLUMNS = (
    "problem", "kind", "sizes", "by hand ms", "generated / hand", "generated / JAX", "hvp / gradient",
    "checks µs", "MiB generated", "MiB hand", "MiB JAX",
)  # fmt: skip


def _ratio(ratio: Ratio | None, most: float) -> str:
    if ratio is None:
        return "—"
    digits = 4 if most < 0.1 else 2
    text = f"{ratio.median:.{digits}f} ({ratio.low:.{digits}f}–{ratio.high:.{digits}f})"
    return text if ratio.median <= most else f"{text} !"


def cells(row: Row) -> Cells:
    """Return what a table has of a row; `!` marks a ratio above its limit."""
    problem = row.problem
    if row.fails:
        return problem.name, problem.kind, problem.written_sizes, "—", row.fails, *["—"] * 6
    return (
        problem.name + (f" (differs: {', '.join(row.differs)})" if row.differs else ""),
        problem.kind,
        problem.written_sizes,
        f"{1e3 * np.median(row.seconds[BY_HAND]):.3f}",
        _ratio(row.ratio(BY_HAND), MOST_BY_HAND),
        _ratio(row.ratio(JAX), MOST_JAX[problem.kind]),
        _ratio(row.ratio(ITS_GRADIENT), MOST_TO_GRADIENT),
        f"{1e6 * row.checking:.0f}",
        *(f"{row.peaks[name] / 2**20:.2f}" if name in row.peaks else "—" for name in (GENERATED, BY_HAND, JAX)),
    )


def printed(rows: Sequence[Row]) -> Printed:
    """Return the table, worst first."""
    ordered = sorted(rows, key=lambda row: -row.to_hand)
    notes = [
        "CPU time on one thread, float64; medians over interleaved rounds with quartiles; worst ratio first.",
        f"At most: {MOST_BY_HAND:.2f} of code by hand; of JAX (jit) "
        + ", ".join(f"{most:g} for a {kind}" for kind, most in MOST_JAX.items() if kind not in (GRADIENTS, HVP))
        + f"; a Hessian-vector product {MOST_TO_GRADIENT:g} of its gradient. `!` is above.",
        "Generated functions are called bare; `checks` is what the checks of the arguments add to a call.",
        "Memory is the peak of a call, its result included: NumPy's arrays, and what JAX's compiler reports.",
    ]
    if not any(JAX in row.seconds or row.fails for row in rows):
        notes.append("JAX is not installed or was not asked for: its columns are empty.")
    return Printed("Generated code", COLUMNS, [cells(r) for r in ordered], notes, left=3)


def chosen(names: Sequence[str]) -> list[Problem]:
    """Return the problems that have one of the words in their names, all without a word."""
    return [p for p in PROBLEMS.values() if not names or any(n in p.name for n in names)]


def main() -> None:
    parser = argparse.ArgumentParser(description="Time generated code.")
    parser.add_argument("names", nargs="*", help="problems; a part of a name chooses all that have it")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--no-jax", action="store_true")
    parser.add_argument("--source", action="store_true", help="print the generated functions too")
    options = parser.parse_args()
    rows = []
    for problem in chosen(options.names):
        if options.source:
            print(compiled(problem).source)
        rows.append(measured(problem, options.rounds, has_jax() and not options.no_jax))
        print("  ".join(cells(rows[-1])), flush=True)
    show(printed(rows))


if __name__ == "__main__":
    main()
