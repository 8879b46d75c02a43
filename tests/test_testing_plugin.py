"""The plugin for pytest: its options, its reports, claims in Markdown, and the example package tested with it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import asdict
from importlib.metadata import entry_points
from pathlib import Path

import pytest

from symderiv.testing import assertions, documents, gradients  # noqa: F401 -- so that no run imports them anew
from symderiv.testing.defaults import settings

pytest_plugins = ["pytester"]

EXAMPLE = Path(__file__).with_name("example_package")
# Installed, pytest loads it by itself.
LOADED = any(e.value == "symderiv.testing.plugin" for e in entry_points(group="pytest11"))
OPTIONS = [] if LOADED else ["-p", "symderiv.testing.plugin"]

DOCUMENT = """---
layout: of another tool
---
# One

```symderiv
x: (n,)
assert diff(x @ x, x) == 2 * x, "right"
assert not (diff(x @ x, x) == 3 * x), "wrong as said"
assert diff(x @ x, x) == 3 * x, "wrong (5.93)"
assert not (diff(x @ x, x) == 2 * x)
```

- in a list

  ```symderiv
  assert diff(x @ x, x, x) == 2 * eye(n), "right"
  ```

## Two: a heading starts afresh

~~~symderiv
diff(x @ x, x)
~~~

