"""Running a notebook without a server: every code cell in one shell of IPython, outputs as nbformat keeps them.

`python tests/notebooks.py` runs the tutorial and writes what its cells show into it.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import symderiv

TUTORIAL = Path(symderiv.__file__).parent / "handout" / "builtin" / "tutorial.ipynb"
Output = dict[str, Any]


def read(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text(encoding="utf-8"))


def code_cells(notebook: dict[str, Any]) -> list[dict[str, Any]]:
    return [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]


def executed(notebook: dict[str, Any]) -> list[list[Output]]:
    """Return the outputs of each code cell."""
    from IPython.core.interactiveshell import InteractiveShell
    from traitlets.config import Config

    with TemporaryDirectory() as folder:
        shell = InteractiveShell(config=Config({"HistoryManager": {"enabled": False}}), ipython_dir=folder)
        shell.display_formatter.active_types = list(shell.display_formatter.formatters)  # as in a notebook
        return [outputs(shell, "".join(cell["source"]), n) for n, cell in enumerate(code_cells(notebook), 1)]


def outputs(shell: Any, source: str, number: int) -> list[Output]:
    """Return what a cell prints, and what it ends with in every form that it has; its error is raised."""
    from IPython.utils.capture import capture_output

    shown: list[Output] = []

    def keep(data: dict[str, str], _metadata: Any = None) -> None:
        found = {kind: lines(text) for kind, text in sorted(data.items())}
        shown.append({"data": found, "execution_count": number, "metadata": {}, "output_type": "execute_result"})

    hook = shell.displayhook
    hook.write_format_data = keep
    hook.write_output_prompt = hook.finish_displayhook = lambda: None
    with capture_output(display=False) as captured:
        result = shell.run_cell(source)
    error = result.error_in_exec or result.error_before_exec
    if error is not None:
        raise error
    printed = [("stdout", captured.stdout), ("stderr", captured.stderr)]
    return [*({"name": n, "output_type": "stream", "text": lines(text)} for n, text in printed if text), *shown]


def lines(text: str) -> list[str]:
    return text.splitlines(keepends=True)


def write(path: Path) -> None:
    """Run a notebook and keep what its cells show."""
    notebook = read(path)
    for number, (cell, found) in enumerate(zip(code_cells(notebook), executed(notebook), strict=True), 1):
        cell["execution_count"], cell["outputs"] = number, found
    path.write_text(json.dumps(notebook, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    for name in sys.argv[1:] or [TUTORIAL]:
        write(Path(name))
