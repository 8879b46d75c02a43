"""Building again on change."""

from __future__ import annotations

import sys
import threading

import pytest

from symderiv import UnsupportedError
from symderiv.handout.watching import changed_sources


@pytest.fixture
def files(tmp_path):
    paths = [tmp_path / name for name in ("a.md", "b.md")]
    for path in paths:
        path.write_text("text", encoding="utf-8")
    (tmp_path / "templates").mkdir()
    return paths


def test_only_what_changed_is_built_again(files, tmp_path):
    a, b = files
    events = [[a], [tmp_path / "other.md"], [b, a], [tmp_path / "out" / "a.md"]]
    assert list(changed_sources(files, (), events)) == [[a], [a, b]]


def test_a_template_or_a_preamble_concerns_all(files, tmp_path):
    folder, preamble = tmp_path / "templates", tmp_path / "own.tex"
    events = [[folder / "phrases" / "fr.toml"], [preamble], [tmp_path / "own.texx"]]
    assert list(changed_sources(files, (folder, preamble), events)) == [files, files]


def test_a_change_on_disk_is_seen(files):
    pytest.importorskip("watchfiles", reason="watchfiles comes with the extra symderiv[watch]")
    changes = changed_sources(files)
    timers = [threading.Timer(after, files[0].write_text, args=(f"new {after}",)) for after in (0.3, 1.0, 2.0, 4.0)]
    for timer in timers:
        timer.start()
    try:
        assert next(changes) == [files[0]]
    finally:
        changes.close()
        for timer in timers:
            timer.cancel()


def test_a_missing_package_is_named(files, monkeypatch):
    monkeypatch.setitem(sys.modules, "watchfiles", None)
    with pytest.raises(UnsupportedError, match="watchfiles") as refused:
        changed_sources(files)
    assert "symderiv[watch]" in refused.value.hint
