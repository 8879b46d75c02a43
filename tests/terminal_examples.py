"""Commands in Markdown, `$ symderiv …` with what is printed below: each is run, and has to print that."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

from click.testing import CliRunner

from symderiv.cli import main

FENCE = re.compile(r"^```\w*\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PROMPT = "$ "


def commands(markdown: str) -> Iterator[tuple[str, str]]:
    """Yield each command with what is shown below it."""
    for block in FENCE.findall(markdown):
        if not block.startswith(PROMPT):
            continue
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, shown = re.match(r"((?:.*\\\n)*.*\n)([\s\S]*)", part).groups()
            yield command.replace("\\\n", " ").strip(), shown


def check(path: Path) -> int:
    """Run the commands of a file where one stands; return how many there were."""
    found = list(commands(path.read_text(encoding="utf-8")))
    for command, shown in found:
        name, *args = shlex.split(command)
        assert name == "symderiv", command
        done = CliRunner().invoke(main, args, prog_name="symderiv")
        assert done.exit_code in (0, 1), done.output
        assert done.output.strip("\n") == shown.strip("\n"), f"{command}\n{done.output}"
    return len(found)