```python
assert False
```
"""


@pytest.fixture(autouse=True)
def kept():
    before = asdict(settings)
    yield
    vars(settings).update(before)


@pytest.fixture
def run(pytester):
    def run(*args):
        return pytester.runpytest_inprocess(*OPTIONS, "-p", "no:cacheprovider", *args)

    return run


# ---------------------------------------------------------------- options


def test_seed_and_samples(pytester, run):
    pytester.makepyfile(
        """
        from symderiv.testing import settings

        def test_it():
            assert (settings.seed, settings.samples) == (7, 3)
        """
    )
    done = run("--symderiv-seed", "7", "--symderiv-samples", "3")
    done.assert_outcomes(passed=1)
    done.stdout.fnmatch_lines(["symderiv: seed 7, 3 samples"])


def test_a_random_seed_is_printed(pytester, run):
    pytester.makepyfile(
        """
        from symderiv.testing import settings

        def test_it(pytestconfig):
            assert str(settings.seed) == pytestconfig.getoption("symderiv_seed")
            assert False, f"seed {settings.seed}"
        """
    )
    done = run("--symderiv-seed", "random")
    (header,) = [line for line in done.outlines if line.startswith("symderiv: seed ")]
    done.stdout.fnmatch_lines([f"*AssertionError: {header.removeprefix('symderiv: ')}"])


@pytest.mark.parametrize("wrong", [("--symderiv-seed", "-1"), ("--symderiv-seed=x",), ("--symderiv-samples", "0")])
def test_wrong_options_are_refused(pytester, run, wrong):
    done = run(*wrong)
    assert done.ret == pytest.ExitCode.USAGE_ERROR
    done.stderr.fnmatch_lines(["*--symderiv-s* is *"])


# ---------------------------------------------------------------- reports


def test_a_failure_shows_the_point(pytester, run):
    pytester.makepyfile(
        """
        from symderiv.testing import assert_derivative

        def test_it():
            assert_derivative("x @ A @ x", "x", "2 * A @ x", shapes={"x": ("n",), "A": ("n", "n")})
        """
    )
    done = run()
    done.assert_outcomes(failed=1)
    done.stdout.fnmatch_lines(
        [
            "E *2 * A @ x is not the derivative of x @ A @ x with respect to x",
            "E *entry (*), counted from 0: the derivative is *, expected was *",
            "E *at n = 4, seed 0",
            "E *it should be: (A + A.T) @ x",
            "E *first differing step: step * product, leads to 2 terms*",
            "*- symderiv: where they differ -*",
            "A = [[[]*",
            "again: pytest * --symderiv-seed 0",
        ]
    )
    assert "verify(" not in done.stdout.str()  # our own frames are no news


# ---------------------------------------------------------------- Markdown


def test_claims_are_tests_where_that_is_asked_for(pytester, run):
    pytester.path.joinpath("notes.md").write_text(DOCUMENT, encoding="utf-8")
    run().assert_outcomes()
    done = run("--symderiv-docs", "-v")
    done.assert_outcomes(passed=3, failed=3)
    done.stdout.fnmatch_lines(["notes.md::right PASSED*", "notes.md::wrong (2) FAILED*", "notes.md::right (2) PASSED*"])


def test_a_claim_fails_with_file_and_line(pytester, run):
    pytester.path.joinpath("notes.md").write_text(DOCUMENT, encoding="utf-8")
    done = run("--symderiv-docs")
    done.stdout.fnmatch_lines(
        [
            "notes.md:10: wrong (5.93) is refuted, proved was expected",
            "    assert diff(x @ x, x) == 3 * x",
            "  entry (*), counted from 0: the left side is *, the right side *",
            "  at n = 4",
            "  it should be: 2 * x",
            "notes.md:11: claim 4 is proved, refuted was expected",
            "notes.md:23:6: unknown name 'x'*",
        ]
    )


def test_one_claim_alone(pytester, run):
    pytester.path.joinpath("notes.md").write_text(DOCUMENT, encoding="utf-8")
    run("--symderiv-docs", "notes.md::right (2)").assert_outcomes(passed=1)


def test_files_are_chosen_by_the_settings_of_the_project(pytester, run):
    pytester.makeini("[pytest]\nsymderiv_docs = docs/*.md")
    pytester.mkdir("docs").joinpath("a.md").write_text(DOCUMENT, encoding="utf-8")
    pytester.path.joinpath("b.md").write_text(DOCUMENT, encoding="utf-8")
    done = run("--collect-only", "-q")
    assert [line for line in done.outlines if "::right" in line] == ["docs/a.md::right", "docs/a.md::right (2)"]


@pytest.mark.parametrize("text", [b"\xff\xfe symderiv", b"nothing of ours", b"```symderiv\n"])
def test_files_of_any_kind(pytester, run, text):
    pytester.path.joinpath("a.md").write_bytes(text)
    done = run("--symderiv-docs")
    assert done.ret in (pytest.ExitCode.NO_TESTS_COLLECTED, pytest.ExitCode.INTERRUPTED)
    assert ("is no UTF-8" in done.stdout.str()) == text.startswith(b"\xff")


# ---------------------------------------------------------------- a package of somebody else's


def test_the_example_package(tmp_path):
    folder = shutil.copytree(EXAMPLE, tmp_path / "package")
    command = [sys.executable, "-m", "pytest", *OPTIONS, "-p", "no:cacheprovider", "-v"]
    path = os.pathsep.join(map(str, [Path(__file__).resolve().parents[1], *filter(None, sys.path)]))
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": path})
    results = dict(line.split()[:2] for line in done.stdout.splitlines() if "::" in line and "%" in line)
    assert results == {
        "tests/test_gradients.py::test_ridge": "PASSED",
        "tests/test_gradients.py::test_logistic": "PASSED",
        "tests/test_gradients.py::test_ridge_once_more": "PASSED",
        "tests/test_gradients.py::test_network": "FAILED",
        "tests/test_gradients.py::test_pinball": "PASSED",
        "docs/theory.md::gradient": "PASSED",
        "docs/theory.md::misprint": "PASSED",
        "docs/theory.md::Hessian": "FAILED",
        "docs/theory.md::line": "25",
    }, done.stdout + done.stderr
    said = [
        "network_gradients is not the derivative of network with respect to V",
        "it should be: 2 * outer(W.T @ (W @ tanh(V @ x + b) - y) * (1 - tanh(V @ x + b)**2), x)",
        "first differing step: diff(f, a[",
        "docs/theory.md:19: Hessian is refuted, proved was expected",
        "docs/theory.md:26:8: not a statement: '(' was never closed",
    ]
    assert [text for text in said if text not in done.stdout] == []


# ---------------------------------------------------------------- what it costs


def test_loading_it_imports_nothing_but_the_standard_library():
    code = (
        "import sys, pytest; before = set(sys.modules); import symderiv.testing.plugin\n"
        "print(*sorted({m.partition('.')[0] for m in set(sys.modules) - before} - set(sys.stdlib_module_names)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["symderiv"]
