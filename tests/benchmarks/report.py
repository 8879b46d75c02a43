"""All tables, code, recurrences and derivations, to the terminal and with a description of the machine to a file.

    python tests/benchmarks/report.py [names…] [--output output/benchmarks.md]

With names only what has one of them in its name is measured, and nothing is written.
"""

from __future__ import annotations

if __name__ == "__main__":
    import one_thread  # noqa: F401

import argparse
import datetime
import os
import platform
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import code_speed
import derivation_speed
import numpy as np
import recurrence_speed
import scipy
from printing import Cells, Printed, show
from rich.console import Console

import symderiv

TITLE = """\
# Benchmarks

Written by `make bench`. Times differ from machine to machine and a little from run to run; ratios are what counts.
"""


def processor() -> str:
    """Return the model of the CPU, as far as it can be told."""
    try:
        import cpuinfo  # comes with pytest-benchmark
    except ImportError:
        return platform.processor() or platform.machine()
    return str(cpuinfo.get_cpu_info().get("brand_raw", platform.machine()))


def blas(package: object) -> str:
    """Return the BLAS that a package was built with."""
    found = package.show_config(mode="dicts")["Build Dependencies"]["blas"]  # type: ignore[attr-defined]
    return f"{found.get('name', 'unknown')} {found.get('version', '')}".strip()


def installed(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


def machine() -> Iterator[str]:
    """Yield what the numbers depend on."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    yield f"measured {datetime.datetime.now(datetime.UTC):%Y-%m-%d} on {platform.system()}"
    yield f"CPU: {processor()}, {os.cpu_count()} cores, {memory:.0f} GiB of memory; one thread used"
    yield f"Python {platform.python_version()}, SymPy {installed('sympy')}, symderiv {symderiv.__version__}"
    yield f"NumPy {np.__version__} with {blas(np)}"
    yield f"SciPy {scipy.__version__} with {blas(scipy)}"
    yield f"JAX {installed('jax')}, jaxlib {installed('jaxlib')}"


def measured_code(names: list[str], rounds: int, console: Console) -> Printed:
    rows = []
    with_jax = code_speed.has_jax()
    for problem in code_speed.chosen(names):
        console.print(f"code: {problem.name}")
        rows.append(code_speed.measured(problem, rounds, with_jax))
    return code_speed.printed(rows)


def measured_recurrences(names: list[str], rounds: int, console: Console) -> Printed:
    rows = []
    for row in recurrence_speed.rows(names, rounds):
        console.print(f"recurrence: {row.recurrence.name}")
        rows.append(row)
    return recurrence_speed.printed(rows)


def measured_derivations(names: list[str], cap: int, console: Console) -> Printed:
    def told(row: Cells) -> None:
        console.print(f"derivation: {row[0]} {row[1]}")

    return derivation_speed.measured(names, cap, told)


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure code and derivations.")
    parser.add_argument("names", nargs="*", help="problems and derivations; a part of a name will do")
    parser.add_argument("--rounds", type=int, default=code_speed.ROUNDS)
    parser.add_argument("--cap", type=int, default=derivation_speed.CAP, help="CPU seconds for one derivation")
    parser.add_argument("--output", type=Path)
    options = parser.parse_args()
    progress = Console(file=sys.stderr, highlight=False)
    tables = [
        measured_code(options.names, options.rounds, progress),
        measured_recurrences(options.names, options.rounds, progress),
        measured_derivations(options.names, options.cap, progress),
    ]
    for table in tables:
        if table.rows:
            show(table)
    if options.output and not options.names:
        described = "\n".join(f"- {line}" for line in machine())
        pages = [TITLE, f"## Machine\n\n{described}\n", *(table.markdown for table in tables)]
        options.output.write_text("\n".join(pages), encoding="utf-8")


if __name__ == "__main__":
    main()
