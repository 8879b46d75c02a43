"""Files written in one piece: aside first, then renamed, so that an interrupted run leaves no half of one behind.

What a process that was killed has begun stands aside under its number; the next one that writes to the folder takes
it away.
"""

from __future__ import annotations

import os
import re
from contextlib import suppress
from pathlib import Path

_ASIDE = re.compile(r"\..+\.(\d+)\.symderiv")


def write_aside(path: Path, content: bytes) -> None:
    """Write a file in one piece; what was begun is taken away where that fails."""
    take_away_leftovers(path.parent)
    aside = path.with_name(f".{path.name}.{os.getpid()}.symderiv")
    try:
        aside.write_bytes(content)
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)


def take_away_leftovers(folder: Path) -> None:
    """Take away what processes that are no more have begun to write into a folder."""
    for path in folder.glob(".*.symderiv"):
        found = _ASIDE.fullmatch(path.name)
        if found and not _is_running(int(found[1])):
            with suppress(OSError):
                path.unlink()


def _is_running(process: int) -> bool:
    """Tell whether a process is there; where that cannot be asked, a file in use cannot be taken away either."""
    if os.name == "nt":
        return process == os.getpid()
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return True
