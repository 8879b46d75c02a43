"""Running the command line from tests, in this process, in another one, and on a pseudo-terminal."""

from __future__ import annotations

import os
import subprocess
import sys

from click.testing import CliRunner, Result

from symderiv.cli import main

LEAST_SQUARES = ["norm(X @ w - y)**2", "--wrt", "w", "--shape", "X: (n, p)", "--shape", "w: (p,)",
                 "--shape", "y: (n,)"]  # fmt: skip
QUADRATIC = ["x @ A @ x", "--wrt", "x", "--shape", "x: (n,)", "--shape", "A: (n, n)"]


def run(*args: str) -> Result:
    return CliRunner().invoke(main, list(args), prog_name="symderiv")


def output(*args: str) -> str:
    result = run(*args)
    assert result.exit_code == 0, result.output
    return result.stdout


def refusal(*args: str) -> str:
    """Return what a usage error says; nothing goes to standard output, and there is no traceback."""
    result = run(*args)
    assert result.exit_code == 2, result.output
    assert result.stdout == ""
    assert "Traceback" not in result.stderr
    return result.stderr


def python(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, **environment}
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=env)
