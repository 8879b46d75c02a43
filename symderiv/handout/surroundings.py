"""What makes documents, as one digest: our own files, what packages add to them, the packages installed, Python."""

from __future__ import annotations

import os
import platform
import shutil
import sys
from collections.abc import Collection, Iterator
from functools import cache
from hashlib import sha256
from importlib.metadata import entry_points
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path

from symderiv.render.templates import own_folder

PACKAGE, ADDING = "symderiv", "symderiv.extensions"
SOURCES = frozenset({".py", ".toml", ".lark"})
COMPILED = "__pycache__"
PAGE = ("page", "assets")  # no part of a handout
INSTALLED = ("*.dist-info", "*.egg-info")


@cache
def surroundings() -> str:
    """Return the digest; it is that of the files as they were when they were first asked for."""
    own = Path(str(files(PACKAGE)))
    parts = [sys.version, platform.machine(), contents(own, SOURCES, PAGE), contents(own_folder())]
    parts += [*_added(), *_installed(), *_pandoc()]
    return sha256("\0".join(parts).encode("utf-8", "surrogateescape")).hexdigest()


def contents(folder: Path, kinds: Collection[str] = (), but: Collection[str] = ()) -> str:
    """Return the digest of the files in a folder, with their names: of some kinds or of all, but for some folders."""
    found = sha256()
    for path in sorted(_walk(folder, kinds, {COMPILED, *but})):
        content = path.read_bytes()
        name = os.fsencode(path.relative_to(folder).as_posix())
        found.update(b"%d %d %s%s" % (len(name), len(content), name, content))
    return found.hexdigest()


def _walk(folder: Path, kinds: Collection[str], but: Collection[str]) -> Iterator[Path]:
    for here, below, names in os.walk(folder):
        below[:] = [name for name in below if name not in but]
        yield from (Path(here, name) for name in names if not kinds or Path(name).suffix in kinds)


def _added() -> list[str]:
    """Return the digests of the packages that teach symderiv more (:mod:`symderiv.extending`)."""
    names = {entry.module.partition(".")[0] for entry in entry_points(group=ADDING)}
    specs = [spec for spec in map(find_spec, sorted(names)) if spec is not None]
    folders = [Path(place) for spec in specs for place in spec.submodule_search_locations or ()]
    modules = [Path(spec.origin) for spec in specs if not spec.submodule_search_locations and spec.origin]
    return [*map(contents, folders), *(sha256(path.read_bytes()).hexdigest() for path in modules)]


def _installed() -> list[str]:
    """Return the packages installed, each with its version."""
    return sorted({found.name for place in sys.path for kind in INSTALLED for found in Path(place).glob(kind)})


def _pandoc() -> list[str]:
    """Return the pandoc of the machine, which is used where it is newer than that of the package."""
    own = shutil.which("pandoc")
    return [os.environ.get("PYPANDOC_PANDOC", ""), f"{own} {Path(own).stat().st_size}" if own else ""]
