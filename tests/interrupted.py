"""Handout runs that do not come to their end: `make load` ends them at many moments, in three ways.

Whatever a run leaves behind is whole: each file is byte for byte that of a run that came to its end. What a killed
process has begun is taken away by the next run, which leaves as they are the documents that were finished.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from time import sleep

RUNS, SEED = 6, 1  # of each way
WAYS = {signal.SIGINT: 130, signal.SIGTERM: 143, signal.SIGKILL: -9}
FORMATS = "tex,md,html,pdf,py"
TEXT = """# One

```symderiv
x: (n,)
A: (n, n)
E = x @ A @ x + sum(exp(x))
assert diff(E, x) == (A + A.T) @ x + exp(x), "one"
```
```symderiv-diagram
```
"""
LEDGER, BEGUN = ".symderiv.json", ".symderiv"


def command(sources: list[Path], folder: Path) -> list[str]:
    """Return the command that builds into a folder."""
    return [sys.executable, "-m", "symderiv", "handout", *map(str, sources), "-o", str(folder), "--format", FORMATS]


def documents(folder: Path) -> dict[str, bytes]:
    """Return the files in a folder, but for what is kept about them."""
    return {path.name: path.read_bytes() for path in folder.glob("*") if path.name != LEDGER}


def ended(way: signal.Signals, after: int, sources: list[Path], folder: Path) -> tuple[int | None, str]:
    """Start a run and end it once so many files are there; return its exit code and what it said of it."""
    run = subprocess.Popen(
        command(sources, folder), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    while run.poll() is None and (len(list(folder.glob("*"))) if folder.is_dir() else 0) < after:
        sleep(0.001)
    if run.poll() is None:
        os.kill(run.pid, way)
    return run.wait(), run.stderr.read() if run.stderr else ""


def faults(way: signal.Signals, code: int | None, said: str, folder: Path, whole: dict[str, bytes]) -> list[str]:
    """Return what is wrong with what an ended run has left behind."""
    left = documents(folder) if folder.is_dir() else {}
    begun = [name for name in left if name.endswith(BEGUN)]
    found = [f"{name} is not whole" for name, content in left.items() if name not in begun and content != whole[name]]
    if begun and way is not signal.SIGKILL:
        found.append(f"{begun[0]} is left over")
    if code not in (0, WAYS[way], -way):  # Python itself ends as it begins and ends, without having listened
        found.append(f"exit code {code}")
    if code == WAYS[signal.SIGINT] and folder.is_dir() and not said.startswith("interrupted: "):
        found.append(f"nothing was said of it, but {said!r}")
    return found


def once(way: signal.Signals, after: int, sources: list[Path], folder: Path, whole: dict[str, bytes]) -> list[str]:
    """End one run, and let another come to its end; return what was wrong."""
    code, said = ended(way, after, sources, folder)
    found = faults(way, code, said, folder, whole)
    finished = (folder / LEDGER).read_text(encoding="utf-8").count('"of"') if (folder / LEDGER).exists() else 0
    again = subprocess.run(command(sources, folder), capture_output=True, text=True, check=False)
    if again.returncode or documents(folder) != whole:
        found.append(f"another run does not make it good: exit code {again.returncode} {again.stderr}")
    if again.stdout.count(", up to date") != finished:
        found.append(f"{finished} documents were finished, {again.stdout.count(', up to date')} reused")
    print(
        f"{way.name} after {after} files: exit code {code}, {finished} finished; {'; '.join(found) or 'well'}",
        flush=True,
    )
    return found


def main() -> int:
    """End runs at random moments of writing; return the exit code."""
    random = Random(SEED)
    found: list[str] = []
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell lets what it runs in the background ignore it
    with TemporaryDirectory() as place:
        sources = [Path(place) / f"{name}.md" for name in "abcdef"]
        for source in sources:
            source.write_text(TEXT, encoding="utf-8")
        subprocess.run(command(sources, Path(place) / "whole"), check=True, stdout=subprocess.DEVNULL)
        whole = documents(Path(place) / "whole")
        for way in WAYS:
            for number in range(RUNS):
                folder = Path(place) / f"{way.name}{number}"
                found += once(way, random.randrange(len(whole)), sources, folder, whole)
    print(f"{len(WAYS) * RUNS} runs ended, each made good by another: {len(found)} faults")
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main())
