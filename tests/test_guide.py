"""The guide: every example on its pages is run, each page by itself."""

from __future__ import annotations

import doctest
import subprocess
import sys
from pathlib import Path

import pytest

import symderiv

PAGES = sorted((Path(symderiv.__file__).parent / "guide").glob("*.md"))
RUN = "import doctest, sys; r = doctest.testfile(sys.argv[1], module_relative=False, optionflags={}); sys.exit(r.failed)"


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.stem)
def test_the_examples_of_a_page_are_as_they_say(page: Path) -> None:
    """In a process of its own: a page may add functions."""
    flags = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS
    command = [sys.executable, "-c", RUN.replace("{}", str(flags)), str(page)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
