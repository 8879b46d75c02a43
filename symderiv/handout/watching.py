"""Building again whenever a source, its preamble or a template changes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from symderiv.errors import UnsupportedError

Events = Iterable[Iterable[Path]]


def changed_sources(
    sources: Sequence[Path], shared: Sequence[Path] = (), events: Events | None = None
) -> Iterator[list[Path]]:
    """Return the sources to build again, each time that something changes, without an end.

    `shared` are files and folders that all sources depend on. `events` are the paths that changed, as the file system
    tells them unless given.
    """
    own = {path.resolve(): path for path in sources}
    common = [path.resolve() for path in shared]
    return _concerned(own, common, _changes([*own, *common]) if events is None else events)


def _concerned(own: Mapping[Path, Path], common: Sequence[Path], events: Events) -> Iterator[list[Path]]:
    """Yield the sources that changes concern."""
    for paths in events:
        changed = [path.resolve() for path in paths]
        if any(path.is_relative_to(place) for path in changed for place in common):
            yield list(own.values())
        elif found := [own[path] for path in own if path in changed]:
            yield found


def _changes(paths: Sequence[Path]) -> Iterator[list[Path]]:
    """Return what changes; folders are watched, since editors write a file anew and rename it."""
    try:
        from watchfiles import watch
    except ImportError:
        raise UnsupportedError(
            "watching for changes needs the watchfiles package", hint="pip install 'symderiv[watch]'"
        ) from None
    folders = sorted({path if path.is_dir() else path.parent for path in paths})
    changes = watch(*folders, recursive=any(path.is_dir() for path in paths))
    return ([Path(path) for _, path in found] for found in changes)
