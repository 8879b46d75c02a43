"""Mutation testing of the rules: a seeded sample of slips in their source, each of which some test has to notice.

    python tests/mutate_rules.py [--sample 100] [--seed 1] [--seconds 8] [--only symderiv.index.rules]

Tests are collected once, and run once to learn which statements each of them reaches and how long it takes.  Then
for each slip a child process puts the code with the slip in the place of the function's own and runs the tests that
reach it, the quickest first, until one fails.  What none notices is printed.  Nothing is written to the source.
Times are those of the process, so that what else the machine does changes nothing.
"""

from __future__ import annotations

import argparse
import ast
import importlib
import json
import os
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Mapping
from functools import cached_property
from pathlib import Path
from types import FunctionType, ModuleType

import pytest
from slips import Slip, code_of, functions, noting, slips

MODULES = (
    "symderiv.index.rules", "symderiv.index.rewriter", "symderiv.chain", "symderiv.index.contraction",
    "symderiv.index.labelling", "symderiv.index.signs", "symderiv.index.rationals",
)  # fmt: skip
TESTS = (
    "test_index_rules.py", "test_index_rewriter.py", "test_chain.py", "test_replay.py", "test_claims_first.py",
    "test_claims_higher.py", "test_matrix_power.py", "test_derivation.py", "test_structured.py", "test_several.py",
    "test_tangents.py", "test_claims_neglecting.py", "test_index_normal.py", "test_index_graph.py",
    "test_index_labelling.py", "test_index_expand.py", "test_index_folding.py", "test_index_reading.py",
    "test_index_narrow.py", "test_index_signs.py", "test_index_rationals.py",
    "test_laws.py", "test_lower.py", "test_claims_equalities.py",
)  # fmt: skip
NOTICED, SURVIVED, SLOWLY = 1, 0, 2
ENDLESS, MORE = 4, 5  # a slip that makes a test take so many times as long, and so many seconds more, is noticed


class Slips:
    """A plugin of pytest that runs the tests once as they are, and then again for each slip."""

    def __init__(self, count: int, seed: int, seconds: float, only: str = "") -> None:
        self.count, self.seed, self.seconds, self.only = count, seed, seconds, only
        self.modules = [importlib.import_module(name) for name in MODULES]
        self.functions = {m.__name__: functions_of(m) for m in self.modules}
        self.failed = 0

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        items = {item.nodeid: item for item in session.items}
        uses = self.baseline(session)
        found = self.chosen()
        outcomes = {name: Counter[str]() for name in MODULES}
        for module, slip in found:
            reached = [(took, name) for name, took, lines in uses if f"{module}:{slip.line}" in lines]
            tests, left = [], self.seconds
            for took, name in sorted(reached):
                if took <= left:
                    tests.append((items[name], took))
                    left -= took
            outcome = self.tried(session, module, slip, tests) if tests else None
            outcomes[module]["survived" if outcome == SURVIVED else "unseen" if outcome is None else "noticed"] += 1
            if outcome in (SURVIVED, None):
                self.failed += 1
                why = "" if tests else "  (no test reaches it)"
                print(f"\n{module}:{slip.line} {slip.function}{why}\n{slip}", flush=True)
        for name in dict.fromkeys(module for module, _ in found):
            told = ", ".join(f"{n} {what}" for what, n in sorted(outcomes[name].items()))
            print(f"\n{name}: {outcomes[name].total()} slips, {told}", flush=True)
        return True

    def chosen(self) -> list[tuple[str, Slip]]:
        """Return the sample of each module, in the order of the source."""
        found = []
        for module in (m for m in self.modules if m.__name__.startswith(self.only)):
            every = list(slips(source_of(module)))
            places = random.Random(f"{self.seed} {module.__name__}").sample(range(len(every)), len(every))
            found += [(module.__name__, every[k]) for k in sorted(places[: self.count])]
        return found

    def baseline(self, session: pytest.Session) -> list[tuple[str, float, list[str]]]:
        """Return for each test how long it takes and which statements it reaches; a child finds out."""
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "uses"

            def child() -> int:
                uses = []
                reached: dict[str, set[int]] = {}
                for module in self.modules:
                    reached[module.__name__] = set()
                    module.note_entry = reached[module.__name__].add
                    code = noting(source_of(module), "note_entry")
                    for name, function in self.functions[module.__name__].items():
                        function.__code__ = code_of(code, name)
                for item in session.items:
                    for lines in reached.values():
                        lines.clear()
                    start = time.process_time()
                    if ran(session, item):
                        took = time.process_time() - start
                        uses.append((item.nodeid, took, [f"{m}:{line}" for m in reached for line in reached[m]]))
                path.write_text(json.dumps(uses), encoding="utf-8")
                return 0

            in_child(child)
            uses = [(name, took, reached) for name, took, reached in json.loads(path.read_text("utf-8"))]
            print(f"{len(uses)} tests, {sum(took for _, took, _ in uses):.0f} s", flush=True)
            return uses

    def tried(self, session: pytest.Session, module: str, slip: Slip, tests: list[tuple[pytest.Item, float]]) -> int:
        """Return whether one of some tests, each with the time that it takes, notices a slip."""

        def child() -> int:
            self.functions[module][slip.function].__code__ = slip.code
            for item, took in tests:
                end_after(MORE + ENDLESS * took)
                if not ran(session, item):
                    return NOTICED
            return SURVIVED

        return in_child(child)


def source_of(module: ModuleType) -> str:
    return Path(str(module.__file__)).read_text("utf-8")


def ran(session: pytest.Session, item: pytest.Item) -> bool:
    """Run a test; tell whether it passed."""
    before = session.testsfailed
    item.config.hook.pytest_runtest_protocol(item=item, nextitem=None)
    return session.testsfailed == before


def in_child(work: Callable[[], int]) -> int:
    """Return what a child process finds, silent."""
    child = os.fork()
    if not child:
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, 1)
        os.dup2(null, 2)
        try:
            os._exit(work())
        finally:
            os._exit(NOTICED)
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status)


def end_after(seconds: float) -> None:
    """End this process after so many seconds of its own time."""
    signal.signal(signal.SIGVTALRM, lambda *_: os._exit(SLOWLY))
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds)


def functions_of(module: ModuleType) -> Mapping[str, FunctionType]:
    """Return the functions and methods of a module by qualified name, without what is wrapped around them."""
    written = {name for name, _ in functions(ast.parse(source_of(module)))}  # not what a dataclass has made
    found: dict[str, FunctionType] = {}
    values = [*vars(module).values()]
    values += [v for c in values if isinstance(c, type) and c.__module__ == module.__name__ for v in vars(c).values()]
    for value in values:
        if isinstance(value, property):
            value = value.fget
        elif isinstance(value, cached_property):
            value = value.func
        value = getattr(value, "__wrapped__", value)
        if isinstance(value, FunctionType) and value.__qualname__ in written:
            found[value.__qualname__] = value
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sample", type=int, default=100, help="how many slips of each module")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=8, help="of tests for each slip, as they take without it")
    parser.add_argument("--only", default="", help="slips in modules whose names begin so")
    options = parser.parse_args()
    os.nice(15)
    plugin = Slips(options.sample, options.seed, options.seconds, options.only)
    folder = Path(__file__).parent
    quiet = ["-q", "-s", "-p", "no:cacheprovider", "-m", "not mutants"]
    pytest.main([*quiet, *(str(folder / name) for name in TESTS)], plugins=[plugin])
    return 1 if plugin.failed else 0


if __name__ == "__main__":
    sys.exit(main())
