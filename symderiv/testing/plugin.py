"""The plugin for pytest: options for seed and samples, reports of failures, claims in Markdown as tests.

pytest loads it by itself (entry point `pytest11`) in every project of an environment that has symderiv, so it imports
nothing but the standard library until there is something to do.
"""

from __future__ import annotations

import secrets
from collections.abc import Generator
from fnmatch import fnmatch
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from symderiv.testing.documents import MarkdownFile

SUFFIXES = (".md", ".markdown")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options and settings."""
    group = parser.getgroup("symderiv", "symderiv: derivatives, gradients, claims in Markdown")
    group.addoption(
        "--symderiv-seed", metavar="SEED", default=None,
        help="seed of random points and directions, 0 where nothing is given; `random` draws one and prints it",
    )  # fmt: skip
    group.addoption(
        "--symderiv-samples", metavar="COUNT", type=int, default=None,
        help="how many random directions check_grads tries for each variable (default: 8)",
    )  # fmt: skip
    group.addoption(
        "--symderiv-docs", action="store_true", default=False,
        help="run the claims in ```symderiv blocks of Markdown files as tests",
    )  # fmt: skip
    about = "patterns of the Markdown files whose ```symderiv blocks are run, as in `README.md docs/*.md`"
    parser.addini("symderiv_docs", about, type="args", default=[])


def pytest_configure(config: pytest.Config) -> None:
    """Set seed and samples, where they are given."""
    seed, samples = config.getoption("symderiv_seed"), config.getoption("symderiv_samples")
    if seed is None and samples is None:
        return
    from symderiv.testing.defaults import MOST_SEED, settings

    if seed is not None:
        if seed == "random":
            seed = config.option.symderiv_seed = str(secrets.randbelow(MOST_SEED))
        if not seed.isdecimal() or int(seed) >= MOST_SEED:
            raise pytest.UsageError(f"--symderiv-seed is `random` or a number below 2**32, not {seed!r}")
        settings.seed = int(seed)
    if samples is not None:
        if samples < 1:
            raise pytest.UsageError(f"--symderiv-samples is a positive number, not {samples}")
        settings.samples = samples


def pytest_report_header(config: pytest.Config) -> str:
    """Print the seed, so that a run can be repeated."""
    seed, samples = config.getoption("symderiv_seed"), config.getoption("symderiv_samples")
    return f"symderiv: seed {seed or 0}" + (f", {samples} samples" if samples else "")


# ---------------------------------------------------------------- reports


@pytest.hookimpl(hookwrapper=True)  # as older versions of pytest know it, too
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Generator[None, Any, None]:
    """Put the point of a counterexample, and the way to repeat it, under a failure."""
    outcome = yield
    failure = None if call.excinfo is None else getattr(call.excinfo.value, "failure", None)
    if failure is not None and type(failure).__module__ == "symderiv.testing.failures":
        parts = [failure.details]
        if failure.seed is not None:
            parts.append(f"again: pytest {item.nodeid!r} --symderiv-seed {failure.seed}")
        report: pytest.TestReport = outcome.get_result()
        report.sections.append(("symderiv: where they differ", "\n".join(filter(None, parts))))


# ---------------------------------------------------------------- claims in Markdown


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> MarkdownFile | None:
    """Collect a Markdown file that is asked for and has a block of ours."""
    if file_path.suffix.lower() not in SUFFIXES or not _wanted(file_path, parent.config):
        return None
    from symderiv.testing.defaults import MARK

    try:
        if MARK.encode() not in file_path.read_bytes():
            return None
    except OSError:
        return None
    from symderiv.testing.documents import MarkdownFile

    found: MarkdownFile = MarkdownFile.from_parent(parent, path=file_path)
    return found


def _wanted(path: Path, config: pytest.Config) -> bool:
    if config.getoption("symderiv_docs"):
        return True
    patterns: list[Any] = config.getini("symderiv_docs")
    if not patterns:
        return False
    try:
        inside = path.relative_to(config.rootpath).as_posix()
    except ValueError:
        return False
    return any(fnmatch(inside, pattern) for pattern in patterns)
