"""Files in one piece, whatever ends the process that writes them."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from symderiv.aside import take_away_leftovers, write_aside


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_files_are_written_aside_and_renamed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(b"old")
    seen = []

    def renamed(self: Path, target: Path) -> None:
        seen.append((self.read_bytes(), Path(target).read_bytes()))
        raise OSError("interrupted")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", renamed)
        with pytest.raises(OSError, match="interrupted"):
            write_aside(path, b"new")
    assert seen == [(b"new", b"old")] and path.read_bytes() == b"old"
    write_aside(path, b"new")
    assert path.read_bytes() == b"new" and names(tmp_path) == ["a.txt"]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="a process is forked, to be killed")
def test_what_a_killed_process_has_begun_is_taken_away_later(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(b"old")
    process = os.fork()
    if process == 0:
        Path.replace = lambda *_: os.kill(os.getpid(), signal.SIGKILL)  # type: ignore[method-assign]
        write_aside(path, b"new")
    assert os.WTERMSIG(os.waitpid(process, 0)[1]) == signal.SIGKILL
    assert path.read_bytes() == b"old"
    assert names(tmp_path) == [f".a.txt.{process}.symderiv", "a.txt"]
    write_aside(tmp_path / "b.txt", b"other")
    assert names(tmp_path) == ["a.txt", "b.txt"]


def test_what_others_are_writing_and_what_is_not_ours_stays(tmp_path: Path) -> None:
    there = [f".a.txt.{os.getppid()}.symderiv", ".symderiv.json", ".a.symderiv", "b.7.symderiv"]
    for name in there:
        (tmp_path / name).write_bytes(b"")
    take_away_leftovers(tmp_path)
    assert names(tmp_path) == sorted(there)
    take_away_leftovers(tmp_path / "nowhere")
